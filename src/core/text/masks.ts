import { aloneRanges, drawingClass, forEachRange, kindOf, ranges, signPattern, symbolRanges } from './characters';

/*
 * What word pieces read in place of text that says little by its letters: addresses, long numbers, and characters that the vocabulary does not have.
 *
 * Each stands for a kind of text and is a symbol, so it is a token by itself; symbols that nobody writes were chosen.
 */

/** Symbols that stand for text, each one UTF-16 unit. */
export const placeholders = {
  /** `http://…` */
  url: '\u26d3',
  /** `@name` */
  user: '\u2687',
  /** Five digits or more. */
  number: '\u2682',
  /** Letters, digits and marks in a row that the vocabulary does not have, as in words of another script. */
  letters: '\u270e',
  /** A character of a script without spaces that the vocabulary does not have. */
  alone: '\u2635',
  /** A symbol or emoji that the vocabulary does not have. */
  symbol: '\u274f',
  /** Punctuation and other signs in a row that the vocabulary does not have. The last here: vocabularies from before there were signs lack it. */
  sign: '\u26dd',
} as const;

/** Digits in a row from which on a number is replaced. */
const longNumber = 5;

const PLAIN = 1;
const COLON = 2;
const AT = 4;
const DIGIT = 8;
const PAIR = 16;
const LETTERS = 32;
const ALONE = 64;
const SYMBOL = 128;
const SIGN = 256;
const NUMBER = 512; // only of texts: digits in a row

/** Signs that emoticons are made of. They are never replaced. */
const emoticonSigns = ':=^()-/|<>';

const unitOf = (character: string): number => character.charCodeAt(0);
const COLON_UNIT = unitOf(':');
const SLASH_UNIT = unitOf('/');
const AT_UNIT = unitOf('@');
const LESS_UNIT = unitOf('<');
const MORE_UNIT = unitOf('>');
const [H, T, P, S] = [unitOf('h'), unitOf('t'), unitOf('p'), unitOf('s')];
const isDigit = (unit: number): boolean => unit >= 0x30 && unit <= 0x39;
const isUserName = (unit: number): boolean => isDigit(unit) || (unit >= 0x61 && unit <= 0x7a) || unit === 0x5f;
/** Visible ASCII but for what begins and ends tags. */
const isAddress = (unit: number): boolean => unit > 0x20 && unit < 0x7f && unit !== LESS_UNIT && unit !== MORE_UNIT;

/** Ranges in the original text, one for each normalized unit. */
export interface Origins {
  readonly starts: number[];
  readonly ends: number[];
}

/** Finds text to replace: the end of what starts at `i`, or `i` if nothing does. `units` after `length` are not to be read. */
type Find = (units: Uint16Array, i: number, length: number) => number;

const findUrl: Find = (units, i, length) => {
  if (units[i] !== H || i + 7 >= length || units[i + 1] !== T || units[i + 2] !== T || units[i + 3] !== P) return i;
  const colon = units[i + 4] === S ? i + 5 : i + 4;
  if (units[colon] !== COLON_UNIT || units[colon + 1] !== SLASH_UNIT || units[colon + 2] !== SLASH_UNIT) return i;
  let end = colon + 3;
  while (end < length && isAddress(units[end]!)) end++;
  return end > colon + 3 ? end : i;
};

const findUser: Find = (units, i, length) => {
  if (units[i] !== AT_UNIT) return i;
  let end = i + 1;
  while (end < length && isUserName(units[end]!)) end++;
  return end > i + 1 ? end : i;
};

const findNumber: Find = (units, i, length) => {
  let end = i;
  while (end < length && isDigit(units[end]!)) end++;
  return end - i >= longNumber ? end : i;
};

/** Replaces what `find` finds, from left to right, in place. @returns the new length */
function replaceAll(units: Uint16Array, length: number, origins: Origins | undefined, find: Find, placeholder: string): number {
  let written = 0;
  for (let i = 0; i < length; written++) {
    const end = find(units, i, length);
    if (origins !== undefined) {
      origins.starts[written] = origins.starts[i]!;
      origins.ends[written] = origins.ends[Math.max(i, end - 1)]!;
    }
    units[written] = end > i ? unitOf(placeholder) : units[i]!;
    i = Math.max(i + 1, end);
  }
  if (origins !== undefined) origins.starts.length = origins.ends.length = written;
  return written;
}

/** The characters that a vocabulary of word pieces has, and how text is made to hold no others. */
export class Alphabet {
  /** What each unit is to {@link mask}: 0 if not met yet, else a sum of the numbers above. */
  private readonly kinds = new Uint16Array(0x10000);
  private readonly pairKinds = new Map<number, number>();
  /** Letters, digits and marks that stand in words; all other tokens of one character. */
  private readonly letters = new Set<number>();
  private readonly others = new Set<number>();
  private readonly signs = new Set([...emoticonSigns].map(unitOf));

  /**
   * @param starts tokens of one code point that start a word or stand alone
   * @param goOn tokens of one code point that go on with a word, without their prefix
   * @param hasSigns whether runs of punctuation and other signs are tokens
   */
  constructor(
    starts: ReadonlySet<number>,
    goOn: ReadonlySet<number>,
    readonly hasSigns: boolean,
    private readonly isAll = false,
  ) {
    for (const code of starts) {
      const kind = kindOf(code);
      if (kind === 'alone') this.others.add(code);
      else if (kind === 'sign') this.signs.add(code);
      else if (kind === 'letter' && goOn.has(code)) this.letters.add(code);
    }
    for (const code of goOn) if (kindOf(code) === 'mark') this.letters.add(code);
  }

  /** An alphabet of all characters, which replaces addresses, names and long numbers alone: for texts that a vocabulary is learned from. */
  static ofAll(): Alphabet {
    return new Alphabet(new Set(), new Set(), true, true);
  }

  /** The steps of tokenizer.json's normalizer that {@link mask} stands for. */
  steps(): readonly { readonly type: 'Replace'; readonly pattern: { readonly Regex: string }; readonly content: string }[] {
    const but = (codes: Iterable<number>): string => {
      const known = classOf(codes);
      return known === '' ? '' : `(?![${known}])`;
    };
    const patterns: [keyof typeof placeholders, string][] = [
      ['url', 'https?://[!-;=?-~]+'],
      ['user', '@[0-9a-z_]+'],
      ['number', `[0-9]{${longNumber},}`],
      ['letters', `(?:${but(this.letters)}(?![${ranges(...aloneRanges)}${drawingClass}])[\\p{L}\\p{N}\\p{M}])+`],
      ['alone', `${but(this.of(aloneRanges))}[${ranges(...aloneRanges)}]`],
      ['symbol', `${but(this.of(symbolRanges))}(?![\\p{L}\\p{N}\\p{M}])[${ranges(...symbolRanges)}]`],
    ];
    if (this.hasSigns) patterns.push(['sign', `(?:${but(this.signs)}${signPattern})+`]);
    return patterns.map(([kind, Regex]) => ({ type: 'Replace', pattern: { Regex }, content: placeholders[kind] }));
  }

  /**
   * Puts {@link placeholders} into normalized text, in place.
   * @param origins kept up
   * @returns the new length, which is never greater
   */
  mask(units: Uint16Array, length: number, origins: Origins | undefined): number {
    const { kinds } = this;
    let seen = 0;
    let digits = 0;
    for (let i = 0; i < length; i++) {
      const kind = kinds[units[i]!] || this.learn(units[i]!);
      seen |= kind;
      digits = (kind & DIGIT) !== 0 ? digits + 1 : 0;
      if (digits === longNumber) seen |= NUMBER;
    }
    if ((seen & COLON) !== 0) length = replaceAll(units, length, origins, findUrl, placeholders.url);
    if ((seen & AT) !== 0) length = replaceAll(units, length, origins, findUser, placeholders.user);
    if ((seen & NUMBER) !== 0) length = replaceAll(units, length, origins, findNumber, placeholders.number);
    if ((seen & (LETTERS | PAIR)) !== 0) length = replaceAll(units, length, origins, this.findLetters, placeholders.letters);
    if ((seen & (ALONE | PAIR)) !== 0) length = replaceAll(units, length, origins, this.findAlone, placeholders.alone);
    if ((seen & (SYMBOL | PAIR)) !== 0) length = replaceAll(units, length, origins, this.findSymbol, placeholders.symbol);
    if ((seen & (SIGN | PAIR)) !== 0) length = replaceAll(units, length, origins, this.findSigns, placeholders.sign);
    return length;
  }

  private readonly findLetters: Find = (units, i, length) => this.endOf(LETTERS, units, i, length);

  private readonly findSigns: Find = (units, i, length) => this.endOf(SIGN, units, i, length);

  private readonly findAlone: Find = (units, i) => ((this.kindAt(units, i) & ALONE) !== 0 ? i + widthAt(units, i) : i);

  private readonly findSymbol: Find = (units, i) => ((this.kindAt(units, i) & SYMBOL) !== 0 ? i + widthAt(units, i) : i);

  /** The end of the characters of a kind that start at `i`. */
  private endOf(kind: number, units: Uint16Array, i: number, length: number): number {
    let end = i;
    while (end < length && (this.kindAt(units, end) & kind) !== 0) end += widthAt(units, end);
    return end;
  }

  private kindAt(units: Uint16Array, i: number): number {
    const kind = this.kinds[units[i]!] || this.learn(units[i]!);
    if (kind !== PAIR) return kind;
    // the second half of a pair is looked at too, and is nothing
    if (units[i]! >= 0xdc00) return PLAIN;
    const code = pairAt(units, i);
    let known = this.pairKinds.get(code);
    if (known === undefined) {
      known = this.kindOf(code);
      this.pairKinds.set(code, known);
    }
    return known;
  }

  private learn(unit: number): number {
    const kind = unit >= 0xd800 && unit <= 0xdfff ? PAIR : this.kindOf(unit);
    this.kinds[unit] = kind;
    return kind;
  }

  private kindOf(code: number): number {
    const kind = kindOf(code);
    if (kind === 'letter' || kind === 'mark') return (isDigit(code) ? DIGIT : PLAIN) | (this.isAll || this.letters.has(code) ? 0 : LETTERS);
    if (kind === 'alone') return this.isAll || this.others.has(code) ? PLAIN : inRanges(code, symbolRanges) ? SYMBOL : ALONE;
    const sign = kind === 'sign' && this.hasSigns && !this.isAll && !this.signs.has(code) ? SIGN : 0;
    return (code === COLON_UNIT ? COLON : code === AT_UNIT ? AT : PLAIN) | sign;
  }

  /** Known characters of some ranges. */
  private of(list: readonly (readonly [number, number])[]): number[] {
    return [...this.others].filter((code) => inRanges(code, list));
  }
}

const widthAt = (units: Uint16Array, i: number): number => (units[i]! >= 0xd800 && units[i]! <= 0xdbff ? 2 : 1);
/** Normalized text holds surrogates only in pairs. */
const pairAt = (units: Uint16Array, i: number): number => 0x10000 + ((units[i]! - 0xd800) << 10) + (units[i + 1]! - 0xdc00);
const inRanges = (code: number, list: readonly (readonly [number, number])[]): boolean => list.some(([first, last]) => first <= code && code <= last);

/** Code points as the inside of a character class. */
function classOf(codes: Iterable<number>): string {
  const pairs: [number, number][] = [];
  forEachRange([...codes].sort((a, b) => a - b), (first, last) => pairs.push([first, last]));
  return ranges(...pairs);
}
