import * as vscode from 'vscode';
import { columnIndices, guessTextColumns } from '../core/csv/columns';
import { recordBatches, RecordReader } from '../core/csv/reader';
import { HumanError } from '../core/errors';
import type { TaskSource } from '../core/labels/task';
import type { TaskKind } from '../core/model/onnxWriter';
import { excerpt } from '../app/format';
import type { LabelingTask, NewTask } from '../app/labeling/labeling';
import { byFrequency, labelColumnsOf, mostLabels, parseLabels, parseRange, sourcePath, uniqueName, type LabelColumn, type Range } from '../app/labeling/newTask';
import { taskNameOf } from '../app/taskModels';
import { pickColumns } from './chooseTextColumns';
import { requireTrust } from './labelingTask';
import { folderOf, isSaved, nameOf, sampleTable, valuesOf, type TableSample } from './sourceFile';
import type { Workbench } from './workbench';

/** What another extension, a key binding or a test may say beforehand; what is missing is asked for. */
export interface CreateTaskArguments {
  /** A table, a text file or a folder of texts. */
  readonly source?: vscode.Uri;
  /** Names of the text columns, for a table. */
  readonly text?: readonly string[];
  /** What is one text, for a folder. */
  readonly unit?: 'document' | 'paragraph';
  readonly kind?: TaskKind;
  readonly labels?: readonly string[];
  /** A column that holds labels (or numbers) already. */
  readonly labelColumn?: string;
  readonly range?: Range;
  readonly name?: string;
}

const LABELABLE = /\.(csv|tsv|tab|psv|jsonl|ndjson|txt|log)(\.gz)?$/i;
/** Rows that are looked at to tell which columns hold what. Files may be sorted by their labels. */
const SAMPLE_ROWS = 1000;
/** Of those, rows that are enough to tell texts from other values. */
const TEXT_ROWS = 200;

/** Whether a task can be made of a file, by its name. */
export function isLabelable(file: vscode.Uri): boolean {
  return LABELABLE.test(file.path);
}

/**
 * Makes a task of a table, a text file or a folder of texts, asking for what is unclear: three questions at most, each with an answer that Enter takes. Then opens the panel on it.
 *
 * @returns undefined if the person changed their mind
 */
export async function createTask(workbench: Workbench, args: CreateTaskArguments): Promise<LabelingTask | undefined> {
  requireTrust();
  const source = args.source ?? (await chooseSource());
  if (!source) return undefined;
  if (source.scheme !== 'file') throw new HumanError('createTask.scheme', '{0} is not on this machine’s disk, and texts are labeled from there. Save a copy of it first.', [source.path]);
  const hasChanges = vscode.l10n.t('{0} has changes that are not saved. The file on disk is what gets labeled.', nameOf(source));
  if (!(await isSaved(source, hasChanges, vscode.l10n.t('Save and Label')))) return undefined;
  const answers = await ask(workbench, source, args);
  if (!answers) return undefined;

  const { tasks, session, log, panel } = workbench;
  const inWorkspace = folderOf(source)?.uri.fsPath;
  // a task names its sources by paths within its folder
  const folder = inWorkspace ?? (answers.isFolder ? source : vscode.Uri.joinPath(source, '..')).fsPath;
  const shipped = (await session.models.list()).flatMap(({ name, origin }) => (origin === 'shipped' ? [name] : []));
  const name = args.name ?? uniqueName(taskNameOf(nameOf(source), shipped), (await tasks.list()).flatMap((task) => (task.folder === folder ? [task.name] : [])));
  const place = sourcePath(folder, source.fsPath);
  const newTask: NewTask = { ...answers.task, name, sources: [answers.sourceAt(place)] };
  const task = await vscode.window.withProgress({ location: vscode.ProgressLocation.Window, title: vscode.l10n.t('Creating the task {0}', name) }, () => tasks.create(folder, newTask));
  if (inWorkspace === undefined) await workbench.rememberFolder(folder);
  log.info(`Created the task ${name} for ${source.fsPath}; it is in ${task.folder}`);
  panel.open();
  return task;
}

async function chooseSource(): Promise<vscode.Uri | undefined> {
  const active = vscode.window.activeTextEditor?.document.uri;
  if (active?.scheme === 'file' && isLabelable(active)) return active;
  const chosen = await vscode.window.showOpenDialog({
    title: vscode.l10n.t('Choose a File to Label'),
    openLabel: vscode.l10n.t('Label'),
    filters: { [vscode.l10n.t('Tables and texts')]: ['csv', 'tsv', 'tab', 'psv', 'jsonl', 'ndjson', 'txt', 'log', 'gz'] },
  });
  return chosen?.[0];
}

interface Answers {
  /** Whether the source is a folder of texts. */
  readonly isFolder: boolean;
  readonly sourceAt: (place: string) => TaskSource;
  readonly task: Pick<NewTask, 'kind' | 'labels' | 'labelColumn' | 'range'>;
}

/** The three questions: what is one text, what kind of answer, which labels. */
async function ask(workbench: Workbench, source: vscode.Uri, args: CreateTaskArguments): Promise<Answers | undefined> {
  const isFolder = ((await vscode.workspace.fs.stat(source)).type & vscode.FileType.Directory) !== 0;
  const table: TableSample = isFolder ? { names: [], rows: [] } : await sampleTable(source, workbench.files, SAMPLE_ROWS);
  const texts = isFolder ? await askForUnit(args) : await askForTexts(workbench, source, table, args);
  if (!texts) return undefined;
  const kind = args.kind ?? (await askForKind());
  if (!kind) return undefined;
  const columns = labelColumnsOf(table.names, table.rows, texts.textColumns);
  const open = { source, files: workbench.files };
  if (kind === 'number') {
    const scale = args.range || args.labelColumn !== undefined ? { range: args.range, labelColumn: args.labelColumn } : await askForRange(columns);
    if (!scale) return undefined;
    return { isFolder, sourceAt: texts.at, task: { kind, labels: [], ...(scale.range ? { range: scale.range } : {}), ...(scale.labelColumn === undefined ? {} : { labelColumn: scale.labelColumn }) } };
  }
  const choice = args.labels || args.labelColumn !== undefined ? { labels: args.labels, labelColumn: args.labelColumn } : await askForLabels(workbench, kind, columns);
  if (!choice) return undefined;
  const labels = choice.labels ?? (await labelsOf(open, choice.labelColumn ?? ''));
  return { isFolder, sourceAt: texts.at, task: { kind, labels, ...(choice.labelColumn === undefined ? {} : { labelColumn: choice.labelColumn }) } };
}

interface Texts {
  readonly at: (place: string) => TaskSource;
  readonly textColumns: readonly string[];
}

async function askForTexts({ rows }: Workbench, source: vscode.Uri, table: TableSample, args: CreateTaskArguments): Promise<Texts | undefined> {
  const { names } = table;
  if (names.length === 0) throw new HumanError('createTask.empty', '{0} holds no texts yet. Add a row first.', [nameOf(source)]);
  const remembered = rows.rememberedColumns(source)?.flatMap((name) => (names.includes(name) ? [names.indexOf(name)] : [])) ?? [];
  const chosen = remembered.length > 0 ? remembered : guessTextColumns(names, table.rows.slice(0, TEXT_ROWS));
  const columns = names.map((name, column) => ({ name, samples: valuesOf(table, column).slice(0, 5) }));
  // plain text is one column, and nothing to ask about
  const picked = args.text ?? (names.length === 1 ? names : (await pickColumns({ columns, chosen }, vscode.l10n.t('Create Task (1/3): Texts')))?.map((index) => names[index]!));
  return picked && { at: (file) => ({ kind: 'table', file, textColumns: picked }), textColumns: picked };
}

async function askForUnit(args: CreateTaskArguments): Promise<Texts | undefined> {
  const items = [
    { label: vscode.l10n.t('Whole files'), description: '', detail: vscode.l10n.t('Each text file of the folder is one text'), unit: 'document' as const },
    { label: vscode.l10n.t('Paragraphs'), description: '', detail: vscode.l10n.t('Each paragraph of the text files, or line of a log, is one text'), unit: 'paragraph' as const },
  ];
  const unit = args.unit ?? (await vscode.window.showQuickPick(items, { title: vscode.l10n.t('Create Task (1/3): Texts'), placeHolder: vscode.l10n.t('What is one text') }))?.unit;
  return unit && { at: (folder) => ({ kind: 'folder', folder, unit }), textColumns: [] };
}

async function askForKind(): Promise<TaskKind | undefined> {
  const items = [
    { label: `$(tag) ${vscode.l10n.t('One label')}`, detail: vscode.l10n.t('Each text has one of the labels: positive or negative, a topic, an intent'), answer: 'single' as const },
    { label: `$(tasklist) ${vscode.l10n.t('Several labels')}`, detail: vscode.l10n.t('Each text has any number of the labels, or none'), answer: 'multi' as const },
    { label: `$(symbol-number) ${vscode.l10n.t('A number')}`, detail: vscode.l10n.t('Each text has a value: stars, a grade, how urgent it is'), answer: 'number' as const },
  ];
  const answer = await vscode.window.showQuickPick(items, { title: vscode.l10n.t('Create Task (2/3): Kind'), placeHolder: vscode.l10n.t('What is decided for each text') });
  return answer?.answer;
}

interface LabelChoice {
  /** Undefined: the values of the column. */
  readonly labels?: readonly string[] | undefined;
  readonly labelColumn?: string | undefined;
}

/** Labels typed, from a column, or of a shipped model. The first proposal is the column whose words are plainly labels, else those of the model in use. */
async function askForLabels({ session, settings }: Workbench, kind: 'single' | 'multi', columns: readonly LabelColumn[]): Promise<LabelChoice | undefined> {
  type Item = vscode.QuickPickItem & { readonly choice: LabelChoice; readonly rank: number };
  const items: Item[] = [];
  // a cell holds one label; a task with several would have to guess what stands between them
  for (const { name, labels, range, isLikely } of kind === 'single' ? columns : []) {
    items.push({
      label: `$(table) ${vscode.l10n.t('From the column {0}', name)}`,
      description: excerpt(labels.join(', '), 60),
      detail: vscode.l10n.t('Its values are the labels, and rows that have one count as labeled'),
      choice: { labelColumn: name },
      rank: isLikely && range === undefined ? 0 : 2,
    });
  }
  for (const model of await session.models.list()) {
    const labels = model.manifest?.task.labels.map(({ id }) => id) ?? [];
    if (model.origin !== 'shipped' || labels.length < 2) continue;
    items.push({
      label: `$(sparkle) ${labels.join(', ')}`,
      description: vscode.l10n.t('the labels of the model {0}', model.name),
      detail: vscode.l10n.t('The model proposes one for each text from the start'),
      choice: { labels },
      rank: model.name === settings.model ? 1 : 3,
    });
  }
  items.sort((a, b) => a.rank - b.rank);
  const least = kind === 'single' ? 2 : 1;
  return await pickOrType(
    items,
    { title: vscode.l10n.t('Create Task (3/3): Labels'), placeholder: vscode.l10n.t('Type labels with commas between, or take a proposal. They can be changed at any time') },
    (text) => {
      const labels = parseLabels(text);
      if (labels.length === 0) return undefined;
      return labels.length < least
        ? { label: `$(edit) ${labels.join(', ')}`, detail: vscode.l10n.t('Type a comma and another label'), choice: undefined }
        : { label: `$(edit) ${labels.join(', ')}`, detail: vscode.l10n.t('{0} labels, as typed', labels.length), choice: { labels } };
    },
  );
}

interface Scale {
  readonly range?: Range | undefined;
  readonly labelColumn?: string | undefined;
}

async function askForRange(columns: readonly LabelColumn[]): Promise<Scale | undefined> {
  const text = ({ minimum, maximum }: Range): string => vscode.l10n.t('{0} to {1}', minimum, maximum);
  const items: (vscode.QuickPickItem & { readonly choice: Scale })[] = [
    { minimum: 1, maximum: 5 },
    { minimum: 0, maximum: 10 },
    { minimum: 0, maximum: 100 },
  ].map((range) => ({ label: `$(symbol-number) ${text(range)}`, choice: { range } }));
  const numeric = columns.flatMap(({ name, range }) =>
    range && range.minimum < range.maximum
      ? [{ label: `$(table) ${vscode.l10n.t('From the column {0}', name)}`, description: text(range), detail: vscode.l10n.t('Its numbers count as decided'), choice: { range, labelColumn: name } }]
      : [],
  );
  return await pickOrType(
    [...numeric, ...items],
    { title: vscode.l10n.t('Create Task (3/3): Range'), placeholder: vscode.l10n.t('Type the smallest and the largest number, such as 1 - 5, or take a proposal') },
    (typed) => {
      const range = parseRange(typed);
      return range && { label: `$(edit) ${text(range)}`, choice: { range } };
    },
  );
}

/** A pick whose list begins with what was typed, if that is an answer. An item without a choice says what is missing. */
async function pickOrType<T>(
  items: readonly (vscode.QuickPickItem & { readonly choice: T })[],
  { title, placeholder }: { readonly title: string; readonly placeholder: string },
  typed: (text: string) => (vscode.QuickPickItem & { readonly choice: T | undefined }) | undefined,
): Promise<T | undefined> {
  const pick = vscode.window.createQuickPick<vscode.QuickPickItem & { readonly choice: T | undefined }>();
  pick.title = title;
  pick.placeholder = placeholder;
  pick.matchOnDescription = true;
  pick.items = items;
  pick.onDidChangeValue((value) => {
    const own = typed(value);
    pick.items = own ? [{ ...own, alwaysShow: true }, ...items] : items;
  });
  try {
    return await new Promise<T | undefined>((resolve) => {
      pick.onDidAccept(() => {
        const [item] = pick.selectedItems;
        if (item?.choice !== undefined) resolve(item.choice);
      });
      pick.onDidHide(() => resolve(undefined));
      pick.show();
    });
  } finally {
    pick.dispose();
  }
}

/** All values of a column, most frequent first. @throws HumanError if there are too many to be labels, or none */
async function labelsOf({ source, files }: { readonly source: vscode.Uri; readonly files: Workbench['files'] }, column: string): Promise<string[]> {
  const input = await files.openInput(source.fsPath);
  const reader = new RecordReader(nameOf(source));
  const values: string[] = [];
  const different = new Set<string>();
  for await (const records of recordBatches(reader, input.chunks)) {
    const index = columnIndices(reader, [column])[0]!;
    for (const record of records) {
      const value = record.kind === 'row' ? (record.value(index)?.trim() ?? '') : '';
      if (value === '') continue;
      values.push(value);
      different.add(value);
    }
    if (different.size > mostLabels)
      throw new HumanError('createTask.labels', 'The column "{0}" of {1} has more than {2} different values, too many for labels. Choose another column, or type the labels.', [column, nameOf(source), mostLabels]);
    // others have their turn between two pieces of a large file
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  if (different.size === 0) throw new HumanError('createTask.noLabels', 'The column "{0}" of {1} has no values. Choose another column, or type the labels.', [column, nameOf(source)]);
  return byFrequency(values);
}
