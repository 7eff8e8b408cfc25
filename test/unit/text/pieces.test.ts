import * as assert from 'node:assert';
import { readFileSync, writeFileSync } from 'node:fs';
import { Tokenizer as HuggingFaceTokenizer } from '@huggingface/tokenizers';
import * as fc from 'fast-check';
import { HumanError } from '../../../src/core/errors';
import { placeholders } from '../../../src/core/text/masks';
import { learnPieces, tonesOfVoice, type CountedToken } from '../../../src/core/text/pieces';
import { Tokenizer } from '../../../src/core/text/tokenizer';
import { firstPieces, mostPieces } from '../../../src/core/text/vocabulary';
import { anyText, awkwardPieces, brokenText } from './texts';

const corpus = [
  'the film was good , the filming better ; filmmakers film films',
  "don't won't can't dogs' brian's moviegoer's unwatchable unbelievable unbelievably watching watched",
  '酒店位置很好，服务态度也不错！房间有点小',
  'naïve café übermäßig 😀 ❤️ 👍 ★★☆ 10/10 1999 2nd',
];

/** What a scanner counts in texts, each once. */
function counted(texts: readonly string[]): CountedToken[] {
  const counts = new Map<string, number>();
  const cutter = Tokenizer.build([], { minFrequency: 1, maxVocabulary: 2, maxTokens: 1 });
  for (const text of texts) for (const { text: token } of cutter.tokens(text)) counts.set(token, (counts.get(token) ?? 0) + 1);
  return [...counts].map(([token, count]) => ({ token, count }));
}

const options = { size: 420, pieces: 60, minFrequency: 1 };
const tokenizer = Tokenizer.ofPieces(learnPieces(counted(corpus), options), { maxTokens: 400 });
const tokensOf = (text: string, by = tokenizer): string[] => [...by.encode(text)].map((id) => by.tokenOf(id));
const json = (by: Tokenizer): unknown => JSON.parse(new TextDecoder().decode(by.toJson()));
const mixed = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: anyText },
    { weight: 2, arbitrary: fc.constantFrom('http://a.b/c?d=e', 'HTTPS://X', 'http://', 'https', 'hhttp://q', '@ann', '@_', '@', '@ahttp://x', 'a@b.com', '12345', '1234', '0123456789', '１２３４５', '1,000,000', 'x12345y', '<br />', '://', '¼½¾①②③') },
    { weight: 2, arbitrary: fc.constantFrom('Привет', 'мир', 'ไทย', 'नमस्ते', '龘', '🦩', '❶', '➀', 'é', 'e\u0301', 'я\u0301', '\u0301', 'ﬁlm', "good's", 'filmgoers', ' ') },
  ),
  { maxLength: 5 },
).map((parts) => parts.join(''));

describe('word pieces', () => {
  it('leave frequent words whole and cut others from left to right, the longest piece first', () => {
    const small = Tokenizer.ofPieces(['film', 'filmm', '##ak', '##akers', '!', ...[...'filmakers'].filter((letter, i, all) => all.indexOf(letter) === i).flatMap((letter) => [letter, `##${letter}`])], { maxTokens: 100 });
    assert.deepStrictEqual(tokensOf('Film filmmakers films filmmake', small), ['film', 'filmm', '##akers', 'film', '##s', 'filmm', '##ak', '##e']);
    assert.deepStrictEqual(small.tokens('a filmmakers!').map(({ text, start, end }) => [text, start, end]), [
      ['a', 0, 1],
      ['filmm', 2, 7],
      ['##akers', 7, 12],
      ['!', 12, 13],
    ]);
    // no piece goes on with x
    assert.deepStrictEqual(tokensOf('filmx', small), ['film', placeholders.letters]);
  });

  it('put symbols in place of addresses, names of users, long numbers and unknown characters', () => {
    const { url, user, number, letters, alone, symbol } = placeholders;
    assert.deepStrictEqual(tokensOf('good https://t.co/x?y=1#z, @Ann_1 film'), ['good', url, user, 'film']);
    assert.deepStrictEqual(tokensOf('http://t.cn/a很好<br />http://x<br/>film'), [url, '很', '好', url, 'film']);
    assert.deepStrictEqual(tokensOf('1999 12345 １２３４５６'), ['1999', number, number]);
    assert.deepStrictEqual(tokensOf('Привет, film! 龘 🦩'), [letters, 'film', '!', alone, symbol]);
  });

  it('leave nothing unknown but words that are no words', () => {
    fc.assert(
      fc.property(fc.oneof(mixed, brokenText), (text) => {
        const short = text.replace(/[\p{L}\p{N}\p{M}'\u2019\u00ad]{20,}/gu, ' ');
        assert.ok(!tokenizer.encode(short).includes(1), JSON.stringify(tokensOf(short)));
      }),
      { numRuns: 3000 },
    );
    assert.deepStrictEqual(tokensOf('x'.repeat(mostPieces)).length > 1, true);
    assert.deepStrictEqual(tokensOf('x'.repeat(mostPieces + 1)), ['<unk>']);
    assert.deepStrictEqual(tokensOf('<unk> <pad>').includes('<unk>'), false);
  });

  it('give as many tokens with places as ids, in the order of the text', () => {
    fc.assert(
      fc.property(fc.oneof(mixed, brokenText), (text) => {
        const tokens = tokenizer.tokens(text);
        let last = 0;
        for (const { start, end } of tokens) {
          assert.ok(start >= last && end > start && end <= text.length);
          last = start;
        }
        const ids = [...Tokenizer.fromJson(tokenizer.toJson(), { maxTokens: 10_000 }).encode(text)];
        assert.strictEqual(tokens.length, ids.length);
        tokens.forEach((token, i) => assert.ok(ids[i] === 1 || token.text === tokenizer.tokenOf(ids[i]!)));
      }),
      { numRuns: 1000 },
    );
  });

  it('are those that Hugging Face’s tokenizers.js reads from tokenizer.json', () => {
    const huggingFace = new HuggingFaceTokenizer(json(tokenizer) as object, {});
    const oracle = (text: string): number[] => (huggingFace.encode(text).ids as (number | undefined)[]).map((id) => id ?? 1);
    const check = (text: string): void => {
      // it lowers the case of a whole text, which turns Σ into ς at the end of a word
      const withoutSigma = text.replace(/\u03a3|[\u{1d6a8}-\u{1d7cb}]/gu, 'S');
      assert.deepStrictEqual([...tokenizer.encode(withoutSigma)], oracle(withoutSigma), JSON.stringify(withoutSigma));
    };
    for (const text of [...corpus, ...awkwardPieces]) check(text);
    fc.assert(fc.property(fc.oneof(mixed, brokenText), check), { numRuns: 5000 });
  });

  it('are written and read byte by byte, and refused with another normalizer', () => {
    const read = (bytes: Uint8Array): Tokenizer => Tokenizer.fromJson(bytes, { maxTokens: 400 });
    assert.deepStrictEqual(read(tokenizer.toJson()).toJson(), tokenizer.toJson());
    const refused = (change: (file: { normalizer: { normalizers: unknown[] }; model: Record<string, unknown> & { vocab: Record<string, number> } }) => void, code: string): void => {
      const file = json(tokenizer) as Parameters<typeof change>[0];
      change(file);
      assert.throws(() => read(new TextEncoder().encode(JSON.stringify(file))), (error) => error instanceof HumanError && error.code === code);
    };
    refused((file) => file.normalizer.normalizers.pop(), 'tokenizer.foreign');
    refused((file) => (file.normalizer.normalizers[9] = { type: 'Replace', pattern: { Regex: '(a+)+$' }, content: '' }), 'tokenizer.foreign');
    refused((file) => (file.model.continuing_subword_prefix = '@@'), 'tokenizer.foreign');
    refused((file) => (file.model.max_input_chars_per_word = 1e9), 'tokenizer.foreign');
    refused((file) => (file.model.type = 'WordLevel'), 'tokenizer.foreign');
    refused((file) => {
      const { vocab } = file.model;
      [vocab[placeholders.url], vocab[placeholders.user]] = [vocab[placeholders.user]!, vocab[placeholders.url]!];
    }, 'tokenizer.damaged');
  });

  it("are those that Hugging Face's tokenizers for Python reads from tokenizer.json", () => {
    const python = JSON.parse(readFileSync('test/fixtures/text/pythonPieces.json', 'utf8')) as { readonly cases: readonly { readonly text: string; readonly ids: readonly number[] }[] };
    const target = process.env.LABEL_LENS_WRITE_PIECES;
    if (target) return writeFileSync(target, tokenizer.toJson());
    assert.ok(python.cases.length > 200);
    for (const { text, ids } of python.cases) assert.deepStrictEqual([...tokenizer.encode(text)], ids, text);
  });
});

describe('a vocabulary of pieces', () => {
  it('holds letters, tones of voice, frequent words, then pieces, up to its size', () => {
    const tokens = learnPieces(counted(corpus), options);
    assert.ok(tokens.length + firstPieces.length <= options.size);
    assert.strictEqual(new Set(tokens).size, tokens.length);
    for (const token of ['e', '##e', "##'", 'ï', '##ï', '好', '😀', ':)', '!?!', 'film']) assert.ok(tokens.includes(token), token);
    // where words lack the room, what they have in common becomes pieces
    const words = ['film', 'watch', 'reason', 'enjoy', 'break', 'comfort'].flatMap((stem) => ['able', 'ably', 'ing', 'ers', 'less'].map((ending) => stem + ending)).join(' ');
    const bare = learnPieces(counted(['.']), { ...options, pieces: 0 }).length + firstPieces.length;
    const cut = Tokenizer.ofPieces(learnPieces(counted([words]), { size: bare + 12, pieces: 12, minFrequency: 1 }), { maxTokens: 400 });
    const letterwise = Tokenizer.ofPieces(learnPieces(counted([words]), { size: bare + 12, pieces: 0, minFrequency: 1 }), { maxTokens: 400 });
    assert.ok(cut.encode(words).length < 0.6 * letterwise.encode(words).length);
  });

  it('does not depend on the order of what was counted', () => {
    const list = counted(corpus);
    fc.assert(
      fc.property(fc.shuffledSubarray(list, { minLength: list.length }), (shuffled) => assert.deepStrictEqual(learnPieces(shuffled, options), learnPieces(list, options))),
      { numRuns: 20 },
    );
  });

  it('has as tones of voice just the tokens that are neither words nor single characters', () => {
    const cutter = Tokenizer.build([], { minFrequency: 1, maxVocabulary: 2, maxTokens: 1 });
    const tones = new Set(tonesOfVoice());
    for (const tone of tones) assert.deepStrictEqual(cutter.tokens(tone).map(({ text }) => text), [tone]);
    fc.assert(
      fc.property(fc.oneof(anyText, fc.string({ unit: fc.constantFrom(...":;='-^()/|dop<3_.>to!?~。") })), (text) => {
        for (const { text: token } of cutter.tokens(text)) assert.ok(tones.has(token) || /^(?:[\p{L}\p{N}].*|.)$/su.test(token), token);
      }),
      { numRuns: 3000 },
    );
  });
});
