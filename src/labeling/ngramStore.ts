import { NgramReader } from '../core/text/ngrams';

/** Bits of an n-gram's bucket: as many as the texts have, and some more. Rare n-grams that share a bucket with another cost next to nothing. */
const bucketBits = { least: 10, more: 8, most: 20 };
/** The other bits of an entry hold how often its n-gram occurs. */
const countBits = 32 - bucketBits.most;
const mostOccurrences = 2 ** countBits - 1;

/** Entries of all texts together, 4 bytes each, and of one text: the more texts, the fewer of each. */
const mostEntries = 24e6;
const mostOfText = { least: 16, most: 1024 };
/** Entries that are allocated at a time. */
const entriesOfChunk = 2 ** 17;
/** An n-gram of fewer texts is in no other text, so there is nothing to learn from it. */
const leastTexts = 2;

/** Damped number of occurrences in a text, by their number. */
const damped = Float64Array.from({ length: mostOccurrences + 1 }, (_, count) => (count === 0 ? 0 : 1 + Math.log(count)));

/** Entries of a text: see {@link bucketOf} and {@link frequencyOf}. */
export interface NgramRow {
  readonly entries: Uint32Array;
  readonly from: number;
  readonly to: number;
}

/** Bucket of an entry, from 0. */
export function bucketOf(entry: number): number {
  return entry >>> countBits;
}

/** Damped number of occurrences. */
export function frequencyOf(entry: number): number {
  return damped[entry & mostOccurrences]!;
}

/** The hashed n-grams of a pool's texts, as far as they are known. They belong to the texts, so they stay when another model's features come. 16 bytes a text and 4 an n-gram, 100 MB at most. */
export class NgramStore {
  /** Distinct n-grams that are kept of a text, from its beginning. */
  readonly mostOfText: number;
  private readonly bits: number;
  private readonly reader = new NgramReader();
  private readonly known: Uint8Array;
  private readonly lengths: Uint16Array;
  /** Places of the texts' first entries in all chunks. */
  private readonly starts: Uint32Array;
  private readonly chunks: Uint32Array[] = [];
  private end = 0;
  /** [buckets] number of the known texts that hold it; empty as long as no text is known. */
  private texts = new Uint32Array(0);
  private knownTexts = 0;
  private latest: NgramWeights | undefined;

  /** @param count texts of the pool */
  constructor(readonly count: number) {
    this.mostOfText = Math.max(mostOfText.least, Math.min(mostOfText.most, Math.floor(mostEntries / Math.max(1, count))));
    this.bits = Math.max(bucketBits.least, Math.min(bucketBits.most, Math.ceil(Math.log2(count + 1)) + bucketBits.more));
    this.known = new Uint8Array(count);
    this.lengths = new Uint16Array(count);
    this.starts = new Uint32Array(count);
  }

  /** Bytes that the entries take. */
  get bytes(): number {
    return this.chunks.length * entriesOfChunk * 4;
  }

  /** Takes a text over, unless it is known. */
  add(position: number, text: string): void {
    if (this.known[position] !== 0) return;
    if (this.knownTexts === 0) this.texts = new Uint32Array(2 ** this.bits);
    const { hashes: buckets, counts } = this.reader.read(text, this.mostOfText, this.bits);
    const chunk = this.room(buckets.length);
    buckets.forEach((bucket, i) => {
      chunk[(this.end + i) % entriesOfChunk] = (bucket << countBits) | Math.min(mostOccurrences, counts[i]!);
      this.texts[bucket]!++;
    });
    this.starts[position] = this.end;
    this.lengths[position] = buckets.length;
    this.end += buckets.length;
    this.known[position] = 1;
    this.knownTexts++;
  }

  /** Of a text that is not known there are none. To be read only. */
  row(position: number): NgramRow {
    const start = this.starts[position]!;
    const from = start % entriesOfChunk;
    return { entries: this.chunks[Math.floor(start / entriesOfChunk)] ?? nothing, from, to: from + this.lengths[position]! };
  }

  /** By the texts that are known now; the same object as long as no more are. */
  weights(): NgramWeights {
    if (this.latest?.texts !== this.knownTexts) this.latest = new NgramWeights(this, this.knownTexts, this.rarity());
    return this.latest;
  }

  /** Smooth inverse document frequency. */
  private rarity(): Float32Array {
    const byTexts = Float32Array.from({ length: this.knownTexts + 1 }, (_, texts) => (texts < leastTexts ? 0 : 1 + Math.log((1 + this.knownTexts) / (1 + texts))));
    const rarity = new Float32Array(this.texts.length);
    for (let bucket = 0; bucket < rarity.length; bucket++) rarity[bucket] = byTexts[this.texts[bucket]!]!;
    return rarity;
  }

  /** The chunk that the next `length` entries go to; a text's entries are never in two. */
  private room(length: number): Uint32Array {
    if ((this.end % entriesOfChunk) + length > entriesOfChunk) this.end = Math.ceil(this.end / entriesOfChunk) * entriesOfChunk;
    const index = Math.floor(this.end / entriesOfChunk);
    return (this.chunks[index] ??= new Uint32Array(entriesOfChunk));
  }
}

const nothing = new Uint32Array(0);

/**
 * How much each n-gram counts (TF-IDF): damped frequency in the text times rarity among the texts that are known, texts that nobody has labelled included; each text has the norm 1. Stays as it is when
 * more texts come.
 */
export class NgramWeights {
  /** 1 over the norm of each text; 0 where it has no n-gram that counts, NaN where it was not asked for yet. */
  private readonly scales: Float32Array;

  /**
   * @param texts that are known
   * @param rarity [buckets] 0 for what does not count
   */
  constructor(
    readonly store: NgramStore,
    readonly texts: number,
    readonly rarity: Float32Array,
  ) {
    this.scales = new Float32Array(store.count).fill(NaN);
  }

  /** What the products of frequency and rarity of a text have to be multiplied with, so that they have the norm 1. */
  scaleOf(position: number): number {
    const known = this.scales[position]!;
    if (!Number.isNaN(known)) return known;
    const { entries, from, to } = this.store.row(position);
    let square = 0;
    for (let i = from; i < to; i++) square += (frequencyOf(entries[i]!) * this.rarity[bucketOf(entries[i]!)]!) ** 2;
    // rounded, as it will be when it is asked for again
    return (this.scales[position] = Math.fround(square > 0 ? 1 / Math.sqrt(square) : 0));
  }
}
