import type { Disposable } from './events';

/** Does something that can wait as soon as nobody has asked for it for a while: what many small changes ask for is done once, and not in the moment that a person waits for something else. */
export class WhenQuiet implements Disposable {
  private timer: ReturnType<typeof setTimeout> | undefined;
  private askedAt = 0;

  /**
   * @param work must not throw
   * @param quiet milliseconds without another {@link ask} that it waits for
   * @param longest milliseconds after the first {@link ask} in which it is done in any case
   */
  constructor(
    private readonly work: () => void,
    private readonly quiet: number,
    private readonly longest: number,
  ) {}

  /** Whether it was asked for and has not been done. */
  get isWaiting(): boolean {
    return this.timer !== undefined;
  }

  ask(): void {
    const now = Date.now();
    if (this.timer === undefined) this.askedAt = now;
    clearTimeout(this.timer);
    this.timer = setTimeout(
      () => {
        this.timer = undefined;
        this.work();
      },
      Math.max(0, Math.min(this.quiet, this.askedAt + this.longest - now)),
    );
  }

  /** It need not be done any more. */
  cancel(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  dispose(): void {
    this.cancel();
  }
}
