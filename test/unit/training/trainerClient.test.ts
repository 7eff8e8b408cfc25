import * as assert from 'node:assert';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { CancelledError, HumanError } from '../../../src/core/errors';
import { validateBundle } from '../../../src/core/model/bundle';
import type { TrainPlace, TrainRequest } from '../../../src/core/protocol/trainer';
import type { WorkerHandle } from '../../../src/core/protocol/worker';
import { startNodeWorker } from '../../../src/platform/node/workers';
import { CheckpointFile } from '../../../src/storage/checkpointFile';
import { Trainer } from '../../../src/training/trainerClient';
import { buildDist } from '../../dist';
import { MemoryFileSystem } from '../app/memoryFileSystem';
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
    await buildDist(folder, ['trainer', 'kernelHelper']);
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

  it('gives the same model with helping threads, and leaves none of them behind when it is cancelled', async () => {
    const trainer = new Trainer(start);
    const batches = request({ rows: bilingualRows(120, 1), validation: bilingualRows(40, 2) }, { epochs: 2 });
    const [alone, together] = [await trainer.train(batches), await trainer.train({ ...batches, workers: 3 })];
    assert.deepStrictEqual(together.bundle.model, alone.bundle.model);
    assert.deepStrictEqual(together.epochs.map(({ trainLoss, validLoss }) => [trainLoss, validLoss]), alone.epochs.map(({ trainLoss, validLoss }) => [trainLoss, validLoss]));
    const before = threads();
    const controller = new AbortController();
    const endless = trainer.train({ ...request({}, { epochs: 1000, patience: 1000 }), workers: 4 }, { signal: controller.signal, onProgress: () => controller.abort() });
    await assert.rejects(endless, CancelledError);
    await trainer.dispose();
    assert.ok(threads() <= before, `${threads()} threads after ${before}`);
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

  it('goes on where it was cancelled or its worker died, and ends with the same model', async () => {
    const files = new MemoryFileSystem();
    const place = '/models/remarks/training.checkpoint';
    const whole = await new Trainer(start).train(quick);
    const notes: string[] = [];
    const options = {
      checkpoints: new CheckpointFile(files, place),
      onContinue: ({ epochs, batch }: TrainPlace) => void notes.push(`continued after ${epochs.length}, ${batch}`),
      onProblem: (problem: HumanError) => void notes.push(problem.code),
    };
    const controller = new AbortController();
    await assert.rejects(new Trainer(start).train(quick, { ...options, signal: controller.signal, onSaved: () => controller.abort() }), CancelledError);
    assert.ok(files.files.has(place));
    const dying = (): WorkerHandle => {
      const worker = start();
      // at its next checkpoint, which is not handed over any more
      return { ...worker, onMessage: (listener) => worker.onMessage((message) => ((message as { value?: { kind?: string } }).value?.kind === 'checkpoint' ? void worker.terminate() : listener(message))) };
    };
    await assert.rejects(new Trainer(dying).train(quick, options), (error) => error instanceof HumanError && error.code === 'training.interrupted' && /continue from its last checkpoint/.test(error.message));
    const { bundle, epochs } = await new Trainer(start).train(quick, options);
    assert.deepStrictEqual([bundle.model, epochs.length], [whole.bundle.model, 2]);
    assert.deepStrictEqual(notes, ['continued after 1, 0', 'continued after 1, 0']);
    // the one who stores the model clears it
    assert.ok(files.files.has(place));
    assert.strictEqual(alive, 0);
  });

  it('starts over from a damaged checkpoint and from another training, says so, and replaces it', async () => {
    for (const [content, code] of [
      [new TextEncoder().encode('not a checkpoint'), 'training.checkpointDamaged'],
      [await checkpointOf(request({ rows: bilingualRows(30, 7), validation: quick.validation }, { epochs: 1 })), 'training.checkpointDifferent'],
    ] as const) {
      const files = new MemoryFileSystem(new Map([['/checkpoint', content]]));
      const problems: string[] = [];
      await new Trainer(start).train(quick, { checkpoints: new CheckpointFile(files, '/checkpoint'), onContinue: () => assert.fail(), onProblem: (problem) => problems.push(problem.code) });
      assert.deepStrictEqual(problems, [code]);
      assert.notDeepStrictEqual(files.files.get('/checkpoint'), content);
    }
  });

  it('trains on in memory when nothing can be saved, and says so once', async () => {
    const full = Object.assign(new MemoryFileSystem(), { writeFileAtomically: () => Promise.reject(new HumanError('file.full', 'full')) });
    const problems: string[] = [];
    const { epochs } = await new Trainer(start).train(quick, { checkpoints: new CheckpointFile(full, '/checkpoint'), onSaved: () => assert.fail(), onProblem: (problem) => problems.push(problem.code) });
    assert.deepStrictEqual([epochs.length, problems], [2, ['training.checkpointFull']]);
  });

  it('leaves no checkpoint of a training that went astray, for it would again', async () => {
    const files = new MemoryFileSystem();
    const astray = request({ rows: quick.rows, validation: quick.validation }, { epochs: 300, patience: 300, learningRate: 1000, gradientClip: 1e6 });
    await assert.rejects(new Trainer(start).train(astray, { checkpoints: new CheckpointFile(files, '/checkpoint') }), (error) => error instanceof HumanError && error.code === 'training.diverged');
    assert.deepStrictEqual([...files.files.keys()], []);
  });

  /** What a whole run of that training left. */
  async function checkpointOf(what: TrainRequest): Promise<Uint8Array> {
    const files = new MemoryFileSystem();
    const saved: Uint8Array[] = [];
    await new Trainer(start).train(what, { checkpoints: new CheckpointFile(files, '/checkpoint'), onSaved: () => saved.push(files.files.get('/checkpoint')!) });
    return saved.at(-1)!;
  }

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

/** Threads of this process. */
function threads(): number {
  return readdirSync('/proc/self/task').length;
}
