import * as assert from 'node:assert';
import * as fc from 'fast-check';
import { HumanError } from '../../../src/core/errors';
import { Random } from '../../../src/core/util/random';
import { decodeBytes, encodeText, type Encoding } from '../../../src/core/csv/encoding';
import { RecordReader, readAll, recordBatches, type ReaderOptions } from '../../../src/core/csv/reader';
import { formatRecord } from '../../../src/core/csv/appendColumns';
import { joinBytes, pieceSizes, readInPieces, snapshot, textOf, trouble, utf8, writtenTable } from './helpers';

const rows = (fileName: string, text: string | Uint8Array, options?: ReaderOptions): string[][] =>
  readAll(fileName, typeof text === 'string' ? utf8(text) : text, options)
    .filter((record) => record.kind === 'row')
    .map((record) => Array.from({ length: record.fieldCount }, (_, column) => record.value(column)!));

const codes = (fileName: string, text: string | Uint8Array, options?: ReaderOptions): string[] =>
  readAll(fileName, typeof text === 'string' ? utf8(text) : text, options).flatMap((record) => record.defects.map((defect) => `${defect.code} ${defect.row} ${defect.line} ${defect.column}`));

const lineBreaksIn = (text: string): number => text.match(/\r\n|\n|\r/g)?.length ?? 0;

describe('the table reader', () => {
  it('finds values, bytes and lines of every field, in any dialect, cut anywhere', () => {
    fc.assert(
      fc.property(writtenTable, pieceSizes, fc.boolean(), (table, sizes, header) => {
        const { encoding, delimiter, bomBytes } = table;
        const records = readInPieces('t.csv', table.bytes, sizes, { encoding, delimiter, header, quote: '"' });
        const expected = table.records;
        // a lone byte order mark is a record of its own
        if (expected.length === 0) return assert.deepStrictEqual(joinBytes(records.map((record) => record.bytes)), table.bytes);
        assert.strictEqual(records.length, expected.length);
        let at = 0;
        let line = 1;
        let row = 0;
        let headerSeen = false;
        for (const [i, { gap, values, raw, content, whole }] of expected.entries()) {
          const record = records[i]!;
          const kind: string = gap ? 'gap' : header && !headerSeen ? 'header' : 'row';
          headerSeen ||= kind === 'header';
          if (kind === 'row') row++;
          assert.strictEqual(record.kind, kind);
          assert.strictEqual(record.row, kind === 'row' ? row : 0);
          const contentStart = at + (i === 0 ? bomBytes : 0);
          assert.strictEqual(record.start, at);
          assert.strictEqual(record.end, contentStart + encodeText(encoding, content).length);
          at = contentStart + encodeText(encoding, whole).length;
          assert.strictEqual(record.next, at);
          assert.strictEqual(record.firstLine, line);
          assert.strictEqual(record.lastLine, line + lineBreaksIn(content));
          if (!gap) {
            assert.deepStrictEqual(
              values.map((_, column) => record.value(column)),
              values,
            );
            assert.strictEqual(record.value(values.length), undefined);
          }
          let field = contentStart;
          let fieldLine = line;
          for (const [column, written] of raw.entries()) {
            const end = field + encodeText(encoding, written).length;
            assert.deepStrictEqual(record.range(column), { start: field, end });
            assert.deepStrictEqual(record.lines(column), { firstLine: fieldLine, lastLine: fieldLine + lineBreaksIn(written) });
            field = end + encodeText(encoding, delimiter).length;
            fieldLine += lineBreaksIn(written);
          }
          line += lineBreaksIn(whole);
        }
        assert.strictEqual(at, table.bytes.length);
      }),
      { numRuns: 600 },
    );
  });

  it('gives the same records for any way of cutting any bytes, and their bytes make up the file', () => {
    const bytes = fc.oneof(
      trouble(60).map(utf8),
      trouble(60).map((text) => encodeText('utf-16le', text)),
      fc.uint8Array({ maxLength: 60 }),
      trouble(40).map((text) => joinBytes([utf8('\uFEFF'), utf8(text)])),
    );
    const options = fc.constantFrom<ReaderOptions>(
      {},
      { header: false },
      { header: true, encoding: 'utf-8' },
      { encoding: 'utf-16be' },
      { header: false, limits: { fieldUnits: 5 } },
      { header: false, limits: { fieldLines: 2 } },
    );
    fc.assert(
      fc.property(bytes, options, fc.constantFrom('t.csv', 't.tsv', 't.jsonl', 't.txt'), pieceSizes, (content, option, name, sizes) => {
        const attempt = (read: () => unknown): unknown => {
          try {
            return read();
          } catch (error) {
            assert.ok(error instanceof HumanError, String(error));
            return error.code;
          }
        };
        const whole = attempt(() => readAll(name, content, option).map(snapshot));
        assert.deepStrictEqual(
          attempt(() => readInPieces(name, content, sizes, option).map(snapshot)),
          whole,
        );
        if (typeof whole === 'string') return;
        const records = readAll(name, content, option);
        assert.deepStrictEqual(joinBytes(records.map((record) => record.bytes)), content);
        for (const [i, record] of records.entries()) {
          assert.strictEqual(record.start, i === 0 ? 0 : records[i - 1]!.next);
          for (let column = 0; column < record.fieldCount; column++) {
            const range = record.range(column);
            if (range === undefined) continue;
            assert.ok(record.start <= range.start && range.start <= range.end && range.end <= record.end);
          }
        }
      }),
      { numRuns: 1500 },
    );
  });

  it('reads back what formatRecord writes', () => {
    const value = fc.string({ unit: fc.constantFrom('a', ' ', ',', ';', '"', '\n', '\r', '好'), maxLength: 6 });
    fc.assert(
      fc.property(fc.array(fc.array(value, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 6 }), fc.constantFrom(',', ';', '\t', '|'), (table, delimiter) => {
        const text = table.map((record) => formatRecord(record, { delimiter, quote: '"' })).join('\r\n');
        assert.deepStrictEqual(rows('t.csv', text, { delimiter, quote: '"', header: false }), table);
      }),
    );
  });

  it('keeps its ways across the sample, blocks and records larger than a block', () => {
    const random = new Random(7);
    const parts = ['id,text\r\n'];
    for (let i = 0; i < 400; i++) {
      const text = `${'Ünë good "" film, '.repeat(random.below(60))}${random.below(3) === 0 ? '\r\n' : ''}`;
      parts.push(`${i},"${text}"${random.below(2) === 0 ? '\n' : '\r\n'}`);
      if (i === 200) parts.push(`200b,"${'long '.repeat(120_000)}"\n`);
    }
    const bytes = utf8(parts.join(''));
    assert.ok(bytes.length > 800_000);
    const whole = readAll('t.csv', bytes).map(({ start, end, next, firstLine, lastLine, fieldCount }) => ({ start, end, next, firstLine, lastLine, fieldCount }));
    assert.strictEqual(whole.length, 402);
    for (const size of [1009, 65_536, 70_001, 300_000]) {
      const records = readInPieces('t.csv', bytes, [size]);
      assert.deepStrictEqual(
        records.map(({ start, end, next, firstLine, lastLine, fieldCount }) => ({ start, end, next, firstLine, lastLine, fieldCount })),
        whole,
      );
      for (const record of records) assert.deepStrictEqual(record.bytes, bytes.subarray(record.start, record.next));
    }
    const big = readAll('t.csv', bytes).find((record) => record.value(0) === '200b')!;
    assert.strictEqual(big.value(1)!.length, 600_000);
    assert.strictEqual(big.row, 202);
  });

  it('holds no more in memory for a record than a block around it', () => {
    const reader = new RecordReader('t.csv');
    const bytes = utf8(`text,label\n${'good film,pos\n'.repeat(400_000)}`);
    const records = [...reader.push(bytes), ...reader.end()];
    assert.strictEqual(records.length, 400_001);
    assert.ok(records.every((record) => record.bytes.buffer.byteLength <= 600_000));
    assert.ok(new Set(records.map((record) => record.bytes.buffer)).size >= 10);
  });

  it('names the columns, and numbers them where there is no header', () => {
    const reader = new RecordReader('t.csv');
    reader.push(utf8('Review; Stars \n"good; very";5\n'));
    reader.end();
    assert.deepStrictEqual(reader.columns, ['Review', ' Stars ']);
    assert.strictEqual(reader.dialect.delimiter, ';');
    const bare = new RecordReader('t.csv', { header: false });
    bare.push(utf8('good,5\n'));
    bare.end();
    assert.deepStrictEqual(bare.columns, ['1', '2']);
    assert.strictEqual(bare.rowCount, 1);
  });

  it('passes over the separator line of Excel', () => {
    assert.deepStrictEqual(rows('t.csv', 'sep=;\r\ntext;label\r\n"a;b";1\r\n'), [['a;b', '1']]);
  });

  it('reads nothing from nothing', () => {
    for (const name of ['t.csv', 't.tsv', 't.jsonl']) assert.deepStrictEqual(readAll(name, new Uint8Array(0)), []);
    assert.deepStrictEqual(readAll('t.csv', utf8('\uFEFF')).map((record) => [record.kind, record.bytes.length]), [['gap', 3]]);
  });

  it('gives the records of an asynchronous stream', async () => {
    async function* chunks(): AsyncGenerator<Uint8Array> {
      yield utf8('text,label\ngo');
      await Promise.resolve();
      yield utf8('od,1\nbad,0');
    }
    const values: (string | undefined)[] = [];
    for await (const records of recordBatches(new RecordReader('t.csv'), chunks())) for (const record of records) values.push(record.value(0));
    assert.deepStrictEqual(values, ['text', 'good', 'bad']);
  });
});

describe('recovery from broken tables', () => {
  const header = 'id,text,label\n';

  it('keeps stray quotes as they stand', () => {
    assert.deepStrictEqual(rows('t.csv', `${header}1,"He said "hello" to me",pos\n2,5" disk,neg\n3,"a" ,pos\n4,"say ""x"" "y,neg\n`), [
      ['1', '"He said "hello" to me"', 'pos'],
      ['2', '5" disk', 'neg'],
      ['3', 'a', 'pos'],
      ['4', '"say ""x"" "y', 'neg'],
    ]);
    assert.deepStrictEqual(codes('t.csv', `${header}1,"He said "hello" to me",pos\n2,5" disk,neg\n3,"a" ,pos\n4,"say ""x"" "y,neg\n`), ['csv.stray 1 2 2', 'csv.stray 4 5 2']);
  });

  it('ends a row whose quote is never closed at its line, and reads on', () => {
    const text = `${header}1,good,pos\n2,"forgotten,neg\n3,fine,pos\n4,also fine,neg\n`;
    assert.deepStrictEqual(rows('t.csv', text), [
      ['1', 'good', 'pos'],
      ['2', '"forgotten', 'neg'],
      ['3', 'fine', 'pos'],
      ['4', 'also fine', 'neg'],
    ]);
    const [defect] = readAll('t.csv', utf8(text)).flatMap((record) => record.defects);
    assert.strictEqual(defect!.message, 't.csv, row 2 (line 3), column "text": the quote that opens this field is never closed, so it was read as an ordinary character. Close it, or double it inside a quoted field.');
    assert.ok(defect!.toError() instanceof HumanError);
  });

  it('tells a forgotten quote from a field of several lines when the next quote opens a field', () => {
    assert.deepStrictEqual(rows('t.csv', `${header}1,"forgotten,neg\n2,"fine, really",pos\n3,"two\nlines",pos\n`), [
      ['1', '"forgotten', 'neg'],
      ['2', 'fine, really', 'pos'],
      ['3', 'two\nlines', 'pos'],
    ]);
    // here the first line alone would be too short: the quote inside was not doubled
    assert.deepStrictEqual(rows('t.csv', `${header}1,"He said\n"hi" to me",neg\n`), [['1', '"He said\n"hi" to me"', 'neg']]);
  });

  it('does not let a forgotten quote eat the file', () => {
    const many = Array.from({ length: 30_000 }, (_, i) => `${i},fine,pos`).join('\n');
    const records = readAll('t.csv', utf8(`${header}x,"forgotten,neg\n${many}\n`));
    assert.strictEqual(records.filter((record) => record.kind === 'row').length, 30_001);
    assert.deepStrictEqual(
      records.flatMap((record) => record.defects.map((defect) => defect.code)),
      ['csv.quote'],
    );
    const long = `${header}x,"forgotten,neg\n1,${'a'.repeat(3000)},pos\n2,b,"neg"\n`;
    assert.deepStrictEqual(codes('t.csv', long, { limits: { fieldUnits: 1000 } }), ['csv.quote 1 2 2']);
  });

  it('stops with a message at a record without end', () => {
    assert.throws(
      () => readAll('t.csv', utf8(`${header}${'a'.repeat(5000)}`), { limits: { recordUnits: 1000 } }),
      (error: unknown) => error instanceof HumanError && error.code === 'csv.tooLong' && error.message.startsWith('t.csv: the record that starts in line 2 '),
    );
    assert.throws(() => readAll('t.csv', utf8(`a,b\n${','.repeat(5000)}`), { limits: { fields: 1000 } }), { code: 'csv.tooManyColumns' });
  });

  it('reports rows with another number of fields than the header', () => {
    assert.deepStrictEqual(codes('t.csv', `${header}1,a\n2,a,pos,more\n`), ['csv.short 1 2 3', 'csv.long 2 3 4']);
    const messages = readAll('t.csv', utf8(`${header}1,a\n2,a,pos,more\n`)).flatMap((record) => record.defects.map((defect) => defect.message));
    assert.ok(messages[0]!.includes('row 1 (line 2) ends before column "label"'), messages[0]);
    assert.ok(messages[1]!.includes('row 2 (line 3) goes on behind the last column, "label"'), messages[1]);
  });

  it('reports NUL characters and broken UTF-8 at their field, and keeps the bytes', () => {
    const nul = `${header}1,a\0b,pos\n`;
    assert.deepStrictEqual(rows('t.csv', nul), [['1', 'a\0b', 'pos']]);
    assert.deepStrictEqual(codes('t.csv', nul), ['csv.nul 1 2 2']);
    const broken = joinBytes([utf8(`${header}1,déjà vu,pos\n2,"two\nlin`), Uint8Array.of(0xff), utf8('es",neg\n')]);
    assert.deepStrictEqual(codes('t.csv', broken), ['csv.invalid 2 3 2']);
    assert.deepStrictEqual(rows('t.csv', broken)[1], ['2', 'two\nlin\uFFFDes', 'neg']);
    // overlong, surrogate, beyond Unicode, cut short
    for (const bytes of [[0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xe5, 0xa5]]) {
      const line = joinBytes([utf8('id,text\n1,好 好 好 好\n2,'), Uint8Array.from(bytes), utf8('\n')]);
      assert.deepStrictEqual(codes('t.csv', line), ['csv.invalid 2 3 2'], String(bytes));
    }
  });

  it('agrees with the platform about what is valid UTF-8', () => {
    const strict = new TextDecoder('utf-8', { fatal: true });
    const unit = fc.constantFrom(0x41, 0x80, 0xbf, 0xc2, 0xdf, 0xe0, 0xa0, 0x9f, 0xe5, 0xed, 0xef, 0xf0, 0x90, 0x8f, 0xf4, 0xf5);
    fc.assert(
      fc.property(fc.array(unit, { maxLength: 8 }), (units) => {
        const content = Uint8Array.from(units);
        let valid = true;
        try {
          strict.decode(content);
        } catch {
          valid = false;
        }
        const found = codes('t.csv', joinBytes([utf8('text\nx'), content]), { encoding: 'utf-8', header: true });
        assert.deepStrictEqual(found, valid ? [] : ['csv.invalid 1 2 1']);
      }),
      { numRuns: 1000 },
    );
  });

  it('reports lone surrogates and half a character in UTF-16', () => {
    const bytes = joinBytes([encodeText('utf-16le', '\uFEFFtext,label\na\uD800b,1\n'), Uint8Array.of(0x41)]);
    assert.deepStrictEqual(codes('t.csv', bytes), ['csv.invalid 1 2 1', 'csv.invalid 1 3 1']);
    assert.deepStrictEqual(joinBytes(readAll('t.csv', bytes).map((record) => record.bytes)), bytes);
  });
});

describe('encodings', () => {
  const text = 'text,label\n这家酒店很好，服务周到，下次还来,positive\n房间太小，隔音差,negative\n';

  for (const [name, encoding, mark] of [
    ['UTF-8', 'utf-8', ''],
    ['UTF-8 with a byte order mark', 'utf-8', '\uFEFF'],
    ['UTF-16LE with a byte order mark', 'utf-16le', '\uFEFF'],
    ['UTF-16BE with a byte order mark', 'utf-16be', '\uFEFF'],
    ['UTF-16LE without one', 'utf-16le', ''],
    ['UTF-16BE without one', 'utf-16be', ''],
    ['GB 18030', 'gb18030', ''],
  ] as const satisfies readonly (readonly [string, Encoding, string])[]) {
    it(`recognises ${name}`, () => {
      const bytes = encodeText(encoding, mark + text);
      const reader = new RecordReader('t.csv');
      const records = [...reader.push(bytes), ...reader.end()];
      assert.strictEqual(reader.dialect.encoding, encoding);
      assert.strictEqual(reader.dialect.bomBytes > 0, mark !== '');
      assert.deepStrictEqual(records.map((record) => record.values()), [
        ['text', 'label'],
        ['这家酒店很好，服务周到，下次还来', 'positive'],
        ['房间太小，隔音差', 'negative'],
      ]);
      assert.deepStrictEqual(
        records.flatMap((record) => record.defects.map((defect) => defect.code)),
        encoding === 'gb18030' ? ['csv.guessed'] : [],
      );
    });
  }

  it('recognises ASCII in UTF-16 without a byte order mark', () => {
    for (const encoding of ['utf-16le', 'utf-16be'] as const) assert.deepStrictEqual(rows('t.csv', encodeText(encoding, 'text,n\ngood,1\n')), [['good', '1']]);
  });

  it('takes other bytes for Windows-1252, and says where it first did', () => {
    const bytes = joinBytes([utf8('text,label\nplain,1\ncaf'), Uint8Array.of(0xe9), utf8(' na'), Uint8Array.of(0xef), utf8('ve,0\n')]);
    assert.deepStrictEqual(rows('t.csv', bytes)[1], ['café naïve', '0']);
    const [defect] = readAll('t.csv', bytes).flatMap((record) => record.defects);
    assert.strictEqual(defect!.message, 't.csv is not UTF-8 (first in row 2, line 3, column "text"), so it was read as Windows-1252. If letters look wrong, save the file as UTF-8.');
    assert.deepStrictEqual(codes('t.csv', bytes, { encoding: 'windows-1252' }), []);
  });

  it('does not mistake a cut character at the end of the sample for another encoding', () => {
    for (let shift = 0; shift < 3; shift++) {
      const bytes = utf8(`text\n${'x'.repeat(shift)}${'好'.repeat(40_000)}\n`);
      const reader = new RecordReader('t.csv');
      assert.deepStrictEqual([...reader.push(bytes), ...reader.end()].flatMap((record) => record.defects), []);
      assert.strictEqual(reader.dialect.encoding, 'utf-8');
    }
  });

  it('refuses what is no text, each with its own remedy', () => {
    for (const [bytes, code] of [
      [[0x50, 0x4b, 3, 4, 20], 'csv.workbook'],
      [[0x1f, 0x8b, 8], 'csv.gzip'],
      [[0xff, 0xfe, 0, 0, 0x41, 0, 0, 0], 'csv.utf32'],
      [[0x25, 0x50, 0x44, 0x46], 'csv.binary'],
      [Array.from({ length: 400 }, (_, i) => (i * 37) % 30), 'csv.binary'],
    ] as const) {
      assert.throws(() => readAll('t.csv', Uint8Array.from(bytes)), { code });
    }
  });

  it('writes what it decodes', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('a', 'é', '€', 'ß'), maxLength: 9 }), (sample) => {
        const bytes = encodeText('windows-1252', sample);
        assert.strictEqual(decodeBytes('windows-1252', bytes, 0, bytes.length), sample);
        assert.strictEqual(bytes.length, sample.length);
      }),
    );
    assert.deepStrictEqual([...encodeText('windows-1252', '€é')], [0x80, 0xe9]);
    assert.strictEqual(new TextDecoder('gb18030').decode(encodeText('gb18030', '中性 neutral，好')), '中性 neutral，好');
    assert.throws(() => encodeText('windows-1252', '好'), { code: 'csv.encode' });
    assert.throws(() => encodeText('gb18030', '😀'), { code: 'csv.encode' });
  });
});

describe('JSONL and plain text', () => {
  it('reads members by column, wherever they stand in the line', () => {
    const reader = new RecordReader('t.jsonl');
    const text = '{"text": "a \\"b\\" \\u597d", "n": 1}\n\n{"n":null,"text":"x{}[],","more":{"a":[1,"}"]}}\r\n  {}  \n';
    const records = [...reader.push(utf8(text)), ...reader.end()];
    assert.deepStrictEqual(reader.columns, ['text', 'n', 'more']);
    assert.deepStrictEqual(
      records.map((record) => [record.kind, record.row, record.firstLine, record.value(0), record.value(1), record.value(2)]),
      [
        ['row', 1, 1, 'a "b" 好', '1', undefined],
        ['gap', 0, 2, undefined, undefined, undefined],
        ['row', 2, 3, 'x{}[],', '', '{"a":[1,"}"]}'],
        ['row', 3, 4, undefined, undefined, undefined],
      ],
    );
    const whole = utf8(text);
    const raw = (index: number, column: number): string => {
      const range = records[index]!.range(column)!;
      return textOf(whole.subarray(range.start, range.end));
    };
    assert.strictEqual(raw(0, 0), '"a \\"b\\" \\u597d"');
    assert.strictEqual(raw(2, 1), 'null');
    assert.strictEqual(raw(2, 2), '{"a":[1,"}"]}');
  });

  it('finds each member where it stands, for any object', () => {
    const value = fc.jsonValue({ maxDepth: 2 });
    fc.assert(
      fc.property(fc.dictionary(fc.string({ maxLength: 3 }), value, { maxKeys: 4 }), fc.constantFrom(undefined, 1), pieceSizes, fc.constantFrom<Encoding>('utf-8', 'utf-16le'), (object, indent, sizes, encoding) => {
        const line = JSON.stringify(object, undefined, indent).replace(/\n/g, ' ');
        const bytes = encodeText(encoding, `\uFEFF${line}\n`);
        const [record] = readInPieces('t.jsonl', bytes, sizes);
        const { columns } = record!.source;
        assert.deepStrictEqual([...columns].sort(), Object.keys(object).sort());
        for (const [column, name] of columns.entries()) {
          const range = record!.range(column)!;
          const raw = new TextDecoder(encoding).decode(bytes.subarray(range.start, range.end));
          assert.deepStrictEqual(JSON.parse(raw), (JSON.parse(line) as Record<string, unknown>)[name]);
          assert.strictEqual(raw, raw.trim());
        }
      }),
    );
  });

  it('reports lines that are no objects, and goes on', () => {
    const text = '{"text":"a"}\nnot json\n["b"]\n"c"\n{"text":"d"\nnull\n{"text":"e"}\n';
    assert.deepStrictEqual(codes('t.jsonl', text), ['jsonl.object 2 2 undefined', 'jsonl.object 3 3 undefined', 'jsonl.object 4 4 undefined', 'jsonl.object 5 5 undefined', 'jsonl.object 6 6 undefined']);
    assert.deepStrictEqual(
      readAll('t.jsonl', utf8(text)).map((record) => record.value(0)),
      ['a', undefined, undefined, undefined, undefined, undefined, 'e'],
    );
  });

  it('names the member with broken bytes', () => {
    const bytes = joinBytes([utf8('{"id":1,"text":"好好好"}\n{"id":2,"text":"a'), Uint8Array.of(0xff), utf8('"}\n')]);
    assert.deepStrictEqual(codes('t.jsonl', bytes), ['csv.invalid 2 2 2']);
  });

  it('refuses a file that is one JSON value', () => {
    for (const text of ['[\n{"text":"a"}\n]\n', '{\n"text":"a"\n}\n', '[{"text":"a"}]\n']) assert.throws(() => readAll('t.jsonl', utf8(text)), { code: 'jsonl.array' });
  });

  it('takes each line of a plain text as it is', () => {
    const records = readAll('t.txt', utf8('\uFEFF"quoted", not a table\r\n\r\n  \nlast; one'));
    assert.deepStrictEqual(
      records.map((record) => [record.kind, record.row, record.value(0)]),
      [
        ['header', 0, undefined],
        ['row', 1, '"quoted", not a table'],
        ['gap', 0, ''],
        ['gap', 0, '  '],
        ['row', 2, 'last; one'],
      ],
    );
    assert.deepStrictEqual(records[0]!.source.columns, ['text']);
  });

  it('tells the format by the name', () => {
    assert.deepStrictEqual(['a.CSV', 'a.tsv.gz', 'a.ndjson', 'b.jsonl.gz', 'a.txt', 'a.log', 'a'].map((name) => new RecordReader(name).format), ['csv', 'csv', 'jsonl', 'jsonl', 'text', 'text', 'text']);
  });
});
