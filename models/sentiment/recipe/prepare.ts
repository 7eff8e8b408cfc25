import { mkdir, writeFile } from 'node:fs/promises';
import * as path from 'node:path';
import { formatRecord } from '../../../src/core/csv/appendColumns';
import { columnIndices } from '../../../src/core/csv/columns';
import { RecordReader, recordBatches } from '../../../src/core/csv/reader';
import { learnPieces } from '../../../src/core/text/pieces';
import { exampleId } from '../../../src/core/text/normalize';
import { TokenScanner } from '../../../src/core/text/scanner';
import { Tokenizer } from '../../../src/core/text/tokenizer';
import { Alphabet } from '../../../src/core/text/masks';
import { TokenCounter } from '../../../src/core/text/vocabulary';
import { openInput } from '../../../src/platform/node/files';
import { labelledSets, nested, testFiles, unlabelledSets, type LabelledSet } from './sets';

/*
 * From the data sets to arrays of token ids, which train.py reads: so there is one tokenizer, this one.
 *
 * Nothing that is evaluated on is trained on: rows are held out by the hash of their text, so equal texts stay together; a training text that equals one held out, or one of a test or
 * validation file of any set, is left out, and so is one that holds or is held by a held-out text where sets were cut from one another.
 */

/** Size of the vocabulary, and of the pieces in it. */
const vocabulary = { size: 32_000, pieces: 6_000, minFrequency: 8 } as const;

/** Tokens that are read of a text, in training and by the shipped models. */
export const maxTokens = 400;

/** Shortest text, in characters of its loose key, that is looked for inside others. */
const shortestNested = 20;

interface Row {
  readonly text: string;
  readonly label: string;
  readonly key: string;
  /** A row that comes a second time, with its title; to train on only. */
  readonly isRepeat?: true;
}

interface Prepared {
  readonly name: string;
  readonly language: 'en' | 'zh';
  readonly set?: LabelledSet;
  /** See {@link UnlabelledSet}. */
  readonly taughtBy?: readonly string[];
  readonly train: readonly Row[];
  readonly valid: readonly Row[];
}

/** What train.py and compose.ts know of a set. */
export interface PreparedSet {
  readonly name: string;
  readonly language: 'en' | 'zh';
  /** Absent for texts without labels. */
  readonly head?: string;
  /** Of a set without labels, see {@link UnlabelledSet}. */
  readonly taughtBy?: readonly string[];
  readonly train: number;
  readonly valid: number;
}

/** data.json */
export interface PreparedData {
  readonly vocabularySize: number;
  readonly maxTokens: number;
  /** Labels of each head, in the order of its units. */
  readonly heads: Readonly<Record<string, readonly string[]>>;
  readonly sets: readonly PreparedSet[];
}

/**
 * Writes into `folder`: `tokenizer.json` (after the first few, ids rise with how rare a token is), `data.json`, for each set and part `SET.PART.ids` (uint16, all texts one after another), `.lengths` (uint16) and `.labels` (uint16), and the held-out
 * rows as `SET.valid.csv` for `label-lens evaluate`.
 *
 * @param data the folder that holds the sets, a folder each
 * @param without names of sets that are left out, to see how the encoder does on what it has never met
 * @param say gets a line for each set
 */
export async function prepare(data: string, folder: string, without: ReadonlySet<string>, say: (line: string) => void = console.error): Promise<PreparedData> {
  await mkdir(folder, { recursive: true });
  const sets = await readSets(data, without);
  const tokenizer = Tokenizer.ofPieces(learnPieces(count(sets), vocabulary), { maxTokens });
  await writeFile(path.join(folder, 'tokenizer.json'), tokenizer.toJson());
  const heads: Record<string, string[]> = {};
  for (const { set, train, valid } of sets) if (set) heads[set.head] = [...new Set([...(heads[set.head] ?? []), ...[...train, ...valid].map(({ label }) => label)])].sort();
  const summary: PreparedSet[] = [];
  for (const { name, language, set, taughtBy, train, valid } of sets) {
    const labels = set && heads[set.head];
    for (const [part, rows] of [['train', train], ['valid', valid]] as const) {
      if (rows.length === 0) continue;
      const encoded = rows.map(({ text }) => tokenizer.encode(text));
      const file = (kind: string): string => path.join(folder, `${name}.${part}.${kind}`);
      await writeFile(file('ids'), Uint16Array.from(encoded.flatMap((ids) => Array.from(ids))));
      await writeFile(file('lengths'), Uint16Array.from(encoded, (ids) => ids.length));
      if (labels) await writeFile(file('labels'), Uint16Array.from(rows, ({ label }) => labels.indexOf(label)));
    }
    if (set) await writeCsv(path.join(folder, `${name}.valid.csv`), valid);
    summary.push({ name, language, ...(set ? { head: set.head } : {}), ...(taughtBy ? { taughtBy } : {}), train: train.length, valid: valid.length });
    say(`${name}: ${train.length} rows to train on, ${valid.length} held out`);
  }
  const prepared: PreparedData = { vocabularySize: tokenizer.vocabularySize, maxTokens, heads, sets: summary };
  await writeFile(path.join(folder, 'data.json'), `${JSON.stringify(prepared, null, 2)}\n`);
  return prepared;
}

async function readSets(data: string, without: ReadonlySet<string>): Promise<Prepared[]> {
  const read = (file: string, columns: readonly string[], set?: LabelledSet): Promise<Row[]> => readRows(path.join(data, file), columns, set);
  const never = new Set<string>();
  for (const file of testFiles) for (const { key } of await read(file, ['text'])) never.add(key);
  const sets: Prepared[] = [];
  for (const set of labelledSets.filter(({ name }) => !without.has(name))) {
    const columns = ['text', set.labelColumn ?? 'label', ...(set.hasTitles ? ['title'] : [])];
    const rows = await read(set.file, columns, set);
    const share = set.heldOut ?? 0;
    const valid = set.valid === undefined ? rows.filter(({ key, isRepeat }) => !isRepeat && shareOf(key) < share) : await read(set.valid, columns.slice(0, 2));
    const train = rows.filter(({ key }) => shareOf(key) >= share);
    sets.push({ name: set.name, language: set.language, set, train, valid });
  }
  for (const { name, file, language, source, taughtBy } of unlabelledSets) {
    if (without.has(name)) continue;
    const rows = await read(file, source === undefined ? ['text'] : ['text', 'source']);
    sets.push({ name, language, taughtBy: taughtBy.filter((other) => !without.has(other)), train: source === undefined ? rows : rows.filter(({ label }) => label === source), valid: [] });
  }
  for (const { valid } of sets) for (const { key } of valid) never.add(key);
  return sets.map((prepared) => {
    const around = nested.filter((group) => group.includes(prepared.name)).flat();
    const held = sets.filter(({ name }) => around.includes(name)).flatMap(({ valid }) => valid.map(({ key }) => key)).filter((key) => key.length >= shortestNested);
    const inside = held.join('\n');
    const isApart = ({ key }: Row): boolean => !never.has(key) && (key.length < shortestNested || !(inside.includes(key) || held.some((other) => key.includes(other))));
    return { ...prepared, train: prepared.train.filter(isApart) };
  });
}

/** How often each token occurs; that of a small set counts more, so that its words come into the vocabulary too. */
function count(sets: readonly Prepared[]): { token: string; count: number }[] {
  const total = new Map<string, number>();
  const scanner = new TokenScanner();
  for (const { train } of sets) {
    const counter = new TokenCounter();
    let tokens = 0;
    for (const { text } of train) {
      scanner.reset(text, false, everyLetter);
      for (; scanner.next(); tokens++) counter.add(scanner);
      scanner.release();
    }
    const weight = Math.sqrt(1e7 / Math.max(1, tokens));
    for (const { token, count } of counter.counted(1)) total.set(token, (total.get(token) ?? 0) + count * weight);
  }
  return [...total].map(([token, count]) => ({ token, count }));
}

/** Takes addresses, names and long numbers out of what is counted, and no character. */
const everyLetter = Alphabet.ofAll();

/** Whether the recipe holds a text of a set's train file out; undefined of a set that it does not know, or that has a file of its own for that. */
export function isHeldOut(name: string, text: string): boolean | undefined {
  const share = labelledSets.find((set) => set.name === name)?.heldOut;
  return share === undefined ? undefined : shareOf(looseKey(text)) < share;
}

/** 0..1 by the hash of a text. */
const shareOf = (key: string): number => Number.parseInt(exampleId(key).slice(0, 8), 16) / 0x1_0000_0000;

/** Letters, digits and Han only, in lower case: equal for texts that differ in tokenization, spacing or punctuation. */
function looseKey(text: string): string {
  return text.normalize('NFKC').toLowerCase().replace(/[^\p{L}\p{N}]+/gu, '');
}

async function readRows(file: string, columns: readonly string[], set?: LabelledSet): Promise<Row[]> {
  const reader = new RecordReader(file);
  const rows: Row[] = [];
  for await (const records of recordBatches(reader, (await openInput(file)).chunks)) {
    const [textAt, labelAt, titleAt] = columnIndices(reader, [...columns]);
    for (const record of records) {
      if (record.kind !== 'row' || textAt === undefined) continue;
      const raw = record.value(textAt) ?? '';
      if (raw.trim() === '') continue;
      const text = set?.links && shareOf(looseKey(raw)) < 0.5 ? raw.replace(/\bhttp\b(?!:)/g, 'http://link') : raw;
      const label = labelAt === undefined ? '' : (record.value(labelAt) ?? '');
      const title = titleAt === undefined ? '' : (record.value(titleAt) ?? '');
      const key = looseKey(raw);
      rows.push({ text, label, key });
      if (title !== '') rows.push({ text: `${title}\n\n${text}`, label, key, isRepeat: true });
    }
  }
  return rows;
}

async function writeCsv(file: string, rows: readonly Row[]): Promise<void> {
  const dialect = { delimiter: ',', quote: '"' };
  await writeFile(file, [['text', 'label'], ...rows.map(({ text, label }) => [text, label])].map((values) => `${formatRecord(values, dialect)}\r\n`).join(''));
}
