import type { PanelTraining, TrainedPanelModel } from '../../../src/core/protocol/trainingPanel';
import { fill, h, offerFocus, setAttribute, setShare, setText, show } from '../../dom';
import { number } from '../../strings';
import { baseOf, changedHyperparameters, chosenPreset, chosenVectors, dataChoice, heldOutShare, thresholdMeaning, thresholdOf, type Missing } from '../choices';
import type { Desk } from '../desk';
import { isUnderWay, type TrainingPart, type TrainingState } from '../store';
import { hyperparameterName, precise, say } from '../strings';
import { sectionsView } from './sections';

/** Begins a training, shows how it goes and what came of it. */
export function trainView(desk: Desk): TrainingPart {
  const plan = h('dl', { class: 'plan' });
  const missing = h('div', { class: 'missing', role: 'alert' });
  const begin = h('button', { type: 'button', id: 'start-training', class: 'primary', onclick: () => void start() }, say('startTraining'));
  const cancel = h('button', { type: 'button', class: 'secondary', onclick: () => void desk.cancelTraining() }, say('cancel'));
  const bar = h('div', { class: 'progress-bar', role: 'progressbar', 'aria-label': say('trainingProgress'), 'aria-valuemin': 0, 'aria-valuemax': 100 });
  const now = h('p', { class: 'now' });
  const figures = h('dl', { class: 'figures' });
  const notes = h('ul', { class: 'facts' });
  const failure = h('p');
  const again = h('button', { type: 'button', class: 'primary', onclick: () => void desk.storeAgain(true) }, say('tryAgain'));
  const giveUp = h('button', { type: 'button', class: 'secondary', onclick: () => void desk.storeAgain(false) }, say('giveUp'));
  const notStored = h('div', { class: 'buttons' }, again, giveUp);
  const failed = h('div', { class: 'notice error', role: 'alert', hidden: true }, failure, notStored);
  const done = h('div', { class: 'done' });
  const report = sectionsView((file, row) => void desk.reveal(file, row));

  async function start(): Promise<void> {
    begin.disabled = true;
    showMissing(await desk.train());
    begin.disabled = false;
  }

  function showMissing(all: readonly Missing[]): void {
    fill(missing, ...(all.length === 0 ? [] : [h('p', {}, say('missingTitle')), h('ul', {}, ...all.map((each) => h('li', {}, h('button', { type: 'button', class: 'link', onclick: () => goTo(each) }, each.text))))]));
    if (all.length > 0) missing.querySelector('button')?.focus();
  }

  function goTo({ tab, field }: Missing): void {
    desk.openTab(tab);
    // the tab is drawn before the field can take the focus
    queueMicrotask(() => {
      const element = document.getElementById(field);
      element?.closest('details')?.setAttribute('open', '');
      element?.focus();
    });
  }

  function showTraining(training: PanelTraining): void {
    const { status, progress, fraction, error } = training;
    const runs = ['waiting', 'reading', 'running'].includes(status);
    setText(now, nowText(training));
    show(bar, runs);
    const share = status === 'running' ? fraction : 0;
    setShare(bar, share);
    setAttribute(bar, 'aria-valuenow', status === 'running' ? Math.round(share * 100) : undefined);
    setAttribute(bar, 'aria-valuetext', status === 'running' && progress ? say('epochOf', progress.epoch, progress.epochs) : nowText(training));
    show(figures, status === 'running' && progress !== undefined);
    if (progress) {
      fill(
        figures,
        ...figure(say('epoch'), say('of', progress.epoch, progress.epochs)),
        ...figure(say('batch'), say('of', progress.batch, progress.batches)),
        ...figure(say('loss'), number(progress.loss, 4)),
        ...figure(say('speed'), say('perSecond', Math.round(progress.examplesPerSecond))),
        ...figure(say('timeLeft'), timeLeft(progress.secondsLeft)),
      );
    }
    fill(notes, ...[...(training.continuedAfter === undefined ? [] : [say('continuedAfter', training.continuedAfter)]), ...training.notes].map((each) => h('li', {}, each)));
    show(notes, notes.childElementCount > 0);
    show(failed, error !== undefined);
    setText(failure, error ?? '');
    show(notStored, status === 'notStored');
    fill(done, ...(training.model ? [doneView(training.model, desk)] : []));
  }

  const live = h('section', { class: 'live', hidden: true }, h('h2', {}, say('trainingTitle')), now, bar, figures, failed, notes, done);
  const reportSection = h('section', { hidden: true }, h('h2', {}, say('report')), report.element);
  return {
    element: h('div', { class: 'stack page' }, h('section', {}, h('h2', {}, say('planTitle')), plan, missing, h('div', { class: 'buttons' }, begin, cancel)), live, reportSection),
    update(state, before) {
      const { training } = state;
      fill(plan, ...planOf(state));
      const underWay = isUnderWay(state);
      show(begin, !underWay);
      setText(begin, training?.status === 'stopped' && training.canContinue === true ? say('continueTraining') : say('startTraining'));
      show(cancel, underWay && training?.status !== 'notStored');
      if (state.form !== before.form && missing.childElementCount > 0) fill(missing);
      show(live, training !== null);
      if (training && training !== before.training) showTraining(training);
      // whoever has just begun or cancelled keeps the keyboard here
      if (document.activeElement === document.body && state.tab === 'train' && training?.status !== before.training?.status) offerFocus(underWay ? cancel : begin);
      if (state.report !== before.report) report.show(state.report);
      show(reportSection, state.report.length > 0);
    },
  };
}

function planOf(state: TrainingState): HTMLElement[] {
  const { form, table, heldOutTable } = state;
  const data = dataChoice(state);
  const base = baseOf(state);
  const changed = changedHyperparameters(state);
  const share = heldOutShare(form.heldOut);
  const heldOut = form.heldOutIsFile === true ? heldOutTable?.name : share === undefined ? undefined : say('percent', Math.round(share * 1000) / 10);
  const vectors = chosenVectors(state);
  const threshold = thresholdMeaning(state).applies ? thresholdOf(form.threshold ?? '') : undefined;
  return [
    ...entry(say('fileTitle'), table?.name ?? '–'),
    ...entry(say('columns'), data ? say('columnsPlan', data.textColumns.join(' + '), data.valueColumn === undefined ? data.labelColumn : `${data.labelColumn}, ${data.valueColumn}`) : '–'),
    ...entry(say('heldOutTitle'), heldOut ?? '–'),
    ...entry(say('modelTitle'), base ? say('basePlan', base.name) : chosenPreset(state).name),
    ...(vectors ? entry(say('vectors'), vectors.name) : []),
    ...(threshold === undefined ? [] : entry(say('threshold'), precise(threshold))),
    ...entry(say('hyperparameters'), changed.length === 0 ? say('allDefault') : changed.map(({ name }) => `${hyperparameterName(name)} ${form.typed[name] ?? ''}`).join(', ')),
  ];
}

function entry(name: string, value: string): HTMLElement[] {
  return [h('div', {}, h('dt', {}, name), h('dd', {}, value))];
}

function figure(name: string, value: string): HTMLElement[] {
  return [h('div', {}, h('dt', {}, name), h('dd', {}, value))];
}

function nowText({ status, task, file, waitsFor, rows, reading, canContinue }: PanelTraining): string {
  switch (status) {
    case 'waiting':
      return say('trainingWaits', waitsFor ?? '');
    case 'reading':
      return reading ? readingText(reading) : readingText({ file, ...(rows === undefined ? {} : { rows }) });
    case 'running':
      return say('trainingRuns', task);
    case 'notStored':
      return say('trainingNotStored');
    case 'done':
      return say('trainingDone', task);
    case 'stopped':
      return say(canContinue === true ? 'trainingStopped' : 'trainingStoppedEarly');
    case 'failed':
      return say('trainingFailed');
  }
}

function readingText({ file, rows, fraction }: NonNullable<PanelTraining['reading']>): string {
  if (rows !== undefined) return say('rowsRead', file, rows);
  return fraction === undefined ? say('readingFile', file) : say('shareRead', file, Math.floor(fraction * 100));
}

function timeLeft(seconds: number): string {
  return seconds < 100 ? say('secondsLeft', Math.max(0, Math.ceil(seconds))) : say('minutesLeft', Math.ceil(seconds / 60));
}

function doneView({ name, folder, summary, inUse, saved }: TrainedPanelModel, desk: Desk): HTMLElement {
  return h(
    'div',
    { class: 'trained' },
    h('p', { class: 'verdict kept' }, summary),
    h('p', { class: 'faint folder' }, say('modelIsIn', name, folder)),
    h(
      'div',
      { class: 'buttons' },
      inUse ? h('span', { class: 'badge' }, say('inUse')) : h('button', { type: 'button', class: 'primary', onclick: () => void desk.useModel() }, say('useModel')),
      h('button', { type: 'button', class: 'secondary', onclick: () => void desk.saveReport() }, say('saveReport')),
      ...saved.map((file) => h('button', { type: 'button', class: 'link', onclick: () => void desk.openReport(file.format) }, say('openFile', file.name))),
    ),
  );
}
