import { mixHash } from '../util/mixHash';
import { Alphabet } from './masks';
import { TokenScanner } from './scanner';

/** What of a text a linear model reads: its tokens and its pairs of neighbouring tokens, by their hashes. Knows no vocabulary, so a rare word is read like every other. */
export interface Ngrams {
  /** Each once, in the order in which they first occur. */
  readonly hashes: Uint32Array;
  /** How often each occurs; from 1. */
  readonly counts: Uint32Array;
}

/** Set tokens apart from pairs of tokens. */
const seeds = { token: 1, pair: 2 } as const;

/**
 * Reads one text after the other. Tokens are those of a `Tokenizer` of pieces before it cuts words: words, signs, and for Han single characters, whose pairs are most of the Chinese words. Signs are worth 1 to 2 points on Chinese
 * titles, and nothing is lost elsewhere.
 */
export class NgramReader {
  private readonly scanner = new TokenScanner();
  private readonly alphabet = Alphabet.ofAll();

  /**
   * @param most distinct n-grams after which the rest of the text is not read
   * @param bits of a hash, 1 to 32
   */
  read(text: string, most: number, bits: number): Ngrams {
    const { scanner } = this;
    const counts = new Map<number, number>();
    const add = (whole: number): void => {
      const hash = whole >>> (32 - bits);
      const before = counts.get(hash);
      if (before !== undefined) counts.set(hash, before + 1);
      else if (counts.size < most) counts.set(hash, 1);
    };
    let previous: number | undefined;
    scanner.reset(text, false, this.alphabet);
    while (counts.size < most && scanner.next()) {
      const token = mixHash(scanner.hash, seeds.token);
      add(token);
      if (previous !== undefined) add(mixHash((Math.imul(previous, 3) + token) | 0, seeds.pair));
      previous = token;
    }
    scanner.release();
    return { hashes: Uint32Array.from(counts.keys()), counts: Uint32Array.from(counts.values()) };
  }
}
