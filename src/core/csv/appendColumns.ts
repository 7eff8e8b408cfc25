import type { Dialect } from './dialect';
import { joinBytes } from '../util/bytes';
import { encodeText } from './encoding';
import { JsonRecord, type RecordSource, type TextRecord } from './record';

/** A value to add. Numbers are written as JavaScript writes them; round before. A list stays one in JSON; in a cell its parts are joined with `;`, so escape before what needs it. */
export type CellValue = string | number | readonly string[];

/**
 * Names for columns to be added: the wanted ones, each with `_2`, `_3` … if the file has a column of that name (letter case and blanks around it aside).
 * JSONL: judged by the members that the reader has met by then, which are at least those of the file's first 64 KB.
 */
export function freeColumnNames(source: Pick<RecordSource, 'columns'>, wanted: readonly string[]): string[] {
  const taken = new Set(source.columns.map(folded));
  return wanted.map((name) => {
    const free = freeName(name, (candidate) => taken.has(folded(candidate)));
    taken.add(folded(free));
    return free;
  });
}

/**
 * The bytes of a record with columns added, in the file's encoding. Written one behind the other, the results for all records of a file are a copy of it in which all other bytes are
 * unchanged: blank lines, mixed line breaks, quotes, broken characters, a byte order mark, a missing line break at the end.
 *
 * - Tables: the header gets `names`, a row `values` (fewer than names: the rest is empty; none for a row without a result). They stand behind the last column of the header also in rows
 *   that are shorter, which are filled up with empty fields, or longer, whose nameless fields follow. Values are quoted only if they need it.
 * - JSONL: members are added before the closing brace, spaced as the line is. Only for a row with values. If a line has a member of that name, the line's next free name is taken.
 *   Lines that are no objects stay as they are.
 * - Plain text becomes a table, which is what people open next: the header `text` and the names, then each line in its place as one row, quoted if needed; a blank
 *   line stays blank, so that line n of the text is line n + 1 of the table. Name such a copy .csv.
 *
 * @throws HumanError `csv.encode` if a name or value has characters that the file's encoding lacks
 */
export function appendColumns(record: TextRecord, names: readonly string[], values: readonly CellValue[]): Uint8Array {
  if (record.kind === 'gap') return record.bytes;
  if (record instanceof JsonRecord) return appendMembers(record, names, values);
  const { dialect, columns, format } = record.source;
  const cells = record.kind === 'header' ? names : names.map((_, i) => values[i] ?? '');
  const added = cells.map((cell) => dialect.delimiter + formatCell(cell, dialect)).join('');
  if (format === 'text') {
    return record.kind === 'header' ? joinBytes([record.bytes, encodeText(dialect.encoding, `text${added}${dialect.lineBreak}`)]) : quotedLine(record, added);
  }
  const missing = Math.max(0, columns.length - record.fieldCount);
  const last = record.range(Math.min(columns.length, record.fieldCount) - 1)!;
  return inserted(record, last.end, encodeText(dialect.encoding, dialect.delimiter.repeat(missing) + added));
}

/** One field as it stands in a table: in quotes if it holds a delimiter, a quote or a line break. Where quotes are ordinary characters, delimiters and line breaks become blanks. */
export function formatCell(value: CellValue, dialect: Pick<Dialect, 'delimiter' | 'quote'>): string {
  const text = cellText(value);
  const { delimiter, quote } = dialect;
  if (quote === '') return text.replaceAll(delimiter, ' ').replace(/[\r\n]+/g, ' ');
  const needed = text.includes(delimiter) || text.includes(quote) || /[\r\n]/.test(text);
  return needed ? quote + text.replaceAll(quote, quote + quote) + quote : text;
}

/** A whole record without its line break. A single empty field is quoted, since an empty line is no record. */
export function formatRecord(values: readonly CellValue[], dialect: Pick<Dialect, 'delimiter' | 'quote'>): string {
  const [only] = values;
  if (values.length === 1 && only !== undefined && cellText(only).trim() === '' && dialect.quote !== '') return dialect.quote + cellText(only) + dialect.quote;
  return values.map((value) => formatCell(value, dialect)).join(dialect.delimiter);
}

function appendMembers(record: JsonRecord, names: readonly string[], values: readonly CellValue[]): Uint8Array {
  const place = record.insertion;
  if (place === undefined || values.length === 0) return record.bytes;
  const blank = place.spaced ? ' ' : '';
  let text = '';
  const used = new Set<string>();
  for (const [i, value] of values.entries()) {
    const name = freeName(names[i]!, (candidate) => record.has(candidate) || used.has(candidate));
    used.add(name);
    const comma = place.first && i === 0 ? '' : `,${blank}`;
    text += `${comma}${JSON.stringify(name)}:${blank}${JSON.stringify(value)}`;
  }
  return inserted(record, place.offset, encodeText(record.source.dialect.encoding, text));
}

/** A line of plain text as the first field of a row, quoted if need be: on bytes, so that what cannot be decoded stays as it is. */
function quotedLine(record: TextRecord, added: string): Uint8Array {
  const { encoding, delimiter, quote } = record.source.dialect;
  const line = record.value(0)!;
  const needed = line.includes(delimiter) || line.includes(quote);
  const end = record.end - record.start;
  const content = record.bytes.subarray(0, end);
  const rest = record.bytes.subarray(end);
  const tail = encodeText(encoding, added);
  if (!needed) return joinBytes([content, tail, rest]);
  const mark = encodeText(encoding, quote);
  const parts: Uint8Array[] = [mark];
  let from = 0;
  for (let i = 0; i + mark.length <= content.length; i += mark.length) {
    if (!mark.every((byte, k) => content[i + k] === byte)) continue;
    parts.push(content.subarray(from, i), mark);
    from = i;
  }
  return joinBytes([...parts, content.subarray(from), mark, tail, rest]);
}

function inserted(record: TextRecord, offset: number, more: Uint8Array): Uint8Array {
  const { bytes } = record;
  const at = offset - record.start;
  const whole = new Uint8Array(bytes.length + more.length);
  whole.set(bytes.subarray(0, at));
  whole.set(more, at);
  whole.set(bytes.subarray(at), at + more.length);
  return whole;
}

function cellText(value: CellValue): string {
  return typeof value === 'object' ? value.join(';') : String(value);
}

function freeName(wanted: string, taken: (name: string) => boolean): string {
  if (!taken(wanted)) return wanted;
  for (let n = 2; ; n++) if (!taken(`${wanted}_${n}`)) return `${wanted}_${n}`;
}

function folded(name: string): string {
  return name.trim().toLowerCase();
}
