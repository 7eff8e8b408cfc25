import * as assert from 'node:assert';
import * as fc from 'fast-check';
import { calibratedError, expectedCalibrationError, fitTemperature, negativeLogLikelihood, refitTemperature, rowsForTemperature } from '../../../src/core/metrics/calibration';
import { Random } from '../../../src/core/util/random';

function softmax(logits: readonly number[]): number[] {
  const exponentials = logits.map((logit) => Math.exp(logit - Math.max(...logits)));
  const sum = exponentials.reduce((total, value) => total + value, 0);
  return exponentials.map((value) => value / sum);
}

/** Draws an index with these probabilities. */
function draw(random: Random, probabilities: readonly number[]): number {
  let rest = random.float();
  for (let i = 0; i < probabilities.length; i++) if ((rest -= probabilities[i]!) < 0) return i;
  return probabilities.length - 1;
}

describe('expectedCalibrationError', () => {
  it('gives the number worked out by hand', () => {
    // two of confidence 0.9 (one right), three of 0.6 (all right): 2/5 × |0.5 − 0.9| + 3/5 × |1 − 0.6|
    const scores = [0.9, 0.1, 0.1, 0.9, 0.6, 0.4, 0.6, 0.4, 0.4, 0.6];
    assert.ok(Math.abs(expectedCalibrationError(scores, 2, [0, 0, 0, 0, 1]) - 0.4) < 1e-12);
  });

  it('agrees with the definition by bins', () => {
    const confidence = fc.integer({ min: 500, max: 1000 });
    fc.assert(
      fc.property(fc.array(fc.tuple(confidence, fc.boolean()), { minLength: 1, maxLength: 80 }), (examples) => {
        const scores = examples.flatMap(([thousandths]) => [thousandths / 1000, 1 - thousandths / 1000]);
        const truth = examples.map(([, right]) => (right ? 0 : 1));
        let expected = 0;
        for (let bin = 1; bin <= 15; bin++) {
          // in exact integers: (bin − 1) / 15 < thousandths / 1000 ≤ bin / 15
          const inside = examples.filter(([thousandths]) => (bin - 1) * 1000 < thousandths * 15 && thousandths * 15 <= bin * 1000);
          if (inside.length === 0) continue;
          const accuracy = inside.filter(([, right]) => right).length / inside.length;
          const mean = inside.reduce((total, [thousandths]) => total + thousandths / 1000, 0) / inside.length;
          expected += (inside.length / examples.length) * Math.abs(accuracy - mean);
        }
        assert.ok(Math.abs(expectedCalibrationError(scores, 2, truth) - expected) < 1e-9);
      }),
      { numRuns: 500 },
    );
  });

  it('is near 0 when probabilities are true, and large when they are boastful', () => {
    const random = new Random(1);
    const rows = Array.from({ length: 20_000 }, () => softmax([random.normal() * 2, random.normal() * 2, random.normal() * 2]));
    const truth = rows.map((row) => draw(random, row));
    assert.ok(expectedCalibrationError(rows.flat(), 3, truth) < 0.015);
    const boastful = rows.map((row) => softmax(row.map((p) => 4 * Math.log(p))));
    assert.ok(expectedCalibrationError(boastful.flat(), 3, truth) > 0.1);
  });

  it('takes certainty, no examples and one label', () => {
    assert.strictEqual(expectedCalibrationError([1, 0, 0, 1], 2, [0, 0]), 0.5);
    assert.strictEqual(expectedCalibrationError([], 2, []), 0);
    assert.throws(() => expectedCalibrationError([1, 0], 2, [0, 1]));
  });
});

describe('calibratedError', () => {
  it('is what expectedCalibrationError finds where probabilities are true, the larger the fewer rows', () => {
    const random = new Random(7);
    let last = 1;
    for (const rows of [20, 100, 1000, 10_000]) {
      const scores = Array.from({ length: rows }, () => softmax([random.normal() * 2, random.normal() * 2, random.normal() * 2]));
      const found = Array.from({ length: 200 }, () => expectedCalibrationError(scores.flat(), 3, scores.map((row) => draw(random, row))));
      const mean = found.reduce((sum, each) => sum + each, 0) / found.length;
      const spread = Math.sqrt(found.reduce((sum, each) => sum + (each - mean) ** 2, 0) / (found.length - 1));
      const expected = calibratedError(scores.map((row) => Math.max(...row)));
      // both are means of 200 draws
      assert.ok(Math.abs(expected - mean) < 5 * spread * Math.sqrt(2 / 200), `${rows} rows: ${expected} and ${mean}`);
      assert.ok(expected < last);
      last = expected;
    }
  });

  it('is nothing for certainty and for no rows, and always the same', () => {
    assert.deepStrictEqual([calibratedError([1, 1, 0]), calibratedError([])], [0, 0]);
    assert.strictEqual(calibratedError([0.7, 0.6, 0.9]), calibratedError([0.7, 0.6, 0.9]));
  });
});

describe('fitTemperature', () => {
  it('finds the temperature that the logits were distorted by', () => {
    const random = new Random(2);
    for (const distortion of [0.4, 1, 2.5]) {
      const logits: number[] = [];
      const truth: number[] = [];
      for (let i = 0; i < 20_000; i++) {
        const honest = [random.normal() * 2, random.normal() * 2, random.normal() * 2, 0];
        truth.push(draw(random, softmax(honest)));
        logits.push(...honest.map((logit) => logit * distortion));
      }
      const temperature = fitTemperature(logits, 4, truth);
      assert.ok(Math.abs(temperature / distortion - 1) < 0.04, `${temperature} for ${distortion}`);
    }
  });

  it('is never worse than any temperature of a grid', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 2, max: 4 }), fc.integer({ min: 2, max: 40 }), (seed, width, rows) => {
        const random = new Random(seed);
        const logits = Array.from({ length: rows * width }, () => random.normal() * 5);
        const truth = Array.from({ length: rows }, () => random.below(width));
        const best = negativeLogLikelihood(logits, width, truth, fitTemperature(logits, width, truth));
        for (let exponent = -2.9; exponent <= 2.9; exponent += 0.1) assert.ok(best <= negativeLogLikelihood(logits, width, truth, Math.exp(exponent)) + 1e-9);
      }),
    );
  });

  it('stays within its bounds and changes nothing without examples', () => {
    assert.strictEqual(fitTemperature([], 2, []), 1);
    const sure = fitTemperature([3, 0, 0, 3], 2, [0, 1]);
    const wrong = fitTemperature([3, 0, 0, 3], 2, [1, 0]);
    assert.ok(sure >= 0.05 && sure < 0.051, `${sure}`);
    assert.ok(wrong <= 20 && wrong > 19.9, `${wrong}`);
  });

  it('does not overflow', () => {
    assert.ok(Number.isFinite(negativeLogLikelihood([1e6, -1e6], 2, [1], 0.05)));
    assert.strictEqual(negativeLogLikelihood([1e6, -1e6], 2, [0], 0.05), 0);
  });
});

describe('refitTemperature', () => {
  const half = (rows: number): readonly [number[], number[]] => [Array.from({ length: 2 * rows }, (_, k) => (k % 2 === 0 ? 3 : 0)), Array.from({ length: rows }, (_, row) => (row % 4 === 0 ? 1 : 0))];

  it('keeps what there was until there are a hundred examples', () => {
    for (const rows of [0, 1, rowsForTemperature - 1]) assert.strictEqual(refitTemperature(half(rows)[0], 2, half(rows)[1], 1.7), 1.7);
    const [logits, truth] = half(rowsForTemperature);
    assert.strictEqual(refitTemperature(logits, 2, truth, 1.7), fitTemperature(logits, 2, truth));
  });

  it('believes a new model’s examples the more the more there are', () => {
    const temperatures = [0, 4, 20, 60, rowsForTemperature].map((rows) => refitTemperature(half(rows)[0], 2, half(rows)[1], undefined));
    assert.strictEqual(temperatures[0], 1);
    for (const [index, temperature] of temperatures.slice(1).entries()) assert.ok(temperature > temperatures[index]!, temperatures.join());
  });
});
