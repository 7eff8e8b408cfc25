import * as assert from 'node:assert';
import { chosenOfRows } from '../../../src/core/metrics/measures';
import { ngramBuckets } from '../../../src/core/model/ngrams';
import { Random } from '../../../src/core/util/random';
import { fitFrozenHead, logitsOf, type BaseLogits, type FittedHead, type HeadRows } from '../../../src/training/frozenHead';

/** Index of the highest logit of each row. */
const predictions = (logits: Float32Array, labels: number): number[] => chosenOfRows({ kind: 'single' }, logits, labels).map(([label]) => label!);

const wide = { buckets: 1024, longest: 2 };

/** Texts of random tokens whose label shows in a feature (of `width`, all else is noise), in a token, or in neither. */
function draw(count: number, seed: number, { labels, signal, width = 8, share = () => 1 }: { labels: number; signal: 'feature' | 'token' | 'none'; width?: number; share?: (label: number) => number }): HeadRows {
  const random = new Random(seed);
  const shares = Array.from({ length: labels }, (_, label) => share(label));
  const total = shares.reduce((sum, value) => sum + value, 0);
  const truth = Int32Array.from({ length: count }, () => {
    let left = random.float() * total;
    return Math.max(0, shares.findIndex((own) => (left -= own) <= 0));
  });
  const texts = Array.from(truth, (label) => {
    const ids = Array.from({ length: 6 }, () => 100 + random.below(400));
    if (signal === 'token') ids[random.below(6)] = 600 + label;
    return Int32Array.from(ids);
  });
  const features = Float32Array.from({ length: count * width }, () => random.normal());
  if (signal === 'feature') truth.forEach((label, row) => (features[row * width] = 3 * label + 0.3 * random.normal()));
  return { labels, width, features, texts, grams: texts.map((ids) => ngramBuckets(ids, wide)), truth };
}

/** A base of two labels that says `guess(row)` of each row, and has anchors about which it is of two minds. */
function baseOf({ truth, width }: HeadRows, guess: (row: number) => number): BaseLogits {
  const random = new Random(99);
  return {
    rows: Float32Array.from({ length: 2 * truth.length }, (_, k) => (guess(k >> 1) === k % 2 ? 2 : -2)),
    anchors: { features: Float32Array.from({ length: 40 * width }, () => random.normal()), logits: Float32Array.from({ length: 80 }, () => random.normal()) },
  };
}

function fitted(data: HeadRows, seed = 1): FittedHead {
  const fitting = fitFrozenHead(data, seed);
  for (;;) {
    const { done, value } = fitting.next();
    if (done) return value;
  }
}

function accuracy({ head }: FittedHead, data: HeadRows): number {
  const rows = Array.from(data.truth, (_, row) => row);
  return predictions(logitsOf(head, data, rows), data.labels).filter((guess, row) => guess === data.truth[row]).length / rows.length;
}

describe('a head on frozen layers', () => {
  it('learns from few rows what features say and what words say, whichever it is', () => {
    for (const signal of ['feature', 'token'] as const) {
      const options = { labels: 3, signal };
      const right = accuracy(fitted(draw(60, 1, options)), draw(300, 2, options));
      assert.ok(right > 0.75, `${signal}: ${right}`);
    }
  });

  it('knows nothing of what cannot be known, and says so of rows it did not see', () => {
    const { unseen } = fitted(draw(80, 1, { labels: 2, signal: 'none' }));
    const guesses = predictions(unseen.logits, 2);
    const data = draw(80, 1, { labels: 2, signal: 'none' });
    const right = guesses.filter((guess, at) => guess === data.truth[unseen.rows[at]!]).length / 80;
    assert.ok(right > 0.25 && right < 0.75, String(right));
    assert.deepStrictEqual([...unseen.rows].sort((a, b) => a - b), Array.from({ length: 80 }, (_, row) => row));
  });

  it('finds a rare label beside a frequent one, and survives a label with one row', () => {
    const options = { labels: 2, signal: 'token' as const, share: (label: number) => (label === 0 ? 9 : 1) };
    const test = draw(400, 3, options);
    const { head } = fitted(draw(240, 4, options));
    const rows = [...test.truth.keys()].filter((row) => test.truth[row] === 1);
    const found = predictions(logitsOf(head, test, rows), 2).filter((guess) => guess === 1).length;
    assert.ok(found > 0.5 * rows.length, `${found} of ${rows.length}`);
    const lonely = draw(30, 5, { labels: 2, signal: 'feature' });
    const alone = { ...lonely, truth: lonely.truth.map((_, row) => (row === 7 ? 1 : 0)) };
    assert.ok(logitsOf(fitted(alone).head, alone, [0, 7]).every(Number.isFinite));
  });

  it('leaves a base that is right as it is, also when all labels but a few are of one kind', () => {
    const options = { labels: 2, signal: 'none' as const, width: 4 };
    const know = (data: HeadRows): HeadRows => ({ ...data, base: baseOf(data, (row) => data.truth[row]!) });
    const few = draw(24, 6, options);
    const oneSided = know({ ...few, truth: few.truth.map((_, row) => (row < 22 ? 0 : 1)) });
    assert.ok(accuracy(fitted(oneSided), know(draw(300, 7, options))) > 0.97);
  });

  it('learns nothing of how often a label came: not from 118 rows of one label and 2 of another, and not from one label alone', () => {
    const options = { labels: 2, signal: 'none' as const, width: 4 };
    // right nine times of ten, and as sure of itself when it is wrong
    const know = (data: HeadRows): HeadRows => ({ ...data, base: baseOf(data, (row) => (row % 10 === 0 ? 1 - data.truth[row]! : data.truth[row]!)) });
    const test = know(draw(400, 9, options));
    const rows = [...test.truth.keys()];
    for (const others of [0, 2]) {
      const many = draw(120, 10, options);
      const oneSided = know({ ...many, truth: many.truth.map((_, row) => (row < others ? 1 : 0)) });
      const guesses = predictions(logitsOf(fitted(oneSided).head, test, rows), 2);
      const before = predictions(test.base!.rows, 2);
      const changed = guesses.filter((guess, row) => guess !== before[row]).length;
      assert.ok(changed < 0.02 * rows.length, `${others} others: ${changed} of ${rows.length} changed`);
    }
  });

  it('still finds what a base is wrong about', () => {
    const options = { labels: 2, signal: 'feature' as const, width: 4 };
    const know = (data: HeadRows): HeadRows => ({ ...data, base: { ...baseOf(data, () => 0), rows: Float32Array.from({ length: 2 * data.truth.length }, (_, k) => (k % 2 === 0 ? 0.1 : -0.1)) } });
    assert.ok(accuracy(fitted(know(draw(100, 11, options))), know(draw(300, 12, options))) > 0.9);
  });

  it('is the same for the same rows and seed, and does without n-grams', () => {
    const data = draw(40, 8, { labels: 2, signal: 'feature' });
    assert.deepStrictEqual(fitted(data), fitted(data));
    const narrow = { ...data, grams: data.grams.map(() => new Int32Array(0)) };
    const { head } = fitted(narrow);
    assert.strictEqual(head.table.size, 0);
    assert.ok(accuracy({ head, unseen: { rows: [], logits: new Float32Array(0) } }, narrow) > 0.9);
  });

  it('gives n-grams with a piece that goes on with a word less of a say, whatever their length', () => {
    const data = draw(40, 13, { labels: 2, signal: 'token' });
    const isPiece = (id: number): boolean => id % 3 === 0;
    const { sizes } = fitted(data).head;
    const held = fitted({ ...data, continues: isPiece }).head.sizes;
    // one meaning of a bucket each: those that n-grams with and without pieces share are left out
    const meanings = new Map<number, Set<boolean>>();
    for (const [row, ids] of data.texts.entries()) {
      const spans = [...ids.keys()].map((first) => [first, first]).concat([...ids.keys()].slice(1).map((last) => [last - 1, last]));
      for (const [at, [first, last]] of spans.entries()) {
        const bucket = data.grams[row]![at]!;
        meanings.set(bucket, (meanings.get(bucket) ?? new Set()).add(isPiece(ids[first!]!) || isPiece(ids[last!]!)));
      }
    }
    const shares = { whole: new Set<number>(), inside: new Set<number>() };
    for (const [bucket, [hasPiece, ...others]] of meanings) if (others.length === 0) shares[hasPiece ? 'inside' : 'whole'].add(held.get(bucket)! / sizes.get(bucket)!);
    assert.deepStrictEqual([...shares.whole], [1]);
    assert.ok(shares.inside.size > 0 && [...shares.inside].every((share) => share < 0.2), String([...shares.inside]));
  });
});
