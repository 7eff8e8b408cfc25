import { CancelledError, HumanError } from '../../core/errors';
import { dataHash } from '../../core/labels/dataHash';
import type { FineTuneState, Score } from '../../core/labels/view';
import { bundleFileNames } from '../../core/model/bundle';
import { ruleInOrder } from '../../core/model/deciding';
import { defaultHyperparameters } from '../../core/model/hyperparameters';
import { checkBase, formatManifest, hasLabels, parseManifest, type ModelManifest } from '../../core/model/manifest';
import { findPreset, presets } from '../../core/model/presets';
import type { TaskKind } from '../../core/model/onnxWriter';
import type { BundleFiles } from '../../core/protocol/predictor';
import type { AbortSignalLike } from '../../core/protocol/rpc';
import type { EpochReport, TrainingRow, TrainRequest, TrainResult } from '../../core/protocol/trainer';
import { chosenOfRows } from '../../core/metrics/measures';
import { classificationReport } from '../../core/metrics/report';
import type { Predictor } from '../../inference/predictor';
import { canFineTune, fineTuneRows, isKept, type DecidedText, type FineTuneRows } from '../../labeling/fineTunePolicy';
import { baseRecipe } from '../baseRecipe';
import type { OpenedModel } from '../modelStore';
import { TaskModels } from '../taskModels';
import type { Trainings } from '../trainings';
import type { FileSystem } from '../../storage/fileSystem';
import { scoreOf } from './insightReport';
import { Slices } from './slices';
import { columnsFor, pickColumns, type TaskModel } from './taskModel';

export interface FineTuneOptions {
  readonly task: string;
  /** Absolute path of the folder in whose `.label-lens/` the task is stored. */
  readonly folder: string;
  readonly kind: TaskKind;
  /** Ids of the labels that are offered, in their order: those of the model. */
  readonly labels: readonly string[];
  readonly rows: FineTuneRows;
  readonly textAt: (position: number) => string;
  /** Decisions that there are in all, to be noted on the card. */
  readonly decisions: number;
  /** What training starts from: no decisions of this task were learned by it, for what is learned twice seems to be known better than it is. */
  readonly base: OpenedModel;
  /** What the new version has to stand up to: the best so far, or what training starts from. */
  readonly rival: TaskModel;
  readonly fileSystem: FileSystem;
  readonly trainings: Pick<Trainings, 'trainRows'>;
  readonly predictor: Pick<Predictor, 'load' | 'unload' | 'predict'>;
  /** Threads to train with; 0 leaves the choice to us. */
  readonly workers: number;
  readonly pause: () => Promise<void>;
  readonly signal: AbortSignalLike;
  /** Hears how it goes, from `running` on; the last word is the result. */
  readonly onState: (state: FineTuneState) => void;
}

/** What the card of a model says that was trained on decisions. */
const decisionsSource = 'decisions';
/** Checks that have to be decided for the model to be judged by them alone. */
const fewestChecks = 10;
/** Share of the other decisions that is held out where there are fewer checks. */
const heldOutShare = 0.2;
/** Rows that the trainer needs. */
const fewestRows = 10;
/** Versions that stay besides the best and the one in use. */
const keptVersions = 5;
const seed = 1;

/** Whether a version came from decisions, and so may be removed when there are too many. */
export function isFromDecisions({ data }: Pick<ModelManifest, 'data'>): boolean {
  return data['source'] === decisionsSource;
}

/**
 * The version that a version which came of decisions goes back to: the latest of its forebears that did not.
 * @returns undefined where that is no version of the task, or gone
 */
export function originOf(version: string, task: string, versions: readonly { readonly version: string; readonly manifest: Pick<ModelManifest, 'data' | 'parent'> }[]): string | undefined {
  const known = new Map(versions.map((each) => [each.version, each.manifest]));
  for (let at: string | undefined = version; at !== undefined; ) {
    const manifest = known.get(at);
    if (!manifest || !isFromDecisions(manifest)) return manifest && at;
    // a card may have been written by anybody: each version is looked at once
    known.delete(at);
    at = manifest.parent?.startsWith(`${task}@`) ? manifest.parent.slice(task.length + 1) : undefined;
  }
  return undefined;
}

/** Decisions that a version has learned from or was judged by; undefined for one that came from elsewhere. */
export function decisionsOf(manifest: Pick<ModelManifest, 'data'>): number | undefined {
  const { decisions } = manifest.data;
  return isFromDecisions(manifest) && typeof decisions === 'number' ? decisions : undefined;
}

/**
 * The parts that decisions are divided into. The random checks are held out, always; where fewer than ten are decided, a fifth of the others is, too: those whose hash is small, which is a fifth of each label but for
 * chance, and always the same texts, so that nothing that was learned from is ever held out.
 *
 * @param idAt `exampleId` of the text at a position
 */
export async function divide(decided: readonly DecidedText[], idAt: (position: number) => string, pause: () => Promise<void>): Promise<FineTuneRows> {
  if (decided.filter(({ check, value }) => check && value !== null).length >= fewestChecks) return await fineTuneRows(decided, seed, pause);
  const isHeldOut = ({ position }: DecidedText): boolean => Number.parseInt(idAt(position).slice(8, 16), 16) < heldOutShare * 2 ** 32;
  return await fineTuneRows(decided.map((text) => (isHeldOut(text) ? { ...text, check: true } : text)), seed, pause);
}

/** @throws HumanError `fineTune.kind`, `training.ensemble` for a base that training cannot start from, `fineTune.few` when there is not enough to learn from */
export async function checkFineTune({ kind, labels, rows, base, pause }: Pick<FineTuneOptions, 'kind' | 'labels' | 'rows' | 'base' | 'pause'>): Promise<void> {
  if (kind !== 'single')
    throw new HumanError('fineTune.kind', 'The LSTM is fine-tuned for tasks with one label a text. For tasks of other kinds the head on top of it learns from each decision: go on labeling.');
  checkBase(base.manifest);
  const counts = new Int32Array(labels.length);
  const slices = new Slices(pause);
  for (const part of [rows.training, rows.validation]) {
    for (const { value } of part) {
      const label = labelOf(value);
      counts[label] = (counts[label] ?? 0) + 1;
      if (slices.isOver) await slices.rest();
    }
  }
  const byLabel = [...counts];
  const learned = rows.training.length + rows.validation.length;
  if (!canFineTune({ kind, byLabel, labeled: learned }) || rows.training.length < fewestRows || rows.validation.length === 0 || rows.holdout.length === 0)
    throw new HumanError('fineTune.few', 'There are {0} decisions to learn from and {1} to check with, which is too few. Label at least five texts of each of two labels besides the random checks, then try again.', [
      learned,
      rows.holdout.length,
    ]);
}

/**
 * Fine-tunes a task's model on what was decided, and keeps the new version only if it is not worse on the rows that are held out. The best version and the last ones stay, whatever comes.
 *
 * @returns how it ended; never rejects, except with defects of ours
 */
export async function fineTune(options: FineTuneOptions): Promise<FineTuneState> {
  const { task, folder, fileSystem, trainings, workers, signal, onState } = options;
  let state: FineTuneState = { status: 'running', epochs: [] };
  const tell = (change: Partial<FineTuneState>): FineTuneState => {
    state = { ...state, ...change };
    onState(state);
    return state;
  };
  tell({});
  try {
    await checkFineTune(options);
    const before = await hitsBefore(options);
    if (before) tell({ before: scoreOfHits(before) });
    const epochs: EpochReport[] = [];
    const trained = await trainings.trainRows(
      {
        task,
        folder,
        workers,
        request: (free) => requestOf(options, free),
        judge: async (result, stop) => {
          const judged = await judge(options, result, stop);
          tell({ after: scoreOfHits(judged.hits), epochs: result.epochs });
          return isWorthKeeping(options, before, judged.hits) ? judged.bundle : undefined;
        },
      },
      {
        signal,
        onProgress: (progress) => {
          if (progress.finished) epochs.push(progress.finished);
          tell({ progress, epochs: [...epochs] });
        },
        onContinue: ({ epochs: done }) => epochs.splice(0, epochs.length, ...done),
      },
    );
    if (!trained) return tell({ status: 'discarded' });
    // what cannot be removed now is removed the next time
    await new TaskModels(fileSystem, folder, task).prune(isFromDecisions, keptVersions).catch(() => undefined);
    return tell({ status: 'kept', version: trained.version });
  } catch (error) {
    if (error instanceof CancelledError) return tell({ status: 'cancelled' });
    return tell({ status: 'failed', error: error instanceof Error ? error : new Error(String(error)) });
  }
}

/** As good as what there was; where that had other labels, at least as good as always saying the same. */
function isWorthKeeping({ labels, rows }: FineTuneOptions, before: readonly boolean[] | undefined, after: readonly boolean[]): boolean {
  if (before) return isKept(before, after);
  const counts = labels.map((_, label) => rows.holdout.filter(({ value }) => labelOf(value) === label).length);
  return after.filter(Boolean).length >= Math.max(...counts);
}

async function requestOf({ task, kind, labels, rows, decisions, base, textAt, pause }: FineTuneOptions, { version, workers }: { readonly version: string; readonly workers: number }): Promise<TrainRequest> {
  const { manifest, files } = base;
  const preset = findPreset(manifest.architecture.preset) ?? presets[0];
  const toRow = ({ position, value }: DecidedText): TrainingRow => ({ text: textAt(position), label: labelOf(value) });
  const recipe = baseRecipe(rows.training.length + rows.validation.length, labels, manifest);
  // a head that is fitted by itself is judged by cross-validation, and few rows are too many to lose
  const [learned, validation] = recipe.baseHead === 'only' ? [[...rows.training, ...rows.validation], []] : [rows.training, rows.validation];
  const training = learned.map(toRow);
  // who has chosen from which score on a label counts has chosen so for the versions after it
  const { threshold } = hasLabels(manifest, labels, kind) ? ruleInOrder(manifest.task, labels) : {};
  return {
    preset: preset?.name ?? manifest.architecture.preset,
    labels,
    ...(threshold === undefined ? {} : { threshold }),
    rows: training,
    validation: validation.map(toRow),
    base: files,
    hyperparameters: defaultHyperparameters({ ...preset?.defaults, ...recipe, ...(rows.balance ? { classWeights: 'balanced' } : {}), seed }),
    workers,
    precision: 'float32',
    identity: {
      name: task,
      version,
      parent: `${manifest.name}@${manifest.version}`,
      data: {
        source: decisionsSource,
        decisions,
        checks: rows.holdout.length,
        sha256: await dataHash(training.map(({ text, label }) => ({ text, label: labels[label] ?? '' })), pause),
      },
    },
  };
}

/** What the rival gets right of the rows that are held out; undefined where it has other labels. */
async function hitsBefore(options: FineTuneOptions): Promise<readonly boolean[] | undefined> {
  const { rival, kind, labels, signal } = options;
  const columns = columnsFor(rival.opened.manifest, kind, labels);
  return columns && hitsOf(options, await guess(options, { key: rival.opened.key, manifest: rival.opened.manifest, columns }, signal));
}

async function judge(options: FineTuneOptions, { bundle }: TrainResult, signal: AbortSignalLike): Promise<{ readonly hits: readonly boolean[]; readonly bundle: BundleFiles }> {
  const { task, predictor, labels, rows } = options;
  const manifest = parseManifest(bundle.manifest, bundleFileNames.manifest);
  const key = `${task}, candidate ${manifest.sha256.slice(0, 12)}`;
  await predictor.load(key, bundle);
  try {
    const guesses = await guess(options, { key, manifest, columns: labels.map((_, index) => index) }, signal);
    const { accuracy, macroF1 } = classificationReport(rows.holdout.map(({ value }) => labelOf(value)), guesses, labels);
    // the card tells what it was judged by, not what training stopped by
    const card = formatManifest({ ...manifest, metrics: { rows: guesses.length, accuracy, macroF1 } });
    return { hits: hitsOf(options, guesses), bundle: { ...bundle, manifest: card } };
  } finally {
    predictor.unload(key);
  }
}

/** Index of the guessed label of each row that is held out. */
async function guess(
  { predictor, rows, kind, labels, textAt }: FineTuneOptions,
  { key, manifest, columns }: { readonly key: string; readonly manifest: ModelManifest; readonly columns: readonly number[] },
  signal: AbortSignalLike,
): Promise<readonly number[]> {
  const { scores, width } = await predictor.predict(key, rows.holdout.map(({ position }) => textAt(position)), { priority: 'background', cache: false, signal });
  const own = pickColumns(scores, width, columns, kind);
  return chosenOfRows(ruleInOrder(manifest.task, labels), own, columns.length).map(([label = 0]) => label);
}

function hitsOf({ rows }: FineTuneOptions, guesses: readonly number[]): readonly boolean[] {
  return rows.holdout.map(({ value }, row) => labelOf(value) === guesses[row]);
}

function scoreOfHits(hits: readonly boolean[]): Score {
  return scoreOf(hits.filter(Boolean).length, hits.length);
}

/** Index of the one label; -1 for other answers. */
function labelOf(value: DecidedText['value']): number {
  return typeof value === 'object' ? (value?.[0] ?? -1) : -1;
}
