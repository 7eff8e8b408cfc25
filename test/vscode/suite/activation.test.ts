import * as assert from 'node:assert';
import * as vscode from 'vscode';
import { activated, closeAll, show, useWordModel, when, workspaceFolder } from './support';

// The file's name sorts before the others': it sees the extension before anything has been classified.
describe('activation', () => {
  after(closeAll);

  it('does no model work', async () => {
    const api = await activated();
    assert.strictEqual(api.session.status.model, undefined);
    assert.strictEqual(api.session.status.loading, false);
  });

  it('is followed by CodeLenses, and prints how soon: the bars are 2 s for the first and 300 ms for later ones, on an idle machine', async () => {
    const shipped = vscode.Uri.joinPath(vscode.extensions.getExtension('label-lens.label-lens')!.extensionUri, 'models', 'sentiment', 'model.onnx');
    const hasShipped = await vscode.workspace.fs.stat(shipped).then(
      () => true,
      () => false,
    );
    // the model that people get is the one to be timed; a checkout in which it was not built yet has the small one
    const api = hasShipped ? await activated() : await useWordModel();
    const times: number[] = [];
    for (const name of ['first.txt', 'second.txt', 'third.txt', 'fourth.txt']) {
      const uri = await write(name, `The ${name} was lovely, and people were friendly.\n\nThe chair of ${name} is broken.\n`);
      let answered = NaN;
      const subscription = api.lenses.onDidResolve((document) => {
        if (document.uri.toString() === uri.toString() && Number.isNaN(answered)) answered = performance.now();
      });
      const shown = await showTimed(uri);
      await when(`a CodeLens in ${name}`, [api.lenses.onDidResolve], () => (Number.isNaN(answered) ? undefined : true));
      subscription.dispose();
      times.push(Math.max(0, answered - shown));
    }
    const idle = await idleProviderTime();
    const [first, ...later] = times as [number, number, number, number];
    console.log(
      `test│ first CodeLens with ${hasShipped ? 'the shipped model' : 'the test model'}: ${first.toFixed(0)} ms after the document is shown; later ones: ${later.map((time) => time.toFixed(0)).join(', ')} ms; ` +
        `a provider that answers at once is asked after ${idle.toFixed(0)} ms (VS Code waits 250 ms before it asks anybody)`,
    );
    assert.ok(times.every((time) => Number.isFinite(time)));
  });

  async function write(name: string, content: string): Promise<vscode.Uri> {
    const uri = vscode.Uri.joinPath(workspaceFolder(), name);
    await vscode.workspace.fs.writeFile(uri, new TextEncoder().encode(content));
    return uri;
  }

  /** When the document stood on the screen. */
  async function showTimed(uri: vscode.Uri): Promise<number> {
    await vscode.window.showTextDocument(uri, { preview: false });
    return performance.now();
  }

  /** Milliseconds until VS Code asks a provider of CodeLenses that has nothing to do. */
  async function idleProviderTime(): Promise<number> {
    const times: number[] = [];
    for (const name of ['idle1.json', 'idle2.json', 'idle3.json']) {
      const uri = await write(name, '{}\n');
      const asked = new vscode.EventEmitter<void>();
      let at = NaN;
      const provider = vscode.languages.registerCodeLensProvider(
        { pattern: `**/${name}` },
        {
          provideCodeLenses: () => {
            if (Number.isNaN(at)) at = performance.now();
            asked.fire();
            return [];
          },
        },
      );
      const shown = await showTimed(uri);
      await when(`the question to the provider of ${name}`, [asked.event], () => (Number.isNaN(at) ? undefined : true));
      provider.dispose();
      times.push(Math.max(0, at - shown));
    }
    return median(times);
  }

  function median(values: readonly number[]): number {
    return [...values].sort((a, b) => a - b)[values.length >> 1]!;
  }

  it('happens for a plain text file by itself', async () => {
    await show('plain.txt', 'A lovely day.\n');
    assert.ok(vscode.extensions.getExtension('label-lens.label-lens')!.isActive);
  });
});
