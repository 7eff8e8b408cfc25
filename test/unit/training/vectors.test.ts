import * as assert from 'node:assert';
import type { EmbeddingLayer } from '../../../src/core/model/architecture';
import { validateBundle } from '../../../src/core/model/bundle';
import { presets } from '../../../src/core/model/presets';
import type { TrainRequest, TrainResult } from '../../../src/core/protocol/trainer';
import { Tokenizer } from '../../../src/core/text/tokenizer';
import { readTokenizer } from '../../../src/core/text/trainingTokenizer';
import type { WordVectors } from '../../../src/core/text/vectors';
import { Random } from '../../../src/core/util/random';
import { parameterLayout } from '../../../src/training/engine';
import { fingerprint } from '../../../src/training/fingerprint';
import { initializeWeights, placeVectors } from '../../../src/training/initialize';
import { startTfjs } from '../../../src/training/tf';
import { createKernelEngine } from '../../../src/training/kernels/kernelEngine';
import { train } from '../../../src/training/train';
import { wasmFolder } from './engines';
import { bilingualRows, request } from './fixture';

const pause = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

async function run(what: TrainRequest): Promise<TrainResult> {
  await startTfjs(wasmFolder);
  return await train(what, { createEngine: createKernelEngine(), signal: { aborted: false, addEventListener: () => undefined, removeEventListener: () => undefined }, pause, onProgress: () => undefined });
}

function randomVectors(words: readonly string[], size: number, seed: number): WordVectors {
  const random = new Random(seed);
  return { size, words, values: Float32Array.from({ length: words.length * size }, (_, k) => 2 * random.normal() + (k % size)) };
}

describe('word vectors in an embedding', () => {
  const size = 6;
  const width = 8;
  const words = Array.from({ length: 400 }, (_, k) => `known${k}`);
  const tokens = ['<pad>', '<unk>', ...words, ...Array.from({ length: 4000 }, (_, k) => `new${k}`)];
  const layout = parameterLayout(presets[0]!.build({ vocabularySize: tokens.length, labels: 2, embeddingSize: width, hiddenUnits: 4, dropout: 0 }));
  const vectors = randomVectors([...words, '<unk>', 'elsewhere'], size, 1);
  const table = (seed: number): Float32Array => {
    const weights = new Float32Array(layout.length);
    initializeWeights(layout, weights, 1);
    placeVectors(layout, weights, vectors, tokens, seed);
    const { offset, size: length } = layout.find('embedding/table');
    return weights.subarray(offset, offset + length);
  };

  it('stand in the rows of their words by one factor, with zeros up to the table’s width', () => {
    const own = table(1);
    assert.ok(own.subarray(0, width).every((value) => value === 0), '<pad>');
    const factor = own[2 * width]! / vectors.values[0]!;
    words.forEach((_, row) => {
      for (let k = 0; k < size; k++) assert.ok(Math.abs(own[(row + 2) * width + k]! - factor * vectors.values[row * size + k]!) < 1e-6);
    });
    for (let id = 0; id < tokens.length; id++) assert.deepStrictEqual([...own.subarray(id * width + size, (id + 1) * width)], [0, 0]);
    const rms = Math.sqrt(vectors.values.reduce((sum, value) => sum + (factor * value) ** 2, 0) / vectors.values.length);
    assert.ok(Math.abs(rms - 0.3) < 1e-6, String(rms));
  });

  it('leave the other rows to chance, of the same mean and spread', () => {
    const own = table(1);
    const statistics = (first: number, count: number, k: number): [number, number] => {
      const column = Array.from({ length: count }, (_, row) => own[(first + row) * width + k]!);
      const mean = column.reduce((sum, value) => sum + value, 0) / count;
      return [mean, Math.sqrt(column.reduce((sum, value) => sum + (value - mean) ** 2, 0) / count)];
    };
    for (let k = 0; k < size; k++) {
      const [mean, spread] = statistics(2, 400, k);
      const [drawnMean, drawnSpread] = statistics(402, 4000, k);
      // five standard errors
      assert.ok(Math.abs(drawnMean - mean) < (5 * spread) / Math.sqrt(4000) + 0.01 && Math.abs(drawnSpread / spread - 1) < 5 / Math.sqrt(8000) + 0.01, `${k}: ${drawnMean} ± ${drawnSpread} instead of ${mean} ± ${spread}`);
    }
    assert.deepStrictEqual(table(1), own);
    assert.notDeepStrictEqual(table(2), own);
    assert.deepStrictEqual(table(2).subarray(2 * width, 402 * width), own.subarray(2 * width, 402 * width));
  });

  it('of nothing but zeros stay so', () => {
    const weights = new Float32Array(layout.length);
    placeVectors(layout, weights, { size, words, values: new Float32Array(words.length * size) }, tokens, 1);
    assert.ok(weights.every((value) => value === 0));
  });
});

describe('training from word vectors', function () {
  this.timeout(120_000);
  const small = request({ rows: bilingualRows(60, 1), validation: bilingualRows(30, 2) }, { epochs: 2, embeddingSize: 32 });
  const vectorsFor = async (what: TrainRequest, seed = 3): Promise<WordVectors> => {
    const tokenizer = await readTokenizer(what, pause);
    return randomVectors(Array.from({ length: tokenizer.vocabularySize - 4 }, (_, k) => tokenizer.tokenOf(k + 3)), 25, seed);
  };
  const tableOf = ({ bundle }: TrainResult): { readonly layer: EmbeddingLayer; readonly table: Float32Array } => {
    const valid = validateBundle(bundle, 'remarks');
    return { layer: valid.manifest.architecture.layers[0] as EmbeddingLayer, table: valid.weights()['embedding/table']!.data };
  };

  it('makes the embedding as wide as they are, and leaves it alone where it is frozen', async () => {
    const vectors = await vectorsFor(small);
    const frozen = await run({ ...small, vectors, hyperparameters: { ...small.hyperparameters, embeddingTraining: 'frozen' } });
    const { layer, table } = tableOf(frozen);
    assert.strictEqual(layer.size, 28);
    assert.strictEqual(validateBundle(frozen.bundle, '').manifest.hyperparameters['embeddingSize'], 28);
    const layout = parameterLayout(validateBundle(frozen.bundle, '').manifest.architecture);
    const start = new Float32Array(layout.length);
    const tokenizer = Tokenizer.fromJson(frozen.bundle.tokenizer, { maxTokens: 10 });
    placeVectors(layout, start, vectors, Array.from({ length: tokenizer.vocabularySize }, (_, id) => tokenizer.tokenOf(id)), small.hyperparameters.seed);
    const { offset, size } = layout.find('embedding/table');
    assert.deepStrictEqual(table, start.slice(offset, offset + size));

    const tuned = tableOf(await run({ ...small, vectors })).table;
    const distance = tuned.reduce((sum, value, k) => sum + Math.abs(value - table[k]!), 0) / tuned.length;
    assert.ok(distance > 1e-4 && distance < 0.3, `tuned vectors move, and stay near: ${distance}`);
  });

  it('freezes those of a base, too', async () => {
    const base = (await run(small)).bundle;
    const update = request({ base, rows: bilingualRows(40, 5), validation: bilingualRows(20, 6) }, { epochs: 1 });
    const before = tableOf({ bundle: base } as TrainResult).table;
    assert.deepStrictEqual(tableOf(await run({ ...update, hyperparameters: { ...update.hyperparameters, embeddingTraining: 'frozen' } })).table, before);
    assert.notDeepStrictEqual(tableOf(await run(update)).table, before);
    await assert.rejects(run({ ...update, vectors: await vectorsFor(small) }), /A base brings its own/);
  });

  it('shares another model’s tokenizer where it is asked to', async () => {
    const first = await run(small);
    const maxTokens = validateBundle(first.bundle, '').manifest.tokenizer.maxTokens;
    const second = await run({ ...small, rows: bilingualRows(40, 7), tokenizer: { json: first.bundle.tokenizer, maxTokens }, hyperparameters: { ...small.hyperparameters, maxTokens: 7, minFrequency: 9 } });
    const { manifest } = validateBundle(second.bundle, '');
    assert.deepStrictEqual(second.bundle.tokenizer, first.bundle.tokenizer);
    assert.deepStrictEqual(manifest.tokenizer, validateBundle(first.bundle, '').manifest.tokenizer);
    assert.deepStrictEqual([manifest.hyperparameters['maxTokens'], manifest.hyperparameters['minFrequency']], [undefined, undefined]);
  });

  it('is another training with other vectors, for checkpoints', async () => {
    const vectors = await vectorsFor(small);
    const tokenizer = await readTokenizer(small, pause);
    const { architecture } = validateBundle((await run({ ...small, hyperparameters: { ...small.hyperparameters, epochs: 1 } })).bundle, '').manifest;
    const changed = { ...vectors, values: vectors.values.map((value, k) => (k === 30 ? value + 1 : value)) };
    const prints = new Set<string>();
    for (const own of [undefined, vectors, changed, { ...vectors, words: [...vectors.words].reverse() }])
      prints.add(Buffer.from(await fingerprint({ request: { ...small, ...(own ? { vectors: own } : {}) }, base: undefined, tokenizer, architecture, rows: [], validation: [] }, pause)).toString('hex'));
    assert.strictEqual(prints.size, 4);
  });
});
