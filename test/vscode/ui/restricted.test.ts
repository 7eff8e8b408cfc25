import * as assert from 'node:assert';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { bundleFileNames } from '../../../src/core/model/bundle';
import { wordBundle } from '../../fixtures/wordModel';
import { openVsCode, type VsCodeWindow } from '../ui';

describe('in a folder that nobody trusts', () => {
  let scratch: string;
  let window: VsCodeWindow;

  before(async () => {
    scratch = mkdtempSync(path.join(tmpdir(), 'label-lens-ui-'));
    const model = path.join(scratch, 'words');
    const workspace = path.join(scratch, 'foreign');
    mkdirSync(model);
    mkdirSync(path.join(workspace, '.vscode'), { recursive: true });
    const bundle = wordBundle({ name: 'words', version: 'v1', good: ['lovely'], bad: ['broken'] });
    for (const part of ['manifest', 'tokenizer', 'model'] as const) writeFileSync(path.join(model, bundleFileNames[part]), bundle[part]);
    writeFileSync(path.join(workspace, 'visit.txt'), 'A lovely day.\n');
    // the folder would like its own model to be loaded
    writeFileSync(path.join(workspace, '.vscode', 'settings.json'), JSON.stringify({ 'labelLens.model': path.join(workspace, 'evil') }));
    window = await openVsCode({ workspace: path.relative('.', workspace), file: 'visit.txt', trusted: false, settings: { 'labelLens.model': model, 'security.workspace.trust.startupPrompt': 'never' } });
  });
  after(async () => {
    await window.close();
    rmSync(scratch, { recursive: true, force: true });
  });

  it('the model of the person’s own settings answers, not the one that the folder names', async () => {
    await window.waitForCodeLens(/positive \d\d %/);
    await window.statusBarItem('words v1').waitFor();
    await window.screenshot('restricted');
  });

  it('no training is offered, as its model would lie in the folder', async () => {
    await window.statusBarItem('words v1').click();
    await window.quickPick().filter({ hasText: 'Classify File' }).waitFor();
    assert.strictEqual(await window.quickPick().filter({ hasText: 'Train Model' }).count(), 0);
    await window.page.keyboard.press('Escape');
  });
});
