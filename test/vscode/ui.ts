import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import type { Browser, FrameLocator, Locator, Page } from 'playwright-core';
import { installChromium, installServer } from '../../scripts/vscode.mjs';
import { installExtension, linkCheckout, startChromium, startServer, type RunningServer } from '../../scripts/vscodeServer.mjs';

/**
 * How long a step may take before it counts as failed, in milliseconds. Two cores take 6 to 9 seconds to the first CodeLens; those of
 * a machine that does much else at the same time took a minute.
 */
export const patience = 180_000;

/** What {@link openVsCode} opens. Every window has a server, a profile and a browser of its own. */
export interface OpenOptions {
  /** Folder whose copy is opened, relative to the repository; the default is `media/sample-workspace`. */
  readonly workspace?: string;
  /** File to open at once, relative to the workspace. */
  readonly file?: string;
  /** `'checkout'`, the default, runs the extension as this checkout has built it; a `.vsix` is installed; `'none'` runs no extension. */
  readonly extension?: 'checkout' | 'none' | { readonly vsix: string };
  /** Machine settings, over the quiet ones that every test has. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** `false` opens the folder in Restricted Mode. */
  readonly trusted?: boolean;
  /** Size of the window in CSS pixels; the default is 1280 × 800. */
  readonly size?: { readonly width: number; readonly height: number };
  /** Device pixels per CSS pixel, for sharp pictures; the default is 1. */
  readonly scale?: number;
}

/**
 * Opens a real VS Code in Chromium on a copy of a folder.
 *
 * @returns once the workbench is on screen, which is before extensions have started
 */
export async function openVsCode(options: OpenOptions = {}): Promise<VsCodeWindow> {
  const installation = await installServer();
  const executable = await installChromium();
  const source = options.workspace ?? path.join('media', 'sample-workspace');
  const scratch = mkdtempSync(path.join(tmpdir(), 'label-lens-window-'));
  const folder = path.join(scratch, path.basename(source));
  cpSync(source, folder, { recursive: true, filter: (name) => path.basename(name) !== '.label-lens' });
  const dataFolder = path.join(scratch, 'data');
  const extensionsFolder = path.join(scratch, 'extensions');
  const extension = options.extension ?? 'checkout';
  let server: RunningServer | undefined;
  let browser: Browser | undefined;
  const close = async () => {
    await browser?.close();
    await server?.stop();
    rmSync(scratch, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  };
  try {
    if (extension === 'checkout') await linkCheckout(extensionsFolder);
    else if (extension !== 'none') await installExtension(installation, extension.vsix, { dataFolder, extensionsFolder });
    server = await startServer(installation, {
      dataFolder,
      extensionsFolder,
      ...(options.settings === undefined ? {} : { settings: options.settings }),
      ...(options.trusted === undefined ? {} : { trusted: options.trusted }),
    });
    browser = await startChromium(executable);
    const page = await browser.newPage({ viewport: options.size ?? { width: 1280, height: 800 }, deviceScaleFactor: options.scale ?? 1 });
    page.setDefaultTimeout(patience);
    // a page that is left asks whether to stay when an editor has unsaved changes
    page.on('dialog', (dialog) => void dialog.accept());
    await page.goto(
      server.address({
        folder,
        ...(options.file === undefined ? {} : { file: path.join(folder, options.file) }),
      }),
    );
    await page.locator('.monaco-workbench .part.statusbar').waitFor();
    return new VsCodeWindow(page, folder, server, close);
  } catch (error) {
    console.error(server?.log());
    await close();
    throw error;
  }
}

/** The windows that are open: a test that fails leaves a picture of each. */
const openWindows = new Set<VsCodeWindow>();

// the program that takes the README's pictures has no hooks
if (typeof afterEach === 'function')
  afterEach(async function () {
    if (this.currentTest?.state !== 'failed') return;
    for (const window of openWindows) {
      const picture = await window.screenshot(`failed ${this.currentTest.fullTitle()}`.replaceAll(/[^a-z0-9]+/gi, '-').slice(0, 100)).catch(() => undefined);
      if (picture !== undefined) console.log(`        ${picture} shows the window`);
    }
  });

/** A VS Code window and what a person does in it. Every step waits until what it is about is on screen. */
export class VsCodeWindow {
  readonly close: () => Promise<void>;

  constructor(
    readonly page: Page,
    /** The opened copy, absolute. It is removed by {@link close}. */
    readonly folder: string,
    readonly server: RunningServer,
    close: () => Promise<void>,
  ) {
    openWindows.add(this);
    this.close = () => {
      openWindows.delete(this);
      return close();
    };
  }

  /** Opens a file through Quick Open and waits until its editor is the active one. @param file relative to the workspace, with `/` */
  async openFile(file: string): Promise<void> {
    await this.pick('', file, (row) => row.filter({ hasText: path.posix.basename(file) }));
    await this.editor(path.posix.basename(file)).waitFor();
  }

  /** The tab of an open file, as long as it is the active one. */
  editor(name: string): Locator {
    return this.page.locator(`.tab.active[data-resource-name="${name}"]`);
  }

  /** Runs a command by the title that the palette shows, for example `Label Lens: Classify Selection`. */
  async runCommand(title: string): Promise<void> {
    await this.pick('>', title, (row) => row.filter({ has: this.page.locator('.label-name', { hasText: new RegExp(`^${escape(title)}$`) }) }));
  }

  /** Chooses a file of the workspace's folder in the dialog that a command has opened: in this VS Code a list under an input, which the dialog fills itself, so nothing is typed. */
  async chooseFile(name: string): Promise<void> {
    await this.quickPick().filter({ hasText: name }).first().click();
    await this.page.locator(quickInput).waitFor({ state: 'hidden' });
  }

  /** The rows of the quick pick that is open, for the picks that commands show. */
  quickPick(): Locator {
    return this.page.locator('.quick-input-widget:not([style*="display: none"]) .quick-input-list .monaco-list-row');
  }

  /** All CodeLenses that are on screen, from top to bottom, each with the text of its whole line. */
  codeLenses(): Locator {
    return this.page.locator('.codelens-decoration');
  }

  /** Waits for the first CodeLens whose text matches. */
  async waitForCodeLens(text: string | RegExp): Promise<Locator> {
    const lens = this.codeLenses().filter({ hasText: text }).first();
    await lens.waitFor();
    return lens;
  }

  /** The annotations at line ends that are on screen, from top to bottom: what decorations put after the text, which no selector finds. */
  async lineAnnotations(): Promise<string[]> {
    return this.page.evaluate<string[]>(`(${readLineAnnotations})()`);
  }

  /** Waits until an annotation at a line's end matches. */
  async waitForLineAnnotation(pattern: RegExp): Promise<void> {
    await this.page.waitForFunction(`(${readLineAnnotations})().some((text) => ${pattern}.test(text))`);
  }

  /** Waits until no annotation stands at a line's end. */
  async waitForNoLineAnnotation(): Promise<void> {
    await this.page.waitForFunction(`(${readLineAnnotations})().length === 0`);
  }

  /** The items of the status bar whose text or tooltip matches. */
  statusBarItem(text: string | RegExp): Locator {
    return this.page.locator('.statusbar-item').filter({ hasText: text });
  }

  /** The notifications that are on screen. */
  notification(text: string | RegExp): Locator {
    return this.page.locator('.notifications-toasts .notification-list-item').filter({ hasText: text });
  }

  /** The inside of the webview that is on screen: two frames deep. */
  webview(): FrameLocator {
    return this.page.frameLocator('iframe.webview').frameLocator('#active-frame');
  }

  /** Waits until what is on screen has stood still for a moment: two equal pictures in a row. */
  async settle(): Promise<void> {
    for (let before = '', tries = 0; tries < 40; tries++) {
      const now = (await this.page.screenshot({ animations: 'disabled', caret: 'hide' })).toString('base64');
      if (now === before) return;
      before = now;
    }
    throw new Error('The window does not come to rest.');
  }

  /** Writes what is on screen to `build/screenshots/NAME.png`, or to a path that ends in `.png`. @returns the path */
  async screenshot(name: string): Promise<string> {
    const file = name.endsWith('.png') ? name : path.join('build', 'screenshots', `${name}.png`);
    mkdirSync(path.dirname(file), { recursive: true });
    await this.page.screenshot({ path: file, caret: 'initial' });
    return file;
  }

  /** Opens Quick Open or the palette, types, and takes the first row that `choose` leaves. */
  private async pick(prefix: string, text: string, choose: (row: Locator) => Locator): Promise<void> {
    const input = this.page.locator(quickInput);
    await this.page.keyboard.press(prefix === '' ? 'Control+P' : 'F1');
    await input.waitFor();
    await input.fill(`${prefix}${text}`);
    const row = choose(this.quickPick()).first();
    // the palette lists what was enabled when it was opened, so on a busy machine it may have come too early
    if (!(await row.waitFor({ timeout: 30_000 }).then(() => true, () => false))) {
      await this.page.keyboard.press('Escape');
      await input.waitFor({ state: 'hidden' });
      await this.page.keyboard.press(prefix === '' ? 'Control+P' : 'F1');
      await input.waitFor();
      await input.fill(`${prefix}${text}`);
    }
    await row.click();
    // gone, or another pick already, which the command has opened
    await this.page.waitForFunction(`(() => {
      const input = document.querySelector(${JSON.stringify(quickInput)});
      return !input?.checkVisibility() || input.value !== ${JSON.stringify(prefix + text)};
    })()`);
    // where the row was, the pointer would rest on something that shows a tooltip
    await this.page.mouse.move(1, 1);
  }
}

/** Where a person types in Quick Open, in the palette and in the picks of commands. */
const quickInput = '.quick-input-widget .quick-input-filter input';

/** Runs in the page. Tests know no DOM, and this is the only place that needs one, hence a string. */
const readLineAnnotations = `() => {
  const lines = [...document.querySelectorAll('.editor-instance .view-lines .view-line')];
  lines.sort((a, b) => a.getBoundingClientRect().top - b.getBoundingClientRect().top);
  return lines.flatMap((line) => {
    const texts = [...line.querySelectorAll('span')].map((span) => getComputedStyle(span, '::after').content);
    const text = texts.filter((content) => content.startsWith('"')).map((content) => JSON.parse(content)).join('');
    return text === '' ? [] : [text.replaceAll('\\u00a0', ' ').trim()];
  });
}`;

function escape(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
