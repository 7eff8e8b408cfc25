import * as assert from 'node:assert';
import { readFileSync } from 'node:fs';
import type { Page } from 'playwright-core';
import type { ReportSection } from '../../src/core/report/document';
import type { PanelTraining } from '../../src/core/protocol/trainingPanel';
import { comeBack, leave, openTraining, useStage } from './opened';
import { themes, type Theme } from './site';
import { checks, curve, glove, reviews } from './trainingFakeHost';
import { seriousFindings } from './axe';

const running: PanelTraining = { status: 'running', task: 'reviews', file: 'reviews.csv', fraction: 0.42, notes: [], progress: { epoch: 5, epochs: 10, batch: 13, batches: 34, step: 149, loss: 0.3123, examplesPerSecond: 1840, secondsLeft: 37 } };
const trained: PanelTraining = { status: 'done', task: 'reviews', file: 'reviews.csv', fraction: 1, notes: ['39 rows have no label and were left out.'], model: { name: 'reviews/v4', folder: '/hotel/.label-lens/reviews/models/v4', summary: 'reviews v4: 91.7 % of 120 held-out rows right.', inUse: false, saved: [] } };

function lossSection(points: readonly number[]): ReportSection {
  return {
    id: 'loss',
    title: 'Loss',
    blocks: [
      { kind: 'figure', svg: curve(points), caption: 'Training loss over steps', description: `It falls to ${points.at(-1)}.` },
      { kind: 'table', header: ['epoch', 'loss'], numeric: [0, 1], rows: points.map((loss, index) => [String(index + 1), String(loss)]) },
    ],
  };
}

const mistakes: ReportSection = {
  id: 'mistakes',
  title: 'Most confident mistakes',
  blocks: [
    { kind: 'text', text: 'These <b>rows</b> are wrong.' },
    { kind: 'rows', caption: '2 of 120 rows are wrong', header: ['truth', 'predicted', 'text'], rows: [{ file: 'reviews.csv', row: 17, cells: ['negative', 'positive'], text: 'It <script>broke</script>.' }, { file: 'reviews.csv', row: 1044, cells: ['neutral', 'negative'], text: 'It is a kettle.' }] },
  ],
};

/** A figure of its own section. */
function figureOf(svg: string): ReportSection {
  return { id: 'figure', title: 'Figure', blocks: [{ kind: 'figure', svg, caption: 'A figure', description: 'What it shows' }] };
}

/** Presses Tab until the element with this id has the keyboard. */
async function tabTo(page: Page, id: string, most = 80): Promise<void> {
  for (let step = 0; step < most; step++) {
    if ((await page.evaluate(() => document.activeElement?.id)) === id) return;
    await page.keyboard.press('Tab');
  }
  assert.fail(`Tab does not lead to ${id}`);
}

describe('the training panel', () => {
  const stage = useStage();

  it('takes the table of the editor, guesses its columns and counts its labels', async () => {
    const { page, host, close } = await openTraining(stage);
    await page.locator('.file-name', { hasText: 'reviews.csv' }).waitFor();
    await page.locator('.label-counts').waitFor();
    assert.strictEqual(await page.getByLabel('Label column').inputValue(), 'sentiment');
    assert.deepStrictEqual(await page.locator('.label-counts tr').allTextContents(), ['LabelRows', 'positive640', 'negative410', 'neutral150']);
    await page.locator('.facts', { hasText: '1,200 rows with 3 different labels' }).waitFor();
    assert.deepStrictEqual(host.previewed, [{ file: 'file:///hotel/reviews.csv', kind: 'single', labelColumn: 'sentiment', textColumns: ['text'] }]);
    await close();
  });

  it('begins without a table, and says what to choose', async () => {
    const { page, host, close } = await openTraining(stage, { noTable: true });
    await page.locator('.file-name', { hasText: 'No file is chosen.' }).waitFor();
    assert.strictEqual(await page.getByLabel('Label column').isVisible(), false);
    await page.getByRole('tab', { name: 'Train' }).click();
    await page.getByRole('button', { name: 'Start Training' }).click();
    await page.getByRole('button', { name: 'Choose a labeled file.' }).click();
    assert.strictEqual(await page.evaluate(() => document.activeElement?.id), 'choose-file');
    await page.getByRole('button', { name: 'Use the File in the Editor' }).click();
    await page.getByRole('alert').filter({ hasText: 'No table is open in the editor.' }).waitFor();
    await page.getByRole('button', { name: 'Choose a File…' }).click();
    await page.locator('.label-counts').waitFor();
    assert.ok(host.asked.includes('choose dialog'));
    await close();
  });

  it('the keyboard alone leads from the columns to a training', async () => {
    const { page, host, close } = await openTraining(stage);
    await page.locator('.label-counts').waitFor();
    await tabTo(page, 'kind-single');
    await tabTo(page, 'add-text-column');
    await page.keyboard.type('title');
    await page.locator('.chosen-columns li').nth(1).waitFor();
    // the second column goes up
    await page.locator('.chosen-columns').getByRole('button', { name: 'Move title up' }).focus();
    await page.keyboard.press('Enter');
    await page.waitForFunction(() => document.querySelector('.chosen-columns li')?.getAttribute('data-column') === 'title');
    assert.strictEqual(await page.evaluate(() => document.activeElement?.closest('li')?.getAttribute('data-column')), 'title', 'the keyboard stays with the column');
    await tabTo(page, 'held-out');
    await page.keyboard.press('Control+a');
    await page.keyboard.type('20');
    await page.locator('#tab-data').focus();
    await page.keyboard.press('ArrowRight');
    assert.strictEqual(await page.evaluate(() => document.activeElement?.id), 'tab-model');
    await tabTo(page, 'hyperparameter-batchSize');
    await page.keyboard.type('64');
    await tabTo(page, 'hyperparameter-learningRate');
    await page.keyboard.type('0.001');
    await page.locator('#tab-model').focus();
    await page.keyboard.press('ArrowRight');
    await tabTo(page, 'start-training');
    await page.keyboard.press('Enter');
    await page.locator('.live', { hasText: 'Reading reviews.csv…' }).waitFor();
    assert.deepStrictEqual(host.trained, { data: { file: 'file:///hotel/reviews.csv', kind: 'single', labelColumn: 'sentiment', textColumns: ['title', 'text'] }, heldOut: { share: 0.2 }, preset: 'bilstm-pool', hyperparameters: { batchSize: 64, learningRate: 0.001 } });
    assert.strictEqual(await page.evaluate(() => document.activeElement?.textContent), 'Cancel', 'the keyboard goes to what can be done next');
    await close();
  });

  it('a joint model takes a column of numbers beside the label, a number has no labels', async () => {
    const { page, host, close } = await openTraining(stage);
    await page.locator('.label-counts').waitFor();
    await page.getByLabel('Number beside the label').selectOption('stars');
    await page.locator('.facts', { hasText: 'Numbers from 1 to 5, 3.62 on average' }).waitFor();
    assert.strictEqual(host.previewed.at(-1)?.valueColumn, 'stars');
    await page.getByLabel('A number', { exact: true }).check();
    await page.getByLabel('Column of the numbers').selectOption('stars');
    await page.locator('.facts', { hasText: '1,200 rows' }).waitFor();
    assert.strictEqual(await page.locator('.label-counts').count(), 0);
    assert.strictEqual(await page.getByLabel('Number beside the label').isVisible(), false);
    assert.deepStrictEqual(host.previewed.at(-1), { file: 'file:///hotel/reviews.csv', kind: 'number', labelColumn: 'stars', textColumns: ['text'] });
    await close();
  });

  it('prepares data as chosen, explains what cannot be, and trains on what was written', async () => {
    const { page, host, close } = await openTraining(stage);
    await page.locator('.label-counts').waitFor();
    await page.getByText('Prepare…').click();
    await page.getByRole('textbox', { name: 'Becomes neutral' }).fill('');
    await page.getByRole('textbox', { name: 'Becomes positive' }).fill('good');
    await page.getByLabel('Words kept of a text').fill('0');
    await page.getByLabel('Test', { exact: true }).fill('20');
    await page.getByRole('button', { name: 'Write Files' }).click();
    await page.getByText('The shares have to be numbers that make 100 per cent together').waitFor();
    await page.getByText('This has to be a whole number from 1 to 100,000').waitFor();
    assert.strictEqual(host.prepared, undefined);
    assert.strictEqual(await page.evaluate(() => document.activeElement?.id), 'keep-words');
    await page.getByLabel('Words kept of a text').fill('200');
    await page.getByLabel('Validation', { exact: true }).fill('0');
    await page.getByLabel('Leave out rows that repeat a text').uncheck();
    await page.getByLabel('Leave out texts that come with different labels').check();
    await page.getByRole('button', { name: 'Write Files' }).click();
    await page.locator('.prepared', { hasText: 'reviews-train.csv' }).waitFor();
    const { data, ...rest } = host.prepared!;
    assert.strictEqual(data.labelColumn, 'sentiment');
    assert.deepStrictEqual(rest, { labelValues: [{ from: 'positive', to: 'good' }, { from: 'neutral', to: '' }], dropContradictory: true, words: 200, dropRepeats: false, shares: { train: 0.8, valid: 0, test: 0.2 }, seed: 1 });
    await page.getByRole('button', { name: 'Train on This' }).click();
    await page.locator('.file-name', { hasText: 'reviews-train.csv' }).waitFor();
    assert.strictEqual(await page.getByLabel('Label column').inputValue(), 'sentiment');
    await close();
  });

  it('every hyperparameter has a field with its range, its default and its help, and explains beside itself what cannot be', async () => {
    const { page, host, close } = await openTraining(stage);
    await page.getByRole('tab', { name: 'Model' }).click();
    await page.getByText(/^More \(/).click();
    const fields = page.locator('.hyperparameter :is(input, select)');
    for (const field of await fields.all()) {
      const described = await field.evaluate((element) => (element.getAttribute('aria-describedby') ?? '').split(' ').map((id) => document.getElementById(id)?.textContent ?? '').join(' | '));
      assert.match(described, /default /);
      assert.strictEqual(await field.evaluate((element: HTMLInputElement | HTMLSelectElement) => element.labels?.length), 1);
    }
    const hidden = page.getByLabel('Hidden units', { exact: true });
    await hidden.fill('30');
    await page.locator('#hyperparameter-hiddenUnits-problem', { hasText: 'Choose 32, for example.' }).waitFor();
    assert.strictEqual(await hidden.getAttribute('aria-invalid'), 'true');
    await page.getByLabel('Dropout', { exact: true }).fill('much');
    await page.locator('#hyperparameter-dropout-problem', { hasText: 'Choose a number from 0 to 0.9.' }).waitFor();
    await page.getByLabel('Learning-rate schedule', { exact: true }).selectOption('linear');
    await page.getByText('changed: 3', { exact: true }).waitFor();
    await page.getByText(/^More \(.*changed: 1\)$/).waitFor();
    // what is wrong keeps the training from beginning, and leads back to its field
    await page.getByRole('tab', { name: 'Train' }).click();
    await page.getByRole('button', { name: 'Start Training' }).click();
    await page.getByRole('button', { name: 'Correct this hyperparameter: Hidden units.' }).click();
    await page.waitForFunction(() => document.activeElement?.id === 'hyperparameter-hiddenUnits');
    assert.ok(!host.asked.includes('train'));
    await page.getByRole('button', { name: 'Reset Hidden units to its default' }).click();
    assert.strictEqual(await hidden.inputValue(), '');
    assert.strictEqual(await hidden.getAttribute('aria-invalid'), null);
    // what is set to the default is no change
    await hidden.fill('64');
    await page.getByText('changed: 2', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Reset All' }).click();
    await page.getByText('all as the preset has them').first().waitFor();
    assert.strictEqual(await page.getByLabel('Learning-rate schedule', { exact: true }).inputValue(), 'constant');
    await close();
  });

  it('a base keeps its architecture, and only models of the kind are offered', async () => {
    const { page, host, close } = await openTraining(stage);
    await page.locator('.label-counts').waitFor();
    await page.getByRole('tab', { name: 'Model' }).click();
    const base = page.getByLabel('Model to start from');
    assert.deepStrictEqual(await base.locator('option').evaluateAll((options) => options.map((option) => (option as HTMLOptionElement).value)), ['', 'sentiment', 'reviews/v1']);
    await base.selectOption('reviews/v1');
    await page.getByText('reviews/v1 keeps what it knows').waitFor();
    assert.ok(await page.locator('#preset-bilstm-pool').isDisabled());
    await page.getByRole('tab', { name: 'Train' }).click();
    await page.getByRole('button', { name: 'Start Training' }).click();
    await page.locator('.live', { hasText: 'Reading' }).waitFor();
    assert.strictEqual(host.trained?.base, 'reviews/v1');
    await close();
  });

  it('checks with the rows of another file, by keyboard, and goes back to the share', async () => {
    const { page, host, close } = await openTraining(stage);
    await page.locator('.label-counts').waitFor();
    await tabTo(page, 'held-out-share');
    await page.keyboard.press('ArrowDown');
    await page.waitForFunction(() => document.activeElement?.id === 'held-out-file');
    assert.strictEqual(await page.locator('#held-out').isVisible(), false);
    // nothing is chosen yet
    await page.locator('#held-out-name', { hasText: 'No file is chosen.' }).waitFor();
    await page.locator('#tab-train').click();
    await page.getByRole('button', { name: 'Start Training' }).click();
    await page.getByRole('button', { name: 'Choose the file of held-out rows, or hold out a share.' }).click();
    await page.waitForFunction(() => document.activeElement?.id === 'choose-held-out');
    // the person changes their mind, then chooses the file itself, and one that lacks columns
    host.heldOut = null;
    await page.keyboard.press('Enter');
    while (!host.asked.includes('choose held out')) await page.evaluate(() => new Promise(requestAnimationFrame));
    assert.strictEqual(await page.locator('#held-out-name').textContent(), 'No file is chosen.');
    host.heldOut = reviews;
    await page.keyboard.press('Enter');
    await page.getByRole('alert').filter({ hasText: 'reviews.csv is the file to train on.' }).waitFor();
    host.heldOut = { ...checks, columns: checks.columns.slice(1) };
    await page.keyboard.press('Enter');
    await page.getByRole('alert').filter({ hasText: 'checks.csv lacks these columns: text.' }).waitFor();
    await page.locator('#tab-train').click();
    await page.getByRole('button', { name: 'Start Training' }).click();
    await page.locator('.missing', { hasText: 'checks.csv lacks these columns: text.' }).waitFor();
    assert.ok(!host.asked.includes('train'));
    // the dialog cannot be shown
    host.failure = 'checks.csv cannot be read. Choose another file.';
    host.heldOut = checks;
    await page.locator('#tab-data').click();
    await page.getByRole('button', { name: 'Choose a File of Held-Out Rows…' }).click();
    await page.getByRole('alert').filter({ hasText: 'checks.csv cannot be read.' }).waitFor();
    // letter case and order of the columns do not matter
    await page.getByRole('button', { name: 'Choose a File of Held-Out Rows…' }).click();
    await page.waitForFunction(() => document.getElementById('held-out-file-problem')?.textContent === '');
    await page.locator('#tab-train').click();
    await page.locator('.plan', { hasText: 'Held outchecks.csv' }).waitFor();
    await page.getByRole('button', { name: 'Start Training' }).click();
    await page.locator('.live', { hasText: 'Reading reviews.csv…' }).waitFor();
    assert.deepStrictEqual(host.trained?.heldOut, { file: checks.id });
    host.tellTraining({ ...running, status: 'reading', reading: { file: 'checks.csv', rows: 1234 } });
    await page.locator('.live', { hasText: 'Reading checks.csv: 1,234 rows…' }).waitFor();
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.locator('#tab-data').click();
    await page.getByLabel('A share of these rows').check();
    assert.strictEqual(await page.locator('#held-out').inputValue(), '10');
    await page.locator('#tab-train').click();
    await page.locator('.plan', { hasText: 'Held out10 %' }).waitFor();
    await page.getByRole('button', { name: 'Continue Training' }).click();
    await page.locator('.live', { hasText: 'Reading reviews.csv…' }).waitFor();
    assert.deepStrictEqual(host.trained?.heldOut, { share: 0.1 });
    await close();
  });

  it('holds out the validation rows that were prepared', async () => {
    const { page, host, close } = await openTraining(stage);
    await page.locator('.label-counts').waitFor();
    await page.getByText('Prepare…').click();
    await page.getByRole('button', { name: 'Write Files' }).click();
    await page.getByRole('button', { name: 'Train on This' }).click();
    await page.locator('.file-name', { hasText: 'reviews-train.csv' }).waitFor();
    await page.getByRole('button', { name: 'Hold Out This' }).click();
    await page.locator('#held-out-name', { hasText: 'reviews-valid.csv' }).waitFor();
    await page.getByRole('status').filter({ hasText: 'The rows of reviews-valid.csv are held out' }).waitFor();
    await page.getByRole('tab', { name: 'Train' }).click();
    await page.getByRole('button', { name: 'Start Training' }).click();
    await page.locator('.live', { hasText: 'Reading' }).waitFor();
    assert.deepStrictEqual([host.trained?.data.file, host.trained?.heldOut], ['file:///hotel/reviews-train.csv', { file: 'file:///hotel/reviews-valid.csv' }]);
    await close();
  });

  it('starts from word vectors, which decide the embedding size, unless there is a base', async () => {
    const { page, host, close } = await openTraining(stage);
    await page.locator('.label-counts').waitFor();
    await page.getByRole('tab', { name: 'Model' }).click();
    await page.locator('#vectors-name', { hasText: 'None: they begin at random.' }).waitFor();
    assert.strictEqual(await page.getByRole('button', { name: 'Remove Word Vectors' }).isVisible(), false);
    const size = page.getByLabel('Embedding size', { exact: true });
    await size.fill('96');
    await page.getByText('changed: 1', { exact: true }).waitFor();
    await tabTo(page, 'choose-vectors');
    await page.keyboard.press('Enter');
    await page.locator('#vectors-name', { hasText: 'glove.6B.100d.txt' }).waitFor();
    assert.ok(await size.isDisabled());
    assert.strictEqual(await size.getAttribute('placeholder'), null, 'no default that does not count');
    await page.locator('#hyperparameter-embeddingSize-range', { hasText: 'as wide as the vectors of glove.6B.100d.txt' }).waitFor();
    await page.getByText(/^More \(/).click();
    await page.getByLabel('Embedding training', { exact: true }).selectOption('frozen');
    await page.getByRole('tab', { name: 'Train' }).click();
    await page.locator('.plan', { hasText: 'Word vectorsglove.6B.100d.txt' }).waitFor();
    await page.getByRole('button', { name: 'Start Training' }).click();
    await page.locator('.live', { hasText: 'Reading' }).waitFor();
    assert.deepStrictEqual([host.trained?.vectors, host.trained?.hyperparameters], ['file:///vectors/glove.6B.100d.txt', { embeddingTraining: 'frozen' }]);
    host.tellTraining({ ...running, status: 'reading', reading: { file: 'glove.6B.100d.txt', fraction: 0.428 } });
    await page.locator('.live', { hasText: 'Reading glove.6B.100d.txt: 42 %…' }).waitFor();
    host.tellTraining({ ...trained, notes: ['glove.6B.100d.txt: vectors of 100 numbers for 812 of 900 words of the vocabulary.'] });
    await page.locator('.facts', { hasText: '812 of 900 words' }).waitFor();
    // a base brings its own
    await page.getByRole('tab', { name: 'Model' }).click();
    await page.getByLabel('Model to start from').selectOption('reviews/v1');
    await page.getByText('reviews/v1 brings its own, so none are taken from a file.').waitFor();
    assert.ok(await page.getByRole('button', { name: 'Choose Word Vectors…' }).isDisabled());
    assert.strictEqual(await page.getByRole('button', { name: 'Remove Word Vectors' }).isVisible(), false);
    assert.ok(await size.isEnabled());
    await page.getByRole('tab', { name: 'Train' }).click();
    await page.getByRole('button', { name: 'Start Training' }).click();
    await page.locator('.live', { hasText: 'Reading' }).waitFor();
    assert.deepStrictEqual([host.trained?.base, host.trained?.vectors], ['reviews/v1', undefined]);
    // what was chosen is still there, until it is taken away
    await page.getByRole('tab', { name: 'Model' }).click();
    await page.getByLabel('Model to start from').selectOption('');
    await page.getByRole('button', { name: 'Remove Word Vectors' }).focus();
    await page.keyboard.press('Enter');
    await page.locator('#vectors-name', { hasText: 'None: they begin at random.' }).waitFor();
    assert.strictEqual(await page.evaluate(() => document.activeElement?.id), 'choose-vectors');
    assert.strictEqual(await size.inputValue(), '96');
    await close();
  });

  it('takes a threshold where the task has one, and says why where it has none', async () => {
    const { page, host, close } = await openTraining(stage);
    await page.locator('.label-counts').waitFor();
    const threshold = page.getByLabel('Decision threshold');
    const help = page.locator('#threshold-help');
    await page.getByRole('tab', { name: 'Model' }).click();
    await help.filter({ hasText: 'Of 3 labels the most probable one is chosen' }).waitFor();
    assert.ok(await threshold.isDisabled());
    await page.getByRole('tab', { name: 'Data' }).click();
    await page.getByLabel('A number', { exact: true }).check();
    await page.getByRole('tab', { name: 'Model' }).click();
    await help.filter({ hasText: 'A number is given as it is' }).waitFor();
    assert.ok(await threshold.isDisabled());
    await page.getByRole('tab', { name: 'Data' }).click();
    await page.getByLabel('Several labels at once').check();
    await page.getByRole('tab', { name: 'Model' }).click();
    await help.filter({ hasText: 'whatever the others' }).waitFor();
    await page.getByRole('tab', { name: 'Data' }).click();
    await page.getByLabel('One label').check();
    await page.getByLabel('Label column').selectOption('title');
    await page.locator('.label-counts', { hasText: 'yes' }).waitFor();
    await page.getByRole('tab', { name: 'Model' }).click();
    await help.filter({ hasText: 'Score from which “yes” is chosen and not “no”' }).waitFor();
    for (const wrong of ['1.01', '-1', 'half', '0,7', 'Infinity']) {
      await threshold.fill(wrong);
      await page.locator('#threshold-problem', { hasText: 'The threshold has to be a number between 0 and 1.' }).waitFor();
      assert.strictEqual(await threshold.getAttribute('aria-invalid'), 'true', wrong);
    }
    await page.getByRole('tab', { name: 'Train' }).click();
    await page.getByRole('button', { name: 'Start Training' }).click();
    await page.getByRole('button', { name: 'The threshold has to be a number between 0 and 1.' }).click();
    await page.waitForFunction(() => document.activeElement?.id === 'threshold');
    assert.ok(!host.asked.includes('train'));
    await threshold.fill('0.35');
    await page.getByRole('tab', { name: 'Train' }).click();
    await page.locator('.plan', { hasText: 'Decision threshold0.35' }).waitFor();
    await page.getByRole('button', { name: 'Start Training' }).click();
    await page.locator('.live', { hasText: 'Reading' }).waitFor();
    assert.strictEqual(host.trained?.threshold, 0.35);
    // where the task has none, what was typed does not count
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('tab', { name: 'Data' }).click();
    await page.getByLabel('A number', { exact: true }).check();
    await page.getByRole('tab', { name: 'Train' }).click();
    await page.getByRole('button', { name: 'Continue Training' }).click();
    await page.locator('.live', { hasText: 'Reading' }).waitFor();
    assert.deepStrictEqual([host.trained?.data.kind, host.trained?.threshold], ['number', undefined]);
    await close();
  });

  it('does not train on the rows to check with because they are in front', async () => {
    const form = { tab: 'train', file: reviews.id, kind: 'single', labelColumn: 'sentiment', textColumns: ['text'], heldOut: '10', heldOutIsFile: true, heldOutFile: checks.id, preset: 'bilstm-pool', typed: {}, compared: [] } as const;
    const { page, host, close } = await openTraining(stage, { form, inFront: checks });
    const plan = page.locator('.plan');
    await plan.filter({ hasText: /reviews\.csv.*checks\.csv/ }).waitFor();
    host.tellTable(checks);
    host.tellTable({ ...reviews, id: 'file:///hotel/others.csv', name: 'others.csv' });
    await page.locator('.file-name', { hasText: 'others.csv' }).waitFor();
    host.tellTable({ ...reviews, id: checks.id, name: checks.name });
    await page.getByRole('tab', { name: 'Train' }).click();
    await plan.filter({ hasText: /others\.csv.*checks\.csv/ }).waitFor();
    await close();
  });

  it('comes back with its other files, and says when one of them is gone', async () => {
    const form = { tab: 'data', file: reviews.id, kind: 'single', labelColumn: 'sentiment', textColumns: ['text'], heldOut: '10', heldOutIsFile: true, heldOutFile: checks.id, vectors: glove.id, threshold: '0.6', preset: 'bilstm-pool', typed: {}, compared: [] } as const;
    const { page, host, close } = await openTraining(stage, { form });
    await page.locator('#held-out-name', { hasText: 'checks.csv' }).waitFor();
    assert.ok(await page.getByLabel('The rows of another file').isChecked());
    await page.getByRole('tab', { name: 'Model' }).click();
    await page.locator('#vectors-name', { hasText: 'glove.6B.100d.txt' }).waitFor();
    assert.strictEqual(await page.getByLabel('Decision threshold').inputValue(), '0.6');
    host.gone = checks.id;
    await page.reload();
    await page.getByRole('alert').filter({ hasText: 'There is no such file any more.' }).waitFor();
    await page.getByRole('tab', { name: 'Data' }).click();
    await page.locator('#held-out-name', { hasText: 'No file is chosen.' }).waitFor();
    assert.ok(await page.getByLabel('The rows of another file').isChecked());
    await page.getByRole('tab', { name: 'Model' }).click();
    await page.locator('#vectors-name', { hasText: 'glove.6B.100d.txt' }).waitFor();
    await close();
  });

  it('shows how a training goes, cancels it, and offers to go on', async () => {
    const { page, host, close } = await openTraining(stage);
    await page.locator('.label-counts').waitFor();
    host.tellTraining({ ...running, continuedAfter: 2 });
    await page.getByRole('tab', { name: 'Train 42 %' }).click();
    const bar = page.getByRole('progressbar', { name: 'Progress of the training' });
    assert.deepStrictEqual([await bar.getAttribute('aria-valuenow'), await bar.getAttribute('aria-valuetext')], ['42', 'Epoch 5 of 10']);
    assert.deepStrictEqual(await page.locator('.figures > div').allTextContents(), ['Epoch5 of 10', 'Batch13 of 34', 'Loss0.3123', 'Speed1,840 texts/s', 'Time left37 s']);
    await page.getByText('An earlier training with the same choices goes on after 2 epochs.').waitFor();
    assert.strictEqual(await page.getByRole('button', { name: 'Start Training' }).isVisible(), false);
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('button', { name: 'Continue Training' }).waitFor();
    assert.ok(host.asked.includes('cancelTraining'));
    await close();
  });

  it('takes the keyboard away from nobody who types elsewhere when a training ends', async () => {
    const { page, host, close } = await openTraining(stage);
    await page.locator('.label-counts').waitFor();
    host.tellTraining(running);
    await page.getByRole('tab', { name: 'Train 42 %' }).click();
    const cancel = page.getByRole('button', { name: 'Cancel' });
    await cancel.focus();
    await leave(page);
    host.tellTraining({ ...running, status: 'stopped', canContinue: true });
    const goOn = page.getByRole('button', { name: 'Continue Training' });
    await goOn.waitFor();
    assert.strictEqual(await page.evaluate(() => document.activeElement === document.body), true, 'what had the focus is hidden');
    await comeBack(page);
    assert.strictEqual(await goOn.evaluate((button) => button === document.activeElement), true);
    await close();
  });

  it('says what went wrong and what to do, and asks whether to store a model again', async () => {
    const { page, host, close } = await openTraining(stage);
    await page.locator('.label-counts').waitFor();
    await page.getByRole('tab', { name: 'Train' }).click();
    host.failure = 'Models are trained in folders that you trust. Trust this folder, then train again.';
    await page.getByRole('button', { name: 'Start Training' }).click();
    await page.getByRole('alert').filter({ hasText: 'Trust this folder, then train again.' }).waitFor();
    await page.getByRole('button', { name: 'Close' }).click();
    host.tellTraining({ ...running, status: 'failed', error: 'reviews.csv: no row has a value in the column sentiment. Choose the column that holds the labels.' });
    await page.getByRole('alert').filter({ hasText: 'Choose the column that holds the labels.' }).waitFor();
    assert.ok(await page.getByRole('button', { name: 'Start Training' }).isVisible());
    host.tellTraining({ ...running, status: 'notStored', error: 'The disk is full. Make room, then try again.' });
    await page.getByRole('button', { name: 'Try Again' }).click();
    await page.getByRole('button', { name: 'Give Up' }).click();
    assert.deepStrictEqual(host.asked.filter((each) => each.startsWith('store')), ['storeAgain true', 'storeAgain false']);
    await close();
  });

  it('a report that is renewed keeps its elements, and its rows lead to their file', async () => {
    const { page, host, close } = await openTraining(stage);
    await page.locator('.label-counts').waitFor();
    await page.getByRole('tab', { name: 'Train' }).click();
    host.tellTraining(running);
    host.tellReport([lossSection([1, 0.8]), mistakes]);
    await page.locator('.report-rows').waitFor();
    await page.evaluate(() => Object.assign(window, { kept: [...document.querySelectorAll('.report-section, .report-rows')], figure: document.querySelector('.report-figure') }));
    await page.getByRole('button', { name: 'Go to row 17 of reviews.csv' }).focus();
    host.tellReport([lossSection([1, 0.8, 0.5]), mistakes, { id: 'end', title: 'The end', blocks: [] }]);
    await page.locator('[data-section=end]').waitFor();
    assert.ok(await page.evaluate(() => (window as unknown as { readonly kept: readonly Element[] }).kept.every((each) => each.isConnected)), 'sections and blocks that say the same stay');
    assert.ok(await page.evaluate(() => !(window as unknown as { readonly figure: Element }).figure.isConnected), 'what has changed is drawn anew');
    assert.match((await page.locator('.report-figure svg').getAttribute('aria-label')) ?? '', /falls to 0\.5/);
    await page.keyboard.press('Enter');
    await page.waitForFunction(() => document.activeElement?.textContent === '17');
    assert.deepStrictEqual(host.revealed, ['reviews.csv:17']);
    assert.strictEqual(await page.locator('.report script, .report b').count(), 0, 'texts are no markup');
    await page.getByText('It <script>broke</script>.').waitFor();
    await close();
  });

  for (const [name, svg] of [
    ['a script', '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><script>document.title = "run"</script></svg>'],
    ['an event attribute', '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1" onload="document.title = \'run\'"/>'],
    ['an address', '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><a href="https://example.com"><rect width="1" height="1"/></a></svg>'],
    ['a foreign picture', '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 1 1"><image xlink:href="https://example.com/a.png"/></svg>'],
    ['a paint from elsewhere', '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><rect fill="url( https://example.com/a#b)" width="1" height="1"/></svg>'],
    ['a paint in disguise', '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><rect fill="u\\72l(//example.com/a#b)" width="1" height="1"/></svg>'],
    ['a style', '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><style>* { fill: red }</style></svg>'],
    ['HTML in it', '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><foreignObject><p xmlns="http://www.w3.org/1999/xhtml">hello</p></foreignObject></svg>'],
    ['an animation of an address', '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><set attributeName="href" to="https://example.com"/></svg>'],
    ['no drawing at all', '<html xmlns="http://www.w3.org/1999/xhtml"/>'],
    ['broken XML', '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><g>'],
  ] as const) {
    it(`does not draw a figure with ${name}, and says what it would show`, async () => {
      const { page, host, close } = await openTraining(stage);
      await page.locator('.label-counts').waitFor();
      const asked: string[] = [];
      page.on('request', (request) => asked.push(request.url()));
      host.tellReport([figureOf(curve([1, 0.5])), { ...figureOf(svg), id: 'other' }]);
      await page.getByRole('tab', { name: 'Train' }).click();
      await page.locator('[data-section=other]', { hasText: 'What would be seen: What it shows' }).waitFor();
      assert.strictEqual(await page.locator('[data-section=other] svg').count(), 0);
      assert.strictEqual(await page.locator('[data-section=figure] svg polyline').count(), 1, 'a harmless one is drawn');
      assert.strictEqual(await page.title(), 'Model Training');
      assert.deepStrictEqual(asked, []);
      // the parser says what the policy would have blocked
      await close(/Content Security Policy/);
    });
  }

  it('at the end says how good the model is and where, uses it, and saves and opens the report', async () => {
    const { page, host, close } = await openTraining(stage);
    await page.locator('.label-counts').waitFor();
    host.tellTraining(trained);
    await page.getByRole('tab', { name: 'Train ✓' }).click();
    await page.getByText('reviews v4: 91.7 % of 120 held-out rows right.').waitFor();
    await page.getByText('reviews/v4, in /hotel/.label-lens/reviews/models/v4').waitFor();
    await page.getByRole('button', { name: 'Use This Model' }).click();
    await page.locator('.trained .badge', { hasText: 'in use' }).waitFor();
    await page.getByRole('button', { name: 'Save Report…' }).click();
    await page.getByRole('button', { name: 'Open report.html' }).click();
    await page.getByRole('button', { name: 'Open report.md' }).click();
    assert.deepStrictEqual(host.asked.filter((each) => /useModel|saveReport|open/.test(each)), ['useModel', 'saveReport', 'open html', 'open markdown']);
    await close();
  });

  it('compares two models and more on the rows that were chosen', async () => {
    const { page, host, close } = await openTraining(stage);
    await page.locator('.label-counts').waitFor();
    await page.getByRole('tab', { name: 'Compare' }).click();
    const compare = page.getByRole('button', { name: 'Compare', exact: true });
    await page.getByText('Choose two models or more.').waitFor();
    assert.ok(await compare.isDisabled());
    await page.getByLabel('sentiment').check();
    await page.getByLabel('reviews/v1').check();
    await compare.click();
    await page.getByRole('progressbar', { name: 'Progress of the comparison' }).waitFor();
    assert.deepStrictEqual(host.compared, { data: { file: 'file:///hotel/reviews.csv', kind: 'single', labelColumn: 'sentiment', textColumns: ['text'] }, models: ['sentiment', 'reviews/v1'] });
    await page.getByRole('button', { name: 'Cancel' }).click();
    host.tellComparison({ status: 'done', models: ['sentiment', 'reviews/v1'], file: 'reviews.csv', sections: [lossSection([1])] });
    await page.locator('.report-table').waitFor();
    host.tellComparison({ status: 'failed', models: ['sentiment', 'reviews/v1'], file: 'reviews.csv', sections: [], error: 'The models have other labels than the file. Choose others.' });
    await page.getByRole('alert').filter({ hasText: 'Choose others.' }).waitFor();
    await close();
  });

  it('comes back as it was left, with the training that runs', async () => {
    const { page, host, close } = await openTraining(stage);
    await page.locator('.label-counts').waitFor();
    await page.getByRole('tab', { name: 'Model' }).click();
    await page.getByLabel('Batch size', { exact: true }).fill('128');
    host.tellTraining(running);
    host.tellReport([lossSection([1, 0.7])]);
    await page.waitForFunction(() => document.querySelector('#tab-train .tab-mark')?.textContent === '42 %');
    const remembered = async (): Promise<void> => {
      while (host.form?.typed['batchSize'] !== '128') await page.evaluate(() => new Promise(requestAnimationFrame));
    };
    await remembered();
    await page.reload();
    await page.getByRole('tab', { name: 'Train 42 %' }).waitFor();
    assert.strictEqual(await page.getByRole('tab', { selected: true }).getAttribute('id'), 'tab-model');
    assert.strictEqual(await page.getByLabel('Batch size', { exact: true }).inputValue(), '128');
    await page.getByRole('tab', { name: 'Train 42 %' }).click();
    await page.locator('.report-figure svg').waitFor();
    await close();
  });

  for (const theme of Object.keys(themes) as Theme[]) {
    it(`axe finds nothing serious in the theme ${theme}, on any tab`, async () => {
      const { page, host, close } = await openTraining(stage, {}, { theme });
      await page.locator('.label-counts').waitFor();
      await page.getByText('Prepare…').click();
      await page.getByLabel('Test', { exact: true }).fill('20');
      await page.getByRole('button', { name: 'Write Files' }).click();
      await page.getByLabel('The rows of another file').check();
      host.heldOut = reviews;
      await page.getByRole('button', { name: 'Choose a File of Held-Out Rows…' }).click();
      await page.getByText('reviews.csv is the file to train on.').waitFor();
      assert.deepStrictEqual(await seriousFindings(page), []);
      await page.getByRole('tab', { name: 'Model' }).click();
      await page.getByRole('button', { name: 'Choose Word Vectors…' }).click();
      await page.getByRole('button', { name: 'Remove Word Vectors' }).waitFor();
      await page.getByText(/^More \(/).click();
      await page.getByLabel('Hidden units', { exact: true }).fill('30');
      await page.getByLabel('Batch size', { exact: true }).fill('64');
      assert.deepStrictEqual(await seriousFindings(page), []);
      await page.getByRole('tab', { name: 'Train' }).click();
      await page.getByRole('button', { name: 'Start Training' }).click();
      await page.locator('.missing button').first().waitFor();
      host.failure = 'The disk is full.';
      host.tellTraining({ ...running, error: 'The disk is full. Make room.' });
      host.tellReport([lossSection([1, 0.6]), mistakes]);
      await page.locator('.report-rows').waitFor();
      assert.deepStrictEqual(await seriousFindings(page), []);
      host.tellTraining(trained);
      await page.locator('.trained').waitFor();
      assert.deepStrictEqual(await seriousFindings(page), []);
      await page.getByRole('tab', { name: 'Compare' }).click();
      assert.deepStrictEqual(await seriousFindings(page), []);
      await close();
    });
  }

  it('fits 320 CSS pixels (a narrow panel, or 200 % zoom) without scrolling sideways', async () => {
    const { page, host, close } = await openTraining(stage, {}, { viewport: { width: 320, height: 640 } });
    await page.locator('.label-counts').waitFor();
    host.tellTraining(trained);
    host.tellReport([lossSection([1, 0.6]), mistakes]);
    await page.getByText('Prepare…').click();
    await page.getByLabel('The rows of another file').check();
    await page.getByRole('button', { name: 'Choose a File of Held-Out Rows…' }).click();
    for (const tab of ['data', 'model', 'train', 'compare']) {
      await page.locator(`#tab-${tab}`).click();
      const panel = page.locator(`#panel-${tab}`);
      await panel.waitFor();
      const widths = await page.evaluate((id) => [document.documentElement, document.getElementById(id)].map((element) => (element ? element.scrollWidth - element.clientWidth : NaN)), `panel-${tab}`);
      assert.deepStrictEqual(widths, [0, 0], tab);
    }
    await close();
  });

  it('keeps still where motion is not wanted, and speaks the person’s language', async () => {
    const strings = JSON.parse(readFileSync('l10n/bundle.l10n.zh-cn.json', 'utf8')) as Record<string, string>;
    const { page, host, close } = await openTraining(stage, { strings, language: 'zh-cn' }, { reducedMotion: 'reduce' });
    await page.locator('.label-counts').waitFor();
    assert.strictEqual(await page.evaluate(() => document.documentElement.lang), 'zh-CN');
    await page.getByRole('tab', { name: '模型' }).click();
    await page.getByLabel('隐藏单元数', { exact: true }).fill('30');
    await page.locator('#hyperparameter-hiddenUnits-problem', { hasText: /\p{Script=Han}.*32/u }).waitFor();
    host.tellTraining(running);
    await page.getByRole('tab', { name: '训练 42' }).click();
    assert.strictEqual(await page.locator('.live .progress-bar').evaluate((bar) => getComputedStyle(bar, '::after').transitionDuration), '0s');
    await close();
  });
});
