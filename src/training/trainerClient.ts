import { CancelledError, HumanError } from '../core/errors';
import { RpcClient, type AbortSignalLike } from '../core/protocol/rpc';
import type { TrainCall, TrainerMethods, TrainNews, TrainPlace, TrainProgress, TrainRequest, TrainResult } from '../core/protocol/trainer';
import type { WorkerHandle } from '../core/protocol/worker';
import { CheckpointKeeper, type CheckpointStore } from './checkpointKeeper';

export interface TrainOptions {
  readonly signal?: AbortSignalLike;
  readonly onProgress?: (progress: TrainProgress) => void;
  /**
   * Keeps the training's state, at every epoch and every 30 s: the same training, started again with this store, goes on where it was when it was cancelled or killed, and ends
   * with the same weights. Whoever has stored the result calls its `clear`: should that fail, nothing has to be trained again.
   */
  readonly checkpoints?: CheckpointStore;
  /** Says that an earlier run is continued. */
  readonly onContinue?: (from: TrainPlace) => void;
  /** Says that a checkpoint lies in its place now. */
  readonly onSaved?: () => void;
  /** Says why training starts over although there is a checkpoint, or why none can be saved (once). Training goes on. */
  readonly onProblem?: (problem: HumanError) => void;
}

/** The worker ended by itself. */
class WorkerDied extends Error {}

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
   * @throws HumanError for what a person can mend (see `train`), `training.stopped` or `training.interrupted` when the worker died; CancelledError when `signal` was raised
   *   or the trainer was disposed. No checkpoint is being saved any more by then
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

  private async run(request: TrainRequest, options: TrainOptions): Promise<TrainResult> {
    const { checkpoints, onSaved, onProblem } = options;
    const keeper = checkpoints && new CheckpointKeeper(checkpoints, { onSaved: () => onSaved?.(), onProblem: (problem) => onProblem?.(problem) });
    try {
      const result = await this.runWorker(request, options, keeper);
      await keeper?.settle(true);
      return result;
    } catch (error) {
      await keeper?.settle(false);
      // it would go astray again
      if (error instanceof HumanError && error.code === 'training.diverged') await keeper?.clear();
      if (error instanceof WorkerDied) throw stopped(error, keeper?.isStored ?? false);
      throw error;
    }
  }

  private async runWorker(request: TrainRequest, { signal, onProgress, onContinue }: TrainOptions, keeper: CheckpointKeeper | undefined): Promise<TrainResult> {
    this.refuse(signal);
    const earlier = await keeper?.load();
    this.refuse(signal);
    const worker = this.startWorker();
    const client = new RpcClient<TrainerMethods>(worker);
    worker.onExit((error) => client.close(new WorkerDied(error?.message ?? 'its worker ended.', { cause: error })));
    const listen = (news: TrainNews): void => {
      if (news.kind === 'progress') onProgress?.(news.progress);
      else if (news.kind === 'checkpoint') keeper?.put(news.checkpoint);
      else if (news.kind === 'startedOver') keeper?.startedOver(news.why);
      else {
        keeper?.continued();
        onContinue?.(news.from);
      }
    };
    this.running.add(client);
    try {
      const call: TrainCall = { ...request, ...(keeper ? { checkpoints: earlier ? { earlier } : {} } : {}) };
      return await client.call('train', call, { ...(signal ? { signal } : {}), onProgress: listen, ...(earlier ? { transfer: [earlier.buffer] } : {}) });
    } finally {
      this.running.delete(client);
      await worker.terminate();
    }
  }

  private refuse(signal: AbortSignalLike | undefined): void {
    if (this.disposed || signal?.aborted) throw new CancelledError();
  }
}

function stopped(died: WorkerDied, canContinue: boolean): HumanError {
  const options = { cause: died.cause };
  if (canContinue)
    return new HumanError(
      'training.interrupted',
      'Training stopped unexpectedly: {0} Train again with the same settings to continue from its last checkpoint. If it stops again, use fewer rows, shorter texts or fewer units, and look into the log.',
      [died.message],
      options,
    );
  return new HumanError(
    'training.stopped',
    'Training stopped unexpectedly: {0} Nothing was saved. Try again with fewer rows, shorter texts or fewer units; if that does not help, look into the log.',
    [died.message],
    options,
  );
}
