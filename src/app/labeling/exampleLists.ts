import type { ExampleFilter, ExampleState, Guess, ListedExample } from '../../core/labels/view';
import type { JournalState } from '../../core/labels/journal';
import { compileFilter, needsGuesses, type FilteredRow } from './exampleFilter';
import type { Pool } from './pool';
import { Slices } from './slices';
import type { TaskLearning } from './taskLearning';

/** UTF-16 units of a text that a list shows. */
const excerptLength = 200;

/** Lists a task's texts by filter. The last result is kept as long as nothing has changed, so that scrolling costs nothing. */
export class ExampleLists {
  private latest: { readonly key: string; readonly positions: readonly number[] } | undefined;

  constructor(
    private readonly decisions: JournalState,
    private readonly learner: TaskLearning,
    private readonly pause: () => Promise<void>,
  ) {}

  /**
   * Positions of the texts that pass.
   * @param changes another number whenever a decision, a label or a text has changed
   * @throws HumanError `filter.…` when the search cannot be understood or takes too long
   */
  async matching(pool: Pool | undefined, filter: ExampleFilter, changes: number): Promise<readonly number[]> {
    const test = compileFilter(filter);
    if (!pool) return [];
    const withGuesses = needsGuesses(filter);
    if (withGuesses) await this.learner.ensureAllGuesses();
    const key = JSON.stringify([filter, changes, withGuesses ? this.learner.revision : 0, pool.size]);
    if (this.latest?.key === key) return this.latest.positions;
    const slices = new Slices(this.pause);
    const positions: number[] = [];
    const row = new PoolRow(pool, this.decisions, this.learner);
    for (let position = 0; position < pool.size; position++) {
      row.position = position;
      if (test(row)) positions.push(position);
      if (slices.isOver) await slices.rest();
    }
    this.latest = { key, positions };
    return positions;
  }

  /** What a list shows of some texts. */
  rows(pool: Pool, positions: readonly number[]): readonly ListedExample[] {
    return positions
      .filter((position) => position < pool.size)
      .map((position) => {
        const id = pool.idAt(position);
        const state = this.decisions.stateOf(id);
        const guess = this.learner.guessAt(position);
        const excerpt = pool.textAt(position).slice(0, excerptLength).replace(/\s+/g, ' ').trim();
        return { id, position, excerpt, ...(state ? { state } : {}), ...(guess ? { guess } : {}) };
      });
  }
}

/** A text of the pool as filters see it; moved along instead of made anew for each. */
class PoolRow implements FilteredRow {
  position = 0;

  constructor(
    private readonly pool: Pool,
    private readonly decisions: JournalState,
    private readonly learner: TaskLearning,
  ) {}

  text(): string {
    return this.pool.textAt(this.position);
  }

  state(): ExampleState | undefined {
    return this.decisions.stateOf(this.pool.idAt(this.position));
  }

  guess(): Guess | undefined {
    return this.learner.guessAt(this.position);
  }

  hasAnnotator(annotator: string): boolean {
    return this.decisions.wordOf(this.pool.idAt(this.position), annotator) !== undefined;
  }
}
