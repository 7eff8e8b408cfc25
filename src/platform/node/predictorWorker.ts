// Entry of dist/predictor.js. The WebAssembly file lies beside it.
import { readFileSync } from 'node:fs';
import * as path from 'node:path';
import { runPredictorWorker } from '../../inference/worker';
import { ownerPort } from './workers';

runPredictorWorker(ownerPort(), {
  wasmBinary: readFileSync(path.join(__dirname, 'ort-wasm-simd-threaded.wasm')),
  pause: () => new Promise((resolve) => void setImmediate(resolve)),
});
