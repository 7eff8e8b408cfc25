import type { NgramLayer } from '../core/model/architecture';
import { ngramBuckets, ngramScale, ngramWidth } from '../core/model/ngrams';
import type { TokenBatch } from './engine';

/** The n-grams of a batch's texts, one text after the other. */
export interface BatchGrams {
  readonly buckets: Int32Array;
  /** [B + 1] where each text's n-grams begin in `buckets`, and where the last ones end. */
  readonly starts: Int32Array;
  /** [B] what the sum over a text's n-grams is multiplied by. */
  readonly scales: Float64Array;
}

/** @param sizes [buckets] the layer's */
export function gramsOf({ ids, lengths, time }: TokenBatch, layer: NgramLayer, sizes: Float32Array): BatchGrams {
  const texts = Array.from(lengths, (length, b) => ngramBuckets(ids.subarray(b * time, b * time + length), layer));
  const starts = new Int32Array(texts.length + 1);
  texts.forEach((grams, b) => (starts[b + 1] = starts[b]! + grams.length));
  const buckets = new Int32Array(starts.at(-1)!);
  texts.forEach((grams, b) => buckets.set(grams, starts[b]));
  return { buckets, starts, scales: Float64Array.from(texts, (grams) => ngramScale(grams, sizes)) };
}

/** [B, logits]: for each text the sum of its n-grams' rows, scaled. @param table [buckets, {@link ngramWidth}] */
export function sumGrams({ buckets, starts, scales }: BatchGrams, table: Float32Array, logits: number): Float32Array {
  const width = ngramWidth(logits);
  const texts = starts.length - 1;
  const sums = new Float32Array(texts * logits);
  for (let b = 0; b < texts; b++) {
    for (let k = 0; k < logits; k++) {
      let sum = 0;
      for (let at = starts[b]!; at < starts[b + 1]!; at++) sum += table[buckets[at]! * width + k]!;
      sums[b * logits + k] = sum * scales[b]!;
    }
  }
  return sums;
}

/** The way back of {@link sumGrams}: adds to the table's gradient. @param dy [B, logits] */
export function spreadGrams({ buckets, starts, scales }: BatchGrams, dy: Float32Array, gradient: Float32Array): void {
  const texts = starts.length - 1;
  const logits = dy.length / texts;
  const width = ngramWidth(logits);
  for (let b = 0; b < texts; b++) {
    const scale = scales[b]!;
    for (let at = starts[b]!; at < starts[b + 1]!; at++) for (let k = 0; k < logits; k++) gradient[buckets[at]! * width + k]! += dy[b * logits + k]! * scale;
  }
}
