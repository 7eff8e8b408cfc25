import * as assert from 'node:assert';
import * as fc from 'fast-check';
import { softmaxCrossEntropy } from '../../../src/training/loss';
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

function close(actual: number, expected: number, tolerance: number): void {
  assert.ok(Math.abs(actual - expected) <= tolerance * Math.max(1, Math.abs(expected)), `${actual} instead of ${expected}`);
}
