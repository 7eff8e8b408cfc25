/** What a task that is being made can be proposed: labels and ranges from the columns of a table, names, paths. */
import { guessLabelColumn } from '../../core/csv/columns';

/** Labels that a task gets from a column at most, and characters of one. */
export const mostLabels = 50;
const longestLabel = 60;

/** A column whose values may be labels. */
export interface LabelColumn {
  readonly index: number;
  readonly name: string;
  /** Its different values, most frequent first. */
  readonly labels: readonly string[];
  /** Smallest and largest value, if all are numbers. */
  readonly range?: Range;
  /** Whether its name or its values speak for labels. */
  readonly isLikely: boolean;
}

export interface Range {
  readonly minimum: number;
  readonly maximum: number;
}

/**
 * The columns that may hold labels, the likeliest first: not the text columns, and of few, short values that come again.
 *
 * @param rows values of some rows, in the order of `names`
 */
export function labelColumnsOf(names: readonly string[], rows: readonly (readonly string[])[], textColumns: readonly string[]): LabelColumn[] {
  const guess = guessLabelColumn(names, rows);
  const found = names.flatMap((name, index): LabelColumn[] => {
    const values = rows.flatMap((row) => (row[index]?.trim() ? [row[index].trim()] : []));
    const labels = byFrequency(values);
    const isLikely = index === guess;
    const repeats = labels.length >= 2 && labels.length <= values.length / 2;
    const fits = labels.length > 0 && labels.length <= mostLabels && labels.every((label) => label.length <= longestLabel);
    if (textColumns.includes(name) || !fits || !(repeats || isLikely)) return [];
    const numbers = values.map(Number);
    const isNumeric = numbers.every((number) => Number.isFinite(number));
    return [{ index, name, labels, isLikely, ...(isNumeric ? { range: { minimum: smallest(numbers), maximum: largest(numbers) } } : {}) }];
  });
  // stars are as often data as labels: words come first
  return found.sort((a, b) => Number(b.isLikely) - Number(a.isLikely) || Number(a.range !== undefined) - Number(b.range !== undefined) || a.index - b.index);
}

/** Different values, most frequent first; equally frequent ones in the order in which they came. */
export function byFrequency(values: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].sort(([, a], [, b]) => b - a).map(([value]) => value);
}

/** Labels that a person has typed, with commas or semicolons between; each once. */
export function parseLabels(text: string): string[] {
  const labels = text.split(/[,;，；、\n]/u).map((label) => label.replace(/\s+/gu, ' ').trim());
  return [...new Set(labels.filter((label) => label !== ''))].map((label) => Array.from(label).slice(0, longestLabel).join(''));
}

/** A range that a person has typed, such as `1 - 5`, `0..1` or `-1 to 1`; undefined if it is none. */
export function parseRange(text: string): Range | undefined {
  const ends = /^\s*([-−]?\d+(?:\.\d+)?)\s*(?:\.\.+|…|to|bis|至|到|[-–—~,;\s])\s*([-−]?\d+(?:\.\d+)?)\s*$/u.exec(text);
  if (!ends) return undefined;
  const [minimum, maximum] = ends.slice(1).map((end) => Number(end.replace('−', '-'))) as [number, number];
  return minimum < maximum ? { minimum, maximum } : undefined;
}

/** `name`, or the first of `name-2`, `name-3` … that is not taken. Letter case is no difference, as on many disks. */
export function uniqueName(name: string, taken: readonly string[]): string {
  const folded = new Set(taken.map((each) => each.toLowerCase()));
  for (let n = 1; ; n++) {
    const candidate = n === 1 ? name : `${name}-${n}`;
    if (!folded.has(candidate.toLowerCase())) return candidate;
  }
}

/** How a task names a file or folder within its folder: by its path from there, with `/`; `.` is the folder itself. Both are absolute. */
export function sourcePath(folder: string, file: string): string {
  const [base, target] = [folder, file].map((each) => each.replaceAll('\\', '/').replace(/\/+$/, '')) as [string, string];
  // Windows writes the letter of a drive either way
  const plain = (path: string): string => path.replace(/^[A-Z]:/, (drive) => drive.toLowerCase());
  if (plain(base) === plain(target)) return '.';
  if (!plain(target).startsWith(`${plain(base)}/`)) throw new RangeError(`${file} is not in ${folder}`);
  return target.slice(base.length + 1);
}

function smallest(numbers: readonly number[]): number {
  return numbers.reduce((least, number) => Math.min(least, number), Infinity);
}

function largest(numbers: readonly number[]): number {
  return numbers.reduce((most, number) => Math.max(most, number), -Infinity);
}
