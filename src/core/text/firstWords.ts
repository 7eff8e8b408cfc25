import { TokenScanner } from './scanner';

const scanner = new TokenScanner();

/**
 * The beginning of a text up to the end of its `count`-th word, as it stands there; the whole text where it has no more words. Words are what models read: English words and numbers, single
 * characters of Chinese and Japanese, emoji, emoticons and rows such as `!!!`.
 *
 * @param count at least 1
 */
export function firstWords(text: string, count: number): string {
  scanner.reset(text, true);
  let words = 0;
  let end = 0;
  while (scanner.next()) {
    const origin = scanner.originOf();
    // words of one character, such as the two of ½, stay together
    if (words >= count && origin.start >= end) {
      scanner.release();
      return text.slice(0, end);
    }
    words++;
    end = Math.max(end, origin.end);
  }
  scanner.release();
  return text;
}
