import { LRUCache } from 'lru-cache';
import { CancelledError, HumanError } from '../core/errors';
import type { BundleFiles, PredictPriority, PredictedBatch, PredictedScores } from '../core/protocol/predictor';
import type { AbortSignalLike } from '../core/protocol/rpc';
import type { WorkerHandle } from '../core/protocol/worker';
import { Connection, Item, Lane, Lot, Model, Opening, PredictRequest, type Task, type TextResult } from './books';
import { textKey } from './textKey';

export interface PredictorOptions {
  /** Texts whose scores are remembered, over all models; 20,000 by default, 0 for none. */
  readonly cacheSize?: number;
  /** Models that stay open in the worker at most; 3 by default. Others are opened again when they are asked for. */
  readonly openModels?: number;
  /** Milliseconds without work after which the worker is ended, to start again with the next request; by default it stays. */
  readonly idleTime?: number;
  /** For tests. */
  readonly clock?: Clock;
}

/** What of the platform's timers the idle time is measured with. */
export interface Clock {
  /** @param delay milliseconds */
  setTimeout(callback: () => void, delay: number): unknown;
  clearTimeout(timer: unknown): void;
}

export interface PredictOptions {
  /** Aborting it rejects the call with CancelledError at once. */
  readonly signal?: AbortSignalLike;
  /** `interactive` (the default) overtakes everything in the background. */
  readonly priority?: PredictPriority;
  /** Whether the features are wanted too. */
  readonly features?: boolean;
  /** `false` for texts that will not be asked for again, such as those of a large file, so that they do not push others out of the cache. */
  readonly cache?: boolean;
  /** Gets the number of texts that have their scores, each time that it grows. */
  onProgress?(done: number): void;
}

/** Crashes after which a text, the opening of a model, or the start of the worker is given up. */
const maxCrashes = 3;

/**
 * What is sent to the worker in one message at most. The more texts, the less is padded when they are sorted into batches: of ragged texts 2 % in a background
 * lot. An interactive one is smaller because the next has to wait for it.
 */
const lotLimits: Readonly<Record<PredictPriority, { readonly texts: number; readonly characters: number }>> = {
  interactive: { texts: 256, characters: 250_000 },
  background: { texts: 1024, characters: 1_000_000 },
};

/**
 * Lots of a priority that are with the worker at a time. While the interactive one is there, further requests gather for the next. Of the background ones the
 * second keeps the worker from waiting for us.
 */
const lotsInFlight: Readonly<Record<PredictPriority, number>> = { interactive: 1, background: 2 };
const priorities: readonly PredictPriority[] = ['interactive', 'background'];

/** Bytes of scores and features that the cache holds at most, whatever its number of texts. */
const cacheBytes = 64_000_000;

/**
 * Predictions from a worker, for everybody in the process. The worker starts with the first request and is started again when it dies: what was under way is
 * sent again, so that a crash is a delay and nothing else, unless the same text causes it each time.
 *
 * Requests are gathered: texts asked for in the same turn of the event loop or while the worker is busy travel together, equal ones once, and known ones
 * not at all.
 */
export class Predictor {
  private readonly models = new Map<string, Model>();
  private readonly loading = new Map<string, { readonly model: Model; readonly loaded: Promise<void> }>();
  private readonly requests = new Set<PredictRequest>();
  /** What is asked for, by priority. Lanes with texts to send take turns. */
  private readonly lanes: Readonly<Record<PredictPriority, Lane[]>> = { interactive: [], background: [] };
  /** Models to be opened that were not sent yet. */
  private openings: Opening[] = [];
  /**
   * What was with the worker when it crashed. As long as there is any, one is tried at a time and nothing else is sent, so that the next crash names the
   * guilty one.
   */
  private suspects: Task[] = [];
  private readonly cache: LRUCache<string, TextResult> | undefined;
  private readonly openModels: number;
  private readonly idleTime: number | undefined;
  private readonly clock: Clock;
  private connection: Connection | undefined;
  /** Workers that ended before they were ready, in a row. */
  private failedStarts = 0;
  private uses = 0;
  private pumping = false;
  private flush: ReturnType<typeof setTimeout> | undefined;
  private idle: unknown;
  private disposed = false;

  constructor(
    private readonly startWorker: () => WorkerHandle,
    options: PredictorOptions = {},
  ) {
    const { cacheSize = 20_000, openModels = 3, idleTime, clock = systemClock } = options;
    this.cache = cacheSize > 0 ? new LRUCache({ max: cacheSize, maxSize: cacheBytes, sizeCalculation: bytesOf }) : undefined;
    this.openModels = openModels;
    this.idleTime = idleTime;
    this.clock = clock;
  }

  /**
   * Makes a bundle known under `key` and opens it in the worker. A bundle known under that key before is replaced once the new one is open; what was asked
   * before that still gets the old one's answers. The same files again cost nothing. The files are kept, to open them again after a crash.
   *
   * @returns ids of the labels, in the order of the scores; none for a number
   * @throws HumanError when the bundle is not valid; what was known under `key` then stays
   */
  async load(key: string, files: BundleFiles): Promise<{ readonly labels: readonly string[] }> {
    if (this.disposed) throw new CancelledError();
    const known = this.models.get(key);
    if (known?.isOf(files)) return { labels: known.labels };
    let loading = this.loading.get(key);
    if (!loading?.model.isOf(files)) {
      const model = new Model(`${key}#${++this.uses}`, key, files);
      loading = { model, loaded: this.loadModel(key, model) };
      this.loading.set(key, loading);
    }
    try {
      await loading.loaded;
      return { labels: loading.model.labels };
    } finally {
      if (this.loading.get(key) === loading) this.loading.delete(key);
    }
  }

  /** Forgets a bundle; what was asked of it before is still answered. */
  unload(key: string): void {
    const model = this.models.get(key);
    this.models.delete(key);
    if (model) this.retire(model);
  }

  /**
   * Scores of `texts`, in their order.
   *
   * @throws CancelledError when `signal` is raised or the predictor disposed
   * @throws HumanError `predictor.start`, `predictor.model`, `predictor.text`, `predictor.run` when the worker crashes again and again
   * @throws Error when no bundle was loaded under `key`
   */
  async predict(key: string, texts: readonly string[], options: PredictOptions = {}): Promise<PredictedScores> {
    this.checkOn(options);
    if (!this.models.has(key)) await this.loading.get(key)?.loaded;
    this.checkOn(options);
    const model = this.models.get(key);
    if (!model) throw new Error(`No model is loaded as ${key}.`);
    return await new Promise<PredictedScores>((resolve, reject) => {
      const request = new PredictRequest(model, texts.length, options, resolve, reject);
      this.requests.add(request);
      request.onAbort(() => {
        this.fail(request, new CancelledError());
        this.pump();
      });
      this.ask(request, texts, options);
    });
  }

  /** Ends the worker; whatever is under way is rejected with CancelledError. */
  async dispose(): Promise<void> {
    if (this.disposed) return;
    this.disposed = true;
    this.clock.clearTimeout(this.idle);
    clearTimeout(this.flush);
    for (const request of [...this.requests]) this.fail(request, new CancelledError());
    for (const task of [...this.openings, ...this.suspects, ...(this.connection?.tasks ?? [])]) if (task instanceof Opening) task.reject(new CancelledError());
    this.openings = [];
    this.suspects = [];
    this.models.clear();
    this.cache?.clear();
    await this.disconnect(new CancelledError());
  }

  // ---- requests

  private checkOn(options: PredictOptions): void {
    if (this.disposed || options.signal?.aborted) throw new CancelledError();
  }

  private ask(request: PredictRequest, texts: readonly string[], options: PredictOptions): void {
    const { priority = 'interactive', features = false, cache = true } = options;
    const { model } = request;
    let lane: Lane | undefined;
    let isKnown = texts.length === 0;
    texts.forEach((text, position) => {
      const key = textKey(text);
      const known = cache ? this.recall(model, key, features) : undefined;
      if (known) {
        request.put(position, known);
        isKnown = true;
        return;
      }
      lane ??= this.laneOf(model, priority, features);
      let item = lane.byKey.get(key);
      if (item?.text !== text) {
        item = new Item(lane, text, key, cache);
        lane.items.push(item);
        lane.byKey.set(key, item);
        model.pending++;
      }
      item.remember ||= cache;
      if (item.waiters.length === 0 && item.lot) item.lot.wanted++;
      item.waiters.push({ request, position });
      request.items.add(item);
    });
    if (lane) this.flushSoon();
    if (isKnown) this.report(request);
  }

  private laneOf(model: Model, priority: PredictPriority, features: boolean): Lane {
    const lanes = this.lanes[priority];
    let lane = lanes.find((other) => other.model === model && other.features === features);
    if (!lane) lanes.push((lane = new Lane(model, priority, features)));
    return lane;
  }

  private recall(model: Model, textKey: string, features: boolean): TextResult | undefined {
    const known = this.cache?.get(`${model.id}/${textKey}`);
    return known && (!features || known.features) ? known : undefined;
  }

  private report(request: PredictRequest): void {
    request.report();
    if (request.ended) this.requests.delete(request);
  }

  /** Hands a text's result to all who wait for it. */
  private settle(item: Item, result: TextResult): void {
    for (const { request, position } of item.waiters) {
      request.put(position, result);
      request.items.delete(item);
    }
    this.strike(item);
  }

  /** Takes a text out of the books. */
  private strike(item: Item): void {
    if (item.done) return;
    item.done = true;
    const { lane } = item;
    if (lane.byKey.get(item.key) === item) lane.byKey.delete(item.key);
    lane.model.pending--;
    this.closeRetired(lane.model);
  }

  /** Ends a request early, and with it all work that nobody else waits for. */
  private fail(request: PredictRequest, error: Error): void {
    this.requests.delete(request);
    request.fail(error);
    for (const item of request.items) {
      item.waiters = item.waiters.filter((waiter) => waiter.request !== request);
      if (item.waiters.length > 0) continue;
      if (!item.lot) this.strike(item);
      else if (--item.lot.wanted === 0) this.abandon(item.lot);
    }
    request.items.clear();
  }

  private failModel(model: Model, error: Error): void {
    for (const request of [...this.requests]) if (request.model === model) this.fail(request, error);
  }

  /** Nobody waits for this lot any more. */
  private abandon(lot: Lot): void {
    for (const item of lot.items) this.strike(item);
    this.suspects = this.suspects.filter((task) => task !== lot);
    lot.abort.abort();
  }

  // ---- what goes to the worker

  private flushSoon(): void {
    this.flush ??= setTimeout(() => {
      this.flush = undefined;
      this.pump();
    }, 0);
  }

  /** Sends all that may be sent. Called whenever anything has changed. */
  private pump(): void {
    if (this.disposed || this.pumping) return;
    this.pumping = true;
    try {
      if (this.suspects.length > 0) this.trySuspect();
      else this.sendAll();
      this.watchIdle();
    } finally {
      this.pumping = false;
    }
  }

  private sendAll(): void {
    for (const priority of priorities) for (const lane of this.lanes[priority]) if (lane.hasItems() && !lane.model.isOpen) this.open(lane.model);
    for (const opening of this.openings.splice(0)) this.send(opening);
    for (const priority of priorities) {
      for (;;) {
        const sent = [...(this.connection?.tasks ?? [])].filter((task) => task instanceof Lot && task.lane.priority === priority).length;
        const lot = sent < lotsInFlight[priority] ? this.nextLot(priority) : undefined;
        if (!lot) break;
        this.send(lot);
      }
    }
  }

  private nextLot(priority: PredictPriority): Lot | undefined {
    const lanes = this.lanes[priority];
    for (const lane of [...lanes]) {
      const items = lane.model.isOpen ? this.takeItems(lane) : [];
      if (!lane.hasItems() && lane.byKey.size === 0) lanes.splice(lanes.indexOf(lane), 1);
      if (items.length === 0) continue;
      // to the end, so that the texts of one model do not keep those of another waiting
      lanes.push(...lanes.splice(lanes.indexOf(lane), 1));
      return new Lot(lane, items);
    }
    return undefined;
  }

  /** The lane's next texts, but not those that meanwhile became known or unwanted. */
  private takeItems(lane: Lane): Item[] {
    const limits = lotLimits[lane.priority];
    const items: Item[] = [];
    let characters = 0;
    let seen = 0;
    for (const item of lane.items) {
      if (items.length > 0 && (items.length === limits.texts || characters + item.text.length > limits.characters)) break;
      seen++;
      if (item.done) continue;
      const known = item.remember ? this.recall(lane.model, item.key, lane.features) : undefined;
      if (known) {
        const requests = new Set(item.waiters.map((waiter) => waiter.request));
        this.settle(item, known);
        for (const request of requests) this.report(request);
      } else {
        items.push(item);
        characters += item.text.length;
      }
    }
    lane.items.splice(0, seen);
    return items;
  }

  private send(task: Task): void {
    let connection: Connection;
    try {
      connection = this.connect();
    } catch (error) {
      this.putBack(task);
      this.giveUpStarting(asError(error));
      return;
    }
    connection.tasks.add(task);
    (task instanceof Lot ? this.sendTexts(connection, task) : this.sendModel(connection, task)).then(
      () => this.ended(connection, task),
      (error: unknown) => this.ended(connection, task, asError(error)),
    );
  }

  private async sendTexts({ client }: Connection, lot: Lot): Promise<void> {
    const { model, priority, features } = lot.lane;
    model.lastUse = ++this.uses;
    const texts = lot.items.map((item) => item.text);
    await client.call('predict', { key: model.id, texts, priority, features }, { signal: lot.abort.signal, onProgress: (batch) => this.received(lot, batch) });
    if (lot.left.length > 0) throw new Error('The prediction worker left texts out.');
  }

  private async sendModel({ client, open }: Connection, { model }: Opening): Promise<void> {
    model.lastUse = ++this.uses;
    const { labels } = await client.call('load', { key: model.id, where: model.name, bundle: model.files });
    model.labels = labels;
    model.isOpen = true;
    open.add(model);
  }

  private received(lot: Lot, { positions, width, scores, tokens, values, features }: PredictedBatch): void {
    const { model } = lot.lane;
    const dim = features ? features.length / positions.length : 0;
    const requests = new Set<PredictRequest>();
    positions.forEach((position, row) => {
      const item = lot.items[position]!;
      const result: TextResult = {
        scores: scores.slice(row * width, (row + 1) * width),
        tokens: tokens[row]!,
        ...(values ? { value: values[row]! } : {}),
        ...(features ? { features: features.slice(row * dim, (row + 1) * dim) } : {}),
      };
      if (item.remember) this.cache?.set(`${model.id}/${item.key}`, result);
      for (const waiter of item.waiters) requests.add(waiter.request);
      this.settle(item, result);
    });
    model.givenUp = 0;
    for (const request of requests) this.report(request);
  }

  private ended(connection: Connection, task: Task, error?: Error): void {
    // of a worker that crashed or was ended, whose tasks have been dealt with
    if (connection !== this.connection) return;
    connection.tasks.delete(task);
    if (task instanceof Lot && task.abort.signal.aborted) {
      // all who waited have been told
    } else if (error instanceof HumanError) {
      if (task instanceof Opening) task.reject(error);
      else for (const request of new Set(task.left.flatMap((item) => item.waiters.map((waiter) => waiter.request)))) this.fail(request, error);
    } else if (error) {
      this.crashed(connection, error, [task]);
      return;
    } else if (task instanceof Opening) task.resolve();
    if (task instanceof Lot) for (const item of task.items) this.strike(item);
    this.closeUnused(connection);
    this.pump();
  }

  // ---- models in the worker

  private async loadModel(key: string, model: Model): Promise<void> {
    const { promise } = this.open(model);
    this.pump();
    await promise;
    const before = this.models.get(key);
    this.models.set(key, model);
    if (before) this.retire(before);
  }

  private open(model: Model): Opening {
    if (model.opening) return model.opening;
    const opening = new Opening(model);
    model.opening = opening;
    this.openings.push(opening);
    opening.promise.then(
      () => (model.opening = undefined),
      (error: unknown) => {
        model.opening = undefined;
        this.failModel(model, asError(error));
        this.pump();
      },
    );
    return opening;
  }

  private retire(model: Model): void {
    model.retired = true;
    this.closeRetired(model);
  }

  private closeRetired(model: Model): void {
    if (model.retired && model.pending === 0 && model.isOpen && this.connection) this.close(this.connection, model);
  }

  /** Keeps the number of open models in bounds: those used longest ago are closed, but none whose texts wait. */
  private closeUnused(connection: Connection): void {
    const excess = connection.open.size - this.openModels;
    if (excess <= 0) return;
    const unused = [...connection.open].filter((model) => model.pending === 0).sort((a, b) => a.lastUse - b.lastUse);
    for (const model of unused.slice(0, excess)) this.close(connection, model);
  }

  private close({ client, open }: Connection, model: Model): void {
    model.isOpen = false;
    open.delete(model);
    // if it fails the worker has crashed, and its successor does not have the model
    client.call('unload', { key: model.id }).catch(() => undefined);
  }

  // ---- the worker's life

  private connect(): Connection {
    if (this.connection) return this.connection;
    const connection = new Connection(this.startWorker());
    this.connection = connection;
    connection.handle.onExit((error) => {
      if (connection === this.connection) this.crashed(connection, error ?? new Error('it was ended from outside'), [...connection.tasks]);
    });
    connection.client.ready.then(
      () => {
        connection.isReady = true;
        this.failedStarts = 0;
      },
      () => undefined,
    );
    return connection;
  }

  private disconnect(reason: Error): Promise<void> {
    const { connection } = this;
    this.connection = undefined;
    if (!connection) return Promise.resolve();
    for (const model of connection.open) model.isOpen = false;
    connection.client.close(reason);
    return connection.handle.terminate();
  }

  /**
   * The worker has ended, or has failed in a way that no request should make it fail; it is not used again.
   *
   * @param guilty the tasks of which one may have caused it; others are simply sent again
   */
  private crashed(connection: Connection, reason: Error, guilty: readonly Task[]): void {
    const innocent = [...connection.tasks].filter((task) => !guilty.includes(task));
    // it may well be dead already
    this.disconnect(reason).catch(() => undefined);
    for (const task of innocent) this.putBack(task);
    for (const task of guilty) {
      if (!connection.isReady) this.putBack(task);
      else if (task instanceof Lot) this.suspectLot(task, reason);
      else this.suspectOpening(task, reason);
    }
    if (!connection.isReady && ++this.failedStarts >= maxCrashes) this.giveUpStarting(reason);
    this.pump();
  }

  /** Queues a task again as if it had not been sent. */
  private putBack(task: Task): void {
    if (task instanceof Opening) {
      this.openings.push(task);
      return;
    }
    const { left, lane } = task;
    for (const item of task.items) {
      if (!left.includes(item)) this.strike(item);
      item.lot = undefined;
    }
    lane.items.unshift(...left);
    const lanes = this.lanes[lane.priority];
    if (!lanes.includes(lane)) lanes.unshift(lane);
  }

  private suspectOpening(opening: Opening, reason: Error): void {
    if (++opening.crashes < maxCrashes) this.suspects.push(opening);
    else
      opening.reject(
        new HumanError('predictor.model', 'The prediction worker stopped {0} times while it opened the model {1}: {2}. Choose another model, or train this one again.', [maxCrashes, opening.model.name, reason.message], {
          cause: reason,
        }),
      );
  }

  /** Splits what is left of a lot for the trial: into eighths after its first crash, into single texts after that. */
  private suspectLot(lot: Lot, reason: Error): void {
    const { left } = lot;
    for (const item of lot.items) if (!left.includes(item)) this.strike(item);
    let crashes = 0;
    for (const item of left) crashes = Math.max(crashes, ++item.crashes);
    if (left.length === 1 && crashes >= maxCrashes) {
      this.giveUp(left[0]!, reason);
      return;
    }
    const size = crashes === 1 ? Math.ceil(left.length / 8) : 1;
    const trials: Lot[] = [];
    for (let i = 0; i < left.length; i += size) trials.push(new Lot(lot.lane, left.slice(i, i + size)));
    // before the others: these are known to hold a guilty one
    this.suspects.unshift(...trials);
  }

  /** Sends the next suspect when nothing else is with the worker. */
  private trySuspect(): void {
    if (this.connection && this.connection.tasks.size > 0) return;
    const next = this.suspects[0]!;
    const task = next instanceof Lot && !next.lane.model.isOpen ? this.open(next.lane.model) : next;
    this.suspects = this.suspects.filter((other) => other !== task);
    this.openings = this.openings.filter((other) => other !== task);
    this.send(task);
  }

  private giveUp(item: Item, reason: Error): void {
    const { model } = item.lane;
    const error = new HumanError(
      'predictor.text',
      'The model {0} stopped {1} times at the text that begins with “{2}”: {3}. Leave this text out, or choose another model.',
      [model.name, maxCrashes, item.text.slice(0, 60), reason.message],
      { cause: reason },
    );
    for (const { request } of [...item.waiters]) this.fail(request, error);
    // one bad text may be, but if there is no good one between them the model is at fault
    if (++model.givenUp >= maxCrashes)
      this.failModel(model, new HumanError('predictor.run', 'The model {0} stops at every text: {1}. Choose another model, or train this one again.', [model.name, reason.message], { cause: reason }));
  }

  private giveUpStarting(reason: Error): void {
    this.failedStarts = 0;
    const error = new HumanError('predictor.start', 'The prediction worker does not start: {0}. Try again, and install Label Lens anew if that does not help.', [reason.message], { cause: reason });
    for (const task of [...this.openings, ...this.suspects]) if (task instanceof Opening) task.reject(error);
    this.openings = [];
    this.suspects = [];
    for (const request of [...this.requests]) this.fail(request, error);
  }

  private watchIdle(): void {
    const isIdle = this.connection !== undefined && this.connection.tasks.size === 0 && this.requests.size === 0 && this.openings.length === 0 && this.suspects.length === 0;
    if (!isIdle || this.idleTime === undefined) {
      this.clock.clearTimeout(this.idle);
      this.idle = undefined;
      return;
    }
    this.idle ??= this.clock.setTimeout(() => {
      this.idle = undefined;
      this.disconnect(new CancelledError()).catch(() => undefined);
    }, this.idleTime);
  }
}

const systemClock: Clock = {
  setTimeout: (callback, delay) => setTimeout(callback, delay),
  clearTimeout: (timer) => clearTimeout(timer as ReturnType<typeof setTimeout> | undefined),
};

function bytesOf(result: TextResult): number {
  return 64 + result.scores.byteLength + (result.features?.byteLength ?? 0);
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
