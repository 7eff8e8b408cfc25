// Entry of dist/trainer.js. The WebAssembly file lies beside it.
import * as path from 'node:path';
import { runTrainerWorker } from '../../training/worker';
import { ownerPort } from './workers';

runTrainerWorker(ownerPort(), {
  wasmFolder: __dirname + path.sep,
  pause: () => new Promise((resolve) => void setImmediate(resolve)),
});
