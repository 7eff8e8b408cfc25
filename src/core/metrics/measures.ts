import { chosenLabels, type DecisionRule } from '../model/deciding';
import { expectedCalibrationError } from './calibration';
import { classificationReport, multiLabelReport, regressionReport } from './report';

/** What is right about a row. */
export interface RowTruth {
  /** Kind `single`: index into the labels. */
  readonly label: number;
  /** Kind `multi`: indices into the labels, each once. */
  readonly labels?: readonly number[];
  /** Kind `number`, and the number beside the label. */
  readonly value?: number;
}

/** What a model said about rows, and what is right. */
export interface ScoredRows {
  /** What decides, on the model's card or in place of it. */
  readonly rule: DecisionRule;
  /** Ids, in the order of the scores; none for `number`. */
  readonly labels: readonly string[];
  /** [rows × labels], for `number` [rows]. */
  readonly scores: Float32Array;
  /** [rows] numbers beside the labels: of a joint model. */
  readonly values?: Float32Array;
  /** In the order of the rows; values in the unit of the scores. */
  readonly truth: readonly RowTruth[];
}

/** Smallest probability that the loss takes for what a model held to be impossible, as a float of 32 bits would round it. */
const leastProbability = 1e-7;

/**
 * How well a model's answers agree with the truth, by the names that model cards, `evaluate`, `ensemble` and `tune` share: `rows` and, each as its function says,
 *
 * - `single`: accuracy, macroF1, loss (nats a row), ece; of a joint model those of `number` too;
 * - `multi`: exactMatch, microF1, macroF1, hammingLoss, loss (binary cross entropy of a label, nats);
 * - `number`: mae, rmse, r2, pearson.
 */
export function measures({ rule, labels, scores, values, truth }: ScoredRows): Readonly<Record<string, number>> {
  const { kind } = rule;
  const rows = truth.length;
  const ofNumbers = (numbers: Float32Array): Readonly<Record<string, number>> => ({ ...regressionReport(truth.map(({ value = NaN }) => value), numbers) });
  if (kind === 'number') return { rows, ...ofNumbers(scores) };
  const chosen = chosenOfRows(rule, scores, labels.length);
  const loss = lossOf(likelihoods(kind, scores, labels.length, truth));
  if (kind === 'multi') {
    const { exactMatch, hammingLoss, averages } = multiLabelReport(truth.map((row) => row.labels ?? []), chosen, labels);
    return { rows, exactMatch, microF1: averages.micro.f1, macroF1: averages.macro.f1, hammingLoss, loss };
  }
  const right = truth.map(({ label }) => label);
  const { accuracy, macroF1 } = classificationReport(right, chosen.map(([label]) => label!), labels);
  return { rows, accuracy, macroF1, loss, ece: expectedCalibrationError(scores, labels.length, right), ...(values ? ofNumbers(values) : {}) };
}

/** {@link chosenLabels} of each row. @param scores [rows × width] */
export function chosenOfRows(rule: DecisionRule, scores: ArrayLike<number>, width: number): readonly (readonly number[])[] {
  return Array.from({ length: scores.length / width }, (_, row) => chosenLabels(rule, Array.from({ length: width }, (_, label) => scores[row * width + label]!)));
}

/** What scores [rows × width] give the truth: of `single` one for each row, of `multi` one for each row and label. */
export function likelihoods(kind: 'single' | 'multi', scores: Float32Array, width: number, truth: readonly RowTruth[]): Float64Array {
  if (kind === 'single') return Float64Array.from(truth, ({ label }, row) => scores[row * width + label]!);
  const given = Float64Array.from(scores, (score) => 1 - score);
  truth.forEach(({ labels = [] }, row) => labels.forEach((label) => (given[row * width + label] = scores[row * width + label]!)));
  return given;
}

function lossOf(given: Float64Array): number {
  return given.length === 0 ? 0 : given.reduce((sum, likelihood) => sum - Math.log(Math.max(leastProbability, likelihood)), 0) / given.length;
}
