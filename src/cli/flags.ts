import { defaultWorkers, mostWorkers } from '../training/threads';
import type { Arguments, FlagSpec } from './arguments';

/** Flags that several commands take, each with what it says in their usage, and how their values are read. */

/** `--json`, of the commands that measure something. */
export const jsonFlag: FlagSpec = { help: 'print one JSON object as the last line of stdout' };

/** `--text`, of the commands that read a table. */
export const textFlag: FlagSpec = { value: 'COL[,COL…]', help: 'text columns, joined in order with a blank line (default text)' };

export function readTextColumns(args: Arguments): readonly string[] {
  return args.list('text') ?? ['text'];
}

/** `--label`, of the commands that compare rows with what models say. */
export const labelFlag: FlagSpec = { value: 'COL', help: 'column that holds the label, several separated by ; or | (empty: none), or the number' };

/** `--label`, of the commands that take `--kind`. */
export const labelOfKindFlag: FlagSpec = { value: 'COL', help: 'column that holds the label, the labels or the number, see --kind' };

/** `--value`, of the commands that ask several models. */
export const valueFlag: FlagSpec = { value: 'COL', help: 'column of the number that joint models give beside the label (default: the one that they were trained on)' };

/** `--limit`, of the commands that learn from rows. @param verb such as `take` */
export function limitFlag(verb: string): FlagSpec {
  return { value: 'N', help: `${verb} the first N rows after a seeded stratified shuffle` };
}

export function readLimit(args: Arguments): number | undefined {
  return args.wholeNumber('limit', 2);
}

/** `--workers`, of the commands that train. @param same what does not depend on how many there are */
export function workersFlag(same: string): FlagSpec {
  return { value: 'N', help: `threads to train with, 1 to ${mostWorkers}; ${same} (default: one less than there are cores)` };
}

/** @param cores of the machine */
export function readWorkers(args: Arguments, cores: number): number {
  return args.wholeNumber('workers', 1, mostWorkers) ?? defaultWorkers(cores);
}

/** `--seed`, of the commands that draw at random but train nothing. @param what starts there */
export function seedFlag(what: string): FlagSpec {
  return { value: 'N', help: `${what} (default 1)` };
}

export function readSeed(args: Arguments): number {
  return args.wholeNumber('seed', 0, 4_294_967_295) ?? 1;
}

/** `--name` and `--description`, of the commands that write a bundle to a folder. */
export const cardFlags = {
  name: { value: 'NAME', help: 'name in the model card (default: the name of DIR)' },
  description: { value: 'TEXT', help: 'a sentence for the model card' },
} as const satisfies Readonly<Record<string, FlagSpec>>;

/** @param name where none was given */
export function readCard(args: Arguments, name: string): { readonly name: string; readonly description?: string } {
  const description = args.text('description');
  return { name: args.text('name') ?? name, ...(description === undefined ? {} : { description }) };
}

/** `--output` of the commands that write into a folder. @param what goes there */
export function folderFlag(what: string): FlagSpec {
  return { value: 'DIR', help: `folder for ${what}` };
}

/** The folder of `--output`, without separators at its end. @throws UsageError when it was not given */
export function readFolder(args: Arguments): string {
  return args.required('output').replace(/(?<=.)[/\\]+$/, '');
}

/** Name of the folder at that path. */
export function folderName(path: string): string {
  return path.replace(/[/\\]+$/, '').split(/[/\\]/).at(-1) ?? path;
}
