import * as assert from 'node:assert';
import * as fc from 'fast-check';
import { RecordReader, recordBatches } from '../../../src/core/csv/reader';
import { rowCounter } from '../../../src/core/text/lines';

async function* chunksOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(bytes);
}

describe('rowCounter', () => {
  it('numbers the lines of a text as the reader of plain text files does', async () => {
    const text = fc.string({ unit: fc.constantFrom('a', '字', ' ', '\t', '\n', '\r\n', '-'), maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(text, async (content) => {
        const reader = new RecordReader('notes.txt');
        const expected: (readonly [number, number])[] = [];
        const bytes = new TextEncoder().encode(content);
        for await (const records of recordBatches(reader, chunksOf(bytes)))
          for (const { kind, row, start } of records) if (kind === 'row') expected.push([new TextDecoder().decode(bytes.subarray(0, start)).length, row]);
        const count = rowCounter(content);
        assert.deepStrictEqual(expected.map(([offset]) => [offset, count(offset)]), expected);
      }),
    );
  });
});
