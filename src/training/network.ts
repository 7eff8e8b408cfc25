import type { Architecture, DenseLayer, Layer, LstmLayer, NgramLayer } from '../core/model/architecture';
import { ngramLayerOf } from '../core/model/ngrams';
import type { ComputeEngine, LstmOptions, Sequence, TokenBatch } from './engine';
import { hasSigmoidHead } from '../core/model/onnxWriter';
import { batchLoss, type LossOptions, type Truth } from './loss';
import { drawMask, keepsToken, randomOf } from './seeds';
import { tf } from './tf';

/** Token ids with what is to be learned of them. */
export interface LabelledBatch extends TokenBatch, Truth {
  /** [B], one seed for each example's dropout masks. */
  readonly seeds: ArrayLike<number>;
  /** Seed of what all examples of an optimizer step share, however many batches it comes in: weight drop. */
  readonly stepSeed: number;
}

/**
 * A model's graph over an engine: the forward pass, the loss and all gradients.
 *
 * tfjs holds the tape. All layers on sequences together, from token ids to the pooled vector, are one tfjs op with its gradient: the megabytes between them stay in the engine's memory.
 * From there on a layer with parameters is an op over the engine, and what has none is an ordinary tfjs op with tfjs's own gradient; the last dense layer and the loss are one op again.
 * The ops are few because each costs some 50 µs, and a step may take 3 ms.
 */
export class Network {
  private readonly body: readonly Layer[];
  private readonly head: DenseLayer;
  private readonly wide: NgramLayer | undefined;
  private readonly hasSigmoidHead: boolean;

  constructor(
    private readonly engine: ComputeEngine,
    private readonly options: LossOptions = {},
  ) {
    const { layers } = engine.layout.architecture;
    const head = layers.at(-1);
    if (head?.type !== 'dense') throw new Error('An architecture ends with a dense layer.');
    this.head = head;
    this.wide = ngramLayerOf(engine.layout.architecture);
    this.body = layers.slice(0, -1);
    this.hasSigmoidHead = hasSigmoidHead(engine.layout.architecture, options.kind ?? 'single');
  }

  get architecture(): Architecture {
    return this.engine.layout.architecture;
  }

  /** L, the number of logits: the head's units, or two where its one unit tells two labels apart. */
  get labels(): number {
    return this.hasSigmoidHead ? 2 : this.head.units;
  }

  /**
   * Loss of the batch with dropout and the options' changes to it, and its gradients, times `weight`, added to the engine's.
   * @param weight 1 over the number of examples that share one optimizer step, which may come in several batches
   * @returns the sum over the batch of the plain loss: without `weight`, label smoothing and class weights
   */
  learn(batch: LabelledBatch, weight: number): number {
    const { engine, head, wide } = this;
    engine.begin(true);
    let total = NaN;
    tf.tidy(() => {
      const loss = (root: tf.Tensor): tf.Scalar => {
        const features = this.pooled(batch, batch, root);
        const values = features.dataSync() as Float32Array;
        const { plain, loss, slopes } = batchLoss(this.scores(batch, values), batch, weight, this.options);
        total = plain;
        // the gradient to the loss itself is 1
        const toHead = this.hasSigmoidHead ? secondOfPairs(slopes) : slopes;
        return op(features, tf.scalar(loss), () => {
          if (wide) engine.ngramsBackward(batch, wide, toHead);
          return tf.tensor(engine.denseBackward(values, head, toHead), features.shape);
        }) as tf.Scalar;
      };
      tf.grad(loss)(tf.scalar(0));
    });
    return total;
  }

  /** Logits [B, labels] without dropout. */
  logits(batch: TokenBatch): Float32Array {
    return this.scores(batch, this.features(batch));
  }

  /** What the last dense layer reads, [B, D], without dropout. */
  features(batch: TokenBatch): Float32Array {
    this.engine.begin(false);
    const features = tf.tidy(() => this.pooled(batch, undefined, tf.scalar(0)));
    const values = features.dataSync() as Float32Array;
    features.dispose();
    return values;
  }

  /** Logits [B, labels]: the head's, and what the n-grams add. @param features [B, D] */
  scores(batch: TokenBatch, features: Float32Array): Float32Array {
    const { engine, head, wide } = this;
    const logits = engine.dense(features, head);
    if (wide) engine.ngrams(batch, wide).forEach((logit, k) => (logits[k]! += logit));
    return this.hasSigmoidHead ? logitPairs(logits) : logits;
  }

  /**
   * What the last dense layer reads, [B, D].
   * @param random where masks are drawn from; undefined outside training: nothing is dropped
   * @param root a scalar for the tape to start from
   */
  private pooled(batch: TokenBatch, random: Seeds | undefined, root: tf.Tensor): tf.Tensor {
    const { engine } = this;
    /** The layers on sequences on the way back, each from the gradient to its output to that to its input. */
    const back: ((dy: Sequence) => Sequence)[] = [];
    let sequence: Sequence | undefined;
    let vector: tf.Tensor | undefined;
    let source: LstmLayer | undefined;
    /** From a sequence to one vector for each text. */
    const leave = (values: Float32Array, wayBack: (dy: Float32Array) => Sequence): tf.Tensor =>
      op(root, tf.tensor2d(values, [batch.lengths.length, values.length / batch.lengths.length]), (dy) => {
        let slope = wayBack(dy.dataSync() as Float32Array);
        for (const step of back.reverse()) slope = step(slope);
        return tf.scalar(0);
      });
    for (const [index, layer] of this.body.entries()) {
      switch (layer.type) {
        case 'embedding':
          sequence = engine.embed(batch, layer);
          back.push((dx) => {
            engine.embedBackward(batch, layer, dx);
            return dx;
          });
          break;
        case 'lstm': {
          const y = engine.lstm(needed(sequence, layer), layer, random && weightDrop(layer, index, random.stepSeed));
          back.push((dy) => engine.lstmBackward(y, dy));
          sequence = y;
          source = layer;
          break;
        }
        case 'conv': {
          const y = engine.conv(needed(sequence, layer), layer);
          back.push((dy) => engine.convBackward(y, dy));
          sequence = y;
          break;
        }
        case 'maxPool': {
          const y = engine.maxPool(needed(sequence, layer), layer);
          back.push((dy) => engine.maxPoolBackward(y, dy));
          sequence = y;
          break;
        }
        case 'pool': {
          const x = needed(sequence, layer);
          vector = leave(engine.pool(x, layer, source), (dy) => engine.poolBackward(x, layer, source, dy));
          break;
        }
        case 'attention': {
          const x = needed(sequence, layer);
          vector = leave(engine.attention(x, layer), (dy) => engine.attentionBackward(x, layer, dy));
          break;
        }
        case 'dense': {
          const input = needed(vector, layer);
          const x = input.dataSync() as Float32Array;
          const y = tf.tensor2d(engine.dense(x, layer), [batch.lengths.length, layer.units]);
          const linear = op(input, y, (dy) => tf.tensor(engine.denseBackward(x, layer, dy.dataSync() as Float32Array), input.shape));
          vector = layer.activation === 'relu' ? tf.relu(linear) : layer.activation === 'tanh' ? tf.tanh(linear) : linear;
          break;
        }
        case 'dropout': {
          if (!random || layer.rate === 0) break;
          const scale = 1 / (1 - layer.rate);
          if (vector) {
            const width = vector.shape[1]!;
            const mask = dropoutMask(batch.lengths, random.seeds, index, layer.rate, 1, width);
            vector = tf.mul(vector, tf.tensor2d(Float32Array.from(mask, (keep) => keep * scale), [batch.lengths.length, width]));
          } else {
            const x = needed(sequence, layer);
            const mask = layer.over === 'tokens' ? tokenMask(batch, random.seeds, index, layer.rate, x.width) : dropoutMask(x.lengths, random.seeds, index, layer.rate, x.time, x.width);
            sequence = engine.mask(x, mask, scale);
            back.push((dy) => engine.mask(dy, mask, scale));
          }
          break;
        }
        case 'ngrams':
          // beside these layers, see scores
          break;
      }
    }
    return needed(vector, this.head);
  }
}

/** Where a training pass draws its random masks from. */
type Seeds = Pick<LabelledBatch, 'seeds' | 'stepSeed'>;

/** An op of the tape whose output was computed already. @param backward from the gradient to the output to that to the input */
function op(input: tf.Tensor, output: tf.Tensor, backward: (dy: tf.Tensor) => tf.Tensor): tf.Tensor {
  return tf.customGrad((read) => {
    void read;
    return { value: output, gradFunc: backward };
  })(input);
}

/** [B] → [B, 2]: a logit z as the logits [0, z] of two labels. */
export function logitPairs(logits: Float32Array): Float32Array {
  const pairs = new Float32Array(2 * logits.length);
  logits.forEach((logit, row) => (pairs[2 * row + 1] = logit));
  return pairs;
}

/** The way back of {@link logitPairs}. */
export function secondOfPairs(slopes: Float32Array): Float32Array {
  return Float32Array.from({ length: slopes.length / 2 }, (_, row) => slopes[2 * row + 1]!);
}

function needed<T>(input: T | undefined, layer: Layer): T {
  if (input === undefined) throw new Error(`Layer ${layer.name} does not fit the one before it.`);
  return input;
}

/** [B, steps, width] of 0 and 1, drawn for each example from its own seed. `steps` is 1 for vectors, else the batch's time. */
function dropoutMask(lengths: Int32Array, seeds: ArrayLike<number>, layer: number, rate: number, steps: number, width: number): Uint8Array {
  const mask = new Uint8Array(lengths.length * steps * width);
  lengths.forEach((length, b) => {
    const from = b * steps * width;
    drawMask(randomOf(seeds[b]!, layer), rate, mask, from, from + (steps === 1 ? 1 : length) * width);
  });
  return mask;
}

/** [B, T, width]: all values of a token are kept or dropped together, and a token has the same fate wherever it stands in a text. */
function tokenMask({ ids, lengths, time }: TokenBatch, seeds: ArrayLike<number>, layer: number, rate: number, width: number): Uint8Array {
  const mask = new Uint8Array(lengths.length * time * width);
  lengths.forEach((length, b) => {
    for (let at = b * time; at < b * time + length; at++) mask.fill(keepsToken(seeds[b]!, layer, ids[at]!, rate) ? 1 : 0, at * width, (at + 1) * width);
  });
  return mask;
}

/** Masks for the layer's hidden-to-hidden matrices, one for each direction. */
function weightDrop({ recurrentDropout: rate = 0, units, bidirectional }: LstmLayer, layer: number, stepSeed: number): LstmOptions | undefined {
  if (rate === 0) return undefined;
  const recurrentMasks = Array.from({ length: bidirectional ? 2 : 1 }, (_, direction) => {
    const mask = new Uint8Array(4 * units * units);
    drawMask(randomOf(stepSeed, layer, direction), rate, mask, 0, mask.length);
    return mask;
  });
  return { recurrentMasks, scale: 1 / (1 - rate) };
}
