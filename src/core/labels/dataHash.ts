import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';

/**
 * SHA-256, in hexadecimal, of labelled rows in their order: what a model card says to tell one set of training data from another.
 * Each row counts as the JSON array [text, label] in UTF-8 with a line feed.
 */
export function dataHash(rows: readonly { readonly text: string; readonly label: string }[]): string {
  const hash = sha256.create();
  const encoder = new TextEncoder();
  for (const { text, label } of rows) hash.update(encoder.encode(`${JSON.stringify([text, label])}\n`));
  return bytesToHex(hash.digest());
}
