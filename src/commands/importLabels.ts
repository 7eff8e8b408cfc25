import * as vscode from 'vscode';
import { formatOf } from '../core/csv/record';
import type { ImportFields } from '../core/labels/importFormats';
import type { ImportPlan } from '../core/labels/importPlan';
import { excerpt } from '../app/format';
import { guessImportFields, planImport } from '../app/labeling/importLabels';
import type { LabelingTask } from '../app/labeling/labeling';
import { signalOf, translated } from '../editor/report';
import { pickColumns } from './chooseTextColumns';
import { activeTask, counted } from './labelingTask';
import { isSaved, nameOf, sampleTable, valuesOf, type TableSample } from './sourceFile';
import type { Workbench } from './workbench';

/** What a test or a key binding may say beforehand; what is missing is asked for. */
export interface ImportArguments {
  readonly source?: vscode.Uri;
  /** Which columns of a table hold text and label. */
  readonly fields?: ImportFields;
  /** Writes without asking whether the counts are as expected. */
  readonly confirmed?: boolean;
}

const SAMPLE_ROWS = 1000;

/**
 * Takes labels over from a table, a JSONL of ours, or what doccano and Label Studio export: shows what would change, and writes it if the person agrees.
 *
 * @returns what was planned and written; undefined if nothing was
 */
export async function importLabels(workbench: Workbench, args: ImportArguments): Promise<ImportPlan | undefined> {
  const task = activeTask(workbench);
  const source = args.source ?? (await chooseSource());
  if (!source) return undefined;
  const hasChanges = vscode.l10n.t('{0} has changes that are not saved. The file on disk is what gets imported.', nameOf(source));
  if (!(await isSaved(source, hasChanges, vscode.l10n.t('Save and Import')))) return undefined;
  const fields = args.fields ?? (await chooseFields(workbench, source));
  if (!fields) return undefined;
  const plan = await vscode.window.withProgress({ location: vscode.ProgressLocation.Notification, title: vscode.l10n.t('Reading {0}', nameOf(source)), cancellable: true }, async (progress, token) => {
    await task.ready;
    const { chunks } = await workbench.files.openInput(source.fsPath);
    return await planImport({
      file: nameOf(source),
      chunks,
      fields,
      target: { task: task.definition, annotator: task.annotator, example: (id) => task.example(id), stateOf: (id) => task.stateOf(id), wordOf: (id, annotator) => task.wordOf(id, annotator) },
      pause: () => new Promise((resolve) => setTimeout(resolve, 0)),
      signal: signalOf(token),
      onProgress: (rows) => progress.report({ message: vscode.l10n.t('{0} rows', counted(rows)) }),
    });
  });
  for (const problem of plan.problems.first) workbench.log.warn(problem.message);
  if (!(args.confirmed ?? (await agrees(workbench, task, nameOf(source), plan)))) return undefined;
  await task.importPlanned(plan);
  workbench.log.info(`Imported ${plan.decisions.length} decisions from ${source.fsPath} into ${task.definition.name}`);
  if (!args.confirmed) void vscode.window.showInformationMessage(vscode.l10n.t('{0} labels are imported into {1}.', counted(plan.decisions.length), task.definition.name));
  return plan;
}

async function chooseSource(): Promise<vscode.Uri | undefined> {
  const chosen = await vscode.window.showOpenDialog({
    title: vscode.l10n.t('Choose a File of Labels'),
    openLabel: vscode.l10n.t('Import'),
    filters: { [vscode.l10n.t('Tables and JSON')]: ['csv', 'tsv', 'tab', 'psv', 'jsonl', 'ndjson', 'json', 'gz'] },
  });
  return chosen?.[0];
}

/** Asks which columns of a table hold text and label. JSON says so itself. */
async function chooseFields({ files }: Workbench, source: vscode.Uri): Promise<ImportFields | undefined> {
  if (formatOf(nameOf(source)) !== 'csv') return {};
  const table = await sampleTable(source, files, SAMPLE_ROWS);
  const guess = guessImportFields(table.names, table.rows);
  const label = await chooseLabelColumn(table, guess.label);
  if (label === undefined) return undefined;
  const columns = table.names.map((name, column) => ({ name, samples: valuesOf(table, column).slice(0, 5) }));
  const chosen = (guess.text ?? []).map((name) => table.names.indexOf(name));
  const text = await pickColumns({ columns, chosen }, vscode.l10n.t('Import Labels (2/2): Texts'));
  return text && { label, text: text.map((column) => table.names[column] ?? '') };
}

async function chooseLabelColumn(table: TableSample, guess: string | undefined): Promise<string | undefined> {
  const items = table.names.map((name, column) => ({ label: name, description: vscode.l10n.t('Column {0}', column + 1), detail: excerpt([...new Set(valuesOf(table, column))].slice(0, 8).join('  ·  '), 120) }));
  // the first one is what Enter takes
  items.sort((a, b) => Number(b.label === guess) - Number(a.label === guess));
  const answer = await vscode.window.showQuickPick(items, { title: vscode.l10n.t('Import Labels (1/2): Labels'), placeHolder: vscode.l10n.t('The column that holds the labels'), matchOnDetail: true });
  return answer?.label;
}

/** Shows what would change, before anything is written. */
async function agrees({ log }: Workbench, task: LabelingTask, file: string, plan: ImportPlan): Promise<boolean> {
  const { decisions, unchanged, outdated, overruled, replacing, unanswered, newLabels, unmatched, problems } = plan;
  const lines = [
    ...(newLabels.length > 0 ? [vscode.l10n.t('New labels: {0}', newLabels.slice(0, 20).map(({ name, count }) => `${name} (${counted(count)})`).join(', '))] : []),
    ...(unchanged > 0 ? [vscode.l10n.t('{0} are as the task has them already.', counted(unchanged))] : []),
    ...(outdated > 0 ? [vscode.l10n.t('{0} were decided otherwise since, which counts.', counted(outdated))] : []),
    ...(replacing > 0 ? [vscode.l10n.t('{0} take the place of what was decided before.', counted(replacing))] : []),
    ...(overruled > 0 ? [vscode.l10n.t('{0} go along, while what somebody else decided later counts.', counted(overruled))] : []),
    ...(unanswered > 0 ? [vscode.l10n.t('{0} rows have no label.', counted(unanswered))] : []),
    ...(unmatched.count > 0 ? [vscode.l10n.t('{0} rows hold texts that the task does not have (rows {1} …).', counted(unmatched.count), unmatched.rows.slice(0, 5).join(', '))] : []),
    ...(problems.count > 0 ? [vscode.l10n.t('{0} rows cannot be imported; the log names them.', counted(problems.count)), ...problems.first.slice(0, 2).map(translated)] : []),
  ];
  const detail = lines.join('\n');
  if (decisions.length === 0) {
    const showLog = vscode.l10n.t('Show Log');
    const answer = await vscode.window.showInformationMessage(vscode.l10n.t('{0} brings nothing new for {1}.', file, task.definition.name), { modal: true, detail }, ...(problems.count > 0 ? [showLog] : []));
    if (answer === showLog) log.show();
    return false;
  }
  const take = vscode.l10n.t('Import');
  return (await vscode.window.showInformationMessage(vscode.l10n.t('Import {0} labels from {1} into {2}?', counted(decisions.length), file, task.definition.name), { modal: true, detail }, take)) === take;
}
