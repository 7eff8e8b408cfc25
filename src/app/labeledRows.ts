import { columnIndices, recordText } from '../core/csv/columns';
import type { Defect } from '../core/csv/defects';
import { recordBatches, type RecordReader } from '../core/csv/reader';
import { CancelledError, HumanError } from '../core/errors';
import type { AbortSignalLike } from '../core/protocol/rpc';

/** A row of a labelled file. */
export interface LabeledText {
  /** 1-based number among the file's rows. */
  readonly row: number;
  readonly text: string;
  /** Without the blanks around it. */
  readonly label: string;
}

/** Which columns of a file hold what, by their names. */
export interface LabeledColumns {
  /** Their values are joined in this order with a blank line. */
  readonly textColumns: readonly string[];
  readonly labelColumn: string;
}

export interface LabeledRequest extends LabeledColumns {
  /** The file's bytes, unpacked. */
  readonly chunks: AsyncIterable<Uint8Array>;
  /** A new one, which says how the file is laid out. */
  readonly reader: RecordReader;
  readonly signal?: AbortSignalLike;
  /** Called after each piece of the file with the number of rows so far. */
  readonly onProgress?: (rows: number) => void;
  /** Called for everything in the file that is not as it should be, in order. */
  readonly onDefect?: (defect: Defect) => void;
}

export interface LabeledRows {
  readonly rows: readonly LabeledText[];
  /** Rows that were left out because they have no label. */
  readonly unlabeled: number;
}

/**
 * Reads all rows of a file that have a label.
 *
 * @throws HumanError when the file cannot be read, a column is missing or no row has a label; CancelledError when `signal` is raised
 */
export async function readLabeled({ chunks, reader, textColumns, labelColumn, signal, onProgress, onDefect }: LabeledRequest): Promise<LabeledRows> {
  const rows: LabeledText[] = [];
  let columns: { readonly texts: readonly number[]; readonly label: number } | undefined;
  let unlabeled = 0;
  for await (const records of recordBatches(reader, chunks)) {
    if (signal?.aborted) throw new CancelledError();
    for (const record of records) {
      if (record.kind === 'gap') continue;
      for (const defect of record.defects) onDefect?.(defect);
      if (record.kind === 'header') continue;
      columns ??= { texts: columnIndices(reader, textColumns), label: columnIndices(reader, [labelColumn])[0]! };
      const label = record.value(columns.label)?.trim() ?? '';
      if (label === '') unlabeled++;
      else rows.push({ row: record.row, text: recordText(record, columns.texts), label });
    }
    onProgress?.(rows.length);
  }
  if (rows.length === 0) {
    // a wrong column is the likelier reason in a file without rows, too
    columnIndices(reader, [...textColumns, labelColumn]);
    throw new HumanError('rows.none', '{0}: no row has a value in the column {1}. Choose the column that holds the labels.', [reader.fileName, labelColumn]);
  }
  return { rows, unlabeled };
}
