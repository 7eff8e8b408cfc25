import type { ExampleFilter } from '../../src/core/labels/view';
import type { PanelTask } from '../../src/core/protocol/panel';
import { fill, h, setAttribute, setText, show, uniqueId } from '../dom';
import { say } from '../strings';

/** Milliseconds after the last character until the list is searched. */
const typingDelay = 150;

type Status = NonNullable<ExampleFilter['status']>[number];

export interface FilterBar {
  readonly element: HTMLElement;
  readonly search: HTMLInputElement;
  /** Shows a filter that was set elsewhere. */
  set(filter: ExampleFilter): void;
  setTask(task: PanelTask, annotators: readonly string[]): void;
  setTotal(total: number | undefined, all: number): void;
  setProblem(problem: string): void;
}

/** What the list shows: a search for words or /regular expressions/, and further conditions behind a button. */
export function filterBar(changed: (filter: ExampleFilter) => void): FilterBar {
  const details = uniqueId('filters');
  const problemId = uniqueId('filter-problem');
  const search = h('input', { type: 'search', placeholder: say('searchTexts'), 'aria-label': say('searchTexts'), 'aria-describedby': problemId, autocomplete: 'off', spellcheck: 'false', maxlength: 1000, oninput: () => later() });
  const problem = h('p', { class: 'problem', id: problemId, role: 'status' });
  const more = h('button', { type: 'button', class: 'toggle', 'aria-expanded': 'false', 'aria-controls': details, onclick: () => expand(conditions.hidden) }, say('filters'));
  const total = h('span', { class: 'faint', role: 'status' });
  const reset = h('button', { type: 'button', class: 'link', onclick: () => clear() }, say('clearFilters'));
  const status = choice<Status>(say('status'), [['open', say('statusOpen')], ['labeled', say('statusLabeled')], ['skipped', say('statusSkipped')], ['flagged', say('statusFlagged')]]);
  const label = choice(say('label'), []);
  const guess = choice(say('guessFilter'), []);
  const annotator = choice(say('annotator'), []);
  const from = bound(say('confidenceFrom'), '0');
  const to = bound(say('confidenceTo'), '100');
  const disagreement = tick(say('disagreement'));
  const conflict = tick(say('conflict'));
  const conditions = h('div', { class: 'conditions', id: details, hidden: true }, status.element, label.element, guess.element, annotator.element, from.element, to.element, disagreement.element, conflict.element);
  let timer: number | undefined;

  function choice<T extends string>(name: string, options: readonly (readonly [T, string])[]): { element: HTMLElement; select: HTMLSelectElement; set(options: readonly (readonly [string, string])[]): void } {
    const id = uniqueId('filter');
    const select = h('select', { id, onchange: () => tell() });
    const set = (all: readonly (readonly [string, string])[]): void => {
      const { value } = select;
      fill(select, h('option', { value: '' }, say('any')), ...all.map(([each, text]) => h('option', { value: each }, text)));
      select.value = all.some(([each]) => each === value) ? value : '';
    };
    set(options);
    return { element: h('div', { class: 'field' }, h('label', { for: id }, name), select), select, set };
  }

  function bound(name: string, placeholder: string): { element: HTMLElement; input: HTMLInputElement } {
    const id = uniqueId('filter');
    const input = h('input', { type: 'number', id, min: 0, max: 100, step: 1, placeholder, oninput: () => later() });
    return { element: h('div', { class: 'field' }, h('label', { for: id }, name), input), input };
  }

  function tick(name: string): { element: HTMLElement; input: HTMLInputElement } {
    const input = h('input', { type: 'checkbox', onchange: () => tell() });
    return { element: h('label', { class: 'check' }, input, h('span', {}, name)), input };
  }

  function expand(open: boolean): void {
    show(conditions, open);
    setAttribute(more, 'aria-expanded', open ? 'true' : 'false');
  }

  function share(input: HTMLInputElement, otherwise: number): number {
    const value = input.valueAsNumber;
    return Number.isFinite(value) ? Math.min(1, Math.max(0, value / 100)) : otherwise;
  }

  function read(): ExampleFilter {
    const confidence = from.input.value !== '' || to.input.value !== '';
    return {
      ...(search.value.trim() === '' ? {} : { text: search.value }),
      ...(status.select.value === '' ? {} : { status: [status.select.value as Status] }),
      ...(label.select.value === '' ? {} : { label: label.select.value }),
      ...(guess.select.value === '' ? {} : { guess: guess.select.value }),
      ...(annotator.select.value === '' ? {} : { annotator: annotator.select.value }),
      ...(confidence ? { confidence: [share(from.input, 0), share(to.input, 1)] as const } : {}),
      ...(disagreement.input.checked ? { disagreement: true } : {}),
      ...(conflict.input.checked ? { conflict: true } : {}),
    };
  }

  function later(): void {
    window.clearTimeout(timer);
    timer = window.setTimeout(tell, typingDelay);
  }

  function tell(): void {
    window.clearTimeout(timer);
    const filter = read();
    show(reset, Object.keys(filter).length > 0);
    changed(filter);
  }

  function clear(): void {
    set({});
    tell();
    search.focus();
  }

  function set(filter: ExampleFilter): void {
    search.value = filter.text ?? '';
    status.select.value = filter.status?.length === 1 ? (filter.status[0] ?? '') : '';
    label.select.value = filter.label ?? '';
    guess.select.value = filter.guess ?? '';
    annotator.select.value = filter.annotator ?? '';
    from.input.value = filter.confidence ? String(Math.round(filter.confidence[0] * 100)) : '';
    to.input.value = filter.confidence ? String(Math.round(filter.confidence[1] * 100)) : '';
    disagreement.input.checked = filter.disagreement ?? false;
    conflict.input.checked = filter.conflict ?? false;
    show(reset, Object.keys(filter).length > 0);
    if (Object.keys(filter).some((key) => key !== 'text')) expand(true);
  }

  show(reset, false);
  return {
    element: h('div', { class: 'filter-bar', role: 'search' }, h('div', { class: 'row-of-fields' }, search, more), problem, conditions, h('div', { class: 'row-of-fields' }, total, reset)),
    search,
    set,
    setTask(task, annotators) {
      const names = task.definition.labels.filter(({ mergedInto }) => mergedInto === undefined).map(({ id, name }) => [id, name] as const);
      label.set(names);
      guess.set(task.labels.map(({ id, name }) => [id, name] as const));
      annotator.set(annotators.map((each) => [each, each] as const));
      for (const each of [label, guess]) show(each.element, task.definition.kind !== 'number');
    },
    setTotal(found, all) {
      setText(total, found === undefined ? say('oneMoment') : found === all ? say('examplesCount', all) : say('examplesFound', found, all));
    },
    setProblem(text) {
      setText(problem, text);
      setAttribute(search, 'aria-invalid', text === '' ? undefined : 'true');
    },
  };
}
