import type { Architecture, Layer } from './architecture';

/** What a preset is built from: the sizes that depend on the data, and the hyperparameters, by the field's names. */
export interface PresetOptions {
  /** Number of rows of the embedding table, `<pad>` and `<unk>` included. */
  readonly vocabularySize: number;
  /** Number of labels, at least 2. */
  readonly labels: number;
  /** Width of a token's vector. A multiple of 4. */
  readonly embeddingSize: number;
  /** LSTM units in each direction. A multiple of 4. */
  readonly hiddenUnits: number;
  /** Probability in 0..1 of dropping an embedded value or a feature while training. */
  readonly dropout: number;
  /** Probability in 0..1 of dropping a token's vector wherever the token stands. Default 0. */
  readonly embeddingDropout?: number;
  /** Probability in 0..1 of dropping a hidden-to-hidden weight. Default 0. */
  readonly recurrentDropout?: number;
  /** LSTM layers, at least 1. Default 1. */
  readonly layers?: number;
  /** Buckets of a table of n-grams beside the LSTM, see `ngrams.ts`; 0: no such table. Default 0. */
  readonly ngramBuckets?: number;
  /** Tokens of the longest n-grams. Default 2. */
  readonly ngramLength?: number;
}

export interface Preset {
  readonly name: string;
  /** One line for a person who chooses. */
  readonly description: string;
  readonly defaults: Omit<PresetOptions, 'vocabularySize' | 'labels'>;
  build(options: PresetOptions): Architecture;
}

/** Bidirectional LSTMs, one or several on top of each other with dropout between them; masked max and mean pooling side by side; one dense head. */
const bilstmPool: Preset = {
  name: 'bilstm-pool',
  description: 'Embedding → bidirectional LSTM, one or several → masked max + mean pooling → dense',
  defaults: { embeddingSize: 64, hiddenUnits: 64, dropout: 0.5 },
  build: ({ vocabularySize, labels, embeddingSize, hiddenUnits, dropout, embeddingDropout = 0, recurrentDropout = 0, layers = 1, ngramBuckets = 0, ngramLength = 2 }) => ({
    preset: 'bilstm-pool',
    layers: [
      { type: 'embedding', name: 'embedding', vocabularySize, size: embeddingSize },
      // only where there is something to drop: a layer more would change the masks that the others draw
      ...(embeddingDropout === 0 ? [] : [{ type: 'dropout', name: 'tokenDropout', rate: embeddingDropout, over: 'tokens' } as const]),
      { type: 'dropout', name: 'embeddingDropout', rate: dropout },
      ...Array.from({ length: layers }, (_, index): readonly Layer[] => {
        const lstm = { type: 'lstm', name: index === 0 ? 'lstm' : `lstm${index + 1}`, units: hiddenUnits, bidirectional: true, ...(recurrentDropout === 0 ? {} : { recurrentDropout }) } as const;
        return index === 0 ? [lstm] : [{ type: 'dropout', name: `${lstm.name}Dropout`, rate: dropout }, lstm];
      }).flat(),
      { type: 'pool', name: 'pool', methods: ['max', 'mean'] },
      { type: 'dropout', name: 'featureDropout', rate: dropout },
      ...(ngramBuckets === 0 ? [] : [{ type: 'ngrams', name: 'ngrams', buckets: ngramBuckets, longest: ngramLength } as const]),
      { type: 'dense', name: 'head', units: labels, activation: 'linear' },
    ],
  }),
};

/** All presets by name; the default comes first. */
export const presets: readonly Preset[] = [bilstmPool];

/** The preset of that name, or undefined. */
export function findPreset(name: string): Preset | undefined {
  return presets.find((preset) => preset.name === name);
}
