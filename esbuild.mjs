// Builds dist/: the extension, its workers and the command line. `--watch` rebuilds on change; `--minify` for packaging.
import * as esbuild from 'esbuild';
import { copyFile, mkdir, rm } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { buildKernels } from './scripts/buildKernels.mjs';

const watch = process.argv.includes('--watch');
const minify = process.argv.includes('--minify');

/** Bundles for Node 20 and for VS Code's Node extension host. `doors` import only what they hang up; each worker stands alone. */
const entries = {
  extension: 'src/extension.ts',
  cli: 'src/cli.ts',
  predictor: 'src/platform/node/predictorWorker.ts',
  trainer: 'src/platform/node/trainerWorker.ts',
  kernelHelper: 'src/platform/node/kernelHelper.ts',
  learner: 'src/platform/node/learnerWorker.ts',
  explainer: 'src/platform/node/explainerWorker.ts',
};

/** Files that the bundles read at run time, beside them. */
const assets = [
  ['node_modules/onnxruntime-web/dist/ort-wasm-simd-threaded.wasm', 'dist/ort-wasm-simd-threaded.wasm'],
  ['node_modules/@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm', 'dist/tfjs-backend-wasm-simd.wasm'],
];

await buildKernels();
await rm('dist', { recursive: true, force: true });
await mkdir('dist', { recursive: true });
for (const [from, to] of assets) await copyFile(from, to);

const context = await esbuild.context({
  entryPoints: Object.fromEntries(Object.entries(entries).filter(([, file]) => existsSync(file))),
  outdir: 'dist',
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  mainFields: ['module', 'main'],
  external: ['vscode'],
  loader: { '.wasm': 'binary' },
  sourcemap: minify ? false : 'linked',
  minify,
  logLevel: 'info',
});
/** The pages of the labelling and of the training panel, each with its styles. */
const pages = await esbuild.context({
  entryPoints: { panel: 'webview/main.ts', training: 'webview/training/main.ts' },
  outdir: 'dist/webview',
  bundle: true,
  platform: 'browser',
  target: 'es2022',
  format: 'iife',
  sourcemap: minify ? false : 'linked',
  minify,
  logLevel: 'info',
});
for (const each of [context, pages]) {
  if (watch) await each.watch();
  else {
    await each.rebuild();
    await each.dispose();
  }
}
