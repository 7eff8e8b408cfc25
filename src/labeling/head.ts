import type { TaskKind } from '../core/model/onnxWriter';
import { addDots, addOuter } from '../core/util/dot';
import type { Objective } from '../core/util/minimize';
import type { FeatureStatistics, FeatureStore } from './featureStore';
import type { NgramColumns, SparseRows } from './ngramColumns';
import { bucketOf, frequencyOf } from './ngramStore';

/**
 * The light head: a linear model of the frozen model's features, standardized, and of the texts' n-grams, learned anew after each decision, from where it was. The features know what the frozen model was
 * made for; n-grams know nothing and learn anything.
 *
 * `single` is multinomial logistic regression, `multi` one logistic regression a label, `number` ridge regression on the standardized values. Where the base model scores the task's own labels, its
 * log-odds (or its value) are an input whose factor is drawn towards 1, while all else is drawn towards 0: with no decision the head is the base model, and each decision moves it away as far
 * as it has reason to. A balanced handful of labels would otherwise spoil a good model (the class shares that it learned).
 */
export interface HeadShape {
  readonly kind: TaskKind;
  /** Features of a text. */
  readonly width: number;
  /** Scores of a text: labels, 1 for `number`. */
  readonly outputs: number;
  readonly hasBase: boolean;
}

/** How much of a say features and n-grams have: the mean square norm of either among a head's inputs. The larger, the freer its weights. */
export interface Blend {
  readonly features: number;
  readonly ngrams: number;
}

/** What a head learns from. */
export interface Lesson {
  /** [rows, width] standardized features, see {@link standardizeInto}. */
  readonly inputs: Float32Array;
  readonly ngrams: SparseRows;
  /** [rows, outputs] 1 for the labels of a row and 0 for the others; for `number` the standardized value. */
  readonly targets: Float64Array;
  /** [rows, outputs] log-odds of the base model ({@link baseLogit}); empty without it. */
  readonly base: Float64Array;
  readonly rows: number;
}

/** Strengths of the L2 penalties ½·strength·x², against a loss that is summed over the rows. */
export interface Penalties {
  readonly weights: number;
  readonly biases: number;
  /** For the distance of the base's factor from 1. */
  readonly base: number;
}

/** How strongly a head is held; the weights of the inputs by {@link Blend}, which says how large those are. Found by hand on public sets, none of them among those that `npm run simulate` is reported on. */
export function penaltiesFor({ hasBase }: HeadShape): Penalties {
  return hasBase ? { weights: 1, biases: 2, base: 5 } : { weights: 1, biases: 3, base: 0 };
}

/** Weights of the features [outputs, width], then biases [outputs], then, with a base, its factor less 1, then weights of the n-grams [columns, outputs]. */
export function parameterCount(shape: HeadShape, columns: number): number {
  return ngramsFrom(shape) + columns * shape.outputs;
}

/** Place of the first weight of an n-gram among the parameters. */
export function ngramsFrom({ width, outputs, hasBase }: HeadShape): number {
  return outputs * width + outputs + (hasBase ? 1 : 0);
}

/** The penalized loss of a head's parameters on its lesson: negative log-likelihood, or half the squared error. */
export class HeadObjective implements Objective {
  readonly size: number;
  private readonly errors: Float64Array;

  constructor(
    private readonly shape: HeadShape,
    private readonly lesson: Lesson,
    private readonly penalties: Penalties,
  ) {
    this.size = parameterCount(shape, lesson.ngrams.columns);
    this.errors = new Float64Array(lesson.rows * shape.outputs);
  }

  /**
   * What a row's own decision does to its logits through its n-grams: at the minimum the weights are sums of the rows, each as often as it errs, so a row adds its error times its square norm to itself.
   * Hardly two texts have many n-grams in common, so without it a head says of a text about what the others' n-grams say (Jaakkola & Haussler, "Probabilistic kernel regression models", AISTATS 1999). Features
   * are too few to learn single texts by heart.
   *
   * @param point the minimum
   * @returns [rows, outputs] to be taken from the logits
   */
  ownShares(point: Float64Array): Float64Array {
    this.predict(point);
    const { starts, value } = this.lesson.ngrams;
    return this.errors.map((error, i) => {
      const row = Math.floor(i / this.shape.outputs);
      return (-error * value.subarray(starts[row], starts[row + 1]).reduce((sum, part) => sum + part * part, 0)) / this.penalties.weights;
    });
  }

  evaluate(point: Float64Array, gradient: Float64Array): number {
    const { width, outputs, hasBase } = this.shape;
    const { inputs, base, rows } = this.lesson;
    const { errors } = this;
    const factorAt = outputs * width + outputs;
    const loss = this.predict(point);
    gradient.fill(0);
    for (let row = 0; row < rows; row++) {
      const at = row * outputs;
      for (let k = 0; k < outputs; k++) {
        gradient[outputs * width + k]! += errors[at + k]!;
        if (hasBase) gradient[factorAt]! += errors[at + k]! * base[at + k]!;
      }
      addOuter(gradient, 0, outputs, inputs, row * width, width, errors, at);
      this.pullNgrams(gradient, row);
    }
    return loss + this.penalize(point, gradient);
  }

  /** Loss of all rows without the penalties; leaves its slopes in `errors`. */
  private predict(point: Float64Array): number {
    const { width, outputs, hasBase } = this.shape;
    const { inputs, base, rows } = this.lesson;
    const { errors } = this;
    const factor = hasBase ? 1 + point[outputs * width + outputs]! : 0;
    let loss = 0;
    for (let row = 0; row < rows; row++) {
      const at = row * outputs;
      for (let k = 0; k < outputs; k++) errors[at + k] = point[outputs * width + k]! + (hasBase ? factor * base[at + k]! : 0);
      addDots(point, 0, outputs, inputs, row * width, width, errors, at);
      this.addNgrams(point, row);
      loss += this.rowLoss(row);
    }
    return loss;
  }

  /** Adds what a row's n-grams say to its logits. */
  private addNgrams(point: Float64Array, row: number): void {
    const { outputs } = this.shape;
    const { starts, column, value } = this.lesson.ngrams;
    const from = ngramsFrom(this.shape);
    for (let i = starts[row]!; i < starts[row + 1]!; i++) {
      const at = from + column[i]! * outputs;
      for (let k = 0; k < outputs; k++) this.errors[row * outputs + k]! += value[i]! * point[at + k]!;
    }
  }

  /** Adds a row's share of the slope of the n-grams' weights. */
  private pullNgrams(gradient: Float64Array, row: number): void {
    const { outputs } = this.shape;
    const { starts, column, value } = this.lesson.ngrams;
    const from = ngramsFrom(this.shape);
    for (let i = starts[row]!; i < starts[row + 1]!; i++) {
      const at = from + column[i]! * outputs;
      for (let k = 0; k < outputs; k++) gradient[at + k]! += value[i]! * this.errors[row * outputs + k]!;
    }
  }

  /** Loss of a row whose logits lie in `errors`; leaves the loss's slope there. */
  private rowLoss(row: number): number {
    const { kind, outputs } = this.shape;
    const { targets } = this.lesson;
    const { errors } = this;
    const from = row * outputs;
    let loss = 0;
    if (kind === 'single') {
      const total = logSum(errors, from, outputs);
      for (let k = from; k < from + outputs; k++) {
        loss += targets[k]! * (total - errors[k]!);
        errors[k] = Math.exp(errors[k]! - total) - targets[k]!;
      }
    } else if (kind === 'multi') {
      for (let k = from; k < from + outputs; k++) {
        const logit = errors[k]!;
        // log(1 + exp(x)) without overflow
        loss += Math.max(logit, 0) + Math.log1p(Math.exp(-Math.abs(logit))) - targets[k]! * logit;
        errors[k] = logistic(logit) - targets[k]!;
      }
    } else {
      const error = errors[from]! - targets[from]!;
      loss += (error * error) / 2;
      errors[from] = error;
    }
    return loss;
  }

  private penalize(point: Float64Array, gradient: Float64Array): number {
    const { width, outputs } = this.shape;
    const { penalties } = this;
    let penalty = 0;
    const hold = (from: number, to: number, strength: number): void => {
      let square = 0;
      for (let i = from; i < to; i++) {
        square += point[i]! ** 2;
        gradient[i]! += strength * point[i]!;
      }
      penalty += (strength / 2) * square;
    };
    hold(0, outputs * width, penalties.weights);
    hold(outputs * width, outputs * width + outputs, penalties.biases);
    hold(outputs * width + outputs, ngramsFrom(this.shape), penalties.base);
    hold(ngramsFrom(this.shape), this.size, penalties.weights);
    return penalty;
  }
}

/** How a head reads a text. */
export interface Reading {
  readonly statistics: FeatureStatistics;
  readonly blend: Blend;
  readonly columns: NgramColumns;
}

/** A learned head, folded so that it reads features and n-grams as they come. */
export class Head {
  private readonly weights: Float64Array;
  /** [places of the columns, outputs] */
  private readonly ngrams: Float32Array;
  private readonly biases: Float64Array;
  private readonly factor: number;
  /** Of the text that is being scored. */
  private readonly logits: Float64Array;

  /**
   * @param parameters as in {@link parameterCount}, for inputs as `reading` makes them
   * @param values for `number`: mean and spread of the values that were learned from
   * @param own by position of a text that was learned from, what its own decision adds to its logits through its n-grams: its scores leave that out, so that a decision can be compared with them
   */
  constructor(
    readonly shape: HeadShape,
    readonly parameters: Float64Array,
    readonly reading: Reading,
    private readonly values: ValueScale = { mean: 0, deviation: 1 },
    private readonly own: ReadonlyMap<number, Float64Array> = new Map(),
  ) {
    const { width, outputs, hasBase } = shape;
    const { statistics, blend, columns } = reading;
    this.weights = new Float64Array(outputs * width);
    this.logits = new Float64Array(outputs);
    this.biases = parameters.slice(outputs * width, outputs * width + outputs);
    this.factor = hasBase ? 1 + parameters[outputs * width + outputs]! : 0;
    const share = Math.sqrt(blend.features / width);
    for (let k = 0; k < outputs; k++) {
      for (let j = 0; j < width; j++) {
        const weight = parameters[k * width + j]! * statistics.scale[j]! * share;
        this.weights[k * width + j] = weight;
        this.biases[k]! -= weight * statistics.mean[j]!;
      }
    }
    this.ngrams = new Float32Array(columns.buckets.length * outputs);
    const from = ngramsFrom(shape);
    columns.buckets.forEach((bucket, place) => {
      const weight = Math.sqrt(blend.ngrams) * columns.weights.rarity[bucket]! * columns.parts[place]!;
      for (let k = 0; k < outputs; k++) this.ngrams[place * outputs + k] = weight * parameters[from + columns.columns[place]! * outputs + k]!;
    });
  }

  /** Writes the scores of a text whose features are known to `scores`, from `at` on. */
  score(store: FeatureStore, position: number, scores: Float32Array, at: number): void {
    const { kind, width, outputs } = this.shape;
    const { values: features, at: from } = store.row(position);
    const { weights, logits } = this;
    this.readNgrams(position);
    addDots(weights, 0, outputs, features, from, width, logits, 0);
    const own = this.own.get(position);
    if (own) for (let k = 0; k < outputs; k++) logits[k]! -= own[k]!;
    for (let k = 0; k < outputs; k++) logits[k]! += this.biases[k]! + (this.factor === 0 ? 0 : this.factor * baseLogit(kind, store.baseScore(position, k), this.values));
    if (kind === 'number') scores[at] = this.values.mean + this.values.deviation * logits[0]!;
    else {
      const total = kind === 'single' ? logSum(logits, 0, outputs) : 0;
      for (let k = 0; k < outputs; k++) scores[at + k] = kind === 'single' ? Math.exp(logits[k]! - total) : logistic(logits[k]!);
    }
  }

  /** Leaves in `logits` what the n-grams of a text say. */
  private readNgrams(position: number): void {
    const { outputs } = this.shape;
    const { columns } = this.reading;
    const { places, weights } = columns;
    const { logits, ngrams } = this;
    logits.fill(0);
    const { entries, from, to } = weights.store.row(position);
    for (let i = from; i < to; i++) {
      const bucket = bucketOf(entries[i]!);
      if (!columns.has(bucket)) continue;
      const frequency = frequencyOf(entries[i]!);
      for (let k = 0, w = (places[bucket]! - 1) * outputs; k < outputs; k++, w++) logits[k]! += frequency * ngrams[w]!;
    }
    const scale = weights.scaleOf(position);
    for (let k = 0; k < outputs; k++) logits[k]! *= scale;
  }
}

/** Mean and spread of decided numbers. */
export interface ValueScale {
  readonly mean: number;
  /** Above 0. */
  readonly deviation: number;
}

/** @returns spread 1 where the values do not vary */
export function valueScale(values: readonly number[]): ValueScale {
  if (values.length === 0) return { mean: 0, deviation: 1 };
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
  return { mean, deviation: deviation > 1e-9 * Math.max(1, Math.abs(mean)) ? deviation : 1 };
}

/** Scores nearer to 0 or 1 count as this. */
const surest = 1e-3;

/** What the head reads of a base model's score: log-odds for `multi`, log-probability for `single`, the standardized value for `number`. */
export function baseLogit(kind: TaskKind, score: number, values: ValueScale): number {
  if (kind === 'number') return (score - values.mean) / values.deviation;
  const probability = Math.max(surest, Math.min(1 - surest, score));
  return kind === 'single' ? Math.log(probability) : Math.log(probability / (1 - probability));
}

/** Writes a text's features to `inputs` from `at` on, each with mean 0 over the pool, scaled so that the whole has a mean square norm of `norm`. */
export function standardizeInto(inputs: Float32Array, at: number, store: FeatureStore, position: number, { mean, scale }: FeatureStatistics, norm = 1): void {
  const { values, at: from } = store.row(position);
  const { width } = store;
  const shrink = Math.sqrt(norm / width);
  for (let j = 0; j < width; j++) inputs[at + j] = (values[from + j]! - mean[j]!) * scale[j]! * shrink;
}

/** log Σ exp, without overflow. */
function logSum(logits: Float64Array, from: number, count: number): number {
  let largest = -Infinity;
  for (let k = from; k < from + count; k++) largest = Math.max(largest, logits[k]!);
  let sum = 0;
  for (let k = from; k < from + count; k++) sum += Math.exp(logits[k]! - largest);
  return largest + Math.log(sum);
}

function logistic(logit: number): number {
  return logit >= 0 ? 1 / (1 + Math.exp(-logit)) : Math.exp(logit) / (1 + Math.exp(logit));
}
