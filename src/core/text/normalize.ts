import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';

/**
 * Text as far as it counts for a decision: in NFC, all white space (line breaks of any kind too) as single spaces, none at the ends.
 *
 * Wrapping, indentation and the way accents are encoded do not make another text. Compatibility characters, case and punctuation do (so NFC, not NFKC): two texts that a
 * person can tell apart never share a decision.
 */
export function normalizeText(text: string): string {
  // most texts are normalized already; those are found out without making a string
  if (!/[^\x20-\x7e]|  |^ | $/.test(text)) return text;
  // engines sort marks in quadratic time: hundreds of thousands in a row would take minutes
  const composed = /\p{M}{100}/u.test(text) ? text : text.normalize('NFC');
  return composed.trim().replace(/\s+/g, ' ');
}

/** What examples are known by: the first 128 bits of the SHA-256 of the {@link normalizeText normalized text} in UTF-8, as 32 hexadecimal digits. */
export function exampleId(text: string): string {
  return bytesToHex(sha256(utf8ToBytes(normalizeText(text))).subarray(0, 16));
}
