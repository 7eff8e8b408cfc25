import { CancelledError, HumanError } from '../../core/errors';
import { isCheck } from '../../core/labels/checks';
import type { Guess } from '../../core/labels/view';
import type { TaskKind } from '../../core/model/onnxWriter';
import type { CrossValidation, LearnedDecision, PoolSetup, QueueOrder, Ranking } from '../../core/protocol/learner';
import type { WorkerHandle } from '../../core/protocol/worker';
import type { Predictor } from '../../inference/predictor';
import { LearnerClient } from '../../labeling/learnerClient';
import { WhenQuiet } from '../whenQuiet';
import { cacheFeatures } from './featureCache';
import { Guesses } from './guesses';
import type { Pool } from './pool';
import { Slices } from './slices';
import type { TaskModel } from './taskModel';

export interface TaskLearningOptions {
  /** Starts the learner's worker; called with the first pool, and after a crash. */
  readonly startLearner: () => WorkerHandle;
  readonly predictor: Pick<Predictor, 'predict'>;
  readonly pause: () => Promise<void>;
  /** What was decided about a text of the pool, as the learner is told. */
  readonly decisionAt: (position: number) => LearnedDecision;
  /** The order or the guesses moved. */
  readonly onRanking: () => void;
  /** More features are known. */
  readonly onProgress: () => void;
  readonly onProblem: (problem: unknown) => void;
}

/** What is learned about: all of it new means to begin anew. */
export interface LearningSubject {
  readonly pool: Pool;
  readonly kind: TaskKind;
  /** Ids of the labels that are offered. */
  readonly labels: readonly string[];
  /** Words by label id. */
  readonly keywords: ReadonlyMap<string, readonly string[]>;
}

/** Shuffles that come out the same in every window. */
const seed = 1;
/** Decisions in one message to the learner. */
const decisionsAtOnce = 2000;
/** Milliseconds without another decision after which the learner hears of them, and how long that takes at most: the next text is to be on the screen before the processor has more to do. */
const quiet = 120;
const longest = 500;
/** Texts that are shown next. */
const onScreen = 64;

/**
 * Keeps the learner's worker informed about a task, and what it says: the order, the guesses, how good they are. Nothing here waits for it that a person waits for.
 */
export class TaskLearning {
  private readonly learner: LearnerClient;
  private subject: LearningSubject | undefined;
  private model: TaskModel | undefined;
  private guesses: Guesses | undefined;
  private latest: Ranking | undefined;
  /** Counts rankings as they come in. */
  private rankings = 0;
  private caching = new AbortController();
  /** Counts subjects, so that a late answer about an earlier one is not taken for the present one's. */
  private generation = 0;
  private readonly waiting = new Set<number>();
  private readonly pumpWhenQuiet = new WhenQuiet(() => void this.pump(), quiet, longest);
  /** Texts that the present ranking has learned from. */
  private readonly learned = new Set<number>();
  private pumping: Promise<void> | undefined;
  private chosenOrder: QueueOrder = 'useful';
  private share = 0;
  /** The ranking that the guesses of all texts are of. */
  private allFor = -1;

  constructor(private readonly options: TaskLearningOptions) {
    this.learner = new LearnerClient({ startWorker: options.startLearner, onFeaturesLost: () => void this.cache() });
  }

  /** The last word on the order; undefined while the learner knows nothing of the pool. */
  get ranking(): Ranking | undefined {
    return this.latest;
  }

  /** Number of the latest ranking, to tell whether the guesses have moved. */
  get revision(): number {
    return this.rankings;
  }

  /** Number of decisions that the present ranking has learned from. */
  get decisions(): number {
    return this.learned.size;
  }

  get order(): QueueOrder {
    return this.chosenOrder;
  }

  /** Share of the texts whose features are known, 0..1. */
  get cached(): number {
    return this.share;
  }

  guessAt(position: number): Guess | undefined {
    return position < (this.guesses?.count ?? 0) ? this.guesses?.at(position) : undefined;
  }

  /** Begins with a pool or labels that are new. What was decided is learned again. */
  async begin(subject: LearningSubject): Promise<void> {
    const generation = ++this.generation;
    this.caching.abort();
    this.subject = subject;
    this.latest = undefined;
    this.share = 0;
    this.allFor = -1;
    const { pool, kind, labels } = subject;
    this.guesses = new Guesses({ rule: { kind }, labels }, pool.size);
    const setup = await this.setupOf(subject, generation);
    await this.learner.open(setup);
    this.waiting.clear();
    const changes = await this.decided();
    this.checkOn(generation);
    // those that are decided meanwhile are told again, which does no harm
    this.learned.clear();
    await this.learn(changes, generation);
    if (this.chosenOrder !== 'useful') this.take(await this.learner.rank(this.chosenOrder), generation);
    void this.pump();
    void this.cache();
  }

  /** Features come from this model from now on. The order keeps to the features that there are until as many of the new ones are known. */
  useModel(model: TaskModel): void {
    this.model = model;
    void this.cache();
  }

  /** Says that what was decided about these texts has changed. Returns at once. */
  changed(positions: readonly number[]): void {
    for (const position of positions) this.waiting.add(position);
    this.pumpWhenQuiet.ask();
  }

  /** Resolves when the learner has heard of all changes, and the ranking is of afterwards. */
  async settled(): Promise<void> {
    await this.pump();
  }

  async setOrder(order: QueueOrder): Promise<void> {
    this.chosenOrder = order;
    if (!this.latest) return;
    const { generation } = this;
    this.take(await this.learner.rank(order), generation);
  }

  /** Sees to it that the guesses for these texts are of the latest ranking. */
  async ensureGuesses(positions: readonly number[]): Promise<void> {
    const { guesses, generation, rankings } = this;
    if (!this.latest || !guesses) return;
    const stale = guesses.stale(positions, rankings);
    if (stale.length === 0) return;
    const scores = await this.learner.guess(Int32Array.from(stale));
    if (generation === this.generation) guesses.put(stale, scores, rankings);
  }

  /** As {@link ensureGuesses}, for all texts. */
  async ensureAllGuesses(): Promise<void> {
    const { guesses, generation, rankings } = this;
    if (!this.latest || !guesses || this.allFor === rankings) return;
    const scores = await this.learner.guessAll();
    if (generation !== this.generation) return;
    guesses.putAll(scores, rankings);
    this.allFor = rankings;
  }

  async crossValidate(folds: number): Promise<CrossValidation> {
    await this.settled();
    return await this.learner.crossValidate(folds, seed);
  }

  dispose(): void {
    this.generation++;
    this.caching.abort();
    this.pumpWhenQuiet.dispose();
    this.learner.dispose().catch((error: unknown) => this.tell(error));
  }

  /** What was decided about the texts of the pool. */
  private async decided(): Promise<LearnedDecision[]> {
    const slices = new Slices(this.options.pause);
    const changes: LearnedDecision[] = [];
    for (let position = 0; position < (this.subject?.pool.size ?? 0); position++) {
      const decision = this.options.decisionAt(position);
      if (!decision.open) changes.push(decision);
      if (slices.isOver) await slices.rest();
    }
    return changes;
  }

  private async setupOf({ pool, kind, labels, keywords }: LearningSubject, generation: number): Promise<PoolSetup> {
    const count = pool.size;
    const checks = new Uint8Array(count);
    const hashes = new Uint32Array(count);
    const found = new Int32Array(count).fill(-1);
    const words = labels.map((label) => (keywords.get(label) ?? []).map((word) => word.toLowerCase()).filter((word) => word !== ''));
    const hasWords = words.some((list) => list.length > 0);
    const slices = new Slices(this.options.pause);
    for (let position = 0; position < count; position++) {
      const id = pool.idAt(position);
      checks[position] = isCheck(id) ? 1 : 0;
      hashes[position] = Number.parseInt(id.slice(0, 8), 16);
      if (hasWords) {
        const text = pool.textAt(position).toLowerCase();
        found[position] = words.findIndex((list) => list.some((word) => text.includes(word)));
      }
      if (slices.isOver) {
        await slices.rest();
        this.checkOn(generation);
      }
    }
    return { count, kind, labels: kind === 'number' ? 0 : labels.length, checks, keywords: found, hashes, seed };
  }

  /** Tells the learner what has changed, as long as there is something. */
  private pump(): Promise<void> {
    this.pumpWhenQuiet.cancel();
    this.pumping ??= this.tellChanges().finally(() => {
      this.pumping = undefined;
      // what came in after the last look
      if (this.waiting.size > 0 && this.latest) this.pumpWhenQuiet.ask();
    });
    return this.pumping;
  }

  private async tellChanges(): Promise<void> {
    const { generation } = this;
    try {
      while (this.waiting.size > 0 && this.latest && generation === this.generation) {
        const positions = [...this.waiting];
        this.waiting.clear();
        await this.learn(await this.inSlices(positions), generation);
      }
    } catch (error) {
      this.tell(error);
    }
  }

  private async inSlices(positions: readonly number[]): Promise<LearnedDecision[]> {
    const slices = new Slices(this.options.pause);
    const changes: LearnedDecision[] = [];
    for (const position of positions) {
      changes.push(this.options.decisionAt(position));
      if (slices.isOver) await slices.rest();
    }
    return changes;
  }

  /** Tells the learner, in messages that are quickly made; those that come in together share a ranking. */
  private async learn(changes: readonly LearnedDecision[], generation: number): Promise<void> {
    let ranking = this.learner.decide(changes.slice(0, decisionsAtOnce));
    for (let start = decisionsAtOnce; start < changes.length; start += decisionsAtOnce) {
      // the last one is of all decisions, and fails if one before it does
      ranking.catch(() => undefined);
      await this.options.pause();
      this.checkOn(generation);
      ranking = this.learner.decide(changes.slice(start, start + decisionsAtOnce));
    }
    this.takeLearned(changes, await ranking, generation);
  }

  private takeLearned(changes: readonly LearnedDecision[], ranking: Ranking, generation: number): void {
    this.checkOn(generation);
    for (const { position, value } of changes) {
      if (value === null) this.learned.delete(position);
      else this.learned.add(position);
    }
    this.take(ranking, generation);
  }

  private take(ranking: Ranking, generation: number): void {
    this.checkOn(generation);
    this.latest = ranking;
    this.rankings++;
    this.guesses?.decideBy(ranking.rule);
    this.guesses?.put(ranking.order, ranking.scores, this.rankings);
    this.options.onRanking();
  }

  /** Sends the features of all texts: those on top first, then the decided ones, which the head learns from, then the others. */
  private async cache(): Promise<void> {
    const { subject, model, generation } = this;
    this.caching.abort();
    if (!subject || !model || !this.latest) return;
    const caching = new AbortController();
    this.caching = caching;
    const { pool, kind, labels } = subject;
    this.share = 0;
    let rankAt = 1;
    try {
      await cacheFeatures({
        predictor: this.options.predictor,
        model,
        kind,
        labels,
        order: this.inOrderOfNeed(pool.size, this.latest.order, await this.decided()),
        signal: caching.signal,
        textAt: (position) => pool.textAt(position),
        send: async (batch) => {
          this.checkOn(generation);
          await this.learner.addFeatures(batch);
        },
        onProgress: (share) => {
          this.share = share;
          this.options.onProgress();
          // each time that twice as many are known the order is worth making anew
          if (share * pool.size < rankAt && share < 1) return;
          rankAt = 2 * share * pool.size;
          this.rankAgain(generation);
        },
      });
    } catch (error) {
      if (this.caching === caching) this.tell(error);
    }
  }

  private inOrderOfNeed(count: number, top: Int32Array, decided: readonly LearnedDecision[]): Int32Array {
    const isListed = new Uint8Array(count);
    const order = new Int32Array(count);
    let length = 0;
    const add = (position: number): void => {
      if (isListed[position] !== 0) return;
      isListed[position] = 1;
      order[length++] = position;
    };
    top.subarray(0, onScreen).forEach(add);
    for (const { position } of decided) add(position);
    top.forEach(add);
    for (let position = 0; position < count; position++) add(position);
    return order;
  }

  private rankAgain(generation: number): void {
    this.learner
      .rank(this.chosenOrder)
      .then((ranking) => this.take(ranking, generation))
      .catch((error: unknown) => this.tell(error));
  }

  private checkOn(generation: number): void {
    if (generation !== this.generation) throw new CancelledError();
  }

  private tell(error: unknown): void {
    if (!(error instanceof CancelledError)) this.options.onProblem(error instanceof HumanError ? error : new Error('The learner failed.', { cause: error }));
  }
}
