import { HumanError } from '../core/errors';
import { formatTask, parseTask, taskLimits, type TaskDefinition } from '../core/labels/task';
import type { FileSystem } from './fileSystem';
import { joinPath, labelsFolder, tasksFolder } from './paths';

const taskFile = 'task.json';

/** What `.label-lens/.gitignore` says where there is none. */
const IGNORED = '# Models can be trained again. Take the next line out to commit them.\n*/models/\n';
/** Journals only grow at their end: git keeps the lines of both sides, and leaves their line ends alone. */
const ATTRIBUTES = '*.jsonl text eol=lf merge=union\n';

/** Times that a save starts over because somebody else has just saved. */
const ATTEMPTS = 10;

/** A task as a list shows it. */
export interface TaskSummary {
  readonly name: string;
  readonly definition?: TaskDefinition;
  /** Why its task.json cannot be used. */
  readonly problem?: Error;
}

/** Keeps models out of git, unless somebody has decided on that. @param folder absolute path of the folder in which `.label-lens/` stands */
export async function ignoreModels(fileSystem: FileSystem, folder: string): Promise<void> {
  const file = joinPath(tasksFolder(folder), '.gitignore');
  if ((await fileSystem.size(file)) === undefined) await fileSystem.writeFileAtomically(file, new TextEncoder().encode(IGNORED));
}

/** The tasks of a folder, `.label-lens/TASK/task.json`. */
export class TaskStore {
  /** The last save, so that those of this process come one after the other. */
  private saving: Promise<unknown> = Promise.resolve();

  /** @param folder absolute path of the folder in which `.label-lens/` stands */
  constructor(
    private readonly fileSystem: FileSystem,
    readonly folder: string,
  ) {}

  /** All tasks, by name, those with a broken task.json too. Folders that only hold models are none. */
  async list(): Promise<readonly TaskSummary[]> {
    const found: TaskSummary[] = [];
    for (const { name, kind } of await this.fileSystem.list(tasksFolder(this.folder))) {
      if (kind !== 'folder' || !isTaskName(name) || (await this.fileSystem.size(this.file(name))) === undefined) continue;
      try {
        found.push({ name, definition: await this.read(name) });
      } catch (error) {
        found.push({ name, problem: error instanceof Error ? error : new Error(String(error)) });
      }
    }
    return found.sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }));
  }

  /** @throws HumanError when there is no such task, or its task.json is not sound */
  async read(name: string): Promise<TaskDefinition> {
    return this.parse(name, await this.load(name));
  }

  /**
   * Writes a new task, with what git has to know of its folder.
   * @throws HumanError when its name is taken or is no name of a folder, or it cannot be written
   */
  async create(task: TaskDefinition): Promise<TaskDefinition> {
    const { name } = task;
    if (!isTaskName(name))
      throw new HumanError('task.name', '"{0}" cannot be the name of a task, because it names its folder, too. Choose 1 to {1} characters without / \\ : and not starting with a dot.', [name, taskLimits.nameLength]);
    const content = formatTask(task);
    // what was written is what is read
    const definition = this.parse(name, content);
    return await this.serially(async () => {
      const names = (await this.fileSystem.list(tasksFolder(this.folder))).map((entry) => entry.name);
      const taken = names.find((other) => other.toLowerCase() === name.toLowerCase());
      if (taken !== undefined && (await this.fileSystem.size(this.file(taken))) !== undefined)
        throw new HumanError('task.exists', 'There is a task {0} already. Open it, or choose another name.', [taken]);
      await ignoreModels(this.fileSystem, this.folder);
      const attributes = joinPath(labelsFolder(this.folder, name), '.gitattributes');
      if ((await this.fileSystem.size(attributes)) === undefined) await this.fileSystem.writeFileAtomically(attributes, new TextEncoder().encode(ATTRIBUTES));
      // last: without it the folder is no task
      await this.fileSystem.writeFileAtomically(this.file(name), content);
      return definition;
    });
  }

  /**
   * Changes a task and saves it. The change is made to what the file says now, which somebody else may have changed, and again if they do so meanwhile.
   *
   * @param change must not have effects of its own: it may be called several times
   * @returns the task as it is now
   * @throws HumanError when the file cannot be read or written, and what `change` throws; nothing has changed then
   */
  async update(name: string, change: (task: TaskDefinition) => TaskDefinition): Promise<TaskDefinition> {
    return await this.serially(async () => {
      let before = await this.load(name);
      for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
        const content = formatTask({ ...change(this.parse(name, before)), name });
        const definition = this.parse(name, content);
        const now = await this.load(name);
        if (isEqual(now, before)) {
          await this.fileSystem.writeFileAtomically(this.file(name), content);
          return definition;
        }
        before = now;
      }
      throw new HumanError('task.busy', '{0} is changed by another program again and again. Wait for that to end, and try again.', [this.file(name)]);
    });
  }

  private file(name: string): string {
    return joinPath(tasksFolder(this.folder), name, taskFile);
  }

  private async load(name: string): Promise<Uint8Array> {
    const file = this.file(name);
    const size = isTaskName(name) ? await this.fileSystem.size(file) : undefined;
    if (size !== undefined && size > taskLimits.bytes) throw new HumanError('task.size', '{0} has {1} bytes, more than the {2} that Label Lens opens. Correct the file.', [file, size, taskLimits.bytes]);
    const content = size === undefined ? undefined : await this.fileSystem.readFile(file);
    if (content === undefined) throw new HumanError('task.missing', 'There is no task {0} in {1} any more. Choose another one, or create it anew.', [name, tasksFolder(this.folder)]);
    return content;
  }

  /** The folder's name counts: somebody may have renamed it. */
  private parse(name: string, content: Uint8Array): TaskDefinition {
    return { ...parseTask(content, this.file(name)), name };
  }

  private async serially<T>(work: () => Promise<T>): Promise<T> {
    const done = this.saving.then(work);
    this.saving = done.catch(() => undefined);
    return await done;
  }
}

/** One segment of a path, which cannot lead out of its folder. */
function isTaskName(name: string): boolean {
  return name !== '' && name.length <= taskLimits.nameLength && !name.startsWith('.') && !/[/\\:\0]/.test(name);
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
