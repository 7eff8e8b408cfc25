import * as assert from 'node:assert';
import * as fc from 'fast-check';
import { chosenLabels, leadingLabel, ruleOf } from '../../../src/core/model/deciding';

const scores = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 8 });
const threshold = fc.double({ min: 0, max: 1, noNaN: true });

describe('what decides for labels', () => {
  it('is the highest score for one label, of equal ones the first', () => {
    fc.assert(fc.property(scores, (all) => assert.deepStrictEqual(chosenLabels({ kind: 'single' }, all), [all.indexOf(Math.max(...all))])));
  });

  it('is the threshold of the second label where there are two', () => {
    fc.assert(fc.property(threshold, threshold, (score, from) => assert.deepStrictEqual(chosenLabels({ kind: 'single', threshold: from }, [1 - score, score]), [score >= from ? 1 : 0])));
    assert.deepStrictEqual(chosenLabels({ kind: 'single', threshold: 0.9 }, [0.2, 0.7, 0.1]), [1], 'of no account for three');
  });

  it('is each label’s own threshold, or the one for all, or one half, for several', () => {
    fc.assert(
      fc.property(scores, threshold, fc.infiniteStream(threshold), (all, from, stream) => {
        const thresholds = all.map(() => stream.next().value as number);
        const expected = (least: (label: number) => number): number[] => all.flatMap((score, label) => (score >= least(label) ? [label] : []));
        assert.deepStrictEqual(chosenLabels({ kind: 'multi' }, all), expected(() => 0.5));
        assert.deepStrictEqual(chosenLabels({ kind: 'multi', threshold: from }, all), expected(() => from));
        assert.deepStrictEqual(chosenLabels({ kind: 'multi', threshold: from, thresholds }, all), expected((label) => thresholds[label]!));
        assert.deepStrictEqual(chosenLabels(ruleOf({ kind: 'multi', thresholds }, from), all), expected(() => from), 'a threshold of one’s own goes before those of the card');
      }),
    );
  });

  it('lets the most probable of the chosen lead, or of all where none is chosen', () => {
    fc.assert(
      fc.property(scores, threshold, fc.constantFrom('single' as const, 'multi' as const), (all, from, kind) => {
        const rule = { kind, threshold: from };
        const chosen = chosenLabels(rule, all);
        const among = chosen.length > 0 ? chosen : [...all.keys()];
        assert.strictEqual(leadingLabel(rule, all), among.find((label) => among.every((other) => all[other]! <= all[label]!)));
      }),
    );
    assert.strictEqual(leadingLabel({ kind: 'single' }, []), -1);
  });

  it('is nothing for a number', () => {
    assert.deepStrictEqual(chosenLabels({ kind: 'number' }, [3.5]), []);
  });
});
