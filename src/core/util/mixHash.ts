/** Another hash of 32 bits, as good as unrelated for every seed (the finisher of MurmurHash3, Austin Appleby, over both). */
export function mixHash(hash: number, seed: number): number {
  let bits = (hash ^ Math.imul(seed + 1, 0x9e3779b1)) >>> 0;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}
