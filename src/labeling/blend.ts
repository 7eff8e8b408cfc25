import { dot } from '../core/util/dot';
import type { FeatureStatistics, FeatureStore } from './featureStore';
import { penaltiesFor, standardizeInto, valueScale, type Blend, type HeadShape } from './head';
import type { Lecture } from './headFit';
import { leaveOneOut } from './leaveOneOut';
import { NgramCosines } from './ngramColumns';

/** What a head without a base may be: led by the features, for a task like the one that the frozen model was made for; led by the n-grams, for any other; or between. */
const blends: readonly Blend[] = [
  { features: 2, ngrams: 8 },
  { features: 3, ngrams: 32 },
  { features: 10, ngrams: 600 },
];
/** The squared loss of numbers is curved four times as much as the logistic one at its steepest, so the same decisions say as much with inputs of a quarter. */
const numberBlends: readonly Blend[] = blends.map(({ features, ngrams }) => ({ features: features / 4, ngrams: ngrams / 4 }));
/** Decisions below which cross-validation says nothing; until then it is the one in the middle. */
const leastRows = 8;
/** Decisions that are cross-validated with at most: the work grows with their third power. */
const mostRows = 256;
/** Another blend has to be better than the present one by this share, so that the head does not go to and fro. */
const clearlyBetter = 0.01;

/** A blend, and how well it does. */
export interface BlendChoice {
  readonly blend: Blend;
  /**
   * How far the head gets beyond chance on decisions that it did not see, 0 to 1: the mean over the answers of the share of their texts that it gets right, less what a guess would get; R² for `number`.
   * Undefined where it was not measured.
   */
  readonly skill: number | undefined;
}

/**
 * Which blend suits the decisions, by leaving one out. Yields between the steps, so that the caller may let others have their turn.
 *
 * On a base model the head hardly cares, so there the blend follows from the number of rows alone: what the base has learned is given up slowly.
 *
 * @param rows decided texts whose features `store` knows
 * @param present the blend that is kept unless another is clearly better
 */
export function* chooseBlend(shape: HeadShape, store: FeatureStore, statistics: FeatureStatistics, rows: readonly Lecture[], present?: Blend): Generator<undefined, BlendChoice> {
  if (shape.hasBase) {
    const features = Math.max(0.1, Math.min(2, Math.sqrt(rows.length) / 20));
    return { blend: { features, ngrams: 2 * features }, skill: undefined };
  }
  const possible = shape.kind === 'number' ? numberBlends : blends;
  if (rows.length < leastRows) return { blend: possible[1]!, skill: undefined };
  const some = sample(rows);
  const { features, ngrams } = yield* products(shape, store, statistics, some);
  const { targets, noise } = regression(shape, some);
  const { biases } = penaltiesFor(shape);
  let best: { readonly blend: Blend; readonly loss: number; readonly errors: Float64Array } | undefined;
  for (const blend of possible) {
    const both = features.map((product, i) => blend.features * product + blend.ngrams * ngrams[i]! + 1 / biases);
    const errors = leaveOneOut(both, some.length, noise, targets, shape.outputs);
    const square = dot(errors, 0, errors, 0, errors.length);
    const loss = blend === present ? square * (1 - clearlyBetter) : square;
    if (!best || loss < best.loss) best = { blend, loss, errors };
    yield;
  }
  return { blend: best!.blend, skill: skillOf(shape, some, targets, best!.errors) };
}

/** Evenly over the pool, the same for the same decisions. */
function sample(rows: readonly Lecture[]): readonly Lecture[] {
  const sorted = [...rows].sort((a, b) => a.position - b.position);
  if (sorted.length <= mostRows) return sorted;
  return Array.from({ length: mostRows }, (_, i) => sorted[Math.floor((i * sorted.length) / mostRows)]!);
}

/** Inner products of the rows' features and n-grams. */
function* products({ width }: HeadShape, store: FeatureStore, statistics: FeatureStatistics, rows: readonly Lecture[]): Generator<undefined, { readonly features: Float64Array; readonly ngrams: Float64Array }> {
  const count = rows.length;
  const features = new Float64Array(count * count);
  const ngrams = new Float64Array(count * count);
  const inputs = new Float32Array(count * width);
  rows.forEach(({ position }, row) => standardizeInto(inputs, row * width, store, position, statistics));
  const cosines = new NgramCosines(statistics.ngrams);
  for (let row = 0; row < count; row++) {
    cosines.take(rows[row]!.position);
    for (let other = 0; other <= row; other++) {
      features[row * count + other] = features[other * count + row] = dot(inputs, row * width, inputs, other * width, width);
      ngrams[row * count + other] = ngrams[other * count + row] = cosines.with(rows[other]!.position);
    }
    yield;
  }
  return { features, ngrams };
}

/** The head as a regression: its targets, around 0, and the noise that corresponds to the curvature of its loss. */
function regression({ kind, outputs }: HeadShape, rows: readonly Lecture[]): { readonly targets: Float64Array; readonly noise: number } {
  if (kind === 'number') {
    const values = rows.map(({ value }) => (typeof value === 'number' ? value : 0));
    const { mean, deviation } = valueScale(values);
    return { targets: Float64Array.from(values, (value) => (value - mean) / deviation), noise: 1 };
  }
  const chance = kind === 'multi' ? 0.5 : 1 / outputs;
  const targets = new Float64Array(rows.length * outputs).fill(-chance);
  rows.forEach(({ value }, row) => {
    if (typeof value !== 'number') for (const label of value) targets[row * outputs + label] = 1 - chance;
  });
  return { targets, noise: 1 / (chance * (1 - chance)) };
}

function skillOf({ kind, outputs }: HeadShape, rows: readonly Lecture[], targets: Float64Array, errors: Float64Array): number {
  if (kind === 'number') return 1 - dot(errors, 0, errors, 0, errors.length) / Math.max(1e-9, dot(targets, 0, targets, 0, targets.length));
  const byAnswer = new Map<string, { rows: number; right: number }>();
  for (let row = 0; row < rows.length; row++) {
    const at = row * outputs;
    const name = targets.subarray(at, at + outputs).join();
    const answer = byAnswer.get(name) ?? { rows: 0, right: 0 };
    answer.rows++;
    if (isRight(kind === 'multi', targets, errors, at, outputs)) answer.right++;
    byAnswer.set(name, answer);
  }
  const answers = [...byAnswer.values()];
  const chance = 1 / answers.length;
  const recall = answers.reduce((sum, answer) => sum + answer.right / answer.rows, 0) * chance;
  return chance < 1 ? (recall - chance) / (1 - chance) : 0;
}

/** Whether the prediction, the target less its error, is nearest to the target. */
function isRight(isMulti: boolean, targets: Float64Array, errors: Float64Array, at: number, outputs: number): boolean {
  const predicted = (k: number): number => targets[at + k]! - errors[at + k]!;
  if (isMulti) {
    for (let k = 0; k < outputs; k++) if (predicted(k) >= 0 !== targets[at + k]! > 0) return false;
    return true;
  }
  let best = 0;
  for (let k = 1; k < outputs; k++) if (predicted(k) > predicted(best)) best = k;
  return targets[at + best]! > 0;
}
