/** How well single-label predictions agree with the truth. The JSON of `evaluate --json` and of model cards. */
export interface ClassificationReport {
  /** Share of right predictions, 0..1. */
  readonly accuracy: number;
  /** Mean of the F1 of all labels, each counting the same, 0..1. */
  readonly macroF1: number;
  readonly perClass: Readonly<Record<string, ClassReport>>;
  readonly averages: Averages;
  readonly confusion: {
    readonly labels: readonly string[];
    /** Counts: `matrix[truth][predicted]`. */
    readonly matrix: readonly (readonly number[])[];
  };
}

/** Precision, recall and F1 over all labels, in the three ways that the field averages them. */
export interface Averages {
  /** Each label counts the same. */
  readonly macro: AverageReport;
  /** Each label counts by its support. */
  readonly weighted: AverageReport;
  /** Counts of all labels are summed first. Where a text has just one label all three are the accuracy. */
  readonly micro: AverageReport;
}

/** Each 0..1. */
export type AverageReport = Pick<ClassReport, 'precision' | 'recall' | 'f1'>;

/** One label's part, each 0..1; a ratio whose divisor is zero is 0. */
export interface ClassReport {
  /** Right among those predicted to have the label. */
  readonly precision: number;
  /** Right among those that have the label. */
  readonly recall: number;
  /** Harmonic mean of precision and recall. */
  readonly f1: number;
  /** Number of examples that have the label. */
  readonly support: number;
}

/**
 * @param truth indices into `labels`
 * @param predicted indices into `labels`, as many as in `truth`
 * @param labels ids, all different
 */
export function classificationReport(truth: ArrayLike<number>, predicted: ArrayLike<number>, labels: readonly string[]): ClassificationReport {
  if (truth.length !== predicted.length) throw new Error(`${predicted.length} predictions for ${truth.length} examples.`);
  const matrix = labels.map(() => labels.map(() => 0));
  for (let i = 0; i < truth.length; i++) {
    const row = matrix[truth[i]!];
    if (row?.[predicted[i]!] === undefined) throw new Error(`Example ${i}: there is no label ${truth[i]} or ${predicted[i]}.`);
    row[predicted[i]!]!++;
  }
  const counts = labels.map((_, label): LabelCounts => ({ right: matrix[label]![label]!, claimed: sum(matrix.map((row) => row[label]!)), support: sum(matrix[label]!) }));
  const { perLabel, averages } = summarize(counts);
  return {
    accuracy: ratio(sum(counts.map(({ right }) => right)), truth.length),
    macroF1: averages.macro.f1,
    perClass: Object.fromEntries(labels.map((label, index) => [label, perLabel[index]!])),
    averages,
    confusion: { labels: [...labels], matrix },
  };
}

/** How well predicted sets of labels agree with the true ones (tasks of kind `multi`). */
export interface MultiLabelReport {
  readonly perClass: Readonly<Record<string, ClassReport>>;
  readonly averages: Averages;
  /** Share of texts whose predicted labels are just the true ones, 0..1 (subset accuracy). */
  readonly exactMatch: number;
  /** Share of pairs of text and label that are wrong, 0..1 (Schapire & Singer, "BoosTexter", 2000). */
  readonly hammingLoss: number;
}

/**
 * @param truth per text the indices into `labels`, each once; none may be right
 * @param predicted the same, for as many texts
 * @param labels ids, all different
 */
export function multiLabelReport(truth: readonly (readonly number[])[], predicted: readonly (readonly number[])[], labels: readonly string[]): MultiLabelReport {
  if (truth.length !== predicted.length) throw new Error(`${predicted.length} predictions for ${truth.length} examples.`);
  const counts = labels.map(() => ({ right: 0, claimed: 0, support: 0 }));
  const countOf = (row: number, label: number): (typeof counts)[number] => {
    const count = counts[label];
    if (!count) throw new Error(`Example ${row}: there is no label ${label}.`);
    return count;
  };
  let exact = 0;
  truth.forEach((own, row) => {
    const said = predicted[row]!;
    for (const label of own) countOf(row, label).support++;
    for (const label of said) countOf(row, label).claimed++;
    const both = own.filter((label) => said.includes(label));
    for (const label of both) countOf(row, label).right++;
    if (both.length === own.length && both.length === said.length) exact++;
  });
  const { perLabel, averages } = summarize(counts);
  return {
    perClass: Object.fromEntries(labels.map((label, index) => [label, perLabel[index]!])),
    averages,
    exactMatch: ratio(exact, truth.length),
    hammingLoss: ratio(sum(counts.map(({ right, claimed, support }) => claimed + support - 2 * right)), truth.length * labels.length),
  };
}

/** Texts that have a label and were predicted to, were predicted to, and have it. */
interface LabelCounts {
  readonly right: number;
  readonly claimed: number;
  readonly support: number;
}

function summarize(counts: readonly LabelCounts[]): { readonly perLabel: readonly ClassReport[]; readonly averages: Averages } {
  const perLabel = counts.map(({ right, claimed, support }): ClassReport => ({ precision: ratio(right, claimed), recall: ratio(right, support), f1: ratio(2 * right, claimed + support), support }));
  const [right, claimed, support] = (['right', 'claimed', 'support'] as const).map((name) => sum(counts.map((count) => count[name]))) as [number, number, number];
  const mean = (name: keyof AverageReport): number => ratio(sum(perLabel.map((label) => label[name])), perLabel.length);
  const weighted = (name: keyof AverageReport): number => ratio(sum(perLabel.map((label) => label[name] * label.support)), support);
  return {
    perLabel,
    averages: {
      macro: { precision: mean('precision'), recall: mean('recall'), f1: mean('f1') },
      weighted: { precision: weighted('precision'), recall: weighted('recall'), f1: weighted('f1') },
      micro: { precision: ratio(right, claimed), recall: ratio(right, support), f1: ratio(2 * right, claimed + support) },
    },
  };
}

/** How well predicted numbers agree with true ones (tasks of kind `number`). */
export interface RegressionReport {
  /** Mean absolute error. */
  readonly mae: number;
  /** Root of the mean squared error. */
  readonly rmse: number;
  /** Share of the variance that is explained: 1 is perfect, 0 as good as the mean; below 0 is possible. 0 where the truth does not vary. */
  readonly r2: number;
  /** Pearson's correlation, -1..1; 0 where one side does not vary. */
  readonly pearson: number;
}

/** @param truth finite numbers @param predicted as many */
export function regressionReport(truth: ArrayLike<number>, predicted: ArrayLike<number>): RegressionReport {
  if (truth.length !== predicted.length) throw new Error(`${predicted.length} predictions for ${truth.length} examples.`);
  const size = truth.length;
  const x = Array.from(truth);
  const y = Array.from(predicted);
  const errors = x.map((value, i) => y[i]! - value);
  const squares = sum(errors.map((error) => error * error));
  const meanX = ratio(sum(x), size);
  const meanY = ratio(sum(y), size);
  // in two passes, so that a large common offset does not cost digits
  const varianceX = sum(x.map((value) => (value - meanX) ** 2));
  const varianceY = sum(y.map((value) => (value - meanY) ** 2));
  const covariance = sum(x.map((value, i) => (value - meanX) * (y[i]! - meanY)));
  return {
    mae: ratio(sum(errors.map(Math.abs)), size),
    rmse: Math.sqrt(ratio(squares, size)),
    r2: varianceX === 0 ? 0 : 1 - squares / varianceX,
    pearson: varianceX === 0 || varianceY === 0 ? 0 : Math.max(-1, Math.min(1, covariance / Math.sqrt(varianceX) / Math.sqrt(varianceY))),
  };
}

/** Where residuals (truth − prediction) lie, in the unit of the truth; each 0 where there are none. */
export interface ResidualSummary {
  /** Above 0: predictions are too low in the mean. */
  readonly mean: number;
  /** Of all residuals as they are, not as a sample of more. */
  readonly standardDeviation: number;
  readonly median: number;
  /** 5 % and 95 % quantile, between neighbours by how near they are (type 7 of Hyndman & Fan 1996). */
  readonly low: number;
  readonly high: number;
  /** The largest magnitude. */
  readonly largest: number;
}

/** @param truth finite numbers @param predicted as many */
export function residualSummary(truth: ArrayLike<number>, predicted: ArrayLike<number>): ResidualSummary {
  if (truth.length !== predicted.length) throw new Error(`${predicted.length} predictions for ${truth.length} examples.`);
  const residuals = Float64Array.from(truth, (value, i) => value - predicted[i]!).sort();
  const mean = ratio(sum([...residuals]), residuals.length);
  return {
    mean,
    standardDeviation: Math.sqrt(ratio(sum([...residuals].map((value) => (value - mean) ** 2)), residuals.length)),
    median: quantile(residuals, 0.5),
    low: quantile(residuals, 0.05),
    high: quantile(residuals, 0.95),
    largest: residuals.length === 0 ? 0 : Math.max(Math.abs(residuals[0]!), Math.abs(residuals.at(-1)!)),
  };
}

/** @param sorted in rising order @param share in 0..1 @returns 0 for none */
function quantile(sorted: ArrayLike<number>, share: number): number {
  const place = share * (sorted.length - 1);
  const below = sorted[Math.floor(place)] ?? 0;
  return below + (place - Math.floor(place)) * ((sorted[Math.ceil(place)] ?? below) - below);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function ratio(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}
