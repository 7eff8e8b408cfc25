import { InferenceSession, Tensor, env } from 'onnxruntime-web/wasm';
import { CancelledError, HumanError } from '../core/errors';
import { validateBundle } from '../core/model/bundle';
import { networksOf } from '../core/model/ensemble';
import { ports } from '../core/model/onnxWriter';
import type { BundleFiles, PredictPriority, PredictedBatch, PredictorMethods } from '../core/protocol/predictor';
import { serve, type AbortSignalLike, type Port } from '../core/protocol/rpc';
import type { Tokenizer } from '../core/text/tokenizer';
import { batchBudget, packBatches } from './batches';
import { foldCasts } from './foldCasts';

/** UTF-16 units that are tokenized at a time: some 10 ms. */
const charactersPerTurn = 200_000;

export interface PredictorPlatform {
  /** `ort-wasm-simd-threaded.wasm` of the very version of onnxruntime-web in this bundle. */
  readonly wasmBinary: Uint8Array;
  /**
   * Resolves after the messages that have come in were handled, and does not keep them waiting. Node: `setImmediate`; a timer of 0 ms takes 1 to 4, and a message to ourselves keeps
   * all others out, since Node hands out up to 1,000 messages of one port before it looks at another.
   */
  readonly pause: () => Promise<void>;
}

/**
 * Serves {@link PredictorMethods} on `port` until the worker is ended from outside. Everything runs in turns of one batch of a few ten milliseconds; between two
 * turns messages come in, so that a cancellation or an interactive request waits for one turn at most.
 *
 * @param platform what this platform has for it
 */
export function runPredictorWorker(port: Port, { wasmBinary, pause }: PredictorPlatform): void {
  // Threads would need cross-origin isolation or files beside the bundle, and gain little on an LSTM. Both settings count only before the first session.
  env.wasm.numThreads = 1;
  env.wasm.wasmBinary = wasmBinary;
  env.logLevel = 'error';

  const models = new Map<string, Model>();
  const turns = new Turns(pause);

  serve<PredictorMethods>(port, {
    load: ({ key, where, bundle }, { signal }) =>
      turns.queue('interactive', signal, async () => {
        const model = await Model.open(bundle, where);
        await models.get(key)?.close();
        models.set(key, model);
        return { done: { labels: model.labels } };
      }),
    unload: ({ key }, { signal }) =>
      turns.queue('interactive', signal, async () => {
        await models.get(key)?.close();
        models.delete(key);
        return { done: null };
      }),
    predict: ({ key, texts, priority, features }, { signal, progress }) => {
      const tokens: Int32Array[] = [];
      let batches: readonly Int32Array[] | undefined;
      let next = 0;
      return turns.queue(priority, signal, async () => {
        const model = models.get(key);
        if (!model) throw new Error(`No model ${key} is loaded.`);
        if (!batches) {
          for (let characters = 0; tokens.length < texts.length && characters < charactersPerTurn; ) {
            const text = texts[tokens.length]!;
            tokens.push(model.tokenizer.encode(text));
            characters += text.length;
          }
          if (tokens.length < texts.length) return undefined;
          batches = packBatches(Int32Array.from(tokens, (ids) => ids.length), model.budget);
        }
        const positions = batches[next++];
        if (positions) progress(await model.run(tokens, positions, features));
        return next >= batches.length ? { done: null } : undefined;
      });
    },
  });
}

/** Something done in turns: each call does a little; the result ends it. */
type Turn<T> = () => Promise<{ readonly done: T } | undefined>;

/** One thing at a time, because onnxruntime's WebAssembly is not re-entrant: interactive before background, else first come, first served. */
class Turns {
  private readonly queues: Readonly<Record<PredictPriority, { readonly signal: AbortSignalLike; readonly step: () => Promise<boolean>; readonly fail: (error: unknown) => void }[]>> = { interactive: [], background: [] };
  private running = false;

  constructor(private readonly pause: () => Promise<void>) {}

  queue<T>(priority: PredictPriority, signal: AbortSignalLike, turn: Turn<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const step = async (): Promise<boolean> => {
        const result = await turn();
        if (result) resolve(result.done);
        return result !== undefined;
      };
      this.queues[priority].push({ signal, step, fail: reject });
      if (!this.running) void this.run();
    });
  }

  private async run(): Promise<void> {
    this.running = true;
    for (;;) {
      const queue = this.queues.interactive.length > 0 ? this.queues.interactive : this.queues.background;
      const job = queue[0];
      if (!job) break;
      let ended = true;
      try {
        if (job.signal.aborted) throw new CancelledError();
        ended = await job.step();
      } catch (error) {
        job.fail(error);
      }
      if (ended) queue.splice(queue.indexOf(job), 1);
      await this.pause();
    }
    this.running = false;
  }
}

/** An open session with its tokenizer. */
class Model {
  private constructor(
    readonly labels: readonly string[],
    readonly tokenizer: Tokenizer,
    /** Padded tokens that a batch may have. */
    readonly budget: number,
    /** Whether there is a number beside the labels. */
    private readonly isJoint: boolean,
    private readonly session: InferenceSession,
  ) {}

  /**
   * @throws HumanError when the bundle is not valid or onnxruntime refuses it
   * @throws Error when onnxruntime itself does not start; it never will in this thread then
   */
  static async open(bundle: BundleFiles, where: string): Promise<Model> {
    const { manifest, tokenizer } = validateBundle(bundle, where);
    let session: InferenceSession;
    try {
      session = await InferenceSession.create(foldCasts(bundle.model, where), {
        // Batches differ in shape all the time: an arena that never gives back, and plans for one shape, cost memory and gain nothing (measured).
        enableCpuMemArena: false,
        enableMemPattern: false,
        // its rewriting around DequantizeLinear is made for models in 8 bits throughout; it has been seen to clip a value at 255
        extra: { session: { disable_quant_qdq: '1' } },
        logSeverityLevel: 3,
      });
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      if (message.includes('no available backend')) throw error;
      throw new HumanError('bundle.session', 'The model in {0} cannot be opened by ONNX Runtime: {1}. Get the model again from where it came from, or choose another.', [where, message], { cause: error });
    }
    // 14 MB that only the first session reads
    delete env.wasm.wasmBinary;
    return new Model(
      manifest.task.labels.map((label) => label.id),
      tokenizer,
      batchBudget(...networksOf(manifest)),
      manifest.task.kind === 'single' && manifest.task.value !== undefined,
      session,
    );
  }

  /** Scores of the texts at `positions`. */
  async run(tokens: readonly Int32Array[], positions: Int32Array, features: boolean): Promise<PredictedBatch> {
    const lengths = Int32Array.from(positions, (position) => tokens[position]!.length);
    // the graph wants a time axis even where all texts are empty
    const time = lengths.reduce((longest, length) => Math.max(longest, length), 1);
    const ids = new Int32Array(positions.length * time);
    positions.forEach((position, row) => ids.set(tokens[position]!, row * time));
    const results = await this.session.run(
      { [ports.ids]: new Tensor('int32', ids, [positions.length, time]), [ports.lengths]: new Tensor('int32', lengths, [positions.length]) },
      [ports.scores, ...(this.isJoint ? [ports.value] : []), ...(features ? [ports.features] : [])],
    );
    const scores = results[ports.scores]!.data as Float32Array;
    return {
      // `positions` is a view of all batches: only its own part is to cross
      positions: positions.slice(),
      width: scores.length / positions.length,
      scores,
      tokens: lengths,
      ...(this.isJoint ? { values: results[ports.value]!.data as Float32Array } : {}),
      ...(features ? { features: results[ports.features]!.data as Float32Array } : {}),
    };
  }

  async close(): Promise<void> {
    await this.session.release();
  }
}
