import { CancelledError, HumanError } from '../errors';

/**
 * One typed request/response protocol for every pair (host ↔ worker, host ↔ panel).
 *
 * Each pair describes itself with an interface `{ methodName: { params; result; progress? } }` in a file of this folder.
 * A request always gets a result or an error; the serving side says `ready` first and nothing is sent to it before.
 */
export interface Methods {
  [method: string]: { params: unknown; result: unknown; progress?: unknown };
}

/** Anything that carries messages both ways: a worker from outside, a worker from inside, a webview. */
export interface Port {
  postMessage(message: unknown, transfer?: readonly ArrayBuffer[]): void;
  /** Registers the one listener for incoming messages. */
  onMessage(listener: (message: unknown) => void): void;
}

type Frame =
  | { readonly kind: 'ready' }
  | { readonly kind: 'request'; readonly id: number; readonly method: string; readonly params: unknown }
  | { readonly kind: 'cancel'; readonly id: number }
  | { readonly kind: 'progress'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'result'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'error'; readonly id: number; readonly error: WireError };

/** An error as it crosses the boundary; {@link HumanError} and {@link CancelledError} are rebuilt on the other side. */
interface WireError {
  readonly name: string;
  readonly message: string;
  readonly stack?: string;
  readonly code?: string;
  readonly template?: string;
  readonly args?: readonly (string | number)[];
}

export interface CallOptions<P> {
  /** Aborting it rejects the call with {@link CancelledError} at once and tells the other side. */
  readonly signal?: AbortSignalLike;
  readonly onProgress?: (progress: P) => void;
  /** Buffers to move instead of copying. */
  readonly transfer?: readonly ArrayBuffer[];
}

/** The part of the platform's AbortSignal that is used here. */
export interface AbortSignalLike {
  readonly aborted: boolean;
  addEventListener(type: 'abort', listener: () => void): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

/** The calling side. */
export class RpcClient<M extends Methods> {
  /** Resolves when the serving side has said `ready`; rejects when it was closed before. */
  readonly ready: Promise<void>;
  private readonly pending = new Map<number, { resolve(value: unknown): void; reject(error: Error): void; progress: ((value: never) => void) | undefined }>();
  private readonly readyState: { resolve: () => void; reject: (error: Error) => void };
  private nextId = 1;
  private closedBy: Error | undefined;

  constructor(private readonly port: Port) {
    let resolve!: () => void;
    let reject!: (error: Error) => void;
    this.ready = new Promise<void>((yes, no) => {
      resolve = yes;
      reject = no;
    });
    this.ready.catch(() => undefined);
    this.readyState = { resolve, reject };
    port.onMessage((message) => this.receive(message as Frame));
  }

  /** Calls `method` on the other side. Rejects with the other side's error, {@link CancelledError}, or the reason given to {@link close}. */
  async call<K extends keyof M & string>(method: K, params: M[K]['params'], options: CallOptions<M[K]['progress']> = {}): Promise<M[K]['result']> {
    const { signal, onProgress, transfer } = options;
    if (signal?.aborted) throw new CancelledError();
    await this.readyOr(signal);
    if (this.closedBy) throw this.closedBy;
    const id = this.nextId++;
    return await new Promise<M[K]['result']>((resolve, reject) => {
      const abort = (): void => {
        this.pending.delete(id);
        signal?.removeEventListener('abort', abort);
        this.send({ kind: 'cancel', id });
        reject(new CancelledError());
      };
      const settled = <A extends unknown[]>(then: (...args: A) => void) => (...args: A): void => {
        signal?.removeEventListener('abort', abort);
        then(...args);
      };
      this.pending.set(id, { resolve: settled(resolve), reject: settled(reject), progress: onProgress });
      signal?.addEventListener('abort', abort);
      try {
        this.send({ kind: 'request', id, method, params }, transfer);
      } catch (error) {
        // something in `params` cannot cross, so no answer will ever come
        const entry = this.pending.get(id);
        this.pending.delete(id);
        entry?.reject(error as Error);
      }
    });
  }

  /** Rejects everything under way with `reason`, and every later call. */
  close(reason: Error): void {
    this.closedBy = reason;
    this.readyState.reject(reason);
    for (const entry of this.pending.values()) entry.reject(reason);
    this.pending.clear();
  }

  /** Waits for `ready`, but not longer than until `signal` is raised. */
  private async readyOr(signal: AbortSignalLike | undefined): Promise<void> {
    if (!signal) return await this.ready;
    let abort!: () => void;
    const aborted = new Promise<never>((_, reject) => {
      abort = () => reject(new CancelledError());
      signal.addEventListener('abort', abort);
    });
    try {
      await Promise.race([this.ready, aborted]);
    } finally {
      signal.removeEventListener('abort', abort);
    }
    // raised in the same turn in which `ready` came
    if (signal.aborted) throw new CancelledError();
  }

  private send(frame: Frame, transfer?: readonly ArrayBuffer[]): void {
    this.port.postMessage(frame, transfer);
  }

  private receive(frame: Frame): void {
    switch (frame.kind) {
      case 'ready':
        this.readyState.resolve();
        break;
      case 'progress':
        this.pending.get(frame.id)?.progress?.(frame.value as never);
        break;
      case 'result': {
        const entry = this.pending.get(frame.id);
        this.pending.delete(frame.id);
        entry?.resolve(frame.value);
        break;
      }
      case 'error': {
        const entry = this.pending.get(frame.id);
        this.pending.delete(frame.id);
        entry?.reject(fromWire(frame.error));
        break;
      }
      default:
        break;
    }
  }
}

/** What a handler gets besides its params. */
export interface HandlerContext<P> {
  readonly signal: AbortSignalLike;
  /** Sends word to the caller as long as there is no answer. */
  readonly progress: (value: P | Transferred<P>) => void;
}

/** A result or a progress message with buffers to move to the caller. */
export class Transferred<T> {
  constructor(
    readonly value: T,
    readonly transfer: readonly ArrayBuffer[],
  ) {}
}

export type Handlers<M extends Methods> = {
  [K in keyof M & string]: (
    params: M[K]['params'],
    context: HandlerContext<M[K]['progress']>,
  ) => M[K]['result'] | Transferred<M[K]['result']> | Promise<M[K]['result'] | Transferred<M[K]['result']>>;
};

/** The serving side: answers requests with `handlers` and says `ready`. */
export function serve<M extends Methods>(port: Port, handlers: Handlers<M>): void {
  const running = new Map<number, Signal>();
  const send = (frame: Frame, transfer?: readonly ArrayBuffer[]): void => port.postMessage(frame, transfer);
  const answer = async (id: number, method: string, params: unknown): Promise<void> => {
    const signal = new Signal();
    running.set(id, signal);
    const progress = (value: unknown): void => {
      // what comes late, after the answer, would reach nobody
      if (running.get(id) !== signal) return;
      if (value instanceof Transferred) send({ kind: 'progress', id, value: value.value }, value.transfer);
      else send({ kind: 'progress', id, value });
    };
    try {
      const handler = Object.hasOwn(handlers, method) ? handlers[method] : undefined;
      if (!handler) throw new Error(`Unknown method ${method}`);
      const value = await handler(params, { signal, progress });
      if (value instanceof Transferred) send({ kind: 'result', id, value: value.value }, value.transfer);
      else send({ kind: 'result', id, value });
    } catch (error) {
      send({ kind: 'error', id, error: toWire(error) });
    } finally {
      running.delete(id);
    }
  };
  port.onMessage((message) => {
    const frame = message as Frame;
    if (frame.kind === 'request') void answer(frame.id, frame.method, frame.params);
    else if (frame.kind === 'cancel') running.get(frame.id)?.abort();
  });
  send({ kind: 'ready' });
}

class Signal implements AbortSignalLike {
  aborted = false;
  private readonly listeners = new Set<() => void>();

  abort(): void {
    if (this.aborted) return;
    this.aborted = true;
    for (const listener of this.listeners) listener();
  }
  addEventListener(_type: 'abort', listener: () => void): void {
    this.listeners.add(listener);
  }
  removeEventListener(_type: 'abort', listener: () => void): void {
    this.listeners.delete(listener);
  }
}

function toWire(error: unknown): WireError {
  if (error instanceof HumanError) return { name: error.name, message: error.message, code: error.code, template: error.template, args: error.args };
  if (error instanceof Error) return { name: error.name, message: error.message, ...(error.stack === undefined ? {} : { stack: error.stack }) };
  return { name: 'Error', message: String(error) };
}

function fromWire(wire: WireError): Error {
  if (wire.name === 'HumanError' && wire.code !== undefined && wire.template !== undefined) return new HumanError(wire.code, wire.template, wire.args);
  if (wire.name === 'CancelledError') return new CancelledError();
  const error = new Error(wire.message);
  error.name = wire.name;
  if (wire.stack !== undefined) error.stack = wire.stack;
  return error;
}
