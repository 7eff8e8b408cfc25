import type { DecisionStatus, DecisionValue } from '../src/core/labels/decision';
import type { Guess, WordWeight } from '../src/core/labels/view';
import type { PanelDecided, PanelItem, PanelOptions, PanelTask } from '../src/core/protocol/panel';
import type { Tab } from './host';
import { StateStore } from './stateStore';

/** What was saved last, to be shown with what the model had guessed. */
export interface SavedDecision {
  readonly status: DecisionStatus;
  readonly value?: DecisionValue;
  readonly guess?: Guess;
  readonly count: number;
}

/** Something that could not be saved; it and what was pressed after it wait for the person's word. */
export interface Failure {
  readonly message: string;
  /** Key presses that wait behind it. */
  readonly waiting: number;
}

export interface State {
  /** Undefined: not told yet; null: none is open. */
  readonly task: PanelTask | null | undefined;
  readonly options: PanelOptions;
  readonly tab: Tab;
  readonly item: PanelItem | undefined;
  /** Nothing waits for a decision. */
  readonly exhausted: boolean;
  /** Label ids that are ticked for the item (`multi`). */
  readonly ticked: readonly string[];
  /** What was typed for the item (`number`), and what is wrong with it. */
  readonly typed: string;
  readonly typedProblem: string | undefined;
  /** The words that decided; undefined: not known (yet). */
  readonly words: readonly WordWeight[] | undefined;
  readonly saving: boolean;
  readonly saved: SavedDecision | undefined;
  readonly failure: Failure | undefined;
  readonly problems: readonly string[];
  /** For screen readers. */
  readonly announcement: string;
  /** Counts up when rows of the list, or which of them pass its filter, may have changed. */
  readonly listRevision: number;
  /** The latest changes, for the rows that are loaded. */
  readonly changed: PanelDecided['changed'];
}

export const initialState: State = {
  task: undefined,
  options: { blind: false, explain: false },
  tab: 'examples',
  item: undefined,
  exhausted: false,
  ticked: [],
  typed: '',
  typedProblem: undefined,
  words: undefined,
  saving: false,
  saved: undefined,
  failure: undefined,
  problems: [],
  announcement: '',
  listRevision: 0,
  changed: [],
};

/** The labelling page's one state. */
export class Store extends StateStore<State> {
  constructor() {
    super(initialState);
  }
}

/** Whether the guess may be seen: not before the decision, where one wants to decide blind. */
export function guessVisible({ options, item }: State): boolean {
  return !options.blind || (item !== undefined && isSettled(item));
}

/** Whether an item needs no decision. */
export function isSettled(item: PanelItem): boolean {
  return item.state !== undefined && item.state.status !== 'cleared';
}

/** The state after the host has decided, undone or been told of decisions. */
export function withDecided(state: State, { changed, counts, canUndo, canRedo }: PanelDecided): Partial<State> {
  return {
    ...(state.task ? { task: { ...state.task, counts, canUndo, canRedo } } : {}),
    ...withChanged(state, changed),
  };
}

/** The state after other examples, or the one on the screen, have another decision. */
export function withChanged(state: State, changed: PanelDecided['changed']): Partial<State> {
  const own = changed.find(({ id }) => id === state.item?.example.id);
  return {
    changed,
    listRevision: state.listRevision + 1,
    ...(own && state.item ? { item: withState(state.item, own.state) } : {}),
  };
}

export function withState(item: PanelItem, state: PanelItem['state']): PanelItem {
  const { example, reason, guess } = item;
  return { example, reason, ...(guess ? { guess } : {}), ...(state ? { state } : {}) };
}

/** What to begin with for an item: what was decided for it, else what the model holds to be right, if that may be seen. */
export function draftOf(state: State, item: PanelItem | undefined): Pick<State, 'ticked' | 'typed' | 'typedProblem' | 'words'> {
  const decided = item?.state?.value;
  const visible = item !== undefined && guessVisible({ ...state, item });
  const begin = decided ?? (visible ? item.guess?.value : undefined);
  return { ticked: typeof begin === 'object' ? begin : [], typed: typeof decided === 'number' ? String(decided) : '', typedProblem: undefined, words: undefined };
}
