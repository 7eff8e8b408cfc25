import * as assert from 'node:assert';
import * as fc from 'fast-check';
import { batchLoss, softmaxCrossEntropy, type LossOptions, type Truth } from '../../../src/training/loss';
import { startTfjs, tf } from '../../../src/training/tf';
import { wasmFolder } from './engines';

describe('softmax cross entropy', () => {
  before(() => startTfjs(wasmFolder));

  const batches = fc
    .record({ labels: fc.array(fc.nat(4), { minLength: 1, maxLength: 6 }), smoothing: fc.constantFrom(0, 0.1, 0.9), weight: fc.constantFrom(1, 0.25) })
    .chain((batch) => fc.record({ batch: fc.constant(batch), logits: fc.array(fc.double({ min: -30, max: 30, noNaN: true }), { minLength: 5 * batch.labels.length, maxLength: 5 * batch.labels.length }) }));

  it('is the loss of tfjs, and has its gradient', () => {
    fc.assert(
      fc.property(batches, ({ batch: { labels, smoothing, weight }, logits }) => {
        const values = Float32Array.from(logits);
        const actual = softmaxCrossEntropy(values, Int32Array.from(labels), weight, { labelSmoothing: smoothing });
        tf.tidy(() => {
          const truth = tf.oneHot(tf.tensor1d(labels, 'int32'), 5);
          const entropy = (z: tf.Tensor, share: number): tf.Scalar => tf.mul(tf.losses.softmaxCrossEntropy(truth, z, undefined, share, tf.Reduction.SUM), weight);
          const z = tf.tensor2d(values, [labels.length, 5]);
          const { value, grad } = tf.valueAndGrad((at) => entropy(at, smoothing))(z);
          close(actual.loss, value.dataSync()[0]!, 1e-4);
          close(actual.plain * weight, entropy(z, 0).dataSync()[0]!, 1e-4);
          grad.dataSync().forEach((slope, k) => close(actual.slopes[k]!, slope, 1e-6));
        });
      }),
    );
  });

  it('stays finite where a probability is zero in floats', () => {
    const { plain, slopes } = softmaxCrossEntropy(Float32Array.of(1000, -1000), Int32Array.of(1), 1, {});
    assert.strictEqual(plain, 2000);
    assert.deepStrictEqual([...slopes], [1, -1]);
  });

  it('says so when a logit is not a number', () => {
    assert.ok(Number.isNaN(softmaxCrossEntropy(Float32Array.of(NaN, 0), Int32Array.of(1), 1, {}).plain));
  });
});

describe('the losses of several labels, of numbers, and of both', () => {
  const width = 3;
  const number = fc.double({ min: -6, max: 6, noNaN: true });
  const examples = fc.array(
    fc.record({ logits: fc.array(number, { minLength: width + 1, maxLength: width + 1 }), label: fc.nat(width - 1), marks: fc.array(fc.constantFrom(0, 1), { minLength: width, maxLength: width }), value: number }),
    { minLength: 1, maxLength: 5 },
  );
  type Example = typeof examples extends fc.Arbitrary<(infer E)[]> ? E : never;
  const settings = fc.record({ smoothing: fc.constantFrom(0, 0.2), weighted: fc.boolean(), loss: fc.constantFrom('squared' as const, 'huber' as const), delta: fc.constantFrom(0.3, 1), valueWeight: fc.constantFrom(0, 0.5, 3), weight: fc.constantFrom(1, 0.25) });

  const softplus = (z: number): number => Math.log(1 + Math.exp(z));
  /** As the textbooks have it, in double precision. */
  const reference = {
    multi: ({ marks }: Example, z: readonly number[], smoothing: number, weights: readonly number[]): number =>
      z.reduce((sum, logit, l) => {
        const target = (1 - smoothing) * marks[l]! + smoothing / 2;
        return sum + (weights[2 * l + marks[l]!]! * (target * softplus(-logit) + (1 - target) * softplus(logit))) / width;
      }, 0),
    number: ({ value }: Example, [z = NaN]: readonly number[], loss: string, delta: number): number => {
      const error = Math.abs(z - value);
      return loss === 'squared' ? error ** 2 : error <= delta ? error ** 2 / 2 : delta * error - delta ** 2 / 2;
    },
    single: ({ label }: Example, z: readonly number[], smoothing: number, weights: readonly number[]): number => {
      const logSum = Math.log(z.reduce((sum, logit) => sum + Math.exp(logit), 0));
      return weights[label]! * z.reduce((sum, logit, l) => sum + ((l === label ? 1 - smoothing : 0) + smoothing / z.length) * (logSum - logit), 0);
    },
  };

  for (const kind of ['multi', 'number', 'joint'] as const) {
    it(`of ${kind} are those of the textbook, and have their gradients`, () => {
      fc.assert(
        fc.property(examples, settings, (batch, { smoothing, weighted, loss, delta, valueWeight, weight }) => {
          const outputs = kind === 'multi' ? width : kind === 'number' ? 1 : width + 1;
          const classWeights = kind === 'multi' ? [0.5, 2, 1, 3, 0.25, 1.5] : [0.5, 2, 1];
          const ones = classWeights.map(() => 1);
          const truth: Truth = { labels: Int32Array.from(batch, ({ label }) => label), marks: Uint8Array.from(batch.flatMap(({ marks }) => marks)), values: Float32Array.from(batch, ({ value }) => value) };
          const logits = Float32Array.from(batch.flatMap(({ logits: all }) => all.slice(0, outputs)));
          const options: LossOptions = { kind: kind === 'joint' ? 'single' : kind, labelSmoothing: smoothing, ...(weighted && kind !== 'number' ? { classWeights } : {}), ...(kind === 'multi' ? {} : { value: { loss, delta, weight: valueWeight, deviation: 1 } }) };
          const rounded = batch.map((example) => ({ ...example, value: Math.fround(example.value) }));
          const of = (example: Example, z: readonly number[], share: number, weights: readonly number[]): number => {
            if (kind === 'multi') return reference.multi(example, z, share, weights);
            if (kind === 'number') return reference.number(example, z, loss, delta);
            return reference.single(example, z.slice(0, width), share, weights) + valueWeight * reference.number(example, z.slice(width), loss, delta);
          };
          const actual = batchLoss(logits, truth, weight, options);
          const rowOf = (row: number): number[] => [...logits.subarray(row * outputs, (row + 1) * outputs)];
          const weights = weighted ? classWeights : ones;
          close(actual.plain, rounded.reduce((sum, example, row) => sum + of(example, rowOf(row), 0, ones), 0), 1e-6);
          close(actual.loss, weight * rounded.reduce((sum, example, row) => sum + of(example, rowOf(row), smoothing, weights), 0), 1e-6);
          const step = 1e-5;
          rounded.forEach((example, row) => {
            for (let k = 0; k < outputs; k++) {
              const nudged = (by: number): number => of(example, rowOf(row).map((logit, at) => (at === k ? logit + by : logit)), smoothing, weights);
              close(actual.slopes[row * outputs + k]!, (weight * (nudged(step) - nudged(-step))) / (2 * step), 1e-5);
            }
          });
        }),
      );
    });
  }

  it('stay finite where a probability is zero in floats, and say so when a logit is not a number', () => {
    const marks = Uint8Array.of(0, 1);
    assert.strictEqual(batchLoss(Float32Array.of(1000, -1000), { labels: new Int32Array(1), marks }, 1, { kind: 'multi' }).plain, 1000);
    assert.ok(Number.isNaN(batchLoss(Float32Array.of(NaN, 0), { labels: new Int32Array(1), marks }, 1, { kind: 'multi' }).plain));
    for (const loss of ['squared', 'huber'] as const)
      assert.ok(Number.isNaN(batchLoss(Float32Array.of(NaN), { labels: new Int32Array(1), values: new Float32Array(1) }, 1, { kind: 'number', value: { loss, delta: 1, weight: 1, deviation: 1 } }).plain));
  });
});

function close(actual: number, expected: number, tolerance: number): void {
  assert.ok(Math.abs(actual - expected) <= tolerance * Math.max(1, Math.abs(expected)), `${actual} instead of ${expected}`);
}
