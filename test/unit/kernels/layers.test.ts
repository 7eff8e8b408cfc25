import * as assert from 'node:assert';
import fc from 'fast-check';
import type { Architecture, AttentionLayer, ConvLayer, MaxPoolLayer } from '../../../src/core/model/architecture';
import { Random } from '../../../src/core/util/random';
import { parameterLayout, type ComputeEngine, type ParameterLayout } from '../../../src/training/engine';
import { createKernelEngine } from '../../../src/training/kernels/kernelEngine';
import { supportsRelaxed, type KernelBuild } from '../../../src/training/kernels/kernels';
import { startHelpers } from '../../helperThreads';
import { TfjsEngine } from '../../tfjsEngine';

/** A convolution, pooling over windows, another convolution and an attention. */
interface Shape {
  readonly inputs: number;
  readonly filters: number;
  readonly kernelSize: number;
  readonly activation: 'linear' | 'relu';
  readonly size: number;
  readonly units: number;
  readonly lengths: readonly number[];
  readonly seed: number;
}

const fours = (most: number): fc.Arbitrary<number> => fc.integer({ min: 1, max: most }).map((n) => 4 * n);
const shapes: fc.Arbitrary<Shape> = fc.record({
  inputs: fours(5),
  filters: fours(4),
  kernelSize: fc.integer({ min: 1, max: 7 }),
  activation: fc.constantFrom('linear', 'relu'),
  size: fc.integer({ min: 1, max: 5 }),
  units: fours(4),
  lengths: fc.array(fc.integer({ min: 0, max: 12 }), { minLength: 1, maxLength: 14 }),
  seed: fc.nat(),
});

/** More positions than are gathered or packed at a time, several shards, windows longer than some texts, and widths that are no multiples of 8. */
const large: readonly Shape[] = [
  { inputs: 20, filters: 12, kernelSize: 5, activation: 'relu', size: 3, units: 20, lengths: Array.from({ length: 59 }, (_, i) => (i * 7) % 31), seed: 1 },
  { inputs: 8, filters: 28, kernelSize: 4, activation: 'linear', size: 4, units: 8, lengths: Array.from({ length: 40 }, (_, i) => 3 + ((i * 5) % 61)), seed: 2 },
  { inputs: 4, filters: 4, kernelSize: 2, activation: 'relu', size: 2, units: 4, lengths: Array.from({ length: 300 }, (_, i) => 1 + (i % 7)), seed: 3 },
];

const layersOf = ({ filters, kernelSize, activation, size, units }: Shape) => ({
  first: { type: 'conv', name: 'first', filters, kernelSize, activation } satisfies ConvLayer,
  windows: { type: 'maxPool', name: 'windows', size } satisfies MaxPoolLayer,
  second: { type: 'conv', name: 'second', filters: 8, kernelSize: 3, activation: 'linear' } satisfies ConvLayer,
  attention: { type: 'attention', name: 'attention', units } satisfies AttentionLayer,
});

function layoutOf(shape: Shape): ParameterLayout {
  const { first, windows, second, attention } = layersOf(shape);
  const architecture: Architecture = {
    preset: 'test',
    layers: [{ type: 'embedding', name: 'embedding', vocabularySize: 2, size: shape.inputs }, first, windows, second, attention, { type: 'dense', name: 'head', units: 2, activation: 'linear' }],
  };
  return parameterLayout(architecture);
}

interface Outcome {
  readonly sequences: readonly Float32Array[];
  readonly vector: Float32Array;
  readonly lengths: Int32Array;
  readonly dx: Float32Array;
  readonly gradients: Float32Array;
}

/** A pass forward and back. */
function pass(engine: ComputeEngine, shape: Shape): Outcome {
  const random = new Random(shape.seed);
  const { first, windows, second, attention } = layersOf(shape);
  const lengths = Int32Array.from(shape.lengths);
  const time = Math.max(1, ...lengths);
  const draw = (count: number, scale: number): Float32Array => Float32Array.from({ length: count }, () => scale * random.normal());
  const weights = engine.weights();
  weights.set(draw(weights.length, 0.4));
  engine.begin(true);
  const x = engine.write(draw(lengths.length * time * shape.inputs, 1), { lengths, time, width: shape.inputs });
  const convolved = engine.conv(x, first);
  const pooled = engine.maxPool(convolved, windows);
  const again = engine.conv(pooled, second);
  const sequences = [convolved, pooled, again].map((sequence) => engine.read(sequence));
  const vector = engine.attention(again, attention);
  const slopes = engine.attentionBackward(again, attention, draw(vector.length, 0.2 / lengths.length));
  const dx = engine.read(engine.convBackward(convolved, engine.maxPoolBackward(pooled, engine.convBackward(again, slopes))));
  return { sequences, vector, lengths: pooled.lengths.slice(), dx, gradients: engine.gradients().slice() };
}

function assertClose(actual: ArrayLike<number>, expected: ArrayLike<number>, what: string): void {
  assert.strictEqual(actual.length, expected.length, what);
  for (let k = 0; k < actual.length; k++) {
    const bound = 2e-5 * Math.max(1, Math.abs(expected[k]!));
    assert.ok(Math.abs(actual[k]! - expected[k]!) <= bound, `${what} ${k}: ${actual[k]} instead of ${expected[k]}`);
  }
}

function assertAgree(actual: Outcome, expected: Outcome): void {
  actual.sequences.forEach((values, index) => assertClose(values, expected.sequences[index]!, `sequence ${index}`));
  assert.deepStrictEqual(actual.lengths, expected.lengths);
  assertClose(actual.vector, expected.vector, 'vector');
  assertClose(actual.dx, expected.dx, 'dx');
  assertClose(actual.gradients, expected.gradients, 'gradient');
}

const builds: readonly KernelBuild[] = supportsRelaxed() ? ['plain', 'relaxed'] : ['plain'];

describe('convolutions, windows and attention in the kernels', () => {
  let threads: Awaited<ReturnType<typeof startHelpers>>;
  before(async () => {
    threads = await startHelpers(3);
  });
  after(() => threads.end());

  for (const build of builds) {
    it(`agree with the reference engine, forward and backward, on ragged batches (${build} build)`, async () => {
      await fc.assert(
        fc.asyncProperty(shapes, async (shape) => {
          const layout = layoutOf(shape);
          const engine = await createKernelEngine({ build })(layout);
          assertAgree(pass(engine, shape), pass(new TfjsEngine(layout), shape));
          // and once more, over what the first pass left
          engine.zeroGradients();
          assertAgree(pass(engine, shape), pass(new TfjsEngine(layout), shape));
          engine.dispose();
        }),
        { numRuns: 60 },
      );
    });

    it(`agree on batches of many blocks and shards, and give the same bits on 1 to 4 threads (${build} build)`, async () => {
      for (const shape of large) {
        const layout = layoutOf(shape);
        const expected = pass(new TfjsEngine(layout), shape);
        const outcomes: Outcome[] = [];
        for (const helpers of [0, 1, 2, 3]) {
          const engine = await createKernelEngine({ build, helpers: threads.helpers.slice(0, helpers) })(layout);
          outcomes.push(pass(engine, shape));
          engine.dispose();
        }
        assertAgree(outcomes[0]!, expected);
        for (const outcome of outcomes) assert.deepStrictEqual(outcome, outcomes[0]);
      }
    });
  }

  it('give the gradient of equal maxima in a window to the first', async () => {
    const layout = layoutOf({ ...large[2]!, inputs: 4, size: 2 });
    for (const engine of [new TfjsEngine(layout), await createKernelEngine()(layout)]) {
      engine.begin(true);
      const x = engine.write(Float32Array.of(1, 5, 7, 0, 2, 4, 7, 0, 3, 3, 7, -1), { lengths: Int32Array.of(3), time: 3, width: 4 });
      const y = engine.maxPool(x, { type: 'maxPool', name: 'windows', size: 2 });
      assert.deepStrictEqual([...engine.read(y)], [2, 5, 7, 0, 3, 3, 7, -1]);
      const dy = engine.write(Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8), { lengths: y.lengths, time: y.time, width: 4 });
      assert.deepStrictEqual([...engine.read(engine.maxPoolBackward(y, dy))], [0, 2, 3, 4, 1, 0, 0, 0, 5, 6, 7, 8]);
    }
  });

  it('refuse a second way back, and widths that they cannot compute', async () => {
    const shape = large[2]!;
    const layout = layoutOf(shape);
    const engine = await createKernelEngine()(layout);
    engine.begin(true);
    const x = engine.write(new Float32Array(12), { lengths: Int32Array.of(3), time: 3, width: 4 });
    const { first, attention } = layersOf(shape);
    const y = engine.conv(x, first);
    engine.convBackward(y, y);
    assert.throws(() => engine.convBackward(y, y), /only once/);
    assert.throws(() => engine.attentionBackward(x, attention, new Float32Array(4)), /only once/);
    await assert.rejects(createKernelEngine()(layoutOf({ ...shape, filters: 6 })), /multiple of 4/);
    await assert.rejects(createKernelEngine()(layoutOf({ ...shape, units: 6 })), /multiple of 4/);
  });
});
