import { HumanError } from '../errors';
import type { EpochReport } from '../protocol/trainer';
import { weightShapes, type Architecture, type Layer } from './architecture';
import { ensembleArchitecture, ensembleLimits } from './ensemble';
import { JsonObject } from './jsonChecks';
import { ngramLimits } from './ngrams';
import { hasSigmoidHead, precisions, taskKinds, type Precision, type TaskKind } from './onnxWriter';

/** Version of the bundle format that this code writes, and the newest that it reads. */
export const formatVersion = 1;

/** A label as a model knows it. */
export interface ModelLabel {
  /** What predictions, columns and the journal say; never changes. */
  readonly id: string;
  /** For display, where it differs from the id. */
  readonly name?: string;
}

/** The number that a model gives. */
export interface ModelValue {
  /** What it is called: the column that it was learned from. */
  readonly name: string;
  /** Mean and standard deviation, above 0, of the training rows, in its own unit. */
  readonly mean: number;
  readonly deviation: number;
}

/** model.json: what a model is, where it came from, how good it is. */
export interface ModelManifest {
  readonly formatVersion: number;
  readonly name: string;
  readonly version: string;
  /** `name@version` of the model that training started from. */
  readonly parent?: string;
  readonly description?: string;
  readonly task: {
    readonly kind: TaskKind;
    /** In the order of the model's scores. None for `number`. */
    readonly labels: readonly ModelLabel[];
    /** Decision threshold in 0..1: of two labels of kind `single` the second is chosen from that score on; for `multi` each label that has none of its own in {@link thresholds}. Absent: 0.5. */
    readonly threshold?: number;
    /** For `multi`: decision thresholds in 0..1, one for each label. */
    readonly thresholds?: readonly number[];
    /** The number of `number`, and of a joint model, which is of kind `single` and gives it beside the label. model.onnx gives it in its own unit: mean + deviation × what the head gives. */
    readonly value?: ModelValue;
  };
  /** Of an ensemble: without layers, which its members have. */
  readonly architecture: Architecture;
  /** Present if the scores are the weighted average of several models'. */
  readonly ensemble?: {
    readonly members: readonly EnsembleMember[];
  };
  readonly tokenizer: {
    /** Tokens that are read of a text. */
    readonly maxTokens: number;
    /** What is kept of a longer text: its beginning and its end. */
    readonly truncation: 'head+tail';
    /** SHA-256 of tokenizer.json, hexadecimal. */
    readonly sha256: string;
  };
  /** What the model was trained on: rows, file, hash, licence … */
  readonly data: Readonly<Record<string, string | number>>;
  readonly seed: number;
  /** How it was trained: numbers, and names of choices. */
  readonly hyperparameters: Readonly<Record<string, number | string>>;
  /** How training went. A loss that was not finite is NaN here and null in the file. */
  readonly epochs: readonly EpochReport[];
  /** Results on held-out rows by the names of the report: rows, accuracy, macroF1, ece, loss … */
  readonly metrics: Readonly<Record<string, number>>;
  /** What logits are divided by before they become scores; fitted on held-out rows. */
  readonly temperature: number;
  /** How model.onnx stores its matrices. */
  readonly precision: Precision;
  /** SHA-256 of model.onnx, hexadecimal. */
  readonly sha256: string;
}

/** A model in an ensemble, as it was by itself. */
export interface EnsembleMember {
  readonly name: string;
  readonly version: string;
  /** What its scores count, 0..1; all together 1. */
  readonly weight: number;
  readonly temperature: number;
  readonly precision: Precision;
  readonly architecture: Architecture;
}

/** Whether a model has just these labels, in any order, of which a text has one, or as many as `kind` says. */
export function hasLabels({ task }: Pick<ModelManifest, 'task'>, labels: readonly string[], kind: TaskKind = 'single'): boolean {
  return task.kind === kind && task.labels.length === labels.length && task.labels.every(({ id }) => labels.includes(id));
}

/** @throws HumanError `training.ensemble` for a model that training cannot start from */
export function checkBase({ name, ensemble }: Pick<ModelManifest, 'name' | 'ensemble'>): void {
  if (ensemble)
    throw new HumanError('training.ensemble', 'The model {0} is an ensemble of {1}, and training goes on from one network. Start from one of these models instead, and make a new ensemble afterwards.', [
      name,
      ensemble.members.map((member) => `${member.name} ${member.version}`).join(', '),
    ]);
}

/** Upper bounds of what a model.json may say; they keep a hostile one from making us reserve absurd memory. */
export const manifestLimits = {
  /** Bytes of the file. */
  bytes: 1_000_000,
  labels: 10_000,
  /** UTF-16 units of a label's id. */
  labelLength: 1_000,
  layers: 64,
  /** Rows of an embedding table. */
  vocabulary: 1_000_000,
  /** Width of any layer. */
  units: 16_384,
  /** Steps that a convolution or a window of pooling sees at once. */
  window: 64,
  /** Numbers in all matrices together. */
  weights: 64_000_000,
  maxTokens: 65_536,
  /** Magnitude of a number's mean and deviation, and one over the smallest deviation. */
  value: 1e30,
} as const;

/**
 * Reads a model.json, which may come from anywhere. Fields that this version does not know are left out.
 *
 * @param where the file's name for messages
 * @throws HumanError `json.…` (see {@link JsonObject}; they name the field), `manifest.version`, `manifest.newer`, `manifest.architecture`, `manifest.size`, `manifest.labels`, `manifest.weights`
 */
export function parseManifest(bytes: Uint8Array, where: string): ModelManifest {
  const file = JsonObject.parse(bytes, where, manifestLimits.bytes);
  if (!file.has('formatVersion')) throw new HumanError('manifest.version', '{0} does not say its format version, so it is no model of Label Lens. Choose another folder.', [where]);
  const version = file.integer('formatVersion', 1, 1_000_000);
  if (version > formatVersion)
    throw new HumanError('manifest.newer', '{0} was written by a newer Label Lens: its format is {1}, and this version reads up to {2}. Update Label Lens.', [where, version, formatVersion]);

  const parent = file.optionalText('parent', 400);
  const description = file.optionalText('description', 20_000);
  const task = file.object('task');
  const kind = task.oneOf('kind', taskKinds);
  const labels = task.objects('labels', kind === 'number' ? 0 : kind === 'multi' ? 1 : 2, kind === 'number' ? 0 : manifestLimits.labels).map((label): ModelLabel => {
    const name = label.optionalText('name', 200);
    return { id: label.text('id', manifestLimits.labelLength), ...(name === undefined ? {} : { name }) };
  });
  task.distinct('labels', labels.map((label) => label.id));
  const decisions = decisionsOf(task, kind, labels.length);
  const value = kind !== 'multi' && task.has('value') ? valueOf(task.object('value')) : undefined;
  const members = file.has('ensemble') ? parseMembers(file.object('ensemble'), where) : undefined;
  const architecture = members ? ensembleArchitecture : parseArchitecture(file.object('architecture'), where);
  const scores = kind === 'number' ? 1 : labels.length + (value ? 1 : 0);
  for (const network of members?.map((member) => member.architecture) ?? [architecture]) {
    const head = network.layers.at(-1);
    const given = head?.type !== 'dense' ? 0 : hasSigmoidHead(network, kind) ? 2 : head.units;
    if (given !== scores)
      throw new HumanError(
        'manifest.labels',
        '{0}: the model gives {1} scores for {2} labels. The file was changed by hand or belongs to another model; get the model again from where it came from.',
        [where, given, scores],
      );
  }
  const tokenizer = file.object('tokenizer');
  return {
    formatVersion: version,
    name: file.text('name', 200),
    version: file.text('version', 100),
    ...(parent === undefined ? {} : { parent }),
    ...(description === undefined ? {} : { description }),
    task: { kind, labels, ...decisions, ...(value ? { value } : {}) },
    architecture,
    ...(members ? { ensemble: { members } } : {}),
    tokenizer: { maxTokens: tokenizer.integer('maxTokens', 1, manifestLimits.maxTokens), truncation: tokenizer.oneOf('truncation', ['head+tail']), sha256: hash(tokenizer, 'sha256') },
    data: file.facts('data', 100, 2000),
    seed: file.integer('seed', 0, 4_294_967_295),
    hyperparameters: file.facts('hyperparameters', 100, 100),
    epochs: file.objects('epochs', 0, 10_000).map((epoch) => ({
      trainLoss: lossOf(epoch, 'trainLoss'),
      validLoss: lossOf(epoch, 'validLoss'),
      validAccuracy: lossOf(epoch, 'validAccuracy'),
      ...(epoch.has('validRmse') ? { validRmse: lossOf(epoch, 'validRmse') } : {}),
      seconds: epoch.number('seconds', 0, Number.MAX_VALUE),
    })),
    metrics: file.numbers('metrics', 100),
    temperature: file.number('temperature', 1e-3, 1e3),
    precision: file.oneOf('precision', precisions),
    sha256: hash(file, 'sha256'),
  };
}

/** The file's bytes, laid out for a reader. */
export function formatManifest(manifest: ModelManifest): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(manifest, null, 2)}\n`);
}

/** Thresholds, where they mean something. */
function decisionsOf(task: JsonObject, kind: TaskKind, labels: number): Pick<ModelManifest['task'], 'threshold' | 'thresholds'> {
  const hasOne = kind === 'multi' || (kind === 'single' && labels === 2);
  return {
    ...(hasOne && task.has('threshold') ? { threshold: task.number('threshold', 0, 1) } : {}),
    ...(kind === 'multi' && task.has('thresholds') ? { thresholds: task.numberList('thresholds', labels, 0, 1) } : {}),
  };
}

function valueOf(value: JsonObject): ModelValue {
  const { value: most } = manifestLimits;
  return { name: value.text('name', 200), mean: value.number('mean', -most, most), deviation: value.number('deviation', 1 / most, most) };
}

function parseMembers(ensemble: JsonObject, where: string): EnsembleMember[] {
  const members = ensemble.objects('members', ensembleLimits.fewest, ensembleLimits.most).map(
    (member): EnsembleMember => ({
      name: member.text('name', 200),
      version: member.text('version', 100),
      weight: member.number('weight', 0, 1),
      temperature: member.number('temperature', 1e-3, 1e3),
      precision: member.oneOf('precision', precisions),
      architecture: parseArchitecture(member.object('architecture'), where),
    }),
  );
  const sum = members.reduce((total, { weight }) => total + weight, 0);
  if (Math.abs(sum - 1) > 1e-6)
    throw new HumanError('manifest.weights', '{0}: the weights of the ensemble’s members add up to {1} instead of 1. The file was changed by hand; get the model again from where it came from.', [where, sum]);
  return members;
}

function parseArchitecture(value: JsonObject, where: string): Architecture {
  const layers = value.objects('layers', 2, manifestLimits.layers).map(parseLayer);
  const architecture: Architecture = { preset: value.text('preset', 100), layers };
  value.distinct('layers', layers.map((layer) => layer.name));
  let shapes: Map<string, readonly number[]>;
  try {
    shapes = weightShapes(architecture);
  } catch (error) {
    throw new HumanError('manifest.architecture', '{0}: the layers of the model do not fit together. {1} Get the model again from where it came from.', [where, error instanceof Error ? error.message : ''], {
      cause: error,
    });
  }
  let weights = 0;
  for (const shape of shapes.values()) weights += shape.reduce((product, size) => product * size, 1);
  if (weights > manifestLimits.weights)
    throw new HumanError('manifest.size', '{0}: the layers of the model have {1} weights, more than the {2} that Label Lens opens. Choose a smaller model.', [where, weights, manifestLimits.weights]);
  return architecture;
}

function parseLayer(layer: JsonObject): Layer {
  // names of values in the ONNX graph are built from it
  const name = layer.pattern('name', 64, /^[A-Za-z][\w.-]*$/, 'lstm1');
  const units = (field: string): number => layer.integer(field, 1, manifestLimits.units);
  const rate = (field: string): number => layer.number(field, 0, 0.999);
  const type = layer.oneOf('type', ['embedding', 'lstm', 'conv', 'maxPool', 'pool', 'attention', 'dense', 'dropout', 'ngrams']);
  switch (type) {
    case 'embedding':
      return { type, name, vocabularySize: layer.integer('vocabularySize', 2, manifestLimits.vocabulary), size: units('size') };
    case 'lstm':
      return { type, name, units: units('units'), bidirectional: layer.boolean('bidirectional'), ...(layer.has('recurrentDropout') ? { recurrentDropout: rate('recurrentDropout') } : {}) };
    case 'conv':
      return { type, name, filters: units('filters'), kernelSize: layer.integer('kernelSize', 1, manifestLimits.window), activation: layer.oneOf('activation', ['linear', 'relu']) };
    case 'maxPool':
      return { type, name, size: layer.integer('size', 1, manifestLimits.window) };
    case 'attention':
      return { type, name, units: units('units') };
    case 'pool':
      return { type, name, methods: layer.choices('methods', ['max', 'mean', 'last']) };
    case 'dense':
      return { type, name, units: units('units'), activation: layer.oneOf('activation', ['linear', 'relu', 'tanh']) };
    case 'dropout':
      return { type, name, rate: rate('rate'), ...(layer.has('over') ? { over: layer.oneOf('over', ['values', 'tokens']) } : {}) };
    case 'ngrams':
      return { type, name, buckets: layer.integer('buckets', ngramLimits.buckets.minimum, ngramLimits.buckets.maximum), longest: layer.integer('longest', 1, ngramLimits.longest) };
  }
}

function hash(object: JsonObject, name: string): string {
  return object.pattern(name, 64, /^[0-9a-f]{64}$/, 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
}

/** JSON has no NaN: a loss that was not finite is null. */
function lossOf(epoch: JsonObject, name: string): number {
  return epoch.isNull(name) ? NaN : epoch.number(name, -Number.MAX_VALUE, Number.MAX_VALUE);
}
