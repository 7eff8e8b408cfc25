import * as assert from 'node:assert';
import * as fc from 'fast-check';
import { quantileStrata, setStrata, stratifiedSample, stratifiedSplit } from '../../../src/core/labels/split';
import { exampleId } from '../../../src/core/text/normalize';

interface Row {
  readonly text: string;
  readonly label: string;
}

const rows = fc.array(fc.record({ text: fc.oneof(fc.string({ maxLength: 3 }), fc.string()), label: fc.constantFrom('a', 'b', 'c') }), { minLength: 1, maxLength: 200 });
const options = (seed: number) => ({ labelOf: (row: Row) => row.label, textOf: (row: Row) => row.text, seed, breathe: () => Promise.resolve() });

describe('strata', () => {
  it('of several labels are sets that are frequent, else the rarest label', () => {
    const sets = [...Array.from({ length: 10 }, () => ['b', 'a']), ...Array.from({ length: 9 }, () => ['a']), ['a', 'c'], [], ['b']];
    const strata = setStrata(sets, 10);
    assert.strictEqual(new Set(strata.slice(0, 10)).size, 1);
    assert.strictEqual(new Set(strata.slice(10, 19)).size, 1);
    assert.strictEqual(new Set([strata[0], strata[10], strata[19], strata[20], strata[21]]).size, 5);
    assert.deepStrictEqual(setStrata(sets.map((set) => [...set].reverse()), 10), strata);
  });

  it('of numbers are as many quantiles as there are rows for, in their order, with equal numbers in one', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: -10, max: 10, noNaN: true }), { minLength: 1, maxLength: 300 }), fc.integer({ min: 1, max: 20 }), (values, fewest) => {
        const strata = quantileStrata(values, fewest).map(Number);
        assert.ok(new Set(strata).size <= Math.max(1, Math.min(10, Math.floor(values.length / fewest))));
        values.forEach((value, i) => values.forEach((other, j) => value <= other && assert.ok(strata[i]! <= strata[j]!)));
      }),
      { numRuns: 30 },
    );
    const even = quantileStrata(Array.from({ length: 100 }, (_, k) => k), 10);
    assert.deepStrictEqual(Array.from({ length: 10 }, (_, k) => even.filter((stratum) => stratum === String(k)).length), new Array(10).fill(10));
  });
});

describe('splitting rows', () => {
  it('keeps every row exactly once, in order, and equal texts on one side', async () => {
    await fc.assert(
      fc.asyncProperty(rows, fc.double({ min: 0.05, max: 0.95, noNaN: true }), fc.integer(), async (all, ratio, seed) => {
        const { kept, heldOut } = await stratifiedSplit(all, ratio, options(seed));
        const held = new Set(heldOut);
        assert.deepStrictEqual(kept, all.filter((row) => !held.has(row)));
        assert.deepStrictEqual(heldOut, all.filter((row) => held.has(row)));
        const keptTexts = new Set(kept.map((row) => exampleId(row.text)));
        assert.ok(heldOut.every((row) => !keptTexts.has(exampleId(row.text))));
      }),
    );
  });

  it('holds out about the ratio of each label, and the same rows for the same seed', async () => {
    const all = Array.from({ length: 1000 }, (_, index) => ({ text: `text ${index}`, label: index % 10 === 0 ? 'rare' : 'common' }));
    const { heldOut } = await stratifiedSplit(all, 0.1, options(7));
    assert.strictEqual(heldOut.filter((row) => row.label === 'rare').length, 10);
    assert.strictEqual(heldOut.filter((row) => row.label === 'common').length, 90);
    assert.deepStrictEqual((await stratifiedSplit(all, 0.1, options(7))).heldOut, heldOut);
    assert.notDeepStrictEqual((await stratifiedSplit(all, 0.1, options(8))).heldOut, heldOut);
  });

  it('never takes the only text of a label', async () => {
    const all = [{ text: 'alone', label: 'a' }, ...Array.from({ length: 9 }, (_, index) => ({ text: `t${index}`, label: 'b' }))];
    assert.ok((await stratifiedSplit(all, 0.9, options(1))).kept.some((row) => row.label === 'a'));
  });

  it('samples without repeats, with shares that are off by less than one row', () => {
    fc.assert(
      fc.property(rows, fc.integer({ min: 1, max: 250 }), fc.integer(), (all, count, seed) => {
        const sample = stratifiedSample(all, count, (row) => row.label, seed);
        assert.strictEqual(sample.length, Math.min(count, all.length));
        assert.strictEqual(new Set(sample).size, sample.length);
        assert.ok(sample.every((row) => all.includes(row)));
        for (const label of ['a', 'b', 'c']) {
          const exact = (all.filter((row) => row.label === label).length * sample.length) / all.length;
          assert.ok(Math.abs(sample.filter((row) => row.label === label).length - exact) < 1);
        }
      }),
    );
  });
});
