import { HumanError } from '../../core/errors';
import type { ModelManifest } from '../../core/model/manifest';
import type { TaskKind } from '../../core/model/onnxWriter';
import type { Predictor } from '../../inference/predictor';
import { namingFolder, type ModelStore, type OpenedModel } from '../modelStore';
import type { TaskModels } from '../taskModels';

/** The model that a task's features and first guesses come from. */
export interface TaskModel {
  readonly opened: OpenedModel;
  /** How journal and versions call it: `v3` for a version of the task's own, else `name@version`. */
  readonly version: string;
  /** Whether it is a version of the task's own. */
  readonly isOwn: boolean;
}

/** Opens the version in use of the task's own model, or the base that it will be fine-tuned from, and loads it into the predictor. */
export async function openTaskModel(
  { models, own, predictor, base }: { readonly models: Pick<ModelStore, 'open'>; readonly own: TaskModels; readonly predictor: Pick<Predictor, 'load'>; readonly base: string },
  onProblem: (problem: HumanError) => void,
): Promise<TaskModel> {
  const version = await own.current();
  if (version !== undefined) {
    try {
      return await openVersion({ models, own, predictor }, version);
    } catch (error) {
      // a version that cannot be used must not keep anyone from labelling
      if (!(error instanceof HumanError)) throw error;
      onProblem(error);
    }
  }
  const opened = await load(await models.open(base), predictor);
  return { opened, version: `${opened.manifest.name}@${opened.manifest.version}`, isOwn: false };
}

/** Opens a version of a task's own model, and loads it into the predictor. @throws HumanError */
export async function openVersion({ models, own, predictor }: { readonly models: Pick<ModelStore, 'open'>; readonly own: TaskModels; readonly predictor: Pick<Predictor, 'load'> }, version: string): Promise<TaskModel> {
  return { opened: await load(await models.open(own.folderOf(version)), predictor), version, isOwn: true };
}

async function load(opened: OpenedModel, predictor: Pick<Predictor, 'load'>): Promise<OpenedModel> {
  try {
    await predictor.load(opened.key, opened.files);
  } catch (error) {
    throw namingFolder(error, opened);
  }
  return opened;
}

/** For each of a task's labels the column of the model's scores that says the same; undefined where the model cannot answer the task. */
export function columnsFor({ task }: Pick<ModelManifest, 'task'>, kind: TaskKind, labels: readonly string[]): readonly number[] | undefined {
  if (task.kind !== kind) return undefined;
  if (kind === 'number') return [0];
  const columns = labels.map((label) => task.labels.findIndex(({ id }) => id === label));
  return labels.length > 0 && columns.every((column) => column >= 0) ? columns : undefined;
}

/**
 * A model's scores [rows, width] as those of a task's labels [rows, columns]. Where the model knows more labels than the task has, the probabilities of a `single` one are shared out anew.
 */
export function pickColumns(scores: Float32Array, width: number, columns: readonly number[], kind: TaskKind): Float32Array {
  const rows = width === 0 ? 0 : scores.length / width;
  const picked = new Float32Array(rows * columns.length);
  for (let row = 0; row < rows; row++) {
    let sum = 0;
    columns.forEach((column, index) => {
      const score = scores[row * width + column] ?? 0;
      picked[row * columns.length + index] = score;
      sum += score;
    });
    if (kind !== 'single' || columns.length === width || !(sum > 0)) continue;
    for (let index = 0; index < columns.length; index++) picked[row * columns.length + index]! /= sum;
  }
  return picked;
}
