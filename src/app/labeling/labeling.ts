/**
 * What the panel, the editor, the commands and the command line see of labelling. `openTask.ts` does it.
 */
import type { Decision, DecisionSource } from '../../core/labels/decision';
import type { ImportPlan } from '../../core/labels/importPlan';
import type { Label, TaskDefinition } from '../../core/labels/task';
import type {
  DecideRequest, Example, ExampleFilter, ExampleList, ExampleState, FineTuneState, Guess, Insight, LabelEdit, LearningState, ModelVersion, QueueItem, StaleState, TaskChange, TaskCounts, Undone, WordWeight,
} from '../../core/labels/view';
import type { QueueOrder } from '../../core/protocol/learner';
import type { AbortSignalLike } from '../../core/protocol/rpc';
import type { Disposable, Event } from '../events';

/** A task that is open for labelling. */
export interface LabelingTask extends Disposable {
  /** Absolute path of the folder in whose `.label-lens/` it is stored. */
  readonly folder: string;
  readonly definition: TaskDefinition;
  /** The labels that are offered: not archived, not merged. Scores of guesses follow this order. */
  readonly labels: readonly Label[];
  readonly annotator: string;
  readonly counts: TaskCounts;
  readonly learning: LearningState;
  readonly order: QueueOrder;
  readonly canUndo: boolean;
  readonly canRedo: boolean;
  /** Share of the sources that has been read, 0..1; undefined once all of it has. */
  readonly reading: number | undefined;
  readonly onDidChange: Event<TaskChange>;
  /** Resolves when the sources have been read. */
  readonly ready: Promise<void>;

  example(id: string): Example | undefined;
  /** By text, for documents; the state of texts that are in no source, too. */
  stateOf(id: string): ExampleState | undefined;
  /** An annotator's own latest word on an example. */
  wordOf(id: string, annotator: string): Pick<Decision, 'at' | 'decidedAt' | 'status' | 'label'> | undefined;
  guessOf(id: string): Guess | undefined;
  /**
   * Latest decision about a text that stood at this place (`isSamePlace`) and was edited (`isEditOf` of its first 80 characters): shown as stale.
   * Whether that text stands elsewhere in the document by now, and another one moved here, is for the editor to see, hence its id.
   */
  staleAt(source: DecisionSource, text: string): StaleState | undefined;

  /** The examples that come next, the current ones first. @param skip ids that the caller holds already */
  next(count: number, skip?: readonly string[]): Promise<readonly QueueItem[]>;
  setOrder(order: QueueOrder): Promise<void>;
  /** Neighbour in the order of decisions taken, for going back and forth: -1 the one decided before, +1 after. */
  neighbour(id: string, step: -1 | 1): string | undefined;

  /** @returns when the decisions are on disk. @throws HumanError when they could not be written; nothing has changed then */
  decide(request: DecideRequest): Promise<Undone>;
  /** Writes what an import was planned to change (`planImport`), labels that are new first. @throws HumanError as {@link decide} */
  importPlanned(plan: Pick<ImportPlan, 'decisions' | 'newLabels'>): Promise<Undone>;
  undo(): Promise<Undone | undefined>;
  redo(): Promise<Undone | undefined>;
  editLabel(edit: LabelEdit): Promise<void>;

  list(filter: ExampleFilter, from: number, count: number): Promise<ExampleList>;
  /** Ids of all that pass, for bulk decisions and exports. */
  matching(filter: ExampleFilter): Promise<readonly string[]>;
  explain(id: string, signal?: AbortSignalLike): Promise<readonly WordWeight[]>;
  insight(): Promise<Insight>;

  fineTune(): Promise<FineTuneState>;
  cancelFineTune(): void;
  versions(): Promise<readonly ModelVersion[]>;
  restore(version: string): Promise<void>;
  /** Looks again at journal, task.json and sources, where something else may have changed them. */
  refresh(): Promise<void>;
  /** Writes journals again, from what is known of them, that were deleted or moved while the task was open (`journal.gone`). @throws HumanError when that does not work */
  writeAgain(): Promise<void>;
}

/** What is asked when a task is made. */
export interface NewTask extends Pick<TaskDefinition, 'name' | 'kind' | 'sources' | 'range' | 'keywords'> {
  readonly labels: readonly string[];
  /** A column of the (table) source that holds labels already: they are imported as decisions. */
  readonly labelColumn?: string;
}

/** Tasks of the workspace's folders, and the one that is being labelled. */
export interface LabelingTasks extends Disposable {
  readonly active: LabelingTask | undefined;
  /** Fired when another task became active, or none. */
  readonly onDidChangeActive: Event<LabelingTask | undefined>;
  list(): Promise<readonly { readonly name: string; readonly folder: string; readonly definition?: TaskDefinition; readonly problem?: Error }[]>;
  /** @throws HumanError when the name is taken or a source cannot be read */
  create(folder: string, task: NewTask): Promise<LabelingTask>;
  /** Opens and makes it the active one. */
  open(folder: string, name: string): Promise<LabelingTask>;
  close(): void;
}
