import type { Event } from '../../../src/app/events';
import { Emitter } from '../../../src/app/events';
import { excerptOf, type DecisionSource } from '../../../src/core/labels/decision';
import { isEditOf, isSamePlace } from '../../../src/core/labels/edited';
import { offeredLabels, type Label, type TaskDefinition } from '../../../src/core/labels/task';
import type { DecideRequest, Example, ExampleState, Guess, StaleState, TaskChange, Undone, WordWeight } from '../../../src/core/labels/view';
import { exampleId } from '../../../src/core/text/normalize';
import type { EditorTask, EditorTasks } from '../../../src/editor/taskAnnotations';

interface Taken {
  readonly id: string;
  readonly text: string;
  readonly source: DecisionSource;
  readonly before: ExampleState | undefined;
}

/** A task in memory, for what the editor shows of one and asks of it. Knows no pool: texts come with their place. */
export class FakeTask implements EditorTask {
  /** All requests, in order. */
  readonly requests: DecideRequest[] = [];
  /** What is said when a decision cannot be written. */
  failure: Error | undefined;
  /** Texts with a guess, by id. */
  private readonly guesses = new Map<string, { readonly text: string; readonly guess: Guess }>();
  private readonly states = new Map<string, ExampleState>();
  private readonly groups: (readonly Taken[])[] = [];
  private readonly changed = new Emitter<TaskChange>();

  constructor(
    readonly folder: string,
    public definition: TaskDefinition,
    readonly annotator = 'mei',
  ) {}

  get onDidChange(): Event<TaskChange> {
    return this.changed.event;
  }

  get labels(): readonly Label[] {
    return offeredLabels(this.definition);
  }

  guess(text: string, guess: Guess): void {
    this.guesses.set(exampleId(text), { text, guess });
  }

  example(id: string): Example | undefined {
    const text = this.guesses.get(id)?.text;
    return text === undefined ? undefined : { id, position: 0, text, sources: [], context: [] };
  }

  /** The first word decides. */
  async explain(id: string): Promise<readonly WordWeight[]> {
    await Promise.resolve();
    return [{ start: 0, end: this.example(id)?.text.indexOf(' ') ?? 0, weight: 0.25 }];
  }

  stateOf(id: string): ExampleState | undefined {
    return this.states.get(id);
  }

  guessOf(id: string): Guess | undefined {
    return this.guesses.get(id)?.guess;
  }

  staleAt(source: DecisionSource, text: string): StaleState | undefined {
    for (const { id, text: before, source: place } of this.groups.flat().reverse()) {
      const state = this.states.get(id);
      if (state && isSamePlace(place, source) && isEditOf(excerptOf(before), text)) return { ...state, example: id };
    }
    return undefined;
  }

  async decide({ targets, ...answer }: DecideRequest): Promise<Undone> {
    await Promise.resolve();
    if (this.failure) throw this.failure;
    this.requests.push({ targets, ...answer });
    const taken: Taken[] = [];
    for (const target of targets) {
      if (typeof target === 'string') throw new Error('The editor names texts by their place.');
      const id = exampleId(target.text);
      taken.push({ id, ...target, before: this.states.get(id) });
      const value = target.value ?? answer.value;
      this.states.set(id, { status: answer.status, ...(value === undefined ? {} : { value }), annotator: this.annotator, at: '2026-11-20T20:00:00.000Z', others: [] });
    }
    this.groups.push(taken);
    return this.tell(taken);
  }

  async undo(): Promise<Undone | undefined> {
    await Promise.resolve();
    const taken = this.groups.pop();
    if (!taken) return undefined;
    for (const { id, before } of [...taken].reverse()) {
      if (before) this.states.set(id, before);
      else this.states.delete(id);
    }
    return this.tell(taken);
  }

  redo(): Promise<Undone | undefined> {
    return Promise.resolve(undefined);
  }

  /** Another annotator's word about a text. */
  disagree(text: string, annotator: string, value: string): void {
    const id = exampleId(text);
    const state = this.states.get(id);
    if (state) this.states.set(id, { ...state, others: [...state.others, { annotator, status: 'labeled', value }] });
    this.changed.fire({ kind: 'decisions', examples: [id] });
  }

  redefine(definition: TaskDefinition): void {
    this.definition = definition;
    this.changed.fire({ kind: 'task' });
  }

  private tell(taken: readonly Taken[]): Undone {
    const examples = taken.map(({ id }) => id);
    this.changed.fire({ kind: 'decisions', examples });
    return { examples, canUndo: this.groups.length > 0, canRedo: false };
  }
}

/** The tasks of a workspace, of which one or none is active. */
export class FakeTasks implements EditorTasks {
  active: FakeTask | undefined;
  private readonly changed = new Emitter<unknown>();

  get onDidChangeActive(): Event<unknown> {
    return this.changed.event;
  }

  activate(task: FakeTask | undefined): void {
    this.active = task;
    this.changed.fire(task);
  }
}
