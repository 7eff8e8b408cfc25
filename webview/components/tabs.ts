import type { PanelStringKey } from '../../src/core/protocol/panelStrings';
import type { App, Component } from '../app';
import { h, setAttribute, show } from '../dom';
import { tabs, type Tab } from '../host';
import { say } from '../strings';

/** Tabs and what they show. Arrows go from tab to tab, as everywhere. */
export function tabsView(app: App, names: Readonly<Record<Tab, PanelStringKey>>, contents: Readonly<Record<Tab, Component>>): Component {
  const buttons = new Map<Tab, HTMLButtonElement>();
  const panels = new Map<Tab, HTMLElement>();
  for (const tab of tabs) {
    buttons.set(tab, h('button', { type: 'button', role: 'tab', id: `tab-${tab}`, 'aria-controls': `panel-${tab}`, onclick: () => app.openTab(tab), onkeydown: (event: KeyboardEvent) => walk(event, tab) }, say(names[tab])));
    panels.set(tab, h('div', { role: 'tabpanel', id: `panel-${tab}`, class: `tab-panel tab-${tab}`, 'aria-labelledby': `tab-${tab}`, tabindex: tab === 'examples' ? undefined : 0 }, contents[tab].element));
  }

  function walk(event: KeyboardEvent, from: Tab): void {
    const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    const to = tabs[(tabs.indexOf(from) + step + tabs.length) % tabs.length];
    if (step === 0 || to === undefined) return;
    event.preventDefault();
    app.openTab(to);
    buttons.get(to)?.focus();
  }

  return {
    element: h('section', { class: 'side', 'aria-label': say('taskDetails') }, h('div', { role: 'tablist', class: 'tabs', 'aria-label': say('taskDetails') }, ...buttons.values()), ...panels.values()),
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
      }
      for (const tab of tabs) contents[tab].update(state, before);
    },
  };
}
