import * as vscode from 'vscode';
import { Emitter } from '../app/events';
import type { LabelingTasks } from '../app/labeling/labeling';
import { WhenQuiet } from '../app/whenQuiet';

/** Milliseconds without another change, or a decision of the person, before the task looks again. Each decision changes the journal, and nobody labels while they do something else in git. */
const QUIET = 2000;
/** Milliseconds after which it looks again all the same. */
const LONGEST = 30_000;

/** Lets the task that is being labelled look again when its journal, its task.json or its sources were changed: by another window, by git, in an editor. */
export class TaskWatcher implements vscode.Disposable {
  private readonly subscription: { dispose(): void };
  private readonly versionEmitter = new Emitter<void>();
  private watching: vscode.Disposable | undefined;
  private looking: WhenQuiet | undefined;
  /** Fired when another version of the task's model came into use. */
  readonly onDidChangeVersion = this.versionEmitter.event;

  constructor(
    private readonly tasks: LabelingTasks,
    private readonly onError: (error: unknown) => void,
  ) {
    this.subscription = tasks.onDidChangeActive(() => this.follow());
    this.follow();
  }

  dispose(): void {
    this.subscription.dispose();
    this.watching?.dispose();
    this.versionEmitter.dispose();
    this.looking?.dispose();
  }

  private follow(): void {
    this.watching?.dispose();
    this.looking?.dispose();
    const task = this.tasks.active;
    if (!task) return;
    const folder = vscode.Uri.file(task.folder);
    const own = vscode.Uri.joinPath(folder, '.label-lens', task.definition.name);
    const looking = new WhenQuiet(() => void task.refresh().catch(this.onError), QUIET, LONGEST);
    this.looking = looking;
    const look = (): void => looking.ask();
    this.watching = vscode.Disposable.from(
      watch(new vscode.RelativePattern(own, '{task.json,labels/*.jsonl}'), look),
      watch(new vscode.RelativePattern(own, 'models/current'), () => this.versionEmitter.fire()),
      ...task.definition.sources.map((source) => watch(source.kind === 'table' ? patternOf(folder, source.file) : new vscode.RelativePattern(vscode.Uri.joinPath(folder, source.folder), '**'), look)),
      task.onDidChange(({ kind }) => {
        if (kind === 'decisions' && looking.isWaiting) look();
      }),
    );
  }
}

function watch(pattern: vscode.RelativePattern, changed: () => void): vscode.Disposable {
  const watcher = vscode.workspace.createFileSystemWatcher(pattern);
  return vscode.Disposable.from(watcher, watcher.onDidChange(changed), watcher.onDidCreate(changed), watcher.onDidDelete(changed));
}

/** The file with that path, whose name may hold what means something else in a pattern. */
function patternOf(folder: vscode.Uri, path: string): vscode.RelativePattern {
  const file = vscode.Uri.joinPath(folder, path);
  const name = file.path.slice(file.path.lastIndexOf('/') + 1);
  return new vscode.RelativePattern(vscode.Uri.joinPath(file, '..'), name.replace(/[[\]{}*?]/g, '?'));
}
