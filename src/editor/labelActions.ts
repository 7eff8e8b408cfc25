import * as vscode from 'vscode';
import { labelChoices, type LabelChoice } from '../app/labeling/textAnnotation';
import { commandIds, internalCommandIds, type DecideArgument, type TextArgument } from '../commands/ids';
import { annotatedSelector } from './documents';
import { answerText, guessedText } from './labelStyles';
import { documentText, type Passages } from './passages';
import type { TaskAnnotations } from './taskAnnotations';

/** Kind of all our Quick Fixes, for key bindings of `editor.action.codeAction`; each has a kind below it. */
export const labelActionKind = vscode.CodeActionKind.QuickFix.append('labelLens');

/**
 * Quick Fixes of the segment or record at the cursor, or of all that are selected: accept the guess, label, clear, skip, flag. Texts are looked up when one is chosen, so that it costs
 * nothing to select a hundred thousand rows.
 */
export class LabelActions implements vscode.CodeActionProvider, vscode.Disposable {
  private readonly registration: vscode.Disposable;

  constructor(
    private readonly annotations: TaskAnnotations,
    private readonly passages: Passages,
  ) {
    this.registration = vscode.languages.registerCodeActionsProvider(annotatedSelector, this, { providedCodeActionKinds: [labelActionKind] });
  }

  provideCodeActions(document: vscode.TextDocument, range: vscode.Range): vscode.CodeAction[] {
    const { task } = this.annotations;
    if (!task) return [];
    const count = range.isEmpty ? 1 : this.passages.countWithin(document, range);
    if (count > 1) {
      const texts: TextArgument = { uri: document.uri.toString(), start: document.offsetAt(range.start), end: document.offsetAt(range.end) };
      return labelChoices(task, undefined).map((choice) => actionOf(choice, titleForSeveral(choice, count), texts));
    }
    const passage = this.passages.knownAt(document, range.start) ?? (range.isEmpty ? undefined : this.passages.knownAt(document, range.end));
    if (!passage) return [];
    const { start, end, ...text } = documentText(document, passage);
    const argument: TextArgument = { uri: document.uri.toString(), start, end, example: this.annotations.idOf(passage.text) };
    return labelChoices(task, this.annotations.of(document, { ...text, start, end })).map((choice, index) => {
      const action = actionOf(choice, titleForOne(choice), argument);
      // the first one, if it is no choice between labels
      action.isPreferred = index === 0 && (choice.do === 'accept' || choice.do === 'confirm');
      return action;
    });
  }

  dispose(): void {
    this.registration.dispose();
  }
}

function actionOf(choice: LabelChoice, title: string, text: TextArgument): vscode.CodeAction {
  const action = new vscode.CodeAction(title, labelActionKind.append(choice.do));
  const decide = (argument: Omit<DecideArgument, keyof TextArgument>): vscode.Command => ({ title, command: internalCommandIds.decide, arguments: [{ ...text, ...argument } satisfies DecideArgument] });
  switch (choice.do) {
    case 'accept':
      action.command = decide({ status: 'labeled', value: choice.value, origin: 'accept' });
      break;
    case 'confirm':
      action.command = decide({ status: choice.decision.status, value: choice.value, origin: 'editor' });
      break;
    case 'label':
      action.command = decide({ status: 'labeled', value: choice.value, origin: 'editor' });
      break;
    case 'choose':
      action.command = { title, command: commandIds.labelAs, arguments: [text] };
      break;
    case 'clear':
      action.command = decide({ status: 'cleared', origin: 'editor' });
      break;
    case 'skip':
      action.command = decide({ status: 'skipped', origin: 'editor' });
      break;
    case 'flag':
      action.command = decide({ status: 'flagged', origin: 'editor' });
      break;
  }
  return action;
}

function titleForOne(choice: LabelChoice): string {
  switch (choice.do) {
    case 'accept':
      return vscode.l10n.t('Accept guess: {0}', guessedText(choice.guess));
    case 'confirm':
      return vscode.l10n.t('Still {0}', answerText(choice.decision));
    case 'label':
      return vscode.l10n.t('Label as {0}', choice.label.name);
    case 'choose':
      return vscode.l10n.t('Label…');
    case 'clear':
      return vscode.l10n.t('Clear label');
    case 'skip':
      return vscode.l10n.t('Skip');
    case 'flag':
      return vscode.l10n.t('Flag');
  }
}

function titleForSeveral(choice: LabelChoice, count: number): string {
  switch (choice.do) {
    case 'label':
      return vscode.l10n.t('Label {0} texts as {1}', count, choice.label.name);
    case 'choose':
      return vscode.l10n.t('Label {0} texts…', count);
    case 'clear':
      return vscode.l10n.t('Clear the labels of {0} texts', count);
    case 'skip':
      return vscode.l10n.t('Skip {0} texts', count);
    case 'flag':
      return vscode.l10n.t('Flag {0} texts', count);
    // these are about one text
    case 'accept':
    case 'confirm':
      return titleForOne(choice);
  }
}
