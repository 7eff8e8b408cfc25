// Entry of the trainer for browsers. The WebAssembly file lies in the folder that the owner names.
import { runTrainerWorker } from '../../training/worker';
import { createPause, ownerPort } from './workers';

void ownerPort().then(({ port, folder }) => runTrainerWorker(port, { wasmFolder: folder, pause: createPause() }));
