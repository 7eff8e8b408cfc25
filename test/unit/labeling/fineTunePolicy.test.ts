import * as assert from 'node:assert';
import * as fc from 'fast-check';
import { canFineTune, fineTuneRows, isKept, stopHint, untilFineTune, type DecidedText, type FineTuneCounts, type StopEvidence } from '../../../src/labeling/fineTunePolicy';

const pause = (): Promise<void> => Promise.resolve();

const counts: FineTuneCounts = { kind: 'single', byLabel: [5, 5, 0], labeled: 10, sinceLast: 12, every: 20, running: false };

describe('fine-tuning', () => {
  it('is due after so many decisions, not before two classes have five, not while one runs, never when it is off', () => {
    assert.strictEqual(untilFineTune(counts), 8);
    assert.strictEqual(untilFineTune({ ...counts, sinceLast: 20 }), 0);
    assert.strictEqual(untilFineTune({ ...counts, sinceLast: 35 }), 0);
    assert.strictEqual(untilFineTune({ ...counts, sinceLast: 35, byLabel: [31, 4, 0] }), 1);
    assert.strictEqual(untilFineTune({ ...counts, sinceLast: 35, running: true }), 1);
    assert.strictEqual(untilFineTune({ ...counts, every: 0 }), undefined);
    assert.ok(canFineTune({ kind: 'number', byLabel: [], labeled: 10 }));
    assert.ok(!canFineTune({ kind: 'number', byLabel: [], labeled: 9 }));
  });

  it('learns from labels alone and is judged on the checks alone', async () => {
    const text = fc.record({ value: fc.oneof(fc.constant(null), fc.integer({ min: 0, max: 2 }).map((label) => [label])), check: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(fc.array(text, { maxLength: 120 }), fc.integer(), async (texts, seed) => {
        const decided = texts.map((one, position): DecidedText => ({ ...one, position }));
        const { training, validation, holdout } = await fineTuneRows(decided, seed, pause);
        const sorted = (rows: readonly DecidedText[]): DecidedText[] => [...rows].sort((a, b) => a.position - b.position);
        assert.deepStrictEqual(sorted([...training, ...validation]), decided.filter(({ value, check }) => value !== null && !check));
        assert.deepStrictEqual(holdout, decided.filter(({ value, check }) => value !== null && check));
        for (const label of [0, 1, 2]) {
          const of = (rows: readonly DecidedText[]): number => rows.filter(({ value }) => Array.isArray(value) && value[0] === label).length;
          const all = of(training) + of(validation);
          assert.ok(Math.abs(of(validation) - 0.15 * all) <= 1);
          assert.ok(all === 0 || of(training) > 0);
        }
        assert.deepStrictEqual((await fineTuneRows([...decided].reverse(), seed, pause)).training, training);
      }),
    );
  });

  it('weighs classes when one is twice another', async () => {
    const rows = (sizes: readonly number[]): DecidedText[] => sizes.flatMap((size, label) => Array.from({ length: size }, (_, i): DecidedText => ({ position: label * 100 + i, value: [label], check: false })));
    assert.strictEqual((await fineTuneRows(rows([20, 11]), 1, pause)).balance, false);
    assert.strictEqual((await fineTuneRows(rows([20, 10]), 1, pause)).balance, true);
    assert.strictEqual((await fineTuneRows(rows([20]), 1, pause)).balance, false);
  });

  it('is kept unless it loses more rows than chance would', () => {
    const kept = (lost: number, won: number, both = 10): boolean => isKept([...fill(lost, true), ...fill(won, false), ...fill(both, true)], [...fill(lost, false), ...fill(won, true), ...fill(both, true)]);
    assert.ok(isKept([], []));
    for (const [lost, won] of [[0, 0], [1, 0], [2, 0], [4, 1], [5, 2], [13, 8], [300, 310]] as const) assert.ok(kept(lost, won), `${lost} : ${won}`);
    for (const [lost, won] of [[3, 0], [5, 1], [6, 2], [14, 8], [40, 0], [1200, 1100]] as const) assert.ok(!kept(lost, won), `${lost} : ${won}`);
    assert.throws(() => isKept([true], []), /0 rows/);
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.boolean(), fc.boolean())), (rows) => {
        const [before, after] = [rows.map(([was]) => was), rows.map(([, is]) => is)];
        // of two versions at least one is not worse than the other
        assert.ok(isKept(before, after) || isKept(after, before));
      }),
    );
  });
});

describe('the hint to stop', () => {
  const evidence: StopEvidence = { open: 100, trusted: true, confidences: fill(100, 0.7), curve: [] };
  const flat = [20, 40, 80, 120, 160].map((decisions) => ({ decisions, accuracy: 0.8, error: 0.02 }));

  it('comes when nothing waits', () => assert.strictEqual(stopHint({ ...evidence, open: 0, trusted: false, confidences: [] }), 'done'));

  it('comes when the model is sure and the checks bear it out', () => {
    const sure = { ...evidence, confidences: [...fill(96, 0.95), ...fill(4, 0.5)] };
    assert.strictEqual(stopHint({ ...sure, check: { rows: 60, accuracy: 0.96, low: 0.88 } }), 'confident');
    assert.strictEqual(stopHint({ ...sure, check: { rows: 60, accuracy: 0.8, low: 0.7 } }), undefined);
    assert.strictEqual(stopHint(sure), undefined);
    assert.strictEqual(stopHint({ ...sure, confidences: [...fill(94, 0.95), ...fill(6, NaN)], check: { rows: 60, accuracy: 0.96, low: 0.88 } }), undefined);
  });

  it('comes when more decisions bring no more', () => {
    assert.strictEqual(stopHint({ ...evidence, curve: flat }), 'plateau');
    assert.strictEqual(stopHint({ ...evidence, trusted: false, curve: flat }), undefined);
    assert.strictEqual(stopHint({ ...evidence, curve: flat.map((point) => ({ ...point, decisions: point.decisions / 2 })) }), undefined);
    assert.strictEqual(stopHint({ ...evidence, curve: flat.map((point) => ({ ...point, accuracy: 0.6 + point.decisions / 1000 })) }), undefined);
  });
});

function fill<T>(count: number, value: T): T[] {
  return Array.from({ length: count }, () => value);
}
