import * as assert from 'node:assert';
import * as fc from 'fast-check';
import { compand, dequantizeRows, expand, fromFloat16, quantizeRows, toFloat16 } from '../../../src/core/model/quantize';
import { Random } from '../../../src/core/util/random';

/** Value of half-precision bits, from the definition in IEEE 754-2008, 3.4. */
function valueOfHalf(half: number): number {
  const sign = half >> 15 ? -1 : 1;
  const exponent = (half >> 10) & 31;
  const fraction = half & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

describe('half precision', () => {
  const all = Uint16Array.from({ length: 65536 }, (_, i) => i);

  it('reads every half as the standard says', () => {
    const read = fromFloat16(all);
    all.forEach((half) => assert.ok(Object.is(read[half], valueOfHalf(half)), half.toString(16)));
  });

  it('writes every finite half back as the same bits', () => {
    const finite = all.filter((half) => (half & 0x7fff) < 0x7c00);
    assert.deepStrictEqual(toFloat16(fromFloat16(finite)), finite);
  });

  it('rounds to the nearest half, ties to the even one', () => {
    const finite = [...all.filter((half) => half < 0x7c00)];
    fc.assert(
      fc.property(fc.oneof(fc.float({ noNaN: true, min: -65504, max: 65504 }), fc.float({ noNaN: true, min: Math.fround(-1e-4), max: Math.fround(1e-4) })), (value) => {
        const half = toFloat16(Float32Array.of(value))[0]!;
        const magnitude = Math.abs(value);
        const got = half & 0x7fff;
        // the neighbours of what we got are not nearer, and at the same distance only if ours is even
        for (const neighbour of [got - 1, got + 1]) {
          if (finite[neighbour] === undefined) continue;
          const ours = Math.abs(valueOfHalf(got) - magnitude);
          const theirs = Math.abs(valueOfHalf(neighbour) - magnitude);
          assert.ok(ours < theirs || (ours === theirs && got % 2 === 0), `${value}`);
        }
        assert.strictEqual(half >> 15 === 1, Object.is(Math.sign(value), -1) || Object.is(value, -0));
      }),
      { numRuns: 2000 },
    );
  });

  it('takes every midpoint to the even neighbour', () => {
    for (let half = 0; half < 0x7bff; half++) {
      const midpoint = (valueOfHalf(half) + valueOfHalf(half + 1)) / 2;
      assert.strictEqual(toFloat16(Float32Array.of(midpoint))[0], half % 2 === 0 ? half : half + 1);
    }
  });

  it('holds what is too large at the largest', () => {
    assert.deepStrictEqual([...toFloat16(Float32Array.of(65504, 65520, 1e30, -3e38))], [0x7bff, 0x7bff, 0x7bff, 0xfbff]);
  });
});

describe('8-bit rows', () => {
  const rows = fc.tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 0, max: 6 })).chain(([columns, rows]) =>
    fc.tuple(fc.constant(columns), fc.float32Array({ minLength: columns * rows, maxLength: columns * rows, noNaN: true, min: Math.fround(-3.3e38), max: Math.fround(3.3e38) })),
  );

  it('are within half a step of the original, the step being 1/127 of the largest of the row', () => {
    fc.assert(
      fc.property(rows, ([columns, data]) => {
        const back = dequantizeRows(quantizeRows(data, columns));
        data.forEach((value, i) => {
          const row = data.subarray(i - (i % columns), i - (i % columns) + columns);
          const step = Math.max(...row.map(Math.abs)) / 127;
          assert.ok(Math.abs(back[i]! - value) <= 0.5001 * step + 1.6e-36, `${value} became ${back[i]}`);
        });
      }),
    );
  });

  it('stay the same when quantized again', () => {
    fc.assert(
      fc.property(rows, ([columns, data]) => {
        const once = dequantizeRows(quantizeRows(data, columns));
        assert.deepStrictEqual(quantizeRows(once, columns).values, quantizeRows(data, columns).values);
      }),
    );
  });

  it('stay finite for the largest floats', () => {
    const largest = 3.4028234663852886e38;
    const back = dequantizeRows(quantizeRows(Float32Array.of(largest, -largest, 0), 3));
    back.forEach((value, i) => assert.ok(Math.abs(value - [largest, -largest, 0][i]!) <= 0.02 * largest, `${value}`));
  });
});

describe('companded numbers', () => {
  const numbers = fc.oneof(
    fc.float32Array({ maxLength: 40, noNaN: true, noDefaultInfinity: true }),
    // of a few sizes that lie far apart
    fc.array(fc.tuple(fc.float({ noNaN: true, min: -1, max: 1 }), fc.constantFrom(1e-3, 0.1, 1, 30)), { maxLength: 40 }).map((pairs) => Float32Array.from(pairs, ([value, size]) => value * size)),
  );

  it('are near the original, the nearer the smaller they are', () => {
    fc.assert(
      fc.property(numbers, (data) => {
        const back = expand(compand(data));
        const scale = data.reduce((most, value) => Math.max(most, Math.abs(value)), 0) / 127 ** 2;
        // the very largest floats are held at half of them, the very smallest become zero
        fc.pre(scale < 1e34);
        data.forEach((value, k) => {
          const bound = Math.sqrt(Math.abs(value) * scale) + scale / 2;
          assert.ok(Math.abs(back[k]! - value) <= 1.001 * bound + (scale < 1e-33 ? 2e-30 : 0), `${value} became ${back[k]}`);
        });
      }),
    );
  });

  it('are within a fiftieth of their spread of the original, on the average, where most are small', () => {
    const random = new Random(1);
    const data = Float32Array.from({ length: 10_000 }, () => random.normal() ** 3);
    const mean = (values: Float32Array): number => Math.sqrt(values.reduce((sum, value) => sum + value ** 2, 0) / values.length);
    const back = expand(compand(data));
    assert.ok(mean(data.map((value, k) => value - back[k]!)) < 0.02 * mean(data));
  });

  it('stay the same when they are companded again, to the last bit', () => {
    fc.assert(
      fc.property(numbers, (data) => {
        const once = compand(data);
        const back = expand(once);
        const twice = compand(back);
        assert.deepStrictEqual(twice, once);
        assert.deepStrictEqual(expand(twice), back);
      }),
    );
  });

  it('are floats exactly, also when they are computed in single precision', () => {
    fc.assert(
      fc.property(numbers, (data) => {
        const { values, scale } = compand(data);
        assert.strictEqual(Math.fround(scale), scale);
        expand({ values, scale }).forEach((value, k) => assert.strictEqual(value, values[k]! * Math.abs(values[k]!) * scale));
        // what a foreign file could hold
        assert.ok(Number.isFinite(Math.fround(128 ** 2 * scale)));
      }),
    );
  });
});
