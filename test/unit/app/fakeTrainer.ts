import type { Port } from '../../../src/core/protocol/rpc';
import { serve } from '../../../src/core/protocol/rpc';
import type { TrainCall, TrainerMethods, TrainNews, TrainProgress } from '../../../src/core/protocol/trainer';
import type { WorkerHandle } from '../../../src/core/protocol/worker';
import { wordBundle } from '../../fixtures/wordModel';

/** What a fake training does before its model, whose words are `good` and `bad`, is there. */
export type Course = (call: TrainCall, tell: (news: TrainNews) => void, signal: { readonly aborted: boolean }) => Promise<void> | void;

export function progressOf(epoch: number, batch: number, finished = false): TrainProgress {
  const report = { trainLoss: 0.5, validLoss: 0.4, validAccuracy: 0.9, seconds: 1 };
  return { epoch, epochs: 4, batch, batches: 10, step: (epoch - 1) * 10 + batch, loss: 0.5, examplesPerSecond: 1000, secondsLeft: 3, ...(finished ? { finished: report } : {}) };
}

/** A trainer's worker in this thread. */
export class FakeTrainer implements WorkerHandle {
  terminated = false;
  private toOwner: ((message: unknown) => void) | undefined;
  private toWorker: ((message: unknown) => void) | undefined;
  private readonly early: unknown[] = [];
  private exit: ((error: Error | undefined) => void) | undefined;

  constructor(course: Course = () => undefined) {
    const port: Port = {
      postMessage: (message) => (this.toOwner ? this.toOwner(message) : void this.early.push(message)),
      onMessage: (listener) => (this.toWorker = listener),
    };
    serve<TrainerMethods>(port, {
      train: async (call, { signal, progress }) => {
        await course(call, progress, signal);
        const { identity: { name, version }, threshold } = call;
        return { bundle: wordBundle({ name, version, good: ['good'], bad: ['bad'], threshold }), epochs: [progressOf(1, 10, true).finished!], best: 0, examplesPerSecond: 1000, history: [{ step: 1, loss: 0.5 }], stepsPerEpoch: 10, validationScores: new Float32Array(0) };
      },
    });
  }

  postMessage(message: unknown): void {
    if (!this.terminated) this.toWorker?.(structuredClone(message));
  }
  onMessage(listener: (message: unknown) => void): void {
    this.toOwner = (message) => {
      if (!this.terminated) listener(message);
    };
    for (const message of this.early.splice(0)) this.toOwner(message);
  }
  onExit(listener: (error: Error | undefined) => void): void {
    this.exit = listener;
  }
  terminate(): Promise<void> {
    this.terminated = true;
    this.exit?.(undefined);
    return Promise.resolve();
  }
}
