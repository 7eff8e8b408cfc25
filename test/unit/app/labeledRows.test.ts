import * as assert from 'node:assert';
import * as fc from 'fast-check';
import { readLabeled, type LabeledRequest, type LabeledRows } from '../../../src/app/labeledRows';
import { RecordReader } from '../../../src/core/csv/reader';
import { HumanError } from '../../../src/core/errors';
import { formatAnswer, parseLabelList } from '../../../src/core/labels/labelCells';

async function* chunksOf(text: string): AsyncGenerator<Uint8Array> {
  await Promise.resolve();
  yield new TextEncoder().encode(text);
}

const read = (lines: readonly string[], more: Partial<LabeledRequest> = {}): Promise<LabeledRows> =>
  readLabeled({ chunks: chunksOf(`${lines.join('\n')}\n`), reader: new RecordReader('reviews.csv'), textColumns: ['text'], labelColumn: 'label', ...more });

describe('labelled rows', () => {
  it('have several labels as exports write them, or with bars between, and none where the cell is empty', async () => {
    const { rows, unlabeled } = await read(['text,label', 'one,b;a', 'two,a|b|a', 'three,', 'four,[]', 'five,a\\;b', 'six,c|d;a'], { kind: 'multi' });
    assert.deepStrictEqual(rows.map(({ labels }) => labels), [['a', 'b'], ['a', 'b'], [], [], ['a;b'], ['a', 'c|d']]);
    assert.deepStrictEqual(rows.map(({ label }) => label), ['a;b', 'a;b', '[]', '[]', 'a\\;b', 'a;c|d']);
    assert.deepStrictEqual(rows.map(({ row }) => row), [1, 2, 3, 4, 5, 6]);
    assert.strictEqual(unlabeled, 0);
  });

  it('have the labels that an export wrote', () => {
    // a bar alone is taken for a separator
    const label = fc.string({ minLength: 1, maxLength: 8 }).map((text) => text.trim()).filter((text) => text !== '' && !text.includes('|'));
    fc.assert(fc.property(fc.uniqueArray(label, { maxLength: 5 }), (labels) => assert.deepStrictEqual(parseLabelList(String(formatAnswer(labels))), labels)));
  });

  it('have numbers, alone or beside a label, and are left out where one is missing', async () => {
    const numbers = await read(['text,label', 'one,3.5', 'two,-1e3', 'three,', "four,'-2"], { kind: 'number' });
    assert.deepStrictEqual([numbers.rows.map(({ value }) => value), numbers.unlabeled], [[3.5, -1000, -2], 1]);
    const joint = await read(['text,label,stars', 'one,good,5', 'two,bad,', 'three,,1', 'four,bad,1'], { valueColumn: 'stars' });
    assert.deepStrictEqual([joint.rows.map(({ row, label, value }) => [row, label, value]), joint.unlabeled], [[[1, 'good', 5], [4, 'bad', 1]], 2]);
  });

  it('say where a number is none', async () => {
    for (const cell of ['many', '"3,5"', '0x', '1e31', 'NaN', 'Infinity', '4 stars']) {
      const names = (error: unknown, column: string): boolean => error instanceof HumanError && error.code === 'rows.number' && error.message.startsWith(`reviews.csv, row 2, column ${column}: "${cell.replaceAll('"', '')}"`);
      await assert.rejects(read(['text,label', 'one,1', `two,${cell}`], { kind: 'number' }), (error) => names(error, 'label'));
      await assert.rejects(read(['text,label,stars', 'one,a,1', `two,b,${cell}`], { valueColumn: 'stars' }), (error) => names(error, 'stars'));
    }
  });
});
