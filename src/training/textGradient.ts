import type { Architecture, DenseLayer, Layer, LstmLayer, NgramLayer } from '../core/model/architecture';
import type { ValidBundle } from '../core/model/bundle';
import { ngramBuckets, ngramLayerOf, scaleOfSize } from '../core/model/ngrams';
import type { StoredRows } from '../core/model/onnxReader';
import { hasSigmoidHead, headOf } from '../core/model/onnxWriter';
import type { ExplainTarget } from '../core/protocol/explainer';
import { parameterLayout, type ComputeEngine, type CreateEngine, type Sequence } from './engine';
import { takeWeights } from './initialize';
import { logitPairs, secondOfPairs } from './network';

/** Id of `<unk>`, which a token is compared with. */
const unknown = 1;

/** What a text's target owes to each of its tokens. */
export interface TokenShares {
  /** As the model gives them; empty for a text without tokens. */
  readonly scores: Float32Array;
  /** [T] in units of the target. */
  readonly shares: Float64Array;
}

/** The features of a text, and the way from a gradient to them back to the token vectors. */
interface Pass {
  readonly features: Float32Array;
  readonly back: (slopes: Float32Array) => Sequence;
}

/**
 * What the tokens of a text say to a model: gradient × (input − unknown), by the trainer's own engine. Each token's vector is compared with that of `<unk>`, along the gradient of what is asked for at the text
 * as it stands; one pass forward and one back, however long the text (Shrikumar, Greenside & Kundaje 2017 call it gradient × input; the reference is ours). N-grams need no slope: they are counted again without the
 * token. Counting `<unk>` in its place instead says less: what models never saw beside `<unk>` shares its bucket with something else (measured: rank correlation with leaving words out 0.76 in place of 0.92).
 *
 * The engine holds layers from the LSTM up, a few megabytes; the tables of tokens and of n-grams stay as they are stored, since a text reads few of their rows.
 */
export class TextGradient {
  private readonly head: DenseLayer;
  private readonly body: readonly Layer[];
  private readonly vectors: StoredRows;
  private readonly wide: WidePart | undefined;
  private readonly isPair: boolean;

  /** @throws Error when the engine cannot compute such a model */
  static async open(bundle: ValidBundle, createEngine: CreateEngine): Promise<TextGradient> {
    const { architecture } = bundle.manifest;
    const layout = parameterLayout(narrowed(architecture));
    const engine = await createEngine(layout);
    takeWeights(layout, engine.weights(), bundle.weights(({ type }) => type !== 'embedding' && type !== 'ngrams'), new Set([`${architecture.layers[0]?.name}/table`]));
    return new TextGradient(bundle, engine);
  }

  private constructor(
    private readonly bundle: ValidBundle,
    private readonly engine: ComputeEngine,
  ) {
    const { architecture } = bundle.manifest;
    const [embedding, ...layers] = architecture.layers;
    const ngrams = ngramLayerOf(architecture);
    this.head = headOf(architecture);
    this.isPair = hasSigmoidHead(architecture, bundle.manifest.task.kind);
    this.body = layers.slice(0, -1);
    this.vectors = bundle.rows(`${embedding?.name}/table`);
    this.wide = ngrams && new WidePart(ngrams, bundle.rows(`${ngrams.name}/table`), bundle.rows(`${ngrams.name}/sizes`));
  }

  /** @param ids the text as the bundle's tokenizer encodes it */
  explain(ids: Int32Array, target: ExplainTarget): TokenShares {
    if (ids.length === 0) return { scores: new Float32Array(0), shares: new Float64Array(0) };
    const { engine, head, wide } = this;
    const width = this.vectors.width;
    const vectors = this.read(ids);
    engine.begin(true);
    const { features, back } = this.forward(engine.write(vectors, { lengths: Int32Array.of(ids.length), time: ids.length, width }));
    const logits = engine.dense(features, head);
    wide?.sum(ids).forEach((logit, k) => (logits[k]! += logit));
    const { isPair } = this;
    const scores = this.scoresOf(isPair ? logitPairs(logits) : logits);
    const toScores = this.slopesOf(target, scores);
    const slopes = isPair ? secondOfPairs(toScores) : toScores;
    const toFeatures = engine.denseBackward(features, head, slopes);
    if (target.kind === 'sum') target.features.forEach((slope, j) => (toFeatures[j]! += slope));
    const gradient = engine.read(back(toFeatures));
    engine.zeroGradients();

    const reference = this.read(Int32Array.of(unknown));
    const shares = new Float64Array(ids.length);
    for (let t = 0; t < ids.length; t++) for (let j = 0; j < width; j++) shares[t]! += gradient[t * width + j]! * (vectors[t * width + j]! - reference[j]!);
    wide?.losses(ids, slopes).forEach((loss, t) => (shares[t]! += loss));
    return { scores, shares };
  }

  /** [T, E] vectors of tokens. */
  private read(ids: Int32Array): Float32Array {
    const { vectors } = this;
    const values = new Float32Array(ids.length * vectors.width);
    ids.forEach((id, t) => vectors.addRow(id, 1, values, t * vectors.width));
    return values;
  }

  private forward(input: Sequence): Pass {
    const { engine } = this;
    let sequence = input;
    let source: LstmLayer | undefined;
    let vector: Float32Array | undefined;
    const overSequences: ((dy: Sequence) => Sequence)[] = [];
    let unpool: ((dy: Float32Array) => Sequence) | undefined;
    const overVectors: ((dy: Float32Array) => Float32Array)[] = [];
    for (const layer of this.body) {
      switch (layer.type) {
        case 'lstm': {
          const y = engine.lstm(sequence, layer);
          overSequences.unshift((dy) => engine.lstmBackward(y, dy));
          sequence = y;
          source = layer;
          break;
        }
        case 'conv': {
          const y = engine.conv(sequence, layer);
          overSequences.unshift((dy) => engine.convBackward(y, dy));
          sequence = y;
          break;
        }
        case 'maxPool': {
          const y = engine.maxPool(sequence, layer);
          overSequences.unshift((dy) => engine.maxPoolBackward(y, dy));
          sequence = y;
          break;
        }
        case 'pool': {
          const [x, from] = [sequence, source];
          vector = engine.pool(x, layer, from);
          unpool = (dy) => engine.poolBackward(x, layer, from, dy);
          break;
        }
        case 'attention': {
          const x = sequence;
          vector = engine.attention(x, layer);
          unpool = (dy) => engine.attentionBackward(x, layer, dy);
          break;
        }
        case 'dense': {
          const x = needed(vector);
          const y = activate(engine.dense(x, layer), layer);
          overVectors.unshift((dy) => engine.denseBackward(x, layer, deactivate(dy, y, layer)));
          vector = y;
          break;
        }
        case 'embedding':
        case 'dropout':
        case 'ngrams':
          break;
      }
    }
    const poolBackward = needed(unpool);
    return {
      features: needed(vector),
      back: (slopes) => overSequences.reduce((dy, step) => step(dy), poolBackward(overVectors.reduce((dy, step) => step(dy), slopes))),
    };
  }

  private scoresOf(logits: Float32Array): Float32Array {
    const { task, temperature } = this.bundle.manifest;
    const { value } = task;
    if (task.kind === 'number') return value ? logits.map((logit) => value.mean + value.deviation * logit) : logits;
    if (task.kind === 'multi') return logits.map((logit) => 1 / (1 + Math.exp(-logit / temperature)));
    // without the number of a joint model
    const labels = value ? logits.subarray(0, -1) : logits;
    const highest = Math.max(...labels);
    const powers = labels.map((logit) => Math.exp((logit - highest) / temperature));
    const sum = powers.reduce((total, power) => total + power, 0);
    return powers.map((power) => power / sum);
  }

  /** The target's gradient to the logits. */
  private slopesOf(target: ExplainTarget, scores: Float32Array): Float32Array {
    const { task, temperature } = this.bundle.manifest;
    const perScore = target.kind === 'sum' ? (target.scores.length > 0 ? target.scores : new Float32Array(scores.length)) : scoreSlopes(target.column, scores, task.kind === 'single');
    if (task.kind === 'number') return perScore.map((slope) => slope * (task.value?.deviation ?? 1));
    // a log-probability is its logit less what all have in common
    const common = task.kind === 'single' ? perScore.reduce((sum, slope) => sum + slope, 0) : 0;
    const slopes = perScore.map((slope, k) => (slope - common * scores[k]!) / temperature);
    return task.value ? Float32Array.of(...slopes, 0) : slopes;
  }
}

/** How the log-odds of a label against all others (`isSingle`), or alone, follow the scores in the terms of {@link ExplainTarget}. */
function scoreSlopes(column: number, scores: Float32Array, isSingle: boolean): Float32Array {
  const slopes = new Float32Array(scores.length);
  const rest = isSingle ? scores.reduce((sum, score, k) => (k === column ? sum : sum + score), 0) : 0;
  if (rest > 0) scores.forEach((score, k) => (slopes[k] = -score / rest));
  // a label so sure that nothing is left for the others: against none of them
  slopes[column] = 1;
  return slopes;
}

/** N-grams of a text that go straight to the logits, see {@link NgramLayer}. */
class WidePart {
  constructor(
    private readonly layer: NgramLayer,
    private readonly table: StoredRows,
    private readonly sizes: StoredRows,
  ) {}

  /** [L] what they add to the logits. */
  sum(ids: Int32Array): Float32Array {
    const sum = new Float32Array(this.table.width);
    const buckets = ngramBuckets(ids, this.layer);
    const size = new Float64Array(1);
    for (const bucket of buckets) this.sizes.addRow(bucket, 1, size);
    for (const bucket of buckets) this.table.addRow(bucket, scaleOfSize(size[0]!), sum);
    return sum;
  }

  /** [T] what Σ `slopes`ₖ·logitₖ loses when a token is left out. Only the n-grams around it change. */
  losses(ids: Int32Array, slopes: Float32Array): Float64Array {
    const { longest } = this.layer;
    const known = new Map<number, Gram>();
    const whole = this.totalOf(ids, slopes, known);
    const value = whole.value * scaleOfSize(whole.size);
    return Float64Array.from(ids, (_, t) => {
      const around = ids.subarray(Math.max(0, t - longest + 1), t + longest);
      const place = Math.min(t, longest - 1);
      const before = this.totalOf(around, slopes, known);
      const after = this.totalOf(
        around.filter((_token, at) => at !== place),
        slopes,
        known,
      );
      return value - (whole.value - before.value + after.value) * scaleOfSize(whole.size - before.size + after.size);
    });
  }

  private totalOf(ids: Int32Array, slopes: Float32Array, known: Map<number, Gram>): Gram {
    let value = 0;
    let size = 0;
    for (const bucket of ngramBuckets(ids, this.layer)) {
      let gram = known.get(bucket);
      if (!gram) known.set(bucket, (gram = this.gramOf(bucket, slopes)));
      value += gram.value;
      size += gram.size;
    }
    return { value, size };
  }

  private gramOf(bucket: number, slopes: Float32Array): Gram {
    const row = new Float64Array(this.table.width);
    this.table.addRow(bucket, 1, row);
    const size = new Float64Array(1);
    this.sizes.addRow(bucket, 1, size);
    return { value: slopes.reduce((sum, slope, k) => sum + slope * row[k]!, 0), size: size[0]! };
  }
}

/** What an n-gram, or several, add to the target before they are scaled, and their size. */
interface Gram {
  readonly value: number;
  readonly size: number;
}

/** The architecture as the engine has it: token vectors come from outside, and n-grams are looked up there. Every embedding has the rows of `<pad>` and `<unk>`. */
function narrowed(architecture: Architecture): Architecture {
  return {
    ...architecture,
    layers: architecture.layers.filter(({ type }) => type !== 'ngrams').map((layer) => (layer.type === 'embedding' ? { ...layer, vocabularySize: 2 } : layer)),
  };
}

function activate(x: Float32Array, { activation }: DenseLayer): Float32Array {
  if (activation === 'linear') return x;
  return x.map(activation === 'relu' ? (value) => Math.max(0, value) : Math.tanh);
}

/** The gradient to what {@link activate} was given. @param y what it returned */
function deactivate(dy: Float32Array, y: Float32Array, { activation }: DenseLayer): Float32Array {
  if (activation === 'linear') return dy;
  return dy.map((slope, j) => (activation === 'relu' ? (y[j]! > 0 ? slope : 0) : slope * (1 - y[j]! ** 2)));
}

function needed<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('An architecture pools its sequence before it reads a vector.');
  return value;
}
