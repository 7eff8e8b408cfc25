import * as assert from 'node:assert';
import * as fc from 'fast-check';
import { DecisionAnchors } from '../../../src/app/labeling/anchors';

describe('DecisionAnchors', () => {
  const names = ['alpha', 'beta', 'gamma', 'delta'];
  /** The words of a text of a word a line, with where each stands. */
  const linesOf = (text: string): { readonly start: number; readonly end: number; readonly word: string }[] =>
    [...text.matchAll(/[^\n]+/g)].map((match) => ({ start: match.index, end: match.index + match[0].length, word: match[0] }));

  it('finds each text where it is after edits of whole lines, and forgets those that were taken out', () => {
    const step = fc.record({ line: fc.nat(5), insert: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
        let text = names.join('\n');
        const anchors = new DecisionAnchors();
        for (const { word, ...span } of linesOf(text)) anchors.set(span, word);
        for (const { line, insert } of steps) {
          const lines = linesOf(text);
          const target = lines[line % Math.max(1, lines.length)];
          const offset = target?.start ?? 0;
          const removed = insert || !target ? 0 : text.slice(target.start).startsWith(`${target.word}\n`) ? target.word.length + 1 : target.word.length;
          const inserted = insert ? 'new\n' : '';
          text = text.slice(0, offset) + inserted + text.slice(offset + removed);
          anchors.edit({ offset, removed, inserted: inserted.length });
        }
        for (const { word, ...span } of linesOf(text)) assert.strictEqual(anchors.at(span), names.includes(word) ? word : undefined);
        assert.strictEqual(anchors.size, linesOf(text).filter(({ word }) => names.includes(word)).length);
      }),
    );
  });

  it('stays with a text that is edited within, replaced word by word, or typed on', () => {
    const anchors = new DecisionAnchors();
    anchors.set({ start: 10, end: 20 }, 'a');
    anchors.edit({ offset: 12, removed: 3, inserted: 8 });
    assert.strictEqual(anchors.at({ start: 10, end: 25 }), 'a');
    anchors.edit({ offset: 25, removed: 0, inserted: 5 });
    assert.strictEqual(anchors.at({ start: 10, end: 30 }), 'a');
    anchors.edit({ offset: 0, removed: 40, inserted: 7 });
    assert.strictEqual(anchors.at({ start: 0, end: 7 }), 'a');
    anchors.edit({ offset: 0, removed: 7, inserted: 0 });
    assert.strictEqual(anchors.size, 0);
  });

  it('takes the text that has the largest part, and forgets what another one stands on', () => {
    const anchors = new DecisionAnchors();
    anchors.set({ start: 0, end: 4 }, 'a');
    anchors.set({ start: 5, end: 20 }, 'b');
    assert.strictEqual(anchors.at({ start: 0, end: 20 }), 'b');
    anchors.set({ start: 0, end: 20 }, 'c');
    assert.deepStrictEqual([anchors.size, anchors.at({ start: 3, end: 4 }), anchors.at({ start: 20, end: 25 })], [1, 'c', undefined]);
  });
});
