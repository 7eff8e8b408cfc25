import * as assert from 'node:assert';
import { readFileSync } from 'node:fs';
import { HumanError } from '../../../src/core/errors';
import type { PredictedBatch, PredictedScores, PredictorMethods } from '../../../src/core/protocol/predictor';
import { RpcClient, type Port } from '../../../src/core/protocol/rpc';
import type { WorkerHandle } from '../../../src/core/protocol/worker';
import { Random } from '../../../src/core/util/random';
import { Predictor } from '../../../src/inference/predictor';
import { runPredictorWorker } from '../../../src/inference/worker';
import { OnnxSession } from '../model/onnxSession';
import { PredictorBuild, randomSentences, smallModel, type SmallModel } from './realWorker';

/** Each text alone through a session of its own. */
async function alone({ files, tokenizer }: SmallModel, texts: readonly string[]): Promise<PredictedScores> {
  const session = await OnnxSession.open(files.model);
  const scores: number[] = [];
  const features: number[] = [];
  for (const text of texts) {
    const [row] = await session.run([[...tokenizer.encode(text)]]);
    scores.push(...row!.scores);
    features.push(...row!.features);
  }
  await session.close();
  return { width: 3, scores: Float32Array.from(scores), tokens: Int32Array.from(texts, (text) => tokenizer.encode(text).length), features: Float32Array.from(features) };
}

/** What crosses the port, as far as it matters here. */
interface Frame {
  readonly kind: string;
  readonly id?: number;
  readonly error?: { readonly name: string };
}

function different(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `the film number ${i} was good`);
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

function assertClose(actual: Float32Array, expected: Float32Array, tolerance = 1e-6): void {
  assert.strictEqual(actual.length, expected.length);
  actual.forEach((value, i) => assert.ok(Math.abs(value - expected[i]!) <= tolerance, `at ${i}: ${value} instead of ${expected[i]}`));
}

describe('the predictor worker', () => {
  let build: PredictorBuild;
  let predictor: Predictor;
  const started: WorkerHandle[] = [];
  const ended: WorkerHandle[] = [];
  const start = (): WorkerHandle => {
    const worker = build.start();
    started.push(worker);
    worker.onExit(() => void ended.push(worker));
    return worker;
  };
  const small = smallModel(1);

  before(async () => (build = await PredictorBuild.create()));
  after(() => build.remove());
  beforeEach(() => {
    started.length = 0;
    ended.length = 0;
    predictor = new Predictor(start, { cacheSize: 0 });
  });
  afterEach(async () => {
    await predictor.dispose();
    assert.strictEqual(ended.length, started.length, 'a worker was left behind');
  });

  it('gives the scores, features and lengths of each text alone, whatever it is batched with', async () => {
    const random = new Random(2);
    const texts = randomSentences(random, 400);
    const expected = await alone(small, texts);
    assert.deepStrictEqual((await predictor.load('m', small.files)).labels, ['negative', 'neutral', 'positive']);
    for (const priority of ['interactive', 'background'] as const) {
      const progress: number[] = [];
      const result = await predictor.predict('m', texts, { features: true, priority, onProgress: (done) => progress.push(done) });
      assert.strictEqual(result.width, 3);
      assertClose(result.scores, expected.scores);
      assertClose(result.features!, expected.features!);
      assert.deepStrictEqual(result.tokens, expected.tokens);
      assert.strictEqual(progress.at(-1), texts.length);
      assert.ok(progress.length > 2 && progress.every((done, i) => i === 0 || done > progress[i - 1]!), 'it does not tell how far it is');
    }
    const order = random.shuffle(texts.map((_, i) => i));
    const shuffled = await predictor.predict('m', order.map((i) => texts[i]!));
    assert.strictEqual(shuffled.features, undefined);
    order.forEach((i, row) => assertClose(shuffled.scores.subarray(row * 3, row * 3 + 3), expected.scores.subarray(i * 3, i * 3 + 3)));
  });

  it('has several models open', async () => {
    const models = [3, 4, 5, 6].map((seed) => smallModel(seed));
    await Promise.all(models.map(({ files }, i) => predictor.load(`m${i}`, files)));
    const texts = randomSentences(new Random(7), 40);
    const results = await Promise.all(models.map((_, i) => predictor.predict(`m${i}`, texts)));
    for (const [i, model] of models.entries()) assertClose(results[i]!.scores, (await alone(model, texts)).scores);
    assert.strictEqual(started.length, 1);
  });

  it('lets one text overtake thousands', async function () {
    // this thread may not get its turn before the worker is through, on a machine that is busy
    this.retries(5);
    await predictor.load('m', small.files);
    let done = 0;
    const background = predictor.predict('m', different(30_000), { priority: 'background', onProgress: (count) => (done = count) });
    const first = await predictor.predict('m', ['a good film']);
    assert.ok(done < 30_000, `${done} came first`);
    await until(() => done > 0);
    const before = done;
    await predictor.predict('m', ['a bad film']);
    assert.ok(done < 30_000, `all ${done} came first, ${before} of them before it was asked`);
    await background;
    assertClose(first.scores, (await alone(small, ['a good film'])).scores);
  });

  it('stops between two batches when it is cancelled', async () => {
    // in this thread, so that the cancellation stands before the next batch however busy the machine is
    const answered: Frame[] = [];
    let receive: (message: unknown) => void = () => undefined;
    let changed = (): void => undefined;
    const port: Port = {
      postMessage: (message) => {
        const frame = message as Frame;
        answered.push(frame);
        if (frame.kind === 'progress' && frame.id === 2) receive({ kind: 'cancel', id: 2 });
        changed();
      },
      onMessage: (listener) => (receive = listener),
    };
    const answerTo = async (id: number): Promise<Frame> => {
      for (;;) {
        const answer = answered.find((frame) => frame.id === id && (frame.kind === 'result' || frame.kind === 'error'));
        if (answer) return answer;
        await new Promise<void>((resolve) => (changed = resolve));
      }
    };
    const predict = (id: number, texts: readonly string[]): void => receive({ kind: 'request', id, method: 'predict', params: { key: 'm', texts, priority: 'background', features: false } });
    runPredictorWorker(port, {
      wasmBinary: readFileSync('node_modules/onnxruntime-web/dist/ort-wasm-simd-threaded.wasm'),
      pause: () => new Promise((resolve) => void setImmediate(resolve)),
    });
    receive({ kind: 'request', id: 1, method: 'load', params: { key: 'm', where: 'm', bundle: small.files } });
    assert.strictEqual((await answerTo(1)).kind, 'result');
    predict(2, different(5000));
    const cancelled = await answerTo(2);
    assert.deepStrictEqual([cancelled.kind, cancelled.error?.name], ['error', 'CancelledError']);
    assert.strictEqual(answered.filter(({ kind, id }) => kind === 'progress' && id === 2).length, 1);
    predict(3, ['then another']);
    assert.strictEqual((await answerTo(3)).kind, 'result');
    receive({ kind: 'request', id: 4, method: 'unload', params: { key: 'm' } });
    await answerTo(4);
  });

  it('hears messages while it computes', async function () {
    this.retries(5);
    const worker = start();
    const client = new RpcClient<PredictorMethods>(worker);
    await client.call('load', { key: 'm', where: 'm', bundle: small.files });
    let computed = 0;
    let answer: Promise<unknown> | undefined;
    const onProgress = (batch: PredictedBatch): void => {
      computed += batch.positions.length;
      answer ??= client.call('predict', { key: 'm', texts: ['now'], priority: 'interactive', features: false }).then(() => computed);
    };
    // some seconds of work, in one request
    const texts = different(60_000);
    const controller = new AbortController();
    const all = client.call('predict', { key: 'm', texts, priority: 'background', features: false }, { onProgress, signal: controller.signal }).catch(() => undefined);
    while (!answer) await new Promise((resolve) => setImmediate(resolve));
    const before = (await answer) as number;
    controller.abort();
    await all;
    await worker.terminate();
    assert.ok(before < texts.length);
  });

  it('is started again when it dies in the midst, and nobody notices', async () => {
    const texts = different(2000);
    await predictor.load('m', small.files);
    let kills = 0;
    const result = await predictor.predict('m', texts, {
      priority: 'background',
      onProgress: (done) => {
        if (kills < 2 && done > kills * 700) {
          kills++;
          void started.at(-1)!.terminate();
        }
      },
    });
    assert.strictEqual(kills, 2);
    assert.strictEqual(started.length, 3);
    assertClose(result.scores, (await alone(small, texts)).scores);
  });

  it('refuses a bundle that is not whole, and lives on', async () => {
    const torn = { ...small.files, model: small.files.model.subarray(0, 1000) };
    await assert.rejects(predictor.load('torn', torn), (error) => error instanceof HumanError && error.code === 'bundle.hash' && error.message.includes('torn'));
    await predictor.load('m', small.files);
    assert.strictEqual((await predictor.predict('m', ['good'])).scores.length, 3);
    assert.strictEqual(started.length, 1);
  });

  it('says so when onnxruntime does not start', async () => {
    const broken = await PredictorBuild.create(Buffer.from('no WebAssembly'));
    const other = new Predictor(broken.start);
    await assert.rejects(other.load('m', small.files), (error) => error instanceof HumanError && error.code === 'predictor.model');
    await other.dispose();
    broken.remove();
  });
});
