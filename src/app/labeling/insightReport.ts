import type { DecisionValue } from '../../core/labels/decision';
import type { Label } from '../../core/labels/task';
import type { Insight, Score } from '../../core/labels/view';
import { reliabilityBins } from '../../core/metrics/calibration';
import { outlook, type CurvePoint } from '../../core/metrics/learningCurve';
import { classificationReport, regressionReport } from '../../core/metrics/report';
import { wilsonInterval } from '../../core/metrics/wilson';
import { chosenLabels, type DecisionRule } from '../../core/model/deciding';

/** What an insight is made of. */
export interface InsightParts {
  /** What decides from the scores. */
  readonly rule: DecisionRule;
  /** The labels that are offered; scores follow their order. */
  readonly labels: readonly Label[];
  readonly annotators: readonly string[];
  readonly agreement?: Insight['agreement'];
  /** What was decided for each row of `scores`. */
  readonly truth: readonly DecisionValue[];
  /** Out-of-fold scores [rows, labels]; for `number` [rows]. */
  readonly scores: Float32Array;
  readonly curve: readonly CurvePoint[];
  /** Texts of the whole pool by label id: decided for it, and guessed to have it. */
  readonly decided: Readonly<Record<string, number>>;
  readonly guessed: Readonly<Record<string, number>>;
}

/** Decisions that the outlook looks ahead, at least, and as a share of those that there are. */
const ahead = { least: 50, share: 0.25 };

export function makeInsight(parts: InsightParts): Insight {
  const { annotators, agreement, labels, rule, truth } = parts;
  const last = parts.curve.at(-1)?.decisions ?? 0;
  const prospect = outlook(parts.curve, Math.max(ahead.least, Math.round((last * ahead.share) / ahead.least) * ahead.least));
  const shared = {
    annotators,
    ...(agreement ? { agreement } : {}),
    balance: labels.map(({ id }) => ({ label: id, decided: parts.decided[id] ?? 0, guessed: parts.guessed[id] ?? 0 })),
    curve: parts.curve.map(({ decisions, accuracy, error }) => ({ decisions, accuracy, low: clipped(accuracy - 1.96 * error), high: clipped(accuracy + 1.96 * error) })),
    ...(prospect ? { outlook: prospect } : {}),
  };
  const nothing = { evaluated: 0, perLabel: [], confusion: [], calibration: [] };
  if (truth.length === 0) return { ...shared, ...nothing };
  switch (rule.kind) {
    case 'single':
      return { ...shared, ...singleReport(parts) };
    case 'multi':
      return { ...shared, ...multiReport(parts) };
    case 'number':
      return { ...shared, ...nothing, evaluated: truth.length, regression: regressionReport(truth.map(Number), parts.scores) };
  }
}

type Report = Pick<Insight, 'evaluated' | 'accuracy' | 'macroF1' | 'perLabel' | 'confusion' | 'calibration'>;

function singleReport({ rule, labels, truth, scores }: InsightParts): Report {
  const ids = labels.map(({ id }) => id);
  const width = ids.length;
  const rows: { readonly truth: number; readonly guess: number; readonly confidence: number }[] = [];
  truth.forEach((value, row) => {
    const right = typeof value === 'string' ? ids.indexOf(value) : -1;
    const own = scores.subarray(row * width, (row + 1) * width);
    const guess = own.some(Number.isNaN) ? undefined : chosenLabels(rule, own)[0];
    if (right >= 0 && guess !== undefined) rows.push({ truth: right, guess, confidence: own[guess] ?? 0 });
  });
  if (rows.length === 0) return { evaluated: 0, perLabel: [], confusion: [], calibration: [] };
  const report = classificationReport(rows.map((row) => row.truth), rows.map(({ guess }) => guess), ids);
  return {
    evaluated: rows.length,
    accuracy: scoreOf(rows.filter((row) => row.truth === row.guess).length, rows.length),
    macroF1: report.macroF1,
    perLabel: ids.map((label) => ({ label, ...(report.perClass[label] ?? { precision: 0, recall: 0, f1: 0, support: 0 }) })),
    confusion: report.confusion.matrix,
    calibration: reliabilityBins(rows.map(({ confidence }) => confidence), rows.map((row) => (row.truth === row.guess ? 1 : 0))),
  };
}

/** A row counts as right when exactly its labels are guessed; each pair of row and label is a prediction of the calibration. */
function multiReport({ rule, labels, truth, scores }: InsightParts): Report {
  const width = labels.length;
  const isTrue = (row: number, label: number): boolean => {
    const value = truth[row];
    return Array.isArray(value) && value.includes(labels[label]?.id);
  };
  const guessed = truth.map((_, row) => new Set(chosenLabels(rule, scores.subarray(row * width, (row + 1) * width))));
  const isGuessed = (row: number, label: number): boolean => guessed[row]?.has(label) ?? false;
  const rows = truth.map((_, row) => row).filter((row) => !Number.isNaN(scores[row * width] ?? NaN));
  if (rows.length === 0) return { evaluated: 0, perLabel: [], confusion: [], calibration: [] };
  const columns = labels.map((_, label) => label);
  const perLabel = labels.map(({ id }, label) => {
    const support = rows.filter((row) => isTrue(row, label)).length;
    const claimed = rows.filter((row) => isGuessed(row, label)).length;
    const hits = rows.filter((row) => isTrue(row, label) && isGuessed(row, label)).length;
    return { label: id, precision: ratio(hits, claimed), recall: ratio(hits, support), f1: ratio(2 * hits, claimed + support), support };
  });
  const pairs = rows.flatMap((row) => columns.map((label) => [scores[row * width + label] ?? 0, isTrue(row, label) ? 1 : 0] as const));
  return {
    evaluated: rows.length,
    accuracy: scoreOf(rows.filter((row) => columns.every((label) => isTrue(row, label) === isGuessed(row, label))).length, rows.length),
    macroF1: ratio(perLabel.reduce((sum, { f1 }) => sum + f1, 0), perLabel.length),
    perLabel,
    confusion: [],
    calibration: reliabilityBins(pairs.map(([confidence]) => confidence), pairs.map(([, right]) => right)),
  };
}

/** Accuracy with its Wilson interval. @param rows at least 1 */
export function scoreOf(hits: number, rows: number): Score {
  const { share, low, high } = wilsonInterval(hits, rows);
  return { rows, accuracy: share, low, high };
}

function clipped(share: number): number {
  return Math.max(0, Math.min(1, share));
}

function ratio(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}
