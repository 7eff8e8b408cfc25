import { bucketOf, frequencyOf, type NgramWeights } from './ngramStore';

/** Rows of a sparse matrix, one behind the other. */
export interface SparseRows {
  readonly columns: number;
  /** [rows + 1] where in the following two each row begins; the last is their end. */
  readonly starts: Int32Array;
  readonly column: Int32Array;
  readonly value: Float32Array;
}

/**
 * The n-grams that a head has weights for: those of the texts that it learned from.
 *
 * Most n-grams are in one of these texts only. The best weights of such n-grams are in proportion to how much each counts in its text, as nothing else pulls at them; so they share a column, whose weight is dealt
 * out to them. That is no approximation, and leaves a third of the weights to be found.
 */
export class NgramColumns {
  readonly count: number;
  /** The first columns are those of one text each. */
  readonly own: number;
  /** [places] bucket of each n-gram. */
  readonly buckets: Int32Array;
  /** [places] its column. */
  readonly columns: Int32Array;
  /** [places] its part of the column's weight; the squares of a column's parts add up to 1. */
  readonly parts: Float64Array;
  /** [buckets] its place, counted from 1; 0: it has none. */
  readonly places: Int32Array;
  /** [buckets] a bit each, 1 where it has a place: small enough to stay in the processor's cache, as most n-grams of most texts have none. */
  private readonly bits: Int32Array;

  /** @param positions texts that are learned from, each once */
  constructor(
    readonly weights: NgramWeights,
    positions: readonly number[],
  ) {
    const { store, rarity } = weights;
    this.places = new Int32Array(rarity.length);
    this.bits = new Int32Array(rarity.length / 32);
    const buckets: number[] = [];
    /** Of each place, the only row that holds it, or -1. */
    const owners: number[] = [];
    positions.forEach((position, row) => {
      const { entries, from, to } = store.row(position);
      for (let i = from; i < to; i++) {
        const bucket = bucketOf(entries[i]!);
        const place = this.places[bucket]! - 1;
        if (place >= 0) {
          if (owners[place] !== row) owners[place] = -1;
        } else if (rarity[bucket]! > 0) {
          this.places[bucket] = buckets.push(bucket);
          this.bits[bucket >>> 5]! |= 1 << (bucket & 31);
          owners.push(row);
        }
      }
    });
    this.buckets = Int32Array.from(buckets);
    this.columns = new Int32Array(buckets.length);
    this.parts = new Float64Array(buckets.length);
    ({ own: this.own, count: this.count } = this.lay(positions, owners));
  }

  /** Whether a bucket has a place. */
  has(bucket: number): boolean {
    return (this.bits[bucket >>> 5]! & (1 << (bucket & 31))) !== 0;
  }

  /** Gives each place its column and its part. @param owners of each place, the only row that holds it, or -1 */
  private lay(positions: readonly number[], owners: readonly number[]): { readonly own: number; readonly count: number } {
    const { store, rarity } = this.weights;
    const squares = new Float64Array(positions.length);
    positions.forEach((position, row) => {
      const { entries, from, to } = store.row(position);
      for (let i = from; i < to; i++) {
        const bucket = bucketOf(entries[i]!);
        const place = this.places[bucket]! - 1;
        if (place < 0 || owners[place] !== row) continue;
        this.parts[place] = frequencyOf(entries[i]!) * rarity[bucket]!;
        squares[row]! += this.parts[place] ** 2;
      }
    });
    let own = 0;
    const ownColumns = Array.from(squares, (square) => (square > 0 ? own++ : -1));
    let count = own;
    owners.forEach((row, place) => {
      this.columns[place] = row < 0 ? count++ : ownColumns[row]!;
      this.parts[place] = row < 0 ? 1 : this.parts[place]! / Math.sqrt(squares[row]!);
    });
    return { own, count };
  }
}

/** The texts as rows of a matrix over `columns`, each of the norm `scale` (0 where a text has no n-gram that counts). @param positions those that the columns were made from */
export function sparseRows(columns: NgramColumns, positions: readonly number[], scale: number): SparseRows {
  const { weights, places, parts } = columns;
  const column: number[] = [];
  const value: number[] = [];
  const starts = new Int32Array(positions.length + 1);
  positions.forEach((position, row) => {
    const { entries, from, to } = weights.store.row(position);
    const unit = scale * weights.scaleOf(position);
    let own = { column: -1, value: 0 };
    for (let i = from; i < to; i++) {
      const bucket = bucketOf(entries[i]!);
      const place = places[bucket]! - 1;
      if (place < 0) continue;
      const part = unit * frequencyOf(entries[i]!) * weights.rarity[bucket]! * parts[place]!;
      const at = columns.columns[place]!;
      if (at < columns.own) own = { column: at, value: own.value + part };
      else {
        column.push(at);
        value.push(part);
      }
    }
    if (own.column >= 0) {
      column.push(own.column);
      value.push(own.value);
    }
    starts[row + 1] = column.length;
  });
  return { columns: columns.count, starts, column: Int32Array.from(column), value: Float32Array.from(value) };
}

/** Cosines of texts over their n-grams, by one text spread out in memory at a time. */
export class NgramCosines {
  private readonly spread: Float32Array;
  private position = -1;

  constructor(private readonly weights: NgramWeights) {
    this.spread = new Float32Array(weights.rarity.length);
  }

  /** The text that {@link with} compares others with. */
  take(position: number): void {
    if (this.position >= 0) this.fill(this.position, 0);
    this.position = position;
    this.fill(position, this.weights.scaleOf(position));
  }

  /** 0..1 */
  with(position: number): number {
    const { entries, from, to } = this.weights.store.row(position);
    let sum = 0;
    for (let i = from; i < to; i++) {
      const bucket = bucketOf(entries[i]!);
      const other = this.spread[bucket]!;
      if (other > 0) sum += other * frequencyOf(entries[i]!) * this.weights.rarity[bucket]!;
    }
    return sum * this.weights.scaleOf(position);
  }

  private fill(position: number, scale: number): void {
    const { entries, from, to } = this.weights.store.row(position);
    for (let i = from; i < to; i++) this.spread[bucketOf(entries[i]!)] = scale * frequencyOf(entries[i]!) * this.weights.rarity[bucketOf(entries[i]!)]!;
  }
}
