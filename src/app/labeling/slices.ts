/** Milliseconds that work keeps the thread at a time. A key press waits that long at most. */
const sliceTime = 8;

/** Cuts long work into slices between which others have their turn. */
export class Slices {
  private started: number;

  /**
   * @param pause resolves after what has come in was handled
   * @param now milliseconds, for tests
   */
  constructor(
    private readonly pause: () => Promise<void>,
    private readonly now: () => number = Date.now,
  ) {
    this.started = now();
  }

  /** Whether it is time to {@link rest}: to be asked often, as it costs next to nothing. */
  get isOver(): boolean {
    return this.now() - this.started >= sliceTime;
  }

  /** Lets others have their turn; the next slice begins when it resolves. */
  async rest(): Promise<void> {
    await this.pause();
    this.started = this.now();
  }
}
