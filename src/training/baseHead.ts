import type { Architecture, NgramLayer } from '../core/model/architecture';
import { negativeLogLikelihood, refitTemperature } from '../core/metrics/calibration';
import { headOf } from '../core/model/onnxWriter';
import { ngramBuckets, ngramLayerOf, ngramWidth } from '../core/model/ngrams';
import type { EpochReport } from '../core/protocol/trainer';
import { specialTokens } from '../core/text/vocabulary';
import { Random } from '../core/util/random';
import { fillBatch, planEvaluation, splitBatch, tokenCost, type EncodedRow } from './batches';
import type { ComputeEngine } from './engine';
import { fitFrozenHead, type FrozenHead, type HeadRows } from './frozenHead';
import { accuracyOf, evaluate, type LoopResult } from './loop';
import { Network } from './network';

/** Rows that a head is fitted to at most; more are for the gradient to learn from. */
const mostRows = 2000;

/** Made-up texts that hold the head of a base, and their tokens. */
const anchors = { count: 64, shortest: 4, longest: 43 };
/** The least id of a token that stands for text. */
const firstToken = specialTokens.length;

export interface BaseHeadOptions {
  /** Holds the base's weights below the head; with `onBase` its head and n-grams too, else what is there counts for nothing. */
  readonly engine: ComputeEngine;
  readonly rows: readonly EncodedRow[];
  /** See `HeadRows`. */
  readonly continues: (id: number) => boolean;
  /** Rows that are never learned from, to judge the head by; without any it is judged by cross-validation. */
  readonly validation: readonly EncodedRow[];
  /** Whether the base has these labels. */
  readonly onBase: boolean;
  /** What the base's logits are divided by for its scores to mean what they say; 1 where it has other labels. */
  readonly temperature: number;
  /** See `TrainRequest`. */
  readonly threshold?: number | undefined;
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
  const temperature = refitTemperature(unseen.logits, network.labels, unseenTruth, onBase ? options.temperature : undefined);
  place(engine, head, onBase, temperature, options.rows);

  const judged = validation.length > 0;
  const truth = judged ? validation.map(({ label }) => label) : unseenTruth;
  const logits = judged ? await evaluate(network, validation, batchSize, breathe) : unseen.logits.map((logit) => logit / temperature);
  const own = await evaluate(network, rows, batchSize, breathe);
  const seconds = (performance.now() - started) / 1000;
  const report: EpochReport = {
    trainLoss: negativeLogLikelihood(own, network.labels, rows.map(({ label }) => label), 1),
    validLoss: negativeLogLikelihood(logits, network.labels, truth, 1),
    validAccuracy: accuracyOf(logits, network.labels, truth.map((label) => ({ label })), { kind: 'single', ...(options.threshold === undefined ? {} : { threshold: options.threshold }) }),
    seconds,
  };
  return { epochs: [report], best: 0, logits, examplesPerSecond: rows.length / seconds, history: [], stepsPerEpoch: 0, truth, fitted: engine.weights().slice() };
}

/** The fitted head and the training that went on from it, as one run: kept is what has the lower loss on the rows that are held out, so that training on cannot do harm that they would show. */
export function betterOf(first: FittedBase, trained: LoopResult, engine: ComputeEngine): LoopResult {
  const epochs = [...first.epochs, ...trained.epochs];
  if (trained.epochs[trained.best]!.validLoss < first.epochs[0]!.validLoss) return { ...trained, epochs, best: trained.best + 1 };
  engine.weights().set(first.fitted);
  const { examplesPerSecond, history, stepsPerEpoch } = trained;
  return { ...first, epochs, examplesPerSecond, history, stepsPerEpoch };
}

async function headRows({ engine, continues, onBase, batchSize, seed, breathe }: BaseHeadOptions, network: Network, rows: readonly EncodedRow[]): Promise<HeadRows> {
  const { architecture, labels } = network;
  const texts = rows.map(({ ids }) => ids);
  const own = await read(network, texts, batchSize, breathe);
  const anchors = onBase ? await read(network, anchorTexts(architecture, seed), batchSize, breathe) : undefined;
  const wide = ngramLayerOf(architecture);
  const grams = texts.map((ids) => (wide ? ngramBuckets(ids, wide) : new Int32Array(0)));
  // with the base's head its n-grams stay, which were learned with their sizes
  const sizes = wide && onBase && hasTable(engine, wide) ? sizesOf(engine, wide).slice() : undefined;
  return {
    labels,
    width: own.features.length / texts.length,
    features: own.features,
    texts,
    continues,
    grams,
    ...(sizes ? { sizes } : {}),
    truth: Int32Array.from(rows, ({ label }) => label),
    ...(anchors ? { base: { rows: own.logits, anchors } } : {}),
  };
}

/** What the head reads, [texts, D], and what it makes of that, [texts, L]. */
async function read(network: Network, texts: readonly Int32Array[], batchSize: number, breathe: () => Promise<void>): Promise<{ readonly features: Float32Array; readonly logits: Float32Array }> {
  const { architecture, labels } = network;
  const lengths = Int32Array.from(texts, (ids) => ids.length);
  const cost = tokenCost(architecture);
  const logits = new Float32Array(texts.length * labels);
  let features = new Float32Array(0);
  for (const batch of planEvaluation(lengths, batchSize)) {
    for (const part of splitBatch(batch, lengths, cost)) {
      const tokens = fillBatch(Array.from(part, (row) => texts[row]!));
      const own = network.features(tokens);
      const scores = network.scores(tokens, own);
      const width = own.length / part.length;
      if (features.length === 0) features = new Float32Array(texts.length * width);
      part.forEach((row, k) => {
        features.set(own.subarray(k * width, (k + 1) * width), row * width);
        logits.set(scores.subarray(k * labels, (k + 1) * labels), row * labels);
      });
      await breathe();
    }
  }
  return { features, logits };
}

/** Texts that stand for all that a base may be asked about: tokens of its own vocabulary, whose ids follow their frequency, about as frequent as in any language (Zipf). No text of anybody has to be shipped with it. */
function anchorTexts({ layers }: Architecture, seed: number): Int32Array[] {
  const embedding = layers.find((layer) => layer.type === 'embedding');
  const tokens = embedding ? embedding.vocabularySize - firstToken : 0;
  if (tokens <= 0) return [];
  const random = new Random(seed);
  return Array.from({ length: anchors.count }, () =>
    Int32Array.from({ length: anchors.shortest + random.below(anchors.longest - anchors.shortest + 1) }, () => firstToken + Math.floor(Math.exp(random.float() * Math.log(tokens)))),
  ).map((ids) => ids.map((id) => Math.min(id, firstToken + tokens - 1)));
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
