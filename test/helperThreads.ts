import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import type { WorkerHandle } from '../src/core/protocol/worker';
import { startNodeWorker } from '../src/platform/node/workers';
import { buildDist } from './dist';

/** Real threads that compute for a kernel engine; `end` gives them back. */
export async function startHelpers(count: number): Promise<{ readonly helpers: readonly WorkerHandle[]; end(): Promise<void> }> {
  const folder = mkdtempSync(path.join(tmpdir(), 'label-lens-helpers-'));
  await buildDist(folder, ['kernelHelper']);
  const helpers = Array.from({ length: count }, () => reusable(startNodeWorker(path.join(folder, 'kernelHelper.js'))));
  return {
    helpers,
    end: async () => {
      await Promise.all(helpers.map((helper) => helper.terminate()));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The worker with one listener at a time, as one engine after the other puts it to work. */
function reusable(worker: WorkerHandle): WorkerHandle {
  let onMessage: (message: unknown) => void = () => undefined;
  let onExit: (error: Error | undefined) => void = () => undefined;
  worker.onMessage((message) => onMessage(message));
  worker.onExit((error) => onExit(error));
  return { ...worker, onMessage: (listener) => (onMessage = listener), onExit: (listener) => (onExit = listener) };
}
