import * as assert from 'node:assert';
import * as fc from 'fast-check';
import { poolLimits, readPool, sourcesHash, type Pool } from '../../../../src/app/labeling/pool';
import type { HumanError } from '../../../../src/core/errors';
import { CancelledError } from '../../../../src/core/errors';
import type { TaskSource } from '../../../../src/core/labels/task';
import { exampleId, normalizeText } from '../../../../src/core/text/normalize';
import { MemoryFileSystem } from '../memoryFileSystem';
import { openInputOf, pause } from './inputs';

const folder = '/files';
const table: TaskSource = { kind: 'table', file: 'data/reviews.csv', textColumns: ['text'] };

describe('reading the texts of a task', () => {
  let fileSystem: MemoryFileSystem;
  let problems: HumanError[];

  beforeEach(() => {
    fileSystem = new MemoryFileSystem();
    problems = [];
  });

  const options = (sources: readonly TaskSource[], more: Partial<Parameters<typeof readPool>[0]> = {}): Parameters<typeof readPool>[0] => ({
    folder,
    sources,
    fileSystem,
    openInput: openInputOf(fileSystem, 1000),
    pause,
    onProblem: (problem) => problems.push(problem),
    ...more,
  });
  const read = async (sources: readonly TaskSource[]): Promise<Pool> => {
    const { pool, done } = readPool(options(sources));
    await done;
    return pool;
  };

  it('takes equal texts for one example that knows all its places, and shows the other columns of its first row', async () => {
    fileSystem.put('/files/data/reviews.csv', 'id,text,stars\n1,Very good,5\n2,"Not\nso good",2\n3, ,1\n4,Very  good ,4\n');
    const pool = await read([table]);
    assert.deepStrictEqual([pool.size, pool.rows], [2, 3]);
    assert.deepStrictEqual(pool.exampleAt(0), {
      id: exampleId('Very good'),
      position: 0,
      text: 'Very good',
      sources: [
        { file: 'data/reviews.csv', row: 1 },
        { file: 'data/reviews.csv', row: 4 },
      ],
      context: [
        { column: 'id', value: '1' },
        { column: 'stars', value: '5' },
      ],
    });
    assert.deepStrictEqual(pool.sourcesAt(1), [{ file: 'data/reviews.csv', row: 2 }]);
    assert.strictEqual(pool.positionOf(exampleId('Not so good')), 1);
  });

  it('joins several text columns, and reads JSONL and lines of text', async () => {
    fileSystem.put('/files/a.jsonl', '{"title":"One","body":"first"}\n{"title":"Two"}\n');
    fileSystem.put('/files/b.log', 'a line\n\nanother line\n');
    const pool = await read([
      { kind: 'table', file: 'a.jsonl', textColumns: ['title', 'body'] },
      { kind: 'table', file: 'b.log', textColumns: ['text'] },
    ]);
    assert.deepStrictEqual(
      Array.from({ length: pool.size }, (_, position) => pool.textAt(position)),
      ['One\n\nfirst', 'Two', 'a line', 'another line'],
    );
  });

  it('reads the text files of a folder whole or by paragraph, with offsets as the editor has them', async () => {
    const text = '\ufeff# Title\r\n\r\nFirst paragraph.\r\n\r\nSecond one.\r\n';
    fileSystem.put('/files/notes/b.md', text);
    fileSystem.put('/files/notes/a/c.txt', 'Plain text.');
    fileSystem.put('/files/notes/.hidden.txt', 'Not this.');
    fileSystem.put('/files/notes/picture.png', 'Nor this.');
    const paragraphs = await read([{ kind: 'folder', folder: 'notes', unit: 'paragraph' }]);
    for (let position = 0; position < paragraphs.size; position++) {
      const [source] = paragraphs.sourcesAt(position);
      const file = source?.file === 'notes/b.md' ? text.slice(1) : 'Plain text.';
      assert.strictEqual(file.slice(source?.start, source?.end), paragraphs.textAt(position));
    }
    assert.deepStrictEqual(
      Array.from({ length: paragraphs.size }, (_, position) => paragraphs.textAt(position)),
      ['Plain text.', 'Title', 'First paragraph.', 'Second one.'],
    );
    fileSystem.put('/files/notes/d.log', '12:00 started\n12:01 failed: no disk\n\n  12:02 stopped  \n');
    const withLog = await read([{ kind: 'folder', folder: 'notes', unit: 'paragraph' }]);
    assert.deepStrictEqual(
      [4, 5, 6].map((position) => [withLog.textAt(position), withLog.sourcesAt(position)[0]]),
      [
        ['12:00 started', { file: 'notes/d.log', row: 1, start: 0, end: 13 }],
        ['12:01 failed: no disk', { file: 'notes/d.log', row: 2, start: 14, end: 35 }],
        ['  12:02 stopped  ', { file: 'notes/d.log', row: 3, start: 37, end: 54 }],
      ],
      'logs by line',
    );
    fileSystem.files.delete('/files/notes/d.log');
    const whole = await read([{ kind: 'folder', folder: 'notes', unit: 'document' }]);
    assert.deepStrictEqual([whole.size, whole.textAt(1)], [2, text.slice(1)]);
  });

  it('shows the first texts while the others are still being read, and never keeps the thread for long', async () => {
    fileSystem.put('/files/data/reviews.csv', `text\n${Array.from({ length: 30_000 }, (_, row) => `text number ${row} of many`).join('\n')}\n`);
    let turns = 0;
    let first: { readonly size: number; readonly fraction: number } | undefined;
    const { pool, done } = readPool(
      options([table], {
        pause: () => {
          turns++;
          return pause();
        },
        onProgress: (fraction) => (first ??= { size: pool.size, fraction }),
        openInput: openInputOf(fileSystem),
      }),
    );
    await done;
    assert.ok(first && first.size > 0 && first.size < 10_000 && first.fraction < 0.5, JSON.stringify(first));
    assert.strictEqual(pool.size, 30_000);
    assert.ok(turns > 5, `${turns} turns`);
  });

  it('reports what cannot be read, and reads the rest', async () => {
    fileSystem.put('/files/data/reviews.csv', 'text\nhere\n');
    fileSystem.put('/files/wrong.csv', 'other\nvalue\n');
    fileSystem.put('/files/notes/large.txt', new Uint8Array(poolLimits.fileBytes + 1));
    fileSystem.put('/files/notes/small.txt', 'small');
    const pool = await read([
      { kind: 'table', file: 'gone.csv', textColumns: ['text'] },
      { kind: 'table', file: 'wrong.csv', textColumns: ['text'] },
      { kind: 'folder', folder: 'empty', unit: 'document' },
      { kind: 'folder', folder: 'notes', unit: 'document' },
      table,
    ]);
    assert.deepStrictEqual(problems.map(({ code }) => code), ['file.missing', 'csv.column', 'pool.folder', 'pool.file.size']);
    assert.deepStrictEqual([pool.size, pool.textAt(0), pool.textAt(1)], [2, 'small', 'here']);
  });

  it('leaves out a text that is too long, and says so', async () => {
    fileSystem.put('/files/data/reviews.csv', `text\nshort\n${'long '.repeat(poolLimits.textLength / 4)}\n`);
    const pool = await read([table]);
    assert.strictEqual(pool.size, 1);
    assert.deepStrictEqual(problems.map(({ code, args }) => [code, args[1]]), [['pool.limit', 1]]);
  });

  it('stops when it is told to', async () => {
    fileSystem.put('/files/data/reviews.csv', `text\n${'row\n'.repeat(5000)}`);
    const stop = new AbortController();
    const { done } = readPool(options([table], { signal: stop.signal, onProgress: () => stop.abort() }));
    await assert.rejects(done, CancelledError);
  });

  it('tells by a hash whether anything has changed, however it is cut', async () => {
    fileSystem.put('/files/data/reviews.csv', 'text\nfirst\nsecond\n');
    fileSystem.put('/files/notes/a.txt', 'one');
    const sources: TaskSource[] = [table, { kind: 'folder', folder: 'notes', unit: 'document' }, { kind: 'table', file: 'gone.csv', textColumns: ['text'] }];
    const before = await readPool(options(sources)).done;
    assert.strictEqual(await sourcesHash(options(sources, { openInput: openInputOf(fileSystem, 3) })), before);
    fileSystem.put('/files/data/reviews.csv', 'text\nfirst\nsecomd\n');
    const after = await sourcesHash(options(sources));
    assert.notStrictEqual(after, before);
    fileSystem.put('/files/notes/b.txt', '');
    assert.notStrictEqual(await sourcesHash(options(sources)), after);
  });

  it('counts every row with a word once, under the id of its text', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom('a', 'b', ' a ', 'a\nb', 'c "quoted"', '', '  ', 'é', 'e\u0301'), { maxLength: 30 }), async (texts) => {
        fileSystem.put('/files/data/reviews.csv', `text,n\n${texts.map((text, n) => `"${text.replaceAll('"', '""')}",${n}\n`).join('')}`);
        const pool = await read([table]);
        const filled = texts.flatMap((text, index) => (text.trim() === '' ? [] : [{ text, row: index + 1 }]));
        assert.strictEqual(pool.rows, filled.length);
        assert.strictEqual(pool.size, new Set(filled.map(({ text }) => normalizeText(text))).size);
        for (const { text, row } of filled) {
          const position = pool.positionOf(exampleId(text)) ?? -1;
          assert.ok(pool.sourcesAt(position).some((source) => source.row === row));
        }
      }),
      { numRuns: 50 },
    );
  });
});
