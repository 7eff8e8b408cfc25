import * as assert from 'node:assert';
import * as fc from 'fast-check';
import { stratifiedFolds } from '../../../src/core/labels/folds';
import { stratifiedParts } from '../../../src/core/labels/split';
import { strataOf } from '../../../src/core/labels/strata';
import { normalizeText } from '../../../src/core/text/normalize';

interface Row {
  readonly text: string;
  readonly label: string;
}

const rows = fc.array(fc.record({ text: fc.oneof(fc.string({ maxLength: 2 }), fc.string()), label: fc.constantFrom('a', 'b', 'c') }), { minLength: 1, maxLength: 150 });
const distinct = fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 200 }).map((labels) => labels.map((label, index) => ({ text: `text ${index}`, label })));
const options = (seed: number) => ({ labelOf: (row: Row) => row.label, textOf: (row: Row) => row.text, seed, breathe: () => Promise.resolve() });

describe('folds', () => {
  it('hold equal texts in one fold', async () => {
    await fc.assert(
      fc.asyncProperty(rows, fc.integer({ min: 2, max: 10 }), fc.integer(), async (all, folds, seed) => {
        const foldOf = await stratifiedFolds(all, folds, options(seed));
        assert.strictEqual(foldOf.length, all.length);
        const byText = new Map<string, number>();
        for (const [index, row] of all.entries()) {
          const text = normalizeText(row.text);
          assert.ok(foldOf[index]! < folds);
          assert.strictEqual(byText.get(text) ?? foldOf[index], foldOf[index]);
          byText.set(text, foldOf[index]!);
        }
      }),
    );
  });

  it('are as large as each other, of each label too, to within one text', async () => {
    await fc.assert(
      fc.asyncProperty(distinct, fc.integer({ min: 2, max: 10 }), fc.integer(), async (all, folds, seed) => {
        const foldOf = await stratifiedFolds(all, folds, options(seed));
        const spread = (of: (row: Row) => boolean): number => {
          const sizes = Array.from({ length: folds }, (_, fold) => all.filter((row, index) => foldOf[index] === fold && of(row)).length);
          return Math.max(...sizes) - Math.min(...sizes);
        };
        assert.ok(spread(() => true) <= 1);
        for (const label of ['a', 'b', 'c']) assert.ok(spread((row) => row.label === label) <= 1);
      }),
    );
  });

  it('are the same for the same seed alone', async () => {
    const all = Array.from({ length: 100 }, (_, index) => ({ text: `text ${index}`, label: 'ab'[index % 2]! }));
    assert.deepStrictEqual(await stratifiedFolds(all, 5, options(3)), await stratifiedFolds(all, 5, options(3)));
    assert.notDeepStrictEqual(await stratifiedFolds(all, 5, options(3)), await stratifiedFolds(all, 5, options(4)));
  });
});

describe('parts', () => {
  it('are all rows, each once, in order, with a text of every label first', async () => {
    await fc.assert(
      fc.asyncProperty(rows, fc.array(fc.constantFrom(0, 0.1, 0.3, 1), { minLength: 1, maxLength: 4 }), fc.integer(), async (all, more, seed) => {
        const parts = await stratifiedParts(all, [0.5, ...more], options(seed));
        assert.strictEqual(parts.length, more.length + 1);
        assert.strictEqual(new Set(parts.flat()).size, all.length);
        for (const part of parts) assert.deepStrictEqual(part, all.filter((row) => part.includes(row)));
        for (const [at, share] of more.entries()) if (share === 0) assert.deepStrictEqual(parts[at + 1], []);
        const texts = parts.map((part) => new Set(part.map(({ text }) => normalizeText(text))));
        for (const [a, one] of texts.entries()) for (const other of texts.slice(a + 1)) for (const text of other) assert.ok(!one.has(text));
        assert.ok(parts[0]!.length > 0);
      }),
    );
  });

  it('get their texts in order where a label has few', async () => {
    for (const [count, sizes] of [[1, [1, 0, 0]], [2, [1, 1, 0]], [3, [1, 1, 1]], [4, [2, 1, 1]], [40, [32, 4, 4]]] as const) {
      const all = Array.from({ length: count }, (_, index) => ({ text: `text ${index}`, label: 'a' }));
      assert.deepStrictEqual((await stratifiedParts(all, [0.8, 0.1, 0.1], options(1))).map((part) => part.length), sizes);
    }
  });
});

describe('strata', () => {
  it('are the labels, sets of labels or the rarest of them, or quantiles of numbers', () => {
    assert.deepStrictEqual(strataOf(['a', 'b', 'a'], 2), ['a', 'b', 'a']);
    // two rows have just a; of the others c, d and b are the rarest
    assert.deepStrictEqual(strataOf([['a'], ['a'], [], ['b', 'a', 'c'], ['a', 'd'], ['b']], 2), ['["a"]', '["a"]', '[]', '"c"', '"d"', '"b"']);
    const numbers = Array.from({ length: 50 }, (_, index) => (index * 7) % 50);
    assert.deepStrictEqual(strataOf(numbers, 5), numbers.map((number) => String(Math.floor(number / 5))));
    assert.deepStrictEqual(new Set(strataOf(numbers, 25)), new Set(['0', '1']));
  });
});
