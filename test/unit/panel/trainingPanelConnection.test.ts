import * as assert from 'node:assert';
import { ModelStore } from '../../../src/app/modelStore';
import { Trainings } from '../../../src/app/trainings';
import { TrainingWorkshop, type DataTools, type TrainingReports, type WorkshopWindow } from '../../../src/app/trainingWorkshop';
import { HumanError } from '../../../src/core/errors';
import { RpcClient } from '../../../src/core/protocol/rpc';
import type { TrainCall } from '../../../src/core/protocol/trainer';
import type { DataChoice, PanelTraining, TrainingChoice, TrainingPanelEvent, TrainingPanelMethods } from '../../../src/core/protocol/trainingPanel';
import { TrainingPanelConnection } from '../../../src/panel/trainingPanelConnection';
import { FakeTrainer, progressOf, type Course } from '../app/fakeTrainer';
import { MemoryFileSystem } from '../app/memoryFileSystem';
import { line } from './line';

const folder = '/work space';
const id = 'file:///work%20space/reviews.csv';
const rows = ['id,text,label', ...Array.from({ length: 40 }, (_, row) => `${row},${row % 2 ? 'good' : 'bad'} text ${row},${row % 2 ? 'yes' : 'no'}`), '40,no label,'];
const data: DataChoice = { file: id, kind: 'single', labelColumn: 'label', textColumns: ['text'] };
const choice: TrainingChoice = { data, heldOut: 0.25, preset: 'bilstm-pool', hyperparameters: { batchSize: 64, dropout: 0.25 } };

async function* chunksOf(content: string): AsyncGenerator<Uint8Array> {
  yield new TextEncoder().encode(content);
  await Promise.resolve();
}

/** A window with one table. */
class FakeWindow implements WorkshopWindow {
  trusted = true;
  saved = true;
  current: string | undefined = 'sentiment';
  readonly notes: unknown[] = [];
  readonly revealed: string[] = [];
  readonly opened: string[] = [];
  kept: unknown;
  readonly memory = { get: () => this.kept, set: (value: unknown) => void (this.kept = value) };
  readonly isTrusted = (): boolean => this.trusted;
  readonly workers = (): number => 1;
  readonly modelInUse = (): string | undefined => this.current;
  chooseTable = (): Promise<string | undefined> => Promise.resolve(id);
  nameOf = (table: string): string => decodeURIComponent(table.slice(table.lastIndexOf('/') + 1));
  sample = (): Promise<{ names: string[]; rows: string[][] }> => Promise.resolve({ names: ['id', 'text', 'label'], rows: rows.slice(1).map((row) => row.split(',')) });
  open = (): Promise<{ chunks: AsyncIterable<Uint8Array>; fraction(): undefined }> => Promise.resolve({ chunks: chunksOf(rows.join('\n')), fraction: () => undefined });
  settle = (): Promise<boolean> => Promise.resolve(this.saved);
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
  messageOf = (error: unknown): string => (error instanceof HumanError ? `翻译：${error.message}` : '出错了');
  note = (error: unknown): void => void this.notes.push(error);
}

const reports: TrainingReports = {
  live: ({ history, epochs, stepsPerEpoch }) => [{ id: 'course', title: 'Course', blocks: [{ kind: 'text', text: `${history.map(({ step }) => step).join(' ')} of ${stepsPerEpoch}, ${epochs.length} epochs` }] }],
  finished: ({ heldOutRows, request }, file) => ({ title: file, subtitle: '', sections: [{ id: 'rows', title: 'Rows', blocks: [{ kind: 'rows', caption: '', header: ['text'], rows: heldOutRows.map((row, index) => ({ file, row, cells: [], text: request.validation[index]!.text })) }] }] }),
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
    const other = trainings.train({ ...data, task: 'other', folder, file: 'other.csv', open: window.open, workers: 1 });
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
    for (const bad of [
      { training: { ...choice, heldOut: 1 } },
      { training: { ...choice, preset: 'none' } },
      { training: { ...choice, hyperparameters: { batchSize: '64' } } },
      { training: { ...choice, data: { ...data, textColumns: [] } } },
      { training: { ...choice, data: { ...data, file: 7 } } },
    ])
      await assert.rejects(client.call('train', bad as unknown as { training: TrainingChoice }), (error: HumanError) => error.code === 'internal');
    await assert.rejects(client.call('train', { training: { ...choice, hyperparameters: { batchSize: 64, hiddenUnits: 30 } } }).then(() => new Promise<never>((_, reject) => workshop.onDidChange((event) => void (event.kind === 'training' && event.training.status === 'failed' && reject(new Error(event.training.error)))))), /multiple of 4/);
  });
});
