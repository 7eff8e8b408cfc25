import * as vscode from 'vscode';
import { recordBatches, RecordReader } from '../core/csv/reader';
import type { TextRecord } from '../core/csv/record';
import { signalOf } from '../editor/report';
import type { Files } from './workbench';

/** Column names of a file and the values of its first rows. */
export interface TableSample {
  readonly names: readonly string[];
  /** In the order of the names. */
  readonly rows: readonly (readonly string[])[];
}

export async function sampleTable(source: vscode.Uri, files: Files, rows: number): Promise<TableSample> {
  const input = await files.openInput(source.fsPath);
  const reader = new RecordReader(nameOf(source));
  const found: TextRecord[] = [];
  for await (const records of recordBatches(reader, input.chunks)) {
    found.push(...records.filter(({ kind }) => kind === 'row').slice(0, rows - found.length));
    if (found.length >= rows) break;
  }
  const names = [...reader.columns];
  return { names, rows: found.map((record) => names.map((_, column) => record.value(column) ?? '')) };
}

/** Some values of a column that are not empty. */
export function valuesOf({ rows }: TableSample, column: number): string[] {
  return rows.flatMap((values) => (values[column]?.trim() ? [values[column]] : []));
}

/**
 * What is worked on is the file on disk: a document with changes is saved first, if its owner agrees.
 *
 * @param question says that it has changes, and what is done to the file on disk
 * @param save the button that saves and goes on
 */
export async function isSaved(source: vscode.Uri, question: string, save: string): Promise<boolean> {
  const document = vscode.workspace.textDocuments.find(({ uri }) => uri.toString() === source.toString());
  if (!document?.isDirty) return true;
  const answer = await vscode.window.showWarningMessage(question, { modal: true }, save);
  return answer === save && (await document.save());
}

export function nameOf(uri: vscode.Uri): string {
  return uri.path.slice(uri.path.lastIndexOf('/') + 1);
}

/** Raised with either of them. */
export function either(token: vscode.CancellationToken, other: vscode.CancellationToken | undefined): AbortSignal {
  return other ? AbortSignal.any([signalOf(token), signalOf(other)]) : signalOf(token);
}

/** Where a model that is trained on a file is stored: in its workspace folder, else in the first one, else in VS Code's own storage. */
export function placeOf(ownFolder: string, source: vscode.Uri): { readonly folder: string; readonly isOwn: boolean } {
  const folder = folderOf(source) ?? foldersOnDisk()[0];
  return folder ? { folder: folder.uri.fsPath, isOwn: false } : { folder: ownFolder, isOwn: true };
}

/** The workspace folder in which a file of this machine's disk lies. */
export function folderOf(source: vscode.Uri): vscode.WorkspaceFolder | undefined {
  const holding = vscode.workspace.getWorkspaceFolder(source);
  return foldersOnDisk().find(({ uri }) => uri.toString() === holding?.uri.toString());
}

function foldersOnDisk(): readonly vscode.WorkspaceFolder[] {
  return (vscode.workspace.workspaceFolders ?? []).filter(({ uri }) => uri.scheme === 'file');
}
