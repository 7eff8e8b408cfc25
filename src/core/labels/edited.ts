import type { DecisionSource } from './decision';

/** UTF-16 units of the later text that are looked at: the earlier one is known by its first 80 characters, and words may have been put before them. */
const lookedAt = 160;

/**
 * Whether `text` reads like an edit of the text that began with `before`, rather than like another text that moved to its place: more than half of the words of the shorter
 * beginning stand in the other one, too. A character counts as a word where words are written without blanks between them.
 *
 * @param before the first characters of the earlier text, as the journal keeps them
 */
export function isEditOf(before: string, text: string): boolean {
  const earlier = wordsOf(before);
  const later = wordsOf(text.slice(0, lookedAt));
  const left = new Map<string, number>();
  for (const word of later) left.set(word, (left.get(word) ?? 0) + 1);
  let shared = 0;
  for (const word of earlier) {
    const count = left.get(word) ?? 0;
    if (count === 0) continue;
    left.set(word, count - 1);
    shared++;
  }
  return shared > Math.min(earlier.length, later.length) / 2;
}

/**
 * Whether an edit of what stood at `before` may be what stands at `now`: the same row, or ranges of which more than half of the longer one is shared. So a few words that were
 * labelled for themselves are not taken for the paragraph around them.
 */
export function isSamePlace(before: DecisionSource, now: DecisionSource): boolean {
  if (before.file !== now.file) return false;
  if (before.row !== undefined || now.row !== undefined) return before.row === now.row;
  if (before.start === undefined || before.end === undefined || now.start === undefined || now.end === undefined) return false;
  const shared = Math.min(before.end, now.end) - Math.max(before.start, now.start);
  return shared > Math.max(before.end - before.start, now.end - now.start) / 2;
}

function wordsOf(text: string): string[] {
  return text.normalize('NFC').toLowerCase().match(/[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]|[\p{L}\p{M}\p{N}]+/gu) ?? [];
}
