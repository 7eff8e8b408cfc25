/** What Windows keeps for devices. */
const devices = /^(?:con|prn|aux|nul|com\d|lpt\d)$/i;

/**
 * A name made of `text` that every file system takes: letters of any script, digits, `_` and `-`; what else there is becomes `-`. Empty if nothing is left.
 *
 * @param longest characters
 */
export function fileNameOf(text: string, longest: number): string {
  const plain = text.normalize('NFC').replace(/[^\p{L}\p{M}\p{N}_-]+/gu, '-');
  return Array.from(plain).slice(0, longest).join('').replace(/^-+|-+$/g, '');
}

/** Whether a file of that name, whatever its ending, means a device on Windows. */
export function isDeviceName(name: string): boolean {
  return devices.test(name);
}
