import { bootstrapIntervals, mcNemarTest, type BootstrapInterval, type BootstrapOptions } from '../metrics/comparison';
import { classificationReport, multiLabelReport } from '../metrics/report';
import { intervalChart } from './charts';
import type { ReportBlock, ReportSection, TableBlock } from './document';
import { reportStrings, type ReportStrings } from './strings';
import { decimal, fill, measure, percent, reportRow, rowsListed, type ReportPlace } from './wording';

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

/** {@link compareModels} in sections: each model with its interval, each pair with its test, and rows on which they differ. */
export function comparisonSections(comparison: Comparison, result: ComparisonResult, strings: ReportStrings = reportStrings): readonly ReportSection[] {
  const { kind, rows, models } = comparison;
  const [mainName, otherName] = kind === 'single' ? [strings.accuracy, strings.macroF1] : kind === 'multi' ? [strings.exactMatch, strings.microF1] : [strings.rmseShort, strings.maeShort];
  const worded = kind === 'number' ? measure : percent;
  const interval = ({ low, high }: BootstrapInterval): string => fill(strings.range, [worded(low), worded(high)]);
  const best = [...result.scores].sort((a, b) => (kind === 'number' ? a.main.value - b.main.value : b.main.value - a.main.value))[0];
  const description = best ? fill(strings.comparisonDescription, [best.name, worded(best.main.value)]) : strings.noRows;
  const scores: ReportBlock[] = [
    {
      kind: 'figure',
      svg: intervalChart({ title: description, x: { label: mainName }, rows: result.scores.map(({ name, main }) => ({ name, ...main })) }),
      caption: fill(strings.comparisonCaption, [mainName]),
      description,
    },
    {
      kind: 'table',
      header: [strings.model, mainName, strings.interval, otherName],
      rows: result.scores.map(({ name, main, other }) => [name, worded(main.value), interval(main), kind === 'number' ? measure(other) : decimal(other)]),
      numeric: [1, 2, 3],
    },
  ];
  const sections: ReportSection[] = [{ id: 'comparison', title: strings.comparison, blocks: scores }];
  if (result.pairs.length > 0) sections.push({ id: 'pairs', title: strings.pairs, blocks: [pairTable(result.pairs, kind === 'number' ? measure : points, strings)] });
  if (kind !== 'number') {
    // first what some got right
    const listed = [...result.differing].sort((a, b) => Number(isSplit(comparison, b)) - Number(isSplit(comparison, a)) || a - b).slice(0, rowsListed);
    sections.push({
      id: 'differing',
      title: strings.differing,
      blocks: [
        listed.length === 0
          ? { kind: 'text', text: strings.noDiffering }
          : {
              kind: 'rows',
              caption: fill(strings.differingCaption, [result.differing.length, rows.length, listed.length]),
              header: [strings.truth, ...models.map(({ name }) => name), strings.text],
              rows: listed.map((row) => reportRow(rows[row]!, [truthOf(comparison, row, strings), ...models.map((_, model) => saidOf(comparison, model, row) || strings.none)])),
            },
      ],
    });
  }
  return sections;
}

function pairTable(pairs: readonly ComparedPair[], worded: (value: number) => string, strings: ReportStrings): TableBlock {
  const hasTest = pairs.some(({ test }) => test !== undefined);
  return {
    kind: 'table',
    caption: hasTest ? strings.pairsOfRight : strings.pairsOfNumbers,
    header: [strings.first, strings.second, strings.difference, strings.interval, ...(hasTest ? [strings.onlyFirst, strings.onlySecond, strings.pValue, strings.test] : [])],
    rows: pairs.map(({ first, second, difference, test }) => [
      first,
      second,
      worded(difference.value),
      fill(strings.range, [worded(difference.low), worded(difference.high)]),
      ...(test ? [String(test.onlyFirst), String(test.onlySecond), test.p < 0.0001 ? '< 0.0001' : decimal(test.p, 4), test.method === 'exact' ? strings.exactTest : strings.chiSquareTest] : []),
    ]),
    numeric: [2, 3, ...(hasTest ? [4, 5, 6] : [])],
  };
}

/** Points of per cent, which a difference of two shares is. */
function points(difference: number): string {
  return `${(difference * 100).toFixed(1).replace(/^-(?=0\.0$)/, '').replace('-', '−')} %`;
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
    case 'multi':
      return multiLabelReport(comparison.truth, comparison.models[model]!.predicted, comparison.labels.map((_, label) => String(label))).averages.micro.f1;
    case 'number': {
      const { predicted } = comparison.models[model]!;
      const errors = Array.from(comparison.truth, (value, row) => Math.abs(value - predicted[row]!));
      return errors.reduce((sum, error) => sum + error, 0) / errors.length;
    }
  }
}

/** What a model said about a row, in words. */
function saidOf(comparison: Comparison, model: number, row: number): string {
  switch (comparison.kind) {
    case 'single':
      return comparison.labels[comparison.models[model]!.predicted[row]!]!;
    case 'multi':
      return listed(comparison.models[model]!.predicted[row]!, comparison.labels);
    case 'number':
      return measure(comparison.models[model]!.predicted[row]!);
  }
}

function truthOf(comparison: Comparison, row: number, strings: ReportStrings): string {
  switch (comparison.kind) {
    case 'single':
      return comparison.labels[comparison.truth[row]!]!;
    case 'multi':
      return listed(comparison.truth[row]!, comparison.labels) || strings.none;
    case 'number':
      return measure(comparison.truth[row]!);
  }
}

function listed(set: readonly number[], labels: readonly string[]): string {
  return [...set].sort((a, b) => a - b).map((label) => labels[label]!).join(', ');
}

/** Whether some got the row right and others did not. */
function isSplit(comparison: Comparison, row: number): boolean {
  return new Set(comparison.models.map((_, model) => partOf(comparison, model, row))).size > 1;
}
