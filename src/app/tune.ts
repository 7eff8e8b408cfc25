import { CancelledError, HumanError } from '../core/errors';
import { dataHash } from '../core/labels/dataHash';
import type { DecisionValue } from '../core/labels/decision';
import { stratifiedFolds } from '../core/labels/folds';
import { strataOf } from '../core/labels/strata';
import { checkHyperparameters } from '../core/model/hyperparameters';
import type { TaskKind } from '../core/model/onnxWriter';
import { findPreset } from '../core/model/presets';
import type { PresetFile } from '../core/model/presetFile';
import type { Candidate } from '../core/model/searchSpace';
import { foldKey, formatFoldResult, parseFoldResults, type FoldResult } from '../core/model/tuneRecord';
import type { AbortSignalLike } from '../core/protocol/rpc';
import type { Hyperparameters, TrainProgress } from '../core/protocol/trainer';
import type { Predictor } from '../inference/predictor';
import type { CheckpointStore } from '../training/checkpointKeeper';
import type { Trainer } from '../training/trainerClient';
import { foldMetrics, isBetter } from './foldMetrics';
import { answerOf, type LabeledColumns, type LabeledText } from './labeledRows';
import { fractionOf } from './trainings';
import { defaultHeldOut, trainRequest } from './trainRequest';

/** Folds where nobody says otherwise (Kohavi 1995). */
export const defaultFolds = 5;
export const mostFolds = 50;

/** A file to which lines are added behind those that are there. */
export interface LineFile {
  /** Names it in messages. */
  readonly where: string;
  /** Undefined if there is none yet. */
  read(): Promise<Uint8Array | undefined>;
  /** Resolves when the lines, which end with line feeds, are on the disk. */
  append(lines: Uint8Array): Promise<unknown>;
}

export interface TuneRequest extends LabeledColumns {
  readonly rows: readonly LabeledText[];
  /** The file of `rows`, as a person knows it. */
  readonly file: string;
  readonly kind: TaskKind;
  /** At least one, all different. */
  readonly candidates: readonly Candidate[];
  /** 2..{@link mostFolds} */
  readonly folds: number;
  /** Of the folds. */
  readonly seed: number;
  /** Name of the metric that says which is best, see `metricNames`. */
  readonly metric: string;
  /** Threads to train with. The results do not depend on it. */
  readonly workers: number;
  readonly trainer: Pick<Trainer, 'train'>;
  readonly predictor: Pick<Predictor, 'load' | 'predict' | 'unload'>;
  /** Where folds that are done are remembered; the same request then goes on with those that are not. */
  readonly record: LineFile;
  /** Where the training of the fold at hand is kept. */
  readonly checkpoints: CheckpointStore;
  /** Resolves after what has come in was handled. */
  readonly pause: () => Promise<void>;
  readonly signal?: AbortSignalLike;
  readonly onProgress?: (progress: TuneProgress) => void;
  /** Called when all folds of a candidate are done. */
  readonly onCandidate?: (result: CandidateResult) => void;
  /** Hears of what keeps a training from being continued or kept. Tuning goes on. */
  readonly onProblem?: (problem: HumanError) => void;
}

export interface TuneProgress {
  /** 1-based. */
  readonly candidate: number;
  readonly candidates: number;
  /** 1-based. */
  readonly fold: number;
  readonly folds: number;
  /** Share of all trainings that is done, 0..1. */
  readonly fraction: number;
  readonly training: TrainProgress;
}

export interface CandidateResult {
  readonly candidate: Candidate;
  /** Means over the folds, by the names of the metrics; none where a training diverged. */
  readonly mean: Readonly<Record<string, number>>;
  /** Standard deviations over the folds (n − 1), by the same names. */
  readonly deviation: Readonly<Record<string, number>>;
  /** Seconds of all its folds. */
  readonly seconds: number;
}

export interface TuneResult {
  /** The best first; those that diverged last. */
  readonly ranking: readonly CandidateResult[];
  /** Folds that were trained now. */
  readonly trained: number;
  /** Folds whose results were there. */
  readonly reused: number;
}

/** The predictor knows the fold's model by it. */
const modelKey = 'tune';

/**
 * Cross-validates each candidate on folds that are the same for all: seeded, stratified, equal texts in one fold. Of the other folds a part is held out that decides when to stop, so that the fold that scores is
 * never seen before. What is done is remembered; after a cancellation or a kill, the same request goes on with the fold and the batch at hand.
 *
 * @throws HumanError `tune.fewTexts`, `tune.allDiverged`, those of `trainRequest` and of training, and when the record cannot be read or written; CancelledError
 */
export async function tune(request: TuneRequest): Promise<TuneResult> {
  return await new Tuning(request).run();
}

/** What the best candidate is written down as. @param metric with which it was chosen */
export function bestPreset({ candidate, mean, deviation }: CandidateResult, { name, metric, folds, of, file }: { readonly name: string; readonly metric: string; readonly folds: number; readonly of: number; readonly file: string }): PresetFile {
  const score = `${metric} ${mean[metric]!.toFixed(4)} ± ${deviation[metric]!.toFixed(4)}`;
  return { name, ...candidate, description: `Best of ${of} settings in cross-validation with ${folds} folds on ${file.split(/[/\\]/).at(-1)}: ${score}` };
}

class Tuning {
  private done: ReadonlyMap<string, FoldResult> = new Map();
  private trained = 0;
  private reused = 0;

  constructor(private readonly request: TuneRequest) {}

  async run(): Promise<TuneResult> {
    const { rows, candidates, folds, seed, metric, kind, record, pause } = this.request;
    const breathe = (): Promise<void> => this.breathe(pause);
    // before the first training: a mistake in the last candidate should not come to light after hours
    const settings = candidates.map(({ preset, hyperparameters }) => checkHyperparameters(hyperparameters, findPreset(preset)?.defaults));
    const answers = rows.map((row) => answerOf(row, kind));
    const strata = strataOf(answers, folds);
    const places = [...rows.keys()];
    const foldOf = await stratifiedFolds(places, folds, { labelOf: (row) => strata[row]!, textOf: (row) => rows[row]!.text, seed, breathe });
    this.checkFolds(foldOf);
    const data = await dataHash(rows, breathe);
    this.done = parseFoldResults((await record.read()) ?? new Uint8Array(0), record.where).results;
    const labels = [...new Set(answers.flatMap((answer) => (typeof answer === 'number' ? [] : answer)))].sort();

    const results: CandidateResult[] = [];
    for (const [index, candidate] of candidates.entries()) {
      const ofFolds: FoldResult[] = [];
      for (let fold = 0; fold < folds; fold++) {
        const hyperparameters = settings[index]!;
        const key = foldKey({ data, kind, folds, seed, heldOut: defaultHeldOut, fold, preset: candidate.preset, hyperparameters });
        const known = this.done.get(key);
        if (known) this.reused++;
        const result = known ?? (await this.train({ index, candidate, hyperparameters, fold, key, foldOf, answers, labels }));
        ofFolds.push(result);
        // the others cannot make up for it
        if (Object.keys(result.metrics).length === 0) break;
      }
      const result = summary(candidate, ofFolds);
      results.push(result);
      this.request.onCandidate?.(result);
    }
    const ranking = [...results].sort((a, b) => compare(a, b, metric));
    if (ranking[0]?.mean[metric] === undefined) throw new HumanError('tune.allDiverged', 'None of {0} settings could be trained: the loss of each became infinite. Try lower learning rates.', [candidates.length]);
    return { ranking, trained: this.trained, reused: this.reused };
  }

  private async train({ index, candidate, hyperparameters, fold, key, foldOf, answers, labels }: {
    readonly index: number;
    readonly candidate: Candidate;
    readonly hyperparameters: Hyperparameters;
    readonly fold: number;
    readonly key: string;
    readonly foldOf: Uint8Array;
    readonly answers: readonly DecisionValue[];
    readonly labels: readonly string[];
  }): Promise<FoldResult> {
    const { rows, file, textColumns, labelColumn, kind, workers, candidates, folds, trainer, predictor, record, checkpoints, pause, signal, onProgress, onProblem } = this.request;
    await this.breathe(pause);
    const plan = {
      rows: rows.filter((_, row) => foldOf[row] !== fold),
      heldOut: { share: defaultHeldOut },
      file,
      textColumns,
      labelColumn,
      preset: candidate.preset,
      hyperparameters,
      workers,
      precision: 'float32',
      name: modelKey,
      version: `fold${fold + 1}`,
      ...(kind === 'single' ? {} : { kind }),
    } as const;
    const before = index * folds + fold;
    let seconds = 0;
    let metrics: FoldResult['metrics'] = {};
    try {
      const result = await trainer.train(await trainRequest(plan, pause), {
        ...(signal ? { signal } : {}),
        checkpoints,
        onProgress: (training) =>
          onProgress?.({ candidate: index + 1, candidates: candidates.length, fold: fold + 1, folds, fraction: (before + fractionOf(training)) / (candidates.length * folds), training }),
        onProblem: (problem) => {
          // that of the fold before, which was killed between its result and its end
          if (problem.code !== 'training.checkpointDifferent') onProblem?.(problem);
        },
      });
      seconds = result.epochs.reduce((sum, epoch) => sum + epoch.seconds, 0);
      const places = [...rows.keys()].filter((row) => foldOf[row] === fold);
      const known = await predictor.load(modelKey, result.bundle);
      const { scores, width } = await predictor.predict(modelKey, places.map((row) => rows[row]!.text), { ...(signal ? { signal } : {}), priority: 'background', cache: false });
      metrics = foldMetrics({ kind, truth: places.map((row) => answers[row]!), labels, known: known.labels, scores, width });
    } catch (error) {
      if (!(error instanceof HumanError) || error.code !== 'training.diverged') throw error;
    } finally {
      predictor.unload(modelKey);
    }
    const result = { key, metrics, seconds };
    await record.append(formatFoldResult(result, { fold, ...candidate }));
    // only now: a kill before would have to train it again
    await checkpoints.clear();
    this.trained++;
    return result;
  }

  /** Each fold needs a text to be scored on. */
  private checkFolds(foldOf: Uint8Array): void {
    const { folds, file } = this.request;
    if (new Set(foldOf).size === folds) return;
    throw new HumanError('tune.fewTexts', '{0} has too few different texts for {1} folds. Label more of them, or take fewer folds.', [file, folds]);
  }

  private async breathe(pause: () => Promise<void>): Promise<void> {
    await pause();
    if (this.request.signal?.aborted) throw new CancelledError();
  }
}

function summary(candidate: Candidate, folds: readonly FoldResult[]): CandidateResult {
  const seconds = folds.reduce((sum, fold) => sum + fold.seconds, 0);
  const names = folds.some(({ metrics }) => Object.keys(metrics).length === 0) ? [] : Object.keys(folds[0]!.metrics);
  const statistics = names.map((name) => {
    const values = folds.map(({ metrics }) => metrics[name]!);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
    return { name, mean, deviation: Math.sqrt(variance) };
  });
  return {
    candidate,
    mean: Object.fromEntries(statistics.map(({ name, mean }) => [name, mean])),
    deviation: Object.fromEntries(statistics.map(({ name, deviation }) => [name, deviation])),
    seconds,
  };
}

/** The better one first; where `metric` is equal, by the loss if there is one, else in their order. */
function compare(a: CandidateResult, b: CandidateResult, metric: string): number {
  for (const name of [metric, 'loss']) {
    const [one, other] = [a.mean[name], b.mean[name]];
    if (one === undefined || other === undefined) return Number(one === undefined) - Number(other === undefined);
    if (one !== other) return isBetter(name, one, other) ? -1 : 1;
  }
  return 0;
}
