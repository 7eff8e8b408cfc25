import type { Component } from '../app';
import { fill, h, uniqueId } from '../dom';
import type { State } from '../store';
import { say } from '../strings';
import { keyCap, labelMark } from './marks';

/** All keys, in a dialog. */
export function keysHelp(onClose: () => void): Component & { open(): void } {
  const titleId = uniqueId('keys');
  const list = h('dl', { class: 'keys' });
  const close = h('button', { type: 'button', class: 'primary', onclick: () => dialog.close() }, say('close'));
  const dialog = h('dialog', { 'aria-labelledby': titleId, onclose: onClose }, h('h2', { id: titleId }, say('keys')), h('div', { class: 'dialog-body', tabindex: 0 }, list), close);
  let state: State | undefined;

  function rows(): HTMLElement[] {
    const kind = state?.task?.definition.kind ?? 'single';
    const row = (keys: readonly string[], ...what: (Node | string)[]): HTMLElement => h('div', {}, h('dt', {}, ...keys.map(keyCap)), h('dd', {}, ...what));
    const labels = (state?.task?.labels ?? []).flatMap((label) => (label.key === undefined ? [] : [row([label.key], labelMark(label))]));
    return [
      ...labels,
      row(['⏎'], say(kind === 'single' ? 'acceptHelp' : 'saveHelp')),
      row([say('space')], say('skipHelp')),
      row(['F'], say('flagHelp')),
      row(['Ctrl/⌘', 'Z'], say('undoHelp')),
      row(['Ctrl/⌘', '⇧', 'Z'], say('redoHelp')),
      row(['←', '→'], say('stepHelp')),
      row(['/'], say('searchHelp')),
      row(['Esc'], say('homeHelp')),
      row(['?'], say('showKeysHelp')),
      row(['Ctrl/⌘', 'A'], say('selectAllHelp')),
      row(['⇧', '↑ ↓'], say('extendHelp')),
    ];
  }

  return {
    element: dialog,
    open() {
      if (dialog.open) return;
      fill(list, ...rows());
      dialog.showModal();
      close.focus();
    },
    update(now) {
      state = now;
    },
  };
}
