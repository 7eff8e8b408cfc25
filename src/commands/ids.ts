/** User facing commands: contributed in package.json, in the palette where they apply. */
export const commandIds = {
  classifySelection: 'labelLens.classifySelection',
  clearResults: 'labelLens.clearResults',
  classifyFile: 'labelLens.classifyFile',
  trainModel: 'labelLens.trainModel',
  toggleAnnotations: 'labelLens.toggleAnnotations',
  chooseTextColumns: 'labelLens.chooseTextColumns',
  selectModel: 'labelLens.selectModel',
  showLog: 'labelLens.showLog',
} as const;

/** Commands behind a CodeLens or the status bar: registered, but not contributed. */
export const internalCommandIds = {
  /** Argument: {@link ShowPredictionArgument}. */
  showPrediction: 'labelLens.internal.showPrediction',
  showMenu: 'labelLens.internal.showMenu',
  stopTraining: 'labelLens.internal.stopTraining',
} as const;

/** What a CodeLens hands to `showPrediction`. */
export interface ShowPredictionArgument {
  /** The document, as a string. */
  readonly uri: string;
  /** UTF-16 offsets of the segment in the document when the lens was made. */
  readonly start: number;
  readonly end: number;
}

/** Context keys for `when` clauses. */
export const contextKeys = {
  /** A result of Classify Selection stands in the active editor. */
  hasResults: 'labelLens.hasResults',
} as const;
