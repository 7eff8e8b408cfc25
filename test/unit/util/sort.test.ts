import * as assert from 'node:assert';
import * as fc from 'fast-check';
import { sortInSlices } from '../../../src/core/util/sort';

describe('sorting in slices', () => {
  it('sorts as Array does, equal ones in the order in which they came, and lets others have their turn', async () => {
    const runs = fc.array(fc.tuple(fc.integer({ min: 0, max: 50 }), fc.integer({ min: 0, max: 1800 }), fc.boolean()), { maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(runs, async (parts) => {
        // long runs that are in order, and others that are not
        const items = parts.flatMap(([start, length, rises]) => Array.from({ length }, (_, i) => ({ key: rises ? start + Math.floor(i / 7) : (i * 7919 + start) % 97 }))).map((item, index) => ({ ...item, index }));
        let pauses = 0;
        const compare = (a: { readonly key: number }, b: { readonly key: number }): number => a.key - b.key;
        const sorted = await sortInSlices(items, compare, () => {
          pauses++;
          return Promise.resolve();
        });
        assert.deepStrictEqual(sorted, [...items].sort(compare));
        assert.ok(pauses >= Math.floor(items.length / 1000));
      }),
      { numRuns: 30 },
    );
  });
});
