import * as assert from 'node:assert';
import * as fc from 'fast-check';
import { HumanError } from '../../../src/core/errors';
import { applyLabelEdit, formatTask, keywordsOf, newLabels, offeredLabels, parseTask, resolveLabel, resolveValue, type TaskDefinition } from '../../../src/core/labels/task';
import type { LabelEdit } from '../../../src/core/labels/view';
import { codeOf } from '../humanErrors';
import { task } from './decisions';

const bytes = (value: unknown): Uint8Array => new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value));
const ids = (of: TaskDefinition): string[] => offeredLabels(of).map(({ id }) => id);

const labelName = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }).filter((name) => name.trim() !== '');
const words = fc.array(fc.string({ minLength: 1, maxLength: 10 }), { maxLength: 3 });
const anyTask: fc.Arbitrary<TaskDefinition> = fc
  .record({
    kind: fc.constantFrom('single', 'multi', 'number'),
    names: fc.array(labelName, { maxLength: 50 }),
    sources: fc.array(
      fc.oneof(
        fc.record({ kind: fc.constant('table' as const), file: fc.constantFrom('a.csv', 'in/b.tsv', '评论.csv'), textColumns: fc.array(fc.string({ maxLength: 9 })) }, { noNullPrototype: true }),
        fc.record({ kind: fc.constant('folder' as const), folder: fc.constantFrom('.', 'texts/new'), unit: fc.constantFrom('document', 'paragraph') }, { noNullPrototype: true }),
      ),
    ),
    range: fc.option(fc.tuple(fc.integer(), fc.integer({ min: 1, max: 100 })), { nil: undefined }),
    keywords: fc.option(words, { nil: undefined }),
  })
  .map(({ kind, names, sources, range, keywords }): TaskDefinition => {
    const labels = kind === 'number' ? [] : newLabels(names);
    return {
      formatVersion: 1,
      name: 'a task',
      kind: kind,
      labels,
      sources: sources,
      ...(range ? { range: { minimum: range[0], maximum: range[0] + range[1] } } : {}),
      ...(keywords ? { keywords: Object.fromEntries(labels.map(({ id }) => [id, keywords])) } : {}),
    };
  });

/** Edits of labels 0..9 by number; names come from a few, so that they meet. */
const anyEdit = (of: TaskDefinition): fc.Arbitrary<LabelEdit> => {
  const label = fc.constantFrom(...of.labels.map(({ id }) => id), 'none');
  const name = fc.constantFrom('good', 'bad', 'new', 'other', ' new ');
  return fc.oneof(
    fc.record({ do: fc.constant('add' as const), name }),
    fc.record({ do: fc.constant('rename' as const), label, name }),
    fc.record({ do: fc.constant('merge' as const), label, into: label }),
    fc.record({ do: fc.constantFrom('archive' as const, 'restore' as const), label }),
    fc.record({ do: fc.constant('recolor' as const), label, color: fc.integer({ min: -1, max: 8 }) }),
    fc.record({ do: fc.constant('rekey' as const), label, key: fc.constantFrom('1', '2', '9', 'a', 'f', 'F', '', undefined) }),
    fc.record({ do: fc.constant('describe' as const), label, description: fc.constantFrom('', 'what people like') }),
    fc.record({ do: fc.constant('move' as const), label, to: fc.integer({ min: -1, max: 6 }) }),
  );
};

/** The task after edits, those that are refused left out. */
function edited(start: TaskDefinition, seeds: readonly number[]): TaskDefinition {
  return seeds.reduce((current, seed) => {
    const edit = fc.sample(anyEdit(current), { seed, numRuns: 1 })[0]!;
    try {
      return applyLabelEdit(current, edit);
    } catch (error) {
      assert.ok(error instanceof HumanError);
      return current;
    }
  }, start);
}

describe('task.json', () => {
  it('says what the task was', () => {
    fc.assert(fc.property(anyTask, (original) => assert.deepStrictEqual(parseTask(formatTask(original), 'task.json'), original)));
    fc.assert(fc.property(fc.array(fc.nat(), { maxLength: 30 }), (seeds) => {
      const original = edited(task, seeds);
      assert.deepStrictEqual(parseTask(formatTask(original), 'task.json'), original);
    }));
  });

  it('has a label a line, for people and git', () => {
    assert.strictEqual(
      new TextDecoder().decode(formatTask(task)),
      '{\n  "formatVersion": 1,\n  "name": "reviews",\n  "kind": "single",\n  "labels": [\n    {"id":"good","name":"good","color":0,"key":"1"},\n    {"id":"bad","name":"bad","color":1,"key":"2"},\n' +
        '    {"id":"mixed","name":"mixed","color":2,"key":"3"}\n  ],\n  "sources": [\n    {"kind":"table","file":"reviews.csv","textColumns":["text"]}\n  ]\n}\n',
    );
  });

  it('is refused with the file’s name and a remedy when it is no such file', () => {
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array(), fc.json().map(bytes), fc.nat(formatTask(task).length - 3).map((cut) => formatTask(task).subarray(0, cut))), (content) => {
        assert.throws(() => parseTask(content, 'task.json'), (error) => error instanceof HumanError && /^task\.json/.test(error.message) && /\. .+\.$/.test(error.message));
      }),
    );
  });

  const whole = JSON.parse(new TextDecoder().decode(formatTask(task))) as Record<string, unknown>;
  const label = { id: 'a', name: 'a', color: 0 };
  for (const [what, change, expected] of [
    ['no version', { formatVersion: undefined }, 'task.version'],
    ['a newer version', { formatVersion: 2 }, 'task.newer'],
    ['another kind', { kind: 'spans' }, 'json.choice'],
    ['a label twice', { labels: [label, label] }, 'json.distinct'],
    ['labels of a number', { kind: 'number' }, 'json.list'],
    ['a key that flags', { labels: [{ ...label, key: 'f' }] }, 'json.pattern'],
    ['a ninth color', { labels: [{ ...label, color: 8 }] }, 'json.integer'],
    ['__proto__ as a label', { labels: [{ ...label, id: '__proto__' }] }, 'json.pattern'],
    ['a source outside', { sources: [{ kind: 'table', file: '../secret.csv', textColumns: [] }] }, 'task.path'],
    ['a source anywhere', { sources: [{ kind: 'folder', folder: '/etc', unit: 'document' }] }, 'task.path'],
    ['a source on another drive', { sources: [{ kind: 'table', file: 'C:/x.csv', textColumns: [] }] }, 'task.path'],
    ['an empty range', { range: { minimum: 1, maximum: 1 } }, 'task.range'],
    ['an endless name', { name: 'x'.repeat(101) }, 'json.text'],
  ] as const)
    it(`is refused with ${what}`, () => assert.strictEqual(codeOf(() => parseTask(bytes({ ...whole, ...change }), 'task.json')), expected));

  it('is put right where a merge by git left two labels one key, a circle, or a label merged into none', () => {
    const labels = [
      { ...label, id: 'a', key: '1', mergedInto: 'b' },
      { ...label, id: 'b', key: '1', mergedInto: 'a' },
      { ...label, id: 'c', mergedInto: 'gone' },
      { ...label, id: 'd', mergedInto: 'a' },
    ];
    const read = parseTask(bytes({ ...whole, labels }), 'task.json');
    assert.deepStrictEqual(read.labels.map(({ key }) => key), ['1', undefined, undefined, undefined]);
    assert.deepStrictEqual(ids(read), ['b', 'c']);
    assert.deepStrictEqual(['a', 'b', 'c', 'd'].map((id) => resolveLabel(read, id).id), ['b', 'b', 'c', 'b']);
  });
});

describe('new labels', () => {
  it('have the name itself as their id where that can be, colors in turn, and keys', () => {
    const labels = newLabels(['positive', '很好', 'Very good!', 'very good', '★★', '-1', '+1', 'positive', ' ', '__proto__'].filter((name) => name.trim() !== ''));
    assert.deepStrictEqual(labels.map(({ id }) => id), ['positive', '很好', 'Very-good', 'very-good', '★★', '-1', '+1', '__proto__-2']);
    assert.deepStrictEqual(labels.map(({ color }) => color), [0, 1, 2, 3, 4, 5, 6, 7]);
    assert.strictEqual(newLabels(Array.from({ length: 40 }, (_, index) => `l${index}`)).map(({ key = '-' }) => key).join(''), '1234567890abcdeghijklmnopqrstuvwxyz-----');
    assert.deepStrictEqual(newLabels(['a/b', 'a b', 'a\tb', '?']).map(({ id }) => id), ['a-b', 'a-b-2', 'label']);
  });

  it('have distinct ids and keys and fit in the file, whatever their names', () => {
    fc.assert(
      fc.property(fc.array(labelName, { maxLength: 60 }), (names) => {
        const labels = newLabels(names);
        assert.strictEqual(new Set(labels.map(({ id }) => id)).size, labels.length);
        const keys = labels.flatMap(({ key }) => key ?? []);
        assert.strictEqual(new Set(keys).size, keys.length);
        assert.deepStrictEqual(newLabels(names), labels);
      }),
    );
  });

  it('are refused without a name, or with an endless one', () => {
    assert.strictEqual(codeOf(() => newLabels(['  '])), 'label.name');
    assert.strictEqual(codeOf(() => newLabels(['x'.repeat(201)])), 'label.name');
  });
});

describe('edits of labels', () => {
  it('never lose a label that decisions may have, keep ids and keys unique, and leave each id with a label', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(), { maxLength: 40 }), (seeds) => {
        let current = task;
        for (const seed of seeds) {
          const next = edited(current, [seed]);
          assert.deepStrictEqual(current.labels.filter(({ id }) => !next.labels.some((label) => label.id === id)), [], 'a label is gone');
          current = next;
          assert.strictEqual(new Set(current.labels.map(({ id }) => id)).size, current.labels.length);
          const keys = current.labels.flatMap(({ key }) => key ?? []);
          assert.strictEqual(new Set(keys).size, keys.length);
          const names = current.labels.filter(({ mergedInto }) => mergedInto === undefined).map(({ name }) => name);
          assert.strictEqual(new Set(names).size, names.length);
          for (const { id } of current.labels) assert.strictEqual(resolveLabel(current, id).mergedInto, undefined);
        }
      }),
    );
  });

  it('merge along chains, and restoring takes a merge back', () => {
    let merged = applyLabelEdit(applyLabelEdit(task, { do: 'merge', label: 'good', into: 'mixed' }), { do: 'merge', label: 'mixed', into: 'bad' });
    assert.deepStrictEqual(ids(merged), ['bad']);
    assert.strictEqual(resolveLabel(merged, 'good').id, 'bad');
    assert.deepStrictEqual(resolveValue({ ...merged, kind: 'multi' }, ['good', 'mixed', 'bad']), ['bad']);
    assert.strictEqual(codeOf(() => applyLabelEdit(merged, { do: 'merge', label: 'bad', into: 'good' })), 'label.self');
    merged = applyLabelEdit(merged, { do: 'restore', label: 'mixed' });
    assert.deepStrictEqual(ids(merged), ['bad', 'mixed']);
    assert.strictEqual(resolveLabel(merged, 'good').id, 'mixed');
    assert.ok(offeredLabels(merged).every(({ key }) => key !== undefined));
  });

  it('refuse a name that another label has, also an archived one', () => {
    assert.strictEqual(codeOf(() => applyLabelEdit(task, { do: 'rename', label: 'good', name: ' bad ' })), 'label.duplicate');
    assert.strictEqual(codeOf(() => applyLabelEdit(task, { do: 'add', name: 'bad' })), 'label.duplicate');
    assert.deepStrictEqual(applyLabelEdit(task, { do: 'rename', label: 'good', name: 'good' }), task);
    const archived = applyLabelEdit(task, { do: 'archive', label: 'bad' });
    assert.strictEqual(codeOf(() => applyLabelEdit(archived, { do: 'add', name: 'bad' })), 'label.archived');
    assert.strictEqual(codeOf(() => applyLabelEdit(archived, { do: 'merge', label: 'good', into: 'bad' })), 'label.archived');
    assert.deepStrictEqual(ids(archived), ['good', 'mixed']);
    assert.strictEqual(resolveLabel(archived, 'bad').name, 'bad');
  });

  it('swap keys', () => {
    const swapped = applyLabelEdit(task, { do: 'rekey', label: 'good', key: '2' });
    assert.deepStrictEqual(swapped.labels.map(({ key }) => key), ['2', '1', '3']);
    assert.deepStrictEqual(applyLabelEdit(swapped, { do: 'rekey', label: 'good', key: undefined }).labels.map(({ key }) => key), [undefined, '1', '3']);
    for (const key of ['f', 'F', '', '12', 'ä']) assert.strictEqual(codeOf(() => applyLabelEdit(task, { do: 'rekey', label: 'good', key })), 'label.key');
  });

  it('move among the labels that are offered', () => {
    const archived = applyLabelEdit(task, { do: 'archive', label: 'good' });
    assert.deepStrictEqual(ids(applyLabelEdit(archived, { do: 'move', label: 'mixed', to: 0 })), ['mixed', 'bad']);
    assert.deepStrictEqual([0, 1, 2, 9].map((to) => ids(applyLabelEdit(task, { do: 'move', label: 'good', to })).join()), ['good,bad,mixed', 'bad,good,mixed', 'bad,mixed,good', 'bad,mixed,good']);
  });

  it('name what is wrong', () => {
    assert.strictEqual(codeOf(() => applyLabelEdit(task, { do: 'archive', label: 'none' })), 'label.unknown');
    assert.strictEqual(codeOf(() => applyLabelEdit(task, { do: 'recolor', label: 'good', color: 1.5 })), 'label.color');
    assert.strictEqual(codeOf(() => applyLabelEdit(task, { do: 'describe', label: 'good', description: 'x'.repeat(2001) })), 'label.description');
    assert.strictEqual(codeOf(() => applyLabelEdit({ ...task, kind: 'number', labels: [] }, { do: 'add', name: 'x' })), 'label.number');
  });

  it('take keywords along', () => {
    const merged = applyLabelEdit({ ...task, keywords: { good: ['great'], mixed: ['so so'] } }, { do: 'merge', label: 'mixed', into: 'good' });
    assert.deepStrictEqual([...keywordsOf(merged)], [['good', ['great', 'so so']]]);
  });
});

describe('labels that the task does not know', () => {
  it('stay visible as labels that are not offered', () => assert.deepStrictEqual(resolveLabel(task, 'stranger'), { id: 'stranger', name: 'stranger', color: 0, archived: true }));
});
