import { defaultModel } from '../app/modelStore';
import { fillTemplate, HumanError } from '../core/errors';
import { expectedCalibrationError } from '../core/metrics/calibration';
import { classificationReport } from '../core/metrics/report';
import { evaluationSections } from '../core/report/evaluation';
import { reportStrings } from '../core/report/strings';
import type { Arguments, CommandSpec } from './arguments';
import type { CliContext } from './context';
import { readLabeledFile } from './labeledFile';
import { ProgressLine } from './terminal';
import { reportFlag, writeReport } from './writeReport';

export const evaluateSpec: CommandSpec = {
  summary: 'Compares a model with the labels of a file: accuracy, precision, recall, F1, confusion matrix, calibration, speed.',
  operands: '--label COL FILE',
  flags: {
    model: { value: 'NAME|DIR', help: 'model to evaluate (default sentiment)' },
    label: { value: 'COL', help: 'column that holds the label' },
    text: { value: 'COL[,COL…]', help: 'text columns, joined in order with a blank line (default text)' },
    report: reportFlag,
    json: { help: 'print one JSON object as the last line of stdout' },
  },
};

/** `label-lens evaluate`. */
export async function evaluate(args: Arguments, context: CliContext): Promise<void> {
  const file = args.file();
  const labelColumn = args.required('label');
  const textColumns = args.list('text') ?? ['text'];
  const model = await context.models.open(args.text('model') ?? defaultModel);
  const labels = model.manifest.task.labels.map((label) => label.id);
  const index = new Map(labels.map((label, position) => [label, position]));
  const progress = new ProgressLine(context.terminal);
  const rows = await readLabeledFile(context, file, { textColumns, labelColumn }, progress);
  const stranger = rows.find((row) => !index.has(row.label));
  if (stranger) {
    throw new HumanError('evaluate.label', '{0}, row {1}, column {2}: the model {3} has no label "{4}"; it has {5}. Choose another model or another label column.', [
      file,
      stranger.row,
      labelColumn,
      model.manifest.name,
      stranger.label,
      labels.slice(0, 20).join(', '),
    ]);
  }
  await context.predictor.load(model.key, model.files);
  const start = context.terminal.now();
  const { scores, width } = await context.predictor.predict(
    model.key,
    rows.map((row) => row.text),
    { signal: context.signal, priority: 'background', onProgress: (done) => progress.update(done / rows.length, `${done} of ${rows.length} rows`) },
  );
  const seconds = (context.terminal.now() - start) / 1000;
  progress.clear();
  const truth = rows.map((row) => index.get(row.label)!);
  const predicted = truth.map((_, row) => {
    let best = 0;
    for (let label = 1; label < width; label++) if (scores[row * width + label]! > scores[row * width + best]!) best = label;
    return best;
  });
  const report = classificationReport(truth, predicted, labels);
  const ece = expectedCalibrationError(scores, width, truth);
  const textsPerSecond = rows.length / seconds;

  const stdout = (text: string): void => context.terminal.stdout(text);
  const percent = (value: number): string => (value * 100).toFixed(2).padStart(9);
  const name = Math.max(12, ...labels.map((label) => label.length)) + 2;
  stdout(`${model.manifest.name} ${model.manifest.version} on ${file}: ${rows.length} rows\n\n`);
  stdout(`${'label'.padEnd(name)}precision   recall       f1  support\n`);
  for (const label of labels) {
    const { precision, recall, f1, support } = report.perClass[label]!;
    stdout(`${label.padEnd(name)}${percent(precision)}${percent(recall)}${percent(f1)}${String(support).padStart(9)}\n`);
  }
  stdout(`\naccuracy ${(report.accuracy * 100).toFixed(2)} %  macro F1 ${(report.macroF1 * 100).toFixed(2)} %  calibration error ${ece.toFixed(4)}  ${textsPerSecond.toFixed(0)} texts/s\n`);
  stdout('\nconfusion matrix (rows: label in the file, columns: prediction)\n');
  stdout(`${''.padEnd(name)}${labels.map((label) => label.slice(0, 10).padStart(11)).join('')}\n`);
  report.confusion.matrix.forEach((row, at) => stdout(`${labels[at]!.padEnd(name)}${row.map((count) => String(count).padStart(11)).join('')}\n`));
  const reportFile = args.text('report');
  if (reportFile !== undefined) {
    const written = await writeReport(context, reportFile, {
      title: fillTemplate(reportStrings.evaluationTitle, [model.manifest.name, model.manifest.version]),
      subtitle: fillTemplate(reportStrings.evaluationSubtitle, [file, rows.length]),
      sections: evaluationSections({ kind: 'single', rows: rows.map(({ row, text }) => ({ file, row, text })), labels, truth, scores }),
    });
    context.terminal.stderr(`The report is in ${written.join(' and ')}.\n`);
  }
  if (args.has('json')) stdout(`${JSON.stringify({ rows: rows.length, ...report, ece, seconds, textsPerSecond })}\n`);
}
