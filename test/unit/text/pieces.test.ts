import * as assert from 'node:assert';
import { readFileSync, writeFileSync } from 'node:fs';
import { Tokenizer as HuggingFaceTokenizer } from '@huggingface/tokenizers';
import * as fc from 'fast-check';
import { HumanError } from '../../../src/core/errors';
import { normalizePiece } from '../../../src/core/text/characters';
import { Alphabet, placeholders } from '../../../src/core/text/masks';
import { learnPieces, tonesOfVoice, usualSigns, type CountedToken } from '../../../src/core/text/pieces';
import { TokenScanner } from '../../../src/core/text/scanner';
import { Tokenizer } from '../../../src/core/text/tokenizer';
import { formatTokenizerFile } from '../../../src/core/text/tokenizerFile';
import { compareCodePoints, firstPieces, firstPiecesWithoutSigns, mostPieces, PieceVocabulary } from '../../../src/core/text/vocabulary';
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
  const scanner = new TokenScanner();
  for (const text of texts) for (scanner.reset(text, false, Alphabet.ofAll()); scanner.next(); ) counts.set(scanner.text(), (counts.get(scanner.text()) ?? 0) + 1);
  return [...counts].map(([token, count]) => ({ token, count }));
}

const options = { size: 500, pieces: 60, minFrequency: 1 };
const tokenizer = Tokenizer.ofPieces(learnPieces(counted(corpus), options), { maxTokens: 400 });
const tokensOf = (text: string, by = tokenizer): string[] => [...by.encode(text)].map((id) => by.tokenOf(id));
const json = (by: Tokenizer): unknown => JSON.parse(new TextDecoder().decode(by.toJson()));

/** The same vocabulary as it would have been written before signs were tokens. */
function oldOf(by: Tokenizer): Tokenizer {
  const tokens = Array.from({ length: by.vocabularySize }, (_, id) => by.tokenOf(id)).slice(firstPieces.length);
  return Tokenizer.fromJson(formatTokenizerFile(new PieceVocabulary([...firstPiecesWithoutSigns, ...tokens])), { maxTokens: 400 });
}
/** Signs of all kinds, known, rare and of other planes, full-width and composed; pauses; and what emoticons and tags are made of. */
const signs = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...usualSigns, ...".,\u3002\u3001;'\u2019_!?~", ...'：（）％＂＂＜＞＝＿；，、｡･｢｣￥￡…‥—―″‴', '<br>', '<br />') },
    { weight: 2, arbitrary: fc.constantFrom(...'◆■□●○△▲▼※†‡¶¿¡‰∞√∑≠≤≥←↑↓│┃═╔╗ℹ℃№〓〖〗﹏︵𝄞🀄🅰', '=\u0338', '-\u0301', '\ufffd', '🇩🇪', '👍🏽', '★', '☞') },
    { weight: 1, arbitrary: fc.constantFrom('0.5%', '3:0', 'a', '好', '1', 'd', 'p', '3', 'o', 't', 'br', ' ', '@', '@a', 'http:', 'http://a(b)') },
  ).chain((part) => fc.constantFrom(1, 1, 1, 2, 3).map((times) => part.repeat(times))),
  { maxLength: 12 },
).map((parts) => parts.join(''));
const mixed = fc.array(
  fc.oneof(
    { weight: 2, arbitrary: signs },
    { weight: 3, arbitrary: anyText },
    { weight: 2, arbitrary: fc.constantFrom('http://a.b/c?d=e', 'HTTPS://X', 'http://', 'https', 'hhttp://q', '@ann', '@_', '@', '@ahttp://x', 'a@b.com', '12345', '1234', '0123456789', '１２３４５', '1,000,000', 'x12345y', '<br />', '://', '¼½¾①②③') },
    { weight: 2, arbitrary: fc.constantFrom('Привет', 'мир', 'ไทย', 'नमस्ते', '龘', '🦩', '❶', '➀', 'é', 'e\u0301', 'я\u0301', '\u0301', 'ﬁlm', "good's", 'filmgoers', ' ') },
  ),
  { maxLength: 5 },
).map((parts) => parts.join(''));

describe('word pieces', () => {
  it('tell which of them go on with a word: all of a word but its first, and no token of a vocabulary of words', () => {
    const words = Tokenizer.build(corpus, { minFrequency: 1, maxVocabulary: 1000, maxTokens: 400 });
    fc.assert(
      fc.property(fc.array(fc.stringMatching(/^[a-z]{1,12}$/), { minLength: 1, maxLength: 5 }), (parts) => {
        for (const [by, most] of [[tokenizer, Infinity], [words, 0]] as const) {
          const ids = [...by.encode(parts.join(' '))];
          const inside = ids.filter((id) => by.continues(id)).length;
          assert.strictEqual(inside, Math.min(most, ids.length - parts.length));
        }
      }),
    );
  });

  it('leave frequent words whole and cut others from left to right, the longest piece first', () => {
    const small = Tokenizer.ofPieces(['film', 'filmm', '##ak', '##akers', '!', ...[...'filmakers'].filter((letter, i, all) => all.indexOf(letter) === i).flatMap((letter) => [letter, `##${letter}`])], { maxTokens: 100 });
    assert.deepStrictEqual(tokensOf('Film filmmakers films filmmake', small), ['film', 'filmm', '##akers', 'film', '##s', 'filmm', '##ak', '##e']);
    assert.deepStrictEqual(tokensOf('film!(film', small), ['film', '!', '<unk>', 'film']);
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
    const { url, user, number, letters, alone, symbol, sign } = placeholders;
    assert.deepStrictEqual(tokensOf('good https://t.co/x?y=1#z, @Ann_1 film'), ['good', url, user, 'film']);
    assert.deepStrictEqual(tokensOf('⊕⊕⊗ film ⊕-𝄞'), [sign, 'film', sign, '-', sign]);
    assert.deepStrictEqual(tokensOf('http://t.cn/a很好<br />http://x<br/>film'), [url, '很', '好', url, 'film']);
    assert.deepStrictEqual(tokensOf('1999 12345 １２３４５６'), ['1999', number, number]);
    assert.deepStrictEqual(tokensOf('Привет, film! 龘 🦩'), [letters, 'film', '!', alone, symbol]);
  });

  it('are runs of one punctuation character or symbol too, but for pauses', () => {
    assert.deepStrictEqual(tokensOf('《好》：（0.5％）“film”——30% good!!'), ['《', '好', '》', ':', '(', '0', '5', '%', ')', '“', 'film', '”', '—', '3', '##0', '%', 'good', '!!']);
    assert.deepStrictEqual(tokensOf("a.b, c; d 'e' ’f’。 、g_h.. ..。。"), ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', '..', '..', '。。']);
    assert.deepStrictEqual(tokensOf('-----<br />-<<br>((:))) ::) >_<br> ^^^ [[/b]]'), ['-', '-', '<', '(', ':)', ')', ':)', '>', '^^', '^', '[', '/', 'b', ']']);
    assert.deepStrictEqual(tokenizer.tokens('a…（（ ———x″(:(').map(({ text, start, end }) => [text, start, end]), [
      ['a', 0, 1],
      ['...', 1, 2],
      ['(', 2, 4],
      ['—', 5, 8],
      ['x', 8, 9],
      [placeholders.sign, 9, 10],
      ['(', 10, 11],
      [':(', 11, 13],
    ]);
  });

  it('leave no sign out, and are each what stands at their place', () => {
    fc.assert(
      fc.property(signs, (text) => {
        const tokens = tokenizer.tokens(text);
        const places = new Set(Object.values<string>(placeholders));
        const told = new Set<number>();
        for (const { text: token, start, end } of tokens) {
          for (let i = start; i < end; i++) told.add(i);
          const piece = normalizePiece(text.slice(start, end));
          assert.ok(places.has(token) || piece.includes(token.replace('##', '')), JSON.stringify([text, token]));
        }
        const isPause = (character: string): boolean => /^[.,\u3002\u3001;'\u2019_\s\p{M}\u{1f1e6}-\u{1f1ff}\u{1f3fb}-\u{1f3ff}]+$/u.test(normalizePiece(character));
        const withoutTags = text.replace(/[<＜]br ?\/?[>＞]/g, (tag) => ' '.repeat(tag.length));
        // a run whose last starts an emoticon has no other token
        for (let at = text.length; at-- > 0; ) if (told.has(at + 1) && /^([:=<>-])\1$/.test(normalizePiece(withoutTags.slice(at, at + 2)))) told.add(at);
        let at = 0;
        for (const character of withoutTags) {
          assert.ok(told.has(at) || isPause(character), JSON.stringify([text, character, tokens]));
          at += character.length;
        }
      }),
      { numRuns: 3000 },
    );
  });

  it('are all there of hostile text, in linear time', () => {
    const times = 100_000;
    const expected: [string, number][] = [['-', 1], ['⊕', 1], ['𝄞', 1], ['𝄞𝄢', 1], ['-(', 2 * times], ['<-', 2 * times], ['>_', times], ['^', times / 2], ['@', 1], ['\u2034', 1], ['<br>', 0], ['=_', times / 2]];
    for (const [piece, count] of expected) assert.deepStrictEqual([piece, tokenizer.tokens(piece.repeat(times)).length], [piece, count]);
    assert.deepStrictEqual(tokenizer.tokens('-'.repeat(times)), [{ text: '-', start: 0, end: times }]);
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
    fc.assert(fc.property(fc.oneof(mixed, signs, brokenText), check), { numRuns: 6000 });
  });

  it('of a vocabulary from before signs were tokens stay as they were, here and in tokenizers.js', () => {
    const old = oldOf(tokenizer);
    assert.deepStrictEqual(old.toJson(), oldOf(tokenizer).toJson());
    const huggingFace = new HuggingFaceTokenizer(json(old) as object, {});
    // what the vocabulary has of signs is what no text is cut to
    assert.deepStrictEqual(tokensOf('《好》: ((film)) ⊕ 0.5% a-b :( !!', old), ['好', 'film', '0', '5', 'a', 'b', ':(', '!!']);
    fc.assert(
      fc.property(fc.oneof(mixed, signs), (text) => {
        const withoutSigma = text.replace(/\u03a3|[\u{1d6a8}-\u{1d7cb}]/gu, 'S');
        assert.deepStrictEqual([...old.encode(withoutSigma)], (huggingFace.encode(withoutSigma).ids as (number | undefined)[]).map((id) => id ?? 1));
      }),
      { numRuns: 1000 },
    );
  });

  it('are written and read byte by byte, and refused with another normalizer', () => {
    const read = (bytes: Uint8Array): Tokenizer => Tokenizer.fromJson(bytes, { maxTokens: 400 });
    assert.deepStrictEqual(read(tokenizer.toJson()).toJson(), tokenizer.toJson());
    const refused = (change: (file: { normalizer: { normalizers: unknown[] }; pre_tokenizer: unknown; model: Record<string, unknown> & { vocab: Record<string, number> } }) => void, code: string): void => {
      const file = json(tokenizer) as Parameters<typeof change>[0];
      change(file);
      assert.throws(() => read(new TextEncoder().encode(JSON.stringify(file))), (error) => error instanceof HumanError && error.code === code);
    };
    refused((file) => file.normalizer.normalizers.pop(), 'tokenizer.foreign');
    refused((file) => (file.pre_tokenizer = (json(oldOf(tokenizer)) as typeof file).pre_tokenizer), 'tokenizer.foreign');
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
  it('holds letters, tones of voice, usual signs, frequent words and pieces, up to its size', () => {
    const tokens = learnPieces(counted(corpus), options);
    assert.ok(tokens.length + firstPieces.length <= options.size);
    assert.strictEqual(new Set(tokens).size, tokens.length);
    for (const token of ['e', '##e', "##'", 'ï', '##ï', '好', '😀', ':)', '!?!', 'film', '《', '%', '★']) assert.ok(tokens.includes(token), token);
    // where words lack the room, what they have in common becomes pieces
    const words = ['film', 'watch', 'reason', 'enjoy', 'break', 'comfort'].flatMap((stem) => ['able', 'ably', 'ing', 'ers', 'less'].map((ending) => stem + ending)).join(' ');
    const bare = learnPieces(counted(['.']), { ...options, pieces: 0 }).length + firstPieces.length;
    const cut = Tokenizer.ofPieces(learnPieces(counted([words]), { size: bare + 12, pieces: 12, minFrequency: 1 }), { maxTokens: 400 });
    const letterwise = Tokenizer.ofPieces(learnPieces(counted([words]), { size: bare + 12, pieces: 0, minFrequency: 1 }), { maxTokens: 400 });
    assert.ok(cut.encode(words).length < 0.6 * letterwise.encode(words).length);
  });

  it('is ordered by how often texts read with it hold its tokens, then by code points', () => {
    const uses = new Map<string, number>();
    for (const text of corpus) for (const token of tokensOf(text)) uses.set(token, (uses.get(token) ?? 0) + 1);
    const tokens = learnPieces(counted(corpus), options).map((token) => ({ token, uses: uses.get(token) ?? 0 }));
    assert.ok(tokens.some(({ uses }) => uses === 0) && tokens[0]!.uses > 1);
    assert.deepStrictEqual(tokens, [...tokens].sort((a, b) => b.uses - a.uses || compareCodePoints(a.token, b.token)));
  });

  it('has as usual signs just what is a token by itself and no tone of voice', () => {
    assert.strictEqual(new Set([...usualSigns, ...tonesOfVoice()]).size, usualSigns.length + tonesOfVoice().length);
    for (const sign of usualSigns) {
      assert.deepStrictEqual(tokensOf(sign.repeat(sign === '^' ? 1 : 3)), [sign]);
      assert.strictEqual(normalizePiece(sign), sign);
    }
    for (let code = 0x21; code < 0x7f; code++) {
      const character = String.fromCharCode(code);
      if (/[^a-z0-9.,;'_!?~]/i.test(character)) assert.ok(usualSigns.includes(character), character);
    }
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
