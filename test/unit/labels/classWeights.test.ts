import * as assert from 'node:assert';
import * as fc from 'fast-check';
import { classWeights } from '../../../src/core/labels/classWeights';

describe('class weights', () => {
  it('make all labels that occur count alike, and a row 1 on average', () => {
    const rows = fc.integer({ min: 1, max: 40 }).chain((labels) => fc.record({ labels: fc.constant(labels), rows: fc.array(fc.nat(labels - 1), { minLength: 1, maxLength: 300 }) }));
    fc.assert(
      fc.property(rows, ({ labels, rows }) => {
        const weights = classWeights(rows, labels);
        assert.strictEqual(weights.length, labels);
        assert.ok(Math.abs(rows.reduce((sum, label) => sum + weights[label]!, 0) / rows.length - 1) < 1e-5);
        const totals = [...new Set(rows)].map((label) => rows.filter((each) => each === label).length * weights[label]!);
        for (const total of totals) assert.ok(Math.abs(total / totals[0]! - 1) < 1e-5, totals.join());
        weights.forEach((weight, label) => assert.strictEqual(weight > 0, rows.includes(label)));
      }),
    );
  });

  it('are n/(k·n_c)', () => {
    assert.deepStrictEqual(classWeights([0, 1, 1, 1, 3, 3, 1, 1], 4), Float32Array.of(8 / 3, 8 / 15, 0, 4 / 3));
    assert.deepStrictEqual(classWeights([0, 1, 2], 3), Float32Array.of(1, 1, 1));
  });
});
