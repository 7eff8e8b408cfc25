import type { Disposable } from './events';

/** Sends messages about what changes all the time, such as progress: of each kind one at once, and then at most one every so often, the latest. */
export class Pacer<T> implements Disposable {
  /** Timers of messages that were sent a moment ago, by kind, with what came since. */
  private readonly pauses = new Map<string, { readonly timer: ReturnType<typeof setTimeout>; next: (() => T) | undefined }>();

  /** @param interval milliseconds between two messages of one kind */
  constructor(
    private readonly send: (message: T) => void,
    private readonly interval: number,
  ) {}

  /** @param message called when it is sent, so that it says what is so then */
  soon(kind: string, message: () => T): void {
    const pause = this.pauses.get(kind);
    if (pause) {
      pause.next = message;
      return;
    }
    this.send(message());
    const timer = setTimeout(() => {
      const { next } = this.pauses.get(kind) ?? {};
      this.pauses.delete(kind);
      if (next) this.soon(kind, next);
    }, this.interval);
    this.pauses.set(kind, { timer, next: undefined });
  }

  /** Forgets what waits. */
  clear(): void {
    for (const { timer } of this.pauses.values()) clearTimeout(timer);
    this.pauses.clear();
  }

  dispose(): void {
    this.clear();
  }
}
