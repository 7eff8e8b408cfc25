/** How a table is written: its delimiter, quote, header and line ends, told from its first records. */
import type { Encoding } from './encoding';
import { Fld, FieldKind, Rec, RecordFlag, RecordScanner, type Units } from './scanner';

export type LineBreak = '\n' | '\r\n' | '\r';

export interface Dialect {
  readonly encoding: Encoding;
  /** Length of the byte order mark: 0, 2 or 3. */
  readonly bomBytes: number;
  /** One ASCII character between fields. */
  readonly delimiter: string;
  /** `"`, or '' where quotes are ordinary characters, as in many .tsv files. */
  readonly quote: string;
  /** Whether the first record names the columns. */
  readonly header: boolean;
  /** Whether the file starts with Excel's `sep=;`, a line that is no row. */
  readonly separatorLine: boolean;
  /** The line break behind the first record; `\n` if there is none. A file may mix them. */
  readonly lineBreak: LineBreak;
}

/** What a person or a caller already knows; the rest is sniffed. */
export type DialectOptions = Partial<Pick<Dialect, 'delimiter' | 'quote' | 'header' | 'encoding'>>;

/** In the order of preference where a file leaves it open. */
export const delimiters = [',', '\t', ';', '|'] as const;

export interface DialectSample {
  readonly units: Units;
  readonly length: number;
  /** Where the content starts, behind a byte order mark. */
  readonly contentStart: number;
  /** Whether this is the whole file. */
  readonly complete: boolean;
  /** Decodes the units in [start, end). */
  text(start: number, end: number): string;
}

/** Everything of a {@link Dialect} that is not about bytes. */
export type SniffedDialect = Omit<Dialect, 'encoding' | 'bomBytes'>;

const sampledRecords = 300;

/**
 * Tells the dialect from a sample. Each delimiter is tried: the first record must have at least two fields, then the one wins under which most
 * records have as many fields as the first and fewest are malformed. A .tsv with a tab in it is always split at tabs. With tabs, quotes count as ordinary
 * characters if that alone makes the records fit.
 */
export function sniffDialect(sample: DialectSample, fileName: string, options: DialectOptions = {}): SniffedDialect {
  const separator = separatorLine(sample);
  const only = options.delimiter ?? separator ?? (/\.(?:tsv|tab)$/i.test(withoutGz(fileName)) && contains(sample, '\t') ? '\t' : undefined);
  // a second byte of GB 18030 can look like a bar
  const usual = options.encoding === 'gb18030' ? delimiters.filter((delimiter) => delimiter !== '|') : delimiters;
  const candidates = (only === undefined ? usual : [only]).flatMap((delimiter) =>
    (options.quote !== undefined ? [options.quote] : delimiter === '\t' ? ['"', ''] : ['"']).map((quote) => trial(sample, delimiter, quote, separator !== undefined)),
  );
  let best = candidates[0]!;
  for (const candidate of candidates) if (isBetter(candidate, best)) best = candidate;
  const header = options.header ?? looksLikeHeader(best.records(sample));
  return { delimiter: best.delimiter, quote: best.quote, header, separatorLine: separator !== undefined, lineBreak: best.lineBreak };
}

interface Trial {
  readonly delimiter: string;
  readonly quote: string;
  readonly width: number;
  /** Share of the records that have as many fields as the first and no stray quotes, 0..1. */
  readonly fit: number;
  /** Fields in quotes that are properly closed. */
  readonly quotedFields: number;
  readonly rows: number;
  readonly lineBreak: LineBreak;
  records(sample: DialectSample): string[][];
}

function trial(sample: DialectSample, delimiter: string, quote: string, hasSeparatorLine: boolean): Trial {
  const scan = (final: boolean): RecordScanner => {
    const scanner = new RecordScanner({ delimiter, quote, contentStart: sample.contentStart, prefaceRecords: hasSeparatorLine ? 1 : 0 });
    scanner.units = sample.units;
    scanner.length = sample.length;
    scanner.scan(final);
    return scanner;
  };
  let scanner = scan(sample.complete);
  if (scanner.width === 0) scanner = scan(true);
  const { records, fields } = scanner;
  const rows: number[] = [];
  for (let r = 0; r < scanner.recordCount && rows.length < sampledRecords; r++) {
    if ((records[r * Rec.size + Rec.flags]! & RecordFlag.gap) === 0) rows.push(r * Rec.size);
  }
  if (hasSeparatorLine) rows.shift();
  let fitting = 0;
  let quotedFields = 0;
  for (const at of rows) {
    const malformed = (records[at + Rec.flags]! & RecordFlag.malformed) !== 0;
    if (!malformed && records[at + Rec.fieldCount] === scanner.width) fitting++;
    for (let f = 0; f < records[at + Rec.fieldCount]!; f++) {
      const kind = fields[(records[at + Rec.field]! + f) * Fld.size + Fld.kind]!;
      if (kind === FieldKind.quoted || kind === FieldKind.doubled) quotedFields++;
    }
  }
  return {
    delimiter,
    quote,
    width: scanner.width,
    fit: rows.length === 0 ? 0 : fitting / rows.length,
    quotedFields,
    rows: rows.length,
    lineBreak: lineBreakOf(sample.units, records[Rec.end]!, scanner.recordCount > 0 ? records[Rec.next]! : 0),
    records: (from) =>
      rows.map((at) => {
        const values: string[] = [];
        for (let f = 0; f < records[at + Rec.fieldCount]!; f++) {
          const field = (records[at + Rec.field]! + f) * Fld.size;
          values.push(fieldText(from.text(fields[field + Fld.start]!, fields[field + Fld.end]!), fields[field + Fld.kind]!, quote));
        }
        return values;
      }),
  };
}

function isBetter(a: Trial, b: Trial): boolean {
  if (a.width < 2 || b.width < 2) return a.width >= 2 && b.width < 2;
  // the same delimiter with quotes (b) and without (a): only if that helps, and no other fields are properly quoted
  if (a.delimiter === b.delimiter) return a.fit > b.fit && b.quotedFields <= 3 * (1 - b.fit) * b.rows;
  if (Math.abs(a.fit - b.fit) > 0.02) return a.fit > b.fit;
  if (a.width !== b.width) return a.width > b.width;
  return a.quotedFields > b.quotedFields;
}

/** The value of a field from its text in the file: without its quotes, doubled quotes single; as it stands if it is malformed. */
export function fieldText(raw: string, kind: number, quote: string): string {
  if (kind !== FieldKind.quoted && kind !== FieldKind.doubled) return raw;
  const inner = raw.slice(1, raw.lastIndexOf(quote));
  return kind === FieldKind.doubled ? inner.replaceAll(quote + quote, quote) : inner;
}

const commonNames = new Set(
  ('id,index,idx,text,label,labels,review,reviews,content,contents,body,message,comment,comments,title,sentence,tweet,rating,score,stars,sentiment,category,class,target,date,time,name,author,user,source,url,lang,' +
    '文本,内容,正文,评论,标题,标签,类别,情感,评分,日期,编号,序号').split(','),
);

/**
 * Whether the first record names the columns. It does unless it plainly holds data: a number, or a value that comes again in its column.
 * A well-known column name settles it (a file may repeat its header).
 */
function looksLikeHeader(records: readonly (readonly string[])[]): boolean {
  const first = records[0];
  if (first === undefined || first.some((value) => commonNames.has(value.trim().toLowerCase()))) return true;
  const rows = records.slice(1);
  return !first.some((value, column) => {
    const cell = value.trim();
    if (cell === '') return false;
    const others = rows.map((row) => row[column]?.trim() ?? '');
    if (isNumber(cell)) return rows.length === 0 || others.some(isNumber);
    return others.filter((other) => other === cell).length >= Math.max(1, rows.length * 0.02);
  });
}

function isNumber(text: string): boolean {
  return /^[+-]?(?:\d+[.,]?\d*|[.,]\d+)(?:e[+-]?\d+)?$/i.test(text);
}

function lineBreakOf(units: Units, end: number, next: number): LineBreak {
  if (next - end === 2) return '\r\n';
  return next - end === 1 && units[end] === 13 ? '\r' : '\n';
}

function separatorLine(sample: DialectSample): string | undefined {
  const start = sample.text(sample.contentStart, Math.min(sample.length, sample.contentStart + 8));
  return /^"?sep=([,;\t|])"?(?:[\r\n]|$)/i.exec(start)?.[1];
}

function contains(sample: DialectSample, character: string): boolean {
  const at = sample.units.indexOf(character.charCodeAt(0));
  return at >= 0 && at < sample.length;
}

/** `reviews.csv.gz` → `reviews.csv`. */
export function withoutGz(fileName: string): string {
  return fileName.replace(/\.gz$/i, '');
}
