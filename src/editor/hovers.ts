import * as vscode from 'vscode';
import { CancelledError } from '../core/errors';
import type { Session } from '../app/session';
import { annotatedSelector, kindOf } from './documents';
import { hoverOf } from './labelStyles';
import type { ProseSegments } from './prose';
import { signalOf, type ErrorReporter } from './report';
import type { RowAnnotations } from './rowAnnotations';
import type { Passage, SelectionResults } from './selectionResults';
import type { Settings } from './settings';

/** All labels of the annotated segment or record under the pointer. */
export class PredictionHovers implements vscode.HoverProvider, vscode.Disposable {
  private readonly registration: vscode.Disposable;

  constructor(
    private readonly session: Session,
    private readonly settings: Settings,
    private readonly segments: ProseSegments,
    private readonly rows: RowAnnotations,
    private readonly selections: SelectionResults,
    private readonly errors: ErrorReporter,
  ) {
    this.registration = vscode.languages.registerHoverProvider(annotatedSelector, this);
  }

  async provideHover(document: vscode.TextDocument, position: vscode.Position, token: vscode.CancellationToken): Promise<vscode.Hover | undefined> {
    const unit = this.settings.unit(document);
    if (unit === 'off' || this.settings.paused || this.session.status.error) return undefined;
    // the answer at a selection brings its own hover, about a text of its own
    const offset = document.offsetAt(position);
    if (this.selections.of(document).some(({ start, end }) => start <= offset && offset <= end)) return undefined;
    try {
      let passage: Passage | undefined;
      if (kindOf(document) === 'rows') passage = this.rows.knownPassageAt(document, position);
      else passage = this.segments.at(document, unit, position);
      if (!passage || token.isCancellationRequested) return undefined;
      const [prediction] = await this.session.predict([passage.text], { signal: signalOf(token) });
      return prediction && new vscode.Hover(hoverOf(prediction), passage.range);
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
