import * as vscode from 'vscode';
import { HumanError } from '../core/errors';
import { selectedPassages } from './classifySelection';
import { decideOn, offerTask } from './decide';
import { askLabel } from './labelAs';
import type { Workbench } from './workbench';

/** Labels the selected text as an example of its own, also where it is in none of the task's sources; without a selection the segment or record at the cursor. */
export async function labelSelection(workbench: Workbench): Promise<void> {
  const { annotations, selections } = workbench;
  const { task } = annotations;
  if (!task) return await offerTask();
  const editor = vscode.window.activeTextEditor;
  if (!editor) throw new HumanError('selection.editor', 'There is no text editor in front. Open a document and select some text.');
  const { document } = editor;
  const passages = await selectedPassages(editor, workbench.passages);
  const value = await askLabel(workbench, task, { document, passages });
  if (value === undefined) return;
  await decideOn(workbench, document, passages, { status: 'labeled', value, origin: 'editor' });
  // a segment or record shows its label itself
  if (!editor.selection.isEmpty) selections.show(document, passages);
}
