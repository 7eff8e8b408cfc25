/**
 * Which texts are random checks: their decisions measure the model. It depends on the text alone, so it is the same in every window, on every machine and for every annotator.
 */

/** Share of the texts that are checks, and of the queue's places that they get. */
export const checkShare = 0.15;

/** 32 bits of an example's id ({@link exampleId}: 32 hexadecimal digits of a SHA-256). */
export function exampleHash(id: string): number {
  return Number.parseInt(id.slice(0, 8), 16) >>> 0;
}

/** @param hash see {@link exampleHash} */
export function isCheck(hash: number): boolean {
  // not the hash itself: what sorts by it must not have all checks at one end
  return mixHash(hash, 0x5eed) < checkShare * 4294967296;
}

/** Another hash of 32 bits, as good as unrelated for every seed (the finisher of MurmurHash3, Austin Appleby, over both). */
export function mixHash(hash: number, seed: number): number {
  let bits = (hash ^ Math.imul(seed + 1, 0x9e3779b1)) >>> 0;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}
