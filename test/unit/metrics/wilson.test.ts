import * as assert from 'node:assert';
import * as fc from 'fast-check';
import { wilsonInterval } from '../../../src/core/metrics/wilson';

describe("Wilson's interval", () => {
  it('gives the published values', () => {
    // Newcombe, "Two-sided confidence intervals for the single proportion" (Statistics in Medicine 17, 1998), table I, method 3
    for (const [successes, rows, low, high] of [
      [81, 263, 0.2553, 0.3662],
      [15, 148, 0.0624, 0.1605],
      [0, 20, 0, 0.1611],
      [1, 29, 0.0061, 0.1718],
    ] as const) {
      const interval = wilsonInterval(successes, rows);
      assert.ok(Math.abs(interval.low - low) < 6e-5 && Math.abs(interval.high - high) < 6e-5, `${successes} of ${rows}: ${interval.low}, ${interval.high}`);
    }
  });

  it('holds the share, stays in 0..1 and is the mirror image for the others', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5000 }).chain((rows) => fc.tuple(fc.integer({ min: 0, max: rows }), fc.constant(rows))), ([successes, rows]) => {
        const { share, low, high } = wilsonInterval(successes, rows);
        assert.ok(0 <= low && low <= share && share <= high && high <= 1 && low < high);
        const others = wilsonInterval(rows - successes, rows);
        assert.ok(Math.abs(others.low - (1 - high)) < 1e-12 && Math.abs(others.high - (1 - low)) < 1e-12);
      }),
    );
  });

  it('refuses what is no share', () => {
    for (const [successes, rows] of [[0, 0], [3, 2], [-1, 5]] as const) assert.throws(() => wilsonInterval(successes, rows), /no share/);
  });
});
