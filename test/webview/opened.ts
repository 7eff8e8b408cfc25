import * as assert from 'node:assert';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { FakeHost, type FakeTask } from './fakeHost';
import { startChromium } from '../../scripts/vscodeServer.mjs';
import { serveSite, type PageName, type Site, type Theme } from './site';
import { TrainingFakeHost, type FakeTraining } from './trainingFakeHost';

export interface Opened<H = FakeHost> {
  readonly page: Page;
  readonly host: H;
  /** Checks that nothing was written to the console as an error, nothing was thrown and nothing broke the content security policy; then closes the page. @param but what is expected there */
  readonly close: (but?: RegExp) => Promise<void>;
}

/** What pages are opened with. */
export interface Stage {
  readonly browser: Browser;
  readonly site: Site;
}

/** A browser and the site with the page, for all tests of the `describe` that calls it; to be read in tests only. */
export function useStage(): Stage {
  let stage: Stage | undefined;
  const ready = (): Stage => {
    assert.ok(stage, 'The stage is there when tests run.');
    return stage;
  };
  before(async () => {
    stage = { site: await serveSite(), browser: await startChromium(process.env['LABEL_LENS_CHROMIUM'] ?? '/usr/bin/chromium') };
  });
  after(async () => {
    await stage?.browser.close();
    await stage?.site.close();
  });
  return {
    get browser() {
      return ready().browser;
    },
    get site() {
      return ready().site;
    },
  };
}

/** As when another part of VS Code gets the keyboard: a browser that is tested says of every page that it has the focus. */
export async function leave(page: Page): Promise<void> {
  await page.evaluate(() => {
    document.hasFocus = () => false;
  });
}

/** After {@link leave}. */
export async function comeBack(page: Page): Promise<void> {
  await page.evaluate(() => {
    document.hasFocus = () => true;
    window.dispatchEvent(new Event('focus'));
  });
}

type PageOptions = BrowserContextOptions & { readonly theme?: Theme };

/** Opens the labelling panel's page in a profile of its own, over a task in memory. */
export async function openPanel(stage: Stage, task: FakeTask = {}, options: PageOptions = {}): Promise<Opened> {
  return await openPage(stage, new FakeHost(task), 'panel', task.noTask ? '.welcome' : '.top-bar', options);
}

/** Opens the training panel's page in a profile of its own, over a host in memory. */
export async function openTraining(stage: Stage, training: FakeTraining = {}, options: PageOptions = {}): Promise<Opened<TrainingFakeHost>> {
  return await openPage(stage, new TrainingFakeHost(training), 'training', '[role=tablist]', options);
}

async function openPage<H extends { readonly line: { attach(page: Page): Promise<void> } }>({ browser, site }: Stage, host: H, name: PageName, ready: string, { theme = 'dark', ...options }: PageOptions): Promise<Opened<H>> {
  const context = await browser.newContext({ viewport: { width: 1200, height: 800 }, ...options });
  const page = await context.newPage();
  const wrong: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') wrong.push(message.text());
  });
  page.on('pageerror', (error) => wrong.push(error.stack ?? String(error)));
  await host.line.attach(page);
  await page.goto(site.page(theme, name));
  await page.locator(ready).waitFor();
  return {
    page,
    host,
    close: async (but) => {
      await context.close();
      assert.deepStrictEqual(but ? wrong.filter((each) => !but.test(each)) : wrong, []);
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
