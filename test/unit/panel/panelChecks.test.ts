import * as assert from 'node:assert';
import * as fc from 'fast-check';
import type { ExampleFilter, LabelEdit } from '../../../src/core/labels/view';
import type { PanelDecision, PanelMethods } from '../../../src/core/protocol/panel';
import { isPanelFrame, PanelMessageError } from '../../../src/panel/messageChecks';
import { checkParams } from '../../../src/panel/panelChecks';

const id = '0123456789abcdef0123456789abcdef';

const edits: readonly LabelEdit[] = [
  { do: 'add', name: 'new' },
  { do: 'add', name: 'new', description: 'about it' },
  { do: 'rename', label: 'a', name: 'b' },
  { do: 'merge', label: 'a', into: 'b' },
  { do: 'archive', label: 'a' },
  { do: 'restore', label: 'a' },
  { do: 'recolor', label: 'a', color: 7 },
  { do: 'rekey', label: 'a', key: '1' },
  { do: 'describe', label: 'a', description: '' },
  { do: 'move', label: 'a', to: 0 },
];
const decisions: readonly PanelDecision[] = [
  { targets: { ids: [id] }, status: 'labeled', value: 'positive', origin: 'key' },
  { targets: { ids: [id, id] }, status: 'labeled', value: ['a', 'b'], origin: 'bulk' },
  { targets: { ids: [id] }, status: 'labeled', value: [], origin: 'key' },
  { targets: { ids: [id] }, status: 'labeled', value: -2.5, origin: 'key' },
  { targets: { ids: [id] }, status: 'skipped', origin: 'key' },
  { targets: { filter: { text: '/late|slow/i' }, expected: 40_000 }, status: 'cleared', origin: 'bulk' },
];
const fullFilter: Required<ExampleFilter> = { text: 'late', status: ['open', 'flagged'], label: 'a', guess: 'b', confidence: [0, 0.5], disagreement: true, annotator: 'mei', conflict: false };

/** One or more proper messages of each method. */
const proper: { readonly [M in keyof PanelMethods]: readonly PanelMethods[M]['params'][] } = {
  start: [{}],
  events: [{}],
  next: [{ count: 8, skip: [id] }],
  item: [{ id }],
  neighbour: [
    { id, step: -1 },
    { id, step: 1 },
  ],
  decide: decisions,
  undo: [{}],
  redo: [{}],
  list: [
    { filter: {}, from: 0, count: 100 },
    { filter: fullFilter, from: 99_000, count: 0 },
  ],
  countMatching: [{ filter: { guess: 'b' } }],
  explain: [{ id }],
  setOrder: [{ order: 'suspicious' }],
  editLabel: edits.map((edit) => ({ edit })),
  insight: [{}],
  fineTune: [{}],
  cancelFineTune: [{}],
  versions: [{}],
  restore: [{ version: 'v3' }],
  run: [{ command: 'exportLabeledCsv' }],
  reveal: [{ id }],
  setOption: [{ option: 'blind', value: true }],
};
const methods = Object.keys(proper) as (keyof PanelMethods)[];

describe('what the page may say', () => {
  for (const method of methods)
    it(`${method}: is let through as it is when it is proper, and without what does not belong there`, () => {
      for (const params of proper[method]) {
        assert.deepStrictEqual(checkParams(method, params), params);
        assert.deepStrictEqual(checkParams(method, { ...params, more: 'than asked' }), params);
      }
    });

  it('a key that is taken away comes without it, as JSON has no undefined', () => {
    assert.deepStrictEqual(checkParams('editLabel', { edit: { do: 'rekey', label: 'a' } }), { edit: { do: 'rekey', label: 'a', key: undefined } });
  });

  it('whatever else comes is refused, or is a proper message', () => {
    fc.assert(
      fc.property(fc.constantFrom(...methods), fc.jsonValue(), (method, value) => {
        try {
          const checked = checkParams(method, value);
          assert.deepStrictEqual(checkParams(method, checked), checked);
        } catch (error) {
          assert.ok(error instanceof PanelMessageError, String(error));
        }
      }),
    );
  });

  it('one field that is not as it should be is enough', () => {
    const withFields = methods.filter((method) => Object.keys(proper[method][0] ?? {}).length > 0);
    fc.assert(
      fc.property(fc.constantFrom(...withFields), fc.nat(), fc.nat(), (method, which, field) => {
        const messages: readonly object[] = proper[method];
        const params = messages[which % messages.length]!;
        // the value of a decision may be absent
        const names = Object.keys(params).filter((name) => name !== 'value');
        const name = names[field % names.length]!;
        assert.throws(() => checkParams(method, { ...params, [name]: Symbol('strange') }), PanelMessageError);
        assert.throws(() => checkParams(method, { ...params, [name]: undefined }), PanelMessageError);
      }),
    );
  });

  it('nothing that is too much is asked for', () => {
    const refused: readonly (readonly [keyof PanelMethods, unknown])[] = [
      ['list', { filter: {}, from: 0, count: 100_000 }],
      ['list', { filter: {}, from: -1, count: 10 }],
      ['list', { filter: { confidence: [0, 2] }, from: 0, count: 10 }],
      ['list', { filter: { confidence: [0.5] }, from: 0, count: 10 }],
      ['list', { filter: { text: 'x'.repeat(5000) }, from: 0, count: 10 }],
      ['next', { count: 1000, skip: [] }],
      ['next', { count: 1.5, skip: [] }],
      ['item', { id: '../../etc/passwd' }],
      ['decide', { targets: { ids: [id] }, status: 'labeled', value: Infinity, origin: 'key' }],
      ['decide', { targets: { filter: {} }, status: 'labeled', value: 'a', origin: 'bulk' }],
      ['editLabel', { edit: { do: 'recolor', label: 'a', color: 8 } }],
      ['editLabel', { edit: { do: 'drop', label: 'a' } }],
      ['editLabel', { edit: { do: 'rename', label: 'a', name: '' } }],
      ['run', { command: 'workbench.action.terminal.new' }],
      ['setOption', { option: '__proto__', value: true }],
    ];
    for (const [method, params] of refused) assert.throws(() => checkParams(method, params), PanelMessageError, JSON.stringify(params).slice(0, 100));
  });

  it('only requests and their cancellations are served', () => {
    for (const frame of [{ kind: 'request', id: 1, method: 'start', params: {} }, { kind: 'cancel', id: 1 }]) assert.ok(isPanelFrame(frame));
    const others: readonly unknown[] = [null, 1, 'request', [], {}, { kind: 'request' }, { kind: 'request', id: 'a', method: 'start' }, { kind: 'request', id: 1, method: 7 }, { kind: 'result', id: 1, value: 1 }, { kind: 'hello' }];
    for (const frame of others) assert.ok(!isPanelFrame(frame), JSON.stringify(frame));
  });
});
