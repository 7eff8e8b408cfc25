import * as assert from 'node:assert';
import * as fc from 'fast-check';
import type { TaskKind } from '../../../src/core/model/onnxWriter';
import { Random } from '../../../src/core/util/random';
import { chooseBlend } from '../../../src/labeling/blend';
import { FeatureStore, type FeatureStatistics } from '../../../src/labeling/featureStore';
import { Head, HeadObjective, parameterCount, penaltiesFor, standardizeInto, valueScale, type Blend, type HeadShape, type Lesson, type Reading } from '../../../src/labeling/head';
import { fitHead, isLearnable, type Lecture } from '../../../src/labeling/headFit';
import { minimizeNow } from '../../../src/core/util/minimize';
import { NgramColumns, type SparseRows } from '../../../src/labeling/ngramColumns';
import { bucketOf, frequencyOf } from '../../../src/labeling/ngramStore';
import { batchOf, madeTexts } from './texts';

const kinds: readonly TaskKind[] = ['single', 'multi', 'number'];
const penalties = { weights: 0.7, biases: 0.3, base: 2 };
const noNgrams: SparseRows = { columns: 0, starts: new Int32Array(100), column: new Int32Array(0), value: new Float32Array(0) };
const plain: Blend = { features: 1, ngrams: 1 };

/** Up to three entries a row. */
function randomRows(rows: number, columns: number, random: Random): SparseRows {
  const entries = Array.from({ length: rows }, () => random.shuffle(Array.from({ length: columns }, (_, column) => column)).slice(0, random.below(4)));
  const starts = new Int32Array(rows + 1);
  entries.forEach((list, row) => (starts[row + 1] = starts[row]! + list.length));
  return { columns, starts, column: Int32Array.from(entries.flat()), value: Float32Array.from(entries.flat(), () => random.normal()) };
}

function randomLesson(shape: HeadShape, rows: number, seed: number, columns = 4): Lesson {
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
    ngrams: randomRows(rows, columns, random),
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
    const lesson = randomLesson(shape, 12, 8, 0);
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
    const parameters = Float64Array.from({ length: parameterCount(shape, 0) }, () => random.normal());
    const head = new Head(shape, parameters, readingOf(statistics));
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
    const learned = (count: number): Head => finish(fitHead(shape, store, store.statistics(), finish(chooseBlend(shape, store, store.statistics(), lectures(made.truth, count))).blend, lectures(made.truth, count)));
    const scores = new Float32Array(2);
    new Head(shape, new Float64Array(parameterCount(shape, 0)), readingOf(store.statistics())).score(store, 7, scores, 0);
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

  for (const kind of kinds) {
    it(`${kind}: with few columns for many n-grams says the same as with a dense input for each`, () => {
      fc.assert(
        fc.property(fc.integer({ min: 0, max: 1e6 }), fc.integer({ min: 2, max: 12 }), (seed, rows) => {
          const made = madeTexts(30, { width: 4, words: 8, seed });
          const store = new FeatureStore(30, 4, kind === 'number' ? 1 : 3, false);
          store.add(batchOf(made, 0, 30));
          const shape: HeadShape = { kind, width: 4, outputs: kind === 'number' ? 1 : 3, hasBase: false };
          const decided = lectures(made.truth, rows).map(({ position, value }) => ({ position, value: kind === 'number' ? position % 3 : value }));
          const blend = { features: 1, ngrams: 5 };
          const head = finish(fitHead(shape, store, store.statistics(), blend, decided));
          const dense = denseScores(shape, store, blend, decided);
          const scores = new Float32Array(shape.outputs);
          for (let position = rows; position < 30; position++) {
            head.score(store, position, scores, 0);
            scores.forEach((score, k) => assert.ok(Math.abs(score - dense[position * shape.outputs + k]!) < 0.02, `text ${position}: ${score} for ${dense[position * shape.outputs + k]}`));
          }
        }),
        { numRuns: 15 },
      );
    });
  }

  for (const kind of kinds) {
    it(`${kind}: says of a text that it learned from about what it would say had it not`, () => {
      const outputs = kind === 'number' ? 1 : 3;
      const made = madeTexts(60, { width: 6, words: 12 });
      const store = new FeatureStore(60, 6, outputs, false);
      store.add(batchOf(made, 0, 60));
      const shape: HeadShape = { kind, width: 6, outputs, hasBase: false };
      const decided = lectures(made.truth, 25).map(({ position, value }) => ({ position, value: kind === 'number' ? made.truth[position]! : value }));
      const learn = (rows: readonly Lecture[]): Head => finish(fitHead(shape, store, store.statistics(), { features: 0.1, ngrams: 20 }, rows));
      const whole = learn(decided);
      const [own, without] = [new Float32Array(outputs), new Float32Array(outputs)];
      let [near, far] = [0, 0];
      for (const { position } of decided) {
        whole.score(store, position, own, 0);
        learn(decided.filter((row) => row.position !== position)).score(store, position, without, 0);
        const truth = made.truth[position]!;
        own.forEach((score, k) => {
          near += Math.abs(score - without[k]!);
          far += Math.abs((kind === 'number' ? truth : k === truth ? 1 : 0) - without[k]!);
        });
      }
      assert.ok(near < far / 2, `${near} and ${far}`);
    });
  }

  it('comes to the same from an earlier head as from nothing, whatever that head was', () => {
    const made = madeTexts(120, { width: 6, words: 20, noise: 2 });
    const store = new FeatureStore(120, 6, 3, false);
    store.add(batchOf(made, 0, 120));
    const shape: HeadShape = { kind: 'single', width: 6, outputs: 3, hasBase: false };
    const decided = lectures(made.truth, 40);
    const learn = (count: number, blend: Blend, earlier?: Head): Head => finish(fitHead(shape, store, store.statistics(), blend, decided.slice(0, count), earlier));
    const blend = { features: 3, ngrams: 30 };
    const fresh = learn(40, blend);
    const [own, other] = [new Float32Array(3), new Float32Array(3)];
    for (const earlier of [learn(20, blend), learn(35, { features: 10, ngrams: 300 }), learn(40, plain)]) {
      const later = learn(40, blend, earlier);
      for (let position = 0; position < 120; position++) {
        fresh.score(store, position, own, 0);
        later.score(store, position, other, 0);
        own.forEach((score, k) => assert.ok(Math.abs(score - other[k]!) < 0.02, `${score} and ${other[k]}`));
      }
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

function readingOf(statistics: FeatureStatistics): Reading {
  return { statistics, blend: plain, columns: new NgramColumns(statistics.ngrams, []) };
}

/** Scores of all texts by a head whose inputs are dense: one for each feature and each n-gram of the pool. */
function denseScores(shape: HeadShape, store: FeatureStore, blend: Blend, decided: readonly Lecture[]): Float64Array {
  const { kind, width, outputs } = shape;
  const { count } = store;
  const statistics = store.statistics();
  const positions = Array.from({ length: count }, (_, position) => position);
  const buckets = [...new Set(positions.flatMap((position) => entriesOf(store, position).map(({ bucket }) => bucket)))];
  const wide = width + buckets.length;
  const inputs = new Float32Array(count * wide);
  for (const position of positions) {
    standardizeInto(inputs, position * wide, store, position, statistics, blend.features);
    for (const { bucket, value } of entriesOf(store, position)) inputs[position * wide + width + buckets.indexOf(bucket)] = Math.sqrt(blend.ngrams) * value;
  }
  const values = valueScale(decided.map(({ value }) => (typeof value === 'number' ? value : 0)));
  const targets = new Float64Array(decided.length * outputs);
  decided.forEach(({ value }, row) => {
    if (typeof value === 'number') targets[row] = (value - values.mean) / values.deviation;
    else for (const label of value) targets[row * outputs + label] = 1;
  });
  const lesson: Lesson = { inputs: inputs.slice(0, decided.length * wide), ngrams: noNgrams, targets, base: new Float64Array(0), rows: decided.length };
  const objective = new HeadObjective({ ...shape, width: wide }, lesson, penaltiesFor(shape));
  const point = new Float64Array(objective.size);
  minimizeNow(objective, point, { evaluations: 500, tolerance: 1e-6 });
  return Float64Array.from({ length: count * outputs }, (_, i) => {
    const [position, own] = [Math.floor(i / outputs), i % outputs];
    const logits = Array.from({ length: outputs }, (_, k) => inputs.subarray(position * wide, (position + 1) * wide).reduce((sum, value, j) => sum + value * point[k * wide + j]!, point[outputs * wide + k]!));
    if (kind === 'number') return values.mean + values.deviation * logits[0]!;
    if (kind === 'multi') return 1 / (1 + Math.exp(-logits[own]!));
    return Math.exp(logits[own]!) / logits.reduce((sum, logit) => sum + Math.exp(logit), 0);
  });
}

/** What a text says of each of its n-grams: frequency times rarity, of norm 1. */
function entriesOf(store: FeatureStore, position: number): { readonly bucket: number; readonly value: number }[] {
  const { rarity } = store.statistics().ngrams;
  const { entries, from, to } = store.ngrams.row(position);
  const own = Array.from(entries.slice(from, to), (entry) => ({ bucket: bucketOf(entry), value: frequencyOf(entry) * rarity[bucketOf(entry)]! })).filter(({ value }) => value > 0);
  const norm = Math.hypot(...own.map(({ value }) => value));
  return own.map(({ bucket, value }) => ({ bucket, value: value / norm }));
}

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
