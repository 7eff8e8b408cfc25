import { HumanError } from '../errors';
import { weightShapes, type Architecture, type AttentionLayer, type ConvLayer, type DenseLayer, type EmbeddingLayer, type LstmLayer, type MaxPoolLayer, type NgramLayer, type PoolLayer, type WeightTensor, type Weights } from './architecture';
import { elementTypes, encodeOnnx, type ElementType, type OnnxAttribute, type OnnxNode, type OnnxTensor } from './onnxFormat';
import { ngramDigit, ngramFactors, ngramLayerOf } from './ngrams';
import { allFinite, compand, quantizeRows, toFloat16 } from './quantize';

/** How the matrices of a model are stored. The model computes in float32 whichever it is; biases are always float32. */
export type Precision = 'float32' | 'float16' | 'int8';
export const precisions: readonly Precision[] = ['float32', 'float16', 'int8'];

/**
 * What `scores` mean: `single`, probabilities of labels of which one applies (softmax); `multi`, a probability for each label by itself (sigmoid);
 * `number`, the value.
 */
export type TaskKind = 'single' | 'multi' | 'number';
export const taskKinds: readonly TaskKind[] = ['single', 'multi', 'number'];

export interface WriteOptions {
  /** One per unit of the last dense layer, in the order of the scores; of no account for `number`. */
  readonly labels: readonly string[];
  /** Default `single`. */
  readonly kind?: TaskKind;
  /** For `number`, and for `single` with a number beside it, which the head's last unit gives: what the standardised number is multiplied by, and what is added, to be in its own unit. Absent for `number`: it is as the head gives it. */
  readonly value?: { readonly mean: number; readonly deviation: number };
  /** Logits are divided by it before the softmax or sigmoid (Guo et al. 2017); above 0. */
  readonly temperature: number;
  readonly precision: Precision;
  /** Further texts for the file's metadata, such as `name` and `version`. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** Names of the graph's inputs and outputs. */
export const ports = { ids: 'input_ids', lengths: 'lengths', scores: 'scores', features: 'features', value: 'value', attention: 'attention' } as const;

/**
 * A model as an ONNX file.
 *
 * Inputs: `input_ids` int32 [batch, time] (what stands at or after a text's length does not matter; ids outside the vocabulary count as `<unk>`)
 * and `lengths` int32 [batch] (0..time). Outputs, float32: `scores` [batch, labels] and `features` [batch, dim], what the last dense layer reads.
 * A joint model, `single` with a number, has the number as `value` [batch, 1] too.
 * With an attention layer there is `attention` [batch, steps] too, the share that each step of its input has in what it gives: zeros outside the text, else 1 in sum; steps are tokens unless windows were pooled before.
 * A row's results do not depend on its padding or on the other rows. A text of no tokens has zeros from the pooling on, so its scores are the biases'.
 *
 * @throws Error when the weights are not those of the architecture: a defect
 * @throws HumanError `model.notFinite` when a weight is not a finite number, as after a training that diverged
 */
export function writeOnnx(architecture: Architecture, weights: Weights, options: WriteOptions): Uint8Array {
  const { labels, kind = 'single', value, temperature, precision } = options;
  checkWeights(architecture, weights);
  if (!(temperature > 0 && temperature < Infinity)) throw new Error(`A temperature of ${temperature} cannot be written.`);

  const graph = new GraphBuilder(precision, weights);
  const texts = writeInputs(graph, architecture);
  /** The texts as the sequence has them: pooling over windows makes them shorter. */
  let steps = texts;
  let state: Sequence | Vector | undefined;
  const head = headOf(architecture);
  for (const layer of architecture.layers) {
    switch (layer.type) {
      case 'embedding':
        state = writeEmbedding(graph, layer, texts);
        break;
      case 'lstm':
        state = writeLstm(graph, layer, steps, asSequence(state));
        break;
      case 'pool':
        state = writePool(graph, layer, steps, asSequence(state));
        break;
      case 'conv':
        state = writeConv(graph, layer, steps, asSequence(state));
        break;
      case 'maxPool':
        [state, steps] = writeMaxPool(graph, layer, steps, asSequence(state));
        break;
      case 'attention':
        state = writeAttention(graph, layer, steps, asSequence(state));
        break;
      case 'dense': {
        const input = asVector(state);
        if (layer === head) graph.node('Identity', [input.value], {}, [ports.features]);
        state = writeDense(graph, layer, input);
        break;
      }
      case 'dropout':
        // identity outside training
        break;
      case 'ngrams':
        // beside the other layers, see below
        break;
    }
  }
  const wide = ngramLayerOf(architecture);
  const given = wide ? writeNgrams(graph, wide, texts, asVector(state)) : asVector(state);
  const logits = hasSigmoidHead(architecture, kind) ? writeLogitPair(graph, given) : given;
  const isJoint = kind === 'single' && value !== undefined;
  const scores = kind === 'number' ? 1 : labels.length;
  if (scores + (isJoint ? 1 : 0) !== logits.width) throw new Error(`${scores} labels for ${logits.width} scores.`);
  if (isJoint) writeNumber(graph, cutColumns(graph, logits, scores, scores + 1, '/number'), value, ports.value);
  if (kind === 'number') writeNumber(graph, logits, value, ports.scores);
  else writeScores(graph, isJoint ? cutColumns(graph, logits, 0, scores, '/labelLogits') : logits, kind, temperature);

  return encodeOnnx({
    nodes: graph.finishedNodes(),
    tensors: graph.tensors,
    inputs: [
      { name: ports.ids, type: 'int32', shape: ['batch', 'time'] },
      { name: ports.lengths, type: 'int32', shape: ['batch'] },
    ],
    outputs: [
      { name: ports.scores, type: 'float32', shape: ['batch', scores] },
      { name: ports.features, type: 'float32', shape: ['batch', weights[`${head.name}/kernel`]!.shape[0]!] },
      ...(isJoint ? [{ name: ports.value, type: 'float32', shape: ['batch', 1] } as const] : []),
      ...(architecture.layers.some(({ type }) => type === 'attention') ? [{ name: ports.attention, type: 'float32', shape: ['batch', 'steps'] } as const] : []),
    ],
    metadata: new Map([['labels', JSON.stringify(labels)], ['kind', kind], ...Object.entries(options.metadata ?? {})]),
  });
}

/** The dense layer that gives the logits: an architecture's last layer. */
export function headOf(architecture: Architecture): DenseLayer {
  const head = architecture.layers.at(-1);
  if (head?.type !== 'dense') throw new Error('An architecture ends with a dense layer that gives the logits.');
  return head;
}

/**
 * Whether the head is one unit that tells two labels apart: its logit z stands for the logits [0, z], so that the scores are [1 − σ(z), σ(z)], and its loss is binary cross entropy.
 * Any head of one unit is, unless it gives a number or the one label of `multi`.
 */
export function hasSigmoidHead(architecture: Architecture, kind: TaskKind): boolean {
  return kind === 'single' && headOf(architecture).units === 1;
}

function checkWeights(architecture: Architecture, weights: Weights): void {
  for (const [name, shape] of weightShapes(architecture)) {
    const tensor = Object.hasOwn(weights, name) ? weights[name] : undefined;
    const size = shape.reduce((product, dimension) => product * dimension, 1);
    if (!tensor || tensor.shape.join() !== shape.join() || tensor.data.length !== size) throw new Error(`The weights lack ${name} [${shape.join(', ')}].`);
    if (!allFinite(tensor.data))
      throw new HumanError(
        'model.notFinite',
        'The model cannot be written because its weights {0} are no longer finite numbers, which happens when training diverges. Train again with a lower learning rate.',
        [name],
      );
  }
}

/**
 * The graph under construction. Values are known by name. Weights stand under `LAYER/NAME` (see {@link storedWeights}), what a layer computes under `LAYER/…`,
 * and what belongs to no layer under `/…`, which no layer's name begins with.
 */
class GraphBuilder {
  readonly tensors: OnnxTensor[] = [];
  private readonly nodes: OnnxNode[] = [];
  private readonly defined = new Set<string>();

  constructor(
    private readonly precision: Precision,
    readonly weights: Weights,
  ) {}

  /** Adds a node and returns the name of its first output. */
  node(operator: string, inputs: readonly string[], attributes: Readonly<Record<string, OnnxAttribute>>, outputs: readonly [string, ...string[]]): string {
    for (const name of outputs) {
      if (this.defined.has(name)) throw new Error(`The value ${name} is defined twice.`);
      this.defined.add(name);
    }
    this.nodes.push({ operator, inputs, outputs, attributes: new Map(Object.entries(attributes)) });
    return outputs[0];
  }

  /** A constant; the same name twice is the same constant. */
  constant(name: string, type: ElementType, shape: readonly number[], values: ArrayBufferView): string {
    if (!this.defined.has(name)) {
      this.defined.add(name);
      this.tensors.push({ name, type, shape, data: new Uint8Array(values.buffer, values.byteOffset, values.byteLength) });
    }
    return name;
  }

  /** The value of that name, which `make` defines the first time that it is asked for. */
  once(name: string, make: (name: string) => string): string {
    return this.defined.has(name) ? name : make(name);
  }

  /** Whole numbers for shapes and axes. */
  integers(name: string, values: readonly number[]): string {
    return this.constant(name, 'int64', [values.length], BigInt64Array.from(values, BigInt));
  }

  /**
   * A matrix of weights at the model's precision, last axis = columns, as a float32 value.
   *
   * Small formats are widened by Cast and Mul of constants, which ONNX Runtime folds once when it loads the model (it does not fold DequantizeLinear by
   * default), so that the LSTM still finds its weights constant and packs them.
   */
  matrix(name: string, shape: readonly number[], data: Float32Array): string {
    switch (this.precision) {
      case 'float32':
        return this.constant(name, 'float32', shape, data);
      case 'float16':
        return this.toFloat(this.constant(name, 'float16', shape, toFloat16(data)), `${name}/float`);
      case 'int8': {
        const [values, scales] = this.quantized(name, shape, data);
        return this.node('Mul', [this.toFloat(values, `${name}/cast`), scales], {}, [`${name}/float`]);
      }
    }
  }

  /**
   * The rows of a matrix that `rows` (a value of integers) lists: shape of `rows` + [columns]. Kept in 8 bits, only the rows in use are widened: the
   * table of a large vocabulary is most of a model, and stays small in memory too.
   *
   * Widened by DequantizeLinear with a scale of 1, because no Cast may be left for each run: in onnxruntime-web it is one function of half a megabyte with all pairs of types in it,
   * and as soon as V8 optimizes it the process is 150 to 250 MB larger (measured; see also `foldCasts` in inference).
   */
  rows(name: string, shape: readonly number[], data: Float32Array, rows: string): string {
    if (this.precision !== 'int8') return this.node('Gather', [this.matrix(name, shape, data), rows], { axis: 0 }, [`${name}/rows`]);
    const [values, scales] = this.quantized(name, shape, data);
    const gatheredScales = this.node('Gather', [scales, rows], { axis: 0 }, [`${name}/gatheredScales`]);
    return this.node('Mul', [this.widenedRows(name, values, rows), gatheredScales], {}, [`${name}/rows`]);
  }

  /** As {@link rows}, of what n-grams have by bucket: in 8 bits it is companded, with one scale for all, since a scale for each row would be larger than the row. */
  bucketRows(name: string, shape: readonly number[], data: Float32Array, rows: string): string {
    if (this.precision !== 'int8') return this.rows(name, shape, data, rows);
    const { values, scale } = compand(data);
    const root = this.widenedRows(name, this.constant(name, 'int8', shape, values), rows);
    const squared = this.node('Mul', [root, this.node('Abs', [root], {}, [`${name}/magnitude`])], {}, [`${name}/squared`]);
    return this.node('Mul', [squared, this.constant(`${name}/scale`, 'float32', [], Float32Array.of(scale))], {}, [`${name}/rows`]);
  }

  private widenedRows(name: string, values: string, rows: string): string {
    const gathered = this.node('Gather', [values, rows], { axis: 0 }, [`${name}/gathered`]);
    return this.node('DequantizeLinear', [gathered, this.constant('/unitScale', 'float32', [], Float32Array.of(1))], {}, [`${name}/cast`]);
  }

  private toFloat(value: string, name: string): string {
    return this.node('Cast', [value], { to: elementTypes.float32 }, [name]);
  }

  /** All nodes; outputs that nobody reads are left out where they cost time (an LSTM's whole sequence). */
  finishedNodes(): OnnxNode[] {
    const read = new Set<string>([ports.scores, ports.features, ports.value, ports.attention, ...this.nodes.flatMap((node) => node.inputs)]);
    return this.nodes.map((node) => (node.operator === 'LSTM' ? { ...node, outputs: node.outputs.map((name) => (read.has(name) ? name : '')) } : node));
  }

  private quantized(name: string, shape: readonly number[], data: Float32Array): [values: string, scales: string] {
    const { values, scales } = quantizeRows(data, shape.at(-1)!);
    return [this.constant(name, 'int8', shape, values), this.constant(`${name}/scale`, 'float32', [...shape.slice(0, -1), 1], scales)];
  }
}

/** What the graph knows of its texts: B texts, T token positions. */
interface Texts {
  /** int32 [T, 1, B], each within the vocabulary. */
  readonly ids: string;
  /** int32 [B], each within 0..T. */
  readonly lengths: string;
  /** bool [T, 1, B, 1]: is the position inside its text. */
  readonly inside: string;
  /** bool [B, 1]: has the text any token. */
  readonly anyToken: string;
}

/**
 * Vectors at token positions, float32 [T, directions, B, width]. Time comes first and directions stay apart because that is how ONNX's LSTM reads and gives them; pooling then
 * moves only its small result.
 */
interface Sequence {
  readonly rank: 'sequence';
  readonly value: string;
  readonly directions: number;
  /** Per direction. */
  readonly width: number;
  /** Are positions outside the texts zero. */
  readonly zeroPadded: boolean;
  /** State of each direction after its last step, [directions, B, width], where an LSTM gave the sequence. */
  readonly last?: string;
}

/** One vector per text, float32 [B, width]. */
interface Vector {
  readonly rank: 'vector';
  readonly value: string;
  readonly width: number;
}

function asSequence(state: Sequence | Vector | undefined): Sequence {
  if (state?.rank !== 'sequence') throw new Error('This layer reads a sequence.');
  return state;
}

function asVector(state: Sequence | Vector | undefined): Vector {
  if (state?.rank !== 'vector') throw new Error('This layer reads a vector.');
  return state;
}

function writeInputs(graph: GraphBuilder, architecture: Architecture): Texts {
  const embedding = architecture.layers.find((layer) => layer.type === 'embedding')!;
  const zero = graph.constant('/zero', 'int32', [], Int32Array.of(0));
  const one = graph.constant('/one', 'int32', [], Int32Array.of(1));

  // an id from a foreign tokenizer becomes <unk> (1) instead of stopping the whole batch
  const notNegative = graph.node('GreaterOrEqual', [ports.ids, zero], {}, ['/notNegative']);
  const small = graph.node('Less', [ports.ids, graph.constant('/vocabularySize', 'int32', [], Int32Array.of(embedding.vocabularySize))], {}, ['/belowVocabularySize']);
  const known = graph.node('And', [notNegative, small], {}, ['/known']);
  const safe = graph.node('Where', [known, ports.ids, one], {}, ['/safeIds']);
  const timeMajor = graph.node('Transpose', [safe], { perm: [1, 0] }, ['/timeMajorIds']);
  const ids = graph.node('Unsqueeze', [timeMajor, graph.integers('/axis1', [1])], {}, ['/ids']);

  const shape = graph.node('Shape', [ports.ids], { start: 1, end: 2 }, ['/timeShape']);
  // T as int32, by counting: a Cast of the shape would be one for each run
  const time = graph.node('ReduceSum', [graph.node('Expand', [one, shape], {}, ['/ones'])], { keepdims: 0 }, ['/time']);
  const lengths = graph.node('Max', [graph.node('Min', [ports.lengths, time], {}, ['/shortLengths']), zero], {}, ['/lengths']);

  const positions = graph.node('Range', [zero, time, one], {}, ['/positions']);
  const column = graph.node('Reshape', [positions, graph.integers('/columnShape', [-1, 1, 1, 1])], {}, ['/positionColumn']);
  const lengthColumn = graph.node('Reshape', [lengths, graph.integers('/lengthColumnShape', [-1, 1])], {}, ['/lengthColumn']);
  const inside = graph.node('Less', [column, lengthColumn], {}, ['/inside']);
  const anyToken = graph.node('Greater', [lengthColumn, zero], {}, ['/anyToken']);
  return { ids, lengths, inside, anyToken };
}

function writeEmbedding(graph: GraphBuilder, layer: EmbeddingLayer, texts: Texts): Sequence {
  const table = graph.weights[`${layer.name}/table`]!;
  return { rank: 'sequence', value: graph.rows(`${layer.name}/table`, table.shape, table.data, texts.ids), directions: 1, width: layer.size, zeroPadded: false };
}

function writeLstm(graph: GraphBuilder, layer: LstmLayer, texts: Texts, input: Sequence): Sequence {
  const { name, units } = layer;
  const directions = directionsOf(layer);
  const stored = storeLstm(directions.map((direction) => lstmPart(graph.weights, `${name}/${direction}`)), input.directions * input.width, units);
  const output = graph.node(
    'LSTM',
    [
      joinDirections(graph, input, `${name}/input`),
      graph.matrix(`${name}/W`, [directions.length, 4 * units, input.directions * input.width], stored.W),
      graph.matrix(`${name}/R`, [directions.length, 4 * units, units], stored.R),
      graph.constant(`${name}/B`, 'float32', [directions.length, 8 * units], stored.B),
      texts.lengths,
    ],
    { hidden_size: units, direction: layer.bidirectional ? 'bidirectional' : 'forward' },
    [`${name}/sequence`, `${name}/last`],
  );
  // ONNX Runtime gives zeros at positions outside the texts
  return { rank: 'sequence', value: output, directions: directions.length, width: units, zeroPadded: true, last: `${name}/last` };
}

/** [T, directions, B, width] → [T, B, directions × width], forward first. */
function joinDirections(graph: GraphBuilder, input: Sequence, name: string): string {
  if (input.directions === 1) return graph.node('Squeeze', [input.value, graph.integers('/axis1', [1])], {}, [name]);
  const moved = graph.node('Transpose', [input.value], { perm: [0, 2, 1, 3] }, [`${name}/moved`]);
  return graph.node('Reshape', [moved, graph.integers('/joinLastShape3', [0, 0, -1])], {}, [name]);
}

/** As {@link joinDirections}, with zeros outside the texts. */
function zeroOutside(graph: GraphBuilder, input: Sequence, steps: Texts, name: string): string {
  const joined = joinDirections(graph, input, `${name}/input`);
  return input.zeroPadded ? joined : graph.node('Mul', [joined, shareColumn(graph, steps)], {}, [`${name}/inside`]);
}

/** bool [T, B, 1]: is the position inside its text. */
function insideColumn(graph: GraphBuilder, { inside }: Texts): string {
  return graph.once(`${inside}Column`, (name) => graph.node('Squeeze', [inside, graph.integers('/axis1', [1])], {}, [name]));
}

/** float32 [T, B, 1]: 1 inside the text, 0 outside. A product with it is one pass, where selecting would be three in ONNX Runtime. */
function shareColumn(graph: GraphBuilder, steps: Texts): string {
  const one = graph.constant('/oneFloat', 'float32', [], Float32Array.of(1));
  const nothing = graph.constant('/nothing', 'float32', [], Float32Array.of(0));
  return graph.once(`${steps.inside}Share`, (name) => graph.node('Where', [insideColumn(graph, steps), one, nothing], {}, [name]));
}

/** Windows side by side, times the kernel as one matrix product for all positions. */
function writeConv(graph: GraphBuilder, { name, filters, kernelSize, activation }: ConvLayer, steps: Texts, input: Sequence): Sequence {
  const x = zeroOutside(graph, input, steps, name);
  const before = Math.floor((kernelSize - 1) / 2);
  const after = kernelSize - 1 - before;
  const padded = kernelSize === 1 ? x : graph.node('Pad', [x, graph.integers(`${name}/pads`, [before, 0, 0, after, 0, 0])], {}, [`${name}/padded`]);
  const taps = Array.from({ length: kernelSize }, (_, j) => sliceTime(graph, padded, j, kernelSize - 1 - j, 1, `${name}/step${j}`));
  const windows = kernelSize === 1 ? padded : graph.node('Concat', taps, { axis: 2 }, [`${name}/windows`]);
  const kernel = graph.weights[`${name}/kernel`]!;
  const product = multiply(graph, windows, `${name}/W`, kernel, `${name}/product`);
  const sum = graph.node('Add', [product, graph.constant(`${name}/B`, 'float32', [filters], graph.weights[`${name}/bias`]!.data)], {}, [`${name}/sum`]);
  const active = activation === 'relu' ? graph.node('Relu', [sum], {}, [`${name}/active`]) : sum;
  const value = graph.node('Mul', [active, shareColumn(graph, steps)], {}, [`${name}/masked`]);
  return { rank: 'sequence', value: graph.node('Unsqueeze', [value, graph.integers('/axis1', [1])], {}, [`${name}/sequence`]), directions: 1, width: filters, zeroPadded: true };
}

/** The first value of each window beside the second, and so on: their greatest. */
function writeMaxPool(graph: GraphBuilder, { name, size }: MaxPoolLayer, steps: Texts, input: Sequence): [Sequence, Texts] {
  const nothing = graph.constant('/nothing', 'float32', [], Float32Array.of(0));
  const one = graph.constant('/oneFloat', 'float32', [], Float32Array.of(1));
  const lowest = graph.constant('/lowest', 'float32', [], Float32Array.of(-3e38));
  const outside = graph.node('Where', [steps.inside, nothing, lowest], {}, [`${name}/outside`]);
  const lowered = graph.node('Add', [input.value, outside], {}, [`${name}/lowered`]);
  const padded = graph.node('Pad', [lowered, graph.integers(`${name}/pads`, [0, 0, 0, 0, size - 1, 0, 0, 0]), lowest], {}, [`${name}/padded`]);
  // [⌈T/size⌉, …] each
  const columns = Array.from({ length: size }, (_, j) => sliceTime(graph, padded, j, size - 1 - j, size, `${name}/step${j}`));
  const inside = sliceTime(graph, steps.inside, 0, 0, size, `${name}/inside`);
  const greatest = graph.node('Max', columns, {}, [`${name}/greatest`]);
  const value = graph.node('Mul', [greatest, graph.node('Where', [inside, one, nothing], {}, [`${name}/share`])], {}, [`${name}/sequence`]);
  const rounded = graph.node('Add', [steps.lengths, graph.constant(`${name}/rest`, 'int32', [], Int32Array.of(size - 1))], {}, [`${name}/rounded`]);
  const lengths = graph.node('Div', [rounded, graph.constant(`${name}/size`, 'int32', [], Int32Array.of(size))], {}, [`${name}/lengths`]);
  return [{ ...withoutLast(input), value, zeroPadded: true }, { ...steps, lengths, inside }];
}

/** A sequence is no longer what an LSTM ended with. */
function withoutLast({ rank, value, directions, width, zeroPadded }: Sequence): Sequence {
  return { rank, value, directions, width, zeroPadded };
}

function writeAttention(graph: GraphBuilder, { name, units }: AttentionLayer, steps: Texts, input: Sequence): Vector {
  const x = joinDirections(graph, input, `${name}/input`);
  const kernel = graph.weights[`${name}/kernel`]!;
  const product = multiply(graph, x, `${name}/W`, kernel, `${name}/product`);
  const sum = graph.node('Add', [product, graph.constant(`${name}/B`, 'float32', [units], graph.weights[`${name}/bias`]!.data)], {}, [`${name}/sum`]);
  const squashed = graph.node('Tanh', [sum], {}, [`${name}/squashed`]);
  // [T, B, 1]
  const energies = multiply(graph, squashed, `${name}/context`, graph.weights[`${name}/context`]!, `${name}/energies`);
  const inside = insideColumn(graph, steps);
  const lowered = graph.node('Where', [inside, energies, graph.constant('/lowest', 'float32', [], Float32Array.of(-3e38))], {}, [`${name}/lowered`]);
  const softmax = graph.node('Softmax', [lowered], { axis: 0 }, [`${name}/softmax`]);
  // of a text without tokens nothing is left
  const shares = graph.node('Where', [inside, softmax, graph.constant('/nothing', 'float32', [], Float32Array.of(0))], {}, [`${name}/shares`]);
  const counted = graph.node('Mul', [x, shares], {}, [`${name}/counted`]);
  const value = graph.node('ReduceSum', [counted, graph.integers('/axis0', [0])], { keepdims: 0 }, [`${name}/sum0`]);
  const flat = graph.node('Squeeze', [shares, graph.integers('/axis2', [2])], {}, [`${name}/flat`]);
  graph.node('Transpose', [flat], { perm: [1, 0] }, [ports.attention]);
  return { rank: 'vector', value, width: input.directions * input.width };
}

/** [T, …] → every `stride`th of the positions from `first` on, without the last `last` ones. */
function sliceTime(graph: GraphBuilder, value: string, first: number, last: number, stride: number, output: string): string {
  const end = graph.integers(last === 0 ? '/toEnd' : `/toLast${last}`, [last === 0 ? 2 ** 31 - 1 : -last]);
  const strides = stride === 1 ? [] : [graph.integers(`/stride${stride}`, [stride])];
  return graph.node('Slice', [value, graph.integers(`/from${first}`, [first]), end, graph.integers('/axis0', [0]), ...strides], {}, [output]);
}

/** [T, B, K] times a kernel [K, N], which stands in the file as [N, K], a row for each unit. */
function multiply(graph: GraphBuilder, value: string, name: string, { shape, data }: WeightTensor, output: string): string {
  const [rows, columns] = [shape[0]!, shape[1]!];
  const stored = graph.matrix(name, [columns, rows], transpose(data, rows, columns));
  return graph.node('MatMul', [value, graph.node('Transpose', [stored], { perm: [1, 0] }, [`${name}/turned`])], {}, [output]);
}

function writePool(graph: GraphBuilder, layer: PoolLayer, texts: Texts, input: Sequence): Vector {
  const width = input.directions * input.width;
  const parts = layer.methods.map((method) => {
    const name = `${layer.name}/${method}`;
    switch (method) {
      case 'last':
        if (input.last === undefined) throw new Error(`Layer ${layer.name}: pooling by \`last\` reads an LSTM.`);
        return perDirection(graph, input.last, input.directions, width, name);
      case 'max': {
        // adding the lowest numbers outside the texts is one pass, where selecting by the mask would be three in ONNX Runtime
        const nothing = graph.constant('/nothing', 'float32', [], Float32Array.of(0));
        const lowest = graph.constant('/lowest', 'float32', [], Float32Array.of(-3e38));
        const outside = graph.node('Where', [texts.inside, nothing, lowest], {}, [`${name}/outside`]);
        const lowered = graph.node('Add', [input.value, outside], {}, [`${name}/lowered`]);
        const largest = graph.node('ReduceMax', [lowered], { axes: [0], keepdims: 0 }, [`${name}/reduced`]);
        const joined = perDirection(graph, largest, input.directions, width, `${name}/joined`);
        return graph.node('Where', [texts.anyToken, joined, nothing], {}, [name]);
      }
      case 'mean': {
        const one = graph.constant('/oneFloat', 'float32', [], Float32Array.of(1));
        const nothing = graph.constant('/nothing', 'float32', [], Float32Array.of(0));
        const inside = graph.node('Where', [texts.inside, one, nothing], {}, [`${name}/inside`]);
        const counted = input.zeroPadded ? input.value : graph.node('Mul', [input.value, inside], {}, [`${name}/counted`]);
        const sum = graph.node('ReduceSum', [counted, graph.integers('/axis0', [0])], { keepdims: 0 }, [`${name}/reduced`]);
        const joined = perDirection(graph, sum, input.directions, width, `${name}/joined`);
        // [B, 1]; at least 1: no tokens give 0 / 1
        const count = graph.node('ReduceSum', [inside, graph.integers('/axes01', [0, 1])], { keepdims: 0 }, [`${name}/count`]);
        const column = graph.node('Max', [count, one], {}, [`${name}/countColumn`]);
        return graph.node('Div', [joined, column], {}, [name]);
      }
    }
  });
  return { rank: 'vector', value: parts.length === 1 ? parts[0]! : graph.node('Concat', parts, { axis: 1 }, [`${layer.name}/joined`]), width: parts.length * width };
}

/** [directions, B, H] → [B, directions × H] */
function perDirection(graph: GraphBuilder, value: string, directions: number, width: number, name: string): string {
  if (directions === 1) return graph.node('Squeeze', [value, graph.integers('/axis0', [0])], {}, [name]);
  const moved = graph.node('Transpose', [value], { perm: [1, 0, 2] }, [`${name}/moved`]);
  return graph.node('Reshape', [moved, graph.integers(`/joined${width}`, [-1, width])], {}, [name]);
}

function writeDense(graph: GraphBuilder, layer: DenseLayer, input: Vector): Vector {
  const kernel = graph.weights[`${layer.name}/kernel`]!;
  const [rows, columns] = [kernel.shape[0]!, kernel.shape[1]!];
  const matrix = graph.matrix(`${layer.name}/W`, [columns, rows], transpose(kernel.data, rows, columns));
  const bias = graph.constant(`${layer.name}/B`, 'float32', [columns], graph.weights[`${layer.name}/bias`]!.data);
  const sum = graph.node('Gemm', [input.value, matrix, bias], { transB: 1 }, [`${layer.name}/sum`]);
  const value = layer.activation === 'linear' ? sum : graph.node(layer.activation === 'relu' ? 'Relu' : 'Tanh', [sum], {}, [`${layer.name}/output`]);
  return { rank: 'vector', value, width: columns };
}

/** Adds what the n-grams say to the logits. */
function writeNgrams(graph: GraphBuilder, { name, buckets, longest }: NgramLayer, texts: Texts, logits: Vector): Vector {
  const number = (of: string, value: number): string => graph.constant(`${name}/${of}`, 'int32', [], Int32Array.of(value));
  const modulus = number('buckets', buckets);
  const factors = ngramFactors(buckets);
  const cut = (value: string, output: string, first: number, last: number): string => sliceTime(graph, value, first, last, 1, output);
  const one = graph.constant('/oneFloat', 'float32', [], Float32Array.of(1));
  const nothing = graph.constant('/nothing', 'float32', [], Float32Array.of(0));
  const inside = graph.node('Where', [texts.inside, one, nothing], {}, [`${name}/inside`]);
  const single = graph.node('Mod', [texts.ids, modulus], {}, [`${name}/grams1`]);
  const grams = [single];
  // an n-gram is inside the text if its last token is
  const masks = [inside];
  for (let size = 2; size <= longest; size++) {
    const shorter = cut(grams.at(-1)!, `${name}/shorter${size}`, 0, 1);
    // see `ngramBuckets`; division of int32 drops the rest
    const digit = number('digit', ngramDigit);
    const low = graph.node('Mul', [graph.node('Mod', [shorter, digit], {}, [`${name}/lowDigit${size}`]), number('low', factors.low)], {}, [`${name}/low${size}`]);
    const high = graph.node('Mul', [graph.node('Div', [shorter, digit], {}, [`${name}/highDigit${size}`]), number('high', factors.high)], {}, [`${name}/high${size}`]);
    const multiplied = graph.node('Add', [low, high], {}, [`${name}/multiplied${size}`]);
    const sum = graph.node('Add', [multiplied, cut(single, `${name}/last${size}`, size - 1, 0)], {}, [`${name}/sum${size}`]);
    grams.push(graph.node('Mod', [sum, modulus], {}, [`${name}/grams${size}`]));
    masks.push(cut(inside, `${name}/inside${size}`, size - 1, 0));
  }
  const joined = (values: readonly string[], output: string): string => (values.length === 1 ? values[0]! : graph.node('Concat', values, { axis: 0 }, [output]));
  const mask = joined(masks, `${name}/mask`);
  // [positions, 1, B, L]
  const table = graph.weights[`${name}/table`]!;
  const places = joined(grams, `${name}/grams`);
  const rows = graph.bucketRows(`${name}/table`, [buckets, logits.width], firstColumns(table, logits.width), places);
  const counted = graph.node('Mul', [rows, mask], {}, [`${name}/counted`]);
  const total = graph.node('ReduceSum', [counted, graph.integers('/axes01', [0, 1])], { keepdims: 0 }, [`${name}/total`]);
  const sizes = graph.weights[`${name}/sizes`]!.data;
  // n-grams of size 1 are as many as the mask lets through
  const counts = sizes.every((size) => size === 1) ? mask : graph.node('Mul', [graph.bucketRows(`${name}/sizes`, [buckets, 1], sizes, places), mask], {}, [`${name}/countedSizes`]);
  const size = graph.node('ReduceSum', [counts, graph.integers('/axes01', [0, 1])], { keepdims: 0 }, [`${name}/size`]);
  const root = graph.node('Sqrt', [graph.node('Max', [size, one], {}, [`${name}/sizeColumn`])], {}, [`${name}/root`]);
  const value = graph.node('Add', [logits.value, graph.node('Div', [total, root], {}, [`${name}/logits`])], {}, ['/logits']);
  return { ...logits, value };
}

/** The first columns of a matrix. */
function firstColumns({ data, shape }: WeightTensor, columns: number): Float32Array {
  const width = shape.at(-1)!;
  const cut = new Float32Array((data.length / width) * columns);
  for (let from = 0, to = 0; from < data.length; from += width, to += columns) cut.set(data.subarray(from, from + columns), to);
  return cut;
}

/** Logit z [B, 1] → [0, z] [B, 2], see {@link hasSigmoidHead}. */
function writeLogitPair(graph: GraphBuilder, { value }: Vector): Vector {
  return { rank: 'vector', value: graph.node('Mul', [value, graph.constant('/secondLabel', 'float32', [1, 2], Float32Array.of(0, 1))], {}, ['/logitPair']), width: 2 };
}

/** Columns `from` to `to`, exclusive. */
function cutColumns(graph: GraphBuilder, { value }: Vector, from: number, to: number, name: string): Vector {
  const cut = graph.node('Slice', [value, graph.integers(`${name}From`, [from]), graph.integers(`${name}To`, [to]), graph.integers('/axis1', [1])], {}, [name]);
  return { rank: 'vector', value: cut, width: to - from };
}

/** The number in its own unit. */
function writeNumber(graph: GraphBuilder, { value }: Vector, unit: WriteOptions['value'], output: string): void {
  if (!unit) {
    graph.node('Identity', [value], {}, [output]);
    return;
  }
  const scaled = graph.node('Mul', [value, graph.constant('/deviation', 'float32', [], Float32Array.of(unit.deviation))], {}, ['/scaledNumber']);
  graph.node('Add', [scaled, graph.constant('/mean', 'float32', [], Float32Array.of(unit.mean))], {}, [output]);
}

function writeScores(graph: GraphBuilder, logits: Vector, kind: TaskKind, temperature: number): void {
  const scaled = graph.node('Div', [logits.value, graph.constant('/temperature', 'float32', [], Float32Array.of(temperature))], {}, ['/scaledLogits']);
  if (kind === 'single') graph.node('Softmax', [scaled], { axis: 1 }, [ports.scores]);
  else graph.node('Sigmoid', [scaled], {}, [ports.scores]);
}

/** All operators that {@link writeOnnx} uses, in ONNX's own domain. */
export const operators: ReadonlySet<string> = new Set([
  'Abs', 'Add', 'And', 'Cast', 'Concat', 'DequantizeLinear', 'Div', 'Expand', 'Gather', 'Gemm', 'Greater', 'GreaterOrEqual', 'Identity', 'LSTM', 'Less', 'MatMul', 'Max', 'Min', 'Mod', 'Mul', 'Pad', 'Range', 'ReduceMax',
  'ReduceSum', 'Relu', 'Reshape', 'Shape', 'Sigmoid', 'Slice', 'Softmax', 'Sqrt', 'Squeeze', 'Tanh', 'Transpose', 'Unsqueeze', 'Where',
]);

/** A trained array in an ONNX file. */
export interface StoredArray {
  readonly shape: readonly number[];
  /**
   * How it may be stored: as float32 alone; or in a smaller format too, in 8 bits with a scale for each row, which belongs to one unit or one token (`byRow`), or companded with one scale (`companded`, see `compand`).
   */
  readonly form: 'float32' | 'byRow' | 'companded';
  /** What all of its numbers are where it is left out; undefined: it never is. */
  readonly absent?: number;
}

/** Names, shapes and forms of the trained numbers in an ONNX file. */
export function storedWeights(architecture: Architecture): Map<string, StoredArray> {
  const shapes = weightShapes(architecture);
  const stored = new Map<string, StoredArray>();
  for (const layer of architecture.layers) {
    const { name } = layer;
    switch (layer.type) {
      case 'embedding':
        stored.set(`${name}/table`, { shape: [layer.vocabularySize, layer.size], form: 'byRow' });
        break;
      case 'lstm': {
        const directions = directionsOf(layer).length;
        const inputs = shapes.get(`${name}/forward/kernel`)![0]!;
        stored.set(`${name}/W`, { shape: [directions, 4 * layer.units, inputs], form: 'byRow' });
        stored.set(`${name}/R`, { shape: [directions, 4 * layer.units, layer.units], form: 'byRow' });
        stored.set(`${name}/B`, { shape: [directions, 8 * layer.units], form: 'float32' });
        break;
      }
      case 'dense':
      case 'conv':
      case 'attention': {
        const [rows, columns] = shapes.get(`${name}/kernel`)!;
        stored.set(`${name}/W`, { shape: [columns!, rows!], form: 'byRow' });
        stored.set(`${name}/B`, { shape: [columns!], form: 'float32' });
        if (layer.type === 'attention') stored.set(`${name}/context`, { shape: [1, layer.units], form: 'byRow' });
        break;
      }
      case 'ngrams':
        stored.set(`${name}/table`, { shape: [layer.buckets, headOf(architecture).units], form: 'companded' });
        stored.set(`${name}/sizes`, { shape: [layer.buckets, 1], form: 'companded', absent: 1 });
        break;
      case 'pool':
      case 'maxPool':
      case 'dropout':
        break;
    }
  }
  return stored;
}

/** Weights of one direction of an LSTM, as {@link weightShapes} describes them. */
export interface LstmPart {
  readonly kernel: Float32Array;
  readonly recurrent: Float32Array;
  readonly bias: Float32Array;
}

export function directionsOf(layer: LstmLayer): readonly ('forward' | 'backward')[] {
  return layer.bidirectional ? ['forward', 'backward'] : ['forward'];
}

function lstmPart(weights: Weights, prefix: string): LstmPart {
  const data = (name: string): Float32Array => (weights[`${prefix}/${name}`] as WeightTensor).data;
  return { kernel: data('kernel'), recurrent: data('recurrent'), bias: data('bias') };
}

/** For each gate of ONNX's order input, output, forget, cell: its place in our order input, forget, cell, output. */
const onnxGates = [0, 3, 1, 2];

/**
 * ONNX's arrangement of LSTM weights: W [directions, 4H, I] and R [directions, 4H, H] are transposed and their gates in another order; B [directions, 8H] has
 * one bias for W and one for R, of which the second is zero here.
 */
function storeLstm(parts: readonly LstmPart[], inputs: number, units: number): { W: Float32Array; R: Float32Array; B: Float32Array } {
  const W = new Float32Array(parts.length * 4 * units * inputs);
  const R = new Float32Array(parts.length * 4 * units * units);
  const B = new Float32Array(parts.length * 8 * units);
  parts.forEach((part, direction) =>
    onnxGates.forEach((gate, place) => {
      for (let unit = 0; unit < units; unit++) {
        const column = gate * units + unit;
        const row = direction * 4 * units + place * units + unit;
        for (let i = 0; i < inputs; i++) W[row * inputs + i] = part.kernel[i * 4 * units + column]!;
        for (let i = 0; i < units; i++) R[row * units + i] = part.recurrent[i * 4 * units + column]!;
        B[direction * 8 * units + place * units + unit] = part.bias[column]!;
      }
    }),
  );
  return { W, R, B };
}

/** Inverse of the arrangement that the writer gives LSTM weights. The two biases are added. */
export function unstoreLstm(stored: { readonly W: Float32Array; readonly R: Float32Array; readonly B: Float32Array }, directions: number, inputs: number, units: number): LstmPart[] {
  return Array.from({ length: directions }, (_, direction) => {
    const part = { kernel: new Float32Array(inputs * 4 * units), recurrent: new Float32Array(units * 4 * units), bias: new Float32Array(4 * units) };
    onnxGates.forEach((gate, place) => {
      for (let unit = 0; unit < units; unit++) {
        const column = gate * units + unit;
        const row = direction * 4 * units + place * units + unit;
        for (let i = 0; i < inputs; i++) part.kernel[i * 4 * units + column] = stored.W[row * inputs + i]!;
        for (let i = 0; i < units; i++) part.recurrent[i * 4 * units + column] = stored.R[row * units + i]!;
        const bias = direction * 8 * units + place * units + unit;
        const second = stored.B[bias + 4 * units]!;
        // adding zero would turn -0 into 0
        part.bias[column] = second === 0 ? stored.B[bias]! : stored.B[bias]! + second;
      }
    });
    return part;
  });
}

/** [rows, columns] → [columns, rows] */
export function transpose(data: Float32Array, rows: number, columns: number): Float32Array {
  const turned = new Float32Array(data.length);
  for (let row = 0; row < rows; row++) for (let column = 0; column < columns; column++) turned[column * rows + row] = data[row * columns + column]!;
  return turned;
}
