import type { PoolInput } from '../../../../src/app/labeling/pool';
import { HumanError } from '../../../../src/core/errors';
import type { MemoryFileSystem } from '../memoryFileSystem';

/** Opens files in memory, in pieces. */
export function openInputOf(fileSystem: MemoryFileSystem, pieceBytes = 64 * 1024): (path: string) => Promise<PoolInput> {
  return (path) => {
    const content = fileSystem.files.get(path);
    if (!content) return Promise.reject(new HumanError('file.missing', '{0} does not exist. Check the path.', [path]));
    let read = 0;
    return Promise.resolve({ chunks: pieces(content, pieceBytes, (bytes) => (read = bytes)), fraction: () => read / Math.max(1, content.length) });
  };
}

async function* pieces(content: Uint8Array, size: number, tell: (read: number) => void): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < content.length; at += size) {
    tell(Math.min(content.length, at + size));
    yield await Promise.resolve(content.subarray(at, at + size));
  }
}

/** Lets messages and timers have their turn. */
export const pause = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));
