import type { TaskKind } from '../model/onnxWriter';
import type { EpochReport } from '../protocol/trainer';
import { xyChart, type Point, type Series } from './charts';
import type { FigureBlock, ReportBlock, ReportSection } from './document';
import { reportStrings, type ReportStrings } from './strings';
import { decimal, fill, measure, percent } from './wording';

/** How a training went, or goes: what there is so far. */
export interface TrainingCourse {
  readonly kind: TaskKind;
  /** Training loss over global steps, from 1. */
  readonly history: readonly { readonly step: number; readonly loss: number }[];
  /** 0 where no step was taken: a head that is fitted has epochs alone. */
  readonly stepsPerEpoch: number;
  readonly epochs: readonly CourseEpoch[];
  /** Index into `epochs` of the one whose weights are kept. */
  readonly best?: number;
}

/** Where numbers are learned, the root of the mean squared error on the held-out rows stands beside the losses, in the unit of the numbers. */
export type CourseEpoch = EpochReport & { readonly validRmse?: number };

/** Rows of the table that stands for the curve of the training loss. */
const historyRows = 20;

/** The losses over global steps, what validation said after each epoch, and the epochs as a table. Also of a training that has not come to the end of its first epoch, or to its first step. */
export function trainingSections({ kind, history, stepsPerEpoch, epochs, best }: TrainingCourse, strings: ReportStrings = reportStrings): readonly ReportSection[] {
  const course = { kind, history, stepsPerEpoch, epochs, ...(best !== undefined && epochs[best] ? { best } : {}) };
  const blocks: ReportBlock[] = history.length === 0 && epochs.length === 0 ? [{ kind: 'text', text: strings.noStepYet }] : [lossFigure(course, strings)];
  if (epochs.length > 1) {
    const { rmseByEpoch, rmseByEpochDescription, validationRmse, accuracyByEpoch, accuracyByEpochDescription, validationAccuracy } = strings;
    if (epochs.some(({ validRmse }) => validRmse !== undefined)) blocks.push(epochFigure(course, (epoch) => epoch.validRmse ?? NaN, measure, [rmseByEpoch, rmseByEpochDescription, validationRmse], strings));
    if (kind !== 'number') blocks.push(epochFigure(course, ({ validAccuracy }) => validAccuracy, percent, [accuracyByEpoch, accuracyByEpochDescription, validationAccuracy], strings));
  }
  return [{ id: 'training', title: strings.training, blocks }, ...(epochs.length === 0 ? [] : [epochSection(course, strings)])];
}

function lossFigure({ history, stepsPerEpoch: steps, epochs, best }: TrainingCourse, strings: ReportStrings): FigureBlock {
  const stepsPerEpoch = Math.max(1, steps);
  const stepName = steps > 0 ? strings.step : strings.epoch;
  // without the steps between, the epochs' means tell how it went
  const points: readonly Point[] = history.length > 0 ? history.map(({ step, loss }) => [step, loss]) : epochs.map(({ trainLoss }, epoch) => [(epoch + 1) * stepsPerEpoch, trainLoss]);
  const validation: readonly Point[] = epochs.map(({ validLoss }, epoch) => [(epoch + 1) * stepsPerEpoch, validLoss]);
  const series: Series[] = [{ name: strings.trainingLoss, points, line: 'solid', marks: points.length === 1, color: 1 }];
  if (epochs.length > 0) series.push({ name: strings.validationLoss, points: validation, line: 'dashed', marks: true, color: 2 });
  const [first, last] = [decimal(points[0]?.[1] ?? NaN), decimal(points.at(-1)?.[1] ?? NaN)];
  const done = points.at(-1)?.[0] ?? 0;
  const lowest = epochs.reduce((low, { validLoss }, epoch) => (validLoss < (epochs[low]?.validLoss ?? NaN) || Number.isNaN(epochs[low]?.validLoss ?? NaN) ? epoch : low), 0);
  const description =
    epochs.length === 0 ? fill(strings.lossDescription, [first, last, done]) : fill(strings.lossWithValidation, [first, last, done, decimal(epochs[lowest]?.validLoss ?? NaN), lowest + 1]);
  const stride = Math.ceil(points.length / historyRows);
  return {
    kind: 'figure',
    svg: xyChart({
      title: description,
      x: { label: stepName, isWhole: true },
      y: { label: strings.loss },
      series,
      verticals: best === undefined ? [] : [{ x: (best + 1) * stepsPerEpoch, label: fill(strings.keptEpoch, [best + 1]) }],
    }),
    caption: strings.lossByStep,
    description,
    data: {
      header: [stepName, strings.trainingLoss],
      rows: points
        .filter((_, at) => at % stride === 0 || at === points.length - 1)
        .map(([step, loss]) => [String(step), decimal(loss, 4)]),
      numeric: [0, 1],
    },
  };
}

function epochFigure(
  { epochs, best }: TrainingCourse,
  valueOf: (epoch: CourseEpoch) => number,
  worded: (value: number) => string,
  [caption, describing, label]: readonly [string, string, string],
  strings: ReportStrings,
): FigureBlock {
  const points = epochs.map((epoch, at): Point => [at + 1, valueOf(epoch)]);
  const description = fill(describing, [worded(points[0]?.[1] ?? NaN), worded(points.at(-1)?.[1] ?? NaN), epochs.length]);
  return {
    kind: 'figure',
    svg: xyChart({
      title: description,
      x: { label: strings.epoch, isWhole: true },
      y: { label },
      series: [{ name: label, points, line: 'solid', marks: true, color: 2 }],
      verticals: best === undefined ? [] : [{ x: best + 1, label: fill(strings.keptEpoch, [best + 1]) }],
    }),
    caption,
    description,
  };
}

function epochSection({ kind, epochs, best }: TrainingCourse, strings: ReportStrings): ReportSection {
  const columns: { readonly title: string; readonly of: (epoch: CourseEpoch, at: number) => string }[] = [
    { title: strings.epoch, of: (_, at) => String(at + 1) },
    { title: strings.trainingLoss, of: ({ trainLoss }) => decimal(trainLoss, 4) },
    { title: strings.validationLoss, of: ({ validLoss }) => decimal(validLoss, 4) },
  ];
  if (kind !== 'number') columns.push({ title: strings.validationAccuracy, of: ({ validAccuracy }) => percent(validAccuracy) });
  if (epochs.some(({ validRmse }) => validRmse !== undefined)) columns.push({ title: strings.validationRmse, of: ({ validRmse }) => measure(validRmse ?? NaN) });
  columns.push({ title: strings.seconds, of: ({ seconds }) => decimal(seconds, 1) });
  const numeric = columns.map((_, column) => column);
  columns.push({ title: '', of: (_, at) => (at === best ? strings.kept : '') });
  return {
    id: 'epochs',
    title: strings.epochs,
    blocks: [{ kind: 'table', header: columns.map(({ title }) => title), rows: epochs.map((epoch, at) => columns.map((column) => column.of(epoch, at))), numeric }],
  };
}
