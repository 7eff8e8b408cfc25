// @ts-check
// npm start: builds, and opens a real VS Code on the sample workspace with the extension running in development mode.
//   npm start -- [FOLDER] [--port N] [--profile FOLDER]
import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

/** @param {string} what @param {string} command @param {readonly string[]} args */
function mustRun(what, command, args) {
  console.log(what);
  const { status } = spawnSync(command, args, { stdio: ['ignore', 'inherit', 'inherit'], shell: process.platform === 'win32' });
  if (status !== 0) {
    console.error(`${[command, ...args].join(' ')} failed (exit code ${status}).`);
    process.exit(1);
  }
}

const { values, positionals } = parseArgs({ allowPositionals: true, options: { port: { type: 'string', default: '3210' }, profile: { type: 'string' } } });
const folder = resolve(positionals[0] ?? join('media', 'sample-workspace'));
const wishedPort = Number(values.port);
if (!existsSync(folder) || !(wishedPort >= 0 && wishedPort < 65_536)) {
  console.error(existsSync(folder) ? `--port takes a number from 0 to 65535, not ${values.port}.` : `There is no folder ${folder}. Name one that exists, or none for the sample workspace.`);
  process.exit(2);
}

if (!existsSync(join('node_modules', '.package-lock.json'))) mustRun('node_modules is missing or incomplete: running npm ci', 'npm', ['ci', '--no-audit', '--no-fund']);
mustRun('Building …', process.execPath, ['esbuild.mjs']);

const { findOrInstallDesktop, installFolder, installServer, serverVersion, which } = await import('./vscode.mjs');
const { linkCheckout, quietSettings, startServer } = await import('./vscodeServer.mjs');
// kept between starts, so that what a person arranged is there again
const profile = values.profile ? resolve(values.profile) : join(installFolder, 'start');

try {
  const desktop = await findOrInstallDesktop();
  await (desktop ? startDesktop(desktop) : startInBrowser());
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

/** @param {string} executable */
async function startDesktop(executable) {
  const settings = join(profile, 'data', 'User', 'settings.json');
  mkdirSync(join(settings, '..'), { recursive: true });
  if (!existsSync(settings)) writeFileSync(settings, JSON.stringify(quietSettings, undefined, 2));
  const child = spawn(executable, [folder, `--extensionDevelopmentPath=${resolve('.')}`, `--user-data-dir=${join(profile, 'data')}`, `--extensions-dir=${join(profile, 'extensions')}`, '--disable-workspace-trust', '--skip-welcome', '--skip-release-notes', '--new-window', '--wait'], {
    stdio: 'inherit',
  });
  console.log('Label Lens runs in the VS Code window that opens now. Close the window, or press Ctrl+C here, to stop.');
  process.on('SIGINT', () => child.kill());
  const code = await new Promise((done, failed) => child.on('close', done).on('error', failed));
  process.exitCode = typeof code === 'number' ? code : 0;
}

async function startInBrowser() {
  const installation = await installServer();
  // the address carries a secret: whoever opens this VS Code can run programs as the person who started it
  const token = randomBytes(16).toString('hex');
  const port = (await isFree(wishedPort)) ? wishedPort : 0;
  const extensionsFolder = join(profile, 'extensions');
  await linkCheckout(extensionsFolder);
  const server = await startServer(installation, { port, token, dataFolder: profile, extensionsFolder });
  const address = server.address({ folder });
  console.log(`\nLabel Lens runs in VS Code ${serverVersion(installation)}. Open this address in a browser:\n\n  ${address}\n\nAfter a change, run "npm run build" and reload the page. Press Ctrl+C here to stop.`);
  openBrowser(address);
  const stopped = new Promise((done) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => done(undefined));
  });
  const end = await Promise.race([stopped, server.ended.then((code) => ({ code }))]);
  if (end !== undefined) throw new Error(`VS Code's server ended by itself (exit code ${end.code}). It printed:\n${server.log()}`);
  await server.stop();
}

/** @param {number} port @returns {Promise<boolean>} */
function isFree(port) {
  return new Promise((done) => {
    const probe = createServer();
    probe.once('error', () => done(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => done(true)));
  });
}

/** Opens the person's browser where there is a display; the printed address serves everywhere else. @param {string} address */
function openBrowser(address) {
  const hasDisplay = process.platform !== 'linux' || Boolean(process.env['DISPLAY'] ?? process.env['WAYLAND_DISPLAY']);
  const opener = process.platform === 'darwin' ? 'open' : which('xdg-open');
  if (!hasDisplay || !opener) return;
  spawn(opener, [address], { stdio: 'ignore', detached: true })
    .on('error', () => console.log('The browser did not open by itself.'))
    .unref();
}
