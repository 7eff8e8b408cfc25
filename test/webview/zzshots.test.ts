import { readFileSync } from 'node:fs';
import { openTraining, useStage } from './opened';
import { curve } from './trainingFakeHost';
const zh = JSON.parse(readFileSync('l10n/bundle.l10n.zh-cn.json', 'utf8')) as Record<string, string>;
describe('shots', () => {
  const stage = useStage();
  for (const [theme, language, width] of [['dark', 'en', 1000], ['light', 'en', 1000], ['light', 'zh-cn', 1000], ['dark', 'en', 320]] as const)
    it(`${theme} ${language}`, async () => {
      const { page, host, close } = await openTraining(stage, language === 'en' ? {} : { strings: zh, language }, { theme, viewport: { width, height: 900 } });
      const shot = async (name: string): Promise<void> => void (await page.screenshot({ path: `/tmp/panel/shots/${theme}-${language}-${width}-${name}.png` }));
      const full = async (): Promise<void> => {
        await page.addStyleTag({ content: '' }).catch(() => undefined);
        const height = await page.evaluate(() => Math.max(...[...document.querySelectorAll('.tab-panel')].map((each) => each.scrollHeight)) + 60);
        await page.setViewportSize({ width, height: Math.min(3000, Math.max(900, height)) });
      };
      await page.locator('.label-counts').waitFor();
      await page.locator('details.prepare summary').click();
      await page.locator('#value-column').selectOption('stars');
      await page.locator('#add-text-column').selectOption('title');
      await page.locator('.label-counts').waitFor();
      await full();
      await shot('data');
      await page.locator('#tab-model').click();
      await page.locator('#hyperparameter-batchSize').fill('64');
      await page.locator('#hyperparameter-dropout').fill('7');
      await page.locator('#hyperparameter-hiddenUnits').fill('30');
      await full();
      await shot('model');
      await page.locator('#tab-train').click();
      await page.locator('#start-training').click();
      await shot('missing');
      for (const name of ['dropout', 'hiddenUnits']) {
        await page.locator('#tab-model').click();
        await page.locator(`#hyperparameter-${name}`).fill('');
      }
      await page.locator('#tab-train').click();
      host.tellTraining({ status: 'running', task: 'reviews', file: 'reviews.csv', fraction: 0.42, notes: [], continuedAfter: 2, progress: { epoch: 5, epochs: 10, batch: 13, batches: 34, loss: 0.3123, examplesPerSecond: 1840, secondsLeft: 37 } });
      host.tellReport([
        { id: 'loss', title: 'Loss', blocks: [{ kind: 'figure', svg: curve([1, 0.8, 0.62, 0.5, 0.41, 0.39, 0.35, 0.31]), caption: 'Training loss over steps', description: 'It falls from 1.0 to 0.31.' }, { kind: 'table', header: ['epoch', 'training loss', 'validation loss', 'accuracy'], numeric: [0, 1, 2, 3], rows: [['1', '0.702', '0.611', '71.2 %'], ['2', '0.512', '0.501', '79.0 %']] }] },
        { id: 'mistakes', title: 'Most confident mistakes', blocks: [{ kind: 'rows', caption: '12 of 120 rows are wrong; the surest 2 of them', header: ['truth', 'predicted', 'score', 'text'], rows: [{ file: 'reviews.csv', row: 17, cells: ['negative', 'positive', '0.97'], text: 'I wanted to love it, and everybody told me that it is quick and quiet, which it was for two whole days.' }, { file: 'reviews.csv', row: 1044, cells: ['neutral', 'negative', '0.93'], text: 'It is a kettle.' }] }] },
      ]);
      await page.locator('.report-rows').waitFor();
      await full();
      await shot('running');
      host.tellTraining({ status: 'done', task: 'reviews', file: 'reviews.csv', fraction: 1, notes: ['39 rows have no label and were left out.'], model: { name: 'reviews/v4', folder: '/work/.label-lens/reviews/models/v4', summary: 'reviews v4: 91.7 % of 120 held-out rows right.', inUse: false, saved: [{ format: 'html', name: 'report.html' }, { format: 'markdown', name: 'report.md' }] } });
      await page.locator('.trained').waitFor();
      await shot('done');
      await page.locator('#tab-compare').click();
      await page.locator('#model-0').check();
      await page.locator('#model-1').check();
      await shot('compare');
      await close();
    });
});
