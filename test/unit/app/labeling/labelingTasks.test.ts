import * as assert from 'node:assert';
import { FolderTasks } from '../../../../src/app/labeling/labelingTasks';
import type { LabelingTask, NewTask } from '../../../../src/app/labeling/labeling';
import { HumanError } from '../../../../src/core/errors';
import { exampleId } from '../../../../src/core/text/normalize';
import { humanError } from '../../humanErrors';
import { folder, Harness } from './harness';

describe('the tasks of some folders', () => {
  let harness: Harness;
  let tasks: FolderTasks;

  beforeEach(async () => {
    harness = new Harness();
    await harness.fill(['good one', 'bad one', 'neither']);
    tasks = new FolderTasks(harness.services, () => [folder, '/elsewhere']);
  });
  afterEach(() => {
    tasks.dispose();
    harness.dispose();
  });

  const newTask: NewTask = { name: 'reviews', kind: 'single', labels: ['negative', 'positive'], sources: [{ kind: 'table', file: 'reviews.csv', textColumns: ['text'] }] };

  it('creates, lists, opens and closes, one at a time', async () => {
    const heard: (string | undefined)[] = [];
    tasks.onDidChangeActive((task) => heard.push(task?.definition.name));
    const first = await tasks.create(folder, newTask);
    await tasks.create('/elsewhere', { ...newTask, name: 'Other', sources: [] });
    harness.fileSystem.put('/elsewhere/.label-lens/broken/task.json', '{');
    assert.deepStrictEqual((await tasks.list()).map(({ name, folder: place, problem }) => [name, place, problem instanceof HumanError]), [
      ['reviews', folder, false],
      ['broken', '/elsewhere', true],
      ['Other', '/elsewhere', false],
    ]);
    const again = await tasks.open(folder, 'reviews');
    assert.ok(again !== first && tasks.active === again);
    tasks.close();
    assert.strictEqual(tasks.active, undefined);
    assert.deepStrictEqual(heard, ['reviews', 'Other', 'reviews', undefined]);
  });

  it('writes nothing when the name is taken or a source cannot be read', async () => {
    await tasks.create(folder, newTask);
    await assert.rejects(tasks.create(folder, { ...newTask, name: 'Reviews' }), humanError('task.exists'));
    await assert.rejects(tasks.create(folder, { ...newTask, name: 'gone', sources: [{ kind: 'table', file: 'gone.csv', textColumns: ['text'] }] }), humanError('file.missing'));
    await assert.rejects(tasks.create(folder, { ...newTask, name: 'wrong', sources: [{ kind: 'table', file: 'reviews.csv', textColumns: ['title'] }] }), humanError('csv.column'));
    assert.deepStrictEqual((await tasks.list()).map(({ name }) => name), ['reviews']);
    await assert.rejects(tasks.open(folder, 'gone'), humanError('task.missing'));
    assert.strictEqual(tasks.active?.definition.name, 'reviews');
  });

  it('takes over a column of labels as decisions that one undo takes back', async () => {
    harness.fileSystem.put(`${folder}/reviews.csv`, 'text,label\ngood one,positive\nbad one,negative\nneither,\nodd one,mixed\n');
    const task: LabelingTask = await tasks.create(folder, { ...newTask, labelColumn: 'label' });
    assert.deepStrictEqual(task.labels.map(({ id }) => id), ['negative', 'positive', 'mixed']);
    assert.deepStrictEqual(task.counts.byLabel, { positive: 1, negative: 1, mixed: 1 });
    assert.strictEqual(task.stateOf(exampleId('odd one'))?.value, 'mixed');
    assert.ok(harness.decisions().every(({ origin, annotator }) => origin === 'import' && annotator === 'mei'));
    await task.undo();
    assert.strictEqual(task.counts.labeled, 0);
  });

  it('takes over numbers', async () => {
    harness.fileSystem.put(`${folder}/reviews.csv`, 'text,stars\ngood one,5\nbad one,1.5\nneither,\n');
    const task = await tasks.create(folder, { ...newTask, kind: 'number', labels: [], range: { minimum: 1, maximum: 5 }, labelColumn: 'stars' });
    assert.deepStrictEqual([task.stateOf(exampleId('bad one'))?.value, task.counts.labeled], [1.5, 2]);
    await assert.rejects(task.decide({ targets: [exampleId('neither')], status: 'labeled', value: 7, origin: 'key' }), humanError('labeling.range'));
    await assert.rejects(task.decide({ targets: [exampleId('neither')], status: 'labeled', value: NaN, origin: 'key' }), humanError('labeling.number'));
  });

  it('reports lines of a journal that are no decisions', async () => {
    await tasks.create(folder, newTask);
    harness.fileSystem.put(`${folder}/.label-lens/reviews/labels/ann.jsonl`, 'nonsense\n');
    const task = await tasks.open(folder, 'reviews');
    const problem = await new Promise<HumanError>((resolve) => task.onDidChange((change) => change.kind === 'problem' && resolve(change.problem)));
    assert.strictEqual(problem.code, 'journal.foreign');
  });
});
