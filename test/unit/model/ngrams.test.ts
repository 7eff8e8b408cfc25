import * as assert from 'node:assert';
import * as fc from 'fast-check';
import { ngramBuckets, ngramCount, ngramFactor, ngramLimits, ngramScale } from '../../../src/core/model/ngrams';

const someIds = fc.array(fc.integer({ min: 0, max: 999_999 }), { maxLength: 12 });
const someLayer = fc.record({
  buckets: fc.integer({ min: 1, max: 256 }).map((n) => n * 1024),
  longest: fc.integer({ min: 1, max: ngramLimits.longest }),
});

describe('buckets of n-grams', () => {
  it('are those of the polynomial hash, singles first, then pairs, then triples', () => {
    fc.assert(
      fc.property(someIds, someLayer, (ids, layer) => {
        const expected: number[] = [];
        for (let size = 1; size <= layer.longest; size++) {
          for (let start = 0; start + size <= ids.length; start++)
            expected.push(Number(ids.slice(start, start + size).reduce((hash, id) => (hash * BigInt(ngramFactor) + BigInt(id)) % BigInt(layer.buckets), 0n)));
        }
        assert.deepStrictEqual([...ngramBuckets(ids, layer)], expected);
        assert.strictEqual(ngramCount(ids.length, layer.longest), expected.length);
      }),
    );
  });

  it('never take more than 31 bits on the way', () => {
    const largest = ngramLimits.buckets.maximum - 1;
    assert.ok(largest * ngramFactor + largest < 2 ** 31);
  });

  it('hold pairs of frequent tokens apart', () => {
    for (const buckets of [4096, 32_768, 262_144]) {
      // half the root of the buckets is what the factor was chosen for
      const side = Math.floor(Math.sqrt(buckets) / 2);
      const pairs = new Set<number>();
      for (let a = 0; a < side; a++) for (let b = 0; b < side; b++) pairs.add(ngramBuckets([a, b], { buckets, longest: 2 })[2]!);
      assert.strictEqual(pairs.size, side * side);
    }
  });

  it('count for less the more there are and the larger they are, and nothing divides by zero', () => {
    const sizes = [1, 0, 9];
    assert.strictEqual(ngramScale([], sizes), 1);
    assert.strictEqual(ngramScale([1, 1], sizes), 1);
    assert.strictEqual(ngramScale([0], sizes), 1);
    assert.strictEqual(ngramScale(Array(16).fill(0), sizes), 0.25);
    assert.strictEqual(ngramScale([2, 1, 1], sizes), 1 / 3);
  });
});
