import * as tf from '@tensorflow/tfjs';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';

/** The one place that names the framework: its version is pinned, and what we ask of it stays small (issue tensorflow/tfjs#8719). */
export { tf };

/**
 * Readies tfjs on its WASM backend.
 * @param wasmFolder path or URL of the folder of `tfjs-backend-wasm-simd.wasm`, with a slash at its end
 */
export async function startTfjs(wasmFolder: string): Promise<void> {
  if (tf.getBackend() === 'wasm') return;
  setWasmPaths(wasmFolder);
  // in pages that may share memory tfjs would load another file, which starts threads
  tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', false);
  if (!(await tf.setBackend('wasm'))) throw new Error('The WebAssembly backend of tfjs could not start.');
  await tf.ready();
}
