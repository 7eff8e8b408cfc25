import * as assert from 'node:assert';
import * as fc from 'fast-check';
import { Random } from '../../../src/core/util/random';
import { chooseBlend, type BlendChoice } from '../../../src/labeling/blend';
import { FeatureStore } from '../../../src/labeling/featureStore';
import type { Blend, HeadShape } from '../../../src/labeling/head';
import type { Lecture } from '../../../src/labeling/headFit';
import { leaveOneOut } from '../../../src/labeling/leaveOneOut';
import { batchOf, madeTexts, type MadeTexts } from './texts';

function choose(made: MadeTexts, rows: number, { truth = made.truth, present, kind = 'single' }: { truth?: readonly number[]; present?: Blend; kind?: HeadShape['kind'] } = {}): BlendChoice {
  const outputs = kind === 'number' ? 1 : 3;
  const store = new FeatureStore(made.setup.count, made.width, outputs, false);
  store.add(batchOf(made, 0, made.setup.count));
  const lectures = Array.from({ length: rows }, (_, position): Lecture => ({ position, value: kind === 'number' ? truth[position]! : [truth[position]!] }));
  const work = chooseBlend({ kind, width: made.width, outputs, hasBase: false }, store, store.statistics(), lectures, present);
  for (;;) {
    const { done, value } = work.next();
    if (done) return value;
  }
}

const lean = ({ blend }: BlendChoice): number => blend.ngrams / blend.features;

describe('leaving one out', () => {
  it('gives the errors of a ridge regression that learned from all other rows', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 8 }), fc.integer({ min: 1, max: 3 }), fc.constantFrom(0.1, 1, 10), fc.integer(), (rows, outputs, noise, seed) => {
        const random = new Random(seed);
        const inputs = Array.from({ length: rows }, () => Array.from({ length: 4 }, () => random.normal()));
        const products = Float64Array.from({ length: rows * rows }, (_, i) => inputs[Math.floor(i / rows)]!.reduce((sum, value, j) => sum + value * inputs[i % rows]![j]!, 0));
        const targets = Float64Array.from({ length: rows * outputs }, () => random.normal());
        const errors = leaveOneOut(products, rows, noise, targets, outputs);
        for (let row = 0; row < rows; row++) {
          for (let k = 0; k < outputs; k++) {
            const weights = ridge(inputs.filter((_, other) => other !== row), Array.from({ length: rows }, (_, other) => targets[other * outputs + k]!).filter((_, other) => other !== row), noise);
            const expected = targets[row * outputs + k]! - inputs[row]!.reduce((sum, value, j) => sum + value * weights[j]!, 0);
            assert.ok(Math.abs(errors[row * outputs + k]! - expected) < 1e-4 * Math.max(1, Math.abs(expected)), `${errors[row * outputs + k]} for ${expected}`);
          }
        }
      }),
    );
  });
});

describe('the blend of features and n-grams', () => {
  it('leans to what tells the labels', () => {
    const random = new Random(3);
    const noise = madeTexts(200, { width: 20, words: 30, seed: 2 });
    const words = { ...noise, features: noise.features.map(() => random.normal()) };
    const features = { ...noise, texts: madeTexts(200, { words: 30, seed: 9 }).texts! };
    assert.ok(lean(choose(words, 80)) > lean(choose(features, 80)));
    assert.ok(choose(words, 80).skill! > 0.5 && choose(features, 80).skill! > 0.5);
  });

  it('is the middle one as long as the decisions tell nothing, and stays where another is hardly better', () => {
    const made = madeTexts(200, { width: 20, words: 30 });
    const { blend, skill } = choose(made, 5);
    assert.strictEqual(skill, undefined);
    assert.ok(blend.features < blend.ngrams);
    const random = new Random(1);
    const guesses = made.truth.map(() => random.below(3));
    const chosen = [choose(made, 40, { truth: guesses, present: blend }), choose(made, 40, { truth: guesses })];
    assert.ok(chosen.every((choice) => choice.skill! < 0.3));
  });

  it('knows when the head is no better than chance, also where one answer is by far the commonest', () => {
    const random = new Random(5);
    const made = madeTexts(400, { width: 20, words: 20 });
    const skills = [made.truth.map(() => random.below(3)), made.truth.map(() => (random.float() < 0.9 ? 0 : 1))].map((truth) => choose(made, 250, { truth }).skill!);
    skills.forEach((skill) => assert.ok(Math.abs(skill) < 0.1, `${skill}`));
    assert.ok(choose(made, 250).skill! > 0.8);
  });

  it('of numbers has a skill, too', () => {
    const made = madeTexts(200, { width: 8, noise: 0.5, words: 10 });
    assert.ok(choose(made, 100, { kind: 'number' }).skill! > 0.7);
    const random = new Random(5);
    assert.ok(choose(made, 100, { kind: 'number', truth: made.truth.map(() => random.normal()) }).skill! < 0.1);
  });

  it('does not depend on the order of the decisions', () => {
    const made = madeTexts(300, { width: 8, words: 10 });
    const store = new FeatureStore(300, 8, 3, false);
    store.add(batchOf(made, 0, 300));
    const lectures = Array.from({ length: 300 }, (_, position): Lecture => ({ position, value: [made.truth[position]!] }));
    const shape: HeadShape = { kind: 'single', width: 8, outputs: 3, hasBase: false };
    const run = (rows: readonly Lecture[]): BlendChoice => {
      const work = chooseBlend(shape, store, store.statistics(), rows);
      for (;;) {
        const { done, value } = work.next();
        if (done) return value;
      }
    };
    assert.deepStrictEqual(run(lectures), run([...lectures].reverse()));
  });
});

/** Weights of a ridge regression, by coordinate descent. */
function ridge(inputs: readonly (readonly number[])[], targets: readonly number[], noise: number): number[] {
  const weights = Array.from({ length: 4 }, () => 0);
  for (let round = 0; round < 400; round++) {
    for (let j = 0; j < 4; j++) {
      const pull = inputs.reduce((sum, row, i) => sum + row[j]! * (targets[i]! - row.reduce((own, value, l) => own + (l === j ? 0 : value * weights[l]!), 0)), 0);
      weights[j] = pull / (noise + inputs.reduce((sum, row) => sum + row[j]! ** 2, 0));
    }
  }
  return weights;
}
