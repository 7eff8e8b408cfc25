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
