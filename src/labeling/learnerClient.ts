import { CancelledError, HumanError } from '../core/errors';
import type { CrossValidation, FeatureBatch, LearnedDecision, LearnerMethods, PoolSetup, QueueOrder, Ranking } from '../core/protocol/learner';
import { RpcClient } from '../core/protocol/rpc';
import type { WorkerHandle } from '../core/protocol/worker';

export interface LearnerClientOptions {
  readonly startWorker: () => WorkerHandle;
  /** The worker died and was started again, with the pool and all decisions: send all features again. They are kept by the worker alone. */
  readonly onFeaturesLost: () => void;
}

/** Crashes without an answer in between after which it gives up. */
const maxCrashes = 3;

/** The worker ended by itself. */
class WorkerDied extends Error {}

interface Connection {
  readonly client: RpcClient<LearnerMethods>;
  readonly worker: WorkerHandle;
}

type Answered = 'decide' | 'rank' | 'guess' | 'guessAll' | 'crossValidate';

/**
 * The host's side of the learner. Its worker starts with the first pool, and is started again when it dies: it then gets the pool and the decisions from here, and what was under way is asked again, so that
 * a crash is a delay and nothing else.
 *
 * All methods reject with CancelledError when another pool was opened meanwhile or the client was disposed, and with HumanError `learner.stopped` when the worker died again and again; opening a pool tries
 * anew.
 */
export class LearnerClient {
  private setup: PoolSetup | undefined;
  /** Latest decision about each text, in the order in which they were taken. */
  private readonly decisions = new Map<number, LearnedDecision>();
  private order: QueueOrder = 'useful';
  private hasFeatures = false;
  private connection: Connection | undefined;
  private crashes = 0;
  private lastCrash = '';
  /** Counts the pools. */
  private generation = 0;
  private disposed = false;

  constructor(private readonly options: LearnerClientOptions) {}

  /** Begins a pool; forgets the one before. */
  async open(setup: PoolSetup): Promise<void> {
    this.generation++;
    this.setup = setup;
    this.decisions.clear();
    this.order = 'useful';
    this.hasFeatures = false;
    this.crashes = 0;
    const known = this.connection;
    const { client } = this.connect();
    try {
      // a new worker has got the pool already
      if (known) await client.call('open', setup);
      else await client.ready;
    } catch (error) {
      // it gets the pool with the next call
      if (!(error instanceof WorkerDied)) throw error;
    }
  }

  /** Features and base scores of some texts. The buffer of `features` is moved to the worker: the caller's array is empty afterwards. */
  async addFeatures(batch: FeatureBatch): Promise<void> {
    this.hasFeatures = true;
    const { buffer } = batch.features;
    const transfer = buffer instanceof ArrayBuffer && batch.features.byteLength === buffer.byteLength ? [buffer] : [];
    try {
      await this.connect().client.call('addFeatures', batch, { transfer });
    } catch (error) {
      // they are asked for when the worker is started again
      if (!(error instanceof WorkerDied)) throw error;
    }
  }

  async decide(changes: readonly LearnedDecision[]): Promise<Ranking> {
    for (const change of changes) {
      this.decisions.delete(change.position);
      this.decisions.set(change.position, change);
    }
    return await this.request('decide', { changes });
  }

  async rank(order: QueueOrder): Promise<Ranking> {
    this.order = order;
    return await this.request('rank', { order });
  }

  /** Scores [positions, labels]; NaN: none. */
  async guess(positions: Int32Array): Promise<Float32Array> {
    return (await this.request('guess', { positions })).scores;
  }

  /** Scores [count, labels] of all texts. */
  async guessAll(): Promise<Float32Array> {
    return (await this.request('guessAll', {})).scores;
  }

  async crossValidate(folds: number, seed: number): Promise<CrossValidation> {
    return await this.request('crossValidate', { folds, seed });
  }

  async dispose(): Promise<void> {
    this.disposed = true;
    const connection = this.connection;
    this.connection = undefined;
    connection?.client.close(new CancelledError());
    await connection?.worker.terminate();
  }

  private async request<K extends Answered>(method: K, params: LearnerMethods[K]['params']): Promise<LearnerMethods[K]['result']> {
    const { generation } = this;
    for (;;) {
      try {
        const result = await this.connect().client.call(method, params);
        if (generation !== this.generation) throw new CancelledError();
        this.crashes = 0;
        return result;
      } catch (error) {
        if (!(error instanceof WorkerDied)) throw error;
        if (generation !== this.generation) throw new CancelledError();
      }
    }
  }

  private connect(): Connection {
    if (this.disposed) throw new CancelledError();
    if (this.connection) return this.connection;
    if (!this.setup) throw new Error('No pool is open.');
    if (this.crashes >= maxCrashes) {
      throw new HumanError('learner.stopped', 'Learning from your labels stopped unexpectedly: {0} Your labels are safe. Close the task and open it again; if that does not help, look into the log.', [this.lastCrash]);
    }
    const worker = this.options.startWorker();
    const client = new RpcClient<LearnerMethods>(worker);
    const connection: Connection = { client, worker };
    this.connection = connection;
    worker.onExit((error) => {
      const died = new WorkerDied(error?.message ?? 'its worker ended.', { cause: error });
      if (this.connection === connection) {
        this.connection = undefined;
        this.crashes++;
        this.lastCrash = died.message;
      }
      client.close(died);
    });
    this.bringUpToDate(client, this.setup);
    return connection;
  }

  /** Requests are answered in their order, so nobody needs to wait for these. */
  private bringUpToDate(client: RpcClient<LearnerMethods>, setup: PoolSetup): void {
    // should they fail, the requests that come after them fail, too
    const ignore = (): void => undefined;
    client.call('open', setup).catch(ignore);
    if (this.decisions.size > 0) client.call('decide', { changes: [...this.decisions.values()] }).catch(ignore);
    if (this.order !== 'useful') client.call('rank', { order: this.order }).catch(ignore);
    if (this.hasFeatures) client.ready.then(this.options.onFeaturesLost, ignore);
  }
}
