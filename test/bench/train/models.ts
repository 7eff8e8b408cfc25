import type { Architecture } from '../../../src/core/model/architecture';
import { Random } from '../../../src/core/util/random';
import type { ParameterLayout } from '../../../src/training/engine';
import type { LabelledBatch } from '../../../src/training/network';

/** The two models of the comparison, by the names that the tables print. */
export const models = {
  /** Embedding(20000, 64) → LSTM(64) → last state → Dense(2) */
  'LSTM-64': { size: 64, bidirectional: false },
  /** Embedding(20000, 128) → BiLSTM(128) → mean → Dense(2) */
  'BiLSTM-128': { size: 128, bidirectional: true },
} as const;

export type ModelName = keyof typeof models;

export const vocabularySize = 20_000;
export const batchSize = 32;
export const learningRate = 1e-3;
export const epsilon = 1e-7;

export function architectureOf(name: ModelName): Architecture {
  const { size, bidirectional } = models[name];
  return {
    preset: name,
    layers: [
      { type: 'embedding', name: 'embedding', vocabularySize, size },
      { type: 'lstm', name: 'lstm', units: size, bidirectional },
      { type: 'pool', name: 'pool', methods: [bidirectional ? 'mean' : 'last'] },
      { type: 'dense', name: 'head', units: 2, activation: 'linear' },
    ],
  };
}

/** Floating point operations of the matrix products of one training step: forward, and twice as much backward. */
export function stepOperations(name: ModelName, time: number): number {
  const { size, bidirectional } = models[name];
  return 3 * batchSize * time * (bidirectional ? 2 : 1) * 2 * (size + size) * 4 * size;
}

/** Small random weights, and a forget bias of `forgetBias`. */
export function weightsOf(layout: ParameterLayout, forgetBias: number): Float32Array {
  const random = new Random(1);
  const weights = new Float32Array(layout.length);
  for (const { name, offset, size } of layout.parameters) {
    for (let i = 0; i < size; i++) weights[offset + i] = name.endsWith('/bias') ? 0 : 0.2 * (random.float() - 0.5);
    if (name.startsWith('lstm') && name.endsWith('/bias')) weights.fill(forgetBias, offset + size / 4, offset + size / 2);
  }
  return weights;
}

/** A batch of random tokens and labels; texts of all lengths from 1 if `ragged`, else of `time` tokens. */
export function batchOf(time: number, seed: number, ragged: boolean): LabelledBatch {
  const random = new Random(seed);
  return {
    ids: Int32Array.from({ length: batchSize * time }, () => 1 + random.below(vocabularySize - 1)),
    lengths: Int32Array.from({ length: batchSize }, () => (ragged ? 1 + random.below(time) : time)),
    labels: Int32Array.from({ length: batchSize }, () => random.below(2)),
    seeds: new Int32Array(batchSize),
    stepSeed: 0,
    time,
  };
}
