import * as assert from 'node:assert';
import * as fc from 'fast-check';
import { appendColumns, formatCell, formatRecord, freeColumnNames } from '../../../src/core/csv/appendColumns';
import { encodeText } from '../../../src/core/csv/encoding';
import { RecordReader, readAll, type ReaderOptions } from '../../../src/core/csv/reader';
import type { TextRecord } from '../../../src/core/csv/record';
import { joinBytes, textOf, trouble, utf8, writtenTable } from './helpers';

type Values = readonly (string | number)[];

/** As Classify File does it. */
function classified(fileName: string, bytes: Uint8Array, valuesOf: (record: TextRecord) => Values, options?: ReaderOptions): Uint8Array {
  let names: readonly string[] | undefined;
  const parts = readAll(fileName, bytes, options).map((record) => {
    names ??= freeColumnNames(record.source, ['predicted', 'score']);
    return appendColumns(record, names, record.kind === 'row' ? valuesOf(record) : []);
  });
  return joinBytes(parts);
}

const classifiedText = (fileName: string, text: string, values: Values = ['pos', 0.5]): string => textOf(classified(fileName, utf8(text), () => values));

describe('adding columns', () => {
  const added = fc.string({ unit: fc.constantFrom('a', ',', ';', '\t', '|', '"', '\n', '\r', ' ', '好'), maxLength: 4 });

  it('puts them under their header, in any table, and taking them out gives back the file to the byte', () => {
    fc.assert(
      fc.property(writtenTable, fc.array(fc.tuple(added, added), { minLength: 9, maxLength: 9 }), fc.boolean(), (table, values, header) => {
        const { encoding, delimiter } = table;
        const options: ReaderOptions = { encoding, delimiter, header, quote: '"' };
        const before = readAll('t.csv', table.bytes, options);
        const copy = classified('t.csv', table.bytes, (record) => values[record.row]!, options);
        const after = readAll('t.csv', copy, options);
        assert.strictEqual(after.length, before.length);
        if (before.length === 0) return;
        const width = before[0]!.source.columns.length;
        const left: Uint8Array[] = [];
        for (const [i, record] of after.entries()) {
          const original = before[i]!;
          assert.strictEqual(record.kind, original.kind);
          if (record.kind === 'gap') {
            left.push(record.bytes);
            continue;
          }
          const wanted = record.kind === 'header' ? record.source.columns.slice(width, width + 2) : values[record.row]!;
          assert.deepStrictEqual([record.value(width), record.value(width + 1)], wanted);
          assert.strictEqual(record.fieldCount, Math.max(width, original.fieldCount) + 2);
          const cut = { start: record.range(Math.min(width, original.fieldCount) - 1)!.end - record.start, end: record.range(width + 1)!.end - record.start };
          left.push(record.bytes.subarray(0, cut.start), record.bytes.subarray(cut.end));
        }
        assert.deepStrictEqual(joinBytes(left), table.bytes);
      }),
      { numRuns: 500 },
    );
  });

  it('changes nothing else in a broken file either', () => {
    fc.assert(
      fc.property(fc.oneof(trouble(50).map(utf8), fc.uint8Array({ maxLength: 50 })), fc.constantFrom('t.csv', 't.tsv', 't.jsonl'), (bytes, name) => {
        // JSON over several lines is refused whole; that is another test
        fc.pre(name !== 't.jsonl' || !/^\s*(?:\[|\{\s*$)/m.test(textOf(bytes)));
        const records = readAll(name, bytes, { encoding: 'utf-8', header: false, limits: { fieldLines: 3 } });
        for (const record of records) {
          const whole = appendColumns(record, ['p', 's'], ['好', 0.5]);
          const more = whole.length - record.bytes.length;
          assert.ok(record.kind === 'gap' || name === 't.jsonl' ? more >= 0 : more >= '好'.length);
          let same = 0;
          while (same < record.bytes.length && whole[same] === record.bytes[same]) same++;
          assert.deepStrictEqual(joinBytes([whole.subarray(0, same), whole.subarray(same + more)]), record.bytes);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('writes what a person expects to see', () => {
    assert.strictEqual(classifiedText('t.csv', 'text,label\r\n"a, b",x\n\nshort\r\nlong,y,more,most'), 'text,label,predicted,score\r\n"a, b",x,pos,0.5\n\nshort,,pos,0.5\r\nlong,y,pos,0.5,more,most');
    assert.strictEqual(classifiedText('t.csv', 'text;label\na;b\n', ['so; so', '"x"']), 'text;label;predicted;score\na;b;"so; so";"""x"""\n');
    assert.strictEqual(classifiedText('t.tsv', 'text\tlabel\n" a\tb\n', ['x\ty', 1]), 'text\tlabel\tpredicted\tscore\n" a\tb\tx y\t1\n');
    assert.strictEqual(classifiedText('t.csv', 'text\n"a" \n', []), 'text,predicted,score\n"a" ,,\n');
    assert.strictEqual(classifiedText('t.csv', 'sep=;\ntext;n\na;1\n'), 'sep=;\ntext;n;predicted;score\na;1;pos;0.5\n');
    assert.strictEqual(classifiedText('t.csv', '1,good\n0,bad\n'), '1,good,pos,0.5\n0,bad,pos,0.5\n');
  });

  it('chooses names that are free', () => {
    assert.deepStrictEqual(freeColumnNames({ columns: ['text', ' Predicted', 'predicted_2'] }, ['predicted', 'score']), ['predicted_3', 'score']);
    assert.deepStrictEqual(freeColumnNames({ columns: [] }, ['a', 'a']), ['a', 'a_2']);
    const once = classifiedText('t.csv', 'text\na\n');
    assert.strictEqual(classifiedText('t.csv', once), 'text,predicted,score,predicted_2,score_2\na,pos,0.5,pos,0.5\n');
  });

  it('keeps the encoding, and says when it has no place for a label', () => {
    const text = '\uFEFF内容,标签\r\n"好,好",a\r\n';
    for (const encoding of ['utf-16le', 'utf-16be'] as const) {
      assert.deepStrictEqual(classified('t.csv', encodeText(encoding, text), () => ['正面', 1]), encodeText(encoding, '\uFEFF内容,标签,predicted,score\r\n"好,好",a,正面,1\r\n'));
    }
    const gb = encodeText('gb18030', '内容,标签\n这家酒店很好，下次还来,a\n');
    assert.deepStrictEqual(classified('t.csv', gb, () => ['正面', 1]), encodeText('gb18030', '内容,标签,predicted,score\n这家酒店很好，下次还来,a,正面,1\n'));
    const western = joinBytes([utf8('text,n\ncaf'), Uint8Array.of(0xe9), utf8(',1\n')]);
    assert.throws(() => classified('t.csv', western, () => ['正面']), { code: 'csv.encode' });
  });

  describe('to JSONL', () => {
    it('adds members that parse back, to any object, and leaves the rest as it stands', () => {
      fc.assert(
        fc.property(fc.dictionary(fc.string({ maxLength: 4 }), fc.jsonValue({ maxDepth: 2 }), { maxKeys: 4 }), fc.constantFrom(undefined, 1), fc.constantFrom('', ' ', '\t '), added, (object, indent, blanks, label) => {
          const line = blanks + JSON.stringify(object, undefined, indent).replace(/\n/g, ' ') + blanks;
          const copy = classifiedText('t.jsonl', `${line}\r\n`, [label, 0.25]);
          assert.deepStrictEqual(JSON.parse(copy), { ...(JSON.parse(line) as object), predicted: label, score: 0.25 });
          const more = copy.length - line.length - 2;
          let same = 0;
          while (copy[same] === line[same] && same < line.length) same++;
          assert.strictEqual(copy.slice(0, same) + copy.slice(same + more), `${line}\r\n`);
        }),
        { numRuns: 300 },
      );
    });

    it('is spaced as the line is, and leaves alone what is no object', () => {
      assert.strictEqual(
        classifiedText('t.jsonl', '{"text": "a", "n": 1 }\n{"text":"b"}\n\n{}\n{ }\nnonsense\n[1]'),
        '{"text": "a", "n": 1, "predicted": "pos", "score": 0.5 }\n{"text":"b","predicted":"pos","score":0.5}\n\n{"predicted":"pos","score":0.5}\n{"predicted":"pos","score":0.5 }\nnonsense\n[1]',
      );
      assert.strictEqual(classifiedText('t.jsonl', '{"text":"a"}\n', []), '{"text":"a"}\n');
    });

    it('never writes a member twice', () => {
      assert.strictEqual(classifiedText('t.jsonl', '{"text":"a","score":2}\n{"text":"b","score_2":3}\n'), '{"text":"a","score":2,"predicted":"pos","score_3":0.5}\n{"text":"b","score_2":3,"predicted":"pos","score_3":0.5}\n');
      // a member that first comes behind the sample cannot be known at the first line
      const reader = new RecordReader('t.jsonl');
      const [first] = reader.push(utf8('{"text":"a"}\n'.repeat(6000)));
      const names = freeColumnNames(reader, ['predicted', 'score']);
      assert.strictEqual(textOf(appendColumns(first!, names, ['pos', 0.5])), '{"text":"a","predicted":"pos","score":0.5}\n');
      const late = reader.push(utf8('{"text":"b","score":3}\n')).at(-1)!;
      assert.strictEqual(textOf(appendColumns(late, names, ['pos', 0.5])), '{"text":"b","score":3,"predicted":"pos","score_2":0.5}\n');
    });
  });

  describe('to plain text', () => {
    it('makes a table with one row a line, at its place', () => {
      assert.strictEqual(classifiedText('t.txt', 'good film\r\n\r\nso, so\r\n"bad"'), 'text,predicted,score\r\ngood film,pos,0.5\r\n\r\n"so, so",pos,0.5\r\n"""bad""",pos,0.5');
    });

    it('keeps every line, in every encoding', () => {
      const line = fc.string({ unit: fc.constantFrom('a', ',', '"', ' ', '好', '\t', ';'), maxLength: 6 });
      fc.assert(
        fc.property(fc.array(line, { maxLength: 6 }), fc.constantFrom('utf-8', 'utf-16le', 'utf-16be'), fc.boolean(), (lines, encoding, bom) => {
          const bytes = encodeText(encoding, (bom ? '\uFEFF' : '') + lines.join('\n'));
          const copy = classified('t.txt', bytes, () => ['x', 1], { encoding });
          const reader = new RecordReader('t.csv', { encoding, delimiter: ',', header: true, quote: '"' });
          const records = [...reader.push(copy), ...reader.end()];
          assert.deepStrictEqual(reader.columns, ['text', 'predicted', 'score']);
          const texts = records.filter((record) => record.kind === 'row').map((record) => record.values());
          assert.deepStrictEqual(
            texts,
            lines.filter((text) => !/^[ \t]*$/.test(text)).map((text) => [text, 'x', '1']),
          );
          assert.strictEqual(reader.dialect.bomBytes > 0, bom);
        }),
      );
    });
  });

  it('quotes only where it must', () => {
    const dialect = { delimiter: ';', quote: '"' };
    assert.deepStrictEqual(
      ['a,b', 'a;b', 'a"b', 'a\nb', 'a\rb', ' a ', ''].map((value) => formatCell(value, dialect)),
      ['a,b', '"a;b"', '"a""b"', '"a\nb"', '"a\rb"', ' a ', ''],
    );
    assert.deepStrictEqual([formatRecord([''], dialect), formatRecord([' '], dialect), formatRecord(['', ''], dialect)], ['""', '" "', ';']);
  });
});
