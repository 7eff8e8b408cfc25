import { hasLabels, type ModelManifest } from '../core/model/manifest';
import type { TaskKind } from '../core/model/onnxWriter';
import type { Hyperparameters } from '../core/protocol/trainer';
import type { LabeledText } from './labeledRows';

/** Rows from which on all layers of a base learn, if that does better on the rows that are held out. */
export const rowsForAllLayers = 500;

/** Rows from which on there is enough of everything for an ordinary training. */
const manyRows = 5000;

/**
 * How to train from a base on so many rows with these labels, where nobody says otherwise. N-grams stand beside its features: features know what the base was trained for, n-grams the words at hand, and both together are
 * hardly ever worse than either. With few rows only the head is fitted, which cannot forget what the layers below know; from there on the fitted head is where all layers go on from, each at 1/2.6 of the rate of the one
 * above it, which is about the 1 : 0.35 : 0.15 that kept what the base knew (Howard & Ruder 2018; our measurements). That takes as many rows as can spare some to be held out, which a head alone needs
 * not: on questions (TREC) all layers were 5.7 and 2.3 points behind TF-IDF with 100 and 250 rows, a head 0.1 and 0, and with 300 posts of the base's own labels they cost its own sets 4 points where the head cost 1. And how often each label came must not become its prejudice.
 *
 * Only a head that tells one label of several can be fitted by itself: for several labels at once and for numbers all layers learn from the beginning, whatever the number of rows.
 *
 * @param labels ids of the labels that rows have
 * @param kind `joint`: a label and a number beside it
 */
export function baseRecipe(rows: number, labels: readonly string[], base: Pick<ModelManifest, 'task'>, kind: TaskKind | 'joint' = 'single'): Partial<Hyperparameters> {
  const isBases = hasLabels(base, labels);
  const shared: Partial<Hyperparameters> = { ngramBuckets: 131_072, ngramLength: 2 };
  if (kind !== 'single') return { ...shared, baseHead: 'kept', layerDecay: 2.6, wordDropout: 0.1, ...(rows < manyRows ? { batchSize: 16, weightAveraging: 0.95, patience: 4 } : {}) };
  if (rows < rowsForAllLayers) return { ...shared, baseHead: 'only' };
  return {
    ...shared,
    baseHead: 'fitted',
    layerDecay: 2.6,
    wordDropout: 0.1,
    ...(rows < manyRows ? { batchSize: 16, weightAveraging: 0.95, patience: 4, classWeights: isBases ? 'balanced' : 'none' } : {}),
  };
}

/** {@link baseRecipe} for these rows; without a base nothing. */
export function recipeFor(rows: readonly Pick<LabeledText, 'label' | 'value'>[], base: { readonly manifest: Pick<ModelManifest, 'task'> } | undefined, kind: TaskKind = 'single'): Partial<Hyperparameters> {
  const isJoint = kind === 'single' && rows[0]?.value !== undefined;
  return base ? baseRecipe(rows.length, [...new Set(rows.map(({ label }) => label))], base.manifest, isJoint ? 'joint' : kind) : {};
}
