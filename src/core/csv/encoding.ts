/**
 * Which bytes stand for which characters: detection, decoding, checking and encoding. Only encodings in which the bytes of
 * delimiters, quotes and line breaks cannot be part of another character, and UTF-16.
 */
import { HumanError } from '../errors';

export const encodings = ['utf-8', 'utf-16le', 'utf-16be', 'gb18030', 'windows-1252'] as const;
export type Encoding = (typeof encodings)[number];

/** As a person knows it. */
export const encodingNames: Readonly<Record<Encoding, string>> = {
  'utf-8': 'UTF-8',
  'utf-16le': 'UTF-16',
  'utf-16be': 'UTF-16',
  gb18030: 'GB 18030',
  'windows-1252': 'Windows-1252',
};

/** Bytes per unit that the scanner sees. */
export function unitBytes(encoding: Encoding): 1 | 2 {
  return encoding === 'utf-16le' || encoding === 'utf-16be' ? 2 : 1;
}

export interface DetectedEncoding {
  readonly encoding: Encoding;
  /** Length of the byte order mark: 0, 2 or 3. */
  readonly bomBytes: number;
  /** The bytes are not UTF-8 and nothing says what they are: a guess that a person should know of. */
  readonly guessed: boolean;
}

/**
 * Tells the encoding from the first bytes of a file: byte order mark, the zero bytes of UTF-16, valid UTF-8, and for what is none of these
 * GB 18030 (if the bytes are valid and mostly everyday Han) or Windows-1252. A few broken bytes among much good UTF-8 stay UTF-8.
 *
 * @param complete whether `sample` is the whole file
 */
export function detectEncoding(sample: Uint8Array, complete: boolean): DetectedEncoding {
  const [a, b, c] = sample;
  if (a === 0xef && b === 0xbb && c === 0xbf) return { encoding: 'utf-8', bomBytes: 3, guessed: false };
  if (a === 0xff && b === 0xfe) return { encoding: 'utf-16le', bomBytes: 2, guessed: false };
  if (a === 0xfe && b === 0xff) return { encoding: 'utf-16be', bomBytes: 2, guessed: false };
  const { multibyte, broken } = utf8Statistics(sample, complete);
  const wide = unmarkedUtf16(sample, broken);
  if (wide !== undefined) return { encoding: wide, bomBytes: 0, guessed: false };
  if (broken <= multibyte) return { encoding: 'utf-8', bomBytes: 0, guessed: false };
  return { encoding: looksLikeGb18030(sample) ? 'gb18030' : 'windows-1252', bomBytes: 0, guessed: true };
}

/** UTF-16 of Latin text has a zero in every other byte; of Chinese text at least at line breaks and delimiters, and it is no valid UTF-8. */
function unmarkedUtf16(sample: Uint8Array, brokenUtf8: number): 'utf-16le' | 'utf-16be' | undefined {
  const zeros = [0, 0];
  for (let i = 0; i < sample.length; i++) if (sample[i] === 0) zeros[i & 1]!++;
  const [even, odd] = zeros as [number, number];
  const units = sample.length >> 1;
  const most = Math.max(even, odd);
  const least = Math.min(even, odd);
  const latin = units >= 2 && most >= units * 0.25 && least <= units * 0.02;
  const other = most >= Math.max(2, units * 0.01) && least === 0 && brokenUtf8 > units * 0.1;
  return latin || other ? (odd > even ? 'utf-16le' : 'utf-16be') : undefined;
}

function utf8Statistics(sample: Uint8Array, complete: boolean): { multibyte: number; broken: number } {
  let multibyte = 0;
  let broken = 0;
  for (let i = 0; i < sample.length; ) {
    if (sample[i]! < 0x80) {
      i++;
      continue;
    }
    const length = utf8SequenceLength(sample, i, sample.length);
    if (length > 0) {
      multibyte++;
      i += length;
    } else {
      // the sample may cut the last character
      if (complete || sample.length - i >= 4) broken++;
      i++;
    }
  }
  return { multibyte, broken };
}

function looksLikeGb18030(sample: Uint8Array): boolean {
  let everyday = 0;
  let pairs = 0;
  for (let i = 0; i < sample.length; i++) {
    const lead = sample[i]!;
    if (lead < 0x80) continue;
    if (i + 1 === sample.length) break;
    const trail = sample[i + 1]!;
    if (lead === 0x80 || lead === 0xff || trail < 0x30 || trail === 0x7f || trail === 0xff) return false;
    if (trail < 0x40) i += 3;
    else {
      i++;
      pairs++;
      // rows 0xA1-0xA3: punctuation and full-width letters; 0xB0-0xD7: the 3,755 commonest Han (GB 2312 level 1)
      if (trail >= 0xa1 && ((lead >= 0xa1 && lead <= 0xa3) || (lead >= 0xb0 && lead <= 0xd7))) everyday++;
    }
  }
  return pairs > 0 && everyday >= pairs * 0.8;
}

/** Length of the valid UTF-8 sequence at `at` (Unicode 15, table 3-7), or 0. */
function utf8SequenceLength(bytes: Uint8Array, at: number, end: number): number {
  const lead = bytes[at]!;
  if (lead < 0x80) return 1;
  if (lead < 0xc2 || lead > 0xf4) return 0;
  const length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  if (at + length > end) return 0;
  const second = bytes[at + 1]!;
  const low = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
  const high = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
  if (second < low || second > high) return 0;
  for (let i = 2; i < length; i++) if ((bytes[at + i]! & 0xc0) !== 0x80) return 0;
  return length;
}

/** Offset of the first byte in [start, end) that is not part of valid UTF-8, or -1. */
export function firstInvalidUtf8(bytes: Uint8Array, start: number, end: number): number {
  let i = start;
  while (i < end) {
    const c = bytes[i]!;
    if (c < 0x80) {
      i++;
    } else if (c >= 0xe1 && c <= 0xec && i + 2 < end && (bytes[i + 1]! & 0xc0) === 0x80 && (bytes[i + 2]! & 0xc0) === 0x80) {
      i += 3; // nearly all Chinese, Japanese and Korean
    } else {
      const length = utf8SequenceLength(bytes, i, end);
      if (length === 0) return i;
      i += length;
    }
  }
  return -1;
}

/** Index of the first lone surrogate in [start, end), or -1. */
export function firstLoneSurrogate(units: ArrayLike<number>, start: number, end: number): number {
  for (let i = start; i < end; i++) {
    const unit = units[i]!;
    if ((unit & 0xf800) !== 0xd800) continue;
    const paired = unit < 0xdc00 && i + 1 < end && (units[i + 1]! & 0xfc00) === 0xdc00;
    if (!paired) return i;
    i++;
  }
  return -1;
}

const utf8Encoder = new TextEncoder();
const decoders = new Map<Encoding, InstanceType<typeof TextDecoder>>();

/** Text of the bytes in [start, end); broken bytes become U+FFFD, a byte order mark is a character like others. */
export function decodeBytes(encoding: Encoding, bytes: Uint8Array, start: number, end: number): string {
  if (encoding === 'windows-1252') return decodeWindows1252(bytes, start, end);
  let decoder = decoders.get(encoding);
  if (decoder === undefined) {
    try {
      decoder = new TextDecoder(encoding, { ignoreBOM: true });
    } catch (cause) {
      throw new HumanError('csv.encoding', 'This machine cannot read {0}. Save the file as UTF-8.', [encodingNames[encoding]], { cause });
    }
    decoders.set(encoding, decoder);
  }
  return decoder.decode(bytes.subarray(start, end));
}

/** 0x80 to 0x9F (WHATWG Encoding, index windows-1252); the rest is Latin-1. By hand, since TextDecoder of Node 20 reads it as Latin-1 throughout. */
const windows1252 = '\u20AC\x81\u201A\u0192\u201E\u2026\u2020\u2021\u02C6\u2030\u0160\u2039\u0152\x8D\u017D\x8F\x90\u2018\u2019\u201C\u201D\u2022\u2013\u2014\u02DC\u2122\u0161\u203A\u0153\x9D\u017E\u0178';

function decodeWindows1252(bytes: Uint8Array, start: number, end: number): string {
  let text = '';
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!;
    text += byte >= 0x80 && byte <= 0x9f ? windows1252[byte - 0x80] : String.fromCharCode(byte);
  }
  return text;
}

/**
 * Bytes of `text`, without a byte order mark.
 *
 * @throws HumanError `csv.encode` if the encoding has no place for a character of it
 */
export function encodeText(encoding: Encoding, text: string): Uint8Array {
  switch (encoding) {
    case 'utf-8':
      return utf8Encoder.encode(text);
    case 'utf-16le':
    case 'utf-16be': {
      const bytes = new Uint8Array(text.length * 2);
      const low = encoding === 'utf-16le' ? 0 : 1;
      for (let i = 0; i < text.length; i++) {
        const unit = text.charCodeAt(i);
        bytes[2 * i + low] = unit & 0xff;
        bytes[2 * i + 1 - low] = unit >> 8;
      }
      return bytes;
    }
    case 'windows-1252':
    case 'gb18030': {
      const codes = codesOf(encoding);
      const bytes: number[] = [];
      for (const character of text) {
        const code = character.charCodeAt(0) < 0x80 ? character.charCodeAt(0) : codes.get(character);
        if (code === undefined) {
          throw new HumanError('csv.encode', '"{0}" cannot be written in {1}, the encoding of the file. Save the file as UTF-8.', [text, encodingNames[encoding]]);
        }
        if (code > 0xff) bytes.push(code >> 8);
        bytes.push(code & 0xff);
      }
      return Uint8Array.from(bytes);
    }
  }
}

const codeTables = new Map<Encoding, ReadonlyMap<string, number>>();

/** Characters beyond ASCII and their one or two bytes, by decoding all of those. (GB 18030's four-byte codes, for what GBK lacks, are left out.) */
function codesOf(encoding: 'gb18030' | 'windows-1252'): ReadonlyMap<string, number> {
  const known = codeTables.get(encoding);
  if (known !== undefined) return known;
  const table = new Map<string, number>();
  const codes: number[] = [];
  if (encoding === 'windows-1252') for (let code = 0x80; code <= 0xff; code++) codes.push(code);
  else for (let lead = 0x81; lead <= 0xfe; lead++) for (let trail = 0x40; trail <= 0xfe; trail++) if (trail !== 0x7f) codes.push((lead << 8) | trail);
  for (const code of codes) {
    const bytes = code > 0xff ? Uint8Array.of(code >> 8, code & 0xff) : Uint8Array.of(code);
    const text = decodeBytes(encoding, bytes, 0, bytes.length);
    if (!text.includes('\uFFFD') && [...text].length === 1 && !table.has(text)) table.set(text, code);
  }
  codeTables.set(encoding, table);
  return table;
}
