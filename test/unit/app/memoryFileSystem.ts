import { HumanError } from '../../../src/core/errors';
import type { FileSystem } from '../../../src/storage/fileSystem';

/** A file system in memory: absolute paths with `/` to contents; folders exist as far as files lie in them. Notes what was read. */
export class MemoryFileSystem implements FileSystem {
  readonly read: string[] = [];

  constructor(readonly files: Map<string, Uint8Array> = new Map()) {}

  put(path: string, content: string | Uint8Array): void {
    this.files.set(path, typeof content === 'string' ? new TextEncoder().encode(content) : content);
  }

  readFile(path: string): Promise<Uint8Array | undefined> {
    this.read.push(path);
    return Promise.resolve(this.files.get(path));
  }

  writeFileAtomically(path: string, content: Uint8Array): Promise<void> {
    this.files.set(path, content);
    return Promise.resolve();
  }

  append(path: string, lines: Uint8Array, create: boolean): Promise<number> {
    const old = this.files.get(path);
    if (old === undefined && !create) return Promise.reject(new HumanError('file.missing', '{0} does not exist. Check the path.', [path]));
    const content = Buffer.concat([old ?? new Uint8Array(0), old !== undefined && old.length > 0 && old.at(-1) !== 10 ? Buffer.from('\n') : new Uint8Array(0), lines]);
    this.files.set(path, new Uint8Array(content));
    return Promise.resolve(content.length);
  }

  readFrom(path: string, offset: number, length: number): Promise<Uint8Array | undefined> {
    return Promise.resolve(this.files.get(path)?.slice(offset, offset + length));
  }

  truncate(path: string, size: number, from: number): Promise<boolean> {
    const old = this.files.get(path);
    if (old?.length !== from) return Promise.resolve(false);
    this.files.set(path, old.slice(0, size));
    return Promise.resolve(true);
  }

  list(path: string): Promise<readonly { readonly name: string; readonly kind: 'file' | 'folder' }[]> {
    const entries = new Map<string, 'file' | 'folder'>();
    for (const file of this.files.keys()) {
      if (!file.startsWith(`${path}/`)) continue;
      const [name, ...rest] = file.slice(path.length + 1).split('/');
      entries.set(name!, rest.length > 0 ? 'folder' : 'file');
    }
    return Promise.resolve([...entries].map(([name, kind]) => ({ name, kind })));
  }

  size(path: string): Promise<number | undefined> {
    return Promise.resolve(this.files.get(path)?.length);
  }

  remove(path: string): Promise<void> {
    for (const file of [...this.files.keys()]) if (file === path || file.startsWith(`${path}/`)) this.files.delete(file);
    return Promise.resolve();
  }

  rename(from: string, to: string): Promise<void> {
    for (const [file, content] of [...this.files]) {
      if (file !== from && !file.startsWith(`${from}/`)) continue;
      this.files.delete(file);
      this.files.set(to + file.slice(from.length), content);
    }
    return Promise.resolve();
  }
}
