/** Smaller number formats for stored weights. */

/** Are all of them finite numbers. A plain loop: `every` takes ten times as long over millions of weights. */
export function allFinite(data: Float32Array): boolean {
  for (let i = 0; i < data.length; i++) if (!Number.isFinite(data[i])) return false;
  return true;
}

/** Matrix of 8-bit integers with one factor a row: value = stored × scale of its row. */
export interface QuantizedRows {
  /** [rows × columns], row-major, -127..127 */
  readonly values: Int8Array;
  /** [rows], not negative */
  readonly scales: Float32Array;
}

/**
 * Symmetric 8-bit quantization by rows. The largest magnitude of a row becomes ±127; the error of a value is at most half its row's scale.
 *
 * @param data finite numbers, row-major; its length must be a multiple of `columns`
 */
export function quantizeRows(data: Float32Array, columns: number): QuantizedRows {
  const rows = data.length / columns;
  const values = new Int8Array(data.length);
  const scales = new Float32Array(rows);
  for (let row = 0; row < rows; row++) {
    const start = row * columns;
    let largest = 0;
    for (let i = start; i < start + columns; i++) {
      const magnitude = Math.abs(data[i]!);
      if (magnitude > largest) largest = magnitude;
    }
    // the bound keeps 128 × scale a finite float in a row of the very largest ones
    const scale = Math.fround(Math.min(largest / 127, 2.65e36));
    // a row so small that its scale is zero or denormal is stored as zeros: dividing by it would lose the bound of the error
    if (scale < 1.2e-38) continue;
    scales[row] = scale;
    for (let i = start; i < start + columns; i++) values[i] = Math.max(-127, Math.min(127, Math.round(data[i]! / scale)));
  }
  return { values, scales };
}

/** Inverse of {@link quantizeRows}. */
export function dequantizeRows({ values, scales }: QuantizedRows): Float32Array {
  const data = new Float32Array(values.length);
  const columns = scales.length === 0 ? 0 : values.length / scales.length;
  for (let row = 0; row < scales.length; row++) {
    const scale = scales[row]!;
    for (let i = row * columns; i < (row + 1) * columns; i++) data[i] = values[i]! * scale;
  }
  return data;
}

/** Numbers in 8 bits with one factor for all: value = stored · |stored| × scale. */
export interface CompandedValues {
  /** -127..127 */
  readonly values: Int8Array;
  /** Not negative, of 10 significant bits, so that every value is a float exactly. */
  readonly scale: number;
}

/**
 * 8-bit companding by the square, for many numbers of which most are small and few are large: steps grow with the root of the magnitude. The largest magnitude becomes 127; the error of a value is at most
 * √(|value| × scale) + scale / 2, which for tables of n-grams is 1 to 2 % of their spread (smaller scales, which cut off the largest, err by more there). What has been rounded once stays as it is.
 *
 * @param data finite numbers
 */
export function compand(data: Float32Array): CompandedValues {
  const largest = data.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const scale = shortened(largest / 127 ** 2);
  const values = new Int8Array(data.length);
  // the root whose square is nearest
  if (scale > 0) for (let k = 0; k < data.length; k++) values[k] = Math.sign(data[k]!) * Math.min(127, Math.round(Math.sqrt(Math.max(0, Math.abs(data[k]!) / scale - 0.25))));
  return { values, scale };
}

/** Inverse of {@link compand}. */
export function expand({ values, scale }: CompandedValues): Float32Array {
  return Float32Array.from(values, (value) => value * Math.abs(value) * scale);
}

/** A scale cut to 10 significant bits; 0 where values of it would lose bits, and at most what keeps 128² × scale a finite float. */
function shortened(scale: number): number {
  if (scale < 1e-34) return 0;
  const unit = 2 ** (Math.floor(Math.log2(scale)) - 9);
  return Math.min(Math.floor(scale / unit) * unit, 2 ** 113);
}

/** IEEE 754 half-precision bits of `data`, rounded to nearest, ties to even; magnitudes beyond 65504 become 65504. */
export function toFloat16(data: Float32Array): Uint16Array {
  const bits = new Uint32Array(data.buffer, data.byteOffset, data.length);
  const halves = new Uint16Array(data.length);
  for (let i = 0; i < data.length; i++) {
    const sign = (bits[i]! >>> 16) & 0x8000;
    const magnitude = bits[i]! & 0x7fffffff;
    if (magnitude >= 0x477fe000) halves[i] = sign | 0x7bff;
    // normal: drop 13 bits of the fraction; a carry out of the fraction raises the exponent, which is what rounding up means
    else if (magnitude >= 0x38800000) halves[i] = sign | ((magnitude - 0x38000000 + 0x0fff + ((magnitude >>> 13) & 1)) >>> 13);
    else {
      // subnormal: multiples of 2^-24
      const steps = Math.abs(data[i]!) * 16_777_216;
      const below = Math.floor(steps);
      const rest = steps - below;
      halves[i] = sign | (rest > 0.5 || (rest === 0.5 && below % 2 === 1) ? below + 1 : below);
    }
  }
  return halves;
}

/** Inverse of {@link toFloat16}; infinities and NaN come back as such. */
export function fromFloat16(halves: Uint16Array): Float32Array {
  const data = new Float32Array(halves.length);
  const bits = new Uint32Array(data.buffer);
  for (let i = 0; i < halves.length; i++) {
    const half = halves[i]!;
    const sign = (half & 0x8000) << 16;
    const magnitude = half & 0x7fff;
    if (magnitude < 0x0400) {
      data[i] = magnitude / 16_777_216;
      bits[i]! |= sign;
    } else bits[i] = sign | ((magnitude << 13) + (magnitude < 0x7c00 ? 0x38000000 : 0x70000000));
  }
  return data;
}
