import { HumanError } from '../core/errors';
import { formatDecision, parseDecision, type Decision } from '../core/labels/decision';
import { JournalState, type DecisionDraft } from '../core/labels/journal';
import type { TaskDefinition } from '../core/labels/task';
import type { Undone } from '../core/labels/view';
import type { FileSystem } from './fileSystem';
import { JournalFile, type ForeignLine, type Line } from './journalFile';
import { damagedEnding, joinPath, journalEnding, journalFiles } from './paths';

const LINE_FEED = 10;
/** More decisions than this are taken in slices. */
const MANY = 500;
/** Bytes of a journal; a larger one is not read. */
const LARGEST = 500_000_000;

export interface JournalStoreOptions {
  readonly fileSystem: FileSystem;
  /** Absolute path of the task's `labels` folder. */
  readonly folder: string;
  readonly task: TaskDefinition;
  /** Who decides. Absent: nothing is written, not even repairs. */
  readonly annotator?: string;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  /** Lets the thread handle what has come in. */
  readonly breathe?: () => Promise<void>;
}

/** Decisions that are one act. Where it takes a while to make them, what makes them: it is asked when all that was decided before is in the state, and what is decided meanwhile comes after. */
export type Drafts = readonly DecisionDraft[] | (() => Promise<Iterable<DecisionDraft>>);

/** What came in from elsewhere. */
export interface Refreshed {
  /** Ids of the examples that something may have changed for. */
  readonly examples: readonly string[];
  /** What the person has to know. */
  readonly problems: readonly HumanError[];
}

/**
 * The journals of a task, `labels/*.jsonl`, one for each annotator: reads all, appends to the annotator's own. What is resolved is on the disk.
 *
 * All that is asked for is done one after the other, in the order of the calls. Decisions that come in while others are written are written together. When something cannot be written, the call fails
 * with a HumanError, and neither the state nor (as far as possible) the file has changed; the same call may be made again.
 */
export class JournalStore {
  /** What all decisions come to. Always the same object. */
  readonly state: JournalState;
  private readonly files = new Map<string, JournalFile>();
  private readonly now: () => number;
  private readonly breathe: () => Promise<void>;
  /** Journals that are gone, as the person was told. */
  private readonly missed = new Set<string>();
  private readonly waiting: Job[] = [];
  private working: Promise<void> | undefined;

  private constructor(private readonly options: JournalStoreOptions) {
    this.state = new JournalState(options.task);
    this.now = options.now ?? Date.now;
    this.breathe = options.breathe ?? (() => new Promise((resolve) => setTimeout(resolve, 0)));
  }

  /**
   * Reads the journals. A last line of the annotator's own that was cut off is moved to a file beside it.
   *
   * @returns with what the person has to know: lines that do not count, a repair, or one that could not be made
   * @throws HumanError when a journal cannot be read
   */
  static async open(options: JournalStoreOptions): Promise<{ readonly store: JournalStore; readonly problems: readonly HumanError[] }> {
    const store = new JournalStore(options);
    const { problems } = await store.readAll();
    const repairs = await store.repair();
    const partial = [...store.files.values()].filter((file) => file.partial);
    return { store, problems: [...problems, ...repairs, ...partial.map(({ path }) => new HumanError('journal.partial', 'The last line of {0} is cut off and does not count. Get the file again from where it came from.', [path]))] };
  }

  get annotator(): string | undefined {
    return this.options.annotator;
  }

  /** Lines that are no decisions of the task. They stay where they are. */
  get foreign(): readonly ForeignLine[] {
    return [...this.files.values()].flatMap(({ foreign, partial, name, lines }) => (partial ? [...foreign, { file: name, line: lines + 1, reason: partial.reason }] : foreign));
  }

  /** Labels were renamed, merged …. */
  useTask(task: TaskDefinition): void {
    this.state.useTask(task);
  }

  /**
   * Writes decisions that are one act: they are undone together. Of several on one example the last counts.
   *
   * @returns when they are on the disk
   * @throws HumanError when they could not be written, or are not fit for a journal; nothing has changed then. What `drafts` fails with
   */
  append(drafts: Drafts): Promise<Undone> {
    return new Promise((resolve, reject) => this.enqueue({ kind: 'append', drafts, resolve, reject }));
  }

  /** Takes the annotator's latest act back. Undefined if there is none. @throws as {@link append} */
  undo(): Promise<Undone | undefined> {
    return this.enqueued(async () => await this.reverse(this.state.undo(this.writer)));
  }

  /** Does again what was taken back last. Undefined if there is nothing. @throws as {@link append} */
  redo(): Promise<Undone | undefined> {
    return this.enqueued(async () => await this.reverse(this.state.redo(this.writer)));
  }

  /** Takes in what other windows, other annotators and git have brought. @throws HumanError when a journal cannot be read */
  refresh(): Promise<Refreshed> {
    return this.enqueued(async () => await this.readAll());
  }

  /** Writes journals again that are gone (`journal.gone`), from what is known of them. @throws HumanError when that does not work */
  recreate(): Promise<Refreshed> {
    return this.enqueued(async () => {
      for (const file of this.files.values()) if (await this.isGone(file)) await this.write(file);
      return await this.readAll();
    });
  }

  /** Resolves when all that was asked for so far is done, or has failed. */
  async idle(): Promise<void> {
    while (this.working) await this.working;
  }

  private get writer(): string {
    const { annotator } = this.options;
    if (annotator === undefined) throw new Error('The journal was opened for reading only.');
    return annotator;
  }

  private get own(): JournalFile {
    return this.file(journalFiles(this.writer).journal);
  }

  private file(name: string): JournalFile {
    const { fileSystem, folder, task } = this.options;
    let file = this.files.get(name);
    if (!file) this.files.set(name, (file = new JournalFile(fileSystem, folder, name, task.kind)));
    return file;
  }

  private enqueued<T>(run: () => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => this.enqueue({ kind: 'other', run: async () => await run().then(resolve, reject) }));
  }

  private enqueue(job: Job): void {
    this.waiting.push(job);
    this.working ??= this.work();
  }

  private async work(): Promise<void> {
    for (let job = this.waiting.shift(); job; job = this.waiting.shift()) {
      if (job.kind === 'other') {
        await job.run();
        continue;
      }
      const acts = [job];
      // what takes long holds nothing up that came before
      for (let next = this.waiting[0]; isQuick(job) && next?.kind === 'append' && isQuick(next); next = this.waiting[0]) {
        acts.push(next);
        this.waiting.shift();
      }
      await this.writeActs(acts);
    }
    this.working = undefined;
  }

  private async reverse(drafts: Iterable<DecisionDraft> | undefined): Promise<Undone | undefined> {
    return drafts && (await new Promise<Undone>((resolve, reject) => void this.writeActs([{ kind: 'append', drafts: () => Promise.resolve(drafts), resolve, reject }])));
  }

  /** Writes acts together. Settles each. */
  private async writeActs(acts: readonly Append[]): Promise<void> {
    const fit: ({ readonly act: Append } & Written)[] = [];
    try {
      let last = 0;
      for (const act of acts) {
        try {
          const drafts = typeof act.drafts === 'function' ? await act.drafts() : act.drafts;
          const at = this.state.nextTime(this.writer, Math.max(this.now(), last + 1));
          last = Date.parse(at);
          fit.push({ act, ...(await this.linesOf(drafts, at)) });
        } catch (error) {
          act.reject(error);
        }
      }
      const [first, second] = fit;
      const lines = second ? fit.flatMap((each) => each.lines) : (first?.lines ?? []);
      if (lines.length > 0) await this.appendLines(lines);
      const reversible = { canUndo: this.state.canUndo(this.writer), canRedo: this.state.canRedo(this.writer) };
      for (const { act, examples } of fit) act.resolve({ examples, ...reversible });
    } catch (error) {
      for (const act of acts) act.reject(error);
    }
  }

  /** Drafts as one act; each example once, with its last word. @throws HumanError when a decision would not be read back as it is */
  private async linesOf(drafts: Iterable<DecisionDraft>, at: string): Promise<Written> {
    const lastWords = new Map<string, DecisionDraft>();
    let seen = 0;
    for (const draft of drafts) {
      lastWords.set(draft.example, draft);
      if (++seen % MANY === 0) await this.breathe();
    }
    const lines: Line[] = [];
    const examples: string[] = [];
    for (const draft of lastWords.values()) {
      const isGrouped = draft.group !== undefined || draft.undo !== undefined || draft.redo !== undefined;
      const decision: Decision = { ...draft, at, annotator: this.writer, ...(lastWords.size > 1 && !isGrouped ? { group: at } : {}) };
      const text = formatDecision(decision);
      const parsed = parseDecision(text, this.own.name, this.options.task.kind);
      if (parsed.kind === 'foreign') throw parsed.reason;
      lines.push({ decision, text });
      examples.push(decision.example);
      if (lines.length % MANY === 0) await this.breathe();
    }
    return { lines, examples };
  }

  private async appendLines(lines: readonly Line[]): Promise<void> {
    const { own } = this;
    const bytes = await this.encoded(lines);
    const size = await this.options.fileSystem.append(own.path, bytes, !own.exists).catch((error: unknown) => {
      throw error instanceof HumanError && error.code === 'file.missing' && own.exists ? gone(own, error) : error;
    });
    const follows = own.wrote(lines, bytes, size);
    if (lines.length > MANY) await this.breathe();
    await this.take(lines.map(({ decision }) => decision));
    if (lines.length > MANY) await this.breathe();
    // another window has written, too. What cannot be read now is read later; these decisions are safe
    if (!follows) await this.readOn(own).catch(() => []);
  }

  private async encoded(lines: readonly Line[]): Promise<Uint8Array> {
    const encoder = new TextEncoder();
    const parts: Uint8Array[] = [];
    for (let start = 0; start < lines.length; start += MANY) {
      if (start > 0) await this.breathe();
      parts.push(encoder.encode(lines.slice(start, start + MANY).map(({ text }) => `${text}\n`).join('')));
    }
    const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
    let size = 0;
    for (const part of parts) {
      if (size > 0) await this.breathe();
      bytes.set(part, size);
      size += part.length;
    }
    return bytes;
  }

  private async take(decisions: readonly Decision[]): Promise<readonly string[]> {
    return decisions.length > MANY ? await this.state.addMany(decisions, this.breathe) : this.state.add(decisions);
  }

  private async addTo(set: Set<string>, items: readonly string[]): Promise<void> {
    for (const [index, item] of items.entries()) {
      if (index % MANY === MANY - 1) await this.breathe();
      set.add(item);
    }
  }

  private async readOn(file: JournalFile): Promise<readonly string[]> {
    return await this.take(await file.readOn(this.breathe));
  }

  private async readAll(): Promise<Refreshed> {
    const { fileSystem, folder } = this.options;
    const listed = (await fileSystem.list(folder)).filter(({ name, kind }) => kind === 'file' && name.endsWith(journalEnding) && !name.endsWith(damagedEnding)).map(({ name }) => name);
    const examples = new Set<string>();
    const problems: HumanError[] = [];
    let isRewritten = false;
    for (const name of [...new Set([...listed, ...this.files.keys()])].sort()) {
      const file = this.file(name);
      const size = await fileSystem.size(file.path);
      if (size === undefined) {
        if (!file.exists) continue;
        // all gone: the folder was deleted, and what is known here may be all there is. Others' alone: git took them
        if (listed.length === 0 || this.isOwn(file)) {
          if (!this.missed.has(name)) problems.push(gone(file));
          this.missed.add(name);
        } else {
          for (const { example } of file.decisions) examples.add(example);
          this.files.delete(name);
          isRewritten = true;
        }
        continue;
      }
      this.missed.delete(name);
      if (size > LARGEST) throw new HumanError('journal.size', '{0} has {1} bytes, more than the {2} that Label Lens reads. Split the task.', [file.path, size, LARGEST]);
      const foreign = file.foreign.length;
      if (file.exists && !(size >= file.size && (await file.isAsKnown()))) {
        const lost = await this.readAnew(file, examples);
        if (lost > 0) problems.push(new HumanError('journal.rewritten', '{0} was changed by another program, and {1} decisions that were in it are gone. If that was not meant to be, get the file back from git.', [file.path, lost]));
        isRewritten = true;
      } else if (size !== file.size || !file.exists) await this.addTo(examples, await this.readOn(file));
      const problem = foreignProblem(this.file(name), foreign);
      if (problem) problems.push(problem);
    }
    if (isRewritten) await this.state.replaceAll([...this.files.values()].flatMap(({ decisions }) => decisions), this.breathe);
    return { examples: [...examples], problems };
  }

  /** @returns number of decisions that are no longer there */
  private async readAnew(old: JournalFile, examples: Set<string>): Promise<number> {
    const { fileSystem, folder, task } = this.options;
    const file = new JournalFile(fileSystem, folder, old.name, task.kind);
    await file.readOn(this.breathe);
    this.files.set(old.name, file);
    const [kept, before] = [await this.formatted(file.decisions), await this.formatted(old.decisions)];
    for (const { example } of [...old.decisions, ...file.decisions]) examples.add(example);
    let lost = 0;
    for (const line of before) if (!kept.has(line)) lost++;
    return lost;
  }

  private async formatted(decisions: readonly Decision[]): Promise<ReadonlySet<string>> {
    const lines = new Set<string>();
    for (const [index, decision] of decisions.entries()) {
      if (index % MANY === MANY - 1) await this.breathe();
      lines.add(formatDecision(decision));
    }
    return lines;
  }

  private isOwn(file: JournalFile): boolean {
    return this.options.annotator !== undefined && file.name === journalFiles(this.options.annotator).journal;
  }

  private async isGone(file: JournalFile): Promise<boolean> {
    return file.exists && (await this.options.fileSystem.size(file.path)) === undefined;
  }

  /** Writes a journal that is gone. */
  private async write(file: JournalFile): Promise<void> {
    const lines: string[] = [];
    for (const line of file.content()) {
      if (lines.push(line) % MANY === 0) await this.breathe();
    }
    await this.options.fileSystem.append(file.path, new TextEncoder().encode(lines.join('')), true);
  }

  /** Moves a last line of the annotator's own journal that was cut off to a file beside it. */
  private async repair(): Promise<readonly HumanError[]> {
    if (this.options.annotator === undefined) return [];
    const { fileSystem, folder } = this.options;
    const { own } = this;
    // somebody who is just writing is done by the next look; a killed one is not
    for (let look = 0; look < 3 && own.partial; look++) {
      const damaged = joinPath(folder, journalFiles(this.writer).damaged);
      try {
        await fileSystem.append(damaged, concatenatedLine(own.partial.bytes), true);
        const size = own.size;
        if (await fileSystem.truncate(own.path, size - own.partial.bytes.length, size)) {
          own.partial = undefined;
          return [new HumanError('journal.torn', 'The last line of {0} was cut off, as by a crash, and was moved to {1}. All other decisions are there; check the last one.', [own.path, damaged])];
        }
        await this.readOn(own);
      } catch (error) {
        if (error instanceof HumanError) return [error];
        throw error;
      }
    }
    return [];
  }
}

interface Append {
  readonly kind: 'append';
  readonly drafts: Drafts;
  readonly resolve: (undone: Undone) => void;
  readonly reject: (error: unknown) => void;
}

/** One act as the journal says it. */
interface Written {
  readonly lines: readonly Line[];
  /** What the lines are about. */
  readonly examples: readonly string[];
}

function isQuick({ drafts }: Append): boolean {
  return typeof drafts !== 'function' && drafts.length <= MANY;
}

type Job = Append | { readonly kind: 'other'; readonly run: () => Promise<void> };

function gone(file: JournalFile, cause?: unknown): HumanError {
  return new HumanError(
    'journal.gone',
    '{0} is gone: the file or its folder was deleted or moved while the task was open, so nothing can be saved. Put it back, or have Label Lens write the {1} decisions again that it remembers.',
    [file.path, file.decisions.length],
    { cause },
  );
}

/** @param known number of foreign lines that the person knows of */
function foreignProblem(file: JournalFile, known: number): HumanError | undefined {
  const first = file.foreign[known];
  return (
    first &&
    new HumanError('journal.foreign', 'Lines of {0} that are no decisions of this task do not count: {1}, the first of them line {2}. They were left as they are; correct them, or take them out.', [
      file.path,
      file.foreign.length - known,
      first.line,
    ])
  );
}

function concatenatedLine(bytes: Uint8Array): Uint8Array {
  const line = new Uint8Array(bytes.length + 1);
  line.set(bytes);
  line[bytes.length] = LINE_FEED;
  return line;
}
