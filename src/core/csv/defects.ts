import { HumanError, fillTemplate } from '../errors';

/**
 * Something in a file that is not as it should be, but was read all the same; it travels with its record. Nothing is lost: the record's bytes are as they were.
 */
export class Defect {
  /**
   * @param code `csv.quote`, `csv.stray`, `csv.short`, `csv.long`, `csv.nul`, `csv.invalid`, `csv.guessed`, `jsonl.object`
   * @param template whole English sentences with `{0}` … for `args`, as in {@link HumanError}
   * @param row 1-based number of the row; 0 for the header
   * @param line 1-based
   * @param column 1-based; undefined if the whole record is meant
   */
  constructor(
    readonly code: string,
    readonly template: string,
    readonly args: readonly (string | number)[],
    readonly row: number,
    readonly line: number,
    readonly column: number | undefined,
  ) {}

  get message(): string {
    return fillTemplate(this.template, this.args);
  }

  /** For callers who would rather stop. */
  toError(): HumanError {
    return new HumanError(this.code, this.template, this.args);
  }
}

/** Where a defect is. */
export interface Place {
  readonly fileName: string;
  /** 0 for the header. */
  readonly row: number;
  readonly line: number;
  /** 0-based. */
  readonly column: number;
  readonly columns: readonly string[];
}

/** Two sentences each, for rows and for the header: {0} file, {1} row, {2} line, {3} column. */
const cellTemplates = {
  'csv.quote': [
    '{0}, row {1} (line {2}), column {3}: the quote that opens this field is never closed, so it was read as an ordinary character. Close it, or double it inside a quoted field.',
    '{0}, header (line {2}), column {3}: the quote that opens this field is never closed, so it was read as an ordinary character. Close it, or double it inside a quoted field.',
  ],
  'csv.stray': [
    '{0}, row {1} (line {2}), column {3}: text follows a closing quote, so the field was read as it stands, with its quotes. Double the quotes that belong to the text.',
    '{0}, header (line {2}), column {3}: text follows a closing quote, so the field was read as it stands, with its quotes. Double the quotes that belong to the text.',
  ],
  'csv.nul': [
    '{0}, row {1} (line {2}), column {3}: there is a NUL character, which does not belong in a text. Remove it, or write the file again.',
    '{0}, header (line {2}), column {3}: there is a NUL character, which does not belong in a text. Remove it, or write the file again.',
  ],
  'csv.invalid': [
    '{0}, row {1} (line {2}), column {3}: some bytes are not valid {4}, so their characters are unknown. Save the file as UTF-8 with the program that wrote it.',
    '{0}, header (line {2}), column {3}: some bytes are not valid {4}, so their characters are unknown. Save the file as UTF-8 with the program that wrote it.',
  ],
  'csv.guessed': [
    '{0} is not UTF-8 (first in row {1}, line {2}, column {3}), so it was read as {4}. If letters look wrong, save the file as UTF-8.',
    '{0} is not UTF-8 (first in the header, line {2}, column {3}), so it was read as {4}. If letters look wrong, save the file as UTF-8.',
  ],
} as const;

/** A defect of one field. */
export function cellDefect(code: keyof typeof cellTemplates, place: Place, ...more: string[]): Defect {
  const [ofRow, ofHeader] = cellTemplates[code];
  return new Defect(code, place.row === 0 ? ofHeader : ofRow, [place.fileName, place.row, place.line, columnLabel(place.columns, place.column), ...more], place.row, place.line, place.column + 1);
}

/** A row with another number of fields than the header. */
export function raggedDefect(place: Place, fields: number, width: number, delimiter: string): Defect {
  const { fileName, row, line } = place;
  if (fields < width) {
    return new Defect(
      'csv.short',
      '{0}, row {1} (line {2}) ends before column {3}: it has {4} of {5} fields, and the others count as empty. Add the fields that are missing.',
      [fileName, row, line, columnLabel(place.columns, fields), fields, width],
      row,
      line,
      fields + 1,
    );
  }
  return new Defect(
    'csv.long',
    '{0}, row {1} (line {2}) goes on behind the last column, {3}: it has {4} fields, not {5}. Put fields that contain "{6}" in quotes.',
    [fileName, row, line, columnLabel(place.columns, width - 1), fields, width, delimiter === '\t' ? 'TAB' : delimiter],
    row,
    line,
    width + 1,
  );
}

/** A line of a .jsonl file that is no JSON object. */
export function lineDefect(fileName: string, row: number, line: number, why: string): Defect {
  return new Defect(
    'jsonl.object',
    '{0}, row {1} (line {2}) is not a JSON object ({3}), so it is passed over. Write one object a line, such as {"text": "…"}.',
    [fileName, row, line, why],
    row,
    line,
    undefined,
  );
}

/** The name of a column in quotes; its 1-based number if it has none. */
export function columnLabel(columns: readonly string[], column: number): string {
  const name = columns[column]?.trim();
  return name === undefined || name === '' ? String(column + 1) : `"${name}"`;
}
