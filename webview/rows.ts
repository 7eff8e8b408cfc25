import type { ExampleFilter, ExampleList, ListedExample } from '../src/core/labels/view';
import type { PanelDecided } from '../src/core/protocol/panel';

/** Rows asked for at a time. */
export const pageSize = 100;
/** Pages kept, those used last. */
const keptPages = 40;

/** The rows of the list that passed its filter, as far as they were asked for. */
export class Rows {
  total = 0;
  /** Undefined until the first answer. */
  loaded = false;
  private filter: ExampleFilter = {};
  private pages = new Map<number, readonly ListedExample[]>();
  private readonly stale = new Set<number>();
  private readonly asked = new Set<number>();
  private generation = 0;

  /**
   * @param fetch a slice of the examples that pass a filter
   * @param changed called when rows have come
   * @param failed called with what `fetch` threw
   */
  constructor(
    private readonly fetch: (filter: ExampleFilter, from: number, count: number) => Promise<ExampleList>,
    private readonly changed: () => void,
    private readonly failed: (error: unknown) => void,
  ) {}

  /** Starts afresh with another filter. */
  setFilter(filter: ExampleFilter): void {
    this.filter = filter;
    this.generation++;
    this.asked.clear();
    this.stale.clear();
    this.pages.clear();
    this.total = 0;
    this.loaded = false;
  }

  /** Keeps what it has on the screen until it has come anew. */
  outdate(): void {
    this.generation++;
    this.asked.clear();
    for (const page of this.pages.keys()) this.stale.add(page);
  }

  at(index: number): ListedExample | undefined {
    return this.pages.get(Math.floor(index / pageSize))?.[index % pageSize];
  }

  /** Asks for the rows `from` to before `to` that are not here. */
  want(from: number, to: number): void {
    const last = Math.floor(Math.max(from, to - 1) / pageSize);
    for (let page = Math.floor(Math.max(0, from) / pageSize); page <= last; page++) if ((!this.pages.has(page) || this.stale.has(page)) && !this.asked.has(page)) void this.load(page);
  }

  /** All rows `from` to before `to`. @throws what `fetch` throws */
  async range(from: number, to: number): Promise<readonly ListedExample[]> {
    const rows: ListedExample[] = [];
    for (let at = from; at < to; ) {
      const slice = (await this.fetch(this.filter, at, Math.min(pageSize, to - at))).rows;
      if (slice.length === 0) break;
      rows.push(...slice);
      at += slice.length;
    }
    return rows;
  }

  /** Rows that are here take over their new state; whether they still pass the filter tells the next answer. */
  apply(changed: PanelDecided['changed']): void {
    if (changed.length === 0) return;
    const byId = new Map(changed.map((each) => [each.id, each]));
    for (const [page, rows] of this.pages) {
      if (!rows.some(({ id }) => byId.has(id))) continue;
      this.pages.set(
        page,
        rows.map((row) => {
          const change = byId.get(row.id);
          if (!change) return row;
          const { id, position, excerpt } = row;
          const guess = change.guess ?? row.guess;
          return { id, position, excerpt, ...(change.state ? { state: change.state } : {}), ...(guess ? { guess } : {}) };
        }),
      );
    }
  }

  private async load(page: number): Promise<void> {
    const { generation } = this;
    this.asked.add(page);
    try {
      const { total, rows } = await this.fetch(this.filter, page * pageSize, pageSize);
      if (generation !== this.generation) return;
      this.asked.delete(page);
      this.total = total;
      this.loaded = true;
      // again at the end of the map, which is where the ones used last stand
      this.pages.delete(page);
      this.pages.set(page, rows);
      this.stale.delete(page);
      for (const oldest of this.pages.keys()) {
        if (this.pages.size <= keptPages) break;
        this.pages.delete(oldest);
        this.stale.delete(oldest);
      }
      this.changed();
    } catch (error) {
      if (generation !== this.generation) return;
      // stays among those asked for, so that a failure is not repeated at every turn of the wheel
      this.loaded = true;
      this.failed(error);
      this.changed();
    }
  }
}

/** What is selected in the list: examples by their ids, or all that pass the filter. */
export class Selection {
  all = false;
  readonly chosen = new Map<string, ListedExample>();
  /** Row that a range starts from. */
  anchor = 0;

  size(total: number): number {
    return this.all ? total : this.chosen.size;
  }

  has(id: string): boolean {
    return this.all || this.chosen.has(id);
  }

  clear(): void {
    this.all = false;
    this.chosen.clear();
  }

  only(row: ListedExample): void {
    this.clear();
    this.chosen.set(row.id, row);
  }

  toggle(row: ListedExample): void {
    this.all = false;
    if (!this.chosen.delete(row.id)) this.chosen.set(row.id, row);
  }

  replace(rows: readonly ListedExample[]): void {
    this.clear();
    for (const row of rows) this.chosen.set(row.id, row);
  }
}
