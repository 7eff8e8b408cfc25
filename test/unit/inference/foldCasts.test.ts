import * as assert from 'node:assert';
import * as fc from 'fast-check';
import { decodeOnnx } from '../../../src/core/model/onnxFormat';
import { readOnnxWeights } from '../../../src/core/model/onnxReader';
import { precisions, writeOnnx } from '../../../src/core/model/onnxWriter';
import { Random } from '../../../src/core/util/random';
import { foldCasts } from '../../../src/inference/foldCasts';
import { OnnxSession } from '../model/onnxSession';
import { labelsOf, randomArchitecture, randomTexts, vocabularyOf } from '../model/randomModels';
import { randomWeights, referenceForward } from '../model/referenceForward';

describe('foldCasts', () => {
  it('gives what the model gives, without a Cast, also for texts of more than 255 tokens', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.constantFrom(...precisions), async (seed, precision) => {
        const random = new Random(seed);
        const architecture = randomArchitecture(random);
        const model = writeOnnx(architecture, randomWeights(architecture, random), { labels: labelsOf(architecture), temperature: 1.5, precision });
        const folded = foldCasts(model, 'model.onnx');
        if (precision === 'float32') assert.strictEqual(folded, model);
        assert.deepStrictEqual(
          decodeOnnx(folded, 'folded').nodes.filter((node) => node.operator === 'Cast'),
          [],
        );
        const vocabulary = vocabularyOf(architecture);
        const texts = [...randomTexts(random, vocabulary), Array.from({ length: 300 }, () => random.below(vocabulary))];
        const sessions = [await OnnxSession.open(model), await OnnxSession.open(folded)] as const;
        const [plain, own] = [await sessions[0].run(texts), await sessions[1].run(texts)];
        for (const session of sessions) await session.close();
        const weights = readOnnxWeights(model, architecture);
        texts.forEach((text, row) => {
          const expected = referenceForward(architecture, weights, text);
          for (const { features, scores } of [plain[row]!, own[row]!]) {
            assert.strictEqual(features.length, expected.features.length);
            features.forEach((value, i) => assert.ok(Math.abs(value - expected.features[i]!) <= 1e-4 * Math.max(1, Math.abs(expected.features[i]!)), `${value} instead of ${expected.features[i]}`));
            scores.forEach((value, i) => assert.ok(Math.abs(value - plain[row]!.scores[i]!) <= 1e-5));
          }
        });
      }),
      { numRuns: 40 },
    );
  });
});
