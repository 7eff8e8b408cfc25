import * as assert from 'node:assert';
import * as fc from 'fast-check';
import type { Layer } from '../../../src/core/model/architecture';
import { findPreset } from '../../../src/core/model/presets';
import { Random } from '../../../src/core/util/random';
import { fillBatch, planEpoch, planEvaluation, splitBatch, tokenCost } from '../../../src/training/batches';

describe('batches of an epoch', () => {
  const lengthsAndSize = fc.tuple(fc.array(fc.nat(600), { maxLength: 400 }), fc.integer({ min: 1, max: 40 }));

  it('hold every row once and are full but for one', () => {
    fc.assert(
      fc.property(lengthsAndSize, fc.nat(), ([lengths, size], seed) => {
        for (const plan of [planEpoch(lengths, size, new Random(seed)), planEpoch(lengths, size, undefined), planEvaluation(lengths, size)]) {
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

  it('keep the order of the rows where they are not shuffled', () => {
    assert.deepStrictEqual(planEpoch([9, 1, 5, 2, 8], 2, undefined).map((batch) => [...batch]), [[0, 1], [2, 3], [4]]);
  });

  it('waste little on padding', () => {
    const random = new Random(3);
    const lengths = Array.from({ length: 5000 }, () => 1 + random.below(400));
    const padded = planEpoch(lengths, 32, random).reduce((sum, batch) => sum + batch.length * Math.max(...Array.from(batch, (row) => lengths[row]!)), 0);
    const tokens = lengths.reduce((sum, length) => sum + length, 0);
    assert.ok(padded < 1.1 * tokens, `${padded} for ${tokens} tokens`);
  });

  it('split into parts that fit into memory and a quarter of a second, unless one text does not, and keep their rows', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(9000), { minLength: 1, maxLength: 64 }), fc.integer({ min: 100, max: 50_000 }), fc.integer({ min: 1e4, max: 1e8 }), (lengths, bytes, operations) => {
        const batch = Int32Array.from(lengths, (_, row) => row);
        const parts = splitBatch(batch, lengths, { bytes, operations });
        assert.deepStrictEqual(Int32Array.from(parts.flatMap((part) => [...part])), batch);
        const longest = Math.max(1, ...lengths);
        for (const part of parts) {
          const tokens = part.length * longest;
          assert.ok(part.length === 1 || tokens * bytes <= 64e6);
          assert.ok(part.length <= 8 || tokens * operations <= 6e9);
        }
      }),
    );
  });

  it('cost what their architecture costs', () => {
    const architecture = findPreset('bilstm-pool')!.build({ vocabularySize: 20_000, labels: 2, embeddingSize: 128, hiddenUnits: 128, dropout: 0.5 });
    // x before and after dropout with gradients, gates with cells and their tanh in both directions, y and its gradient
    assert.deepStrictEqual(tokenCost(architecture), { bytes: 4 * (4 * 128 + 2 * 6 * 128 + 2 * 256), operations: 3 * 524_288 });
  });

  it('cost less after pooling over windows, and what convolutions and attention compute', () => {
    const cost = (...layers: readonly Layer[]) => tokenCost({ preset: 'test', layers: [{ type: 'embedding', name: 'embedding', vocabularySize: 10, size: 16 }, ...layers] });
    const conv: Layer = { type: 'conv', name: 'conv', filters: 8, kernelSize: 5, activation: 'relu' };
    assert.strictEqual(cost(conv).operations, 6 * 5 * 16 * 8);
    const lstm: Layer = { type: 'lstm', name: 'lstm', units: 8, bidirectional: false };
    const [whole, pooled] = [cost(lstm), cost({ type: 'maxPool', name: 'windows', size: 4 }, lstm)];
    assert.strictEqual(pooled.operations, whole.operations / 4);
    assert.ok(pooled.bytes < whole.bytes);
    const pool: Layer = { type: 'pool', name: 'pool', methods: ['max'] };
    assert.strictEqual(cost({ type: 'attention', name: 'attention', units: 12 }).operations - cost(pool).operations, 6 * 12 * 16);
  });

  it('are padded with 0 and never empty in time', () => {
    assert.deepStrictEqual(fillBatch([Int32Array.of(5, 6, 7), Int32Array.of(), Int32Array.of(8)]), { ids: Int32Array.of(5, 6, 7, 0, 0, 0, 8, 0, 0), lengths: Int32Array.of(3, 0, 1), time: 3 });
    assert.deepStrictEqual(fillBatch([Int32Array.of()]), { ids: Int32Array.of(0), lengths: Int32Array.of(0), time: 1 });
  });
});
