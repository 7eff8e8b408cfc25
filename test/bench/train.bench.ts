/**
 * How fast training is: this trainer, tfjs by itself and PyTorch (if a Python has it), each in a process of its own, in turns, on the same weights and batches.
 *
 *   npm run bench:train [-- --rounds N] [--only LSTM-64|BiLSTM-128] [--times 20,64,200] [--contenders 'Label Lens,PyTorch']        PYTHON=…: the Python to ask for torch
 *
 * First all contenders compute the loss and the gradient of one batch; one that differs from the others is not timed. What counts is CPU time: it does not depend on who else uses the machine.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import * as path from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { parameterLayout } from '../../src/training/engine';
import { Kernels, supportsRelaxed, type KernelBuild } from '../../src/training/kernels/kernels';
import torchContender from './train/contender.py';
import { contenders, type Contender, type NodeContender } from './train/contenders';
import { architectureOf, batchOf, batchSize, epsilon, learningRate, models, stepOperations, vocabularySize, weightsOf, type ModelName } from './train/models';

/** What a contender's process is asked for. Batches are described by their seeds; PyTorch's process gets their contents. */
type Request =
  | { readonly do: 'load'; readonly model: ModelName; readonly forgetBias: number }
  | { readonly do: 'gradient'; readonly time: number; readonly ragged: boolean; readonly output: string }
  | { readonly do: 'steps'; readonly time: number; readonly count: number }
  | { readonly do: 'memory' };

interface Answer {
  readonly loss?: number;
  /** Milliseconds a step. */
  readonly wall?: number;
  readonly cpu?: number;
  /** Megabytes: the greatest resident set so far. */
  readonly peak?: number;
  readonly error?: string;
}

/** Batches that a run of steps cycles through. */
const seeds = [7, 8, 9, 10];

/** In a contender's own process: serves requests, a line each. */
async function serveContender(name: NodeContender): Promise<void> {
  const contender: Contender = contenders[name]();
  const handle = async (request: Request): Promise<Answer> => {
    switch (request.do) {
      case 'load':
        await contender.load(request.model, request.forgetBias);
        return {};
      case 'gradient': {
        const { loss, gradient } = contender.gradient(batchOf(request.time, 5, request.ragged));
        writeFileSync(request.output, gradient);
        return { loss };
      }
      case 'steps': {
        const batches = seeds.map((seed) => batchOf(request.time, seed, false));
        const before = process.cpuUsage();
        const start = performance.now();
        let loss = 0;
        for (let step = 0; step < request.count; step++) loss = contender.step(batches[step % batches.length]!);
        const { user, system } = process.cpuUsage(before);
        return { wall: (performance.now() - start) / request.count, cpu: (user + system) / 1000 / request.count, loss };
      }
      case 'memory':
        return { peak: process.resourceUsage().maxRSS / 1024 };
    }
  };
  for await (const line of createInterface({ input: process.stdin })) {
    const answer = await handle(JSON.parse(line) as Request).catch((error: unknown): Answer => ({ error: String(error) }));
    process.stdout.write(`${JSON.stringify(answer)}\n`);
  }
}

/** A contender as the referee sees it. */
class Player {
  private readonly waiting: ((answer: Answer) => void)[] = [];
  /** The line that a process says of itself when it is ready, if it says one. */
  readonly hello: Promise<Answer>;

  constructor(
    readonly name: string,
    private readonly process: ChildProcess,
    private readonly translate: (request: Request) => object = (request) => request,
    saysHello = false,
  ) {
    this.hello = saysHello ? new Promise((resolve) => this.waiting.push(resolve)) : Promise.resolve({});
    createInterface({ input: process.stdout! }).on('line', (line) => {
      if (line.startsWith('{')) this.waiting.shift()?.(JSON.parse(line) as Answer);
    });
    process.on('exit', (code) => this.waiting.splice(0).forEach((answer) => answer({ error: `ended with status ${code}` })));
  }

  ask(request: Request): Promise<Answer> {
    return new Promise((resolve) => {
      this.waiting.push(resolve);
      this.process.stdin!.write(`${JSON.stringify(this.translate(request))}\n`);
    });
  }

  end(): void {
    this.process.stdin!.end();
    this.process.kill();
  }
}

function nodePlayer(name: NodeContender): Player {
  return new Player(name, spawn(process.execPath, [process.argv[1]!, '--contender', name], { stdio: ['pipe', 'pipe', 'inherit'] }));
}

/** PyTorch, row-sparse and dense; none when no Python has it. */
async function torchPlayers(folder: string): Promise<Player[]> {
  const python = [process.env['PYTHON'], 'python3', '/usr/bin/python3'].find((command) => command && spawnSync(command, ['-c', 'import torch']).status === 0);
  if (!python) {
    console.log('No Python with torch here: no comparison with PyTorch. On Debian: apt-get install python3-torch libopenblas0');
    return [];
  }
  const script = path.join(folder, 'contender.py');
  writeFileSync(script, torchContender);
  const describe = (time: number, seed: number, ragged: boolean): object => {
    const { ids, lengths, labels } = batchOf(time, seed, ragged);
    return { ids: [...ids], lengths: [...lengths], labels: [...labels], time };
  };
  const translate = (request: Request): object => {
    switch (request.do) {
      case 'load': {
        const weights = path.join(folder, `${request.model}.${request.forgetBias}.bin`);
        writeFileSync(weights, weightsOf(parameterLayout(architectureOf(request.model)), request.forgetBias));
        return { do: 'load', ...models[request.model], vocabulary: vocabularySize, weights, learningRate, epsilon };
      }
      case 'gradient':
        return { do: 'gradient', batches: [describe(request.time, 5, request.ragged)], output: request.output };
      case 'steps':
        return { do: 'steps', count: request.count, batches: seeds.map((seed) => describe(request.time, seed, false)) };
      case 'memory':
        return request;
    }
  };
  const players = ['sparse', 'dense'].map((variant) => {
    const child = spawn(python, [script, variant], { stdio: ['pipe', 'pipe', 'inherit'], env: { ...process.env, OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1', MKL_NUM_THREADS: '1' } });
    return new Player(`PyTorch, ${variant} Adam`, child, translate, true);
  });
  for (const player of players) {
    const { version, speed: own, error } = (await player.hello) as Answer & { version?: string; speed?: number };
    console.log(`${player.name}: torch ${version ?? error}, its own product of 512 × 512 matrices ${own?.toFixed(1)} GFLOP/s`);
  }
  return players;
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1]!;

/** Median GFLOP/s of CPU time of `run`, which does `operations`. */
function speed(operations: number, run: () => void): number {
  run();
  return median(
    Array.from({ length: 9 }, () => {
      const before = process.cpuUsage();
      run();
      const { user, system } = process.cpuUsage(before);
      return operations / ((user + system) * 1e3);
    }),
  );
}

/** The matrix products alone, against the most that the processor can do in these instructions. */
async function products(build: KernelBuild): Promise<void> {
  const kernels = await Kernels.load({ build });
  const { run } = kernels;
  const source = kernels.putFloats(new Float32Array(8).fill(1e-3));
  // several short calls first, so that the optimised code is in place
  for (let i = 0; i < 20; i++) run.probePeak(source, 100_000);
  const peak = speed(2e7 * run.probeOperations(), () => void run.probePeak(source, 2e7));
  const results: string[] = [];
  for (const [m, k, n] of [[32, 64, 256], [32, 128, 512], [32, 512, 128], [6400, 64, 256], [6400, 128, 512]] as const) {
    const mark = kernels.mark();
    const [a, panels, c] = [m * k, k * n, m * n].map((size) => kernels.putFloats(new Float32Array(size).fill(0.1))) as [number, number, number];
    const scratch = kernels.allocateValues(run.multiplyScratch(k));
    const repeats = Math.ceil(2e8 / (2 * m * k * n));
    const gflops = speed(2 * m * k * n * repeats, () => {
      for (let i = 0; i < repeats; i++) run.multiply(a, k, panels, c, n, m, n, k, false, scratch);
    });
    results.push(`${m}×${k}×${n} ${gflops.toFixed(1)} (${(gflops / peak).toFixed(2)})`);
    kernels.release(mark);
  }
  console.log(`GFLOP/s, ${build}: multiply-add peak ${peak.toFixed(1)}; products (share of it): ${results.join(', ')}`);
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { rounds: { type: 'string', default: '7' }, only: { type: 'string' }, times: { type: 'string', default: '20,64,200' }, contenders: { type: 'string', default: '' } } });
  const wanted = (name: string): boolean => values.contenders.split(',').some((part) => name.includes(part));
  const rounds = Number(values.rounds);
  const times = values.times.split(',').map(Number);
  console.log(`Node ${process.version}, ${cpus()[0]?.model}, relaxed SIMD ${supportsRelaxed() ? 'yes' : 'no'}; batch ${batchSize}, vocabulary ${vocabularySize}`);
  await products('plain');
  if (supportsRelaxed()) await products('relaxed');

  const folder = mkdtempSync(path.join(tmpdir(), 'label-lens-bench-'));
  const ours = (Object.keys(contenders) as NodeContender[]).filter((name) => wanted(name) && (supportsRelaxed() || !name.includes('plain'))).map(nodePlayer);
  const players = [...ours, ...(wanted('PyTorch') ? await torchPlayers(folder) : [])];
  try {
    for (const model of Object.keys(models) as ModelName[]) {
      if (values.only && values.only !== model) continue;
      const right = await compareGradients(players, model, folder);
      for (const time of times) await race(right, model, time, rounds);
    }
    await longText(players[0]!, rounds);
    for (const player of players) console.log(`${player.name}: greatest resident set ${(await player.ask({ do: 'memory' })).peak?.toFixed(0)} MB`);
    const alone = nodePlayer('Label Lens');
    await alone.ask({ do: 'load', model: 'BiLSTM-128', forgetBias: 1 });
    await alone.ask({ do: 'steps', time: 200, count: 8 });
    console.log(`Label Lens with nothing but BiLSTM-128, T = 200: greatest resident set ${(await alone.ask({ do: 'memory' })).peak?.toFixed(0)} MB`);
    alone.end();
  } finally {
    players.forEach((player) => player.end());
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Those whose loss and gradient agree with the first one's. Stock layers know no lengths, so they are not asked for ragged batches; on the cpu they are asked for the small model only. */
async function compareGradients(players: readonly Player[], model: ModelName, folder: string): Promise<Player[]> {
  const right = new Set(players);
  for (const ragged of [false, true]) {
    let reference: { loss: number; gradient: Float32Array } | undefined;
    for (const player of [...right]) {
      const stock = player.name.startsWith('tf.layers');
      if (stock && ragged) continue;
      if (player.name === 'tf.layers cpu' && model !== 'LSTM-64') {
        right.delete(player);
        continue;
      }
      const output = path.join(folder, 'gradient.bin');
      const loaded = await player.ask({ do: 'load', model, forgetBias: 1 });
      const { loss, error } = loaded.error ? loaded : await player.ask({ do: 'gradient', time: 20, ragged, output });
      if (loss === undefined) {
        console.log(`${player.name} does not run: ${error}`);
        right.delete(player);
        continue;
      }
      const gradient = new Float32Array(new Uint8Array(readFileSync(output)).buffer);
      reference ??= { loss, gradient };
      let apart = Math.abs(gradient.length - reference.gradient.length);
      gradient.forEach((value, i) => (apart = Math.max(apart, Math.abs(value - reference!.gradient[i]!))));
      const wrong = !(apart <= 1e-6 && Math.abs(loss - reference.loss) <= 1e-5);
      console.log(`${model}, ${ragged ? 'ragged' : 'full'} batch, ${player.name}: loss ${loss.toFixed(6)}, gradients ${apart.toExponential(1)} from the first${wrong ? ': NOT TIMED' : ''}`);
      if (wrong) right.delete(player);
    }
  }
  return [...right];
}

/** Times training steps, each contender in turn, and prints the medians. */
async function race(players: readonly Player[], model: ModelName, time: number, rounds: number): Promise<void> {
  const operations = stepOperations(model, time);
  const measured = new Map<Player, Answer[]>();
  for (const player of players) {
    const slow = player.name.startsWith('tf.layers');
    if (player.name === 'tf.layers cpu' && time > 20) continue;
    await player.ask({ do: 'load', model, forgetBias: 1 });
    await player.ask({ do: 'steps', time, count: slow ? 1 : 4 });
    measured.set(player, []);
  }
  for (let round = 0; round < rounds; round++) {
    for (const [player, answers] of measured) {
      const slow = player.name.startsWith('tf.layers') || player.name === 'tfjs engine';
      // about a third of a second at 20 GFLOP/s; stock layers get fewer rounds, they are far away
      if (slow && round >= 3) continue;
      answers.push(await player.ask({ do: 'steps', time, count: slow ? 1 : Math.max(1, Math.round(6e9 / operations)) }));
    }
  }
  const first = median(measured.get(players[0]!)!.map(({ cpu }) => cpu!));
  console.log(`\n${model}, T = ${time}${' '.repeat(14)}CPU ms a step   wall ms   examples/s (CPU)   GFLOP/s   CPU time against the first`);
  for (const [player, answers] of measured) {
    const cpu = median(answers.map((answer) => answer.cpu!));
    const wall = median(answers.map((answer) => answer.wall!));
    const cells = [cpu.toFixed(2).padStart(14), wall.toFixed(2).padStart(9), ((batchSize / cpu) * 1e3).toFixed(0).padStart(18), (operations / cpu / 1e6).toFixed(1).padStart(9), `${(cpu / first).toFixed(2)}×`.padStart(12)];
    console.log(`  ${player.name.padEnd(26)}${cells.join(' ')}`);
  }
}

/** What vanishing gradients cost: forget bias 0 and 400 steps, against forget bias 1. */
async function longText(player: Player, rounds: number): Promise<void> {
  const cpu: Record<number, number[]> = { 0: [], 1: [] };
  for (let round = 0; round < rounds; round++) {
    for (const forgetBias of [0, 1]) {
      await player.ask({ do: 'load', model: 'LSTM-64', forgetBias });
      await player.ask({ do: 'steps', time: 400, count: 1 });
      cpu[forgetBias]!.push((await player.ask({ do: 'steps', time: 400, count: 3 })).cpu!);
    }
  }
  const [zero, one] = [median(cpu[0]!), median(cpu[1]!)];
  console.log(`\nLSTM-64, T = 400, forget bias 0 against 1: ${zero.toFixed(1)} and ${one.toFixed(1)} ms of CPU a step, ${(zero / one).toFixed(2)}×`);
}

const contender = process.argv.indexOf('--contender');
if (contender > 0) void serveContender(process.argv[contender + 1] as NodeContender);
else void main();
