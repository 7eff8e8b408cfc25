import * as vscode from 'vscode';
import { HumanError } from '../core/errors';
import { kindOf } from '../editor/documents';
import { answerOf } from '../editor/labelStyles';
import { signalOf } from '../editor/report';
import type { Passage } from '../editor/selectionResults';
import type { Workbench } from './workbench';

/**
 * Puts an answer at each selection; an empty one stands for the segment or record at the cursor.
 */
export async function classifySelection({ session, settings, segments, rows, selections }: Workbench): Promise<void> {
  const editor = vscode.window.activeTextEditor;
  if (!editor) throw new HumanError('selection.editor', 'There is no text editor in front. Open a document and select some text.');
  const { document } = editor;
  const passages: Passage[] = [];
  for (const selection of editor.selections) {
    const passage = selection.isEmpty ? await passageAt(selection.active) : passageOf(selection);
    // two cursors in one paragraph ask the same question
    if (passage && !passages.some(({ range }) => range.isEqual(passage.range))) passages.push(passage);
  }
  if (passages.length === 0) throw new HumanError('selection.empty', 'There is no text at the cursor. Select some text, or put the cursor into a paragraph.');
  session.retryIfFailed();
  const predictions = await vscode.window.withProgress({ location: vscode.ProgressLocation.Window, title: vscode.l10n.t('Classifying…') }, (_, token) =>
    selections.classify(document, passages, signalOf(token)),
  );
  // decorations are silent: the status bar's message reaches a screen reader
  if (predictions.length === 1) vscode.window.setStatusBarMessage(answerOf(predictions[0]!), 5000);

  async function passageAt(position: vscode.Position): Promise<Passage | undefined> {
    if (kindOf(document) === 'rows') return await rows.passageAt(document, position);
    const unit = settings.unit(document);
    return segments.meantAt(document, unit === 'off' ? 'paragraph' : unit, position);
  }

  /** The selection without white space at its edges, so that the answer stands right after the text. */
  function passageOf(selection: vscode.Selection): Passage | undefined {
    const text = document.getText(selection);
    const trimmed = text.trim();
    if (trimmed === '') return undefined;
    const start = document.offsetAt(selection.start) + text.indexOf(trimmed);
    return { text: trimmed, range: new vscode.Range(document.positionAt(start), document.positionAt(start + trimmed.length)) };
  }
}
