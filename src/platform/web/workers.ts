import type { Port } from '../../core/protocol/rpc';
import type { WorkerHandle } from '../../core/protocol/worker';

/**
 * The first message to a worker. It cannot find this out by itself: VS Code's web host and {@link startWebWorker} start scripts of another origin from a `blob:` URL,
 * whose `location` has no folder, and the web host also changes the name that a worker is given.
 */
interface Whereabouts {
  readonly folder: string;
}

export interface WebWorkerOptions {
  /** URL of the folder with the files that the worker reads, with a slash at its end. Default: that of the script; where the script is a `blob:` URL it must be given. */
  readonly folder?: string;
}

/**
 * Starts `script` (the URL of a classic script, of any origin) as a web worker, from a page or from another worker. The first thing uncaught in it, a script that cannot
 * be loaded included, ends it and comes through `onExit`, as in Node.
 */
export function startWebWorker(script: string, options: WebWorkerOptions = {}): WorkerHandle {
  const url = new URL(script, location.href);
  const { folder = new URL('.', url).href } = options;
  // browsers start workers from their own origin only, but such a worker may import from anywhere
  const detour = url.origin === origin ? undefined : URL.createObjectURL(new Blob([`importScripts(${JSON.stringify(url.href)});`], { type: 'text/javascript' }));
  const worker = new Worker(detour ?? url);

  let ended = false;
  const exitListeners: ((error: Error | undefined) => void)[] = [];
  const end = (error?: Error): void => {
    if (ended) return;
    ended = true;
    worker.terminate();
    if (detour !== undefined) URL.revokeObjectURL(detour);
    for (const listener of exitListeners) listener(error);
  };
  worker.addEventListener('error', (event: Event) => {
    // it is handled here: the console and the page's own listeners need not hear of it
    event.preventDefault();
    end(new Error(event instanceof ErrorEvent ? event.message : `The worker's script ${url.href} could not be loaded.`));
  });
  // a message that cannot be read is an answer that never comes
  worker.addEventListener('messageerror', () => end(new Error('A message of the worker could not be read.')));
  worker.postMessage({ folder } satisfies Whereabouts);

  return {
    postMessage: (message, transfer = []) => worker.postMessage(message, [...transfer]),
    onMessage: (listener) => worker.addEventListener('message', ({ data }) => listener(data)),
    onExit: (listener) => void exitListeners.push(listener),
    terminate: () => {
      end();
      return Promise.resolve();
    },
  };
}

/** The port to the owner and the folder of the worker's files, inside a worker that {@link startWebWorker} started. Call it while the script is run for the first time. */
export async function ownerPort(): Promise<{ readonly port: Port; readonly folder: string }> {
  // the owner hears of errors, but not of promises that nobody looks at
  addEventListener('unhandledrejection', ({ reason }) => reportError(reason));
  const { folder } = await new Promise<Whereabouts>((resolve) => addEventListener('message', ({ data }) => resolve(data as Whereabouts), { once: true }));
  return {
    port: {
      postMessage: (message, transfer = []) => postMessage(message, [...transfer]),
      onMessage: (listener) => addEventListener('message', ({ data }) => listener(data)),
    },
    folder,
  };
}

/** Makes a function whose promises resolve after the messages that have come in were handled, and without the 4 ms that a timer waits. */
export function createPause(): () => Promise<void> {
  const { port1, port2 } = new MessageChannel();
  const waiting: (() => void)[] = [];
  port1.onmessage = () => waiting.shift()?.();
  return () =>
    new Promise((resolve) => {
      waiting.push(resolve);
      port2.postMessage(undefined);
    });
}
