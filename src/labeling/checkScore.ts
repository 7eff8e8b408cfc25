import { regressionReport } from '../core/metrics/report';
import { wilsonInterval } from '../core/metrics/wilson';
import { chosenLabels, type DecisionRule } from '../core/model/deciding';
import type { Ranking } from '../core/protocol/learner';
import { Random } from '../core/util/random';
import type { FeatureStore } from './featureStore';
import type { Head, HeadShape } from './head';
import type { Lecture, TruthValue } from './headFit';

/** Decided checks below which nothing is said. */
export const leastChecks = 10;
/** Samples with replacement behind the interval of an R². */
const resamples = 400;

/** How a head does on texts that it did not learn from: accuracy (all labels right, for `multi`) with Wilson's 95 % interval; R² with a bootstrap interval (percentiles, Efron 1979) for `number`. Undefined with fewer than {@link leastChecks}. */
export function measureCheck(shape: HeadShape, head: Head, store: FeatureStore, rows: readonly Lecture[]): Ranking['check'] {
  if (rows.length < leastChecks) return undefined;
  const scores = new Float32Array(rows.length * shape.outputs);
  rows.forEach(({ position }, row) => head.score(store, position, scores, row * shape.outputs));
  const values = rows.map(({ value }) => value);
  if (shape.kind === 'number') {
    const { estimate, low, high } = explained(values.map(numberOf), Array.from(scores));
    return { rows: rows.length, accuracy: estimate, low, high };
  }
  const rule = store.ruleFor(shape.kind);
  const right = values.reduce<number>((sum, value, row) => sum + (isRight(rule, value, scores, row * shape.outputs, shape.outputs) ? 1 : 0), 0);
  const { share, low, high } = wilsonInterval(right, rows.length);
  return { rows: rows.length, accuracy: share, low, high };
}

/** Whether the scores from `at` on give the answer. */
export function isRight(rule: DecisionRule, value: TruthValue, scores: Float32Array, at: number, outputs: number): boolean {
  if (typeof value === 'number') return false;
  const chosen = chosenLabels(rule, scores.subarray(at, at + outputs));
  return chosen.length === value.length && chosen.every((label) => value.includes(label));
}

export function numberOf(value: TruthValue): number {
  return typeof value === 'number' ? value : NaN;
}

/** R² with a bootstrap interval (95 %, percentiles, Efron 1979). */
export function explained(truth: readonly number[], predicted: readonly number[]): { readonly estimate: number; readonly low: number; readonly high: number } {
  const random = new Random(truth.length);
  const samples = Float64Array.from({ length: resamples }, () => {
    const rows = truth.map(() => random.below(truth.length));
    return regressionReport(rows.map((row) => truth[row]!), rows.map((row) => predicted[row]!)).r2;
  }).sort();
  return { estimate: regressionReport(truth, predicted).r2, low: samples[Math.floor(resamples * 0.025)]!, high: samples[Math.ceil(resamples * 0.975) - 1]! };
}
