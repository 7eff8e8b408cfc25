import * as assert from 'node:assert';
import { withVectors } from '../../../src/app/wordVectors';
import { Tokenizer } from '../../../src/core/text/tokenizer';
import { request } from '../training/fixture';

async function* chunks(text: string): AsyncGenerator<Uint8Array> {
  await Promise.resolve();
  yield new TextEncoder().encode(text);
}

const rowsOf = (texts: readonly string[]) => texts.map((text) => ({ text, label: 0 }));
const file = { fileName: '/data/tiny.vec', breathe: () => Promise.resolve() };
const vec = '5 2\nthe 1 2\nGood 3 4\nnever 5 6\n好 7 8\nday 9 10\n';

describe('vectors for a training', () => {
  it('are those of its vocabulary, and the card says how much of the texts they cover', async () => {
    // the 4, good 2, 好 1; film 3 and bad 1 have none
    const plain = request({ rows: rowsOf(['The good film', 'the bad film', 'THE good film 好', 'the']) }, { minFrequency: 1 });
    const { request: full, coverage } = await withVectors(plain, { ...file, chunks: chunks(vec) });
    assert.deepStrictEqual([full.vectors!.size, full.vectors!.words, [...full.vectors!.values]], [2, ['the', 'good', '好'], [1, 2, 3, 4, 7, 8]]);
    assert.deepStrictEqual(coverage, { tokens: 5, found: 3, occurrences: 7 / 11, missing: [{ token: 'film', count: 3 }, { token: 'bad', count: 1 }] });
    assert.deepStrictEqual(full.identity.data, { file: 'remarks.csv', vectors: 'tiny.vec', vectorSize: 2, vectorWords: 3, vectorCoverage: 0.6, vectorCoverageOfTexts: 0.6364 });
    assert.deepStrictEqual({ ...full, vectors: undefined, identity: plain.identity }, { ...plain, vectors: undefined });
  });

  it('are looked for by another model’s vocabulary, and what is in none counts as without', async () => {
    const tokenizer = Tokenizer.build(['the day'], { minFrequency: 1, maxVocabulary: 10, maxTokens: 3 });
    const plain = request({ rows: rowsOf(['the good day', 'never the 好 day']), tokenizer: { json: tokenizer.toJson(), maxTokens: 3 } });
    const { request: full, coverage } = await withVectors(plain, { ...file, chunks: chunks(vec) });
    assert.deepStrictEqual(full.vectors!.words, ['the', 'day']);
    // of the second text the first two and the last token are read
    assert.deepStrictEqual(coverage, { tokens: 2, found: 2, occurrences: 4 / 6, missing: [] });
  });

  it('names ten missing words, the most frequent first', async () => {
    const words = Array.from({ length: 15 }, (_, k) => `w${k}`);
    const rows = rowsOf([`the ${words.map((word, k) => `${word} `.repeat(k + 1)).join('')}`]);
    const { coverage } = await withVectors(request({ rows }, { minFrequency: 1 }), { ...file, chunks: chunks(vec) });
    assert.deepStrictEqual(coverage.missing, words.map((token, k) => ({ token, count: k + 1 })).reverse().slice(0, 10));
  });
});
