import type { NgramLayer } from '../core/model/architecture';
import { fitTemperature, negativeLogLikelihood } from '../core/metrics/calibration';
import { headOf } from '../core/model/onnxWriter';
import { ngramBuckets, ngramLayerOf, ngramWidth } from '../core/model/ngrams';
import type { EpochReport } from '../core/protocol/trainer';
import { Random } from '../core/util/random';
import { fillBatch, planEvaluation, splitBatch, tokenCost, type EncodedRow } from './batches';
import type { ComputeEngine } from './engine';
import { fitFrozenHead, type FrozenHead, type HeadRows } from './frozenHead';
import { accuracyOf, evaluate, type LoopResult } from './loop';
import { Network } from './network';

/** Rows that a head is fitted to at most; more are for the gradient to learn from. */
const mostRows = 2000;

/** Rows whose unseen logits a head's temperature is fitted on; with fewer it stays as it is. */
const rowsForTemperature = 40;

export interface BaseHeadOptions {
  /** Holds the base's weights below the head; with `onBase` its head and n-grams too, else what is there counts for nothing. */
  readonly engine: ComputeEngine;
  readonly rows: readonly EncodedRow[];
  /** Rows that are never learned from, to judge the head by; without any it is judged by cross-validation. */
  readonly validation: readonly EncodedRow[];
  /** Whether the base has these labels. */
  readonly onBase: boolean;
  /** What the base's logits are divided by for its scores to mean what they say; 1 where it has other labels. */
  readonly temperature: number;
  readonly batchSize: number;
  readonly seed: number;
  readonly breathe: () => Promise<void>;
}

/** A base with a fitted head, in the terms of a loop: as if of one epoch. */
export interface FittedBase extends LoopResult {
  /** Labels of the rows that `logits` is of. */
  readonly truth: readonly number[];
  /** The engine's weights. */
  readonly fitted: Float32Array;
}

/**
 * Fits the engine's head, and its n-grams, to rows over the layers below as they are, and puts them in place; see `frozenHead.ts`. Logits are scaled so that scores mean what they say, as far as rows can tell.
 */
export async function fitBaseHead(options: BaseHeadOptions): Promise<FittedBase> {
  const { engine, validation, onBase, batchSize, seed, breathe } = options;
  const started = performance.now();
  const network = new Network(engine);
  const order = new Random(seed).shuffle(options.rows.map((_, row) => row)).slice(0, mostRows);
  const rows = order.map((row) => options.rows[row]!);
  const fitting = fitFrozenHead(await headRows(options, network, rows), seed);
  let step = fitting.next();
  while (!step.done) {
    await breathe();
    step = fitting.next();
  }
  const { head, unseen } = step.value;
  const unseenTruth = unseen.rows.map((row) => rows[row]!.label);
  const temperature = unseenTruth.length >= rowsForTemperature ? fitTemperature(unseen.logits, network.labels, unseenTruth) : options.temperature;
  place(engine, head, onBase, temperature, options.rows);

  const judged = validation.length > 0;
  const truth = judged ? validation.map(({ label }) => label) : unseenTruth;
  const logits = judged ? await evaluate(network, validation, batchSize, breathe) : unseen.logits.map((logit) => logit / temperature);
  const own = await evaluate(network, rows, batchSize, breathe);
  const seconds = (performance.now() - started) / 1000;
  const report: EpochReport = {
    trainLoss: negativeLogLikelihood(own, network.labels, rows.map(({ label }) => label), 1),
    validLoss: negativeLogLikelihood(logits, network.labels, truth, 1),
    validAccuracy: accuracyOf(logits, network.labels, truth),
    seconds,
  };
  return { epochs: [report], best: 0, logits, examplesPerSecond: rows.length / seconds, truth, fitted: engine.weights().slice() };
}

/** The fitted head and the training that went on from it, as one run: kept is what has the lower loss on the rows that are held out, so that training on cannot do harm that they would show. */
export function betterOf(first: FittedBase, trained: LoopResult, engine: ComputeEngine): LoopResult {
  const epochs = [...first.epochs, ...trained.epochs];
  if (trained.epochs[trained.best]!.validLoss < first.epochs[0]!.validLoss) return { ...trained, epochs, best: trained.best + 1 };
  engine.weights().set(first.fitted);
  return { ...first, epochs, examplesPerSecond: trained.examplesPerSecond };
}

async function headRows({ engine, onBase, batchSize, breathe }: BaseHeadOptions, network: Network, rows: readonly EncodedRow[]): Promise<HeadRows> {
  const { architecture, labels } = network;
  const lengths = Int32Array.from(rows, ({ ids }) => ids.length);
  const width = engine.layout.find(`${headOf(architecture).name}/kernel`).size / labels;
  const features = new Float32Array(rows.length * width);
  const base = onBase ? new Float32Array(rows.length * labels) : undefined;
  const cost = tokenCost(architecture);
  for (const batch of planEvaluation(lengths, batchSize)) {
    for (const part of splitBatch(batch, lengths, cost)) {
      const texts = fillBatch(Array.from(part, (row) => rows[row]!.ids));
      const own = network.features(texts);
      const logits = base && network.scores(texts, own);
      part.forEach((row, k) => {
        features.set(own.subarray(k * width, (k + 1) * width), row * width);
        if (base && logits) base.set(logits.subarray(k * labels, (k + 1) * labels), row * labels);
      });
      await breathe();
    }
  }
  const wide = ngramLayerOf(architecture);
  const texts = rows.map(({ ids }) => ids);
  const grams = texts.map((ids) => (wide ? ngramBuckets(ids, wide) : new Int32Array(0)));
  // with the base's head its n-grams stay, which were learned with their sizes
  const sizes = wide && onBase && hasTable(engine, wide) ? sizesOf(engine, wide).slice() : undefined;
  return { labels, width, features, texts, grams, ...(sizes ? { sizes } : {}), truth: Int32Array.from(rows, ({ label }) => label), ...(base ? { base } : {}) };
}

/** Writes the head over, or with `onBase` adds it to, what stands in the engine. */
function place(engine: ComputeEngine, head: FrozenHead, onBase: boolean, temperature: number, rows: readonly EncodedRow[]): void {
  const { layout } = engine;
  const { name, units } = headOf(layout.architecture);
  const weights = engine.weights();
  const kept = onBase ? head.factor : 0;
  const write = (parameter: string, values: Float64Array): void => {
    const { offset } = layout.find(parameter);
    values.forEach((value, k) => (weights[offset + k] = (kept * weights[offset + k]! + value) / temperature));
  };
  write(`${name}/kernel`, head.kernel);
  write(`${name}/bias`, head.bias);
  const wide = ngramLayerOf(layout.architecture);
  if (!wide) return;
  const { offset, size } = layout.find(`${wide.name}/table`);
  for (let k = offset; k < offset + size; k++) weights[k] = (kept * weights[k]!) / temperature;
  for (const [bucket, values] of head.table) values.forEach((value, k) => (weights[offset + bucket * ngramWidth(units) + k]! += value / temperature));
  if (head.sizes.size === 0) return;
  const sizes = sizesOf(engine, wide).fill(0);
  const known = [...head.sizes.values()];
  const usual = known.reduce((sum, size) => sum + size, 0) / known.length;
  // rows beyond those that the head was fitted to
  for (const { ids } of rows) for (const bucket of ngramBuckets(ids, wide)) sizes[bucket] = usual;
  for (const [bucket, size] of head.sizes) sizes[bucket] = size;
}

function sizesOf(engine: ComputeEngine, wide: NgramLayer): Float32Array {
  const { offset, size } = engine.layout.find(`${wide.name}/sizes`);
  return engine.weights().subarray(offset, offset + size);
}

/** Whether n-grams say anything yet. */
function hasTable(engine: ComputeEngine, wide: NgramLayer): boolean {
  const { offset, size } = engine.layout.find(`${wide.name}/table`);
  return engine.weights().subarray(offset, offset + size).some((value) => value !== 0);
}
