import * as assert from 'node:assert';
import type { Label } from '../../src/core/labels/task';
import { idOf, reviewText } from './fakeHost';
import { comeBack, leave, openPanel, shownPosition, waitForPosition, useStage } from './opened';

/** What one request has decided, in short. */
const brief = ({ targets, status, value, origin }: { readonly targets: unknown; readonly status: string; readonly value?: unknown; readonly origin: string }) => [(targets as { readonly ids: readonly string[] }).ids.join(), status, value, origin];

const manyLabels: readonly Label[] = Array.from({ length: 40 }, (_, index) => ({ id: `l${index}`, name: `Label ${String.fromCharCode(65 + (index % 26))}${index}`, color: index % 8, ...(index < 9 ? { key: String(index + 1) } : {}) }));

describe('labelling in the panel', () => {
  const stage = useStage();

  it('decides, accepts, skips and flags with one key each, and shows the next item once it is saved', async () => {
    const { page, host, close } = await openPanel(stage);
    await waitForPosition(page, 0);
    for (const [key, position] of [['1', 1], ['n', 2], ['Enter', 3], [' ', 4], ['f', 5]] as const) {
      await page.keyboard.press(key);
      await waitForPosition(page, position);
    }
    assert.deepStrictEqual(host.decisions.map(brief), [
      ['e0', 'labeled', 'positive', 'key'],
      ['e1', 'labeled', 'neutral', 'key'],
      ['e2', 'labeled', 'neutral', 'accept'],
      ['e3', 'skipped', undefined, 'key'],
      ['e4', 'flagged', undefined, 'key'],
    ]);
    assert.strictEqual(await page.locator('.figures').textContent(), 'Labeled 3 of 200 · skipped: 1 · flagged: 1 · 12.5 a minute');
    assert.match((await page.locator('.saved').textContent()) ?? '', /Flagged/);
    await close();
  });

  it('loses nothing of a hundred labels typed faster than they are saved, and gives each to its own item', async () => {
    const { page, host, close } = await openPanel(stage, { count: 300 });
    await waitForPosition(page, 0);
    host.latency = 12;
    const keys = Array.from({ length: 100 }, (_, index) => ['1', '2', 'n'][(index * 7) % 3] ?? '1');
    for (const key of keys) await page.keyboard.press(key);
    await waitForPosition(page, 100);
    const label = { 1: 'positive', 2: 'negative', n: 'neutral' } as Readonly<Record<string, string>>;
    assert.deepStrictEqual(host.decisions.map(brief), keys.map((key, index) => [idOf(index), 'labeled', label[key], 'key']));
    await close();
  });

  it('keeps an item that could not be saved, says so, holds what was pressed after it, and saves all of it on request', async () => {
    const { page, host, close } = await openPanel(stage);
    await waitForPosition(page, 0);
    host.latency = 50;
    host.failure = 'The disk is full. Free some space, then try again.';
    for (const key of ['1', '2', 'n']) await page.keyboard.press(key);
    const alert = page.locator('.notice.error');
    await alert.waitFor();
    assert.match((await alert.textContent()) ?? '', /Not saved.*The disk is full.*2/);
    assert.strictEqual(await shownPosition(page), 0);
    assert.deepStrictEqual(host.decisions, []);
    await page.keyboard.press('2');
    assert.match((await alert.textContent()) ?? '', /: 3\./);
    // the focus is on "Try Again"
    await page.keyboard.press('Enter');
    await waitForPosition(page, 4);
    assert.deepStrictEqual(host.decisions.map(brief), [['e0', 'labeled', 'positive', 'key'], ['e1', 'labeled', 'negative', 'key'], ['e2', 'labeled', 'neutral', 'key'], ['e3', 'labeled', 'negative', 'key']]);
    await alert.waitFor({ state: 'hidden' });
    await close();
  });

  it('takes the keyboard away from nobody who types elsewhere meanwhile, and has it where it is needed when one comes back', async () => {
    const { page, host, close } = await openPanel(stage);
    await waitForPosition(page, 0);
    host.latency = 50;
    host.failure = 'The disk is full.';
    await page.keyboard.press('1');
    await leave(page);
    const alert = page.locator('.notice.error');
    await alert.waitFor();
    const tryAgain = page.getByRole('button', { name: 'Try Again' });
    assert.notStrictEqual(await page.evaluate(() => document.activeElement?.textContent), 'Try Again');
    await comeBack(page);
    assert.strictEqual(await tryAgain.evaluate((button) => button === document.activeElement), true);
    await page.keyboard.press('Enter');
    await waitForPosition(page, 1);
    await close();
  });

  it('still holds what could not be saved after a reload', async () => {
    const { page, host, close } = await openPanel(stage);
    await waitForPosition(page, 0);
    host.latency = 50;
    host.failure = 'The disk is full.';
    for (const key of ['2', '1']) await page.keyboard.press(key);
    await page.locator('.notice.error').waitFor();
    await page.reload();
    await page.locator('.notice.error', { hasText: 'closed or reloaded' }).waitFor();
    assert.strictEqual(await shownPosition(page), 0);
    await page.keyboard.press('Enter');
    await waitForPosition(page, 2);
    assert.deepStrictEqual(host.decisions.map(brief), [['e0', 'labeled', 'negative', 'key'], ['e1', 'labeled', 'positive', 'key']]);
    await close();
  });

  it('gives up what could not be saved only when told', async () => {
    const { page, host, close } = await openPanel(stage);
    await waitForPosition(page, 0);
    host.failure = 'The folder is read-only.';
    await page.keyboard.press('1');
    await page.getByRole('button', { name: 'Give Up' }).click();
    assert.strictEqual(await shownPosition(page), 0);
    await page.keyboard.press('2');
    await waitForPosition(page, 1);
    assert.deepStrictEqual(host.decisions.map(brief), [['e0', 'labeled', 'negative', 'key']]);
    await close();
  });

  it('undoes step by step, showing each item again, and redoes', async () => {
    const { page, host, close } = await openPanel(stage);
    await waitForPosition(page, 0);
    for (const key of ['1', '2', ' ']) await page.keyboard.press(key);
    await waitForPosition(page, 3);
    for (const position of [2, 1, 0]) {
      await page.keyboard.press('Control+z');
      await waitForPosition(page, position);
      assert.strictEqual(host.stateOf(position), undefined);
    }
    await page.keyboard.press('Control+z');
    await page.locator('[role=status]', { hasText: 'nothing to undo' }).waitFor({ state: 'attached' });
    for (const position of [1, 2, 3]) {
      await page.keyboard.press('Control+Shift+z');
      await waitForPosition(page, position);
    }
    assert.deepStrictEqual([0, 1, 2].map((position) => host.stateOf(position)?.status), ['labeled', 'labeled', 'skipped']);
    await close();
  });

  it('goes back to what was decided and forth again; every decision can be changed, also a skip', async () => {
    const { page, host, close } = await openPanel(stage);
    await waitForPosition(page, 0);
    for (const key of ['1', '2', ' ']) await page.keyboard.press(key);
    await waitForPosition(page, 3);
    for (const position of [2, 1, 0]) {
      await page.keyboard.press('ArrowLeft');
      await waitForPosition(page, position);
    }
    assert.match((await page.locator('.decided').textContent()) ?? '', /Labeled.*positive.*mei/);
    for (const position of [1, 2, 3]) {
      await page.keyboard.press('ArrowRight');
      await waitForPosition(page, position);
    }
    await page.keyboard.press('ArrowLeft');
    await waitForPosition(page, 2);
    await page.keyboard.press('1');
    await waitForPosition(page, 3);
    assert.deepStrictEqual(host.stateOf(2), { status: 'labeled', value: 'positive' });
    await page.keyboard.press('ArrowLeft');
    await waitForPosition(page, 2);
    await page.getByRole('button', { name: 'Clear' }).click();
    await page.locator('.decided').filter({ hasText: /^$/ }).waitFor({ state: 'attached' });
    assert.strictEqual(await shownPosition(page), 2);
    assert.strictEqual(host.stateOf(2), undefined);
    await close();
  });

  it('hides the guess in blind mode until one has decided', async () => {
    const { page, host, close } = await openPanel(stage, { options: { blind: true } });
    await waitForPosition(page, 0);
    assert.match((await page.locator('.decide').textContent()) ?? '', /hidden until you have decided/);
    assert.doesNotMatch((await page.locator('.labels').textContent()) ?? '', /%/);
    assert.strictEqual(await page.locator('.row .guessed').count(), 0);
    await page.keyboard.press('Enter');
    await page.keyboard.press('2');
    await waitForPosition(page, 1);
    assert.deepStrictEqual(host.decisions.map(brief), [['e0', 'labeled', 'negative', 'key']], 'Enter accepts nothing that is hidden');
    assert.match((await page.locator('.saved').textContent()) ?? '', /guess: positive/);
    await page.keyboard.press('ArrowLeft');
    await page.locator('.guess').filter({ hasText: '40 %' }).waitFor();
    await page.getByRole('button', { name: 'Blind' }).click();
    await page.keyboard.press('ArrowRight');
    await page.locator('.guess').filter({ hasText: '41 %' }).waitFor();
    assert.strictEqual(host.options.blind, false);
    await close();
  });

  it('several labels: keys tick, Enter saves what is ticked, in the task’s order', async () => {
    const { page, host, close } = await openPanel(stage, { kind: 'multi' });
    await waitForPosition(page, 0);
    const pressed = (name: string) => page.getByRole('button', { name }).getAttribute('aria-pressed');
    assert.strictEqual(await pressed('positive'), 'true', 'what is guessed is ticked');
    await page.keyboard.press('n');
    await page.keyboard.press('2');
    await page.keyboard.press('1');
    assert.deepStrictEqual([await pressed('positive'), await pressed('negative'), await pressed('neutral')], ['false', 'true', 'true']);
    await page.keyboard.press('Enter');
    await waitForPosition(page, 1);
    await page.keyboard.press('Enter');
    await waitForPosition(page, 2);
    await page.keyboard.press('n');
    await page.keyboard.press('Enter');
    await waitForPosition(page, 3);
    assert.deepStrictEqual(host.decisions.map(brief), [['e0', 'labeled', ['negative', 'neutral'], 'key'], ['e1', 'labeled', ['negative'], 'accept'], ['e2', 'labeled', [], 'key']]);
    await close();
  });

  it('a number: digits go into the field, Enter saves or accepts, and what is out of range is not saved', async () => {
    const { page, host, close } = await openPanel(stage, { kind: 'number' });
    await waitForPosition(page, 0);
    const field = page.locator('.number-field input');
    await page.keyboard.type('4,5');
    await page.keyboard.press('Enter');
    await waitForPosition(page, 1);
    await page.keyboard.type('7');
    await page.keyboard.press('Enter');
    await page.locator('.problem', { hasText: 'from 1 to 5' }).waitFor();
    await field.press('Backspace');
    // the key 2 of an AZERTY keyboard, without Shift
    await field.evaluate((element) => element.dispatchEvent(new KeyboardEvent('keydown', { key: 'é', code: 'Digit2', bubbles: true, cancelable: true })));
    assert.strictEqual(await field.inputValue(), '2');
    await field.press('Backspace');
    await page.keyboard.type('2');
    await page.keyboard.press('Enter');
    await waitForPosition(page, 2);
    await page.keyboard.press('Enter');
    await waitForPosition(page, 3);
    await page.keyboard.press('Escape');
    await page.keyboard.press('f');
    await waitForPosition(page, 4);
    assert.deepStrictEqual(host.decisions.map(brief), [['e0', 'labeled', 4.5, 'key'], ['e1', 'labeled', 2, 'key'], ['e2', 'labeled', 1.2, 'accept'], ['e3', 'flagged', undefined, 'key']]);
    await close();
  });

  it('numbers typed faster than they are saved go to their own items', async () => {
    const { page, host, close } = await openPanel(stage, { kind: 'number' });
    await waitForPosition(page, 0);
    host.latency = 60;
    for (const value of ['1.5', '2.5', '3.5']) {
      await page.keyboard.type(value);
      await page.keyboard.press('Enter');
    }
    await waitForPosition(page, 3);
    assert.deepStrictEqual(host.decisions.map(({ value }) => value), [1.5, 2.5, 3.5]);
    await close();
  });

  it('many labels: a search finds one, Enter chooses it', async () => {
    const { page, host, close } = await openPanel(stage, { labels: manyLabels });
    await waitForPosition(page, 0);
    const search = page.getByPlaceholder('Search a label');
    await search.fill('z25');
    assert.strictEqual(await page.locator('button.label:visible').count(), 1);
    await search.press('Enter');
    await waitForPosition(page, 1);
    await page.keyboard.press('3');
    await waitForPosition(page, 2);
    assert.deepStrictEqual(host.decisions.map(brief), [['e0', 'labeled', 'l25', 'key'], ['e1', 'labeled', 'l2', 'key']]);
    await close();
  });

  it('keys work wherever the focus is: on a button, a tab, the list; and not while one writes', async () => {
    const { page, host, close } = await openPanel(stage);
    await waitForPosition(page, 0);
    await page.getByRole('button', { name: 'Undo' }).evaluate((button) => button.focus());
    await page.getByRole('tab', { name: 'Insight' }).click();
    await page.keyboard.press('1');
    await waitForPosition(page, 1);
    await page.keyboard.press('/');
    await page.keyboard.type('12 f');
    assert.strictEqual(await page.getByRole('searchbox', { name: 'Search: words' }).inputValue(), '12 f');
    assert.strictEqual(host.decisions.length, 1);
    await page.keyboard.press('Escape');
    await page.keyboard.press('2');
    await waitForPosition(page, 2);
    assert.strictEqual(await page.evaluate(() => document.activeElement?.id), 'item');
    await close();
  });

  it('a key that is held decides once', async () => {
    const { page, host, close } = await openPanel(stage);
    await waitForPosition(page, 0);
    await page.keyboard.down('1');
    await page.keyboard.down('1');
    await page.keyboard.down('1');
    await page.keyboard.up('1');
    await page.keyboard.press('2');
    await waitForPosition(page, 2);
    assert.deepStrictEqual(host.decisions.map(({ value }) => value), ['positive', 'negative']);
    await close();
  });

  it('? shows all keys, Escape closes them, and labels cannot be given meanwhile', async () => {
    const { page, host, close } = await openPanel(stage);
    await waitForPosition(page, 0);
    await page.keyboard.press('?');
    const dialog = page.getByRole('dialog', { name: 'Keys' });
    await dialog.waitFor();
    assert.match((await dialog.textContent()) ?? '', /positive.*neutral.*Skip.*Flag.*Undo.*Redo/);
    await page.keyboard.press('1');
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'hidden' });
    assert.strictEqual(host.decisions.length, 0);
    assert.strictEqual(await page.evaluate(() => document.activeElement?.id), 'item');
    await close();
  });

  it('is where it was after a reload, with what was ticked and not saved yet', async () => {
    const { page, host, close } = await openPanel(stage, { kind: 'multi' });
    await waitForPosition(page, 0);
    await page.keyboard.press('Enter');
    await waitForPosition(page, 1);
    await page.keyboard.press('n');
    await page.getByRole('tab', { name: 'Learn' }).click();
    await page.reload();
    await waitForPosition(page, 1);
    assert.strictEqual(await page.getByRole('tab', { name: 'Learn' }).getAttribute('aria-selected'), 'true');
    await page.keyboard.press('Enter');
    await waitForPosition(page, 2);
    assert.deepStrictEqual(host.decisions.map(({ value }) => value), [['positive'], ['negative', 'neutral']]);
    await close();
  });

  it('shows the words that decided, as marks and in words, once one asks for them', async () => {
    const { page, host, close } = await openPanel(stage);
    await waitForPosition(page, 0);
    assert.strictEqual(await page.locator('mark').count(), 0);
    await page.getByRole('button', { name: 'Why' }).click();
    await page.locator('mark').first().waitFor();
    assert.match((await page.locator('.words').textContent()) ?? '', /Words for positive: .*\+25 %/);
    assert.strictEqual(await page.locator('.item .text').textContent(), reviewText(0), 'marks change nothing of the text');
    assert.strictEqual(host.options.explain, true);
    await close();
  });

  it('shows people’s texts as they are: markup, line breaks, Chinese, from right to left', async () => {
    const texts = ['<img src=x onerror="document.title=1"><b>bold</b> & "quotes" Review number 0.', 'one\n\n  two\nthree Review number 1.', '快递晚了一周，盒子也压坏了。Review number 2.', 'وصل الطرد متأخرا أسبوعا. Review number 3.'];
    const { page, close } = await openPanel(stage, { count: 4, text: (position) => texts[position] ?? '' });
    for (const [position, text] of texts.entries()) {
      await waitForPosition(page, position);
      assert.strictEqual(await page.locator('.item .text').textContent(), text);
      assert.strictEqual(await page.locator('.item img, .row img').count(), 0);
      const direction = await page.locator('.item .text').evaluate((element) => getComputedStyle(element).direction);
      assert.strictEqual(direction, position === 3 ? 'rtl' : 'ltr');
      await page.keyboard.press('1');
    }
    await page.getByRole('heading', { name: 'Nothing is left to label' }).waitFor();
    await close();
  });

  it('follows what happens elsewhere: decisions, problems, an example to show, the labels', async () => {
    const { page, host, close } = await openPanel(stage);
    await waitForPosition(page, 0);
    host.decideElsewhere(1, { status: 'labeled', value: 'negative' });
    await page.locator('.row[data-row="1"] .decided-mark').filter({ hasText: 'negative' }).waitFor();
    await page.keyboard.press('1');
    await waitForPosition(page, 2);
    host.tell({ kind: 'problem', message: 'Line 3 of mei.jsonl cannot be read and was set aside.' });
    await page.locator('.notice.warning').filter({ hasText: 'set aside' }).waitFor();
    await page.getByRole('button', { name: 'Close' }).click();
    assert.strictEqual(await page.locator('.notice.warning').count(), 0);
    host.tell({ kind: 'show', item: host.item(50) });
    await waitForPosition(page, 50);
    await page.keyboard.press('2');
    await waitForPosition(page, 2);
    host.tell({ kind: 'labels' });
    await page.getByRole('textbox', { name: 'Name' }).waitFor();
    host.tell({ kind: 'task', task: null });
    await page.getByRole('heading', { name: 'Teach a model' }).waitFor();
    await close();
  });

  it('opens the other commands in a menu, by keys', async () => {
    const { page, host, close } = await openPanel(stage);
    await waitForPosition(page, 0);
    const more = page.getByRole('button', { name: 'More…' });
    await more.focus();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    assert.deepStrictEqual(host.commands, [], 'walking runs nothing');
    await page.keyboard.press('Escape');
    assert.ok(await page.getByRole('menu').isHidden());
    await page.keyboard.press('Enter');
    await page.keyboard.press('End');
    await page.keyboard.press('ArrowUp');
    await page.keyboard.press('Enter');
    await page.getByRole('menu').waitFor({ state: 'hidden' });
    await page.keyboard.press('1');
    await waitForPosition(page, 1);
    assert.deepStrictEqual(host.commands, ['exportReport']);
    await close();
  });

  it('says how to begin where there is no task', async () => {
    const { page, host, close } = await openPanel(stage, { noTask: true });
    await page.getByRole('button', { name: 'Create a Task…' }).click();
    await page.getByRole('button', { name: 'Open a Task…' }).click();
    await assert.doesNotReject(page.waitForFunction(() => document.querySelector('.welcome') !== null));
    assert.deepStrictEqual(host.commands, ['createTask', 'openTask']);
    await close();
  });

  it('says that texts are still being read, that there is no guess yet, that all is done', async () => {
    const reading = await openPanel(stage, { count: 0, reading: 0.4 });
    await reading.page.getByRole('heading', { name: 'Reading the texts' }).waitFor();
    assert.strictEqual(await reading.page.getByRole('progressbar', { name: 'Reading the texts' }).getAttribute('aria-valuenow'), '40');
    await reading.close();
    const noGuess = await openPanel(stage, { guesses: false });
    await noGuess.page.locator('.guess').filter({ hasText: 'No guess yet' }).waitFor();
    await noGuess.close();
    const done = await openPanel(stage, { count: 2 });
    await waitForPosition(done.page, 0);
    await done.page.keyboard.press(' ');
    await waitForPosition(done.page, 1);
    await done.page.keyboard.press('1');
    await done.page.getByRole('heading', { name: 'Nothing is left to label' }).waitFor();
    await done.page.keyboard.press('1');
    assert.strictEqual(done.host.decisions.length, 2, 'a key decides nothing where there is nothing');
    await done.page.getByRole('button', { name: 'Show Skipped' }).click();
    await done.page.locator('.filter-bar').filter({ hasText: '1 of 2 examples' }).waitFor();
    await done.close();
  });
});
