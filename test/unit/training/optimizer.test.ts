import * as assert from 'node:assert';
import { Random } from '../../../src/core/util/random';
import { ngramBuckets, ngramLayerOf } from '../../../src/core/model/ngrams';
import { adamDefaults, parameterLayout, type ComputeEngine, type OptimizerStep } from '../../../src/training/engine';
import { initializeWeights } from '../../../src/training/initialize';
import { batchOf, engines, randomEngine, smallArchitectures } from './engines';

const architecture = smallArchitectures({ vocabularySize: 9, labels: 3 })['two directions, max and mean, dropout']!;
const embedding = architecture.layers[0]!;

/** Random gradients everywhere; in the table for the rows of `ids` only. */
function drawGradients(engine: ComputeEngine, random: Random, ids: readonly number[]): void {
  if (embedding.type !== 'embedding') throw new Error('The first layer is the embedding.');
  engine.begin(true);
  const batch = batchOf([ids]);
  const slopes = Float32Array.from({ length: ids.length * embedding.size }, () => random.normal());
  engine.embedBackward(batch, embedding, engine.write(slopes, { lengths: batch.lengths, time: batch.time, width: embedding.size }));
  const gradients = engine.gradients();
  for (const { name, offset, size } of engine.layout.parameters) if (!name.endsWith('/table')) for (let k = offset; k < offset + size; k++) gradients[k] = random.normal();
}

/** Adam by the book, in double precision. `touched`: rows of the table that take part. */
class PlainAdam {
  readonly weights: Float64Array;
  readonly first: Float64Array;
  readonly second: Float64Array;
  private steps = 0;

  constructor(private readonly layout: ComputeEngine['layout'], weights: Float32Array) {
    this.weights = Float64Array.from(weights);
    this.first = new Float64Array(weights.length);
    this.second = new Float64Array(weights.length);
  }

  step(gradients: Float64Array, touched: ReadonlySet<number>, { learningRates, clipNorm, beta1, beta2, epsilon, weightDecay }: OptimizerStep): number {
    this.steps++;
    const active = this.layout.parameters.flatMap(({ name, offset, size, shape }, parameter) =>
      Array.from({ length: size }, (_, k) => ({ k: offset + k, rate: learningRates[parameter]!, decay: shape.length > 1 ? weightDecay : 0, row: Math.floor(k / (shape[1] ?? 1)), table: name.endsWith('/table') })),
    ).filter(({ rate, row, table }) => rate > 0 && (!table || touched.has(row)));
    const norm = Math.sqrt(active.reduce((sum, { k }) => sum + gradients[k]! ** 2, 0));
    for (const { k, rate, decay } of active) {
      const slope = gradients[k]! * Math.min(1, clipNorm / norm);
      this.first[k] = beta1 * this.first[k]! + (1 - beta1) * slope;
      this.second[k] = beta2 * this.second[k]! + (1 - beta2) * slope ** 2;
      const first = this.first[k] / (1 - beta1 ** this.steps);
      const second = this.second[k] / (1 - beta2 ** this.steps);
      this.weights[k]! -= rate * (first / (Math.sqrt(second) + epsilon) + decay * this.weights[k]!);
    }
    return norm;
  }
}

for (const { name, create } of engines) {
  describe(`${name} engine's optimizer`, () => {
    for (const [title, settings] of Object.entries({
      'without clipping': { clipNorm: Infinity, weightDecay: 0, frozen: '' },
      'with clipping, weight decay and a frozen layer': { clipNorm: 0.5, weightDecay: 0.01, frozen: 'lstm/backward' },
      'with a frozen embedding': { clipNorm: 5, weightDecay: 0, frozen: 'embedding' },
    })) {
      it(`is Adam, row by row in the embedding, ${title}`, async () => {
        const engine = await randomEngine(create, architecture, 4);
        const random = new Random(8);
        const plain = new PlainAdam(engine.layout, engine.weights());
        for (const ids of [[2, 3, 2], [5], [2, 8, 1], [3, 3, 3]]) {
          drawGradients(engine, random, ids);
          const step = {
            ...adamDefaults,
            clipNorm: settings.clipNorm,
            weightDecay: settings.weightDecay,
            learningRates: engine.layout.parameters.map((parameter, index) => (settings.frozen !== '' && parameter.name.startsWith(settings.frozen) ? 0 : 0.01 * (1 + index))),
          };
          const expected = plain.step(Float64Array.from(engine.gradients()), new Set(ids), step);
          const norm = engine.clipAndStep(step);
          assert.ok(Math.abs(norm - expected) < 1e-4, `norm ${norm} instead of ${expected}`);
          for (const [what, actual, wanted] of [
            ['weight', engine.weights(), plain.weights],
            ['first moment', engine.moments().first, plain.first],
            ['second moment', engine.moments().second, plain.second],
          ] as const)
            actual.forEach((value, k) => assert.ok(Math.abs(value - wanted[k]!) < 2e-6, `${what} ${k}: ${value} instead of ${wanted[k]}`));
          assert.ok(engine.gradients().every((slope) => slope === 0));
        }
        assert.strictEqual(engine.steps, 4);
        engine.dispose();
      });
    }

    it('leaves everything as it was when a gradient is not a number', async () => {
      const engine = await randomEngine(create, architecture, 4);
      drawGradients(engine, new Random(8), [2, 3]);
      engine.gradients()[engine.layout.find('head/bias').offset] = NaN;
      const before = engine.weights().slice();
      assert.ok(Number.isNaN(engine.clipAndStep({ ...adamDefaults, clipNorm: 1, learningRates: engine.layout.parameters.map(() => 0.1) })));
      assert.deepStrictEqual(engine.weights().slice(), before);
      assert.strictEqual(engine.steps, 0);
      assert.ok(engine.gradients().every((slope) => slope === 0));
      engine.dispose();
    });
  });
}

for (const { name, create } of engines) {
  it(`${name} engine's optimizer takes of n-grams the rows that were used, and no others`, async () => {
    const wide = smallArchitectures({ vocabularySize: 9, labels: 3 })['n-grams beside an LSTM']!;
    const layer = ngramLayerOf(wide)!;
    const engine = await randomEngine(create, wide, 4);
    const { offset, shape } = engine.layout.find('ngrams/table');
    const before = engine.weights().slice();
    const text = [2, 7];
    engine.begin(true);
    engine.ngramsBackward(batchOf([text, []]), layer, Float32Array.of(1, -1, 0, 1, 1, 1));
    engine.clipAndStep({ ...adamDefaults, clipNorm: Infinity, learningRates: engine.layout.parameters.map(() => 0.01) });
    const used = new Set(ngramBuckets(text, layer));
    assert.ok(used.size > 0 && used.size < layer.buckets);
    engine.weights().forEach((weight, k) => {
      const [row, column] = [Math.floor((k - offset) / shape[1]!), (k - offset) % shape[1]!];
      const step = k >= offset && used.has(row) ? [-0.01, 0.01, 0, 0][column]! : 0;
      assert.ok(Math.abs(weight - before[k]! - step) < 1e-6, `row ${row}, column ${column}: ${before[k]} became ${weight}`);
    });
    assert.ok(engine.gradients().every((slope) => slope === 0));
    engine.dispose();
  });
}

describe('fresh weights', () => {
  const layout = parameterLayout(architecture);
  const draw = (seed: number): Float32Array => {
    const weights = new Float32Array(layout.length);
    initializeWeights(layout, weights, seed);
    return weights;
  };

  it('follow the seed', () => {
    assert.deepStrictEqual(draw(1), draw(1));
    assert.notDeepStrictEqual(draw(1), draw(2));
  });

  it('let n-grams add nothing', () => {
    const wide = parameterLayout(smallArchitectures({ vocabularySize: 9, labels: 3 })['n-grams beside an LSTM']!);
    const weights = new Float32Array(wide.length).fill(7);
    initializeWeights(wide, weights, 1);
    const { offset, size } = wide.find('ngrams/table');
    assert.ok(weights.subarray(offset, offset + size).every((value) => value === 0));
  });

  it('spread a convolution by what a filter reads and what reads a step, and attention as any matrix', () => {
    const own = parameterLayout({
      preset: 'test',
      layers: [
        { type: 'embedding', name: 'embedding', vocabularySize: 3, size: 16 },
        { type: 'conv', name: 'conv', filters: 32, kernelSize: 5, activation: 'relu' },
        { type: 'attention', name: 'attention', units: 24 },
        { type: 'dense', name: 'head', units: 2, activation: 'linear' },
      ],
    });
    const weights = new Float32Array(own.length);
    initializeWeights(own, weights, 1);
    const widest = (name: string): number => {
      const { offset, size } = own.find(name);
      return weights.subarray(offset, offset + size).reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    };
    for (const [name, limit] of [['conv/kernel', Math.sqrt(6 / (5 * 16 + 5 * 32))], ['attention/kernel', Math.sqrt(6 / (32 + 24))], ['attention/context', Math.sqrt(6 / 25)]] as const)
      assert.ok(widest(name) <= limit && widest(name) > 0.8 * limit, `${name}: ${widest(name)} of ${limit}`);
    assert.strictEqual(widest('conv/bias') + widest('attention/bias'), 0);
  });

  it('have a zero row for padding, a forget bias of one and zeros in the gaps', () => {
    const weights = draw(1);
    const of = (name: string): number[] => {
      const { offset, size } = layout.find(name);
      return [...weights.subarray(offset, offset + size)];
    };
    assert.ok(of('embedding/table').slice(0, 8).every((value) => value === 0));
    assert.ok(of('embedding/table').slice(8).every((value) => value !== 0 && Math.abs(value) < 0.6));
    assert.deepStrictEqual(of('lstm/backward/bias'), [0, 0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
    assert.deepStrictEqual(of('head/bias'), [0, 0, 0]);
    const covered = new Set(layout.parameters.flatMap(({ offset, size }) => Array.from({ length: size }, (_, k) => offset + k)));
    weights.forEach((value, k) => assert.ok(covered.has(k) || value === 0));
    for (const { offset } of layout.parameters) assert.strictEqual(offset % 4, 0);
  });
});
