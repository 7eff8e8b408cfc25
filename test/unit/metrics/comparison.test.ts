import * as assert from 'node:assert';
import * as fc from 'fast-check';
import { bootstrapIntervals, mcNemarTest } from '../../../src/core/metrics/comparison';
import { Random } from '../../../src/core/util/random';

const close = (actual: number, expected: number, within = 1e-9): void => assert.ok(Math.abs(actual - expected) <= within * Math.max(1e-30, Math.abs(expected)), `${actual} is not ${expected}`);

describe('mcNemarTest', () => {
  it('is exact for few rows: the binomial distribution, worked out by hand', () => {
    assert.deepStrictEqual(mcNemarTest(0, 0), { onlyFirst: 0, onlySecond: 0, method: 'exact', p: 1 });
    close(mcNemarTest(1, 8).p, (2 * (1 + 9)) / 2 ** 9);
    close(mcNemarTest(24, 0).p, 2 / 2 ** 24);
    assert.strictEqual(mcNemarTest(5, 5).p, 1);
  });

  it('is chi-square with continuity correction from 25 rows on', () => {
    // scipy.stats.chi2.sf((abs(b - c) - 1) ** 2 / (b + c), 1)
    for (const [b, c, p] of [[10, 15, 0.4237107971667936], [40, 20, 0.014171388254012323], [53, 160, 3.785970271126175e-13], [5, 200, 7.971979037901145e-42], [30, 30, 1]] as const) {
      const test = mcNemarTest(b, c);
      assert.strictEqual(test.method, 'chi-square');
      close(test.p, p, 1e-8);
    }
  });

  it('does not care which is first, and the less probable the greater the difference', () => {
    fc.assert(
      fc.property(fc.nat(80), fc.nat(80), (a, b) => {
        const { p } = mcNemarTest(a, b);
        close(mcNemarTest(b, a).p, p);
        assert.ok(p >= 0 && p <= 1);
        // one row more for the better one, out of the worse one's
        if (Math.min(a, b) > 0) assert.ok(mcNemarTest(Math.max(a, b) + 1, Math.min(a, b) - 1).p <= p);
      }),
    );
  });
});

describe('bootstrapIntervals', () => {
  const random = new Random(3);
  const values = Float64Array.from({ length: 400 }, () => 2 + random.normal());
  const mean = (sample: Uint32Array): number => sample.reduce((sum, row) => sum + values[row]!, 0) / sample.length;

  it('finds the interval that theory gives for a mean', async () => {
    const [interval] = await bootstrapIntervals(values.length, (sample) => [mean(sample)], { draws: 4000 });
    const own = values.reduce((sum, value) => sum + value, 0) / values.length;
    const error = Math.sqrt(values.reduce((sum, value) => sum + (value - own) ** 2, 0)) / values.length;
    close(interval!.value, own);
    close(interval!.low, own - 1.96 * error, 0.01);
    close(interval!.high, own + 1.96 * error, 0.01);
  });

  it('is the same for a seed, lets the thread breathe, and pairs: what differs by a constant differs by it in each draw', async () => {
    let breaths = 0;
    const options = { draws: 800, seed: 7, breathe: () => (breaths++, Promise.resolve()) };
    const measure = (sample: Uint32Array): number[] => [mean(sample), mean(sample) + 0.5 - mean(sample)];
    const first = await bootstrapIntervals(values.length, measure, options);
    assert.deepStrictEqual(await bootstrapIntervals(values.length, measure, options), first);
    assert.notDeepStrictEqual((await bootstrapIntervals(values.length, measure, { ...options, seed: 8 }))[0], first[0]);
    assert.ok(breaths > 0);
    for (const edge of [first[1]!.low, first[1]!.value, first[1]!.high]) close(edge, 0.5);
  });

  it('leaves out draws that do not tell', async () => {
    const [interval] = await bootstrapIntervals(1, () => [NaN]);
    assert.ok(Number.isNaN(interval!.value) && Number.isNaN(interval!.low));
  });
});
