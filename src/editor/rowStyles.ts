import * as vscode from 'vscode';
import { STYLES } from '../app/format';
import { styleOfGuess, type TextAnnotation } from '../app/labeling/textAnnotation';
import { colorOf, decisionText, titleOf } from './labelStyles';

/** What an annotation of a record says of it. */
export type RowMark = 'guess' | 'labeled' | 'skipped' | 'flagged' | 'stale';

export interface RowText {
  readonly text: string;
  readonly mark: RowMark;
  /** Which of the label styles it has, 0..7. */
  readonly style: number;
}

/** What stands in the row of a record; undefined if nothing is known of it yet. */
export function rowTextOf({ decision, guess }: TextAnnotation): RowText | undefined {
  if (decision) return { text: decisionText(decision), mark: decision.stale ? 'stale' : decision.status, style: (decision.labels[0]?.style ?? 0) % STYLES };
  return guess && { text: titleOf(guess), mark: 'guess', style: styleOfGuess(guess) % STYLES };
}

/**
 * How annotations of records look. A guess is plain text in its label's colour with a mark at the right of the overview ruler; a label that a person gave stands bold in a frame, with a mark
 * at the left; one whose text was edited since in a dashed frame in the colour of warnings.
 */
export class RowStyles implements vscode.Disposable {
  private readonly guesses = styled((color) => decoration(color, vscode.OverviewRulerLane.Right, {}));
  private readonly labels = styled((color) => decoration(color, vscode.OverviewRulerLane.Left, { fontWeight: 'bold', border: '1px solid' }));
  private readonly stale = decoration(new vscode.ThemeColor('editorWarning.foreground'), vscode.OverviewRulerLane.Center, { border: '1px dashed' });
  private readonly skipped = decoration(new vscode.ThemeColor('descriptionForeground'), vscode.OverviewRulerLane.Left, { fontStyle: 'italic' });
  private readonly flagged = decoration(new vscode.ThemeColor('editorWarning.foreground'), vscode.OverviewRulerLane.Left, { fontWeight: 'bold' });
  /** Keeps the place of annotations at the start of rows that have none yet, so that the text does not jump when they come. */
  private readonly placeholder = vscode.window.createTextEditorDecorationType({ rangeBehavior: vscode.DecorationRangeBehavior.ClosedClosed });

  of(row: RowText | undefined): vscode.TextEditorDecorationType {
    if (!row) return this.placeholder;
    switch (row.mark) {
      case 'guess':
      case 'labeled':
        return (row.mark === 'guess' ? this.guesses : this.labels)[row.style] ?? this.placeholder;
      case 'stale':
      case 'skipped':
      case 'flagged':
        return this[row.mark];
    }
  }

  dispose(): void {
    vscode.Disposable.from(...this.guesses, ...this.labels, this.stale, this.skipped, this.flagged, this.placeholder).dispose();
  }
}

function styled(create: (color: vscode.ThemeColor) => vscode.TextEditorDecorationType): readonly vscode.TextEditorDecorationType[] {
  return Array.from({ length: STYLES }, (_, style) => create(colorOf(style)));
}

function decoration(color: vscode.ThemeColor, overviewRulerLane: vscode.OverviewRulerLane, after: vscode.ThemableDecorationAttachmentRenderOptions): vscode.TextEditorDecorationType {
  return vscode.window.createTextEditorDecorationType({ rangeBehavior: vscode.DecorationRangeBehavior.ClosedClosed, overviewRulerColor: color, overviewRulerLane, after: { ...after, color } });
}
