import { isTemporaryName, type FileSystem } from './fileSystem';

/** Larger files are not read: no training that fits into WebAssembly's memory writes one. */
const largest = 2 ** 31;

/** Keeps the checkpoint of a training in one file, for `Trainer.train`. */
export class CheckpointFile {
  readonly where: string;
  private readonly folder: string;
  private readonly name: string;

  /** @param where absolute path */
  constructor(
    private readonly fileSystem: FileSystem,
    where: string,
  ) {
    this.where = where;
    const cut = Math.max(where.lastIndexOf('/'), where.lastIndexOf('\\'));
    this.folder = where.slice(0, Math.max(cut, 1));
    this.name = where.slice(cut + 1);
  }

  async load(): Promise<Uint8Array | undefined> {
    await this.tidy();
    const size = await this.fileSystem.size(this.where);
    if (size === undefined) return undefined;
    // what is too large is as good as damaged, which the reader finds out by an empty file too
    return size > largest ? new Uint8Array(0) : await this.fileSystem.readFile(this.where);
  }

  async save(checkpoint: Uint8Array): Promise<void> {
    await this.fileSystem.writeFileAtomically(this.where, checkpoint);
  }

  async clear(): Promise<void> {
    await this.fileSystem.remove(this.where);
    await this.tidy();
  }

  /** Removes what processes left that were killed while they saved: each would be a whole checkpoint. */
  private async tidy(): Promise<void> {
    for (const { name, kind } of await this.fileSystem.list(this.folder)) {
      if (kind === 'file' && isTemporaryName(name, this.name)) await this.fileSystem.remove(`${this.folder}/${name}`).catch(() => undefined);
    }
  }
}
