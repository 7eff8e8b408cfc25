import * as assert from 'node:assert';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { bundleFileNames } from '../../../src/core/model/bundle';
import { wordBundle } from '../../fixtures/wordModel';
import { openVsCode, type VsCodeWindow } from '../ui';

const prose = 'A lovely day in the hotel.\n\nThe chair was broken and the host was rude.\n\nThe food was good.\n';
const table = ['id,review,stars', '1,"A lovely kettle, really good",5', '2,"The lid is broken', 'and the service was rude",1', '3,很好,5', ''].join('\n');
const wide = ['id,review', ...Array.from({ length: 12 }, (_, row) => `${row},${row % 2 ? 'The lid is broken. ' : 'A lovely kettle. '.repeat(2)}${'It stands in the kitchen beside the window and waits for the morning. '.repeat(4)}`), ''].join('\n');

/** Two columns a character: these lines end beyond the window too, with a third of the characters. */
const wideHan = ['id,review', ...Array.from({ length: 12 }, (_, row) => `${row},很好${'放在厨房窗边等着早晨到来'.repeat(4)}`), ''].join('\n');

describe('annotations on the screen', () => {
  let scratch: string;
  let window: VsCodeWindow;

  before(async () => {
    scratch = mkdtempSync(path.join(tmpdir(), 'label-lens-ui-'));
    const model = path.join(scratch, 'words');
    const workspace = path.join(scratch, 'visits');
    mkdirSync(model);
    mkdirSync(workspace);
    const bundle = wordBundle({ name: 'words', version: 'v1', good: ['good', 'lovely', '很好'], bad: ['broken', 'rude'] });
    for (const part of ['manifest', 'tokenizer', 'model'] as const) writeFileSync(path.join(model, bundleFileNames[part]), bundle[part]);
    writeFileSync(path.join(workspace, 'visit.txt'), prose);
    writeFileSync(path.join(workspace, 'reviews.csv'), table);
    writeFileSync(path.join(workspace, 'wide.csv'), wide);
    writeFileSync(path.join(workspace, 'wide-zh.csv'), wideHan);
    window = await openVsCode({ workspace: path.relative('.', workspace), file: 'visit.txt', settings: { 'labelLens.model': model } });
  });
  after(async () => {
    await window.close();
    rmSync(scratch, { recursive: true, force: true });
  });

  it('show a CodeLens for each paragraph, and all about it when it is clicked', async () => {
    await window.waitForCodeLens(/positive \d\d %/);
    await (await window.waitForCodeLens(/negative \d\d %/)).locator('a').first().click();
    await window.quickPick().filter({ hasText: 'negative' }).first().waitFor();
    await window.screenshot('prediction');
    assert.ok((await window.quickPick().filter({ hasText: 'words v1' }).count()) === 1);
    await window.page.keyboard.press('Escape');
  });

  it('keep a CodeLens in its place while its paragraph is typed in', async () => {
    const lens = await window.waitForCodeLens(/negative \d\d %/);
    await window.page.locator('.view-line', { hasText: 'The chair was broken' }).click();
    const place = (await lens.boundingBox())?.y;
    await window.page.keyboard.type(' so');
    // no wait: what counts is what stands there right after the keys. The page holds CodeLenses in no certain order
    const standing = await window.page.evaluate<{ text: string; y: number }[]>(
      "[...document.querySelectorAll('.codelens-decoration')].map((lens) => ({ text: lens.textContent, y: lens.getBoundingClientRect().y }))",
    );
    assert.ok(standing.some(({ text, y }) => y === place && /negative \d\d %/.test(text)), JSON.stringify(standing));
    await window.page.keyboard.press('Control+Z');
  });

  it('put the answer at the selection, until Escape', async () => {
    await window.page.locator('.view-line', { hasText: 'The food was good.' }).click();
    await window.page.keyboard.press('Home');
    await window.page.keyboard.press('Shift+End');
    await window.runCommand('Label Lens: Classify Selection');
    await window.waitForLineAnnotation(/positive \d\d % · ● negative \d+ %/);
    await window.screenshot('selection');
    await window.page.keyboard.press('Escape');
    await window.waitForNoLineAnnotation();
  });

  it('stand at the end of each record of a table, in the label’s colour', async () => {
    await window.openFile('reviews.csv');
    await window.waitForLineAnnotation(/positive \d\d %/);
    await window.waitForLineAnnotation(/negative \d\d %/);
    await window.settle();
    const annotations = await window.lineAnnotations();
    await window.screenshot('reviews');
    assert.deepStrictEqual(
      annotations.map((text) => text.replace(/ \d\d %/, '')),
      ['◆ positive', '● negative', '◆ positive'],
    );
  });

  it('show all labels of a record in its hover', async () => {
    await window.page.locator('.view-line', { hasText: 'lovely kettle' }).locator('span', { hasText: 'lovely' }).last().hover();
    const hover = window.page.locator('.monaco-hover:not(.hidden)', { hasText: 'words v1' });
    await hover.waitFor();
    await window.screenshot('hover');
    assert.match((await hover.textContent()) ?? '', /positive.*█.*%.*negative/s);
    await window.page.keyboard.press('Escape');
  });

  for (const [file, text] of [
    ['wide.csv', '0,A lovely'],
    ['wide-zh.csv', '0,很好'],
  ] as const) {
    it(`stand at the start where rows are too long for their end to be seen: ${file}`, async () => {
      await window.openFile(file);
      await window.waitForLineAnnotation(/positive \d\d %/);
      await window.settle();
      await window.screenshot(path.parse(file).name);
      // before the text of its line
      const line = window.page.locator('.view-line', { hasText: text }).first();
      const [words, whole] = [await line.locator('span', { hasText: text }).last().boundingBox(), await line.boundingBox()];
      assert.ok(words && whole && words.x > whole.x + 80, JSON.stringify({ words, whole }));
    });
  }

  it('are switched by the status bar’s menu', async () => {
    await window.openFile('reviews.csv');
    await window.statusBarItem('words v1').click();
    await window.quickPick().filter({ hasText: 'Switch Annotations Off' }).waitFor();
    await window.screenshot('menu');
    await window.quickPick().filter({ hasText: 'Switch Annotations Off' }).click();
    await window.page.waitForFunction(`![...document.querySelectorAll('.editor-instance .view-line span')].some((span) => /(posi|nega)tive/.test(getComputedStyle(span, '::after').content))`);
    await window.statusBarItem('words v1').waitFor({ state: 'detached' });
    await window.runCommand('Label Lens: Toggle Annotations');
    await window.waitForLineAnnotation(/positive \d\d %/);
  });

  it('let a person choose the text columns by their values', async () => {
    await window.statusBarItem('words v1').click();
    await window.quickPick().filter({ hasText: 'Choose Text Columns' }).click();
    await window.quickPick().filter({ hasText: 'review' }).first().waitFor();
    await window.screenshot('columns');
    await window.page.keyboard.press('Escape');
  });
});
