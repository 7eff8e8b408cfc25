/**
 * Convolution over time and pooling over windows of time, on sequences in packed layout (see lstm.ts).
 *
 * A convolution is a matrix product of windows: for each position its k steps side by side, [S, k·I], times the kernel [k·I, F] (Chellapilla, Puri & Simard 2006). The windows are gathered a few rows at a time, so that they
 * stay in the cache. `index` [k, S] says for each of the k steps the position it stands at, negative outside the text.
 */
import { bytes, clear, flush } from './vector';
import { addRows, multiply, multiplyPanels, multiplyScratch, packLeftTransposed, packRows } from './matrix';

/** Positions that are gathered at a time, and on the way back packed. */
const BLOCK: i32 = 48;
const BACK_BLOCK: i32 = 128;

/** target [count, width] = the rows of source that `index` lists, zeros for a negative number. Rows of the target are `stride` floats apart. */
function gather(source: usize, index: usize, target: usize, stride: i32, count: i32, width: i32): void {
  const size = bytes(width);
  for (let p = 0; p < count; p++) {
    const row = load<i32>(index + bytes(p));
    const to = target + bytes(p * stride);
    if (row >= 0) memory.copy(to, source + size * row, size);
    else memory.fill(to, 0, size);
  }
}

/** Floats of scratch memory that {@link convForward} needs. */
export function convForwardScratch(inputs: i32, taps: i32): i32 {
  return BLOCK * taps * inputs + multiplyScratch(taps * inputs);
}

/**
 * y [S, F] = windows(x) · kernel + bias, or what of it is above zero.
 *
 * @param x [S, I]
 * @param kernel [k·I, F], packed by `packRows`
 * @param taps k
 * @param scratch {@link convForwardScratch} floats
 */
export function convForward(x: usize, inputs: i32, kernel: usize, bias: usize, y: usize, filters: i32, index: usize, taps: i32, positions: i32, relu: bool, scratch: usize): void {
  const width = taps * inputs;
  const left = scratch + bytes(BLOCK * width);
  for (let first = 0; first < positions; first += BLOCK) {
    const count = min(BLOCK, positions - first);
    for (let tap = 0; tap < taps; tap++) gather(x, index + bytes(tap * positions + first), scratch + bytes(tap * inputs), width, count, inputs);
    const target = y + bytes(first * filters);
    multiply(scratch, width, kernel, target, filters, count, filters, width, false, left);
    for (let p = 0; p < count; p++) {
      const row = target + bytes(p * filters);
      for (let j: usize = 0; j < bytes(filters); j += 16) {
        const sum = f32x4.add(v128.load(row + j), v128.load(bias + j));
        v128.store(row + j, relu ? f32x4.pmax(f32x4.splat(0), sum) : sum);
      }
    }
  }
}

/** Floats of scratch memory that {@link convBackward} needs. */
export function convBackwardScratch(inputs: i32, filters: i32): i32 {
  return BACK_BLOCK * filters + max(BACK_BLOCK * inputs, multiplyScratch(filters));
}

/**
 * The way back of {@link convForward}: dKernel += windows(x)ᵀ · dz, dBias += Σ dz, dx = Σ_j dz(at the position of which this is step j) · kernel[j]ᵀ, with dz = dy where y is above zero, or everywhere.
 *
 * @param kernelTransposed for each of the k steps its part of the kernel, transposed: [F, I], packed by `packColumns`
 * @param dy [S, F]; dz on exit
 * @param back [k, S]: for each of the k steps the position of whose window this is step j, negative outside the text
 * @param scratch {@link convBackwardScratch} floats
 */
export function convBackward(
  x: usize, inputs: i32, kernelTransposed: usize, y: usize, dy: usize, dKernel: usize, dBias: usize, dx: usize, filters: i32, index: usize, back: usize, taps: i32, positions: i32, relu: bool, scratch: usize,
): void {
  const size = bytes(positions * filters);
  for (let j: usize = 0; j < size; j += 16) {
    const slope = flush(v128.load(dy + j));
    v128.store(dy + j, relu ? v128.and(slope, f32x4.gt(v128.load(y + j), f32x4.splat(0))) : slope);
  }
  const left = scratch + bytes(BACK_BLOCK * filters);
  for (let first = 0; first < positions; first += BACK_BLOCK) {
    const count = min(BACK_BLOCK, positions - first);
    packRows(dy + bytes(first * filters), filters, scratch, count, filters);
    addRows(scratch, dBias, count, filters);
    for (let tap = 0; tap < taps; tap++) {
      packLeftTransposed(x, inputs, index + bytes(tap * positions + first), left, inputs, count);
      multiplyPanels(left, scratch, dKernel + bytes(tap * inputs * filters), filters, inputs, filters, count, true);
    }
    for (let tap = 0; tap < taps; tap++) {
      gather(dy, back + bytes(tap * positions + first), scratch, filters, count, filters);
      multiply(scratch, filters, kernelTransposed + bytes(tap * inputs * filters), dx + bytes(first * inputs), inputs, count, inputs, filters, tap > 0, left);
    }
  }
}

/**
 * Greatest value of each column over windows: y [P, D].
 *
 * @param windows [P, size] positions of x, negative where the text has ended; the first is inside
 * @param chosen [P, D] integers: the first position that has the greatest value
 */
export function windowMaxForward(x: usize, width: i32, windows: usize, size: i32, y: usize, chosen: usize, positions: i32): void {
  for (let p = 0; p < positions; p++) {
    const target = y + bytes(p * width);
    const places = chosen + bytes(p * width);
    for (let k = 0; k < size; k++) {
      const position = load<i32>(windows + bytes(p * size + k));
      if (position < 0) break;
      const source = x + bytes(position * width);
      const now = i32x4.splat(position);
      for (let j: usize = 0; j < bytes(width); j += 16) {
        const value = v128.load(source + j);
        if (k == 0) {
          v128.store(target + j, value);
          v128.store(places + j, now);
        } else {
          const best = v128.load(target + j);
          const greater = f32x4.gt(value, best);
          v128.store(target + j, v128.bitselect(value, best, greater));
          v128.store(places + j, v128.bitselect(now, v128.load(places + j), greater));
        }
      }
    }
  }
}

/** The way back of {@link windowMaxForward}: dx [S, D] is dy at the chosen positions and zero elsewhere. @param size floats of dx */
export function windowMaxBackward(dx: usize, size: i32, width: i32, dy: usize, chosen: usize, positions: i32): void {
  clear(dx, size);
  for (let p = 0; p < positions; p++) {
    for (let j: usize = 0; j < bytes(width); j += 4) {
      const at = bytes(p * width) + j;
      store<f32>(dx + bytes(load<i32>(chosen + at) * width) + j, load<f32>(dy + at));
    }
  }
}
