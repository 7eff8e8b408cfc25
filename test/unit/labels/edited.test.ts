import * as assert from 'node:assert';
import * as fc from 'fast-check';
import { isEditOf, isSamePlace } from '../../../src/core/labels/edited';

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

describe('isSamePlace', () => {
  for (const [before, now, expected] of [
    [{ file: 'a.csv', row: 3 }, { file: 'a.csv', row: 3 }, true],
    [{ file: 'a.csv', row: 3 }, { file: 'a.csv', row: 4 }, false],
    [{ file: 'a.csv', row: 3 }, { file: 'b.csv', row: 3 }, false],
    [{ file: 'a.csv', row: 3 }, { file: 'a.csv', start: 0, end: 9 }, false],
    [{ file: 'a.txt', start: 10, end: 30 }, { file: 'a.txt', start: 10, end: 45 }, true],
    [{ file: 'a.txt', start: 12, end: 22 }, { file: 'a.txt', start: 10, end: 45 }, false],
    [{ file: 'a.txt', start: 10, end: 30 }, { file: 'a.txt', start: 28, end: 50 }, false],
    [{ file: 'a.txt' }, { file: 'a.txt', start: 0, end: 9 }, false],
  ] as const) {
    it(`${JSON.stringify(before)} → ${JSON.stringify(now)}: ${expected}`, () => assert.strictEqual(isSamePlace(before, now), expected));
  }
});
