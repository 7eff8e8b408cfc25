import { HumanError } from '../errors';
import { JsonObject } from '../model/jsonChecks';
import type { TaskKind } from '../model/onnxWriter';

/** What an annotator answered: a label's id (`single`), ids (`multi`, perhaps none), or a number (`number`). */
export type DecisionValue = string | readonly string[] | number;

export type DecisionStatus = 'labeled' | 'skipped' | 'flagged' | 'cleared';

/** How a decision came about. */
export type DecisionOrigin = 'key' | 'accept' | 'bulk' | 'import' | 'editor';

/** Where a text was when it was decided on: a row of a table (1-based), or UTF-16 offsets in a text file. Paths are relative to the workspace folder, with `/`. */
export interface DecisionSource {
  readonly file: string;
  readonly row?: number;
  readonly start?: number;
  readonly end?: number;
}

/** What the model held to be right at the time. */
export interface DecisionPrediction {
  readonly label: DecisionValue;
  /** Probability in 0..1 of that label. */
  readonly score: number;
  /** Version of the model, such as `v3`. */
  readonly model: string;
}

/** One line of the journal. */
export interface Decision {
  /** When it was written: ISO 8601 in UTC, with milliseconds. Later than all that its annotator wrote before. */
  readonly at: string;
  /** `exampleId` of the text. */
  readonly example: string;
  readonly source?: DecisionSource;
  /** The first 80 characters of the text, for people who read the journal. */
  readonly text: string;
  readonly status: DecisionStatus;
  /** Present if `labeled`; a flag may carry the label there was. */
  readonly label?: DecisionValue;
  readonly annotator: string;
  readonly origin: DecisionOrigin;
  /**
   * When it was decided, of one that was imported from a file that says so; never later than `at`. This is the time that people see, and by which the words of several annotators are compared ({@link decidedAt});
   * the order of one annotator's own decisions, and so undo, goes by `at`.
   */
  readonly decidedAt?: string;
  readonly prediction?: DecisionPrediction;
  /**
   * Groups lines that are undone together (a bulk decision), and says what an undo or redo takes back: `undo` and `redo` name the group that they undo or redo.
   * A line without any of them is a group of its own, known by `at`.
   */
  readonly group?: string;
  readonly undo?: string;
  readonly redo?: string;
}

export const decisionStatuses: readonly DecisionStatus[] = ['labeled', 'skipped', 'flagged', 'cleared'];
export const decisionOrigins: readonly DecisionOrigin[] = ['key', 'accept', 'bulk', 'import', 'editor'];

/** Upper bounds of what a line of the journal may say. Lengths are in UTF-16 units. */
export const decisionLimits = {
  line: 1_000_000,
  /** Of a label's id. */
  labelLength: 1_000,
  labels: 10_000,
  annotatorLength: 200,
  fileLength: 4_096,
  textLength: 1_000,
  modelLength: 400,
  groupLength: 100,
} as const;

/** Characters of a text that the journal keeps for its readers. */
const EXCERPT = 80;

/** What a line of a journal holds: a decision, or something that is none, and why. */
export type JournalLine = { readonly kind: 'decision'; readonly decision: Decision } | { readonly kind: 'foreign'; readonly reason: HumanError };

/** What the journal says of a text for people who read it: its first 80 characters. */
export function excerptOf(text: string): string {
  // characters of two units stay whole
  return Array.from(text.slice(0, 2 * EXCERPT)).slice(0, EXCERPT).join('');
}

/** The decision as one line, without a line feed; fields in the order of the design, so that diffs are small. */
export function formatDecision(decision: Decision): string {
  const { at, example, source, text, status, label, annotator, origin, decidedAt: time, prediction, group, undo, redo } = decision;
  // what is undefined is left out
  return JSON.stringify({
    at,
    example,
    source: source && { file: source.file, row: source.row, start: source.start, end: source.end },
    text,
    status,
    label,
    annotator,
    origin,
    decidedAt: time,
    prediction: prediction && { label: prediction.label, score: prediction.score, model: prediction.model },
    group,
    undo,
    redo,
  });
}

/**
 * Reads a line of a journal, which may come from anywhere. Fields that this version does not know are left out of the result.
 *
 * @param where file and number of the line for messages, such as `mei.jsonl:12`
 * @param kind of the task: a value of another kind makes the line a foreign one
 */
export function parseDecision(line: string, where: string, kind?: TaskKind): JournalLine {
  try {
    return { kind: 'decision', decision: decisionOf(JsonObject.parseLine(line, where, decisionLimits.line), where, kind) };
  } catch (error) {
    if (error instanceof HumanError) return { kind: 'foreign', reason: error };
    throw error;
  }
}

function decisionOf(line: JsonObject, where: string, kind: TaskKind | undefined): Decision {
  const status = line.oneOf('status', decisionStatuses);
  const label = line.has('label') ? valueOf(line, 'label') : undefined;
  if (status === 'labeled' ? label === undefined : status !== 'flagged' && label !== undefined)
    throw new HumanError('decision.label', '{0}: a text that is labeled has a label, one that is skipped or cleared has none, and here it is the other way round. Correct the line, or take it out.', [where]);
  if (kind !== undefined && label !== undefined && kindOf(label) !== kind)
    throw new HumanError('decision.kind', '{0}: the label is not of the kind that the task asks for ({1}). Correct the line, or move it to the task that it belongs to.', [where, kind]);
  const at = timeOf(line, 'at', where);
  const time = line.has('decidedAt') ? timeOf(line, 'decidedAt', where) : undefined;
  if (time !== undefined && time > at)
    throw new HumanError('decision.decidedAt', '{0}: what was written at {1} cannot have been decided later, at {2}. Correct the line, or take it out.', [where, at, time]);
  return {
    at,
    example: line.pattern('example', 32, /^[0-9a-f]{32}$/, 'e3b0c44298fc1c149afbf4c8996fb924'),
    ...(line.has('source') ? { source: sourceOf(line.object('source')) } : {}),
    text: line.string('text', decisionLimits.textLength),
    status,
    ...(label === undefined ? {} : { label }),
    annotator: line.text('annotator', decisionLimits.annotatorLength),
    origin: line.oneOf('origin', decisionOrigins),
    ...(time === undefined ? {} : { decidedAt: time }),
    ...(line.has('prediction') ? { prediction: predictionOf(line.object('prediction')) } : {}),
    ...optionalText(line, 'group'),
    ...optionalText(line, 'undo'),
    ...optionalText(line, 'redo'),
  };
}

function optionalText<N extends 'group' | 'undo' | 'redo'>(line: JsonObject, name: N): { readonly [name in N]?: string } {
  const text = line.optionalText(name, decisionLimits.groupLength);
  return text === undefined ? {} : ({ [name]: text } as { readonly [name in N]: string });
}

function timeOf(line: JsonObject, name: 'at' | 'decidedAt', where: string): string {
  const at = line.pattern(name, 24, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/, '2026-11-20T20:00:00.000Z');
  // other than 31 February, and with room behind it for later decisions of the same clock
  if (Number.isNaN(Date.parse(at)) || new Date(at).toISOString() !== at || at >= '9999')
    throw new HumanError('decision.time', '{0}: {1} is no point in time. Correct the line, or take it out.', [where, at]);
  return at;
}

function sourceOf(source: JsonObject): DecisionSource {
  const number = (name: 'row' | 'start' | 'end', least: number): object => (source.has(name) ? { [name]: source.integer(name, least, Number.MAX_SAFE_INTEGER) } : {});
  return { file: source.text('file', decisionLimits.fileLength), ...number('row', 1), ...number('start', 0), ...number('end', 0) };
}

function predictionOf(prediction: JsonObject): DecisionPrediction {
  return { label: valueOf(prediction, 'label'), score: prediction.number('score', 0, 1), model: prediction.text('model', decisionLimits.modelLength) };
}

function valueOf(object: JsonObject, name: string): DecisionValue {
  switch (object.typeOf(name)) {
    case 'number':
      return object.number(name, -Number.MAX_VALUE, Number.MAX_VALUE);
    case 'list': {
      const ids = object.texts(name, 0, decisionLimits.labels, decisionLimits.labelLength);
      object.distinct(name, ids);
      return ids;
    }
    case 'string':
    case 'other':
      return object.text(name, decisionLimits.labelLength);
  }
}

/** When a decision was taken, as far as anybody knows. */
export function decidedAt({ at, decidedAt: time }: Pick<Decision, 'at' | 'decidedAt'>): string {
  return time ?? at;
}

/** The kind of task whose answers look like this one. */
export function kindOf(value: DecisionValue): TaskKind {
  return typeof value === 'string' ? 'single' : typeof value === 'number' ? 'number' : 'multi';
}

/** Whether two answers say the same; the order of several labels does not matter. */
export function isSameValue(a: DecisionValue | undefined, b: DecisionValue | undefined): boolean {
  if (typeof a !== 'object' || typeof b !== 'object') return a === b;
  return a.length === b.length && a.every((id) => b.includes(id));
}
