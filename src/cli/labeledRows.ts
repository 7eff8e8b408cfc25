import { columnIndices, recordText } from '../core/csv/columns';
import { RecordReader, recordBatches } from '../core/csv/reader';
import { CancelledError, HumanError } from '../core/errors';
import type { CliContext } from './context';
import type { ProgressLine } from './terminal';

/** A row of a labelled file. */
export interface LabeledText {
  /** 1-based number among the file's rows. */
  readonly row: number;
  readonly text: string;
  /** Without the blanks around it. */
  readonly label: string;
}

/**
 * Reads all rows of a file that have a label. Rows without one are left out, and how many is said on stderr; what is wrong with a row is said there too, the first few
 * times.
 *
 * @throws HumanError when a column is missing or no row has a label
 */
export async function readLabeled(
  context: CliContext,
  file: string,
  textColumns: readonly string[],
  labelColumn: string,
  progress: ProgressLine,
): Promise<LabeledText[]> {
  const input = await context.openInput(file);
  const reader = new RecordReader(file);
  const rows: LabeledText[] = [];
  const defects = new DefectNotes(context);
  let columns: { readonly texts: readonly number[]; readonly label: number } | undefined;
  let unlabeled = 0;
  for await (const records of recordBatches(reader, input.chunks)) {
    if (context.signal.aborted) throw new CancelledError();
    for (const record of records) {
      if (record.kind === 'gap') continue;
      for (const defect of record.defects) defects.note(defect.message);
      if (record.kind === 'header') continue;
      columns ??= { texts: columnIndices(reader, textColumns), label: columnIndices(reader, [labelColumn])[0]! };
      const label = record.value(columns.label)?.trim() ?? '';
      if (label === '') unlabeled++;
      else rows.push({ row: record.row, text: recordText(record, columns.texts), label });
    }
    progress.update(input.fraction(), `reading ${file}: ${rows.length} rows`);
  }
  progress.clear();
  defects.finish();
  if (unlabeled > 0) context.terminal.stderr(`${file}: ${unlabeled} rows have no ${labelColumn} and were left out.\n`);
  if (rows.length === 0) {
    // a wrong column is the likelier reason in a file without rows, too
    columnIndices(reader, [...textColumns, labelColumn]);
    throw new HumanError('rows.none', '{0}: no row has a value in the column {1}. Choose the column that holds the labels.', [file, labelColumn]);
  }
  return rows;
}

/** Says the first few defects of a file and counts the others. */
export class DefectNotes {
  private count = 0;

  constructor(private readonly context: Pick<CliContext, 'terminal'>) {}

  note(message: string): void {
    if (++this.count <= 5) this.context.terminal.stderr(`${message}\n`);
  }

  finish(): void {
    if (this.count > 5) this.context.terminal.stderr(`… and ${this.count - 5} more notes of this kind.\n`);
  }
}
