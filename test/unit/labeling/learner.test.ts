import * as assert from 'node:assert';
import { CancelledError } from '../../../src/core/errors';
import type { LearnedDecision, Ranking } from '../../../src/core/protocol/learner';
import { Random } from '../../../src/core/util/random';
import { Learner } from '../../../src/labeling/learner';
import { isTrusted } from '../../../src/labeling/trust';
import { batchOf, labeled, madeTexts, type MadeTexts } from './texts';

const pause = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function open(made: MadeTexts, known = made.setup.count): Learner {
  const learner = new Learner({ pause });
  learner.open(made.setup);
  if (known > 0) learner.addFeatures(batchOf(made, 0, known));
  return learner;
}

/** Decides on texts as they are offered, by the truth. */
async function label(learner: Learner, made: MadeTexts, count: number): Promise<Ranking> {
  let ranking = await learner.rank('useful');
  for (let i = 0; i < count; i++) {
    const position = ranking.order[0]!;
    ranking = await learner.decide([labeled(position, made.truth[position]!)]);
  }
  return ranking;
}

function accuracy(scores: Float32Array, { truth, setup: { labels } }: MadeTexts): number {
  const right = truth.filter((label, position) => {
    const own = Array.from(scores.slice(position * labels, (position + 1) * labels));
    return own.indexOf(Math.max(...own)) === label;
  });
  return right.length / truth.length;
}

describe('the learner', () => {
  const made = madeTexts(500, { noise: 1.2 });

  it('learns from each decision, and soon is right about what it has not seen', async () => {
    const learner = open(made);
    const ranking = await label(learner, made, 60);
    assert.ok(ranking.trusted);
    assert.strictEqual(ranking.open, 440);
    assert.ok(ranking.reasons.includes('uncertain'));
    assert.strictEqual(ranking.scores.length, ranking.order.length * 3);
    assert.ok(accuracy(await learner.guessAll(), made) > 0.85);
  });

  it('gives the same answers to the same calls', async () => {
    const run = async (): Promise<unknown> => {
      const { order, reasons, scores, check } = await label(open(made), made, 40);
      return { order, reasons, scores, check };
    };
    assert.deepStrictEqual(await run(), await run());
  });

  it('works without features, with some, and as they trickle in', async () => {
    const learner = open(made, 0);
    let ranking = await learner.decide([labeled(3, made.truth[3]!)]);
    assert.strictEqual(ranking.order.length, 499);
    assert.ok(ranking.reasons.every((reason) => reason === 'start' || reason === 'check'));
    assert.strictEqual(ranking.scores.length, 0);
    assert.ok(Number.isNaN(learner.guess(Int32Array.of(7))[0]));
    await learner.decide(Array.from({ length: 60 }, (_, position) => labeled(position, made.truth[position]!)));
    for (let from = 0; from < 500; from += 100) {
      learner.addFeatures(batchOf(made, from, from + 100));
      ranking = await learner.rank('useful');
      assert.strictEqual(new Set(ranking.order).size, 440);
    }
    assert.ok(accuracy(await learner.guessAll(), made) > 0.8);
    // in whatever order they came
    const other = open(made);
    await other.decide(Array.from({ length: 60 }, (_, position) => labeled(position, made.truth[position]!)));
    const [early, late] = [await other.guessAll(), await learner.guessAll()];
    early.forEach((score, i) => assert.ok(Math.abs(score - late[i]!) < 0.02));
  });

  it('guesses with the base model until it has a head, and moves away from it with the decisions', async () => {
    const base = Float32Array.from({ length: 1500 }, (_, i) => [0.2, 0.7, 0.1][i % 3]!);
    const learner = new Learner({ pause });
    learner.open(made.setup);
    learner.addFeatures({ ...batchOf(made, 0, 500), scores: base });
    assert.deepStrictEqual(learner.guess(Int32Array.of(9)), base.slice(0, 3));
    assert.strictEqual((await learner.rank('useful')).scores.length, 1500);
    await label(learner, made, 80);
    assert.ok(accuracy(await learner.guessAll(), made) > 0.8);
  });

  it("takes another model's features over when they are as many, and guesses with the old ones until then", async () => {
    const learner = open(made);
    await label(learner, made, 40);
    const before = learner.guess(Int32Array.of(499));
    const other = { ...made, features: made.features.map((value) => -2 * value) };
    for (const from of [0, 250]) {
      assert.deepStrictEqual(learner.guess(Int32Array.of(499)), before);
      learner.addFeatures(batchOf(other, from, from + 250));
    }
    assert.ok(Number.isNaN(learner.guess(Int32Array.of(499))[0]));
    assert.ok((await learner.rank('useful')).trusted);
    assert.ok(accuracy(await learner.guessAll(), made) > 0.8);
    // of another width
    learner.addFeatures({ positions: Int32Array.from(made.truth.keys()), features: Float32Array.from(made.truth, (label) => label), width: 1 });
    await learner.rank('useful');
    assert.ok(accuracy(await learner.guessAll(), made) > 0.5);
  });

  it('reads the words where the features say nothing, and knows them still when another model has come', async () => {
    const random = new Random(7);
    const wordy = madeTexts(500, { words: 30 });
    const blank = { ...wordy, features: wordy.features.map(() => random.normal()) };
    const learner = open(blank);
    const ranking = await label(learner, blank, 80);
    assert.ok(ranking.trusted);
    assert.ok(accuracy(await learner.guessAll(), blank) > 0.8);
    learner.addFeatures({ positions: Int32Array.from(blank.truth.keys()), width: 8, features: blank.features.map((value) => -value) });
    await learner.rank('useful');
    assert.ok(accuracy(await learner.guessAll(), blank) > 0.8);
  });

  it('does not let a head choose that is no better than chance, however many decisions there are', async () => {
    const random = new Random(8);
    const blank = madeTexts(500, { words: 30 });
    const learner = open(blank);
    const ranking = await learner.decide(Array.from({ length: 100 }, (_, position) => labeled(position, random.below(3))));
    assert.ok(!ranking.trusted);
    assert.ok(ranking.reasons.every((reason) => reason === 'start' || reason === 'check'));
  });

  it('measures itself on checks that it did not learn from', async () => {
    // labels without any relation to the features: whoever learned the checks would be right about them
    const random = new Random(6);
    const noise = madeTexts(600, { width: 200, labels: 2 });
    const truth = noise.truth.map(() => random.below(2));
    const learner = open(noise);
    const { check } = await learner.decide(truth.map((one, position) => labeled(position, one)));
    assert.ok(check);
    assert.strictEqual(check.rows, noise.setup.checks.reduce((sum, one) => sum + one, 0));
    assert.ok(check.low < 0.5 && check.high > 0.5, `${check.low} to ${check.high}`);
    assert.ok(accuracy(await learner.guessAll(), { ...noise, truth }) > 0.65);
  });

  it('forgets what is undone, and leaves skipped texts out of what it learns', async () => {
    const learner = open(made);
    const first = await learner.rank('useful');
    await learner.decide([labeled(1, 0), labeled(2, 1), { position: 3, value: null, open: false }]);
    const undone = await learner.decide([1, 2, 3].map((position): LearnedDecision => ({ position, value: null, open: true })));
    assert.deepStrictEqual([undone.order, undone.reasons, undone.open, undone.scores.length], [first.order, first.reasons, 500, 0]);
  });

  it('shares a ranking among decisions that come while one is made', async () => {
    const learner = open(made);
    const [a, b, c] = await Promise.all([1, 2, 3].map((position) => learner.decide([labeled(position, made.truth[position]!)])));
    assert.strictEqual(a!.revision, b!.revision);
    assert.strictEqual(b!.revision, c!.revision);
    assert.strictEqual(c!.open, 497);
  });

  it('lists decisions that the model doubts first, and not again once they were looked at', async () => {
    const learner = open(made);
    const wrong = [5, 17, 40];
    await learner.decide(Array.from({ length: 120 }, (_, position) => labeled(position, wrong.includes(position) ? (made.truth[position]! + 1) % 3 : made.truth[position]!)));
    const { order, reasons, open: waiting } = await learner.rank('suspicious');
    assert.strictEqual(order.length, 120);
    assert.strictEqual(waiting, 380);
    assert.ok(reasons.every((reason) => reason === 'suspicious'));
    const found = wrong.filter((position) => order.slice(0, 20).includes(position));
    assert.ok(found.length >= 2, `${order.slice(0, 20).join()}`);
    const next = await learner.decide([labeled(order[0]!, made.truth[order[0]!]!)]);
    assert.deepStrictEqual(next.order, order.slice(1));
    assert.strictEqual((await learner.rank('suspicious')).order.length, 120);
  });

  it('cross-validates: scores every decided text, and accuracy grows with the decisions', async () => {
    const learner = open(made);
    await learner.decide(Array.from({ length: 150 }, (_, position) => labeled(position, made.truth[position]!)));
    const { positions, scores, curve } = await learner.crossValidate(5, 1);
    assert.strictEqual(positions.length, 150);
    assert.ok(scores.every((score) => score >= 0 && score <= 1));
    assert.deepStrictEqual(curve.map(({ decisions }) => decisions), [15, 30, 60, 90, 120]);
    assert.ok(curve.at(-1)!.accuracy > curve[0]!.accuracy);
    assert.ok(curve.every(({ error }) => error >= 0 && error < 0.2));
    assert.deepStrictEqual(await learner.crossValidate(5, 1), { positions, scores, curve });
    assert.deepStrictEqual((await open(made, 0).crossValidate(5, 1)).curve, []);
  });

  it('learns several labels and numbers, too', async () => {
    const several = madeTexts(400, { noise: 0.8, own: { kind: 'multi' } });
    const many = open(several);
    await many.decide(Array.from({ length: 100 }, (_, position): LearnedDecision => ({ position, value: several.truth[position] === 2 ? [] : several.truth[position] === 1 ? [0, 1] : [0], open: false })));
    const scores = await many.guessAll();
    const right = several.truth.filter((label, position) => scores[position * 3]! >= 0.5 === (label !== 2) && scores[position * 3 + 1]! >= 0.5 === (label === 1));
    assert.ok(right.length > 340);

    const numbers = madeTexts(400, { noise: 0.3, own: { kind: 'number', labels: 0 } });
    const number = open(numbers);
    const ranking = await number.decide(Array.from({ length: 200 }, (_, position): LearnedDecision => ({ position, value: 100 + 10 * numbers.truth[position]!, open: false })));
    assert.ok(ranking.trusted);
    assert.ok(ranking.check && ranking.check.accuracy > 0.7 && ranking.check.low <= ranking.check.accuracy && ranking.check.accuracy <= ranking.check.high);
    const values = await number.guessAll();
    numbers.truth.forEach((label, position) => assert.ok(Math.abs(values[position]! - 100 - 10 * label) < 9));
    assert.strictEqual(new Set(ranking.order).size, 200);
  });

  it('rejects what was asked of another pool, and what does not fit this one', async () => {
    const learner = open(made);
    const asked = assert.rejects(learner.decide([labeled(1, 0)]), CancelledError);
    learner.open(madeTexts(10).setup);
    await asked;
    assert.strictEqual((await learner.rank('file')).open, 10);
    assert.throws(() => learner.decide([{ position: 0, value: [0, 1], open: false }]), /no answer/);
    assert.throws(() => learner.decide([{ position: 0, value: 3, open: false }]), /no answer/);
    assert.throws(() => learner.addFeatures(batchOf(made, 8, 12)), /no text 10/);
    assert.throws(() => new Learner({ pause }).guess(Int32Array.of(0)), /No pool/);
  });
});

describe('trust in the model', () => {
  it('comes with five decisions for each label, or with two such labels when a rare one keeps it waiting', () => {
    assert.ok(isTrusted('single', Int32Array.of(5, 5), 10));
    assert.ok(!isTrusted('single', Int32Array.of(15, 4), 19));
    assert.ok(!isTrusted('single', Int32Array.of(15, 9, 4), 28));
    assert.ok(isTrusted('single', Int32Array.of(16, 10, 4), 30));
    assert.ok(!isTrusted('single', Int32Array.of(60, 0, 0), 60));
    assert.ok(!isTrusted('number', Int32Array.of(0), 9));
    assert.ok(isTrusted('number', Int32Array.of(0), 10));
  });
});
