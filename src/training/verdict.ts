import type { TaskKind } from '../core/model/onnxWriter';
import { expectedCalibrationError, fitTemperature, negativeLogLikelihood, refitTemperature, rowsForTemperature } from '../core/metrics/calibration';
import { classificationReport, multiLabelReport, regressionReport } from '../core/metrics/report';
import type { EncodedRow } from './batches';
import { predictions } from './loop';
import { splitLogits } from './loss';

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
      return { scores: logits.map((logit) => 1 / (1 + Math.exp(-logit / temperature))) };
    case 'single': {
      if (!value) return { scores: softmax(logits, labels.length, temperature) };
      const [scores, numbers] = splitLogits(logits, rows);
      return { scores: softmax(scores, labels.length, temperature), values: inUnit(numbers) };
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
 * The held-out rows' results for the model card.
 * @param truth of the rows that `logits` [rows, outputs] is of; values standardised
 */
export function measure(logits: Float32Array, truth: readonly Omit<EncodedRow, 'ids'>[], question: Question, temperature: number): Readonly<Record<string, number>> {
  const { kind, labels, value, threshold = 0.5 } = question;
  const width = labels.length;
  const rows = truth.length;
  const { scores, values } = verdictOf(logits, rows, question, temperature);
  const ofValue = (numbers: ArrayLike<number>): Readonly<Record<string, number>> => ({ ...regressionReport(truth.map((row) => inUnit(row.value ?? NaN, value)), numbers) });
  switch (kind) {
    case 'number':
      return { rows, ...ofValue(scores) };
    case 'multi': {
      const said = truth.map((_, row) => labels.flatMap((_label, label) => (scores[row * width + label]! >= threshold ? [label] : [])));
      const { exactMatch, hammingLoss, averages } = multiLabelReport(truth.map((row) => row.labels ?? []), said, labels);
      const pairs = logitPairs(logits);
      const marks = marksOf(truth, width);
      return { rows, exactMatch, microF1: averages.micro.f1, macroF1: averages.macro.f1, hammingLoss, loss: negativeLogLikelihood(pairs, 2, marks, temperature) };
    }
    case 'single': {
      const right = truth.map(({ label }) => label);
      const own = value ? splitLogits(logits, rows)[0] : logits;
      const said = threshold !== 0.5 && width === 2 ? right.map((_, row) => (scores[row * 2 + 1]! >= threshold ? 1 : 0)) : predictions(own, width);
      const { accuracy, macroF1 } = classificationReport(right, said, labels);
      return {
        ...{ rows, accuracy, macroF1 },
        loss: negativeLogLikelihood(own, width, right, temperature),
        ece: expectedCalibrationError(scores, width, right),
        ...(values ? ofValue(values) : {}),
      };
    }
  }
}

function inUnit(value: number, unit: Question['value']): number {
  return unit ? value * unit.deviation + unit.mean : value;
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

function softmax(logits: Float32Array, width: number, temperature: number): Float32Array {
  const scores = new Float32Array(logits.length);
  for (let start = 0; start < logits.length; start += width) {
    const row = logits.subarray(start, start + width);
    const top = row.reduce((most, logit) => Math.max(most, logit), -Infinity);
    const powers = row.map((logit) => Math.exp((logit - top) / temperature));
    const sum = powers.reduce((total, power) => total + power, 0);
    scores.set(
      powers.map((power) => power / sum),
      start,
    );
  }
  return scores;
}
