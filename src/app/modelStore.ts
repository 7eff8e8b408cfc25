import { HumanError } from '../core/errors';
import { bundleFileNames, bundleLimits } from '../core/model/bundle';
import { parseManifest, type ModelManifest } from '../core/model/manifest';
import { fillTensors, lenderOf, sharedModelFile, sharedModelLimit } from '../core/model/sharedModel';
import type { BundleFiles } from '../core/protocol/predictor';
import type { FileSystem } from '../storage/fileSystem';
import { joinPath, tasksFolder } from '../storage/paths';

export { joinPath, tasksFolder };

/** Where a model was found: it came with the extension, lies in a workspace folder's `.label-lens/`, was trained where no folder was open, or was named by its folder. */
export type ModelOrigin = 'shipped' | 'workspace' | 'own' | 'folder';

/** A model as a list shows it. Only its `model.json` has been read. */
export interface ModelSummary {
  /** What {@link ModelStore.open} takes: the folder's name for a shipped model, `TASK/VERSION` for one of a task, else the folder. */
  readonly name: string;
  /** Absolute path of the folder with model.onnx, tokenizer.json and model.json. */
  readonly folder: string;
  readonly origin: ModelOrigin;
  /** Absent if the model is broken; then {@link problem} says how. */
  readonly manifest?: ModelManifest;
  readonly problem?: Error;
}

/** A model whose files have been read. Sizes and model.json are checked; the predictor's worker checks the rest before it uses them. */
export interface OpenedModel {
  /** Unique for the content: name, version and the beginning of model.onnx's SHA-256. */
  readonly key: string;
  readonly name: string;
  readonly folder: string;
  readonly origin: ModelOrigin;
  readonly manifest: ModelManifest;
  readonly files: BundleFiles;
}

export interface ModelStoreOptions {
  readonly fileSystem: FileSystem;
  /** Absolute path of the folder of shipped models, `models/` of the extension or package. */
  readonly shippedFolder: string;
  /** Absolute paths of the workspace folders whose `.label-lens/` may be read. None while the workspace is not trusted. */
  readonly workspaceFolders?: () => readonly string[];
  /** Absolute path of a folder of the person's own whose `.label-lens/` holds what was trained where no folder was open. */
  readonly ownFolder?: string;
}

/** Names the version in use, in a task's `models/` folder. */
export const currentFile = 'current';

/** The shipped model that a person starts with. */
export const defaultModel = 'sentiment';

/**
 * Finds and opens models: shipped ones (`models/NAME/`) and those of the workspaces and the person (`.label-lens/TASK/models/VERSION/`), by name or by folder.
 *
 * What it reads is untrusted input. Sizes are bounded before reading and model.json is checked here; hashes, tokenizer and graph are checked by `validateBundle` where
 * the predictor loads the bundle, in its worker, because hashing a large model takes longer than an editor may stand still.
 */
export class ModelStore {
  private readonly fileSystem: FileSystem;
  private readonly shippedFolder: string;
  private readonly workspaceFolders: () => readonly string[];
  private readonly ownFolder: string | undefined;

  constructor(options: ModelStoreOptions) {
    this.fileSystem = options.fileSystem;
    this.shippedFolder = options.shippedFolder;
    this.workspaceFolders = options.workspaceFolders ?? (() => []);
    this.ownFolder = options.ownFolder;
  }

  /** All models that can be found, shipped ones first, each group by name. Broken ones are listed with their problem. */
  async list(): Promise<readonly ModelSummary[]> {
    const found: ModelSummary[] = [];
    const isDefault = (name: string): number => Number(name === defaultModel);
    const shipped = [...(await this.folders(this.shippedFolder))].sort((a, b) => isDefault(b) - isDefault(a));
    for (const name of shipped) found.push(await this.summary(name, joinPath(this.shippedFolder, name), 'shipped'));
    for (const { folder, origin } of this.places()) {
      for (const task of await this.folders(tasksFolder(folder))) {
        const versions = modelsFolder(folder, task);
        for (const version of await this.folders(versions)) found.push(await this.summary(`${task}/${version}`, joinPath(versions, version), origin));
      }
    }
    return found;
  }

  /** The model that {@link open} would open, as {@link list} shows it. @throws HumanError when there is no such model */
  async find(nameOrFolder: string): Promise<ModelSummary> {
    const { name, folder, origin } = await this.locate(nameOrFolder);
    return await this.summary(name, folder, origin);
  }

  /**
   * Opens a model by its name, by `TASK` (its version in use), by `TASK/VERSION`, or by the absolute path of its folder.
   * A workspace's model wins over a shipped one of the same name.
   *
   * @throws HumanError when there is no such model, a file is missing or too large, or model.json is not sound
   */
  async open(nameOrFolder: string): Promise<OpenedModel> {
    const place = await this.locate(nameOrFolder);
    const manifestFile = await this.read(place.folder, 'manifest');
    const { tokenizer, model } = (await this.openShared(place)) ?? { tokenizer: await this.read(place.folder, 'tokenizer'), model: await this.read(place.folder, 'model') };
    const manifest = parseManifest(manifestFile, joinPath(place.folder, bundleFileNames.manifest));
    return { ...place, key: `${place.name}@${manifest.version}#${manifest.sha256.slice(0, 12)}`, manifest, files: { manifest: manifestFile, tokenizer, model } };
  }

  /**
   * The files of a shipped model that shares most of its weights, and its tokenizer, with another; undefined for any other model. Only what came with the extension may: a
   * workspace's model reads nothing outside its own folder.
   */
  private async openShared({ folder, origin }: { readonly folder: string; readonly origin: ModelOrigin }): Promise<Pick<BundleFiles, 'tokenizer' | 'model'> | undefined> {
    if (origin !== 'shipped') return undefined;
    const path = joinPath(folder, sharedModelFile);
    const size = await this.fileSystem.size(path);
    if (size === undefined || size > sharedModelLimit) return undefined;
    const shared = await this.fileSystem.readFile(path);
    const lender = shared && lenderOf(shared, path);
    if (!shared || lender === undefined || !isPlainName(lender)) return undefined;
    const lenderFolder = joinPath(this.shippedFolder, lender);
    return { tokenizer: await this.read(lenderFolder, 'tokenizer'), model: fillTensors(shared, await this.read(lenderFolder, 'model'), path) };
  }

  private async locate(nameOrFolder: string): Promise<{ name: string; folder: string; origin: ModelOrigin }> {
    const wanted = nameOrFolder.trim().replaceAll('\\', '/');
    const segments = wanted.split('/');
    if (segments.every(isPlainName) && segments.length <= 2) {
      const [task, version] = segments as [string, string | undefined];
      for (const place of this.places()) {
        const versions = modelsFolder(place.folder, task);
        const chosen = version ?? (await currentVersion(this.fileSystem, versions));
        if (chosen !== undefined && (await this.isModel(joinPath(versions, chosen)))) return { name: `${task}/${chosen}`, folder: joinPath(versions, chosen), origin: place.origin };
      }
      if (version === undefined && (await this.isModel(joinPath(this.shippedFolder, task)))) return { name: task, folder: joinPath(this.shippedFolder, task), origin: 'shipped' };
    }
    if (isAbsolute(wanted)) {
      const folder = wanted.replace(/(?<=.)\/+$/, '');
      const name = folder.slice(folder.lastIndexOf('/') + 1);
      return { name, folder, origin: folder === joinPath(this.shippedFolder, name) ? 'shipped' : 'folder' };
    }
    const known = (await this.list()).map((model) => model.name);
    throw new HumanError('model.unknown', 'There is no model {0}. Choose one of these, or a folder that holds model.onnx, tokenizer.json and model.json: {1}.', [
      nameOrFolder,
      known.length > 0 ? known.join(', ') : '–',
    ]);
  }

  /** Where tasks lie: a workspace's own come first. */
  private places(): readonly { readonly folder: string; readonly origin: ModelOrigin }[] {
    const workspaces = this.workspaceFolders().map((folder) => ({ folder, origin: 'workspace' as const }));
    return this.ownFolder === undefined ? workspaces : [...workspaces, { folder: this.ownFolder, origin: 'own' }];
  }

  private async isModel(folder: string): Promise<boolean> {
    return (await this.fileSystem.list(folder)).some((entry) => entry.kind === 'file' && entry.name === bundleFileNames.manifest);
  }

  private async summary(name: string, folder: string, origin: ModelOrigin): Promise<ModelSummary> {
    try {
      return { name, folder, origin, manifest: parseManifest(await this.read(folder, 'manifest'), joinPath(folder, bundleFileNames.manifest)) };
    } catch (error) {
      return { name, folder, origin, problem: error instanceof Error ? error : new Error(String(error)) };
    }
  }

  private async read(folder: string, part: keyof BundleFiles): Promise<Uint8Array> {
    const path = joinPath(folder, bundleFileNames[part]);
    const size = await this.fileSystem.size(path);
    if (size !== undefined && size > bundleLimits[part]) {
      throw new HumanError('model.file.size', '{0} has {1} bytes, more than the {2} that Label Lens opens. Choose another model.', [path, size, bundleLimits[part]]);
    }
    const content = size === undefined ? undefined : await this.fileSystem.readFile(path);
    if (!content) {
      throw new HumanError('model.file.missing', 'The folder {0} holds no {1}, so it is not a whole model. Copy all of {2} into it, or choose another folder.', [
        folder,
        bundleFileNames[part],
        Object.values(bundleFileNames).join(', '),
      ]);
    }
    return content;
  }

  private async folders(path: string): Promise<string[]> {
    const entries = await this.fileSystem.list(path);
    return entries
      .filter((entry) => entry.kind === 'folder' && isPlainName(entry.name))
      .map((entry) => entry.name)
      .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  }
}

/** The version in use of a task's model, if one is named. @param versions the task's `models/` folder */
export async function currentVersion(fileSystem: Pick<FileSystem, 'size' | 'readFile'>, versions: string): Promise<string | undefined> {
  const file = joinPath(versions, currentFile);
  if (((await fileSystem.size(file)) ?? 0) > 1024) return undefined;
  const content = await fileSystem.readFile(file);
  const name = content && new TextDecoder().decode(content).trim();
  return name !== undefined && isPlainName(name) ? name : undefined;
}

/** `error` with the model's folder in place of the key by which the predictor knows it: a folder is what a person can look into. */
export function namingFolder(error: unknown, model: OpenedModel): unknown {
  if (!(error instanceof HumanError)) return error;
  const args = error.args.map((value) => (typeof value === 'string' ? value.replaceAll(model.key, model.folder) : value));
  return new HumanError(error.code, error.template, args, { cause: error });
}

/** One segment of a path, which cannot lead out of its folder. */
function isPlainName(name: string): boolean {
  return name !== '' && !name.startsWith('.') && !/[/\\:\0]/.test(name);
}

function isAbsolute(path: string): boolean {
  return path.startsWith('/') || /^[A-Za-z]:\//.test(path);
}

/** Where the versions of a task's model lie. */
export function modelsFolder(folder: string, task: string): string {
  return joinPath(tasksFolder(folder), task, 'models');
}
