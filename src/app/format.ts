export { shapeOf, STYLES } from '../core/labels/shapes';

const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'] as const;

/** A bar of block characters, `width` characters long for a score of 1, in steps of an eighth. A score above 0 leaves at least the thinnest mark. */
export function bar(score: number, width: number): string {
  const bounded = Math.min(1, Math.max(0, score));
  const eighths = Math.max(Math.round(bounded * width * 8), bounded > 0 ? 1 : 0);
  return '█'.repeat(Math.floor(eighths / 8)) + EIGHTHS[eighths % 8]!;
}

/** `text` on one line and at most `length` characters long, with an ellipsis where it was cut. Does not cut a surrogate pair. */
export function excerpt(text: string, length: number): string {
  // a bounded look: the text may be a whole document
  const line = text.slice(0, length * 8).replace(/\s+/gu, ' ').trim();
  const characters = Array.from(line);
  return characters.length <= length && text.length <= length * 8 ? line : `${characters.slice(0, length - 1).join('').trimEnd()}…`;
}

/** `text` as Markdown that shows it as it is, on one line: nothing in it becomes a link, an image, a tag or a table. */
export function escapeMarkdown(text: string): string {
  return text.replace(/[\\`*_{}[\]()#+\-.!|<>~&:$@^=]/g, '\\$&').replace(/\s+/gu, ' ');
}
