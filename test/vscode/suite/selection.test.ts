import * as assert from 'node:assert';
import * as vscode from 'vscode';
import type { SelectionResult } from '../../../src/editor/selectionResults';
import type { TestingApi } from '../../../src/extension';
import { ranked } from '../../../src/app/prediction';
import { commandIds } from '../../../src/commands/ids';
import { closeAll, show, useWordModel } from './support';

describe('Classify Selection', () => {
  let api: TestingApi;
  before(async () => {
    api = await useWordModel();
  });
  afterEach(closeAll);

  const classify = (): Thenable<unknown> => vscode.commands.executeCommand(commandIds.classifySelection);
  const textOf = (document: vscode.TextDocument, { start, end }: SelectionResult): string => document.getText(new vscode.Range(document.positionAt(start), document.positionAt(end)));
  /** Each result's text and most probable label, in the order of the document. */
  const answers = (document: vscode.TextDocument): (string | undefined)[][] =>
    [...api.selections.of(document)].sort((a, b) => a.start - b.start).map((result) => [textOf(document, result), result.prediction && ranked(result.prediction)[0]!.label]);

  it('answers at the selection, without the white space around it', async () => {
    const editor = await show('selection.ts', '// a comment: lovely   \nconst x = 1;\n');
    editor.selection = new vscode.Selection(0, 13, 1, 0);
    await classify();
    assert.deepStrictEqual(answers(editor.document), [['lovely', 'positive']]);
  });

  it('takes the segment at the cursor when nothing is selected', async () => {
    const editor = await show('cursor.txt', 'A lovely day.\n\nThe chair was broken.\nAnd rude people.\n');
    editor.selection = new vscode.Selection(3, 4, 3, 4);
    await classify();
    assert.deepStrictEqual(answers(editor.document), [['The chair was broken.\nAnd rude people.', 'negative']]);
  });

  it('takes the heading at the cursor, though headings are not annotated', async () => {
    const editor = await show('cursor.md', '# A lovely place\n\nThe chair was broken.\n');
    editor.selection = new vscode.Selection(0, 0, 0, 0);
    await classify();
    assert.deepStrictEqual(answers(editor.document), [['A lovely place', 'positive']]);
  });

  it('answers each of several selections', async () => {
    const editor = await show('several.txt', 'lovely and broken and good\n');
    editor.selections = [new vscode.Selection(0, 0, 0, 6), new vscode.Selection(0, 11, 0, 17), new vscode.Selection(0, 22, 0, 26)];
    await classify();
    assert.deepStrictEqual(answers(editor.document), [
      ['lovely', 'positive'],
      ['broken', 'negative'],
      ['good', 'positive'],
    ]);
  });

  it('keeps the answers to their text while other text is edited, and drops those whose text is', async () => {
    const editor = await show('edits.txt', 'lovely and broken\n');
    const { document } = editor;
    editor.selections = [new vscode.Selection(0, 0, 0, 6), new vscode.Selection(0, 11, 0, 17)];
    await classify();
    await editor.edit((edit) => edit.insert(new vscode.Position(0, 7), 'certainly '));
    assert.deepStrictEqual(answers(document), [
      ['lovely', 'positive'],
      ['broken', 'negative'],
    ]);
    await editor.edit((edit) => edit.insert(new vscode.Position(0, 3), 'x'));
    assert.deepStrictEqual(answers(document), [['broken', 'negative']]);
    // two changes at once, one before and one in the text that is left
    await editor.edit((edit) => {
      edit.insert(new vscode.Position(0, 0), 'So ');
      edit.delete(new vscode.Range(0, document.lineAt(0).text.length - 2, 0, document.lineAt(0).text.length));
    });
    assert.deepStrictEqual(answers(document), []);
  });

  it('clears by command', async () => {
    const editor = await show('clear.txt', 'lovely\n');
    editor.selection = new vscode.Selection(0, 0, 0, 6);
    await classify();
    assert.strictEqual(api.selections.of(editor.document).length, 1);
    await vscode.commands.executeCommand(commandIds.clearResults);
    assert.strictEqual(api.selections.of(editor.document).length, 0);
  });

  it('replaces an answer when the same text is asked again, and forgets all with the document', async () => {
    const editor = await show('again.txt', 'lovely\n');
    editor.selection = new vscode.Selection(0, 0, 0, 6);
    await classify();
    await classify();
    assert.strictEqual(api.selections.of(editor.document).length, 1);
    await api.settings.chooseModel('words');
    assert.strictEqual(api.selections.of(editor.document).length, 0, 'another model, another answer');
    await api.settings.chooseModel('words/v1');
  });
});
