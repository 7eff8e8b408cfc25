import type { EpochReport } from '../../src/core/protocol/trainer';
import type { ModelVersion, Score } from '../../src/core/labels/view';
import type { PanelLearning } from '../../src/core/protocol/panel';
import type { App, Component } from '../app';
import { fill, h, setAttribute, setShare, setText, show, type Child } from '../dom';
import { number, percent, say, when } from '../strings';
import { chart, chartTable } from './charts';

/** How the model learns: the head after each decision, the fine-tuning with its curves, before and after, and the versions. */
export function learnView(app: App): Component {
  const head = h('ul', { class: 'facts' });
  const cached = h('div', { class: 'progress-bar', role: 'progressbar', 'aria-label': say('caching'), 'aria-valuemin': 0, 'aria-valuemax': 100 });
  const begin = h('button', { type: 'button', class: 'primary', onclick: () => void fineTune() }, say('fineTuneNow'));
  const cancel = h('button', { type: 'button', class: 'secondary', onclick: () => void app.labeler.attempt(() => app.host.client.call('cancelFineTune', {})) }, say('cancel'));
  const until = h('span', { class: 'faint' });
  const bar = h('div', { class: 'progress-bar', role: 'progressbar', 'aria-label': say('fineTuning'), 'aria-valuemin': 0, 'aria-valuemax': 100 });
  const progress = h('p', { class: 'faint' });
  const outcome = h('div', { class: 'outcome', role: 'status' });
  const curves = chart({
    x: say('epoch'),
    series: [
      { name: say('validAccuracy'), color: ['--vscode-charts-blue', '#3794ff'], look: 'line' },
      { name: say('trainLoss'), color: ['--vscode-charts-orange', '#d18616'], look: 'line', scale: 'loss' },
      { name: say('validLoss'), color: ['--vscode-charts-purple', '#b180d7'], look: 'dashed', scale: 'loss' },
    ],
  });
  const table = h('div');
  const figure = h('figure', { hidden: true }, h('figcaption', {}, say('curvesTitle')), curves.element, table);
  const versions = h('div', { class: 'table-scroll' });
  let known: readonly ModelVersion[] | undefined;

  async function fineTune(): Promise<void> {
    begin.disabled = true;
    const learning = await app.labeler.attempt(() => app.host.client.call('fineTune', {}));
    begin.disabled = false;
    const { task } = app.store.state;
    if (learning && task) app.store.update({ task: { ...task, learning } });
    await loadVersions();
  }

  async function loadVersions(): Promise<void> {
    const answer = await app.labeler.attempt(() => app.host.client.call('versions', {}));
    known = answer?.versions;
    fill(versions, ...(known ? versionTable(known, (version) => void restore(version)) : []));
  }

  async function restore(version: string): Promise<void> {
    await app.labeler.attempt(() => app.host.client.call('restore', { version }));
    await loadVersions();
    app.labeler.announce(say('restored', version));
  }

  function showRun({ fineTune: run }: PanelLearning): void {
    const running = run?.status === 'running';
    show(begin, !running);
    show(cancel, running);
    show(until, !running);
    show(bar, running);
    show(progress, running);
    const now = run?.progress;
    const done = now ? (now.epoch - 1 + now.batch / Math.max(1, now.batches)) / Math.max(1, now.epochs) : 0;
    setShare(bar, done);
    setAttribute(bar, 'aria-valuenow', Math.round(done * 100));
    setText(progress, now ? say('trainProgress', now.epoch, now.epochs, number(now.loss, 3), Math.round(now.examplesPerSecond), Math.max(0, Math.round(now.secondsLeft))) : say('oneMoment'));
    fill(outcome, ...(run ? outcomeOf(run) : []));
    const epochs = run?.epochs ?? [];
    show(figure, epochs.length > 0);
    if (epochs.length > 0) drawEpochs(epochs);
  }

  function drawEpochs(epochs: readonly EpochReport[]): void {
    const last = epochs[epochs.length - 1];
    curves.setData(
      [epochs.map((_, index) => index + 1), epochs.map(({ validAccuracy }) => validAccuracy), epochs.map(({ trainLoss }) => trainLoss), epochs.map(({ validLoss }) => validLoss)],
      last ? say('curvesAlt', epochs.length, percent(last.validAccuracy), number(last.trainLoss, 3), number(last.validLoss, 3)) : '',
    );
    fill(
      table,
      chartTable(
        say('asTable'),
        [say('epoch'), say('validAccuracy'), say('trainLoss'), say('validLoss')],
        epochs.map((each, index) => [number(index + 1), percent(each.validAccuracy), number(each.trainLoss, 3), number(each.validLoss, 3)]),
      ),
    );
  }

  return {
    element: h(
      'div',
      { class: 'learn stack' },
      h('section', {}, h('h2', {}, say('headTitle')), head, cached),
      h('section', {}, h('h2', {}, say('fineTuneTitle')), h('p', {}, say('fineTuneText')), h('div', { class: 'buttons' }, begin, cancel, until), bar, progress, outcome, figure),
      h('section', {}, h('h2', {}, say('versionsTitle')), versions),
    ),
    update(state, before) {
      const { task } = state;
      if (!task) return;
      const learning = task.learning;
      if (learning !== before.task?.learning || task.definition !== before.task.definition) {
        fill(head, ...headFacts(learning).map((each) => h('li', {}, each)));
        show(cached, learning.cached < 1);
        setShare(cached, learning.cached);
        setAttribute(cached, 'aria-valuenow', Math.round(learning.cached * 100));
        setText(until, learning.untilFineTune === undefined ? say('fineTuneOff') : say('fineTuneIn', learning.untilFineTune));
        showRun(learning);
      }
      const ended = learning.fineTune?.status !== before.task?.learning.fineTune?.status && learning.fineTune?.status !== 'running';
      if (state.tab === 'learn' && (known === undefined || state.tab !== before.tab || ended)) {
        known = known ?? [];
        void loadVersions();
      }
    },
  };
}

function headFacts({ cached, decisions, trusted, check }: PanelLearning): string[] {
  return [
    say('headDecisions', decisions),
    say(trusted ? 'headTrusted' : 'headNotTrusted'),
    ...(check ? [say('checkAccuracy', percent(check.accuracy), percent(check.low), percent(check.high), check.rows)] : [say('checkMissing')]),
    ...(cached < 1 ? [say('cachingShare', percent(cached))] : []),
  ];
}

function outcomeOf(run: NonNullable<PanelLearning['fineTune']>): Child[] {
  const verdict = (): string => {
    switch (run.status) {
      case 'running':
        return '';
      case 'kept':
        return say('fineTuneKept', run.version ?? '');
      case 'discarded':
        return say('fineTuneDiscarded');
      case 'failed':
        return say('fineTuneFailed', run.error ?? '');
      case 'cancelled':
        return say('fineTuneCancelled');
    }
  };
  const text = verdict();
  return [
    text !== '' && h('p', { class: `verdict ${run.status}` }, text),
    run.before && run.after && h('dl', { class: 'before-after' }, scoreRow(say('before'), run.before), scoreRow(say('after'), run.after)),
    run.before && run.after && h('p', { class: 'faint' }, say('sameRows', run.after.rows)),
  ];
}

/** A score as a dot on its interval, and in figures. */
function scoreRow(name: string, score: Score): HTMLElement {
  const interval = h('span', { class: 'interval', 'aria-hidden': 'true' }, h('span', { class: 'whisker' }), h('span', { class: 'dot' }));
  interval.style.setProperty('--low', String(score.low));
  interval.style.setProperty('--high', String(score.high));
  interval.style.setProperty('--at', String(score.accuracy));
  return h('div', {}, h('dt', {}, name), h('dd', {}, interval, h('span', {}, say('accuracyInterval', percent(score.accuracy), percent(score.low), percent(score.high)))));
}

function versionTable(versions: readonly ModelVersion[], restore: (version: string) => void): Child[] {
  if (versions.length === 0) return [h('p', { class: 'faint' }, say('noVersions'))];
  return [
    h(
      'table',
      { class: 'versions' },
      h('thead', {}, h('tr', {}, ...(['version', 'created', 'decisionsLearned', 'accuracy'] as const).map((key) => h('th', { scope: 'col' }, say(key))), h('th', { scope: 'col' }, h('span', { class: 'visually-hidden' }, say('restore'))))),
      h(
        'tbody',
        {},
        ...versions.map(({ version, current, best, created, rows, accuracy }) =>
          h(
            'tr',
            {},
            h('th', { scope: 'row' }, version, best && h('span', { class: 'badge' }, `★ ${say('best')}`)),
            h('td', {}, created === undefined ? '–' : when(created)),
            h('td', {}, rows === undefined ? '–' : number(rows)),
            h('td', {}, accuracy === undefined ? '–' : percent(accuracy)),
            h('td', {}, current ? h('span', { class: 'badge' }, say('current')) : h('button', { type: 'button', class: 'secondary', 'aria-label': say('restoreVersion', version), onclick: () => restore(version) }, say('restore'))),
          ),
        ),
      ),
    ),
  ];
}
