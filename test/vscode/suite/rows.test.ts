import * as assert from 'node:assert';
import * as vscode from 'vscode';
import type { TestingApi } from '../../../src/extension';
import { commandIds } from '../../../src/commands/ids';
import { loopAtRest, LoopWatch } from './loopWatch';
import { closeAll, show, useWordModel, when } from './support';

describe('annotations of records', () => {
  let api: TestingApi;
  before(async () => {
    api = await useWordModel();
  });
  afterEach(closeAll);

  type Drawn = { readonly line: number; readonly text: string };
  const drawn = (document: vscode.TextDocument): readonly Drawn[] => [...api.rows.drawn(document)].sort((a, b) => a.line - b.line);
  /** Waits until exactly these annotations stand: lines (base 0) and labels with their shapes. */
  async function stands(document: vscode.TextDocument, expected: readonly (readonly [number, string])[]): Promise<void> {
    const now = (): string => JSON.stringify(drawn(document).map(({ line, text }) => [line, text.replace(/ \d+ %$/, '')]));
    await when(`annotations ${JSON.stringify(expected)}`, [api.rows.onDidChange], () => (now() === JSON.stringify(expected) ? true : undefined)).catch((error: unknown) => {
      throw new Error(`${String(error)}; there are ${now()}`);
    });
  }

  it('stand once for each record of a CSV, on its last line, none for the header', async () => {
    const { document } = await show('reviews.csv', 'id,review\n1,"A lovely kettle,\nreally good"\n2,The lid is broken\n\n3,"Rude ""people"""\n');
    await stands(document, [
      [2, '◆ positive'],
      [3, '● negative'],
      [5, '● negative'],
    ]);
  });

  it('read tabs, semicolons, JSON Lines and log lines', async () => {
    const tsv = await show('reviews.tsv', 'text\tid\nA lovely kettle\t1\nIt is broken\t2\n');
    await stands(tsv.document, [[1, '◆ positive'], [2, '● negative']]);
    const semicolon = await show('semicolon.csv', 'id;text\n1;A lovely, good kettle\n2;It is broken\n');
    await stands(semicolon.document, [[1, '◆ positive'], [2, '● negative']]);
    const jsonl = await show('messages.jsonl', '{"id": 1, "text": "A lovely \\"kettle\\""}\n{"id": 2, "text": "It is broken"}\n');
    await stands(jsonl.document, [[0, '◆ positive'], [1, '● negative']]);
    const log = await show('feedback.log', '12:00 INFO a lovely day\n\n12:01 WARN it is broken\n');
    await stands(log.document, [[0, '◆ positive'], [2, '● negative']]);
  });

  it('follow an edit, also one that joins or splits records', async () => {
    const editor = await show('edited.csv', 'id,text\n1,A lovely kettle\n2,It is broken\n3,A good one\n');
    const { document } = editor;
    await stands(document, [[1, '◆ positive'], [2, '● negative'], [3, '◆ positive']]);
    await editor.edit((edit) => edit.replace(new vscode.Range(1, 2, 1, 10), 'A rude'));
    await when('the new answer', [api.rows.onDidChange], () => (drawn(document)[0]?.text.startsWith('●') ? true : undefined));
    // a quote that opens in row 1 and closes in row 2 makes one record of them
    await editor.edit((edit) => {
      edit.insert(new vscode.Position(1, 2), '"');
      edit.insert(new vscode.Position(2, document.lineAt(2).text.length), '"');
    });
    await stands(document, [[2, '● negative'], [3, '◆ positive']]);
    await editor.edit((edit) => edit.insert(new vscode.Position(0, 0), '\n'));
    await stands(document, [[3, '● negative'], [4, '◆ positive']]);
  });

  it('read the columns that a person chose, and remember them', async () => {
    const { document } = await show('columns.csv', 'title,review\nbroken,A lovely and good kettle that does what it should\nlovely,It is broken and the people were rude to me\n');
    await stands(document, [[1, '◆ positive'], [2, '● negative']]);
    const choice = await api.rows.columnsOf(document);
    assert.deepStrictEqual(choice.columns.map(({ name }) => name), ['title', 'review']);
    assert.deepStrictEqual(choice.chosen, [1]);
    assert.ok(choice.columns[1]!.samples[0]!.startsWith('A lovely'));
    await api.rows.setColumns(document, [0]);
    await when('answers about the other column', [api.rows.onDidChange], () => (drawn(document).map(({ text }) => text[0]).join('') === '●◆' ? true : undefined));
    await closeAll();
    const again = await vscode.window.showTextDocument(document.uri);
    assert.deepStrictEqual((await api.rows.columnsOf(again.document)).chosen, [0]);
    await api.rows.setColumns(again.document, [1]);
  });

  it('are what Classify Selection answers with for the record at the cursor', async () => {
    const editor = await show('cursor.csv', 'id,text\n1,"A lovely\nkettle"\n2,It is broken\n');
    editor.selection = new vscode.Selection(2, 1, 2, 1);
    await vscode.commands.executeCommand(commandIds.classifySelection);
    const [result] = api.selections.of(editor.document);
    assert.strictEqual(result?.prediction?.tokens, 3);
    assert.strictEqual(editor.document.positionAt(result.end).line, 2);
  });

  it('tell all labels in the hover', async () => {
    const { document } = await show('hover.csv', 'id,text\n1,A lovely kettle\n2,It is broken\n');
    await stands(document, [[1, '◆ positive'], [2, '● negative']]);
    const hovers = await vscode.commands.executeCommand<vscode.Hover[]>('vscode.executeHoverProvider', document.uri, new vscode.Position(1, 5));
    const text = hovers.flatMap(({ contents }) => contents.map((content) => (typeof content === 'string' ? content : content.value))).join('\n');
    assert.match(text, /◆ positive.*█.*%/);
    assert.match(text, /Words for positive\\: lovely \\\(\\\+/);
  });

  it('are switched off by the setting', async () => {
    const { document } = await show('off.csv', 'id,text\n1,A lovely kettle\n');
    await stands(document, [[1, '◆ positive']]);
    const configuration = vscode.workspace.getConfiguration('labelLens');
    await configuration.update('annotations.unit', 'off', vscode.ConfigurationTarget.Workspace);
    await stands(document, []);
    await configuration.update('annotations.unit', undefined, vscode.ConfigurationTarget.Workspace);
    await stands(document, [[1, '◆ positive']]);
  });

  it('follow the screen through 100,000 rows, and print how long the extension host was blocked: the bar is 50 ms', async function () {
    this.timeout(300_000);
    const rows = 100_000;
    const lines = ['id,product,review'];
    const words = ['lovely', 'broken', 'good', 'rude', 'plain', 'friendly', 'bad'];
    for (let row = 1; row <= rows; row++) {
      const review = `Number ${row} is ${words[row % 7]!} and ${words[(row * 3) % 7]!}, said a customer who had it for ${row % 30} days and would ${row % 2 ? '' : 'not '}buy it again.`;
      lines.push(`${row},Kettle ${row % 50},${row % 10 === 0 ? `"${review.replace(', ', ',\n')} He said ""${words[row % 7]!}""."` : `"${review}"`}`);
    }
    const { document } = await show('huge.csv', lines.join('\n'));
    const editor = vscode.window.activeTextEditor!;
    await when('annotations at the top', [api.rows.onDidChange], () => (drawn(document).length > 0 ? true : undefined));
    await when('the whole table read', [api.rows.onDidChange], () => (api.rows.readingOf(document) === undefined ? true : undefined), 60_000);

    await loopAtRest(20);
    const watch = new LoopWatch();
    const waits: number[] = [];
    for (let step = 0; step < 40; step++) {
      const line = Math.floor((((step * 37) % 40) / 40) * (document.lineCount - 200)) + 100;
      const start = performance.now();
      editor.revealRange(new vscode.Range(line, 0, line, 0), vscode.TextEditorRevealType.AtTop);
      await when(`annotations at line ${line}`, [api.rows.onDidChange], () => (drawn(document).some((row) => row.line >= line + 5 && row.line <= line + 15) ? true : undefined));
      waits.push(performance.now() - start);
    }
    const blocked = watch.stop();
    waits.sort((a, b) => a - b);
    console.log(
      `test│ 100,000 rows (${(document.offsetAt(document.lineAt(document.lineCount - 1).range.end) / 1e6).toFixed(1)} million characters): the extension host's event loop was late by ${blocked.text}; ` +
        `annotations after a jump: median ${waits[20]!.toFixed(0)} ms, max ${waits.at(-1)!.toFixed(0)} ms`,
    );
    assert.ok(drawn(document).length < 1000, 'only what is near the screen is annotated');
  });
});
