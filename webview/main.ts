import './styles/panel.css';
import type { PanelEvent } from '../src/core/protocol/panel';
import type { App, Component } from './app';
import { decideView } from './components/decide';
import { nothingView, welcomeView } from './components/empty';
import { insightView } from './components/insight';
import { itemView } from './components/item';
import { keysHelp } from './components/keysHelp';
import { labelsView } from './components/labels';
import { learnView } from './components/learn';
import { listView } from './components/list';
import { notices } from './components/notices';
import { progressView } from './components/progress';
import { tabsView } from './components/tabs';
import { topBar } from './components/topBar';
import { h, offerFocus, show } from './dom';
import { connect, tabs, type Host, type Tab } from './host';
import { isHeldDecision, keyAction, type KeyAction, type KeyContext, type KeyPlace } from './keys';
import { Labeler, messageOf } from './labeler';
import { Store } from './store';
import { pageLanguage, say, setLanguage } from './strings';

/** The door of the page: connects to the extension, builds the screen and hands keys on. */
async function open(): Promise<void> {
  const host = connect();
  try {
    const { task, options, strings, language } = await host.client.call('start', {});
    setLanguage(strings, language);
    document.documentElement.lang = pageLanguage();
    document.title = say('labeling');
    const { store, labeler } = build(host);
    store.update({ task, options, tab: host.saved.tab ?? 'examples' });
    host.client.call('events', {}, { onProgress: (event: PanelEvent) => labeler.receive(event) }).catch((error: unknown) => labeler.problem(messageOf(error)));
    if (task) await labeler.open(task);
  } catch (error) {
    document.body.replaceChildren(h('p', { class: 'notice error', role: 'alert' }, messageOf(error)));
  }
}

function build(host: Host): { readonly store: Store; readonly labeler: Labeler } {
  const store = new Store();
  const labeler = new Labeler(host, store);
  const app: App = {
    host,
    store,
    labeler,
    focusItem: () => focusItem(),
    openTab(tab) {
      store.update({ tab });
      host.remember({ tab });
    },
    showExamples(filter) {
      app.openTab('examples');
      list.showFilter(filter);
      list.search.focus();
    },
  };
  const help = keysHelp(() => focusItem());
  const item = itemView(app);
  const nothing = nothingView(app);
  const decide = decideView(app);
  const list = listView(app);
  const bar = topBar(app, () => help.open());
  const progress = progressView();
  const panels: Readonly<Record<Tab, Component>> = { examples: list, learn: learnView(app), insight: insightView(app), labels: labelsView(app) };
  const names: Readonly<Record<Tab, string>> = { examples: say('examples'), learn: say('learn'), insight: say('insight'), labels: say('labels') };
  const side = tabsView({ class: 'side', label: say('taskDetails'), tabs, names, contents: panels, ownFocus: ['examples'], open: (tab) => app.openTab(tab) });
  const work = h('main', { class: 'work', 'aria-label': say('labeling') }, item.element, nothing.element, decide.element, progress.element);
  const columns = h('div', { class: 'columns' }, work, side.element);
  const welcome = welcomeView(app);
  const notice = notices(app);
  document.body.replaceChildren(bar.element, notice.element, columns, welcome.element, help.element);

  const components = [bar, notice, item, nothing, decide, progress, side, welcome, help];
  store.subscribe((state, before) => {
    const open = state.task !== null && state.task !== undefined;
    show(bar.element, open);
    show(columns, open);
    show(decide.element, state.item !== undefined);
    for (const component of components) component.update(state, before);
    // whoever was at the item stays there when the next one comes
    if (state.item !== before.item && (document.activeElement === document.body || document.activeElement === null)) offerFocus(focusTarget());
  });

  function focusTarget(): HTMLElement {
    const { item: shown, task } = store.state;
    return !shown ? nothing.element : task?.definition.kind === 'number' ? decide.numberField : item.element;
  }

  function focusItem(): void {
    focusTarget().focus({ preventScroll: true });
  }

  document.addEventListener('keydown', (event) => {
    const { task } = store.state;
    if (!task || event.defaultPrevented || document.querySelector('dialog[open]')) return;
    const context: KeyContext = { place: placeOf(event.target), kind: task.definition.kind, labels: task.labels };
    const action = keyAction(event, context);
    // a digit goes into the field by itself, unless it is meant for the item after the one being saved
    if (action?.kind === 'type' && action.character === event.key && context.place === 'number' && !labeler.busy) return;
    if (action || isHeldDecision(event, context)) event.preventDefault();
    if (action) perform(action);
  });

  function perform(action: KeyAction): void {
    switch (action.kind) {
      case 'search':
        app.openTab('examples');
        // the tab is drawn before the field can take the focus
        queueMicrotask(() => list.search.focus());
        break;
      case 'home':
        focusItem();
        break;
      case 'help':
        help.open();
        break;
      case 'type':
        labeler.perform(action);
        if (!labeler.busy) decide.numberField.focus();
        break;
      default:
        labeler.perform(action);
    }
  }
  return { store, labeler };
}

/** Where a key was pressed. */
function placeOf(target: EventTarget | null): KeyPlace {
  if (!(target instanceof Element)) return 'page';
  if (target instanceof HTMLInputElement && target.dataset['keys'] === 'number') return 'number';
  if (target instanceof HTMLInputElement) return target.type === 'checkbox' ? 'button' : target.type === 'radio' ? 'control' : 'text';
  if (target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement) return 'text';
  if (target.closest('[role="listbox"], [role="tab"], [role="menu"]')) return 'control';
  return target.closest('button, summary') ? 'button' : 'page';
}

void open();
