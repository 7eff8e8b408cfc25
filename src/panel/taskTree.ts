import * as vscode from 'vscode';
import { shapeOf } from '../app/format';
import type { LabelingTask, LabelingTasks } from '../app/labeling/labeling';
import type { Label } from '../core/labels/task';
import type { ModelVersion } from '../core/labels/view';
import { commandIds } from '../commands/ids';

/** A line of the tree. */
export type TaskNode =
  | { readonly kind: 'task'; readonly name: string; readonly folder: string; readonly labels: readonly Label[]; readonly problem?: Error }
  | { readonly kind: 'label'; readonly label: Label; readonly index: number; readonly count: number | undefined }
  | { readonly kind: 'version'; readonly version: ModelVersion };

/** Milliseconds that changes are gathered before the tree is drawn anew: every decision is one. */
const PAUSE = 300;

/** The tasks of the workspace, below the one that is being labelled its labels with their counts, and its model's versions. Empty without a task; `viewsWelcome` says how to begin. */
export class TaskTree implements vscode.TreeDataProvider<TaskNode>, vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<undefined>();
  private readonly subscriptions: vscode.Disposable[];
  private taskSubscription: { dispose(): void } | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;
  readonly onDidChangeTreeData = this.changed.event;

  constructor(
    private readonly tasks: LabelingTasks,
    private readonly messageOf: (error: unknown) => string,
  ) {
    this.subscriptions = [this.changed, vscode.window.registerTreeDataProvider('labelLens.tasks', this), tasks.onDidChangeActive(() => this.follow())];
    this.follow();
  }

  dispose(): void {
    clearTimeout(this.timer);
    this.taskSubscription?.dispose();
    vscode.Disposable.from(...this.subscriptions).dispose();
  }

  /** Looks again at what is on disk. */
  refresh(): void {
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      this.changed.fire(undefined);
    }, PAUSE);
  }

  async getChildren(node?: TaskNode): Promise<TaskNode[]> {
    // nothing of a folder that nobody trusts is read
    if (!vscode.workspace.isTrusted) return [];
    if (!node) return (await this.tasks.list()).map(({ name, folder, definition, problem }) => ({ kind: 'task', name, folder, labels: definition?.labels ?? [], ...(problem ? { problem } : {}) }));
    if (node.kind !== 'task') return [];
    const task = this.activeAt(node.folder, node.name);
    const labels = (task?.labels ?? node.labels.filter(({ archived, mergedInto }) => !archived && mergedInto === undefined)).map((label, index): TaskNode => ({
      kind: 'label',
      label,
      index,
      count: task && (task.counts.byLabel[label.id] ?? 0),
    }));
    const versions = task ? await task.versions().catch(() => []) : [];
    return [...labels, ...versions.map((version): TaskNode => ({ kind: 'version', version }))];
  }

  getTreeItem(node: TaskNode): vscode.TreeItem {
    switch (node.kind) {
      case 'task':
        return this.taskItem(node);
      case 'label': {
        const item = new vscode.TreeItem(`${shapeOf(node.label.color)} ${node.label.name}`);
        item.description = node.count?.toLocaleString(vscode.env.language) ?? '';
        if (node.label.description !== undefined) item.tooltip = node.label.description;
        return item;
      }
      case 'version':
        return versionItem(node.version);
    }
  }

  private taskItem({ name, folder, problem }: Extract<TaskNode, { kind: 'task' }>): vscode.TreeItem {
    const task = this.activeAt(folder, name);
    const item = new vscode.TreeItem(name, task ? vscode.TreeItemCollapsibleState.Expanded : vscode.TreeItemCollapsibleState.Collapsed);
    item.iconPath = new vscode.ThemeIcon(problem ? 'error' : task ? 'checklist' : 'tag');
    item.contextValue = task ? 'activeTask' : 'task';
    if (task) item.description = progressText(task);
    if (problem) item.tooltip = this.messageOf(problem);
    item.command = { command: commandIds.openTask, title: vscode.l10n.t('Open Task'), arguments: [{ folder, name }] };
    return item;
  }

  private activeAt(folder: string, name: string): LabelingTask | undefined {
    const { active } = this.tasks;
    return active?.folder === folder && active.definition.name === name ? active : undefined;
  }

  private follow(): void {
    this.taskSubscription?.dispose();
    this.taskSubscription = this.tasks.active?.onDidChange(({ kind }) => {
      if (kind !== 'queue' && kind !== 'problem') this.refresh();
    });
    this.refresh();
  }
}

/** `120 / 10,000`: texts that were decided on, of all. */
export function progressText({ counts }: LabelingTask): string {
  const number = (value: number): string => value.toLocaleString(vscode.env.language);
  return vscode.l10n.t('{0} / {1}', number(counts.examples - counts.open), number(counts.examples));
}

function versionItem({ version, current, best, accuracy, rows }: ModelVersion): vscode.TreeItem {
  const item = new vscode.TreeItem(version);
  item.iconPath = new vscode.ThemeIcon(current ? 'check' : 'history');
  const share = accuracy === undefined ? [] : [vscode.l10n.t('{0} %', (accuracy * 100).toLocaleString(vscode.env.language, { maximumFractionDigits: 1 }))];
  item.description = [...share, ...(rows === undefined ? [] : [vscode.l10n.t('{0} rows', rows.toLocaleString(vscode.env.language))]), ...(current ? [vscode.l10n.t('in use')] : []), ...(best ? [vscode.l10n.t('best')] : [])].join(' · ');
  return item;
}
