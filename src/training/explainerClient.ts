import { CancelledError } from '../core/errors';
import type { ExplainerMethods, ExplainTarget, WordShares } from '../core/protocol/explainer';
import type { BundleFiles } from '../core/protocol/predictor';
import { RpcClient, type AbortSignalLike } from '../core/protocol/rpc';
import type { WorkerHandle } from '../core/protocol/worker';

export interface ExplainerOptions {
  readonly startWorker: () => WorkerHandle;
  /** Milliseconds without a question after which the worker is ended, to start again with the next one; 60,000 by default. */
  readonly idleTime?: number;
  /** Models that stay open in the worker at most; 2 by default: the one of the editor and the one of a task. */
  readonly openModels?: number;
  /** For tests. */
  readonly clock?: ExplainerClock;
}

/** What of the platform's timers the idle time is measured with. */
export interface ExplainerClock {
  /** @param delay milliseconds */
  setTimeout(callback: () => void, delay: number): unknown;
  clearTimeout(timer: unknown): void;
}

/** A bundle under a key of its own: other files have another key. */
export interface ExplainableModel {
  readonly key: string;
  /** Its folder, for messages. */
  readonly folder: string;
  readonly files: BundleFiles;
}

interface Connection {
  readonly client: RpcClient<ExplainerMethods>;
  readonly worker: WorkerHandle;
  /** Models that were sent, the one that was asked last at the end, and whether they could be read. */
  readonly models: Map<string, Promise<unknown>>;
}

/**
 * The host's side of the explainer. Its worker starts with the first question. A model is sent once, and stays open there as long as few others are asked for; a worker that nobody asks is ended, which gives
 * its memory back.
 */
export class Explainer {
  private readonly idleTime: number;
  private readonly openModels: number;
  private readonly clock: ExplainerClock;
  private connection: Connection | undefined;
  private asked = 0;
  private idle: unknown;
  private disposed = false;

  constructor(private readonly options: ExplainerOptions) {
    const { idleTime = 60_000, openModels = 2, clock = systemClock } = options;
    this.idleTime = idleTime;
    this.openModels = openModels;
    this.clock = clock;
  }

  /**
   * @throws CancelledError when `signal` was raised or the explainer disposed
   * @throws HumanError when the bundle is not valid
   * @throws Error when the engine cannot compute such a model, or the worker ended by itself; the next question starts it again
   */
  async explain(model: ExplainableModel, text: string, target: ExplainTarget, signal?: AbortSignalLike): Promise<WordShares> {
    if (this.disposed || signal?.aborted) throw new CancelledError();
    this.asked++;
    this.clock.clearTimeout(this.idle);
    try {
      const connection = this.connect();
      // the model is read to its end for whoever asks next
      await this.open(connection, model);
      return await connection.client.call('explain', { key: model.key, text, target }, signal ? { signal } : {});
    } finally {
      if (--this.asked === 0 && this.connection) this.idle = this.clock.setTimeout(() => void this.disconnect(new CancelledError()), this.idleTime);
    }
  }

  /** Ends the worker; whatever is under way is rejected with CancelledError. */
  async dispose(): Promise<void> {
    this.disposed = true;
    this.clock.clearTimeout(this.idle);
    await this.disconnect(new CancelledError());
  }

  private connect(): Connection {
    if (this.connection) return this.connection;
    const worker = this.options.startWorker();
    const connection: Connection = { worker, client: new RpcClient<ExplainerMethods>(worker), models: new Map() };
    this.connection = connection;
    worker.onExit((error) => {
      if (this.connection === connection) this.connection = undefined;
      connection.client.close(error ?? new Error('The worker was ended from outside.'));
    });
    return connection;
  }

  private open({ client, models }: Connection, { key, folder, files }: ExplainableModel): Promise<unknown> {
    const known = models.get(key);
    models.delete(key);
    const opening = known ?? client.call('load', { key, where: folder, bundle: files });
    models.set(key, opening);
    for (const old of [...models.keys()].slice(0, -this.openModels)) {
      models.delete(old);
      client.call('unload', { key: old }).catch(() => undefined);
    }
    return opening;
  }

  private async disconnect(reason: Error): Promise<void> {
    const { connection } = this;
    this.connection = undefined;
    connection?.client.close(reason);
    await connection?.worker.terminate();
  }
}

const systemClock: ExplainerClock = {
  setTimeout: (callback, delay) => setTimeout(callback, delay),
  clearTimeout: (timer) => clearTimeout(timer as ReturnType<typeof setTimeout> | undefined),
};
