import type { Edit, Span } from '../span';

interface Anchor extends Span {
  /** `exampleId` of the text as it was decided on. */
  readonly example: string;
}

/**
 * Where the texts that were decided on stand in one document, through its edits: a text that is edited is found again by its place, wherever that is by then.
 */
export class DecisionAnchors {
  /** By where they start. No two overlap. */
  private anchors = new Map<number, Anchor>();

  get size(): number {
    return this.anchors.size;
  }

  /** The text of `example` stands there now; what stood there before is forgotten. */
  set({ start, end }: Span, example: string): void {
    const present = this.anchors.get(start);
    if (present?.end === end && present.example === example) return;
    for (const anchor of [...this.anchors.values()]) if (overlap(anchor, { start, end }) > 0) this.anchors.delete(anchor.start);
    this.anchors.set(start, { start, end, example });
  }

  /** Example that stood where the span is, the one with the largest part in it; undefined if there is none. */
  at(span: Span): string | undefined {
    let best: { readonly example: string; readonly shared: number } | undefined;
    for (const anchor of this.anchors.values()) {
      const shared = overlap(anchor, span);
      if (shared > (best?.shared ?? 0)) best = { example: anchor.example, shared };
    }
    return best?.example;
  }

  /** Follows an edit. What is taken out as a whole is forgotten; what is changed within stays, with what was put in. */
  edit({ offset, removed, inserted }: Edit): void {
    const moved = new Map<number, Anchor>();
    const behind = offset + removed;
    for (const { start, end, example } of this.anchors.values()) {
      let now: Span;
      if (behind <= start) now = { start: start + inserted - removed, end: end + inserted - removed };
      else if (offset >= end) now = { start, end };
      else if (offset <= start && behind >= end && inserted === 0) continue;
      else now = { start: Math.min(start, offset), end: Math.max(end, behind) + inserted - removed };
      // of several that an edit runs together, the first stays
      if (now.end > now.start && !moved.has(now.start)) moved.set(now.start, { ...now, example });
    }
    this.anchors = moved;
  }
}

function overlap(a: Span, b: Span): number {
  return Math.min(a.end, b.end) - Math.max(a.start, b.start);
}
