/*
 * What UTF-16 units are to the segmenter, from a table that is filled as they are met.
 */

const KNOWN = 1;
const SPACE = 2;
const LETTER = 4;
const STOP = 8;
const table = new Uint8Array(0x10000);

/** Ends of sentences; of the dot the caller has to decide. */
const stops = '.!?…。！？；｡．';

function learn(unit: number): number {
  const character = String.fromCharCode(unit);
  const kind = KNOWN | (character.trim() === '' ? SPACE : 0) | (/\p{L}/u.test(character) ? LETTER : 0) | (stops.includes(character) ? STOP : 0);
  table[unit] = kind;
  return kind;
}

/** White space as `String.trim` has it. */
export const isSpace = (unit: number): boolean => ((table[unit] || learn(unit)) & SPACE) !== 0;

/** Whether sentences may end with the unit. */
export const isStop = (unit: number): boolean => ((table[unit] || learn(unit)) & STOP) !== 0;

export const isLineEnd = (unit: number): boolean => unit === 0x0a || unit === 0x0d;

/** Whether a range of a text holds a letter of any script. */
export function hasLetter(text: string, start: number, end: number): boolean {
  for (let i = start; i < end; i++) {
    const unit = text.charCodeAt(i);
    if (((table[unit] || learn(unit)) & LETTER) !== 0) return true;
    if (unit >= 0xd800 && unit <= 0xdbff && i + 1 < end && /\p{L}/u.test(text.slice(i, i + 2))) return true;
  }
  return false;
}
