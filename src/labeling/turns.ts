/** Milliseconds of work after which others get their turn. */
const slice = 15;

/** Lets a thread handle what has come in while it works on something long. */
export class Turns {
  private last = performance.now();

  /** @param pause resolves after the messages that have come in were handled */
  constructor(private readonly pause: () => Promise<void>) {}

  /** Pauses if it has been long since the last pause. */
  async take(): Promise<void> {
    if (performance.now() - this.last < slice) return;
    await this.pause();
    this.last = performance.now();
  }

  /** Runs a computation that yields to its end, with pauses. */
  async run<R>(work: Generator<undefined, R>): Promise<R> {
    for (;;) {
      const { done, value } = work.next();
      if (done) return value;
      await this.take();
    }
  }
}
