import * as vscode from 'vscode';
import type { ModelSummary } from '../app/modelStore';
import { messageOf } from '../editor/report';
import type { Workbench } from './workbench';

interface ModelItem extends vscode.QuickPickItem {
  readonly choose: () => Promise<string | undefined>;
}

/** Lets a person choose among the models that were found, or a folder. */
export async function selectModel({ session, settings }: Workbench): Promise<void> {
  const models = await session.models.list();
  const inUse = session.status.model?.opened.folder;
  const items: (ModelItem | vscode.QuickPickItem)[] = [];
  for (const [origin, title] of [
    ['shipped', vscode.l10n.t('Label Lens')],
    ['workspace', vscode.l10n.t('This workspace')],
    ['own', vscode.l10n.t('Trained without a folder')],
  ] as const) {
    const group = models.filter((model) => model.origin === origin);
    if (group.length > 0) items.push({ label: title, kind: vscode.QuickPickItemKind.Separator }, ...group.map((model) => itemOf(model, model.folder === inUse)));
  }
  items.push({ label: '', kind: vscode.QuickPickItemKind.Separator }, { label: `$(folder-opened) ${vscode.l10n.t('Choose a Folder…')}`, alwaysShow: true, choose: chooseFolder } satisfies ModelItem);
  const chosen = await vscode.window.showQuickPick(items, { title: vscode.l10n.t('Select Model'), placeHolder: vscode.l10n.t('The model that classifies in this workspace'), matchOnDescription: true, matchOnDetail: true });
  const name = chosen && 'choose' in chosen ? await chosen.choose() : undefined;
  if (name !== undefined) await useModel({ session, settings }, name);
}

/** Makes a model the one in use; what was said by another is forgotten. Says at once whether it works, instead of at the next text. */
export async function useModel({ session, settings }: Pick<Workbench, 'session' | 'settings'>, name: string): Promise<void> {
  if (name === settings.model) session.reload();
  else await settings.chooseModel(name);
  await session.current();
}

function itemOf(model: ModelSummary, inUse: boolean): ModelItem {
  const { manifest } = model;
  return {
    label: `$(${inUse ? 'check' : manifest ? 'tag' : 'error'}) ${model.name}`,
    description: manifest?.version ?? '',
    detail: manifest ? manifest.task.labels.map((label) => label.name ?? label.id).join(', ') : messageOf(model.problem),
    choose: () => Promise.resolve(model.name),
  };
}

async function chooseFolder(): Promise<string | undefined> {
  const folders = await vscode.window.showOpenDialog({ canSelectFiles: false, canSelectFolders: true, canSelectMany: false, title: vscode.l10n.t('Folder that holds model.onnx, tokenizer.json and model.json'), openLabel: vscode.l10n.t('Select Model') });
  return folders?.[0]?.fsPath;
}
