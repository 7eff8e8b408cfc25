// @ts-check
// Finds or installs a real VS Code: the desktop one where it can be had, else the complete VS Code inside the npm package
// code-server, shown by Chromium. Everything is pinned, lands in .vscode-test/ (which git and vsce ignore) and is kept.
//
// An installation is made in a folder of its own and renamed when it is whole: a run that was killed half-way leaves nothing
// that a later run could take for finished, and two runs at once do not meet.
import { spawn } from 'node:child_process';
import { accessSync, constants, createWriteStream, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';

/** The desktop VS Code that the tests download, where that is possible: the same as the one inside {@link codeServerVersion}. */
export const desktopVersion = '1.139.1';
/** code-server 4.139.1 carries VS Code 1.139.1. */
export const codeServerVersion = '4.139.1';
/** The Node that code-server 4.139 asks for, as the npm package `node` carries it. */
export const nodeVersion = '24.21.0';

/** Where everything that is installed lands. */
export const installFolder = resolve('.vscode-test');

/** What is missing on this machine, in words that end with the command that mends it. */
export class MissingError extends Error {}

/** @param {string} line */
const progress = (line) => console.log(`[vscode] ${line}`);

/**
 * @typedef {object} ServerInstallation
 * @property {string} node path of the Node 24 binary that runs the server
 * @property {string} serverMain path of VS Code's own server-main.js
 */

/**
 * The absolute path of a program in PATH, or undefined.
 * @param {string} name
 */
export function which(name) {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const file = join(folder, name);
    try {
      accessSync(file, constants.X_OK);
      return file;
    } catch {
      continue; // not here: the next folder
    }
  }
  return undefined;
}

const isRoot = process.getuid?.() === 0;

/**
 * Runs a program with its output in `.vscode-test/install.log`; on failure throws with the log's last lines.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ env?: NodeJS.ProcessEnv, cwd?: string }} [options]
 * @returns {Promise<void>}
 */
function runQuietly(command, args, options = {}) {
  mkdirSync(installFolder, { recursive: true });
  const logFile = join(installFolder, 'install.log');
  const log = createWriteStream(logFile, { flags: 'a' });
  log.write(`\n$ ${command} ${args.join(' ')}\n`);
  return new Promise((done, failed) => {
    const child = spawn(command, args, { env: options.env ?? process.env, cwd: options.cwd ?? process.cwd(), stdio: ['ignore', 'pipe', 'pipe'] });
    let tail = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (/** @type {Buffer} */ chunk) => {
        log.write(chunk);
        tail = (tail + chunk.toString()).slice(-4000);
      });
    child.on('error', failed);
    child.on('close', (code, signal) => {
      log.end();
      if (code === 0) done();
      else failed(new Error(`${command} ${args.join(' ')} failed (${signal ?? `exit code ${code}`}). The whole output is in ${logFile}; it ends with:\n${tail.trimEnd()}`));
    });
  });
}

/** The environment for a nested npm: what the person configured, without what the outer `npm run` says about its own package. */
function npmEnvironment() {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^npm_(package_|lifecycle_|command$|execpath$|node_execpath$|config_(local_prefix|ignore_scripts|omit|production|dry_run)$)/i.test(name) && name !== 'NODE_ENV'),
  );
}

/**
 * @param {string} name of the folder in .vscode-test/
 * @param {readonly string[]} needed files that a whole installation has
 * @param {(folder: string) => Promise<void>} install
 * @returns {Promise<string>} the folder
 */
async function installOnce(name, needed, install) {
  const folder = join(installFolder, name);
  const whole = () => needed.every((file) => existsSync(join(folder, file)));
  if (whole()) return folder;

  mkdirSync(installFolder, { recursive: true });
  for (const left of readdirSync(installFolder)) {
    const pid = /^installing-.*-(\d+)$/.exec(left)?.[1];
    if (pid && !isAlive(Number(pid))) rmSync(join(installFolder, left), { recursive: true, force: true });
  }
  const draft = join(installFolder, `installing-${name}-${process.pid}`);
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(draft, { recursive: true });
  try {
    await install(draft);
    const absent = needed.filter((file) => !existsSync(join(draft, file)));
    if (absent.length > 0) throw new Error(`The installation of ${name} ended well but lacks ${absent.join(', ')}. See ${join(installFolder, 'install.log')}.`);
    if (!whole()) {
      rmSync(folder, { recursive: true, force: true });
      renameSync(draft, folder);
    }
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
  return folder;
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === 'EPERM';
  }
}

/**
 * The npm that runs us, or else the one in PATH, as a program and its first arguments.
 * @param {string} node the Node that it is to run on, and to compile for
 * @returns {[string, ...string[]]}
 */
function npm(node) {
  const script = process.env['npm_execpath'];
  return script && /npm-cli\.c?js$/.test(script) ? [node, script] : ['npm'];
}

/**
 * Installs what Debian's packages give, or says what is missing.
 * @param {readonly string[]} packages
 * @param {string} why
 */
async function installDebianPackages(packages, why) {
  const command = `apt-get install -y --no-install-recommends ${packages.join(' ')}`;
  if (!which('apt-get')) throw new MissingError(`${why} Install these with this system's package manager: ${packages.join(', ')}.`);
  if (!isRoot) throw new MissingError(`${why} Run: sudo ${command}`);
  progress(`Installing ${packages.join(' ')} (Debian packages) …`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const lock = ['-o', 'DPkg::Lock::Timeout=300'];
  // a run that was killed inside dpkg leaves half-configured packages, which every later apt-get would refuse to go past
  await runQuietly('dpkg', ['--configure', '-a'], { env });
  await runQuietly('apt-get', [...lock, '-q', 'update'], { env });
  await runQuietly('apt-get', [...lock, '-q', '-f', 'install', '-y', '--no-install-recommends', ...packages], { env });
}

/**
 * Finds or installs code-server and the Node that it asks for.
 *
 * No package's install script runs but those of the native parts that the server cannot do without: the others compile against
 * libraries that a bare machine lacks (Kerberos) or take minutes (SQLite), for things that no test touches.
 * @returns {Promise<ServerInstallation>}
 */
export async function installServer() {
  if (process.platform === 'win32') throw new MissingError('code-server does not run on Windows. Install desktop VS Code from https://code.visualstudio.com instead.');
  const nodePackage = `node-${process.platform}-${process.arch}`;
  const nodeFolder = await installOnce(`node-${nodeVersion}`, [`node_modules/${nodePackage}/bin/node`, `node_modules/${nodePackage}/include/node/node.h`], async (folder) => {
    progress(`Installing Node ${nodeVersion}, which code-server runs on (npm package ${nodePackage}) …`);
    writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
    await runNpm(['install', '--ignore-scripts', '--no-package-lock', `${nodePackage}@${nodeVersion}`], folder);
  });
  const nodeRoot = join(nodeFolder, 'node_modules', nodePackage);
  const node = join(nodeRoot, 'bin', 'node');

  const inside = 'node_modules/code-server/lib/vscode';
  const folder = await installOnce(`code-server-${codeServerVersion}`, [`${inside}/out/server-main.js`, 'complete'], async (draft) => {
    const tools = { make: 'make', 'g++': 'g++', python3: 'python3' };
    const absent = Object.entries(tools).flatMap(([program, name]) => (which(program) ? [] : [name]));
    if (absent.length > 0) await installDebianPackages(absent, `code-server compiles two native parts, and ${absent.join(', ')} ${absent.length === 1 ? 'is' : 'are'} missing.`);
    const vscode = join(draft, inside);

    progress(`Installing code-server ${codeServerVersion}, which carries a whole VS Code: downloading …`);
    writeFileSync(join(draft, 'package.json'), '{ "private": true }\n');
    await runNpm(['install', '--ignore-scripts', '--no-package-lock', `code-server@${codeServerVersion}`], draft, nodeRoot);
    await runNpm(['install', '--ignore-scripts', '--omit=dev'], vscode, nodeRoot);
    await runNpm(['install', '--ignore-scripts', '--omit=dev'], join(vscode, 'extensions'), nodeRoot);
    progress('Compiling its native parts, once (about half a minute) …');
    await runNpm(['rebuild', '--ignore-scripts=false', '--foreground-scripts', ...nativeParts], vscode, nodeRoot);
    writeFileSync(join(draft, 'complete'), '');
  });
  return { node, serverMain: join(folder, inside, 'out', 'server-main.js') };
}

/** What the server cannot start without: its log, and the watchdog of the extension host. The terminal's part comes compiled. */
const nativeParts = ['@vscode/spdlog', '@vscode/native-watchdog'];

/**
 * @param {readonly string[]} args
 * @param {string} cwd
 * @param {string} [nodeRoot] the installation of Node to run on and to compile for; the default is the one that runs us
 */
async function runNpm(args, cwd, nodeRoot) {
  const [command, ...first] = npm(nodeRoot ? join(nodeRoot, 'bin', 'node') : process.execPath);
  const env = nodeRoot ? { PATH: `${join(nodeRoot, 'bin')}${delimiter}${process.env['PATH'] ?? ''}`, npm_config_nodedir: nodeRoot } : {};
  await runQuietly(command, [...first, ...args, '--no-audit', '--no-fund'], { cwd, env: { ...npmEnvironment(), ...env } });
}

/** Where a Chromium or Chrome stands when it was installed in the usual way. */
const chromiumPlaces = {
  linux: ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'],
  darwin: ['/Applications/Chromium.app/Contents/MacOS/Chromium', '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome'],
  win32: [
    join(process.env['ProgramFiles'] ?? '', 'Google', 'Chrome', 'Application', 'chrome.exe'),
    // every Windows has it
    join(process.env['ProgramFiles(x86)'] ?? '', 'Microsoft', 'Edge', 'Application', 'msedge.exe'),
  ],
};

/**
 * Finds or installs Chromium, and a font with Chinese characters beside it.
 * @returns {Promise<string>} the executable
 */
export async function installChromium() {
  const named = process.env['LABEL_LENS_CHROMIUM'];
  if (named) return named;
  const { platform } = process;
  const find = () =>
    platform === 'darwin' || platform === 'win32' ? chromiumPlaces[platform].find((file) => existsSync(file)) : chromiumPlaces.linux.map(which).find((file) => file !== undefined);
  // only Debian's package is known to be called so, and elsewhere its absence costs boxes instead of characters in a picture, no more
  const fontMissing = process.platform === 'linux' && isRoot && existsSync('/etc/debian_version') && !existsSync('/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc');
  const found = find();
  const packages = [...(found ? [] : ['chromium']), ...(found && !fontMissing ? [] : ['fonts-noto-cjk'])];
  if (packages.length > 0) await installDebianPackages(packages, 'No Chromium was found in PATH (set LABEL_LENS_CHROMIUM to name one).');
  const executable = find();
  if (!executable) throw new MissingError('No Chromium was found, although its installation ended well. Set LABEL_LENS_CHROMIUM to its executable.');
  return executable;
}

/** The desktop VS Code of a usual installation. */
function installedDesktop() {
  const places = {
    linux: ['/usr/share/code/code', '/opt/visual-studio-code/code', '/snap/code/current/usr/share/code/code'],
    darwin: ['/Applications/Visual Studio Code.app/Contents/MacOS/Code', '/Applications/Visual Studio Code.app/Contents/MacOS/Electron'],
    win32: [
      join(process.env['LOCALAPPDATA'] ?? '', 'Programs', 'Microsoft VS Code', 'Code.exe'),
      join(process.env['ProgramFiles'] ?? '', 'Microsoft VS Code', 'Code.exe'),
    ],
  }[/** @type {'linux' | 'darwin' | 'win32'} */ (process.platform)];
  return places?.find((file) => existsSync(file));
}

/** Whether the download of desktop VS Code answers, decided within 4 seconds. */
async function desktopAnswers() {
  const platform = { linux: 'linux', darwin: 'darwin', win32: 'win32' }[/** @type {'linux' | 'darwin' | 'win32'} */ (process.platform)];
  if (!platform) return false;
  const name = platform === 'win32' ? `win32-${process.arch}-archive` : platform === 'darwin' ? 'darwin-universal' : `linux-${process.arch}`;
  try {
    // follows the redirect to the host that has the archive, which a firewall may treat differently
    const answer = await fetch(`https://update.code.visualstudio.com/${desktopVersion}/${name}/stable`, { method: 'HEAD', signal: AbortSignal.timeout(4000) });
    return answer.ok;
  } catch {
    return false; // no way there: code-server is the other way
  }
}

/**
 * The executable of a desktop VS Code that can show a window here, or undefined where code-server has to serve.
 * `LABEL_LENS_VSCODE=server` or `=desktop` decides by hand.
 * @returns {Promise<string | undefined>}
 */
export async function findOrInstallDesktop() {
  const wish = process.env['LABEL_LENS_VSCODE'];
  if (wish === 'server') return undefined;
  const hasDisplay = process.platform !== 'linux' || Boolean(process.env['DISPLAY'] ?? process.env['WAYLAND_DISPLAY']);
  if (!hasDisplay) {
    if (wish === 'desktop') throw new MissingError('LABEL_LENS_VSCODE=desktop asks for a desktop VS Code but there is no display. Run: xvfb-run -a npm test');
    return undefined;
  }
  const { download } = await import('@vscode/test-electron').then((module) => ({ download: module.downloadAndUnzipVSCode }));
  const cached = existsSync(installFolder) && readdirSync(installFolder).some((name) => name.startsWith('vscode-') && name.endsWith(`-${desktopVersion}`));
  if (cached || (await desktopAnswers())) {
    progress(`${cached ? 'Using' : 'Downloading'} desktop VS Code ${desktopVersion} …`);
    return download({ version: desktopVersion, cachePath: installFolder });
  }
  const installed = installedDesktop();
  if (installed) progress(`Using the VS Code installed at ${installed}`);
  else if (wish === 'desktop')
    throw new MissingError('LABEL_LENS_VSCODE=desktop asks for a desktop VS Code, but none is installed and its download does not answer. Install it from https://code.visualstudio.com, or unset LABEL_LENS_VSCODE to use code-server.');
  return installed;
}

/** The VS Code version that the installed server says it is, for example `1.139.0`. @param {ServerInstallation} server */
export function serverVersion(server) {
  return /** @type {{ version: string }} */ (JSON.parse(readFileSync(join(server.serverMain, '..', '..', 'package.json'), 'utf8'))).version;
}

// `node scripts/vscode.mjs` installs everything that the tests need and says where it is.
if (process.argv[1] && resolve(process.argv[1]) === resolve('scripts/vscode.mjs')) {
  try {
    const server = await installServer();
    const chromium = await installChromium();
    progress(`VS Code ${serverVersion(server)} stands in ${server.serverMain}`);
    progress(`Chromium stands in ${chromium}`);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
