import type { DecisionOrigin, DecisionStatus, DecisionValue } from '../core/labels/decision';

/** User facing commands: contributed in package.json, in the palette where they apply. */
export const commandIds = {
  classifySelection: 'labelLens.classifySelection',
  clearResults: 'labelLens.clearResults',
  classifyFile: 'labelLens.classifyFile',
  trainModel: 'labelLens.trainModel',
  toggleAnnotations: 'labelLens.toggleAnnotations',
  chooseTextColumns: 'labelLens.chooseTextColumns',
  selectModel: 'labelLens.selectModel',
  acceptGuess: 'labelLens.acceptGuess',
  /** Argument: {@link TextArgument}, or {@link LabelKeyArgument} from a key binding, or none for what is selected. */
  labelAs: 'labelLens.labelAs',
  labelSelection: 'labelLens.labelSelection',
  clearLabel: 'labelLens.clearLabel',
  skipText: 'labelLens.skipText',
  flagText: 'labelLens.flagText',
  undoDecision: 'labelLens.undoDecision',
  redoDecision: 'labelLens.redoDecision',
  createTask: 'labelLens.createTask',
  openTask: 'labelLens.openTask',
  openLabelingPanel: 'labelLens.openLabelingPanel',
  openTrainingPanel: 'labelLens.openTrainingPanel',
  fineTune: 'labelLens.fineTune',
  editLabels: 'labelLens.editLabels',
  exportLabeledCsv: 'labelLens.exportLabeledCsv',
  importLabels: 'labelLens.importLabels',
  exportModel: 'labelLens.exportModel',
  exportReport: 'labelLens.exportReport',
  selectAnnotator: 'labelLens.selectAnnotator',
  showLog: 'labelLens.showLog',
} as const;

/** Commands behind a CodeLens or the status bar: registered, but not contributed. */
export const internalCommandIds = {
  /** Argument: {@link TextArgument}. */
  showPrediction: 'labelLens.internal.showPrediction',
  /** Argument: {@link DecideArgument}. */
  decide: 'labelLens.internal.decide',
  showMenu: 'labelLens.internal.showMenu',
  stopTraining: 'labelLens.internal.stopTraining',
  /** Behind the walkthrough and the empty view. */
  openSample: 'labelLens.internal.openSample',
} as const;

/** Texts of a document: those that a CodeLens, a hover or a Quick Fix is about. */
export interface TextArgument {
  /** The document, as a string. */
  readonly uri: string;
  /** UTF-16 offsets in the document when the argument was made: a segment or record, or a range that touches several. */
  readonly start: number;
  readonly end: number;
  /** `exampleId` of the only text: if another text stands there by now, nothing is decided. */
  readonly example?: string;
  /** The text of the range is meant as it is, not the segments or records that it touches. */
  readonly exact?: true;
}

/** What to decide about them. */
export interface DecideArgument extends TextArgument {
  readonly status: DecisionStatus;
  readonly value?: DecisionValue;
  readonly origin: Extract<DecisionOrigin, 'accept' | 'editor'>;
}

/** Labels what is selected with the label that has this key. */
export interface LabelKeyArgument {
  readonly key: string;
}

/** Context keys for `when` clauses. */
export const contextKeys = {
  /** A result of Classify Selection stands in the active editor. */
  hasResults: 'labelLens.hasResults',
  /** A task is being labelled, and the active editor shows a document with segments or records. */
  canLabel: 'labelLens.canLabel',
  /** A task is open for labelling. */
  hasTask: 'labelLens.hasTask',
} as const;
