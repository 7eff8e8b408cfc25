/** What the page may say. It shows people's texts, so what comes from it is treated as input from outside: every message is checked and bounded before anything is done with it. */
import type { DecisionValue } from '../core/labels/decision';
import type { ExampleFilter, LabelEdit } from '../core/labels/view';
import type { PanelDecision, PanelMethods } from '../core/protocol/panel';
import { bool, fail, integer, list, nothing, object, oneOf, own, plain, share, text, type Check } from './messageChecks';

/** Examples that one message may name. */
const MOST_IDS = 200_000;
/** Rows of a list, and items, that one message may ask for. */
const MOST_ROWS = 500;
const MOST_ITEMS = 50;
const MOST_LABELS = 1000;
const LONGEST_NAME = 200;
const LONGEST_DESCRIPTION = 2000;
const LONGEST_SEARCH = 1000;

/** The parameters of `method`, as new objects that hold nothing but what belongs there. @throws PanelMessageError */
export function checkParams<M extends keyof PanelMethods>(method: M, params: unknown): PanelMethods[M]['params'] {
  return methods[method](params, method);
}

const exampleIdOf: Check<string> = (value, path) => (typeof value === 'string' && /^[0-9a-f]{32}$/.test(value) ? value : fail(path, 'the id of an example'));
const labelId = text(LONGEST_NAME, 1);

const decisionValue: Check<DecisionValue> = (value, path) => {
  if (typeof value === 'number') return Number.isFinite(value) ? value : fail(path, 'a finite number');
  return Array.isArray(value) ? list(labelId, MOST_LABELS)(value, path) : labelId(value, path);
};

const interval: Check<readonly [number, number]> = (value, path) => {
  const ends = list(share, 2)(value, path);
  const [from, to] = ends;
  return from !== undefined && to !== undefined ? [from, to] : fail(path, 'a beginning and an end');
};

const filter = object<ExampleFilter>(
  {},
  {
    text: text(LONGEST_SEARCH),
    status: list(oneOf('open', 'labeled', 'skipped', 'flagged'), 4),
    label: labelId,
    guess: labelId,
    confidence: interval,
    disagreement: bool,
    annotator: text(LONGEST_NAME),
    conflict: bool,
  },
);

const targets: Check<PanelDecision['targets']> = (value, path) =>
  own(plain(value, path), 'ids') === undefined
    ? object<{ readonly filter: ExampleFilter; readonly expected: number }>({ filter, expected: integer(0, Number.MAX_SAFE_INTEGER) }, {})(value, path)
    : object<{ readonly ids: readonly string[] }>({ ids: list(exampleIdOf, MOST_IDS) }, {})(value, path);

const decision = object<PanelDecision>({ targets, status: oneOf('labeled', 'skipped', 'flagged', 'cleared'), origin: oneOf('key', 'accept', 'bulk', 'import', 'editor') }, { value: decisionValue });

type EditOf<K extends LabelEdit['do']> = Extract<LabelEdit, { readonly do: K }>;
const name = text(LONGEST_NAME, 1);
const description = text(LONGEST_DESCRIPTION);

const labelEdit: Check<LabelEdit> = (value, path) => {
  const kind = oneOf('add', 'rename', 'merge', 'archive', 'restore', 'recolor', 'rekey', 'describe', 'move')(own(plain(value, path), 'do'), `${path}.do`);
  switch (kind) {
    case 'add':
      return object<EditOf<'add'>>({ do: oneOf(kind), name }, { description })(value, path);
    case 'rename':
      return object<EditOf<'rename'>>({ do: oneOf(kind), label: labelId, name }, {})(value, path);
    case 'merge':
      return object<EditOf<'merge'>>({ do: oneOf(kind), label: labelId, into: labelId }, {})(value, path);
    case 'archive':
    case 'restore':
      return object<EditOf<'archive' | 'restore'>>({ do: oneOf(kind), label: labelId }, {})(value, path);
    case 'recolor':
      return object<EditOf<'recolor'>>({ do: oneOf(kind), label: labelId, color: integer(0, 7) }, {})(value, path);
    case 'rekey': {
      // a key that is taken away does not survive JSON
      const { label } = object<{ readonly label: string }>({ label: labelId }, {})(value, path);
      const key = own(plain(value, path), 'key');
      return { do: kind, label, key: key === undefined || key === null ? undefined : text(1, 1)(key, `${path}.key`) };
    }
    case 'describe':
      return object<EditOf<'describe'>>({ do: oneOf(kind), label: labelId, description }, {})(value, path);
    case 'move':
      return object<EditOf<'move'>>({ do: oneOf(kind), label: labelId, to: integer(0, MOST_LABELS) }, {})(value, path);
  }
};

const byId = object<{ readonly id: string }>({ id: exampleIdOf }, {});

const methods: { readonly [M in keyof PanelMethods]: Check<PanelMethods[M]['params']> } = {
  start: nothing,
  events: nothing,
  next: object<PanelMethods['next']['params']>({ count: integer(1, MOST_ITEMS), skip: list(exampleIdOf, MOST_ROWS) }, {}),
  item: byId,
  neighbour: object<PanelMethods['neighbour']['params']>({ id: exampleIdOf, step: oneOf(-1, 1) }, {}),
  decide: decision,
  undo: nothing,
  redo: nothing,
  list: object<PanelMethods['list']['params']>({ filter, from: integer(0, Number.MAX_SAFE_INTEGER), count: integer(0, MOST_ROWS) }, {}),
  countMatching: object<PanelMethods['countMatching']['params']>({ filter }, {}),
  explain: byId,
  setOrder: object<PanelMethods['setOrder']['params']>({ order: oneOf('useful', 'file', 'shuffle', 'confident', 'suspicious') }, {}),
  editLabel: object<PanelMethods['editLabel']['params']>({ edit: labelEdit }, {}),
  insight: nothing,
  fineTune: nothing,
  cancelFineTune: nothing,
  versions: nothing,
  restore: object<PanelMethods['restore']['params']>({ version: text(LONGEST_NAME, 1) }, {}),
  run: object<PanelMethods['run']['params']>({ command: oneOf('createTask', 'openTask', 'exportLabeledCsv', 'importLabels', 'exportModel', 'exportReport', 'selectAnnotator') }, {}),
  reveal: byId,
  setOption: object<PanelMethods['setOption']['params']>({ option: oneOf('blind', 'explain'), value: bool }, {}),
};
