import * as assert from 'node:assert';
import fc from 'fast-check';
import type { Architecture, EmbeddingLayer, LstmLayer, PoolLayer } from '../../../src/core/model/architecture';
import { Random } from '../../../src/core/util/random';
import { adamDefaults, parameterLayout, type ComputeEngine, type LstmOptions, type ParameterLayout, type Sequence, type TokenBatch } from '../../../src/training/engine';
import { createKernelEngine } from '../../../src/training/kernels/kernelEngine';
import { supportsRelaxed, type KernelBuild } from '../../../src/training/kernels/kernels';
import { planShards } from '../../../src/training/kernels/shards';
import { startHelpers } from '../../helperThreads';
import * as oracle from './oracle';

/** An embedding, one or two LSTM layers and a pooling, which is all that the engine computes. */
interface Shape {
  readonly vocabulary: number;
  readonly embedding: number;
  readonly units: readonly number[];
  readonly bidirectional: boolean;
  readonly methods: PoolLayer['methods'];
  readonly lengths: readonly number[];
  /** Steps of padding after the longest text. */
  readonly padding: number;
  readonly seed: number;
  readonly weightDrop: boolean;
  readonly dropout: boolean;
}

const shapes: fc.Arbitrary<Shape> = fc.record({
  vocabulary: fc.integer({ min: 2, max: 30 }),
  embedding: fc.integer({ min: 1, max: 5 }).map((n) => 4 * n),
  units: fc.array(fc.integer({ min: 1, max: 4 }).map((n) => 4 * n), { minLength: 1, maxLength: 2 }),
  bidirectional: fc.boolean(),
  methods: fc.subarray(['max', 'mean', 'last'] as const, { minLength: 1 }),
  lengths: fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 14 }),
  padding: fc.integer({ min: 0, max: 2 }),
  seed: fc.nat(),
  weightDrop: fc.boolean(),
  dropout: fc.boolean(),
});

/** More texts than rows are packed at a time, more positions than a block has, panels of every height, and widths that are not multiples of 8. */
const large: Shape[] = [
  { vocabulary: 50, embedding: 20, units: [12], bidirectional: true, methods: ['max', 'mean', 'last'], lengths: Array.from({ length: 59 }, (_, i) => (i * 7) % 31), padding: 1, seed: 1, weightDrop: true, dropout: true },
  { vocabulary: 50, embedding: 8, units: [20, 8], bidirectional: true, methods: ['last', 'max'], lengths: Array.from({ length: 9 }, (_, i) => 61 - 5 * i), padding: 0, seed: 2, weightDrop: false, dropout: true },
  { vocabulary: 300, embedding: 4, units: [4], bidirectional: false, methods: ['mean'], lengths: Array.from({ length: 300 }, (_, i) => 1 + (i % 7)), padding: 0, seed: 3, weightDrop: true, dropout: false },
];

const embeddingOf = ({ vocabulary, embedding }: Shape): EmbeddingLayer => ({ type: 'embedding', name: 'embedding', vocabularySize: vocabulary, size: embedding });
const lstmsOf = ({ units, bidirectional }: Shape): LstmLayer[] => units.map((n, index) => ({ type: 'lstm', name: `lstm${index}`, units: n, bidirectional }));
const poolOf = ({ methods }: Shape): PoolLayer => ({ type: 'pool', name: 'pool', methods });

function architectureOf(shape: Shape): Architecture {
  return { preset: 'test', layers: [embeddingOf(shape), ...lstmsOf(shape), poolOf(shape), { type: 'dense', name: 'head', units: 3, activation: 'linear' }] };
}

/** Weights, tokens, masks and a gradient to the features, all drawn from the shape's seed. */
function drawn(shape: Shape) {
  const random = new Random(shape.seed);
  const layout = parameterLayout(architectureOf(shape));
  const weights = new Float32Array(layout.length);
  // what masks keep they double, and recurrences with such weights would amplify what rounding leaves
  const spread = shape.weightDrop || shape.dropout ? 0.2 : 0.4;
  for (const { offset, size } of layout.parameters) for (let i = 0; i < size; i++) weights[offset + i] = spread * random.normal();
  const time = Math.max(1, ...shape.lengths) + shape.padding;
  const lengths = Int32Array.from(shape.lengths);
  const ids = Int32Array.from({ length: lengths.length * time }, () => random.below(shape.vocabulary));
  const bits = (size: number): Uint8Array => Uint8Array.from({ length: size }, () => random.below(2));
  const directions = shape.bidirectional ? 2 : 1;
  const masks = lstmsOf(shape).map(({ units }) => Array.from({ length: directions }, () => bits(units * 4 * units)));
  const features = shape.methods.length * directions * shape.units.at(-1)!;
  const dropouts = [shape.embedding, ...shape.units.map((n) => directions * n)].map((width) => bits(lengths.length * time * width));
  // of the size that a mean loss over the batch has, so that gradients stay under 1 as in training
  const dy = Float32Array.from({ length: lengths.length * features }, () => (0.2 * random.normal()) / lengths.length);
  const batch: TokenBatch = { ids, lengths, time };
  return { layout, weights, batch, masks, dropouts, dy, directions };
}

type Drawn = ReturnType<typeof drawn>;

interface Outcome {
  readonly sequences: ArrayLike<number>[];
  readonly features: ArrayLike<number>;
  readonly gradients: ArrayLike<number>;
}

/** A forward and a backward pass on an engine. */
function onEngine(engine: ComputeEngine, shape: Shape, { batch, masks, dropouts, dy }: Drawn): Outcome {
  engine.begin(true);
  const lstms = lstmsOf(shape);
  const drop = (x: Sequence, index: number): Sequence => (shape.dropout ? engine.mask(x, dropouts[index]!, 2) : x);
  const outputs: Sequence[] = [];
  let x = drop(engine.embed(batch, embeddingOf(shape)), 0);
  const sequences = [engine.read(x)];
  lstms.forEach((layer, index) => {
    const options: LstmOptions = shape.weightDrop ? { recurrentMasks: masks[index]!, scale: 2 } : {};
    const y = engine.lstm(x, layer, options);
    outputs.push(y);
    x = drop(y, index + 1);
    sequences.push(engine.read(x));
  });
  const features = engine.pool(x, poolOf(shape), lstms.at(-1));
  let dx = engine.poolBackward(x, poolOf(shape), lstms.at(-1), dy);
  for (let index = lstms.length - 1; index >= 0; index--) dx = engine.lstmBackward(outputs[index]!, drop(dx, index + 1));
  dx = drop(dx, 0);
  sequences.push(engine.read(dx));
  engine.embedBackward(batch, embeddingOf(shape), dx);
  return { sequences, features, gradients: engine.gradients().slice() };
}

/** The same in double precision. */
function onOracle(shape: Shape, { layout, weights, batch, masks, dropouts, dy, directions }: Drawn, parameters: Float64Array = Float64Array.from(weights)): Outcome {
  const gradients = new Float64Array(layout.length);
  const view = (array: Float64Array, name: string): Float64Array => {
    const { offset, size } = layout.find(name);
    return array.subarray(offset, offset + size);
  };
  const names = ['forward', 'backward'].slice(0, directions);
  const { lengths, time } = batch;
  const inside = (values: Float64Array, width: number): Float64Array =>
    values.map((value, i) => (Math.floor(i / width) % time < lengths[Math.floor(i / width / time)]! ? value : 0));
  const drop = (values: Float64Array, index: number): Float64Array => (shape.dropout ? values.map((value, i) => value * 2 * dropouts[index]![i]!) : values);
  const table = view(parameters, 'embedding/table');
  const size = shape.embedding;
  let x = drop(inside(Float64Array.from({ length: batch.ids.length * size }, (_, i) => table[batch.ids[Math.floor(i / size)]! * size + (i % size)]!), size), 0);
  const sequences: Float64Array[] = [x];
  let width = size;
  const backs: ((d: Float64Array) => Float64Array)[] = [];
  lstmsOf(shape).forEach((layer, index) => {
    const directionsOf = (array: Float64Array): oracle.Direction[] =>
      names.map((name) => ({
        kernel: view(array, `${layer.name}/${name}/kernel`),
        recurrent: view(array, `${layer.name}/${name}/recurrent`),
        bias: view(array, `${layer.name}/${name}/bias`),
      }));
    const masked = (values: Float64Array, d: number): Float64Array => (shape.weightDrop ? values.map((value, i) => value * 2 * masks[index]![d]![i]!) : values);
    const w = directionsOf(parameters).map((direction, d) => ({ ...direction, recurrent: masked(direction.recurrent, d) }));
    const run = oracle.lstm(x, batch, width, layer.units, w);
    x = drop(run.y, index + 1);
    width = directions * layer.units;
    sequences.push(x);
    backs.push((d) => {
      const g = directionsOf(gradients).map((direction) => ({ ...direction, target: direction.recurrent, recurrent: new Float64Array(direction.recurrent.length) }));
      const dx = run.backward(drop(d, index + 1), g);
      g.forEach(({ recurrent, target }, direction) => masked(recurrent, direction).forEach((value, i) => (target[i]! += value)));
      return dx;
    });
  });
  const pooled = oracle.pool(x, batch, width, shape.methods, directions);
  let d = pooled.backward(dy);
  for (const back of backs.reverse()) d = back(d);
  d = drop(d, 0);
  sequences.push(d);
  const tableGradient = view(gradients, 'embedding/table');
  lengths.forEach((length, text) => {
    for (let t = 0; t < length; t++) for (let j = 0; j < size; j++) tableGradient[batch.ids[text * time + t]! * size + j]! += d[(text * time + t) * size + j]!;
  });
  return { sequences, features: pooled.out, gradients };
}

function greatestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  assert.strictEqual(a.length, b.length);
  let greatest = 0;
  for (let i = 0; i < a.length; i++) {
    const difference = Math.abs(a[i]! - b[i]!);
    // a NaN on one side must not pass
    if (!(difference <= greatest)) greatest = difference;
  }
  return greatest;
}

function assertClose(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number, what: string): void {
  const difference = greatestDifference(actual, expected);
  assert.ok(difference <= tolerance, `${what}: ${difference} apart, ${tolerance} allowed`);
}

interface Variant {
  readonly build: KernelBuild;
  /** Threads that compute, the test's own included. */
  readonly threads: number;
}

const variants: Variant[] = (supportsRelaxed() ? ['plain', 'relaxed'] as const : ['plain'] as const).flatMap((build) => [1, 2, 3].map((threads) => ({ build, threads })));

let threads: Awaited<ReturnType<typeof startHelpers>>;
let inUse: ComputeEngine | undefined;
before(async () => {
  threads = await startHelpers(3);
});
after(() => threads.end());

/** One engine at a time: helping threads serve one. */
async function engineFor(layout: ParameterLayout, weights: Float32Array, variant: Variant): Promise<ComputeEngine> {
  inUse?.dispose();
  inUse = undefined;
  const engine = await createKernelEngine({ build: variant.build, helpers: threads.helpers.slice(0, variant.threads - 1) })(layout);
  if (variant.threads > 1) inUse = engine;
  engine.weights().set(weights);
  return engine;
}

describe('the oracle of the kernel tests', () => {
  it('has the gradient that finite differences give', () => {
    fc.assert(
      fc.property(shapes, (shape) => {
        const all = drawn(shape);
        const { gradients } = onOracle(shape, all);
        const loss = (weights: Float64Array): number => Array.from(onOracle(shape, all, weights).features).reduce((sum, value, i) => sum + value * all.dy[i]!, 0);
        const random = new Random(shape.seed);
        for (const { offset, size } of all.layout.parameters) {
          const i = offset + random.below(size);
          const [more, less] = [1e-6, -1e-6].map((step) => {
            const weights = Float64Array.from(all.weights);
            weights[i]! += step;
            return loss(weights);
          });
          assertClose([(more! - less!) / 2e-6], [gradients[i]!], 1e-6, `gradient ${i}`);
        }
      }),
      { numRuns: 20 },
    );
  });
});

for (const options of variants) {
  describe(`kernel engine, ${options.build} build, ${options.threads} thread${options.threads > 1 ? 's' : ''}`, () => {
    it('agrees with the oracle, forward and backward, on ragged batches', async () => {
      await fc.assert(
        fc.asyncProperty(shapes, async (shape) => {
          const all = drawn(shape);
          const actual = onEngine(await engineFor(all.layout, all.weights, options), shape, all);
          const expected = onOracle(shape, all);
          actual.sequences.forEach((values, index) => assertClose(values, expected.sequences[index]!, 1e-6, `sequence ${index}`));
          assertClose(actual.features, expected.features, 1e-6, 'features');
          assertClose(actual.gradients, expected.gradients, 1e-6, 'gradients');
        }),
        { numRuns: 40 },
      );
    });

    it('takes the Adam steps of the definition, on the touched rows of the table only', async () => {
      await fc.assert(
        fc.asyncProperty(shapes, fc.constantFrom(Infinity, 0.1), fc.constantFrom(0, 0.1), async (shape, clipNorm, weightDecay) => {
          const all = drawn(shape);
          const { layout } = all;
          const engine = await engineFor(layout, all.weights, options);
          const [w, m, v] = [Float64Array.from(all.weights), new Float64Array(layout.length), new Float64Array(layout.length)];
          const { beta1, beta2, epsilon } = adamDefaults;
          const learningRates = layout.parameters.map(({ name }, index) => (name.includes('recurrent') ? 0 : 0.2 / (1 + index)));
          for (let t = 1; t <= 3; t++) {
            const batch = { ...all.batch, ids: all.batch.ids.map((id) => (id * t) % shape.vocabulary) };
            const { gradients } = onEngine(engine, shape, { ...all, batch });
            const touched = new Set<number>();
            batch.lengths.forEach((length, text) => batch.ids.subarray(text * batch.time, text * batch.time + length).forEach((id) => touched.add(id)));
            let sum = 0;
            layout.parameters.forEach(({ offset, size }, index) => {
              if (learningRates[index] !== 0) for (let i = offset; i < offset + size; i++) sum += gradients[i]! ** 2;
            });
            const norm = Math.sqrt(sum);
            const scale = norm > clipNorm ? clipNorm / norm : 1;
            layout.parameters.forEach(({ name, offset, size }, index) => {
              const rate = learningRates[index]!;
              if (rate === 0) return;
              for (let i = 0; i < size; i++) {
                if (name === 'embedding/table' && !touched.has(Math.floor(i / shape.embedding))) continue;
                const at = offset + i;
                const g = gradients[at]! * scale;
                m[at] = beta1 * m[at]! + (1 - beta1) * g;
                v[at] = beta2 * v[at]! + (1 - beta2) * g * g;
                const decay = name.endsWith('/bias') ? 0 : weightDecay;
                w[at] = w[at]! - rate * (m[at] / (1 - beta1 ** t) / (Math.sqrt(v[at] / (1 - beta2 ** t)) + epsilon) + decay * w[at]!);
              }
            });
            assertClose([engine.clipAndStep({ ...adamDefaults, learningRates, clipNorm, weightDecay })], [norm], 1e-5 * norm, 'norm');
            assertClose(engine.weights(), w, 1e-6, 'weights');
            assertClose(engine.moments().first, m, 1e-7, 'first moment');
            assertClose(engine.moments().second, v, 1e-7, 'second moment');
            assert.ok(engine.gradients().every((value) => value === 0), 'gradients are cleared');
            assert.strictEqual(engine.steps, t);
            w.set(engine.weights());
          }
        }),
        { numRuns: 15 },
      );
    });

    it('agrees with the oracle on batches that fill many blocks', async () => {
      for (const shape of large) {
        const all = drawn(shape);
        const actual = onEngine(await engineFor(all.layout, all.weights, options), shape, all);
        const expected = onOracle(shape, all);
        assertClose(actual.features, expected.features, 2e-6, 'features');
        assertClose(actual.gradients, expected.gradients, 1e-6, 'gradients');
      }
    });

    it('stays right where gates are saturated', async () => {
      const shape: Shape = { ...large[0]!, lengths: [3, 1, 2], seed: 5 };
      const all = drawn(shape);
      all.weights.forEach((value, i) => (all.weights[i] = value * 1e4));
      const actual = onEngine(await engineFor(all.layout, all.weights, options), shape, all);
      const expected = onOracle(shape, all);
      assertClose(actual.features, expected.features, 1e-6, 'features');
      assert.ok(actual.gradients instanceof Float32Array && actual.gradients.every(Number.isFinite));
    });

    it('computes the same without training, in memory that does not grow from batch to batch', async () => {
      const shape: Shape = { ...large[0]!, dropout: false, weightDrop: false };
      const all = drawn(shape);
      const engine = await engineFor(all.layout, all.weights, options);
      const { features } = onEngine(engine, shape, all);
      const sizes = [1, 2, 3].map(() => {
        engine.begin(false);
        const y = lstmsOf(shape).reduce((x, layer) => engine.lstm(x, layer), engine.embed(all.batch, embeddingOf(shape)));
        assert.deepStrictEqual(engine.pool(y, poolOf(shape), lstmsOf(shape).at(-1)), features);
        onEngine(engine, shape, all);
        return engine.weights().buffer.byteLength;
      });
      assert.strictEqual(sizes[2], sizes[0]);
    });

    it('lets no denormal number through to the gradients of a long text', async () => {
      // gates of one half: the gradient that starts at the last of 400 tokens halves at every step
      const shape: Shape = { ...large[0]!, vocabulary: 400, methods: ['last'], bidirectional: false, units: [16], lengths: [400], dropout: false, weightDrop: false };
      const all = drawn(shape);
      const { layout } = all;
      const weights = all.weights.map((value) => 0.05 * value);
      all.batch.ids.forEach((_, t) => (all.batch.ids[t] = t));
      const { gradients } = onEngine(await engineFor(layout, weights, options), shape, all);
      const sizes = Array.from(gradients, Math.abs).filter((value) => value !== 0);
      assert.ok(Math.min(...sizes) < 1e-9, 'the gradient does vanish');
      assert.ok(Math.min(...sizes) > 1.2e-38, `there is a ${Math.min(...sizes)}`);
    });

    it('gives the gradient of equal maxima to the first', async () => {
      const shape = large[0]!;
      const all = drawn(shape);
      const engine = await engineFor(all.layout, all.weights, options);
      engine.begin(true);
      // two texts of three and two steps, in a batch of three; one column rises, one falls, two stay
      const x = engine.write(Float32Array.of(1, 5, 7, 0, 2, 4, 7, 0, 3, 3, 7, 0, 4, 9, -2, 0, 4, 8, -2, 0, 0, 0, 0, 0), { lengths: Int32Array.of(3, 2), time: 3, width: 4 });
      const layer: PoolLayer = { type: 'pool', name: 'pool', methods: ['max'] };
      assert.deepStrictEqual([...engine.pool(x, layer, undefined)], [3, 5, 7, 0, 4, 9, -2, 0]);
      const dx = engine.read(engine.poolBackward(x, layer, undefined, Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8)));
      assert.deepStrictEqual([...dx], [0, 2, 3, 4, 0, 0, 0, 0, 1, 0, 0, 0, 5, 6, 7, 8, 0, 0, 0, 0, 0, 0, 0, 0]);
    });

    it('refuses what would read or write outside of its memory', async () => {
      const shape = large[0]!;
      const all = drawn(shape);
      const engine = await engineFor(all.layout, all.weights, options);
      engine.begin(true);
      const old = engine.embed(all.batch, embeddingOf(shape));
      for (const id of [-1, shape.vocabulary]) {
        const ids = all.batch.ids.slice().fill(id);
        assert.throws(() => engine.embed({ ...all.batch, ids }, embeddingOf(shape)), RangeError);
      }
      for (const length of [-1, all.batch.time + 1]) {
        const lengths = all.batch.lengths.slice();
        lengths[0] = length;
        assert.throws(() => engine.embed({ ...all.batch, lengths }, embeddingOf(shape)), RangeError);
      }
      assert.throws(() => engine.mask(old, new Uint8Array(3), 1), RangeError);
      assert.throws(() => engine.poolBackward(old, poolOf(shape), undefined, new Float32Array(3)), RangeError);
      assert.throws(() => engine.write(new Float32Array(3), { lengths: all.batch.lengths, time: all.batch.time, width: 4 }), RangeError);
      assert.throws(() => engine.lstm(engine.write(new Float32Array(4), { lengths: Int32Array.of(1), time: 1, width: 4 }), lstmsOf(shape)[0]!), RangeError);
      engine.begin(true);
      assert.throws(() => engine.read(old), /current batch/);
      engine.dispose();
      inUse = undefined;
      assert.throws(() => engine.weights(), /disposed/);
    });
  });
}

describe('shards', () => {
  it('are all the texts in their order, none of them empty, as even in tokens as texts allow', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(50), { minLength: 1, maxLength: 80 }), (lengths) => {
        const shards = planShards(Int32Array.from(lengths));
        const tokens = lengths.reduce((sum, length) => sum + length, 0);
        assert.strictEqual(shards.length, Math.min(4, Math.max(1, Math.floor(Math.min(lengths.length / 8, tokens / 256)))));
        let next = 0;
        for (const { first, texts } of shards) {
          assert.strictEqual(first, next);
          assert.ok(texts > 0);
          next += texts;
        }
        assert.strictEqual(next, lengths.length);
        for (const { first, texts } of shards) {
          const share = lengths.slice(first, first + texts).reduce((sum, length) => sum + length, 0);
          assert.ok(share <= tokens / shards.length + Math.max(...lengths) || texts === 1, `${share} of ${tokens} in ${shards.length} shards`);
        }
      }),
    );
  });

  for (const build of supportsRelaxed() ? (['plain', 'relaxed'] as const) : (['plain'] as const)) {
    it(`give the same bits on 1, 2, 3 and 4 threads (${build} build)`, async () => {
      const many = shapes.chain((shape) => fc.array(fc.integer({ min: 0, max: 60 }), { minLength: 16, maxLength: 50 }).map((lengths): Shape => ({ ...shape, lengths })));
      await fc.assert(
        fc.asyncProperty(many, async (shape) => {
          const all = drawn(shape);
          const outcome = async (count: number): Promise<object> => {
            const engine = await engineFor(all.layout, all.weights, { build, threads: count });
            const passes = [1, 2].map(() => onEngine(engine, shape, all));
            engine.clipAndStep({ ...adamDefaults, learningRates: all.layout.parameters.map(() => 0.01), clipNorm: 1 });
            return { passes, weights: engine.weights().slice() };
          };
          const alone = await outcome(1);
          for (const count of [2, 3, 4]) assert.deepStrictEqual(await outcome(count), alone);
        }),
        { numRuns: 25 },
      );
    });
  }

  it('give more calls at a time than the way to a helping thread holds', async () => {
    const shape: Shape = { ...large[0]!, dropout: false, weightDrop: false };
    const all = drawn(shape);
    const run = async (count: number): Promise<Float32Array> => {
      const engine = await engineFor(all.layout, all.weights, { build: 'plain', threads: count });
      engine.begin(true);
      let x = engine.embed(all.batch, embeddingOf(shape));
      const mask = new Uint8Array(all.batch.lengths.length * all.batch.time * shape.embedding).fill(1);
      for (let k = 0; k < 3000; k++) x = engine.mask(x, mask, k % 2 === 0 ? 2 : 0.5);
      return engine.read(x);
    };
    assert.deepStrictEqual(await run(2), await run(1));
  });

  it('fail loudly when a helping thread does', async () => {
    const shape = large[0]!;
    const all = drawn(shape);
    const engine = await engineFor(all.layout, all.weights, { build: 'plain', threads: 2 });
    engine.begin(true);
    const x = engine.embed(all.batch, embeddingOf(shape)) as unknown as { parts: { at: number }[] };
    // an address beyond all memory, which a real call never has
    x.parts[1]!.at = 2 ** 32 - 64;
    assert.throws(() => engine.read(engine.lstm(x as unknown as Sequence, lstmsOf(shape)[0]!)), /helping thread failed/);
  });
});
