import * as vscode from 'vscode';
import { DocumentIndex, sniffDocument, type DocumentLines } from '../core/csv/documentIndex';
import { HumanError } from '../core/errors';
import type { DecisionSource } from '../core/labels/decision';
import type { LabelingTask } from '../app/labeling/labeling';

/** Characters of a document that are indexed at a time, in a few milliseconds. */
const STEP = 512 * 1024;

/** Shows an example where it stands in its file, beside the panel, and selects it. @throws HumanError when its file cannot be shown */
export async function revealExample(task: LabelingTask, id: string): Promise<void> {
  const source = task.example(id)?.sources[0];
  if (!source) throw new HumanError('panel.example', 'This text is no longer among those of the task. Its file may have changed.');
  const uri = vscode.Uri.joinPath(vscode.Uri.file(task.folder), source.file);
  let document: vscode.TextDocument;
  try {
    document = await vscode.workspace.openTextDocument(uri);
  } catch (error) {
    throw new HumanError('panel.reveal', '{0} cannot be shown in an editor: it is missing, packed or too large. Look for row {1} with another program.', [source.file, source.row ?? '–'], { cause: error });
  }
  const range = await rangeOf(document, source);
  const editor = await vscode.window.showTextDocument(document, { viewColumn: vscode.ViewColumn.Beside, preserveFocus: false });
  editor.selection = new vscode.Selection(range.start, range.end);
  editor.revealRange(range, vscode.TextEditorRevealType.InCenterIfOutsideViewport);
}

async function rangeOf(document: vscode.TextDocument, { row, start, end }: DecisionSource): Promise<vscode.Range> {
  if (row === undefined) return new vscode.Range(document.positionAt(start ?? 0), document.positionAt(end ?? start ?? 0));
  const lines: DocumentLines = {
    get lineCount() {
      return document.lineCount;
    },
    lineText: (line) => document.lineAt(line).text,
  };
  const name = document.uri.path.slice(document.uri.path.lastIndexOf('/') + 1);
  const index = new DocumentIndex(lines, name, sniffDocument(lines, name));
  // in slices, so that the window stays awake over a large table
  while (index.rowCount < row && !index.step(STEP)) await new Promise((resolve) => setTimeout(resolve, 0));
  if (index.rowCount < row) return new vscode.Range(document.lineCount - 1, 0, document.lineCount - 1, 0);
  const { startLine, endLine } = index.rowLines(row - 1);
  return new vscode.Range(new vscode.Position(startLine, 0), document.lineAt(Math.min(endLine, document.lineCount - 1)).range.end);
}
