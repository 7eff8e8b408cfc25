import { guessLabelColumn, guessTextColumns } from '../core/csv/columns';
import { RecordReader } from '../core/csv/reader';
import { CancelledError, HumanError } from '../core/errors';
import type { TaskKind } from '../core/model/onnxWriter';
import type { ReportDocument, ReportSection } from '../core/report/document';
import type { AbortSignalLike } from '../core/protocol/rpc';
import type { EpochReport } from '../core/protocol/trainer';
import type { ComparisonChoice, DataChoice, DataPreview, PanelComparison, PanelFile, PanelModel, PanelTable, PanelTraining, Prepared, PrepareChoice, SavedReport, TrainingChoice, TrainingForm, TrainingPanelEvent } from '../core/protocol/trainingPanel';
import type { FileSystem } from '../storage/fileSystem';
import { LossHistory } from '../training/history';
import { previewData } from './dataPreview';
import { Emitter, type Disposable, type Event } from './events';
import { excerpt } from './format';
import { joinPath, type ModelStore, type OpenedModel } from './modelStore';
import { Pacer } from './pacer';
import { StoppedTraining, untrusted, type TrainedModel, type TrainingJob, type TrainingOutcome, type Trainings, type VectorsRead } from './trainings';

/** The first rows of a table. */
export interface TableRows {
  readonly names: readonly string[];
  /** In the order of the names. */
  readonly rows: readonly (readonly string[])[];
}

/** What the workshop needs of the window around it. The id of a table, or of word vectors, is what the window knows the file by. */
export interface WorkshopWindow {
  readonly isTrusted: () => boolean;
  /** The table of the editor in front, or one that the person is asked for. @returns its id; undefined if they changed their mind. @throws HumanError when the editor shows none that can be trained on */
  chooseTable(from: 'editor' | 'dialog'): Promise<string | undefined>;
  /** A table with rows to check with, or a file of word vectors, that the person is asked for. @returns its id; undefined if they changed their mind */
  chooseHeldOut(): Promise<string | undefined>;
  chooseVectors(): Promise<string | undefined>;
  /** Name of a file, as a person knows it. */
  nameOf(file: string): string;
  /** A table's first rows, as many as tell what the columns hold. */
  sample(table: string): Promise<TableRows>;
  /** A file's bytes, unpacked. */
  open(file: string): Promise<{ readonly chunks: AsyncIterable<Uint8Array>; fraction(): number | undefined }>;
  /** Sees to it that the file on disk is what the person sees. @returns false if they do not want it saved */
  settle(table: string): Promise<boolean>;
  /** Name and folder for the model that is trained on it. */
  placeOf(table: string): Promise<{ readonly task: string; readonly folder: string }>;
  reveal(table: string, row: number): Promise<void>;
  /** Threads to train with; 0 leaves the choice to us. */
  readonly workers: () => number;
  /** Name of the model in use. */
  readonly modelInUse: () => string | undefined;
  useModel(name: string): Promise<void>;
  /** Told when a task has a new version, which may be the one in use. */
  trained(model: TrainedModel): void;
  openFile(path: string, format: SavedReport['format']): Promise<void>;
  /** How good a model is and what was left out, in the person's language. */
  describe(model: TrainedModel): { readonly summary: string; readonly notes: readonly string[] };
  /** What a file of word vectors had for a training, in the person's language. */
  describeVectors(file: string, vectors: VectorsRead): readonly string[];
  messageOf(error: unknown): string;
  note(error: unknown): void;
  /** Keeps something for this workspace. */
  readonly memory: { get(): unknown; set(value: unknown): void };
}

/** A training as far as it has come. */
export interface TrainingCourse {
  readonly kind: TaskKind;
  /** Training loss over global steps, from 1. */
  readonly history: readonly { readonly step: number; readonly loss: number }[];
  readonly stepsPerEpoch: number;
  readonly epochs: readonly EpochReport[];
}

/** Makes reports, in the person's language. */
export interface TrainingReports {
  live(course: TrainingCourse): readonly ReportSection[];
  /** @param file as a person knows it */
  finished(outcome: TrainingOutcome, file: string): ReportDocument;
  html(document: ReportDocument): string;
  markdown(document: ReportDocument): string;
}

/** What is done with data besides training. */
export interface DataTools {
  /** @returns the files as tables */
  prepare(request: { readonly table: string; readonly choice: PrepareChoice; readonly signal: AbortSignalLike }): Promise<Prepared>;
  compare(request: { readonly data: DataChoice; readonly models: readonly OpenedModel[]; readonly signal: AbortSignal; readonly onProgress: (fraction: number) => void }): Promise<readonly ReportSection[]>;
}

export interface WorkshopOptions {
  readonly fileSystem: Pick<FileSystem, 'writeFileAtomically'>;
  readonly trainings: Pick<Trainings, 'train' | 'active'>;
  readonly models: Pick<ModelStore, 'list' | 'open'>;
  readonly reports: TrainingReports;
  readonly tools: DataTools;
  readonly window: WorkshopWindow;
  readonly pause: () => Promise<void>;
}

/** A training that was begun here. */
interface Run {
  readonly stop: AbortController;
  readonly table: string;
  /** Takes the answer to whether to try again to store the model, while that is asked. */
  answer?: (again: boolean) => void;
}

interface Course extends TrainingCourse {
  readonly losses: LossHistory;
  stepsPerEpoch: number;
  epochs: EpochReport[];
}

/** Milliseconds between two messages about progress, and between two states of a live report, which costs more to show. */
const PROGRESS_INTERVAL = 100;
const REPORT_INTERVAL = 1000;
/** Of the rows of a sample, those that are enough to tell texts from other values; values of a column that the page shows, and their characters. */
const TEXT_ROWS = 200;
const SAMPLES = 20;
const SAMPLE_LENGTH = 120;
/** Notes about a training that are kept, and defects of its files that the log lists. */
const MOST_NOTES = 20;
const LOGGED_DEFECTS = 100;

const reportFiles = [
  { format: 'html', name: 'report.html' },
  { format: 'markdown', name: 'report.md' },
] as const satisfies readonly SavedReport[];

/**
 * What a person does in the training panel, whether or not it is open: the form, the training that was begun there with its report, the comparison. Whoever shows it hears of changes; what goes wrong with a
 * training or comparison is part of its state.
 */
export class TrainingWorkshop implements Disposable {
  private readonly emitter: Emitter<TrainingPanelEvent>;
  private readonly progress: Pacer<TrainingPanelEvent>;
  private readonly reporting: Pacer<TrainingPanelEvent>;
  private readonly comparingProgress: Pacer<TrainingPanelEvent>;
  private run: Run | undefined;
  /** The table whose rows the report of the latest training names. */
  private reportedOn: string | undefined;
  private comparing: { readonly stop: AbortController } | undefined;
  /** Tables that a page may name. */
  private readonly tables = new Map<string, string>();
  /** Word vectors that a page may name. */
  private readonly vectorFiles = new Set<string>();
  private document: ReportDocument | undefined;
  private course: Course = newCourse('single');

  form: TrainingForm | null = null;
  training: PanelTraining | null = null;
  report: readonly ReportSection[] = [];
  comparison: PanelComparison | null = null;

  constructor(private readonly options: WorkshopOptions) {
    this.emitter = new Emitter((error) => options.window.note(error));
    this.progress = new Pacer((event) => this.emitter.fire(event), PROGRESS_INTERVAL);
    this.comparingProgress = new Pacer((event) => this.emitter.fire(event), PROGRESS_INTERVAL);
    this.reporting = new Pacer((event) => this.emitter.fire(event), REPORT_INTERVAL);
  }

  get onDidChange(): Event<TrainingPanelEvent> {
    return this.emitter.event;
  }

  dispose(): void {
    this.run?.stop.abort();
    this.run?.answer?.(false);
    this.comparing?.stop.abort();
    this.progress.dispose();
    this.comparingProgress.dispose();
    this.reporting.dispose();
    this.emitter.dispose();
  }

  /** Files that were not chosen here are left out: the next window takes over those that it finds. */
  remember(form: TrainingForm): void {
    const strange = (['file', 'heldOutFile', 'vectors'] as const).filter((name) => form[name] !== undefined && !(name === 'vectors' ? this.vectorFiles : this.tables).has(form[name]));
    this.form = without(form, ...strange);
    this.options.window.memory.set(this.form);
  }

  /** Takes over a form of an earlier window, and by that the files that it names. */
  restore(form: TrainingForm): void {
    if (this.form) return;
    this.form = form;
    if (form.heldOutFile !== undefined) this.know(form.heldOutFile);
    if (form.file !== undefined) this.know(form.file);
    if (form.vectors !== undefined) this.vectorFiles.add(form.vectors);
  }

  /** @throws HumanError, as all that follow */
  async chooseTable(from: 'editor' | 'dialog'): Promise<PanelTable | null> {
    const table = await this.options.window.chooseTable(from);
    return table === undefined ? null : await this.offer(table);
  }

  /** Reads a table's first rows, and lets pages name it from now on. */
  async offer(table: string): Promise<PanelTable> {
    const { window } = this.options;
    const { names, rows } = await window.sample(table);
    this.know(table);
    const label = guessLabelColumn(names, rows);
    const others = names.map((name, column) => ({ name, column })).filter(({ column }) => column !== label);
    const texts = guessTextColumns(others.map(({ name }) => name), rows.slice(0, TEXT_ROWS).map((values) => others.map(({ column }) => values[column] ?? '')));
    return {
      id: table,
      name: window.nameOf(table),
      columns: names.map((name, column) => ({ name, samples: rows.flatMap((values) => (values[column]?.trim() ? [excerpt(values[column], SAMPLE_LENGTH)] : [])).slice(0, SAMPLES) })),
      guess: { ...(label === undefined ? {} : { label: names[label]! }), text: texts.flatMap((index) => others[index]?.name ?? []) },
    };
  }

  async table(id: string): Promise<PanelTable> {
    return await this.offer(this.known(id));
  }

  async chooseHeldOut(): Promise<PanelTable | null> {
    const table = await this.options.window.chooseHeldOut();
    return table === undefined ? null : await this.offer(table);
  }

  async chooseVectors(): Promise<PanelFile | null> {
    const file = await this.options.window.chooseVectors();
    if (file === undefined) return null;
    this.vectorFiles.add(file);
    return this.vectors(file);
  }

  vectors(id: string): PanelFile {
    return { id: this.knownVectors(id), name: this.options.window.nameOf(id) };
  }

  async preview({ file, ...choice }: DataChoice, signal: AbortSignalLike): Promise<DataPreview> {
    const table = this.known(file);
    const { window, pause } = this.options;
    const { chunks } = await window.open(table);
    return await previewData({ ...choice, chunks, reader: new RecordReader(window.nameOf(table)), signal, pause });
  }

  async prepare(choice: PrepareChoice, signal: AbortSignalLike): Promise<Prepared> {
    const table = this.known(choice.data.file);
    this.checkTrust();
    if (!(await this.options.window.settle(table))) throw new CancelledError();
    const prepared = await this.options.tools.prepare({ table, choice, signal });
    for (const { id } of prepared.files) this.know(id);
    return prepared;
  }

  /** Begins a training, or puts it behind the one that runs. @returns when it has its place; how it goes is told as an event */
  async train(choice: TrainingChoice): Promise<void> {
    const { window, trainings, models } = this.options;
    this.checkTrust();
    if (this.run) throw new HumanError('panel.training', 'A training of this panel is under way. Cancel it first, or wait for it.');
    const table = this.known(choice.data.file);
    const heldOut = 'file' in choice.heldOut ? this.known(choice.heldOut.file) : undefined;
    if (choice.vectors !== undefined) this.knownVectors(choice.vectors);
    const stop = new AbortController();
    const run: Run = { stop, table };
    this.run = run;
    try {
      for (const each of [table, ...(heldOut === undefined ? [] : [heldOut])]) if (!(await window.settle(each))) throw new CancelledError();
      const [{ task, folder }, base] = await Promise.all([window.placeOf(table), choice.base === undefined ? undefined : models.open(choice.base)]);
      if (stop.signal.aborted) throw new CancelledError();
      const waitsFor = trainings.active?.task;
      this.reportedOn = heldOut ?? table;
      this.document = undefined;
      this.course = newCourse(choice.data.kind);
      this.renewReport([]);
      this.become({ status: waitsFor === undefined ? 'reading' : 'waiting', task, file: window.nameOf(table), fraction: 0, notes: [], ...(waitsFor === undefined ? {} : { waitsFor }) });
      void this.go(run, choice, { task, folder, ...(base ? { base } : {}) });
    } catch (error) {
      this.run = undefined;
      throw error;
    }
  }

  cancelTraining(): void {
    this.run?.answer?.(false);
    this.run?.stop.abort();
  }

  /** Says whether to try again to store a model that could not be stored. */
  storeAgain(again: boolean): void {
    this.run?.answer?.(again);
  }

  async useModel(): Promise<void> {
    const model = this.trained();
    await this.options.window.useModel(model.name);
    if (this.training?.model === model) this.become({ ...this.training, model: { ...model, inUse: true } });
  }

  /** Writes the report beside the model. */
  async saveReport(): Promise<readonly SavedReport[]> {
    const model = this.trained();
    const { fileSystem, reports } = this.options;
    const { document } = this;
    if (!document) throw new HumanError('panel.report', 'There is no report to save. Train a model first.');
    const contents = { html: reports.html(document), markdown: reports.markdown(document) };
    for (const { format, name } of reportFiles) await fileSystem.writeFileAtomically(joinPath(model.folder, name), new TextEncoder().encode(contents[format]));
    if (this.training?.model === model) this.become({ ...this.training, model: { ...model, saved: reportFiles } });
    return reportFiles;
  }

  async openReport(format: SavedReport['format']): Promise<void> {
    const model = this.trained();
    const saved = model.saved.find((each) => each.format === format);
    if (!saved) throw new HumanError('panel.report', 'There is no report to save. Train a model first.');
    await this.options.window.openFile(joinPath(model.folder, saved.name), format);
  }

  /** Those that are whole. */
  async models(): Promise<readonly PanelModel[]> {
    const inUse = this.options.window.modelInUse();
    return (await this.options.models.list()).flatMap(({ name, origin, manifest }) =>
      manifest ? [{ name, origin, kind: manifest.task.kind, labels: manifest.task.labels.map((label) => label.name ?? label.id), preset: manifest.architecture.preset, inUse: name === inUse }] : [],
    );
  }

  async compare({ data, models: names }: ComparisonChoice): Promise<void> {
    const { window, models, tools } = this.options;
    this.checkTrust();
    const table = this.known(data.file);
    if (this.comparing) throw new HumanError('panel.comparing', 'A comparison is under way. Cancel it first, or wait for it.');
    const comparing = { stop: new AbortController() };
    this.comparing = comparing;
    try {
      if (!(await window.settle(table))) throw new CancelledError();
      const opened: OpenedModel[] = [];
      for (const name of names) opened.push(await models.open(name));
      const begun = { models: names, file: window.nameOf(table), sections: [] };
      this.showComparison({ ...begun, status: 'running' });
      const { signal } = comparing.stop;
      const onProgress = (fraction: number): void => {
        if (this.comparing === comparing) this.showComparison({ ...begun, status: 'running', fraction });
      };
      void tools.compare({ data, models: opened, signal, onProgress }).then(
        (sections) => this.endComparison({ ...begun, status: 'done', sections }),
        (error: unknown) => {
          if (!(error instanceof CancelledError)) window.note(error);
          this.endComparison(error instanceof CancelledError ? { ...begun, status: 'stopped' } : { ...begun, status: 'failed', error: window.messageOf(error) });
        },
      );
    } catch (error) {
      this.comparing = undefined;
      throw error;
    }
  }

  cancelComparison(): void {
    this.comparing?.stop.abort();
  }

  /** @param file as a report names it */
  async reveal(file: string, row: number): Promise<void> {
    const named = [...this.tables].filter(([, name]) => name === file).map(([id]) => id);
    const table = this.reportedOn !== undefined && named.includes(this.reportedOn) ? this.reportedOn : named.at(-1);
    if (table === undefined) throw new HumanError('panel.file', '{0} is not among the files that were chosen here. Choose it again.', [file]);
    await this.options.window.reveal(table, row);
  }

  private async go(run: Run, { data, heldOut, vectors, threshold, preset, hyperparameters }: TrainingChoice, { task, folder, base }: { readonly task: string; readonly folder: string; readonly base?: OpenedModel }): Promise<void> {
    const { window, trainings } = this.options;
    const columns = without(data, 'file');
    const file = window.nameOf(run.table);
    const inputOf = (id: string): Pick<TrainingJob, 'file' | 'open'> => ({ file: window.nameOf(id), open: () => window.open(id) });
    let outcome: TrainingOutcome | undefined;
    let vectorNotes: readonly string[] = [];
    let defects = 0;
    try {
      const trained = await trainings.train(
        {
          ...columns,
          ...inputOf(run.table),
          task,
          folder,
          preset,
          hyperparameters,
          heldOut: 'file' in heldOut ? inputOf(heldOut.file) : heldOut,
          ...(vectors === undefined ? {} : { vectors: inputOf(vectors) }),
          ...(threshold === undefined ? {} : { threshold }),
          workers: window.workers(),
          ...(base ? { base } : {}),
        },
        {
          signal: run.stop.signal,
          onReading: (rows, part) => this.progressing({ status: 'reading', ...(part === 'heldOut' && 'file' in heldOut ? { reading: { file: window.nameOf(heldOut.file), rows } } : { rows }) }),
          onReadingVectors: (fraction) => this.progressing({ status: 'reading', reading: { file: window.nameOf(vectors!), ...(fraction === undefined ? {} : { fraction }) } }),
          onVectors: (read) => {
            vectorNotes = window.describeVectors(window.nameOf(vectors!), read);
            this.progressing({ notes: [...(this.training?.notes ?? []), ...vectorNotes] });
          },
          onProgress: ({ finished, ...progress }, fraction) => {
            this.follow(progress.batches, progress.step, progress.loss, finished);
            this.progressing({ status: 'running', progress, fraction });
          },
          onContinue: ({ epochs, batches }) => {
            this.course.epochs = [...epochs];
            this.course.stepsPerEpoch = batches;
            this.progressing({ continuedAfter: epochs.length });
          },
          onProblem: (problem) => {
            window.note(problem);
            this.progressing({ notes: [...(this.training?.notes ?? []), window.messageOf(problem)].slice(-MOST_NOTES) });
          },
          onDefect: (defect) => {
            if (++defects <= LOGGED_DEFECTS) window.note(defect.message);
          },
          onNotStored: async (error) => {
            window.note(error);
            if (this.training) this.become({ ...this.training, status: 'notStored', error: window.messageOf(error) });
            const again = await new Promise<boolean>((resolve) => (run.answer = resolve));
            delete run.answer;
            if (again) this.progressing({ status: 'running' });
            return again;
          },
          onTrained: (all) => (outcome = all),
        },
      );
      window.trained(trained);
      this.finish(outcome, file);
      const { summary, notes } = window.describe(trained);
      this.end({ status: 'done', fraction: 1, notes: [...vectorNotes, ...notes], model: { name: trained.name, folder: trained.folder, summary, inUse: window.modelInUse() === trained.name, saved: [] } });
    } catch (error) {
      if (error instanceof CancelledError) this.end({ status: 'stopped', canContinue: error instanceof StoppedTraining });
      else {
        window.note(error);
        this.end({ status: 'failed', error: window.messageOf(error) });
      }
    }
  }

  /** Notes a step's loss and an epoch's report; renews the report now and then. */
  private follow(stepsPerEpoch: number, step: number, loss: number, finished: EpochReport | undefined): void {
    const { course } = this;
    course.stepsPerEpoch = stepsPerEpoch;
    if (step > course.losses.steps) course.losses.add(loss, step - course.losses.steps);
    if (finished) course.epochs.push(finished);
    this.reporting.soon('report', () => {
      this.report = this.options.reports.live(this.course);
      return { kind: 'report', sections: this.report };
    });
  }

  /** The whole report, in the place of the live one. A report that cannot be made takes nothing from the model. */
  private finish(outcome: TrainingOutcome | undefined, file: string): void {
    if (!outcome) return;
    try {
      this.document = this.options.reports.finished(outcome, file);
      this.renewReport(this.document.sections);
    } catch (error) {
      this.options.window.note(error);
    }
  }

  private renewReport(sections: readonly ReportSection[]): void {
    // a live one that waits would come after it
    this.reporting.clear();
    this.report = sections;
    this.emitter.fire({ kind: 'report', sections });
  }

  /** Of a training that goes on; what went wrong before it did is over. */
  private progressing(part: Partial<PanelTraining>): void {
    if (!this.training || !this.run) return;
    this.training = { ...without(this.training, 'error', 'waitsFor', 'reading'), ...part };
    this.progress.soon('training', () => ({ kind: 'training', training: this.training! }));
  }

  private end(part: Partial<PanelTraining>): void {
    this.run = undefined;
    if (!this.training) return;
    this.become({ ...without(this.training, 'error', 'waitsFor', 'reading', 'progress'), ...part });
  }

  private become(training: PanelTraining): void {
    this.progress.clear();
    this.training = training;
    this.emitter.fire({ kind: 'training', training });
  }

  private showComparison(comparison: PanelComparison): void {
    this.comparison = comparison;
    this.comparingProgress.soon('comparison', () => ({ kind: 'comparison', comparison: this.comparison! }));
  }

  private endComparison(comparison: PanelComparison): void {
    this.comparing = undefined;
    this.showComparison(comparison);
  }

  private trained(): NonNullable<PanelTraining['model']> {
    const model = this.training?.model;
    if (!model) throw new HumanError('panel.report', 'There is no report to save. Train a model first.');
    return model;
  }

  private know(table: string): void {
    // the latest last
    this.tables.delete(table);
    this.tables.set(table, this.options.window.nameOf(table));
  }

  private known(table: string): string {
    if (!this.tables.has(table)) throw new HumanError('panel.table', 'This file is no longer open here. Choose it again.');
    return table;
  }

  private knownVectors(file: string): string {
    if (!this.vectorFiles.has(file)) throw new HumanError('panel.table', 'This file is no longer open here. Choose it again.');
    return file;
  }

  private checkTrust(): void {
    if (!this.options.window.isTrusted()) throw untrusted();
  }
}

function newCourse(kind: TaskKind): Course {
  const losses = new LossHistory();
  return {
    ...{ kind, losses, stepsPerEpoch: 0, epochs: [] },
    get history() {
      return losses.points();
    },
  };
}

function without<T extends object, K extends keyof T & string>(value: T, ...names: readonly K[]): Omit<T, K> {
  return Object.fromEntries(Object.entries(value).filter(([name]) => !names.includes(name as K))) as unknown as Omit<T, K>;
}
