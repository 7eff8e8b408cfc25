import { weightShapes, type Architecture, type AttentionLayer, type ConvLayer, type DenseLayer, type EmbeddingLayer, type LstmLayer, type MaxPoolLayer, type NgramLayer, type PoolLayer } from '../core/model/architecture';

/**
 * What computes: all layers that have parameters, and Adam, over one flat array of parameters.
 *
 * `network.ts` turns these calls into tfjs ops with gradients and composes them with ordinary tfjs ops for everything without parameters.
 * Two engines stand behind this interface: the fused WASM kernels (`kernels/`), which train, and one in plain tfjs, against which tests and benchmarks hold them.
 *
 * Shapes: B texts, T tokens (the longest text of the batch, at least 1), I and D widths, H units of one direction. Everything that crosses this border is
 * 32-bit, row-major and padded, [B, T, D]; inside, an engine may lay sequences out as it likes (time-major, for instance).
 * Positions at or after a text's length hold zeros in every sequence, forward and backward, and never touch state, pooling or gradients. A length may be 0.
 */
export interface ComputeEngine {
  readonly layout: ParameterLayout;

  /**
   * All weights, in the order of `layout`: a view on the engine's memory, valid until the next call of any method (memory may move when it grows).
   * Writing to it changes the weights.
   */
  weights(): Float32Array;

  /**
   * All gradients beside the weights, same layout, same validity. Backward calls add to it; {@link clipAndStep} and {@link zeroGradients} clear it.
   * In a table, the embedding's or that of n-grams, only the rows that {@link embedBackward} and {@link ngramsBackward} touched since then are non-zero; an engine keeps the list of these rows. Sizes of n-grams are not learned and never have a gradient.
   */
  gradients(): Float32Array;

  /** Adam's first and second moments, same layout and validity: for checkpoints. */
  moments(): { readonly first: Float32Array; readonly second: Float32Array };

  /** Number of {@link clipAndStep} calls so far, Adam's t. Settable for checkpoints. */
  steps: number;

  /**
   * Starts a batch. Every {@link Sequence} made before becomes invalid and its memory is reused.
   * @param training false: no backward call will follow, so nothing needs to be kept for it
   */
  begin(training: boolean): void;

  /** [B, T, E]: the table's rows of `batch.ids`; zeros at padding. */
  embed(batch: TokenBatch, layer: EmbeddingLayer): Sequence;
  /** Adds `dx` to the gradient of the rows that `batch` used (padding excepted). */
  embedBackward(batch: TokenBatch, layer: EmbeddingLayer, dx: Sequence): void;

  /**
   * [B, T, I] → [B, T, H], or [B, T, 2H] with the forward direction first. State starts at zero; the backward direction starts at each text's last token.
   * i, f, o = sigmoid(·), g = tanh(·) of x·kernel + h·recurrent + bias, gates in the order i, f, g, o; c' = f∘c + i∘g; h' = o∘tanh(c').
   */
  lstm(x: Sequence, layer: LstmLayer, options?: LstmOptions): Sequence;
  /** Given `y` that {@link lstm} returned in this batch and the loss's gradient `dy` to it: adds the weights' gradients and returns the gradient to x. Called at most once for each `y`; may overwrite `dy`. */
  lstmBackward(y: Sequence, dy: Sequence): Sequence;

  /** [B, T, I] → [B, T, filters], see {@link ConvLayer}. */
  conv(x: Sequence, layer: ConvLayer): Sequence;
  /** As {@link lstmBackward}. */
  convBackward(y: Sequence, dy: Sequence): Sequence;

  /** [B, T, D] → [B, ⌈T/size⌉, D], see {@link MaxPoolLayer}; the lengths of what comes back are those of its steps. */
  maxPool(x: Sequence, layer: MaxPoolLayer): Sequence;
  /** The gradient to x, given `y` that {@link maxPool} returned in this batch and the gradient to it. Of equal maxima the first gets the gradient. */
  maxPoolBackward(y: Sequence, dy: Sequence): Sequence;

  /** [B, T, D] → a fresh [B, D], see {@link AttentionLayer}. */
  attention(x: Sequence, layer: AttentionLayer): Float32Array;
  /** Given `x` that {@link attention} read in this batch, and `dy` [B, D]: adds the weights' gradients and returns the gradient to x. Called at most once. */
  attentionBackward(x: Sequence, layer: AttentionLayer, dy: Float32Array): Sequence;

  /**
   * [B, T, D] → a fresh [B, methods × D], methods side by side in the layer's order: `max` and `mean` over the valid positions; `last`: for each direction of `source` the
   * output of its last step (forward: position length-1; backward: position 0). A text of length 0 gives zeros.
   * @param source the LSTM layer that x comes from, which says where the directions lie; needed for `last` only
   */
  pool(x: Sequence, layer: PoolLayer, source: LstmLayer | undefined): Float32Array;
  /** The gradient to x, given `dy` [B, methods × D]. Of equal maxima the first gets the gradient. */
  poolBackward(x: Sequence, layer: PoolLayer, source: LstmLayer | undefined, dy: Float32Array): Sequence;

  /** [B, D] → a fresh [B, units]: x·kernel + bias. The layer's activation is not applied. */
  dense(x: Float32Array, layer: DenseLayer): Float32Array;
  /** Given x as in {@link dense} and `dy` [B, units]: adds the gradients of kernel and bias, returns the gradient to x, [B, D]. */
  denseBackward(x: Float32Array, layer: DenseLayer, dy: Float32Array): Float32Array;

  /** [B, logits]: what the n-grams of each text add to its logits, see {@link NgramLayer}. */
  ngrams(batch: TokenBatch, layer: NgramLayer): Float32Array;
  /** Given the gradient `dy` [B, logits] to the logits: adds to the gradient of the table's rows that `batch` used. */
  ngramsBackward(batch: TokenBatch, layer: NgramLayer, dy: Float32Array): void;

  /** A new sequence x∘mask·scale (dropout; its own gradient). `mask` is [B, T, D] of 0 and 1. */
  mask(x: Sequence, mask: Uint8Array, scale: number): Sequence;

  /** A fresh copy of the values, [B, T, D]. */
  read(x: Sequence): Float32Array;
  /** A sequence with these values, [B, T, width]; the engine writes the zeros at padding itself. */
  write(values: Float32Array, shape: { readonly lengths: Int32Array; readonly time: number; readonly width: number }): Sequence;

  /** Clears all gradients (of tables only the rows that were touched). */
  zeroGradients(): void;

  /**
   * Scales the gradients down to the global norm `clipNorm`, takes one Adam step, clears the gradients.
   *
   * Adam (Kingma & Ba 2015) with bias correction: m ← β1·m + (1-β1)·g, v ← β2·v + (1-β2)·g², w ← w − rate·( m̂/(√v̂ + ε) + weightDecay·w ). In tables only touched rows take part
   * ("lazy" Adam); t counts steps for all.
   * Parameters with rate 0 keep weights and moments and do not count in the norm.
   * @returns the global L2 norm before clipping. When it is not finite, weights, moments and `steps` stay as they were (the gradients are cleared)
   */
  clipAndStep(step: OptimizerStep): number;

  /** Gives everything back. */
  dispose(): void;
}

/** Token ids of a batch. */
export interface TokenBatch {
  /** [B, T] row-major; what stands at padding does not matter, but must be a valid id. */
  readonly ids: Int32Array;
  /** [B], each 0..T. */
  readonly lengths: Int32Array;
  /** T, at least 1. */
  readonly time: number;
}

/** A batch of vector sequences in the engine's memory: opaque but for its shape. Valid until the next {@link ComputeEngine.begin}. */
export interface Sequence {
  /** [B] */
  readonly lengths: Int32Array;
  readonly time: number;
  readonly width: number;
}

export interface LstmOptions {
  /**
   * Weight drop on the hidden-to-hidden matrices (Merity, Keskar & Socher 2018): per direction a mask [H, 4H] of 0 and 1; the forward pass uses recurrent∘mask·scale,
   * the gradient goes the same way.
   */
  readonly recurrentMasks?: readonly Uint8Array[];
  /** 1/(1-rate) for `recurrentMasks`. Default 1. */
  readonly scale?: number;
}

export interface OptimizerStep {
  /** One learning rate per parameter, in the order of `layout.parameters`; 0 freezes it. */
  readonly learningRates: ArrayLike<number>;
  /** Greatest global L2 norm; Infinity for no clipping. */
  readonly clipNorm: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  /** Decoupled (Loshchilov & Hutter 2019): subtracts rate·weightDecay·w. 0 for none. In tables, touched rows only; not on biases. */
  readonly weightDecay: number;
}

/** The customary Adam settings. */
export const adamDefaults = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 } as const;

export interface Parameter {
  /** As {@link weightShapes} names it. */
  readonly name: string;
  readonly shape: readonly number[];
  /** Index of its first value in the flat array: a multiple of 4, so that vectors of four floats never straddle two parameters. */
  readonly offset: number;
  /** Number of values. */
  readonly size: number;
}

/** Where each parameter lies in the flat arrays. */
export interface ParameterLayout {
  readonly architecture: Architecture;
  readonly parameters: readonly Parameter[];
  /** Floats in all, gaps included. Gaps hold zeros. */
  readonly length: number;
  /** @throws Error if there is no such parameter */
  find(name: string): Parameter;
}

/** The layout of an architecture's parameters, in the order of {@link weightShapes}. */
export function parameterLayout(architecture: Architecture): ParameterLayout {
  const parameters: Parameter[] = [];
  let length = 0;
  for (const [name, shape] of weightShapes(architecture)) {
    const size = shape.reduce((product, side) => product * side, 1);
    parameters.push({ name, shape, offset: length, size });
    length += Math.ceil(size / 4) * 4;
  }
  const byName = new Map(parameters.map((parameter) => [parameter.name, parameter]));
  return {
    architecture,
    parameters,
    length,
    find: (name) => {
      const parameter = byName.get(name);
      if (!parameter) throw new Error(`There is no parameter ${name}.`);
      return parameter;
    },
  };
}

/** Makes an engine with zero weights, gradients and moments. May load a WASM module first. */
export type CreateEngine = (layout: ParameterLayout) => Promise<ComputeEngine>;
