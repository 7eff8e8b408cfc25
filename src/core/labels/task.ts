import type { TaskKind } from '../model/onnxWriter';

/** Version of task.json that this code writes, and the newest that it reads. */
export const taskFormatVersion = 1;

/** One answer of a task. */
export interface Label {
  /** What the journal, models and exports say; never changes, whatever becomes of the label. */
  readonly id: string;
  readonly name: string;
  /** Index of its colour and shape, 0..7. */
  readonly color: number;
  /** The key that decides for it: one of `1`…`9`, `0` or a lower-case letter that has no other use; absent for labels beyond those, which are found by search. */
  readonly key?: string;
  readonly description?: string;
  /** Not offered any more. What was decided for it stays. */
  readonly archived?: boolean;
  /** Id of the label that it was merged into: decisions for this one count as decisions for that one. */
  readonly mergedInto?: string;
}

/** Where the texts of a task come from: the rows of a table (or the lines of a .txt or .log), or the text files of a folder. Paths are relative to the workspace folder, with `/`. */
export type TaskSource =
  | {
      readonly kind: 'table';
      readonly file: string;
      /** Names of the columns whose values make the text, joined with a blank line. */
      readonly textColumns: readonly string[];
    }
  | {
      readonly kind: 'folder';
      readonly folder: string;
      /** What is one text: a whole file, or each paragraph of it. */
      readonly unit: 'document' | 'paragraph';
    };

/** task.json: a question put to texts. */
export interface TaskDefinition {
  readonly formatVersion: number;
  /** Name of the task and of its folder under `.label-lens/`. */
  readonly name: string;
  readonly kind: TaskKind;
  /** In the order in which they are shown. None for `number`. */
  readonly labels: readonly Label[];
  readonly sources: readonly TaskSource[];
  /** For `number`: the range that values are expected in. */
  readonly range?: { readonly minimum: number; readonly maximum: number };
  /** Words that tell a rare label, by the label's id: texts with them are offered early. */
  readonly keywords?: Readonly<Record<string, readonly string[]>>;
}
