import type { PanelCommand, PanelOptions } from '../../src/core/protocol/panel';
import type { QueueOrder } from '../../src/core/protocol/learner';
import type { PanelStringKey } from '../../src/core/protocol/panelStrings';
import type { App, Component } from '../app';
import { fill, h, setAttribute, setText } from '../dom';
import { say } from '../strings';
import { menuButton } from './menu';

const orders: Readonly<Record<QueueOrder, PanelStringKey>> = {
  useful: 'orderUseful',
  file: 'orderFile',
  shuffle: 'orderShuffle',
  confident: 'orderConfident',
  suspicious: 'orderSuspicious',
};

const commands: readonly (readonly [PanelCommand, PanelStringKey])[] = [
  ['createTask', 'createTask'],
  ['openTask', 'openTask'],
  ['importLabels', 'importLabels'],
  ['exportLabeledCsv', 'exportLabeledCsv'],
  ['exportModel', 'exportModel'],
  ['exportReport', 'exportReport'],
  ['selectAnnotator', 'selectAnnotator'],
];

/** The task's name, the order, what is shown, undo and redo, and the way to everything else. */
export function topBar(app: App, openHelp: () => void): Component {
  const name = h('h1', { class: 'task-name' });
  const annotator = h('button', { type: 'button', class: 'quiet', onclick: () => void run(app, 'selectAnnotator') });
  const order = h(
    'select',
    { id: 'order', 'aria-label': say('order'), title: say('order'), onchange: () => void app.labeler.setOrder(order.value as QueueOrder) },
    ...Object.entries(orders).map(([value, key]) => h('option', { value }, say(key))),
  );
  const toggles = {
    blind: toggle(app, 'blind', say('blind'), say('blindHelp')),
    explain: toggle(app, 'explain', say('explain'), say('explainHelp')),
  };
  const undo = h('button', { type: 'button', class: 'icon', 'aria-label': say('undo'), title: say('undoHelp'), onclick: () => act('undo') }, '↶');
  const redo = h('button', { type: 'button', class: 'icon', 'aria-label': say('redo'), title: say('redoHelp'), onclick: () => act('redo') }, '↷');
  const help = h('button', { type: 'button', class: 'icon', 'aria-label': say('showKeys'), title: say('showKeysHelp'), onclick: openHelp }, '?');
  const more = menuButton(say('more'), say('moreActions'), commands.map(([command, key]) => [say(key), () => void run(app, command)]));

  function act(kind: 'undo' | 'redo'): void {
    app.labeler.perform({ kind });
    app.focusItem();
  }

  return {
    element: h('header', { class: 'top-bar' }, name, annotator, h('span', { class: 'spring' }), order, toggles.blind, toggles.explain, undo, redo, help, more),
    update({ task, options }, before) {
      if (!task || (task === before.task && options === before.options)) return;
      setText(name, task.definition.name);
      document.title = task.definition.name;
      fill(annotator, say('annotatorIs', task.annotator));
      if (order.value !== task.order) order.value = task.order;
      undo.disabled = !task.canUndo;
      redo.disabled = !task.canRedo;
      for (const option of ['blind', 'explain'] as const) setAttribute(toggles[option], 'aria-pressed', options[option] ? 'true' : 'false');
    },
  };
}

/** Runs a command of the extension; it asks for what it needs and says itself what it did. */
export async function run(app: App, command: PanelCommand): Promise<void> {
  await app.labeler.attempt(() => app.host.client.call('run', { command }));
}

function toggle(app: App, option: keyof PanelOptions, text: string, title: string): HTMLButtonElement {
  const change = (event: MouseEvent): void => {
    void app.labeler.setOption(option, !app.store.state.options[option]);
    // by the mouse, so that Enter and Space are the item's again; who came by the keyboard goes on from here
    if (event.detail > 0) app.focusItem();
  };
  return h('button', { type: 'button', class: 'toggle', 'aria-pressed': 'false', title, onclick: change }, text);
}
