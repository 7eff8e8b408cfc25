import { sortInSlices } from '../util/sort';
import { decidedAt, formatDecision, isSameValue, type Decision, type DecisionStatus, type DecisionValue } from './decision';
import { ExampleCounting, type JournalCounts } from './journalCounts';
import { resolveValue, type TaskDefinition } from './task';
import type { ExampleState } from './view';

/** Decisions between two looks at what has come in. */
const decisionsAtOnce = 500;
/** Milliseconds that the pace looks back. */
const PACE_WINDOW = 10 * 60_000;

/** A decision that has yet to be written: when and by whom is filled in then. */
export type DecisionDraft = Omit<Decision, 'at' | 'annotator'>;

/**
 * What a task's decisions come to, those of all annotators: everybody's word on each example, counts, and what can be undone.
 *
 * The state depends on the set of decisions alone, not on the order in which they come in or how often: journals that git merged, files that were read twice and clocks that went
 * backwards are harmless. An annotator's own decisions count in the order in which they were written (`at`). Two of one annotator on one example at the very same time, which this code never
 * writes, count in the order of their lines' characters, for want of a better one. Of the words of several annotators the one that was decided last counts, and of two of one time the one by the later name. What was
 * imported with a time of its own was decided then (`decidedAt`): labels of last year that are imported today do not hide what somebody has decided since.
 */
export class JournalState {
  private byAnnotator = new Map<string, AnnotatorReplay>();
  private contains: (example: string) => boolean = () => true;
  private counting: ExampleCounting;
  /** Countings that are being made, to be told of what changes meanwhile. */
  private readonly beingCounted = new Set<ExampleCounting>();

  constructor(private task: TaskDefinition) {
    this.counting = this.countingOf(this.byAnnotator);
  }

  /** All decisions, in the order in which they count. Nothing may be added while they are gone through. */
  *decisions(): Iterable<Decision> {
    const rest = [...this.byAnnotator.values()].map(({ lines }) => ({ lines, at: 0 }));
    for (;;) {
      let first: { readonly from: (typeof rest)[number]; readonly decision: Decision } | undefined;
      for (const from of rest) {
        const decision = from.lines[from.at];
        if (decision && (!first || compare(decision, first.decision) < 0)) first = { from, decision };
      }
      if (!first) return;
      first.from.at++;
      yield first.decision;
    }
  }

  /** Names of all who decided, sorted. */
  get annotators(): readonly string[] {
    return [...this.byAnnotator.keys()].sort();
  }

  /** Labels were renamed, merged …: values are seen through the new ones from now on. */
  useTask(task: TaskDefinition): void {
    this.task = task;
  }

  /**
   * Counts only examples of a pool from now on: in slices, and until that is done as before. Of a pool that grows, tell what is added ({@link countAlso}).
   * @param contains another function for another pool
   */
  async countWithin(contains: (example: string) => boolean, breathe: () => Promise<void>): Promise<void> {
    this.contains = contains;
    for (;;) {
      const { byAnnotator } = this;
      const counting = await this.count(byAnnotator, breathe);
      this.beingCounted.delete(counting);
      // somebody else counts another pool by now
      if (contains !== this.contains) return;
      if (byAnnotator !== this.byAnnotator) continue;
      this.counting = counting;
      return;
    }
  }

  /** Says that the pool holds these now. */
  countAlso(examples: Iterable<string>): void {
    for (const example of examples) for (const counting of [this.counting, ...this.beingCounted]) counting.update(example);
  }

  /**
   * Takes decisions in. Ones that are later than the others of their annotator cost little each; else all of that annotator's are replayed.
   * @returns ids of the examples that they are about, each once
   */
  add(decisions: readonly Decision[]): readonly string[] {
    const examples = [...new Set(decisions.map(({ example }) => example))];
    for (const [annotator, own] of group(decisions, new Map())) {
      const replay = this.byAnnotator.get(annotator) ?? new AnnotatorReplay();
      const late = own.sort(compare).filter((decision) => !replay.take(decision));
      this.byAnnotator.set(annotator, late.length === 0 ? replay : AnnotatorReplay.of([...replay.lines, ...late]));
    }
    this.countAlso(examples);
    return examples;
  }

  /** As {@link add} for any number of decisions, in slices. What the state says changes at once, when all are taken in; nothing else may be added meanwhile. */
  async addMany(decisions: readonly Decision[], breathe: () => Promise<void>): Promise<readonly string[]> {
    await this.replay(this.byAnnotator, decisions, breathe);
    const examples = new Set<string>();
    for (const [index, { example }] of decisions.entries()) {
      if (index % decisionsAtOnce === 0) await breathe();
      examples.add(example);
    }
    return [...examples];
  }

  /** Forgets all decisions for these, in slices as {@link addMany}. */
  async replaceAll(decisions: readonly Decision[], breathe: () => Promise<void>): Promise<void> {
    await this.replay(new Map(), decisions, breathe);
  }

  private async replay(before: ReadonlyMap<string, AnnotatorReplay>, decisions: readonly Decision[], breathe: () => Promise<void>): Promise<void> {
    const next = new Map(before);
    const groups = new Map<string, Decision[]>();
    for (let start = 0; start < decisions.length; start += decisionsAtOnce) {
      await breathe();
      group(decisions.slice(start, start + decisionsAtOnce), groups);
    }
    for (const [annotator, own] of groups) {
      await breathe();
      const lines = await sortInSlices([...(before.get(annotator)?.lines ?? []), ...own], compare, breathe);
      const replay = new AnnotatorReplay();
      for (const [index, decision] of lines.entries()) {
        if (index % decisionsAtOnce === 0) await breathe();
        replay.take(decision);
      }
      next.set(annotator, replay);
    }
    for (;;) {
      const { contains } = this;
      const counting = await this.count(next, breathe);
      this.beingCounted.delete(counting);
      if (contains !== this.contains) continue;
      this.byAnnotator = next;
      this.counting = counting;
      return;
    }
  }

  /** What was decided about an example: the latest label or flag of anybody, else the latest skip. Undefined if no word stands. */
  stateOf(example: string): ExampleState | undefined {
    const words = this.wordsOf(example);
    const winner = winnerOf(words);
    if (winner === undefined) return undefined;
    const said = this.sayingOf(winner);
    // a skip says nothing that one could differ from
    const others = words.filter((word) => word !== winner && word.status !== 'skipped').map((word) => ({ annotator: word.annotator, ...this.sayingOf(word) }));
    return { ...said, annotator: winner.annotator, at: decidedAt(winner), others: others.filter((other) => other.status !== said.status || !isSameValue(other.value, said.value)) };
  }

  /** Whether somebody's word stands for an example. */
  isDecided(example: string): boolean {
    for (const { words } of this.byAnnotator.values()) if (words.has(example)) return true;
    return false;
  }

  /** An annotator's own word on an example, as it was written; undefined if there is none, or it was cleared. */
  wordOf(example: string, annotator: string): Decision | undefined {
    return this.byAnnotator.get(annotator)?.words.get(example);
  }

  /** The word of everybody who has one on an example, by annotator. */
  wordsOf(example: string): readonly Decision[] {
    return wordsIn(this.byAnnotator, example);
  }

  /** Ids of all examples that somebody's word stands for, each once. */
  decidedExamples(): Iterable<string> {
    return decidedIn(this.byAnnotator);
  }

  /** For each labelled example the answers of the annotators, after merges of labels: what `agreementOf` takes. */
  *answers(): Iterable<ReadonlyMap<string, DecisionValue>> {
    for (const example of this.decidedExamples()) {
      const answers = new Map<string, DecisionValue>();
      for (const word of this.wordsOf(example)) {
        const { status, value } = this.sayingOf(word);
        if (status === 'labeled' && value !== undefined) answers.set(word.annotator, value);
      }
      if (answers.size > 0) yield answers;
    }
  }

  /** All that was ever decided about an example, oldest first. */
  historyOf(example: string): readonly Decision[] {
    return [...this.byAnnotator.values()].flatMap(({ history }) => history.get(example) ?? []).sort(compare);
  }

  counts(): JournalCounts {
    return this.counting.counts(this.task);
  }

  /**
   * Acts a minute (a bulk is one) of the last ten minutes, or since the first of them if that is less, but at least a minute. What was undone and what was imported does not count.
   * @param now milliseconds since 1970
   */
  pace(annotator: string, now: number): number {
    const done = this.byAnnotator.get(annotator)?.done ?? [];
    let first = now;
    let count = 0;
    for (let index = done.length - 1; index >= 0; index--) {
      const act = done[index];
      if (act === undefined || act.at < now - PACE_WINDOW) break;
      if (act.isImport) continue;
      first = Math.min(first, act.at);
      count++;
    }
    return count / Math.max(1, (now - first) / 60_000);
  }

  canUndo(annotator: string): boolean {
    return (this.byAnnotator.get(annotator)?.done.length ?? 0) > 0;
  }

  canRedo(annotator: string): boolean {
    return (this.byAnnotator.get(annotator)?.undone.length ?? 0) > 0;
  }

  /** What has to be written to take the annotator's latest act back: for each example their word before it, or that it is cleared. Undefined if there is nothing to undo. Nothing may be added while it is gone through. */
  undo(annotator: string): Iterable<DecisionDraft> | undefined {
    const act = this.byAnnotator.get(annotator)?.done.at(-1);
    return act && takingBack(act);
  }

  /** What has to be written to do again what was taken back last. Undefined if there is nothing, or something was decided since. */
  redo(annotator: string): Iterable<DecisionDraft> | undefined {
    const act = this.byAnnotator.get(annotator)?.undone.at(-1);
    return act && doingAgain(act);
  }

  /**
   * The time to write for the annotator's next act (all lines of a bulk have the same): now, but later than all that they decided before, so that the latest word counts whatever their clock does.
   * @param now milliseconds since 1970
   */
  nextTime(annotator: string, now: number): string {
    const last = this.byAnnotator.get(annotator)?.lines.at(-1)?.at;
    return new Date(last === undefined ? now : Math.max(now, Date.parse(last) + 1)).toISOString();
  }

  /** What a decision says today. */
  private sayingOf({ status, label }: Decision): { readonly status: DecisionStatus; readonly value?: DecisionValue } {
    return label === undefined ? { status } : { status, value: resolveValue(this.task, label) };
  }

  private countingOf(words: ReadonlyMap<string, AnnotatorReplay>): ExampleCounting {
    return new ExampleCounting(this.contains, (example) => winnerOf(wordsIn(words, example)));
  }

  /** Counts in slices. The caller has to take the result out of {@link beingCounted} in the same turn in which it uses it. */
  private async count(words: ReadonlyMap<string, AnnotatorReplay>, breathe: () => Promise<void>): Promise<ExampleCounting> {
    const counting = this.countingOf(words);
    this.beingCounted.add(counting);
    let done = 0;
    for (const example of decidedIn(words)) {
      counting.update(example);
      if (++done % decisionsAtOnce === 0) await breathe();
    }
    return counting;
  }
}

/** What one act of an annotator changed: a decision, or a bulk of them. */
interface Act {
  /** The group of its lines, or their time. */
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly isImport: boolean;
  /** By example: the annotator's word before the act, and the act's. */
  readonly changes: Map<string, { readonly before: Decision | undefined; readonly after: Decision }>;
  /** Examples whose change is taken back at present: none or all, unless a process was killed while it wrote. */
  readonly undone: Set<string>;
}

/** What the decisions of one annotator come to. */
class AnnotatorReplay {
  /** In their order, each once. */
  readonly lines: Decision[] = [];
  readonly words = new Map<string, Decision>();
  readonly history = new Map<string, Decision[]>();
  /** Acts with changes that stand, oldest first. */
  readonly done: Act[] = [];
  /** Acts with changes that were taken back, the latest taken back last. */
  readonly undone: Act[] = [];
  private readonly acts = new Map<string, Act>();

  static of(decisions: readonly Decision[]): AnnotatorReplay {
    const replay = new AnnotatorReplay();
    for (const decision of [...decisions].sort(compare)) replay.take(decision);
    return replay;
  }

  /** Takes a decision in that comes after all others, or is there already. @returns whether it was one of those; if not, nothing has changed */
  take(decision: Decision): boolean {
    const last = this.lines.at(-1);
    if (last !== undefined && compare(last, decision) >= 0) return this.has(decision);
    this.lines.push(decision);
    const history = this.history.get(decision.example);
    if (history) history.push(decision);
    else this.history.set(decision.example, [decision]);
    if (decision.undo !== undefined) this.takeBack(decision.undo, decision.example);
    else if (decision.redo !== undefined) this.doAgain(decision.redo, decision.example);
    else this.act(decision);
    if (decision.status === 'cleared') this.words.delete(decision.example);
    else this.words.set(decision.example, decision);
    return true;
  }

  private has(decision: Decision): boolean {
    let [low, high] = [0, this.lines.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      const line = this.lines[middle];
      if (line !== undefined && compare(line, decision) < 0) low = middle + 1;
      else high = middle;
    }
    const found = this.lines[low];
    return found !== undefined && compare(found, decision) === 0;
  }

  private act(decision: Decision): void {
    const id = decision.group ?? decision.at;
    let act = this.acts.get(id);
    if (act === undefined) {
      this.forgetUndone();
      act = { id, at: Date.parse(decision.at), isImport: decision.origin === 'import', changes: new Map(), undone: new Set() };
      this.acts.set(id, act);
      this.done.push(act);
    }
    const before = act.changes.has(decision.example) ? act.changes.get(decision.example)?.before : this.words.get(decision.example);
    act.changes.set(decision.example, { before, after: decision });
    act.undone.delete(decision.example);
    this.settle(act);
  }

  private takeBack(id: string, example: string): void {
    const act = this.acts.get(id);
    if (!act?.changes.has(example)) return;
    act.undone.add(example);
    this.settle(act);
  }

  private doAgain(id: string, example: string): void {
    const act = this.acts.get(id);
    if (!act?.undone.delete(example)) return;
    this.settle(act);
  }

  /** Something new was decided: what was taken back cannot be done again. */
  private forgetUndone(): void {
    for (const act of this.undone.splice(0)) {
      for (const example of act.undone) act.changes.delete(example);
      act.undone.clear();
      if (act.changes.size === 0) this.acts.delete(act.id);
    }
  }

  /** Keeps an act in the lists that it belongs to. */
  private settle(act: Act): void {
    list(this.done, act, act.changes.size > act.undone.size);
    list(this.undone, act, act.undone.size > 0);
  }
}

function list(acts: Act[], act: Act, isListed: boolean): void {
  // nearly always the last one
  const index = acts.lastIndexOf(act);
  if (isListed && index < 0) acts.push(act);
  else if (!isListed && index >= 0) acts.splice(index, 1);
}

/** The order in which decisions count. */
function compare(a: Decision, b: Decision): number {
  return order(a.at, b.at) || order(a.annotator, b.annotator) || order(a.example, b.example) || (a === b ? 0 : order(formatDecision(a), formatDecision(b)));
}

/** The order in which the words of several annotators count. */
function compareWords(a: Decision, b: Decision): number {
  return order(decidedAt(a), decidedAt(b)) || compare(a, b);
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Adds decisions to those of their annotators. */
function group(decisions: readonly Decision[], groups: Map<string, Decision[]>): ReadonlyMap<string, Decision[]> {
  for (const decision of decisions) {
    const own = groups.get(decision.annotator);
    if (own) own.push(decision);
    else groups.set(decision.annotator, [decision]);
  }
  return groups;
}

/** The word of everybody who has one on an example, by annotator. */
function wordsIn(replays: ReadonlyMap<string, AnnotatorReplay>, example: string): readonly Decision[] {
  const words: Decision[] = [];
  for (const replay of replays.values()) {
    const word = replay.words.get(example);
    if (word) words.push(word);
  }
  return words.length < 2 ? words : words.sort((a, b) => order(a.annotator, b.annotator));
}

/** Examples that somebody's word stands for, each once. */
function* decidedIn(replays: ReadonlyMap<string, AnnotatorReplay>): Iterable<string> {
  const earlier: ReadonlyMap<string, Decision>[] = [];
  for (const { words } of replays.values()) {
    for (const example of words.keys()) if (!earlier.some((others) => others.has(example))) yield example;
    earlier.push(words);
  }
}

/** The word that counts of those of several annotators. */
function winnerOf(words: readonly Decision[]): Decision | undefined {
  let winner: Decision | undefined;
  for (const word of words) {
    // a skip says nothing about the text: it never hides what somebody else said
    const isFirst = winner === undefined || (winner.status === 'skipped' && word.status !== 'skipped');
    if (isFirst || (winner !== undefined && (word.status === 'skipped') === (winner.status === 'skipped') && compareWords(winner, word) < 0)) winner = word;
  }
  return winner;
}

function* takingBack({ id, changes, undone }: Act): Iterable<DecisionDraft> {
  for (const [example, { before, after }] of changes) if (!undone.has(example)) yield { ...(before === undefined ? cleared(after) : wordAgain(before)), undo: id };
}

function* doingAgain({ id, changes, undone }: Act): Iterable<DecisionDraft> {
  for (const [example, { after }] of changes) if (undone.has(example)) yield { ...wordAgain(after), redo: id };
}

function wordAgain({ example, source, text, status, label, origin, decidedAt: time, prediction }: Decision): DecisionDraft {
  return { example, ...(source ? { source } : {}), text, status, ...(label === undefined ? {} : { label }), origin, ...(time === undefined ? {} : { decidedAt: time }), ...(prediction ? { prediction } : {}) };
}

function cleared({ example, source, text, origin }: Decision): DecisionDraft {
  return { example, ...(source ? { source } : {}), text, status: 'cleared', origin };
}
