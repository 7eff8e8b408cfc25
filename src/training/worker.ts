import { serve, Transferred, type Port } from '../core/protocol/rpc';
import type { TrainCall, TrainerMethods, TrainNews } from '../core/protocol/trainer';
import type { WorkerHandle } from '../core/protocol/worker';
import { createKernelEngine } from './kernels/kernelEngine';
import type { KernelBuild } from './kernels/kernels';
import { startTfjs } from './tf';
import { train, type TrainCheckpoints } from './train';

/** What a platform gives the trainer. */
export interface TrainerAssets {
  /** Path or URL of the folder that holds `tfjs-backend-wasm-simd.wasm`, with a slash at its end. */
  readonly wasmFolder: string;
  /** Resolves after the messages that have come in were handled (Node: `setImmediate`), so that a cancellation is seen while training runs. */
  readonly pause: () => Promise<void>;
  /** Starts a thread that runs `help` (kernels/crew.ts), to compute beside this one. Absent where threads cannot share memory. */
  readonly startHelper?: () => WorkerHandle;
  /** Default: the fastest that the runtime takes. */
  readonly kernelBuild?: KernelBuild;
}

/** Serves {@link TrainerMethods} on `port`. */
export function runTrainerWorker(port: Port, assets: TrainerAssets): void {
  serve<TrainerMethods>(port, {
    train: async (call, { signal, progress }) => {
      await startTfjs(assets.wasmFolder);
      const { checkpoints, ...request } = call;
      const helpers = assets.startHelper ? Array.from({ length: request.workers - 1 }, assets.startHelper) : [];
      try {
        const result = await train(request, {
          createEngine: createKernelEngine({ helpers, ...(assets.kernelBuild ? { build: assets.kernelBuild } : {}) }),
          signal,
          pause: assets.pause,
          onProgress: (now) => progress({ kind: 'progress', progress: now }),
          ...(checkpoints ? { checkpoints: passOn(checkpoints, progress) } : {}),
        });
        return new Transferred(result, Object.values(result.bundle).map(({ buffer }: Uint8Array) => buffer as ArrayBuffer));
      } finally {
        await Promise.all(helpers.map((helper) => helper.terminate()));
      }
    },
  });
}

/** Takes checkpoints from the host and gives them to it. */
function passOn(earlier: NonNullable<TrainCall['checkpoints']>, progress: (news: TrainNews | Transferred<TrainNews>) => void): TrainCheckpoints {
  return {
    takeEarlier: () => {
      const checkpoint = earlier.earlier;
      delete earlier.earlier;
      return checkpoint;
    },
    onCheckpoint: (checkpoint) => progress(new Transferred<TrainNews>({ kind: 'checkpoint', checkpoint }, [checkpoint.buffer])),
    onContinue: (from) => progress({ kind: 'continued', from }),
    onStartOver: (why) => progress({ kind: 'startedOver', why }),
  };
}
