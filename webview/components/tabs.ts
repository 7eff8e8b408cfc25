import type { Component } from '../app';
import { h, setAttribute, setText, show } from '../dom';

export interface TabsOptions<T extends string, S extends { readonly tab: T }> {
  readonly class: string;
  readonly label: string;
  readonly tabs: readonly T[];
  readonly names: Readonly<Record<T, string>>;
  readonly contents: Readonly<Record<T, Component<S>>>;
  /** Tabs that manage the focus in them themselves; the others' panels can be focused, and so scrolled with the keyboard. */
  readonly ownFocus?: readonly T[];
  /** What stands beside a tab's name, such as how far it is. */
  readonly mark?: (tab: T, state: S) => string;
  open(tab: T): void;
}

/** Tabs and what they show. Arrows go from tab to tab, as everywhere. */
export function tabsView<T extends string, S extends { readonly tab: T }>(options: TabsOptions<T, S>): Component<S> {
  const { tabs, names, contents, ownFocus = [], mark } = options;
  const buttons = new Map<T, HTMLButtonElement>();
  const panels = new Map<T, HTMLElement>();
  const marks = new Map<T, HTMLElement>();
  for (const tab of tabs) {
    const beside = h('span', { class: 'tab-mark', hidden: true });
    marks.set(tab, beside);
    buttons.set(tab, h('button', { type: 'button', role: 'tab', id: `tab-${tab}`, 'aria-controls': `panel-${tab}`, onclick: () => options.open(tab), onkeydown: (event: KeyboardEvent) => walk(event, tab) }, names[tab], ' ', beside));
    panels.set(tab, h('div', { role: 'tabpanel', id: `panel-${tab}`, class: `tab-panel tab-${tab}`, 'aria-labelledby': `tab-${tab}`, tabindex: ownFocus.includes(tab) ? undefined : 0 }, contents[tab].element));
  }

  function walk(event: KeyboardEvent, from: T): void {
    const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    const to = tabs[(tabs.indexOf(from) + step + tabs.length) % tabs.length];
    if (step === 0 || to === undefined) return;
    event.preventDefault();
    options.open(to);
    buttons.get(to)?.focus();
  }

  return {
    element: h('section', { class: options.class, 'aria-label': options.label }, h('div', { role: 'tablist', class: 'tabs', 'aria-label': options.label }, ...buttons.values()), ...panels.values()),
    update(state, before) {
      for (const tab of tabs) {
        const selected = state.tab === tab;
        const button = buttons.get(tab);
        const panel = panels.get(tab);
        if (button) {
          setAttribute(button, 'aria-selected', selected ? 'true' : 'false');
          setAttribute(button, 'tabindex', selected ? 0 : -1);
        }
        if (panel) show(panel, selected);
        const beside = marks.get(tab);
        if (beside && mark) {
          setText(beside, mark(tab, state));
          show(beside, beside.textContent !== '');
        }
      }
      for (const tab of tabs) contents[tab].update(state, before);
    },
  };
}
