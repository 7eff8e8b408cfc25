import type { BundleFiles, PredictPriority, PredictedScores, PredictorMethods } from '../core/protocol/predictor';
import { RpcClient, type AbortSignalLike } from '../core/protocol/rpc';
import type { WorkerHandle } from '../core/protocol/worker';

// What the Predictor keeps books of. Plain state and the arithmetic that belongs to it; who may do what when is the Predictor's.

/** What the model said about one text. */
export interface TextResult {
  /** One per label, or the value. */
  readonly scores: Float32Array;
  /** Tokens that the model read. */
  readonly tokens: number;
  /** The number of a joint model. */
  readonly value?: number;
  readonly features?: Float32Array;
}

/** A bundle that was loaded. A later one under the same key is another model. */
export class Model {
  labels: readonly string[] = [];
  /** Whether the present worker has it. */
  isOpen = false;
  /** On its way to being open. */
  opening: Opening | undefined;
  /** Replaced or unloaded: to be closed as soon as nobody waits for it. */
  retired = false;
  /** Texts that wait for it. */
  pending = 0;
  /** Larger means later. */
  lastUse = 0;
  /** Texts given up since it last answered. */
  givenUp = 0;

  constructor(
    /** What the worker knows it by. */
    readonly id: string,
    /** For messages. */
    readonly name: string,
    readonly files: BundleFiles,
  ) {}

  /** Whether these are the very files that it was made of. */
  isOf(files: BundleFiles): boolean {
    return this.files.manifest === files.manifest && this.files.tokenizer === files.tokenizer && this.files.model === files.model;
  }
}

/** A model to be opened in the worker. */
export class Opening {
  readonly promise: Promise<void>;
  resolve!: () => void;
  reject!: (error: Error) => void;
  crashes = 0;

  constructor(readonly model: Model) {
    this.promise = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
  }
}

/** A text to be predicted, for all who ask for it. */
export class Item {
  waiters: { readonly request: PredictRequest; readonly position: number }[] = [];
  /** What it was last sent with; undefined while it waits in its lane. */
  lot: Lot | undefined;
  /** Answered or given up. */
  done = false;
  /** Times that the worker crashed with it. */
  crashes = 0;

  constructor(
    readonly lane: Lane,
    readonly text: string,
    readonly key: string,
    /** Whether the result goes into the cache. */
    public remember: boolean,
  ) {}
}

/** Texts that may travel together, first come first. */
export class Lane {
  readonly items: Item[] = [];
  /** Those that are asked for, waiting or sent, by the key of their text. */
  readonly byKey = new Map<string, Item>();

  constructor(
    readonly model: Model,
    readonly priority: PredictPriority,
    readonly features: boolean,
  ) {}

  /** Whether texts wait to be sent. Drops those from the front that need not be any more. */
  hasItems(): boolean {
    const first = this.items.findIndex((item) => !item.done);
    this.items.splice(0, first < 0 ? this.items.length : first);
    return first >= 0;
  }
}

/** Texts sent in one message. */
export class Lot {
  readonly abort = new AbortController();
  /** Texts that somebody waits for. */
  wanted: number;

  constructor(
    readonly lane: Lane,
    readonly items: readonly Item[],
  ) {
    this.wanted = items.length;
    for (const item of items) item.lot = this;
  }

  /** Texts without a result that somebody still waits for. */
  get left(): Item[] {
    return this.items.filter((item) => !item.done && item.waiters.length > 0);
  }
}

export type Task = Opening | Lot;

/** A running worker and what it has. */
export class Connection {
  readonly client: RpcClient<PredictorMethods>;
  readonly tasks = new Set<Task>();
  readonly open = new Set<Model>();
  /** Whether it has said `ready`. */
  isReady = false;

  constructor(readonly handle: WorkerHandle) {
    this.client = new RpcClient(handle);
  }
}

/** One call of `predict`, filled text by text. */
export class PredictRequest {
  /** What it waits for. */
  readonly items = new Set<Item>();
  ended = false;
  private done = 0;
  private width: number;
  private scores: Float32Array;
  private features: Float32Array | undefined;
  private values: Float32Array | undefined;
  private readonly tokens: Int32Array;
  private abort: (() => void) | undefined;

  constructor(
    readonly model: Model,
    private readonly count: number,
    private readonly options: { readonly signal?: AbortSignalLike; readonly features?: boolean; onProgress?(done: number): void },
    private readonly resolve: (scores: PredictedScores) => void,
    private readonly reject: (error: Error) => void,
  ) {
    // a number has no labels and one score
    this.width = Math.max(1, model.labels.length);
    this.scores = new Float32Array(count * this.width);
    this.tokens = new Int32Array(count);
    if (options.features) this.features = new Float32Array(0);
  }

  onAbort(listener: () => void): void {
    this.abort = listener;
    this.options.signal?.addEventListener('abort', listener);
  }

  /** Takes the result of the text at `position`, once each. */
  put(position: number, result: TextResult): void {
    if (this.ended) return;
    this.scores.set(result.scores, position * this.width);
    this.tokens[position] = result.tokens;
    if (result.value !== undefined) {
      this.values ??= new Float32Array(this.count);
      this.values[position] = result.value;
    }
    if (this.features && result.features) {
      const dim = result.features.length;
      if (this.features.length === 0) this.features = new Float32Array(this.count * dim);
      this.features.set(result.features, position * dim);
    }
    this.done++;
  }

  /** Tells how far it is, and ends it when it is complete. */
  report(): void {
    if (this.ended) return;
    if (this.done === this.count) {
      this.end();
      this.resolve({ width: this.width, scores: this.scores, tokens: this.tokens, ...(this.values ? { values: this.values } : {}), ...(this.features ? { features: this.features } : {}) });
    }
    this.options.onProgress?.(this.done);
  }

  fail(error: Error): void {
    if (this.ended) return;
    this.end();
    this.reject(error);
  }

  private end(): void {
    this.ended = true;
    if (this.abort) this.options.signal?.removeEventListener('abort', this.abort);
  }
}
