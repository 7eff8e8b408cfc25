import * as vscode from 'vscode';
import type { LabelingTask, LabelingTasks } from '../app/labeling/labeling';

export interface ActiveTaskOptions {
  readonly tasks: LabelingTasks;
  /** Remembers the task for this workspace. */
  readonly state: vscode.Memento;
  readonly isPanelVisible: () => boolean;
  readonly errors: { show(error: unknown, remedies?: readonly { readonly title: string; run(): Thenable<unknown> }[]): Promise<void>; note(error: unknown): void };
}

interface Remembered {
  readonly folder: string;
  readonly name: string;
}

const KEY = 'labeling.active';

/** Opens the task again that was being labelled when the window was closed, and tells people at once what goes wrong with it. */
export class ActiveTask implements vscode.Disposable {
  private readonly subscription: { dispose(): void };
  private taskSubscription: { dispose(): void } | undefined;
  private disposed = false;

  constructor(private readonly options: ActiveTaskOptions) {
    this.subscription = options.tasks.onDidChangeActive((task) => this.follow(task));
  }

  dispose(): void {
    this.disposed = true;
    this.subscription.dispose();
    this.taskSubscription?.dispose();
  }

  /** Does nothing where none was open, one is open by now, or the folder is not trusted. */
  async restore(): Promise<void> {
    const { tasks, state, errors } = this.options;
    const remembered = state.get<Remembered>(KEY);
    if (!remembered || tasks.active || !vscode.workspace.isTrusted) return;
    try {
      const found = (await tasks.list()).find(({ folder, name }) => folder === remembered.folder && name === remembered.name);
      if (found && !tasks.active && !this.disposed) await tasks.open(found.folder, found.name);
    } catch (error) {
      // nobody has asked for it now
      errors.note(error);
    }
  }

  private follow(task: LabelingTask | undefined): void {
    const { state, errors, isPanelVisible } = this.options;
    this.taskSubscription?.dispose();
    this.taskSubscription = task?.onDidChange((change) => {
      if (change.kind !== 'problem') return;
      const { problem } = change;
      // what can be mended here has a button
      if (problem.code === 'journal.gone') void errors.show(problem, [{ title: vscode.l10n.t('Write Them Again'), run: () => task.writeAgain().catch((error: unknown) => errors.show(error)) }]);
      // the panel shows it, too, and keeps it in sight
      else if (isPanelVisible()) errors.note(problem);
      else void errors.show(problem);
    });
    const remembered: Remembered | undefined = task && { folder: task.folder, name: task.definition.name };
    if (!this.disposed) state.update(KEY, remembered).then(undefined, (error: unknown) => errors.note(error));
  }
}
