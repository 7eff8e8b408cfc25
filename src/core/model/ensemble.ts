import type { Architecture } from './architecture';
import type { ModelManifest } from './manifest';
import { decodeOnnx, encodeOnnx, foreign, type OnnxModel, type OnnxNode, type OnnxTensor } from './onnxFormat';
import { checkInterface, checkStored, featuresOf, scoresOf, type AnsweredQuestion } from './onnxReader';
import { ports } from './onnxWriter';

/*
 * Several models as one: the weighted average of their scores, in one graph. Members stand in it as they are, whatever their layers, each value's name with `mK/` before it; after them come a weight for each, and the order of
 * its labels where that is another.
 */

/** Models of an ensemble, at most and at least. */
export const ensembleLimits = { fewest: 2, most: 16 } as const;

/** What `architecture` is in the manifest of an ensemble: its members have the layers. */
export const ensembleArchitecture: Architecture = { preset: 'ensemble', layers: [] };

/** Architectures of the networks in a model: its own, or those of an ensemble's members. */
export function networksOf({ architecture, ensemble }: Pick<ModelManifest, 'architecture' | 'ensemble'>): readonly Architecture[] {
  return ensemble ? ensemble.members.map((member) => member.architecture) : [architecture];
}

/** A model as a part of an ensemble. */
export interface EnsemblePart {
  /** As `writeOnnx` wrote it, in any precision. */
  readonly model: Uint8Array;
  /** What its scores count, 0..1. */
  readonly weight: number;
  /** For each score of the ensemble its place among the model's own. */
  readonly order: readonly number[];
}

const inputs: ReadonlySet<string> = new Set([ports.ids, ports.lengths]);
const prefixOf = (member: number): string => `m${member}/`;

/**
 * An ensemble as an ONNX file, with the inputs and outputs of `writeOnnx`: `scores` is Σ weight × scores of the members, `value`, where they are joint models, likewise; `features` are the members' features side by side. Attention there is none.
 *
 * @param parts two or more
 * @param metadata of the file
 */
export function writeEnsemble(parts: readonly EnsemblePart[], metadata: Readonly<Record<string, string>>): Uint8Array {
  const models = parts.map(({ model }) => decodeOnnx(model, 'model.onnx'));
  const tensors: OnnxTensor[] = [];
  const nodes: OnnxNode[] = [];
  const node = (operator: string, read: readonly string[], output: string, attributes: Readonly<Record<string, number>> = {}): string => {
    nodes.push({ operator, inputs: read, outputs: [output], attributes: new Map(Object.entries(attributes)) });
    return output;
  };
  const constant = (tensor: OnnxTensor): string => {
    tensors.push(tensor);
    return tensor.name;
  };
  const renamed = (name: string, member: number): string => (name === '' || inputs.has(name) ? name : `${prefixOf(member)}${name}`);
  models.forEach((model, member) => {
    for (const tensor of model.tensors) constant({ ...tensor, name: renamed(tensor.name, member) });
    for (const each of model.nodes) nodes.push({ ...each, inputs: each.inputs.map((name) => renamed(name, member)), outputs: each.outputs.map((name) => renamed(name, member)) });
  });
  const average = (port: string, weighted: readonly string[]): void => {
    weighted.slice(1).reduce((sum, next, k) => node('Add', [sum, next], k === weighted.length - 2 ? port : `/${port}Sum${k}`), weighted[0]!);
  };
  const weights = parts.map(({ weight }, member) => constant({ name: weightName(member), type: 'float32', shape: [], data: bytesOf(Float32Array.of(weight)) }));
  average(
    ports.scores,
    parts.map(({ order }, member) => {
      const own = renamed(ports.scores, member);
      const isOrdered = order.every((from, to) => from === to);
      const scores = isOrdered ? own : node('Gather', [own, constant({ name: orderName(member), type: 'int32', shape: [order.length], data: bytesOf(Int32Array.from(order)) })], `/ordered${member}`, { axis: 1 });
      return node('Mul', [scores, weights[member]!], `/weighted${member}`);
    }),
  );
  const isJoint = models[0]!.outputs.some(({ name }) => name === ports.value);
  if (isJoint) average(ports.value, weights.map((weight, member) => node('Mul', [renamed(ports.value, member), weight], `/weightedValue${member}`)));
  node('Concat', models.map((_, member) => renamed(ports.features, member)), ports.features, { axis: 1 });
  const widthOf = (model: OnnxModel, port: string): number => Number(model.outputs.find(({ name }) => name === port)?.shape[1]);
  return encodeOnnx({
    nodes,
    tensors,
    inputs: models[0]!.inputs,
    outputs: [
      { name: ports.scores, type: 'float32', shape: ['batch', widthOf(models[0]!, ports.scores)] },
      { name: ports.features, type: 'float32', shape: ['batch', models.reduce((sum, model) => sum + widthOf(model, ports.features), 0)] },
      ...(isJoint ? [{ name: ports.value, type: 'float32', shape: ['batch', 1] } as const] : []),
    ],
    metadata: new Map(Object.entries(metadata)),
  });
}

/**
 * Reads an ensemble's ONNX file from outside and checks it as `readOnnx` does, member by member. Nothing is computed.
 *
 * @param members architectures of the members, in their order
 * @throws HumanError as `readOnnx`
 */
export function readEnsemble(model: Uint8Array, members: readonly Architecture[], where: string, question: AnsweredQuestion): OnnxModel {
  const read = decodeOnnx(model, where);
  const scores = scoresOf(members[0]!, question);
  const features = members.reduce((sum, architecture) => sum + featuresOf(architecture), 0);
  checkInterface(read, { scores, features, hasValue: question.kind === 'single' && question.value !== undefined, attends: false }, where);
  const own: OnnxTensor[][] = members.map(() => []);
  const small = new Map(members.flatMap((_, member) => [[weightName(member), 4], [orderName(member), 4 * scores]]));
  for (const tensor of read.tensors) {
    const member = /^m(\d+)\/(.+)$/s.exec(tensor.name);
    const tensors = own[Number(member?.[1])];
    if (tensors && member) tensors.push({ ...tensor, name: member[2]! });
    else if (tensor.data.length !== small.get(tensor.name)) throw foreign(where, `the unknown tensor ${tensor.name.slice(0, 100)}`);
  }
  members.forEach((architecture, member) => checkStored({ tensors: own[member]! }, architecture, where));
  return read;
}

const weightName = (member: number): string => `/weight${member}`;
const orderName = (member: number): string => `/order${member}`;

function bytesOf({ buffer }: { readonly buffer: ArrayBufferLike }): Uint8Array {
  return new Uint8Array(buffer);
}
