import { HumanError } from '../../core/errors';
import { isCheck } from '../../core/labels/checks';
import { excerptOf, type Decision, type DecisionPrediction, type DecisionSource, type DecisionValue } from '../../core/labels/decision';
import { isEditOf } from '../../core/labels/edited';
import type { DecisionDraft, JournalState } from '../../core/labels/journal';
import { offeredLabels, type Label, type TaskDefinition } from '../../core/labels/task';
import type { DecideRequest, Example, StaleState } from '../../core/labels/view';
import type { LearnedDecision } from '../../core/protocol/learner';
import { exampleId } from '../../core/text/normalize';
import type { DecidedText, FineTuneRows } from '../../labeling/fineTunePolicy';
import { DecidedPlaces } from './decidedPlaces';
import { DecisionTrail } from './decisionTrail';
import { divide } from './fineTuning';
import { LearnableCounts } from './learnableCounts';
import type { Pool } from './pool';
import { Slices } from './slices';
import type { Drafts } from '../../storage/journalStore';

/** What is known of texts when they are decided on. */
export interface KnownTexts {
  example(id: string): Example | undefined;
  predictionOf(id: string): DecisionPrediction | undefined;
}

/** Texts that are decided on within a turn. */
const few = 100;

/** What was decided in a task, seen through its present labels and texts. */
export class TaskDecisions {
  /** Labels that are offered. */
  labels: readonly Label[];
  /** Their ids. */
  labelIds: readonly string[];
  readonly learnable = new LearnableCounts();
  private readonly trail = new DecisionTrail();
  private readonly places = new DecidedPlaces();
  private pool: Pool | undefined;
  /** Texts of the pool that are counted, from the first one on. */
  private counted = 0;

  private constructor(
    readonly state: JournalState,
    private task: TaskDefinition,
    private readonly annotator: string,
    private readonly pause: () => Promise<void>,
  ) {
    this.labels = offeredLabels(task);
    this.labelIds = this.labels.map(({ id }) => id);
  }

  /** Looks at all that was decided, in slices; nothing may be decided meanwhile. */
  static async of(state: JournalState, task: TaskDefinition, annotator: string, pause: () => Promise<void>): Promise<TaskDecisions> {
    const decisions = new TaskDecisions(state, task, annotator, pause);
    const slices = new Slices(pause);
    for (const decision of state.decisions()) {
      decisions.follow(decision);
      if (slices.isOver) await slices.rest();
    }
    return decisions;
  }

  get definition(): TaskDefinition {
    return this.task;
  }

  /** @returns whether other labels are offered, or in another order */
  useTask(task: TaskDefinition): boolean {
    const before = this.labelIds;
    this.task = task;
    this.labels = offeredLabels(task);
    this.labelIds = this.labels.map(({ id }) => id);
    return before.length !== this.labelIds.length || before.some((id, index) => id !== this.labelIds[index]);
  }

  /** Counts the texts of this pool from now on; as it grows, it has to be told again. Resolves when they are counted. */
  async usePool(pool: Pool): Promise<void> {
    const isOther = pool !== this.pool;
    this.pool = pool;
    const from = isOther ? pool.size : this.counted;
    this.counted = pool.size;
    if (isOther) await this.state.countWithin((id) => pool.positionOf(id) !== undefined, this.pause);
    const slices = new Slices(this.pause);
    for (let position = from; position < pool.size; position++) {
      this.state.countAlso([pool.idAt(position)]);
      if (slices.isOver) await slices.rest();
    }
  }

  /** Takes in what was decided about these texts. */
  async changed(examples: readonly string[]): Promise<void> {
    const slices = new Slices(this.pause);
    for (const id of examples) {
      this.countLearnable(id);
      for (const word of this.state.wordsOf(id)) this.follow(word);
      if (slices.isOver) await slices.rest();
    }
  }

  isOpen(id: string): boolean {
    return !this.state.isDecided(id);
  }

  /** What was decided, if it can be learned: labels that are offered, or a number. */
  learnableValue(id: string): DecisionValue | undefined {
    const state = this.state.stateOf(id);
    const value = state?.status === 'labeled' ? state.value : undefined;
    if (value === undefined || typeof value === 'number') return value;
    return (typeof value === 'string' ? [value] : value).every((label) => this.labelIds.includes(label)) ? value : undefined;
  }

  /** As the learner is told. */
  learnedAt(position: number): LearnedDecision {
    const id = this.pool?.idAt(position) ?? '';
    const value = this.learnableValue(id);
    const learned = value === undefined ? null : typeof value === 'number' ? value : (typeof value === 'string' ? [value] : value).map((label) => this.labelIds.indexOf(label));
    return { position, value: learned, open: this.isOpen(id) };
  }

  /** Counts anew what can be learned from. */
  async recount(): Promise<void> {
    this.learnable.clear();
    const slices = new Slices(this.pause);
    for (const id of [...this.state.decidedExamples()]) {
      this.countLearnable(id);
      if (slices.isOver) await slices.rest();
    }
  }

  /** The texts of the pool that were decided on, in the parts that fine-tuning needs. */
  async divided(): Promise<FineTuneRows> {
    const { pool } = this;
    const decided: DecidedText[] = [];
    const slices = new Slices(this.pause);
    for (const id of pool ? [...this.state.decidedExamples()] : []) {
      const position = pool?.positionOf(id);
      if (position !== undefined) decided.push({ position, value: this.learnedAt(position).value, check: isCheck(id) });
      if (slices.isOver) await slices.rest();
    }
    await this.pause();
    const rows = await divide(decided, this.task.kind, (position) => pool?.idAt(position) ?? '', this.pause);
    await this.pause();
    return rows;
  }

  neighbour(id: string, step: -1 | 1): string | undefined {
    return this.trail.neighbour(id, step, (other) => this.pool?.positionOf(other) !== undefined);
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

  /**
   * What has to be written for a request; one about many texts is drafted in slices, when it is its turn.
   * @throws HumanError `labeling.label`, `labeling.number`, `labeling.range`, `labeling.example` when it does not fit the task
   */
  draftsOf(request: DecideRequest, known: KnownTexts): Drafts {
    if (request.status === 'labeled') this.checkValues(request);
    const drafts = this.eachDraft(request, known);
    return request.targets.length <= few ? [...drafts] : () => this.inSlices(drafts);
  }

  private async inSlices(drafts: Iterable<DecisionDraft>): Promise<readonly DecisionDraft[]> {
    const slices = new Slices(this.pause);
    const made: DecisionDraft[] = [];
    for (const draft of drafts) {
      made.push(draft);
      if (slices.isOver) await slices.rest();
    }
    return made;
  }

  private *eachDraft({ targets, status, value, origin }: DecideRequest, known: KnownTexts): Iterable<DecisionDraft> {
    for (const target of targets) {
      const example = typeof target === 'string' ? known.example(target) : { id: exampleId(target.text), text: target.text, sources: [target.source] };
      if (!example) throw unknownExample();
      const { id, text, sources } = example;
      const label = status === 'labeled' ? (valueOf(target) ?? value) : status === 'flagged' ? (value ?? this.state.wordOf(id, this.annotator)?.label) : undefined;
      const prediction = known.predictionOf(id);
      yield {
        example: id,
        ...(sources[0] ? { source: sources[0] } : {}),
        text: excerptOf(text),
        status,
        ...(label === undefined ? {} : { label }),
        origin,
        ...(prediction ? { prediction } : {}),
      };
    }
  }

  private checkValues({ targets, value }: DecideRequest): void {
    if (value !== undefined || targets.some((target) => valueOf(target) === undefined)) this.checkValue(value);
    for (const target of targets) {
      const own = valueOf(target);
      if (own !== undefined) this.checkValue(own);
    }
  }

  private checkValue(value: DecisionValue | undefined): void {
    const { kind, range } = this.task;
    if (kind === 'number') {
      if (typeof value !== 'number' || !Number.isFinite(value)) throw new HumanError('labeling.number', 'This task asks for a number. Enter one.');
      if (range && (value < range.minimum || value > range.maximum))
        throw new HumanError('labeling.range', '{0} is not between {1} and {2}, which this task expects. Enter another number.', [value, range.minimum, range.maximum]);
      return;
    }
    const ids = kind === 'single' ? (typeof value === 'string' ? [value] : undefined) : typeof value === 'object' ? value : undefined;
    const stranger = ids?.find((id) => !this.labelIds.includes(id));
    if (!ids || stranger !== undefined || new Set(ids).size !== ids.length)
      throw new HumanError('labeling.label', 'The label "{0}" is not offered in this task. Choose one of these: {1}.', [stranger ?? '', this.labels.map(({ name }) => name).join(', ') || '–']);
  }

  private countLearnable(id: string): void {
    if (isCheck(id) || this.pool?.positionOf(id) === undefined) return;
    this.learnable.set(id, this.learnableValue(id));
  }

  /** Takes a decision into the lists of what was decided when, and where. */
  private follow(decision: Decision): void {
    this.places.add(decision);
    if (decision.annotator === this.annotator) this.trail.add(decision);
  }
}

function valueOf(target: DecideRequest['targets'][number]): DecisionValue | undefined {
  return typeof target === 'string' ? undefined : target.value;
}

export function unknownExample(): HumanError {
  return new HumanError('labeling.example', 'This text is no longer among those of the task. Its file may have changed: look at the list again.');
}
