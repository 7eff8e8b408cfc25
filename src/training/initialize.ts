import type { Weights } from '../core/model/architecture';
import { ngramLayerOf } from '../core/model/ngrams';
import type { WordVectors } from '../core/text/vectors';
import { specialTokens } from '../core/text/vocabulary';
import type { ParameterLayout } from './engine';
import { purposes, randomOf } from './seeds';

/**
 * Writes fresh weights to `weights` (flat, in the order of `layout`).
 *
 * - embedding: N(0, 0.1²), `<pad>` zero
 * - table of n-grams: zero, so that it adds nothing before it has learned something; their sizes: 1
 * - matrices: uniform in ±√(6 / (rows + columns)) (Glorot & Bengio 2010), an LSTM's four gates taken as one matrix as Keras does, and a convolution's columns counted once for each of its steps
 * - biases zero, but 1 for the forget gate, so that a fresh LSTM remembers (Jozefowicz, Zaremba & Sutskever 2015)
 */
export function initializeWeights(layout: ParameterLayout, weights: Float32Array, seed: number): void {
  const lstms = new Set(layout.architecture.layers.filter(({ type }) => type === 'lstm').map(({ name }) => name));
  const steps = new Map(layout.architecture.layers.map((layer) => [layer.name, layer.type === 'conv' ? layer.kernelSize : 1]));
  const wide = ngramLayerOf(layout.architecture)?.name;
  layout.parameters.forEach(({ name, shape, offset, size }, index) => {
    const values = weights.subarray(offset, offset + size);
    const random = randomOf(seed, purposes.weights, index);
    const [rows, columns] = shape;
    if (name === `${wide}/table`) values.fill(0);
    else if (name === `${wide}/sizes`) values.fill(1);
    else if (name.endsWith('/table')) {
      for (let k = 0; k < size; k++) values[k] = 0.1 * random.normal();
      values.fill(0, 0, columns);
    } else if (columns !== undefined) {
      const limit = Math.sqrt(6 / (rows! + columns * steps.get(name.split('/')[0]!)!));
      for (let k = 0; k < size; k++) values[k] = limit * (2 * random.float() - 1);
    } else {
      values.fill(0);
      if (lstms.has(name.split('/')[0]!)) values.fill(1, size / 4, size / 2);
    }
  });
}

/**
 * Root mean square of the numbers of word vectors in a table, whatever it is in their file (0.05 to 1.3 in those that people use). Of raw, 0.1, 0.3 and 1, with and without their mean taken away, 0.3 with it gave the highest accuracy
 * with `glove_twitter_25d` and 500 rows of uci_sentences and customer_reviews: far enough from zero not to be forgotten within a few steps of Adam, and not so far that an LSTM begins saturated.
 */
const vectorSpread = 0.3;

/**
 * Writes word vectors into the embedding's table, all by one factor (see {@link vectorSpread}). Tokens without one, `<unk>` among them, are drawn from a normal distribution with the mean and the variance that the vectors have in
 * each of their numbers; `<pad>` is zero, as are the columns that the table has more than the vectors.
 *
 * @param tokens by id
 */
export function placeVectors(layout: ParameterLayout, weights: Float32Array, { size, words, values }: WordVectors, tokens: readonly string[], seed: number): void {
  const { offset, shape } = layout.find(`${layout.architecture.layers[0]?.name}/table`);
  const width = shape[1]!;
  const table = weights.subarray(offset, offset + tokens.length * width).fill(0);
  const mean = new Float64Array(size);
  const variance = new Float64Array(size);
  let squares = 0;
  for (let k = 0; k < values.length; k++) {
    mean[k % size]! += values[k]! / words.length;
    squares += values[k]! ** 2;
  }
  for (let k = 0; k < values.length; k++) variance[k % size]! += (values[k]! - mean[k % size]!) ** 2 / words.length;
  // vectors of nothing but zeros stay so
  const factor = squares === 0 ? 1 : vectorSpread / Math.sqrt(squares / values.length);
  const rows = new Map(words.map((word, row) => [word, row]));
  const random = randomOf(seed, purposes.vectors);
  for (let id = 1; id < tokens.length; id++) {
    const row = id < specialTokens.length ? undefined : rows.get(tokens[id]!);
    for (let k = 0; k < size; k++) table[id * width + k] = factor * (row === undefined ? mean[k]! + Math.sqrt(variance[k]!) * random.normal() : values[row * size + k]!);
  }
}

/** Copies the tensors of `source` that `layout` has, by name, except those that `skip` names. */
export function takeWeights(layout: ParameterLayout, weights: Float32Array, source: Weights, skip: ReadonlySet<string>): void {
  for (const { name, offset, size } of layout.parameters) {
    if (skip.has(name)) continue;
    const tensor = source[name];
    if (tensor?.data.length !== size) throw new Error(`The base has no ${name} of ${size} values.`);
    weights.set(tensor.data, offset);
  }
}

/**
 * Copies columns of parameters with a value for each label, whose number may differ from that in `source`.
 * @param names the parameters
 * @param columns for each label the source's to copy, or -1 to leave it as it is
 */
export function takeColumns(layout: ParameterLayout, weights: Float32Array, source: Weights, names: readonly string[], columns: readonly number[]): void {
  for (const name of names) {
    const { offset, size, shape } = layout.find(name);
    const tensor = source[name];
    if (!tensor) throw new Error(`The base has no ${name}.`);
    const width = tensor.shape.at(-1)!;
    // which a table of n-grams has more of than labels
    const ownWidth = shape.at(-1)!;
    for (let row = 0; row < size / ownWidth; row++) {
      columns.forEach((from, to) => {
        if (from >= 0) weights[offset + row * ownWidth + to] = tensor.data[row * width + from]!;
      });
    }
  }
}

/** The weights of a model whose head of one unit tells two labels apart, as those of one with a unit for each: the first unit's are zero. @param names the parameters of the head, and of n-grams beside it */
export function withLogitPairs(source: Weights, names: readonly string[]): Weights {
  const pairs = names.flatMap((name) => {
    const tensor = source[name];
    if (!tensor) return [];
    const width = tensor.shape.at(-1)!;
    // rows of a table of n-grams have zeros after the one column
    const rows = tensor.data.length / width;
    const data = new Float32Array(2 * rows);
    for (let row = 0; row < rows; row++) data[2 * row + 1] = tensor.data[row * width]!;
    return [[name, { shape: [...tensor.shape.slice(0, -1), 2], data }] as const];
  });
  return { ...source, ...Object.fromEntries(pairs) };
}

/** A copy of the flat weights as named tensors. */
export function namedWeights(layout: ParameterLayout, weights: Float32Array): Weights {
  return Object.fromEntries(layout.parameters.map(({ name, shape, offset, size }) => [name, { shape, data: weights.slice(offset, offset + size) }]));
}
