import * as vscode from 'vscode';
import { HumanError } from '../core/errors';
import { excerpt } from '../app/format';
import { kindOf } from '../editor/documents';
import type { ColumnChoice } from '../editor/rowAnnotations';
import type { Workbench } from './workbench';

/** Lets a person say which columns of the table in front hold the text. Several are joined by a blank line, in the table's order. */
export async function chooseTextColumns({ rows, annotations }: Workbench): Promise<void> {
  const document = vscode.window.activeTextEditor?.document;
  if (!document || kindOf(document) !== 'rows') throw new HumanError('columns.document', 'Text columns belong to tables. Open a CSV, TSV or JSON Lines file first.');
  if (annotations.coverageOf(document)?.kind === 'table')
    throw new HumanError('columns.task', 'The task {0} says which columns of this table are its text. Close the task, or create another one for other columns.', [annotations.task?.definition.name ?? '']);
  const choice = await rows.columnsOf(document);
  const chosen = await pickColumns(choice);
  if (chosen) await rows.setColumns(document, chosen);
}

/** Asks for columns by name, with some of their values. Undefined if nothing was chosen. */
export async function pickColumns({ columns, chosen }: ColumnChoice, title = vscode.l10n.t('Choose Text Columns')): Promise<readonly number[] | undefined> {
  if (columns.length === 0) throw new HumanError('columns.none', 'The table has no columns yet. Add a row first.');
  const items = columns.map((column, index) => ({
    label: column.name,
    description: vscode.l10n.t('Column {0}', index + 1),
    detail: column.samples.map((sample) => excerpt(sample, 60)).join('  ·  '),
    picked: chosen.includes(index),
    index,
  }));
  const answer = await vscode.window.showQuickPick(items, {
    canPickMany: true,
    title,
    placeHolder: vscode.l10n.t('The columns to be read; several are joined by a blank line'),
    matchOnDetail: true,
  });
  return answer && answer.length > 0 ? answer.map(({ index }) => index).sort((a, b) => a - b) : undefined;
}
