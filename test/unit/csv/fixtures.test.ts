import * as assert from 'node:assert';
import { readFileSync, readdirSync } from 'node:fs';
import * as path from 'node:path';
import { appendColumns, freeColumnNames } from '../../../src/core/csv/appendColumns';
import { RecordReader } from '../../../src/core/csv/reader';
import { joinBytes, readInPieces } from './helpers';

const folder = path.resolve('test/fixtures/csv');

describe('files as people have them', () => {
  const names = readdirSync(path.join(folder, 'expected'));

  it('are there', () => assert.ok(names.length >= 9));

  for (const name of names) {
    const bytes = Uint8Array.from(readFileSync(path.join(folder, name)));
    const expected = Uint8Array.from(readFileSync(path.join(folder, 'expected', name)));
    it(`come through classification unchanged but for the new columns: ${name}`, () => {
      for (const size of [1, 7, 1 << 16]) {
        const records = readInPieces(name, bytes, [size]);
        const added = freeColumnNames(records[0]!.source, ['predicted', 'score']);
        const copy = joinBytes(records.map((record) => appendColumns(record, added, record.kind === 'row' ? ['pos', record.row / 100] : [])));
        const text = (content: Uint8Array): string => new TextDecoder(records[0]!.source.dialect.encoding, { ignoreBOM: true }).decode(content);
        assert.strictEqual(text(copy), text(expected));
        assert.deepStrictEqual(copy, expected);
      }
    });
  }

  it('are the same table in every encoding', () => {
    const tables = ['ugly.csv', 'ugly.utf16le.csv', 'ugly.utf16be.csv'].map((name) => {
      const reader = new RecordReader('ugly.csv');
      const records = [...reader.push(Uint8Array.from(readFileSync(path.join(folder, name)))), ...reader.end()];
      return records.map((record) => ({ kind: record.kind, row: record.row, lines: [record.firstLine, record.lastLine], values: record.values(), defects: record.defects.map((defect) => defect.message) }));
    });
    assert.deepStrictEqual(tables[1], tables[0]);
    assert.deepStrictEqual(tables[2], tables[0]);
    assert.deepStrictEqual(
      tables[0]!.flatMap(({ defects }) => defects.map((message) => /row (\d+) \(line (\d+)\)/.exec(message)!.slice(1).join('/'))),
      ['3/7', '4/8', '5/9', '6/11'],
    );
  });
});
