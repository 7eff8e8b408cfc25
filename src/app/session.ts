import { CancelledError } from '../core/errors';
import { ruleOf } from '../core/model/deciding';
import type { WordWeight } from '../core/labels/view';
import type { AbortSignalLike } from '../core/protocol/rpc';
import type { WorkerHandle } from '../core/protocol/worker';
import { Predictor } from '../inference/predictor';
import { BoundedCache } from './boundedCache';
import { Emitter, type Disposable, type Event } from './events';
import { WordExplainer } from './explain';
import type { Log } from './log';
import { namingFolder, type ModelStore, type OpenedModel } from './modelStore';
import { styleIndex, type ModelIdentity, type Prediction } from './prediction';
import type { ActiveTraining, Trainings } from './trainings';

/** The settings a session reads; the door that opens it says where they come from. */
export interface SessionSettings {
  /** Name or folder of the model to use. */
  readonly model: string;
  /** Fired when {@link model} has another value. */
  readonly onDidChange: Event<void>;
}

export interface SessionOptions {
  readonly models: ModelStore;
  /** Starts the predictor's worker; called when the first text asks, and after a crash. */
  readonly startPredictor: () => WorkerHandle;
  /** Starts the explainer's worker; called when somebody asks which words decided. Absent: words are left out one at a time instead. */
  readonly startExplainer?: () => WorkerHandle;
  /** The session disposes of it. */
  readonly trainings: Trainings;
  readonly settings: SessionSettings;
  readonly log: Log;
}

/** The model that answers at present. */
export interface CurrentModel {
  readonly identity: ModelIdentity;
  readonly opened: OpenedModel;
  readonly labels: readonly string[];
}

/** What a status display needs. */
export interface SessionStatus {
  /** Name or folder as chosen, whether or not it is loaded. */
  readonly chosen: string;
  /** Undefined until the first text asks for it. */
  readonly model: CurrentModel | undefined;
  readonly loading: boolean;
  /** Texts that are being predicted. */
  readonly pending: number;
  /** The training that runs. */
  readonly training: ActiveTraining | undefined;
  /** Why the chosen model does not answer. */
  readonly error: Error | undefined;
}

export interface PredictOptions {
  readonly signal?: AbortSignalLike;
  /** `background` yields to everything on screen. */
  readonly priority?: 'interactive' | 'background';
}

/** Predictions kept for repainting: entries, and characters of their texts. */
const KEPT_PREDICTIONS = 20_000;
const KEPT_CHARACTERS = 8_000_000;

/**
 * What the whole window shares: the models, the predictor, the model in use and what it said lately, and the trainings.
 * Opening it costs nothing; the model is loaded when the first text asks for a prediction.
 */
export class Session implements Disposable {
  readonly models: ModelStore;
  readonly predictor: Predictor;
  readonly explainer: WordExplainer;
  readonly trainings: Trainings;
  private readonly statusEmitter: Emitter<SessionStatus>;
  private readonly modelEmitter: Emitter<void>;
  private readonly known = new BoundedCache<Prediction>(KEPT_PREDICTIONS, KEPT_CHARACTERS);
  private readonly subscriptions: Disposable[] = [];
  private readonly settings: SessionSettings;
  private readonly log: Log;
  private loading: Promise<CurrentModel> | undefined;
  private loaded: CurrentModel | undefined;
  private failure: Error | undefined;
  private pending = 0;
  /** Counts changes of model, so that a late answer of an earlier one is not taken for the present one's. */
  private generation = 0;
  private disposed = false;

  constructor(options: SessionOptions) {
    this.models = options.models;
    this.predictor = new Predictor(options.startPredictor);
    const { startExplainer } = options;
    this.explainer = new WordExplainer({ predictor: this.predictor, log: options.log, ...(startExplainer ? { startExplainer } : {}) });
    this.trainings = options.trainings;
    this.settings = options.settings;
    this.log = options.log;
    const listenerFailed = (error: unknown): void => this.log.error(error instanceof Error ? error : String(error));
    this.statusEmitter = new Emitter(listenerFailed);
    this.modelEmitter = new Emitter(listenerFailed);
    this.subscriptions.push(
      options.settings.onDidChange(() => this.reload()),
      options.trainings.onDidChange(() => this.statusEmitter.fire(this.status)),
    );
  }

  /** Fired when anything in {@link status} changed. */
  get onDidChangeStatus(): Event<SessionStatus> {
    return this.statusEmitter.event;
  }

  /** Fired when earlier predictions no longer hold: another model was chosen, or the same one changed on disk. */
  get onDidChangeModel(): Event<void> {
    return this.modelEmitter.event;
  }

  get status(): SessionStatus {
    return {
      chosen: this.settings.model,
      model: this.loaded,
      loading: this.loading !== undefined && this.loaded === undefined && this.failure === undefined,
      pending: this.pending,
      training: this.trainings.active,
      error: this.failure,
    };
  }

  /** Forgets the loaded model, so that the next text loads the chosen one anew. */
  reload(): void {
    if (this.disposed) return;
    this.generation++;
    this.loading = undefined;
    this.loaded = undefined;
    this.failure = undefined;
    this.known.clear();
    this.statusEmitter.fire(this.status);
    this.modelEmitter.fire();
  }

  /** As {@link reload}, but only after a failure: what a person asks for by hand is tried again, what repaints by itself is not. */
  retryIfFailed(): void {
    if (this.failure) this.reload();
  }

  /** The model in use, loading it if need be. A failure is kept until {@link reload}, so that repainting does not try again and again. */
  async current(): Promise<CurrentModel> {
    if (this.disposed) throw new CancelledError();
    if (!this.loading) {
      const generation = this.generation;
      this.loading = this.load(generation);
      this.statusEmitter.fire(this.status);
    }
    return await this.loading;
  }

  /** What the model in use said about `text`, if that is still known. Never waits, never computes. */
  recall(text: string): Prediction | undefined {
    return this.known.get(text);
  }

  /**
   * Predictions for `texts`, in their order. Texts answered before are not computed again.
   *
   * @throws CancelledError when `signal` is raised, or another model was chosen meanwhile
   * @throws HumanError when the chosen model cannot be used
   */
  async predict(texts: readonly string[], options: PredictOptions = {}): Promise<readonly Prediction[]> {
    const { signal, priority = 'interactive' } = options;
    const model = await this.current();
    const generation = this.generation;
    if (signal?.aborted) throw new CancelledError();
    const found = new Map<string, Prediction>();
    const missing: string[] = [];
    for (const text of new Set(texts)) {
      const prediction = this.known.get(text);
      if (prediction) found.set(text, prediction);
      else missing.push(text);
    }
    if (missing.length > 0) {
      const scored = await this.counted(missing.length, () => this.predictor.predict(model.identity.key, missing, { priority, ...(signal ? { signal } : {}) }));
      if (generation !== this.generation) throw new CancelledError();
      const { task } = model.opened.manifest;
      missing.forEach((text, index) => {
        const value = scored.values?.[index];
        const prediction: Prediction = {
          model: model.identity,
          ...ruleOf(task),
          labels: model.labels,
          ...(value === undefined ? {} : { value, ...(task.value ? { valueName: task.value.name } : {}) }),
          scores: Array.from(scored.scores.subarray(index * scored.width, (index + 1) * scored.width)),
          tokens: scored.tokens[index] ?? 0,
        };
        found.set(text, prediction);
        this.known.set(text, prediction);
      });
    }
    return texts.map((text) => found.get(text)!);
  }

  /**
   * The words that decided on the label that the model in use holds to be right, {@link recall} says which; none for `number`, whose values have no bounds that a word's part could be measured by.
   *
   * @throws CancelledError, HumanError as {@link predict}
   */
  async explain(text: string, signal?: AbortSignalLike): Promise<readonly WordWeight[]> {
    const options = signal ? { signal } : {};
    const [prediction] = await this.predict([text], options);
    const { opened } = await this.current();
    if (!prediction || prediction.kind === 'number') return [];
    return await this.explainer.explain({ text, model: opened, column: styleIndex(prediction), ...options });
  }

  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    this.generation++;
    for (const subscription of this.subscriptions) subscription.dispose();
    this.explainer.dispose();
    this.trainings.dispose();
    this.statusEmitter.dispose();
    this.modelEmitter.dispose();
    this.known.clear();
    this.predictor.dispose().catch((error: unknown) => this.log.error(error instanceof Error ? error : String(error)));
  }

  private async load(generation: number): Promise<CurrentModel> {
    const started = Date.now();
    try {
      const opened = await this.models.open(this.settings.model);
      const { labels } = await this.predictor.load(opened.key, opened.files).catch((error: unknown) => {
        throw namingFolder(error, opened);
      });
      const model: CurrentModel = { identity: { key: opened.key, name: opened.name, version: opened.manifest.version }, opened, labels };
      if (generation !== this.generation) throw new CancelledError();
      this.loaded = model;
      this.log.info(`Model ${opened.name} ${opened.manifest.version} from ${opened.folder} is ready after ${Date.now() - started} ms`);
      return model;
    } catch (error) {
      if (generation === this.generation) {
        this.failure = error instanceof Error ? error : new Error(String(error));
        this.log.error(this.failure);
      }
      throw error;
    } finally {
      if (generation === this.generation) this.statusEmitter.fire(this.status);
    }
  }

  private async counted<T>(count: number, work: () => Promise<T>): Promise<T> {
    this.pending += count;
    this.statusEmitter.fire(this.status);
    try {
      return await work();
    } finally {
      this.pending -= count;
      this.statusEmitter.fire(this.status);
    }
  }
}
