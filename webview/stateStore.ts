/** A page's one state. Whoever listens is told once for all changes of a turn. */
export class StateStore<S extends object> {
  private current: S;
  private told: S;
  private readonly listeners: ((state: S, before: S) => void)[] = [];
  private scheduled = false;

  constructor(initial: S) {
    this.current = this.told = initial;
  }

  get state(): S {
    return this.current;
  }

  update(change: Partial<S>): void {
    this.current = { ...this.current, ...change };
    if (this.scheduled) return;
    this.scheduled = true;
    queueMicrotask(() => this.tell());
  }

  subscribe(listener: (state: S, before: S) => void): void {
    this.listeners.push(listener);
  }

  private tell(): void {
    this.scheduled = false;
    const before = this.told;
    this.told = this.current;
    for (const listener of this.listeners) listener(this.told, before);
  }
}
