import * as assert from 'node:assert';
import * as fc from 'fast-check';
import { decidingWords } from '../../../src/core/labels/decidingWords';

describe('the words that are named', () => {
  it('are the weightiest of either side, and none that would show as nothing', () => {
    const text = 'a good film, not a bad one';
    const weights = [
      { start: 0, end: 1, weight: 0.0004 },
      { start: 2, end: 6, weight: 0.2 },
      { start: 7, end: 11, weight: 0.3 },
      { start: 13, end: 16, weight: -0.1 },
      { start: 19, end: 22, weight: -0.4 },
      { start: 23, end: 26, weight: 0.1 },
    ];
    assert.deepStrictEqual(decidingWords(text, weights, 2), {
      pro: [{ text: 'film', weight: 0.3 }, { text: 'good', weight: 0.2 }],
      contra: [{ text: 'bad', weight: -0.4 }, { text: 'not', weight: -0.1 }],
    });
  });

  it('are as many as asked for at most, in falling order, and change places where all speak for the other side', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { maxLength: 30 }), fc.integer({ min: 0, max: 10 }), (values, most) => {
        const text = values.map((_, word) => String.fromCharCode(97 + (word % 26))).join(' ');
        const weights = values.map((weight, word) => ({ start: 2 * word, end: 2 * word + 1, weight }));
        const { pro, contra } = decidingWords(text, weights, most);
        for (const [side, sign] of [[pro, 1], [contra, -1]] as const) {
          assert.ok(side.length <= most);
          side.forEach(({ weight }, place) => assert.ok(weight * sign > 0 && (place === 0 || Math.abs(weight) <= Math.abs(side[place - 1]!.weight))));
        }
        const other = decidingWords(text, weights.map((each) => ({ ...each, weight: -each.weight })), most);
        assert.deepStrictEqual(other.pro.map(({ text: word }) => word), contra.map(({ text: word }) => word));
      }),
    );
  });
});
