import * as vscode from 'vscode';
import { DocumentIndex, sniffDocument, type DocumentLines } from '../core/csv/documentIndex';
import { HumanError } from '../core/errors';
import type { LabelingTask } from '../app/labeling/labeling';

/** Characters of a document that are indexed at a time, in a few milliseconds. */
const STEP = 512 * 1024;

/** Shows an example where it stands in its file, beside the panel, and selects it. @throws HumanError when its file cannot be shown */
export async function revealExample(task: LabelingTask, id: string): Promise<void> {
  const source = task.example(id)?.sources[0];
  if (!source) throw new HumanError('panel.example', 'This text is no longer among those of the task. Its file may have changed.');
  const uri = vscode.Uri.joinPath(vscode.Uri.file(task.folder), source.file);
  await revealPart(uri, source.file, source.row, (document) => (source.row === undefined ? new vscode.Range(document.positionAt(source.start ?? 0), document.positionAt(source.end ?? source.start ?? 0)) : rowRange(document, source.row)));
}

/** The same for a row of a table, counted from 1. @param name the table, as a person knows it */
export async function revealRow(uri: vscode.Uri, name: string, row: number): Promise<void> {
  await revealPart(uri, name, row, (document) => rowRange(document, row));
}

async function revealPart(uri: vscode.Uri, name: string, row: number | undefined, rangeOf: (document: vscode.TextDocument) => vscode.Range | Promise<vscode.Range>): Promise<void> {
  let document: vscode.TextDocument;
  try {
    document = await vscode.workspace.openTextDocument(uri);
  } catch (error) {
    throw new HumanError('panel.reveal', '{0} cannot be shown in an editor: it is missing, packed or too large. Look for row {1} with another program.', [name, row ?? '–'], { cause: error });
  }
  const range = await rangeOf(document);
  const editor = await vscode.window.showTextDocument(document, { viewColumn: vscode.ViewColumn.Beside, preserveFocus: false });
  editor.selection = new vscode.Selection(range.start, range.end);
  editor.revealRange(range, vscode.TextEditorRevealType.InCenterIfOutsideViewport);
}

async function rowRange(document: vscode.TextDocument, row: number): Promise<vscode.Range> {
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
