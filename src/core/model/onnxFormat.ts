import { HumanError } from '../errors';
import { ProtobufError, ProtoWriter, readFields, type ProtoField } from './protobuf';

/**
 * The part of the ONNX file format (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto) that our models use, as plain data, with its encoder and its
 * bounds-checked decoder. What is not listed here (subgraphs, functions, external data, sparse or string tensors …) is neither written nor accepted.
 */

/** ONNX operator set and file version that we write: opset 17, IR 8. Every ONNX Runtime from 1.12 on reads them. */
export const opsetVersion = 17;
export const irVersion = 8;

/** ONNX's numbers for the element types in use (`TensorProto.DataType`). */
export const elementTypes = { float32: 1, int8: 3, int32: 6, int64: 7, float16: 10 } as const;
export type ElementType = keyof typeof elementTypes;

const elementSizes: Readonly<Record<ElementType, number>> = { float32: 4, int8: 1, int32: 4, int64: 8, float16: 2 };

/** A constant of the graph. */
export interface OnnxTensor {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly number[];
  /** Row-major, little-endian. */
  readonly data: Uint8Array;
}

export type OnnxAttribute = number | string | readonly number[];

export interface OnnxNode {
  readonly operator: string;
  /** Value names; '' stands for an optional input that is left out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: ReadonlyMap<string, OnnxAttribute>;
}

/** An input or output of the graph; a dimension is a number or, if dynamic, a name. */
export interface OnnxPort {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly (number | string)[];
}

export interface OnnxModel {
  readonly nodes: readonly OnnxNode[];
  readonly tensors: readonly OnnxTensor[];
  readonly inputs: readonly OnnxPort[];
  readonly outputs: readonly OnnxPort[];
  /** Free text by key, shown by model viewers. */
  readonly metadata: ReadonlyMap<string, string>;
}

// ONNX's AttributeProto.AttributeType
const attributeInt = 2;
const attributeString = 3;
const attributeInts = 7;

/** The file's bytes. */
export function encodeOnnx(model: OnnxModel): Uint8Array {
  const graph = new ProtoWriter();
  for (const node of model.nodes) graph.message(1, encodeNode(node));
  graph.string(2, 'label-lens');
  for (const tensor of model.tensors) graph.message(5, encodeTensor(tensor));
  for (const port of model.inputs) graph.message(11, encodePort(port));
  for (const port of model.outputs) graph.message(12, encodePort(port));
  const file = new ProtoWriter().integer(1, irVersion).string(2, 'label-lens').message(7, graph);
  file.message(8, new ProtoWriter().string(1, '').integer(2, opsetVersion));
  for (const [key, value] of model.metadata) file.message(14, new ProtoWriter().string(1, key).string(2, value));
  return file.finish();
}

function encodeNode(node: OnnxNode): ProtoWriter {
  const message = new ProtoWriter();
  for (const name of node.inputs) message.string(1, name);
  for (const name of node.outputs) message.string(2, name);
  message.string(3, node.outputs.find((name) => name !== '') ?? '').string(4, node.operator);
  for (const [name, value] of node.attributes) {
    const attribute = new ProtoWriter().string(1, name);
    if (typeof value === 'number') attribute.integer(3, value).integer(20, attributeInt);
    else if (typeof value === 'string') attribute.string(4, value).integer(20, attributeString);
    else {
      for (const item of value) attribute.integer(8, item);
      attribute.integer(20, attributeInts);
    }
    message.message(5, attribute);
  }
  return message;
}

function encodeTensor(tensor: OnnxTensor): ProtoWriter {
  const message = new ProtoWriter();
  for (const size of tensor.shape) message.integer(1, size);
  return message.integer(2, elementTypes[tensor.type]).string(8, tensor.name).bytes(9, tensor.data);
}

function encodePort(port: OnnxPort): ProtoWriter {
  const shape = new ProtoWriter();
  for (const size of port.shape) shape.message(1, typeof size === 'string' ? new ProtoWriter().string(2, size) : new ProtoWriter().integer(1, size));
  return new ProtoWriter().string(1, port.name).message(2, new ProtoWriter().message(1, new ProtoWriter().integer(1, elementTypes[port.type]).message(2, shape)));
}

/** More than any of our graphs has; they keep a hostile file from making us build millions of objects. */
const limits = { nodes: 10_000, tensors: 10_000, listed: 64, metadata: 100, name: 1_000, metadataValue: 4_000_000 };

/**
 * Reads a file back into data; tensors are views into `bytes`.
 *
 * @param where the file's name for messages
 * @throws HumanError `model.truncated` if the bytes are no protobuf message, `model.external` if weights are outside the file, `model.foreign` if it holds anything that we do not write
 */
export function decodeOnnx(bytes: Uint8Array, where: string): OnnxModel {
  try {
    return decodeModel(bytes, where);
  } catch (error) {
    if (error instanceof ProtobufError)
      throw new HumanError('model.truncated', '{0} is damaged or cut off: it does not read as an ONNX file. Copy or export the model again.', [where], { cause: error });
    throw error;
  }
}

function decodeModel(bytes: Uint8Array, where: string): OnnxModel {
  const metadata = new Map<string, string>();
  let graph: Uint8Array | undefined;
  let ir: number | undefined;
  let opset: number | undefined;
  for (const field of readFields(bytes)) {
    switch (field.number) {
      case 1:
        ir = asInteger(field);
        break;
      case 2:
        asText(field, where);
        break;
      case 7:
        if (graph) throw foreign(where, 'a second graph');
        graph = asBytes(field);
        break;
      case 8: {
        if (opset !== undefined) throw foreign(where, 'operators of another domain');
        for (const part of readFields(asBytes(field))) {
          if (part.number === 1 && asText(part, where) === '') continue;
          if (part.number !== 2) throw foreign(where, 'operators of another domain');
          opset = asInteger(part);
        }
        break;
      }
      case 14: {
        let key = '';
        let value = '';
        for (const part of readFields(asBytes(field))) {
          if (part.number === 1) key = asText(part, where);
          else if (part.number === 2) value = asText(part, where, limits.metadataValue);
          else throw foreign(where, `field ${part.number} of a metadata entry`);
        }
        metadata.set(key, value);
        if (metadata.size > limits.metadata) throw foreign(where, 'too many metadata entries');
        break;
      }
      default:
        throw foreign(where, `field ${field.number} of the model`);
    }
  }
  if (!graph) throw foreign(where, 'no graph');
  if (ir !== irVersion || opset !== opsetVersion) throw foreign(where, `file version ${ir ?? 'none'} with operator set ${opset ?? 'none'}`);
  return { ...decodeGraph(graph, where), metadata };
}

function decodeGraph(bytes: Uint8Array, where: string): Omit<OnnxModel, 'metadata'> {
  const nodes: OnnxNode[] = [];
  const tensors: OnnxTensor[] = [];
  const inputs: OnnxPort[] = [];
  const outputs: OnnxPort[] = [];
  for (const field of readFields(bytes)) {
    switch (field.number) {
      case 1:
        if (nodes.push(decodeNode(asBytes(field), where)) > limits.nodes) throw foreign(where, 'too many nodes');
        break;
      case 2:
        asText(field, where);
        break;
      case 5:
        if (tensors.push(decodeTensor(asBytes(field), where)) > limits.tensors) throw foreign(where, 'too many tensors');
        break;
      case 11:
      case 12: {
        const list = field.number === 11 ? inputs : outputs;
        if (list.push(decodePort(asBytes(field), where)) > limits.listed) throw foreign(where, 'too many inputs or outputs');
        break;
      }
      default:
        throw foreign(where, `field ${field.number} of the graph`);
    }
  }
  return { nodes, tensors, inputs, outputs };
}

function decodeNode(bytes: Uint8Array, where: string): OnnxNode {
  const inputs: string[] = [];
  const outputs: string[] = [];
  const attributes = new Map<string, OnnxAttribute>();
  let operator = '';
  for (const field of readFields(bytes)) {
    switch (field.number) {
      case 1:
      case 2: {
        const list = field.number === 1 ? inputs : outputs;
        if (list.push(asText(field, where)) > limits.listed) throw foreign(where, 'a node with too many inputs or outputs');
        break;
      }
      case 3:
        asText(field, where);
        break;
      case 4:
        operator = asText(field, where);
        break;
      case 5: {
        const [name, value] = decodeAttribute(asBytes(field), where);
        attributes.set(name, value);
        if (attributes.size > limits.listed) throw foreign(where, 'a node with too many attributes');
        break;
      }
      default:
        throw foreign(where, `field ${field.number} of a node`);
    }
  }
  return { operator, inputs, outputs, attributes };
}

function decodeAttribute(bytes: Uint8Array, where: string): [string, OnnxAttribute] {
  const integers: number[] = [];
  let name = '';
  let single: number | undefined;
  let text: string | undefined;
  let type = 0;
  for (const field of readFields(bytes)) {
    switch (field.number) {
      case 1:
        name = asText(field, where);
        break;
      case 3:
        single = asInteger(field);
        break;
      case 4:
        text = asText(field, where);
        break;
      case 8:
        if (integers.push(asInteger(field)) > limits.listed) throw foreign(where, 'an attribute with too many numbers');
        break;
      case 20:
        type = asInteger(field);
        break;
      default:
        throw foreign(where, `an attribute of an unknown kind (field ${field.number})`);
    }
  }
  if (type === attributeInt && single !== undefined) return [name, single];
  if (type === attributeString && text !== undefined) return [name, text];
  if (type === attributeInts) return [name, integers];
  throw foreign(where, `an attribute of an unknown kind (type ${type})`);
}

function decodeTensor(bytes: Uint8Array, where: string): OnnxTensor {
  const shape: number[] = [];
  let name = '';
  let type: ElementType | undefined;
  let data: Uint8Array | undefined;
  for (const field of readFields(bytes)) {
    switch (field.number) {
      case 1:
        if (shape.push(asInteger(field)) > 8) throw foreign(where, 'a tensor of more than eight dimensions');
        break;
      case 2:
        type = elementTypeOf(asInteger(field), where);
        break;
      case 8:
        name = asText(field, where);
        break;
      case 9:
        data = asBytes(field);
        break;
      case 13:
      case 14:
        throw new HumanError(
          'model.external',
          '{0} keeps weights in another file, which Label Lens does not open. Export the model again with its weights inside.',
          [where],
        );
      default:
        throw foreign(where, `field ${field.number} of a tensor`);
    }
  }
  if (type === undefined || data === undefined) throw foreign(where, `the tensor ${name} without its numbers`);
  // product of up to eight safe integers: inexact at worst, and then unequal to any real length
  const size = shape.reduce((product, dimension) => (dimension < 0 ? NaN : product * dimension), elementSizes[type]);
  if (size !== data.length) throw foreign(where, `the tensor ${name} whose numbers do not fill its shape`);
  return { name, type, shape, data };
}

function decodePort(bytes: Uint8Array, where: string): OnnxPort {
  const shape: (number | string)[] = [];
  let name = '';
  let type: ElementType | undefined;
  const unexpected = (): HumanError => foreign(where, `an input or output ${name} that is no tensor`);
  for (const field of readFields(bytes)) {
    if (field.number === 1) name = asText(field, where);
    else if (field.number === 2) {
      for (const kind of readFields(asBytes(field))) {
        if (kind.number !== 1) throw unexpected();
        for (const part of readFields(asBytes(kind))) {
          if (part.number === 1) type = elementTypeOf(asInteger(part), where);
          else if (part.number === 2) {
            for (const dimension of readFields(asBytes(part))) {
              if (dimension.number !== 1 || shape.length >= 8) throw unexpected();
              for (const size of readFields(asBytes(dimension))) {
                if (size.number === 1) shape.push(asInteger(size));
                else if (size.number === 2) shape.push(asText(size, where));
                else throw unexpected();
              }
            }
          } else throw unexpected();
        }
      }
    } else throw unexpected();
  }
  if (type === undefined) throw unexpected();
  return { name, type, shape };
}

function asInteger(field: ProtoField): number {
  if (typeof field.value !== 'number') throw new ProtobufError('A number was expected.');
  return field.value;
}

function asBytes(field: ProtoField): Uint8Array {
  if (typeof field.value === 'number') throw new ProtobufError('Bytes were expected.');
  return field.value;
}

function asText(field: ProtoField, where: string, limit: number = limits.name): string {
  const bytes = asBytes(field);
  if (bytes.length > limit) throw foreign(where, 'a name of absurd length');
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw new ProtobufError('A text is not UTF-8.', { cause: error });
  }
}

function elementTypeOf(number: number, where: string): ElementType {
  for (const [name, value] of Object.entries(elementTypes)) if (value === number) return name as ElementType;
  throw foreign(where, `numbers of an unknown type (${number})`);
}

/** What a person is told about a file that reads as ONNX but is not one of ours; `what` is a technical detail. */
export function foreign(where: string, what: string): HumanError {
  return new HumanError('model.foreign', '{0} is not a model that Label Lens wrote ({1}). Use a model that Label Lens trained or exported.', [where, what]);
}
