import type { DecisionValue } from '../core/labels/decision';
import { classificationReport, regressionReport } from '../core/metrics/report';
import type { TaskKind } from '../core/model/onnxWriter';

/** What settings are compared by, for each kind of task: the first is the one that counts where nobody says otherwise. */
export const metricNames: Readonly<Record<TaskKind, readonly string[]>> = {
  single: ['accuracy', 'macroF1', 'loss'],
  multi: ['macroF1', 'accuracy', 'loss'],
  number: ['rmse', 'mae', 'pearson'],
};

/** Metrics of which less is better. */
const costs: ReadonlySet<string> = new Set(['loss', 'rmse', 'mae']);

export function isBetter(metric: string, one: number, other: number): boolean {
  return costs.has(metric) ? one < other : one > other;
}

/** Smallest probability that the loss takes for what a model held to be impossible, as a float of 32 bits would round it. */
const leastProbability = 1e-7;

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

/**
 * How well scores agree with the truth, by the names of {@link metricNames}. Of `multi`, labels above one half count, accuracy is the share of texts with all labels right, and the loss is the
 * binary cross-entropy of a label; of `single` the loss is in nats per text.
 */
export function foldMetrics(scored: Scored): Readonly<Record<string, number>> {
  const { kind, truth, scores, width } = scored;
  if (kind === 'number') {
    const { rmse, mae, pearson } = regressionReport(truth as readonly number[], Float64Array.from(truth, (_, row) => scores[row * width]!));
    return { rmse, mae, pearson };
  }
  return kind === 'multi' ? ofSeveral(scored) : ofOne(scored);
}

function ofOne({ truth, labels, known, scores, width }: Scored): Readonly<Record<string, number>> {
  const index = new Map(labels.map((label, position) => [label, position]));
  const predicted = truth.map((_, row) => {
    let best = 0;
    for (let label = 1; label < width; label++) if (scores[row * width + label]! > scores[row * width + best]!) best = label;
    return index.get(known[best]!)!;
  });
  const { accuracy, macroF1 } = classificationReport(truth.map((label) => index.get(label as string)!), predicted, labels);
  const loss = truth.reduce((sum: number, label, row) => sum - logOf(scores[row * width + known.indexOf(label as string)]), 0) / truth.length;
  return { accuracy, macroF1, loss };
}

function ofSeveral({ truth, labels, known, scores, width }: Scored): Readonly<Record<string, number>> {
  const score = (row: number, label: string): number => scores[row * width + known.indexOf(label)] ?? 0;
  const has = (row: number, label: string): boolean => (truth[row] as readonly string[]).includes(label);
  const rows = [...truth.keys()];
  let f1 = 0;
  let loss = 0;
  for (const label of labels) {
    const right = rows.map((row) => Number(has(row, label)));
    f1 += classificationReport(right, rows.map((row) => Number(score(row, label) >= 0.5)), ['without', 'with']).perClass.with!.f1;
    for (const row of rows) loss -= logOf(has(row, label) ? score(row, label) : 1 - score(row, label));
  }
  const exact = rows.filter((row) => labels.every((label) => has(row, label) === (score(row, label) >= 0.5))).length;
  return { macroF1: f1 / labels.length, accuracy: exact / rows.length, loss: loss / (rows.length * labels.length) };
}

function logOf(probability = 0): number {
  return Math.log(Math.max(leastProbability, probability));
}
