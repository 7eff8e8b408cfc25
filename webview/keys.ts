import type { Label } from '../src/core/labels/task';
import type { TaskKind } from '../src/core/model/onnxWriter';

/** What a key asks for. */
export type KeyAction =
  | { readonly kind: 'label'; readonly label: string }
  /** Takes the guess over; saves what was ticked (`multi`) or typed (`number`). */
  | { readonly kind: 'accept' }
  | { readonly kind: 'skip' }
  | { readonly kind: 'flag' }
  | { readonly kind: 'undo' }
  | { readonly kind: 'redo' }
  | { readonly kind: 'step'; readonly step: -1 | 1 }
  /** A character of a number; `Backspace` takes the last one away. */
  | { readonly kind: 'type'; readonly character: string }
  | { readonly kind: 'search' }
  | { readonly kind: 'home' }
  | { readonly kind: 'help' };

/** The part of a KeyboardEvent that counts. */
export interface KeyPress {
  readonly key: string;
  readonly code: string;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly shiftKey: boolean;
  readonly altKey: boolean;
  readonly repeat: boolean;
  readonly isComposing: boolean;
}

/**
 * Where the key was pressed. `page`: nowhere in particular; `text`: in a field that takes text; `number`: in the field for a number; `button`: on something that has
 * its own use for Enter and Space; `control`: on something that has its own use for arrows, too (a tab, the list).
 */
export type KeyPlace = 'page' | 'text' | 'number' | 'button' | 'control';

export interface KeyContext {
  readonly place: KeyPlace;
  readonly kind: TaskKind;
  readonly labels: readonly Label[];
}

/** What a key press means; undefined: it is none of ours. */
export function keyAction(press: KeyPress, context: KeyContext): KeyAction | undefined {
  const { place } = context;
  if (press.isComposing && place !== 'page') return undefined;
  if (press.key === 'Escape') return { kind: 'home' };
  // a text field has its own undo, and every character is for it
  if (place === 'text') return undefined;
  const key = plainKey(press);
  if (press.ctrlKey || press.metaKey) return press.altKey ? undefined : withControl(key, press.shiftKey);
  if (press.altKey) return undefined;
  if (press.key === '?') return { kind: 'help' };
  if (press.key === '/') return { kind: 'search' };
  if (context.kind === 'number') {
    const character = numberCharacter(press, key);
    if (character !== undefined) return { kind: 'type', character };
  }
  if (place !== 'control') {
    const step = stepOf(press.key);
    // in the field of a number the arrows move the caret
    if (step !== undefined) return place === 'number' || press.shiftKey ? undefined : { kind: 'step', step };
  }
  // a key that is held decides once, not thirty times a second
  if (press.repeat) return undefined;
  if (place !== 'control' && place !== 'button') {
    if (press.key === 'Enter') return { kind: 'accept' };
    if (press.key === ' ') return { kind: 'skip' };
  }
  if (key === 'f') return { kind: 'flag' };
  const label = context.labels.find((each) => each.key === key);
  return label ? { kind: 'label', label: label.id } : undefined;
}

/** Whether a press is meant for us but does nothing, so that nothing else may happen either: a decision's key that is held. */
export function isHeldDecision(press: KeyPress, context: KeyContext): boolean {
  return press.repeat && keyAction({ ...press, repeat: false }, context) !== undefined;
}

/** Characters that numbers are written with. */
function numberCharacter(press: KeyPress, key: string): string | undefined {
  if (press.key === 'Backspace') return 'Backspace';
  if (press.key === ',' || press.key === '.' || press.key === '-') return press.key;
  return /^\d$/.test(key) ? key : undefined;
}

function withControl(key: string, shift: boolean): KeyAction | undefined {
  if (key === 'z') return shift ? { kind: 'redo' } : { kind: 'undo' };
  return key === 'y' && !shift ? { kind: 'redo' } : undefined;
}

function stepOf(key: string): -1 | 1 | undefined {
  return key === 'ArrowLeft' ? -1 : key === 'ArrowRight' ? 1 : undefined;
}

/**
 * The digit or lower-case letter of a key. Where the layout gives another character (digits need Shift on AZERTY, letters are Cyrillic, an input method holds the key back),
 * it is the one that stands there on the keyboard's usual layout.
 */
function plainKey({ key, code, shiftKey }: KeyPress): string {
  if (/^[0-9a-z]$/i.test(key)) return key.toLowerCase();
  const digit = /^Digit(\d)$/.exec(code)?.[1];
  if (digit !== undefined && key.length === 1 && !shiftKey) return digit;
  const physical = /^(?:Digit(\d)|Key([A-Z]))$/.exec(code);
  if (physical && (key === 'Process' || key === 'Unidentified')) return (physical[1] ?? physical[2] ?? '').toLowerCase();
  // a letter of another script; not a mark that the layout has put on a letter's key
  if (physical?.[2] !== undefined && /^\p{L}$/u.test(key)) return physical[2].toLowerCase();
  return key;
}
