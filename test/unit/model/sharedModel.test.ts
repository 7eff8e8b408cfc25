import * as assert from 'node:assert';
import * as fc from 'fast-check';
import { HumanError } from '../../../src/core/errors';
import type { Architecture, Weights } from '../../../src/core/model/architecture';
import { weightShapes } from '../../../src/core/model/architecture';
import { precisions, writeOnnx, type Precision } from '../../../src/core/model/onnxWriter';
import { fillTensors, lenderOf, shareTensors } from '../../../src/core/model/sharedModel';
import { Random } from '../../../src/core/util/random';

/** An encoder that is the same for every seed of the head, with a head of so many labels. */
function model(labels: number, headSeed: number, precision: Precision, encoderSeed = 1): Uint8Array {
  const architecture: Architecture = {
    preset: 'shared',
    layers: [
      { type: 'embedding', name: 'embedding', vocabularySize: 50, size: 32 },
      { type: 'lstm', name: 'lstm', units: 16, bidirectional: true },
      { type: 'pool', name: 'pool', methods: ['max', 'mean'] },
      ...(labels % 2 === 0 ? [{ type: 'ngrams', name: 'ngrams', buckets: 1024, longest: 2 } as const] : []),
      { type: 'dense', name: 'head', units: labels, activation: 'linear' },
    ],
  };
  const weights: Record<string, Weights[string]> = {};
  for (const [name, shape] of weightShapes(architecture)) {
    const random = new Random(name.startsWith('head') || name.startsWith('ngrams') ? headSeed : encoderSeed);
    weights[name] = { shape, data: Float32Array.from({ length: shape.reduce((product, size) => product * size, 1) }, () => random.float() - 0.5) };
  }
  return writeOnnx(architecture, weights, { labels: Array.from({ length: labels }, (_, i) => `label ${i}`), temperature: 1 + labels / 10, precision, metadata: { name: `model ${headSeed}`, version: 'v1' } });
}

describe('models that share an encoder', () => {
  it('come back byte by byte, from a file that lacks what is shared', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 8 }), fc.integer({ min: 2, max: 8 }), fc.nat(1000), fc.nat(1000), fc.constantFrom(...precisions), (labels, lenderLabels, seed, lenderSeed, precision) => {
        const lender = model(lenderLabels, lenderSeed, precision);
        const whole = model(labels, seed, precision);
        const shared = shareTensors(whole, lender, 'sentiment');
        assert.strictEqual(lenderOf(shared, 'shared.onnx'), 'sentiment');
        assert.deepStrictEqual(fillTensors(shared, lender, 'shared.onnx'), whole);
        assert.ok(shared.length < whole.length - 50 * 32);
      }),
      { numRuns: 50 },
    );
  });

  it('are not written where there is nothing to share', () => {
    assert.throws(() => shareTensors(model(2, 1, 'int8'), model(3, 2, 'float32', 2), 'sentiment'), /shares nothing/);
  });

  it('are refused with another lender than theirs, or when damaged', () => {
    const lender = model(3, 1, 'int8');
    const shared = shareTensors(model(5, 2, 'int8'), lender, 'sentiment');
    assert.throws(() => fillTensors(shared, model(3, 1, 'float16'), 'shared.onnx'), (error) => error instanceof HumanError && error.code === 'model.shared');
    // other weights of the same kind give another model, whose hash model.json does not have
    assert.notDeepStrictEqual(fillTensors(shared, model(3, 1, 'int8', 2), 'shared.onnx'), model(5, 2, 'int8'));
    fc.assert(
      fc.property(fc.nat(shared.length - 1), fc.nat(255), (at, byte) => {
        const broken = Uint8Array.from(shared);
        broken[at] = byte;
        try {
          lenderOf(broken, 'shared.onnx');
          fillTensors(broken, lender, 'shared.onnx');
        } catch (error) {
          assert.ok(error instanceof HumanError, String(error));
        }
      }),
      { numRuns: 300 },
    );
  });
});
