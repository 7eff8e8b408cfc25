import * as assert from 'node:assert';
import * as fc from 'fast-check';
import { stratifiedSample, stratifiedSplit } from '../../../src/core/labels/split';
import { exampleId } from '../../../src/core/text/normalize';

interface Row {
  readonly text: string;
  readonly label: string;
}

const rows = fc.array(fc.record({ text: fc.oneof(fc.string({ maxLength: 3 }), fc.string()), label: fc.constantFrom('a', 'b', 'c') }), { minLength: 1, maxLength: 200 });
const options = (seed: number) => ({ labelOf: (row: Row) => row.label, textOf: (row: Row) => row.text, seed });

describe('splitting rows', () => {
  it('keeps every row exactly once, in order, and equal texts on one side', () => {
    fc.assert(
      fc.property(rows, fc.double({ min: 0.05, max: 0.95, noNaN: true }), fc.integer(), (all, ratio, seed) => {
        const { kept, heldOut } = stratifiedSplit(all, ratio, options(seed));
        const held = new Set(heldOut);
        assert.deepStrictEqual(kept, all.filter((row) => !held.has(row)));
        assert.deepStrictEqual(heldOut, all.filter((row) => held.has(row)));
        const keptTexts = new Set(kept.map((row) => exampleId(row.text)));
        assert.ok(heldOut.every((row) => !keptTexts.has(exampleId(row.text))));
      }),
    );
  });

  it('holds out about the ratio of each label, and the same rows for the same seed', () => {
    const all = Array.from({ length: 1000 }, (_, index) => ({ text: `text ${index}`, label: index % 10 === 0 ? 'rare' : 'common' }));
    const { heldOut } = stratifiedSplit(all, 0.1, options(7));
    assert.strictEqual(heldOut.filter((row) => row.label === 'rare').length, 10);
    assert.strictEqual(heldOut.filter((row) => row.label === 'common').length, 90);
    assert.deepStrictEqual(stratifiedSplit(all, 0.1, options(7)).heldOut, heldOut);
    assert.notDeepStrictEqual(stratifiedSplit(all, 0.1, options(8)).heldOut, heldOut);
  });

  it('never takes the only text of a label', () => {
    const all = [{ text: 'alone', label: 'a' }, ...Array.from({ length: 9 }, (_, index) => ({ text: `t${index}`, label: 'b' }))];
    assert.ok(stratifiedSplit(all, 0.9, options(1)).kept.some((row) => row.label === 'a'));
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
