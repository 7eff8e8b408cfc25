/**
 * How an answer stands in a cell of a table, both ways:
 *
 * - `single`: the label's id as it is.
 * - `multi`: the ids joined with `;`. Within an id, `\;` stands for `;` and `\\` for `\`. `[]` says that none of the labels fits, and `\[]` is a label of that name. An empty cell: not decided.
 * - `number`: as JavaScript writes it.
 */
import type { DecisionValue } from './decision';

/** What stands for "none of the labels" in a cell. */
const none = '[]';

/** The value as a cell, or a member of a JSON object, of a copy. */
export function formatAnswer(value: DecisionValue): string | number {
  if (typeof value === 'string' || typeof value === 'number') return value;
  if (value.length === 0) return none;
  const cell = value.map((label) => label.replace(/[\\;]/g, '\\$&')).join(';');
  return cell === none ? `\\${none}` : cell;
}

/** Names of the labels in a cell that {@link formatAnswer} wrote for `multi`; undefined if it is empty. */
export function parseLabels(cell: string): string[] | undefined {
  const text = cell.trim();
  if (text === '') return undefined;
  if (text === none) return [];
  const labels: string[] = [''];
  for (const [part] of text.matchAll(/\\[\\;[]|;|[^\\;]+|\\/g)) {
    if (part === ';') labels.push('');
    else labels[labels.length - 1] += part.length === 2 && part.startsWith('\\') ? part[1]! : part;
  }
  return [...new Set(labels.map((label) => label.trim()).filter((label) => label !== ''))];
}

/**
 * Names of the labels in a cell of anybody's table: as {@link parseLabels}, but `|` parts labels too where there is no `;`. None in an empty cell.
 */
export function parseLabelList(cell: string): string[] {
  const separated = /(?:^|[^\\])(?:\\\\)*;/.test(cell) ? cell : cell.replaceAll('|', ';');
  return parseLabels(separated) ?? [];
}

/** A cell that a spreadsheet would run as a formula, or stumble over, with an apostrophe in front. */
export function safeCell(cell: string): string {
  return /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell;
}

/** The other way round, for what is not known as it stands. */
export function unsafeCell(cell: string): string {
  return /^'[=+\-@\t\r]/.test(cell) ? cell.slice(1) : cell;
}
