import type { TaskKind } from '../core/model/onnxWriter';
import { addScaled, dot } from '../core/util/dot';
import type { FeatureStatistics, FeatureStore } from './featureStore';
import type { Objective } from '../core/util/minimize';

/**
 * The light head on the frozen model's features: a linear model of the standardized features, learned anew after each decision, from where it was.
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

/** What a head learns from. */
export interface Lesson {
  /** [rows, width] standardized features, see {@link standardizeInto}. */
  readonly inputs: Float32Array;
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

/**
 * How strongly a head is held, by the number of rows that it learns from: the fewer, the stronger. Inputs have a mean square norm of 1 (see {@link standardizeInto}), so that the strengths mean the same
 * for every width. Found by hand on five public sets of 2 to 10 labels with 10 to 1,000 rows, none of them among those that `npm run simulate` is reported on; within a factor of 3 it hardly matters.
 */
export function penaltiesFor({ outputs, hasBase }: HeadShape, rows: number): Penalties {
  // a base model says most of what there is to say, so the rest may be held tighter
  if (hasBase) return { weights: Math.max(0.5, Math.min(10, 20 / Math.sqrt(Math.max(1, rows)))), biases: 2, base: 5 };
  return { weights: (2 / Math.max(2, outputs)) * Math.min(2, Math.sqrt(100 / Math.max(1, rows))), biases: 0.3, base: 0 };
}

/** Weights [outputs, width], then biases [outputs], then, with a base, its factor less 1. */
export function parameterCount({ width, outputs, hasBase }: HeadShape): number {
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
    this.size = parameterCount(shape);
    this.errors = new Float64Array(lesson.rows * shape.outputs);
  }

  evaluate(point: Float64Array, gradient: Float64Array): number {
    const { width, outputs, hasBase } = this.shape;
    const { inputs, base, rows } = this.lesson;
    const { errors } = this;
    const factor = hasBase ? 1 + point[this.size - 1]! : 0;
    gradient.fill(0);
    let loss = 0;
    for (let row = 0; row < rows; row++) {
      for (let k = 0; k < outputs; k++) {
        const sum = point[outputs * width + k]! + dot(point, k * width, inputs, row * width, width);
        errors[row * outputs + k] = hasBase ? sum + factor * base[row * outputs + k]! : sum;
      }
      loss += this.rowLoss(row);
    }
    for (let row = 0; row < rows; row++) {
      for (let k = 0; k < outputs; k++) {
        const error = errors[row * outputs + k]!;
        gradient[outputs * width + k]! += error;
        addScaled(gradient, k * width, error, inputs, row * width, width);
        if (hasBase) gradient[this.size - 1]! += error * base[row * outputs + k]!;
      }
    }
    return loss + this.penalize(point, gradient);
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
    for (let i = 0; i < this.size; i++) {
      const strength = i < outputs * width ? penalties.weights : i < outputs * width + outputs ? penalties.biases : penalties.base;
      penalty += (strength / 2) * point[i]! ** 2;
      gradient[i]! += strength * point[i]!;
    }
    return penalty;
  }
}

/** A learned head, folded so that it reads features as they come. */
export class Head {
  private readonly weights: Float64Array;
  private readonly biases: Float64Array;
  private readonly factor: number;
  /** Of the text that is being scored. */
  private readonly logits: Float64Array;

  /**
   * @param parameters as in {@link parameterCount}, for features standardized by `statistics`
   * @param values for `number`: mean and spread of the values that were learned from
   */
  constructor(
    readonly shape: HeadShape,
    readonly parameters: Float64Array,
    statistics: FeatureStatistics,
    private readonly values: ValueScale = { mean: 0, deviation: 1 },
  ) {
    const { width, outputs, hasBase } = shape;
    this.weights = new Float64Array(outputs * width);
    this.logits = new Float64Array(outputs);
    this.biases = parameters.slice(outputs * width, outputs * width + outputs);
    this.factor = hasBase ? 1 + parameters[outputs * width + outputs]! : 0;
    for (let k = 0; k < outputs; k++) {
      for (let j = 0; j < width; j++) {
        const weight = (parameters[k * width + j]! * statistics.scale[j]!) / Math.sqrt(width);
        this.weights[k * width + j] = weight;
        this.biases[k]! -= weight * statistics.mean[j]!;
      }
    }
  }

  /** Writes the scores of a text whose features are known to `scores`, from `at` on. */
  score(store: FeatureStore, position: number, scores: Float32Array, at: number): void {
    const { kind, width, outputs } = this.shape;
    const { values: features, at: from } = store.row(position);
    const { weights, logits } = this;
    for (let k = 0; k < outputs; k++) {
      const sum = this.biases[k]! + dot(weights, k * width, features, from, width);
      logits[k] = this.factor === 0 ? sum : sum + this.factor * baseLogit(kind, store.baseScore(position, k), this.values);
    }
    if (kind === 'number') scores[at] = this.values.mean + this.values.deviation * logits[0]!;
    else {
      const total = kind === 'single' ? logSum(logits, 0, outputs) : 0;
      for (let k = 0; k < outputs; k++) scores[at + k] = kind === 'single' ? Math.exp(logits[k]! - total) : logistic(logits[k]!);
    }
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

/** Writes a text's features to `inputs` from `at` on, each with mean 0 over the pool, scaled so that the whole has a mean square norm of 1. */
export function standardizeInto(inputs: Float32Array, at: number, store: FeatureStore, position: number, { mean, scale }: FeatureStatistics): void {
  const { values, at: from } = store.row(position);
  const { width } = store;
  const shrink = 1 / Math.sqrt(width);
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
