import * as assert from 'node:assert';
import { readFileSync } from 'node:fs';
import * as ort from 'onnxruntime-web/wasm';
import { writeOnnx } from '../../../src/core/model/onnxWriter';
import { Random } from '../../../src/core/util/random';
import { namedWeights } from '../../../src/training/initialize';
import { Network } from '../../../src/training/network';
import { batchOf, engines, randomEngine, smallArchitectures } from './engines';
import { referenceLogits } from './reference';

describe('the trainer and onnxruntime-web', () => {
  before(() => {
    ort.env.wasm.numThreads = 1;
    ort.env.wasm.wasmBinary = new Uint8Array(readFileSync('node_modules/onnxruntime-web/dist/ort-wasm-simd-threaded.wasm')).buffer;
  });

  const vocabularySize = 50;
  const labels = ['a', 'b', 'c'];
  const random = new Random(6);
  const text = (length: number): number[] => Array.from({ length }, () => 1 + random.below(vocabularySize - 1));
  // ragged, empty, one token, and as long as a truncated text
  const texts = [text(7), [], text(1), text(400), text(30), text(2)];

  for (const { name, create } of engines) {
    for (const [title, architecture] of Object.entries(smallArchitectures({ vocabularySize, labels: labels.length }))) {
      it(`agree to 1e-5 on the scores of ${title} (${name} engine), batched and alone`, async () => {
        const temperature = 1.7;
        const engine = await randomEngine(create, architecture, 12);
        const network = new Network(engine);
        const weights = namedWeights(engine.layout, engine.weights());
        const session = await ort.InferenceSession.create(writeOnnx(architecture, weights, { labels, temperature, precision: 'float32' }));
        const scoresOf = async (some: readonly (readonly number[])[]): Promise<Float32Array> => {
          const { ids, lengths, time } = batchOf(some);
          const result = await session.run({ input_ids: new ort.Tensor('int32', ids, [some.length, time]), lengths: new ort.Tensor('int32', lengths, [some.length]) });
          return result['scores']!.data as Float32Array;
        };
        const together = await scoresOf(texts);
        const logits = network.logits(batchOf(texts));
        const reference = { layout: engine.layout, weights: Float64Array.from(engine.weights()) };
        for (const [row, ids] of texts.entries()) {
          const alone = await scoresOf([ids]);
          const ours = softmax([...logits.subarray(row * 3, row * 3 + 3)], temperature);
          const aloneOurs = softmax([...network.logits(batchOf([ids]))], temperature);
          const exact = softmax(referenceLogits(reference, ids), temperature);
          for (let label = 0; label < 3; label++) {
            for (const [what, score] of Object.entries({ batched: together[row * 3 + label], alone: alone[label], trainer: ours[label], 'trainer, alone': aloneOurs[label] }))
              assert.ok(Math.abs(score! - exact[label]!) < 1e-5, `${what}, text of ${ids.length} tokens, label ${label}: ${score} instead of ${exact[label]}`);
          }
        }
        await session.release();
        engine.dispose();
      });
    }
  }
});

function softmax(logits: readonly number[], temperature: number): number[] {
  const top = Math.max(...logits);
  const powers = logits.map((logit) => Math.exp((logit - top) / temperature));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}
