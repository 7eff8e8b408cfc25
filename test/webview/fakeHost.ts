import type { Decision, DecisionValue } from '../../src/core/labels/decision';
import type { Label } from '../../src/core/labels/task';
import type { Example, ExampleFilter, ExampleState, Guess, Insight, LabelEdit, ModelVersion, WordWeight } from '../../src/core/labels/view';
import { HumanError } from '../../src/core/errors';
import type { TaskKind } from '../../src/core/model/onnxWriter';
import type { PanelDecided, PanelDecision, PanelEvent, PanelItem, PanelLearning, PanelMethods, PanelOptions, PanelStart, PanelTask } from '../../src/core/protocol/panel';
import type { QueueOrder } from '../../src/core/protocol/learner';
import type { Handlers } from '../../src/core/protocol/rpc';
import { PageLine } from './pageLine';

export interface FakeTask {
  readonly kind?: TaskKind;
  readonly labels?: readonly Label[];
  readonly count?: number;
  readonly text?: (position: number) => string;
  readonly strings?: Readonly<Record<string, string>>;
  readonly language?: string;
  readonly noTask?: boolean;
  readonly reading?: number;
  readonly options?: Partial<PanelOptions>;
  readonly guesses?: boolean;
  readonly trusted?: boolean;
  readonly insight?: Insight;
  readonly learning?: Partial<PanelLearning>;
}

export const sentiment: readonly Label[] = [
  { id: 'positive', name: 'positive', color: 0, key: '1', description: 'The writer is content.' },
  { id: 'negative', name: 'negative', color: 1, key: '2' },
  { id: 'neutral', name: 'neutral', color: 2, key: 'n' },
];

type State = Pick<Decision, 'status'> & { readonly value?: DecisionValue };

/** The panel's host over a task in memory: decides, undoes and lists as the real one does, in the test's process. */
export class FakeHost {
  readonly line = new PageLine<PanelMethods>(() => this.handlers());
  readonly decisions: PanelDecision[] = [];
  readonly commands: string[] = [];
  readonly edits: LabelEdit[] = [];
  readonly revealed: string[] = [];
  /** Most rows that one request has asked for. */
  largestSlice = 0;
  explained = 0;
  /** Milliseconds until a decision is on disk. */
  latency = 0;
  /** Why the next decision cannot be written. */
  failure: string | undefined;
  fineTunes = 0;
  restored: string | undefined;
  order: QueueOrder = 'useful';
  options: PanelOptions;
  private readonly states = new Map<number, State>();
  private readonly history: { readonly before: ReadonlyMap<number, State | undefined>; readonly after: State }[] = [];
  private undone: { readonly before: ReadonlyMap<number, State | undefined>; readonly after: State }[] = [];
  private readonly decidedOrder: number[] = [];
  private labels: Label[];

  constructor(readonly task: FakeTask = {}) {
    this.labels = [...(task.kind === 'number' ? [] : (task.labels ?? sentiment))];
    this.options = { blind: false, explain: false, ...task.options };
  }

  get count(): number {
    return this.task.count ?? 200;
  }

  tell(event: PanelEvent): void {
    this.line.tell(event);
  }

  stateOf(position: number): State | undefined {
    return this.states.get(position);
  }

  /** Decided elsewhere: by the editor, say. */
  decideElsewhere(position: number, state: State): void {
    this.states.set(position, state);
    this.tell({ kind: 'decisions', changed: [{ id: idOf(position), ...this.stateField(position) }] });
    this.tell({ kind: 'counts', ...this.counted() });
  }

  panelTask(): PanelTask {
    const { kind = 'single' } = this.task;
    return {
      definition: { formatVersion: 1, name: 'reviews', kind, labels: this.labels, sources: [{ kind: 'table', file: 'reviews.csv', textColumns: ['text'] }], ...(kind === 'number' ? { range: { minimum: 1, maximum: 5 } } : {}) },
      labels: this.offered(),
      annotator: 'mei',
      order: this.order,
      learning: this.learning(),
      ...this.counted(),
      ...(this.task.reading === undefined ? {} : { reading: this.task.reading }),
    };
  }

  learning(): PanelLearning {
    return { cached: 1, decisions: this.states.size, trusted: this.task.trusted ?? true, untilFineTune: 12, check: { rows: 24, accuracy: 0.83, low: 0.64, high: 0.93 }, ...this.task.learning };
  }

  item(position: number): PanelItem {
    const guess = this.guess(position);
    return { example: this.example(position), reason: position % 7 === 3 ? 'check' : 'uncertain', ...(guess ? { guess } : {}), ...this.stateField(position) };
  }

  private handlers(): Handlers<PanelMethods> {
    return {
      start: (): PanelStart => ({ task: this.task.noTask ? null : this.panelTask(), options: this.options, strings: this.task.strings ?? {}, language: this.task.language ?? 'en' }),
      events: this.line.listen,
      next: ({ count, skip }) => ({ items: this.next(count, skip) }),
      item: ({ id }) => ({ item: this.item(positionOf(id)) }),
      neighbour: ({ id, step }) => {
        const at = this.decidedOrder.indexOf(positionOf(id));
        const position = this.decidedOrder[at < 0 ? (step < 0 ? this.decidedOrder.length - 1 : -1) : at + step];
        return { item: position === undefined ? null : this.item(position) };
      },
      decide: (decision) => this.decide(decision),
      undo: () => this.travel(this.history, this.undone, true),
      redo: () => this.travel(this.undone, this.history, false),
      list: ({ filter, from, count }) => {
        this.largestSlice = Math.max(this.largestSlice, count);
        const all = this.matching(filter);
        return { total: all.length, rows: all.slice(from, from + count).map((position) => this.listed(position)) };
      },
      countMatching: ({ filter }) => {
        const all = this.matching(filter);
        return { total: all.length, decided: all.filter((position) => this.states.has(position)).length };
      },
      explain: ({ id }) => {
        this.explained++;
        return { words: this.words(positionOf(id)) };
      },
      setOrder: ({ order }) => {
        this.order = order;
        return null;
      },
      editLabel: ({ edit }) => {
        this.edit(edit);
        return null;
      },
      insight: () => this.insight(),
      fineTune: () => {
        this.fineTunes++;
        return this.learning();
      },
      cancelFineTune: () => {
        this.commands.push('cancelFineTune');
        return null;
      },
      versions: () => ({ versions: this.versions() }),
      restore: ({ version }) => {
        this.restored = version;
        return null;
      },
      run: ({ command }) => {
        this.commands.push(command);
        return null;
      },
      reveal: ({ id }) => {
        this.revealed.push(id);
        return null;
      },
      setOption: ({ option, value }) => {
        this.options = { ...this.options, [option]: value };
        return null;
      },
    };
  }

  private offered(): Label[] {
    return this.labels.filter(({ archived, mergedInto }) => archived !== true && mergedInto === undefined);
  }

  private example(position: number): Example {
    return {
      id: idOf(position),
      position,
      text: (this.task.text ?? reviewText)(position),
      sources: [{ file: 'reviews.csv', row: position + 1 }, ...(position % 10 === 0 ? [{ file: 'reviews.csv', row: position + 5000 }] : [])],
      context: [{ column: 'shop', value: `Shop ${position % 4}` }, { column: 'stars', value: String(1 + (position % 5)) }],
    };
  }

  guess(position: number): Guess | undefined {
    if (this.task.guesses === false) return undefined;
    const { kind = 'single' } = this.task;
    if (kind === 'number') return { scores: [1 + (position % 40) / 10], value: 1 + (position % 40) / 10, confidence: 1 };
    const labels = this.offered();
    const best = position % labels.length;
    const confidence = 0.4 + (position % 60) / 100;
    const scores = labels.map((_, index) => (index === best ? confidence : (1 - confidence) / Math.max(1, labels.length - 1)));
    const label = labels[best]?.id ?? '';
    return { scores, value: kind === 'multi' ? [label] : label, confidence };
  }

  private words(position: number): readonly WordWeight[] {
    const { text } = this.example(position);
    return [...text.matchAll(/\p{L}{3,}/gu)].map((match, index) => ({ start: match.index, end: match.index + match[0].length, weight: ((index % 5) - 1.5) / 10 }));
  }

  private stateField(position: number): { readonly state?: ExampleState } {
    const state = this.states.get(position);
    return state ? { state: { ...state, annotator: 'mei', at: '2026-11-20T20:00:00.000Z', others: position % 11 === 0 && state.status === 'labeled' && typeof state.value === 'string' ? [{ annotator: 'noor', status: 'labeled', value: 'neutral' }] : [] } } : {};
  }

  private next(count: number, skip: readonly string[]): PanelItem[] {
    const items: PanelItem[] = [];
    for (let position = 0; position < this.count && items.length < count; position++) if (!this.isSettled(position) && !skip.includes(idOf(position))) items.push(this.item(position));
    return items;
  }

  private isSettled(position: number): boolean {
    const state = this.states.get(position);
    return state !== undefined && state.status !== 'cleared';
  }

  private async decide(decision: PanelDecision): Promise<PanelDecided> {
    if (this.latency > 0) await new Promise((resolve) => setTimeout(resolve, this.latency));
    if (this.failure !== undefined) {
      const message = this.failure;
      this.failure = undefined;
      throw new HumanError('journal.write', message);
    }
    this.decisions.push(decision);
    const positions = 'ids' in decision.targets ? decision.targets.ids.map(positionOf) : this.matching(decision.targets.filter);
    if ('filter' in decision.targets && positions.length !== decision.targets.expected) throw new HumanError('decide.changed', 'Other examples pass the filter by now. Look at the list and try again.');
    const after: State = { status: decision.status, ...(decision.value === undefined ? {} : { value: decision.value }) };
    const before = new Map(positions.map((position) => [position, this.states.get(position)]));
    this.history.push({ before, after });
    this.undone = [];
    for (const position of positions) this.put(position, after);
    return this.decided(positions);
  }

  private put(position: number, state: State | undefined): void {
    const at = this.decidedOrder.indexOf(position);
    if (at >= 0) this.decidedOrder.splice(at, 1);
    if (state && state.status !== 'cleared') {
      this.states.set(position, state);
      this.decidedOrder.push(position);
    } else this.states.delete(position);
  }

  private travel(from: FakeHost['undone'], to: FakeHost['undone'], back: boolean): PanelDecided | null {
    const step = from.pop();
    if (!step) return null;
    to.push(step);
    for (const [position, before] of step.before) this.put(position, back ? before : step.after);
    return this.decided([...step.before.keys()]);
  }

  private decided(positions: readonly number[]): PanelDecided {
    return { changed: positions.slice(0, 1000).map((position) => ({ id: idOf(position), ...this.stateField(position) })), count: positions.length, ...this.counted() };
  }

  private counted(): Pick<PanelTask, 'counts' | 'canUndo' | 'canRedo'> {
    const all = [...this.states.values()];
    const number = (status: string): number => all.filter((each) => each.status === status).length;
    const byLabel: Record<string, number> = {};
    for (const { status, value } of all) if (status === 'labeled') for (const id of typeof value === 'string' ? [value] : Array.isArray(value) ? (value as readonly string[]) : []) byLabel[id] = (byLabel[id] ?? 0) + 1;
    return {
      counts: { examples: this.count, rows: this.count, labeled: number('labeled'), skipped: number('skipped'), flagged: number('flagged'), open: this.count - all.length, byLabel, pace: all.length > 0 ? 12.5 : 0 },
      canUndo: this.history.length > 0,
      canRedo: this.undone.length > 0,
    };
  }

  private listed(position: number) {
    const guess = this.guess(position);
    return { id: idOf(position), position, excerpt: this.example(position).text.slice(0, 200).replace(/\s+/g, ' '), ...(guess ? { guess } : {}), ...this.stateField(position) };
  }

  private matching(filter: ExampleFilter): number[] {
    const matches: number[] = [];
    const pattern = filter.text === undefined ? undefined : expression(filter.text);
    for (let position = 0; position < this.count; position++) {
      const state = this.states.get(position);
      const status = state?.status ?? 'open';
      if (filter.status && !filter.status.includes(status === 'cleared' ? 'open' : status)) continue;
      if (filter.label !== undefined && state?.value !== filter.label) continue;
      const guess = filter.guess !== undefined || filter.confidence || filter.disagreement ? this.guess(position) : undefined;
      if (filter.guess !== undefined && guess?.value !== filter.guess) continue;
      if (filter.confidence && !(guess && guess.confidence >= filter.confidence[0] && guess.confidence <= filter.confidence[1])) continue;
      if (filter.disagreement && (state?.value === undefined || state.value === guess?.value)) continue;
      if (filter.conflict && !(this.stateField(position).state?.others.length ?? 0)) continue;
      if (filter.annotator !== undefined && (filter.annotator !== 'mei' || !state)) continue;
      if (pattern && !pattern.test(this.example(position).text)) continue;
      matches.push(position);
    }
    return matches;
  }

  private edit(edit: LabelEdit): void {
    this.edits.push(edit);
    if (edit.do === 'add') {
      if (this.labels.some(({ name }) => name === edit.name)) throw new HumanError('label.twice', 'There is a label {0} already. Choose another name.', [edit.name]);
      this.labels = [...this.labels, { id: edit.name, name: edit.name, color: this.labels.length % 8, ...(edit.description === undefined ? {} : { description: edit.description }) }];
    } else if (edit.do === 'move') {
      const label = this.labels.find(({ id }) => id === edit.label);
      const others = this.labels.filter(({ id }) => id !== edit.label);
      if (label) this.labels = [...others.slice(0, edit.to), label, ...others.slice(edit.to)];
    } else this.labels = this.labels.map((label) => (label.id === edit.label ? changed(label, edit) : label));
    this.tell({ kind: 'task', task: this.panelTask() });
  }

  private versions(): readonly ModelVersion[] {
    return [
      { version: 'v3', current: this.restored === undefined || this.restored === 'v3', best: false, created: '2026-11-22T09:30:00.000Z', parent: 'v2', rows: 140, accuracy: 0.86 },
      { version: 'v2', current: this.restored === 'v2', best: true, created: '2026-11-21T17:05:00.000Z', parent: 'v1', rows: 80, accuracy: 0.88 },
    ];
  }

  private insight(): Insight {
    if (this.task.insight) return this.task.insight;
    const labels = this.offered().map(({ id }) => id);
    return {
      annotators: ['mei', 'noor'],
      agreement: { measure: 'kappa', value: 0.71, examples: 42 },
      evaluated: 120,
      accuracy: { rows: 120, accuracy: 0.84, low: 0.76, high: 0.9 },
      macroF1: 0.81,
      perLabel: labels.map((label, index) => ({ label, precision: 0.8 + index / 50, recall: 0.78, f1: 0.79, support: 40 - index })),
      confusion: labels.map((_, row) => labels.map((__, column) => (row === column ? 34 : (row + column) % 3))),
      balance: labels.map((label, index) => ({ label, decided: 40 - index * 9, guessed: 50 + index })),
      curve: [20, 40, 60, 80, 100, 120].map((decisions, index) => ({ decisions, accuracy: 0.6 + index * 0.045, low: 0.5 + index * 0.05, high: 0.72 + index * 0.035 })),
      outlook: { decisions: 50, accuracy: 0.86, low: 0.8, high: 0.91 },
      calibration: Array.from({ length: 10 }, (_, bin) => ({ confidence: bin / 10 + 0.05, accuracy: Math.min(1, bin / 10 + 0.1), rows: bin < 3 ? 0 : 10 })),
    };
  }
}

function changed(label: Label, edit: Exclude<LabelEdit, { readonly do: 'add' | 'move' }>): Label {
  switch (edit.do) {
    case 'rename':
      return { ...label, name: edit.name };
    case 'merge':
      return { ...label, mergedInto: edit.into };
    case 'archive':
      return { ...label, archived: true };
    case 'restore':
      return { id: label.id, name: label.name, color: label.color };
    case 'recolor':
      return { ...label, color: edit.color };
    case 'rekey':
      return { id: label.id, name: label.name, color: label.color, ...(edit.key === undefined ? {} : { key: edit.key }) };
    case 'describe':
      return { ...label, description: edit.description };
  }
}

function expression(text: string): RegExp {
  const between = /^\/(.+)\/([a-z]*)$/.exec(text);
  try {
    return between ? new RegExp(between[1] ?? '', between[2]) : new RegExp(text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'), 'i');
  } catch {
    throw new HumanError('filter.pattern', 'The pattern {0} cannot be read. Check its brackets.', [text]);
  }
}

export function idOf(position: number): string {
  return `e${position}`;
}

export function positionOf(id: string): number {
  return Number(id.slice(1));
}

const openings = ['The parcel came a week late, and the box was crushed.', 'Best coffee in town, and the staff remember your name.', 'It works. Nothing more to say.'];
export function reviewText(position: number): string {
  return `${openings[position % openings.length]} Review number ${position}.`;
}
