import type { Architecture, NgramLayer } from './architecture';

/**
 * Factor of the polynomial hash below: a prime, so that it has no factor in common with a number of buckets within {@link ngramLimits}. Of several tried on our sets with half a million buckets the one with the best
 * accuracy, by 0.6 points on the average. Where the buckets are a power of two, pairs of the most frequent tokens, a third of the buckets' root of them, never meet (token ids follow frequency); of other numbers some
 * hold only fewer apart.
 */
export const ngramFactor = 1_000_003;

/** The hash takes its numbers apart by this one, the root of the most buckets: see {@link ngramFactors}. */
export const ngramDigit = 1024;

/** What an n-gram layer may ask for. Buckets come in multiples of the least. */
export const ngramLimits = { buckets: { minimum: 1024, maximum: 1_048_576 }, longest: 3 } as const;

/**
 * Buckets of a text's n-grams: of all single tokens, then of all adjacent pairs, and so on up to the layer's longest.
 *
 * The bucket of tokens a, b, c is (((a mod N) · factor + b) mod N · factor + c) mod N, for N buckets.
 */
export function ngramBuckets(ids: ArrayLike<number>, { buckets, longest }: Pick<NgramLayer, 'buckets' | 'longest'>): Int32Array {
  const count = ids.length;
  const grams = new Int32Array(ngramCount(count, longest));
  for (let k = 0; k < count; k++) grams[k] = ids[k]! % buckets;
  const { low, high } = ngramFactors(buckets);
  let shorter = 0;
  let at = count;
  for (let size = 2; size <= longest; size++) {
    const from = at;
    for (let k = 0; k + size <= count; k++) {
      const x = grams[shorter + k]!;
      grams[at++] = ((x % ngramDigit) * low + Math.floor(x / ngramDigit) * high + grams[k + size - 1]!) % buckets;
    }
    shorter = from;
  }
  return grams;
}

/**
 * What a bucket's low and high digit (its rest by {@link ngramDigit}, and the quotient) are multiplied by in place of the factor. Two products and a bucket stay below 2^31 in sum, so that the ONNX graph, which has only
 * int32, computes the same.
 */
export function ngramFactors(buckets: number): { readonly low: number; readonly high: number } {
  const low = ngramFactor % buckets;
  return { low, high: (ngramDigit * low) % buckets };
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
  return scaleOfSize(sum);
}

/** As {@link ngramScale}, of a sum of sizes. */
export function scaleOfSize(sum: number): number {
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
