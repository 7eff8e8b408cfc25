import { exampleId } from '../core/text/normalize';
import { fileNameOf, isDeviceName } from '../core/text/fileName';

export function joinPath(...segments: string[]): string {
  return segments.join('/');
}

/** Where the tasks of a folder lie. */
export function tasksFolder(folder: string): string {
  return joinPath(folder, '.label-lens');
}

/** Where the journals of a task lie, one for each annotator. */
export function labelsFolder(folder: string, task: string): string {
  return joinPath(tasksFolder(folder), task, 'labels');
}

/** Endings of a journal, and of what was set aside from one because it was damaged. */
export const journalEnding = '.jsonl';
export const damagedEnding = '.damaged.jsonl';

/** Names of the files of an annotator in the labels' folder: their name where that can be, else what is left of it and a part of its hash. */
export function journalFiles(annotator: string): { readonly journal: string; readonly damaged: string } {
  const plain = fileNameOf(annotator, 60);
  const name = plain !== '' && plain === annotator && !isDeviceName(plain) ? plain : `${plain || 'annotator'}-${exampleId(annotator).slice(0, 8)}`;
  return { journal: name + journalEnding, damaged: name + damagedEnding };
}
