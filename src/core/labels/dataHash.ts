import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';

/** Rows between two looks at what has come in. */
const rowsAtOnce = 2000;

/**
 * SHA-256, in hexadecimal, of labelled rows in their order: what a model card says to tell one set of training data from another.
 * Each row counts as the JSON array [text, label] in UTF-8 with a line feed.
 *
 * @param breathe lets the thread handle what has come in
 */
export async function dataHash(rows: readonly { readonly text: string; readonly label: string }[], breathe: () => Promise<void>): Promise<string> {
  const hash = sha256.create();
  const encoder = new TextEncoder();
  let count = 0;
  for (const { text, label } of rows) {
    hash.update(encoder.encode(`${JSON.stringify([text, label])}\n`));
    if (++count % rowsAtOnce === 0) await breathe();
  }
  return bytesToHex(hash.digest());
}
