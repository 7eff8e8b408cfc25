import * as assert from 'node:assert';
import * as fc from 'fast-check';
import { Random } from '../../../src/core/util/random';
import { fillBatch, planEpoch, planEvaluation, splitBatch } from '../../../src/training/batches';

describe('batches of an epoch', () => {
  const lengthsAndSize = fc.tuple(fc.array(fc.nat(600), { maxLength: 400 }), fc.integer({ min: 1, max: 40 }));

  it('hold every row once and are full but for one', () => {
    fc.assert(
      fc.property(lengthsAndSize, fc.nat(), ([lengths, size], seed) => {
        for (const plan of [planEpoch(lengths, size, new Random(seed)), planEvaluation(lengths, size)]) {
          assert.deepStrictEqual(
            plan.flatMap((batch) => [...batch]).sort((a, b) => a - b),
            lengths.map((_, row) => row),
          );
          assert.ok(plan.filter((batch) => batch.length < size).length <= 1);
        }
      }),
    );
  });

  it('are the same for the same seed and others for another', () => {
    const lengths = Array.from({ length: 300 }, (_, row) => row % 50);
    const plan = (seed: number): Int32Array[] => planEpoch(lengths, 16, new Random(seed));
    assert.deepStrictEqual(plan(1), plan(1));
    assert.notDeepStrictEqual(plan(1), plan(2));
  });

  it('waste little on padding', () => {
    const random = new Random(3);
    const lengths = Array.from({ length: 5000 }, () => 1 + random.below(400));
    const padded = planEpoch(lengths, 32, random).reduce((sum, batch) => sum + batch.length * Math.max(...Array.from(batch, (row) => lengths[row]!)), 0);
    const tokens = lengths.reduce((sum, length) => sum + length, 0);
    assert.ok(padded < 1.1 * tokens, `${padded} for ${tokens} tokens`);
  });

  it('split into parts of at most 4096 tokens, unless one text has more, and keep their rows', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(9000), { minLength: 1, maxLength: 64 }), (lengths) => {
        const batch = Int32Array.from(lengths, (_, row) => row);
        const parts = splitBatch(batch, lengths);
        assert.deepStrictEqual(Int32Array.from(parts.flatMap((part) => [...part])), batch);
        const longest = Math.max(1, ...lengths);
        for (const part of parts) assert.ok(part.length === 1 || part.length * longest <= 4096);
      }),
    );
  });

  it('are padded with 0 and never empty in time', () => {
    assert.deepStrictEqual(fillBatch([Int32Array.of(5, 6, 7), Int32Array.of(), Int32Array.of(8)]), { ids: Int32Array.of(5, 6, 7, 0, 0, 0, 8, 0, 0), lengths: Int32Array.of(3, 0, 1), time: 3 });
    assert.deepStrictEqual(fillBatch([Int32Array.of()]), { ids: Int32Array.of(0), lengths: Int32Array.of(0), time: 1 });
  });
});
