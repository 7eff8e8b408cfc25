import type { Architecture, DenseLayer, Layer, LstmLayer } from '../core/model/architecture';
import type { ComputeEngine, LstmOptions, Sequence, TokenBatch } from './engine';
import { softmaxCrossEntropy, type LossOptions } from './loss';
import { drawMask, keepsToken, randomOf } from './seeds';
import { tf } from './tf';

/** Token ids with the labels to learn. */
export interface LabelledBatch extends TokenBatch {
  /** [B], indices into the model's labels. */
  readonly labels: Int32Array;
  /** [B], one seed for each example's dropout masks. */
  readonly seeds: ArrayLike<number>;
  /** Seed of what all examples of an optimizer step share, however many batches it comes in: weight drop. */
  readonly stepSeed: number;
}

/**
 * A model's graph over an engine: the forward pass, the loss and all gradients.
 *
 * tfjs holds the tape. A layer on sequences is a tfjs op whose tensor is a mere scalar, a *token*, that stands for the sequence in the engine's memory: so the tape orders
 * the engine's backward calls, and the megabytes never pass through tensors. Pooling leads from tokens to true tensors; from there on what has no parameters is an ordinary tfjs op with
 * tfjs's own gradient. The last dense layer and the loss are one op, because each small op costs some 50 µs, and a step may take 3 ms.
 * A sequence must be read by one layer only (a token cannot add up gradients).
 */
export class Network {
  private readonly body: readonly Layer[];
  private readonly head: DenseLayer;

  constructor(
    private readonly engine: ComputeEngine,
    private readonly options: LossOptions = {},
  ) {
    const { layers } = engine.layout.architecture;
    const head = layers.at(-1);
    if (head?.type !== 'dense') throw new Error('An architecture ends with a dense layer.');
    this.head = head;
    this.body = layers.slice(0, -1);
  }

  get architecture(): Architecture {
    return this.engine.layout.architecture;
  }

  /** L, the number of logits. */
  get labels(): number {
    return this.head.units;
  }

  /**
   * Cross entropy of the batch with dropout and the options' changes to the loss, and its gradients, times `weight`, added to the engine's.
   * @param weight 1 over the number of examples that share one optimizer step, which may come in several batches
   * @returns the sum over the batch of the plain cross entropy, nats: without `weight`, label smoothing and class weights
   */
  learn(batch: LabelledBatch, weight: number): number {
    const { engine, head } = this;
    engine.begin(true);
    let total = NaN;
    tf.tidy(() => {
      const loss = (root: tf.Tensor): tf.Scalar => {
        const features = this.run(new Pass(engine, batch, batch), root);
        const values = features.dataSync() as Float32Array;
        const { plain, loss, slopes } = softmaxCrossEntropy(engine.dense(values, head), batch.labels, weight, this.options);
        total = plain;
        // the gradient to the loss itself is 1
        return op(features, tf.scalar(loss), () => tf.tensor(engine.denseBackward(values, head, slopes), features.shape)) as tf.Scalar;
      };
      tf.grad(loss)(tf.scalar(0));
    });
    return total;
  }

  /** Logits [B, labels] without dropout. */
  logits(batch: TokenBatch): Float32Array {
    this.engine.begin(false);
    const features = tf.tidy(() => this.run(new Pass(this.engine, batch, undefined), tf.scalar(0)));
    const logits = this.engine.dense(features.dataSync() as Float32Array, this.head);
    features.dispose();
    return logits;
  }

  /** What the last dense layer reads, [B, D]. */
  private run(pass: Pass, root: tf.Tensor): tf.Tensor {
    let value: Value = { kind: 'start', token: root };
    this.body.forEach((layer, index) => (value = pass.apply(layer, index, value)));
    // the assignments above happen in a callback, where the type checker does not follow them
    const last = value as Value;
    if (last.kind !== 'vector') throw new Error('A dense layer reads a vector.');
    return last.tensor;
  }
}

/** What flows between layers. */
type Value =
  | { readonly kind: 'start'; readonly token: tf.Tensor }
  /** `source`: the LSTM whose directions make up the sequence's width. */
  | { readonly kind: 'sequence'; readonly token: tf.Tensor; readonly sequence: Sequence; readonly source: LstmLayer | undefined }
  /** [B, D] */
  | { readonly kind: 'vector'; readonly tensor: tf.Tensor };

/** Where a training pass draws its random masks from. */
type Seeds = Pick<LabelledBatch, 'seeds' | 'stepSeed'>;

/** One batch on its way through the layers. */
class Pass {
  /** Gradients to sequences, put there by the layer that read them for the layer that made them. */
  private readonly slopes = new Map<Sequence, Sequence>();

  /** @param random undefined outside training: nothing is dropped */
  constructor(
    private readonly engine: ComputeEngine,
    private readonly batch: TokenBatch,
    private readonly random: Seeds | undefined,
  ) {}

  /** The layer's output. @param index the layer's place in the architecture */
  apply(layer: Layer, index: number, value: Value): Value {
    const { engine, batch } = this;
    switch (layer.type) {
      case 'embedding': {
        if (value.kind !== 'start') throw new Error(`Layer ${layer.name} stands at the start.`);
        const sequence = engine.embed(batch, layer);
        const token = this.token(value.token, () => engine.embedBackward(batch, layer, this.take(sequence)));
        return { kind: 'sequence', token, sequence, source: undefined };
      }
      case 'lstm': {
        const { token, sequence: x } = asSequence(layer, value);
        const sequence = engine.lstm(x, layer, this.weightDrop(layer, index));
        return { kind: 'sequence', token: this.token(token, () => this.slopes.set(x, engine.lstmBackward(sequence, this.take(sequence)))), sequence, source: layer };
      }
      case 'pool': {
        const { token, sequence: x, source } = asSequence(layer, value);
        const shape: [number, number] = [x.lengths.length, layer.methods.length * x.width];
        const pooled = op(token, tf.tensor2d(engine.pool(x, layer, source), shape), (dy) => {
          this.slopes.set(x, engine.poolBackward(x, layer, source, dy.dataSync() as Float32Array));
          return tf.scalar(0);
        });
        return { kind: 'vector', tensor: pooled };
      }
      case 'dense': {
        if (value.kind !== 'vector') throw new Error(`Layer ${layer.name} reads a vector.`);
        const { tensor } = value;
        const x = tensor.dataSync() as Float32Array;
        const y = tf.tensor2d(engine.dense(x, layer), [batch.lengths.length, layer.units]);
        const linear = op(tensor, y, (dy) => tf.tensor(engine.denseBackward(x, layer, dy.dataSync() as Float32Array), tensor.shape));
        return { kind: 'vector', tensor: layer.activation === 'relu' ? tf.relu(linear) : layer.activation === 'tanh' ? tf.tanh(linear) : linear };
      }
      case 'dropout': {
        if (!this.random || layer.rate === 0 || value.kind === 'start') return value;
        const scale = 1 / (1 - layer.rate);
        if (value.kind === 'vector') {
          const width = value.tensor.shape[1]!;
          const mask = this.dropoutMask(index, layer.rate, 1, width, () => 1);
          return { kind: 'vector', tensor: tf.mul(value.tensor, tf.tensor2d(Float32Array.from(mask, (keep) => keep * scale), [batch.lengths.length, width])) };
        }
        const { sequence: x, token, source } = value;
        const mask = layer.over === 'tokens' ? this.tokenMask(index, layer.rate, x.width) : this.dropoutMask(index, layer.rate, x.time, x.width, (length) => length);
        const sequence = engine.mask(x, mask, scale);
        return { kind: 'sequence', token: this.token(token, () => this.slopes.set(x, engine.mask(this.take(sequence), mask, scale))), sequence, source };
      }
    }
  }

  /** An op from token to token: forward has been done, `backward` is called when the tape comes back here. */
  private token(input: tf.Tensor, backward: () => void): tf.Tensor {
    return op(input, tf.scalar(0), () => {
      backward();
      return tf.scalar(0);
    });
  }

  /** The gradient to a sequence. */
  private take(sequence: Sequence): Sequence {
    const slope = this.slopes.get(sequence);
    if (!slope) throw new Error('A sequence that nothing reads has no gradient.');
    this.slopes.delete(sequence);
    return slope;
  }

  /** [B, time, width] of 0 and 1, drawn for each example from its own seed. @param steps how many of `time` an example of that length has */
  private dropoutMask(layer: number, rate: number, time: number, width: number, steps: (length: number) => number): Uint8Array {
    const { lengths } = this.batch;
    const mask = new Uint8Array(lengths.length * time * width);
    lengths.forEach((length, b) => {
      const from = b * time * width;
      drawMask(randomOf(this.random!.seeds[b]!, layer), rate, mask, from, from + steps(length) * width);
    });
    return mask;
  }

  /** [B, T, width]: all values of a token are kept or dropped together, and a token has the same fate wherever it stands in a text. */
  private tokenMask(layer: number, rate: number, width: number): Uint8Array {
    const { ids, lengths, time } = this.batch;
    const mask = new Uint8Array(lengths.length * time * width);
    lengths.forEach((length, b) => {
      for (let at = b * time; at < b * time + length; at++) mask.fill(keepsToken(this.random!.seeds[b]!, layer, ids[at]!, rate) ? 1 : 0, at * width, (at + 1) * width);
    });
    return mask;
  }

  /** Masks for the layer's hidden-to-hidden matrices, one for each direction. */
  private weightDrop(layer: LstmLayer, index: number): LstmOptions {
    const { recurrentDropout: rate = 0, units } = layer;
    if (!this.random || rate === 0) return {};
    const { stepSeed } = this.random;
    const recurrentMasks = Array.from({ length: layer.bidirectional ? 2 : 1 }, (_, direction) => {
      const mask = new Uint8Array(4 * units * units);
      drawMask(randomOf(stepSeed, index, direction), rate, mask, 0, mask.length);
      return mask;
    });
    return { recurrentMasks, scale: 1 / (1 - rate) };
  }
}

/** An op of the tape whose output was computed already. @param backward from the gradient to the output to that to the input */
function op(input: tf.Tensor, output: tf.Tensor, backward: (dy: tf.Tensor) => tf.Tensor): tf.Tensor {
  return tf.customGrad((read) => {
    void read;
    return { value: output, gradFunc: backward };
  })(input);
}

function asSequence(layer: Layer, value: Value): Extract<Value, { kind: 'sequence' }> {
  if (value.kind !== 'sequence') throw new Error(`Layer ${layer.name} reads a sequence.`);
  return value;
}
