/** Weights, none negative and together 1, by which several models are averaged. Both problems are convex: what is found is the best there is, to within the tolerance. */

/** What a member gives at least, so that one that is sure and wrong does not rule itself out by rounding alone. */
const leastLikelihood = 1e-7;

const mostRounds = 10_000;
const tolerance = 1e-9;

/**
 * The weights of a mixture with the least log loss −Σ log Σ w·p, by expectation–maximization (Dempster, Laird & Rubin 1977), which never makes it greater.
 *
 * @param likelihoods for each member what it gives the truth, 0..1, observation by observation; at least one
 */
export function mixtureWeights(likelihoods: readonly ArrayLike<number>[]): number[] {
  const observations = likelihoods[0]?.length ?? 0;
  const floored = likelihoods.map((own) => Float64Array.from(own, (likelihood) => Math.max(leastLikelihood, likelihood)));
  let weights = floored.map(() => 1 / floored.length);
  for (let round = 0; round < mostRounds && observations > 0; round++) {
    const shares = new Float64Array(weights.length);
    for (let i = 0; i < observations; i++) {
      let sum = 0;
      for (let k = 0; k < weights.length; k++) sum += weights[k]! * floored[k]![i]!;
      for (let k = 0; k < weights.length; k++) shares[k]! += (weights[k]! * floored[k]![i]!) / sum;
    }
    const next = Array.from(shares, (share) => share / observations);
    const change = Math.max(...next.map((weight, k) => Math.abs(weight - weights[k]!)));
    weights = next;
    if (change < tolerance) break;
  }
  return normalized(weights);
}

/**
 * The weights with the least squares ‖Σ w·y − t‖²: what one member gives to another is chosen exactly, pair by pair, until nothing moves.
 *
 * @param predictions for each member its values, finite
 * @param truth as many
 */
export function leastSquaresWeights(predictions: readonly ArrayLike<number>[], truth: ArrayLike<number>): number[] {
  const rows = truth.length;
  const errors = predictions.map((own) => Float64Array.from(own, (value, i) => value - truth[i]!));
  // Σ w = 1, so the error of the average is the average of the errors: wᵀ G w with their products
  const products = errors.map((a) => errors.map((b) => a.reduce((sum, error, i) => sum + error * b[i]!, 0) / Math.max(1, rows)));
  const weights = errors.map(() => 1 / errors.length);
  for (let round = 0; round < mostRounds; round++) {
    let change = 0;
    for (let a = 0; a < weights.length; a++) {
      for (let b = 0; b < a; b++) {
        const slope = weights.reduce((sum, weight, k) => sum + weight * (products[a]![k]! - products[b]![k]!), 0);
        const curvature = products[a]![a]! - 2 * products[a]![b]! + products[b]![b]!;
        // members that say the same may share as they do
        if (curvature <= 0) continue;
        const step = Math.max(-weights[a]!, Math.min(weights[b]!, -slope / curvature));
        weights[a]! += step;
        weights[b]! -= step;
        change = Math.max(change, Math.abs(step));
      }
    }
    if (change < tolerance) break;
  }
  return normalized(weights);
}

function normalized(weights: readonly number[]): number[] {
  const sum = weights.reduce((total, weight) => total + Math.max(0, weight), 0);
  return weights.map((weight) => Math.max(0, weight) / sum);
}
