import type { HumanError } from '../core/errors';
import { formatDecision, parseDecision, type Decision } from '../core/labels/decision';
import type { TaskKind } from '../core/model/onnxWriter';
import type { FileSystem } from './fileSystem';
import { joinPath } from './paths';

/** Bytes read at a time; the thread handles what has come in between. */
const PIECE = 256 * 1024;
/** Bytes of the beginning and of the end of what was read that are kept, to find out whether the file was rewritten. */
const WINDOW = 4096;
const LINE_FEED = 10;

/** A line that is no decision of the task. It stays in its file and does not count. */
export interface ForeignLine {
  /** Name of the file in the labels' folder. */
  readonly file: string;
  /** 1-based. */
  readonly line: number;
  readonly reason: HumanError;
}

/** A decision, and how a journal says it. */
export interface Line {
  readonly decision: Decision;
  /** Without its line feed. */
  readonly text: string;
}

/** One journal as far as it was read. */
export class JournalFile {
  /** In the order of the file. */
  readonly decisions: Decision[] = [];
  readonly foreign: (ForeignLine & { readonly text: string })[] = [];
  /** What stands behind the last line feed and is no decision: somebody is just writing it, or was killed while they did. */
  partial: { readonly bytes: Uint8Array; readonly reason: HumanError } | undefined;
  /** Whether there was such a file when it was looked for last. One that went since is never made anew without a word. */
  exists = false;
  /** Bytes that were taken in. */
  private offset = 0;
  /** Line feeds in them. */
  private lineFeeds = 0;
  /** Lines that were written behind what somebody else wrote meanwhile: they are known when they come by. */
  private readonly expected = new Set<string>();
  private head: Uint8Array = new Uint8Array(0);
  private tail: Uint8Array = new Uint8Array(0);
  readonly path: string;

  constructor(
    private readonly fileSystem: FileSystem,
    folder: string,
    readonly name: string,
    private readonly kind: TaskKind,
  ) {
    this.path = joinPath(folder, name);
  }

  /** Bytes up to the end of what was read, a part of a line included. */
  get size(): number {
    return this.offset + (this.partial?.bytes.length ?? 0);
  }

  /** Whole lines that were read. */
  get lines(): number {
    return this.lineFeeds;
  }

  /**
   * Reads what was added behind what is known already; nothing if the file is gone.
   * @returns the new decisions
   */
  async readOn(breathe: () => Promise<void>): Promise<readonly Decision[]> {
    const from = this.decisions.length;
    this.partial = undefined;
    let rest: Uint8Array = new Uint8Array(0);
    for (;;) {
      const piece = await this.fileSystem.readFrom(this.path, this.offset + rest.length, PIECE);
      if (piece !== undefined) this.exists = true;
      if (piece === undefined || piece.length === 0) break;
      const bytes = rest.length === 0 ? piece : concatenated(rest, piece);
      const end = bytes.lastIndexOf(LINE_FEED) + 1;
      this.takeLines(bytes.subarray(0, end));
      rest = bytes.slice(end);
      await breathe();
    }
    if (rest.length > 0) this.takePartial(rest);
    return this.decisions.slice(from);
  }

  /** Whether what was read is still there as it was. It is not after somebody rewrote the file, as git does. */
  async isAsKnown(): Promise<boolean> {
    const [head, tail] = [await this.fileSystem.readFrom(this.path, 0, this.head.length), await this.fileSystem.readFrom(this.path, this.offset - this.tail.length, this.tail.length)];
    return head !== undefined && tail !== undefined && isEqual(head, this.head) && isEqual(tail, this.tail);
  }

  /** Takes over lines that were just written at the end. @param bytes the lines as they were written @param size of the file after that @returns whether they follow what is known; if not, {@link readOn} has to find out what does */
  wrote(lines: readonly Line[], bytes: Uint8Array, size: number): boolean {
    this.exists = true;
    const follows = size === this.size + bytes.length && this.partial === undefined;
    for (const { decision } of lines) this.decisions.push(decision);
    if (follows) this.consume(bytes, lines.length);
    else for (const { text } of lines) this.expected.add(text);
    return follows;
  }

  /** The file's content as far as it is known, each line once, to write it again. */
  *content(): Iterable<string> {
    const lines = new Set<string>();
    for (const decision of this.decisions) lines.add(formatDecision(decision));
    for (const { text } of this.foreign) lines.add(text);
    for (const line of lines) yield `${line}\n`;
  }

  private takeLines(bytes: Uint8Array): void {
    let start = 0;
    while (start < bytes.length) {
      const end = bytes.indexOf(LINE_FEED, start);
      this.lineFeeds++;
      const taken = this.parse(bytes.subarray(start, end), this.lineFeeds);
      if (taken?.kind === 'decision') this.takeDecision(taken.decision);
      else if (taken?.kind === 'foreign') this.foreign.push({ file: this.name, line: this.lineFeeds, reason: taken.reason, text: new TextDecoder().decode(bytes.subarray(start, end)) });
      start = end + 1;
    }
    this.consume(bytes, 0);
  }

  /** A part of a decision never reads as a whole one, so that one counts which lacks its line feed only. */
  private takePartial(bytes: Uint8Array): void {
    const taken = this.parse(bytes, this.lineFeeds + 1);
    if (taken?.kind === 'foreign') this.partial = { bytes, reason: taken.reason };
    else {
      if (taken) this.takeDecision(taken.decision);
      this.consume(bytes, 0);
    }
  }

  private takeDecision(decision: Decision): void {
    if (this.expected.size === 0 || !this.expected.delete(formatDecision(decision))) this.decisions.push(decision);
  }

  /** Undefined for an empty line. */
  private parse(bytes: Uint8Array, line: number): ReturnType<typeof parseDecision> | undefined {
    const where = `${this.name}:${line}`;
    let text: string;
    try {
      text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    } catch {
      // broken UTF-8 is broken JSON
      text = '\ufffd';
    }
    return text.trim() === '' ? undefined : parseDecision(text, where, this.kind);
  }

  private consume(bytes: Uint8Array, lineFeeds: number): void {
    this.offset += bytes.length;
    this.lineFeeds += lineFeeds;
    if (this.head.length < WINDOW) this.head = concatenated(this.head, bytes.subarray(0, WINDOW - this.head.length));
    this.tail = bytes.length >= WINDOW ? bytes.slice(-WINDOW) : concatenated(this.tail, bytes).slice(-WINDOW);
  }
}

function concatenated(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
