import { HumanError } from '../errors';
import { TokenScanner } from './scanner';
import { formatTokenizerFile, parseTokenizerFile } from './tokenizerFile';
import { Cut, firstPieces, piecePrefix, PieceVocabulary, TokenCounter, WordVocabulary, type Vocabulary } from './vocabulary';

/** A token of a text. */
export interface Token {
  /** The token as it stands in the vocabulary: normalized and in lower case; a piece that goes on with a word with `##` before it. */
  readonly text: string;
  /**
   * Range in the original text, in UTF-16 units; of a run of one sign, which is one token, the whole run. Characters that normalization takes together or apart are never split: the
   * tokens `1` and `2` of `½` have the same range.
   */
  readonly start: number;
  readonly end: number;
}

/** What a vocabulary is learned by. */
export interface VocabularyOptions {
  /** How often a token has to occur, from 1. */
  readonly minFrequency: number;
  /** Most tokens, `<pad>` and `<unk>` included. */
  readonly maxVocabulary: number;
  /** Tokens that are read of a text, from 1. */
  readonly maxTokens: number;
}

/**
 * What is kept of a text of `count` tokens: the first `head` and the last `tail`.
 *
 * Half of `maxTokens` each, the odd one in front. Reviews often end with their verdict and news begin with it; neither can be told beforehand.
 */
export function truncation(count: number, maxTokens: number): { readonly head: number; readonly tail: number } {
  if (count <= maxTokens) return { head: count, tail: 0 };
  const tail = Math.floor(maxTokens / 2);
  return { head: maxTokens - tail, tail };
}

/** Longest cut of a text, in tokens. */
const MOST_TOKENS = 65_536;

/**
 * Cuts English and Chinese text into tokens and numbers them.
 *
 * Text is normalized (NFKC, lower case) first. Tokens are words and numbers with their inner apostrophes, single characters of Han and kana, emoji, emoticons such as `:)`, and
 * rows of up to three of `! ? ~` and of two or three of `. 。`. characters.ts has the patterns.
 * A vocabulary of words has a token whole or takes it for `<unk>`; no other punctuation counts. A vocabulary of pieces cuts words and leaves nothing unknown, as masks.ts says; with it a run of
 * any other sign, such as `%`, `《` or `---`, is one token, but for the pauses `. , 。 、 ; '` and `_`. `<br />` never counts.
 */
export class Tokenizer {
  private readonly scanner = new TokenScanner();
  private readonly scratch: Int32Array;
  private readonly cut = new Cut();

  private constructor(
    private readonly vocabulary: Vocabulary,
    /** Length of the longest result of {@link encode}. */
    readonly maxTokens: number,
  ) {
    if (!Number.isInteger(maxTokens) || maxTokens < 1 || maxTokens > MOST_TOKENS) {
      throw new HumanError('tokenizer.maxTokens', 'A text cannot be cut to {0} tokens. Choose a whole number from 1 to {1}.', [maxTokens, MOST_TOKENS]);
    }
    this.scratch = new Int32Array(maxTokens);
  }

  /**
   * Learns a vocabulary: `<pad>` 0, `<unk>` 1, then tokens by falling frequency, equally frequent ones by code points.
   */
  static build(texts: Iterable<string>, options: VocabularyOptions): Tokenizer {
    const learning = Tokenizer.learn();
    for (const text of texts) learning.add(text);
    return learning.build(options);
  }

  /** As {@link build}, for texts that come one by one. */
  static learn(): { add(text: string): void; build(options: VocabularyOptions): Tokenizer } {
    const counter = new TokenCounter();
    const scanner = new TokenScanner();
    return {
      add: (text) => {
        scanner.reset(text);
        while (scanner.next()) counter.add(scanner);
        scanner.release();
      },
      build: ({ minFrequency, maxVocabulary, maxTokens }) => new Tokenizer(new WordVocabulary(counter.tokens(minFrequency, maxVocabulary)), maxTokens),
    };
  }

  /**
   * A tokenizer that cuts words into pieces.
   * @param tokens in the order of their ids after those that every such vocabulary begins with: whole tokens, pieces that go on with a word as `##ing`, and letters as both, of
   *   which all other characters are told, as signs are of those that are there. Each once and up to 64 UTF-16 units long
   */
  static ofPieces(tokens: readonly string[], options: { readonly maxTokens: number }): Tokenizer {
    return new Tokenizer(new PieceVocabulary([...firstPieces, ...tokens]), options.maxTokens);
  }

  /**
   * Reads a tokenizer.json that {@link toJson} wrote, wherever it comes from.
   * @throws HumanError `tokenizer.…` on anything else
   */
  static fromJson(json: Uint8Array, options: { readonly maxTokens: number }): Tokenizer {
    return new Tokenizer(parseTokenizerFile(json), options.maxTokens);
  }

  /** Number of ids, `<pad>` and `<unk>` included. */
  get vocabularySize(): number {
    return this.vocabulary.tokens.length;
  }

  /**
   * tokenizer.json in the format of Hugging Face's `tokenizers`, which gives the same ids. Only the truncation cannot be said there: {@link maxTokens} has to be kept
   * elsewhere.
   */
  toJson(): Uint8Array {
    return formatTokenizerFile(this.vocabulary);
  }

  /** All tokens of a text, in order; {@link truncation} says which of them {@link encode} keeps. */
  tokens(text: string): Token[] {
    const { scanner, vocabulary, cut } = this;
    const tokens: Token[] = [];
    scanner.reset(text, true, vocabulary.alphabet);
    while (scanner.next()) {
      vocabulary.cut(scanner, cut);
      if (cut.count === 1) tokens.push({ text: scanner.text(), ...scanner.originOf() });
      else for (let i = 0; i < cut.count; i++) tokens.push({ text: this.tokenOf(cut.ids[i]!), ...scanner.originOf(i === 0 ? scanner.start : cut.ends[i - 1]!, cut.ends[i]) });
    }
    scanner.release();
    return tokens;
  }

  /** Ids of a text's tokens, the middle of a text of more than {@link maxTokens} left out; empty for a text without tokens. */
  encode(text: string): Int32Array {
    const { scanner, vocabulary, maxTokens, cut } = this;
    const { head, tail } = truncation(Infinity, maxTokens);
    // the head, then the tail as a ring
    const ids = this.scratch;
    let count = 0;
    scanner.reset(text, false, vocabulary.alphabet);
    while (scanner.next()) {
      vocabulary.cut(scanner, cut);
      for (let i = 0; i < cut.count; i++) {
        const at = count < maxTokens ? count : tail === 0 ? -1 : head + ((count - head) % tail);
        count++;
        if (at >= 0) ids[at] = cut.ids[i]!;
      }
    }
    scanner.release();
    const result = ids.slice(0, Math.min(count, maxTokens));
    if (count > maxTokens && tail > 0) {
      const turn = (count - head) % tail;
      result.set(ids.subarray(head + turn, maxTokens), head);
      result.set(ids.subarray(head, head + turn), maxTokens - turn);
    }
    return result;
  }

  /** The token with an id in 0..{@link vocabularySize}-1. */
  tokenOf(id: number): string {
    const token = this.vocabulary.tokens[id];
    if (token === undefined) throw new RangeError(`There is no token ${id}; the vocabulary has ${this.vocabularySize}.`);
    return token;
  }

  /** Whether the token is a piece that goes on with the word of the one before it. */
  continues(id: number): boolean {
    return this.vocabulary.form === 'pieces' && this.tokenOf(id).startsWith(piecePrefix);
  }
}
