import { compareOnRows, mostCompared, sharedValue } from '../app/compare';
import { fillTemplate } from '../core/errors';
import { comparisonSections, type ComparisonResult } from '../core/report/comparison';
import { reportStrings } from '../core/report/strings';
import { UsageError, type Arguments, type CommandSpec } from './arguments';
import type { CliContext } from './context';
import { jsonFlag, labelFlag, readSeed, readTextColumns, seedFlag, textFlag, valueFlag } from './flags';
import { readLabeledFile } from './labeledFile';
import { ProgressLine } from './terminal';
import { textTable } from './textTable';
import { reportFlag, writeReport } from './writeReport';

export const compareSpec: CommandSpec = {
  summary: 'Compares models on the same labelled rows: accuracy and F1, or errors of numbers, each two with McNemar’s test and a bootstrap interval.',
  operands: '--label COL MODEL MODEL… FILE',
  flags: {
    label: labelFlag,
    value: valueFlag,
    text: textFlag,
    seed: seedFlag('start of the random numbers of the bootstrap'),
    report: reportFlag,
    json: jsonFlag,
  },
};

/** `label-lens compare`. */
export async function compare(args: Arguments, context: CliContext): Promise<void> {
  const file = args.operands.at(-1);
  const names = args.operands.slice(0, -1);
  if (file === undefined || names.length < 2) throw new UsageError('Two or more MODELs are expected, by name or folder, and then FILE.');
  if (names.length > mostCompared) throw new UsageError(`At most ${mostCompared} models are compared at once, not ${names.length}.`);
  const twice = names.find((name, at) => names.indexOf(name) < at);
  if (twice !== undefined) throw new UsageError(`The model ${twice} is there twice.`);
  const labelColumn = args.required('label');
  const textColumns = readTextColumns(args);
  const seed = readSeed(args);

  const models = [];
  for (const name of names) models.push({ name, model: await context.models.open(name) });
  const { kind } = models[0]!.model.manifest.task;
  const shared = sharedValue(models.map(({ model }) => model));
  if (args.text('value') !== undefined && shared === undefined) throw new UsageError('--value is about the number of joint models, and not all of these give the same one beside a label. Leave it out.');
  const valueColumn = shared === undefined ? undefined : (args.text('value') ?? shared);
  const progress = new ProgressLine(context.terminal);
  try {
    const rows = await readLabeledFile(context, file, { kind, textColumns, labelColumn, ...(valueColumn === undefined ? {} : { valueColumn }) }, progress);
    const compared = await compareOnRows({
      rows,
      file,
      labelColumn,
      models,
      predictor: context.predictor,
      seed,
      pause: context.pause,
      signal: context.signal,
      onProgress: (fraction, name) => progress.update(fraction, `asking ${name}`),
    });
    progress.clear();
    context.terminal.stdout(`${file}: ${rows.length} rows\n\n`);
    const { comparison, result, numbers } = compared;
    for (const line of describe(result, kind)) context.terminal.stdout(`${line}\n`);
    if (numbers) for (const line of ['', `${valueColumn}`, '', ...describe(numbers.result, 'number')]) context.terminal.stdout(`${line}\n`);
    const reportFile = args.text('report');
    if (reportFile !== undefined) {
      // ids stand once in a report
      const ofNumbers = numbers ? comparisonSections(numbers.comparison, numbers.result).map(({ id, title, blocks }) => ({ id: `value-${id}`, title: `${valueColumn}: ${title}`, blocks })) : [];
      const written = await writeReport(context, reportFile, {
        title: fillTemplate(reportStrings.comparedTitle, [models.length]),
        subtitle: fillTemplate(reportStrings.evaluationSubtitle, [file, rows.length]),
        sections: [...comparisonSections(comparison, result), ...ofNumbers],
      });
      context.terminal.stderr(`The report is in ${written.join(' and ')}.\n`);
    }
    if (args.has('json')) {
      const json = ({ scores, pairs }: ComparisonResult, of: typeof kind): Readonly<Record<string, unknown>> => {
        const [main, other] = measures[of];
        return { models: scores.map((score) => ({ name: score.name, [main.key]: score.main, [other.key]: score.other })), pairs };
      };
      context.terminal.stdout(`${JSON.stringify({ rows: rows.length, kind, ...json(result, kind), differing: result.differing.length, ...(numbers ? { numbers: json(numbers.result, 'number') } : {}) })}\n`);
    }
  } finally {
    progress.clear();
  }
}

/** The main measure and the other one, by kind of the task. */
const measures = {
  single: [{ key: 'accuracy', title: 'accuracy' }, { key: 'macroF1', title: 'macro F1' }],
  multi: [{ key: 'exactMatch', title: 'exact match' }, { key: 'microF1', title: 'micro F1' }],
  number: [{ key: 'rmse', title: 'RMSE' }, { key: 'mae', title: 'MAE' }],
} as const;

function describe({ scores, pairs }: ComparisonResult, kind: keyof typeof measures): string[] {
  const [main, other] = measures[kind];
  const worded = (value: number): string => (kind === 'number' ? value.toFixed(4) : `${(value * 100).toFixed(2)} %`);
  const signed = (value: number): string => `${value > 0 ? '+' : ''}${worded(value)}`;
  const models = scores.map((score) => [score.name, worded(score.main.value), `${worded(score.main.low)} to ${worded(score.main.high)}`, worded(score.other)]);
  const hasTest = pairs.some(({ test }) => test !== undefined);
  const two = pairs.map(({ first, second, difference, test }) => [
    `${first} − ${second}`,
    signed(difference.value),
    `${signed(difference.low)} to ${signed(difference.high)}`,
    ...(test ? [String(test.onlyFirst), String(test.onlySecond), test.p < 0.0001 ? '< 0.0001' : test.p.toFixed(4)] : []),
  ]);
  return [
    ...textTable(['model', main.title, '95 % interval', other.title], models, [1, 2, 3]),
    '',
    ...textTable([`difference of ${main.title}`, '', '95 % interval', ...(hasTest ? ['only first right', 'only second right', 'McNemar p'] : [])], two, [1, 2, 3, 4, 5]),
  ];
}
