import * as vscode from 'vscode';
import type { Workbench } from './workbench';

/** Opens a table to try things on, in the language of the window. It is a copy in VS Code's own storage, which may be changed and labelled; what was made of an earlier copy stays. */
export async function openSample({ ownFolder, extensionUri }: Workbench): Promise<void> {
  const name = vscode.env.language.toLowerCase().startsWith('zh') ? 'reviews-zh.csv' : 'reviews-en.csv';
  const copy = vscode.Uri.joinPath(vscode.Uri.file(ownFolder), 'sample', name);
  const isThere = await vscode.workspace.fs.stat(copy).then(
    () => true,
    () => false,
  );
  if (!isThere) await vscode.workspace.fs.copy(vscode.Uri.joinPath(extensionUri, 'media', 'sample-workspace', name), copy);
  await vscode.window.showTextDocument(copy, { preview: false });
}
