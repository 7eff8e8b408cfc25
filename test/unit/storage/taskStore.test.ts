import * as assert from 'node:assert';
import { HumanError } from '../../../src/core/errors';
import { applyLabelEdit, formatTask, parseTask, type TaskDefinition } from '../../../src/core/labels/task';
import { TaskStore } from '../../../src/storage/taskStore';
import { MemoryFileSystem } from '../app/memoryFileSystem';
import { task } from '../labels/decisions';

const file = '/w/.label-lens/reviews/task.json';
const rejects = async (promise: Promise<unknown>, code: string): Promise<void> => assert.rejects(promise, (error) => error instanceof HumanError && error.code === code);
const add = (name: string) => (now: TaskDefinition): TaskDefinition => applyLabelEdit(now, { do: 'add', name });

describe('tasks of a folder', () => {
  let files: MemoryFileSystem;
  let store: TaskStore;
  const text = (path: string): string => new TextDecoder().decode(files.files.get(path));
  beforeEach(() => {
    files = new MemoryFileSystem();
    store = new TaskStore(files, '/w');
  });

  it('are written with what git has to know', async () => {
    assert.deepStrictEqual(await store.create(task), task);
    assert.deepStrictEqual([...files.files.keys()].sort(), ['/w/.label-lens/.gitignore', '/w/.label-lens/reviews/labels/.gitattributes', file]);
    assert.deepStrictEqual(files.files.get(file), formatTask(task));
    assert.match(text('/w/.label-lens/.gitignore'), /^\*\/models\/$/m);
    assert.match(text('/w/.label-lens/reviews/labels/.gitattributes'), /^\*\.jsonl .*merge=union$/m);
    assert.deepStrictEqual(await store.read('reviews'), task);
  });

  it('leave alone what is there: another task, its journals, what somebody told git', async () => {
    files.put('/w/.label-lens/.gitignore', 'own');
    files.put('/w/.label-lens/reviews/models/current', 'v1');
    files.put('/w/.label-lens/reviews/labels/.gitattributes', 'own');
    await store.create(task);
    assert.deepStrictEqual([text('/w/.label-lens/.gitignore'), text('/w/.label-lens/reviews/labels/.gitattributes')], ['own', 'own']);
    const before = new Map(files.files);
    await rejects(store.create(task), 'task.exists');
    await rejects(store.create({ ...task, name: 'Reviews' }), 'task.exists');
    for (const name of ['', '.', '..', '.hidden', 'a/b', 'a\\b', 'c:', 'x'.repeat(101)]) await rejects(store.create({ ...task, name }), 'task.name');
    await rejects(store.create({ ...task, name: 'other', labels: [{ id: 'a', name: 'a', color: 99 }] }), 'json.integer');
    assert.deepStrictEqual(files.files, before);
  });

  it('are listed by name, broken ones with what is wrong, folders of models only not at all', async () => {
    await store.create({ ...task, name: 'b' });
    await store.create({ ...task, name: 'a10' });
    await store.create({ ...task, name: 'a9' });
    files.put('/w/.label-lens/broken/task.json', '<<<<<<< HEAD');
    files.put('/w/.label-lens/models-only/models/v1/model.json', '{}');
    files.put('/w/.label-lens/file', '');
    const listed = await store.list();
    assert.deepStrictEqual(listed.map(({ name }) => name), ['a9', 'a10', 'b', 'broken']);
    assert.ok(listed[3]?.problem instanceof HumanError && listed[3].definition === undefined);
    assert.ok(listed.slice(0, 3).every(({ name, definition }) => definition?.name === name));
    assert.deepStrictEqual(await new TaskStore(files, '/elsewhere').list(), []);
  });

  it('go by the name of their folder, which people rename', async () => {
    files.put('/w/.label-lens/renamed/task.json', formatTask(task));
    assert.strictEqual((await store.read('renamed')).name, 'renamed');
    await store.update('renamed', add('new'));
    assert.strictEqual(parseTask(files.files.get('/w/.label-lens/renamed/task.json')!, '').name, 'renamed');
  });

  it('that are missing or too large are refused with the name', async () => {
    await rejects(store.read('reviews'), 'task.missing');
    await rejects(store.read('../reviews'), 'task.missing');
    await rejects(store.update('reviews', add('x')), 'task.missing');
    files.put(file, ' '.repeat(10_000_001));
    await rejects(store.read('reviews'), 'task.size');
  });
});

describe('saving a task', () => {
  let files: MemoryFileSystem;
  let store: TaskStore;
  const stored = (): TaskDefinition => parseTask(files.files.get(file)!, file);
  const names = (): string[] => stored().labels.map(({ name }) => name);
  beforeEach(async () => {
    files = new MemoryFileSystem();
    store = new TaskStore(files, '/w');
    await store.create(task);
  });

  it('makes the change to what the file says by then', async () => {
    files.put(file, formatTask(add('theirs')(task)));
    assert.deepStrictEqual((await store.update('reviews', add('ours'))).labels, stored().labels);
    assert.deepStrictEqual(names(), ['good', 'bad', 'mixed', 'theirs', 'ours']);
  });

  it('makes it again when somebody saves meanwhile, and keeps both', async () => {
    let calls = 0;
    await store.update('reviews', (now) => {
      if (calls++ === 0) files.put(file, formatTask(add('theirs')(now)));
      return add('ours')(now);
    });
    assert.deepStrictEqual([calls, names()], [2, ['good', 'bad', 'mixed', 'theirs', 'ours']]);
  });

  it('gives up on somebody who saves without end, and says so', async () => {
    let calls = 0;
    await rejects(
      store.update('reviews', (now) => {
        files.put(file, formatTask(add(`theirs ${calls++}`)(now)));
        return add('ours')(now);
      }),
      'task.busy',
    );
    assert.ok(!names().includes('ours'));
  });

  it('of many at once loses none', async () => {
    await Promise.all(Array.from({ length: 20 }, (_, index) => store.update('reviews', add(`l${index}`))));
    assert.strictEqual(names().length, 23);
  });

  it('that fails changes nothing, and the next one works', async () => {
    const before = new Map(files.files);
    const write = files.writeFileAtomically.bind(files);
    files.writeFileAtomically = () => Promise.reject(new HumanError('file.full', 'full'));
    await rejects(store.update('reviews', add('ours')), 'file.full');
    await rejects(store.update('reviews', add('good')), 'label.duplicate');
    assert.deepStrictEqual(files.files, before);
    files.writeFileAtomically = write;
    await store.update('reviews', add('ours'));
    assert.ok(names().includes('ours'));
  });

  it('of what could not be read again is refused', async () => {
    const before = new Map(files.files);
    await rejects(store.update('reviews', (now) => ({ ...now, sources: [{ kind: 'table', file: '/etc/passwd', textColumns: [] }] })), 'task.path');
    assert.deepStrictEqual(files.files, before);
  });
});
