/** Characters that an annotator's name has at most. It names a file, too. */
export const LONGEST_ANNOTATOR = 60;

/** What the journal calls a person of whom nothing is known. */
const NOBODY = 'me';

/** Whether `name` cannot be an annotator's: letters, digits, blanks and `. _ - @` only, with something other than a dot or a blank at its beginning and no blank at its end. */
export function problemOfAnnotator(name: string): boolean {
  return !/^[\p{L}\p{N}_@-](?:[\p{L}\p{M}\p{N} ._@-]*[\p{L}\p{M}\p{N}._@-])?$/u.test(name) || name.length > LONGEST_ANNOTATOR;
}

/** What is known of the person at the keyboard. */
export interface AnnotatorSources {
  /** As they have said themselves; empty if they have not. */
  readonly setting: string;
  /** The `.git/config` of their folder. */
  readonly gitConfig: string | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** Name of the person at the keyboard: their own word, else git's for this folder, else the system's, else `me`. */
export function annotatorName({ setting, gitConfig, environment }: AnnotatorSources): string {
  const candidates = [setting, gitConfig === undefined ? '' : gitUserName(gitConfig), environment['USER'], environment['LOGNAME'], environment['USERNAME']];
  for (const candidate of candidates) {
    const name = fitting(candidate ?? '');
    if (!problemOfAnnotator(name)) return name;
  }
  return NOBODY;
}

/** `user.name` of a git configuration file; empty if it does not say. Nothing is run, and files that it includes are not read. */
export function gitUserName(config: string): string {
  let section = '';
  let name = '';
  for (const line of config.split(/\r?\n/)) {
    const header = /^\s*\[\s*([^\]"\s]+)\s*(?:"[^"]*"\s*)?\]/.exec(line);
    if (header) section = /"/.test(line) ? '' : header[1]!.toLowerCase();
    const value = /^\s*name\s*=\s*(.*?)\s*$/i.exec(line)?.[1];
    // the last one counts, as in git
    if (section === 'user' && value !== undefined) name = unquoted(value);
  }
  return name;
}

function unquoted(value: string): string {
  const quoted = /^"((?:[^"\\]|\\.)*)"/.exec(value)?.[1];
  return quoted === undefined ? value.replace(/\s*[#;].*$/, '') : quoted.replace(/\\(.)/g, '$1');
}

/** A name with what cannot be in one taken out. */
function fitting(name: string): string {
  const kept = name.normalize('NFC').replace(/[^\p{L}\p{M}\p{N} ._@-]+/gu, '-').replace(/^[\s.-]+|[\s-]+$/gu, '');
  return Array.from(kept).slice(0, LONGEST_ANNOTATOR / 2).join('').trim();
}
