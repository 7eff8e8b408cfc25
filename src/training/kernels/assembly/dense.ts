/** A dense layer on vectors, forward and backward. It is small beside the LSTM, so its loops are plain; rows need no alignment, for a layer may have any number of units. */
import { bytes, multiplyAdd } from './vector';

/** y [N] += a · x [N]. */
// @ts-ignore: decorator
@inline
function addScaled(y: usize, x: usize, a: f32, n: i32): void {
  const factor = f32x4.splat(a);
  let j = 0;
  for (; j + 4 <= n; j += 4) v128.store(y + bytes(j), multiplyAdd(factor, v128.load(x + bytes(j)), v128.load(y + bytes(j))));
  for (; j < n; j++) store<f32>(y + bytes(j), load<f32>(y + bytes(j)) + a * load<f32>(x + bytes(j)));
}

/** x [N] · y [N]. */
// @ts-ignore: decorator
@inline
function dot(x: usize, y: usize, n: i32): f32 {
  let sums = f32x4.splat(0);
  let j = 0;
  for (; j + 4 <= n; j += 4) sums = multiplyAdd(v128.load(x + bytes(j)), v128.load(y + bytes(j)), sums);
  let sum = f32x4.extract_lane(sums, 0) + f32x4.extract_lane(sums, 1) + f32x4.extract_lane(sums, 2) + f32x4.extract_lane(sums, 3);
  for (; j < n; j++) sum += load<f32>(x + bytes(j)) * load<f32>(y + bytes(j));
  return sum;
}

/** y [M, N] = x [M, K] · kernel [K, N] + bias [N]. */
export function denseForward(x: usize, kernel: usize, bias: usize, y: usize, m: i32, n: i32, k: i32): void {
  for (let row = 0; row < m; row++) {
    const target = y + bytes(row * n);
    memory.copy(target, bias, bytes(n));
    for (let i = 0; i < k; i++) addScaled(target, kernel + bytes(i * n), load<f32>(x + bytes(row * k + i)), n);
  }
}

/** dKernel += xᵀ · dy, dBias += Σ dy, dx = dy · kernelᵀ, with shapes as in {@link denseForward}. */
export function denseBackward(x: usize, kernel: usize, dy: usize, dKernel: usize, dBias: usize, dx: usize, m: i32, n: i32, k: i32): void {
  for (let row = 0; row < m; row++) {
    const slopes = dy + bytes(row * n);
    addScaled(dBias, slopes, 1, n);
    for (let i = 0; i < k; i++) {
      const at = bytes(row * k + i);
      addScaled(dKernel + bytes(i * n), slopes, load<f32>(x + at), n);
      store<f32>(dx + at, dot(kernel + bytes(i * n), slopes, n));
    }
  }
}
