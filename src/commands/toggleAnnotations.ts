import * as vscode from 'vscode';
import { kindOf } from '../editor/documents';
import type { Workbench } from './workbench';

/** Switches annotations off or on for this workspace. Where the setting says `off`, it offers the setting instead. */
export async function toggleAnnotations({ settings }: Workbench): Promise<void> {
  const document = vscode.window.activeTextEditor?.document;
  const offBySetting = document !== undefined && kindOf(document) !== undefined && settings.unit(document) === 'off';
  if (!settings.paused && !offBySetting) {
    await settings.setPaused(true);
    return;
  }
  await settings.setPaused(false);
  if (!offBySetting) return;
  const openSettings = vscode.l10n.t('Open Settings');
  const answer = await vscode.window.showInformationMessage(
    vscode.l10n.t('The setting labelLens.annotations.unit is “off” for this document. Choose another value there to see annotations.'),
    openSettings,
  );
  if (answer === openSettings) await vscode.commands.executeCommand('workbench.action.openSettings', 'labelLens.annotations.unit');
}
