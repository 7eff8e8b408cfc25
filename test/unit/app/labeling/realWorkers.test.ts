import * as assert from 'node:assert';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { Emitter } from '../../../../src/app/events';
import { FolderTasks } from '../../../../src/app/labeling/labelingTasks';
import { silentLog } from '../../../../src/app/log';
import { ModelStore } from '../../../../src/app/modelStore';
import { Session } from '../../../../src/app/session';
import { writeBundle } from '../../../../src/app/taskModels';
import { Trainings } from '../../../../src/app/trainings';
import type { WorkerHandle } from '../../../../src/core/protocol/worker';
import { Random } from '../../../../src/core/util/random';
import { openInput } from '../../../../src/platform/node/files';
import { NodeFileSystem } from '../../../../src/platform/node/fileSystem';
import { startNodeWorker } from '../../../../src/platform/node/workers';
import { buildDist } from '../../../dist';
import { wordBundle } from '../../../fixtures/wordModel';
import { until } from './harness';
import { pause } from './inputs';

const words = {
  praise: 'good great excellent wonderful perfect love best amazing happy delicious'.split(' '),
  complaint: 'bad terrible awful poor worst hate broken boring dirty slow'.split(' '),
  both: 'the a was we today very long room film food phone in of with and it new people'.split(' '),
};

/** Sentences whose labels the shipped model does not know, though its features do. */
function texts(count: number): { readonly text: string; readonly topic: 'praise' | 'complaint' }[] {
  const random = new Random(7);
  const pick = (list: readonly string[]): string => list[random.below(list.length)] ?? '';
  return Array.from({ length: count }, (_, row) => {
    const topic = row % 2 === 0 ? 'praise' : 'complaint';
    return { topic, text: Array.from({ length: 8 + random.below(8) }, () => pick(random.below(2) === 0 ? words[topic] : words.both)).join(' ') };
  });
}

describe('labelling with the real workers', function () {
  this.timeout(240_000);
  let folder: string;
  let dist: string;
  let session: Session;
  let tasks: FolderTasks;
  const fileSystem = new NodeFileSystem();
  const start = (name: string): WorkerHandle => startNodeWorker(path.join(dist, name));

  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'label-lens-loop-'));
    dist = path.join(folder, 'dist');
    await buildDist(dist, ['predictor', 'learner', 'trainer', 'kernelHelper']);
    ({ session, tasks } = opened(path.resolve('models')));
  });
  const opened = (shippedFolder: string): { session: Session; tasks: FolderTasks } => {
    const session = new Session({
      models: new ModelStore({ fileSystem, shippedFolder, workspaceFolders: () => [folder] }),
      trainings: new Trainings({ fileSystem, startTrainer: () => start('trainer.js'), cores: 2, pause }),
      startPredictor: () => start('predictor.js'),
      settings: { model: 'topics', onDidChange: new Emitter<void>().event },
      log: silentLog,
    });
    const tasks = new FolderTasks(
      {
        fileSystem,
        openInput: (file) => openInput(file),
        session,
        startLearner: () => start('learner.js'),
        annotator: () => Promise.resolve('mei'),
        baseModel: 'sentiment',
        fineTuneEvery: () => 0,
        trainingWorkers: () => 1,
        pause,
        log: silentLog,
      },
      () => [folder],
    );
    return { session, tasks };
  };
  after(async () => {
    tasks.dispose();
    session.dispose();
    await rm(folder, { recursive: true, force: true });
  });

  it('labels, guesses, fine-tunes, keeps the version, shows it in the editor’s model, and goes back', async () => {
    const rows = texts(400);
    const topicOf = new Map(rows.map(({ text, topic }) => [text, topic]));
    await writeFile(path.join(folder, 'topics.csv'), `text\n${rows.map(({ text }) => `${text}\n`).join('')}`);
    const task = await tasks.create(folder, { name: 'topics', kind: 'single', labels: ['praise', 'complaint'], sources: [{ kind: 'table', file: 'topics.csv', textColumns: ['text'] }] });
    const label = async (count: number): Promise<void> => {
      for (let i = 0; i < count; i++) {
        const [item] = await task.next(1);
        assert.ok(item);
        await task.decide({ targets: [item.example.id], status: 'labeled', value: topicOf.get(item.example.text) ?? '', origin: 'key' });
      }
    };
    await task.ready;
    await until(() => task.learning.cached === 1);
    await label(60);
    await until(() => task.learning.trusted && task.learning.decisions === 60);
    const rightShare = async (): Promise<number> => {
      const { rows: listed } = await task.list({ status: ['open'] }, 0, 400);
      return listed.filter(({ id, guess }) => guess?.value === topicOf.get(task.example(id)?.text ?? '')).length / listed.length;
    };
    const before = await rightShare();
    assert.ok(before > 0.9, `${before} of the guesses are right`);

    const first = await task.fineTune();
    assert.deepStrictEqual([first.status, first.version, first.error], ['kept', 'v1', undefined]);
    assert.ok(first.after && first.after.rows >= 5 && first.epochs.length > 0);
    await until(() => task.learning.cached === 1);
    await label(20);
    await until(() => task.learning.trusted && task.learning.decisions === 80);
    assert.ok((await rightShare()) > 0.9);
    const [journal] = readFileSync(path.join(folder, '.label-lens/topics/labels/mei.jsonl'), 'utf8').trim().split('\n').slice(-1);
    assert.match(journal ?? '', /"model":"v1"/);
    const { identity, labels } = await session.current();
    assert.deepStrictEqual([identity.name, labels], ['topics/v1', ['praise', 'complaint']]);

    const second = await task.fineTune();
    assert.ok(second.before && second.after && (second.status === 'kept' || second.status === 'discarded'), second.status);
    if (second.status === 'kept') await task.restore('v1');
    assert.deepStrictEqual((await task.versions()).find(({ current }) => current)?.version, 'v1');
    assert.strictEqual((await session.current()).identity.name, 'topics/v1');

    await until(() => task.learning.cached === 1 && task.learning.decisions === 80);
    const id = (await task.matching({ text: 'wonderful' }))[0] ?? '';
    const explained = await task.explain(id);
    assert.ok(explained.length > 5 && explained.some(({ weight }) => weight !== 0));
    const insight = await task.insight();
    assert.ok(insight.evaluated === 80 && (insight.accuracy?.accuracy ?? 0) > 0.9);
  });

  it('fine-tunes for several labels at once and for numbers, from a base that knows neither and from its own version', async () => {
    // a small base, whose layers all learn soon
    const models = path.join(folder, 'models');
    await writeBundle(fileSystem, path.join(models, 'sentiment'), wordBundle({ name: 'sentiment', version: '1', good: [...words.praise, ...words.both], bad: words.complaint }));
    const own = opened(models);
    const has = (text: string, list: readonly string[]): number => text.split(' ').filter((word) => list.includes(word)).length;
    const random = new Random(3);
    const all = Object.values(words).flat();
    const rows = Array.from({ length: 300 }, () => {
      const text = Array.from({ length: 6 }, () => (random.below(3) === 0 ? all[random.below(20)] : words.both[random.below(words.both.length)])).join(' ');
      return { text, labels: (['praise', 'complaint'] as const).filter((label) => has(text, words[label]) > 0), stars: 3 + has(text, words.praise) - has(text, words.complaint) };
    });
    await writeFile(path.join(folder, 'rows.csv'), `text\n${rows.map(({ text }) => `${text}\n`).join('')}`);
    try {
      for (const kind of ['multi', 'number'] as const) {
        const task = await own.tasks.create(folder, { name: kind, kind, labels: kind === 'multi' ? ['praise', 'complaint'] : [], sources: [{ kind: 'table', file: 'rows.csv', textColumns: ['text'] }] });
        await task.ready;
        const source = { file: 'rows.csv', row: 1 };
        await task.decide({ targets: rows.map(({ text, labels, stars }) => ({ text, source, value: kind === 'multi' ? labels : stars })), status: 'labeled', origin: 'bulk' });
        const first = await task.fineTune();
        assert.deepStrictEqual([first.status, first.version, first.before, first.error], ['kept', 'v1', undefined, undefined], kind);
        assert.ok(first.after && first.after.rows >= 10 && first.after.accuracy > 0.3 && first.epochs.length > 1, JSON.stringify(first.after));
        const { manifest } = await own.session.models.open(path.join(folder, '.label-lens', kind, 'models', 'v1'));
        assert.deepStrictEqual([manifest.task.kind, manifest.task.labels.length, manifest.metrics['rows']], [kind, kind === 'multi' ? 2 : 0, first.after.rows]);
        assert.strictEqual((await task.versions())[0]?.accuracy, first.after.accuracy);
        const second = await task.fineTune();
        assert.deepStrictEqual(second.before, first.after, 'on the same rows');
        assert.strictEqual(second.status, 'kept', 'the same training is as good as itself');
      }
    } finally {
      own.tasks.dispose();
      own.session.dispose();
    }
  });
});
