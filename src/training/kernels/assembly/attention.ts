/**
 * Additive attention (Bahdanau, Cho & Bengio 2015) with a learned context vector (Yang et al. 2016), on sequences in packed layout (see lstm.ts):
 *
 *     u = tanh(x·W + b)      a = softmax over a text's positions of u·v      out = Σ a·x
 */
import { bytes, flush, multiplyAdd, multiplySubtract, ones, tanh } from './vector';
import { addRows, multiply, multiplyPanels, multiplyScratch, packLeftTransposed, packRows } from './matrix';

/** Positions that are worked on at a time on the way back. */
const BLOCK: i32 = 128;

/** Shares below it count as none: see `flush`. */
const LEAST: f32 = 1e-15;

/** x [N] · y [N]. N is a multiple of 4. */
// @ts-ignore: decorator
@inline
function dot(x: usize, y: usize, n: i32): f32 {
  let sums = f32x4.splat(0);
  for (let j: usize = 0; j < bytes(n); j += 16) sums = multiplyAdd(v128.load(x + j), v128.load(y + j), sums);
  return f32x4.extract_lane(sums, 0) + f32x4.extract_lane(sums, 1) + f32x4.extract_lane(sums, 2) + f32x4.extract_lane(sums, 3);
}

/** Position of a packed row's step t, or -1 where its text has ended. */
// @ts-ignore: decorator
@inline
function positionAt(offsets: usize, steps: i32, t: i32, row: i32): i32 {
  if (t >= steps) return -1;
  const position = load<i32>(offsets + bytes(t)) + row;
  return position < load<i32>(offsets + bytes(t), 4) ? position : -1;
}

/**
 * @param x [S, D]
 * @param kernel W [D, A], packed by `packRows`
 * @param bias, context b and v [A]
 * @param u [S, A] output
 * @param shares [S] output: a
 * @param out rows of D floats, `stride` floats apart, in the order of the texts; zeros on entry, and they stay for a text without positions
 * @param scratch `multiplyScratch(D)` floats
 */
export function attentionForward(
  x: usize, width: i32, kernel: usize, bias: usize, context: usize, u: usize, shares: usize, units: i32, offsets: usize, steps: i32, texts: i32, order: usize, out: usize, stride: i32, scratch: usize,
): void {
  const positions = load<i32>(offsets + bytes(steps));
  multiply(x, width, kernel, u, units, positions, units, width, false, scratch);
  for (let p = 0; p < positions; p++) {
    const row = u + bytes(p * units);
    for (let j: usize = 0; j < bytes(units); j += 16) v128.store(row + j, tanh(f32x4.add(v128.load(row + j), v128.load(bias + j))));
    store<f32>(shares + bytes(p), dot(row, context, units));
  }
  for (let row = 0; row < texts; row++) {
    let top: f32 = -f32.MAX_VALUE;
    for (let t = 0, p = row; p >= 0; p = positionAt(offsets, steps, ++t, row)) top = max(top, load<f32>(shares + bytes(p)));
    let sum: f32 = 0;
    for (let t = 0, p = row; p >= 0; p = positionAt(offsets, steps, ++t, row)) {
      const power = Mathf.exp(load<f32>(shares + bytes(p)) - top);
      store<f32>(shares + bytes(p), power);
      sum += power;
    }
    const target = out + bytes(load<i32>(order + bytes(row)) * stride);
    for (let t = 0, p = row; p >= 0; p = positionAt(offsets, steps, ++t, row)) {
      const share = load<f32>(shares + bytes(p)) / sum;
      store<f32>(shares + bytes(p), share < LEAST ? 0 : share);
      if (share < LEAST) continue;
      const factor = f32x4.splat(share);
      const source = x + bytes(p * width);
      for (let j: usize = 0; j < bytes(width); j += 16) v128.store(target + j, multiplyAdd(factor, v128.load(source + j), v128.load(target + j)));
    }
  }
}

/** Floats of scratch memory that {@link attentionBackward} needs. */
export function attentionBackwardScratch(positions: i32, width: i32, units: i32): i32 {
  return positions + BLOCK * units + max(BLOCK * width, multiplyScratch(units)) + 4;
}

/**
 * From the gradient to the output to those of the weights and of the input:
 *
 *     da = dy·x      ds = a∘(da − Σ a·da)      dv += Σ ds·u      dz = ds·v∘(1 − u²)      dW += xᵀ·dz      db += Σ dz      dx = a·dy + dz·Wᵀ
 *
 * @param kernelTransposed Wᵀ [A, D], packed by `packColumns`
 * @param u, shares as {@link attentionForward} left them; u is dz on exit
 * @param dy as `out` there
 * @param scratch {@link attentionBackwardScratch} floats
 */
export function attentionBackward(
  x: usize, width: i32, kernelTransposed: usize, context: usize, u: usize, shares: usize, dy: usize, stride: i32, dKernel: usize, dBias: usize, dContext: usize, dx: usize, units: i32,
  offsets: usize, steps: i32, texts: i32, order: usize, scratch: usize,
): void {
  const positions = load<i32>(offsets + bytes(steps));
  const panels = scratch;
  const left = panels + bytes(BLOCK * units);
  const toShares = left + bytes(max(BLOCK * width, multiplyScratch(units)));
  const one = ones();
  for (let row = 0; row < texts; row++) {
    const slopes = dy + bytes(load<i32>(order + bytes(row)) * stride);
    let mean: f32 = 0;
    for (let t = 0, p = row; p >= 0; p = positionAt(offsets, steps, ++t, row)) {
      const slope = dot(slopes, x + bytes(p * width), width);
      store<f32>(toShares + bytes(p), slope);
      mean += slope * load<f32>(shares + bytes(p));
    }
    for (let t = 0, p = row; p >= 0; p = positionAt(offsets, steps, ++t, row)) {
      const share = load<f32>(shares + bytes(p));
      const factor = f32x4.splat(share);
      const target = dx + bytes(p * width);
      for (let j: usize = 0; j < bytes(width); j += 16) v128.store(target + j, flush(f32x4.mul(factor, v128.load(slopes + j))));
      const toEnergy = f32x4.splat(share * (load<f32>(toShares + bytes(p)) - mean));
      const values = u + bytes(p * units);
      for (let j: usize = 0; j < bytes(units); j += 16) {
        const value = v128.load(values + j);
        v128.store(dContext + j, multiplyAdd(toEnergy, value, v128.load(dContext + j)));
        v128.store(values + j, flush(f32x4.mul(f32x4.mul(toEnergy, v128.load(context + j)), multiplySubtract(value, value, one))));
      }
    }
  }
  for (let first = 0; first < positions; first += BLOCK) {
    const count = min(BLOCK, positions - first);
    const dz = u + bytes(first * units);
    packRows(dz, units, panels, count, units);
    addRows(panels, dBias, count, units);
    packLeftTransposed(x + bytes(first * width), width, 0, left, width, count);
    multiplyPanels(left, panels, dKernel, units, width, units, count, true);
    multiply(dz, units, kernelTransposed, dx + bytes(first * width), width, count, width, units, true, left);
  }
}
