/** What lets go of something: a subscription, a worker, a timer. */
export interface Disposable {
  dispose(): void;
}

/** Subscribes `listener`; disposing the result ends the subscription. Fits `vscode.Event`. */
export type Event<T> = (listener: (value: T) => void) => Disposable;

/** A source of events. A listener that throws is reported to `onError` and does not keep the others from hearing. */
export class Emitter<T> implements Disposable {
  private readonly listeners = new Set<{ readonly call: (value: T) => void }>();

  constructor(private readonly onError: (error: unknown) => void = rethrowLater) {}

  readonly event: Event<T> = (listener) => {
    const entry = { call: listener };
    this.listeners.add(entry);
    return { dispose: () => void this.listeners.delete(entry) };
  };

  fire(value: T): void {
    for (const listener of [...this.listeners]) {
      try {
        listener.call(value);
      } catch (error) {
        this.onError(error);
      }
    }
  }

  /** Number of listeners, for tests that look for leaks. */
  get size(): number {
    return this.listeners.size;
  }

  dispose(): void {
    this.listeners.clear();
  }
}

/** A defect of a listener must be seen, but not by the code that fired the event. */
function rethrowLater(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}
