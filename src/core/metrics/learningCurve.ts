/** Accuracy by number of labelled rows, and where it leads. */
import { Random } from '../util/random';

/** Accuracy (or R²) with so many labelled rows, and its standard error. */
export interface CurvePoint {
  readonly decisions: number;
  readonly accuracy: number;
  readonly error: number;
}

/** What more rows may bring, with a 95 % interval. */
export interface Outlook {
  /** Rows more than the curve's last point has. */
  readonly decisions: number;
  readonly accuracy: number;
  readonly low: number;
  readonly high: number;
}

/** accuracy(n) = ceiling - gap · n^-rate */
interface PowerLaw {
  readonly ceiling: number;
  readonly gap: number;
  readonly rate: number;
}

const fewestPoints = 4;
/** Exponents that learning curves were found to have lie within these (Hestness et al. 2017: 0.07..0.35 for deep models; larger for linear ones). */
const rates = Array.from({ length: 40 }, (_, index) => 0.05 + (index * 1.95) / 39);
/** Curves drawn from the points' errors, for the interval. */
const draws = 200;
/** A curve whose interval is wider does not tell anything. */
const widest = 0.25;
/** Standard error where the folds happen to agree. */
const leastError = 0.002;

/**
 * Extrapolates a learning curve by an inverse power law, fitted by weighted least squares (Figueroa et al. 2012, "Predicting sample size required for classification performance"); the interval is that of a
 * parametric bootstrap: curves drawn from the points' errors, each fitted anew.
 *
 * @param points in rising order of `decisions`
 * @param more rows more than the last point has
 * @returns undefined where the curve does not tell: with fewer than four points, where it does not rise, or where nearly everything is possible
 */
export function outlook(points: readonly CurvePoint[], more: number, seed = 1): Outlook | undefined {
  const last = points.at(-1);
  if (!last || points.length < fewestPoints) return undefined;
  const weights = points.map(({ error }) => 1 / Math.max(error, leastError) ** 2);
  const decisions = points.map((point) => point.decisions);
  const accuracies = points.map(({ accuracy }) => accuracy);
  const law = fit(decisions, accuracies, weights);
  if (!law) return undefined;
  const at = last.decisions + more;
  const random = new Random(seed);
  const drawn: number[] = [];
  for (let draw = 0; draw < draws; draw++) {
    const other = fit(
      decisions,
      points.map(({ accuracy, error }) => accuracy + Math.max(error, leastError) * random.normal()),
      weights,
    );
    // one that does not rise stays where it is
    drawn.push(other ? valueAt(other, at) : mean(accuracies, weights));
  }
  drawn.sort((a, b) => a - b);
  const low = Math.max(0, quantile(drawn, 0.025));
  const high = Math.min(1, quantile(drawn, 0.975));
  const accuracy = Math.min(high, Math.max(low, valueAt(law, at)));
  return high - low > widest ? undefined : { decisions: more, accuracy, low, high };
}

/** The law with the smallest weighted squared error; undefined where none that rises fits. */
function fit(decisions: readonly number[], accuracies: readonly number[], weights: readonly number[]): PowerLaw | undefined {
  let best: (PowerLaw & { readonly loss: number }) | undefined;
  for (const rate of rates) {
    const x = decisions.map((n) => n ** -rate);
    const meanX = mean(x, weights);
    const meanY = mean(accuracies, weights);
    let xx = 0;
    let xy = 0;
    x.forEach((value, i) => {
      const weight = weights[i] ?? 0;
      xx += weight * (value - meanX) ** 2;
      xy += weight * (value - meanX) * ((accuracies[i] ?? 0) - meanY);
    });
    let gap = xx === 0 ? 0 : -xy / xx;
    let ceiling = meanY + gap * meanX;
    if (ceiling > 1) {
      // nothing is more than right: the line through (0, 1) instead
      ceiling = 1;
      const squares = x.reduce((sum, value, i) => sum + (weights[i] ?? 0) * value * value, 0);
      gap = x.reduce((sum, value, i) => sum + (weights[i] ?? 0) * value * (1 - (accuracies[i] ?? 0)), 0) / squares;
    }
    if (!(gap > 0)) continue;
    const loss = x.reduce((sum, value, i) => sum + (weights[i] ?? 0) * (ceiling - gap * value - (accuracies[i] ?? 0)) ** 2, 0);
    if (!best || loss < best.loss) best = { ceiling, gap, rate, loss };
  }
  return best;
}

function valueAt({ ceiling, gap, rate }: PowerLaw, decisions: number): number {
  return ceiling - gap * decisions ** -rate;
}

function mean(values: readonly number[], weights: readonly number[]): number {
  let sum = 0;
  let total = 0;
  values.forEach((value, i) => {
    sum += (weights[i] ?? 0) * value;
    total += weights[i] ?? 0;
  });
  return sum / total;
}

/** @param sorted in rising order, not empty */
function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.round(share * (sorted.length - 1))))] ?? 0;
}
