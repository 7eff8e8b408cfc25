import * as assert from 'node:assert';
import * as fc from 'fast-check';
import { readVectors, vectorLimits, type WordVectors } from '../../../src/core/text/vectors';
import { codeOfWork } from '../humanErrors';

async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) {
    await Promise.resolve();
    yield bytes.subarray(at, at + size);
  }
}

async function read(file: string | Uint8Array, wanted: readonly string[], size = 7): Promise<{ vectors: WordVectors; defects: string[] }> {
  const defects: string[] = [];
  const bytes = typeof file === 'string' ? new TextEncoder().encode(file) : file;
  const vectors = await readVectors({ chunks: pieces(bytes, size), fileName: 'v.txt', wanted: new Set(wanted), onDefect: (defect) => defects.push(`${defect.code} ${defect.args[1]}`) });
  return { vectors, defects };
}

const vectorsOf = async (file: string, wanted: readonly string[]): Promise<Record<string, number[]>> => {
  const { vectors } = await read(file, wanted);
  return Object.fromEntries(vectors.words.map((word, row) => [word, [...vectors.values.subarray(row * vectors.size, (row + 1) * vectors.size)]]));
};

const codeOf = (file: string | Uint8Array, wanted: readonly string[] = ['a']): Promise<string> => codeOfWork(read(file, wanted));

describe('reading word vectors', () => {
  it('gives back what stands in a file of any of the formats, however it is cut into pieces', async () => {
    const value = fc.float({ noNaN: true, noDefaultInfinity: true });
    const table = fc.integer({ min: 2, max: 9 }).chain((size) => fc.array(fc.array(value, { minLength: size, maxLength: size }), { minLength: 1, maxLength: 12 }));
    await fc.assert(
      fc.asyncProperty(table, fc.constantFrom('glove', 'word2vec', 'fastText'), fc.integer({ min: 1, max: 60 }), fc.boolean(), async (rows, format, size, crlf) => {
        const end = `${format === 'fastText' ? ' ' : ''}${crlf ? '\r\n' : '\n'}`;
        const header = format === 'glove' ? '' : `${rows.length} ${rows[0]!.length}${end}`;
        const file = header + rows.map((row, k) => `词${k} ${row.join(' ')}${end}`).join('');
        // every second one
        const wanted = rows.flatMap((_, k) => (k % 2 === 0 ? [`词${k}`] : []));
        const { vectors, defects } = await read(file, [...wanted, 'absent'], size);
        assert.deepStrictEqual(defects, []);
        assert.deepStrictEqual(vectors.words, wanted);
        assert.deepStrictEqual([...vectors.values], rows.filter((_, k) => k % 2 === 0).flat().map(Math.fround).map((number) => number));
      }),
      { numRuns: 60 },
    );
  });

  it('takes a word as it is before one that only becomes it in lower case or NFKC, and the first of several', async () => {
    assert.deepStrictEqual(await vectorsOf('The 1 1\nTHE 2 2\nthe 3 3\nＡＢ 4 4\nAb 5 5\nİ 6 6\n’s 7 7\n', ['the', 'ab', "'s"]), { the: [3, 3], ab: [4, 4], "'s": [7, 7] });
  });

  it('reads words with spaces in them, tabs, a byte order mark and a last line without end', async () => {
    assert.deepStrictEqual(await vectorsOf('\ufeff4 2\n. . 1 2\n\t  3 4\n a 5 6\nb\t7 8\n\nc 9 10', ['b', 'c']), { b: [7, 8], c: [9, 10] });
    assert.deepStrictEqual(await vectorsOf('\ufeffa 1 2\n1 3 4\n', ['a', '1']), { a: [1, 2], '1': [3, 4] });
    assert.deepStrictEqual(await vectorsOf('2019 0.5 -1e-3 2\n', ['2019']), { '2019': [0.5, -1e-3, 2].map(Math.fround) });
  });

  it('leaves out lines that are wrong, and says which', async () => {
    const file = '9 2\na 1 2\nb 1\nc 1.5 2.5 3.5\nd 1 nan\ne 1 1e39\na 3 4\nf 5 6\n';
    const { vectors, defects } = await read(file, ['a', 'b', 'c', 'd', 'e', 'f']);
    assert.deepStrictEqual([vectors.words, [...vectors.values]], [['a', 'f'], [1, 2, 5, 6]]);
    assert.deepStrictEqual(defects, ['vectors.width 3', 'vectors.width 4', 'vectors.number 5', 'vectors.number 6', 'vectors.twice 7', 'vectors.short 9']);
    const latin = Uint8Array.from([...new TextEncoder().encode('a 1 2\n'), 0x63, 0x61, 0x66, 0xe9, ...new TextEncoder().encode(' 1 2\n')]);
    assert.deepStrictEqual((await read(latin, ['a', 'café'])).defects, ['vectors.encoding 2']);
  });

  it('says what is no file of word vectors', async () => {
    const binary = Uint8Array.from([...new TextEncoder().encode('3 2\n'), 0x61, 0, 1, 10, 0, 7, 8]);
    const cases: readonly (readonly [string | Uint8Array, string])[] = [
      ['', 'vectors.format'],
      ['text,label\ngood,1\n', 'vectors.format'],
      ['5 0\n', 'vectors.format'],
      [`5 ${vectorLimits.size + 1}\n`, 'vectors.size'],
      [binary, 'vectors.binary'],
      [new Uint8Array(vectorLimits.lineBytes + 100).fill(0x61), 'vectors.line'],
      ['b 1 2\n', 'vectors.none'],
      [`a 1 2 3\n${'a 1\n'.repeat(1100)}`, 'vectors.format'],
    ];
    for (const [file, code] of cases) assert.strictEqual(await codeOf(file), code);
  });

  it('never fails otherwise, whatever the bytes are', async () => {
    await fc.assert(fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => void (await codeOf(bytes))));
    await fc.assert(fc.asyncProperty(fc.string({ unit: fc.constantFrom('a', '1', ' ', '\n', '.', '\t', '\r', 'é'), maxLength: 60 }), async (text) => void (await codeOf(text))));
  });
});
