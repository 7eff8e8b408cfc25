import * as assert from 'node:assert';
import fc from 'fast-check';
import { HumanError } from '../../../src/core/errors';
import { Random } from '../../../src/core/util/random';
import { Kernels, supportsRelaxed, type KernelBuild } from '../../../src/training/kernels/kernels';

const builds: KernelBuild[] = supportsRelaxed() ? ['plain', 'relaxed'] : ['plain'];

/** Matrices with rows further apart than they are long, as both directions of a layer lie in its output. */
const products = fc.record({
  m: fc.integer({ min: 1, max: 110 }),
  n: fc.integer({ min: 1, max: 9 }).map((count) => 4 * count),
  k: fc.integer({ min: 1, max: 40 }).map((count) => 4 * count),
  gapA: fc.constantFrom(0, 4, 12),
  gapB: fc.constantFrom(0, 4),
  gapC: fc.constantFrom(0, 8),
  transposed: fc.boolean(),
  accumulate: fc.boolean(),
  seed: fc.nat(),
});

for (const build of builds) {
  describe(`kernels, ${build} build`, () => {
    let kernels: Kernels;
    before(async () => {
      kernels = await Kernels.load({ build });
    });

    it('multiplies matrices of any number of rows, and writes nowhere else', () => {
      fc.assert(
        fc.property(products, ({ m, n, k, gapA, gapB, gapC, transposed, accumulate, seed }) => {
          const random = new Random(seed);
          const draw = (size: number): Float32Array => Float32Array.from({ length: size }, () => random.float() - 0.5);
          const mark = kernels.mark();
          const [strideA, strideC] = [k + gapA, n + gapC];
          // B as it is, or Bᵀ
          const strideB = (transposed ? k : n) + gapB;
          const [a, b, c] = [draw(m * strideA), draw((transposed ? n : k) * strideB), draw(m * strideC)];
          const panels = kernels.allocateValues(k * n);
          const scratch = kernels.allocateValues(kernels.run.multiplyScratch(k));
          const fence = kernels.putFloats(Float32Array.of(1, 2, 3, 4));
          const at = kernels.putFloats(c);
          const [atA, atB] = [kernels.putFloats(a), kernels.putFloats(b)];
          if (transposed) kernels.run.packColumns(atB, strideB, panels, k, n);
          else kernels.run.packRows(atB, strideB, panels, k, n);
          kernels.run.multiply(atA, strideA, panels, at, strideC, m, n, k, accumulate, scratch);
          const actual = kernels.floats(at, c.length);
          c.forEach((start, index) => {
            const [row, column] = [Math.floor(index / strideC), index % strideC];
            if (column >= n) return assert.strictEqual(actual[index], start, 'what lies between the rows');
            let expected = accumulate ? start : 0;
            for (let i = 0; i < k; i++) expected += a[row * strideA + i]! * b[transposed ? column * strideB + i : i * strideB + column]!;
            assert.ok(Math.abs(actual[index]! - expected) < 2e-6 * Math.sqrt(k), `${row},${column}: ${actual[index]} instead of ${expected}`);
          });
          assert.deepStrictEqual([...kernels.floats(fence, 4)], [1, 2, 3, 4], 'scratch memory is large enough');
          kernels.release(mark);
        }),
        { numRuns: 60 },
      );
    });

    it('adds rows to an embedding gradient in stretches of columns, lists each row once, and clears just these', () => {
      fc.assert(
        fc.property(fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 30 }), fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 30 }), fc.constantFrom(0, 4, 8, 12), (first, second, cut) => {
          const width = 12;
          const mark = kernels.mark();
          const gradient = kernels.putFloats(new Float32Array(10 * width));
          const touched = kernels.putBytes(new Uint8Array(10));
          const list = kernels.allocateValues(10);
          const expected = new Float32Array(10 * width);
          let count = 0;
          for (const ids of [first, second]) {
            const dx = Float32Array.from({ length: ids.length * width }, (_, i) => i + 1);
            ids.forEach((id, p) => dx.subarray(p * width, (p + 1) * width).forEach((value, j) => (expected[id * width + j]! += value)));
            const [idsAt, dxAt] = [kernels.putIntegers(Int32Array.from(ids)), kernels.putFloats(dx)];
            count = kernels.run.touchRows(idsAt, ids.length, touched, list, count);
            kernels.run.scatterRows(gradient, idsAt, dxAt, ids.length, width, cut, width - cut);
            kernels.run.scatterRows(gradient, idsAt, dxAt, ids.length, width, 0, cut);
          }
          const distinct = [...new Set([...first, ...second])];
          assert.deepStrictEqual([...kernels.integers(list, count)], distinct);
          assert.deepStrictEqual(kernels.floats(gradient, expected.length), expected);
          assert.strictEqual(kernels.run.sumOfSquaresRows(gradient, width, list, count), expected.reduce((sum, value) => sum + value * value, 0));
          kernels.run.clearRows(gradient, width, touched, list, count);
          assert.ok(kernels.floats(gradient, expected.length).every((value) => value === 0));
          assert.ok(kernels.bytes(touched, 10).every((flag) => flag === 0));
          kernels.release(mark);
        }),
      );
    });

    it('sums squares of any size in double precision', () => {
      const values = Float32Array.of(1e30, 1e-3, -2e30, 0, 3, 0, 0, 1e30);
      const sum = kernels.run.sumOfSquares(kernels.putFloats(values), values.length);
      const expected = values.reduce((total, value) => total + value * value, 0);
      assert.ok(Math.abs(sum - expected) <= 1e-14 * expected);
    });

    it('keeps what is in memory when it grows, and gives out aligned addresses', async () => {
      const fresh = await Kernels.load({ build });
      const address = fresh.putFloats(Float32Array.of(1, 2, 3));
      const before = fresh.size;
      const far = fresh.allocate(10 * before);
      assert.ok(fresh.size > before);
      assert.deepStrictEqual([...fresh.floats(address, 3)], [1, 2, 3]);
      assert.deepStrictEqual([address % 64, far % 64], [0, 0]);
      assert.ok(fresh.bytes(far, 10 * before).every((value) => value === 0));
    });

    it('says what to do when there is not enough memory', async () => {
      const fresh = await Kernels.load({ build });
      assert.throws(
        () => fresh.allocate(5e9),
        (error) => error instanceof HumanError && error.code === 'training.memory',
      );
    });
  });
}
