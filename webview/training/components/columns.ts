import type { PanelColumn } from '../../../src/core/protocol/trainingPanel';
import { fill, h, setText, show } from '../../dom';
import type { Desk } from '../desk';
import type { TrainingPart, TrainingStore } from '../store';
import { say } from '../strings';
import { field, setOptions } from './fields';

/** Which columns hold the labels or numbers, and which the texts, in the order in which they are joined. */
export function columnsView(store: TrainingStore, desk: Desk): TrainingPart {
  const label = h('select', { id: 'label-column', onchange: () => desk.change({ labelColumn: label.value === '' ? undefined : label.value }) });
  const labelName = h('label', { for: label.id });
  const labelSamples = h('p', { class: 'faint samples' });
  const value = h('select', { id: 'value-column', onchange: () => desk.change({ valueColumn: value.value === '' ? undefined : value.value }) });
  const valueField = field(value, say('valueColumn'), h('p', { class: 'faint' }, say('valueColumnHelp')));
  const chosen = h('ol', { class: 'chosen-columns', 'aria-label': say('textColumns') });
  const add = h('select', { id: 'add-text-column', onchange: () => add.value !== '' && change([...chosenNow(), add.value], add) });
  const addField = field(add, say('addTextColumn'));
  let shownOrder = '';

  /** Those that the table has, without the one of the labels. */
  function chosenNow(): string[] {
    const { form, table } = store.state;
    return form.textColumns.filter((name) => name !== form.labelColumn && table?.columns.some((column) => column.name === name));
  }

  function change(textColumns: readonly string[], focus: HTMLElement): void {
    desk.change({ textColumns });
    focus.focus();
  }

  function move(name: string, step: -1 | 1): void {
    const names = chosenNow();
    const from = names.indexOf(name);
    const to = from + step;
    if (to < 0 || to >= names.length) return;
    names.splice(from, 1);
    names.splice(to, 0, name);
    desk.change({ textColumns: names });
    desk.announce(say('columnMoved', name, to + 1));
    // the rows are made anew at the end of this turn; the button that was pressed is wanted again then
    queueMicrotask(() => chosen.querySelector<HTMLButtonElement>(`[data-column="${CSS.escape(name)}"] [data-step="${step}"]:enabled, [data-column="${CSS.escape(name)}"] [data-step]:enabled`)?.focus());
  }

  function rowOf(name: string, index: number, count: number, columns: readonly PanelColumn[]): HTMLElement {
    const samples = columns.find((column) => column.name === name)?.samples ?? [];
    const button = (text: string, description: string, disabled: boolean, act: () => void, step?: number): HTMLButtonElement =>
      h('button', { type: 'button', class: 'icon', title: description, 'aria-label': description, disabled, 'data-step': step, onclick: act }, text);
    return h(
      'li',
      { 'data-column': name },
      h('span', { class: 'column-order', 'aria-hidden': 'true' }, String(index + 1)),
      h('span', { class: 'column-name' }, h('bdi', {}, name), samples.length > 0 && h('span', { class: 'faint samples' }, samples[0])),
      button('↑', say('moveUp', name), index === 0, () => move(name, -1), -1),
      button('↓', say('moveDown', name), index === count - 1, () => move(name, 1), 1),
      button('×', say('removeColumn', name), false, () => change(chosenNow().filter((each) => each !== name), add)),
    );
  }

  return {
    element: h('div', { class: 'columns-form' }, h('div', { class: 'field' }, labelName, label, labelSamples), h('div', { class: 'field' }, h('span', { class: 'legend' }, say('textColumns')), chosen, addField), valueField),
    update({ form, table }) {
      const columns = table?.columns ?? [];
      setText(labelName, say(form.kind === 'number' ? 'numberColumn' : 'labelColumn'));
      const none = { value: '', text: say('chooseColumn') };
      setOptions(label, [none, ...columns.map(({ name }) => ({ value: name, text: name }))], columns.some(({ name }) => name === form.labelColumn) ? (form.labelColumn ?? '') : '');
      setText(labelSamples, [...new Set(columns.find(({ name }) => name === form.labelColumn)?.samples ?? [])].slice(0, 6).join(' · '));
      const names = chosenNow();
      const order = JSON.stringify([table?.id, names]);
      if (order !== shownOrder) {
        shownOrder = order;
        fill(chosen, ...names.map((name, index) => rowOf(name, index, names.length, columns)));
      }
      const free = columns.filter(({ name }) => name !== form.labelColumn && !names.includes(name));
      setOptions(add, [{ value: '', text: say(names.length === 0 ? 'chooseColumn' : 'addColumn') }, ...free.map(({ name }) => ({ value: name, text: name }))], '');
      show(addField, free.length > 0);
      show(valueField, form.kind === 'single');
      const others = columns.filter(({ name }) => name !== form.labelColumn && !names.includes(name));
      setOptions(value, [{ value: '', text: say('noColumn') }, ...others.map(({ name }) => ({ value: name, text: name }))], others.some(({ name }) => name === form.valueColumn) ? (form.valueColumn ?? '') : '');
    },
  };
}
