import { checkShare } from '../core/labels/checks';
import { chosenLabels, isByThreshold, thresholdOf, type DecisionRule } from '../core/model/deciding';
import type { PoolSetup, QueueOrder, QueueReason } from '../core/protocol/learner';
import { mixHash } from '../core/util/mixHash';
import type { Coverage } from './coverage';
import type { FeatureStore } from './featureStore';

/** Places of the queue that are worked out; the other texts keep waiting behind them. */
export const queueLength = 1000;
/** Between two checks stand at least this many other texts, however many checks are in arrears (after a bulk decision, say). */
const leastBetweenChecks = 2;
/** Every so many places, a text with a keyword of a label that is short of decisions. */
const keywordPace = { start: 2, later: 8 };
/** Decisions of a label with keywords below which it is sought. */
const wantedOfRareLabel = 10;
/** Texts among which those that stand for many others are sought, and how many of these come first. */
export const representative = { start: { among: 600, first: 50 }, uncertain: { among: 30, first: 30 } } as const;
/** Latest decided texts that count as covering the texts like them. */
const rememberedForCoverage = 500;

/** What of the queue does not change while a pool is open. */
export class QueuePool {
  /** All positions, shuffled by the texts' hashes and the seed. */
  readonly shuffled: Int32Array;

  constructor(readonly setup: PoolSetup) {
    const { count, hashes, seed } = setup;
    const keys = new Float64Array(count);
    // 32 bits of the key above 21 of the position are exact in a double, and sort together
    for (let position = 0; position < count; position++) keys[position] = mixHash(hashes[position]!, seed) * 2097152 + position;
    keys.sort();
    this.shuffled = Int32Array.from(keys, (key) => key % 2097152);
  }
}

/** What the queue is made of. */
export interface QueueState {
  readonly pool: QueuePool;
  /** [count] 1 where the text waits. */
  readonly open: Uint8Array;
  /** Texts that do not wait, and the checks among them. */
  readonly closed: number;
  readonly closedChecks: number;
  /** [labels] decisions for each label. */
  readonly decisions: Int32Array;
  /** Whether the model's word counts. */
  readonly trusted: boolean;
  readonly model?: QueueModel;
  /** Decided texts, the most doubtful first, for the order `suspicious`. */
  readonly suspicious?: Int32Array;
}

/** What the model says of the texts. */
export interface QueueModel {
  /** What decides from its scores. */
  readonly rule: DecisionRule;
  readonly store: FeatureStore;
  readonly coverage: Coverage;
  /** [count, outputs]; NaN where nothing is known. Undefined: there is neither a head nor a base model. */
  readonly scores: Float32Array | undefined;
  /** Decided texts with known features, the latest last. */
  readonly decided: Int32Array;
}

export interface Queue {
  /** First come first. */
  readonly order: Int32Array;
  /** Why, for each of `order`. */
  readonly reasons: readonly QueueReason[];
}

/**
 * The first {@link queueLength} of the texts that wait; all others wait behind them. The same state gives the same queue.
 *
 * `useful` draws from three streams: random checks ({@link checkShare} of the places, in the order of the shuffle), texts with keywords of labels that are short of decisions, and the texts of which most
 * is to be learned: those between whose labels the model is most undecided (margin), of these the ones first that stand for many others; as long as the model's word does not count, texts that stand for many
 * others, then a random order.
 */
export function rankQueue(order: QueueOrder, state: QueueState): Queue {
  const { open, pool } = state;
  const waiting = pool.shuffled.filter((position) => open[position] === 1);
  switch (order) {
    case 'useful':
      return useful(state, waiting);
    case 'file':
      return all(waiting.sort(), 'file');
    case 'shuffle':
      return all(waiting, 'shuffle');
    case 'confident':
      return confident(state, waiting);
    case 'suspicious':
      return all(state.suspicious ?? new Int32Array(0), 'suspicious');
  }
}

function all(positions: Int32Array, reason: QueueReason): Queue {
  const order = positions.slice(0, queueLength);
  return { order, reasons: Array.from(order, () => reason) };
}

function confident({ model }: QueueState, waiting: Int32Array): Queue {
  const scores = model?.scores;
  // a number comes without a confidence
  if (!scores || model.rule.kind === 'number') return all(waiting, 'shuffle');
  const doubts = Float64Array.from(waiting, (position) => -confidence(model.rule, scores, position, model.store.outputs));
  const order = lowest(waiting, doubts, queueLength);
  return { order, reasons: Array.from(order, (position): QueueReason => (isScored(scores, position, model.store.outputs) ? 'confident' : 'shuffle')) };
}

interface Stream {
  readonly positions: Int32Array;
  readonly reason: (position: number) => QueueReason;
}

function useful(state: QueueState, waiting: Int32Array): Queue {
  const { checks } = state.pool.setup;
  const checkStream: Stream = { positions: waiting.filter((position) => checks[position] === 1), reason: () => 'check' };
  const others = waiting.filter((position) => checks[position] !== 1);
  const keywordStream: Stream = { positions: soughtTexts(state, others), reason: () => 'keyword' };
  const mainStream = state.trusted && state.model?.scores ? uncertain(state.model, state.model.scores, others) : beginning(state.model, others);
  return weave(state, checkStream, keywordStream, mainStream);
}

/** Deals out the places. Which stream a place belongs to depends on what was decided so far, so that it does not matter how often the queue is made anew. */
function weave(state: QueueState, checks: Stream, keywords: Stream, main: Stream): Queue {
  const order: number[] = [];
  const reasons: QueueReason[] = [];
  const taken = new Set<number>();
  const places = new Map<Stream, number>([[checks, 0], [keywords, 0], [main, 0]]);
  const take = (stream: Stream): boolean => {
    let place = places.get(stream) ?? 0;
    while (place < stream.positions.length && taken.has(stream.positions[place]!)) place++;
    places.set(stream, place + 1);
    const position = stream.positions[place];
    if (position === undefined) return false;
    taken.add(position);
    order.push(position);
    reasons.push(stream.reason(position));
    return true;
  };
  const pace = state.trusted ? keywordPace.later : keywordPace.start;
  let checksSoFar = state.closedChecks;
  let sinceCheck = leastBetweenChecks;
  while (order.length < queueLength) {
    const place = state.closed + order.length;
    if (sinceCheck >= leastBetweenChecks && checksSoFar < checkShare * (place + 1) - 0.5 && take(checks)) {
      checksSoFar++;
      sinceCheck = 0;
      continue;
    }
    sinceCheck++;
    if (place % pace === 0 && take(keywords)) continue;
    if (!take(main) && !take(checks)) break;
  }
  return { order: Int32Array.from(order), reasons };
}

/** Texts with a keyword of a label that is short of decisions: labels take turns, the rarest first. */
function soughtTexts({ pool: { setup }, decisions }: QueueState, others: Int32Array): Int32Array {
  const byLabel = new Map<number, number[]>();
  for (const position of others) {
    const label = setup.keywords[position] ?? -1;
    if (label < 0 || (decisions[label] ?? 0) >= wantedOfRareLabel) continue;
    const texts = byLabel.get(label);
    if (texts) texts.push(position);
    else byLabel.set(label, [position]);
  }
  const labels = [...byLabel.keys()].sort((a, b) => (decisions[a] ?? 0) - (decisions[b] ?? 0) || a - b);
  const rows: number[] = [];
  for (let turn = 0; rows.length < queueLength && labels.some((label) => turn < byLabel.get(label)!.length); turn++) {
    for (const label of labels) {
      const position = byLabel.get(label)![turn];
      if (position !== undefined) rows.push(position);
    }
  }
  return Int32Array.from(rows);
}

/** Texts that stand for many others unlike the decided ones; behind them the order of the shuffle. */
function beginning(model: QueueModel | undefined, others: Int32Array): Stream {
  if (!model) return { positions: others, reason: () => 'start' };
  const { among, first } = representative.start;
  const top = others.filter((position) => model.store.known[position] === 1).slice(0, among);
  const isTop = new Set(top);
  return { positions: join(represent(model, top, first), others.filter((position) => !isTop.has(position))), reason: () => 'start' };
}

function uncertain(model: QueueModel, scores: Float32Array, others: Int32Array): Stream {
  const { rule, store } = model;
  const { kind } = rule;
  const reason = (position: number): QueueReason => (isScored(scores, position, store.outputs) ? (kind === 'number' ? 'different' : 'uncertain') : 'start');
  // a number comes without a margin; what is unlike the decided texts teaches most
  if (kind === 'number') return { ...beginning(model, others), reason };
  const margins = Float64Array.from(others, (position) => margin(rule, scores, position, store.outputs));
  const ordered = lowest(others, margins, queueLength);
  const { among, first } = representative.uncertain;
  const top = ordered.slice(0, among).filter((position) => isScored(scores, position, store.outputs));
  return { positions: join(represent(model, top, first), ordered.slice(top.length)), reason };
}

function represent({ coverage, decided }: QueueModel, positions: Int32Array, first: number): Int32Array {
  return coverage.order(positions, decided.slice(-rememberedForCoverage), first);
}

/**
 * How little the model favours one answer: the best label's score less the second's; where labels have thresholds the least distance of a score from its own, doubled, which for two labels and a threshold of 0.5 is the same.
 * 0..2, and Infinity for what is not scored, which comes last.
 */
export function margin(rule: DecisionRule, scores: Float32Array, position: number, outputs: number): number {
  const from = position * outputs;
  if (!isScored(scores, position, outputs)) return Infinity;
  const distance = (label: number): number => 2 * Math.abs(scores[from + label]! - thresholdOf(rule, label));
  if (isByThreshold(rule, outputs)) return distance(1);
  if (rule.kind === 'multi') {
    let least = Infinity;
    for (let label = 0; label < outputs; label++) least = Math.min(least, distance(label));
    return least;
  }
  let best = 0;
  let second = 0;
  for (let k = from; k < from + outputs; k++) {
    const score = scores[k]!;
    if (score > best) {
      second = best;
      best = score;
    } else if (score > second) second = score;
  }
  return best - second;
}

/** Score of the label that is chosen; for `multi` the score of the least sure answer, yes or no. -1 for what is not scored. */
export function confidence(rule: DecisionRule, scores: Float32Array, position: number, outputs: number): number {
  if (!isScored(scores, position, outputs)) return -1;
  const own = scores.subarray(position * outputs, (position + 1) * outputs);
  const chosen = chosenLabels(rule, own);
  if (rule.kind !== 'multi') return own[chosen[0]!]!;
  return own.reduce((least, score, label) => Math.min(least, chosen.includes(label) ? score : 1 - score), 1);
}

function isScored(scores: Float32Array, position: number, outputs: number): boolean {
  return !Number.isNaN(scores[position * outputs]);
}

/** The `count` positions with the lowest keys, in their order; equal ones stay as they are. */
function lowest(positions: Int32Array, keys: Float64Array, count: number): Int32Array {
  const limit = keys.length <= count ? Infinity : keys.slice().sort()[count - 1]!;
  const rows: number[] = [];
  for (let row = 0; row < positions.length; row++) if (keys[row]! <= limit) rows.push(row);
  rows.sort((a, b) => keys[a]! - keys[b]! || a - b);
  return Int32Array.from(rows.slice(0, count), (row) => positions[row]!);
}

function join(first: Int32Array, then: Int32Array): Int32Array {
  const whole = new Int32Array(first.length + then.length);
  whole.set(first);
  whole.set(then, first.length);
  return whole;
}
