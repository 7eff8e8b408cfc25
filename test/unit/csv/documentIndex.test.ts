import * as assert from 'node:assert';
import * as fc from 'fast-check';
import { recordText } from '../../../src/core/csv/columns';
import { DocumentIndex, linesOf, sniffDocument, type DocumentLines } from '../../../src/core/csv/documentIndex';
import type { Dialect } from '../../../src/core/csv/dialect';
import { readAll } from '../../../src/core/csv/reader';
import { textOf, trouble, utf8, writtenTable } from './helpers';

/** A document that can be edited, as an editor holds it. */
class EditableDocument implements DocumentLines {
  private lines: string[];
  /** Lines asked for since it was last set to 0. */
  reads = 0;

  constructor(text: string) {
    this.lines = text.split(/\r\n|\n|\r/);
  }

  get lineCount(): number {
    return this.lines.length;
  }

  get text(): string {
    return this.lines.join('\n');
  }

  lineText(line: number): string {
    this.reads++;
    assert.ok(line >= 0 && line < this.lines.length, `line ${line} of ${this.lines.length}`);
    return this.lines[line]!;
  }

  /** Replaces a range, and returns the arguments for `DocumentIndex.edit`. */
  replace(from: { line: number; character: number }, to: { line: number; character: number }, text: string): [number, number, number] {
    const inserted = (this.lines[from.line]!.slice(0, from.character) + text + this.lines[to.line]!.slice(to.character)).split(/\r\n|\n|\r/);
    this.lines.splice(from.line, to.line - from.line + 1, ...inserted);
    return [from.line, to.line, from.line + inserted.length - 1];
  }
}

const dialectOf = (delimiter: string, header: boolean): Dialect => ({ encoding: 'utf-8', bomBytes: 0, delimiter, quote: '"', header, separatorLine: false, lineBreak: '\n' });

function indexed(lines: DocumentLines, dialect: Dialect, fileName = 't.csv', slice?: number): DocumentIndex {
  const index = new DocumentIndex(lines, fileName, dialect);
  for (let steps = 0; !index.step(slice); steps++) assert.ok(steps < 100_000, 'it never ends');
  return index;
}

function contents(index: DocumentIndex): unknown {
  const rows = Array.from({ length: index.rowCount }, (_, i) => {
    const record = index.record(i);
    return {
      ...index.rowLines(i),
      end: [record.endLine, record.endCharacter],
      fields: Array.from({ length: record.fieldCount }, (__, column) => ({ value: record.value(column), range: record.range(column) })),
    };
  });
  return { rows, columns: index.columns };
}

describe('the index of a document', () => {
  it('finds what the byte reader finds, in steps of any size', () => {
    const text = fc.oneof(
      writtenTable.filter(({ encoding, bomBytes }) => encoding === 'utf-8' && bomBytes === 0).map(({ bytes }) => textOf(bytes)),
      trouble(80),
    );
    fc.assert(
      fc.property(text, fc.constantFrom('t.csv', 't.jsonl', 't.txt'), fc.boolean(), fc.integer({ min: 1, max: 20 }), (content, name, header, slice) => {
        const normal = content.replace(/\r\n|\r/g, '\n');
        const options = { delimiter: ',', quote: '"', header, encoding: 'utf-8' } as const;
        const records = ((): ReturnType<typeof readAll> => {
          try {
            return readAll(name, utf8(normal), options);
          } catch {
            return fc.pre(false) as never; // no text file
          }
        })();
        const rows = records.filter((record) => record.kind === 'row');
        const index = indexed(linesOf(content), dialectOf(',', header), name, slice);
        assert.strictEqual(index.rowCount, rows.length);
        if (rows.length > 0) assert.deepStrictEqual(index.columns, rows[0]!.source.columns);
        const lines = normal.split('\n');
        const offsetOf = (line: number, character: number): number => utf8(lines.slice(0, line).join('\n') + (line > 0 ? '\n' : '') + lines[line]!.slice(0, character)).length;
        for (const [i, row] of rows.entries()) {
          const record = index.record(i);
          assert.deepStrictEqual(index.rowLines(i), { startLine: row.firstLine - 1, endLine: row.lastLine - 1 });
          assert.strictEqual(offsetOf(record.endLine, record.endCharacter), row.end);
          assert.strictEqual(record.fieldCount, row.fieldCount);
          for (let column = 0; column < row.source.columns.length; column++) {
            assert.strictEqual(record.value(column), row.value(column));
            const range = record.range(column);
            assert.deepStrictEqual(range && { start: offsetOf(range.startLine, range.startCharacter), end: offsetOf(range.endLine, range.endCharacter) }, row.range(column));
          }
          for (let line = row.firstLine - 1; line < row.lastLine; line++) assert.strictEqual(index.rowAt(line), i);
        }
        for (const record of records) if (record.kind !== 'row' && record.bytes.length > 0) assert.strictEqual(index.rowAt(record.firstLine - 1), undefined);
      }),
      { numRuns: 1000 },
    );
  });

  const editText = fc.string({ unit: fc.constantFrom('a', ',', '"', '"', '\n', '\n', 'b'), maxLength: 6 });
  const edits = fc.array(fc.record({ from: fc.nat(), fromCharacter: fc.nat(), lines: fc.constantFrom(0, 0, 0, 1, 2, 5), toCharacter: fc.nat(), text: editText, steps: fc.constantFrom(0, 0, 1, 2, 1000), slice: fc.constantFrom(1, 3, 7, 1000) }), {
    minLength: 1,
    maxLength: 6,
  });
  const rowText = fc.oneof(
    { weight: 5, arbitrary: fc.constantFrom('a,b', '"a",b', 'a,"b\nc"', 'a,"b ""c"" d"', 'x') },
    { weight: 2, arbitrary: fc.constantFrom('', ' ', 'a,"open', '"open,b', '"so" so,b', 'a,b,c') },
  );

  it('after any edits is the index from scratch, also when they come while it is being built', () => {
    fc.assert(
      fc.property(fc.array(rowText, { maxLength: 25 }), fc.boolean(), fc.nat(30), edits, (rows, header, early, changes) => {
        const document = new EditableDocument(rows.join('\n'));
        const dialect = dialectOf(',', header);
        const index = new DocumentIndex(document, 't.csv', dialect);
        for (let i = 0; i < early; i++) index.step(5);
        for (const { from, fromCharacter, lines, toCharacter, text, steps, slice } of changes) {
          const fromLine = from % document.lineCount;
          const toLine = Math.min(document.lineCount - 1, fromLine + lines);
          const fromAt = fromCharacter % (document.lineText(fromLine).length + 1);
          const toAt = toCharacter % (document.lineText(toLine).length + 1);
          const to = toLine === fromLine ? Math.max(fromAt, toAt) : toAt;
          index.edit(...document.replace({ line: fromLine, character: fromAt }, { line: toLine, character: to }, text));
          for (let i = 0; i < steps; i++) index.step(slice);
          // what is indexed so far can be read
          contents(index);
        }
        while (!index.step(50));
        assert.deepStrictEqual(contents(index), contents(indexed(document, dialect)));
      }),
      { numRuns: 2000 },
    );
  });

  it('is right about the rows that it has while it is being built', () => {
    const lines = linesOf(Array.from({ length: 50 }, (_, i) => `${i},"a\n${i}"`).join('\n'));
    const index = new DocumentIndex(lines, 't.csv', dialectOf(',', false));
    let seen = 0;
    while (!index.step(30)) {
      for (; seen < index.rowCount; seen++) assert.strictEqual(index.record(seen).value(1), `a\n${seen}`);
    }
    assert.ok(seen > 30);
    assert.strictEqual(index.rowCount, 50);
  });

  describe('of 100,000 rows', () => {
    const rows = Array.from({ length: 100_000 }, (_, i) => (i % 10 === 0 ? `${i},"A film of two lines,\nnumber ${i}",pos` : `${i},The film number ${i} was rather good and I liked the acting a lot,neg`));
    const document = new EditableDocument(`id,text,label\n${rows.join('\n')}\n`);
    const index = new DocumentIndex(document, 't.csv', sniffDocument(document, 't.csv'));

    it('never takes long for a step', () => {
      let most = 0;
      let steps = 0;
      do {
        const before = document.reads;
        steps++;
        index.step(64 * 1024);
        most = Math.max(most, document.reads - before);
      } while (!index.done);
      assert.strictEqual(index.rowCount, 100_000);
      // time is not a thing to assert; what a step touches is
      assert.ok(most < 3000 && steps > 50, `${most} lines in one of ${steps} steps`);
    });

    it('answers for a viewport without reading more than it', () => {
      document.reads = 0;
      const { from, to } = index.rowsWithin(50_000, 50_060);
      assert.ok(to - from > 50 && to - from <= 61);
      for (let i = from; i < to; i++) assert.strictEqual(index.record(i).value(0), String(i));
      assert.ok(document.reads <= 63, String(document.reads));
      assert.strictEqual(recordText(index.record(50_000), [1]), 'A film of two lines,\nnumber 50000');
    });

    it('reads again only what an edit touches', () => {
      document.reads = 0;
      index.edit(...document.replace({ line: 3, character: 5 }, { line: 3, character: 5 }, 'more,"and\nmore"\nx,y,z\n'));
      assert.ok(index.rowCount < 10);
      index.step(64 * 1024);
      assert.ok(index.done);
      assert.strictEqual(index.rowCount, 100_002);
      assert.ok(document.reads < 1000, String(document.reads));
      assert.strictEqual(index.record(100_001).value(0), '99999');
    });

    it('comes back when a quote is opened and closed again', () => {
      const row = index.rowAt(40_000)! + 1;
      const { startLine } = index.rowLines(row);
      index.edit(...document.replace({ line: startLine, character: 0 }, { line: startLine, character: 0 }, '"'));
      index.step(64 * 1024);
      index.edit(...document.replace({ line: startLine, character: 0 }, { line: startLine, character: 1 }, ''));
      document.reads = 0;
      index.step(256 * 1024);
      assert.ok(index.done);
      assert.strictEqual(index.rowCount, 100_002);
      assert.ok(document.reads < 5000, String(document.reads));
    });
  });

  it('reads JSONL by member', () => {
    const document = new EditableDocument('{"text": "a b", "n": 1}\n\n{"n": 2, "text": "c"}\nnonsense\n');
    const index = indexed(document, sniffDocument(document, 't.jsonl'), 't.jsonl');
    assert.deepStrictEqual(index.columns, ['text', 'n']);
    assert.deepStrictEqual(
      [0, 1, 2].map((i) => index.record(i).value(0)),
      ['a b', 'c', undefined],
    );
    assert.deepStrictEqual(index.record(1).range(0), { startLine: 2, startCharacter: 17, endLine: 2, endCharacter: 20 });
    index.edit(...document.replace({ line: 0, character: 2 }, { line: 0, character: 6 }, 'body'));
    index.step();
    assert.deepStrictEqual(index.columns, ['body', 'n', 'text']);
  });

  it('sniffs the dialect of a document and leaves its separator line out', () => {
    const document = new EditableDocument('sep=;\r\ntext;n\r\n"a;b";1\r\n');
    const dialect = sniffDocument(document, 't.csv');
    assert.deepStrictEqual([dialect.delimiter, dialect.header, dialect.separatorLine], [';', true, true]);
    const index = indexed(document, dialect);
    assert.deepStrictEqual([index.columns, index.rowCount, index.record(0).value(0)], [['text', 'n'], 1, 'a;b']);
    index.edit(...document.replace({ line: 1, character: 0 }, { line: 1, character: 4 }, 'review'));
    index.step();
    assert.deepStrictEqual([index.columns, index.rowCount], [['review', 'n'], 1]);
    index.edit(...document.replace({ line: 0, character: 5 }, { line: 0, character: 5 }, '\n'));
    index.step();
    assert.deepStrictEqual([index.columns, index.rowCount, index.rowLines(0).startLine], [['review', 'n'], 1, 3]);
  });
});
