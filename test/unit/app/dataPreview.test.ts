import * as assert from 'node:assert';
import * as fc from 'fast-check';
import { previewData } from '../../../src/app/dataPreview';
import { RecordReader } from '../../../src/core/csv/reader';
import type { HumanError } from '../../../src/core/errors';
import { CancelledError } from '../../../src/core/errors';
import { mostPreviewLabels, type DataPreview } from '../../../src/core/protocol/trainingPanel';

async function* chunksOf(content: string): AsyncGenerator<Uint8Array> {
  yield new TextEncoder().encode(content);
  await Promise.resolve();
}

async function preview(content: string, choice: Partial<Parameters<typeof previewData>[0]> = {}): Promise<DataPreview> {
  return await previewData({ chunks: chunksOf(content), reader: new RecordReader('reviews.csv'), kind: 'single', labelColumn: 'label', textColumns: ['text'], pause: () => Promise.resolve(), ...choice });
}

describe('previewData', () => {
  it('counts labels, and what training would leave out or find twice', async () => {
    const table = ['text,label,stars', 'It boils.,good,5', 'The lid broke.,bad,1', ' It  boils. ,good,4', ',good,5', 'A kettle.,,3', 'Another.,  good ,x'].join('\n');
    assert.deepStrictEqual(await preview(table), { rows: 4, withoutText: 1, withoutLabel: 1, repeats: 1, labels: [{ label: 'good', rows: 3 }, { label: 'bad', rows: 1 }], labelCount: 2 });
    const { values } = await preview(table, { valueColumn: 'stars' });
    assert.deepStrictEqual(values, { minimum: 1, maximum: 5, mean: 10 / 3, notNumbers: 1 });
  });

  it('of several labels counts each, and none is an answer too', async () => {
    const { rows, labels, withoutLabel } = await preview('text,label\na,fast;quiet\nb,fast\nc,\n', { kind: 'multi' });
    assert.deepStrictEqual([rows, withoutLabel, labels], [3, 0, [{ label: 'fast', rows: 2 }, { label: 'quiet', rows: 1 }]]);
  });

  it('of numbers says their range, also where there is none', async () => {
    assert.deepStrictEqual(await preview('text,label\na,1.5\nb,-2\nc,many\n', { kind: 'number' }), { rows: 3, withoutText: 0, withoutLabel: 0, repeats: 0, labels: [], labelCount: 0, values: { minimum: -2, maximum: 1.5, mean: -0.25, notNumbers: 1 } });
    assert.deepStrictEqual((await preview('text,label\na,many\n', { kind: 'number' })).values, { minimum: 0, maximum: 0, mean: 0, notNumbers: 1 });
  });

  it('agrees with counting by hand, and shows the most frequent labels', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(60), { minLength: 1, maxLength: 200 }), async (labels) => {
        const table = ['text,label', ...labels.map((label, row) => `text ${row},l${label}`)].join('\n');
        const { labels: shown, labelCount, rows } = await preview(table);
        const counts = new Map<string, number>();
        for (const label of labels) counts.set(`l${label}`, (counts.get(`l${label}`) ?? 0) + 1);
        assert.strictEqual(rows, labels.length);
        assert.strictEqual(labelCount, counts.size);
        assert.strictEqual(shown.length, Math.min(counts.size, mostPreviewLabels));
        const least = shown.at(-1)?.rows ?? 0;
        for (const { label, rows: count } of shown) assert.strictEqual(count, counts.get(label));
        assert.ok([...counts].every(([label, count]) => count <= least || shown.some((each) => each.label === label)));
      }),
    );
  });

  it('names a column that is not there, in a file without rows too, and stops on request', async () => {
    for (const content of ['text,label\na,b\n', 'text,label\n']) await assert.rejects(preview(content, { textColumns: ['body'] }), (error: HumanError) => error.code === 'csv.column' && error.message.includes('"body"'));
    await assert.rejects(preview('text,label\na,b\n', { signal: AbortSignal.abort() }), CancelledError);
  });
});
