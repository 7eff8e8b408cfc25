import * as assert from 'node:assert';
import * as vscode from 'vscode';
import type { TestingApi } from '../../../src/extension';
import { bundleFileNames } from '../../../src/core/model/bundle';
import { wordBundle } from '../../fixtures/wordModel';

/** Words that the test model knows. A text with more good than bad ones is positive. */
export const good = ['good', 'lovely', 'friendly', '很好'];
export const bad = ['bad', 'broken', 'rude', '失望'];

/** The sample workspace's copy in which the suite runs. */
export function workspaceFolder(): vscode.Uri {
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri;
  assert.ok(folder, 'the suite runs in a folder');
  return folder;
}

/** The extension's insides. */
export async function activated(): Promise<TestingApi> {
  const extension = vscode.extensions.getExtension<TestingApi>('label-lens.label-lens');
  assert.ok(extension);
  return await extension.activate();
}

/** Puts a model with known answers into the workspace and chooses it, so that no test depends on a trained one. */
export async function useWordModel(): Promise<TestingApi> {
  const api = await activated();
  const folder = vscode.Uri.joinPath(workspaceFolder(), '.label-lens', 'words', 'models', 'v1');
  const bundle = wordBundle({ name: 'words', version: 'v1', good, bad });
  for (const part of ['model', 'tokenizer', 'manifest'] as const) await vscode.workspace.fs.writeFile(vscode.Uri.joinPath(folder, bundleFileNames[part]), bundle[part]);
  if (api.settings.model !== 'words/v1') await api.settings.chooseModel('words/v1');
  if (api.settings.paused) await api.settings.setPaused(false);
  return api;
}

/** Writes a file of the workspace and shows it. */
export async function show(name: string, content: string | Uint8Array): Promise<vscode.TextEditor> {
  const uri = vscode.Uri.joinPath(workspaceFolder(), name);
  await vscode.workspace.fs.writeFile(uri, typeof content === 'string' ? new TextEncoder().encode(content) : content);
  return await vscode.window.showTextDocument(uri, { preview: false });
}

/** Resolves when `condition` gives something other than false, looking now and at each event; rejects when that takes longer than a person would wait. */
export async function when<T>(what: string, events: readonly vscode.Event<unknown>[], condition: () => T | undefined | false, patience = 20_000): Promise<T> {
  return await new Promise<T>((resolve, reject) => {
    const subscriptions = events.map((event) => event(look));
    const deadline = setTimeout(() => {
      done();
      reject(new Error(`Waited ${patience} ms in vain for: ${what}`));
    }, patience);
    function done(): void {
      clearTimeout(deadline);
      for (const subscription of subscriptions) subscription.dispose();
    }
    function look(): void {
      const value = condition();
      if (value === undefined || value === false) return;
      done();
      resolve(value);
    }
    look();
  });
}

/** The document's CodeLenses in order: those that come with a title, and the first `resolved` of the others, resolved as VS Code resolves what is on the screen. */
export async function lensesOf(document: vscode.TextDocument, resolved: number): Promise<{ readonly line: number; readonly title: string | undefined }[]> {
  const lenses = await vscode.commands.executeCommand<vscode.CodeLens[]>('vscode.executeCodeLensProvider', document.uri, resolved);
  return lenses.map(({ range, command }) => ({ line: range.start.line, title: command?.title })).sort((a, b) => a.line - b.line);
}

/** Closes all editors, without asking about changes. */
export async function closeAll(): Promise<void> {
  for (const editor of vscode.window.visibleTextEditors) {
    if (!editor.document.isDirty) continue;
    await vscode.window.showTextDocument(editor.document);
    await vscode.commands.executeCommand('workbench.action.files.revert');
  }
  await vscode.commands.executeCommand('workbench.action.closeAllEditors');
}
