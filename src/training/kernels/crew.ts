import type { Port } from '../../core/protocol/rpc';
import type { WorkerHandle } from '../../core/protocol/worker';
import { joinKernels, type KernelBuild, type KernelFunctions, type KernelMemory, type Kernels } from './kernels';

/** A kernel function without a result, which any thread may run. */
export type KernelCall = { [K in keyof KernelFunctions]: KernelFunctions[K] extends (...args: never[]) => infer R ? (R extends void ? K : never) : never }[keyof KernelFunctions];

/**
 * The threads that compute a batch. A batch is cut into shards, each shard belongs to one lane, each lane is one thread; calls of a lane are done in order, lanes run beside each other.
 * What a call computes does not depend on who runs it, so the number of lanes changes the time that training takes and not one bit of its result.
 */
export interface Crew {
  readonly lanes: number;
  /** Asks for a call in a lane, now or later. Its operands must be ready, and stay, until {@link wait}; memory must not be given out twice before then. */
  call<K extends KernelCall>(lane: number, name: K, ...args: Parameters<KernelFunctions[K]>): void;
  /** Lets the other lanes begin with what was asked for. */
  start(): void;
  /** Returns when all calls are done. */
  wait(): void;
  /** Sends the threads home. */
  dispose(): void;
}

/** The calling thread alone: a call is done at once. */
export class Soloist implements Crew {
  readonly lanes = 1;

  constructor(private readonly run: KernelFunctions) {}

  call<K extends KernelCall>(_lane: number, name: K, ...args: Parameters<KernelFunctions[K]>): void {
    (this.run[name] as (...args: unknown[]) => void)(...args);
  }
  start(): void {
    return;
  }
  wait(): void {
    return;
  }
  dispose(): void {
    return;
  }
}

/** What a helping thread is told: everything else goes through the mailbox. */
interface Hiring {
  readonly build: KernelBuild;
  readonly memory: KernelMemory;
  readonly mailbox: Mailbox;
}

/**
 * The way from the calling thread to a helper: a ring of numbers. A call is its function's index, the number of its arguments, and these.
 * A message through a worker's port would cost as much as a short call takes; waking a thread that sleeps on a shared number is ten times quicker.
 */
interface Mailbox {
  /** Shared [ring size]. */
  readonly ring: Float64Array;
  /** Shared, see {@link Counter}. */
  readonly counters: Int32Array;
}

/** Places in {@link Mailbox.counters}. Positions count the ring's numbers modulo 2^30, which the ring's size divides. */
const enum Counter {
  /** Position up to which the caller has written. */
  Written,
  /** Position up to which the helper has worked. */
  Done,
  /** 1 when the helper is to go home. */
  Closed,
  /** 1 when a call of the helper's failed. */
  Failed,
}

const RING = 16384;
const POSITIONS = 2 ** 30 - 1;

/** Longest wait for a helper, in milliseconds, before it is taken for dead. One call takes under a second. */
const PATIENCE = 60_000;

/** Names by which a call is known in the ring: two instances of the same build list them in the same order. */
function namesOf(run: KernelFunctions): KernelCall[] {
  return Object.keys(run) as KernelCall[];
}

/** The calling thread as lane 0, and helpers, which share the kernels' memory. */
class Team implements Crew {
  readonly lanes: number;
  private readonly indices: ReadonlyMap<KernelCall, number>;
  private readonly written: number[];
  private readonly own: (() => void)[] = [];

  constructor(
    private readonly run: KernelFunctions,
    private readonly mailboxes: readonly Mailbox[],
  ) {
    this.lanes = 1 + mailboxes.length;
    this.indices = new Map(namesOf(run).map((name, index) => [name, index]));
    this.written = mailboxes.map(() => 0);
  }

  call<K extends KernelCall>(lane: number, name: K, ...args: Parameters<KernelFunctions[K]>): void {
    if (lane === 0) {
      // later, so that the helpers get their calls first
      this.own.push(() => (this.run[name] as (...args: unknown[]) => void)(...args));
      return;
    }
    const { ring, counters } = this.mailboxes[lane - 1]!;
    const start = this.written[lane - 1]!;
    const size = args.length + 2;
    if (((start - Atomics.load(counters, Counter.Done)) & POSITIONS) + size > RING) this.wait();
    ring[start & (RING - 1)] = this.indices.get(name)!;
    ring[(start + 1) & (RING - 1)] = args.length;
    for (let k = 0; k < args.length; k++) ring[(start + 2 + k) & (RING - 1)] = Number(args[k]);
    this.written[lane - 1] = (start + size) & POSITIONS;
  }

  start(): void {
    this.mailboxes.forEach(({ counters }, index) => {
      if (Atomics.load(counters, Counter.Written) === this.written[index]) return;
      Atomics.store(counters, Counter.Written, this.written[index]!);
      Atomics.notify(counters, Counter.Written);
    });
  }

  wait(): void {
    this.start();
    for (const call of this.own.splice(0)) call();
    this.mailboxes.forEach(({ counters }, index) => {
      for (;;) {
        const done = Atomics.load(counters, Counter.Done);
        if (done === this.written[index]) break;
        if (Atomics.wait(counters, Counter.Done, done, PATIENCE) === 'timed-out') throw new Error('A helping thread does not answer.');
      }
      if (Atomics.load(counters, Counter.Failed) !== 0) throw new Error('A helping thread failed.');
    });
  }

  dispose(): void {
    for (const { counters } of this.mailboxes) {
      Atomics.store(counters, Counter.Closed, 1);
      Atomics.store(counters, Counter.Written, -1);
      Atomics.notify(counters, Counter.Written);
    }
  }
}

/**
 * Puts helpers to work over the kernels' memory, which must be shared. Each runs {@link help}; one that does not come up is left out.
 */
export async function hire(kernels: Kernels, helpers: readonly WorkerHandle[]): Promise<Crew> {
  const hired = await Promise.all(
    helpers.map(async (helper): Promise<Mailbox[]> => {
      const mailbox: Mailbox = { ring: new Float64Array(new SharedArrayBuffer(8 * RING)), counters: new Int32Array(new SharedArrayBuffer(16)) };
      const hiring: Hiring = { build: kernels.build, memory: kernels.memory, mailbox };
      const ready = new Promise<boolean>((resolve) => {
        helper.onMessage(() => resolve(true));
        helper.onExit((error) => {
          if (error) console.warn(`A helping thread ended: ${error.message}`);
          resolve(false);
        });
      });
      helper.postMessage(hiring);
      return (await ready) ? [mailbox] : [];
    }),
  );
  const mailboxes = hired.flat();
  return mailboxes.length > 0 ? new Team(kernels.run, mailboxes) : new Soloist(kernels.run);
}

/** A helping thread's life: is told its job through `port`, says that it is there, and then works off its mailbox until it is sent home. It blocks while it waits, and listens to nothing else. */
export function help(port: Port): void {
  port.onMessage((message) => {
    const { build, memory, mailbox } = message as Hiring;
    void joinKernels(build, memory).then((run) => {
      port.postMessage('ready');
      work(run, mailbox);
    });
  });
}

function work(run: KernelFunctions, { ring, counters }: Mailbox): void {
  const names = namesOf(run);
  const args: number[] = [];
  let position = 0;
  for (;;) {
    // sleeps until something was written
    Atomics.wait(counters, Counter.Written, position);
    const written = Atomics.load(counters, Counter.Written);
    if (Atomics.load(counters, Counter.Closed) !== 0) return;
    while (position !== written) {
      const count = ring[(position + 1) & (RING - 1)]!;
      args.length = count;
      for (let k = 0; k < count; k++) args[k] = ring[(position + 2 + k) & (RING - 1)]!;
      try {
        (run[names[ring[position & (RING - 1)]!]!] as (...args: number[]) => void)(...args);
      } catch {
        Atomics.store(counters, Counter.Failed, 1);
      }
      position = (position + count + 2) & POSITIONS;
    }
    Atomics.store(counters, Counter.Done, position);
    Atomics.notify(counters, Counter.Done);
  }
}
