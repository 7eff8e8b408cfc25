import * as vscode from 'vscode';
import { HumanError } from '../core/errors';
import { answerOf } from '../editor/labelStyles';
import { trimmedPassage, type Passages } from '../editor/passages';
import { signalOf } from '../editor/report';
import type { Passage } from '../editor/selectionResults';
import type { Workbench } from './workbench';

/**
 * Puts an answer at each selection; an empty one stands for the segment or record at the cursor.
 */
export async function classifySelection({ session, passages, selections, annotations }: Workbench): Promise<void> {
  const editor = vscode.window.activeTextEditor;
  if (!editor) throw new HumanError('selection.editor', 'There is no text editor in front. Open a document and select some text.');
  const selected = await selectedPassages(editor, passages);
  session.retryIfFailed();
  const predictions = await vscode.window.withProgress({ location: vscode.ProgressLocation.Window, title: vscode.l10n.t('Classifying…') }, (_, token) =>
    selections.classify(editor.document, selected, signalOf(token)),
  );
  // decorations are silent: the status bar's message reaches a screen reader
  const [only] = predictions;
  if (only && predictions.length === 1) vscode.window.setStatusBarMessage(answerOf(annotations.guessOf(only)), 5000);
}

/**
 * The texts that are selected, each as it is; for an empty selection the segment or record at the cursor.
 *
 * @throws HumanError when there is none
 */
export async function selectedPassages({ document, selections }: vscode.TextEditor, passages: Passages): Promise<readonly Passage[]> {
  const found: Passage[] = [];
  for (const selection of selections) {
    const passage = selection.isEmpty ? await passages.meantAt(document, selection.active) : trimmedPassage(document, selection);
    // two cursors in one paragraph ask the same question
    if (passage && !found.some(({ range }) => range.isEqual(passage.range))) found.push(passage);
  }
  if (found.length === 0) throw new HumanError('selection.empty', 'There is no text at the cursor. Select some text, or put the cursor into a paragraph.');
  return found;
}
