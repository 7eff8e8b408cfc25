import { h, setText } from '../../dom';
import { thresholdMeaning, thresholdProblem } from '../choices';
import type { Desk } from '../desk';
import type { TrainingPart } from '../store';
import { say } from '../strings';
import { field, problemOf, setValue } from './fields';

/** From which score on a label is chosen, where the task has such a choice. */
export function thresholdView(desk: Desk): TrainingPart {
  const input = h('input', { type: 'text', inputmode: 'decimal', id: 'threshold', class: 'short', placeholder: '0.5', autocomplete: 'off', oninput: () => desk.change({ threshold: input.value.trim() === '' ? undefined : input.value }) });
  const help = h('p', { class: 'faint', id: 'threshold-help' });
  const problem = problemOf(input, help.id);

  return {
    element: h('section', {}, h('h2', {}, say('decision')), field(input, say('threshold'), help, problem.element)),
    update(state) {
      const { applies, text } = thresholdMeaning(state);
      input.disabled = !applies;
      setValue(input, state.form.threshold ?? '');
      setText(help, text);
      problem.set(thresholdProblem(state));
    },
  };
}
