import type { Decision } from '../../../src/core/labels/decision';
import type { DecideRequest, Example, ExampleState, FineTuneState, LearningState, TaskChange, TaskCounts, Undone } from '../../../src/core/labels/view';
import { exampleId } from '../../../src/core/text/normalize';
import { Emitter } from '../../../src/app/events';
import type { LabelingTask, LabelingTasks } from '../../../src/app/labeling/labeling';

/** Not called by the tests that use a fake. */
function unused(): never {
  throw new Error('A fake task does not do that');
}

/** A task of a few texts in memory, in file order, that undoes one decision after the other. */
export class FakeTask implements LabelingTask {
  readonly folder = '/files';
  readonly definition = { formatVersion: 1, name: 'reviews', kind: 'single' as const, labels: [{ id: 'good', name: 'Good', color: 0, key: '1' }, { id: 'bad', name: 'Bad', color: 1, key: '2' }], sources: [] };
  readonly labels = this.definition.labels;
  readonly annotator = 'mei';
  readonly order = 'file';
  readonly ready = Promise.resolve();
  reading: number | undefined;
  learning: LearningState = { cached: 1, decisions: 0, trusted: false };
  /** What the next decision fails with. */
  failure: Error | undefined;
  readonly changes = new Emitter<TaskChange>();
  readonly onDidChange = this.changes.event;
  readonly examples: readonly Example[];
  private readonly states = new Map<string, ExampleState>();
  private readonly taken: DecideRequest[] = [];

  constructor(texts: readonly string[]) {
    this.examples = texts.map((text, position) => ({ id: exampleId(text), position, text, sources: [{ file: 'reviews.csv', row: position + 1 }], context: [] }));
  }

  get counts(): TaskCounts {
    const labeled = this.states.size;
    return { examples: this.examples.length, rows: this.examples.length, labeled, skipped: 0, flagged: 0, open: this.examples.length - labeled, byLabel: {}, pace: 0 };
  }

  get canUndo(): boolean {
    return this.taken.length > 0;
  }

  readonly canRedo = false;

  example = (id: string): Example | undefined => this.examples.find((example) => example.id === id);
  stateOf = (id: string): ExampleState | undefined => this.states.get(id);
  guessOf = (): undefined => undefined;
  staleAt = (): undefined => undefined;

  next = (count: number, skip: readonly string[] = []) =>
    Promise.resolve(
      this.examples
        .filter(({ id }) => !this.states.has(id) && !skip.includes(id))
        .slice(0, count)
        .map((example) => ({ example, reason: 'file' as const })),
    );

  decide = (request: DecideRequest): Promise<Undone> => {
    if (this.failure) return Promise.reject(this.failure);
    const ids = request.targets.flatMap((target) => (typeof target === 'string' ? [target] : []));
    const decision: Pick<Decision, 'status' | 'annotator' | 'at'> = { status: request.status, annotator: this.annotator, at: '2026-11-24T20:00:00.000Z' };
    for (const id of ids) this.states.set(id, { ...decision, ...(request.value === undefined ? {} : { value: request.value }), others: [] });
    this.taken.push(request);
    this.changes.fire({ kind: 'decisions', examples: ids });
    return Promise.resolve({ examples: ids, canUndo: true, canRedo: false });
  };

  undo = (): Promise<Undone | undefined> => {
    const last = this.taken.pop();
    const ids = last?.targets.flatMap((target) => (typeof target === 'string' ? [target] : [])) ?? [];
    for (const id of ids) this.states.delete(id);
    this.changes.fire({ kind: 'decisions', examples: ids });
    return Promise.resolve(last && { examples: ids, canUndo: this.canUndo, canRedo: true });
  };

  matching = () => Promise.resolve(this.examples.map(({ id }) => id));
  fineTune = (): Promise<FineTuneState> => unused();
  neighbour = () => unused();
  wordOf = () => unused();
  importPlanned = () => unused();
  redo = () => unused();
  setOrder = () => unused();
  editLabel = () => unused();
  list = () => unused();
  explain = () => unused();
  insight = () => unused();
  cancelFineTune = () => unused();
  versions = () => unused();
  restore = () => unused();
  refresh = () => unused();
  writeAgain = () => unused();
  dispose = () => unused();
}

/** Tasks of which one can be made the active one. */
export class FakeTasks implements LabelingTasks {
  private readonly emitter = new Emitter<LabelingTask | undefined>();
  readonly onDidChangeActive = this.emitter.event;

  constructor(public active: LabelingTask | undefined) {}

  activate(task: LabelingTask | undefined): void {
    this.active = task;
    this.emitter.fire(task);
  }

  list = () => unused();
  create = () => unused();
  open = () => unused();
  close = () => this.activate(undefined);
  dispose = () => this.emitter.dispose();
}
