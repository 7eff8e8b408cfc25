import * as vscode from 'vscode';
import { CancelledError } from '../core/errors';
import { bar, excerpt, shapeOf } from '../app/format';
import { percent, ranked } from '../app/prediction';
import { modelText } from '../editor/labelStyles';
import { signalOf } from '../editor/report';
import { commandIds, type ShowPredictionArgument } from './ids';
import type { Workbench } from './workbench';

export function isShowPredictionArgument(value: unknown): value is ShowPredictionArgument {
  return typeof value === 'object' && value !== null && 'uri' in value && typeof value.uri === 'string' && 'start' in value && typeof value.start === 'number' && 'end' in value && typeof value.end === 'number';
}

/** Shows all that is known about one segment's prediction: every label's score, and the model that said so. */
export async function showPrediction({ session, errors }: Workbench, argument: ShowPredictionArgument): Promise<void> {
  const document = await vscode.workspace.openTextDocument(vscode.Uri.parse(argument.uri));
  const range = new vscode.Range(document.positionAt(argument.start), document.positionAt(argument.end));
  const text = document.getText(range);
  const source = new vscode.CancellationTokenSource();
  const [prediction] = await session.predict([text], { signal: signalOf(source.token) });
  if (!prediction) throw new CancelledError();
  const run = (id: string): (() => Thenable<unknown>) => () => vscode.commands.executeCommand(id);
  const items: (vscode.QuickPickItem & { run?: () => Thenable<unknown> })[] = [
    ...ranked(prediction).map((entry) => ({ label: `${shapeOf(entry.index)} ${entry.label}`, description: vscode.l10n.t('{0} %', percent(entry.score)), detail: bar(entry.score, 40) })),
    { label: vscode.l10n.t('Model'), kind: vscode.QuickPickItemKind.Separator },
    { label: `$(tag) ${modelText(prediction)}`, description: vscode.l10n.t('{0} tokens were read', prediction.tokens), run: run(commandIds.selectModel) },
    { label: `$(selection) ${vscode.l10n.t('Select This Text')}`, run: () => reveal(document, range) },
  ];
  source.dispose();
  const chosen = await vscode.window.showQuickPick(items, { title: excerpt(text, 80), placeHolder: vscode.l10n.t('All labels of this text') });
  await chosen?.run?.().then(undefined, (error: unknown) => errors.show(error));
}

async function reveal(document: vscode.TextDocument, range: vscode.Range): Promise<void> {
  const editor = await vscode.window.showTextDocument(document);
  editor.selection = new vscode.Selection(range.start, range.end);
  editor.revealRange(range, vscode.TextEditorRevealType.InCenterIfOutsideViewport);
}
