import { HumanError } from '../errors';
import { decodeOnnx, encodeOnnx, type OnnxTensor } from './onnxFormat';

/*
 * Shipped models that share an encoder: one folder has it all as a plain bundle, the others have a small file in place of model.onnx, from which, with the first model's file, their own is made
 * again, byte by byte, when they are opened. Everywhere else they are models like any other.
 */

/** Name of the small file in a model's folder. */
export const sharedModelFile = 'shared.onnx';

/** Bytes that the small file may have. */
export const sharedModelLimit = 16_000_000;

/** Key in the small file's metadata: the name of the model with the rest. */
const lenderKey = 'shares';

/** Tensors under so many bytes are not worth sharing. */
const leastShared = 1024;

/**
 * The small file for a model: what `lender` has as well is left out.
 *
 * @param name of the folder with the lender
 * @throws Error when nothing is shared: a defect of the recipe
 */
export function shareTensors(model: Uint8Array, lender: Uint8Array, name: string): Uint8Array {
  const whole = decodeOnnx(model, 'model.onnx');
  const lent = byName(decodeOnnx(lender, 'model.onnx').tensors);
  const tensors = whole.tensors.map((tensor) => (tensor.data.length >= leastShared && isSame(tensor, lent.get(tensor.name)) ? { ...tensor, shape: [0], data: new Uint8Array() } : tensor));
  if (tensors.every((tensor, k) => tensor === whole.tensors[k])) throw new Error(`The model shares nothing with ${name}.`);
  return encodeOnnx({ ...whole, tensors, metadata: new Map([...whole.metadata, [lenderKey, name]]) });
}

/** The name of the model that a small file was made for. @throws HumanError `model.truncated`, `model.foreign` */
export function lenderOf(shared: Uint8Array, where: string): string {
  return decodeOnnx(shared, where).metadata.get(lenderKey) ?? '';
}

/**
 * The model that {@link shareTensors} was given, byte by byte.
 *
 * @param where the small file's name for messages
 * @throws HumanError `model.shared` when the lender is not the one, and those of `decodeOnnx`
 */
export function fillTensors(shared: Uint8Array, lender: Uint8Array, where: string): Uint8Array {
  const part = decodeOnnx(shared, where);
  const lent = byName(decodeOnnx(lender, where).tensors);
  const tensors = part.tensors.map((tensor) => {
    if (tensor.data.length > 0) return tensor;
    const whole = lent.get(tensor.name);
    if (whole?.type !== tensor.type) throw new HumanError('model.shared', '{0} needs the weights {1} of another model that came with Label Lens, which has none of that kind. Install Label Lens again.', [where, tensor.name]);
    return whole;
  });
  return encodeOnnx({ ...part, tensors, metadata: new Map([...part.metadata].filter(([key]) => key !== lenderKey)) });
}

const byName = (tensors: readonly OnnxTensor[]): ReadonlyMap<string, OnnxTensor> => new Map(tensors.map((tensor) => [tensor.name, tensor]));

function isSame(tensor: OnnxTensor, other: OnnxTensor | undefined): boolean {
  return other !== undefined && tensor.type === other.type && tensor.shape.join() === other.shape.join() && tensor.data.length === other.data.length && tensor.data.every((byte, k) => byte === other.data[k]);
}
