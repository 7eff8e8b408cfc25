import type { Layer, LstmLayer } from '../core/model/architecture';
import type { ComputeEngine, Sequence, TokenBatch } from './engine';
import { drawMask, randomOf } from './seeds';
import { tf } from './tf';

/** Token ids with the labels to learn. */
export interface LabelledBatch extends TokenBatch {
  /** [B], indices into the model's labels. */
  readonly labels: Int32Array;
  /** [B], one seed for each example's dropout masks. */
  readonly seeds: ArrayLike<number>;
}

/**
 * A model's graph over an engine: the forward pass, the loss and all gradients.
 *
 * tfjs holds the tape. A layer on sequences is a tfjs op whose tensor is a mere scalar, a *token*, that stands for the sequence in the engine's memory: so the tape orders
 * the engine's backward calls, and the megabytes never pass through tensors. Pooling leads from tokens to true tensors; from there on layers are ordinary tfjs ops with
 * tfjs's own gradients. A sequence must be read by one layer only (a token cannot add up gradients).
 */
export class Network {
  private readonly layers: readonly Layer[];

  /** @param labelSmoothing share of the truth that is spread evenly over all labels in the loss to learn from (Szegedy et al. 2016), in 0..1 */
  constructor(
    private readonly engine: ComputeEngine,
    private readonly labelSmoothing = 0,
  ) {
    this.layers = engine.layout.architecture.layers;
  }

  /**
   * Cross entropy of the batch with dropout and label smoothing, and its gradients, times `weight`, added to the engine's.
   * @param weight 1 over the number of examples that share one optimizer step, which may come in several batches
   * @returns the sum over the batch, nats, without `weight` and without label smoothing
   */
  learn(batch: LabelledBatch, weight: number): number {
    this.engine.begin(true);
    let total = NaN;
    tf.tidy(() => {
      const dense = this.denseParameters();
      const loss = (...inputs: tf.Tensor[]): tf.Scalar => {
        const pass = new Pass(this.engine, batch, new Map(dense.map(({ name }, k) => [name, inputs[k + 1]!])), batch.seeds);
        const logits = this.run(pass, inputs[0]!);
        const truth = tf.oneHot(tf.tensor1d(batch.labels, 'int32'), logits.shape[1]!);
        const crossEntropy = (smoothing: number): tf.Scalar => tf.losses.softmaxCrossEntropy(truth, logits, undefined, smoothing, tf.Reduction.SUM);
        total = crossEntropy(0).dataSync()[0]!;
        return tf.mul(crossEntropy(this.labelSmoothing), weight);
      };
      const { grads } = tf.valueAndGrads(loss)([tf.scalar(0), ...dense.map(({ tensor }) => tensor)]);
      const gradients = dense.map((_, k) => grads[k + 1]!.dataSync());
      // only now: until the last backward call the engine's memory may move
      const all = this.engine.gradients();
      dense.forEach(({ offset }, k) => gradients[k]!.forEach((slope, index) => (all[offset + index]! += slope)));
    });
    return total;
  }

  /** Logits [B, labels] without dropout. */
  logits(batch: TokenBatch): Float32Array {
    this.engine.begin(false);
    const logits = tf.tidy(() => {
      const parameters = new Map(this.denseParameters().map(({ name, tensor }) => [name, tensor]));
      return this.run(new Pass(this.engine, batch, parameters, undefined), tf.scalar(0));
    });
    const values = logits.dataSync() as Float32Array;
    logits.dispose();
    return values;
  }

  private run(pass: Pass, root: tf.Tensor): tf.Tensor {
    let value: Value = { kind: 'start', token: root };
    this.layers.forEach((layer, index) => (value = pass.apply(layer, index, value)));
    // the assignments above happen in a callback, where the type checker does not follow them
    const last = value as Value;
    if (last.kind !== 'vector') throw new Error('An architecture ends with a dense layer.');
    return last.tensor;
  }

  /** The parameters that tfjs computes with, as tensors. */
  private denseParameters(): { readonly name: string; readonly offset: number; readonly tensor: tf.Tensor }[] {
    const weights = this.engine.weights();
    const names = new Set(this.layers.filter((layer) => layer.type === 'dense').flatMap(({ name }) => [`${name}/kernel`, `${name}/bias`]));
    return this.engine.layout.parameters
      .filter(({ name }) => names.has(name))
      .map(({ name, offset, size, shape }) => ({ name, offset, tensor: tf.tensor(weights.slice(offset, offset + size), [...shape]) }));
  }
}

/** What flows between layers. */
type Value =
  | { readonly kind: 'start'; readonly token: tf.Tensor }
  /** `source`: the LSTM whose directions make up the sequence's width. */
  | { readonly kind: 'sequence'; readonly token: tf.Tensor; readonly sequence: Sequence; readonly source: LstmLayer | undefined }
  /** [B, D] */
  | { readonly kind: 'vector'; readonly tensor: tf.Tensor };

/** One batch on its way through the layers. */
class Pass {
  /** Gradients to sequences, put there by the layer that read them for the layer that made them. */
  private readonly slopes = new Map<Sequence, Sequence>();

  /** @param seeds per example, for dropout; undefined outside training */
  constructor(
    private readonly engine: ComputeEngine,
    private readonly batch: TokenBatch,
    private readonly parameters: ReadonlyMap<string, tf.Tensor>,
    private readonly seeds: ArrayLike<number> | undefined,
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
        const sequence = engine.lstm(x, layer);
        return { kind: 'sequence', token: this.token(token, () => this.slopes.set(x, engine.lstmBackward(sequence, this.take(sequence)))), sequence, source: layer };
      }
      case 'pool': {
        const { token, sequence: x, source } = asSequence(layer, value);
        const shape: [number, number] = [x.lengths.length, layer.methods.length * x.width];
        const pooled = tf.customGrad((read) => {
          void read;
          return {
            value: tf.tensor2d(engine.pool(x, layer, source), shape),
            gradFunc: (dy: tf.Tensor) => {
              this.slopes.set(x, engine.poolBackward(x, layer, source, dy.dataSync() as Float32Array));
              return tf.scalar(0);
            },
          };
        })(token);
        return { kind: 'vector', tensor: pooled };
      }
      case 'dense': {
        if (value.kind !== 'vector') throw new Error(`Layer ${layer.name} reads a vector.`);
        const linear = tf.add(tf.matMul(value.tensor as tf.Tensor2D, this.parameter(`${layer.name}/kernel`) as tf.Tensor2D), this.parameter(`${layer.name}/bias`));
        return { kind: 'vector', tensor: layer.activation === 'relu' ? tf.relu(linear) : layer.activation === 'tanh' ? tf.tanh(linear) : linear };
      }
      case 'dropout': {
        if (!this.seeds || layer.rate === 0 || value.kind === 'start') return value;
        const scale = 1 / (1 - layer.rate);
        if (value.kind === 'vector') {
          const width = value.tensor.shape[1]!;
          const mask = this.dropoutMask(index, layer.rate, 1, width, () => 1);
          return { kind: 'vector', tensor: tf.mul(value.tensor, tf.tensor2d(Float32Array.from(mask, (keep) => keep * scale), [batch.lengths.length, width])) };
        }
        const { sequence: x, token, source } = value;
        const mask = this.dropoutMask(index, layer.rate, x.time, x.width, (length) => length);
        const sequence = engine.mask(x, mask, scale);
        return { kind: 'sequence', token: this.token(token, () => this.slopes.set(x, engine.mask(this.take(sequence), mask, scale))), sequence, source };
      }
    }
  }

  /** An op from token to token: forward has been done, `backward` is called when the tape comes back here. */
  private token(input: tf.Tensor, backward: () => void): tf.Tensor {
    return tf.customGrad((read) => {
      void read;
      return {
        value: tf.scalar(0),
        gradFunc: () => {
          backward();
          return tf.scalar(0);
        },
      };
    })(input);
  }

  /** The gradient to a sequence. */
  private take(sequence: Sequence): Sequence {
    const slope = this.slopes.get(sequence);
    if (!slope) throw new Error('A sequence that nothing reads has no gradient.');
    this.slopes.delete(sequence);
    return slope;
  }

  private parameter(name: string): tf.Tensor {
    const tensor = this.parameters.get(name);
    if (!tensor) throw new Error(`There is no tensor for ${name}.`);
    return tensor;
  }

  /** [B, time, width] of 0 and 1, drawn for each example from its own seed. @param steps how many of `time` an example of that length has */
  private dropoutMask(layer: number, rate: number, time: number, width: number, steps: (length: number) => number): Uint8Array {
    const { lengths } = this.batch;
    const mask = new Uint8Array(lengths.length * time * width);
    lengths.forEach((length, b) => {
      const from = b * time * width;
      drawMask(randomOf(this.seeds![b]!, layer), rate, mask, from, from + steps(length) * width);
    });
    return mask;
  }
}

function asSequence(layer: Layer, value: Value): Extract<Value, { kind: 'sequence' }> {
  if (value.kind !== 'sequence') throw new Error(`Layer ${layer.name} reads a sequence.`);
  return value;
}
