import type { DecisionValue } from '../core/labels/decision';
import { measures, type RowTruth } from '../core/metrics/measures';
import type { TaskKind } from '../core/model/onnxWriter';

/** What settings are compared by, for each kind of task, by the names of {@link measures}: the first is the one that counts where nobody says otherwise. */
export const metricNames: Readonly<Record<TaskKind, readonly string[]>> = {
  single: ['accuracy', 'macroF1', 'loss', 'ece'],
  multi: ['macroF1', 'microF1', 'exactMatch', 'hammingLoss', 'loss'],
  number: ['rmse', 'mae', 'r2', 'pearson'],
};

/** Metrics of which less is better. */
const costs: ReadonlySet<string> = new Set(['loss', 'ece', 'hammingLoss', 'rmse', 'mae']);
/** Metrics in the unit of what is measured, or none; the others are shares. */
const unbounded: ReadonlySet<string> = new Set(['loss', 'rmse', 'mae', 'r2', 'pearson']);

export function isBetter(metric: string, one: number, other: number): boolean {
  return costs.has(metric) ? one < other : one > other;
}

/** Whether a person reads it in per cent. */
export function isShare(metric: string): boolean {
  return !unbounded.has(metric);
}

export interface Scored {
  readonly kind: TaskKind;
  /** The truth of each text. */
  readonly truth: readonly DecisionValue[];
  /** All labels of the data, of which the model may lack some: those it can never tell. */
  readonly labels: readonly string[];
  /** The model's labels, in the order of its scores. */
  readonly known: readonly string[];
  /** [texts × width] */
  readonly scores: Float32Array;
  readonly width: number;
}

/** {@link measures} of a fold. A label that the model lacks has the score 0. */
export function foldMetrics({ kind, truth, labels, known, scores, width }: Scored): Readonly<Record<string, number>> {
  const index = new Map(labels.map((label, position) => [label, position]));
  const places = known.map((label) => index.get(label)!);
  const toTruth = (answer: DecisionValue): RowTruth =>
    typeof answer === 'number' ? { label: -1, value: answer } : typeof answer === 'string' ? { label: index.get(answer)! } : { label: -1, labels: answer.map((label) => index.get(label)!) };
  const all = kind === 'number' ? scores : new Float32Array(truth.length * labels.length);
  if (kind !== 'number') for (let row = 0; row < truth.length; row++) places.forEach((place, at) => (all[row * labels.length + place] = scores[row * width + at]!));
  return measures({ rule: { kind }, labels, scores: all, truth: truth.map(toTruth) });
}
