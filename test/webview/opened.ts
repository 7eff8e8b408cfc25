import * as assert from 'node:assert';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { FakeHost, type FakeTask } from './fakeHost';
import type { Site, Theme } from './site';

export interface Opened {
  readonly page: Page;
  readonly host: FakeHost;
  /** Checks that nothing was written to the console as an error, nothing was thrown and nothing broke the content security policy; then closes the page. */
  readonly close: () => Promise<void>;
}

/** Opens the page in a profile of its own, over a task in memory. */
export async function openPanel(browser: Browser, site: Site, task: FakeTask = {}, { theme = 'dark', ...options }: BrowserContextOptions & { readonly theme?: Theme } = {}): Promise<Opened> {
  const context = await browser.newContext({ viewport: { width: 1200, height: 800 }, ...options });
  const page = await context.newPage();
  const wrong: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') wrong.push(message.text());
  });
  page.on('pageerror', (error) => wrong.push(error.stack ?? String(error)));
  const host = new FakeHost(task);
  await host.attach(page);
  await page.goto(site.page(theme));
  await page.locator(task.noTask ? '.welcome' : '.top-bar').waitFor();
  return {
    page,
    host,
    close: async () => {
      await context.close();
      assert.deepStrictEqual(wrong, []);
    },
  };
}

/** The number at the end of the text on the screen (see `reviewText`), once there is one. */
export async function shownPosition(page: Page): Promise<number> {
  const text = await page.locator('.item .text').textContent();
  return Number(/(\d+)\.$/.exec(text ?? '')?.[1]);
}

export async function waitForPosition(page: Page, position: number): Promise<void> {
  await page.locator('.item .text').filter({ hasText: new RegExp(`Review number ${position}\\.$`) }).waitFor();
}
