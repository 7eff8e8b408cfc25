import type { Label } from '../../src/core/labels/task';
import type { PanelTask } from '../../src/core/protocol/panel';
import type { App, Component } from '../app';
import { fill, h, setAttribute, setShare, setText, show, uniqueId } from '../dom';
import { guessVisible, isSettled, type State } from '../store';
import { measure, number, percent, say } from '../strings';
import { colorClass, keyCap, shapeMark, valueMarks } from './marks';

/** With more labels than these there is a box to search them. */
const manyLabels = 12;

/** One label: its key, its shape and name, and what the model gives it. */
interface LabelButton {
  readonly label: Label;
  readonly element: HTMLButtonElement;
  update(state: State, score: number | undefined): void;
}

/** The guess, and whatever decides: a button for each label, a field for a number, skip and flag. */
export function decideView(app: App): Component & { readonly numberField: HTMLInputElement } {
  const guess = h('p', { class: 'guess' });
  const searchId = uniqueId('label-search');
  const search = h('input', { type: 'search', id: searchId, placeholder: say('searchLabel'), 'aria-label': say('searchLabel'), autocomplete: 'off', oninput: () => filterButtons(), onkeydown: (event: KeyboardEvent) => chooseFound(event) });
  const list = h('div', { class: 'labels', role: 'group', 'aria-label': say('labels') });
  const field = numberField(app);
  const action = (kind: 'accept' | 'skip' | 'flag' | 'clear', text: string, key: string, help: string): HTMLButtonElement =>
    h('button', { type: 'button', class: kind === 'accept' ? 'primary' : 'secondary', title: help, onclick: () => decide(() => app.labeler.perform({ kind })) }, h('span', {}, text), key !== '' && keyCap(key));
  const accept = action('accept', say('accept'), '⏎', say('acceptHelp'));
  const clear = action('clear', say('clear'), '', say('clearHelp'));
  const actions = h('div', { class: 'actions' }, accept, action('skip', say('skip'), say('space'), say('skipHelp')), action('flag', say('flag'), 'F', say('flagHelp')), clear);
  let buttons: readonly LabelButton[] = [];

  function decide(then: () => void): void {
    then();
    app.focusItem();
  }

  function choose(label: Label): void {
    decide(() => app.labeler.perform({ kind: 'label', label: label.id }));
  }

  function build(task: PanelTask): void {
    buttons = task.labels.map((label) => labelButton(label, task, () => choose(label)));
    fill(list, ...buttons.map(({ element }) => element));
    setAttribute(list, 'class', buttons.length > manyLabels ? 'labels many' : 'labels');
    setAttribute(list, 'tabindex', undefined);
    show(search, buttons.length > manyLabels);
    search.value = '';
  }

  function found(): readonly LabelButton[] {
    const wanted = search.value.trim().toLocaleLowerCase();
    return buttons.filter(({ label }) => wanted === '' || label.name.toLocaleLowerCase().includes(wanted) || label.id.toLocaleLowerCase().includes(wanted));
  }

  function filterButtons(): void {
    const visible = new Set(found());
    for (const each of buttons) show(each.element, visible.has(each));
  }

  /** Enter takes the first that is found; in a search for one label nothing else could be meant. */
  function chooseFound(event: KeyboardEvent): void {
    if (event.key !== 'Enter' || event.isComposing) return;
    event.preventDefault();
    const [first] = found();
    if (!first || search.value.trim() === '') return;
    search.value = '';
    filterButtons();
    choose(first.label);
  }

  return {
    element: h('div', { class: 'decide' }, guess, search, list, field.element, actions),
    numberField: field.input,
    update(state, before) {
      const { task, item } = state;
      if (!task) return;
      const { kind } = task.definition;
      if (task.labels !== before.task?.labels || task.definition !== before.task?.definition) build(task);
      if (task === before.task && item === before.item && state.options === before.options && state.ticked === before.ticked && state.typed === before.typed && state.typedProblem === before.typedProblem) return;
      const visible = guessVisible(state);
      const scores = visible && kind !== 'number' ? item?.guess?.scores : undefined;
      buttons.forEach((each, index) => each.update(state, known(scores?.[index])));
      fill(guess, ...guessLine(state));
      show(list, kind !== 'number');
      field.update(state);
      accept.disabled = kind === 'single' && !(visible && item?.guess);
      setText(accept.firstElementChild ?? accept, say(kind === 'single' ? 'accept' : 'save'));
      show(clear, item !== undefined && isSettled(item));
    },
  };
}

/** A score if there is one: NaN says that there is none, and is null once it has crossed as JSON. */
function known(score: number | null | undefined): number | undefined {
  return typeof score === 'number' && Number.isFinite(score) ? score : undefined;
}

function guessLine(state: State): (Node | string)[] {
  const { item, task } = state;
  if (!item || !task) return [];
  if (!item.guess) return [say('noGuessYet')];
  if (!guessVisible(state)) return [say('guessHidden')];
  const marks = valueMarks(task, item.guess.value).filter((each): each is Node | string => each !== undefined && each !== false);
  return [`${say('guess')} `, ...marks, ...(task.definition.kind === 'single' ? [` ${percent(item.guess.confidence)}`] : []), ...(task.learning.trusted ? [] : [h('span', { class: 'faint' }, say('guessUntrusted'))])];
}

function labelButton(label: Label, task: PanelTask, choose: () => void): LabelButton {
  const share = h('span', { class: 'share' });
  const bar = h('span', { class: 'bar', 'aria-hidden': 'true' });
  const element = h(
    'button',
    { type: 'button', class: `label ${colorClass(label)}`, onclick: choose, ...(label.description === undefined ? {} : { title: label.description }) },
    h('span', { class: 'key' }, label.key !== undefined && keyCap(label.key)),
    shapeMark(label),
    h('bdi', { class: 'name' }, label.name),
    bar,
    share,
  );
  const multi = task.definition.kind === 'multi';
  return {
    label,
    element,
    update({ item, ticked }, score) {
      const decided = item?.state?.value;
      const chosen = multi ? ticked.includes(label.id) : decided === label.id;
      setAttribute(element, 'aria-pressed', chosen ? 'true' : 'false');
      setText(share, score === undefined ? '' : percent(score));
      setShare(bar, score ?? 0);
    },
  };
}

function numberField(app: App): { readonly element: HTMLElement; readonly input: HTMLInputElement; update(state: State): void } {
  const id = uniqueId('number');
  const problemId = uniqueId('number-problem');
  const input = h('input', { type: 'text', id, inputmode: 'decimal', autocomplete: 'off', 'data-keys': 'number', 'aria-describedby': problemId, oninput: () => app.labeler.type(input.value) });
  const range = h('span', { class: 'faint' });
  const problem = h('p', { class: 'problem', id: problemId, role: 'status' });
  const element = h('div', { class: 'number-field' }, h('label', { for: id }, say('value')), input, range, problem);
  return {
    element,
    input,
    update({ task, item, typed, typedProblem }) {
      const { kind, range: expected } = task?.definition ?? {};
      show(element, kind === 'number');
      if (input.value !== typed) input.value = typed;
      setText(range, expected ? say('rangeIs', number(expected.minimum, 6), number(expected.maximum, 6)) : '');
      setText(problem, typedProblem ?? '');
      setAttribute(input, 'aria-invalid', typedProblem === undefined ? undefined : 'true');
      const guess = item?.guess?.value;
      setAttribute(input, 'placeholder', typeof guess === 'number' && guessVisible(app.store.state) ? measure(guess) : '');
    },
  };
}
