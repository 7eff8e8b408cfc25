/**
 * What files of labels say, those of Label Lens and of others: the labels as the file names them, before anybody knows what they are in a task.
 *
 * - JSONL of ours: exports (`{"text": …, "label": …, "annotator": …, "time": …, "status": …}`) and journals.
 * - doccano's JSONL (`{"id": …, "text": …, "label": ["a"]}`, older: `data`, `labels`, `annotations`). An empty list is a text that nobody has labelled.
 * - Label Studio's JSON (`annotations[].result[].value.choices`, several annotators, skipped tasks) and JSON-MIN.
 * - Columns of tables, among them those of our exports, doccano's `id,data,label` and Label Studio's CSV.
 */
import { HumanError } from '../errors';
import type { TaskKind } from '../model/onnxWriter';
import { decidedAt, decisionLimits, parseDecision, type DecisionStatus, type DecisionValue } from './decision';
import { parseLabels } from './labelCells';

/** What a file says about one text. */
export interface ImportedAnswer {
  /** 1-based: row of a table, line of a .jsonl that is not blank, or entry of an array. */
  readonly row: number;
  /** Column or field that the answer stands in, for messages. */
  readonly column: string;
  /** The text, or where there is only that, its `exampleId`. */
  readonly text: string | { readonly id: string };
  readonly status: DecisionStatus;
  /** Of the kind of the task, with names in place of ids. */
  readonly value?: DecisionValue;
  /** Absent if the file does not say. */
  readonly annotator?: string;
  /** ISO 8601 in UTC, if the file says. */
  readonly at?: string;
}

/** Which columns or fields hold what, where the file leaves it open. */
export interface ImportFields {
  /** Of a table: their values are joined with a blank line. */
  readonly text?: readonly string[];
  /** Column, field, or name of the control in Label Studio. */
  readonly label?: string;
}

/** What stands between several labels in a cell: ours (`;`, see {@link parseLabels}), or doccano's. */
export type LabelSeparator = ';' | '#';

/** Where an answer stands. */
interface Place {
  readonly file: string;
  readonly row: number;
  readonly column: string;
}

/** What a cell of a table answers; undefined if it is empty. @throws HumanError `import.several`, `import.number`, `import.spans` */
export function answerOfCell(cell: string, kind: TaskKind, separator: LabelSeparator, place: Place): DecisionValue | undefined {
  const text = cell.trim();
  if (text === '') return undefined;
  // Label Studio writes what is more than one choice as JSON
  const json = /^\{"|^\[\{"/.test(text) ? jsonOf(text) : undefined;
  if (json !== undefined) return answerOf(json, kind, place);
  if (kind === 'single') return text;
  if (kind === 'number') return numberOf(text, place);
  return separator === ';' ? parseLabels(text) : [...new Set(text.split(separator).map((label) => label.trim()).filter((label) => label !== ''))];
}

/** Entries of a file of JSON: one after the other, since what a Label Studio export means is told from its first ones. */
export class EntryReader {
  /** Name of the control whose answers are taken. */
  private control: string | undefined;

  constructor(
    private readonly file: string,
    private readonly kind: TaskKind,
    private readonly fields: ImportFields,
  ) {
    this.control = fields.label;
  }

  /**
   * What an entry says: nothing if nobody has answered it, several answers if several people have.
   *
   * @throws HumanError `import.entry`, `import.text` or those of {@link answerOfCell}
   */
  read(row: number, entry: unknown): readonly ImportedAnswer[] {
    if (!isRecord(entry)) throw new HumanError('import.entry', '{0}, row {1}: this is no entry of an export. Choose a file of Label Lens, doccano or Label Studio, or a table.', [this.file, row]);
    if (typeof entry.example === 'string' && typeof entry.at === 'string') return this.journalLine(row, entry);
    if (isRecord(entry.data)) return this.labelStudioTask(row, entry, entry.data);
    if ('annotation_id' in entry) return this.labelStudioMin(row, entry);
    return this.line(row, entry);
  }

  private journalLine(row: number, entry: Readonly<Record<string, unknown>>): readonly ImportedAnswer[] {
    const line = parseDecision(JSON.stringify(entry), `${this.file}:${row}`, this.kind);
    if (line.kind === 'foreign') throw line.reason;
    const { example, status, label, annotator } = line.decision;
    return [{ row, column: 'label', text: { id: example }, status, ...(label === undefined ? {} : { value: label }), annotator, at: decidedAt(line.decision) }];
  }

  /** A line of our exports, of doccano, or of anybody else. */
  private line(row: number, entry: Readonly<Record<string, unknown>>): readonly ImportedAnswer[] {
    const text = this.textOf(row, entry);
    const column = this.fields.label ?? ['label', 'labels', 'category', 'annotations'].find((name) => name in entry) ?? 'label';
    const annotator = nameOf(entry.annotator);
    const at = timeOf(entry.time);
    const about = { row, column, text, ...(annotator === undefined ? {} : { annotator }), ...(at === undefined ? {} : { at }) };
    if (entry.status === 'skipped' || entry.status === 'flagged') return [{ ...about, status: entry.status }];
    const value = answerOf(entry[column], this.kind, { file: this.file, row, column });
    // an empty list of ours says that no label fits; one of doccano's, that nobody has looked
    const isOurs = annotator !== undefined || entry.status === 'labeled';
    if (value === undefined || (Array.isArray(value) && value.length === 0 && !isOurs)) return [];
    return [{ ...about, status: 'labeled', value }];
  }

  private labelStudioTask(row: number, entry: Readonly<Record<string, unknown>>, data: Readonly<Record<string, unknown>>): readonly ImportedAnswer[] {
    const text = this.textOf(row, data);
    return listOf(entry.annotations ?? entry.completions).flatMap((annotation): ImportedAnswer[] => {
      if (!isRecord(annotation)) return [];
      const annotator = completedBy(annotation.completed_by);
      const at = timeOf(annotation.updated_at) ?? timeOf(annotation.created_at);
      const about = { row, text, ...(annotator === undefined ? {} : { annotator }), ...(at === undefined ? {} : { at }) };
      if (annotation.was_cancelled === true || annotation.cancelled === true || annotation.skipped === true) return [{ ...about, column: 'annotations', status: 'skipped' }];
      const results = listOf(annotation.result).filter(isRecord);
      this.control ??= results.map(({ from_name: name, value }) => (typeof name === 'string' && answers(value, this.kind) ? name : undefined)).find((name) => name !== undefined);
      const place = { file: this.file, row, column: this.control ?? 'annotations' };
      const mine = results.filter(({ from_name: name }) => this.control === undefined || name === this.control).map(({ value }) => value);
      const value = mine.length === 0 ? (this.kind === 'multi' ? [] : undefined) : answerOf(mine, this.kind, place);
      return value === undefined ? [] : [{ ...about, column: place.column, status: 'labeled', value }];
    });
  }

  private labelStudioMin(row: number, entry: Readonly<Record<string, unknown>>): readonly ImportedAnswer[] {
    // the fields of the text come first, then `id`, then what was answered, then who did
    const names = Object.keys(entry);
    const ours = names.slice(names.indexOf('id') + 1, names.indexOf('annotator') < 0 ? names.indexOf('annotation_id') : names.indexOf('annotator'));
    this.control ??= ours.find((name) => answers(entry[name], this.kind)) ?? ours[0];
    const column = this.control ?? 'label';
    const value = answerOf(entry[column], this.kind, { file: this.file, row, column });
    if (value === undefined) return [];
    const annotator = completedBy(entry.annotator);
    const at = timeOf(entry.updated_at) ?? timeOf(entry.created_at);
    const text = this.textOf(row, Object.fromEntries(names.filter((name) => !ours.includes(name)).map((name) => [name, entry[name]])));
    return [{ row, column, text, status: 'labeled', value, ...(annotator === undefined ? {} : { annotator }), ...(at === undefined ? {} : { at }) }];
  }

  private textOf(row: number, entry: Readonly<Record<string, unknown>>): string {
    const named = this.fields.text?.flatMap((name) => (typeof entry[name] === 'string' ? [entry[name]] : [])) ?? [];
    if (named.length > 0) return named.filter((value) => value.trim() !== '').join('\n\n');
    const usual = [entry.text, entry.data].find((value) => typeof value === 'string');
    if (typeof usual === 'string') return usual;
    const longest = Object.entries(entry)
      .flatMap(([name, value]) => (typeof value === 'string' && name !== this.fields.label && !/^(?:label|labels|created_at|updated_at|status|time|annotator)$/.test(name) ? [value] : []))
      .sort((a, b) => b.length - a.length)[0];
    if (longest === undefined) throw new HumanError('import.text', '{0}, row {1}: there is no text in this entry. Name the field that holds it, or choose another file.', [this.file, row]);
    return longest;
  }
}

/** Whether a value of a control looks like an answer to a task of this kind. */
function answers(value: unknown, kind: TaskKind): boolean {
  if (Array.isArray(value)) return value.some((each) => answers(each, kind));
  if (!isRecord(value)) return false;
  return kind === 'number' ? typeof value.rating === 'number' || typeof value.number === 'number' : Array.isArray(value.choices) || typeof value.choices === 'string';
}

/** A JSON value as an answer; undefined if it says nothing. */
function answerOf(value: unknown, kind: TaskKind, place: Place): DecisionValue | undefined {
  if (value === undefined || value === null) return undefined;
  const found = partsOf(value, place);
  if (kind === 'number') {
    if (found.length === 0) return undefined;
    if (found.length > 1) throw several(found.length, place);
    return typeof found[0] === 'number' ? found[0] : numberOf(found[0] ?? '', place);
  }
  const labels = [...new Set(found.map((part) => String(part).trim()).filter((label) => label !== ''))];
  if (kind === 'multi') return labels;
  if (labels.length > 1) throw several(labels.length, place);
  return labels[0];
}

/** Labels and numbers, however deep a tool has packed them. */
function partsOf(value: unknown, place: Place): (string | number)[] {
  if (typeof value === 'string' || typeof value === 'number') return [value];
  if (typeof value === 'boolean') return [String(value)];
  if (Array.isArray(value)) {
    // [start, end, label]
    if (value.length === 3 && typeof value[0] === 'number' && typeof value[1] === 'number' && typeof value[2] === 'string') throw spans(place);
    return value.flatMap((each) => partsOf(each, place));
  }
  if (!isRecord(value)) return [];
  if ('start_offset' in value || 'labels' in value || ('start' in value && 'end' in value)) throw spans(place);
  const inner = value.choices ?? value.rating ?? value.number ?? value.label;
  return inner === undefined || inner === null ? [] : partsOf(inner, place);
}

function several(count: number, { file, row, column }: Place): HumanError {
  return new HumanError('import.several', '{0}, row {1}, {2}: there are {3} labels, and the task asks for one. Leave one of them, or import into a task with several labels.', [file, row, column, count]);
}

function spans({ file, row, column }: Place): HumanError {
  return new HumanError('import.spans', '{0}, row {1}, {2}: these are labels of passages, and Label Lens labels whole texts. Export a classification project instead.', [file, row, column]);
}

function numberOf(text: string, { file, row, column }: Place): number {
  const number = Number(text.replace(/^'(?=[-+])/, ''));
  if (text.trim() === '' || !Number.isFinite(number)) {
    throw new HumanError('import.number', '{0}, row {1}, {2}: "{3}" is no number, and the task asks for one. Correct it, or choose the column that holds the numbers.', [file, row, column, text.slice(0, 40)]);
  }
  return number;
}

/** Label Studio names people by number, by e-mail address, or by an object with both. */
function completedBy(value: unknown): string | undefined {
  return isRecord(value) ? (nameOf(value.email) ?? nameOf(value.username) ?? nameOf(value.id)) : nameOf(value);
}

function nameOf(value: unknown): string | undefined {
  if (typeof value !== 'string' && typeof value !== 'number') return undefined;
  const name = String(value).trim().slice(0, decisionLimits.annotatorLength);
  return name === '' ? undefined : name;
}

/** A time as the journal writes it; undefined if it is none, or one before 1970, which tools write that do not know better. */
export function timeOf(value: unknown): string | undefined {
  if (typeof value !== 'string' || !/^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(value)) return undefined;
  // without a zone UTC is meant
  const time = Date.parse(/(?:Z|[+-]\d\d:?\d\d)$/i.test(value) ? value : `${value}Z`);
  return time > 0 ? new Date(time).toISOString() : undefined;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
