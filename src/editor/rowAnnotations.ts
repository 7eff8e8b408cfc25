import * as vscode from 'vscode';
import { columnIndices, guessTextColumns, recordText } from '../core/csv/columns';
import { DocumentIndex, sniffDocument, type DocumentLines } from '../core/csv/documentIndex';
import { formatOf, type RecordFormat } from '../core/csv/record';
import { CancelledError, HumanError } from '../core/errors';
import type { Session } from '../app/session';
import { kindOf } from './documents';
import { RowStyles, rowTextOf, type RowText } from './rowStyles';
import { translated, type ErrorReporter } from './report';
import type { Passage } from './selectionResults';
import type { Settings } from './settings';
import type { TaskAnnotations } from './taskAnnotations';

/** An annotation as it stands in the document. */
export interface DrawnRow extends RowText {
  /** 0-based line on which it stands: the record's last, or its first where annotations stand at the start. */
  readonly line: number;
}

/** The columns of a table, for a person to choose from. */
export interface ColumnChoice {
  readonly columns: readonly { readonly name: string; readonly samples: readonly string[] }[];
  /** Indices of the columns that are read at present. */
  readonly chosen: readonly number[];
}

/** Milliseconds of indexing at a time, before others get their turn. */
const SLICE = 8;
/** Characters per step within a slice. */
const STEP = 64 * 1024;
/** Lines above and below the screen that are annotated too. */
const MARGIN = 30;
/** Milliseconds between two repaints while scrolling. */
const REPAINT = 40;
/** Milliseconds of rest before unknown records are predicted. */
const QUIET = 100;
/** Rows that are looked at to tell which column holds the text. */
const SAMPLE_ROWS = 200;
/** Lines of more columns than this may end, with their annotation, beyond the edge of the window: beside a side bar and a minimap, a window of 1280 pixels shows about 85. */
const LONG_LINE = 70;
/** Milliseconds of reading records for a command at a time. */
const READ_SLICE = 8;
/** Tables whose chosen columns are remembered. */
const REMEMBERED = 200;
const COLUMNS = 'textColumns';

/**
 * One annotation for each record on the screen of a CSV, TSV, JSON Lines or log document, and a mark in the overview ruler. Documents of any size: the index of records is built in
 * slices of a few milliseconds, an edit reads again what it touched, and only what is near the screen is read, predicted and painted.
 */
export class RowAnnotations implements vscode.Disposable {
  private readonly tables = new Map<vscode.TextDocument, Table>();
  private readonly changed = new vscode.EventEmitter<vscode.TextDocument>();
  private readonly styles = new RowStyles();
  private readonly subscriptions: vscode.Disposable[];

  /** Fired when what is drawn, what is read, or how far it is read has changed for a document. */
  readonly onDidChange = this.changed.event;

  constructor(
    private readonly session: Session,
    private readonly settings: Settings,
    private readonly annotations: TaskAnnotations,
    private readonly state: vscode.Memento,
    private readonly errors: ErrorReporter,
  ) {
    const refreshAll = (): void => this.tables.forEach((table) => table.refresh());
    let failed = false;
    this.subscriptions = [
      this.changed,
      this.styles,
      vscode.window.onDidChangeVisibleTextEditors(() => this.visit()),
      vscode.window.onDidChangeTextEditorVisibleRanges(({ textEditor }) => this.tables.get(textEditor.document)?.scrolled()),
      vscode.workspace.onDidChangeTextDocument(({ document, contentChanges }) => {
        if (contentChanges.length > 0) this.tables.get(document)?.edited(contentChanges);
      }),
      vscode.workspace.onDidCloseTextDocument((document) => this.forget(document)),
      vscode.workspace.onDidOpenTextDocument(() => this.visit()),
      settings.onDidChangeAnnotations(refreshAll),
      session.onDidChangeModel(refreshAll),
      annotations.onDidChange((change) => {
        if (change === 'task') refreshAll();
        else this.tables.forEach((table) => table.annotated());
      }),
      session.onDidChangeStatus(({ error }) => {
        // the annotations of a model that does not answer go, and come back with one that does
        if (failed === (error !== undefined)) return;
        failed = error !== undefined;
        refreshAll();
      }),
      vscode.workspace.onDidChangeConfiguration((event) => {
        if (event.affectsConfiguration('editor.wordWrap')) refreshAll();
      }),
    ];
    this.visit();
  }

  /** What stands in the document at present. */
  drawn(document: vscode.TextDocument): readonly DrawnRow[] {
    return this.tables.get(document)?.drawn ?? [];
  }

  /** Share of the document that is indexed, 0..1, while it is being indexed. */
  readingOf(document: vscode.TextDocument): number | undefined {
    return this.tables.get(document)?.reading;
  }

  /** What keeps the document from being annotated, for a person. */
  problemOf(document: vscode.TextDocument): string | undefined {
    return this.tables.get(document)?.problem;
  }

  /** The record at `position` with the text of its text columns, as far as the index has got. */
  knownPassageAt(document: vscode.TextDocument, position: vscode.Position): Passage | undefined {
    return this.tables.get(document)?.passageAt(position.line);
  }

  /** As {@link knownPassageAt}, but waits until the index has got there. Undefined on the header, on blank lines, and for a record without text. */
  async passageAt(document: vscode.TextDocument, position: vscode.Position): Promise<Passage | undefined> {
    const table = this.tableOf(document);
    await table.indexed((index) => index.rowAt(position.line) !== undefined);
    return table.passageAt(position.line);
  }

  /** How many records have text in `range`, as far as the index has got. */
  knownWithin(document: vscode.TextDocument, range: vscode.Range): number {
    const rows = this.tables.get(document)?.index?.rowsWithin(range.start.line, lastLineOf(range));
    return rows ? rows.to - rows.from : 0;
  }

  /** The records that have text in `range`; waits until the index has got there, and gives others their turn. */
  async passagesWithin(document: vscode.TextDocument, range: vscode.Range): Promise<readonly Passage[]> {
    const table = this.tableOf(document);
    return await table.passagesWithin(range.start.line, lastLineOf(range));
  }

  /** Names of the columns that a person chose for this file. */
  rememberedColumns(file: vscode.Uri): readonly string[] | undefined {
    const uri = file.toString();
    return this.remembered().find(([other]) => other === uri)?.[1];
  }

  async columnsOf(document: vscode.TextDocument): Promise<ColumnChoice> {
    const table = this.tableOf(document);
    await table.indexed((index) => index.rowCount >= SAMPLE_ROWS);
    return table.columnChoice();
  }

  /** Chooses the columns to be read, by their indices in the table's order, and remembers the choice for this file. */
  async setColumns(document: vscode.TextDocument, indices: readonly number[]): Promise<void> {
    const table = this.tableOf(document);
    const names = indices.flatMap((index) => table.index?.columns[index] ?? []);
    const uri = document.uri.toString();
    const others = this.remembered().filter(([other]) => other !== uri);
    await this.state.update(COLUMNS, [[uri, names], ...others].slice(0, REMEMBERED));
    table.chooseColumns();
  }

  dispose(): void {
    for (const document of [...this.tables.keys()]) this.forget(document);
    vscode.Disposable.from(...this.subscriptions).dispose();
  }

  private remembered(): readonly (readonly [string, readonly string[]])[] {
    return this.state.get<readonly (readonly [string, readonly string[]])[]>(COLUMNS, []);
  }

  private visit(): void {
    for (const { document } of vscode.window.visibleTextEditors) if (kindOf(document) === 'rows') this.tableOf(document).show();
  }

  private tableOf(document: vscode.TextDocument): Table {
    let table = this.tables.get(document);
    if (!table) {
      table = new Table(document, {
        session: this.session,
        settings: this.settings,
        annotations: this.annotations,
        styles: this.styles,
        chosenColumns: () => {
          // the task's texts are those that it says, whatever else was read before
          const coverage = this.annotations.coverageOf(document);
          return coverage?.kind === 'table' ? coverage.textColumns : this.rememberedColumns(document.uri);
        },
        changed: () => this.changed.fire(document),
        failed: (error) => this.errors.note(error),
      });
      this.tables.set(document, table);
    }
    return table;
  }

  private forget(document: vscode.TextDocument): void {
    this.tables.get(document)?.dispose();
    this.tables.delete(document);
  }
}

interface TableContext {
  readonly session: Session;
  readonly settings: Settings;
  readonly annotations: TaskAnnotations;
  readonly styles: RowStyles;
  chosenColumns(): readonly string[] | undefined;
  changed(): void;
  failed(error: unknown): void;
}

/** A record on the screen. */
interface ReadRow {
  /** Where its annotation stands. */
  readonly position: vscode.Position;
  readonly text: string;
  /** 1-based number among the rows. */
  readonly row: number;
  readonly range: vscode.Range;
}

/** A record on the screen: where its annotation stands, and what it says as far as that is known. */
interface ShownRow {
  readonly position: vscode.Position;
  readonly text: string;
  readonly shown: RowText | undefined;
  /** Whether a prediction would be shown. */
  readonly awaits: boolean;
}

/** One document with records: its index, its text columns, and what is painted. */
class Table implements vscode.Disposable {
  index: DocumentIndex | undefined;
  drawn: readonly DrawnRow[] = [];
  problem: string | undefined;
  private columns: readonly number[] | undefined;
  private atStart: boolean | undefined;
  /** What each line showed before an edit, until the record's new answer is there. */
  private kept = new Map<number, DrawnRow>();
  /** Texts that could not be predicted; they are not tried again. */
  private readonly givenUp = new Set<string>();
  /** Ids of the examples near the screen. */
  private standing: ReadonlySet<string> = new Set();
  private readonly painted = new Map<vscode.TextEditor, Set<vscode.TextEditorDecorationType>>();
  private indexTimer: ReturnType<typeof setTimeout> | undefined;
  private paintTimer: ReturnType<typeof setTimeout> | undefined;
  private predictTimer: ReturnType<typeof setTimeout> | undefined;
  private lastPaint = -Infinity;
  private predicting: { readonly controller: AbortController; readonly texts: ReadonlySet<string> } | undefined;
  private readonly waiting = new Set<() => void>();
  private disposed = false;

  constructor(
    private readonly document: vscode.TextDocument,
    private readonly context: TableContext,
  ) {
    context.annotations.setStanding(document, (example) => this.standing.has(example));
  }

  get reading(): number | undefined {
    const { index } = this;
    if (!index || index.done || !this.active) return undefined;
    return index.rowCount === 0 ? 0 : index.rowLines(index.rowCount - 1).endLine / this.document.lineCount;
  }

  /** The document came on the screen, or another editor shows it. */
  show(): void {
    this.paintSoon(0);
  }

  /** Another model or other settings: what is drawn does not hold any longer. */
  refresh(): void {
    this.atStart = undefined;
    this.givenUp.clear();
    this.chooseColumns();
  }

  /** Other columns were chosen. */
  chooseColumns(): void {
    this.columns = undefined;
    this.kept.clear();
    this.paintSoon(0);
  }

  scrolled(): void {
    this.paintSoon(REPAINT);
  }

  /** Decisions or guesses moved. */
  annotated(): void {
    this.paintSoon(REPAINT);
  }

  edited(changes: readonly vscode.TextDocumentContentChangeEvent[]): void {
    // a decision was about the text as it was; a guess stays until there is another
    const guesses = this.drawn.filter(({ mark }) => mark === 'guess');
    let kept = new Map([...this.kept, ...guesses.map((row) => [row.line, row] as const)]);
    for (const { range, text } of changes) {
      const lastLine = range.start.line + lineBreaks(text);
      this.index?.edit(range.start.line, range.end.line, lastLine);
      kept = new Map([...kept].map(([line, row]) => [line < range.end.line ? line : line + lastLine - range.end.line, row]));
    }
    this.kept = kept;
    const first = Math.min(...changes.map(({ range }) => range.start.line));
    const sampleEnd = this.index && this.index.rowCount >= SAMPLE_ROWS ? this.index.rowLines(SAMPLE_ROWS - 1).endLine : Infinity;
    if (first <= sampleEnd) {
      // another dialect reads the whole document differently
      const dialect = this.sniff();
      if (this.index && !sameDialect(dialect, this.index.dialect)) this.index = undefined;
      this.columns = undefined;
    }
    this.paintSoon(REPAINT);
  }

  /** Resolves when the index satisfies `enough`, or is whole. */
  async indexed(enough: (index: DocumentIndex) => boolean): Promise<void> {
    while (!this.disposed) {
      const index = this.ensureIndex();
      if (index.done || enough(index)) return;
      this.indexSoon();
      await new Promise<void>((resolve) => this.waiting.add(resolve));
    }
  }

  passageAt(line: number): Passage | undefined {
    const { index } = this;
    const row = index?.rowAt(line);
    if (!index || row === undefined) return undefined;
    const record = index.record(row);
    const text = recordText(record, this.textColumns(index));
    if (text.trim() === '') return undefined;
    return { text, range: new vscode.Range(record.startLine, record.startCharacter, record.endLine, record.endCharacter), row: row + 1 };
  }

  async passagesWithin(first: number, last: number): Promise<readonly Passage[]> {
    // the row behind the range says that the index is past it
    await this.indexed((index) => index.rowCount > 0 && index.rowLines(index.rowCount - 1).startLine > last);
    const passages: Passage[] = [];
    const { version } = this.document;
    const rows = this.ensureIndex().rowsWithin(first, last);
    let end = performance.now() + READ_SLICE;
    for (let row = rows.from; row < rows.to; row++) {
      if (performance.now() > end) {
        await new Promise((resolve) => setTimeout(resolve));
        if (this.disposed) throw new CancelledError();
        if (this.document.version !== version) throw new HumanError('rows.changed', 'The document was edited while its rows were being read, so nothing was decided. Select the rows again.');
        end = performance.now() + READ_SLICE;
      }
      const passage = this.passageAt(this.ensureIndex().rowLines(row).startLine);
      if (passage) passages.push(passage);
    }
    return passages;
  }

  columnChoice(): ColumnChoice {
    const index = this.ensureIndex();
    const samples = this.sampleRows(index, 20);
    return {
      columns: index.columns.map((name, column) => ({ name, samples: samples.flatMap((values) => (values[column]?.trim() ? [values[column]] : [])).slice(0, 5) })),
      chosen: this.textColumns(index),
    };
  }

  dispose(): void {
    this.disposed = true;
    for (const timer of [this.indexTimer, this.paintTimer, this.predictTimer]) clearTimeout(timer);
    this.predicting?.controller.abort();
    this.wake();
  }

  private get editors(): readonly vscode.TextEditor[] {
    return vscode.window.visibleTextEditors.filter(({ document }) => document === this.document);
  }

  /** Whether the document is annotated at all. */
  private get active(): boolean {
    const { settings } = this.context;
    return !settings.paused && settings.unit(this.document) !== 'off';
  }

  // ---- the index

  private ensureIndex(): DocumentIndex {
    if (!this.index) {
      this.columns = undefined;
      this.index = new DocumentIndex(this.lines(), this.fileName, this.sniff(), this.format);
    }
    return this.index;
  }

  private sniff(): ReturnType<typeof sniffDocument> {
    return sniffDocument(this.lines(), this.fileName);
  }

  /** The name by which the core's reader tells formats apart; the language counts where the name says nothing, as in a new document. */
  private get fileName(): string {
    const { uri, languageId } = this.document;
    const name = uri.path.slice(uri.path.lastIndexOf('/') + 1);
    return languageId === 'tsv' && formatOf(name) !== 'csv' ? `${name}.tsv` : name;
  }

  private get format(): RecordFormat {
    const { languageId } = this.document;
    const byName = formatOf(this.fileName);
    if (byName !== 'text') return byName;
    return languageId === 'jsonl' ? 'jsonl' : languageId.includes('csv') ? 'csv' : 'text';
  }

  private lines(): DocumentLines {
    const { document } = this;
    return {
      get lineCount() {
        return document.lineCount;
      },
      lineText: (line) => document.lineAt(line).text,
    };
  }

  private indexSoon(): void {
    if (this.disposed) return;
    this.indexTimer ??= setTimeout(() => {
      this.indexTimer = undefined;
      this.indexSlice();
    }, 0);
  }

  private indexSlice(): void {
    const index = this.ensureIndex();
    const before = this.rowsOnScreen(index);
    const end = performance.now() + SLICE;
    try {
      while (!index.step(STEP) && performance.now() < end);
    } catch (error) {
      this.fail(error);
      return;
    }
    this.wake();
    if (!index.done) this.indexSoon();
    // the rows on the screen came in, or all is read
    if (index.done || this.rowsOnScreen(index) !== before) this.paintSoon(REPAINT);
    else this.context.changed();
  }

  private rowsOnScreen(index: DocumentIndex): number {
    let count = 0;
    for (const editor of this.editors) for (const { from, to } of this.visibleRows(editor, index)) count += to - from;
    return count;
  }

  private wake(): void {
    for (const resolve of this.waiting) resolve();
    this.waiting.clear();
  }

  /** A document that cannot be read as records is left alone; the status bar says why. */
  private fail(error: unknown): void {
    this.problem = error instanceof HumanError ? translated(error) : undefined;
    if (!(error instanceof HumanError)) this.context.failed(error);
    this.erase();
    this.wake();
  }

  // ---- the columns

  private textColumns(index: DocumentIndex): readonly number[] {
    this.columns ??= this.decideColumns(index);
    return this.columns;
  }

  private decideColumns(index: DocumentIndex): readonly number[] {
    const names = this.context.chosenColumns();
    if (names) {
      try {
        return columnIndices({ fileName: this.fileName, columns: index.columns }, names);
      } catch (error) {
        // the table was changed since: guess as for a new one
        if (!(error instanceof HumanError)) throw error;
      }
    }
    if (index.columns.length === 1) return [0];
    return guessTextColumns(index.columns, this.sampleRows(index, SAMPLE_ROWS));
  }

  private sampleRows(index: DocumentIndex, count: number): string[][] {
    return Array.from({ length: Math.min(count, index.rowCount) }, (_, row) => {
      const record = index.record(row);
      return index.columns.map((_name, column) => record.value(column) ?? '');
    });
  }

  // ---- painting

  /** Paints within `delay` milliseconds, but not more often than every {@link REPAINT}. */
  private paintSoon(delay: number): void {
    if (this.disposed) return;
    if (delay === 0) {
      clearTimeout(this.paintTimer);
      this.paintTimer = undefined;
    }
    const wait = Math.max(0, Math.min(delay, this.lastPaint + delay - performance.now()));
    this.paintTimer ??= setTimeout(() => {
      this.paintTimer = undefined;
      this.lastPaint = performance.now();
      this.paint();
    }, wait);
  }

  private paint(): void {
    const { editors } = this;
    for (const editor of this.painted.keys()) if (!editors.includes(editor)) this.painted.delete(editor);
    const { annotations, session } = this.context;
    // decisions are shown even where no model answers
    const nothing = session.status.error !== undefined && annotations.task === undefined;
    if (!this.active || nothing || editors.length === 0) {
      this.predicting?.controller.abort();
      clearTimeout(this.predictTimer);
      this.erase();
      return;
    }
    const index = this.ensureIndex();
    if (!index.done) this.indexSoon();
    // guessing the columns from less than a sample would change its mind in front of the reader's eyes
    if (!index.done && index.rowCount < SAMPLE_ROWS) return;
    const columns = this.textColumns(index);
    this.problem = index.done && index.rowCount > 0 && columns.length === 0 ? vscode.l10n.t('No column of this table reads like text. Choose the text columns yourself.') : undefined;

    const missing = new Set<string>();
    const drawn = new Map<number, DrawnRow>();
    const read = columns.length === 0 ? [] : editors.map((editor) => ({ editor, rows: this.readRows(editor, index, columns) }));
    if (annotations.task) this.standing = new Set(read.flatMap(({ rows }) => rows.map(({ text }) => annotations.idOf(text))));
    for (const { editor, rows: unshown } of read) {
      const rows = unshown.map((row) => this.shownRow(row));
      for (const { text, awaits } of rows) if (awaits && !this.givenUp.has(text)) missing.add(text);
      for (const row of this.draw(editor, rows)) drawn.set(row.line, row);
    }
    if (missing.size === 0) this.kept.clear();
    this.drawn = [...drawn.values()];
    this.context.changed();
    this.predictSoon(missing);
  }

  private readRows(editor: vscode.TextEditor, index: DocumentIndex, columns: readonly number[]): ReadRow[] {
    const ranges = this.visibleRows(editor, index);
    this.atStart ??= this.decidePosition(index, ranges);
    const rows: ReadRow[] = [];
    for (const { from, to } of ranges) {
      for (let row = from; row < to; row++) {
        const record = index.record(row);
        const text = recordText(record, columns);
        if (text.trim() === '') continue;
        const position = this.atStart ? new vscode.Position(record.startLine, 0) : this.document.lineAt(record.endLine).range.end;
        rows.push({ position, text, row: row + 1, range: new vscode.Range(record.startLine, record.startCharacter, record.endLine, record.endCharacter) });
      }
    }
    return rows;
  }

  private shownRow({ position, text, row, range }: ReadRow): ShownRow {
    const { annotations } = this.context;
    const place = annotations.task ? { start: this.document.offsetAt(range.start), end: this.document.offsetAt(range.end) } : {};
    const annotation = annotations.ofPart(this.document, { text, row, ...place });
    return { position, text, shown: rowTextOf(annotation), awaits: annotation.awaits };
  }

  private visibleRows(editor: vscode.TextEditor, index: DocumentIndex): { from: number; to: number }[] {
    const found: { from: number; to: number }[] = [];
    for (const { start, end } of editor.visibleRanges) {
      const rows = index.rowsWithin(Math.max(0, start.line - MARGIN), end.line + MARGIN);
      // folded regions split the screen into ranges whose margins overlap
      const from = Math.max(rows.from, found.at(-1)?.to ?? 0);
      if (from < rows.to) found.push({ from, to: rows.to });
    }
    return found;
  }

  private decidePosition(index: DocumentIndex, ranges: readonly { from: number; to: number }[]): boolean {
    const wanted = this.context.settings.rowPosition(this.document);
    if (wanted !== 'auto') return wanted === 'start';
    if (vscode.workspace.getConfiguration('editor', this.document).get<string>('wordWrap', 'off') !== 'off') return false;
    const lengths: number[] = [];
    // a line may be megabytes long; that it is too long shows in its first characters
    for (const { from, to } of ranges) for (let row = from; row < to; row++) lengths.push(columnWidth(this.document.lineAt(index.rowLines(row).endLine).text.slice(0, LONG_LINE + 1)));
    lengths.sort((a, b) => a - b);
    return (lengths[lengths.length >> 1] ?? 0) > LONG_LINE;
  }

  private draw(editor: vscode.TextEditor, rows: readonly ShownRow[]): DrawnRow[] {
    const drawn: DrawnRow[] = [];
    const byType = new Map<vscode.TextEditorDecorationType, vscode.DecorationOptions[]>();
    const before = this.painted.get(editor) ?? new Set();
    const width = this.atStart ? this.widthAtStart() : 0;
    for (const { position, shown, awaits } of rows) {
      const { line } = position;
      const row = shown ? { line, ...shown } : awaits ? this.kept.get(line) : undefined;
      if (shown) this.kept.delete(line);
      const type = this.context.styles.of(row);
      if (row) drawn.push({ ...row, line });
      else if (!this.atStart) continue;
      const attachment: vscode.ThemableDecorationAttachmentRenderOptions = this.atStart
        ? { contentText: row?.text ?? ' ', width: `${width}ch`, margin: '0 1ch 0 0' }
        : { contentText: row!.text, margin: '0 0 0 3ch' };
      const options = byType.get(type) ?? [];
      // an empty range at the start of a line: what comes after it stands before the text
      options.push({ range: new vscode.Range(position, position), renderOptions: { after: attachment } });
      byType.set(type, options);
    }
    // a call for each type that has, or had, something: each one is a message to the window
    for (const type of new Set([...before, ...byType.keys()])) editor.setDecorations(type, byType.get(type) ?? []);
    this.painted.set(editor, new Set(byType.keys()));
    return drawn;
  }

  /** Width that fits every label with shape and per cent, in characters; a Han character takes two. */
  private widthAtStart(): number {
    const { session, annotations } = this.context;
    const labels = [...(session.status.model?.labels ?? []), ...(annotations.task?.labels.map(({ name }) => name) ?? [])];
    const longest = Math.max(8, ...labels.map(columnWidth));
    return Math.min(30, longest + 7);
  }

  private erase(): void {
    for (const [editor, types] of this.painted) if (this.editors.includes(editor)) for (const type of types) editor.setDecorations(type, []);
    this.painted.clear();
    this.kept.clear();
    this.drawn = [];
    this.context.changed();
  }

  // ---- predicting

  private predictSoon(texts: ReadonlySet<string>): void {
    clearTimeout(this.predictTimer);
    if (texts.size === 0) return;
    // what is under way already covers it
    if (this.predicting && [...texts].every((text) => this.predicting!.texts.has(text))) return;
    this.predictTimer = setTimeout(() => void this.predict(texts), QUIET);
  }

  private async predict(texts: ReadonlySet<string>): Promise<void> {
    this.predicting?.controller.abort();
    const predicting = { controller: new AbortController(), texts };
    const { signal } = predicting.controller;
    this.predicting = predicting;
    try {
      await this.context.session.predict([...texts], { signal });
    } catch (error) {
      if (!signal.aborted && !(error instanceof CancelledError) && !this.context.session.status.error) await this.predictSingly([...texts], signal);
    } finally {
      if (this.predicting === predicting) this.predicting = undefined;
    }
    if (!signal.aborted) this.paintSoon(0);
  }

  /** After a failure: one text at a time, so that one that cannot be predicted does not keep the others from it. */
  private async predictSingly(texts: readonly string[], signal: AbortSignal): Promise<void> {
    for (const text of texts) {
      try {
        await this.context.session.predict([text], { signal });
      } catch (error) {
        if (error instanceof CancelledError || this.context.session.status.error) return;
        this.givenUp.add(text);
        this.context.failed(error);
      }
    }
  }
}

/** Columns that a text takes on the screen: two for a Han character. */
function columnWidth(text: string): number {
  return Array.from(text).reduce((sum, character) => sum + (character > '\u2e7f' ? 2 : 1), 0);
}

/** The last line in which the range has text: a selection of whole lines ends at the start of the line behind them. */
function lastLineOf({ start, end }: vscode.Range): number {
  return end.line > start.line && end.character === 0 ? end.line - 1 : end.line;
}

function lineBreaks(text: string): number {
  return text.match(/\r\n|\n|\r/g)?.length ?? 0;
}

function sameDialect(a: ReturnType<typeof sniffDocument>, b: ReturnType<typeof sniffDocument>): boolean {
  return a.delimiter === b.delimiter && a.quote === b.quote && a.header === b.header && a.separatorLine === b.separatorLine;
}
