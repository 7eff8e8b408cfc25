/** What an annotator answered: a label's id (`single`), ids (`multi`, perhaps none), or a number (`number`). */
export type DecisionValue = string | readonly string[] | number;

export type DecisionStatus = 'labeled' | 'skipped' | 'flagged' | 'cleared';

/** How a decision came about. */
export type DecisionOrigin = 'key' | 'accept' | 'bulk' | 'import' | 'editor';

/** Where a text was when it was decided on: a row of a table (1-based), or UTF-16 offsets in a text file. Paths are relative to the workspace folder, with `/`. */
export interface DecisionSource {
  readonly file: string;
  readonly row?: number;
  readonly start?: number;
  readonly end?: number;
}

/** What the model held to be right at the time. */
export interface DecisionPrediction {
  readonly label: DecisionValue;
  /** Probability in 0..1 of that label. */
  readonly score: number;
  /** Version of the model, such as `v3`. */
  readonly model: string;
}

/** One line of the journal. */
export interface Decision {
  /** ISO 8601 in UTC, with milliseconds. */
  readonly at: string;
  /** `exampleId` of the text. */
  readonly example: string;
  readonly source?: DecisionSource;
  /** The first 80 characters of the text, for people who read the journal. */
  readonly text: string;
  readonly status: DecisionStatus;
  /** Present if `labeled`; a flag may carry the label there was. */
  readonly label?: DecisionValue;
  readonly annotator: string;
  readonly origin: DecisionOrigin;
  readonly prediction?: DecisionPrediction;
  /**
   * Groups lines that are undone together (a bulk decision), and says what an undo or redo takes back: `undo` and `redo` name the group that they undo or redo.
   * A line without any of them is a group of its own, known by `at`.
   */
  readonly group?: string;
  readonly undo?: string;
  readonly redo?: string;
}
