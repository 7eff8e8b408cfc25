import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { createInterface } from 'node:readline';
import { parameterLayout } from '../../../src/training/engine';
import torchContender from './contender.py';
import { contenders, type Contender, type NodeContender } from './contenders';
import { architectureOf, batchOf, epsilon, learningRate, models, vocabularySize, weightsOf, type ModelName } from './models';

/** What a contender's process is asked for. Batches are described by their seeds; PyTorch's process gets their contents. */
export type Request =
  | { readonly do: 'load'; readonly model: ModelName; readonly forgetBias: number }
  | { readonly do: 'gradient'; readonly time: number; readonly ragged: boolean; readonly output: string }
  | { readonly do: 'steps'; readonly time: number; readonly count: number }
  | { readonly do: 'memory' };

export interface Answer {
  readonly loss?: number;
  /** Milliseconds a step: by the clock, of all the process's threads, and of that thread among main and the others together that computed longer. */
  readonly wall?: number;
  readonly cpu?: number;
  readonly longer?: number | undefined;
  /** Megabytes: the greatest resident set so far. */
  readonly peak?: number;
  readonly error?: string;
}

/** Batches that a run of steps cycles through. */
const seeds = [7, 8, 9, 10];

/** CPU time of the calling thread in microseconds, where Node tells it (from 22.19 and 23.9 on). */
const ownCpu = (): number => {
  const { threadCpuUsage } = process as { threadCpuUsage?: () => { user: number; system: number } };
  if (!threadCpuUsage) return NaN;
  const { user, system } = threadCpuUsage.call(process);
  return user + system;
};

/** In a contender's own process: serves requests, a line each. */
export async function serveContender(name: NodeContender): Promise<void> {
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
        const ownBefore = ownCpu();
        const start = performance.now();
        let loss = 0;
        for (let step = 0; step < request.count; step++) loss = contender.step(batches[step % batches.length]!);
        const wall = performance.now() - start;
        const own = ownCpu() - ownBefore;
        const { user, system } = process.cpuUsage(before);
        const perStep = (microseconds: number): number => microseconds / 1000 / request.count;
        const longer = Number.isNaN(own) ? undefined : perStep(Math.max(own, user + system - own));
        return { wall: wall / request.count, cpu: perStep(user + system), longer, loss };
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
export class Player {
  private readonly waiting: ((answer: Answer) => void)[] = [];
  /** The line that a process says of itself when it is ready, if it says one. */
  readonly hello: Promise<Answer>;

  constructor(
    readonly name: string,
    private readonly process: ChildProcess,
    /** The same contender in a process of its own. */
    readonly again: () => Player,
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

export function nodePlayer(name: NodeContender): Player {
  return new Player(name, spawn(process.execPath, [process.argv[1]!, '--contender', name], { stdio: ['pipe', 'pipe', 'inherit'] }), () => nodePlayer(name));
}

/**
 * The environment in which this PyTorch multiplies matrices fastest on one thread. OpenBLAS takes its slowest kernels on a processor that is newer than itself (0.3.21 on an Emerald Rapids: a quarter of
 * the speed), and to beat PyTorch in that state would mean nothing; so it is told the kernels' name, and the best one counts.
 */
function fastestSettings(python: string, script: string): NodeJS.ProcessEnv {
  const single = { ...process.env, OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1', MKL_NUM_THREADS: '1' };
  const found = [undefined, 'SkylakeX', 'Zen', 'Haswell'].flatMap((kernels) => {
    const env = kernels === undefined ? single : { ...single, OPENBLAS_CORETYPE: kernels };
    // kernels that the processor cannot run end the process; nothing is asked of it, so it says its line and ends
    const { status, stdout } = spawnSync(python, [script, 'sparse'], { env, input: '' });
    return status === 0 ? [{ env, kernels: kernels ?? 'its own choice', speed: (JSON.parse(stdout.toString()) as { speed: number }).speed }] : [];
  });
  const best = found.reduce((best, one) => (one.speed > best.speed ? one : best), found[0] ?? { env: single, kernels: 'its own choice', speed: 0 });
  console.log(`PyTorch's matrix products by OpenBLAS kernels, GFLOP/s: ${found.map(({ kernels, speed }) => `${kernels} ${speed.toFixed(1)}`).join(', ')}; it races with ${best.kernels}`);
  return best.env;
}

/** PyTorch as a rival. */
export interface Torch {
  /** Row-sparse and dense; none when no Python has it. */
  readonly players: readonly Player[];
  /** Speed of its own matrix products, GFLOP/s: that of the slower player. */
  readonly products: number;
}

export async function torchPlayers(folder: string): Promise<Torch> {
  const python = [process.env['PYTHON'], 'python3', '/usr/bin/python3'].find((command) => command && spawnSync(command, ['-c', 'import torch']).status === 0);
  if (!python) {
    console.log('No Python with torch here: no comparison with PyTorch. On Debian: apt-get install python3-torch libopenblas0');
    return { players: [], products: 0 };
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
  const env = fastestSettings(python, script);
  const start = (variant: string): Player =>
    new Player(`PyTorch, ${variant} Adam`, spawn(python, [script, variant], { stdio: ['pipe', 'pipe', 'inherit'], env }), () => start(variant), translate, true);
  const players = ['sparse', 'dense'].map(start);
  let products = Infinity;
  for (const player of players) {
    const { version, speed = 0, error } = (await player.hello) as Answer & { version?: string; speed?: number };
    console.log(`${player.name}: torch ${version ?? error}, its own product of 512 × 512 matrices ${speed.toFixed(1)} GFLOP/s`);
    products = Math.min(products, speed);
  }
  return { players, products };
}
