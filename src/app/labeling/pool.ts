import { columnIndices, recordText } from '../../core/csv/columns';
import { decodeBytes, detectEncoding } from '../../core/csv/encoding';
import { recordBatches, RecordReader } from '../../core/csv/reader';
import type { TextRecord } from '../../core/csv/record';
import { CancelledError, HumanError } from '../../core/errors';
import type { DecisionSource } from '../../core/labels/decision';
import type { TaskSource } from '../../core/labels/task';
import type { Example } from '../../core/labels/view';
import type { AbortSignalLike } from '../../core/protocol/rpc';
import { exampleId } from '../../core/text/normalize';
import { isLog, textRows } from '../../core/text/lines';
import { segment } from '../../core/text/segment';
import type { FileSystem } from '../../storage/fileSystem';
import { joinPath } from '../modelStore';
import { ContentHash } from './contentHash';
import { Slices } from './slices';

/** A file that is read as it comes, unpacked. */
export interface PoolInput {
  readonly chunks: AsyncIterable<Uint8Array>;
  /** Share of the file that was read, 0..1, where its size is known. */
  fraction(): number | undefined;
}

export interface PoolOptions {
  /** Absolute path that the paths of `sources` start from. */
  readonly folder: string;
  readonly sources: readonly TaskSource[];
  readonly fileSystem: Pick<FileSystem, 'readFile' | 'list' | 'size'>;
  /** @param path absolute */
  readonly openInput: (path: string) => Promise<PoolInput>;
  /** Resolves after what has come in was handled. */
  readonly pause: () => Promise<void>;
  readonly signal?: AbortSignalLike;
  /** Called when texts have come in, with the share of the sources that was read, 0..1. */
  readonly onProgress?: (fraction: number) => void;
  /** Called for a source that cannot be read, or is read in part only. The others are read all the same. */
  readonly onProblem?: (problem: HumanError) => void;
}

/** Upper bounds. What lies beyond them is reported and left out. */
export const poolLimits = {
  /** Distinct texts. */
  examples: 1_000_000,
  /** UTF-16 units of all distinct texts together. */
  characters: 500_000_000,
  /** UTF-16 units of one text: as many as a person could hardly read. */
  textLength: 1_000_000,
  /** Bytes of a text file in a folder. */
  fileBytes: 20_000_000,
  /** Files of a folder. */
  files: 100_000,
  /** Folders within folders. */
  depth: 32,
  /** Columns that are shown beside a text, and UTF-16 units of each value. */
  contextColumns: 50,
  contextLength: 2_000,
} as const;

/** Files of a folder that hold texts. */
const textFile = /\.(?:txt|text|md|markdown|log)$/i;
const noContext: readonly string[] = [];

/** The distinct texts of a task in the order of its sources, and every place where each stands. Grows while the sources are read. */
export class Pool {
  /** Rows and segments, equal texts counted each. */
  rows = 0;
  private characters = 0;
  private readonly positions = new Map<string, number>();
  private readonly ids: string[] = [];
  private readonly texts: string[] = [];
  private readonly places: DecisionSource[][] = [];
  /** Values of the other columns of the first row; their names are shared. */
  private readonly context: { readonly columns: readonly string[]; readonly values: readonly string[] }[] = [];

  /** Number of distinct texts. */
  get size(): number {
    return this.ids.length;
  }

  positionOf(id: string): number | undefined {
    return this.positions.get(id);
  }

  /** @param position 0..{@link size}-1 */
  idAt(position: number): string {
    return at(this.ids, position);
  }

  textAt(position: number): string {
    return at(this.texts, position);
  }

  sourcesAt(position: number): readonly DecisionSource[] {
    return at(this.places, position);
  }

  exampleAt(position: number): Example {
    const { columns, values } = at(this.context, position);
    return {
      id: this.idAt(position),
      position,
      text: this.textAt(position),
      sources: this.sourcesAt(position),
      context: columns.map((column, index) => ({ column, value: values[index] ?? '' })),
    };
  }

  /** Whether there is room for another text. */
  get isFull(): boolean {
    return this.size >= poolLimits.examples || this.characters >= poolLimits.characters;
  }

  /** Adds a place where a text stands. @param context is asked only for a text that is new */
  add(text: string, source: DecisionSource, context: () => { readonly columns: readonly string[]; readonly values: readonly string[] }): void {
    this.rows++;
    const id = exampleId(text);
    const known = this.positions.get(id);
    if (known !== undefined) {
      at(this.places, known).push(source);
      return;
    }
    this.positions.set(id, this.ids.length);
    this.ids.push(id);
    this.texts.push(text);
    this.places.push([source]);
    this.context.push(context());
    this.characters += text.length;
  }
}

/** A pool that is being read, or has been. */
export interface ReadingPool {
  readonly pool: Pool;
  /** Resolves with what the sources hold, to be compared later by {@link sourcesHash}. @throws CancelledError */
  readonly done: Promise<string>;
}

/**
 * Reads the texts of a task's sources, in slices: the first ones are in the pool at once, and nobody waits for the thread. Rows without a word are left out.
 *
 * A source that cannot be read is reported and does not keep the others from being read.
 */
export function readPool(options: PoolOptions): ReadingPool {
  const reading = new PoolReading(options, new Pool());
  const done = reading.run();
  return { pool: reading.pool, done };
}

/** What the sources hold at present, as {@link readPool} says it, without reading their texts: much cheaper. */
export async function sourcesHash(options: Omit<PoolOptions, 'onProgress' | 'onProblem'>): Promise<string> {
  const slices = new Slices(options.pause);
  const hashes: string[] = [];
  for (const source of options.sources) {
    const hash = new ContentHash();
    try {
      for (const path of source.kind === 'table' ? [source.file] : await textFiles(options, source.folder)) {
        checkOn(options.signal);
        if (source.kind === 'folder') {
          const bytes = await readBounded(options.fileSystem, joinPath(options.folder, path));
          hash.addName(path);
          hash.add(bytes);
          if (slices.isOver) await slices.rest();
          continue;
        }
        const { chunks } = await options.openInput(joinPath(options.folder, path));
        for await (const chunk of chunks) {
          checkOn(options.signal);
          hash.add(chunk);
          if (slices.isOver) await slices.rest();
        }
      }
      hashes.push(hash.value);
    } catch (error) {
      if (!(error instanceof HumanError)) throw error;
      hashes.push(unreadable);
    }
  }
  return hashes.join(' ');
}

/** In place of the hash of a source that cannot be read. */
const unreadable = '-';

class PoolReading {
  private readonly slices: Slices;

  constructor(
    private readonly options: PoolOptions,
    readonly pool: Pool,
  ) {
    this.slices = new Slices(options.pause);
  }

  async run(): Promise<string> {
    const { sources, onProblem } = this.options;
    const hashes: string[] = [];
    for (const [index, source] of sources.entries()) {
      const progress = (fraction: number): void => this.options.onProgress?.((index + fraction) / sources.length);
      try {
        hashes.push(source.kind === 'table' ? await this.readTable(source, progress) : await this.readFolder(source, progress));
      } catch (error) {
        if (!(error instanceof HumanError)) throw error;
        hashes.push(unreadable);
        onProblem?.(error);
      }
      progress(1);
    }
    return hashes.join(' ');
  }

  private async readTable({ file, textColumns }: Extract<TaskSource, { kind: 'table' }>, progress: (fraction: number) => void): Promise<string> {
    const { folder, openInput } = this.options;
    const input = await openInput(joinPath(folder, file));
    const hash = new ContentHash();
    const reader = new RecordReader(file);
    const table = new Table(reader, file, textColumns);
    let skipped = 0;
    for await (const records of recordBatches(reader, hashing(input.chunks, hash))) {
      for (const record of records) {
        if (record.kind === 'gap') continue;
        table.begin();
        if (record.kind === 'header') continue;
        if (!this.addRow(table, record)) skipped++;
        if (this.slices.isOver) await this.rest(() => progress(input.fraction() ?? 0));
      }
      await this.rest(() => progress(input.fraction() ?? 0));
    }
    table.begin();
    if (skipped > 0) this.tellSkipped(file, skipped);
    return hash.value;
  }

  /** @returns false where the row was left out although it has a text */
  private addRow(table: Table, record: TextRecord): boolean {
    const text = table.textOf(record);
    if (text.trim() === '') return true;
    if (text.length > poolLimits.textLength || this.pool.isFull) return false;
    this.pool.add(text, { file: table.file, row: record.row }, () => table.contextOf(record));
    return true;
  }

  private async readFolder({ folder, unit }: Extract<TaskSource, { kind: 'folder' }>, progress: (fraction: number) => void): Promise<string> {
    const { fileSystem, onProblem } = this.options;
    const files = await textFiles(this.options, folder);
    if (files.length === 0) {
      throw new HumanError('pool.folder', 'The folder {0} holds no text files ({1}). Put some into it, or choose another folder.', [folder, '.txt, .md, .log']);
    }
    const hash = new ContentHash();
    for (const [index, file] of files.entries()) {
      let skipped = 0;
      try {
        const bytes = await readBounded(fileSystem, joinPath(this.options.folder, file));
        hash.addName(file);
        hash.add(bytes);
        const text = decoded(bytes);
        for (const { start, end, row } of cut(text, file, unit)) {
          if (!this.addSegment(text.slice(start, end), { file, ...(row === undefined ? {} : { row }), start, end })) skipped++;
          if (this.slices.isOver) await this.rest(() => progress(index / files.length));
        }
      } catch (error) {
        if (!(error instanceof HumanError)) throw error;
        onProblem?.(error);
      }
      if (skipped > 0) this.tellSkipped(file, skipped);
      if (index === 0 || this.slices.isOver) await this.rest(() => progress((index + 1) / files.length));
    }
    return hash.value;
  }

  private addSegment(text: string, source: DecisionSource): boolean {
    if (text.trim() === '') return true;
    if (text.length > poolLimits.textLength || this.pool.isFull) return false;
    this.pool.add(text, source, () => ({ columns: noContext, values: noContext }));
    return true;
  }

  private tellSkipped(file: string, skipped: number): void {
    this.options.onProblem?.(
      new HumanError('pool.limit', '{0}: {1} texts are left out, because a task holds at most {2} different texts of {3} characters each. Split the file into several tasks.', [
        file,
        skipped,
        poolLimits.examples,
        poolLimits.textLength,
      ]),
    );
  }

  private async rest(tell: () => void): Promise<void> {
    checkOn(this.options.signal);
    tell();
    await this.slices.rest();
    checkOn(this.options.signal);
  }
}

/** Which columns of a table are the text, and which stand beside it. */
class Table {
  private columns: { readonly texts: readonly number[]; readonly others: readonly number[]; readonly names: readonly string[] } | undefined;

  constructor(
    private readonly reader: RecordReader,
    readonly file: string,
    private readonly textColumns: readonly string[],
  ) {}

  /** To be called when the first record is there. @throws HumanError `csv.column` */
  begin(): { readonly texts: readonly number[]; readonly others: readonly number[]; readonly names: readonly string[] } {
    if (this.columns) return this.columns;
    const texts = columnIndices(this.reader, this.textColumns);
    const others = this.reader.columns.map((_, column) => column).filter((column) => !texts.includes(column)).slice(0, poolLimits.contextColumns);
    this.columns = { texts, others, names: others.map((column) => this.reader.columns[column] ?? '') };
    return this.columns;
  }

  textOf(record: TextRecord): string {
    return recordText(record, this.begin().texts);
  }

  contextOf(record: TextRecord): { readonly columns: readonly string[]; readonly values: readonly string[] } {
    const { others, names } = this.begin();
    return { columns: names, values: others.map((column) => (record.value(column) ?? '').slice(0, poolLimits.contextLength)) };
  }
}

async function* hashing(chunks: AsyncIterable<Uint8Array>, hash: ContentHash): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    hash.add(chunk);
    yield chunk;
  }
}

/** Paths of the text files below a folder, relative to the workspace folder, in the order of their names. Hidden ones are left out. */
async function textFiles(options: Pick<PoolOptions, 'folder' | 'fileSystem' | 'signal' | 'pause'>, folder: string): Promise<string[]> {
  const found: string[] = [];
  const slices = new Slices(options.pause);
  const visit = async (path: string, depth: number): Promise<void> => {
    checkOn(options.signal);
    const entries = [...(await options.fileSystem.list(joinPath(options.folder, path)))].sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }));
    for (const { name, kind } of entries) {
      if (found.length >= poolLimits.files) return;
      if (name.startsWith('.') || name === 'node_modules') continue;
      if (kind === 'file' && textFile.test(name)) found.push(joinPath(path, name));
      // links may lead in circles
      if (kind === 'folder' && depth < poolLimits.depth) await visit(joinPath(path, name), depth + 1);
      if (slices.isOver) await slices.rest();
    }
  };
  await visit(folder, 0);
  return found.map((path) => path.replace(/^(?:\.?\/)+/, ''));
}

async function readBounded(fileSystem: Pick<FileSystem, 'readFile' | 'size'>, path: string): Promise<Uint8Array> {
  const size = await fileSystem.size(path);
  if (size !== undefined && size > poolLimits.fileBytes)
    throw new HumanError('pool.file.size', '{0} has {1} bytes, more than the {2} that are read of a text file, so it is left out. Split it, or make a table of it.', [path, size, poolLimits.fileBytes]);
  const bytes = size === undefined ? undefined : await fileSystem.readFile(path);
  if (!bytes) throw new HumanError('pool.file.missing', '{0} is not there any more. Put it back, or take it out of the task.', [path]);
  return bytes;
}

/** A text file's texts as an editor cuts them: lines of a log, paragraphs of everything else, or the whole. */
function cut(text: string, file: string, unit: 'document' | 'paragraph'): Iterable<{ readonly start: number; readonly end: number; readonly row?: number }> {
  if (unit === 'document') return [{ start: 0, end: text.length }];
  return isLog(file) ? textRows(text) : segment(text, 'paragraph', { markdown: /\.(?:md|markdown)$/i.test(file) });
}

/** As an editor shows it: without a byte order mark, so that offsets agree. */
function decoded(bytes: Uint8Array): string {
  const { encoding, bomBytes } = detectEncoding(bytes, true);
  return decodeBytes(encoding, bytes, bomBytes, bytes.length);
}

function checkOn(signal: AbortSignalLike | undefined): void {
  if (signal?.aborted) throw new CancelledError();
}

function at<T>(list: readonly T[], position: number): T {
  const value = list[position];
  if (value === undefined) throw new RangeError(`There is no text ${position}; the pool has ${list.length}.`);
  return value;
}
