import { Worker, workerData } from 'node:worker_threads';
import { Kernels, type KernelBuild } from '../../../src/training/kernels/kernels';

export const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1]!;

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

/** Ready to spin: multiply-adds that wait for nothing. */
async function startSpinning(build?: KernelBuild): Promise<{ readonly kernels: Kernels; readonly spin: (turns: number) => void }> {
  const kernels = await Kernels.load(build ? { build } : {});
  const source = kernels.putFloats(new Float32Array(8).fill(1e-3));
  const spin = (turns: number): void => void kernels.run.probePeak(source, turns);
  // several short calls first, so that the optimised code is in place
  for (let i = 0; i < 20; i++) spin(100_000);
  return { kernels, spin };
}

/** Prints the speed of the matrix products alone, and returns the most that the processor can do in these instructions, GFLOP/s. */
export async function products(build: KernelBuild): Promise<number> {
  const { kernels, spin } = await startSpinning(build);
  const { run } = kernels;
  const peak = speed(2e7 * run.probeOperations(), () => spin(2e7));
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
  return peak;
}

const enum Signal {
  /** Counts up with each time that both threads are to spin. */
  Go,
  /** How often the second thread has spun. */
  Done,
}

/** Turns that both threads spin in a probe, about 25 ms. */
const probeTurns = 1e7;

/**
 * How many cores two threads get right now: what they compute together, against one thread by its CPU time. Two hyper-threads of one core count for less than 2, and so do two cores that
 * others use too.
 */
export class CapacityProbe {
  /** Milliseconds of CPU that one thread needs: the least so far, for one look at a bad moment would make all later ones find too many cores. */
  private alone = Infinity;

  private constructor(
    private readonly worker: Worker,
    private readonly signals: Int32Array,
    private readonly spin: (turns: number) => void,
  ) {}

  static async start(): Promise<CapacityProbe> {
    const { spin } = await startSpinning();
    const signals = new Int32Array(new SharedArrayBuffer(8));
    const worker = new Worker(process.argv[1]!, { argv: ['--spin'], workerData: signals });
    await new Promise((resolve) => worker.once('message', resolve));
    const probe = new CapacityProbe(worker, signals, spin);
    for (let look = 0; look < 5; look++) probe.cores();
    return probe;
  }

  /** Median of a few probes, an eighth of a second in all. */
  cores(): number {
    const { signals } = this;
    const before = process.cpuUsage();
    this.spin(probeTurns);
    const { user, system } = process.cpuUsage(before);
    this.alone = Math.min(this.alone, (user + system) / 1000);
    return median(
      Array.from({ length: 3 }, () => {
        const turn = Atomics.add(signals, Signal.Go, 1) + 1;
        const start = performance.now();
        Atomics.notify(signals, Signal.Go);
        this.spin(probeTurns);
        Atomics.wait(signals, Signal.Done, turn - 1);
        return (2 * this.alone) / (performance.now() - start);
      }),
    );
  }

  async end(): Promise<void> {
    await this.worker.terminate();
  }
}

/** The second thread of a {@link CapacityProbe}. */
export async function spinBeside(tell: (message: string) => void): Promise<void> {
  const signals = workerData as Int32Array;
  const { spin } = await startSpinning();
  tell('ready');
  for (let turn = 1; ; turn++) {
    Atomics.wait(signals, Signal.Go, turn - 1);
    spin(probeTurns);
    Atomics.store(signals, Signal.Done, turn);
    Atomics.notify(signals, Signal.Done);
  }
}
