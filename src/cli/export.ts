import { resolve } from 'node:path';
import { exportLabels, type DecidedTexts, type ExportSource } from '../app/labeling/exportLabels';
import { exportSources } from '../app/labeling/exportSources';
import { readGuess } from '../app/labeling/guesses';
import type { TaskFolder } from '../app/labeling/taskFolder';
import { joinPath, type OpenedModel } from '../app/modelStore';
import { HumanError } from '../core/errors';
import { defaultExportColumns, exportColumns, exportName, freeFileName, type ExportColumn, type ExportFormat } from '../core/labels/exportFormats';
import type { Guess } from '../core/labels/view';
import { ruleOf } from '../core/model/deciding';
import { UsageError, type Arguments, type CommandSpec } from './arguments';
import type { CliContext, Output } from './context';
import { DefectNotes } from './labeledFile';
import { readTask, taskFlag } from './taskFolder';
import { ProgressLine } from './terminal';

export const exportSpec: CommandSpec = {
  summary: 'Writes the labels of a task: its source files with columns added, or JSONL.',
  operands: '--task DIR',
  flags: {
    task: taskFlag,
    output: { value: 'FILE|-', help: 'where the export goes, packed if it ends in .gz (default: beside each source, such as reviews.labeled.csv)' },
    format: { value: 'FORMAT', help: 'csv: the source as it is, with columns; jsonl: our own lines; huggingface: text and label for datasets (default csv)' },
    rows: { value: 'all|labeled', help: 'which rows (default all)' },
    columns: { value: 'COL[,COL…]', help: `${exportColumns.join(', ')} (default ${defaultExportColumns.join(', ')}; guess and score only if there is a model)` },
    model: { value: 'NAME|DIR|none', help: 'model that guesses (default: the version of the task that is in use)' },
    'safe-cells': { help: 'put an apostrophe before added cells that a spreadsheet would take for a formula' },
  },
};

const formats: Readonly<Record<string, ExportFormat>> = { csv: 'copy', jsonl: 'jsonl', huggingface: 'huggingface' };
/** Texts that are predicted in one request. */
const textsAtOnce = 4096;

/** `label-lens export`. */
export async function exportTask(args: Arguments, context: CliContext): Promise<void> {
  if (args.operands.length > 0) throw new UsageError('export takes no operands; --task says what to export.');
  const path = args.required('task');
  const name = args.text('format') ?? 'csv';
  const format = Object.hasOwn(formats, name) ? formats[name] : undefined;
  if (format === undefined) throw new UsageError(`--format takes ${Object.keys(formats).join(', ')}.`);
  const rows = args.text('rows') ?? 'all';
  if (rows !== 'all' && rows !== 'labeled') throw new UsageError('--rows takes all or labeled.');
  const wanted = args.list('columns')?.map((column): ExportColumn => {
    const known = exportColumns.find((each) => each === column);
    if (known === undefined) throw new UsageError(`There is no column ${column} to add. Choose some of ${exportColumns.join(', ')}.`);
    return known;
  });

  const task = await readTask(context, path);
  const model = format === 'huggingface' ? undefined : await modelOf(args, context, task, wanted);
  const columns = wanted ?? defaultExportColumns.filter((column) => model !== undefined || (column !== 'guess' && column !== 'score'));
  const guesses = model && (columns.includes('guess') || columns.includes('score')) ? await guessesOf(context, task, model) : undefined;
  const sources = exportSources({ folder: task.parent, sources: task.task.sources, fileSystem: task.fileSystem, openInput: (file) => context.openInput(file), pause: context.pause, signal: context.signal });
  const texts: DecidedTexts = { stateOf: (id) => task.journal.stateOf(id), guessOf: (id) => guesses?.get(id) };
  await write(context, { sources, files: await outputFiles(args, task, sources, format) }, (sinks, onProgress, onDefect) =>
    exportLabels({ sources, texts, format, columns, rows, safeCells: args.has('safe-cells'), pause: context.pause, signal: context.signal, onProgress, onDefect: (defect) => onDefect(defect.message) }, sinks),
  );
}

async function write(
  context: CliContext,
  { sources, files }: { readonly sources: readonly ExportSource[]; readonly files: readonly string[] },
  run: (sinks: readonly Output[], onProgress: (rows: number) => void, onDefect: (message: string) => void) => ReturnType<typeof exportLabels>,
): Promise<void> {
  const progress = new ProgressLine(context.terminal);
  const defects = new DefectNotes(context);
  const sinks: Output[] = [];
  try {
    for (const file of files) sinks.push(await context.openOutput(file));
    const { rows, written, labeled, leftOut } = await run(sinks, (done) => progress.update(undefined, `${done} rows`), (message) => defects.note(message));
    progress.clear();
    defects.finish();
    const reasons = Object.entries(leftOut).flatMap(([status, count]) => (count > 0 ? [`${status} ${count}`] : []));
    context.terminal.stderr(`${written} of ${rows} rows, ${labeled} labeled${reasons.length > 0 ? ` (left out: ${reasons.join(', ')})` : ''}.\n`);
    for (const [i, file] of files.entries()) if (file !== '-') context.terminal.stderr(`${sourceName(sources[i])} → ${file}\n`);
  } catch (error) {
    for (const sink of sinks) await sink.discard();
    throw error;
  } finally {
    progress.clear();
  }
}

/** The file that was named, or for each source one beside it. */
async function outputFiles(args: Arguments, task: TaskFolder, sources: readonly ExportSource[], format: ExportFormat): Promise<readonly string[]> {
  const output = args.text('output');
  if (output !== undefined) {
    if (sources.length !== 1) throw new UsageError(`The task has ${sources.length} sources, and each makes a file of its own. Leave --output out, and they are written beside the sources.`);
    // names that differ only by case are the same file on many disks
    const isSame = (file: string): boolean => resolve(file).toLowerCase() === resolve(output).toLowerCase();
    if (output !== '-' && sources.some((source) => source.kind === 'table' && isSame(joinPath(task.parent, source.file)))) {
      throw new HumanError('export.same', 'The export cannot replace {0} itself, which the task labels. Choose another name for it.', [output]);
    }
    return [output];
  }
  const files: string[] = [];
  for (const source of sources) {
    const path = joinPath(task.parent, sourceName(source));
    const [, folder = '', name = ''] = /^(.*)\/([^/]*)$/.exec(path) ?? [];
    const taken = [...(await task.fileSystem.list(folder)).map((entry) => entry.name), ...files.filter((file) => file.startsWith(`${folder}/`)).map((file) => file.slice(folder.length + 1))];
    files.push(joinPath(folder, freeFileName(exportName(name, format, source.kind === 'folder'), taken)));
  }
  return files;
}

function sourceName(source: ExportSource | undefined): string {
  return source === undefined ? '' : source.kind === 'table' ? source.file : source.folder.replace(/\/+$/, '');
}

/** The model that guesses: the one that was named, or the task's own. @returns undefined if none is wanted or the task has none; a broken one must not keep labels from leaving, unless its guesses were asked for */
async function modelOf(args: Arguments, context: CliContext, task: TaskFolder, wanted: readonly ExportColumn[] | undefined): Promise<OpenedModel | undefined> {
  const named = args.text('model');
  const isAskedFor = wanted?.some((column) => column === 'guess' || column === 'score') ?? false;
  if (named === 'none' || (wanted !== undefined && !isAskedFor)) return undefined;
  if (named !== undefined) return await openModel(context, task, named);
  const version = await task.models.current();
  if (version === undefined) {
    if (isAskedFor) throw new HumanError('export.model', 'The task {0} has no model of its own that could guess. Train one, or name one with --model.', [task.name]);
    return undefined;
  }
  try {
    return await openModel(context, task, task.models.folderOf(version));
  } catch (error) {
    if (isAskedFor || !(error instanceof HumanError)) throw error;
    context.terminal.stderr(`${error.message} The export goes on without guesses.\n`);
    return undefined;
  }
}

async function openModel(context: CliContext, task: TaskFolder, nameOrFolder: string): Promise<OpenedModel> {
  const model = await context.models.open(nameOrFolder);
  if (model.manifest.task.kind !== task.task.kind) {
    throw new HumanError('export.modelKind', 'The model {0} answers another kind of question ({1}) than the task {2} asks ({3}). Name another model, or none.', [
      model.name,
      model.manifest.task.kind,
      task.name,
      task.task.kind,
    ]);
  }
  return model;
}

/** What a model holds to be right about all texts, by `exampleId`. Texts without a word to read are left out. */
async function guessesOf(context: CliContext, { pool }: TaskFolder, model: OpenedModel): Promise<ReadonlyMap<string, Guess>> {
  const { predictor, terminal, signal } = context;
  const { task } = model.manifest;
  const reading = { rule: ruleOf(task), labels: task.labels.map(({ id }) => id) };
  const progress = new ProgressLine(terminal);
  const found = new Map<string, Guess>();
  try {
    await predictor.load(model.key, model.files);
    for (let start = 0; start < pool.size; start += textsAtOnce) {
      const texts = Array.from({ length: Math.min(textsAtOnce, pool.size - start) }, (_, i) => pool.textAt(start + i));
      const { scores, tokens, width } = await predictor.predict(model.key, texts, { signal, priority: 'background', cache: false });
      for (const i of texts.keys()) {
        const guess = tokens[i] === 0 ? undefined : readGuess(reading, scores.subarray(i * width, (i + 1) * width));
        if (guess) found.set(pool.idAt(start + i), guess);
      }
      progress.update(Math.min(1, (start + texts.length) / pool.size), `guessing: ${start + texts.length} of ${pool.size} texts`);
    }
    return found;
  } finally {
    progress.clear();
  }
}
