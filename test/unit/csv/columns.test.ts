import * as assert from 'node:assert';
import { columnIndices, guessLabelColumn, guessTextColumns, recordText } from '../../../src/core/csv/columns';
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

describe('the label column', () => {
  const many = (row: (index: number) => readonly string[]): string[][] => Array.from({ length: 40 }, (_, index) => [...row(index)]);

  for (const [what, header, samples, expected] of [
    ['by name', ['id', 'text', 'label'], many((i) => [String(i), `text ${i}`, i % 2 ? 'a' : 'b']), 2],
    ['by the likelier of two names', ['stars', 'review', 'sentiment'], many((i) => [String(i % 5), `text ${i}`, i % 2 ? 'a' : 'b']), 2],
    ['by a rating where there is nothing else', ['id', 'date', 'product', 'review', 'stars'], many((i) => [String(i), '2026-03-02', `Kettle ${i % 3}`, `text ${i}`, String(i % 5)]), 4],
    ['in Chinese', ['编号', '日期', '商品', '评论', '星级'], many((i) => [String(i), '2026-03-02', `水壶${i % 3}`, `很好${i}`, String(i % 5)]), 4],
    ['in camel case', ['userId', 'reviewLabel', 'review'], many((i) => [`u${i % 2}`, i % 2 ? 'a' : 'b', `text ${i}`]), 1],
    ['by name although the file is sorted by it', ['kind of thing', 'label', 'text'], many((i) => [i % 2 ? 'x' : 'y', 'only', `text ${i}`]), 1],
    ['by few values where names say nothing', ['a', 'b', 'c'], many((i) => [String(i), `text ${i}`, i % 3 ? 'x' : 'y']), 2],
    ['by words rather than numbers', ['a', 'b', 'c'], many((i) => [String(i % 2), `text ${i}`, ['x', 'y', 'z'][i % 3]!]), 2],
    ['not by an id or an author with few values', ['author', 'user_id', 'text'], many((i) => [i % 2 ? 'Mei' : 'Anna', String(i % 3), `text ${i}`]), undefined],
    ['not where a column of that name holds texts', ['category', 'x'], many((i) => [`A long text about the kettle in the kitchen, which stands there and waits, ${i}`, i % 2 ? 'p' : 'n']), 1],
    ['not where values never come again', ['a', 'b'], many((i) => [String(i), `text ${i}`]), undefined],
    ['not among dates', ['when', 'text'], many((i) => [`2026-03-0${i % 5}`, `text ${i}`]), undefined],
    ['by name alone without rows', ['id', 'target', 'text'], [], 1],
    ['with empty cells and ragged rows', ['text', 'label'], [['a', ''], ['b'], ['c', 'x'], ['d', 'y']], 1],
    ['none without columns', [], [], undefined],
  ] as const satisfies readonly (readonly [string, readonly string[], readonly (readonly string[])[], number | undefined])[]) {
    it(`is guessed ${what}`, () => assert.strictEqual(guessLabelColumn(header, samples), expected));
  }
});
