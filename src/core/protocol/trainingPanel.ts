import type { TaskKind } from '../model/onnxWriter';
import type { ReportSection } from '../report/document';
import type { Hyperparameters, TrainProgress } from './trainer';

/**
 * Training panel's page → its host in the extension: a person prepares data, chooses a model and its hyperparameters, trains, reads the report and compares, without the command line.
 *
 * The state is the host's: a training or comparison goes on while the page is hidden or closed, and the page that comes next gets all of it from `start`. Changes come through the progress messages of
 * `events`, a request that stays open. The page says `panelHello` first, as the labelling panel's does.
 *
 * Files are known to the page by ids that the host gave, never by paths of its own. Nothing that the page sends is trusted: the host checks it (`trainingPanelChecks.ts`).
 */
export type TrainingPanelMethods = {
  /** The page's first request. */
  start: { params: Record<string, never>; result: TrainingPanelStart };
  events: { params: Record<string, never>; result: null; progress: TrainingPanelEvent };
  /** Keeps the form for the next page. */
  remember: { params: { readonly form: TrainingForm }; result: null };
  /** Takes the table of the editor in front, or asks for one. Null: the person changed their mind. */
  chooseTable: { params: { readonly from: 'editor' | 'dialog' }; result: { readonly table: PanelTable | null } };
  /** A table whose id the page has, read anew. */
  table: { params: { readonly file: string }; result: { readonly table: PanelTable } };
  /** Asks for a table of rows to check with. Null, as for the next: the person changed their mind. */
  chooseHeldOut: { params: Record<string, never>; result: { readonly table: PanelTable | null } };
  /** Asks for a file of word vectors. */
  chooseVectors: { params: Record<string, never>; result: { readonly vectors: PanelFile | null } };
  /** Word vectors whose id the page has. */
  vectors: { params: { readonly file: string }; result: { readonly vectors: PanelFile } };
  /** Reads the whole file. */
  preview: { params: { readonly data: DataChoice }; result: DataPreview };
  /** Writes training, validation and test rows beside the file. */
  prepare: { params: { readonly prepare: PrepareChoice }; result: Prepared };
  /** Answers when the training has its place; how it goes is told as an event. */
  train: { params: { readonly training: TrainingChoice }; result: null };
  cancelTraining: { params: Record<string, never>; result: null };
  /** The model is trained but could not be stored: whether to try again. */
  storeAgain: { params: { readonly again: boolean }; result: null };
  /** Makes the trained model the one in use. */
  useModel: { params: Record<string, never>; result: null };
  /** Writes the report as HTML and as Markdown beside the model. */
  saveReport: { params: Record<string, never>; result: { readonly files: readonly SavedReport[] } };
  openReport: { params: { readonly format: SavedReport['format'] }; result: null };
  models: { params: Record<string, never>; result: { readonly models: readonly PanelModel[] } };
  compare: { params: { readonly comparison: ComparisonChoice }; result: null };
  cancelComparison: { params: Record<string, never>; result: null };
  /** Goes to a row that a report names. */
  reveal: { params: { readonly file: string; readonly row: number }; result: null };
};

export const trainingTabs = ['data', 'model', 'train', 'compare'] as const;
export type TrainingTab = (typeof trainingTabs)[number];

export interface TrainingPanelStart {
  /** As an earlier page left it. */
  readonly form: TrainingForm | null;
  /** The panel was opened on this table. */
  readonly table: PanelTable | null;
  readonly training: PanelTraining | null;
  readonly report: readonly ReportSection[];
  readonly comparison: PanelComparison | null;
  /** Every text of the page in the person's language, by its English; see `trainingPanelStrings.ts`. */
  readonly strings: Readonly<Record<string, string>>;
  /** Such as `en` or `zh-cn`. */
  readonly language: string;
}

/** A file as the page knows it. */
export interface PanelFile {
  readonly id: string;
  /** As a person knows it. */
  readonly name: string;
}

/** A table as the page knows it. */
export interface PanelTable extends PanelFile {
  readonly columns: readonly PanelColumn[];
  /** What the columns most likely hold. */
  readonly guess: { readonly label?: string; readonly text: readonly string[] };
}

export interface PanelColumn {
  readonly name: string;
  /** Some of its values, cut short. */
  readonly samples: readonly string[];
}

/** Which rows, and what is learned from them. */
export interface DataChoice {
  /** Id of the table. */
  readonly file: string;
  readonly kind: TaskKind;
  /** Kind `number`: the column of the numbers. */
  readonly labelColumn: string;
  /** In the order in which their values are joined; at least one. */
  readonly textColumns: readonly string[];
  /** Kind `single`: a column of numbers to be learned beside the label, by a joint model. */
  readonly valueColumn?: string;
}

export interface DataPreview {
  /** Rows that have a text and a label. */
  readonly rows: number;
  /** Rows without a text, and without a label. */
  readonly withoutText: number;
  readonly withoutLabel: number;
  /** Rows whose text has come before. */
  readonly repeats: number;
  /** Kinds with labels: how often each comes, the most frequent first; of many only the first {@link mostPreviewLabels}. */
  readonly labels: readonly { readonly label: string; readonly rows: number }[];
  /** How many different labels there are. */
  readonly labelCount: number;
  /** Kind `number`, and the numbers beside the labels. */
  readonly values?: { readonly minimum: number; readonly maximum: number; readonly mean: number; readonly notNumbers: number };
}

export const mostPreviewLabels = 40;

/** What is done to the rows before they are written. Those without a text or a label are left out. */
export interface PrepareChoice {
  readonly data: DataChoice;
  /** Label values that are read as another; one that is read as an empty one is taken out with its rows. */
  readonly labelValues: readonly { readonly from: string; readonly to: string }[];
  /** Whether all rows of a text are left out that comes with different labels. */
  readonly dropContradictory: boolean;
  /** Words that are kept of a text. */
  readonly words?: number;
  readonly dropRepeats: boolean;
  /** Shares of the rows, each in 0..1, together 1. */
  readonly shares: { readonly train: number; readonly valid: number; readonly test: number };
  readonly seed: number;
}

export interface Prepared {
  /** Absent: no rows were to go there. The id is a table's. */
  readonly files: readonly { readonly part: 'train' | 'valid' | 'test'; readonly id: string; readonly name: string; readonly rows: number }[];
  /** Rows that were left out. */
  readonly dropped: number;
}

export interface TrainingChoice {
  readonly data: DataChoice;
  /** Share of the rows in 0..1 (exclusive) that is held out, or id of another table with the same columns, whose rows are checked with. */
  readonly heldOut: { readonly share: number } | { readonly file: string };
  readonly preset: string;
  /** Name of the model to start from. */
  readonly base?: string;
  /** Id of a file of word vectors to start from. Not with a base, which brings its own. */
  readonly vectors?: string;
  /** Decision threshold in 0..1 (exclusive), of the second of two labels, or of each for kind `multi`. Absent: 0.5. */
  readonly threshold?: number;
  /** What a person has set; the rest is the preset's, or what suits the base. */
  readonly hyperparameters: Partial<Hyperparameters>;
}

/** The form as it stands, finished or not. */
export interface TrainingForm {
  readonly tab: TrainingTab;
  readonly file?: string;
  readonly kind: TaskKind;
  readonly labelColumn?: string;
  readonly textColumns: readonly string[];
  readonly valueColumn?: string;
  /** As typed, per cent. */
  readonly heldOut: string;
  /** Whether rows of another file are checked with, in place of the share. */
  readonly heldOutIsFile?: boolean;
  /** Id of that file's table, also while the share counts. */
  readonly heldOutFile?: string;
  readonly preset: string;
  readonly base?: string;
  /** Id of a file of word vectors, also while a base counts. */
  readonly vectors?: string;
  /** As typed; absent: 0.5. */
  readonly threshold?: string;
  /** What was typed, by the hyperparameter's name. */
  readonly typed: Readonly<Record<string, string>>;
  /** Names of the models to compare. */
  readonly compared: readonly string[];
}

export interface PanelTraining {
  readonly status:
    /** Another training has to end first. */
    | 'waiting'
    | 'reading'
    | 'running'
    /** Trained, but the model could not be stored: `error` says why, and somebody has to say what becomes of it. */
    | 'notStored'
    | 'done'
    /** Cancelled; `canContinue` says whether the same choices go on where it was. */
    | 'stopped'
    | 'failed';
  /** Name of the task, and so of the model. */
  readonly task: string;
  readonly file: string;
  /** What is waited for. */
  readonly waitsFor?: string;
  /** Labelled rows that were read. */
  readonly rows?: number;
  /** Another file that is being read: of the held-out rows with how many there are so far, or of word vectors with the share of it, 0..1, if that is known. */
  readonly reading?: { readonly file: string; readonly rows?: number; readonly fraction?: number };
  readonly progress?: Omit<TrainProgress, 'finished'>;
  /** Of the planned epochs, 0..1; it never falls. */
  readonly fraction: number;
  /** Epochs of an earlier training with the same choices that it goes on after. */
  readonly continuedAfter?: number;
  readonly canContinue?: boolean;
  /** What went wrong and what to do about it, in the person's language. */
  readonly error?: string;
  /** What else is worth knowing, in the person's language. */
  readonly notes: readonly string[];
  readonly model?: TrainedPanelModel;
}

export interface TrainedPanelModel {
  readonly name: string;
  /** Absolute path. */
  readonly folder: string;
  /** How good it is, in the person's language. */
  readonly summary: string;
  readonly inUse: boolean;
  readonly saved: readonly SavedReport[];
}

export interface SavedReport {
  readonly format: 'html' | 'markdown';
  readonly name: string;
}

export interface PanelModel {
  readonly name: string;
  readonly origin: 'shipped' | 'workspace' | 'own' | 'folder';
  readonly kind: TaskKind;
  readonly labels: readonly string[];
  readonly preset: string;
  readonly inUse: boolean;
}

export interface ComparisonChoice {
  readonly data: DataChoice;
  /** Names of two models or more, each once. */
  readonly models: readonly string[];
}

export interface PanelComparison {
  readonly status: 'running' | 'done' | 'stopped' | 'failed';
  readonly models: readonly string[];
  readonly file: string;
  /** 0..1, if that is known. */
  readonly fraction?: number;
  readonly error?: string;
  readonly sections: readonly ReportSection[];
}

export type TrainingPanelEvent =
  | { readonly kind: 'training'; readonly training: PanelTraining }
  /** All sections of the report as it stands; a section keeps its id. */
  | { readonly kind: 'report'; readonly sections: readonly ReportSection[] }
  | { readonly kind: 'comparison'; readonly comparison: PanelComparison }
  /** The panel was opened anew, on this table. */
  | { readonly kind: 'table'; readonly table: PanelTable };
