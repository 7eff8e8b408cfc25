import * as assert from 'node:assert';
import * as fc from 'fast-check';
import { ngramBuckets, ngramCount, ngramDigit, ngramFactors, ngramLimits, ngramScale } from '../../../src/core/model/ngrams';

const someIds = fc.array(fc.integer({ min: 0, max: 999_999 }), { maxLength: 12 });
const someLayer = fc.record({
  buckets: fc.oneof(fc.integer({ min: 1, max: 1024 }).map((n) => n * 1024), fc.integer({ min: 1, max: ngramLimits.buckets.maximum })),
  longest: fc.integer({ min: 1, max: ngramLimits.longest }),
});

describe('buckets of n-grams', () => {
  it('are those of the polynomial hash, singles first, then pairs, then triples', () => {
    fc.assert(
      fc.property(someIds, someLayer, (ids, layer) => {
        const expected: number[] = [];
        for (let size = 1; size <= layer.longest; size++) {
          for (let start = 0; start + size <= ids.length; start++)
            expected.push(Number(ids.slice(start, start + size).reduce((hash, id) => (hash * 1_000_003n + BigInt(id)) % BigInt(layer.buckets), 0n)));
        }
        assert.deepStrictEqual([...ngramBuckets(ids, layer)], expected);
        assert.strictEqual(ngramCount(ids.length, layer.longest), expected.length);
      }),
    );
  });

  it('never take more than 31 bits on the way', () => {
    const most = ngramLimits.buckets.maximum;
    // what the largest numbers of a table are, whatever the factors
    const digit = Math.max(ngramDigit - 1, Math.floor((most - 1) / ngramDigit));
    assert.ok(digit * (most - 1) * 2 + most - 1 < 2 ** 31);
    for (let buckets = ngramLimits.buckets.minimum; buckets <= most; buckets += ngramLimits.buckets.minimum) {
      const { low, high } = ngramFactors(buckets);
      assert.ok(low >= 0 && low < buckets && high >= 0 && high < buckets, `${buckets}`);
    }
  });

  it('hold pairs of frequent tokens apart where there is a power of two of them', () => {
    for (let buckets: number = ngramLimits.buckets.minimum; buckets <= ngramLimits.buckets.maximum; buckets *= 2) {
      const side = Math.floor(Math.sqrt(buckets) / 3);
      const pairs = new Set<number>();
      for (let a = 0; a < side; a++) for (let b = 0; b < side; b++) pairs.add(ngramBuckets([a, b], { buckets, longest: 2 })[2]!);
      assert.strictEqual(pairs.size, side * side, `${buckets}`);
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
