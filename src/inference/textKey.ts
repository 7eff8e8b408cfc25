/**
 * Short key of a text for look-ups in memory: two independent 32-bit hashes of its UTF-16 units and its length. Not cryptographic and not for
 * storage: among 20,000 texts two share a key with probability 1e-11. The text itself is not kept because a short slice of a document would hold
 * the whole document in memory.
 *
 * Each lane multiplies and mixes per unit and is finished with the avalanche of MurmurHash3 (Appleby 2011).
 */
export function textKey(text: string): string {
  let a = 0x9e3779b9 ^ text.length;
  let b = 0x85ebca6b + text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    a = Math.imul(a ^ unit, 0x01000193);
    a ^= a >>> 15;
    b = Math.imul(b + unit, 0xcc9e2d51);
    b = (b << 13) | (b >>> 19);
  }
  return `${text.length}.${avalanche(a)}.${avalanche(b)}`;
}

function avalanche(hash: number): number {
  let h = hash;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
