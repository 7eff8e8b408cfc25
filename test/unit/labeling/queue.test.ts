import * as assert from 'node:assert';
import * as fc from 'fast-check';
import { checkShare } from '../../../src/core/labels/checks';
import type { QueueOrder, QueueReason } from '../../../src/core/protocol/learner';
import { Coverage } from '../../../src/labeling/coverage';
import { FeatureStore } from '../../../src/labeling/featureStore';
import { confidence, margin, queueLength, QueuePool, rankQueue, type QueueState } from '../../../src/labeling/queue';
import { Random } from '../../../src/core/util/random';
import { batchOf, madeTexts } from './texts';

const orders: readonly QueueOrder[] = ['useful', 'file', 'shuffle', 'confident'];

interface Situation {
  readonly count: number;
  readonly seed: number;
  readonly trusted: boolean;
  /** Share of the texts that are closed, of those with features, of those with keywords; each 0..1. */
  readonly closed: number;
  readonly known: number;
  readonly keywords: number;
}

const situations = fc.record<Situation>({
  count: fc.integer({ min: 0, max: 300 }),
  seed: fc.integer({ min: 0, max: 1e6 }),
  trusted: fc.boolean(),
  closed: fc.constantFrom(0, 0.1, 0.9, 1),
  known: fc.constantFrom(0, 0.3, 1),
  keywords: fc.constantFrom(0, 0.2),
});

/** A state in which everything is drawn from the seed. */
function stateOf({ count, seed, trusted, closed, known, keywords }: Situation): QueueState {
  const random = new Random(seed);
  const made = madeTexts(count, { labels: 3, width: 4, words: 5, seed, own: { keywords: Int32Array.from({ length: count }, () => (random.float() < keywords ? random.below(3) : -1)) } });
  const open = Uint8Array.from({ length: count }, () => (random.float() < closed ? 0 : 1));
  const store = new FeatureStore(count, 4, 3, false);
  for (let position = 0; position < count; position++) if (random.float() < known) store.add(batchOf(made, position, position + 1));
  const scores = Float32Array.from({ length: 3 * count }, (_, i) => (store.known[Math.floor(i / 3)] === 1 ? random.float() : NaN));
  const pool = new QueuePool(made.setup);
  return {
    pool,
    open,
    closed: open.filter((waits) => waits === 0).length,
    closedChecks: open.filter((waits, position) => waits === 0 && made.setup.checks[position] === 1).length,
    decisions: Int32Array.of(12, 3, 0),
    trusted,
    ...(known > 0 ? { model: { rule: { kind: 'single' }, store, coverage: new Coverage(store.statistics().ngrams, pool.shuffled.filter((position) => store.known[position] === 1)), scores, decided: Int32Array.from(open.keys()).filter((position) => open[position] === 0 && store.known[position] === 1) } } : {}),
  };
}

describe('the queue', () => {
  for (const order of orders) {
    it(`${order}: holds every text that waits, once, with a reason, and none that does not`, () => {
      fc.assert(
        fc.property(situations, (situation) => {
          const state = stateOf(situation);
          const queue = rankQueue(order, state);
          const waiting = Array.from(state.open.keys()).filter((position) => state.open[position] === 1);
          assert.deepStrictEqual(Array.from(queue.order).sort((a, b) => a - b), waiting);
          assert.strictEqual(queue.reasons.length, waiting.length);
        }),
      );
    });

    it(`${order}: is the same for the same state`, () => {
      fc.assert(fc.property(situations, (situation) => assert.deepStrictEqual(rankQueue(order, stateOf(situation)), rankQueue(order, stateOf(situation)))));
    });
  }

  it('names the first thousand of a large pool', () => {
    const { order } = rankQueue('useful', stateOf({ count: 3000, seed: 1, trusted: true, closed: 0, known: 1, keywords: 0 }));
    assert.strictEqual(order.length, queueLength);
    assert.strictEqual(new Set(order).size, queueLength);
  });

  it('deals out about 15 % checks, however often it is made anew, and checks are all the texts that count as such', () => {
    const state = stateOf({ count: 1500, seed: 3, trusted: true, closed: 0, known: 1, keywords: 0 });
    const { checks } = state.pool.setup;
    const open = state.open.slice();
    let [closed, closedChecks] = [0, 0];
    for (let decision = 1; decision <= 300; decision++) {
      const { order, reasons } = rankQueue('useful', { ...state, open, closed, closedChecks });
      const first = order[0]!;
      assert.strictEqual(reasons[0] === 'check', checks[first] === 1);
      open[first] = 0;
      closed++;
      closedChecks += checks[first]!;
      assert.ok(Math.abs(closedChecks - checkShare * decision) <= 1, `${closedChecks} checks of ${decision}`);
    }
  });

  it('catches up with checks after a bulk decision without offering only checks', () => {
    const state = stateOf({ count: 1500, seed: 3, trusted: true, closed: 0, known: 1, keywords: 0 });
    const { reasons } = rankQueue('useful', { ...state, closed: 900, closedChecks: 0 });
    const share = reasons.slice(0, 90).filter((reason) => reason === 'check').length / 90;
    assert.ok(share > 0.3 && share < 0.35, `${share}`);
  });

  it('puts the smallest margins first when the model is trusted, and does not ask it before', () => {
    const state = stateOf({ count: 600, seed: 5, trusted: true, closed: 0, known: 1, keywords: 0 });
    const scores = state.model!.scores!;
    const marginsOf = (trusted: boolean): number[] => {
      const { order, reasons } = rankQueue('useful', { ...state, trusted });
      const chosen = Array.from(order).filter((_, place) => reasons[place] !== 'check');
      const expected: QueueReason = trusted ? 'uncertain' : 'start';
      assert.ok(reasons.every((reason) => reason === 'check' || reason === expected));
      return chosen.map((position) => margin({ kind: 'single' }, scores, position, 3));
    };
    const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
    const trusted = marginsOf(true);
    assert.ok(Math.max(...trusted.slice(0, 100)) <= Math.min(...trusted.slice(200)));
    const before = marginsOf(false);
    assert.ok(Math.abs(mean(before.slice(0, 100)) - mean(before)) < 0.1);
  });

  it('offers texts with keywords of labels that are short of decisions early, the rarest label first', () => {
    const state = stateOf({ count: 600, seed: 8, trusted: false, closed: 0, known: 0, keywords: 0.2 });
    const { keywords } = state.pool.setup;
    const { order, reasons } = rankQueue('useful', state);
    const sought = Array.from(order).filter((_, place) => reasons[place] === 'keyword');
    assert.ok(reasons.slice(0, 20).filter((reason) => reason === 'keyword').length >= 8);
    assert.deepStrictEqual(sought.slice(0, 4).map((position) => keywords[position]), [2, 1, 2, 1]);
    // label 0 has decisions enough
    assert.ok(sought.every((position) => keywords[position] !== 0));
  });

  it('shuffles by hash and seed: the same wherever the texts stand', () => {
    const { setup } = madeTexts(200);
    const backwards = { ...setup, hashes: setup.hashes.slice().reverse() };
    const hashesOf = (pool: typeof setup): number[] => Array.from(new QueuePool(pool).shuffled, (position) => pool.hashes[position]!);
    assert.deepStrictEqual(hashesOf(setup), hashesOf(backwards));
    assert.notDeepStrictEqual(hashesOf(setup), hashesOf({ ...setup, seed: setup.seed + 1 }));
  });

  it('lists the surest first when asked to', () => {
    const state = stateOf({ count: 300, seed: 9, trusted: true, closed: 0.1, known: 0.3, keywords: 0 });
    const { order, reasons } = rankQueue('confident', state);
    const sureness = Array.from(order, (position) => confidence({ kind: 'single' }, state.model!.scores!, position, 3));
    assert.deepStrictEqual(sureness, [...sureness].sort((a, b) => b - a));
    assert.deepStrictEqual(reasons.map((reason) => reason === 'confident'), sureness.map((score) => score >= 0));
  });

  it('measures how undecided scores are', () => {
    const scores = Float32Array.of(0.5, 0.3, 0.2, 0.05, 0.9, 0.6, NaN, NaN, NaN);
    assert.ok(Math.abs(margin({ kind: 'single' }, scores, 0, 3) - 0.2) < 1e-6);
    assert.ok(Math.abs(margin({ kind: 'multi' }, scores, 1, 3) - 0.2) < 1e-6);
    assert.ok(margin({ kind: 'single' }, scores, 2, 3) > 1);
    assert.ok(Math.abs(confidence({ kind: 'multi' }, scores, 1, 3) - 0.6) < 1e-6);
  });

  it('measures by thresholds where there are any', () => {
    const near = (actual: number, expected: number): void => assert.ok(Math.abs(actual - expected) < 1e-6, `${actual}, not ${expected}`);
    const two = Float32Array.of(0.7, 0.3, 0.4, 0.6);
    const rule = { kind: 'single', threshold: 0.25 } as const;
    near(margin(rule, two, 0, 2), 0.1);
    near(margin(rule, two, 1, 2), 0.7);
    near(confidence(rule, two, 0, 2), 0.3);
    near(margin({ kind: 'single', threshold: 0.5 }, two, 0, 2), margin({ kind: 'single' }, two, 0, 2));
    const several = { kind: 'multi', thresholds: [0.9, 0.2] } as const;
    near(margin(several, two, 0, 2), 0.2);
    near(confidence(several, two, 0, 2), 0.3);
    near(confidence(several, two, 1, 2), 0.6);
  });
});
