import * as assert from 'node:assert';
import * as fc from 'fast-check';
import { atThreshold, findThreshold, precisionRecallPoints, rocPoints, thresholdCurves, type ThresholdGoal } from '../../../src/core/metrics/curves';

const close = (actual: number, expected: number, about = ''): void => assert.ok(Math.abs(actual - expected) <= 1e-9, `${about} ${actual} is not ${expected}`);

/** Scores with many ties, and both classes. */
const examples = fc
  .array(fc.record({ score: fc.integer({ min: 0, max: 12 }).map((value) => value / 12), positive: fc.boolean() }), { minLength: 2, maxLength: 60 })
  .filter((rows) => rows.some(({ positive }) => positive) && rows.some(({ positive }) => !positive));
const curvesOf = (rows: readonly { readonly score: number; readonly positive: boolean }[]): NonNullable<ReturnType<typeof thresholdCurves>> =>
  thresholdCurves(rows.map(({ score }) => score), rows.map(({ positive }) => positive))!;

describe('thresholdCurves', () => {
  it('gives the numbers of scikit-learn’s documentation', () => {
    // roc_auc_score and average_precision_score of y = [0, 0, 1, 1], scores = [0.1, 0.4, 0.35, 0.8]
    const curves = thresholdCurves([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1])!;
    close(curves.auc, 0.75);
    close(curves.averagePrecision, 0.8333333333333334);
    assert.deepStrictEqual(rocPoints(curves), [[0, 0], [0, 0.5], [0.5, 0.5], [0.5, 1], [1, 1]]);
    assert.deepStrictEqual(precisionRecallPoints(curves), [[0, 1], [0.5, 1], [0.5, 0.5], [1, 2 / 3], [1, 0.5]]);
  });

  it('has an area that is the Mann–Whitney U over all pairs, ties counting half', () => {
    fc.assert(
      fc.property(examples, (rows) => {
        const [positives, negatives] = [rows.filter(({ positive }) => positive), rows.filter(({ positive }) => !positive)];
        const u = positives.flatMap((a) => negatives.map((b) => (a.score > b.score ? 1 : a.score === b.score ? 0.5 : 0) as number)).reduce((sum, each) => sum + each, 0);
        close(curvesOf(rows).auc, u / (positives.length * negatives.length));
      }),
    );
  });

  it('has the average precision of its definition, one threshold after another', () => {
    fc.assert(
      fc.property(examples, (rows) => {
        const positives = rows.filter(({ positive }) => positive).length;
        let [before, expected] = [0, 0];
        for (const threshold of [...new Set(rows.map(({ score }) => score))].sort((a, b) => b - a)) {
          const claimed = rows.filter(({ score }) => score >= threshold);
          const right = claimed.filter(({ positive }) => positive).length;
          expected += (right / positives - before) * (right / claimed.length);
          before = right / positives;
        }
        close(curvesOf(rows).averagePrecision, expected);
      }),
    );
  });

  it('sees the order of the scores alone, and none of the rows', () => {
    fc.assert(
      fc.property(examples, fc.integer(), (rows, seed) => {
        const { auc, averagePrecision } = curvesOf(rows);
        const mapped = [...rows].sort((a, b) => Math.sin(seed + a.score * 99) - Math.sin(seed + b.score * 99)).map(({ score, positive }) => ({ score: Math.exp(3 * score) - 7, positive }));
        close(curvesOf(mapped).auc, auc);
        close(curvesOf(mapped).averagePrecision, averagePrecision);
        // the other class, by the opposite scores
        close(curvesOf(rows.map(({ score, positive }) => ({ score: -score, positive: !positive }))).auc, auc);
        close(curvesOf(rows.map(({ score, positive }) => ({ score: -score, positive }))).auc, 1 - auc);
      }),
    );
  });

  it('is none where a class has no text', () => {
    assert.strictEqual(thresholdCurves([0.1, 0.2], [1, 1]), undefined);
    assert.strictEqual(thresholdCurves([0.1, 0.2], [0, 0]), undefined);
    assert.strictEqual(thresholdCurves([], []), undefined);
    assert.throws(() => thresholdCurves([0.1], []));
  });
});

describe('findThreshold', () => {
  it('finds what trying every threshold finds, and says what it gives', () => {
    const goals: readonly ThresholdGoal[] = ['f1', 'accuracy', 'youden', { precision: 0.6 }, { precision: 1 }];
    fc.assert(
      fc.property(examples, fc.constantFrom(...goals), (rows, goal) => {
        const count = (wanted: boolean, threshold: number): number => rows.filter(({ positive, score }) => positive === wanted && score >= threshold).length;
        const positives = rows.filter(({ positive }) => positive).length;
        const valuesAt = (threshold: number): { precision: number; recall: number; f1: number; accuracy: number; falsePositiveRate: number } => {
          const [tp, fp] = [count(true, threshold), count(false, threshold)];
          const negatives = rows.length - positives;
          return { precision: tp + fp === 0 ? 0 : tp / (tp + fp), recall: tp / positives, f1: (2 * tp) / (tp + fp + positives), accuracy: (tp + negatives - fp) / rows.length, falsePositiveRate: fp / negatives };
        };
        const worth = (values: ReturnType<typeof valuesAt>): number =>
          typeof goal === 'object' ? (values.precision >= goal.precision ? values.recall : -1) : goal === 'youden' ? values.recall - values.falsePositiveRate : values[goal];
        const curves = curvesOf(rows);
        const best = Math.max(...rows.map(({ score }) => worth(valuesAt(score))));
        const found = findThreshold(curves, goal);
        if (best < 0) return assert.strictEqual(found, undefined);
        assert.ok(found);
        close(worth(found), best);
        for (const choice of [found, atThreshold(curves, found.threshold), atThreshold(curves, Number(found.threshold.toFixed(4)))])
          for (const [name, value] of Object.entries(valuesAt(found.threshold))) close(choice[name as 'f1'], value, name);
      }),
    );
  });

  it('stands half way between two texts, near one half where it may choose', () => {
    const curves = thresholdCurves([0.9, 0.7, 0.3, 0.2], [1, 1, 0, 0])!;
    for (const goal of ['f1', 'accuracy', 'youden', { precision: 1 }] as const) close(findThreshold(curves, goal)!.threshold, 0.5);
    assert.deepStrictEqual(atThreshold(curves, 2), { threshold: 2, precision: 0, recall: 0, f1: 0, accuracy: 0.5, falsePositiveRate: 0 });
  });
});
