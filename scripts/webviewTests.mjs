// Runs test/webview/**/*.test.ts: the panel's page, in a real Chromium.
//   node scripts/webviewTests.mjs [part of a path …] [-- mocha arguments]
import { runMochaTests } from './mochaTests.mjs';
import { installChromium, MissingError } from './vscode.mjs';

try {
  // for the tests, which run in a process of their own
  process.env['LABEL_LENS_CHROMIUM'] = await installChromium();
  process.exitCode = await runMochaTests('test/webview', 120_000);
} catch (error) {
  if (!(error instanceof MissingError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
