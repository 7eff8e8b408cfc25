/**
 * What word vectors are worth on few rows: `npm run evaluate:vectors -- DATA_FOLDER`.
 *
 * DATA_FOLDER holds sets as `npm run evaluate:models` reads them, and vectors in `glove_twitter_25d/vectors.txt.gz` (else `--vectors FILE`). Each seed draws `--rows` rows, trains on them through the same code as
 * `label-lens train`, and tests the ONNX model that comes out; only where the token vectors start, and whether they learn, differs. All are as wide as the vectors. One thread.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { parseArgs } from 'node:util';
import type { LabeledText } from '../../src/app/labeledRows';
import { defaultHeldOut, trainRequest } from '../../src/app/trainRequest';
import { withVectors } from '../../src/app/wordVectors';
import { stratifiedSample } from '../../src/core/labels/split';
import { checkHyperparameters } from '../../src/core/model/hyperparameters';
import { findPreset, presets } from '../../src/core/model/presets';
import type { BundleFiles } from '../../src/core/protocol/predictor';
import type { TrainRequest } from '../../src/core/protocol/trainer';
import { Predictor } from '../../src/inference/predictor';
import { openInput } from '../../src/platform/node/files';
import { startNodeWorker } from '../../src/platform/node/workers';
import { createKernelEngine } from '../../src/training/kernels/kernelEngine';
import { startTfjs } from '../../src/training/tf';
import { train } from '../../src/training/train';
import { buildDist } from '../dist';
import { readSet, type DataSet } from './dataSets';

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    sets: { type: 'string', default: 'sst2,rotten_tomatoes,trec' },
    vectors: { type: 'string' },
    preset: { type: 'string', default: presets[0]!.name },
    rows: { type: 'string', default: '500' },
    seeds: { type: 'string', default: '5' },
    'test-rows': { type: 'string', default: '2000' },
  },
});

const pause = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));
const percent = (value: number): string => (100 * value).toFixed(1);
const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

async function requestFor({ name }: DataSet, rows: readonly LabeledText[], seed: number, file: string): Promise<{ readonly random: TrainRequest; readonly vectors: TrainRequest; readonly occurrences: number }> {
  const preset = findPreset(flags.preset)!;
  const plan = { rows, heldOut: { share: defaultHeldOut }, preset: preset.name, workers: 1, precision: 'float32' as const, name, version: 'v1', file: name, textColumns: ['text'], labelColumn: 'label' };
  const request = await trainRequest({ ...plan, hyperparameters: checkHyperparameters({ seed }, preset.defaults) }, pause);
  const { chunks } = await openInput(file);
  const { request: vectors, coverage } = await withVectors(request, { chunks, fileName: file, breathe: pause });
  const embeddingSize = Math.ceil(vectors.vectors!.size / 4) * 4;
  return { random: { ...request, hyperparameters: { ...request.hyperparameters, embeddingSize } }, vectors, occurrences: coverage.occurrences };
}

async function accuracyOf({ test }: DataSet, request: TrainRequest, predictor: Predictor): Promise<number> {
  const { bundle } = await train(request, {
    createEngine: createKernelEngine(),
    signal: { aborted: false, addEventListener: () => undefined, removeEventListener: () => undefined },
    pause,
    onProgress: () => undefined,
  });
  return await score(test, bundle, predictor);
}

async function score(test: readonly LabeledText[], bundle: BundleFiles, predictor: Predictor): Promise<number> {
  const { labels } = await predictor.load('model', bundle);
  const { scores, width } = await predictor.predict('model', test.map(({ text }) => text), { cache: false, priority: 'background' });
  predictor.unload('model');
  const right = test.filter(({ label }, row) => {
    const own = scores.subarray(row * width, (row + 1) * width);
    return labels[own.indexOf(Math.max(...own))] === label;
  });
  return right.length / test.length;
}

async function main(): Promise<void> {
  const [folder] = positionals;
  const file = flags.vectors ?? path.join(folder ?? '', 'glove_twitter_25d', 'vectors.txt.gz');
  if (folder === undefined || !existsSync(file) || !findPreset(flags.preset)) {
    console.error('Usage: npm run evaluate:vectors -- DATA_FOLDER [--vectors FILE] [--sets a,b] [--preset NAME] [--rows 500] [--seeds 5] [--test-rows 2000]');
    process.exitCode = 2;
    return;
  }
  await startTfjs(path.resolve('node_modules/@tensorflow/tfjs-backend-wasm/dist') + path.sep);
  const out = mkdtempSync(path.join(tmpdir(), 'label-lens-vectors-'));
  await buildDist(out, ['predictor']);
  const predictor = new Predictor(() => startNodeWorker(path.join(out, 'predictor.js')));
  const seeds = Array.from({ length: Number(flags.seeds) }, (_, seed) => seed + 1);
  try {
    console.log(`${flags.rows} rows, preset ${flags.preset}, ${path.basename(file)}: accuracy in %, mean of ${seeds.length} seeds\n\n| set | test rows | covered | random | vectors, tuned | gain (least) | vectors, frozen | gain (least) |\n|---|---|---|---|---|---|---|---|`);
    for (const name of flags.sets.split(',')) {
      const set = await readSet(folder, name, { hashed: false, testRows: Number(flags['test-rows']) });
      if (!set) continue;
      const results: { readonly covered: number; readonly random: number; readonly tuned: number; readonly frozen: number }[] = [];
      for (const seed of seeds) {
        const rows = stratifiedSample(set.training, Math.min(set.training.length, Number(flags.rows)), ({ label }) => label, seed);
        const { random, vectors, occurrences } = await requestFor(set, rows, seed, file);
        results.push({
          covered: occurrences,
          random: await accuracyOf(set, random, predictor),
          tuned: await accuracyOf(set, vectors, predictor),
          frozen: await accuracyOf(set, { ...vectors, hyperparameters: { ...vectors.hyperparameters, embeddingTraining: 'frozen' } }, predictor),
        });
      }
      const of = (key: keyof (typeof results)[number]): string => percent(mean(results.map((result) => result[key])));
      const gain = (key: 'tuned' | 'frozen'): string => {
        const gains = results.map((result) => result[key] - result.random);
        return `${percent(mean(gains))} (${percent(Math.min(...gains))})`;
      };
      console.log(`| ${set.name} | ${set.test.length} | ${of('covered')} | ${of('random')} | ${of('tuned')} | ${gain('tuned')} | ${of('frozen')} | ${gain('frozen')} |`);
    }
  } finally {
    await predictor.dispose();
    rmSync(out, { recursive: true, force: true });
  }
}

void main();
