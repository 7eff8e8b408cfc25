import { randomBytes } from 'node:crypto';
import { open, realpath, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import * as path from 'node:path';
import { temporaryName } from '../../storage/fileSystem';

/**
 * A file that appears under its name whole or not at all: written under a temporary name in the same folder, flushed to the disk, then renamed over the
 * old one. An old file's permissions are kept, and a symbolic link stays one.
 */
export class AtomicFile {
  private ended = false;

  private constructor(
    /** To be written through. Closed by {@link commit} and {@link discard}. */
    readonly handle: FileHandle,
    private readonly temporary: string,
    private readonly target: string,
  ) {}

  /** The folder of `file` must exist. */
  static async create(file: string): Promise<AtomicFile> {
    const old = await stat(file).catch(unlessMissing);
    const target = old ? await realpath(file) : file;
    const temporary = path.join(path.dirname(target), temporaryName(path.basename(target), randomBytes(6).toString('hex')));
    // `x`: never through a link that somebody else put there
    const handle = await open(temporary, 'wx', 0o666);
    const atomic = new AtomicFile(handle, temporary, target);
    try {
      if (old && process.platform !== 'win32') await handle.chmod(old.mode & 0o777);
    } catch (error) {
      await atomic.discard();
      throw error;
    }
    return atomic;
  }

  /** Flushes, closes and renames. If that fails, nothing is left of it. */
  async commit(): Promise<void> {
    try {
      await this.handle.sync();
      await this.handle.close();
      await rename(this.temporary, this.target);
      this.ended = true;
    } catch (error) {
      await this.discard();
      throw error;
    }
    await syncFolder(path.dirname(this.target));
  }

  /** Leaves no trace, except of what was committed. */
  async discard(): Promise<void> {
    if (this.ended) return;
    this.ended = true;
    // closed already if `commit` came that far
    await this.handle.close().catch(() => undefined);
    await rm(this.temporary, { force: true });
  }
}

/** Makes a rename in `folder` durable. Best effort: Windows and some network file systems cannot. */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  try {
    const handle = await open(folder, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch {
    // the file is there under its name; only a power cut right now could undo that
  }
}

/** For `catch`: nothing there is an ordinary answer. */
export function unlessMissing(error: unknown): undefined {
  const { code } = error as NodeJS.ErrnoException;
  if (code !== 'ENOENT' && code !== 'ENOTDIR') throw error;
  return undefined;
}
