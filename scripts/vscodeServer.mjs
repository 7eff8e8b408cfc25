// @ts-check
// Starts VS Code's own server out of code-server's package, and Chromium to show it.
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/**
 * @typedef {object} ServerOptions
 * @property {number} [port] 0, the default, lets the system choose a free one
 * @property {string} [token] what the address must carry; without one, everybody on this machine may open it
 * @property {string} [dataFolder] where profile, settings and logs live; the default is a fresh folder, removed at the end
 * @property {string} [extensionsFolder] where packaged extensions are installed; the default is inside the data folder
 * @property {boolean} [automation] makes pages honour `extension` and `tests`; such a window shows no notification toasts
 * @property {boolean} [trusted] false opens folders in Restricted Mode as a first visit would; the default is true
 * @property {Readonly<Record<string, unknown>>} [settings] machine settings, over {@link quietSettings}
 *
 * @typedef {object} PageOptions
 * @property {string} folder the workspace folder, absolute
 * @property {string} [file] a file to open, absolute
 * @property {string} [extension] the folder of an extension to run in development mode, absolute; needs `automation`
 * @property {string} [tests] a CommonJS module that exports `run(): Promise<void>`, run in the extension host, absolute; needs `automation`
 *
 * @typedef {object} RunningServer
 * @property {number} port
 * @property {string} dataFolder
 * @property {string} extensionsFolder
 * @property {(page: PageOptions) => string} address of a window
 * @property {() => string} log what the server has printed so far
 * @property {Promise<number | null>} ended the exit code, once the server has ended
 * @property {() => Promise<void>} stop
 */

/** Settings that leave the window to the extension: no Chat, no welcome page, nothing that asks the network or saves by itself. */
export const quietSettings = {
  'chat.disableAIFeatures': true,
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'workbench.startupEditor': 'none',
  'workbench.tips.enabled': false,
  'extensions.ignoreRecommendations': true,
  'extensions.autoCheckUpdates': false,
  'telemetry.telemetryLevel': 'off',
  'remote.autoForwardPorts': false,
  'git.openRepositoryInParentFolders': 'never',
  'files.autoSave': 'off',
};

/** The host in every address: the remote authority inside the page's address must be the same. */
const host = '127.0.0.1';

/**
 * @param {import('./vscode.mjs').ServerInstallation} installation
 * @param {ServerOptions} [options]
 * @returns {Promise<RunningServer>} once it answers
 */
export async function startServer(installation, options = {}) {
  const fresh = options.dataFolder === undefined;
  const dataFolder = options.dataFolder ?? (await mkdtemp(join(tmpdir(), 'label-lens-vscode-')));
  const extensionsFolder = options.extensionsFolder ?? join(dataFolder, 'extensions');
  await mkdir(join(dataFolder, 'data', 'Machine'), { recursive: true });
  await mkdir(extensionsFolder, { recursive: true });
  await writeFile(join(dataFolder, 'data', 'Machine', 'settings.json'), JSON.stringify({ ...quietSettings, ...options.settings }, undefined, 2));

  const child = spawn(
    installation.node,
    [
      installation.serverMain,
      ...['--host', host, '--port', String(options.port ?? 0)],
      ...(options.token === undefined ? ['--without-connection-token'] : ['--connection-token', options.token]),
      ...serverFolders(dataFolder, extensionsFolder),
      '--disable-telemetry',
      ...(options.trusted === false ? [] : ['--disable-workspace-trust']),
      ...(options.automation ? ['--enable-smoke-test-driver'] : []),
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let log = '';
  /** @type {Promise<number | null>} */
  const ended = new Promise((done) => {
    child.on('close', (code) => done(code));
    child.on('error', (error) => {
      log += `${error}\n`;
      done(null);
    });
  });
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  const port = await new Promise((/** @type {(port: number) => void} */ done, failed) => {
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (/** @type {Buffer} */ chunk) => {
        log = (log + chunk.toString()).slice(-200_000);
        const found = /Extension host agent listening on (\d+)/.exec(log);
        if (found) done(Number(found[1]));
      });
    void ended.then((code) => failed(new Error(`VS Code's server ended (exit code ${code}) before it listened. It printed:\n${log}`)));
  });

  /** @param {string} file */
  const remote = (file) => `vscode-remote://${host}:${port}${encodeURI(resolve(file))}`;
  return {
    port,
    dataFolder,
    extensionsFolder,
    log: () => log,
    ended,
    address({ folder, file, extension, tests }) {
      const payload = [
        ...(extension === undefined ? [] : [['extensionDevelopmentPath', remote(extension)]]),
        ...(tests === undefined ? [] : [['extensionTestsPath', remote(tests)]]),
        ...(file === undefined ? [] : [['openFile', remote(file)]]),
      ];
      const query = [
        ...(options.token === undefined ? [] : [`tkn=${options.token}`]),
        `folder=${encodeURIComponent(resolve(folder)).replaceAll('%2F', '/')}`,
        ...(payload.length === 0 ? [] : [`payload=${encodeURIComponent(JSON.stringify([...payload, ['skipWelcome', 'true']]))}`]),
      ];
      return `http://${host}:${port}/?${query.join('&')}`;
    },
    async stop() {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGTERM');
        const deadline = setTimeout(kill, 5000);
        await ended;
        clearTimeout(deadline);
      }
      process.off('exit', kill);
      if (fresh) await rm(dataFolder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
    },
  };
}

/**
 * The arguments that say where a server keeps things.
 * @param {string} dataFolder
 * @param {string} extensionsFolder
 */
function serverFolders(dataFolder, extensionsFolder) {
  return ['--accept-server-license-terms', '--server-data-dir', dataFolder, '--extensions-dir', extensionsFolder];
}

/**
 * Installs a packaged extension as a person would.
 * @param {import('./vscode.mjs').ServerInstallation} installation
 * @param {string} vsix
 * @param {{ dataFolder: string, extensionsFolder: string }} where
 * @returns {Promise<string>} what VS Code printed
 */
export async function installExtension(installation, vsix, { dataFolder, extensionsFolder }) {
  const child = spawn(installation.node, [installation.serverMain, '--install-extension', resolve(vsix), ...serverFolders(dataFolder, extensionsFolder)], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (/** @type {Buffer} */ chunk) => (output += chunk.toString()));
  const code = await new Promise((done, failed) => child.on('close', done).on('error', failed));
  if (code !== 0) throw new Error(`VS Code did not install ${vsix} (exit code ${code}):\n${output}`);
  return output;
}

/**
 * Makes this checkout an installed extension, by a link: for windows that a person looks at, since development mode in a
 * browser hides notifications. A rebuild shows after the page is reloaded.
 * @param {string} extensionsFolder of a server that is not running
 */
export async function linkCheckout(extensionsFolder) {
  const manifest = /** @type {{ publisher: string, name: string, version: string }} */ (JSON.parse(await readFile('package.json', 'utf8')));
  const id = `${manifest.publisher}.${manifest.name}`;
  await mkdir(extensionsFolder, { recursive: true });
  for (const name of await readdir(extensionsFolder)) if (name.startsWith(`${id}-`)) await rm(join(extensionsFolder, name));
  // the server lists the folder anew where the list is missing, and so reads the manifest anew; an uninstallation is forgotten
  for (const list of ['extensions.json', '.obsolete']) await rm(join(extensionsFolder, list), { force: true });
  await symlink(resolve('.'), join(extensionsFolder, `${id}-${manifest.version}`), 'dir');
}

/**
 * Starts Chromium without a window.
 * @param {string} executablePath
 * @returns {Promise<import('playwright-core').Browser>}
 */
export async function startChromium(executablePath) {
  const { chromium } = await import('playwright-core');
  return chromium.launch({
    executablePath,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
}
