import * as assert from 'node:assert';
import * as vscode from 'vscode';
import type { TestingApi } from '../../../src/extension';
import { commandIds } from '../../../src/commands/ids';
import { closeAll, lensesOf, show, useWordModel, when } from './support';

const markdown = `---
title: a bad title
---
# A good heading

The hotel was good and lovely.

\`\`\`text
bad bad bad
\`\`\`

The staff was rude. The shower was broken.
The soap was good.

| a good | column |
| ------ | ------ |
| a bad  | cell   |

电影很好。
`;

describe('CodeLenses in prose', () => {
  let api: TestingApi;
  before(async () => {
    api = await useWordModel();
  });
  afterEach(closeAll);

  async function withUnit(unit: string | undefined): Promise<void> {
    await vscode.workspace.getConfiguration('labelLens').update('annotations.unit', unit, vscode.ConfigurationTarget.Workspace);
  }
  after(() => withUnit(undefined));

  it('stand above each paragraph of a text file, with label and per cent', async () => {
    const { document } = await show('visit.txt', 'A lovely day.\nGood food.\n\nThe chair was broken.\n');
    const lenses = await lensesOf(document, 10);
    assert.deepStrictEqual(
      lenses.map(({ line }) => line),
      [0, 3],
    );
    assert.match(lenses[0]!.title!, /^◆ positive \d\d %$/);
    assert.match(lenses[1]!.title!, /^● negative \d\d %$/);
  });

  it('stand above the paragraphs of Markdown, not above front matter, headings, tables and code', async () => {
    const { document } = await show('visit.md', markdown);
    const lenses = await lensesOf(document, 20);
    assert.deepStrictEqual(
      lenses.map(({ line, title }) => [document.lineAt(line).text, title?.replace(/ \d+ %/, '')]),
      [
        ['The hotel was good and lovely.', '◆ positive'],
        ['The staff was rude. The shower was broken.', '● negative'],
        ['电影很好。', '◆ positive'],
      ],
    );
  });

  for (const [unit, expected] of [
    ['paragraph', 1],
    ['line', 2],
    ['sentence', 3],
    ['off', 0],
  ] as const) {
    it(`follow the setting ${unit}`, async () => {
      await withUnit(unit);
      const { document } = await show('unit.txt', 'The staff was rude. The shower was broken.\nThe soap was good.\n');
      assert.strictEqual((await lensesOf(document, 10)).length, expected);
      await withUnit(undefined);
    });
  }

  it('come as ranges at once and are computed only when asked for', async () => {
    const text = Array.from({ length: 300 }, (_, index) => `Paragraph ${index} was good.`).join('\n\n');
    const { document } = await show('long.txt', text);
    const before = api.session.recall('Paragraph 299 was good.');
    await lensesOf(document, 3);
    assert.deepStrictEqual(api.lenses.countOf(document), { shown: 300, total: 300, complete: true });
    assert.strictEqual(before, undefined);
    assert.strictEqual(api.session.recall('Paragraph 299 was good.'), undefined, 'what is not on the screen is not predicted');
  });

  it('are capped, around the screen, and the status bar says so', async () => {
    await vscode.workspace.getConfiguration('labelLens').update('annotations.maximum', 50, vscode.ConfigurationTarget.Workspace);
    try {
      const { document } = await show('capped.txt', Array.from({ length: 80 }, (_, index) => `Note ${index} is good.`).join('\n\n'));
      assert.strictEqual((await lensesOf(document, 100)).length, 50);
      assert.deepStrictEqual(api.lenses.countOf(document), { shown: 50, total: 80, complete: true });
      const editor = vscode.window.activeTextEditor!;
      editor.revealRange(document.lineAt(document.lineCount - 1).range);
      await when('the end of the document', [vscode.window.onDidChangeTextEditorVisibleRanges], () => (editor.visibleRanges.some(({ end }) => end.line === document.lineCount - 1) ? true : undefined));
      const moved = await lensesOf(document, 100);
      assert.strictEqual(moved.length, 50);
      assert.strictEqual(moved.at(-1)!.line, document.lineCount - 1);
      await when('the note in the status bar', [api.lenses.onDidCount, api.session.onDidChangeStatus], () => (api.status.text.includes('$(warning)') ? true : undefined));
    } finally {
      await vscode.workspace.getConfiguration('labelLens').update('annotations.maximum', undefined, vscode.ConfigurationTarget.Workspace);
    }
  });

  it('stay as they are while another paragraph is typed in', async () => {
    const editor = await show('typing.txt', 'A lovely day.\n\nThe chair was broken.\n\nGood food.\n');
    const { document } = editor;
    await lensesOf(document, 10);
    // nothing may be computed for what did not change: the answers are there before anything is resolved
    for (const word of ['Such ', 'a ', 'rude ', 'host. ']) {
      await editor.edit((edit) => edit.insert(new vscode.Position(2, 0), word));
      const lenses = await lensesOf(document, 0);
      assert.deepStrictEqual(
        lenses.filter(({ line }) => line !== 2).map(({ line, title }) => [line, title?.replace(/\d+ %/, '')]),
        [
          [0, '◆ positive '],
          [4, '◆ positive '],
        ],
      );
    }
    const lenses = await lensesOf(document, 10);
    assert.match(lenses[1]!.title!, /^● negative/);
  });

  it('go and come back with Toggle Annotations', async () => {
    const { document } = await show('toggle.txt', 'A lovely day.\n');
    assert.strictEqual((await lensesOf(document, 1)).length, 1);
    await vscode.commands.executeCommand(commandIds.toggleAnnotations);
    assert.strictEqual((await lensesOf(document, 1)).length, 0);
    assert.match(api.status.text, /circle-slash/);
    await vscode.commands.executeCommand(commandIds.toggleAnnotations);
    assert.strictEqual((await lensesOf(document, 1)).length, 1);
  });

  it('tell all labels, with bars and the model, and the words that decided, in the hover', async () => {
    const { document } = await show('hover.txt', 'A lovely day.\n');
    const hovers = await vscode.commands.executeCommand<vscode.Hover[]>('vscode.executeHoverProvider', document.uri, new vscode.Position(0, 4));
    const text = hovers.flatMap(({ contents }) => contents.map((content) => (typeof content === 'string' ? content : content.value))).join('\n');
    assert.match(text, /◆ positive.*█.*%/);
    assert.match(text, /● negative.*%/);
    assert.match(text, /words\\\/v1|words\/v1/);
    assert.match(text, /Words for positive\\: lovely \\\(\\\+/);
  });

  it('are gone, and the status bar tells why, when the model cannot be used; and back with one that can', async () => {
    const { document } = await show('model.txt', 'A lovely day.\n');
    assert.strictEqual((await lensesOf(document, 1)).length, 1);
    await api.settings.chooseModel('no-such-model');
    try {
      await lensesOf(document, 1);
      await when('the error in the status bar', [api.session.onDidChangeStatus], () => (api.session.status.error && api.status.text.includes('$(error)') ? true : undefined));
      assert.strictEqual((await lensesOf(document, 1)).length, 0);
    } finally {
      await api.settings.chooseModel('words/v1');
    }
    assert.match((await lensesOf(document, 1))[0]!.title!, /positive/);
  });
});
