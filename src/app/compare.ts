import { CancelledError, HumanError } from '../core/errors';
import type { DecisionValue } from '../core/labels/decision';
import { chosenOfRows } from '../core/metrics/measures';
import { ruleOf } from '../core/model/deciding';
import type { AbortSignalLike } from '../core/protocol/rpc';
import type { PredictedScores } from '../core/protocol/predictor';
import { compareModels, type Comparison, type ComparisonResult } from '../core/report/comparison';
import type { Predictor } from '../inference/predictor';
import { answerOf, type LabeledText } from './labeledRows';
import { namingFolder, type OpenedModel } from './modelStore';

/** Models that can be compared at once. */
export const mostCompared = 20;

export interface CompareRequest {
  /** What the models are judged on, read as their kind, with the numbers of joint models if those are to be judged too: at least one row. */
  readonly rows: readonly LabeledText[];
  /** The file of `rows`, as a person knows it. */
  readonly file: string;
  readonly labelColumn: string;
  /** Two or more, {@link mostCompared} at most, each by a name of its own. */
  readonly models: readonly { readonly name: string; readonly model: OpenedModel }[];
  readonly predictor: Pick<Predictor, 'load' | 'predict'>;
  /** Of the bootstrap. */
  readonly seed: number;
  /** Resolves after what has come in was handled. */
  readonly pause: () => Promise<void>;
  readonly signal?: AbortSignalLike;
  /** Gets the share of all predictions that is done, 0..1, and whose turn it is. */
  readonly onProgress?: (fraction: number, name: string) => void;
}

/** What the models said, and how they did. */
export interface ComparedModels {
  readonly comparison: Comparison;
  readonly result: ComparisonResult;
  /** Of joint models: the same for their numbers. */
  readonly numbers?: Pick<ComparedModels, 'comparison' | 'result'>;
}

/**
 * Asks several models about the same rows, and judges them: each with a bootstrap interval, each two with McNemar's test and the paired bootstrap.
 *
 * @throws HumanError `compare.kinds` when models answer different questions, `compare.labels` when a model lacks a label that a row has, and those of the predictor; CancelledError
 */
export async function compareOnRows(request: CompareRequest): Promise<ComparedModels> {
  const { pause, signal, seed } = request;
  const { comparison, numbers } = await askAll(request);
  const breathe = async (): Promise<void> => {
    await pause();
    if (signal?.aborted) throw new CancelledError();
  };
  const judge = async (said: Comparison): Promise<NonNullable<ComparedModels['numbers']>> => ({ comparison: said, result: await compareModels(said, { seed, breathe }) });
  return { ...(await judge(comparison)), ...(numbers ? { numbers: await judge(numbers) } : {}) };
}

/** The number that all of the models give beside the label; undefined where one gives none, or another. */
export function sharedValue(models: readonly Pick<OpenedModel, 'manifest'>[]): string | undefined {
  const [name, ...others] = models.map(({ manifest: { task } }) => (task.kind === 'single' ? task.value?.name : undefined));
  return others.every((other) => other === name) ? name : undefined;
}

async function askAll(request: CompareRequest): Promise<{ readonly comparison: Comparison; readonly numbers?: Comparison }> {
  const { rows, file, models, predictor, signal, onProgress } = request;
  const kind = checkKinds(models);
  const answers = rows.map((row) => answerOf(row, kind));
  for (const model of models) checkLabels(model, answers, request);
  const labels = [...new Set(models.flatMap(({ model }) => model.manifest.task.labels.map(({ id }) => id)))];
  const index = new Map(labels.map((label, position) => [label, position]));

  const said: PredictedScores[] = [];
  for (const [at, { name, model }] of models.entries()) {
    try {
      await predictor.load(model.key, model.files);
      const texts = rows.map(({ text }) => text);
      const options = { priority: 'background', cache: false, onProgress: (done: number) => onProgress?.((at + done / rows.length) / models.length, name) } as const;
      said.push(await predictor.predict(model.key, texts, { ...options, ...(signal ? { signal } : {}) }));
    } catch (error) {
      throw namingFolder(error, model);
    }
  }
  const places = rows.map(({ row, text }) => ({ file, row, text }));
  const ofNumbers = (predicted: (model: PredictedScores) => Float32Array): Comparison => ({ kind: 'number', rows: places, truth: rows.map(({ value }) => value!), models: models.map(({ name }, at) => ({ name, predicted: predicted(said[at]!) })) });
  if (kind === 'number') return { comparison: ofNumbers(({ scores }) => scores) };
  // indices into the labels of all models
  const chosen = models.map(({ model: { manifest } }, at) => {
    const own = manifest.task.labels.map(({ id }) => index.get(id)!);
    const { scores, width } = said[at]!;
    return chosenOfRows(ruleOf(manifest.task), scores, width).map((labels) => labels.map((label) => own[label]!));
  });
  if (kind === 'multi')
    return {
      comparison: {
        kind,
        rows: places,
        labels,
        truth: (answers as readonly (readonly string[])[]).map((several) => several.map((label) => index.get(label)!)),
        models: models.map(({ name }, at) => ({ name, predicted: chosen[at]! })),
      },
    };
  const hasNumbers = sharedValue(models.map(({ model }) => model)) !== undefined && rows.every(({ value }) => value !== undefined);
  return {
    comparison: { kind, rows: places, labels, truth: (answers as readonly string[]).map((label) => index.get(label)!), models: models.map(({ name }, at) => ({ name, predicted: chosen[at]!.map(([label]) => label!) })) },
    ...(hasNumbers ? { numbers: ofNumbers(({ values }) => values!) } : {}),
  };
}

function checkKinds(models: CompareRequest['models']): OpenedModel['manifest']['task']['kind'] {
  const [first] = models as readonly [CompareRequest['models'][number]];
  const { kind } = first.model.manifest.task;
  const other = models.find(({ model }) => model.manifest.task.kind !== kind);
  if (other)
    throw new HumanError('compare.kinds', 'The models {0} ({1}) and {2} ({3}) answer different kinds of questions. Compare models of one kind.', [first.name, kind, other.name, other.model.manifest.task.kind]);
  return kind;
}

function checkLabels({ name, model }: CompareRequest['models'][number], answers: readonly DecisionValue[], { rows, file, labelColumn }: CompareRequest): void {
  const own = model.manifest.task.labels.map(({ id }) => id);
  const known = new Set(own);
  const strangersOf = (answer: DecisionValue): string[] => (typeof answer === 'number' ? [] : (typeof answer === 'string' ? [answer] : answer).filter((label) => !known.has(label)));
  const strangers = [...new Set(answers.flatMap(strangersOf))];
  if (strangers.length === 0) return;
  const at = answers.findIndex((answer) => strangersOf(answer).length > 0);
  const listed = (labels: readonly string[], most: number): string => `${labels.slice(0, most).join(', ')}${labels.length > most ? ' …' : ''}`;
  throw new HumanError('compare.labels', '{0}, row {1}, column {2}: the model {3} does not know these labels of the file: {4}. It knows {5}. Leave that model out, choose another label column, or map the labels first.', [
    file,
    rows[at]!.row,
    labelColumn,
    name,
    listed(strangers, 10),
    listed(own, 20) || '–',
  ]);
}
