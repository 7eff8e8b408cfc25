import type { Architecture, Layer, LstmLayer } from '../core/model/architecture';
import { classWeights } from '../core/labels/classWeights';
import { checkPlan, createBundle, validateBundle, type ValidBundle } from '../core/model/bundle';
import { checkBase, hasLabels, type ModelLabel, type ModelManifest } from '../core/model/manifest';
import { ngramLayerOf } from '../core/model/ngrams';
import { hasSigmoidHead } from '../core/model/onnxWriter';
import { findPreset, presets } from '../core/model/presets';
import { CancelledError, HumanError } from '../core/errors';
import type { AbortSignalLike } from '../core/protocol/rpc';
import type { Hyperparameters, StartOverReason, TrainingRow, TrainPlace, TrainProgress, TrainRequest, TrainResult } from '../core/protocol/trainer';
import type { Tokenizer } from '../core/text/tokenizer';
import { readTokenizer } from '../core/text/trainingTokenizer';
import { betterOf, fitBaseHead, type FittedBase } from './baseHead';
import type { EncodedRow } from './batches';
import { readCheckpoint, writeCheckpoint } from './checkpoint';
import { parameterLayout, type ComputeEngine, type CreateEngine } from './engine';
import { fingerprint, type TrainingInputs } from './fingerprint';
import { initializeWeights, namedWeights, placeVectors, takeColumns, takeWeights, withLogitPairs } from './initialize';
import { TrainingLoop, type LoopCheckpoints, type LoopResult } from './loop';
import type { RegressionOptions } from './loss';
import { ratePlan } from './schedule';
import { fittedTemperature, measure, verdictOf, type Question } from './verdict';

export interface TrainContext {
  readonly createEngine: CreateEngine;
  readonly signal: AbortSignalLike;
  /** Lets the thread handle what has come in. */
  readonly pause: () => Promise<void>;
  readonly onProgress: (progress: TrainProgress) => void;
  readonly checkpoints?: TrainCheckpoints;
}

/** How a training is kept while it runs, and what there is of an earlier run of it. */
export interface TrainCheckpoints extends Pick<LoopCheckpoints, 'interval' | 'now'> {
  /** Gives the last checkpoint away, if there is one. Called once. */
  readonly takeEarlier: () => Uint8Array | undefined;
  /** Gets what continues the training after this moment, in a buffer of its own. */
  readonly onCheckpoint: (checkpoint: Uint8Array<ArrayBuffer>) => void;
  readonly onContinue: (from: TrainPlace) => void;
  /** There is a checkpoint, but the training starts from the beginning. */
  readonly onStartOver: (why: StartOverReason) => void;
}

/** Labels at most: beyond, the column is hardly one of labels. */
const mostLabels = 1000;

/** Rows that training needs. */
const fewestRows = 10;

/** Texts that are encoded between two looks at the signal. */
const textsAtOnce = 500;

/**
 * Trains a model from scratch or from a base and packs it into a bundle; continues from a checkpoint of the same training, which ends with the same weights as if it
 * had never been stopped. For one label of several, a base's head may be fitted first, or alone, see `baseHead.ts`; without rows that are held out, the card then tells how heads did on rows that they were fitted without.
 *
 * @throws HumanError `training.noRows`, `training.fewRows`, `training.oneLabel`, `training.oneSet`, `training.oneValue`, `training.manyLabels`, `training.sameText`, `training.noValidation`, `training.baseHead`, `training.ensemble`,
 *   `training.preset`, `training.diverged`, and those of `validateBundle` for the base and of `checkPlan`; CancelledError
 */
export async function train(wanted: TrainRequest, context: TrainContext): Promise<TrainResult> {
  const request = fittedToVectors(wanted);
  const { hyperparameters, labels, vectors } = request;
  checkRows(request);
  const question = questionOf(request);
  const { valueName = 'value' } = request;
  const base = request.base && validateBundle(request.base, request.identity.parent ?? 'base');
  if (base) checkBase(base.manifest);
  const tokenizer = base?.tokenizer ?? (await readTokenizer(request, () => breathe(context)));
  const rows = await encode(tokenizer, request.rows, question, context);
  checkTexts(rows);
  // after the texts: where all are equal, none can be held out
  const { baseHead } = hyperparameters;
  if (request.validation.length === 0 && !(base && baseHead === 'only'))
    throw new HumanError('training.noValidation', 'No rows are held out to check the model with, so training could not know when to stop. Hold out a share of the rows, or give a validation file.');
  if (base && baseHead !== 'kept' && (question.kind !== 'single' || question.value))
    throw new HumanError('training.baseHead', 'Only a head that tells one label of several can be fitted by itself. For several labels at once and for numbers, choose baseHead kept, so that all layers learn.');
  const validation = await encode(tokenizer, request.validation, question, context);

  const architecture = base ? adapt(base, request, question) : build(request, question, tokenizer.vocabularySize);
  checkPlan({ architecture, labels, precision: request.precision });
  const engine = await context.createEngine(parameterLayout(architecture));
  try {
    initializeWeights(engine.layout, engine.weights(), hyperparameters.seed);
    if (base) startFrom(base, engine, question, valueName);
    if (vectors) placeVectors(engine.layout, engine.weights(), vectors, Array.from({ length: tokenizer.vocabularySize }, (_, id) => tokenizer.tokenOf(id)), hyperparameters.seed);

    const parts: TrainingInputs = { request, base, tokenizer, architecture, rows, validation };
    const fitted = base && baseHead !== 'kept' ? await fitHead(base, engine, parts, context) : undefined;
    const trained = fitted && baseHead === 'only' ? fitted : await descend(engine, parts, question, context);
    const { epochs, best, logits, examplesPerSecond, history, stepsPerEpoch } = fitted && trained !== fitted ? betterOf(fitted, trained, engine) : trained;
    const truth = fitted?.truth.map((label) => ({ label })) ?? validation;
    // a fitted head has it in its weights
    const temperature = fittedTemperature(logits, truth, question, fitted ? 1 : temperatureOf(base, question));
    const verdict = validation.length === 0 ? { scores: new Float32Array(0) } : verdictOf(logits, validation.length, question, temperature);
    const bundle = createBundle({
      manifest: {
        name: request.identity.name,
        version: request.identity.version,
        ...(request.identity.parent === undefined ? {} : { parent: request.identity.parent }),
        ...(request.identity.description === undefined ? {} : { description: request.identity.description }),
        task: taskOf(question, base, valueName),
        data: { ...request.identity.data, rows: rows.length, validationRows: validation.length },
        seed: hyperparameters.seed,
        hyperparameters: effective(request, base),
        epochs,
        metrics: measure(logits, truth, question, temperature),
        temperature,
      },
      tokenizer,
      architecture,
      weights: namedWeights(engine.layout, engine.weights()),
      precision: request.precision,
    });
    return { bundle, epochs, best, examplesPerSecond, history, stepsPerEpoch, validationScores: verdict.scores, ...(verdict.values ? { validationValues: verdict.values } : {}) };
  } finally {
    engine.dispose();
  }
}

/** Trains the engine's weights by gradient descent, from where they are or from an earlier run's checkpoint on. */
async function descend(engine: ComputeEngine, parts: TrainingInputs, question: Question, context: TrainContext): Promise<LoopResult> {
  const { request, rows, validation } = parts;
  const { hyperparameters } = request;
  const { checkpoints } = context;
  const print = checkpoints && (await fingerprint(parts, () => breathe(context)));
  const loop = new TrainingLoop(engine, rows, validation, {
    ...hyperparameters,
    ...(checkpoints ? { checkpoints: { ...checkpoints, save: (state) => checkpoints.onCheckpoint(writeCheckpoint(state, print!)) } } : {}),
    rates: ratePlan(engine.layout, hyperparameters),
    kind: question.kind,
    threshold: question.threshold,
    value: question.value && regressionOf(question.value, hyperparameters),
    classWeights: hyperparameters.classWeights === 'balanced' ? balanced(rows, question) : undefined,
    signal: context.signal,
    pause: context.pause,
    onProgress: context.onProgress,
  });
  if (checkpoints) goOn(loop, checkpoints, print!);
  return await loop.run();
}

function regressionOf({ deviation }: NonNullable<Question['value']>, { regressionLoss: loss, huberDelta: delta, valueWeight: weight }: Hyperparameters): RegressionOptions {
  return { loss, delta, weight, deviation };
}

/** See `LossOptions`; none for `number`, which has no classes. */
function balanced(rows: readonly EncodedRow[], { kind, labels }: Question): Float32Array | undefined {
  if (kind === 'number') return undefined;
  if (kind === 'single') return classWeights(rows.map(({ label }) => label), labels.length);
  return Float32Array.from(labels.flatMap((_, label) => [...classWeights(rows.map((row) => (row.labels?.includes(label) ? 1 : 0)), 2)]));
}

/** What is learned, with the unit of its numbers. */
function questionOf({ kind = 'single', labels, rows, threshold }: TrainRequest): Question {
  const question: Question = { kind, labels: kind === 'number' ? [] : labels, ...(threshold === undefined ? {} : { threshold }) };
  if (kind === 'multi' || rows[0]?.value === undefined) return question;
  const values = rows.map(({ value }) => value ?? NaN);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return { ...question, value: { mean, deviation: Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length) } };
}

/** Logits of a model: one a label, and one for a number. */
function outputsOf({ kind, labels, value }: Question): number {
  return kind === 'number' ? 1 : labels.length + (value ? 1 : 0);
}

function taskOf({ kind, labels, value, threshold }: Question, base: ValidBundle | undefined, name: string): ModelManifest['task'] {
  return { kind, labels: labels.map((id) => labelOf(base, id)), ...(threshold === undefined ? {} : { threshold }), ...(value ? { value: { name, ...value } } : {}) };
}

function checkRows({ rows, validation, labels, kind = 'single' }: TrainRequest): void {
  if (rows.length === 0) throw new HumanError('training.noRows', 'There are no labeled rows to train on. Label some texts, or choose the file and the column that hold the labels.');
  if (kind !== 'number' && (labels.length > mostLabels || (labels.length > 50 && labels.length > rows.length / 2)))
    throw new HumanError(
      'training.manyLabels',
      'There are {0} different labels in {1} rows; a classifier learns at most {2}, and needs several rows of each. Check that the right column holds the labels, or merge rare labels into one.',
      [labels.length, rows.length, mostLabels],
    );
  const hasValues = kind === 'number' || (kind === 'single' && rows[0]!.value !== undefined);
  for (const row of [...rows, ...validation]) {
    for (const label of kind === 'single' ? [row.label] : kind === 'multi' ? (row.labels ?? [-1]) : []) if (labels[label] === undefined) throw new Error(`There is no label ${label}.`);
    if (hasValues && !Number.isFinite(row.value)) throw new Error(`The value ${row.value} is no number.`);
  }
  if (kind === 'single' && rows.every(({ label }) => label === rows[0]!.label))
    throw new HumanError('training.oneLabel', 'All {0} rows to train on have the same label, {1}. Label texts of at least one other label, so that there is something to tell apart.', [
      rows.length,
      labels[rows[0]!.label]!,
    ]);
  if (kind === 'multi' && new Set(rows.map((row) => [...new Set(row.labels)].sort().join())).size < 2)
    throw new HumanError('training.oneSet', 'All {0} rows to train on have the same labels, so there is nothing to tell apart. Label texts that have others, or none.', [rows.length]);
  if (hasValues && rows.every(({ value }) => value === rows[0]!.value))
    throw new HumanError('training.oneValue', 'All {0} rows to train on have the same value, {1}, so there is nothing to learn. Check that the right column holds the numbers.', [rows.length, rows[0]!.value!]);
  if (rows.length < fewestRows)
    throw new HumanError('training.fewRows', 'There are {0} labeled rows, and training needs at least {1}. Label more texts and train again.', [rows.length, fewestRows]);
}

/** All texts equal, or all without a token, teach nothing. */
function checkTexts(rows: readonly EncodedRow[]): void {
  const first = rows[0]!.ids;
  if (rows.every(({ ids }) => ids.length === first.length && ids.every((id, k) => id === first[k])))
    throw new HumanError('training.sameText', 'All {0} texts to train on read the same: they are equal, or empty. Check that the right columns hold the texts.', [rows.length]);
}

/** The embedding is as wide as its vectors, rounded up to the multiple of 4 that the kernels want. */
function fittedToVectors(request: TrainRequest): TrainRequest {
  const { vectors, base, tokenizer, hyperparameters } = request;
  if (base && (vectors ?? tokenizer)) throw new Error('A base brings its own vectors and tokenizer.');
  return vectors ? { ...request, hyperparameters: { ...hyperparameters, embeddingSize: Math.ceil(vectors.size / 4) * 4 } } : request;
}

async function encode(tokenizer: Tokenizer, rows: readonly TrainingRow[], { kind, value: unit }: Question, context: TrainContext): Promise<EncodedRow[]> {
  const encoded: EncodedRow[] = [];
  for (const { text, label, labels, value } of rows) {
    const several = kind === 'multi' ? { labels: [...new Set(labels)] } : {};
    const number = unit && value !== undefined ? { value: (value - unit.mean) / unit.deviation } : {};
    encoded.push({ ids: tokenizer.encode(text), label, ...several, ...number });
    if (encoded.length % textsAtOnce === 0) await breathe(context);
  }
  return encoded;
}

async function breathe({ pause, signal }: TrainContext): Promise<void> {
  await pause();
  if (signal.aborted) throw new CancelledError();
}

function build({ preset: name, hyperparameters }: TrainRequest, question: Question, vocabularySize: number): Architecture {
  const preset = findPreset(name);
  if (!preset) throw new HumanError('training.preset', 'There is no preset {0}. Use one of these: {1}.', [name, presets.map((known) => known.name).join(', ')]);
  return preset.build({ ...hyperparameters, vocabularySize, labels: outputsOf(question), kind: question.kind });
}

/** The base's architecture with a head for these labels, n-grams beside it where the run wants them and the base has none, and, in the layers that it has for that, this run's dropout. */
function adapt(base: ValidBundle, { hyperparameters }: TrainRequest, question: Question): Architecture {
  const { preset, layers: own } = base.manifest.architecture;
  const { ngramBuckets: buckets, ngramLength: longest } = hyperparameters;
  const layers = buckets === 0 || ngramLayerOf(base.manifest.architecture) ? own : [...own.slice(0, -1), { type: 'ngrams', name: unusedName('ngrams', own), buckets, longest } as const, ...own.slice(-1)];
  return {
    preset,
    layers: layers.map((layer, index): Layer => {
      if (layer.type === 'dropout') return { ...layer, rate: layer.over === 'tokens' ? hyperparameters.embeddingDropout : hyperparameters.dropout };
      if (layer.type === 'lstm') return weightDrop(layer, hyperparameters.recurrentDropout);
      return layer.type === 'dense' && index === layers.length - 1 ? { ...layer, units: outputsOf(question) } : layer;
    }),
  };
}

/** `name`, or with a number after it if a layer has that name. */
function unusedName(name: string, layers: readonly Layer[]): string {
  const isFree = (free: string): boolean => layers.every((layer) => layer.name !== free);
  let unused = name;
  for (let number = 2; !isFree(unused); number++) unused = `${name}${number}`;
  return unused;
}

/** The layer with that recurrent dropout, which it does not speak of where there is none. */
function weightDrop({ type, name, units, bidirectional }: LstmLayer, rate: number): LstmLayer {
  return { type, name, units, bidirectional, ...(rate === 0 ? {} : { recurrentDropout: rate }) };
}

/** Takes over the base's weights; of its head, and of n-grams beside it, the columns of those labels that it knows. */
function startFrom(base: ValidBundle, engine: ComputeEngine, { kind, labels, value }: Question, valueName: string): void {
  const { name } = engine.layout.architecture.layers.at(-1)!;
  const wide = ngramLayerOf(engine.layout.architecture)?.name;
  const head = [`${name}/kernel`, `${name}/bias`];
  const own = base.weights();
  const weights = hasSigmoidHead(base.manifest.architecture, base.manifest.task.kind) ? withLogitPairs(own, [...head, `${wide}/table`]) : own;
  const hasWide = ngramLayerOf(base.manifest.architecture) !== undefined;
  takeWeights(engine.layout, engine.weights(), weights, new Set([...head, `${wide}/table`, ...(hasWide ? [] : [`${wide}/sizes`])]));
  const { task } = base.manifest;
  // a score of a task of another kind means something else
  if (task.kind !== kind) return;
  const taken = [...head, ...(hasWide ? [`${wide}/table`] : [])];
  const known = task.labels.map(({ id }) => id);
  const valueColumn = value && task.value?.name === valueName ? known.length : -1;
  const columns = [...labels.map((label) => known.indexOf(label)), ...(value ? [valueColumn] : [])];
  takeColumns(engine.layout, engine.weights(), weights, taken, columns);
  if (!value || !task.value || valueColumn < 0) return;
  // the base's number is in its own unit
  const factor = task.value.deviation / value.deviation;
  for (const parameter of taken) {
    const { offset, size, shape } = engine.layout.find(parameter);
    for (let at = offset + labels.length; at < offset + size; at += shape.at(-1)!) engine.weights()[at]! *= factor;
  }
  engine.weights()[engine.layout.find(`${name}/bias`).offset + labels.length]! += (task.value.mean - value.mean) / value.deviation;
}

/** What the scores of a head that is the base's are divided by before they mean what they say. */
function temperatureOf(base: ValidBundle | undefined, { kind, labels }: Pick<Question, 'kind' | 'labels'>): number {
  return base && hasLabels(base.manifest, labels, kind) ? base.manifest.temperature : 1;
}

async function fitHead(base: ValidBundle, engine: ComputeEngine, { rows, validation, tokenizer, request: { labels, hyperparameters, threshold } }: TrainingInputs, context: TrainContext): Promise<FittedBase> {
  return await fitBaseHead({
    engine,
    rows,
    validation,
    continues: (id) => tokenizer.continues(id),
    onBase: hasLabels(base.manifest, labels),
    temperature: temperatureOf(base, { kind: 'single', labels }),
    threshold,
    batchSize: hyperparameters.batchSize,
    seed: hyperparameters.seed,
    breathe: () => breathe(context),
  });
}

/** Puts `loop` to where the earlier run was, if it was one of the same training. Not part of `train`, whose variables live as long as the training: the checkpoint's megabytes must not. */
function goOn(loop: TrainingLoop, { takeEarlier, onContinue, onStartOver }: TrainCheckpoints, print: Uint8Array): void {
  const earlier = takeEarlier();
  if (!earlier) return;
  const from = readCheckpoint(earlier, print, loop.shape);
  if (typeof from === 'string') return onStartOver(from);
  loop.restore(from);
  onContinue({ epochs: from.reports, batch: from.position, batches: loop.shape.batches });
}

/** The hyperparameters of a training that fits a base's head and nothing else. */
const ofFittedHead: ReadonlySet<string> = new Set<keyof Hyperparameters>(['ngramBuckets', 'ngramLength', 'baseHead', 'seed']);

/** What the card says of the hyperparameters: with a base, its sizes, layers and tokenizer hold, not those of the request; so does another model's tokenizer. */
function effective({ hyperparameters, tokenizer }: TrainRequest, base: ValidBundle | undefined): Readonly<Record<string, number | string>> {
  if (!base) {
    if (!tokenizer) return { ...hyperparameters };
    const ofTokenizer = new Set<string>(['minFrequency', 'vocabularySize', 'maxTokens'] satisfies (keyof Hyperparameters)[]);
    return Object.fromEntries(Object.entries(hyperparameters).filter(([name]) => !ofTokenizer.has(name)));
  }
  const ofBase = new Set<string>(['embeddingSize', 'hiddenUnits', 'layers', 'filters', 'kernelSize', 'poolSize', 'denseUnits', 'minFrequency', 'vocabularySize', 'maxTokens'] satisfies (keyof Hyperparameters)[]);
  // a rate without a layer to hold it did nothing
  const { layers } = base.manifest.architecture;
  const has = (of: (layer: Layer) => boolean): boolean => layers.some(of);
  if (!has((layer) => layer.type === 'dropout' && layer.over === 'tokens')) ofBase.add('embeddingDropout');
  if (!has((layer) => layer.type === 'dropout' && layer.over !== 'tokens')) ofBase.add('dropout');
  if (!has((layer) => layer.type === 'lstm')) ofBase.add('recurrentDropout');
  if (has((layer) => layer.type === 'ngrams')) for (const name of ['ngramBuckets', 'ngramLength']) ofBase.add(name);
  const used = Object.entries(hyperparameters).filter(([name]) => !ofBase.has(name));
  return Object.fromEntries(hyperparameters.baseHead === 'only' ? used.filter(([name]) => ofFittedHead.has(name)) : used);
}

/** The label as the base knows it, with its name, if it does. */
function labelOf(base: ValidBundle | undefined, id: string): ModelLabel {
  return base?.manifest.task.labels.find((label) => label.id === id) ?? { id };
}
