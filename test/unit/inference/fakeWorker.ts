import { CancelledError, HumanError } from '../../../src/core/errors';
import type { BundleFiles, PredictorMethods } from '../../../src/core/protocol/predictor';
import { serve, type Port } from '../../../src/core/protocol/rpc';
import type { WorkerHandle } from '../../../src/core/protocol/worker';

/** What the fake model of a bundle is and does; it stands in `manifest` as JSON. */
export interface FakeModel {
  readonly seed: number;
  readonly labels: readonly string[];
  /** What opening it does. */
  readonly open?: 'refuse' | 'crash';
  /** Texts that contain this crash the worker. */
  readonly poison?: string;
}

export function fakeBundle(model: FakeModel): BundleFiles {
  return { manifest: new TextEncoder().encode(JSON.stringify(model)), tokenizer: new Uint8Array(0), model: new Uint8Array(0) };
}

/** What the fake model says about a text. */
export function fakeScores({ seed, labels }: FakeModel, text: string): number[] {
  return labels.map((_, i) => Math.fround(Math.sin(seed + i + text.length + [...text].reduce((sum, unit) => (sum * 31 + unit.codePointAt(0)!) % 10007, 7))));
}

export function fakeFeatures(model: FakeModel, text: string): number[] {
  return [...fakeScores(model, text), Math.fround(seedOf(text))].map((value) => Math.fround(value / 2));
}

function seedOf(text: string): number {
  return text.length + 0.5;
}

const batchSize = 64;

/** Ends after the present turn of the event loop. */
export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await turn();
}

/** Ends when `condition` holds; the test's own time limit is the bound. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await turn();
}

/** Starts workers that speak the predictor's protocol in this thread, message by message, and keeps account of them. */
export class FakeWorkers {
  readonly started: FakeWorker[] = [];
  /** What the next workers do before they are ready. */
  startsWith: 'ready' | 'exit' | 'throw' = 'ready';
  /** While true, no predictions are made. */
  paused = false;

  readonly start = (): WorkerHandle => {
    if (this.startsWith === 'throw') throw new Error('no such file');
    const worker = new FakeWorker(this);
    this.started.push(worker);
    return worker;
  };

  get alive(): FakeWorker[] {
    return this.started.filter((worker) => worker.isAlive);
  }

  /** All lots of texts that any worker got. */
  get lots(): readonly (readonly string[])[] {
    return this.started.flatMap((worker) => worker.lots);
  }
}

export class FakeWorker implements WorkerHandle {
  readonly lots: (readonly string[])[] = [];
  /** Lots that are under way. */
  running = 0;
  cancelled = 0;
  /** Keys that are open, in order. */
  readonly models = new Map<string, FakeModel>();
  isAlive = true;
  private toHost: ((message: unknown) => void) | undefined;
  private toWorker: ((message: unknown) => void) | undefined;
  private readonly exits: ((error: Error | undefined) => void)[] = [];

  constructor(private readonly workers: FakeWorkers) {
    setImmediate(() => {
      if (!this.isAlive) return;
      if (workers.startsWith === 'exit') this.crash(new Error('cannot start'));
      else this.serve();
    });
  }

  postMessage(message: unknown): void {
    this.deliver(message, () => this.toWorker);
  }
  onMessage(listener: (message: unknown) => void): void {
    this.toHost = listener;
  }
  onExit(listener: (error: Error | undefined) => void): void {
    this.exits.push(listener);
  }
  terminate(): Promise<void> {
    this.end(undefined);
    return Promise.resolve();
  }

  crash(error = new Error('crashed')): void {
    this.end(error);
  }

  private end(error: Error | undefined): void {
    if (!this.isAlive) return;
    this.isAlive = false;
    setImmediate(() => this.exits.forEach((listener) => listener(error)));
  }

  private deliver(message: unknown, listener: () => ((message: unknown) => void) | undefined): void {
    const copy: unknown = structuredClone(message);
    setImmediate(() => {
      if (this.isAlive) listener()?.(copy);
    });
  }

  private serve(): void {
    const port: Port = {
      postMessage: (message) => {
        if (this.isAlive) this.deliver(message, () => this.toHost);
      },
      onMessage: (listener) => (this.toWorker = listener),
    };
    serve<PredictorMethods>(port, {
      load: async ({ key, bundle, where }) => {
        await turn();
        const model = JSON.parse(new TextDecoder().decode(bundle.manifest)) as FakeModel;
        if (model.open === 'crash') return await this.crashHere();
        if (model.open === 'refuse') throw new HumanError('bundle.hash', '{0} is not whole. Copy it again.', [where]);
        this.models.set(key, model);
        return { labels: model.labels };
      },
      unload: ({ key }) => {
        this.models.delete(key);
        return null;
      },
      predict: async ({ key, texts, features }, { signal, progress }) => {
        this.lots.push(texts);
        this.running++;
        try {
          const model = this.models.get(key);
          if (!model) throw new Error(`No model ${key} is loaded.`);
          const width = model.labels.length;
          for (let from = 0; from < texts.length; from += batchSize) {
            await turn();
            await until(() => !this.workers.paused || signal.aborted || !this.isAlive);
            if (!this.isAlive) return await this.crashHere();
            if (signal.aborted) {
              this.cancelled++;
              throw new CancelledError();
            }
            const batch = texts.slice(from, from + batchSize);
            if (model.poison !== undefined && batch.some((text) => text.includes(model.poison!))) return await this.crashHere();
            progress({
              positions: Int32Array.from(batch, (_, i) => from + i),
              width,
              scores: Float32Array.from(batch.flatMap((text) => fakeScores(model, text))),
              tokens: Int32Array.from(batch, (text) => text.length),
              ...(features ? { features: Float32Array.from(batch.flatMap((text) => fakeFeatures(model, text))) } : {}),
            });
          }
          return null;
        } finally {
          this.running--;
        }
      },
    });
  }

  private crashHere(): Promise<never> {
    this.crash();
    return new Promise(() => undefined);
  }
}
