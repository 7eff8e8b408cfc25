import * as vscode from 'vscode';
import type { DecisionValue } from '../core/labels/decision';
import type { Label } from '../core/labels/task';
import { shapeOf } from '../app/format';
import { labelByKey } from '../app/labeling/textAnnotation';
import type { EditorTask } from '../editor/taskAnnotations';

interface LabelItem extends vscode.QuickPickItem {
  readonly id: string;
}

/**
 * Asks for an answer in the task's terms: one label, several, or a number. Typing filters; a label's key alone decides at once, unless a name begins with it.
 *
 * @param suggested what is decided or guessed already: it is at the cursor, or ticked
 * @returns undefined if nothing was chosen
 */
export async function pickLabel({ definition, labels }: EditorTask, title: string, suggested: DecisionValue | undefined): Promise<DecisionValue | undefined> {
  switch (definition.kind) {
    case 'number':
      return await askNumber(title, definition.range, suggested);
    case 'single':
      return await pickOne(labels, title, suggested);
    case 'multi':
      return await pickSeveral(labels, title, suggested);
  }
}

function itemOf({ id, name, color, key, description }: Label): LabelItem {
  return { id, label: `${shapeOf(color)} ${name}`, ...(key === undefined ? {} : { description: key.toUpperCase() }), ...(description === undefined ? {} : { detail: description }) };
}

async function pickOne(labels: readonly Label[], title: string, suggested: DecisionValue | undefined): Promise<string | undefined> {
  const pick = vscode.window.createQuickPick<LabelItem>();
  pick.title = title;
  pick.placeholder = vscode.l10n.t('Type a key or a part of a label');
  pick.matchOnDescription = true;
  pick.matchOnDetail = true;
  pick.items = labels.map(itemOf);
  const likeliest = pick.items.find(({ id }) => id === suggested);
  if (likeliest) pick.activeItems = [likeliest];
  return await new Promise((resolve) => {
    let answer: string | undefined;
    const end = (id: string | undefined): void => {
      answer = id;
      pick.hide();
    };
    pick.onDidChangeValue((typed) => {
      const label = labelByKey(labels, typed);
      if (label) end(label.id);
    });
    pick.onDidAccept(() => end(pick.activeItems[0]?.id));
    pick.onDidHide(() => {
      pick.dispose();
      resolve(answer);
    });
    pick.show();
  });
}

async function pickSeveral(labels: readonly Label[], title: string, suggested: DecisionValue | undefined): Promise<readonly string[] | undefined> {
  const before = Array.isArray(suggested) ? suggested : [suggested];
  const items = labels.map((label) => ({ ...itemOf(label), picked: before.includes(label.id) }));
  const answer = await vscode.window.showQuickPick(items, { canPickMany: true, title, placeHolder: vscode.l10n.t('All labels that hold; none is an answer, too'), matchOnDescription: true, matchOnDetail: true });
  return answer?.map(({ id }) => id);
}

async function askNumber(title: string, range: { readonly minimum: number; readonly maximum: number } | undefined, suggested: DecisionValue | undefined): Promise<number | undefined> {
  const answer = await vscode.window.showInputBox({
    title,
    prompt: range ? vscode.l10n.t('A number from {0} to {1}', range.minimum, range.maximum) : vscode.l10n.t('A number'),
    value: typeof suggested === 'number' ? String(Number(suggested.toPrecision(3))) : '',
    validateInput: (typed) => {
      const value = numberOf(typed);
      if (value === undefined) return vscode.l10n.t('This is no number.');
      if (range && (value < range.minimum || value > range.maximum)) return vscode.l10n.t('Numbers of this task go from {0} to {1}.', range.minimum, range.maximum);
      return undefined;
    },
  });
  return answer === undefined ? undefined : numberOf(answer);
}

/** With a point or a comma before the decimals. */
function numberOf(typed: string): number | undefined {
  const trimmed = typed.trim().replace(',', '.');
  const value = Number(trimmed);
  return trimmed === '' || !Number.isFinite(value) ? undefined : value;
}
