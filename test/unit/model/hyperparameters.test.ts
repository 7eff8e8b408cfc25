import * as assert from 'node:assert';
import * as fc from 'fast-check';
import { HumanError } from '../../../src/core/errors';
import { checkHyperparameters, defaultHyperparameters, hyperparameterSpecs } from '../../../src/core/model/hyperparameters';
import { presets } from '../../../src/core/model/presets';
import type { Hyperparameters } from '../../../src/core/protocol/trainer';

const refused = (values: Readonly<Record<string, unknown>>, code: string, ...mentions: string[]): void =>
  assert.throws(
    () => checkHyperparameters(values),
    (error) => error instanceof HumanError && error.code === code && !/\{\d\}/.test(error.message) && mentions.every((mention) => error.message.includes(mention)),
  );

describe('hyperparameters', () => {
  it('have defaults that pass their own check, with and without a preset', () => {
    assert.deepStrictEqual(checkHyperparameters({}), defaultHyperparameters());
    for (const { defaults } of presets) assert.deepStrictEqual(checkHyperparameters({}, defaults), { ...defaultHyperparameters(), ...defaults });
  });

  it('have a specification each', () => {
    const all: Readonly<Record<keyof Hyperparameters, true>> = {
      embeddingSize: true, hiddenUnits: true, layers: true, filters: true, kernelSize: true, poolSize: true, denseUnits: true, shuffle: true, dropout: true, embeddingDropout: true, recurrentDropout: true, wordDropout: true, labelSmoothing: true, classWeights: true, regressionLoss: true, huberDelta: true, valueWeight: true,
      batchSize: true, learningRate: true, schedule: true, finalRateShare: true, layerDecay: true, unfreezeEpochs: true, weightDecay: true, weightAveraging: true, epochs: true,
      patience: true, gradientClip: true, maxTokens: true, minFrequency: true, vocabularySize: true, ngramBuckets: true, ngramLength: true, baseHead: true, embeddingTraining: true,
      seed: true,
    };
    assert.deepStrictEqual(hyperparameterSpecs.map(({ name }) => name).sort(), Object.keys(all).sort());
  });

  it('are explained in one line each', () => {
    assert.strictEqual(new Set(hyperparameterSpecs.map(({ name }) => name)).size, hyperparameterSpecs.length);
    for (const { help } of hyperparameterSpecs) assert.match(help, /^[^\n]{10,120}[^.]$/);
  });

  it('take every value of their range and no other', () => {
    for (const spec of hyperparameterSpecs) {
      if ('choices' in spec) continue;
      const { name, minimum, maximum, integer, multipleOf = 1 } = spec;
      assert.ok(minimum < maximum, name);
      const inside = integer ? fc.integer({ min: Math.ceil(minimum / multipleOf), max: Math.floor(maximum / multipleOf) }).map((n) => n * multipleOf) : fc.double({ min: minimum, max: maximum, noNaN: true });
      fc.assert(fc.property(inside, (value) => assert.strictEqual(checkHyperparameters({ [name]: value })[name], value)));
      for (const value of [minimum - multipleOf, maximum + multipleOf, NaN, Infinity, -Infinity, '5', {}, [3], true]) refused({ [name]: value }, 'hyperparameter.range', name);
      if (integer) refused({ [name]: minimum + 0.5 }, 'hyperparameter.integer', name);
      if (multipleOf > 1) refused({ [name]: minimum + 1 }, 'hyperparameter.multiple', name, String(minimum));
    }
  });

  it('take every one of their choices and nothing else', () => {
    const choices = hyperparameterSpecs.flatMap((spec) => ('choices' in spec ? [spec] : []));
    assert.deepStrictEqual(
      choices.map(({ name }) => name),
      ['classWeights', 'regressionLoss', 'shuffle', 'schedule', 'baseHead', 'embeddingTraining'],
    );
    for (const { name, choices: all, default: own } of choices) {
      assert.ok(all.length > 1 && new Set<string>(all).size === all.length && (all as readonly string[]).includes(own));
      for (const choice of all) assert.strictEqual(checkHyperparameters({ [name]: choice })[name], choice);
      for (const value of ['', 'Linear', 'toString', '0', 0, 1, NaN, true, [own], {}, 'x'.repeat(10_000)]) refused({ [name]: value }, 'hyperparameter.choice', name, all.join(', '));
    }
  });

  it('take their default where nothing is given', () => {
    assert.strictEqual(checkHyperparameters({ epochs: undefined }, { epochs: 7 }).epochs, 7);
    assert.strictEqual(checkHyperparameters({ epochs: 3 }, { epochs: 7 }).epochs, 3);
  });

  it('refuse names that they do not know, also those of object members', () => {
    refused({ epoch: 3 }, 'hyperparameter.unknown', 'epoch', 'epochs');
    refused(JSON.parse('{"__proto__": 3}') as Record<string, unknown>, 'hyperparameter.unknown', '__proto__');
    refused({ constructor: 1 }, 'hyperparameter.unknown');
  });
});
