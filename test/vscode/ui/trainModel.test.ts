import * as assert from 'node:assert';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { openVsCode, type VsCodeWindow } from '../ui';

const words = { glad: ['wonderful', '很好', 'excellent'], sad: ['awful', '难吃', 'boring'] };
const table = (rows: number): string =>
  ['id,review,mood', ...Array.from({ length: rows }, (_, row) => `${row},"The room, ${words[row % 2 ? 'glad' : 'sad'][row % 3]}, we saw on day ${row}",${row % 2 ? 'glad' : 'sad'}`), ''].join('\n');

describe('training a model on the screen', () => {
  let scratch: string;
  let window: VsCodeWindow;

  before(async () => {
    scratch = mkdtempSync(path.join(tmpdir(), 'label-lens-ui-'));
    const workspace = path.join(scratch, 'hotel');
    mkdirSync(workspace);
    writeFileSync(path.join(workspace, 'moods.csv'), table(4000));
    window = await openVsCode({ workspace: path.relative('.', workspace), file: 'moods.csv' });
    // commands are there when the extension is
    await window.waitForLineAnnotation(/(posi|nega)tive \d\d %/);
  });
  after(async () => {
    await window.close();
    rmSync(scratch, { recursive: true, force: true });
  });

  /** Answers the three questions with what they propose. */
  const begin = async (pictures: boolean): Promise<void> => {
    await window.runCommand('Label Lens: Train Model');
    for (const [step, proposed] of [
      ['labels', 'mood'],
      ['texts', 'review'],
      ['base', 'From scratch'],
    ] as const) {
      const first = window.quickPick().filter({ hasText: proposed }).first();
      await first.waitFor();
      await window.page.locator('.quick-input-title', { hasText: `Train Model (${{ labels: 1, texts: 2, base: 3 }[step]}/3)` }).waitFor();
      if (step !== 'texts') assert.match((await window.quickPick().first().textContent()) ?? '', new RegExp(proposed));
      if (pictures) await window.screenshot(`train-${step}`);
      await window.page.keyboard.press('Enter');
    }
  };

  it('asks three questions that Enter answers, and shows how far it is', async () => {
    await begin(true);
    await window.notification(/Training moods: epoch \d+ of 10, loss [\d.]+, [\d,]+ examples\/s, \d+ s left/).waitFor();
    await window.statusBarItem(/Training moods: \d+ %/).waitFor();
    await window.screenshot('train-progress');
  });

  it('is stopped by the button of the notification, and goes on when it is asked for again', async () => {
    // an epoch's end leaves a checkpoint
    await window.notification(/Training moods: epoch [2-9] of 10/).waitFor();
    const running = window.notification(/Training moods/);
    await running.hover();
    await running.getByRole('button', { name: 'Cancel' }).first().click();
    await window.notification(/was stopped\. Train again with the same choices/).waitFor();
    await begin(false);
    await window.notification(/An earlier training of moods with the same choices goes on after \d+ epochs/).waitFor();
  });

  it('says how good the model is, and puts it to work', async () => {
    const result = window.notification(/moods v1: [\d.]+ % of 400 held-out rows right/);
    await result.waitFor();
    await window.screenshot('train-result');
    assert.ok(existsSync(path.join(window.folder, '.label-lens', 'moods', 'models', 'v1', 'model.json')));
    await result.getByText('Use This Model').click();
    await window.waitForLineAnnotation(/glad \d\d %/);
    await window.statusBarItem('moods/v1').waitFor();
    await window.screenshot('train-used');
  });
});
