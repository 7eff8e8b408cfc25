import * as assert from 'node:assert';
import * as fc from 'fast-check';
import { defaultHyperparameters } from '../../../src/core/model/hyperparameters';
import { findPreset } from '../../../src/core/model/presets';
import { batchBudget, packBatches } from '../../../src/inference/batches';

describe('packBatches', () => {
  it('puts each text into one batch, sorted by length, within the budget', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.nat({ max: 20 }), fc.nat({ max: 600 })), { maxLength: 400 }), fc.integer({ min: 1, max: 4096 }), (lengths, budget) => {
        const batches = packBatches(Int32Array.from(lengths), budget);
        const order = batches.flatMap((batch) => [...batch]);
        assert.deepStrictEqual([...order].sort((a, b) => a - b), lengths.map((_, i) => i));
        assert.deepStrictEqual(order.map((i) => lengths[i]), [...lengths].sort((a, b) => a - b));
        for (const batch of batches) {
          assert.ok(batch.length >= 1 && batch.length <= 64);
          if (batch.length > 1) assert.ok(batch.length * lengths[batch.at(-1)!]! <= budget, 'over the budget');
        }
        // no two neighbours could have been one
        batches.forEach((batch, i) => {
          const first = batches[i + 1]?.[0];
          if (first !== undefined) assert.ok(batch.length === 64 || (batch.length + 1) * lengths[first]! > budget, 'cut too early');
        });
      }),
    );
  });

  it('takes fewer tokens at a time for a model that computes more', () => {
    const preset = findPreset('bilstm-pool')!;
    const budget = (units: number): number => batchBudget(preset.build({ ...defaultHyperparameters(preset.defaults), embeddingSize: units, hiddenUnits: units, vocabularySize: 1000, labels: 2 }));
    assert.deepStrictEqual([16, 64, 128, 4096].map(budget), [2048, 1907, 476, 256]);
  });
});
