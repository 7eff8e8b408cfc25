import { CancelledError, HumanError } from '../../core/errors';
import { dataHash } from '../../core/labels/dataHash';
import type { FineTuneState, Score } from '../../core/labels/view';
import { bundleFileNames } from '../../core/model/bundle';
import { ruleInOrder, type DecisionRule } from '../../core/model/deciding';
import { defaultHyperparameters } from '../../core/model/hyperparameters';
import { checkBase, formatManifest, hasLabels, parseManifest, type ModelManifest } from '../../core/model/manifest';
import { findPreset, presets } from '../../core/model/presets';
import type { TaskKind } from '../../core/model/onnxWriter';
import type { BundleFiles } from '../../core/protocol/predictor';
import type { AbortSignalLike } from '../../core/protocol/rpc';
import type { EpochReport, TrainingRow, TrainRequest, TrainResult } from '../../core/protocol/trainer';
import { chosenOfRows, measures } from '../../core/metrics/measures';
import type { Predictor } from '../../inference/predictor';
import { explained } from '../../labeling/checkScore';
import { answerError, canFineTune, constantError, fineTuneRows, isKept, type DecidedText, type FineTuneRows } from '../../labeling/fineTunePolicy';
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
export async function divide(decided: readonly DecidedText[], kind: TaskKind, idAt: (position: number) => string, pause: () => Promise<void>): Promise<FineTuneRows> {
  if (decided.filter(({ check, value }) => check && value !== null).length >= fewestChecks) return await fineTuneRows(decided, kind, seed, pause);
  const isHeldOut = ({ position }: DecidedText): boolean => Number.parseInt(idAt(position).slice(8, 16), 16) < heldOutShare * 2 ** 32;
  return await fineTuneRows(decided.map((text) => (isHeldOut(text) ? { ...text, check: true } : text)), kind, seed, pause);
}

/** @throws HumanError `training.ensemble` for a base that training cannot start from, `fineTune.few` when there is not enough to learn from */
export async function checkFineTune({ kind, labels, rows, base, pause }: Pick<FineTuneOptions, 'kind' | 'labels' | 'rows' | 'base' | 'pause'>): Promise<void> {
  checkBase(base.manifest);
  const counts = new Int32Array(labels.length);
  const slices = new Slices(pause);
  for (const part of [rows.training, rows.validation]) {
    for (const { value } of part) {
      for (const label of labelsOf(value)) counts[label]!++;
      if (slices.isOver) await slices.rest();
    }
  }
  const byLabel = [...counts];
  const learned = rows.training.length + rows.validation.length;
  if (!canFineTune({ kind, byLabel, labeled: learned }) || rows.training.length < fewestRows || rows.validation.length === 0 || rows.holdout.length === 0) throw tooFew(kind, learned, rows.holdout.length);
}

function tooFew(kind: TaskKind, learned: number, held: number): HumanError {
  switch (kind) {
    case 'single':
      return new HumanError('fineTune.few', 'There are {0} decisions to learn from and {1} to check with, which is too few. Label at least five texts of each of two labels besides the random checks, then try again.', [learned, held]);
    case 'multi':
      return new HumanError('fineTune.few', 'There are {0} decisions to learn from and {1} to check with, which is too few. Label at least five texts with a label and five without it besides the random checks, then try again.', [learned, held]);
    case 'number':
      return new HumanError('fineTune.few', 'There are {0} decisions to learn from and {1} to check with, which is too few. Give at least twelve texts a number besides the random checks, then try again.', [learned, held]);
  }
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
    const before = await judgeRival(options);
    if (before) tell({ before: before.score });
    const epochs: EpochReport[] = [];
    const trained = await trainings.trainRows(
      {
        task,
        folder,
        workers,
        request: (free) => requestOf(options, free),
        judge: async (result, stop) => {
          const { bundle, ...after } = await judge(options, result, stop);
          tell({ after: after.score, epochs: result.epochs });
          return isWorthKeeping(options, before, after) ? bundle : undefined;
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

/** As good as what there was; where that gave other answers, at least as good as always saying the same. */
function isWorthKeeping({ rows }: FineTuneOptions, before: Judgement | undefined, after: Judgement): boolean {
  if (before) return isKept(before.errors, after.errors);
  return after.errors.reduce((sum, error) => sum + error, 0) <= constantError(rows.holdout.map(answerOf));
}

async function requestOf({ task, kind, labels, rows, decisions, base, textAt, pause }: FineTuneOptions, { version, workers }: { readonly version: string; readonly workers: number }): Promise<TrainRequest> {
  const { manifest, files } = base;
  const preset = findPreset(manifest.architecture.preset) ?? presets[0];
  const toRow = (row: DecidedText): TrainingRow => ({ text: textAt(row.position), ...truthOf(row, kind) });
  const recipe = baseRecipe(rows.training.length + rows.validation.length, labels, manifest, kind);
  // a head that is fitted by itself is judged by cross-validation, and few rows are too many to lose
  const [learned, validation] = recipe.baseHead === 'only' ? [[...rows.training, ...rows.validation], []] : [rows.training, rows.validation];
  const training = learned.map(toRow);
  const { threshold } = inheritedRule(base, kind, labels);
  // a number is the base's by the name that it has there
  const { value } = manifest.task;
  return {
    preset: preset?.name ?? manifest.architecture.preset,
    ...(kind === 'single' ? {} : { kind }),
    labels,
    ...(kind === 'number' && manifest.task.kind === 'number' && value ? { valueName: value.name } : {}),
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
        sha256: await dataHash(learned.map((row) => ({ text: textAt(row.position), label: nameOf(row, labels) })), pause),
      },
    },
  };
}

/** Who has chosen from which score on a label counts has chosen so for the versions that come of the model. */
function inheritedRule({ manifest }: Pick<OpenedModel, 'manifest'>, kind: TaskKind, labels: readonly string[]): DecisionRule {
  return hasLabels(manifest, labels, kind) ? ruleInOrder(manifest.task, labels) : { kind };
}

/** How a model does on the rows that are held out. */
interface Judgement {
  /** Of each row, see {@link answerError}. */
  readonly errors: readonly number[];
  /** Rows whose answer is just the one that was decided; for `number` R². */
  readonly score: Score;
}

/** Undefined where the rival gives other answers than the task asks for. */
async function judgeRival(options: FineTuneOptions): Promise<Judgement | undefined> {
  const { rival, kind, labels, signal } = options;
  const { key, manifest } = rival.opened;
  const columns = columnsFor(manifest, kind, labels);
  return columns && judgementOf(options, await scoresOf(options, { key, columns, rule: ruleInOrder(manifest.task, labels) }, signal));
}

async function judge(options: FineTuneOptions, { bundle }: TrainResult, signal: AbortSignalLike): Promise<Judgement & { readonly bundle: BundleFiles }> {
  const { task, predictor, kind, labels, rows, base } = options;
  const manifest = parseManifest(bundle.manifest, bundleFileNames.manifest);
  const rule = inheritedRule(base, kind, labels);
  const key = `${task}, candidate ${manifest.sha256.slice(0, 12)}`;
  await predictor.load(key, bundle);
  try {
    const scored = await scoresOf(options, { key, columns: kind === 'number' ? [0] : labels.map((_, index) => index), rule }, signal);
    // the card tells what it was judged by, not what training stopped by
    const metrics = measures({ rule, labels, scores: scored.scores, truth: rows.holdout.map((row) => truthOf(row, kind)) });
    const card = formatManifest({ ...manifest, task: { ...manifest.task, ...rule }, metrics });
    return { ...judgementOf(options, scored), bundle: { ...bundle, manifest: card } };
  } finally {
    predictor.unload(key);
  }
}

/** What a model says of the rows that are held out, and what decides. */
interface ScoredHoldout {
  readonly rule: DecisionRule;
  /** [rows, labels], for `number` [rows] */
  readonly scores: Float32Array;
}

async function scoresOf(
  { predictor, rows, kind, textAt }: FineTuneOptions,
  { key, columns, rule }: { readonly key: string; readonly columns: readonly number[]; readonly rule: DecisionRule },
  signal: AbortSignalLike,
): Promise<ScoredHoldout> {
  const { scores, width } = await predictor.predict(key, rows.holdout.map(({ position }) => textAt(position)), { priority: 'background', cache: false, signal });
  return { rule, scores: pickColumns(scores, width, columns, kind) };
}

function judgementOf({ rows, kind, labels }: FineTuneOptions, { rule, scores }: ScoredHoldout): Judgement {
  const decided = rows.holdout.map(answerOf);
  const said = kind === 'number' ? Array.from(scores) : chosenOfRows(rule, scores, labels.length);
  const errors = decided.map((value, row) => answerError(value, said[row]!));
  if (kind !== 'number') return { errors, score: scoreOf(errors.filter((error) => error === 0).length, errors.length) };
  const { estimate, low, high } = explained(decided.map(Number), Array.from(scores));
  return { errors, score: { rows: errors.length, accuracy: estimate, low, high } };
}

/** What was decided about a row that is learned from or held out. */
function answerOf({ value }: DecidedText): readonly number[] | number {
  if (value === null) throw new Error('Nothing is learned from what was skipped or flagged.');
  return value;
}

function truthOf(row: DecidedText, kind: TaskKind): Omit<TrainingRow, 'text'> {
  const value = answerOf(row);
  if (typeof value === 'number') return { label: -1, value };
  return kind === 'multi' ? { label: -1, labels: value } : { label: value[0] ?? -1 };
}

/** The answer in words, to tell one set of training data from another. */
function nameOf(row: DecidedText, labels: readonly string[]): string {
  const value = answerOf(row);
  return typeof value === 'number' ? String(value) : value.map((label) => labels[label] ?? '').join(';');
}

function labelsOf(value: DecidedText['value']): readonly number[] {
  return typeof value === 'object' ? (value ?? []) : [];
}
