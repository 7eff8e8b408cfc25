import { h, setAttribute, show, uniqueId } from '../dom';

/** A button that opens a menu: arrows walk, Enter chooses, Escape and leaving close. */
export function menuButton(text: string, help: string, entries: readonly (readonly [name: string, choose: () => void])[]): HTMLElement {
  const id = uniqueId('menu');
  const items = entries.map(([name, choose]) => h('button', { type: 'button', role: 'menuitem', tabindex: -1, onclick: () => close(choose) }, name));
  const menu = h('div', { class: 'menu', role: 'menu', id, 'aria-label': help, hidden: true, onkeydown: (event: KeyboardEvent) => walk(event) }, ...items);
  const button = h('button', { type: 'button', class: 'toggle', 'aria-haspopup': 'menu', 'aria-expanded': 'false', 'aria-controls': id, title: help, onclick: () => (menu.hidden ? open(0) : close()), onkeydown: (event: KeyboardEvent) => begin(event) }, text);
  const element = h('div', { class: 'menu-button', onfocusout: (event: FocusEvent) => leave(event) }, button, menu);

  function open(index: number): void {
    show(menu, true);
    setAttribute(button, 'aria-expanded', 'true');
    items.at(index)?.focus();
  }

  function close(then?: () => void): void {
    button.focus();
    hide();
    then?.();
  }

  function hide(): void {
    show(menu, false);
    setAttribute(button, 'aria-expanded', 'false');
  }

  function leave({ relatedTarget }: FocusEvent): void {
    if (!(relatedTarget instanceof Node && element.contains(relatedTarget))) hide();
  }

  function begin(event: KeyboardEvent): void {
    if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return;
    event.preventDefault();
    open(event.key === 'ArrowDown' ? 0 : -1);
  }

  function walk(event: KeyboardEvent): void {
    const at = items.findIndex((item) => item === document.activeElement);
    if (event.key === 'ArrowDown') items[(at + 1) % items.length]?.focus();
    else if (event.key === 'ArrowUp') items.at(at - 1)?.focus();
    else if (event.key === 'Home') items.at(0)?.focus();
    else if (event.key === 'End') items.at(-1)?.focus();
    else if (event.key === 'Escape') close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  return element;
}
