import { HumanError } from '../core/errors';
import { likelihoods, measures, type RowTruth, type ScoredRows } from '../core/metrics/measures';
import { leastSquaresWeights, mixtureWeights } from '../core/metrics/mixture';
import { createEnsemble, validateBundle } from '../core/model/bundle';
import { agreedRule, ruleInOrder } from '../core/model/deciding';
import { ensembleLimits } from '../core/model/ensemble';
import type { ModelManifest } from '../core/model/manifest';
import type { BundleFiles } from '../core/protocol/predictor';
import type { AbortSignalLike } from '../core/protocol/rpc';
import type { Predictor } from '../inference/predictor';
import { answerOf, type LabeledColumns, type LabeledText } from './labeledRows';
import type { OpenedModel } from './modelStore';

export interface EnsemblePlan extends LabeledColumns {
  /** Two or more, the first of which says the order of the labels. */
  readonly members: readonly OpenedModel[];
  /** The rows that the weights are fitted on, read as the members' kind, for joint models with their numbers; none of the members should have learned from them. */
  readonly rows: readonly LabeledText[];
  /** The file of `rows`, as a person knows it. */
  readonly file: string;
  readonly name: string;
  readonly description?: string;
}

export interface EnsembleContext {
  readonly predictor: Pick<Predictor, 'load' | 'predict' | 'unload'>;
  readonly signal?: AbortSignalLike;
  /** @param fraction of all predictions, 0..1 */
  readonly onProgress?: (fraction: number, member: OpenedModel) => void;
}

export interface Ensemble {
  readonly bundle: BundleFiles;
  /** One for each member, in their order; none negative, together 1. */
  readonly weights: readonly number[];
  /** {@link measures} on the rows that the weights were fitted on; of the ensemble, and of each member. */
  readonly metrics: Readonly<Record<string, number>>;
  readonly memberMetrics: readonly Readonly<Record<string, number>>[];
}

/**
 * Puts models together into one whose scores are the weighted average of theirs, and of joint models the numbers too. The weights are those with the least log loss of the labels on `rows`, for numbers alone the least squares.
 *
 * @throws HumanError `ensemble.count`, `ensemble.nested`, `ensemble.kind`, `ensemble.labels`, `ensemble.value`, `ensemble.tokenizer` when the models do not go together, `ensemble.label` for a row, and those of
 *   `validateBundle` and `createEnsemble`; CancelledError
 */
export async function buildEnsemble(plan: EnsemblePlan, { predictor, signal, onProgress }: EnsembleContext): Promise<Ensemble> {
  const { members, rows, file } = plan;
  const { task } = checkMembers(members);
  const labels = task.labels.map(({ id }) => id);
  const width = task.kind === 'number' ? 1 : labels.length;
  const truth = truthOf(plan, task);
  const texts = rows.map(({ text }) => text);
  const said: Pick<ScoredRows, 'scores' | 'values'>[] = [];
  for (const [k, member] of members.entries()) {
    await predictor.load(member.key, member.files);
    const found = await predictor.predict(member.key, texts, {
      priority: 'background',
      cache: false,
      ...(signal ? { signal } : {}),
      onProgress: (done) => onProgress?.((k + done / texts.length) / members.length, member),
    });
    const own = member.manifest.task.labels.map(({ id }) => id);
    const order = task.kind === 'number' ? [0] : labels.map((label) => own.indexOf(label));
    const scores = Float32Array.from({ length: texts.length * width }, (_, at) => found.scores[Math.floor(at / width) * width + order[at % width]!]!);
    said.push({ scores, ...(found.values ? { values: found.values } : {}) });
  }
  const { kind } = task;
  const weights =
    kind === 'number'
      ? leastSquaresWeights(said.map(({ scores }) => scores), truth.map(({ value = NaN }) => value))
      : mixtureWeights(said.map(({ scores }) => likelihoods(kind, scores, width, truth)));
  const average = (own: readonly Float32Array[]): Float32Array => Float32Array.from(own[0]!, (_, at) => weights.reduce((sum, weight, k) => sum + weight * own[k]![at]!, 0));
  const values = said.flatMap((each) => each.values ?? []);
  const rule = agreedRule(members.map(({ manifest }) => manifest.task), labels);
  const metrics = measures({ rule, labels, scores: average(said.map(({ scores }) => scores)), ...(values.length > 0 ? { values: average(values) } : {}), truth });
  const bundle = createEnsemble(
    {
      name: plan.name,
      version: 'v1',
      ...(plan.description === undefined ? {} : { description: plan.description }),
      task,
      data: { validation: file.split(/[/\\]/).at(-1)!, textColumns: plan.textColumns.join(','), labelColumn: plan.labelColumn, ...(plan.valueColumn === undefined ? {} : { valueColumn: plan.valueColumn }), rows: rows.length, weights: 'fitted on these rows' },
      seed: 0,
      hyperparameters: {},
      epochs: [],
      metrics,
      temperature: 1,
    },
    members.map((member, k) => ({ bundle: validateBundle(member.files, member.folder), weight: weights[k]! })),
  );
  return { bundle, weights, metrics, memberMetrics: said.map((own, k) => measures({ rule: ruleInOrder(members[k]!.manifest.task, labels), labels, ...own, truth })) };
}

/** @returns the first one's manifest, which the others go together with */
function checkMembers(members: readonly OpenedModel[]): ModelManifest {
  const [first, ...others] = members;
  const { fewest, most } = ensembleLimits;
  if (!first || members.length < fewest || members.length > most) throw new HumanError('ensemble.count', 'An ensemble has {0} to {1} models, not {2}. Name as many.', [fewest, most, members.length]);
  const nested = members.find(({ manifest }) => manifest.ensemble);
  if (nested) throw new HumanError('ensemble.nested', '{0} is an ensemble itself. Name its members instead: {1}.', [nested.name, nested.manifest.ensemble!.members.map(({ name, version }) => `${name} ${version}`).join(', ')]);
  const { task, tokenizer } = first.manifest;
  const names = ({ manifest }: OpenedModel): string => manifest.task.labels.map(({ id }) => id).sort().join(', ').slice(0, 200);
  for (const other of others) {
    const { task: its, tokenizer: own } = other.manifest;
    if (its.kind !== task.kind)
      throw new HumanError('ensemble.kind', '{0} and {1} answer different kinds of questions ({2} and {3}), which have no average. Choose models of one kind.', [first.name, other.name, task.kind, its.kind]);
    if (its.labels.length !== task.labels.length || !task.labels.every(({ id }) => its.labels.some((label) => label.id === id)))
      throw new HumanError('ensemble.labels', '{0} and {1} have different labels ({2} and {3}). Choose models that were trained on the same labels.', [first.name, other.name, names(first), names(other)]);
    const [value, itsValue] = [task, its].map(({ kind, value }) => (kind === 'single' ? value?.name : undefined));
    if (value !== itsValue)
      throw new HumanError('ensemble.value', '{0} and {1} give different numbers beside the label ({2} and {3}), which have no average. Choose models that were trained on the same columns.', [first.name, other.name, value ?? '–', itsValue ?? '–']);
    if (own.sha256 !== tokenizer.sha256 || own.maxTokens !== tokenizer.maxTokens)
      throw new HumanError(
        'ensemble.tokenizer',
        '{0} and {1} cut texts into different tokens, and the models of an ensemble read the same ones. Train {1} again with the tokenizer of {0}: label-lens train --tokenizer {2} …',
        [first.name, other.name, first.folder],
      );
  }
  return first.manifest;
}

/** What is right, in the models' terms. */
function truthOf({ rows, file, labelColumn }: EnsemblePlan, { kind, labels }: ModelManifest['task']): readonly RowTruth[] {
  const index = new Map(labels.map(({ id }, place) => [id, place]));
  const placeOf = (label: string, row: number): number => {
    const place = index.get(label);
    if (place === undefined)
      throw new HumanError('ensemble.label', '{0}, row {1}, column {2}: the models have no label "{3}"; they have {4}. Choose other models or another label column.', [
        file,
        row,
        labelColumn,
        label.slice(0, 100),
        [...index.keys()].slice(0, 20).join(', '),
      ]);
    return place;
  };
  return rows.map((read) => {
    const answer = answerOf(read, kind);
    const value = read.value === undefined ? {} : { value: read.value };
    if (typeof answer === 'object') return { label: -1, labels: answer.map((label) => placeOf(label, read.row)) };
    return { label: typeof answer === 'string' ? placeOf(answer, read.row) : -1, ...value };
  });
}
