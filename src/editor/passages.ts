import * as vscode from 'vscode';
import { kindOf } from './documents';
import type { ProseSegments, ProseUnit } from './prose';
import type { RowAnnotations } from './rowAnnotations';
import type { Passage } from './selectionResults';
import type { DocumentText, TaskAnnotations } from './taskAnnotations';

/** Finds the segments and records of documents. */
export class Passages {
  constructor(
    private readonly annotations: TaskAnnotations,
    private readonly segments: ProseSegments,
    private readonly rows: RowAnnotations,
  ) {}

  /** The segment or record at `position`, as far as it is known at once. */
  knownAt(document: vscode.TextDocument, position: vscode.Position): Passage | undefined {
    return kindOf(document) === 'rows' ? this.rows.knownPassageAt(document, position) : this.segments.at(document, this.unitOf(document), position);
  }

  /** The segment or record that is meant by a cursor at `position`. */
  async meantAt(document: vscode.TextDocument, position: vscode.Position): Promise<Passage | undefined> {
    return kindOf(document) === 'rows' ? await this.rows.passageAt(document, position) : this.segments.meantAt(document, this.unitOf(document), position);
  }

  /** How many segments or records have text in `range`, as far as they are known at once. */
  countWithin(document: vscode.TextDocument, range: vscode.Range): number {
    return kindOf(document) === 'rows' ? this.rows.knownWithin(document, range) : this.segments.touching(document, this.unitOf(document), range).length;
  }

  /** All segments or records that have text in `range`, each as a whole; the one that is meant where the range is empty. Gives others their turn. */
  async within(document: vscode.TextDocument, range: vscode.Range): Promise<readonly Passage[]> {
    if (!range.isEmpty) {
      const found = kindOf(document) === 'rows' ? await this.rows.passagesWithin(document, range) : this.segments.touching(document, this.unitOf(document), range);
      if (found.length > 0) return found;
    }
    const meant = await this.meantAt(document, range.start);
    return meant ? [meant] : [];
  }

  /** By paragraphs where annotations are off: what a person asks for by hand is found all the same. */
  private unitOf(document: vscode.TextDocument): ProseUnit {
    const unit = this.annotations.unitOf(document);
    return unit === 'off' ? 'paragraph' : unit;
  }
}

/** The selected text without white space at its edges, so that what stands beside it stands right after the text. Undefined if there is nothing else in it. */
export function trimmedPassage(document: vscode.TextDocument, range: vscode.Range): Passage | undefined {
  const text = document.getText(range);
  const trimmed = text.trim();
  if (trimmed === '') return undefined;
  const start = document.offsetAt(range.start) + text.indexOf(trimmed);
  return { text: trimmed, range: new vscode.Range(document.positionAt(start), document.positionAt(start + trimmed.length)) };
}

/** A passage as {@link TaskAnnotations} is asked about it. */
export function documentText(document: vscode.TextDocument, { text, range, row }: Passage): DocumentText & { readonly start: number; readonly end: number } {
  return { text, row, start: document.offsetAt(range.start), end: document.offsetAt(range.end) };
}
