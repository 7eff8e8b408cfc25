import * as assert from 'node:assert';
import { ModelStore } from '../../../src/app/modelStore';
import { Trainings, type VectorsRead } from '../../../src/app/trainings';
import { TrainingWorkshop, type DataTools, type TrainingReports, type WorkshopWindow } from '../../../src/app/trainingWorkshop';
import { HumanError } from '../../../src/core/errors';
import { RpcClient } from '../../../src/core/protocol/rpc';
import type { TrainCall } from '../../../src/core/protocol/trainer';
import type { DataChoice, PanelTraining, TrainingChoice, TrainingForm, TrainingPanelEvent, TrainingPanelMethods } from '../../../src/core/protocol/trainingPanel';
import { TrainingPanelConnection } from '../../../src/panel/trainingPanelConnection';
import { FakeTrainer, progressOf, type Course } from '../app/fakeTrainer';
import { MemoryFileSystem } from '../app/memoryFileSystem';
import { line } from './line';

const folder = '/work space';
const id = 'file:///work%20space/reviews.csv';
const rows = ['id,text,label', ...Array.from({ length: 40 }, (_, row) => `${row},${row % 2 ? 'good' : 'bad'} text ${row},${row % 2 ? 'yes' : 'no'}`), '40,no label,'];
const data: DataChoice = { file: id, kind: 'single', labelColumn: 'label', textColumns: ['text'] };
const choice: TrainingChoice = { data, heldOut: { share: 0.25 }, preset: 'bilstm-pool', hyperparameters: { batchSize: 64, dropout: 0.25 } };

const heldOutId = 'file:///elsewhere/reviews.csv';
const heldOutRows = ['label,text', 'yes,good new text 1', 'no,bad new text 2', ',without a label', 'yes,good new text 3'];
const vectorsId = 'file:///models/tiny.vec.gz';
const vectors = ['3 2', 'good 1 2', 'text 3 4', 'never 5 6', 'good 7 8'];

async function* chunksOf(content: string): AsyncGenerator<Uint8Array> {
  yield new TextEncoder().encode(content);
  await Promise.resolve();
}

/** A window with a table, one with held-out rows of the same name in another folder, and word vectors. */
class FakeWindow implements WorkshopWindow {
  trusted = true;
  saved = true;
  current: string | undefined = 'sentiment';
  readonly notes: unknown[] = [];
  readonly revealed: string[] = [];
  readonly opened: string[] = [];
  readonly settled: string[] = [];
  readonly contents = new Map([[id, rows], [heldOutId, heldOutRows], [vectorsId, vectors]]);
  kept: unknown;
  readonly memory = { get: () => this.kept, set: (value: unknown) => void (this.kept = value) };
  readonly isTrusted = (): boolean => this.trusted;
  readonly workers = (): number => 1;
  readonly modelInUse = (): string | undefined => this.current;
  chooseTable = (): Promise<string | undefined> => Promise.resolve(id);
  chooseHeldOut = (): Promise<string | undefined> => Promise.resolve(heldOutId);
  chooseVectors = (): Promise<string | undefined> => Promise.resolve(vectorsId);
  nameOf = (table: string): string => decodeURIComponent(table.slice(table.lastIndexOf('/') + 1));
  sample = (table: string): Promise<{ names: string[]; rows: string[][] }> => {
    const [names = [], ...values] = (this.contents.get(table) ?? rows).map((row) => row.split(','));
    return Promise.resolve({ names, rows: values });
  };
  open = (file: string): Promise<{ chunks: AsyncIterable<Uint8Array>; fraction(): number | undefined }> => Promise.resolve({ chunks: chunksOf(this.contents.get(file)!.join('\n')), fraction: () => (file === vectorsId ? 0.5 : undefined) });
  settle = (table: string): Promise<boolean> => {
    this.settled.push(table);
    return Promise.resolve(this.saved);
  };
  placeOf = (): Promise<{ task: string; folder: string }> => Promise.resolve({ task: 'reviews', folder });
  reveal = (table: string, row: number): Promise<void> => {
    this.revealed.push(`${table}:${row}`);
    return Promise.resolve();
  };
  useModel = (name: string): Promise<void> => {
    this.current = name;
    return Promise.resolve();
  };
  trained = (): void => undefined;
  openFile = (path: string): Promise<void> => {
    this.opened.push(path);
    return Promise.resolve();
  };
  describe = ({ name }: { readonly name: string }): { summary: string; notes: string[] } => ({ summary: `${name} is good.`, notes: ['One row was left out.'] });
  describeVectors = (file: string, { size, found, tokens, defects }: VectorsRead): readonly string[] => [`${file}: ${found} of ${tokens}, ${size} wide, ${defects} lines left out`];
  messageOf = (error: unknown): string => (error instanceof HumanError ? `翻译：${error.message}` : '出错了');
  note = (error: unknown): void => void this.notes.push(error);
}

const reports: TrainingReports = {
  live: ({ history, epochs, stepsPerEpoch }) => [{ id: 'course', title: 'Course', blocks: [{ kind: 'text', text: `${history.map(({ step }) => step).join(' ')} of ${stepsPerEpoch}, ${epochs.length} epochs` }] }],
  finished: ({ heldOutFile, heldOutRows, request }, file) => ({ title: file, subtitle: '', sections: [{ id: 'rows', title: 'Rows', blocks: [{ kind: 'rows', caption: '', header: ['text'], rows: heldOutRows.map((row, index) => ({ file: heldOutFile, row, cells: [], text: request.validation[index]!.text })) }] }] }),
  html: ({ title }) => `<h1>${title}</h1>`,
  markdown: ({ title }) => `# ${title}`,
};

interface Page {
  readonly client: RpcClient<TrainingPanelMethods>;
  readonly events: TrainingPanelEvent[];
  readonly connection: TrainingPanelConnection;
  /** Resolves with the first training that is told, from now on or as the last, of which this is so. */
  readonly until: (isSo: (training: PanelTraining) => boolean) => Promise<PanelTraining>;
}

describe('the training panel’s connection and workshop', () => {
  let fileSystem: MemoryFileSystem;
  let window: FakeWindow;
  let workshop: TrainingWorkshop;
  let trainings: Trainings;
  let calls: TrainCall[];
  let courses: Course[];
  let tools: DataTools;

  beforeEach(() => {
    fileSystem = new MemoryFileSystem();
    window = new FakeWindow();
    calls = [];
    courses = [];
    tools = {
      prepare: ({ choice: { shares } }) => Promise.resolve({ files: [{ part: 'train', id: 'file:///work%20space/reviews-train.csv', name: 'reviews-train.csv', rows: 40 * shares.train }], dropped: 0 }),
      compare: ({ models, onProgress }) => {
        onProgress(0.5);
        return Promise.resolve([{ id: 'models', title: models.map(({ name }) => name).join(' '), blocks: [] }]);
      },
    };
    trainings = new Trainings({
      fileSystem,
      startTrainer: () =>
        new FakeTrainer(async (call, tell, signal) => {
          calls.push(call);
          await courses.shift()?.(call, tell, signal);
        }),
      cores: 2,
      pause: () => Promise.resolve(),
    });
    const models = new ModelStore({ fileSystem, shippedFolder: '/models', workspaceFolders: () => [folder] });
    workshop = new TrainingWorkshop({ fileSystem, trainings, models, reports, tools: { prepare: (request) => tools.prepare(request), compare: (request) => tools.compare(request) }, window, pause: () => Promise.resolve() });
  });
  afterEach(() => {
    workshop.dispose();
    trainings.dispose();
  });

  async function open(): Promise<Page> {
    const [host, page] = line();
    const client = new RpcClient<TrainingPanelMethods>(page);
    const connection = new TrainingPanelConnection(host, { workshop, language: 'zh-cn', strings: () => ({ Train: '训练' }), takeTable: () => undefined, messageOf: (error) => window.messageOf(error), note: (error) => window.note(error) });
    const events: TrainingPanelEvent[] = [];
    const waiting: { readonly isSo: (training: PanelTraining) => boolean; readonly resolve: (training: PanelTraining) => void }[] = [];
    void client.call('events', {}, {
      onProgress: (event) => {
        events.push(event);
        if (event.kind === 'training') for (const { isSo, resolve } of waiting) if (isSo(event.training)) resolve(event.training);
      },
    });
    await client.call('start', {});
    return {
      client,
      events,
      connection,
      until: (isSo) =>
        new Promise((resolve) => {
          const last = events.flatMap((event) => (event.kind === 'training' ? [event.training] : [])).at(-1);
          if (last && isSo(last)) resolve(last);
          else waiting.push({ isSo, resolve });
        }),
    };
  }

  it('says what columns most likely hold, counts rows, and knows no file that was not chosen', async () => {
    const { client } = await open();
    await assert.rejects(client.call('preview', { data }), (error: HumanError) => error.code === 'panel.table' && error.message.startsWith('翻译：'));
    const { table } = await client.call('chooseTable', { from: 'dialog' });
    assert.deepStrictEqual([table?.id, table?.name, table?.guess, table?.columns[2]], [id, 'reviews.csv', { label: 'label', text: ['text'] }, { name: 'label', samples: [...Array(20).keys()].map((row) => (row % 2 ? 'yes' : 'no')) }]);
    const { rows: count, withoutLabel, labels } = await client.call('preview', { data });
    assert.deepStrictEqual([count, withoutLabel, labels], [40, 1, [{ label: 'no', rows: 20 }, { label: 'yes', rows: 20 }]]);
    await assert.rejects(client.call('table', { file: 'file:///etc/passwd' }), (error: HumanError) => error.code === 'panel.table');
  });

  it('trains what was chosen, reports as it goes, and a page that comes later gets all of it', async () => {
    let finish!: () => void;
    courses = [
      async (_, tell) => {
        for (let batch = 1; batch <= 10; batch++) tell({ kind: 'progress', progress: progressOf(1, batch, batch === 10) });
        await new Promise<void>((resolve) => (finish = resolve));
      },
    ];
    const first = await open();
    await first.client.call('chooseTable', { from: 'editor' });
    await first.client.call('train', { training: choice });
    const running = await first.until(({ progress }) => progress?.batch === 10);
    assert.deepStrictEqual([running.status, running.fraction, running.progress?.epochs, running.rows], ['running', 0.25, 4, 40]);
    const { hyperparameters, preset, validation, rows: kept } = calls[0]!;
    assert.deepStrictEqual([preset, hyperparameters.batchSize, hyperparameters.dropout, hyperparameters.hiddenUnits, validation.length, kept.length], ['bilstm-pool', 64, 0.25, 64, 10, 30]);
    // the page is closed, another comes
    first.connection.dispose();
    const second = await open();
    const start = await second.client.call('start', {});
    assert.strictEqual(start.training?.status, 'running');
    await assert.rejects(second.client.call('train', { training: choice }), (error: HumanError) => error.code === 'panel.training');
    finish();
    const done = await second.until(({ status }) => status === 'done');
    assert.deepStrictEqual(done.model, { name: 'reviews/v1', folder: `${folder}/.label-lens/reviews/models/v1`, summary: 'reviews/v1 is good.', inUse: false, saved: [] });
    assert.deepStrictEqual([done.error, done.progress, done.notes], [undefined, undefined, ['One row was left out.']]);
    // held-out rows lead to where their texts stand
    const block = (await second.client.call('start', {})).report[0]!.blocks[0]!;
    assert.ok(block.kind === 'rows' && block.rows.length === 10);
    for (const { row, text } of block.rows) assert.strictEqual(rows[row]!.split(',')[1], text);
    await second.client.call('reveal', { file: 'reviews.csv', row: block.rows[0]!.row });
    assert.deepStrictEqual(window.revealed, [`${id}:${block.rows[0]!.row}`]);
    await assert.rejects(second.client.call('reveal', { file: 'passwd', row: 1 }), (error: HumanError) => error.code === 'panel.file');
  });

  it('checks with the rows of another file, starts from word vectors and writes a threshold into the model', async () => {
    let finish!: () => void;
    courses = [() => new Promise<void>((resolve) => (finish = resolve))];
    const { client, until } = await open();
    await client.call('chooseTable', { from: 'editor' });
    const full: TrainingChoice = { ...choice, heldOut: { file: heldOutId }, vectors: vectorsId, threshold: 0.7, hyperparameters: { embeddingTraining: 'frozen' } };
    const unknown = (error: HumanError): boolean => error.code === 'panel.table';
    await assert.rejects(client.call('train', { training: full }), unknown);
    await assert.rejects(client.call('vectors', { file: vectorsId }), unknown);
    const { table } = await client.call('chooseHeldOut', {});
    assert.deepStrictEqual([table?.id, table?.columns.map(({ name }) => name)], [heldOutId, ['label', 'text']]);
    await assert.rejects(client.call('train', { training: full }), unknown, 'the vectors, too');
    assert.deepStrictEqual((await client.call('chooseVectors', {})).vectors, { id: vectorsId, name: 'tiny.vec.gz' });
    assert.deepStrictEqual((await client.call('vectors', { file: vectorsId })).vectors, { id: vectorsId, name: 'tiny.vec.gz' });
    // word vectors are no table
    await assert.rejects(client.call('table', { file: vectorsId }), unknown);
    await client.call('train', { training: full });
    // vocabulary: text, good, bad and the numbers 0 to 39
    const coverage = 'tiny.vec.gz: 2 of 43, 2 wide, 1 lines left out';
    assert.deepStrictEqual((await until(({ notes }) => notes.length > 0)).notes, [coverage]);
    while (!finish) await new Promise(setImmediate);
    finish();
    const done = await until(({ status }) => status === 'done');
    assert.deepStrictEqual(window.settled, [id, heldOutId]);
    const call = calls[0]!;
    assert.deepStrictEqual([call.rows.length, call.validation.map(({ text }) => text), call.threshold, call.hyperparameters.embeddingTraining], [40, ['good new text 1', 'bad new text 2', 'good new text 3'], 0.7, 'frozen']);
    assert.deepStrictEqual([call.vectors?.size, call.vectors?.words, [...call.vectors!.values]], [2, ['good', 'text'], [1, 2, 3, 4]]);
    assert.strictEqual(call.identity.data?.['vectors'], 'tiny.vec.gz');
    assert.deepStrictEqual(done.notes, [coverage, 'One row was left out.']);
    assert.ok(window.notes.some((note) => /tiny\.vec\.gz, line 5/.test(String(note))), 'the log names the line');
    // the report names rows of the other file, and leads there although both have one name
    const block = (await client.call('start', {})).report[0]!.blocks[0]!;
    assert.deepStrictEqual(block.kind === 'rows' && block.rows.map(({ row, text }) => [row, text]), [[1, 'good new text 1'], [2, 'bad new text 2'], [4, 'good new text 3']]);
    await client.call('reveal', { file: 'reviews.csv', row: 4 });
    assert.deepStrictEqual(window.revealed, [`${heldOutId}:4`]);
  });

  it('tells which other file is read, and stops there on request', async () => {
    const { client, until } = await open();
    await client.call('chooseTable', { from: 'editor' });
    await client.call('chooseHeldOut', {});
    await client.call('chooseVectors', {});
    // more than the reader looks at before it tells of the first row
    window.contents.set(heldOutId, ['label,text', ...Array.from({ length: 5000 }, (_, row) => `${row % 2 ? 'yes' : 'no'},a new text ${row}`)]);
    for (const [slow, expected] of [[heldOutId, { file: 'reviews.csv', rows: 5000 }], [vectorsId, { file: 'tiny.vec.gz', fraction: 0.5 }]] as const) {
      let goOn!: () => void;
      const whole = window.open;
      // its last piece does not come before it is asked for
      window.open = async (file) => {
        const input = await whole(file);
        if (file !== slow) return input;
        const { chunks } = input;
        return {
          ...input,
          chunks: (async function* () {
            yield* chunks;
            yield new TextEncoder().encode('\n');
            await new Promise<void>((resolve) => (goOn = resolve));
            yield new TextEncoder().encode('good 1 1\n');
          })(),
        };
      };
      await client.call('train', { training: { ...choice, heldOut: { file: heldOutId }, vectors: vectorsId } });
      const { status, reading } = await until((training) => training.reading !== undefined && training.reading.file === expected.file && goOn !== undefined);
      assert.deepStrictEqual([status, reading], ['reading', expected]);
      await client.call('cancelTraining', {});
      goOn();
      const stopped = await until(({ status }) => status === 'stopped');
      assert.deepStrictEqual([stopped.reading, stopped.canContinue], [undefined, false]);
      window.open = whole;
    }
    assert.strictEqual(calls.length, 0, 'no worker has begun');
  });

  it('names the other file, its row and its column when it does not fit', async () => {
    const { client, until } = await open();
    await client.call('chooseTable', { from: 'editor' });
    await client.call('chooseHeldOut', {});
    await client.call('chooseVectors', {});
    const failureOf = async (part: Partial<TrainingChoice>): Promise<string> => {
      await client.call('train', { training: { ...choice, heldOut: { file: heldOutId }, ...part } });
      const { error = '' } = await until(({ status }) => status === 'failed');
      // so that the next one is not taken for this one
      window.contents.set(heldOutId, heldOutRows).set(vectorsId, vectors);
      await client.call('train', { training: choice });
      await until(({ status }) => status === 'done');
      return error;
    };
    window.contents.set(heldOutId, ['label,remark', 'yes,good']);
    assert.match(await failureOf({}), /^翻译：reviews\.csv has no column "text".*"label", "remark"/);
    window.contents.set(heldOutId, ['label,text', 'yes,good', 'maybe,good', 'perhaps,good']);
    assert.match(await failureOf({}), /maybe, perhaps, as in reviews\.csv, row 2, column label/);
    window.contents.set(heldOutId, ['id,label,text', '1,yes,good', 'many,no,bad']);
    assert.match(await failureOf({ data: { ...data, valueColumn: 'id' } }), /reviews\.csv, row 2, column id: "many" is no number/);
    window.contents.set(vectorsId, ['a file', 'of words']);
    assert.match(await failureOf({ vectors: vectorsId }), /tiny\.vec\.gz is no text file of word vectors/);
  });

  it('uses the model, saves the report beside it and opens it', async () => {
    const { client, until } = await open();
    await assert.rejects(client.call('saveReport', {}), (error: HumanError) => error.code === 'panel.report');
    await client.call('chooseTable', { from: 'editor' });
    await client.call('train', { training: choice });
    const { model } = await until(({ status }) => status === 'done');
    await client.call('useModel', {});
    assert.strictEqual(window.current, 'reviews/v1');
    const { files } = await client.call('saveReport', {});
    assert.deepStrictEqual(files.map(({ name }) => new TextDecoder().decode(fileSystem.files.get(`${model!.folder}/${name}`))), ['<h1>reviews.csv</h1>', '# reviews.csv']);
    await client.call('openReport', { format: 'markdown' });
    assert.deepStrictEqual(window.opened, [`${model!.folder}/report.md`]);
    const last = (await client.call('start', {})).training?.model;
    assert.deepStrictEqual([last?.inUse, last?.saved.length], [true, 2]);
    assert.deepStrictEqual((await client.call('models', {})).models.map(({ name, inUse, labels }) => [name, inUse, labels]), [['reviews/v1', true, ['negative', 'positive']]]);
  });

  it('thins out a long loss curve, and keeps it even', async () => {
    let course: { readonly history: readonly { readonly step: number }[] } | undefined;
    const spied = new TrainingWorkshop({
      ...{ fileSystem, trainings, tools, window, pause: () => Promise.resolve() },
      models: new ModelStore({ fileSystem, shippedFolder: '/models' }),
      reports: { ...reports, live: (seen) => reports.live((course = seen)) },
    });
    courses = [
      (_, tell) => {
        for (let batch = 1; batch <= 9000; batch++) tell({ kind: 'progress', progress: { ...progressOf(1, batch), batches: 9000 } });
      },
    ];
    await spied.offer(id);
    const ended = new Promise<void>((resolve) => spied.onDidChange((event) => void (event.kind === 'training' && event.training.status === 'done' && resolve())));
    await spied.train(choice);
    await ended;
    const seen = course?.history ?? [];
    assert.ok(seen.length > 500 && seen.length <= 2000, String(seen.length));
    const steps = new Set(seen.slice(1).map(({ step }, index) => step - seen[index]!.step));
    assert.ok(steps.size <= 2, [...steps].join(', '));
    spied.dispose();
  });

  it('cancels, and says whether the same choices go on', async () => {
    courses = [
      async (_, tell) => {
        tell({ kind: 'checkpoint', checkpoint: Uint8Array.of(1, 2, 3) });
        await new Promise(() => undefined);
      },
      (_, tell) => tell({ kind: 'continued', from: { epochs: [progressOf(1, 10, true).finished!], batch: 0, batches: 10 } }),
    ];
    const saved = new Promise<void>((resolve) => {
      const write = fileSystem.writeFileAtomically.bind(fileSystem);
      fileSystem.writeFileAtomically = async (path, content) => {
        await write(path, content);
        // the training hears of it in the turn after this one
        if (path.endsWith('.checkpoint')) setImmediate(resolve);
      };
    });
    const { client, until } = await open();
    await client.call('chooseTable', { from: 'editor' });
    await client.call('train', { training: choice });
    await saved;
    await client.call('cancelTraining', {});
    assert.strictEqual((await until(({ status }) => status === 'stopped')).canContinue, true);
    await client.call('train', { training: choice });
    assert.strictEqual((await until(({ status }) => status === 'done')).continuedAfter, 1);
  });

  it('waits for another training, and says for which', async () => {
    let finish!: () => void;
    courses = [() => new Promise<void>((resolve) => (finish = resolve))];
    const other = trainings.train({ ...data, task: 'other', folder, file: 'other.csv', open: () => window.open(id), workers: 1 });
    const { client, until } = await open();
    await client.call('chooseTable', { from: 'editor' });
    await client.call('train', { training: choice });
    const waiting = await until(({ status }) => status === 'waiting');
    assert.strictEqual(waiting.waitsFor, 'other');
    while (!finish) await new Promise(setImmediate);
    finish();
    await other;
    assert.strictEqual((await until(({ status }) => status === 'done')).waitsFor, undefined);
  });

  it('says what went wrong in the person’s language, and what cannot be stored can be stored again', async () => {
    const { client, until } = await open();
    await client.call('chooseTable', { from: 'editor' });
    await client.call('train', { training: { ...choice, data: { ...data, labelColumn: 'stars' } } });
    assert.match((await until(({ status }) => status === 'failed')).error ?? '', /^翻译：.*"stars"/);
    const write = fileSystem.writeFileAtomically.bind(fileSystem);
    let full = true;
    fileSystem.writeFileAtomically = async (path, content) => {
      if (full && path.endsWith('model.onnx')) throw new HumanError('file.full', 'The disk is full. Make room, then try again.');
      await write(path, content);
    };
    await client.call('train', { training: choice });
    assert.match((await until(({ status }) => status === 'notStored')).error ?? '', /The disk is full/);
    full = false;
    await client.call('storeAgain', { again: true });
    assert.strictEqual((await until(({ status }) => status === 'done')).error, undefined);
  });

  it('trains, prepares and compares nothing in a folder that is not trusted, and nothing that is not saved', async () => {
    const { client } = await open();
    await client.call('chooseTable', { from: 'editor' });
    const prepare = { data, labelValues: [], dropContradictory: true, dropRepeats: true, shares: { train: 0.8, valid: 0.1, test: 0.1 }, seed: 1 };
    window.trusted = false;
    const untrusted = (error: HumanError): boolean => error.code === 'trainModel.untrusted';
    await assert.rejects(client.call('train', { training: choice }), untrusted);
    await assert.rejects(client.call('prepare', { prepare }), untrusted);
    await assert.rejects(client.call('compare', { comparison: { data, models: ['a', 'b'] } }), untrusted);
    window.trusted = true;
    window.saved = false;
    await assert.rejects(client.call('train', { training: choice }), { name: 'CancelledError' });
    assert.strictEqual(calls.length, 0);
    window.saved = true;
    const { files } = await client.call('prepare', { prepare });
    assert.strictEqual((await client.call('table', { file: files[0]!.id })).table.name, 'reviews-train.csv');
  });

  it('compares models on request, and tells what went wrong', async () => {
    const { client, until, events } = await open();
    await client.call('chooseTable', { from: 'editor' });
    for (let version = 1; version <= 2; version++) {
      await client.call('train', { training: choice });
      await until(({ status, model }) => status === 'done' && model?.name === `reviews/v${version}`);
    }
    const compared = (): Promise<void> => new Promise((resolve) => void workshop.onDidChange((event) => void (event.kind === 'comparison' && event.comparison.status !== 'running' && resolve())));
    const done = compared();
    await client.call('compare', { comparison: { data, models: ['reviews/v1', 'reviews/v2'] } });
    await done;
    assert.deepStrictEqual([workshop.comparison?.status, workshop.comparison?.sections[0]?.title], ['done', 'reviews/v1 reviews/v2']);
    tools.compare = () => Promise.reject(new HumanError('compare.labels', 'The models have other labels. Choose others.'));
    const failed = compared();
    await client.call('compare', { comparison: { data, models: ['reviews/v1', 'reviews/v2'] } });
    await failed;
    assert.deepStrictEqual([workshop.comparison?.status, workshop.comparison?.error], ['failed', '翻译：The models have other labels. Choose others.']);
    assert.ok(events.length > 0);
    await assert.rejects(client.call('compare', { comparison: { data, models: ['reviews/v1', 'nobody/v9'] } }), (error: HumanError) => error.code === 'model.unknown');
  });

  it('keeps the form, and takes nothing that is none', async () => {
    const { client } = await open();
    await client.call('chooseTable', { from: 'editor' });
    const form = { tab: 'model', file: id, kind: 'single', labelColumn: 'label', textColumns: ['text'], heldOut: '20', preset: 'bilstm-pool', typed: { batchSize: '6' }, compared: [] } as const;
    await client.call('remember', { form: { ...form, typed: { ...form.typed, nothing: 'x' } } });
    assert.deepStrictEqual((await client.call('start', {})).form, form);
    assert.deepStrictEqual(window.kept, form);
    // files that nobody has chosen are not kept: the next window would take them for chosen
    const fuller = { ...form, heldOutIsFile: true, heldOutFile: heldOutId, vectors: vectorsId, threshold: '0,7' };
    await client.call('remember', { form: { ...fuller, file: 'file:///etc/passwd' } });
    assert.deepStrictEqual(window.kept, { ...Object.fromEntries(Object.entries(form).filter(([name]) => name !== 'file')), heldOutIsFile: true, threshold: '0,7' });
    await client.call('chooseHeldOut', {});
    await client.call('chooseVectors', {});
    await client.call('remember', { form: fuller });
    assert.deepStrictEqual(window.kept, fuller);
    for (const bad of [{ heldOutIsFile: 'yes' }, { heldOutFile: 7 }, { vectors: '' }, { threshold: 0.7 }])
      await assert.rejects(client.call('remember', { form: { ...fuller, ...bad } as unknown as TrainingForm }), (error: HumanError) => error.code === 'internal');
    // another window knows the files that the form names, and they are what it says they are
    const next = new TrainingWorkshop({ fileSystem, trainings, tools, reports, window, models: new ModelStore({ fileSystem, shippedFolder: '/models' }), pause: () => Promise.resolve() });
    next.restore(fuller);
    assert.deepStrictEqual([(await next.table(heldOutId)).id, next.vectors(vectorsId).name], [heldOutId, 'tiny.vec.gz']);
    assert.throws(() => next.vectors(heldOutId), (error: HumanError) => error.code === 'panel.table');
    next.dispose();
    for (const bad of [
      { training: { ...choice, heldOut: { share: 1 } } },
      { training: { ...choice, heldOut: 0.25 } },
      { training: { ...choice, heldOut: { file: '' } } },
      { training: { ...choice, heldOut: { file: id } } },
      { training: { ...choice, vectors: 7 } },
      { training: { ...choice, vectors: vectorsId, base: 'sentiment' } },
      { training: { ...choice, threshold: 0 } },
      { training: { ...choice, threshold: 1 } },
      { training: { ...choice, threshold: '0.7' } },
      { training: { ...choice, threshold: 0.7, data: { ...data, kind: 'number' } } },
      { training: { ...choice, preset: 'none' } },
      { training: { ...choice, hyperparameters: { batchSize: '64' } } },
      { training: { ...choice, data: { ...data, textColumns: [] } } },
      { training: { ...choice, data: { ...data, file: 7 } } },
    ])
      await assert.rejects(client.call('train', bad as unknown as { training: TrainingChoice }), (error: HumanError) => error.code === 'internal');
    await assert.rejects(client.call('train', { training: { ...choice, hyperparameters: { batchSize: 64, hiddenUnits: 30 } } }).then(() => new Promise<never>((_, reject) => workshop.onDidChange((event) => void (event.kind === 'training' && event.training.status === 'failed' && reject(new Error(event.training.error)))))), /multiple of 4/);
  });
});
