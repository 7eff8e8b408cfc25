import * as esbuild from 'esbuild';
import { copyFileSync, mkdirSync } from 'node:fs';
import * as path from 'node:path';

const entries = {
  cli: 'src/cli.ts',
  predictor: 'src/platform/node/predictorWorker.ts',
  trainer: 'src/platform/node/trainerWorker.ts',
  kernelHelper: 'src/platform/node/kernelHelper.ts',
  learner: 'src/platform/node/learnerWorker.ts',
  explainer: 'src/platform/node/explainerWorker.ts',
};
const assets = ['node_modules/onnxruntime-web/dist/ort-wasm-simd-threaded.wasm', 'node_modules/@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm'];

/** Builds these bundles, with the files that they read at run time, into a folder of a test's own. */
export async function buildDist(folder: string, names: readonly (keyof typeof entries)[]): Promise<void> {
  mkdirSync(folder, { recursive: true });
  await esbuild.build({
    entryPoints: Object.fromEntries(names.map((name) => [name, entries[name]])),
    outdir: folder,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    mainFields: ['module', 'main'],
    loader: { '.wasm': 'binary' },
    logLevel: 'warning',
  });
  for (const file of assets) copyFileSync(file, path.join(folder, path.basename(file)));
}
