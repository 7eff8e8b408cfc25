import * as assert from 'node:assert';
import { presets, type PresetOptions } from '../../../src/core/model/presets';
import { precisions, writeOnnx } from '../../../src/core/model/onnxWriter';
import { readOnnxWeights } from '../../../src/core/model/onnxReader';
import { Random } from '../../../src/core/util/random';
import { foldCasts } from '../../../src/inference/foldCasts';
import { OnnxSession } from './onnxSession';
import { randomTexts } from './randomModels';
import { randomWeights, referenceForward, softmax } from './referenceForward';

const small: PresetOptions = { vocabularySize: 40, labels: 3, embeddingSize: 8, hiddenUnits: 4, dropout: 0.3 };

describe('the preset bilstm-pool', () => {
  const preset = presets[0]!;

  it('is one LSTM with dropout of values, unless told otherwise', () => {
    assert.deepStrictEqual(preset.build(small).layers, [
      { type: 'embedding', name: 'embedding', vocabularySize: 40, size: 8 },
      { type: 'dropout', name: 'embeddingDropout', rate: 0.3 },
      { type: 'lstm', name: 'lstm', units: 4, bidirectional: true },
      { type: 'pool', name: 'pool', methods: ['max', 'mean'] },
      { type: 'dropout', name: 'featureDropout', rate: 0.3 },
      { type: 'dense', name: 'head', units: 3, activation: 'linear' },
    ]);
    assert.deepStrictEqual(preset.build({ ...small, layers: 1, embeddingDropout: 0, recurrentDropout: 0 }), preset.build(small));
  });

  it('stacks LSTMs with dropout between them, and drops tokens and recurrent weights where asked to', () => {
    const { layers } = preset.build({ ...small, layers: 3, embeddingDropout: 0.1, recurrentDropout: 0.2 });
    assert.deepStrictEqual(
      layers.map((layer) => [layer.type, layer.name, layer.type === 'dropout' ? layer.rate : layer.type === 'lstm' ? layer.recurrentDropout : undefined]),
      [
        ['embedding', 'embedding', undefined],
        ['dropout', 'tokenDropout', 0.1],
        ['dropout', 'embeddingDropout', 0.3],
        ['lstm', 'lstm', 0.2],
        ['dropout', 'lstm2Dropout', 0.3],
        ['lstm', 'lstm2', 0.2],
        ['dropout', 'lstm3Dropout', 0.3],
        ['lstm', 'lstm3', 0.2],
        ['pool', 'pool', undefined],
        ['dropout', 'featureDropout', 0.3],
        ['dense', 'head', undefined],
      ],
    );
  });

  it('has n-grams beside the LSTM where asked to', () => {
    assert.deepStrictEqual(
      preset.build({ ...small, ngramBuckets: 2048, ngramLength: 3 }).layers.slice(-2),
      [{ type: 'ngrams', name: 'ngrams', buckets: 2048, longest: 3 }, preset.build(small).layers.at(-1)],
    );
    assert.deepStrictEqual(preset.build({ ...small, ngramBuckets: 0 }), preset.build(small));
  });

  it('gives in ONNX Runtime what the definition gives, with every number of layers, and no dropout', async () => {
    const random = new Random(17);
    for (const layers of [1, 2, 3, 4]) {
      for (const precision of precisions) {
        const architecture = preset.build({ ...small, layers, embeddingDropout: 0.5, recurrentDropout: 0.5, ngramBuckets: 2048, ngramLength: layers === 1 ? 1 : 2 });
        const model = writeOnnx(architecture, randomWeights(architecture, random), { labels: ['a', 'b', 'c'], temperature: 1, precision });
        const stored = readOnnxWeights(model, architecture);
        const texts = randomTexts(random, small.vocabularySize);
        for (const file of [model, foldCasts(model, 'model.onnx')]) {
          const session = await OnnxSession.open(file);
          const rows = await session.run(texts);
          await session.close();
          texts.forEach((ids, row) => {
            const scores = softmax(referenceForward(architecture, stored, ids).logits);
            rows[row]!.scores.forEach((score, k) => assert.ok(Math.abs(score - scores[k]!) <= 1e-5, `${layers} layers, ${precision}: ${score} instead of ${scores[k]}`));
          });
        }
      }
    }
  });
});
