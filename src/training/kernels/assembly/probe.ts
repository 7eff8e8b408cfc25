import { multiplyAdd } from './vector';

/** Floating point operations in a turn of {@link probePeak}. */
export function probeOperations(): i32 {
  return ASC_FEATURE_RELAXED_SIMD ? 96 : 64;
}

/**
 * What the processor can do at most, for the benchmark: 12 chains of multiply-adds (plain build: 8, for it has no more registers) that wait for nothing but their own last value,
 * all their operands in registers or in the first-level cache.
 *
 * @param source 8 floats
 * @returns a value that depends on all of them, so that nothing is optimised away
 */
export function probePeak(source: usize, turns: i32): f32 {
  let c0 = f32x4.splat(0), c1 = c0, c2 = c0, c3 = c0, c4 = c0, c5 = c0, c6 = c0, c7 = c0, c8 = c0, c9 = c0, c10 = c0, c11 = c0;
  for (let i = 0; i < turns; i++) {
    const a = v128.load(source), b = v128.load(source, 16);
    let x = v128.load_splat<f32>(source);
    c0 = multiplyAdd(x, a, c0); c1 = multiplyAdd(x, b, c1);
    x = v128.load_splat<f32>(source, 4);
    c2 = multiplyAdd(x, a, c2); c3 = multiplyAdd(x, b, c3);
    x = v128.load_splat<f32>(source, 8);
    c4 = multiplyAdd(x, a, c4); c5 = multiplyAdd(x, b, c5);
    x = v128.load_splat<f32>(source, 12);
    c6 = multiplyAdd(x, a, c6); c7 = multiplyAdd(x, b, c7);
    if (ASC_FEATURE_RELAXED_SIMD) {
      x = v128.load_splat<f32>(source, 16);
      c8 = multiplyAdd(x, a, c8); c9 = multiplyAdd(x, b, c9);
      x = v128.load_splat<f32>(source, 20);
      c10 = multiplyAdd(x, a, c10); c11 = multiplyAdd(x, b, c11);
    }
  }
  const sum = f32x4.add(f32x4.add(f32x4.add(c0, c1), f32x4.add(c2, c3)), f32x4.add(f32x4.add(c4, c5), f32x4.add(c6, c7)));
  return f32x4.extract_lane(f32x4.add(sum, f32x4.add(f32x4.add(c8, c9), f32x4.add(c10, c11))), 0);
}
