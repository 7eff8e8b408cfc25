export { shapeOf, STYLES } from '../core/labels/shapes';
export { escapeMarkdown, excerpt } from '../core/text/display';

const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'] as const;

/** A bar of block characters, `width` characters long for a score of 1, in steps of an eighth. A score above 0 leaves at least the thinnest mark. */
export function bar(score: number, width: number): string {
  const bounded = Math.min(1, Math.max(0, score));
  const eighths = Math.max(Math.round(bounded * width * 8), bounded > 0 ? 1 : 0);
  return '█'.repeat(Math.floor(eighths / 8)) + EIGHTHS[eighths % 8]!;
}
