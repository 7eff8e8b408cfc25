import type { FeatureBatch, LearnedDecision, PoolSetup } from '../../../src/core/protocol/learner';
import { Random } from '../../../src/core/util/random';
import { isCheck } from '../../../src/core/labels/checks';

/** A pool of made-up texts: a text's features lie around the centre of its label. */
export interface MadeTexts {
  readonly setup: PoolSetup;
  readonly truth: readonly number[];
  readonly width: number;
  readonly features: Float32Array;
}

/** @param noise standard deviation around the centres, which lie about 1.4 apart in each feature */
export function madeTexts(count: number, { labels = 3, width = 8, noise = 1, seed = 1, own = {} }: { labels?: number; width?: number; noise?: number; seed?: number; own?: Partial<PoolSetup> } = {}): MadeTexts {
  const random = new Random(seed);
  const centres = Array.from({ length: labels }, () => Array.from({ length: width }, () => random.normal()));
  const truth = Array.from({ length: count }, () => random.below(labels));
  const features = Float32Array.from({ length: count * width }, (_, i) => 3 + centres[truth[Math.floor(i / width)]!]![i % width]! + noise * random.normal());
  const hashes = Uint32Array.from({ length: count }, () => random.uint32());
  return {
    setup: { count, kind: 'single', labels, checks: Uint8Array.from(hashes, () => (isCheck(random.uint32().toString(16).padStart(32, '0')) ? 1 : 0)), keywords: new Int32Array(count).fill(-1), hashes, seed, ...own },
    truth,
    width,
    features,
  };
}

/** Features of the texts from `from` to before `to`. */
export function batchOf({ features, width }: MadeTexts, from: number, to: number): FeatureBatch {
  return { positions: Int32Array.from({ length: to - from }, (_, i) => from + i), features: features.slice(from * width, to * width), width };
}

export function labeled(position: number, label: number): LearnedDecision {
  return { position, value: [label], open: false };
}
