import { columnIndices } from '../../core/csv/columns';
import { recordBatches, RecordReader } from '../../core/csv/reader';
import { CancelledError } from '../../core/errors';
import { newLabels, taskFormatVersion, type TaskDefinition, type TaskSource } from '../../core/labels/task';
import { JournalStore } from '../../storage/journalStore';
import { labelsFolder } from '../../storage/paths';
import { TaskStore } from '../../storage/taskStore';
import { Emitter, type Event } from '../events';
import { joinPath } from '../modelStore';
import { planImport } from './importLabels';
import type { LabelingTask, LabelingTasks, NewTask } from './labeling';
import { OpenTask, type LabelingServices } from './openTask';

/** The tasks below some folders, of which one at a time is open. */
export class FolderTasks implements LabelingTasks {
  private readonly emitter: Emitter<LabelingTask | undefined>;
  private opened: OpenTask | undefined;
  /** Openings wait for each other: the last one asked for is the one that stays open. */
  private last: Promise<unknown> = Promise.resolve();
  private disposed = false;
  private readonly stores = new Map<string, TaskStore>();

  /** @param folders absolute paths of the folders whose `.label-lens/` may hold tasks */
  constructor(
    private readonly services: LabelingServices,
    private readonly folders: () => readonly string[],
  ) {
    this.emitter = new Emitter((error) => services.log.error(error instanceof Error ? error : String(error)));
  }

  get active(): LabelingTask | undefined {
    return this.opened;
  }

  get onDidChangeActive(): Event<LabelingTask | undefined> {
    return this.emitter.event;
  }

  async list(): ReturnType<LabelingTasks['list']> {
    const found = await Promise.all(this.folders().map(async (folder) => (await this.storeOf(folder).list()).map((task) => ({ ...task, folder }))));
    return found.flat();
  }

  async create(folder: string, { labels, labelColumn, ...task }: NewTask): Promise<LabelingTask> {
    const definition: TaskDefinition = { ...task, formatVersion: taskFormatVersion, labels: task.kind === 'number' ? [] : newLabels(labels) };
    for (const source of task.sources) if (source.kind === 'table') await this.checkTable(folder, source);
    await this.storeOf(folder).create(definition);
    const opened = await this.open(folder, task.name);
    if (labelColumn !== undefined) await this.importColumn(opened, labelColumn);
    return opened;
  }

  async open(folder: string, name: string): Promise<LabelingTask> {
    const turn = this.last.then(() => this.openNow(folder, name));
    this.last = turn.catch(() => undefined);
    return await turn;
  }

  close(): void {
    const { opened } = this;
    if (!opened) return;
    this.opened = undefined;
    opened.dispose();
    this.emitter.fire(undefined);
  }

  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    this.opened?.dispose();
    this.opened = undefined;
    this.emitter.dispose();
  }

  private async openNow(folder: string, name: string): Promise<LabelingTask> {
    const { services } = this;
    const store = this.storeOf(folder);
    const definition = await store.read(name);
    const annotator = await services.annotator(folder);
    const journalOf = (person: string): ReturnType<typeof JournalStore.open> =>
      JournalStore.open({ fileSystem: services.fileSystem, folder: labelsFolder(folder, name), task: definition, annotator: person, breathe: services.pause });
    const { store: journal, problems } = await journalOf(annotator);
    const task = await OpenTask.open(services, { folder, definition, annotator, store, journal, journalOf: async (person) => (await journalOf(person)).store, problems });
    if (this.disposed) {
      task.dispose();
      throw new CancelledError();
    }
    this.opened?.dispose();
    this.opened = task;
    this.emitter.fire(task);
    return task;
  }

  private storeOf(folder: string): TaskStore {
    let store = this.stores.get(folder);
    if (!store) this.stores.set(folder, (store = new TaskStore(this.services.fileSystem, folder)));
    return store;
  }

  /** Looks whether the table is there and has the columns, before anything is written. */
  private async checkTable(folder: string, { file, textColumns }: Extract<TaskSource, { kind: 'table' }>): Promise<void> {
    const { chunks } = await this.services.openInput(joinPath(folder, file));
    const reader = new RecordReader(file);
    for await (const records of recordBatches(reader, chunks)) if (records.length > 0) break;
    columnIndices(reader, textColumns);
  }

  /** Takes over what a column of the task's tables says as decisions. */
  private async importColumn(task: LabelingTask, label: string): Promise<void> {
    await task.ready;
    for (const source of task.definition.sources) {
      if (source.kind !== 'table') continue;
      const { chunks } = await this.services.openInput(joinPath(task.folder, source.file));
      const plan = await planImport({
        file: source.file,
        chunks,
        fields: { text: source.textColumns, label },
        target: { task: task.definition, annotator: task.annotator, example: (id) => task.example(id), stateOf: (id) => task.stateOf(id), wordOf: (id, annotator) => task.wordOf(id, annotator) },
        pause: this.services.pause,
      });
      await task.importPlanned(plan);
    }
  }
}
