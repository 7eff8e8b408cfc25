import * as fc from 'fast-check';
import { encodeText, type Encoding } from '../../../src/core/csv/encoding';
import { RecordReader, type ReaderOptions } from '../../../src/core/csv/reader';
import type { TextRecord } from '../../../src/core/csv/record';

export const utf8 = (text: string): Uint8Array => encodeText('utf-8', text);
export const textOf = (bytes: Uint8Array): string => new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);

export function joinBytes(parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

/** Reads in pieces of these sizes, over and over; always through the same array, so that a reader that keeps the caller's piece is found out. */
export function readInPieces(fileName: string, bytes: Uint8Array, sizes: readonly number[], options?: ReaderOptions): TextRecord[] {
  const reader = new RecordReader(fileName, options);
  const records: TextRecord[] = [];
  const piece = new Uint8Array(Math.max(...sizes));
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = Math.min(sizes[i % sizes.length]!, bytes.length - at);
    piece.set(bytes.subarray(at, at + size));
    records.push(...reader.push(piece.subarray(0, size)));
    piece.fill(0xaa);
    at += size;
  }
  records.push(...reader.end());
  return records;
}

/** All that a record says of itself, to compare. */
export function snapshot(record: TextRecord): unknown {
  const { kind, row, start, end, next, firstLine, lastLine, fieldCount } = record;
  return {
    ...{ kind, row, start, end, next, firstLine, lastLine },
    bytes: [...record.bytes],
    fields: Array.from({ length: fieldCount }, (_, column) => ({ value: record.value(column), range: record.range(column), lines: record.lines(column) })),
    defects: record.defects.map((defect) => defect.message),
  };
}

/** A table as it is written, and what a reader must find in it. */
export interface WrittenTable {
  readonly bytes: Uint8Array;
  readonly encoding: Encoding;
  readonly bomBytes: number;
  readonly delimiter: string;
  readonly records: readonly WrittenRecord[];
}

export interface WrittenRecord {
  readonly gap: boolean;
  readonly values: readonly string[];
  /** Text of each field as written, quotes included. */
  readonly raw: readonly string[];
  /** Text of the record, and with its line break. */
  readonly content: string;
  readonly whole: string;
}

const lineBreaks = ['\n', '\r\n', '\r'] as const;

/** Cells of which half are ugly. */
const cell = fc.oneof(
  fc.constantFrom('', 'a', 'good film', '很好，喜欢', '😀 déjà', '0.5', ' padded '),
  fc.string({ unit: fc.constantFrom('a', ' ', ',', ';', '\t', '|', '"', '\n', '\r', '好', '😀', 'é', '\'', '\\'), maxLength: 8 }),
);

/** Any well-formed table in any dialect: ragged rows, blank lines, mixed line breaks, needless quotes, blanks behind closing quotes, with or without a last line break. */
export const writtenTable: fc.Arbitrary<WrittenTable> = fc
  .record({
    delimiter: fc.constantFrom(',', '\t', ';', '|'),
    encoding: fc.constantFrom<Encoding>('utf-8', 'utf-16le', 'utf-16be'),
    bom: fc.boolean(),
    lastBreak: fc.boolean(),
    rows: fc.array(
      fc.oneof(
        { weight: 6, arbitrary: fc.array(fc.record({ value: cell, quoted: fc.boolean(), padding: fc.constantFrom('', '', '', ' ', '  ') }), { minLength: 1, maxLength: 5 }) },
        { weight: 1, arbitrary: fc.constantFrom('', ' ', '   ') },
      ).chain((row) => fc.constantFrom(...lineBreaks).map((lineBreak) => ({ row, lineBreak }))),
      { maxLength: 8 },
    ),
  })
  .map(({ delimiter, encoding, bom, lastBreak, rows }) => {
    const records = rows.map(({ row, lineBreak }, index): WrittenRecord => {
      // a CR before an LF would be one line break, and a blank record of no bytes at the end of the file is none
      const next = rows[index + 1]?.row;
      const last = index === rows.length - 1;
      const safe = lineBreak === '\r' && (next === '' || next === undefined) ? '\r\n' : lineBreak;
      const ending = last && !lastBreak && row !== '' ? '' : safe;
      if (typeof row === 'string') return { gap: true, values: [], raw: [row], content: row, whole: row + ending };
      const raw = row.map(({ value, quoted, padding }) => {
        const needed = quoted || /["\r\n]/.test(value) || value.includes(delimiter) || (row.length === 1 && value.trim() === '');
        return needed ? `"${value.replaceAll('"', '""')}"${padding}` : value;
      });
      const content = raw.join(delimiter);
      return { gap: false, values: row.map(({ value }) => value), raw, content, whole: content + ending };
    });
    const text = (bom ? '\uFEFF' : '') + records.map(({ whole }) => whole).join('');
    return { bytes: encodeText(encoding, text), encoding, bomBytes: bom ? encodeText(encoding, '\uFEFF').length : 0, delimiter, records };
  });

/** Text that means trouble: delimiters, quotes and line breaks at random. */
export const trouble = (maxLength: number): fc.Arbitrary<string> => fc.string({ unit: fc.constantFrom('a', 'b', ',', '"', '"', '\n', '\r', ' ', '好', '\0'), maxLength });

export const pieceSizes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 4 });
