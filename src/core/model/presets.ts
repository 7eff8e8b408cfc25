import type { Hyperparameters } from '../protocol/trainer';
import type { Architecture, DenseLayer, Layer } from './architecture';
import type { TaskKind } from './onnxWriter';

/** Hyperparameters that every preset reads. */
type Sizes = Pick<Hyperparameters, 'embeddingSize' | 'hiddenUnits' | 'dropout'>;

/** Hyperparameters that have a customary value where they are absent: no dropout of tokens or recurrent weights, one layer, no n-grams, and the sizes of {@link usual}. */
type Extras = Pick<Hyperparameters, 'embeddingDropout' | 'recurrentDropout' | 'layers' | 'filters' | 'kernelSize' | 'poolSize' | 'denseUnits' | 'ngramBuckets' | 'ngramLength'>;

/** What a preset is built from: the sizes that depend on the data, and the hyperparameters, by the field's names. */
export interface PresetOptions extends Sizes, Partial<Extras> {
  /** Number of rows of the embedding table, `<pad>` and `<unk>` included. */
  readonly vocabularySize: number;
  /** Number of outputs: one per label, 1 for a number, and for both together one more than there are labels. */
  readonly labels: number;
  /** What they are for. Default `single`: of two labels one applies, which presets with a sigmoid head tell apart with one unit. */
  readonly kind?: TaskKind;
}

export interface Preset {
  readonly name: string;
  /** One line for a person who chooses: the architecture, and where it is known from. */
  readonly description: string;
  /** Its own hyperparameters; the others have their usual defaults. */
  readonly defaults: Partial<Hyperparameters>;
  /** The kinds that it is for; all if absent. */
  readonly kinds?: readonly TaskKind[];
  build(options: PresetOptions): Architecture;
}

/** Sizes of the layers that only some presets have; also the defaults of these hyperparameters. */
export const usual = { filters: 64, kernelSize: 5, poolSize: 4, denseUnits: 64 } as const;

/** What tells one preset from another. */
interface Plan {
  /** Whether `dropout` drops embedded values, what one LSTM gives another, and what the head reads. */
  readonly drops: { readonly input?: true; readonly between?: true; readonly features?: true };
  /** A convolution and max pooling over windows below the LSTMs. */
  readonly convolves?: true;
  readonly bidirectional: boolean;
  /** LSTM layers where the options do not say. Default 1. */
  readonly layers?: number;
  /** Units of an LSTM layer. Default: all have the same. */
  readonly units?: (hiddenUnits: number, index: number) => number;
  /** From the sequence to a vector. */
  readonly pool: 'max+mean' | 'last' | 'attention';
  /** Units of ReLU layers below the head. */
  readonly dense?: (denseUnits: number) => readonly number[];
  /** Whether one unit tells two labels apart. */
  readonly hasSigmoid?: true;
}

/** An architecture after a plan. Layers that would do nothing are left out: a layer more would change the masks that the others draw. */
function build(preset: string, plan: Plan, options: PresetOptions): Architecture {
  const { vocabularySize, labels, kind = 'single', embeddingSize, hiddenUnits, dropout, embeddingDropout = 0, recurrentDropout = 0, ngramBuckets = 0, ngramLength = 2 } = options;
  const { layers = plan.layers ?? 1, filters = usual.filters, kernelSize = usual.kernelSize, poolSize = usual.poolSize, denseUnits = usual.denseUnits } = options;
  const { drops, bidirectional } = plan;
  const drop = (name: string, applies: true | undefined): Layer[] => (applies ? [{ type: 'dropout', name, rate: dropout }] : []);
  const lstms = Array.from({ length: layers }, (_, index): Layer[] => {
    const name = index === 0 ? 'lstm' : `lstm${index + 1}`;
    const units = plan.units?.(hiddenUnits, index) ?? hiddenUnits;
    return [...(index === 0 ? [] : drop(`${name}Dropout`, drops.between)), { type: 'lstm', name, units, bidirectional, ...(recurrentDropout === 0 ? {} : { recurrentDropout }) }];
  });
  const dense = plan.dense?.(denseUnits) ?? [];
  return {
    preset,
    layers: [
      { type: 'embedding', name: 'embedding', vocabularySize, size: embeddingSize },
      ...(embeddingDropout === 0 ? [] : [{ type: 'dropout', name: 'tokenDropout', rate: embeddingDropout, over: 'tokens' } as const]),
      ...drop('embeddingDropout', drops.input),
      ...(plan.convolves ? [{ type: 'conv', name: 'conv', filters, kernelSize, activation: 'relu' } as const, { type: 'maxPool', name: 'windows', size: poolSize } as const] : []),
      ...lstms.flat(),
      // as wide as what it reads, as in Yang et al. 2016
      plan.pool === 'attention'
        ? { type: 'attention', name: 'attention', units: hiddenUnits * (bidirectional ? 2 : 1) }
        : { type: 'pool', name: 'pool', methods: plan.pool === 'last' ? ['last'] : ['max', 'mean'] },
      ...dense.map((units, index): DenseLayer => ({ type: 'dense', name: `dense${index + 1}`, units, activation: 'relu' })),
      ...drop('featureDropout', drops.features),
      ...(ngramBuckets === 0 ? [] : [{ type: 'ngrams', name: 'ngrams', buckets: ngramBuckets, longest: ngramLength } as const]),
      { type: 'dense', name: 'head', units: plan.hasSigmoid && kind === 'single' && labels === 2 ? 1 : labels, activation: 'linear' },
    ],
  };
}

function preset(name: string, description: string, defaults: Partial<Hyperparameters>, plan: Plan): Preset {
  return { name, description, defaults, build: (options) => build(name, plan, options) };
}

/**
 * What presets after published examples have in common: the plain cross entropy, and twice the examples' learning rate, Adam's usual 0.001, which is half of the one that suits pooling over all steps. What the
 * examples do not have stays as everywhere here: an average of the weights is kept, gradients are clipped, and the epoch with the lowest held-out loss wins.
 */
const lastStep: Partial<Hyperparameters> = { learningRate: 0.002, labelSmoothing: 0 };

/** All presets by name; the default comes first. */
export const presets: readonly Preset[] = [
  preset('bilstm-pool', 'Embedding → bidirectional LSTM, one or several → masked max + mean pooling → dense', { embeddingSize: 64, hiddenUnits: 64, dropout: 0.5 }, {
    drops: { input: true, between: true, features: true },
    bidirectional: true,
    pool: 'max+mean',
  }),
  preset(
    'bilstm-attention',
    'Embedding → bidirectional LSTM → additive attention over the tokens → dense (after Bahdanau et al. 2015, Yang et al. 2016)',
    { embeddingSize: 64, hiddenUnits: 64, dropout: 0.5 },
    { drops: { input: true, between: true, features: true }, bidirectional: true, pool: 'attention' },
  ),
  preset(
    'keras-lstm',
    'Embedding → LSTM, last step → dense, sigmoid for two labels (the Keras example on film reviews)',
    { ...lastStep, embeddingSize: 128, hiddenUnits: 64, dropout: 0.2, batchSize: 32, patience: 3, vocabularySize: 20_000 },
    { drops: { input: true, between: true }, bidirectional: false, pool: 'last', hasSigmoid: true },
  ),
  preset(
    'stacked-lstm',
    'Embedding → LSTMs on top of each other, each with half the units of the one below, last step → dense, sigmoid for two labels (IMDb tutorials)',
    { ...lastStep, embeddingSize: 64, hiddenUnits: 64, layers: 2, dropout: 0.2, batchSize: 64, epochs: 5, maxTokens: 500, vocabularySize: 10_000 },
    { drops: { input: true, between: true }, bidirectional: false, layers: 2, units: halved, pool: 'last', hasSigmoid: true },
  ),
  preset(
    'bilstm',
    'Embedding → bidirectional LSTM, last step of each direction → dense, sigmoid for two labels (PyTorch tutorials on fake news, packed sequences)',
    { ...lastStep, embeddingSize: 300, hiddenUnits: 128, dropout: 0.5, minFrequency: 3, epochs: 10, maxTokens: 200 },
    { drops: { between: true, features: true }, bidirectional: true, pool: 'last', hasSigmoid: true },
  ),
  preset(
    'lstm-dense',
    'Embedding → LSTM, last step → dense with ReLU → dropout → dense, sigmoid for two labels (PyTorch tutorials)',
    { ...lastStep, embeddingSize: 300, hiddenUnits: 100, denseUnits: 64, dropout: 0.5 },
    { drops: { between: true, features: true }, bidirectional: false, pool: 'last', dense: (units) => [units], hasSigmoid: true },
  ),
  preset(
    'matlab-lstm',
    'Word vectors → LSTM, last step → fully connected → softmax (MATLAB’s example of text classification)',
    { ...lastStep, embeddingSize: 300, hiddenUnits: 180, dropout: 0, learningRate: 0.001, gradientClip: 1, epochs: 50, patience: 5, shuffle: 'every-epoch' },
    { drops: { features: true }, bidirectional: false, pool: 'last' },
  ),
  preset(
    'bilstm-softmax',
    'Embedding → bidirectional LSTM, last step of each direction → dense → softmax over several classes (tutorials on news)',
    { embeddingSize: 128, hiddenUnits: 128, dropout: 0.5, learningRate: 0.002 },
    { drops: { input: true, between: true, features: true }, bidirectional: true, pool: 'last' },
  ),
  preset(
    'deep-lstm',
    'Embedding → two LSTMs → masked max + mean pooling → three dense layers, for classes and for numbers (tutorials with two heads)',
    { ...lastStep, embeddingSize: 128, hiddenUnits: 128, layers: 2, denseUnits: 64, dropout: 0.3 },
    { drops: { input: true, between: true, features: true }, bidirectional: false, layers: 2, pool: 'max+mean', dense: (units) => [units, Math.ceil(units / 2)] },
  ),
  preset(
    'cnn-lstm',
    'Embedding → convolution over tokens → max pooling over windows → bidirectional LSTM, last step → dense (the Keras example with a convolution)',
    { embeddingSize: 128, hiddenUnits: 64, filters: usual.filters, kernelSize: usual.kernelSize, poolSize: usual.poolSize, dropout: 0.3, learningRate: 0.002 },
    { drops: { input: true, between: true, features: true }, convolves: true, bidirectional: true, pool: 'last' },
  ),
];

/** Half the units of the layer below, as a multiple of 4. */
function halved(hiddenUnits: number, index: number): number {
  return Math.max(4, Math.round(hiddenUnits / 2 ** index / 4) * 4);
}

/** The preset of that name, or undefined. */
export function findPreset(name: string): Preset | undefined {
  return presets.find((preset) => preset.name === name);
}
