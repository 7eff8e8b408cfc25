import type { ExampleFilter } from '../src/core/labels/view';
import type { PanelDecision } from '../src/core/protocol/panel';

/** What a person asks for, by a key or a click. */
export type LabelerAction =
  | ItemAction
  | { readonly kind: 'undo' | 'redo' }
  | { readonly kind: 'step'; readonly step: -1 | 1 }
  | { readonly kind: 'bulk'; readonly decision: PanelDecision }
  /** Shows an example that is not the next one. */
  | { readonly kind: 'visit'; readonly id: string };

/** What is done to the item on the screen. */
export type ItemAction = { readonly kind: 'label'; readonly label: string } | { readonly kind: 'type'; readonly character: string } | { readonly kind: 'accept' | 'skip' | 'flag' | 'clear' };

/** A decision for all that pass a filter, or for examples by their ids. */
export function bulkDecision(targets: { readonly ids: readonly string[] } | { readonly filter: ExampleFilter; readonly expected: number }, answer: Pick<PanelDecision, 'status' | 'value'>): LabelerAction {
  return { kind: 'bulk', decision: { ...answer, targets, origin: 'bulk' } };
}
