import type { Port } from './rpc';

/** A running worker as its owner sees it, the same for Node's worker_threads and the web's Worker. */
export interface WorkerHandle extends Port {
  /** Called once when the worker has ended, whether by {@link terminate} (no error) or by a crash. */
  onExit(listener: (error: Error | undefined) => void): void;
  /** Stops it at once, also in the middle of a computation. */
  terminate(): Promise<void>;
}

/** Names of the worker bundles in `dist/`. */
export type WorkerName = 'predictor' | 'trainer' | 'kernelHelper' | 'learner' | 'explainer';

/** Starts a worker of that name. */
export type StartWorker = (name: WorkerName) => WorkerHandle;
