// @ts-check
// npm test: types, lint, unit tests, the panel's tests, training in a real Chromium, and the extension in a real VS Code. The last line is "N passed, N failed".
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

if (!existsSync(join('node_modules', '.package-lock.json'))) {
  console.log('node_modules is missing or incomplete: running npm ci');
  const installed = spawnSync('npm', ['ci', '--no-audit', '--no-fund'], { stdio: 'inherit', shell: process.platform === 'win32' });
  if (installed.status !== 0) process.exit(1);
}

/** How long a stage may take, in milliseconds, before it counts as hung. */
const stageTimeout = 45 * 60_000;

/** What ends the stages that run. @type {Set<() => void>} */
const stages = new Set();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.once(signal, () => {
    for (const kill of stages) kill();
    process.exit(130);
  });
}

/** @typedef {import('./results.mjs').Counts} Counts */
const { readCounts, resultsFolder, writeCounts } = await import('./results.mjs');

/**
 * Every stage runs, also after one has failed. A stage that only passes or fails counts as one test; one that ends badly
 * without a failed test of its own counts as one failed test.
 * @param {string} title
 * @param {string} stage name of the file with its counts
 * @param {readonly string[]} command arguments of Node
 */
async function run(title, stage, command) {
  console.log(`\n── ${title}`);
  // a process group of its own: what a stage has started ends with it
  const child = spawn(process.execPath, command, { stdio: ['ignore', 'inherit', 'inherit'], env: { ...process.env, LABEL_LENS_STAGE: stage }, detached: process.platform !== 'win32' });
  const kill = () => {
    try {
      process.kill(process.platform === 'win32' ? Number(child.pid) : -Number(child.pid), 'SIGKILL');
    } catch {
      return; // all of them have ended
    }
  };
  stages.add(kill);
  const deadline = setTimeout(() => {
    console.error(`${title}: not done after ${stageTimeout / 60_000} minutes, stopped.`);
    kill();
  }, stageTimeout);
  const status = await new Promise((done, failed) => child.on('exit', done).on('error', failed));
  clearTimeout(deadline);
  kill();
  stages.delete(kill);
  const left = readdirResults().some((name) => name.startsWith(stage));
  if (!left) writeCounts(stage, { passed: status === 0 ? 1 : 0, failed: status === 0 ? 0 : 1, skipped: 0 });
  else if (status !== 0 && sum(stage).failed === 0) writeCounts(`${stage}-ended-badly`, { passed: 0, failed: 1, skipped: 0 });
}

function readdirResults() {
  return existsSync(resultsFolder) ? readdirSync(resultsFolder).map((name) => name.replace(/\.json$/, '')) : [];
}

/** The counts of all stages whose name begins so. @param {string} [prefix] @returns {Counts} */
function sum(prefix = '') {
  const total = { passed: 0, failed: 0, skipped: 0 };
  for (const name of readdirResults().filter((stage) => stage.startsWith(prefix))) {
    const counts = readCounts(name);
    total.passed += counts?.passed ?? 0;
    total.failed += counts?.failed ?? 0;
    total.skipped += counts?.skipped ?? 0;
  }
  return total;
}

rmSync(resultsFolder, { recursive: true, force: true });
const reporter = ['--reporter', 'scripts/countReporter.cjs'];
const types = async () => {
  const tsc = ['node_modules/typescript/bin/tsc', '--noEmit'];
  await run('types', 'types', tsc);
  await run('types of what runs in browsers', 'web-types', [...tsc, '-p', 'src/platform/web']);
  await run("types of the panel's page", 'page-types', [...tsc, '-p', 'webview']);
  await run("types of the page's tests", 'page-test-types', [...tsc, '-p', 'test/webview']);
};
// side by side: what they say names its file
await Promise.all([types(), run('lint', 'lint', ['node_modules/eslint/bin/eslint.js', '.'])]);
await run('unit tests', 'unit', ['scripts/unitTests.mjs', '--', ...reporter]);
await run("the panel's page in a real Chromium", 'webview', ['scripts/webviewTests.mjs', '--', ...reporter]);
// not "web": a stage's name may not begin another's that ran before
await run('training in a real Chromium', 'browser', ['scripts/webTests.mjs', '--', ...reporter]);
await run('the extension in a real VS Code', 'vscode', ['scripts/testVscode.mjs']);

const total = sum();
console.log('');
// once more at the end: whoever is shown only the last lines of a long run must still see what failed
for (const name of readdirResults()) {
  const { failed = 0, failures = [] } = readCounts(name) ?? {};
  if (failed === 0) continue;
  console.log(`${name}: ${failed} failed`);
  for (const failure of failures.slice(0, 20)) console.log(`  ✘ ${failure.slice(0, 500).replace(/\n/g, '\n    ')}`);
}
if (total.skipped > 0) console.log(`${total.skipped} skipped`);
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed === 0 && total.passed > 0 ? 0 : 1;
