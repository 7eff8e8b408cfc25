import { ngramWidth } from './ngrams';

/**
 * A model's architecture as data: a list of layers from token ids to scores.
 *
 * The trainer builds its graph from it, the ONNX writer its nodes, the panel its description. A new preset is a new list,
 * not new code. Shapes: B texts, T tokens, E embedding size, H hidden units, D features, L labels.
 */
export interface Architecture {
  /** Name of the preset it came from, such as `bilstm-pool`. */
  readonly preset: string;
  readonly layers: readonly Layer[];
}

export type Layer = EmbeddingLayer | LstmLayer | ConvLayer | MaxPoolLayer | PoolLayer | AttentionLayer | DenseLayer | DropoutLayer | NgramLayer;

/** Token ids [B, T] → vectors [B, T, size]. Row 0 is `<pad>`, row 1 `<unk>`. */
export interface EmbeddingLayer {
  readonly type: 'embedding';
  readonly name: string;
  readonly vocabularySize: number;
  readonly size: number;
}

/**
 * Long short-term memory (Hochreiter & Schmidhuber 1997, with the forget gate of Gers, Schmidhuber & Cummins 2000), sigmoid
 * gates as in ONNX: [B, T, I] → [B, T, H], or [B, T, 2H] with both directions concatenated (forward first). Positions at or after a text's length
 * give zeros and do not touch the state, so the backward direction starts at the text's last token.
 */
export interface LstmLayer {
  readonly type: 'lstm';
  readonly name: string;
  readonly units: number;
  readonly bidirectional: boolean;
  /** Weight drop while training: probability in 0..1, exclusive of 1, that a hidden-to-hidden weight is zero throughout a batch (Merity, Keskar & Socher 2018). Absent: 0. */
  readonly recurrentDropout?: number;
}

/**
 * Convolution over time (Collobert et al. 2011; Kim 2014): [B, T, D] → [B, T, filters], y[t] = activation(Σ_j x[t + j − left]·kernel[j] + bias) over `kernelSize` = k steps, of which
 * left = ⌊(k−1)/2⌋ lie before t ('same' padding as in Keras). Positions at or after a text's length count as zeros and give zeros.
 */
export interface ConvLayer {
  readonly type: 'conv';
  readonly name: string;
  readonly filters: number;
  /** Steps that a filter sees, at least 1. */
  readonly kernelSize: number;
  readonly activation: 'linear' | 'relu';
}

/**
 * Greatest value of each column over windows of `size` steps that follow one another without overlap: [B, T, D] → [B, ⌈T/size⌉, D]; a text of `length` steps has ⌈length/size⌉ of them then, the last of which may
 * see fewer steps.
 */
export interface MaxPoolLayer {
  readonly type: 'maxPool';
  readonly name: string;
  /** At least 1. */
  readonly size: number;
}

/**
 * Sequence → vector by additive attention (Bahdanau, Cho & Bengio 2015) with a learned context vector (Yang et al. 2016): [B, T, D] → [B, D],
 * Σ_t a_t·h_t with a = softmax over the text's positions of tanh(h_t·kernel + bias)·context. A text of no tokens gives zeros.
 */
export interface AttentionLayer {
  readonly type: 'attention';
  readonly name: string;
  /** Width of what is compared with the context vector. */
  readonly units: number;
}

/**
 * Sequence → vector, several ways side by side in the order given: [B, T, D] → [B, methods × D].
 * Positions at or after a text's length do not count. A text of no tokens gives zeros.
 */
export interface PoolLayer {
  readonly type: 'pool';
  readonly name: string;
  /** `last`: per direction, the state after that direction's last step; the sequence then comes from an LSTM, with nothing but dropout in between. */
  readonly methods: readonly ('max' | 'mean' | 'last')[];
}

/** [B, D] → [B, units]. The last dense layer of an architecture, the head, gives the logits, one per label; where one of two labels applies, it may have a single unit, see `hasSigmoidHead`. */
export interface DenseLayer {
  readonly type: 'dense';
  readonly name: string;
  readonly units: number;
  readonly activation: 'linear' | 'relu' | 'tanh';
}

/** Zeroes each value with probability `rate` while training and scales the rest by 1/(1-rate); identity otherwise (Srivastava et al. 2014). */
export interface DropoutLayer {
  readonly type: 'dropout';
  readonly name: string;
  /** Probability in 0..1, exclusive of 1. */
  readonly rate: number;
  /**
   * What is dropped at a time: a value, or all values of a token wherever it stands in the text (embedding dropout, Gal & Ghahramani 2016; only right after the embedding).
   * Absent: values.
   */
  readonly over?: 'values' | 'tokens';
}

/**
 * N-grams of token ids that go straight to the logits, beside all other layers (the wide part of Cheng et al. 2016, with hashed features as in Weinberger et al. 2009): logits += Σ table[bucket] / √max(1, Σ sizes[bucket])
 * over the text's n-grams of 1 to `longest` tokens. Sizes are not learned: 1 each, or what makes the sum that of a vector of unit norm, like TF-IDF, where n-grams that were never seen count for nothing. Stands right before the head, whose input passes it by. `ngrams.ts` says which bucket an n-gram has. A text of no tokens adds zeros.
 */
export interface NgramLayer {
  readonly type: 'ngrams';
  readonly name: string;
  /** Rows of the table. */
  readonly buckets: number;
  /** Tokens of the longest n-grams, 1 to 3. */
  readonly longest: number;
}

/** Dense array of 32-bit floats, row-major. */
export interface WeightTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** All trained numbers of a model, by the names that {@link weightShapes} lists. */
export type Weights = Readonly<Record<string, WeightTensor>>;

/**
 * Names and shapes of an architecture's weights, in layer order.
 *
 * - embedding `NAME/table` [V, E]
 * - lstm, per direction `NAME/forward/…` and, if bidirectional, `NAME/backward/…`: `kernel` [I, 4H], `recurrent` [H, 4H], `bias` [4H];
 *   gates in the order input, forget, cell, output (Keras's order; the ONNX writer permutes to input, output, forget, cell)
 * - conv `NAME/kernel` [k·D, filters], the k steps one after the other, and `NAME/bias` [filters]
 * - attention `NAME/kernel` [D, units], `NAME/bias` [units], `NAME/context` [units, 1]
 * - dense `NAME/kernel` [D, units], `NAME/bias` [units]
 * - ngrams `NAME/table` [buckets, L rounded up to a multiple of 4, for the kernels' sake]: the columns after the logits' are zero and count for nothing; `NAME/sizes` [buckets], each at least 0; a file has none where all are 1
 *
 * @throws Error when layers do not fit together (a dense layer on a sequence, no embedding first): a defect of the preset
 */
export function weightShapes(architecture: Architecture): Map<string, readonly number[]> {
  const shapes = new Map<string, readonly number[]>();
  let width = 0;
  let sequence = false;
  let fromLstm = false;
  architecture.layers.forEach((layer, index) => {
    if ((index === 0) !== (layer.type === 'embedding')) throw new Error('An architecture starts with its one embedding layer.');
    switch (layer.type) {
      case 'embedding':
        shapes.set(`${layer.name}/table`, [layer.vocabularySize, layer.size]);
        width = layer.size;
        sequence = true;
        break;
      case 'lstm':
        if (!sequence) throw new Error(`Layer ${layer.name}: an LSTM reads a sequence.`);
        for (const direction of layer.bidirectional ? ['forward', 'backward'] : ['forward']) {
          shapes.set(`${layer.name}/${direction}/kernel`, [width, 4 * layer.units]);
          shapes.set(`${layer.name}/${direction}/recurrent`, [layer.units, 4 * layer.units]);
          shapes.set(`${layer.name}/${direction}/bias`, [4 * layer.units]);
        }
        width = layer.units * (layer.bidirectional ? 2 : 1);
        fromLstm = true;
        break;
      case 'conv':
        if (!sequence) throw new Error(`Layer ${layer.name}: a convolution reads a sequence.`);
        shapes.set(`${layer.name}/kernel`, [layer.kernelSize * width, layer.filters]);
        shapes.set(`${layer.name}/bias`, [layer.filters]);
        width = layer.filters;
        fromLstm = false;
        break;
      case 'maxPool':
        if (!sequence) throw new Error(`Layer ${layer.name}: pooling over windows reads a sequence.`);
        fromLstm = false;
        break;
      case 'pool':
        if (!sequence) throw new Error(`Layer ${layer.name}: pooling reads a sequence.`);
        if (layer.methods.includes('last') && !fromLstm) throw new Error(`Layer ${layer.name}: pooling by \`last\` reads an LSTM.`);
        width *= layer.methods.length;
        sequence = false;
        break;
      case 'attention':
        if (!sequence) throw new Error(`Layer ${layer.name}: attention reads a sequence.`);
        shapes.set(`${layer.name}/kernel`, [width, layer.units]);
        shapes.set(`${layer.name}/bias`, [layer.units]);
        shapes.set(`${layer.name}/context`, [layer.units, 1]);
        sequence = false;
        break;
      case 'dense':
        if (sequence) throw new Error(`Layer ${layer.name}: a dense layer reads a vector; pool the sequence first.`);
        shapes.set(`${layer.name}/kernel`, [width, layer.units]);
        shapes.set(`${layer.name}/bias`, [layer.units]);
        width = layer.units;
        break;
      case 'dropout':
        if (layer.over === 'tokens' && index !== 1) throw new Error(`Layer ${layer.name}: dropping whole tokens comes right after the embedding.`);
        break;
      case 'ngrams': {
        const head = architecture.layers[index + 1];
        if (index !== architecture.layers.length - 2 || head?.type !== 'dense') throw new Error(`Layer ${layer.name}: n-grams stand right before the head.`);
        shapes.set(`${layer.name}/table`, [layer.buckets, ngramWidth(head.units)]);
        shapes.set(`${layer.name}/sizes`, [layer.buckets]);
        break;
      }
    }
  });
  if (architecture.layers.at(-1)?.type !== 'dense') throw new Error('An architecture ends with a dense layer that gives the logits.');
  return shapes;
}
