import * as vscode from 'vscode';
import type { LabelingTask } from '../app/labeling/labeling';
import { messageOf } from '../editor/report';
import { createTask } from './createTask';
import { requireTrust } from './labelingTask';
import type { Workbench } from './workbench';

/** What a tree item or a test may say beforehand. */
export interface OpenTaskArguments {
  /** Absolute path of the folder in whose `.label-lens/` the task is stored. */
  readonly folder: string;
  readonly name: string;
}

/** Lets a person choose among the tasks of the workspace, and opens the panel on it. @returns undefined if they changed their mind */
export async function openTask(workbench: Workbench, args?: OpenTaskArguments): Promise<LabelingTask | undefined> {
  requireTrust();
  const { tasks, panel } = workbench;
  const chosen = args ?? (await chooseTask(workbench));
  if (!chosen) return undefined;
  const { active } = tasks;
  const isActive = active?.folder === chosen.folder && active.definition.name === chosen.name;
  const task = isActive ? active : await tasks.open(chosen.folder, chosen.name);
  panel.open();
  return task;
}

interface TaskItem extends vscode.QuickPickItem {
  readonly task?: OpenTaskArguments;
}

/** With no task in the workspace it leads to making one. */
async function chooseTask(workbench: Workbench): Promise<OpenTaskArguments | undefined> {
  const { tasks } = workbench;
  const found = await tasks.list();
  if (found.length === 0) {
    await createTask(workbench, {});
    return undefined;
  }
  const items: TaskItem[] = found.map(({ name, folder, definition, problem }) => ({
    label: `$(${problem ? 'error' : 'checklist'}) ${name}`,
    description: tasks.active?.definition.name === name && tasks.active.folder === folder ? vscode.l10n.t('open') : '',
    detail: definition ? definition.labels.filter(({ archived }) => !archived).map((label) => label.name).join(', ') : messageOf(problem),
    task: { folder, name },
  }));
  items.push({ label: '', kind: vscode.QuickPickItemKind.Separator }, { label: `$(add) ${vscode.l10n.t('Create a Task…')}`, alwaysShow: true });
  const answer = await vscode.window.showQuickPick(items, { title: vscode.l10n.t('Open Task'), placeHolder: vscode.l10n.t('The task to label'), matchOnDetail: true });
  if (answer && !answer.task) await createTask(workbench, {});
  return answer?.task;
}
