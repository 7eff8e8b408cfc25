import * as assert from 'node:assert';
import type { Architecture } from '../../../src/core/model/architecture';
import { CancelledError, HumanError } from '../../../src/core/errors';
import { negativeLogLikelihood } from '../../../src/core/metrics/calibration';
import { findPreset } from '../../../src/core/model/presets';
import type { TrainProgress } from '../../../src/core/protocol/trainer';
import { Random } from '../../../src/core/util/random';
import type { EncodedRow } from '../../../src/training/batches';
import { parameterLayout, type ComputeEngine } from '../../../src/training/engine';
import { initializeWeights } from '../../../src/training/initialize';
import { fingerprintLength, readCheckpoint, writeCheckpoint } from '../../../src/training/checkpoint';
import { evaluate, runLoop, TrainingLoop, type LoopCheckpoints, type LoopOptions, type LoopResult } from '../../../src/training/loop';
import { Network } from '../../../src/training/network';
import { ratePlan, type PlanPoint, type RatePlan, type RatePlanOptions } from '../../../src/training/schedule';
import { tf } from '../../../src/training/tf';
import { engines } from './engines';

const vocabularySize = 40;
const architecture: Architecture = findPreset('bilstm-pool')!.build({ vocabularySize, labels: 2, embeddingSize: 8, hiddenUnits: 8, dropout: 0.2 });

/** Texts of noise; label 1 has a 2 somewhere, label 0 a 3. `flip`: share of wrong labels. */
function draw(count: number, seed: number, flip = 0): EncodedRow[] {
  const random = new Random(seed);
  return Array.from({ length: count }, () => {
    const label = random.below(2);
    const ids = Int32Array.from({ length: 1 + random.below(12) }, () => 4 + random.below(vocabularySize - 4));
    ids[random.below(ids.length)] = label === 1 ? 2 : 3;
    return { ids, label: random.float() < flip ? 1 - label : label };
  });
}

const planOf = (learningRate: number, changes: Partial<RatePlanOptions> = {}): RatePlan =>
  ratePlan(parameterLayout(architecture), { learningRate, schedule: 'constant', finalRateShare: 0, layerDecay: 1, unfreezeEpochs: 0, ...changes });

const quiet: LoopOptions = {
  batchSize: 16,
  epochs: 4,
  patience: 3,
  rates: planOf(0.01),
  gradientClip: 1,
  weightDecay: 0,
  wordDropout: 0.05,
  labelSmoothing: 0.05,
  weightAveraging: 0.9,
  seed: 7,
  signal: { aborted: false, addEventListener: () => undefined, removeEventListener: () => undefined },
  pause: () => Promise.resolve(),
  onProgress: () => undefined,
};

const fingerprint = new Uint8Array(fingerprintLength).fill(1);

/** What a run ends with: all but times, which differ. */
type Outcome = Pick<LoopResult, 'epochs' | 'best' | 'logits'> & { readonly weights: Float32Array; readonly steps: number; readonly moments: ReturnType<ComputeEngine['moments']> };

for (const { name, create } of engines) {
  describe(`the training loop (${name} engine)`, () => {
    const run = async (rows: readonly EncodedRow[], validation: readonly EncodedRow[], options: Partial<LoopOptions> = {}, network = architecture): Promise<{ result: LoopResult; engine: ComputeEngine; weights: Float32Array }> => {
      const engine = await create(parameterLayout(network));
      const all = { ...quiet, ...options };
      initializeWeights(engine.layout, engine.weights(), all.seed);
      const result = await runLoop(engine, rows, validation, all);
      return { result, engine, weights: engine.weights().slice() };
    };

    it('learns to tell separable texts apart', async () => {
      const { result, engine } = await run(draw(300, 1), draw(100, 2));
      assert.ok(result.epochs[result.best]!.validAccuracy > 0.95, JSON.stringify(result.epochs));
      engine.dispose();
    });

    it('gives the same weights for the same seed, others for another', async () => {
      const [rows, validation] = [draw(80, 1), draw(20, 2)];
      const weights = async (seed: number): Promise<Float32Array> => (await run(rows, validation, { seed, epochs: 2 })).weights;
      const first = await weights(7);
      assert.deepStrictEqual(await weights(7), first);
      assert.notDeepStrictEqual(await weights(8), first);
    });

    it('goes through the rows as they are given where they are not to be shuffled, else in another order each epoch', async () => {
      const rows = draw(50, 1);
      const order = async (shuffle: 'every-epoch' | 'never'): Promise<string[]> => {
        const engine = await create(parameterLayout(architecture));
        const seen: string[] = [];
        let training = false;
        const [begin, embed] = [engine.begin.bind(engine), engine.embed.bind(engine)];
        engine.begin = (on) => begin((training = on));
        engine.embed = (batch, layer) => {
          if (training) batch.lengths.forEach((length, b) => seen.push(batch.ids.subarray(b * batch.time, b * batch.time + length).join()));
          return embed(batch, layer);
        };
        await runLoop(engine, rows, draw(10, 2), { ...quiet, shuffle, wordDropout: 0, epochs: 2 });
        engine.dispose();
        return seen;
      };
      const given = rows.map(({ ids }) => ids.join());
      assert.deepStrictEqual(await order('never'), [...given, ...given]);
      const shuffled = await order('every-epoch');
      const [first, second] = [shuffled.slice(0, 50), shuffled.slice(50)];
      assert.deepStrictEqual([...first].sort(), [...given].sort());
      assert.notDeepStrictEqual(first, given);
      assert.notDeepStrictEqual(second, first);
    });

    it('stops when the validation loss has not fallen for as many epochs as its patience, and restores the best epoch', async () => {
      // a quarter of the labels is wrong: the network memorizes the training rows and gets worse on the others
      const validation = draw(60, 4, 0.25);
      const { result, engine } = await run(draw(60, 3, 0.25), validation, { epochs: 40, patience: 2, rates: planOf(0.03) });
      const losses = result.epochs.map(({ validLoss }) => validLoss);
      assert.strictEqual(losses[result.best], Math.min(...losses));
      assert.strictEqual(result.epochs.length, result.best + 3);
      assert.ok(losses.at(-1)! > losses[result.best]! + 0.01, 'the last epoch is a worse one');
      const logits = await evaluate(new Network(engine), validation, 16, () => Promise.resolve());
      assert.deepStrictEqual(logits, result.logits);
      assert.strictEqual(negativeLogLikelihood(logits, 2, validation.map(({ label }) => label), 1), losses[result.best]);
      engine.dispose();
    });

    it('reports every epoch once, and its place all along', async () => {
      const seen: TrainProgress[] = [];
      const { result } = await run(draw(100, 1), draw(20, 2), { epochs: 3, onProgress: (progress) => seen.push(progress) });
      assert.deepStrictEqual(
        seen.flatMap(({ finished }) => finished ?? []),
        result.epochs,
      );
      for (const { epoch, epochs, batch, batches, loss, examplesPerSecond, secondsLeft } of seen) {
        assert.ok(epoch >= 1 && epoch <= epochs && epochs === 3 && batch >= 1 && batch <= batches && batches === 7);
        assert.ok(loss > 0 && examplesPerSecond > 0 && secondsLeft >= 0);
      }
      assert.strictEqual(seen.at(-1)!.secondsLeft, 0);
    });

    it('stops between two batches when cancelled', async () => {
      const signal = { ...quiet.signal, aborted: false };
      let pauses = 0;
      const pause = (): Promise<void> => {
        if (++pauses === 3) signal.aborted = true;
        return Promise.resolve();
      };
      await assert.rejects(run(draw(200, 1), draw(20, 2), { signal, pause }), CancelledError);
      assert.strictEqual(pauses, 3);
    });

    it('says so when training diverges', async () => {
      await assert.rejects(run(draw(100, 1), draw(20, 2), { rates: planOf(1000), gradientClip: Infinity, epochs: 30 }), (error) => {
        assert.ok(error instanceof HumanError);
        assert.strictEqual(error.code, 'training.diverged');
        assert.match(error.message, /lower learning rate than 1000, for example 250/);
        return true;
      });
    });

    it('says so, and saves nothing, when the loss explodes without leaving the numbers, or leaves them', async () => {
      // one step of so high a rate that only the check on the held-out rows sees what it did
      for (const rate of [100, 1e30])
        await assert.rejects(run(draw(16, 1), draw(20, 2), { rates: planOf(rate), epochs: 1, weightAveraging: 0 }), (error) => error instanceof HumanError && error.code === 'training.diverged');
      // a later epoch that is worse is for patience to judge
      const rates = { ...planOf(0.01), rates: ({ step }: PlanPoint) => parameterLayout(architecture).parameters.map(() => (step === 1 ? 100 : 1e-3)) };
      const { result } = await run(draw(16, 1), draw(20, 2), { rates, epochs: 2, weightAveraging: 0 });
      assert.strictEqual(result.best, 0);
      assert.ok(result.epochs[1]!.validLoss > 20);
    });

    it('asks for the rates of each step once, and hands on the decay', async () => {
      const asked: PlanPoint[] = [];
      const rates: RatePlan = { ...planOf(0.01), rates: (at) => (asked.push(at), planOf(0.01).rates(at)) };
      const { weights: plain } = await run(draw(40, 1), draw(10, 2), { epochs: 2, rates });
      assert.deepStrictEqual(asked, Array.from({ length: 6 }, (_, step) => ({ step, steps: 6, epoch: Math.floor(step / 3) })));
      const norm = ({ weights }: { weights: Float32Array }): number => Math.hypot(...weights);
      assert.ok(norm(await run(draw(40, 1), draw(10, 2), { epochs: 2, weightDecay: 1 })) < norm({ weights: plain }) - 0.1);
    });

    it('does not lose its patience before the last layer has thawed', async () => {
      // rates too low to change a loss, so that no epoch is better than the first by more than rounding
      const still = (lastThaw: number): RatePlan => ({ ...planOf(0), lastThaw: () => lastThaw });
      const epochs = async (rates: RatePlan): Promise<number> => (await run(draw(16, 1), draw(10, 2), { epochs: 12, patience: 2, rates })).result.epochs.length;
      assert.strictEqual(await epochs(still(0)), 3);
      assert.strictEqual(await epochs(still(6)), 8);
    });

    it('leaves no tensor behind, whether it ends well or not', async () => {
      const before = tf.memory().numTensors;
      await run(draw(40, 1), draw(10, 2), { epochs: 1 });
      await run(draw(40, 1), draw(10, 2), { signal: { ...quiet.signal, aborted: true } }).catch(() => undefined);
      await run(draw(40, 1), draw(10, 2), { rates: planOf(1e6), gradientClip: Infinity }).catch(() => undefined);
      assert.strictEqual(tf.memory().numTensors, before);
    });

    it('keeps the average of the weights when asked to, the latest otherwise', async () => {
      const weights = async (weightAveraging: number, epochs: number): Promise<Float32Array> => (await run(draw(32, 1), draw(10, 2), { weightAveraging, epochs, patience: 9, rates: planOf(1e-3) })).weights;
      // two steps an epoch, which the average follows by 9/10 and 9/11
      const start = new Float32Array(parameterLayout(architecture).length);
      initializeWeights(parameterLayout(architecture), start, quiet.seed);
      const latest = await weights(0, 1);
      const average = await weights(0.999, 1);
      const distance = (a: Float32Array, b: Float32Array): number => Math.hypot(...a.map((value, k) => value - b[k]!));
      assert.ok(distance(average, latest) > 0);
      assert.ok(distance(average, latest) < distance(start, latest) / 2);
    });

    /** Runs to its end, on from `from` if there is one; `saved` gets every checkpoint as the bytes of a file, one after each step unless `clock` says otherwise. */
    const keep = async (saved: Uint8Array[], rows: readonly EncodedRow[], validation: readonly EncodedRow[], options: Partial<LoopOptions>, from?: Uint8Array, clock: Pick<LoopCheckpoints, 'interval' | 'now'> = { interval: 0 }): Promise<Outcome> => {
      const engine = await create(parameterLayout(architecture));
      const all = { ...quiet, ...options };
      initializeWeights(engine.layout, engine.weights(), all.seed);
      const loop = new TrainingLoop(engine, rows, validation, { ...all, checkpoints: { ...clock, save: (state) => void saved.push(writeCheckpoint(state, fingerprint)) } });
      if (from) {
        const file = from.slice();
        const state = readCheckpoint(file, fingerprint, loop.shape);
        assert.ok(typeof state !== 'string');
        loop.restore(state);
        // the loop has copies: the file's bytes may become anything
        file.fill(0xff);
      }
      try {
        const { epochs, best, logits } = await loop.run();
        const { first, second } = engine.moments();
        return { epochs: epochs.map((report) => ({ ...report, seconds: 0 })), best, logits, weights: engine.weights().slice(), steps: engine.steps, moments: { first: first.slice(), second: second.slice() } };
      } finally {
        engine.dispose();
      }
    };
    // five batches, of which one is short
    const [fewRows, fewValidation] = [draw(75, 3, 0.25), draw(20, 4, 0.25)];

    for (const [what, options, stopsEarly] of [
      ['with averaging', { epochs: 2, batchSize: 4 }, false],
      ['without averaging', { epochs: 2, weightAveraging: 0, labelSmoothing: 0 }, false],
      ['that stops early', { epochs: 30, patience: 1, rates: planOf(0.03) }, true],
      ['with rates that change', { epochs: 3, rates: planOf(0.01, { schedule: 'one-cycle', layerDecay: 2, unfreezeEpochs: 1 }), weightDecay: 0.1, classWeights: Float32Array.of(0.5, 1.5) }, false],
    ] as const) {
      it(`ends the same from whichever of its checkpoints a run ${what} is continued`, async () => {
        const saved: Uint8Array[] = [];
        const outcome = await keep(saved, fewRows, fewValidation, options);
        assert.strictEqual(outcome.epochs.length < options.epochs, stopsEarly);
        const steps = Math.ceil(fewRows.length / ('batchSize' in options ? options.batchSize : quiet.batchSize));
        assert.strictEqual(saved.length, outcome.epochs.length * (steps + 1), 'one for each step, and one for the end of each epoch');
        for (const [k, from] of saved.entries()) {
          const rest: Uint8Array[] = [];
          assert.deepStrictEqual(await keep(rest, fewRows, fewValidation, options, from), outcome, `from checkpoint ${k}`);
          assert.strictEqual(rest.length, saved.length - k - 1, 'it does only what was left');
        }
      });
    }

    it('ends the same from a checkpoint that was taken in the middle of a validation', async () => {
      const saved: Uint8Array[] = [];
      // time passes while the first of two validation batches is computed: after a pause at the start and five for batches
      let pauses = 0;
      const pause = (): Promise<void> => Promise.resolve(void pauses++);
      const outcome = await keep(saved, fewRows, fewValidation, { epochs: 2, pause }, undefined, { now: () => (pauses >= 7 ? 1 : 0), interval: 1 });
      assert.strictEqual(saved.length, 3, 'one there, and two at the ends of epochs');
      assert.deepStrictEqual(await keep([], fewRows, fewValidation, { epochs: 2 }, saved[0]), outcome);
    });

    it('ends the same however often it is stopped, also in the middle of a batch or of a validation', async () => {
      const outcome = await keep([], fewRows, fewValidation, { epochs: 3 });
      for (const patience of [4, 5, 7]) {
        let last: Uint8Array | undefined;
        let end: Outcome | undefined;
        let runs = 0;
        for (; !end; runs++) {
          const signal = { ...quiet.signal, aborted: false };
          let pauses = 0;
          const pause = (): Promise<void> => {
            if (++pauses === patience) signal.aborted = true;
            return Promise.resolve();
          };
          const saved: Uint8Array[] = [];
          end = await keep(saved, fewRows, fewValidation, { epochs: 3, signal, pause }, last).catch((error: unknown) => {
            assert.ok(error instanceof CancelledError, String(error));
            return undefined;
          });
          last = saved.at(-1) ?? last;
        }
        assert.deepStrictEqual(end, outcome);
        assert.ok(runs > 3, `${runs} runs`);
      }
    });

    it('is kept at every epoch that its size is worth, and at most half a minute and a batch apart', async () => {
      const seconds = async (each: number, network = architecture): Promise<{ at: number; epoch: number; position: number }[]> => {
        let now = 0;
        const pause = (): Promise<void> => {
          now += each * 1000;
          return Promise.resolve();
        };
        const saves: { at: number; epoch: number; position: number }[] = [];
        // five batches, and ten of validation
        const rates = ratePlan(parameterLayout(network), { learningRate: 0.01, schedule: 'constant', finalRateShare: 0, layerDecay: 1, unfreezeEpochs: 0 });
        const { engine } = await run(fewRows, draw(150, 4), { epochs: 2, rates, pause, checkpoints: { now: () => now, save: ({ epoch, position }) => void saves.push({ at: now / 1000, epoch, position }) } }, network);
        engine.dispose();
        return saves;
      };
      assert.deepStrictEqual((await seconds(0)).map(({ epoch, position }) => [epoch, position]), [[1, 0], [2, 0]]);
      // within a validation only if there was training since the last, and one pause before the first batch
      assert.deepStrictEqual((await seconds(7)).map(({ epoch, position }) => [epoch, position]), [[0, 4], [0, 5], [1, 0], [1, 5], [2, 0]]);
      assert.deepStrictEqual((await seconds(20)).map(({ epoch, position }) => [epoch, position]), [[0, 1], [0, 3], [0, 5], [1, 0], [1, 2], [1, 4], [1, 5], [2, 0]]);
      // 3.4 MB, which a third of a second is worth
      const large = findPreset('bilstm-pool')!.build({ vocabularySize: 20_000, labels: 2, embeddingSize: 8, hiddenUnits: 8, dropout: 0.2 });
      assert.deepStrictEqual(await seconds(0, large), []);
      assert.deepStrictEqual((await seconds(0.1, large)).map(({ epoch, position }) => [epoch, position]), [[1, 0], [2, 0]]);
      for (const each of [1, 7, 13, 31]) {
        let before = 0;
        for (const { at, position } of await seconds(each)) {
          // nothing but validation may take longer
          assert.ok(position === 0 || at - before < 30 + 2 * each, `${at - before} s`);
          before = at;
        }
      }
    });

    it('leaves frozen parameters alone', async () => {
      const fresh = new Float32Array(parameterLayout(architecture).length);
      initializeWeights(parameterLayout(architecture), fresh, quiet.seed);
      const { weights, engine } = await run(draw(40, 1), draw(10, 2), { epochs: 1, rates: planOf(0.01, { unfreezeEpochs: 1 }) });
      for (const { name: parameter, offset, size } of engine.layout.parameters) {
        const equal = weights.subarray(offset, offset + size).every((value, k) => value === fresh[offset + k]);
        assert.strictEqual(equal, !parameter.startsWith('head'), parameter);
      }
      engine.dispose();
    });
  });
}
