// Bundles test/bench/NAME.bench.ts and runs it with the Node that runs this script.
//   node scripts/bench.mjs NAME [arguments of the benchmark …]
import * as esbuild from 'esbuild';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import * as path from 'node:path';
import { buildKernels } from './buildKernels.mjs';

const [name, ...rest] = process.argv.slice(2);
const file = `test/bench/${name}.bench.ts`;
if (!name || !existsSync(file)) {
  console.error('Usage: node scripts/bench.mjs NAME [argument …], where test/bench/NAME.bench.ts is a benchmark.');
  process.exit(2);
}
await buildKernels();
// inside the checkout, so that packages left out of the bundle are found
const out = mkdtempSync(path.join('.', 'node_modules', '.label-lens-bench-'));
try {
  const outfile = path.join(out, `${name}.js`);
  await esbuild.build({
    entryPoints: [file],
    outfile,
    bundle: true,
    packages: 'external',
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    sourcemap: 'inline',
    loader: { '.wasm': 'binary', '.py': 'text' },
    logLevel: 'warning',
  });
  process.exitCode = spawnSync(process.execPath, ['--enable-source-maps', outfile, ...rest], { stdio: 'inherit' }).status ?? 1;
} finally {
  rmSync(out, { recursive: true, force: true });
}
