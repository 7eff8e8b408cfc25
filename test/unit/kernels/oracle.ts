/**
 * The engine's mathematics a second time: plain loops in double precision, padded arrays [B, T, D], one text at a time. Slow and hard to get wrong.
 */
export interface Direction {
  readonly kernel: Float64Array;
  readonly recurrent: Float64Array;
  readonly bias: Float64Array;
}

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

interface Step {
  readonly x: Float64Array;
  readonly before: { readonly h: Float64Array; readonly c: Float64Array };
  readonly gates: Float64Array;
  readonly c: Float64Array;
  readonly h: Float64Array;
}

/** One text in one direction: `inputs` are its tokens' vectors in the order in which the recurrence meets them. */
function runText(inputs: readonly Float64Array[], w: Direction, units: number): Step[] {
  const steps: Step[] = [];
  let before = { h: new Float64Array(units), c: new Float64Array(units) };
  for (const x of inputs) {
    const gates = w.bias.slice();
    x.forEach((value, i) => {
      for (let j = 0; j < 4 * units; j++) gates[j]! += value * w.kernel[i * 4 * units + j]!;
    });
    before.h.forEach((value, i) => {
      for (let j = 0; j < 4 * units; j++) gates[j]! += value * w.recurrent[i * 4 * units + j]!;
    });
    const c = new Float64Array(units);
    const h = new Float64Array(units);
    for (let j = 0; j < units; j++) {
      const i = (gates[j] = sigmoid(gates[j]!));
      const f = (gates[units + j] = sigmoid(gates[units + j]!));
      const g = (gates[2 * units + j] = Math.tanh(gates[2 * units + j]!));
      const o = (gates[3 * units + j] = sigmoid(gates[3 * units + j]!));
      c[j] = f * before.c[j]! + i * g;
      h[j] = o * Math.tanh(c[j]!);
    }
    steps.push({ x, before, gates, c, h });
    before = { h, c };
  }
  return steps;
}

/** Back-propagation through those steps; adds to `gradient`, returns dx for each step. */
function runTextBackward(steps: readonly Step[], dys: readonly Float64Array[], w: Direction, gradient: Direction, units: number): Float64Array[] {
  let dh: Float64Array = new Float64Array(units);
  let dc: Float64Array = new Float64Array(units);
  const dxs: Float64Array[] = [];
  for (let s = steps.length - 1; s >= 0; s--) {
    const { x, before, gates, c } = steps[s]!;
    const dz = new Float64Array(4 * units);
    const nextDc = new Float64Array(units);
    for (let j = 0; j < units; j++) {
      const [i, f, g, o] = [gates[j]!, gates[units + j]!, gates[2 * units + j]!, gates[3 * units + j]!];
      const th = Math.tanh(c[j]!);
      const dOut = dh[j]! + dys[s]![j]!;
      const dCell = dc[j]! + dOut * o * (1 - th * th);
      dz[j] = dCell * g * i * (1 - i);
      dz[units + j] = dCell * before.c[j]! * f * (1 - f);
      dz[2 * units + j] = dCell * i * (1 - g * g);
      dz[3 * units + j] = dOut * th * o * (1 - o);
      nextDc[j] = dCell * f;
    }
    const back = (matrix: Float64Array, rows: number): Float64Array =>
      Float64Array.from({ length: rows }, (_, row) => dz.reduce((sum, value, j) => sum + value * matrix[row * 4 * units + j]!, 0));
    const outer = (target: Float64Array, left: Float64Array): void =>
      left.forEach((value, row) => dz.forEach((d, j) => (target[row * 4 * units + j]! += value * d)));
    outer(gradient.kernel, x);
    outer(gradient.recurrent, before.h);
    dz.forEach((d, j) => (gradient.bias[j]! += d));
    dxs[s] = back(w.kernel, x.length);
    dh = back(w.recurrent, units);
    dc = nextDc;
  }
  return dxs;
}

export interface Batch {
  readonly lengths: Int32Array;
  readonly time: number;
}

/** A layer of one or two directions. x [B, T, I] → y [B, T, directions·H] and the way back, which adds to `gradients`. */
export function lstm(x: ArrayLike<number>, batch: Batch, inputs: number, units: number, weights: readonly Direction[]) {
  const width = weights.length * units;
  const y = new Float64Array(batch.lengths.length * batch.time * width);
  const places = (text: number, d: number): number[] => {
    const steps = Array.from({ length: batch.lengths[text]! }, (_, t) => text * batch.time + t);
    return d === 1 ? steps.reverse() : steps;
  };
  const runs = Array.from(batch.lengths, (_, text) =>
    weights.map((w, d) => {
      const rows = places(text, d);
      const steps = runText(
        rows.map((row) => Float64Array.from({ length: inputs }, (_, i) => x[row * inputs + i]!)),
        w,
        units,
      );
      rows.forEach((row, s) => y.set(steps[s]!.h, row * width + d * units));
      return { rows, steps };
    }),
  );
  const backward = (dy: ArrayLike<number>, gradients: readonly Direction[]): Float64Array => {
    const dx = new Float64Array(batch.lengths.length * batch.time * inputs);
    for (const text of runs) {
      text.forEach(({ rows, steps }, d) => {
        const dys = rows.map((row) => Float64Array.from({ length: units }, (_, j) => dy[row * width + d * units + j]!));
        const dxs = runTextBackward(steps, dys, weights[d]!, gradients[d]!, units);
        rows.forEach((row, s) => dxs[s]!.forEach((value, i) => (dx[row * inputs + i]! += value)));
      });
    }
    return dx;
  };
  return { y, backward };
}

/** Pooling x [B, T, D] → [B, methods·D] and the way back. */
export function pool(x: ArrayLike<number>, batch: Batch, width: number, methods: readonly ('max' | 'mean' | 'last')[], directions: number) {
  const stride = methods.length * width;
  const out = new Float64Array(batch.lengths.length * stride);
  // which inputs each output is the weighted sum of
  const sources: { from: number; to: number; weight: number }[] = [];
  batch.lengths.forEach((length, text) => {
    if (length === 0) return;
    const at = (t: number, j: number): number => (text * batch.time + t) * width + j;
    methods.forEach((method, m) => {
      for (let j = 0; j < width; j++) {
        const to = text * stride + m * width + j;
        if (method === 'mean') for (let t = 0; t < length; t++) sources.push({ from: at(t, j), to, weight: 1 / length });
        else {
          let best = 0;
          if (method === 'max') {
            for (let t = 1; t < length; t++) if (x[at(t, j)]! > x[at(best, j)]!) best = t;
          } else best = j < width / directions ? length - 1 : 0;
          sources.push({ from: at(best, j), to, weight: 1 });
        }
      }
    });
  });
  for (const { from, to, weight } of sources) out[to]! += x[from]! * weight;
  const backward = (dy: ArrayLike<number>): Float64Array => {
    const dx = new Float64Array(x.length);
    for (const { from, to, weight } of sources) dx[from]! += dy[to]! * weight;
    return dx;
  };
  return { out, backward };
}
