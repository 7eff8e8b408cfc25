import { HumanError } from '../core/errors';
import { parseLabels } from '../core/labels/labelCells';
import { expectedCalibrationError } from '../core/metrics/calibration';
import { leastSquaresWeights, mixtureWeights } from '../core/metrics/mixture';
import { classificationReport } from '../core/metrics/report';
import { createEnsemble, validateBundle } from '../core/model/bundle';
import { ensembleLimits } from '../core/model/ensemble';
import type { ModelManifest } from '../core/model/manifest';
import type { BundleFiles } from '../core/protocol/predictor';
import type { AbortSignalLike } from '../core/protocol/rpc';
import type { Predictor } from '../inference/predictor';
import type { LabeledColumns, LabeledText } from './labeledRows';
import type { OpenedModel } from './modelStore';

export interface EnsemblePlan extends LabeledColumns {
  /** Two or more, the first of which says the order of the labels. */
  readonly members: readonly OpenedModel[];
  /** The rows that the weights are fitted on; none of the members should have learned from them. */
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
  /** On the rows that the weights were fitted on, by the names of model cards; of the ensemble, and of each member. */
  readonly metrics: Readonly<Record<string, number>>;
  readonly memberMetrics: readonly Readonly<Record<string, number>>[];
}

/**
 * Puts models together into one whose scores are the weighted average of theirs. The weights are those with the least log loss on `rows`, for numbers the least squares.
 *
 * @throws HumanError `ensemble.count`, `ensemble.nested`, `ensemble.kind`, `ensemble.labels`, `ensemble.tokenizer` when the models do not go together, `ensemble.label`, `ensemble.number` for a row, and those of
 *   `validateBundle` and `createEnsemble`; CancelledError
 */
export async function buildEnsemble(plan: EnsemblePlan, { predictor, signal, onProgress }: EnsembleContext): Promise<Ensemble> {
  const { members, rows, file } = plan;
  const { task } = checkMembers(members);
  const labels = task.labels.map(({ id }) => id);
  const width = task.kind === 'number' ? 1 : labels.length;
  const truth = truthOf(plan, task);
  const texts = rows.map(({ text }) => text);
  const scores: Float32Array[] = [];
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
    scores.push(Float32Array.from({ length: texts.length * width }, (_, at) => found.scores[Math.floor(at / width) * width + order[at % width]!]!));
  }
  const weights = task.kind === 'number' ? leastSquaresWeights(scores, truth) : mixtureWeights(scores.map((own) => likelihoods(own, truth)));
  const average = Float32Array.from(scores[0]!, (_, at) => weights.reduce((sum, weight, k) => sum + weight * scores[k]![at]!, 0));
  const metrics = measure(average, truth, task);
  const bundle = createEnsemble(
    {
      name: plan.name,
      version: 'v1',
      ...(plan.description === undefined ? {} : { description: plan.description }),
      task,
      data: { validation: file.split(/[/\\]/).at(-1)!, textColumns: plan.textColumns.join(','), labelColumn: plan.labelColumn, rows: rows.length, weights: 'fitted on these rows' },
      seed: 0,
      hyperparameters: {},
      epochs: [],
      metrics,
      temperature: 1,
    },
    members.map((member, k) => ({ bundle: validateBundle(member.files, member.folder), weight: weights[k]! })),
  );
  return { bundle, weights, metrics, memberMetrics: scores.map((own) => measure(own, truth, task)) };
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
    if (own.sha256 !== tokenizer.sha256 || own.maxTokens !== tokenizer.maxTokens)
      throw new HumanError(
        'ensemble.tokenizer',
        '{0} and {1} cut texts into different tokens, and the models of an ensemble read the same ones. Train {1} again with the tokenizer of {0}: label-lens train --tokenizer {2} …',
        [first.name, other.name, first.folder],
      );
  }
  return first.manifest;
}

/** What is right: the index of the label, of `multi` 0 or 1 for each label [rows × labels], or the number. */
function truthOf({ rows, file, labelColumn }: EnsemblePlan, { kind, labels }: ModelManifest['task']): Float64Array {
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
  if (kind === 'single') return Float64Array.from(rows, ({ label, row }) => placeOf(label, row));
  if (kind === 'number')
    return Float64Array.from(rows, ({ label, row }) => {
      const value = Number(label);
      if (!Number.isFinite(value)) throw new HumanError('ensemble.number', '{0}, row {1}, column {2}: "{3}" is no number, and the models give numbers. Correct it, or choose another column.', [file, row, labelColumn, label.slice(0, 100)]);
      return value;
    });
  const truth = new Float64Array(rows.length * labels.length);
  rows.forEach(({ label, row }, at) => {
    for (const name of parseLabels(label) ?? []) truth[at * labels.length + placeOf(name, row)] = 1;
  });
  return truth;
}

/** What a model gives the truth: of `single` one for each row, of `multi` one for each row and label. */
function likelihoods(scores: Float32Array, truth: Float64Array): Float64Array {
  if (truth.length === scores.length) return truth.map((isRight, at) => (isRight === 1 ? scores[at]! : 1 - scores[at]!));
  const width = scores.length / truth.length;
  return truth.map((label, row) => scores[row * width + label]!);
}

function measure(scores: Float32Array, truth: Float64Array, { kind, labels }: ModelManifest['task']): Readonly<Record<string, number>> {
  if (kind === 'number') {
    const errors = truth.map((value, row) => scores[row]! - value);
    const mean = (values: Float64Array): number => values.reduce((sum, value) => sum + value, 0) / values.length;
    return { rows: truth.length, mae: mean(errors.map(Math.abs)), rmse: Math.sqrt(mean(errors.map((error) => error ** 2))) };
  }
  const loss = likelihoods(scores, truth).reduce((sum, likelihood) => sum - Math.log(Math.max(1e-7, likelihood)), 0) / truth.length;
  if (kind === 'multi') {
    const rows = truth.length / labels.length;
    return { rows, accuracy: truth.filter((isRight, at) => (isRight === 1) === scores[at]! >= 0.5).length / truth.length, loss };
  }
  const width = labels.length;
  const predicted = Array.from(truth, (_, row) => {
    const own = scores.subarray(row * width, (row + 1) * width);
    return own.indexOf(own.reduce((most, score) => Math.max(most, score), -Infinity));
  });
  const { accuracy, macroF1 } = classificationReport(truth, predicted, labels.map(({ id }) => id));
  return { rows: truth.length, accuracy, macroF1, loss, ece: expectedCalibrationError(scores, width, truth) };
}
