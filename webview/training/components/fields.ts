import { h, setAttribute, setText, type Child } from '../../dom';

/** A control with its label above it, and a line of help below that it is described by. */
export function field(control: HTMLElement & { id: string }, label: string, ...below: readonly Child[]): HTMLElement {
  return h('div', { class: 'field' }, h('label', { for: control.id }, label), control, ...below);
}

/** A line below a control that says what is wrong with it; empty where nothing is. */
export interface Problem {
  readonly element: HTMLElement;
  set(text: string | undefined): void;
}

/** @param others ids of what else describes the control */
export function problemOf(control: HTMLElement & { id: string }, ...others: readonly string[]): Problem {
  const element = h('p', { class: 'problem', id: `${control.id}-problem` });
  setAttribute(control, 'aria-describedby', [...others, element.id].join(' '));
  return {
    element,
    set(text) {
      setText(element, text ?? '');
      setAttribute(control, 'aria-invalid', text !== undefined && 'true');
    },
  };
}

export interface Option {
  readonly value: string;
  readonly text: string;
}

/** Gives a select these options, and the one that is chosen; leaves the DOM alone where nothing changes, so that an open list stays open. */
export function setOptions(select: HTMLSelectElement, options: readonly Option[], chosen: string): void {
  const isSame = select.options.length === options.length && options.every(({ value, text }, index) => select.options[index]?.value === value && select.options[index].text === text);
  if (!isSame) select.replaceChildren(...options.map(({ value, text }) => h('option', { value }, text)));
  if (select.value !== chosen) select.value = chosen;
}

/** Sets a text field, unless it says so already: the caret stays where it is. */
export function setValue(input: HTMLInputElement, value: string): void {
  if (input.value !== value) input.value = value;
}
