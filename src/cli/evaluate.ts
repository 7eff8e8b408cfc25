import { defaultModel, type OpenedModel } from '../app/modelStore';
import type { LabeledText } from '../app/labeledRows';
import { fillTemplate, HumanError } from '../core/errors';
import { expectedCalibrationError } from '../core/metrics/calibration';
import { classificationReport, multiLabelReport, regressionReport, type AverageReport, type ClassReport } from '../core/metrics/report';
import { ruleOf, type DecisionRule } from '../core/model/deciding';
import type { PredictedScores } from '../core/protocol/predictor';
import { evaluationSections, predictedLabels, predictedLabelSets, type Evaluation } from '../core/report/evaluation';
import { reportStrings } from '../core/report/strings';
import type { Arguments, CommandSpec } from './arguments';
import type { CliContext } from './context';
import { readThreshold, thresholdFlag } from './kinds';
import { readLabeledFile } from './labeledFile';
import { ProgressLine } from './terminal';
import { reportFlag, writeReport } from './writeReport';

export const evaluateSpec: CommandSpec = {
  summary: 'Compares a model with the labels or numbers of a file: accuracy, precision, recall, F1, confusion matrix, calibration, errors, speed.',
  operands: '--label COL FILE',
  flags: {
    model: { value: 'NAME|DIR', help: 'model to evaluate (default sentiment)' },
    label: { value: 'COL', help: 'column that holds the label, several separated by ; or | (empty: none), or the number' },
    value: { value: 'COL', help: 'column of the number that a joint model gives beside the label (default: the one that it was trained on)' },
    text: { value: 'COL[,COL…]', help: 'text columns, joined in order with a blank line (default text)' },
    threshold: thresholdFlag,
    report: reportFlag,
    json: { help: 'print one JSON object as the last line of stdout' },
  },
};

/** What an evaluation is made of. */
interface Evaluated {
  readonly rows: readonly LabeledText[];
  /** Ids, in the order of the scores. */
  readonly labels: readonly string[];
  readonly predicted: PredictedScores;
  readonly rule: DecisionRule;
}

/** Measures by the names of the JSON, and the lines that a person reads. */
interface Measured {
  readonly json: Readonly<Record<string, unknown>>;
  readonly lines: readonly string[];
}

/** `label-lens evaluate`. */
export async function evaluate(args: Arguments, context: CliContext): Promise<void> {
  const file = args.file();
  const labelColumn = args.required('label');
  const textColumns = args.list('text') ?? ['text'];
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
  const evaluated: Evaluated = { rows, labels, predicted, rule: ruleOf(task, threshold) };
  const measured = task.kind === 'number' ? [measureNumbers(evaluated, predicted.scores)] : task.kind === 'multi' ? [measureSets(evaluated)] : [measureLabels(evaluated), ...(predicted.values ? [measureNumbers(evaluated, predicted.values)] : [])];

  const stdout = (text: string): void => context.terminal.stdout(text);
  stdout(`${model.manifest.name} ${model.manifest.version} on ${file}: ${rows.length} rows\n\n`);
  for (const { lines } of measured) stdout(`${lines.join('\n')}\n`);
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
  if (args.has('json')) stdout(`${JSON.stringify(Object.assign({ rows: rows.length }, ...measured.map(({ json }) => json), { seconds, textsPerSecond }))}\n`);
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

/** The same for a report. */
function evaluationOf({ rows, labels, predicted: { scores, values }, rule }: Evaluated, file: string): Evaluation {
  const places = rows.map(({ row, text }) => ({ file, row, text }));
  const numbers = (predicted: Float32Array): { readonly truth: readonly number[]; readonly predicted: Float32Array } => ({ truth: rows.map(({ value }) => value!), predicted });
  if (rule.kind === 'number') return { kind: 'number', rows: places, values: numbers(scores) };
  const index = new Map(labels.map((label, position) => [label, position]));
  if (rule.kind === 'multi') return { kind: 'multi', rows: places, labels, truth: rows.map(({ labels: several = [] }) => several.map((label) => index.get(label)!)), scores, rule };
  return { kind: 'single', rows: places, labels, truth: rows.map(({ label }) => index.get(label)!), scores, rule, ...(values ? { values: numbers(values) } : {}) };
}

function measureLabels({ rows, labels, predicted: { scores, width }, rule }: Evaluated): Measured {
  const index = new Map(labels.map((label, position) => [label, position]));
  const truth = rows.map((row) => index.get(row.label)!);
  const predicted = predictedLabels(scores, width, rule);
  const { accuracy, macroF1, perClass, averages, confusion } = classificationReport(truth, predicted, labels);
  const ece = expectedCalibrationError(scores, width, truth);
  const name = nameWidth(labels);
  const matrix = confusion.matrix.map((row, at) => `${labels[at]!.padEnd(name)}${row.map((count) => String(count).padStart(11)).join('')}`);
  return {
    json: { accuracy, macroF1, perClass, averages, confusion, ece },
    lines: [
      ...labelTable(labels, perClass, [['macro', averages.macro], ['weighted', averages.weighted]], rows.length),
      '',
      `accuracy ${percent(accuracy)}  macro F1 ${percent(macroF1)}  calibration error ${ece.toFixed(4)}${rule.threshold === undefined || labels.length !== 2 ? '' : `  threshold ${rule.threshold}`}`,
      '',
      'confusion matrix (rows: label in the file, columns: prediction)',
      `${''.padEnd(name)}${labels.map((label) => label.slice(0, 10).padStart(11)).join('')}`,
      ...matrix,
    ],
  };
}

function measureSets({ rows, labels, predicted: { scores, width }, rule }: Evaluated): Measured {
  const index = new Map(labels.map((label, position) => [label, position]));
  const truth = rows.map(({ labels: several = [] }) => several.map((label) => index.get(label)!));
  const said = predictedLabelSets(scores, width, rule);
  const { perClass, averages, exactMatch, hammingLoss } = multiLabelReport(truth, said, labels);
  return {
    json: { perClass, micro: averages.micro, macro: averages.macro, microF1: averages.micro.f1, macroF1: averages.macro.f1, exactMatch, hammingLoss },
    lines: [
      ...labelTable(labels, perClass, [['micro', averages.micro], ['macro', averages.macro]], rows.length),
      '',
      `exact match ${percent(exactMatch)}  micro F1 ${percent(averages.micro.f1)}  macro F1 ${percent(averages.macro.f1)}  Hamming loss ${hammingLoss.toFixed(4)}`,
    ],
  };
}

function measureNumbers({ rows }: Evaluated, numbers: Float32Array): Measured {
  const report = regressionReport(rows.map(({ value }) => value!), numbers);
  const { mae, rmse, r2, pearson } = report;
  return { json: { ...report }, lines: ['', `mean absolute error ${short(mae)}  RMSE ${short(rmse)}  R² ${r2.toFixed(4)}  Pearson ${pearson.toFixed(4)}`] };
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
