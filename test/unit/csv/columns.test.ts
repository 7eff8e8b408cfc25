import * as assert from 'node:assert';
import { columnIndices, guessTextColumns, recordText } from '../../../src/core/csv/columns';
import { readAll } from '../../../src/core/csv/reader';
import { utf8 } from './helpers';

describe('text columns', () => {
  const reviews = ['The film was good, and the actors even better.', 'I did not like it at all; far too long.', 'Boring. We left after an hour.'];

  for (const [what, header, samples, expected] of [
    ['by name', ['id', 'text', 'label'], reviews.map((text, i) => [String(i), text, i ? 'neg' : 'pos']), [1]],
    ['by content where names say nothing', ['a', 'b', 'c'], reviews.map((text, i) => [String(i), 'x', text]), [2]],
    ['the body rather than the title', ['title', 'body'], reviews.map((text) => ['A good film indeed', text]), [1]],
    ['a review among links and dates', ['url', 'when', 'review_text'], reviews.map((text) => ['https://example.org/a-very-long-path/with/many/words/in-it', '2020-01-01 10:00', text]), [2]],
    ['in Chinese', ['编号', '评论', '类别'], [['1', '这家酒店很好', '酒店'], ['2', '服务太差了', '酒店']], [1]],
    ['of short Chinese texts beside long Latin keys', ['key', 'v'], [['alpha-beta-gamma-delta-0001', '很好，喜欢'], ['alpha-beta-gamma-delta-0002', '不好']], [1]],
    ['not the label, though it is a word', ['sentiment', 'phrase'], reviews.map((text) => ['positive', text.slice(0, 12)]), [1]],
    ['not a long name that comes again', ['store', 'said'], reviews.map((text) => ['The Very Long Department Store of Downtown', text]), [1]],
    ['camel case names', ['userId', 'reviewText', 'notes'], reviews.map((text) => ['u1', text, text]), [1]],
    ['none among numbers', ['a', 'b'], [['1', '2.5'], ['2', '3.5']], []],
    ['none among empty cells', ['a'], [[''], ['']], []],
    ['by name alone without rows', ['id', 'content'], [], [1]],
    ['with ragged rows', ['id', 'text'], [['1'], ['2', reviews[0]!]], [1]],
  ] as const satisfies readonly (readonly [string, readonly string[], readonly (readonly string[])[], readonly number[]])[]) {
    it(`are guessed ${what}`, () => assert.deepStrictEqual(guessTextColumns(header, samples), expected));
  }

  it('are found by name', () => {
    const source = { fileName: 'r.csv', columns: ['Text', ' Title ', 'text'] };
    assert.deepStrictEqual(columnIndices(source, ['text', 'Text', 'title']), [2, 0, 1]);
    assert.throws(() => columnIndices(source, ['body']), { code: 'csv.column', message: 'r.csv has no column "body". Choose one of its columns: "Text", " Title ", "text".' });
  });

  it('are joined with a blank line, empty ones left out', () => {
    const rows = readAll('t.csv', utf8('title,text,more\nA,b,c\n,b\n'));
    assert.strictEqual(recordText(rows[1]!, [0, 1]), 'A\n\nb');
    assert.strictEqual(recordText(rows[1]!, [2, 0]), 'c\n\nA');
    assert.strictEqual(recordText(rows[2]!, [0, 1, 2]), 'b');
    assert.strictEqual(recordText(rows[2]!, [2]), '');
  });
});
