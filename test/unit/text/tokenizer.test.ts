import * as assert from 'node:assert';
import { readFileSync, writeFileSync } from 'node:fs';
import { Tokenizer as HuggingFaceTokenizer } from '@huggingface/tokenizers';
import * as fc from 'fast-check';
import { HumanError } from '../../../src/core/errors';
import { isKnown, maxMarks, normalizePiece, startsPiece } from '../../../src/core/text/characters';
import { TokenScanner } from '../../../src/core/text/scanner';
import { Tokenizer, truncation } from '../../../src/core/text/tokenizer';
import { compareCodePoints } from '../../../src/core/text/vocabulary';
import { humanError } from '../humanErrors';
import { anyText, awkwardPieces, brokenText } from './texts';

interface PythonCase {
  readonly text: string;
  readonly ids: readonly number[];
  readonly starts: readonly number[];
}
const python = JSON.parse(readFileSync('test/fixtures/text/pythonTokens.json', 'utf8')) as { readonly cases: readonly PythonCase[] };

const reviews = [
  "I loved every minute of it!!! Don't miss it :) 10/10 <br /><br />The acting was naïve, though…",
  'Worst. Film. Ever... Who pays for this?! :( I’d rather watch paint dry.',
  '酒店位置很好，服务态度也不错！！房间有点小……下次还会来～',
  '太难吃了，等了2个小时才送到。。。再也不点了😡👎🏽',
  'iPhone手机信号不好，Battery life is great though ❤️ ^_^',
];
const corpus = [...reviews, ...awkwardPieces];
const every = { minFrequency: 1, maxVocabulary: 100_000, maxTokens: 400 };

const words = (text: string, tokenizer = Tokenizer.build([], every)): string[] => tokenizer.tokens(text).map((token) => token.text);
const json = (tokenizer: Tokenizer): unknown => JSON.parse(new TextDecoder().decode(tokenizer.toJson()));
const bytes = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

describe('tokens', () => {
  it('are words, Han, emoji, emoticons and telling punctuation', () => {
    assert.deepStrictEqual(words("I'm SO happy, don’t stop :-) !!"), ["i'm", 'so', 'happy', "don't", 'stop', ':-)', '!!']);
    assert.deepStrictEqual(words('房间很大！！Wi-Fi也快……'), ['房', '间', '很', '大', '!!', 'wi', 'fi', '也', '快', '...', '...']);
    assert.deepStrictEqual(words('Great<br /><br/>film<BR>…'), ['great', 'film', '...']);
    assert.deepStrictEqual(words('👍🏽 ❤️ ★★☆ ½ ＡＢＣ'), ['👍', '❤', '★', '★', '☆', '1', '2', 'abc']);
    assert.deepStrictEqual(words('如下：（1）see http://a.b/c, key:data'), ['如', '下', '1', 'see', 'http', 'a', 'b', 'c', 'key', 'data']);
    assert.deepStrictEqual(words(' \t\r\n.,;-—“”()[]'), []);
    assert.deepStrictEqual(words(''), []);
  });

  it('are the same for composed and decomposed text', () => {
    // in a row of marks near the limit, one that joins a letter counts
    const fewMarks = anyText.filter((text) => !/[\p{M}\u00ad]{16}/u.test(text));
    fc.assert(fc.property(fewMarks, (text) => assert.deepStrictEqual(words(text.normalize('NFD')), words(text.normalize('NFC')))), { numRuns: 1000 });
  });

  it('stand where their offsets say', () => {
    fc.assert(
      fc.property(brokenText, (text) => {
        let last = 0;
        for (const token of Tokenizer.build([], every).tokens(text)) {
          assert.ok(token.start >= last && token.end > token.start && token.end <= text.length, JSON.stringify(token));
          last = token.start;
          assert.ok(normalizePiece(text.slice(token.start, token.end)).includes(token.text), `${JSON.stringify(text)} ${JSON.stringify(token)}`);
        }
      }),
      { numRuns: 3000 },
    );
    assert.deepStrictEqual(Tokenizer.build([], every).tokens('x… e\u0301a ½😀'), [
      { text: 'x', start: 0, end: 1 },
      { text: '...', start: 1, end: 2 },
      { text: 'éa', start: 3, end: 6 },
      { text: '1', start: 7, end: 8 },
      { text: '2', start: 7, end: 8 },
      { text: '😀', start: 8, end: 10 },
    ]);
  });

  it('are read from the same normalized text by pieces as from the whole', () => {
    const scanner = new TokenScanner();
    const fast = (text: string): string => {
      scanner.reset(text);
      let end = 0;
      while (scanner.next()) end = scanner.end;
      // up to the last token: how much of the scratch counts is the scanner's own business
      return String.fromCharCode(...scanner.units.subarray(0, end));
    };
    fc.assert(
      fc.property(brokenText, (text) => assert.strictEqual(fast(`${text} end`), normalizePiece(`${text} end`))),
      { numRuns: 5000 },
    );
  });

  it('do not depend on what was read before', () => {
    const shared = Tokenizer.build(corpus, every);
    fc.assert(
      fc.property(brokenText, brokenText, (first, second) => {
        shared.encode(first);
        assert.deepStrictEqual(shared.encode(second), Tokenizer.fromJson(shared.toJson(), { maxTokens: 400 }).encode(second));
      }),
      { numRuns: 50 },
    );
  });

  it('come quickly from hostile text', () => {
    const tokenizer = Tokenizer.build(corpus, every);
    const before = process.cpuUsage().user;
    for (const piece of ['\u0301\u0323', 'a', ' ', "a'", '.', ':', '<br', 'ﾞ', '\u1161', '\ufdfa', '\ud83d', '\u00ad', '^', '_']) {
      tokenizer.tokens(piece.repeat(100_000));
    }
    assert.ok(process.cpuUsage().user - before < 10e6);
  });
});

describe('normalization by pieces', () => {
  it('holds for every known code point of the first two planes as the start of a piece', () => {
    for (let code = 0; code < 0x20000; code++) {
      if (!isKnown(code) || (code >= 0xe000 && code < 0xf900) || !startsPiece(code)) continue;
      const character = String.fromCodePoint(code);
      for (const before of ['e', '\u1100', '\uac00', 'か', 'क', 'e\u0323']) {
        assert.strictEqual(normalizePiece(before + character), normalizePiece(before) + normalizePiece(character), `${before} U+${code.toString(16)}`);
      }
    }
  });

  it('drops rows of marks from the limit on', () => {
    assert.strictEqual(normalizePiece(`e${'\u0301'.repeat(maxMarks - 1)}`).length, maxMarks - 1);
    assert.strictEqual(normalizePiece(`e${'\u0301'.repeat(maxMarks)}`), 'e');
  });
});

describe('vocabulary', () => {
  it('is ordered by frequency, then by code points, after <pad> and <unk>', () => {
    const tokenizer = Tokenizer.build(['b b a 😀', 'c c c 😀 豈 一', '\ufb00 once'], { minFrequency: 1, maxVocabulary: 100, maxTokens: 10 });
    const tokens = Array.from({ length: tokenizer.vocabularySize }, (_, id) => tokenizer.tokenOf(id));
    assert.deepStrictEqual(tokens, ['<pad>', '<unk>', 'c', 'b', '😀', 'a', 'ff', 'once', '一', '豈'.normalize('NFKC')]);
    assert.throws(() => tokenizer.tokenOf(tokens.length), RangeError);
  });

  it('compares by code points', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 3 }), fc.string({ unit: 'binary', maxLength: 3 }), (a, b) => {
        const [x, y] = [[...a], [...b]].map((text) => text.map((character) => character.codePointAt(0)!.toString(16).padStart(6, '0')).join(''));
        assert.strictEqual(Math.sign(compareCodePoints(a, b)), x! < y! ? -1 : x! > y! ? 1 : 0);
      }),
      { numRuns: 2000 },
    );
  });

  it('holds exactly the frequent tokens, up to the cap', () => {
    fc.assert(
      fc.property(fc.array(anyText, { maxLength: 8 }), fc.integer({ min: 1, max: 3 }), fc.integer({ min: 2, max: 30 }), (texts, minFrequency, maxVocabulary) => {
        const counts = new Map<string, number>();
        for (const token of texts.flatMap((text) => words(text))) counts.set(token, (counts.get(token) ?? 0) + 1);
        const expected = [...counts]
          .filter(([token, count]) => count >= minFrequency && token.length <= 64)
          .sort((a, b) => b[1] - a[1] || compareCodePoints(a[0], b[0]))
          .map(([token]) => token)
          .slice(0, maxVocabulary - 2);
        const tokenizer = Tokenizer.build(texts, { minFrequency, maxVocabulary, maxTokens: 5 });
        assert.deepStrictEqual(
          Array.from({ length: tokenizer.vocabularySize }, (_, id) => tokenizer.tokenOf(id)),
          ['<pad>', '<unk>', ...expected],
        );
      }),
      { numRuns: 500 },
    );
  });

  it('grows to many tokens', () => {
    const numbers = Array.from({ length: 50_000 }, (_, i) => `w${i}`);
    const tokenizer = Tokenizer.build([numbers.join(' ')], { minFrequency: 1, maxVocabulary: 100_000, maxTokens: 65_536 });
    assert.deepStrictEqual([...tokenizer.encode(numbers.join(' '))].map((id) => tokenizer.tokenOf(id)), numbers);
  });
});

describe('ids', () => {
  const tokenizer = Tokenizer.build(corpus, every);
  const idOf = new Map(Array.from({ length: tokenizer.vocabularySize }, (_, id) => [tokenizer.tokenOf(id), id]));

  it('are those of the tokens, 1 for an unknown one', () => {
    fc.assert(
      fc.property(brokenText, (text) => {
        assert.deepStrictEqual(
          [...tokenizer.encode(text)],
          words(text).map((token) => idOf.get(token) ?? 1),
        );
      }),
      { numRuns: 3000 },
    );
    assert.deepStrictEqual([...tokenizer.encode('zzz <pad> <unk>')], [1, idOf.get('pad'), idOf.get('unk')]);
  });

  it('of a long text are its first and last halves', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 0, max: 60 }), (maxTokens, count) => {
        const text = Array.from({ length: count }, (_, i) => `w${i}`);
        const cut = Tokenizer.build([text.join(' ')], { ...every, maxTokens });
        const { head, tail } = truncation(count, maxTokens);
        assert.strictEqual(head + tail, Math.min(count, maxTokens));
        assert.ok(count <= maxTokens || (head - tail >= 0 && head - tail <= 1));
        assert.deepStrictEqual(
          [...cut.encode(text.join(' '))].map((id) => cut.tokenOf(id)),
          [...text.slice(0, head), ...text.slice(count - tail)],
        );
      }),
      { numRuns: 500 },
    );
  });

  it('refuses to cut to no or part tokens', () => {
    for (const maxTokens of [0, -1, 1.5, NaN, 1e9]) assert.throws(() => Tokenizer.build([], { ...every, maxTokens }), humanError('tokenizer.maxTokens'));
  });

  it("are those that Hugging Face's tokenizers.js reads from tokenizer.json", () => {
    const huggingFace = new HuggingFaceTokenizer(json(tokenizer) as object, {});
    // it leaves an unknown token without an id, against its types
    const oracle = (text: string): number[] => (huggingFace.encode(text).ids as (number | undefined)[]).map((id) => id ?? 1);
    fc.assert(
      fc.property(brokenText, (text) => {
        // its lower case is that of a whole text, which turns Σ into ς at the end of a word
        const withoutSigma = text.replace(/\u03a3|[\u{1d6a8}-\u{1d7cb}]/gu, 'S');
        assert.deepStrictEqual([...tokenizer.encode(withoutSigma)], oracle(withoutSigma));
      }),
      { numRuns: 5000 },
    );
    for (const text of corpus.filter((piece) => !piece.includes('Σ'))) assert.deepStrictEqual([...tokenizer.encode(text)], oracle(text), text);
  });

  it("are those that Hugging Face's tokenizers for Python reads from tokenizer.json", () => {
    const texts = python.cases.map(({ text }) => text);
    const same = Tokenizer.build(texts, every);
    const target = process.env.LABEL_LENS_WRITE_TOKENIZER;
    if (target) return writeFileSync(target, same.toJson());
    assert.ok(texts.length > 500);
    for (const { text, ids, starts } of python.cases) {
      assert.deepStrictEqual([...same.encode(text)], ids, text);
      assert.deepStrictEqual(
        same.tokens(text).map((token) => token.start),
        starts,
        text,
      );
    }
  });
});

describe('tokenizer.json', () => {
  const tokenizer = Tokenizer.build(corpus, every);
  type Json = { [key: string]: unknown };
  /** The file with a change, as bytes. */
  const changed = (change: (file: Json & { model: Json & { vocab: Json } }) => void): Uint8Array => {
    const file = json(tokenizer) as Json & { model: Json & { vocab: Json } };
    change(file);
    return bytes(file);
  };
  const read = (file: Uint8Array): Tokenizer => Tokenizer.fromJson(file, { maxTokens: 400 });

  it('gives back what was written, byte by byte', () => {
    fc.assert(
      fc.property(fc.array(anyText, { maxLength: 5 }), (texts) => {
        const written = Tokenizer.build(texts, every).toJson();
        assert.deepStrictEqual(read(written).toJson(), written);
      }),
      { numRuns: 100 },
    );
  });

  it('is read in any layout', () => assert.deepStrictEqual(read(bytes(json(tokenizer))).toJson(), tokenizer.toJson()));

  it('is refused with a message of its own when it is foreign', () => {
    const foreign: ((file: Json & { model: Json & { vocab: Json } }) => void)[] = [
      (file) => (file.normalizer = null),
      (file) => (file.normalizer = { type: 'Lowercase' }),
      (file) => (file.pre_tokenizer = { type: 'Split', pattern: { Regex: '(a+)+$' }, behavior: 'Removed', invert: true }),
      (file) => ((file.pre_tokenizer as { pretokenizers: { pattern: Json }[] }).pretokenizers[1]!.pattern.Regex = '(a+)+$'),
      (file) => (file.post_processor = { type: 'TemplateProcessing' }),
      (file) => (file.added_tokens = [{ id: 0, content: '<pad>' }]),
      (file) => (file.truncation = { max_length: 5 }),
      (file) => (file.model.type = 'BPE'),
      (file) => (file.model.type = 'WordPiece'),
      (file) => (file.model.unk_token = '[UNK]'),
    ];
    for (const change of foreign) assert.throws(() => read(changed(change)), humanError('tokenizer.foreign'), change.toString());
  });

  it('is refused when it is damaged', () => {
    const size = tokenizer.vocabularySize;
    const damaged: ((file: Json & { model: Json & { vocab: Json } }) => void)[] = [
      (file) => delete (file as Json).model,
      (file) => delete (file.model as Json).vocab,
      (file) => delete file.model.vocab['<pad>'],
      (file) => (file.model.vocab['more'] = size + 1),
      (file) => (file.model.vocab['more'] = 3),
      (file) => (file.model.vocab['more'] = '3'),
      (file) => (file.model.vocab['more'] = -1),
      (file) => (file.model.vocab['more'] = 1.5),
      (file) => (file.model.vocab['x'.repeat(65)] = size),
      (file) => (file.model.vocab[''] = size),
      (file) => (file.model.vocab['\ud800'] = size),
      (file) => Object.assign(file.model.vocab, { '<pad>': 1, '<unk>': 0 }),
    ];
    for (const change of damaged) assert.throws(() => read(changed(change)), humanError('tokenizer.damaged'), change.toString());
    for (const text of ['', 'null', '[]', '{', '"x"', '[['.repeat(100_000)]) assert.throws(() => read(new TextEncoder().encode(text)), humanError('tokenizer.damaged'));
    assert.throws(() => read(new Uint8Array([0xff, 0xfe])), humanError('tokenizer.damaged'));
    assert.throws(() => read(new Uint8Array(32_000_001)), humanError('tokenizer.size'));
  });

  it('is refused or read, but nothing else, when bytes are changed', () => {
    const file = Tokenizer.build(reviews, every).toJson();
    fc.assert(
      fc.property(fc.nat(file.length - 1), fc.nat(255), (at, byte) => {
        const broken = Uint8Array.from(file);
        broken[at] = byte;
        try {
          read(broken);
        } catch (error) {
          assert.ok(error instanceof HumanError, String(error));
        }
      }),
      { numRuns: 500 },
    );
  });
});
