import { columnIndices, recordText } from '../core/csv/columns';
import type { Defect } from '../core/csv/defects';
import { recordBatches, type RecordReader } from '../core/csv/reader';
import { CancelledError, HumanError } from '../core/errors';
import type { DecisionValue } from '../core/labels/decision';
import { formatAnswer, parseLabelList, unsafeCell } from '../core/labels/labelCells';
import { stratifiedSample } from '../core/labels/split';
import { fewestToShare, strataOf } from '../core/labels/strata';
import type { TaskKind } from '../core/model/onnxWriter';
import type { AbortSignalLike } from '../core/protocol/rpc';

/** A row of a labelled file. */
export interface LabeledText {
  /** 1-based number among the file's rows. */
  readonly row: number;
  readonly text: string;
  /** Without the blanks around it. For `multi` all labels, each once and in the order of their names, as exports write them; for `number` the number as it stands. */
  readonly label: string;
  /** Kind `multi`: the labels; none may be right. */
  readonly labels?: readonly string[];
  /** Kind `number`, and the number beside the label. */
  readonly value?: number;
}

/** Which columns of a file hold what, by their names. */
export interface LabeledColumns {
  /** Their values are joined in this order with a blank line. */
  readonly textColumns: readonly string[];
  readonly labelColumn: string;
  /** The number beside the label, for a joint model. */
  readonly valueColumn?: string;
}

export interface LabeledRequest extends LabeledColumns {
  /** What the label column holds: a label; several, separated by `;` or `|`, where an empty cell says that none is right; or a number. Default `single`. */
  readonly kind?: TaskKind;
  /** The file's bytes, unpacked. */
  readonly chunks: AsyncIterable<Uint8Array>;
  /** A new one, which says how the file is laid out. */
  readonly reader: RecordReader;
  readonly signal?: AbortSignalLike;
  /** Called after each piece of the file with the number of rows so far. */
  readonly onProgress?: (rows: number) => void;
  /** Called for everything in the file that is not as it should be, in order. */
  readonly onDefect?: (defect: Defect) => void;
}

export interface LabeledRows {
  readonly rows: readonly LabeledText[];
  /** Rows that were left out because they have no label, or no number. */
  readonly unlabeled: number;
}

/**
 * Reads all rows of a file that have a label.
 *
 * @throws HumanError when the file cannot be read, a column is missing or no row has a label, `rows.number` when a number is none; CancelledError when `signal` is raised
 */
export async function readLabeled({ chunks, reader, textColumns, labelColumn, valueColumn, kind = 'single', signal, onProgress, onDefect }: LabeledRequest): Promise<LabeledRows> {
  const rows: LabeledText[] = [];
  let columns: { readonly texts: readonly number[]; readonly label: number; readonly value: number | undefined } | undefined;
  let unlabeled = 0;
  for await (const records of recordBatches(reader, chunks)) {
    if (signal?.aborted) throw new CancelledError();
    for (const record of records) {
      if (record.kind === 'gap') continue;
      for (const defect of record.defects) onDefect?.(defect);
      if (record.kind === 'header') continue;
      columns ??= {
        texts: columnIndices(reader, textColumns),
        label: columnIndices(reader, [labelColumn])[0]!,
        value: valueColumn === undefined ? undefined : columnIndices(reader, [valueColumn])[0]!,
      };
      const { row } = record;
      const label = record.value(columns.label)?.trim() ?? '';
      const number = columns.value === undefined ? undefined : (record.value(columns.value)?.trim() ?? '');
      if (number === '' || (label === '' && kind !== 'multi')) {
        unlabeled++;
        continue;
      }
      const read = { row, text: recordText(record, columns.texts) };
      if (kind === 'multi') {
        const labels = parseLabelList(label).sort();
        rows.push({ ...read, label: String(formatAnswer(labels)), labels });
      } else if (kind === 'number') rows.push({ ...read, label, value: numberOf(label, reader.fileName, row, labelColumn) });
      else rows.push({ ...read, label, ...(number === undefined || valueColumn === undefined ? {} : { value: numberOf(number, reader.fileName, row, valueColumn) }) });
    }
    onProgress?.(rows.length);
  }
  if (rows.length === 0) {
    // a wrong column is the likelier reason in a file without rows, too
    columnIndices(reader, [...textColumns, labelColumn, ...(valueColumn === undefined ? [] : [valueColumn])]);
    throw new HumanError('rows.none', '{0}: no row has a value in the column {1}. Choose the column that holds the labels.', [reader.fileName, valueColumn === undefined ? labelColumn : `${labelColumn}, ${valueColumn}`]);
  }
  return { rows, unlabeled };
}

/** What a row of that kind answers. */
export function answerOf({ label, labels, value }: LabeledText, kind: TaskKind): DecisionValue {
  const answer = { single: label, multi: labels, number: value }[kind];
  if (answer === undefined) throw new Error(`The rows were not read as ${kind}.`);
  return answer;
}

/** `count` of the rows at most, drawn with the seed so that each stratum (see {@link strataOf}) keeps its share. */
export function sampleRows(rows: readonly LabeledText[], kind: TaskKind, count: number, seed: number): readonly LabeledText[] {
  const most = Math.min(count, rows.length);
  const strata = strataOf(
    rows.map((row) => answerOf(row, kind)),
    fewestToShare([most / rows.length, 1 - most / rows.length]),
  );
  const stratum = new Map(rows.map((row, index) => [row, strata[index]!]));
  return stratifiedSample(rows, most, (row) => stratum.get(row)!, seed);
}

/** Largest magnitude of a number. */
const largest = 1e30;

/** The number in a cell. @throws HumanError `rows.number` where it is none */
export function numberOf(text: string, file: string, row: number, column: string): number {
  const number = Number(unsafeCell(text));
  if (!(Math.abs(number) <= largest))
    throw new HumanError('rows.number', '{0}, row {1}, column {2}: "{3}" is no number. Write it with a point, such as 3.5, empty the cell to leave the row out, or choose the column that holds the numbers.', [file, row, column, text.slice(0, 40)]);
  return number;
}
