import * as assert from 'node:assert';
import * as fc from 'fast-check';
import { RecordReader, recordBatches } from '../../../src/core/csv/reader';
import { rowCounter, textRows } from '../../../src/core/text/lines';

async function* chunksOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(bytes);
}

describe('rows of a text', () => {
  it('are cut and numbered as the reader of plain text files does', async () => {
    const text = fc.string({ unit: fc.constantFrom('a', '字', ' ', '\t', '\n', '\r\n', '-'), maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(text, async (content) => {
        const reader = new RecordReader('notes.txt');
        const expected: (readonly [number, number])[] = [];
        const texts: string[] = [];
        const bytes = new TextEncoder().encode(content);
        for await (const records of recordBatches(reader, chunksOf(bytes)))
          for (const record of records) {
            if (record.kind !== 'row') continue;
            expected.push([new TextDecoder().decode(bytes.subarray(0, record.start)).length, record.row]);
            texts.push(record.value(0) ?? '');
          }
        const count = rowCounter(content);
        assert.deepStrictEqual(expected.map(([offset]) => [offset, count(offset)]), expected);
        const rows = [...textRows(content)];
        assert.deepStrictEqual(rows.map(({ start, row }) => [start, row]), expected);
        assert.deepStrictEqual(rows.map(({ start, end }) => content.slice(start, end)), texts);
      }),
    );
  });
});
