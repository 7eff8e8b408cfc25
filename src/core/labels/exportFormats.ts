/** What an export says about a row. */
import type { DecisionSource, DecisionValue } from './decision';
import { formatAnswer, safeCell } from './labelCells';
import type { ExampleState, Guess } from './view';

/**
 * `copy`: the source as it is, with columns added. `jsonl`: a line `{"text": …, "label": …, …, "source": …}` a row, which Label Lens imports again. `huggingface`: a line `{"text": …, "label": …}` a
 * labelled row, for `datasets`.
 */
export const exportFormats = ['copy', 'jsonl', 'huggingface'] as const;
export type ExportFormat = (typeof exportFormats)[number];

/** What can be added to a row, in the order in which it stands there. `time` is ISO 8601 in UTC; `guess` and `score` are the model's, `score` 0..1. */
export const exportColumns = ['label', 'annotator', 'time', 'guess', 'score', 'status'] as const;
export type ExportColumn = (typeof exportColumns)[number];

/** The columns where nobody says otherwise. */
export const defaultExportColumns: readonly ExportColumn[] = ['label', 'annotator', 'time', 'guess', 'score'];

/** What became of a row. Only `labeled` ones have a label. `stale`: its place was decided on, but its text reads otherwise now. */
export const rowStatuses = ['labeled', 'open', 'skipped', 'flagged', 'stale'] as const;
export type RowStatus = (typeof rowStatuses)[number];

/** A row as an export sees it. */
export interface ExportedRow {
  readonly text: string;
  readonly status: RowStatus;
  /** Who decided, and what; absent for `open` and `stale`. */
  readonly state?: ExampleState;
  readonly guess?: Guess;
  readonly source: DecisionSource;
}

/** @param wasDecided whether its place was decided on when it read otherwise */
export function rowStatus(state: ExampleState | undefined, wasDecided: boolean): RowStatus {
  if (state === undefined || state.status === 'cleared') return wasDecided ? 'stale' : 'open';
  if (state.status !== 'labeled') return state.status;
  return state.value === undefined ? 'open' : 'labeled';
}

/**
 * The value of a column as a member of a JSON object, several labels as a list; undefined if there is none. Of what was skipped or flagged there is annotator and time, but no label.
 */
export function exportMember(column: ExportColumn, { status, state, guess }: ExportedRow): string | number | readonly string[] | undefined {
  const isDecided = status !== 'open' && status !== 'stale';
  switch (column) {
    case 'label':
      return status === 'labeled' ? state?.value : undefined;
    case 'annotator':
      return isDecided ? state?.annotator : undefined;
    case 'time':
      return isDecided ? state?.at : undefined;
    case 'guess':
      // in as many digits as they mean something
      return typeof guess?.value === 'number' ? Number(guess.value.toPrecision(6)) : guess?.value;
    case 'score':
      return guess === undefined || typeof guess.value === 'number' ? undefined : Number(guess.confidence.toFixed(4));
    case 'status':
      return status;
  }
}

/**
 * The same as a cell of a table.
 *
 * @param safe for tables that go into a spreadsheet: a text that starts like a formula gets an apostrophe in front. Numbers stay numbers.
 */
export function exportCell(column: ExportColumn, row: ExportedRow, safe: boolean): string | number | undefined {
  const value = exportMember(column, row);
  const cell = value === undefined ? undefined : formatAnswer(value);
  return safe && typeof cell === 'string' ? safeCell(cell) : cell;
}

/** A line of ours with the chosen columns, its line feed included. What there is none of is left out. */
export function exportLine(row: ExportedRow, columns: readonly ExportColumn[]): string {
  const members = columns.map((column) => [column, exportMember(column, row)] as const);
  return `${JSON.stringify({ text: row.text, ...Object.fromEntries(members), source: row.source })}\n`;
}

/**
 * A labelled row as Hugging Face's `datasets` reads it with `load_dataset("json", data_files=…)`, its line feed included. Labels are their ids as strings, since numbers would need a list of names beside
 * the file: `class_encode_column("label")` makes a ClassLabel of them. Several labels are a list of strings, a number is a number.
 */
export function huggingFaceLine(text: string, value: DecisionValue): string {
  return `${JSON.stringify({ text, label: value })}\n`;
}

/** Name of an export beside its source: `reviews.csv` → `reviews.labeled.csv`, as JSONL `reviews.labeled.jsonl`. Plain text and folders become tables. `.gz` stays. @param fileName without folders */
export function exportName(fileName: string, format: ExportFormat, isFolder: boolean): string {
  const [, stem = '', ending = '', packed = ''] = (isFolder ? undefined : /^(.+?)(\.[^.]+)?(\.gz)?$/is.exec(fileName)) ?? ['', fileName];
  const kept = format === 'copy' && /^\.(csv|tsv|tab|psv|jsonl|ndjson)$/i.test(ending) ? ending : format === 'copy' ? '.csv' : '.jsonl';
  return `${stem}.${format === 'huggingface' ? 'huggingface' : 'labeled'}${kept}${packed}`;
}

/** `name`, or the first of `reviews.labeled-2.csv`, `reviews.labeled-3.csv` … that is not taken. Letter case is no difference, as on many disks. */
export function freeFileName(name: string, taken: readonly string[]): string {
  const folded = new Set(taken.map((each) => each.toLowerCase()));
  const [, stem = '', endings = ''] = /^(.*?)((?:\.[^.]+)?(?:\.gz)?)$/is.exec(name) ?? [];
  for (let n = 1; ; n++) {
    const candidate = n === 1 ? name : `${stem}-${n}${endings}`;
    if (!folded.has(candidate.toLowerCase())) return candidate;
  }
}
