import type { DecisionRule } from '../model/deciding';
import type { TaskKind } from '../model/onnxWriter';

/**
 * Host ↔ learner worker: the light head on the frozen model's features and the texts' n-grams, and the order in which texts are offered.
 *
 * Texts are known by their position, 0..count-1, in the task's pool of distinct texts. Everything that takes time over the whole pool happens here, off the host's thread.
 */
export type LearnerMethods = {
  /** Begins a pool; forgets the one before. */
  open: { params: PoolSetup; result: null };
  /** Features, scores and words of some texts, in any order and in as many calls as there are batches. Later calls replace earlier ones (a new model): send them all again. */
  addFeatures: { params: FeatureBatch; result: null };
  /** Takes decisions over, then moves the head (a moment later, with those that came meanwhile) and ranks. */
  decide: { params: { readonly changes: readonly LearnedDecision[] }; result: Ranking };
  /** Another order, or the same one again. */
  rank: { params: { readonly order: QueueOrder }; result: Ranking };
  /** The head's scores [positions, labels] of some texts; where there is no head yet, the base model's if its labels are the task's. NaN: none. */
  guess: { params: { readonly positions: Int32Array }; result: { readonly scores: Float32Array } };
  /** Scores of all texts [count, labels] at once, for the list, the export and the insight. */
  guessAll: { params: Record<string, never>; result: { readonly scores: Float32Array } };
  /** Out-of-fold scores [n, labels] of the decided texts (cross-validation on the decisions), for suspicious labels, insight and the learning curve. */
  crossValidate: { params: { readonly folds: number; readonly seed: number }; result: CrossValidation };
};

/** How the queue is sorted. */
export type QueueOrder = 'useful' | 'file' | 'shuffle' | 'confident' | 'suspicious';

/** Why a text is where it is in the queue. */
export type QueueReason =
  /** Drawn at random: its decision counts as a check of the model. */
  | 'check'
  /** The model is less sure of its label than of others: undecided, as long as there is something to be undecided about. */
  | 'uncertain'
  /** Stands for texts unlike those decided so far. */
  | 'different'
  /** Holds a keyword of a rare label. */
  | 'keyword'
  /** The model's word does not count yet: texts that stand for many others, then any. */
  | 'start'
  | 'file'
  | 'shuffle'
  | 'confident'
  /** Its label is one that the model doubts. */
  | 'suspicious';

export interface PoolSetup {
  /** Number of distinct texts. */
  readonly count: number;
  readonly kind: TaskKind;
  /** Number of labels, those that are offered; 0 for `number`. */
  readonly labels: number;
  /** [count] 1 where a text is one of the random checks (`isCheck` in core/labels/checks). Never learned from while the head is measured on them. */
  readonly checks: Uint8Array;
  /** [count] index of the label whose keyword the text holds, or -1. */
  readonly keywords: Int32Array;
  /** [count] hash of each text, for shuffles that come out the same every time. */
  readonly hashes: Uint32Array;
  readonly seed: number;
}

export interface FeatureBatch {
  /** [n] */
  readonly positions: Int32Array;
  /** [n, width] */
  readonly features: Float32Array;
  readonly width: number;
  /** The base model's scores for the task's labels [n, labels]; absent if it has others. */
  readonly scores?: Float32Array;
  /** How the base model decides from its scores; absent with them, and where it decides as its kind does without thresholds. The same in every batch of a model. */
  readonly rule?: DecisionRule;
  /** [n] The texts themselves, whose n-grams the head reads; nothing else of them is kept. Those of texts that were sent before are ignored. */
  readonly texts?: readonly string[];
}

export interface LearnedDecision {
  readonly position: number;
  /** Indices of the labels (one for `single`), a number, or null: undecided again, or not to be learned from (skipped, flagged). */
  readonly value: readonly number[] | number | null;
  /** Whether it still waits in the queue: not labelled, skipped or flagged. */
  readonly open: boolean;
}

export interface Ranking {
  /** Number of the ranking, counting up. */
  readonly revision: number;
  /** Positions of the texts that wait, first come first. At most the first 1,000; the others keep waiting. */
  readonly order: Int32Array;
  /** Why, for each of `order`. */
  readonly reasons: readonly QueueReason[];
  /** The head's scores of `order` [n, labels]; empty if there is no head. */
  readonly scores: Float32Array;
  /** What decides from `scores`, and from those of the other texts. */
  readonly rule: DecisionRule;
  /** How many wait in all. */
  readonly open: number;
  /** Whether the head has enough decisions (5 of each label) for its word to count, and does clearly better than chance on those that it did not see. */
  readonly trusted: boolean;
  /** How the head does on the random checks that were decided, learned without them; absent with fewer than 10. For `number`: `accuracy` is R². */
  readonly check?: { readonly rows: number; readonly accuracy: number; readonly low: number; readonly high: number };
  /** Milliseconds that head and ranking took. */
  readonly milliseconds: number;
}

export interface CrossValidation {
  /** [n] positions of the decided texts. */
  readonly positions: Int32Array;
  /** [n, labels] out-of-fold scores; for `number` [n]. */
  readonly scores: Float32Array;
  /** Accuracy (R² for `number`) by number of decisions learned from, each the mean over folds with its standard error. */
  readonly curve: readonly { readonly decisions: number; readonly accuracy: number; readonly error: number }[];
}
