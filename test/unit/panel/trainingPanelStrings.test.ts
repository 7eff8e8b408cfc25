import * as assert from 'node:assert';
import { HumanError } from '../../../src/core/errors';
import { checkHyperparameters, hyperparameterSpecs } from '../../../src/core/model/hyperparameters';
import { hyperparameterNames, hyperparameterProblems } from '../../../src/core/protocol/trainingPanelStrings';

describe('what the training panel says of hyperparameters', () => {
  it('has a name for each, and no two of the same', () => {
    for (const { name } of hyperparameterSpecs) assert.ok(hyperparameterNames[name], `${name} has no name`);
    assert.strictEqual(new Set(Object.values(hyperparameterNames)).size, Object.keys(hyperparameterNames).length);
  });

  it('knows every way in which a value can be wrong, so that it can be translated', () => {
    const said = new Set<string>();
    for (const spec of hyperparameterSpecs) {
      const wrong = 'choices' in spec ? ['none of them'] : ['text', spec.minimum - 1, spec.maximum + 1, ...(spec.integer ? [spec.minimum + 0.5] : []), ...(spec.multipleOf === undefined ? [] : [spec.minimum + 1])];
      for (const value of wrong) {
        assert.throws(
          () => checkHyperparameters({ [spec.name]: value }),
          (error: HumanError) => {
            said.add(error.template);
            return error instanceof HumanError;
          },
        );
      }
    }
    assert.deepStrictEqual([...said].sort(), [...hyperparameterProblems].sort());
  });
});
