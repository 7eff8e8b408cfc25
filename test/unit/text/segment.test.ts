import * as assert from 'node:assert';
import * as fc from 'fast-check';
import { resegment, segment, startSegmentation, type Segment, type SegmentOptions, type SegmentUnit } from '../../../src/core/text/segment';
import { brokenText } from './texts';

const units = ['paragraph', 'sentence', 'line'] as const satisfies readonly SegmentUnit[];
const anyUnit = fc.constantFrom(...units);
const slices = (text: string, unit: SegmentUnit, options?: SegmentOptions): string[] => segment(text, unit, options).map(({ start, end }) => text.slice(start, end));

/** Markdown and what looks like it, in pieces that may be put together in any order. */
const marks = [
  ...['---\n', '+++\n', '...\n', '# ', '## ', '######', ' ##', '\n===\n', '\n---\n', '***\n', '> ', '>', '- ', '* ', '+ ', '-', '1. ', '2) ', '1986. ', '- [ ] ', '- [x] ', '    '],
  ...['```', '```js\n', '~~~\n', '````\n', '`code`', '<!--', '-->', '<!-- x -->', '<p align="center">', '</p>', '<https://a.b>', '<br>', '| a | b |\n', '|---|:-:|\n', '|', '[a]: http://b "c"\n', '[^1]: note', '[a](b)', '**bold**', '\\'],
  ...['\n', '\n', '\n\n', '\n\n', '\r\n', '\r', ' ', '\u3000', 'word', 'Word', 'one two', '好', '1', 'Mr. ', 'e.g. ', '3.14', 'No. ', 'U.S. '],
  ...['. ', '.', '! ', '? ', '…', '...', '。', '！', '？”', '；', '"', "'", ')', '”', '」', '\ufeff', '\u{20000}', '\u{10400}', 'é', 'e\u0301'],
];
const markdown = fc.array(fc.oneof({ weight: 8, arbitrary: fc.constantFrom(...marks) }, { weight: 1, arbitrary: brokenText }), { maxLength: 40 }).map((pieces) => pieces.join(''));

/** Offsets of the code points in a text that `wanted` fits. */
function offsetsOf(text: string, wanted: RegExp): number[] {
  const offsets: number[] = [];
  let at = 0;
  for (const character of text) {
    if (wanted.test(character)) offsets.push(at);
    at += character.length;
  }
  return offsets;
}

const covering = (segments: readonly Segment[], offset: number): number => segments.filter(({ start, end }) => start <= offset && offset < end).length;

describe('segments of any text', () => {
  it('are in order, apart, trimmed and hold a letter', () => {
    fc.assert(
      fc.property(markdown, anyUnit, fc.boolean(), (text, unit, isMarkdown) => {
        let last = 0;
        for (const { start, end } of segment(text, unit, { markdown: isMarkdown })) {
          assert.ok(start >= last && end > start && end <= text.length);
          last = end;
          const slice = text.slice(start, end);
          assert.strictEqual(slice, slice.trim());
          assert.match(slice, /\p{L}/u);
          for (const edge of [start, end]) assert.ok((text.codePointAt(edge - 1) ?? 0) <= 0xffff, 'a pair of surrogates is cut');
        }
      }),
      { numRuns: 5000 },
    );
  });

  it('hold the same letters whatever the unit', () => {
    fc.assert(
      fc.property(markdown, fc.boolean(), (text, isMarkdown) => {
        const [paragraphs, sentences, lines] = units.map((unit) => segment(text, unit, { markdown: isMarkdown }));
        for (const offset of offsetsOf(text, /\p{L}/u)) {
          const count = covering(lines!, offset);
          assert.strictEqual(covering(sentences!, offset), count);
          // a paragraph over several lines holds the marks between them
          assert.ok(covering(paragraphs!, offset) >= count);
        }
      }),
      { numRuns: 3000 },
    );
  });

  it('hold every letter of plain text once', () => {
    fc.assert(
      fc.property(markdown, anyUnit, (text, unit) => {
        const segments = segment(text, unit, { markdown: false });
        for (const offset of offsetsOf(text, /\p{L}/u)) assert.strictEqual(covering(segments, offset), 1);
      }),
      { numRuns: 3000 },
    );
  });

  it('are the same for all line ends', () => {
    fc.assert(
      fc.property(markdown, anyUnit, fc.boolean(), (raw, unit, isMarkdown) => {
        const text = raw.replace(/\r/g, '');
        const expected = slices(text, unit, { markdown: isMarkdown });
        for (const lineEnd of ['\r\n', '\r']) {
          const other = slices(text.replaceAll('\n', lineEnd), unit, { markdown: isMarkdown });
          assert.deepStrictEqual(
            other.map((slice) => slice.replaceAll(lineEnd, '\n')),
            expected,
          );
        }
      }),
      { numRuns: 3000 },
    );
  });

  it('come quickly from hostile text', () => {
    const before = process.cpuUsage().user;
    const hostile = ['- ', '> ', '* - ', '<!--', '<!---->', '<!--\n', '```\n', '|', '|\n', '|-\n', '[', '[a]:', '[a]: b ', '#', '# ', '<p>', '<p ', '. ', '.', 'a. ', '."', '。', '。"', '"。', '”', '1. ', '_', '- - - x', '\n', '---\n', 'a\n|', '  '];
    for (const piece of hostile) {
      for (const unit of units) segment(piece.repeat(100_000), unit);
      segment(`---\n${piece.repeat(100_000)}`, 'sentence');
    }
    assert.ok(process.cpuUsage().user - before < 15e6);
  });
});

describe('Markdown', () => {
  /** Blocks whose skipped letters are all Z, with a mark of whether a blank line has to follow for that. */
  const text = fc.array(fc.constantFrom('one', 'two', 'Three', '好的', 'é', '12', '*four*', '`five`', '&', '(six)', 'seven.', 'eight!', '九。'), { minLength: 1, maxLength: 8 }).map((words) => `a${words.join(' ')}`);
  const wrapped = fc.array(text, { minLength: 1, maxLength: 3 });
  const block = fc.oneof(
    wrapped.map((lines) => lines.join('\n')),
    wrapped.map((lines) => lines.map((line) => `> ${line}`).join('\n')),
    fc.tuple(fc.integer({ min: 1, max: 6 }), text).map(([level, title]) => `${'#'.repeat(level)} ${title} ${'#'.repeat(level)}`),
    fc.tuple(text, fc.constantFrom('===', '-----')).map(([title, line]) => `${title}\n${line}`),
    fc.tuple(fc.constantFrom('-', '*', '+', '1.', '2)', '- [ ]', '* [x]'), wrapped).map(([mark, items]) => items.map((item) => `${mark} ${item}`).join('\n')),
    fc.tuple(fc.constantFrom('```', '~~~', '`````'), fc.constantFrom('', ' Z', '\n', '\n# Z', '\n<!-- Z'), fc.constantFrom('', '  ')).map(([fence, code, indent]) => `${indent}${fence}Z\nZ${code}\n${indent}${fence}`),
    fc.constantFrom('Z', 'Z\n\nZ', 'Z\n```\nZ', '- Z\n# Z').map((comment) => `<!-- ${comment} -->`),
    fc.tuple(text, text).map(([head, row]) => `| ${head} | b |\n|---|:-:|\n| ${row} | c |\n| d |`),
    fc.constantFrom('[ZZ]: Z://Z.Z/Z', '[Z Z]: <Z Z> "Z"', "[Z]: Z 'Z Z'"),
    fc.constantFrom('<Z ZZZ="Z">', '</ZZ>', '<ZZZ/> <ZZ>'),
    fc.constantFrom('***', '---', '_ _ _'),
  );
  const document = fc
    .tuple(fc.constantFrom('', '---\nZ: Z\n---\n', '+++\nZ = "Z"\n\nZ\n+++\n', '\ufeff---\nZ: |\n  Z\n...\n'), fc.array(block, { maxLength: 12 }))
    .map(([front, blocks]) => front + blocks.join('\n\n'));

  it('is in the segments with every letter of its text once, and with no other', () => {
    fc.assert(
      fc.property(document, anyUnit, (text, unit) => {
        const segments = segment(text, unit);
        for (const offset of offsetsOf(text, /\p{L}/u)) {
          const skipped = text[offset] === 'Z' ? 0 : text.slice(offset - 3, offset + 1) === '- [x' || text.slice(offset - 3, offset + 1) === '* [x' ? 0 : 1;
          assert.strictEqual(covering(segments, offset), skipped, `${JSON.stringify(text)} at ${offset}`);
        }
      }),
      { numRuns: 2000 },
    );
  });

  const examples: readonly [string, string, string[]][] = [
    ['front matter', '---\ntitle: x\n---\nText', ['Text']],
    ['front matter that never ends', '---\ntitle: x\n\nText', ['title: x', 'Text']],
    ['a thematic break at the start', '---\n\nText\n\n---\n\nMore', ['Text', 'More']],
    ['headings', '# One\n## Two ##\n#Not\n# C#\n####### Seven', ['One', 'Two', '#Not', 'C#', '####### Seven']],
    ['headings with a line under them', 'One\n===\nTwo\n---\nText', ['One', 'Two', 'Text']],
    ['lists', '- one\n- two\n  goes on\n\n  still two\n* [ ] three\n10. ten\n11) eleven', ['one', 'two\n  goes on', 'still two', 'three', 'ten', 'eleven']],
    ['nested items', '- - one\n  > two\n> - three', ['one', 'two', 'three']],
    ['a year at the start of a line', 'It was in\n1986. A great year.\n\n- In\n  1987. Too', ['It was in\n1986. A great year.', 'In\n  1987. Too']],
    ['emphasis at the start of a line', '*one* two\n**three**', ['*one* two\n**three**']],
    ['quotations', '> one\n> two\n\nthree\n> four', ['one\n> two', 'three', 'four']],
    ['code', 'One\n```js\nlet x;\n\n~~~\n````\nTwo', ['One', 'Two']],
    ['code that never ends', 'One\n\n```\nlet x;', ['One']],
    ['code in a quotation', '> ```\n> let x;\nOne', ['One']],
    ['code in a list', '- one\n  ```\n  let x;\n  > ```\n  ```\n- two', ['one', 'two']],
    ['code in a line', 'One ``` two ``` three', ['One ``` two ``` three']],
    ['comments', 'One\n<!-- no -->\nTwo <!-- yes --> three\n<!-- no\n\nno --> four\n- <!-- no --> five', ['One', 'Two <!-- yes --> three', 'four', 'five']],
    ['tables', 'a | b\n--|--\nc | d\n\ne | f', ['a | b', 'c | d', 'e | f']],
    ['a table after text', 'One\n| a | b |\n|:--|--:|\n| c d | |\nrow\n\nTwo', ['One', 'a | b', 'c d', 'row', 'Two']],
    ['bars in text', 'one | two\nthree | four', ['one | two\nthree | four']],
    ['link definitions', '[a]: http://b "c"\n[b]: <c d>\n[c] is text\n[d]: also text here', ['[c] is text\n[d]: also text here']],
    ['footnotes', '[^1]: text', ['[^1]: text']],
    ['tags', '<div>\n<img src="a">\nText <b>bold</b>\n</div>\n<https://a.b>', ['Text <b>bold</b>', '<https://a.b>']],
    ['what holds no letter', '12\n\n***\n\n👍\n\n- \n\n#', []],
  ];
  for (const [name, text, expected] of examples) it(`knows ${name}`, () => assert.deepStrictEqual(slices(text, 'paragraph'), expected));

  it('is text like any other when the text is plain', () => {
    assert.deepStrictEqual(slices('# One\n- two\n\n```\nthree\n```', 'paragraph', { markdown: false }), ['# One\n- two', '```\nthree\n```']);
    assert.deepStrictEqual(slices('  # One\n- two \n\n***\nthree', 'line', { markdown: false }), ['# One', '- two', 'three']);
  });

  it('leaves marks between lines out of sentences and lines', () => {
    assert.deepStrictEqual(slices('> One. Two\n> three. Four\n> five.', 'sentence'), ['One.', 'Two\n> three.', 'Four\n> five.']);
    assert.deepStrictEqual(slices('> One. Two.\n> Three', 'sentence'), ['One.', 'Two.', 'Three']);
    assert.deepStrictEqual(slices('> One\n>   Two  \n- three', 'line'), ['One', 'Two', 'three']);
  });
});

describe('sentences', () => {
  const examples: readonly string[][] = [
    ['One.', 'Two!', 'Three?!', 'Four... Five'].flatMap((part) => (part === 'Four... Five' ? ['Four...', 'Five'] : [part])),
    ['Mr. Smith met Dr. Jones at St. Mary’s, e.g. on Sunday.', 'They talked.'],
    ['J. K. Rowling and the U.S. Senate paid $3.50 on Jan. 5 for No. 7.', 'No.', 'I did.', 'So did I.', 'Yes.'],
    ['It opens at 9 a.m. and closes at 5 p.m.', 'We left early, etc. and so on.', 'Apples, pears, etc.', 'The end'],
    ['"Really?" he said.', '"I know." She left.'].flatMap((part) => (part.startsWith('"I') ? ['"I know."', 'She left.'] : [part])),
    ['He said “stop.”', 'Then (he left.)', 'It was **good.**', 'Then it was over.'],
    ['well... maybe not.', 'i liked it.', 'it was ok!', 'really.'],
    ['See example.com/a.b?c=d or v1.2.3.', 'Done.'],
    ['今天很好。', '他说："好。"', '"不好。"', '“真的吗？”', '他说！！', '我……不知道；', '好吧……'],
    ['质量很好!', '下次再来.', '价格3.5元?', '不贵'],
    ['我用 iPhone。', 'It works.', '很好！'],
    ['1. First of all, this.', '2. Then that.'],
    ['Wow!', '😀 Great.', '👍👍 Again'],
  ];
  for (const sentences of examples) {
    it(`are ${sentences.join(' | ')}`, () => {
      // Chinese with the stops of English needs no white space
      const joined = sentences.reduce((text, sentence) => (/[^\x00-\x7f][^\w]*$/.test(text) && /^[^\x00-\xff]/.test(sentence) ? text + sentence : `${text} ${sentence}`));
      assert.deepStrictEqual(slices(joined, 'sentence', { markdown: false }), sentences);
    });
  }

  const english = fc
    .tuple(
      fc.constantFrom('The', 'I', 'Mr. Smith', '"Why?" he', '(No', 'Dr. A. Jones', 'It', '“We'),
      fc.array(fc.constantFrom('was', 'good', 'U.S. food', '3.5', 'e.g. tea', 'etc. and', 'v1.2', 'Fig. 3', 'not', 'that… so', 'co. x', "don't", 'at 5 p.m. or'), { minLength: 1, maxLength: 6 }),
      fc.constantFrom('end.', 'end!', 'end?', 'end?!', 'end...', 'end."', 'end!)', 'end.”', 'end…', 'end.*', '2019.'),
    )
    .map(([first, words, last]) => [first, ...words, last].join(' '));
  const chinese = fc
    .tuple(fc.array(fc.constantFrom('很好', '服务', '3.5', '“不错”', '……', '，', 'iPhone', '、', '：'), { minLength: 1, maxLength: 6 }), fc.constantFrom('吧。', '吗？', '呀！', '的；', '了！！', '啊。”', '吗？」', '呢？！'))
    .map(([words, last]) => `我${words.join('')}${last}`);

  it('of English are told apart, also over lines', () => {
    fc.assert(
      fc.property(fc.array(english, { minLength: 1, maxLength: 6 }), fc.constantFrom(' ', '  ', '\n', ' \r\n '), (sentences, space) => {
        assert.deepStrictEqual(slices(sentences.join(space), 'sentence', { markdown: false }), sentences);
        const wrapped = sentences.map((sentence) => sentence.replaceAll(' ', '\n'));
        assert.deepStrictEqual(slices(wrapped.join('\n'), 'sentence', { markdown: false }), wrapped);
      }),
      { numRuns: 2000 },
    );
  });

  it('of Chinese are told apart, also among English', () => {
    fc.assert(
      fc.property(fc.array(chinese, { minLength: 1, maxLength: 6 }), fc.constantFrom('', '', ' ', '\n'), english, (sentences, space, last) => {
        assert.deepStrictEqual(slices([...sentences, last].join(space), 'sentence', { markdown: false }), [...sentences, last]);
      }),
      { numRuns: 2000 },
    );
  });

  it('never run over a paragraph', () => {
    fc.assert(
      fc.property(markdown, fc.boolean(), (text, isMarkdown) => {
        const paragraphs = segment(text, 'paragraph', { markdown: isMarkdown });
        for (const { start, end } of segment(text, 'sentence', { markdown: isMarkdown })) {
          assert.ok(paragraphs.some((paragraph) => paragraph.start <= start && end <= paragraph.end));
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe('segments after an edit', () => {
  const filling = 'Filling text of several words, so that there is room between restarts. '.repeat(8);
  const long = fc.array(fc.oneof({ weight: 2, arbitrary: markdown }, { weight: 1, arbitrary: fc.constant(filling) }), { minLength: 5, maxLength: 25 }).map((parts) => parts.join('\n\n'));

  it('are those of the text as it is then, edit after edit', () => {
    let restarts = 0;
    fc.assert(
      fc.property(long, anyUnit, fc.boolean(), fc.array(fc.tuple(fc.nat(), fc.nat(60), fc.oneof(markdown, fc.constantFrom(...marks))), { minLength: 1, maxLength: 4 }), (start, unit, isMarkdown, edits) => {
        let text = start;
        let segmentation = startSegmentation(text, unit, { markdown: isMarkdown });
        for (const [place, removed, inserted] of edits) {
          restarts += segmentation.restarts.length;
          const from = place % (text.length + 1);
          const end = Math.min(text.length, from + removed);
          text = text.slice(0, from) + inserted + text.slice(end);
          segmentation = resegment(segmentation, text, { start: from, end, inserted: inserted.length });
          assert.deepStrictEqual(segmentation.segments, segment(text, unit, { markdown: isMarkdown }), JSON.stringify({ from, end, inserted }));
          assert.strictEqual(segmentation.length, text.length);
        }
      }),
      { numRuns: 1500 },
    );
    assert.ok(restarts > 1000);
  });

  it('are found by reading around the edit', () => {
    const text = `${filling}\n\n`.repeat(200);
    let segmentation = startSegmentation(text, 'sentence');
    const before = segmentation.segments;
    const at = text.indexOf('Filling', text.length / 2);
    segmentation = resegment(segmentation, `${text.slice(0, at)}x${text.slice(at)}`, { start: at, end: at, inserted: 1 });
    // what stands before the edit is not made anew
    const same = segmentation.segments.findIndex((piece, index) => piece !== before[index]);
    assert.ok(same > before.length * 0.45);
    assert.strictEqual(segmentation.segments.length, before.length);
    assert.ok(segmentation.restarts.length > 50);
  });
});
