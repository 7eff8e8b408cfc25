import * as vscode from 'vscode';
import type { FineTuneState, Score } from '../core/labels/view';
import type { TaskKind } from '../core/model/onnxWriter';
import type { LabelingTask } from '../app/labeling/labeling';
import { activeTask, counted, percentage } from './labelingTask';
import type { Workbench } from './workbench';

/** Fine-tunes the model of the task that is being labelled on all of its decisions, with progress and cancel. A version that is worse on the held-out rows is not taken. */
export async function fineTune(workbench: Workbench): Promise<FineTuneState> {
  const task = activeTask(workbench);
  const { name } = task.definition;
  const state = await vscode.window.withProgress({ location: vscode.ProgressLocation.Notification, title: vscode.l10n.t('Fine-tuning {0}', name), cancellable: true }, (progress, token) =>
    run(task, progress, token),
  );
  // not awaited: the command has ended, whether or not the message is closed
  void offer(workbench, task, state);
  return state;
}

async function run(task: LabelingTask, progress: vscode.Progress<{ message?: string; increment?: number }>, token: vscode.CancellationToken): Promise<FineTuneState> {
  let shown = 0;
  const change = task.onDidChange(({ kind }) => {
    const now = kind === 'learning' ? task.learning.fineTune?.progress : undefined;
    if (!now) return;
    const percent = Math.floor((100 * (now.epoch - 1 + now.batch / now.batches)) / now.epochs);
    progress.report({ message: vscode.l10n.t('epoch {0} of {1}, {2} s left', now.epoch, now.epochs, Math.ceil(now.secondsLeft)), increment: Math.max(0, percent - shown) });
    shown = Math.max(shown, percent);
  });
  const cancel = token.onCancellationRequested(() => task.cancelFineTune());
  try {
    return await task.fineTune();
  } finally {
    change.dispose();
    cancel.dispose();
  }
}

async function offer({ errors, panel }: Workbench, task: LabelingTask, state: FineTuneState): Promise<void> {
  const { name } = task.definition;
  switch (state.status) {
    case 'kept':
      return await inform(vscode.l10n.t('{0} {1} is in use. {2}', name, state.version ?? '', comparison(state, task.definition.kind)));
    case 'discarded':
      return await inform(vscode.l10n.t('{0} keeps its model, as the new one is worse. {1}', name, comparison(state, task.definition.kind)));
    case 'failed':
      return await errors.show(state.error ?? new Error(`Fine-tuning of ${name} failed`));
    case 'cancelled':
    case 'running':
      return;
  }
  async function inform(text: string): Promise<void> {
    const open = vscode.l10n.t('Open Labeling Panel');
    const answer = await vscode.window.showInformationMessage(text, ...(panel.isVisible ? [] : [open]));
    if (answer === open) panel.open();
  }
}

/** `71.2 % → 83.4 % of 40 held-out rows right.`; for `number` `R² 0.71 → 0.83 on 40 held-out rows.` */
function comparison({ before, after }: FineTuneState, kind: TaskKind): string {
  const share = (score: Score): string => percentage(score.accuracy);
  if (!after) return '';
  if (kind === 'number') {
    const explained = [before, after].flatMap((score) => (score ? [score.accuracy.toLocaleString(vscode.env.language, { minimumFractionDigits: 2, maximumFractionDigits: 2 })] : []));
    return vscode.l10n.t('R² {0} on {1} held-out rows.', explained.join(' → '), counted(after.rows));
  }
  return before
    ? vscode.l10n.t('{0} % → {1} % of {2} held-out rows right.', share(before), share(after), counted(after.rows))
    : vscode.l10n.t('{0} % of {1} held-out rows right.', share(after), counted(after.rows));
}
