import type { TrainRequest, TrainProgress, TrainResult } from '../../src/core/protocol/trainer';

/** What the page (`page/page.ts`), or a worker that imports its script, offers to the tests as `lens`. All of it crosses from Chromium to Node, so errors come as values. */
export interface WebPage {
  /** Trains in a worker of its own, through the same `Trainer` as everywhere. */
  train(request: TrainRequest, worker: WorkerChoice, cancelAtFirstReport?: boolean): Promise<Outcome>;
  /** Asks a worker to train, tells it at its first report to cancel, and returns its answer: unlike a `Trainer`, which ends the worker at once. */
  cancelInside(request: TrainRequest, worker: WorkerChoice): Promise<{ readonly kind: string; readonly name: string | undefined }>;
  /** Sends bytes to a worker. */
  send(worker: WorkerChoice, bytes: Uint8Array): Promise<{ readonly answer: unknown; readonly left: number }>;
  /** How a worker ends that gets one message: the error's text, or undefined when it is ended on request. */
  exit(worker: WorkerChoice, terminate?: boolean): Promise<string | undefined>;
  /** Starts a worker, from a `blob:` URL, that has all this as its `lens` once its script has run. */
  startHost(script: string): Promise<void>;
  endHost(): void;
  /** Whether pages and workers may share memory here. */
  sharing(): { readonly isolated: boolean; readonly sharedMemory: boolean };
}

export interface WorkerChoice {
  /** URL, also a relative one. */
  readonly script: string;
  /** Fetches the script and starts it from a `blob:` URL, with the folder told. */
  readonly asBlob?: boolean;
}

export type Outcome =
  | { readonly result: TrainResult; readonly reports: readonly TrainProgress[] }
  | { readonly error: { readonly name: string; readonly message: string; readonly code: string | undefined } };
