import { agreementOf } from '../../core/labels/agreement';
import { CancelledError, HumanError } from '../../core/errors';
import { isCheck } from '../../core/labels/checks';
import { excerptOf, type Decision, type DecisionSource, type DecisionValue } from '../../core/labels/decision';
import { isEditOf, isSamePlace } from '../../core/labels/edited';
import type { JournalState} from '../../core/labels/journal';
import { type DecisionDraft } from '../../core/labels/journal';
import { importDecisions, type ImportPlan } from '../../core/labels/importPlan';
import { applyLabelEdit, keywordsOf, offeredLabels, type Label, type TaskDefinition } from '../../core/labels/task';
import type {
  DecideRequest, Example, ExampleFilter, ExampleList, ExampleState, FineTuneState, Guess, Insight, LabelEdit, LearningState, ListedExample, ModelVersion, QueueItem, StaleState, TaskChange, TaskCounts, Undone, WordWeight,
} from '../../core/labels/view';
import type { CrossValidation, LearnedDecision, QueueOrder, QueueReason } from '../../core/protocol/learner';
import type { AbortSignalLike } from '../../core/protocol/rpc';
import type { WorkerHandle } from '../../core/protocol/worker';
import { exampleId } from '../../core/text/normalize';
import type { FileSystem } from '../../storage/fileSystem';
import type { JournalStore } from '../../storage/journalStore';
import type { TaskStore } from '../../storage/taskStore';
import { Emitter, type Event } from '../events';
import type { Log } from '../log';
import type { Session } from '../session';
import { stopHint, untilFineTune, type DecidedText, type FineTuneRows } from '../../labeling/fineTunePolicy';
import { bestVersion, TaskModels } from '../taskModels';
import { compileFilter, needsGuesses, statusOf, type FilteredRow, type RowTest } from './exampleFilter';
import { explainByOcclusion } from './explain';
import { checkFineTune, decisionsOf, divide, fineTune } from './fineTuning';
import { makeInsight } from './insightReport';
import type { LabelingTask } from './labeling';
import { LearnableCounts } from './learnableCounts';
import { readPool, sourcesHash, type Pool, type PoolInput, type PoolOptions } from './pool';
import { Slices } from './slices';
import { TaskLearning } from './taskLearning';
import { columnsFor, openTaskModel, openVersion, pickColumns, type TaskModel } from './taskModel';

/** What open tasks share with the window around them. */
export interface LabelingServices {
  readonly fileSystem: FileSystem;
  /** Opens a file as it comes, unpacked. @param path absolute */
  readonly openInput: (path: string) => Promise<PoolInput>;
  readonly session: Pick<Session, 'models' | 'predictor' | 'trainings' | 'status' | 'reload'>;
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
  readonly journal: Pick<JournalStore, 'state' | 'append' | 'undo' | 'redo' | 'refresh' | 'useTask'>;
  /** The journal of somebody else, for what was imported of theirs. */
  readonly journalOf: (annotator: string) => Promise<Pick<JournalStore, 'append'>>;
  /** What the person has to know of the journal, such as lines that do not count. */
  readonly problems: readonly HumanError[];
}

/** Milliseconds between two words on how the reading goes. */
const readingInterval = 200;
/** Folds of the cross-validation behind an insight. */
const folds = 5;
/** UTF-16 units of a text that a list shows. */
const excerptLength = 200;
/** Decisions after which it is asked anew whether it makes sense to stop: that takes the learner a while. */
const stopAskedEvery = 25;
/** Texts that stand for all when it is asked how sure the model is. */
const sampled = 2_000;

/** A task that is open: its texts, what was decided, what is learned from it. */
export class OpenTask implements LabelingTask {
  readonly folder: string;
  readonly annotator: string;
  readonly ready: Promise<void>;
  private readonly emitter: Emitter<TaskChange>;
  private readonly state: JournalState;
  private readonly learner: TaskLearning;
  private readonly models: TaskModels;
  private readonly disposal = new AbortController();
  private task: TaskDefinition;
  private offered: readonly Label[];
  /** Ids of {@link offered}. */
  private labelIds: readonly string[];
  private pool: Pool | undefined;
  private fraction: number | undefined = 0;
  private readonly firstTexts: Promise<void>;
  private tellFirstTexts: () => void = () => undefined;
  private lastTold = 0;
  private hash = '';
  private model: TaskModel | undefined;
  private modelOpening: Promise<TaskModel> | undefined;
  /** Writes wait for each other. */
  private lastWrite: Promise<unknown> = Promise.resolve();
  private refreshing: Promise<void> | undefined;
  private tuning: { readonly stop: AbortController; readonly ended: Promise<FineTuneState> } | undefined;
  private tuned: FineTuneState | undefined;
  /** Labelled texts that there were when it was last fine-tuned. */
  private tunedAt: number | undefined;
  private readonly learnable = new LearnableCounts();
  /** What speaks for stopping, and the number of labelled texts that it is of. */
  private evidence: { readonly labeled: number; readonly confidences: Float32Array; readonly curve: CrossValidation['curve'] } | undefined;
  private gathering = false;
  /** Counts what changes the result of a filter. */
  private changes = 0;
  private listed: { readonly key: string; readonly positions: readonly number[] } | undefined;
  /** Examples in the order in which they were decided on, and where each stands in it for the last time. */
  private trail: string[] = [];
  private readonly trailPlaces = new Map<string, { readonly index: number; readonly at: string }>();
  private readonly places = new DecidedPlaces();

  constructor(
    private readonly services: LabelingServices,
    private readonly parts: TaskParts,
  ) {
    this.folder = parts.folder;
    this.annotator = parts.annotator;
    this.state = parts.journal.state;
    this.task = parts.definition;
    this.offered = offeredLabels(this.task);
    this.labelIds = this.offered.map(({ id }) => id);
    this.emitter = new Emitter((error) => services.log.error(error instanceof Error ? error : String(error)));
    this.models = new TaskModels(services.fileSystem, parts.folder, parts.definition.name);
    this.learner = new TaskLearning({
      startLearner: services.startLearner,
      predictor: services.session.predictor,
      pause: services.pause,
      decisionAt: (position) => this.learnedDecision(position),
      onRanking: () => this.ranked(),
      onProgress: () => this.emitter.fire({ kind: 'learning' }),
      onProblem: (problem) => this.note(problem),
    });
    for (const decision of this.state.decisions) this.follow(decision);
    this.firstTexts = new Promise((resolve) => (this.tellFirstTexts = resolve));
    // whoever opens the task has to have subscribed first
    void services.pause().then(() => {
      for (const problem of parts.problems) this.emitter.fire({ kind: 'problem', problem });
    });
    this.ready = this.readSources();
    // whoever waits is told; what goes wrong is a problem of the task in any case
    this.ready.catch(() => undefined);
  }

  get onDidChange(): Event<TaskChange> {
    return this.emitter.event;
  }

  get definition(): TaskDefinition {
    return this.task;
  }

  get labels(): readonly Label[] {
    return this.offered;
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
    const examples = this.pool?.size ?? 0;
    return { examples, rows: this.pool?.rows ?? 0, labeled, skipped, flagged, open: examples - labeled - skipped - flagged, byLabel, pace: this.state.pace(this.annotator, Date.now()) };
  }

  get learning(): LearningState {
    const { ranking, cached } = this.learner;
    const until = this.untilFineTune();
    const hint = this.hint();
    return {
      cached,
      decisions: this.state.counts().labeled,
      trusted: ranking?.trusted ?? false,
      ...(ranking?.check ? { check: ranking.check } : {}),
      ...(until === undefined ? {} : { untilFineTune: until }),
      ...(this.tuned ? { fineTune: this.tuned } : {}),
      ...(hint ? { stopHint: hint } : {}),
    };
  }

  example(id: string): Example | undefined {
    const position = this.pool?.positionOf(id);
    return position === undefined ? undefined : this.pool?.exampleAt(position);
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
    const id = exampleId(text);
    for (const decision of this.places.at(source)) {
      if (decision.example === id || !isEditOf(decision.text, text)) continue;
      const state = this.state.stateOf(decision.example);
      if (state && state.status !== 'cleared') return { ...state, example: decision.example };
    }
    return undefined;
  }

  // ---- the queue

  async next(count: number, skip: readonly string[] = []): Promise<readonly QueueItem[]> {
    await this.firstTexts;
    const { pool } = this;
    if (!pool) return [];
    const found = new Map<number, QueueReason>();
    const skipped = new Set(skip);
    this.fromRanking(pool, count, skipped, found);
    if (found.size < count && this.learner.ranking) {
      // the ranking is nearly used up, and a new one is under way
      await this.learner.settled();
      this.fromRanking(pool, count, skipped, found);
    }
    if (found.size < count && this.order !== 'suspicious') await this.fromFile(pool, count, skipped, found);
    await this.learner.ensureGuesses([...found.keys()]).catch((error: unknown) => this.note(error));
    return [...found].map(([position, reason]) => {
      const guess = this.learner.guessAt(position);
      return { example: pool.exampleAt(position), reason, ...(guess ? { guess } : {}) };
    });
  }

  async setOrder(order: QueueOrder): Promise<void> {
    await this.learner.setOrder(order);
    this.emitter.fire({ kind: 'queue' });
  }

  neighbour(id: string, step: -1 | 1): string | undefined {
    // a text that was not decided on comes after all that were
    for (let at = (this.trailPlaces.get(id)?.index ?? this.trail.length) + step; at >= 0 && at < this.trail.length; at += step) {
      const other = this.trail[at];
      // earlier mentions do not count, nor do texts that have left the task
      if (other !== undefined && this.trailPlaces.get(other)?.index === at && this.pool?.positionOf(other) !== undefined) return other;
    }
    return undefined;
  }

  // ---- decisions

  async decide(request: DecideRequest): Promise<Undone> {
    const drafts = this.draftsOf(request);
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
      if (names.length > 0) this.useDefinition(await this.parts.store.update(this.task.name, withLabels));
      const byAnnotator = new Map<string, DecisionDraft[]>([[this.annotator, []]]);
      for (const { annotator, example, source, text, status, label, origin } of importDecisions(plan, this.task, this, { now: new Date().toISOString(), group: 'import' })) {
        const draft: DecisionDraft = { example, ...(source ? { source } : {}), text, status, ...(label === undefined ? {} : { label }), origin };
        const drafts = byAnnotator.get(annotator);
        if (drafts) drafts.push(draft);
        else byAnnotator.set(annotator, [draft]);
      }
      const examples: string[] = [];
      for (const [annotator, drafts] of byAnnotator) {
        const journal = annotator === this.annotator ? this.parts.journal : await this.parts.journalOf(annotator);
        examples.push(...(await this.written(() => journal.append(drafts))).examples);
      }
      await this.takeIn();
      return this.undone(examples);
    });
  }

  async editLabel(edit: LabelEdit): Promise<void> {
    await this.inOrder(async () => {
      this.useDefinition(await this.parts.store.update(this.task.name, (task) => applyLabelEdit(task, edit)));
    });
  }

  // ---- lists

  async list(filter: ExampleFilter, from: number, count: number): Promise<ExampleList> {
    const positions = await this.matchingPositions(filter);
    const slice = positions.slice(Math.max(0, from), Math.max(0, from) + Math.max(0, count));
    await this.learner.ensureGuesses(slice).catch((error: unknown) => this.note(error));
    return { total: positions.length, rows: slice.flatMap((position) => this.listedExample(position)) };
  }

  async matching(filter: ExampleFilter): Promise<readonly string[]> {
    const positions = await this.matchingPositions(filter);
    const { pool } = this;
    return pool ? positions.map((position) => pool.idAt(position)) : [];
  }

  async explain(id: string, signal?: AbortSignalLike): Promise<readonly WordWeight[]> {
    const example = this.example(id);
    if (!example) throw unknownExample();
    const model = await this.openModel();
    const { kind } = this.task;
    const columns = columnsFor(model.opened.manifest, kind, this.labelIds);
    if (!columns)
      throw new HumanError('explain.labels', 'The model {0} does not know the labels of this task yet, so it cannot say which words decided. Fine-tune it on your labels first.', [model.opened.manifest.name]);
    const { predictor } = this.services.session;
    await this.learner.ensureGuesses([example.position]).catch((error: unknown) => this.note(error));
    const guess = this.learner.guessAt(example.position);
    const scale = this.task.range ? this.task.range.maximum - this.task.range.minimum : 1;
    return await explainByOcclusion(example.text, async (texts) => {
      const { scores, width } = await predictor.predict(model.opened.key, texts, { priority: 'interactive', cache: false, ...(signal ? { signal } : {}) });
      const own = pickColumns(scores, width, columns, kind);
      const column = kind === 'number' ? 0 : guessedColumn(guess, own.subarray(0, columns.length));
      return texts.map((_, row) => (own[row * columns.length + column] ?? 0) / scale);
    });
  }

  async insight(): Promise<Insight> {
    const { pool } = this;
    const { kind } = this.task;
    const labels = this.offered;
    const agreement = agreementOf(kind, this.state.answers());
    const shared = { kind, labels, annotators: this.state.annotators, ...(agreement ? { agreement } : {}), decided: this.state.counts().byLabel };
    if (!pool || !this.learner.ranking) return makeInsight({ ...shared, guessed: {}, truth: [], scores: new Float32Array(0), curve: [] });
    const { positions, scores, curve } = await this.learner.crossValidate(folds);
    const width = kind === 'number' ? 1 : labels.length;
    // decisions that were taken back meanwhile have no truth any more
    const rows = Array.from(positions, (position, row) => ({ row, value: this.learnableValue(pool.idAt(position)) })).filter((each): each is { row: number; value: DecisionValue } => each.value !== undefined);
    const own = new Float32Array(rows.length * width);
    rows.forEach(({ row }, index) => own.set(scores.subarray(row * width, (row + 1) * width), index * width));
    return makeInsight({ ...shared, guessed: await this.guessedCounts(pool), truth: rows.map(({ value }) => value), scores: own, curve });
  }

  // ---- the model

  fineTune(): Promise<FineTuneState> {
    this.tuning ??= this.startFineTune();
    return this.tuning.ended;
  }

  cancelFineTune(): void {
    this.tuning?.stop.abort();
  }

  async versions(): Promise<readonly ModelVersion[]> {
    const [versions, current] = [await this.models.versions(), await this.models.current()];
    const best = bestVersion(versions);
    return versions.map(({ version, manifest }) => {
      const { accuracy, rows } = manifest.metrics;
      const trained = manifest.data['rows'];
      return {
        version,
        current: version === current,
        best: version === best,
        ...(manifest.parent === undefined ? {} : { parent: manifest.parent }),
        ...(typeof trained === 'number' ? { rows: trained } : rows === undefined ? {} : { rows }),
        ...(accuracy === undefined ? {} : { accuracy }),
      };
    });
  }

  async restore(version: string): Promise<void> {
    await this.models.choose(version);
    await this.modelChanged();
  }

  async refresh(): Promise<void> {
    this.refreshing ??= this.lookAgain().finally(() => (this.refreshing = undefined));
    await this.refreshing;
  }

  dispose(): void {
    this.disposal.abort();
    // what was trained so far goes on the next time
    this.tuning?.stop.abort();
    this.learner.dispose();
    this.tellFirstTexts();
    this.emitter.dispose();
  }

  // ---- reading

  private get poolOptions(): PoolOptions {
    const { fileSystem, openInput, pause } = this.services;
    return { folder: this.folder, sources: this.task.sources, fileSystem, openInput, pause, signal: this.disposal.signal };
  }

  private async readSources(): Promise<void> {
    try {
      const { pool, done } = readPool({
        ...this.poolOptions,
        onProgress: (fraction) => this.readSoFar(pool, fraction),
        onProblem: (problem) => this.emitter.fire({ kind: 'problem', problem }),
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

  private readSoFar(pool: Pool, fraction: number): void {
    this.fraction = fraction;
    if (pool.size > 0) this.tellFirstTexts();
    if (this.disposal.signal.aborted || Date.now() - this.lastTold < readingInterval) return;
    this.lastTold = Date.now();
    this.changes++;
    this.state.countWithin((id) => pool.positionOf(id) !== undefined);
    this.emitter.fire({ kind: 'pool' });
  }

  private async poolIsThere(pool: Pool): Promise<void> {
    this.pool = pool;
    this.fraction = undefined;
    this.changes++;
    this.state.countWithin((id) => pool.positionOf(id) !== undefined);
    this.emitter.fire({ kind: 'pool' });
    this.tellFirstTexts();
    this.tunedAt ??= Math.max(0, ...(await this.models.versions()).map(({ manifest }) => decisionsOf(manifest) ?? 0));
    // nobody has to wait for what is learned
    void this.learn();
  }

  /** Begins to learn about the present texts and labels. */
  private async learn(): Promise<void> {
    const { pool } = this;
    if (!pool) return;
    try {
      this.evidence = undefined;
      await this.recountLearnable();
      await this.learner.begin({ pool, kind: this.task.kind, labels: this.labelIds, keywords: keywordsOf(this.task) });
      if (!this.model) this.learner.useModel(await this.openModel());
    } catch (error) {
      this.note(error);
    }
  }

  private async lookAgain(): Promise<void> {
    await this.inOrder(async () => {
      const next = await this.parts.store.read(this.task.name);
      const hasOtherSources = JSON.stringify(next.sources) !== JSON.stringify(this.task.sources);
      if (JSON.stringify(next) !== JSON.stringify(this.task)) this.useDefinition(next);
      if (hasOtherSources) this.hash = '';
      await this.takeIn();
    });
    await this.ready;
    if ((await sourcesHash(this.poolOptions)) === this.hash) return;
    const { pool, done } = readPool({ ...this.poolOptions, onProblem: (problem) => this.emitter.fire({ kind: 'problem', problem }) });
    // the earlier texts stay until all of the new ones are there
    this.hash = await done;
    await this.poolIsThere(pool);
  }

  /** Takes in what others have decided. */
  private async takeIn(): Promise<void> {
    const { examples, problems } = await this.parts.journal.refresh();
    for (const problem of problems) this.emitter.fire({ kind: 'problem', problem });
    if (examples.length > 0) this.decided(examples);
  }

  private useDefinition(next: TaskDefinition): void {
    const before = this.labelIds;
    this.task = next;
    this.offered = offeredLabels(next);
    this.labelIds = this.offered.map(({ id }) => id);
    this.parts.journal.useTask(next);
    this.changes++;
    this.emitter.fire({ kind: 'task' });
    if (JSON.stringify(before) !== JSON.stringify(this.labelIds)) void this.learn();
  }

  // ---- the queue

  private isOpen(id: string): boolean {
    return statusOf(this.state.stateOf(id)) === 'open';
  }

  private fromRanking(pool: Pool, count: number, skipped: ReadonlySet<string>, found: Map<number, QueueReason>): void {
    const { ranking, order } = this.learner;
    if (!ranking) return;
    for (let i = 0; i < ranking.order.length && found.size < count; i++) {
      const position = ranking.order[i] ?? -1;
      if (position < 0 || position >= pool.size || found.has(position)) continue;
      const id = pool.idAt(position);
      if (skipped.has(id) || (order !== 'suspicious' && !this.isOpen(id))) continue;
      found.set(position, ranking.reasons[i] ?? 'start');
    }
  }

  /** In the order of the file: as long as there is no ranking, or where it does not reach. */
  private async fromFile(pool: Pool, count: number, skipped: ReadonlySet<string>, found: Map<number, QueueReason>): Promise<void> {
    const slices = new Slices(this.services.pause);
    for (let position = 0; position < pool.size && found.size < count; position++) {
      const id = pool.idAt(position);
      if (!found.has(position) && !skipped.has(id) && this.isOpen(id)) found.set(position, this.order === 'file' ? 'file' : 'start');
      if (slices.isOver) await slices.rest();
    }
  }

  // ---- decisions

  private draftsOf({ targets, status, value, origin }: DecideRequest): readonly DecisionDraft[] {
    if (status === 'labeled') this.checkValue(value);
    const drafts = new Map<string, DecisionDraft>();
    for (const target of targets) {
      const example = typeof target === 'string' ? this.example(target) : { id: exampleId(target.text), text: target.text, sources: [target.source] };
      if (!example) throw unknownExample();
      const { id, text, sources } = example;
      const guess = this.guessOf(id);
      const label = status === 'labeled' ? value : status === 'flagged' ? (value ?? this.state.wordOf(id, this.annotator)?.label) : undefined;
      drafts.set(id, {
        example: id,
        ...(sources[0] ? { source: sources[0] } : {}),
        text: excerptOf(text),
        status,
        ...(label === undefined ? {} : { label }),
        origin,
        ...(guess && this.model && this.task.kind !== 'number' ? { prediction: { label: guess.value, score: guess.confidence, model: this.model.version } } : {}),
      });
    }
    return [...drafts.values()];
  }

  /** @throws HumanError `labeling.value` */
  private checkValue(value: DecisionValue | undefined): void {
    const { kind, range } = this.task;
    if (kind === 'number') {
      if (typeof value !== 'number' || !Number.isFinite(value)) throw new HumanError('labeling.number', 'This task asks for a number. Enter one.');
      if (range && (value < range.minimum || value > range.maximum))
        throw new HumanError('labeling.range', '{0} is not between {1} and {2}, which this task expects. Enter another number.', [value, range.minimum, range.maximum]);
      return;
    }
    const ids = kind === 'single' ? (typeof value === 'string' ? [value] : undefined) : typeof value === 'object' ? value : undefined;
    const known = new Set(this.labelIds);
    const stranger = ids?.find((id) => !known.has(id));
    if (!ids || stranger !== undefined || new Set(ids).size !== ids.length)
      throw new HumanError('labeling.label', 'The label "{0}" is not offered in this task. Choose one of these: {1}.', [stranger ?? '', this.offered.map(({ name }) => name).join(', ') || '–']);
  }

  /** Tells what was written, or at once what could not be. */
  private async written<U extends Undone | undefined>(write: () => Promise<U>): Promise<U> {
    try {
      const undone = await write();
      if (undone) this.decided(undone.examples);
      return undone;
    } catch (error) {
      if (error instanceof HumanError) this.emitter.fire({ kind: 'problem', problem: error });
      throw error;
    }
  }

  /** Tells everybody who has to know what was decided. */
  private decided(examples: readonly string[]): void {
    this.changes++;
    for (const id of examples) {
      this.countLearnable(id);
      for (const word of this.state.wordsOf(id)) this.follow(word);
    }
    this.learner.changed(examples.flatMap((id) => this.pool?.positionOf(id) ?? []));
    this.emitter.fire({ kind: 'decisions', examples });
    this.fineTuneIfDue();
  }

  private undone(examples: readonly string[]): Undone {
    return { examples, canUndo: this.canUndo, canRedo: this.canRedo };
  }

  /** Takes a decision into the lists of what was decided when, and where. */
  private follow(decision: Decision): void {
    this.places.add(decision);
    if (decision.annotator !== this.annotator) return;
    // taking back and doing again is no deciding: the text keeps its place
    if (decision.undo !== undefined || decision.redo !== undefined) return;
    const { example, at } = decision;
    if (this.trailPlaces.get(example)?.at === at) return;
    this.trailPlaces.set(example, { index: this.trail.length, at });
    this.trail.push(example);
  }

  private learnedDecision(position: number): LearnedDecision {
    const id = this.pool?.idAt(position) ?? '';
    const value = this.learnableValue(id);
    const labels = this.labelIds;
    const learned = value === undefined ? null : typeof value === 'number' ? value : (typeof value === 'string' ? [value] : value).map((label) => labels.indexOf(label));
    return { position, value: learned, open: this.isOpen(id) };
  }

  /** What was decided, if it can be learned: labels that are offered. */
  private learnableValue(id: string): DecisionValue | undefined {
    const state = this.state.stateOf(id);
    if (state?.status !== 'labeled' || state.value === undefined) return undefined;
    if (typeof state.value === 'number') return state.value;
    const labels = this.labelIds;
    const isOffered = (label: string): boolean => labels.includes(label);
    if (typeof state.value === 'string') return isOffered(state.value) ? state.value : undefined;
    return state.value.every(isOffered) ? state.value : undefined;
  }

  // ---- lists

  private async matchingPositions(filter: ExampleFilter): Promise<readonly number[]> {
    const { pool } = this;
    const test = compileFilter(filter);
    if (!pool) return [];
    const withGuesses = needsGuesses(filter);
    if (withGuesses) await this.learner.ensureAllGuesses().catch((error: unknown) => this.note(error));
    const key = JSON.stringify([filter, this.changes, withGuesses ? this.learner.revision : 0, pool.size]);
    if (this.listed?.key === key) return this.listed.positions;
    const positions = await this.filtered(pool, test);
    this.listed = { key, positions };
    return positions;
  }

  private async filtered(pool: Pool, test: RowTest): Promise<readonly number[]> {
    const slices = new Slices(this.services.pause);
    const positions: number[] = [];
    const row = new PoolRow(pool, this.state, this.learner);
    for (let position = 0; position < pool.size; position++) {
      row.position = position;
      if (test(row)) positions.push(position);
      if (slices.isOver) await slices.rest();
    }
    return positions;
  }

  private listedExample(position: number): readonly ListedExample[] {
    const { pool } = this;
    if (!pool || position >= pool.size) return [];
    const id = pool.idAt(position);
    const state = this.state.stateOf(id);
    const guess = this.learner.guessAt(position);
    return [{ id, position, excerpt: pool.textAt(position).slice(0, excerptLength).replace(/\s+/g, ' ').trim(), ...(state ? { state } : {}), ...(guess ? { guess } : {}) }];
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

  private openModel(): Promise<TaskModel> {
    const { session, baseModel } = this.services;
    this.modelOpening ??= openTaskModel({ models: session.models, own: this.models, predictor: session.predictor, base: baseModel }, (problem) => this.emitter.fire({ kind: 'problem', problem })).then(
      (model) => (this.model = model),
      (error: unknown) => {
        // to be tried again
        this.modelOpening = undefined;
        throw error;
      },
    );
    return this.modelOpening;
  }

  /** Another version is in use: guesses, order and the editor's annotations follow. */
  private async modelChanged(): Promise<void> {
    this.modelOpening = undefined;
    const { session } = this.services;
    if (session.status.chosen === this.task.name) session.reload();
    this.emitter.fire({ kind: 'learning' });
    this.learner.useModel(await this.openModel());
  }

  private fineTuneIfDue(): void {
    if (this.untilFineTune() !== 0 || this.tuning || this.fraction !== undefined) return;
    try {
      checkFineTune({ kind: this.task.kind, labels: this.labelIds, rows: this.fineTuneRows() });
    } catch {
      // nobody has asked for it: it can wait for more
      this.tunedAt = this.state.counts().labeled;
      return;
    }
    void this.fineTune();
  }

  private startFineTune(): { readonly stop: AbortController; readonly ended: Promise<FineTuneState> } {
    const stop = new AbortController();
    const ended = this.runFineTune(stop.signal).finally(() => (this.tuning = undefined));
    return { stop, ended };
  }

  private async runFineTune(signal: AbortSignal): Promise<FineTuneState> {
    const { fileSystem, session, pause, trainingWorkers, log } = this.services;
    const tell = (state: FineTuneState): void => {
      this.tuned = state;
      this.emitter.fire({ kind: 'learning' });
    };
    try {
      await this.ready;
      const { pool } = this;
      if (!pool) throw new CancelledError();
      const { labeled } = this.state.counts();
      this.tunedAt = labeled;
      const model = await this.openModel();
      const state = await fineTune({
        task: this.task.name,
        folder: this.folder,
        kind: this.task.kind,
        labels: this.labelIds,
        rows: this.fineTuneRows(),
        textAt: (position) => pool.textAt(position),
        decisions: labeled,
        model,
        rival: await this.rivalOf(model),
        fileSystem,
        trainings: session.trainings,
        predictor: session.predictor,
        workers: trainingWorkers(),
        pause,
        signal,
        onState: tell,
      });
      log.info(`Fine-tuning of ${this.task.name}: ${state.status}${state.version === undefined ? '' : `, ${state.version}`}`);
      if (state.status === 'kept') await this.modelChanged();
      return state;
    } catch (error) {
      this.note(error);
      const state: FineTuneState = { status: 'failed', epochs: [], error: error instanceof Error ? error : new Error(String(error)) };
      tell(state);
      return state;
    }
  }

  /** The best version, which a new one has to stand up to; the present model where there is none or it cannot be used. */
  private async rivalOf(model: TaskModel): Promise<TaskModel> {
    const { models, predictor } = this.services.session;
    const best = bestVersion(await this.models.versions());
    if (best === undefined || best === model.version) return model;
    return await openVersion({ models, own: this.models, predictor }, best).catch((error: unknown) => {
      this.note(error);
      return model;
    });
  }

  private fineTuneRows(): FineTuneRows {
    const { pool } = this;
    const decided: DecidedText[] = [];
    for (const id of pool ? this.state.decidedExamples() : []) {
      const position = pool?.positionOf(id);
      if (position !== undefined) decided.push({ position, value: this.learnedDecision(position).value, check: isCheck(id) });
    }
    return divide(decided, (position) => pool?.idAt(position) ?? '');
  }

  private untilFineTune(): number | undefined {
    // the trainer knows one label a text
    if (this.task.kind !== 'single') return undefined;
    const { labeled } = this.state.counts();
    return untilFineTune({
      kind: this.task.kind,
      byLabel: this.labelIds.map((label) => this.learnable.of(label)),
      labeled: this.learnable.size,
      sinceLast: labeled - (this.tunedAt ?? labeled),
      every: this.services.fineTuneEvery(),
      running: this.tuning !== undefined,
    });
  }

  private countLearnable(id: string): void {
    if (isCheck(id) || this.pool?.positionOf(id) === undefined) return;
    this.learnable.set(id, this.learnableValue(id));
  }

  private async recountLearnable(): Promise<void> {
    this.learnable.clear();
    const slices = new Slices(this.services.pause);
    for (const id of [...this.state.decidedExamples()]) {
      this.countLearnable(id);
      if (slices.isOver) await slices.rest();
    }
  }

  private ranked(): void {
    this.emitter.fire({ kind: 'queue' });
    this.emitter.fire({ kind: 'learning' });
    void this.gatherEvidence();
  }

  /** Finds out in the background what speaks for stopping. */
  private async gatherEvidence(): Promise<void> {
    const { pool } = this;
    const { labeled } = this.state.counts();
    if (!pool || this.gathering || !this.learner.ranking?.trusted || labeled < (this.evidence?.labeled ?? 0) + stopAskedEvery) return;
    this.gathering = true;
    try {
      await this.learner.ensureAllGuesses();
      const confidences: number[] = [];
      const slices = new Slices(this.services.pause);
      const stride = Math.ceil(pool.size / sampled);
      for (let position = 0; position < pool.size; position += stride) {
        if (this.isOpen(pool.idAt(position))) confidences.push(this.learner.guessAt(position)?.confidence ?? NaN);
        if (slices.isOver) await slices.rest();
      }
      const { curve } = await this.learner.crossValidate(folds);
      this.evidence = { labeled, confidences: Float32Array.from(confidences), curve };
      this.emitter.fire({ kind: 'learning' });
    } catch (error) {
      this.note(error);
    } finally {
      this.gathering = false;
    }
  }

  private hint(): LearningState['stopHint'] {
    const { examples, open } = this.counts;
    if (examples === 0 || this.fraction !== undefined) return undefined;
    const { ranking } = this.learner;
    return stopHint({
      open,
      trusted: ranking?.trusted ?? false,
      confidences: this.evidence?.confidences ?? [],
      curve: this.evidence?.curve ?? [],
      ...(ranking?.check ? { check: ranking.check } : {}),
    });
  }

  // ----

  private async inOrder<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.lastWrite.then(work);
    this.lastWrite = turn.catch(() => undefined);
    return await turn;
  }

  /** What a person can mend is told at once, what is a defect of ours goes to the log. */
  private note(error: unknown): void {
    if (error instanceof CancelledError || this.disposal.signal.aborted) return;
    if (error instanceof HumanError) this.emitter.fire({ kind: 'problem', problem: error });
    else this.services.log.error(error instanceof Error ? error : String(error));
  }
}

/** A text of the pool as filters see it; moved along instead of made anew for each. */
class PoolRow implements FilteredRow {
  position = 0;

  constructor(
    private readonly pool: Pool,
    private readonly decisions: JournalState,
    private readonly learner: TaskLearning,
  ) {}

  text(): string {
    return this.pool.textAt(this.position);
  }

  state(): ExampleState | undefined {
    return this.decisions.stateOf(this.pool.idAt(this.position));
  }

  guess(): Guess | undefined {
    return this.learner.guessAt(this.position);
  }

  hasAnnotator(annotator: string): boolean {
    return this.decisions.wordOf(this.pool.idAt(this.position), annotator) !== undefined;
  }
}

/** Where texts stood when they were decided on. */
class DecidedPlaces {
  private readonly rows = new Map<string, Decision>();
  private readonly ranges = new Map<string, Map<string, Decision>>();

  add(decision: Decision): void {
    const { source } = decision;
    if (!source) return;
    if (source.row !== undefined) {
      this.rows.set(rowKey(source.file, source.row), decision);
      return;
    }
    let file = this.ranges.get(source.file);
    if (!file) this.ranges.set(source.file, (file = new Map<string, Decision>()));
    // to the end, where the latest are
    file.delete(decision.example);
    file.set(decision.example, decision);
  }

  /** Decisions about texts that stood at this place, the latest first. */
  at(place: DecisionSource): readonly Decision[] {
    if (place.row !== undefined) {
      const decision = this.rows.get(rowKey(place.file, place.row));
      return decision ? [decision] : [];
    }
    return [...(this.ranges.get(place.file)?.values() ?? [])].filter(({ source }) => source && isSamePlace(source, place)).reverse();
  }
}

function rowKey(file: string, row: number): string {
  return `${row} ${file}`;
}

/** The column of the label that is explained: the one that was guessed, else the one that the model itself would guess. */
function guessedColumn(guess: Guess | undefined, scores: Float32Array): number {
  const scored = guess?.scores ?? Array.from(scores);
  return Math.max(0, scored.indexOf(Math.max(...scored)));
}

function unknownExample(): HumanError {
  return new HumanError('labeling.example', 'This text is no longer among those of the task. Its file may have changed: look at the list again.');
}
