import * as assert from 'node:assert';
import { baseRecipe, rowsForAllLayers } from '../../../src/app/baseRecipe';
import { checkHyperparameters } from '../../../src/core/model/hyperparameters';

const base = { task: { kind: 'single' as const, labels: [{ id: 'negative' }, { id: 'positive' }] } };
const own = ['positive', 'negative'];
const other = ['ham', 'spam'];

describe('how to train from a base', () => {
  it('is by its head alone for few rows, and by all layers from there on', () => {
    for (const labels of [own, other]) {
      for (const rows of [10, rowsForAllLayers - 1]) assert.strictEqual(baseRecipe(rows, labels, base).baseHead, 'only');
      for (const rows of [rowsForAllLayers, 1000, 100_000]) {
        const recipe = baseRecipe(rows, labels, base);
        assert.strictEqual(recipe.baseHead, 'fitted');
        assert.ok((recipe.layerDecay ?? 1) > 2);
      }
    }
  });

  it('does not let the base’s own labels count by how often each came, unless there are many rows', () => {
    assert.deepStrictEqual([[own, 1000], [other, 1000], [own, 100_000]].map(([labels, rows]) => baseRecipe(rows as number, labels as string[], base).classWeights), ['balanced', 'none', undefined]);
  });

  it('passes every check, and gives way to what a person asks for', () => {
    for (const rows of [10, 100, 10_000]) {
      const recipe = baseRecipe(rows, own, base);
      assert.ok(checkHyperparameters({}, recipe).ngramBuckets > 0);
      assert.strictEqual(checkHyperparameters({ ngramBuckets: 0, baseHead: 'kept' }, recipe).ngramBuckets, 0);
    }
  });
});
