import { HumanError } from '../core/errors';
import { dataHash } from '../core/labels/dataHash';
import { stratifiedSplit } from '../core/labels/split';
import { checkBase, hasLabels } from '../core/model/manifest';
import type { TrainingRow, TrainRequest } from '../core/protocol/trainer';
import type { LabeledColumns, LabeledText } from './labeledRows';
import type { OpenedModel } from './modelStore';

/** Share of the rows that is held out where nobody says otherwise. */
export const defaultHeldOut = 0.1;

/** What a person decided about a training. */
export interface TrainingPlan extends LabeledColumns, Pick<TrainRequest, 'preset' | 'hyperparameters' | 'workers' | 'precision'> {
  readonly rows: readonly LabeledText[];
  /** The rows to check with, or the share of `rows` to hold out for that, in 0..1 (exclusive). */
  readonly heldOut: { readonly share: number } | { readonly rows: readonly LabeledText[]; readonly file: string };
  /** The file of `rows`, as a person knows it. */
  readonly file: string;
  readonly base?: Pick<OpenedModel, 'files' | 'manifest'>;
  /** Model whose tokenizer the new one shares. Not with a base, which brings its own. */
  readonly tokenizer?: Pick<OpenedModel, 'files' | 'manifest'>;
  readonly name: string;
  readonly version: string;
  readonly description?: string;
}

/**
 * What the trainer gets for a plan: the rows in two parts, with equal texts on one side, the labels in their order, and where all of it came from.
 *
 * @param breathe lets the thread handle what has come in
 * @throws HumanError `train.validationLabels` when a label is among the held-out rows only, and of `checkBase`
 */
export async function trainRequest(plan: TrainingPlan, breathe: () => Promise<void>): Promise<TrainRequest> {
  const { base, tokenizer, hyperparameters, textColumns, labelColumn, description } = plan;
  if (base) checkBase(base.manifest);
  const { rows, validation } = await split(plan, breathe);
  const labels = labelOrder(rows, base?.manifest);
  const index = new Map(labels.map((label, position) => [label, position]));
  const strangers = [...new Set(validation.map(({ label }) => label))].filter((label) => !index.has(label));
  if (strangers.length > 0) {
    throw new HumanError('train.validationLabels', 'The held-out rows have labels that no training row has: {0}. Add training rows for them, or take these rows out of {1}.', [
      strangers.slice(0, 5).join(', '),
      'file' in plan.heldOut ? plan.heldOut.file : plan.file,
    ]);
  }
  const toTraining = ({ text, label }: LabeledText): TrainingRow => ({ text, label: index.get(label)! });
  return {
    preset: plan.preset,
    labels,
    rows: rows.map(toTraining),
    validation: validation.map(toTraining),
    ...(base === undefined ? {} : { base: base.files }),
    ...(tokenizer === undefined ? {} : { tokenizer: { json: tokenizer.files.tokenizer, maxTokens: tokenizer.manifest.tokenizer.maxTokens } }),
    hyperparameters,
    workers: plan.workers,
    precision: plan.precision,
    identity: {
      name: plan.name,
      version: plan.version,
      ...(base === undefined ? {} : { parent: `${base.manifest.name}@${base.manifest.version}` }),
      ...(description === undefined ? {} : { description }),
      data: { file: plan.file.split(/[/\\]/).at(-1)!, textColumns: textColumns.join(','), labelColumn, sha256: await dataHash(rows, breathe) },
    },
  };
}

async function split(
  { rows, heldOut, base, hyperparameters: { seed, baseHead } }: TrainingPlan,
  breathe: () => Promise<void>,
): Promise<{ readonly rows: readonly LabeledText[]; readonly validation: readonly LabeledText[] }> {
  if ('rows' in heldOut) return { rows, validation: heldOut.rows };
  // a head that is fitted by itself is judged by cross-validation, and few rows are too many to lose
  if (base !== undefined && baseHead === 'only') return { rows, validation: [] };
  const parts = await stratifiedSplit(rows, heldOut.share, { labelOf: ({ label }) => label, textOf: ({ text }) => text, seed, breathe });
  return { rows: parts.kept, validation: parts.heldOut };
}

/** The base's own order where it has the same labels, so that its head can be kept; else by name. */
function labelOrder(rows: readonly LabeledText[], base: OpenedModel['manifest'] | undefined): string[] {
  const found = [...new Set(rows.map(({ label }) => label))];
  return base && hasLabels(base, found) ? base.task.labels.map(({ id }) => id) : found.sort();
}
