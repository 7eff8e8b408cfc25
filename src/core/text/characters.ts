import { repertoire } from './repertoire';

/*
 * What a character is to the tokenizer. The patterns below are written into tokenizer.json, where Oniguruma (Hugging Face's `tokenizers`) and JavaScript engines
 * read them: only syntax that means the same to both, and only letters, marks, numbers, punctuation and symbols as properties. The first three do not change for the known code points, nor
 * do the last two together but for emoji, which are told by their ranges.
 */

/** Ranges of a character class, as literal characters. */
export const ranges = (...pairs: readonly (readonly [number, number])[]): string =>
  pairs.map(([first, last]) => (first === last ? literal(first) : `${literal(first)}-${literal(last)}`)).join('');

const literal = (code: number): string => String.fromCodePoint(code).replace(/[[\]\\^-]/u, '\\$&');

/** Characters of scripts without spaces: each is a token. Han, hiragana and katakana with their repetition and length marks. */
export const aloneRanges = [
  [0x3005, 0x3005],
  [0x3007, 0x3007],
  [0x3021, 0x3029],
  [0x3041, 0x3096],
  [0x309d, 0x309f],
  [0x30a1, 0x30fa],
  [0x30fc, 0x30ff],
  [0x31f0, 0x31ff],
  [0x3400, 0x4dbf],
  [0x4e00, 0x9fff],
  [0xf900, 0xfaff],
  [0x20000, 0x2fffd],
  [0x30000, 0x3fffd],
] as const;

/** Marks that only choose how a symbol is drawn (enclosing marks, variation selectors): in no token. */
const drawingRanges = [
  [0x20d0, 0x20f0],
  [0xfe00, 0xfe0f],
  [0xe0100, 0xe01ef],
] as const;

/** Symbols and emoji, each a token. Skin tones, joiners and the letters of flags are in no token. */
export const symbolRanges = [
  [0x2600, 0x27bf],
  [0x2b50, 0x2b50],
  [0x2b55, 0x2b55],
  [0x1f300, 0x1f3fa],
  [0x1f400, 0x1faff],
] as const;

/** Punctuation that only parts words and sentences. It is in no token by itself. */
const pauses = ".,\u3002\u3001;'_";
/** Punctuation whose rows are tokens of their own. */
const tones = '!?~';
/** Skin tones and the letters of flags. */
const partRanges = [
  [0x1f1e6, 0x1f1ff],
  [0x1f3fb, 0x1f3ff],
] as const;

const alone = ranges(...aloneRanges);
const drawing = ranges(...drawingRanges);
/** {@link drawingRanges} as the inside of a character class. */
export const drawingClass = drawing;
const symbols = ranges(...symbolRanges);
const letter = `(?![${alone}])[\\p{L}\\p{N}]`;
const following = `(?:(?![${alone}${drawing}])[\\p{L}\\p{N}\\p{M}])*`;
/** Signs: punctuation and symbols of which a run is a token where they are read. */
export const signPattern = `(?![${pauses}${tones}${symbols}${ranges(...partRanges)}])[\\p{P}\\p{S}]`;
/** What must not follow a mouth that is also a letter or an opening bracket, as in `key:data` and `如下：（1）`. */
const text = ranges([0x30, 0x39], [0x61, 0x7a], [0x4e00, 0x9fff]);

/** Known code points, as the inside of a character class. */
function knownClass(): string {
  const pairs: [number, number][] = [];
  forEachKnownRange((first, last) => pairs.push([first, last]));
  return ranges(...pairs);
}

function forEachKnownRange(visit: (first: number, last: number) => void): void {
  let position = 0;
  const numbers = repertoire.split(' ');
  for (let i = 0; i + 1 < numbers.length; i += 2) {
    const first = position + Number.parseInt(numbers[i]!, 36);
    position = first + Number.parseInt(numbers[i + 1]!, 36);
    visit(first, position - 1);
  }
}

/** Calls `visit` with each run of numbers that follow one another. @param sorted rising */
export function forEachRange(sorted: readonly number[], visit: (first: number, last: number) => void): void {
  for (let start = 0, i = 1; i <= sorted.length; i++) {
    if (sorted[i] === sorted[i - 1]! + 1) continue;
    visit(sorted[start]!, sorted[i - 1]!);
    start = i;
  }
}

let knownFirsts: number[] | undefined;
let knownLasts: number[] = [];

/** Whether the tokenizer knows the code point; all others count as a space. */
export function isKnown(code: number): boolean {
  if (!knownFirsts) {
    const firsts: number[] = [];
    const lasts: number[] = [];
    forEachKnownRange((first, last) => {
      firsts.push(first);
      lasts.push(last);
    });
    [knownFirsts, knownLasts] = [firsts, lasts];
  }
  let low = 0;
  let high = knownFirsts.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (knownLasts[middle]! < code) low = middle + 1;
    else high = middle;
  }
  return low < knownFirsts.length && knownFirsts[low]! <= code;
}

/** Marks in a row from which on all of them are dropped: engines sort them, some in quadratic time. */
export const maxMarks = 32;

const unknownPattern = `[^${knownClass()}]`;
const marksPattern = `\\p{M}{${maxMarks},}`;

/** The normalizer of tokenizer.json, in the order of its steps. {@link normalizePiece} does the same. */
export const normalizer = {
  type: 'Sequence',
  normalizers: [
    { type: 'Replace', pattern: { Regex: unknownPattern }, content: ' ' },
    // a soft hyphen stands inside words of texts that come from typesetting
    { type: 'Replace', pattern: { String: '\u00ad' }, content: '' },
    { type: 'Replace', pattern: { Regex: marksPattern }, content: '' },
    { type: 'NFKC' },
    { type: 'Lowercase' },
    { type: 'Replace', pattern: { String: '\u2019' }, content: "'" },
  ],
} as const;

/** Line breaks of HTML, which end a token and are in none. */
const lineBreakPattern = '<br ?/?>';

/** Tokens of normalized text, the first alternative that fits at the first place where one does. The scanner does the same. */
const tokenPattern = [
  // emoticons
  `[:;=]'?[\\-^]?\\)`,
  `[:;=]'?[\\-^]?\\((?![${text}])`,
  `[:;]'?[\\-^]?[/|dop](?![/${text}])`,
  `</?3(?![${text}])`,
  `\\^[\\-_.o]?\\^`,
  `-[_.]-`,
  `=[_.]=`,
  `>[_.]<`,
  `;_;`,
  `t_t(?![${text}])`,
  `o_o(?![${text}])`,
  // words with inner apostrophes
  `${letter}${following}(?:'${letter}${following})*`,
  `[${alone}]`,
  // punctuation that says how something is said
  `[!?]{1,3}`,
  `\\.{2,3}`,
  `。{2,3}`,
  `~{1,3}`,
  `[${symbols}]`,
].join('|');

/** Of a run of one sign, its last. */
const signsPattern = `(${signPattern})(?!\\1)`;

/** The pre-tokenizer of tokenizer.json. @param hasSigns whether signs are tokens */
export const preTokenizer = (hasSigns: boolean): object => ({
  type: 'Sequence',
  pretokenizers: [
    { type: 'Split', pattern: { Regex: lineBreakPattern }, behavior: 'Removed', invert: false },
    { type: 'Split', pattern: { Regex: hasSigns ? `${tokenPattern}|${signsPattern}` : tokenPattern }, behavior: 'Removed', invert: true },
  ],
});

const isSign = new RegExp(`^${signPattern}`, 'u');
const isMark = /^\p{M}/u;
const isLetterOrNumber = /^[\p{L}\p{N}]/u;
const manyMarks = new RegExp(marksPattern, 'gu');
const inRanges = (code: number, list: readonly (readonly [number, number])[]): boolean => list.some(([first, last]) => first <= code && code <= last);

/**
 * Normalizes text as tokenizer.json says.
 *
 * A text may be normalized piece by piece where every piece but the first starts with a code point that {@link startsPiece}.
 */
export function normalizePiece(piece: string): string {
  let known = '';
  for (const character of piece) {
    if (character === '\u00ad') continue;
    known += isKnown(character.codePointAt(0)!) ? character : ' ';
  }
  let result = '';
  for (const character of known.replace(manyMarks, '').normalize('NFKC')) {
    // one by one, because Σ at the end of a word would become ς otherwise, which `tokenizers` does not do
    result += character === '\u2019' ? "'" : character.toLowerCase();
  }
  return result;
}

/** Whether the normalization of what stands before the code point is the same whether or not it and what follows are there. */
export function startsPiece(code: number): boolean {
  if (code === 0xad) return false;
  if (!isKnown(code)) return true;
  const character = String.fromCodePoint(code);
  return !attaches(character) && !attaches(character.normalize('NFKC'));
}

/** Whether text starts with what may join or pass what stands before it: marks, and vowels and finals of Hangul. */
function attaches(text: string): boolean {
  const code = text.charCodeAt(0);
  return (code >= 0x1160 && code <= 0x11ff) || isMark.test(text);
}

/** What a code point of normalized text is. */
export type CharacterKind = 'letter' | 'mark' | 'alone' | 'sign' | 'other';

/** `letter` starts words, `mark` goes on with them, `alone` is a token by itself, and so is a run of a `sign` where signs are read. Other punctuation is left to the scanner. */
export function kindOf(code: number): CharacterKind {
  if (inRanges(code, aloneRanges)) return 'alone';
  const character = String.fromCodePoint(code);
  if (isLetterOrNumber.test(character)) return 'letter';
  if (isMark.test(character)) return inRanges(code, drawingRanges) ? 'other' : 'mark';
  if (inRanges(code, symbolRanges)) return 'alone';
  return isSign.test(character) ? 'sign' : 'other';
}
