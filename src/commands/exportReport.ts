import * as vscode from 'vscode';
import type { Insight } from '../core/labels/view';
import { escapeMarkdown } from '../app/format';
import type { LabelingTask } from '../app/labeling/labeling';
import { activeTask, counted, percentage } from './labelingTask';
import type { Workbench } from './workbench';

/** Opens what is known about the task and its model as a Markdown document, to be saved or copied. */
export async function exportReport(workbench: Workbench): Promise<vscode.TextDocument> {
  const task = activeTask(workbench);
  const insight = await vscode.window.withProgress({ location: vscode.ProgressLocation.Window, title: vscode.l10n.t('Judging the model of {0}', task.definition.name) }, async () => {
    await task.ready;
    return await task.insight();
  });
  const document = await vscode.workspace.openTextDocument({ language: 'markdown', content: reportOf(task, insight) });
  await vscode.window.showTextDocument(document);
  return document;
}

type Cell = string | number;

function reportOf(task: LabelingTask, insight: Insight): string {
  const { definition, counts } = task;
  const nameOf = (id: string): string => definition.labels.find((label) => label.id === id)?.name ?? id;
  const sections: string[][] = [[`# ${escapeMarkdown(vscode.l10n.t('Task {0}', definition.name))}`, ...progress(task)]];
  if (insight.accuracy || insight.regression) sections.push([`## ${vscode.l10n.t('How good the model is')}`, ...quality(insight)]);
  if (insight.perLabel.length > 0) {
    const rows = insight.perLabel.map(({ label, precision, recall, f1, support }) => [nameOf(label), percentage(precision), percentage(recall), percentage(f1), support]);
    sections.push([`## ${vscode.l10n.t('By label')}`, table([vscode.l10n.t('label'), vscode.l10n.t('precision, %'), vscode.l10n.t('recall, %'), vscode.l10n.t('F1, %'), vscode.l10n.t('rows')], rows)]);
    const names = insight.perLabel.map(({ label }) => nameOf(label));
    sections.push([`## ${vscode.l10n.t('Confusion: decided (down) and guessed (across)')}`, table(['', ...names], insight.confusion.map((counted, row) => [names[row] ?? '', ...counted]))]);
  }
  if (insight.balance.length > 0)
    sections.push([`## ${vscode.l10n.t('Balance')}`, table([vscode.l10n.t('label'), vscode.l10n.t('decided'), vscode.l10n.t('guessed')], insight.balance.map(({ label, decided, guessed }) => [nameOf(label), decided, guessed]))]);
  if (insight.curve.length > 0) {
    const rows = insight.curve.map(({ decisions, accuracy, low, high }) => [decisions, percentage(accuracy), `${percentage(low)} – ${percentage(high)}`]);
    sections.push([`## ${vscode.l10n.t('Learning curve')}`, table([vscode.l10n.t('decisions'), vscode.l10n.t('right, %'), vscode.l10n.t('95 % interval')], rows), ...outlook(insight)]);
  }
  if (insight.calibration.some(({ rows }) => rows > 0)) {
    const rows = insight.calibration.filter(({ rows }) => rows > 0).map(({ confidence, accuracy, rows }) => [percentage(confidence), percentage(accuracy), rows]);
    sections.push([`## ${vscode.l10n.t('Calibration')}`, table([vscode.l10n.t('said, %'), vscode.l10n.t('right, %'), vscode.l10n.t('rows')], rows)]);
  }
  sections.push([vscode.l10n.t('{0} texts of {1} were labeled when this was written, on {2}.', counted(counts.labeled), counted(counts.examples), new Date().toISOString().slice(0, 10))]);
  return `${sections.map((lines) => lines.join('\n\n')).join('\n\n')}\n`;
}

function progress({ counts }: LabelingTask): string[] {
  const rows: Cell[][] = [
    [vscode.l10n.t('different texts'), counted(counts.examples)],
    [vscode.l10n.t('rows'), counted(counts.rows)],
    [vscode.l10n.t('labeled'), counted(counts.labeled)],
    [vscode.l10n.t('skipped'), counted(counts.skipped)],
    [vscode.l10n.t('flagged'), counted(counts.flagged)],
    [vscode.l10n.t('open'), counted(counts.open)],
  ];
  return [table(['', ''], rows)];
}

function quality({ accuracy, macroF1, evaluated, regression, annotators, agreement }: Insight): string[] {
  const lines: string[] = [];
  if (accuracy)
    lines.push(vscode.l10n.t('{0} % of {1} decided texts guessed right by a model that had not seen them (95 % interval: {2} to {3} %).', percentage(accuracy.accuracy), counted(evaluated), percentage(accuracy.low), percentage(accuracy.high)));
  if (macroF1 !== undefined) lines.push(vscode.l10n.t('Macro F1: {0} %.', percentage(macroF1)));
  if (regression) {
    const [mae, rmse, r2, pearson] = [regression.mae, regression.rmse, regression.r2, regression.pearson].map((value) => value.toLocaleString(vscode.env.language, { maximumFractionDigits: 3 })) as [string, string, string, string];
    lines.push(vscode.l10n.t('Mean absolute error {0}, root mean square error {1}, R² {2}, correlation {3}, on {4} texts.', mae, rmse, r2, pearson, counted(evaluated)));
  }
  if (agreement) {
    const value = agreement.value.toLocaleString(vscode.env.language, { maximumFractionDigits: 2 });
    const said = agreement.measure === 'kappa' ? vscode.l10n.t('Agreement of annotators (Cohen’s kappa): {0} on {1} texts.', value, counted(agreement.examples)) : vscode.l10n.t('Agreement of annotators (Krippendorff’s alpha): {0} on {1} texts.', value, counted(agreement.examples));
    lines.push(said);
  }
  if (annotators.length > 0) lines.push(vscode.l10n.t('Annotators: {0}.', escapeMarkdown(annotators.join(', '))));
  return lines;
}

function outlook({ outlook }: Insight): string[] {
  if (!outlook) return [];
  return [vscode.l10n.t('Another {0} decisions may bring {1} % ({2} to {3} %).', outlook.decisions, percentage(outlook.accuracy), percentage(outlook.low), percentage(outlook.high))];
}

function table(header: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const line = (cells: readonly Cell[]): string => `| ${cells.map((cell) => (typeof cell === 'number' ? counted(cell) : escapeMarkdown(cell))).join(' | ')} |`;
  return [line(header), `|${header.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n');
}
