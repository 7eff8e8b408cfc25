import type { App, Component } from '../app';
import { fill, h, setShare, setText, show } from '../dom';
import { percent, say } from '../strings';
import { run } from './topBar';

/** No task yet: what this is for and how to begin. */
export function welcomeView(app: App): Component {
  const element = h(
    'main',
    { class: 'welcome', hidden: true },
    h('h1', {}, say('welcomeTitle')),
    h('p', {}, say('welcomeText')),
    h(
      'div',
      { class: 'buttons' },
      h('button', { type: 'button', class: 'primary', onclick: () => void run(app, 'createTask') }, say('createTask')),
      h('button', { type: 'button', class: 'secondary', onclick: () => void run(app, 'openTask') }, say('openTask')),
    ),
  );
  return {
    element,
    update({ task }) {
      show(element, task === null);
    },
  };
}

/** In the item's place while there is none: texts are still being read, or nothing is left. */
export function nothingView(app: App): Component {
  const title = h('h2');
  const text = h('p');
  const bar = h('div', { class: 'progress-bar', role: 'progressbar', 'aria-label': say('reading'), 'aria-valuemin': 0, 'aria-valuemax': 100 });
  const buttons = h('div', { class: 'buttons' });
  const element = h('div', { class: 'nothing', tabindex: -1 }, title, text, bar, buttons);
  return {
    element,
    update({ task, item, exhausted }, before) {
      show(element, task !== null && item === undefined);
      if (!task || item) return;
      const reading = task.reading !== undefined;
      show(bar, reading);
      if (task.reading !== undefined) {
        setShare(bar, task.reading);
        bar.setAttribute('aria-valuenow', String(Math.round(task.reading * 100)));
      }
      const { counts } = task;
      if (reading) {
        setText(title, say('reading'));
        setText(text, say('readingText', percent(task.reading)));
      } else if (exhausted && counts.examples === 0) {
        setText(title, say('noTexts'));
        setText(text, say('noTextsText'));
      } else if (exhausted) {
        setText(title, say('allDone'));
        setText(text, say('allDoneText', counts.labeled, counts.skipped, counts.flagged));
      } else {
        setText(title, '');
        setText(text, say('oneMoment'));
      }
      if (exhausted === before.exhausted && task === before.task) return;
      const finished = exhausted && !reading && counts.examples > 0;
      fill(
        buttons,
        finished && counts.skipped > 0 && h('button', { type: 'button', class: 'secondary', onclick: () => app.showExamples({ status: ['skipped'] }) }, say('showSkipped')),
        finished && counts.flagged > 0 && h('button', { type: 'button', class: 'secondary', onclick: () => app.showExamples({ status: ['flagged'] }) }, say('showFlagged')),
        finished && h('button', { type: 'button', class: 'primary', onclick: () => void run(app, 'exportLabeledCsv') }, say('exportLabeledCsv')),
      );
    },
  };
}
