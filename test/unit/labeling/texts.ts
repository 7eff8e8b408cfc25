import type { FeatureBatch, LearnedDecision, PoolSetup } from '../../../src/core/protocol/learner';
import { Random } from '../../../src/core/util/random';
import { isCheck } from '../../../src/core/labels/checks';

/** A pool of made-up texts: a text's features lie around the centre of its label. */
export interface MadeTexts {
  readonly setup: PoolSetup;
  readonly truth: readonly number[];
  readonly width: number;
  readonly features: Float32Array;
  /** Absent unless words were asked for. */
  readonly texts?: readonly string[];
}

/** Distinct words that made-up texts are drawn from, common and rare ones as in real ones; a fifth of a text's words tell its label. */
const vocabulary = 20_000;
const tellingWords = 0.2;

/**
 * @param noise standard deviation around the centres, which lie about 1.4 apart in each feature
 * @param words of each text; 0: no texts, only features
 */
export function madeTexts(count: number, { labels = 3, width = 8, noise = 1, words = 0, seed = 1, own = {} }: { labels?: number; width?: number; noise?: number; words?: number; seed?: number; own?: Partial<PoolSetup> } = {}): MadeTexts {
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
    ...(words > 0 ? { texts: truth.map((label) => Array.from({ length: words }, () => wordOf(random, label)).join(' ')) } : {}),
  };
}

function wordOf(random: Random, label: number): string {
  // the n-th word is as frequent as 1/n
  const rank = Math.floor(vocabulary ** random.float());
  return random.float() < tellingWords ? `label${label}word${rank % 100}` : `word${rank}`;
}

/** Features, and texts if there are any, of the texts from `from` to before `to`. */
export function batchOf({ features, width, texts }: MadeTexts, from: number, to: number): FeatureBatch {
  return { positions: Int32Array.from({ length: to - from }, (_, i) => from + i), features: features.slice(from * width, to * width), width, ...(texts ? { texts: texts.slice(from, to) } : {}) };
}

export function labeled(position: number, label: number): LearnedDecision {
  return { position, value: [label], open: false };
}
