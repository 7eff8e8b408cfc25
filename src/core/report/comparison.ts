import { bootstrapIntervals, mcNemarTest, type BootstrapInterval, type BootstrapOptions } from '../metrics/comparison';
import { classificationReport } from '../metrics/report';

/** Where a row is, and its text. */
export interface ReportPlace {
  readonly file: string;
  readonly row: number;
  readonly text: string;
}

/** What several models said about the same rows. */
export type Comparison = { readonly rows: readonly ReportPlace[] } & (
  | { readonly kind: 'single'; readonly labels: readonly string[]; /** Index of the right label, one per row. */ readonly truth: ArrayLike<number>; readonly models: readonly Compared<ArrayLike<number>>[] }
  | { readonly kind: 'multi'; readonly labels: readonly string[]; /** Indices of the right labels, per row. */ readonly truth: readonly (readonly number[])[]; readonly models: readonly Compared<readonly (readonly number[])[]>[] }
  | { readonly kind: 'number'; readonly truth: ArrayLike<number>; readonly models: readonly Compared<ArrayLike<number>>[] }
);

export interface Compared<P> {
  readonly name: string;
  /** In the same terms as the truth: indices into `labels`, or values. */
  readonly predicted: P;
}

/** How good a model is on the rows. */
export interface ComparedScore {
  readonly name: string;
  /** Accuracy, exact match, or for numbers the root of the mean squared error. */
  readonly main: BootstrapInterval;
  /** Macro F1, micro F1, or for numbers the mean absolute error. */
  readonly other: number;
}

export interface ComparedPair {
  readonly first: string;
  readonly second: string;
  /** Of the main measures, first − second. */
  readonly difference: BootstrapInterval;
  /** None for numbers. */
  readonly test?: ReturnType<typeof mcNemarTest>;
}

export interface ComparisonResult {
  readonly scores: readonly ComparedScore[];
  /** Each two models once. */
  readonly pairs: readonly ComparedPair[];
  /** Indices of the rows on which not all say the same; for numbers none. */
  readonly differing: readonly number[];
}

/** Judges models on the same rows, of which there is at least one. */
export async function compareModels(comparison: Comparison, options: BootstrapOptions = {}): Promise<ComparisonResult> {
  const { rows, models } = comparison;
  const size = rows.length;
  // what a row adds to the main measure: 1 where it is right, or its squared error
  const parts = models.map((_, model) => Float64Array.from({ length: size }, (_, row) => partOf(comparison, model, row)));
  const isNumber = comparison.kind === 'number';
  const main = (sample: Uint32Array): number[] =>
    parts.map((part) => {
      let total = 0;
      for (const row of sample) total += part[row]!;
      return isNumber ? Math.sqrt(total / size) : total / size;
    });
  const pairs = models.flatMap((_, first) => models.slice(first + 1).map((_, at) => [first, first + 1 + at] as const));
  const intervals = await bootstrapIntervals(
    size,
    (sample) => {
      const own = main(sample);
      return [...own, ...pairs.map(([first, second]) => own[first]! - own[second]!)];
    },
    options,
  );
  const only = (first: number, second: number): number => parts[first]!.reduce((count, part, row) => count + Number(part === 1 && parts[second]![row] === 0), 0);
  return {
    scores: models.map(({ name }, model) => ({ name, main: intervals[model]!, other: otherOf(comparison, model) })),
    pairs: pairs.map(([first, second], at) => ({
      first: models[first]!.name,
      second: models[second]!.name,
      difference: intervals[models.length + at]!,
      ...(isNumber ? {} : { test: mcNemarTest(only(first, second), only(second, first)) }),
    })),
    differing: isNumber ? [] : rows.map((_, row) => row).filter((row) => new Set(models.map((_, model) => saidOf(comparison, model, row))).size > 1),
  };
}

function partOf(comparison: Comparison, model: number, row: number): number {
  if (comparison.kind === 'number') return (comparison.models[model]!.predicted[row]! - comparison.truth[row]!) ** 2;
  if (comparison.kind === 'single') return Number(comparison.models[model]!.predicted[row] === comparison.truth[row]);
  const [said, own] = [comparison.models[model]!.predicted[row]!, comparison.truth[row]!];
  return Number(said.length === own.length && said.every((label) => own.includes(label)));
}

function otherOf(comparison: Comparison, model: number): number {
  switch (comparison.kind) {
    case 'single':
      return classificationReport(comparison.truth, comparison.models[model]!.predicted, comparison.labels.map((_, label) => String(label))).macroF1;
    case 'multi': {
      const { predicted } = comparison.models[model]!;
      const right = comparison.truth.reduce((sum, own, row) => sum + own.filter((label) => predicted[row]!.includes(label)).length, 0);
      const all = [...comparison.truth, ...predicted].reduce((sum, set) => sum + set.length, 0);
      return all === 0 ? 0 : (2 * right) / all;
    }
    case 'number': {
      const { predicted } = comparison.models[model]!;
      const errors = Array.from(comparison.truth, (value, row) => Math.abs(value - predicted[row]!));
      return errors.reduce((sum, error) => sum + error, 0) / errors.length;
    }
  }
}

/** What a model said about a row, told apart. */
function saidOf(comparison: Comparison, model: number, row: number): string {
  return comparison.kind === 'multi' ? [...comparison.models[model]!.predicted[row]!].sort((a, b) => a - b).join() : String(comparison.models[model]!.predicted[row]);
}
