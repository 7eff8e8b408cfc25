import * as assert from 'node:assert';
import * as fc from 'fast-check';
import { CancelledError, HumanError } from '../../../src/core/errors';
import type { PredictedScores } from '../../../src/core/protocol/predictor';
import { Predictor, type PredictorOptions } from '../../../src/inference/predictor';
import { humanError } from '../humanErrors';
import { FakeWorkers, fakeBundle, fakeFeatures, fakeScores, turn, turns, until, type FakeModel } from './fakeWorker';

const model: FakeModel = { seed: 1, labels: ['no', 'yes'] };

function assertScores(result: PredictedScores, texts: readonly string[], expected: FakeModel, features = false): void {
  assert.strictEqual(result.width, expected.labels.length);
  assert.deepStrictEqual([...result.scores], texts.flatMap((text) => fakeScores(expected, text)));
  assert.deepStrictEqual([...result.tokens], texts.map((text) => text.length));
  assert.deepStrictEqual(result.features && [...result.features], features ? texts.flatMap((text) => fakeFeatures(expected, text)) : undefined);
}

const numbered = (count: number, prefix = 'text '): string[] => Array.from({ length: count }, (_, i) => `${prefix}${i}`);

describe('Predictor', () => {
  let workers: FakeWorkers;
  let predictor: Predictor;
  const open = async (options?: PredictorOptions, models: Record<string, FakeModel> = { m: model }): Promise<void> => {
    predictor = new Predictor(workers.start, options);
    for (const [key, fake] of Object.entries(models)) await predictor.load(key, fakeBundle(fake));
  };
  beforeEach(() => (workers = new FakeWorkers()));
  afterEach(async () => {
    await predictor.dispose();
    assert.deepStrictEqual(workers.alive, [], 'a worker was left behind');
  });

  it('starts nothing before it is asked', async () => {
    predictor = new Predictor(workers.start);
    await turns(3);
    assert.strictEqual(workers.started.length, 0);
    await assert.rejects(predictor.predict('m', ['a']), /No model is loaded as m/);
    assert.strictEqual(workers.started.length, 0);
    const [{ labels }] = await Promise.all([predictor.load('m', fakeBundle(model)), predictor.predict('m', ['a'])]);
    assert.deepStrictEqual(labels, ['no', 'yes']);
    assert.strictEqual(workers.started.length, 1);
  });

  it('answers every request rightly or with its cancellation, whatever is asked, cancelled and crashes', async () => {
    const models: Record<string, FakeModel> = { a: model, b: { seed: 2, labels: ['x', 'y', 'z'] }, c: { seed: 3, labels: ['1', '2'] } };
    const action = fc.oneof(
      {
        weight: 6,
        arbitrary: fc.record({
          type: fc.constant('ask' as const),
          key: fc.constantFrom('a', 'b', 'c'),
          // few different ones, so that they meet in the queue and in the cache
          texts: fc.array(fc.nat({ max: 60 }), { maxLength: 30 }),
          times: fc.constantFrom(1, 1, 1, 40),
          priority: fc.constantFrom('interactive' as const, 'background' as const),
          features: fc.boolean(),
          cache: fc.boolean(),
          cancelAfter: fc.option(fc.nat({ max: 12 }), { freq: 3 }),
        }),
      },
      { weight: 1, arbitrary: fc.record({ type: fc.constant('crash' as const) }) },
      { weight: 1, arbitrary: fc.record({ type: fc.constant('replace' as const), key: fc.constantFrom('a', 'b', 'c') }) },
      { weight: 3, arbitrary: fc.record({ type: fc.constant('turns' as const), count: fc.nat({ max: 10 }) }) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(action, { maxLength: 25 }), fc.constantFrom(0, 5, 10_000), fc.integer({ min: 1, max: 3 }), async (actions, cacheSize, openModels) => {
        workers = new FakeWorkers();
        await open({ cacheSize, openModels }, models);
        const asked: Promise<void>[] = [];
        let crashes = 0;
        for (const action of actions) {
          if (action.type === 'crash') {
            // so seldom that no text is ever suspected three times
            if (++crashes <= 2) workers.alive.at(-1)?.crash();
          } else if (action.type === 'turns') await turns(action.count);
          else if (action.type === 'replace') asked.push(predictor.load(action.key, fakeBundle(models[action.key]!)).then(() => undefined));
          else {
            const { key, priority, features, cache, cancelAfter } = action;
            const texts = Array.from({ length: action.times }, (_, i) => action.texts.map((n) => `${i} ${n}`)).flat();
            const controller = new AbortController();
            let isCancelled = false;
            const progress: number[] = [];
            asked.push(
              predictor.predict(key, texts, { priority, features, cache, signal: controller.signal, onProgress: (done) => progress.push(done) }).then(
                (result) => {
                  assertScores(result, texts, models[key]!, features);
                  assert.deepStrictEqual(progress, [...new Set(progress)].sort((a, b) => a - b));
                },
                (error: unknown) => assert.ok(isCancelled && error instanceof CancelledError, String(error)),
              ),
            );
            if (cancelAfter !== null) {
              void turns(cancelAfter).then(() => {
                isCancelled = true;
                controller.abort();
              });
            }
          }
        }
        await Promise.all(asked);
        assert.ok(workers.alive.length <= 1);
        await until(() => workers.alive.every((worker) => worker.models.size <= openModels && worker.running === 0));
        assert.ok(
          workers.lots.every((lot) => lot.length <= 1024),
          'a lot was too large',
        );
        // nothing is left in the books: it does at once what is asked now
        assertScores(await predictor.predict('a', ['last']), ['last'], model);
        await predictor.dispose();
        await turns(2);
        assert.deepStrictEqual(workers.alive, []);
      }),
      { numRuns: 120 },
    );
  });

  describe('gathers', () => {
    it('requests of one turn in one message, equal texts once', async () => {
      await open();
      const results = await Promise.all([predictor.predict('m', ['a', 'b', 'a']), predictor.predict('m', ['b', 'c']), predictor.predict('m', ['c'])]);
      assert.deepStrictEqual(workers.lots, [['a', 'b', 'c']]);
      assertScores(results[0], ['a', 'b', 'a'], model);
      assertScores(results[1], ['b', 'c'], model);
      assertScores(results[2], ['c'], model);
    });

    it('what comes while the worker is busy', async () => {
      await open();
      workers.paused = true;
      const first = predictor.predict('m', ['first']);
      await until(() => workers.lots.length === 1);
      const later = numbered(20).map((text) => predictor.predict('m', [text]));
      await turns(5);
      assert.strictEqual(workers.lots.length, 1);
      workers.paused = false;
      await Promise.all([first, ...later]);
      assert.deepStrictEqual(workers.lots, [['first'], numbered(20)]);
    });

    it('but lets nobody wait for the background', async () => {
      await open();
      workers.paused = true;
      const background = predictor.predict('m', numbered(10_000), { priority: 'background' });
      await until(() => workers.lots.length === 2);
      // in the background it waits, too
      const interactive = predictor.predict('m', ['text 5000']);
      await until(() => workers.lots.length === 3);
      assert.deepStrictEqual(workers.lots[2], ['text 5000']);
      workers.paused = false;
      await interactive;
      assert.ok(workers.lots.length < 10, 'most of the background is still to come');
      assertScores(await background, numbered(10_000), model);
    });
  });

  describe('remembers', () => {
    it('texts, and sends only new ones', async () => {
      await open();
      await predictor.predict('m', ['a', 'b']);
      const progress: number[] = [];
      assertScores(await predictor.predict('m', ['b', 'a'], { onProgress: (done) => progress.push(done) }), ['b', 'a'], model);
      assert.deepStrictEqual(progress, [2]);
      assertScores(await predictor.predict('m', ['a', 'c']), ['a', 'c'], model);
      assert.deepStrictEqual(workers.lots, [['a', 'b'], ['c']]);
    });

    it('features, once they were asked for', async () => {
      await open();
      await predictor.predict('m', ['a']);
      assertScores(await predictor.predict('m', ['a'], { features: true }), ['a'], model, true);
      assertScores(await predictor.predict('m', ['a'], { features: true }), ['a'], model, true);
      await predictor.predict('m', ['a']);
      assert.deepStrictEqual(workers.lots, [['a'], ['a']]);
    });

    it('as many as it may, those asked for last', async () => {
      await open({ cacheSize: 3 });
      await predictor.predict('m', ['a', 'b', 'c']);
      await predictor.predict('m', ['a']);
      await predictor.predict('m', ['d']);
      await predictor.predict('m', ['a', 'c', 'd']);
      assert.strictEqual(workers.lots.length, 2);
      await predictor.predict('m', ['b']);
      assert.strictEqual(workers.lots.length, 3);
    });

    it('nothing where it is told not to', async () => {
      await open();
      await predictor.predict('m', ['a'], { cache: false });
      await predictor.predict('m', ['a']);
      assert.deepStrictEqual(workers.lots, [['a'], ['a']]);
    });

    it('nothing across models, also under the same key', async () => {
      await open({}, { m: model, n: { ...model, seed: 5 } });
      await predictor.predict('m', ['a']);
      assertScores(await predictor.predict('n', ['a']), ['a'], { ...model, seed: 5 });
      await predictor.load('m', fakeBundle({ ...model, seed: 7 }));
      assertScores(await predictor.predict('m', ['a']), ['a'], { ...model, seed: 7 });
    });
  });

  describe('cancels', () => {
    it('at once, and sends no more of it', async () => {
      await open();
      workers.paused = true;
      const controller = new AbortController();
      const asked = predictor.predict('m', numbered(10_000), { priority: 'background', signal: controller.signal });
      await until(() => workers.lots.length === 2);
      controller.abort();
      await assert.rejects(asked, CancelledError);
      await until(() => workers.started[0]!.running === 0);
      assert.strictEqual(workers.started[0]!.cancelled, 2);
      workers.paused = false;
      await turns(5);
      assert.strictEqual(workers.lots.length, 2);
      await assert.rejects(predictor.predict('m', ['a'], { signal: controller.signal }), CancelledError);
    });

    it('not what others wait for', async () => {
      await open();
      workers.paused = true;
      const controller = new AbortController();
      const cancelled = predictor.predict('m', ['a', 'b'], { signal: controller.signal });
      const kept = predictor.predict('m', ['b', 'c']);
      await until(() => workers.lots.length === 1);
      controller.abort();
      await assert.rejects(cancelled, CancelledError);
      // nobody waits for it now, but it is on its way
      const again = predictor.predict('m', ['a']);
      workers.paused = false;
      assertScores(await kept, ['b', 'c'], model);
      assertScores(await again, ['a'], model);
      assert.deepStrictEqual(workers.lots, [['a', 'b', 'c']]);
    });
  });

  describe('survives', () => {
    it('a crash: what was under way is sent again, to a worker with the same models', async () => {
      await open({}, { m: model, n: { seed: 4, labels: ['x'] } });
      workers.paused = true;
      const asked = [predictor.predict('m', numbered(700), { priority: 'background' }), predictor.predict('m', ['a'])];
      const other = predictor.predict('n', ['b'], { features: true, priority: 'background' });
      await until(() => workers.lots.length >= 3);
      workers.started[0]!.crash();
      workers.paused = false;
      assertScores((await Promise.all(asked))[0]!, numbered(700), model);
      assertScores(await other, ['b'], { seed: 4, labels: ['x'] }, true);
      assert.strictEqual(workers.started.length, 2);
    });

    it('one between requests', async () => {
      await open();
      workers.started[0]!.crash();
      await turns(3);
      assert.strictEqual(workers.started.length, 1, 'it is not started before it is needed');
      assertScores(await predictor.predict('m', ['a']), ['a'], model);
    });

    it('a text that crashes it each time, at the cost of that text’s requests only', async () => {
      const fragile = { ...model, poison: 'POISON' };
      await open({}, { m: fragile });
      const good = [predictor.predict('m', numbered(900), { priority: 'background' }), ...numbered(30, 'other ').map((text) => predictor.predict('m', [text]))];
      const bad = [predictor.predict('m', ['fine', 'the POISON']), predictor.predict('m', ['the POISON'])];
      const late = turns(9).then(() => predictor.predict('m', ['late']));
      await Promise.all(bad.map((asked) => assert.rejects(asked, humanError('predictor.text', 'the POISON'))));
      assertScores((await Promise.all(good))[0]!, numbered(900), fragile);
      assertScores(await late, ['late'], fragile);
      assert.strictEqual(workers.started.length, 4, 'three crashes and the last');
    });

    it('many such texts in one request', async () => {
      await open({}, { m: { ...model, poison: 'POISON' } });
      await assert.rejects(predictor.predict('m', numbered(1000, 'POISON ')), humanError('predictor.text'));
      assert.ok(workers.started.length <= 4);
    });

    it('a model that crashes at all texts, without trying them all', async () => {
      await open({}, { m: { ...model, poison: '' }, n: model });
      const asked = numbered(200).map((text) => predictor.predict('m', [text]));
      const good = predictor.predict('n', ['a']);
      const codes = (await Promise.allSettled(asked)).map((outcome) => (outcome.status === 'rejected' && outcome.reason instanceof HumanError ? outcome.reason.code : ''));
      assert.deepStrictEqual(new Set(codes), new Set(['predictor.text', 'predictor.run']));
      assertScores(await good, ['a'], model);
      assert.ok(workers.started.length <= 6, `${workers.started.length} workers`);
    });

    it('a model that crashes it when it is opened', async () => {
      await open();
      const good = predictor.predict('m', numbered(300), { priority: 'background' });
      await assert.rejects(predictor.load('n', fakeBundle({ ...model, open: 'crash' })), humanError('predictor.model'));
      assertScores(await good, numbered(300), model);
      assert.strictEqual(workers.started.length, 3);
    });

    it('a worker that does not start, and tries again when asked again', async () => {
      for (const way of ['exit', 'throw'] as const) {
        workers = new FakeWorkers();
        workers.startsWith = way;
        predictor = new Predictor(workers.start);
        await assert.rejects(predictor.load('m', fakeBundle(model)), (error) => humanError('predictor.start')(error) && /cannot start|no such file/.test((error as Error).message));
        assert.strictEqual(workers.started.length, way === 'exit' ? 3 : 0);
        workers.startsWith = 'ready';
        await predictor.load('m', fakeBundle(model));
        workers.alive[0]!.crash();
        await turns(2);
        workers.startsWith = way;
        const asked = [predictor.predict('m', ['a']), predictor.predict('m', numbered(2000), { priority: 'background' })];
        await Promise.all(asked.map((one) => assert.rejects(one, humanError('predictor.start'))));
        workers.startsWith = 'ready';
        assertScores(await predictor.predict('m', ['a']), ['a'], model);
        if (way === 'exit') await predictor.dispose();
      }
    });
  });

  describe('keeps models', () => {
    it('as they were when another one under their key is refused', async () => {
      await open();
      await assert.rejects(predictor.load('m', fakeBundle({ seed: 9, labels: [], open: 'refuse' })), (error) => humanError('bundle.hash')(error) && (error as Error).message.startsWith('m '));
      assertScores(await predictor.predict('m', ['a']), ['a'], model);
    });

    it('opens the same files once', async () => {
      predictor = new Predictor(workers.start);
      const files = fakeBundle(model);
      await Promise.all([predictor.load('m', files), predictor.load('m', files)]);
      await predictor.load('m', { ...files });
      assert.strictEqual(workers.started[0]!.models.size, 1);
    });

    it('answers what was asked of a model before it was replaced or unloaded', async () => {
      await open();
      workers.paused = true;
      const before = predictor.predict('m', ['a']);
      const other = { ...model, seed: 8 };
      const loading = predictor.load('m', fakeBundle(other));
      const meanwhile = predictor.predict('m', ['b']);
      await loading;
      const after = predictor.predict('m', ['a']);
      await until(() => workers.lots.length === 1);
      predictor.unload('m');
      await assert.rejects(predictor.predict('m', ['c']), /No model/);
      workers.paused = false;
      assertScores(await before, ['a'], model);
      assertScores(await meanwhile, ['b'], model);
      assertScores(await after, ['a'], other);
      await until(() => workers.started[0]!.models.size === 0);
    });

    it('open in the worker only so many, those used last, and opens others again when asked', async () => {
      const models = Object.fromEntries([1, 2, 3, 4].map((seed) => [`m${seed}`, { ...model, seed }]));
      await open({ openModels: 2 }, models);
      await until(() => workers.started[0]!.models.size === 2);
      await predictor.predict('m3', ['a']);
      assertScores(await predictor.predict('m1', ['a']), ['a'], models['m1']!);
      await turns(3);
      assert.deepStrictEqual([...workers.started[0]!.models.values()].map(({ seed }) => seed), [3, 1]);
      const all = await Promise.all(Object.keys(models).map((key) => predictor.predict(key, ['b'])));
      all.forEach((result, i) => assertScores(result, ['b'], models[`m${i + 1}`]!));
      await until(() => workers.started[0]!.models.size === 2);
    });
  });

  describe('ends the worker', () => {
    it('when it was idle for a time, and starts it again', async () => {
      const timers: { callback: () => void; delay: number }[] = [];
      const clock = {
        setTimeout: (callback: () => void, delay: number) => {
          const timer = { callback, delay };
          timers.push(timer);
          return timer;
        },
        clearTimeout: (timer: unknown) => void (timers.includes(timer as (typeof timers)[0]) && timers.splice(timers.indexOf(timer as (typeof timers)[0]), 1)),
      };
      await open({ idleTime: 60_000, clock });
      await predictor.predict('m', ['a']);
      await turn();
      assert.deepStrictEqual(timers.map(({ delay }) => delay), [60_000]);
      workers.paused = true;
      const busy = predictor.predict('m', ['b']);
      await until(() => workers.lots.length === 2);
      assert.strictEqual(timers.length, 0, 'it is not idle');
      workers.paused = false;
      await busy;
      await until(() => timers.length === 1);
      timers[0]!.callback();
      assert.strictEqual(workers.alive.length, 0);
      assertScores(await predictor.predict('m', ['a', 'c']), ['a', 'c'], model);
      assert.strictEqual(workers.started.length, 2);
      await predictor.dispose();
      assert.deepStrictEqual(timers.splice(1), []);
    });

    it('when it is disposed, with all that is under way', async () => {
      await open();
      workers.paused = true;
      const asked = [predictor.predict('m', numbered(2000)), predictor.predict('m', ['a']), predictor.load('n', fakeBundle(model)), predictor.predict('n', ['b'])];
      await until(() => workers.lots.length === 1);
      await Promise.all([predictor.dispose(), predictor.dispose(), ...asked.map((one) => assert.rejects(one, CancelledError))]);
      assert.deepStrictEqual(workers.alive, []);
      await assert.rejects(predictor.predict('m', ['a']), CancelledError);
      await assert.rejects(predictor.load('m', fakeBundle(model)), CancelledError);
      assert.strictEqual(workers.started.length, 1);
    });
  });
});
