import type { Address, Kernels } from './kernels';

/**
 * How a ragged batch lies in memory: sorted by length, longest first, and without padding, so that the texts that run at step t are the first `count(t)` rows and
 * position offsets[t] + row holds step t of the text in that row (the layout of PyTorch's `pack_padded_sequence`; see assembly/lstm.ts).
 */
export class Packing {
  /** Tokens in all, S. */
  readonly positions: number;
  /** Tokens of the longest text; at most the batch's T. */
  readonly steps: number;
  /** Texts that have a token. */
  readonly texts: number;
  /** [steps + 1] first position of each step, and at the end S. */
  readonly offsets: Address;
  /** [S] text · T + step: the row in a padded [B·T, D]. */
  readonly rows: Address;
  /** [B] which text is in a row. */
  readonly order: Address;
  /** [B] lengths, in the order of the texts. */
  readonly lengthsAt: Address;

  private readonly offsetValues: Int32Array;
  private readonly orderValues: Int32Array;
  private readonly neighborsAt = new Map<string, Address>();

  /**
   * @param lengths [B], each 0..time
   * @throws RangeError when a length is out of range
   */
  constructor(
    private readonly kernels: Kernels,
    lengths: Int32Array,
    time: number,
  ) {
    const batch = lengths.length;
    const offsets = new Int32Array(time + 1);
    for (const length of lengths) {
      if (length < 0 || length > time) throw new RangeError(`A text of ${length} tokens in a batch of ${time} steps.`);
      if (length > 0) offsets[length - 1]! += 1;
    }
    // from the number of texts that end after step t to those that run at it, to positions
    for (let t = time - 2; t >= 0; t--) offsets[t]! += offsets[t + 1]!;
    let steps = 0;
    let positions = 0;
    for (let t = 0; t <= time; t++) {
      const running = t < time ? offsets[t]! : 0;
      if (running > 0) steps = t + 1;
      offsets[t] = positions;
      positions += running;
    }
    // counting sort, stable
    const start = new Int32Array(time + 2);
    for (const length of lengths) start[length]! += 1;
    for (let length = time; length >= 0; length--) start[length]! += start[length + 1]!;
    const order = new Int32Array(batch);
    for (let text = 0; text < batch; text++) order[start[lengths[text]! + 1]!++] = text;

    const rows = new Int32Array(positions);
    for (let t = 0; t < steps; t++) {
      for (let p = offsets[t]!, row = 0; p < offsets[t + 1]!; p++, row++) rows[p] = order[row]! * time + t;
    }
    this.positions = positions;
    this.steps = steps;
    this.texts = steps > 0 ? offsets[1]! : 0;
    this.offsetValues = offsets;
    this.orderValues = order;
    this.offsets = kernels.putIntegers(offsets.subarray(0, steps + 1));
    this.rows = kernels.putIntegers(rows);
    this.order = kernels.putIntegers(order);
    this.lengthsAt = kernels.putIntegers(lengths);
  }

  /** [S] position of the step before in that direction; -1 at a text's first step. Stays valid as long as the packing. */
  previous(backward: boolean): Address {
    return this.neighbors(backward ? 1 : -1, 1, 1);
  }

  /** [count, S] positions `first`, `first + step`, … steps later in the text (earlier if negative); -1 outside it. Stays valid as long as the packing. */
  neighbors(first: number, step: number, count: number): Address {
    const { offsetValues: offsets, steps, positions } = this;
    const key = [first, step, count].join();
    const known = this.neighborsAt.get(key);
    if (known !== undefined) return known;
    const neighbors = new Int32Array(count * positions).fill(-1);
    for (let k = 0; k < count; k++) {
      for (let t = 0; t < steps; t++) {
        const from = t + first + k * step;
        if (from < 0 || from >= steps) continue;
        const carried = Math.min(offsets[t + 1]! - offsets[t]!, offsets[from + 1]! - offsets[from]!);
        for (let row = 0; row < carried; row++) neighbors[k * positions + offsets[t]! + row] = offsets[from]! + row;
      }
    }
    const address = this.kernels.putIntegers(neighbors);
    this.neighborsAt.set(key, address);
    return address;
  }

  /**
   * [S of `pooled`, size] the positions that each window of `size` steps covers; -1 where its text has ended.
   * @param pooled the same texts with ⌈length/size⌉ steps
   */
  windows(pooled: Packing, size: number): Address {
    const { offsetValues: offsets, steps } = this;
    const rowOf = new Int32Array(this.orderValues.length);
    this.orderValues.forEach((text, row) => (rowOf[text] = row));
    const windows = new Int32Array(pooled.positions * size).fill(-1);
    for (let w = 0; w < pooled.steps; w++) {
      for (let p = pooled.offsetValues[w]!, row = 0; p < pooled.offsetValues[w + 1]!; p++, row++) {
        const own = rowOf[pooled.orderValues[row]!]!;
        for (let t = w * size; t < Math.min(steps, (w + 1) * size); t++) if (offsets[t]! + own < offsets[t + 1]!) windows[p * size + t - w * size] = offsets[t]! + own;
      }
    }
    return this.kernels.putIntegers(windows);
  }
}
