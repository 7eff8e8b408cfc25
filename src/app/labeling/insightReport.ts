import { fillTemplate } from '../../core/errors';
import type { DecisionValue } from '../../core/labels/decision';
import type { Label, TaskDefinition } from '../../core/labels/task';
import type { Insight, Score } from '../../core/labels/view';
import { reliabilityBins } from '../../core/metrics/calibration';
import { outlook, type CurvePoint } from '../../core/metrics/learningCurve';
import { classificationReport, regressionReport } from '../../core/metrics/report';
import { wilsonInterval } from '../../core/metrics/wilson';
import type { TaskKind } from '../../core/model/onnxWriter';

/** What an insight is made of. */
export interface InsightParts {
  readonly kind: TaskKind;
  /** The labels that are offered; scores follow their order. */
  readonly labels: readonly Label[];
  readonly annotators: readonly string[];
  readonly agreement?: Insight['agreement'];
  /** What was decided for each row of `scores`. */
  readonly truth: readonly DecisionValue[];
  /** Out-of-fold scores [rows, labels]; for `number` [rows]. */
  readonly scores: Float32Array;
  readonly curve: readonly CurvePoint[];
  /** Texts of the whole pool by label id: decided for it, and guessed to have it. */
  readonly decided: Readonly<Record<string, number>>;
  readonly guessed: Readonly<Record<string, number>>;
}

/** Decisions that the outlook looks ahead, at least, and as a share of those that there are. */
const ahead = { least: 50, share: 0.25 };

export function makeInsight(parts: InsightParts): Insight {
  const { annotators, agreement, labels, kind, truth } = parts;
  const last = parts.curve.at(-1)?.decisions ?? 0;
  const prospect = outlook(parts.curve, Math.max(ahead.least, Math.round((last * ahead.share) / ahead.least) * ahead.least));
  const shared = {
    annotators,
    ...(agreement ? { agreement } : {}),
    balance: labels.map(({ id }) => ({ label: id, decided: parts.decided[id] ?? 0, guessed: parts.guessed[id] ?? 0 })),
    curve: parts.curve.map(({ decisions, accuracy, error }) => ({ decisions, accuracy, low: clipped(accuracy - 1.96 * error), high: clipped(accuracy + 1.96 * error) })),
    ...(prospect ? { outlook: prospect } : {}),
  };
  const nothing = { evaluated: 0, perLabel: [], confusion: [], calibration: [] };
  if (truth.length === 0) return { ...shared, ...nothing };
  switch (kind) {
    case 'single':
      return { ...shared, ...singleReport(parts) };
    case 'multi':
      return { ...shared, ...multiReport(parts) };
    case 'number':
      return { ...shared, ...nothing, evaluated: truth.length, regression: regressionReport(truth.map(Number), parts.scores) };
  }
}

type Report = Pick<Insight, 'evaluated' | 'accuracy' | 'macroF1' | 'perLabel' | 'confusion' | 'calibration'>;

function singleReport({ labels, truth, scores }: InsightParts): Report {
  const ids = labels.map(({ id }) => id);
  const width = ids.length;
  const rows: { readonly truth: number; readonly guess: number; readonly confidence: number }[] = [];
  truth.forEach((value, row) => {
    const right = typeof value === 'string' ? ids.indexOf(value) : -1;
    const own = scores.subarray(row * width, (row + 1) * width);
    const guess = best(own);
    if (right >= 0 && guess >= 0) rows.push({ truth: right, guess, confidence: own[guess] ?? 0 });
  });
  if (rows.length === 0) return { evaluated: 0, perLabel: [], confusion: [], calibration: [] };
  const report = classificationReport(rows.map((row) => row.truth), rows.map(({ guess }) => guess), ids);
  return {
    evaluated: rows.length,
    accuracy: scoreOf(rows.filter((row) => row.truth === row.guess).length, rows.length),
    macroF1: report.macroF1,
    perLabel: ids.map((label) => ({ label, ...(report.perClass[label] ?? { precision: 0, recall: 0, f1: 0, support: 0 }) })),
    confusion: report.confusion.matrix,
    calibration: reliabilityBins(rows.map(({ confidence }) => confidence), rows.map((row) => (row.truth === row.guess ? 1 : 0))),
  };
}

/** A row counts as right when exactly its labels are guessed; each pair of row and label is a prediction of the calibration. */
function multiReport({ labels, truth, scores }: InsightParts): Report {
  const width = labels.length;
  const isTrue = (row: number, label: number): boolean => {
    const value = truth[row];
    return Array.isArray(value) && value.includes(labels[label]?.id);
  };
  const isGuessed = (row: number, label: number): boolean => (scores[row * width + label] ?? 0) >= 0.5;
  const rows = truth.map((_, row) => row).filter((row) => !Number.isNaN(scores[row * width] ?? NaN));
  if (rows.length === 0) return { evaluated: 0, perLabel: [], confusion: [], calibration: [] };
  const columns = labels.map((_, label) => label);
  const perLabel = labels.map(({ id }, label) => {
    const support = rows.filter((row) => isTrue(row, label)).length;
    const claimed = rows.filter((row) => isGuessed(row, label)).length;
    const hits = rows.filter((row) => isTrue(row, label) && isGuessed(row, label)).length;
    return { label: id, precision: ratio(hits, claimed), recall: ratio(hits, support), f1: ratio(2 * hits, claimed + support), support };
  });
  const pairs = rows.flatMap((row) => columns.map((label) => [scores[row * width + label] ?? 0, isTrue(row, label) ? 1 : 0] as const));
  return {
    evaluated: rows.length,
    accuracy: scoreOf(rows.filter((row) => columns.every((label) => isTrue(row, label) === isGuessed(row, label))).length, rows.length),
    macroF1: ratio(perLabel.reduce((sum, { f1 }) => sum + f1, 0), perLabel.length),
    perLabel,
    confusion: [],
    calibration: reliabilityBins(pairs.map(([confidence]) => confidence), pairs.map(([, right]) => right)),
  };
}

/** Accuracy with its Wilson interval. @param rows at least 1 */
export function scoreOf(hits: number, rows: number): Score {
  const { share, low, high } = wilsonInterval(hits, rows);
  return { rows, accuracy: share, low, high };
}

/** Index of the largest; -1 where there is a NaN or nothing. */
export function best(scores: ArrayLike<number>): number {
  let index = -1;
  for (let i = 0; i < scores.length; i++) {
    if (Number.isNaN(scores[i] ?? NaN)) return -1;
    if (index < 0 || (scores[i] ?? 0) > (scores[index] ?? 0)) index = i;
  }
  return index;
}

/** Fits `vscode.l10n`. */
export interface Localization {
  t(message: string, ...args: (string | number)[]): string;
}

/** For the command line and tests, which speak English. */
export const inEnglish: Localization = { t: (message, ...args) => fillTemplate(message, args) };

/** The insight as a Markdown report for people who do not have Label Lens at hand. */
export function insightMarkdown(insight: Insight, task: Pick<TaskDefinition, 'name' | 'labels'>, l10n: Localization = inEnglish): string {
  const nameOf = (id: string): string => cell(task.labels.find((label) => label.id === id)?.name ?? id);
  const parts = [`# ${l10n.t('Labeling report: {0}', task.name)}`, facts(insight, l10n)];
  const section = (title: string, body: string): void => void parts.push(`## ${title}`, body);
  if (insight.perLabel.length > 0) {
    section(
      l10n.t('By label'),
      table(
        [l10n.t('Label'), l10n.t('Precision'), l10n.t('Recall'), l10n.t('F1'), l10n.t('Rows')],
        insight.perLabel.map(({ label, precision, recall, f1, support }) => [nameOf(label), percent(precision), percent(recall), percent(f1), String(support)]),
      ),
    );
  }
  if (insight.confusion.length > 0) {
    const names = insight.perLabel.map(({ label }) => nameOf(label));
    section(l10n.t('Confusion: decided (rows) and guessed (columns)'), table(['', ...names], insight.confusion.map((row, index) => [names[index] ?? '', ...row.map(String)])));
  }
  if (insight.balance.length > 0) {
    section(
      l10n.t('Balance'),
      table([l10n.t('Label'), l10n.t('Decided'), l10n.t('Guessed')], insight.balance.map(({ label, decided, guessed }) => [nameOf(label), String(decided), String(guessed)])),
    );
  }
  if (insight.curve.length > 0) {
    section(
      l10n.t('Learning curve'),
      table([l10n.t('Decisions'), l10n.t('Accuracy'), l10n.t('95 % interval')], insight.curve.map(({ decisions, accuracy, low, high }) => [String(decisions), percent(accuracy), `${percent(low)} – ${percent(high)}`])),
    );
  }
  if (insight.calibration.some(({ rows }) => rows > 0)) {
    section(
      l10n.t('Calibration'),
      table(
        [l10n.t('Mean confidence'), l10n.t('Accuracy'), l10n.t('Rows')],
        insight.calibration.filter(({ rows }) => rows > 0).map(({ confidence, accuracy, rows }) => [percent(confidence), percent(accuracy), String(rows)]),
      ),
    );
  }
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

function facts({ evaluated, accuracy, macroF1, regression, annotators, agreement, outlook: prospect }: Insight, l10n: Localization): string {
  const lines: string[] = [];
  if (evaluated > 0) lines.push(l10n.t('Measured by cross-validation on {0} decisions.', evaluated));
  if (accuracy) lines.push(l10n.t('Accuracy: {0} (95 % interval {1} – {2}).', percent(accuracy.accuracy), percent(accuracy.low), percent(accuracy.high)));
  if (macroF1 !== undefined) lines.push(l10n.t('Macro F1: {0}.', percent(macroF1)));
  if (regression) lines.push(l10n.t('Mean absolute error {0}, root of the mean squared error {1}, R² {2}, correlation {3}.', rounded(regression.mae), rounded(regression.rmse), rounded(regression.r2), rounded(regression.pearson)));
  if (annotators.length > 0) lines.push(l10n.t('Annotators: {0}.', annotators.map(cell).join(', ')));
  if (agreement) {
    lines.push(
      agreement.measure === 'kappa'
        ? l10n.t('Cohen’s kappa {0}, over {1} texts that several annotators decided on.', rounded(agreement.value), agreement.examples)
        : l10n.t('Krippendorff’s alpha {0}, over {1} texts that several annotators decided on.', rounded(agreement.value), agreement.examples),
    );
  }
  if (prospect) lines.push(l10n.t('{0} more decisions may bring an accuracy of {1} ({2} – {3}).', prospect.decisions, percent(prospect.accuracy), percent(prospect.low), percent(prospect.high)));
  return lines.map((line) => `- ${line}`).join('\n');
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(header), line(header.map(() => '---')), ...rows.map(line)].join('\n');
}

/** People's text in a cell: what would end the cell or begin HTML is taken for itself. */
function cell(text: string): string {
  return text.replace(/\s+/g, ' ').replace(/[\\|<>&`*_[\]]/g, (mark) => `\\${mark}`);
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

function rounded(value: number): string {
  return String(Number(value.toPrecision(3)));
}

function clipped(share: number): number {
  return Math.max(0, Math.min(1, share));
}

function ratio(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}
