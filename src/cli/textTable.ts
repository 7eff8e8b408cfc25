/**
 * Lines of a table for a terminal, without blanks at their ends.
 * @param numeric columns, from 0, that stand at the right
 */
export function textTable(header: readonly string[], rows: readonly (readonly string[])[], numeric: readonly number[] = []): string[] {
  const widths = header.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  return [header, ...rows].map((row) =>
    header
      .map((_, column) => (numeric.includes(column) ? (row[column] ?? '').padStart(widths[column]!) : (row[column] ?? '').padEnd(widths[column]!)))
      .join('  ')
      .trimEnd(),
  );
}
