import * as vscode from 'vscode';
import type { Event } from '../app/events';
import type { LabelingTask, LabelingTasks } from '../app/labeling/labeling';

export interface ActiveTaskOptions {
  readonly tasks: LabelingTasks;
  /** Remembers the task for this workspace. */
  readonly state: vscode.Memento;
  readonly isPanelVisible: () => boolean;
  /** Whose decisions are taken in a folder. */
  readonly annotator: (folder: string) => Promise<string>;
  /** That may be somebody else by now. */
  readonly onDidChangeAnnotator: Event<unknown>;
  readonly errors: { show(error: unknown, remedies?: readonly { readonly title: string; run(): Thenable<unknown> }[]): Promise<void>; note(error: unknown): void };
}

interface Remembered {
  readonly folder: string;
  readonly name: string;
}

const KEY = 'labeling.active';

/** Opens the task again that was being labelled when the window was closed, or that somebody else labels from now on, and tells people at once what goes wrong with it. */
export class ActiveTask implements vscode.Disposable {
  private readonly subscriptions: readonly { dispose(): void }[];
  private taskSubscription: { dispose(): void } | undefined;
  private disposed = false;

  constructor(private readonly options: ActiveTaskOptions) {
    this.subscriptions = [options.tasks.onDidChangeActive((task) => this.follow(task)), options.onDidChangeAnnotator(() => void this.followAnnotator())];
  }

  dispose(): void {
    this.disposed = true;
    for (const subscription of this.subscriptions) subscription.dispose();
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

  /** Everybody has a journal of their own. */
  private async followAnnotator(): Promise<void> {
    const { tasks, annotator, errors } = this.options;
    const { active } = tasks;
    try {
      if (active && (await annotator(active.folder)) !== active.annotator && tasks.active === active) await tasks.open(active.folder, active.definition.name);
    } catch (error) {
      void errors.show(error);
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
