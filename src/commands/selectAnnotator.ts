import * as vscode from 'vscode';
import { LONGEST_ANNOTATOR, problemOfAnnotator } from '../app/labeling/annotator';
import type { Workbench } from './workbench';

/** Asks whose decisions are taken from now on: the name that the journal has, and its file. Earlier decisions keep theirs. */
export async function selectAnnotator({ settings, annotator, tasks, ownFolder }: Workbench, name?: string): Promise<void> {
  const chosen =
    name ??
    (await vscode.window.showInputBox({
      title: vscode.l10n.t('Select Annotator'),
      prompt: vscode.l10n.t('The name that your decisions carry in the journal, {0} characters at most. Decisions that were taken before keep theirs.', LONGEST_ANNOTATOR),
      value: await annotator(tasks.active?.folder ?? vscode.workspace.workspaceFolders?.[0]?.uri.fsPath ?? ownFolder),
      validateInput: (value) => (problemOfAnnotator(value.trim()) ? vscode.l10n.t('A name has letters, digits, blanks and . _ - @ only, and does not begin with a dot.') : undefined),
    }));
  if (chosen !== undefined && !problemOfAnnotator(chosen.trim())) await settings.chooseAnnotator(chosen.trim());
}
