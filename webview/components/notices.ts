import type { App, Component } from '../app';
import { fill, h, offerFocus, setText, show } from '../dom';
import { say } from '../strings';

/** UTF-16 units of a text that are read out when it comes on the screen; the rest is read on request, from the text itself. */
const spokenCharacters = 600;

/** What the person has to know at once: a decision that is not saved, and other problems, in sight until closed. And the line that screen readers read out. */
export function notices(app: App): Component {
  const failureText = h('p');
  const waiting = h('p');
  const retry = h('button', { type: 'button', class: 'primary', onclick: () => resume(() => app.labeler.retry()) }, say('tryAgain'));
  const giveUp = h('button', { type: 'button', class: 'secondary', onclick: () => resume(() => app.labeler.giveUp()) }, say('giveUp'));
  const failure = h('div', { class: 'notice error', role: 'alert', hidden: true }, h('strong', {}, say('notSaved')), failureText, waiting, h('div', { class: 'buttons' }, retry, giveUp));
  const problems = h('div', { class: 'problems', role: 'alert' });
  const live = h('div', { class: 'visually-hidden', role: 'status', 'aria-live': 'polite' });

  function resume(then: () => void): void {
    then();
    app.focusItem();
  }

  return {
    element: h('div', { class: 'notices' }, failure, problems, live),
    update(state, before) {
      if (state.failure !== before.failure) {
        show(failure, state.failure !== undefined);
        setText(failureText, state.failure?.message ?? '');
        setText(waiting, state.failure && state.failure.waiting > 0 ? say('pressesWait', state.failure.waiting) : '');
        if (state.failure && !before.failure) offerFocus(retry);
      }
      if (state.problems !== before.problems) fill(problems, ...state.problems.map((message) => problem(app, message)));
      const moved = state.item?.example.id !== before.item?.example.id;
      // the focus stays where it is when the next text comes, so it is read out from here
      if (moved) setText(live, `${state.announcement} ${state.item?.example.text.slice(0, spokenCharacters) ?? ''}`.trim());
      else if (state.announcement !== before.announcement) setText(live, state.announcement);
    },
  };
}

function problem(app: App, message: string): HTMLElement {
  const close = (): void => {
    app.store.update({ problems: app.store.state.problems.filter((each) => each !== message) });
    app.focusItem();
  };
  return h('div', { class: 'notice warning' }, h('p', {}, message), h('button', { type: 'button', class: 'icon', 'aria-label': say('close'), title: say('close'), onclick: close }, '×'));
}
