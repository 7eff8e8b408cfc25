import { HumanError } from '../core/errors';
import { bundleFileNames } from '../core/model/bundle';
import { formatManifest, manifestLimits, parseManifest, type ModelManifest } from '../core/model/manifest';
import type { BundleFiles } from '../core/protocol/predictor';
import { fileNameOf, isDeviceName } from '../core/text/fileName';
import { CheckpointFile } from '../storage/checkpointFile';
import type { FileSystem } from '../storage/fileSystem';
import { ignoreModels } from '../storage/taskStore';
import { currentFile, currentVersion, joinPath, modelsFolder } from './modelStore';

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

  /**
   * Keeps what a training of this task needs to go on. It does not depend on the version: the next training with the same choices finds it, and leaves nothing behind that looks like a model.
   * @param purpose trainings of one do not disturb what another has left
   */
  checkpoints(purpose: 'training' | 'fineTuning' = 'training'): CheckpointFile {
    return new CheckpointFile(this.fileSystem, joinPath(this.folder, `${purpose}.checkpoint`));
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
      await this.flip(version);
    } catch (error) {
      await this.fileSystem.remove(folder).catch(() => undefined);
      throw error;
    }
    return { version, folder };
  }

  /** Absolute path of a version's folder. */
  folderOf(version: string): string {
    return joinPath(this.folder, version);
  }

  /** The version in use, if there is one. */
  async current(): Promise<string | undefined> {
    const version = await currentVersion(this.fileSystem, this.folder);
    return version !== undefined && (await this.has(version)) ? version : undefined;
  }

  /** All versions that are whole, the oldest first. */
  async versions(): Promise<readonly { readonly version: string; readonly manifest: ModelManifest }[]> {
    const found: { readonly version: string; readonly manifest: ModelManifest }[] = [];
    for (const { name, kind } of await this.fileSystem.list(this.folder)) {
      if (kind !== 'folder' || !VERSION.test(name)) continue;
      const file = joinPath(this.folder, name, bundleFileNames.manifest);
      const size = await this.fileSystem.size(file);
      const content = size === undefined || size > manifestLimits.bytes ? undefined : await this.fileSystem.readFile(file);
      try {
        if (content) found.push({ version: name, manifest: parseManifest(content, file) });
      } catch (error) {
        // a broken one is none to go back to; the model store lists it with its problem
        if (!(error instanceof HumanError)) throw error;
      }
    }
    return found.sort((a, b) => numberOf(a.version) - numberOf(b.version));
  }

  /** Makes an earlier version the one in use. @throws HumanError when there is no such version, or it cannot be written */
  async choose(version: string): Promise<void> {
    if (!VERSION.test(version) || !(await this.has(version)))
      throw new HumanError('model.version', 'The task {0} has no model version {1}. Choose one of these: {2}.', [this.task, version, (await this.versions()).map((known) => known.version).join(', ') || '–']);
    await this.flip(version);
  }

  /**
   * Removes versions that are too many, the oldest first.
   * @param isOwn which of them may go at all
   * @param keep how many of those stay, besides the best and the one in use
   */
  async prune(isOwn: (manifest: ModelManifest) => boolean, keep: number): Promise<void> {
    const versions = await this.versions();
    const spared = new Set([bestVersion(versions), await this.current()]);
    const removable = versions.filter(({ version, manifest }) => isOwn(manifest) && !spared.has(version));
    for (const { version } of removable.slice(0, Math.max(0, removable.length - keep))) await this.fileSystem.remove(this.folderOf(version));
  }

  private async has(version: string): Promise<boolean> {
    return (await this.fileSystem.size(joinPath(this.folder, version, bundleFileNames.manifest))) !== undefined;
  }

  private async flip(version: string): Promise<void> {
    await this.fileSystem.writeFileAtomically(joinPath(this.folder, currentFile), new TextEncoder().encode(`${version}\n`));
  }
}

/** The version with the highest accuracy on its held-out rows, or exact match or R² where its kind has that; of equal ones the latest. */
export function bestVersion(versions: readonly { readonly version: string; readonly manifest: ModelManifest }[]): string | undefined {
  let best: { readonly version: string; readonly accuracy: number } | undefined;
  for (const { version, manifest } of versions) {
    const { exactMatch, r2 } = manifest.metrics;
    const accuracy = manifest.metrics['accuracy'] ?? exactMatch ?? r2;
    if (accuracy !== undefined && accuracy >= (best?.accuracy ?? -Infinity)) best = { version, accuracy };
  }
  return best?.version;
}

function numberOf(version: string): number {
  return Number(VERSION.exec(version)?.[1] ?? 0);
}
