import * as assert from 'node:assert';
import * as fc from 'fast-check';
import { hyperparameterSpecs } from '../../../src/core/model/hyperparameters';
import { presets } from '../../../src/core/model/presets';
import type { ScheduleName } from '../../../src/core/protocol/trainer';
import { parameterLayout } from '../../../src/training/engine';
import { ratePlan, scheduleShare, type RatePlanOptions } from '../../../src/training/schedule';

const names: readonly ScheduleName[] = hyperparameterSpecs.flatMap((spec) => (spec.name === 'schedule' ? spec.choices : []));
const anySteps = fc.oneof(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 3000 }));
const sharesOf = (name: ScheduleName, steps: number, finalShare = 0): number[] => Array.from({ length: steps }, (_, step) => scheduleShare(name, step, steps, finalShare));
const near = (actual: number, expected: number, about: string): void => assert.ok(Math.abs(actual - expected) <= 1e-12, `${about}: ${actual} instead of ${expected}`);

/** Rises up to its peak and falls from there on. */
function assertTriangle(shares: readonly number[], peak: number): void {
  for (let step = 1; step < shares.length; step++) assert.ok(step <= peak ? shares[step]! > shares[step - 1]! : shares[step]! < shares[step - 1]!, `step ${step} of ${shares.length}, peak ${peak}`);
}

describe('learning rate schedules', () => {
  it('give above 0 and at most the whole rate in every step, however many steps there are', () => {
    assert.strictEqual(names.length, 4);
    for (const name of names)
      fc.assert(
        fc.property(anySteps, fc.double({ min: 0, max: 1, noNaN: true }), (steps, finalShare) => {
          for (const [step, share] of sharesOf(name, steps, finalShare).entries()) assert.ok(share > 0 && share <= 1, `${name}: ${share} in step ${step} of ${steps}`);
        }),
      );
  });

  it('constant: keep the rate', () => {
    assert.deepStrictEqual(sharesOf('constant', 4, 0.5), [1, 1, 1, 1]);
  });

  it('linear: fall by the same share in every step, to the final share after the last', () => {
    assert.deepStrictEqual(sharesOf('linear', 4), [1, 0.75, 0.5, 0.25]);
    fc.assert(
      fc.property(anySteps, fc.double({ min: 0, max: 1, noNaN: true }), (steps, finalShare) => {
        const shares = [...sharesOf('linear', steps, finalShare), scheduleShare('linear', steps, steps, finalShare)];
        assert.strictEqual(shares[0], 1);
        near(shares.at(-1)!, finalShare, 'end');
        for (let step = 1; step <= steps; step++) near(shares[step - 1]! - shares[step]!, (1 - finalShare) / steps, `step ${step}`);
      }),
    );
  });

  it('slanted triangular: are those of Howard & Ruder where their formula reaches its end', () => {
    for (const steps of [10, 50, 1230]) {
      // η_t = η_max · (1 + p·(ratio - 1)) / ratio with cut_frac = 0.1, ratio = 32
      const cut = Math.floor(steps * 0.1);
      sharesOf('slanted-triangular', steps).forEach((share, t) => {
        const p = t < cut ? t / cut : 1 - (t - cut) / (cut * (1 / 0.1 - 1));
        near(share, (1 + p * (32 - 1)) / 32, `step ${t} of ${steps}`);
      });
    }
  });

  it('slanted triangular: start a 32nd high, peak after a tenth of the steps, and fall evenly to a 32nd', () => {
    fc.assert(
      fc.property(anySteps, (steps) => {
        const shares = sharesOf('slanted-triangular', steps);
        const peak = Math.floor(steps / 10);
        assert.strictEqual(shares[peak], 1);
        if (peak > 0) assert.strictEqual(shares[0], 1 / 32);
        near(scheduleShare('slanted-triangular', steps, steps, 0), 1 / 32, 'end');
        assertTriangle(shares, peak);
      }),
    );
  });

  it('one cycle: are those of OneCycleLR', () => {
    // torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=1, total_steps=10).get_last_lr() for each step
    const anneal = (start: number, end: number, share: number): number => end + ((start - end) / 2) * (1 + Math.cos(Math.PI * share));
    const expected = [0, 1, 2].map((step) => anneal(0.04, 1, step / 2)).concat([1, 2, 3, 4, 5, 6, 7].map((step) => anneal(1, 4e-6, step / 7)));
    sharesOf('one-cycle', 10).forEach((share, step) => near(share, expected[step]!, `step ${step}`));
    near(expected[1]!, 0.52, 'half-way up');
  });

  it('one cycle: start at 1/25, peak at 0.3 of the steps, end at 1/250,000; with fewer than four steps start at the peak', () => {
    fc.assert(
      fc.property(anySteps, (steps) => {
        const shares = sharesOf('one-cycle', steps);
        const peak = Math.max(0, 0.3 * steps - 1);
        if (steps >= 4) near(shares[0]!, 1 / 25, 'start');
        else assert.strictEqual(shares[0], 1);
        if (steps > 1) near(shares.at(-1)!, 1 / 250_000, 'end');
        if (Number.isInteger(peak)) assert.strictEqual(shares[peak], 1);
        // between two steps the peak itself is in neither, and either may be the higher
        const highest = shares.indexOf(Math.max(...shares));
        assert.ok(Math.abs(highest - peak) < 1, `${highest} of ${steps}`);
        assertTriangle(shares, highest);
      }),
    );
    assert.deepStrictEqual(sharesOf('one-cycle', 1), [1]);
  });
});

describe('a plan of rates', () => {
  const layout = parameterLayout(presets[0]!.build({ vocabularySize: 10, labels: 2, embeddingSize: 4, hiddenUnits: 4, dropout: 0.1, layers: 2 }));
  const plain: RatePlanOptions = { learningRate: 0.01, schedule: 'constant', finalRateShare: 0, layerDecay: 1, unfreezeEpochs: 0 };
  /** Rates of the embedding, the lower LSTM, the upper LSTM and the head. */
  const groups = (options: Partial<RatePlanOptions>, at: { step?: number; steps?: number; epoch?: number } = {}): number[] => {
    const rates = Array.from(ratePlan(layout, { ...plain, ...options }).rates({ step: 0, steps: 10, epoch: 0, ...at }));
    assert.strictEqual(rates.length, layout.parameters.length);
    return ['embedding/', 'lstm/', 'lstm2/', 'head/'].map((start) => {
      const own = rates.filter((_, k) => layout.parameters[k]!.name.startsWith(start));
      assert.ok(own.length > 0 && own.every((rate) => rate === own[0]), start);
      return own[0]!;
    });
  };

  it('gives all parameters the scheduled rate, unless told otherwise', () => {
    for (const schedule of names)
      for (const step of [0, 3, 9]) assert.deepStrictEqual(groups({ schedule, finalRateShare: 0.2 }, { step }), Array(4).fill(0.01 * scheduleShare(schedule, step, 10, 0.2)));
  });

  it('lets each layer learn slower than the one above by the same factor', () => {
    assert.deepStrictEqual(groups({ layerDecay: 2 }), [0.00125, 0.0025, 0.005, 0.01]);
    fc.assert(
      fc.property(fc.double({ min: 1, max: 100, noNaN: true }), (layerDecay) => {
        const rates = groups({ layerDecay });
        assert.strictEqual(rates[3], 0.01);
        for (const k of [0, 1, 2]) assert.ok(Math.abs((rates[k]! * layerDecay) / rates[k + 1]! - 1) < 1e-9);
      }),
    );
  });

  it('lets n-grams learn as the head does, and the layers below as without them', () => {
    const build = (ngramBuckets: number) => parameterLayout(presets[0]!.build({ vocabularySize: 10, labels: 2, embeddingSize: 4, hiddenUnits: 4, dropout: 0, ngramBuckets }));
    const rates = (buckets: number): Map<string, number> => {
      const layout = build(buckets);
      const plan = ratePlan(layout, { learningRate: 1, schedule: 'constant', finalRateShare: 0, layerDecay: 2, unfreezeEpochs: 3 });
      return new Map(layout.parameters.map(({ name }, k) => [name, plan.rates({ step: 0, steps: 10, epoch: 4 })[k]!]));
    };
    const [without, wide] = [rates(0), rates(1024)];
    for (const [name, rate] of without) assert.strictEqual(wide.get(name), rate, name);
    assert.strictEqual(wide.get('ngrams/table'), without.get('head/kernel'));
  });

  it('leaves frozen token vectors as they are, and the others as without that', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4 }), fc.integer({ min: 0, max: 30 }), fc.double({ min: 1, max: 4, noNaN: true }), (unfreezeEpochs, epoch, layerDecay) => {
        const [, ...above] = groups({ unfreezeEpochs, layerDecay }, { epoch });
        assert.deepStrictEqual(groups({ unfreezeEpochs, layerDecay, embeddingTraining: 'frozen' }, { epoch }), [0, ...above]);
      }),
    );
    // three layers are left to thaw
    assert.strictEqual(ratePlan(layout, { ...plain, unfreezeEpochs: 2, embeddingTraining: 'frozen' }).lastThaw(30), 4);
  });

  it('thaws layer by layer from the top, one after each so many epochs', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 6 }), fc.integer({ min: 0, max: 30 }), (unfreezeEpochs, epoch) => {
        const learning = unfreezeEpochs === 0 ? 4 : Math.min(4, 1 + Math.floor(epoch / unfreezeEpochs));
        assert.deepStrictEqual(groups({ unfreezeEpochs }, { epoch }), [...Array<number>(4 - learning).fill(0), ...Array<number>(learning).fill(0.01)]);
      }),
    );
  });

  it('knows in which epoch the last of those thaw that will', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 6 }), fc.integer({ min: 1, max: 30 }), (unfreezeEpochs, epochs) => {
        const frozen = Array.from({ length: epochs }, (_, epoch) => groups({ unfreezeEpochs }, { epoch }).filter((rate) => rate === 0).length);
        assert.strictEqual(ratePlan(layout, { ...plain, unfreezeEpochs }).lastThaw(epochs), frozen.indexOf(frozen.at(-1)!));
      }),
    );
  });
});
