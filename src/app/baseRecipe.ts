import type { Hyperparameters } from '../core/protocol/trainer';

/** Rows from which on all layers of a base learn, if that does better on the rows that are held out. */
export const rowsForAllLayers = 100;

/**
 * How to train from a base on so many rows, where nobody says otherwise. N-grams stand beside its features: features know what the base was trained for, n-grams the words at hand, and both together are hardly ever
 * worse than either. Under 100 rows only the head is fitted, which cannot forget what the layers below know; from there on the fitted head is where all layers go on from, each at 1/2.6 of the rate of the one above it,
 * which is about the 1 : 0.35 : 0.15 that kept what the base knew (Howard & Ruder 2018; our measurements).
 */
export function baseRecipe(rows: number): Partial<Hyperparameters> {
  const shared: Partial<Hyperparameters> = { ngramBuckets: 32_768, ngramLength: 2 };
  if (rows < rowsForAllLayers) return { ...shared, baseHead: 'only' };
  return { ...shared, baseHead: 'fitted', layerDecay: 2.6, wordDropout: 0.1, ...(rows < 5000 ? { batchSize: 16, weightAveraging: 0.95, patience: 4 } : {}) };
}
