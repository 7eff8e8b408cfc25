import * as vscode from 'vscode';
import { HumanError } from '../core/errors';
import type { DecisionSource } from '../core/labels/decision';
import type { LabelingTask } from '../app/labeling/labeling';
import type { Workbench } from './workbench';

/** Labelling writes into the folder and reads models from it, so it is for folders that somebody trusts. @throws HumanError `labeling.untrusted` */
export function requireTrust(): void {
  if (!vscode.workspace.isTrusted)
    throw new HumanError('labeling.untrusted', 'Texts are labeled in folders that you trust, as decisions and models are stored there and read from there. Trust this folder, then try again.');
}

/** The task that is being labelled. @throws HumanError when there is none, or the folder is not trusted */
export function activeTask({ tasks }: Workbench): LabelingTask {
  requireTrust();
  if (!tasks.active) throw new HumanError('labeling.noTask', 'No task is open for labeling. Open one, or create one from a table or a folder of texts.');
  return tasks.active;
}

/** `1,234` as the person's language writes it. */
export function counted(value: number): string {
  return value.toLocaleString(vscode.env.language);
}

/** `87.5`: a share in percent, without the sign. */
export function percentage(share: number): string {
  return (share * 100).toLocaleString(vscode.env.language, { maximumFractionDigits: 1 });
}

/** A source of the task, which is known by its path in the task's folder. */
export function sourceFile(task: LabelingTask, path: string): vscode.Uri {
  return vscode.Uri.joinPath(vscode.Uri.file(task.folder), path);
}

/** Texts that are looked up at a time. */
const PAGE = 500;

/** The texts of a task that stand in files of a folder, once for each place, in the order of the pool. */
export async function* textsOf(task: LabelingTask, folder: string): AsyncGenerator<{ readonly text: string; readonly source: DecisionSource }> {
  const prefix = folder === '.' ? '' : `${folder}/`;
  for (let from = 0; ; from += PAGE) {
    const { rows } = await task.list({}, from, PAGE);
    for (const { id } of rows) {
      const example = task.example(id);
      for (const source of example?.sources ?? []) if (example && source.row === undefined && source.file.startsWith(prefix)) yield { text: example.text, source };
    }
    if (rows.length < PAGE) return;
  }
}
