/** Consecutive texts of a batch that are computed together. */
export interface Shard {
  /** Index of its first text. */
  readonly first: number;
  readonly texts: number;
}

/** Shards at most: as many threads can share a batch. */
export const mostShards = 4;

/**
 * Texts and tokens that a shard has at least, if the batch has them. With fewer texts the matrix products slow down (8 cost 3 % at most, 2 cost a quarter; measured at batch size 32); with fewer
 * tokens it shows that each shard after the first adds its weight gradients to the first one's.
 */
const fewest = { texts: 8, tokens: 256 };

/** Cuts a batch into shards of nearly equal numbers of tokens. Depends on the batch alone and not on the number of threads, as the gradient's last bits depend on the cut. */
export function planShards(lengths: Int32Array): Shard[] {
  const tokens = lengths.reduce((sum, length) => sum + length, 0);
  const count = Math.min(mostShards, Math.max(1, Math.floor(Math.min(lengths.length / fewest.texts, tokens / fewest.tokens))));
  const shards: Shard[] = [];
  let first = 0;
  let before = 0;
  for (let shard = 1; shard <= count; shard++) {
    let end = first;
    // one text for each shard that follows must remain
    while (end < lengths.length - (count - shard) && (shard === count || end === first || before + lengths[end]! / 2 <= (tokens * shard) / count)) before += lengths[end++]!;
    shards.push({ first, texts: end - first });
    first = end;
  }
  return shards;
}
