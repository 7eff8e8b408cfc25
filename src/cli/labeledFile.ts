import { RecordReader } from '../core/csv/reader';
import { readLabeled, type LabeledColumns, type LabeledText } from '../app/labeledRows';
import type { TaskKind } from '../core/model/onnxWriter';
import type { CliContext } from './context';
import type { ProgressLine } from './terminal';

/**
 * Reads all rows of a file that have a label. How many have none is said on stderr; what is wrong with a row is said there too, the first few times.
 *
 * @throws HumanError when a column is missing or no row has a label, or a number is none
 */
export async function readLabeledFile(context: CliContext, file: string, columns: LabeledColumns & { readonly kind?: TaskKind }, progress: ProgressLine): Promise<readonly LabeledText[]> {
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
    const { labelColumn, valueColumn, kind } = columns;
    if (unlabeled > 0) context.terminal.stderr(`${file}: ${unlabeled} rows have no ${[...(kind === 'multi' ? [] : [labelColumn]), ...(valueColumn === undefined ? [] : [valueColumn])].join(' or no ')} and were left out.\n`);
    const none = kind === 'multi' ? rows.filter(({ labels }) => labels?.length === 0).length : 0;
    if (none > 0) context.terminal.stderr(`${file}: ${none} rows have an empty ${labelColumn}, which means that no label is right.\n`);
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
