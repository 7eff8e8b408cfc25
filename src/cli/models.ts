import type { Arguments, CommandSpec } from './arguments';
import { UsageError } from './arguments';
import type { CliContext } from './context';

export const modelsSpec: CommandSpec = {
  summary: 'Lists the models that come with Label Lens and those of the workspace in the current folder.',
  operands: '',
  flags: {},
};

/** `label-lens models`: name, version, labels, preset, where it lies. */
export async function models(args: Arguments, context: CliContext): Promise<void> {
  if (args.operands.length > 0) throw new UsageError('models takes no operands.');
  const found = await context.models.list();
  const rows = found.map((model) => [model.name, model.manifest?.version ?? '', model.manifest?.task.labels.map((label) => label.id).join(', ') ?? model.problem?.message ?? '', model.manifest?.architecture.preset ?? '', model.folder]);
  const header = ['name', 'version', 'labels', 'preset', 'folder'];
  const widths = header.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]!.length)));
  for (const row of [header, ...rows]) context.terminal.stdout(`${row.map((cell, column) => cell.padEnd(widths[column]!)).join('  ').trimEnd()}\n`);
}
