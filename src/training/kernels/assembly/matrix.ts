/**
 * Matrix products for matrices of up to a few hundred columns, in the manner of Goto & van de Geijn (2008, "Anatomy of high-performance matrix multiplication").
 *
 * All matrices are row-major with a leading dimension ("stride": floats from one row to the next). Both factors are first copied ("packed") into panels, so that
 * the innermost loop reads two short streams from front to back:
 *
 * - the right factor B [K, N] into panels of 8 columns, each [K][8]; a last panel of 4 columns is [K][4]. N is a multiple of 4.
 * - the left factor A [M, K] into panels of {@link panelRows} rows, each [K][rows].
 *
 * A micro-kernel multiplies one panel by the other and keeps the block of C in registers. There are 15 usable vector registers in V8 on x64: 6 rows × 2 vectors
 * of sums, 2 of B, 1 of A fill them exactly. Without fused multiply-add the product needs one more register, so the plain build has 4 rows.
 * The loops are not unrolled by hand: in V8 13.6 on Zen 4 they reach nine tenths of the multiply-add peak, and unrolled by 2 or 4 a quarter less (the register allocator spills).
 */
import { bytes, multiplyAdd } from './vector';

/** Rows of the left factor that are packed together: few enough that their panels stay in the cache while all of B goes by. 24 and 96 are as fast. */
const ROW_BLOCK: i32 = 48;

/** Rows of the next panel when `left` rows remain. Panels of 6 (plain build: 4), and at the end 4, 2 and 1, so that 8 rows are 4 + 4 and not 6 + 2. */
// @ts-ignore: decorator
@inline
function panelRows(left: i32): i32 {
  if (ASC_FEATURE_RELAXED_SIMD && left >= 6 && left != 8) return 6;
  return left >= 4 ? 4 : left >= 2 ? 2 : 1;
}

/** Floats of scratch memory that {@link multiply} needs. */
export function multiplyScratch(k: i32): i32 {
  return ROW_BLOCK * k;
}

/**
 * C [M, N] = A [M, K] · B, or C += A · B.
 *
 * @param panels B [K, N], packed by {@link packRows} or {@link packColumns}
 * @param scratch {@link multiplyScratch} floats
 */
export function multiply(a: usize, strideA: i32, panels: usize, c: usize, strideC: i32, m: i32, n: i32, k: i32, accumulate: bool, scratch: usize): void {
  for (let first = 0; first < m; first += ROW_BLOCK) {
    const rows = min(ROW_BLOCK, m - first);
    packLeft(a + bytes(first * strideA), strideA, scratch, rows, k);
    multiplyPanels(scratch, panels, c + bytes(first * strideC), strideC, rows, n, k, accumulate);
  }
}

/** C [M, N] (+)= A · B with both factors packed. */
export function multiplyPanels(left: usize, right: usize, c: usize, strideC: i32, m: i32, n: i32, k: i32, accumulate: bool): void {
  const step = bytes(strideC);
  let panel = right;
  let j = 0;
  for (; j + 8 <= n; j += 8) {
    let a = left;
    let target = c + bytes(j);
    for (let remaining = m; remaining > 0; ) {
      const rows = panelRows(remaining);
      if (ASC_FEATURE_RELAXED_SIMD && rows == 6) block6(a, panel, target, step, k, accumulate);
      else if (rows == 4) block4(a, panel, target, step, k, accumulate);
      else if (rows == 2) block2(a, panel, target, step, k, accumulate);
      else block1(a, panel, target, k, accumulate);
      a += bytes(rows * k);
      target += step * rows;
      remaining -= rows;
    }
    panel += bytes(8 * k);
  }
  if (j < n) {
    let a = left;
    let target = c + bytes(j);
    for (let remaining = m; remaining > 0; ) {
      const rows = panelRows(remaining);
      for (let row = 0; row < rows; row++) {
        narrow(a + bytes(row), bytes(rows), panel, target, k, accumulate);
        target += step;
      }
      a += bytes(rows * k);
      remaining -= rows;
    }
  }
}

/** Packs a right factor B [K, N]. */
export function packRows(b: usize, stride: i32, panels: usize, k: i32, n: i32): void {
  const step = bytes(stride);
  let target = panels;
  let j = 0;
  for (; j + 8 <= n; j += 8) {
    let source = b + bytes(j);
    for (let i = 0; i < k; i++) {
      v128.store(target, v128.load(source));
      v128.store(target, v128.load(source, 16), 16);
      source += step;
      target += 32;
    }
  }
  if (j < n) {
    let source = b + bytes(j);
    for (let i = 0; i < k; i++) {
      v128.store(target, v128.load(source));
      source += step;
      target += 16;
    }
  }
}

/** Packs the right factor Bᵀ, given B [N, K]: the panels of its transpose [K, N]. K and N are multiples of 4. */
export function packColumns(b: usize, stride: i32, panels: usize, k: i32, n: i32): void {
  const step = bytes(stride);
  let panel = panels;
  for (let j = 0; j < n; j += 8) {
    const width = min(8, n - j);
    for (let half = 0; half < width; half += 4) {
      let source = b + step * (j + half);
      let target = panel + bytes(half);
      const pitch = bytes(width);
      for (let i = 0; i < k; i += 4) {
        transpose(source, step, target, pitch);
        source += 16;
        target += 4 * pitch;
      }
    }
    panel += bytes(width * k);
  }
}

/** Packs the left factor A [M, K]. K is a multiple of 4. */
export function packLeft(a: usize, stride: i32, panels: usize, m: i32, k: i32): void {
  const step = bytes(stride);
  let source = a;
  let panel = panels;
  for (let remaining = m; remaining > 0; ) {
    const rows = panelRows(remaining);
    if (rows >= 4) {
      const pitch = bytes(rows);
      let target = panel;
      for (let i = 0; i < k; i += 4) {
        const from = source + bytes(i);
        transpose(from, step, target, pitch);
        if (rows == 6) {
          const low = v128.load(from + 4 * step);
          const high = v128.load(from + 5 * step);
          const first = v128.shuffle<f32>(low, high, 0, 4, 1, 5);
          const second = v128.shuffle<f32>(low, high, 2, 6, 3, 7);
          v128.store_lane<i64>(target, first, 0, 16);
          v128.store_lane<i64>(target + pitch, first, 1, 16);
          v128.store_lane<i64>(target + 2 * pitch, second, 0, 16);
          v128.store_lane<i64>(target + 3 * pitch, second, 1, 16);
        }
        target += 4 * pitch;
      }
    } else {
      let target = panel;
      for (let i = 0; i < k; i++) {
        for (let row = 0; row < rows; row++) {
          store<f32>(target, load<f32>(source + step * row + bytes(i)));
          target += 4;
        }
      }
    }
    panel += bytes(rows * k);
    source += step * rows;
    remaining -= rows;
  }
}

/**
 * Packs the left factor Aᵀ [M, K], given K rows of A, each of M floats (a multiple of 4).
 *
 * @param index 0, or the address of K row numbers: row `index[k]` of A stands for row k, and a negative number for a row of zeros
 */
export function packLeftTransposed(a: usize, stride: i32, index: usize, panels: usize, m: i32, k: i32): void {
  const step = bytes(stride);
  let column: usize = 0;
  let panel = panels;
  for (let remaining = m; remaining > 0; ) {
    const rows = panelRows(remaining);
    let target = panel;
    for (let i = 0; i < k; i++) {
      const row = index == 0 ? i : load<i32>(index + bytes(i));
      let low = f32x4.splat(0);
      let high = low;
      if (row >= 0) {
        const source = a + step * row + column;
        low = v128.load(source);
        if (rows == 6) high = v128.load64_zero(source, 16);
      }
      v128.store(target, low);
      if (rows == 6) v128.store_lane<i64>(target, high, 0, 16);
      target += bytes(rows);
    }
    panel += bytes(rows * k);
    column += bytes(rows);
    remaining -= rows;
  }
}

/** sums [N] += the rows of B [K, N], given in panels as by {@link packRows}. N is a multiple of 4. */
export function addRows(panels: usize, sums: usize, k: i32, n: i32): void {
  let source = panels;
  let j = 0;
  for (; j + 8 <= n; j += 8) {
    const target = sums + bytes(j);
    let low = v128.load(target), high = v128.load(target, 16);
    const end = source + bytes(8 * k);
    while (source < end) {
      low = f32x4.add(low, v128.load(source));
      high = f32x4.add(high, v128.load(source, 16));
      source += 32;
    }
    v128.store(target, low);
    v128.store(target, high, 16);
  }
  if (j < n) {
    const target = sums + bytes(j);
    let sum = v128.load(target);
    const end = source + bytes(4 * k);
    for (; source < end; source += 16) sum = f32x4.add(sum, v128.load(source));
    v128.store(target, sum);
  }
}

/** Transposes 4 × 4 floats: rows `step` bytes apart become columns, in rows `pitch` bytes apart. */
// @ts-ignore: decorator
@inline
function transpose(source: usize, step: usize, target: usize, pitch: usize): void {
  const a = v128.load(source);
  const b = v128.load(source + step);
  const c = v128.load(source + 2 * step);
  const d = v128.load(source + 3 * step);
  const abLow = v128.shuffle<f32>(a, b, 0, 4, 1, 5);
  const abHigh = v128.shuffle<f32>(a, b, 2, 6, 3, 7);
  const cdLow = v128.shuffle<f32>(c, d, 0, 4, 1, 5);
  const cdHigh = v128.shuffle<f32>(c, d, 2, 6, 3, 7);
  v128.store(target, v128.shuffle<f32>(abLow, cdLow, 0, 1, 4, 5));
  v128.store(target + pitch, v128.shuffle<f32>(abLow, cdLow, 2, 3, 6, 7));
  v128.store(target + 2 * pitch, v128.shuffle<f32>(abHigh, cdHigh, 0, 1, 4, 5));
  v128.store(target + 3 * pitch, v128.shuffle<f32>(abHigh, cdHigh, 2, 3, 6, 7));
}

/** Micro-kernel: C [6, 8] (+)= panel [K][6]ᵀ · panel [K][8]. `step`: bytes between rows of C. */
function block6(a: usize, b: usize, c: usize, step: usize, k: i32, accumulate: bool): void {
  let l0 = f32x4.splat(0), h0 = l0, l1 = l0, h1 = l0, l2 = l0, h2 = l0;
  let l3 = l0, h3 = l0, l4 = l0, h4 = l0, l5 = l0, h5 = l0;
  const c1 = c + step, c2 = c1 + step, c3 = c2 + step, c4 = c3 + step, c5 = c4 + step;
  if (accumulate) {
    l0 = v128.load(c); h0 = v128.load(c, 16);
    l1 = v128.load(c1); h1 = v128.load(c1, 16);
    l2 = v128.load(c2); h2 = v128.load(c2, 16);
    l3 = v128.load(c3); h3 = v128.load(c3, 16);
    l4 = v128.load(c4); h4 = v128.load(c4, 16);
    l5 = v128.load(c5); h5 = v128.load(c5, 16);
  }
  const end = b + bytes(8 * k);
  while (b < end) {
    const low = v128.load(b), high = v128.load(b, 16);
    let x = v128.load_splat<f32>(a);
    l0 = multiplyAdd(x, low, l0); h0 = multiplyAdd(x, high, h0);
    x = v128.load_splat<f32>(a, 4);
    l1 = multiplyAdd(x, low, l1); h1 = multiplyAdd(x, high, h1);
    x = v128.load_splat<f32>(a, 8);
    l2 = multiplyAdd(x, low, l2); h2 = multiplyAdd(x, high, h2);
    x = v128.load_splat<f32>(a, 12);
    l3 = multiplyAdd(x, low, l3); h3 = multiplyAdd(x, high, h3);
    x = v128.load_splat<f32>(a, 16);
    l4 = multiplyAdd(x, low, l4); h4 = multiplyAdd(x, high, h4);
    x = v128.load_splat<f32>(a, 20);
    l5 = multiplyAdd(x, low, l5); h5 = multiplyAdd(x, high, h5);
    b += 32;
    a += 24;
  }
  v128.store(c, l0); v128.store(c, h0, 16);
  v128.store(c1, l1); v128.store(c1, h1, 16);
  v128.store(c2, l2); v128.store(c2, h2, 16);
  v128.store(c3, l3); v128.store(c3, h3, 16);
  v128.store(c4, l4); v128.store(c4, h4, 16);
  v128.store(c5, l5); v128.store(c5, h5, 16);
}

/** Micro-kernel: C [4, 8] (+)= panel [K][4]ᵀ · panel [K][8]. */
function block4(a: usize, b: usize, c: usize, step: usize, k: i32, accumulate: bool): void {
  let l0 = f32x4.splat(0), h0 = l0, l1 = l0, h1 = l0, l2 = l0, h2 = l0, l3 = l0, h3 = l0;
  const c1 = c + step, c2 = c1 + step, c3 = c2 + step;
  if (accumulate) {
    l0 = v128.load(c); h0 = v128.load(c, 16);
    l1 = v128.load(c1); h1 = v128.load(c1, 16);
    l2 = v128.load(c2); h2 = v128.load(c2, 16);
    l3 = v128.load(c3); h3 = v128.load(c3, 16);
  }
  const end = b + bytes(8 * k);
  while (b < end) {
    const low = v128.load(b), high = v128.load(b, 16);
    let x = v128.load_splat<f32>(a);
    l0 = multiplyAdd(x, low, l0); h0 = multiplyAdd(x, high, h0);
    x = v128.load_splat<f32>(a, 4);
    l1 = multiplyAdd(x, low, l1); h1 = multiplyAdd(x, high, h1);
    x = v128.load_splat<f32>(a, 8);
    l2 = multiplyAdd(x, low, l2); h2 = multiplyAdd(x, high, h2);
    x = v128.load_splat<f32>(a, 12);
    l3 = multiplyAdd(x, low, l3); h3 = multiplyAdd(x, high, h3);
    b += 32;
    a += 16;
  }
  v128.store(c, l0); v128.store(c, h0, 16);
  v128.store(c1, l1); v128.store(c1, h1, 16);
  v128.store(c2, l2); v128.store(c2, h2, 16);
  v128.store(c3, l3); v128.store(c3, h3, 16);
}

/** Micro-kernel: C [2, 8] (+)= panel [K][2]ᵀ · panel [K][8]. */
function block2(a: usize, b: usize, c: usize, step: usize, k: i32, accumulate: bool): void {
  let l0 = f32x4.splat(0), h0 = l0, l1 = l0, h1 = l0;
  const c1 = c + step;
  if (accumulate) {
    l0 = v128.load(c); h0 = v128.load(c, 16);
    l1 = v128.load(c1); h1 = v128.load(c1, 16);
  }
  const end = b + bytes(8 * k);
  while (b < end) {
    const low = v128.load(b), high = v128.load(b, 16);
    let x = v128.load_splat<f32>(a);
    l0 = multiplyAdd(x, low, l0); h0 = multiplyAdd(x, high, h0);
    x = v128.load_splat<f32>(a, 4);
    l1 = multiplyAdd(x, low, l1); h1 = multiplyAdd(x, high, h1);
    b += 32;
    a += 8;
  }
  v128.store(c, l0); v128.store(c, h0, 16);
  v128.store(c1, l1); v128.store(c1, h1, 16);
}

/** Micro-kernel: C [1, 8] (+)= panel [K][1]ᵀ · panel [K][8]. */
function block1(a: usize, b: usize, c: usize, k: i32, accumulate: bool): void {
  let l0 = f32x4.splat(0), h0 = l0;
  if (accumulate) {
    l0 = v128.load(c);
    h0 = v128.load(c, 16);
  }
  const end = b + bytes(8 * k);
  while (b < end) {
    const x = v128.load_splat<f32>(a);
    l0 = multiplyAdd(x, v128.load(b), l0);
    h0 = multiplyAdd(x, v128.load(b, 16), h0);
    b += 32;
    a += 4;
  }
  v128.store(c, l0);
  v128.store(c, h0, 16);
}

/** Micro-kernel for a last panel of 4 columns: one row of C [1, 4] (+)= a · panel [K][4], a's values `step` bytes apart. */
function narrow(a: usize, step: usize, b: usize, c: usize, k: i32, accumulate: bool): void {
  let sum = accumulate ? v128.load(c) : f32x4.splat(0);
  const end = b + bytes(4 * k);
  while (b < end) {
    sum = multiplyAdd(v128.load_splat<f32>(a), v128.load(b), sum);
    b += 16;
    a += step;
  }
  v128.store(c, sum);
}
