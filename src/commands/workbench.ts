import type * as vscode from 'vscode';
import type { LabelingTasks } from '../app/labeling/labeling';
import type { RecordSink } from '../app/recordSink';
import type { OpenedModel } from '../app/modelStore';
import type { Session } from '../app/session';
import type { SegmentLenses } from '../editor/codeLenses';
import type { Passages } from '../editor/passages';
import type { ErrorReporter } from '../editor/report';
import type { RowAnnotations } from '../editor/rowAnnotations';
import type { SelectionResults } from '../editor/selectionResults';
import type { Settings } from '../editor/settings';
import type { TaskAnnotations } from '../editor/taskAnnotations';

/** Files of any size, as streams; the platform's. Paths are absolute. */
export interface Files {
  /** Unpacks gzip. `fraction` is the share read so far, 0..1, if that can be known. */
  openInput(path: string): Promise<{ readonly chunks: AsyncIterable<Uint8Array>; fraction(): number | undefined }>;
  /** A file that appears under its name when it is whole. */
  openOutput(path: string): Promise<RecordSink>;
}

/** The labelling panel, as commands see it. */
export interface LabelingPanel {
  /** Opens it or brings it to the front, with the keyboard in it. */
  open(): void;
  /** The same, where the labels are edited. */
  openLabels(): void;
  readonly isVisible: boolean;
}

/** The training panel, as commands see it. */
export interface TrainingPanel {
  /** Opens it or brings it to the front, with the keyboard in it. @param file URI of a table to show there */
  open(file?: string): Promise<void>;
}

/** What the commands work with; the door puts it together. */
export interface Workbench {
  readonly session: Session;
  readonly settings: Settings;
  readonly errors: ErrorReporter;
  readonly log: vscode.LogOutputChannel;
  /** What was decided and guessed about texts of documents, and by that the task that is open. */
  readonly annotations: TaskAnnotations;
  readonly passages: Passages;
  readonly lenses: SegmentLenses;
  readonly rows: RowAnnotations;
  readonly selections: SelectionResults;
  readonly tasks: LabelingTasks;
  readonly panel: LabelingPanel;
  readonly trainingPanel: TrainingPanel;
  /** Writes a model and what goes with it into a folder that is not there yet. @returns names of the files */
  readonly writeModel: (model: OpenedModel, folder: string) => Promise<readonly string[]>;
  /** Remembers a folder outside of the workspace that holds a task, so that the task is found again. */
  readonly rememberFolder: (folder: string) => Promise<void>;
  /** Whose decisions are taken in a folder: as set, else as git or the system calls the person. */
  readonly annotator: (folder: string) => Promise<string>;
  readonly files: Files;
  /** Absolute path of the folder for models that are trained where no folder is open, and for the sample. */
  readonly ownFolder: string;
  /** Where the extension is installed. */
  readonly extensionUri: vscode.Uri;
}
