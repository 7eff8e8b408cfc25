import type { PanelItem } from '../src/core/protocol/panel';

/** Fewest items that wait ready for the screen, unless fewer are left. */
export const leastAhead = 5;
/** Items asked for at a time. */
const batchSize = 12;
/** Ids that the host is told to leave out, at most: it knows itself what was decided. */
const maximumSkip = 64;

/**
 * The items that come next, held ready so that nobody waits for one.
 *
 * First come those that were put back (one went back, or undid something), then the host's order. What was decided meanwhile never comes.
 */
export class ItemQueue {
  private putBack: PanelItem[] = [];
  private ahead: PanelItem[] = [];
  private fetching: Promise<void> | undefined;
  private stale = false;
  /** Nothing more is waiting at the host, as far as it said last. */
  private drained = false;
  /** Decided since the fetch under way began: its answer may still hold them. */
  private readonly decided = new Set<string>();
  private generation = 0;
  private shown: string | undefined;

  /** @param fetch items in the host's order, without `skip` */
  constructor(private readonly fetch: (count: number, skip: readonly string[]) => Promise<readonly PanelItem[]>) {}

  get length(): number {
    return this.putBack.length + this.ahead.length;
  }

  /** Starts afresh: another task, other labels. */
  reset(): void {
    this.generation++;
    this.putBack = [];
    this.ahead = [];
    this.decided.clear();
    this.drained = false;
    this.stale = false;
    this.fetching = undefined;
    this.shown = undefined;
  }

  /** What is on the screen, which never comes as the next. */
  show(id: string | undefined): void {
    this.shown = id;
    if (id !== undefined) this.remove(id);
  }

  /** Holds an item that was left undecided, to be the next. */
  hold(item: PanelItem): void {
    this.remove(item.example.id);
    this.putBack.unshift(item);
  }

  /** Forgets an item that needs no decision any more. */
  settle(id: string): void {
    this.remove(id);
    this.decided.add(id);
  }

  /** Something is open again that was not. */
  reopen(id: string): void {
    this.decided.delete(id);
    this.drained = false;
  }

  /** The next item, as soon as it is here; undefined: none waits. @throws what `fetch` throws */
  async take(): Promise<PanelItem | undefined> {
    // an answer may hold nothing but what was decided while it was on its way
    for (let attempt = 0; attempt < 3 && this.length === 0 && !this.drained; attempt++) await this.fill();
    const next = this.putBack.shift() ?? this.ahead.shift();
    if (next) this.shown = next.example.id;
    // a failure shows when the next item is needed
    if (this.length < leastAhead && !this.drained) this.fill().catch(() => undefined);
    return next;
  }

  /** The order has moved: asks for the next ones anew, and keeps those it holds until they come. */
  async refresh(): Promise<void> {
    this.drained = false;
    this.stale = true;
    await this.fill();
  }

  private async fill(): Promise<void> {
    while (this.fetching) await this.fetching;
    if (this.length >= leastAhead && !this.stale) return;
    const { generation } = this;
    this.fetching = this.load().finally(() => {
      if (this.generation === generation) this.fetching = undefined;
    });
    await this.fetching;
  }

  private async load(): Promise<void> {
    const { generation, stale } = this;
    this.stale = false;
    const kept = stale ? this.putBack : [...this.putBack, ...this.ahead];
    this.decided.clear();
    const skip = [...(this.shown === undefined ? [] : [this.shown]), ...kept.map(({ example }) => example.id)].slice(0, maximumSkip);
    const items = await this.fetch(batchSize, skip);
    if (generation !== this.generation) return;
    if (stale) this.ahead = [];
    this.drained = items.length === 0;
    const known = new Set([...this.putBack, ...this.ahead].map(({ example }) => example.id));
    for (const item of items) {
      const { id } = item.example;
      if (id !== this.shown && !known.has(id) && !this.decided.has(id)) this.ahead.push(item);
    }
  }

  private remove(id: string): void {
    const others = (item: PanelItem): boolean => item.example.id !== id;
    this.putBack = this.putBack.filter(others);
    this.ahead = this.ahead.filter(others);
  }
}
