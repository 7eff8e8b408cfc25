import type { TaskKind } from '../model/onnxWriter';
import type { WordVectors } from '../text/vectors';
import type { BundleFiles } from './predictor';

/** Host ↔ trainer worker. */
export type TrainerMethods = {
  train: { params: TrainCall; result: TrainResult; progress: TrainNews };
};

/** What the host sends. */
export interface TrainCall extends TrainRequest {
  /** Present if checkpoints are wanted. `earlier` is the last one of a run that did not end, if there is one; the worker takes it out, so that its megabytes do not stay. */
  readonly checkpoints?: { earlier?: Uint8Array };
}

/** What the worker tells on the way. */
export type TrainNews =
  | { readonly kind: 'progress'; readonly progress: TrainProgress }
  /** What continues the training after this moment, to be stored; each makes those before it superfluous. */
  | { readonly kind: 'checkpoint'; readonly checkpoint: Uint8Array }
  | { readonly kind: 'continued'; readonly from: TrainPlace }
  | { readonly kind: 'startedOver'; readonly why: StartOverReason };

/** Why a checkpoint cannot be continued: it is not whole or none at all; a newer version wrote it; it is of another training. */
export type StartOverReason = 'damaged' | 'newer' | 'different';

/** Where a training stands between two batches. */
export interface TrainPlace {
  /** Reports of the epochs that are done. */
  readonly epochs: readonly EpochReport[];
  /** Batches that are done of the epoch after these. */
  readonly batch: number;
  readonly batches: number;
}

export interface TrainingRow {
  readonly text: string;
  /** Kind `single`: index into `labels`. */
  readonly label: number;
  /** Kind `multi`: indices into `labels`, each once; none may be right. */
  readonly labels?: readonly number[];
  /** Kind `number`, and the number beside the label in a joint model: finite, in its own unit. */
  readonly value?: number;
}

export interface TrainRequest {
  readonly preset: string;
  /** What is asked of a text. Default `single`; with a {@link TrainingRow.value} in each row that is a joint model, which gives a number beside the label. */
  readonly kind?: TaskKind;
  /** Label names, in the order of the model's scores. None for `number`. */
  readonly labels: readonly string[];
  /** What the number is called, for `number` and joint models; the column's name, usually. Default `value`. */
  readonly valueName?: string;
  /** Decision threshold for the model's card, in 0..1: of the second label's score where there are two of kind `single`, of every label's for `multi`. Default 0.5. */
  readonly threshold?: number;
  readonly rows: readonly TrainingRow[];
  /** Held-out rows that decide on early stopping and the best epoch. Never trained on. None may be where only a base's head is fitted: it is judged by cross-validation then. */
  readonly validation: readonly TrainingRow[];
  /** A bundle to start from: its tokenizer is kept and its weights are taken over, the head's too where the labels are the same. */
  readonly base?: BundleFiles;
  /** Another model's tokenizer.json, and the tokens that it reads of a text, in place of a vocabulary of the rows' own, so that both models read texts alike. Not with a base, which brings its own. */
  readonly tokenizer?: { readonly json: Uint8Array; readonly maxTokens: number };
  /** Where the token vectors start; the embedding is as wide as they are, up to a multiple of 4. Not with a base, which brings its own. */
  readonly vectors?: WordVectors;
  readonly hyperparameters: Hyperparameters;
  /** Threads to compute with, at least 1. The result does not depend on it. */
  readonly workers: number;
  /** Numeric storage of the weights in the resulting model.onnx. */
  readonly precision: 'float32' | 'float16' | 'int8';
  /** Name, version and provenance to be written into model.json. */
  readonly identity: { readonly name: string; readonly version: string; readonly parent?: string; readonly description?: string; readonly data?: Readonly<Record<string, string | number>> };
}

/** How the learning rate changes over the planned steps; what each means stands in `training/schedule`. */
export type ScheduleName = 'constant' | 'linear' | 'slanted-triangular' | 'one-cycle';

/** Hyperparameters by the field's names; ranges and defaults stand in `core/model/hyperparameters`. */
export interface Hyperparameters {
  readonly embeddingSize: number;
  readonly hiddenUnits: number;
  /** LSTM layers, each on top of the one before. */
  readonly layers: number;
  /** Filters of a convolution, where the preset has one. */
  readonly filters: number;
  /** Tokens that a filter sees. */
  readonly kernelSize: number;
  /** Steps of a window of max pooling over time, where the preset has it. */
  readonly poolSize: number;
  /** Units of the first ReLU layer below the head, where the preset has one. */
  readonly denseUnits: number;
  /** Probability in 0..1. */
  readonly dropout: number;
  /** Probability in 0..1 that a token's vector is zero wherever the token stands in a text. */
  readonly embeddingDropout: number;
  /** Probability in 0..1 that a hidden-to-hidden weight of an LSTM is zero throughout a batch. */
  readonly recurrentDropout: number;
  /** Probability in 0..1 that a token of a training text is read as unknown. */
  readonly wordDropout: number;
  /** Share in 0..1 of the truth that the training loss spreads evenly over all labels. */
  readonly labelSmoothing: number;
  /** What a row counts in the loss: all the same, or so much that all labels count the same. */
  readonly classWeights: 'none' | 'balanced';
  /** What a wrong number costs: its squared error, or Huber's loss (1964), which grows straight for large errors, so that a few wild values count less. Without numbers of no account. */
  readonly regressionLoss: 'squared' | 'huber';
  /** Error, in standard deviations of the training values, from which on Huber's loss is straight. */
  readonly huberDelta: number;
  /** What the loss of the number counts beside the cross entropy of the label in a joint model; at least 0. */
  readonly valueWeight: number;
  readonly batchSize: number;
  /** Whether the rows come in another order in each epoch, or always as they are given. */
  readonly shuffle: 'every-epoch' | 'never';
  /** The highest of the schedule, in the topmost layer. */
  readonly learningRate: number;
  readonly schedule: ScheduleName;
  /** Share of the learning rate, in 0..1, that the linear schedule ends at. */
  readonly finalRateShare: number;
  /** A layer learns at the rate of the one above it over this factor, at least 1. */
  readonly layerDecay: number;
  /** Epochs until the next layer below learns too, beginning with the topmost alone; 0: all from the start. */
  readonly unfreezeEpochs: number;
  /** Decoupled: a step takes away this share, times the learning rate, of each weight that is no bias. */
  readonly weightDecay: number;
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
  /** Rows of the table of n-grams that go straight to the scores; 0: no such table. */
  readonly ngramBuckets: number;
  /** Tokens of the longest of these n-grams. */
  readonly ngramLength: number;
  /** Where the head of a base starts: as the base has it, fitted to the rows over the layers below as they are, or so and nothing else learns. Without a base of no account. */
  readonly baseHead: 'kept' | 'fitted' | 'only';
  /** Whether the token vectors learn as the layers above do, or stay as they are. */
  readonly embeddingTraining: 'tuned' | 'frozen';
  readonly seed: number;
}

export interface TrainProgress {
  /** 1-based. */
  readonly epoch: number;
  readonly epochs: number;
  /** 1-based. */
  readonly batch: number;
  readonly batches: number;
  /** The optimizer step under way, 1-based, over all epochs. */
  readonly step: number;
  /** Smoothed training loss per example, as in {@link EpochReport}. */
  readonly loss: number;
  readonly examplesPerSecond: number;
  /** Seconds left, estimated for the planned number of epochs. */
  readonly secondsLeft: number;
  /** Present in the message that ends an epoch. */
  readonly finished?: EpochReport;
}

/**
 * How an epoch went. Losses are means over the rows, without label smoothing and class weights: for `single` the cross entropy, nats; for `multi` the binary cross entropy, nats per label; for `number` the
 * squared error or Huber's loss of values in standard deviations of the training rows; in a joint model the cross entropy and `valueWeight` times the loss of the number.
 */
export interface EpochReport {
  readonly trainLoss: number;
  readonly validLoss: number;
  /**
   * Share of the held-out rows that are right, 0..1: those whose most probable label is the true one; for `multi` those whose labels above one half are exactly the true ones.
   * For `number`, the share of the variance of the held-out values that is explained (R²), 0 where that is below 0.
   */
  readonly validAccuracy: number;
  /** Root of the mean squared error on the held-out rows, in the number's own unit, where there are numbers. */
  readonly validRmse?: number;
  readonly seconds: number;
}

/** Training loss, as in {@link EpochReport}, of the optimizer steps up to `step` (1-based, over all epochs) since the point before. */
export interface LossPoint {
  readonly step: number;
  readonly loss: number;
}

export interface TrainResult {
  readonly bundle: BundleFiles;
  readonly epochs: readonly EpochReport[];
  /** Index into `epochs` of the one whose weights were kept. */
  readonly best: number;
  readonly examplesPerSecond: number;
  /** Training loss over the optimizer steps of all epochs, at most 2,000 points, each the mean of equally many steps but for the last. Empty where no step was taken, since only a base's head was fitted. */
  readonly history: readonly LossPoint[];
  /** Optimizer steps of an epoch; 0 where none was taken. */
  readonly stepsPerEpoch: number;
  /** [validation rows, scores] as the written model gives them, but for the rounding of a storage smaller than float32. Empty without validation rows. */
  readonly validationScores: Float32Array;
  /** [validation rows] numbers beside the labels, in their own unit: of a joint model. */
  readonly validationValues?: Float32Array;
}
