import '../styles/training.css';
import { panelHello } from '../../src/core/protocol/panel';
import { RpcClient } from '../../src/core/protocol/rpc';
import { trainingTabs, type TrainingPanelEvent, type TrainingPanelMethods, type TrainingTab } from '../../src/core/protocol/trainingPanel';
import { tabsView } from '../components/tabs';
import { h } from '../dom';
import { openPort } from '../host';
import { StateStore } from '../stateStore';
import { pageLanguage, percent, setLanguage } from '../strings';
import { compareView } from './components/compare';
import { dataView } from './components/data';
import { modelView } from './components/model';
import { notices } from './components/notices';
import { trainView } from './components/train';
import { Desk } from './desk';
import { initialTrainingState, type TrainingPart, type TrainingState } from './store';
import { messageOf, say } from './strings';

/** The door of the training panel's page: connects to the extension and builds the screen. */
async function open(): Promise<void> {
  const { api, port } = openPort();
  const client = new RpcClient<TrainingPanelMethods>(port);
  api.postMessage(panelHello);
  // so that VS Code brings the panel back after a reload of the window
  api.setState({});
  try {
    const start = await client.call('start', {});
    setLanguage(start.strings, start.language);
    document.documentElement.lang = pageLanguage();
    document.title = say('training');
    const desk = build(client);
    client.call('events', {}, { onProgress: (event: TrainingPanelEvent) => desk.receive(event) }).catch((error: unknown) => showFailure(error));
    await desk.begin(start);
  } catch (error) {
    showFailure(error);
  }
}

function build(client: RpcClient<TrainingPanelMethods>): Desk {
  const store = new StateStore<TrainingState>(initialTrainingState);
  const desk = new Desk(client, store);
  const names: Readonly<Record<TrainingTab, string>> = { data: say('dataTab'), model: say('modelTab'), train: say('trainTab'), compare: say('compareTab') };
  const contents: Readonly<Record<TrainingTab, TrainingPart>> = { data: dataView(store, desk), model: modelView(store, desk), train: trainView(desk), compare: compareView(store, desk) };
  const parts: readonly TrainingPart[] = [notices(store), tabsView({ class: 'training', label: say('training'), tabs: trainingTabs, names, contents, mark, open: (tab) => desk.openTab(tab) })];
  document.body.replaceChildren(...parts.map(({ element }) => element));
  store.subscribe((state, before) => {
    for (const part of parts) part.update(state, before);
    // a tab begins at its top, and where a key has opened it, the keyboard goes there
    if (state.tab !== before.tab && document.activeElement?.getAttribute('role') !== 'tab') document.getElementById(`tab-${state.tab}`)?.focus();
  });
  return desk;
}

/** How far it is, beside the name of the tab where it is shown. */
function mark(tab: TrainingTab, { training, comparison }: TrainingState): string {
  if (tab === 'train' && training) return training.status === 'running' ? percent(training.fraction) : training.status === 'done' ? '✓' : training.status === 'failed' || training.status === 'notStored' ? '!' : '';
  if (tab === 'compare' && comparison) return comparison.status === 'running' ? '…' : '';
  return '';
}

function showFailure(error: unknown): void {
  document.body.replaceChildren(h('p', { class: 'notice error', role: 'alert' }, messageOf(error)));
}

void open();
