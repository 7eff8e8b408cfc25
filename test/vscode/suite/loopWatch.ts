import { readFileSync } from 'node:fs';
import { monitorEventLoopDelay, type IntervalHistogram } from 'node:perf_hooks';

/** Milliseconds between two looks. */
const RESOLUTION = 5;

/**
 * How long this process's event loop was kept from turning, by the clock and by the processor time that its own thread used meanwhile. On a machine that does other things too, a
 * delay by the clock may be somebody else's; what the thread itself used is ours.
 */
export class LoopWatch {
  private readonly delays: IntervalHistogram = monitorEventLoopDelay({ resolution: RESOLUTION });
  private readonly timer: ReturnType<typeof setInterval>;
  private longestOwn = 0;
  private before = threadTime();

  constructor() {
    this.delays.enable();
    this.timer = setInterval(() => {
      const now = threadTime();
      if (now !== undefined && this.before !== undefined) this.longestOwn = Math.max(this.longestOwn, now - this.before);
      this.before = now;
    }, RESOLUTION);
  }

  /** `longest`: the longest turn in milliseconds, by thread time where that can be measured, else by the clock; `delay`: by the clock. */
  stop(): { readonly longest: number; readonly delay: number; readonly text: string } {
    clearInterval(this.timer);
    this.delays.disable();
    const byClock = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e6 - RESOLUTION);
    const own = threadTime() === undefined ? undefined : this.longestOwn;
    const clock = `${byClock(this.delays.max).toFixed(1)} ms at most, ${byClock(this.delays.percentile(99)).toFixed(1)} ms in 99 % of looks`;
    return {
      longest: own ?? byClock(this.delays.max),
      delay: byClock(this.delays.max),
      text: own === undefined ? clock : `${clock} by the clock, and its longest turn took ${own.toFixed(1)} ms of its own processor time`,
    };
  }
}

/** Resolves when the thread has had nothing longer to do than `turn` milliseconds for two seconds: VS Code itself reads a document that was just opened, for links and conflicts. */
export async function loopAtRest(turn: number): Promise<void> {
  for (let looks = 0, restful = 0; restful < 2; looks++) {
    if (looks === 60) throw new Error('The extension host does not come to rest.');
    const watch = new LoopWatch();
    await new Promise((resolve) => setTimeout(resolve, 1000));
    restful = watch.stop().longest <= turn ? restful + 1 : 0;
  }
}

/** Processor time of this thread in milliseconds, which is the process's first one; undefined where it cannot be had. */
function threadTime(): number | undefined {
  // newer Node than the extension may count on
  const measure = (process as { readonly threadCpuUsage?: () => { readonly user: number; readonly system: number } }).threadCpuUsage;
  if (measure) {
    const { user, system } = measure.call(process);
    return (user + system) / 1000;
  }
  try {
    // Linux: nanoseconds on a processor come first
    return Number(readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ')[0]) / 1e6;
  } catch {
    return undefined;
  }
}
