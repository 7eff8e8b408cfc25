import type { DecisionStatus, DecisionValue } from '../../src/core/labels/decision';
import type { ExampleFilter, ListedExample } from '../../src/core/labels/view';
import type { App, Component } from '../app';
import { fill, h, setAttribute, show } from '../dom';
import { keyAction } from '../keys';
import { bulkDecision } from '../actions';
import { messageOf } from '../labeler';
import { Rows, Selection } from '../rows';
import type { State } from '../store';
import { percent, say } from '../strings';
import { bulkBar } from './bulkBar';
import { filterBar } from './filterBar';
import { statusText, valueMarks } from './marks';

/** Height of a row in CSS pixels; the stylesheet says the same. */
const rowHeight = 46;
/** Rows drawn above and below what is in sight. */
const overscan = 6;
/** Browsers lay out nothing much higher than this, in CSS pixels: beyond it, a step of the scroll bar is more than one row. */
const maximumHeight = 8_000_000;
/** Milliseconds until changes elsewhere are asked for: one answer for a burst of them. */
const refreshDelay = 250;

/** The examples of the task: virtual rows, filters, and decisions for many at a time. */
export function listView(app: App): Component & { readonly search: HTMLInputElement; showFilter(filter: ExampleFilter): void } {
  const rows = new Rows(
    async (filter, from, count) => await app.host.client.call('list', { filter, from, count }),
    () => draw(),
    (error) => bar.setProblem(messageOf(error)),
  );
  const selection = new Selection();
  const bar = filterBar((filter) => apply(filter));
  const bulk = bulkBar({ clear: () => clearSelection(), all: () => selectAll() });
  const space = h('div', { class: 'rows-space', role: 'presentation' });
  const box = h(
    'div',
    { class: 'rows', role: 'listbox', tabindex: 0, 'aria-multiselectable': 'true', 'aria-label': say('examples'), onscroll: () => draw(), onkeydown: (event: KeyboardEvent) => key(event), onclick: (event: MouseEvent) => click(event) },
    space,
  );
  const none = h('p', { class: 'none', hidden: true }, say('noExamples'));
  const drawn = new Map<number, HTMLElement>();
  let filter: ExampleFilter = {};
  let active = 0;
  let timer: number | undefined;
  let visible = true;
  let outdated = false;
  let annotators: readonly string[] = [];
  /** Row to scroll to as soon as the rows are there. */
  let restore: number | undefined;

  function apply(next: ExampleFilter): void {
    filter = next;
    active = 0;
    selection.clear();
    bar.setProblem('');
    rows.setFilter(filter);
    rows.want(0, 1);
    box.scrollTop = 0;
    app.host.remember({ filter, row: 0 });
    draw();
  }

  /** Row at the top of what is in sight, with what is hidden of it in pixels. */
  function top(): { readonly first: number; readonly hidden: number } {
    const height = box.clientHeight;
    const whole = rows.total * rowHeight;
    const shown = Math.min(whole, maximumHeight);
    const scale = shown > height && whole > shown ? (whole - height) / (shown - height) : 1;
    const offset = box.scrollTop * scale;
    return { first: Math.floor(offset / rowHeight), hidden: offset % rowHeight };
  }

  function scrollTo(index: number): void {
    const height = box.clientHeight;
    const whole = rows.total * rowHeight;
    const shown = Math.min(whole, maximumHeight);
    const scale = shown > height && whole > shown ? (whole - height) / (shown - height) : 1;
    const offset = box.scrollTop * scale;
    const start = index * rowHeight;
    if (start < offset) box.scrollTop = start / scale;
    else if (start + rowHeight > offset + height) box.scrollTop = (start + rowHeight - height) / scale;
  }

  function draw(): void {
    if (!visible) return;
    const { task } = app.store.state;
    if (!task) return;
    bar.setTotal(rows.loaded ? rows.total : undefined, task.counts.examples);
    show(none, rows.loaded && rows.total === 0);
    show(box, rows.total > 0);
    space.style.height = `${Math.min(rows.total * rowHeight, maximumHeight)}px`;
    if (restore !== undefined && rows.loaded) {
      box.scrollTop = restore * rowHeight;
      restore = undefined;
    }
    const { first, hidden } = top();
    const from = Math.max(0, first - overscan);
    const to = Math.min(rows.total, first + Math.ceil(box.clientHeight / rowHeight) + 1 + overscan);
    if (to > from) rows.want(from, to);
    for (const [index, element] of drawn) {
      if (index >= from && index < to) continue;
      element.remove();
      drawn.delete(index);
    }
    for (let index = from; index < to; index++) {
      const known = drawn.get(index);
      const element = known ?? h('div', { class: 'row', role: 'option', id: `row-${index}`, 'data-row': index, 'aria-posinset': index + 1 });
      if (!known) {
        drawn.set(index, element);
        space.append(element);
      }
      setAttribute(element, 'aria-setsize', rows.total);
      element.style.transform = `translateY(${box.scrollTop - hidden + (index - first) * rowHeight}px)`;
      drawRow(element, index);
    }
    setAttribute(box, 'aria-activedescendant', drawn.has(active) ? `row-${active}` : undefined);
    bulk.update(task, selection.size(rows.total), selection.all, rows.total);
    if (rows.loaded && app.host.saved.row !== first) app.host.remember({ row: first });
  }

  function drawRow(element: HTMLElement, index: number): void {
    const { state } = app.store;
    const row = rows.at(index);
    setAttribute(element, 'class', `row${index === active ? ' active' : ''}${row && row.id === state.item?.example.id ? ' shown' : ''}`);
    setAttribute(element, 'aria-selected', row && selection.has(row.id) ? 'true' : 'false');
    if (contents.get(element) === row && blindness.get(element) === state.options.blind) return;
    if (row) contents.set(element, row);
    else contents.delete(element);
    blindness.set(element, state.options.blind);
    if (!row) fill(element, h('span', { class: 'excerpt faint' }, '…'));
    else fill(element, h('span', { class: 'excerpt', dir: 'auto' }, row.excerpt), rowState(row, state));
  }
  const contents = new WeakMap<HTMLElement, ListedExample>();
  const blindness = new WeakMap<HTMLElement, boolean>();

  function clearSelection(): void {
    selection.clear();
    draw();
    box.focus();
  }

  function selectAll(): void {
    selection.clear();
    selection.all = rows.total > 0;
    app.labeler.announce(say('selectedCount', rows.total));
    draw();
  }

  async function selectRange(to: number): Promise<void> {
    const [low, high] = [Math.min(selection.anchor, to), Math.max(selection.anchor, to)];
    const range = await app.labeler.attempt(() => rows.range(low, high + 1));
    if (!range) return;
    selection.replace(range);
    app.labeler.announce(say('selectedCount', range.length));
    draw();
  }

  function click(event: MouseEvent): void {
    const element = event.target instanceof Element ? event.target.closest<HTMLElement>('[data-row]') : null;
    if (!element) return;
    const index = Number(element.dataset['row']);
    const row = rows.at(index);
    if (!row) return;
    active = index;
    if (event.shiftKey) void selectRange(index);
    else {
      selection.anchor = index;
      if (event.ctrlKey || event.metaKey) selection.toggle(row);
      else {
        selection.only(row);
        app.labeler.perform({ kind: 'visit', id: row.id });
      }
    }
    draw();
  }

  function key(event: KeyboardEvent): void {
    if (event.isComposing || rows.total === 0) return;
    const page = Math.max(1, Math.floor(box.clientHeight / rowHeight) - 1);
    const target = ({ ArrowDown: active + 1, ArrowUp: active - 1, PageDown: active + page, PageUp: active - page, Home: 0, End: rows.total - 1 } as Record<string, number | undefined>)[event.key];
    if (target !== undefined && !event.altKey) move(Math.min(rows.total - 1, Math.max(0, target)), event.shiftKey);
    else if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'a') selectAll();
    else if (event.key === ' ') toggleActive();
    else if (event.key === 'Enter') visitActive();
    else if (event.key === 'Escape' && selection.size(rows.total) > 1) clearSelection();
    else if (!decideByKey(event)) return;
    event.preventDefault();
    event.stopPropagation();
  }

  function move(index: number, extend: boolean): void {
    active = index;
    scrollTo(active);
    if (extend) void selectRange(index);
    else {
      selection.anchor = index;
      const row = rows.at(index);
      selection.clear();
      if (row) selection.only(row);
    }
    draw();
  }

  function toggleActive(): void {
    const row = rows.at(active);
    if (!row) return;
    selection.anchor = active;
    selection.toggle(row);
    draw();
  }

  function visitActive(): void {
    const row = rows.at(active);
    if (!row) return;
    app.labeler.perform({ kind: 'visit', id: row.id });
    app.focusItem();
  }

  /** A label's key decides for what is selected in the list: at once for one row, after a preview for many. */
  function decideByKey(event: KeyboardEvent): boolean {
    const { task } = app.store.state;
    if (!task || task.definition.kind === 'number') return false;
    const action = keyAction(event, { place: 'control', kind: task.definition.kind, labels: task.labels });
    if (action?.kind !== 'label' && action?.kind !== 'flag') return false;
    const size = selection.size(rows.total);
    const row = rows.at(active);
    if (size > 1) {
      if (action.kind === 'flag') decideSelected('flagged');
      else decideSelected('labeled', task.definition.kind === 'multi' ? [action.label] : action.label);
    } else if (row) {
      app.labeler.perform({ kind: 'visit', id: row.id });
      app.labeler.perform(action);
      if (task.definition.kind === 'single') move(Math.min(rows.total - 1, active + 1), false);
      else app.focusItem();
    }
    return true;
  }

  /** Asks, with a count and the first texts, and then decides for all that is selected. */
  function decideSelected(status: DecisionStatus, value?: DecisionValue): void {
    void app.labeler.attempt(async () => {
      const answer = { status, ...(value === undefined ? {} : { value }) };
      const chosen = [...selection.chosen.values()];
      const counted = selection.all ? await app.host.client.call('countMatching', { filter }) : { total: chosen.length, decided: chosen.filter(({ state }) => state && state.status !== 'cleared').length };
      const first = (selection.all ? Array.from({ length: 3 }, (_, index) => rows.at(index)) : chosen.slice(0, 3)).flatMap((row) => (row ? [row.excerpt] : []));
      const agreed = await bulk.confirm(answer, counted, first);
      if (!agreed) return box.focus();
      app.labeler.perform(bulkDecision(selection.all ? { filter, expected: counted.total } : { ids: chosen.map(({ id }) => id) }, answer));
      selection.clear();
      box.focus();
      draw();
    });
  }
  bulk.onDecide = decideSelected;

  function refreshSoon(since = performance.now(), delay = refreshDelay): void {
    outdated = true;
    if (!visible || timer !== undefined) return;
    timer = window.setTimeout(() => {
      timer = undefined;
      if (!visible) return;
      const rest = app.labeler.restAfterKeys(since);
      if (rest > 0) return refreshSoon(since, rest);
      outdated = false;
      rows.outdate();
      if (rows.total === 0) rows.want(0, 1);
      draw();
    }, delay);
  }

  new ResizeObserver(() => draw()).observe(box);
  return {
    element: h('div', { class: 'list' }, bar.element, none, box, bulk.element),
    search: bar.search,
    showFilter(next) {
      bar.set(next);
      apply(next);
    },
    update(state, before) {
      const { task } = state;
      if (!task) return;
      visible = state.tab === 'examples';
      if (task.definition !== before.task?.definition || task.labels !== before.task.labels) {
        annotators = [...new Set([task.annotator, ...annotators])];
        bar.setTask(task, annotators);
      }
      if (task.definition.name !== before.task?.definition.name) begin(state);
      if (state.changed !== before.changed) {
        noteAnnotators(state);
        rows.apply(state.changed);
      }
      if (state.listRevision !== before.listRevision) refreshSoon();
      if (outdated && state.tab !== before.tab) refreshSoon();
      if (state.item !== before.item || state.changed !== before.changed || state.tab !== before.tab || state.options !== before.options || task !== before.task) draw();
    },
  };

  function noteAnnotators({ changed, task }: State): void {
    const met = changed.flatMap(({ state }) => (state ? [state.annotator, ...state.others.map(({ annotator }) => annotator)] : []));
    if (!task || met.every((each) => annotators.includes(each))) return;
    annotators = [...new Set([...annotators, ...met])];
    bar.setTask(task, annotators);
  }

  /** Another task: what an earlier page showed of it, else all of it. */
  function begin({ task }: State): void {
    const { saved } = app.host;
    const same = saved.task === task?.definition.name;
    filter = same ? (saved.filter ?? {}) : {};
    const row = same ? (saved.row ?? 0) : 0;
    bar.set(filter);
    selection.clear();
    rows.setFilter(filter);
    rows.want(row, row + 1);
    active = row;
    restore = row > 0 ? row : undefined;
  }
}

/** What was decided, which stands by its own look, and what is guessed. */
function rowState(row: ListedExample, { task, options }: State): HTMLElement {
  if (!task) return h('span');
  const { state, guess } = row;
  const settled = state !== undefined && state.status !== 'cleared';
  const guessed = guess && (settled || !options.blind) ? h('span', { class: 'guessed' }, '≈ ', ...valueMarks(task, guess.value), task.definition.kind === 'single' && ` ${percent(guess.confidence)}`) : undefined;
  const differs = settled && state.others.length > 0;
  return h(
    'span',
    { class: 'row-state' },
    settled ? h('span', { class: `decided-mark status-${state.status}` }, state.status === 'labeled' ? '✓ ' : `${statusText(state.status)} `, ...(state.value === undefined ? [] : valueMarks(task, state.value))) : h('span', { class: 'faint' }, say('statusOpen')),
    differs && h('span', { class: 'conflict' }, `⚠ ${say('conflictShort')}`),
    guessed,
  );
}
