import type { DecisionValue } from '../core/labels/decision';
import { classificationReport, regressionReport } from '../core/metrics/report';
import { chosenLabels } from '../core/model/deciding';
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
 * How well scores agree with the truth, by the names of {@link metricNames}. Of `multi`, accuracy is the share of texts with all labels right, and the loss is the
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

function ofOne({ kind, truth, labels, known, scores, width }: Scored): Readonly<Record<string, number>> {
  const index = new Map(labels.map((label, position) => [label, position]));
  const predicted = truth.map((_, row) => index.get(known[chosenLabels({ kind }, scores.subarray(row * width, (row + 1) * width))[0]!]!)!);
  const { accuracy, macroF1 } = classificationReport(truth.map((label) => index.get(label as string)!), predicted, labels);
  const score = scoreIn({ known, scores, width });
  const loss = truth.reduce((sum: number, label, row) => sum - logOf(score(row, label as string)), 0) / truth.length;
  return { accuracy, macroF1, loss };
}

function ofSeveral({ kind, truth, labels, known, scores, width }: Scored): Readonly<Record<string, number>> {
  const score = scoreIn({ known, scores, width });
  const has = (row: number, label: string): boolean => (truth[row] as readonly string[]).includes(label);
  const rows = [...truth.keys()];
  const chosen = rows.map((row) => new Set(chosenLabels({ kind }, scores.subarray(row * width, (row + 1) * width)).map((label) => known[label]!)));
  let f1 = 0;
  let loss = 0;
  for (const label of labels) {
    const right = rows.map((row) => Number(has(row, label)));
    f1 += classificationReport(right, rows.map((row) => Number(chosen[row]!.has(label))), ['without', 'with']).perClass.with!.f1;
    for (const row of rows) loss -= logOf(has(row, label) ? score(row, label) : 1 - score(row, label));
  }
  const exact = rows.filter((row) => labels.every((label) => has(row, label) === chosen[row]!.has(label))).length;
  return { macroF1: f1 / labels.length, accuracy: exact / rows.length, loss: loss / (rows.length * labels.length) };
}

/** The probability that a label has; 0 of one that the model lacks. */
function scoreIn({ known, scores, width }: Pick<Scored, 'known' | 'scores' | 'width'>): (row: number, label: string) => number {
  const place = new Map(known.map((label, index) => [label, index]));
  return (row, label) => {
    const at = place.get(label);
    return at === undefined ? 0 : scores[row * width + at]!;
  };
}

function logOf(probability: number): number {
  return Math.log(Math.max(leastProbability, probability));
}
