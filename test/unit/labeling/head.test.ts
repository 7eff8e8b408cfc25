import * as assert from 'node:assert';
import * as fc from 'fast-check';
import type { TaskKind } from '../../../src/core/model/onnxWriter';
import { Random } from '../../../src/core/util/random';
import { FeatureStore } from '../../../src/labeling/featureStore';
import { Head, HeadObjective, parameterCount, penaltiesFor, standardizeInto, type HeadShape, type Lesson } from '../../../src/labeling/head';
import { fitHead, isLearnable, type Lecture } from '../../../src/labeling/headFit';
import { minimizeNow } from '../../../src/core/util/minimize';
import { batchOf, madeTexts } from './texts';

const kinds: readonly TaskKind[] = ['single', 'multi', 'number'];
const penalties = { weights: 0.7, biases: 0.3, base: 2 };

function randomLesson(shape: HeadShape, rows: number, seed: number): Lesson {
  const random = new Random(seed);
  const { kind, width, outputs } = shape;
  const targets = new Float64Array(rows * outputs);
  for (let row = 0; row < rows; row++) {
    if (kind === 'number') targets[row] = random.normal();
    else if (kind === 'single') targets[row * outputs + random.below(outputs)] = 1;
    else for (let k = 0; k < outputs; k++) targets[row * outputs + k] = random.below(2);
  }
  return {
    inputs: Float32Array.from({ length: rows * width }, () => random.normal()),
    targets,
    base: Float64Array.from({ length: shape.hasBase ? rows * outputs : 0 }, () => random.normal()),
    rows,
  };
}

describe('the head', () => {
  for (const kind of kinds) {
    for (const hasBase of [false, true]) {
      const shape: HeadShape = { kind, width: 5, outputs: kind === 'number' ? 1 : 3, hasBase };
      it(`${kind}${hasBase ? ' on a base model' : ''}: its gradient is the slope of its loss`, () => {
        fc.assert(
          fc.property(fc.integer(), fc.integer({ min: 0, max: 7 }), (seed, rows) => {
            const objective = new HeadObjective(shape, randomLesson(shape, rows, seed), penalties);
            const random = new Random(seed + 1);
            const point = Float64Array.from({ length: objective.size }, () => random.normal());
            const gradient = new Float64Array(objective.size);
            objective.evaluate(point, gradient);
            const step = 1e-5;
            const spare = new Float64Array(objective.size);
            for (let i = 0; i < objective.size; i++) {
              const nudged = (by: number): number => objective.evaluate(point.map((value, j) => (j === i ? value + by : value)), spare);
              const slope = (nudged(step) - nudged(-step)) / (2 * step);
              assert.ok(Math.abs(slope - gradient[i]!) < 1e-5 * Math.max(1, Math.abs(slope)), `parameter ${i}: ${gradient[i]} for ${slope}`);
            }
          }),
          { numRuns: 20 },
        );
      });

      it(`${kind}${hasBase ? ' on a base model' : ''}: learning comes to the optimum of Newton's method, from wherever it starts`, () => {
        const objective = new HeadObjective(shape, randomLesson(shape, 40, 3), penalties);
        const optimum = newton(objective);
        const random = new Random(4);
        for (const start of [new Float64Array(objective.size), Float64Array.from({ length: objective.size }, () => 3 * random.normal())]) {
          const { converged } = minimizeNow(objective, start, { evaluations: 500, tolerance: 1e-7 });
          assert.ok(converged);
          start.forEach((value, i) => assert.ok(Math.abs(value - optimum[i]!) < 1e-5, `parameter ${i}: ${value} for ${optimum[i]}`));
        }
      });
    }
  }

  it('of numbers is ridge regression: the solution of the normal equations', () => {
    const shape: HeadShape = { kind: 'number', width: 4, outputs: 1, hasBase: false };
    const lesson = randomLesson(shape, 12, 8);
    const design = Array.from({ length: lesson.rows }, (_, row) => [...lesson.inputs.slice(row * 4, row * 4 + 4), 1]);
    const normal = Array.from({ length: 5 }, (_, i) => Array.from({ length: 5 }, (_, j) => design.reduce((sum, row) => sum + row[i]! * row[j]!, 0) + (i !== j ? 0 : i < 4 ? penalties.weights : penalties.biases)));
    const expected = solve(normal, Array.from({ length: 5 }, (_, i) => design.reduce((sum, row, r) => sum + row[i]! * lesson.targets[r]!, 0)));
    const point = new Float64Array(5);
    minimizeNow(new HeadObjective(shape, lesson, penalties), point, { evaluations: 200, tolerance: 1e-9 });
    point.forEach((value, i) => assert.ok(Math.abs(value - expected[i]!) < 1e-6));
  });

  it('reads features as they come, as it read them standardized when it learned', () => {
    const made = madeTexts(50, { width: 6 });
    const store = new FeatureStore(50, 6, 3, false);
    store.add(batchOf(made, 0, 50));
    const statistics = store.statistics();
    const shape: HeadShape = { kind: 'single', width: 6, outputs: 3, hasBase: false };
    const random = new Random(2);
    const parameters = Float64Array.from({ length: parameterCount(shape) }, () => random.normal());
    const head = new Head(shape, parameters, statistics);
    const inputs = new Float32Array(6);
    const scores = new Float32Array(3);
    for (let position = 0; position < 50; position++) {
      standardizeInto(inputs, 0, store, position, statistics);
      const powers = [0, 1, 2].map((k) => Math.exp(parameters[18 + k]! + inputs.reduce((sum, value, j) => sum + value * parameters[k * 6 + j]!, 0)));
      const total = powers.reduce((sum, power) => sum + power, 0);
      head.score(store, position, scores, 0);
      powers.forEach((power, k) => assert.ok(Math.abs(scores[k]! - power / total) < 1e-5));
    }
  });

  it('with a base model begins there, and leaves it as far as the decisions tell', () => {
    const made = madeTexts(400, { labels: 2, width: 6, noise: 1.5 });
    const base = Float32Array.from({ length: 800 }, (_, i) => (i % 2 === 0 ? 0.8 : 0.2));
    const store = new FeatureStore(400, 6, 2, true);
    store.add({ ...batchOf(made, 0, 400), scores: base });
    const shape: HeadShape = { kind: 'single', width: 6, outputs: 2, hasBase: store.hasBase };
    const learned = (count: number): Head => finish(fitHead(shape, store, store.statistics(), lectures(made.truth, count)));
    const scores = new Float32Array(2);
    new Head(shape, new Float64Array(parameterCount(shape)), store.statistics()).score(store, 7, scores, 0);
    assert.ok(Math.abs(scores[0]! - 0.8) < 1e-6);
    const distance = (head: Head): number => {
      let sum = 0;
      for (let position = 200; position < 400; position++) {
        head.score(store, position, scores, 0);
        sum += Math.abs(scores[0]! - 0.8);
      }
      return sum / 200;
    };
    const [few, some, many] = [learned(2), learned(20), learned(200)].map(distance);
    assert.ok(few! < some! && some! < many!, `${few}, ${some}, ${many}`);
  });

  it('is held tighter the fewer the rows', () => {
    for (const hasBase of [false, true]) {
      const strengths = [1, 10, 100, 1000, 10000].map((rows) => penaltiesFor({ kind: 'single', width: 100, outputs: 3, hasBase }, rows).weights);
      assert.deepStrictEqual(strengths, [...strengths].sort((a, b) => b - a));
      assert.ok(strengths[4]! > 0);
    }
  });

  it('has nothing to learn from one kind of answer, unless there is a base model', () => {
    const shape: HeadShape = { kind: 'single', width: 4, outputs: 2, hasBase: false };
    const row = (label: number): Lecture => ({ position: 0, value: [label] });
    assert.ok(!isLearnable(shape, []));
    assert.ok(!isLearnable(shape, [row(1), row(1)]));
    assert.ok(isLearnable(shape, [row(1), row(0)]));
    assert.ok(isLearnable({ ...shape, hasBase: true }, [row(1)]));
  });
});

describe('features of a pool', () => {
  it('have mean 0, and a mean square norm of 1 where all vary', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 60 }), fc.integer({ min: 1, max: 20 }), fc.integer(), (count, width, seed) => {
        const made = madeTexts(count, { width, seed });
        const store = new FeatureStore(count, width, 3, false);
        const cut = seed >>> 0 > 2 ** 31 ? Math.floor(count / 2) : count;
        store.add(batchOf(made, cut, count));
        store.add(batchOf(made, 0, cut));
        const statistics = store.statistics();
        const inputs = new Float32Array(count * width);
        for (let position = 0; position < count; position++) standardizeInto(inputs, position * width, store, position, statistics);
        for (let j = 0; j < width; j++) assert.ok(Math.abs(inputs.reduce((sum, value, i) => sum + (i % width === j ? value : 0), 0)) < 1e-3);
        assert.ok(Math.abs(inputs.reduce((sum, value) => sum + value * value, 0) / count - 1) < 1e-3);
      }),
    );
  });

  it('that do not vary, or are no numbers, say nothing', () => {
    const store = new FeatureStore(3, 2, 2, false);
    store.add({ positions: Int32Array.of(0, 1, 2), width: 2, features: Float32Array.of(1e6, NaN, 1e6, 1, 1e6, Infinity) });
    const inputs = new Float32Array(2);
    standardizeInto(inputs, 0, store, 1, store.statistics());
    assert.strictEqual(inputs[0], 0);
    assert.ok(Number.isFinite(inputs[1]));
  });

  it('refuse what does not fit', () => {
    const store = new FeatureStore(3, 2, 2, true);
    assert.throws(() => store.add({ positions: Int32Array.of(0), width: 3, features: new Float32Array(3) }), /3 features/);
    assert.throws(() => store.add({ positions: Int32Array.of(3), width: 2, features: new Float32Array(2) }), /no text 3/);
    assert.throws(() => store.add({ positions: Int32Array.of(0), width: 2, features: new Float32Array(2), scores: new Float32Array(3) }), /3 scores/);
    assert.throws(() => store.row(1), /not known/);
  });
});

function lectures(truth: readonly number[], count: number): Lecture[] {
  return Array.from({ length: count }, (_, position) => ({ position, value: [truth[position]!] }));
}

function finish<R>(work: Generator<undefined, R>): R {
  for (;;) {
    const { done, value } = work.next();
    if (done) return value;
  }
}

/** Minimum by Newton's method, with the Hessian from differences of the gradient. */
function newton(objective: HeadObjective): Float64Array {
  const { size } = objective;
  const point = new Float64Array(size);
  const gradientAt = (at: Float64Array): Float64Array => {
    const gradient = new Float64Array(size);
    objective.evaluate(at, gradient);
    return gradient;
  };
  for (let round = 0; round < 30; round++) {
    const gradient = gradientAt(point);
    const step = 1e-5;
    const hessian = Array.from({ length: size }, (_, i) => {
      const [right, left] = [step, -step].map((by) => gradientAt(point.map((value, j) => (j === i ? value + by : value))));
      return Array.from({ length: size }, (_, j) => (right![j]! - left![j]!) / (2 * step));
    });
    solve(hessian, [...gradient]).forEach((part, i) => (point[i]! -= part));
  }
  return point;
}

/** Gaussian elimination with pivoting. */
function solve(matrix: readonly (readonly number[])[], right: readonly number[]): number[] {
  const rows = matrix.map((row, i) => [...row, right[i]!]);
  const size = rows.length;
  for (let column = 0; column < size; column++) {
    let pivot = column;
    for (let row = column; row < size; row++) if (Math.abs(rows[row]![column]!) > Math.abs(rows[pivot]![column]!)) pivot = row;
    [rows[column], rows[pivot]] = [rows[pivot]!, rows[column]!];
    for (let row = 0; row < size; row++) {
      if (row === column) continue;
      const factor = rows[row]![column]! / rows[column]![column]!;
      for (let k = column; k <= size; k++) rows[row]![k]! -= factor * rows[column]![k]!;
    }
  }
  return rows.map((row, i) => row[size]! / row[i]!);
}
