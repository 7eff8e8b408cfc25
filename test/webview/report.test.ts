import * as assert from 'node:assert';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser } from 'playwright-core';
import { reportHtml } from '../../src/core/report/html';
import { startChromium } from '../../scripts/vscodeServer.mjs';
import { sampleReports } from '../fixtures/reports';
import { seriousFindings } from './axe';

describe('a saved report', () => {
  let browser: Browser;
  let folder: string;
  let files: readonly string[];

  before(async () => {
    browser = await startChromium(process.env['LABEL_LENS_CHROMIUM'] ?? '/usr/bin/chromium');
    folder = mkdtempSync(path.join(tmpdir(), 'label-lens-report-'));
    files = Object.entries(await sampleReports()).map(([name, document]) => {
      const file = path.join(folder, `${name}.html`);
      writeFileSync(file, reportHtml(document));
      return file;
    });
  });

  after(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  for (const colorScheme of ['light', 'dark'] as const) {
    it(`opens from the disk with no request, no error and nothing serious for axe, ${colorScheme}`, async () => {
      const context = await browser.newContext({ colorScheme, viewport: { width: 1200, height: 900 } });
      for (const file of files) {
        const page = await context.newPage();
        const requests: string[] = [];
        const wrong: string[] = [];
        page.on('request', (request) => requests.push(request.url()));
        page.on('console', (message) => wrong.push(message.text()));
        page.on('pageerror', (error) => wrong.push(error.message));
        await page.goto(pathToFileURL(file).href);
        assert.ok((await page.locator('svg[role=img]').count()) > 0);
        assert.strictEqual(await page.locator('section b').count(), 0, 'a text is no markup');
        for (const summary of await page.locator('summary').all()) await summary.click();
        // axe looks at each mark of a picture and takes minutes over thousands of them; these two have no other parts than the others
        const isLarge = /fifty|joint/.test(path.basename(file));
        const background = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
        assert.strictEqual(background, colorScheme === 'light' ? 'rgb(255, 255, 255)' : 'rgb(21, 25, 31)');
        if (!isLarge) assert.deepStrictEqual(await seriousFindings(page, ['color-contrast', 'svg-img-alt']), []);
        assert.deepStrictEqual([requests, wrong], [[pathToFileURL(file).href], []]);
        await page.close();
      }
      await context.close();
    });
  }

  it('draws nothing outside its pictures', async () => {
    const page = await browser.newPage({ viewport: { width: 1200, height: 900 } });
    for (const file of files) {
      await page.goto(pathToFileURL(file).href);
      const outside = await page.evaluate(() =>
        Array.from(document.querySelectorAll('svg'), (svg) => {
          const frame = svg.getBoundingClientRect();
          return Array.from(svg.querySelectorAll('text, path, rect, circle'), (each) => ({ box: each.getBoundingClientRect(), text: each.outerHTML })).filter(
            ({ box }) => box.left < frame.left - 1 || box.right > frame.right + 1 || box.top < frame.top - 1 || box.bottom > frame.bottom + 1,
          );
        }).flatMap((all) => all.map(({ text }) => text)),
      );
      assert.deepStrictEqual(outside, [], file);
    }
    await page.close();
  });

  it('is light on paper, and fits 320 pixels but for its tables', async () => {
    const context = await browser.newContext({ colorScheme: 'dark', viewport: { width: 320, height: 640 } });
    const page = await context.newPage();
    await page.goto(pathToFileURL(files[0]!).href);
    assert.ok(await page.evaluate(() => Array.from(document.querySelectorAll('svg')).every((svg) => svg.getBoundingClientRect().right <= document.documentElement.clientWidth)));
    await page.emulateMedia({ media: 'print' });
    assert.strictEqual(await page.evaluate(() => getComputedStyle(document.body).backgroundColor), 'rgb(255, 255, 255)');
    await context.close();
  });
});
