import * as assert from 'node:assert';
import * as fc from 'fast-check';
import { isEditOf } from '../../../src/core/labels/edited';

describe('isEditOf', () => {
  const word = fc.constantFrom('kettle', 'lid', 'broken', '很', '好', 'naïve', 'Größe', '7');
  const sentence = fc.array(word, { minLength: 1, maxLength: 12 }).map((words) => words.join(' '));

  it('holds for a text with words added at its end, or its end taken away', () => {
    fc.assert(
      fc.property(sentence, fc.string({ maxLength: 200 }), (text, added) => {
        assert.ok(isEditOf(text, `${text} ${added}`));
        assert.ok(isEditOf(`${text} ${added}`.slice(0, 80), text));
      }),
    );
  });

  it('never holds for texts without a word in common, nor without any word', () => {
    fc.assert(
      fc.property(sentence, fc.array(fc.constantFrom('other', '天', 'words'), { maxLength: 12 }), (text, others) => {
        assert.ok(!isEditOf(text, others.join(' ')));
        assert.ok(!isEditOf(others.join(' '), text));
      }),
    );
    assert.ok(!isEditOf('…', '…'));
  });

  for (const [before, after, expected] of [
    ['It is broken', 'It is lovely', true],
    ['电影很好', '电影不好', true],
    ['The hotel was good and lovely.', 'Actually, the hotel was good, but not lovely.', true],
    ['The hotel was good.', 'The chair of the host was broken', false],
    ['电影很好', '服务态度非常差', false],
  ] as const) {
    it(`“${before}” → “${after}”: ${expected ? 'an edit' : 'another text'}`, () => assert.strictEqual(isEditOf(before, after), expected));
  }
});
