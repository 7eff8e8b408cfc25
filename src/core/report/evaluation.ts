import { calibratedError, expectedCalibrationError, reliabilityBins } from '../metrics/calibration';
import { atThreshold, findThreshold, precisionRecallPoints, rocPoints, thresholdCurves, type ThresholdChoice, type ThresholdCurves } from '../metrics/curves';
import { classificationReport, multiLabelReport, regressionReport, residualSummary, type AverageReport, type Averages, type ClassificationReport, type ClassReport } from '../metrics/report';
import { chosenOfRows } from '../metrics/measures';
import { wilsonInterval } from '../metrics/wilson';
import { ruleOf, type DecisionRule } from '../model/deciding';
import { barChart, heatMap, xyChart, type Point } from './charts';
import type { FigureBlock, ReportBlock, ReportSection, TableBlock } from './document';
import { reportStrings, type ReportStrings } from './strings';
import { decimal, fill, measure, percent, reportRow, rowsListed, type ReportPlace } from './wording';

/** What a model said about rows, and what is true. */
export type Evaluation = { readonly rows: readonly ReportPlace[] } & (ClassEvaluation | MultiEvaluation | NumberEvaluation);

/** What decides for the second of two labels. */
type ClassRule = Pick<DecisionRule, 'threshold'>;
/** What decides for each label. */
type MultiRule = Pick<DecisionRule, 'threshold' | 'thresholds'>;

/** One label a row; with `values` a joint model, which gives a number beside it. */
export interface ClassEvaluation {
  readonly kind: 'single';
  /** As a person knows them, all different. */
  readonly labels: readonly string[];
  /** Index of the right label, one per row. */
  readonly truth: ArrayLike<number>;
  /** Probabilities [rows, labels], row-major. */
  readonly scores: ArrayLike<number>;
  /** Default: the most probable label. */
  readonly rule?: ClassRule;
  readonly values?: Values;
}

/** Any labels a row. */
export interface MultiEvaluation {
  readonly kind: 'multi';
  readonly labels: readonly string[];
  /** Per row the indices of its labels, each once. */
  readonly truth: readonly (readonly number[])[];
  /** Probabilities [rows, labels], row-major. */
  readonly scores: ArrayLike<number>;
  /** Default: what is as probable as not. */
  readonly rule?: MultiRule;
}

export interface NumberEvaluation {
  readonly kind: 'number';
  readonly values: Values;
}

/** In their own unit, one per row. */
export interface Values {
  readonly truth: ArrayLike<number>;
  readonly predicted: ArrayLike<number>;
}

/** Labels that a table of labels, and a matrix, shows at most. */
const labelsShown = 50;
/** Points of a curve or a cloud that are drawn at most. */
const pointsDrawn = 1000;
/** Rows of the table that stands for a curve. */
const curveRows = 11;
/** Labels up to which the whole matrix stands as a table too. */
const matrixAsTable = 12;
/** Precisions that a threshold is looked for. */
const wantedPrecisions = [0.9, 0.95, 0.99];

/** How good a model is on rows that have their truth: for classes, several labels, numbers, or classes and numbers. */
export function evaluationSections(evaluation: Evaluation, strings: ReportStrings = reportStrings): readonly ReportSection[] {
  if (evaluation.rows.length === 0) return [{ id: 'classification', title: evaluation.kind === 'number' ? strings.numbers : strings.classification, blocks: [{ kind: 'text', text: strings.noRows }] }];
  switch (evaluation.kind) {
    case 'single':
      return [...classSections(evaluation, strings), ...(evaluation.values === undefined ? [] : numberSections(evaluation.rows, evaluation.values, strings))];
    case 'multi':
      return multiSections(evaluation, strings);
    case 'number':
      return numberSections(evaluation.rows, evaluation.values, strings);
  }
}

/** Index of the label that is predicted for each row, see {@link chosenOfRows}. */
export function predictedLabels(scores: ArrayLike<number>, width: number, { threshold }: ClassRule = {}): readonly number[] {
  return chosenOfRows({ kind: 'single', ...(threshold === undefined ? {} : { threshold }) }, scores, width).map(([label]) => label!);
}

/** Indices of the labels that are predicted for each row, see {@link chosenOfRows}. */
export function predictedLabelSets(scores: ArrayLike<number>, width: number, rule: MultiRule = {}): readonly (readonly number[])[] {
  return chosenOfRows(ruleOf({ ...rule, kind: 'multi' }), scores, width);
}

function classSections({ rows, labels, truth, scores, rule = {} }: ClassEvaluation & { readonly rows: readonly ReportPlace[] }, strings: ReportStrings): readonly ReportSection[] {
  const width = labels.length;
  const { threshold } = rule;
  const predicted = predictedLabels(scores, width, rule);
  // by index, since two labels may be called the same
  const report = classificationReport(truth, predicted, labels.map((_, label) => String(label)));
  const right = predicted.filter((label, row) => label === truth[row]).length;
  const { low, high } = wilsonInterval(right, rows.length);
  const summary: ReportBlock[] = [{ kind: 'text', text: fill(strings.classificationSummary, [right, rows.length, percent(report.accuracy), percent(low), percent(high), decimal(report.macroF1)]) }];
  const positive = labels[1];
  if (width === 2 && positive !== undefined && threshold !== undefined) summary.push({ kind: 'text', text: fill(strings.thresholdSummary, [positive, measure(threshold)]) });
  const averages: [string, AverageReport][] = [
    [strings.macroAverage, report.averages.macro],
    [strings.weightedAverage, report.averages.weighted],
  ];
  const sections: ReportSection[] = [
    { id: 'classification', title: strings.classification, blocks: [...summary, ...labelTables(labels, report.perClass, averages, rows.length, strings)] },
    { id: 'confusion', title: strings.confusion, blocks: confusionBlocks(labels, report, right, rows.length, strings) },
  ];
  if (width === 2 && positive !== undefined) {
    const own = predicted.map((_, row) => scores[row * 2 + 1]!);
    const curves = thresholdCurves(own, Array.from(truth, (label) => label));
    sections.push({ id: 'curves', title: strings.curves, blocks: curves ? curveBlocks(curves, positive, threshold ?? 0.5, strings) : [{ kind: 'text', text: strings.oneClassOnly }] });
  }
  const surest = predictedLabels(scores, width);
  const confidences = surest.map((label, row) => scores[row * width + label]!);
  const hits = surest.map((label, row) => Number(label === truth[row]));
  sections.push({ id: 'calibration', title: strings.calibration, blocks: [calibrationFigure(confidences, hits, expectedCalibrationError(scores, width, truth), strings)] });
  const said = (row: number): number => scores[row * width + predicted[row]!]!;
  const wrong = rows.map((_, row) => row).filter((row) => predicted[row] !== truth[row]);
  const listed = wrong.sort((a, b) => said(b) - said(a)).slice(0, rowsListed);
  sections.push(
    mistakes(
      listed.map((row) => ({ place: rows[row]!, cells: [labels[truth[row]!]!, labels[predicted[row]!]!, decimal(said(row))] })),
      wrong.length,
      rows.length,
      strings,
    ),
  );
  return sections;
}

function multiSections({ rows, labels, truth, scores, rule }: MultiEvaluation & { readonly rows: readonly ReportPlace[] }, strings: ReportStrings): readonly ReportSection[] {
  const width = labels.length;
  const predicted = predictedLabelSets(scores, width, rule);
  const report = multiLabelReport(truth, predicted, labels.map((_, label) => String(label)));
  const averages = averageRows(report.averages, strings);
  // each pair of row and label is a prediction: that it has the label, or that it has not
  const isTrue = truth.map((own) => new Set(own));
  const confidences = Float64Array.from({ length: rows.length * width }, (_, at) => Math.max(scores[at]!, 1 - scores[at]!));
  const hits = Uint8Array.from({ length: rows.length * width }, (_, at) => Number(scores[at]! >= 0.5 === isTrue[Math.floor(at / width)]!.has(at % width)));
  const bins = reliabilityBins(confidences, hits, 15);
  const error = bins.reduce((total, { confidence, accuracy, rows: size }) => total + size * Math.abs(confidence - accuracy), 0) / Math.max(1, confidences.length);
  // how sure the model was of the label that is most wrong
  const surest = (row: number): number => {
    let most = 0;
    for (let label = 0; label < width; label++) if (predicted[row]!.includes(label) !== isTrue[row]!.has(label)) most = Math.max(most, confidences[row * width + label]!);
    return most;
  };
  const wrong = rows.map((_, row) => ({ row, score: surest(row) })).filter(({ row }) => predicted[row]!.length !== isTrue[row]!.size || predicted[row]!.some((label) => !isTrue[row]!.has(label)));
  const named = (set: readonly number[]): string => set.map((label) => labels[label]!).join(', ') || strings.none;
  const exact = rows.length - wrong.length;
  return [
    {
      id: 'classification',
      title: strings.classification,
      blocks: [
        {
          kind: 'text',
          text: fill(strings.multiSummary, [exact, rows.length, percent(report.exactMatch), decimal(report.hammingLoss, 4), decimal(report.averages.micro.f1), decimal(report.averages.macro.f1)]),
        },
        ...labelTables(labels, report.perClass, averages, rows.length, strings),
      ],
    },
    { id: 'calibration', title: strings.calibration, blocks: [calibrationFigure(confidences, hits, error, strings)] },
    mistakes(
      wrong
        .sort((a, b) => b.score - a.score)
        .slice(0, rowsListed)
        .map(({ row, score }) => ({ place: rows[row]!, cells: [named(truth[row]!), named(predicted[row]!), decimal(score)] })),
      wrong.length,
      rows.length,
      strings,
    ),
  ];
}

function averageRows({ micro, macro, weighted }: Averages, strings: ReportStrings): [string, AverageReport][] {
  return [
    [strings.microAverage, micro],
    [strings.macroAverage, macro],
    [strings.weightedAverage, weighted],
  ];
}

function labelTables(labels: readonly string[], perClass: Readonly<Record<string, ClassReport>>, averages: readonly (readonly [string, AverageReport])[], rows: number, strings: ReportStrings): ReportBlock[] {
  const all = labels.map((label, index) => ({ label, report: perClass[String(index)]! }));
  const shown = all.length <= labelsShown ? all : [...all].sort((a, b) => b.report.support - a.report.support).slice(0, labelsShown);
  const cells = ({ precision, recall, f1 }: AverageReport): string[] => [decimal(precision), decimal(recall), decimal(f1)];
  return [
    {
      kind: 'table',
      ...(shown.length < all.length ? { caption: fill(strings.labelsShown, [shown.length, all.length]) } : {}),
      header: [strings.label, strings.precision, strings.recall, strings.f1, strings.support],
      rows: [...shown.map(({ label, report }) => [label, ...cells(report), String(report.support)]), ...averages.map(([name, average]) => [name, ...cells(average), String(rows)])],
      numeric: [1, 2, 3, 4],
    },
  ];
}

function confusionBlocks(labels: readonly string[], { confusion: { matrix } }: ClassificationReport, right: number, rows: number, strings: ReportStrings): ReportBlock[] {
  const support = matrix.map((counts) => counts.reduce((sum, count) => sum + count, 0));
  const order = labels.map((_, label) => label);
  const shown = labels.length <= labelsShown ? order : order.sort((a, b) => support[b]! - support[a]!).slice(0, labelsShown);
  const confusions = matrix
    .flatMap((counts, from) => counts.map((count, to) => ({ from, to, count })))
    .filter(({ from, to, count }) => from !== to && count > 0)
    .sort((a, b) => b.count - a.count)
    .slice(0, rowsListed);
  const most = confusions[0];
  const description = most ? fill(strings.confusionMost, [right, rows, labels[most.from]!, labels[most.to]!, most.count]) : fill(strings.confusionDescription, [right, rows]);
  const pairs: TableBlock = {
    kind: 'table',
    caption: strings.confusions,
    header: [strings.trueLabel, strings.predictedLabel, strings.count, strings.share],
    rows: confusions.map(({ from, to, count }) => [labels[from]!, labels[to]!, String(count), percent(count / support[from]!)]),
    numeric: [2, 3],
  };
  const isSmall = labels.length <= matrixAsTable;
  const figure: FigureBlock = {
    kind: 'figure',
    svg: heatMap({
      title: description,
      rowTitle: strings.trueLabel,
      columnTitle: strings.predictedLabel,
      labels: shown.map((label) => labels[label]!),
      matrix: shown.map((from) => shown.map((to) => matrix[from]![to]!)),
    }),
    caption: shown.length < labels.length ? `${strings.confusionCaption} ${fill(strings.labelsShown, [shown.length, labels.length])}` : strings.confusionCaption,
    description,
    ...(isSmall
      ? { data: { header: [strings.trueLabel, ...labels], rows: matrix.map((counts, label) => [labels[label]!, ...counts.map(String)]), numeric: labels.map((_, label) => label + 1) } }
      : {}),
  };
  return labels.length > 2 && confusions.length > 0 ? [figure, pairs] : [figure];
}

function curveBlocks(curves: ThresholdCurves, positive: string, threshold: number, strings: ReportStrings): ReportBlock[] {
  const [auc, averagePrecision] = [decimal(curves.auc), decimal(curves.averagePrecision)];
  const share = curves.positives / (curves.positives + curves.negatives);
  const inUse = atThreshold(curves, threshold);
  const curve = (points: readonly Point[], chance: readonly Point[], dot: Point, isStairs: boolean, labels: readonly [string, string], captions: readonly [caption: string, description: string]): FigureBlock => ({
    kind: 'figure',
    svg: xyChart({
      title: captions[1],
      x: { label: labels[0], range: [0, 1] },
      y: { label: labels[1], range: [0, 1] },
      series: [
        { name: strings.chance, points: chance, line: 'dashed', color: 0 },
        { name: positive, points: every(points, pointsDrawn), line: isStairs ? 'stairs' : 'solid', color: 1 },
        { name: `${strings.threshold} ${measure(threshold)}`, points: [dot], line: 'none', marks: true, color: 2 },
      ],
    }),
    caption: captions[0],
    description: captions[1],
    data: { header: labels, rows: every(points, curveRows).map((point) => point.map((value) => decimal(value))), numeric: [0, 1] },
  });
  const choices: (readonly [string, ThresholdChoice | undefined])[] = [
    [strings.goalInUse, inUse],
    [strings.goalF1, findThreshold(curves, 'f1')],
    [strings.goalAccuracy, findThreshold(curves, 'accuracy')],
    [strings.goalYouden, findThreshold(curves, 'youden')],
    ...wantedPrecisions.map((precision) => [fill(strings.goalPrecision, [precision]), findThreshold(curves, { precision })] as const),
  ];
  const values = (choice: ThresholdChoice): string[] => [
    decimal(choice.threshold, 4),
    ...[choice.precision, choice.recall, choice.f1, choice.accuracy, choice.falsePositiveRate].map((value) => decimal(value)),
  ];
  const header = [strings.goal, strings.threshold, strings.precision, strings.recall, strings.f1, strings.accuracy, strings.falsePositiveRate];
  return [
    curve(
      rocPoints(curves),
      [
        [0, 0],
        [1, 1],
      ],
      [inUse.falsePositiveRate, inUse.recall],
      false,
      [strings.falsePositiveRate, strings.truePositiveRate],
      [fill(strings.rocCaption, [auc]), fill(strings.rocDescription, [positive, auc])],
    ),
    curve(
      precisionRecallPoints(curves),
      [
        [0, share],
        [1, share],
      ],
      [inUse.recall, inUse.precision],
      true,
      [strings.recall, strings.precision],
      [fill(strings.prCaption, [averagePrecision]), fill(strings.prDescription, [positive, averagePrecision, decimal(share)])],
    ),
    {
      kind: 'table',
      caption: fill(strings.thresholds, [positive]),
      header,
      rows: choices.map(([name, choice]) => [name, ...(choice ? values(choice) : header.slice(1).map(() => '–'))]),
      numeric: [1, 2, 3, 4, 5, 6],
    },
    { kind: 'text', text: strings.thresholdsNote },
  ];
}

function calibrationFigure(confidences: ArrayLike<number>, hits: ArrayLike<number>, error: number, strings: ReportStrings): FigureBlock {
  const bins = reliabilityBins(confidences, hits).map((bin, at, all) => ({ ...bin, from: at / all.length, to: (at + 1) / all.length }));
  const filled = bins.filter(({ rows }) => rows > 0);
  const byChance = calibratedError(confidences);
  const description = fill(strings.calibrationDescription, [decimal(error), decimal(byChance)]);
  return {
    kind: 'figure',
    svg: barChart({
      title: description,
      x: { label: strings.confidence, range: [0, 1] },
      y: { label: strings.right, range: [0, 1] },
      bars: filled.map(({ from, to, accuracy, rows }) => ({ from, to, y: accuracy, label: String(rows) })),
      guide: {
        name: strings.perfect,
        points: [
          [0, 0],
          [1, 1],
        ],
      },
    }),
    caption: fill(strings.calibrationCaption, [decimal(error), decimal(byChance)]),
    description,
    data: { header: [strings.confidence, strings.right, strings.count], rows: filled.map(({ confidence, accuracy, rows }) => [decimal(confidence), decimal(accuracy), String(rows)]), numeric: [0, 1, 2] },
  };
}

function mistakes(listed: readonly { readonly place: ReportPlace; readonly cells: readonly string[] }[], wrong: number, rows: number, strings: ReportStrings): ReportSection {
  const block: ReportBlock =
    wrong === 0
      ? { kind: 'text', text: strings.noMistakes }
      : {
          kind: 'rows',
          caption: fill(strings.mistakesCaption, [wrong, rows, listed.length]),
          header: [strings.truth, strings.predicted, strings.score, strings.text],
          rows: listed.map(({ place, cells }) => reportRow(place, cells)),
        };
  return { id: 'mistakes', title: strings.mistakes, blocks: [block] };
}

function numberSections(rows: readonly ReportPlace[], { truth, predicted }: Values, strings: ReportStrings): readonly ReportSection[] {
  const { mae, rmse, r2, pearson } = regressionReport(truth, predicted);
  const residuals = residualSummary(truth, predicted);
  const table: TableBlock = {
    kind: 'table',
    header: [strings.measure, strings.value],
    rows: [
      [strings.mae, measure(mae)],
      [strings.rmse, measure(rmse)],
      [strings.r2, decimal(r2)],
      [strings.pearson, decimal(pearson)],
      [strings.meanResidual, measure(residuals.mean)],
      [strings.residualDeviation, measure(residuals.standardDeviation)],
      [strings.residualMedian, measure(residuals.median)],
      [strings.residualRange, fill(strings.range, [measure(residuals.low), measure(residuals.high)])],
    ],
    numeric: [1],
  };
  // every n-th of the true values' order, so that what is drawn spreads as the rows do
  const order = every(
    rows.map((_, row) => row).sort((a, b) => truth[a]! - truth[b]!),
    pointsDrawn,
  );
  const drawn = (caption: string): string => (order.length < rows.length ? fill(strings.rowsDrawn, [caption, order.length, rows.length]) : caption);
  let [low, high] = [Infinity, -Infinity];
  let [lowest, highest] = [Infinity, -Infinity];
  for (const row of order) {
    low = Math.min(low, truth[row]!);
    high = Math.max(high, truth[row]!);
    lowest = Math.min(lowest, predicted[row]!);
    highest = Math.max(highest, predicted[row]!);
  }
  const againstTrue = fill(strings.predictedDescription, [rows.length, decimal(r2), decimal(pearson)]);
  const ofResiduals = fill(strings.residualsDescription, [rows.length, measure(residuals.mean), measure(residuals.standardDeviation)]);
  const worst = rows
    .map((_, row) => row)
    .sort((a, b) => Math.abs(truth[b]! - predicted[b]!) - Math.abs(truth[a]! - predicted[a]!))
    .slice(0, rowsListed);
  return [
    {
      id: 'numbers',
      title: strings.numbers,
      blocks: [
        table,
        {
          kind: 'figure',
          svg: xyChart({
            title: againstTrue,
            x: { label: strings.trueValue },
            y: { label: strings.predictedValue },
            series: [
              { name: strings.count, points: order.map((row) => [truth[row]!, predicted[row]!]), line: 'none', marks: true, color: 1 },
              {
                name: strings.equal,
                points: [
                  [low, low],
                  [high, high],
                ],
                line: 'dashed',
                color: 0,
              },
            ],
          }),
          caption: drawn(strings.predictedCaption),
          description: againstTrue,
        },
        {
          kind: 'figure',
          svg: xyChart({
            title: ofResiduals,
            x: { label: strings.predictedValue },
            y: { label: strings.residual },
            series: [
              { name: strings.count, points: order.map((row) => [predicted[row]!, truth[row]! - predicted[row]!]), line: 'none', marks: true, color: 1 },
              {
                name: strings.equal,
                points: [
                  [lowest, 0],
                  [highest, 0],
                ],
                line: 'dashed',
                color: 0,
              },
            ],
          }),
          caption: drawn(strings.residuals),
          description: ofResiduals,
        },
      ],
    },
    {
      id: 'errors',
      title: strings.largestErrors,
      blocks: [
        {
          kind: 'rows',
          caption: fill(strings.largestErrorsCaption, [worst.length, rows.length]),
          header: [strings.truth, strings.predicted, strings.error, strings.text],
          rows: worst.map((row) => reportRow(rows[row]!, [measure(truth[row]!), measure(predicted[row]!), measure(truth[row]! - predicted[row]!)])),
        },
      ],
    },
  ];
}

/** At most so many items, evenly, with the first and the last. */
function every<T>(items: readonly T[], most: number): readonly T[] {
  return items.length <= most ? items : Array.from({ length: most }, (_, at) => items[Math.round((at * (items.length - 1)) / (most - 1))]!);
}
