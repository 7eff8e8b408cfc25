import * as assert from 'node:assert';
import * as fc from 'fast-check';
import { exportLabels, previewExport, type DecidedTexts, type ExportChoices, type ExportRequest, type ExportSource } from '../../../src/app/labeling/exportLabels';
import { RecordReader, readAll } from '../../../src/core/csv/reader';
import { unitBytes } from '../../../src/core/csv/encoding';
import { CancelledError, HumanError } from '../../../src/core/errors';
import type { DecisionValue } from '../../../src/core/labels/decision';
import { exportColumns, exportName, freeFileName } from '../../../src/core/labels/exportFormats';
import { formatAnswer, parseLabels } from '../../../src/core/labels/labelCells';
import type { ExampleState, Guess } from '../../../src/core/labels/view';
import { exampleId } from '../../../src/core/text/normalize';
import { writtenTable } from '../csv/helpers';
import { MemorySink } from './memorySink';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function source(file: string, content: string | Uint8Array, textColumns: readonly string[] = ['text']): ExportSource {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  const chunks = async function* (): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < bytes.length; at += 4096) {
      await turn();
      yield bytes.subarray(at, at + 4096);
    }
  };
  return { kind: 'table', file, textColumns, open: () => Promise.resolve({ chunks: chunks() }) };
}

const at = '2026-11-20T20:00:00.000Z';
const labeled = (value: DecisionValue): ExampleState => ({ status: 'labeled', value, annotator: 'mei', at, others: [] });
const marked = (status: 'skipped' | 'flagged' | 'cleared'): ExampleState => ({ status, annotator: 'mei', at, others: [] });
const guessed = (value: DecisionValue, confidence: number): Guess => ({ scores: [], value, confidence });

function texts(states: Readonly<Record<string, ExampleState>>, guesses: Readonly<Record<string, Guess>> = {}): DecidedTexts {
  const byId = <T>(record: Readonly<Record<string, T>>): Map<string, T> => new Map(Object.entries(record).map(([text, value]) => [exampleId(text), value]));
  const [stateOf, guessOf] = [byId(states), byId(guesses)];
  return { stateOf: (id) => stateOf.get(id), guessOf: (id) => guessOf.get(id) };
}

function request(sources: readonly ExportSource[], decided: DecidedTexts, choices: Partial<ExportChoices> & Partial<ExportRequest> = {}): ExportRequest {
  return { sources, texts: decided, format: 'copy', columns: ['label'], rows: 'all', safeCells: false, pause: turn, ...choices };
}

async function exported(file: string, content: string, decided: DecidedTexts, choices: Partial<ExportChoices> = {}, textColumns?: readonly string[]): Promise<string> {
  const sink = new MemorySink();
  await exportLabels(request([source(file, content, textColumns)], decided, choices), [sink]);
  assert.strictEqual(sink.state, 'committed');
  return sink.text;
}

describe('exportLabels', () => {
  it('gives back the bytes of any table when the added columns are taken out', async () => {
    const value = fc.oneof(fc.constantFrom<DecisionValue>('good', 'a,b;c\t|', '"quoted"\nline', '很好', ' '), fc.array(fc.constantFrom('x', 'y;z', '\\'), { maxLength: 3 }), fc.double({ noNaN: true, noDefaultInfinity: true }));
    await fc.assert(
      fc.asyncProperty(writtenTable, fc.array(value, { minLength: 1, maxLength: 4 }), fc.subarray([...exportColumns], { minLength: 1 }), fc.nat(), fc.boolean(), async (table, values, columns, column, safeCells) => {
        // nobody can tell UTF-16 without a mark in a file of a few characters
        fc.pre(table.encoding === 'utf-8' || table.bomBytes > 0);
        const reader = new RecordReader('a.csv');
        const before = [...reader.push(table.bytes), ...reader.end()];
        // with a wrong guess at the delimiter quotes are anywhere, and cells of ours may close them
        fc.pre(before.every(({ defects }) => defects.every(({ code }) => code === 'csv.short' || code === 'csv.long')));
        const names = reader.columns;
        fc.pre(names.length > 0);
        let n = 0;
        const decided: DecidedTexts = {
          stateOf: () => (n++ % 3 === 0 ? undefined : n % 5 === 0 ? marked('skipped') : labeled(values[n % values.length]!)),
          guessOf: () => (n % 2 === 0 ? guessed(values[n % values.length]!, 0.5) : undefined),
        };
        const sink = new MemorySink();
        const chosen = request([source('a.csv', table.bytes, [names[column % names.length]!])], decided, { columns, safeCells });
        const summary = await exportLabels(chosen, [sink]);
        const { encoding, delimiter, quote, header } = reader.dialect;
        const after = readAll('a.csv', sink.bytes, { encoding, delimiter, quote, header });
        assert.strictEqual(after.length, before.length);
        assert.strictEqual(summary.written, before.filter(({ kind }) => kind === 'row').length);
        const restored = after.map((record, i) => {
          const old = before[i]!;
          assert.strictEqual(record.kind, old.kind);
          if (record.kind === 'gap') return record.bytes;
          // rows that were too short were filled up
          const first = record.range(Math.min(names.length, old.fieldCount))!.start - unitBytes(encoding) - record.start;
          const last = record.range(names.length + columns.length - 1)!.end - record.start;
          return Buffer.concat([record.bytes.subarray(0, first), record.bytes.subarray(last)]);
        });
        assert.deepStrictEqual(Buffer.concat(restored), Buffer.from(table.bytes));
      }),
      { numRuns: 300 },
    );
  });

  const reviews = 'id,text,label\r\n1,"good, really",old\r\n2,bad,\r\n3,so so,\r\n4,later,\r\n5,"good,  really",\r\n';
  const decided = texts({ 'good, really': labeled('positive'), bad: labeled('negative'), 'so so': marked('skipped'), later: marked('cleared') }, { bad: guessed('positive', 0.61), later: guessed('negative', 0.98765) });

  it('adds label, annotator, time, guess, score and status, equal texts alike', async () => {
    assert.strictEqual(
      await exported('reviews.csv', reviews, decided, { columns: exportColumns }),
      [
        'id,text,label,label_2,annotator,time,guess,score,status',
        `1,"good, really",old,positive,mei,${at},,,labeled`,
        `2,bad,,negative,mei,${at},positive,0.61,labeled`,
        `3,so so,,,mei,${at},,,skipped`,
        '4,later,,,,,negative,0.9877,open',
        `5,"good,  really",,positive,mei,${at},,,labeled`,
        '',
      ].join('\r\n'),
    );
  });

  it('takes only labelled rows, or those that were chosen, and says what it left out', async () => {
    const sink = new MemorySink();
    const summary = await exportLabels(request([source('reviews.csv', reviews)], decided, { rows: 'labeled' }), [sink]);
    assert.strictEqual(sink.text, 'id,text,label,label_2\r\n1,"good, really",old,positive\r\n2,bad,,negative\r\n5,"good,  really",,positive\r\n');
    const none = { labeled: 0, open: 0, skipped: 0, flagged: 0, stale: 0 };
    assert.deepStrictEqual(summary, { rows: 5, written: 3, labeled: 3, statuses: { ...none, labeled: 3, open: 1, skipped: 1 }, leftOut: { ...none, open: 1, skipped: 1 }, defects: 0 });
    const rows = new Set([exampleId('so so'), exampleId('bad')]);
    assert.strictEqual(await exported('reviews.csv', reviews, decided, { rows }), 'id,text,label,label_2\r\n2,bad,,negative\r\n3,so so,,\r\n');
    await assert.rejects(exported('reviews.csv', reviews, texts({}), { rows: 'labeled' }), (error) => error instanceof HumanError && error.code === 'export.nothing');
  });

  it('keeps a byte order mark and the separator line when the first rows are left out', async () => {
    assert.strictEqual(await exported('a.csv', '\uFEFFsep=;\n\ntext;n\na;1\nb;2', texts({ b: labeled('x') }), { rows: 'labeled' }), '\uFEFFsep=;\ntext;n;label\nb;2;x');
    assert.strictEqual(await exported('a.jsonl', '\uFEFF{"text":"a"}\n{"text":"b"}\n', texts({ b: labeled('x') }), { rows: 'labeled' }), '\uFEFF{"text":"b","label":"x"}\n');
  });

  it('knows JSONL, plain text, several columns and several labels', async () => {
    const choices = { columns: ['label', 'guess'] as const };
    const some = texts({ a: labeled(['x', 'y;z']), 'a\n\nb': labeled(4.5), c: labeled([]) }, { b: guessed(['x'], 0.9) });
    assert.strictEqual(await exported('a.jsonl', '{"text": "a"}\n{"text": "b"}\nnot json\n{"text":"d"}\n', some, choices), '{"text": "a", "label": ["x","y;z"]}\n{"text": "b", "guess": ["x"]}\nnot json\n{"text":"d"}\n');
    assert.strictEqual(await exported('a.txt', 'a\n\nc', some, choices), 'text,label,guess\na,x;y\\;z,\n\nc,[],');
    assert.strictEqual(await exported('a.tsv', 'title\tbody\na\tb\n', some, choices, ['title', 'body']), 'title\tbody\tlabel\tguess\na\tb\t4.5\t\n');
  });

  it('writes JSONL of ours and the layout of Hugging Face', async () => {
    const lines = (text: string): unknown[] => text.trimEnd().split('\n').map((line) => JSON.parse(line) as unknown);
    assert.deepStrictEqual(lines(await exported('r.csv', 'text\na\nb\n', texts({ a: labeled(['x', 'y']) }, { b: guessed(0.12345678, 1) }), { format: 'jsonl', columns: exportColumns })), [
      { text: 'a', label: ['x', 'y'], annotator: 'mei', time: at, status: 'labeled', source: { file: 'r.csv', row: 1 } },
      { text: 'b', guess: 0.123457, status: 'open', source: { file: 'r.csv', row: 2 } },
    ]);
    assert.deepStrictEqual(lines(await exported('r.csv', '\uFEFFtext\na\nb\nc\n', texts({ a: labeled('x'), b: marked('flagged'), c: labeled('y') }), { format: 'huggingface', columns: exportColumns })), [
      { text: 'a', label: 'x' },
      { text: 'c', label: 'y' },
    ]);
  });

  it('puts the texts of a folder into one table', async () => {
    const sink = new MemorySink();
    const folder: ExportSource = {
      kind: 'folder',
      folder: 'notes',
      texts: async function* () {
        await turn();
        yield { text: 'a "good" day\n', source: { file: 'notes/a.md' } };
        yield { text: 'rain', source: { file: 'notes/b.md', start: 4, end: 8 } };
      },
    };
    await exportLabels(request([folder], texts({ 'a "good" day': labeled('x') })), [sink]);
    assert.strictEqual(sink.text, 'file,start,end,text,label\nnotes/a.md,,,"a ""good"" day\n",x\nnotes/b.md,4,8,rain,\n');
  });

  it('makes its own cells harmless for spreadsheets, and only those', async () => {
    const content = 'text,n\n=1+1,-2\nb,3\nc,4\n';
    const formulas = texts({ '=1+1': labeled('=SUM(A1)'), b: labeled(-3), c: labeled('-') });
    assert.strictEqual(await exported('a.csv', content, formulas, { safeCells: true }), "text,n,label\n=1+1,-2,'=SUM(A1)\nb,3,-3\nc,4,'-\n");
    assert.strictEqual(await exported('a.csv', content, formulas), 'text,n,label\n=1+1,-2,=SUM(A1)\nb,3,-3\nc,4,-\n');
    assert.strictEqual(await exported('a.jsonl', '{"text":"c"}\n', formulas, { safeCells: true }), '{"text":"c","label":"-"}\n');
  });

  it('counts a text as stale whose place was decided on when it read otherwise', async () => {
    const stale = { ...texts({}), staleAt: (place: { readonly row?: number }) => (place.row === 2 ? labeled('x') : undefined) };
    assert.strictEqual(await exported('a.csv', 'text\na\nb\n', stale, { columns: ['label', 'status'] }), 'text,label,status\na,,open\nb,,stale\n');
  });

  it('shows the first lines and the counts without writing', async () => {
    const many = `text\n${Array.from({ length: 50_000 }, (_, i) => `"line ${i}\nmore"`).join('\n')}\n`;
    const preview = await previewExport(request([source('a.csv', many)], texts({ 'line 1 more': labeled('x') })));
    assert.deepStrictEqual(preview.heads, [['text,label', '"line 0 ⏎ more",', '"line 1 ⏎ more",x', '"line 2 ⏎ more",', '"line 3 ⏎ more",', '"line 4 ⏎ more",']]);
    assert.strictEqual(preview.rows, 50_000);
    assert.strictEqual(preview.labeled, 1);
    assert.deepStrictEqual((await previewExport(request([source('a.csv', 'text\na\n')], texts({}), { rows: 'labeled' }))).heads, [['text,label']]);
  });

  it('leaves nothing behind when it is cancelled or fails, not even the files that were done', async () => {
    const long = `text\n${Array.from({ length: 20_000 }, (_, i) => `row ${i}`).join('\n')}\n`;
    const sources = [source('a.csv', long), source('b.csv', long)];
    for (const turns of [0, 3, 30, 60]) {
      const controller = new AbortController();
      const sinks = [new MemorySink(), new MemorySink()];
      const running = exportLabels(request(sources, texts({}), { signal: controller.signal }), sinks);
      for (let i = 0; i < turns; i++) await turn();
      controller.abort();
      await assert.rejects(running, CancelledError);
      assert.deepStrictEqual(sinks.map(({ state }) => state), ['discarded', 'discarded']);
    }
    const sinks = [new MemorySink(), new MemorySink()];
    await assert.rejects(exportLabels(request([sources[0]!, source('b.csv', 'body\nx\n')], texts({})), sinks), (error) => error instanceof HumanError && error.code === 'csv.column');
    assert.deepStrictEqual(sinks.map(({ state }) => state), ['discarded', 'discarded']);
    await assert.rejects(exported('latin.csv', 'text\na\n', texts({ a: labeled('好') })).then(() => exportLabels(request([source('latin.csv', Buffer.from('text,n\ncaf\xe9,1\n', 'latin1'))], texts({ 'café': labeled('好') })), [new MemorySink()])), (error) => error instanceof HumanError && error.code === 'csv.encode');
  });
});

describe('names and cells of exports', () => {
  it('names a copy after its source', () => {
    const copies = ['reviews.csv', 'a.b.TSV', 'log.jsonl.gz', 'notes.txt', 'app.log.gz', 'plain', '.txt'].map((name) => exportName(name, 'copy', false));
    assert.deepStrictEqual(copies, ['reviews.labeled.csv', 'a.b.labeled.TSV', 'log.labeled.jsonl.gz', 'notes.labeled.csv', 'app.labeled.csv.gz', 'plain.labeled.csv', '.txt.labeled.csv']);
    assert.deepStrictEqual([exportName('a.csv', 'jsonl', false), exportName('a.csv.gz', 'huggingface', false), exportName('my.notes', 'copy', true)], ['a.labeled.jsonl', 'a.huggingface.jsonl.gz', 'my.notes.labeled.csv']);
    assert.strictEqual(freeFileName('a.labeled.csv', ['A.LABELED.CSV', 'a.labeled-2.csv']), 'a.labeled-3.csv');
    assert.strictEqual(freeFileName('a.csv.gz', ['a.csv.gz']), 'a-2.csv.gz');
  });

  it('reads back several labels of any name', () => {
    const id = fc.string({ unit: fc.constantFrom('a', ';', '\\', '[', ']', ' ', '好'), minLength: 1, maxLength: 6 }).map((text) => text.trim()).filter((text) => text !== '');
    fc.assert(
      fc.property(fc.uniqueArray(id, { maxLength: 4 }), (labels) => {
        const cell = formatAnswer(labels);
        assert.ok(typeof cell === 'string');
        assert.deepStrictEqual(parseLabels(cell), labels);
      }),
    );
    assert.strictEqual(parseLabels('  '), undefined);
    assert.deepStrictEqual(parseLabels('b; a;b;'), ['b', 'a']);
  });
});
