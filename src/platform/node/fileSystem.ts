import { randomBytes } from 'node:crypto';
import { mkdir, readFile, readdir, rename, rm, stat } from 'node:fs/promises';
import * as path from 'node:path';
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
