/**
 * The one state machine behind all readers of this folder: it finds where records and fields begin and end (RFC 4180 and what
 * real files do to it), and decodes nothing. It runs on bytes (UTF-8 and other encodings in which ASCII bytes stand for
 * themselves) and on UTF-16 units, takes its input in pieces of any size, and gives the same records for every way of cutting.
 *
 * Recovery, so that nothing is lost and one bad quote costs one row, not the file:
 * - text after a closing quote (`"a" b`): the field runs on to the next delimiter, and stands as it is in the file;
 * - a quote that is never closed, or not within {@link ScanLimits}: it counts as an ordinary character, and its record ends
 *   with its line. The same when text follows the next quote some lines below and the first line alone has the right width:
 *   then that next quote opens a field of its own.
 */
import { HumanError } from '../errors';

/** Bytes, or UTF-16 units. */
export type Units = Uint8Array | Uint16Array;

export interface ScanLimits {
  /** Longest quoted field, in units, before its opening quote counts as forgotten. */
  readonly fieldUnits: number;
  /** Most lines in one quoted field before its opening quote counts as forgotten. */
  readonly fieldLines: number;
  /** Longest record, in units. There is no recovery from a longer one. */
  readonly recordUnits: number;
  /** Most fields in one record. There is no recovery from more. */
  readonly fields: number;
}

export const defaultLimits: ScanLimits = {
  fieldUnits: 16 * 1024 * 1024,
  fieldLines: 10_000,
  recordUnits: 64 * 1024 * 1024,
  fields: 100_000,
};

/** What a field looks like in the file. */
export const FieldKind = {
  /** Stands as it is. */
  plain: 0,
  /** In quotes, none of which is doubled. Blanks may follow the closing quote. */
  quoted: 1,
  /** In quotes, with doubled quotes inside. */
  doubled: 2,
  /** Text follows a closing quote; stands as it is, quotes included. */
  stray: 3,
  /** Its opening quote is never closed; stands as it is, quote included. */
  unclosed: 4,
} as const;

/** Bits of a record's flags. */
export const RecordFlag = {
  /** A line that is no row: empty, or blanks only. */
  gap: 1,
  /** Some field is `stray` or `unclosed`. */
  malformed: 2,
  /** Some unit may be 0x80 or above. */
  high: 4,
  /** Some unit may be 0. */
  nul: 8,
} as const;

/** Ints per record in {@link RecordScanner.records}, and the place of each. Positions count units of {@link RecordScanner.units}. */
export const Rec = {
  size: 9,
  start: 0,
  /** End of the content, before the line break. */
  end: 1,
  /** Start of the next record, behind the line break. */
  next: 2,
  /** 1-based. */
  firstLine: 3,
  /** 1-based, the line on which the content ends. */
  lastLine: 4,
  /** Index of its first field in {@link RecordScanner.fields}. */
  field: 5,
  fieldCount: 6,
  flags: 7,
  /** 1-based, the last line that was looked at to decide on this record; beyond `lastLine` when a quote was not closed. */
  reach: 8,
} as const;

/** Ints per field in {@link RecordScanner.fields}, and the place of each. */
export const Fld = { size: 3, start: 0, end: 1, kind: 2 } as const;

const NUL = 0;
const TAB = 9;
const LF = 10;
const CR = 13;
const SPACE = 32;

const Mode = { start: 0, plain: 1, quoted: 2, closed: 3 } as const;

export interface ScannerOptions {
  /** One ASCII character; '' for none: then each line is a record of one field. */
  readonly delimiter: string;
  /** One ASCII character; '' for none: then quotes are ordinary characters. */
  readonly quote: string;
  /** Where the first record's content starts: behind a byte order mark. */
  readonly contentStart?: number;
  /** 1-based number of the first line. */
  readonly firstLine?: number;
  /** Number of fields of a proper record; 0 to take it from the first record that is no gap. */
  readonly width?: number;
  /** Records at the start that are no rows and say nothing about the width (Excel's `sep=;`). */
  readonly prefaceRecords?: number;
  readonly limits?: Partial<ScanLimits>;
  /** Named in errors. */
  readonly fileName?: string;
}

/**
 * Use: append to {@link units} and {@link length}, call {@link scan}, read {@link records} and {@link fields}, call {@link clear}.
 * The owner may drop everything before {@link recordStart} from `units` when it calls {@link rebase} with that amount.
 */
export class RecordScanner {
  units: Units = new Uint8Array(0);
  /** How many of `units` are filled. */
  length = 0;
  records = new Int32Array(Rec.size * 64);
  recordCount = 0;
  fields = new Int32Array(Fld.size * 256);
  /** Start of the record that is not yet complete. */
  recordStart = 0;
  /** Number of fields of a proper record; 0 while unknown. */
  width: number;
  /** 1-based line at which the scan stands. */
  line: number;

  private readonly delimiter: number;
  private readonly quote: number;
  private readonly plainStops: Uint8Array;
  private readonly quotedStops: Uint8Array;
  private readonly limits: ScanLimits;
  private readonly fileName: string;
  private preface: number;
  private position: number;
  private mode: number = Mode.start;
  private fieldStart = 0;
  private fieldLine = 0;
  private kind: number = FieldKind.plain;
  private firstLine: number;
  private seen = 0;
  private flags = 0;
  private reach = 0;
  private fieldTotal = 0;
  private openField = 0;

  constructor(options: ScannerOptions) {
    this.delimiter = options.delimiter === '' ? -1 : options.delimiter.charCodeAt(0);
    this.quote = options.quote === '' ? -1 : options.quote.charCodeAt(0);
    this.position = options.contentStart ?? 0;
    this.line = this.firstLine = options.firstLine ?? 1;
    this.width = options.width ?? 0;
    this.preface = options.prefaceRecords ?? 0;
    this.limits = { ...defaultLimits, ...options.limits };
    this.fileName = options.fileName ?? '';
    this.plainStops = stopsAt(this.delimiter);
    this.quotedStops = stopsAt(this.quote);
  }

  /** Number of fields in the records found since the last {@link clear}, without those of the incomplete record. */
  get completeFields(): number {
    return this.openField;
  }

  /**
   * Finds all records that are complete in `units`; with `final`, there is nothing behind them, and what remains is a record too.
   *
   * @throws HumanError `csv.tooLong`, `csv.tooManyColumns`
   */
  scan(final: boolean): void {
    const { units, plainStops, quotedStops, delimiter, quote } = this;
    const { fieldUnits, fieldLines } = this.limits;
    const n = this.length;
    let { position: i, mode, fieldStart, kind, line, seen } = this;
    for (;;) {
      if (mode === Mode.start) {
        fieldStart = i;
        if (i >= n) {
          // a delimiter or a byte order mark at the very end leaves one more, empty, field
          if (final && i > this.recordStart) {
            this.pushField(i, i, FieldKind.plain);
            this.pushRecord(i, i, line, seen);
          }
          break;
        }
        if (units[i] === quote) {
          mode = Mode.quoted;
          kind = FieldKind.quoted;
          this.fieldLine = line;
          i++;
        } else {
          mode = Mode.plain;
          kind = FieldKind.plain;
        }
      }

      if (mode === Mode.plain) {
        let c = -1;
        while (i < n) {
          c = units[i]!;
          seen |= c;
          if (plainStops[c] !== 0) break;
          i++;
        }
        if (i >= n) {
          if (final) {
            this.pushField(fieldStart, n, kind);
            this.pushRecord(n, n, line, seen);
            mode = Mode.start;
            seen = 0;
          }
          break;
        }
        if (c === delimiter) {
          this.pushField(fieldStart, i, kind);
          i++;
          mode = Mode.start;
        } else if (c === NUL) {
          this.flags |= RecordFlag.nul;
          i++;
        } else {
          let next = i + 1;
          if (c === CR) {
            if (next === n && !final) break; // the next piece tells whether a line feed belongs to it
            if (next < n && units[next] === LF) next++;
          }
          this.pushField(fieldStart, i, kind);
          this.pushRecord(i, next, line, seen);
          line++;
          this.firstLine = line;
          i = next;
          mode = Mode.start;
          seen = 0;
        }
        continue;
      }

      if (mode === Mode.quoted) {
        const limit = fieldStart + fieldUnits;
        const stop = limit < n ? limit : n;
        let c = -1;
        while (i < stop) {
          c = units[i]!;
          seen |= c;
          if (quotedStops[c] !== 0) break;
          i++;
        }
        if (i >= stop) {
          if (stop < limit && !final) break;
          this.reach = Math.max(this.reach, line);
          i = fieldStart;
          line = this.fieldLine;
          kind = FieldKind.unclosed;
          mode = Mode.plain;
        } else if (c === quote) {
          if (i + 1 === n && !final) break; // doubled, or closing?
          if (i + 1 < n && units[i + 1] === quote) {
            kind = FieldKind.doubled;
            i += 2;
          } else {
            i++;
            mode = Mode.closed;
          }
        } else if (c === NUL) {
          this.flags |= RecordFlag.nul;
          i++;
        } else {
          let next = i + 1;
          if (c === CR) {
            if (next === n && !final) break;
            if (next < n && units[next] === LF) next++;
          }
          i = next;
          line++;
          if (line - this.fieldLine >= fieldLines) {
            this.reach = Math.max(this.reach, line);
            i = fieldStart;
            line = this.fieldLine;
            kind = FieldKind.unclosed;
            mode = Mode.plain;
          }
        }
        continue;
      }

      // behind a closing quote
      while (i < n && (units[i] === SPACE || units[i] === TAB) && units[i] !== delimiter) i++;
      if (i >= n && !final) break;
      if (i < n) {
        const c = units[i]!;
        if (c !== delimiter && c !== CR && c !== LF) {
          const before = this.fieldTotal - this.openField;
          if (line > this.fieldLine && this.width > 0 && before + this.fieldsOnLine(fieldStart) === this.width) {
            this.reach = Math.max(this.reach, line);
            i = fieldStart;
            line = this.fieldLine;
            kind = FieldKind.unclosed;
          } else {
            kind = FieldKind.stray;
          }
        }
      }
      mode = Mode.plain;
    }
    this.position = i;
    this.mode = mode;
    this.fieldStart = fieldStart;
    this.kind = kind;
    this.line = line;
    this.seen = seen;
    if (n - this.recordStart > this.limits.recordUnits) this.throwTooLong();
  }

  /** Forgets the records found so far. */
  clear(): void {
    this.recordCount = 0;
    this.fields.copyWithin(0, this.openField * Fld.size, this.fieldTotal * Fld.size);
    this.fieldTotal -= this.openField;
    this.openField = 0;
  }

  /** Begins anew at the start of a record, which stands at unit 0 of what {@link units} will hold; tables and dialect stay. @param firstLine 1-based @param width 0 for unknown */
  restart(firstLine: number, width: number, prefaceRecords: number): void {
    this.clear();
    this.fieldTotal = this.openField = this.recordStart = this.position = this.fieldStart = this.length = this.seen = this.flags = this.reach = 0;
    this.mode = Mode.start;
    this.line = this.firstLine = firstLine;
    this.width = width;
    this.preface = prefaceRecords;
  }

  /** 1-based line on which the record starts that is not yet complete. */
  get openLine(): number {
    return this.firstLine;
  }

  /** Says that `units` now begins `shift` units later; at most {@link recordStart}, after {@link clear}. */
  rebase(shift: number): void {
    this.position -= shift;
    this.recordStart -= shift;
    this.fieldStart -= shift;
    for (let at = 0; at < this.fieldTotal * Fld.size; at += Fld.size) {
      this.fields[at + Fld.start]! -= shift;
      this.fields[at + Fld.end]! -= shift;
    }
  }

  private pushField(start: number, end: number, kind: number): void {
    if (this.fieldTotal - this.openField >= this.limits.fields) {
      throw new HumanError('csv.tooManyColumns', '{0}: the record in line {1} has more than {2} fields. Check that the file is a table, and which character separates its columns.', [
        this.fileName,
        this.firstLine,
        this.limits.fields,
      ]);
    }
    const at = this.fieldTotal * Fld.size;
    if (at === this.fields.length) this.fields = doubled(this.fields);
    this.fields[at + Fld.start] = start;
    this.fields[at + Fld.end] = end;
    this.fields[at + Fld.kind] = kind;
    this.fieldTotal++;
    if (kind > FieldKind.doubled) this.flags |= RecordFlag.malformed;
  }

  private pushRecord(end: number, next: number, line: number, seen: number): void {
    if (next - this.recordStart > this.limits.recordUnits) this.throwTooLong();
    const count = this.fieldTotal - this.openField;
    let flags = this.flags;
    if (seen >= 0x80) flags |= RecordFlag.high;
    if (count === 1 && this.isBlank(this.openField)) flags |= RecordFlag.gap;
    else if (this.preface > 0) this.preface--;
    else if (this.width === 0) this.width = count;
    const at = this.recordCount * Rec.size;
    if (at === this.records.length) this.records = doubled(this.records);
    const { records } = this;
    records[at + Rec.start] = this.recordStart;
    records[at + Rec.end] = end;
    records[at + Rec.next] = next;
    records[at + Rec.firstLine] = this.firstLine;
    records[at + Rec.lastLine] = line;
    records[at + Rec.field] = this.openField;
    records[at + Rec.fieldCount] = count;
    records[at + Rec.flags] = flags;
    records[at + Rec.reach] = Math.max(this.reach, line);
    this.recordCount++;
    this.openField = this.fieldTotal;
    this.recordStart = next;
    this.flags = 0;
    this.reach = 0;
  }

  private throwTooLong(): never {
    throw new HumanError(
      'csv.tooLong',
      '{0}: the record that starts in line {1} is longer than {2} characters, so this is no table of texts. Check that it is the right file, and that its line breaks are there.',
      [this.fileName, this.firstLine, this.limits.recordUnits],
    );
  }

  private isBlank(field: number): boolean {
    const at = field * Fld.size;
    if (this.fields[at + Fld.kind] !== FieldKind.plain) return false;
    for (let i = this.fields[at + Fld.start]!; i < this.fields[at + Fld.end]!; i++) {
      if (this.units[i] !== SPACE && this.units[i] !== TAB) return false;
    }
    return true;
  }

  /** How many fields stand from `from` to the end of that line, if the quote at `from` is an ordinary character. A line break must follow. */
  private fieldsOnLine(from: number): number {
    const { units, delimiter, quote } = this;
    const ends = (c: number | undefined): boolean => c === CR || c === LF;
    let count = 1;
    for (let i = from + 1; !ends(units[i]); i++) {
      if (units[i] !== delimiter) continue;
      count++;
      if (units[i + 1] !== quote) continue;
      // a quoted field that is whole on this line may hold delimiters
      let close = i + 2;
      while (!ends(units[close]) && (units[close] !== quote || units[close + 1] === quote)) close += units[close] === quote ? 2 : 1;
      if (units[close] === quote && (ends(units[close + 1]) || units[close + 1] === delimiter)) i = close;
    }
    return count;
  }
}

const stopTables = new Map<number, Uint8Array>();

/** 1 for the units at which a run of ordinary characters ends: line breaks, NUL, and this one (none if negative). */
function stopsAt(unit: number): Uint8Array {
  let table = stopTables.get(unit);
  if (table === undefined) {
    table = new Uint8Array(65536);
    for (const stop of [unit, CR, LF, NUL]) if (stop >= 0) table[stop] = 1;
    stopTables.set(unit, table);
  }
  return table;
}

function doubled(array: Int32Array): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(array.length * 2);
  larger.set(array);
  return larger;
}
