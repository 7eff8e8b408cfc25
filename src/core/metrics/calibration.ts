import { Random } from '../util/random';

/**
 * Do probabilities mean what they say: Guo, Pleiss, Sun & Weinberger, "On Calibration of Modern Neural Networks" (ICML 2017).
 */

/**
 * Expected calibration error: predictions are put into `bins` of equal width by their confidence (the score of the predicted label); the mean, weighted by the bins' sizes,
 * of the distance between a bin's accuracy and its mean confidence. 0 (calibrated) to 1.
 *
 * @param scores probabilities [examples, width], row-major
 * @param width number of labels
 * @param truth index of the right label, one per example
 */
export function expectedCalibrationError(scores: ArrayLike<number>, width: number, truth: ArrayLike<number>, bins = 15): number {
  const rows = truth.length;
  if (scores.length !== rows * width) throw new Error(`${scores.length} scores for ${rows} examples of ${width} labels.`);
  // per bin, the sum of (right - confidence): its magnitude is the bin's size times its gap
  const gaps = new Float64Array(bins);
  for (let row = 0; row < rows; row++) {
    let best = 0;
    for (let label = 1; label < width; label++) if (scores[row * width + label]! > scores[row * width + best]!) best = label;
    const confidence = scores[row * width + best]!;
    gaps[binOf(confidence, bins)]! += (best === truth[row] ? 1 : 0) - confidence;
  }
  return rows === 0 ? 0 : gaps.reduce((total, gap) => total + Math.abs(gap), 0) / rows;
}

/** A bin holds its upper edge, as in the paper: (m-1)/M < confidence ≤ m/M. */
function binOf(confidence: number, bins: number): number {
  return Math.max(0, Math.min(bins - 1, Math.ceil(confidence * bins) - 1));
}

/** Draws of which {@link calibratedError} is the mean: at most, and as many as make so many predictions in all, but at least the last. */
const draws = { most: 200, predictions: 2_000_000, least: 20 };

/**
 * The {@link expectedCalibrationError} that these predictions would have if each were right with the probability that it says, by chance alone: the fewer predictions, the larger it is (0.05 for 350 of
 * them is nothing unusual), and only what a model has beyond it speaks against the model. The mean over draws of what is right (consistency resampling: Bröcker & Smith, "Increasing the Reliability of
 * Reliability Diagrams", Weather and Forecasting 22, 2007). Always the same for the same predictions.
 *
 * @param confidences scores of the predicted labels, in 0..1
 */
export function calibratedError(confidences: ArrayLike<number>, bins = 15): number {
  const rows = confidences.length;
  if (rows === 0) return 0;
  const random = new Random(rows);
  const times = Math.max(draws.least, Math.min(draws.most, Math.round(draws.predictions / rows)));
  const gaps = new Float64Array(bins);
  let total = 0;
  for (let time = 0; time < times; time++) {
    gaps.fill(0);
    for (let row = 0; row < rows; row++) {
      const confidence = confidences[row]!;
      gaps[binOf(confidence, bins)]! += (random.float() < confidence ? 1 : 0) - confidence;
    }
    for (const gap of gaps) total += Math.abs(gap);
  }
  return total / times / rows;
}

/** Predictions of like confidence. */
export interface ReliabilityBin {
  /** Mean confidence, 0..1; the middle of the bin where it is empty. */
  readonly confidence: number;
  /** Share that was right, 0..1; 0 where it is empty. */
  readonly accuracy: number;
  readonly rows: number;
}

/**
 * What a reliability diagram shows: predictions in `bins` of equal width by their confidence.
 * @param confidences in 0..1
 * @param right 1 where the prediction was right, else 0
 */
export function reliabilityBins(confidences: ArrayLike<number>, right: ArrayLike<number>, bins = 10): readonly ReliabilityBin[] {
  if (confidences.length !== right.length) throw new Error(`${confidences.length} confidences for ${right.length} predictions.`);
  const sums = Array.from({ length: bins }, () => ({ confidence: 0, right: 0, rows: 0 }));
  for (let row = 0; row < confidences.length; row++) {
    const confidence = confidences[row]!;
    const bin = sums[binOf(confidence, bins)]!;
    bin.confidence += confidence;
    bin.right += right[row]!;
    bin.rows++;
  }
  return sums.map(({ confidence, right: hits, rows }, bin) => (rows === 0 ? { confidence: (bin + 0.5) / bins, accuracy: 0, rows } : { confidence: confidence / rows, accuracy: hits / rows, rows }));
}

/** The temperatures among which {@link fitTemperature} looks. */
const coldest = 0.05;
const hottest = 20;

/**
 * Temperature scaling: the T for which softmax(logits / T) has the smallest mean negative log-likelihood on held-out examples. It changes no prediction, only
 * how sure it is. 1 for no examples. Found within 0.05..20, to about 6 digits.
 *
 * @param logits [examples, width], row-major; of examples that the model was not trained on, best at least 100
 * @param truth index of the right label, one per example
 */
export function fitTemperature(logits: ArrayLike<number>, width: number, truth: ArrayLike<number>): number {
  if (logits.length !== truth.length * width) throw new Error(`${logits.length} logits for ${truth.length} examples of ${width} labels.`);
  if (truth.length === 0) return 1;
  // the loss is convex in 1/T, hence unimodal in log T: golden-section search (Kiefer 1953) cannot go wrong
  const golden = (Math.sqrt(5) - 1) / 2;
  const loss = (logT: number): number => negativeLogLikelihood(logits, width, truth, Math.exp(logT));
  let low = Math.log(coldest);
  let high = Math.log(hottest);
  let left = high - golden * (high - low);
  let right = low + golden * (high - low);
  let atLeft = loss(left);
  let atRight = loss(right);
  while (high - low > 1e-6) {
    if (atLeft <= atRight) {
      [high, right, atRight] = [right, left, atLeft];
      left = high - golden * (high - low);
      atLeft = loss(left);
    } else {
      [low, left, atLeft] = [left, right, atRight];
      right = low + golden * (high - low);
      atRight = loss(right);
    }
  }
  return Math.exp((low + high) / 2);
}

/** Examples that a temperature can be fitted to; with fewer it may well get worse than it was (ours: an error of 0.06 became 0.13 with 20 in the worst of ten draws, 0.08 with 50, 0.03 with 200). */
export const rowsForTemperature = 100;

/**
 * The temperature of a model that has changed: {@link fitTemperature} where there are at least {@link rowsForTemperature} examples, else the one that it had.
 * @param before the temperature that the logits had before; undefined where nothing is known of them: what few examples say is then drawn towards 1, the more so the fewer they are
 */
export function refitTemperature(logits: ArrayLike<number>, width: number, truth: ArrayLike<number>, before: number | undefined): number {
  const share = Math.min(1, truth.length / rowsForTemperature);
  if (share < 1 && before !== undefined) return before;
  return fitTemperature(logits, width, truth) ** share;
}

/** Mean negative log-likelihood of the truth under softmax(logits / temperature), nats per example. */
export function negativeLogLikelihood(logits: ArrayLike<number>, width: number, truth: ArrayLike<number>, temperature: number): number {
  let total = 0;
  for (let row = 0; row < truth.length; row++) {
    const start = row * width;
    let largest = -Infinity;
    for (let label = 0; label < width; label++) largest = Math.max(largest, logits[start + label]! / temperature);
    let sum = 0;
    for (let label = 0; label < width; label++) sum += Math.exp(logits[start + label]! / temperature - largest);
    total += largest + Math.log(sum) - logits[start + truth[row]!]! / temperature;
  }
  return truth.length === 0 ? 0 : total / truth.length;
}
