import { kindOf } from './characters';
import { Tokenizer } from './tokenizer';
import { compareCodePoints, firstPieces, maxTokenLength, mostPieces, piecePrefix } from './vocabulary';

/** A token of texts, as the scanner gives it, and how often it occurs; the count may be weighted. */
export interface CountedToken {
  readonly token: string;
  readonly count: number;
}

export interface PieceOptions {
  /** Tokens at most, those that every vocabulary of pieces begins with included. */
  readonly size: number;
  /** Pieces of two letters or more to learn. */
  readonly pieces: number;
  /** How often a letter, a Han character, a symbol has to occur to be told from others. */
  readonly minFrequency: number;
}

/** Longest piece that is learned, in code points. */
const longestPiece = 10;
/** Longest word that pieces are learned from, in code points. */
const longestWord = 30;
/** How many times the wanted pieces are left after each round of choosing. */
const rounds = [6, 3, 1.5, 1];

/**
 * Learns a vocabulary of word pieces: all letters and single characters that occur often enough, everything that may stand for a tone of voice, usual signs, the most frequent words whole, and
 * pieces that make the rest of the words short.
 *
 * Pieces are chosen by elimination: all substrings of the words that are not whole compete, the words are cut with them, and those that save the fewest tokens drop out.
 *
 * @returns tokens for `Tokenizer.ofPieces`, what the size leaves room for: by how often texts read by them hold them, most often first, equally frequent ones by code points. So an id says how
 *   rare its token is
 */
export function learnPieces(counted: readonly CountedToken[], { size, pieces, minFrequency }: PieceOptions): string[] {
  const words = counted.filter(({ token }) => isWord(token));
  const letters = frequentLetters(words, minFrequency);
  const isSpelled = (word: string): boolean => [...word].every((letter) => letters.has(letter));
  const known = new Set<string>(firstPieces);
  const tokens: string[] = [];
  const add = (token: string): void => {
    if (known.has(token) || known.size >= size) return;
    known.add(token);
    tokens.push(token);
  };
  for (const letter of [...letters].sort(compareCodePoints)) {
    if (letter !== "'" && kindOf(letter.codePointAt(0)!) === 'letter') add(letter);
    add(piecePrefix + letter);
  }
  for (const token of [...tonesOfVoice(), ...usualSigns]) add(token);
  const ordered = (list: readonly CountedToken[]): CountedToken[] => [...list].sort((a, b) => b.count - a.count || compareCodePoints(a.token, b.token));
  for (const { token, count } of ordered(counted)) if (count >= minFrequency && isAlone(token)) add(token);

  const spelled = ordered(words.filter(({ token }) => token.length <= maxTokenLength && isSpelled(token)));
  const room = size - known.size - pieces;
  for (const { token } of spelled.filter(({ token }) => !known.has(token)).slice(0, Math.max(0, room))) add(token);
  for (const piece of choosePieces(spelled.filter(({ token }) => !known.has(token)), known, pieces)) add(piece);
  return byUse(tokens, ordered(counted));
}

/** @param ordered in an order of its own, so that sums of counts that are fractions are the same */
function byUse(tokens: readonly string[], ordered: readonly CountedToken[]): string[] {
  const tokenizer = Tokenizer.ofPieces(tokens, { maxTokens: mostPieces });
  const uses = new Float64Array(tokenizer.vocabularySize);
  for (const { token, count } of ordered) for (const id of tokenizer.encode(token)) uses[id]! += count;
  return tokens
    .map((token, at) => ({ token, uses: uses[firstPieces.length + at]! }))
    .sort((a, b) => b.uses - a.uses || compareCodePoints(a.token, b.token))
    .map(({ token }) => token);
}

const isWord = (token: string): boolean => kindOf(token.codePointAt(0)!) === 'letter' && !token.includes('_');
const isAlone = (token: string): boolean => [...token].length === 1 && ['alone', 'sign'].includes(kindOf(token.codePointAt(0)!));

/** Punctuation of English and Chinese, signs of currencies and of simple formulas: in every vocabulary. */
export const usualSigns: readonly string[] = [
  ...'"#$%&()*+-/:<=>@[\\]^`{|}', // all of ASCII that are signs
  ...'\u2013\u2014\u2018\u201c\u201d\u2022\u00b7\u00ab\u00bb\u00a7\u00b0\u00a9\u00ae\u00b1\u00d7\u2192',
  ...'\u300a\u300b\u3008\u3009\u300c\u300d\u300e\u300f\u3010\u3011\u3014\u3015\u30fb\u301c\u2500',
  ...'\u20ac\u00a3\u00a5\u00a2',
];

/** Letters, digits and marks of words, and the apostrophe. The letters of English always count. */
function frequentLetters(words: readonly CountedToken[], minFrequency: number): Set<string> {
  const counts = new Map<string, number>();
  for (const { token, count } of words) for (const letter of token) counts.set(letter, (counts.get(letter) ?? 0) + count);
  const letters = new Set("'0123456789abcdefghijklmnopqrstuvwxyz");
  for (const [letter, count] of counts) if (count >= minFrequency) letters.add(letter);
  return letters;
}

/** Every emoticon and every row of punctuation that is a token. */
export function tonesOfVoice(): string[] {
  const tones: string[] = ['..', '...', '。。', '。。。', '~', '~~', '~~~'];
  for (const a of '!?') for (const b of ['', '!', '?']) for (const c of b === '' ? [''] : ['', '!', '?']) tones.push(a + b + c);
  for (const eyes of ':;=') {
    for (const tear of ['', "'"]) for (const nose of ['', '-', '^']) for (const mouth of eyes === '=' ? ')(' : ')(/|dop') tones.push(eyes + tear + nose + mouth);
  }
  return [...tones, '<3', '</3', '^^', '^-^', '^_^', '^.^', '^o^', '-_-', '-.-', '=_=', '=.=', '>_<', '>.<', ';_;', 't_t', 'o_o'];
}

/** Up to `wanted` pieces of at least two letters that cut `words` into few parts, together with the tokens that are `known`. */
function choosePieces(words: readonly CountedToken[], known: ReadonlySet<string>, wanted: number): string[] {
  const spelled = words.map(({ token, count }) => ({ letters: [...token], count })).filter(({ letters }) => letters.length <= longestWord);
  let worth = new Map<string, number>();
  for (const { letters, count } of spelled) {
    for (let start = 0; start < letters.length; start++) {
      let piece = start === 0 ? '' : piecePrefix;
      for (let end = start; end < Math.min(letters.length, start + longestPiece); end++) {
        piece += letters[end]!;
        if (end > start && !known.has(piece)) worth.set(piece, (worth.get(piece) ?? 0) + count * (end - start));
      }
    }
  }
  let chosen = new Set<string>();
  for (const factor of rounds) {
    const best = [...worth].sort(([a, x], [b, y]) => y - x || compareCodePoints(a, b)).slice(0, Math.ceil(factor * wanted));
    chosen = new Set(best.map(([piece]) => piece));
    worth = new Map();
    for (const { letters, count } of spelled) {
      for (const [piece, length] of cutGreedily(letters, (candidate) => chosen.has(candidate) || known.has(candidate))) {
        if (chosen.has(piece)) worth.set(piece, (worth.get(piece) ?? 0) + count * (length - 1));
      }
    }
  }
  // in the order of their worth
  return [...chosen];
}

/** The longest piece that there is, again and again; with the number of letters of each. */
function cutGreedily(letters: readonly string[], isPiece: (piece: string) => boolean): [string, number][] {
  const cut: [string, number][] = [];
  for (let start = 0; start < letters.length; ) {
    let end = Math.min(letters.length, start + longestWord);
    const pieceTo = (to: number): string => (start === 0 ? '' : piecePrefix) + letters.slice(start, to).join('');
    while (end > start + 1 && !isPiece(pieceTo(end))) end--;
    cut.push([pieceTo(end), end - start]);
    start = end;
  }
  return cut;
}
