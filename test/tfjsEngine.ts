import type { AttentionLayer, ConvLayer, DenseLayer, EmbeddingLayer, LstmLayer, MaxPoolLayer, NgramLayer, PoolLayer } from '../src/core/model/architecture';
import type { ComputeEngine, LstmOptions, OptimizerStep, ParameterLayout, Sequence, TokenBatch } from '../src/training/engine';
import { headOf } from '../src/core/model/onnxWriter';
import { gramsOf, spreadGrams, sumGrams } from '../src/training/ngramSums';
import { tf } from '../src/training/tf';

/**
 * The engine in plain tfjs, which tests and benchmarks hold the kernels against: every matrix product is a `tf.matMul`, the gates between them are loops over typed arrays.
 *
 * The shape of the computation follows what tfjs does well and badly: the input projection of a whole batch is one product; no product asks for `transposeA/B`
 * (ten times slower on the WASM backend than an explicit `tf.transpose`); nothing is sliced or gathered as a tensor (both copy their whole input).
 * Sequences are kept time-major, [T, B, D], so that a step is one stretch of memory.
 */
export class TfjsEngine implements ComputeEngine {
  steps = 0;
  private readonly values: Float32Array;
  private readonly slopes: Float32Array;
  private readonly first: Float32Array;
  private readonly second: Float32Array;
  private readonly buffers = new BufferPool();
  private readonly touched = new Map<string, Set<number>>();
  private readonly traces = new WeakMap<Sequence, LstmTrace>();
  private readonly convolved = new WeakMap<Sequence, { readonly x: TimeMajor; readonly layer: ConvLayer }>();
  private readonly windowed = new WeakMap<Sequence, { readonly x: TimeMajor; readonly size: number }>();
  private training = false;

  constructor(readonly layout: ParameterLayout) {
    this.values = new Float32Array(layout.length);
    this.slopes = new Float32Array(layout.length);
    this.first = new Float32Array(layout.length);
    this.second = new Float32Array(layout.length);
  }

  weights(): Float32Array {
    return this.values;
  }
  gradients(): Float32Array {
    return this.slopes;
  }
  moments(): { readonly first: Float32Array; readonly second: Float32Array } {
    return { first: this.first, second: this.second };
  }

  begin(training: boolean): void {
    this.training = training;
    this.buffers.releaseAll();
  }

  embed(batch: TokenBatch, layer: EmbeddingLayer): Sequence {
    const { lengths, time, ids } = batch;
    const count = lengths.length;
    const x = this.sequence(lengths, time, layer.size);
    const table = this.parameter(`${layer.name}/table`);
    for (let t = 0; t < time; t++) {
      for (let b = 0; b < count; b++) {
        const to = (t * count + b) * layer.size;
        if (t >= lengths[b]!) x.data.fill(0, to, to + layer.size);
        else {
          const from = ids[b * time + t]! * layer.size;
          x.data.set(table.subarray(from, from + layer.size), to);
        }
      }
    }
    return x;
  }

  embedBackward(batch: TokenBatch, layer: EmbeddingLayer, dx: Sequence): void {
    const { lengths, time, ids } = batch;
    const count = lengths.length;
    const { size } = layer;
    const source = own(dx).data;
    const slopes = this.gradient(`${layer.name}/table`);
    const rows = this.touchedRows(`${layer.name}/table`);
    for (let b = 0; b < count; b++) {
      for (let t = 0; t < lengths[b]!; t++) {
        const id = ids[b * time + t]!;
        rows.add(id);
        const from = (t * count + b) * size;
        const to = id * size;
        for (let j = 0; j < size; j++) slopes[to + j]! += source[from + j]!;
      }
    }
  }

  lstm(x: Sequence, layer: LstmLayer, options: LstmOptions = {}): Sequence {
    const { lengths, time } = x;
    const directions = layer.bidirectional ? 2 : 1;
    const y = this.sequence(lengths, time, directions * layer.units);
    const traces: DirectionTrace[] = [];
    for (let direction = 0; direction < directions; direction++) {
      const trace = this.runDirection(own(x), layer, direction, options);
      copyColumns(trace.h, layer.units, y.data, y.width, direction * layer.units);
      if (this.training) traces.push(trace);
    }
    if (this.training) this.traces.set(y, { x: own(x), layer, directions: traces });
    return y;
  }

  private runDirection(x: TimeMajor, layer: LstmLayer, direction: number, options: LstmOptions): DirectionTrace {
    const { lengths, time } = x;
    const count = lengths.length;
    const { units } = layer;
    const width = 4 * units;
    const names = directionNames(layer, direction);
    const mask = options.recurrentMasks?.[direction];
    const scale = options.scale ?? 1;
    const recurrent = maskedCopy(this.parameter(names.recurrent), mask, scale);
    const recurrentTensor = tf.tensor2d(recurrent, [units, width]);
    const bias = this.parameter(names.bias);
    const gates = this.product(x.data, time * count, x.width, this.parameter(names.kernel), width);
    const c = this.buffers.take(time * count * units);
    const tanhC = this.buffers.take(time * count * units);
    const h = this.buffers.take(time * count * units);
    for (let step = 0; step < time; step++) {
      const t = direction === 0 ? step : time - 1 - step;
      const before = direction === 0 ? t - 1 : t + 1;
      const carried = step === 0 ? undefined : multiply(h.subarray(before * count * units, (before + 1) * count * units), count, units, recurrentTensor);
      for (let b = 0; b < count; b++) {
        const at = (t * count + b) * units;
        const z = 4 * at;
        if (t >= lengths[b]!) {
          // padding: zero state, so that the backward direction starts afresh at the last token
          c.fill(0, at, at + units);
          tanhC.fill(0, at, at + units);
          h.fill(0, at, at + units);
          gates.fill(0, z, z + width);
          continue;
        }
        if (carried) for (let j = 0; j < width; j++) gates[z + j]! += carried[b * width + j]! + bias[j]!;
        else for (let j = 0; j < width; j++) gates[z + j]! += bias[j]!;
        const previous = (before * count + b) * units;
        for (let j = 0; j < units; j++) {
          const i = sigmoid(gates[z + j]!);
          const f = sigmoid(gates[z + units + j]!);
          const g = tanh(gates[z + 2 * units + j]!);
          const o = sigmoid(gates[z + 3 * units + j]!);
          const cell = (step === 0 ? 0 : f * c[previous + j]!) + i * g;
          const squashed = tanh(cell);
          gates[z + j] = i;
          gates[z + units + j] = f;
          gates[z + 2 * units + j] = g;
          gates[z + 3 * units + j] = o;
          c[at + j] = cell;
          tanhC[at + j] = squashed;
          h[at + j] = o * squashed;
        }
      }
    }
    recurrentTensor.dispose();
    return { gates, c, tanhC, h, recurrent, mask, scale };
  }

  lstmBackward(y: Sequence, dy: Sequence): Sequence {
    const trace = this.traces.get(y);
    if (!trace) throw new Error('This sequence does not come from an LSTM of this training batch.');
    this.traces.delete(y);
    const { x, layer } = trace;
    const dx = this.sequence(x.lengths, x.time, x.width);
    trace.directions.forEach((saved, direction) => this.backDirection(x, layer, direction, saved, own(dy), dx.data));
    return dx;
  }

  /** Back-propagation through time of one direction; adds to the gradients, and sets (first direction) or adds to (second) `dx`. */
  private backDirection(x: TimeMajor, layer: LstmLayer, direction: number, trace: DirectionTrace, dy: TimeMajor, dx: Float32Array): void {
    const { lengths, time } = x;
    const count = lengths.length;
    const { units } = layer;
    const width = 4 * units;
    const names = directionNames(layer, direction);
    const { gates, c, tanhC, h } = trace;
    const recurrentTransposed = tf.tidy(() => tf.transpose(tf.tensor2d(trace.recurrent, [units, width])));
    const dh = new Float32Array(count * units);
    const dc = new Float32Array(count * units);
    // gates become the gradients of what stood before the activation, in place; at padding they are zero already
    for (let step = time - 1; step >= 0; step--) {
      const t = direction === 0 ? step : time - 1 - step;
      const before = direction === 0 ? t - 1 : t + 1;
      for (let b = 0; b < count; b++) {
        if (t >= lengths[b]!) continue;
        const at = (t * count + b) * units;
        const z = 4 * at;
        const out = (t * count + b) * dy.width + direction * units;
        const previous = (before * count + b) * units;
        for (let j = 0; j < units; j++) {
          const i = gates[z + j]!;
          const f = gates[z + units + j]!;
          const g = gates[z + 2 * units + j]!;
          const o = gates[z + 3 * units + j]!;
          const squashed = tanhC[at + j]!;
          const slope = dh[b * units + j]! + dy.data[out + j]!;
          const cellSlope = dc[b * units + j]! + slope * o * (1 - squashed * squashed);
          gates[z + j] = flush(cellSlope * g * i * (1 - i));
          gates[z + units + j] = step === 0 ? 0 : flush(cellSlope * c[previous + j]! * f * (1 - f));
          gates[z + 2 * units + j] = flush(cellSlope * i * (1 - g * g));
          gates[z + 3 * units + j] = flush(slope * squashed * o * (1 - o));
          dc[b * units + j] = flush(cellSlope * f);
        }
      }
      if (step > 0) dh.set(multiply(gates.subarray(t * count * width, (t + 1) * count * width), count, width, recurrentTransposed));
    }
    recurrentTransposed.dispose();

    const rows = time * count;
    const bias = this.gradient(names.bias);
    for (let row = 0; row < rows; row++) for (let j = 0; j < width; j++) bias[j]! += gates[row * width + j]!;
    const dz = tf.tensor2d(gates, [rows, width]);
    const back = valuesOf(() => tf.matMul(dz, tf.transpose(tf.tensor2d(this.parameter(names.kernel), [x.width, width]))));
    if (direction === 0) dx.set(back);
    else addTo(dx, back);
    addTo(
      this.gradient(names.kernel),
      valuesOf(() => tf.matMul(tf.transpose(tf.tensor2d(x.data, [rows, x.width])), dz)),
    );
    dz.dispose();
    if (time > 1) {
      // the state before each step beside that step's gradient; before the first step the state is zero and adds nothing
      const later = rows - count;
      const states = direction === 0 ? h.subarray(0, later * units) : h.subarray(count * units);
      const slopes = direction === 0 ? gates.subarray(count * width) : gates.subarray(0, later * width);
      const recurrent = valuesOf(() => tf.matMul(tf.transpose(tf.tensor2d(states, [later, units])), tf.tensor2d(slopes, [later, width])));
      addTo(this.gradient(names.recurrent), maskedCopy(recurrent, trace.mask, trace.scale));
    }
  }

  conv(input: Sequence, layer: ConvLayer): Sequence {
    const x = own(input);
    const { lengths, time } = x;
    const { filters, activation } = layer;
    const y = this.zeros(lengths, time, filters);
    const kernel = this.parameter(`${layer.name}/kernel`);
    const bias = this.parameter(`${layer.name}/bias`);
    forEachPlace(x, (at, b, t) => {
      for (let k = 0; k < filters; k++) {
        let sum = bias[k]!;
        forEachTap(x, layer, b, t, (from, row) => {
          for (let i = 0; i < x.width; i++) sum += x.data[from * x.width + i]! * kernel[(row + i) * filters + k]!;
        });
        y.data[at * filters + k] = activation === 'relu' ? Math.max(0, sum) : sum;
      }
    });
    if (this.training) this.convolved.set(y, { x, layer });
    return y;
  }

  convBackward(y: Sequence, dy: Sequence): Sequence {
    const { x, layer } = this.convolved.get(y)!;
    const { filters, activation } = layer;
    const dx = this.zeros(x.lengths, x.time, x.width);
    const kernel = this.parameter(`${layer.name}/kernel`);
    const toKernel = this.gradient(`${layer.name}/kernel`);
    const toBias = this.gradient(`${layer.name}/bias`);
    forEachPlace(x, (at, b, t) => {
      for (let k = 0; k < filters; k++) {
        const slope = activation === 'relu' && own(y).data[at * filters + k]! <= 0 ? 0 : own(dy).data[at * filters + k]!;
        toBias[k]! += slope;
        forEachTap(x, layer, b, t, (from, row) => {
          for (let i = 0; i < x.width; i++) {
            toKernel[(row + i) * filters + k]! += slope * x.data[from * x.width + i]!;
            dx.data[from * x.width + i]! += slope * kernel[(row + i) * filters + k]!;
          }
        });
      }
    });
    return dx;
  }

  maxPool(input: Sequence, { size }: MaxPoolLayer): Sequence {
    const x = own(input);
    const { width } = x;
    const y = this.zeros(x.lengths.map((length) => Math.ceil(length / size)), Math.ceil(x.time / size), width);
    forEachPlace(y, (at, b, w) => {
      for (let j = 0; j < width; j++) y.data[at * width + j] = x.data[greatestOf(x, b, j, w * size, size)]!;
    });
    if (this.training) this.windowed.set(y, { x, size });
    return y;
  }

  maxPoolBackward(y: Sequence, dy: Sequence): Sequence {
    const { x, size } = this.windowed.get(y)!;
    const { width } = x;
    const dx = this.zeros(x.lengths, x.time, width);
    forEachPlace(own(y), (at, b, w) => {
      for (let j = 0; j < width; j++) dx.data[greatestOf(x, b, j, w * size, size)]! += own(dy).data[at * width + j]!;
    });
    return dx;
  }

  attention(input: Sequence, layer: AttentionLayer): Float32Array {
    const x = own(input);
    const { width } = x;
    const { shares } = this.attend(x, layer);
    const out = new Float64Array(x.lengths.length * width);
    forEachPlace(x, (at, b) => {
      for (let j = 0; j < width; j++) out[b * width + j]! += shares[at]! * x.data[at * width + j]!;
    });
    return Float32Array.from(out);
  }

  attentionBackward(input: Sequence, layer: AttentionLayer, dy: Float32Array): Sequence {
    const x = own(input);
    const { width } = x;
    const { name, units } = layer;
    const { values, shares } = this.attend(x, layer);
    const [kernel, context] = [this.parameter(`${name}/kernel`), this.parameter(`${name}/context`)];
    const [toKernel, toBias, toContext] = [this.gradient(`${name}/kernel`), this.gradient(`${name}/bias`), this.gradient(`${name}/context`)];
    const toShares = new Float64Array(shares.length);
    const means = new Float64Array(x.lengths.length);
    forEachPlace(x, (at, b) => {
      for (let j = 0; j < width; j++) toShares[at]! += dy[b * width + j]! * x.data[at * width + j]!;
      means[b]! += shares[at]! * toShares[at]!;
    });
    const dx = this.zeros(x.lengths, x.time, width);
    forEachPlace(x, (at, b) => {
      for (let j = 0; j < width; j++) dx.data[at * width + j]! += shares[at]! * dy[b * width + j]!;
      const toEnergy = shares[at]! * (toShares[at]! - means[b]!);
      for (let k = 0; k < units; k++) {
        const value = values[at * units + k]!;
        toContext[k]! += toEnergy * value;
        const slope = toEnergy * context[k]! * (1 - value * value);
        toBias[k]! += slope;
        for (let j = 0; j < width; j++) {
          toKernel[j * units + k]! += slope * x.data[at * width + j]!;
          dx.data[at * width + j]! += slope * kernel[j * units + k]!;
        }
      }
    });
    return dx;
  }

  /** [T, B, units] what is compared with the context, and [T, B] the shares. */
  private attend(x: TimeMajor, { name, units }: AttentionLayer): { readonly values: Float64Array; readonly shares: Float64Array } {
    const { width } = x;
    const [kernel, bias, context] = [this.parameter(`${name}/kernel`), this.parameter(`${name}/bias`), this.parameter(`${name}/context`)];
    const values = new Float64Array(x.time * x.lengths.length * units);
    const shares = new Float64Array(x.time * x.lengths.length);
    const sums = new Float64Array(x.lengths.length);
    forEachPlace(x, (at, b) => {
      let energy = 0;
      for (let k = 0; k < units; k++) {
        let sum = bias[k]!;
        for (let j = 0; j < width; j++) sum += x.data[at * width + j]! * kernel[j * units + k]!;
        values[at * units + k] = Math.tanh(sum);
        energy += values[at * units + k]! * context[k]!;
      }
      shares[at] = Math.exp(energy);
      sums[b]! += shares[at];
    });
    forEachPlace(x, (at, b) => (shares[at]! /= sums[b]!));
    return { values, shares };
  }

  pool(x: Sequence, layer: PoolLayer, source: LstmLayer | undefined): Float32Array {
    const { data, lengths, width } = own(x);
    const count = lengths.length;
    const out = new Float32Array(count * layer.methods.length * width);
    for (let b = 0; b < count; b++) {
      const length = lengths[b]!;
      if (length === 0) continue;
      layer.methods.forEach((method, m) => {
        const to = (b * layer.methods.length + m) * width;
        switch (method) {
          case 'max':
            for (let j = 0; j < width; j++) {
              let best = data[b * width + j]!;
              for (let t = 1; t < length; t++) best = Math.max(best, data[(t * count + b) * width + j]!);
              out[to + j] = best;
            }
            break;
          case 'mean':
            for (let t = 0; t < length; t++) {
              const from = (t * count + b) * width;
              for (let j = 0; j < width; j++) out[to + j]! += data[from + j]! / length;
            }
            break;
          case 'last':
            for (let j = 0; j < width; j++) out[to + j] = data[(lastStep(j, length, source) * count + b) * width + j]!;
            break;
        }
      });
    }
    return out;
  }

  poolBackward(x: Sequence, layer: PoolLayer, source: LstmLayer | undefined, dy: Float32Array): Sequence {
    const { data, lengths, time, width } = own(x);
    const count = lengths.length;
    const dx = this.sequence(lengths, time, width);
    dx.data.fill(0);
    for (let b = 0; b < count; b++) {
      const length = lengths[b]!;
      if (length === 0) continue;
      layer.methods.forEach((method, m) => {
        const from = (b * layer.methods.length + m) * width;
        switch (method) {
          case 'max':
            for (let j = 0; j < width; j++) {
              let at = 0;
              for (let t = 1; t < length; t++) if (data[(t * count + b) * width + j]! > data[(at * count + b) * width + j]!) at = t;
              dx.data[(at * count + b) * width + j]! += dy[from + j]!;
            }
            break;
          case 'mean':
            for (let t = 0; t < length; t++) {
              const to = (t * count + b) * width;
              for (let j = 0; j < width; j++) dx.data[to + j]! += dy[from + j]! / length;
            }
            break;
          case 'last':
            for (let j = 0; j < width; j++) dx.data[(lastStep(j, length, source) * count + b) * width + j]! += dy[from + j]!;
            break;
        }
      });
    }
    return dx;
  }

  dense(x: Float32Array, { name, units }: DenseLayer): Float32Array {
    const inputs = this.parameter(`${name}/kernel`).length / units;
    return valuesOf(() => tf.add(tf.matMul(tf.tensor2d(x, [x.length / inputs, inputs]), tf.tensor2d(this.parameter(`${name}/kernel`), [inputs, units])), tf.tensor1d(this.parameter(`${name}/bias`))));
  }

  denseBackward(x: Float32Array, { name, units }: DenseLayer, dy: Float32Array): Float32Array {
    const kernel = this.parameter(`${name}/kernel`);
    const inputs = kernel.length / units;
    const rows = x.length / inputs;
    const slopes = (): tf.Tensor2D => tf.tensor2d(dy, [rows, units]);
    addTo(
      this.gradient(`${name}/kernel`),
      valuesOf(() => tf.matMul(tf.transpose(tf.tensor2d(x, [rows, inputs])), slopes())),
    );
    addTo(
      this.gradient(`${name}/bias`),
      valuesOf(() => tf.sum(slopes(), 0)),
    );
    return valuesOf(() => tf.matMul(slopes(), tf.transpose(tf.tensor2d(kernel, [inputs, units]))));
  }

  ngrams(batch: TokenBatch, layer: NgramLayer): Float32Array {
    return sumGrams(gramsOf(batch, layer, this.parameter(`${layer.name}/sizes`)), this.parameter(`${layer.name}/table`), headOf(this.layout.architecture).units);
  }

  ngramsBackward(batch: TokenBatch, layer: NgramLayer, dy: Float32Array): void {
    const grams = gramsOf(batch, layer, this.parameter(`${layer.name}/sizes`));
    const rows = this.touchedRows(`${layer.name}/table`);
    for (const bucket of grams.buckets) rows.add(bucket);
    spreadGrams(grams, dy, this.gradient(`${layer.name}/table`));
  }

  mask(x: Sequence, mask: Uint8Array, scale: number): Sequence {
    const { data, lengths, time, width } = own(x);
    const count = lengths.length;
    const out = this.sequence(lengths, time, width);
    for (let t = 0; t < time; t++) {
      for (let b = 0; b < count; b++) {
        const at = (t * count + b) * width;
        const from = (b * time + t) * width;
        for (let j = 0; j < width; j++) out.data[at + j] = mask[from + j] === 0 ? 0 : data[at + j]! * scale;
      }
    }
    return out;
  }

  read(x: Sequence): Float32Array {
    const { data, lengths, time, width } = own(x);
    const count = lengths.length;
    const out = new Float32Array(count * time * width);
    for (let t = 0; t < time; t++) {
      for (let b = 0; b < count; b++) out.set(data.subarray((t * count + b) * width, (t * count + b + 1) * width), (b * time + t) * width);
    }
    return out;
  }

  write(values: Float32Array, shape: { readonly lengths: Int32Array; readonly time: number; readonly width: number }): Sequence {
    const { lengths, time, width } = shape;
    const count = lengths.length;
    const x = this.sequence(lengths, time, width);
    for (let t = 0; t < time; t++) {
      for (let b = 0; b < count; b++) {
        const to = (t * count + b) * width;
        if (t < lengths[b]!) x.data.set(values.subarray((b * time + t) * width, (b * time + t + 1) * width), to);
        else x.data.fill(0, to, to + width);
      }
    }
    return x;
  }

  zeroGradients(): void {
    for (const { from, to } of this.activeRanges()) this.slopes.fill(0, from, to);
    this.touched.clear();
  }

  clipAndStep(step: OptimizerStep): number {
    const { slopes, values, first, second } = this;
    const { beta1, beta2, epsilon } = step;
    const ranges = this.activeRanges().filter(({ parameter }) => step.learningRates[parameter]! !== 0);
    let sum = 0;
    for (const { from, to } of ranges) for (let k = from; k < to; k++) sum += slopes[k]! * slopes[k]!;
    const norm = Math.sqrt(sum);
    if (Number.isFinite(norm)) {
      this.steps++;
      const shrink = norm > step.clipNorm ? step.clipNorm / norm : 1;
      const firstCorrection = 1 / (1 - beta1 ** this.steps);
      const secondCorrection = 1 / (1 - beta2 ** this.steps);
      for (const { parameter, from, to } of ranges) {
        const rate = step.learningRates[parameter]!;
        const decay = this.layout.parameters[parameter]!.shape.length > 1 ? step.weightDecay : 0;
        for (let k = from; k < to; k++) {
          const slope = slopes[k]! * shrink;
          const m = flush(beta1 * first[k]! + (1 - beta1) * slope);
          const v = flushSquare(beta2 * second[k]! + (1 - beta2) * slope * slope);
          first[k] = m;
          second[k] = v;
          values[k]! -= rate * ((m * firstCorrection) / (Math.sqrt(v * secondCorrection) + epsilon) + decay * values[k]!);
        }
      }
    }
    this.zeroGradients();
    return norm;
  }

  dispose(): void {
    this.buffers.clear();
  }

  /** The stretches of the flat arrays that gradients may stand in: dense parameters whole, of an embedding the touched rows in the order of the table. */
  private activeRanges(): { readonly parameter: number; readonly from: number; readonly to: number }[] {
    const tables = new Set(this.layout.architecture.layers.filter(({ type }) => type === 'embedding' || type === 'ngrams').map(({ name }) => `${name}/table`));
    return this.layout.parameters.flatMap(({ name, offset, size, shape }, parameter) => {
      if (!tables.has(name)) return [{ parameter, from: offset, to: offset + size }];
      const width = shape[1]!;
      const rows = Int32Array.from(this.touched.get(name) ?? []).sort();
      return Array.from(rows, (row) => ({ parameter, from: offset + row * width, to: offset + (row + 1) * width }));
    });
  }

  private touchedRows(name: string): Set<number> {
    const known = this.touched.get(name);
    if (known) return known;
    const rows = new Set<number>();
    this.touched.set(name, rows);
    return rows;
  }

  private parameter(name: string): Float32Array {
    const { offset, size } = this.layout.find(name);
    return this.values.subarray(offset, offset + size);
  }

  private gradient(name: string): Float32Array {
    const { offset, size } = this.layout.find(name);
    return this.slopes.subarray(offset, offset + size);
  }

  private zeros(lengths: Int32Array, time: number, width: number): TimeMajor {
    const x = this.sequence(lengths, time, width);
    x.data.fill(0);
    return x;
  }

  private sequence(lengths: Int32Array, time: number, width: number): TimeMajor {
    return { lengths, time, width, data: this.buffers.take(lengths.length * time * width) };
  }

  /** a [rows, inner] times b [inner, columns], in a buffer of this batch. */
  private product(a: Float32Array, rows: number, inner: number, b: Float32Array, columns: number): Float32Array {
    const out = this.buffers.take(rows * columns);
    out.set(valuesOf(() => tf.matMul(tf.tensor2d(a, [rows, inner]), tf.tensor2d(b, [inner, columns]))));
    return out;
  }
}

/** A sequence as this engine keeps it: data [T, B, D]. */
interface TimeMajor extends Sequence {
  readonly data: Float32Array;
}

/** What one direction keeps for its way back; all time-major. */
interface DirectionTrace {
  /** [T, B, 4H]: activated i, f, g, o; on the way back overwritten by the gradients before activation. */
  readonly gates: Float32Array;
  /** [T, B, H] each: cell, tanh(cell), output. */
  readonly c: Float32Array;
  readonly tanhC: Float32Array;
  readonly h: Float32Array;
  /** [H, 4H], with the mask applied. */
  readonly recurrent: Float32Array;
  readonly mask: Uint8Array | undefined;
  readonly scale: number;
}

interface LstmTrace {
  readonly x: TimeMajor;
  readonly layer: LstmLayer;
  readonly directions: readonly DirectionTrace[];
}

/** Buffers of a batch, handed out anew at the next one, so that a step does not leave megabytes to the garbage collector. */
class BufferPool {
  private readonly free = new Map<number, Float32Array[]>();
  private used: Float32Array[] = [];

  /** Of that length, contents undefined. */
  take(length: number): Float32Array {
    const capacity = 2 ** Math.ceil(Math.log2(Math.max(length, 1024)));
    const buffer = this.free.get(capacity)?.pop() ?? new Float32Array(capacity);
    this.used.push(buffer);
    return buffer.subarray(0, length);
  }

  releaseAll(): void {
    for (const buffer of this.used) {
      const list = this.free.get(buffer.length);
      if (list) list.push(buffer);
      else this.free.set(buffer.length, [buffer]);
    }
    this.used = [];
  }

  clear(): void {
    this.used = [];
    this.free.clear();
  }
}

/** Calls `use` for every position inside a text. @param use gets the row of the time-major matrix, the text and the step */
function forEachPlace({ lengths, time }: Sequence, use: (at: number, text: number, step: number) => void): void {
  for (let t = 0; t < time; t++) for (let b = 0; b < lengths.length; b++) if (t < lengths[b]!) use(t * lengths.length + b, b, t);
}

/** Calls `use` for every step of a window that is inside its text. @param use gets the row of the time-major matrix, and the first row of that step's part of the kernel */
function forEachTap({ lengths, width }: TimeMajor, { kernelSize }: ConvLayer, text: number, step: number, use: (from: number, row: number) => void): void {
  for (let k = 0; k < kernelSize; k++) {
    const t = step + k - Math.floor((kernelSize - 1) / 2);
    if (t >= 0 && t < lengths[text]!) use(t * lengths.length + text, k * width);
  }
}

/** Where the greatest value of a column is in a window. */
function greatestOf({ data, lengths, width }: TimeMajor, text: number, column: number, first: number, size: number): number {
  const place = (t: number): number => (t * lengths.length + text) * width + column;
  let best = place(first);
  for (let t = first + 1; t < Math.min(lengths[text]!, first + size); t++) if (data[place(t)]! > data[best]!) best = place(t);
  return best;
}

function own(x: Sequence): TimeMajor {
  return x as TimeMajor;
}

function directionNames(layer: LstmLayer, direction: number): { readonly kernel: string; readonly recurrent: string; readonly bias: string } {
  const prefix = `${layer.name}/${direction === 0 ? 'forward' : 'backward'}`;
  return { kernel: `${prefix}/kernel`, recurrent: `${prefix}/recurrent`, bias: `${prefix}/bias` };
}

/** a [rows, inner] times a tensor [inner, columns]. */
function multiply(a: Float32Array, rows: number, inner: number, b: tf.Tensor2D): Float32Array {
  return valuesOf(() => tf.matMul(tf.tensor2d(a, [rows, inner]), b));
}

/**
 * The values of the tensor that `make` gives; no tensor stays.
 * (Not `tf.tidy(() => ….dataSync())`: tidy searches what it returns for tensors, and walks through every number of an array.)
 */
function valuesOf(make: () => tf.Tensor): Float32Array {
  const tensor = tf.tidy(make);
  const values = tensor.dataSync() as Float32Array;
  tensor.dispose();
  return values;
}

function addTo(target: Float32Array, source: ArrayLike<number>): void {
  for (let k = 0; k < target.length; k++) target[k]! += source[k]!;
}

/** values∘mask·scale in new memory; a plain copy without a mask. */
function maskedCopy(values: Float32Array, mask: Uint8Array | undefined, scale: number): Float32Array {
  return mask ? values.map((value, k) => (mask[k] === 0 ? 0 : value * scale)) : values.slice();
}

/** Copies a matrix of `width` columns into the columns from `column` on of one with `targetWidth`. */
function copyColumns(source: Float32Array, width: number, target: Float32Array, targetWidth: number, column: number): void {
  for (let from = 0, to = column; from < source.length; from += width, to += targetWidth) target.set(source.subarray(from, from + width), to);
}

/** The position of the last step of the direction that column j belongs to. */
function lastStep(column: number, length: number, source: LstmLayer | undefined): number {
  return source?.bidirectional && column >= source.units ? 0 : length - 1;
}

function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

/** As 1 - 2/(e^2x + 1): half the time of Math.tanh; absolute error under 1e-15. */
function tanh(x: number): number {
  return 1 - 2 / (Math.exp(2 * x) + 1);
}

/** Zero for what is too small to matter: through hundreds of steps gradients sink into denormals, which make each operation ten times slower. */
function flush(x: number): number {
  return x < 1e-15 && x > -1e-15 ? 0 : x;
}

/** As {@link flush} for squares. */
function flushSquare(x: number): number {
  return x < 1e-30 ? 0 : x;
}
