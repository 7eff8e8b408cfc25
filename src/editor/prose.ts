import * as vscode from 'vscode';
import { rowCounter } from '../core/text/lines';
import { segment, type Segment } from '../core/text/segment';
import { beginningOf } from './documents';
import type { AnnotationUnit } from './settings';

/** What a segment is: as the settings say, or the whole document where a task asks about whole texts. */
export type ProseUnit = Exclude<AnnotationUnit, 'off'> | 'document';

/** A segment of a document. Its range is worked out when it is asked for: a large document has thousands, of which a screen shows a few. */
export class ProseSegment {
  constructor(
    private readonly document: vscode.TextDocument,
    /** UTF-16 offsets in the document. */
    readonly start: number,
    readonly end: number,
    readonly text: string,
    /** 1-based number of its line among those that are not blank; for lines only. */
    readonly row: number | undefined,
  ) {}

  /** Where it stands, as long as the document has not been edited since. */
  get range(): vscode.Range {
    return new vscode.Range(this.document.positionAt(this.start), this.document.positionAt(this.end));
  }
}

export interface Segments {
  /** Those that are annotated: prose. */
  readonly segments: readonly ProseSegment[];
  /** Headings and table rows of Markdown too, which a person may ask about but which are no prose. */
  readonly all: readonly ProseSegment[];
  /** Whether the whole document was cut; if not, it is too large and its end is left alone. */
  readonly complete: boolean;
}

/** Cuts documents into segments, once for each version. */
export class ProseSegments {
  private readonly cache = new WeakMap<vscode.TextDocument, { readonly version: number; readonly unit: ProseUnit; readonly result: Segments }>();

  /** The segments of the document's beginning, in order. */
  of(document: vscode.TextDocument, unit: ProseUnit): Segments {
    const cached = this.cache.get(document);
    if (cached?.version === document.version && cached.unit === unit) return cached.result;
    const { text, complete } = beginningOf(document);
    const markdown = document.languageId === 'markdown';
    const rowAt = unit === 'line' ? rowCounter(text) : () => undefined;
    const all = spansOf(text, unit, { markdown, complete }).map(({ start, end }) => new ProseSegment(document, start, end, text.slice(start, end), rowAt(start)));
    const result = { segments: markdown && unit !== 'document' ? all.filter(({ start }) => isProse(text, start)) : all, all, complete };
    this.cache.set(document, { version: document.version, unit, result });
    return result;
  }

  /** The segments [from, to) that have text within lines `first` to `last`. */
  within(document: vscode.TextDocument, unit: ProseUnit, first: number, last: number): { readonly from: number; readonly to: number } {
    const { segments } = this.of(document, unit);
    const start = document.offsetAt(new vscode.Position(first, 0));
    const end = document.offsetAt(new vscode.Position(last + 1, 0));
    return { from: firstWhere(segments, (candidate) => candidate.end > start), to: firstWhere(segments, (candidate) => candidate.start >= end) };
  }

  /** The annotated segment at `position`. */
  at(document: vscode.TextDocument, unit: ProseUnit, position: vscode.Position): ProseSegment | undefined {
    return touching(this.of(document, unit).segments, document.offsetAt(position));
  }

  /** The annotated segments that have text in `range`. */
  touching(document: vscode.TextDocument, unit: ProseUnit, range: vscode.Range): readonly ProseSegment[] {
    const { segments } = this.of(document, unit);
    const start = document.offsetAt(range.start);
    const end = document.offsetAt(range.end);
    return segments.slice(
      firstWhere(segments, (candidate) => candidate.end > start),
      firstWhere(segments, (candidate) => candidate.start >= end),
    );
  }

  /** The segment that is meant by a cursor at `position`, annotated or not: the one it is in, else the first one of its line. */
  meantAt(document: vscode.TextDocument, unit: ProseUnit, position: vscode.Position): ProseSegment | undefined {
    const { all } = this.of(document, unit);
    const line = document.lineAt(position.line).range;
    const next = all[firstWhere(all, ({ end }) => end > document.offsetAt(line.start))];
    return touching(all, document.offsetAt(position)) ?? (next && next.start < document.offsetAt(line.end) ? next : undefined);
  }
}

function spansOf(text: string, unit: ProseUnit, { markdown, complete }: { readonly markdown: boolean; readonly complete: boolean }): readonly Segment[] {
  if (unit !== 'document') return segment(text, unit, { markdown });
  return complete && text.trim() !== '' ? [{ start: 0, end: text.length }] : [];
}

/** Whether the segment of a Markdown document that starts there is part of a text, not a heading or a row of a table. */
function isProse(text: string, start: number): boolean {
  const marks = text.slice(Math.max(text.lastIndexOf('\n', start - 1) + 1, start - 200), start);
  return !/^\s{0,3}(#{1,6}\s|\|)/.test(marks);
}

function touching(segments: readonly ProseSegment[], offset: number): ProseSegment | undefined {
  const candidate = segments[firstWhere(segments, ({ end }) => end >= offset)];
  return candidate && candidate.start <= offset ? candidate : undefined;
}

/** Index of the first segment for which `holds`, given that it holds for all behind it; their number if there is none. */
function firstWhere(segments: readonly ProseSegment[], holds: (segment: ProseSegment) => boolean): number {
  let low = 0;
  let high = segments.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(segments[middle]!)) high = middle;
    else low = middle + 1;
  }
  return low;
}
