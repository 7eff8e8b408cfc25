import type { Architecture, LstmLayer } from '../../../src/core/model/architecture';
import type { ParameterLayout } from '../../../src/training/engine';
import { drawMask, keepsToken, randomOf } from '../../../src/training/seeds';
import { ngramSums } from '../model/referenceForward';

/**
 * The network once more, as plainly as it can be written: one text at a time, in double precision, no batches, no padding. The oracle for engines.
 */
export interface Reference {
  readonly layout: ParameterLayout;
  /** Flat, in the order of `layout`. */
  readonly weights: Float64Array;
}

/** The seeds of a training pass, see `LabelledBatch`. */
export interface ReferenceSeeds {
  readonly example: number;
  readonly step: number;
}

/** Logits of one text. @param seeds undefined outside training: nothing is dropped */
export function referenceLogits({ layout, weights }: Reference, ids: readonly number[], seeds?: ReferenceSeeds): number[] {
  const architecture: Architecture = layout.architecture;
  const parameter = (name: string): Float64Array => {
    const { offset, size } = layout.find(name);
    return weights.subarray(offset, offset + size);
  };
  let steps: number[][] = [];
  let vector: number[] = [];
  let source: LstmLayer | undefined;
  let width = 0;
  let wide: ((label: number) => number) | undefined;
  architecture.layers.forEach((layer, index) => {
    switch (layer.type) {
      case 'embedding':
        width = layer.size;
        steps = ids.map((id) => [...parameter(`${layer.name}/table`).subarray(id * width, (id + 1) * width)]);
        break;
      case 'lstm': {
        const outputs = (layer.bidirectional ? ['forward', 'backward'] : ['forward']).map((direction) => {
          const name = `${layer.name}/${direction}`;
          const input = direction === 'forward' ? steps : [...steps].reverse();
          const recurrent = parameter(`${name}/recurrent`).slice();
          if (seeds && layer.recurrentDropout) {
            const mask = new Uint8Array(recurrent.length);
            drawMask(randomOf(seeds.step, index, direction === 'forward' ? 0 : 1), layer.recurrentDropout, mask, 0, mask.length);
            recurrent.forEach((weight, k) => (recurrent[k] = mask[k] === 0 ? 0 : weight / (1 - layer.recurrentDropout!)));
          }
          const out = lstm(input, parameter(`${name}/kernel`), recurrent, parameter(`${name}/bias`), layer.units);
          return direction === 'forward' ? out : out.reverse();
        });
        steps = steps.map((_, t) => outputs.flatMap((output) => output[t]!));
        width = layer.units * outputs.length;
        source = layer;
        break;
      }
      case 'conv': {
        const kernel = parameter(`${layer.name}/kernel`);
        const bias = parameter(`${layer.name}/bias`);
        const input = steps;
        const inputs = width;
        steps = input.map((_, t) =>
          Array.from(bias, (b, k) => {
            let sum = b;
            for (let j = 0; j < layer.kernelSize; j++) input[t + j - Math.floor((layer.kernelSize - 1) / 2)]?.forEach((value, i) => (sum += value * kernel[(j * inputs + i) * layer.filters + k]!));
            return layer.activation === 'relu' ? Math.max(0, sum) : sum;
          }),
        );
        width = layer.filters;
        source = undefined;
        break;
      }
      case 'maxPool': {
        const input = steps;
        steps = Array.from({ length: Math.ceil(input.length / layer.size) }, (_, w) =>
          Array.from({ length: width }, (_column, i) => Math.max(...input.slice(w * layer.size, (w + 1) * layer.size).map((step) => step[i]!))),
        );
        break;
      }
      case 'attention': {
        const kernel = parameter(`${layer.name}/kernel`);
        const bias = parameter(`${layer.name}/bias`);
        const context = parameter(`${layer.name}/context`);
        const powers = steps.map((step) =>
          Math.exp(bias.reduce((energy, b, k) => energy + context[k]! * Math.tanh(step.reduce((sum, value, i) => sum + value * kernel[i * layer.units + k]!, b)), 0)),
        );
        const total = powers.reduce((sum, power) => sum + power, 0);
        vector = Array.from({ length: width }, (_, j) => steps.reduce((sum, step, t) => sum + (powers[t]! / total) * step[j]!, 0));
        break;
      }
      case 'pool':
        vector = layer.methods.flatMap((method) =>
          Array.from({ length: width }, (_, j) => {
            if (steps.length === 0) return 0;
            const column = steps.map((step) => step[j]!);
            if (method === 'max') return Math.max(...column);
            if (method === 'mean') return column.reduce((sum, value) => sum + value, 0) / column.length;
            return source?.bidirectional && j >= source.units ? column[0]! : column.at(-1)!;
          }),
        );
        break;
      case 'dense': {
        const kernel = parameter(`${layer.name}/kernel`);
        const bias = parameter(`${layer.name}/bias`);
        const linear = Array.from(bias, (b, k) => vector.reduce((sum, value, j) => sum + value * kernel[j * layer.units + k]!, b));
        vector = linear.map((value) => (layer.activation === 'relu' ? Math.max(0, value) : layer.activation === 'tanh' ? Math.tanh(value) : value));
        break;
      }
      case 'ngrams': {
        const table = parameter(`${layer.name}/table`);
        const columns = layout.find(`${layer.name}/table`).shape[1]!;
        wide = ngramSums((bucket, label) => table[bucket * columns + label]!, parameter(`${layer.name}/sizes`), layer, ids);
        break;
      }
      case 'dropout': {
        if (!seeds) break;
        if (layer.over === 'tokens') {
          steps = steps.map((step, t) => step.map((value) => (keepsToken(seeds.example, index, ids[t]!, layer.rate) ? value / (1 - layer.rate) : 0)));
          break;
        }
        const sequence = !architecture.layers.slice(0, index).some(({ type }) => type === 'pool' || type === 'attention');
        const values = sequence ? steps.flat() : vector;
        const mask = new Uint8Array(values.length);
        drawMask(randomOf(seeds.example, index), layer.rate, mask, 0, mask.length);
        const dropped = values.map((value, k) => (mask[k] === 0 ? 0 : value / (1 - layer.rate)));
        if (sequence) steps = steps.map((_, t) => dropped.slice(t * width, (t + 1) * width));
        else vector = dropped;
        break;
      }
    }
  });
  const logits = vector.map((logit, label) => logit + (wide?.(label) ?? 0));
  // one unit tells two labels apart
  return logits.length === 1 ? [0, ...logits] : logits;
}

/** Cross entropy in nats. */
export function referenceLoss(reference: Reference, ids: readonly number[], label: number, seeds?: ReferenceSeeds): number {
  const logits = referenceLogits(reference, ids, seeds);
  const top = Math.max(...logits);
  return top + Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit - top), 0)) - logits[label]!;
}

function lstm(steps: readonly number[][], kernel: Float64Array, recurrent: Float64Array, bias: Float64Array, units: number): number[][] {
  let h = new Array<number>(units).fill(0);
  let c = new Array<number>(units).fill(0);
  return steps.map((x) => {
    const gate = (k: number): number =>
      x.reduce((sum, value, j) => sum + value * kernel[j * 4 * units + k]!, 0) + h.reduce((sum, value, j) => sum + value * recurrent[j * 4 * units + k]!, 0) + bias[k]!;
    const sigmoid = (z: number): number => 1 / (1 + Math.exp(-z));
    const z = Array.from({ length: 4 * units }, (_, k) => gate(k));
    c = c.map((cell, j) => sigmoid(z[units + j]!) * cell + sigmoid(z[j]!) * Math.tanh(z[2 * units + j]!));
    h = c.map((cell, j) => sigmoid(z[3 * units + j]!) * Math.tanh(cell));
    return h;
  });
}
