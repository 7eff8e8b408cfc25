import * as assert from 'node:assert';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { createInterface } from 'node:readline';
import { installChromium } from '../../../scripts/vscode.mjs';
import { startChromium } from '../../../scripts/vscodeServer.mjs';
import { patience } from '../ui';

describe('npm start', () => {
  it('prints an address where the sample workspace is open with the extension running, and ends at Ctrl+C', async () => {
    const profile = mkdtempSync(path.join(tmpdir(), 'label-lens-start-'));
    const child = spawn(process.execPath, ['scripts/start.mjs', '--port', '0', '--profile', profile], {
      stdio: ['ignore', 'pipe', 'inherit'],
      // the way without a desktop: that one opens a window of its own on the screen of whoever runs the tests
      env: { ...process.env, LABEL_LENS_VSCODE: 'server', DISPLAY: '', WAYLAND_DISPLAY: '' },
    });
    const ended = once(child, 'close');
    const browser = await startChromium(await installChromium());
    try {
      const printed: string[] = [];
      let address: string | undefined;
      for await (const line of createInterface(child.stdout)) {
        printed.push(line);
        address = /http:\/\/127\.0\.0\.1:\d+\/\S+/.exec(line)?.[0];
        if (address !== undefined) break;
      }
      assert.ok(address, `no address in:\n${printed.join('\n')}`);
      // the token in the address is what lets in
      assert.equal((await fetch(address.replace(/tkn=\w+&/, ''))).status, 403);

      const page = await browser.newPage();
      page.setDefaultTimeout(patience);
      await page.goto(address);
      await page.locator('.explorer-folders-view').getByText('notes.txt').dblclick();
      await page.locator('.codelens-decoration').filter({ hasText: /\d+\s?%/ }).first().waitFor();
    } finally {
      await browser.close();
      child.kill('SIGINT');
      await ended;
      rmSync(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
    }
    assert.equal(child.exitCode, 0);
  });
});
