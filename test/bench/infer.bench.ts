/**
 * How much of onnxruntime-web's speed is left when a CSV file is classified end to end: read, tokenized, batched, predicted and written.
 *
 *   npm run bench [-- --rows 20000 --rounds 3]
 *   npm run bench -- --memory 1000       the peak of resident memory on a CSV of that many megabytes
 *
 * The bare session gets the same tokens, ready-made, in the best batches there are (all texts sorted by length); a second one gets batches of 32 in the order of the file.
 * Each contender runs in a process of its own, in turns; what counts are the medians. On a machine that others use, CPU time is the figure to trust: the end-to-end one is that of all
 * its threads.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { parseArgs } from 'node:util';
import { classifyFile } from '../../src/app/classifyFile';
import { bundleFileNames, createBundle, validateBundle } from '../../src/core/model/bundle';
import { defaultHyperparameters } from '../../src/core/model/hyperparameters';
import { presets } from '../../src/core/model/presets';
import { RecordReader, recordBatches } from '../../src/core/csv/reader';
import type { BundleFiles } from '../../src/core/protocol/predictor';
import { Tokenizer } from '../../src/core/text/tokenizer';
import { Random } from '../../src/core/util/random';
import { batchBudget, packBatches } from '../../src/inference/batches';
import { foldCasts } from '../../src/inference/foldCasts';
import { Predictor } from '../../src/inference/predictor';
import { openInput, openOutput } from '../../src/platform/node/files';
import { PredictorBuild } from '../unit/inference/realWorker';
import { OnnxSession } from '../unit/model/onnxSession';
import { randomWeights } from '../unit/model/referenceForward';

const vocabulary = Array.from({ length: 20_000 }, (_, i) => word(i));

/** A made-up word, shorter if it is frequent, as in any language. */
function word(rank: number): string {
  const syllables = ['ba', 'de', 'fi', 'go', 'lu', 'ma', 'ne', 'ri', 'so', 'tu', 'van', 'wel', 'xir', 'yon', 'zun'];
  let text = '';
  for (let rest = rank + 1; rest > 0; rest = Math.floor(rest / syllables.length)) text += syllables[rest % syllables.length]!;
  return text;
}

/** A review of `length` words: frequencies after Zipf, some punctuation, quotes and line breaks. */
function review(random: Random, length: number): string {
  let text = '';
  for (let i = 0; i < length; i++) {
    text += vocabulary[Math.floor(vocabulary.length ** random.float()) - 1]!;
    const mark = random.below(40);
    text += mark < 3 ? '. ' : mark < 6 ? ', ' : mark === 6 ? ' ""so"" ' : mark === 7 ? '\n' : ' ';
  }
  return text;
}

/** Words of a review: most are short, some are very long (log-normal, median 60). */
function reviewLength(random: Random): number {
  return Math.min(1500, Math.ceil(60 * Math.exp(0.9 * random.normal())));
}

/** Writes rows until there are as many, or as many bytes. */
async function writeCsv(file: string, limit: { readonly rows?: number; readonly bytes?: number }, length: (random: Random) => number): Promise<number> {
  const random = new Random(1);
  const stream = createWriteStream(file);
  let rows = 0;
  let bytes = 0;
  stream.write('id,text,stars\n');
  while (rows < (limit.rows ?? Infinity) && bytes < (limit.bytes ?? Infinity)) {
    const line = `${++rows},"${review(random, length(random))}",${1 + random.below(5)}\n`;
    bytes += line.length;
    if (!stream.write(line)) await once(stream, 'drain');
  }
  stream.end();
  await once(stream, 'finish');
  return rows;
}

/** Made once, so that what that takes does not count in any contender's memory. */
function writeModel(folder: string): void {
  const tokenizer = Tokenizer.build(vocabulary, { minFrequency: 1, maxVocabulary: 20_000, maxTokens: 400 });
  const preset = presets[0]!;
  const architecture = preset.build({ ...defaultHyperparameters(preset.defaults), vocabularySize: tokenizer.vocabularySize, labels: 2 });
  const files = createBundle({
    manifest: {
      name: 'bench',
      version: 'v1',
      task: { kind: 'single', labels: [{ id: 'negative' }, { id: 'positive' }] },
      data: {},
      seed: 1,
      hyperparameters: {},
      epochs: [],
      metrics: {},
      temperature: 1,
    },
    tokenizer,
    architecture,
    weights: randomWeights(architecture, new Random(2)),
    precision: 'float16',
  });
  for (const part of parts) writeFileSync(path.join(folder, bundleFileNames[part]), files[part]);
}

const parts = ['manifest', 'tokenizer', 'model'] as const;

function readModel(file: string): BundleFiles {
  const read = (part: keyof BundleFiles): Uint8Array => Uint8Array.from(readFileSync(path.join(path.dirname(file), bundleFileNames[part])));
  return { manifest: read('manifest'), tokenizer: read('tokenizer'), model: read('model') };
}

interface Timing {
  readonly rows: number;
  /** Seconds. */
  readonly wall: number;
  readonly cpu: number;
  /** Megabytes: the greatest resident set. */
  readonly peak: number;
}

async function timed(work: () => Promise<number>): Promise<Timing> {
  const before = process.cpuUsage();
  const start = performance.now();
  const rows = await work();
  const { user, system } = process.cpuUsage(before);
  return { rows, wall: (performance.now() - start) / 1000, cpu: (user + system) / 1e6, peak: process.resourceUsage().maxRSS / 1024 };
}

/** The session alone, on the tokens of the file's texts. */
async function bare(file: string, isSorted: boolean): Promise<Timing> {
  const { tokenizer, manifest, files } = validateBundle(readModel(file), 'bench');
  const budget = batchBudget(manifest.architecture);
  const tokens: Int32Array[] = [];
  for await (const records of recordBatches(new RecordReader(file), (await openInput(file)).chunks)) {
    for (const record of records) if (record.kind === 'row') tokens.push(tokenizer.encode(record.value(1)!));
  }
  const lengths = Int32Array.from(tokens, (ids) => ids.length);
  const order = Int32Array.from(tokens.keys());
  const batches = isSorted ? packBatches(lengths, budget) : Array.from({ length: Math.ceil(tokens.length / 32) }, (_, i) => order.subarray(i * 32, (i + 1) * 32));
  const ready = batches.map((batch) => {
    const time = batch.reduce((longest, i) => Math.max(longest, lengths[i]!), 1);
    const ids = new Int32Array(batch.length * time);
    batch.forEach((i, row) => ids.set(tokens[i]!, row * time));
    return { ids, lengths: Int32Array.from(batch, (i) => lengths[i]!), time };
  });
  // as the predictor opens it, so that it is nothing but the way around that differs
  const session = await OnnxSession.open(foldCasts(files.model, file));
  const run = async (of: typeof ready): Promise<void> => {
    for (const batch of of) await session.runRaw(batch.ids, batch.lengths, batch.time);
  };
  await run(ready.slice(0, 20));
  return await timed(async () => {
    await run(ready);
    return tokens.length;
  });
}

/** The whole way, with the worker started and the model loaded before. */
async function endToEnd(file: string, output: string, onMegabytes?: (read: number, rss: number) => void): Promise<Timing> {
  const files = readModel(file);
  const build = await PredictorBuild.create();
  const predictor = new Predictor(build.start);
  try {
    const { labels } = await predictor.load('bench', files);
    await predictor.predict('bench', ['warm']);
    let told = 0;
    return await timed(async () => {
      const { rows } = await classifyFile({
        chunks: (await openInput(file)).chunks,
        reader: new RecordReader(file),
        sink: await openOutput(output),
        predictor,
        model: { key: 'bench', kind: 'single', labels },
        onProgress: ({ bytes }) => {
          const megabytes = Math.floor(bytes / 1e6);
          if (megabytes < told + 50) return;
          told = megabytes;
          onMegabytes?.(megabytes, process.memoryUsage.rss() / 2 ** 20);
        },
      });
      return rows;
    });
  } finally {
    await predictor.dispose();
    build.remove();
  }
}

const contenders = {
  'bare session': (file: string) => bare(file, true),
  'bare, as they come': (file: string) => bare(file, false),
  'classify': (file: string) => endToEnd(file, `${file}.out.csv`),
  'memory': (file: string) => endToEnd(file, '/dev/null', (read, rss) => console.log(`${read} MB read, resident ${rss.toFixed(0)} MB`)),
} as const;
type Contender = keyof typeof contenders;

/** Runs a contender in a process of its own. */
async function inProcess(contender: Contender, file: string): Promise<Timing> {
  const child = fork(__filename, [contender, file], { env: { ...process.env, BENCH_CONTENDER: '1' } });
  const [timing] = (await once(child, 'message')) as [Timing];
  await once(child, 'exit');
  return timing;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { rows: { type: 'string', default: '20000' }, rounds: { type: 'string', default: '3' }, memory: { type: 'string' } } });
  const folder = mkdtempSync(path.join(tmpdir(), 'label-lens-bench-'));
  try {
    const file = path.join(folder, 'reviews.csv');
    writeModel(folder);
    if (values.memory !== undefined) {
      // long texts: the file is to be large, not the computation
      const rows = await writeCsv(file, { bytes: Number(values.memory) * 1e6 }, () => 1000);
      console.log(`${rows} rows, ${(statSync(file).size / 1e6).toFixed(0)} MB`);
      const { wall, peak } = await inProcess('memory', file);
      console.log(`classify: peak resident memory ${peak.toFixed(0)} MB, ${(rows / wall).toFixed(0)} texts/s`);
      return;
    }
    const rows = await writeCsv(file, { rows: Number(values.rows) }, reviewLength);
    console.log(`${rows} rows, ${(statSync(file).size / 1e6).toFixed(1)} MB, ${presets[0]!.name}; texts/s by the clock, and per second of CPU time`);
    const names: readonly Contender[] = ['bare session', 'bare, as they come', 'classify'];
    const timings = new Map<Contender, Timing[]>(names.map((name) => [name, []]));
    for (let round = 0; round < Number(values.rounds); round++) {
      for (const name of names) timings.get(name)!.push(await inProcess(name, file));
    }
    const speed = (name: Contender, by: 'wall' | 'cpu'): number => median(timings.get(name)!.map((timing) => timing.rows / timing[by]));
    for (const name of names) {
      const peak = Math.max(...timings.get(name)!.map((timing) => timing.peak));
      console.log(
        `${name.padEnd(20)} ${speed(name, 'wall').toFixed(0).padStart(6)} texts/s (${ratio(name, 'wall')})  ${speed(name, 'cpu').toFixed(0).padStart(6)} texts/CPU-s (${ratio(name, 'cpu')})  peak ${peak.toFixed(0)} MB`,
      );
    }
    function ratio(name: Contender, by: 'wall' | 'cpu'): string {
      // of one round's pair: rounds differ more than contenders on a machine that others use
      const pairs = timings.get(name)!.map((timing, round) => timing.rows / timing[by] / (timings.get('bare session')![round]!.rows / timings.get('bare session')![round]![by]));
      return `${median(pairs).toFixed(2)}x`;
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (process.env['BENCH_CONTENDER']) {
  const [contender, file] = process.argv.slice(2) as [Contender, string];
  void contenders[contender](file).then((timing) => process.send!(timing, () => process.disconnect()));
} else {
  void main();
}
