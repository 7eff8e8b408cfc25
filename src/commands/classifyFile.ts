import * as vscode from 'vscode';
import { guessTextColumns } from '../core/csv/columns';
import type { Defect } from '../core/csv/defects';
import { RecordReader } from '../core/csv/reader';
import { CancelledError, HumanError } from '../core/errors';
import { askedModel, classifyFile as classifyRecords, type ClassifySummary } from '../app/classifyFile';
import type { ColumnChoice } from '../editor/rowAnnotations';
import { pickColumns } from './chooseTextColumns';
import { either, isSaved, nameOf, sampleTable, valuesOf } from './sourceFile';
import type { Workbench } from './workbench';

/** What another extension, a key binding or a test may say beforehand; what is missing is asked for. */
export interface ClassifyFileArguments {
  readonly source?: vscode.Uri;
  readonly output?: vscode.Uri;
  /** Names of the text columns. */
  readonly columns?: readonly string[];
  /** Cancels as the button of the notification does. */
  readonly token?: vscode.CancellationToken;
}

export interface ClassifiedFile extends ClassifySummary {
  readonly output: vscode.Uri;
}

const CLASSIFIABLE = /\.(csv|tsv|tab|psv|jsonl|ndjson|txt|log)(\.gz)?$/i;
/** Rows that are looked at to tell which columns hold text. */
const SAMPLE_ROWS = 200;
/** Defects of a file that the log lists. */
const LOGGED_DEFECTS = 100;

/**
 * Writes a copy of a file of any size with the columns `predicted` and `score`, asking for what is unclear. Nothing half-written stays behind.
 *
 * @returns undefined if the person changed their mind
 */
export async function classifyFile(workbench: Workbench, args: ClassifyFileArguments): Promise<ClassifiedFile | undefined> {
  const { session, log } = workbench;
  const source = args.source ?? (await chooseSource());
  if (!source) return undefined;
  if (source.scheme !== 'file') throw new HumanError('classifyFile.scheme', '{0} is not on this machine’s disk, and files are classified from there. Save a copy of it first.', [source.path]);
  const hasChanges = vscode.l10n.t('{0} has changes that are not saved. The file on disk is what gets classified.', nameOf(source));
  if (!(await isSaved(source, hasChanges, vscode.l10n.t('Save and Classify')))) return undefined;
  const columns = args.columns ?? (await columnsOf(workbench, source));
  if (!columns) return undefined;
  const output = args.output ?? (await vscode.window.showSaveDialog({ defaultUri: defaultOutput(source), title: vscode.l10n.t('Save the Classified Copy As'), saveLabel: vscode.l10n.t('Classify') }));
  if (!output) return undefined;
  if (output.scheme !== 'file') throw new HumanError('classifyFile.scheme', '{0} is not on this machine’s disk, and files are classified from there. Save a copy of it first.', [output.path]);
  // names that differ only by case are the same file on many disks
  if (output.fsPath.toLowerCase() === source.fsPath.toLowerCase()) throw new HumanError('classifyFile.same', 'The copy cannot replace {0} itself. Choose another name for it.', [nameOf(source)]);

  const started = Date.now();
  const defects: Defect[] = [];
  session.retryIfFailed();
  const summary = await vscode.window.withProgress(
    { location: vscode.ProgressLocation.Notification, title: vscode.l10n.t('Classifying {0}', nameOf(source)), cancellable: true },
    (progress, token) => run(workbench, { source, output, columns, signal: either(token, args.token), progress, defects }),
  );
  log.info(`Classified ${summary.rows} rows of ${source.fsPath} into ${output.fsPath} in ${((Date.now() - started) / 1000).toFixed(1)} s`);
  for (const defect of defects) log.warn(defect.message);
  if (summary.defects > defects.length) log.warn(`… and ${summary.defects - defects.length} more`);
  // not awaited: the copy is there, whether or not the message is closed
  void offer(workbench, output, summary);
  return { ...summary, output };
}

interface Run {
  readonly source: vscode.Uri;
  readonly output: vscode.Uri;
  readonly columns: readonly string[];
  readonly signal: AbortSignal;
  readonly progress: vscode.Progress<{ message?: string; increment?: number }>;
  /** Gets the first defects. */
  readonly defects: Defect[];
}

async function run({ session, files }: Workbench, { source, output, columns, signal, progress, defects }: Run): Promise<ClassifySummary> {
  const { opened } = await session.current();
  if (signal.aborted) throw new CancelledError();
  const sink = await files.openOutput(output.fsPath);
  const input = await files.openInput(source.fsPath).catch(async (error: unknown) => {
    await sink.discard();
    throw error;
  });
  let shown = 0;
  return await classifyRecords({
    chunks: input.chunks,
    reader: new RecordReader(nameOf(source)),
    sink,
    predictor: session.predictor,
    model: askedModel(opened),
    textColumns: columns,
    signal,
    onProgress: ({ rows }) => {
      const percent = Math.floor((input.fraction() ?? 0) * 100);
      progress.report({ message: vscode.l10n.t('{0} rows', rows.toLocaleString(vscode.env.language)), increment: Math.max(0, percent - shown) });
      shown = Math.max(shown, percent);
    },
    onDefect: (defect) => {
      if (defects.length < LOGGED_DEFECTS) defects.push(defect);
    },
  });
}

async function chooseSource(): Promise<vscode.Uri | undefined> {
  const active = vscode.window.activeTextEditor?.document.uri;
  if (active?.scheme === 'file' && CLASSIFIABLE.test(active.path)) return active;
  const chosen = await vscode.window.showOpenDialog({
    title: vscode.l10n.t('Choose a File to Classify'),
    openLabel: vscode.l10n.t('Classify'),
    filters: { [vscode.l10n.t('Tables and texts')]: ['csv', 'tsv', 'tab', 'psv', 'jsonl', 'ndjson', 'txt', 'log', 'gz'] },
  });
  return chosen?.[0];
}

/** Names of the text columns: as chosen before for this file, else the one that plainly holds the text, else as the person says. */
async function columnsOf({ rows, files }: Workbench, source: vscode.Uri): Promise<readonly string[] | undefined> {
  const table = await sampleTable(source, files, SAMPLE_ROWS);
  const { names, rows: samples } = table;
  const remembered = rows.rememberedColumns(source)?.filter((name) => names.includes(name));
  if (remembered && remembered.length > 0) return remembered;
  if (names.length <= 1) return names.length === 1 ? names : ['text'];
  const guess = guessTextColumns(names, samples);
  if (guess.length > 0 && isPlain(guess[0]!, samples)) return guess.map((column) => names[column]!);
  const choice: ColumnChoice = {
    columns: names.map((name, column) => ({ name, samples: valuesOf(table, column).slice(0, 5) })),
    chosen: guess,
  };
  return (await pickColumns(choice))?.map((column) => names[column]!);
}

/** Whether no other column holds half as many letters. */
function isPlain(best: number, samples: readonly (readonly string[])[]): boolean {
  const letters = (column: number): number => samples.reduce((sum, values) => sum + (values[column]?.match(/\p{L}/gu)?.length ?? 0), 0);
  const least = letters(best) / 2;
  return samples.length > 0 && samples[0]!.every((_, column) => column === best || letters(column) < least);
}

/** `reviews.csv` → `reviews.predicted.csv`; plain text becomes a table. */
function defaultOutput(source: vscode.Uri): vscode.Uri {
  const name = nameOf(source);
  const [, stem, ending = '', packed = ''] = /^(.*?)(\.[^.]+)?(\.gz)?$/is.exec(name)!;
  return vscode.Uri.joinPath(source, '..', `${stem}.predicted${/^\.(csv|tsv|tab|psv|jsonl|ndjson)$/i.test(ending) ? ending : '.csv'}${packed}`);
}

async function offer({ errors, log }: Workbench, output: vscode.Uri, summary: ClassifySummary): Promise<void> {
  const open = vscode.l10n.t('Open');
  const showLog = vscode.l10n.t('Show Log');
  const counts = [...summary.labels].map(([label, count]) => `${label} ${count.toLocaleString(vscode.env.language)}`).join(', ');
  const sentences = [vscode.l10n.t('{0} rows are classified in {1}.', summary.rows.toLocaleString(vscode.env.language), nameOf(output)), ...(counts === '' ? [] : [`${counts}.`])];
  if (summary.empty > 0) sentences.push(vscode.l10n.t('{0} rows have no text, and so no prediction.', summary.empty));
  if (summary.defects > 0) sentences.push(vscode.l10n.t('{0} places in the file are not as they should be; the log names them.', summary.defects));
  const answer = await vscode.window.showInformationMessage(sentences.join(' '), open, ...(summary.defects > 0 ? [showLog] : []));
  if (answer === showLog) log.show();
  if (answer !== open) return;
  // a packed copy is opened by the system
  await vscode.commands.executeCommand('vscode.open', output).then(undefined, (error: unknown) => errors.show(error));
}
