import * as assert from 'node:assert';
import { readFileSync } from 'node:fs';
import * as path from 'node:path';
import * as vscode from 'vscode';
import type { Decision } from '../../../src/core/labels/decision';
import type { ImportPlan } from '../../../src/core/labels/importPlan';
import { exampleId } from '../../../src/core/text/normalize';
import type { LabelingTask } from '../../../src/app/labeling/labeling';
import type { CreateTaskArguments } from '../../../src/commands/createTask';
import type { ExportArguments, ExportedFiles } from '../../../src/commands/exportLabeledCsv';
import { commandIds } from '../../../src/commands/ids';
import type { ImportArguments } from '../../../src/commands/importLabels';
import type { TestingApi } from '../../../src/extension';
import { LoopWatch } from './loopWatch';
import { closeAll, useWordModel, when, workspaceFolder } from './support';

const textOf = (row: number): string => (row % 2 ? `A lovely kettle, good on day ${row}` : `The lid is broken, rude service on day ${row}`);
const table = (rows: number): string => ['id,review', ...Array.from({ length: rows }, (_, row) => `${row},"${textOf(row)}"`), ''].join('\r\n');

describe('labelling', () => {
  let api: TestingApi;
  let task: LabelingTask;
  const source = (): vscode.Uri => vscode.Uri.joinPath(workspaceFolder(), 'kettles.csv');
  const create = async (args: CreateTaskArguments): Promise<LabelingTask | undefined> => await vscode.commands.executeCommand<LabelingTask | undefined>(commandIds.createTask, args);
  const file = (...parts: string[]): string => path.join(workspaceFolder().fsPath, '.label-lens', ...parts);
  const journal = (name = 'kettles'): Decision[] =>
    readFileSync(file(name, 'labels', `${task.annotator}.jsonl`), 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Decision);
  const changed = <T>(what: string, condition: () => T | undefined): Promise<T> => when(what, [task.onDidChange], condition);

  before(async () => {
    api = await useWordModel();
    await vscode.workspace.fs.writeFile(source(), new TextEncoder().encode(table(300)));
  });
  after(async () => {
    api.tasks.close();
    await closeAll();
  });

  it('makes a task of a table, opens the panel on it, and the page listens', async () => {
    const connected = new Promise<void>((resolve) => {
      const once = api.panel.onDidConnect(() => {
        once.dispose();
        resolve();
      });
    });
    const created = await create({ source: source(), text: ['review'], kind: 'single', labels: ['negative', 'positive'] });
    assert.ok(created && created === api.tasks.active);
    task = created;
    await connected;
    assert.ok(api.panel.isVisible);
    await task.ready;
    assert.deepStrictEqual([task.definition.name, task.counts.examples, task.counts.open], ['kettles', 300, 300]);
    const stored = JSON.parse(readFileSync(file('kettles', 'task.json'), 'utf8')) as unknown;
    assert.deepStrictEqual((stored as { sources: unknown }).sources, [{ kind: 'table', file: 'kettles.csv', textColumns: ['review'] }]);
    assert.match(api.taskStatus.text, /kettles 0 \/ 300/);
  });

  it('puts each decision into the journal before it says so, and takes it back', async () => {
    const [first, second] = await task.next(2);
    assert.ok(first && second);
    await task.decide({ targets: [first.example.id], status: 'labeled', value: 'positive', origin: 'key' });
    await task.decide({ targets: [second.example.id], status: 'skipped', origin: 'key' });
    assert.deepStrictEqual(
      journal().map(({ example, status, label, origin, source }) => [example, status, label, origin, source?.file]),
      [
        [first.example.id, 'labeled', 'positive', 'key', 'kettles.csv'],
        [second.example.id, 'skipped', undefined, 'key', 'kettles.csv'],
      ],
    );
    assert.strictEqual(task.counts.open, 298);
    await task.undo();
    await task.undo();
    assert.deepStrictEqual([task.counts.open, task.stateOf(first.example.id)?.status ?? 'none', journal().length], [300, 'none', 4]);
    await task.redo();
    assert.strictEqual(task.stateOf(first.example.id)?.value, 'positive');
    assert.match(api.taskStatus.text, /kettles 1 \/ 300/);
  });

  it('shows the task in the tree, with its labels and their counts', async () => {
    const nodes = await api.taskTree.getChildren();
    const node = nodes.find((each) => each.kind === 'task' && each.name === 'kettles');
    assert.ok(node);
    const children = (await api.taskTree.getChildren(node)).map((child) => api.taskTree.getTreeItem(child));
    assert.deepStrictEqual(children.slice(0, 2).map(({ label, description }) => [label, description]), [['● negative', '0'], ['◆ positive', '1']]);
  });

  it('hears what another annotator has decided in another window', async () => {
    const text = textOf(7);
    const decision: Decision = { at: new Date().toISOString(), example: exampleId(text), text, status: 'labeled', label: 'negative', annotator: 'ben', origin: 'key' };
    const heard = changed('the decision of another', () => task.stateOf(decision.example)?.annotator === 'ben' || undefined);
    await vscode.workspace.fs.writeFile(vscode.Uri.file(file('kettles', 'labels', 'ben.jsonl')), new TextEncoder().encode(`${JSON.stringify(decision)}\n`));
    await heard;
    assert.strictEqual(task.counts.labeled, 2);
  });

  it('exports the rows as they were with columns behind them, and importing that brings nothing new', async () => {
    const output = vscode.Uri.joinPath(workspaceFolder(), 'kettles.labeled.csv');
    const args: ExportArguments = { rows: 'all', columns: ['label', 'annotator', 'status'], format: 'copy', outputs: [output] };
    const exported = await vscode.commands.executeCommand<ExportedFiles | undefined>(commandIds.exportLabeledCsv, args);
    assert.deepStrictEqual([exported?.rows, exported?.written, exported?.labeled], [300, 300, 2]);
    const lines = new TextDecoder().decode(await vscode.workspace.fs.readFile(output)).split('\r\n');
    const before = table(300).split('\r\n');
    assert.strictEqual(lines[0], 'id,review,label,annotator,status');
    assert.ok(lines.every((line, at) => line.startsWith(before[at]!)));
    assert.strictEqual(lines[8], `${before[8]!},negative,ben,labeled`);
    const reimport: ImportArguments = { source: output, fields: { text: ['review'], label: 'label' }, confirmed: true };
    const plan = await vscode.commands.executeCommand<ImportPlan | undefined>(commandIds.importLabels, reimport);
    assert.deepStrictEqual([plan?.decisions.length, plan?.unchanged, plan?.problems.count], [0, 2, 0]);
  });

  it('does not let an export replace what it comes from', async () => {
    const args: ExportArguments = { rows: 'all', columns: ['label'], format: 'copy', outputs: [source()] };
    assert.strictEqual(await vscode.commands.executeCommand(commandIds.exportLabeledCsv, args), undefined);
    assert.strictEqual(new TextDecoder().decode(await vscode.workspace.fs.readFile(source())), table(300));
  });

  it('takes the labels of a column over, and names tasks so that none is in another’s way', async () => {
    const uri = vscode.Uri.joinPath(workspaceFolder(), 'moods', 'kettles.csv');
    await vscode.workspace.fs.writeFile(uri, new TextEncoder().encode('review,mood\nA lovely day,glad\nA rude host,sad\nNobody knows,\n'));
    const second = await create({ source: uri, text: ['review'], kind: 'single', labelColumn: 'mood' });
    assert.ok(second);
    await second.ready;
    assert.deepStrictEqual([second.definition.name, second.definition.labels.map(({ id }) => id).sort(), second.counts.labeled, second.counts.open], ['kettles-2', ['glad', 'sad'], 2, 1]);
    await vscode.commands.executeCommand(commandIds.openTask, { folder: second.folder, name: 'kettles' });
    assert.strictEqual(api.tasks.active?.definition.name, 'kettles');
    assert.strictEqual(api.tasks.active.counts.labeled, 2);
    task = api.tasks.active;
  });

  it('prints how long the extension host is busy at a time while 100,000 rows are opened and 50 decisions are taken', async () => {
    const uri = vscode.Uri.joinPath(workspaceFolder(), 'many.csv');
    await vscode.workspace.fs.writeFile(uri, new TextEncoder().encode(table(100_000)));
    const loop = new LoopWatch();
    const started = performance.now();
    const many = await create({ source: uri, text: ['review'], kind: 'single', labels: ['negative', 'positive'] });
    assert.ok(many);
    const [item] = await many.next(1);
    const first = performance.now() - started;
    await many.ready;
    const opened = loop.stop();
    assert.ok(item);
    const deciding = new LoopWatch();
    const times: number[] = [];
    for (let n = 0; n < 50; n++) {
      const [next] = await many.next(1);
      const before = performance.now();
      await many.decide({ targets: [next!.example.id], status: 'labeled', value: next!.example.text.includes('lovely') ? 'positive' : 'negative', origin: 'key' });
      times.push(performance.now() - before);
    }
    times.sort((a, b) => a - b);
    assert.deepStrictEqual([many.counts.labeled, many.counts.examples], [50, 100_000]);
    console.log(`test│ 100,000 rows: first text ${first.toFixed(0)} ms after the command; while they were read: ${opened.text}`);
    console.log(`test│ 50 decisions: ${times[25]!.toFixed(1)} ms in the middle, ${times[49]!.toFixed(1)} ms at worst until on disk; meanwhile: ${deciding.stop().text}`);
  });
});
