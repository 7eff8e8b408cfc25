import { bundleFileNames } from '../core/model/bundle';
import { formatManifest, parseManifest } from '../core/model/manifest';
import type { BundleFiles } from '../core/protocol/predictor';
import { fileNameOf, isDeviceName } from '../core/text/fileName';
import { CheckpointFile } from '../storage/checkpointFile';
import type { FileSystem } from '../storage/fileSystem';
import { ignoreModels } from '../storage/taskStore';
import { currentFile, joinPath, modelsFolder } from './modelStore';

/** Characters that a task's name takes over from a file's name. */
const NAME_LENGTH = 60;
const VERSION = /^v([1-9]\d{0,8})$/;

/**
 * The name of the task that a file's texts and labels are about, fit for a folder in every file system: the file's, without its endings.
 *
 * @param taken names that mean something else already, such as those of shipped models
 */
export function taskNameOf(fileName: string, taken: readonly string[] = []): string {
  const name = fileNameOf(fileName.replace(/\.gz$/i, '').replace(/(?<=.)\.[^.]*$/, ''), NAME_LENGTH);
  if (name === '') return 'model';
  return isDeviceName(name) || taken.some((other) => other.toLowerCase() === name.toLowerCase()) ? `${name}-own` : name;
}

/** Writes the three files of a bundle; model.json, without which a folder is no model, last. */
export async function writeBundle(fileSystem: FileSystem, folder: string, bundle: BundleFiles): Promise<void> {
  for (const part of ['model', 'tokenizer', 'manifest'] as const) await fileSystem.writeFileAtomically(joinPath(folder, bundleFileNames[part]), bundle[part]);
}

/** The versions of one task's model, `.label-lens/TASK/models/`, as {@link ModelStore} reads them. */
export class TaskModels {
  private readonly folder: string;

  /** @param parent absolute path of the folder in which `.label-lens/` stands */
  constructor(
    private readonly fileSystem: FileSystem,
    private readonly parent: string,
    readonly task: string,
  ) {
    this.folder = modelsFolder(parent, task);
  }

  /** Keeps what a training of this task needs to go on. It does not depend on the version: the next training with the same choices finds it, and leaves nothing behind that looks like a model. */
  checkpoints(): CheckpointFile {
    return new CheckpointFile(this.fileSystem, joinPath(this.folder, 'training.checkpoint'));
  }

  /** `v1`, or one more than the highest there is. */
  async nextVersion(): Promise<string> {
    const numbers = (await this.fileSystem.list(this.folder)).map(({ name }) => Number(VERSION.exec(name)?.[1] ?? 0));
    return `v${Math.max(0, ...numbers) + 1}`;
  }

  /** Keeps models out of git, unless somebody has decided on that. */
  async ignoreModels(): Promise<void> {
    await ignoreModels(this.fileSystem, this.parent);
  }

  /**
   * Adds a version and makes it the one in use. Until it is whole nothing of it is to be seen. Its name is the one that its model.json gives, or the next free one if somebody else has taken that meanwhile.
   *
   * @throws HumanError when it cannot be written; nothing half-written stays behind then, if that can be helped
   */
  async add(bundle: BundleFiles): Promise<{ readonly version: string; readonly folder: string }> {
    const manifest = parseManifest(bundle.manifest, bundleFileNames.manifest);
    const isTaken = (await this.fileSystem.list(this.folder)).some(({ name }) => name === manifest.version);
    const version = isTaken ? await this.nextVersion() : manifest.version;
    const folder = joinPath(this.folder, version);
    try {
      await writeBundle(this.fileSystem, folder, isTaken ? { ...bundle, manifest: formatManifest({ ...manifest, version }) } : bundle);
      await this.fileSystem.writeFileAtomically(joinPath(this.folder, currentFile), new TextEncoder().encode(`${version}\n`));
    } catch (error) {
      await this.fileSystem.remove(folder).catch(() => undefined);
      throw error;
    }
    return { version, folder };
  }
}
