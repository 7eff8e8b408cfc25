import { buildEnsemble } from '../app/ensemble';
import type { OpenedModel } from '../app/modelStore';
import { ensembleLimits } from '../core/model/ensemble';
import { UsageError, type Arguments, type CommandSpec } from './arguments';
import type { CliContext } from './context';
import { cardFlags, folderFlag, folderName, jsonFlag, labelFlag, readCard, readTextColumns, textFlag, valueFlag } from './flags';
import { readLabeledFile } from './labeledFile';
import { ProgressLine } from './terminal';

export const ensembleSpec: CommandSpec = {
  summary: 'Puts models together into one whose scores are their weighted average, and writes it as one bundle; the weights are fitted on held-out rows.',
  operands: '--valid FILE --label COL --output DIR MODEL MODEL …',
  flags: {
    valid: { value: 'FILE', help: 'held-out rows that the weights are fitted on, which no model should have learned from' },
    label: labelFlag,
    value: valueFlag,
    text: textFlag,
    ...cardFlags,
    output: folderFlag('the bundle'),
    json: jsonFlag,
  },
};

/** `label-lens ensemble`. */
export async function ensemble(args: Arguments, context: CliContext): Promise<void> {
  const file = args.required('valid');
  const labelColumn = args.required('label');
  const output = args.required('output');
  const textColumns = readTextColumns(args);
  const { fewest, most } = ensembleLimits;
  if (args.operands.length < fewest || args.operands.length > most) throw new UsageError(`Name ${fewest} to ${most} models, not ${args.operands.length}.`);
  const members: OpenedModel[] = [];
  for (const name of args.operands) members.push(await context.models.open(name));
  const progress = new ProgressLine(context.terminal);
  try {
    const { kind, value } = members[0]!.manifest.task;
    const valueColumn = kind === 'single' && value ? (args.text('value') ?? value.name) : undefined;
    if (args.text('value') !== undefined && valueColumn === undefined) throw new UsageError('--value is about the number of joint models, and these give none beside a label. Leave it out.');
    const columns = { textColumns, labelColumn, ...(valueColumn === undefined ? {} : { valueColumn }) };
    const rows = await readLabeledFile(context, file, { kind, ...columns }, progress);
    const { bundle, weights, metrics, memberMetrics } = await buildEnsemble(
      { members, rows, file, ...columns, ...readCard(args, folderName(output)) },
      { predictor: context.predictor, signal: context.signal, onProgress: (fraction, member) => progress.update(fraction, `scores of ${member.name}`) },
    );
    progress.clear();
    await context.writeBundle(output, bundle);
    const { terminal } = context;
    const measures = Object.keys(metrics).filter((name) => name !== 'rows');
    const line = (name: string, weight: string, values: Readonly<Record<string, number>>): string => `${name.padEnd(32)}${weight.padStart(8)}${measures.map((measure) => values[measure]!.toFixed(4).padStart(10)).join('')}\n`;
    terminal.stdout(`${''.padEnd(32)}${'weight'.padStart(8)}${measures.map((measure) => measure.padStart(10)).join('')}\n`);
    members.forEach(({ manifest: { name, version } }, k) => terminal.stdout(line(`${name} ${version}`, weights[k]!.toFixed(4), memberMetrics[k]!)));
    terminal.stdout(line('ensemble', '', metrics));
    terminal.stderr(`The weights were fitted on the ${rows.length} rows of ${file}, so these figures flatter the ensemble a little. The model is in ${output}.\n`);
    if (args.has('json')) terminal.stdout(`${JSON.stringify({ rows: rows.length, members: members.map(({ manifest: { name, version } }, k) => ({ name, version, weight: weights[k], metrics: memberMetrics[k] })), metrics, output })}\n`);
  } finally {
    progress.clear();
  }
}
