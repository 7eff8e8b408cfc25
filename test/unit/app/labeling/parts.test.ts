import * as assert from 'node:assert';
import * as fc from 'fast-check';
import { DecisionTrail } from '../../../../src/app/labeling/decisionTrail';
import { compileSearch, mayExplode } from '../../../../src/app/labeling/exampleFilter';
import { explainByOcclusion, occlusionSpans } from '../../../../src/app/occlusion';
import { divide } from '../../../../src/app/labeling/fineTuning';
import { Guesses, readGuess } from '../../../../src/app/labeling/guesses';
import { makeInsight, type InsightParts } from '../../../../src/app/labeling/insightReport';
import { LearnableCounts } from '../../../../src/app/labeling/learnableCounts';
import { columnsFor, pickColumns } from '../../../../src/app/labeling/taskModel';
import { newLabels } from '../../../../src/core/labels/task';
import { exampleId } from '../../../../src/core/text/normalize';
import type { DecidedText } from '../../../../src/labeling/fineTunePolicy';
import { pause } from './inputs';

describe('searching texts', () => {
  it('finds all words in any order, whatever their case', () => {
    const test = compileSearch('  Late  PARCEL ');
    assert.deepStrictEqual(['the parcel was late', 'late', 'parcels, later'].map((text) => test?.(text)), [true, false, true]);
    assert.strictEqual(compileSearch('   '), undefined);
  });

  it('refuses what repeats a repetition, and nothing that people usually write', () => {
    for (const pattern of ['(a+)+', '(a*)*b', '(?:a|b)+', '([a-z]+)*$', '(\\d+,?)+', '((ab)+c)*', '(a{2,}){3,}']) assert.ok(mayExplode(pattern), pattern);
    for (const pattern of ['late|slow', '\\blate\\b', 'a+b*c', '(late) (parcel)?', '[+*(]+', '\\(a+\\)+', '(abc)+', '(a|b)?', 'x{1,3}', '(a+){2}']) assert.ok(!mayExplode(pattern), pattern);
  });
});

describe('words that decided', () => {
  it('are whole words in their order, as many as there may be', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('good', 'bad', '电影', '½', "isn't", ',', '😀', '  '), { maxLength: 80 }), fc.integer({ min: 1, max: 30 }), (parts, most) => {
        const text = parts.join(' ');
        const spans = occlusionSpans(text, most);
        assert.ok(spans.length <= most);
        spans.forEach(({ start, end }, index) => assert.ok(start < end && end <= text.length && start >= (spans[index - 1]?.end ?? 0)));
      }),
    );
  });

  it('weigh what the score loses without them', async () => {
    const asked: (readonly string[])[] = [];
    const words = await explainByOcclusion('not good at all', (texts) => {
      asked.push(texts);
      return Promise.resolve(texts.map((text) => (text.includes('good') ? 0.75 : 0.25)));
    });
    assert.deepStrictEqual(words, [
      { start: 0, end: 3, weight: 0 },
      { start: 4, end: 8, weight: 0.5 },
      { start: 9, end: 11, weight: 0 },
      { start: 12, end: 15, weight: 0 },
    ]);
    assert.strictEqual(asked.length, 1, 'all in one request');
    assert.deepStrictEqual(await explainByOcclusion(' , ', () => Promise.reject(new Error('nothing to ask'))), []);
  });
});

describe('dividing decisions for fine-tuning', () => {
  const ids = Array.from({ length: 200 }, (_, position) => exampleId(`text ${position}`));
  const idAt = (position: number): string => ids[position] ?? '';
  const decided = (count: number, checks: number): DecidedText[] => Array.from({ length: count }, (_, position) => ({ position, value: [position % 3], check: position < checks }));
  const positions = (texts: readonly DecidedText[]): number[] => texts.map(({ position }) => position).sort((a, b) => a - b);

  it('holds out the checks alone where there are ten, and a part of the others besides where there are fewer', async () => {
    assert.deepStrictEqual(positions((await divide(decided(60, 10), 'single', idAt, pause)).holdout), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    const { holdout, training, validation } = await divide(decided(100, 3), 'single', idAt, pause);
    assert.ok(holdout.length > 12 && holdout.length < 40, `${holdout.length}`);
    for (const label of [0, 1, 2]) assert.ok(holdout.some(({ value }) => Array.isArray(value) && value[0] === label));
    assert.deepStrictEqual(positions([...holdout, ...training, ...validation]), positions(decided(100, 3)));
  });

  it('never judges by what was learned from before', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 10, max: 100 }), fc.integer({ min: 0, max: 20 }), fc.integer({ min: 1, max: 90 }), async (count, checks, more) => {
        const { training, validation } = await divide(decided(count, checks), 'single', idAt, pause);
        const learned = new Set(positions([...training, ...validation]));
        // the checks come first here, so a later decision is none
        assert.ok((await divide(decided(count + more, checks), 'single', idAt, pause)).holdout.every(({ position }) => !learned.has(position)));
      }),
    );
  });
});

describe('guesses', () => {
  it('read by kind, and not at all where the model has no word', () => {
    const labels = ['a', 'b', 'c'];
    assert.deepStrictEqual(readGuess({ rule: { kind: 'single' }, labels }, [0.25, 0.5, 0.25]), { scores: [0.25, 0.5, 0.25], value: 'b', confidence: 0.5 });
    assert.deepStrictEqual(readGuess({ rule: { kind: 'multi' }, labels }, [0.75, 0.5, 0.25])?.value, ['a', 'b']);
    assert.deepStrictEqual(readGuess({ rule: { kind: 'number' }, labels: [] }, [3.5]), { scores: [3.5], value: 3.5, confidence: 1 });
    assert.strictEqual(readGuess({ rule: { kind: 'single' }, labels }, [NaN, NaN, NaN]), undefined);
  });

  it('heed thresholds', () => {
    const two = ['a', 'b'];
    assert.deepStrictEqual(readGuess({ rule: { kind: 'single', threshold: 0.25 }, labels: two }, [0.625, 0.375]), { scores: [0.625, 0.375], value: 'b', confidence: 0.375 });
    assert.strictEqual(readGuess({ rule: { kind: 'single', threshold: 0.75 }, labels: two }, [0.375, 0.625])?.value, 'a');
    assert.deepStrictEqual(readGuess({ rule: { kind: 'multi', thresholds: [0.875, 0.25] }, labels: two }, [0.75, 0.375]), { scores: [0.75, 0.375], value: ['b'], confidence: 0.375 });
    const guesses = new Guesses({ rule: { kind: 'single' }, labels: two }, 1);
    guesses.put([0], Float32Array.of(0.625, 0.375), 1);
    assert.strictEqual(guesses.at(0)?.value, 'a');
    guesses.decideBy({ kind: 'single', threshold: 0.25 });
    assert.strictEqual(guesses.at(0)?.value, 'b');
  });

  it('are replaced by later ones, never by earlier ones', () => {
    const guesses = new Guesses({ rule: { kind: 'single' }, labels: ['a', 'b'] }, 3);
    guesses.put([2, 0], Float32Array.of(1, 0, 0, 1), 5);
    guesses.put([2], Float32Array.of(0, 1), 4);
    assert.deepStrictEqual([guesses.at(2)?.value, guesses.at(0)?.value, guesses.at(1)], ['a', 'b', undefined]);
    assert.deepStrictEqual([guesses.stale([0, 1, 2], 5), guesses.stale([0, 1, 2], 6)], [[1], [0, 1, 2]]);
    guesses.put([0, 1], new Float32Array(0), 9);
    assert.strictEqual(guesses.at(0)?.value, 'b', 'an order without scores changes none');
    guesses.putAll(Float32Array.of(0, 1, 0, 1, 0, 1), 10);
    assert.deepStrictEqual([0, 1, 2].map((position) => guesses.at(position)?.value), ['b', 'b', 'b']);
  });

  it('are shared out anew where the model knows more labels than the task', () => {
    const manifest = { task: { kind: 'single' as const, labels: [{ id: 'x' }, { id: 'b' }, { id: 'a' }] } };
    const columns = columnsFor(manifest, 'single', ['a', 'b']);
    assert.deepStrictEqual(columns, [2, 1]);
    assert.deepStrictEqual([...pickColumns(Float32Array.of(0.5, 0.125, 0.375), 3, columns ?? [], 'single')], [0.75, 0.25]);
    assert.strictEqual(columnsFor(manifest, 'single', ['a', 'other']), undefined);
    assert.strictEqual(columnsFor(manifest, 'multi', ['a']), undefined);
  });
});

describe('going back and forth', () => {
  it('passes over earlier mentions, undone acts and texts that are gone', () => {
    const trail = new DecisionTrail();
    const add = (example: string, at: string, more: object = {}): void => trail.add({ at, example, text: '', status: 'skipped', annotator: 'mei', origin: 'key', ...more });
    add('a', '1');
    add('b', '2');
    add('a', '3');
    add('c', '4');
    add('c', '4');
    add('b', '5', { undo: '2' });
    const there = (): boolean => true;
    assert.deepStrictEqual([trail.neighbour('new', -1, there), trail.neighbour('c', -1, there), trail.neighbour('a', -1, there), trail.neighbour('b', -1, there)], ['c', 'a', 'b', undefined]);
    assert.strictEqual(trail.neighbour('b', 1, (id) => id !== 'a'), 'c');
  });
});

describe('what can be learned from', () => {
  it('is counted as if counted anew', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom('p', 'q', 'r'), fc.constantFrom('a', 'b', ['a', 'b'], 3, undefined)), { maxLength: 40 }), (steps) => {
        const counts = new LearnableCounts();
        const latest = new Map<string, string | readonly string[] | number | undefined>();
        for (const [id, value] of steps) {
          counts.set(id, value);
          latest.set(id, value);
        }
        const values = [...latest.values()].filter((value) => value !== undefined);
        assert.strictEqual(counts.size, values.length);
        for (const label of ['a', 'b']) assert.strictEqual(counts.of(label), values.filter((value) => value === label || (Array.isArray(value) && value.includes(label))).length);
      }),
    );
  });
});

describe('an insight', () => {
  const labels = newLabels(['bad', 'good|great']);
  const parts: InsightParts = {
    rule: { kind: 'single' },
    labels,
    annotators: ['ann', 'mei'],
    truth: ['bad', 'bad', labels[1]?.id ?? '', 'gone'],
    scores: Float32Array.of(0.75, 0.25, 0.25, 0.75, 0.125, 0.875, 0.5, 0.5),
    curve: [10, 20, 40, 80].map((decisions) => ({ decisions, accuracy: 1 - 2 / decisions, error: 0.005 })),
    decided: { bad: 2 },
    guessed: { bad: 40 },
  };

  it('reports what was decided against what was guessed', () => {
    const insight = makeInsight(parts);
    assert.deepStrictEqual([insight.evaluated, insight.accuracy?.accuracy, insight.confusion], [3, 2 / 3, [[1, 1], [0, 1]]]);
    assert.deepStrictEqual(insight.balance[0], { label: 'bad', decided: 2, guessed: 40 });
    assert.strictEqual(insight.calibration.reduce((sum, { rows }) => sum + rows, 0), 3);
    assert.ok(insight.outlook && insight.outlook.decisions === 50 && insight.outlook.low <= insight.outlook.accuracy && insight.outlook.accuracy <= insight.outlook.high);
  });

  it('is about what thresholds choose', () => {
    const single = makeInsight({ ...parts, rule: { kind: 'single', threshold: 0.8 } });
    assert.deepStrictEqual([single.evaluated, single.confusion], [3, [[2, 0], [0, 1]]]);
    const scores = Float32Array.of(0.75, 0.25, 0.75, 0.25);
    const multi = makeInsight({ ...parts, rule: { kind: 'multi', thresholds: [0.5, 0.2] }, truth: [['bad', labels[1]?.id ?? ''], ['bad']], scores });
    assert.deepStrictEqual([multi.accuracy?.accuracy, multi.perLabel[1]?.precision], [0.5, 0.5]);
  });

  it('knows several labels and numbers', () => {
    const multi = makeInsight({ ...parts, rule: { kind: 'multi' }, truth: [['bad'], []], scores: Float32Array.of(0.75, 0.25, 0.75, 0.25) });
    assert.deepStrictEqual([multi.evaluated, multi.accuracy?.accuracy, multi.perLabel[0]?.precision, multi.perLabel[0]?.recall], [2, 0.5, 0.5, 1]);
    const number = makeInsight({ ...parts, rule: { kind: 'number' }, labels: [], truth: [1, 2, 3], scores: Float32Array.of(1, 2, 4) });
    assert.deepStrictEqual([number.evaluated, number.regression?.mae, number.accuracy], [3, 1 / 3, undefined]);
    assert.strictEqual(makeInsight({ ...parts, truth: [], scores: new Float32Array(0), curve: [] }).evaluated, 0);
  });
});
