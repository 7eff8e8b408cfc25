import * as vscode from 'vscode';
import { HumanError } from '../core/errors';
import type { ModelVersion } from '../core/labels/view';
import { uniqueName } from '../app/labeling/newTask';
import { joinPath, modelsFolder } from '../app/modelStore';
import { activeTask, counted, percentage } from './labelingTask';
import type { Workbench } from './workbench';

/** What a test or a key binding may say beforehand; what is missing is asked for. */
export interface ExportModelArguments {
  /** Such as `v2`. */
  readonly version?: string;
  /** The folder in which the model gets a folder of its own. */
  readonly into?: vscode.Uri;
}

/** Copies a version of the task's model into a folder of its own, with a Python file that runs it. @returns that folder; undefined if the person changed their mind */
export async function exportModel(workbench: Workbench, args: ExportModelArguments): Promise<vscode.Uri | undefined> {
  const task = activeTask(workbench);
  const { name } = task.definition;
  const versions = await task.versions();
  if (versions.length === 0) throw new HumanError('exportModel.none', 'The task {0} has no model of its own yet. Fine-tune it on your labels first.', [name]);
  const version = args.version ?? (await chooseVersion(versions));
  if (version === undefined) return undefined;
  const into = args.into ?? (await chooseParent());
  if (!into) return undefined;
  const taken = (await vscode.workspace.fs.readDirectory(into)).map(([entry]) => entry);
  const folder = vscode.Uri.joinPath(into, uniqueName(`${name}-${version}`, taken));
  const model = await workbench.session.models.open(joinPath(modelsFolder(task.folder, name), version));
  const files = await workbench.writeModel(model, folder.fsPath);
  workbench.log.info(`Exported ${name} ${version} to ${folder.fsPath}: ${files.join(', ')}`);
  // not awaited: the folder is there, whether or not the message is closed
  void offer(workbench, folder, files);
  return folder;
}

/** The version in use comes first; with only one there is nothing to ask. */
async function chooseVersion(versions: readonly ModelVersion[]): Promise<string | undefined> {
  const [only] = versions;
  if (versions.length === 1) return only?.version;
  const items = versions.map(({ version, current, best, accuracy, rows }) => ({
    label: `$(${current ? 'check' : 'tag'}) ${version}`,
    description: [...(current ? [vscode.l10n.t('in use')] : []), ...(best ? [vscode.l10n.t('best')] : [])].join(' · '),
    detail: accuracy === undefined ? '' : vscode.l10n.t('{0} % of {1} held-out rows right.', percentage(accuracy), counted(rows ?? 0)),
    version,
    current,
  }));
  items.sort((a, b) => Number(b.current) - Number(a.current));
  const answer = await vscode.window.showQuickPick(items, { title: vscode.l10n.t('Export Model'), placeHolder: vscode.l10n.t('The version to export') });
  return answer?.version;
}

async function chooseParent(): Promise<vscode.Uri | undefined> {
  const folders = await vscode.window.showOpenDialog({
    canSelectFiles: false,
    canSelectFolders: true,
    canSelectMany: false,
    title: vscode.l10n.t('Choose Where the Model’s Folder Is Put'),
    openLabel: vscode.l10n.t('Export'),
  });
  return folders?.[0];
}

async function offer({ errors }: Workbench, folder: vscode.Uri, files: readonly string[]): Promise<void> {
  const readme = files.find((file) => file.endsWith('.md'));
  const open = vscode.l10n.t('Open');
  const answer = await vscode.window.showInformationMessage(vscode.l10n.t('The model is in {0}: {1}.', folder.fsPath, files.join(', ')), ...(readme === undefined ? [] : [open]));
  if (answer === open && readme !== undefined) await vscode.commands.executeCommand('vscode.open', vscode.Uri.joinPath(folder, readme)).then(undefined, (error: unknown) => errors.show(error));
}
