import { decidingWords, type DecidingWord } from '../../src/core/labels/decidingWords';
import type { WordWeight } from '../../src/core/labels/view';
import type { PanelItem } from '../../src/core/protocol/panel';
import type { PanelStringKey } from '../../src/core/protocol/panelStrings';
import type { QueueReason } from '../../src/core/protocol/learner';
import type { App, Component } from '../app';
import { fill, h, setAttribute, setText, show, type Child } from '../dom';
import type { State } from '../store';
import { isSettled } from '../store';
import { number, say, when } from '../strings';
import { statusText, valueMarks, valueText } from './marks';

const reasons: Readonly<Record<QueueReason, PanelStringKey>> = {
  check: 'reasonCheck',
  uncertain: 'reasonUncertain',
  different: 'reasonDifferent',
  keyword: 'reasonKeyword',
  start: 'reasonStart',
  file: 'reasonFile',
  shuffle: 'reasonShuffle',
  confident: 'reasonConfident',
  suspicious: 'reasonSuspicious',
};

/** Words with less weight than this share of the heaviest are not marked. */
const leastShare = 0.15;
/** Words named in the text alternative, at most, for each side. */
const namedWords = 8;

/** The example on the screen: its text, why it is next, what was decided, its other columns and its places. */
export function itemView(app: App): Component {
  const reason = h('p', { class: 'reason' });
  const state = h('p', { class: 'decided' });
  const text = h('div', { class: 'text', dir: 'auto', id: 'item-text' });
  const words = h('div', { class: 'words', hidden: true });
  const context = h('dl', { class: 'context' });
  const places = h('p', { class: 'places' });
  const scroller = h('div', { class: 'item-body' }, text, words, context, places);
  const article = h('article', { class: 'item', tabindex: 0, id: 'item', 'aria-label': say('textToLabel'), 'aria-describedby': 'item-text' }, h('div', { class: 'item-head' }, reason, state), scroller);

  function updateItem(item: PanelItem | undefined, current: State): void {
    show(article, item !== undefined);
    if (!item || !current.task) return;
    const { example } = item;
    fill(state, ...decidedMarks(current, item));
    fill(
      context,
      ...example.context.filter(({ value }) => value !== '').map(({ column, value }) => h('div', {}, h('dt', { dir: 'auto' }, column), h('dd', { dir: 'auto' }, value))),
    );
    show(context, context.childElementCount > 0);
    fill(places, ...placesOf(app, item));
  }

  // what scrolls can be scrolled by the keyboard
  const overflow = new ResizeObserver(() => setAttribute(scroller, 'tabindex', scroller.scrollHeight > scroller.clientHeight ? 0 : undefined));
  for (const part of [scroller, text, words, context]) overflow.observe(part);

  return {
    element: article,
    update(current, before) {
      const { item } = current;
      const moved = item?.example.id !== before.item?.example.id;
      if (item !== before.item || current.task !== before.task || current.options !== before.options) {
        if (item !== before.item) updateItem(item, current);
        if (item && current.task) setText(reason, isSettled(item) ? '' : `${say(reasons[item.reason])} ${say('left', current.task.counts.open)}`);
      }
      if (item !== before.item || current.words !== before.words) {
        fill(text, ...(item ? marked(item.example.text, current.words ?? []) : []));
        fill(words, ...wordsInWords(current));
        show(words, words.childElementCount > 0);
      }
      if (moved) scroller.scrollTop = 0;
    },
  };
}

function decidedMarks({ task }: State, { state }: PanelItem): Child[] {
  if (!task || !state || state.status === 'cleared') return [];
  const marks: Child[] = [h('span', { class: `status status-${state.status}` }, statusText(state.status)), ...(state.value === undefined ? [] : valueMarks(task, state.value)), h('span', { class: 'faint' }, say('decidedBy', state.annotator, when(state.at)))];
  const others = state.others.map(({ annotator, status, value }) => say('otherDecided', annotator, value === undefined ? statusText(status) : valueText(task, value)));
  return [...marks, ...(others.length === 0 ? [] : [h('span', { class: 'conflict' }, `⚠ ${others.join(' · ')}`)])];
}

function placesOf(app: App, { example }: PanelItem): Child[] {
  const [first] = example.sources;
  if (!first) return [];
  const place = first.row === undefined ? first.file : say('fileRow', first.file, first.row);
  const reveal = (): void => void app.labeler.attempt(() => app.host.client.call('reveal', { id: example.id }));
  return [
    h('button', { type: 'button', class: 'link', title: say('revealHelp'), onclick: reveal }, place),
    example.sources.length > 1 && h('span', { class: 'faint' }, say('morePlaces', example.sources.length - 1)),
  ];
}

/** The text in pieces, the words that decided marked by how much: 1 (little) to 4. */
function marked(text: string, weights: readonly WordWeight[]): Child[] {
  const heaviest = Math.max(...weights.map(({ weight }) => Math.abs(weight)), 0);
  const pieces: Child[] = [];
  let at = 0;
  for (const { start, end, weight } of [...weights].sort((one, other) => one.start - other.start)) {
    const share = heaviest > 0 ? Math.abs(weight) / heaviest : 0;
    if (share < leastShare || start < at || end > text.length || end <= start) continue;
    pieces.push(text.slice(at, start), h('mark', { class: `${weight > 0 ? 'for' : 'against'} weight-${Math.ceil(share * 4)}` }, text.slice(start, end)));
    at = end;
  }
  return [...pieces, text.slice(at)];
}

/** The same in words, for whoever does not see the marks. */
function wordsInWords({ item, words, task }: State): Child[] {
  if (!item?.guess || !words || !task) return [];
  const list = (side: readonly DecidingWord[]): string => side.map(({ text, weight }) => `${text} (${weight > 0 ? '+' : '−'}${percentPoints(weight)})`).join(', ');
  const deciding = decidingWords(item.example.text, words, namedWords);
  const [pro, contra] = [list(deciding.pro), list(deciding.contra)];
  return [
    h('p', {}, pro === '' && contra === '' ? say('noWordDecided') : say('wordsFor', valueText(task, item.guess.value), pro === '' ? '–' : pro)),
    contra !== '' && h('p', {}, say('wordsAgainst', contra)),
    h('p', { class: 'faint' }, say('wordsNote')),
  ];
}

function percentPoints(weight: number): string {
  return say('percent', number(Math.abs(weight) * 100, 1));
}
