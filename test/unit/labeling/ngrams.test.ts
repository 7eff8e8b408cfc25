import * as assert from 'node:assert';
import * as fc from 'fast-check';
import { Random } from '../../../src/core/util/random';
import { Coverage } from '../../../src/labeling/coverage';
import { NgramColumns, NgramCosines, sparseRows } from '../../../src/labeling/ngramColumns';
import { bucketOf, frequencyOf, NgramStore, type NgramWeights } from '../../../src/labeling/ngramStore';
import { madeTexts } from './texts';

const pools = fc.record({ count: fc.integer({ min: 1, max: 40 }), words: fc.integer({ min: 1, max: 12 }), seed: fc.integer({ min: 0, max: 1e6 }) });

function storeOf({ count, words, seed }: { readonly count: number; readonly words: number; readonly seed: number }): NgramStore {
  const store = new NgramStore(count);
  madeTexts(count, { words, seed }).texts!.forEach((text, position) => store.add(position, text));
  return store;
}

/** A text as a dense vector of norm 1, or 0. */
function vector(weights: NgramWeights, position: number): Float64Array {
  const { store, rarity } = weights;
  const dense = new Float64Array(rarity.length);
  const { entries, from, to } = store.row(position);
  for (const entry of entries.slice(from, to)) dense[bucketOf(entry)]! += frequencyOf(entry) * rarity[bucketOf(entry)]! * weights.scaleOf(position);
  return dense;
}

function product(a: Float64Array, b: Float64Array): number {
  return a.reduce((sum, value, i) => sum + value * b[i]!, 0);
}

describe('n-grams of a pool', () => {
  it('count by how rare they are, and all of a text together are of norm 1; those of one text only do not count', () => {
    fc.assert(
      fc.property(pools, (pool) => {
        const weights = storeOf(pool).weights();
        for (let position = 0; position < pool.count; position++) {
          const own = vector(weights, position);
          const norm = product(own, own);
          assert.ok(norm === 0 || Math.abs(norm - 1) < 1e-5, `${norm}`);
        }
      }),
      { numRuns: 30 },
    );
    const store = new NgramStore(3);
    ['red blue', 'red green', 'red blue'].forEach((text, position) => store.add(position, text));
    const { rarity } = store.weights();
    const rarities = Array.from({ length: 3 }, (_, position) => {
      const { entries, from, to } = store.row(position);
      return Array.from(entries.slice(from, to), (entry) => rarity[bucketOf(entry)]!);
    });
    const [red, blue, both] = rarities[0]!;
    assert.ok(red! > 0 && blue! > red! && both === blue);
    assert.deepStrictEqual(rarities[1], [red, 0, 0]);
  });

  it('keep their weights when more texts come, and are known once', () => {
    const store = new NgramStore(4);
    store.add(0, 'one two three');
    store.add(1, 'one two');
    const before = store.weights();
    const [rarity, scale] = [before.rarity.slice(), before.scaleOf(0)];
    assert.strictEqual(store.weights(), before);
    store.add(0, 'other words');
    assert.strictEqual(store.weights(), before);
    store.add(2, 'one');
    assert.deepStrictEqual([before.rarity, before.scaleOf(0)], [rarity, scale]);
    assert.notDeepStrictEqual(store.weights().rarity, rarity);
    // not known
    assert.strictEqual(before.scaleOf(3), 0);
  });

  it('take no more memory than 100,000 long texts may', () => {
    const store = new NgramStore(100_000);
    const random = new Random(1);
    for (let position = 0; position < 300; position++) store.add(position, Array.from({ length: 2000 }, () => `word${random.below(100_000)}`).join(' '));
    for (let position = 0; position < 300; position++) {
      const { from, to } = store.row(position);
      assert.strictEqual(to - from, store.mostOfText);
    }
    // what 300 texts take, 333 times, and what is rounded up
    assert.ok((store.bytes - 2 ** 19) * 333 < 110e6, `${store.bytes}`);
    assert.ok(new NgramStore(1000).mostOfText > store.mostOfText);
    assert.ok(new NgramStore(2e6).mostOfText > 0);
  });

  it('have cosines that are the products of their vectors, whichever text came before', () => {
    fc.assert(
      fc.property(pools, (pool) => {
        const weights = storeOf(pool).weights();
        const cosines = new NgramCosines(weights);
        const vectors = Array.from({ length: pool.count }, (_, position) => vector(weights, position));
        vectors.forEach((own, position) => {
          cosines.take(position);
          vectors.forEach((other, second) => assert.ok(Math.abs(cosines.with(second) - product(own, other)) < 1e-5));
        });
      }),
      { numRuns: 5 },
    );
  });

  it('of some texts share columns so that inner products stay as they are', () => {
    fc.assert(
      fc.property(pools, fc.integer({ min: 1, max: 10 }), (pool, rows) => {
        const weights = storeOf(pool).weights();
        const positions = Array.from({ length: Math.min(rows, pool.count) }, (_, position) => position);
        const columns = new NgramColumns(weights, positions);
        const { starts, column, value } = sparseRows(columns, positions, 1);
        const dense = positions.map((_, row) => {
          const own = new Float64Array(columns.count);
          for (let i = starts[row]!; i < starts[row + 1]!; i++) own[column[i]!]! += value[i]!;
          return own;
        });
        dense.forEach((own, row) => dense.forEach((other, second) => assert.ok(Math.abs(product(own, other) - product(vector(weights, row), vector(weights, second))) < 1e-5)));
        // a column is a vector of norm 1 over its n-grams
        const squares = new Float64Array(columns.count);
        columns.columns.forEach((at, place) => (squares[at]! += columns.parts[place]! ** 2));
        squares.forEach((square) => assert.ok(Math.abs(square - 1) < 1e-9));
        columns.buckets.forEach((bucket, place) => assert.ok(columns.has(bucket) && columns.places[bucket] === place + 1));
        assert.strictEqual(columns.places.filter((place, bucket) => place !== 0 || columns.has(bucket)).length, columns.buckets.length);
      }),
      { numRuns: 30 },
    );
  });
});

describe('texts that stand for many', () => {
  const gainOf = (coverage: Coverage, before: readonly number[], position: number): number =>
    coverage.nearness(position).reduce((sum, near, i) => sum + Math.max(0, near - Math.max(0, ...before.map((other) => coverage.nearness(other)[i]!))), 0);

  it('come first: each adds most to those before it and to the decided ones', () => {
    fc.assert(
      fc.property(pools, fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: 20 }), (pool, decided, count) => {
        const coverage = new Coverage(storeOf(pool).weights(), Int32Array.from({ length: pool.count }, (_, position) => position));
        const known = Array.from({ length: Math.min(decided, pool.count) }, (_, position) => position);
        const waiting = Int32Array.from({ length: pool.count - known.length }, (_, i) => known.length + i);
        const order = coverage.order(waiting, Int32Array.from(known), count);
        assert.deepStrictEqual([...order].sort((a, b) => a - b), [...waiting]);
        for (let place = 0; place < Math.min(count, order.length); place++) {
          const before = [...known, ...order.slice(0, place)];
          const most = Math.max(...Array.from(order.slice(place), (position) => gainOf(coverage, before, position)));
          if (most < 1e-6) break;
          assert.ok(gainOf(coverage, before, order[place]!) > most - 1e-4);
        }
        const rest = order.slice(count);
        if (gainOf(coverage, [...known, ...order.slice(0, count)], rest[0] ?? 0) > 1e-6) assert.deepStrictEqual([...rest], [...rest].sort((a, b) => a - b));
      }),
      { numRuns: 30 },
    );
  });

  it('are the typical ones of each kind, before the odd ones', () => {
    const store = new NgramStore(9);
    ['cat milk purr', 'cat milk', 'cat purr', 'car road', 'car road fuel', 'road fuel', 'xyzzy', 'plugh', 'cat'].forEach((text, position) => store.add(position, text));
    const order = new Coverage(store.weights(), Int32Array.from({ length: 9 }, (_, position) => position)).order(Int32Array.from([6, 7, 0, 1, 2, 3, 4, 5, 8]), new Int32Array(0), 9);
    assert.deepStrictEqual([...order.slice(0, 2)].sort(), [0, 4]);
    assert.deepStrictEqual([...order.slice(-2)], [6, 7]);
  });
});
