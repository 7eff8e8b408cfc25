import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { createBundle } from '../../../src/core/model/bundle';
import { defaultHyperparameters } from '../../../src/core/model/hyperparameters';
import { findPreset } from '../../../src/core/model/presets';
import type { BundleFiles } from '../../../src/core/protocol/predictor';
import type { TrainingRow } from '../../../src/core/protocol/trainer';
import { Tokenizer } from '../../../src/core/text/tokenizer';
import { Random } from '../../../src/core/util/random';
import { Predictor } from '../../../src/inference/predictor';
import { startNodeWorker } from '../../../src/platform/node/workers';
import { Trainer } from '../../../src/training/trainerClient';
import { buildDist } from '../../dist';
import { randomWeights } from '../../unit/model/referenceForward';
import type { Bars } from './bars';
import { median } from './measure';
import { vocabularySize } from './models';

const labels = ['negative', 'positive'];
const tokensOfText = 40;
const newLabels = 200;
/** Rows that are held out to choose the best epoch, on top of the new labels. */
const heldOut = 40;

/**
 * From new labels to new predictions, with the workers that the extension runs: a BiLSTM-128 model of 20,000 words learns 200 texts of 40 tokens in 3 epochs, comes back as an ONNX bundle, and a
 * predictor that has just started opens it and classifies a text.
 */
export async function fineTune(runs: number, bars: Bars): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), 'label-lens-bench-dist-'));
  await buildDist(folder, ['trainer', 'predictor', 'kernelHelper']);
  const trainer = new Trainer(() => startNodeWorker(path.join(folder, 'trainer.js')));
  console.log(`\n${newLabels} new labels of ${tokensOfText} tokens, 3 epochs, BiLSTM-128, ${vocabularySize} words: seconds by the clock, medians of ${runs}`);
  try {
    const base = makeBase();
    const [rows, validation] = [makeRows(newLabels, 1), makeRows(heldOut, 2)];
    for (const workers of [1, 2]) {
      const parts: { readonly trained: number; readonly exported: number; readonly reloaded: number; readonly total: number }[] = [];
      for (let run = 0; run < runs; run++) {
        const start = performance.now();
        let trained = start;
        const { bundle } = await trainer.train(
          {
            preset: 'bilstm-pool',
            labels,
            rows,
            validation,
            base,
            hyperparameters: { ...defaultHyperparameters(), epochs: 3, patience: 3 },
            workers,
            precision: 'float32',
            identity: { name: 'bench', version: `v${run + 2}`, parent: 'v1' },
          },
          { onProgress: ({ finished }) => (trained = finished ? performance.now() : trained) },
        );
        const exported = performance.now();
        const predictor = new Predictor(() => startNodeWorker(path.join(folder, 'predictor.js')));
        await predictor.load('model', bundle);
        await predictor.predict('model', [rows[0]!.text]);
        const end = performance.now();
        await predictor.dispose();
        parts.push({ trained: trained - start, exported: exported - trained, reloaded: end - exported, total: end - start });
      }
      const seconds = (part: keyof (typeof parts)[number]): number => median(parts.map((run) => run[part])) / 1000;
      console.log(
        `  ${workers === 1 ? '1 worker ' : '2 workers'}   trained ${seconds('trained').toFixed(2)}   exported and handed over ${seconds('exported').toFixed(2)}   reloaded and first prediction ${seconds('reloaded').toFixed(2)}   in all ${seconds('total').toFixed(2)}`,
      );
      if (workers === 1) bars.atMost(5, `${newLabels} new labels until the predictor knows them, one worker, by the clock`, seconds('total'), ' s');
    }
  } finally {
    await trainer.dispose();
    rmSync(folder, { recursive: true, force: true });
  }
}

const words = Array.from({ length: vocabularySize - 2 }, (_, i) => `w${i.toString(36)}`);

function makeBase(): BundleFiles {
  const tokenizer = Tokenizer.build(words, { minFrequency: 1, maxVocabulary: vocabularySize, maxTokens: 400 });
  const preset = findPreset('bilstm-pool')!;
  const architecture = preset.build({ ...defaultHyperparameters(preset.defaults), embeddingSize: 128, hiddenUnits: 128, vocabularySize: tokenizer.vocabularySize, labels: labels.length });
  const task = { kind: 'single', labels: labels.map((id) => ({ id })) } as const;
  const manifest = { name: 'bench', version: 'v1', task, data: {}, seed: 1, hyperparameters: {}, epochs: [], metrics: {}, temperature: 1 };
  return createBundle({ manifest, tokenizer, architecture, weights: randomWeights(architecture, new Random(2)), precision: 'float32' });
}

/** Texts of random words; what label a text has hangs on one of them. */
function makeRows(count: number, seed: number): TrainingRow[] {
  const random = new Random(seed);
  return Array.from({ length: count }, () => {
    const label = random.below(2);
    const text = Array.from({ length: tokensOfText }, () => words[random.below(words.length)]!);
    text[random.below(tokensOfText)] = words[label]!;
    return { text: text.join(' '), label };
  });
}
