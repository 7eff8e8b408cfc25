import * as vscode from 'vscode';
import { CancelledError, HumanError } from '../core/errors';
import { defaultExportColumns, exportColumns, exportName, freeFileName, type ExportColumn, type ExportFormat } from '../core/labels/exportFormats';
import { excerpt } from '../app/format';
import { exportLabels, previewExport, type ExportChoices, type ExportPreview, type ExportRequest, type ExportSource, type ExportSummary } from '../app/labeling/exportLabels';
import type { LabelingTask } from '../app/labeling/labeling';
import { signalOf } from '../editor/report';
import { activeTask, counted, sourceFile, textsOf } from './labelingTask';
import { isSaved, nameOf } from './sourceFile';
import type { Workbench } from './workbench';

/** What a test or a key binding may say beforehand; what is missing is asked for. */
export interface ExportArguments extends Partial<ExportChoices> {
  /** One file for each source of the task. */
  readonly outputs?: readonly vscode.Uri[];
}

export interface ExportedFiles extends ExportSummary {
  readonly outputs: readonly vscode.Uri[];
}

/** Defects of the files that the log lists. */
const LOGGED_DEFECTS = 100;

/**
 * Writes the rows of the task's sources with what was decided: as they were with columns added, or as JSON Lines. Asks which rows, which columns, which form, with counts and a preview, and then where.
 *
 * @returns undefined if the person changed their mind
 */
export async function exportLabeledCsv(workbench: Workbench, args: ExportArguments): Promise<ExportedFiles | undefined> {
  const task = activeTask(workbench);
  await vscode.window.withProgress({ location: vscode.ProgressLocation.Window, title: vscode.l10n.t('Reading the texts of {0}', task.definition.name) }, () => task.ready);
  for (const source of task.definition.sources) {
    if (source.kind === 'folder') continue;
    const file = sourceFile(task, source.file);
    const hasChanges = vscode.l10n.t('{0} has changes that are not saved. The file on disk is what gets exported.', nameOf(file));
    if (!(await isSaved(file, hasChanges, vscode.l10n.t('Save and Export')))) return undefined;
  }
  const sources = task.definition.sources.map((source): ExportSource =>
    source.kind === 'table'
      ? { kind: 'table', file: source.file, textColumns: source.textColumns, open: () => workbench.files.openInput(sourceFile(task, source.file).fsPath) }
      : { kind: 'folder', folder: source.folder, texts: () => textsOf(task, source.folder) },
  );
  const request = { sources, texts: task, pause: () => new Promise<void>((resolve) => setTimeout(resolve, 0)) };
  const choices = await choose(request, args);
  if (!choices) return undefined;
  const outputs = args.outputs ?? (await chooseOutputs(task, choices.format));
  if (!outputs) return undefined;
  refuseSources(task, outputs);
  const summary = await write(workbench, { ...request, ...choices }, outputs);
  workbench.log.info(`Exported ${summary.written} rows, ${summary.labeled} of them labelled, into ${outputs.map(({ fsPath }) => fsPath).join(', ')}`);
  // not awaited: the files are there, whether or not the message is closed
  void offer(workbench, outputs, summary);
  return { ...summary, outputs };
}

type Sources = Pick<ExportRequest, 'sources' | 'texts' | 'pause'>;

async function choose(request: Sources, args: ExportArguments): Promise<ExportChoices | undefined> {
  const preview = async (choices: ExportChoices): Promise<ExportPreview> =>
    await vscode.window.withProgress({ location: vscode.ProgressLocation.Window, title: vscode.l10n.t('Counting rows') }, () => previewExport({ ...request, ...choices }));
  const plain: ExportChoices = { format: 'copy', columns: defaultExportColumns, rows: 'all', safeCells: false };
  const rows = args.rows ?? (await chooseRows(await preview(plain)));
  if (!rows) return undefined;
  const columns = args.columns ?? (await chooseColumns());
  if (!columns) return undefined;
  if (args.format) return { format: args.format, columns, rows, safeCells: args.safeCells ?? false };
  return await chooseFormat({ ...plain, rows, columns }, preview);
}

async function chooseRows({ rows, statuses }: ExportPreview): Promise<'all' | 'labeled' | undefined> {
  const rest = [
    vscode.l10n.t('{0} labeled', counted(statuses.labeled)),
    vscode.l10n.t('{0} open', counted(statuses.open)),
    vscode.l10n.t('{0} skipped', counted(statuses.skipped)),
    vscode.l10n.t('{0} flagged', counted(statuses.flagged)),
    ...(statuses.stale > 0 ? [vscode.l10n.t('{0} edited since', counted(statuses.stale))] : []),
  ];
  const items = [
    { label: vscode.l10n.t('All {0} rows', counted(rows)), detail: rest.join(' · '), rows: 'all' as const },
    { label: vscode.l10n.t('The {0} labeled rows', counted(statuses.labeled)), detail: vscode.l10n.t('The other {0} rows are left out', counted(rows - statuses.labeled)), rows: 'labeled' as const },
  ];
  const answer = await vscode.window.showQuickPick(items, { title: vscode.l10n.t('Export Labeled CSV (1/3): Rows'), placeHolder: vscode.l10n.t('Which rows are written') });
  return answer?.rows;
}

async function chooseColumns(): Promise<readonly ExportColumn[] | undefined> {
  const about: Readonly<Record<ExportColumn, string>> = {
    label: vscode.l10n.t('what was decided'),
    annotator: vscode.l10n.t('who decided'),
    time: vscode.l10n.t('when, in UTC'),
    guess: vscode.l10n.t('what the model holds to be right'),
    score: vscode.l10n.t('how sure the model is, from 0 to 1'),
    status: vscode.l10n.t('labeled, open, skipped, flagged or stale (edited since)'),
  };
  const items = exportColumns.map((column) => ({ label: column, description: about[column], picked: defaultExportColumns.includes(column), column }));
  const answer = await vscode.window.showQuickPick(items, {
    canPickMany: true,
    title: vscode.l10n.t('Export Labeled CSV (2/3): Columns'),
    placeHolder: vscode.l10n.t('What is added to each row, behind its own columns'),
  });
  return answer && answer.length > 0 ? answer.map(({ column }) => column) : undefined;
}

/** Each form with the first line that it gives. */
async function chooseFormat(choices: ExportChoices, preview: (choices: ExportChoices) => Promise<ExportPreview>): Promise<ExportChoices | undefined> {
  const forms: readonly { readonly label: string; readonly choices: ExportChoices }[] = [
    { label: vscode.l10n.t('As the source, with columns added'), choices },
    { label: vscode.l10n.t('The same, safe for spreadsheets'), choices: { ...choices, safeCells: true } },
    { label: vscode.l10n.t('JSON Lines, which Label Lens imports again'), choices: { ...choices, format: 'jsonl' } },
    { label: vscode.l10n.t('JSON Lines for Hugging Face datasets'), choices: { ...choices, format: 'huggingface' } },
  ];
  const items: (vscode.QuickPickItem & { readonly choices: ExportChoices })[] = [];
  for (const { label, choices: form } of forms) {
    const { written, labeled, heads } = await preview(form);
    const [head = []] = heads;
    items.push({ label, description: vscode.l10n.t('{0} rows, {1} with a label', counted(written), counted(labeled)), detail: excerpt(head.slice(0, 2).join('  ⏎  '), 160), choices: form });
  }
  const answer = await vscode.window.showQuickPick(items, { title: vscode.l10n.t('Export Labeled CSV (3/3): Form'), placeHolder: vscode.l10n.t('How the rows are written; below each form stands how it begins') });
  return answer?.choices;
}

async function chooseOutputs(task: LabelingTask, format: ExportFormat): Promise<readonly vscode.Uri[] | undefined> {
  const outputs: vscode.Uri[] = [];
  for (const source of task.definition.sources) {
    const at = sourceFile(task, source.kind === 'table' ? source.file : source.folder);
    const parent = vscode.Uri.joinPath(at, '..');
    const proposed = freeFileName(exportName(nameOf(at), format, source.kind === 'folder'), await namesIn(parent));
    const output = await vscode.window.showSaveDialog({
      defaultUri: vscode.Uri.joinPath(parent, proposed),
      title: vscode.l10n.t('Save the Labeled Rows of {0} As', nameOf(at)),
      saveLabel: vscode.l10n.t('Export'),
    });
    if (!output) return undefined;
    outputs.push(output);
  }
  return outputs;
}

async function namesIn(folder: vscode.Uri): Promise<readonly string[]> {
  const entries = await vscode.workspace.fs.readDirectory(folder).then(
    (found) => found,
    () => [],
  );
  return entries.map(([name]) => name);
}

function refuseSources(task: LabelingTask, outputs: readonly vscode.Uri[]): void {
  const sources = task.definition.sources.flatMap((source) => (source.kind === 'table' ? [sourceFile(task, source.file).fsPath.toLowerCase()] : []));
  for (const output of outputs) {
    if (output.scheme !== 'file') throw new HumanError('export.scheme', '{0} is not on this machine’s disk, and labels are exported to there. Choose another place.', [output.path]);
    // names that differ only by case are the same file on many disks
    if (sources.includes(output.fsPath.toLowerCase())) throw new HumanError('export.same', 'The export cannot replace {0} itself, which the task labels. Choose another name for it.', [nameOf(output)]);
  }
}

async function write({ files, log }: Workbench, request: ExportRequest, outputs: readonly vscode.Uri[]): Promise<ExportSummary> {
  return await vscode.window.withProgress({ location: vscode.ProgressLocation.Notification, title: vscode.l10n.t('Exporting labels'), cancellable: true }, async (progress, token) => {
    const signal = signalOf(token);
    const sinks = [];
    let defects = 0;
    try {
      for (const output of outputs) sinks.push(await files.openOutput(output.fsPath));
    } catch (error) {
      for (const sink of sinks) await sink.discard();
      throw error;
    }
    if (signal.aborted) throw new CancelledError();
    return await exportLabels(
      {
        ...request,
        signal,
        onProgress: (rows) => progress.report({ message: vscode.l10n.t('{0} rows', counted(rows)) }),
        onDefect: (defect) => {
          if (++defects <= LOGGED_DEFECTS) log.warn(defect.message);
        },
      },
      sinks,
    );
  });
}

async function offer({ errors }: Workbench, outputs: readonly vscode.Uri[], summary: ExportSummary): Promise<void> {
  const open = vscode.l10n.t('Open');
  const names = outputs.map(nameOf).join(', ');
  const sentences = [vscode.l10n.t('{0} rows are in {1}, {2} of them with a label.', counted(summary.written), names, counted(summary.labeled))];
  const leftOut = summary.rows - summary.written;
  if (leftOut > 0) sentences.push(vscode.l10n.t('{0} rows were left out.', counted(leftOut)));
  if (summary.defects > 0) sentences.push(vscode.l10n.t('{0} places in the file are not as they should be; the log names them.', summary.defects));
  const answer = await vscode.window.showInformationMessage(sentences.join(' '), open);
  const [first] = outputs;
  if (answer === open && first) await vscode.commands.executeCommand('vscode.open', first).then(undefined, (error: unknown) => errors.show(error));
}
