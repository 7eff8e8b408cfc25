import * as vscode from 'vscode';
import { createTask, isLabelable } from './createTask';
import { requireTrust } from './labelingTask';
import { openTask } from './openTask';
import type { Workbench } from './workbench';

/** Opens the panel on the task that is being labelled, else on the only one there is. With no task it leads to making one of the file in front; with no such file the page says how to begin. */
export async function openLabelingPanel(workbench: Workbench): Promise<void> {
  requireTrust();
  const { tasks, panel } = workbench;
  if (tasks.active) return panel.open();
  const found = await tasks.list();
  const [only] = found;
  if (found.length > 0) {
    await openTask(workbench, only && found.length === 1 ? only : undefined);
    return;
  }
  const file = vscode.window.activeTextEditor?.document.uri;
  if (file && isLabelable(file)) await createTask(workbench, { source: file });
  else panel.open();
}
