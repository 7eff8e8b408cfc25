import * as fc from 'fast-check';

/** Pieces of text that a tokenizer or a segmenter may trip over. */
export const awkwardPieces: readonly string[] = [
  // words and apostrophes
  ...["don't", 'don’t', 'DON’T', "'90s", "rock'n'roll", "dogs'", "o'", "''", "a''b", 'naïve', 'Straße', 'İstanbul', 'ΟΔΟΣ', 'ΣΑΣ', 'ﬁne', 'won\u00adder\u00adful', 'e\u00ad\u0301', 'x²', '3.14', '1,000', '10/10', '½', 'Ⅷ', '①'],
  // decomposed, reordered and stray marks
  ...['e\u0301', 'e\u0323\u0301', 'e\u0301\u0323', '\u0301', '\u00b4', '\u0344', 'q\u0307\u0323', 'ồ', 'o\u0302\u0300', '\u1100\u1161\u11a8', '가\u11a8', 'ﾊﾞ', 'か\u3099', '\u3099', 'क्षि', 'نی', 'ไทย', 'ﷺ', '\ufb2c', 'a\u20e3', 'a\ufe0f'],
  ...['\u0301'.repeat(31), '\u0323'.repeat(40), '\u0301\u00ad'.repeat(20)],
  // Han, kana and full width
  ...['很好吃', '服务态度', '𠮷野家', '㐂', '豈', '々', '〇', 'ラーメン', 'ｶﾞ', 'ＡＢＣ', '１２３', '！！', '？', '。。。', '……', '⋯', '，', '、', '；', '：）', '：（1）', '：（好', '「好」', '《书》', '～～', '한국어', 'ㄅㄆ'],
  // emoji
  ...['👍', '👍🏽', '👨‍👩‍👧', '❤️', '❤️‍🔥', '🇩🇪', '1️⃣', '☆★', '⭐', '🥲', '🫠', '✓', '™', '©', '🈂', '🄰'],
  // emoticons and what looks like them
  ...[':)', ':-)', ":'(", ":'-(", ';)', '=)', ':(', ':((', ':))', ':D', ':P', ':-o', ':d2', ':/', 'http://x.y/z', 'C:/a', ':|', '=(', '=|', '^_^', '^^', '^o^', '^ ^', '-_-', '-.-', '=_=', '>_<', '>.<', ';_;', 'T_T', 't_tt', 'tt_t', 'o_O', 'o_o_o', "t'_t", '<3', '</3', '<3x', 'T_t好'],
  // rows, HTML
  ...['!', '!!!!', '?!', '??!!?', '.', '..', '...', '....', '.....', '~', '~~~~', '<br />', '<br/>', '<br>', '<BR />', '<br  />', '<br', '>_<br>', '＜ｂｒ＞', '<br />)', ':<br>)', "don'<br />t", '&amp;', '<b>', '_', '-', '*', '#tag', '@me'],
  // space of every kind, controls, what Unicode does not know
  ...[' ', '  ', '\n', '\r\n', '\t', '\u00a0', '\u3000', '\u2028', '\u200b', '\u200d', '\ufeff', '\u0000', '\u0001', '\u0085', '\ufffd', '\uffff', '\u{10ffff}', '\u{1fbf0}', '\u{10780}', '\u32ff', '\ua7c2', '\u1cf2', '\u{1e900}', '\u{1d400}', '\u{2f800}', '\u{2ebf0}', '\u{30000}', '\u{11935}'],
  ...['<pad>', '<unk>', '__proto__', 'constructor'],
];

/** Texts mixed from awkward pieces, letters, and any code points at all; without halves of surrogate pairs. */
export const anyText = fc
  .array(
    fc.oneof(
      { weight: 6, arbitrary: fc.constantFrom(...awkwardPieces) },
      { weight: 2, arbitrary: fc.stringMatching(/^[a-zA-Z'.!?:;()\-_=^<>3 ]{0,6}$/) },
      { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 4 }) },
      { weight: 1, arbitrary: fc.string({ unit: 'grapheme', maxLength: 4 }) },
      { weight: 1, arbitrary: fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code >= 0xd800 && code <= 0xdfff ? code - 0x2000 : code)) },
      { weight: 1, arbitrary: fc.integer({ min: 0x300, max: 0x36f }).map((code) => String.fromCharCode(code)) },
    ),
    { maxLength: 12 },
  )
  .map((pieces) => pieces.join(''));

/** As {@link anyText}, with halves of surrogate pairs anywhere. */
export const brokenText = fc
  .array(fc.oneof(anyText, fc.constantFrom('\ud83d', '\ude00', '\udfff', '\ud800')), { maxLength: 4 })
  .map((pieces) => pieces.join(''));
