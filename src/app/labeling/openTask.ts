import { agreementOf } from '../../core/labels/agreement';
import { CancelledError, HumanError } from '../../core/errors';
import type { Decision, DecisionPrediction, DecisionSource, DecisionValue } from '../../core/labels/decision';
import { byAnnotator, importDrafts, type ImportPlan, type PlannedDecision } from '../../core/labels/importPlan';
import type { DecisionDraft, JournalState } from '../../core/labels/journal';
import { applyLabelEdit, keywordsOf, type Label, type TaskDefinition } from '../../core/labels/task';
import type {
  DecideRequest, Example, ExampleFilter, ExampleList, ExampleState, FineTuneState, Guess, Insight, LabelEdit, LearningState, ModelVersion, QueueItem, StaleState, TaskChange, TaskCounts, Undone, WordWeight,
} from '../../core/labels/view';
import { leadingLabel, ruleInOrder } from '../../core/model/deciding';
import type { QueueOrder } from '../../core/protocol/learner';
import type { AbortSignalLike } from '../../core/protocol/rpc';
import type { WorkerHandle } from '../../core/protocol/worker';
import type { FileSystem } from '../../storage/fileSystem';
import type { JournalStore, Refreshed } from '../../storage/journalStore';
import type { TaskStore } from '../../storage/taskStore';
import { Emitter, type Event } from '../events';
import type { Log } from '../log';
import type { OpenedModel } from '../modelStore';
import type { Session } from '../session';
import { ExampleLists } from './exampleLists';
import { makeInsight } from './insightReport';
import type { LabelingTask } from './labeling';
import { readPool, sourcesHash, type Pool, type PoolInput, type PoolOptions } from './pool';
import { Slices } from './slices';
import { StopEvidence } from './stopEvidence';
import { TaskDecisions, unknownExample } from './taskDecisions';
import { TaskLearning } from './taskLearning';
import { columnsFor, pickColumns } from './taskModel';
import { TaskQueue } from './taskQueue';
import { TaskTuning } from './taskTuning';

/** What open tasks share with the window around them. */
export interface LabelingServices {
  readonly fileSystem: FileSystem;
  /** Opens a file as it comes, unpacked. @param path absolute */
  readonly openInput: (path: string) => Promise<PoolInput>;
  readonly session: Pick<Session, 'models' | 'predictor' | 'explainer' | 'trainings' | 'status' | 'reload'>;
  /** Starts the learner's worker. */
  readonly startLearner: () => WorkerHandle;
  /** Name of the person at the keyboard. @param folder absolute path of the task's folder */
  readonly annotator: (folder: string) => Promise<string>;
  /** Model that tasks without one of their own start from. */
  readonly baseModel: string;
  /** Decisions between two fine-tunings; 0: only on request. */
  readonly fineTuneEvery: () => number;
  /** Threads to train with; 0 leaves the choice to us. */
  readonly trainingWorkers: () => number;
  /** Resolves after what has come in was handled. */
  readonly pause: () => Promise<void>;
  readonly log: Log;
}

/** A task's files and what they say, as {@link OpenTask} takes them over. */
export interface TaskParts {
  readonly folder: string;
  readonly definition: TaskDefinition;
  readonly annotator: string;
  readonly store: Pick<TaskStore, 'read' | 'update'>;
  readonly journal: Pick<JournalStore, 'state' | 'append' | 'undo' | 'redo' | 'refresh' | 'recreate' | 'useTask'>;
  /** The journal of somebody else, for what was imported of theirs. */
  readonly journalOf: (annotator: string) => Promise<Pick<JournalStore, 'append'>>;
  /** What the person has to know of the journal, such as lines that do not count. */
  readonly problems: readonly HumanError[];
}

/** Milliseconds between two words on how the reading goes. */
const readingInterval = 200;
/** Texts that the learner is told of between two looks at the clock. */
const toldAtOnce = 1000;
/** Folds of the cross-validation behind an insight. */
const folds = 5;

/** A task that is open: its texts, what was decided, what is learned from it. */
export class OpenTask implements LabelingTask {
  readonly folder: string;
  readonly annotator: string;
  readonly ready: Promise<void>;
  private readonly emitter: Emitter<TaskChange>;
  private readonly state: JournalState;
  private readonly learner: TaskLearning;
  private readonly tuning: TaskTuning;
  private readonly queue: TaskQueue;
  private readonly lists: ExampleLists;
  private readonly evidence: StopEvidence;
  private readonly disposal = new AbortController();
  private pool: Pool | undefined;
  private fraction: number | undefined = 0;
  private readonly firstTexts: Promise<void>;
  private tellFirstTexts: () => void = () => undefined;
  private lastTold = 0;
  private hash = '';
  /** Edits and looks at what others did wait for each other. */
  private lastWork: Promise<unknown> = Promise.resolve();
  private refreshing: Promise<void> | undefined;
  /** What was decided is taken in one act after the other. */
  private lastDecided: Promise<unknown> = Promise.resolve();
  /** Counts what changes the result of a filter. */
  private changes = 0;

  /** Nothing may be written to the journal until it is open. */
  static async open(services: LabelingServices, parts: TaskParts): Promise<OpenTask> {
    return new OpenTask(services, parts, await TaskDecisions.of(parts.journal.state, parts.definition, parts.annotator, services.pause));
  }

  private constructor(
    private readonly services: LabelingServices,
    private readonly parts: TaskParts,
    private readonly decisions: TaskDecisions,
  ) {
    const { folder, annotator, journal, problems } = parts;
    const { pause } = services;
    const onProblem = (problem: unknown): void => this.note(problem);
    this.folder = folder;
    this.annotator = annotator;
    this.state = journal.state;
    this.emitter = new Emitter((error) => services.log.error(error instanceof Error ? error : String(error)));
    this.learner = new TaskLearning({
      startLearner: services.startLearner,
      predictor: services.session.predictor,
      pause,
      decisionAt: (position) => this.decisions.learnedAt(position),
      onRanking: () => this.ranked(),
      onProgress: () => this.emitter.fire({ kind: 'learning' }),
      onProblem,
    });
    this.tuning = new TaskTuning({
      services,
      folder,
      decisions,
      pool: () => this.wholePool(),
      onState: () => this.emitter.fire({ kind: 'learning' }),
      onModel: (model) => this.learner.useModel(model),
      onProblem,
    });
    this.queue = new TaskQueue(decisions, this.learner, pause, onProblem);
    this.lists = new ExampleLists(journal.state, this.learner, pause);
    this.evidence = new StopEvidence(this.decisions, this.learner, pause);
    this.firstTexts = new Promise((resolve) => (this.tellFirstTexts = resolve));
    // whoever opens the task has to have subscribed first
    void pause().then(() => problems.forEach(onProblem));
    this.ready = this.readSources();
    // whoever waits is told; what goes wrong is a problem of the task in any case
    this.ready.catch(() => undefined);
  }

  get onDidChange(): Event<TaskChange> {
    return this.emitter.event;
  }

  get definition(): TaskDefinition {
    return this.decisions.definition;
  }

  get labels(): readonly Label[] {
    return this.decisions.labels;
  }

  get reading(): number | undefined {
    return this.fraction;
  }

  get order(): QueueOrder {
    return this.learner.order;
  }

  get canUndo(): boolean {
    return this.state.canUndo(this.annotator);
  }

  get canRedo(): boolean {
    return this.state.canRedo(this.annotator);
  }

  get counts(): TaskCounts {
    const { labeled, skipped, flagged, byLabel } = this.state.counts();
    const { size = 0, rows = 0 } = this.pool ?? {};
    return { examples: size, rows, labeled, skipped, flagged, open: Math.max(0, size - labeled - skipped - flagged), byLabel, pace: this.state.pace(this.annotator, Date.now()) };
  }

  get learning(): LearningState {
    const { ranking, cached, decisions } = this.learner;
    const { until, state } = this.tuning;
    const { open, examples } = this.counts;
    const stopHint = examples > 0 && this.fraction === undefined ? this.evidence.hint(open, ranking) : undefined;
    return {
      cached,
      decisions,
      trusted: ranking?.trusted ?? false,
      ...(ranking?.check ? { check: ranking.check } : {}),
      ...(until === undefined ? {} : { untilFineTune: until }),
      ...(state ? { fineTune: state } : {}),
      ...(stopHint ? { stopHint } : {}),
    };
  }

  example(id: string): Example | undefined {
    return exampleIn(this.pool, id);
  }

  stateOf(id: string): ExampleState | undefined {
    return this.state.stateOf(id);
  }

  wordOf(id: string, annotator: string): Decision | undefined {
    return this.state.wordOf(id, annotator);
  }

  guessOf(id: string): Guess | undefined {
    const position = this.pool?.positionOf(id);
    return position === undefined ? undefined : this.learner.guessAt(position);
  }

  staleAt(source: DecisionSource, text: string): StaleState | undefined {
    return this.decisions.staleAt(source, text);
  }

  // ---- the queue

  async next(count: number, skip: readonly string[] = []): Promise<readonly QueueItem[]> {
    await this.firstTexts;
    const { pool } = this;
    return pool ? await this.queue.next(pool, count, new Set(skip)) : [];
  }

  async setOrder(order: QueueOrder): Promise<void> {
    await this.learner.setOrder(order);
    this.emitter.fire({ kind: 'queue' });
  }

  neighbour(id: string, step: -1 | 1): string | undefined {
    return this.decisions.neighbour(id, step);
  }

  // ---- decisions

  async decide(request: DecideRequest): Promise<Undone> {
    // a bulk is about the texts that there are now, whatever is read meanwhile
    const { pool } = this;
    const drafts = this.decisions.draftsOf(request, { example: (id) => exampleIn(pool, id), predictionOf: (id) => this.predictionOf(id) });
    return await this.written(() => this.parts.journal.append(drafts));
  }

  async undo(): Promise<Undone | undefined> {
    return await this.written(() => this.parts.journal.undo());
  }

  async redo(): Promise<Undone | undefined> {
    return await this.written(() => this.parts.journal.redo());
  }

  async importPlanned(plan: Pick<ImportPlan, 'decisions' | 'newLabels'>): Promise<Undone> {
    return await this.inOrder(async () => {
      const names = plan.newLabels.map(({ name }) => name);
      const withLabels = (task: TaskDefinition): TaskDefinition => names.reduce((next, name) => applyLabelEdit(next, { do: 'add', name }), task);
      if (names.length > 0) this.useDefinition(await this.parts.store.update(this.definition.name, withLabels));
      let examples: readonly string[] = [];
      for (const [annotator, decisions] of byAnnotator(plan.decisions)) {
        const journal = annotator === this.annotator ? this.parts.journal : await this.parts.journalOf(annotator);
        // drafted when it is their turn, when it is known what was decided since the import was planned
        const drafts = (): Promise<readonly DecisionDraft[]> => this.importDrafts(decisions);
        examples = examples.concat((await this.written(() => journal.append(drafts))).examples);
      }
      await this.takeIn();
      return this.undone(examples);
    });
  }

  private async importDrafts(decisions: readonly PlannedDecision[]): Promise<readonly DecisionDraft[]> {
    const slices = new Slices(this.services.pause);
    const drafts: DecisionDraft[] = [];
    for (const draft of importDrafts(decisions, this.definition, this)) {
      drafts.push(draft);
      if (slices.isOver) await slices.rest();
    }
    return drafts;
  }

  async editLabel(edit: LabelEdit): Promise<void> {
    await this.inOrder(async () => {
      this.useDefinition(await this.parts.store.update(this.definition.name, (task) => applyLabelEdit(task, edit)));
    });
  }

  /** Tells what was written, or at once what could not be. */
  private async written<U extends Undone | undefined>(write: () => Promise<U>): Promise<U> {
    try {
      const undone = await write();
      if (undone) await this.decided(undone.examples);
      return undone;
    } catch (error) {
      if (error instanceof HumanError) this.emitter.fire({ kind: 'problem', problem: error });
      throw error;
    }
  }

  /** Tells everybody who has to know what was decided, in the order in which it was. */
  private async decided(examples: readonly string[]): Promise<void> {
    const turn = this.lastDecided.then(async () => {
      await this.decisions.changed(examples);
      this.changes++;
      await this.tellLearner(examples);
      this.emitter.fire({ kind: 'decisions', examples });
      if (this.fraction === undefined) this.tuning.startIfDue().catch((error: unknown) => this.note(error));
    });
    this.lastDecided = turn.catch(() => undefined);
    await turn;
  }

  private async tellLearner(examples: readonly string[]): Promise<void> {
    const slices = new Slices(this.services.pause);
    for (let start = 0; start < examples.length; start += toldAtOnce) {
      this.learner.changed(examples.slice(start, start + toldAtOnce).flatMap((id) => this.pool?.positionOf(id) ?? []));
      if (slices.isOver) await slices.rest();
    }
  }

  private undone(examples: readonly string[]): Undone {
    return { examples, canUndo: this.canUndo, canRedo: this.canRedo };
  }

  private predictionOf(id: string): DecisionPrediction | undefined {
    const guess = this.guessOf(id);
    const { version } = this.tuning;
    // the value that a model holds to be right comes without a score
    return guess && version !== undefined && this.definition.kind !== 'number' ? { label: guess.value, score: guess.confidence, model: version } : undefined;
  }

  // ---- lists, reasons, insight

  async list(filter: ExampleFilter, from: number, count: number): Promise<ExampleList> {
    const { pool } = this;
    const positions = await this.lists.matching(pool, filter, this.changes);
    const slice = positions.slice(Math.max(0, from), Math.max(0, from) + Math.max(0, count));
    await this.learner.ensureGuesses(slice).catch((error: unknown) => this.note(error));
    return { total: positions.length, rows: pool ? this.lists.rows(pool, slice) : [] };
  }

  async matching(filter: ExampleFilter): Promise<readonly string[]> {
    const { pool } = this;
    const positions = await this.lists.matching(pool, filter, this.changes);
    return pool ? positions.map((position) => pool.idAt(position)) : [];
  }

  async explain(id: string, signal?: AbortSignalLike): Promise<readonly WordWeight[]> {
    const example = this.example(id);
    if (!example) throw unknownExample();
    const model = await this.tuning.model();
    const { kind, range } = this.definition;
    const { labelIds } = this.decisions;
    const columns = columnsFor(model.opened.manifest, kind, labelIds);
    if (!columns)
      throw new HumanError('explain.labels', 'The model {0} does not know the labels of this task yet, so it cannot say which words decided. Fine-tune it on your labels first.', [model.opened.manifest.name]);
    await this.learner.ensureGuesses([example.position]).catch((error: unknown) => this.note(error));
    const options = signal ? { signal } : {};
    const guessed = this.learner.guessAt(example.position)?.scores ?? (await this.scoresOf(example.text, model.opened, columns, options));
    const column = kind === 'number' ? 0 : (columns[leadingLabel(ruleInOrder(model.opened.manifest.task, labelIds), guessed)] ?? 0);
    return await this.services.session.explainer.explain({ text: example.text, model: model.opened, column, ...(range ? { range: range.maximum - range.minimum } : {}), ...options });
  }

  /** What the model itself says of the task's labels. */
  private async scoresOf(text: string, { key }: OpenedModel, columns: readonly number[], options: { readonly signal?: AbortSignalLike }): Promise<readonly number[]> {
    const { scores, width } = await this.services.session.predictor.predict(key, [text], options);
    return Array.from(pickColumns(scores, width, columns, this.definition.kind));
  }

  async insight(): Promise<Insight> {
    const { pool } = this;
    const { kind } = this.definition;
    const { labels } = this.decisions;
    const agreement = agreementOf(kind, this.state.answers());
    const shared = { labels, annotators: this.state.annotators, ...(agreement ? { agreement } : {}), decided: this.state.counts().byLabel };
    const { ranking } = this.learner;
    if (!pool || !ranking) return makeInsight({ ...shared, rule: { kind }, guessed: {}, truth: [], scores: new Float32Array(0), curve: [] });
    const { positions, scores, curve } = await this.learner.crossValidate(folds);
    const width = kind === 'number' ? 1 : labels.length;
    // decisions that were taken back meanwhile have no truth any more
    const rows = Array.from(positions, (position, row) => ({ row, value: this.decisions.learnableValue(pool.idAt(position)) })).filter((each): each is { row: number; value: DecisionValue } => each.value !== undefined);
    const own = new Float32Array(rows.length * width);
    rows.forEach(({ row }, index) => own.set(scores.subarray(row * width, (row + 1) * width), index * width));
    return makeInsight({ ...shared, rule: ranking.rule, guessed: await this.guessedCounts(pool), truth: rows.map(({ value }) => value), scores: own, curve });
  }

  private async guessedCounts(pool: Pool): Promise<Readonly<Record<string, number>>> {
    await this.learner.ensureAllGuesses();
    const counts = new Map<string, number>();
    const slices = new Slices(this.services.pause);
    for (let position = 0; position < pool.size; position++) {
      const value = this.learner.guessAt(position)?.value;
      for (const label of typeof value === 'string' ? [value] : typeof value === 'object' ? value : []) counts.set(label, (counts.get(label) ?? 0) + 1);
      if (slices.isOver) await slices.rest();
    }
    return Object.fromEntries(counts);
  }

  // ---- the model

  async fineTune(): Promise<FineTuneState> {
    return await this.tuning.start();
  }

  cancelFineTune(): void {
    this.tuning.cancel();
  }

  async versions(): Promise<readonly ModelVersion[]> {
    return await this.tuning.versions();
  }

  async restore(version: string): Promise<void> {
    await this.tuning.restore(version);
  }

  private ranked(): void {
    this.emitter.fire({ kind: 'queue' });
    this.emitter.fire({ kind: 'learning' });
    if (!this.pool) return;
    this.evidence.gather(this.pool, this.state.counts().labeled).then(
      (isNew) => {
        if (isNew) this.emitter.fire({ kind: 'learning' });
      },
      (error: unknown) => this.note(error),
    );
  }

  // ---- reading

  async refresh(): Promise<void> {
    this.refreshing ??= this.lookAgain().finally(() => (this.refreshing = undefined));
    await this.refreshing;
  }

  async writeAgain(): Promise<void> {
    await this.inOrder(async () => await this.tookIn(await this.parts.journal.recreate()));
  }

  private get poolOptions(): PoolOptions {
    const { fileSystem, openInput, pause } = this.services;
    return { folder: this.folder, sources: this.definition.sources, fileSystem, openInput, pause, signal: this.disposal.signal };
  }

  private async readSources(): Promise<void> {
    try {
      const { pool, done } = readPool({
        ...this.poolOptions,
        onProgress: (fraction) => this.readSoFar(pool, fraction),
        onProblem: (problem) => this.note(problem),
      });
      // the first texts can be decided on while the others are read
      this.pool = pool;
      this.hash = await done;
      await this.poolIsThere(pool);
    } catch (error) {
      this.note(error);
      throw error;
    } finally {
      this.tellFirstTexts();
    }
  }

  private async wholePool(): Promise<Pool> {
    await this.ready;
    if (!this.pool) throw new CancelledError();
    return this.pool;
  }

  private readSoFar(pool: Pool, fraction: number): void {
    this.fraction = fraction;
    if (pool.size > 0) this.tellFirstTexts();
    if (this.disposal.signal.aborted || Date.now() - this.lastTold < readingInterval) return;
    this.lastTold = Date.now();
    this.decisions.usePool(pool).catch((error: unknown) => this.note(error));
    this.tellPool();
  }

  private async poolIsThere(pool: Pool): Promise<void> {
    this.pool = pool;
    this.fraction = undefined;
    await this.decisions.usePool(pool);
    this.tellPool();
    this.tellFirstTexts();
    await this.tuning.lookBack();
    // nobody has to wait for what is learned
    void this.learn();
  }

  private tellPool(): void {
    this.changes++;
    this.emitter.fire({ kind: 'pool' });
  }

  /** Begins to learn about the present texts and labels. */
  private async learn(): Promise<void> {
    const { pool, definition } = this;
    if (!pool) return;
    try {
      this.evidence.forget();
      await this.decisions.recount();
      await this.learner.begin({ pool, kind: definition.kind, labels: this.decisions.labelIds, keywords: keywordsOf(definition) });
      this.learner.useModel(await this.tuning.model());
    } catch (error) {
      this.note(error);
    }
  }

  private async lookAgain(): Promise<void> {
    await this.inOrder(async () => {
      const next = await this.parts.store.read(this.definition.name);
      if (JSON.stringify(next.sources) !== JSON.stringify(this.definition.sources)) this.hash = '';
      if (JSON.stringify(next) !== JSON.stringify(this.definition)) this.useDefinition(next);
      await this.takeIn();
    });
    await this.ready;
    if ((await sourcesHash(this.poolOptions)) === this.hash) return;
    const { pool, done } = readPool({ ...this.poolOptions, onProblem: (problem) => this.note(problem) });
    // the earlier texts stay until all of the new ones are there
    this.hash = await done;
    await this.poolIsThere(pool);
  }

  /** Takes in what others have decided. */
  private async takeIn(): Promise<void> {
    await this.tookIn(await this.parts.journal.refresh());
  }

  private async tookIn({ examples, problems }: Refreshed): Promise<void> {
    for (const problem of problems) this.note(problem);
    if (examples.length > 0) await this.decided(examples);
  }

  private useDefinition(next: TaskDefinition): void {
    this.parts.journal.useTask(next);
    const hasOtherLabels = this.decisions.useTask(next);
    this.changes++;
    this.emitter.fire({ kind: 'task' });
    if (hasOtherLabels) void this.learn();
  }

  dispose(): void {
    this.disposal.abort();
    // what was trained so far goes on the next time
    this.tuning.cancel();
    this.learner.dispose();
    this.tellFirstTexts();
    this.emitter.dispose();
  }

  private async inOrder<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.lastWork.then(work);
    this.lastWork = turn.catch(() => undefined);
    return await turn;
  }

  /** What a person can mend is told at once, what is a defect of ours goes to the log. */
  private note(error: unknown): void {
    if (error instanceof CancelledError || this.disposal.signal.aborted) return;
    if (error instanceof HumanError) this.emitter.fire({ kind: 'problem', problem: error });
    else this.services.log.error(error instanceof Error ? error : String(error));
  }
}

function exampleIn(pool: Pool | undefined, id: string): Example | undefined {
  const position = pool?.positionOf(id);
  return position === undefined ? undefined : pool?.exampleAt(position);
}
