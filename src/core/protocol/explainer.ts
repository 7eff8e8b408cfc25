import type { BundleFiles } from './predictor';

/** Host ↔ explainer worker: what a model's word on a text owes to each of its words, by the gradient to its input. */
export type ExplainerMethods = {
  /** Reads the bundle known under `key` into the worker. `where` names it in messages for people. */
  load: { params: { readonly key: string; readonly where: string; readonly bundle: BundleFiles }; result: null };
  /** Frees the bundle of that key. */
  unload: { params: { readonly key: string }; result: null };
  explain: { params: { readonly key: string; readonly text: string; readonly target: ExplainTarget }; result: WordShares };
};

/** What is explained. */
export type ExplainTarget =
  /** The log-odds of a label, against all others for a `single` model; for `number` the value. */
  | { readonly kind: 'score'; readonly column: number }
  /**
   * What is read off the model: Σ `scores`ₖ·sₖ + Σ `features`ⱼ·fⱼ, where sₖ is the log-probability of a label for a `single` model, its log-odds for `multi`, the value for `number`, and fⱼ is a feature.
   * Either array may be empty: nothing of it.
   */
  | { readonly kind: 'sum'; readonly scores: Float32Array; readonly features: Float32Array };

/** What the words of a text add to the target: word by word what is lost without it. Of the LSTM's part to the first order, along the way from unknown to the word; of the n-grams' exactly. */
export interface WordShares {
  /** As the model gives them; empty for a text without tokens. */
  readonly scores: Float32Array;
  /** [words] UTF-16 offsets, in the order of the text. Words in the middle of a text that is longer than the model reads are not among them. */
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  /** [words] in units of the target. */
  readonly shares: Float32Array;
}
