import { RecordReader } from '../core/csv/reader';
import { CancelledError, HumanError } from '../core/errors';
import { checkHyperparameters } from '../core/model/hyperparameters';
import { bundleFileNames } from '../core/model/bundle';
import { parseManifest, type ModelManifest } from '../core/model/manifest';
import { findPreset, presets, type Preset } from '../core/model/presets';
import type { TaskKind } from '../core/model/onnxWriter';
import type { AbortSignalLike } from '../core/protocol/rpc';
import type { BundleFiles } from '../core/protocol/predictor';
import type { Hyperparameters, TrainPlace, TrainProgress, TrainRequest, TrainResult } from '../core/protocol/trainer';
import type { WorkerHandle } from '../core/protocol/worker';
import type { FileSystem } from '../storage/fileSystem';
import { defaultWorkers, mostWorkers } from '../training/threads';
import { Trainer } from '../training/trainerClient';
import { recipeFor } from './baseRecipe';
import { Emitter, type Disposable, type Event } from './events';
import { readLabeled, type LabeledColumns, type LabeledText } from './labeledRows';
import type { OpenedModel } from './modelStore';
import { TaskModels } from './taskModels';
import { defaultHeldOut, trainRequest, withoutTrained, type HeldOutFile } from './trainRequest';
import { withVectors, type VectorCoverage } from './wordVectors';

export interface TrainingsOptions {
  readonly fileSystem: FileSystem;
  /** Starts the trainer's worker; called for each training. */
  readonly startTrainer: () => WorkerHandle;
  /** Processor cores of the machine. */
  readonly cores: number;
  /** Resolves after what has come in was handled. */
  readonly pause: () => Promise<void>;
  /** Hears of listeners that throw. */
  readonly onError?: (error: unknown) => void;
}

/** A file to be read. */
export interface InputOfTraining {
  /** As a person knows it. */
  readonly file: string;
  /** Opens it, unpacked. */
  readonly open: () => Promise<{ readonly chunks: AsyncIterable<Uint8Array>; fraction(): number | undefined }>;
}

/** A model to be trained on a labelled file. Of two jobs that are equal but for their workers, the second goes on with what the first has left undone. */
export interface TrainingJob extends LabeledColumns, InputOfTraining {
  /** Name of the task, and so of the model. */
  readonly task: string;
  /** Absolute path of the folder in whose `.label-lens/` the model is stored. */
  readonly folder: string;
  /** What is asked of a text. Default `single`, with a number beside the label where there is a column of it. */
  readonly kind?: TaskKind;
  readonly base?: OpenedModel;
  /** Without a base; the default is the first there is. */
  readonly preset?: string;
  /** What a person has set; the rest is the preset's, or what suits the base. */
  readonly hyperparameters?: Partial<Hyperparameters>;
  /** Share of the rows in 0..1 (exclusive) that is held out, or a file of rows to check with, in the same columns. */
  readonly heldOut?: { readonly share: number } | InputOfTraining;
  /** Word vectors to start from, as `readVectors` reads them. Not with a base, which brings its own. */
  readonly vectors?: InputOfTraining;
  /** Decision threshold in 0..1: of the second of two labels, or of each for `multi`. */
  readonly threshold?: number;
  /** Threads to train with; 0 leaves the choice to us. The model does not depend on it. */
  readonly workers: number;
}

/** A model to be trained on rows that need not be read from a file, such as what was decided in a task. */
export interface RowsTrainingJob extends Pick<TrainingJob, 'task' | 'folder' | 'workers'> {
  /** What the trainer gets; called when the job's turn has come, so that it may look at what is there then. @param free name and number of threads to be put into it */
  readonly request: (free: { readonly version: string; readonly workers: number }) => Promise<TrainRequest>;
  /** Decides on the trained model: resolves with the bundle to be stored, which may say more on its card, or undefined where it is not worth keeping. */
  readonly judge: (result: TrainResult, signal: AbortSignalLike) => Promise<BundleFiles | undefined>;
}

export interface TrainingListener {
  readonly signal?: AbortSignalLike;
  /** Called while a file is read, with its labelled rows so far; the one of the held-out rows, if there is one, comes after the other. */
  readonly onReading?: (rows: number, part: 'rows' | 'heldOut') => void;
  /** Called while word vectors are read, with the share of their file in 0..1 that was read, if that is known. */
  readonly onReadingVectors?: (fraction: number | undefined) => void;
  /** The word vectors are read. */
  readonly onVectors?: (vectors: VectorsRead) => void;
  /** `fraction` of the planned epochs that is done, 0..1; it never falls. */
  readonly onProgress?: (progress: TrainProgress, fraction: number) => void;
  /** Something in one of the files is not as it should be. */
  readonly onDefect?: (defect: { readonly message: string }) => void;
  /** An earlier training that was stopped is continued. */
  readonly onContinue?: (from: TrainPlace) => void;
  /** A checkpoint cannot be used or saved. Training goes on. */
  readonly onProblem?: (problem: HumanError) => void;
  /** The model is there but cannot be stored. Resolves with whether to try again. */
  readonly onNotStored?: (error: unknown) => Promise<boolean>;
  /** The model is trained, and will be stored. Of a training on a file. */
  readonly onTrained?: (outcome: TrainingOutcome) => void;
}

/** All that is known of a training when it is done, for a report. */
export interface TrainingOutcome {
  readonly request: TrainRequest;
  readonly result: TrainResult;
  /** The file in which the held-out rows stand, as a person knows it. */
  readonly heldOutFile: string;
  /** Numbers of its rows, 1-based, that `request.validation` stands for, in its order. */
  readonly heldOutRows: readonly number[];
}

/** What a file of word vectors had for a training. */
export interface VectorsRead extends VectorCoverage {
  /** Numbers of a vector. */
  readonly size: number;
  /** Lines that were left out. */
  readonly defects: number;
}

export interface TrainedModel {
  /** What the model store calls it: `TASK/VERSION`. */
  readonly name: string;
  readonly version: string;
  readonly folder: string;
  readonly manifest: ModelManifest;
  /** Rows that were left out because they have no label, held-out ones among them. */
  readonly unlabeled: number;
  /** Rows of the held-out file that were left out because their text is trained on, too. */
  readonly known: number;
  /** Of the files with rows. */
  readonly defects: number;
  readonly examplesPerSecond: number;
}

/** A training that runs. */
export interface ActiveTraining {
  readonly task: string;
  /** 0..1; it never falls. */
  readonly fraction: number;
}

/** It was cancelled, and the same job goes on where it was. */
export class StoppedTraining extends CancelledError {}

/** Said where a folder is not trusted: models are stored in it and read from it. */
export function untrusted(): HumanError {
  return new HumanError('trainModel.untrusted', 'Models are trained in folders that you trust, as they are stored there and read from there. Trust this folder, then train again.');
}

/** Trains models for tasks, one at a time, each from labelled rows into a version of its task's model. Costs nothing until the first. */
export class Trainings implements Disposable {
  private readonly trainer: Trainer;
  private readonly changed: Emitter<void>;
  private running: { active: ActiveTraining; readonly stop: AbortController } | undefined;
  private last: Promise<unknown> = Promise.resolve();
  private disposed = false;

  constructor(private readonly options: TrainingsOptions) {
    this.trainer = new Trainer(options.startTrainer);
    this.changed = new Emitter(options.onError);
  }

  /** Fired when {@link active} has another value. */
  get onDidChange(): Event<void> {
    return this.changed.event;
  }

  get active(): ActiveTraining | undefined {
    return this.running?.active;
  }

  /** Stops the training that runs, if one does. The same job goes on where it was. */
  cancel(): void {
    this.running?.stop.abort();
  }

  /**
   * Trains when those that were asked for before have ended.
   *
   * @throws HumanError when a file cannot be read or its rows cannot be trained on, when there is no such preset or a hyperparameter is out of its range, when training goes astray or its worker dies, or the model cannot be stored;
   *   CancelledError when `signal` was raised, or by {@link cancel} or {@link dispose}; {@link StoppedTraining} if there is a checkpoint then
   */
  async train(job: TrainingJob, listener: TrainingListener = {}): Promise<TrainedModel> {
    return await this.inTurn(job.task, listener, (signal) => this.run(job, listener, signal));
  }

  /**
   * As {@link train}, on rows that are given, with the model stored only if `job.judge` says so.
   *
   * @returns undefined where the model was not worth keeping
   * @throws as {@link train}, and what `job.request` and `job.judge` throw
   */
  async trainRows(job: RowsTrainingJob, listener: TrainingListener = {}): Promise<TrainedModel | undefined> {
    return await this.inTurn(job.task, listener, async (signal) => {
      const models = new TaskModels(this.options.fileSystem, job.folder, job.task);
      const request = await job.request({ version: await models.nextVersion(), workers: this.workers(job) });
      return await this.trainAndStore({ models, request, checkpoints: models.checkpoints('fineTuning'), judge: (result) => job.judge(result, signal) }, listener, signal);
    });
  }

  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    this.cancel();
    this.trainer.dispose().catch((error: unknown) => this.options.onError?.(error));
    this.changed.dispose();
  }

  private async run(job: TrainingJob, listener: TrainingListener, signal: AbortSignal): Promise<TrainedModel> {
    const { fileSystem, pause } = this.options;
    const { file, textColumns, labelColumn, valueColumn, kind = 'single', base, threshold } = job;
    const columns = { textColumns, labelColumn, ...(valueColumn === undefined ? {} : { valueColumn }) };
    const preset = presetOf(job);
    let unlabeled = 0;
    let defects = 0;
    const read = async ({ file, open }: InputOfTraining, part: 'rows' | 'heldOut'): Promise<readonly LabeledText[]> => {
      const input = await open();
      const found = await readLabeled({
        chunks: breathing(input.chunks, pause),
        reader: new RecordReader(file),
        ...columns,
        kind,
        signal,
        onProgress: (count) => listener.onReading?.(count, part),
        onDefect: (defect) => {
          defects++;
          listener.onDefect?.(defect);
        },
      });
      unlabeled += found.unlabeled;
      return found.rows;
    };
    const rows = await read(job, 'rows');
    const { heldOut: wanted = { share: defaultHeldOut } } = job;
    let known = 0;
    const readHeldOut = async (input: InputOfTraining): Promise<HeldOutFile> => {
      const all = await read(input, 'heldOut');
      const unseen = await withoutTrained({ rows: all, file: input.file }, rows, pause);
      known = all.length - unseen.rows.length;
      return unseen;
    };
    const heldOut = 'file' in wanted ? await readHeldOut(wanted) : wanted;
    const models = new TaskModels(fileSystem, job.folder, job.task);
    const planned = await trainRequest(
      {
        ...columns,
        kind,
        rows,
        heldOut,
        file,
        ...(threshold === undefined ? {} : { threshold }),
        ...(base ? { base } : {}),
        preset: preset.name,
        hyperparameters: checkHyperparameters({ ...job.hyperparameters }, { ...preset.defaults, ...recipeFor(rows, base, kind) }),
        workers: this.workers(job),
        precision: 'float32',
        name: job.task,
        version: await models.nextVersion(),
      },
      pause,
    );
    const request = job.vectors ? await this.startFrom(job.vectors, planned, listener, signal) : planned;
    const judge = (result: TrainResult): Promise<BundleFiles> => {
      const [source, heldOutFile] = 'rows' in heldOut ? [heldOut.rows, heldOut.file] : [rows, file];
      listener.onTrained?.({ request, result, heldOutFile, heldOutRows: rowNumbers(source, request.validation) });
      return Promise.resolve(result.bundle);
    };
    const trained = await this.trainAndStore({ models, request, checkpoints: models.checkpoints(), judge }, listener, signal);
    if (!trained) throw new Error('A model that was trained on a file is always kept.');
    return { ...trained, unlabeled, known, defects };
  }

  /** The request with the vectors of its words from a file. */
  private async startFrom({ file, open }: InputOfTraining, request: TrainRequest, listener: TrainingListener, signal: AbortSignal): Promise<TrainRequest> {
    const { pause } = this.options;
    let defects = 0;
    const input = await open();
    const { request: full, coverage } = await withVectors(request, {
      chunks: breathing(input.chunks, pause),
      fileName: file,
      signal,
      breathe: async () => {
        await pause();
        this.checkOn(signal);
      },
      onProgress: () => listener.onReadingVectors?.(input.fraction()),
      onDefect: (defect) => {
        defects++;
        listener.onDefect?.(defect);
      },
    });
    listener.onVectors?.({ ...coverage, size: full.vectors!.size, defects });
    return full;
  }

  /** Does `work` when what was asked for before has ended. */
  private async inTurn<T>(task: string, listener: TrainingListener, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const stop = new AbortController();
    const abort = (): void => stop.abort();
    listener.signal?.addEventListener('abort', abort);
    if (listener.signal?.aborted) abort();
    const before = this.last;
    let done!: () => void;
    // one that gives up waiting must not let the next one pass those before it
    this.last = Promise.all([before, new Promise<void>((resolve) => (done = resolve))]);
    try {
      await unlessAborted(before, stop.signal);
      this.checkOn(stop.signal);
      this.running = { active: { task, fraction: 0 }, stop };
      this.changed.fire();
      return await work(stop.signal);
    } finally {
      listener.signal?.removeEventListener('abort', abort);
      if (this.running?.stop === stop) {
        this.running = undefined;
        this.changed.fire();
      }
      done();
    }
  }

  private workers({ workers }: Pick<TrainingJob, 'workers'>): number {
    return workers === 0 ? defaultWorkers(this.options.cores) : Math.min(workers, mostWorkers);
  }

  private async trainAndStore(
    { models, request, checkpoints, judge }: {
      readonly models: TaskModels;
      readonly request: TrainRequest;
      readonly checkpoints: ReturnType<TaskModels['checkpoints']>;
      readonly judge: (result: TrainResult) => Promise<BundleFiles | undefined>;
    },
    listener: TrainingListener,
    signal: AbortSignal,
  ): Promise<TrainedModel | undefined> {
    this.checkOn(signal);
    // before the first checkpoint lies there; what keeps it from being written will be told about the checkpoint
    await models.ignoreModels().catch(() => undefined);
    let canContinue = false;
    let result: TrainResult;
    try {
      result = await this.trainer.train(request, {
        signal,
        checkpoints,
        onProgress: (progress) => {
          this.advance(progress);
          listener.onProgress?.(progress, this.active?.fraction ?? 0);
        },
        onContinue: (from) => {
          canContinue = true;
          listener.onContinue?.(from);
        },
        onSaved: () => (canContinue = true),
        ...(listener.onProblem ? { onProblem: listener.onProblem } : {}),
      });
    } catch (error) {
      throw error instanceof CancelledError && canContinue ? new StoppedTraining() : error;
    }
    const bundle = await judge(result);
    this.checkOn(signal);
    const stored = bundle && (await this.store(models, bundle, listener));
    await models.ignoreModels().catch(() => undefined);
    // a checkpoint too many does no harm: the next training of the task replaces it
    await checkpoints.clear().catch(() => undefined);
    if (!stored) return undefined;
    const manifest = { ...parseManifest(bundle.manifest, bundleFileNames.manifest), version: stored.version };
    return { name: `${models.task}/${stored.version}`, ...stored, manifest, unlabeled: 0, known: 0, defects: 0, examplesPerSecond: result.examplesPerSecond };
  }

  private async store(models: TaskModels, bundle: BundleFiles, { onNotStored }: TrainingListener): ReturnType<TaskModels['add']> {
    for (;;) {
      try {
        return await models.add(bundle);
      } catch (error) {
        if (!(error instanceof HumanError) || !(await onNotStored?.(error))) throw error;
      }
    }
  }

  private advance(progress: TrainProgress): void {
    if (!this.running) return;
    const { task, fraction } = this.running.active;
    this.running.active = { task, fraction: Math.max(fraction, fractionOf(progress)) };
    this.changed.fire();
  }

  private checkOn(signal: AbortSignal): void {
    if (this.disposed || signal.aborted) throw new CancelledError();
  }
}

/** The base's own, else the one that was asked for. @throws HumanError `training.preset` */
function presetOf({ base, preset }: Pick<TrainingJob, 'base' | 'preset'>): Preset {
  // an architecture that no preset has any more is trained as the base has it, whatever its name
  if (base) return findPreset(base.manifest.architecture.preset) ?? presets[0]!;
  const found = preset === undefined ? presets[0] : findPreset(preset);
  if (!found) throw new HumanError('training.preset', 'There is no preset {0}. Use one of these: {1}.', [preset ?? '', presets.map(({ name }) => name).join(', ')]);
  return found;
}

/** Where the held-out rows stand in the file. Rows with equal texts are all on one side, so each of them is found, in the order in which they come. */
function rowNumbers(rows: readonly LabeledText[], heldOut: readonly { readonly text: string }[]): readonly number[] {
  const places = new Map<string, number[]>();
  for (const { text, row } of rows) {
    const known = places.get(text);
    if (known) known.push(row);
    else places.set(text, [row]);
  }
  const taken = new Map<string, number>();
  return heldOut.map(({ text }) => {
    const index = taken.get(text) ?? 0;
    taken.set(text, index + 1);
    const found = places.get(text) ?? [];
    return found[Math.min(index, found.length - 1)] ?? 0;
  });
}

/** Share of the planned epochs that is done, 0..1. */
export function fractionOf({ epoch, epochs, batch, batches }: TrainProgress): number {
  return Math.min(1, Math.max(0, (epoch - 1 + batch / Math.max(1, batches)) / Math.max(1, epochs)));
}

/** Lets others have their turn between two pieces of a file: where it is packed, many pieces come out at once. */
async function* breathing(chunks: AsyncIterable<Uint8Array>, pause: () => Promise<void>): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    yield chunk;
    await pause();
  }
}

/** Waits for `work`, but no longer than until `signal` is raised. */
async function unlessAborted(work: Promise<unknown>, signal: AbortSignal): Promise<void> {
  if (signal.aborted) throw new CancelledError();
  let abort!: () => void;
  try {
    await Promise.race([work, new Promise<never>((_, reject) => signal.addEventListener('abort', (abort = () => reject(new CancelledError()))))]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
