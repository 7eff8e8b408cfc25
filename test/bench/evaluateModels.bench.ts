/**
 * The shipped models on public data, and what few labels are worth with a base, each with TF-IDF + logistic regression on the same rows beside it.
 *
 *   npm run evaluate:models -- DATA_FOLDER [--sets a,b,…] [--part all|few|both|forgetting] [--models a,b,…] [--base sentiment] [--sizes 50,100,250,1000] [--seeds 5] [--rows 10000] [--test-rows 2000] [--ablate] [--scratch] [--self-training] [--hashed] [--held-out FOLDER]
 *
 * DATA_FOLDER holds a folder for each set with train.csv.gz (columns text and label) and, where there is one, test.csv.gz or valid.csv.gz; other folders are passed over. A set without either is split by the hash of its texts: to test on
 * are those that the recipe of the shipped models holds out, or a fifth of a set that it does not know; with `--hashed` a fifth of each, for choices that test files must not make. Training texts that equal a test text are left out. TF-IDF learns at most `--rows` rows, as its training is quadratic in nothing but patience. `--test-rows` bounds what is tested on.
 *
 * `all`: every shipped model on every set whose labels it knows. Figures on rows that are no file of their own have a star: they chose temperatures and how much n-grams count.
 * `few`: `label-lens train --base` on N rows (`all`: the whole training part), through the same code, tested on the ONNX model that comes out; with `--ablate` also without n-grams, with `--scratch` also `--base none`; with `--self-training` also on as many rows again that nobody has labelled, those whose
 * labels the first model is surest of (Yarowsky 1995). One thread.
 * `forgetting`: what the base loses on its own sets while labels of another domain come (`--sets`), see forgetting.ts. Its own sets are the files SET.valid.csv of `--held-out` with the base's labels, which
 * `npm run build:model` leaves in build/models/data; at most `--test-rows` of each are scored.
 */
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { parseArgs } from 'node:util';
import { recipeFor } from '../../src/app/baseRecipe';
import { ModelStore } from '../../src/app/modelStore';
import type { LabeledText } from '../../src/app/labeledRows';
import { defaultHeldOut, trainRequest } from '../../src/app/trainRequest';
import { stratifiedSample } from '../../src/core/labels/split';
import { calibratedError, expectedCalibrationError } from '../../src/core/metrics/calibration';
import { classificationReport } from '../../src/core/metrics/report';
import { checkHyperparameters } from '../../src/core/model/hyperparameters';
import { validateBundle, type ValidBundle } from '../../src/core/model/bundle';
import { presets } from '../../src/core/model/presets';
import type { BundleFiles } from '../../src/core/protocol/predictor';
import { Predictor } from '../../src/inference/predictor';
import { NodeFileSystem } from '../../src/platform/node/fileSystem';
import { startNodeWorker } from '../../src/platform/node/workers';
import { createKernelEngine } from '../../src/training/kernels/kernelEngine';
import { startTfjs } from '../../src/training/tf';
import { train } from '../../src/training/train';
import { buildDist } from '../dist';
import { readRows, readSet, type DataSet } from './dataSets';
import { forgetting, type ScoredSet } from './forgetting';
import { TermMatrix, tfidfGuesses } from './tfidf';

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    sets: { type: 'string' },
    part: { type: 'string', default: 'both' },
    models: { type: 'string' },
    base: { type: 'string', default: 'sentiment' },
    sizes: { type: 'string', default: '50,100,250,1000' },
    seeds: { type: 'string', default: '5' },
    rows: { type: 'string', default: '10000' },
    'test-rows': { type: 'string', default: '2000' },
    ablate: { type: 'boolean', default: false },
    scratch: { type: 'boolean', default: false },
    'self-training': { type: 'boolean', default: false },
    hashed: { type: 'boolean', default: false },
    'held-out': { type: 'string', default: 'build/models/data' },
  },
});

interface Score {
  readonly accuracy: number;
  readonly macroF1: number;
}

function scoreOf({ test, labels }: DataSet, guesses: readonly (string | undefined)[]): Score {
  const truth = test.map(({ label }) => labels.indexOf(label));
  // a guess that is no label of the set counts as wrong
  const own = guesses.map((guess, row) => (guess !== undefined && labels.includes(guess) ? labels.indexOf(guess) : (truth[row]! + 1) % labels.length));
  return classificationReport(truth, own, labels);
}

interface ModelScore extends Score {
  readonly ece: number;
  /** See {@link calibratedError}. */
  readonly eceByChance: number;
}

async function modelScore(set: DataSet, files: BundleFiles, predictor: Predictor): Promise<ModelScore> {
  const { labels } = await predictor.load('model', files);
  const { scores } = await predictor.predict('model', set.test.map(({ text }) => text), { cache: false, priority: 'background' });
  predictor.unload('model');
  const rows = set.test.map((_, row) => scores.subarray(row * labels.length, (row + 1) * labels.length));
  return {
    ...scoreOf(set, rows.map((row) => labels[bestOf(row)])),
    ece: expectedCalibrationError(scores, labels.length, set.test.map(({ label }) => labels.indexOf(label))),
    eceByChance: calibratedError(rows.map((row) => Math.max(...row))),
  };
}

function bestOf(scores: Float32Array): number {
  return scores.indexOf(scores.reduce((most, score) => Math.max(most, score), -Infinity));
}

function tfidfScore(set: DataSet, training: readonly LabeledText[]): Score {
  const all = [...training, ...set.test];
  const rows = training.map((_, row) => row);
  const matrix = new TermMatrix(all.map(({ text }) => text), { rows: training.length, minimum: 1 });
  const guesses = tfidfGuesses(matrix, all.map(({ label }) => set.labels.indexOf(label)), set.labels.length, rows, set.test.map((_, row) => training.length + row));
  return scoreOf(set, guesses.map((guess) => set.labels[guess]));
}

/** As `label-lens train --base` does it, with the defaults. */
async function fewLabels(name: string, rows: readonly LabeledText[], base: ValidBundle | undefined, seed: number, own: Readonly<Record<string, number>>): Promise<BundleFiles> {
  const preset = presets[0]!;
  const pause = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));
  const hyperparameters = checkHyperparameters({ seed, ...own }, { ...preset.defaults, ...recipeFor(rows, base) });
  const request = await trainRequest(
    {
      rows,
      heldOut: { share: defaultHeldOut },
      preset: preset.name,
      ...(base ? { base } : {}),
      hyperparameters,
      workers: 1,
      precision: 'float32',
      name,
      version: 'v1',
      file: name,
      textColumns: ['text'],
      labelColumn: 'label',
    },
    pause,
  );
  const { bundle } = await train(request, {
    createEngine: createKernelEngine(),
    signal: { aborted: false, addEventListener: () => undefined, removeEventListener: () => undefined },
    pause,
    onProgress: () => undefined,
  });
  return bundle;
}

const models = new ModelStore({ fileSystem: new NodeFileSystem(), shippedFolder: path.resolve('models') });

/** A shipped model by its name, or the one in a folder. */
async function openModel(name: string): Promise<ValidBundle> {
  const { files } = await models.open(existsSync(path.join('models', name)) ? name : path.resolve(name));
  return validateBundle(files, name);
}

const percent = (value: number): string => (100 * value).toFixed(1);
const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

async function allLabels(sets: readonly DataSet[], predictor: Predictor): Promise<void> {
  const names = flags.models?.split(',') ?? readdirSync('models').filter((name) => existsSync(path.join('models', name, 'model.json')));
  const shipped: ValidBundle[] = [];
  for (const name of names) shipped.push(await openModel(name));
  console.log('\n## Shipped models, accuracy (macro F1) in %; calibration error (what chance would bring)\n\n| set | model | test rows | model | calibration error | TF-IDF + LR | its rows |\n|---|---|---|---|---|---|---|');
  for (const set of sets) {
    const fitting = shipped.filter(({ manifest }) => set.labels.every((label) => manifest.task.labels.some(({ id }) => id === label)));
    if (fitting.length === 0) continue;
    const rows = stratifiedSample(set.training, Math.min(set.training.length, Number(flags.rows)), ({ label }) => label, 1);
    const baseline = tfidfScore(set, rows);
    for (const { files, manifest } of fitting) {
      const { accuracy, macroF1, ece, eceByChance } = await modelScore(set, files, predictor);
      console.log(`| ${set.name} | ${manifest.name} | ${set.test.length} | ${percent(accuracy)}${set.hashed ? '*' : ''} (${percent(macroF1)}) | ${ece.toFixed(3)} (${eceByChance.toFixed(3)}) | ${percent(baseline.accuracy)} (${percent(baseline.macroF1)}) | ${rows.length} |`);
    }
  }
}

async function few(sets: readonly DataSet[], predictor: Predictor): Promise<void> {
  const base = flags.base === 'none' ? undefined : await openModel(flags.base);
  const seeds = Array.from({ length: Number(flags.seeds) }, (_, seed) => seed + 1);
  const ways: readonly { readonly name: string; readonly base: ValidBundle | undefined; readonly own: Readonly<Record<string, number>>; readonly selfTrains?: true }[] = [
    { name: `base ${flags.base}`, base, own: {} },
    ...(flags.ablate ? [{ name: 'without n-grams', base, own: { ngramBuckets: 0 } }] : []),
    ...(flags.scratch ? [{ name: 'from scratch', base: undefined, own: {} }] : []),
    ...(flags['self-training'] ? [{ name: 'with self-training', base, own: {}, selfTrains: true } as const] : []),
  ];
  console.log(`\n## Few labels, accuracy in %, mean of ${seeds.length} seeds\n\n| set | labels | ${ways.map(({ name }) => name).join(' | ')} | TF-IDF + LR | gain | s |\n|---|---|${'---|'.repeat(ways.length + 3)}`);
  const gains = new Map<string, number[]>();
  for (const set of sets) {
    for (const wanted of flags.sizes.split(',')) {
      const size = wanted === 'all' ? set.training.length : Number(wanted);
      if (size > set.training.length) continue;
      const scores = ways.map((): number[] => []);
      const baselines: number[] = [];
      let seconds = 0;
      for (const seed of seeds) {
        const rows = stratifiedSample(set.training, size, ({ label }) => label, seed);
        for (const [way, { base, own, selfTrains }] of ways.entries()) {
          const began = performance.now();
          const first = await fewLabels(set.name, rows, base, seed, own);
          const bundle = selfTrains ? await fewLabels(set.name, [...rows, ...(await surest(set, rows, first, predictor))], base, seed, own) : first;
          if (way === 0) seconds += (performance.now() - began) / 1000;
          scores[way]!.push((await modelScore(set, bundle, predictor)).accuracy);
        }
        baselines.push(tfidfScore(set, rows).accuracy);
      }
      const gain = mean(scores[0]!) - mean(baselines);
      gains.set(wanted, [...(gains.get(wanted) ?? []), gain]);
      console.log(`| ${set.name} | ${size} | ${scores.map((own) => percent(mean(own))).join(' | ')} | ${percent(mean(baselines))} | ${percent(gain)} | ${(seconds / seeds.length).toFixed(1)} |`);
    }
  }
  for (const [size, own] of gains) console.log(`${size} labels: gain ${percent(mean(own))} on average, ${percent(Math.min(...own))} where it is least`);
}

/** Unlabelled rows of a set, as many as are labelled, with the labels that a model gives them: of each label its surest, in the shares that labels have. */
async function surest(set: DataSet, labelled: readonly LabeledText[], files: BundleFiles, predictor: Predictor): Promise<LabeledText[]> {
  const taken = new Set(labelled);
  const pool = set.training.filter((row) => !taken.has(row)).slice(0, 2000);
  const { labels } = await predictor.load('model', files);
  const { scores } = await predictor.predict('model', pool.map(({ text }) => text), { cache: false, priority: 'background' });
  predictor.unload('model');
  const guesses = pool.map((row, at) => {
    const own = scores.subarray(at * labels.length, (at + 1) * labels.length);
    const best = bestOf(own);
    return { row: { ...row, label: labels[best]! }, score: own[best]! };
  });
  return labels.flatMap((label) =>
    guesses
      .filter(({ row }) => row.label === label)
      .sort((a, b) => b.score - a.score)
      .slice(0, labelled.filter((row) => row.label === label).length)
      .map(({ row }) => row),
  );
}

/** The rows whose labels are the base's, at most `--test-rows` of them. */
function ofBase(rows: readonly LabeledText[], labels: ReadonlySet<string>): LabeledText[] {
  const known = rows.filter(({ label }) => labels.has(label));
  return stratifiedSample(known, Math.min(known.length, Number(flags['test-rows'])), ({ label }) => label, 1);
}

async function forget(sets: readonly DataSet[], predictor: Predictor): Promise<void> {
  const base = await openModel(flags.base);
  const labels = new Set(base.manifest.task.labels.map(({ id }) => id));
  const folder = flags['held-out'];
  const own: ScoredSet[] = [];
  for (const file of existsSync(folder) ? readdirSync(folder).sort() : []) {
    const [, name] = /^(.*)\.valid\.csv$/.exec(file) ?? [];
    if (name === undefined) continue;
    const rows = await readRows(path.join(folder, file));
    if (new Set(rows.map(({ label }) => label)).size === labels.size && rows.every(({ label }) => labels.has(label))) own.push({ name, rows: ofBase(rows, labels) });
  }
  if (own.length === 0) throw new Error(`No SET.valid.csv with the labels of ${flags.base} lies in ${folder}. Name the folder by --held-out.`);
  const domains = sets
    .filter((set) => [...labels].every((label) => set.labels.includes(label)))
    .map(({ name, training, test }) => ({ name, training: training.filter(({ label }) => labels.has(label)), test: ofBase(test, labels) }));
  await forgetting<BundleFiles>({
    base: base.files,
    own,
    domains,
    seeds: Array.from({ length: Number(flags.seeds) }, (_, seed) => seed + 1),
    update: async (from, rows, seed) => await fewLabels('update', rows, validateBundle(from, 'base'), seed, {}),
    accuracies: async (model, parts) => {
      const known = (await predictor.load('updated', model)).labels;
      const shares: number[] = [];
      for (const rows of parts) {
        const { scores } = await predictor.predict('updated', rows.map(({ text }) => text), { cache: false, priority: 'background' });
        shares.push(rows.filter(({ label }, row) => label === known[bestOf(scores.subarray(row * known.length, (row + 1) * known.length))]).length / rows.length);
      }
      predictor.unload('updated');
      return shares;
    },
    print: (line) => console.log(line),
  });
}

async function main(): Promise<void> {
  const [folder] = positionals;
  if (folder === undefined || !existsSync(folder)) {
    console.error('Usage: npm run evaluate:models -- DATA_FOLDER [--sets a,b] [--part all|few|both|forgetting] [--models a,b] [--base NAME|DIR|none] [--sizes 50,100,250,1000] [--seeds 5] [--rows 10000] [--test-rows 2000] [--ablate] [--scratch] [--self-training] [--hashed] [--held-out FOLDER]');
    process.exitCode = 2;
    return;
  }
  const wanted = flags.sets?.split(',') ?? readdirSync(folder).sort();
  const sets: DataSet[] = [];
  for (const name of wanted) {
    const set = await readSet(folder, name, { hashed: flags.hashed, testRows: Number(flags['test-rows']) });
    if (set) sets.push(set);
  }
  await startTfjs(path.resolve('node_modules/@tensorflow/tfjs-backend-wasm/dist') + path.sep);
  const out = mkdtempSync(path.join(tmpdir(), 'label-lens-evaluate-'));
  await buildDist(out, ['predictor']);
  const predictor = new Predictor(() => startNodeWorker(path.join(out, 'predictor.js')));
  try {
    if (flags.part === 'forgetting') await forget(sets, predictor);
    if (flags.part === 'all' || flags.part === 'both') await allLabels(sets, predictor);
    if (flags.part === 'few' || flags.part === 'both') await few(sets, predictor);
  } finally {
    await predictor.dispose();
    rmSync(out, { recursive: true, force: true });
  }
}

void main();
