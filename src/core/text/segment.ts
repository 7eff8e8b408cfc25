import { splitSentences } from './sentences';
import { hasLetter, isLineEnd, isSpace } from './units';

/** A piece of a document: UTF-16 offsets, `end` exclusive. Starts and ends with something other than white space, and holds a letter (Han included). */
export interface Segment {
  readonly start: number;
  readonly end: number;
}

/** `paragraph`: up to a blank line. `sentence`: of a paragraph. `line`: as the text is written. */
export type SegmentUnit = 'paragraph' | 'sentence' | 'line';

export interface SegmentOptions {
  /**
   * Whether the text is Markdown (default). Then front matter, fenced code, comments that start a line, lines of nothing but HTML tags, tables' rules and link definitions are
   * skipped; not so indented code, which is hard to tell from the text of lists. The marks of headings, quotations, list items and table rows stand outside of the segments.
   * Each heading, list item and table row is a paragraph.
   */
  readonly markdown?: boolean;
}

/** The segments of a text, and what {@link resegment} needs. */
export interface Segmentation {
  readonly segments: readonly Segment[];
  readonly unit: SegmentUnit;
  readonly markdown: boolean;
  /** Length of the text. */
  readonly length: number;
  /** Where front matter ends; 0 without any. */
  readonly frontMatter: number;
  /** Places where the text before does not matter to the text after, in order. */
  readonly restarts: readonly Restart[];
}

/** The start of a line, and the number of segments before it. */
interface Restart {
  readonly position: number;
  readonly segments: number;
}

/** Segments of a text in order; no two overlap. */
export function segment(text: string, unit: SegmentUnit, options: SegmentOptions = {}): Segment[] {
  return new Reader(text, unit, options.markdown ?? true).read(0).segments;
}

/** As {@link segment}, with what it takes to follow the text's edits. */
export function startSegmentation(text: string, unit: SegmentUnit, options: SegmentOptions = {}): Segmentation {
  const markdown = options.markdown ?? true;
  const { segments, restarts, frontMatter } = new Reader(text, unit, markdown).read(0);
  return { segments, unit, markdown, length: text.length, frontMatter, restarts };
}

/**
 * The segmentation after an edit, reading only what stands around it.
 *
 * @param text the text after the edit
 * @param edit the range `start`..`end` of the text before was replaced with `inserted` units
 */
export function resegment(previous: Segmentation, text: string, edit: { readonly start: number; readonly end: number; readonly inserted: number }): Segmentation {
  const { unit, markdown } = previous;
  const reader = new Reader(text, unit, markdown);
  if (edit.start <= previous.frontMatter || reader.frontMatter !== previous.frontMatter) return startSegmentation(text, unit, { markdown });
  // strictly before the edit: a restart right at it could come to stand between CR and LF
  const kept = previous.restarts.filter(({ position }) => position < edit.start);
  const from = kept.at(-1) ?? { position: 0, segments: 0 };
  const shift = text.length - previous.length;
  const later = previous.restarts.filter(({ position }) => position > edit.end && position + shift > edit.start + edit.inserted);
  const ends = new Map(later.map((restart) => [restart.position + shift, restart]));
  const read = reader.read(from.position, ends);
  const segments = previous.segments.slice(0, from.segments).concat(read.segments);
  const restarts = kept.concat(read.restarts.map((restart) => ({ position: restart.position, segments: restart.segments + from.segments })));
  const rest = ends.get(read.end);
  if (rest) {
    const more = segments.length - rest.segments;
    for (let i = rest.segments; i < previous.segments.length; i++) {
      const { start, end } = previous.segments[i]!;
      segments.push({ start: start + shift, end: end + shift });
    }
    for (const restart of later) if (restart.position >= rest.position) restarts.push({ position: restart.position + shift, segments: restart.segments + more });
  }
  return { segments, unit, markdown, length: text.length, frontMatter: previous.frontMatter, restarts };
}

/** Restarts are at least this many units apart. */
const RESTART_DISTANCE = 1024;

/** List items that start in one line; more of them are text. Looking for rules among them takes quadratic time. */
const MOST_ITEMS = 16;

const TAB = 0x09;
const SPACE = 0x20;
const HASH = 0x23;
const STAR = 0x2a;
const PLUS = 0x2b;
const MINUS = 0x2d;
const DOT = 0x2e;
const ZERO = 0x30;
const ONE = 0x31;
const COLON = 0x3a;
const LESS = 0x3c;
const EQUALS = 0x3d;
const MORE = 0x3e;
const OPENING = 0x5b;
const CLOSING = 0x5d;
const UNDERSCORE = 0x5f;
const BACKTICK = 0x60;
const BAR = 0x7c;
const TILDE = 0x7e;
const PARENTHESIS = 0x29;

/** A line of nothing but HTML tags. Not of an address in angle brackets: its scheme ends with a colon. */
const tagsOnly = /(?:<\/?[A-Za-z][A-Za-z0-9-]*(?=[\s/>])[^<>\r\n]*>[ \t]*)+(?=[\r\n]|$)/y;
/** A link definition on one line. A footnote's text is text. */
const linkDefinition = /\[(?!\^)(?:[^[\]\\\r\n]|\\[^\r\n])+\]:[ \t]*(?:<[^<>\r\n]*>|[^\s<]\S*)(?:[ \t]+(?:"[^"\r\n]*"|'[^'\r\n]*'|\([^()\r\n]*\)))?[ \t]*(?=[\r\n]|$)/y;

function matchesAt(pattern: RegExp, text: string, position: number): boolean {
  pattern.lastIndex = position;
  return pattern.test(text);
}

/** The blocks of Markdown as far as they matter here; CommonMark 0.31 where not said otherwise. */
class Reader {
  readonly segments: Segment[] = [];
  readonly restarts: Restart[] = [];
  readonly frontMatter: number;
  /** The open paragraph: starts and ends of its lines by turns, trimmed and without their marks. */
  private lines: number[] = [];
  private fence: { readonly mark: number; readonly length: number; readonly quoted: boolean } | undefined;
  private inComment = false;
  private inTable = false;
  /** Where in its line the open list item's text started; 0 outside of lists. */
  private itemIndent = 0;
  private quoted = false;

  constructor(
    private readonly text: string,
    private readonly unit: SegmentUnit,
    private readonly markdown: boolean,
  ) {
    this.frontMatter = markdown ? frontMatterEnd(text) : 0;
  }

  /**
   * Reads from a restart to the end or to the first restart that is a key of `ends`.
   * @returns this reader's results, and where it stopped
   */
  read(from: number, ends?: ReadonlyMap<number, unknown>): { segments: Segment[]; restarts: Restart[]; frontMatter: number; end: number } {
    const { text, segments, restarts, frontMatter } = this;
    let position = Math.max(from, frontMatter);
    let restarted = from;
    let end = text.length;
    while (position < text.length) {
      let lineEnd = position;
      while (lineEnd < text.length && !isLineEnd(text.charCodeAt(lineEnd))) lineEnd++;
      const next = lineEnd + (text.charCodeAt(lineEnd) === 0x0d && text.charCodeAt(lineEnd + 1) === 0x0a ? 2 : 1);
      const blank = this.markdown ? this.line(position, lineEnd, next) : this.plainLine(position, lineEnd);
      position = next;
      if (!blank || position >= text.length) continue;
      if (ends?.has(position)) {
        end = position;
        break;
      }
      if (position - restarted >= RESTART_DISTANCE) {
        restarts.push({ position, segments: segments.length });
        restarted = position;
      }
    }
    this.endParagraph();
    return { segments, restarts, frontMatter, end };
  }

  /** Returns whether the line is blank, so that nothing before it matters to what follows. */
  private plainLine(start: number, end: number): boolean {
    const first = this.skipSpace(start, end);
    if (first === end) {
      this.endParagraph();
      return true;
    }
    this.add(first, end);
    return false;
  }

  /** As {@link plainLine} for Markdown. `next` is where the following line starts. */
  private line(start: number, end: number, next: number): boolean {
    const { text } = this;
    let at = start;
    if (this.inComment) {
      at = this.commentEnd(start, end);
      if (at < 0) return false;
      this.inComment = false;
    }
    // a quotation's end ends the code in it
    if (this.fence?.quoted && text.charCodeAt(this.skipSpace(at, end)) !== MORE) this.fence = undefined;
    let items = 0;
    let quotedHere = false;
    for (;;) {
      at = this.skipSpace(at, end);
      if (at === end) break;
      const unit = text.charCodeAt(at);
      if (unit === MORE && (!this.fence || this.fence.quoted)) {
        quotedHere = true;
        at++;
        continue;
      }
      if (this.fence) break;
      if (text.startsWith('<!--', at)) {
        // what follows a comment is read as if it started the line
        this.interrupt();
        at = this.commentEnd(at + 4, end);
        if (at >= 0) continue;
        this.inComment = true;
        return false;
      }
      const bullet = items < MOST_ITEMS && !this.isRule(at, end) ? this.bulletLength(at, end, at - start) : 0;
      if (bullet === 0) break;
      this.endParagraph();
      this.inTable = false;
      items++;
      at = this.skipBox(at + bullet, end);
      this.itemIndent = this.skipSpace(at, end) - start;
    }
    if (this.fence) {
      if (at < end && this.fenceLength(at, end, this.fence.mark) >= this.fence.length && this.closesFence(at, end)) this.fence = undefined;
      return false;
    }
    if (quotedHere && !this.quoted) this.endParagraph();
    this.quoted = quotedHere;
    if (at === end) {
      this.endParagraph();
      this.inTable = false;
      this.itemIndent = 0;
      return items === 0 && !quotedHere;
    }
    const unit = text.charCodeAt(at);
    switch (unit) {
      case BACKTICK:
      case TILDE: {
        const length = this.fenceLength(at, end, unit);
        if (length >= 3 && (unit === TILDE || !this.contains(BACKTICK, at + length, end))) {
          this.interrupt();
          this.fence = { mark: unit, length, quoted: quotedHere };
          return false;
        }
        break;
      }
      case LESS:
        if (matchesAt(tagsOnly, text, at)) return this.interrupt();
        break;
      case HASH: {
        let content = at;
        while (content < end && text.charCodeAt(content) === HASH) content++;
        if (content - at > 6 || (content < end && !isBlank(text.charCodeAt(content)))) break;
        this.interrupt();
        this.add(this.skipSpace(content, end), this.headingEnd(content, end));
        return this.interrupt();
      }
      case OPENING:
        if (this.lines.length === 0 && matchesAt(linkDefinition, text, at)) return false;
        break;
      case EQUALS:
      case MINUS:
      case STAR:
      case UNDERSCORE:
        if (this.isRule(at, end) || this.isUnderline(at, end)) return this.interrupt();
        break;
    }
    if (this.isTableRule(at, end)) {
      this.endParagraph();
      return false;
    }
    if (!this.inTable && this.contains(BAR, at, end) && this.tableRuleFollows(next)) this.inTable = true;
    if (this.inTable) {
      this.endParagraph();
      this.addRow(at, end);
      this.endParagraph();
      return false;
    }
    this.add(at, end);
    return false;
  }

  /** Where the comment ends that is open at `at`; -1 if not in this line. */
  private commentEnd(at: number, end: number): number {
    // within the line only: a search to the end of the text for each line would take quadratic time
    const close = this.text.slice(at, end).indexOf('-->');
    return close < 0 ? -1 : at + close + 3;
  }

  /** Ends the paragraph, the table and the list item. */
  private interrupt(): false {
    this.endParagraph();
    this.inTable = false;
    this.itemIndent = 0;
    return false;
  }

  private skipSpace(at: number, end: number): number {
    while (at < end && isSpace(this.text.charCodeAt(at))) at++;
    return at;
  }

  private contains(unit: number, at: number, end: number): boolean {
    for (; at < end; at++) if (this.text.charCodeAt(at) === unit) return true;
    return false;
  }

  /** Length of a list item's mark at `at`, or 0. */
  private bulletLength(at: number, end: number, indent: number): number {
    const { text } = this;
    const unit = text.charCodeAt(at);
    let length = 0;
    if (unit === MINUS || unit === STAR || unit === PLUS) length = 1;
    else if (unit >= ZERO && unit <= 0x39) {
      while (length < 9 && at + length < end && text.charCodeAt(at + length) >= ZERO && text.charCodeAt(at + length) <= 0x39) length++;
      const mark = text.charCodeAt(at + length);
      if (mark !== DOT && mark !== PARENTHESIS) return 0;
      // a line of prose may start with a year; a number left of an item's text starts the next item
      if (this.lines.length > 0 && indent >= this.itemIndent && !(length === 1 && unit === ONE)) return 0;
      length++;
    } else return 0;
    return at + length >= end || isBlank(text.charCodeAt(at + length)) ? length : 0;
  }

  /** Goes past the box of a task, as in `- [x] done`. */
  private skipBox(at: number, end: number): number {
    const { text } = this;
    const box = this.skipSpace(at, end);
    const boxed = box + 3 < end && text.charCodeAt(box) === OPENING && text.charCodeAt(box + 2) === CLOSING && isBlank(text.charCodeAt(box + 3));
    return boxed && ' xX'.includes(text.charAt(box + 1)) ? box + 3 : at;
  }

  /** A thematic break: three or more of one of `- * _`, with spaces. */
  private isRule(at: number, end: number): boolean {
    const { text } = this;
    const mark = text.charCodeAt(at);
    if (mark !== MINUS && mark !== STAR && mark !== UNDERSCORE) return false;
    let count = 0;
    for (; at < end; at++) {
      const unit = text.charCodeAt(at);
      if (unit === mark) count++;
      else if (!isSpace(unit)) return false;
    }
    return count >= 3;
  }

  /** The line under a heading: `=` or `-` only. */
  private isUnderline(at: number, end: number): boolean {
    const { text } = this;
    const mark = text.charCodeAt(at);
    if (mark !== EQUALS && mark !== MINUS) return false;
    while (at < end && text.charCodeAt(at) === mark) at++;
    return this.skipSpace(at, end) === end;
  }

  private fenceLength(at: number, end: number, mark: number): number {
    let length = 0;
    while (at + length < end && this.text.charCodeAt(at + length) === mark) length++;
    return length;
  }

  private closesFence(at: number, end: number): boolean {
    return this.skipSpace(at + this.fenceLength(at, end, this.text.charCodeAt(at)), end) === end;
  }

  /** Where a heading's text ends: before its closing marks. */
  private headingEnd(at: number, end: number): number {
    const { text } = this;
    let last = this.trimEnd(at, end);
    let marks = last;
    while (marks > at && text.charCodeAt(marks - 1) === HASH) marks--;
    if (marks < last && (marks === at || isBlank(text.charCodeAt(marks - 1)))) last = marks;
    return last;
  }

  private trimEnd(start: number, end: number): number {
    while (end > start && isSpace(this.text.charCodeAt(end - 1))) end--;
    return end;
  }

  /** Whether a line is the rule of a table: dashes, bars and colons. */
  private isTableRule(at: number, end: number): boolean {
    const { text } = this;
    let bar = false;
    let dash = false;
    for (; at < end; at++) {
      const unit = text.charCodeAt(at);
      if (unit === BAR) bar = true;
      else if (unit === MINUS) dash = true;
      else if (unit !== COLON && !isSpace(unit)) return false;
    }
    return bar && dash;
  }

  private tableRuleFollows(next: number): boolean {
    const { text } = this;
    let at = next;
    while (at < text.length && (isBlank(text.charCodeAt(at)) || text.charCodeAt(at) === MORE)) at++;
    let end = at;
    while (end < text.length && !isLineEnd(text.charCodeAt(end))) end++;
    return this.isTableRule(at, end);
  }

  /** Adds a table's row without the bars at its ends. */
  private addRow(start: number, end: number): void {
    const { text } = this;
    const isEdge = (unit: number): boolean => unit === BAR || isSpace(unit);
    while (start < end && isEdge(text.charCodeAt(start))) start++;
    while (end > start && isEdge(text.charCodeAt(end - 1))) end--;
    this.add(start, end);
  }

  private add(start: number, end: number): void {
    const last = this.trimEnd(start, end);
    if (last > start) this.lines.push(start, last);
  }

  private endParagraph(): void {
    const { text, lines, segments } = this;
    if (lines.length === 0) return;
    switch (this.unit) {
      case 'paragraph':
        if (linesHaveLetter(text, lines)) segments.push({ start: lines[0]!, end: lines[lines.length - 1]! });
        break;
      case 'sentence':
        splitSentences(text, lines, segments);
        break;
      case 'line':
        for (let i = 0; i < lines.length; i += 2) if (hasLetter(text, lines[i]!, lines[i + 1]!)) segments.push({ start: lines[i]!, end: lines[i + 1]! });
        break;
    }
    this.lines = [];
  }
}

const isBlank = (unit: number): boolean => unit === SPACE || unit === TAB;

function linesHaveLetter(text: string, lines: readonly number[]): boolean {
  for (let i = 0; i < lines.length; i += 2) if (hasLetter(text, lines[i]!, lines[i + 1]!)) return true;
  return false;
}

/** YAML (`---`) or TOML (`+++`) at the very start, up to its closing line; 0 without. As in Pandoc, no blank line follows the opening: that would be a thematic break. */
function frontMatterEnd(text: string): number {
  const opening = /^\ufeff?(---|\+\+\+)[ \t]*(?:\r\n|\r|\n)(?![ \t]*[\r\n])/.exec(text);
  if (!opening) return 0;
  const closing = opening[1] === '---' ? /(?:^|[\r\n])(?:---|\.\.\.)[ \t]*(?:\r\n|\r|\n|$)/g : /(?:^|[\r\n])\+\+\+[ \t]*(?:\r\n|\r|\n|$)/g;
  closing.lastIndex = opening[0].length - 1;
  const found = closing.exec(text);
  return found ? found.index + found[0].length : 0;
}
