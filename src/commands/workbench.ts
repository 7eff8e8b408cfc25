import type * as vscode from 'vscode';
import type { RecordSink } from '../app/recordSink';
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
  readonly files: Files;
  /** Absolute path of the folder for models that are trained where no folder is open. */
  readonly ownFolder: string;
}
