/**
 * The little of a file system that stores need. Implemented by `platform` for Node and for VS Code's own file system, and in memory for tests.
 * Paths are absolute, with `/`. A missing file or folder is an ordinary answer (`undefined`, empty list), never an exception.
 */
export interface FileSystem {
  /** Whole file, or undefined if there is none. */
  readFile(path: string): Promise<Uint8Array | undefined>;
  /** Writes so that a reader sees the old file or the new one, never a part: temporary name, flush, rename. Creates missing folders. */
  writeFileAtomically(path: string, content: Uint8Array): Promise<void>;
  /** Names in a folder; empty if there is none. */
  list(path: string): Promise<readonly { readonly name: string; readonly kind: 'file' | 'folder' }[]>;
  /** Size in bytes, or undefined if there is no such file. */
  size(path: string): Promise<number | undefined>;
  /** Removes a file or a folder with what is in it; nothing happens if there is none. */
  remove(path: string): Promise<void>;
  /** Moves a file or folder over `to` atomically. */
  rename(from: string, to: string): Promise<void>;
}

/**
 * The name under which `writeFileAtomically` may write before it renames: all use this one, so that what a killed process leaves behind can be told.
 * @param unique twelve hexadecimal digits
 */
export function temporaryName(name: string, unique: string): string {
  // room for the rest within the 255 bytes that a name may have
  return `.${name.slice(0, 200)}.${unique}.tmp`;
}

/** Whether `candidate` is a {@link temporaryName} of `name`. */
export function isTemporaryName(candidate: string, name: string): boolean {
  const unique = /\.([0-9a-f]{12})\.tmp$/.exec(candidate)?.[1];
  return unique !== undefined && candidate === temporaryName(name, unique);
}
