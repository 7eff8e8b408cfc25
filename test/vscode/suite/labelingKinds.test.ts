import * as assert from 'node:assert';
import { existsSync, readFileSync } from 'node:fs';
import * as path from 'node:path';
import * as vscode from 'vscode';
import type { LabelingTask } from '../../../src/app/labeling/labeling';
import type { CreateTaskArguments } from '../../../src/commands/createTask';
import type { ExportArguments, ExportedFiles } from '../../../src/commands/exportLabeledCsv';
import type { ExportModelArguments } from '../../../src/commands/exportModel';
import { commandIds, internalCommandIds } from '../../../src/commands/ids';
import type { ImportArguments } from '../../../src/commands/importLabels';
import { bundleFileNames } from '../../../src/core/model/bundle';
import type { Decision } from '../../../src/core/labels/decision';
import type { ImportPlan } from '../../../src/core/labels/importPlan';
import { exampleId } from '../../../src/core/text/normalize';
import type { TestingApi } from '../../../src/extension';
import { journalFiles } from '../../../src/storage/paths';
import { wordBundle } from '../../fixtures/wordModel';
import { bad, closeAll, good, show, useWordModel, when, workspaceFolder } from './support';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('labelling of other kinds, and what leaves a task', () => {
  let api: TestingApi;
  const at = (...parts: string[]): vscode.Uri => vscode.Uri.joinPath(workspaceFolder(), ...parts);
  const run = async <T>(id: string, ...args: unknown[]): Promise<T> => await vscode.commands.executeCommand<T>(id, ...args);
  const created = async (args: CreateTaskArguments): Promise<LabelingTask> => {
    const task = await run<LabelingTask | undefined>(commandIds.createTask, args);
    assert.ok(task && task === api.tasks.active);
    await task.ready;
    return task;
  };
  const journal = ({ folder, definition }: LabelingTask, annotator: string): Decision[] =>
    readFileSync(path.join(folder, '.label-lens', definition.name, 'labels', journalFiles(annotator).journal), 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Decision);
  /** What stands in the journal, in short. */
  const told = (task: LabelingTask): unknown[] => journal(task, task.annotator).map(({ text, status, label, source }) => [text, status, label, source?.file, source?.row]);

  before(async () => {
    api = await useWordModel();
  });
  after(async () => {
    api.tasks.close();
    await closeAll();
  });

  it('labels the paragraphs of a folder’s texts and the lines of its logs, where one reads them', async () => {
    await vscode.workspace.fs.writeFile(at('letters', 'first.md'), bytes('# Chairs\n\nA lovely chair.\n\nThe table is broken.\n'));
    const log = await show('letters/shop.log', '12:00 a friendly customer\n12:05 rude words\n\n12:10 rude words again\n');
    const task = await created({ source: at('letters'), unit: 'paragraph', kind: 'single', labels: ['praise', 'complaint'] });
    assert.deepStrictEqual([task.definition.sources, task.counts.examples], [[{ kind: 'folder', folder: 'letters', unit: 'paragraph' }], 6]);
    await vscode.window.showTextDocument(log.document, { preview: false });
    const editor = vscode.window.activeTextEditor;
    assert.ok(editor && editor.document === log.document);
    editor.selection = new vscode.Selection(1, 0, 3, 4);
    await run(commandIds.labelAs, { key: '2' });
    const letter = await show('letters/first.md', '# Chairs\n\nA lovely chair.\n\nThe table is broken.\n');
    letter.selection = new vscode.Selection(2, 3, 2, 3);
    await run(commandIds.labelAs, { key: '1' });
    assert.deepStrictEqual(told(task), [
      ['12:05 rude words', 'labeled', 'complaint', 'letters/shop.log', 2],
      ['12:10 rude words again', 'labeled', 'complaint', 'letters/shop.log', 3],
      ['A lovely chair.', 'labeled', 'praise', 'letters/first.md', undefined],
    ]);
    assert.deepStrictEqual([task.counts.labeled, task.counts.open, task.counts.byLabel], [3, 3, { complaint: 2, praise: 1 }]);
    await run(commandIds.undoDecision);
    await run(commandIds.undoDecision);
    assert.deepStrictEqual([task.counts.labeled, task.counts.open], [0, 6]);
  });

  it('takes numbers within their range, imports those of a column, and exports them', async () => {
    await vscode.workspace.fs.writeFile(at('scores.csv'), bytes('text,stars\nA lovely lamp,5\nA broken lamp,1.5\nJust a lamp,\n'));
    const task = await created({ source: at('scores.csv'), text: ['text'], kind: 'number', labelColumn: 'stars', range: { minimum: 1, maximum: 5 } });
    assert.deepStrictEqual([task.counts.labeled, task.counts.open], [2, 1]);
    const [item] = await task.next(1);
    assert.strictEqual(item?.example.text, 'Just a lamp');
    await assert.rejects(task.decide({ targets: [item.example.id], status: 'labeled', value: 6, origin: 'key' }), /is not between/);
    await task.decide({ targets: [item.example.id], status: 'labeled', value: 3.25, origin: 'key' });
    assert.deepStrictEqual(journal(task, task.annotator).map(({ label, origin }) => [label, origin]), [[5, 'import'], [1.5, 'import'], [3.25, 'key']]);
    const output = at('scores.labeled.csv');
    const args: ExportArguments = { rows: 'all', columns: ['label'], format: 'copy', outputs: [output] };
    assert.strictEqual((await run<ExportedFiles | undefined>(commandIds.exportLabeledCsv, args))?.labeled, 3);
    assert.deepStrictEqual(readFileSync(output.fsPath, 'utf8').split('\n').map((line) => line.split(',').at(-1)), ['label', '5', '1.5', '3.25', '']);
  });

  it('takes several labels or none at all for a text, and brings them back from an export', async () => {
    await vscode.workspace.fs.writeFile(at('parcels.csv'), bytes('text\nLate and broken\nLovely\nRude driver\n'));
    const task = await created({ source: at('parcels.csv'), text: ['text'], kind: 'multi', labels: ['late', 'damaged', 'staff'] });
    const decide = async (text: string, value: readonly string[]): Promise<void> => void (await task.decide({ targets: [exampleId(text)], status: 'labeled', value, origin: 'key' }));
    await decide('Late and broken', ['late', 'damaged']);
    await decide('Lovely', []);
    await decide('Rude driver', ['staff']);
    assert.deepStrictEqual(told(task), [
      ['Late and broken', 'labeled', ['late', 'damaged'], 'parcels.csv', 1],
      ['Lovely', 'labeled', [], 'parcels.csv', 2],
      ['Rude driver', 'labeled', ['staff'], 'parcels.csv', 3],
    ]);
    assert.deepStrictEqual(task.counts.byLabel, { late: 1, damaged: 1, staff: 1 });
    const output = at('parcels.labeled.csv');
    const args: ExportArguments = { rows: 'all', columns: ['label', 'annotator', 'time', 'status'], format: 'copy', outputs: [output] };
    await run<ExportedFiles | undefined>(commandIds.exportLabeledCsv, args);
    const reimport: ImportArguments = { source: output, fields: { text: ['text'], label: 'label' }, confirmed: true };
    const again = await run<ImportPlan | undefined>(commandIds.importLabels, reimport);
    assert.deepStrictEqual([again?.decisions.length, again?.unchanged], [0, 3]);
    // taken back, they come from the file again, as old as they are
    const before = task.stateOf(exampleId('Late and broken'));
    await task.decide({ targets: ['Late and broken', 'Lovely', 'Rude driver'].map((text) => exampleId(text)), status: 'cleared', origin: 'bulk' });
    assert.strictEqual((await run<ImportPlan | undefined>(commandIds.importLabels, reimport))?.decisions.length, 3);
    assert.deepStrictEqual(task.stateOf(exampleId('Late and broken')), before);
    assert.deepStrictEqual(task.counts.byLabel, { late: 1, damaged: 1, staff: 1 });
  });

  it('writes what somebody else decides into their own journal from the moment on when they are chosen', async () => {
    await vscode.workspace.fs.writeFile(at('doors.csv'), bytes('text\nA lovely door\nA broken door\n'));
    const task = await created({ source: at('doors.csv'), text: ['text'], kind: 'single', labels: ['negative', 'positive'] });
    const { annotator } = task;
    await task.decide({ targets: [exampleId('A lovely door')], status: 'labeled', value: 'positive', origin: 'key' });
    const another = when('the task of another annotator', [api.tasks.onDidChangeActive], () => (api.tasks.active?.annotator === 'ada.l' ? api.tasks.active : undefined));
    await run(commandIds.selectAnnotator, '../ada');
    await run(commandIds.selectAnnotator, 'ada.l');
    try {
      const theirs = await another;
      await theirs.ready;
      assert.strictEqual(theirs.definition.name, 'doors');
      await theirs.decide({ targets: [exampleId('A lovely door')], status: 'labeled', value: 'negative', origin: 'key' });
      assert.deepStrictEqual([journal(theirs, annotator).map(({ label }) => label), journal(theirs, 'ada.l').map(({ label }) => label)], [['positive'], ['negative']]);
      const { value, others } = theirs.stateOf(exampleId('A lovely door')) ?? {};
      assert.deepStrictEqual([value, others?.map((other) => [other.annotator, other.value])], ['negative', [[annotator, 'positive']]]);
      const report = await run<vscode.TextDocument>(commandIds.exportReport);
      assert.strictEqual(report.languageId, 'markdown');
      assert.match(report.getText(), /^# Task doors\n[^]*\| labeled \| 1 \|[^]*\| negative \| 1 \|/);
    } finally {
      const back = when('the task of the annotator before', [api.tasks.onDidChangeActive], () => api.tasks.active?.annotator === annotator || undefined);
      await vscode.workspace.getConfiguration('labelLens').update('annotator', undefined, vscode.ConfigurationTarget.Global);
      await back;
    }
  });

  it('exports a version of the model, with what runs it, beside what is there already', async () => {
    const task = api.tasks.active;
    assert.ok(task);
    const { name } = task.definition;
    const bundle = wordBundle({ name, version: 'v1', good, bad });
    const parts = ['model', 'tokenizer', 'manifest'] as const;
    for (const part of parts) await vscode.workspace.fs.writeFile(at('.label-lens', name, 'models', 'v1', bundleFileNames[part]), bundle[part]);
    const args: ExportModelArguments = { version: 'v1', into: at('exported') };
    await vscode.workspace.fs.createDirectory(at('exported'));
    const first = await run<vscode.Uri | undefined>(commandIds.exportModel, args);
    const second = await run<vscode.Uri | undefined>(commandIds.exportModel, args);
    assert.ok(first && second && first.path !== second.path);
    for (const folder of [first, second]) {
      const files = (await vscode.workspace.fs.readDirectory(folder)).map(([file]) => file).sort();
      assert.deepStrictEqual(files, [...Object.values(bundleFileNames), 'README.md', 'run_model.py'].sort());
      for (const part of parts) assert.deepStrictEqual(new Uint8Array(readFileSync(path.join(folder.fsPath, bundleFileNames[part]))), new Uint8Array(bundle[part]));
    }
  });

  it('opens a sample that may be changed, and leaves it as it was changed', async () => {
    await run(internalCommandIds.openSample);
    const document = vscode.window.activeTextEditor?.document;
    assert.ok(document);
    const extension = vscode.extensions.getExtension('label-lens.label-lens');
    assert.ok(extension && !document.uri.path.startsWith(extension.extensionUri.path));
    const name = path.basename(document.uri.fsPath);
    assert.strictEqual(document.getText(), readFileSync(path.join(extension.extensionPath, 'media', 'sample-workspace', name), 'utf8'));
    assert.ok(existsSync(document.uri.fsPath));
    await closeAll();
    await vscode.workspace.fs.writeFile(document.uri, bytes('text\nMine\n'));
    try {
      await run(internalCommandIds.openSample);
      assert.strictEqual(vscode.window.activeTextEditor?.document.uri.path, document.uri.path);
      assert.strictEqual(readFileSync(document.uri.fsPath, 'utf8'), 'text\nMine\n');
    } finally {
      await closeAll();
      await vscode.workspace.fs.delete(document.uri);
    }
  });
});
