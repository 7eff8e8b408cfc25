import { hasLetter, isSpace, isStop } from './units';

/*
 * Sentences of English, Chinese and what is written alike.
 *
 * Intl.Segmenter is not used: it ends sentences after `Mr.` and at each line break, takes seconds for a megabyte in Node 20, and its rules come with the engine's version, so
 * that the same document would fall into other examples after an update.
 */

/** Never the last word of a sentence: titles, and what is followed by what it speaks of. */
const beforeNames = new Set(
  'mr mrs ms mx messrs dr prof rev hon gen col sgt capt lt cpl adm gov sen rep pres st mt ft vs viz cf eg ie ca approx est dept univ assn bros e.g i.e'.split(' '),
);
/** Go on before a number. */
const beforeNumbers = new Set('no nos nr fig figs eq eqs vol vols ch chap sec sect p pp pt art ed jan feb mar apr jun jul aug sep sept oct nov dec'.split(' '));
/** Go on unless a capital follows. */
const withinSentences = new Set('etc inc ltd co corp llc jr sr al a.m p.m ave blvd rd min max avg misc incl excl ext tel resp'.split(' '));

const dot = '.';
const ellipsis = '…';
/** After these a new sentence starts without white space. */
const wideStops = '。！？；｡．';
/** What may stand between the end of a sentence and the white space after it. */
const closers = '"\'”’」』）】》〉)]}*_`~';
/** What closes after a wide stop. */
const wideClosers = '”’」』）】》〉)]}';

/**
 * Cuts a paragraph into sentences and adds those with a letter to `result`.
 * @param lines starts and ends of the paragraph's lines by turns, trimmed; what stands between lines counts as white space
 */
export function splitSentences(text: string, lines: readonly number[], result: { start: number; end: number }[]): void {
  let start = -1;
  let end = -1;
  for (let line = 0; line < lines.length; line += 2) {
    const lineEnd = lines[line + 1]!;
    let at = lines[line]!;
    while (at < lineEnd) {
      if (start < 0) {
        while (at < lineEnd && isSpace(text.charCodeAt(at))) at++;
        if (at === lineEnd) break;
        start = at;
      }
      while (at < lineEnd && !isStop(text.charCodeAt(at))) at++;
      if (at === lineEnd) break;
      const after = sentenceEnd(text, lines, line, start, at);
      if (after > 0) {
        add(text, start, after, result);
        start = -1;
        at = after;
      } else at = -after;
    }
    end = lineEnd;
  }
  if (start >= 0) add(text, start, end, result);
}

function add(text: string, start: number, end: number, result: { start: number; end: number }[]): void {
  if (hasLetter(text, start, end)) result.push({ start, end });
}

/** Where the sentence from `start` ends whose stop is at `stop`; if it does not end there, minus where to read on. */
function sentenceEnd(text: string, lines: readonly number[], line: number, start: number, stop: number): number {
  const lineEnd = lines[line + 1]!;
  let at = stop;
  let wide = false;
  let loud = false;
  let dots = 0;
  while (at < lineEnd && isStop(text.charCodeAt(at))) {
    const character = text.charAt(at++);
    if (character === dot) dots++;
    else if (character === ellipsis) dots += 3;
    else if (wideStops.includes(character)) wide = true;
    else loud = true;
  }
  const stopped = at;
  while (at < lineEnd && (wide ? closesAfterWide(text, start, at) : closers.includes(text.charAt(at)))) at++;
  if (wide) {
    while (at < lineEnd && isStop(text.charCodeAt(at))) at++;
    return at;
  }
  if (at < lineEnd && !isSpace(text.charCodeAt(at))) {
    // no space: 3.14, example.com, or Chinese with the stops of English
    const goesOnInHan = isHan(text.charCodeAt(stopped));
    return goesOnInHan && (loud || (dots === 1 && isHan(text.charCodeAt(stop - 1)))) ? stopped : -stopped;
  }
  const next = nextVisible(text, lines, line, at);
  if (next < 0) return at;
  const following = text.charAt(next);
  if (at > stopped && isLower(following)) return -at;
  if (loud) return at;
  if (dots > 1) return isLower(following) ? -at : at;
  return goesOnAfterDot(text, start, stop, following) ? -at : at;
}

/** Whether what stands at `at`, right after a wide stop, closes something. Where no white space tells, a straight quotation mark does if the sentence has one open. */
function closesAfterWide(text: string, start: number, at: number): boolean {
  const character = text.charAt(at);
  if (character !== '"' && character !== "'") return wideClosers.includes(character);
  let open = false;
  for (let i = start; i < at; i++) if (text.charAt(i) === character) open = !open;
  return open;
}

/** Whether the single dot at `stop` ends an abbreviation or a number rather than the sentence. */
function goesOnAfterDot(text: string, start: number, stop: number, following: string): boolean {
  let first = stop;
  while (first > start && stop - first <= 12 && isWordPart(text.charCodeAt(first - 1))) first--;
  const word = text.slice(first, stop);
  // the number of an item
  if (/^\d{1,3}$/.test(word) && first === start) return true;
  const lower = word.toLowerCase();
  if (beforeNames.has(lower)) return true;
  if (beforeNumbers.has(lower)) return /\d/.test(following);
  if (withinSentences.has(lower)) return !isUpper(following) && !isHan(following.charCodeAt(0));
  // initials and the like: J. K. Rowling, the U.S. Senate, a Ph.D. student
  return /^(?:(?!I$)[A-Z]|(?:[A-Za-z]\.)+[A-Za-z]|Ph\.D|M\.Sc|B\.Sc)$/.test(word);
}

/** Where the first thing that is not white space stands, from `at` in a line on; -1 if nothing comes. */
function nextVisible(text: string, lines: readonly number[], line: number, at: number): number {
  for (; line < lines.length; line += 2, at = lines[line] ?? 0) {
    for (const lineEnd = lines[line + 1]!; at < lineEnd; at++) if (!isSpace(text.charCodeAt(at))) return at;
  }
  return -1;
}

const isHan = (unit: number): boolean => (unit >= 0x3400 && unit <= 0x9fff) || (unit >= 0x3040 && unit <= 0x30ff);
const isLower = (character: string): boolean => character !== character.toUpperCase() && character === character.toLowerCase();
const isUpper = (character: string): boolean => character !== character.toLowerCase();
const isWordPart = (unit: number): boolean => unit === 0x2e || (unit >= 0x30 && unit <= 0x39) || (unit >= 0x41 && unit <= 0x5a) || (unit >= 0x61 && unit <= 0x7a);
