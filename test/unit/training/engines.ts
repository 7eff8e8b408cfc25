import * as path from 'node:path';
import type { Architecture } from '../../../src/core/model/architecture';
import { Random } from '../../../src/core/util/random';
import { parameterLayout, type ComputeEngine, type CreateEngine, type ParameterLayout, type TokenBatch } from '../../../src/training/engine';
import { createKernelEngine } from '../../../src/training/kernels/kernelEngine';
import { supportsRelaxed } from '../../../src/training/kernels/kernels';
import { startTfjs } from '../../../src/training/tf';
import { TfjsEngine } from '../../tfjsEngine';

/** Where the tests find the WASM file of tfjs. */
export const wasmFolder = path.resolve('node_modules/@tensorflow/tfjs-backend-wasm/dist') + path.sep;

/** Every engine that must compute the same. */
export const engines: readonly { readonly name: string; readonly create: CreateEngine }[] = [
  {
    name: 'tfjs',
    create: async (layout) => {
      await startTfjs(wasmFolder);
      return new TfjsEngine(layout);
    },
  },
  ...(['plain', 'relaxed'] as const)
    .filter((build) => build === 'plain' || supportsRelaxed())
    .map((build) => ({
      name: `${build} kernel`,
      create: async (layout: ParameterLayout) => {
        // for what stands on an engine: dense layers and the loss
        await startTfjs(wasmFolder);
        return createKernelEngine({ build })(layout);
      },
    })),
];

/** An engine with weights drawn uniformly from ±0.5, `<pad>` zero. */
export async function randomEngine(create: CreateEngine, architecture: Architecture, seed: number): Promise<ComputeEngine> {
  const engine = await create(parameterLayout(architecture));
  const random = new Random(seed);
  for (const { name, offset, size, shape } of engine.layout.parameters) {
    const weights = engine.weights().subarray(offset, offset + size);
    for (let k = 0; k < size; k++) weights[k] = name.endsWith('/sizes') ? 2 * random.float() : name.endsWith('/table') && k < shape[1]! ? 0 : random.float() - 0.5;
  }
  return engine;
}

/** Pads texts to a batch; what stands at padding is id 0. */
export function batchOf(texts: readonly (readonly number[])[]): TokenBatch {
  const time = Math.max(1, ...texts.map((text) => text.length));
  const ids = new Int32Array(texts.length * time);
  texts.forEach((text, b) => ids.set(text, b * time));
  return { ids, time, lengths: Int32Array.from(texts, (text) => text.length) };
}

/** Small architectures that between them use every kind of layer; widths are multiples of 4, as the kernels ask for. */
export function smallArchitectures(options: { vocabularySize: number; labels: number }): Readonly<Record<string, Architecture>> {
  const { vocabularySize, labels } = options;
  return {
    'one direction, last': {
      preset: 'test',
      layers: [
        { type: 'embedding', name: 'embedding', vocabularySize, size: 4 },
        { type: 'lstm', name: 'lstm', units: 8, bidirectional: false },
        { type: 'pool', name: 'pool', methods: ['last'] },
        { type: 'dense', name: 'head', units: labels, activation: 'linear' },
      ],
    },
    'two directions, max and mean, dropout': {
      preset: 'test',
      layers: [
        { type: 'embedding', name: 'embedding', vocabularySize, size: 8 },
        { type: 'dropout', name: 'embeddingDropout', rate: 0.25 },
        { type: 'lstm', name: 'lstm', units: 4, bidirectional: true },
        { type: 'pool', name: 'pool', methods: ['max', 'mean'] },
        { type: 'dropout', name: 'featureDropout', rate: 0.5 },
        { type: 'dense', name: 'head', units: labels, activation: 'linear' },
      ],
    },
    'stacked, all pools, two dense layers': {
      preset: 'test',
      layers: [
        { type: 'embedding', name: 'embedding', vocabularySize, size: 4 },
        { type: 'dropout', name: 'embeddingDropout', rate: 0.3, over: 'tokens' },
        { type: 'lstm', name: 'lower', units: 4, bidirectional: true, recurrentDropout: 0.4 },
        { type: 'dropout', name: 'between', rate: 0.3 },
        { type: 'lstm', name: 'upper', units: 4, bidirectional: true, recurrentDropout: 0.25 },
        { type: 'pool', name: 'pool', methods: ['last', 'max', 'mean'] },
        { type: 'dense', name: 'hidden', units: 6, activation: 'tanh' },
        { type: 'dense', name: 'head', units: labels, activation: 'linear' },
      ],
    },
    'convolutions and windows, then an LSTM, last': {
      preset: 'test',
      layers: [
        { type: 'embedding', name: 'embedding', vocabularySize, size: 4 },
        { type: 'dropout', name: 'embeddingDropout', rate: 0.3 },
        { type: 'conv', name: 'conv', filters: 8, kernelSize: 3, activation: 'relu' },
        { type: 'conv', name: 'conv2', filters: 4, kernelSize: 4, activation: 'linear' },
        { type: 'maxPool', name: 'windows', size: 2 },
        { type: 'dropout', name: 'windowDropout', rate: 0.3 },
        { type: 'lstm', name: 'lstm', units: 4, bidirectional: true },
        { type: 'dropout', name: 'lstmDropout', rate: 0.2 },
        { type: 'pool', name: 'pool', methods: ['last'] },
        { type: 'dense', name: 'head', units: labels, activation: 'linear' },
      ],
    },
    'additive attention over an LSTM': {
      preset: 'test',
      layers: [
        { type: 'embedding', name: 'embedding', vocabularySize, size: 4 },
        { type: 'lstm', name: 'lstm', units: 4, bidirectional: true },
        { type: 'maxPool', name: 'windows', size: 3 },
        { type: 'dropout', name: 'lstmDropout', rate: 0.3 },
        { type: 'attention', name: 'attention', units: 8 },
        { type: 'dense', name: 'hidden', units: 5, activation: 'relu' },
        { type: 'dense', name: 'head', units: labels, activation: 'linear' },
      ],
    },
    'n-grams beside an LSTM': {
      preset: 'test',
      layers: [
        { type: 'embedding', name: 'embedding', vocabularySize, size: 4 },
        { type: 'lstm', name: 'lstm', units: 4, bidirectional: true },
        { type: 'pool', name: 'pool', methods: ['mean'] },
        { type: 'dropout', name: 'featureDropout', rate: 0.5 },
        // far fewer buckets than a model file may have: every gradient is looked at
        { type: 'ngrams', name: 'ngrams', buckets: 13, longest: 3 },
        { type: 'dense', name: 'head', units: labels, activation: 'linear' },
      ],
    },
  };
}
