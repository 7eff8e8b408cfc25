import * as assert from 'node:assert';
import * as fc from 'fast-check';
import { BoundedCache } from '../../../src/app/boundedCache';
import { Emitter } from '../../../src/app/events';
import { bar, escapeMarkdown, excerpt, shapeOf, STYLES } from '../../../src/app/format';
import { decided, percent, ranked, type Prediction } from '../../../src/app/prediction';
import { moveSpan } from '../../../src/app/span';

describe('moveSpan', () => {
  it('keeps the text of the span, or gives it up only if it was edited', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '\n'), minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(text, fc.nat(20), fc.nat(20), fc.nat(20), fc.nat(20), text, (document, a, b, c, d, inserted) => {
        const [start, end] = [a % (document.length + 1), b % (document.length + 1)].sort((x, y) => x - y) as [number, number];
        const [offset, until] = [c % (document.length + 1), d % (document.length + 1)].sort((x, y) => x - y) as [number, number];
        fc.pre(start < end);
        const edited = document.slice(0, offset) + inserted + document.slice(until);
        const moved = moveSpan({ start, end }, { offset, removed: until - offset, inserted: inserted.length });
        if (moved) assert.strictEqual(edited.slice(moved.start, moved.end), document.slice(start, end));
        const touches = until > offset ? offset < end && until > start : offset > start && offset < end;
        assert.strictEqual(moved === undefined, touches);
      }),
    );
  });
});

describe('BoundedCache', () => {
  it('is a map that forgets what was not asked for longest, within both bounds', () => {
    const step = fc.record({ key: fc.integer({ min: 0, max: 12 }).map((n) => 'k'.repeat(n)), write: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.integer({ min: 1, max: 6 }), fc.integer({ min: 0, max: 40 }), (steps, entries, characters) => {
        const cache = new BoundedCache<number>(entries, characters);
        /** Keys by last use, newest first: a plain model of what must be kept. */
        let order: string[] = [];
        steps.forEach(({ key, write }, index) => {
          if (write) cache.set(key, index);
          const known = order.includes(key);
          if (write || known) order = [key, ...order.filter((other) => other !== key)];
          let held = 0;
          const fits = key.length <= characters;
          if (write && !fits) order = order.filter((other) => other !== key);
          order = order.filter((each, place) => place < entries && (held += each.length) <= characters);
          if (!write) assert.strictEqual(cache.get(key) !== undefined, known);
          assert.strictEqual(cache.size, order.length);
        });
      }),
    );
  });
});

describe('Emitter', () => {
  it('reaches every listener that is subscribed, even when one throws', () => {
    const failures: unknown[] = [];
    const emitter = new Emitter<number>((error) => failures.push(error));
    const heard: string[] = [];
    const first = emitter.event((value) => heard.push(`first ${value}`));
    emitter.event(() => {
      throw new Error('broken');
    });
    emitter.event((value) => heard.push(`last ${value}`));
    emitter.fire(1);
    first.dispose();
    emitter.fire(2);
    assert.deepStrictEqual(heard, ['first 1', 'last 1', 'last 2']);
    assert.strictEqual(failures.length, 2);
  });
});

describe('what people read', () => {
  const prediction = (scores: number[], kind: Prediction['kind'] = 'single'): Prediction => ({
    model: { key: 'k', name: 'n', version: '1' },
    kind,
    labels: scores.map((_, index) => `l${index}`),
    scores,
    tokens: 1,
  });

  it('ranks all labels and keeps their places', () => {
    fc.assert(
      fc.property(fc.array(fc.float({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 12 }), (scores) => {
        const all = ranked(prediction(scores));
        assert.deepStrictEqual(all.map(({ index }) => index).sort((a, b) => a - b), scores.map((_, index) => index));
        all.forEach(({ label, index, score }, place) => {
          assert.strictEqual(label, `l${index}`);
          assert.strictEqual(score, scores[index]);
          assert.ok(place === 0 || score <= all[place - 1]!.score);
        });
        assert.deepStrictEqual(decided(prediction(scores)), all.slice(0, 1));
        assert.deepStrictEqual(
          decided(prediction(scores, 'multi')),
          all.filter(({ score }) => score >= 0.5),
        );
      }),
    );
  });

  it('never claims certainty', () => {
    assert.deepStrictEqual([0, 0.004, 0.5, 0.973, 0.99999, 1].map(percent), [0, 0, 50, 97, 99, 99]);
  });

  it('draws bars that grow with the score', () => {
    const length = (text: string): number => Array.from(text).reduce((sum, character) => sum + ('▏▎▍▌▋▊▉█'.indexOf(character) + 1) / 8, 0);
    assert.strictEqual(bar(1, 20), '█'.repeat(20));
    assert.strictEqual(bar(0, 20), '');
    assert.strictEqual(bar(1e-9, 20), '▏');
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, noNaN: true }), fc.integer({ min: 1, max: 40 }), (score, width) => {
        assert.ok(Math.abs(length(bar(score, width)) - score * width) <= 1 / 8);
      }),
    );
  });

  it('tells labels apart by shape', () => {
    assert.strictEqual(new Set(Array.from({ length: STYLES }, (_, index) => shapeOf(index))).size, STYLES);
    assert.strictEqual(shapeOf(STYLES + 1), shapeOf(1));
  });

  it('shows what comes from files as it is, never as Markdown or HTML', () => {
    const hostile = fc.array(fc.constantFrom('![x](https://example.org/x.png)', '[a](command:evil)', '<img src=x>', '|', '\n', '\\', '`', '**b**', 'https://example.org', '&lt;', '# a', 'word')).map((parts) => parts.join(''));
    fc.assert(
      fc.property(hostile, (text) => {
        const markdown = escapeMarkdown(text);
        assert.ok(!markdown.includes('\n'));
        // CommonMark: a backslash before punctuation takes its meaning away. Without those pairs, nothing with a meaning is left
        assert.match(markdown.replace(/\\[!-/:-@[-`{-~]/g, ''), /^[\p{L}\p{N} /"';,?%]*$/u);
        assert.strictEqual(markdown.replace(/\\([!-/:-@[-`{-~])/g, '$1'), text.replace(/\s+/g, ' '));
      }),
    );
  });

  it('cuts excerpts to their length without breaking a character', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('a', ' ', '\n', '好', '😀') }), fc.integer({ min: 1, max: 12 }), (text, length) => {
        const cut = excerpt(text, length);
        assert.ok(Array.from(cut).length <= length);
        assert.doesNotMatch(cut, /\p{Surrogate}/u);
        const line = text.replace(/\s+/g, ' ').trim();
        if (Array.from(line).length <= length && text.length <= length) assert.strictEqual(cut, line);
        else if (cut.endsWith('…')) assert.ok(line.startsWith(cut.slice(0, -1)));
      }),
    );
  });
});
