import * as vscode from 'vscode';
import { HumanError } from '../core/errors';
import type { DecisionOrigin, DecisionStatus, DecisionValue } from '../core/labels/decision';
import { shownLabel } from '../app/labeling/textAnnotation';
import { answerText } from '../editor/labelStyles';
import { documentText, trimmedPassage, type Passages } from '../editor/passages';
import type { Passage } from '../editor/selectionResults';
import type { EditorTask } from '../editor/taskAnnotations';
import { commandIds, type DecideArgument, type TextArgument } from './ids';
import type { Workbench } from './workbench';

export function isTextArgument(value: unknown): value is TextArgument {
  return typeof value === 'object' && value !== null && 'uri' in value && typeof value.uri === 'string' && 'start' in value && typeof value.start === 'number' && 'end' in value && typeof value.end === 'number';
}

export function isDecideArgument(value: unknown): value is DecideArgument {
  return isTextArgument(value) && 'status' in value && typeof value.status === 'string' && 'origin' in value && typeof value.origin === 'string';
}

/** What is decided about texts. */
export interface Answer {
  readonly status: DecisionStatus;
  readonly value?: DecisionValue;
  /** In place of `value`, where each text has an answer of its own. */
  readonly values?: ReadonlyMap<Passage, DecisionValue>;
  /** For a single text; several are a bulk decision. */
  readonly origin: DecisionOrigin;
}

/** Decides on the texts that the argument is about. */
export async function decide(workbench: Workbench, argument: DecideArgument): Promise<void> {
  const { status, value, origin } = argument;
  const { document, passages } = await passagesOf(workbench, argument);
  await decideOn(workbench, document, passages, { status, ...(value === undefined ? {} : { value }), origin });
}

/** Decides the same for whatever is selected. */
export async function decideSelected(workbench: Workbench, status: 'cleared' | 'skipped' | 'flagged'): Promise<void> {
  if (!workbench.annotations.task) return await offerTask();
  const { document, passages } = await touchedPassages(workbench.passages);
  await decideOn(workbench, document, passages, { status, origin: 'editor' });
}

/**
 * One decision about all passages, one undo. Says so in the status bar, which reaches a screen reader.
 *
 * @throws HumanError when it could not be written
 */
export async function decideOn({ annotations }: Workbench, document: vscode.TextDocument, passages: readonly Passage[], { status, value, values, origin }: Answer): Promise<void> {
  const { task } = annotations;
  if (!task) return await offerTask();
  const targets = passages.map((passage) => {
    const own = values?.get(passage);
    return {
      text: passage.text,
      source: annotations.sourceOf(task, document, passage.row === undefined ? documentText(document, passage) : passage),
      ...(own === undefined ? {} : { value: own }),
    };
  });
  await task.decide({ targets, status, ...(value === undefined ? {} : { value }), origin: targets.length > 1 ? 'bulk' : origin });
  const said = values ? vscode.l10n.t('✔ as guessed') : saidText(task, status, value);
  vscode.window.setStatusBarMessage(targets.length > 1 ? vscode.l10n.t('{0}: {1} texts', said, targets.length) : said, 5000);
}

function saidText({ definition }: EditorTask, status: DecisionStatus, value: DecisionValue | undefined): string {
  switch (status) {
    case 'labeled': {
      if (typeof value === 'number') return `✔ ${answerText({ labels: [], number: value })}`;
      const ids = value === undefined ? [] : typeof value === 'string' ? [value] : value;
      return `✔ ${answerText({ labels: ids.map((id) => shownLabel(definition, id)) })}`;
    }
    case 'skipped':
      return vscode.l10n.t('↷ skipped');
    case 'flagged':
      return vscode.l10n.t('⚑ flagged');
    case 'cleared':
      return vscode.l10n.t('Label cleared');
  }
}

export interface FoundPassages {
  readonly document: vscode.TextDocument;
  readonly passages: readonly Passage[];
}

/**
 * The texts that an argument is about.
 *
 * @throws HumanError when another text stands there by now
 */
export async function passagesOf({ annotations, passages }: Workbench, { uri, start, end, example, exact }: TextArgument): Promise<FoundPassages> {
  const document = await vscode.workspace.openTextDocument(vscode.Uri.parse(uri));
  const range = new vscode.Range(document.positionAt(start), document.positionAt(end));
  const own = exact && trimmedPassage(document, range);
  const found = own ? [own] : await passages.within(document, range);
  const isAnother = example !== undefined && !(found.length === 1 && found[0] && annotations.idOf(found[0].text) === example);
  if (found.length === 0 || isAnother) throw new HumanError('decide.changed', 'The text was edited in the meantime, so nothing was decided. Look at it again, and choose again.');
  return { document, passages: found };
}

/**
 * All segments or records of the editor in front that are selected, in part or as a whole, or have a cursor.
 *
 * @throws HumanError when there is none
 */
export async function touchedPassages(passages: Passages): Promise<FoundPassages> {
  const editor = vscode.window.activeTextEditor;
  if (!editor) throw new HumanError('selection.editor', 'There is no text editor in front. Open a document and select some text.');
  const { document, selections } = editor;
  const found = new Map<number, Passage>();
  for (const selection of selections) for (const passage of await passages.within(document, selection)) found.set(document.offsetAt(passage.range.start), passage);
  if (found.size === 0) throw new HumanError('selection.empty', 'There is no text at the cursor. Select some text, or put the cursor into a paragraph.');
  return { document, passages: [...found.values()] };
}

/** Labelling needs a task: offers to make one, or to open one that there is. */
export async function offerTask(): Promise<void> {
  const create = vscode.l10n.t('Create Task…');
  const open = vscode.l10n.t('Open Task…');
  const answer = await vscode.window.showInformationMessage(vscode.l10n.t('Labels belong to a task, and none is open. Create one, or open one of this workspace.'), create, open);
  if (answer !== undefined) await vscode.commands.executeCommand(answer === create ? commandIds.createTask : commandIds.openTask);
}
