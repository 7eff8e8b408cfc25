/** Is one model better than another on the same rows, or was it luck. */
import { Random } from '../util/random';

export interface McNemarTest {
  /** Rows that only the first, and only the second got right. */
  readonly onlyFirst: number;
  readonly onlySecond: number;
  readonly method: 'exact' | 'chi-square';
  /** How probable so great a difference is, in either direction, if both are right equally often; 0..1. */
  readonly p: number;
}

/** Rows on which just one was right, from which the chi-square distribution is near enough. */
const rowsForChiSquare = 25;

/**
 * McNemar's test (McNemar 1947): only rows on which just one of two is right tell which is better. With fewer than 25 of them the binomial distribution itself, two-sided; else chi-square with one degree of
 * freedom and the continuity correction of Edwards (1948). For classifiers: Dietterich, "Approximate statistical tests for comparing supervised classification learning algorithms" (1998).
 */
export function mcNemarTest(onlyFirst: number, onlySecond: number): McNemarTest {
  const rows = onlyFirst + onlySecond;
  if (rows >= rowsForChiSquare) {
    const statistic = Math.max(0, Math.abs(onlyFirst - onlySecond) - 1) ** 2 / rows;
    // a chi-square with one degree of freedom is the square of a standard normal
    return { onlyFirst, onlySecond, method: 'chi-square', p: erfc(Math.sqrt(statistic / 2)) };
  }
  let choose = 1;
  let tail = 0;
  for (let k = 0; k <= Math.min(onlyFirst, onlySecond); k++) {
    tail += choose;
    choose = (choose * (rows - k)) / (k + 1);
  }
  return { onlyFirst, onlySecond, method: 'exact', p: Math.min(1, (2 * tail) / 2 ** rows) };
}

/** Complementary error function for x ≥ 0, to about 1e-12: by its series (Abramowitz & Stegun 7.1.6) below 2.5, by its continued fraction (7.1.14) above. */
function erfc(x: number): number {
  const scale = Math.exp(-x * x) / Math.sqrt(Math.PI);
  if (x < 2.5) {
    let term = x;
    let total = x;
    for (let n = 1; term > total * 1e-17; n++) {
      term *= (2 * x * x) / (2 * n + 1);
      total += term;
    }
    return 1 - 2 * scale * total;
  }
  let fraction = x;
  for (let n = 60; n > 0; n--) fraction = x + n / 2 / fraction;
  return scale / fraction;
}

/** A measure, and where 95 % of its draws lie. */
export interface BootstrapInterval {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** How an interval is drawn. */
export interface BootstrapOptions {
  /** Draws of as many rows as there are, with replacement. */
  readonly draws?: number;
  readonly seed?: number;
  /** Lets the thread handle what has come in; called every few hundred thousand rows. */
  readonly breathe?: () => Promise<void>;
}

/** Rows drawn between two breaths. */
const rowsPerBreath = 300_000;

/**
 * Percentile intervals by the bootstrap (Efron & Tibshirani, "An introduction to the bootstrap", 1993). All measures see the same draws, so a measure that is the difference of two models is the paired bootstrap
 * (Berg-Kirkpatrick, Burkett & Klein, "An empirical investigation of statistical significance in NLP", 2012): an interval that holds no 0 is a difference at 5 %.
 *
 * @param rows at least 1
 * @param measure gives its numbers, always as many, for rows of the data: a sample, in which a row may come more than once. NaN, where a sample does not tell, is left out
 */
export async function bootstrapIntervals(
  rows: number,
  measure: (sample: Uint32Array) => readonly number[],
  { draws = 1000, seed = 1, breathe }: BootstrapOptions = {},
): Promise<readonly BootstrapInterval[]> {
  const sample = Uint32Array.from({ length: rows }, (_, row) => row);
  const values = measure(sample);
  const drawn = values.map(() => [] as number[]);
  const random = new Random(seed);
  const pause = Math.max(1, Math.floor(rowsPerBreath / rows));
  for (let draw = 0; draw < draws; draw++) {
    if (draw % pause === pause - 1) await breathe?.();
    for (let at = 0; at < rows; at++) sample[at] = random.below(rows);
    measure(sample).forEach((value, index) => {
      if (!Number.isNaN(value)) drawn[index]!.push(value);
    });
  }
  return values.map((value, index) => {
    const sorted = drawn[index]!.sort((a, b) => a - b);
    const at = (share: number): number => sorted[Math.round(share * (sorted.length - 1))] ?? value;
    return { value, low: at(0.025), high: at(0.975) };
  });
}
