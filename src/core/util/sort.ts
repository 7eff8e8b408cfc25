/** Items sorted, copied or looked at between two pauses. */
const atOnce = 1000;

/**
 * Sorts any number of items in slices, so that the thread is never kept for long: stable, and quick where the items come in runs that are in order already.
 *
 * @param compare as for `Array.prototype.sort`
 * @param breathe lets the thread handle what has come in
 * @returns a new array
 */
export async function sortInSlices<T>(items: readonly T[], compare: (a: T, b: T) => number, breathe: () => Promise<void>): Promise<T[]> {
  let runs: T[][] = [];
  for (let start = 0; start < items.length; start += atOnce) {
    runs.push(items.slice(start, start + atOnce).sort(compare));
    await breathe();
  }
  while (runs.length > 1) {
    const merged: T[][] = [];
    for (let i = 0; i < runs.length; i += 2) merged.push(await merge(runs[i] ?? [], runs[i + 1] ?? [], compare, breathe));
    runs = merged;
  }
  return runs[0] ?? [];
}

async function merge<T>(left: readonly T[], right: readonly T[], compare: (a: T, b: T) => number, breathe: () => Promise<void>): Promise<T[]> {
  const [last, first] = [left.at(-1), right[0]];
  if (last === undefined || first === undefined || compare(last, first) <= 0) return left.concat(right);
  const merged: T[] = [];
  let [i, j] = [0, 0];
  for (;;) {
    const [a, b] = [left[i], right[j]];
    if (a === undefined || b === undefined) break;
    if (compare(a, b) <= 0) {
      merged.push(a);
      i++;
    } else {
      merged.push(b);
      j++;
    }
    if (merged.length % atOnce === 0) await breathe();
  }
  return merged.concat(left.slice(i), right.slice(j));
}
