/**
 * The streaming reader of tables, JSONL and plain text: bytes in, in pieces of any size; records out that know where they and their fields stand.
 *
 * Why not a library: csv-parse, csv-parser, fast-csv, papaparse, udsv and d3-dsv decode first and report at most one position per record; none keeps the byte range of fields and
 * line breaks, without which columns cannot be added to a file that otherwise stays as it is to the byte.
 */
import { HumanError } from '../errors';
import { cellDefect, lineDefect, raggedDefect, type Defect } from './defects';
import { delimiters, sniffDialect, type Dialect, type DialectOptions } from './dialect';
import { decodeBytes, detectEncoding, encodingNames, firstInvalidUtf8, firstLoneSurrogate, unitBytes, type Encoding } from './encoding';
import { parseJsonLine } from './json';
import { JsonRecord, TableRecord, formatOf, type Block, type RecordFormat, type RecordPlace, type RecordSource, type TextRecord } from './record';
import { FieldKind, Fld, Rec, RecordFlag, RecordScanner, type ScanLimits } from './scanner';

/** How much of a file is looked at before its first record is given out, in bytes. */
export const sampleBytes = 64 * 1024;
/** Blocks are this large, in bytes, unless a record is longer. */
const blockBytes = 256 * 1024;
/** Members of JSONL that become columns; a file that uses ids as names would have no end of them. */
const mostColumns = 10_000;
const noDefects: readonly Defect[] = [];

export interface ReaderOptions extends DialectOptions {
  /** By the name of the file if not given. */
  readonly format?: RecordFormat;
  readonly limits?: Partial<ScanLimits>;
}

/**
 * Reads one file. Give it the file's bytes with {@link push}, piece by piece (already unzipped), then call {@link end}; each returns the records that have become
 * complete. It keeps no more than the record at hand and the block around it: a caller that lets records go reads files of any size in constant memory.
 *
 * Defects of the content come with their records. A HumanError means that there is nothing sensible to read: a workbook, a binary file, a record without end.
 */
export class RecordReader implements RecordSource {
  readonly format: RecordFormat;
  readonly columns: string[] = [];
  private known: Dialect | undefined;
  private guessed = false;
  private scanner: RecordScanner | undefined;
  private block: GrowingBlock | undefined;
  private sample: Uint8Array = new Uint8Array(0);
  private preface = 0;
  private headerAwaited = false;
  private rows = 0;
  private ended = false;
  private readonly memberNames = new Set<string>();

  /** @param fileName as a person knows it; its ending tells the format, and messages name it */
  constructor(
    readonly fileName: string,
    private readonly options: ReaderOptions = {},
  ) {
    this.format = options.format ?? formatOf(fileName);
  }

  /** Known when the first record is, or {@link end} has been called. */
  get dialect(): Dialect {
    if (this.known === undefined) throw new Error('The dialect is not known before the first record');
    return this.known;
  }

  /** Number of rows given out. */
  get rowCount(): number {
    return this.rows;
  }

  /** @returns the records that this piece completes. The piece may be used again by the caller. */
  push(chunk: Uint8Array): TextRecord[] {
    if (this.ended) throw new Error('push after end');
    if (this.block !== undefined) {
      const records: TextRecord[] = [];
      this.read(chunk, records);
      return records;
    }
    const sample = new Uint8Array(this.sample.length + chunk.length);
    sample.set(this.sample);
    sample.set(chunk, this.sample.length);
    this.sample = sample;
    return sample.length >= sampleBytes ? this.begin(false) : [];
  }

  /** Says that the file has ended. @returns the last records */
  end(): TextRecord[] {
    if (this.ended) throw new Error('end after end');
    const records = this.block === undefined ? this.begin(true) : [];
    this.ended = true;
    this.collect(true, records);
    const rest = this.block!.oddByte();
    if (rest !== undefined) {
      const place: RecordPlace = { start: rest, end: rest + 1, next: rest + 1, firstLine: this.scanner!.line, lastLine: this.scanner!.line };
      const where = { fileName: this.fileName, row: this.rows, line: place.firstLine, column: 0, columns: this.columns };
      records.push(new TableRecord(this, 'gap', 0, [cellDefect('csv.invalid', where, encodingNames[this.dialect.encoding])], this.block!.block, place, new Int32Array(0), 0, 0));
    }
    return records;
  }

  private begin(complete: boolean): TextRecord[] {
    const bytes = this.sample;
    this.sample = new Uint8Array(0);
    // the same sample for every way of cutting the file
    const head = bytes.subarray(0, sampleBytes);
    const whole = complete && head.length === bytes.length;
    const detected = detectEncoding(head, whole);
    // JSON is UTF-8 or UTF-16, nothing else
    const guess = this.format === 'jsonl' && detected.guessed ? { ...detected, encoding: 'utf-8' as const, guessed: false } : detected;
    const encoding = this.options.encoding ?? guess.encoding;
    refuseForeignFiles(head, encoding, this.fileName);
    const bomBytes = encoding === guess.encoding ? guess.bomBytes : 0;
    this.guessed = guess.guessed && this.options.encoding === undefined;
    const contentStart = bomBytes / unitBytes(encoding);

    const table = this.format === 'csv';
    const sampled = new GrowingBlock(encoding, 0, head.length);
    sampled.add(head);
    const sniffed = sniffDialect(
      {
        units: sampled.block.units,
        length: sampled.length,
        contentStart,
        complete: whole,
        text: (start, end) => decodeBytes(encoding, sampled.block.bytes, start * unitBytes(encoding), end * unitBytes(encoding)),
      },
      this.fileName,
      table ? { ...this.options, encoding } : { delimiter: delimiters[0], quote: '', header: this.format === 'text' },
    );
    // the dialect of plain text is the one of the table that it becomes
    this.known = { encoding, bomBytes, ...sniffed, ...(table ? {} : { quote: '"', separatorLine: false }) };
    this.preface = this.known.separatorLine ? 1 : 0;
    this.headerAwaited = table && sniffed.header;
    this.scanner = new RecordScanner({
      delimiter: table ? sniffed.delimiter : '',
      quote: table ? sniffed.quote : '',
      contentStart,
      prefaceRecords: this.preface,
      fileName: this.fileName,
      ...(this.options.limits === undefined ? {} : { limits: this.options.limits }),
    });
    this.block = new GrowingBlock(encoding, 0, blockBytes);

    const records: TextRecord[] = [];
    if (this.format === 'text') {
      // what plain text becomes has a header, so it has a header of no bytes: its place is known, and writers need no special case
      this.columns.push('text');
      records.push(new TableRecord(this, 'header', 0, noDefects, { bytes: bytes.subarray(0, bomBytes), units: new Uint8Array(0), offset: 0 }, { start: 0, end: bomBytes, next: bomBytes, firstLine: 1, lastLine: 1 }, new Int32Array(0), 0, 0));
      this.scanner.recordStart = contentStart;
    }
    if (this.format === 'jsonl') this.learnMembers(sampled, contentStart, whole);
    this.read(bytes, records);
    return records;
  }

  /** In steps, so that a huge piece does not stay in memory for one record of it. */
  private read(bytes: Uint8Array, records: TextRecord[]): void {
    for (let at = 0; at < bytes.length; at += blockBytes) {
      this.block!.append(bytes.subarray(at, at + blockBytes), this.scanner!);
      this.collect(false, records);
    }
  }

  /** Names of the members in the sample, so that a caller can choose columns before it has read the file. */
  private learnMembers(sample: GrowingBlock, contentStart: number, complete: boolean): void {
    const { encoding } = this.dialect;
    const scanner = new RecordScanner({ delimiter: '', quote: '', contentStart });
    scanner.units = sample.block.units;
    scanner.length = sample.length;
    scanner.scan(complete);
    let rows = 0;
    for (let r = 0; r < scanner.recordCount; r++) {
      const at = r * Rec.size;
      if ((scanner.records[at + Rec.flags]! & RecordFlag.gap) !== 0) continue;
      const field = scanner.records[at + Rec.field]! * Fld.size;
      const line = decodeBytes(encoding, sample.block.bytes, scanner.fields[field]! * unitBytes(encoding), scanner.fields[field + Fld.end]! * unitBytes(encoding));
      const object = parseJsonLine(line);
      if (typeof object === 'string' && rows++ === 0 && /^\s*(?:\[|\{\s*$)/.test(line)) {
        throw new HumanError('jsonl.array', '{0} is JSON, but not one object a line: line {1} starts a value that goes on. Write one object a line (for an array: jq -c .[]), or a CSV.', [
          this.fileName,
          scanner.records[at + Rec.firstLine]!,
        ]);
      }
      if (typeof object !== 'string') this.learnNames(object);
    }
  }

  private learnNames(object: Readonly<Record<string, unknown>>): void {
    for (const name of Object.keys(object)) {
      if (this.memberNames.has(name) || this.memberNames.size >= mostColumns) continue;
      this.memberNames.add(name);
      this.columns.push(name);
    }
  }

  private collect(final: boolean, records: TextRecord[]): void {
    const scanner = this.scanner!;
    const { block } = this.block!;
    scanner.scan(final);
    const fields = scanner.fields.slice(0, scanner.completeFields * Fld.size);
    for (let r = 0; r < scanner.recordCount; r++) records.push(this.record(scanner, r * Rec.size, fields, block));
    scanner.clear();
  }

  private record({ records, width }: RecordScanner, at: number, fields: Int32Array, block: Block): TextRecord {
    const bytes = unitBytes(this.dialect.encoding);
    const flags = records[at + Rec.flags]!;
    const place: RecordPlace = {
      start: records[at + Rec.start]! * bytes,
      end: records[at + Rec.end]! * bytes,
      next: records[at + Rec.next]! * bytes,
      firstLine: records[at + Rec.firstLine]!,
      lastLine: records[at + Rec.lastLine]!,
    };
    const field = records[at + Rec.field]!;
    const count = records[at + Rec.fieldCount]!;
    let kind: 'header' | 'row' | 'gap' = 'row';
    if ((flags & RecordFlag.gap) !== 0) kind = 'gap';
    else if (this.preface > 0) {
      this.preface--;
      kind = 'gap';
    } else if (this.headerAwaited) kind = 'header';
    if (kind === 'row') this.rows++;
    if (this.format === 'jsonl') return this.jsonRecord(kind === 'gap' ? 'gap' : 'row', block, place, flags, fields[field * Fld.size]! * bytes);

    const row = kind === 'row' ? this.rows : 0;
    const ragged = count !== width && kind === 'row' && this.format === 'csv';
    const suspect = (flags & (RecordFlag.malformed | RecordFlag.high | RecordFlag.nul)) !== 0;
    const before = this.columns.length;
    if (kind === 'row' && this.format === 'csv' && before === 0) for (let column = 1; column <= count; column++) this.columns.push(String(column));
    let record = new TableRecord(this, kind, row, noDefects, block, place, fields, field, count);
    if (kind === 'header') {
      this.headerAwaited = false;
      this.columns.push(...record.values());
    }
    if (ragged || suspect) {
      const defects = this.defects(record, flags, fields, field, block, width);
      if (defects.length > 0) record = new TableRecord(this, kind, row, defects, block, place, fields, field, count);
    }
    return record;
  }

  private jsonRecord(kind: 'row' | 'gap', block: Block, place: RecordPlace, flags: number, contentStart: number): JsonRecord {
    if (kind === 'gap') return new JsonRecord(this, kind, 0, noDefects, block, place, undefined);
    const { encoding } = this.dialect;
    const object = parseJsonLine(decodeBytes(encoding, block.bytes, contentStart, place.end));
    const made = (defects: readonly Defect[]): JsonRecord => new JsonRecord(this, kind, this.rows, defects, block, place, typeof object === 'string' ? undefined : object);
    if (typeof object === 'string') return made([lineDefect(this.fileName, this.rows, place.firstLine, object)]);
    this.learnNames(object);
    const record = made(noDefects);
    const invalid = (flags & RecordFlag.high) === 0 ? -1 : firstInvalid(encoding, block, contentStart, place.end);
    if (invalid < 0) return record;
    const holds = (column: number): boolean => {
      const range = record.range(column);
      return range !== undefined && range.start <= block.offset + invalid && block.offset + invalid < range.end;
    };
    const column = Math.max(0, this.columns.findIndex((_, candidate) => holds(candidate)));
    return made([cellDefect('csv.invalid', { fileName: this.fileName, row: this.rows, line: place.firstLine, column, columns: this.columns }, encodingNames[encoding])]);
  }

  private defects(record: TableRecord, flags: number, fields: Int32Array, field: number, block: Block, width: number): readonly Defect[] {
    const { encoding, delimiter } = this.dialect;
    const bytes = unitBytes(encoding);
    const found: Defect[] = [];
    const place = (column: number) => ({ fileName: this.fileName, row: record.row, line: record.lines(column)!.firstLine, column, columns: this.columns });
    for (let column = 0; column < record.fieldCount; column++) {
      const at = (field + column) * Fld.size;
      const start = fields[at + Fld.start]! * bytes;
      const end = fields[at + Fld.end]! * bytes;
      const kind = fields[at + Fld.kind]!;
      if (kind === FieldKind.unclosed) found.push(cellDefect('csv.quote', place(column)));
      if (kind === FieldKind.stray) found.push(cellDefect('csv.stray', place(column)));
      if ((flags & RecordFlag.nul) !== 0) {
        const nul = block.units.indexOf(0, start / bytes);
        if (nul >= 0 && nul < end / bytes) found.push(cellDefect('csv.nul', place(column)));
      }
      if ((flags & RecordFlag.high) !== 0) {
        if (this.guessed) {
          const text = block.bytes.subarray(start, end);
          if (text.some((byte) => byte >= 0x80)) {
            this.guessed = false;
            found.push(cellDefect('csv.guessed', place(column), encodingNames[encoding]));
          }
        } else if (firstInvalid(encoding, block, start, end) >= 0) {
          found.push(cellDefect('csv.invalid', place(column), encodingNames[encoding]));
        }
      }
    }
    if (record.kind === 'row' && this.format === 'csv' && record.fieldCount !== width) {
      found.push(raggedDefect({ fileName: this.fileName, row: record.row, line: record.firstLine, column: 0, columns: this.columns }, record.fieldCount, width, delimiter));
    }
    return found;
  }
}

/** All records of bytes that are in memory as a whole. */
export function readAll(fileName: string, bytes: Uint8Array, options?: ReaderOptions): TextRecord[] {
  const reader = new RecordReader(fileName, options);
  return [...reader.push(bytes), ...reader.end()];
}

/** Feeds a reader from a stream and gives its records in the batches in which they become complete. Stops reading when the loop over it is left. */
export async function* recordBatches(reader: RecordReader, chunks: AsyncIterable<Uint8Array>): AsyncGenerator<TextRecord[], void, undefined> {
  for await (const chunk of chunks) {
    const records = reader.push(chunk);
    if (records.length > 0) yield records;
  }
  const records = reader.end();
  if (records.length > 0) yield records;
}

/** Bytes are appended behind those that records already point at; only when it is full is a new one begun, with what belongs to the open record. */
class GrowingBlock {
  block: Block;
  private used = 0;
  private readonly unitBytes: 1 | 2;
  private readonly lowByte: 0 | 1;

  constructor(
    encoding: Encoding,
    offset: number,
    capacity: number,
  ) {
    this.unitBytes = unitBytes(encoding);
    this.lowByte = encoding === 'utf-16be' ? 1 : 0;
    this.block = this.empty(offset, capacity);
  }

  /** Number of whole units. */
  get length(): number {
    return Math.floor(this.used / this.unitBytes);
  }

  /** Position of a last byte that is half a unit. */
  oddByte(): number | undefined {
    return this.used % this.unitBytes === 0 ? undefined : this.used - 1;
  }

  append(bytes: Uint8Array, scanner: RecordScanner): void {
    if (this.used + bytes.length > this.block.bytes.length) {
      const shift = scanner.recordStart * this.unitBytes;
      const { block } = this;
      const kept = block.bytes.subarray(shift, this.used);
      this.block = this.empty(block.offset + shift, Math.max(blockBytes, 2 * kept.length + bytes.length));
      this.used = 0;
      this.add(kept);
      scanner.rebase(scanner.recordStart);
    }
    this.add(bytes);
    scanner.units = this.block.units;
    scanner.length = this.length;
  }

  add(more: Uint8Array): void {
    const from = this.length;
    const { bytes, units } = this.block;
    bytes.set(more, this.used);
    this.used += more.length;
    if (this.unitBytes === 1) return;
    for (let i = from; i < this.length; i++) units[i] = bytes[2 * i + this.lowByte]! | (bytes[2 * i + 1 - this.lowByte]! << 8);
  }

  private empty(offset: number, capacity: number): Block {
    const bytes = new Uint8Array(capacity);
    return { bytes, units: this.unitBytes === 1 ? bytes : new Uint16Array(capacity >> 1), offset };
  }
}

/** Position in the block of the first byte in [start, end) that stands for no character; negative if there is none. */
function firstInvalid(encoding: Encoding, block: Block, start: number, end: number): number {
  switch (encoding) {
    case 'utf-8':
      return firstInvalidUtf8(block.bytes, start, end);
    case 'utf-16le':
    case 'utf-16be':
      return 2 * firstLoneSurrogate(block.units, start / 2, end / 2);
    case 'gb18030':
    case 'windows-1252':
      return decodeBytes(encoding, block.bytes, start, end).includes('\uFFFD') ? start : -1;
  }
}

/** Files that people name .csv or open by mistake, and what to do with them. */
function refuseForeignFiles(head: Uint8Array, encoding: Encoding, fileName: string): void {
  const startsWith = (...bytes: number[]): boolean => bytes.every((byte, i) => head[i] === byte);
  if (startsWith(0x50, 0x4b, 3, 4) || startsWith(0xd0, 0xcf, 0x11, 0xe0)) {
    throw new HumanError('csv.workbook', '{0} is an Excel workbook or another packed file, not text. Open it in the spreadsheet program, save it as "CSV UTF-8", and use that.', [fileName]);
  }
  if (startsWith(0x1f, 0x8b)) throw new HumanError('csv.gzip', '{0} is compressed with gzip. Give it a name that ends with .gz, or unpack it.', [fileName]);
  if (startsWith(0xff, 0xfe, 0, 0) || startsWith(0, 0, 0xfe, 0xff)) throw new HumanError('csv.utf32', '{0} is UTF-32. Save it as UTF-8.', [fileName]);
  if (startsWith(0x25, 0x50, 0x44, 0x46)) throw new HumanError('csv.binary', '{0} is not a text file. Choose a .csv, .tsv, .jsonl or .txt file.', [fileName]);
  // text has hardly any control characters; in UTF-16 every second byte may be one
  let odd = 0;
  for (const byte of head) if (byte < 9 || (byte > 13 && byte < 32 && byte !== 27)) odd++;
  if (unitBytes(encoding) === 1 && odd > Math.max(8, head.length * 0.1)) throw new HumanError('csv.binary', '{0} is not a text file. Choose a .csv, .tsv, .jsonl or .txt file.', [fileName]);
}
