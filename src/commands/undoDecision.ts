import * as vscode from 'vscode';
import { offerTask } from './decide';
import type { Workbench } from './workbench';

/** Takes back the last decision of the task that is open, wherever it was made, or takes it again; a decision about many texts as a whole. */
export async function undoDecision({ annotations }: Workbench, direction: 'undo' | 'redo'): Promise<void> {
  const { task } = annotations;
  if (!task) return await offerTask();
  const undone = await task[direction]();
  const count = undone?.examples.length ?? 0;
  vscode.window.setStatusBarMessage(messageOf(direction, count), 5000);
}

function messageOf(direction: 'undo' | 'redo', count: number): string {
  if (direction === 'undo') return count === 0 ? vscode.l10n.t('There is no decision to undo.') : vscode.l10n.t('Undone: {0} texts', count);
  return count === 0 ? vscode.l10n.t('There is no decision to redo.') : vscode.l10n.t('Redone: {0} texts', count);
}
