/** What a command sees of the terminal. Messages and progress go to stderr, results to stdout. */
export interface Terminal {
  /** Whether stderr is a terminal that can redraw a line. */
  readonly interactive: boolean;
  /** Width of the terminal in columns. */
  readonly columns: number;
  stdout(text: string): void;
  stderr(text: string): void;
  /** Milliseconds, monotonic. */
  now(): number;
}

/** One line that is redrawn on a terminal; silent where stderr is a file or a pipe. */
export class ProgressLine {
  private shownAt = -Infinity;
  private shown = false;

  constructor(private readonly terminal: Terminal) {}

  /**
   * Redraws at most ten times a second.
   * @param fraction done, 0..1; undefined when the whole is not known
   */
  update(fraction: number | undefined, text: string): void {
    if (!this.terminal.interactive) return;
    const now = this.terminal.now();
    if (now - this.shownAt < 100) return;
    this.shownAt = now;
    this.shown = true;
    const width = 20;
    const filled = Math.round(Math.min(1, Math.max(0, fraction ?? 0)) * width);
    const bar = fraction === undefined ? '' : `${'█'.repeat(filled)}${'░'.repeat(width - filled)} ${(fraction * 100).toFixed(0).padStart(3)} %  `;
    this.terminal.stderr(`\r\x1b[K${(bar + text).slice(0, this.terminal.columns - 1)}`);
  }

  /** Wipes the line, so that what is printed next starts clean. */
  clear(): void {
    if (this.shown) this.terminal.stderr('\r\x1b[K');
    this.shown = false;
    this.shownAt = -Infinity;
  }
}
