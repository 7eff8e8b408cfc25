/**
 * Sequences in packed layout (see lstm.ts): in and out of the padded layout, dropout masks, pooling over time.
 *
 * `rows` [S]: for each position the row of the padded matrix [B·T, D] that it stands for, that is text · T + step.
 * `order` [B]: for each packed row the text it is. Widths are multiples of 4.
 */
import { bytes } from './vector';

/** packed [S, D] = the rows of padded [B·T, D]. */
export function pack(padded: usize, rows: usize, packed: usize, positions: i32, width: i32): void {
  const size = bytes(width);
  for (let p = 0; p < positions; p++) {
    memory.copy(packed + size * p, padded + size * load<i32>(rows + bytes(p)), size);
  }
}

/** Rows of padded [B·T, D] = packed [S, D]; the other rows stay as they are. */
export function unpack(packed: usize, rows: usize, padded: usize, positions: i32, width: i32): void {
  const size = bytes(width);
  for (let p = 0; p < positions; p++) {
    memory.copy(padded + size * load<i32>(rows + bytes(p)), packed + size * p, size);
  }
}

/** y [S, D] = x [S, D] ∘ mask · scale, with mask [B·T, D] of bytes 0 and 1 in padded layout. Dropout (Srivastava et al. 2014), and its gradient. */
export function maskSequence(x: usize, mask: usize, rows: usize, y: usize, positions: i32, width: i32, scale: f32): void {
  for (let p = 0; p < positions; p++) {
    const at = bytes(p * width);
    maskValues(x + at, mask + <usize>(load<i32>(rows + bytes(p)) * width), y + at, width, scale, false);
  }
}

/** y [N] = x [N] ∘ mask · scale, or y += …, with mask [N] of bytes 0 and 1. N is a multiple of 4. */
export function maskValues(x: usize, mask: usize, y: usize, count: i32, scale: f32, accumulate: bool): void {
  const factor = f32x4.splat(scale);
  const zero = i32x4.splat(0);
  for (let j = 0; j < count; j += 4) {
    const bits = i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(mask + <usize>j)));
    const at = bytes(j);
    // not a product with 0 or 1, which would give −0, and from infinity something that is not a number
    let value = v128.and(f32x4.mul(v128.load(x + at), factor), i32x4.ne(bits, zero));
    if (accumulate) value = f32x4.add(v128.load(y + at), value);
    v128.store(y + at, value);
  }
}

/**
 * Greatest value of each column over a text's positions: out[text] = max over t of x. A text without positions gets zeros.
 *
 * @param out rows of D floats, `stride` floats apart, in the order of the texts; zeros on entry
 * @param steps [B, D] integers, in the order of the packed rows: the first step that has the greatest value
 */
export function maxForward(x: usize, width: i32, offsets: usize, time: i32, order: usize, out: usize, stride: i32, steps: usize): void {
  for (let t = 0; t < time; t++) {
    const first = load<i32>(offsets + bytes(t));
    const rows = load<i32>(offsets + bytes(t), 4) - first;
    const now = i32x4.splat(t);
    for (let row = 0; row < rows; row++) {
      const source = x + bytes((first + row) * width);
      const target = out + bytes(load<i32>(order + bytes(row)) * stride);
      const chosen = steps + bytes(row * width);
      for (let j: usize = 0; j < bytes(width); j += 16) {
        const value = v128.load(source + j);
        if (t == 0) {
          v128.store(target + j, value);
          v128.store(chosen + j, now);
        } else {
          const best = v128.load(target + j);
          const greater = f32x4.gt(value, best);
          v128.store(target + j, v128.bitselect(value, best, greater));
          v128.store(chosen + j, v128.bitselect(now, v128.load(chosen + j), greater));
        }
      }
    }
  }
}

/** Gradient of {@link maxForward}: dx [S, D] += dy at the chosen steps. `texts`: packed rows of at least one position, count(0). */
export function maxBackward(dx: usize, width: i32, offsets: usize, texts: i32, order: usize, dy: usize, stride: i32, steps: usize): void {
  for (let row = 0; row < texts; row++) {
    const source = dy + bytes(load<i32>(order + bytes(row)) * stride);
    const chosen = steps + bytes(row * width);
    for (let j: usize = 0; j < bytes(width); j += 4) {
      const position = load<i32>(offsets + bytes(load<i32>(chosen + j))) + row;
      const target = dx + bytes(position * width) + j;
      store<f32>(target, load<f32>(target) + load<f32>(source + j));
    }
  }
}

/** Mean of each column over a text's positions: out[text] = Σ x / length. `out` as in {@link maxForward}. `lengths` [B] in the order of the texts. */
export function meanForward(x: usize, width: i32, offsets: usize, time: i32, order: usize, lengths: usize, out: usize, stride: i32): void {
  for (let t = 0; t < time; t++) {
    const first = load<i32>(offsets + bytes(t));
    const rows = load<i32>(offsets + bytes(t), 4) - first;
    for (let row = 0; row < rows; row++) {
      const text = load<i32>(order + bytes(row));
      const source = x + bytes((first + row) * width);
      const target = out + bytes(text * stride);
      const share = f32x4.splat(1 / <f32>load<i32>(lengths + bytes(text)));
      const last = t + 1 == load<i32>(lengths + bytes(text));
      for (let j: usize = 0; j < bytes(width); j += 16) {
        const sum = f32x4.add(v128.load(target + j), v128.load(source + j));
        v128.store(target + j, last ? f32x4.mul(sum, share) : sum);
      }
    }
  }
}

/** Gradient of {@link meanForward}: dx [S, D] += dy / length at every position. */
export function meanBackward(dx: usize, width: i32, offsets: usize, time: i32, order: usize, lengths: usize, dy: usize, stride: i32): void {
  for (let t = 0; t < time; t++) {
    const first = load<i32>(offsets + bytes(t));
    const rows = load<i32>(offsets + bytes(t), 4) - first;
    for (let row = 0; row < rows; row++) {
      const text = load<i32>(order + bytes(row));
      const source = dy + bytes(text * stride);
      const target = dx + bytes((first + row) * width);
      const share = f32x4.splat(1 / <f32>load<i32>(lengths + bytes(text)));
      for (let j: usize = 0; j < bytes(width); j += 16) {
        v128.store(target + j, f32x4.add(v128.load(target + j), f32x4.mul(v128.load(source + j), share)));
      }
    }
  }
}

/**
 * The output of each text's last step in one direction: out[text] = x at step length − 1 (forward) or 0 (backward). Columns `column` to `column + width` of x [S, strideX].
 *
 * @param gradient copies the other way instead, adding: x += out
 */
export function lastStep(
  x: usize, strideX: i32, column: i32, width: i32, offsets: usize, texts: i32, order: usize, lengths: usize, backward: bool, out: usize, stride: i32, gradient: bool,
): void {
  for (let row = 0; row < texts; row++) {
    const text = load<i32>(order + bytes(row));
    const step = backward ? 0 : load<i32>(lengths + bytes(text)) - 1;
    const position = load<i32>(offsets + bytes(step)) + row;
    const inside = x + bytes(position * strideX + column);
    const outside = out + bytes(text * stride);
    if (gradient) {
      for (let j: usize = 0; j < bytes(width); j += 16) v128.store(inside + j, f32x4.add(v128.load(inside + j), v128.load(outside + j)));
    } else memory.copy(outside, inside, bytes(width));
  }
}
