import * as assert from 'node:assert';
import type { Architecture } from '../../../src/core/model/architecture';
import { Random } from '../../../src/core/util/random';
import type { CreateEngine } from '../../../src/training/engine';
import { Network } from '../../../src/training/network';
import { tf } from '../../../src/training/tf';
import { batchOf, engines, randomEngine, smallArchitectures } from './engines';
import { referenceLogits, referenceLoss, type Reference } from './reference';

const vocabularySize = 9;
const labels = 3;

/** Texts of ragged lengths, among them none at all, one token, and a token that comes back. */
const ragged = [[2, 3, 4, 5, 6, 7, 8, 2, 3], [], [4], [8, 8, 8, 1], [5, 2, 7, 3, 1, 6]];

for (const { name, create } of engines) {
  describe(`${name} engine against double precision`, () => {
    for (const [title, architecture] of Object.entries(smallArchitectures({ vocabularySize, labels }))) {
      for (const [shape, texts] of Object.entries({ ragged, 'one token each': [[3], [5]], 'all of one length': [[2, 3, 4], [5, 6, 7]], 'no token at all': [[], []] })) {
        it(`${title}: logits and every gradient, ${shape}`, async () => await checkGradients(create, architecture, texts, labels));
      }
    }

    for (const [title, architecture] of Object.entries(smallArchitectures({ vocabularySize, labels: 1 }))) {
      it(`${title}: a head of one unit that tells two labels apart, logits and every gradient`, async () => await checkGradients(create, architecture, ragged, 2));
    }

    it('smooths the labels of the loss it learns from, but reports the plain loss', async () => {
      const smoothing = 0.3;
      const engine = await randomEngine(create, smallArchitectures({ vocabularySize, labels })['one direction, last']!, 5);
      const text = [2, 3, 4];
      const batch = { ...batchOf([text]), labels: Int32Array.of(1), seeds: [1], stepSeed: 1 };
      const reference: Reference = { layout: engine.layout, weights: Float64Array.from(engine.weights()) };
      close(new Network(engine, { labelSmoothing: smoothing }).learn(batch, 1), referenceLoss(reference, text, 1), 1e-6, 'loss');
      // the gradient to the head's bias is softmax - target
      const powers = referenceLogits(reference, text).map(Math.exp);
      const sum = powers.reduce((total, power) => total + power, 0);
      const { offset } = engine.layout.find('head/bias');
      powers.forEach((power, label) => close(engine.gradients()[offset + label]!, power / sum - (smoothing / labels + (label === 1 ? 1 - smoothing : 0)), 1e-6, `label ${label}`));
      engine.dispose();
    });

    it('weighs the loss that it learns from by class, but reports the plain loss', async () => {
      const classWeights = [0.5, 3, 1];
      const architecture = smallArchitectures({ vocabularySize, labels })['one direction, last']!;
      const truth = [1, 0, 2, 1, 1];
      const pass = async (options: object, rows: readonly number[], weights: readonly number[]): Promise<{ loss: number; gradients: Float32Array }> => {
        const engine = await randomEngine(create, architecture, 5);
        const network = new Network(engine, options);
        let loss = 0;
        rows.forEach((row, k) => (loss += network.learn({ ...batchOf([ragged[row]!]), labels: Int32Array.of(truth[row]!), seeds: [1], stepSeed: 1 }, weights[k]!)));
        const gradients = engine.gradients().slice();
        engine.dispose();
        return { loss, gradients };
      };
      const rows = ragged.map((_, row) => row);
      const weighted = await pass({ classWeights }, rows, rows.map(() => 0.2));
      const expected = await pass({}, rows, rows.map((row) => 0.2 * classWeights[truth[row]!]!));
      close(weighted.loss, expected.loss, 1e-6, 'loss');
      weighted.gradients.forEach((slope, k) => close(slope, expected.gradients[k]!, 1e-7, `gradient ${k}`));
    });

    it('gives the same gradients however a batch is split', async () => {
      const architecture = Object.values(smallArchitectures({ vocabularySize, labels }))[1]!;
      const engine = await randomEngine(create, architecture, 5);
      const network = new Network(engine);
      const learn = (from: number, to: number): number =>
        network.learn({ ...batchOf(ragged.slice(from, to)), labels: Int32Array.of(0, 1, 2, 0, 1).subarray(from, to), seeds: [1, 2, 3, 4, 5].slice(from, to), stepSeed: 1 }, 0.2);
      const whole = learn(0, 5);
      const expected = engine.gradients().slice();
      engine.zeroGradients();
      assert.ok(engine.gradients().every((slope) => slope === 0));
      close(learn(0, 2) + learn(2, 5), whole, 1e-5, 'loss');
      engine.gradients().forEach((slope, k) => close(slope, expected[k]!, 1e-7, `gradient ${k}`));
      engine.dispose();
    });

    it('leaves no tensor behind', async () => {
      const engine = await randomEngine(create, Object.values(smallArchitectures({ vocabularySize, labels }))[2]!, 5);
      const network = new Network(engine);
      const before = tf.memory().numTensors;
      network.learn({ ...batchOf(ragged), labels: new Int32Array(5), seeds: [1, 2, 3, 4, 5], stepSeed: 1 }, 0.2);
      network.logits(batchOf(ragged));
      assert.strictEqual(tf.memory().numTensors, before);
      engine.dispose();
    });
  });
}

/** The network's logits, loss and gradients against those of the reference, the latter by finite differences. @param labels how many there are */
async function checkGradients(create: CreateEngine, architecture: Architecture, texts: readonly (readonly number[])[], labels: number): Promise<void> {
  const engine = await randomEngine(create, architecture, 5);
  const network = new Network(engine);
  const random = new Random(9);
  const truth = texts.map(() => random.below(labels));
  const seeds = texts.map((_, b) => 100 + b);
  const reference: Reference = { layout: engine.layout, weights: Float64Array.from(engine.weights()) };
  assert.strictEqual(network.labels, labels);

  const logits = network.logits(batchOf(texts));
  texts.forEach((text, b) => referenceLogits(reference, text).forEach((logit, k) => close(logits[b * labels + k]!, logit, 1e-6, `logit ${k} of text ${b}`)));

  const loss = network.learn({ ...batchOf(texts), labels: Int32Array.from(truth), seeds, stepSeed: 77 }, 1 / texts.length);
  const total = (at: Reference): number => texts.reduce((sum, text, b) => sum + referenceLoss(at, text, truth[b]!, { example: seeds[b]!, step: 77 }), 0);
  close(loss, total(reference), 1e-5, 'loss');

  const gradients = engine.gradients();
  const step = 1e-5;
  for (const { name: parameter, offset, size } of engine.layout.parameters) {
    // which are given, not learned
    if (parameter.endsWith('/sizes')) continue;
    for (let k = offset; k < offset + size; k++) {
      const nudged = (by: number): number => {
        const weights = reference.weights.slice();
        weights[k]! += by;
        return total({ layout: engine.layout, weights });
      };
      const slope = (nudged(step) - nudged(-step)) / (2 * step) / texts.length;
      close(gradients[k]!, slope, 1e-6, `gradient of ${parameter}[${k - offset}]`);
    }
  }
  engine.dispose();
}

function close(actual: number, expected: number, tolerance: number, what: string): void {
  assert.ok(Math.abs(actual - expected) <= tolerance, `${what}: ${actual} instead of ${expected}`);
}
