import type { Label } from '../../src/core/labels/task';
import type { LabelEdit } from '../../src/core/labels/view';
import type { PanelTask } from '../../src/core/protocol/panel';
import { shapeOf, STYLES } from '../../src/core/labels/shapes';
import type { App, Component } from '../app';
import { fill, h, offerFocus, uniqueId, type Child } from '../dom';
import { number, say } from '../strings';
import { keyCap, labelMark, labelName } from './marks';

/** The task's labels: add, rename, describe, another colour, key or place, merge, archive and restore. */
export function labelsView(app: App): Component {
  const list = h('ul', { class: 'label-list' });
  const archived = h('section');
  const addName = h('input', { type: 'text', id: uniqueId('new-label'), autocomplete: 'off', maxlength: 200 });
  const addDescription = h('input', { type: 'text', id: uniqueId('new-label'), autocomplete: 'off', maxlength: 1000 });
  const form = h(
    'form',
    { class: 'add-label', onsubmit: (event: Event) => void add(event) },
    h('h2', {}, say('addLabel')),
    field(say('name'), addName),
    field(say('description'), addDescription),
    h('button', { type: 'submit', class: 'primary' }, say('addLabel')),
  );
  const none = h('p', { class: 'faint' }, say('noLabelsNumber'));
  let open: string | undefined;

  async function edit(change: LabelEdit): Promise<boolean> {
    return (await app.labeler.attempt(() => app.host.client.call('editLabel', { edit: change }))) !== undefined;
  }

  async function add(event: Event): Promise<void> {
    event.preventDefault();
    const name = addName.value.trim();
    const description = addDescription.value.trim();
    if (name === '') return addName.focus();
    if (!(await edit({ do: 'add', name, ...(description === '' ? {} : { description }) }))) return;
    addName.value = '';
    addDescription.value = '';
    addName.focus();
  }

  function draw(task: PanelTask): void {
    const focused = list.contains(document.activeElement) ? document.activeElement?.getAttribute('data-focus') : undefined;
    fill(list, ...task.labels.map((label, index) => labelRow(task, label, index)));
    const again = focused ? list.querySelector<HTMLElement>(`[data-focus="${CSS.escape(focused)}"]`) : undefined;
    if (again) offerFocus(again);
    const gone = task.definition.labels.filter((each) => each.archived === true || each.mergedInto !== undefined);
    fill(archived, ...(gone.length === 0 ? [] : [h('h2', {}, say('archivedTitle')), h('ul', { class: 'label-list' }, ...gone.map((label) => archivedRow(task, label)))]));
  }

  function labelRow(task: PanelTask, label: Label, index: number): HTMLElement {
    const expanded = open === label.id;
    const icon = (name: 'up' | 'down', text: string, to: number): HTMLElement =>
      h('button', { type: 'button', class: 'icon', 'data-focus': `${label.id} ${name}`, 'aria-label': say(name === 'up' ? 'moveUp' : 'moveDown', label.name), title: say(name === 'up' ? 'moveUp' : 'moveDown', label.name), disabled: to < 0 || to >= task.labels.length, onclick: () => void edit({ do: 'move', label: label.id, to }) }, text);
    return h(
      'li',
      {},
      h(
        'div',
        { class: 'label-row' },
        h('span', { class: 'key' }, label.key !== undefined && keyCap(label.key)),
        labelMark(label),
        h('span', { class: 'faint' }, number(task.counts.byLabel[label.id] ?? 0)),
        h('span', { class: 'spring' }),
        icon('up', '↑', index - 1),
        icon('down', '↓', index + 1),
        h('button', { type: 'button', class: 'secondary', 'data-focus': `${label.id} edit`, 'aria-expanded': expanded ? 'true' : 'false', 'aria-label': say('editLabel', label.name), onclick: () => toggle(label.id) }, say('edit')),
      ),
      label.description !== undefined && label.description !== '' && h('p', { class: 'faint', dir: 'auto' }, label.description),
      expanded && editor(task, label),
    );
  }

  function toggle(id: string): void {
    open = open === id ? undefined : id;
    const { task } = app.store.state;
    if (task) draw(task);
    if (open === id) list.querySelector<HTMLElement>('.label-editor input')?.focus();
  }

  function editor(task: PanelTask, label: Label): HTMLElement {
    const name = h('input', { type: 'text', id: uniqueId('label'), value: label.name, maxlength: 200, 'data-focus': `${label.id} name` });
    const key = h('input', { type: 'text', id: uniqueId('label'), value: label.key ?? '', maxlength: 1, class: 'short', 'data-focus': `${label.id} key` });
    const description = h('textarea', { id: uniqueId('label'), rows: 2, maxlength: 1000, 'data-focus': `${label.id} description` });
    description.value = label.description ?? '';
    const others = task.labels.filter(({ id }) => id !== label.id);
    const into = h('select', { id: uniqueId('label') }, h('option', { value: '' }, say('chooseLabel')), ...others.map((each) => h('option', { value: each.id }, each.name)));
    const save = async (event: Event): Promise<void> => {
      event.preventDefault();
      const edits: LabelEdit[] = [
        ...(name.value.trim() !== '' && name.value.trim() !== label.name ? [{ do: 'rename', label: label.id, name: name.value.trim() } as const] : []),
        ...(key.value.trim().toLowerCase() !== (label.key ?? '') ? [{ do: 'rekey', label: label.id, key: key.value.trim() === '' ? undefined : key.value.trim().toLowerCase() } as const] : []),
        ...(description.value.trim() !== (label.description ?? '') ? [{ do: 'describe', label: label.id, description: description.value.trim() } as const] : []),
      ];
      for (const each of edits) if (!(await edit(each))) return;
      if (open === label.id) toggle(label.id);
      list.querySelector<HTMLElement>(`[data-focus="${CSS.escape(`${label.id} edit`)}"]`)?.focus();
    };
    return h(
      'form',
      { class: 'label-editor', onsubmit: (event: Event) => void save(event) },
      field(say('name'), name),
      field(say('key'), key),
      field(say('description'), description),
      h('button', { type: 'submit', class: 'primary' }, say('save')),
      colors(label),
      others.length > 0 &&
        h('div', { class: 'merge' }, field(say('mergeInto'), into), h('button', { type: 'button', class: 'secondary', onclick: () => void merge(task, label, into.value) }, say('merge'))),
      h('div', { class: 'merge' }, h('button', { type: 'button', class: 'secondary', onclick: () => void archive(label) }, say('archive')), h('span', { class: 'faint' }, say('archiveHelp'))),
    );
  }

  function colors(label: Label): HTMLElement {
    const name = uniqueId('color');
    return h(
      'fieldset',
      { class: 'colors' },
      h('legend', {}, say('color')),
      ...Array.from({ length: STYLES }, (_, color) =>
        h(
          'label',
          { class: `swatch color-${color}` },
          h('input', { type: 'radio', name, value: color, checked: label.color % STYLES === color, 'aria-label': say('colorNumber', color + 1), 'data-focus': `${label.id} color ${color}`, onchange: () => void edit({ do: 'recolor', label: label.id, color }) }),
          h('span', { class: `shape color-${color}`, 'aria-hidden': 'true' }, shapeOf(color)),
        ),
      ),
    );
  }

  async function archive(label: Label): Promise<void> {
    if (await edit({ do: 'archive', label: label.id })) {
      open = undefined;
      addName.focus();
    }
  }

  async function merge(task: PanelTask, label: Label, into: string): Promise<void> {
    const other = task.labels.find(({ id }) => id === into);
    if (!other) return;
    const agreed = await confirmMerge(label, other, task.counts.byLabel[label.id] ?? 0);
    if (agreed && (await edit({ do: 'merge', label: label.id, into }))) {
      open = undefined;
      addName.focus();
    }
  }

  function archivedRow(task: PanelTask, label: Label): HTMLElement {
    const { mergedInto } = label;
    return h(
      'li',
      {},
      h(
        'div',
        { class: 'label-row' },
        labelMark(label),
        mergedInto !== undefined && h('span', { class: 'faint' }, say('mergedInto', labelName(task, mergedInto))),
        h('span', { class: 'spring' }),
        h('button', { type: 'button', class: 'secondary', 'aria-label': say('restoreLabel', label.name), onclick: () => void edit({ do: 'restore', label: label.id }) }, say('restore')),
      ),
    );
  }

  async function confirmMerge(label: Label, into: Label, count: number): Promise<boolean> {
    const titleId = uniqueId('merge');
    const agree = h('button', { type: 'button', class: 'primary', onclick: () => dialog.close('agreed') }, say('merge'));
    const dialog = h(
      'dialog',
      { 'aria-labelledby': titleId },
      h('h2', { id: titleId }, say('mergeTitle', label.name, into.name)),
      h('p', {}, say('mergeText', count, label.name, into.name)),
      h('div', { class: 'buttons' }, agree, h('button', { type: 'button', class: 'secondary', onclick: () => dialog.close() }, say('cancel'))),
    );
    archived.append(dialog);
    dialog.showModal();
    agree.focus();
    await new Promise((closed) => dialog.addEventListener('close', closed, { once: true }));
    dialog.remove();
    return dialog.returnValue === 'agreed';
  }

  const element = h('div', { class: 'labels-view stack' }, list, none, form, archived);
  return {
    element,
    update({ task, tab }, before) {
      if (!task || tab !== 'labels') return;
      if (tab === before.tab && task.labels === before.task?.labels && task.definition === before.task.definition && task.counts === before.task.counts) return;
      const numeric = task.definition.kind === 'number';
      none.hidden = !numeric;
      form.hidden = numeric;
      // a count that moves must not take away what is being typed
      if (tab === before.tab && list.querySelector('.label-editor')?.contains(document.activeElement) && task.definition === before.task?.definition) return;
      draw(task);
    },
  };
}

function field(name: string, input: HTMLElement): HTMLElement {
  const children: Child[] = [h('label', { for: input.id }, name), input];
  return h('div', { class: 'field' }, ...children);
}
