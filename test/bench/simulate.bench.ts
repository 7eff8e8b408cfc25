/**
 * Simulated labelling: how accurate the head is after so many labels, if texts are labelled in the order of our queue, of the file, or at random. The labels of the file are the oracle.
 *
 *   npm run simulate -- DATA_FILE… [--seeds 5] [--budget 50,100,200,400] [--label label] [--text text] [--limit 10000] [--base models/sentiment]
 *
 * A fifth of the distinct texts (2,000 at most), drawn anew for each seed, are the test part that nothing else sees; the others, in the file's order, are the pool. Of longer files the first `limit` distinct texts count. Features come
 * from the base, a folder, through the predictor's worker, the order from the learner's worker, which is asked again after every single decision. TF-IDF + logistic regression learns the same labels (tfidf.ts).
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { parseArgs } from 'node:util';
import { readLabeled } from '../../src/app/labeledRows';
import type { FeatureBatch } from '../../src/core/protocol/learner';
import { RecordReader } from '../../src/core/csv/reader';
import { isCheck } from '../../src/core/labels/checks';
import { exampleId } from '../../src/core/text/normalize';
import { Random } from '../../src/core/util/random';
import { Predictor } from '../../src/inference/predictor';
import { chooseBlend } from '../../src/labeling/blend';
import { isRight } from '../../src/labeling/checkScore';
import { FeatureStore, type FeatureStatistics } from '../../src/labeling/featureStore';
import type { HeadShape } from '../../src/labeling/head';
import { fitHead, isLearnable } from '../../src/labeling/headFit';
import { LearnerClient } from '../../src/labeling/learnerClient';
import { openInput } from '../../src/platform/node/files';
import { startNodeWorker } from '../../src/platform/node/workers';
import { buildDist } from '../dist';
import { TermMatrix, tfidfAccuracy } from './tfidf';

const testShare = 0.2;
const mostTests = 2000;
const orders = ['queue', 'file', 'random'] as const;
type Order = (typeof orders)[number];

/** Distinct texts of a file with all that is known of them. */
interface Texts {
  readonly texts: readonly string[];
  readonly truth: readonly number[];
  readonly labels: readonly string[];
  /** `exampleId` of each. */
  readonly ids: readonly string[];
  readonly width: number;
  readonly features: Float32Array;
  /** [texts, labels] where the base model's labels are the file's. */
  readonly base: Float32Array | undefined;
}

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seeds: { type: 'string', default: '5' },
    budget: { type: 'string', default: '50,100,200,400' },
    label: { type: 'string', default: 'label' },
    text: { type: 'string', default: 'text' },
    limit: { type: 'string', default: '10000' },
    base: { type: 'string', default: 'models/sentiment' },
  },
});
const budgets = flags.budget.split(',').map(Number);

async function readTexts(file: string, predictor: Predictor): Promise<Texts> {
  const input = await openInput(file);
  const { rows } = await readLabeled({ chunks: input.chunks, reader: new RecordReader(file), textColumns: [flags.text], labelColumn: flags.label });
  const distinct = new Map<string, { readonly text: string; readonly label: string }>();
  for (const { text, label } of rows) {
    const id = exampleId(text);
    if (!distinct.has(id)) distinct.set(id, { text, label });
    if (distinct.size === Number(flags.limit)) break;
  }
  const kept = [...distinct.values()];
  const labels = [...new Set(kept.map(({ label }) => label))].sort();
  const files = {
    manifest: readFileSync(path.join(flags.base, 'model.json')),
    tokenizer: readFileSync(path.join(flags.base, 'tokenizer.json')),
    model: readFileSync(path.join(flags.base, 'model.onnx')),
  };
  const { labels: baseLabels } = await predictor.load('base', files);
  const texts = kept.map(({ text }) => text);
  const { features, scores } = await predictor.predict('base', texts, { features: true, cache: false, priority: 'background' });
  if (!features) throw new Error('The model gave no features.');
  return {
    texts,
    truth: kept.map(({ label }) => labels.indexOf(label)),
    labels,
    ids: [...distinct.keys()],
    width: features.length / texts.length,
    features,
    base: baseLabels.join('\n') === labels.join('\n') ? scores : undefined,
  };
}

/** The rows that are labelled, in their order. `pool`: rows of the pool in the file's order. */
async function labeledRows(order: Order, data: Texts, pool: readonly number[], seed: number, client: LearnerClient): Promise<number[]> {
  const count = Math.max(...budgets);
  if (order === 'file') return pool.slice(0, count);
  if (order === 'random') return new Random(seed + 1).shuffle([...pool]).slice(0, count);
  await client.open({
    count: pool.length,
    kind: 'single',
    labels: data.labels.length,
    checks: Uint8Array.from(pool, (row) => (isCheck(data.ids[row]!) ? 1 : 0)),
    keywords: new Int32Array(pool.length).fill(-1),
    hashes: Uint32Array.from(pool, (row) => Number.parseInt(data.ids[row]!.slice(0, 8), 16)),
    seed,
  });
  await client.addFeatures({ ...batchOf(data, pool), positions: Int32Array.from(pool.keys()) });
  const chosen: number[] = [];
  let ranking = await client.rank('useful');
  while (chosen.length < count) {
    const position = ranking.order[0];
    if (position === undefined) break;
    const row = pool[position]!;
    chosen.push(row);
    ranking = await client.decide([{ position, value: [data.truth[row]!], open: false }]);
  }
  return chosen;
}

/** What a seed's heads read: all texts, by what is known of the pool. */
interface Reader {
  readonly store: FeatureStore;
  readonly statistics: FeatureStatistics;
}

function readerOf(data: Texts, pool: readonly number[], test: readonly number[]): Reader {
  const store = new FeatureStore(data.texts.length, data.width, data.labels.length, data.base !== undefined);
  store.add(batchOf(data, pool));
  const statistics = store.statistics();
  store.add(batchOf(data, test));
  return { store, statistics };
}

/** Share of the test part that the head gets right. */
function headAccuracy(data: Texts, { store, statistics }: Reader, training: readonly number[], test: readonly number[]): number {
  const outputs = data.labels.length;
  const shape: HeadShape = { kind: 'single', width: data.width, outputs, hasBase: store.hasBase };
  const lectures = training.map((row) => ({ position: row, value: [data.truth[row]!] }));
  if (!isLearnable(shape, lectures)) return test.filter((row) => data.truth[row] === data.truth[training[0]!]).length / test.length;
  const { blend } = finish(chooseBlend(shape, store, statistics, lectures));
  const head = finish(fitHead(shape, store, statistics, blend, lectures));
  const scores = new Float32Array(outputs);
  const right = test.filter((row) => {
    head.score(store, row, scores, 0);
    return isRight({ kind: 'single' }, [data.truth[row]!], scores, 0, outputs);
  });
  return right.length / test.length;
}

function finish<R>(work: Generator<undefined, R>): R {
  for (;;) {
    const { done, value } = work.next();
    if (done) return value;
  }
}

function batchOf({ texts, features, base, width, labels }: Texts, rows: readonly number[]): FeatureBatch {
  const gather = (from: Float32Array, size: number): Float32Array => {
    const gathered = new Float32Array(rows.length * size);
    rows.forEach((row, at) => gathered.set(from.subarray(row * size, (row + 1) * size), at * size));
    return gathered;
  };
  return { positions: Int32Array.from(rows), texts: rows.map((row) => texts[row]!), width, features: gather(features, width), ...(base ? { scores: gather(base, labels.length) } : {}) };
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
const error = (values: readonly number[]): number => Math.sqrt(values.reduce((sum, value) => sum + (value - mean(values)) ** 2, 0) / Math.max(1, values.length - 1) / values.length);
const percent = (values: readonly number[]): string => `${(100 * mean(values)).toFixed(1)} ± ${(100 * error(values)).toFixed(1)}`;

async function simulate(file: string, predictor: Predictor, client: LearnerClient): Promise<boolean> {
  const data = await readTexts(file, predictor);
  const seeds = Array.from({ length: Number(flags.seeds) }, (_, seed) => seed);
  const matrix = new TermMatrix(data.texts);
  // [order][budget][seed]
  const heads = new Map(orders.map((order) => [order, budgets.map((): number[] => [])]));
  const baselines = new Map(orders.map((order) => [order, budgets.map((): number[] => [])]));
  const began = performance.now();
  for (const seed of seeds) {
    const shuffled = new Random(seed).shuffle(data.texts.map((_, row) => row));
    const test = shuffled.slice(0, Math.min(mostTests, Math.floor(shuffled.length * testShare)));
    const held = new Set(test);
    const pool = data.texts.map((_, row) => row).filter((row) => !held.has(row));
    const reader = readerOf(data, pool, test);
    for (const order of orders) {
      const chosen = await labeledRows(order, data, pool, seed, client);
      budgets.forEach((budget, at) => {
        const training = chosen.slice(0, budget);
        heads.get(order)![at]!.push(headAccuracy(data, reader, training, test));
        baselines.get(order)![at]!.push(tfidfAccuracy(matrix, data.truth, data.labels.length, training, test));
      });
    }
    console.error(`${path.basename(path.dirname(file))}: ${seed + 1} of ${seeds.length} seeds`);
  }
  console.log(`\n${file}: ${data.texts.length} distinct texts, ${data.labels.length} labels${data.base ? ', those of the base model' : ''}; accuracy in %, mean of ${seeds.length} seeds ± standard error (${((performance.now() - began) / 1000).toFixed(0)} s)`);
  console.log(`${'labels'.padEnd(34)}${budgets.map((budget) => String(budget).padStart(14)).join('')}`);
  const line = (name: string, cells: readonly string[]): void => console.log(`  ${name.padEnd(32)}${cells.map((cell) => cell.padStart(14)).join('')}`);
  for (const order of orders) line(`head, ${order}`, heads.get(order)!.map(percent));
  const gains = (['file', 'random'] as const).map((other) => budgets.map((_, at) => heads.get('queue')![at]!.map((accuracy, seed) => accuracy - heads.get(other)![at]![seed]!)));
  line('head, queue less file', gains[0]!.map(percent));
  line('head, queue less random', gains[1]!.map(percent));
  for (const order of orders) line(`TF-IDF + LR, ${order}`, baselines.get(order)!.map(percent));
  const holds = gains.every((each) => each.every((gain) => mean(gain) >= 0));
  console.log(`  ${holds ? 'holds' : 'FAILS'}: the queue is at least as good as the file's order and as a random one at each number of labels`);
  return holds;
}

async function main(): Promise<void> {
  if (positionals.length === 0) {
    console.error('Usage: npm run simulate -- DATA_FILE… [--seeds 5] [--budget 50,100,200,400] [--label label] [--text text] [--limit 10000] [--base models/sentiment]');
    process.exitCode = 2;
    return;
  }
  const folder = mkdtempSync(path.join(tmpdir(), 'label-lens-simulate-'));
  await buildDist(folder, ['predictor', 'learner']);
  const predictor = new Predictor(() => startNodeWorker(path.join(folder, 'predictor.js')));
  const client = new LearnerClient({
    startWorker: () => startNodeWorker(path.join(folder, 'learner.js')),
    onFeaturesLost: () => {
      throw new Error("The learner's worker died.");
    },
  });
  try {
    let holds = true;
    for (const file of positionals) holds = (await simulate(file, predictor, client)) && holds;
    if (!holds) process.exitCode = 1;
  } finally {
    await predictor.dispose();
    await client.dispose();
    rmSync(folder, { recursive: true, force: true });
  }
}

void main();
