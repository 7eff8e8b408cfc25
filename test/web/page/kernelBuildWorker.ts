// The trainer with one build of the kernels, that which the script's address asks for: …?build=plain
import { createPause, ownerPort } from '../../../src/platform/web/workers';
import type { KernelBuild } from '../../../src/training/kernels/kernels';
import { runTrainerWorker } from '../../../src/training/worker';

const kernelBuild = new URLSearchParams(location.search).get('build') as KernelBuild;
void ownerPort().then(({ port, folder }) => runTrainerWorker(port, { wasmFolder: folder, pause: createPause(), kernelBuild }));
