import { HumanError } from '../errors';
import { weightShapes, type Architecture, type Layer, type Weights, type WeightTensor } from './architecture';
import { decodeOnnx, foreign, type OnnxModel, type OnnxPort, type OnnxTensor } from './onnxFormat';
import { directionsOf, hasSigmoidHead, headOf, operators, ports, storedWeights, transpose, unstoreLstm, type TaskKind } from './onnxWriter';
import { allFinite, dequantizeRows, expand, fromFloat16 } from './quantize';

/**
 * The weights in an ONNX file that `writeOnnx` wrote for this architecture, widened to float32: bit for bit what was written at `float32`, to within rounding otherwise.
 *
 * @param where the file's name for messages
 * @throws HumanError as {@link readOnnx}
 */
export function readOnnxWeights(model: Uint8Array, architecture: Architecture, where = 'model.onnx', kind: TaskKind = 'single'): Weights {
  return weightsOf(readOnnx(model, architecture, where, { kind }), architecture, where);
}

/** What a model answers, as `ModelManifest.task` says it. */
export interface AnsweredQuestion {
  readonly kind: TaskKind;
  /** Present where it gives a number. */
  readonly value?: unknown;
}

/**
 * Reads an ONNX file from outside and checks that it is what `writeOnnx` would write for this architecture: inputs and outputs, operators, and the
 * name, shape, number format of every weight. Nothing is computed.
 *
 * @throws HumanError `model.truncated`, `model.external`, `model.foreign` (see `decodeOnnx`), `model.operator` for an operator that we do not write,
 *   `model.weights` for weights of another architecture, `model.notFinite`
 */
export function readOnnx(model: Uint8Array, architecture: Architecture, where: string, { kind, value }: AnsweredQuestion = { kind: 'single' }): OnnxModel {
  const read = decodeOnnx(model, where);
  checkInterface(read, { scores: scoresOf(architecture, { kind, value }), features: featuresOf(architecture), hasValue: kind === 'single' && value !== undefined, attends: architecture.layers.some(({ type }) => type === 'attention') }, where);
  checkStored(read, architecture, where);
  return read;
}

/** Scores of a text: a label's each, or the number. */
export function scoresOf(architecture: Architecture, { kind, value }: AnsweredQuestion): number {
  const { units } = headOf(architecture);
  return kind === 'single' && value !== undefined ? units - 1 : hasSigmoidHead(architecture, kind) ? 2 : units;
}

/** Numbers of a text's features: what the head reads. */
export function featuresOf(architecture: Architecture): number {
  return weightShapes(architecture).get(`${headOf(architecture).name}/kernel`)![0]!;
}

/** What a graph gives for a text. */
interface GraphOutputs {
  readonly scores: number;
  readonly features: number;
  /** Whether there is a number beside the scores. */
  readonly hasValue: boolean;
  /** Whether there are shares of attention. */
  readonly attends: boolean;
}

/** Throws unless a graph has our inputs and just these outputs, and no operators but ours. */
export function checkInterface(model: OnnxModel, { scores, features, hasValue, attends }: GraphOutputs, where: string): void {
  const expected: readonly [readonly OnnxPort[], string][] = [
    [model.inputs, `${ports.ids} int32 batch,time; ${ports.lengths} int32 batch`],
    [
      model.outputs,
      [
        `${ports.scores} float32 batch,${scores}`,
        `${ports.features} float32 batch,${features}`,
        ...(hasValue ? [`${ports.value} float32 batch,1`] : []),
        ...(attends ? [`${ports.attention} float32 batch,steps`] : []),
      ].join('; '),
    ],
  ];
  for (const [found, wanted] of expected) {
    const described = found.map((port) => `${port.name} ${port.type} ${port.shape.join()}`).join('; ');
    if (described !== wanted) throw foreign(where, `the inputs or outputs "${described.slice(0, 200)}" instead of "${wanted}"`);
  }
  for (const node of model.nodes) {
    if (!operators.has(node.operator))
      throw new HumanError(
        'model.operator',
        '{0} computes with the operator "{1}", which no model of Label Lens uses. Use a model that Label Lens trained or exported.',
        [where, node.operator.slice(0, 100)],
      );
  }
}

/** Throws unless a graph's constants are the weights of that architecture, and a few small ones. */
export function checkStored(model: Pick<OnnxModel, 'tensors'>, architecture: Architecture, where: string): void {
  const tensors = byName(model, where);
  const expected = storedWeights(architecture);
  for (const [name, { shape, form, absent }] of expected) {
    const tensor = tensors.get(name);
    if (!tensor && absent !== undefined) continue;
    const scale = tensors.get(`${name}/scale`);
    const formats: readonly string[] = form === 'float32' ? ['float32'] : ['float32', 'float16', 'int8'];
    const scaleShape = form === 'byRow' ? [...shape.slice(0, -1), 1] : [];
    const scaled = tensor?.type !== 'int8' || (scale?.type === 'float32' && scale.shape.join() === scaleShape.join());
    if (!tensor || tensor.shape.join() !== shape.join() || !formats.includes(tensor.type) || !scaled)
      throw new HumanError(
        'model.weights',
        '{0} does not fit its model.json: {1} should be an array of {2} numbers. The files belong to different models; copy the model again as a whole.',
        [where, name, shape.join(' × ')],
      );
    // what 8-bit numbers become has to be finite too
    const most = form === 'companded' ? 128 ** 2 : 128;
    const finite = tensor.type === 'int8' ? allFinite(toFloats(scale!).map((value) => value * most)) : allFinite(toFloats(tensor));
    if (!finite)
      throw new HumanError('model.notFinite', '{0}: the weights {1} are not finite numbers. Copy the model again; if that does not help, train it again with a lower learning rate.', [where, name]);
  }
  // beside the weights there are only a few shapes and scalars; anything large is not ours
  for (const tensor of model.tensors) {
    const owner = tensor.name.replace(/\/scale$/, '');
    if (!expected.has(owner) && tensor.data.length > 64) throw foreign(where, `the unknown tensor ${tensor.name.slice(0, 100)}`);
  }
}

function byName(model: Pick<OnnxModel, 'tensors'>, where: string): Map<string, OnnxTensor> {
  const tensors = new Map(model.tensors.map((tensor) => [tensor.name, tensor]));
  if (tensors.size !== model.tensors.length) throw foreign(where, 'two tensors of one name');
  return tensors;
}

/** The weights of a file that {@link readOnnx} has checked. @param wanted which layers' weights; default: all */
export function weightsOf(model: OnnxModel, architecture: Architecture, where: string, wanted: (layer: Layer) => boolean = () => true): Weights {
  const tensors = byName(model, where);
  const shapes = weightShapes(architecture);
  const arrays = storedWeights(architecture);
  const stored = (name: string): Float32Array => {
    const tensor = tensors.get(name);
    const { shape, form, absent = 0 } = arrays.get(name)!;
    if (!tensor) return new Float32Array(shape.reduce((product, dimension) => product * dimension, 1)).fill(absent);
    if (tensor.type !== 'int8') return toFloats(tensor);
    const values = new Int8Array(tensor.data.buffer, tensor.data.byteOffset, tensor.data.length);
    const scales = toFloats(tensors.get(`${name}/scale`)!);
    return form === 'companded' ? expand({ values, scale: scales[0]! }) : dequantizeRows({ values, scales });
  };
  const weights: Record<string, WeightTensor> = {};
  const put = (name: string, data: Float32Array): void => {
    weights[name] = { shape: shapes.get(name)!, data };
  };
  for (const layer of architecture.layers.filter(wanted)) {
    const { name } = layer;
    switch (layer.type) {
      case 'embedding':
        put(`${name}/table`, stored(`${name}/table`));
        break;
      case 'lstm': {
        const directions = directionsOf(layer);
        const parts = unstoreLstm({ W: stored(`${name}/W`), R: stored(`${name}/R`), B: stored(`${name}/B`) }, directions.length, shapes.get(`${name}/forward/kernel`)![0]!, layer.units);
        directions.forEach((direction, index) => {
          put(`${name}/${direction}/kernel`, parts[index]!.kernel);
          put(`${name}/${direction}/recurrent`, parts[index]!.recurrent);
          put(`${name}/${direction}/bias`, parts[index]!.bias);
        });
        break;
      }
      case 'dense':
      case 'conv':
      case 'attention': {
        const [rows, columns] = shapes.get(`${name}/kernel`)!;
        put(`${name}/kernel`, transpose(stored(`${name}/W`), columns!, rows!));
        put(`${name}/bias`, stored(`${name}/B`));
        if (layer.type === 'attention') put(`${name}/context`, stored(`${name}/context`));
        break;
      }
      case 'ngrams': {
        const [buckets, width] = shapes.get(`${name}/table`)!;
        put(`${name}/table`, widened(stored(`${name}/table`), headOf(architecture).units, buckets!, width!));
        put(`${name}/sizes`, stored(`${name}/sizes`));
        break;
      }
      case 'pool':
      case 'maxPool':
      case 'dropout':
        break;
    }
  }
  return weights;
}

/** A matrix of a file, widened to float32 row by row: what few rows are read of takes no more memory than in the file. */
export interface StoredRows {
  /** Numbers of a row. */
  readonly width: number;
  /** Adds a row times `factor` to `target`, from `at` on. */
  addRow(row: number, factor: number, target: Float32Array | Float64Array, at?: number): void;
}

/** The rows of a matrix of a file that {@link readOnnx} has checked. @param name as in {@link storedWeights} */
export function rowsOf(model: OnnxModel, architecture: Architecture, name: string, where: string): StoredRows {
  const tensors = byName(model, where);
  const { shape, form, absent = 0 } = storedWeights(architecture).get(name) ?? {};
  const width = shape?.[1];
  if (!shape || width === undefined) throw new Error(`There is no matrix ${name}.`);
  const tensor = tensors.get(name);
  if (!tensor) return { width, addRow: (_, factor, target, at = 0) => target.subarray(at, at + width).forEach((value, j) => (target[at + j] = value + factor * absent)) };
  const bytes = tensor.data.length / (shape[0] ?? 1);
  const scales = tensor.type === 'int8' ? toFloats(tensors.get(`${name}/scale`)!) : undefined;
  const values = (row: number): Float32Array => {
    const data = tensor.data.subarray(row * bytes, (row + 1) * bytes);
    if (!scales) return toFloats({ ...tensor, data });
    const integers = new Int8Array(data.buffer, data.byteOffset, width);
    return form === 'companded' ? expand({ values: integers, scale: scales[0]! }) : dequantizeRows({ values: integers, scales: scales.subarray(row, row + 1) });
  };
  return { width, addRow: (row, factor, target, at = 0) => values(row).forEach((value, j) => (target[at + j]! += factor * value)) };
}

/** A matrix with columns of zeros after its own. */
function widened(data: Float32Array, columns: number, rows: number, width: number): Float32Array {
  const wide = new Float32Array(rows * width);
  for (let row = 0; row < rows; row++) wide.set(data.subarray(row * columns, (row + 1) * columns), row * width);
  return wide;
}

/** A float tensor's numbers, copied: the bytes of a file need not lie on a multiple of four. */
function toFloats(tensor: OnnxTensor): Float32Array {
  const bytes = tensor.data.slice();
  return tensor.type === 'float16' ? fromFloat16(new Uint16Array(bytes.buffer)) : new Float32Array(bytes.buffer);
}
