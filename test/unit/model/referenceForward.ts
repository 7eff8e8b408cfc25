import { weightShapes, type Architecture, type NgramLayer, type Weights } from '../../../src/core/model/architecture';
import { headOf } from '../../../src/core/model/onnxWriter';
import type { Random } from '../../../src/core/util/random';

/** What a model says about one text. */
export interface ForwardResult {
  readonly features: number[];
  /** The head's. */
  readonly logits: number[];
  /** Of an attention layer: the share of each step of its input. */
  readonly attention: number[];
}

/**
 * A model applied to one text, in double precision and plain loops, straight from the definitions in `architecture.ts`: the oracle for the ONNX graph and for the
 * trainer. It knows nothing of batches, padding, gate orders of other formats or vector units.
 *
 * @param ids the text's tokens, without padding
 */
export function referenceForward(architecture: Architecture, weights: Weights, ids: readonly number[]): ForwardResult {
  const matrix = (name: string): { at: (row: number, column: number) => number; rows: number; columns: number } => {
    const { data, shape } = weights[name]!;
    return { at: (row, column) => data[row * shape[1]! + column]!, rows: shape[0]!, columns: shape[1]! };
  };
  let sequence: number[][] = [];
  let final: number[] = [];
  let vector: number[] = [];
  let features: number[] = [];
  let width = 0;
  let attention: number[] = [];
  let wide: ((column: number) => number) | undefined;
  for (const layer of architecture.layers) {
    switch (layer.type) {
      case 'embedding': {
        const table = matrix(`${layer.name}/table`);
        sequence = ids.map((id) => Array.from({ length: layer.size }, (_, i) => table.at(id, i)));
        width = layer.size;
        break;
      }
      case 'lstm': {
        const run = (direction: string, steps: number[][]): number[][] => {
          const kernel = matrix(`${layer.name}/${direction}/kernel`);
          const recurrent = matrix(`${layer.name}/${direction}/recurrent`);
          const bias = weights[`${layer.name}/${direction}/bias`]!.data;
          let hidden = Array<number>(layer.units).fill(0);
          let cell = Array<number>(layer.units).fill(0);
          return steps.map((input) => {
            const z = Array.from({ length: 4 * layer.units }, (_, column) => {
              let sum = bias[column]!;
              input.forEach((value, row) => (sum += value * kernel.at(row, column)));
              hidden.forEach((value, row) => (sum += value * recurrent.at(row, column)));
              return sum;
            });
            const gate = (index: number, unit: number): number => z[index * layer.units + unit]!;
            // gates: 0 input, 1 forget, 2 cell, 3 output
            cell = cell.map((value, unit) => sigmoid(gate(1, unit)) * value + sigmoid(gate(0, unit)) * Math.tanh(gate(2, unit)));
            hidden = cell.map((value, unit) => sigmoid(gate(3, unit)) * Math.tanh(value));
            return hidden;
          });
        };
        const zeros = Array<number>(layer.units).fill(0);
        const forward = run('forward', sequence);
        final = forward.at(-1) ?? zeros;
        if (layer.bidirectional) {
          const backward = run('backward', [...sequence].reverse());
          final = [...final, ...(backward.at(-1) ?? zeros)];
          backward.reverse();
          sequence = forward.map((state, t) => [...state, ...backward[t]!]);
        } else sequence = forward;
        width = final.length;
        break;
      }
      case 'conv': {
        const kernel = matrix(`${layer.name}/kernel`);
        const bias = weights[`${layer.name}/bias`]!.data;
        const before = Math.floor((layer.kernelSize - 1) / 2);
        const input = sequence;
        sequence = input.map((_, t) =>
          Array.from({ length: layer.filters }, (_filter, column) => {
            let sum = bias[column]!;
            for (let j = 0; j < layer.kernelSize; j++) input[t + j - before]?.forEach((value, i) => (sum += value * kernel.at(j * width + i, column)));
            return layer.activation === 'relu' ? Math.max(0, sum) : sum;
          }),
        );
        width = layer.filters;
        break;
      }
      case 'maxPool': {
        const input = sequence;
        sequence = Array.from({ length: Math.ceil(input.length / layer.size) }, (_, w) =>
          Array.from({ length: width }, (_column, i) => Math.max(...input.slice(w * layer.size, (w + 1) * layer.size).map((step) => step[i]!))),
        );
        break;
      }
      case 'attention': {
        const kernel = matrix(`${layer.name}/kernel`);
        const bias = weights[`${layer.name}/bias`]!.data;
        const context = weights[`${layer.name}/context`]!.data;
        const energies = sequence.map((step) => {
          let energy = 0;
          for (let column = 0; column < layer.units; column++) {
            let sum = bias[column]!;
            step.forEach((value, row) => (sum += value * kernel.at(row, column)));
            energy += Math.tanh(sum) * context[column]!;
          }
          return energy;
        });
        attention = softmax(energies);
        vector = Array.from({ length: width }, (_, i) => sequence.reduce((sum, step, t) => sum + attention[t]! * step[i]!, 0));
        break;
      }
      case 'pool': {
        const column = (index: number): number[] => sequence.map((step) => step[index]!);
        const columns = Array.from({ length: width }, (_, index) => column(index));
        vector = layer.methods.flatMap((method) => {
          switch (method) {
            case 'max':
              return columns.map((values) => (values.length === 0 ? 0 : Math.max(...values)));
            case 'mean':
              return columns.map((values) => values.reduce((total, value) => total + value, 0) / Math.max(1, values.length));
            case 'last':
              return final;
          }
        });
        break;
      }
      case 'dense': {
        const kernel = matrix(`${layer.name}/kernel`);
        const bias = weights[`${layer.name}/bias`]!.data;
        features = vector;
        vector = Array.from({ length: kernel.columns }, (_, column) => {
          let sum = bias[column]!;
          features.forEach((value, row) => (sum += value * kernel.at(row, column)));
          return layer.activation === 'relu' ? Math.max(0, sum) : layer.activation === 'tanh' ? Math.tanh(sum) : sum;
        });
        break;
      }
      case 'dropout':
        break;
      case 'ngrams':
        wide = ngramSums(matrix(`${layer.name}/table`).at, weights[`${layer.name}/sizes`]!.data, layer, ids);
        break;
    }
  }
  return { features, attention, logits: vector.map((logit, k) => logit + (wide?.(k) ?? 0)) };
}

/** What a text's n-grams add to a logit, with whole numbers of any size. */
export function ngramSums(table: (bucket: number, column: number) => number, sizes: ArrayLike<number>, { buckets, longest }: NgramLayer, ids: readonly number[]): (column: number) => number {
  const grams: number[] = [];
  for (let size = 1; size <= longest; size++) {
    for (let start = 0; start + size <= ids.length; start++) grams.push(Number(ids.slice(start, start + size).reduce((hash, id) => (hash * 1_000_003n + BigInt(id)) % BigInt(buckets), 0n)));
  }
  const size = grams.reduce((sum, bucket) => sum + sizes[bucket]!, 0);
  return (column) => grams.reduce((sum, bucket) => sum + table(bucket, column), 0) / Math.sqrt(Math.max(1, size));
}

/** Scores where one label applies: softmax(logits / temperature); a head of one unit gives the logits 0 and its own. */
export function scoresOf(logits: readonly number[], temperature = 1): number[] {
  return softmax(logits.length === 1 ? [0, logits[0]!] : logits, temperature);
}

/** Probabilities of the labels: softmax(logits / temperature). */
export function softmax(logits: readonly number[], temperature = 1): number[] {
  const largest = Math.max(...logits) / temperature;
  const exponentials = logits.map((logit) => Math.exp(logit / temperature - largest));
  const sum = exponentials.reduce((total, value) => total + value, 0);
  return exponentials.map((value) => value / sum);
}

/** Weights of that architecture: normal deviates of a size that keeps gates away from saturation. */
export function randomWeights(architecture: Architecture, random: Random): Weights {
  return Object.fromEntries(
    [...weightShapes(architecture)].map(([name, shape]) => {
      const size = shape.reduce((product, dimension) => product * dimension, 1);
      const scale = name === 'ngrams/table' ? 0.3 : name.endsWith('/table') ? 1 : name.endsWith('bias') ? 0.5 : 1.5 / Math.sqrt(shape[0]!);
      if (name === 'ngrams/sizes') {
        const allOne = random.below(2) === 0;
        return [name, { shape, data: Float32Array.from({ length: size }, () => (allOne ? 1 : Math.max(0, random.normal()))) }];
      }
      // a table of n-grams has columns that belong to no label
      const used = name === 'ngrams/table' ? headOf(architecture).units : Infinity;
      return [name, { shape, data: Float32Array.from({ length: size }, (_, k) => (k % shape.at(-1)! < used ? random.normal() * scale : 0)) }];
    }),
  );
}

function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}
