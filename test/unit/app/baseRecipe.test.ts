import * as assert from 'node:assert';
import { baseRecipe, rowsForAllLayers } from '../../../src/app/baseRecipe';
import { checkHyperparameters } from '../../../src/core/model/hyperparameters';

describe('how to train from a base', () => {
  it('is by its head alone under a hundred rows, and by all layers from there on', () => {
    for (const rows of [10, 50, 99]) assert.strictEqual(baseRecipe(rows).baseHead, 'only');
    for (const rows of [rowsForAllLayers, 1000, 100_000]) {
      const recipe = baseRecipe(rows);
      assert.strictEqual(recipe.baseHead, 'fitted');
      assert.ok((recipe.layerDecay ?? 1) > 2);
    }
  });

  it('passes every check, and gives way to what a person asks for', () => {
    for (const rows of [10, 100, 10_000]) {
      const own = checkHyperparameters({}, baseRecipe(rows));
      assert.ok(own.ngramBuckets > 0);
      assert.strictEqual(checkHyperparameters({ ngramBuckets: 0, baseHead: 'kept' }, baseRecipe(rows)).ngramBuckets, 0);
    }
  });
});
