import * as assert from 'node:assert';
import { existsSync, mkdirSync, readdirSync, readFileSync, watch } from 'node:fs';
import * as path from 'node:path';
import * as vscode from 'vscode';
import type { TrainedModel } from '../../../src/app/trainings';
import { decided } from '../../../src/app/prediction';
import { commandIds } from '../../../src/commands/ids';
import type { TrainModelArguments } from '../../../src/commands/trainModel';
import type { TestingApi } from '../../../src/extension';
import { LoopWatch } from './loopWatch';
import { closeAll, useWordModel, when, workspaceFolder } from './support';

describe('Train Model', () => {
  let api: TestingApi;
  before(async () => {
    api = await useWordModel();
  });
  after(async () => {
    await useWordModel();
    await closeAll();
  });

  const train = async (args: TrainModelArguments): Promise<TrainedModel | undefined> => await vscode.commands.executeCommand<TrainedModel | undefined>(commandIds.trainModel, args);
  const choices = { label: 'mood', text: ['review'], base: 'none' } as const;
  const place = async (name: string, rows: number, label: (row: number) => string = (row) => (row % 2 ? 'glad' : 'sad')): Promise<vscode.Uri> => {
    const words: Readonly<Record<string, readonly string[]>> = { glad: ['wonderful', '很好', 'excellent'], sad: ['awful', '难吃', 'boring'] };
    const lines = Array.from({ length: rows }, (_, row) => `${row},"The room, ${words[label(row)]?.[row % 3] ?? 'so so'}, we saw on day ${row}",${label(row)}`);
    const uri = vscode.Uri.joinPath(workspaceFolder(), name);
    await vscode.workspace.fs.writeFile(uri, new TextEncoder().encode(`id,review,mood\n${lines.join('\n')}\n`));
    return uri;
  };
  const folderOf = (task: string): string => path.join(workspaceFolder().fsPath, '.label-lens', task, 'models');

  it('trains on a table, says how far it is, and the model can be used at once', async () => {
    const fractions: number[] = [];
    const texts = new Set<string>();
    const subscription = api.session.onDidChangeStatus(({ training }) => {
      if (training?.task === 'moods') fractions.push(training.fraction);
      texts.add(api.status.text);
    });
    const trained = await train({ source: await place('moods.csv', 300, (row) => (row % 50 === 7 ? '' : row % 2 ? 'glad' : 'sad')), ...choices });
    subscription.dispose();
    assert.ok(trained);
    assert.deepStrictEqual([trained.name, trained.unlabeled, trained.manifest.metrics['rows']], ['moods/v1', 6, 29]);
    assert.ok(trained.manifest.metrics['accuracy']! > 0.9, `${trained.manifest.metrics['accuracy']} of rows that were not trained on`);
    assert.ok(fractions.length > 2 && fractions.every((fraction, place) => place === 0 || fraction >= fractions[place - 1]!), fractions.join(' '));
    assert.ok([...texts].some((text) => /Training moods: \d+ %/.test(text)), [...texts].join(' | '));
    assert.deepStrictEqual(readdirSync(folderOf('moods')).sort(), ['current', 'v1']);
    assert.deepStrictEqual(readdirSync(path.join(folderOf('moods'), 'v1')).sort(), ['model.json', 'model.onnx', 'tokenizer.json']);
    assert.match(readFileSync(path.join(workspaceFolder().fsPath, '.label-lens', '.gitignore'), 'utf8'), /models/);

    // as the button does
    await api.settings.chooseModel(trained.name);
    await when('the new model in use', [api.session.onDidChangeModel], () => (api.settings.model === trained.name ? true : undefined));
    const [glad, sad] = await api.session.predict(['An excellent and wonderful room', '早餐难吃, awful']);
    assert.deepStrictEqual([decided(glad!)[0]!.label, decided(sad!)[0]!.label, glad!.model.name], ['glad', 'sad', 'moods/v1']);
  });

  it('starts from a model, and adds a version to those there are', async () => {
    const trained = await train({ source: vscode.Uri.joinPath(workspaceFolder(), 'moods.csv'), ...choices, base: 'moods/v1' });
    assert.deepStrictEqual([trained?.name, trained?.manifest.parent], ['moods/v2', 'moods@v1']);
    assert.strictEqual(readFileSync(path.join(folderOf('moods'), 'current'), 'utf8').trim(), 'v2');
  });

  it('goes on where it was cancelled, when the same choices are made again', async () => {
    const source = await place('long.csv', 4000);
    mkdirSync(folderOf('long'), { recursive: true });
    const cancel = new vscode.CancellationTokenSource();
    const watcher = watch(folderOf('long'), (_, name) => {
      if (name === 'training.checkpoint') cancel.cancel();
    });
    assert.strictEqual(await train({ source, ...choices, token: cancel.token }), undefined);
    watcher.close();
    assert.ok(cancel.token.isCancellationRequested);
    assert.strictEqual(api.session.status.training, undefined);
    assert.deepStrictEqual(readdirSync(folderOf('long')), ['training.checkpoint'], 'no version, and nothing half-written');

    const fractions: number[] = [];
    const subscription = api.session.onDidChangeStatus(({ training }) => {
      if (training && training.fraction > 0) fractions.push(training.fraction);
    });
    const trained = await train({ source, ...choices });
    subscription.dispose();
    assert.strictEqual(trained?.name, 'long/v1');
    assert.ok(fractions[0]! > 0.1, `it began at ${fractions[0]} of ten epochs`);
    assert.deepStrictEqual(readdirSync(folderOf('long')).sort(), ['current', 'v1']);
  });

  it('trains one model at a time: the next one can stop the first, or wait', async () => {
    const first = train({ source: await place('endless.csv', 20_000), ...choices });
    await when('the first training', [api.session.onDidChangeStatus], () => api.session.status.training);
    const source = vscode.Uri.joinPath(workspaceFolder(), 'moods.csv');
    const stopping = train({ source, ...choices, whenBusy: 'stop' });
    assert.strictEqual(await first, undefined);
    // both commands look at files before they stand in line, so the second is given when the first stands there
    await when('the second training', [api.session.onDidChangeStatus], () => api.session.status.training?.task === 'moods');
    const waiting = train({ source, ...choices, whenBusy: 'wait' });
    assert.deepStrictEqual([(await stopping)?.name, (await waiting)?.name], ['moods/v3', 'moods/v4']);
  });

  it('trains nothing where there is nothing to learn from, and leaves nothing behind', async () => {
    assert.strictEqual(await train({ source: await place('unlabeled.csv', 50, () => ''), ...choices }), undefined);
    assert.ok(!existsSync(folderOf('unlabeled')));
    assert.strictEqual(await train({ source: await place('same.csv', 50, () => 'glad'), ...choices }), undefined);
    assert.strictEqual(await train({ source: await place('strange.csv', 50), ...choices, text: ['no such column'] }), undefined);
    for (const task of ['same', 'strange']) assert.ok(!existsSync(path.join(folderOf(task), 'v1')));
    assert.strictEqual(api.session.status.training, undefined);
  });

  it('prints how long the extension host is busy while a large file is read and trained on', async () => {
    const source = await place('large.csv', 200_000);
    const cancel = new vscode.CancellationTokenSource();
    const subscription = api.session.onDidChangeStatus(({ training }) => {
      if (training && training.fraction > 0) cancel.cancel();
    });
    const loop = new LoopWatch();
    assert.strictEqual(await train({ source, ...choices, token: cancel.token }), undefined);
    console.log(`test│ reading 200,000 rows and handing them to the trainer: ${loop.stop().text}`);
    subscription.dispose();
    assert.ok(cancel.token.isCancellationRequested, 'it trained');
  });
});
