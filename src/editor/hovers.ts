import * as vscode from 'vscode';
import { CancelledError } from '../core/errors';
import type { Session } from '../app/session';
import { annotatedSelector } from './documents';
import { hoverOf, linksOf } from './labelStyles';
import { documentText, type Passages } from './passages';
import { signalOf, type ErrorReporter } from './report';
import type { SelectionResults } from './selectionResults';
import type { Settings } from './settings';
import type { TaskAnnotations } from './taskAnnotations';

/** What was decided about the segment or record under the pointer, all labels of its guess, and what can be done. */
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
    this.registration = vscode.languages.registerHoverProvider(annotatedSelector, this);
  }

  async provideHover(document: vscode.TextDocument, position: vscode.Position, token: vscode.CancellationToken): Promise<vscode.Hover | undefined> {
    const { task } = this.annotations;
    if (this.settings.unit(document) === 'off' || this.settings.paused || (this.session.status.error && !task)) return undefined;
    // the answer at a selection brings its own hover, about a text of its own
    const offset = document.offsetAt(position);
    if (this.selections.of(document).some(({ start, end }) => start <= offset && offset <= end)) return undefined;
    try {
      const passage = this.passages.knownAt(document, position);
      if (!passage || token.isCancellationRequested) return undefined;
      const text = documentText(document, passage);
      let annotation = this.annotations.of(document, text);
      if (!annotation.guess && !this.session.status.error) {
        await this.session.predict([passage.text], { signal: signalOf(token) });
        annotation = this.annotations.of(document, text);
      }
      if (!annotation.guess && !annotation.decision && !annotation.labelable) return undefined;
      const links = annotation.labelable ? linksOf(annotation, { uri: document.uri.toString(), start: text.start, end: text.end, example: this.annotations.idOf(passage.text) }) : [];
      return new vscode.Hover(hoverOf(annotation, task?.definition.name, links), passage.range);
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
