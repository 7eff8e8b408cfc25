import * as assert from 'node:assert';
import type { Page } from 'playwright-core';
import { idOf } from './fakeHost';
import { openPanel, waitForPosition, useStage } from './opened';

const found = (page: Page, text: string): Promise<void> => page.locator('.filter-bar', { hasText: text }).waitFor();
const row = (page: Page, index: number) => page.locator(`.row[data-row="${index}"]`);

describe('the list of examples', () => {
  const stage = useStage();

  it('scrolls through 100,000 examples with a few dozen rows in the page, asked for a hundred at a time', async () => {
    const { page, host, close } = await openPanel(stage, { count: 100_000 });
    await found(page, 'Examples: 100,000');
    const box = page.getByRole('listbox', { name: 'Examples' });
    for (const share of [0.1, 0.5, 0.93, 1]) {
      await box.evaluate((element, to) => (element.scrollTop = to * (element.scrollHeight - element.clientHeight)), share);
      const last = Math.floor((100_000 * share) / 2) * 2 - 1;
      if (share === 1) await row(page, last).filter({ hasText: `Review number ${last}.` }).waitFor();
      else await page.waitForFunction(() => [...document.querySelectorAll('.row .excerpt')].every((each) => each.textContent !== '…'));
      assert.ok((await page.locator('.row').count()) < 60);
    }
    await box.focus();
    await page.keyboard.press('Home');
    await row(page, 0).filter({ hasText: 'Review number 0.' }).waitFor();
    assert.strictEqual(await row(page, 0).getAttribute('aria-setsize'), '100000');
    assert.ok(host.largestSlice <= 100);
    await close();
  });

  it('goes on beyond what a browser lays out: a million examples, to the last', async () => {
    const { page, close } = await openPanel(stage, { count: 1_000_000 });
    await found(page, 'Examples: 1,000,000');
    await page.getByRole('listbox').focus();
    await page.keyboard.press('End');
    await row(page, 999_999).filter({ hasText: 'Review number 999999.' }).waitFor();
    assert.ok(await row(page, 999_999).isVisible());
    await page.keyboard.press('ArrowUp');
    assert.strictEqual(await page.getByRole('listbox').getAttribute('aria-activedescendant'), 'row-999998');
    await close();
  });

  it('filters by text, regular expression, status, label, guess, confidence and disagreement, and says how many are left', async () => {
    const { page, close } = await openPanel(stage, { count: 300 });
    await waitForPosition(page, 0);
    for (const [key, position] of [['1', 1], ['1', 2], [' ', 3], ['f', 4]] as const) {
      await page.keyboard.press(key);
      await waitForPosition(page, position);
    }
    const search = page.getByRole('searchbox', { name: 'Search: words' });
    await search.fill('crushed');
    await found(page, '100 of 300 examples');
    await search.fill('/number 1\\d\\./');
    await found(page, '10 of 300 examples');
    await search.fill('/number (/');
    await page.locator('.filter-bar .problem', { hasText: 'Check its brackets' }).waitFor();
    await search.fill('');
    await found(page, 'Examples: 300');
    await page.getByRole('button', { name: 'Filters' }).click();
    const choose = async (name: string, option: string, text: string): Promise<void> => {
      await page.getByLabel(name, { exact: true }).selectOption({ label: option });
      await found(page, text);
      await page.getByRole('button', { name: 'Clear filters' }).click();
      await found(page, 'Examples: 300');
    };
    await choose('Status', 'Skipped', '1 of 300 examples');
    await choose('Status', 'Flagged', '1 of 300 examples');
    await choose('Status', 'Not decided', '296 of 300 examples');
    await choose('Label', 'positive', '2 of 300 examples');
    await choose('Guess', 'neutral', '100 of 300 examples');
    await choose('Annotator', 'mei', '4 of 300 examples');
    await page.getByLabel('Confidence from, %').fill('95');
    await found(page, '25 of 300 examples');
    await page.getByRole('button', { name: 'Clear filters' }).click();
    await page.getByLabel('Decision and guess differ').check();
    await found(page, '1 of 300 examples');
    await row(page, 0).filter({ hasText: 'number 1.' }).waitFor();
    await page.getByRole('button', { name: 'Clear filters' }).click();
    await page.getByLabel('Annotators differ').check();
    await found(page, '1 of 300 examples');
    await close();
  });

  it('labels many at once: all that pass the filter, after a preview, with one undo', async () => {
    const { page, host, close } = await openPanel(stage, { count: 300 });
    await waitForPosition(page, 0);
    await page.keyboard.press('2');
    await waitForPosition(page, 1);
    await page.keyboard.press('/');
    await page.keyboard.type('crushed');
    await found(page, '100 of 300 examples');
    await page.getByRole('listbox').focus();
    await page.keyboard.press('Control+a');
    await page.locator('.bulk', { hasText: 'Selected: 100' }).waitFor();
    await page.keyboard.press('1');
    const dialog = page.getByRole('dialog', { name: 'Decide for 100 examples' });
    await dialog.waitFor();
    assert.match((await dialog.textContent()) ?? '', /positive.*The parcel.*and 97 more.*Already decided: 1/);
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'hidden' });
    assert.strictEqual(host.decisions.length, 1, 'nothing without consent');
    await page.keyboard.press('1');
    await dialog.waitFor();
    await page.keyboard.press('Enter');
    await page.locator('.saved', { hasText: '100 decisions' }).waitFor();
    const bulk = host.decisions[1];
    assert.deepStrictEqual(bulk, { status: 'labeled', value: 'positive', origin: 'bulk', targets: { filter: { text: 'crushed' }, expected: 100 } });
    await page.locator('.figures', { hasText: 'Labeled 100 of 300' }).waitFor();
    await page.keyboard.press('Control+z');
    await page.locator('.figures', { hasText: 'Labeled 1 of 300' }).waitFor();
    assert.deepStrictEqual(host.stateOf(0), { status: 'labeled', value: 'negative' });
    await close();
  });

  it('selects by click, Ctrl and Shift; what is chosen in the bar is decided for just those', async () => {
    const { page, host, close } = await openPanel(stage, { count: 300 });
    await waitForPosition(page, 0);
    await row(page, 2).click();
    await waitForPosition(page, 2);
    await row(page, 5).click({ modifiers: ['Shift'] });
    await page.locator('.bulk', { hasText: 'Selected: 4' }).waitFor();
    await row(page, 3).click({ modifiers: ['Control'] });
    await row(page, 8).click({ modifiers: ['Control'] });
    await row(page, 4).click({ modifiers: ['Control'] });
    await page.locator('.bulk', { hasText: 'Selected: 3' }).waitFor();
    await page.getByLabel('Label as').selectOption({ label: 'neutral' });
    await page.getByRole('button', { name: 'Preview…' }).click();
    await page.getByRole('button', { name: 'Apply to 3' }).click();
    await page.locator('.saved', { hasText: '3 decisions' }).waitFor();
    assert.deepStrictEqual(host.decisions, [{ status: 'labeled', value: 'neutral', origin: 'bulk', targets: { ids: [2, 5, 8].map(idOf) } }]);
    await row(page, 5).locator('.decided-mark', { hasText: 'neutral' }).waitFor();
    await page.keyboard.press('Home');
    await page.keyboard.press('Shift+ArrowDown');
    await page.keyboard.press('Shift+ArrowDown');
    await page.locator('.bulk', { hasText: 'Selected: 3' }).waitFor();
    await page.getByRole('button', { name: 'Deselect' }).click();
    assert.ok(await page.locator('.bulk').isHidden());
    await close();
  });

  it('a label’s key in the list decides for the row one is on, and goes to the next', async () => {
    const { page, host, close } = await openPanel(stage, { count: 50 });
    await waitForPosition(page, 0);
    await page.getByRole('listbox').focus();
    for (let step = 0; step < 4; step++) await page.keyboard.press('ArrowDown');
    await page.keyboard.press('1');
    await page.keyboard.press('2');
    await row(page, 5).locator('.decided-mark', { hasText: 'negative' }).waitFor();
    assert.deepStrictEqual(host.decisions.map(({ targets, value }) => [targets, value]), [[{ ids: ['e4'] }, 'positive'], [{ ids: ['e5'] }, 'negative']]);
    await page.keyboard.press('Enter');
    await waitForPosition(page, 6);
    assert.strictEqual(await page.evaluate(() => document.activeElement?.id), 'item');
    await close();
  });

  it('is where it was after a reload', async () => {
    const { page, close } = await openPanel(stage, { count: 100_000 });
    await found(page, 'Examples: 100,000');
    await page.getByRole('searchbox', { name: 'Search: words' }).fill('Best coffee');
    await found(page, '33,333 of 100,000 examples');
    await page.getByRole('listbox').evaluate((element) => (element.scrollTop = 20_000 * 46));
    await row(page, 20_003).filter({ hasText: 'Review number 60010.' }).waitFor();
    await page.reload();
    await row(page, 20_003).filter({ hasText: 'Review number 60010.' }).waitFor();
    assert.strictEqual(await page.getByRole('searchbox', { name: 'Search: words' }).inputValue(), 'Best coffee');
    await close();
  });
});
