import { Emitter } from '../../../../src/app/events';
import type { TaskChange } from '../../../../src/core/labels/view';
import { OpenTask, type LabelingServices } from '../../../../src/app/labeling/openTask';
import { silentLog } from '../../../../src/app/log';
import { ModelStore } from '../../../../src/app/modelStore';
import { Session } from '../../../../src/app/session';
import { writeBundle } from '../../../../src/app/taskModels';
import { Trainings } from '../../../../src/app/trainings';
import type { Decision } from '../../../../src/core/labels/decision';
import { newLabels, taskFormatVersion, type TaskDefinition } from '../../../../src/core/labels/task';
import type { PredictorMethods } from '../../../../src/core/protocol/predictor';
import { serve, type Port } from '../../../../src/core/protocol/rpc';
import type { TrainCall } from '../../../../src/core/protocol/trainer';
import type { WorkerHandle } from '../../../../src/core/protocol/worker';
import { runLearnerWorker } from '../../../../src/labeling/worker';
import { JournalStore } from '../../../../src/storage/journalStore';
import { labelsFolder } from '../../../../src/storage/paths';
import { TaskStore } from '../../../../src/storage/taskStore';
import { wordBundle } from '../../../fixtures/wordModel';
import { FakeTrainer, type Course } from '../fakeTrainer';
import { MemoryFileSystem } from '../memoryFileSystem';
import { openInputOf, pause } from './inputs';

export const folder = '/files';

/** A worker in this thread. */
export class ThreadWorker implements WorkerHandle {
  private toOwner: ((message: unknown) => void) | undefined;
  private toWorker: ((message: unknown) => void) | undefined;
  private readonly early: unknown[] = [];
  private exit: ((error: Error | undefined) => void) | undefined;
  ended = false;

  constructor(run: (port: Port) => void) {
    run({
      postMessage: (message) => {
        const copy: unknown = structuredClone(message);
        if (this.toOwner) setImmediate(() => this.toOwner?.(copy));
        else this.early.push(copy);
      },
      onMessage: (listener) => (this.toWorker = listener),
    });
  }

  postMessage(message: unknown): void {
    const copy: unknown = structuredClone(message);
    setImmediate(() => {
      if (!this.ended) this.toWorker?.(copy);
    });
  }
  onMessage(listener: (message: unknown) => void): void {
    this.toOwner = listener;
    for (const message of this.early.splice(0)) listener(message);
  }
  onExit(listener: (error: Error | undefined) => void): void {
    this.exit = listener;
  }
  terminate(): Promise<void> {
    this.end(undefined);
    return Promise.resolve();
  }
  end(error: Error | undefined): void {
    if (this.ended) return;
    this.ended = true;
    this.toOwner = undefined;
    setImmediate(() => this.exit?.(error));
  }
}

/** Width of the features of {@link wordPredictor}. */
const width = 32;

/** A predictor whose features are hashed words, and whose scores say whether a text holds `good`. Notes what it was asked. */
export function wordPredictor(asked: string[] = []): WorkerHandle {
  return new ThreadWorker((port) =>
    serve<PredictorMethods>(port, {
      load: () => ({ labels: ['negative', 'positive'] }),
      unload: () => null,
      predict: async ({ texts, features }, { progress }) => {
        await pause();
        asked.push(...texts);
        const vectors = new Float32Array(texts.length * width);
        texts.forEach((text, row) => {
          for (const word of text.split(' ')) {
            let hash = 0;
            for (const unit of word) hash = (Math.imul(hash, 31) + (unit.codePointAt(0) ?? 0)) >>> 0;
            vectors[row * width + (hash % width)]! += 1;
          }
        });
        progress({
          positions: Int32Array.from(texts, (_, index) => index),
          width: 2,
          scores: Float32Array.from(texts.flatMap((text) => (text.includes('good') ? [0.25, 0.75] : [0.75, 0.25]))),
          tokens: Int32Array.from(texts, (text) => text.split(' ').length),
          ...(features ? { features: vectors } : {}),
        });
        return null;
      },
    }),
  );
}

/** An open task over a file system in memory, with all workers in this thread: the real learner, and predictor and trainer that know `good` and `bad`. */
export class Harness {
  readonly fileSystem = new MemoryFileSystem();
  /** What happens instead of writing to a journal. */
  refuse: Error | undefined;
  readonly changes: TaskChange[] = [];
  readonly asked: string[] = [];
  readonly trained: TrainCall[] = [];
  readonly learners: ThreadWorker[] = [];
  readonly logged: (string | Error)[] = [];
  readonly session: Session;
  readonly services: LabelingServices;
  readonly settings = { model: 'sentiment', changed: new Emitter<void>() };
  course: Course = () => undefined;
  fineTuneEvery = 0;
  private readonly tasks: OpenTask[] = [];

  constructor() {
    const { fileSystem, settings } = this;
    const append = fileSystem.append.bind(fileSystem);
    fileSystem.append = (...args) => (this.refuse ? Promise.reject(this.refuse) : append(...args));
    const models = new ModelStore({ fileSystem, shippedFolder: '/models', workspaceFolders: () => [folder] });
    const startTrainer = (): WorkerHandle =>
      new FakeTrainer(async (call, tell, signal) => {
        this.trained.push(call);
        await this.course(call, tell, signal);
      });
    const trainings = new Trainings({ fileSystem, startTrainer, cores: 2, pause });
    const log = { ...silentLog, error: (error: string | Error) => void this.logged.push(error) };
    this.session = new Session({
      models,
      trainings,
      log,
      startPredictor: () => wordPredictor(this.asked),
      settings: {
        get model() {
          return settings.model;
        },
        onDidChange: settings.changed.event,
      },
    });
    this.services = {
      fileSystem,
      openInput: openInputOf(fileSystem),
      session: this.session,
      startLearner: () => {
        const worker = new ThreadWorker((port) => runLearnerWorker(port, { pause }));
        this.learners.push(worker);
        return worker;
      },
      annotator: () => Promise.resolve('mei'),
      baseModel: 'sentiment',
      fineTuneEvery: () => this.fineTuneEvery,
      trainingWorkers: () => 1,
      pause,
      log,
    };
  }

  /** Puts the base model and the texts into their places. */
  async fill(rows: readonly string[]): Promise<void> {
    await writeBundle(this.fileSystem, '/models/sentiment', wordBundle({ name: 'sentiment', version: '1', good: ['good'], bad: ['bad'] }));
    this.fileSystem.put(`${folder}/reviews.csv`, `text,n\n${rows.map((text, n) => `${text},${n}\n`).join('')}`);
  }

  /** The lines of an annotator's journal. */
  decisions(annotator = 'mei'): Decision[] {
    const content = this.fileSystem.files.get(`${labelsFolder(folder, 'reviews')}/${annotator}.jsonl`);
    const lines = new TextDecoder().decode(content).split('\n').filter((line) => line !== '');
    return lines.map((line) => JSON.parse(line) as Decision);
  }

  /** Opens the task as a new window would. */
  async open(more: Partial<TaskDefinition> = {}): Promise<OpenTask> {
    const definition: TaskDefinition = {
      formatVersion: taskFormatVersion,
      name: 'reviews',
      kind: 'single',
      labels: newLabels(['negative', 'positive']),
      sources: [{ kind: 'table', file: 'reviews.csv', textColumns: ['text'] }],
      ...more,
    };
    const store = new TaskStore(this.fileSystem, folder);
    if ((await store.list()).length === 0) await store.create(definition);
    const task = await store.read('reviews');
    const journalOf = async (annotator: string): Promise<JournalStore> => (await JournalStore.open({ fileSystem: this.fileSystem, folder: labelsFolder(folder, 'reviews'), task, annotator, breathe: pause })).store;
    const opened = await OpenTask.open(this.services, { folder, definition: task, annotator: 'mei', journal: await journalOf('mei'), journalOf, store, problems: [] });
    this.tasks.push(opened);
    opened.onDidChange((change) => this.changes.push(change));
    return opened;
  }

  dispose(): void {
    for (const task of this.tasks) task.dispose();
    this.session.dispose();
  }
}

/** Ends when `condition` holds; the test's own time limit is the bound. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await pause();
}
