import { HumanError } from '../../core/errors';
import plain from './wasm/plain.wasm';
import plainShared from './wasm/plainShared.wasm';
import relaxed from './wasm/relaxed.wasm';
import relaxedShared from './wasm/relaxedShared.wasm';

/**
 * The two builds of the kernels: `relaxed` uses fused multiply-add (relaxed SIMD: Chromium 114, Node 22 and later), `plain` runs wherever WASM SIMD does.
 * They differ in the last bits; each gives the same bits every time on a machine, and `plain` on every machine.
 */
export type KernelBuild = 'relaxed' | 'plain';

export interface KernelOptions {
  /** Default: `relaxed` where the runtime takes it, else `plain`. */
  readonly build?: KernelBuild;
  /** Whether the memory is a SharedArrayBuffer, which several threads can use. Default false. */
  readonly shared?: boolean;
}

/** A byte address in the kernels' memory. */
export type Address = number;

/** What `assembly/index.ts` exports; mathematics, shapes and layouts are documented there, under the same names. Addresses are multiples of 16, counts are in floats. */
export interface KernelFunctions {
  multiplyScratch(k: number): number;
  multiply(a: Address, strideA: number, panels: Address, c: Address, strideC: number, m: number, n: number, k: number, accumulate: boolean, scratch: Address): void;
  packRows(b: Address, stride: number, panels: Address, k: number, n: number): void;
  packColumns(b: Address, stride: number, panels: Address, k: number, n: number): void;

  lstmForwardScratch(inputs: number, units: number): number;
  lstmForward(x: Address, inputs: number, kernel: Address, recurrent: Address, bias: Address, z: Address, h: Address, strideH: number, c: Address, tanhC: Address, offsets: Address, steps: number, units: number, backward: boolean, scratch: Address): void;
  lstmBackwardScratch(texts: number, inputs: number, units: number): number;
  lstmBackward(x: Address, inputs: number, kernelTransposed: Address, recurrentTransposed: Address, z: Address, h: Address, strideH: number, c: Address, tanhC: Address, dy: Address, strideDy: number, dKernel: Address, dRecurrent: Address, dBias: Address, dx: Address, accumulate: boolean, previous: Address, offsets: Address, steps: number, units: number, backward: boolean, scratch: Address): void;

  convForwardScratch(inputs: number, taps: number): number;
  convForward(x: Address, inputs: number, kernel: Address, bias: Address, y: Address, filters: number, index: Address, taps: number, positions: number, relu: boolean, scratch: Address): void;
  convBackwardScratch(inputs: number, filters: number): number;
  convBackward(x: Address, inputs: number, kernelTransposed: Address, y: Address, dy: Address, dKernel: Address, dBias: Address, dx: Address, filters: number, index: Address, back: Address, taps: number, positions: number, relu: boolean, scratch: Address): void;
  windowMaxForward(x: Address, width: number, windows: Address, size: number, y: Address, chosen: Address, positions: number): void;
  windowMaxBackward(dx: Address, size: number, width: number, dy: Address, chosen: Address, positions: number): void;

  attentionForward(x: Address, width: number, kernel: Address, bias: Address, context: Address, u: Address, shares: Address, units: number, offsets: Address, steps: number, texts: number, order: Address, out: Address, stride: number, scratch: Address): void;
  attentionBackwardScratch(positions: number, width: number, units: number): number;
  attentionBackward(x: Address, width: number, kernelTransposed: Address, context: Address, u: Address, shares: Address, dy: Address, stride: number, dKernel: Address, dBias: Address, dContext: Address, dx: Address, units: number, offsets: Address, steps: number, texts: number, order: Address, scratch: Address): void;

  pack(padded: Address, rows: Address, packed: Address, positions: number, width: number): void;
  unpack(packed: Address, rows: Address, padded: Address, positions: number, width: number): void;
  maskSequence(x: Address, mask: Address, rows: Address, y: Address, positions: number, width: number, scale: number): void;
  maskValues(x: Address, mask: Address, y: Address, count: number, scale: number, accumulate: boolean): void;
  maxForward(x: Address, width: number, offsets: Address, time: number, order: Address, out: Address, stride: number, steps: Address): void;
  maxBackward(dx: Address, width: number, offsets: Address, texts: number, order: Address, dy: Address, stride: number, steps: Address): void;
  meanForward(x: Address, width: number, offsets: Address, time: number, order: Address, lengths: Address, out: Address, stride: number): void;
  meanBackward(dx: Address, width: number, offsets: Address, time: number, order: Address, lengths: Address, dy: Address, stride: number): void;
  lastStep(x: Address, strideX: number, column: number, width: number, offsets: Address, texts: number, order: Address, lengths: Address, backward: boolean, out: Address, stride: number, gradient: boolean): void;

  gatherRows(table: Address, ids: Address, x: Address, positions: number, width: number): void;
  touchRows(ids: Address, positions: number, touched: Address, list: Address, count: number): number;
  scatterRows(gradient: Address, ids: Address, dx: Address, positions: number, width: number, column: number, columns: number): void;
  clearRows(gradient: Address, width: number, touched: Address, list: Address, count: number): void;

  denseForward(x: Address, kernel: Address, bias: Address, y: Address, m: number, n: number, k: number): void;
  denseBackward(x: Address, kernel: Address, dy: Address, dKernel: Address, dBias: Address, dx: Address, m: number, n: number, k: number): void;

  sumOfSquares(x: Address, count: number): number;
  sumOfSquaresRows(x: Address, width: number, list: Address, rows: number): number;
  adam(w: Address, g: Address, m: Address, v: Address, count: number, scale: number, rate: number, beta1: number, beta2: number, epsilon: number, decay: number): void;
  adamRows(w: Address, g: Address, m: Address, v: Address, width: number, list: Address, rows: number, scale: number, rate: number, beta1: number, beta2: number, epsilon: number, decay: number): void;

  clear(target: Address, count: number): void;
  moveInto(target: Address, source: Address, count: number): void;
  heapBase(): Address;
  probeOperations(): number;
  probePeak(source: Address, turns: number): number;
}

const PAGE = 65536;
const GREATEST_PAGES = 65536;
const ALIGNMENT = 64;

/** The part of the WebAssembly interface that is used here: neither the ES library's types nor those of Node declare it. */
interface WebAssemblyInterface {
  validate(binary: Uint8Array): boolean;
  instantiate(binary: Uint8Array, imports: object): Promise<{ readonly instance: { readonly exports: unknown } }>;
  readonly Memory: new (limits: { initial: number; maximum: number; shared: boolean }) => KernelMemory;
}

/** A WebAssembly memory; a shared one can be sent to other threads as it is. */
export interface KernelMemory {
  readonly buffer: ArrayBuffer | SharedArrayBuffer;
  grow(pages: number): number;
}

const { WebAssembly } = globalThis as unknown as { readonly WebAssembly: WebAssemblyInterface };

/** Whether this runtime takes the relaxed build. */
export function supportsRelaxed(): boolean {
  return WebAssembly.validate(relaxed);
}

async function instantiate(build: KernelBuild, shared: boolean, memory: KernelMemory): Promise<KernelFunctions> {
  const binary = { relaxed: [relaxed, relaxedShared], plain: [plain, plainShared] }[build][shared ? 1 : 0]!;
  const { instance } = await WebAssembly.instantiate(binary, { env: { memory } });
  return instance.exports as KernelFunctions;
}

/** The functions of one more thread over the shared memory of a {@link Kernels} of that build elsewhere. */
export function joinKernels(build: KernelBuild, memory: KernelMemory): Promise<KernelFunctions> {
  return instantiate(build, true, memory);
}

/**
 * An instance of the kernels with its memory.
 *
 * Memory is given out as from a stack: {@link allocate} at the top, {@link release} back to a {@link mark}. It grows on demand and never shrinks, but pages that were never written
 * to cost nothing. What was allocated anew holds zeros only while memory was never used there.
 */
export class Kernels {
  private top: Address;

  private constructor(
    readonly build: KernelBuild,
    readonly run: KernelFunctions,
    readonly memory: KernelMemory,
  ) {
    this.top = Math.ceil(run.heapBase() / ALIGNMENT) * ALIGNMENT;
  }

  static async load(options: KernelOptions = {}): Promise<Kernels> {
    const build = options.build ?? (supportsRelaxed() ? 'relaxed' : 'plain');
    const shared = options.shared ?? false;
    const memory = new WebAssembly.Memory({ initial: 16, maximum: GREATEST_PAGES, shared });
    return new Kernels(build, await instantiate(build, shared, memory), memory);
  }

  /** Bytes of the memory as it is now. */
  get size(): number {
    return this.memory.buffer.byteLength;
  }

  /** Reserves `bytes` bytes, aligned to a cache line. Views made before may become invalid. */
  allocate(bytes: number): Address {
    const address = this.top;
    const end = address + Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
    const missing = Math.ceil((end - this.memory.buffer.byteLength) / PAGE);
    if (missing > 0) {
      try {
        this.memory.grow(missing);
      } catch (cause) {
        throw new HumanError(
          'training.memory',
          'Training needs more memory than there is: {0} MB at once. Choose a smaller batch size, fewer tokens per text, a smaller vocabulary or fewer hidden units.',
          [Math.ceil(end / 1e6)],
          { cause },
        );
      }
    }
    this.top = end;
    return address;
  }

  /** Reserves `count` floats or 32-bit integers. */
  allocateValues(count: number): Address {
    return this.allocate(4 * count);
  }

  /** The stack's height, for {@link release}. */
  mark(): Address {
    return this.top;
  }

  /** Gives back all that was allocated since `mark` was taken. */
  release(mark: Address): void {
    this.top = mark;
  }

  /** `count` floats at `address`, as long as memory does not grow. */
  floats(address: Address, count: number): Float32Array {
    return new Float32Array(this.memory.buffer, address, count);
  }

  /** `count` 32-bit integers at `address`, as long as memory does not grow. */
  integers(address: Address, count: number): Int32Array {
    return new Int32Array(this.memory.buffer, address, count);
  }

  /** `count` bytes at `address`, as long as memory does not grow. */
  bytes(address: Address, count: number): Uint8Array {
    return new Uint8Array(this.memory.buffer, address, count);
  }

  /** Copies integers into fresh memory. */
  putIntegers(values: Int32Array): Address {
    const address = this.allocateValues(values.length);
    this.integers(address, values.length).set(values);
    return address;
  }

  /** Copies floats into fresh memory. */
  putFloats(values: Float32Array): Address {
    const address = this.allocateValues(values.length);
    this.floats(address, values.length).set(values);
    return address;
  }

  /** Copies bytes into fresh memory. */
  putBytes(values: Uint8Array): Address {
    const address = this.allocate(values.length);
    this.bytes(address, values.length).set(values);
    return address;
  }
}
