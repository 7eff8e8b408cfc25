import { defaultModel, type OpenedModel } from '../app/modelStore';
import { answerOf, type LabeledText } from '../app/labeledRows';
import { fillTemplate, HumanError } from '../core/errors';
import { calibratedError } from '../core/metrics/calibration';
import { measures, type RowTruth } from '../core/metrics/measures';
import { classificationReport, multiLabelReport, type AverageReport, type ClassReport } from '../core/metrics/report';
import { ruleOf, type DecisionRule } from '../core/model/deciding';
import type { TaskKind } from '../core/model/onnxWriter';
import type { PredictedScores } from '../core/protocol/predictor';
import { evaluationSections, predictedLabels, predictedLabelSets, type Evaluation } from '../core/report/evaluation';
import { reportStrings } from '../core/report/strings';
import type { Arguments, CommandSpec } from './arguments';
import type { CliContext } from './context';
import { jsonFlag, labelFlag, readTextColumns, textFlag } from './flags';
import { readThreshold, thresholdFlag } from './kinds';
import { readLabeledFile } from './labeledFile';
import { ProgressLine } from './terminal';
import { reportFlag, writeReport } from './writeReport';

export const evaluateSpec: CommandSpec = {
  summary: 'Compares a model with the labels or numbers of a file: accuracy, precision, recall, F1, confusion matrix, calibration, errors, speed.',
  operands: '--label COL FILE',
  flags: {
    model: { value: 'NAME|DIR', help: 'model to evaluate (default sentiment)' },
    label: labelFlag,
    value: { value: 'COL', help: 'column of the number that a joint model gives beside the label (default: the one that it was trained on)' },
    text: textFlag,
    threshold: thresholdFlag,
    report: reportFlag,
    json: jsonFlag,
  },
};

/** What an evaluation is made of. */
interface Evaluated {
  readonly rows: readonly LabeledText[];
  /** In the order of `rows`. */
  readonly truth: readonly RowTruth[];
  /** Ids, in the order of the scores. */
  readonly labels: readonly string[];
  readonly predicted: PredictedScores;
  readonly rule: DecisionRule;
}

/** What the JSON says beside the measures, and the lines that a person reads. */
interface Details {
  readonly json: Readonly<Record<string, unknown>>;
  readonly lines: readonly string[];
}

type Measures = ReturnType<typeof measures>;

/** `label-lens evaluate`. */
export async function evaluate(args: Arguments, context: CliContext): Promise<void> {
  const file = args.file();
  const labelColumn = args.required('label');
  const textColumns = readTextColumns(args);
  const threshold = readThreshold(args);
  const model = await context.models.open(args.text('model') ?? defaultModel);
  const { task } = model.manifest;
  const isJoint = task.kind === 'single' && task.value !== undefined;
  if (args.text('value') !== undefined && !isJoint) throw new HumanError('evaluate.value', 'The model {0} gives no number beside a label, so --value means nothing to it. Leave it out.', [model.manifest.name]);
  const valueColumn = isJoint ? (args.text('value') ?? task.value?.name) : undefined;
  const labels = task.labels.map((label) => label.id);
  const progress = new ProgressLine(context.terminal);
  const rows = await readLabeledFile(context, file, { kind: task.kind, textColumns, labelColumn, ...(valueColumn === undefined ? {} : { valueColumn }) }, progress);
  if (task.kind !== 'number') checkLabels(rows, labels, file, labelColumn, model);
  await context.predictor.load(model.key, model.files);
  const start = context.terminal.now();
  const predicted = await context.predictor.predict(
    model.key,
    rows.map((row) => row.text),
    { signal: context.signal, priority: 'background', onProgress: (done) => progress.update(done / rows.length, `${done} of ${rows.length} rows`) },
  );
  const seconds = (context.terminal.now() - start) / 1000;
  progress.clear();
  const textsPerSecond = rows.length / seconds;
  const evaluated: Evaluated = { rows, truth: truthOf(rows, labels, task.kind), labels, predicted, rule: ruleOf(task, threshold) };
  const measured = measures({ ...evaluated, ...predicted });
  const details = task.kind === 'number' ? undefined : task.kind === 'multi' ? setDetails(evaluated, measured) : labelDetails(evaluated, measured);

  const stdout = (text: string): void => context.terminal.stdout(text);
  stdout(`${model.manifest.name} ${model.manifest.version} on ${file}: ${rows.length} rows\n\n`);
  for (const line of [...(details?.lines ?? []), ...numberLines(measured)]) stdout(`${line}\n`);
  stdout(`\n${textsPerSecond.toFixed(0)} texts/s\n`);
  const reportFile = args.text('report');
  if (reportFile !== undefined) {
    const written = await writeReport(context, reportFile, {
      title: fillTemplate(reportStrings.evaluationTitle, [model.manifest.name, model.manifest.version]),
      subtitle: fillTemplate(reportStrings.evaluationSubtitle, [file, rows.length]),
      sections: evaluationSections(evaluationOf(evaluated, file)),
    });
    context.terminal.stderr(`The report is in ${written.join(' and ')}.\n`);
  }
  if (args.has('json')) stdout(`${JSON.stringify({ ...measured, ...details?.json, seconds, textsPerSecond })}\n`);
}

/** @throws HumanError `evaluate.label` when a row has a label that the model does not know */
function checkLabels(rows: readonly LabeledText[], labels: readonly string[], file: string, labelColumn: string, { manifest }: OpenedModel): void {
  const known = new Set(labels);
  for (const { row, label, labels: several = [label] } of rows) {
    const stranger = several.find((each) => !known.has(each));
    if (stranger === undefined) continue;
    throw new HumanError('evaluate.label', '{0}, row {1}, column {2}: the model {3} has no label "{4}"; it has {5}. Choose another model or another label column.', [
      file,
      row,
      labelColumn,
      manifest.name,
      stranger,
      labels.slice(0, 20).join(', '),
    ]);
  }
}

/** What is right, in the model's terms. */
function truthOf(rows: readonly LabeledText[], labels: readonly string[], kind: TaskKind): readonly RowTruth[] {
  const index = new Map(labels.map((label, position) => [label, position]));
  const toTruth = (row: LabeledText): RowTruth => {
    const answer = answerOf(row, kind);
    const value = row.value === undefined ? {} : { value: row.value };
    return typeof answer === 'object' ? { label: -1, labels: answer.map((label) => index.get(label)!) } : { label: typeof answer === 'string' ? index.get(answer)! : -1, ...value };
  };
  return rows.map(toTruth);
}

/** The same for a report. */
function evaluationOf({ rows, truth, labels, predicted: { scores, values }, rule }: Evaluated, file: string): Evaluation {
  const places = rows.map(({ row, text }) => ({ file, row, text }));
  const numbers = (predicted: Float32Array): { readonly truth: readonly number[]; readonly predicted: Float32Array } => ({ truth: truth.map(({ value }) => value!), predicted });
  if (rule.kind === 'number') return { kind: 'number', rows: places, values: numbers(scores) };
  if (rule.kind === 'multi') return { kind: 'multi', rows: places, labels, truth: truth.map(({ labels: several = [] }) => several), scores, rule };
  return { kind: 'single', rows: places, labels, truth: truth.map(({ label }) => label), scores, rule, ...(values ? { values: numbers(values) } : {}) };
}

function labelDetails({ rows, truth, labels, predicted: { scores, width }, rule }: Evaluated, { accuracy, macroF1, ece }: Measures): Details {
  const { perClass, averages, confusion } = classificationReport(truth.map(({ label }) => label), predictedLabels(scores, width, rule), labels);
  const surest = predictedLabels(scores, width);
  const eceByChance = calibratedError(surest.map((label, row) => scores[row * width + label]!));
  const name = nameWidth(labels);
  const matrix = confusion.matrix.map((row, at) => `${labels[at]!.padEnd(name)}${row.map((count) => String(count).padStart(11)).join('')}`);
  return {
    json: { perClass, averages, confusion, eceByChance },
    lines: [
      ...labelTable(labels, perClass, [['macro', averages.macro], ['weighted', averages.weighted]], rows.length),
      '',
      `accuracy ${percent(accuracy!)}  macro F1 ${percent(macroF1!)}  calibration error ${ece!.toFixed(4)} (by chance ${eceByChance.toFixed(4)})${rule.threshold === undefined || labels.length !== 2 ? '' : `  threshold ${rule.threshold}`}`,
      '',
      'confusion matrix (rows: label in the file, columns: prediction)',
      `${''.padEnd(name)}${labels.map((label) => label.slice(0, 10).padStart(11)).join('')}`,
      ...matrix,
    ],
  };
}

function setDetails({ rows, truth, labels, predicted: { scores, width }, rule }: Evaluated, { exactMatch, microF1, macroF1, hammingLoss }: Measures): Details {
  const { perClass, averages } = multiLabelReport(truth.map(({ labels: several = [] }) => several), predictedLabelSets(scores, width, rule), labels);
  return {
    json: { perClass, averages },
    lines: [
      ...labelTable(labels, perClass, [['micro', averages.micro], ['macro', averages.macro]], rows.length),
      '',
      `exact match ${percent(exactMatch!)}  micro F1 ${percent(microF1!)}  macro F1 ${percent(macroF1!)}  Hamming loss ${hammingLoss!.toFixed(4)}`,
    ],
  };
}

/** None where there are no numbers. */
function numberLines({ mae, rmse, r2, pearson }: Measures): readonly string[] {
  return mae === undefined ? [] : ['', `mean absolute error ${short(mae)}  RMSE ${short(rmse!)}  R² ${r2!.toFixed(4)}  Pearson ${pearson!.toFixed(4)}`];
}

/** One line a label, then one for each kind of average. */
function labelTable(labels: readonly string[], perClass: Readonly<Record<string, ClassReport>>, averages: readonly (readonly [string, AverageReport])[], rows: number): string[] {
  const name = nameWidth(labels);
  const line = (of: string, { precision, recall, f1 }: AverageReport, support: number): string => `${of.padEnd(name)}${[precision, recall, f1].map((value) => (value * 100).toFixed(2).padStart(9)).join('')}${String(support).padStart(9)}`;
  return [
    `${'label'.padEnd(name)}precision   recall       f1  support`,
    ...labels.map((label) => line(label, perClass[label]!, perClass[label]!.support)),
    ...averages.map(([of, average]) => line(`(${of})`, average, rows)),
  ];
}

function nameWidth(labels: readonly string[]): number {
  return Math.max(12, ...labels.map((label) => label.length)) + 2;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(2)} %`;
}

function short(value: number): string {
  return String(Number(value.toPrecision(4)));
}
