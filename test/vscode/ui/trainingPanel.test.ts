import * as assert from 'node:assert';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { openVsCode, type VsCodeWindow } from '../ui';

const words = { glad: ['wonderful', '很好', 'excellent'], sad: ['awful', '难吃', 'boring'] };
// one row in twenty has the wrong label, so that there are mistakes to look at
const moodOf = (row: number): 'glad' | 'sad' => ((row % 2 === 0) === (row % 20 === 7) ? 'glad' : 'sad');
const lines = Array.from({ length: 1200 }, (_, row) => `"The room, ${words[row % 2 ? 'glad' : 'sad'][row % 3]}, we saw on day ${row}",${moodOf(row)},${row % 2 ? 4 : 1}`);

describe('the training panel on the screen', () => {
  let scratch: string;
  let window: VsCodeWindow;

  before(async () => {
    scratch = mkdtempSync(path.join(tmpdir(), 'label-lens-ui-'));
    const workspace = path.join(scratch, 'hotel');
    mkdirSync(workspace);
    writeFileSync(path.join(workspace, 'moods.csv'), `review,mood,stars\n${lines.join('\n')}\n`);
    window = await openVsCode({ workspace: path.relative('.', workspace), file: 'moods.csv' });
    await window.waitForLineAnnotation(/(posi|nega)tive \d\d %/);
  });
  after(async () => {
    await window.close();
    rmSync(scratch, { recursive: true, force: true });
  });

  const saved = (name: string): string => path.join(window.folder, name);

  it('takes the table of the editor, and writes training, validation and test data of it', async () => {
    await window.runCommand('Label Lens: Open Training Panel');
    const panel = window.webview();
    await panel.locator('.label-counts').waitFor();
    await panel.getByLabel('Label column').selectOption('mood');
    await panel.locator('.label-counts', { hasText: 'glad' }).waitFor();
    await window.screenshot('training-data');
    await panel.getByText('Prepare').first().click();
    await panel.getByRole('button', { name: 'Write Files' }).click();
    await panel.getByText('moods-train.csv').first().waitFor();
    await window.screenshot('training-prepared');
    const parts = ['train', 'valid', 'test'].map((part) => readFileSync(saved(`moods-${part}.csv`), 'utf8').trimEnd().split(/\r?\n/).length - 1);
    assert.strictEqual(parts.reduce((sum, rows) => sum + rows, 0), 1200);
  });

  it('trains a preset with hyperparameters of one’s own, and its report leads to the rows', async () => {
    const panel = window.webview();
    await panel.getByRole('tab', { name: 'Model' }).click();
    await panel.getByText('keras-lstm').first().click();
    await panel.getByLabel('Epochs', { exact: true }).fill('2');
    await window.screenshot('training-model');
    await panel.getByRole('tab', { name: 'Train' }).click();
    await panel.getByRole('button', { name: 'Start Training' }).click();
    await panel.getByText(/moods v1: [\d.]+ % of 120 held-out rows right/).first().waitFor();
    await panel.getByText('Confusion matrix').first().waitFor();
    await window.screenshot('training-report');
    await panel.getByRole('button', { name: 'Save Report…' }).click();
    await panel.getByRole('button', { name: 'Open report.html' }).waitFor();
    assert.ok(existsSync(saved('.label-lens/moods/models/v1/report.html')));
    await panel.getByRole('button', { name: /Go to row \d+ of moods\.csv/ }).first().click();
    await window.page.locator('.tab.active', { hasText: 'moods.csv' }).waitFor();
    await window.screenshot('training-mistake');
  });

  it('trains on the training part with the validation part held out, whose rows the report leads to', async () => {
    await window.runCommand('Label Lens: Open Training Panel');
    const panel = window.webview();
    await panel.getByRole('tab', { name: 'Data' }).click();
    await panel.getByRole('button', { name: 'Train on This' }).first().click();
    await panel.getByRole('button', { name: 'Hold Out This' }).click();
    await panel.getByText('moods-valid.csv').first().waitFor();
    await window.screenshot('training-held-out');
    await panel.getByRole('tab', { name: 'Train' }).click();
    await panel.getByRole('button', { name: 'Start Training' }).click();
    await panel.getByText(/moods-train v1: [\d.]+ % of 120 held-out rows right/).first().waitFor();
    await panel.getByRole('button', { name: /Go to row \d+ of moods-valid\.csv/ }).first().click();
    await window.page.locator('.tab.active', { hasText: 'moods-valid.csv' }).waitFor();
  });

  it('starts from word vectors of a file that is chosen in a dialog, and says what they cover', async () => {
    writeFileSync(saved('tiny.vec'), '4 3\nwonderful 1 0 0\nawful 0 1 0\nboring 0 1 1\nnowhere 0 0 1\n');
    await window.runCommand('Label Lens: Open Training Panel');
    const panel = window.webview();
    await panel.getByRole('tab', { name: 'Model' }).click();
    await panel.locator('#choose-vectors').click();
    await window.chooseFile('tiny.vec');
    await panel.getByText('tiny.vec').first().waitFor();
    await window.screenshot('training-vectors');
    await panel.getByRole('tab', { name: 'Train' }).click();
    await panel.getByRole('button', { name: 'Start Training' }).click();
    await panel.getByText(/moods-train v2: [\d.]+ % of 120 held-out rows right/).first().waitFor();
    await panel.getByText(/tiny\.vec: .*3 of \d+ words/).first().waitFor();
    await window.screenshot('training-vectors-trained');
  });

  it('compares the new model with one that knows other labels, and says what is wrong', async () => {
    await window.runCommand('Label Lens: Open Training Panel');
    const panel = window.webview();
    await panel.getByRole('tab', { name: 'Compare' }).click();
    await panel.getByRole('checkbox', { name: /^moods\/v1/ }).check();
    await panel.getByRole('checkbox', { name: /sentiment-3/ }).check();
    await panel.getByRole('button', { name: 'Compare' }).click();
    await panel.getByRole('alert').filter({ hasText: /does not know these labels of the file: (glad, sad|sad, glad)/ }).waitFor();
    await window.screenshot('training-compare');
  });
});
