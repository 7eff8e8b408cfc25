import * as vscode from 'vscode';
import { kindOf } from '../editor/documents';
import { messageOf } from '../editor/report';
import { commandIds, internalCommandIds } from './ids';
import type { Workbench } from './workbench';

/** The status bar's menu. */
export async function showMenu({ session, settings, selections, tasks }: Workbench): Promise<void> {
  const document = vscode.window.activeTextEditor?.document;
  const { error, chosen, training } = session.status;
  const item = (icon: string, label: string, command: string, description = ''): vscode.QuickPickItem & { command: string } => ({ label: `$(${icon}) ${label}`, description, command });
  const items = [
    settings.paused ? item('eye', vscode.l10n.t('Switch Annotations On'), commandIds.toggleAnnotations) : item('eye-closed', vscode.l10n.t('Switch Annotations Off'), commandIds.toggleAnnotations),
    item('tag', vscode.l10n.t('Select Model…'), commandIds.selectModel, chosen),
    ...(document ? [item('sparkle', vscode.l10n.t('Classify Selection'), commandIds.classifySelection)] : []),
    ...(document && selections.of(document).length > 0 ? [item('clear-all', vscode.l10n.t('Clear Results'), commandIds.clearResults)] : []),
    ...(document && kindOf(document) === 'rows' ? [item('list-selection', vscode.l10n.t('Choose Text Columns…'), commandIds.chooseTextColumns)] : []),
    ...(vscode.workspace.isTrusted ? [item('checklist', vscode.l10n.t('Open Labeling Panel'), commandIds.openLabelingPanel, tasks.active?.definition.name)] : []),
    item('table', vscode.l10n.t('Classify File…'), commandIds.classifyFile),
    ...(vscode.workspace.isTrusted ? [item('mortar-board', vscode.l10n.t('Train Model…'), commandIds.trainModel)] : []),
    ...(training ? [item('stop-circle', vscode.l10n.t('Stop the Training of {0}', training.task), internalCommandIds.stopTraining)] : []),
    item('output', vscode.l10n.t('Show Log'), commandIds.showLog),
  ];
  const answer = await vscode.window.showQuickPick(items, { title: vscode.l10n.t('Label Lens'), placeHolder: error ? messageOf(error) : '' });
  if (answer) await vscode.commands.executeCommand(answer.command);
}
