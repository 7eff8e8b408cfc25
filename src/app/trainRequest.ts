import { HumanError } from '../core/errors';
import { dataHash } from '../core/labels/dataHash';
import { stratifiedSplit } from '../core/labels/split';
import { fewestToShare, strataOf } from '../core/labels/strata';
import { checkBase, hasLabels } from '../core/model/manifest';
import type { TaskKind } from '../core/model/onnxWriter';
import type { TrainingRow, TrainRequest } from '../core/protocol/trainer';
import { normalizeText } from '../core/text/normalize';
import { answerOf, type LabeledColumns, type LabeledText } from './labeledRows';
import type { OpenedModel } from './modelStore';

/** Share of the rows that is held out where nobody says otherwise. */
export const defaultHeldOut = 0.1;

/** Rows between two looks at what has come in. */
const rowsAtOnce = 1000;

/** Rows to check with that are not from the file to train on. */
export interface HeldOutFile {
  readonly rows: readonly LabeledText[];
  /** As a person knows it. */
  readonly file: string;
}

/** What a person decided about a training. */
export interface TrainingPlan extends LabeledColumns, Pick<TrainRequest, 'preset' | 'kind' | 'threshold' | 'hyperparameters' | 'workers' | 'precision'> {
  readonly rows: readonly LabeledText[];
  /** The rows to check with, or the share of `rows` to hold out for that, in 0..1 (exclusive). */
  readonly heldOut: { readonly share: number } | HeldOutFile;
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
  const { base, tokenizer, hyperparameters, textColumns, labelColumn, valueColumn, description, kind = 'single', threshold } = plan;
  if (base) checkBase(base.manifest);
  const { rows, validation } = await split(plan, breathe);
  const labels = labelOrder(rows, kind, base?.manifest);
  const index = new Map(labels.map((label, position) => [label, position]));
  const strangers = [...new Set(validation.flatMap((row) => labelsOf(row, kind)))].filter((label) => !index.has(label));
  if (strangers.length > 0) {
    throw new HumanError('train.validationLabels', 'The held-out rows have labels that no training row has: {0}, as in {1}, row {2}, column {3}. Add training rows for them, or take these rows out of {1}.', [
      strangers.slice(0, 5).join(', '),
      'file' in plan.heldOut ? plan.heldOut.file : plan.file,
      validation.find((row) => labelsOf(row, kind).some((label) => !index.has(label)))!.row,
      labelColumn,
    ]);
  }
  const toTraining = ({ text, label, labels: several, value }: LabeledText): TrainingRow => ({
    text,
    label: kind === 'single' ? index.get(label)! : -1,
    ...(kind === 'multi' ? { labels: (several ?? []).map((each) => index.get(each)!) } : {}),
    ...(value === undefined ? {} : { value }),
  });
  const valueName = kind === 'number' ? labelColumn : valueColumn;
  return {
    preset: plan.preset,
    ...(kind === 'single' ? {} : { kind }),
    labels,
    ...(valueName === undefined ? {} : { valueName }),
    ...(threshold === undefined ? {} : { threshold }),
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
      data: { file: plan.file.split(/[/\\]/).at(-1)!, textColumns: textColumns.join(','), labelColumn, ...(valueColumn === undefined ? {} : { valueColumn }), sha256: await dataHash(valueColumn === undefined ? rows : rows.map(withValue), breathe) },
    },
  };
}

/**
 * The rows of a held-out file whose texts are not trained on as well: that a model knows a text it has learned says nothing about others.
 *
 * @param breathe lets the thread handle what has come in
 * @throws HumanError `train.heldOutKnown` when there are none
 */
export async function withoutTrained(heldOut: HeldOutFile, rows: readonly LabeledText[], breathe: () => Promise<void>): Promise<HeldOutFile> {
  const trained = new Set<string>();
  let looked = 0;
  for (const { text } of rows) {
    if (++looked % rowsAtOnce === 0) await breathe();
    trained.add(normalizeText(text));
  }
  const unseen: LabeledText[] = [];
  for (const row of heldOut.rows) {
    if (++looked % rowsAtOnce === 0) await breathe();
    if (!trained.has(normalizeText(row.text))) unseen.push(row);
  }
  if (unseen.length === 0) throw new HumanError('train.heldOutKnown', 'All texts of {0} are among those to train on, so they cannot tell how good the model is on others. Choose a file with other texts, or hold out a share of the rows.', [heldOut.file]);
  return { ...heldOut, rows: unseen };
}

async function split(
  { rows, kind = 'single', heldOut, base, hyperparameters: { seed, baseHead } }: TrainingPlan,
  breathe: () => Promise<void>,
): Promise<{ readonly rows: readonly LabeledText[]; readonly validation: readonly LabeledText[] }> {
  if ('rows' in heldOut) return { rows, validation: heldOut.rows };
  // a head that is fitted by itself is judged by cross-validation, and few rows are too many to lose
  if (base !== undefined && baseHead === 'only') return { rows, validation: [] };
  const strata = strataOf(
    rows.map((row) => answerOf(row, kind)),
    fewestToShare([heldOut.share, 1 - heldOut.share]),
  );
  const stratum = new Map(rows.map((row, index) => [row, strata[index]!]));
  const parts = await stratifiedSplit(rows, heldOut.share, { labelOf: (row) => stratum.get(row)!, textOf: ({ text }) => text, seed, breathe });
  if (kind !== 'multi') return { rows: parts.kept, validation: parts.heldOut };
  // a label whose rows are all in strata of others may have gone as a whole
  const known = new Set(parts.kept.flatMap(({ labels = [] }) => labels));
  const needed = new Set(parts.heldOut.filter(({ labels = [] }) => labels.some((label) => !known.has(label))).map(({ text }) => normalizeText(text)));
  const isKept = ({ text }: LabeledText): boolean => needed.size > 0 && needed.has(normalizeText(text));
  return { rows: [...parts.kept, ...parts.heldOut.filter(isKept)], validation: parts.heldOut.filter((row) => !isKept(row)) };
}

/** A row with its number in its label, for the hash of the data. */
function withValue({ text, label, value }: LabeledText): { readonly text: string; readonly label: string } {
  return { text, label: `${label} ${value}` };
}

function labelsOf({ label, labels = [] }: LabeledText, kind: TaskKind): readonly string[] {
  return kind === 'single' ? [label] : kind === 'multi' ? labels : [];
}

/** The base's own order where it has the same labels, so that its head can be kept; else by name. */
function labelOrder(rows: readonly LabeledText[], kind: TaskKind, base: OpenedModel['manifest'] | undefined): string[] {
  const found = [...new Set(rows.flatMap((row) => labelsOf(row, kind)))];
  return base && hasLabels(base, found, kind) ? base.task.labels.map(({ id }) => id) : found.sort();
}
