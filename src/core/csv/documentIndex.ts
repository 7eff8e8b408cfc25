/**
 * Where the records of an editor's document stand: built in short steps, kept up to date through edits by reading again only what an edit touches, eight bytes a row. The content of
 * records is not kept; it is read from the document when asked for.
 */
import { sniffDialect, fieldText, type Dialect, type DialectOptions } from './dialect';
import { jsonShape, jsonText, parseJsonLine, type JsonMember } from './json';
import { formatOf, type RecordFormat } from './record';
import { Fld, Rec, RecordFlag, RecordScanner } from './scanner';

/** The lines of a document as an editor holds them: split at `\r\n`, `\n` and `\r`, which are not part of them. All line numbers here are 0-based. */
export interface DocumentLines {
  /** At least 1; a document that ends with a line break has an empty last line. */
  readonly lineCount: number;
  lineText(line: number): string;
}

/** The lines of a text, for tests and small texts. */
export function linesOf(text: string): DocumentLines {
  const lines = text.split(/\r\n|\n|\r/);
  return { lineCount: lines.length, lineText: (line) => lines[line] ?? '' };
}

/** 0-based; characters count UTF-16 units, as in VS Code. */
export interface DocumentRange {
  readonly startLine: number;
  readonly startCharacter: number;
  readonly endLine: number;
  readonly endCharacter: number;
}

const sampleCharacters = 64 * 1024;

/** Tells the dialect of a document from its first 64 K characters. Encoding and byte order mark are the editor's business: always UTF-8 without. */
export function sniffDocument(lines: DocumentLines, fileName: string, options: DialectOptions = {}): Dialect {
  let text = '';
  let line = 0;
  for (; line < lines.lineCount && text.length < sampleCharacters; line++) text += (line > 0 ? '\n' : '') + lines.lineText(line).slice(0, sampleCharacters);
  const units = unitsOf(text);
  const complete = line === lines.lineCount && text.length < sampleCharacters;
  const sniffed = sniffDialect({ units, length: units.length, contentStart: 0, complete, text: (start, end) => text.slice(start, end) }, fileName, options);
  return { encoding: 'utf-8', bomBytes: 0, ...sniffed };
}

/** A record as it stands in the document now. */
export class DocumentRecord implements DocumentRange {
  readonly endLine: number;
  readonly startCharacter = 0;
  readonly endCharacter: number;

  constructor(
    readonly startLine: number,
    private readonly content: string,
    private readonly cells: readonly { readonly start: number; readonly end: number; readonly value: string }[],
    private readonly cellOf: (column: number) => number,
  ) {
    const end = this.position(content.length);
    this.endLine = end.line;
    this.endCharacter = end.character;
  }

  get fieldCount(): number {
    return this.cells.length;
  }

  /** The value of a column, its line breaks as `\n`; undefined if the record lacks it. */
  value(column: number): string | undefined {
    return this.cells[this.cellOf(column)]?.value;
  }

  /** Where the field stands, quotes included. */
  range(column: number): DocumentRange | undefined {
    const cell = this.cells[this.cellOf(column)];
    if (cell === undefined) return undefined;
    const start = this.position(cell.start);
    const end = this.position(cell.end);
    return { startLine: start.line, startCharacter: start.character, endLine: end.line, endCharacter: end.character };
  }

  private position(offset: number): { line: number; character: number } {
    let line = this.startLine;
    let lineStart = 0;
    for (let at = this.content.indexOf('\n'); at >= 0 && at < offset; at = this.content.indexOf('\n', at + 1)) {
      line++;
      lineStart = at + 1;
    }
    return { line, character: offset - lineStart };
  }
}

/**
 * Index of the rows of one document. Call {@link step} until it returns true, best from idle callbacks; call {@link edit} for every change, in the order in which the editor reports them, and
 * then step again: rows behind the edit are taken over as soon as a record begins where one began before, so that typing costs one record, not the file.
 *
 * While it is not {@link done}, the first {@link rowCount} rows can be asked for and are right.
 */
export class DocumentIndex {
  readonly format: RecordFormat;
  private readonly scanner: RecordScanner;
  /** For the records that are asked for; has its own state. */
  private readonly reader: RecordScanner;
  private readonly head = new Segment();
  /** Rows behind the place of the scan that were found before an edit, from top to bottom. */
  private islands: Segment[] = [];
  private opening: { readonly end: number; readonly reach: number; readonly header: { readonly start: number; readonly end: number } | undefined } | undefined;
  private buffer = new Uint16Array(32 * 1024);
  private nextLine = 0;
  private nextCharacter = 0;
  /** Number of fields of a proper record, as the rows that are kept were read. */
  private width = 0;
  private headerNames: readonly string[] | undefined;
  private memberNames: string[] | undefined;

  constructor(
    private readonly lines: DocumentLines,
    readonly fileName: string,
    readonly dialect: Dialect,
    format: RecordFormat = formatOf(fileName),
  ) {
    this.format = format;
    const table = format === 'csv';
    const options = { delimiter: table ? dialect.delimiter : '', quote: table ? dialect.quote : '', fileName };
    this.scanner = new RecordScanner(options);
    this.reader = new RecordScanner(options);
    this.restartAt(0);
  }

  /** Whether all of the document is indexed. */
  get done(): boolean {
    return this.head.complete;
  }

  /** Number of rows indexed so far; the header and blank lines are none. */
  get rowCount(): number {
    return this.head.count;
  }

  /** Names of the columns, as in `RecordSource.columns`; for a table known when the first record is. */
  get columns(): readonly string[] {
    switch (this.format) {
      case 'text':
        return ['text'];
      case 'jsonl':
        return (this.memberNames ??= this.sampledMembers());
      case 'csv': {
        if (this.headerNames === undefined) {
          const header = this.opening?.header;
          if (header !== undefined) {
            const record = this.read(header.start, header.end, 0);
            this.headerNames = Array.from({ length: record.fieldCount }, (_, column) => record.value(column)!);
          } else if (!this.hasHeader && this.scanner.width > 0) this.headerNames = Array.from({ length: this.scanner.width }, (_, column) => String(column + 1));
        }
        return this.headerNames ?? [];
      }
    }
  }

  /**
   * Goes on with the index for about `maxCharacters` characters; 256 K take about two milliseconds.
   *
   * @returns whether it is done
   * @throws HumanError `csv.tooLong`, `csv.tooManyColumns`
   */
  step(maxCharacters = 256 * 1024): boolean {
    for (let left = maxCharacters; left > 0 && !this.done; ) {
      left -= this.feed(Math.min(left, 16 * 1024));
      const final = this.nextLine >= this.lines.lineCount;
      this.scanner.scan(final);
      if (!this.take() && final) this.head.complete = true;
    }
    return this.done;
  }

  /**
   * Says that lines `firstLine` to `lastLine` (of the document before) have become lines `firstLine` to `newLastLine`, wholly or in part: for a change of VS Code `range.start.line`, `range.end.line`
   * and `range.start.line` plus the number of line breaks in its text.
   */
  edit(firstLine: number, lastLine: number, newLastLine: number): void {
    this.memberNames = undefined;
    const delta = newLastLine - lastLine;
    this.islands = this.islands.flatMap((island) => island.cut(firstLine, lastLine, delta, 0)).filter((island) => island.count > 0);
    const notYetRead = !this.done && (firstLine > this.nextLine || (firstLine === this.nextLine && this.nextCharacter === 0));
    const lookedAt = this.head.far.reduce((most, { reach }) => Math.max(most, reach), this.opening?.reach ?? 0);
    if (notYetRead && lookedAt < firstLine) return;
    if (this.opening !== undefined && Math.max(this.opening.end, this.opening.reach) >= firstLine) {
      this.opening = undefined;
      this.headerNames = undefined;
    }
    // without its opening the index begins anew, and what was found becomes an island
    const base = this.opening === undefined ? 0 : this.opening.end + 1;
    this.head.frontier = this.scanner.openLine - 1;
    const keep = this.opening !== undefined || (!this.hasHeader && !this.dialect.separatorLine);
    const [before, behind] = keep ? this.head.cut(firstLine, lastLine, delta, base) : [new Segment(), this.head.cut(0, lastLine, delta, 0)[1]];
    // the record that tells the width is read without knowing it, so it is good only as the first
    if (!this.hasHeader && behind.count === this.head.count) behind.dropFirst();
    if (behind.count > 0) this.islands.unshift(behind);
    this.head.take(before);
    this.restartAt(before.frontier);
  }

  /** Start and end line of a row. @param index 0-based, below {@link rowCount} */
  rowLines(index: number): { readonly startLine: number; readonly endLine: number } {
    return { startLine: this.head.starts[index]!, endLine: this.head.ends[index]! };
  }

  /** Index of the row that a line belongs to; undefined for the header, blank lines and what is not yet indexed. */
  rowAt(line: number): number | undefined {
    const index = this.head.firstEndingFrom(line);
    return index < this.head.count && this.head.starts[index]! <= line ? index : undefined;
  }

  /** The rows [from, to) that have lines within `firstLine` to `lastLine`: what a viewport shows. */
  rowsWithin(firstLine: number, lastLine: number): { readonly from: number; readonly to: number } {
    const from = this.head.firstEndingFrom(firstLine);
    let to = from;
    while (to < this.head.count && this.head.starts[to]! <= lastLine) to++;
    return { from, to };
  }

  /** Reads a row from the document. @param index 0-based, below {@link rowCount}; row number `index + 1` */
  record(index: number): DocumentRecord {
    const { startLine, endLine } = this.rowLines(index);
    return this.read(startLine, endLine, index === 0 && !this.hasHeader ? 0 : this.width);
  }

  /** @param width what the scan knew when it came to this record */
  private read(startLine: number, endLine: number, width: number): DocumentRecord {
    const parts: string[] = [];
    for (let line = startLine; line <= endLine; line++) parts.push(this.lines.lineText(line));
    const content = parts.join('\n');
    if (this.format === 'text') return new DocumentRecord(startLine, content, [{ start: 0, end: content.length, value: content }], (column) => column);
    const units = unitsOf(content);
    if (this.format === 'jsonl') {
      const object = parseJsonLine(content);
      if (typeof object === 'string') return new DocumentRecord(startLine, content, [], () => -1);
      const members = new Map<string, JsonMember>();
      for (const member of jsonShape(units, 0, units.length, (start, end) => content.slice(start, end)).members) members.set(member.name, member);
      const { columns } = this;
      const cells = [...members.values()].map(({ name, start, end }) => ({ start, end, value: jsonText(object[name]) }));
      const names = [...members.keys()];
      return new DocumentRecord(startLine, content, cells, (column) => names.indexOf(columns[column] ?? ''));
    }
    const { reader } = this;
    reader.restart(1, width, 0);
    reader.units = units;
    reader.length = units.length;
    reader.scan(true);
    const cells = Array.from({ length: reader.records[Rec.fieldCount]! }, (_, field) => {
      const start = reader.fields[field * Fld.size + Fld.start]!;
      const end = reader.fields[field * Fld.size + Fld.end]!;
      return { start, end, value: fieldText(content.slice(start, end), reader.fields[field * Fld.size + Fld.kind]!, this.dialect.quote) };
    });
    return new DocumentRecord(startLine, content, cells, (column) => column);
  }

  private get hasHeader(): boolean {
    return this.dialect.header && this.format === 'csv';
  }

  private sampledMembers(): string[] {
    const names = new Set<string>();
    for (let line = 0, characters = 0; line < this.lines.lineCount && characters < sampleCharacters; line++) {
      const text = this.lines.lineText(line);
      characters += text.length + 1;
      const object = parseJsonLine(text);
      if (typeof object !== 'string') for (const name of Object.keys(object)) names.add(name);
    }
    return [...names];
  }

  private restartAt(line: number): void {
    const fresh = this.opening === undefined;
    const widthUnknown = fresh && this.head.count === 0;
    if (widthUnknown) this.headerNames = undefined;
    this.scanner.restart(line + 1, widthUnknown ? 0 : this.width, fresh && this.dialect.separatorLine ? 1 : 0);
    this.nextLine = line;
    this.nextCharacter = 0;
    this.head.complete = false;
  }

  /** Hands the next characters of the document to the scanner. @returns how many, at least 1 */
  private feed(characters: number): number {
    const { scanner } = this;
    const kept = scanner.length - scanner.recordStart;
    if (kept + characters + 1 > this.buffer.length) {
      const larger = new Uint16Array(2 * (kept + characters + 1));
      larger.set(this.buffer.subarray(scanner.recordStart, scanner.length));
      this.buffer = larger;
    } else this.buffer.copyWithin(0, scanner.recordStart, scanner.length);
    scanner.rebase(scanner.recordStart);
    let at = kept;
    while (at - kept < characters && this.nextLine < this.lines.lineCount) {
      const text = this.lines.lineText(this.nextLine);
      const end = Math.min(text.length, this.nextCharacter + characters - (at - kept));
      for (let i = this.nextCharacter; i < end; i++) this.buffer[at++] = text.charCodeAt(i);
      this.nextCharacter = end;
      if (end < text.length) break;
      this.nextLine++;
      this.nextCharacter = 0;
      if (this.nextLine < this.lines.lineCount) this.buffer[at++] = 10;
    }
    scanner.units = this.buffer;
    scanner.length = at;
    return Math.max(1, at - kept);
  }

  /** Takes over what the scanner has found. @returns true if rows from before an edit were taken over, and the scan goes on behind them */
  private take(): boolean {
    const { scanner, head } = this;
    const { records } = scanner;
    if (scanner.width > 0 && scanner.width !== this.width) {
      // another width can change how broken rows are read
      this.islands = [];
      this.width = scanner.width;
      this.headerNames = undefined;
    }
    for (let r = 0; r < scanner.recordCount; r++) {
      const at = r * Rec.size;
      if ((records[at + Rec.flags]! & RecordFlag.gap) !== 0) continue;
      const start = records[at + Rec.firstLine]! - 1;
      const end = records[at + Rec.lastLine]! - 1;
      const reach = records[at + Rec.reach]! - 1;
      if (this.open(start, end, reach)) continue;
      const tellsWidth = !this.hasHeader && head.count === 0;
      while (this.islands.length > 0 && !tellsWidth) {
        const island = this.islands[0]!;
        const row = island.rowStartingAt(start);
        if (row >= 0) {
          this.islands.shift();
          head.append(island, row);
          if (island.complete) {
            scanner.clear();
            head.complete = true;
          } else this.restartAt(island.frontier);
          return true;
        }
        if (island.starts[island.count - 1]! > start) break;
        this.islands.shift(); // passed
      }
      head.push(start, end, reach);
    }
    scanner.clear();
    return false;
  }

  /** Whether this record is the separator line or the header, which are no rows. */
  private open(start: number, end: number, reach: number): boolean {
    const { separatorLine } = this.dialect;
    if (this.opening === undefined && !this.hasHeader && !separatorLine) return false;
    if (this.opening === undefined && separatorLine) {
      this.opening = { end, reach, header: undefined };
      return true;
    }
    if (this.hasHeader && this.opening?.header === undefined) {
      this.opening = { end, reach: Math.max(reach, this.opening?.reach ?? 0), header: { start, end } };
      this.headerNames = undefined;
      return true;
    }
    return false;
  }
}

/** A run of rows without a hole, and the line at which the scan goes on behind it. */
class Segment {
  starts: Int32Array = new Int32Array(0);
  ends: Int32Array = new Int32Array(0);
  count = 0;
  /** Rows on which lines beyond their end had a say (a quote that is never closed), and the last such line. Few. */
  far: { readonly row: number; readonly reach: number }[] = [];
  frontier = 0;
  /** Nothing comes behind it. */
  complete = false;

  push(start: number, end: number, reach: number): void {
    this.reserve(this.count + 1);
    this.starts[this.count] = start;
    this.ends[this.count] = end;
    if (reach > end) this.far.push({ row: this.count, reach });
    this.count++;
  }

  /** Adds the rows of another one from `row` on. */
  append(other: Segment, row: number): void {
    const more = other.count - row;
    this.reserve(this.count + more);
    this.starts.set(other.starts.subarray(row, other.count), this.count);
    this.ends.set(other.ends.subarray(row, other.count), this.count);
    for (const entry of other.far) if (entry.row >= row) this.far.push({ row: entry.row - row + this.count, reach: entry.reach });
    this.count += more;
  }

  dropFirst(): void {
    if (this.count === 0) return;
    this.starts = this.starts.subarray(1);
    this.ends = this.ends.subarray(1);
    this.count--;
    this.far = this.far.filter(({ row }) => row > 0).map(({ row, reach }) => ({ row: row - 1, reach }));
  }

  take(other: Segment): void {
    this.starts = other.starts;
    this.ends = other.ends;
    this.count = other.count;
    this.far = other.far;
    this.complete = other.complete;
  }

  /**
   * What stays of it after an edit: the rows before, which the edit cannot have changed, and those behind, in their new place.
   *
   * @param base where the scan goes on if no row stays before the edit
   */
  cut(firstLine: number, lastLine: number, delta: number, base: number): [Segment, Segment] {
    let kept = this.firstEndingFrom(firstLine);
    for (const { row, reach } of this.far) if (reach >= firstLine) kept = Math.min(kept, row);
    const before = new Segment();
    before.starts = this.starts;
    before.ends = this.ends;
    before.count = kept;
    before.far = this.far.filter(({ row }) => row < kept);
    before.frontier = kept > 0 ? this.ends[kept - 1]! + 1 : base;

    let first = this.count;
    if (this.count > 0 && this.starts[this.count - 1]! > lastLine) {
      first = this.firstEndingFrom(lastLine + 1);
      if (this.starts[first]! <= lastLine) first++;
    }
    const behind = new Segment();
    behind.starts = shifted(this.starts.slice(first, this.count), delta);
    behind.ends = shifted(this.ends.slice(first, this.count), delta);
    behind.count = this.count - first;
    behind.far = this.far.filter(({ row }) => row >= first).map(({ row, reach }) => ({ row: row - first, reach: reach + delta }));
    behind.frontier = this.frontier + delta;
    behind.complete = this.complete;
    return [before, behind];
  }

  /** Index of the first row that ends on this line or later. */
  firstEndingFrom(line: number): number {
    return firstNotBelow(this.ends, this.count, line);
  }

  /** Index of the row that starts on this line, or -1. */
  rowStartingAt(line: number): number {
    const index = firstNotBelow(this.starts, this.count, line);
    return index < this.count && this.starts[index] === line ? index : -1;
  }

  private reserve(count: number): void {
    if (count <= this.starts.length) return;
    const capacity = Math.max(1024, count, this.starts.length * 2);
    const grown = (old: Int32Array): Int32Array => {
      const larger = new Int32Array(capacity);
      larger.set(old.subarray(0, this.count));
      return larger;
    };
    this.starts = grown(this.starts);
    this.ends = grown(this.ends);
  }
}

/** Adds in place; a loop, since it runs at every key press. */
function shifted(lines: Int32Array, delta: number): Int32Array {
  if (delta !== 0) for (let i = 0; i < lines.length; i++) lines[i]! += delta;
  return lines;
}

function firstNotBelow(sorted: Int32Array, count: number, value: number): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

function unitsOf(text: string): Uint16Array {
  const units = new Uint16Array(text.length);
  for (let i = 0; i < text.length; i++) units[i] = text.charCodeAt(i);
  return units;
}
