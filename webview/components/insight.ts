import type { Insight } from '../../src/core/labels/view';
import type { PanelTask } from '../../src/core/protocol/panel';
import type { App, Component } from '../app';
import { fill, h, setShare, type Child } from '../dom';
import { measure, number, percent, say } from '../strings';
import { chart, chartTable, type Chart } from './charts';
import { labelMark, labelName, labelOf } from './marks';
import { run } from './topBar';

/** Labels up to which the matrix of confusions is drawn as a whole. */
const matrixLabels = 25;

/** Less more accuracy than this is hardly any. */
const leastGain = 0.005;

/** How good the model is and what more decisions may bring; every figure that can be looked into leads to its examples. */
export function insightView(app: App): Component {
  const content = h('div', { class: 'stack' });
  const refresh = h('button', { type: 'button', class: 'secondary', onclick: () => void load() }, say('refresh'));
  const report = h('button', { type: 'button', class: 'secondary', onclick: () => void run(app, 'exportReport') }, say('exportReport'));
  const learning = chart({
    x: say('decisions'),
    series: [
      { name: say('accuracy'), color: ['--vscode-charts-blue', '#3794ff'], look: 'line' },
      { name: say('intervalHigh'), color: ['--vscode-charts-blue', '#3794ff'], look: 'area' },
      { name: say('intervalLow'), color: ['--vscode-charts-blue', '#3794ff'], look: 'area' },
      { name: say('outlook'), color: ['--vscode-charts-green', '#89d185'], look: 'dashed' },
    ],
    band: [2, 3],
  });
  const calibration = chart({
    x: say('confidence'),
    xShare: true,
    series: [
      { name: say('accuracy'), color: ['--vscode-charts-blue', '#3794ff'], look: 'points' },
      { name: say('perfect'), color: ['--vscode-descriptionForeground', '#888'], look: 'dashed' },
    ],
  });
  let shownFor: string | undefined;
  let loading = false;

  async function load(): Promise<void> {
    if (loading) return;
    loading = true;
    refresh.disabled = true;
    if (content.childElementCount === 0) fill(content, h('p', { class: 'faint' }, say('oneMoment')));
    const insight = await app.labeler.attempt(() => app.host.client.call('insight', {}));
    loading = false;
    refresh.disabled = false;
    const { task } = app.store.state;
    if (insight && task) fill(content, ...sections(app, task, insight, learning, calibration));
    else fill(content);
  }

  return {
    element: h('div', { class: 'insight stack' }, h('div', { class: 'buttons' }, refresh, report), content),
    update({ task, tab }, before) {
      if (!task || tab !== 'insight') return;
      if (tab === before.tab && task.definition === before.task?.definition && shownFor !== undefined) return;
      shownFor = task.definition.name;
      void load();
    },
  };
}

function sections(app: App, task: PanelTask, insight: Insight, learning: Chart, calibration: Chart): Child[] {
  const enough = insight.evaluated > 0;
  return [
    enough ? summary(insight) : h('section', {}, h('h2', {}, say('notEnoughTitle')), h('p', {}, say('notEnoughText'))),
    insight.curve.length > 1 && curveSection(insight, learning),
    insight.confusion.length > 0 && enough && confusionSection(app, task, insight),
    insight.perLabel.length > 0 && enough && perLabelSection(task, insight),
    insight.balance.length > 0 && balanceSection(app, task, insight),
    insight.calibration.some(({ rows }) => rows > 0) && calibrationSection(insight, calibration),
    agreementSection(insight),
  ];
}

function summary({ evaluated, accuracy, macroF1, regression }: Insight): HTMLElement {
  const facts = [
    ...(accuracy ? [say('accuracyFact', percent(accuracy.accuracy), percent(accuracy.low), percent(accuracy.high))] : []),
    ...(macroF1 === undefined ? [] : [say('macroF1Fact', percent(macroF1))]),
    ...(regression ? [say('regressionFact', measure(regression.mae), measure(regression.rmse), measure(regression.r2), measure(regression.pearson))] : []),
  ];
  return h('section', {}, h('h2', {}, say('qualityTitle')), h('ul', { class: 'facts' }, ...facts.map((each) => h('li', {}, each))), h('p', { class: 'faint' }, say('evaluatedNote', evaluated)));
}

function curveSection({ curve, outlook }: Insight, plot: Chart): HTMLElement {
  const last = curve[curve.length - 1];
  const x = curve.map(({ decisions }) => decisions);
  const ahead = outlook && last ? last.decisions + outlook.decisions : undefined;
  const all = ahead === undefined ? x : [...x, ahead];
  const pad = ahead === undefined ? [] : [null];
  plot.setData(
    [
      all,
      [...curve.map(({ accuracy }) => accuracy), ...pad],
      [...curve.map(({ high }) => high), ...(outlook ? [outlook.high] : pad)],
      [...curve.map(({ low }) => low), ...(outlook ? [outlook.low] : pad)],
      [...curve.map((each) => (each === last && outlook ? each.accuracy : null)), ...(outlook ? [outlook.accuracy] : pad)],
    ],
    last ? say('curveAlt', curve.length, last.decisions, percent(last.accuracy)) : '',
  );
  const sentence = outlook && last ? say(outlook.accuracy - last.accuracy >= leastGain ? 'outlookGain' : 'outlookFlat', outlook.decisions, percent(last.accuracy), percent(outlook.accuracy), percent(outlook.low), percent(outlook.high)) : say('outlookMissing');
  return h(
    'section',
    {},
    h('h2', {}, say('curveTitle')),
    h('p', { class: 'outlook' }, sentence),
    plot.element,
    chartTable(say('asTable'), [say('decisions'), say('accuracy'), say('interval')], curve.map((each) => [number(each.decisions), percent(each.accuracy), say('fromTo', percent(each.low), percent(each.high))])),
  );
}

function confusionSection(app: App, task: PanelTask, { perLabel, confusion }: Insight): HTMLElement {
  const labels = perLabel.map(({ label }) => label);
  const title = h('h2', {}, say('confusionTitle'));
  if (labels.length > matrixLabels) return h('section', {}, title, worstConfusions(app, task, labels, confusion));
  const most = confusion.map((row) => Math.max(1, row.reduce((sum, count) => sum + count, 0)));
  return h(
    'section',
    {},
    title,
    h('p', { class: 'faint' }, say('confusionHelp')),
    h(
      'div',
      { class: 'table-scroll', tabindex: 0, role: 'group', 'aria-label': say('confusionTitle') },
      h(
        'table',
        { class: 'confusion' },
        h('thead', {}, h('tr', {}, h('td', { class: 'corner' }, say('decidedVersusGuessed')), ...labels.map((id) => h('th', { scope: 'col' }, ...mark(task, id))))),
        h(
          'tbody',
          {},
          ...labels.map((truth, row) =>
            h('tr', {}, h('th', { scope: 'row' }, ...mark(task, truth)), ...labels.map((guess, column) => confusionCell(app, task, truth, guess, confusion[row]?.[column] ?? 0, most[row] ?? 1))),
          ),
        ),
      ),
    ),
  );
}

function confusionCell(app: App, task: PanelTask, truth: string, guess: string, count: number, most: number): HTMLElement {
  const cell = h('td', { class: truth === guess ? 'right' : 'wrong' });
  setShare(cell, count / most);
  const names = [labelName(task, truth), labelName(task, guess)] as const;
  fill(cell, count === 0 ? h('span', { class: 'faint' }, '·') : h('button', { type: 'button', 'aria-label': say('confusionCell', count, ...names), title: say('confusionCell', count, ...names), onclick: () => app.showExamples({ label: truth, guess }) }, number(count)));
  return cell;
}

/** With many labels: the pairs that are confused most. */
function worstConfusions(app: App, task: PanelTask, labels: readonly string[], confusion: Insight['confusion']): HTMLElement {
  const pairs = labels
    .flatMap((truth, row) => labels.map((guess, column) => ({ truth, guess, count: row === column ? 0 : (confusion[row]?.[column] ?? 0) })))
    .filter(({ count }) => count > 0)
    .sort((one, other) => other.count - one.count)
    .slice(0, matrixLabels);
  return h(
    'ul',
    { class: 'facts' },
    ...pairs.map(({ truth, guess, count }) => h('li', {}, h('button', { type: 'button', class: 'link', onclick: () => app.showExamples({ label: truth, guess }) }, say('confusionCell', count, labelName(task, truth), labelName(task, guess))))),
  );
}

function perLabelSection(task: PanelTask, { perLabel }: Insight): HTMLElement {
  return h(
    'section',
    {},
    h('h2', {}, say('perLabelTitle')),
    h(
      'div',
      { class: 'table-scroll', tabindex: 0, role: 'group', 'aria-label': say('perLabelTitle') },
      h(
        'table',
        {},
        h('thead', {}, h('tr', {}, ...(['label', 'precision', 'recall', 'f1', 'support'] as const).map((key) => h('th', { scope: 'col' }, say(key))))),
        h('tbody', {}, ...perLabel.map(({ label, precision, recall, f1, support }) => h('tr', {}, h('th', { scope: 'row' }, ...mark(task, label)), h('td', {}, percent(precision)), h('td', {}, percent(recall)), h('td', {}, percent(f1)), h('td', {}, number(support))))),
      ),
    ),
  );
}

function balanceSection(app: App, task: PanelTask, { balance }: Insight): HTMLElement {
  const most = Math.max(1, ...balance.map(({ decided }) => decided));
  return h(
    'section',
    {},
    h('h2', {}, say('balanceTitle')),
    h(
      'table',
      { class: 'balance' },
      h('thead', {}, h('tr', {}, h('th', { scope: 'col' }, say('label')), h('th', { scope: 'col' }, say('decided')), h('th', { scope: 'col' }, say('guessed')))),
      h(
        'tbody',
        {},
        ...balance.map(({ label, decided, guessed }) => {
          const bar = h('span', { class: `bar color-${(labelOf(task, label)?.color ?? 0) % 8}`, 'aria-hidden': 'true' });
          setShare(bar, decided / most);
          return h(
            'tr',
            {},
            h('th', { scope: 'row' }, ...mark(task, label)),
            h('td', {}, h('button', { type: 'button', class: 'link', 'aria-label': say('showDecided', labelName(task, label), decided), onclick: () => app.showExamples({ label }) }, number(decided)), bar),
            h('td', {}, h('button', { type: 'button', class: 'link', 'aria-label': say('showGuessed', labelName(task, label), guessed), onclick: () => app.showExamples({ guess: label }) }, number(guessed))),
          );
        }),
      ),
    ),
  );
}

function calibrationSection({ calibration }: Insight, plot: Chart): HTMLElement {
  const bins = calibration.filter(({ rows }) => rows > 0).sort((one, other) => one.confidence - other.confidence);
  plot.setData([[0, ...bins.map(({ confidence }) => confidence), 1], [null, ...bins.map(({ accuracy }) => accuracy), null], [0, ...bins.map(({ confidence }) => confidence), 1]], say('calibrationAlt', bins.length));
  return h(
    'section',
    {},
    h('h2', {}, say('calibrationTitle')),
    h('p', { class: 'faint' }, say('calibrationHelp')),
    plot.element,
    chartTable(say('asTable'), [say('confidence'), say('accuracy'), say('rows')], bins.map((each) => [percent(each.confidence), percent(each.accuracy), number(each.rows)])),
  );
}

function agreementSection({ annotators, agreement }: Insight): HTMLElement {
  const text = agreement ? say(agreement.measure === 'kappa' ? 'kappaFact' : 'alphaFact', measure(agreement.value), agreement.examples) : say('agreementMissing');
  return h('section', {}, h('h2', {}, say('agreementTitle')), h('p', {}, text), annotators.length > 0 && h('p', { class: 'faint' }, say('annotatorsAre', annotators.join(', '))));
}

function mark(task: PanelTask, id: string): Child[] {
  const label = labelOf(task, id);
  return [label ? labelMark(label) : id];
}
