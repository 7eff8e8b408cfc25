import * as assert from 'node:assert';
import { Emitter } from '../../../src/app/events';
import type { Log } from '../../../src/app/log';
import { ModelStore } from '../../../src/app/modelStore';
import { Session, type SessionStatus } from '../../../src/app/session';
import { Trainings } from '../../../src/app/trainings';
import { CancelledError, HumanError } from '../../../src/core/errors';
import type { PredictorMethods } from '../../../src/core/protocol/predictor';
import { serve, type Port } from '../../../src/core/protocol/rpc';
import type { WorkerHandle } from '../../../src/core/protocol/worker';
import { wordBundle } from '../../fixtures/wordModel';
import { FakeTrainer } from './fakeTrainer';
import { MemoryFileSystem } from './memoryFileSystem';

/** A predictor worker in this thread that scores by whether a text contains `good`, and notes what it was asked. */
class FakeWorker implements WorkerHandle {
  readonly loaded: string[] = [];
  readonly asked: string[] = [];
  terminated = false;
  /** Answers wait for it. */
  gate: Promise<void> = Promise.resolve();
  refuse: Error | undefined;
  private toOwner: ((message: unknown) => void) | undefined;
  private toWorker: ((message: unknown) => void) | undefined;
  private readonly early: unknown[] = [];
  private exit: ((error: Error | undefined) => void) | undefined;

  constructor() {
    const port: Port = {
      postMessage: (message) => (this.toOwner ? this.toOwner(message) : void this.early.push(message)),
      onMessage: (listener) => (this.toWorker = listener),
    };
    serve<PredictorMethods>(port, {
      load: ({ key }) => {
        if (this.refuse) throw this.refuse;
        this.loaded.push(key);
        return { labels: ['negative', 'positive'] };
      },
      unload: () => null,
      predict: async ({ texts }, { progress }) => {
        await this.gate;
        this.asked.push(...texts);
        const scores = Float32Array.from(texts.flatMap((text) => (text.includes('good') ? [0.25, 0.75] : [0.75, 0.25])));
        progress({ width: 2, scores, tokens: Int32Array.from(texts, (text) => text.split(' ').length), positions: Int32Array.from(texts, (_, index) => index) });
        return null;
      },
    });
  }

  postMessage(message: unknown): void {
    this.toWorker?.(structuredClone(message));
  }
  onMessage(listener: (message: unknown) => void): void {
    this.toOwner = listener;
    for (const message of this.early.splice(0)) listener(message);
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

describe('Session', () => {
  let worker: FakeWorker;
  let fileSystem: MemoryFileSystem;
  let settings: { model: string; emitter: Emitter<void>; onDidChange: Emitter<void>['event'] };
  let session: Session;
  let errors: (string | Error)[];
  let history: SessionStatus[];
  let trainers: FakeTrainer[];

  beforeEach(() => {
    worker = new FakeWorker();
    fileSystem = new MemoryFileSystem();
    for (const name of ['sentiment', 'other']) {
      const bundle = wordBundle({ name, version: '1', good: ['good'], bad: ['bad'] });
      fileSystem.put(`/models/${name}/model.json`, bundle.manifest);
      fileSystem.put(`/models/${name}/tokenizer.json`, bundle.tokenizer);
      fileSystem.put(`/models/${name}/model.onnx`, bundle.model);
    }
    const emitter = new Emitter<void>();
    settings = { model: 'sentiment', emitter, onDidChange: emitter.event };
    errors = [];
    const log: Log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: (error) => void errors.push(error) };
    trainers = [];
    const startTrainer = (): FakeTrainer => {
      const trainer = new FakeTrainer(() => new Promise(() => undefined));
      trainers.push(trainer);
      return trainer;
    };
    const trainings = new Trainings({ fileSystem, startTrainer, cores: 1, pause: () => Promise.resolve() });
    session = new Session({ models: new ModelStore({ fileSystem, shippedFolder: '/models' }), startPredictor: () => worker, trainings, settings, log });
    history = [];
    session.onDidChangeStatus((status) => history.push(status));
  });

  afterEach(() => session.dispose());

  it('does nothing until a text asks', () => {
    assert.deepStrictEqual(fileSystem.read, []);
    assert.deepStrictEqual(worker.loaded, []);
    assert.strictEqual(session.status.model, undefined);
    assert.strictEqual(session.status.loading, false);
  });

  it('answers in the order asked, with the model that said so, and remembers', async () => {
    const predictions = await session.predict(['good day', 'bad day', 'good day']);
    assert.deepStrictEqual(
      predictions.map(({ labels, scores, tokens, model }) => [labels, scores, tokens, model.name]),
      [
        [['negative', 'positive'], [0.25, 0.75], 2, 'sentiment'],
        [['negative', 'positive'], [0.75, 0.25], 2, 'sentiment'],
        [['negative', 'positive'], [0.25, 0.75], 2, 'sentiment'],
      ],
    );
    assert.deepStrictEqual(session.recall('bad day'), predictions[1]);
    assert.strictEqual(session.recall('another day'), undefined);
    await session.predict(['bad day', 'good day']);
    assert.strictEqual(worker.asked.length, 2, 'known texts are not computed again');
  });

  it('loads the model once for requests that come together', async () => {
    await Promise.all([session.predict(['a']), session.predict(['b']), session.current()]);
    assert.strictEqual(worker.loaded.length, 1);
    assert.deepStrictEqual(
      history.filter((status) => status.loading).length > 0 && history.at(-1),
      { chosen: 'sentiment', model: await session.current(), loading: false, pending: 0, training: undefined, error: undefined },
    );
  });

  it('forgets what another model said, and says that it was changed', async () => {
    await session.predict(['good day']);
    let changes = 0;
    session.onDidChangeModel(() => changes++);
    settings.model = 'other';
    settings.emitter.fire();
    assert.strictEqual(changes, 1);
    assert.strictEqual(session.recall('good day'), undefined);
    assert.strictEqual((await session.predict(['good day']))[0]!.model.name, 'other');
  });

  it('does not hand out the answer of a model that was replaced meanwhile', async () => {
    let open!: () => void;
    await session.current();
    worker.gate = new Promise((resolve) => (open = resolve));
    const late = session.predict(['good day']);
    const outcome = assert.rejects(late, CancelledError);
    await new Promise((resolve) => setImmediate(resolve));
    settings.model = 'other';
    settings.emitter.fire();
    open();
    await outcome;
    assert.strictEqual(session.recall('good day'), undefined);
    assert.strictEqual(session.status.pending, 0);
  });

  it('keeps a failure instead of trying again with each repaint, and tries again on request', async () => {
    settings.model = 'missing';
    settings.emitter.fire();
    await assert.rejects(session.predict(['a']), (error: HumanError) => error.code === 'model.unknown');
    const reads = fileSystem.read.length;
    await assert.rejects(session.predict(['b']), HumanError);
    assert.strictEqual(fileSystem.read.length, reads);
    assert.strictEqual(errors.length, 1, 'logged once');
    assert.ok(session.status.error instanceof HumanError);
    settings.model = 'other';
    session.retryIfFailed();
    assert.strictEqual(session.status.error, undefined);
    assert.strictEqual((await session.predict(['a']))[0]!.model.name, 'other');
  });

  it('names the folder when the worker refuses a bundle', async () => {
    await session.current();
    const { key } = (await session.current()).identity;
    worker.refuse = new HumanError('bundle.hash', '{0} differs.', [`${key}/model.onnx`]);
    // other bytes, same model.json, so the predictor has to ask the worker again
    fileSystem.put('/models/sentiment/model.onnx', new Uint8Array(3));
    session.reload();
    await assert.rejects(session.current(), (error: HumanError) => error.message === '/models/sentiment/model.onnx differs.');
  });

  it('cancels by signal', async () => {
    const controller = new AbortController();
    await session.current();
    worker.gate = new Promise(() => undefined);
    const outcome = assert.rejects(session.predict(['good day'], { signal: controller.signal }), CancelledError);
    controller.abort();
    await outcome;
    assert.strictEqual(session.status.pending, 0);
  });

  it('says that it trains, and ends the training with itself', async () => {
    const chunks = async function* (): AsyncGenerator<Uint8Array> {
      yield await Promise.resolve(new TextEncoder().encode('text,label\na,x\nb,y\n'));
    };
    const training = session.trainings.train({ task: 'own', folder: '/w', file: 'own.csv', open: () => Promise.resolve({ chunks: chunks(), fraction: () => undefined }), labelColumn: 'label', textColumns: ['text'], workers: 1 });
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepStrictEqual(history.at(-1)?.training, { task: 'own', fraction: 0 });
    session.dispose();
    await assert.rejects(training, CancelledError);
    assert.deepStrictEqual(trainers.map(({ terminated }) => terminated), [true]);
  });

  it('leaves no listener and no worker behind', async () => {
    await session.predict(['a']);
    session.dispose();
    await new Promise((resolve) => setImmediate(resolve));
    assert.strictEqual(settings.emitter.size, 0);
    assert.strictEqual(worker.terminated, true);
    assert.strictEqual(trainers.length, 0, 'none was needed');
    await assert.rejects(session.predict(['b']), CancelledError);
  });
});
