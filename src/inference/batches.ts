import type { Architecture } from '../core/model/architecture';

/** Texts that run through the model together at most. Throughput of onnxruntime-web is level from 8 rows on. */
const maxRows = 64;

/**
 * What one batch may cost in floating-point operations: 10 to 16 ms at the 16 to 25 GFLOP/s of onnxruntime-web on one core, the time that an interactive request or
 * a cancellation may have to wait. Larger batches are no faster, and pad more.
 */
const maxOperations = 2.5e8;

/** Padded tokens that a batch may have (rows × longest row) of a model of these networks. */
export function batchBudget(...networks: readonly Architecture[]): number {
  return Math.min(2048, Math.max(256, Math.floor(maxOperations / networks.reduce((sum, network) => sum + operationsPerToken(network), 0))));
}

/** Floating-point operations for one token of one text. */
function operationsPerToken(architecture: Architecture): number {
  let width = 0;
  let operations = 1;
  /** Steps of a sequence for each token: pooling over windows makes them fewer. */
  let share = 1;
  for (const layer of architecture.layers) {
    if (layer.type === 'embedding') width = layer.size;
    else if (layer.type === 'lstm') {
      const directions = layer.bidirectional ? 2 : 1;
      operations += share * directions * 8 * layer.units * (width + layer.units);
      width = directions * layer.units;
    } else if (layer.type === 'conv') {
      operations += share * 2 * layer.kernelSize * width * layer.filters;
      width = layer.filters;
    } else if (layer.type === 'maxPool') share /= layer.size;
    else if (layer.type === 'attention') operations += share * 2 * layer.units * width;
  }
  return operations;
}

/**
 * Splits texts into batches: sorted by length, so that little is padded, then cut where the next text would make the batch larger than `budget` padded tokens.
 * Every batch has at least one text, however long.
 *
 * @param lengths tokens of each text
 * @returns positions in `lengths`, each in exactly one batch, shortest first
 */
export function packBatches(lengths: Int32Array, budget: number): Int32Array[] {
  const order = Int32Array.from(lengths.keys()).sort((a, b) => lengths[a]! - lengths[b]! || a - b);
  const batches: Int32Array[] = [];
  let start = 0;
  for (let end = 1; end <= order.length; end++) {
    // sorted, so the text at `end` would be the longest of the batch
    if (end < order.length && end - start < maxRows && (end - start + 1) * lengths[order[end]!]! <= budget) continue;
    batches.push(order.subarray(start, end));
    start = end;
  }
  return batches;
}
