import * as assert from 'node:assert';
import * as fc from 'fast-check';
import { decisionLimits, excerptOf, formatDecision, isSameValue, parseDecision, type Decision } from '../../../src/core/labels/decision';
import { anyDecision, decision } from './decisions';

describe('a line of the journal', () => {
  const line = JSON.stringify({
    at: '2026-11-20T20:00:00.000Z', example: 'e3b0c44298fc1c149afbf4c8996fb924', source: { file: 'reviews.csv', row: 12 }, text: 'so so', status: 'labeled', label: 'positive',
    annotator: 'mei', origin: 'key', prediction: { label: 'negative', score: 0.61, model: 'v3' },
  });

  it('is read and written in the order of the design', () => {
    const parsed = parseDecision(line, 'mei.jsonl:1');
    assert.ok(parsed.kind === 'decision');
    assert.strictEqual(formatDecision(parsed.decision), line);
  });

  it('says what the decision said', () => {
    fc.assert(
      fc.property(anyDecision, (original) => {
        const text = formatDecision(original);
        assert.ok(!text.includes('\n'));
        // through the file: UTF-8
        const read = new TextDecoder('utf-8', { fatal: true }).decode(new TextEncoder().encode(text));
        assert.deepStrictEqual(parseDecision(read, 'x'), { kind: 'decision', decision: original });
      }),
    );
  });

  it('is foreign, with file and line and a remedy, whatever it holds instead', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json(), fc.nat(line.length - 1).map((cut) => line.slice(0, cut))), (text) => {
        const parsed = parseDecision(text, 'mei.jsonl:7');
        assert.ok(parsed.kind === 'foreign');
        assert.match(parsed.reason.message, /^mei\.jsonl:7[ :]/);
      }),
    );
  });

  const broken: readonly [string, object, string][] = [
    ['a time without milliseconds', { at: '2026-11-20T20:00:00Z' }, 'json.pattern'],
    ['a day that there is not', { at: '2026-02-31T20:00:00.000Z' }, 'decision.time'],
    ['the end of time', { at: '9999-12-31T23:59:59.999Z' }, 'decision.time'],
    ['another hash', { example: 'E3B0' }, 'json.pattern'],
    ['a decision after it was written', { at: '2026-11-20T20:00:00.000Z', decidedAt: '2026-11-20T20:00:00.001Z' }, 'decision.decidedAt'],
    ['no time at which it was decided', { decidedAt: 'last year' }, 'json.pattern'],
    ['an unknown status', { status: 'maybe' }, 'json.choice'],
    ['a label of nothing', { label: null }, 'json.text'],
    ['no label', { label: undefined }, 'decision.label'],
    ['a label on a skip', { status: 'skipped' }, 'decision.label'],
    ['a label twice', { label: ['a', 'a'] }, 'json.distinct'],
    ['an endless text', { text: 'x'.repeat(decisionLimits.textLength + 1) }, 'json.text'],
    ['an endless line', { more: 'x'.repeat(decisionLimits.line) }, 'json.line'],
    ['no annotator', { annotator: '' }, 'json.text'],
    ['row 0', { source: { file: 'a.csv', row: 0 } }, 'json.integer'],
    ['a score above 1', { prediction: { label: 'a', score: 2, model: 'v1' } }, 'json.number'],
  ];
  for (const [what, change, code] of broken)
    it(`is foreign with ${what}`, () => {
      const parsed = parseDecision(JSON.stringify({ ...(JSON.parse(line) as object), ...change }), 'x');
      assert.strictEqual(parsed.kind === 'foreign' && parsed.reason.code, code);
    });

  it('is foreign in a task of another kind', () => {
    const kinds = { single: 'good', multi: ['good'], number: 4 } as const;
    for (const [kind, label] of Object.entries(kinds) as [keyof typeof kinds, Decision['label']][])
      for (const task of ['single', 'multi', 'number'] as const) assert.strictEqual(parseDecision(formatDecision(decision(0, 't', label)), 'x', task).kind, task === kind ? 'decision' : 'foreign');
  });

  it('keeps what a newer version added out of the decision, and reads the rest', () => {
    const parsed = parseDecision(JSON.stringify({ ...(JSON.parse(line) as object), mood: 'good', __proto__: { x: 1 } }), 'x');
    assert.ok(parsed.kind === 'decision');
    assert.strictEqual(formatDecision(parsed.decision), line);
  });
});

describe('what the journal says of a text', () => {
  it('is its beginning, in whole characters', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme-composite', maxLength: 200 }), (text) => {
        const excerpt = excerptOf(text);
        assert.ok(text.startsWith(excerpt));
        assert.strictEqual(Array.from(excerpt).length, Math.min(80, Array.from(text).length));
      }),
    );
  });
});

describe('answers', () => {
  it('of several labels are the same in any order', () => {
    assert.ok(isSameValue(['a', 'b'], ['b', 'a']));
    assert.ok(!isSameValue(['a', 'b'], ['a']));
    assert.ok(!isSameValue(['a'], 'a'));
    assert.ok(isSameValue(undefined, undefined));
  });
});
