import type { TaskKind } from '../model/onnxWriter';
import type { DecisionValue } from './decision';

/** Fewer examples that several have decided on say nothing about agreement. */
const FEWEST = 10;

/** How well annotators agree, corrected for chance: 1 is perfect, 0 what chance gives, below 0 worse than that. */
export interface Agreement {
  readonly measure: 'kappa' | 'alpha';
  readonly value: number;
  /** Number of examples that at least two annotators decided on. */
  readonly examples: number;
}

/**
 * Agreement on examples: Cohen's kappa where two annotators answer with labels, else Krippendorff's alpha (for numbers with the interval metric).
 * Answers of several labels count as equal or not, as a whole.
 *
 * @param examples for each example the answer of each annotator; those with fewer than two answers do not count
 * @returns undefined with fewer than ten examples that count
 */
export function agreementOf(kind: TaskKind, examples: Iterable<ReadonlyMap<string, DecisionValue>>): Agreement | undefined {
  const shared = [...examples].filter((answers) => answers.size >= 2);
  if (shared.length < FEWEST) return undefined;
  if (kind === 'number') {
    const units = shared.map((answers) => [...answers.values()].filter((value) => typeof value === 'number'));
    return { measure: 'alpha', value: krippendorffAlpha(units, squaredDifference), examples: shared.length };
  }
  const annotators = [...new Set(shared.flatMap((answers) => [...answers.keys()]))].sort();
  const [first, second] = annotators;
  if (annotators.length === 2 && first !== undefined && second !== undefined) {
    const pairs = shared.map((answers) => [categoryOf(answers.get(first)), categoryOf(answers.get(second))] as const);
    return { measure: 'kappa', value: cohenKappa(pairs), examples: shared.length };
  }
  return { measure: 'alpha', value: krippendorffAlpha(shared.map((answers) => [...answers.values()].map(categoryOf))), examples: shared.length };
}

function categoryOf(value: DecisionValue | undefined): string {
  return JSON.stringify(typeof value === 'object' ? [...value].sort() : value);
}

/**
 * Cohen's kappa of two annotators: (observed - expected) / (1 - expected) agreement, with the shares in which each annotator uses each category
 * (Cohen 1960, "A coefficient of agreement for nominal scales").
 *
 * @param pairs the two answers for each example
 * @returns -1..1; 1 if both use one and the same category throughout; NaN without pairs
 */
export function cohenKappa(pairs: readonly (readonly [string, string])[]): number {
  const [first, second] = [new Map<string, number>(), new Map<string, number>()];
  let same = 0;
  for (const [a, b] of pairs) {
    if (a === b) same++;
    first.set(a, (first.get(a) ?? 0) + 1);
    second.set(b, (second.get(b) ?? 0) + 1);
  }
  const observed = same / pairs.length;
  let expected = 0;
  for (const [category, count] of first) expected += (count / pairs.length) * ((second.get(category) ?? 0) / pairs.length);
  return observed === 1 ? 1 : (observed - expected) / (1 - expected);
}

/** Metric of nominal data: 0 for equal values, else 1. */
export function isDifferent<V>(a: V, b: V): number {
  return a === b ? 0 : 1;
}

/** Metric of interval data. */
export function squaredDifference(a: number, b: number): number {
  return (a - b) ** 2;
}

/**
 * Krippendorff's alpha: 1 - observed / expected disagreement, for any number of annotators with gaps
 * (Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability").
 *
 * @param units the answers for each example, in any order; those with fewer than two do not count
 * @param difference squared distance of two values, 0 for equal ones
 * @returns at most 1; 1 if all values are equal; NaN if no example counts
 */
export function krippendorffAlpha<V>(units: readonly (readonly V[])[], difference: (a: V, b: V) => number = isDifferent): number {
  const pairable = units.filter((values) => values.length >= 2);
  const totals = new Map<V, number>();
  let observed = 0;
  let count = 0;
  for (const values of pairable) {
    let within = 0;
    for (const [index, a] of values.entries()) {
      totals.set(a, (totals.get(a) ?? 0) + 1);
      for (const b of values.slice(index + 1)) within += 2 * difference(a, b);
    }
    observed += within / (values.length - 1);
    count += values.length;
  }
  if (count === 0) return NaN;
  return observed === 0 ? 1 : 1 - (observed * (count - 1)) / expectedDifference(totals, difference);
}

/** Sum of the differences of all pairs of answers, whichever example they are for. Equal answers are taken together: there are far fewer values than answers. */
function expectedDifference<V>(totals: ReadonlyMap<V, number>, difference: (a: V, b: V) => number): number {
  const entries = [...totals];
  let sum = 0;
  for (const [index, [a, countA]] of entries.entries()) for (const [b, countB] of entries.slice(index + 1)) sum += 2 * countA * countB * difference(a, b);
  return sum;
}
