/**
 * Four floats at a time: fused multiply-add, sigmoid, tanh, flush to zero.
 *
 * The same source gives two builds. With `--enable relaxed-simd`, multiply-add is one rounded-once instruction where the processor has it;
 * without, it is a multiplication and an addition. The two differ in the last bits.
 */

/** Bytes of so many floats or 32-bit integers. */
// @ts-ignore: decorator
@inline
export function bytes(count: i32): usize {
  return <usize>count << 2;
}

/** a·b + c. */
// @ts-ignore: decorator
@inline
export function multiplyAdd(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c);
  return f32x4.add(f32x4.mul(a, b), c);
}

/** c − a·b. */
// @ts-ignore: decorator
@inline
export function multiplySubtract(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_nmadd(a, b, c);
  return f32x4.sub(c, f32x4.mul(a, b));
}

/**
 * Constants of the loops below, read from memory where they are used. A constant vector in the code would be put together from integer registers, in V8 on x64 with four instructions
 * at every use; reading it takes one.
 */
const CONSTANTS: usize = memory.data<f32>([
  1, -1.44269504, -2.88539008, 126, -126, 12582912, 0.0013264727, 0.009671513, 0.055507336, 0.24022242, 0.693147, 2, 1e-15, 1e-30, 1e-36,
]);
const ONE: usize = 0, MINUS_LOG2_E: usize = 4, MINUS_2_LOG2_E: usize = 8, GREATEST: usize = 12, LEAST: usize = 16, ROUND: usize = 20;
const C5: usize = 24, C4: usize = 28, C3: usize = 32, C2: usize = 36, C1: usize = 40, TWO: usize = 44, TINY: usize = 48, TINY_FIRST: usize = 52, TINY_SECOND: usize = 56;

// @ts-ignore: decorator
@inline
function constant(offset: usize): v128 {
  return v128.load_splat<f32>(CONSTANTS + offset);
}

/** 1 in every lane. */
// @ts-ignore: decorator
@inline
export function ones(): v128 {
  return constant(ONE);
}

/**
 * 2^x with a relative error of about 2e-7, x clamped to ±126 so that neither infinity nor denormals come out.
 *
 * x = n + r with n an integer and |r| ≤ ½; 2^r is a polynomial of degree 5, minimax in the relative error with the constant term held at 1 (Remez). Adding 1.5·2^23 rounds x to n and
 * leaves n in the low bits of the sum, from where a shift by 23 moves it into the exponent.
 */
// @ts-ignore: decorator
@inline
function powerOfTwo(value: v128): v128 {
  const x = f32x4.pmin(constant(GREATEST), f32x4.pmax(constant(LEAST), value));
  const shifted = f32x4.add(x, constant(ROUND));
  const r = f32x4.sub(x, f32x4.sub(shifted, constant(ROUND)));
  let p = multiplyAdd(r, constant(C5), constant(C4));
  p = multiplyAdd(p, r, constant(C3));
  p = multiplyAdd(p, r, constant(C2));
  p = multiplyAdd(p, r, constant(C1));
  p = multiplyAdd(p, r, constant(ONE));
  return i32x4.add(p, i32x4.shl(shifted, 23));
}

/** 1 / (1 + e^−x), absolute error at most 1e-7. The rounding of x·log2 e costs no more: where it is large, the sigmoid is flat. */
// @ts-ignore: decorator
@inline
export function sigmoid(x: v128): v128 {
  const one = constant(ONE);
  return f32x4.div(one, f32x4.add(one, powerOfTwo(f32x4.mul(x, constant(MINUS_LOG2_E)))));
}

/** tanh x = 2 / (1 + e^−2x) − 1, absolute error at most 2e-7. */
// @ts-ignore: decorator
@inline
export function tanh(x: v128): v128 {
  const one = constant(ONE);
  return f32x4.sub(f32x4.div(constant(TWO), f32x4.add(one, powerOfTwo(f32x4.mul(x, constant(MINUS_2_LOG2_E))))), one);
}

/**
 * A gradient with every |x| < 1e-15 replaced by 0.
 *
 * WebAssembly has no flush-to-zero mode, and arithmetic on denormals is some 20 times slower. Gradients that shrink over hundreds of steps end there.
 */
// @ts-ignore: decorator
@inline
export function flush(x: v128): v128 {
  return v128.and(x, f32x4.gt(f32x4.abs(x), constant(TINY)));
}

/** The same for Adam's first moment, which would else decay into the denormals, from 1e-30. */
// @ts-ignore: decorator
@inline
export function flushFirst(x: v128): v128 {
  return v128.and(x, f32x4.gt(f32x4.abs(x), constant(TINY_FIRST)));
}

/** The same for Adam's second moment, which is not negative, from 1e-36. */
// @ts-ignore: decorator
@inline
export function flushSecond(x: v128): v128 {
  return v128.and(x, f32x4.gt(x, constant(TINY_SECOND)));
}

/** First byte that the kernels leave to their user: their constants stand below. */
export function heapBase(): usize {
  return __heap_base;
}

/** Fills `count` floats from `target` on, a multiple of 4, with zeros. */
export function clear(target: usize, count: i32): void {
  memory.fill(target, 0, bytes(count));
}

/** target [N] += source [N]; source = 0. N is a multiple of 4. */
export function moveInto(target: usize, source: usize, count: i32): void {
  const zero = f32x4.splat(0);
  for (let j: usize = 0; j < bytes(count); j += 16) {
    v128.store(target + j, f32x4.add(v128.load(target + j), v128.load(source + j)));
    v128.store(source + j, zero);
  }
}
