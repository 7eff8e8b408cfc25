import * as assert from 'node:assert';
import * as fc from 'fast-check';
import { NgramReader } from '../../../src/core/text/ngrams';
import { Alphabet } from '../../../src/core/text/masks';
import { TokenScanner } from '../../../src/core/text/scanner';

const texts = fc.oneof(fc.string({ unit: 'grapheme', maxLength: 200 }), fc.array(fc.constantFrom('good', 'bad', '好', '书', '!', ':)', "don't", '😀'), { maxLength: 60 }).map((words) => words.join(' ')));

function tokensOf(text: string): number {
  const scanner = new TokenScanner();
  scanner.reset(text, false, Alphabet.ofAll());
  let count = 0;
  while (scanner.next()) count++;
  return count;
}

describe('n-grams of a text', () => {
  const reader = new NgramReader();
  const read = (text: string, most = 1000, bits = 32): { readonly hashes: Uint32Array; readonly counts: Uint32Array } => reader.read(text, most, bits);

  it('have hashes that never change: heads and queues are to come out the same in every version', () => {
    assert.deepStrictEqual([...read('Good Good book').hashes], [2675226459, 1113436946, 131523191, 2086131787]);
    assert.deepStrictEqual([...read('Good Good book').counts], [2, 1, 1, 1]);
    assert.deepStrictEqual([...read('好书').hashes], [3154005435, 3602120712, 1866150342]);
  });

  it('are the tokens and their pairs, each once with its number', () => {
    fc.assert(
      fc.property(texts, (text) => {
        const { hashes, counts } = read(text);
        const tokens = tokensOf(text);
        assert.strictEqual(new Set(hashes).size, hashes.length);
        assert.strictEqual(counts.reduce((sum, count) => sum + count, 0), Math.max(0, 2 * tokens - 1));
      }),
    );
  });

  it('do not depend on case, width and what was read before, but on the order', () => {
    assert.deepStrictEqual(read('ＧＯＯＤ book'), read('good BOOK'));
    assert.notDeepStrictEqual([...read('good book').hashes].sort(), [...read('book good').hashes].sort());
    // a pair is no token, nor is a token next to itself
    assert.strictEqual(new Set([...read('a a').hashes, ...read('aa').hashes]).size, 3);
  });

  it('tell signs apart, also in Chinese', () => {
    for (const [one, other] of [['涨3%', '涨3'], ['《书》', '书'], ['why ?', 'why'], ['a: b', 'a - b']] as const) assert.notDeepStrictEqual(read(one).hashes, read(other).hashes);
  });

  it('are no more than asked for: those of the beginning', () => {
    fc.assert(
      fc.property(texts, fc.integer({ min: 0, max: 40 }), (text, most) => {
        const all = read(text).hashes;
        assert.deepStrictEqual(read(text, most).hashes, all.slice(0, most));
      }),
    );
  });

  it('with fewer bits are the first bits of the whole hashes', () => {
    fc.assert(
      fc.property(texts, fc.integer({ min: 1, max: 32 }), (text, bits) => {
        const whole = [...read(text).hashes];
        assert.deepStrictEqual([...read(text, 1000, bits).hashes], [...new Set(whole.map((hash) => hash >>> (32 - bits)))]);
      }),
    );
  });
});
