import type { Architecture } from '../core/model/architecture';
import type { Random } from '../core/util/random';
import type { TokenBatch } from './engine';
import type { Truth } from './loss';

/** A text as the trainer keeps it. */
export interface EncodedRow {
  /** Token ids, truncated; may be empty. */
  readonly ids: Int32Array;
  /** Index into the model's labels; of no account for `multi` and `number`. */
  readonly label: number;
  /** Kind `multi`: indices into the model's labels. */
  readonly labels?: readonly number[];
  /** Kind `number`, and the number of a joint model: standardised, see `RegressionOptions`. */
  readonly value?: number;
}

/** Batches whose texts are sorted together: enough to make lengths alike within a batch, few enough to leave the order to chance. */
const batchesPerPool = 50;

/**
 * The batches of one epoch, as indices into the rows; each row is in one of them.
 *
 * Shuffles, sorts by length within pools of {@link batchesPerPool} batches, cuts, shuffles the batches: so a batch holds texts of nearly equal length and wastes little on
 * padding (1.4 times faster on ragged texts), while its members and place differ in every epoch.
 * @param random undefined: cuts the rows as they are given
 */
export function planEpoch(lengths: ArrayLike<number>, batchSize: number, random: Random | undefined): Int32Array[] {
  const rows = Int32Array.from(lengths, (_, row) => row);
  if (!random) return Array.from({ length: Math.ceil(rows.length / batchSize) }, (_, batch) => rows.subarray(batch * batchSize, (batch + 1) * batchSize));
  const order = random.shuffle(rows);
  const batches: Int32Array[] = [];
  for (let start = 0; start < order.length; start += batchesPerPool * batchSize) {
    const pool = order.subarray(start, start + batchesPerPool * batchSize).sort((a, b) => lengths[b]! - lengths[a]!);
    for (let from = 0; from < pool.length; from += batchSize) batches.push(pool.slice(from, from + batchSize));
  }
  return random.shuffle(batches);
}

/** Batches for evaluation: all rows, longest first. */
export function planEvaluation(lengths: ArrayLike<number>, batchSize: number): Int32Array[] {
  const order = Int32Array.from(lengths, (_, row) => row).sort((a, b) => lengths[b]! - lengths[a]!);
  return Array.from({ length: Math.ceil(order.length / batchSize) }, (_, index) => order.slice(index * batchSize, (index + 1) * batchSize));
}

/** Bytes of what the way back needs, and arithmetic operations, of the texts that go through the network at once. */
const most = { bytes: 64e6, operations: 6e9 };

/** Texts under which a batch is not cut for the sake of {@link most}.operations alone: matrix products of fewer rows are slower. */
const fewestTexts = 8;

/** What one token costs in training. */
export interface TokenCost {
  readonly bytes: number;
  /** Floating point operations, forward and backward. */
  readonly operations: number;
}

/** What a token costs in training on that architecture: sequences and their gradients, gates and cells of its LSTM layers, and their matrix products. After pooling over windows there are so many fewer steps. */
export function tokenCost({ layers }: Architecture): TokenCost {
  let floats = 0;
  let products = 0;
  let width = 0;
  /** Steps of a sequence for each token. */
  let share = 1;
  for (const layer of layers) {
    if (layer.type === 'lstm') {
      const directions = layer.bidirectional ? 2 : 1;
      floats += share * directions * 6 * layer.units;
      products += share * directions * 4 * layer.units * (width + layer.units);
      width = directions * layer.units;
    } else if (layer.type === 'conv') {
      // where each step of a window stands, on both ways
      floats += share * 2 * layer.kernelSize;
      products += share * layer.kernelSize * width * layer.filters;
      width = layer.filters;
    } else if (layer.type === 'maxPool') {
      floats += width;
      share /= layer.size;
    } else if (layer.type === 'attention') {
      floats += share * (layer.units + 2);
      products += share * layer.units * width;
      break;
    } else if (layer.type === 'embedding') width = layer.size;
    else if (layer.type !== 'dropout') break;
    floats += share * 2 * width;
  }
  return { bytes: 4 * floats, operations: 6 * products };
}

/**
 * Cuts a batch into nearly equal parts, whose gradients add up to the batch's. It bounds memory, and the time until progress is told and a cancellation seen: a part takes a quarter of a second at most
 * at 25 GFLOP/s, if it is not a single text.
 */
export function splitBatch(batch: Int32Array, lengths: ArrayLike<number>, cost: TokenCost): Int32Array[] {
  const time = batch.reduce((longest, row) => Math.max(longest, lengths[row]!), 1);
  const room = Math.floor(most.bytes / (cost.bytes * time));
  const quick = Math.max(fewestTexts, Math.floor(most.operations / (cost.operations * time)));
  const size = Math.ceil(batch.length / Math.ceil(batch.length / Math.max(1, Math.min(room, quick))));
  return Array.from({ length: Math.ceil(batch.length / size) }, (_, part) => batch.subarray(part * size, (part + 1) * size));
}

/** The rows as one padded batch. */
export function fillBatch(texts: readonly Int32Array[]): TokenBatch {
  const lengths = Int32Array.from(texts, (ids) => ids.length);
  const time = lengths.reduce((longest, length) => Math.max(longest, length), 1);
  const ids = new Int32Array(texts.length * time);
  texts.forEach((text, b) => ids.set(text, b * time));
  return { ids, lengths, time };
}

/** What is right about the rows. @param labels L */
export function truthOf(rows: readonly Omit<EncodedRow, 'ids'>[], labels: number): Truth {
  const truth: Truth = { labels: Int32Array.from(rows, ({ label }) => label) };
  const [first] = rows;
  if (first?.labels) {
    const marks = new Uint8Array(rows.length * labels);
    rows.forEach((row, b) => row.labels?.forEach((label) => (marks[b * labels + label] = 1)));
    return { ...truth, marks };
  }
  return first?.value === undefined ? truth : { ...truth, values: Float32Array.from(rows, ({ value }) => value ?? NaN) };
}
