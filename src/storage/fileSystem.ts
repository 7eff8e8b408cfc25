/**
 * The little of a file system that stores need. Implemented by `platform` for Node and for VS Code's own file system, and in memory for tests.
 * Paths are absolute, with `/`. A missing file or folder is an ordinary answer (`undefined`, empty list), never an exception.
 */
export interface FileSystem {
  /** Whole file, or undefined if there is none. */
  readFile(path: string): Promise<Uint8Array | undefined>;
  /** Writes so that a reader sees the old file or the new one, never a part: temporary name, flush, rename. Creates missing folders. */
  writeFileAtomically(path: string, content: Uint8Array): Promise<void>;
  /**
   * Adds whole lines, each with its line feed, behind all that is in the file, also when several processes do so at once: none gets in among the lines of another. If the file ends in
   * a part of a line (its writer was killed), a line feed goes first, so that only that part is damaged; a writer that is seen in the middle of its
   * line looks the same, so an empty line may come between. If writing fails on the way, what was written is taken out again as far as possible.
   *
   * @param create whether the file and its folders may be made; if not, a file that is gone is an error, also when it goes while it is written
   * @returns once everything is on the disk: the size of the file in bytes; more than expected if somebody else added something, too
   */
  append(path: string, lines: Uint8Array, create: boolean): Promise<number>;
  /** At most `length` bytes from `offset` on, fewer at the end of the file, or undefined if there is none. */
  readFrom(path: string, offset: number, length: number): Promise<Uint8Array | undefined>;
  /** Cuts a file down to `size` bytes if it has `from` bytes right now. @returns whether it did */
  truncate(path: string, size: number, from: number): Promise<boolean>;
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
