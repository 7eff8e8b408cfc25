// Bundles test/unit/**/*.test.ts and runs them with mocha.
//   node scripts/unitTests.mjs [part of a path …] [-- mocha arguments]
import * as esbuild from 'esbuild';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import * as path from 'node:path';
import { buildKernels } from './buildKernels.mjs';

const cut = process.argv.indexOf('--');
const wanted = process.argv.slice(2, cut < 0 ? undefined : cut);
const mochaArguments = cut < 0 ? [] : process.argv.slice(cut + 1);

const find = (folder) =>
  readdirSync(folder, { recursive: true })
    .map((name) => path.join(folder, name))
    .filter((name) => name.endsWith('.test.ts'));
const files = find('test/unit').filter((file) => wanted.length === 0 || wanted.some((part) => file.includes(part)));
if (files.length === 0) {
  console.error(`No unit test matches ${wanted.join(' ')}`);
  process.exit(2);
}
await buildKernels();
// inside the checkout, so that packages left out of the bundle are found; one folder a run, so that runs do not meet
const out = mkdtempSync(path.join('.', 'node_modules', '.label-lens-unit-'));
try {
  await esbuild.build({
    entryPoints: files,
    outdir: out,
    outbase: 'test/unit',
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
    ['--enable-source-maps', 'node_modules/mocha/bin/mocha.js', '--timeout', '60000', '--require', './scripts/propertySeed.cjs', '--recursive', ...mochaArguments, `${out}/**/*.test.js`],
    { stdio: 'inherit' },
  );
  process.exitCode = result.status ?? 1;
} finally {
  rmSync(out, { recursive: true, force: true });
}
