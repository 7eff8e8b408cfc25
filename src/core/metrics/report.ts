/** How well single-label predictions agree with the truth. The JSON of `evaluate --json` and of model cards. */
export interface ClassificationReport {
  /** Share of right predictions, 0..1. */
  readonly accuracy: number;
  /** Mean of the F1 of all labels, each counting the same, 0..1. */
  readonly macroF1: number;
  readonly perClass: Readonly<Record<string, ClassReport>>;
  readonly confusion: {
    readonly labels: readonly string[];
    /** Counts: `matrix[truth][predicted]`. */
    readonly matrix: readonly (readonly number[])[];
  };
}

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
  const perLabel = labels.map((_, label): ClassReport => {
    const right = matrix[label]![label]!;
    const support = sum(matrix[label]!);
    const claimed = sum(matrix.map((row) => row[label]!));
    return { precision: ratio(right, claimed), recall: ratio(right, support), f1: ratio(2 * right, claimed + support), support };
  });
  return {
    accuracy: ratio(sum(labels.map((_, label) => matrix[label]![label]!)), truth.length),
    macroF1: ratio(sum(perLabel.map((label) => label.f1)), labels.length),
    perClass: Object.fromEntries(labels.map((label, index) => [label, perLabel[index]!])),
    confusion: { labels: [...labels], matrix },
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

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function ratio(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}
