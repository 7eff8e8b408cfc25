import type { DecisionValue } from '../labels/decision';
import type { Label, TaskDefinition } from '../labels/task';
import type { DecideRequest, ExampleFilter, ExampleList, ExampleState, FineTuneState, Guess, Insight, LabelEdit, LearningState, ModelVersion, QueueItem, TaskCounts, WordWeight } from '../labels/view';
import type { QueueOrder } from './learner';

/**
 * Panel's page → its host in the extension. The page is told of changes through the progress messages of `events`, a request that stays open.
 *
 * The page says {@link panelHello} as soon as it listens, also whenever it was loaded anew (hidden and shown again): the host then begins to serve, and lets go of what served the page before.
 *
 * Methods that need a task fail with a HumanError when none is open. Nothing that the page sends is trusted: the host checks it (`panelChecks.ts`).
 */
export type PanelMethods = {
  /** The page's first request. */
  start: { params: Record<string, never>; result: PanelStart };
  events: { params: Record<string, never>; result: null; progress: PanelEvent };
  /** Items that come next, without those that the page holds. */
  next: { params: { readonly count: number; readonly skip: readonly string[] }; result: { readonly items: readonly PanelItem[] } };
  item: { params: { readonly id: string }; result: { readonly item: PanelItem } };
  /** -1: the example decided on before this one; +1: after it. Null: there is none. */
  neighbour: { params: { readonly id: string; readonly step: -1 | 1 }; result: { readonly item: PanelItem | null } };
  /** The answer comes when the decisions are on disk. */
  decide: { params: PanelDecision; result: PanelDecided };
  undo: { params: Record<string, never>; result: PanelDecided | null };
  redo: { params: Record<string, never>; result: PanelDecided | null };
  list: { params: { readonly filter: ExampleFilter; readonly from: number; readonly count: number }; result: ExampleList };
  /** All that pass the filter, for a bulk decision: how many, and how many of them have a decision already. */
  countMatching: { params: { readonly filter: ExampleFilter }; result: { readonly total: number; readonly decided: number } };
  explain: { params: { readonly id: string }; result: { readonly words: readonly WordWeight[] } };
  setOrder: { params: { readonly order: QueueOrder }; result: null };
  editLabel: { params: { readonly edit: LabelEdit }; result: null };
  insight: { params: Record<string, never>; result: Insight };
  fineTune: { params: Record<string, never>; result: PanelLearning };
  cancelFineTune: { params: Record<string, never>; result: null };
  versions: { params: Record<string, never>; result: { readonly versions: readonly ModelVersion[] } };
  restore: { params: { readonly version: string }; result: null };
  /** Runs a command of the extension that asks the person for what it needs. */
  run: { params: { readonly command: PanelCommand }; result: null };
  /** Goes to the example's place in its file. */
  reveal: { params: { readonly id: string }; result: null };
  /** Remembered for this workspace. */
  setOption: { params: { readonly option: keyof PanelOptions; readonly value: boolean }; result: null };
};

/** The page's first message, before any request. */
export const panelHello = { kind: 'hello' } as const;

export type PanelCommand = 'createTask' | 'openTask' | 'exportLabeledCsv' | 'importLabels' | 'exportModel' | 'exportReport' | 'selectAnnotator';

export interface PanelOptions {
  /** Hides the guess until one has decided. */
  readonly blind: boolean;
  /** Shows the words that decided. */
  readonly explain: boolean;
}

export interface PanelStart {
  /** Null: no task is open; the page shows how to begin. */
  readonly task: PanelTask | null;
  readonly options: PanelOptions;
  /** Every text of the page in the person's language, by its English; see `panelStrings.ts`. */
  readonly strings: Readonly<Record<string, string>>;
  /** Such as `en` or `zh-cn`. */
  readonly language: string;
}

export interface PanelTask {
  readonly definition: TaskDefinition;
  /** Those that are offered, in order; scores follow it. */
  readonly labels: readonly Label[];
  readonly annotator: string;
  readonly counts: TaskCounts;
  readonly learning: PanelLearning;
  readonly order: QueueOrder;
  readonly canUndo: boolean;
  readonly canRedo: boolean;
  /** Whether the texts are still being read, 0..1 of the bytes, if that is known. */
  readonly reading?: number;
}

/** As {@link LearningState}; what went wrong, in the person's language. */
export interface PanelLearning extends Omit<LearningState, 'fineTune'> {
  readonly fineTune?: Omit<FineTuneState, 'error'> & { readonly error?: string };
}

export interface PanelItem extends QueueItem {
  readonly state?: ExampleState;
}

export type PanelDecision = {
  /** Examples by id, or all that pass a filter (`expected` of them: if there are others by now, nothing is done and the call fails). */
  readonly targets: { readonly ids: readonly string[] } | { readonly filter: ExampleFilter; readonly expected: number };
  readonly value?: DecisionValue;
} & Pick<DecideRequest, 'status' | 'origin'>;

export interface PanelDecided {
  /** What changed; of a large bulk decision only the first 1,000. */
  readonly changed: readonly { readonly id: string; readonly state?: ExampleState; readonly guess?: Guess }[];
  readonly count: number;
  readonly counts: TaskCounts;
  readonly canUndo: boolean;
  readonly canRedo: boolean;
}

export type PanelEvent =
  /** Another task, other labels, or none any more. */
  | { readonly kind: 'task'; readonly task: PanelTask | null }
  | { readonly kind: 'counts'; readonly counts: TaskCounts; readonly canUndo: boolean; readonly canRedo: boolean }
  /** Decisions came from the editor or another window. */
  | { readonly kind: 'decisions'; readonly changed: PanelDecided['changed'] }
  /** The order or the guesses moved: prefetched items and lists are out of date. */
  | { readonly kind: 'queue' }
  | { readonly kind: 'learning'; readonly learning: PanelLearning }
  /** To be told at once and kept in sight until closed. */
  | { readonly kind: 'problem'; readonly message: string }
  /** A file was dealt with or a task chosen elsewhere: show this example. */
  | { readonly kind: 'show'; readonly item: PanelItem }
  /** The person wants to edit the labels: show where that is done. */
  | { readonly kind: 'labels' };
