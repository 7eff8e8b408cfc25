import type { TaskKind } from '../core/model/onnxWriter';
import { fitTemperature, refitTemperature, rowsForTemperature } from '../core/metrics/calibration';
import { measures, type RowTruth } from '../core/metrics/measures';
import { ruleOf } from '../core/model/deciding';
import type { EncodedRow } from './batches';
import { splitLogits } from './loss';
import { labelScores } from './scores';

/** What a model is asked, as its scores tell it. */
export interface Question {
  readonly kind: TaskKind;
  /** Ids, in the order of the scores. */
  readonly labels: readonly string[];
  /** The number of `number` and joint models: what its logit is multiplied by, and what is added, to be in its own unit. */
  readonly value?: { readonly mean: number; readonly deviation: number };
  /** See `TrainRequest`. */
  readonly threshold?: number;
}

/** What a model says about the rows that are held out. */
export interface Verdict {
  /** [rows, scores] */
  readonly scores: Float32Array;
  /** [rows] numbers beside the labels: of a joint model. */
  readonly values?: Float32Array;
}

/** Logits [rows, outputs] as the written model would give them. */
export function verdictOf(logits: Float32Array, rows: number, { kind, labels, value }: Question, temperature: number): Verdict {
  const inUnit = (numbers: Float32Array): Float32Array => (value ? numbers.map((number) => Math.fround(number * value.deviation) + value.mean) : numbers);
  switch (kind) {
    case 'number':
      return { scores: inUnit(logits) };
    case 'multi':
      return { scores: labelScores(logits, labels.length, kind, temperature) };
    case 'single': {
      if (!value) return { scores: labelScores(logits, labels.length, kind, temperature) };
      const [scores, numbers] = splitLogits(logits, rows);
      return { scores: labelScores(scores, labels.length, kind, temperature), values: inUnit(numbers) };
    }
  }
}

/**
 * What the labels' logits are divided by for the scores to mean what they say, fitted to rows that were not learned from; 1 for `number`.
 * For `multi` one for all labels, where there are rows enough.
 *
 * @param truth of the rows that `logits` [rows, outputs] is of
 * @param before the temperature that the logits had before; undefined where nothing is known of them
 */
export function fittedTemperature(logits: Float32Array, truth: readonly Omit<EncodedRow, 'ids'>[], { kind, labels, value }: Question, before: number | undefined): number {
  const width = labels.length;
  switch (kind) {
    case 'number':
      return 1;
    case 'single':
      return refitTemperature(value ? splitLogits(logits, truth.length)[0] : logits, width, truth.map(({ label }) => label), before);
    case 'multi':
      return truth.length < rowsForTemperature ? (before ?? 1) : fitTemperature(logitPairs(logits), 2, marksOf(truth, width));
  }
}

/**
 * The held-out rows' {@link measures} for the model card.
 * @param truth of the rows that `logits` [rows, outputs] is of; values standardised
 */
export function measure(logits: Float32Array, truth: readonly Omit<EncodedRow, 'ids'>[], question: Question, temperature: number): Readonly<Record<string, number>> {
  const { labels, value: unit } = question;
  const inUnit = (row: Omit<EncodedRow, 'ids'>): RowTruth => (unit && row.value !== undefined ? { ...row, value: row.value * unit.deviation + unit.mean } : row);
  return measures({ rule: ruleOf(question), labels, ...verdictOf(logits, truth.length, question, temperature), truth: truth.map(inUnit) });
}

/** Each logit z as the logits [0, z] of wrong and right: their softmax is the sigmoid. */
function logitPairs(logits: Float32Array): Float32Array {
  const pairs = new Float32Array(2 * logits.length);
  logits.forEach((logit, k) => (pairs[2 * k + 1] = logit));
  return pairs;
}

/** [rows × labels] 1 for a label that is right, else 0. */
function marksOf(truth: readonly Omit<EncodedRow, 'ids'>[], labels: number): Uint8Array {
  const marks = new Uint8Array(truth.length * labels);
  truth.forEach((row, at) => row.labels?.forEach((label) => (marks[at * labels + label] = 1)));
  return marks;
}
