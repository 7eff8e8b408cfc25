import * as assert from 'node:assert';
import * as fc from 'fast-check';
import { isHistoryState, LossHistory } from '../../../src/training/history';

describe('the history of a loss', () => {
  const losses = fc.oneof(fc.array(fc.double({ min: 0, max: 10, noNaN: true }), { maxLength: 50 }), fc.integer({ min: 1990, max: 9000 }).map((count) => Array.from({ length: count }, (_, k) => ((k * 7919) % 101) / 10)));
  const filled = (values: readonly number[]): LossHistory => {
    const history = new LossHistory();
    for (const loss of values) history.add(loss);
    return history;
  };

  it('has every step in one point, in at most 2,000 of equal width but for the last', () => {
    fc.assert(
      fc.property(losses, (values) => {
        const points = filled(values).points();
        assert.ok(points.length <= 2000 && points.length >= Math.min(values.length, 1000));
        assert.strictEqual(points.at(-1)?.step ?? 0, values.length);
        let before = 0;
        for (const [k, { step, loss }] of points.entries()) {
          assert.ok(step - before === points[0]!.step || (k === points.length - 1 && step > before && step - before < points[0]!.step));
          const mean = values.slice(before, step).reduce((sum, value) => sum + value, 0) / (step - before);
          assert.ok(Math.abs(loss - mean) < 1e-9);
          before = step;
        }
      }),
    );
  });

  it('takes in losses of several steps at once, and stays within its bounds', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.double({ min: 0, max: 10, noNaN: true }), fc.integer({ min: 1, max: 40 })), { minLength: 1, maxLength: 5000, size: 'max' }), (told) => {
        const history = new LossHistory();
        for (const [loss, steps] of told) history.add(loss, steps);
        const all = told.flatMap(([loss, steps]) => Array.from({ length: steps }, () => loss));
        assert.strictEqual(history.steps, all.length);
        const points = history.points();
        assert.ok(points.length <= 2000);
        assert.strictEqual(points.at(-1)?.step, all.length);
        let before = 0;
        for (const { step, loss } of points) {
          const mean = all.slice(before, step).reduce((sum, value) => sum + value, 0) / (step - before);
          assert.ok(step > before && Math.abs(loss - mean) < 1e-9);
          before = step;
        }
      }),
      { numRuns: 20 },
    );
  });

  it('goes on from its state, written as JSON, as if it had never been stopped', () => {
    fc.assert(
      fc.property(losses, fc.double({ min: 0, max: 1, noNaN: true }), (values, share) => {
        const cut = Math.floor(share * values.length);
        const state: unknown = JSON.parse(JSON.stringify(filled(values.slice(0, cut)).state));
        assert.ok(isHistoryState(state, cut));
        assert.ok(!isHistoryState(state, cut + state.width));
        const history = new LossHistory();
        history.restore(state, cut);
        for (const loss of values.slice(cut)) history.add(loss);
        assert.deepStrictEqual(history.points(), filled(values).points());
      }),
    );
  });
});
