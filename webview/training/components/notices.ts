import { h, setText, show } from '../../dom';
import type { TrainingPart, TrainingStore } from '../store';
import { say } from '../strings';

/** What went wrong, in sight until closed, and the line that screen readers read out. */
export function notices(store: TrainingStore): TrainingPart {
  const text = h('p');
  const close = h('button', { type: 'button', class: 'icon', 'aria-label': say('close'), title: say('close'), onclick: () => store.update({ problem: undefined }) }, '×');
  const problem = h('div', { class: 'notice error', role: 'alert', hidden: true }, text, close);
  const live = h('div', { class: 'visually-hidden', role: 'status', 'aria-live': 'polite' });
  return {
    element: h('div', { class: 'notices' }, problem, live),
    update(state) {
      show(problem, state.problem !== undefined);
      setText(text, state.problem ?? '');
      setText(live, state.announcement);
    },
  };
}
