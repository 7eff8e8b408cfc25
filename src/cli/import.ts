import { planImport } from '../app/labeling/importLabels';
import { importTarget, writeImport } from '../app/labeling/taskFolder';
import type { ImportPlan } from '../core/labels/importPlan';
import { UsageError, type Arguments, type CommandSpec } from './arguments';
import type { CliContext } from './context';
import { readTask, taskFlag } from './taskFolder';
import { ProgressLine } from './terminal';

export const importSpec: CommandSpec = {
  summary: 'Takes labels from a file into a task: a table, JSONL of Label Lens or doccano, or JSON of Label Studio.',
  operands: '--task DIR --annotator NAME FILE',
  flags: {
    task: taskFlag,
    annotator: { value: 'NAME', help: 'whose decisions they are where the file does not say' },
    label: { value: 'COL', help: 'column, field or control that holds the labels (default: as it looks)' },
    text: { value: 'COL[,COL…]', help: 'text columns or field (default: as it looks)' },
    separator: { value: ';|#', help: 'between several labels in a cell (default ; and # in the tables of doccano)' },
    'dry-run': { help: 'say what would change, and change nothing' },
  },
};

/** `label-lens import`. */
export async function importLabels(args: Arguments, context: CliContext): Promise<void> {
  const file = args.file();
  const path = args.required('task');
  const annotator = args.required('annotator');
  const separator = args.text('separator');
  if (separator !== undefined && separator !== ';' && separator !== '#') throw new UsageError('--separator takes ; or #.');
  const [text, label] = [args.list('text'), args.text('label')];
  const task = await readTask(context, path);
  const target = importTarget(task, annotator);
  const progress = new ProgressLine(context.terminal);
  try {
    const input = await context.openInput(file);
    const plan = await planImport({
      file,
      chunks: input.chunks,
      fields: { ...(text === undefined ? {} : { text }), ...(label === undefined ? {} : { label }) },
      ...(separator === undefined ? {} : { separator }),
      target,
      pause: context.pause,
      signal: context.signal,
      onProgress: (rows) => progress.update(input.fraction(), `reading ${file}: ${rows} rows`),
    });
    progress.clear();
    for (const line of describe(plan)) context.terminal.stderr(`${line}\n`);
    if (args.has('dry-run')) return;
    if (plan.decisions.length > 0) await writeImport(task, plan, target, context.pause);
    context.terminal.stderr(`${plan.decisions.length} decisions written.\n`);
  } finally {
    progress.clear();
  }
}

/** The plan, for a person. */
function describe({ answers, unanswered, decisions, unchanged, outdated, overruled, replacing, repeated, newLabels, unmatched, problems }: ImportPlan): string[] {
  const of = (...parts: readonly (readonly [number, string])[]): string => {
    const said = parts.flatMap(([count, what]) => (count > 0 ? [`${count} ${what}`] : []));
    return said.length > 0 ? ` (${said.join(', ')})` : '';
  };
  const counts: readonly (readonly [number, string])[] = [
    [decisions.length, `new${of([replacing, 'take the place of others'], [overruled, 'do not count because somebody else decided later'])}`],
    [unchanged, 'as the task has them'],
    [outdated, 'changed since by the same annotator'],
    [repeated, 'of texts that come again'],
    [unmatched.count, 'of texts that the task lacks'],
    [unanswered, 'rows without a label'],
  ];
  const listed = (list: readonly (string | number)[], count: number): string => `${list.slice(0, 10).join(', ')}${count > 10 ? ' …' : ''}`;
  return [
    `${answers} answers: ${counts.flatMap(([count, what]) => (count > 0 ? [`${count} ${what}`] : [])).join(', ') || 'none'}.`,
    ...(newLabels.length > 0 ? [`New labels: ${listed(newLabels.map(({ name, count }) => `${name} (${count})`), newLabels.length)}`] : []),
    ...(unmatched.count > 0 ? [`Rows whose texts the task lacks: ${listed(unmatched.rows, unmatched.count)}`] : []),
    ...problems.first.slice(0, 5).map(({ message }) => message),
    ...(problems.count > 5 ? [`… and ${problems.count - 5} more notes of this kind.`] : []),
  ];
}
