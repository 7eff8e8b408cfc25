import type { DecisionOrigin, DecisionStatus, DecisionValue } from '../src/core/labels/decision';
import type { PanelDecided, PanelDecision, PanelEvent, PanelItem, PanelOptions, PanelTask } from '../src/core/protocol/panel';
import type { QueueOrder } from '../src/core/protocol/learner';
import type { ItemAction, LabelerAction } from './actions';
import type { Host } from './host';
import { ItemQueue } from './queue';
import { draftOf, guessVisible, isSettled, withChanged, withDecided, type Store } from './store';
import { number, say } from './strings';

interface Answer {
  readonly status: DecisionStatus;
  readonly value?: DecisionValue;
  readonly origin: DecisionOrigin;
}

/** Milliseconds that an item is on the screen before the words that decided are asked for: who labels faster does not wait for them. */
const explainDelay = 120;

/** Milliseconds without a key after which the page does what can wait; and how long that waits at most. */
const quiet = 250;
const longestWait = 1500;

/**
 * Does what keys and clicks ask for, one after the other: the next begins when the one before is saved and the next item is on the screen. What comes meanwhile waits its
 * turn, so nothing is lost and nothing meets an item that it was not meant for. What cannot be saved stays, and all behind it, until the person says what becomes of it.
 */
export class Labeler {
  private readonly waiting: LabelerAction[] = [];
  private running = false;
  private opening: Promise<void> = Promise.resolve();
  private readonly queue: ItemQueue;
  private explaining: AbortController | undefined;
  private explainTimer: number | undefined;
  private refreshTimer: number | undefined;
  private lastPress = -Infinity;

  constructor(
    private readonly host: Host,
    private readonly store: Store,
  ) {
    this.queue = new ItemQueue(async (count, skip) => (await host.client.call('next', { count, skip })).items);
  }

  /** Whether presses wait or one is being saved. */
  get busy(): boolean {
    return this.running || this.waiting.length > 0;
  }

  perform(action: LabelerAction): void {
    this.lastPress = performance.now();
    this.waiting.push(action);
    const { failure } = this.store.state;
    if (failure) this.holdBack(failure.message);
    else void this.run();
  }

  /** Tries again to save what failed, then does what waits behind it. */
  retry(): void {
    this.release();
    void this.run();
  }

  /** Gives up what failed and what waits behind it. */
  giveUp(): void {
    this.waiting.length = 0;
    this.release();
  }

  /** A task was opened: shows the example that an earlier page showed, else the first that waits. */
  open(task: PanelTask): Promise<void> {
    this.opening = this.begin(task);
    return this.opening;
  }

  private async begin(task: PanelTask): Promise<void> {
    const { saved } = this.host;
    const same = saved.task === task.definition.name;
    this.queue.reset();
    this.store.update({ task, exhausted: false, saved: undefined });
    if (!same) this.host.remember({ task: task.definition.name, item: undefined, ticked: undefined, typed: undefined, waiting: undefined, filter: undefined, row: undefined });
    const item = same && saved.item !== undefined ? await this.fetchItem(saved.item) : undefined;
    if (this.store.state.task?.definition.name !== task.definition.name) return;
    if (item) {
      this.show(item);
      if (saved.waiting && saved.waiting.length > 0) {
        this.waiting.push(...saved.waiting);
        this.holdBack(say('notSavedEarlier'));
      }
      if (saved.ticked) this.store.update({ ticked: saved.ticked });
      if (saved.typed !== undefined) this.store.update({ typed: saved.typed });
      await this.attempt(() => this.queue.refresh());
    } else {
      if (same && saved.waiting && saved.waiting.length > 0) this.problem(say('notSavedGone', saved.waiting.length));
      this.host.remember({ waiting: undefined });
      await this.showNext();
    }
  }

  receive(event: PanelEvent): void {
    const { state } = this.store;
    switch (event.kind) {
      case 'task':
        void this.taskChanged(event.task);
        break;
      case 'counts':
        if (state.task) this.store.update({ task: { ...state.task, counts: event.counts, canUndo: event.canUndo, canRedo: event.canRedo } });
        if (state.exhausted && event.counts.open > 0) void this.refresh();
        break;
      case 'decisions':
        for (const { id, state: decided } of event.changed) this.noteDecided(id, decided);
        this.store.update(withChanged(state, event.changed));
        break;
      case 'queue':
        this.refreshWhenQuiet();
        break;
      case 'learning':
        if (state.task) this.store.update({ task: { ...state.task, learning: event.learning } });
        break;
      case 'problem':
        this.problem(event.message);
        break;
      case 'show':
        this.perform({ kind: 'visit', id: event.item.example.id });
        break;
      case 'labels':
        this.store.update({ tab: 'labels' });
        this.host.remember({ tab: 'labels' });
        break;
    }
  }

  problem(message: string): void {
    const { problems } = this.store.state;
    if (!problems.includes(message)) this.store.update({ problems: [...problems, message] });
  }

  announce(text: string): void {
    this.store.update({ announcement: text });
  }

  async setOrder(order: QueueOrder): Promise<void> {
    await this.attempt(async () => {
      await this.host.client.call('setOrder', { order });
      const { task } = this.store.state;
      if (task) this.store.update({ task: { ...task, order } });
      this.queue.reset();
      await this.showNext();
    });
  }

  async setOption(option: keyof PanelOptions, value: boolean): Promise<void> {
    const { state } = this.store;
    this.store.update({ options: { ...state.options, [option]: value } });
    const now = this.store.state;
    if (option === 'blind') this.store.update({ ticked: draftOf(now, now.item).ticked });
    this.explain();
    await this.attempt(() => this.host.client.call('setOption', { option, value }));
  }

  tick(labels: readonly string[]): void {
    this.store.update({ ticked: labels });
    this.host.remember({ ticked: labels });
  }

  type(typed: string): void {
    this.store.update({ typed, typedProblem: undefined });
    this.host.remember({ typed });
  }

  /** Runs a call to the host whose failure the person is told of. */
  async attempt<T>(call: () => Promise<T>): Promise<T | undefined> {
    try {
      return await call();
    } catch (error) {
      this.problem(messageOf(error));
      return undefined;
    }
  }

  private async taskChanged(task: PanelTask | null): Promise<void> {
    const before = this.store.state.task;
    if (!task || !before || before.definition.name !== task.definition.name) {
      if (this.store.state.failure && before) this.problem(say('waitingDropped', before.definition.name, this.waiting.length));
      this.waiting.length = 0;
      this.queue.reset();
      this.store.update({ task, item: undefined, failure: undefined, exhausted: false, saved: undefined, listRevision: this.store.state.listRevision + 1 });
      if (task) await this.open(task);
      return;
    }
    this.store.update({ task, listRevision: this.store.state.listRevision + 1 });
    const shown = this.store.state.item?.example.id;
    // other labels: scores of what is held follow the order of the old ones
    if (!sameLabels(before, task)) {
      this.queue.reset();
      const item = shown === undefined ? undefined : await this.fetchItem(shown);
      if (item && this.store.state.item?.example.id === shown) this.show(item, true);
    }
    await this.refresh();
  }

  private async run(): Promise<void> {
    if (this.running) return;
    this.running = true;
    try {
      for (let action = this.waiting[0]; action; action = this.waiting[0]) {
        if (!(await this.step(action))) return;
        this.waiting.shift();
      }
    } finally {
      this.running = false;
      if (this.store.state.saving) this.store.update({ saving: false });
    }
  }

  /** @returns whether it is done; otherwise it waits at the head for the person's word */
  private async step(action: LabelerAction): Promise<boolean> {
    switch (action.kind) {
      case 'undo':
      case 'redo':
        return await this.travel(action.kind);
      case 'step':
        await this.go(action.step);
        return true;
      case 'visit':
        await this.visitId(action.id);
        return true;
      case 'bulk':
        return await this.save(action.decision, undefined);
      case 'label':
      case 'accept':
      case 'skip':
      case 'flag':
      case 'clear':
      case 'type': {
        // the first item is still on its way
        if (!this.store.state.item) await this.opening;
        const { item, task } = this.store.state;
        if (!item || !task) return this.nothingToDecide();
        const answer = this.answerOf(action, item, task);
        return answer ? await this.save({ ...answer, targets: { ids: [item.example.id] } }, item) : true;
      }
    }
  }

  private nothingToDecide(): true {
    this.announce(say('nothingLeft'));
    return true;
  }

  /** What an action decides for the item on the screen; undefined where it decides nothing (yet). */
  private answerOf(action: ItemAction, item: PanelItem, task: PanelTask): Answer | undefined {
    const { ticked, typed } = this.store.state;
    switch (action.kind) {
      case 'skip':
        return { status: 'skipped', origin: 'key' };
      case 'flag': {
        const value = item.state?.status === 'labeled' ? item.state.value : undefined;
        return { status: 'flagged', origin: 'key', ...(value === undefined ? {} : { value }) };
      }
      case 'clear':
        return { status: 'cleared', origin: 'key' };
      case 'type':
        if (task.definition.kind === 'number') this.type(action.character === 'Backspace' ? typed.slice(0, -1) : `${typed}${action.character}`);
        return undefined;
      case 'label':
        if (task.definition.kind === 'single') return { status: 'labeled', value: action.label, origin: 'key' };
        this.tick(ticked.includes(action.label) ? ticked.filter((each) => each !== action.label) : [...ticked, action.label]);
        return undefined;
      case 'accept':
        return this.accepted(item, task);
    }
  }

  private accepted(item: PanelItem, task: PanelTask): Answer | undefined {
    const { state } = this.store;
    const guess = guessVisible(state) ? item.guess : undefined;
    switch (task.definition.kind) {
      case 'single':
        if (guess) return { status: 'labeled', value: guess.value, origin: 'accept' };
        this.announce(say(item.guess ? 'guessHidden' : 'noGuessYet'));
        return undefined;
      case 'multi': {
        // in the task's order, whichever came first
        const value = task.labels.map(({ id }) => id).filter((id) => state.ticked.includes(id));
        const same = Array.isArray(guess?.value) && guess.value.length === value.length && value.every((id) => (guess.value as readonly string[]).includes(id));
        return { status: 'labeled', value, origin: same ? 'accept' : 'key' };
      }
      case 'number':
        return this.acceptedNumber(guess?.value, task);
    }
  }

  private acceptedNumber(guess: DecisionValue | undefined, task: PanelTask): Answer | undefined {
    const typed = this.store.state.typed.trim();
    if (typed === '') {
      if (typeof guess === 'number') return { status: 'labeled', value: guess, origin: 'accept' };
      this.refuse(say('typeNumber'));
      return undefined;
    }
    const value = Number(typed.replace(',', '.'));
    const { range } = task.definition;
    if (!Number.isFinite(value)) this.refuse(say('notANumber', typed));
    else if (range && (value < range.minimum || value > range.maximum)) this.refuse(say('outOfRange', number(range.minimum, 6), number(range.maximum, 6)));
    else return { status: 'labeled', value, origin: 'key' };
    return undefined;
  }

  private refuse(problem: string): void {
    this.store.update({ typedProblem: problem, announcement: problem });
  }

  /** Saves a decision for the item on the screen, or for many, and shows what comes next. @returns whether it is on disk */
  private async save(decision: PanelDecision, item: PanelItem | undefined): Promise<boolean> {
    this.store.update({ saving: true });
    let decided: PanelDecided;
    try {
      decided = await this.host.client.call('decide', decision);
    } catch (error) {
      this.fail(error);
      return false;
    }
    for (const { id, state } of decided.changed) this.noteDecided(id, state);
    if (item && decision.status !== 'cleared') this.queue.settle(item.example.id);
    const { status, value } = decision;
    this.store.update({
      ...withDecided(this.store.state, decided),
      saved: { status, count: decided.count, ...(value === undefined ? {} : { value }), ...(item?.guess ? { guess: item.guess } : {}) },
      announcement: progressText(decided),
    });
    await this.moveOn(decided, item, status === 'cleared');
    return true;
  }

  /** What the screen shows after decisions. An item that was cleared stays, for another decision. */
  private async moveOn(decided: PanelDecided, item: PanelItem | undefined, cleared: boolean): Promise<void> {
    const { item: shown } = this.store.state;
    const touched = shown && (shown.example.id === item?.example.id || decided.changed.some(({ id }) => id === shown.example.id));
    if (touched && cleared) this.show(shown);
    else if (!shown || touched) await this.showNext();
  }

  private fail(error: unknown): void {
    this.store.update({ saving: false, announcement: '' });
    this.holdBack(messageOf(error));
  }

  /** Nothing more is done until the person says what becomes of what waits; it outlives a reload. */
  private holdBack(message: string): void {
    this.store.update({ failure: { message, waiting: this.waiting.length - 1 } });
    this.host.remember({ waiting: [...this.waiting] });
  }

  private release(): void {
    this.store.update({ failure: undefined });
    this.host.remember({ waiting: undefined });
  }

  /** Undo or redo. What was undone is shown again; after a redo what comes next. */
  private async travel(kind: 'undo' | 'redo'): Promise<boolean> {
    this.store.update({ saving: true });
    let result: PanelDecided | null;
    try {
      result = await this.host.client.call(kind, {});
    } catch (error) {
      this.fail(error);
      return false;
    }
    if (!result) {
      this.announce(say(kind === 'undo' ? 'nothingToUndo' : 'nothingToRedo'));
      return true;
    }
    for (const { id, state } of result.changed) this.noteDecided(id, state);
    this.store.update({ ...withDecided(this.store.state, result), saved: undefined, exhausted: false, announcement: say(kind === 'undo' ? 'undone' : 'redone', result.count) });
    const first = result.changed[0];
    const { item } = this.store.state;
    if (kind === 'undo' && first) await this.visitId(first.id);
    else if (!item || isSettled(item)) await this.showNext();
    return true;
  }

  /** To the decision before the item on the screen, or after it; behind the last one stands what waits. */
  private async go(step: -1 | 1): Promise<void> {
    const { item } = this.store.state;
    if (step === 1 && item && !isSettled(item)) return this.announce(say('nothingLater'));
    const found = item ? await this.attempt(() => this.host.client.call('neighbour', { id: item.example.id, step })) : undefined;
    if (found?.item) this.visit(found.item);
    else if (step === 1) await this.showNext();
    else if (found) this.announce(say('nothingEarlier'));
  }

  private async showNext(): Promise<void> {
    await this.attempt(async () => {
      const next = await this.queue.take();
      this.store.update({ exhausted: next === undefined });
      this.show(next);
    });
  }

  /** Milliseconds until what can wait is to be done: while somebody labels key by key, the next key comes first. @param since when it began to wait, `performance.now()` */
  restAfterKeys(since: number): number {
    const now = performance.now();
    return Math.max(0, Math.min(this.lastPress + quiet, since + longestWait) - now);
  }

  /** The order moves with each decision: the next items and the list follow in the pauses. */
  private refreshWhenQuiet(since = performance.now()): void {
    if (this.refreshTimer !== undefined) return;
    const rest = this.restAfterKeys(since);
    if (rest > 0) {
      this.refreshTimer = window.setTimeout(() => {
        this.refreshTimer = undefined;
        this.refreshWhenQuiet(since);
      }, rest);
      return;
    }
    this.store.update({ listRevision: this.store.state.listRevision + 1 });
    void this.refresh();
  }

  private async refresh(): Promise<void> {
    await this.attempt(async () => {
      await this.queue.refresh();
      const { item, task } = this.store.state;
      if (!item && task && !this.running) await this.showNext();
    });
  }

  /** @param keepDraft whether what was ticked or typed stays, since the item is the same */
  private show(item: PanelItem | undefined, keepDraft = false): void {
    this.queue.show(item?.example.id);
    this.store.update({ item, ...(keepDraft ? {} : draftOf(this.store.state, item)), ...(item ? { exhausted: false } : {}) });
    this.host.remember({ item: item?.example.id, ...(keepDraft ? {} : { ticked: undefined, typed: undefined }) });
    this.explain();
  }

  /** Shows an example that is not the next one; the one on the screen comes after it, if it waits. */
  private visit(next: PanelItem): void {
    const { item } = this.store.state;
    if (item && item.example.id !== next.example.id && !isSettled(item)) this.queue.hold(item);
    this.show(next);
  }

  private async visitId(id: string): Promise<void> {
    const item = await this.fetchItem(id);
    if (item) this.visit(item);
  }

  private noteDecided(id: string, state: PanelItem['state']): void {
    if (state && state.status !== 'cleared') this.queue.settle(id);
    else this.queue.reopen(id);
  }

  private async fetchItem(id: string): Promise<PanelItem | undefined> {
    try {
      return (await this.host.client.call('item', { id })).item;
    } catch {
      // not in the task any more: what waits is shown instead
      return undefined;
    }
  }

  /** Asks for the words that decided, if they are wanted and the guess may be seen. */
  private explain(): void {
    this.explaining?.abort();
    window.clearTimeout(this.explainTimer);
    const { state } = this.store;
    const { item } = state;
    if (!item?.guess || !state.options.explain || !guessVisible(state)) {
      if (state.words) this.store.update({ words: undefined });
      return;
    }
    const aborter = (this.explaining = new AbortController());
    this.explainTimer = window.setTimeout(() => {
      this.host.client.call('explain', { id: item.example.id }, { signal: aborter.signal }).then(
        ({ words }) => {
          if (!aborter.signal.aborted) this.store.update({ words });
        },
        (error: unknown) => {
          if (!aborter.signal.aborted) this.problem(messageOf(error));
        },
      );
    }, explainDelay);
  }
}

/** What to tell a person about something that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** `Labeled 12 of 80`, as it stands after a decision. */
export function progressText({ counts }: Pick<PanelDecided, 'counts'>): string {
  return say('progress', counts.labeled, counts.examples);
}

function sameLabels(one: PanelTask, other: PanelTask): boolean {
  return one.labels.length === other.labels.length && one.labels.every(({ id }, index) => id === other.labels[index]?.id);
}
