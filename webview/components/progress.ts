import type { Label } from '../../src/core/labels/task';
import type { LearningState } from '../../src/core/labels/view';
import type { PanelTask } from '../../src/core/protocol/panel';
import type { PanelStringKey } from '../../src/core/protocol/panelStrings';
import type { Component } from '../app';
import { fill, h, setAttribute, setShare, setText, show, type Child } from '../dom';
import type { State } from '../store';
import { number, say } from '../strings';
import { colorClass, labelMark, sameValue, statusText, valueMarks, valueText } from './marks';

/** With more labels than these only the most frequent are counted here; the list under Labels counts all. */
const manyCounts = 12;

const hints: Readonly<Record<NonNullable<LearningState['stopHint']>, PanelStringKey>> = { plateau: 'stopPlateau', confident: 'stopConfident', done: 'stopDone' };

/** How far one is: the bar, the counts, the pace, and that the last decision is on disk. */
export function progressView(): Component {
  const bar = h('div', { class: 'progress-bar', role: 'progressbar', 'aria-label': say('labeledShare'), 'aria-valuemin': 0 });
  const figures = h('p', { class: 'figures' });
  const saved = h('p', { class: 'saved' });
  const counts = h('ul', { class: 'counts', 'aria-label': say('labelCounts') });
  const hint = h('p', { class: 'stop-hint', hidden: true });

  return {
    element: h('footer', { class: 'progress' }, bar, h('div', { class: 'progress-line' }, figures, saved), counts, hint),
    update(state, before) {
      const { task } = state;
      if (!task) return;
      if (state.saved !== before.saved || state.saving !== before.saving || state.failure !== before.failure) fill(saved, ...savedLine(state));
      if (task === before.task) return;
      const { counts: now, learning } = task;
      setShare(bar, now.examples > 0 ? now.labeled / now.examples : 0);
      setAttribute(bar, 'aria-valuemax', now.examples);
      setAttribute(bar, 'aria-valuenow', now.labeled);
      setText(figures, figuresText(state));
      fill(counts, ...counted(task).map(([label, count]) => h('li', { class: colorClass(label) }, labelMark(label), h('span', { class: 'count' }, number(count)))));
      show(counts, counts.childElementCount > 0);
      show(hint, learning.stopHint !== undefined);
      setText(hint, learning.stopHint ? say(hints[learning.stopHint]) : '');
    },
  };
}

/** Labels with their counts; of many, those decided most. */
function counted({ labels, counts }: PanelTask): (readonly [Label, number])[] {
  const all = labels.map((label) => [label, counts.byLabel[label.id] ?? 0] as const);
  if (all.length <= manyCounts) return all;
  return all
    .filter(([, count]) => count > 0)
    .sort(([, one], [, other]) => other - one)
    .slice(0, manyCounts);
}

function figuresText({ task }: State): string {
  if (!task) return '';
  const { labeled, examples, skipped, flagged, pace } = task.counts;
  return [say('progress', labeled, examples), ...(skipped > 0 ? [say('skippedCount', skipped)] : []), ...(flagged > 0 ? [say('flaggedCount', flagged)] : []), ...(pace > 0 ? [say('pace', number(pace, 1))] : [])].join(' · ');
}

function savedLine({ saved, saving, failure, task }: State): Child[] {
  if (failure) return [h('span', { class: 'conflict' }, `✗ ${say('notSaved')}`)];
  if (!saved || !task) return saving ? [h('span', { class: 'faint' }, say('saving'))] : [];
  if (saved.count > 1) return [h('span', { class: 'tick' }, '✓'), say('savedMany', saved.count)];
  const { value, guess } = saved;
  const what = value === undefined ? [statusText(saved.status)] : valueMarks(task, value);
  const differs = value !== undefined && guess !== undefined && !sameValue(value, guess.value);
  return [h('span', { class: 'tick' }, '✓'), `${say('saved')} `, ...what, differs && h('span', { class: 'faint' }, say('guessWas', valueText(task, guess.value)))];
}
