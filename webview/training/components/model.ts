import { presets } from '../../../src/core/model/presets';
import { h, setAttribute, setText, show } from '../../dom';
import { translate } from '../../strings';
import { baseOf, chosenPreset, presetFits } from '../choices';
import type { Desk } from '../desk';
import type { TrainingPart, TrainingStore } from '../store';
import { say } from '../strings';
import { field, setOptions } from './fields';
import { hyperparametersView } from './hyperparameters';
import { thresholdView } from './threshold';
import { vectorsView } from './vectors';

/** What is trained: a preset or a base, and its hyperparameters. */
export function modelView(store: TrainingStore, desk: Desk): TrainingPart {
  const rows = presets.map((preset) => {
    const id = `preset-${preset.name}`;
    const input = h('input', { type: 'radio', name: 'preset', id, value: preset.name, onchange: () => desk.change({ preset: preset.name }) });
    setAttribute(input, 'aria-describedby', `${id}-help ${id}-misfit`);
    const misfit = h('p', { class: 'faint', id: `${id}-misfit`, hidden: true }, say('presetMisfitKind'));
    const element = h('div', { class: 'choice' }, input, h('label', { for: id }, preset.name), h('p', { class: 'faint', id: `${id}-help` }, translate(preset.description)), misfit);
    return { preset, input, misfit, element };
  });
  const presetChoices = h('fieldset', { class: 'choices presets' }, h('legend', {}, say('preset')), ...rows.map(({ element }) => element));
  const baseNote = h('p', { class: 'faint' });
  const base = h('select', { id: 'base', onchange: () => desk.change({ base: base.value === '' ? undefined : base.value }) });
  const vectors = vectorsView(desk);
  const hyperparameters = hyperparametersView(store, desk);
  const threshold = thresholdView(desk);
  const next = h('button', { type: 'button', class: 'primary', onclick: () => desk.openTab('train') }, say('nextTrain'));

  return {
    element: h('div', { class: 'stack page' }, h('section', {}, h('h2', {}, say('startFrom')), field(base, say('base'), baseNote)), presetChoices, vectors.element, hyperparameters.element, threshold.element, h('div', { class: 'buttons next' }, next)),
    update(state, before) {
      const { form, models } = state;
      // a base learns on from what it knows, which is one label a text
      const bases = models.filter(({ kind }) => kind === form.kind);
      setOptions(base, [{ value: '', text: say('fromScratch') }, ...bases.map(({ name, labels }) => ({ value: name, text: labels.length > 0 && labels.length <= 6 ? `${name} (${labels.join(', ')})` : name }))], bases.some(({ name }) => name === form.base) ? (form.base ?? '') : '');
      const chosen = baseOf(state);
      setText(baseNote, chosen ? say('baseKeeps', chosen.name, chosen.preset) : say('fromScratchHelp'));
      const preset = chosenPreset(state);
      for (const row of rows) {
        row.input.checked = row.preset === preset;
        const fits = presetFits(row.preset, form.kind);
        row.input.disabled = chosen !== undefined || !fits;
        show(row.misfit, !fits);
      }
      vectors.update(state, before);
      hyperparameters.update(state, before);
      threshold.update(state, before);
    },
  };
}
