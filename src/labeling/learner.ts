import { CancelledError } from '../core/errors';
import type { CrossValidation, FeatureBatch, LearnedDecision, PoolSetup, QueueOrder, Ranking } from '../core/protocol/learner';
import { chooseBlend, type BlendChoice } from './blend';
import { measureCheck } from './checkScore';
import { Coverage } from './coverage';
import { crossValidate } from './crossValidate';
import { FeatureStore, type FeatureStatistics } from './featureStore';
import type { Head, HeadShape } from './head';
import { fitHead, isLearnable, type Lecture, type TruthValue } from './headFit';
import { NgramStore } from './ngramStore';
import { QueuePool, rankQueue, representative, type QueueModel } from './queue';
import { ownScores } from './suspicion';
import { hasSkill, isTrusted } from './trust';
import { Turns } from './turns';

/** Decisions that are no checks after which the head that is measured on the checks learns anew; before that, when a check is decided. */
const measuredEvery = 5;
/** The blend is chosen anew when the decisions are more or fewer by this many, or this share. */
const blendAgain = { decisions: 2, share: 0.1 };
/** Texts that are scored between two looks at the clock. */
const scoredAtOnce = 512;
/** Folds of the cross-validation behind the order `suspicious`. */
const suspicionFolds = 5;

export interface LearnerOptions {
  /** Resolves after the messages that have come in were handled (Node: `setImmediate`). */
  readonly pause: () => Promise<void>;
}

/** A head, and how its blend came about. */
interface Learned {
  readonly head: Head;
  readonly choice: BlendChoice;
  /** Decisions and known texts when the blend was chosen. */
  readonly chosenAt: { readonly rows: number; readonly known: number };
}

/** What was learned from one model's features. Replaced as a whole when another model's have come. */
interface LearnedModel {
  readonly store: FeatureStore;
  statistics: FeatureStatistics;
  coverage: Coverage;
  learned: Learned | undefined;
  /** Learned without the checks, to be measured on them. */
  measured: { readonly learned: Learned | undefined; readonly check: Ranking['check']; readonly checkRevision: number; readonly others: number; readonly known: number } | undefined;
  /** [count, outputs] of the head, or of the base model; NaN where nothing is known. */
  scores: Float32Array | undefined;
  /** What `learned` and `scores` were made from. */
  madeFrom: { readonly revision: number; readonly known: number } | undefined;
}

/** A pool of texts, and what was decided about them. */
class Pool {
  readonly queue: QueuePool;
  readonly outputs: number;
  readonly open: Uint8Array;
  readonly values = new Map<number, TruthValue>();
  /** Of the texts, whichever model their features are of. */
  readonly ngrams: NgramStore;
  closed = 0;
  closedChecks = 0;
  /** Counts the changes to `values`. */
  revision = 0;
  /** Counts those that touched a check. */
  checkRevision = 0;
  model: LearnedModel | undefined;
  /** Another model's features that come in, until there are as many as of the present one. */
  incoming: FeatureStore | undefined;
  suspicious: { readonly revision: number; readonly order: Int32Array } | undefined;
  /** Decided since the order `suspicious` was asked for. */
  readonly reviewed = new Set<number>();

  constructor(readonly setup: PoolSetup) {
    const { count, kind, labels, checks, keywords, hashes } = setup;
    if (checks.length !== count || keywords.length !== count || hashes.length !== count) throw new Error(`A pool of ${count} texts needs as many checks, keywords and hashes.`);
    this.queue = new QueuePool(setup);
    this.ngrams = new NgramStore(count);
    this.outputs = kind === 'number' ? 1 : labels;
    this.open = new Uint8Array(count).fill(1);
  }

  decide({ position, value, open }: LearnedDecision): void {
    if (!(position >= 0 && position < this.setup.count)) throw new Error(`There is no text ${position} in a pool of ${this.setup.count}.`);
    const isCheck = this.setup.checks[position] === 1;
    const closes = (open ? 0 : 1) - (this.open[position] === 1 ? 0 : 1);
    this.open[position] = open ? 1 : 0;
    this.closed += closes;
    if (isCheck) {
      this.closedChecks += closes;
      this.checkRevision++;
    }
    // the latest last
    this.values.delete(position);
    const truth = this.truthOf(value);
    if (truth !== null) this.values.set(position, truth);
    this.reviewed.add(position);
    this.revision++;
  }

  addFeatures(batch: FeatureBatch): void {
    const { setup, outputs } = this;
    const isAgain = (store: FeatureStore): boolean => store.width !== batch.width || batch.positions.some((position) => store.known[position] === 1);
    const create = (): FeatureStore => new FeatureStore(setup.count, batch.width, outputs, batch.scores !== undefined, this.ngrams, batch.rule);
    const present = this.model?.store;
    if (!present) this.adopt(create(), batch);
    else if (!this.incoming && !isAgain(present)) present.add(batch);
    else {
      if (!this.incoming || isAgain(this.incoming)) this.incoming = create();
      this.incoming.add(batch);
      if (this.incoming.knownCount >= present.knownCount) {
        this.adopt(this.incoming);
        this.incoming = undefined;
      }
    }
  }

  /** Decided texts with features that `store` knows, in the order of the decisions. */
  lectures(store: FeatureStore): Lecture[] {
    const rows: Lecture[] = [];
    for (const [position, value] of this.values) if (store.known[position] === 1) rows.push({ position, value });
    return rows;
  }

  /** [outputs] decisions for each label. */
  counts(): Int32Array {
    const counts = new Int32Array(this.outputs);
    for (const value of this.values.values()) if (typeof value !== 'number') for (const label of value) counts[label]!++;
    return counts;
  }

  shape(store: FeatureStore): HeadShape {
    return { kind: this.setup.kind, width: store.width, outputs: this.outputs, hasBase: store.hasBase };
  }

  /** The same for the same texts, whichever came first. */
  coverageOf(store: FeatureStore, { ngrams }: FeatureStatistics): Coverage {
    return new Coverage(ngrams, this.queue.shuffled.filter((position) => store.known[position] === 1));
  }

  private adopt(store: FeatureStore, batch?: FeatureBatch): void {
    if (batch) store.add(batch);
    const statistics = store.statistics();
    this.model = { store, statistics, coverage: this.coverageOf(store, statistics), learned: undefined, measured: undefined, scores: undefined, madeFrom: undefined };
    this.suspicious = undefined;
  }

  private truthOf(value: LearnedDecision['value']): TruthValue | null {
    const { kind } = this.setup;
    if (value === null) return null;
    if (typeof value === 'number') {
      if (kind !== 'number' || !Number.isFinite(value)) throw new Error(`${value} is no answer to a task of kind ${kind}.`);
      return value;
    }
    if (kind === 'number' || (kind === 'single' && value.length !== 1) || value.some((label) => !(label >= 0 && label < this.outputs))) throw new Error(`${value.join(', ')} is no answer to a task of kind ${kind} with ${this.outputs} labels.`);
    return value;
  }
}

/**
 * Learns from decisions and says which texts come next. Everything that takes long is done in slices, between which it takes further requests; decisions that come while a ranking is under way share the
 * next one. The same calls in the same order give the same answers.
 */
export class Learner {
  private pool: Pool | undefined;
  private order: QueueOrder = 'useful';
  private rankings = 0;
  private scheduled: Promise<Ranking> | undefined;
  private last: Promise<unknown> = Promise.resolve();

  constructor(private readonly options: LearnerOptions) {}

  /** Begins a pool. What was asked of the one before is rejected with CancelledError. */
  open(setup: PoolSetup): void {
    this.pool = new Pool(setup);
    this.scheduled = undefined;
    this.order = 'useful';
  }

  /** @throws Error when the batch does not fit the pool */
  addFeatures(batch: FeatureBatch): void {
    this.opened().addFeatures(batch);
  }

  /** @throws Error when a decision does not fit the pool */
  decide(changes: readonly LearnedDecision[]): Promise<Ranking> {
    const pool = this.opened();
    for (const change of changes) pool.decide(change);
    return this.schedule(pool);
  }

  rank(order: QueueOrder): Promise<Ranking> {
    const pool = this.opened();
    this.order = order;
    pool.reviewed.clear();
    return this.schedule(pool);
  }

  /** Of the head there is, or the base model: a decision that is being learned from shows later. */
  guess(positions: Int32Array): Float32Array {
    const pool = this.opened();
    const scores = new Float32Array(positions.length * pool.outputs);
    positions.forEach((position, row) => scoreInto(pool, pool.model, position, scores, row * pool.outputs));
    return scores;
  }

  /** As {@link guess}, for all texts. */
  async guessAll(): Promise<Float32Array> {
    const pool = this.opened();
    return await scoreAll(pool, pool.model, new Turns(this.options.pause));
  }

  async crossValidate(folds: number, seed: number): Promise<CrossValidation> {
    const pool = this.opened();
    return await this.validate(pool, folds, seed);
  }

  private opened(): Pool {
    if (!this.pool) throw new Error('No pool is open.');
    return this.pool;
  }

  private schedule(pool: Pool): Promise<Ranking> {
    if (this.scheduled) return this.scheduled;
    const turn = this.last.then(async () => {
      // what has come in meanwhile goes along
      await this.options.pause();
      this.refuseOther(pool);
      this.scheduled = undefined;
      return await this.work(pool);
    });
    this.scheduled = turn;
    this.last = turn.catch(() => undefined);
    return turn;
  }

  private refuseOther(pool: Pool): void {
    if (this.pool !== pool) throw new CancelledError();
  }

  private async work(pool: Pool): Promise<Ranking> {
    const start = performance.now();
    const turns = new Turns(this.options.pause);
    let model = pool.model;
    for (;;) {
      if (model) await this.learn(pool, model, turns);
      if (this.order === 'suspicious') await this.suspect(pool);
      this.refuseOther(pool);
      if (pool.model === model) break;
      model = pool.model;
    }
    const counts = pool.counts();
    const trusted = isTrusted(pool.setup.kind, counts, pool.values.size) && hasSkill(model?.learned?.choice.skill);
    const { order, reasons } = rankQueue(this.order, {
      pool: pool.queue,
      open: pool.open,
      closed: pool.closed,
      closedChecks: pool.closedChecks,
      decisions: counts,
      trusted,
      ...(model ? { model: this.view(pool, model) } : {}),
      ...(pool.suspicious ? { suspicious: pool.suspicious.order.filter((position) => !pool.reviewed.has(position)) } : {}),
    });
    const check = model?.measured?.check;
    return {
      revision: ++this.rankings,
      order,
      reasons,
      scores: pick(model?.scores, order, pool.outputs),
      rule: model?.store.ruleFor(pool.setup.kind) ?? { kind: pool.setup.kind },
      open: pool.setup.count - pool.closed,
      trusted,
      ...(check ? { check } : {}),
      milliseconds: performance.now() - start,
    };
  }

  private view(pool: Pool, model: LearnedModel): QueueModel {
    return {
      rule: model.store.ruleFor(pool.setup.kind),
      store: model.store,
      coverage: model.coverage,
      scores: model.scores,
      decided: Int32Array.from(pool.lectures(model.store), ({ position }) => position),
    };
  }

  /** Moves the heads and scores all texts, unless nothing has changed. */
  private async learn(pool: Pool, model: LearnedModel, turns: Turns): Promise<void> {
    const { store } = model;
    const madeFrom = { revision: pool.revision, known: store.knownCount };
    if (model.madeFrom?.revision === madeFrom.revision && model.madeFrom.known === madeFrom.known) return;
    const shape = pool.shape(store);
    const rows = pool.lectures(store);
    model.statistics = store.statistics();
    if (model.coverage.weights !== model.statistics.ngrams) model.coverage = pool.coverageOf(store, model.statistics);
    await this.cover(pool, model, turns);
    model.learned = await learnHead(shape, model, rows, model.learned, turns);
    await this.measure(pool, model, shape, rows, turns);
    model.scores = model.learned || store.hasBase ? await scoreAll(pool, model, turns) : undefined;
    model.madeFrom = madeFrom;
  }

  /** Works out what the order at the start will ask of the coverage, which takes too long for one slice. */
  private async cover({ queue, setup, open }: Pool, { store, coverage }: LearnedModel, turns: Turns): Promise<void> {
    const candidates = queue.shuffled.filter((position) => store.known[position] === 1 && open[position] === 1 && setup.checks[position] !== 1);
    for (const position of candidates.slice(0, representative.start.among)) {
      coverage.nearness(position);
      await turns.take();
    }
  }

  private async measure(pool: Pool, model: LearnedModel, shape: HeadShape, rows: readonly Lecture[], turns: Turns): Promise<void> {
    const { checks } = pool.setup;
    const checkRows = rows.filter(({ position }) => checks[position] === 1);
    const others = rows.filter(({ position }) => checks[position] !== 1);
    const { checkRevision } = pool;
    const known = model.store.knownCount;
    const before = model.measured;
    if (before?.checkRevision === checkRevision && before.known === known && Math.abs(others.length - before.others) < measuredEvery) return;
    const learned = await learnHead(shape, model, others, before?.learned, turns);
    model.measured = { learned, check: learned && measureCheck(shape, learned.head, model.store, checkRows), checkRevision, others: others.length, known };
  }

  private async suspect(pool: Pool): Promise<void> {
    // decided since it was asked for: what is left keeps its order, and the person their place in it
    if (pool.suspicious && (pool.suspicious.revision === pool.revision || pool.reviewed.size > 0)) return;
    const { revision } = pool;
    const { positions, scores } = await this.validate(pool, suspicionFolds, pool.setup.seed);
    const own = ownScores(pool.setup.kind, Array.from(positions, (position) => pool.values.get(position)), scores, pool.outputs);
    const places = [...positions.keys()].sort((a, b) => own[a]! - own[b]! || positions[a]! - positions[b]!);
    pool.suspicious = { revision, order: Int32Array.from(places, (place) => positions[place]!) };
  }

  private validate(pool: Pool, folds: number, seed: number): Promise<CrossValidation> {
    const turns = new Turns(this.options.pause);
    const model = pool.model;
    return crossValidate({
      decided: [...pool.values].map(([position, value]) => ({ position, value })),
      hashes: pool.setup.hashes,
      outputs: pool.outputs,
      ...(model ? { features: { shape: pool.shape(model.store), store: model.store, statistics: model.store.statistics() } } : {}),
      folds,
      seed,
      turns,
    });
  }
}

/** @param earlier where to begin */
async function learnHead(shape: HeadShape, { store, statistics }: LearnedModel, rows: readonly Lecture[], earlier: Learned | undefined, turns: Turns): Promise<Learned | undefined> {
  if (!isLearnable(shape, rows)) return undefined;
  const now = { rows: rows.length, known: store.knownCount };
  // with other texts known all begins anew, so that it does not matter in which order they came
  const before = earlier?.chosenAt.known === now.known ? earlier : undefined;
  const isChosen = before !== undefined && !shape.hasBase && Math.abs(now.rows - before.chosenAt.rows) < Math.max(blendAgain.decisions, blendAgain.share * now.rows);
  const { choice, chosenAt } = isChosen ? before : { choice: await turns.run(chooseBlend(shape, store, statistics, rows, before?.choice.blend)), chosenAt: now };
  return { head: await turns.run(fitHead(shape, store, statistics, choice.blend, rows, earlier?.head)), choice, chosenAt };
}

/** Scores of a text by the head, else the base model, else NaN. */
function scoreInto({ outputs }: Pool, model: LearnedModel | undefined, position: number, scores: Float32Array, at: number): void {
  if (!model || model.store.known[position] !== 1) scores.fill(NaN, at, at + outputs);
  else if (model.learned) model.learned.head.score(model.store, position, scores, at);
  else for (let k = 0; k < outputs; k++) scores[at + k] = model.store.hasBase ? model.store.baseScore(position, k) : NaN;
}

async function scoreAll(pool: Pool, model: LearnedModel | undefined, turns: Turns): Promise<Float32Array> {
  const scores = new Float32Array(pool.setup.count * pool.outputs);
  for (let position = 0; position < pool.setup.count; position++) {
    scoreInto(pool, model, position, scores, position * pool.outputs);
    if (position % scoredAtOnce === scoredAtOnce - 1) await turns.take();
  }
  return scores;
}

function pick(scores: Float32Array | undefined, order: Int32Array, outputs: number): Float32Array {
  if (!scores) return new Float32Array(0);
  const picked = new Float32Array(order.length * outputs);
  order.forEach((position, place) => picked.set(scores.subarray(position * outputs, (position + 1) * outputs), place * outputs));
  return picked;
}
