/**
 * Counts the lines that hold more than white space, as the rows of a plain text file are counted: up to, and with, the line in which an offset lies.
 *
 * @returns to be asked with offsets that rise
 */
export function rowCounter(text: string): (offset: number) => number {
  const line = /([^\r\n]*)(?:\r\n|\n|\r|$)/y;
  let rows = 0;
  let next = 0;
  return (offset) => {
    while (next <= offset && next < text.length) {
      line.lastIndex = next;
      if (line.exec(text)?.[1]?.trim()) rows++;
      next = line.lastIndex;
    }
    return rows;
  };
}
