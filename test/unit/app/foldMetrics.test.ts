import * as assert from 'node:assert';
import { foldMetrics, isBetter, isShare, metricNames } from '../../../src/app/foldMetrics';

const near = (actual: Readonly<Record<string, number>>, expected: Readonly<Record<string, number>>): void => {
  assert.deepStrictEqual(Object.keys(actual).sort(), Object.keys(expected).sort());
  for (const [name, value] of Object.entries(expected)) assert.ok(Math.abs(actual[name]! - value) < 1e-6, `${name}: ${actual[name]}, not ${value}`);
};

describe('the metrics of a fold', () => {
  it('of one label', () => {
    // right, right, wrong
    const scores = Float32Array.of(0.9, 0.1, 0.2, 0.8, 0.6, 0.4);
    const all = { kind: 'single', truth: ['b', 'a', 'a'], labels: ['a', 'b'], known: ['b', 'a'], scores, width: 2 } as const;
    // a: right once of two, claimed once; b: right once, claimed twice
    near(foldMetrics(all), { rows: 3, accuracy: 2 / 3, macroF1: (2 / 3 + 2 / 3) / 2, loss: -(Math.log(0.9) + Math.log(0.8) + Math.log(0.4)) / 3, ece: (0.1 + 0.2 + 0.6) / 3 });
  });

  it('of a label that the model could not learn, which is wrong and as improbable as can be', () => {
    const scores = Float32Array.of(0, 1, 0, 1);
    near(foldMetrics({ kind: 'single', truth: ['b', 'rare'], labels: ['a', 'b', 'rare'], known: ['a', 'b'], scores, width: 2 }), { rows: 2, accuracy: 0.5, macroF1: 2 / 9, loss: -Math.log(1e-7) / 2, ece: 0.5 });
  });

  it('of several labels', () => {
    // x: right in both rows; y: missed once; z is not known
    const scores = Float32Array.of(0.9, 0.3, 0.2, 0.4);
    const metrics = foldMetrics({ kind: 'multi', truth: [['x', 'y'], []], labels: ['x', 'y', 'z'], known: ['x', 'y'], scores, width: 2 });
    near(metrics, { rows: 2, macroF1: 1 / 3, microF1: 2 / 3, exactMatch: 0.5, hammingLoss: 1 / 6, loss: -(Math.log(0.9) + Math.log(0.3) + Math.log(1) + Math.log(0.8) + Math.log(0.6) + Math.log(1)) / 6 });
  });

  it('of numbers', () => {
    near(foldMetrics({ kind: 'number', truth: [1, 2, 3, 4], labels: [], known: [], scores: Float32Array.of(1, 2, 3, 6), width: 1 }), { rows: 4, rmse: 1, mae: 0.5, r2: 1 - 4 / 5, pearson: 8 / Math.sqrt(5 * 14) });
  });

  it('know what is better', () => {
    const better = Object.values(metricNames).map((names) => names.filter((name) => isBetter(name, 0.2, 0.1)));
    assert.deepStrictEqual(better, [['accuracy', 'macroF1'], ['macroF1', 'microF1', 'exactMatch'], ['r2', 'pearson']]);
    assert.deepStrictEqual(Object.values(metricNames).map((names) => names.filter(isShare)), [['accuracy', 'macroF1', 'ece'], ['macroF1', 'microF1', 'exactMatch', 'hammingLoss'], []]);
  });
});
