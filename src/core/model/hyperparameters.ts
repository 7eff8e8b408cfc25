import { HumanError } from '../errors';
import type { Hyperparameters } from '../protocol/trainer';
import { usual } from './presets';

/** What a person who sets a hyperparameter has to know. */
export type HyperparameterSpec = NumberSpec | { [N in ChoiceName]: ChoiceSpec<N> }[ChoiceName];

interface Spec {
  /** One line, without a full stop. */
  readonly help: string;
}

export interface NumberSpec extends Spec {
  readonly name: Exclude<keyof Hyperparameters, ChoiceName>;
  readonly minimum: number;
  readonly maximum: number;
  /** Whole numbers only; with `multipleOf`, only its multiples. */
  readonly integer: boolean;
  readonly multipleOf?: number;
  /** Where the preset has no default of its own. */
  readonly default: number;
}

/** One of several names. */
export interface ChoiceSpec<N extends ChoiceName = ChoiceName> extends Spec {
  readonly name: N;
  readonly choices: readonly Hyperparameters[N][];
  readonly default: Hyperparameters[N];
}

type ChoiceName = { [N in keyof Hyperparameters]: Hyperparameters[N] extends string ? N : never }[keyof Hyperparameters];

/**
 * All hyperparameters in the order in which a person is asked for them. The defaults are those on which recipes for small LSTM classifiers agree: batches
 * of 32, Adam (Kingma & Ba 2015), gradients clipped to norm 1 (Pascanu et al. 2013), stopping early because such models peak after 2–3 epochs; the learning rate, dropout, label smoothing and averaging gave the
 * lowest validation loss on sst2, trec and waimai_10k together.
 */
export const hyperparameterSpecs: readonly HyperparameterSpec[] = [
  { name: 'embeddingSize', minimum: 4, maximum: 1024, integer: true, multipleOf: 4, default: 64, help: "width of a token's vector" },
  { name: 'hiddenUnits', minimum: 4, maximum: 1024, integer: true, multipleOf: 4, default: 64, help: 'LSTM units in each direction' },
  { name: 'layers', minimum: 1, maximum: 4, integer: true, default: 1, help: 'LSTM layers, each on top of the one before' },
  { name: 'filters', minimum: 4, maximum: 1024, integer: true, multipleOf: 4, default: usual.filters, help: 'filters of the convolution, in presets that have one' },
  { name: 'kernelSize', minimum: 1, maximum: 64, integer: true, default: usual.kernelSize, help: 'tokens that each of these filters sees' },
  { name: 'poolSize', minimum: 1, maximum: 64, integer: true, default: usual.poolSize, help: 'steps of a window of max pooling over time, in presets that have it' },
  { name: 'denseUnits', minimum: 1, maximum: 1024, integer: true, default: usual.denseUnits, help: 'units of the dense layer below the head, in presets that have one' },
  { name: 'dropout', minimum: 0, maximum: 0.9, integer: false, default: 0.5, help: 'share of embedded values and features that are dropped while training' },
  { name: 'embeddingDropout', minimum: 0, maximum: 0.9, integer: false, default: 0, help: 'share of tokens whose vectors are dropped wherever they stand in a text while training' },
  { name: 'recurrentDropout', minimum: 0, maximum: 0.9, integer: false, default: 0, help: 'share of the hidden-to-hidden weights of LSTMs that are dropped while training' },
  { name: 'wordDropout', minimum: 0, maximum: 0.9, integer: false, default: 0, help: 'share of tokens that are read as unknown while training' },
  { name: 'labelSmoothing', minimum: 0, maximum: 0.9, integer: false, default: 0.1, help: 'share of the truth that the training loss spreads evenly over all labels' },
  { name: 'classWeights', choices: ['none', 'balanced'], default: 'none', help: 'what a row counts in the training loss: the same, or as much more as its label is rarer' },
  { name: 'regressionLoss', choices: ['squared', 'huber'], default: 'squared', help: 'what a wrong number costs while training: its squared error, or less for large errors (Huber)' },
  { name: 'huberDelta', minimum: 0.01, maximum: 100, integer: false, default: 1, help: "error, in standard deviations of the numbers, from which on Huber's loss is straight" },
  { name: 'valueWeight', minimum: 0, maximum: 100, integer: false, default: 1, help: 'what the loss of the number counts beside that of the label where a model learns both' },
  { name: 'batchSize', minimum: 1, maximum: 1024, integer: true, default: 32, help: 'texts in a training step' },
  { name: 'shuffle', choices: ['every-epoch', 'never'], default: 'every-epoch', help: 'whether each epoch has the rows in another order, or as they are given' },
  { name: 'learningRate', minimum: 1e-6, maximum: 1, integer: false, default: 0.004, help: "Adam's step size, the highest where it changes" },
  { name: 'schedule', choices: ['constant', 'linear', 'slanted-triangular', 'one-cycle'], default: 'constant', help: 'how the learning rate changes over the planned steps' },
  { name: 'finalRateShare', minimum: 0, maximum: 1, integer: false, default: 0, help: 'share of the learning rate that the linear schedule ends at' },
  { name: 'layerDecay', minimum: 1, maximum: 100, integer: false, default: 1, help: 'times that each layer learns slower than the one above it; for a base, 2.6 is customary' },
  { name: 'unfreezeEpochs', minimum: 0, maximum: 1000, integer: true, default: 0, help: 'epochs after which the next layer learns too, the topmost first; 0 = all from the start' },
  { name: 'weightDecay', minimum: 0, maximum: 1, integer: false, default: 0, help: 'share of the weights, times the learning rate, that each step takes away' },
  { name: 'weightAveraging', minimum: 0, maximum: 0.9999, integer: false, default: 0.99, help: 'decay per step of the moving average of the weights that is kept; 0 keeps the latest weights' },
  { name: 'epochs', minimum: 1, maximum: 1000, integer: true, default: 10, help: 'passes over the training rows at most' },
  { name: 'patience', minimum: 1, maximum: 1000, integer: true, default: 3, help: 'epochs without a lower loss on the held-out rows before training stops' },
  { name: 'gradientClip', minimum: 1e-3, maximum: 1000, integer: false, default: 1, help: 'largest norm of a gradient; a longer one is scaled down to it' },
  { name: 'maxTokens', minimum: 2, maximum: 4096, integer: true, default: 400, help: 'tokens that are read of a text; of a longer one its head and its tail' },
  { name: 'minFrequency', minimum: 0, maximum: 1_000_000, integer: true, default: 0, help: 'occurrences a token needs to enter the vocabulary; 0 = automatic' },
  { name: 'vocabularySize', minimum: 4, maximum: 500_000, integer: true, default: 30_000, help: 'tokens in the vocabulary at most' },
  { name: 'ngramBuckets', minimum: 0, maximum: 1_048_576, integer: true, multipleOf: 1024, default: 0, help: 'rows of a table of n-grams that go straight to the scores beside the LSTM; 0 = none' },
  { name: 'ngramLength', minimum: 1, maximum: 3, integer: true, default: 2, help: 'tokens of the longest of these n-grams' },
  { name: 'baseHead', choices: ['kept', 'fitted', 'only'], default: 'kept', help: "where a base's head starts: as it is, fitted to the rows, or fitted and nothing else learns" },
  { name: 'embeddingTraining', choices: ['tuned', 'frozen'], default: 'tuned', help: 'whether token vectors learn too, or stay as they are' },
  { name: 'seed', minimum: 0, maximum: 4_294_967_295, integer: true, default: 1, help: 'start of all random numbers; the same seed gives the same model' },
];

const names: ReadonlySet<string> = new Set(hyperparameterSpecs.map((spec) => spec.name));

/** All defaults; `own` are a preset's, which come first. */
export function defaultHyperparameters(own: Partial<Hyperparameters> = {}): Hyperparameters {
  // every name has a specification, which the tests hold
  return Object.fromEntries(hyperparameterSpecs.map((spec) => [spec.name, own[spec.name] ?? spec.default])) as unknown as Hyperparameters;
}

/**
 * Completes `values` with the defaults and checks every one.
 *
 * @param values from a person or a file; what is absent or undefined takes its default
 * @param own defaults of the preset
 * @throws HumanError `hyperparameter.unknown`, `hyperparameter.range`, `hyperparameter.integer`, `hyperparameter.multiple`, `hyperparameter.choice`
 */
export function checkHyperparameters(values: Readonly<Record<string, unknown>>, own: Partial<Hyperparameters> = {}): Hyperparameters {
  for (const name of Object.keys(values))
    if (!names.has(name))
      throw new HumanError('hyperparameter.unknown', 'There is no hyperparameter {0}. Use one of these: {1}.', [name.slice(0, 100), [...names].join(', ')]);
  const defaults = defaultHyperparameters(own);
  return Object.fromEntries(
    hyperparameterSpecs.map((spec) => {
      const value = (Object.hasOwn(values, spec.name) ? values[spec.name] : undefined) ?? defaults[spec.name];
      return [spec.name, 'choices' in spec ? checkChoice(spec, value) : checkNumber(spec, value)];
    }),
  ) as unknown as Hyperparameters;
}

function checkNumber(spec: NumberSpec, value: unknown): number {
  if (typeof value !== 'number' || !(value >= spec.minimum && value <= spec.maximum))
    throw new HumanError('hyperparameter.range', '{0} ({1}) cannot be {2}. Choose a number from {3} to {4}.', [spec.name, spec.help, describe(value), spec.minimum, spec.maximum]);
  if (spec.integer && !Number.isInteger(value)) throw new HumanError('hyperparameter.integer', '{0} ({1}) cannot be {2}. Choose a whole number.', [spec.name, spec.help, value]);
  if (spec.multipleOf !== undefined && value % spec.multipleOf !== 0) {
    const near = Math.max(spec.minimum, Math.round(value / spec.multipleOf) * spec.multipleOf);
    throw new HumanError('hyperparameter.multiple', '{0} ({1}) has to be a multiple of {2}, which {3} is not. Choose {4}, for example.', [spec.name, spec.help, spec.multipleOf, value, near]);
  }
  return value;
}

function checkChoice({ name, help, choices }: ChoiceSpec, value: unknown): string {
  const choice = choices.find((each) => each === value);
  if (choice === undefined) throw new HumanError('hyperparameter.choice', '{0} ({1}) cannot be {2}. Choose one of these: {3}.', [name, help, describe(value), choices.join(', ')]);
  return choice;
}

function describe(value: unknown): string | number {
  return typeof value === 'number' ? value : `"${typeof value === 'string' ? value.slice(0, 100) : typeof value}"`;
}
