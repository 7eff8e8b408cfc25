// Bundles the *.test.ts files of a folder and runs them with mocha.
import * as esbuild from 'esbuild';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { buildKernels } from './buildKernels.mjs';
import { testFiles } from './results.mjs';

/** What a run may need for its temporary files, in bytes. */
const scratchSpace = 2 * 2 ** 30;

/**
 * A folder for what the tests write, in memory where the system offers that and has the room: they wait for the disk several thousand times until a file is safe, as the product does for each decision,
 * and some disks take half a second for it while they are busy with what has just been installed.
 */
function makeScratch() {
  const memory = '/dev/shm';
  let parent = tmpdir();
  try {
    const { bavail, bsize } = statfsSync(memory);
    if (process.env['TMPDIR'] === undefined && bavail * bsize >= scratchSpace) parent = memory;
  } catch {
    // no such place
  }
  return mkdtempSync(path.join(parent, 'label-lens-tests-'));
}

/**
 * Runs the tests that the command line asks for: `[part of a path …] [-- mocha arguments]`.
 * @param {string} folder
 * @param {number} timeout of a test, in milliseconds
 * @returns {Promise<number>} exit code
 */
export async function runMochaTests(folder, timeout) {
  const cut = process.argv.indexOf('--');
  const wanted = process.argv.slice(2, cut < 0 ? undefined : cut);
  const mochaArguments = cut < 0 ? [] : process.argv.slice(cut + 1);
  const files = testFiles(folder, wanted);
  if (files.length === 0) {
    console.error(`No test in ${folder}/ matches ${wanted.join(' ')}`);
    return 2;
  }
  await buildKernels();
  // inside the checkout, so that packages left out of the bundle are found; one folder a run, so that runs do not meet
  const out = mkdtempSync(path.join('.', 'node_modules', '.label-lens-tests-'));
  const scratch = makeScratch();
  try {
    await esbuild.build({
      entryPoints: files,
      outdir: out,
      outbase: folder,
      bundle: true,
      packages: 'external',
      platform: 'node',
      target: 'node20',
      format: 'cjs',
      sourcemap: 'inline',
      loader: { '.wasm': 'binary' },
      logLevel: 'warning',
    });
    const result = spawnSync(
      process.execPath,
      ['--enable-source-maps', 'node_modules/mocha/bin/mocha.js', '--timeout', String(timeout), '--require', './scripts/propertySeed.cjs', '--recursive', ...mochaArguments, `${out}/**/*.test.js`],
      { stdio: 'inherit', env: { ...process.env, TMPDIR: scratch } },
    );
    return result.status ?? 1;
  } finally {
    for (const folder of [out, scratch]) rmSync(folder, { recursive: true, force: true });
  }
}
