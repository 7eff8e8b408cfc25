import { columnIndices, recordText } from '../core/csv/columns';
import { recordBatches, type RecordReader } from '../core/csv/reader';
import { CancelledError } from '../core/errors';
import { parseLabelList } from '../core/labels/labelCells';
import type { AbortSignalLike } from '../core/protocol/rpc';
import { mostPreviewLabels, type DataChoice, type DataPreview } from '../core/protocol/trainingPanel';
import { normalizeText } from '../core/text/normalize';

export interface PreviewRequest extends Omit<DataChoice, 'file'> {
  /** The file's bytes, unpacked. */
  readonly chunks: AsyncIterable<Uint8Array>;
  /** A new one, which says how the file is laid out. */
  readonly reader: RecordReader;
  readonly signal?: AbortSignalLike;
  /** Resolves after what has come in was handled. */
  readonly pause: () => Promise<void>;
}

/**
 * Reads a whole file and tells what training on it would find: how often each label comes, or in what range the numbers are, and what is missing. Memory grows with the number of different texts.
 *
 * @throws HumanError when the file cannot be read or a column is missing; CancelledError when `signal` is raised
 */
export async function previewData({ chunks, reader, kind, labelColumn, textColumns, valueColumn, signal, pause }: PreviewRequest): Promise<DataPreview> {
  const counts = new Map<string, number>();
  const seen = new Set<string>();
  const numbers = new Numbers();
  let columns: { readonly texts: readonly number[]; readonly label: number; readonly value: number | undefined } | undefined;
  let rows = 0;
  let withoutText = 0;
  let withoutLabel = 0;
  let repeats = 0;
  const find = (): NonNullable<typeof columns> => ({
    texts: columnIndices(reader, textColumns),
    label: columnIndices(reader, [labelColumn])[0]!,
    value: kind === 'number' ? columnIndices(reader, [labelColumn])[0]! : valueColumn === undefined ? undefined : columnIndices(reader, [valueColumn])[0]!,
  });
  for await (const records of recordBatches(reader, chunks)) {
    if (signal?.aborted) throw new CancelledError();
    await pause();
    for (const record of records) {
      if (record.kind !== 'row') continue;
      columns ??= find();
      const text = recordText(record, columns.texts);
      const label = record.value(columns.label)?.trim() ?? '';
      const hasText = text.trim() !== '';
      // of several labels none may be right
      const hasLabel = label !== '' || kind === 'multi';
      if (!hasText) withoutText++;
      if (!hasLabel) withoutLabel++;
      if (!hasText || !hasLabel) continue;
      rows++;
      const key = normalizeText(text);
      if (seen.has(key)) repeats++;
      else seen.add(key);
      if (kind !== 'number') for (const each of kind === 'multi' ? parseLabelList(label) : [label]) counts.set(each, (counts.get(each) ?? 0) + 1);
      if (columns.value !== undefined) numbers.add(record.value(columns.value) ?? '');
    }
  }
  // a file without rows: a wrong column is told all the same
  columns ??= find();
  const labels = [...counts].map(([label, count]) => ({ label, rows: count })).sort((a, b) => b.rows - a.rows || (a.label < b.label ? -1 : 1));
  const values = columns.value === undefined ? undefined : numbers.summary();
  return { rows, withoutText, withoutLabel, repeats, labels: labels.slice(0, mostPreviewLabels), labelCount: labels.length, ...(values ? { values } : {}) };
}

class Numbers {
  private minimum = Infinity;
  private maximum = -Infinity;
  private sum = 0;
  private count = 0;
  private notNumbers = 0;

  add(cell: string): void {
    const value = cell.trim() === '' ? NaN : Number(cell);
    if (!Number.isFinite(value)) {
      this.notNumbers++;
      return;
    }
    this.minimum = Math.min(this.minimum, value);
    this.maximum = Math.max(this.maximum, value);
    this.sum += value;
    this.count++;
  }

  /** 0 for all of a column without numbers: nothing that is not finite crosses to a page. */
  summary(): NonNullable<DataPreview['values']> {
    const { count, notNumbers } = this;
    return count === 0 ? { minimum: 0, maximum: 0, mean: 0, notNumbers } : { minimum: this.minimum, maximum: this.maximum, mean: this.sum / count, notNumbers };
  }
}
