import { askedModel, classifyFile } from '../app/classifyFile';
import { defaultModel } from '../app/modelStore';
import { RecordReader } from '../core/csv/reader';
import type { Arguments, CommandSpec } from './arguments';
import { textFlag } from './flags';
import { readThreshold, thresholdFlag } from './kinds';
import type { CliContext } from './context';
import { DefectNotes } from './labeledFile';
import { ProgressLine } from './terminal';

export const classifySpec: CommandSpec = {
  summary: 'Writes a copy of a file with the columns predicted and score added: the label and its probability, several labels joined with ;, or the number.',
  operands: 'FILE|-',
  flags: {
    model: { value: 'NAME|DIR', help: 'model to ask (default sentiment)' },
    text: textFlag,
    threshold: thresholdFlag,
    output: { value: 'FILE', help: 'where the copy goes, packed if it ends in .gz (default: standard output)' },
  },
};

/** `label-lens classify`. Standard input is read as CSV. */
export async function classify(args: Arguments, context: CliContext): Promise<void> {
  const file = args.file();
  const textColumns = args.list('text');
  const threshold = readThreshold(args);
  const model = await context.models.open(args.text('model') ?? defaultModel);
  const input = await context.openInput(file);
  const reader = new RecordReader(file === '-' ? 'standard input' : file, file === '-' ? { format: 'csv' } : {});
  const progress = new ProgressLine(context.terminal);
  const defects = new DefectNotes(context);
  await context.predictor.load(model.key, model.files);
  const sink = await context.openOutput(args.text('output') ?? '-');
  const start = context.terminal.now();
  const speed = (rows: number): string => ((rows * 1000) / Math.max(1, context.terminal.now() - start)).toFixed(0);
  try {
    const summary = await classifyFile({
      chunks: input.chunks,
      reader,
      sink,
      predictor: context.predictor,
      model: askedModel(model, threshold),
      ...(textColumns === undefined ? {} : { textColumns }),
      signal: context.signal,
      onProgress: ({ rows }) => progress.update(input.fraction(), `${rows} rows, ${speed(rows)} rows/s`),
      onDefect: (defect) => defects.note(defect.message),
    });
    progress.clear();
    defects.finish();
    const counts = [...summary.labels].map(([label, rows]) => `${label} ${rows}`).join(', ');
    context.terminal.stderr(`${summary.rows} rows (${counts || 'no labels'}${summary.empty > 0 ? `, ${summary.empty} empty` : ''}), ${speed(summary.rows)} rows/s.\n`);
  } finally {
    progress.clear();
  }
}
