import * as vscode from 'vscode';
import { guessLabelColumn, guessTextColumns } from '../core/csv/columns';
import { HumanError } from '../core/errors';
import type { TrainProgress } from '../core/protocol/trainer';
import { excerpt } from '../app/format';
import type { LabeledColumns } from '../app/labeledRows';
import type { ModelSummary, OpenedModel } from '../app/modelStore';
import { taskNameOf } from '../app/taskModels';
import { StoppedTraining, untrusted, type TrainedModel, type TrainingJob } from '../app/trainings';
import { messageOf, translated } from '../editor/report';
import { pickColumns } from './chooseTextColumns';
import { useModel } from './selectModel';
import { either, isSaved, nameOf, placeOf, sampleTable, valuesOf, type TableSample } from './sourceFile';
import type { Workbench } from './workbench';

/** What another extension, a key binding or a test may say beforehand; what is missing is asked for. */
export interface TrainModelArguments {
  readonly source?: vscode.Uri;
  /** Name of the column that holds the labels. */
  readonly label?: string;
  /** Names of the text columns. */
  readonly text?: readonly string[];
  /** Name or folder of the model to start from; `none` trains from scratch. */
  readonly base?: string;
  /** What is to happen if a training runs already. */
  readonly whenBusy?: 'wait' | 'stop';
  /** Cancels as the button of the notification does. */
  readonly token?: vscode.CancellationToken;
}

const TRAINABLE = /\.(csv|tsv|tab|psv|jsonl|ndjson)(\.gz)?$/i;
/** Rows that are looked at to tell which columns hold what. Files may be sorted by their labels. */
export const SAMPLE_ROWS = 1000;
/** Of those, rows that are enough to tell texts from other values. */
const TEXT_ROWS = 200;
/** Defects of a file that the log lists. */
const LOGGED_DEFECTS = 100;
const FROM_SCRATCH = 'none';

/**
 * Trains a model on a labelled table and adds it to the models of the workspace, asking for what is unclear. A training that was stopped goes on when the same choices are made again.
 *
 * @returns undefined if the person changed their mind
 */
export async function trainModel(workbench: Workbench, args: TrainModelArguments): Promise<TrainedModel | undefined> {
  const { session, settings, log } = workbench;
  if (!vscode.workspace.isTrusted) throw untrusted();
  const source = args.source ?? (await chooseSource());
  if (!source) return undefined;
  if (source.scheme !== 'file') throw new HumanError('trainModel.scheme', '{0} is not on this machine’s disk, and files are trained on from there. Save a copy of it first.', [source.path]);
  const hasChanges = vscode.l10n.t('{0} has changes that are not saved. The file on disk is what gets trained on.', nameOf(source));
  if (!(await isSaved(source, hasChanges, vscode.l10n.t('Save and Train')))) return undefined;
  const choices = await choose(workbench, source, args);
  if (!choices || !(await mayTrain(workbench, args))) return undefined;

  const place = placeOf(workbench.ownFolder, source);
  const shipped = (await session.models.list()).flatMap(({ name, origin }) => (origin === 'shipped' ? [name] : []));
  const task = taskNameOf(nameOf(source), shipped);
  const job: TrainingJob = { ...choices, task, folder: place.folder, file: nameOf(source), open: () => workbench.files.openInput(source.fsPath), workers: settings.trainingWorkers };
  const started = Date.now();
  let trained: TrainedModel;
  try {
    trained = await vscode.window.withProgress(
      { location: vscode.ProgressLocation.Notification, title: vscode.l10n.t('Training {0}', task), cancellable: true },
      (progress, token) => run(workbench, job, progress, either(token, args.token)),
    );
  } catch (error) {
    if (!(error instanceof StoppedTraining)) throw error;
    log.info(`Training of ${task} was stopped`);
    void vscode.window.showInformationMessage(vscode.l10n.t('The training of {0} was stopped. Train again with the same choices, and it goes on where it was.', task));
    return undefined;
  }
  log.info(`Trained ${trained.name} on ${source.fsPath} in ${((Date.now() - started) / 1000).toFixed(1)} s, ${trained.examplesPerSecond.toFixed(0)} examples/s; it is in ${trained.folder}`);
  // it is the task's version in use from now on
  if (settings.model === task) session.reload();
  // not awaited: the model is there, whether or not the message is closed
  void offer(workbench, trained, place.isOwn);
  return trained;
}

async function chooseSource(): Promise<vscode.Uri | undefined> {
  const active = vscode.window.activeTextEditor?.document.uri;
  if (active && TRAINABLE.test(active.path)) return active;
  const chosen = await vscode.window.showOpenDialog({
    title: vscode.l10n.t('Choose a Labeled Table to Train On'),
    openLabel: vscode.l10n.t('Train'),
    filters: trainableFilters(),
  });
  return chosen?.[0];
}

/** Whether a file of this machine's disk is, by its name, one that can be trained on. */
export function isTrainable(uri: vscode.Uri): boolean {
  return uri.scheme === 'file' && TRAINABLE.test(uri.path);
}

/** What a dialog offers of files that can be trained on. */
export function trainableFilters(): Record<string, string[]> {
  return { [vscode.l10n.t('Tables')]: ['csv', 'tsv', 'tab', 'psv', 'jsonl', 'ndjson', 'gz'] };
}

/** Whether it may begin, or wait: one model is trained at a time. */
async function mayTrain({ session: { trainings } }: Workbench, { whenBusy }: TrainModelArguments): Promise<boolean> {
  const { active } = trainings;
  if (!active) return true;
  const wait = vscode.l10n.t('Wait for It');
  const stop = vscode.l10n.t('Stop It');
  const answers = { wait, stop };
  const answer = whenBusy
    ? answers[whenBusy]
    : await vscode.window.showWarningMessage(
        vscode.l10n.t('{0} is being trained, and one model is trained at a time.', active.task),
        { modal: true, detail: vscode.l10n.t('If it is stopped, it goes on where it was when it is trained again with the same choices.') },
        wait,
        stop,
      );
  // what runs may be another one by now, which nobody spoke of
  if (answer === stop && trainings.active?.task === active.task) trainings.cancel();
  return answer !== undefined;
}

interface Choices extends LabeledColumns {
  readonly base?: OpenedModel;
}

async function choose(workbench: Workbench, source: vscode.Uri, args: TrainModelArguments): Promise<Choices | undefined> {
  const isComplete = args.label !== undefined && args.text !== undefined && args.base !== undefined;
  const table: TableSample = isComplete ? { names: [], rows: [] } : await sampleTable(source, workbench.files, SAMPLE_ROWS);
  if (!isComplete && table.names.length < 2)
    throw new HumanError('trainModel.columns', '{0} needs a column with texts and one with labels to train on, and has {1} columns: {2}. Choose a table that has both.', [
      nameOf(source),
      table.names.length,
      table.names.map((name) => `"${name}"`).join(', ') || '–',
    ]);
  const labelColumn = args.label ?? (await chooseLabelColumn(table));
  if (labelColumn === undefined) return undefined;
  const textColumns = args.text ?? (await chooseTextColumns(workbench, source, table, labelColumn));
  if (!textColumns) return undefined;
  const base = args.base ?? (await chooseBase(workbench, table, labelColumn));
  if (base === undefined) return undefined;
  return { labelColumn, textColumns, ...(base === FROM_SCRATCH ? {} : { base: await workbench.session.models.open(base) }) };
}

async function chooseLabelColumn(table: TableSample): Promise<string | undefined> {
  const guess = guessLabelColumn(table.names, table.rows);
  const items = table.names.map((name, column) => {
    const values = valuesOf(table, column);
    const distinct = [...new Set(values)];
    return {
      label: name,
      description: vscode.l10n.t('Column {0}, {1} different values in {2} rows', column + 1, distinct.length, values.length),
      detail: distinct.slice(0, 8).map((value) => excerpt(value, 30)).join('  ·  '),
      column,
    };
  });
  // the first one is what Enter takes
  items.sort((a, b) => Number(b.column === guess) - Number(a.column === guess));
  const answer = await vscode.window.showQuickPick(items, {
    title: vscode.l10n.t('Train Model (1/3): Labels'),
    placeHolder: vscode.l10n.t('The column that holds the labels'),
    matchOnDetail: true,
  });
  return answer?.label;
}

async function chooseTextColumns({ rows }: Workbench, source: vscode.Uri, table: TableSample, labelColumn: string): Promise<readonly string[] | undefined> {
  const others = table.names.flatMap((name, column) => (name === labelColumn ? [] : [{ name, column }]));
  const names = others.map(({ name }) => name);
  const remembered = rows.rememberedColumns(source)?.flatMap((name) => (names.includes(name) ? [names.indexOf(name)] : [])) ?? [];
  const chosen = remembered.length > 0 ? remembered : guessTextColumns(names, table.rows.slice(0, TEXT_ROWS).map((values) => others.map(({ column }) => values[column] ?? '')));
  const picked = await pickColumns(
    { columns: others.map(({ name, column }) => ({ name, samples: valuesOf(table, column).slice(0, 5) })), chosen },
    vscode.l10n.t('Train Model (2/3): Texts'),
  );
  return picked?.map((index) => names[index]!);
}

interface BaseItem extends vscode.QuickPickItem {
  readonly base: string;
  /** The smaller, the further up. */
  readonly rank: number;
}

/** The model in use, the shipped ones and none; first what fits the labels. */
async function chooseBase({ session, settings }: Workbench, table: TableSample, labelColumn: string): Promise<string | undefined> {
  const found = new Map<string, ModelSummary>();
  // a model in use that is not there is none to start from
  const inUse = await session.models.find(settings.model).catch(() => undefined);
  for (const model of [...(inUse ? [inUse] : []), ...(await session.models.list()).filter(({ origin }) => origin === 'shipped')]) if (model.manifest && !model.manifest.ensemble) found.set(model.folder, model);
  const used = new Set(valuesOf(table, table.names.indexOf(labelColumn)).map((value) => value.trim()));
  const items = [...found.values()].map((model): BaseItem => {
    const { version, task } = model.manifest!;
    const fits = task.kind === 'single' && used.size > 0 && [...used].every((label) => task.labels.some(({ id }) => id === label));
    return {
      base: model.origin === 'folder' ? model.folder : model.name,
      label: `$(tag) ${model.name}`,
      description: model.folder === inUse?.folder ? vscode.l10n.t('{0}, in use', version) : version,
      detail: vscode.l10n.t('Keeps what it knows and learns from this file. Its labels: {0}', excerpt(task.labels.map(({ id, name }) => name ?? id).join(', '), 80)),
      rank: fits ? 0 : 2,
    };
  });
  items.push({ base: FROM_SCRATCH, label: `$(add) ${vscode.l10n.t('From scratch')}`, detail: vscode.l10n.t('A new model that knows only what this file teaches it'), rank: 1 });
  items.sort((a, b) => a.rank - b.rank);
  const answer = await vscode.window.showQuickPick(items, {
    title: vscode.l10n.t('Train Model (3/3): Start From'),
    placeHolder: vscode.l10n.t('What the training starts from'),
    matchOnDetail: true,
  });
  return answer?.base;
}

async function run({ session, log }: Workbench, job: TrainingJob, progress: vscode.Progress<{ message?: string; increment?: number }>, signal: AbortSignal): Promise<TrainedModel> {
  const { trainings } = session;
  if (trainings.active) progress.report({ message: vscode.l10n.t('waiting for the training of {0}', trainings.active.task) });
  let shown = 0;
  let defects = 0;
  return await trainings.train(job, {
    signal,
    onReading: (rows) => progress.report({ message: vscode.l10n.t('{0} rows read', rows.toLocaleString(vscode.env.language)) }),
    onProgress: (now, fraction) => {
      const percent = Math.floor(fraction * 100);
      progress.report({ message: stateOf(now), increment: Math.max(0, percent - shown) });
      shown = Math.max(shown, percent);
      if (now.finished) log.info(`${job.task}, epoch ${now.epoch}: training loss ${now.finished.trainLoss.toFixed(4)}, held-out loss ${now.finished.validLoss.toFixed(4)}, accuracy ${now.finished.validAccuracy.toFixed(4)}`);
    },
    onDefect: (defect) => {
      if (++defects <= LOGGED_DEFECTS) log.warn(defect.message);
    },
    onContinue: ({ epochs }) => {
      log.info(`Training of ${job.task} goes on after epoch ${epochs.length}`);
      void vscode.window.showInformationMessage(vscode.l10n.t('An earlier training of {0} with the same choices goes on after {1} epochs.', job.task, epochs.length));
    },
    onProblem: (problem) => {
      log.warn(problem.message);
      void vscode.window.showWarningMessage(translated(problem));
    },
    onNotStored: async (error) => {
      log.error(error instanceof Error ? error : String(error));
      const again = vscode.l10n.t('Try Again');
      return (await vscode.window.showErrorMessage(vscode.l10n.t('{0} is trained, but cannot be stored.', job.task), { modal: true, detail: messageOf(error) }, again)) === again;
    },
  });
}

function stateOf({ epoch, epochs, loss, examplesPerSecond, secondsLeft }: TrainProgress): string {
  const speed = Math.round(examplesPerSecond).toLocaleString(vscode.env.language);
  const shownLoss = loss.toLocaleString(vscode.env.language, { minimumFractionDigits: 3, maximumFractionDigits: 3 });
  return secondsLeft < 100
    ? vscode.l10n.t('epoch {0} of {1}, loss {2}, {3} examples/s, {4} s left', epoch, epochs, shownLoss, speed, Math.ceil(secondsLeft))
    : vscode.l10n.t('epoch {0} of {1}, loss {2}, {3} examples/s, {4} min left', epoch, epochs, shownLoss, speed, Math.ceil(secondsLeft / 60));
}

async function offer(workbench: Workbench, trained: TrainedModel, isOwn: boolean): Promise<void> {
  const { errors } = workbench;
  const use = vscode.l10n.t('Use This Model');
  const card = vscode.l10n.t('Show Model Card');
  const { summary, notes } = describeTrained(trained);
  const sentences = [summary, ...notes];
  if (isOwn) sentences.push(vscode.l10n.t('No folder is open, so the model is kept in VS Code’s own storage; Select Model finds it in every window.'));
  const answer = await vscode.window.showInformationMessage(sentences.join(' '), use, card);
  const chosen = answer === use ? useModel(workbench, trained.name) : answer === card ? vscode.commands.executeCommand('vscode.open', vscode.Uri.joinPath(vscode.Uri.file(trained.folder), 'model.json')) : undefined;
  await Promise.resolve(chosen).catch((error: unknown) => errors.show(error));
}

/** How good a model is, and what of its file it could not be trained on. */
export function describeTrained(trained: TrainedModel): { readonly summary: string; readonly notes: readonly string[] } {
  const { name, data, metrics } = trained.manifest;
  const { accuracy = metrics['exactMatch'] ?? NaN, r2, rmse = NaN, rows = 0 } = metrics;
  const right = (accuracy * 100).toLocaleString(vscode.env.language, { maximumFractionDigits: 1 });
  const checked = rows.toLocaleString(vscode.env.language);
  const notes: string[] = [];
  if (trained.unlabeled > 0) notes.push(vscode.l10n.t('{0} rows have no label and were left out.', trained.unlabeled.toLocaleString(vscode.env.language)));
  if (trained.known > 0) notes.push(vscode.l10n.t('{0} held-out rows have texts that are trained on, too, and were not checked with.', trained.known.toLocaleString(vscode.env.language)));
  if (trained.defects > 0) notes.push(vscode.l10n.t('{0} places in the file are not as they should be; the log names them.', trained.defects));
  const decimals = (value: number): string => value.toLocaleString(vscode.env.language, { maximumSignificantDigits: 3 });
  if (Number.isNaN(accuracy) && r2 !== undefined)
    return { summary: vscode.l10n.t('{0} {1}: R² {2}, RMSE {3} on {4} held-out rows.', name, trained.version, decimals(r2), decimals(rmse), checked), notes };
  return {
    summary:
      data['validationRows'] === 0
        ? vscode.l10n.t('{0} {1}: {2} % of {3} rows right, each judged without having been learned from.', name, trained.version, right, checked)
        : vscode.l10n.t('{0} {1}: {2} % of {3} held-out rows right.', name, trained.version, right, checked),
    notes,
  };
}
