import { normalizeText } from '../text/normalize';
import { Random } from '../util/random';

/** Rows between two looks at what has come in. */
const rowsAtOnce = 2000;

/**
 * What rows with several labels are stratified by: their labels, where at least `fewest` rows have just these, else the rarest of them.
 *
 * @param sets labels of each row
 * @param fewest rows that make a stratum of their own
 */
export function setStrata(sets: readonly (readonly string[])[], fewest: number): string[] {
  const keyOf = (set: readonly string[]): string => JSON.stringify([...set].sort());
  const bySet = counts(sets.map(keyOf));
  const byLabel = counts(sets.flat());
  return sets.map((set) => {
    const key = keyOf(set);
    const [rarest] = [...set].sort((a, b) => byLabel.get(a)! - byLabel.get(b)! || (a < b ? -1 : 1));
    return rarest === undefined || bySet.get(key)! >= fewest ? key : JSON.stringify(rarest);
  });
}

/**
 * What rows with a number are stratified by: the quantile that it is in, of up to ten. Equal numbers are in the same.
 *
 * @param fewest rows that make a stratum
 */
export function quantileStrata(values: readonly number[], fewest: number): string[] {
  const strata = Math.max(1, Math.min(10, Math.floor(values.length / fewest)));
  const sorted = Float64Array.from(values).sort();
  const bounds = Array.from({ length: strata - 1 }, (_, k) => sorted[Math.floor(((k + 1) * sorted.length) / strata)]!);
  return values.map((value) => String(bounds.filter((bound) => bound <= value).length));
}

function counts(keys: readonly string[]): Map<string, number> {
  const found = new Map<string, number>();
  for (const key of keys) found.set(key, (found.get(key) ?? 0) + 1);
  return found;
}

/** Rows in two parts, each in the order of the input. */
export interface Split<R> {
  readonly kept: R[];
  readonly heldOut: R[];
}

/** How to read rows, and the seed of the draw. */
export interface SplitOptions<R> {
  /** What is to be spread evenly; of rows with equal texts that of the first counts. */
  labelOf(row: R): string;
  textOf(row: R): string;
  readonly seed: number;
  /** Lets the thread handle what has come in. */
  breathe(): Promise<void>;
}

/**
 * Splits rows into a kept and a held-out part, seeded and stratified by label. Rows whose normalized texts are equal stay on one side, so that nothing
 * that is evaluated on was trained on.
 *
 * @param ratio share to hold out, in 0..1 (exclusive); each label with at least two distinct texts gives at least one and keeps at least one
 */
export async function stratifiedSplit<R>(rows: readonly R[], ratio: number, options: SplitOptions<R>): Promise<Split<R>> {
  const [kept = [], heldOut = []] = await stratifiedParts(rows, [1 - ratio, ratio], options);
  return { kept, heldOut };
}

/**
 * As {@link stratifiedSplit}, into any number of parts.
 *
 * @param shares of the parts, each in 0..1, the first above 0. Of each label the first part gets at least one text; each of the others that has a share gets at least one as far as there are texts, in their order
 * @returns the parts, each in the order of the input; together they are `rows`
 */
export async function stratifiedParts<R>(rows: readonly R[], shares: readonly number[], options: SplitOptions<R>): Promise<R[][]> {
  const partOf = new Uint8Array(rows.length);
  for (const groups of await textGroups(rows, options)) {
    let at = 0;
    for (const [part, size] of partSizes(groups.length, shares).entries()) for (let i = 0; i < size; i++) for (const index of groups[at++]!) partOf[index] = part + 1;
  }
  await options.breathe();
  return shares.map((_, part) => rows.filter((_, index) => partOf[index] === part));
}

/** How many of `count` texts of a label the parts after the first get. */
function partSizes(count: number, [, ...shares]: readonly number[]): number[] {
  const sizes = shares.map((share) => (share === 0 ? 0 : Math.max(1, Math.round(count * share))));
  for (let over = sizes.reduce((sum, size) => sum + size, 0) - (count - 1); over > 0; over--) sizes[sizes.lastIndexOf(Math.max(...sizes))]!--;
  return sizes;
}

/**
 * Indices of the rows, those with equal normalized texts as one group.
 * @returns for each label, in the order of their names, its groups, shuffled with the seed
 */
export async function textGroups<R>(rows: readonly R[], options: SplitOptions<R>): Promise<number[][][]> {
  const groups = new Map<string, { label: string; rows: number[] }>();
  for (const [index, row] of rows.entries()) {
    if (index % rowsAtOnce === rowsAtOnce - 1) await options.breathe();
    // as texts share an id that are the same normalized, but without the cost of the hash
    const text = normalizeText(options.textOf(row));
    const group = groups.get(text);
    if (group) group.rows.push(index);
    else groups.set(text, { label: options.labelOf(row), rows: [index] });
  }
  const byLabel = new Map<string, number[][]>();
  for (const group of groups.values()) {
    const list = byLabel.get(group.label);
    if (list) list.push(group.rows);
    else byLabel.set(group.label, [group.rows]);
  }
  await options.breathe();
  const random = new Random(options.seed);
  return [...byLabel.keys()].sort().map((label) => random.shuffle(byLabel.get(label)!));
}

/**
 * `count` rows that keep the labels' shares as nearly as whole rows allow (largest remainder), drawn with `seed`.
 * @returns the drawn rows in shuffled order; all rows, shuffled, when there are no more than `count`
 */
export function stratifiedSample<R>(rows: readonly R[], count: number, labelOf: (row: R) => string, seed: number): R[] {
  const random = new Random(seed);
  const byLabel = new Map<string, R[]>();
  for (const row of rows) {
    const list = byLabel.get(labelOf(row));
    if (list) list.push(row);
    else byLabel.set(labelOf(row), [row]);
  }
  const labels = [...byLabel.keys()].sort();
  const share = Math.min(1, count / Math.max(1, rows.length));
  const quotas = labels.map((label) => {
    const exact = byLabel.get(label)!.length * share;
    return { label, take: Math.floor(exact), rest: exact - Math.floor(exact) };
  });
  let missing = Math.min(count, rows.length) - quotas.reduce((sum, quota) => sum + quota.take, 0);
  for (const quota of [...quotas].sort((a, b) => b.rest - a.rest)) {
    if (missing <= 0) break;
    quota.take++;
    missing--;
  }
  return random.shuffle(quotas.flatMap(({ label, take }) => random.shuffle([...byLabel.get(label)!]).slice(0, take)));
}
