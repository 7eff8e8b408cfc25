import type { Architecture } from './architecture';

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
}

export interface Preset {
  readonly name: string;
  /** One line for a person who chooses. */
  readonly description: string;
  readonly defaults: Omit<PresetOptions, 'vocabularySize' | 'labels'>;
  build(options: PresetOptions): Architecture;
}

/** Bidirectional LSTM, masked max and mean pooling side by side, one dense head. */
const bilstmPool: Preset = {
  name: 'bilstm-pool',
  description: 'Embedding → bidirectional LSTM → masked max + mean pooling → dense',
  defaults: { embeddingSize: 64, hiddenUnits: 64, dropout: 0.5 },
  build: ({ vocabularySize, labels, embeddingSize, hiddenUnits, dropout }) => ({
    preset: 'bilstm-pool',
    layers: [
      { type: 'embedding', name: 'embedding', vocabularySize, size: embeddingSize },
      { type: 'dropout', name: 'embeddingDropout', rate: dropout },
      { type: 'lstm', name: 'lstm', units: hiddenUnits, bidirectional: true },
      { type: 'pool', name: 'pool', methods: ['max', 'mean'] },
      { type: 'dropout', name: 'featureDropout', rate: dropout },
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
