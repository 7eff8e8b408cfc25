import { HumanError } from '../core/errors';
import type { LearningState, QueueItem, TaskChange, Undone } from '../core/labels/view';
import type { PanelCommand, PanelDecided, PanelEvent, PanelItem, PanelLearning, PanelMethods, PanelOptions, PanelStart, PanelTask } from '../core/protocol/panel';
import { serve, type HandlerContext, type Handlers, type Port } from '../core/protocol/rpc';
import type { Disposable } from '../app/events';
import type { LabelingTask, LabelingTasks } from '../app/labeling/labeling';
import { Pacer } from '../app/pacer';
import { guarding, type Wording } from './guarded';
import { checkParams } from './panelChecks';

/** What a connection to the page needs of the window around it. */
export interface PanelServices extends Wording {
  readonly tasks: LabelingTasks;
  /** Such as `en` or `zh-cn`. */
  readonly language: string;
  /** The page's texts in that language, by their English. */
  strings(): Readonly<Record<string, string>>;
  options(): PanelOptions;
  setOption(option: keyof PanelOptions, value: boolean): Promise<void>;
  /** Runs a command that asks the person for what it needs; not waited for. */
  run(command: PanelCommand): void;
  /** Shows the example's place in its file. */
  reveal(task: LabelingTask, id: string): Promise<void>;
}

/** Changed examples that one message describes. */
const MOST_CHANGED = 1000;
/** Milliseconds between two messages of one kind about what changes all the time, such as the progress of learning. */
const INTERVAL = 100;

/** One page's connection to the task that is being labelled: answers its requests and tells it what changed. Knows no vscode. */
export class PanelConnection implements Disposable {
  private readonly subscriptions: Disposable[] = [];
  private taskSubscription: Disposable | undefined;
  /** The page's `events` request, once it has come. */
  private listener: ((event: PanelEvent) => void) | undefined;
  /** Word that waits for the page to listen. */
  private waiting: PanelEvent | undefined;
  private readonly pacer = new Pacer<PanelEvent>((event) => this.tell(event), INTERVAL);
  /** Examples that the page itself is deciding on: it gets the answer, and no event. */
  private own: ReadonlySet<string> | 'any' | undefined;

  constructor(
    port: Port,
    private readonly services: PanelServices,
  ) {
    this.subscriptions.push(services.tasks.onDidChangeActive(() => this.follow(true)));
    this.follow(false);
    serve<PanelMethods>(port, this.handlers());
  }

  /** Sends word to the page, or keeps the latest until it listens. */
  tell(event: PanelEvent): void {
    if (this.listener) this.listener(event);
    else this.waiting = event;
  }

  dispose(): void {
    for (const subscription of this.subscriptions) subscription.dispose();
    this.taskSubscription?.dispose();
    this.pacer.dispose();
    this.listener = undefined;
  }

  /** Hears of the active task from now on. */
  private follow(tell: boolean): void {
    this.taskSubscription?.dispose();
    // what waits is about a task that is no longer the one
    this.pacer.clear();
    const task = this.services.tasks.active;
    this.taskSubscription = task?.onDidChange((change) => this.changed(task, change));
    if (tell) this.tell({ kind: 'task', task: task ? this.panelTask(task) : null });
  }

  private changed(task: LabelingTask, change: TaskChange): void {
    switch (change.kind) {
      case 'decisions': {
        if (this.own === 'any') return;
        const { own } = this;
        const examples = own ? change.examples.filter((id) => !own.has(id)) : change.examples;
        if (examples.length === 0) return;
        this.tell({ kind: 'decisions', changed: examples.slice(0, MOST_CHANGED).map((id) => described(task, id)) });
        this.pacer.soon('counts', () => ({ kind: 'counts', counts: task.counts, canUndo: task.canUndo, canRedo: task.canRedo }));
        return;
      }
      case 'queue':
        this.pacer.soon('queue', () => ({ kind: 'queue' }));
        return;
      case 'learning':
        this.pacer.soon('learning', () => ({ kind: 'learning', learning: this.learning(task.learning) }));
        return;
      case 'task':
      case 'pool':
        this.pacer.soon('task', () => ({ kind: 'task', task: this.panelTask(task) }));
        return;
      case 'problem':
        this.tell({ kind: 'problem', message: this.services.messageOf(change.problem) });
        return;
    }
  }

  private get task(): LabelingTask {
    const { active } = this.services.tasks;
    if (!active) throw new HumanError('panel.noTask', 'No task is open. Create one, or open one of this workspace.');
    return active;
  }

  private handlers(): Handlers<PanelMethods> {
    const { services } = this;
    const guarded = guarding<PanelMethods>(checkParams, services);
    return {
      start: guarded('start', () => this.start()),
      events: guarded('events', (_, context) => this.listen(context)),
      next: guarded('next', async ({ count, skip }) => {
        const { task } = this;
        return { items: (await task.next(count, skip)).map((item) => withState(task, item)) };
      }),
      item: guarded('item', ({ id }) => ({ item: itemOf(this.task, id) })),
      neighbour: guarded('neighbour', ({ id, step }) => {
        const { task } = this;
        const found = task.neighbour(id, step);
        return { item: found === undefined ? null : itemOf(task, found) };
      }),
      decide: guarded('decide', async ({ targets, status, value, origin }) => {
        const { task } = this;
        const ids = 'ids' in targets ? targets.ids : await this.matching(task, targets);
        return await this.deciding(new Set(ids), async () => {
          await task.decide({ targets: ids, status, origin, ...(value === undefined ? {} : { value }) });
          return decided(task, ids);
        });
      }),
      undo: guarded('undo', () => this.takingBack((task) => task.undo())),
      redo: guarded('redo', () => this.takingBack((task) => task.redo())),
      list: guarded('list', ({ filter, from, count }) => this.task.list(filter, from, count)),
      countMatching: guarded('countMatching', async ({ filter }) => {
        const { task } = this;
        const ids = await task.matching(filter);
        return { total: ids.length, decided: ids.filter((id) => isDecided(task, id)).length };
      }),
      explain: guarded('explain', async ({ id }, { signal }) => ({ words: await this.task.explain(id, signal) })),
      setOrder: guarded('setOrder', async ({ order }) => {
        await this.task.setOrder(order);
        return null;
      }),
      editLabel: guarded('editLabel', async ({ edit }) => {
        await this.task.editLabel(edit);
        return null;
      }),
      insight: guarded('insight', () => this.task.insight()),
      fineTune: guarded('fineTune', async () => {
        const { task } = this;
        await task.fineTune();
        return this.learning(task.learning);
      }),
      cancelFineTune: guarded('cancelFineTune', () => {
        this.task.cancelFineTune();
        return null;
      }),
      versions: guarded('versions', async () => ({ versions: await this.task.versions() })),
      restore: guarded('restore', async ({ version }) => {
        await this.task.restore(version);
        return null;
      }),
      run: guarded('run', ({ command }) => {
        services.run(command);
        return null;
      }),
      reveal: guarded('reveal', async ({ id }) => {
        await services.reveal(this.task, id);
        return null;
      }),
      setOption: guarded('setOption', async ({ option, value }) => {
        await services.setOption(option, value);
        return null;
      }),
    };
  }

  private start(): PanelStart {
    const { services } = this;
    const { active } = services.tasks;
    return { task: active ? this.panelTask(active) : null, options: services.options(), strings: services.strings(), language: services.language };
  }

  /** Stays open until the page goes. */
  private async listen({ progress, signal }: HandlerContext<PanelEvent>): Promise<null> {
    this.listener = progress;
    const { waiting } = this;
    this.waiting = undefined;
    if (waiting) progress(waiting);
    await new Promise<void>((resolve) => signal.addEventListener('abort', resolve));
    if (this.listener === progress) this.listener = undefined;
    return null;
  }

  private async matching(task: LabelingTask, { filter, expected }: { readonly filter: PanelMethods['list']['params']['filter']; readonly expected: number }): Promise<readonly string[]> {
    const ids = await task.matching(filter);
    if (ids.length !== expected)
      throw new HumanError('panel.expected', 'Nothing was decided: {0} texts pass the filter by now, not {1}. Look at them, then decide again.', [ids.length, expected]);
    return ids;
  }

  private async deciding<T>(ids: ReadonlySet<string> | 'any', work: () => Promise<T>): Promise<T> {
    this.own = ids;
    try {
      return await work();
    } finally {
      // a later decision may have begun
      if (this.own === ids) this.own = undefined;
    }
  }

  private async takingBack(work: (task: LabelingTask) => Promise<Undone | undefined>): Promise<PanelDecided | null> {
    const { task } = this;
    return await this.deciding('any', async () => {
      const undone = await work(task);
      return undone ? decided(task, undone.examples) : null;
    });
  }

  private panelTask(task: LabelingTask): PanelTask {
    const { definition, labels, annotator, counts, learning, order, canUndo, canRedo, reading } = task;
    return { definition, labels, annotator, counts, learning: this.learning(learning), order, canUndo, canRedo, ...(reading === undefined ? {} : { reading }) };
  }

  private learning({ fineTune, ...rest }: LearningState): PanelLearning {
    if (!fineTune) return rest;
    const { error, ...state } = fineTune;
    return { ...rest, fineTune: error ? { ...state, error: this.services.messageOf(error) } : state };
  }
}

function itemOf(task: LabelingTask, id: string): PanelItem {
  const example = task.example(id);
  if (!example) throw new HumanError('panel.example', 'This text is no longer among those of the task. Its file may have changed.');
  const guess = task.guessOf(id);
  return withState(task, { example, reason: 'file', ...(guess ? { guess } : {}) });
}

function withState(task: LabelingTask, item: QueueItem): PanelItem {
  const state = task.stateOf(item.example.id);
  return state ? { ...item, state } : item;
}

function described(task: LabelingTask, id: string): PanelDecided['changed'][number] {
  const state = task.stateOf(id);
  const guess = task.guessOf(id);
  return { id, ...(state ? { state } : {}), ...(guess ? { guess } : {}) };
}

function decided(task: LabelingTask, ids: readonly string[]): PanelDecided {
  const { counts, canUndo, canRedo } = task;
  return { changed: ids.slice(0, MOST_CHANGED).map((id) => described(task, id)), count: ids.length, counts, canUndo, canRedo };
}

function isDecided(task: LabelingTask, id: string): boolean {
  const state = task.stateOf(id);
  return state !== undefined && state.status !== 'cleared';
}
