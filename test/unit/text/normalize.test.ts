import * as assert from 'node:assert';
import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { exampleId, normalizeText } from '../../../src/core/text/normalize';
import { anyText, brokenText } from './texts';

describe('the normalized text of an example', () => {
  it('is trimmed, in NFC, with single spaces', () => {
    assert.strictEqual(normalizeText('\ufeff  Cafe\u0301\r\n\r\n\tau  lait\u00a0\u3000'), 'Café au lait');
    assert.strictEqual(normalizeText(' \n '), '');
    assert.strictEqual(normalizeText('ＡＢＣ ½ Straße'), 'ＡＢＣ ½ Straße');
  });

  it('stays the same when normalized again', () => {
    fc.assert(fc.property(brokenText, (text) => assert.strictEqual(normalizeText(normalizeText(text)), normalizeText(text))), { numRuns: 2000 });
  });

  it('is that of one rule, whichever way is taken', () => {
    const fewMarks = anyText.filter((text) => !/\p{M}{50}/u.test(text));
    const ascii = fc.stringMatching(/^[ ab\n\t~]{0,12}$/);
    fc.assert(
      fc.property(fc.oneof(ascii, fewMarks), (text) => assert.strictEqual(normalizeText(text), text.normalize('NFC').trim().split(/\s+/).join(' '))),
      { numRuns: 3000 },
    );
  });

  it('does not depend on line ends, wrapping or the encoding of accents', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('é', 'ồ', 'word', '가', '好', '!'), { minLength: 1, maxLength: 8 }), (words) => {
        const ids = [' ', '\n', '\r\n', '  \t'].flatMap((space) => (['NFC', 'NFD'] as const).map((form) => exampleId(` ${words.join(space).normalize(form)}\n`)));
        assert.strictEqual(new Set(ids).size, 1);
      }),
    );
  });

  it('comes quickly from hundreds of thousands of marks', () => {
    const before = process.cpuUsage().user;
    normalizeText('\u0301\u0323'.repeat(200_000));
    assert.ok(process.cpuUsage().user - before < 2e6);
  });
});

describe('the id of an example', () => {
  it('is half of the SHA-256 of the normalized text', () => {
    fc.assert(
      fc.property(brokenText, (text) => assert.strictEqual(exampleId(text), createHash('sha256').update(normalizeText(text), 'utf8').digest('hex').slice(0, 32))),
      { numRuns: 500 },
    );
  });

  it('tells texts apart that a person can', () => {
    const ids = ['good', 'Good', 'good!', 'ｇood', 'go od', 'goód', ''].map(exampleId);
    assert.strictEqual(new Set(ids).size, ids.length);
  });
});
