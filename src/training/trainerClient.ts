import { CancelledError, HumanError } from '../core/errors';
import { RpcClient, type AbortSignalLike } from '../core/protocol/rpc';
import type { TrainerMethods, TrainProgress, TrainRequest, TrainResult } from '../core/protocol/trainer';
import type { WorkerHandle } from '../core/protocol/worker';

export interface TrainOptions {
  readonly signal?: AbortSignalLike;
  readonly onProgress?: (progress: TrainProgress) => void;
}

/**
 * The host's side of training. Each run gets a worker of its own, which is ended with it: that gives its memory back (WebAssembly memory never shrinks), and a
 * cancellation takes hold at once, even in the middle of a batch. Runs wait for each other.
 */
export class Trainer {
  private readonly running = new Set<RpcClient<TrainerMethods>>();
  private last: Promise<unknown> = Promise.resolve();
  private disposed = false;

  constructor(private readonly startWorker: () => WorkerHandle) {}

  /**
   * @throws HumanError for what a person can mend (see `train`), `training.stopped` when the worker died; CancelledError when `signal` was raised or the trainer
   *   was disposed
   */
  train(request: TrainRequest, options: TrainOptions = {}): Promise<TrainResult> {
    const turn = this.last.then(() => this.run(request, options));
    this.last = turn.catch(() => undefined);
    return turn;
  }

  /** Cancels what runs or waits, and resolves when no worker is left. */
  async dispose(): Promise<void> {
    this.disposed = true;
    for (const client of this.running) client.close(new CancelledError());
    await this.last;
  }

  private async run(request: TrainRequest, { signal, onProgress }: TrainOptions): Promise<TrainResult> {
    if (this.disposed || signal?.aborted) throw new CancelledError();
    const worker = this.startWorker();
    const client = new RpcClient<TrainerMethods>(worker);
    worker.onExit((error) =>
      client.close(
        new HumanError(
          'training.stopped',
          'Training stopped unexpectedly: {0} Nothing was saved. Try again with fewer rows, shorter texts or fewer units; if that does not help, look into the log.',
          [error?.message ?? 'its worker ended.'],
          { cause: error },
        ),
      ),
    );
    this.running.add(client);
    try {
      return await client.call('train', request, { ...(signal ? { signal } : {}), ...(onProgress ? { onProgress } : {}) });
    } finally {
      this.running.delete(client);
      await worker.terminate();
    }
  }
}
