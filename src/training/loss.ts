import type { TaskKind } from '../core/model/onnxWriter';

/** What the loss is that is learned from. The default is the plain cross entropy of one label. */
export interface LossOptions {
  /** What is asked of a text; decides, too, what a head of one unit is, see `hasSigmoidHead`. Default `single`, with {@link value} beside it for a joint model. */
  readonly kind?: TaskKind;
  /** Share of the truth that is spread evenly over all labels (label smoothing, Szegedy et al. 2016), for `multi` over right and wrong of each; in 0..1. Default 0. */
  readonly labelSmoothing?: number;
  /** Factor of the loss: [L] of an example with that label; for `multi` [L, 2] of a label that is wrong and of one that is right. Default 1 for all. */
  readonly classWeights?: ArrayLike<number> | undefined;
  /** Needed for `number` and joint models. */
  readonly value?: RegressionOptions | undefined;
}

/** How numbers are learned, which are standardised: less the mean of the training rows, over their standard deviation. */
export interface RegressionOptions {
  readonly loss: 'squared' | 'huber';
  /** Size of an error from which on Huber's loss is straight, in standard deviations; above 0. */
  readonly delta: number;
  /** What the loss counts beside the cross entropy of a joint model; of no account for `number`. */
  readonly weight: number;
  /** The training rows' standard deviation, in the number's own unit; above 0. */
  readonly deviation: number;
}

/** What is right about the examples of a batch. */
export interface Truth {
  /** [B], indices into the model's labels; of no account for `multi` and `number`. */
  readonly labels: Int32Array;
  /** [B, L], 1 for a label that is right, else 0: for `multi`. */
  readonly marks?: Uint8Array;
  /** [B], standardised: for `number` and joint models. */
  readonly values?: Float32Array;
}

/** Loss of a batch, and the way back. */
export interface BatchLoss {
  /** Sum over the batch of the loss without weight, label smoothing and class weights: what `EpochReport` tells of. */
  readonly plain: number;
  /** The loss that is learned from. */
  readonly loss: number;
  /** [B, outputs] gradient of `loss` to the logits. */
  readonly slopes: Float32Array;
}

/**
 * The loss of a batch for whatever is asked of its texts.
 *
 * @param logits [B, outputs]: one a label, then, where there is a number, its standardised value
 * @param weight factor of the loss that is learned from
 */
export function batchLoss(logits: Float32Array, truth: Truth, weight: number, options: LossOptions): BatchLoss {
  const { kind = 'single', value } = options;
  switch (kind) {
    case 'single':
      return value ? jointLoss(logits, truth, weight, options, value) : softmaxCrossEntropy(logits, truth.labels, weight, options);
    case 'multi':
      return sigmoidCrossEntropy(logits, needed(truth.marks), truth.labels.length, weight, options);
    case 'number':
      return regressionLoss(logits, needed(truth.values), weight, needed(value));
  }
}

/**
 * Softmax and cross entropy: loss = weight · Σ_b classWeights[y_b] · −Σ_l t_bl · ln softmax(z_b)_l with t = (1 − s) · onehot(y) + s / L;
 * its gradient is weight · classWeights[y_b] · (softmax(z_b) − t_b).
 *
 * @param logits [B, L]
 * @param labels [B], each 0..L-1
 */
export function softmaxCrossEntropy(logits: Float32Array, labels: Int32Array, weight: number, { labelSmoothing = 0, classWeights }: LossOptions): BatchLoss {
  const width = logits.length / labels.length;
  const slopes = new Float32Array(logits.length);
  let plain = 0;
  let loss = 0;
  labels.forEach((label, row) => {
    const start = row * width;
    let top = -Infinity;
    for (let k = start; k < start + width; k++) top = Math.max(top, logits[k]!);
    let sum = 0;
    let logitSum = 0;
    for (let k = start; k < start + width; k++) {
      const power = Math.exp(logits[k]! - top);
      slopes[k] = power;
      sum += power;
      logitSum += logits[k]!;
    }
    const logSum = top + Math.log(sum);
    const factor = weight * (classWeights?.[label] ?? 1);
    const entropy = logSum - logits[start + label]!;
    plain += entropy;
    loss += factor * ((1 - labelSmoothing) * entropy + labelSmoothing * (logSum - logitSum / width));
    for (let k = start; k < start + width; k++) slopes[k] = factor * (slopes[k]! / sum - labelSmoothing / width - (k === start + label ? 1 - labelSmoothing : 0));
  });
  return { plain, loss, slopes };
}

/**
 * Sigmoid and binary cross entropy of each label, and their mean over the labels: loss = weight · Σ_b 1/L · Σ_l classWeights[l, y_bl] · (softplus(z_bl) − t_bl · z_bl) with t = (1 − s) · y + s / 2;
 * its gradient is weight / L · classWeights[l, y_bl] · (σ(z_bl) − t_bl).
 *
 * @param logits [B, L]
 * @param marks [B, L] of 0 and 1
 */
export function sigmoidCrossEntropy(logits: Float32Array, marks: Uint8Array, examples: number, weight: number, { labelSmoothing = 0, classWeights }: LossOptions): BatchLoss {
  const width = logits.length / examples;
  const slopes = new Float32Array(logits.length);
  let plain = 0;
  let loss = 0;
  for (let k = 0; k < logits.length; k++) {
    const z = logits[k]!;
    const mark = marks[k]!;
    const factor = (weight * (classWeights?.[2 * (k % width) + mark] ?? 1)) / width;
    const target = (1 - labelSmoothing) * mark + labelSmoothing / 2;
    // without overflow on either side
    const softplus = Math.max(0, z) + Math.log1p(Math.exp(-Math.abs(z)));
    plain += (softplus - mark * z) / width;
    loss += factor * (softplus - target * z);
    slopes[k] = factor * (1 / (1 + Math.exp(-z)) - target);
  }
  return { plain, loss, slopes };
}

/**
 * Loss of numbers with e = z − v: squared e², or Huber's ½e² where |e| ≤ δ and δ(|e| − ½δ) beyond (Huber 1964); the loss that is learned from is `weight` times the sum.
 *
 * @param logits [B], standardised as `values` are
 */
export function regressionLoss(logits: Float32Array, values: Float32Array, weight: number, { loss: name, delta }: Pick<RegressionOptions, 'loss' | 'delta'>): BatchLoss {
  const slopes = new Float32Array(logits.length);
  let plain = 0;
  for (let row = 0; row < logits.length; row++) {
    const error = logits[row]! - values[row]!;
    const size = Math.abs(error);
    if (name === 'squared') {
      plain += error * error;
      slopes[row] = weight * 2 * error;
    } else if (size <= delta) {
      plain += (error * error) / 2;
      slopes[row] = weight * error;
    } else {
      // where it is not a number, too
      plain += delta * (size - delta / 2);
      slopes[row] = weight * delta * Math.sign(error);
    }
  }
  return { plain, loss: weight * plain, slopes };
}

/** Cross entropy of the labels' logits and, times its weight, the loss of the number in the last column. */
function jointLoss(logits: Float32Array, { labels, values }: Truth, weight: number, options: LossOptions, value: RegressionOptions): BatchLoss {
  const rows = labels.length;
  const [scores, numbers] = splitLogits(logits, rows);
  const label = softmaxCrossEntropy(scores, labels, weight, options);
  const number = regressionLoss(numbers, needed(values), weight * value.weight, value);
  const width = logits.length / rows;
  const slopes = new Float32Array(logits.length);
  for (let row = 0; row < rows; row++) {
    slopes.set(label.slopes.subarray(row * (width - 1), (row + 1) * (width - 1)), row * width);
    slopes[(row + 1) * width - 1] = number.slopes[row]!;
  }
  return { plain: label.plain + value.weight * number.plain, loss: label.loss + number.loss, slopes };
}

/** A joint model's logits [rows, L + 1] as those of its labels [rows, L] and its numbers [rows]. */
export function splitLogits(logits: Float32Array, rows: number): readonly [labels: Float32Array, numbers: Float32Array] {
  const width = rows === 0 ? 1 : logits.length / rows;
  const labels = new Float32Array(rows * (width - 1));
  const numbers = new Float32Array(rows);
  for (let row = 0; row < rows; row++) {
    labels.set(logits.subarray(row * width, (row + 1) * width - 1), row * (width - 1));
    numbers[row] = logits[(row + 1) * width - 1]!;
  }
  return [labels, numbers];
}

function needed<T>(part: T | undefined): T {
  if (part === undefined) throw new Error('The rows lack what this kind of task learns from.');
  return part;
}
