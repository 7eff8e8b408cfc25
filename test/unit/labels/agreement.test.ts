import * as assert from 'node:assert';
import * as fc from 'fast-check';
import { agreementOf, cohenKappa, krippendorffAlpha, squaredDifference } from '../../../src/core/labels/agreement';
import type { DecisionValue } from '../../../src/core/labels/decision';

const near = (actual: number, expected: number, digits = 3): void => assert.strictEqual(actual.toFixed(digits), expected.toFixed(digits));

describe('Cohen’s kappa', () => {
  /** Pairs from a table of counts: rows are what the first annotator said. */
  const pairs = (table: readonly (readonly number[])[]): [string, string][] => table.flatMap((row, a) => row.flatMap((count, b) => Array.from({ length: count }, (): [string, string] => [`${a}`, `${b}`])));

  it('is that of Fleiss, Levin & Paik 2003, table 18.1 (100 diagnoses)', () => near(cohenKappa(pairs([[75, 1, 4], [5, 4, 1], [0, 0, 10]])), 0.676));
  it('is that of the textbooks’ 50 proposals, which two readers accept or refuse', () => near(cohenKappa(pairs([[20, 5], [10, 15]])), 0.4));
  it('is 1 for perfect agreement, of one category too, 0 for chance, and below 0 for less', () => {
    assert.strictEqual(cohenKappa(pairs([[3]])), 1);
    near(cohenKappa(pairs([[4, 0], [0, 6]])), 1);
    near(cohenKappa(pairs([[9, 3], [3, 1]])), 0);
    near(cohenKappa(pairs([[0, 5], [5, 0]])), -1);
    assert.ok(Number.isNaN(cohenKappa([])));
  });
});

describe('Krippendorff’s alpha', () => {
  // Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability", examples A and C
  const units = (rows: readonly string[]): number[][] => Array.from(rows[0]!, (_, unit) => rows.map((row) => row[unit]!).filter((cell) => cell !== '*').map(Number));
  const four = units(['12332141 2***', '12332241 25*3', '*3332342 251*', '12332441 251*'].map((row) => row.replaceAll(' ', '')));

  it('is that of example A: two annotators, binary', () => near(krippendorffAlpha(units(['0100000010', '1110010000'])), 0.095));
  it('is that of example C: four annotators with gaps, nominal', () => near(krippendorffAlpha(four), 0.743));
  it('is that of example C with the interval metric', () => near(krippendorffAlpha(four, squaredDifference), 0.849));
  it('does not depend on the order of units and answers', () => {
    fc.assert(
      fc.property(fc.array(fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 4 }), { maxLength: 20 }), (data) => {
        const [one, other] = [krippendorffAlpha(data), krippendorffAlpha([...data].reverse().map((values) => [...values].reverse()))];
        assert.ok(Number.isNaN(one) ? Number.isNaN(other) : Math.abs(one - other) < 1e-9);
        assert.ok(Number.isNaN(one) || one <= 1);
      }),
    );
  });
});

describe('agreement of annotators', () => {
  const of = (...answers: Record<string, DecisionValue>[]): Map<string, DecisionValue>[] => answers.map((answer) => new Map(Object.entries(answer)));
  const nine = Array.from({ length: 9 }, (_, index) => ({ mei: index % 2 ? 'a' : 'b', li: index % 2 ? 'a' : 'b' }));

  it('needs ten examples that two have decided on', () => {
    assert.strictEqual(agreementOf('single', of(...nine, { mei: 'a' })), undefined);
    assert.deepStrictEqual(agreementOf('single', of(...nine, { mei: 'a' }, { mei: 'a', li: 'a' })), { measure: 'kappa', value: 1, examples: 10 });
  });

  it('is alpha for more than two, and for numbers', () => {
    assert.strictEqual(agreementOf('single', of(...nine, { mei: 'a', wu: 'a' }))?.measure, 'alpha');
    const numbers = Array.from({ length: 10 }, (_, index) => ({ mei: index, li: index + 0.1 }));
    const agreement = agreementOf('number', of(...numbers));
    assert.strictEqual(agreement?.measure, 'alpha');
    assert.ok(agreement.value > 0.99 && agreement.value < 1);
  });

  it('of several labels does not mind their order', () => {
    const answers = Array.from({ length: 10 }, (_, index) => ({ mei: index % 2 ? ['a', 'b'] : ['c'], li: index % 2 ? ['b', 'a'] : ['c'] }));
    assert.strictEqual(agreementOf('multi', of(...answers))?.value, 1);
  });
});
