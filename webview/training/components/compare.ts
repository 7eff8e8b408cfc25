import type { PanelModel } from '../../../src/core/protocol/trainingPanel';
import { fill, h, setAttribute, setShare, setText, show } from '../../dom';
import { dataChoice } from '../choices';
import type { Desk } from '../desk';
import type { TrainingPart, TrainingStore } from '../store';
import { say } from '../strings';
import { sectionsView } from './sections';

/** Two models or more on the same labelled rows: which is better, and whether that is more than chance. */
export function compareView(store: TrainingStore, desk: Desk): TrainingPart {
  const list = h('div', { class: 'models' });
  const none = h('p', { class: 'faint' }, say('noModels'));
  const rows = h('p');
  const elsewhere = h('button', { type: 'button', class: 'link', onclick: () => desk.openTab('data') }, say('changeRows'));
  const help = h('p', { class: 'faint', id: 'compare-help', role: 'status' });
  const begin = h('button', { type: 'button', class: 'primary', 'aria-describedby': help.id, onclick: () => void desk.compare() }, say('compare'));
  const cancel = h('button', { type: 'button', class: 'secondary', onclick: () => void desk.cancelComparison() }, say('cancel'));
  const bar = h('div', { class: 'progress-bar', role: 'progressbar', 'aria-label': say('comparing'), 'aria-valuemin': 0, 'aria-valuemax': 100 });
  const now = h('p');
  const failed = h('div', { class: 'notice error', role: 'alert' });
  const report = sectionsView((file, row) => void desk.reveal(file, row));
  const result = h('section', { hidden: true }, h('h2', {}, say('comparison')), now, bar, failed, report.element);
  let boxes = new Map<string, HTMLInputElement>();
  let listed = '';

  function toggle(name: string, on: boolean): void {
    const others = store.state.form.compared.filter((each) => each !== name);
    desk.change({ compared: on ? [...others, name] : others });
  }

  function modelRow({ name, labels, kind, preset, inUse }: PanelModel, index: number): HTMLElement {
    const id = `model-${index}`;
    const box = h('input', { type: 'checkbox', id, 'aria-describedby': `${id}-help`, onchange: () => toggle(name, box.checked) });
    boxes.set(name, box);
    const what = kind === 'number' ? say('kindNumber') : labels.slice(0, 8).join(', ') + (labels.length > 8 ? ' …' : '');
    return h('div', { class: 'choice' }, box, h('label', { for: id }, name, inUse && h('span', { class: 'badge' }, say('inUse'))), h('p', { class: 'faint', id: `${id}-help` }, `${what} · ${preset}`));
  }

  return {
    element: h(
      'div',
      { class: 'stack page' },
      h('fieldset', { class: 'choices' }, h('legend', {}, say('modelsToCompare')), list, none),
      h('section', {}, h('h2', {}, say('rowsTitle')), rows, h('div', {}, elsewhere)),
      h('section', {}, help, h('div', { class: 'buttons' }, begin, cancel)),
      result,
    ),
    update(state, before) {
      const { models, form, table, comparison } = state;
      const key = JSON.stringify(models);
      if (key !== listed) {
        listed = key;
        boxes = new Map();
        fill(list, ...models.map(modelRow));
      }
      show(none, models.length === 0);
      for (const [name, box] of boxes) box.checked = form.compared.includes(name);
      const data = dataChoice(state);
      setText(rows, data && table ? say('comparedRows', table.name, data.textColumns.join(' + '), data.labelColumn) : say('noRowsChosen'));
      const running = comparison?.status === 'running';
      const problem = form.compared.length < 2 ? say('chooseTwo') : data === undefined ? say('noRowsChosen') : '';
      setText(help, problem);
      begin.disabled = problem !== '' || running;
      show(begin, !running);
      show(cancel, running);
      show(result, comparison !== null);
      if (!comparison || comparison === before.comparison) return;
      setText(now, comparison.status === 'running' ? say('comparingModels', comparison.models.join(', '), comparison.file) : comparison.status === 'stopped' ? say('comparisonStopped') : say('compared', comparison.models.join(', '), comparison.file));
      show(now, comparison.status !== 'failed');
      show(bar, running);
      setShare(bar, comparison.fraction ?? 0);
      setAttribute(bar, 'aria-valuenow', comparison.fraction === undefined ? undefined : Math.round(comparison.fraction * 100));
      show(failed, comparison.error !== undefined);
      setText(failed, comparison.error ?? '');
      report.show(comparison.sections);
    },
  };
}
