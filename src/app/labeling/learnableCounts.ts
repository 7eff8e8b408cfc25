import type { DecisionValue } from '../../core/labels/decision';

/** Counts what a model can learn from, one text at a time: labelled texts that are no checks. */
export class LearnableCounts {
  private readonly values = new Map<string, DecisionValue>();
  private readonly byLabel = new Map<string, number>();

  /** Number of texts. */
  get size(): number {
    return this.values.size;
  }

  /** @param value undefined: there is nothing to learn from it any more */
  set(id: string, value: DecisionValue | undefined): void {
    const before = this.values.get(id);
    if (before !== undefined) this.count(before, -1);
    if (value === undefined) {
      this.values.delete(id);
      return;
    }
    this.values.set(id, value);
    this.count(value, 1);
  }

  /** Texts with that label. */
  of(label: string): number {
    return this.byLabel.get(label) ?? 0;
  }

  clear(): void {
    this.values.clear();
    this.byLabel.clear();
  }

  private count(value: DecisionValue, change: 1 | -1): void {
    for (const label of typeof value === 'string' ? [value] : typeof value === 'object' ? value : []) this.byLabel.set(label, (this.byLabel.get(label) ?? 0) + change);
  }
}
