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
import { statusOf } from './exampleFilter';
import { divide } from './fineTuning';
import { LearnableCounts } from './learnableCounts';
import type { Pool } from './pool';
import { Slices } from './slices';

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

  constructor(
    readonly state: JournalState,
    private task: TaskDefinition,
    private readonly annotator: string,
  ) {
    this.labels = offeredLabels(task);
    this.labelIds = this.labels.map(({ id }) => id);
    for (const decision of state.decisions) this.follow(decision);
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

  /** Counts the texts of this pool from now on; as it grows, it has to be told again. */
  usePool(pool: Pool): void {
    this.pool = pool;
    this.state.countWithin((id) => pool.positionOf(id) !== undefined);
  }

  /** Takes in what was decided about these texts. */
  changed(examples: readonly string[]): void {
    for (const id of examples) {
      this.countLearnable(id);
      for (const word of this.state.wordsOf(id)) this.follow(word);
    }
  }

  isOpen(id: string): boolean {
    return statusOf(this.state.stateOf(id)) === 'open';
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
  async recount(pause: () => Promise<void>): Promise<void> {
    this.learnable.clear();
    const slices = new Slices(pause);
    for (const id of [...this.state.decidedExamples()]) {
      this.countLearnable(id);
      if (slices.isOver) await slices.rest();
    }
  }

  /** The texts of the pool that were decided on, in the parts that fine-tuning needs. */
  divided(): FineTuneRows {
    const { pool } = this;
    const decided: DecidedText[] = [];
    for (const id of pool ? this.state.decidedExamples() : []) {
      const position = pool?.positionOf(id);
      if (position !== undefined) decided.push({ position, value: this.learnedAt(position).value, check: isCheck(id) });
    }
    return divide(decided, (position) => pool?.idAt(position) ?? '');
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
   * What has to be written for a request.
   * @throws HumanError `labeling.label`, `labeling.number`, `labeling.range`, `labeling.example` when it does not fit the task
   */
  draftsOf({ targets, status, value, origin }: DecideRequest, known: { example(id: string): Example | undefined; predictionOf(id: string): DecisionPrediction | undefined }): readonly DecisionDraft[] {
    if (status === 'labeled') this.checkValue(value);
    return targets.map((target): DecisionDraft => {
      const example = typeof target === 'string' ? known.example(target) : { id: exampleId(target.text), text: target.text, sources: [target.source] };
      if (!example) throw unknownExample();
      const { id, text, sources } = example;
      const label = status === 'labeled' ? value : status === 'flagged' ? (value ?? this.state.wordOf(id, this.annotator)?.label) : undefined;
      const prediction = known.predictionOf(id);
      return {
        example: id,
        ...(sources[0] ? { source: sources[0] } : {}),
        text: excerptOf(text),
        status,
        ...(label === undefined ? {} : { label }),
        origin,
        ...(prediction ? { prediction } : {}),
      };
    });
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

export function unknownExample(): HumanError {
  return new HumanError('labeling.example', 'This text is no longer among those of the task. Its file may have changed: look at the list again.');
}
