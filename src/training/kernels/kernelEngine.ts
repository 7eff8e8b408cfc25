import type { AttentionLayer, ConvLayer, DenseLayer, EmbeddingLayer, LstmLayer, MaxPoolLayer, NgramLayer, PoolLayer } from '../../core/model/architecture';
import { headOf } from '../../core/model/onnxWriter';
import type { WorkerHandle } from '../../core/protocol/worker';
import type { ComputeEngine, CreateEngine, LstmOptions, OptimizerStep, ParameterLayout, Sequence, TokenBatch } from '../engine';
import { hire, Soloist, type Crew } from './crew';
import { gramsOf, spreadGrams, sumGrams, type BatchGrams } from '../ngramSums';
import { Kernels, type Address, type KernelBuild } from './kernels';
import { Packing } from './packing';
import { mostShards, planShards, type Shard } from './shards';

export interface KernelEngineOptions {
  /** Default: `relaxed` where the runtime takes it, else `plain`. */
  readonly build?: KernelBuild;
  /** Started workers that run `help` (crew.ts); they compute beside the calling thread. The engine does not end them. Needs SharedArrayBuffer. */
  readonly helpers?: readonly WorkerHandle[];
}

/**
 * The engine of fused WASM kernels: weights, gradients, moments and activations all live in the kernels' memory, sequences in packed layout.
 *
 * Data parallelism: a batch is cut into shards of whole texts (`planShards`), and each shard's embedding, LSTM and pooling are computed by themselves, on whichever thread has time. Each shard
 * has weight gradients of its own, which are added up in the order of the shards. So the result is the same to the last bit however many threads there are.
 *
 * Memory: first the parameters, four arrays of `layout.length` floats, and gradients for the shards after the first; then a stack for the batch that {@link KernelEngine.begin} empties.
 * Only the calling thread gives out memory. Embedding size and hidden units are multiples of 4.
 */
export function createKernelEngine({ build, helpers = [] }: KernelEngineOptions = {}): CreateEngine {
  return async (layout) => {
    const kernels = await Kernels.load({ ...(build ? { build } : {}), shared: helpers.length > 0 });
    return new KernelEngine(layout, kernels, helpers.length > 0 ? await hire(kernels, helpers) : new Soloist(kernels.run));
  };
}

/** A sequence in packed layout, shard by shard. */
class PackedSequence implements Sequence {
  constructor(
    readonly cut: Cut,
    readonly width: number,
    readonly parts: readonly Part[],
  ) {}

  get lengths(): Int32Array {
    return this.cut.lengths;
  }

  get time(): number {
    return this.cut.time;
  }
}

/** How the batch that it was made for is cut into shards. */
interface Cut {
  /** Number of the batch; sequences of another one are refused. */
  readonly batch: number;
  readonly lengths: Int32Array;
  readonly time: number;
  readonly shards: readonly (Shard & { readonly packing: Packing; readonly lane: number })[];
  /** By window size, the same shards after pooling over windows. */
  readonly pooled: Map<number, Cut>;
}

/** One shard of a sequence. */
interface Part {
  /** [S, width] */
  readonly at: Address;
  /** What {@link KernelEngine.lstm} keeps for the way back. */
  tape?: LstmTape;
  /** What {@link KernelEngine.conv} keeps. */
  convolved?: { readonly x: PackedSequence; readonly layer: ConvLayer };
  /** What {@link KernelEngine.maxPool} keeps: its input, and the chosen positions [S, width]. */
  windowed?: { readonly x: PackedSequence; readonly chosen: Address };
  /** What {@link KernelEngine.attention} keeps of its input: [S, units] before the product with the context, and the shares [S]. */
  attended?: { readonly u: Address; readonly shares: Address };
  /** Max pooling's chosen steps, [texts, width]. */
  chosen?: Address;
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
  /** The hidden-to-hidden matrix [H, 4H] that was used: the weights, or what weight drop left of them. */
  readonly recurrent: Address;
  /** Weight drop: [H, 4H] bytes. */
  readonly mask: Address | undefined;
  readonly scale: number;
}

/** A table's rows that have a gradient. */
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
  /** Where the gradients of what shards compute (all but the embedding's) add up for the shards after the first, by shard and name. */
  private readonly shardGradients: readonly ReadonlyMap<string, Address>[];
  /** Shards that have gradients of their own since they were last added up. */
  private shardsInUse = 1;
  private readonly touched = new Map<string, TouchedRows>();
  /** Parameters that never have a gradient, so that none has to be cleared. */
  private readonly unlearned = new Set<string>();
  private readonly base: Address;

  private batch = 0;
  private training = false;
  private cuts: Cut[] = [];
  private ids = new Map<TokenBatch, readonly Address[]>();

  constructor(
    readonly layout: ParameterLayout,
    private loaded: Kernels | undefined,
    private readonly crew: Crew,
  ) {
    const { kernels } = this;
    const arrays = [0, 1, 2, 3].map(() => kernels.allocateValues(layout.length)) as [Address, Address, Address, Address];
    [this.weightsAt, this.gradientsAt, this.firstAt, this.secondAt] = arrays;
    const sharded: string[] = [];
    const watchRows = (layer: string, rows: number): void => void this.touched.set(`${layer}/table`, { flags: kernels.allocate(rows), list: kernels.allocateValues(rows), count: 0 });
    for (const layer of layout.architecture.layers) {
      if (layer.type === 'embedding') {
        requireMultipleOf4(layer.name, layer.size);
        watchRows(layer.name, layer.vocabularySize);
      } else if (layer.type === 'ngrams') {
        watchRows(layer.name, layer.buckets);
        this.unlearned.add(`${layer.name}/sizes`);
      }
      else if (layer.type === 'lstm') {
        requireMultipleOf4(layer.name, layer.units);
        for (const direction of directions(layer)) sharded.push(...['kernel', 'recurrent', 'bias'].map((name) => `${layer.name}/${direction}/${name}`));
      } else if (layer.type === 'conv') {
        requireMultipleOf4(layer.name, layer.filters);
        sharded.push(...['kernel', 'bias'].map((name) => `${layer.name}/${name}`));
      } else if (layer.type === 'attention') {
        requireMultipleOf4(layer.name, layer.units);
        sharded.push(...['kernel', 'bias', 'context'].map((name) => `${layer.name}/${name}`));
      }
    }
    this.shardGradients = Array.from({ length: mostShards - 1 }, () => new Map(sharded.map((name) => [name, kernels.allocateValues(layout.find(name).size)])));
    this.base = kernels.mark();
  }

  weights(): Float32Array {
    this.crew.wait();
    return this.kernels.floats(this.weightsAt, this.layout.length);
  }

  gradients(): Float32Array {
    this.addUpShards();
    return this.kernels.floats(this.gradientsAt, this.layout.length);
  }

  moments(): { readonly first: Float32Array; readonly second: Float32Array } {
    this.crew.wait();
    return { first: this.kernels.floats(this.firstAt, this.layout.length), second: this.kernels.floats(this.secondAt, this.layout.length) };
  }

  begin(training: boolean): void {
    this.crew.wait();
    this.kernels.release(this.base);
    this.batch++;
    this.training = training;
    this.cuts = [];
    this.ids = new Map();
  }

  embed(batch: TokenBatch, layer: EmbeddingLayer): Sequence {
    const cut = this.cut(batch.lengths, batch.time);
    const ids = this.packedIds(batch, cut, layer);
    const x = this.allocate(cut, layer.size);
    const table = this.weight(`${layer.name}/table`);
    cut.shards.forEach(({ packing, lane }, shard) => this.crew.call(lane, 'gatherRows', table, ids[shard]!, x.parts[shard]!.at, packing.positions, layer.size));
    this.crew.start();
    return x;
  }

  embedBackward(batch: TokenBatch, layer: EmbeddingLayer, dx: Sequence): void {
    const { cut, parts } = this.own(dx);
    const name = `${layer.name}/table`;
    const rows = this.touched.get(name)!;
    const ids = this.packedIds(batch, cut, layer);
    // shards share tokens, so their rows are added up one shard after the other; lanes have a stretch of columns each
    this.crew.wait();
    cut.shards.forEach(({ packing }, shard) => (rows.count = this.kernels.run.touchRows(ids[shard]!, packing.positions, rows.flags, rows.list, rows.count)));
    this.forEachStretch(layer.size, 4, (lane, column, columns) =>
      cut.shards.forEach(({ packing }, shard) => this.crew.call(lane, 'scatterRows', this.gradient(name), ids[shard]!, parts[shard]!.at, packing.positions, layer.size, column, columns)),
    );
    this.crew.start();
  }

  lstm(input: Sequence, layer: LstmLayer, options: LstmOptions = {}): Sequence {
    const { kernels, crew } = this;
    const { run } = kernels;
    const x = this.own(input);
    const { cut, width: inputs } = x;
    const { units } = layer;
    const gates = 4 * units;
    const names = directions(layer);
    requireSize('the kernel', this.layout.find(`${layer.name}/forward/kernel`).size, inputs * gates);
    options.recurrentMasks?.forEach((mask) => requireSize('a recurrent mask', mask.length, units * gates));
    const y = this.allocate(cut, names.length * units);
    const scale = options.scale ?? 1;

    const panels = names.map((direction, d) => {
      const name = `${layer.name}/${direction}`;
      const masked = options.recurrentMasks?.[d];
      const mask = masked && kernels.putBytes(masked);
      const weights = this.weight(`${name}/recurrent`);
      const recurrent = mask === undefined ? weights : kernels.allocateValues(units * gates);
      if (mask !== undefined) run.maskValues(weights, mask, recurrent, units * gates, scale, false);
      const packed = { kernel: kernels.allocateValues(inputs * gates), recurrent: kernels.allocateValues(units * gates) };
      run.packRows(this.weight(`${name}/kernel`), gates, packed.kernel, inputs, gates);
      run.packRows(recurrent, gates, packed.recurrent, units, gates);
      return { ...packed, unpacked: recurrent, mask, bias: this.weight(`${name}/bias`) };
    });
    const work = this.forEachLane(() => kernels.allocateValues(run.lstmForwardScratch(inputs, units)));
    const tape = (positions: number) => ({ z: kernels.allocateValues(positions * gates), c: kernels.allocateValues(positions * units), tanhC: kernels.allocateValues(positions * units) });
    // without a way back, a lane needs room for one direction of one shard at a time
    const most = Math.max(...cut.shards.map(({ packing }) => packing.positions));
    const passing = this.training ? [] : this.forEachLane(() => tape(most));
    cut.shards.forEach(({ packing, lane }, shard) => {
      const part = y.parts[shard]!;
      const tapes = panels.map(({ kernel, recurrent, unpacked, mask, bias }, d): DirectionTape => {
        const kept = passing[lane] ?? tape(packing.positions);
        crew.call(
          lane, 'lstmForward', x.parts[shard]!.at, inputs, kernel, recurrent, bias, kept.z, part.at + 4 * d * units, y.width, kept.c, kept.tanhC,
          packing.offsets, packing.steps, units, d === 1, work[lane]!,
        );
        return { ...kept, recurrent: unpacked, mask, scale };
      });
      if (this.training) part.tape = { x, layer, directions: tapes };
    });
    crew.start();
    return y;
  }

  lstmBackward(output: Sequence, gradient: Sequence): Sequence {
    const { kernels, crew } = this;
    const { run } = kernels;
    const y = this.own(output);
    const dy = this.own(gradient);
    const tapes = y.parts.map((part) => {
      const { tape } = part;
      if (!tape) throw new Error('The way back through an LSTM starts from what lstm() returned while training, and only once.');
      delete part.tape;
      return tape;
    });
    const { x, layer } = tapes[0]!;
    const { cut, width: inputs } = x;
    const { units } = layer;
    const gates = 4 * units;
    const names = directions(layer).map((direction) => `${layer.name}/${direction}`);
    const dx = this.allocate(cut, inputs);
    const panels = names.map((name, d) => {
      const packed = { kernel: kernels.allocateValues(inputs * gates), recurrent: kernels.allocateValues(units * gates) };
      run.packColumns(this.weight(`${name}/kernel`), gates, packed.kernel, gates, inputs);
      run.packColumns(tapes[0]!.directions[d]!.recurrent, gates, packed.recurrent, gates, units);
      return packed;
    });
    const texts = Math.max(...cut.shards.map(({ packing }) => packing.texts));
    const work = this.forEachLane(() => kernels.allocateValues(run.lstmBackwardScratch(texts, inputs, units)));
    const dropped = tapes[0]!.directions.some(({ mask }) => mask !== undefined) ? this.forEachLane(() => kernels.allocateValues(units * gates)) : [];
    cut.shards.forEach(({ packing, lane }, shard) => {
      tapes[shard]!.directions.forEach(({ z, c, tanhC, mask, scale }, d) => {
        const name = names[d]!;
        const dRecurrent = this.gradient(`${name}/recurrent`, shard);
        if (mask !== undefined) crew.call(lane, 'clear', dropped[lane]!, units * gates);
        crew.call(
          lane, 'lstmBackward', x.parts[shard]!.at, inputs, panels[d]!.kernel, panels[d]!.recurrent, z, y.parts[shard]!.at + 4 * d * units, y.width, c, tanhC,
          dy.parts[shard]!.at + 4 * d * units, dy.width, this.gradient(`${name}/kernel`, shard), mask === undefined ? dRecurrent : dropped[lane]!, this.gradient(`${name}/bias`, shard),
          dx.parts[shard]!.at, d > 0, packing.previous(d === 1), packing.offsets, packing.steps, units, d === 1, work[lane]!,
        );
        if (mask !== undefined) crew.call(lane, 'maskValues', dropped[lane]!, mask, dRecurrent, units * gates, scale, true);
      });
    });
    this.shardsInUse = Math.max(this.shardsInUse, cut.shards.length);
    crew.start();
    return dx;
  }

  conv(input: Sequence, layer: ConvLayer): Sequence {
    const { kernels, crew } = this;
    const { run } = kernels;
    const { name, filters, kernelSize } = layer;
    const x = this.own(input);
    const { cut, width: inputs } = x;
    requireSize('the kernel', this.layout.find(`${name}/kernel`).size, kernelSize * inputs * filters);
    const y = this.allocate(cut, filters);
    const kernel = kernels.allocateValues(kernelSize * inputs * filters);
    run.packRows(this.weight(`${name}/kernel`), filters, kernel, kernelSize * inputs, filters);
    const work = this.forEachLane(() => kernels.allocateValues(run.convForwardScratch(inputs, kernelSize)));
    const indices = cut.shards.map(({ packing }) => packing.neighbors(-stepsBefore(layer), 1, kernelSize));
    cut.shards.forEach(({ packing, lane }, shard) => {
      const part = y.parts[shard]!;
      crew.call(
        lane, 'convForward', x.parts[shard]!.at, inputs, kernel, this.weight(`${name}/bias`), part.at, filters, indices[shard]!, kernelSize, packing.positions, layer.activation === 'relu', work[lane]!,
      );
      if (this.training) part.convolved = { x, layer };
    });
    crew.start();
    return y;
  }

  convBackward(output: Sequence, gradient: Sequence): Sequence {
    const { kernels, crew } = this;
    const { run } = kernels;
    const y = this.own(output);
    const dy = this.own(gradient);
    const { x, layer } = taken(y.parts, 'convolved', 'a convolution');
    const { cut, width: inputs } = x;
    const { name, filters, kernelSize } = layer;
    const dx = this.allocate(cut, inputs);
    const size = inputs * filters;
    const kernel = kernels.allocateValues(kernelSize * size);
    for (let step = 0; step < kernelSize; step++) run.packColumns(this.weight(`${name}/kernel`) + 4 * step * size, filters, kernel + 4 * step * size, filters, inputs);
    const work = this.forEachLane(() => kernels.allocateValues(run.convBackwardScratch(inputs, filters)));
    const before = stepsBefore(layer);
    const indices = cut.shards.map(({ packing }) => ({ index: packing.neighbors(-before, 1, kernelSize), back: packing.neighbors(before, -1, kernelSize) }));
    cut.shards.forEach(({ packing, lane }, shard) => {
      const { index, back } = indices[shard]!;
      crew.call(
        lane, 'convBackward', x.parts[shard]!.at, inputs, kernel, y.parts[shard]!.at, dy.parts[shard]!.at, this.gradient(`${name}/kernel`, shard), this.gradient(`${name}/bias`, shard),
        dx.parts[shard]!.at, filters, index, back, kernelSize, packing.positions, layer.activation === 'relu', work[lane]!,
      );
    });
    this.shardsInUse = Math.max(this.shardsInUse, cut.shards.length);
    crew.start();
    return dx;
  }

  maxPool(input: Sequence, { size }: MaxPoolLayer): Sequence {
    const { kernels, crew } = this;
    const x = this.own(input);
    const { cut, width } = x;
    const y = this.allocate(this.pooledCut(cut, size), width);
    const windows = cut.shards.map(({ packing }, shard) => packing.windows(y.cut.shards[shard]!.packing, size));
    const chosen = y.cut.shards.map(({ packing }) => kernels.allocateValues(packing.positions * width));
    y.cut.shards.forEach(({ packing, lane }, shard) => {
      const part = y.parts[shard]!;
      crew.call(lane, 'windowMaxForward', x.parts[shard]!.at, width, windows[shard]!, size, part.at, chosen[shard]!, packing.positions);
      if (this.training) part.windowed = { x, chosen: chosen[shard]! };
    });
    crew.start();
    return y;
  }

  maxPoolBackward(output: Sequence, gradient: Sequence): Sequence {
    const y = this.own(output);
    const dy = this.own(gradient);
    if (dy.cut !== y.cut) throw new Error('The gradient to a pooling over windows is not of its shape.');
    const chosen = y.parts.map(({ windowed }) => windowed?.chosen ?? 0);
    const { x } = taken(y.parts, 'windowed', 'pooling over windows');
    const dx = this.allocate(x.cut, x.width);
    y.cut.shards.forEach(({ packing, lane }, shard) =>
      this.crew.call(lane, 'windowMaxBackward', dx.parts[shard]!.at, x.cut.shards[shard]!.packing.positions * x.width, x.width, dy.parts[shard]!.at, chosen[shard]!, packing.positions),
    );
    this.crew.start();
    return dx;
  }

  attention(input: Sequence, { name, units }: AttentionLayer): Float32Array {
    const { kernels, crew } = this;
    const { run } = kernels;
    const x = this.own(input);
    const { cut, width } = x;
    requireSize('the kernel', this.layout.find(`${name}/kernel`).size, width * units);
    const size = cut.lengths.length * width;
    const out = kernels.allocateValues(size);
    run.clear(out, size);
    const kernel = kernels.allocateValues(width * units);
    run.packRows(this.weight(`${name}/kernel`), units, kernel, width, units);
    const work = this.forEachLane(() => kernels.allocateValues(run.multiplyScratch(width)));
    const kept = cut.shards.map(({ packing }) => ({ u: kernels.allocateValues(packing.positions * units), shares: kernels.allocateValues(packing.positions) }));
    cut.shards.forEach(({ first, packing, lane }, shard) => {
      const { u, shares } = kept[shard]!;
      crew.call(
        lane, 'attentionForward', x.parts[shard]!.at, width, kernel, this.weight(`${name}/bias`), this.weight(`${name}/context`), u, shares, units,
        packing.offsets, packing.steps, packing.texts, packing.order, out + 4 * first * width, width, work[lane]!,
      );
      x.parts[shard]!.attended = { u, shares };
    });
    crew.wait();
    return kernels.floats(out, size).slice();
  }

  attentionBackward(input: Sequence, { name, units }: AttentionLayer, dy: Float32Array): Sequence {
    const { kernels, crew } = this;
    const { run } = kernels;
    const x = this.own(input);
    const { cut, width } = x;
    requireSize('the gradient of an attention', dy.length, cut.lengths.length * width);
    const dx = this.allocate(cut, width);
    const slopes = kernels.putFloats(dy);
    const kernel = kernels.allocateValues(width * units);
    run.packColumns(this.weight(`${name}/kernel`), units, kernel, units, width);
    const most = Math.max(...cut.shards.map(({ packing }) => packing.positions));
    const work = this.forEachLane(() => kernels.allocateValues(run.attentionBackwardScratch(most, width, units)));
    cut.shards.forEach(({ first, packing, lane }, shard) => {
      const part = x.parts[shard]!;
      const { attended } = part;
      if (!attended) throw new Error('The way back through an attention starts from what attention() read, and only once.');
      delete part.attended;
      crew.call(
        lane, 'attentionBackward', part.at, width, kernel, this.weight(`${name}/context`), attended.u, attended.shares, slopes + 4 * first * width, width,
        this.gradient(`${name}/kernel`, shard), this.gradient(`${name}/bias`, shard), this.gradient(`${name}/context`, shard), dx.parts[shard]!.at, units,
        packing.offsets, packing.steps, packing.texts, packing.order, work[lane]!,
      );
    });
    this.shardsInUse = Math.max(this.shardsInUse, cut.shards.length);
    crew.start();
    return dx;
  }

  pool(input: Sequence, layer: PoolLayer, source: LstmLayer | undefined): Float32Array {
    const { kernels, crew } = this;
    const x = this.own(input);
    const { cut, width } = x;
    const stride = layer.methods.length * width;
    const size = cut.lengths.length * stride;
    const out = kernels.allocateValues(size);
    kernels.run.clear(out, size);
    cut.shards.forEach(({ first, packing, lane }, shard) => {
      const part = x.parts[shard]!;
      if (layer.methods.includes('max')) part.chosen = kernels.allocateValues(packing.texts * width);
      layer.methods.forEach((method, index) => {
        const target = out + 4 * (first * stride + index * width);
        if (method === 'max') crew.call(lane, 'maxForward', part.at, width, packing.offsets, packing.steps, packing.order, target, stride, part.chosen!);
        else if (method === 'mean') crew.call(lane, 'meanForward', part.at, width, packing.offsets, packing.steps, packing.order, packing.lengthsAt, target, stride);
        else this.last(lane, packing, part.at, width, source, target, stride, false);
      });
    });
    crew.wait();
    return kernels.floats(out, size).slice();
  }

  poolBackward(input: Sequence, layer: PoolLayer, source: LstmLayer | undefined, dy: Float32Array): Sequence {
    const { kernels, crew } = this;
    const x = this.own(input);
    const { cut, width } = x;
    const stride = layer.methods.length * width;
    requireSize('the gradient of a pooling', dy.length, cut.lengths.length * stride);
    if (layer.methods.includes('max') && x.parts.some(({ chosen }) => chosen === undefined)) this.pool(x, layer, source);
    const dx = this.allocate(cut, width);
    const gradient = kernels.putFloats(dy);
    cut.shards.forEach(({ first, packing, lane }, shard) => {
      const { at } = dx.parts[shard]!;
      crew.call(lane, 'clear', at, packing.positions * width);
      layer.methods.forEach((method, index) => {
        const slopes = gradient + 4 * (first * stride + index * width);
        if (method === 'max') crew.call(lane, 'maxBackward', at, width, packing.offsets, packing.texts, packing.order, slopes, stride, x.parts[shard]!.chosen!);
        else if (method === 'mean') crew.call(lane, 'meanBackward', at, width, packing.offsets, packing.steps, packing.order, packing.lengthsAt, slopes, stride);
        else this.last(lane, packing, at, width, source, slopes, stride, true);
      });
    });
    crew.start();
    return dx;
  }

  mask(input: Sequence, mask: Uint8Array, scale: number): Sequence {
    const { kernels, crew } = this;
    const x = this.own(input);
    const { cut, width } = x;
    requireSize('a mask', mask.length, cut.lengths.length * cut.time * width);
    const y = this.allocate(cut, width);
    const bits = kernels.putBytes(mask);
    cut.shards.forEach(({ first, packing, lane }, shard) =>
      crew.call(lane, 'maskSequence', x.parts[shard]!.at, bits + first * cut.time * width, packing.rows, y.parts[shard]!.at, packing.positions, width, scale),
    );
    crew.start();
    return y;
  }

  dense(x: Float32Array, layer: DenseLayer): Float32Array {
    const { kernels } = this;
    const { inputs, rows } = this.denseShape(x, layer);
    const mark = kernels.mark();
    const y = kernels.allocateValues(rows * layer.units);
    kernels.run.denseForward(kernels.putFloats(x), this.weight(`${layer.name}/kernel`), this.weight(`${layer.name}/bias`), y, rows, layer.units, inputs);
    const values = kernels.floats(y, rows * layer.units).slice();
    kernels.release(mark);
    return values;
  }

  denseBackward(x: Float32Array, layer: DenseLayer, dy: Float32Array): Float32Array {
    const { kernels } = this;
    const { inputs, rows } = this.denseShape(x, layer);
    requireSize('the gradient of a dense layer', dy.length, rows * layer.units);
    const mark = kernels.mark();
    const dx = kernels.allocateValues(x.length);
    const [kernel, bias] = [`${layer.name}/kernel`, `${layer.name}/bias`];
    kernels.run.denseBackward(kernels.putFloats(x), this.weight(kernel), kernels.putFloats(dy), this.gradient(kernel), this.gradient(bias), dx, rows, layer.units, inputs);
    const values = kernels.floats(dx, x.length).slice();
    kernels.release(mark);
    return values;
  }

  ngrams(batch: TokenBatch, layer: NgramLayer): Float32Array {
    return sumGrams(this.gramsOf(batch, layer), this.kernels.floats(this.weight(`${layer.name}/table`), this.layout.find(`${layer.name}/table`).size), headOf(this.layout.architecture).units);
  }

  ngramsBackward(batch: TokenBatch, layer: NgramLayer, dy: Float32Array): void {
    const { kernels } = this;
    const name = `${layer.name}/table`;
    const grams = this.gramsOf(batch, layer);
    const rows = this.touched.get(name)!;
    const mark = kernels.mark();
    rows.count = kernels.run.touchRows(kernels.putIntegers(grams.buckets), grams.buckets.length, rows.flags, rows.list, rows.count);
    kernels.release(mark);
    spreadGrams(grams, dy, kernels.floats(this.gradient(name), this.layout.find(name).size));
  }

  read(input: Sequence): Float32Array {
    const { kernels } = this;
    const { cut, parts, width } = this.own(input);
    const size = cut.lengths.length * cut.time * width;
    this.crew.wait();
    const mark = kernels.mark();
    const padded = kernels.allocateValues(size);
    kernels.run.clear(padded, size);
    cut.shards.forEach(({ first, packing }, shard) => kernels.run.unpack(parts[shard]!.at, packing.rows, padded + 4 * first * cut.time * width, packing.positions, width));
    const values = kernels.floats(padded, size).slice();
    kernels.release(mark);
    return values;
  }

  write(values: Float32Array, { lengths, time, width }: { readonly lengths: Int32Array; readonly time: number; readonly width: number }): Sequence {
    const { kernels } = this;
    requireMultipleOf4('a sequence', width);
    requireSize('a sequence', values.length, lengths.length * time * width);
    const x = this.allocate(this.cut(lengths, time), width);
    const mark = kernels.mark();
    const padded = kernels.putFloats(values);
    x.cut.shards.forEach(({ first, packing }, shard) => kernels.run.pack(padded + 4 * first * time * width, packing.rows, x.parts[shard]!.at, packing.positions, width));
    kernels.release(mark);
    return x;
  }

  zeroGradients(): void {
    this.addUpShards();
    for (const { name, offset, size, shape } of this.layout.parameters) {
      const gradient = this.gradientsAt + 4 * offset;
      const rows = this.touched.get(name);
      if (rows) {
        this.kernels.run.clearRows(gradient, shape[1]!, rows.flags, rows.list, rows.count);
        rows.count = 0;
      } else if (!this.unlearned.has(name)) this.kernels.run.clear(gradient, size);
    }
  }

  clipAndStep(step: OptimizerStep): number {
    this.addUpShards();
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
        if (rows) this.forEachStretch(rows.count, 1, (lane, from, count) => this.crew.call(lane, 'adamRows', w, g, m, v, shape[1]!, rows.list + 4 * from, count, ...settings));
        else this.forEachStretch(wholeVectors(size), 1024, (lane, from, count) => this.crew.call(lane, 'adam', w + 4 * from, g + 4 * from, m + 4 * from, v + 4 * from, count, ...settings));
      });
      this.crew.wait();
    }
    this.zeroGradients();
    return norm;
  }

  dispose(): void {
    // the memory goes with the last reference to it
    this.begin(false);
    this.crew.dispose();
    this.loaded = undefined;
  }

  private get kernels(): Kernels {
    if (!this.loaded) throw new Error('This engine was disposed of.');
    return this.loaded;
  }

  /** Adds the shards' gradients to the first one's, in their order. */
  private addUpShards(): void {
    this.crew.wait();
    for (const gradients of this.shardGradients.slice(0, this.shardsInUse - 1)) {
      for (const [name, from] of gradients) this.kernels.run.moveInto(this.gradient(name), from, this.layout.find(name).size);
    }
    this.shardsInUse = 1;
  }

  /** `last` pooling and its gradient, direction by direction. */
  private last(lane: number, packing: Packing, x: Address, width: number, source: LstmLayer | undefined, out: Address, stride: number, gradient: boolean): void {
    if (!source) throw new Error('Pooling the last step needs to know the LSTM layer that the sequence comes from.');
    const { length } = directions(source);
    const part = width / length;
    for (let d = 0; d < length; d++) {
      const target = out + 4 * d * part;
      this.crew.call(lane, 'lastStep', x, width, d * part, part, packing.offsets, packing.texts, packing.order, packing.lengthsAt, d === 1, target, stride, gradient);
    }
  }

  private gramsOf(batch: TokenBatch, layer: NgramLayer): BatchGrams {
    return gramsOf(batch, layer, this.kernels.floats(this.weight(`${layer.name}/sizes`), layer.buckets));
  }

  private weight(name: string): Address {
    return this.weightsAt + 4 * this.layout.find(name).offset;
  }

  /** Where a shard adds to a parameter's gradient. */
  private gradient(name: string, shard = 0): Address {
    return shard === 0 ? this.gradientsAt + 4 * this.layout.find(name).offset : this.shardGradients[shard - 1]!.get(name)!;
  }

  private denseShape(x: Float32Array, { name, units }: DenseLayer): { readonly inputs: number; readonly rows: number } {
    const inputs = this.layout.find(`${name}/kernel`).size / units;
    requireSize('the input of a dense layer', x.length % inputs, 0);
    return { inputs, rows: x.length / inputs };
  }

  private forEachLane<T>(make: () => T): T[] {
    return Array.from({ length: this.crew.lanes }, make);
  }

  /** Cuts `size` things, in multiples of `unit` as far as they go, into a stretch for each lane; a lane that would get none is left out. */
  private forEachStretch(size: number, unit: number, use: (lane: number, from: number, count: number) => void): void {
    const { lanes } = this.crew;
    const units = Math.ceil(size / unit);
    for (let lane = 0; lane < lanes; lane++) {
      const [from, to] = [lane, lane + 1].map((edge) => Math.min(size, unit * Math.floor((units * edge) / lanes))) as [number, number];
      const end = lane === lanes - 1 ? size : to;
      if (end > from) use(lane, from, end - from);
    }
  }

  private allocate(cut: Cut, width: number): PackedSequence {
    return new PackedSequence(
      cut,
      width,
      cut.shards.map(({ packing }) => ({ at: this.kernels.allocateValues(packing.positions * width) })),
    );
  }

  /** How a batch of these lengths is cut and laid out; one for all sequences of the batch. */
  private cut(lengths: Int32Array, time: number): Cut {
    const known = this.cuts.find((cut) => time === cut.time && lengths.length === cut.lengths.length && lengths.every((length, text) => length === cut.lengths[text]));
    if (known) return known;
    const copy = lengths.slice();
    const shards = planShards(copy).map(({ first, texts }, shard) => ({
      first,
      texts,
      packing: new Packing(this.kernels, copy.subarray(first, first + texts), time),
      lane: shard % this.crew.lanes,
    }));
    const cut: Cut = { batch: this.batch, lengths: copy, time, shards, pooled: new Map() };
    this.cuts.push(cut);
    return cut;
  }

  /** The cut of a sequence after pooling over windows: its shards have the same texts, on the same lanes. */
  private pooledCut(cut: Cut, size: number): Cut {
    const known = cut.pooled.get(size);
    if (known) return known;
    const lengths = cut.lengths.map((length) => Math.ceil(length / size));
    const time = Math.ceil(cut.time / size);
    const shards = cut.shards.map((shard) => ({ ...shard, packing: new Packing(this.kernels, lengths.subarray(shard.first, shard.first + shard.texts), time) }));
    const pooled: Cut = { batch: this.batch, lengths, time, shards, pooled: new Map() };
    cut.pooled.set(size, pooled);
    this.cuts.push(pooled);
    return pooled;
  }

  /** Per shard [S] token ids of a batch in packed order. */
  private packedIds(batch: TokenBatch, cut: Cut, layer: EmbeddingLayer): readonly Address[] {
    const known = this.ids.get(batch);
    if (known !== undefined) return known;
    const addresses = cut.shards.map(({ first, packing: { positions, rows: rowsAt } }) => {
      const address = this.kernels.allocateValues(positions);
      const ids = this.kernels.integers(address, positions);
      const rows = this.kernels.integers(rowsAt, positions);
      for (let p = 0; p < positions; p++) {
        const id = batch.ids[first * batch.time + rows[p]!]!;
        if (!(id >= 0 && id < layer.vocabularySize)) throw new RangeError(`Token id ${id} is not in a vocabulary of ${layer.vocabularySize}.`);
        ids[p] = id;
      }
      return address;
    });
    this.ids.set(batch, addresses);
    return addresses;
  }

  private own(sequence: Sequence): PackedSequence {
    if (!(sequence instanceof PackedSequence) || sequence.cut.batch !== this.batch) throw new Error('This sequence is not one of the current batch.');
    return sequence;
  }
}

/** Takes what the way forward left in every part, so that the way back is gone only once; gives the first part's. */
function taken<K extends 'convolved' | 'windowed'>(parts: readonly Part[], key: K, what: string): NonNullable<Part[K]> {
  const tapes = parts.map((part) => {
    const tape = part[key];
    if (!tape) throw new Error(`The way back through ${what} starts from what came out of it while training, and only once.`);
    delete part[key];
    return tape;
  });
  return tapes[0]!;
}

/** Steps of a window before the one that it is for. */
function stepsBefore({ kernelSize }: ConvLayer): number {
  return Math.floor((kernelSize - 1) / 2);
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
