import type { Decision, DecisionStatus, DecisionValue } from './decision';
import { resolveValue, type TaskDefinition } from './task';

/** Numbers of examples by what was decided about them, after merges of labels. */
export interface JournalCounts {
  readonly labeled: number;
  readonly skipped: number;
  readonly flagged: number;
  /** By label id, of those that are labelled; of several labels each counts. */
  readonly byLabel: Readonly<Record<string, number>>;
}

/** How many examples say the same, labels as they were written. */
interface Tally {
  readonly key: string;
  readonly status: DecisionStatus;
  /** Undefined for numbers, too, which are not counted one by one. */
  readonly label: Exclude<DecisionValue, number> | undefined;
  count: number;
}

/** Counts examples by what stands for each. Labels count as they were written, so that merging some costs nothing. */
export class ExampleCounting {
  private readonly tallies = new Map<string, Tally>();
  private readonly counted = new Map<string, Tally>();

  /**
   * @param contains whether an example counts
   * @param wordOf what stands for an example at present
   */
  constructor(
    private readonly contains: (example: string) => boolean,
    private readonly wordOf: (example: string) => Decision | undefined,
  ) {}

  /** Counts an example as what stands for it now, whatever it was counted as before. */
  update(example: string): void {
    const word = this.contains(example) ? this.wordOf(example) : undefined;
    const before = this.counted.get(example);
    const key = word && keyOf(word);
    if (before?.key === key) return;
    if (before && --before.count === 0) this.tallies.delete(before.key);
    if (word === undefined || key === undefined) {
      this.counted.delete(example);
      return;
    }
    let tally = this.tallies.get(key);
    if (!tally) this.tallies.set(key, (tally = { key, status: word.status, label: typeof word.label === 'number' ? undefined : word.label, count: 0 }));
    tally.count++;
    this.counted.set(example, tally);
  }

  /** @param task whose merges of labels count */
  counts(task: TaskDefinition): JournalCounts {
    const sums = { labeled: 0, skipped: 0, flagged: 0 };
    const byLabel = new Map<string, number>();
    for (const { status, label, count } of this.tallies.values()) {
      if (status === 'cleared') continue;
      sums[status] += count;
      const value = status !== 'labeled' || label === undefined ? [] : resolveValue(task, label);
      for (const id of typeof value === 'string' ? [value] : typeof value === 'object' ? value : []) byLabel.set(id, (byLabel.get(id) ?? 0) + count);
    }
    return { ...sums, byLabel: Object.fromEntries(byLabel) };
  }
}

function keyOf({ status, label }: Decision): string {
  return `${status} ${typeof label === 'object' ? JSON.stringify(label) : typeof label === 'string' ? label : ''}`;
}
