import * as vscode from 'vscode';
import { CancelledError } from '../core/errors';
import type { ShownGuess, TextAnnotation } from '../app/labeling/textAnnotation';
import type { Session } from '../app/session';
import { annotatedSelector } from './documents';
import { hoverOf, linksOf, wordsHover } from './labelStyles';
import { documentText, type Passages } from './passages';
import { signalOf, type ErrorReporter } from './report';
import type { Passage, SelectionResults } from './selectionResults';
import type { Settings } from './settings';
import type { DocumentText, TaskAnnotations } from './taskAnnotations';

/** A segment or record under the pointer, with what stands beside it. */
interface Hovered {
  readonly passage: Passage;
  readonly text: DocumentText & { readonly start: number; readonly end: number };
  readonly annotation: TextAnnotation;
}

/**
 * What was decided about the segment or record under the pointer, all labels of its guess, and what can be done. The words that decided follow in a hover of their own, as they take a moment longer:
 * VS Code shows each as it comes, one below the other.
 */
export class PredictionHovers implements vscode.HoverProvider, vscode.Disposable {
  private readonly registration: vscode.Disposable;

  constructor(
    private readonly session: Session,
    private readonly settings: Settings,
    private readonly annotations: TaskAnnotations,
    private readonly passages: Passages,
    private readonly selections: SelectionResults,
    private readonly errors: ErrorReporter,
  ) {
    this.registration = vscode.Disposable.from(
      // of two for the same documents, VS Code puts the one that came last on top
      vscode.languages.registerHoverProvider(annotatedSelector, { provideHover: (document, position, token) => this.provideWords(document, position, token) }),
      vscode.languages.registerHoverProvider(annotatedSelector, this),
    );
  }

  async provideHover(document: vscode.TextDocument, position: vscode.Position, token: vscode.CancellationToken): Promise<vscode.Hover | undefined> {
    return await this.attempt(async () => {
      const hovered = await this.hovered(document, position, token);
      if (!hovered) return undefined;
      const { passage, text, annotation } = hovered;
      if (!annotation.guess && !annotation.decision && !annotation.labelable) return undefined;
      const links = annotation.labelable ? linksOf(annotation, { uri: document.uri.toString(), start: text.start, end: text.end, example: this.annotations.idOf(passage.text) }) : [];
      return new vscode.Hover(hoverOf(annotation, this.annotations.task?.definition.name, links), passage.range);
    });
  }

  private async provideWords(document: vscode.TextDocument, position: vscode.Position, token: vscode.CancellationToken): Promise<vscode.Hover | undefined> {
    return await this.attempt(async () => {
      const hovered = await this.hovered(document, position, token);
      const guess = hovered?.annotation.guess;
      if (!hovered || !guess || token.isCancellationRequested) return undefined;
      const words = await this.wordsOf(hovered.passage.text, guess, signalOf(token));
      return words && new vscode.Hover(words, hovered.passage.range);
    });
  }

  /** The words that decided on a guess: the task's own, or that of the model in use. */
  private async wordsOf(text: string, guess: ShownGuess, signal: AbortSignal): Promise<vscode.MarkdownString | undefined> {
    if (guess.model !== undefined) return wordsHover(guess, text, await this.session.explain(text, signal));
    const { task } = this.annotations;
    const example = task?.example(this.annotations.idOf(text));
    return task && example && wordsHover(guess, example.text, await task.explain(example.id, signal));
  }

  private async hovered(document: vscode.TextDocument, position: vscode.Position, token: vscode.CancellationToken): Promise<Hovered | undefined> {
    const { task } = this.annotations;
    if (this.settings.unit(document) === 'off' || this.settings.paused || (this.session.status.error && !task)) return undefined;
    // the answer at a selection brings its own hover, about a text of its own
    const offset = document.offsetAt(position);
    if (this.selections.of(document).some(({ start, end }) => start <= offset && offset <= end)) return undefined;
    const passage = this.passages.knownAt(document, position);
    if (!passage || token.isCancellationRequested) return undefined;
    const text = documentText(document, passage);
    let annotation = this.annotations.of(document, text);
    if (!annotation.guess && !this.session.status.error) {
      await this.session.predict([passage.text], { signal: signalOf(token) });
      annotation = this.annotations.of(document, text);
    }
    return { passage, text, annotation };
  }

  private async attempt<T>(work: () => Promise<T | undefined>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      // the status bar tells of a model that fails
      if (!(error instanceof CancelledError) && this.session.status.error !== error) this.errors.note(error);
      return undefined;
    }
  }

  dispose(): void {
    this.registration.dispose();
  }
}
