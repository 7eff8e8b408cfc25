import { HumanError } from '../../core/errors';

/**
 * What the operating system said about a file, worded for a person. Errors that are worded already, and errors that are not the operating system's, come back as they are.
 *
 * Codes: `file.missing`, `file.denied`, `file.readOnly`, `file.full`, `file.folder`, `file.busy`, `file.failed`.
 */
export function fileError(error: unknown, path: string, doing: 'read' | 'write'): Error {
  if (!(error instanceof Error)) return new Error(String(error));
  const { code } = error as NodeJS.ErrnoException;
  if (error instanceof HumanError || code === undefined || !('syscall' in error)) return error;
  const options = { cause: error };
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return new HumanError('file.missing', '{0} does not exist. Check the path.', [path], options);
    case 'EACCES':
    case 'EPERM':
      return doing === 'read'
        ? new HumanError('file.denied', '{0} may not be read. Change its permissions, or copy it to a place of your own.', [path], options)
        : new HumanError('file.denied', '{0} may not be written. Change the permissions of its folder, or choose another place.', [path], options);
    case 'EROFS':
      return new HumanError('file.readOnly', '{0} is on a file system that cannot be written to. Choose another place.', [path], options);
    case 'ENOSPC':
    case 'EDQUOT':
      return new HumanError('file.full', '{0} cannot be written because the disk is full. Free some space, or choose another place.', [path], options);
    case 'EISDIR':
      return new HumanError('file.folder', '{0} is a folder. Name a file in it.', [path], options);
    case 'EBUSY':
    case 'ETXTBSY':
      return new HumanError('file.busy', '{0} is in use by another program. Close it there and try again.', [path], options);
    default:
      return doing === 'read'
        ? new HumanError('file.failed', '{0} cannot be read ({1}). Check the path and the disk, and try again.', [path, code], options)
        : new HumanError('file.failed', '{0} cannot be written ({1}). Check the path and the disk, or choose another place.', [path, code], options);
  }
}
