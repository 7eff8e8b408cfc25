import { formatRecord, freeColumnNames } from '../core/csv/appendColumns';
import { columnIndices, recordText } from '../core/csv/columns';
import type { Defect } from '../core/csv/defects';
import { recordBatches, type RecordReader } from '../core/csv/reader';
import type { TextRecord } from '../core/csv/record';
import { CancelledError, HumanError } from '../core/errors';
import type { DecisionValue } from '../core/labels/decision';
import { formatAnswer, parseLabelList } from '../core/labels/labelCells';
import { mapLabel, mapLabels, type LabelMap } from '../core/labels/labelMap';
import { stratifiedParts } from '../core/labels/split';
import { fewestToShare, strataOf } from '../core/labels/strata';
import type { TaskKind } from '../core/model/onnxWriter';
import type { AbortSignalLike } from '../core/protocol/rpc';
import { firstWords } from '../core/text/firstWords';
import { normalizeText } from '../core/text/normalize';
import { numberOf, type LabeledColumns } from './labeledRows';
import { wholeOrNothing, type RecordSink } from './recordSink';

/** The parts that data are split into, in the order of their shares. */
export const partNames = ['train', 'valid', 'test'] as const;
export type PartName = (typeof partNames)[number];

/** Shares of the parts where nobody says otherwise. */
export const defaultShares: Readonly<Record<PartName, number>> = { train: 0.8, valid: 0.1, test: 0.1 };

/** What a person decided about their data. */
export interface PreparePlan extends LabeledColumns {
  /** What the label column holds: a label; several, separated by `;` or `|`, where an empty cell says that none is right; or a number. */
  readonly kind: TaskKind;
  readonly map: LabelMap;
  /** Whether rows whose labels the map lacks are dropped. */
  readonly onlyMapped: boolean;
  /** Words that are kept of a text; all if absent. At least 1. */
  readonly words?: number;
  /** Whether only the first of rows with equal texts is kept. */
  readonly dropRepeated: boolean;
  /** Whether all rows of a text are dropped that comes with different labels. */
  readonly dropContradictory: boolean;
  /** Each in 0..1, that of `train` above 0; together 1. */
  readonly shares: Readonly<Record<PartName, number>>;
  readonly seed: number;
}

export interface PrepareRequest extends PreparePlan {
  /** The file's bytes, unpacked. */
  readonly chunks: AsyncIterable<Uint8Array>;
  /** A new one, which says how the file is laid out. */
  readonly reader: RecordReader;
  readonly sinks: Readonly<Record<PartName, RecordSink>>;
  /** Resolves after what has come in was handled. */
  readonly pause: () => Promise<void>;
  readonly signal?: AbortSignalLike;
  /** Called after each piece of the file, and of the parts, with the number of rows so far. */
  readonly onProgress?: (progress: { readonly doing: 'reading' | 'writing'; readonly rows: number }) => void;
  /** Called for everything in the file that is not as it should be, in order. */
  readonly onDefect?: (defect: Defect) => void;
}

/** Why rows are not in any part, and how many. */
export interface DroppedRows {
  /** The text columns are empty. */
  readonly noText: number;
  readonly noLabel: number;
  /** The map lacks the label, or has nothing in its place. */
  readonly notMapped: number;
  /** Their text has different labels. */
  readonly contradictory: number;
  /** Their text was there before. */
  readonly repeated: number;
}

/** Two rows with the same text and different labels, as the file numbers them. */
export interface Contradiction {
  readonly rows: readonly [number, number];
  readonly labels: readonly [string, string];
}

export interface PartSummary {
  readonly rows: number;
  /** Rows by label, in the order of the labels' names; a row of several labels counts for each. None for numbers. */
  readonly labels: ReadonlyMap<string, number>;
}

export interface PrepareSummary {
  /** Rows of the file. */
  readonly rows: number;
  readonly kept: number;
  readonly dropped: DroppedRows;
  /** Texts that come with different labels, counted before any is dropped. */
  readonly contradictions: { readonly texts: number; readonly rows: number; readonly first: readonly Contradiction[] };
  /** Values that the map has and no row. */
  readonly unused: readonly string[];
  readonly parts: Readonly<Record<PartName, PartSummary>>;
  readonly defects: number;
}

/** Rows that are written at once. */
const rowsAtOnce = 1000;
/** Contradictions that are told one by one. */
const toldContradictions = 5;
/** RFC 4180. */
const dialect = { delimiter: ',', quote: '"' } as const;

interface PreparedRow {
  readonly row: number;
  /** Of the file's columns as they are, then what goes on behind the last. */
  readonly values: string[];
  readonly text: string;
  /** As it is written. */
  readonly label: string;
  readonly answer: DecisionValue;
}

/**
 * Makes training, validation and test data out of a labelled file: labels are mapped, rows without a text or a label dropped, text columns joined with a blank line and cut to their first words, and what is
 * left is split, seeded and stratified, with equal texts on one side. Each part has all columns of the file, in UTF-8 as RFC 4180 has it; the label is in its column, the text in its own, or joined texts in that
 * of them which is called `text`, else in a new one behind the others.
 *
 * All rows that are kept are in memory at the end. If anything goes wrong, the sinks are discarded.
 *
 * @throws CancelledError when `signal` is raised
 * @throws HumanError when the file cannot be read, lacks a column, `rows.number` when a label should be a number and is none, `prepare.none` when no row is left, and when the sinks cannot be written
 */
export async function prepareFile(request: PrepareRequest): Promise<PrepareSummary> {
  return await wholeOrNothing(
    partNames.map((name) => request.sinks[name]),
    request.signal,
    (signal) => new Preparation(request, signal).run(),
  );
}

class Preparation {
  private readonly dropped = { noText: 0, noLabel: 0, notMapped: 0, contradictory: 0, repeated: 0 };
  private readonly unused: Set<string>;
  private columns: { readonly texts: readonly number[]; readonly label: number } | undefined;
  private defects = 0;

  constructor(
    private readonly request: PrepareRequest,
    private readonly signal: AbortSignal,
  ) {
    this.unused = new Set(request.map.keys());
  }

  async run(): Promise<PrepareSummary> {
    const { reader, shares, seed, pause } = this.request;
    const read = await this.read();
    const { rows, contradictions } = this.withoutRepeats(read);
    if (rows.length === 0) throw this.nothingLeft();
    const strata = strataOf(
      rows.map(({ answer }) => answer),
      fewestToShare(Object.values(shares)),
    );
    const stratum = new Map(rows.map((row, index) => [row, strata[index]!]));
    const parts = await stratifiedParts(
      rows,
      partNames.map((name) => shares[name]),
      { labelOf: (row) => stratum.get(row)!, textOf: ({ text }) => text, seed, breathe: () => this.breathe(pause) },
    );
    await this.write(parts, rows);
    return {
      rows: reader.rowCount,
      kept: rows.length,
      dropped: this.dropped,
      contradictions,
      unused: [...this.unused],
      parts: Object.fromEntries(partNames.map((name, part) => [name, summaryOf(parts[part]!)])) as Record<PartName, PartSummary>,
      defects: this.defects,
    };
  }

  private async read(): Promise<PreparedRow[]> {
    const { reader, chunks, textColumns, labelColumn, pause, onDefect, onProgress } = this.request;
    const rows: PreparedRow[] = [];
    for await (const records of recordBatches(reader, chunks)) {
      for (const record of records) {
        if (record.kind === 'gap') continue;
        for (const defect of record.defects) {
          this.defects++;
          onDefect?.(defect);
        }
        this.columns ??= { texts: columnIndices(reader, textColumns), label: columnIndices(reader, [labelColumn])[0]! };
        if (record.kind === 'header') continue;
        const row = this.prepared(record, this.columns);
        if (row) rows.push(row);
      }
      onProgress?.({ doing: 'reading', rows: reader.rowCount });
      await this.breathe(pause);
    }
    return rows;
  }

  /** Undefined for a row that is dropped. */
  private prepared(record: TextRecord, columns: NonNullable<Preparation['columns']>): PreparedRow | undefined {
    const { words } = this.request;
    const whole = recordText(record, columns.texts);
    const cell = record.value(columns.label)?.trim() ?? '';
    let why: keyof DroppedRows;
    if (whole.trim() === '') why = 'noText';
    else if (cell === '' && this.request.kind !== 'multi') why = 'noLabel';
    else {
      const answer = this.answer(cell, record.row);
      if (answer !== undefined) {
        const label = cell === '' ? '' : typeof answer === 'number' ? this.mapped(cell)! : String(formatAnswer(answer));
        return { row: record.row, values: record.values(), text: words === undefined ? whole : firstWords(whole, words), label, answer };
      }
      why = 'notMapped';
    }
    this.dropped[why]++;
    return undefined;
  }

  private answer(cell: string, row: number): DecisionValue | undefined {
    const { kind, map, onlyMapped, reader, labelColumn } = this.request;
    if (kind === 'multi') {
      const labels = parseLabelList(cell);
      for (const label of labels) this.unused.delete(label);
      return mapLabels(labels, map, onlyMapped);
    }
    const mapped = this.mapped(cell);
    return mapped === undefined || kind === 'single' ? mapped : numberOf(mapped, reader.fileName, row, labelColumn);
  }

  private mapped(cell: string): string | undefined {
    this.unused.delete(cell);
    return mapLabel(cell, this.request.map, this.request.onlyMapped);
  }

  private withoutRepeats(rows: readonly PreparedRow[]): { readonly rows: readonly PreparedRow[]; readonly contradictions: PrepareSummary['contradictions'] } {
    const { dropRepeated, dropContradictory } = this.request;
    const byText = new Map<string, PreparedRow[]>();
    for (const row of rows) {
      const text = normalizeText(row.text);
      const same = byText.get(text);
      if (same) same.push(row);
      else byText.set(text, [row]);
    }
    const isDropped = new Set<PreparedRow>();
    const first: Contradiction[] = [];
    const contradictions = { texts: 0, rows: 0, first };
    for (const same of byText.values()) {
      const [one] = same as [PreparedRow];
      const other = same.find(({ label }) => label !== one.label);
      if (other) {
        contradictions.texts++;
        contradictions.rows += same.length;
        if (first.length < toldContradictions) first.push({ rows: [one.row, other.row], labels: [one.label, other.label] });
      }
      const dropped = other && dropContradictory ? same : dropRepeated ? same.slice(1) : [];
      this.dropped[other && dropContradictory ? 'contradictory' : 'repeated'] += dropped.length;
      for (const row of dropped) isDropped.add(row);
    }
    return { rows: isDropped.size === 0 ? rows : rows.filter((row) => !isDropped.has(row)), contradictions };
  }

  private async write(parts: readonly (readonly PreparedRow[])[], rows: readonly PreparedRow[]): Promise<void> {
    const { reader, sinks, pause, onProgress } = this.request;
    const { texts, label } = this.columns!;
    const width = rows.reduce((most, { values }) => Math.max(most, values.length), reader.columns.length);
    const header = [...reader.columns];
    for (let column = header.length; column < width; column++) header.push(...freeColumnNames({ columns: header }, [String(column + 1)]));
    const named = texts.find((column) => header[column]!.trim().toLowerCase() === 'text');
    const textColumn = texts.length === 1 ? texts[0]! : (named ?? width);
    if (textColumn === width) header.push(...freeColumnNames({ columns: header }, ['text']));
    let written = 0;
    for (const [part, name] of partNames.entries()) {
      const lines = [header];
      const flush = async (): Promise<void> => {
        await sinks[name].write(new TextEncoder().encode(lines.splice(0).map((values) => `${formatRecord(values, dialect)}\r\n`).join('')));
        onProgress?.({ doing: 'writing', rows: written });
        await this.breathe(pause);
      };
      for (const row of parts[part]!) {
        const values = Array.from(header, (_, column) => row.values[column] ?? '');
        values[textColumn] = row.text;
        values[label] = row.label;
        lines.push(values);
        written++;
        if (lines.length === rowsAtOnce) await flush();
      }
      await flush();
    }
  }

  private async breathe(pause: () => Promise<void>): Promise<void> {
    await pause();
    if (this.signal.aborted) throw new CancelledError();
  }

  private nothingLeft(): HumanError {
    const { reader, textColumns, labelColumn } = this.request;
    // a wrong column is the likelier reason in a file without rows, too
    columnIndices(reader, [...textColumns, labelColumn]);
    const { noText, noLabel, notMapped, contradictory } = this.dropped;
    return new HumanError(
      'prepare.none',
      '{0}: none of {1} rows is left: {2} have no text in {3}, {4} no label in {5}, {6} a label that is not mapped, {7} a text with different labels. Choose other columns, or correct the map.',
      [reader.fileName, reader.rowCount, noText, textColumns.join(', '), noLabel, labelColumn, notMapped, contradictory],
    );
  }
}

function summaryOf(rows: readonly PreparedRow[]): PartSummary {
  const counts = new Map<string, number>();
  for (const { answer } of rows) for (const label of typeof answer === 'string' ? [answer] : typeof answer === 'number' ? [] : answer) counts.set(label, (counts.get(label) ?? 0) + 1);
  return { rows: rows.length, labels: new Map([...counts].sort(([a], [b]) => (a < b ? -1 : 1))) };
}
