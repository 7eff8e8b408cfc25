import { buildEnsemble } from '../app/ensemble';
import type { OpenedModel } from '../app/modelStore';
import { ensembleLimits } from '../core/model/ensemble';
import { UsageError, type Arguments, type CommandSpec } from './arguments';
import type { CliContext } from './context';
import { readLabeledFile } from './labeledFile';
import { ProgressLine } from './terminal';

export const ensembleSpec: CommandSpec = {
  summary: 'Puts models together into one whose scores are their weighted average, and writes it as one bundle; the weights are fitted on held-out rows.',
  operands: '--valid FILE --label COL --output DIR MODEL MODEL …',
  flags: {
    valid: { value: 'FILE', help: 'held-out rows that the weights are fitted on, which no model should have learned from' },
    label: { value: 'COL', help: 'column that holds the label, several separated by ; or | (empty: none), or the number' },
    value: { value: 'COL', help: 'column of the number that joint models give beside the label (default: the one that they were trained on)' },
    text: { value: 'COL[,COL…]', help: 'text columns, joined in order with a blank line (default text)' },
    name: { value: 'NAME', help: 'name in the model card (default: the name of DIR)' },
    description: { value: 'TEXT', help: 'a sentence for the model card' },
    output: { value: 'DIR', help: 'folder for the bundle' },
    json: { help: 'print one JSON object as the last line of stdout' },
  },
};

/** `label-lens ensemble`. */
export async function ensemble(args: Arguments, context: CliContext): Promise<void> {
  const file = args.required('valid');
  const labelColumn = args.required('label');
  const output = args.required('output');
  const textColumns = args.list('text') ?? ['text'];
  const { fewest, most } = ensembleLimits;
  if (args.operands.length < fewest || args.operands.length > most) throw new UsageError(`Name ${fewest} to ${most} models, not ${args.operands.length}.`);
  const members: OpenedModel[] = [];
  for (const name of args.operands) members.push(await context.models.open(name));
  const progress = new ProgressLine(context.terminal);
  const description = args.text('description');
  try {
    const { kind, value } = members[0]!.manifest.task;
    const valueColumn = kind === 'single' && value ? (args.text('value') ?? value.name) : undefined;
    if (args.text('value') !== undefined && valueColumn === undefined) throw new UsageError('--value is about the number of joint models, and these give none beside a label. Leave it out.');
    const columns = { textColumns, labelColumn, ...(valueColumn === undefined ? {} : { valueColumn }) };
    const rows = await readLabeledFile(context, file, { kind, ...columns }, progress);
    const { bundle, weights, metrics, memberMetrics } = await buildEnsemble(
      { members, rows, file, ...columns, name: args.text('name') ?? output.replace(/[/\\]+$/, '').split(/[/\\]/).at(-1)!, ...(description === undefined ? {} : { description }) },
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
