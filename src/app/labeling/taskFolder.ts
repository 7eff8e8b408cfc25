import { HumanError } from '../../core/errors';
import { isCheck } from '../../core/labels/checks';
import type { DecisionValue } from '../../core/labels/decision';
import { byAnnotator, importDrafts, type ImportPlan, type ImportTarget } from '../../core/labels/importPlan';
import type { JournalState } from '../../core/labels/journal';
import { formatAnswer } from '../../core/labels/labelCells';
import { applyLabelEdit, type TaskDefinition } from '../../core/labels/task';
import type { TaskKind } from '../../core/model/onnxWriter';
import type { AbortSignalLike } from '../../core/protocol/rpc';
import type { FileSystem } from '../../storage/fileSystem';
import { JournalStore } from '../../storage/journalStore';
import { labelsFolder } from '../../storage/paths';
import { TaskStore } from '../../storage/taskStore';
import type { LabeledText } from '../labeledRows';
import { TaskModels } from '../taskModels';
import { readPool, type Pool, type PoolInput } from './pool';

/** A task as it lies on the disk, for those who do not keep it open: the command line, and whatever runs it. */
export interface TaskFolder {
  /** Absolute path of the folder in which `.label-lens/` stands, and that the sources' paths start from. */
  readonly parent: string;
  readonly name: string;
  readonly task: TaskDefinition;
  readonly journal: JournalState;
  readonly pool: Pool;
  readonly models: TaskModels;
  readonly fileSystem: FileSystem;
}

export interface TaskFolderOptions {
  readonly fileSystem: FileSystem;
  /** Opens a file, unpacked. @param path absolute */
  readonly openInput: (path: string) => Promise<PoolInput>;
  /** Resolves after what has come in was handled. */
  readonly pause: () => Promise<void>;
  readonly signal?: AbortSignalLike;
  /** Called while sources are read, 0..1. */
  readonly onProgress?: (fraction: number) => void;
  /** Called for what does not keep the task from being read: lines of a journal that do not count, a source that is gone. */
  readonly onProblem?: (problem: HumanError) => void;
}

/** Where a path to a task's folder leads. @param path absolute, with `/`. @throws HumanError `task.folder` if it is none */
export function taskFolderPlace(path: string): { readonly parent: string; readonly name: string } {
  const [, parent, name] = /^(.*)\/\.label-lens\/([^/]+)\/?$/.exec(path) ?? [];
  if (parent === undefined || name === undefined) throw new HumanError('task.folder', '{0} is no folder of a task. Give one such as .label-lens/reviews, with a task.json in it.', [path]);
  return { parent, name };
}

/**
 * Reads a task: task.json, everybody's journal, all texts. Writes nothing.
 *
 * @param path absolute path of `.label-lens/TASK`
 * @throws HumanError when there is no such task, or its task.json or a journal cannot be read; CancelledError when `signal` is raised
 */
export async function readTaskFolder(path: string, options: TaskFolderOptions): Promise<TaskFolder> {
  const { fileSystem, openInput, pause, signal, onProgress, onProblem } = options;
  const { parent, name } = taskFolderPlace(path);
  const task = await new TaskStore(fileSystem, parent).read(name);
  const { store, problems } = await JournalStore.open({ fileSystem, folder: labelsFolder(parent, name), task, breathe: pause });
  for (const problem of problems) onProblem?.(problem);
  const reading = readPool({ folder: parent, sources: task.sources, fileSystem, openInput, pause, ...(signal ? { signal } : {}), ...(onProgress ? { onProgress } : {}), ...(onProblem ? { onProblem } : {}) });
  await reading.done;
  return { parent, name, task, journal: store.state, pool: reading.pool, models: new TaskModels(fileSystem, parent, name), fileSystem };
}

/** Random checks that must be decided to hold out just them. */
const fewestChecks = 20;

/**
 * The texts that were answered, with the ids of their labels or their number, in the order of the sources; `row` numbers them. The random checks that were decided are held out if they are at least 20, and undefined otherwise.
 *
 * @throws HumanError `task.undecided` when nothing is labelled
 */
export async function decidedRows({ name, task, journal, pool }: Pick<TaskFolder, 'name' | 'task' | 'journal' | 'pool'>, pause: () => Promise<void>): Promise<{ readonly rows: readonly LabeledText[]; readonly heldOut: readonly LabeledText[] | undefined }> {
  const rows: LabeledText[] = [];
  const checks: LabeledText[] = [];
  for (let position = 0; position < pool.size; position++) {
    if (position % 2000 === 1999) await pause();
    const id = pool.idAt(position);
    const state = journal.stateOf(id);
    const answer = state?.status === 'labeled' ? answerOf(state.value, task.kind) : undefined;
    if (answer) (isCheck(id) ? checks : rows).push({ row: rows.length + checks.length + 1, text: pool.textAt(position), ...answer });
  }
  if (rows.length + checks.length === 0) throw new HumanError('task.undecided', 'Nothing is labeled in the task {0} yet. Label some texts, or import labels.', [name]);
  if (checks.length >= fewestChecks) return { rows, heldOut: checks };
  return { rows: [...rows, ...checks].sort((a, b) => a.row - b.row), heldOut: undefined };
}

/** A decision as the answer of a row; undefined for one that does not answer a task of this kind. */
function answerOf(value: DecisionValue | undefined, kind: TaskKind): Omit<LabeledText, 'row' | 'text'> | undefined {
  if (kind === 'single') return typeof value === 'string' ? { label: value } : undefined;
  if (kind === 'number') return typeof value === 'number' ? { label: String(value), value } : undefined;
  if (typeof value !== 'object') return undefined;
  const labels = [...value].sort();
  return { label: String(formatAnswer(labels)), labels };
}

/** What an import needs to know of a task folder. @param annotator who the answers are by where the file does not say */
export function importTarget({ task, journal, pool }: Pick<TaskFolder, 'task' | 'journal' | 'pool'>, annotator: string): ImportTarget {
  return {
    task,
    annotator,
    example: (id) => {
      const position = pool.positionOf(id);
      return position === undefined ? undefined : { text: pool.textAt(position), sources: pool.sourcesAt(position) };
    },
    stateOf: (id) => journal.stateOf(id),
    wordOf: (id, who) => journal.wordOf(id, who),
  };
}

/** Writes a plan: new labels, then each annotator's decisions into their journal, as one act. @throws HumanError when something cannot be written */
export async function writeImport({ parent, name, fileSystem }: Pick<TaskFolder, 'parent' | 'name' | 'fileSystem'>, plan: Pick<ImportPlan, 'decisions' | 'newLabels'>, target: ImportTarget, pause: () => Promise<void>): Promise<void> {
  const task = await new TaskStore(fileSystem, parent).update(name, (before) =>
    plan.newLabels.filter(({ name: label }) => !before.labels.some((known) => known.name === label)).reduce((now, { name: label }) => applyLabelEdit(now, { do: 'add', name: label }), before),
  );
  for (const [annotator, decisions] of byAnnotator(plan.decisions)) {
    const { store } = await JournalStore.open({ fileSystem, folder: labelsFolder(parent, name), task, annotator, breathe: pause });
    await store.append([...importDrafts(decisions, task, target)]);
  }
}
