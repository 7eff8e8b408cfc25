/** What people see of a task: examples, what was decided, what the model holds, how learning goes. Shared by the panel's page, its host and the editor. */
import type { HumanError } from '../errors';
import type { QueueReason } from '../protocol/learner';
import type { EpochReport, TrainProgress } from '../protocol/trainer';
import type { DecisionOrigin, DecisionSource, DecisionStatus, DecisionValue } from './decision';

/** One distinct text of a task. */
export interface Example {
  /** `exampleId` of the text. */
  readonly id: string;
  /** Number among the task's distinct texts, in the order of the sources, 0-based. */
  readonly position: number;
  readonly text: string;
  /** Every place where it stands; the first is the one that decisions name. */
  readonly sources: readonly DecisionSource[];
  /** The other columns of its first row, in the file's order. */
  readonly context: readonly { readonly column: string; readonly value: string }[];
}

/** What was decided about an example, by the latest word of each annotator. */
export interface ExampleState {
  readonly status: DecisionStatus;
  readonly value?: DecisionValue;
  readonly annotator: string;
  /** ISO 8601. */
  readonly at: string;
  /** What others decided, where they disagree. */
  readonly others: readonly { readonly annotator: string; readonly status: DecisionStatus; readonly value?: DecisionValue }[];
}

/** What was decided about a text that has been edited since. */
export interface StaleState extends ExampleState {
  /** `exampleId` of the text as it was. */
  readonly example: string;
}

/** What the model holds to be right. */
export interface Guess {
  /** For each label of the labels that are offered, 0..1; for `number` the value alone. */
  readonly scores: readonly number[];
  readonly value: DecisionValue;
  /** Score of the label that is chosen, for `multi` of the most probable, 0..1; 1 for `number`. */
  readonly confidence: number;
}

export interface QueueItem {
  readonly example: Example;
  readonly reason: QueueReason;
  readonly guess?: Guess;
}

export interface DecideRequest {
  /** Ids of examples of the pool, or texts of documents that need not be in it, perhaps each with an answer of its own. All of them are one act, undone together. */
  readonly targets: readonly (string | { readonly text: string; readonly source: DecisionSource; readonly value?: DecisionValue })[];
  readonly status: DecisionStatus;
  /** For targets without one of their own. */
  readonly value?: DecisionValue;
  readonly origin: DecisionOrigin;
}

/** What an undo or redo changed. */
export interface Undone {
  readonly examples: readonly string[];
  /** Whether something is left to undo or redo. */
  readonly canUndo: boolean;
  readonly canRedo: boolean;
}

export interface TaskCounts {
  /** Distinct texts. */
  readonly examples: number;
  /** Rows and segments, equal texts counted each. */
  readonly rows: number;
  readonly labeled: number;
  readonly skipped: number;
  readonly flagged: number;
  readonly open: number;
  /** By label id. */
  readonly byLabel: Readonly<Record<string, number>>;
  /** Decisions of the last ten minutes, a minute; 0 if none. */
  readonly pace: number;
}

/** Where the model of a task stands. */
export interface LearningState {
  /** Share of the pool whose features are known, 0..1. */
  readonly cached: number;
  /** Decisions that the head has learned from, and whether its word counts (5 of each label). */
  readonly decisions: number;
  readonly trusted: boolean;
  /** Accuracy on the random checks, with a 95 % interval (Wilson 1927). */
  readonly check?: { readonly rows: number; readonly accuracy: number; readonly low: number; readonly high: number };
  /** Decisions until the next fine-tuning; undefined if it is off. */
  readonly untilFineTune?: number;
  readonly fineTune?: FineTuneState;
  /** When it makes sense to stop, for a person; undefined: go on. */
  readonly stopHint?: 'plateau' | 'confident' | 'done';
}

export interface FineTuneState {
  readonly status: 'running' | 'kept' | 'discarded' | 'failed' | 'cancelled';
  readonly progress?: TrainProgress;
  readonly epochs: readonly EpochReport[];
  /** On the same held-out rows, before and after, with 95 % intervals. */
  readonly before?: Score;
  readonly after?: Score;
  /** The version that came of it. */
  readonly version?: string;
  readonly error?: Error;
}

export interface Score {
  readonly rows: number;
  /** Share of the rows whose answer is right, of several labels all of them; for `number` R². */
  readonly accuracy: number;
  readonly low: number;
  readonly high: number;
}

export interface ModelVersion {
  readonly version: string;
  readonly current: boolean;
  /** Never removed: the best on its holdout so far. */
  readonly best: boolean;
  /** ISO 8601, if known. */
  readonly created?: string;
  readonly parent?: string;
  readonly rows?: number;
  /** As in {@link Score}. */
  readonly accuracy?: number;
}

/** What a list of examples shows. All of it must hold. */
export interface ExampleFilter {
  /** Words, or a regular expression between slashes (`/late|slow/i`). */
  readonly text?: string;
  readonly status?: readonly ('open' | 'labeled' | 'skipped' | 'flagged')[];
  /** Label id decided. */
  readonly label?: string;
  /** Label id guessed. */
  readonly guess?: string;
  /** Confidence of the guess, [from, to] in 0..1. */
  readonly confidence?: readonly [number, number];
  /** Decision and guess differ. */
  readonly disagreement?: boolean;
  readonly annotator?: string;
  /** Annotators differ. */
  readonly conflict?: boolean;
}

export interface ListedExample {
  readonly id: string;
  readonly position: number;
  readonly excerpt: string;
  readonly state?: ExampleState;
  readonly guess?: Guess;
}

export interface ExampleList {
  /** Number of examples that pass the filter. */
  readonly total: number;
  /** The slice that was asked for. */
  readonly rows: readonly ListedExample[];
}

/** How much a word spoke for the guess: score of the guessed label with it, less the score without it. */
export interface WordWeight {
  /** UTF-16 offsets in the text. */
  readonly start: number;
  readonly end: number;
  /** -1..1 */
  readonly weight: number;
}

export interface Insight {
  readonly annotators: readonly string[];
  /** Cohen's kappa (two annotators) or Krippendorff's alpha (more), over examples that several decided on; absent with fewer than ten. */
  readonly agreement?: { readonly measure: 'kappa' | 'alpha'; readonly value: number; readonly examples: number };
  /** Rows of the report below: out-of-fold on decisions, never on what the judged head learned from. */
  readonly evaluated: number;
  readonly accuracy?: Score;
  readonly macroF1?: number;
  readonly perLabel: readonly { readonly label: string; readonly precision: number; readonly recall: number; readonly f1: number; readonly support: number }[];
  /** Counts `matrix[truth][guess]`, labels as in `perLabel`. */
  readonly confusion: readonly (readonly number[])[];
  readonly balance: readonly { readonly label: string; readonly decided: number; readonly guessed: number }[];
  readonly curve: readonly { readonly decisions: number; readonly accuracy: number; readonly low: number; readonly high: number }[];
  /** What another `decisions` decisions may bring, extrapolated from the curve (inverse power law); absent where the curve does not tell. */
  readonly outlook?: { readonly decisions: number; readonly accuracy: number; readonly low: number; readonly high: number };
  /** Ten bins: mean confidence and accuracy, 0..1, and rows. */
  readonly calibration: readonly { readonly confidence: number; readonly accuracy: number; readonly rows: number }[];
  /** For `number`. */
  readonly regression?: { readonly mae: number; readonly rmse: number; readonly r2: number; readonly pearson: number };
}

export type TaskChange =
  /** Decisions were taken, undone, or came in from elsewhere (another window, git). */
  | { readonly kind: 'decisions'; readonly examples: readonly string[] }
  /** The order or the guesses moved. */
  | { readonly kind: 'queue' }
  | { readonly kind: 'learning' }
  /** Labels, keys or sources changed. */
  | { readonly kind: 'task' }
  /** The texts changed or came in. */
  | { readonly kind: 'pool' }
  /** Something went wrong that the person has to know now: a decision that could not be written, a line set aside. */
  | { readonly kind: 'problem'; readonly problem: HumanError };

/** An edit of the labels. A decision never dies because of one. */
export type LabelEdit =
  | { readonly do: 'add'; readonly name: string; readonly description?: string }
  | { readonly do: 'rename'; readonly label: string; readonly name: string }
  | { readonly do: 'merge'; readonly label: string; readonly into: string }
  | { readonly do: 'archive' | 'restore'; readonly label: string }
  | { readonly do: 'recolor'; readonly label: string; readonly color: number }
  | { readonly do: 'rekey'; readonly label: string; readonly key: string | undefined }
  | { readonly do: 'describe'; readonly label: string; readonly description: string }
  | { readonly do: 'move'; readonly label: string; readonly to: number };
