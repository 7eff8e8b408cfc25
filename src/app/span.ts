/** A piece of a document: UTF-16 offsets, `end` exclusive. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** One replacement in a document, in the offsets before it. */
export interface Edit {
  readonly offset: number;
  readonly removed: number;
  readonly inserted: number;
}

/** Where `span` lies after `edit`, or undefined if the edit changed what is in it. Text typed at either edge leaves it alone. */
export function moveSpan(span: Span, edit: Edit): Span | undefined {
  if (edit.offset >= span.end) return span;
  if (edit.offset + edit.removed > span.start) return undefined;
  const shift = edit.inserted - edit.removed;
  return { start: span.start + shift, end: span.end + shift };
}
