import { taskKinds, type TaskKind } from '../../../src/core/model/onnxWriter';
import type { DataPreview } from '../../../src/core/protocol/trainingPanel';
import type { TrainingStringKey } from '../../../src/core/protocol/trainingPanelStrings';
import { fill, h, setShare, setText, show } from '../../dom';
import { number } from '../../strings';
import type { Desk } from '../desk';
import type { TrainingPart, TrainingStore } from '../store';
import { precise, say } from '../strings';
import { columnsView } from './columns';
import { heldOutView } from './heldOut';
import { prepareView } from './prepare';

const kindTexts: Readonly<Record<TaskKind, readonly [name: TrainingStringKey, help: TrainingStringKey]>> = { single: ['kindSingle', 'kindSingleHelp'], multi: ['kindMulti', 'kindMultiHelp'], number: ['kindNumber', 'kindNumberHelp'] };

/** Which rows are learned from: the file, its columns, what is held out, how often each label comes; and what can be done to them first. */
export function dataView(store: TrainingStore, desk: Desk): TrainingPart {
  const name = h('p', { class: 'file-name' });
  const shape = h('p', { class: 'faint' });
  const choose = h('button', { type: 'button', id: 'choose-file', class: 'primary', onclick: () => void desk.chooseTable('dialog') }, say('chooseFile'));
  const open = h('button', { type: 'button', class: 'secondary', onclick: () => void desk.chooseTable('editor') }, say('useEditorFile'));
  const kinds = new Map<TaskKind, HTMLInputElement>();
  const kindRows = taskKinds.map((kind) => {
    const input = h('input', { type: 'radio', name: 'kind', id: `kind-${kind}`, value: kind, 'aria-describedby': `kind-${kind}-help`, onchange: () => desk.change({ kind }) });
    kinds.set(kind, input);
    return h('div', { class: 'choice' }, input, h('label', { for: input.id }, say(kindTexts[kind][0])), h('p', { class: 'faint', id: `kind-${kind}-help` }, say(kindTexts[kind][1])));
  });
  const columns = columnsView(store, desk);
  const heldOut = heldOutView(desk);
  const counting = h('p', { class: 'faint', role: 'status' });
  const previewProblem = h('p', { class: 'problem', role: 'alert' });
  const facts = h('ul', { class: 'facts' });
  const counts = h('div', { class: 'table-scroll' });
  const prepare = prepareView(store, desk);
  const next = h('button', { type: 'button', class: 'primary', onclick: () => desk.openTab('model') }, say('nextModel'));
  const form = h(
    'div',
    { class: 'stack' },
    h('fieldset', { class: 'choices' }, h('legend', {}, say('kind')), ...kindRows),
    h('section', {}, h('h2', {}, say('columns')), columns.element),
    h('section', {}, h('h2', {}, say('rowsTitle')), counting, previewProblem, facts, counts),
    heldOut.element,
    prepare.element,
    h('div', { class: 'buttons next' }, next),
  );

  return {
    element: h('div', { class: 'stack page' }, h('section', {}, h('h2', {}, say('fileTitle')), name, shape, h('div', { class: 'buttons' }, choose, open)), form),
    update(state, before) {
      const { table, form: choices, preview, previewing } = state;
      setText(name, table?.name ?? say('noFile'));
      setText(shape, table ? say('columnCount', table.columns.length) : say('noFileHelp'));
      choose.className = table ? 'secondary' : 'primary';
      show(form, table !== undefined);
      for (const [kind, input] of kinds) input.checked = choices.kind === kind;
      setText(counting, previewing ? say('counting') : preview === undefined && state.previewProblem === undefined ? say('chooseColumnsFirst') : '');
      show(counting, counting.textContent !== '');
      setText(previewProblem, state.previewProblem ?? '');
      if (preview !== before.preview) {
        fill(facts, ...(preview ? factsOf(preview).map((each) => h('li', {}, each)) : []));
        fill(counts, ...(preview && preview.labels.length > 0 ? [labelTable(preview)] : []));
      }
      columns.update(state, before);
      heldOut.update(state, before);
      prepare.update(state, before);
    },
  };
}

function factsOf({ rows, withoutText, withoutLabel, repeats, labelCount, labels, values }: DataPreview): string[] {
  return [
    labelCount > 0 ? say('rowsAndLabels', rows, labelCount) : say('rowCount', rows),
    ...(values ? [say('valueRange', precise(values.minimum), precise(values.maximum), number(values.mean, 3))] : []),
    ...(values && values.notNumbers > 0 ? [say('notNumbers', values.notNumbers)] : []),
    ...(withoutLabel > 0 ? [say('withoutLabel', withoutLabel)] : []),
    ...(withoutText > 0 ? [say('withoutText', withoutText)] : []),
    ...(repeats > 0 ? [say('repeats', repeats)] : []),
    ...(labels.length < labelCount ? [say('labelsShown', labels.length)] : []),
  ];
}

function labelTable({ labels }: DataPreview): HTMLElement {
  const most = Math.max(1, ...labels.map(({ rows }) => rows));
  return h(
    'table',
    { class: 'label-counts' },
    h('caption', { class: 'visually-hidden' }, say('rowsByLabel')),
    h('thead', { class: 'visually-hidden' }, h('tr', {}, h('th', { scope: 'col' }, say('label')), h('th', { scope: 'col' }, say('rows')))),
    h(
      'tbody',
      {},
      ...labels.map(({ label, rows }) => {
        const bar = h('span', { class: 'count-bar', 'aria-hidden': 'true' });
        setShare(bar, rows / most);
        return h('tr', {}, h('th', { scope: 'row' }, h('bdi', {}, label)), h('td', {}, bar, h('span', {}, number(rows))));
      }),
    ),
  );
}
