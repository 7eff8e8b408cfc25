import { hyperparameterSpecs, type HyperparameterSpec } from '../../../src/core/model/hyperparameters';
import { h, setAttribute, setText, show } from '../../dom';
import { translate } from '../../strings';
import { changedHyperparameters, chosenPreset, chosenVectors, commonHyperparameters, fieldOf, hyperparameterProblem, presetDefaults } from '../choices';
import type { Desk } from '../desk';
import type { TrainingPart, TrainingState, TrainingStore } from '../store';
import { hyperparameterName, precise, say } from '../strings';
import { problemOf, setOptions, setValue } from './fields';

/** Every hyperparameter with its name, range, default and what it does; those that most people set come first. An empty field stands for the default. */
export function hyperparametersView(store: TrainingStore, desk: Desk): TrainingPart {
  const fields = new Map(hyperparameterSpecs.map((spec) => [spec.name, hyperparameterField(spec, store, desk)]));
  const common = commonHyperparameters.flatMap((name) => fields.get(name) ?? []);
  const others = hyperparameterSpecs.filter(({ name }) => !commonHyperparameters.includes(name)).flatMap(({ name }) => fields.get(name) ?? []);
  const moreSummary = h('summary', {});
  const more = h('details', { class: 'more' }, moreSummary, h('div', { class: 'hyperparameters' }, ...others.map(({ element }) => element)));
  const changedCount = h('p', { class: 'faint', role: 'status' });
  const reset = h('button', { type: 'button', class: 'secondary', onclick: () => resetAll() }, say('resetAll'));

  function resetAll(): void {
    desk.change({ typed: {} });
    desk.announce(say('allReset'));
    common[0]?.control.focus();
  }

  return {
    element: h(
      'section',
      { class: 'hyperparameters-section' },
      h('div', { class: 'section-head' }, h('h2', {}, say('hyperparameters')), changedCount, reset),
      h('div', { class: 'hyperparameters' }, ...common.map(({ element }) => element)),
      more,
    ),
    update(state, before) {
      if (state.form === before.form && state.models === before.models && state.vectors === before.vectors) return;
      const changed = changedHyperparameters(state);
      setText(changedCount, changed.length === 0 ? say('allDefault') : say('changedCount', changed.length));
      show(reset, Object.keys(state.form.typed).length > 0);
      const changedOthers = changed.filter(({ name }) => !commonHyperparameters.includes(name)).length;
      setText(moreSummary, changedOthers === 0 ? say('moreHyperparameters', others.length) : say('moreHyperparametersChanged', others.length, changedOthers));
      for (const each of fields.values()) each.update(state, changed.includes(each.spec));
    },
  };
}

interface HyperparameterField {
  readonly spec: HyperparameterSpec;
  readonly element: HTMLElement;
  readonly control: HTMLInputElement | HTMLSelectElement;
  update(state: TrainingState, isChanged: boolean): void;
}

function hyperparameterField(spec: HyperparameterSpec, store: TrainingStore, desk: Desk): HyperparameterField {
  const id = fieldOf(spec.name);
  const name = hyperparameterName(spec.name);
  const isChoice = 'choices' in spec;
  const control = isChoice
    ? h('select', { id, onchange: () => set(control.value) })
    : h('input', { type: 'text', id, inputmode: spec.integer ? 'numeric' : 'decimal', autocomplete: 'off', spellcheck: 'false', oninput: () => set(control.value) });
  const help = h('p', { class: 'faint', id: `${id}-help` }, translate(spec.help));
  const range = h('p', { class: 'faint range', id: `${id}-range` });
  const problem = problemOf(control, help.id, range.id);
  const mark = h('span', { class: 'changed-mark', title: say('changed') }, h('span', { 'aria-hidden': 'true' }, '●'), h('span', { class: 'visually-hidden' }, say('changed')));
  const reset = h('button', { type: 'button', class: 'icon reset', title: say('resetOne', name), 'aria-label': say('resetOne', name), onclick: () => giveBack() }, '↺');

  function set(typed: string): void {
    const { models, form } = store.state;
    const isDefault = isChoice && typed === String(presetDefaults(chosenPreset({ form, models }))[spec.name]);
    desk.setHyperparameter(spec.name, typed.trim() === '' || isDefault ? undefined : typed);
  }

  function giveBack(): void {
    desk.setHyperparameter(spec.name, undefined);
    control.focus();
  }

  const element = h('div', { class: 'field hyperparameter' }, h('div', { class: 'field-head' }, h('label', { for: id }, name), mark), h('div', { class: 'field-control' }, control, reset), help, range, problem.element);
  return {
    spec,
    element,
    control,
    update(state, isChanged) {
      const vectors = spec.name === 'embeddingSize' ? chosenVectors(state) : undefined;
      const fallback = presetDefaults(chosenPreset(state))[spec.name];
      const typed = state.form.typed[spec.name];
      if (control instanceof HTMLSelectElement) setOptions(control, isChoice ? spec.choices.map((choice) => ({ value: choice, text: choice })) : [], typed ?? String(fallback));
      else {
        setValue(control, typed ?? '');
        setAttribute(control, 'placeholder', vectors ? undefined : typeof fallback === 'number' ? plain(fallback) : fallback);
      }
      control.disabled = vectors !== undefined;
      if (vectors) setText(range, say('sizeOfVectors', vectors.name));
      else setText(range, isChoice ? say('choiceDefault', String(fallback)) : say('range', precise(spec.minimum), precise(spec.maximum), typeof fallback === 'number' ? precise(fallback) : fallback));
      problem.set(typed === undefined || vectors ? undefined : hyperparameterProblem(spec, typed));
      element.classList.toggle('changed', isChanged);
      show(mark, isChanged);
      show(reset, typed !== undefined);
    },
  };
}

/** As one types it: without marks between the digits. */
function plain(value: number): string {
  return String(value);
}
