import type { Architecture, NgramLayer } from './architecture';

/**
 * Factor of the polynomial hash below. A prime, so that no number of buckets within {@link ngramLimits} shares a factor with it, for which two pairs (or the rests of two triples) that differ by small numbers in
 * each place never meet: token ids follow frequency, so the frequent ones are small. Small enough that no step leaves 32 bits, as the ONNX graph computes in int32.
 */
export const ngramFactor = 6229;

/** What an n-gram layer may ask for. Buckets come in multiples of the least. */
export const ngramLimits = { buckets: { minimum: 1024, maximum: 262_144 }, longest: 3 } as const;

/**
 * Buckets of a text's n-grams: of all single tokens, then of all adjacent pairs, and so on up to the layer's longest.
 *
 * The bucket of tokens a, b, c is ((a mod N · factor + b mod N) mod N · factor + c mod N) mod N, for N buckets.
 */
export function ngramBuckets(ids: ArrayLike<number>, { buckets, longest }: Pick<NgramLayer, 'buckets' | 'longest'>): Int32Array {
  const count = ids.length;
  const grams = new Int32Array(ngramCount(count, longest));
  for (let k = 0; k < count; k++) grams[k] = ids[k]! % buckets;
  let shorter = 0;
  let at = count;
  for (let size = 2; size <= longest; size++) {
    const from = at;
    for (let k = 0; k + size <= count; k++) grams[at++] = (grams[shorter + k]! * ngramFactor + grams[k + size - 1]!) % buckets;
    shorter = from;
  }
  return grams;
}

/** N-grams of 1 to `longest` tokens in a text of `tokens` tokens. */
export function ngramCount(tokens: number, longest: number): number {
  let count = 0;
  for (let size = 1; size <= longest; size++) count += Math.max(0, tokens - size + 1);
  return count;
}

/** What the sum over a text's n-grams is multiplied by. @param sizes [buckets] see {@link NgramLayer} */
export function ngramScale(grams: ArrayLike<number>, sizes: ArrayLike<number>): number {
  let sum = 0;
  for (let k = 0; k < grams.length; k++) sum += sizes[grams[k]!]!;
  return 1 / Math.sqrt(Math.max(1, sum));
}

/** The architecture's n-gram layer, if it has one: the layer before the head. */
export function ngramLayerOf({ layers }: Architecture): NgramLayer | undefined {
  const layer = layers.at(-2);
  return layer?.type === 'ngrams' ? layer : undefined;
}

/** Floats of a row of an n-gram table for so many logits, see {@link NgramLayer}. */
export function ngramWidth(logits: number): number {
  return Math.ceil(logits / 4) * 4;
}
