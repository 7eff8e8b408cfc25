import { fitTemperature, negativeLogLikelihood } from '../core/metrics/calibration';
import { ngramScale } from '../core/model/ngrams';
import { addScaled, dot } from '../core/util/dot';
import { minimize, type MinimizeOptions, type Objective } from '../core/util/minimize';
import { Random } from '../core/util/random';

/**
 * A head on frozen layers: multinomial logistic regression, with L2, on a text's features and its n-grams together. It is what few labels are enough for, and it is convex: minimised to its end in a second or so.
 *
 * Features alone know what the base was trained for, n-grams know nothing but the words at hand; how much each is trusted, and how strongly the whole is held, cross-validation on the rows themselves tells.
 */
export interface HeadRows {
  /** L */
  readonly labels: number;
  /** D, features of a text. */
  readonly width: number;
  /** [rows, D] what the head reads. */
  readonly features: Float32Array;
  /** Token ids of each row. */
  readonly texts: readonly Int32Array[];
  /** Whether a token goes on with the word of the one before it. */
  readonly continues?: (id: number) => boolean;
  /** For each row the buckets of its n-grams as `ngramBuckets` gives them; empty without a table of n-grams. */
  readonly grams: readonly Int32Array[];
  /** [buckets] sizes of n-grams that are given, as those of a base are; else the head brings its own. */
  readonly sizes?: Float32Array;
  /** [rows] */
  readonly truth: Int32Array;
  /** What is known of a base that has these labels: the head then learns what to change about its logits. */
  readonly base?: BaseLogits;
}

export interface BaseLogits {
  /** [rows, L] logits of the base. */
  readonly rows: Float32Array;
  /** [anchors, D] and [anchors, L] of texts from no domain, of which the head is to say about what the base says. */
  readonly anchors: { readonly features: Float32Array; readonly logits: Float32Array };
}

/** How a head is held. */
interface HeadSettings {
  /** What a row counts for against the penalty ½·|weights|², inputs being of unit size. */
  readonly strength: number;
  /** Size of the features against that of the n-grams, which have a mean square norm of 1; 0: n-grams alone. */
  readonly features: number;
}

/** A fitted head, in the form of a model's weights. */
export interface FrozenHead {
  /** [D, L] and [L]. */
  readonly kernel: Float64Array;
  readonly bias: Float64Array;
  /** For each bucket that was seen its row of the table, [L]. */
  readonly table: ReadonlyMap<number, Float64Array>;
  /** For each bucket that was seen its size; the others have none. Empty where sizes were given. */
  readonly sizes: ReadonlyMap<number, number>;
  /** What the base's logits are multiplied by; 0 without it. */
  readonly factor: number;
}

/**
 * What heads are averaged over, each counting by how well it does in cross-validation. Found on five public sets of 2 to 6 labels with 50 to 1,000 rows. A base that has these labels says most of what there is to say, so the rest
 * is held tight: few rows may choose a loose head by chance, which lost a base 10 to 20 points on texts of other domains now and then.
 */
const choices: { readonly alone: readonly HeadSettings[]; readonly onBase: readonly HeadSettings[] } = {
  alone: [
    { strength: 100, features: 0.3 },
    { strength: 100, features: 0 },
    { strength: 3, features: 1 },
    { strength: 30, features: 1 },
  ],
  onBase: [
    { strength: 0.3, features: 1 },
    { strength: 1, features: 0.3 },
    { strength: 3, features: 0.3 },
  ],
};
const folds = 5;
/** Share of what the held-out likelihood says of the settings that is believed: all of it ("pseudo-BMA", Yao et al. 2018) is too sure, as the folds have rows in common. 0.3 was worth half a point over the best alone on five sets with 100 rows, and nothing with 50. */
const trustInChoice = 0.3;
/** Settings that are less likely than this share of the best ones have no say. */
const leastLikely = 0.03;
/** Rows that heads are judged on at most: from there on their shares hardly change, and it costs twenty fits. */
const mostOfChoice = 300;

/** Penalties of what {@link HeadSettings} do not hold, times the strength: with a base its biases and the distance of its factor from 1; without one biases go all but free. */
const held = { freeBias: 0.01, baseBias: 2, baseFactor: 5 };

/**
 * What all anchors together count for against a row: half the square of what the head changes about their logits, times so much for each row ("learning without forgetting", Li & Hoiem 2016, without any data). A head that
 * was fitted to one domain moves the logits of all others by about the same amount; this is what holds it. With 0.3 the base's own sets lose 0.3 points where they lost 1 to 2, and the domain gains as much as without.
 */
const anchorWeight = 0.3;

/** Size of longer n-grams against single tokens: there are as many of them, but each is seen less often. */
const longerShare = 0.7;

/** Size of n-grams with a token that goes on with a word: a rare word of four pieces must not count for four. Worth up to 2 points where words decide (questions), and costs nothing elsewhere. */
const continuedShare = 0.3;

/**
 * How much an n-gram counts: its inverse document frequency among the rows, for single tokens mixed with what the vocabulary knows. Ids follow the frequency of tokens in the base's texts, of which there were a thousand
 * times more; that is worth 1 to 3 points of accuracy at 100 to 250 rows.
 */
const rarity = { known: 0.5, frequent: 8, rarest: 20_000 };

/** Rows that a label is taken to have that has none. */
const leastShare = 1e-6;

/**
 * The logarithm of how much more or less often than on average a label may come and be believed to. With nothing believed, a set of posts of which 72 % are positive gained 3 points with 60 labels, with 0.2 it gained 6; but
 * the base's own sets, half of which is positive, lost 0.6 points for 0.2, and with all of it believed 118 : 2 labels cost them 8.
 */
const trustedSkew = 0.15;

/** Evaluations of a fit at most, and the relative norm of the gradient at which it ends: of the head that is kept, and of those that only choose. */
const effort = { kept: { evaluations: 150, tolerance: 1e-3 }, choosing: { evaluations: 60, tolerance: 5e-3 } };

/** The rows `rows` of the data in the form that is learned from: dense and sparse inputs of mean square norm 1, and what folds them back. */
class Design {
  readonly dense: Float32Array;
  /** Sparse inputs: places, and values beside them, from starts[row] on. */
  readonly places: Int32Array;
  readonly values: Float64Array;
  readonly starts: Int32Array;
  readonly mean: Float64Array;
  readonly scale: Float64Array;
  /** Place of each bucket that was seen, and what its input is multiplied by. */
  readonly place = new Map<number, number>();
  readonly weight: Float64Array;
  /** By bucket: the squares of the first weights, so that a text's n-grams have about unit norm. */
  readonly sizes = new Map<number, number>();

  constructor(
    readonly data: HeadRows,
    readonly rows: readonly number[],
  ) {
    const { width, features, grams, texts: ids, continues = () => false } = data;
    this.mean = new Float64Array(width);
    this.scale = new Float64Array(width);
    for (const row of rows) for (let j = 0; j < width; j++) this.mean[j]! += features[row * width + j]! / rows.length;
    for (const row of rows) for (let j = 0; j < width; j++) this.scale[j]! += (features[row * width + j]! - this.mean[j]!) ** 2 / rows.length;
    for (let j = 0; j < width; j++) this.scale[j] = 1 / (Math.sqrt(this.scale[j]!) + 1e-3) / Math.sqrt(width);
    this.dense = this.standardized(features, rows);

    /** Token of each bucket that a single one has. */
    const singles = new Map<number, number>();
    /** Buckets of n-grams of which no token goes on with a word. */
    const whole = new Set<number>();
    const counted = rows.map((row) => {
      const counts = new Map<number, number>();
      const own = ids[row]!;
      const inside = Array.from(own, (id) => continues(id));
      const buckets = grams[row] ?? [];
      // in the order of `ngramBuckets`: all of one token, then all of two, and so on
      for (let size = 1, at = 0; at < buckets.length; size++) {
        for (let first = 0; first + size <= own.length; first++, at++) {
          const bucket = buckets[at]!;
          counts.set(bucket, (counts.get(bucket) ?? 0) + 1);
          if (size === 1) singles.set(bucket, own[first]!);
          if (!inside.slice(first, first + size).includes(true)) whole.add(bucket);
        }
      }
      return counts;
    });
    const texts: number[] = [];
    for (const counts of counted) {
      for (const bucket of counts.keys()) {
        const place = this.place.get(bucket) ?? this.place.size;
        this.place.set(bucket, place);
        texts[place] = (texts[place] ?? 0) + 1;
      }
    }
    this.weight = Float64Array.from(texts, (count) => 1 + Math.log((1 + rows.length) / (1 + count)));
    for (const [bucket, place] of this.place) {
      const single = singles.get(bucket);
      if (single === undefined) this.weight[place]! *= longerShare;
      else this.weight[place] = rarity.known * (1 + Math.log1p(Math.min(single, rarity.rarest) / rarity.frequent)) + (1 - rarity.known) * this.weight[place]!;
      if (!whole.has(bucket)) this.weight[place]! *= continuedShare;
    }
    if (!data.sizes) for (const [bucket, place] of this.place) this.sizes.set(bucket, this.weight[place]! ** 2);
    this.starts = new Int32Array(rows.length + 1);
    counted.forEach((counts, at) => (this.starts[at + 1] = this.starts[at]! + counts.size));
    this.places = new Int32Array(this.starts.at(-1)!);
    this.values = new Float64Array(this.places.length);
    let squares = 0;
    counted.forEach((counts, at) => {
      let to = this.starts[at]!;
      const scale = scaleOf(grams[rows[at]!] ?? [], data.sizes ?? this.sizes);
      for (const [bucket, count] of counts) {
        const place = this.place.get(bucket)!;
        this.places[to] = place;
        this.values[to] = count * this.weight[place]! * scale;
        squares += this.values[to]! ** 2;
        to++;
      }
    });
    const shrink = 1 / (Math.sqrt(squares / rows.length) || 1);
    for (let k = 0; k < this.values.length; k++) this.values[k]! *= shrink;
    for (let place = 0; place < this.weight.length; place++) this.weight[place]! *= shrink;
  }
  /** [rows, D] features as dense inputs. @param rows which of them; all by default */
  standardized(features: Float32Array, rows: readonly number[] = Array.from({ length: features.length / this.mean.length }, (_, row) => row)): Float32Array {
    const { mean, scale } = this;
    const width = mean.length;
    const inputs = new Float32Array(rows.length * width);
    rows.forEach((row, at) => {
      for (let j = 0; j < width; j++) inputs[at * width + j] = (features[row * width + j]! - mean[j]!) * scale[j]!;
    });
    return inputs;
  }
}

/** As `ngramScale`, with sizes of the buckets that have one. */
function scaleOf(grams: ArrayLike<number>, sizes: Float32Array | ReadonlyMap<number, number>): number {
  if (sizes instanceof Float32Array) return ngramScale(grams, sizes);
  let sum = 0;
  for (let k = 0; k < grams.length; k++) sum += sizes.get(grams[k]!) ?? 0;
  return 1 / Math.sqrt(Math.max(1, sum));
}

/** Loss of the parameters: dense weights [L, D], sparse [places, L], biases [L], and with a base its factor less 1. */
class HeadObjective implements Objective {
  readonly size: number;
  private readonly errors: Float64Array;
  private readonly skew: Float64Array;
  /** [anchors, D] */
  private readonly anchors: Float32Array;

  constructor(
    private readonly design: Design,
    private readonly settings: HeadSettings,
  ) {
    const { labels, width, base } = design.data;
    this.size = labels * (width + design.place.size + 1) + (base ? 1 : 0);
    this.errors = new Float64Array(labels);
    this.skew = base ? skewOf(design) : new Float64Array(labels);
    this.anchors = base ? design.standardized(base.anchors.features) : new Float32Array(0);
  }

  evaluate(point: Float64Array, gradient: Float64Array): number {
    const { design, errors, settings, skew } = this;
    const { labels, width, truth, base } = design.data;
    const { dense, places, values, starts } = design;
    const sparse = labels * width;
    const biases = sparse + labels * design.place.size;
    const factor = base ? 1 + point[this.size - 1]! : 0;
    gradient.fill(0);
    let loss = 0;
    design.rows.forEach((row, at) => {
      for (let k = 0; k < labels; k++)
        errors[k] =
          skew[k]! + point[biases + k]! + (settings.features === 0 ? 0 : settings.features * dot(point, k * width, dense, at * width, width)) + (base ? factor * base.rows[row * labels + k]! : 0);
      for (let i = starts[at]!; i < starts[at + 1]!; i++) for (let k = 0; k < labels; k++) errors[k]! += values[i]! * point[sparse + places[i]! * labels + k]!;
      let top = -Infinity;
      for (let k = 0; k < labels; k++) top = Math.max(top, errors[k]!);
      let sum = 0;
      for (let k = 0; k < labels; k++) sum += Math.exp(errors[k]! - top);
      const total = top + Math.log(sum);
      loss += settings.strength * (total - errors[truth[row]!]!);
      for (let k = 0; k < labels; k++) {
        const slope = settings.strength * (Math.exp(errors[k]! - total) - (k === truth[row] ? 1 : 0));
        errors[k] = slope;
        gradient[biases + k]! += slope;
        if (settings.features !== 0) addScaled(gradient, k * width, slope * settings.features, dense, at * width, width);
        if (base) gradient[this.size - 1]! += slope * base.rows[row * labels + k]!;
      }
      for (let i = starts[at]!; i < starts[at + 1]!; i++) for (let k = 0; k < labels; k++) gradient[sparse + places[i]! * labels + k]! += values[i]! * errors[k]!;
    });
    if (base) loss += this.holdAnchors(base.anchors.logits, biases, point, gradient);
    for (let i = 0; i < this.size; i++) {
      const penalty = i < biases ? 1 : settings.strength * (i < biases + labels ? (base ? held.baseBias : held.freeBias) : held.baseFactor);
      loss += (penalty / 2) * point[i]! ** 2;
      gradient[i]! += penalty * point[i]!;
    }
    return loss;
  }

  /** The penalty on what features, biases and the base's factor change about the anchors' logits, as far as that changes scores. N-grams only speak where they occur, and need no holding. */
  private holdAnchors(logits: Float32Array, biases: number, point: Float64Array, gradient: Float64Array): number {
    const { anchors, design, errors, settings } = this;
    const { labels, width } = design.data;
    const count = logits.length / labels;
    const weight = (settings.strength * anchorWeight * design.rows.length) / Math.max(1, count);
    let loss = 0;
    for (let anchor = 0; anchor < count; anchor++) {
      let mean = 0;
      for (let k = 0; k < labels; k++) {
        errors[k] = point[biases + k]! + settings.features * dot(point, k * width, anchors, anchor * width, width) + point[this.size - 1]! * logits[anchor * labels + k]!;
        mean += errors[k]! / labels;
      }
      for (let k = 0; k < labels; k++) {
        const change = errors[k]! - mean;
        const slope = weight * change;
        loss += (slope / 2) * change;
        gradient[biases + k]! += slope;
        addScaled(gradient, k * width, slope * settings.features, anchors, anchor * width, width);
        gradient[this.size - 1]! += slope * logits[anchor * labels + k]!;
      }
    }
    return loss;
  }
}

/**
 * [L] what a head on a base learns with, added to its logits, and is used without: how much more or less often than others each label came, but for {@link trustedSkew} (logit adjustment, Menon et al. 2021). How often a label was
 * given says more of which texts somebody came to label than of what texts there are. So rows of one label alone teach nothing, and 118 rows of one and 2 of another do not make it say the one of everything.
 */
function skewOf({ data: { labels, truth }, rows }: Pick<Design, 'data' | 'rows'>): Float64Array {
  const counts = new Float64Array(labels);
  for (const row of rows) counts[truth[row]!]!++;
  return counts.map((count) => {
    const skew = Math.log((Math.max(count, leastShare) * labels) / rows.length);
    return skew - Math.max(-trustedSkew, Math.min(trustedSkew, skew));
  });
}

/** What a fit came to. */
export interface FittedHead {
  readonly head: FrozenHead;
  /** Logits [checked, L] of rows by heads that did not see them, and those rows. */
  readonly unseen: { readonly rows: readonly number[]; readonly logits: Float32Array };
}

/**
 * Fits a head to all rows: the average of heads with different settings, each counting by how well its like do on rows that a fit did not see (in negative log-likelihood, which says more of few rows than accuracy).
 * Heads are linear, so their average is one. Yields now and then, so that the caller may let others have their turn. The same rows and seed give the same head.
 *
 * @param data at least two rows with different labels
 */
export function* fitFrozenHead(data: HeadRows, seed: number): Generator<undefined, FittedHead> {
  const { labels, truth } = data;
  const order = new Random(seed).shuffle(Array.from(truth, (_, row) => row));
  // dealt out label by label, so that each fold has its share of each
  const dealt = order.slice(0, mostOfChoice).sort((a, b) => truth[a]! - truth[b]!);
  const parts = Array.from({ length: Math.min(folds, dealt.length) }, (_, fold) => dealt.filter((_row, at) => at % folds === fold));
  const designs = parts.map((part) => new Design(data, dealt.filter((row) => !part.includes(row))));
  const tried: Tried[] = [];
  for (const settings of data.base ? choices.onBase : choices.alone) {
    const logits: number[] = [];
    for (const [fold, part] of parts.entries()) logits.push(...logitsOf(yield* fit(designs[fold]!, settings, effort.choosing), data, part));
    tried.push(judge(data, parts.flat(), settings, Float32Array.from(logits)));
  }
  const least = Math.min(...tried.map(({ loss }) => loss));
  const kept = tried.map((of) => ({ ...of, likely: Math.exp(trustInChoice * dealt.length * (least - of.loss)) })).filter(({ likely }) => likely >= leastLikely);
  const total = kept.reduce((sum, { likely }) => sum + likely, 0);
  const design = new Design(data, order);
  const head = emptyHead(design);
  const logits = new Float64Array(dealt.length * labels);
  for (const { settings, logits: own, temperature, likely } of kept) {
    const share = likely / total / temperature;
    addScaledHead(head, yield* fit(design, settings, effort.kept), share);
    addScaled(logits, 0, share, own, 0, own.length);
  }
  return { head, unseen: { rows: parts.flat(), logits: Float32Array.from(logits) } };
}

/** Settings, and how heads with them do on rows that they did not see. */
interface Tried {
  readonly settings: HeadSettings;
  /** Negative log-likelihood at the temperature that suits the logits: how sure heads are of themselves must not decide between them. */
  readonly loss: number;
  /** [rows, L] */
  readonly logits: Float32Array;
  /** What the logits are divided by, so that heads that are surer of themselves have no more of a say. On a base 1: the base says how sure it is. */
  readonly temperature: number;
}

function judge(data: HeadRows, rows: readonly number[], settings: HeadSettings, logits: Float32Array): Tried {
  const { labels, truth, base } = data;
  const own = rows.map((row) => truth[row]!);
  const skew = base ? skewOf({ data, rows: [...truth.keys()] }) : new Float64Array(labels);
  const judged = logits.map((logit, k) => logit + skew[k % labels]!);
  const best = fitTemperature(judged, labels, own);
  return { settings, loss: negativeLogLikelihood(judged, labels, own, best), logits, temperature: base ? 1 : Math.min(2, Math.max(0.5, best)) };
}

function emptyHead({ data: { labels, width }, place, sizes }: Design): Mutable<FrozenHead> {
  return { kernel: new Float64Array(width * labels), bias: new Float64Array(labels), table: new Map([...place.keys()].map((bucket) => [bucket, new Float64Array(labels)])), sizes, factor: 0 };
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** @param sum of the same design as `head` */
function addScaledHead(sum: Mutable<FrozenHead>, head: FrozenHead, share: number): void {
  addScaled(sum.kernel, 0, share, head.kernel, 0, head.kernel.length);
  addScaled(sum.bias, 0, share, head.bias, 0, head.bias.length);
  for (const [bucket, weights] of head.table) addScaled(sum.table.get(bucket)!, 0, share, weights, 0, weights.length);
  sum.factor += share * head.factor;
}

function* fit(design: Design, settings: HeadSettings, limits: MinimizeOptions): Generator<undefined, FrozenHead> {
  const objective = new HeadObjective(design, settings);
  const point = new Float64Array(objective.size);
  yield* minimize(objective, point, limits);
  return fold(design, settings, point);
}

/** The parameters of standardized inputs as weights of the inputs as they come. */
function fold({ data: { labels, width, base }, mean, scale, place, weight, sizes }: Design, { features }: HeadSettings, point: Float64Array): FrozenHead {
  const sparse = labels * width;
  const biases = sparse + labels * place.size;
  const kernel = new Float64Array(width * labels);
  const bias = point.slice(biases, biases + labels);
  for (let k = 0; k < labels; k++) {
    for (let j = 0; j < width; j++) {
      const value = features * point[k * width + j]! * scale[j]!;
      kernel[j * labels + k] = value;
      bias[k]! -= value * mean[j]!;
    }
  }
  const table = new Map([...place].map(([bucket, at]) => [bucket, point.slice(sparse + at * labels, sparse + (at + 1) * labels).map((value) => value * weight[at]!)]));
  return { kernel, bias, table, sizes, factor: base ? 1 + point.at(-1)! : 0 };
}

/** Logits [rows, L] of the rows `rows` of the data. */
export function logitsOf(head: FrozenHead, { labels, width, features, grams, base, sizes }: HeadRows, rows: readonly number[]): Float32Array {
  const logits = new Float32Array(rows.length * labels);
  rows.forEach((row, at) => {
    const own = Float64Array.from(head.bias);
    for (let j = 0; j < width; j++) addScaled(own, 0, features[row * width + j]!, head.kernel.subarray(j * labels, (j + 1) * labels), 0, labels);
    const buckets = grams[row] ?? [];
    const scale = scaleOf(buckets, sizes ?? head.sizes);
    for (const bucket of buckets) {
      const weights = head.table.get(bucket);
      if (weights) addScaled(own, 0, scale, weights, 0, labels);
    }
    if (base) for (let k = 0; k < labels; k++) own[k]! += head.factor * base.rows[row * labels + k]!;
    logits.set(own, at * labels);
  });
  return logits;
}
