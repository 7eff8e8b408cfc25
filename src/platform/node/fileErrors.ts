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
  const human = (id: string, template: string, ...args: string[]): HumanError => new HumanError(id, template, [path, ...args], { cause: error });
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return human('file.missing', '{0} does not exist. Check the path.');
    case 'EACCES':
    case 'EPERM':
      return doing === 'read'
        ? human('file.denied', '{0} may not be read. Change its permissions, or copy it to a place of your own.')
        : human('file.denied', '{0} may not be written. Change the permissions of its folder, or choose another place.');
    case 'EROFS':
      return human('file.readOnly', '{0} is on a file system that cannot be written to. Choose another place.');
    case 'ENOSPC':
    case 'EDQUOT':
      return human('file.full', '{0} cannot be written because the disk is full. Free some space, or choose another place.');
    case 'EISDIR':
      return human('file.folder', '{0} is a folder. Name a file in it.');
    case 'EBUSY':
    case 'ETXTBSY':
      return human('file.busy', '{0} is in use by another program. Close it there and try again.');
    default:
      return doing === 'read'
        ? human('file.failed', '{0} cannot be read ({1}). Check the path and the disk, and try again.', code)
        : human('file.failed', '{0} cannot be written ({1}). Check the path and the disk, or choose another place.', code);
  }
}
