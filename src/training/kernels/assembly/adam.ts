/** Gradient norm and Adam, for whole parameters and for listed rows of a table. Counts are multiples of 4. */
import { bytes, flushFirst, flushSecond, multiplyAdd } from './vector';

/** Σ x². In double precision, so that neither the order nor the size of the values matters much. */
export function sumOfSquares(x: usize, count: i32): f64 {
  let low = f64x2.splat(0), high = low;
  for (let j: usize = 0; j < bytes(count); j += 16) {
    const value = v128.load(x + j);
    const first = f64x2.promote_low_f32x4(value);
    const second = f64x2.promote_low_f32x4(v128.shuffle<i64>(value, value, 1, 0));
    low = f64x2.add(low, f64x2.mul(first, first));
    high = f64x2.add(high, f64x2.mul(second, second));
  }
  const sum = f64x2.add(low, high);
  return f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1);
}

/** Σ x² over the listed rows of x [V, width]. */
export function sumOfSquaresRows(x: usize, width: i32, list: usize, rows: i32): f64 {
  let sum: f64 = 0;
  for (let i = 0; i < rows; i++) sum += sumOfSquares(x + bytes(load<i32>(list + bytes(i)) * width), width);
  return sum;
}

/**
 * One step of Adam (Kingma & Ba 2015, in the efficient form at the end of their section 2), with decoupled weight decay (Loshchilov & Hutter 2019):
 *
 *     m ← β1·m + (1−β1)·s·g      v ← β2·v + (1−β2)·(s·g)²      w ← w − rate·m / (√v + ε) − decay·w
 *
 * @param scale s: what gradient clipping left of the gradient
 * @param rate learning rate · √(1−β2^t) / (1−β1^t), and ε likewise · √(1−β2^t): the bias correction
 * @param decay learning rate · weight decay
 */
export function adam(w: usize, g: usize, m: usize, v: usize, count: i32, scale: f64, rate: f64, beta1: f64, beta2: f64, epsilon: f64, decay: f64): void {
  // the settings come in double precision, because 1 − 0.999 has lost two digits when it is taken of floats
  const s = f32x4.splat(<f32>scale);
  const b1 = f32x4.splat(<f32>beta1), b2 = f32x4.splat(<f32>beta2);
  const c1 = f32x4.splat(<f32>(1 - beta1)), c2 = f32x4.splat(<f32>(1 - beta2));
  const r = f32x4.splat(<f32>rate), e = f32x4.splat(<f32>epsilon), keep = f32x4.splat(<f32>(1 - decay));
  for (let j: usize = 0; j < bytes(count); j += 16) {
    const gradient = f32x4.mul(v128.load(g + j), s);
    const first = flushFirst(multiplyAdd(b1, v128.load(m + j), f32x4.mul(c1, gradient)));
    const second = flushSecond(multiplyAdd(b2, v128.load(v + j), f32x4.mul(c2, f32x4.mul(gradient, gradient))));
    const step = f32x4.div(f32x4.mul(r, first), f32x4.add(f32x4.sqrt(second), e));
    v128.store(m + j, first);
    v128.store(v + j, second);
    v128.store(w + j, f32x4.sub(f32x4.mul(v128.load(w + j), keep), step));
  }
}

/** {@link adam} for the listed rows of w [V, width] only ("lazy"): the moments of other rows do not decay. */
export function adamRows(
  w: usize, g: usize, m: usize, v: usize, width: i32, list: usize, rows: i32, scale: f64, rate: f64, beta1: f64, beta2: f64, epsilon: f64, decay: f64,
): void {
  for (let i = 0; i < rows; i++) {
    const at = bytes(load<i32>(list + bytes(i)) * width);
    adam(w + at, g + at, m + at, v + at, width, scale, rate, beta1, beta2, epsilon, decay);
  }
}
