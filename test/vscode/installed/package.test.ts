import * as assert from 'node:assert';
import { readdirSync, readFileSync } from 'node:fs';
import * as path from 'node:path';
import * as vscode from 'vscode';

/** The checkout, seen from the bundled test in build/test/installed/. */
const checkout = path.resolve(__dirname, '..', '..', '..');

describe('label-lens.vsix, installed into a real VS Code', () => {
  const extension = vscode.extensions.getExtension<unknown>('label-lens.label-lens');

  it('runs from the folder of installed extensions, not from the checkout', () => {
    assert.ok(extension, 'VS Code does not know label-lens.label-lens');
    assert.ok(!extension.extensionPath.startsWith(checkout), `it runs from ${extension.extensionPath}`);
    assert.equal(path.basename(path.dirname(extension.extensionPath)), 'extensions');
  });

  it('brings no source, test, source map or node_modules along', () => {
    assert.ok(extension);
    const files = readdirSync(extension.extensionPath, { recursive: true, encoding: 'utf8' });
    assert.ok(files.includes(path.join('dist', 'extension.js')));
    const strange = files.filter((file) => /\.map$|(^|[\\/])(node_modules|src|test|scripts|build|\.label-lens)([\\/]|$)|(?<!\.d)\.ts$/.test(file));
    assert.deepEqual(strange, []);
    for (const file of files.filter((name) => /^dist[\\/].*\.js$/.test(name)))
      assert.ok(!readFileSync(path.join(extension.extensionPath, file), 'utf8').includes('sourceMappingURL=data:'), `${file} carries a source map`);
  });

  it('classifies a document: every paragraph has a CodeLens with its label and how sure the model is', async () => {
    const folder = vscode.workspace.workspaceFolders?.[0]?.uri;
    assert.ok(folder);
    const document = await vscode.workspace.openTextDocument(vscode.Uri.joinPath(folder, 'notes.txt'));
    await vscode.window.showTextDocument(document);
    await extension?.activate();
    const titles = await codeLensTitles(document.uri);
    assert.ok(titles.length >= 7, `${titles.length} CodeLenses for 7 paragraphs: ${titles.join(' | ')}`);
    assert.ok(titles.some((title) => /positive\D*\d+\s?%/.test(title)), titles.join(' | '));
    assert.ok(titles.some((title) => /negative\D*\d+\s?%/.test(title)), titles.join(' | '));
  });

  it('runs a command on a selection', async () => {
    const editor = vscode.window.activeTextEditor;
    assert.ok(editor);
    editor.selection = new vscode.Selection(0, 0, 0, editor.document.lineAt(0).text.length);
    await vscode.commands.executeCommand('labelLens.classifySelection');
  });
});

/** The titles of a document's CodeLenses, resolved as VS Code resolves those on screen. */
async function codeLensTitles(uri: vscode.Uri): Promise<string[]> {
  const lenses = await vscode.commands.executeCommand<vscode.CodeLens[]>('vscode.executeCodeLensProvider', uri, 100);
  return lenses.flatMap((lens) => (lens.command === undefined ? [] : [lens.command.title]));
}
