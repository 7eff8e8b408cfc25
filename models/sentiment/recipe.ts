import * as path from 'node:path';
import { formatRecord } from '../../src/core/csv/appendColumns';
import { columnIndices } from '../../src/core/csv/columns';
import { RecordReader, recordBatches } from '../../src/core/csv/reader';
import { stratifiedSample } from '../../src/core/labels/split';
import { Random } from '../../src/core/util/random';
import { openInput, openOutput } from '../../src/platform/node/files';

/*
 * The data of the shipped model `sentiment`: English and Chinese texts, negative or positive.
 *
 * Only train files are trained on. What decides on early stopping is held out by text (sst2/valid.csv.gz is its official validation part); a training text that
 * equals a held-out one, or that holds or is held by one (the MR snippets that SST's sentences were cut from), is left out.
 */

interface Row {
  readonly set: string;
  readonly text: string;
  readonly label: string;
}

/** Set, file, and how many rows of it to hold out for early stopping. */
const sources = [
  { set: 'imdb', file: 'imdb/train.csv.gz', heldOut: 1000 },
  { set: 'sst2', file: 'sst2/train_phrases.csv.gz', heldOut: 0 },
  { set: 'rotten_tomatoes', file: 'rotten_tomatoes/train.csv.gz', heldOut: 0 },
  { set: 'customer_reviews', file: 'customer_reviews/train.csv.gz', heldOut: 300 },
  { set: 'uci_sentences', file: 'uci_sentences/train.csv.gz', heldOut: 200 },
  { set: 'chnsenticorp_hotel', file: 'chnsenticorp_hotel/train.csv.gz', heldOut: 500 },
  { set: 'online_shopping_10_cats', file: 'online_shopping_10_cats/train.csv.gz', heldOut: 1500 },
  { set: 'waimai_10k', file: 'waimai_10k/train.csv.gz', heldOut: 600 },
  { set: 'weibo2018', file: 'weibo2018/train.csv.gz', heldOut: 500 },
  { set: 'weibo_senti_100k_part', file: 'weibo_senti_100k_part/train.csv.gz', heldOut: 500 },
] as const;

const seed = 20261121;

/**
 * Writes `train.csv` and `valid.csv` (columns text, label, set) into `folder`.
 * @param data the folder that holds the sets, a folder each
 * @returns the flags that the training is to be called with
 */
export async function prepare(data: string, folder: string): Promise<string[]> {
  const valid: Row[] = (await readRows(path.join(data, 'sst2/valid.csv.gz'))).map((row) => ({ ...row, set: 'sst2' }));
  const candidates: Row[] = [];
  for (const { set, file, heldOut } of sources) {
    const rows = (await readRows(path.join(data, file))).map((row) => ({ ...row, set }));
    const held = new Set(heldOut === 0 ? [] : stratifiedSample(rows, heldOut, (row) => row.label, seed));
    for (const row of rows) (held.has(row) ? valid : candidates).push(row);
  }
  const heldKeys = new Set(valid.map((row) => looseKey(row.text)));
  const heldSentences = valid.filter((row) => row.set === 'sst2').map((row) => looseKey(row.text)).filter((key) => key.length >= 20);
  const heldFilms = valid.filter((row) => row.set === 'imdb').map((row) => looseKey(row.text)).join('\n');
  const train = candidates.filter((row) => {
    const key = looseKey(row.text);
    if (heldKeys.has(key)) return false;
    if (row.set === 'rotten_tomatoes' && heldSentences.some((sentence) => key.includes(sentence))) return false;
    return !(row.set === 'uci_sentences' && key.length >= 20 && heldFilms.includes(key));
  });
  const random = new Random(seed);
  const crops = train.filter((row) => row.set === 'imdb').flatMap((row) => crop(row, random));
  await writeRows(path.join(folder, 'train.csv'), random.shuffle([...train, ...crops]));
  await writeRows(path.join(folder, 'valid.csv'), valid);
  const count = (rows: readonly Row[]): string => sources.map(({ set }) => `${set} ${rows.filter((row) => row.set === set).length}`).join(', ');
  console.error(`train: ${count(train)}, and ${crops.length} crops of imdb\nheld out for early stopping: ${count(valid)}`);
  return [
    '--label', 'label', '--base', 'none', '--preset', 'bilstm-pool', '--embedding-size', '96', '--hidden-units', '96', '--vocabulary-size', '40000',
    '--dropout', '0.5', '--word-dropout', '0.15', '--label-smoothing', '0.05', '--weight-averaging', '0.999', '--learning-rate', '0.002', '--schedule', 'linear',
    '--batch-size', '64', '--epochs', '4', '--precision', 'int8', '--seed', String(seed),
    '--description', 'Negative or positive, for English and Chinese texts: reviews, posts, single sentences.',
  ];
}

/** Letters, digits and Han only, in lower case: equal for texts that differ in tokenization, spacing or punctuation. */
function looseKey(text: string): string {
  return text.normalize('NFKC').toLowerCase().replace(/[^\p{L}\p{N}]+/gu, '');
}

/** A run of one to four whole sentences of a long review, with the review's label: a model that saw only whole reviews fails on short texts. */
function crop(row: Row, random: Random): Row[] {
  const sentences = row.text.replace(/<br\s*\/?>/g, ' ').match(/[^.!?]+[.!?]+/g)?.map((sentence) => sentence.trim()) ?? [];
  if (sentences.length < 4) return [];
  const length = 1 + random.below(4);
  // opinions stand at a review's ends more often than in its middle, where the plot is told
  const start = random.float() < 0.7 ? sentences.length - length : 0;
  const text = sentences.slice(start, start + length).join(' ');
  return text.length < 20 ? [] : [{ ...row, text }];
}

async function readRows(file: string): Promise<{ text: string; label: string }[]> {
  const reader = new RecordReader(file);
  const rows: { text: string; label: string }[] = [];
  for await (const records of recordBatches(reader, (await openInput(file)).chunks)) {
    const [text, label] = columnIndices(reader, ['text', 'label']) as [number, number];
    for (const record of records) if (record.kind === 'row') rows.push({ text: record.value(text) ?? '', label: record.value(label) ?? '' });
  }
  return rows.filter((row) => row.text.trim() !== '');
}

async function writeRows(file: string, rows: readonly Row[]): Promise<void> {
  const dialect = { delimiter: ',', quote: '"' };
  const output = await openOutput(file);
  const lines = [['text', 'label', 'set'], ...rows.map((row) => [row.text, row.label, row.set])].map((values) => `${formatRecord(values, dialect)}\r\n`);
  await output.write(Buffer.from(lines.join('')));
  await output.commit();
}
