import { h, setText, show } from '../../dom';
import { baseOf } from '../choices';
import type { Desk } from '../desk';
import type { TrainingPart } from '../store';
import { hyperparameterName, say } from '../strings';

/** Word vectors to start from, as long as there is no base. */
export function vectorsView(desk: Desk): TrainingPart {
  const name = h('p', { class: 'chosen-file', id: 'vectors-name' });
  const help = h('p', { class: 'faint', id: 'vectors-help' });
  const choose = h('button', { type: 'button', id: 'choose-vectors', class: 'secondary', 'aria-describedby': 'vectors-name vectors-help', onclick: () => void desk.chooseVectors() }, say('chooseVectors'));
  const remove = h('button', { type: 'button', id: 'remove-vectors', class: 'secondary', onclick: () => takeAway() }, say('removeVectors'));

  function takeAway(): void {
    desk.removeVectors();
    choose.focus();
  }

  return {
    element: h('section', {}, h('h2', {}, say('vectors')), name, help, h('div', { class: 'buttons' }, choose, remove)),
    update(state) {
      const base = baseOf(state);
      setText(name, state.vectors?.name ?? say('noVectors'));
      show(name, !base);
      setText(help, base ? say('vectorsOfBase', base.name) : say('vectorsHelp', hyperparameterName('embeddingTraining')));
      choose.disabled = base !== undefined;
      show(remove, !base && state.vectors !== undefined);
    },
  };
}
