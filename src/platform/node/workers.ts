import { Worker, parentPort, workerData } from 'node:worker_threads';
import type { Port } from '../../core/protocol/rpc';
import type { WorkerHandle } from '../../core/protocol/worker';
import { stepBack } from './background';

export interface NodeWorkerOptions {
  /** Gets each line that the worker writes to stdout or stderr. Without it they are dropped: the command line's stdout belongs to its results. */
  readonly log?: (line: string) => void;
  /** Limit of the worker's JavaScript heap in MiB, 2,048 by default; WebAssembly memory and typed arrays do not count. */
  readonly heapLimit?: number;
  /** Whether others go first where processors are few, see {@link stepBack}; also for workers that this one starts. */
  readonly isBackground?: boolean;
}

/**
 * Starts `file` (a bundle of `dist/`) as a `worker_threads` worker. What it crashes with (uncaught exception, exit code, heap limit) comes through
 * `onExit`, nothing of it through the console. As long as it runs it keeps the process alive.
 */
export function startNodeWorker(file: string, options: NodeWorkerOptions = {}): WorkerHandle {
  const { log, heapLimit = 2048, isBackground = false } = options;
  const worker = new Worker(file, {
    stdout: true,
    stderr: true,
    // the parent's --inspect, --max-old-space-size or loaders are not meant for the worker
    execArgv: [],
    workerData: { isBackground } satisfies WorkerSetup,
    resourceLimits: { maxOldGenerationSizeMb: heapLimit },
  });
  for (const stream of [worker.stdout, worker.stderr]) {
    if (log) lines(stream, log);
    else stream.resume();
  }

  let stopping = false;
  let failure: Error | undefined;
  const exitListeners: ((error: Error | undefined) => void)[] = [];
  worker.on('error', (error: unknown) => (failure = error instanceof Error ? error : new Error(String(error))));
  worker.on('messageerror', (error) => {
    // a message that cannot be read is an answer that never comes
    failure = error;
    void worker.terminate();
  });
  worker.on('exit', (code) => {
    const reason = failure ?? (stopping ? undefined : new Error(`The worker ended by itself with code ${code}`));
    for (const listener of exitListeners) listener(reason);
  });

  return {
    postMessage: (message, transfer) => worker.postMessage(message, transfer),
    onMessage: (listener) => void worker.on('message', listener),
    onExit: (listener) => void exitListeners.push(listener),
    terminate: async () => {
      stopping = true;
      await worker.terminate();
    },
  };
}

/** What a worker is started with. */
interface WorkerSetup {
  readonly isBackground: boolean;
}

/** The port to the owner, inside a worker that {@link startNodeWorker} started. */
export function ownerPort(): Port {
  if (!parentPort) throw new Error('This file runs in a worker only.');
  const port = parentPort;
  // those that it starts inherit it
  if ((workerData as WorkerSetup | null)?.isBackground) stepBack();
  return {
    postMessage: (message, transfer) => port.postMessage(message, transfer),
    onMessage: (listener) => void port.on('message', listener),
  };
}

function lines(stream: NodeJS.ReadableStream, log: (line: string) => void): void {
  let rest = '';
  stream.setEncoding('utf8');
  stream.on('data', (text: string) => {
    const parts = (rest + text).split(/\r?\n/);
    rest = parts.pop()!;
    for (const part of parts) log(part);
  });
  stream.on('end', () => {
    if (rest !== '') log(rest);
  });
}
