import { HumanError } from '../errors';
import { JsonObject } from '../model/jsonChecks';
import { taskKinds, type TaskKind } from '../model/onnxWriter';
import type { DecisionValue } from './decision';
import type { LabelEdit } from './view';

/** Version of task.json that this code writes, and the newest that it reads. */
export const taskFormatVersion = 1;

/** One answer of a task. */
export interface Label {
  /** What the journal, models and exports say; never changes, whatever becomes of the label. */
  readonly id: string;
  readonly name: string;
  /** Index of its colour and shape, 0..7. */
  readonly color: number;
  /** The key that decides for it: one of `1`…`9`, `0` or a lower-case letter that has no other use; absent for labels beyond those, which are found by search. */
  readonly key?: string;
  readonly description?: string;
  /** Not offered any more. What was decided for it stays. */
  readonly archived?: boolean;
  /** Id of the label that it was merged into: decisions for this one count as decisions for that one. */
  readonly mergedInto?: string;
}

/** Where the texts of a task come from: the rows of a table (or the lines of a .txt or .log), or the text files of a folder. Paths are relative to the workspace folder, with `/`. */
export type TaskSource =
  | {
      readonly kind: 'table';
      readonly file: string;
      /** Names of the columns whose values make the text, joined with a blank line. */
      readonly textColumns: readonly string[];
    }
  | {
      readonly kind: 'folder';
      readonly folder: string;
      /** What is one text: a whole file, or each paragraph of it. */
      readonly unit: 'document' | 'paragraph';
    };

/** task.json: a question put to texts. */
export interface TaskDefinition {
  readonly formatVersion: number;
  /** Name of the task and of its folder under `.label-lens/`. */
  readonly name: string;
  readonly kind: TaskKind;
  /** In the order in which they are shown. None for `number`. */
  readonly labels: readonly Label[];
  readonly sources: readonly TaskSource[];
  /** For `number`: the range that values are expected in. */
  readonly range?: { readonly minimum: number; readonly maximum: number };
  /** Words that tell a rare label, by the label's id: texts with them are offered early. */
  readonly keywords?: Readonly<Record<string, readonly string[]>>;
}

/** Upper bounds of what a task.json may say. Lengths are in UTF-16 units. */
export const taskLimits = {
  /** Bytes of the file. */
  bytes: 10_000_000,
  nameLength: 100,
  labels: 10_000,
  labelLength: 1_000,
  labelNameLength: 200,
  descriptionLength: 2_000,
  sources: 1_000,
  pathLength: 4_096,
  columns: 100,
  columnLength: 1_000,
  keywords: 1_000,
  keywordLength: 200,
} as const;

/** Number of colours and shapes that labels are told apart by. */
const COLORS = 8;
/** Keys in the order in which labels get them. `f` flags. */
const KEYS = '1234567890abcdeghijklmnopqrstuvwxyz';

/**
 * Reads a task.json, which may come from anywhere. Fields that this version does not know are left out. What a merge by git can bring about and people would not see is put right:
 * of two labels with the same key the second loses it, and a merge in a circle or into nothing is undone.
 *
 * @param where the file's name for messages
 * @throws HumanError `json.…` (see {@link JsonObject}; they name the field), `task.version`, `task.newer`, `task.path`, `task.range`
 */
export function parseTask(bytes: Uint8Array, where: string): TaskDefinition {
  const file = JsonObject.parse(bytes, where, taskLimits.bytes);
  if (!file.has('formatVersion')) throw new HumanError('task.version', '{0} does not say its format version, so it is no task of Label Lens. Get the file again from where it came from, or create the task anew.', [where]);
  const version = file.integer('formatVersion', 1, 1_000_000);
  if (version > taskFormatVersion)
    throw new HumanError('task.newer', '{0} was written by a newer Label Lens: its format is {1}, and this version reads up to {2}. Update Label Lens.', [where, version, taskFormatVersion]);
  const kind = file.oneOf('kind', taskKinds);
  const labels = file.objects('labels', 0, kind === 'number' ? 0 : taskLimits.labels).map(labelOf);
  file.distinct('labels', labels.map(({ id }) => id));
  return {
    formatVersion: version,
    name: file.text('name', taskLimits.nameLength),
    kind,
    labels: withoutCircles(withDistinctKeys(labels)),
    sources: file.objects('sources', 0, taskLimits.sources).map((source) => sourceOf(source, where)),
    ...(file.has('range') ? { range: rangeOf(file.object('range'), where) } : {}),
    ...(file.has('keywords') ? { keywords: keywordListsOf(file.object('keywords'), labels) } : {}),
  };
}

/** The file's bytes: a label and a source a line, so that people can read them and git can merge them. */
export function formatTask(task: TaskDefinition): Uint8Array {
  const lines = (entries: readonly string[]): string => (entries.length === 0 ? '' : `\n${entries.map((entry) => `    ${entry}`).join(',\n')}\n  `);
  const keywords = task.keywords && Object.entries(task.keywords).map(([id, words]) => `${JSON.stringify(id)}: ${JSON.stringify(words)}`);
  const fields = [
    `"formatVersion": ${task.formatVersion}`,
    `"name": ${JSON.stringify(task.name)}`,
    `"kind": ${JSON.stringify(task.kind)}`,
    `"labels": [${lines(task.labels.map(({ id, name, color, key, description, archived, mergedInto }) => JSON.stringify({ id, name, color, key, description, archived, mergedInto })))}]`,
    `"sources": [${lines(task.sources.map((source) => JSON.stringify(source.kind === 'table' ? { kind: source.kind, file: source.file, textColumns: source.textColumns } : { kind: source.kind, folder: source.folder, unit: source.unit })))}]`,
    ...(task.range ? [`"range": ${JSON.stringify({ minimum: task.range.minimum, maximum: task.range.maximum })}`] : []),
    ...(keywords ? [`"keywords": {${lines(keywords)}}`] : []),
  ];
  return new TextEncoder().encode(`{\n${fields.map((field) => `  ${field}`).join(',\n')}\n}\n`);
}

function labelOf(label: JsonObject): Label {
  const key = label.has('key') ? label.pattern('key', 1, /^[0-9a-eg-z]$/, '1') : undefined;
  const description = label.optionalText('description', taskLimits.descriptionLength);
  const mergedInto = label.optionalText('mergedInto', taskLimits.labelLength);
  return {
    // records by label are plain objects
    id: label.pattern('id', taskLimits.labelLength, /^(?!__proto__$)/, 'positive'),
    name: label.text('name', taskLimits.labelNameLength),
    color: label.integer('color', 0, COLORS - 1),
    ...(key === undefined ? {} : { key }),
    ...(description === undefined ? {} : { description }),
    ...(label.has('archived') && label.boolean('archived') ? { archived: true } : {}),
    ...(mergedInto === undefined ? {} : { mergedInto }),
  };
}

function withDistinctKeys(labels: readonly Label[]): Label[] {
  const taken = new Set<string>();
  return labels.map((label) => {
    if (label.key === undefined || !taken.has(label.key)) {
      if (label.key !== undefined) taken.add(label.key);
      return label;
    }
    return without(label, 'key');
  });
}

/** Each chain of merges ends at a label that is not merged. */
function withoutCircles(labels: readonly Label[]): Label[] {
  const byId = new Map(labels.map((label) => [label.id, label]));
  for (const start of labels) {
    const passed = new Set<string>();
    let label = byId.get(start.id) ?? start;
    while (label.mergedInto !== undefined) {
      passed.add(label.id);
      const next = byId.get(label.mergedInto);
      if (next === undefined || passed.has(next.id)) {
        const freed = without(label, 'mergedInto');
        byId.set(label.id, freed);
        break;
      }
      label = next;
    }
  }
  return [...byId.values()];
}

function sourceOf(source: JsonObject, where: string): TaskSource {
  const path = (name: string): string => {
    const value = source.text(name, taskLimits.pathLength);
    if (/^(?:\/|[A-Za-z]:)|\\|\0/.test(value) || value.split('/').includes('..'))
      throw new HumanError('task.path', '{0} names {1} as a source, which is outside the folder of the task. Sources are paths within that folder, with /; correct the file.', [where, value]);
    return value;
  };
  return source.oneOf('kind', ['table', 'folder']) === 'table'
    ? { kind: 'table', file: path('file'), textColumns: source.strings('textColumns', 0, taskLimits.columns, taskLimits.columnLength) }
    : { kind: 'folder', folder: path('folder'), unit: source.oneOf('unit', ['document', 'paragraph']) };
}

function rangeOf(range: JsonObject, where: string): { readonly minimum: number; readonly maximum: number } {
  const [minimum, maximum] = [range.number('minimum', -Number.MAX_VALUE, Number.MAX_VALUE), range.number('maximum', -Number.MAX_VALUE, Number.MAX_VALUE)];
  if (minimum >= maximum) throw new HumanError('task.range', '{0}: the range from {1} to {2} has no values in it. Correct the file.', [where, minimum, maximum]);
  return { minimum, maximum };
}

function keywordListsOf(keywords: JsonObject, labels: readonly Label[]): Readonly<Record<string, readonly string[]>> {
  return Object.fromEntries(labels.filter(({ id }) => keywords.has(id)).map(({ id }) => [id, keywords.texts(id, 0, taskLimits.keywords, taskLimits.keywordLength)]));
}

/**
 * Labels of a new task, in the order of their names; a name that comes twice is one label.
 *
 * @throws HumanError `label.name` when a name is empty or too long
 */
export function newLabels(names: readonly string[]): Label[] {
  const labels: Label[] = [];
  for (const name of new Set(names.map(cleanName))) labels.push(newLabel(name, labels));
  return labels;
}

function newLabel(name: string, others: readonly Label[], description?: string): Label {
  const key = freeKey(others);
  return { id: newId(name, others), name, color: freeColor(others), ...(key === undefined ? {} : { key }), ...(description === undefined || description === '' ? {} : { description }) };
}

/** The name as far as an id can hold it: `positive`, `很好`, `very-good`. Characters that columns, files and shells set store by become `-`. */
function newId(name: string, others: readonly Label[]): string {
  const plain = Array.from(name.replace(/[^\p{L}\p{M}\p{N}\p{So}\u200d_.+-]+/gu, ' ').trim().replaceAll(' ', '-')).slice(0, 60).join('') || 'label';
  const taken = new Set(['__proto__', ...others.map(({ id }) => id)]);
  let id = plain;
  for (let number = 2; taken.has(id); number++) id = `${plain}-${number}`;
  return id;
}

/** The colour that the fewest labels have, the first of several. */
function freeColor(labels: readonly Label[]): number {
  const uses = new Array<number>(COLORS).fill(0);
  for (const { color, mergedInto } of labels) if (mergedInto === undefined) uses[color] = (uses[color] ?? 0) + 1;
  return uses.indexOf(Math.min(...uses));
}

function freeKey(labels: readonly Label[]): string | undefined {
  const taken = new Set(labels.map(({ key }) => key));
  return [...KEYS].find((key) => !taken.has(key));
}

function cleanName(name: string): string {
  const clean = name.normalize('NFC').trim().replace(/\s+/g, ' ');
  if (clean === '' || clean.length > taskLimits.labelNameLength)
    throw new HumanError('label.name', 'The name of a label has 1 to {0} characters, and this one has {1}. Choose another name.', [taskLimits.labelNameLength, clean.length]);
  return clean;
}

/** Labels to choose from: neither archived nor merged. */
export function offeredLabels(task: TaskDefinition): Label[] {
  return task.labels.filter((label) => label.archived !== true && label.mergedInto === undefined);
}

/** Labels by the ids that decisions may have for them; made once for each list of labels. */
const resolved = new WeakMap<readonly Label[], ReadonlyMap<string, Label>>();

/** The label that decisions for `id` count for, after merges. An id that the task does not know is a label of its own that is not offered: what was decided stays visible. */
export function resolveLabel(task: TaskDefinition, id: string): Label {
  let labels = resolved.get(task.labels);
  if (labels === undefined) {
    labels = resolutionOf(task.labels);
    resolved.set(task.labels, labels);
  }
  return labels.get(id) ?? { id, name: id, color: 0, archived: true };
}

function resolutionOf(labels: readonly Label[]): ReadonlyMap<string, Label> {
  const sound = withoutCircles(labels);
  const byId = new Map(sound.map((label) => [label.id, label]));
  const ends = new Map<string, Label>();
  for (const start of sound) {
    let label = start;
    while (label.mergedInto !== undefined) label = byId.get(label.mergedInto) ?? without(label, 'mergedInto');
    ends.set(start.id, label);
  }
  return ends;
}

/** What a decision says today, after merges: several labels that became one count once. */
export function resolveValue(task: TaskDefinition, value: DecisionValue): DecisionValue {
  if (typeof value === 'number') return value;
  if (typeof value === 'string') return resolveLabel(task, value).id;
  return [...new Set(value.map((id) => resolveLabel(task, id).id))];
}

/** Words that tell the labels that are offered, those of labels that were merged into them included. */
export function keywordsOf(task: TaskDefinition): ReadonlyMap<string, readonly string[]> {
  const words = new Map<string, string[]>();
  for (const [id, list] of Object.entries(task.keywords ?? {})) {
    const label = resolveLabel(task, id);
    if (label.archived !== true) words.set(label.id, [...(words.get(label.id) ?? []), ...list]);
  }
  return words;
}

/**
 * The task after an edit of its labels. No label is ever taken out: decisions for it keep their meaning, and all edits can be taken back by others.
 *
 * @throws HumanError `label.unknown`, `label.name`, `label.duplicate`, `label.archived`, `label.self`, `label.key`, `label.color`, `label.description`, `label.number`, `label.many`
 */
export function applyLabelEdit(task: TaskDefinition, edit: LabelEdit): TaskDefinition {
  if (task.kind === 'number') throw new HumanError('label.number', 'The task {0} asks for a number, so it has no labels. Create a task of another kind.', [task.name]);
  return { ...task, labels: edited(task, edit) };
}

function edited(task: TaskDefinition, edit: LabelEdit): readonly Label[] {
  const { labels } = task;
  if (edit.do === 'add') {
    if (labels.length >= taskLimits.labels) throw new HumanError('label.many', 'A task can have up to {0} labels. Merge some, or create another task.', [taskLimits.labels]);
    return [...labels, newLabel(uniqueName(edit.name, labels), labels, checkedDescription(edit.description))];
  }
  const label = labels.find(({ id }) => id === edit.label);
  if (label === undefined) throw new HumanError('label.unknown', 'The task {0} has no label "{1}" any more. Choose one of its labels.', [task.name, edit.label]);
  const replaced = (next: Label): Label[] => labels.map((each) => (each === label ? next : each));
  switch (edit.do) {
    case 'rename':
      return replaced({ ...label, name: uniqueName(edit.name, labels, label) });
    case 'merge':
      return replaced({ ...without(label, 'key'), mergedInto: mergeTarget(task, label, edit.into).id });
    case 'archive':
      return replaced({ ...without(label, 'key'), archived: true });
    case 'restore':
      return replaced(restored(label, labels));
    case 'recolor':
      if (!Number.isInteger(edit.color) || edit.color < 0 || edit.color >= COLORS) throw new HumanError('label.color', 'There are {0} colors, numbered from 0. Choose one of them.', [COLORS]);
      return replaced({ ...label, color: edit.color });
    case 'rekey':
      return rekeyed(labels, label, edit.key);
    case 'describe': {
      const description = checkedDescription(edit.description);
      return replaced(description === undefined || description === '' ? without(label, 'description') : { ...label, description });
    }
    case 'move':
      return moved(task, label, edit.to);
  }
}

function checkedDescription(description: string | undefined): string | undefined {
  if (description !== undefined && description.length > taskLimits.descriptionLength)
    throw new HumanError('label.description', 'The description of a label has up to {0} characters, and this one has {1}. Shorten it.', [taskLimits.descriptionLength, description.length]);
  return description;
}

/** @param own the label that is to have the name */
function uniqueName(name: string, labels: readonly Label[], own?: Label): string {
  const clean = cleanName(name);
  const other = labels.find((label) => label !== own && label.name === clean && label.mergedInto === undefined);
  if (other?.archived === true) throw new HumanError('label.archived', 'There is an archived label "{0}". Restore it, or choose another name.', [clean]);
  if (other !== undefined) throw new HumanError('label.duplicate', 'There is a label "{0}" already. Choose another name, or merge the two.', [clean]);
  return clean;
}

function mergeTarget(task: TaskDefinition, label: Label, into: string): Label {
  const target = resolveLabel(task, into);
  if (!task.labels.some(({ id }) => id === into)) throw new HumanError('label.unknown', 'The task {0} has no label "{1}" any more. Choose one of its labels.', [task.name, into]);
  if (target.id === label.id) throw new HumanError('label.self', 'The label "{0}" cannot be merged into itself. Choose another one.', [label.name]);
  if (target.archived === true) throw new HumanError('label.archived', 'There is an archived label "{0}". Restore it, or choose another name.', [target.name]);
  return target;
}

function restored(label: Label, labels: readonly Label[]): Label {
  if (label.archived !== true && label.mergedInto === undefined) return label;
  const key = freeKey(labels);
  return { ...without(without(label, 'archived'), 'mergedInto'), name: uniqueName(label.name, labels, label), ...(key === undefined ? {} : { key }) };
}

/** The label that had the key gets the old one in its place. */
function rekeyed(labels: readonly Label[], label: Label, key: string | undefined): Label[] {
  if (key !== undefined && (key.length !== 1 || !KEYS.includes(key)))
    throw new HumanError('label.key', 'The key "{0}" cannot decide for a label. Choose a digit, or a small letter other than f.', [key.slice(0, 20)]);
  const withKey = (each: Label, next: string | undefined): Label => (next === undefined ? without(each, 'key') : { ...each, key: next });
  return labels.map((each) => (each === label ? withKey(each, key) : key !== undefined && each.key === key ? withKey(each, label.key) : each));
}

/** @param to place among the labels that are offered */
function moved(task: TaskDefinition, label: Label, to: number): Label[] {
  const others = task.labels.filter((each) => each !== label);
  const offered = offeredLabels(task).filter((each) => each !== label);
  const before = offered[Math.max(0, Math.trunc(to))];
  others.splice(before === undefined ? others.length : others.indexOf(before), 0, label);
  return others;
}

function without<T extends object, K extends keyof T>(object: T, field: K): Omit<T, K> {
  const copy = { ...object };
  delete copy[field];
  return copy;
}
