import * as assert from 'node:assert';
import { ModelStore } from '../../../src/app/modelStore';
import { fractionOf, StoppedTraining, Trainings, type TrainingJob, type TrainingOutcome, type VectorsRead } from '../../../src/app/trainings';
import { CancelledError, HumanError } from '../../../src/core/errors';
import type { TrainCall } from '../../../src/core/protocol/trainer';
import { FakeTrainer, progressOf, type Course } from './fakeTrainer';
import { MemoryFileSystem } from './memoryFileSystem';

const folder = '/work space';
const models = `${folder}/.label-lens/reviews/models`;
const table = ['id,text,label', ...Array.from({ length: 40 }, (_, row) => `${row},${row % 2 ? 'good' : 'bad'} text ${row},${row % 2 ? 'yes' : 'no'}`), '40,no label,', '41,none either,  '].join('\n');

describe('Trainings', () => {
  let fileSystem: MemoryFileSystem;
  let workers: FakeTrainer[];
  let calls: TrainCall[];
  /** Of the trainings to come, in their order. */
  let courses: Course[];
  let trainings: Trainings;

  beforeEach(() => {
    fileSystem = new MemoryFileSystem();
    workers = [];
    calls = [];
    courses = [];
    trainings = new Trainings({
      fileSystem,
      startTrainer: () => {
        const course = courses.shift();
        const worker = new FakeTrainer(async (call, tell, signal) => {
          calls.push(call);
          await course?.(call, tell, signal);
        });
        workers.push(worker);
        return worker;
      },
      cores: 3,
      pause: () => Promise.resolve(),
    });
  });
  afterEach(() => trainings.dispose());

  const job = (more: Partial<TrainingJob> = {}, content = table): TrainingJob => ({
    task: 'reviews',
    folder,
    file: 'reviews.csv',
    open: () => Promise.resolve({ chunks: chunksOf(content), fraction: () => undefined }),
    labelColumn: 'label',
    textColumns: ['text'],
    workers: 0,
    ...more,
  });

  it('starts no worker before the first training', () => {
    assert.strictEqual(workers.length, 0);
    assert.strictEqual(trainings.active, undefined);
  });

  it('reads, holds out, trains and stores a version that the model store opens as the one in use', async () => {
    const trained = await trainings.train(job());
    const call = calls[0]!;
    assert.strictEqual(call.rows.length + call.validation.length, 40);
    assert.strictEqual(call.validation.length, 4);
    assert.deepStrictEqual(call.labels, ['no', 'yes']);
    assert.strictEqual(call.workers, 2, 'all cores but one');
    assert.strictEqual(call.hyperparameters.seed, 1);
    assert.deepStrictEqual(call.identity.data && { ...call.identity.data, sha256: '' }, { file: 'reviews.csv', textColumns: 'text', labelColumn: 'label', sha256: '' });
    assert.deepStrictEqual([trained.name, trained.version, trained.folder, trained.unlabeled, trained.defects], ['reviews/v1', 'v1', `${models}/v1`, 2, 0]);
    const opened = await new ModelStore({ fileSystem, shippedFolder: '/models', workspaceFolders: () => [folder] }).open('reviews');
    assert.deepStrictEqual([opened.name, opened.manifest.version], ['reviews/v1', 'v1']);
    assert.deepStrictEqual([...fileSystem.files.keys()].sort(), [`${folder}/.label-lens/.gitignore`, ...['current', 'v1/model.json', 'v1/model.onnx', 'v1/tokenizer.json'].map((name) => `${models}/${name}`)]);
    assert.strictEqual((await trainings.train(job())).name, 'reviews/v2');
    assert.ok(workers.every(({ terminated }) => terminated));
  });

  it('tells how far it is, and never goes back', async () => {
    courses = [
      (_, tell) => {
        for (const [epoch, batch] of [[1, 5], [2, 10], [2, 3], [4, 10]] as const) tell({ kind: 'progress', progress: progressOf(epoch, batch) });
      },
    ];
    const shown: (number | undefined)[] = [];
    trainings.onDidChange(() => shown.push(trainings.active?.fraction));
    const heard: number[] = [];
    await trainings.train(job(), { onProgress: (_, fraction) => heard.push(fraction) });
    assert.deepStrictEqual(heard, [0.125, 0.5, 0.5, 1]);
    assert.deepStrictEqual(shown, [0, 0.125, 0.5, 0.5, 1, undefined]);
  });

  it('trains one at a time, in the order asked for, and one that gives up waiting lets nobody pass', async () => {
    let finish!: () => void;
    const begun = new Promise<void>((resolve) => {
      courses = [
        async () => {
          resolve();
          await new Promise<void>((end) => (finish = end));
        },
      ];
    });
    const first = trainings.train(job({ task: 'first' }));
    const controller = new AbortController();
    const second = trainings.train(job({ task: 'second' }), { signal: controller.signal });
    const third = trainings.train(job({ task: 'third' }));
    await begun;
    controller.abort();
    await assert.rejects(second, CancelledError);
    assert.deepStrictEqual([trainings.active?.task, calls.length], ['first', 1]);
    finish();
    assert.deepStrictEqual([(await first).name, (await third).name], ['first/v1', 'third/v1']);
    assert.deepStrictEqual(calls.map(({ identity }) => identity.name), ['first', 'third']);
    assert.strictEqual(trainings.active, undefined);
  });

  it('stops on request, says that it can be continued, and hands the checkpoint to the same job', async () => {
    const saved = Uint8Array.of(1, 2, 3);
    courses = [
      async (_, tell) => {
        tell({ kind: 'checkpoint', checkpoint: saved });
        await new Promise(() => undefined);
      },
      (_, tell) => tell({ kind: 'continued', from: { epochs: [], batch: 3, batches: 10 } }),
    ];
    const isSaved = new Promise<void>((resolve) => {
      const write = fileSystem.writeFileAtomically.bind(fileSystem);
      fileSystem.writeFileAtomically = async (path, content) => {
        await write(path, content);
        if (path.endsWith('.checkpoint')) resolve();
      };
    });
    const stopped = trainings.train(job());
    await isSaved;
    trainings.cancel();
    await assert.rejects(stopped, StoppedTraining);
    assert.strictEqual((await new ModelStore({ fileSystem, shippedFolder: '/models', workspaceFolders: () => [folder] }).list()).length, 0, 'nothing that looks like a model');
    let continued = 0;
    await trainings.train(job(), { onContinue: ({ batch }) => (continued = batch) });
    assert.deepStrictEqual(calls[1]!.checkpoints?.earlier, saved);
    assert.strictEqual(continued, 3);
    assert.ok(![...fileSystem.files.keys()].some((path) => path.endsWith('.checkpoint')), 'the checkpoint is gone');
  });

  it('is merely cancelled where there is nothing to continue', async () => {
    const begun = new Promise<void>((resolve) => (courses = [() => new Promise<void>(() => resolve())]));
    const stopped = trainings.train(job());
    await begun;
    trainings.cancel();
    await assert.rejects(stopped, (error) => error instanceof CancelledError && !(error instanceof StoppedTraining));
  });

  it('goes on with a warning where checkpoints cannot be written, and asks what to do with a model that cannot be stored', async () => {
    courses = [
      (_, tell) => {
        for (let count = 0; count < 3; count++) tell({ kind: 'checkpoint', checkpoint: Uint8Array.of(count) });
      },
    ];
    const write = fileSystem.writeFileAtomically.bind(fileSystem);
    let full = true;
    fileSystem.writeFileAtomically = async (path, content) => {
      if (full) throw new HumanError('file.full', '{0}: the disk is full.', [path]);
      await write(path, content);
    };
    const problems: string[] = [];
    let asked = 0;
    const trained = await trainings.train(job(), {
      onProblem: ({ code }) => problems.push(code),
      onNotStored: () => {
        full = ++asked < 2;
        return Promise.resolve(true);
      },
    });
    assert.deepStrictEqual([problems, asked, trained.name], [['training.checkpointFull'], 2, 'reviews/v1']);
    full = true;
    await assert.rejects(trainings.train(job(), { onNotStored: () => Promise.resolve(false) }), (error: HumanError) => error.code === 'file.full');
    assert.ok(![...fileSystem.files.keys()].some((path) => path.includes('/v2/')), 'nothing half-written stays');
  });

  for (const [what, content, more, code] of [
    ['without labels', 'text,label\na,\nb,\n', {}, 'rows.none'],
    ['without rows', 'text,label\n', {}, 'rows.none'],
    ['without such a column', table, { labelColumn: 'stars' }, 'csv.column'],
  ] as const) {
    it(`refuses a file ${what} before any worker starts, and writes nothing`, async () => {
      await assert.rejects(trainings.train(job(more, content)), (error: HumanError) => error.code === code && error.message.startsWith('reviews.csv'));
      assert.deepStrictEqual([workers.length, fileSystem.files.size, trainings.active], [0, 0, undefined]);
    });
  }

  it('checks with the rows of another file, and counts what was left out of both', async () => {
    const parts: string[] = [];
    let outcome: TrainingOutcome | undefined;
    const heldOut = { file: 'valid.csv', open: () => Promise.resolve({ chunks: chunksOf('label,id,text\nno,a,bad text 90\n,b,nothing\nyes,c,good text 91\nno,d,bad text 90\nno,e,bad  text 2\n'), fraction: () => undefined }) };
    const trained = await trainings.train(job({ heldOut, threshold: 0.3 }), { onReading: (_, part) => void parts.push(part), onTrained: (all) => (outcome = all) });
    assert.deepStrictEqual([...new Set(parts)], ['rows', 'heldOut']);
    assert.deepStrictEqual([calls[0]!.rows.length, calls[0]!.validation.map(({ text, label }) => [text, label]), calls[0]!.threshold], [40, [['bad text 90', 0], ['good text 91', 1], ['bad text 90', 0]], 0.3]);
    assert.deepStrictEqual([outcome?.heldOutFile, outcome?.heldOutRows], ['valid.csv', [1, 3, 4]]);
    assert.deepStrictEqual([trained.unlabeled, trained.known], [3, 1]);
    await trainings.train(job(), { onTrained: (all) => (outcome = all) });
    assert.strictEqual(outcome?.heldOutFile, 'reviews.csv');
    const narrow = { ...heldOut, open: () => Promise.resolve({ chunks: chunksOf('label,remark\nno,bad\n'), fraction: () => undefined }) };
    await assert.rejects(trainings.train(job({ heldOut: narrow })), (error: HumanError) => error.code === 'csv.column' && error.message.startsWith('valid.csv'));
  });

  it('starts from word vectors, which are read in pieces, and tells what they cover', async () => {
    const lines = Array.from({ length: 200 }, (_, line) => (line === 150 ? 'good 1 2' : `other${line} 3 4`));
    const vectors = { file: 'tiny.vec', open: () => Promise.resolve({ chunks: chunksOf(lines.join('\n')), fraction: () => 0.25 }) };
    const fractions: (number | undefined)[] = [];
    let read: VectorsRead | undefined;
    await trainings.train(job({ vectors }), { onReadingVectors: (fraction) => fractions.push(fraction), onVectors: (all) => (read = all) });
    assert.ok(fractions.length > 10 && fractions.every((fraction) => fraction === 0.25));
    assert.deepStrictEqual([calls[0]!.vectors?.words, calls[0]!.identity.data?.['vectors']], [['good'], 'tiny.vec']);
    // text, good and bad, and the number of each row
    assert.deepStrictEqual([read?.size, read?.found, read?.tokens, read?.defects], [2, 1, 3 + calls[0]!.rows.length, 0]);
    assert.deepStrictEqual(read?.missing[0], { token: 'text', count: calls[0]!.rows.length });
    const controller = new AbortController();
    await assert.rejects(trainings.train(job({ vectors }), { signal: controller.signal, onReadingVectors: () => controller.abort() }), CancelledError);
    const foreign = { ...vectors, open: () => Promise.resolve({ chunks: chunksOf('niemals 1 2\n'), fraction: () => undefined }) };
    await assert.rejects(trainings.train(job({ vectors: foreign })), (error: HumanError) => error.code === 'vectors.none' && error.message.startsWith('tiny.vec'));
    assert.strictEqual(calls.length, 1, 'no worker has begun');
  });

  it('stops while a file is read', async () => {
    const controller = new AbortController();
    await assert.rejects(trainings.train(job(), { signal: controller.signal, onReading: () => controller.abort() }), CancelledError);
    assert.strictEqual(workers.length, 0);
  });

  it('passes on what the trainer refuses', async () => {
    courses = [
      () => {
        throw new HumanError('training.oneLabel', 'All rows have the same label.');
      },
    ];
    await assert.rejects(trainings.train(job()), (error: HumanError) => error.code === 'training.oneLabel');
    assert.strictEqual(trainings.active, undefined);
  });

  it('leaves no worker behind', async () => {
    const begun = new Promise<void>((resolve) => (courses = [() => new Promise<void>(() => resolve())]));
    const running = assert.rejects(trainings.train(job()), CancelledError);
    const waiting = assert.rejects(trainings.train(job()), CancelledError);
    await begun;
    trainings.dispose();
    await Promise.all([running, waiting]);
    assert.deepStrictEqual(workers.map(({ terminated }) => terminated), [true]);
  });

  it('knows the share of a training that is done', () => {
    assert.deepStrictEqual([progressOf(1, 0), progressOf(1, 10), progressOf(3, 5), progressOf(4, 10)].map(fractionOf), [0, 0.25, 0.625, 1]);
    assert.strictEqual(fractionOf({ ...progressOf(1, 0), epochs: 0, batches: 0 }), 0);
  });
});

/** In pieces, as a file comes. */
async function* chunksOf(content: string): AsyncGenerator<Uint8Array> {
  const bytes = new TextEncoder().encode(content);
  for (let at = 0; at < bytes.length; at += 100) yield await Promise.resolve(bytes.slice(at, at + 100));
}
