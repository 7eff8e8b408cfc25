import * as esbuild from 'esbuild';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { createBundle, type BundleParts } from '../../../src/core/model/bundle';
import { presets } from '../../../src/core/model/presets';
import type { BundleFiles } from '../../../src/core/protocol/predictor';
import type { WorkerHandle } from '../../../src/core/protocol/worker';
import { Tokenizer } from '../../../src/core/text/tokenizer';
import { Random } from '../../../src/core/util/random';
import { startNodeWorker } from '../../../src/platform/node/workers';
import { randomWeights } from '../model/referenceForward';

/** dist/predictor.js as the build makes it, in a temporary folder. */
export class PredictorBuild {
  private constructor(private readonly folder: string) {}

  /** @param wasm another file in place of onnxruntime's */
  static async create(wasm = readFileSync('node_modules/onnxruntime-web/dist/ort-wasm-simd-threaded.wasm')): Promise<PredictorBuild> {
    const folder = mkdtempSync(path.join(tmpdir(), 'label-lens-worker-'));
    await esbuild.build({
      entryPoints: ['src/platform/node/predictorWorker.ts'],
      outfile: path.join(folder, 'predictor.js'),
      bundle: true,
      platform: 'node',
      target: 'node20',
      format: 'cjs',
      mainFields: ['module', 'main'],
      logLevel: 'warning',
    });
    writeFileSync(path.join(folder, 'ort-wasm-simd-threaded.wasm'), wasm);
    return new PredictorBuild(folder);
  }

  readonly start = (): WorkerHandle => startNodeWorker(path.join(this.folder, 'predictor.js'));

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

const words = 'a an the film was not very good bad fine awful best story actor plot and but 电 影 很 好 看 不'.split(' ');

/** Sentences of words of the model below and of others; some empty, some longer than it reads. */
export function randomSentences(random: Random, count: number): string[] {
  const length = (): number => [0, 1, 3, 10, 30, 120][random.below(6)]!;
  return Array.from({ length: count }, () => Array.from({ length: length() }, () => (random.below(10) === 0 ? `word${random.below(1000)}` : words[random.below(words.length)]!)).join(' '));
}

export interface SmallModel {
  readonly files: BundleFiles;
  readonly tokenizer: Tokenizer;
}

/** A bundle with random weights. */
export function smallModel(seed: number, own: Partial<BundleParts> = {}): SmallModel {
  const tokenizer = Tokenizer.build(words, { minFrequency: 1, maxVocabulary: 100, maxTokens: 60 });
  const architecture = presets[0]!.build({ vocabularySize: tokenizer.vocabularySize, labels: 3, embeddingSize: 8, hiddenUnits: 8, dropout: 0 });
  const files = createBundle({
    manifest: {
      name: 'small',
      version: `v${seed}`,
      task: { kind: 'single', labels: [{ id: 'negative' }, { id: 'neutral' }, { id: 'positive' }] },
      data: {},
      seed,
      hyperparameters: {},
      epochs: [],
      metrics: {},
      temperature: 1,
    },
    tokenizer,
    architecture,
    weights: randomWeights(architecture, new Random(seed)),
    precision: 'float32',
    ...own,
  });
  return { files, tokenizer };
}
