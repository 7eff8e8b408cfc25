import type { DecisionRule } from '../core/model/deciding';
import type { TaskKind } from '../core/model/onnxWriter';
import type { FeatureBatch } from '../core/protocol/learner';
import { NgramStore, type NgramWeights } from './ngramStore';

/** Rows of features that are allocated at a time. */
const rowsOfChunk = 1024;
/** A feature that varies less says nothing. */
const smallestDeviation = 1e-6;

/** What is known of the pool as a whole: mean and spread of each feature over the texts whose features are known, and how much each n-gram counts. */
export interface FeatureStatistics {
  readonly mean: Float64Array;
  /** 1 over the standard deviation; 0 for a feature that does not vary. */
  readonly scale: Float64Array;
  readonly ngrams: NgramWeights;
}

/** What a head reads of a pool's texts: the frozen model's features, its scores where its labels are the task's, and the texts' n-grams, as far as they are known. */
export class FeatureStore {
  /** [count] 1 where the features are known. */
  readonly known: Uint8Array;
  private readonly chunks: (Float32Array | undefined)[] = [];
  private readonly base: Float32Array | undefined;
  private readonly sums: Float64Array;
  private readonly squares: Float64Array;
  /** Subtracted before summing, so that squares of a large common offset do not cost digits. */
  private readonly shift: Float64Array;
  private knownTexts = 0;
  private fromBase = 0;

  /**
   * @param count texts of the pool
   * @param width features of a text
   * @param outputs scores of a text
   * @param hasBase whether the batches bring the base model's scores
   * @param ngrams of the same texts, those that are known already; texts that the batches bring are added
   * @param rule how the base model decides from its scores
   */
  constructor(
    readonly count: number,
    readonly width: number,
    readonly outputs: number,
    hasBase: boolean,
    readonly ngrams = new NgramStore(count),
    private readonly rule?: DecisionRule,
  ) {
    this.known = new Uint8Array(count);
    this.base = hasBase ? new Float32Array(count * outputs) : undefined;
    this.sums = new Float64Array(width);
    this.squares = new Float64Array(width);
    this.shift = new Float64Array(width);
  }

  /** Texts whose features are known. */
  get knownCount(): number {
    return this.knownTexts;
  }

  /** Whether the base model's scores are known for every text whose features are. */
  get hasBase(): boolean {
    return this.base !== undefined && this.fromBase === this.knownTexts && this.knownTexts > 0;
  }

  /** What decides from scores: what the base model decides by, which the head goes on from. */
  ruleFor(kind: TaskKind): DecisionRule {
    return this.rule ?? { kind };
  }

  /** Takes the texts that are not known yet. What is not finite counts as 0. @throws Error when a batch does not fit */
  add({ positions, features, width, scores, texts }: FeatureBatch): void {
    const { outputs } = this;
    if (width !== this.width || features.length !== positions.length * width) throw new Error(`${features.length} features for ${positions.length} texts of ${this.width}.`);
    if (scores && scores.length !== positions.length * outputs) throw new Error(`${scores.length} scores for ${positions.length} texts of ${outputs}.`);
    if (texts && texts.length !== positions.length) throw new Error(`${texts.length} texts for ${positions.length} positions.`);
    positions.forEach((position, row) => {
      if (!(position >= 0 && position < this.count)) throw new Error(`There is no text ${position} in a pool of ${this.count}.`);
      if (texts) this.ngrams.add(position, texts[row]!);
      if (this.known[position] === 1) return;
      this.addRow(position, features, row * width);
      if (scores && this.base) {
        for (let k = 0; k < outputs; k++) this.base[position * outputs + k] = finite(scores[row * outputs + k]!);
        this.fromBase++;
      }
    });
  }

  /** Features of a text as `at` numbers from the start of the array; to be read only. */
  row(position: number): { readonly values: Float32Array; readonly at: number } {
    const values = this.chunks[Math.floor(position / rowsOfChunk)];
    if (!values || this.known[position] !== 1) throw new Error(`The features of text ${position} are not known.`);
    return { values, at: (position % rowsOfChunk) * this.width };
  }

  /** Score of the base model; 0 where there is none. */
  baseScore(position: number, output: number): number {
    return this.base?.[position * this.outputs + output] ?? 0;
  }

  statistics(): FeatureStatistics {
    const rows = Math.max(1, this.knownTexts);
    const mean = this.sums.map((sum) => sum / rows);
    const scale = this.squares.map((square, j) => {
      const deviation = Math.sqrt(Math.max(0, square / rows - mean[j]! ** 2));
      return deviation < smallestDeviation ? 0 : 1 / deviation;
    });
    return { mean: mean.map((value, j) => value + this.shift[j]!), scale, ngrams: this.ngrams.weights() };
  }

  private addRow(position: number, features: Float32Array, from: number): void {
    const { width } = this;
    const chunk = Math.floor(position / rowsOfChunk);
    const values = (this.chunks[chunk] ??= new Float32Array(Math.min(rowsOfChunk, this.count - chunk * rowsOfChunk) * width));
    const at = (position % rowsOfChunk) * width;
    const isFirst = this.knownTexts === 0;
    for (let j = 0; j < width; j++) {
      const value = finite(features[from + j]!);
      values[at + j] = value;
      if (isFirst) this.shift[j] = value;
      const part = value - this.shift[j]!;
      this.sums[j]! += part;
      this.squares[j]! += part * part;
    }
    this.known[position] = 1;
    this.knownTexts++;
  }
}

function finite(value: number): number {
  return Number.isFinite(value) ? value : 0;
}
