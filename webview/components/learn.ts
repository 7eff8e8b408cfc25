import type { EpochReport } from '../../src/core/protocol/trainer';
import type { ModelVersion, Score } from '../../src/core/labels/view';
import type { TaskKind } from '../../src/core/model/onnxWriter';
import type { PanelLearning } from '../../src/core/protocol/panel';
import type { App, Component } from '../app';
import { fill, h, setAttribute, setShare, setText, show, type Child } from '../dom';
import { number, percent, say, when } from '../strings';
import { chart, chartTable, type Chart } from './charts';

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
  const curvesOf = (kind: TaskKind): Chart => chart({
    x: say('epoch'),
    series: [
      { name: say(kind === 'number' ? 'validExplained' : 'validAccuracy'), color: ['--vscode-charts-blue', '#3794ff'], look: 'line' },
      { name: say('trainLoss'), color: ['--vscode-charts-orange', '#d18616'], look: 'line', scale: 'loss' },
      { name: say('validLoss'), color: ['--vscode-charts-purple', '#b180d7'], look: 'dashed', scale: 'loss' },
    ],
  });
  const plot = h('div');
  let curves: { readonly kind: TaskKind; readonly chart: Chart } | undefined;
  const table = h('div');
  const figure = h('figure', { hidden: true }, h('figcaption', {}, say('curvesTitle')), plot, table);
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
    fill(versions, ...(known ? versionTable(known, kindOf(app), (version) => void restore(version)) : []));
  }

  async function restore(version: string): Promise<void> {
    await app.labeler.attempt(() => app.host.client.call('restore', { version }));
    await loadVersions();
    app.labeler.announce(say('restored', version));
  }

  function showRun({ fineTune: run }: PanelLearning, kind: TaskKind): void {
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
    fill(outcome, ...(run ? outcomeOf(run, kind) : []));
    const epochs = run?.epochs ?? [];
    show(figure, epochs.length > 0);
    if (epochs.length > 0) drawEpochs(epochs, kind);
  }

  function drawEpochs(epochs: readonly EpochReport[], kind: TaskKind): void {
    const last = epochs[epochs.length - 1];
    if (curves?.kind !== kind) {
      curves = { kind, chart: curvesOf(kind) };
      fill(plot, curves.chart.element);
    }
    curves.chart.setData(
      [epochs.map((_, index) => index + 1), epochs.map(({ validAccuracy }) => validAccuracy), epochs.map(({ trainLoss }) => trainLoss), epochs.map(({ validLoss }) => validLoss)],
      last ? say(kind === 'number' ? 'curvesAltNumber' : 'curvesAlt', epochs.length, quality(kind, last.validAccuracy), number(last.trainLoss, 3), number(last.validLoss, 3)) : '',
    );
    fill(
      table,
      chartTable(
        say('asTable'),
        [say('epoch'), say(kind === 'number' ? 'validExplained' : 'validAccuracy'), say('trainLoss'), say('validLoss')],
        epochs.map((each, index) => [number(index + 1), quality(kind, each.validAccuracy), number(each.trainLoss, 3), number(each.validLoss, 3)]),
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
        fill(head, ...headFacts(learning, task.definition.kind).map((each) => h('li', {}, each)));
        show(cached, learning.cached < 1);
        setShare(cached, learning.cached);
        setAttribute(cached, 'aria-valuenow', Math.round(learning.cached * 100));
        setText(until, learning.untilFineTune === undefined ? say('fineTuneOff') : say('fineTuneIn', learning.untilFineTune));
        showRun(learning, task.definition.kind);
      }
      const ended = learning.fineTune?.status !== before.task?.learning.fineTune?.status && learning.fineTune?.status !== 'running';
      if (state.tab === 'learn' && (known === undefined || state.tab !== before.tab || ended)) {
        known = known ?? [];
        void loadVersions();
      }
    },
  };
}

function kindOf(app: App): TaskKind {
  return app.store.state.task?.definition.kind ?? 'single';
}

/** An accuracy in per cent; of numbers R². */
function quality(kind: TaskKind, value: number): string {
  return kind === 'number' ? number(value, 2) : percent(value);
}

function headFacts({ cached, decisions, trusted, check }: PanelLearning, kind: TaskKind): string[] {
  return [
    say('headDecisions', decisions),
    say(trusted ? 'headTrusted' : 'headNotTrusted'),
    ...(check ? [say(kind === 'number' ? 'checkExplained' : 'checkAccuracy', quality(kind, check.accuracy), quality(kind, check.low), quality(kind, check.high), check.rows)] : [say('checkMissing')]),
    ...(cached < 1 ? [say('cachingShare', percent(cached))] : []),
  ];
}

function outcomeOf(run: NonNullable<PanelLearning['fineTune']>, kind: TaskKind): Child[] {
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
    run.before && run.after && h('dl', { class: 'before-after' }, scoreRow(say('before'), run.before, kind), scoreRow(say('after'), run.after, kind)),
    run.before && run.after && h('p', { class: 'faint' }, say('sameRows', run.after.rows)),
  ];
}

/** A score as a dot on its interval, and in figures. */
function scoreRow(name: string, score: Score, kind: TaskKind): HTMLElement {
  const interval = h('span', { class: 'interval', 'aria-hidden': 'true' }, h('span', { class: 'whisker' }), h('span', { class: 'dot' }));
  // R² has no lower bound, the picture has
  const place = (value: number): string => String(Math.max(0, value));
  interval.style.setProperty('--low', place(score.low));
  interval.style.setProperty('--high', place(score.high));
  interval.style.setProperty('--at', place(score.accuracy));
  const text = say('accuracyInterval', quality(kind, score.accuracy), quality(kind, score.low), quality(kind, score.high));
  return h('div', {}, h('dt', {}, name), h('dd', {}, interval, h('span', {}, kind === 'number' ? `R² ${text}` : text)));
}

function versionTable(versions: readonly ModelVersion[], kind: TaskKind, restore: (version: string) => void): Child[] {
  if (versions.length === 0) return [h('p', { class: 'faint' }, say('noVersions'))];
  return [
    h(
      'table',
      { class: 'versions' },
      h('thead', {}, h('tr', {}, ...[...(['version', 'created', 'decisionsLearned'] as const).map((key) => say(key)), kind === 'number' ? 'R²' : say('accuracy')].map((name) => h('th', { scope: 'col' }, name)), h('th', { scope: 'col' }, h('span', { class: 'visually-hidden' }, say('restore'))))),
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
            h('td', {}, accuracy === undefined ? '–' : quality(kind, accuracy)),
            h('td', {}, current ? h('span', { class: 'badge' }, say('current')) : h('button', { type: 'button', class: 'secondary', 'aria-label': say('restoreVersion', version), onclick: () => restore(version) }, say('restore'))),
          ),
        ),
      ),
    ),
  ];
}
