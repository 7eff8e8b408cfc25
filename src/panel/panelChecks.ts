/** What the page may say. It shows people's texts, so what comes from it is treated as input from outside: every message is checked and bounded before anything is done with it. */
import type { DecisionValue } from '../core/labels/decision';
import type { ExampleFilter, LabelEdit } from '../core/labels/view';
import type { PanelDecision, PanelMethods } from '../core/protocol/panel';

/** A message that the page of this version never sends: a defect of ours, or somebody else's doing. */
export class PanelMessageError extends Error {
  override readonly name = 'PanelMessageError';
}

/** A value if it is what is expected at `path`. @throws PanelMessageError */
type Check<T> = (value: unknown, path: string) => T;

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

/** Whether a message is a request or its cancellation, and so may be handed to `serve`. */
export function isPanelFrame(message: unknown): boolean {
  if (typeof message !== 'object' || message === null || !('kind' in message) || !('id' in message) || !Number.isSafeInteger(message.id)) return false;
  return message.kind === 'cancel' || (message.kind === 'request' && 'method' in message && typeof message.method === 'string');
}

const bool: Check<boolean> = (value, path) => (typeof value === 'boolean' ? value : fail(path, 'true or false'));

/** @param shortest UTF-16 units, as `longest` */
function text(longest: number, shortest = 0): Check<string> {
  return (value, path) => (typeof value === 'string' && value.length >= shortest && value.length <= longest ? value : fail(path, `a text of ${shortest} to ${longest} characters`));
}

function integer(minimum: number, maximum: number): Check<number> {
  return (value, path) => (typeof value === 'number' && Number.isInteger(value) && value >= minimum && value <= maximum ? value : fail(path, `a whole number from ${minimum} to ${maximum}`));
}

const share: Check<number> = (value, path) => (typeof value === 'number' && value >= 0 && value <= 1 ? value : fail(path, 'a number from 0 to 1'));

function oneOf<const T extends string | number>(...choices: readonly T[]): Check<T> {
  return (value, path) => choices.find((choice) => choice === value) ?? fail(path, `one of ${choices.join(', ')}`);
}

function list<T>(check: Check<T>, most: number): Check<readonly T[]> {
  return (value, path) => (Array.isArray(value) && value.length <= most ? value.map((entry: unknown, index) => check(entry, `${path}[${index}]`)) : fail(path, `a list of ${most} at most`));
}

/** The checks of an object's fields; those of `optional` may be absent. */
function object<T extends object>(required: { readonly [K in RequiredKeys<T>]: Check<T[K]> }, optional: { readonly [K in OptionalKeys<T>]: Check<Exclude<T[K], undefined>> }): Check<T> {
  return (value, path) => {
    const fields = plain(value, path);
    const result: Record<string, unknown> = {};
    for (const [name, check] of Object.entries<Check<unknown>>(required)) result[name] = check(own(fields, name), `${path}.${name}`);
    for (const [name, check] of Object.entries<Check<unknown>>(optional)) {
      const field = own(fields, name);
      if (field !== undefined) result[name] = check(field, `${path}.${name}`);
    }
    return result as T;
  };
}

type OptionalKeys<T> = { [K in keyof T]-?: object extends Pick<T, K> ? K : never }[keyof T];
type RequiredKeys<T> = Exclude<keyof T, OptionalKeys<T>>;

function plain(value: unknown, path: string): object {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : fail(path, 'an object');
}

function own(value: object, name: string): unknown {
  return Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined;
}

function fail(path: string, expected: string): never {
  throw new PanelMessageError(`${path} should be ${expected}`);
}

const exampleIdOf: Check<string> = (value, path) => (typeof value === 'string' && /^[0-9a-f]{32}$/.test(value) ? value : fail(path, 'the id of an example'));
const labelId = text(LONGEST_NAME, 1);
const nothing = object<Record<string, never>>({}, {});

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
