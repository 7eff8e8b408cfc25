import * as vscode from 'vscode';
import { HumanError } from '../core/errors';
import { untrusted } from '../app/trainings';
import { isTrainable } from './trainModel';
import type { Workbench } from './workbench';

/** Opens the training panel on a file that a menu or a program names, else on the table in front, if there is one. */
export async function openTrainingPanel({ trainingPanel }: Workbench, file: vscode.Uri | undefined): Promise<void> {
  if (!vscode.workspace.isTrusted) throw untrusted();
  const table = file ?? vscode.window.activeTextEditor?.document.uri;
  if (file && !isTrainable(file)) throw new HumanError('trainModel.scheme', '{0} is not on this machine’s disk, and files are trained on from there. Save a copy of it first.', [file.path]);
  await trainingPanel.open(table && isTrainable(table) ? table.toString() : undefined);
}
