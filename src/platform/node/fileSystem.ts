import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { mkdir, open, readFile, readdir, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import * as path from 'node:path';
import { HumanError } from '../../core/errors';
import type { FileSystem } from '../../storage/fileSystem';
import { AtomicFile, syncFolder, unlessMissing } from './atomicFile';
import { fileError } from './fileErrors';

/** The machine's own file system. What goes wrong is a HumanError that names the path ({@link fileError}). */
export class NodeFileSystem implements FileSystem {
  async readFile(file: string): Promise<Uint8Array | undefined> {
    const content = await worded(file, 'read', () => readFile(file).catch(unlessMissing));
    // a plain array: Buffer's own methods differ, and `slice` even shares memory
    return content && new Uint8Array(content.buffer, content.byteOffset, content.length);
  }

  async writeFileAtomically(file: string, content: Uint8Array): Promise<void> {
    await worded(file, 'write', async () => {
      await mkdir(path.dirname(file), { recursive: true });
      const target = await AtomicFile.create(file);
      try {
        await target.handle.writeFile(content);
      } catch (error) {
        await target.discard();
        throw error;
      }
      await target.commit();
    });
  }

  async append(file: string, lines: Uint8Array, create: boolean): Promise<number> {
    return await worded(file, 'write', async () => {
      // the outermost of the folders that were missing
      const made = create ? await mkdir(path.dirname(file), { recursive: true }) : undefined;
      const handle = await open(file, constants.O_RDWR | constants.O_APPEND | (create ? constants.O_CREAT : 0), 0o666);
      try {
        const before = await handle.stat();
        const content = before.size > 0 && (await lastByte(handle, before.size)) !== LINE_FEED ? Buffer.concat([Buffer.from([LINE_FEED]), lines]) : lines;
        await writeWhole(handle, content, before.size);
        const after = await handle.stat();
        if (after.nlink === 0) throw new HumanError('file.missing', '{0} does not exist. Check the path.', [file]);
        if (after.size < before.size + content.length)
          throw new HumanError('file.changed', '{0} was changed by another program while it was being written. Try again.', [file]);
        if (before.size === 0) await syncFolders(path.dirname(file), made);
        return after.size;
      } finally {
        await handle.close();
      }
    });
  }

  async readFrom(file: string, offset: number, length: number): Promise<Uint8Array | undefined> {
    return await worded(file, 'read', async () => {
      const handle = await open(file, 'r').catch(unlessMissing);
      if (handle === undefined) return undefined;
      try {
        const content = new Uint8Array(Math.max(0, Math.min(length, (await handle.stat()).size - offset)));
        let read = 0;
        while (read < content.length) {
          const { bytesRead } = await handle.read(content, read, content.length - read, offset + read);
          if (bytesRead === 0) break;
          read += bytesRead;
        }
        return content.subarray(0, read);
      } finally {
        await handle.close();
      }
    });
  }

  async truncate(file: string, size: number, from: number): Promise<boolean> {
    return await worded(file, 'write', async () => {
      const handle = await open(file, 'r+').catch(unlessMissing);
      if (handle === undefined) return false;
      try {
        return await cut(handle, size, from);
      } finally {
        await handle.close();
      }
    });
  }

  async list(folder: string): Promise<readonly { readonly name: string; readonly kind: 'file' | 'folder' }[]> {
    return await worded(folder, 'read', async () => {
      const entries = (await readdir(folder, { withFileTypes: true }).catch(unlessMissing)) ?? [];
      const listed: { name: string; kind: 'file' | 'folder' }[] = [];
      for (const entry of entries) {
        // a link counts as what it leads to, and not at all if that is gone
        const kind = entry.isSymbolicLink() ? await stat(path.join(folder, entry.name)).catch(unlessMissing) : entry;
        if (kind?.isFile()) listed.push({ name: entry.name, kind: 'file' });
        else if (kind?.isDirectory()) listed.push({ name: entry.name, kind: 'folder' });
      }
      return listed;
    });
  }

  async size(file: string): Promise<number | undefined> {
    return await worded(file, 'read', async () => {
      const found = await stat(file).catch(unlessMissing);
      return found?.isFile() ? found.size : undefined;
    });
  }

  async remove(file: string): Promise<void> {
    await worded(file, 'write', () => rm(file, { recursive: true, force: true }));
  }

  async rename(from: string, to: string): Promise<void> {
    await worded(to, 'write', async () => {
      try {
        await rename(from, to);
      } catch (error) {
        if (!(await isFolder(from)) || !(await isFolder(to))) throw error;
        await replaceFolder(from, to);
      }
      await syncFolder(path.dirname(to));
    });
  }
}

const LINE_FEED = 10;

async function lastByte(handle: FileHandle, size: number): Promise<number | undefined> {
  const byte = new Uint8Array(1);
  const { bytesRead } = await handle.read(byte, 0, 1, size - 1);
  return bytesRead === 1 ? byte[0] : undefined;
}

/** Writes at the end of the file, in one piece unless the system takes less, and flushes. After an error what was written is taken out again, if nobody has written behind it. */
async function writeWhole(handle: FileHandle, content: Uint8Array, before: number): Promise<void> {
  let written = 0;
  try {
    while (written < content.length) written += (await handle.write(content, written)).bytesWritten;
    await handle.sync();
  } catch (error) {
    // the first error is the one to tell; what stays behind is found as a damaged line
    if (written > 0) await cut(handle, before, before + written).catch(() => false);
    throw error;
  }
}

async function cut(handle: FileHandle, size: number, from: number): Promise<boolean> {
  if ((await handle.stat()).size !== from) return false;
  await handle.truncate(size);
  await handle.sync();
  return true;
}

/** Makes the name of a new file in `folder` durable, and those of the folders that were made for it, of which `made` is the outermost. */
async function syncFolders(folder: string, made: string | undefined): Promise<void> {
  await syncFolder(folder);
  if (made === undefined || folder.length < made.length) return;
  await syncFolders(path.dirname(folder), made);
}

/** No system replaces a folder that is not empty in one step: the old one goes aside first, and comes back if the new one cannot take its place. */
async function replaceFolder(from: string, to: string): Promise<void> {
  const aside = path.join(path.dirname(to), `.${path.basename(to)}.${randomBytes(6).toString('hex')}.old`);
  await rename(to, aside);
  try {
    await rename(from, to);
  } catch (error) {
    await rename(aside, to);
    throw error;
  }
  await rm(aside, { recursive: true, force: true });
}

async function isFolder(file: string): Promise<boolean> {
  return (await stat(file).catch(unlessMissing))?.isDirectory() ?? false;
}

async function worded<T>(file: string, doing: 'read' | 'write', work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw fileError(error, file, doing);
  }
}
