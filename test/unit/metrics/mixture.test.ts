import * as assert from 'node:assert';
import * as fc from 'fast-check';
import { leastSquaresWeights, mixtureWeights } from '../../../src/core/metrics/mixture';

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const table = (value: fc.Arbitrary<number>): fc.Arbitrary<number[][]> =>
  fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 2, max: 40 })).chain(([members, rows]) => fc.array(fc.array(value, { minLength: rows, maxLength: rows }), { minLength: members, maxLength: members }));

function assertSimplex(weights: readonly number[]): void {
  assert.ok(weights.every((weight) => weight >= 0) && Math.abs(sum(weights) - 1) < 1e-12, String(weights));
}

/** Of a convex function, the point of the simplex where no member is worth more than the average: the best there is (Karush–Kuhn–Tucker). `worth` is minus the slope. */
function assertBest(weights: readonly number[], worth: readonly number[], tolerance: number): void {
  const average = sum(weights.map((weight, k) => weight * worth[k]!));
  for (const own of worth) assert.ok(own <= average + tolerance, `${own} is more than ${average}`);
}

describe('weights of an average', () => {
  it('have the least log loss', () => {
    fc.assert(
      fc.property(table(fc.double({ min: 0.01, max: 1, noNaN: true })), (likelihoods) => {
        const weights = mixtureWeights(likelihoods);
        assertSimplex(weights);
        const rows = likelihoods[0]!.map((_, i) => sum(weights.map((weight, k) => weight * likelihoods[k]![i]!)));
        assertBest(weights, likelihoods.map((own) => sum(own.map((likelihood, i) => likelihood / rows[i]!)) / rows.length), 1e-3);
      }),
    );
  });

  it('have the least squares', () => {
    fc.assert(
      fc.property(table(fc.double({ min: -5, max: 5, noNaN: true })), fc.array(fc.double({ min: -5, max: 5, noNaN: true }), { minLength: 40, maxLength: 40 }), (predictions, values) => {
        const truth = values.slice(0, predictions[0]!.length);
        const weights = leastSquaresWeights(predictions, truth);
        assertSimplex(weights);
        const residuals = truth.map((value, i) => sum(weights.map((weight, k) => weight * predictions[k]![i]!)) - value);
        assertBest(weights, predictions.map((own) => -sum(own.map((value, i) => value * residuals[i]!)) / truth.length), 1e-6);
      }),
    );
  });

  it('go to the one that is right, and are known where they follow from symmetry', () => {
    assert.deepStrictEqual(mixtureWeights([[1, 1, 1], [0.5, 0.5, 0.5]]).map((weight) => Number(weight.toFixed(4))), [1, 0]);
    assert.deepStrictEqual(mixtureWeights([[0.9, 0.1], [0.1, 0.9]]), [0.5, 0.5]);
    assert.deepStrictEqual(mixtureWeights([[0, 1], [1, 0]]), [0.5, 0.5]);
    assert.deepStrictEqual(leastSquaresWeights([[1, 2], [3, 4]], [1.5, 2.5]), [0.75, 0.25]);
    assert.deepStrictEqual(leastSquaresWeights([[1, 2], [3, 4]], [0, 1]), [1, 0]);
    assert.deepStrictEqual(leastSquaresWeights([[1, 2], [1, 2]], [1, 2]), [0.5, 0.5]);
  });
});
