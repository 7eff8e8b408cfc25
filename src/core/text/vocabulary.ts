import { Alphabet, placeholders } from './masks';
import { emptyHash, extendHash, hashOf, unitsToString, type TokenScanner } from './scanner';

/** Tokens longer than this many UTF-16 units are in no vocabulary. */
export const maxTokenLength = 64;

/** Tokens that stand for no text. Their places are fixed: padding is 0, an unknown token 1. */
export const specialTokens = ['<pad>', '<unk>'] as const;
const UNK = 1;

/** Hash table from tokens, given as ranges of UTF-16 units, to numbers counted from 0 in the order they were added. */
class TokenTable {
  private slots: Int32Array;
  private pool = new Uint16Array(1 << 12);
  /** Token `i` is `pool[offsets[i]]` up to `pool[offsets[i + 1]]`. */
  private offsets = new Int32Array(1 << 8);
  private hashes = new Int32Array(1 << 8);
  private count = 0;

  constructor(expected: number) {
    this.slots = new Int32Array(slotsFor(expected)).fill(-1);
  }

  get size(): number {
    return this.count;
  }

  /** The number of a token, or -1. */
  find(units: Uint16Array, start: number, end: number, hash: number): number {
    const mask = this.slots.length - 1;
    for (let slot = spread(hash) & mask; ; slot = (slot + 1) & mask) {
      const index = this.slots[slot]!;
      if (index < 0) return -1;
      if (this.hashes[index] === hash && this.equals(index, units, start, end)) return index;
    }
  }

  /** Adds a token that is not there and gives its number. */
  add(units: Uint16Array, start: number, end: number, hash: number): number {
    const index = this.count++;
    if (2 * this.count > this.slots.length) this.grow();
    if (index + 1 >= this.offsets.length) {
      this.offsets = grown(this.offsets, index + 2, Int32Array);
      this.hashes = grown(this.hashes, index + 2, Int32Array);
    }
    const offset = this.offsets[index]!;
    const length = end - start;
    if (offset + length > this.pool.length) this.pool = grown(this.pool, offset + length, Uint16Array);
    this.pool.set(units.subarray(start, end), offset);
    this.offsets[index + 1] = offset + length;
    this.hashes[index] = hash;
    this.place(index);
    return index;
  }

  text(index: number): string {
    return unitsToString(this.pool, this.offsets[index]!, this.offsets[index + 1]!);
  }

  private equals(index: number, units: Uint16Array, start: number, end: number): boolean {
    const offset = this.offsets[index]!;
    const length = end - start;
    if (this.offsets[index + 1]! - offset !== length) return false;
    for (let i = 0; i < length; i++) if (this.pool[offset + i] !== units[start + i]) return false;
    return true;
  }

  private place(index: number): void {
    const mask = this.slots.length - 1;
    let slot = spread(this.hashes[index]!) & mask;
    while (this.slots[slot]! >= 0) slot = (slot + 1) & mask;
    this.slots[slot] = index;
  }

  private grow(): void {
    this.slots = new Int32Array(this.slots.length * 2).fill(-1);
    for (let i = 0; i < this.count - 1; i++) this.place(i);
  }
}

const slotsFor = (tokens: number): number => 1 << Math.max(8, Math.ceil(Math.log2(tokens * 2 + 1)));
const spread = (hash: number): number => hash ^ (hash >>> 15);

function grown<A extends Int32Array | Uint16Array>(array: A, least: number, type: new (length: number) => A): A {
  const result = new type(Math.max(least, array.length * 2));
  result.set(array);
  return result;
}

/** A word of more code points is one `<unk>` where words are cut into pieces: it is no word but a key, a checksum or a joke. */
export const mostPieces = 100;

/** The ids that a token of the scanner is read as. */
export class Cut {
  count = 0;
  readonly ids = new Int32Array(mostPieces);
  /** Where each piece ends in the scanner's units; the first starts where the token does. */
  readonly ends = new Int32Array(mostPieces);
}

/** Tokens and their ids. */
export interface Vocabulary {
  /** `words`: a token of a text has one id, `<unk>` if it is not in the vocabulary. `pieces`: such a token is cut into pieces. */
  readonly form: 'words' | 'pieces';
  /** Every token at the place of its id. */
  readonly tokens: readonly string[];
  /** What texts are made to consist of before tokens are looked for. */
  readonly alphabet?: Alphabet;
  /** Cuts the scanner's current token. */
  cut(scanner: TokenScanner, cut: Cut): void;
}

/** Whole tokens. */
export class WordVocabulary implements Vocabulary {
  readonly form = 'words';
  private readonly table: TokenTable;
  /** Ids of tokens of one unit, as Han and most punctuation are. */
  private readonly units = new Int32Array(0x10000).fill(UNK);

  /** @param tokens every token at the place of its id: first the {@link specialTokens}, then others, each once and at most {@link maxTokenLength} long */
  constructor(readonly tokens: readonly string[]) {
    this.table = new TokenTable(tokens.length);
    tokens.forEach((token, id) => {
      addTo(this.table, token);
      if (token.length === 1) this.units[token.charCodeAt(0)] = id;
    });
  }

  cut({ units, start, end, hash }: TokenScanner, cut: Cut): void {
    cut.count = 1;
    cut.ends[0] = end;
    if (end - start === 1) {
      cut.ids[0] = this.units[units[start]!]!;
      return;
    }
    const id = this.table.find(units, start, end, hash);
    cut.ids[0] = id < 0 ? UNK : id;
  }
}

/** What stands before a piece that goes on with a word. */
export const piecePrefix = '##';

/** The first tokens of a vocabulary of word pieces. */
export const firstPieces: readonly string[] = [...specialTokens, ...Object.values(placeholders)];
/** Those of a vocabulary that was learned before signs were tokens. In its texts they are none. */
export const firstPiecesWithoutSigns: readonly string[] = firstPieces.filter((token) => token !== placeholders.sign);

/**
 * Whole tokens, and pieces for what is none: from left to right the longest piece that fits, as in WordPiece (Schuster & Nakajima 2012; Wu et al. 2016).
 *
 * Since a text holds no characters but those of the alphabet, whose letters are pieces too, no word of up to {@link mostPieces} letters is `<unk>`.
 */
export class PieceVocabulary implements Vocabulary {
  readonly form = 'pieces';
  readonly alphabet: Alphabet;
  /** Tokens that start a word or are one, and pieces that go on with one, without their prefix; each with its ids in the order of the table. */
  private readonly starts: TokenTable;
  private readonly startIds: Int32Array;
  private readonly goOn: TokenTable;
  private readonly goOnIds: Int32Array;
  private readonly longest: number;

  /** @param tokens every token at the place of its id: first the {@link firstPieces} or {@link firstPiecesWithoutSigns}, then others, each once and at most {@link maxTokenLength} long */
  constructor(readonly tokens: readonly string[]) {
    const starts: number[] = [];
    const goOn: number[] = [];
    this.starts = new TokenTable(tokens.length);
    this.goOn = new TokenTable(tokens.length);
    const letters = { starts: new Set<number>(), goOn: new Set<number>() };
    let longest = 1;
    tokens.forEach((token, id) => {
      // what stands for no text is no part of any
      if (id < specialTokens.length) return;
      const isStart = !token.startsWith(piecePrefix);
      const text = isStart ? token : token.slice(piecePrefix.length);
      (isStart ? starts : goOn).push(id);
      addTo(isStart ? this.starts : this.goOn, text);
      longest = Math.max(longest, text.length);
      const code = text.codePointAt(0);
      if (code !== undefined && text.length === (code > 0xffff ? 2 : 1)) letters[isStart ? 'starts' : 'goOn'].add(code);
    });
    this.startIds = Int32Array.from(starts);
    this.goOnIds = Int32Array.from(goOn);
    this.longest = longest;
    this.alphabet = new Alphabet(letters.starts, letters.goOn, firstPieces.every((token, id) => tokens[id] === token));
  }

  cut({ units, start, end, hash }: TokenScanner, cut: Cut): void {
    const whole = this.starts.find(units, start, end, hash);
    if (whole >= 0) put(cut, 0, this.startIds[whole]!, end);
    else if (this.isTooLong(units, start, end)) put(cut, 0, UNK, end);
    else this.cutWord(units, start, end, cut);
  }

  private cutWord(units: Uint16Array, start: number, end: number, cut: Cut): void {
    for (let at = start, count = 0; at < end; count++) {
      const table = count === 0 ? this.starts : this.goOn;
      const ids = count === 0 ? this.startIds : this.goOnIds;
      let found = -1;
      let to = at;
      let hash = emptyHash;
      const most = Math.min(end, at + this.longest);
      for (let i = at; i < most; ) {
        hash = extendHash(hash, units[i++]!);
        const piece = table.find(units, at, i, hash);
        if (piece < 0) continue;
        found = piece;
        to = i;
      }
      if (found < 0) return put(cut, 0, UNK, end);
      put(cut, count, ids[found]!, to);
      at = to;
    }
  }

  private isTooLong(units: Uint16Array, start: number, end: number): boolean {
    if (end - start <= mostPieces) return false;
    let count = 0;
    for (let i = start; i < end; i++) if (units[i]! < 0xdc00 || units[i]! > 0xdfff) count++;
    return count > mostPieces;
  }
}

function put(cut: Cut, place: number, id: number, end: number): void {
  cut.ids[place] = id;
  cut.ends[place] = end;
  cut.count = place + 1;
}

const scratch = new Uint16Array(maxTokenLength);

function addTo(table: TokenTable, token: string): void {
  for (let i = 0; i < token.length; i++) scratch[i] = token.charCodeAt(i);
  table.add(scratch, 0, token.length, hashOf(token));
}

/** Counts tokens. */
export class TokenCounter {
  private readonly table = new TokenTable(1 << 12);
  private counts = new Float64Array(1 << 8);

  /** Counts the scanner's current token. */
  add(scanner: TokenScanner): void {
    const { units, start, end, hash } = scanner;
    if (end - start > maxTokenLength) return;
    let index = this.table.find(units, start, end, hash);
    if (index < 0) {
      index = this.table.add(units, start, end, hash);
      if (index >= this.counts.length) {
        const counts = new Float64Array(this.counts.length * 2);
        counts.set(this.counts);
        this.counts = counts;
      }
    }
    this.counts[index]!++;
  }

  /** What was counted at least `minFrequency` times, most frequent first, equally frequent ones by code points. */
  counted(minFrequency: number): { readonly token: string; readonly count: number }[] {
    const frequent: { token: string; count: number }[] = [];
    for (let i = 0; i < this.table.size; i++) {
      const count = this.counts[i]!;
      if (count >= minFrequency) frequent.push({ token: this.table.text(i), count });
    }
    return frequent.sort((a, b) => b.count - a.count || compareCodePoints(a.token, b.token));
  }

  /**
   * The special tokens, then the tokens that were counted at least `minFrequency` times, in the order of {@link counted}.
   * @param maxVocabulary most tokens to give, the special ones included
   */
  tokens(minFrequency: number, maxVocabulary: number): string[] {
    const most = Math.max(0, maxVocabulary - specialTokens.length);
    return [...specialTokens, ...this.counted(minFrequency).slice(0, most).map(({ token }) => token)];
  }
}

/** Order by code points, which differs from that of UTF-16 units beyond the BMP. */
export function compareCodePoints(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return afterSurrogates(x) - afterSurrogates(y);
  }
  return a.length - b.length;
}

/** Moves surrogates behind all other units, where their code points are. */
const afterSurrogates = (unit: number): number => (unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit);
