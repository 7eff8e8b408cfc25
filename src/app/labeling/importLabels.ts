import { columnIndices, guessLabelColumn, guessTextColumns, recordText } from '../../core/csv/columns';
import { parseJsonLine } from '../../core/csv/json';
import { RecordReader, recordBatches } from '../../core/csv/reader';
import { formatOf, JsonRecord, type TextRecord } from '../../core/csv/record';
import { CancelledError, HumanError } from '../../core/errors';
import { answerOfCell, EntryReader, timeOf, type ImportedAnswer, type ImportFields, type LabelSeparator } from '../../core/labels/importFormats';
import { unsafeCell } from '../../core/labels/labelCells';
import { ImportPlanner, type ImportPlan, type ImportTarget } from '../../core/labels/importPlan';
import { JsonItems } from '../../core/labels/jsonItems';
import type { AbortSignalLike } from '../../core/protocol/rpc';
import { Slices } from './slices';

export interface ImportRequest {
  /** As a person knows it; its ending tells tables from JSON. */
  readonly file: string;
  /** The file's bytes, unpacked. */
  readonly chunks: AsyncIterable<Uint8Array>;
  /** For what the file leaves open. A table needs both; see {@link guessImportFields}. */
  readonly fields: ImportFields;
  /** Of several labels in a cell of a table; by default `#` in doccano's tables (`id,data,label`), else `;`. */
  readonly separator?: LabelSeparator;
  readonly target: ImportTarget;
  /** Resolves after what has come in was handled. */
  readonly pause: () => Promise<void>;
  /** Milliseconds since 1970; the clock's by default. */
  readonly now?: number;
  readonly signal?: AbortSignalLike;
  /** Called after each piece with the rows that were read. */
  readonly onProgress?: (rows: number) => void;
}

/** Columns of our exports beside the label, however a file with such columns already made us call them. */
const ownColumn = /^(annotator|time|guess|score|status)(?:_\d+)?$/;

/**
 * Reads a file of labels, ours or another tool's ({@link EntryReader} says which), and finds out what it would change. Nothing is written.
 *
 * @throws HumanError when the file cannot be read, is of no known kind, lacks a column, or its values are hardly labels; CancelledError when `signal` is raised
 */
export async function planImport(request: ImportRequest): Promise<ImportPlan> {
  return await new Import(request).run();
}

/** The columns of a table that most likely hold text and label: those of our exports and of doccano, or by their names and values. Undefined where nothing looks like that. */
export function guessImportFields(columns: readonly string[], samples: readonly (readonly string[])[]): { readonly text: readonly string[] | undefined; readonly label: string | undefined } {
  const isDoccano = isDoccanoTable(columns);
  // exports put their columns last, and people's own come before
  const own = columns.map((name) => /^label(?:_\d+)?$/.test(name)).lastIndexOf(true);
  const label = own >= 0 ? own : guessLabelColumn(columns, samples);
  const text = isDoccano ? [columns.indexOf('data')] : guessTextColumns(columns, samples);
  return { text: text.length === 0 ? undefined : text.map((column) => columns[column] ?? ''), label: label === undefined ? undefined : columns[label] };
}

class Import {
  private readonly planner: ImportPlanner;
  private readonly slices: Slices;
  private rows = 0;

  constructor(private readonly request: ImportRequest) {
    this.planner = new ImportPlanner(request.file, request.target, new Date(request.now ?? Date.now()).toISOString());
    this.slices = new Slices(request.pause);
  }

  async run(): Promise<ImportPlan> {
    const { file, chunks } = this.request;
    if (formatOf(file) === 'csv') await this.table(chunks);
    else await this.json(chunks);
    return await this.planner.finish(() => this.breathe());
  }

  private async breathe(): Promise<void> {
    await this.slices.rest();
    if (this.request.signal?.aborted) throw new CancelledError();
  }

  /** Counts a row, and what it says. */
  private async row(answers: () => readonly ImportedAnswer[]): Promise<void> {
    try {
      const found = answers();
      if (found.length === 0) this.planner.skip();
      for (const answer of found) this.planner.add(answer);
    } catch (error) {
      if (!(error instanceof HumanError)) throw error;
      this.planner.problem(error);
    }
    this.rows++;
    if (!this.slices.isOver) return;
    this.request.onProgress?.(this.rows);
    await this.breathe();
  }

  private async table(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const reader = new RecordReader(this.request.file);
    let table: LabelTable | undefined;
    for await (const records of recordBatches(reader, chunks)) {
      for (const record of records) {
        if (record.kind === 'gap') continue;
        const open = (table ??= new LabelTable(reader, this.request));
        if (record.kind === 'row') await this.row(() => open.answers(record));
      }
      await this.breathe();
    }
  }

  private async json(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const { file, fields, target } = this.request;
    const entries = new EntryReader(file, target.task.kind, fields);
    let kind: 'array' | 'lines' | undefined;
    const items = new JsonItems(file);
    const reader = new RecordReader(file, { format: 'jsonl' });
    const addItems = async (texts: readonly string[]): Promise<void> => {
      for (const text of texts) await this.row(() => entries.read(this.rows + 1, parsedItem(text, file, this.rows + 1)));
    };
    const addRecords = async (records: readonly TextRecord[]): Promise<void> => {
      for (const record of records) {
        if (!(record instanceof JsonRecord) || record.kind !== 'row') continue;
        await this.row(() => {
          const { content } = record;
          if (content === undefined) throw record.defects[0]?.toError() ?? new Error('A line that is no object comes with a defect');
          return entries.read(record.row, content);
        });
      }
    };
    for await (const chunk of chunks) {
      kind ??= kindOfJson(chunk, file);
      if (kind === 'array') await addItems(items.push(chunk));
      else if (kind === 'lines') await addRecords(reader.push(chunk));
      await this.breathe();
    }
    if (kind === 'array') await addItems(items.end());
    else await addRecords(reader.end());
  }
}

/** Which columns of a table hold what. */
class LabelTable {
  private readonly texts: readonly number[];
  private readonly label: number;
  private readonly separator: LabelSeparator;
  private readonly own: { readonly annotator?: number; readonly time?: number; readonly status?: number };

  constructor(
    reader: RecordReader,
    private readonly request: ImportRequest,
  ) {
    const { file, fields, separator } = request;
    const { columns } = reader;
    const { text, label } = { ...guessImportFields(columns, []), ...fields };
    if (text === undefined || text.length === 0 || label === undefined) {
      throw new HumanError('import.columns', '{0}: it is not plain which columns hold text and label. Choose them; it has {1}.', [file, columns.map((name) => `"${name}"`).join(', ')]);
    }
    this.texts = columnIndices(reader, text);
    this.label = columnIndices(reader, [label])[0] ?? 0;
    this.separator = separator ?? (isDoccanoTable(columns) ? '#' : ';');
    this.own = ownColumns(columns, this.label);
  }

  answers(record: TextRecord): readonly ImportedAnswer[] {
    const { file, target } = this.request;
    const column = record.source.columns[this.label] ?? String(this.label + 1);
    const row = record.row;
    const value = answerOfCell(record.value(this.label) ?? '', target.task.kind, this.separator, { file, row, column });
    const cell = (index: number | undefined): string => (index === undefined ? '' : (record.value(index) ?? '').trim());
    const status = cell(this.own.status);
    const answer = status === 'skipped' || status === 'flagged' ? { status } as const : value === undefined ? undefined : ({ status: 'labeled', value } as const);
    if (answer === undefined) return [];
    const annotator = cell(this.own.annotator);
    const at = timeOf(cell(this.own.time));
    return [
      {
        row,
        column,
        text: recordText(record, this.texts),
        ...answer,
        ...(annotator === '' ? {} : { annotator: unsafeCell(annotator) }),
        ...(at === undefined ? {} : { at }),
      },
    ];
  }
}

/** The columns that an export put behind the label; a person's own `status` elsewhere is none of them. */
function ownColumns(columns: readonly string[], label: number): { readonly annotator?: number; readonly time?: number; readonly status?: number } {
  const found: { annotator?: number; time?: number; status?: number } = {};
  for (let column = label + 1; ; column++) {
    const name = ownColumn.exec(columns[column] ?? '')?.[1];
    if (name === undefined) return found;
    if (name === 'annotator' || name === 'time' || name === 'status') found[name] ??= column;
  }
}

function isDoccanoTable(columns: readonly string[]): boolean {
  return ['id', 'data', 'label'].every((name, i) => columns[i] === name);
}

/** By the first byte that is not blank. A piece of nothing but blanks says nothing yet. */
function kindOfJson(chunk: Uint8Array, file: string): 'array' | 'lines' | undefined {
  // a byte order mark of UTF-16, which only lines may have
  if ((chunk[0] === 0xff && chunk[1] === 0xfe) || (chunk[0] === 0xfe && chunk[1] === 0xff)) return 'lines';
  const first = new TextDecoder().decode(chunk.subarray(0, 1024)).trimStart()[0];
  if (first === '[') return 'array';
  if (first === '{') return 'lines';
  if (first === undefined) return undefined;
  throw new HumanError('import.format', '{0} is neither a table nor JSON. Choose a .csv or .tsv, a .jsonl of Label Lens or doccano, or a .json of Label Studio.', [file]);
}

function parsedItem(text: string, file: string, row: number): unknown {
  const item = parseJsonLine(text);
  if (typeof item === 'string') throw new HumanError('import.json', '{0}, entry {1} is no JSON object ({2}). Export the file again.', [file, row, item]);
  return item;
}
