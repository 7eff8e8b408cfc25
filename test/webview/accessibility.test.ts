import * as assert from 'node:assert';
import { seriousFindings } from './axe';
import type { FakeTask } from './fakeHost';
import { openPanel, waitForPosition, useStage } from './opened';
import { themes, type Theme } from './site';

describe('the panel for everyone', () => {
  const stage = useStage();

  for (const theme of Object.keys(themes) as Theme[]) {
    it(`axe finds nothing serious in the theme ${theme}, on any tab`, async () => {
      const { page, host, close } = await openPanel(stage, { options: { explain: true } }, { theme });
      await waitForPosition(page, 0);
      for (const key of ['1', ' ', 'f', '2']) await page.keyboard.press(key);
      await waitForPosition(page, 4);
      await page.locator('mark').first().waitFor();
      const score = { rows: 40, low: 0.6, high: 0.9 };
      host.tell({ kind: 'learning', learning: { ...host.learning(), stopHint: 'plateau', fineTune: { status: 'kept', version: 'v4', epochs: [{ trainLoss: 0.5, validLoss: 0.6, validAccuracy: 0.8, seconds: 3 }], before: { ...score, accuracy: 0.75 }, after: { ...score, accuracy: 0.8 } } } });
      host.tell({ kind: 'problem', message: 'A line was set aside.' });
      await page.getByRole('button', { name: 'Filters' }).click();
      await page.getByRole('listbox').focus();
      await page.keyboard.press('Control+a');
      await page.locator('.bulk').waitFor();
      assert.deepStrictEqual(await seriousFindings(page), []);
      await page.getByRole('tab', { name: 'Learn' }).click();
      await page.getByRole('row', { name: /v2/ }).waitFor();
      assert.deepStrictEqual(await seriousFindings(page), []);
      await page.getByRole('tab', { name: 'Insight' }).click();
      await page.locator('.insight canvas').nth(1).waitFor();
      assert.deepStrictEqual(await seriousFindings(page), []);
      await page.getByRole('tab', { name: 'Labels' }).click();
      await page.getByRole('button', { name: 'Edit positive' }).click();
      assert.deepStrictEqual(await seriousFindings(page), []);
      host.failure = 'The disk is full.';
      await page.keyboard.press('Escape');
      await page.keyboard.press('1');
      await page.locator('.notice.error').waitFor();
      assert.deepStrictEqual(await seriousFindings(page), []);
      await page.keyboard.press('Enter');
      await page.getByRole('button', { name: 'More…' }).click();
      assert.deepStrictEqual(await seriousFindings(page), []);
      await page.keyboard.press('Escape');
      await page.keyboard.press('?');
      assert.deepStrictEqual(await seriousFindings(page), []);
      await close();
    });
  }

  for (const [name, task] of [['no task', { noTask: true }], ['a number', { kind: 'number' }], ['several labels', { kind: 'multi' }], ['nothing left', { count: 0 }]] as readonly (readonly [string, FakeTask])[]) {
    it(`axe finds nothing serious with ${name}`, async () => {
      const { page, close } = await openPanel(stage, task, { theme: 'light' });
      await page.locator(task.noTask ? '.welcome' : task.count === 0 ? '.nothing h2' : '.item .text').waitFor();
      assert.deepStrictEqual(await seriousFindings(page), []);
      await close();
    });
  }

  it('everything can be reached with Tab, and shows that it has the focus', async () => {
    const { page, close } = await openPanel(stage);
    await waitForPosition(page, 0);
    const reached: string[] = [];
    for (let step = 0; step < 60; step++) {
      await page.keyboard.press('Tab');
      const focus = await page.evaluate(() => {
        const element = document.activeElement;
        if (!element || element === document.body) return undefined;
        const { outlineStyle, outlineWidth } = getComputedStyle(element);
        return { name: element.id || element.getAttribute('aria-label') || element.textContent || element.className, visible: outlineStyle !== 'none' && outlineWidth !== '0px' };
      });
      if (!focus) continue;
      assert.ok(focus.visible, `${focus.name} does not show the focus`);
      if (reached.includes(focus.name)) break;
      reached.push(focus.name);
    }
    for (const name of ['item', 'order', 'Blind', 'tab-examples', 'Examples', 'Filters']) assert.ok(reached.includes(name), `${name} in ${reached.join(', ')}`);
    assert.ok(reached.some((each) => each.includes('positive')));
    await page.locator('#tab-examples').focus();
    await page.keyboard.press('ArrowRight');
    assert.strictEqual(await page.evaluate(() => document.activeElement?.id), 'tab-learn');
    await page.keyboard.press('ArrowLeft');
    await page.keyboard.press('ArrowLeft');
    assert.strictEqual(await page.evaluate(() => document.activeElement?.id), 'tab-labels');
    await close();
  });

  it('tells screen readers how far one is, and what a label’s button does', async () => {
    const { page, close } = await openPanel(stage);
    await waitForPosition(page, 0);
    await page.keyboard.press('1');
    await page.locator('.notices [aria-live=polite]', { hasText: /^Labeled 1 of 200 Best coffee in town/ }).waitFor({ state: 'attached' });
    await page.getByRole('button', { name: /^2.*negative.*41 %$/ }).waitFor();
    await close();
  });

  it('fits 320 CSS pixels (a narrow panel, or 200 % zoom) without scrolling sideways', async () => {
    const { page, close } = await openPanel(stage, { options: { explain: true } }, { viewport: { width: 320, height: 640 } });
    await waitForPosition(page, 0);
    for (const tab of ['Examples', 'Learn', 'Insight', 'Labels']) {
      await page.getByRole('tab', { name: tab }).click();
      await page.locator(`#panel-${tab.toLowerCase()}`).waitFor();
      const [width, needed] = await page.evaluate(() => [document.documentElement.clientWidth, document.documentElement.scrollWidth]);
      assert.strictEqual(needed, width, tab);
    }
    const [item, side] = await Promise.all([page.locator('.work').boundingBox(), page.locator('.side').boundingBox()]);
    assert.ok(item && side && side.y >= item.y + item.height, 'one column');
    await close();
  });

  it('stays readable where the system forces its colours, and still where motion is not wanted', async () => {
    const { page, close } = await openPanel(stage, {}, { forcedColors: 'active', reducedMotion: 'reduce' });
    await waitForPosition(page, 0);
    assert.strictEqual(await page.locator('.progress-bar').first().evaluate((bar) => getComputedStyle(bar, '::after').transitionDuration), '0s');
    const [mark, text] = await page.evaluate(() => [document.querySelector('button.label .shape'), document.querySelector('.item .text')].map((each) => (each ? getComputedStyle(each).color : '')));
    assert.strictEqual(mark, text);
    await close();
  });
});
