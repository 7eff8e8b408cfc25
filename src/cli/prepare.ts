import { resolve } from 'node:path';
import { defaultShares, partNames, prepareFile, type PartName, type PrepareSummary } from '../app/prepare';
import { RecordReader } from '../core/csv/reader';
import { HumanError } from '../core/errors';
import { parseLabelMap, readLabelMap, type LabelMap } from '../core/labels/labelMap';
import { UsageError, type Arguments, type CommandSpec } from './arguments';
import type { CliContext, Output } from './context';
import { folderFlag, jsonFlag, labelOfKindFlag, readFolder, readSeed, readTextColumns, seedFlag } from './flags';
import { DefectNotes } from './labeledFile';
import { kindFlag, readKind } from './kinds';
import { readSmallFile } from './smallFile';
import { ProgressLine } from './terminal';
import { textTable } from './textTable';

export const prepareSpec: CommandSpec = {
  summary: 'Makes training, validation and test data of a labelled file: train.csv, valid.csv and test.csv.',
  operands: '--label COL --output DIR FILE',
  flags: {
    label: labelOfKindFlag,
    text: { value: 'COL[,COL…]', help: 'text columns, joined in order with a blank line; joined texts go to the column text (default text)' },
    kind: kindFlag,
    map: { value: 'OLD=NEW[,…]', help: 'what labels become; nothing after = drops the rows; \\, and \\= are the signs themselves' },
    'map-file': { value: 'FILE', help: 'the same as a table with the columns from and to, or as JSON {"old": "new"}' },
    'only-mapped': { help: 'drop rows whose label is not mapped (else it is kept as it is)' },
    words: { value: 'N', help: 'keep the first N words of a text, Chinese characters each one' },
    'drop-repeated': { help: 'keep only the first of rows with the same text' },
    'drop-contradictory': { help: 'drop all rows of a text that comes with different labels' },
    split: { value: 'A,B,C', help: `shares of train.csv, valid.csv and test.csv (default ${partNames.map((name) => defaultShares[name]).join(',')})` },
    seed: seedFlag('start of the random numbers; the same seed gives the same parts'),
    output: folderFlag('the three files'),
    json: jsonFlag,
  },
};

/** `label-lens prepare`. */
export async function prepare(args: Arguments, context: CliContext): Promise<void> {
  const file = args.file();
  const labelColumn = args.required('label');
  const textColumns = readTextColumns(args);
  const folder = readFolder(args);
  const kind = readKind(args);
  const words = args.wholeNumber('words', 1);
  const seed = readSeed(args);
  const shares = readShares(args);
  const map = await readMap(args, context);
  if (args.has('only-mapped') && map.size === 0) throw new UsageError('--only-mapped drops what --map and --map-file lack. Give one of them.');

  const files = partNames.map((name) => `${folder}/${name}.csv`);
  const same = files.find((each) => resolve(each).toLowerCase() === resolve(file).toLowerCase());
  if (same !== undefined) throw new HumanError('prepare.same', 'The parts would replace {0} itself. Choose another folder for --output.', [same]);
  const input = await context.openInput(file);
  const progress = new ProgressLine(context.terminal);
  const defects = new DefectNotes(context);
  const sinks: Partial<Record<PartName, Output>> = {};
  let summary: PrepareSummary;
  try {
    await context.createFolder(folder);
    for (const [part, name] of partNames.entries()) sinks[name] = await context.openOutput(files[part]!);
    summary = await prepareFile({
      chunks: input.chunks,
      reader: new RecordReader(file === '-' ? 'standard input' : file, file === '-' ? { format: 'csv' } : {}),
      sinks: sinks as Record<PartName, Output>,
      textColumns,
      labelColumn,
      kind,
      map,
      onlyMapped: args.has('only-mapped'),
      ...(words === undefined ? {} : { words }),
      dropRepeated: args.has('drop-repeated'),
      dropContradictory: args.has('drop-contradictory'),
      shares,
      seed,
      pause: context.pause,
      signal: context.signal,
      onProgress: ({ doing, rows }) => progress.update(doing === 'reading' ? input.fraction() : undefined, `${doing}: ${rows} rows`),
      onDefect: (defect) => defects.note(defect.message),
    });
  } catch (error) {
    for (const sink of Object.values(sinks)) await sink.discard();
    throw error;
  } finally {
    progress.clear();
  }
  defects.finish();
  for (const line of notes(summary)) context.terminal.stderr(`${line}\n`);
  for (const line of describe(file, summary)) context.terminal.stdout(`${line}\n`);
  if (args.has('json')) context.terminal.stdout(`${JSON.stringify({ ...jsonOf(summary), files })}\n`);
}

async function readMap(args: Arguments, context: CliContext): Promise<LabelMap> {
  const text = args.text('map');
  const file = args.text('map-file');
  const given = text === undefined ? new Map<string, string>() : parseLabelMap(text, '--map');
  // the command line wins over the file
  return file === undefined ? given : new Map([...readLabelMap(await readSmallFile(context, file), file), ...given]);
}

function readShares(args: Arguments): Readonly<Record<PartName, number>> {
  const list = args.list('split');
  if (list === undefined) return defaultShares;
  const [train = NaN, valid = NaN, test = NaN] = list.map(Number);
  const isShare = (share: number): boolean => share >= 0 && share <= 1;
  if (list.length !== partNames.length || !(train > 0) || ![train, valid, test].every(isShare) || Math.abs(train + valid + test - 1) > 1e-6)
    throw new UsageError('--split takes three shares whose sum is 1, such as 0.8,0.1,0.1; the last two may be 0.');
  return { train, valid, test };
}

/** What a person should look at. */
function notes({ contradictions, unused }: PrepareSummary): string[] {
  const { texts, rows, first } = contradictions;
  return [
    ...(texts > 0 ? [`${texts} texts come with different labels (${rows} rows):`] : []),
    ...first.map(({ rows: [one, other], labels }) => `  rows ${one} and ${other}: ${labels.join(', ')}`),
    ...(texts > first.length ? [`  … and ${texts - first.length} more.`] : []),
    ...(unused.length > 0 ? [`No row has these labels of the map: ${unused.slice(0, 10).join(', ')}${unused.length > 10 ? ' …' : ''}`] : []),
  ];
}

/** The summary as a table. */
function describe(file: string, { rows, kept, dropped, parts }: PrepareSummary): string[] {
  const labels = [...new Set(partNames.flatMap((name) => [...parts[name].labels.keys()]))].sort();
  const counted = partNames.map((name) => parts[name]);
  const lines = [...labels.map((label) => [label, ...counted.map((part) => String(part.labels.get(label) ?? 0))]), ['rows', ...counted.map((part) => String(part.rows))]];
  const why = { noText: 'without a text', noLabel: 'without a label', notMapped: 'not mapped', contradictory: 'contradictory', repeated: 'repeated' };
  const reasons = Object.entries(why).flatMap(([reason, words]) => (dropped[reason as keyof typeof why] > 0 ? [`${dropped[reason as keyof typeof why]} ${words}`] : []));
  return [`${file}: ${rows} rows, ${kept} kept${reasons.length > 0 ? `, dropped: ${reasons.join(', ')}` : ''}`, '', ...textTable(['label', ...partNames], lines, [1, 2, 3])];
}

function jsonOf({ parts, ...summary }: PrepareSummary): object {
  return { ...summary, parts: Object.fromEntries(partNames.map((name) => [name, { rows: parts[name].rows, labels: Object.fromEntries(parts[name].labels) }])) };
}
