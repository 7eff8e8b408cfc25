import * as vscode from 'vscode';
import type { ShownGuess } from '../app/labeling/textAnnotation';
import { bar, excerpt, shapeOf } from '../app/format';
import { percent } from '../app/prediction';
import { decisionTitle, namedValuesOf, sourceText } from '../editor/labelStyles';
import { documentText } from '../editor/passages';
import { commandIds, type TextArgument } from './ids';
import type { Workbench } from './workbench';

/** Shows all that is known about one segment: what was decided, every label's score, and the model that said so. */
export async function showPrediction({ session, annotations, passages, errors }: Workbench, argument: TextArgument): Promise<void> {
  const document = await vscode.workspace.openTextDocument(vscode.Uri.parse(argument.uri));
  const range = new vscode.Range(document.positionAt(argument.start), document.positionAt(argument.end));
  const text = document.getText(range);
  const passage = passages.knownAt(document, range.start);
  const place = passage?.range.isEqual(range) ? documentText(document, passage) : { text, start: argument.start, end: argument.end };
  if (!annotations.of(document, place).guess) await session.predict([text]);
  const tokens = session.recall(text)?.tokens;
  const { decision, guess, labelable } = annotations.of(document, place);
  const run = (id: string, ...args: unknown[]): (() => Thenable<unknown>) => () => vscode.commands.executeCommand(id, ...args);
  const items: (vscode.QuickPickItem & { run?: () => Thenable<unknown> })[] = [
    ...(decision ? [{ label: decisionTitle(decision), description: new Date(decision.at).toLocaleString(vscode.env.language) }] : []),
    ...(guess ? namedValuesOf(guess).map((label) => ({ label })) : []),
    ...(guess?.scores ?? []).map(({ name, style, score }) => ({ label: `${shapeOf(style)} ${name}`, description: vscode.l10n.t('{0} %', percent(score)), detail: bar(score, 40) })),
    ...(guess ? [{ label: vscode.l10n.t('Model'), kind: vscode.QuickPickItemKind.Separator }, modelItem(guess, tokens)] : []),
    { label: `$(selection) ${vscode.l10n.t('Select This Text')}`, run: () => reveal(document, range) },
    ...(labelable ? [{ label: `$(edit) ${vscode.l10n.t('Label…')}`, run: run(commandIds.labelAs, argument) }] : []),
  ];
  const chosen = await vscode.window.showQuickPick(items, { title: excerpt(text, 80), placeHolder: vscode.l10n.t('All labels of this text') });
  await chosen?.run?.().then(undefined, (error: unknown) => errors.show(error));

  function modelItem(guess: ShownGuess, tokens: number | undefined): vscode.QuickPickItem & { run?: () => Thenable<unknown> } {
    if (guess.model === undefined) return { label: `$(tag) ${sourceText(guess, annotations.task?.definition.name)}` };
    return { label: `$(tag) ${guess.model}`, ...(tokens === undefined ? {} : { description: vscode.l10n.t('{0} tokens were read', tokens) }), run: run(commandIds.selectModel) };
  }
}

async function reveal(document: vscode.TextDocument, range: vscode.Range): Promise<void> {
  const editor = await vscode.window.showTextDocument(document);
  editor.selection = new vscode.Selection(range.start, range.end);
  editor.revealRange(range, vscode.TextEditorRevealType.InCenterIfOutsideViewport);
}
