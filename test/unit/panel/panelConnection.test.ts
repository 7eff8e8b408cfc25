import * as assert from 'node:assert';
import { HumanError } from '../../../src/core/errors';
import type { PanelEvent, PanelMethods, PanelOptions } from '../../../src/core/protocol/panel';
import { RpcClient } from '../../../src/core/protocol/rpc';
import { PanelConnection, type PanelServices } from '../../../src/panel/panelConnection';
import { FakeTask, FakeTasks } from './fakeTasks';
import { line } from './line';

interface Page {
  readonly client: RpcClient<PanelMethods>;
  readonly events: PanelEvent[];
  readonly notes: unknown[];
  readonly commands: string[];
  readonly connection: PanelConnection;
}

/** A page that listens to events, of a window in Chinese. */
async function open(tasks: FakeTasks): Promise<Page> {
  const [host, page] = line();
  const notes: unknown[] = [];
  const commands: string[] = [];
  let options: PanelOptions = { blind: false, explain: false };
  const services: PanelServices = {
    tasks,
    language: 'zh-cn',
    strings: () => ({ 'Labeling Panel': '标注面板' }),
    options: () => options,
    setOption: (option, value) => {
      options = { ...options, [option]: value };
      return Promise.resolve();
    },
    messageOf: (error) => (error instanceof HumanError ? `翻译：${error.message}` : '出错了'),
    note: (error) => notes.push(error),
    run: (command) => commands.push(command),
    reveal: () => Promise.resolve(),
  };
  const client = new RpcClient<PanelMethods>(page);
  const connection = new PanelConnection(host, services);
  const events: PanelEvent[] = [];
  void client.call('events', {}, { onProgress: (event) => events.push(event) });
  // an answer means that the request before it has arrived, too
  await client.call('start', {});
  return { client, events, notes, commands, connection };
}

const texts = ['It boils fast.', 'The lid broke.', 'It is a kettle.'];

describe('the connection to the page', () => {
  it('tells a page what there is to label, and its words and options', async () => {
    const { client, connection } = await open(new FakeTasks(new FakeTask(texts)));
    const { task, language, strings, options } = await client.call('start', {});
    assert.deepStrictEqual([task?.definition.name, task?.counts.open, task?.canUndo, language, strings['Labeling Panel']], ['reviews', 3, false, 'zh-cn', '标注面板']);
    await client.call('setOption', { option: 'blind', value: true });
    assert.deepStrictEqual([options, (await client.call('start', {})).options], [{ blind: false, explain: false }, { blind: true, explain: false }]);
    connection.dispose();
  });

  it('answers a decision with what it changed, and does not tell the page twice', async () => {
    const task = new FakeTask(texts);
    const { client, events, connection } = await open(new FakeTasks(task));
    const [first] = (await client.call('next', { count: 2, skip: [] })).items;
    const decided = await client.call('decide', { targets: { ids: [first!.example.id] }, status: 'labeled', value: 'good', origin: 'key' });
    assert.deepStrictEqual([decided.changed[0]?.state?.value, decided.count, decided.counts.labeled, decided.canUndo], ['good', 1, 1, true]);
    assert.strictEqual((await client.call('item', { id: first!.example.id })).item.state?.value, 'good');
    const undone = await client.call('undo', {});
    assert.deepStrictEqual([undone?.changed.map(({ state }) => state), undone?.counts.labeled], [[undefined], 0]);
    assert.strictEqual(await client.call('undo', {}), null);
    assert.deepStrictEqual(events, []);
    connection.dispose();
  });

  it('tells the page of decisions that were taken elsewhere, with the counts', async () => {
    const task = new FakeTask(texts);
    const { client, events, connection } = await open(new FakeTasks(task));
    await task.decide({ targets: [task.examples[1]!.id], status: 'labeled', value: 'bad', origin: 'editor' });
    await client.call('start', {});
    assert.deepStrictEqual(events.map(({ kind }) => kind), ['decisions', 'counts']);
    const [first] = events;
    assert.ok(first?.kind === 'decisions' && first.changed[0]?.state?.value === 'bad');
    connection.dispose();
  });

  it('gathers what changes all the time', async () => {
    const task = new FakeTask(texts);
    const { client, events, connection } = await open(new FakeTasks(task));
    for (let step = 1; step <= 50; step++) {
      task.learning = { ...task.learning, cached: step / 50 };
      task.changes.fire({ kind: 'learning' });
    }
    await client.call('start', {});
    assert.strictEqual(events.length, 1);
    // the latest comes, though nothing happens any more
    while (events.length < 2) await new Promise((resolve) => setImmediate(resolve));
    const last = events.at(-1);
    assert.ok(last?.kind === 'learning' && last.learning.cached === 1);
    connection.dispose();
  });

  it('decides on all that pass a filter only if they are as many as the person saw', async () => {
    const task = new FakeTask(texts);
    const { client, connection } = await open(new FakeTasks(task));
    const decision = { status: 'labeled', value: 'good', origin: 'bulk' } as const;
    await assert.rejects(client.call('decide', { targets: { filter: {}, expected: 2 }, ...decision }), (error) => error instanceof HumanError && error.code === 'panel.expected');
    assert.strictEqual(task.counts.labeled, 0);
    assert.deepStrictEqual(await client.call('countMatching', { filter: {} }), { total: 3, decided: 0 });
    assert.strictEqual((await client.call('decide', { targets: { filter: {}, expected: 3 }, ...decision })).count, 3);
    connection.dispose();
  });

  it('words in the person’s language what went wrong, and hides the insides of what should not have happened', async () => {
    const task = new FakeTask(texts);
    const { client, notes, connection } = await open(new FakeTasks(task));
    const decide = () => client.call('decide', { targets: { ids: [task.examples[0]!.id] }, status: 'skipped', origin: 'key' });
    task.failure = new HumanError('journal.full', 'The disk of {0} is full.', ['reviews']);
    await assert.rejects(decide(), (error) => error instanceof HumanError && error.code === 'journal.full' && error.message === '翻译：The disk of reviews is full.');
    task.failure = new TypeError('x is not a function');
    await assert.rejects(decide(), (error) => error instanceof HumanError && error.message === '出错了');
    assert.deepStrictEqual(notes.map((error) => (error as Error).name), ['HumanError', 'TypeError']);
    connection.dispose();
  });

  it('refuses what a page never sends, and goes on', async () => {
    const { client, notes, connection } = await open(new FakeTasks(new FakeTask(texts)));
    await assert.rejects(client.call('list', { filter: {}, from: 0, count: 1e9 }));
    assert.strictEqual((notes[0] as Error).name, 'PanelMessageError');
    assert.strictEqual((await client.call('next', { count: 1, skip: [] })).items.length, 1);
    connection.dispose();
  });

  it('follows the task that is being labelled', async () => {
    const first = new FakeTask(texts);
    const second = new FakeTask(['Another text.']);
    const tasks = new FakeTasks(first);
    const { client, events, connection } = await open(tasks);
    tasks.activate(second);
    first.changes.fire({ kind: 'queue' });
    second.changes.fire({ kind: 'problem', problem: new HumanError('journal.gone', 'The folder is gone.') });
    tasks.activate(undefined);
    await client.call('run', { command: 'createTask' });
    assert.deepStrictEqual(
      events.map((event) => (event.kind === 'task' ? (event.task?.counts.examples ?? 'none') : event.kind === 'problem' ? event.message : event.kind)),
      [1, '翻译：The folder is gone.', 'none'],
    );
    await assert.rejects(client.call('next', { count: 1, skip: [] }), (error) => error instanceof HumanError && error.code === 'panel.noTask');
    connection.dispose();
    assert.strictEqual(first.changes.size + second.changes.size, 0);
  });

  it('keeps word for a page that does not listen yet', async () => {
    const [host, page] = line();
    const client = new RpcClient<PanelMethods>(page);
    const services = { tasks: new FakeTasks(undefined), language: 'en', strings: () => ({}), options: () => ({ blind: false, explain: false }) } as unknown as PanelServices;
    const connection = new PanelConnection(host, services);
    connection.tell({ kind: 'labels' });
    const kind = await new Promise<string>((resolve) => void client.call('events', {}, { onProgress: (event) => resolve((event).kind) }));
    assert.strictEqual(kind, 'labels');
    connection.dispose();
  });
});
