import type { BundleFiles } from './predictor';

/** Host ↔ trainer worker. */
export type TrainerMethods = {
  train: { params: TrainRequest; result: TrainResult; progress: TrainProgress };
};

export interface TrainingRow {
  readonly text: string;
  /** Index into `labels`. */
  readonly label: number;
}

export interface TrainRequest {
  readonly preset: string;
  /** Label names, in the order of the model's scores. */
  readonly labels: readonly string[];
  readonly rows: readonly TrainingRow[];
  /** Held-out rows that decide on early stopping and the best epoch. Never trained on. */
  readonly validation: readonly TrainingRow[];
  /** A bundle to start from: its tokenizer is kept and its weights are taken over, the head's too where the labels are the same. */
  readonly base?: BundleFiles;
  readonly hyperparameters: Hyperparameters;
  /** Threads to compute with, at least 1. The result does not depend on it. */
  readonly workers: number;
  /** Numeric storage of the weights in the resulting model.onnx. */
  readonly precision: 'float32' | 'float16' | 'int8';
  /** Name, version and provenance to be written into model.json. */
  readonly identity: { readonly name: string; readonly version: string; readonly parent?: string; readonly description?: string; readonly data?: Readonly<Record<string, string | number>> };
}

/** Hyperparameters by the field's names; ranges and defaults stand in `core/model/hyperparameters`. */
export interface Hyperparameters {
  readonly embeddingSize: number;
  readonly hiddenUnits: number;
  /** Probability in 0..1. */
  readonly dropout: number;
  /** Probability in 0..1 that a token of a training text is read as unknown. */
  readonly wordDropout: number;
  /** Share in 0..1 of the truth that the training loss spreads evenly over all labels. */
  readonly labelSmoothing: number;
  readonly batchSize: number;
  readonly learningRate: number;
  /** Share of the learning rate that is gone, linearly, by the last planned step: 0 keeps it, 1 ends at zero. */
  readonly learningRateDecay: number;
  /** Decay per step, in 0..1, of the moving average of the weights that is evaluated and kept; 0 keeps the latest weights. */
  readonly weightAveraging: number;
  readonly epochs: number;
  /** Epochs without a lower validation loss before training stops. */
  readonly patience: number;
  /** Gradients are scaled down to at most this global L2 norm. */
  readonly gradientClip: number;
  /** Tokens kept of a text. */
  readonly maxTokens: number;
  /** Occurrences a token needs to enter the vocabulary; 0 means automatic (1 under 2,000 rows, else 3). */
  readonly minFrequency: number;
  /** Rows of the embedding table at most. */
  readonly vocabularySize: number;
  readonly seed: number;
}

export interface TrainProgress {
  /** 1-based. */
  readonly epoch: number;
  readonly epochs: number;
  /** 1-based. */
  readonly batch: number;
  readonly batches: number;
  /** Smoothed training loss, nats per example. */
  readonly loss: number;
  readonly examplesPerSecond: number;
  /** Seconds left, estimated for the planned number of epochs. */
  readonly secondsLeft: number;
  /** Present in the message that ends an epoch. */
  readonly finished?: EpochReport;
}

export interface EpochReport {
  readonly trainLoss: number;
  readonly validLoss: number;
  /** 0..1 */
  readonly validAccuracy: number;
  readonly seconds: number;
}

export interface TrainResult {
  readonly bundle: BundleFiles;
  readonly epochs: readonly EpochReport[];
  /** Index into `epochs` of the one whose weights were kept. */
  readonly best: number;
  readonly examplesPerSecond: number;
}
