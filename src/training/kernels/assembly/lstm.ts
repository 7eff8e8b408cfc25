/**
 * Long short-term memory over a ragged batch, forward and back-propagation through time, all texts of the batch at once.
 *
 * Maths (Hochreiter & Schmidhuber 1997; forget gate: Gers, Schmidhuber & Cummins 2000), per text and step, state zero at the start:
 *
 *     i, f, o = sigmoid(x·Wx + h·Wh + b)    g = tanh(x·Wx + h·Wh + b)      one block of 4H columns, in the order i, f, g, o
 *     c' = f∘c + i∘g                        h' = o∘tanh(c')
 *
 * Layout: sequences are *packed*, as PyTorch's `pack_padded_sequence` does it. Texts are sorted by length, longest first, so that the texts which still run at
 * step t are the first `count(t)` ones; position p = offsets[t] + row holds step t of the text in that row. There is no padding anywhere: S positions in
 * all, S = offsets[T], and finished texts cost nothing. A sequence is a matrix [S, width], row-major.
 *
 * Direction: the backward direction walks t downwards. A text then starts at its own last token, with the zero state, while longer ones are already under way.
 */
import { bytes, clear, flush, multiplyAdd, multiplySubtract, ones, sigmoid, tanh } from './vector';
import { addRows, multiply, multiplyPanels, multiplyScratch, packLeftTransposed, packRows } from './matrix';

/** First position of step t. `offsets`: T + 1 integers. */
// @ts-ignore: decorator
@inline
function offset(offsets: usize, t: i32): i32 {
  return load<i32>(offsets + bytes(t));
}

/** How many of the texts running at step t have a step before it in the direction of the recurrence (forward t − 1, backward t + 1): the first ones. */
// @ts-ignore: decorator
@inline
function carriedRows(offsets: usize, t: i32, steps: i32, backward: bool): i32 {
  const next = offset(offsets, t + 1);
  if (!backward) return t == 0 ? 0 : next - offset(offsets, t);
  return t + 1 == steps ? 0 : offset(offsets, t + 2) - next;
}

/**
 * Positions that are worked on at a time, step by step and then, or before, all together: enough to make a good matrix product, and few enough that
 * their gates stay in the second-level cache between the one and the other.
 */
const BLOCK: i32 = 128;

/** The step at which a block that starts at step index `s` ends, exclusive: at least one step, then as many as fit. Steps are counted in the order of the walk. */
function blockEnd(offsets: usize, s: i32, steps: i32, descending: bool): i32 {
  let end = s;
  let positions = 0;
  while (end < steps) {
    const t = descending ? steps - 1 - end : end;
    positions += offset(offsets, t + 1) - offset(offsets, t);
    if (end > s && positions > BLOCK) break;
    end++;
  }
  return end;
}

/** Floats of scratch memory that {@link lstmForward} needs. */
export function lstmForwardScratch(inputs: i32, units: i32): i32 {
  return multiplyScratch(max(inputs, units));
}

/**
 * Runs one direction.
 *
 * @param x [S, I]
 * @param kernel Wx [I, 4H], packed by `packRows`
 * @param recurrent Wh [H, 4H], packed by `packRows`
 * @param bias [4H]
 * @param z [S, 4H] output: the gates i, f, g, o
 * @param h [S, H] output, rows `strideH` floats apart (2H where both directions lie side by side)
 * @param c [S, H] output: cell states
 * @param tanhC [S, H] output: tanh of them
 * @param steps T
 * @param scratch {@link lstmForwardScratch} floats
 */
export function lstmForward(
  x: usize, inputs: i32, kernel: usize, recurrent: usize, bias: usize, z: usize, h: usize, strideH: i32, c: usize, tanhC: usize,
  offsets: usize, steps: i32, units: i32, backward: bool, scratch: usize,
): void {
  const gates = 4 * units;
  for (let start = 0; start < steps; ) {
    const end = blockEnd(offsets, start, steps, backward);
    const low = offset(offsets, backward ? steps - end : start);
    const high = offset(offsets, backward ? steps - start : end);
    multiply(x + bytes(low * inputs), inputs, kernel, z + bytes(low * gates), gates, high - low, gates, inputs, false, scratch);
    for (let s = start; s < end; s++) {
      const t = backward ? steps - 1 - s : s;
      const first = offset(offsets, t);
      const rows = offset(offsets, t + 1) - first;
      const carried = carriedRows(offsets, t, steps, backward);
      const before = offset(offsets, backward ? t + 1 : max(t - 1, 0));
      if (carried > 0) multiply(h + bytes(before * strideH), strideH, recurrent, z + bytes(first * gates), gates, carried, gates, units, true, scratch);
      for (let row = 0; row < rows; row++) {
        const position = first + row;
        gatesForward(
          z + bytes(position * gates), bias, h + bytes(position * strideH), c + bytes(position * units), tanhC + bytes(position * units),
          row < carried ? c + bytes((before + row) * units) : 0, bytes(units),
        );
      }
    }
    start = end;
  }
}

/** One text, one step: pre-activations in `z` become gates; writes h, c and tanh c. `before`: the cell state before, 0 for zeros. `size`: bytes of H floats. */
// @ts-ignore: decorator
@inline
function gatesForward(z: usize, bias: usize, h: usize, c: usize, tanhC: usize, before: usize, size: usize): void {
  const zf = z + size, zg = zf + size, zo = zg + size;
  const bf = bias + size, bg = bf + size, bo = bg + size;
  for (let j: usize = 0; j < size; j += 16) {
    const i = sigmoid(f32x4.add(v128.load(z + j), v128.load(bias + j)));
    const g = tanh(f32x4.add(v128.load(zg + j), v128.load(bg + j)));
    const f = sigmoid(f32x4.add(v128.load(zf + j), v128.load(bf + j)));
    const o = sigmoid(f32x4.add(v128.load(zo + j), v128.load(bo + j)));
    const input = f32x4.mul(i, g);
    const cell = before != 0 ? multiplyAdd(f, v128.load(before + j), input) : input;
    const squashed = tanh(cell);
    v128.store(z + j, i);
    v128.store(zf + j, f);
    v128.store(zg + j, g);
    v128.store(zo + j, o);
    v128.store(c + j, cell);
    v128.store(tanhC + j, squashed);
    v128.store(h + j, f32x4.mul(o, squashed));
  }
}

/** Floats of scratch memory that {@link lstmBackward} needs for a batch of `texts` texts. */
export function lstmBackwardScratch(texts: i32, inputs: i32, units: i32): i32 {
  const gates = 4 * units;
  return 2 * texts * units + BLOCK * gates + max(BLOCK * max(inputs, units), multiplyScratch(gates));
}

/**
 * Back-propagation through time of one direction: from the loss's gradient to every output to the gradients of the weights and of the input.
 *
 *     dh = dy + dz'·Whᵀ (dz' of the following step)      do = dh∘tanh c      dc = dc'∘f' + dh∘o∘(1 − tanh² c)
 *     di = dc∘g    df = dc∘c(before)    dg = dc∘i        dz = di∘i∘(1−i), df∘f∘(1−f), dg∘(1−g²), do∘o∘(1−o)
 *     dWx += xᵀ·dz      dWh += h(before)ᵀ·dz      db += Σ dz      dx = dz·Wxᵀ, or dx += …
 *
 * @param x [S, I]
 * @param kernelTransposed Wxᵀ [4H, I], packed by `packColumns`
 * @param recurrentTransposed Whᵀ [4H, H], packed by `packColumns`
 * @param z [S, 4H]: the gates on entry, dz on exit
 * @param h [S, H], rows `strideH` floats apart
 * @param dy [S, H], rows `strideDy` floats apart
 * @param dKernel, dRecurrent, dBias as the weights: [I, 4H], [H, 4H], [4H]
 * @param accumulate whether to add to dx
 * @param previous [S] position of the step before in the recurrence's direction; negative at a text's first step
 * @param scratch {@link lstmBackwardScratch} floats
 */
export function lstmBackward(
  x: usize, inputs: i32, kernelTransposed: usize, recurrentTransposed: usize, z: usize, h: usize, strideH: i32, c: usize, tanhC: usize, dy: usize, strideDy: i32,
  dKernel: usize, dRecurrent: usize, dBias: usize, dx: usize, accumulate: bool, previous: usize, offsets: usize, steps: i32, units: i32, backward: bool, scratch: usize,
): void {
  const gates = 4 * units;
  const texts = steps > 0 ? offset(offsets, 1) : 0;
  // dh and dc on their way to the step before, [texts, H] each
  const dh = scratch;
  const dc = dh + bytes(texts * units);
  const panels = dc + bytes(texts * units);
  const left = panels + bytes(BLOCK * gates);
  clear(dh, 2 * texts * units);
  for (let start = 0; start < steps; ) {
    const end = blockEnd(offsets, start, steps, !backward);
    for (let s = start; s < end; s++) {
      const t = backward ? s : steps - 1 - s;
      const first = offset(offsets, t);
      const rows = offset(offsets, t + 1) - first;
      const carried = carriedRows(offsets, t, steps, backward);
      const before = offset(offsets, backward ? t + 1 : max(t - 1, 0));
      for (let row = 0; row < rows; row++) {
        const position = first + row;
        gatesBackward(
          z + bytes(position * gates), tanhC + bytes(position * units), dy + bytes(position * strideDy),
          row < carried ? c + bytes((before + row) * units) : 0, dh + bytes(row * units), dc + bytes(row * units), bytes(units),
        );
      }
      if (carried > 0) multiply(z + bytes(first * gates), gates, recurrentTransposed, dh, units, carried, units, gates, false, left);
    }
    const low = offset(offsets, backward ? start : steps - end);
    const high = offset(offsets, backward ? end : steps - start);
    for (let position = low; position < high; position += BLOCK) {
      const count = min(BLOCK, high - position);
      const dz = z + bytes(position * gates);
      packRows(dz, gates, panels, count, gates);
      addRows(panels, dBias, count, gates);
      packLeftTransposed(x + bytes(position * inputs), inputs, 0, left, inputs, count);
      multiplyPanels(left, panels, dKernel, gates, inputs, gates, count, true);
      packLeftTransposed(h, strideH, previous + bytes(position), left, units, count);
      multiplyPanels(left, panels, dRecurrent, gates, units, gates, count, true);
      multiply(dz, gates, kernelTransposed, dx + bytes(position * inputs), inputs, count, inputs, gates, accumulate, left);
    }
    start = end;
  }
}

/** One text, one step back: gates in `z` become dz; `dc` moves on to the step before. Denormals are flushed here, where they would feed on themselves. */
// @ts-ignore: decorator
@inline
function gatesBackward(z: usize, tanhC: usize, dy: usize, before: usize, dh: usize, dc: usize, size: usize): void {
  const zf = z + size, zg = zf + size, zo = zg + size;
  const one = ones();
  for (let j: usize = 0; j < size; j += 16) {
    const i = v128.load(z + j), f = v128.load(zf + j), g = v128.load(zg + j), o = v128.load(zo + j);
    const squashed = v128.load(tanhC + j);
    const dOutput = f32x4.add(v128.load(dh + j), v128.load(dy + j));
    const dCell = multiplyAdd(f32x4.mul(dOutput, o), multiplySubtract(squashed, squashed, one), v128.load(dc + j));
    const previous = before != 0 ? v128.load(before + j) : f32x4.splat(0);
    v128.store(z + j, flush(f32x4.mul(f32x4.mul(dCell, g), multiplySubtract(i, i, i))));
    v128.store(zf + j, flush(f32x4.mul(f32x4.mul(dCell, previous), multiplySubtract(f, f, f))));
    v128.store(zg + j, flush(f32x4.mul(f32x4.mul(dCell, i), multiplySubtract(g, g, one))));
    v128.store(zo + j, flush(f32x4.mul(f32x4.mul(dOutput, squashed), multiplySubtract(o, o, o))));
    v128.store(dc + j, flush(f32x4.mul(dCell, f)));
  }
}
