import { appendColumns, freeColumnNames, type CellValue } from '../core/csv/appendColumns';
import { columnIndices, recordText } from '../core/csv/columns';
import type { Defect } from '../core/csv/defects';
import { recordBatches, type RecordReader } from '../core/csv/reader';
import type { TextRecord } from '../core/csv/record';
import { CancelledError } from '../core/errors';
import { chosenLabels, ruleOf, type DecisionRule } from '../core/model/deciding';
import type { PredictedScores } from '../core/protocol/predictor';
import type { AbortSignalLike } from '../core/protocol/rpc';
import type { Predictor } from '../inference/predictor';
import { joinBytes } from '../core/util/bytes';
import type { OpenedModel } from './modelStore';
import { wholeOrNothing, type RecordSink } from './recordSink';

export interface ClassifyRequest {
  /** The file's bytes, unpacked. */
  readonly chunks: AsyncIterable<Uint8Array>;
  /** A new one, which says how the file is laid out. */
  readonly reader: RecordReader;
  readonly sink: RecordSink;
  readonly predictor: Pick<Predictor, 'predict'>;
  /** A model that `predictor` has loaded. */
  readonly model: DecisionRule & {
    readonly key: string;
    /** Ids, in the order of the scores. */
    readonly labels: readonly string[];
    /** What the number of a joint model is called. */
    readonly valueName?: string;
  };
  /** Names of the columns whose values make up the text; `text` by default. */
  readonly textColumns?: readonly string[];
  readonly signal?: AbortSignalLike;
  /** Called after each piece that was written. */
  readonly onProgress?: (progress: ClassifyProgress) => void;
  /** Called for everything in the file that is not as it should be, in order. */
  readonly onDefect?: (defect: Defect) => void;
}

/** A model as it is asked about the rows of a file. @param threshold to decide by in place of that on its card */
export function askedModel({ key, manifest: { task } }: Pick<OpenedModel, 'key' | 'manifest'>, threshold?: number): ClassifyRequest['model'] {
  return { key, ...ruleOf(task, threshold), labels: task.labels.map(({ id }) => id), ...(task.kind === 'single' && task.value ? { valueName: task.value.name } : {}) };
}

export interface ClassifyProgress {
  /** Rows written. */
  readonly rows: number;
  /** Bytes of the unpacked input that stand behind them. */
  readonly bytes: number;
}

export interface ClassifySummary {
  readonly rows: number;
  /** Rows without a token to read; they have no prediction. */
  readonly empty: number;
  /** Rows by predicted label, all labels of the model, in its order. Empty for `number`. For `multi` a row counts for each of its labels. */
  readonly labels: ReadonlyMap<string, number>;
  readonly defects: number;
  /** Names of the added columns; `predicted`, `score` and, of a joint model, `predicted` with the number's name, unless the file had columns of those names. */
  readonly columns: readonly string[];
}

/** Rows, characters of text and bytes of records that are predicted in one request, whichever is reached first. */
const batchLimits = { rows: 1024, characters: 1_000_000, bytes: 4_000_000 };
/** Requests that are with the predictor while the next rows are read and earlier ones written. Two keep its worker busy; the third is on its way. */
const requestsAhead = 3;

/**
 * Copies a file of records with the columns `predicted` and `score` added, every other byte as it was: the label that the model holds to be right (for `multi` all of them, joined with `;`; for `number`
 * the value) and its probability, for `multi` the highest. A joint model's number stands in a column of its own. Rows without a word to read get empty fields.
 *
 * Reads, predicts and writes at the same time, in constant memory. At the end the sink is committed; if anything goes wrong it is discarded.
 *
 * @throws CancelledError when `signal` is raised
 * @throws HumanError when the file cannot be read, has no such column, or cannot be predicted or written
 */
export async function classifyFile(request: ClassifyRequest): Promise<ClassifySummary> {
  return await wholeOrNothing([request.sink], request.signal, (signal) => new Classification(request, signal).run());
}

/** Records that follow each other, and the texts of those that are rows. */
interface Batch {
  readonly records: TextRecord[];
  readonly texts: string[];
  characters: number;
  bytes: number;
}

class Classification {
  private readonly ahead: { readonly batch: Batch; readonly scores: Promise<PredictedScores | undefined> }[] = [];
  private readonly counts: Map<string, number>;
  private names: readonly string[] = [];
  private textColumns: readonly number[] | undefined;
  private rows = 0;
  private empty = 0;
  private defects = 0;

  constructor(
    private readonly request: ClassifyRequest,
    private readonly signal: AbortSignal,
  ) {
    this.counts = new Map(request.model.labels.map((label) => [label, 0]));
  }

  async run(): Promise<ClassifySummary> {
    const { reader, chunks } = this.request;
    let batch = emptyBatch();
    for await (const records of recordBatches(reader, chunks)) {
      for (const record of records) {
        this.add(batch, record);
        if (batch.texts.length < batchLimits.rows && batch.characters < batchLimits.characters && batch.bytes < batchLimits.bytes) continue;
        await this.send(batch);
        batch = emptyBatch();
      }
      this.checkOn();
    }
    await this.send(batch);
    while (this.ahead.length > 0) await this.writeOldest();
    this.checkOn();
    return { rows: this.rows, empty: this.empty, labels: this.counts, defects: this.defects, columns: this.names };
  }

  private checkOn(): void {
    if (this.signal.aborted) throw new CancelledError();
  }

  private add(batch: Batch, record: TextRecord): void {
    const { reader, textColumns = ['text'], onDefect } = this.request;
    for (const defect of record.defects) {
      this.defects++;
      onDefect?.(defect);
    }
    batch.records.push(record);
    batch.bytes += record.next - record.start;
    if (record.kind === 'gap') return;
    if (!this.textColumns) {
      this.textColumns = columnIndices(reader, textColumns);
      const { valueName } = this.request.model;
      this.names = freeColumnNames(reader, ['predicted', 'score', ...(valueName === undefined ? [] : [`predicted ${valueName}`])]);
    }
    if (record.kind === 'header') return;
    const text = recordText(record, this.textColumns);
    batch.texts.push(text);
    batch.characters += text.length;
  }

  private async send(batch: Batch): Promise<void> {
    this.checkOn();
    if (this.ahead.length >= requestsAhead) await this.writeOldest();
    const { predictor, model } = this.request;
    const scores =
      batch.texts.length === 0 ? Promise.resolve(undefined) : predictor.predict(model.key, batch.texts, { signal: this.signal, priority: 'background', cache: false });
    // should an earlier one fail, nobody will wait for this one
    scores.catch(() => undefined);
    this.ahead.push({ batch, scores });
  }

  private async writeOldest(): Promise<void> {
    const { batch, scores } = this.ahead.shift()!;
    const predicted = await scores;
    this.checkOn();
    const { sink, onProgress } = this.request;
    let row = 0;
    const parts = batch.records.map((record) =>
      appendColumns(record, this.names, record.kind === 'row' && predicted ? this.cells(predicted, row++) : []),
    );
    const last = batch.records.at(-1);
    if (!last) return;
    await sink.write(joinBytes(parts));
    this.rows += row;
    onProgress?.({ rows: this.rows, bytes: last.next });
  }

  /** What goes into the new columns of a row; nothing if there was nothing to read. */
  private cells({ scores, tokens, values, width }: PredictedScores, row: number): readonly CellValue[] {
    if (tokens[row] === 0) {
      this.empty++;
      return [];
    }
    const { model } = this.request;
    const mine = scores.subarray(row * width, (row + 1) * width);
    if (model.kind === 'number') return [short(mine[0]!)];
    const chosen = chosenLabels(model, mine);
    for (const index of chosen) {
      const label = model.labels[index]!;
      this.counts.set(label, this.counts.get(label)! + 1);
    }
    const score = model.kind === 'multi' ? Math.max(...mine) : mine[chosen[0]!]!;
    return [chosen.map((index) => model.labels[index]!).join(';'), Number(score.toFixed(4)), ...(model.valueName === undefined || !values ? [] : [short(values[row]!)])];
  }
}

/** A number in as many digits as mean something. */
function short(value: number): number {
  return Number(value.toPrecision(6));
}

function emptyBatch(): Batch {
  return { records: [], texts: [], characters: 0, bytes: 0 };
}
