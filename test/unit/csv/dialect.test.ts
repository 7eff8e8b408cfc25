import * as assert from 'node:assert';
import * as fc from 'fast-check';
import { RecordReader } from '../../../src/core/csv/reader';
import { formatRecord } from '../../../src/core/csv/appendColumns';
import type { Dialect } from '../../../src/core/csv/dialect';
import { utf8 } from './helpers';

function sniffed(fileName: string, text: string): Dialect {
  const reader = new RecordReader(fileName);
  reader.push(utf8(text));
  reader.end();
  return reader.dialect;
}

describe('the dialect of a table', () => {
  it('is found for any table of texts, whatever else stands in the texts', () => {
    const words = fc.array(fc.constantFrom('good', 'film', 'and', 'more,', 'but;', 'a|b', '"so"', 'tab\there', 'line\nbreak', '好', '5.5'), { minLength: 1, maxLength: 8 }).map((parts) => parts.join(' '));
    const rows = fc.array(fc.tuple(fc.nat(99).map(String), words, fc.constantFrom('pos', 'neg')), { minLength: 2, maxLength: 12 });
    fc.assert(
      fc.property(rows, fc.constantFrom(',', '\t', ';', '|'), fc.constantFrom<'\n' | '\r\n' | '\r'>('\n', '\r\n', '\r'), fc.boolean(), (table, delimiter, lineBreak, withHeader) => {
        // where every text has as many tabs, say, nobody could tell
        fc.pre([',', '\t', ';', '|'].every((other) => other === delimiter || new Set(table.map((row) => row[1].split(other).length)).size > 1 || !table[0]![1].includes(other)));
        const all = withHeader ? [['id', 'text', 'label'], ...table] : table;
        const text = all.map((row) => formatRecord(row, { delimiter, quote: '"' }) + lineBreak).join('');
        const dialect = sniffed('t.csv', text);
        assert.deepStrictEqual([dialect.delimiter, dialect.quote, dialect.header, dialect.lineBreak], [delimiter, '"', withHeader, lineBreak]);
      }),
      { numRuns: 500 },
    );
  });

  for (const [what, fileName, text, expected] of [
    ['commas in texts of a table with semicolons', 't.csv', 'id;text\n1;good, very\n2;bad, so, so\n', { delimiter: ';' }],
    ['decimal commas', 't.csv', '1;2,50;good\n2;3,50;bad\n', { delimiter: ';', header: false }],
    ['a .tsv with commas', 't.tsv', 'text\tlabel\na, b\tpos\nc, d\tneg\n', { delimiter: '\t' }],
    ['a .tsv whose header looks like a table with commas', 't.tsv', 'text, raw\tlabel, raw\na\tb\n', { delimiter: '\t' }],
    ['a .tsv that is a .csv in truth', 't.tsv', 'text,label\na,b\n', { delimiter: ',' }],
    ['a .csv with tabs', 't.csv', 'text\tlabel\na\tb\n', { delimiter: '\t' }],
    ['bars', 't.csv', 'text|label\na, b|c\nd|e\n', { delimiter: '|' }],
    ['a single column', 't.csv', 'text\ngood, very\nbad\n', { delimiter: ',', header: true }],
    ['nothing', 't.csv', '', { delimiter: ',', quote: '"', header: true, lineBreak: '\n' }],
    ['quotes that are no quotes', 't.tsv', 'text\tlabel\n"Good" he said\tpos\n" oh no\tneg\nplain\tneg\n5" disk\tneg\n', { delimiter: '\t', quote: '' }],
    ['quotes that are quotes, with tabs', 't.tsv', 'text\tlabel\n"Good\tvery"\tpos\n"so ""so"""\tneg\n', { delimiter: '\t', quote: '"' }],
    ['numbers in the first row', 't.csv', '3,good film\n1,bad film\n', { header: false }],
    ['labels in the first row', 't.csv', 'positive,good film\nnegative,bad film\npositive,nice\n', { header: false }],
    ['years as column names', 't.csv', 'what,2020\ngood,much\nbad,little\n', { header: true }],
    ['a header that comes again', 't.csv', 'text,label\na,b\ntext,label\nc,d\n', { header: true }],
    ['questions as column names', 't.csv', 'Zeitstempel,"What did you like most about our product, and what should we improve?"\nMo,"The price, mostly"\nDi,nothing\n', { header: true }],
    ['the separator line of Excel', 't.csv', 'sep=|\r\ntext|n\r\na|1\r\n', { delimiter: '|', separatorLine: true, lineBreak: '\r\n' }],
  ] as const satisfies readonly (readonly [string, string, string, Partial<Dialect>])[]) {
    it(`is right for ${what}`, () => {
      const dialect = sniffed(fileName, text);
      assert.deepStrictEqual({ ...dialect, ...expected }, dialect);
    });
  }

  it('is what the caller says, if he does', () => {
    const reader = new RecordReader('t.csv', { delimiter: '|', quote: '', header: false });
    const records = [...reader.push(utf8('a,"b|c"\n')), ...reader.end()];
    assert.deepStrictEqual(records[0]!.values(), ['a,"b', 'c"']);
  });
});
