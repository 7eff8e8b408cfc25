import * as assert from 'node:assert';
import * as fc from 'fast-check';
import { classificationReport, multiLabelReport, regressionReport, residualSummary } from '../../../src/core/metrics/report';

const close = (actual: number, expected: number, about = ''): void => assert.ok(Math.abs(actual - expected) <= 1e-9 * Math.max(1, Math.abs(expected)), `${about} ${actual} is not ${expected}`);

const examples = fc.integer({ min: 1, max: 6 }).chain((labels) =>
  fc.record({ labels: fc.constant(Array.from({ length: labels }, (_, i) => `l${i}`)), pairs: fc.array(fc.tuple(fc.nat(labels - 1), fc.nat(labels - 1)), { maxLength: 60 }) }),
);

describe('classificationReport', () => {
  it('gives the numbers worked out by hand', () => {
    // truth a a a b b c, predicted a a b b c b
    const report = classificationReport([0, 0, 0, 1, 1, 2], [0, 0, 1, 1, 2, 1], ['a', 'b', 'c']);
    assert.deepStrictEqual(report.confusion, { labels: ['a', 'b', 'c'], matrix: [[2, 1, 0], [0, 1, 1], [0, 1, 0]] });
    close(report.accuracy, 3 / 6);
    close(report.perClass['a']!.precision, 1);
    close(report.perClass['a']!.recall, 2 / 3);
    close(report.perClass['a']!.f1, 0.8);
    close(report.perClass['b']!.precision, 1 / 3);
    close(report.perClass['b']!.recall, 1 / 2);
    close(report.perClass['b']!.f1, 0.4);
    assert.deepStrictEqual(report.perClass['c'], { precision: 0, recall: 0, f1: 0, support: 1 });
    close(report.macroF1, 0.4);
    const { macro, weighted, micro } = report.averages;
    for (const [average, precision, recall, f1] of [[macro, 4 / 9, 7 / 18, 0.4], [weighted, 11 / 18, 0.5, 3.2 / 6], [micro, 0.5, 0.5, 0.5]] as const) {
      close(average.precision, precision);
      close(average.recall, recall);
      close(average.f1, f1);
    }
  });

  it('has a weighted recall and micro averages that are the accuracy, where each text has a label', () => {
    fc.assert(
      fc.property(examples, ({ labels, pairs }) => {
        const { accuracy, averages } = classificationReport(pairs.map(([truth]) => truth), pairs.map(([, predicted]) => predicted), labels);
        for (const share of [averages.weighted.recall, averages.micro.precision, averages.micro.recall, averages.micro.f1]) close(share, accuracy);
      }),
    );
  });

  it('agrees with the definitions, counted label by label', () => {
    fc.assert(
      fc.property(examples, ({ labels, pairs }) => {
        const report = classificationReport(Uint8Array.from(pairs, ([truth]) => truth), pairs.map(([, predicted]) => predicted), labels);
        const f1s = labels.map((label, index) => {
          const both = pairs.filter(([truth, predicted]) => truth === index && predicted === index).length;
          const claimed = pairs.filter(([, predicted]) => predicted === index).length;
          const support = pairs.filter(([truth]) => truth === index).length;
          const { precision, recall, f1, support: reported } = report.perClass[label]!;
          close(precision, claimed === 0 ? 0 : both / claimed, 'precision');
          close(recall, support === 0 ? 0 : both / support, 'recall');
          close(f1, precision + recall === 0 ? 0 : (2 * precision * recall) / (precision + recall), 'f1');
          assert.strictEqual(reported, support);
          return f1;
        });
        close(report.macroF1, f1s.reduce((total, f1) => total + f1, 0) / labels.length);
        close(report.accuracy, pairs.length === 0 ? 0 : pairs.filter(([truth, predicted]) => truth === predicted).length / pairs.length);
        assert.strictEqual(report.confusion.matrix.flat().reduce((total, count) => total + count, 0), pairs.length);
        pairs.forEach(([truth, predicted]) => assert.ok(report.confusion.matrix[truth]![predicted]! > 0));
      }),
    );
  });

  it('survives JSON, also with labels that are names of object members', () => {
    const labels = ['__proto__', 'constructor', 'toString'];
    const report = classificationReport([0, 1, 2], [0, 1, 1], labels);
    const read = JSON.parse(JSON.stringify(report)) as typeof report;
    assert.deepStrictEqual(Object.keys(read.perClass), labels);
    assert.strictEqual(report.perClass['__proto__']!.support, 1);
    assert.strictEqual(report.perClass['__proto__']!.f1, 1);
  });

  it('refuses indices without a label and lists of different length', () => {
    for (const [truth, predicted] of [[[2], [0]], [[0], [2]], [[-1], [0]], [[0], [0.5]], [[0, 1], [0]]] as const) assert.throws(() => classificationReport(truth, predicted, ['a', 'b']));
  });
});

describe('multiLabelReport', () => {
  it('gives the numbers worked out by hand', () => {
    const report = multiLabelReport([[0, 1], [2], [], [1]], [[1, 0], [0, 2], [], []], ['a', 'b', 'c']);
    assert.deepStrictEqual(report.perClass, { a: { precision: 0.5, recall: 1, f1: 2 / 3, support: 1 }, b: { precision: 1, recall: 0.5, f1: 2 / 3, support: 2 }, c: { precision: 1, recall: 1, f1: 1, support: 1 } });
    assert.strictEqual(report.exactMatch, 0.5);
    close(report.hammingLoss, 2 / 12);
    assert.deepStrictEqual(report.averages.micro, { precision: 0.75, recall: 0.75, f1: 0.75 });
    close(report.averages.macro.f1, 7 / 9);
    close(report.averages.weighted.recall, 0.75);
    assert.throws(() => multiLabelReport([[3]], [[]], ['a', 'b', 'c']));
    assert.throws(() => multiLabelReport([[0]], [], ['a']));
  });

  it('is the report of one label a text where each has one', () => {
    fc.assert(
      fc.property(examples, ({ labels, pairs }) => {
        const single = classificationReport(pairs.map(([truth]) => truth), pairs.map(([, predicted]) => predicted), labels);
        const multi = multiLabelReport(pairs.map(([truth]) => [truth]), pairs.map(([, predicted]) => [predicted]), labels);
        assert.deepStrictEqual([multi.perClass, multi.averages], [single.perClass, single.averages]);
        close(multi.exactMatch, single.accuracy);
        close(multi.hammingLoss, pairs.length === 0 ? 0 : (2 * (1 - single.accuracy)) / labels.length);
      }),
    );
  });
});

describe('residualSummary', () => {
  it('gives the numbers worked out by hand', () => {
    // residuals 1, 2, 3, 4, -5
    const { standardDeviation, low, high, ...rest } = residualSummary([2, 4, 6, 8, 0], [1, 2, 3, 4, 5]);
    assert.deepStrictEqual(rest, { mean: 1, median: 2, largest: 5 });
    close(standardDeviation, Math.sqrt((0 + 1 + 4 + 9 + 36) / 5));
    close(low, -5 + 0.2 * 6);
    close(high, 3.8);
    assert.deepStrictEqual(residualSummary([], []), { mean: 0, standardDeviation: 0, median: 0, low: 0, high: 0, largest: 0 });
  });
});

describe('regressionReport', () => {
  it('gives the numbers worked out by hand', () => {
    const report = regressionReport([1, 2, 3, 4], [1, 3, 2, 6]);
    close(report.mae, 1);
    close(report.rmse, Math.sqrt(6 / 4));
    close(report.r2, 1 - 6 / 5);
    // covariance 7, variances 5 and 14
    close(report.pearson, 7 / Math.sqrt(5 * 14));
  });

  it('is perfect on itself, and its correlation does not see a change of unit', () => {
    const values = fc.array(fc.integer({ min: -1000, max: 1000 }), { minLength: 2, maxLength: 30 }).filter((list) => new Set(list).size > 1);
    fc.assert(
      fc.property(values, fc.integer({ min: 1, max: 50 }), fc.integer({ min: -1e6, max: 1e6 }), (truth, factor, offset) => {
        assert.deepStrictEqual(regressionReport(truth, truth), { mae: 0, rmse: 0, r2: 1, pearson: regressionReport(truth, truth).pearson });
        close(regressionReport(truth, truth).pearson, 1);
        close(regressionReport(truth, truth.map((value) => value * factor + offset)).pearson, 1);
        close(regressionReport(truth, truth.map((value) => value * -factor + offset)).pearson, -1);
      }),
    );
  });

  it('explains nothing with the mean, and gives numbers where nothing varies', () => {
    close(regressionReport([1, 2, 6], [3, 3, 3]).r2, 0);
    assert.deepStrictEqual(regressionReport([2, 2], [1, 3]), { mae: 1, rmse: 1, r2: 0, pearson: 0 });
    assert.deepStrictEqual(regressionReport([], []), { mae: 0, rmse: 0, r2: 0, pearson: 0 });
  });
});
