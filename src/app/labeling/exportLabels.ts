import { appendColumns, formatRecord, freeColumnNames, type CellValue } from '../../core/csv/appendColumns';
import { columnIndices, recordText } from '../../core/csv/columns';
import type { Defect } from '../../core/csv/defects';
import { decodeBytes } from '../../core/csv/encoding';
import { readAll, recordBatches, RecordReader, sampleBytes } from '../../core/csv/reader';
import { formatOf, type TextRecord } from '../../core/csv/record';
import { CancelledError, HumanError } from '../../core/errors';
import type { DecisionSource } from '../../core/labels/decision';
import {
  exportCell, exportColumns, exportLine, exportMember, huggingFaceLine, rowStatus, rowStatuses, type ExportColumn, type ExportedRow, type ExportFormat, type RowStatus,
} from '../../core/labels/exportFormats';
import type { ExampleState, Guess } from '../../core/labels/view';
import type { AbortSignalLike } from '../../core/protocol/rpc';
import { exampleId } from '../../core/text/normalize';
import { joinBytes } from '../../core/util/bytes';
import { wholeOrNothing, type RecordSink } from '../recordSink';
import { Slices } from './slices';

/** What an export knows of a task; an open `LabelingTask` has it. */
export interface DecidedTexts {
  /** By `exampleId`; labels that were merged are those they were merged into. */
  stateOf(id: string): ExampleState | undefined;
  guessOf(id: string): Guess | undefined;
  /** Decision about a text that stood at this place but reads otherwise now. */
  staleAt?(source: DecisionSource, text: string): ExampleState | undefined;
}

/** A table, a JSONL or a plain text, or what a folder of texts holds. */
export type ExportSource =
  | {
      readonly kind: 'table';
      /** As decisions name it; its ending tells the format. */
      readonly file: string;
      readonly textColumns: readonly string[];
      /** Opens it, unpacked. */
      readonly open: () => Promise<{ readonly chunks: AsyncIterable<Uint8Array> }>;
    }
  | { readonly kind: 'folder'; readonly folder: string; readonly texts: () => AsyncIterable<{ readonly text: string; readonly source: DecisionSource }> };

export interface ExportChoices {
  readonly format: ExportFormat;
  /** What is added, whatever their order here in that of `exportColumns`, by which an import knows them. Nothing but text and label for `huggingface`. */
  readonly columns: readonly ExportColumn[];
  /** All rows, the labelled ones, or those whose example's id is in a set. `huggingface` has labelled ones only, in any case. */
  readonly rows: 'all' | 'labeled' | ReadonlySet<string>;
  /** Whether the added cells of tables are made harmless for spreadsheets. */
  readonly safeCells: boolean;
}

export interface ExportRequest extends ExportChoices {
  readonly sources: readonly ExportSource[];
  readonly texts: DecidedTexts;
  /** Resolves after what has come in was handled. */
  readonly pause: () => Promise<void>;
  readonly signal?: AbortSignalLike;
  /** Called after each piece with the rows that were read, of all sources. */
  readonly onProgress?: (rows: number) => void;
  /** Called for everything in the files that is not as it should be, in order. */
  readonly onDefect?: (defect: Defect) => void;
}

export interface ExportSummary {
  /** Rows of the sources. */
  readonly rows: number;
  /** Rows in the export. */
  readonly written: number;
  /** Rows in the export that have a label. */
  readonly labeled: number;
  /** All rows by what became of them. */
  readonly statuses: Readonly<Record<RowStatus, number>>;
  /** Rows that are not in the export, by what became of them. */
  readonly leftOut: Readonly<Record<RowStatus, number>>;
  readonly defects: number;
}

export interface ExportPreview extends ExportSummary {
  /** First lines of each source's export, without line breaks, at most {@link previewLines}; a long one is cut. */
  readonly heads: readonly (readonly string[])[];
}

/** Lines of an export that a preview shows, a header included. */
export const previewLines = 6;
/** UTF-16 units of a line that a preview shows. */
const previewWidth = 400;
/** Bytes that are written at once; fewer when others have to have their turn. */
const pieceBytes = 1_000_000;

/**
 * Writes the decisions of a task, one file a source. Nothing is to be seen of the files before all of them are whole, and nothing if anything goes wrong or it is cancelled.
 *
 * A `copy` has every byte of the rows as it was; columns are named as wished or, if the source has such a column, with `_2`. Reads and writes in constant memory.
 *
 * @param sinks one for each source
 * @throws CancelledError when `signal` is raised
 * @throws HumanError when a source cannot be read, has no such column, or a file cannot be written; `export.nothing` when no row would be written though there are rows
 */
export async function exportLabels(request: ExportRequest, sinks: readonly RecordSink[]): Promise<ExportSummary> {
  return await wholeOrNothing(sinks, request.signal, async (signal) => {
    const counts = new Counts();
    for (const [i, source] of request.sources.entries()) await new Export(request, source, sinks[i]!, counts, signal).run();
    if (counts.written === 0 && counts.rows > 0) {
      throw new HumanError('export.nothing', 'None of the {0} rows is in the export as it was chosen. Label some first, or choose all rows.', [counts.rows]);
    }
    return counts.summary();
  });
}

/** What {@link exportLabels} would write, without writing anything. An export without rows is no error here. */
export async function previewExport(request: ExportRequest): Promise<ExportPreview> {
  const counts = new Counts();
  const heads: string[][] = [];
  const stop = new AbortController();
  const abort = (): void => stop.abort();
  request.signal?.addEventListener('abort', abort);
  if (request.signal?.aborted) abort();
  try {
    for (const source of request.sources) {
      const head = new HeadSink();
      await new Export(request, source, head, counts, stop.signal).run();
      heads.push(head.lines(request.format === 'copy' && !(source.kind === 'table' && formatOf(source.file) === 'jsonl')));
    }
  } finally {
    request.signal?.removeEventListener('abort', abort);
  }
  return { ...counts.summary(), heads };
}

class Counts {
  rows = 0;
  written = 0;
  labeled = 0;
  defects = 0;
  private readonly statuses = zeros();
  private readonly leftOut = zeros();

  add(status: RowStatus, isWritten: boolean): void {
    this.rows++;
    this.statuses[status]++;
    if (isWritten) {
      this.written++;
      if (status === 'labeled') this.labeled++;
    } else this.leftOut[status]++;
  }

  summary(): ExportSummary {
    const { rows, written, labeled, statuses, leftOut, defects } = this;
    return { rows, written, labeled, statuses: { ...statuses }, leftOut: { ...leftOut }, defects };
  }
}

function zeros(): Record<RowStatus, number> {
  return Object.fromEntries(rowStatuses.map((status) => [status, 0])) as Record<RowStatus, number>;
}

/** One source on its way into one sink. */
class Export {
  private readonly columns: readonly ExportColumn[];
  private readonly slices: Slices;
  private pieces: Uint8Array[] = [];
  private pieceBytes = 0;

  constructor(
    private readonly request: ExportRequest,
    private readonly source: ExportSource,
    private readonly sink: Pick<RecordSink, 'write'>,
    private readonly counts: Counts,
    private readonly signal: AbortSignal,
  ) {
    this.slices = new Slices(request.pause);
    this.columns = exportColumns.filter((column) => request.columns.includes(column));
  }

  async run(): Promise<void> {
    this.checkOn();
    if (this.source.kind === 'folder') await this.folder(this.source);
    else await this.table(this.source);
    await this.flush();
  }

  private checkOn(): void {
    if (this.signal.aborted) throw new CancelledError();
  }

  private async table({ file, textColumns, open }: ExportSource & { kind: 'table' }): Promise<void> {
    const { format, onDefect } = this.request;
    const input = await open();
    const reader = new RecordReader(file);
    let columns: readonly number[] | undefined;
    let names: readonly string[] = [];
    for await (const records of recordBatches(reader, input.chunks)) {
      for (const record of records) {
        for (const defect of record.defects) {
          this.counts.defects++;
          onDefect?.(defect);
        }
        if (record.kind !== 'gap' && columns === undefined) {
          columns = columnIndices(reader, textColumns);
          names = freeColumnNames(reader, this.columns);
        }
        if (record.kind !== 'row' || columns === undefined) {
          if (format === 'copy' && (record.kind === 'header' || this.request.rows === 'all' || isSeparator(record))) this.add(appendColumns(record, names, []));
          else this.add(mark(record, format));
          continue;
        }
        const text = recordText(record, columns);
        const row = this.judge(text, { file, row: record.row });
        if (row === undefined) this.add(mark(record, format));
        else this.add(format === 'copy' ? this.copied(record, names, row) : this.line(row));
        await this.flushFull();
      }
      this.checkOn();
    }
  }

  private async folder({ texts }: ExportSource & { kind: 'folder' }): Promise<void> {
    const { format, safeCells } = this.request;
    const { columns } = this;
    const record = (values: readonly CellValue[]): Uint8Array => encode(`${formatRecord(values, { delimiter: ',', quote: '"' })}\n`);
    const names = ['file', 'start', 'end', 'text'];
    if (format === 'copy') this.add(record([...names, ...columns]));
    for await (const { text, source } of texts()) {
      const row = this.judge(text, source);
      if (row !== undefined && format === 'copy') this.add(record([source.file, source.start ?? '', source.end ?? '', text, ...columns.map((column) => exportCell(column, row, safeCells) ?? '')]));
      else if (row !== undefined) this.add(this.line(row));
      await this.flushFull();
    }
  }

  /** A row of the export, or undefined if it is left out. */
  private judge(text: string, source: DecisionSource): ExportedRow | undefined {
    const { texts, rows, format } = this.request;
    const id = exampleId(text);
    const state = texts.stateOf(id);
    const guess = texts.guessOf(id);
    const isUndecided = state === undefined || state.status === 'cleared';
    const status = rowStatus(state, isUndecided && texts.staleAt?.(source, text) !== undefined);
    const isChosen = rows === 'all' || (rows === 'labeled' ? status === 'labeled' : rows.has(id));
    const isWritten = isChosen && (format !== 'huggingface' || status === 'labeled');
    this.counts.add(status, isWritten);
    return isWritten ? { text, status, source, ...(state ? { state } : {}), ...(guess ? { guess } : {}) } : undefined;
  }

  private copied(record: TextRecord, names: readonly string[], row: ExportedRow): Uint8Array {
    const { columns } = this;
    if (record.source.format !== 'jsonl') return appendColumns(record, names, columns.map((column) => exportCell(column, row, this.request.safeCells) ?? ''));
    // an object need not say what there is none of
    const members = columns.flatMap((column, i) => {
      const value = exportMember(column, row);
      return value === undefined ? [] : [{ name: names[i]!, value }];
    });
    return appendColumns(record, members.map(({ name }) => name), members.map(({ value }) => value));
  }

  private line(row: ExportedRow): Uint8Array {
    const isHuggingFace = this.request.format === 'huggingface' && row.state?.value !== undefined;
    return encode(isHuggingFace ? huggingFaceLine(row.text, row.state.value) : exportLine(row, this.columns));
  }

  private add(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.pieces.push(bytes);
    this.pieceBytes += bytes.length;
  }

  private async flushFull(): Promise<void> {
    if (this.slices.isOver || this.pieceBytes >= pieceBytes) await this.flush();
  }

  private async flush(): Promise<void> {
    const { pieces } = this;
    this.pieces = [];
    this.pieceBytes = 0;
    if (pieces.length > 0) await this.sink.write(joinBytes(pieces));
    this.request.onProgress?.(this.counts.rows);
    await this.slices.rest();
    this.checkOn();
  }
}

/** Excel's `sep=;`, without which the rest of the file is not read as it was meant. */
function isSeparator(record: TextRecord): boolean {
  return record.source.dialect.separatorLine && record.start === 0;
}

/** What remains of a record that is left out: the byte order mark, if it is the first and the file stays what it was. */
function mark(record: TextRecord, format: ExportFormat): Uint8Array {
  return format === 'copy' && record.start === 0 ? record.bytes.slice(0, record.source.dialect.bomBytes) : new Uint8Array(0);
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Keeps the beginning of what is written. */
class HeadSink implements Pick<RecordSink, 'write'> {
  private readonly pieces: Uint8Array[] = [];
  private bytes = 0;

  readonly write = (bytes: Uint8Array): Promise<void> => {
    // a copy, because a sink must not keep what it is given
    if (this.bytes < sampleBytes) this.pieces.push(bytes.slice(0, sampleBytes - this.bytes));
    this.bytes += bytes.length;
    return Promise.resolve();
  };

  /** @param isTable whether a line break may stand within a record */
  lines(isTable: boolean): string[] {
    return readAll(isTable ? 'preview.csv' : 'preview.jsonl', joinBytes(this.pieces))
      .slice(0, previewLines)
      .map(({ bytes, source }) =>
        decodeBytes(source.dialect.encoding, bytes, 0, bytes.length)
          .replace(/^\uFEFF|[\r\n]+$/g, '')
          .replace(/\r\n|\r|\n/g, ' ⏎ ')
          .slice(0, previewWidth),
      );
  }
}
