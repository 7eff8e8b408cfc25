/** Host ↔ predictor worker. The worker tokenizes and runs the model; texts go in, scores come out. */
export type PredictorMethods = {
  /** Loads (or replaces) the bundle known under `key`. `where` names it in messages for people. */
  load: {
    params: { readonly key: string; readonly where: string; readonly bundle: BundleFiles };
    result: { readonly labels: readonly string[] };
  };
  /** Frees the bundle of that key. */
  unload: { params: { readonly key: string }; result: null };
  /**
   * Each text gets its scores in exactly one of the progress messages, batch by batch as they are computed (shortest texts first), and all
   * have got theirs when the result comes. An interactive request overtakes the background ones between two batches, and cancellation is
   * looked at there too.
   */
  predict: {
    params: { readonly key: string; readonly texts: readonly string[]; readonly priority: PredictPriority; readonly features: boolean };
    result: null;
    progress: PredictedBatch;
  };
};

/** Whether somebody waits for it on the screen. */
export type PredictPriority = 'interactive' | 'background';

/** Scores of some of a request's texts. */
export interface PredictedBatch extends PredictedScores {
  /** Index into the request's `texts` of each row of the other arrays. */
  readonly positions: Int32Array;
}

/** The three files of a bundle, as bytes. */
export interface BundleFiles {
  /** model.json */
  readonly manifest: Uint8Array;
  /** tokenizer.json */
  readonly tokenizer: Uint8Array;
  /** model.onnx */
  readonly model: Uint8Array;
}

export interface PredictedScores {
  /** Number of labels, the width of `scores`. */
  readonly width: number;
  /** Probabilities [texts, width], row-major. */
  readonly scores: Float32Array;
  /** Tokens of each text that the model read, after truncation. */
  readonly tokens: Int32Array;
  /** Numbers [texts] beside the labels, in their own unit: of a joint model. */
  readonly values?: Float32Array;
  /** Features [texts, dim], row-major; absent unless asked for. */
  readonly features?: Float32Array;
}
