import { RecordReader } from '../core/csv/reader';
import { readLabeled, type LabeledColumns, type LabeledText } from '../app/labeledRows';
import type { CliContext } from './context';
import type { ProgressLine } from './terminal';

/**
 * Reads all rows of a file that have a label. How many have none is said on stderr; what is wrong with a row is said there too, the first few times.
 *
 * @throws HumanError when a column is missing or no row has a label
 */
export async function readLabeledFile(context: CliContext, file: string, columns: LabeledColumns, progress: ProgressLine): Promise<readonly LabeledText[]> {
  const input = await context.openInput(file);
  const defects = new DefectNotes(context);
  try {
    const { rows, unlabeled } = await readLabeled({
      ...columns,
      chunks: input.chunks,
      reader: new RecordReader(file),
      signal: context.signal,
      onProgress: (count) => progress.update(input.fraction(), `reading ${file}: ${count} rows`),
      onDefect: (defect) => defects.note(defect.message),
    });
    progress.clear();
    defects.finish();
    if (unlabeled > 0) context.terminal.stderr(`${file}: ${unlabeled} rows have no ${columns.labelColumn} and were left out.\n`);
    return rows;
  } finally {
    progress.clear();
  }
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
