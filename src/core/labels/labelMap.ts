import { columnIndices } from '../csv/columns';
import { readAll } from '../csv/reader';
import { withoutGz } from '../csv/dialect';
import { HumanError } from '../errors';

/** What each value of a label column becomes; rows whose label becomes '' are to be dropped. */
export type LabelMap = ReadonlyMap<string, string>;

/** Most entries of a map, and UTF-16 units of a value in it. */
const limits = { entries: 10_000, length: 1_000, bytes: 10_000_000 } as const;

/**
 * Reads `old=new,old2=new2`; `\\,`, `\\=` and `\\\\` stand for the signs themselves, nothing after `=` drops the rows.
 *
 * @param where what a person knows it as, such as `--map`
 * @throws HumanError `map.pair`, `map.twice`, `map.size`
 */
export function parseLabelMap(text: string, where: string): LabelMap {
  const parts: string[] = [''];
  const pairs: string[][] = [parts];
  for (const [sign] of text.matchAll(/\\[\\,=]|[^]/gu)) {
    const pair = pairs.at(-1)!;
    if (sign === ',') pairs.push(['']);
    else if (sign === '=') pair.push('');
    else pair[pair.length - 1] += sign.length === 2 && sign.startsWith('\\') ? sign[1]! : sign;
  }
  return collect(
    pairs.map((pair) => {
      if (pair.length !== 2) throw new HumanError('map.pair', '{0} says "{1}", which is no pair of two values. Write old=new, and \\= or \\, for a sign that belongs to a value.', [where, pair.join('=').slice(0, 100)]);
      return [pair[0]!, pair[1]!];
    }),
    where,
  );
}

/**
 * Reads a map from a file: a table with the columns `from` and `to`, or a .json file with one object whose members are the pairs.
 *
 * @param file its name, which tells the format
 * @throws HumanError `map.size`, `map.json`, `map.row`, `map.twice`, `csv.…`
 */
export function readLabelMap(bytes: Uint8Array, file: string): LabelMap {
  if (bytes.length > limits.bytes) throw new HumanError('map.size', '{0} is too large for a map of labels, which has at most {1} pairs of up to {2} characters. Choose the right file.', [file, limits.entries, limits.length]);
  return collect(withoutGz(file).toLowerCase().endsWith('.json') ? jsonPairs(bytes, file) : tablePairs(bytes, file), file);
}

/** The label as it is to be called; undefined where it is not wanted. @param onlyMapped whether labels that the map lacks are not wanted either */
export function mapLabel(label: string, map: LabelMap, onlyMapped: boolean): string | undefined {
  const mapped = map.get(label) ?? (onlyMapped ? '' : label);
  return mapped === '' ? undefined : mapped;
}

/** Several labels, each as {@link mapLabel} has it, once. Undefined where none of them is wanted; no labels stay none. */
export function mapLabels(labels: readonly string[], map: LabelMap, onlyMapped: boolean): readonly string[] | undefined {
  const mapped = [...new Set(labels.flatMap((label) => mapLabel(label, map, onlyMapped) ?? []))];
  return mapped.length === 0 && labels.length > 0 ? undefined : mapped;
}

function jsonPairs(bytes: Uint8Array, file: string): (readonly [string, string])[] {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw notPairs(file, error);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw notPairs(file);
  return Object.entries(value).map(([from, to]: [string, unknown]) => {
    if (typeof to !== 'string') throw notPairs(file);
    return [from, to];
  });
}

function notPairs(file: string, cause?: unknown): HumanError {
  return new HumanError('map.json', '{0} is no map of labels. Write one JSON object such as {"old": "new"}, or a table with the columns from and to.', [file], { cause });
}

function tablePairs(bytes: Uint8Array, file: string): (readonly [string, string])[] {
  const records = readAll(file, bytes, { format: 'csv', header: true }).filter((record) => record.kind === 'row');
  const source = records[0]?.source ?? { fileName: file, columns: [] };
  const [from, to] = columnIndices(source, ['from', 'to']) as [number, number];
  return records.map((record) => {
    const old = record.value(from) ?? '';
    if (old.trim() === '') throw new HumanError('map.row', '{0}, row {1}, column "from" is empty, so nothing can be mapped by it. Write the value that stands in the data there, or take the row out.', [file, record.row]);
    return [old, record.value(to) ?? ''];
  });
}

function collect(pairs: readonly (readonly [string, string])[], where: string): LabelMap {
  const map = new Map<string, string>();
  for (const [from, to] of pairs) {
    const [old, now] = [from.trim(), to.trim()];
    if (old === '' || old.length > limits.length || now.length > limits.length || pairs.length > limits.entries)
      throw new HumanError('map.size', '{0} cannot map "{1}": a value has 1 to {2} characters, and a map at most {3} pairs. Correct it.', [where, old.slice(0, 40), limits.length, limits.entries]);
    const before = map.get(old);
    if (before !== undefined && before !== now) throw new HumanError('map.twice', '{0} maps "{1}" to "{2}" and to "{3}". Leave one of them.', [where, old, before, now]);
    map.set(old, now);
  }
  return map;
}
