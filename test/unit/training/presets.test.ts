import * as assert from 'node:assert';
import { validateBundle } from '../../../src/core/model/bundle';
import { defaultHyperparameters } from '../../../src/core/model/hyperparameters';
import { hasSigmoidHead } from '../../../src/core/model/onnxWriter';
import { presets } from '../../../src/core/model/presets';
import type { Hyperparameters, TrainResult } from '../../../src/core/protocol/trainer';
import { CancelledError } from '../../../src/core/errors';
import { fillBatch } from '../../../src/training/batches';
import { parameterLayout, type CreateEngine } from '../../../src/training/engine';
import { takeWeights } from '../../../src/training/initialize';
import { createKernelEngine } from '../../../src/training/kernels/kernelEngine';
import { Network } from '../../../src/training/network';
import { startTfjs } from '../../../src/training/tf';
import { TextGradient } from '../../../src/training/textGradient';
import { train } from '../../../src/training/train';
import { startHelpers } from '../../helperThreads';
import { OnnxSession } from '../model/onnxSession';
import { wasmFolder } from './engines';
import { bilingualRows, request } from './fixture';

/** Sizes that a test has time for; all else as the preset has it. */
const small: Partial<Hyperparameters> = { embeddingSize: 16, hiddenUnits: 8, filters: 8, denseUnits: 16, epochs: 2, batchSize: 16, maxTokens: 60, minFrequency: 1 };

describe('every preset', () => {
  before(() => startTfjs(wasmFolder));

  const trained = async (preset: string, labels: readonly string[], changes: Partial<Hyperparameters>, createEngine: CreateEngine = createKernelEngine(), base?: TrainResult): Promise<TrainResult> =>
    await train(
      // the third label is that of texts that say nothing
      request(
        {
          preset,
          labels,
          rows: [...bilingualRows(150, 1), ...(labels.length > 2 ? Array.from({ length: 20 }, (_, k) => ({ text: `nothing at all ${k}`, label: 2 })) : [])],
          validation: bilingualRows(30, 2),
          ...(base ? { base: base.bundle } : {}),
        },
        changes,
      ),
      { createEngine, signal: { aborted: false, addEventListener: () => undefined, removeEventListener: () => undefined }, pause: () => Promise.resolve(), onProgress: () => undefined },
    );

  for (const { name, defaults } of presets) {
    const hyperparameters = defaultHyperparameters({ ...defaults, ...small });

    for (const labels of [['negative', 'positive'], ['negative', 'positive', 'neither']]) {
      it(`${name}: what it learned of ${labels.length} labels is the same in ONNX Runtime, to 1e-5, and its words that decided can be asked for`, async () => {
        const { bundle } = await trained(name, labels, hyperparameters);
        const valid = validateBundle(bundle, name);
        const { architecture, temperature } = valid.manifest;
        const engine = await createKernelEngine()(parameterLayout(architecture));
        takeWeights(engine.layout, engine.weights(), valid.weights(), new Set());
        const texts = [...bilingualRows(12, 3).map(({ text }) => valid.tokenizer.encode(text)), new Int32Array(0), valid.tokenizer.encode('a'), valid.tokenizer.encode('a wonderful film '.repeat(30))];
        const logits = new Network(engine).logits(fillBatch(texts));
        engine.dispose();
        const session = await OnnxSession.open(bundle.model);
        const rows = await session.run(texts.map((ids) => [...ids]));
        await session.close();
        const explained = (await TextGradient.open(valid, createKernelEngine())).explain(texts[0]!, { kind: 'score', column: 1 });
        assert.strictEqual(explained.shares.length, texts[0]!.length);
        assert.ok(explained.shares.every(Number.isFinite) && explained.shares.some((share) => share !== 0));
        texts.forEach((_, row) => {
          const own = logits.subarray(row * labels.length, (row + 1) * labels.length);
          const powers = own.map((logit) => Math.exp((logit - Math.max(...own)) / temperature));
          const sum = powers.reduce((total, power) => total + power, 0);
          assert.strictEqual(rows[row]!.scores.length, labels.length);
          rows[row]!.scores.forEach((score, k) => {
            assert.ok(Math.abs(score - powers[k]! / sum) <= 1e-5, `text ${row}, label ${k}: ${score} instead of ${powers[k]! / sum}`);
            if (row === 0) assert.ok(Math.abs(explained.scores[k]! - score) <= 1e-5, `explained: ${explained.scores[k]} instead of ${score}`);
          });
        });
      });
    }

    it(`${name}: gives as many outputs as any kind wants`, () => {
      const sizes = { ...hyperparameters, vocabularySize: 20 };
      const preset = presets.find((each) => each.name === name)!;
      const headOf = (labels: number, kind: 'single' | 'multi' | 'number'): unknown => preset.build({ ...sizes, labels, kind }).layers.at(-1);
      const head = (units: number): unknown => ({ type: 'dense', name: 'head', units, activation: 'linear' });
      assert.deepStrictEqual(headOf(2, 'multi'), head(2));
      assert.deepStrictEqual(headOf(1, 'multi'), head(1));
      assert.deepStrictEqual(headOf(1, 'number'), head(1));
      assert.deepStrictEqual(headOf(3, 'single'), head(3));
      const binary = preset.build({ ...sizes, labels: 2 });
      assert.deepStrictEqual(binary.layers.at(-1), head(hasSigmoidHead(binary, 'single') ? 1 : 2));
      assert.strictEqual(hasSigmoidHead(preset.build({ ...sizes, labels: 1, kind: 'number' }), 'number'), false);
    });
  }

  it('is as its examples have it', () => {
    const layers = (name: string, labels = 2): string => {
      const preset = presets.find((each) => each.name === name)!;
      const { layers: all } = preset.build({ ...defaultHyperparameters(preset.defaults), vocabularySize: 100, labels });
      return all
        .map((layer) => {
          switch (layer.type) {
            case 'embedding':
              return `embedding ${layer.size}`;
            case 'lstm':
              return `${layer.bidirectional ? 'bi' : ''}lstm ${layer.units}`;
            case 'conv':
              return `conv ${layer.filters}×${layer.kernelSize}`;
            case 'maxPool':
              return `windows ${layer.size}`;
            case 'pool':
              return layer.methods.join('+');
            case 'attention':
              return `attention ${layer.units}`;
            case 'dense':
              return `${layer.activation} ${layer.units}`;
            case 'dropout':
              return `(${layer.rate})`;
            case 'ngrams':
              return 'ngrams';
          }
        })
        .join(' ');
    };
    assert.deepStrictEqual(Object.fromEntries(presets.map(({ name }) => [name, layers(name)])), {
      'bilstm-pool': 'embedding 64 (0.5) bilstm 64 max+mean (0.5) linear 2',
      'bilstm-attention': 'embedding 64 (0.5) bilstm 64 attention 128 (0.5) linear 2',
      'keras-lstm': 'embedding 128 (0.2) lstm 64 last linear 1',
      'stacked-lstm': 'embedding 64 (0.2) lstm 64 (0.2) lstm 32 last linear 1',
      bilstm: 'embedding 300 bilstm 128 last (0.5) linear 1',
      'lstm-dense': 'embedding 300 lstm 100 last relu 64 (0.5) linear 1',
      'matlab-lstm': 'embedding 300 lstm 180 last (0) linear 2',
      'bilstm-softmax': 'embedding 128 (0.5) bilstm 128 last (0.5) linear 2',
      'deep-lstm': 'embedding 128 (0.3) lstm 128 (0.3) lstm 128 max+mean relu 64 relu 32 (0.3) linear 2',
      'cnn-lstm': 'embedding 128 (0.3) conv 64×5 windows 4 bilstm 64 last (0.3) linear 2',
    });
    assert.strictEqual(layers('keras-lstm', 4).split(' ').at(-1), '4');
  });

  it('gives the same model to the last bit on one thread and on four', async () => {
    const threads = await startHelpers(3);
    try {
      for (const preset of ['cnn-lstm', 'bilstm-attention', 'keras-lstm']) {
        // batches large enough for several shards
        const changes = { ...defaultHyperparameters(presets.find(({ name }) => name === preset)!.defaults), ...small, batchSize: 128, epochs: 1 };
        const hashOf = async (createEngine: CreateEngine): Promise<string> => validateBundle((await trained(preset, ['negative', 'positive'], changes, createEngine)).bundle, preset).manifest.sha256;
        assert.strictEqual(await hashOf(createKernelEngine({ helpers: threads.helpers })), await hashOf(createKernelEngine()), preset);
      }
    } finally {
      await threads.end();
    }
  });

  it('can be a base: one unit that tells two labels apart becomes a unit for each, and says the same at first', async () => {
    const first = await trained('keras-lstm', ['negative', 'positive'], { ...defaultHyperparameters(), ...small, ngramBuckets: 1024 });
    const frozen = { ...defaultHyperparameters(), ...small, ngramBuckets: 1024, learningRate: 1e-6, weightAveraging: 0, epochs: 1 };
    const second = await trained('keras-lstm', ['negative', 'positive'], frozen, createKernelEngine(), first);
    const [one, two] = [first, second].map(({ bundle }) => validateBundle(bundle, 'm').manifest);
    assert.deepStrictEqual([one!.architecture.layers.at(-1), two!.architecture.layers.at(-1)].map((layer) => (layer?.type === 'dense' ? layer.units : 0)), [1, 2]);
    const scores = await Promise.all(
      [first, second].map(async ({ bundle }) => {
        const valid = validateBundle(bundle, 'm');
        const session = await OnnxSession.open(bundle.model);
        const rows = await session.run(bilingualRows(20, 4).map(({ text }) => [...valid.tokenizer.encode(text)]));
        await session.close();
        // temperatures are fitted to other rows
        return rows.map((row) => Math.log(row.scores[1]! / row.scores[0]!) * valid.manifest.temperature);
      }),
    );
    scores[0]!.forEach((logit, row) => assert.ok(Math.abs(logit - scores[1]![row]!) < 0.01, `${logit} became ${scores[1]![row]}`));
  });

  it('is cancelled like any other', async () => {
    await assert.rejects(
      train(request({ preset: 'cnn-lstm' }), { createEngine: createKernelEngine(), signal: { aborted: true, addEventListener: () => undefined, removeEventListener: () => undefined }, pause: () => Promise.resolve(), onProgress: () => undefined }),
      CancelledError,
    );
  });
});
