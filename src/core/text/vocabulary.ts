import { hashOf, unitsToString, type TokenScanner } from './scanner';

/** Tokens longer than this many UTF-16 units are in no vocabulary: they are `<unk>`. */
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

/** Tokens and their ids. */
export class Vocabulary {
  private readonly table: TokenTable;
  /** Ids of tokens of one unit, as Han and most punctuation are. */
  private readonly units = new Int32Array(0x10000).fill(UNK);

  /** @param tokens every token at the place of its id: first the {@link specialTokens}, then others, each once and at most {@link maxTokenLength} long */
  constructor(readonly tokens: readonly string[]) {
    this.table = new TokenTable(tokens.length);
    const buffer = new Uint16Array(Math.max(maxTokenLength, ...specialTokens.map((token) => token.length)));
    tokens.forEach((token, id) => {
      for (let i = 0; i < token.length; i++) buffer[i] = token.charCodeAt(i);
      this.table.add(buffer, 0, token.length, hashOf(token));
      if (token.length === 1) this.units[buffer[0]!] = id;
    });
  }

  /** The id of the scanner's current token. */
  idOf(scanner: TokenScanner): number {
    const { units, start, end } = scanner;
    if (end - start === 1) return this.units[units[start]!]!;
    const id = this.table.find(units, start, end, scanner.hash);
    return id < 0 ? UNK : id;
  }
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

  /**
   * The special tokens, then the tokens that were counted at least `minFrequency` times, most frequent first, equally frequent ones by code points.
   * @param maxVocabulary most tokens to give, the special ones included
   */
  tokens(minFrequency: number, maxVocabulary: number): string[] {
    const frequent: { token: string; count: number }[] = [];
    for (let i = 0; i < this.table.size; i++) {
      const count = this.counts[i]!;
      if (count >= minFrequency) frequent.push({ token: this.table.text(i), count });
    }
    frequent.sort((a, b) => b.count - a.count || compareCodePoints(a.token, b.token));
    return [...specialTokens, ...frequent.slice(0, Math.max(0, maxVocabulary - specialTokens.length)).map(({ token }) => token)];
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
