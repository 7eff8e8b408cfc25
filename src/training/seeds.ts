import { Random } from '../core/util/random';

/** What a stream of random numbers is for: streams of different purposes never share a seed. */
export const purposes = { weights: 1, order: 2, dropout: 3, words: 4, weightDrop: 5, vectors: 6 } as const;

/**
 * A 32-bit seed from a path of integers, such as [run's seed, purpose, epoch, row].
 *
 * Each draw in training has its own address instead of its place in one long stream: what is drawn for a row does not depend on how batches are split among workers,
 * and a resumed run needs no state but its position. Mixing: the finalizer of MurmurHash3 (Austin Appleby, public domain) after each part.
 */
export function seedOf(...path: readonly number[]): number {
  let hash = 0x2545f491;
  for (const part of path) {
    hash = Math.imul(hash ^ part, 0x9e3779b1);
    hash ^= hash >>> 16;
    hash = Math.imul(hash, 0x85ebca6b);
    hash ^= hash >>> 13;
    hash = Math.imul(hash, 0xc2b2ae35);
    hash ^= hash >>> 16;
  }
  return hash >>> 0;
}

/** A generator of its own for that path. */
export function randomOf(...path: readonly number[]): Random {
  return new Random(seedOf(...path));
}

/** Fills `target[from..to)` with 0 with probability `rate` (to 1/65536), else 1. */
export function drawMask(random: Random, rate: number, target: Uint8Array, from: number, to: number): void {
  const threshold = Math.round(rate * 65536);
  let k = from;
  while (k < to) {
    // two draws from one 32-bit number
    const bits = random.uint32();
    target[k++] = (bits & 0xffff) < threshold ? 0 : 1;
    if (k < to) target[k++] = bits >>> 16 < threshold ? 0 : 1;
  }
}

/** Whether a token of a text survives embedding dropout. @param seed the text's */
export function keepsToken(seed: number, layer: number, id: number, rate: number): boolean {
  return seedOf(seed, layer, id) >= rate * 2 ** 32;
}
