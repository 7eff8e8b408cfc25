import { readFileSync } from 'node:fs';
import * as ort from 'onnxruntime-web/wasm';

ort.env.wasm.numThreads = 1;
const binary = readFileSync('node_modules/onnxruntime-web/dist/ort-wasm-simd-threaded.wasm');
ort.env.wasm.wasmBinary = binary.buffer.slice(binary.byteOffset, binary.byteOffset + binary.byteLength);

/** Scores and features of one text, and where a model attends, the shares of its steps, of a joint model its number. */
export interface Row {
  readonly scores: number[];
  readonly features: number[];
  readonly attention?: number[];
  readonly value?: number[];
}

/** A model file in onnxruntime-web, the runtime that the predictor uses. */
export class OnnxSession {
  private constructor(private readonly session: ort.InferenceSession) {}

  static async open(model: Uint8Array): Promise<OnnxSession> {
    return new OnnxSession(await ort.InferenceSession.create(model));
  }

  /**
   * Runs one batch.
   *
   * @param time width of the batch, default that of the longest text (at least 1)
   * @param filler what stands at positions outside the texts
   */
  async run(texts: readonly (readonly number[])[], time = Math.max(1, ...texts.map((ids) => ids.length)), filler = 0): Promise<Row[]> {
    const ids = new Int32Array(texts.length * time).fill(filler);
    texts.forEach((text, row) => ids.set(text, row * time));
    const { scores, features, attention, value } = await this.runRaw(ids, Int32Array.from(texts, (text) => text.length), time);
    return texts.map((_, row) => ({ scores: rowOf(scores, row), features: rowOf(features, row), ...(attention ? { attention: rowOf(attention, row) } : {}), ...(value ? { value: rowOf(value, row) } : {}) }));
  }

  /** Runs one batch as it is given; what comes back is copied out of the runtime. */
  async runRaw(ids: Int32Array, lengths: Int32Array, time: number): Promise<{ scores: ort.Tensor; features: ort.Tensor; attention: ort.Tensor | undefined; value: ort.Tensor | undefined }> {
    const results = await this.session.run({ input_ids: new ort.Tensor('int32', ids, [lengths.length, time]), lengths: new ort.Tensor('int32', lengths, [lengths.length]) });
    return { scores: results['scores']!, features: results['features']!, attention: results['attention'], value: results['value'] };
  }

  async close(): Promise<void> {
    await this.session.release();
  }
}

function rowOf(tensor: ort.Tensor, row: number): number[] {
  const width = tensor.dims[1]!;
  return Array.from((tensor.data as Float32Array).subarray(row * width, (row + 1) * width));
}
