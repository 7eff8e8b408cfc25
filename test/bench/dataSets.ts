import { existsSync } from 'node:fs';
import * as path from 'node:path';
import { isHeldOut } from '../../models/sentiment/recipe/prepare';
import { readLabeled, type LabeledText } from '../../src/app/labeledRows';
import { RecordReader } from '../../src/core/csv/reader';
import { stratifiedSample } from '../../src/core/labels/split';
import { exampleId } from '../../src/core/text/normalize';
import { openInput } from '../../src/platform/node/files';

/** A public set of labelled texts: folder SET with `train.csv.gz`, and `test.csv.gz` or `valid.csv.gz` where there is one. */
export interface DataSet {
  readonly name: string;
  readonly training: readonly LabeledText[];
  readonly test: readonly LabeledText[];
  /** Whether `test` is no file of its own. */
  readonly hashed: boolean;
  readonly labels: readonly string[];
}

/** The labelled rows of a file. */
export async function readRows(file: string): Promise<readonly LabeledText[]> {
  const input = await openInput(file);
  const { rows } = await readLabeled({ chunks: input.chunks, reader: new RecordReader(file), textColumns: ['text'], labelColumn: 'label' });
  return rows;
}

/** A set of the folder, at most `testRows` of its test rows; with `hashed`, these are picked from the train file even where there is a file of them. Undefined where it has no labelled train file or numbers for labels. */
export async function readSet(folder: string, name: string, { hashed, testRows }: { readonly hashed: boolean; readonly testRows: number }): Promise<DataSet | undefined> {
  const file = path.join(folder, name, 'train.csv.gz');
  if (!existsSync(file)) return undefined;
  const rows = await readRows(file);
  const testFile = (hashed ? [] : ['test.csv.gz', 'valid.csv.gz']).map((own) => path.join(folder, name, own)).find((own) => existsSync(own));
  const isTest = ({ text }: LabeledText): boolean => (hashed ? undefined : isHeldOut(name, text)) ?? Number.parseInt(exampleId(text).slice(0, 8), 16) < 0.2 * 2 ** 32;
  const test = testFile === undefined ? rows.filter(isTest) : await readRows(testFile);
  const tested = new Set(test.map(({ text }) => exampleId(text)));
  const training = rows.filter(({ text }) => !tested.has(exampleId(text)));
  const labels = [...new Set(training.map(({ label }) => label))].sort();
  if (labels.length > 100) {
    console.error(`${name}: ${labels.length} labels, which are numbers or no labels; passed over`);
    return undefined;
  }
  const known = test.filter(({ label }) => labels.includes(label));
  return { name, training, test: stratifiedSample(known, Math.min(known.length, testRows), ({ label }) => label, 1), hashed: testFile === undefined, labels };
}
