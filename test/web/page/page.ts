// The script of the test page: what Label Lens has for browsers, for the tests to call.
import { HumanError } from '../../../src/core/errors';
import type { TrainProgress } from '../../../src/core/protocol/trainer';
import type { WorkerHandle } from '../../../src/core/protocol/worker';
import { startWebWorker } from '../../../src/platform/web/workers';
import { Trainer } from '../../../src/training/trainerClient';
import type { WebPage, WorkerChoice } from '../api';

async function starter({ script, asBlob = false }: WorkerChoice): Promise<() => WorkerHandle> {
  if (!asBlob) return () => startWebWorker(script);
  const url = URL.createObjectURL(await (await fetch(script)).blob());
  return () => startWebWorker(url, { folder: new URL('.', new URL(script, location.href)).href });
}

let host: Worker | undefined;

const page: WebPage = {
  train: async (request, worker, cancelAtFirstReport = false) => {
    const controller = new AbortController();
    const reports: TrainProgress[] = [];
    const onProgress = (report: TrainProgress): void => {
      reports.push(report);
      if (cancelAtFirstReport) controller.abort();
    };
    try {
      return { result: await new Trainer(await starter(worker)).train(request, { signal: controller.signal, onProgress }), reports };
    } catch (error) {
      const { name, message } = error as Error;
      return { error: { name, message, code: error instanceof HumanError ? error.code : undefined } };
    }
  },

  cancelInside: async (request, choice) => {
    const worker = (await starter(choice))();
    const answer = await new Promise<{ kind: string; name: string | undefined }>((resolve, reject) => {
      worker.onExit(reject);
      worker.onMessage((message) => {
        const { kind, error } = message as { kind: string; error?: { name: string } };
        if (kind === 'ready') worker.postMessage({ kind: 'request', id: 1, method: 'train', params: request });
        else if (kind === 'progress') worker.postMessage({ kind: 'cancel', id: 1 });
        else resolve({ kind, name: error?.name });
      });
    });
    await worker.terminate();
    return answer;
  },

  send: async (choice, bytes) => {
    const worker = (await starter(choice))();
    const answer = new Promise((resolve) => worker.onMessage(resolve));
    worker.postMessage({ bytes }, [bytes.buffer as ArrayBuffer]);
    const outcome = { answer: await answer, left: bytes.length };
    await worker.terminate();
    return outcome;
  },

  exit: async (choice, terminate = false) => {
    const worker = (await starter(choice))();
    const ended = new Promise<Error | undefined>((resolve) => worker.onExit(resolve));
    worker.postMessage('begin');
    if (terminate) await worker.terminate();
    return (await ended)?.message;
  },

  startHost: async (script) => {
    const source = `importScripts(${JSON.stringify(new URL(script, location.href).href)}); postMessage('ready');`;
    const worker = new Worker(URL.createObjectURL(new Blob([source], { type: 'text/javascript' })));
    host = worker;
    await new Promise<void>((resolve, reject) => {
      worker.onmessage = () => resolve();
      worker.onerror = ({ message }) => reject(new Error(message));
    });
  },

  endHost: () => host?.terminate(),

  sharing: () => ({ isolated: crossOriginIsolated, sharedMemory: 'SharedArrayBuffer' in self }),
};

Object.assign(globalThis, { lens: page });
