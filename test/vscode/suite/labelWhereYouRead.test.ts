import * as assert from 'node:assert';
import * as vscode from 'vscode';
import type { TestingApi } from '../../../src/extension';
import { commandIds, internalCommandIds } from '../../../src/commands/ids';
import { HumanError } from '../../../src/core/errors';
import { newLabels, type TaskDefinition } from '../../../src/core/labels/task';
import { FakeTask, FakeTasks } from './fakeTask';
import { loopAtRest, LoopWatch } from './loopWatch';
import { closeAll, lensesOf, show, useWordModel, when, workspaceFolder } from './support';

// the colours are the other way round than in the model, whose first label is negative
const definition: TaskDefinition = {
  formatVersion: 1,
  name: 'moods',
  kind: 'single',
  labels: newLabels(['positive', 'negative', 'mixed']),
  sources: [
    { kind: 'table', file: 'moods.csv', textColumns: ['note'] },
    { kind: 'table', file: 'moods.txt', textColumns: ['text'] },
  ],
};

describe('labels where one reads', () => {
  let api: TestingApi;
  const tasks = new FakeTasks();
  let task: FakeTask;

  before(async () => {
    api = await useWordModel();
    api.annotations.follow(tasks);
  });
  beforeEach(() => {
    task = new FakeTask(workspaceFolder().fsPath, definition);
    tasks.activate(task);
  });
  afterEach(async () => {
    tasks.activate(undefined);
    await closeAll();
  });
  after(() => api.annotations.follow(api.tasks));

  type Titled = readonly (readonly [number, string])[];
  /** Lines and titles of all lenses, without per cents. On the screen they keep their order; the command that asks for them lists first those that need no answer of the model. */
  async function titles(document: vscode.TextDocument): Promise<Titled> {
    const lenses = await lensesOf(document, 50);
    const place = (title: string): number => (title.startsWith('✓') ? 1 : title.endsWith('…') ? 2 : 0);
    return lenses.map(({ line, title = '' }) => [line, title.replace(/ \d+ %/, '')] as const).sort((a, b) => a[0] - b[0] || place(a[1]) - place(b[1]));
  }
  async function runLens(document: vscode.TextDocument, line: number, title: string): Promise<void> {
    const lenses = await vscode.commands.executeCommand<vscode.CodeLens[]>('vscode.executeCodeLensProvider', document.uri, 50);
    const command = lenses.find((lens) => lens.range.start.line === line && lens.command?.title === title)?.command;
    assert.ok(command, `${title} in line ${line}`);
    await vscode.commands.executeCommand(command.command, ...((command.arguments ?? []) as unknown[]));
  }
  async function fixes(document: vscode.TextDocument, range: vscode.Range): Promise<readonly vscode.CodeAction[]> {
    const actions = await vscode.commands.executeCommand<vscode.CodeAction[]>('vscode.executeCodeActionProvider', document.uri, range, 'quickfix.labelLens');
    return actions.filter(({ kind }) => kind?.value.startsWith('quickfix.labelLens'));
  }
  async function runFix(document: vscode.TextDocument, range: vscode.Range, title: string): Promise<void> {
    const actions = await fixes(document, range);
    const command = actions.find((action) => action.title === title)?.command;
    assert.ok(command, `${title} among ${actions.map((action) => action.title).join(', ')}`);
    await vscode.commands.executeCommand(command.command, ...((command.arguments ?? []) as unknown[]));
  }
  async function stands(document: vscode.TextDocument, expected: readonly string[]): Promise<void> {
    const now = (): string => JSON.stringify([...api.rows.drawn(document)].sort((a, b) => a.line - b.line).map(({ text }) => text.replace(/ \d+ %$/, '')));
    await when(`rows ${JSON.stringify(expected)}`, [api.rows.onDidChange], () => (now() === JSON.stringify(expected) ? true : undefined)).catch((error: unknown) => {
      throw new Error(`${String(error)}; there are ${now()}`);
    });
  }

  describe('in prose', () => {
    it('a guess can be accepted or answered otherwise, in the task’s colours; accepted, it is a label', async () => {
      const { document } = await show('letter.txt', 'A lovely day.\nGood food.\n\nThe chair was broken.\n');
      assert.deepStrictEqual(await titles(document), [
        [0, '● positive'], [0, '✓ accept'], [0, 'label…'],
        [3, '◆ negative'], [3, '✓ accept'], [3, 'label…'],
      ]);
      await runLens(document, 3, '✓ accept');
      assert.deepStrictEqual(task.requests, [{ targets: [{ text: 'The chair was broken.', source: { file: 'letter.txt', start: 26, end: 47 } }], status: 'labeled', value: 'negative', origin: 'accept' }]);
      assert.deepStrictEqual((await titles(document)).slice(3), [[3, '✔ negative (mei)'], [3, 'change…']]);
      await vscode.commands.executeCommand(commandIds.undoDecision);
      assert.deepStrictEqual((await titles(document)).slice(3), [[3, '◆ negative'], [3, '✓ accept'], [3, 'label…']]);
    });

    it('a label whose text was edited is stale, until it is confirmed; one whose text moved is not', async () => {
      const editor = await show('edited.txt', 'A lovely day.\n\nThe chair was broken, and nobody cared.\n');
      const { document } = editor;
      await runLens(document, 2, '✓ accept');
      await editor.edit((edit) => edit.insert(new vscode.Position(0, 0), 'The chair of the other room was good.\n\n'));
      assert.deepStrictEqual((await titles(document)).filter(([, title]) => /✔|⚠/.test(title)), [[4, '✔ negative (mei)']]);
      await editor.edit((edit) => edit.replace(new vscode.Range(4, 14, 4, 20), 'mended'));
      assert.deepStrictEqual((await titles(document)).filter(([line]) => line === 4), [[4, '⚠ was negative, text changed'], [4, '✓ still negative'], [4, 'label…']]);
      await runLens(document, 4, '✓ still negative');
      assert.deepStrictEqual((await titles(document)).filter(([line]) => line === 4), [[4, '✔ negative (mei)'], [4, 'change…']]);
    });

    it('nothing is decided when the text is another one by now', async () => {
      const editor = await show('raced.txt', 'A lovely day.\n');
      const { document } = editor;
      const lenses = await vscode.commands.executeCommand<vscode.CodeLens[]>('vscode.executeCodeLensProvider', document.uri, 50);
      const accept = lenses.find(({ command }) => command?.title === '✓ accept')?.command;
      await editor.edit((edit) => edit.insert(new vscode.Position(0, 0), 'Not '));
      await vscode.commands.executeCommand(accept!.command, ...(accept!.arguments as unknown[]));
      assert.deepStrictEqual(task.requests, []);
    });

    it('what is no answer to the question cannot be accepted, and without a task all is as before', async () => {
      task.redefine({ ...definition, labels: newLabels(['sports', 'politics']) });
      const { document } = await show('elsewhere.txt', 'A lovely day.\n');
      assert.deepStrictEqual(await titles(document), [[0, '◆ positive'], [0, 'label…']]);
      tasks.activate(undefined);
      assert.deepStrictEqual(await titles(document), [[0, '◆ positive']]);
    });

    it('the lines of a text file that is a source are its texts, and the task’s own guesses come first', async () => {
      task.guess('It is lovely.', { scores: [0.1, 0.2, 0.7], value: 'mixed', confidence: 0.7 });
      const { document } = await show('moods.txt', 'It is lovely.\n---\nIt is broken.\n');
      assert.deepStrictEqual((await titles(document)).filter(([, title]) => !/accept|label/.test(title)), [[0, '▲ mixed'], [2, '◆ negative']]);
      const hovers = await vscode.commands.executeCommand<vscode.Hover[]>('vscode.executeHoverProvider', document.uri, new vscode.Position(0, 3));
      const [guess, words] = hovers.flatMap(({ contents }) => contents as vscode.MarkdownString[]);
      assert.match(guess?.value ?? '', /▲ mixed.*Guess of the task/s);
      assert.match(words?.value ?? '', /^Words for mixed\\: It \\\(\\\+25 %\\\)/);
      await runLens(document, 2, '✓ accept');
      assert.deepStrictEqual(task.requests[0]?.targets, [{ text: 'It is broken.', source: { file: 'moods.txt', row: 3 } }]);
    });

    it('a few words that are labelled for themselves leave the paragraph around them as it is', async () => {
      const editor = await show('words.txt', 'A lovely day in the hotel by the sea.\n');
      const { document } = editor;
      const words = new vscode.Range(0, 2, 0, 12);
      await task.decide({ targets: [{ text: 'lovely day', source: { file: 'words.txt', start: 2, end: 12 } }], status: 'labeled', value: 'mixed', origin: 'editor' });
      api.selections.show(document, [{ text: 'lovely day', range: words }]);
      assert.deepStrictEqual(api.selections.of(document).map(({ start, end }) => [start, end]), [[2, 12]]);
      assert.deepStrictEqual(await titles(document), [[0, '● positive'], [0, '✓ accept'], [0, 'label…']]);
    });

    it('Label Selection labels the selected words, or the paragraph at the cursor, with the label that is chosen', async () => {
      const editor = await show('selected.txt', 'The lid is broken. \n\nA lovely day.\n');
      const { document } = editor;
      for (const [selection, target] of [
        [new vscode.Selection(0, 3, 0, 7), { text: 'lid', source: { file: 'selected.txt', start: 4, end: 7 } }],
        [new vscode.Selection(2, 4, 2, 4), { text: 'A lovely day.', source: { file: 'selected.txt', start: 21, end: 34 } }],
      ] as const) {
        editor.selection = selection;
        let ended = false;
        void vscode.commands.executeCommand(commandIds.labelSelection).then(() => (ended = true));
        // nothing tells when the list is there: it is answered as soon as it takes an answer
        while (!ended) await vscode.commands.executeCommand('workbench.action.acceptSelectedQuickOpenItem');
        assert.deepStrictEqual(task.requests.at(-1), { targets: [target], status: 'labeled', value: 'positive', origin: 'editor' });
      }
      assert.deepStrictEqual(api.selections.of(document).map(({ text }) => text), ['lid'], 'the paragraph says so itself');
    });

    it('the hover says first who decided, then what the model holds, and runs no command but ours', async () => {
      const { document } = await show('hover.txt', 'A lovely day.\n');
      await runLens(document, 0, '✓ accept');
      task.disagree('A lovely day.', 'jon', 'mixed');
      assert.deepStrictEqual((await titles(document))[0], [0, '✔ positive (mei) ≠ jon']);
      const hovers = await vscode.commands.executeCommand<vscode.Hover[]>('vscode.executeHoverProvider', document.uri, new vscode.Position(0, 3));
      const [markdown] = hovers.flatMap(({ contents }) => contents as vscode.MarkdownString[]);
      assert.ok(markdown);
      assert.match(markdown.value, /✔ positive ≠.*mei, .*2026.*≠ jon\\: ✔ mixed.*● positive .*█.*Model words\/v1 v1.*\[Change…\]\(command:labelLens\.labelAs.*\[Clear\]/s);
      assert.deepStrictEqual(markdown.isTrusted, { enabledCommands: [commandIds.labelAs, internalCommandIds.decide] });
    });
  });

  describe('in rows', () => {
    const table = 'id,note,remark\n1,A lovely kettle,bad bad bad bad bad\n2,It is broken,good\n3,"A good\none",bad\n4,Rude people,good\n';

    it('a Quick Fix on several rows is one decision about all of them, and one undo takes it back', async () => {
      const { document } = await show('moods.csv', table);
      // the column that the task reads, not the one that looks most like text
      await stands(document, ['● positive', '◆ negative', '● positive', '◆ negative']);
      await runFix(document, new vscode.Range(1, 3, 4, 2), 'Label 3 texts as mixed');
      assert.strictEqual(task.requests.length, 1);
      assert.deepStrictEqual(task.requests[0], {
        targets: [
          { text: 'A lovely kettle', source: { file: 'moods.csv', row: 1 } },
          { text: 'It is broken', source: { file: 'moods.csv', row: 2 } },
          { text: 'A good\none', source: { file: 'moods.csv', row: 3 } },
        ],
        status: 'labeled', value: 'mixed', origin: 'bulk',
      });
      await stands(document, ['✔ mixed', '✔ mixed', '✔ mixed', '◆ negative']);
      assert.deepStrictEqual([...api.rows.drawn(document)].map(({ mark, style }) => `${mark} ${style}`), ['labeled 2', 'labeled 2', 'labeled 2', 'guess 1']);
      await vscode.commands.executeCommand(commandIds.undoDecision);
      await stands(document, ['● positive', '◆ negative', '● positive', '◆ negative']);
    });

    it('a Quick Fix on one row accepts its guess, labels, skips, flags and clears', async () => {
      const { document } = await show('moods.csv', table);
      await stands(document, ['● positive', '◆ negative', '● positive', '◆ negative']);
      const second = new vscode.Range(2, 5, 2, 5);
      assert.deepStrictEqual((await fixes(document, second)).map(({ title }) => title), ['Accept guess: negative', 'Label as positive', 'Label as negative', 'Label as mixed', 'Label…', 'Skip', 'Flag']);
      await runFix(document, second, 'Accept guess: negative');
      await stands(document, ['● positive', '✔ negative', '● positive', '◆ negative']);
      await runFix(document, second, 'Flag');
      await stands(document, ['● positive', '⚑ flagged', '● positive', '◆ negative']);
      await runFix(document, second, 'Skip');
      await stands(document, ['● positive', '↷ skipped', '● positive', '◆ negative']);
      await runFix(document, second, 'Clear label');
      await stands(document, ['● positive', '◆ negative', '● positive', '◆ negative']);
      assert.deepStrictEqual(await fixes(document, new vscode.Range(0, 1, 0, 1)), [], 'none on the header');
    });

    it('an edited row is stale at once, and a row that moved keeps its label', async () => {
      const editor = await show('moods.csv', table);
      const { document } = editor;
      await stands(document, ['● positive', '◆ negative', '● positive', '◆ negative']);
      await runFix(document, new vscode.Range(2, 5, 2, 5), 'Label as mixed');
      await stands(document, ['● positive', '✔ mixed', '● positive', '◆ negative']);
      await editor.edit((edit) => edit.insert(new vscode.Position(2, 0), '9,It is good,new\n'));
      await stands(document, ['● positive', '● positive', '✔ mixed', '● positive', '◆ negative']);
      await vscode.commands.executeCommand('undo');
      await editor.edit((edit) => edit.replace(new vscode.Range(2, 8, 2, 14), 'good'));
      await stands(document, ['● positive', '⚠ was mixed', '● positive', '◆ negative']);
      assert.deepStrictEqual((await fixes(document, new vscode.Range(2, 5, 2, 5)))[0]?.title, 'Still mixed');
    });

    it('keys label what is selected, and follow the labels as they are edited', async () => {
      const editor = await show('moods.csv', table);
      const { document } = editor;
      await stands(document, ['● positive', '◆ negative', '● positive', '◆ negative']);
      editor.selections = [new vscode.Selection(1, 0, 2, 0), new vscode.Selection(5, 3, 5, 3)];
      await vscode.commands.executeCommand(commandIds.labelAs, { key: '2' });
      await stands(document, ['✔ negative', '◆ negative', '● positive', '✔ negative']);
      assert.strictEqual(task.requests.length, 1);
      task.redefine({ ...definition, labels: definition.labels.map((label) => (label.id === 'negative' ? { ...label, name: 'awful', color: 4 } : label)) });
      await stands(document, ['✔ awful', '★ awful', '● positive', '✔ awful']);
      editor.selection = new vscode.Selection(1, 0, 5, 0);
      await vscode.commands.executeCommand(commandIds.acceptGuess);
      await stands(document, ['✔ positive', '✔ awful', '✔ positive', '✔ awful']);
      assert.deepStrictEqual(task.requests.slice(1).map(({ origin, value, targets }) => [origin, value, targets.map((target) => (typeof target === 'string' ? '' : target.value))]), [['bulk', undefined, ['positive', 'negative', 'positive']]]);
      await task.undo();
      await stands(document, ['✔ awful', '★ awful', '● positive', '✔ awful']);
    });

    it('a decision that cannot be written changes nothing', async () => {
      const { document } = await show('moods.csv', table);
      await stands(document, ['● positive', '◆ negative', '● positive', '◆ negative']);
      task.failure = new HumanError('journal.write', 'The disk is full.');
      await runFix(document, new vscode.Range(1, 5, 1, 5), 'Label as mixed');
      await stands(document, ['● positive', '◆ negative', '● positive', '◆ negative']);
    });
  });

  it('has keys that VS Code has no other use for', async () => {
    const keys = (await vscode.workspace.openTextDocument(vscode.Uri.parse('vscode://defaultsettings/keybindings.json'))).getText();
    const bindings = [...keys.matchAll(/"key": "(shift\+alt\+l|ctrl\+cmd\+l)(?: [^"]*)?",\s*"command": "([^"]*)"/g)].map((match) => match[2]!);
    assert.ok(bindings.length > 30);
    assert.deepStrictEqual(bindings.filter((command) => !Object.values<string>(commandIds).includes(command)), []);
  });

  it('cost the extension host little while decisions fall among 1,000 paragraphs and 10,000 rows; prints how much', async function () {
    this.timeout(300_000);
    const words = ['lovely', 'broken', 'good', 'rude', 'plain', 'friendly', 'bad'];
    const sentence = (row: number): string => `Number ${row} is ${words[row % 7]!} and ${words[(row * 3) % 7]!}, said a customer who had it for ${row % 30} days.`;
    const prose = (await show('many-paragraphs.txt', Array.from({ length: 1000 }, (_, row) => sentence(row)).join('\n\n'))).document;
    const rows = (await vscode.window.showTextDocument((await show('moods.csv', `id,note\n${Array.from({ length: 10_000 }, (_, row) => `${row},"${sentence(row)}"`).join('\n')}`)).document, vscode.ViewColumn.Two)).document;
    await vscode.window.showTextDocument(prose, vscode.ViewColumn.One);
    await when('annotations', [api.rows.onDidChange], () => (api.rows.readingOf(rows) === undefined && api.rows.drawn(rows).length > 5 ? true : undefined), 60_000);
    await lensesOf(prose, 20);
    await loopAtRest(20);
    const watch = new LoopWatch();
    for (let step = 0; step < 40; step++) {
      await task.decide({ targets: [{ text: sentence(step), source: { file: 'moods.csv', row: step + 1 } }], status: 'labeled', value: 'mixed', origin: 'key' });
      await lensesOf(prose, 20);
    }
    const { text } = watch.stop();
    const start = performance.now();
    await runFix(rows, new vscode.Range(1, 0, 10_000, 5), 'Label 10000 texts as positive');
    console.log(`test│ 40 decisions beside 1,000 paragraphs and 10,000 rows: the extension host's event loop was late by ${text}; 10,000 rows by one Quick Fix in ${(performance.now() - start).toFixed(0)} ms`);
    assert.strictEqual(task.requests.at(-1)?.targets.length, 10_000);
  });
});
