import { ngramLayerOf } from '../core/model/ngrams';
import type { Hyperparameters, ScheduleName } from '../core/protocol/trainer';
import type { ParameterLayout } from './engine';

/** A point in training at which an optimizer step is taken. */
export interface PlanPoint {
  /** 0-based, counted over all epochs. */
  readonly step: number;
  /** Steps in all planned epochs, more than `step`. Early stopping may leave the last ones out. */
  readonly steps: number;
  /** 0-based. */
  readonly epoch: number;
}

/** How fast each parameter learns, and when. */
export interface RatePlan {
  /** The greatest rate that it gives, for a person to lower. */
  readonly learningRate: number;
  /** One learning rate for each parameter, in the order of the layout; 0 where it is frozen. */
  rates(at: PlanPoint): ArrayLike<number>;
  /** The epoch (0-based) of `epochs` planned ones in which the last parameters thaw; 0 if all learn from the start, or those that do not never will. */
  lastThaw(epochs: number): number;
}

export interface RatePlanOptions {
  readonly learningRate: number;
  readonly schedule: ScheduleName;
  /** Where the linear schedule ends, as a share of the learning rate, in 0..1. */
  readonly finalRateShare: number;
  /** Discriminative rates (Howard & Ruder 2018): a layer learns at the rate of the one above it over this factor. 1: all learn alike. */
  readonly layerDecay: number;
  /** Gradual unfreezing (ibid.): the top layer learns from the start, and one more below it after each so many epochs. 0: all from the start. */
  readonly unfreezeEpochs: number;
  /** `frozen`: the table of token vectors has a rate of 0 throughout. Default `tuned`. */
  readonly embeddingTraining?: Hyperparameters['embeddingTraining'];
}

/**
 * The learning rate times the schedule's share times the layer's factor.
 *
 * Layers count as far as they have weights (embedding, each convolution and LSTM, attention, each dense layer), in the order of the architecture; the head is the topmost, and n-grams beside the layers learn as it does (but not their sizes). Token vectors that are frozen count as a layer all the same, which never learns.
 */
export function ratePlan(layout: ParameterLayout, { learningRate, schedule, finalRateShare, layerDecay, unfreezeEpochs, embeddingTraining = 'tuned' }: RatePlanOptions): RatePlan {
  const layerOf = (name: string): string => name.slice(0, name.indexOf('/'));
  const wide = ngramLayerOf(layout.architecture)?.name;
  const layers = [...new Set(layout.parameters.map(({ name }) => layerOf(name)))].filter((name) => name !== wide);
  /** For each parameter, the number of layers above its own. */
  const depths = layout.parameters.map(({ name }) => (layerOf(name) === wide ? 0 : layers.length - 1 - layers.indexOf(layerOf(name))));
  const fixed = new Set([`${wide}/sizes`, ...(embeddingTraining === 'frozen' ? [`${layout.architecture.layers[0]?.name}/table`] : [])]);
  const factors = depths.map((depth, k) => (fixed.has(layout.parameters[k]!.name) ? 0 : layerDecay ** -depth));
  const deepest = Math.max(...depths.filter((_, k) => factors[k] !== 0));
  return {
    learningRate,
    rates: ({ step, steps, epoch }) => {
      const rate = learningRate * scheduleShare(schedule, step, steps, finalRateShare);
      return factors.map((factor, k) => (epoch < depths[k]! * unfreezeEpochs ? 0 : rate * factor));
    },
    lastThaw: (epochs) => (unfreezeEpochs === 0 ? 0 : unfreezeEpochs * Math.min(deepest, Math.floor((epochs - 1) / unfreezeEpochs))),
  };
}

/** Slanted triangular (Howard & Ruder 2018): share of the steps that the rate rises in, and how many times the first rate is below the highest. */
const slanted = { cut: 0.1, ratio: 32 } as const;

/** One cycle (Smith 2018), by the names and defaults of PyTorch's OneCycleLR: where the peak lies, and how far below it the rate starts, and below that ends. */
const cycle = { start: 0.3, divider: 25, finalDivider: 1e4 } as const;

/**
 * What share of the learning rate holds in a step, above 0 and at most 1 (0 only beyond the last step).
 *
 * - `constant`: all of it
 * - `linear`: 1 in the first step, evenly down to `finalShare` in the step that would follow the last; so a schedule that ends at 0 has no step that learns nothing
 * - `slanted-triangular`: up from 1/32 for a tenth of the steps, then down to it. The paper's fall has the length of nine rises, which misses the end where the number of steps is
 *   no multiple of ten (and divides by zero under ten); here it takes the steps that are left, which is the same at multiples
 * - `one-cycle`: half a cosine from 1/25 up to 1 at 0.3 of the steps, another down to 1/250,000 in the last. With fewer than four steps PyTorch's peak lies before the first;
 *   here it is the first
 *
 * @param step 0-based
 * @param steps at least 1
 * @param finalShare for `linear`
 */
export function scheduleShare(name: ScheduleName, step: number, steps: number, finalShare: number): number {
  switch (name) {
    case 'constant':
      return 1;
    case 'linear':
      return 1 - (1 - finalShare) * (step / steps);
    case 'slanted-triangular': {
      const cut = Math.floor(steps * slanted.cut);
      const height = step < cut ? step / cut : 1 - (step - cut) / (steps - cut);
      return (1 + height * (slanted.ratio - 1)) / slanted.ratio;
    }
    case 'one-cycle': {
      const first = 1 / cycle.divider;
      const last = first / cycle.finalDivider;
      const peak = Math.max(0, cycle.start * steps - 1);
      if (step < peak) return cosine(first, 1, step / peak);
      return step === peak ? 1 : cosine(1, last, (step - peak) / (steps - 1 - peak));
    }
  }
}

/** From `start` at 0 to `end` at 1, level at both. */
function cosine(start: number, end: number, progress: number): number {
  return end + ((start - end) / 2) * (1 + Math.cos(Math.PI * progress));
}
