import type { Host, Tab } from './host';
import type { Labeler } from './labeler';
import type { State, Store } from './store';
import type { ExampleFilter } from '../src/core/labels/view';

/** What components are given. */
export interface App {
  readonly host: Host;
  readonly store: Store;
  readonly labeler: Labeler;
  /** Puts the keyboard back to the item. */
  focusItem(): void;
  openTab(tab: Tab): void;
  /** Shows in the list what passes `filter`. */
  showExamples(filter: ExampleFilter): void;
}

/** A part of the page. `update` is called after every change; it touches only what has changed. */
export interface Component<S = State> {
  readonly element: HTMLElement;
  update(state: S, before: S): void;
}
