import * as assert from 'node:assert';
import * as vscode from 'vscode';

interface Manifest {
  readonly contributes: { readonly commands: readonly { readonly command: string }[] };
}

describe('the extension in a real VS Code', () => {
  const extension = vscode.extensions.getExtension<unknown>('label-lens.label-lens');

  it('is there, in development mode, on the sample workspace', () => {
    assert.ok(extension, 'VS Code does not know label-lens.label-lens');
    assert.equal(vscode.workspace.workspaceFolders?.[0]?.name, 'sample-workspace');
  });

  it('activates and registers every command that its manifest promises', async () => {
    assert.ok(extension);
    await extension.activate();
    const registered = new Set(await vscode.commands.getCommands(true));
    const promised = (extension.packageJSON as Manifest).contributes.commands.map((item) => item.command);
    assert.ok(promised.length > 0);
    assert.deepEqual(
      promised.filter((command) => !registered.has(command)),
      [],
    );
  });
});
