import { readFile } from 'node:fs/promises';
import * as path from 'node:path';
import type { Architecture, Weights, WeightTensor } from '../../../src/core/model/architecture';
import { weightShapes } from '../../../src/core/model/architecture';
import { createBundle } from '../../../src/core/model/bundle';
import { JsonObject } from '../../../src/core/model/jsonChecks';
import { ngramWidth } from '../../../src/core/model/ngrams';
import type { BundleFiles } from '../../../src/core/protocol/predictor';
import { Tokenizer } from '../../../src/core/text/tokenizer';
import type { ShippedModel } from './models';
import type { PreparedData } from './prepare';

/** What train.py has made. */
export interface Trained {
  readonly tokenizer: Tokenizer;
  readonly data: PreparedData;
  /** Units of the LSTM in each direction. */
  readonly units: number;
  readonly seed: number;
  readonly steps: Readonly<Record<string, number>>;
  readonly temperatures: Readonly<Record<string, number>>;
  readonly arrays: ReadonlyMap<string, WeightTensor>;
}

/** Reads what prepare.ts left in `data` and train.py in `weights`. */
export async function readTrained(data: string, weights: string): Promise<Trained> {
  const prepared = JSON.parse(await readFile(path.join(data, 'data.json'), 'utf8')) as PreparedData;
  const tokenizer = Tokenizer.fromJson(await readFile(path.join(data, 'tokenizer.json')), { maxTokens: prepared.maxTokens });
  const file = path.join(weights, 'weights.json');
  const listed = JsonObject.parse(await readFile(file), file, 1_000_000);
  const bytes = await readFile(path.join(weights, 'weights.f32'));
  const numbers = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
  const arrays = new Map<string, WeightTensor>();
  let at = 0;
  for (const { name, shape } of (JSON.parse(await readFile(file, 'utf8')) as { arrays: { name: string; shape: number[] }[] }).arrays) {
    const size = shape.reduce((product, dimension) => product * dimension, 1);
    arrays.set(name, { shape, data: numbers.subarray(at, at + size) });
    at += size;
  }
  if (at !== numbers.length) throw new Error(`${weights}/weights.f32 is not what weights.json lists.`);
  return { tokenizer, data: prepared, units: listed.integer('units', 1, 4096), seed: listed.integer('seed', 0, 4_294_967_295), steps: listed.numbers('steps', 10), temperatures: listed.numbers('temperatures', 100), arrays };
}

/** The bundle of a head. @param metrics for model.json */
export function compose(trained: Trained, { name, head, description }: ShippedModel, version: string, metrics: Readonly<Record<string, number>>): BundleFiles {
  const { tokenizer, data, units, arrays, temperatures, seed, steps } = trained;
  const labels = data.heads[head] ?? [];
  const grams = arrays.get(`ngrams/${head}/table`);
  const embedding = arrays.get('embedding/table');
  if (!embedding || labels.length === 0) throw new Error(`There is no head ${head}.`);
  const architecture: Architecture = {
    preset: 'bilstm-pool',
    layers: [
      { type: 'embedding', name: 'embedding', vocabularySize: tokenizer.vocabularySize, size: embedding.shape[1] ?? 0 },
      { type: 'dropout', name: 'embeddingDropout', rate: 0.2 },
      { type: 'lstm', name: 'lstm', units, bidirectional: true },
      { type: 'pool', name: 'pool', methods: ['max', 'mean'] },
      { type: 'dropout', name: 'featureDropout', rate: 0.4 },
      ...(grams ? [{ type: 'ngrams', name: 'ngrams', buckets: grams.shape[0] ?? 0, longest: 2 } as const] : []),
      { type: 'dense', name: 'head', units: labels.length, activation: 'linear' },
    ],
  };
  const sets = data.sets.filter((set) => set.head === head);
  return createBundle({
    manifest: {
      name,
      version,
      description,
      task: { kind: 'single', labels: labels.map((id) => ({ id })) },
      data: { sets: sets.map((set) => set.name).join(', '), rows: total(sets, 'train'), validationRows: total(sets, 'valid'), rowsOfAllHeads: total(data.sets, 'train') },
      seed,
      hyperparameters: { ...steps, embeddingSize: embedding.shape[1] ?? 0, hiddenUnits: units, ngramBuckets: grams?.shape[0] ?? 0, vocabularySize: tokenizer.vocabularySize, maxTokens: data.maxTokens },
      epochs: [],
      metrics,
      temperature: temperatures[head] ?? 1,
    },
    tokenizer,
    architecture,
    weights: weightsOf(architecture, arrays, head),
    precision: 'int8',
  });
}

const total = (sets: PreparedData['sets'], part: 'train' | 'valid'): number => sets.reduce((sum, set) => sum + set[part], 0);

function weightsOf(architecture: Architecture, arrays: ReadonlyMap<string, WeightTensor>, head: string): Weights {
  const weights: Record<string, WeightTensor> = {};
  for (const [name, shape] of weightShapes(architecture)) {
    if (name === 'ngrams/sizes') {
      // every n-gram counts: a text's sum is divided by the root of their number
      weights[name] = { shape, data: new Float32Array(shape[0] ?? 0).fill(1) };
      continue;
    }
    const layer = name.slice(0, name.indexOf('/'));
    const kind = name.slice(layer.length + 1);
    const stored = arrays.get(layer === 'head' ? `heads/${head}/${kind}` : layer === 'ngrams' ? `ngrams/${head}/${kind}` : name);
    if (!stored) throw new Error(`weights.json lacks ${name}.`);
    weights[name] = layer === 'ngrams' ? widened(stored, shape) : stored;
  }
  return weights;
}

/** A table of n-grams with as many columns as its layer wants; those that are added are zero. */
function widened({ shape: [rows = 0, columns = 0], data }: WeightTensor, shape: readonly number[]): WeightTensor {
  const width = ngramWidth(columns);
  const wide = new Float32Array(rows * width);
  for (let row = 0; row < rows; row++) wide.set(data.subarray(row * columns, (row + 1) * columns), row * width);
  return { shape, data: wide };
}
