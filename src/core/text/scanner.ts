import { kindOf, normalizePiece, startsPiece } from './characters';
import type { Alphabet, Origins } from './masks';

/*
 * Normalizes a text and finds its tokens, without making strings: the hot path of everything that reads text.
 *
 * First the text becomes normalized UTF-16 units, nearly all of them by a table; the rest, such as a letter and its combining accent, piece by piece through
 * `normalizePiece`. Then `next` walks over those units. The tables are filled as characters are met, so that nothing is paid at start.
 */

/** Normalized unit of a UTF-16 unit that normalizes by itself to one unit; 0 for all others and for those not met yet. */
const folded = new Uint16Array(0x10000);
/** What a normalized unit is: 0 if not met yet, else one of the numbers below. */
const kinds = new Uint8Array(0x10000);

const OTHER = 1; // in no token
const LETTER = 2; // starts a word
const MARK = 3; // goes on with a word
const ALONE = 4; // is a token
const SURROGATE = 5; // first half of a code point beyond the BMP
const TONE = 6; // ! or ?
const SPECIAL = 7; // may start an emoticon, a line break of HTML or a row of dots
const SIGN = 8; // a run of it is a token where signs are read

const kindNumbers = { letter: LETTER, mark: MARK, alone: ALONE, sign: SIGN, other: OTHER } as const;

const SPACE = 0x20;
const APOSTROPHE = 0x27;
const OPENING = 0x28;
const CLOSING = 0x29;
const MINUS = 0x2d;
const DOT = 0x2e;
const SLASH = 0x2f;
const THREE = 0x33;
const COLON = 0x3a;
const SEMICOLON = 0x3b;
const LESS = 0x3c;
const EQUALS = 0x3d;
const MORE = 0x3e;
const CARET = 0x5e;
const UNDERSCORE = 0x5f;
const BAR = 0x7c;
const TILDE = 0x7e;
const STOP = 0x3002;
const [B, D, O, P, R, T] = [0x62, 0x64, 0x6f, 0x70, 0x72, 0x74];

for (const unit of [DOT, COLON, SEMICOLON, LESS, EQUALS, MORE, CARET, MINUS, TILDE, STOP]) kinds[unit] = SPECIAL;
for (const unit of ['!', '?']) kinds[unit.charCodeAt(0)] = TONE;

function learnKind(unit: number): number {
  const kind = unit >= 0xd800 && unit <= 0xdbff ? SURROGATE : kindNumbers[kindOf(unit)];
  kinds[unit] = kind;
  return kind;
}

const pairKinds = new Map<number, number>();

/** Kind of a code point beyond the BMP. */
function kindOfPair(code: number): number {
  let kind = pairKinds.get(code);
  if (kind === undefined) {
    kind = kindNumbers[kindOf(code)];
    pairKinds.set(code, kind);
  }
  return kind;
}

interface Pair {
  readonly starts: boolean;
  /** Normalizes by itself to itself. */
  readonly same: boolean;
}
const pairs = new Map<number, Pair>();

function pairOf(code: number): Pair {
  let pair = pairs.get(code);
  if (!pair) {
    const character = String.fromCodePoint(code);
    const starts = startsPiece(code);
    pair = { starts, same: starts && normalizePiece(character) === character };
    pairs.set(code, pair);
  }
  return pair;
}

/** 0 not met yet, 1 starts a piece, 2 does not. For units that are not surrogates. */
const starting = new Uint8Array(0x10000);

function unitStartsPiece(unit: number): boolean {
  let known = starting[unit]!;
  if (known === 0) {
    known = startsPiece(unit) ? 1 : 2;
    starting[unit] = known;
  }
  return known === 1;
}

/** Pieces of one unit that normalize to several, such as `…`. */
const expanded = new Map<number, string>();

/** Code point at `index`, or the lone surrogate there. */
const codePointAt = (text: string, index: number): number => text.codePointAt(index)!;
const lengthOf = (code: number): number => (code > 0xffff ? 2 : 1);

/** Normalization of a piece that is one unit. */
function expand(unit: number): string {
  let piece = expanded.get(unit);
  if (piece === undefined) {
    piece = normalizePiece(String.fromCharCode(unit));
    expanded.set(unit, piece);
  }
  return piece;
}

/** Normalization of a unit that is not half of a pair, as one unit; 0 if it depends on what stands before or gives several. */
function learnFold(unit: number): number {
  // not in the table, where the halves of pairs have to stay 0
  if (unit >= 0xd800 && unit <= 0xdfff) return SPACE;
  if (!unitStartsPiece(unit)) return 0;
  const piece = expand(unit);
  if (piece.length !== 1) return 0;
  const fold = piece.charCodeAt(0);
  folded[unit] = fold;
  return fold;
}

function startsPieceAt(code: number): boolean {
  return code > 0xffff ? pairOf(code).starts : unitStartsPiece(code);
}

/** Scratch space up to this many units is kept between texts. */
const KEPT_UNITS = 1 << 20;

/** Hash (FNV-1a over UTF-16 units, 32 bits) of the empty token. */
const HASH_START = 0x811c9dc5 | 0;
const HASH_FACTOR = 0x01000193;

/** The hash that {@link TokenScanner} gives a token. */
export function hashOf(token: string): number {
  let hash = HASH_START;
  for (let i = 0; i < token.length; i++) hash = extendHash(hash, token.charCodeAt(i));
  return hash;
}

/** The hash of a token and one more unit. */
export const extendHash = (hash: number, unit: number): number => Math.imul(hash ^ unit, HASH_FACTOR);

/** The hash of no units. */
export const emptyHash = HASH_START;

/** UTF-16 units as a string; by parts, because a call takes only so many arguments. */
export function unitsToString(units: Uint16Array, start: number, end: number): string {
  let text = '';
  for (let i = start; i < end; i += 4096) text += String.fromCharCode(...units.subarray(i, Math.min(end, i + 4096)));
  return text;
}

function addOrigin({ starts, ends }: Origins, start: number, end: number, units: number): void {
  for (let i = 0; i < units; i++) {
    starts.push(start);
    ends.push(end);
  }
}

/** A cursor over the tokens of one text at a time; set a text, then call {@link next} until it gives false. */
export class TokenScanner {
  /** Normalized text; only the first {@link length} units count. */
  units = new Uint16Array(1024);
  /** The current token's range in {@link units}, and its hash. */
  start = 0;
  end = 0;
  hash = 0;
  private length = 0;
  private position = 0;
  /** Where the text of the current token starts in {@link units}: a run of one sign is the token of its last. */
  private from = 0;
  private hasSigns = false;
  /** Where in the original text each normalized unit comes from; kept only on request. */
  private origins: Origins | undefined;

  /** Starts over with `text`. With `offsets`, {@link originOf} works afterwards; with an alphabet, the text holds no other characters, and signs are tokens if it has them. */
  reset(text: string, offsets = false, alphabet?: Alphabet): void {
    this.position = 0;
    this.start = this.end = this.from = 0;
    this.hasSigns = alphabet?.hasSigns ?? false;
    this.origins = offsets ? { starts: [], ends: [] } : undefined;
    this.fold(text);
    if (alphabet !== undefined) this.length = alphabet.mask(this.units, this.length, this.origins);
    // a NUL never occurs in normalized text; it ends every look-ahead
    this.reserve(this.length, 4);
    this.units.fill(0, this.length, this.length + 4);
  }

  /** The range in the original text, in UTF-16 units, of the current token or of a part of it, given by its place in {@link units}. */
  originOf(start = this.from, end = this.end): { start: number; end: number } {
    return { start: this.origins?.starts[start] ?? 0, end: this.origins?.ends[end - 1] ?? 0 };
  }

  /** The current token. */
  text(): string {
    return unitsToString(this.units, this.start, this.end);
  }

  /** Gives back scratch space that an unusually long text has left. */
  release(): void {
    if (this.units.length > KEPT_UNITS) this.units = new Uint16Array(1024);
    this.origins = undefined;
  }

  private reserve(length: number, more: number): void {
    if (length + more <= this.units.length) return;
    const grown = new Uint16Array(Math.max(length + more, Math.ceil(this.units.length * 1.5)));
    grown.set(this.units.subarray(0, length));
    this.units = grown;
  }

  private fold(text: string): void {
    const count = text.length;
    this.reserve(0, count + 4);
    let units = this.units;
    const { origins } = this;
    let length = 0;
    for (let i = 0; i < count; ) {
      const unit = text.charCodeAt(i);
      const fold = folded[unit]!;
      if (fold !== 0) {
        units[length++] = fold;
        if (origins !== undefined) addOrigin(origins, i, i + 1, 1);
        i++;
        continue;
      }
      const code = codePointAt(text, i);
      if (code > 0xffff && pairOf(code).same) {
        units[length++] = unit;
        units[length++] = text.charCodeAt(i + 1);
        if (origins !== undefined) addOrigin(origins, i, i + 2, 2);
        i += 2;
        continue;
      }
      if (code <= 0xffff) {
        const fold = learnFold(code);
        if (fold !== 0) {
          units[length++] = fold;
          if (origins !== undefined) addOrigin(origins, i, i + 1, 1);
          i++;
          continue;
        }
      }
      let start = i;
      if (!startsPieceAt(code) && i > 0) {
        // what stands before is a single character: a longer piece would have gone on to here
        start = i - (isTrailing(text, i - 1) ? 2 : 1);
        length -= i - start;
        if (origins !== undefined) origins.starts.length = origins.ends.length = length;
      }
      let end = i + lengthOf(code);
      while (end < count) {
        const next = codePointAt(text, end);
        if (startsPieceAt(next)) break;
        end += lengthOf(next);
      }
      const piece = end - start === 1 ? expand(text.charCodeAt(start)) : normalizePiece(text.slice(start, end));
      // as many units as are still to come always fit
      this.reserve(length, piece.length + (count - end) + 4);
      units = this.units;
      for (let j = 0; j < piece.length; j++) units[length++] = piece.charCodeAt(j);
      if (origins !== undefined) addOrigin(origins, start, end, piece.length);
      i = end;
    }
    this.length = length;
  }

  /** Goes to the next token; false after the last. */
  next(): boolean {
    const { units, length } = this;
    let i = this.position;
    while (i < length) {
      const unit = units[i]!;
      switch (kinds[unit] || learnKind(unit)) {
        case LETTER:
          return this.word(i);
        case ALONE:
          return this.found(i, i + 1, Math.imul(HASH_START ^ unit, HASH_FACTOR));
        case SURROGATE: {
          const kind = kindOfPair(pairAt(units, i));
          if (kind === LETTER) return this.word(i);
          if (kind === ALONE) return this.range(i, i + 2);
          if (kind === SIGN && this.hasSigns) return this.signs(i, 2);
          i += 2;
          break;
        }
        case TONE:
          return this.range(i, i + run(units, i, 3, isTone));
        case SPECIAL: {
          const end = special(units, i);
          if (end > 0) return this.range(i, i + end);
          if (end === -1 && this.hasSigns && !isPause(unit)) return this.signs(i, 1);
          i -= end;
          break;
        }
        case SIGN:
          if (this.hasSigns) return this.signs(i, 1);
          i++;
          break;
        default:
          i++;
      }
    }
    this.position = i;
    return false;
  }

  private found(start: number, end: number, hash: number): true {
    this.start = this.from = start;
    this.end = this.position = end;
    this.hash = hash;
    return true;
  }

  private range(start: number, end: number): true {
    let hash = HASH_START;
    for (let i = start; i < end; i++) hash = Math.imul(hash ^ this.units[i]!, HASH_FACTOR);
    return this.found(start, end, hash);
  }

  /** The run of the sign of `width` units that starts at `start`; or an emoticon, which may start with the last of a run. */
  private signs(start: number, width: number): true {
    const { units } = this;
    let last = start;
    while (units[last + width] === units[start] && (width === 1 || units[last + 3] === units[start + 1]) && lineBreak(units, last + width) === 0) last += width;
    const emoticon = last > start ? special(units, last) : 0;
    if (emoticon > 0) return this.range(last, last + emoticon);
    this.range(last, last + width);
    this.from = start;
    return true;
  }

  private word(start: number): true {
    const { units } = this;
    let hash = HASH_START;
    let i = start;
    for (;;) {
      const unit = units[i]!;
      const kind = kinds[unit] || learnKind(unit);
      if (kind === LETTER || kind === MARK) {
        hash = Math.imul(hash ^ unit, HASH_FACTOR);
        i++;
      } else if (kind === SURROGATE) {
        const pairKind = kindOfPair(pairAt(units, i));
        if (pairKind !== LETTER && pairKind !== MARK) break;
        hash = Math.imul(Math.imul(hash ^ unit, HASH_FACTOR) ^ units[i + 1]!, HASH_FACTOR);
        i += 2;
      } else if (unit === APOSTROPHE && startsWord(units, i + 1)) {
        hash = Math.imul(hash ^ unit, HASH_FACTOR);
        i++;
      } else {
        if (unit === UNDERSCORE && i === start + 1) {
          const eye = units[start]!;
          if ((eye === T || eye === O) && units[i + 1] === eye && !isText(units[i + 2]!)) return this.range(start, start + 3);
        }
        break;
      }
    }
    return this.found(start, i, hash);
  }
}

const isTrailing = (text: string, index: number): boolean => index > 0 && codePointAt(text, index - 1) > 0xffff;

/** Normalized text holds surrogates only in pairs. */
const pairAt = (units: Uint16Array, i: number): number => 0x10000 + ((units[i]! - 0xd800) << 10) + (units[i + 1]! - 0xdc00);

function startsWord(units: Uint16Array, i: number): boolean {
  const unit = units[i]!;
  const kind = kinds[unit] || learnKind(unit);
  return kind === LETTER || (kind === SURROGATE && kindOfPair(pairAt(units, i)) === LETTER);
}

/** Special units that are no signs. */
const isPause = (unit: number): boolean => unit === DOT || unit === STOP || unit === SEMICOLON;

const isTone = (unit: number): boolean => kinds[unit] === TONE;

/** Number of units from `i` that fit, at most `most`. */
function run(units: Uint16Array, i: number, most: number, fits: (unit: number) => boolean): number {
  let count = 0;
  while (count < most && fits(units[i + count]!)) count++;
  return count;
}

/** Letters, digits and Han that must not follow some emoticons. */
const isText = (unit: number): boolean => (unit >= 0x30 && unit <= 0x39) || (unit >= 0x61 && unit <= 0x7a) || (unit >= 0x4e00 && unit <= 0x9fff);

/** Length of the line break of HTML at `i`, or 0. */
function lineBreak(units: Uint16Array, i: number): number {
  if (units[i] !== LESS || units[i + 1] !== B || units[i + 2] !== R) return 0;
  let end = i + 3;
  if (units[end] === SPACE) end++;
  if (units[end] === SLASH) end++;
  return units[end] === MORE ? end + 1 - i : 0;
}

/** Length of the token that starts with the special unit at `i`; else minus the number of units to skip. */
function special(units: Uint16Array, i: number): number {
  const first = units[i]!;
  const second = units[i + 1]!;
  const third = units[i + 2]!;
  switch (first) {
    case DOT:
    case STOP: {
      const dots = run(units, i, 3, (unit) => unit === first);
      return dots >= 2 ? dots : -1;
    }
    case TILDE:
      return run(units, i, 3, (unit) => unit === TILDE);
    case COLON:
    case SEMICOLON:
    case EQUALS: {
      let mouth = i + 1;
      if (units[mouth] === APOSTROPHE) mouth++;
      if (units[mouth] === MINUS || units[mouth] === CARET) mouth++;
      const unit = units[mouth]!;
      const after = units[mouth + 1]!;
      if (unit === CLOSING || (unit === OPENING && !isText(after))) return mouth + 1 - i;
      if (first !== EQUALS && (unit === SLASH || unit === BAR || unit === D || unit === O || unit === P) && after !== SLASH && !isText(after)) return mouth + 1 - i;
      if (first === EQUALS && (second === UNDERSCORE || second === DOT) && third === EQUALS) return 3;
      if (first === SEMICOLON && second === UNDERSCORE && third === SEMICOLON) return 3;
      return -1;
    }
    case LESS: {
      const skipped = lineBreak(units, i);
      if (skipped > 0) return -skipped;
      const heart = second === SLASH ? i + 2 : i + 1;
      return units[heart] === THREE && !isText(units[heart + 1]!) ? heart + 1 - i : -1;
    }
    case MORE:
      // the line breaks of HTML are taken out before emoticons are looked for
      return (second === UNDERSCORE || second === DOT) && third === LESS && lineBreak(units, i + 2) === 0 ? 3 : -1;
    case CARET:
      if (second === CARET) return 2;
      return (second === MINUS || second === UNDERSCORE || second === DOT || second === O) && third === CARET ? 3 : -1;
    case MINUS:
      return (second === UNDERSCORE || second === DOT) && third === MINUS ? 3 : -1;
    default:
      return -1;
  }
}
