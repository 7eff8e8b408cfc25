/** A line that holds more than white space. */
export interface TextRow {
  /** 1-based number among those lines, as the rows of a plain text file are counted. */
  readonly row: number;
  /** UTF-16 offsets of the line without its line break, `end` exclusive. */
  readonly start: number;
  readonly end: number;
}

/** Whether a file holds records of a line each, whatever else its text may be: logs. Editor and tasks cut those by {@link textRows}, where other texts are cut into paragraphs. */
export function isLog(fileName: string): boolean {
  return /\.log$/i.test(fileName);
}

/** The rows of a plain text, in order. */
export function* textRows(text: string): Iterable<TextRow> {
  const line = /([^\r\n]*)(?:\r\n|\n|\r|$)/y;
  let row = 0;
  for (let start = 0; start < text.length; start = line.lastIndex) {
    line.lastIndex = start;
    const content = line.exec(text)?.[1] ?? '';
    if (content.trim() !== '') yield { row: ++row, start, end: start + content.length };
  }
}

/**
 * Counts the lines that hold more than white space, as the rows of a plain text file are counted: up to, and with, the line in which an offset lies.
 *
 * @returns to be asked with offsets that rise
 */
export function rowCounter(text: string): (offset: number) => number {
  const rows = textRows(text)[Symbol.iterator]();
  let count = 0;
  let next = rows.next();
  return (offset) => {
    for (; !next.done && next.value.start <= offset; next = rows.next()) count = next.value.row;
    return count;
  };
}
