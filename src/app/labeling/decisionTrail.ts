import type { Decision } from '../../core/labels/decision';

/** Texts in the order in which an annotator decided on them, for going back and forth. */
export class DecisionTrail {
  private readonly examples: string[] = [];
  /** Where each stands for the last time, and the time of the decision that put it there. */
  private readonly places = new Map<string, { readonly index: number; readonly at: string }>();

  add({ example, at, undo, redo }: Decision): void {
    // taking back and doing again is no deciding: the text keeps its place
    if (undo !== undefined || redo !== undefined || this.places.get(example)?.at === at) return;
    this.places.set(example, { index: this.examples.length, at });
    this.examples.push(example);
  }

  /**
   * The text decided on before (-1) or after (+1) another; one that was not decided on comes after all that were.
   * @param isThere whether a text can be shown
   */
  neighbour(id: string, step: -1 | 1, isThere: (id: string) => boolean): string | undefined {
    for (let index = (this.places.get(id)?.index ?? this.examples.length) + step; index >= 0 && index < this.examples.length; index += step) {
      const other = this.examples[index];
      // earlier mentions do not count
      if (other !== undefined && this.places.get(other)?.index === index && isThere(other)) return other;
    }
    return undefined;
  }
}
