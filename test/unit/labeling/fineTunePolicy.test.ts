import * as assert from 'node:assert';
import * as fc from 'fast-check';
import { answerError, canFineTune, constantError, fineTuneRows, isKept, stopHint, untilFineTune, type DecidedText, type FineTuneCounts, type StopEvidence } from '../../../src/labeling/fineTunePolicy';

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
    assert.ok(canFineTune({ kind: 'multi', byLabel: [12, 7], labeled: 12 }));
    assert.ok(!canFineTune({ kind: 'multi', byLabel: [12, 12], labeled: 12 }), 'all texts have all labels');
    assert.ok(!canFineTune({ kind: 'multi', byLabel: [4, 3], labeled: 12 }));
  });

  it('learns from labels alone and is judged on the checks alone', async () => {
    const text = fc.record({ value: fc.oneof(fc.constant(null), fc.integer({ min: 0, max: 2 }).map((label) => [label])), check: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(fc.array(text, { maxLength: 120 }), fc.integer(), async (texts, seed) => {
        const decided = texts.map((one, position): DecidedText => ({ ...one, position }));
        const { training, validation, holdout } = await fineTuneRows(decided, 'single', seed, pause);
        const sorted = (rows: readonly DecidedText[]): DecidedText[] => [...rows].sort((a, b) => a.position - b.position);
        assert.deepStrictEqual(sorted([...training, ...validation]), decided.filter(({ value, check }) => value !== null && !check));
        assert.deepStrictEqual(holdout, decided.filter(({ value, check }) => value !== null && check));
        for (const label of [0, 1, 2]) {
          const of = (rows: readonly DecidedText[]): number => rows.filter(({ value }) => Array.isArray(value) && value[0] === label).length;
          const all = of(training) + of(validation);
          assert.ok(Math.abs(of(validation) - 0.15 * all) <= 1);
          assert.ok(all === 0 || of(training) > 0);
        }
        assert.deepStrictEqual((await fineTuneRows([...decided].reverse(), 'single', seed, pause)).training, training);
      }),
    );
  });

  it('weighs classes when one is twice another', async () => {
    const rows = (sizes: readonly number[]): DecidedText[] => sizes.flatMap((size, label) => Array.from({ length: size }, (_, i): DecidedText => ({ position: label * 100 + i, value: [label], check: false })));
    assert.strictEqual((await fineTuneRows(rows([20, 11]), 'single', 1, pause)).balance, false);
    assert.strictEqual((await fineTuneRows(rows([20, 10]), 'single', 1, pause)).balance, true);
    assert.strictEqual((await fineTuneRows(rows([20]), 'single', 1, pause)).balance, false);
  });

  it('is kept unless it loses more rows than chance would', () => {
    const kept = (lost: number, won: number, both = 10): boolean => isKept([...fill(lost, 0), ...fill(won, 1), ...fill(both, 0)], [...fill(lost, 1), ...fill(won, 0), ...fill(both, 0)]);
    assert.ok(isKept([], []));
    for (const [lost, won] of [[0, 0], [1, 0], [2, 0], [4, 1], [5, 2], [13, 8], [300, 310]] as const) assert.ok(kept(lost, won), `${lost} : ${won}`);
    for (const [lost, won] of [[3, 0], [5, 1], [6, 2], [14, 8], [40, 0], [1200, 1100]] as const) assert.ok(!kept(lost, won), `${lost} : ${won}`);
    assert.throws(() => isKept([0], []), /0 rows/);
    const error = fc.oneof(fc.nat({ max: 1 }), fc.double({ min: 0, max: 9, noNaN: true }));
    fc.assert(
      fc.property(fc.array(fc.tuple(error, error)), (rows) => {
        const [before, after] = [rows.map(([was]) => was), rows.map(([, is]) => is)];
        // of two versions at least one is not worse than the other
        assert.ok(isKept(before, after) || isKept(after, before));
      }),
    );
  });
});

describe('fine-tuning for several labels and for numbers', () => {
  it('learns from all that was labelled, validates with a share of each stratum, and weighs nothing', async () => {
    const sets = fc.subarray([0, 1, 2]);
    const several = fc.array(sets, { minLength: 1, maxLength: 80 });
    const numbers = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 80 });
    await fc.assert(
      fc.asyncProperty(fc.oneof(several.map((values) => ({ kind: 'multi' as const, values })), numbers.map((values) => ({ kind: 'number' as const, values }))), async ({ kind, values }) => {
        const decided = values.map((value, position): DecidedText => ({ position, value, check: position % 6 === 5 }));
        const { training, validation, holdout, balance } = await fineTuneRows(decided, kind, 1, pause);
        assert.deepStrictEqual([...training, ...validation, ...holdout].sort((a, b) => a.position - b.position), decided);
        assert.ok(training.length > 0 && !balance);
        assert.ok(validation.length < 0.15 * (training.length + validation.length) + 10);
        assert.ok(kind === 'multi' || training.length + validation.length < 7 || validation.length > 0);
      }),
    );
  });

  it('measures an answer by what was decided', () => {
    assert.deepStrictEqual([answerError([1], [1]), answerError([1], [0]), answerError([], []), answerError([], [2]), answerError([0, 1], [])], [0, 1, 0, 1, 1]);
    assert.ok(Math.abs(answerError([0, 1], [1, 2, 3]) - 0.6) < 1e-12);
    assert.strictEqual(answerError(3.5, 5), 1.5);
    fc.assert(fc.property(fc.subarray([0, 1, 2, 3]), fc.subarray([0, 1, 2, 3]), (a, b) => assert.strictEqual(answerError(a, b), answerError(b, a))));
  });

  it('knows how well always saying the same would do', () => {
    assert.strictEqual(constantError([[0], [0], [1]]), 1);
    assert.strictEqual(constantError([[], [], [0, 1]]), 1);
    assert.strictEqual(constantError([1, 2, 10]), 9);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -9, max: 9 }), { minLength: 1 }), fc.integer({ min: -12, max: 12 }), (values, said) => {
        assert.ok(constantError(values) <= values.reduce((sum, value) => sum + answerError(value, said), 0));
      }),
    );
  });

  it('keeps what is no clear loss, by how far answers moved', () => {
    // exact: of the 2^n ways to throw the signs, the share whose sum is as bad
    const tail = (changes: readonly number[]): number => {
      const loss = changes.reduce((sum, change) => sum + change, 0);
      const ways = 2 ** changes.length;
      let asBad = 0;
      for (let way = 0; way < ways; way++) if (changes.reduce((sum, change, bit) => sum + Math.abs(change) * (way & (1 << bit) ? 1 : -1), 0) >= loss - 1e-9) asBad++;
      return asBad / ways;
    };
    const kept = (changes: readonly number[]): boolean => isKept(fill(changes.length, 10), changes.map((change) => 10 + change));
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -5, max: 5 }), { maxLength: 10 }), (changes) => {
        const exact = tail(changes);
        // 2,000 draws miss by less than this
        if (Math.abs(exact - 0.15) > 0.04) assert.strictEqual(kept(changes), exact >= 0.15);
      }),
    );
    assert.ok(kept([9, -2, -2, -2, -2]) && !kept([-1, 4, 4, 5, 5, 6]));
    const many = (up: number): number[] => Array.from({ length: 900 }, (_, row) => (row % 10 < up ? 1 + (row % 3) : -1 - (row % 3)));
    assert.ok(kept(many(5)) && !kept(many(6)));
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
