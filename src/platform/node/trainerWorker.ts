// Entry of dist/trainer.js. The WebAssembly file lies beside it.
import * as path from 'node:path';
import { runTrainerWorker } from '../../training/worker';
import { ownerPort, startNodeWorker } from './workers';

runTrainerWorker(ownerPort(), {
  wasmFolder: __dirname + path.sep,
  startHelper: () => startNodeWorker(path.join(__dirname, 'kernelHelper.js')),
  pause: () => new Promise((resolve) => void setImmediate(resolve)),
});
