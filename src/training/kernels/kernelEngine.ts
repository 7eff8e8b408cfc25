import type { EmbeddingLayer, LstmLayer, PoolLayer } from '../../core/model/architecture';
import type { ComputeEngine, CreateEngine, LstmOptions, OptimizerStep, ParameterLayout, Sequence, TokenBatch } from '../engine';
import { Kernels, type Address, type KernelOptions } from './kernels';
import { Packing } from './packing';

/**
 * The engine of fused WASM kernels: weights, gradients, moments and activations all live in the kernels' memory, sequences in packed layout.
 *
 * Memory: first the parameters, four arrays of `layout.length` floats, then a stack for the batch that {@link KernelEngine.begin} empties. Embedding size and hidden units are multiples of 4.
 */
export function createKernelEngine(options: KernelOptions = {}): CreateEngine {
  return async (layout) => new KernelEngine(layout, await Kernels.load(options));
}

/** A sequence in packed layout: [S, width] at `at`. */
class PackedSequence implements Sequence {
  /** What {@link KernelEngine.lstm} keeps for the way back. */
  tape: LstmTape | undefined;
  /** Max pooling's chosen steps, [texts, width]. */
  chosen: Address | undefined;

  constructor(
    readonly batch: number,
    readonly packing: Packing,
    readonly width: number,
    readonly at: Address,
  ) {}

  get lengths(): Int32Array {
    return this.packing.lengths;
  }

  get time(): number {
    return this.packing.time;
  }
}

interface LstmTape {
  readonly x: PackedSequence;
  readonly layer: LstmLayer;
  readonly directions: readonly DirectionTape[];
}

interface DirectionTape {
  /** [S, 4H] gates; the way back overwrites them. */
  readonly z: Address;
  /** [S, H] cell states, and their tanh. */
  readonly c: Address;
  readonly tanhC: Address;
  /** Weight drop: [H, 4H] bytes. */
  readonly mask: Address | undefined;
  readonly scale: number;
}

/** An embedding table's rows that have a gradient. */
interface TouchedRows {
  /** [V] bytes. */
  readonly flags: Address;
  /** [V] ids. */
  readonly list: Address;
  count: number;
}

class KernelEngine implements ComputeEngine {
  steps = 0;

  private readonly weightsAt: Address;
  private readonly gradientsAt: Address;
  private readonly firstAt: Address;
  private readonly secondAt: Address;
  private readonly touched = new Map<string, TouchedRows>();
  private readonly base: Address;

  /** Number of the batch; sequences of another one are refused. */
  private batch = 0;
  private training = false;
  private packings: Packing[] = [];
  private ids = new Map<TokenBatch, Address>();

  constructor(
    readonly layout: ParameterLayout,
    private loaded: Kernels | undefined,
  ) {
    const { kernels } = this;
    const arrays = [0, 1, 2, 3].map(() => kernels.allocateValues(layout.length)) as [Address, Address, Address, Address];
    [this.weightsAt, this.gradientsAt, this.firstAt, this.secondAt] = arrays;
    for (const layer of layout.architecture.layers) {
      if (layer.type === 'embedding') {
        requireMultipleOf4(layer.name, layer.size);
        const rows = layer.vocabularySize;
        this.touched.set(`${layer.name}/table`, { flags: kernels.allocate(rows), list: kernels.allocateValues(rows), count: 0 });
      } else if (layer.type === 'lstm') requireMultipleOf4(layer.name, layer.units);
    }
    this.base = kernels.mark();
  }

  weights(): Float32Array {
    return this.kernels.floats(this.weightsAt, this.layout.length);
  }

  gradients(): Float32Array {
    return this.kernels.floats(this.gradientsAt, this.layout.length);
  }

  moments(): { readonly first: Float32Array; readonly second: Float32Array } {
    return { first: this.kernels.floats(this.firstAt, this.layout.length), second: this.kernels.floats(this.secondAt, this.layout.length) };
  }

  begin(training: boolean): void {
    this.kernels.release(this.base);
    this.batch++;
    this.training = training;
    this.packings = [];
    this.ids = new Map();
  }

  embed(batch: TokenBatch, layer: EmbeddingLayer): Sequence {
    const packing = this.packing(batch.lengths, batch.time);
    const x = this.allocate(packing, layer.size);
    const table = this.weightsAt + 4 * this.layout.find(`${layer.name}/table`).offset;
    this.kernels.run.gatherRows(table, this.packedIds(batch, packing, layer), x.at, packing.positions, layer.size);
    return x;
  }

  embedBackward(batch: TokenBatch, layer: EmbeddingLayer, dx: Sequence): void {
    const { packing, at } = this.own(dx);
    const name = `${layer.name}/table`;
    const rows = this.touched.get(name)!;
    const gradient = this.gradientsAt + 4 * this.layout.find(name).offset;
    const ids = this.packedIds(batch, packing, layer);
    rows.count = this.kernels.run.scatterRows(gradient, ids, at, packing.positions, layer.size, rows.flags, rows.list, rows.count);
  }

  lstm(input: Sequence, layer: LstmLayer, options: LstmOptions = {}): Sequence {
    const { kernels } = this;
    const { run } = kernels;
    const x = this.own(input);
    const { packing, width: inputs } = x;
    const { units } = layer;
    const gates = 4 * units;
    const names = directions(layer);
    requireSize('the kernel', this.layout.find(`${layer.name}/forward/kernel`).size, inputs * gates);
    options.recurrentMasks?.forEach((mask) => requireSize('a recurrent mask', mask.length, units * gates));
    const y = this.allocate(packing, names.length * units);
    const scale = options.scale ?? 1;

    const inference = kernels.mark();
    const tapes = names.map((_, d): DirectionTape => {
      const mask = options.recurrentMasks?.[d];
      return {
        z: kernels.allocateValues(packing.positions * gates),
        c: kernels.allocateValues(packing.positions * units),
        tanhC: kernels.allocateValues(packing.positions * units),
        mask: mask && kernels.putBytes(mask),
        scale,
      };
    });
    const scratch = kernels.mark();
    const kernelPanels = kernels.allocateValues(inputs * gates);
    const recurrentPanels = kernels.allocateValues(units * gates);
    const work = kernels.allocateValues(run.lstmForwardScratch(inputs, units));
    tapes.forEach((tape, d) => {
      const name = `${layer.name}/${names[d]}`;
      run.packRows(this.weight(`${name}/kernel`), gates, kernelPanels, inputs, gates);
      run.packRows(this.recurrent(name, tape, units), gates, recurrentPanels, units, gates);
      run.lstmForward(
        x.at, inputs, kernelPanels, recurrentPanels, this.weight(`${name}/bias`), tape.z, y.at + 4 * d * units, y.width, tape.c, tape.tanhC,
        packing.offsets, packing.steps, units, d === 1, work,
      );
    });
    kernels.release(this.training ? scratch : inference);
    if (this.training) y.tape = { x, layer, directions: tapes };
    return y;
  }

  lstmBackward(output: Sequence, gradient: Sequence): Sequence {
    const { kernels } = this;
    const { run } = kernels;
    const y = this.own(output);
    const dy = this.own(gradient);
    const { tape } = y;
    if (!tape) throw new Error('The way back through an LSTM starts from what lstm() returned while training, and only once.');
    y.tape = undefined;
    const { x, layer } = tape;
    const { packing, width: inputs } = x;
    const { units } = layer;
    const gates = 4 * units;
    const names = directions(layer);
    const dx = this.allocate(packing, inputs);
    const previous = names.map((_, d) => packing.previous(d === 1));

    const mark = kernels.mark();
    const kernelPanels = kernels.allocateValues(inputs * gates);
    const recurrentPanels = kernels.allocateValues(units * gates);
    const work = kernels.allocateValues(run.lstmBackwardScratch(packing.texts, inputs, units));
    const dropped = kernels.allocateValues(units * gates);
    tape.directions.forEach((direction, d) => {
      const name = `${layer.name}/${names[d]}`;
      run.packColumns(this.weight(`${name}/kernel`), gates, kernelPanels, gates, inputs);
      run.packColumns(this.recurrent(name, direction, units), gates, recurrentPanels, gates, units);
      const dRecurrent = this.gradient(`${name}/recurrent`);
      if (direction.mask !== undefined) run.clear(dropped, units * gates);
      run.lstmBackward(
        x.at, inputs, kernelPanels, recurrentPanels, direction.z, y.at + 4 * d * units, y.width, direction.c, direction.tanhC, dy.at + 4 * d * units, dy.width,
        this.gradient(`${name}/kernel`), direction.mask === undefined ? dRecurrent : dropped, this.gradient(`${name}/bias`), dx.at, d > 0,
        previous[d]!, packing.offsets, packing.steps, units, d === 1, work,
      );
      if (direction.mask !== undefined) run.maskValues(dropped, direction.mask, dRecurrent, units * gates, direction.scale, true);
    });
    kernels.release(mark);
    return dx;
  }

  pool(input: Sequence, layer: PoolLayer, source: LstmLayer | undefined): Float32Array {
    const { kernels } = this;
    const { run } = kernels;
    const x = this.own(input);
    const { packing, width } = x;
    const stride = layer.methods.length * width;
    const size = packing.lengths.length * stride;
    const chosen = layer.methods.includes('max') ? kernels.allocateValues(packing.texts * width) : undefined;
    const mark = kernels.mark();
    const out = kernels.allocateValues(size);
    run.clear(out, size);
    layer.methods.forEach((method, index) => {
      const target = out + 4 * index * width;
      if (method === 'max') run.maxForward(x.at, width, packing.offsets, packing.steps, packing.order, target, stride, chosen!);
      else if (method === 'mean') run.meanForward(x.at, width, packing.offsets, packing.steps, packing.order, packing.lengthsAt, target, stride);
      else this.last(x, source, target, stride, false);
    });
    const values = kernels.floats(out, size).slice();
    kernels.release(mark);
    x.chosen = chosen;
    return values;
  }

  poolBackward(input: Sequence, layer: PoolLayer, source: LstmLayer | undefined, dy: Float32Array): Sequence {
    const { kernels } = this;
    const { run } = kernels;
    const x = this.own(input);
    const { packing, width } = x;
    const stride = layer.methods.length * width;
    requireSize('the gradient of a pooling', dy.length, packing.lengths.length * stride);
    if (layer.methods.includes('max') && x.chosen === undefined) this.pool(x, layer, source);
    const dx = this.allocate(packing, width);
    run.clear(dx.at, packing.positions * width);
    const mark = kernels.mark();
    const gradient = kernels.putFloats(dy);
    layer.methods.forEach((method, index) => {
      const part = gradient + 4 * index * width;
      if (method === 'max') run.maxBackward(dx.at, width, packing.offsets, packing.texts, packing.order, part, stride, x.chosen!);
      else if (method === 'mean') run.meanBackward(dx.at, width, packing.offsets, packing.steps, packing.order, packing.lengthsAt, part, stride);
      else this.last(dx, source, part, stride, true);
    });
    kernels.release(mark);
    return dx;
  }

  mask(input: Sequence, mask: Uint8Array, scale: number): Sequence {
    const { kernels } = this;
    const x = this.own(input);
    requireSize('a mask', mask.length, x.lengths.length * x.time * x.width);
    const y = this.allocate(x.packing, x.width);
    const mark = kernels.mark();
    kernels.run.maskSequence(x.at, kernels.putBytes(mask), x.packing.rows, y.at, x.packing.positions, x.width, scale);
    kernels.release(mark);
    return y;
  }

  read(input: Sequence): Float32Array {
    const { kernels } = this;
    const { packing, width, at } = this.own(input);
    const size = packing.lengths.length * packing.time * width;
    const mark = kernels.mark();
    const padded = kernels.allocateValues(size);
    kernels.run.clear(padded, size);
    kernels.run.unpack(at, packing.rows, padded, packing.positions, width);
    const values = kernels.floats(padded, size).slice();
    kernels.release(mark);
    return values;
  }

  write(values: Float32Array, shape: { readonly lengths: Int32Array; readonly time: number; readonly width: number }): Sequence {
    const { kernels } = this;
    requireMultipleOf4('a sequence', shape.width);
    requireSize('a sequence', values.length, shape.lengths.length * shape.time * shape.width);
    const x = this.allocate(this.packing(shape.lengths, shape.time), shape.width);
    const mark = kernels.mark();
    kernels.run.pack(kernels.putFloats(values), x.packing.rows, x.at, x.packing.positions, x.width);
    kernels.release(mark);
    return x;
  }

  zeroGradients(): void {
    for (const { name, offset, size, shape } of this.layout.parameters) {
      const gradient = this.gradientsAt + 4 * offset;
      const rows = this.touched.get(name);
      if (rows) {
        this.kernels.run.clearRows(gradient, shape[1]!, rows.flags, rows.list, rows.count);
        rows.count = 0;
      } else this.kernels.run.clear(gradient, size);
    }
  }

  clipAndStep(step: OptimizerStep): number {
    const { run } = this.kernels;
    const { parameters } = this.layout;
    let sum = 0;
    parameters.forEach(({ name, offset, size, shape }, index) => {
      if (!step.learningRates[index]) return;
      const rows = this.touched.get(name);
      const gradient = this.gradientsAt + 4 * offset;
      sum += rows ? run.sumOfSquaresRows(gradient, shape[1]!, rows.list, rows.count) : run.sumOfSquares(gradient, wholeVectors(size));
    });
    const norm = Math.sqrt(sum);
    if (Number.isFinite(norm)) {
      this.steps++;
      const scale = norm > step.clipNorm ? step.clipNorm / norm : 1;
      const { beta1, beta2 } = step;
      const secondCorrection = Math.sqrt(1 - beta2 ** this.steps);
      const correction = secondCorrection / (1 - beta1 ** this.steps);
      parameters.forEach(({ name, offset, size, shape }, index) => {
        const rate = step.learningRates[index];
        if (!rate) return;
        const [w, g, m, v] = [this.weightsAt, this.gradientsAt, this.firstAt, this.secondAt].map((base) => base + 4 * offset) as [Address, Address, Address, Address];
        const settings = [scale, rate * correction, beta1, beta2, step.epsilon * secondCorrection, name.endsWith('/bias') ? 0 : rate * step.weightDecay] as const;
        const rows = this.touched.get(name);
        if (rows) run.adamRows(w, g, m, v, shape[1]!, rows.list, rows.count, ...settings);
        else run.adam(w, g, m, v, wholeVectors(size), ...settings);
      });
    }
    this.zeroGradients();
    return norm;
  }

  dispose(): void {
    // the memory goes with the last reference to it
    this.begin(false);
    this.loaded = undefined;
  }

  private get kernels(): Kernels {
    if (!this.loaded) throw new Error('This engine was disposed of.');
    return this.loaded;
  }

  /** The recurrent matrix [H, 4H], with its weight drop applied (in fresh memory) if there is one. */
  private recurrent(name: string, { mask, scale }: DirectionTape, units: number): Address {
    const weights = this.weight(`${name}/recurrent`);
    if (mask === undefined) return weights;
    const count = 4 * units * units;
    const kept = this.kernels.allocateValues(count);
    this.kernels.run.maskValues(weights, mask, kept, count, scale, false);
    return kept;
  }

  /** `last` pooling and its gradient, direction by direction. */
  private last(x: PackedSequence, source: LstmLayer | undefined, out: Address, stride: number, gradient: boolean): void {
    if (!source) throw new Error('Pooling the last step needs to know the LSTM layer that the sequence comes from.');
    const { packing, width } = x;
    const { length } = directions(source);
    const part = width / length;
    for (let d = 0; d < length; d++) {
      const target = out + 4 * d * part;
      this.kernels.run.lastStep(x.at, width, d * part, part, packing.offsets, packing.texts, packing.order, packing.lengthsAt, d === 1, target, stride, gradient);
    }
  }

  private weight(name: string): Address {
    return this.weightsAt + 4 * this.layout.find(name).offset;
  }

  private gradient(name: string): Address {
    return this.gradientsAt + 4 * this.layout.find(name).offset;
  }

  private allocate(packing: Packing, width: number): PackedSequence {
    return new PackedSequence(this.batch, packing, width, this.kernels.allocateValues(packing.positions * width));
  }

  /** The layout of a batch of these lengths; one for all sequences of the batch. */
  private packing(lengths: Int32Array, time: number): Packing {
    let packing = this.packings.find((known) => known.fits(lengths, time));
    if (!packing) this.packings.push((packing = new Packing(this.kernels, lengths, time)));
    return packing;
  }

  /** [S] token ids of a batch in packed order. */
  private packedIds(batch: TokenBatch, packing: Packing, layer: EmbeddingLayer): Address {
    const known = this.ids.get(batch);
    if (known !== undefined) return known;
    const { positions } = packing;
    const address = this.kernels.allocateValues(positions);
    const ids = this.kernels.integers(address, positions);
    const rows = this.kernels.integers(packing.rows, positions);
    for (let p = 0; p < positions; p++) {
      const id = batch.ids[rows[p]!]!;
      if (!(id >= 0 && id < layer.vocabularySize)) throw new RangeError(`Token id ${id} is not in a vocabulary of ${layer.vocabularySize}.`);
      ids[p] = id;
    }
    this.ids.set(batch, address);
    return address;
  }

  private own(sequence: Sequence): PackedSequence {
    if (!(sequence instanceof PackedSequence) || sequence.batch !== this.batch) throw new Error('This sequence is not one of the current batch.');
    return sequence;
  }
}

function directions(layer: LstmLayer): readonly string[] {
  return layer.bidirectional ? ['forward', 'backward'] : ['forward'];
}

/** Sizes of parameters are rounded up to whole vectors of four floats; the gap holds zeros. */
function wholeVectors(size: number): number {
  return Math.ceil(size / 4) * 4;
}

function requireMultipleOf4(what: string, width: number): void {
  if (width % 4 !== 0) throw new Error(`The width of ${what} is ${width}: the kernels need a multiple of 4.`);
}

function requireSize(what: string, actual: number, expected: number): void {
  if (actual !== expected) throw new RangeError(`The size of ${what} is ${actual} instead of ${expected}.`);
}
