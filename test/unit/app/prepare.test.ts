import * as assert from 'node:assert';
import * as fc from 'fast-check';
import { partNames, prepareFile, type PartName, type PreparePlan, type PrepareSummary } from '../../../src/app/prepare';
import { RecordReader, readAll } from '../../../src/core/csv/reader';
import { CancelledError, HumanError } from '../../../src/core/errors';
import { normalizeText } from '../../../src/core/text/normalize';
import { Tokenizer } from '../../../src/core/text/tokenizer';
import { humanError } from '../humanErrors';
import { MemorySink } from './memorySink';

const plan: PreparePlan = {
  textColumns: ['text'],
  labelColumn: 'label',
  kind: 'single',
  map: new Map(),
  onlyMapped: false,
  dropRepeated: false,
  dropContradictory: false,
  shares: { train: 0.6, valid: 0.2, test: 0.2 },
  seed: 1,
};

interface Prepared {
  readonly summary: PrepareSummary;
  /** Of each part: the header, then the rows' values. */
  readonly tables: Readonly<Record<PartName, readonly (readonly string[])[]>>;
  readonly sinks: Readonly<Record<PartName, MemorySink>>;
}

const sinksOf = (): Record<PartName, MemorySink> => ({ train: new MemorySink(), valid: new MemorySink(), test: new MemorySink() });

/** By the reader's scanner, told what RFC 4180 says. */
const parsed = (bytes: Uint8Array): string[][] =>
  readAll('part.csv', bytes, { delimiter: ',', quote: '"', header: true, encoding: 'utf-8' })
    .filter((record) => record.kind !== 'gap')
    .map((record) => record.values());

async function prepared(content: string, more: Partial<PreparePlan> = {}, fileName = 'data.csv', chunkSize = 50): Promise<Prepared> {
  const sinks = sinksOf();
  const bytes = Buffer.from(content);
  const chunks = Array.from({ length: Math.ceil(bytes.length / chunkSize) }, (_, index) => bytes.subarray(index * chunkSize, (index + 1) * chunkSize));
  const summary = await prepareFile({
    ...plan,
    ...more,
    chunks: (async function* () {
      for (const chunk of chunks) yield await Promise.resolve(chunk);
    })(),
    reader: new RecordReader(fileName, fileName.endsWith('.csv') ? { header: true, delimiter: ',' } : {}),
    sinks,
    pause: () => Promise.resolve(),
  });
  const tables = Object.fromEntries(partNames.map((name) => [name, parsed(sinks[name].bytes)])) as unknown as Prepared['tables'];
  return { summary, tables, sinks };
}

const rowsOf = ({ tables }: Prepared): (readonly string[])[] => partNames.flatMap((name) => tables[name].slice(1));
const csvCell = (value: string): string => `"${value.replaceAll('"', '""')}"`;

describe('preparing a labelled file', () => {
  // no text that reads as another program's mark at the start of a file, and no lone surrogates, which UTF-8 cannot say
  const cell = fc.string({ unit: 'binary', maxLength: 12 }).filter((text) => !/[\ufeff\0\ufffd]/.test(text));
  const table = fc.array(fc.record({ id: cell, text: fc.oneof(cell, fc.constantFrom('same', ' same ', 'same\r\n', '')), label: fc.constantFrom('a', 'b', ' b ', 'c', '') }), { minLength: 1, maxLength: 60 });

  it('parts the rows that it keeps, with all columns as they were and equal texts in one part', async () => {
    await fc.assert(
      fc.asyncProperty(table, fc.integer({ min: 0, max: 1000 }), async (rows, seed) => {
        const content = ['id,text,label', ...rows.map(({ id, text, label }) => [id, text, label].map(csvCell).join(','))].join('\n');
        const kept = rows.filter(({ text, label }) => text.trim() !== '' && label !== '').map(({ id, text, label }) => [id, text, label.trim()]);
        if (kept.length === 0) {
          await assert.rejects(prepared(content, { seed }), humanError('prepare.none', 'data.csv', 'text', 'label'));
          return;
        }
        const result = await prepared(content, { seed });
        const sorted = (list: readonly (readonly string[])[]): string[] => list.map((values) => JSON.stringify(values)).sort();
        assert.deepStrictEqual(sorted(rowsOf(result)), sorted(kept));
        for (const name of partNames) assert.deepStrictEqual(result.tables[name][0], ['id', 'text', 'label']);
        const partOf = new Map<string, string>();
        for (const name of partNames)
          for (const [, text] of result.tables[name].slice(1)) {
            const key = normalizeText(text!);
            assert.strictEqual(partOf.get(key) ?? name, name, 'a text in two parts');
            partOf.set(key, name);
          }
        const { summary } = result;
        assert.strictEqual(summary.rows, rows.length);
        assert.strictEqual(summary.kept, kept.length);
        assert.strictEqual(summary.kept + Object.values<number>({ ...summary.dropped }).reduce((sum, count) => sum + count, 0), rows.length);
        for (const name of partNames) {
          const labels = result.tables[name].slice(1).map(([, , label]) => label!);
          assert.strictEqual(summary.parts[name].rows, labels.length);
          for (const label of ['a', 'b', 'c']) assert.strictEqual(summary.parts[name].labels.get(label) ?? 0, labels.filter((each) => each === label).length);
        }
        assert.deepStrictEqual((await prepared(content, { seed }, 'data.csv', 7)).tables, result.tables, 'the seed decides, not how the file came');
      }),
    );
  });

  it('spreads each label over the parts by their shares, and draws other rows with another seed', async () => {
    const content = ['text,label', ...Array.from({ length: 500 }, (_, row) => `text ${row},${row % 5 === 0 ? 'rare' : 'common'}`)].join('\n');
    const shares = { train: 0.7, valid: 0.1, test: 0.2 };
    const { summary, tables } = await prepared(content, { shares });
    for (const [name, share] of Object.entries(shares) as [PartName, number][]) assert.deepStrictEqual([...summary.parts[name].labels], [['common', 400 * share], ['rare', 100 * share]]);
    assert.notDeepStrictEqual((await prepared(content, { shares, seed: 2 })).tables, tables);
    const two = await prepared(content, { shares: { train: 0.8, valid: 0.2, test: 0 } });
    assert.deepStrictEqual([two.summary.parts.valid.rows, two.tables.test], [100, [['text', 'label']]]);
  });

  it('maps labels, drops those that become nothing, and says which of the map no row has', async () => {
    const content = 'text,label\na,pos\nb,neg\nc,spam\nd, pos \ne,other';
    const map = new Map([['pos', 'positive'], ['neg', 'negative'], ['spam', ''], ['mixed', 'neutral']]);
    const labels = (result: Prepared): Record<string, string> => Object.fromEntries(rowsOf(result).map(([text, label]) => [text!, label!]));
    const kept = await prepared(content, { map });
    assert.deepStrictEqual(labels(kept), { a: 'positive', b: 'negative', d: 'positive', e: 'other' });
    assert.deepStrictEqual([kept.summary.dropped.notMapped, kept.summary.unused], [1, ['mixed']]);
    const only = await prepared(content, { map, onlyMapped: true });
    assert.deepStrictEqual(labels(only), { a: 'positive', b: 'negative', d: 'positive' });
    assert.strictEqual(only.summary.dropped.notMapped, 2);
    const several = await prepared('text,label\na,x;y\nb,y|z\nc,[]\nd,z\ne,', { kind: 'multi', map: new Map([['x', 'q'], ['y', 'q'], ['z', '']]) });
    assert.deepStrictEqual(labels(several), { a: 'q', b: 'q', c: '[]', e: '' });
    assert.deepStrictEqual(partNames.reduce((sum, name) => sum + (several.summary.parts[name].labels.get('q') ?? 0), 0), 2);
  });

  it('joins columns into the column text, or into a new one', async () => {
    const joined = await prepared('title,text,label\nOne,two,a\n,alone,b\nOnly,,a', { textColumns: ['title', 'text'] });
    assert.deepStrictEqual(joined.tables.train[0], ['title', 'text', 'label']);
    assert.deepStrictEqual(rowsOf(joined).sort(), [['', 'alone', 'b'], ['One', 'One\n\ntwo', 'a'], ['Only', 'Only', 'a']]);
    const added = await prepared('title,body,label\nOne,two,a\nThree,four,b', { textColumns: ['body', 'title'] });
    assert.deepStrictEqual(added.tables.train[0], ['title', 'body', 'label', 'text']);
    assert.deepStrictEqual(rowsOf(added).sort(), [['One', 'two', 'a', 'two\n\nOne'], ['Three', 'four', 'b', 'four\n\nThree']]);
  });

  it('keeps the first words, of English and Chinese', async () => {
    const words = { words: 4 };
    const result = await prepared('text,label\n"Well, it isn\'t bad at all.",a\n房间很大！服务好,b\nshort,a', words);
    assert.deepStrictEqual(rowsOf(result).map(([text]) => text).sort(), ["Well, it isn't bad", 'short', '房间很大']);
    const tokenizer = Tokenizer.build([], { minFrequency: 1, maxVocabulary: 100, maxTokens: 10 });
    for (const [text] of rowsOf(result)) assert.ok(tokenizer.tokens(text!).length <= 4);
  });

  it('reports texts with different labels, and drops them and repeated ones when asked', async () => {
    const content = 'text,label\ngood,a\ngood ,b\nfine,a\nfine,a\n good,b\nalone,b\nlast,a';
    const { summary } = await prepared(content);
    assert.deepStrictEqual(summary.contradictions, { texts: 1, rows: 3, first: [{ rows: [1, 2], labels: ['a', 'b'] }] });
    assert.strictEqual(summary.kept, 7);
    const once = await prepared(content, { dropRepeated: true });
    assert.deepStrictEqual(rowsOf(once).sort(), [['alone', 'b'], ['fine', 'a'], ['good', 'a'], ['last', 'a']]);
    assert.strictEqual(once.summary.dropped.repeated, 3);
    const none = await prepared(content, { dropContradictory: true });
    assert.deepStrictEqual([none.summary.dropped.contradictory, none.summary.dropped.repeated, none.summary.kept], [3, 0, 4]);
    assert.ok(rowsOf(none).every(([text]) => text!.trim() !== 'good'));
    const both = await prepared(content, { dropContradictory: true, dropRepeated: true });
    assert.deepStrictEqual([both.summary.dropped.contradictory, both.summary.dropped.repeated, both.summary.kept], [3, 1, 3]);
  });

  it('spreads numbers over the parts, and names the row of what is none', async () => {
    const content = ['text,stars', ...Array.from({ length: 200 }, (_, row) => `text ${row},${(row * 37) % 200}.5`)].join('\n');
    const { tables, summary } = await prepared(content, { kind: 'number', labelColumn: 'stars' });
    assert.strictEqual(summary.parts.test.labels.size, 0);
    // 20 rows of each tenth, of which a fifth are tested with
    const tenths = tables.test.slice(1).map(([, stars]) => Math.floor(Number(stars) / 20));
    for (let tenth = 0; tenth < 10; tenth++) assert.strictEqual(tenths.filter((each) => each === tenth).length, 4);
    const broken = 'text,stars\na,1\nb,n/a\nc,3';
    await assert.rejects(prepared(broken, { kind: 'number', labelColumn: 'stars' }), humanError('rows.number', 'data.csv', 'row 2', 'stars', 'n/a'));
    const mapped = await prepared(broken, { kind: 'number', labelColumn: 'stars', map: new Map([['n/a', '']]) });
    assert.deepStrictEqual([mapped.summary.kept, mapped.summary.dropped.notMapped], [2, 1]);
  });

  it('reads JSONL, whose later rows have more columns, and tables with rows too long or short', async () => {
    const lines = await prepared('{"text": "a", "label": "x"}\n{"text": "b", "label": "y", "more": 7}\noops\n{"label": "x"}\n', {}, 'data.jsonl');
    assert.deepStrictEqual(lines.tables.train[0], ['text', 'label', 'more']);
    assert.deepStrictEqual(rowsOf(lines).sort(), [['a', 'x', ''], ['b', 'y', '7']]);
    assert.deepStrictEqual([lines.summary.dropped.noText, lines.summary.defects], [2, 1]);
    const ragged = await prepared('text,label\na,x,extra\nb,y\nc', {});
    assert.deepStrictEqual(ragged.tables.train[0], ['text', 'label', '3']);
    assert.deepStrictEqual(rowsOf(ragged).sort(), [['a', 'x', 'extra'], ['b', 'y', '']]);
    assert.deepStrictEqual([ragged.summary.dropped.noLabel, ragged.summary.defects], [1, 2]);
  });

  it('writes all parts or none', async () => {
    const sinks = sinksOf();
    const stop = new AbortController();
    const request = { ...plan, sinks, reader: new RecordReader('data.csv'), pause: () => Promise.resolve() };
    const endless = (async function* () {
      yield await Promise.resolve(Buffer.from('text,label\n'));
      for (let row = 0; ; row++) {
        if (row === 100) stop.abort();
        yield Buffer.from(`${'text '.repeat(1000)}${row},a\n`);
      }
    })();
    await assert.rejects(prepareFile({ ...request, chunks: endless, signal: stop.signal }), CancelledError);
    assert.deepStrictEqual(partNames.map((name) => sinks[name].state), ['discarded', 'discarded', 'discarded']);

    const full = { ...sinksOf(), test: new MemorySink(() => Promise.reject(new HumanError('file.full', 'The disk is full.'))) };
    const chunks = (async function* () {
      yield await Promise.resolve(Buffer.from('text,label\na,x\nb,y\n'));
    })();
    await assert.rejects(prepareFile({ ...request, sinks: full, chunks, reader: new RecordReader('data.csv') }), humanError('file.full'));
    assert.deepStrictEqual(partNames.map((name) => full[name].state), ['discarded', 'discarded', 'discarded']);
    await assert.rejects(prepared('text,label\na,x', { textColumns: ['body'] }), humanError('csv.column', 'data.csv', 'body'));
    await assert.rejects(prepared('text,stars\na,x'), humanError('csv.column', 'data.csv', 'label'));
  });
});
