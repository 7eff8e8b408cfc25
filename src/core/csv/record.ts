import type { Defect } from './defects';
import { fieldText, withoutGz, type Dialect } from './dialect';
import { decodeBytes, unitBytes } from './encoding';
import { jsonShape, jsonText, type JsonShape } from './json';
import { Fld, type Units } from './scanner';

/** How the texts of a file are laid out: a table, one JSON object a line, or one text a line. */
export type RecordFormat = 'csv' | 'jsonl' | 'text';

/** By the end of the name, `.gz` aside: .csv .tsv .tab .psv are tables, .jsonl .ndjson objects, everything else is plain text. */
export function formatOf(fileName: string): RecordFormat {
  const name = withoutGz(fileName).toLowerCase();
  if (/\.(?:csv|tsv|tab|psv)$/.test(name)) return 'csv';
  return /\.(?:jsonl|ndjson)$/.test(name) ? 'jsonl' : 'text';
}

/** What all records of a file share. */
export interface RecordSource {
  readonly fileName: string;
  readonly format: RecordFormat;
  readonly dialect: Dialect;
  /**
   * Names of the columns. CSV: the header's values; `1`, `2` … without a header. JSONL: the names of members in order of appearance; it grows while reading, and
   * those of the first 64 KB are there from the start. Plain text: `text`.
   */
  readonly columns: readonly string[];
}

/** A stretch of the file in memory. Never changes behind the records that point into it. */
export interface Block {
  readonly bytes: Uint8Array;
  readonly units: Units;
  /** Where `bytes` begins in the file. */
  readonly offset: number;
}

export interface ByteRange {
  /** Offset in the file of the first byte. */
  readonly start: number;
  /** Offset behind the last byte. */
  readonly end: number;
}

export interface LineRange {
  /** 1-based. */
  readonly firstLine: number;
  /** 1-based, inclusive. */
  readonly lastLine: number;
}

export interface RecordPlace extends LineRange {
  /** Positions within the block, in bytes. */
  readonly start: number;
  readonly end: number;
  readonly next: number;
}

/**
 * One record of a file: the header, a row, or a gap (a line that is no row: blank, or Excel's `sep=;`). The ranges [start, next) of all records, in order,
 * make up the whole file, byte order mark included.
 */
export abstract class TextRecord implements LineRange {
  readonly firstLine: number;
  readonly lastLine: number;
  private readonly from: number;
  private readonly to: number;
  private readonly behind: number;

  constructor(
    readonly source: RecordSource,
    readonly kind: 'header' | 'row' | 'gap',
    /** 1-based number among the rows; 0 for a header or a gap. */
    readonly row: number,
    /** What is wrong with it; mostly empty. */
    readonly defects: readonly Defect[],
    protected readonly block: Block,
    place: RecordPlace,
  ) {
    this.firstLine = place.firstLine;
    this.lastLine = place.lastLine;
    this.from = place.start;
    this.to = place.end;
    this.behind = place.next;
  }

  /** Offset in the file of the first byte; 0 for the first record, also behind a byte order mark. */
  get start(): number {
    return this.block.offset + this.from;
  }

  /** Offset behind the last byte of the content, where the line break begins. */
  get end(): number {
    return this.block.offset + this.to;
  }

  /** Offset behind the line break: where the next record starts. */
  get next(): number {
    return this.block.offset + this.behind;
  }

  /** The bytes [start, next), as they are in the file. A view: do not change it. */
  get bytes(): Uint8Array {
    return this.block.bytes.subarray(this.from, this.behind);
  }

  /** Number of fields in this record; it may differ from the number of columns. JSONL: number of members. */
  abstract readonly fieldCount: number;
  /** The text of a field, without quotes and decoded; undefined if the record has no such field. @param column 0-based, an index of `source.columns` (and beyond, for long rows) */
  abstract value(column: number): string | undefined;
  /** Where a field stands in the file, quotes included. */
  abstract range(column: number): ByteRange | undefined;

  /** The lines on which a field stands. */
  lines(column: number): LineRange | undefined {
    const range = this.range(column);
    if (range === undefined) return undefined;
    const firstLine = this.firstLine + this.lineBreaks(this.start, range.start);
    return { firstLine, lastLine: firstLine + this.lineBreaks(range.start, range.end) };
  }

  /** Values of all columns; the columns that this record lacks are empty, and fields beyond the columns come last. */
  values(): string[] {
    const values: string[] = [];
    for (let column = 0; column < Math.max(this.source.columns.length, this.fieldCount); column++) values.push(this.value(column) ?? '');
    return values;
  }

  protected text(start: number, end: number): string {
    return decodeBytes(this.source.dialect.encoding, this.block.bytes, start, end);
  }

  private lineBreaks(start: number, end: number): number {
    const bytes = unitBytes(this.source.dialect.encoding);
    const { units, offset } = this.block;
    let count = 0;
    for (let i = (start - offset) / bytes; i < (end - offset) / bytes; i++) {
      if (units[i] === 10 || (units[i] === 13 && units[i + 1] !== 10)) count++;
    }
    return count;
  }
}

/** A record of a table, or a line of plain text, which is a table of one column without delimiters. */
export class TableRecord extends TextRecord {
  /** @param fields ints as in `RecordScanner.fields`, from index `field` on */
  constructor(
    source: RecordSource,
    kind: 'header' | 'row' | 'gap',
    row: number,
    defects: readonly Defect[],
    block: Block,
    place: RecordPlace,
    private readonly fields: Int32Array,
    private readonly field: number,
    readonly fieldCount: number,
  ) {
    super(source, kind, row, defects, block, place);
  }

  value(column: number): string | undefined {
    if (column < 0 || column >= this.fieldCount) return undefined;
    const at = (this.field + column) * Fld.size;
    const { encoding, quote } = this.source.dialect;
    const bytes = unitBytes(encoding);
    return fieldText(this.text(this.fields[at + Fld.start]! * bytes, this.fields[at + Fld.end]! * bytes), this.fields[at + Fld.kind]!, quote);
  }

  range(column: number): ByteRange | undefined {
    if (column < 0 || column >= this.fieldCount) return undefined;
    const at = (this.field + column) * Fld.size;
    const bytes = unitBytes(this.source.dialect.encoding);
    const { offset } = this.block;
    return { start: offset + this.fields[at + Fld.start]! * bytes, end: offset + this.fields[at + Fld.end]! * bytes };
  }
}

/** A line of a .jsonl file. A row that is no JSON object has no fields. */
export class JsonRecord extends TextRecord {
  private walked: JsonShape | undefined;

  constructor(
    source: RecordSource,
    kind: 'row' | 'gap',
    row: number,
    defects: readonly Defect[],
    block: Block,
    place: RecordPlace,
    private readonly object: Readonly<Record<string, unknown>> | undefined,
  ) {
    super(source, kind, row, defects, block, place);
  }

  get fieldCount(): number {
    return this.object === undefined ? 0 : Object.keys(this.object).length;
  }

  value(column: number): string | undefined {
    const name = this.source.columns[column];
    return name !== undefined && this.has(name) ? jsonText(this.object![name]) : undefined;
  }

  range(column: number): ByteRange | undefined {
    const name = this.source.columns[column];
    // a name may stand twice; parsers take the last
    const member = this.shape?.members.filter((candidate) => candidate.name === name).at(-1);
    if (member === undefined) return undefined;
    const bytes = unitBytes(this.source.dialect.encoding);
    return { start: this.block.offset + member.start * bytes, end: this.block.offset + member.end * bytes };
  }

  /** What the line says; undefined if it is no object. Names like `__proto__` are own properties. */
  get content(): Readonly<Record<string, unknown>> | undefined {
    return this.object;
  }

  has(name: string): boolean {
    return this.object !== undefined && Object.hasOwn(this.object, name);
  }

  /** Where new members go, as an offset in the file, and how this line spaces them; undefined if it is no object. */
  get insertion(): { readonly offset: number; readonly first: boolean; readonly spaced: boolean } | undefined {
    const shape = this.shape;
    if (shape === undefined) return undefined;
    return { offset: this.block.offset + shape.insertAt * unitBytes(this.source.dialect.encoding), first: shape.members.length === 0, spaced: shape.spaced };
  }

  private get shape(): JsonShape | undefined {
    if (this.object === undefined) return undefined;
    const { encoding, bomBytes } = this.source.dialect;
    const bytes = unitBytes(encoding);
    const start = this.start === 0 ? bomBytes : this.start;
    this.walked ??= jsonShape(this.block.units, (start - this.block.offset) / bytes, (this.end - this.block.offset) / bytes, (from, to) => this.text(from * bytes, to * bytes));
    return this.walked;
  }
}
