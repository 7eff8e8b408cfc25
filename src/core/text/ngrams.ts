import { mixHash } from '../util/mixHash';
import { TokenScanner } from './scanner';

/** What of a text a linear model reads: its tokens and its pairs of neighbouring tokens, by their hashes. Knows no vocabulary, so a rare word is read like every other. */
export interface Ngrams {
  /** Each once, in the order in which they first occur. */
  readonly hashes: Uint32Array;
  /** How often each occurs; from 1. */
  readonly counts: Uint32Array;
}

/** Where the n-grams of a text stand. */
export interface NgramPlaces {
  /** UTF-16 offsets, in the order of the text. */
  readonly tokens: readonly { readonly start: number; readonly end: number }[];
  /** Each time that one occurs; `first` and `last` are indices of its tokens. */
  readonly grams: readonly { readonly hash: number; readonly first: number; readonly last: number }[];
}

/** Set tokens apart from pairs of tokens. */
const seeds = { token: 1, pair: 2 } as const;

/** Reads one text after the other. Tokens are those of `Tokenizer`: words, and for Han single characters, whose pairs are most of the Chinese words. */
export class NgramReader {
  private readonly scanner = new TokenScanner();

  /**
   * @param most distinct n-grams after which the rest of the text is not read
   * @param bits of a hash, 1 to 32
   */
  read(text: string, most: number, bits: number): Ngrams {
    const { scanner } = this;
    const counts = new Map<number, number>();
    scanner.reset(text);
    this.walk(counts, most, bits);
    scanner.release();
    return { hashes: Uint32Array.from(counts.keys()), counts: Uint32Array.from(counts.values()) };
  }

  /** As {@link read}, with the tokens that each n-gram is of. */
  places(text: string, most: number, bits: number): NgramPlaces {
    const { scanner } = this;
    const tokens: { start: number; end: number }[] = [];
    const grams: { hash: number; first: number; last: number }[] = [];
    scanner.reset(text, true);
    this.walk(new Map(), most, bits, (hash, size) => {
      if (size === 1) tokens.push(scanner.originOf());
      grams.push({ hash, first: tokens.length - size, last: tokens.length - 1 });
    });
    scanner.release();
    return { tokens, grams };
  }

  private walk(counts: Map<number, number>, most: number, bits: number, found?: (hash: number, size: 1 | 2) => void): void {
    const { scanner } = this;
    const add = (whole: number, size: 1 | 2): void => {
      const hash = whole >>> (32 - bits);
      const before = counts.get(hash);
      if (before === undefined && counts.size >= most) return;
      counts.set(hash, (before ?? 0) + 1);
      found?.(hash, size);
    };
    let previous: number | undefined;
    while (counts.size < most && scanner.next()) {
      const token = mixHash(scanner.hash, seeds.token);
      add(token, 1);
      if (previous !== undefined) add(mixHash((Math.imul(previous, 3) + token) | 0, seeds.pair), 2);
      previous = token;
    }
  }
}
