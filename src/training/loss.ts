/** What makes the loss that is learned from differ from the plain cross entropy. */
export interface LossOptions {
  /** Share of the truth that is spread evenly over all labels (label smoothing, Szegedy et al. 2016), in 0..1. Default 0. */
  readonly labelSmoothing?: number;
  /** [L] factor of the loss of an example with that label. Default 1 for all. */
  readonly classWeights?: ArrayLike<number> | undefined;
}

/** Cross entropy of a batch, and the way back. */
export interface BatchLoss {
  /** Sum over the batch of −ln softmax(logits)[label], nats. */
  readonly plain: number;
  /** The loss that is learned from. */
  readonly loss: number;
  /** [B, L] gradient of `loss` to the logits. */
  readonly slopes: Float32Array;
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
