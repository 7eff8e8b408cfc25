import type { DecisionStatus, DecisionValue } from '../../src/core/labels/decision';
import type { PanelTask } from '../../src/core/protocol/panel';
import { fill, h, setText, show, uniqueId } from '../dom';
import { say } from '../strings';
import { statusText, valueMarks } from './marks';

export interface BulkBar {
  readonly element: HTMLElement;
  /** Called when a decision for the selected examples was chosen. */
  onDecide: (status: DecisionStatus, value?: DecisionValue) => void;
  /** @param size selected examples, of `total` that pass the filter */
  update(task: PanelTask, size: number, all: boolean, total: number): void;
  /** Shows what would be decided, for how many, and the first of them. @returns whether the person agrees */
  confirm(answer: { readonly status: DecisionStatus; readonly value?: DecisionValue }, count: { readonly total: number; readonly decided: number }, first: readonly string[]): Promise<boolean>;
}

/** What can be done with the selected examples; in sight while there are several. */
export function bulkBar(select: { clear(): void; all(): void }): BulkBar {
  const count = h('span', { role: 'status' });
  const id = uniqueId('bulk');
  const labels = h('select', { id });
  const labelField = h('div', { class: 'field' }, h('label', { for: id }, say('labelAs')), labels, h('button', { type: 'button', class: 'secondary', onclick: () => chosen() }, say('preview')));
  const number = h('input', { type: 'number', step: 'any', 'aria-label': say('value') });
  const numberField = h('div', { class: 'field' }, number, h('button', { type: 'button', class: 'secondary', onclick: () => chosenNumber() }, say('labelAs')));
  const all = h('button', { type: 'button', class: 'link', onclick: () => select.all() });
  const status = (text: string, value: DecisionStatus): HTMLButtonElement => h('button', { type: 'button', class: 'secondary', onclick: () => bar.onDecide(value) }, text);
  const element = h(
    'div',
    { class: 'bulk', hidden: true },
    h('div', { class: 'row-of-fields' }, count, all, h('button', { type: 'button', class: 'link', onclick: () => select.clear() }, say('deselect'))),
    h('div', { class: 'row-of-fields' }, labelField, numberField, status(say('skip'), 'skipped'), status(say('flag'), 'flagged'), status(say('clear'), 'cleared')),
  );
  let task: PanelTask | undefined;

  function chosen(): void {
    const { value } = labels;
    if (value === '') labels.focus();
    else if (task) bar.onDecide('labeled', task.definition.kind === 'multi' ? [value] : value);
  }

  function chosenNumber(): void {
    if (Number.isFinite(number.valueAsNumber)) bar.onDecide('labeled', number.valueAsNumber);
    else number.focus();
  }

  const bar: BulkBar = {
    element,
    onDecide: () => undefined,
    update(now, size, everything, total) {
      if (now.labels !== task?.labels) fill(labels, h('option', { value: '' }, say('chooseLabel')), ...now.labels.map((label) => h('option', { value: label.id }, label.name)));
      task = now;
      show(element, size > 1);
      show(labelField, now.definition.kind !== 'number');
      show(numberField, now.definition.kind === 'number');
      setText(count, say('selectedCount', size));
      setText(all, say('selectAll', total));
      show(all, !everything && total > size);
    },
    async confirm(answer, { total, decided }, first) {
      if (!task) return false;
      const titleId = uniqueId('bulk-title');
      const what = answer.value === undefined ? [statusText(answer.status)] : valueMarks(task, answer.value);
      const agree = h('button', { type: 'button', class: 'primary', onclick: () => dialog.close('agreed') }, say('bulkApply', total));
      const dialog = h(
        'dialog',
        { 'aria-labelledby': titleId },
        h('h2', { id: titleId }, say('bulkTitle', total)),
        h('p', { class: 'bulk-what' }, ...what),
        h('ul', { class: 'bulk-first' }, ...first.map((excerpt) => h('li', { dir: 'auto' }, excerpt)), total > first.length && h('li', { class: 'faint' }, say('bulkMore', total - first.length))),
        decided > 0 && h('p', { class: 'warning-text' }, say('bulkDecided', decided)),
        h('p', { class: 'faint' }, say('bulkUndo')),
        h('div', { class: 'buttons' }, agree, h('button', { type: 'button', class: 'secondary', onclick: () => dialog.close() }, say('cancel'))),
      );
      element.append(dialog);
      dialog.showModal();
      agree.focus();
      await new Promise((closed) => dialog.addEventListener('close', closed, { once: true }));
      dialog.remove();
      return dialog.returnValue === 'agreed';
    },
  };
  return bar;
}
