import * as vscode from 'vscode';
import { HumanError } from '../core/errors';
import type { DecisionValue } from '../core/labels/decision';
import { excerpt } from '../app/format';
import { documentText } from '../editor/passages';
import type { EditorTask } from '../editor/taskAnnotations';
import { decideOn, offerTask, passagesOf, touchedPassages, type FoundPassages } from './decide';
import type { LabelKeyArgument, TextArgument } from './ids';
import { pickLabel } from './pickLabel';
import type { Workbench } from './workbench';

export function isLabelKeyArgument(value: unknown): value is LabelKeyArgument {
  return typeof value === 'object' && value !== null && 'key' in value && typeof value.key === 'string';
}

/** Labels the segments or records that are selected, each as a whole, or the texts of the argument: with the label of a key, or with the one that the person chooses. */
export async function labelAs(workbench: Workbench, argument: TextArgument | LabelKeyArgument | undefined): Promise<void> {
  const { task } = workbench.annotations;
  if (!task) return await offerTask();
  const found = argument && !isLabelKeyArgument(argument) ? await passagesOf(workbench, argument) : await touchedPassages(workbench.passages);
  const value = isLabelKeyArgument(argument) ? valueOfKey(task, argument.key) : await askLabel(workbench, task, found);
  if (value !== undefined) await decideOn(workbench, found.document, found.passages, { status: 'labeled', value, origin: 'editor' });
}

/** Asks for the label of texts. Undefined if none was chosen. */
export async function askLabel({ annotations }: Workbench, task: EditorTask, { document, passages }: FoundPassages): Promise<DecisionValue | undefined> {
  const [first] = passages;
  if (!first) return undefined;
  const { decision, guess } = annotations.of(document, documentText(document, first));
  const title = passages.length === 1 ? excerpt(first.text, 80) : vscode.l10n.t('Label {0} texts', passages.length);
  return await pickLabel(task, title, passages.length === 1 ? (decision?.value ?? guess?.value) : undefined);
}

function valueOfKey({ definition, labels }: EditorTask, key: string): DecisionValue {
  const label = labels.find((candidate) => candidate.key === key);
  if (!label) throw new HumanError('label.key', 'No label of the task {0} has the key {1}. Edit its labels, or choose the label by its name.', [definition.name, key.toUpperCase()]);
  return definition.kind === 'multi' ? [label.id] : label.id;
}
