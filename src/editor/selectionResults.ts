import * as vscode from 'vscode';
import { STYLES } from '../app/format';
import { styleOfGuess, type TextAnnotation } from '../app/labeling/textAnnotation';
import type { Prediction } from '../app/prediction';
import type { Session } from '../app/session';
import { moveSpan, type Span } from '../app/span';
import { contextKeys } from '../commands/ids';
import { answerOf, colorOf, decisionTitle, hoverOf, linksOf, type HoverLink } from './labelStyles';
import type { TaskAnnotations } from './taskAnnotations';

/** An answer that stands at a selection; without a prediction it is being computed, or the text was labelled and nobody asked for one. */
export interface SelectionResult extends Span {
  readonly prediction: Prediction | undefined;
  /** The text that the answer is about: of a record that of its text columns. */
  readonly text: string;
}

/** A piece of a document to be classified: where its answer stands, and the text to read. */
export interface Passage {
  readonly range: vscode.Range;
  readonly text: string;
  /** 1-based number of the record; of records and lines only. */
  readonly row?: number | undefined;
}

/**
 * The answers of `Classify Selection`, and the labels of `Label Selection`, at their selections until they are cleared, their text is edited, or another model is chosen.
 */
export class SelectionResults implements vscode.Disposable {
  private readonly byDocument = new Map<vscode.TextDocument, SelectionResult[]>();
  private readonly changed = new vscode.EventEmitter<vscode.TextDocument>();
  private readonly pending: vscode.TextEditorDecorationType;
  private readonly types: readonly vscode.TextEditorDecorationType[];
  /** For texts that were labelled. */
  private readonly decidedTypes: readonly vscode.TextEditorDecorationType[];
  private readonly subscriptions: vscode.Disposable[];

  /** Fired when the results of the document changed. */
  readonly onDidChange = this.changed.event;

  constructor(
    private readonly session: Session,
    private readonly annotations: TaskAnnotations,
  ) {
    const after = { margin: '0 0 0 1.5em', fontStyle: 'normal', fontWeight: 'normal', textDecoration: 'none' };
    this.pending = vscode.window.createTextEditorDecorationType({
      rangeBehavior: vscode.DecorationRangeBehavior.ClosedClosed,
      after: { ...after, contentText: '…', color: new vscode.ThemeColor('editorCodeLens.foreground') },
    });
    const typesWith = (overviewRulerLane: vscode.OverviewRulerLane, attachment: vscode.ThemableDecorationAttachmentRenderOptions): readonly vscode.TextEditorDecorationType[] =>
      Array.from({ length: STYLES }, (_, style) =>
        vscode.window.createTextEditorDecorationType({
          rangeBehavior: vscode.DecorationRangeBehavior.ClosedClosed,
          borderWidth: '0 0 2px 0',
          borderStyle: 'solid',
          borderColor: colorOf(style),
          overviewRulerColor: colorOf(style),
          overviewRulerLane,
          after: { ...after, ...attachment, color: colorOf(style) },
        }),
      );
    this.types = typesWith(vscode.OverviewRulerLane.Center, {});
    this.decidedTypes = typesWith(vscode.OverviewRulerLane.Left, { fontWeight: 'bold', border: '1px solid' });
    this.subscriptions = [
      this.changed,
      this.pending,
      ...this.types,
      ...this.decidedTypes,
      vscode.workspace.onDidChangeTextDocument(({ document, contentChanges }) => this.edited(document, contentChanges)),
      vscode.workspace.onDidCloseTextDocument((document) => this.clear(document)),
      vscode.window.onDidChangeVisibleTextEditors(() => this.byDocument.forEach((_, document) => this.paint(document))),
      vscode.window.onDidChangeActiveTextEditor(() => this.setContext()),
      session.onDidChangeModel(() => this.clear()),
      annotations.onDidChange(() => this.byDocument.forEach((_, document) => this.paint(document))),
    ];
  }

  of(document: vscode.TextDocument): readonly SelectionResult[] {
    return this.byDocument.get(document) ?? [];
  }

  /**
   * Predicts the passages and puts each answer at the end of its range. Earlier answers that overlap are replaced, the others stay.
   * Resolves when the answers stand, with the predictions in the passages' order.
   */
  async classify(document: vscode.TextDocument, passages: readonly Passage[], signal: AbortSignal): Promise<readonly Prediction[]> {
    const spans = this.show(document, passages);
    // edits while the answer is computed move the waiting results or remove them: they are followed by identity through `moved`
    const waiting = new Map<SelectionResult, number>(spans.map((span, index) => [span, index]));
    this.waiting.add(waiting);
    try {
      const predictions = await this.session.predict(
        passages.map(({ text }) => text),
        { signal },
      );
      this.put(
        document,
        this.of(document).map((result) => {
          const index = waiting.get(result);
          return index === undefined ? result : { ...result, prediction: predictions[index] };
        }),
      );
      return predictions;
    } catch (error) {
      this.put(
        document,
        this.of(document).filter((result) => !waiting.has(result)),
      );
      throw error;
    } finally {
      this.waiting.delete(waiting);
    }
  }

  /** Puts what is known about the passages at the end of their ranges, instead of earlier answers that overlap. */
  show(document: vscode.TextDocument, passages: readonly Passage[]): readonly SelectionResult[] {
    const spans = passages.map(({ range, text }) => ({ start: document.offsetAt(range.start), end: document.offsetAt(range.end), prediction: undefined, text }) satisfies SelectionResult);
    const others = this.of(document).filter((result) => !spans.some((span) => result.start < span.end && span.start < result.end));
    this.put(document, [...others, ...spans]);
    return spans;
  }

  /** Removes the answers in `document`, or everywhere. */
  clear(document?: vscode.TextDocument): void {
    for (const target of document ? [document] : [...this.byDocument.keys()]) if (this.byDocument.has(target)) this.put(target, []);
  }

  dispose(): void {
    this.byDocument.clear();
    vscode.Disposable.from(...this.subscriptions).dispose();
  }

  /** For each prediction under way: its results, by what they have become through edits, and their place among the passages. */
  private readonly waiting = new Set<Map<SelectionResult, number>>();

  private edited(document: vscode.TextDocument, changes: readonly vscode.TextDocumentContentChangeEvent[]): void {
    const before = this.byDocument.get(document);
    if (!before || changes.length === 0) return;
    const after: SelectionResult[] = [];
    for (const result of before) {
      let span: Span | undefined = result;
      // VS Code lists the changes so that each one's offsets hold when those before it in the list have been made
      for (const change of changes) span &&= moveSpan(span, { offset: change.rangeOffset, removed: change.rangeLength, inserted: change.text.length });
      if (!span) continue;
      const moved = { ...result, start: span.start, end: span.end };
      for (const waiting of this.waiting) {
        const index = waiting.get(result);
        if (index !== undefined) waiting.set(moved, index);
      }
      after.push(moved);
    }
    this.put(document, after);
  }

  private put(document: vscode.TextDocument, results: SelectionResult[]): void {
    if (results.length > 0) this.byDocument.set(document, results);
    else this.byDocument.delete(document);
    this.paint(document);
    this.setContext();
    this.changed.fire(document);
  }

  private paint(document: vscode.TextDocument): void {
    const results = this.of(document);
    const rangeOf = ({ start, end }: Span): vscode.Range => new vscode.Range(document.positionAt(start), document.positionAt(end));
    const byType = new Map<vscode.TextEditorDecorationType, vscode.DecorationOptions[]>([this.pending, ...this.types, ...this.decidedTypes].map((type) => [type, []]));
    for (const result of results) {
      const annotation = this.annotationOf(document, result);
      const { type, contentText } = this.lookOf(annotation);
      const hoverMessage = hoverOf(annotation, this.annotations.task?.definition.name, this.linksFor(document, result, annotation));
      byType.get(type)?.push({ range: rangeOf(result), hoverMessage, ...(contentText === undefined ? {} : { renderOptions: { after: { contentText } } }) });
    }
    for (const editor of vscode.window.visibleTextEditors) {
      if (editor.document === document) for (const [type, options] of byType) editor.setDecorations(type, options);
    }
  }

  private annotationOf(document: vscode.TextDocument, { text, prediction }: SelectionResult): Pick<TextAnnotation, 'decision' | 'guess'> {
    // a text of its own, wherever it stands: an edit of it removes the answer
    const { decision } = this.annotations.of(document, { text });
    return { ...(decision ? { decision } : {}), ...(prediction ? { guess: this.annotations.guessOf(prediction) } : {}) };
  }

  private linksFor(document: vscode.TextDocument, { start, end, text }: SelectionResult, annotation: Pick<TextAnnotation, 'decision' | 'guess'>): readonly HoverLink[] {
    if (!this.annotations.task) return [];
    // the text of a record is that of its text columns, and the record is what is decided on
    const isExact = document.getText(new vscode.Range(document.positionAt(start), document.positionAt(end))) === text;
    return linksOf(annotation, { uri: document.uri.toString(), start, end, example: this.annotations.idOf(text), ...(isExact ? { exact: true } : {}) });
  }

  private lookOf({ decision, guess }: Pick<TextAnnotation, 'decision' | 'guess'>): { readonly type: vscode.TextEditorDecorationType; readonly contentText?: string } {
    if (decision) return { type: this.decidedTypes[(decision.labels[0]?.style ?? 0) % STYLES] ?? this.pending, contentText: decisionTitle(decision) };
    return guess ? { type: this.types[styleOfGuess(guess) % STYLES] ?? this.pending, contentText: answerOf(guess) } : { type: this.pending };
  }

  private setContext(): void {
    const document = vscode.window.activeTextEditor?.document;
    void vscode.commands.executeCommand('setContext', contextKeys.hasResults, document !== undefined && this.byDocument.has(document));
  }
}
