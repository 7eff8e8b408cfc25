import * as vscode from 'vscode';
import type { LabelingTasks } from '../app/labeling/labeling';
import { commandIds, contextKeys } from '../commands/ids';
import { progressText } from './taskTree';

/** Milliseconds that changes are gathered: every decision brings several, and the window has the next key to deal with. */
const PAUSE = 250;

/** The task that is being labelled in the status bar, with how far it is; a click opens the panel. Also keeps the context key that says whether there is one. */
export class TaskStatus implements vscode.Disposable {
  private readonly item: vscode.StatusBarItem;
  private readonly subscription: { dispose(): void };
  private taskSubscription: { dispose(): void } | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly tasks: LabelingTasks) {
    this.item = vscode.window.createStatusBarItem('labelLens.task', vscode.StatusBarAlignment.Left, 0);
    this.item.name = vscode.l10n.t('Label Lens: Task');
    this.item.command = commandIds.openLabelingPanel;
    this.subscription = tasks.onDidChangeActive(() => this.follow());
    this.follow();
  }

  /** What the item says, with what is gathered for it, for tests. */
  get text(): string {
    if (this.timer !== undefined) this.update();
    return this.item.text;
  }

  dispose(): void {
    clearTimeout(this.timer);
    this.subscription.dispose();
    this.taskSubscription?.dispose();
    this.item.dispose();
  }

  private follow(): void {
    const task = this.tasks.active;
    this.taskSubscription?.dispose();
    this.taskSubscription = task?.onDidChange(() => this.updateSoon());
    void vscode.commands.executeCommand('setContext', contextKeys.hasTask, task !== undefined);
    this.update();
  }

  private updateSoon(): void {
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      this.update();
    }, PAUSE);
  }

  private update(): void {
    const task = this.tasks.active;
    if (!task) {
      this.item.hide();
      return;
    }
    const { name } = task.definition;
    const { fineTune } = task.learning;
    const progress = fineTune?.status === 'running' ? fineTune.progress : undefined;
    const isTraining = fineTune?.status === 'running';
    const said = progress ? vscode.l10n.t('fine-tuning, epoch {0} of {1}', progress.epoch, progress.epochs) : isTraining ? vscode.l10n.t('fine-tuning') : progressText(task);
    this.item.text = `$(${isTraining ? 'loading~spin' : 'checklist'}) ${name} ${said}`;
    this.item.tooltip = vscode.l10n.t('Label Lens: {0} labeled, {1} skipped, {2} flagged, {3} open. A click opens the panel.', task.counts.labeled, task.counts.skipped, task.counts.flagged, task.counts.open);
    this.item.accessibilityInformation = { label: vscode.l10n.t('Label Lens: task {0}, {1}', name, said) };
    this.item.show();
  }
}
