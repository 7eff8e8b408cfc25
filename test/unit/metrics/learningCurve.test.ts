import * as assert from 'node:assert';
import * as fc from 'fast-check';
import { reliabilityBins } from '../../../src/core/metrics/calibration';
import { outlook } from '../../../src/core/metrics/learningCurve';

describe('the outlook of a learning curve', () => {
  const curve = (ceiling: number, gap: number, rate: number, error = 0.003): { decisions: number; accuracy: number; error: number }[] =>
    [20, 40, 80, 160, 320].map((decisions) => ({ decisions, accuracy: ceiling - gap * decisions ** -rate, error }));

  it('goes on along a power law, within its interval', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.7, max: 0.98, noNaN: true }), fc.double({ min: 0.8, max: 2, noNaN: true }), fc.double({ min: 0.4, max: 1.2, noNaN: true }), (ceiling, gap, rate) => {
        const found = outlook(curve(ceiling, gap, rate), 100);
        const truth = ceiling - gap * 420 ** -rate;
        assert.ok(found && found.low - 0.01 <= truth && truth <= found.high + 0.01, JSON.stringify({ found, truth }));
        assert.ok(found.low <= found.accuracy && found.accuracy <= found.high && found.high <= 1);
      }),
      { numRuns: 30 },
    );
  });

  it('says nothing where the curve does not tell', () => {
    assert.strictEqual(outlook(curve(0.9, 1, 0.5).slice(0, 3), 50), undefined, 'too few points');
    assert.strictEqual(outlook(curve(0.9, -1, 0.5), 50), undefined, 'it falls');
    assert.strictEqual(outlook(curve(0.9, 1, 0.5, 0.5), 5000), undefined, 'anything is possible');
    assert.strictEqual(outlook([], 50), undefined);
  });

  it('is the same each time', () => assert.deepStrictEqual(outlook(curve(0.9, 1, 0.5), 50), outlook(curve(0.9, 1, 0.5), 50)));
});

describe('reliability bins', () => {
  it('count each prediction once, where its confidence is', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.constantFrom(0, 1)), { maxLength: 50 }), (predictions) => {
        const bins = reliabilityBins(predictions.map(([confidence]) => confidence), predictions.map(([, right]) => right));
        assert.strictEqual(bins.length, 10);
        assert.strictEqual(bins.reduce((sum, { rows }) => sum + rows, 0), predictions.length);
        const hits = bins.reduce((sum, { rows, accuracy }) => sum + rows * accuracy, 0);
        assert.ok(Math.abs(hits - predictions.filter(([, right]) => right === 1).length) < 1e-9);
        bins.forEach(({ confidence }, bin) => assert.ok(confidence >= bin / 10 - 1e-9 && confidence <= (bin + 1) / 10 + 1e-9));
      }),
    );
  });
});
