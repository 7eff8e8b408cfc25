import * as assert from 'node:assert';
import type { Insight } from '../../src/core/labels/view';
import { openPanel, waitForPosition, useStage } from './opened';

const empty: Insight = { annotators: ['mei'], evaluated: 0, perLabel: [], confusion: [], balance: [], curve: [], calibration: [] };
const epoch = { trainLoss: 0.5, validLoss: 0.6, validAccuracy: 0.8, seconds: 3 };

describe('learning, insight and labels in the panel', () => {
  const stage = useStage();

  it('fine-tunes on request, shows how it goes and what came of it, and cancels', async () => {
    const { page, host, close } = await openPanel(stage);
    await page.getByRole('tab', { name: 'Learn' }).click();
    await page.getByRole('button', { name: 'Fine-Tune Now' }).click();
    await page.waitForFunction(() => document.activeElement !== null);
    assert.strictEqual(host.fineTunes, 1);
    const progress = { epoch: 2, step: 15, epochs: 4, batch: 5, batches: 10, loss: 0.42, examplesPerSecond: 300, secondsLeft: 9 };
    host.tell({ kind: 'learning', learning: { ...host.learning(), fineTune: { status: 'running', progress, epochs: [epoch] } } });
    const bar = page.getByRole('progressbar', { name: 'Fine-tuning' });
    await page.locator('[aria-valuenow="38"]').waitFor();
    assert.strictEqual(await bar.getAttribute('aria-valuenow'), '38');
    await page.locator('.learn', { hasText: 'Epoch 2 of 4 · loss 0.42 · 300 texts a second · 9 s left' }).waitFor();
    assert.match((await page.locator('.learn [role=img]').getAttribute('aria-label')) ?? '', /Epochs: 1.*80 %/);
    await page.locator('.learn canvas').waitFor();
    await page.getByRole('button', { name: 'Cancel' }).click();
    assert.deepStrictEqual(host.commands, ['cancelFineTune']);
    const score = { rows: 40, low: 0.6, high: 0.9 };
    host.tell({ kind: 'learning', learning: { ...host.learning(), fineTune: { status: 'kept', epochs: [epoch, epoch], before: { ...score, accuracy: 0.75 }, after: { ...score, accuracy: 0.8 }, version: 'v4' } } });
    await page.locator('.outcome', { hasText: 'The new version v4 is in use.' }).waitFor();
    assert.match((await page.locator('.before-after').textContent()) ?? '', /Before75 % \(60 % to 90 %\)After80 %/);
    host.tell({ kind: 'learning', learning: { ...host.learning(), fineTune: { status: 'failed', epochs: [], error: 'Too few texts. Label more.' } } });
    await page.locator('.outcome', { hasText: 'Fine-tuning failed: Too few texts.' }).waitFor();
    await close();
  });

  it('lists the versions and restores one', async () => {
    const { page, host, close } = await openPanel(stage);
    await page.getByRole('tab', { name: 'Learn' }).click();
    await page.getByRole('button', { name: 'Restore version v2' }).click();
    await page.getByRole('row', { name: /v2.*best.*88 %.*in use/ }).waitFor();
    assert.strictEqual(host.restored, 'v2');
    await close();
  });

  it('a cell of the matrix shows its examples in the list', async () => {
    const { page, host, close } = await openPanel(stage);
    await waitForPosition(page, 0);
    // decided as negative, guessed as positive
    await page.keyboard.press('2');
    await waitForPosition(page, 1);
    await page.getByRole('tab', { name: 'Insight' }).click();
    await page.getByRole('button', { name: '1 decided as negative, guessed as positive' }).click();
    await page.locator('.filter-bar', { hasText: '1 of 200 examples' }).waitFor();
    await page.locator('.row', { hasText: 'Review number 0.' }).waitFor();
    assert.strictEqual(await page.getByLabel('Guess', { exact: true }).inputValue(), 'positive');
    await page.getByRole('tab', { name: 'Insight' }).click();
    await page.getByRole('button', { name: 'Export Report…' }).click();
    assert.deepStrictEqual(host.commands, ['exportReport']);
    await close();
  });

  it('shows every measure with its interval, also for those who do not see the charts', async () => {
    const { page, close } = await openPanel(stage);
    await page.getByRole('tab', { name: 'Insight' }).click();
    const insight = page.locator('.insight');
    await insight.locator('canvas').nth(1).waitFor();
    const text = (await insight.textContent()) ?? '';
    for (const part of ['Accuracy: 84 % (95 % interval 76 % to 90 %)', 'Macro F1: 81 %', '50 more decisions may raise the accuracy from 83 % to about 86 % (80 % to 91 %).', "Cohen's kappa 0.71 on 42 examples"]) assert.ok(text.includes(part), part);
    assert.deepStrictEqual(await insight.getByRole('img').evaluateAll((charts) => charts.map((each) => each.getAttribute('aria-label') ?? '')), ['Learning curve with 6 points; at 120 decisions the accuracy is 83 %.', 'Accuracy by confidence, in 7 bins.']);
    assert.strictEqual(await insight.locator('.chart-table').count(), 2);
    await close();
  });

  it('says what is needed where there are too few decisions', async () => {
    const { page, close } = await openPanel(stage, { insight: empty });
    await page.getByRole('tab', { name: 'Insight' }).click();
    await page.getByRole('heading', { name: 'Not enough decisions yet' }).waitFor();
    await close();
  });

  it('edits labels: add, rename, another key, describe, recolour, move, merge, archive, restore', async () => {
    const { page, host, close } = await openPanel(stage);
    await page.getByRole('tab', { name: 'Labels' }).click();
    const form = page.locator('.add-label');
    await form.getByLabel('Name').fill('mixed');
    await page.keyboard.press('Enter');
    await page.locator('button.label', { hasText: 'mixed' }).waitFor();
    assert.strictEqual(await form.getByLabel('Name').inputValue(), '');
    await form.getByLabel('Name').fill('mixed');
    await page.keyboard.press('Enter');
    await page.locator('.notice.warning', { hasText: 'There is a label mixed already.' }).waitFor();
    await page.getByRole('button', { name: 'Edit positive' }).click();
    const editor = page.locator('.label-editor');
    await editor.getByLabel('Name').fill('happy');
    await editor.getByLabel('Key').fill('h');
    await editor.getByLabel('Description').fill('Content.');
    await editor.getByRole('button', { name: 'Save' }).click();
    await page.locator('button.label', { hasText: 'happy' }).waitFor();
    await page.getByRole('button', { name: 'Edit negative' }).click();
    await editor.getByLabel('Color 5').check({ force: true });
    await page.locator('button.label.color-4', { hasText: 'negative' }).waitFor();
    await page.getByRole('button', { name: 'Move negative up' }).click();
    await page.locator('.label-list > li').first().filter({ hasText: 'negative' }).waitFor();
    await editor.getByLabel('Merge into').selectOption({ label: 'neutral' });
    await editor.getByRole('button', { name: 'Merge' }).click();
    await page.getByRole('dialog', { name: 'Merge negative into neutral' }).getByRole('button', { name: 'Merge' }).click();
    await page.locator('.labels-view', { hasText: 'merged into neutral' }).waitFor();
    await page.getByRole('button', { name: 'Edit neutral' }).click();
    await editor.getByRole('button', { name: 'Archive' }).click();
    await page.getByRole('button', { name: 'Restore neutral' }).click();
    await page.getByRole('button', { name: 'Edit neutral' }).waitFor();
    assert.deepStrictEqual(host.edits.map((edit) => edit.do), ['add', 'add', 'rename', 'rekey', 'describe', 'recolor', 'move', 'merge', 'archive', 'restore']);
    await close();
  });
});
