// @ts-check
// Runs the extension in a real VS Code.
//   node scripts/testVscode.mjs [suite] [ui] [installed] [part of a path …] [-g PATTERN] [--no-build]
//
// suite      test/vscode/suite/: mocha inside the extension host, the extension in development mode
// ui         test/vscode/ui/: mocha outside, which drives the window through Playwright
// installed  test/vscode/installed/: mocha inside the extension host, the extension installed from label-lens.vsix
//
// suite and installed run in the desktop VS Code where there is one, else in code-server and Chromium; ui always in the latter.
import * as esbuild from 'esbuild';
import { spawn } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { readCounts, resultsFolder, testFiles, writeCounts } from './results.mjs';
import { findOrInstallDesktop, installChromium, installServer, MissingError } from './vscode.mjs';
import { installExtension, quietSettings, startChromium, startServer } from './vscodeServer.mjs';

/** How long a whole suite may take inside the extension host, in milliseconds, before it counts as hung. */
const suiteTimeout = 15 * 60_000;
/** What test/vscode/run.ts puts before the lines that are its own. */
const mark = 'test│ ';

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: { grep: { type: 'string', short: 'g' }, build: { type: 'boolean', default: true } },
  allowNegative: true,
});
const allStages = /** @type {const} */ (['suite', 'ui', 'installed']);
const named = allStages.filter((stage) => positionals.includes(stage));
const parts = positionals.filter((part) => !allStages.some((stage) => stage === part));
const stages = (named.length > 0 ? named : allStages).filter((stage) => testFiles(`test/vscode/${stage}`, parts).length > 0);

/**
 * Runs a program of this checkout to its end, with its output on ours.
 * @param {readonly string[]} args of Node
 * @param {NodeJS.ProcessEnv} [env]
 */
async function node(args, env = {}) {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'], env: { ...process.env, ...env } });
  return /** @type {number | null} */ (await new Promise((done, failed) => child.on('close', done).on('error', failed)));
}

/** @param {readonly string[]} args */
async function mustRun(args) {
  const code = await node(args);
  if (code !== 0) throw new Error(`node ${args.join(' ')} failed (exit code ${code}).`);
}

/**
 * Bundles a stage's test files (and, for those that run inside the extension host, the loader) into build/test/STAGE/.
 * @param {typeof allStages[number]} stage
 * @returns {Promise<string>} the folder, absolute
 */
async function bundle(stage) {
  const inHost = stage !== 'ui';
  const folder = resolve('build', 'test', stage);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  /** @type {esbuild.BuildOptions} */
  const options = {
    outdir: folder,
    bundle: true,
    packages: 'external',
    platform: 'node',
    target: 'node20',
    format: inHost ? 'cjs' : 'esm',
    outExtension: { '.js': inHost ? '.js' : '.mjs' },
    sourcemap: 'inline',
    logLevel: 'warning',
  };
  await esbuild.build({ ...options, entryPoints: testFiles(`test/vscode/${stage}`, parts), outbase: `test/vscode/${stage}` });
  if (inHost) {
    await esbuild.build({ ...options, entryPoints: { index: 'test/vscode/run.ts' } });
    await writeFile(join(folder, 'options.json'), JSON.stringify(flags.grep === undefined ? {} : { grep: flags.grep }));
    // an extension that holds nothing but the tests, for when the real one must not come from this checkout
    await writeFile(join(folder, 'package.json'), JSON.stringify({ name: 'label-lens-test-helper', publisher: 'label-lens-test', version: '0.0.0', engines: { vscode: '^1.100.0' } }));
  }
  return folder;
}

/**
 * @typedef {object} HostRun
 * @property {string} stage
 * @property {string} folder the bundled tests
 * @property {string} workspace
 * @property {string} extension folder of the extension in development mode
 * @property {string} [vsix] an extension to install first
 */

/** @param {HostRun} run */
async function runInServer({ stage, folder, workspace, extension, vsix }) {
  const installation = await installServer();
  const executable = await installChromium();
  const dataFolder = await mkdtemp(join(tmpdir(), 'label-lens-vscode-'));
  const extensionsFolder = join(dataFolder, 'extensions');
  if (vsix) await installExtension(installation, vsix, { dataFolder, extensionsFolder });
  const server = await startServer(installation, { dataFolder, extensionsFolder, automation: true });
  const browser = await startChromium(executable);
  let passed = false;
  try {
    const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
    /** @type {Promise<number>} */
    const exit = new Promise((done, failed) => {
      const deadline = setTimeout(() => failed(new Error(`The suite did not end within ${suiteTimeout / 60_000} minutes.`)), suiteTimeout);
      deadline.unref();
      page.on('crash', () => failed(new Error('The page crashed.')));
      void server.ended.then((code) => failed(new Error(`VS Code's server ended during the suite (exit code ${code}). It printed:\n${server.log()}`)));
      page
        .exposeFunction('codeAutomationExit', (/** @type {number} */ code) => done(code))
        .then(() => page.exposeFunction('codeAutomationLog', (/** @type {string} */ _type, /** @type {unknown[]} */ args) => show(args.join(' '))))
        .then(() => page.goto(server.address({ folder: workspace, extension, tests: join(folder, 'index.js') })))
        .catch(failed);
    });
    try {
      passed = (await exit) === 0;
    } finally {
      if (!passed) {
        const logs = resolve('build', 'test-logs', stage);
        await rm(logs, { recursive: true, force: true });
        await cp(join(dataFolder, 'data', 'logs'), logs, { recursive: true }).catch(() => undefined);
        await mkdir('build/screenshots', { recursive: true });
        await page.screenshot({ path: `build/screenshots/failed-${stage}.png`, timeout: 5000 }).catch(() => undefined);
        console.log(`The logs of VS Code are in ${logs}, and build/screenshots/failed-${stage}.png shows the window.`);
      }
    }
  } finally {
    await browser.close();
    await server.stop();
    await rm(dataFolder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
  return passed;
}

/** Prints the suite's own lines out of everything that a window logs. @param {string} text */
function show(text) {
  for (const line of text.split('\n')) if (line.includes(mark)) console.log(line.slice(line.indexOf(mark) + mark.length));
}

/**
 * @param {string} executable
 * @param {HostRun} run
 */
async function runInDesktop(executable, { folder, workspace, extension, vsix }) {
  const { resolveCliArgsFromVSCodeExecutablePath, runTests } = await import('@vscode/test-electron');
  const dataFolder = await mkdtemp(join(tmpdir(), 'label-lens-vscode-'));
  const folders = [`--user-data-dir=${join(dataFolder, 'data')}`, `--extensions-dir=${join(dataFolder, 'extensions')}`];
  try {
    await mkdir(join(dataFolder, 'data', 'User'), { recursive: true });
    await writeFile(join(dataFolder, 'data', 'User', 'settings.json'), JSON.stringify(quietSettings));
    if (vsix) {
      const [cli, ...args] = resolveCliArgsFromVSCodeExecutablePath(executable, { reuseMachineInstall: true });
      const child = spawn(String(cli), [...args, ...folders, '--install-extension', vsix], { stdio: 'inherit', shell: process.platform === 'win32' });
      const code = await new Promise((done, failed) => child.on('close', done).on('error', failed));
      if (code !== 0) throw new Error(`VS Code did not install ${vsix} (exit code ${code}).`);
    }
    const code = await runTests({
      vscodeExecutablePath: executable,
      extensionDevelopmentPath: extension,
      extensionTestsPath: join(folder, 'index.js'),
      launchArgs: [workspace, ...folders, '--disable-workspace-trust', '--skip-welcome', '--skip-release-notes', '--no-sandbox'],
      reuseMachineInstall: true,
    }).catch((error) => {
      console.error(String(error));
      return 1;
    });
    return code === 0;
  } finally {
    await rm(dataFolder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
}

/**
 * Runs the tests of a stage inside an extension host, on a copy of the sample workspace.
 * @param {'suite' | 'installed'} stage
 * @param {string | undefined} desktop
 */
async function runInHost(stage, desktop) {
  const folder = await bundle(stage);
  const installed = stage === 'installed';
  if (installed && (flags.build || !existsSync('label-lens.vsix'))) await mustRun(['scripts/package.mjs']);
  const scratch = await mkdtemp(join(tmpdir(), 'label-lens-workspace-'));
  try {
    const workspace = join(scratch, 'sample-workspace');
    await cp(join('media', 'sample-workspace'), workspace, { recursive: true, filter: (name) => !name.endsWith('.label-lens') });
    /** @type {HostRun} */
    const run = { stage, folder, workspace, extension: installed ? folder : resolve('.'), ...(installed ? { vsix: resolve('label-lens.vsix') } : {}) };
    const passed = desktop ? await runInDesktop(desktop, run) : await runInServer(run);
    const file = join(folder, 'counts.json');
    if (!existsSync(file)) throw new Error(`The ${stage} tests left no counts: VS Code ended before they did, or could not load them.`);
    const counts = JSON.parse(await readFile(file, 'utf8'));
    writeCounts(`vscode-${stage}`, counts);
    return passed;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function runUi() {
  const folder = await bundle('ui');
  await installServer();
  await installChromium();
  const args = ['--enable-source-maps', 'node_modules/mocha/bin/mocha.js', '--timeout', '600000', '--reporter', 'scripts/countReporter.cjs', '--recursive', '--extension', 'mjs', folder];
  return (await node([...args, ...(flags.grep === undefined ? [] : ['--grep', flags.grep])], { LABEL_LENS_STAGE: 'vscode-ui' })) === 0;
}

async function main() {
  if (stages.length === 0) throw new MissingError(`No test in test/vscode/ matches ${positionals.join(' ')}.`);
  for (const stage of allStages) await rm(join(resultsFolder, `vscode-${stage}.json`), { force: true });
  if (flags.build && stages.some((stage) => stage !== 'installed')) await mustRun(['esbuild.mjs']);
  const inHost = stages.some((stage) => stage !== 'ui');
  const desktop = inHost ? await findOrInstallDesktop() : undefined;
  if (inHost) console.log(desktop ? `[vscode] The tests run in the desktop VS Code at ${desktop}` : '[vscode] The tests run in code-server and Chromium');
  let good = true;
  for (const stage of stages) {
    console.log(`\n── ${stage}: ${{ suite: 'inside a real VS Code', ui: 'on the screen of a real VS Code', installed: 'label-lens.vsix, installed into a real VS Code' }[stage]}`);
    if (stage === 'ui' && process.platform === 'win32') {
      console.log('Left out: these tests need code-server, which does not run on Windows.');
      continue;
    }
    try {
      const passed = await (stage === 'ui' ? runUi() : runInHost(stage, desktop));
      const counts = readCounts(`vscode-${stage}`);
      if (!passed && (counts === undefined || counts.failed === 0)) writeCounts(`vscode-${stage}`, { passed: counts?.passed ?? 0, failed: 1, skipped: counts?.skipped ?? 0 });
      good &&= passed && counts?.failed === 0;
    } catch (error) {
      if (error instanceof MissingError) throw error;
      good = false;
      console.error(error instanceof Error ? error.message : error);
      writeCounts(`vscode-${stage}`, { passed: 0, failed: 1, skipped: 0 });
    }
  }
  return good;
}

try {
  process.exitCode = (await main()) ? 0 : 1;
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
