import * as assert from 'node:assert';
import * as fc from 'fast-check';
import { firstWords } from '../../../src/core/text/firstWords';
import { Tokenizer } from '../../../src/core/text/tokenizer';
import { anyText, brokenText } from './texts';

const tokenizer = Tokenizer.build([], { minFrequency: 1, maxVocabulary: 100, maxTokens: 10 });
const wordsOf = (text: string): string[] => tokenizer.tokens(text).map((token) => token.text);

describe('the first words of a text', () => {
  it('stand as they stood, English and Chinese', () => {
    assert.strictEqual(firstWords('One, two… three', 2), 'One, two');
    assert.strictEqual(firstWords('  One  ', 1), '  One  ');
    assert.strictEqual(firstWords('房间很大，服务好', 6), '房间很大，服务');
    assert.strictEqual(firstWords('I don’t like 这个 :-( !!!', 6), 'I don’t like 这个 :-(');
    assert.strictEqual(firstWords('½ cup', 1), '½');
    assert.strictEqual(firstWords('', 3), '');
    assert.strictEqual(firstWords('...,,', 1), '...,,');
  });

  it('are a beginning of the text with so many words, or all of it', () => {
    fc.assert(
      fc.property(brokenText, fc.integer({ min: 1, max: 12 }), (text, count) => {
        const first = firstWords(text, count);
        assert.ok(text.startsWith(first));
        const tokens = tokenizer.tokens(text);
        const end = Math.max(0, ...tokens.slice(0, count).map((token) => token.end));
        // where a character makes several words, all of them stay
        const next = tokens.findIndex((token, index) => index >= count && token.start >= end);
        if (next < 0) assert.strictEqual(first, text);
        else assert.strictEqual(first, text.slice(0, Math.max(...tokens.slice(0, next).map((token) => token.end))));
      }),
      { numRuns: 1000 },
    );
  });

  it('are the words that the whole text begins with, where cutting makes no other', () => {
    const plain = fc.array(fc.constantFrom('good', '很好', "isn't", '3', '👍', '!!', ', '), { maxLength: 20 }).map((pieces) => pieces.join(' '));
    fc.assert(
      fc.property(fc.oneof(plain), fc.integer({ min: 1, max: 12 }), (text, count) => {
        assert.deepStrictEqual(wordsOf(firstWords(text, count)), wordsOf(text).slice(0, count));
      }),
    );
    fc.assert(fc.property(anyText, fc.integer({ min: 1, max: 5 }), (text, count) => assert.strictEqual(firstWords(firstWords(text, count), count + 1000), firstWords(text, count))));
  });
});
