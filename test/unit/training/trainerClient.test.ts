import * as assert from 'node:assert';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import * as esbuild from 'esbuild';
import { CancelledError, HumanError } from '../../../src/core/errors';
import { validateBundle } from '../../../src/core/model/bundle';
import type { WorkerHandle } from '../../../src/core/protocol/worker';
import { startNodeWorker } from '../../../src/platform/node/workers';
import { Trainer } from '../../../src/training/trainerClient';
import { wasmFolder } from './engines';
import { bilingualRows, request } from './fixture';

describe('the trainer in a worker thread', () => {
  let folder: string;
  let alive = 0;
  const start = (): WorkerHandle => {
    const worker = startNodeWorker(path.join(folder, 'trainer.js'));
    alive++;
    worker.onExit(() => alive--);
    return worker;
  };

  before(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'label-lens-trainer-'));
    await esbuild.build({
      entryPoints: ['src/platform/node/trainerWorker.ts'],
      outfile: path.join(folder, 'trainer.js'),
      bundle: true,
      platform: 'node',
      target: 'node20',
      format: 'cjs',
      mainFields: ['module', 'main'],
      loader: { '.wasm': 'binary' },
      logLevel: 'warning',
    });
    copyFileSync(path.join(wasmFolder, 'tfjs-backend-wasm-simd.wasm'), path.join(folder, 'tfjs-backend-wasm-simd.wasm'));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const quick = request({ rows: bilingualRows(40, 1), validation: bilingualRows(10, 2) }, { epochs: 2 });

  it('trains, reports, and leaves no worker behind', async () => {
    const trainer = new Trainer(start);
    let reports = 0;
    const { bundle, epochs } = await trainer.train(quick, { onProgress: ({ finished }) => (reports += finished ? 1 : 0) });
    assert.strictEqual(validateBundle(bundle, 'remarks').manifest.name, 'remarks');
    assert.strictEqual(epochs.length, reports);
    assert.strictEqual(alive, 0);
    await trainer.dispose();
  });

  it('ends the worker on a cancellation, and trains again afterwards', async () => {
    const trainer = new Trainer(start);
    const controller = new AbortController();
    const endless = trainer.train(request({}, { epochs: 1000, patience: 1000 }), { signal: controller.signal, onProgress: () => controller.abort() });
    const next = trainer.train(quick);
    await assert.rejects(endless, CancelledError);
    assert.strictEqual((await next).epochs.length, 2);
    assert.strictEqual(alive, 0);
  });

  it('rejects what runs and what waits when it is disposed', async () => {
    const trainer = new Trainer(start);
    let running!: () => void;
    const begun = new Promise<void>((resolve) => (running = resolve));
    const calls = [trainer.train(request({}, { epochs: 1000, patience: 1000 }), { onProgress: () => running() }), trainer.train(quick)];
    const outcomes = Promise.allSettled(calls);
    await begun;
    await trainer.dispose();
    for (const outcome of await outcomes) assert.ok(outcome.status === 'rejected' && outcome.reason instanceof CancelledError);
    await assert.rejects(trainer.train(quick), CancelledError);
    assert.strictEqual(alive, 0);
  });

  it('hands over what a person can mend', async () => {
    await assert.rejects(new Trainer(start).train(request({ rows: [] })), (error) => error instanceof HumanError && error.code === 'training.noRows');
    assert.strictEqual(alive, 0);
  });

  it('says so when the worker dies', async () => {
    const dying = (): WorkerHandle => {
      const worker = start();
      // ended from outside at its first report, as by a lack of memory
      return { ...worker, onMessage: (listener) => worker.onMessage((message) => ((message as { kind: string }).kind === 'progress' ? void worker.terminate() : listener(message))) };
    };
    await assert.rejects(new Trainer(dying).train(request({}, { epochs: 1000, patience: 1000 })), (error) => error instanceof HumanError && error.code === 'training.stopped' && /fewer rows/.test(error.message));
    assert.strictEqual(alive, 0);
  });
});
