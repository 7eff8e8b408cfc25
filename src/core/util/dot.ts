/** Any of the arrays that numbers are kept in. */
type Numbers = Float32Array | Float64Array;

/** Dot product of `count` numbers of `a` and `b`, from their places on. In four sums, which processors add up at the same time. */
export function dot(a: Numbers, atA: number, b: Numbers, atB: number, count: number): number {
  let first = 0;
  let second = 0;
  let third = 0;
  let fourth = 0;
  const whole = count - (count % 4);
  let i = 0;
  for (; i < whole; i += 4) {
    first += a[atA + i]! * b[atB + i]!;
    second += a[atA + i + 1]! * b[atB + i + 1]!;
    third += a[atA + i + 2]! * b[atB + i + 2]!;
    fourth += a[atA + i + 3]! * b[atB + i + 3]!;
  }
  for (; i < count; i++) first += a[atA + i]! * b[atB + i]!;
  return first + second + third + fourth;
}

/** target += factor · other, for `count` numbers from their places on. */
export function addScaled(target: Float64Array, atTarget: number, factor: number, other: Numbers, atOther: number, count: number): void {
  for (let i = 0; i < count; i++) target[atTarget + i]! += factor * other[atOther + i]!;
}

/** Dot products of `rows` rows of `a`, of `count` numbers each from `atA` on, with the same numbers of `b`: added to `sums`. Four rows at a time, so that `b` is read less often. */
export function addDots(a: Numbers, atA: number, rows: number, b: Numbers, atB: number, count: number, sums: Float64Array, atSums: number): void {
  let row = 0;
  for (; row + 4 <= rows; row += 4) {
    let first = 0;
    let second = 0;
    let third = 0;
    let fourth = 0;
    for (let i = 0, p = atA + row * count, q = p + count, r = q + count, s = r + count; i < count; i++, p++, q++, r++, s++) {
      const value = b[atB + i]!;
      first += a[p]! * value;
      second += a[q]! * value;
      third += a[r]! * value;
      fourth += a[s]! * value;
    }
    sums[atSums + row]! += first;
    sums[atSums + row + 1]! += second;
    sums[atSums + row + 2]! += third;
    sums[atSums + row + 3]! += fourth;
  }
  for (; row < rows; row++) sums[atSums + row]! += dot(a, atA + row * count, b, atB, count);
}

/** The outer product of `factors` with `count` numbers of `b`, added to `rows` rows of `target`. */
export function addOuter(target: Float64Array, atTarget: number, rows: number, b: Numbers, atB: number, count: number, factors: Float64Array, atFactors: number): void {
  let row = 0;
  for (; row + 4 <= rows; row += 4) {
    const first = factors[atFactors + row]!;
    const second = factors[atFactors + row + 1]!;
    const third = factors[atFactors + row + 2]!;
    const fourth = factors[atFactors + row + 3]!;
    for (let i = 0, p = atTarget + row * count, q = p + count, r = q + count, s = r + count; i < count; i++, p++, q++, r++, s++) {
      const value = b[atB + i]!;
      target[p]! += first * value;
      target[q]! += second * value;
      target[r]! += third * value;
      target[s]! += fourth * value;
    }
  }
  for (; row < rows; row++) addScaled(target, atTarget + row * count, factors[atFactors + row]!, b, atB, count);
}
