import { HumanError } from '../errors';

/** Bytes of one item; more means that the file is something else. */
const mostBytes = 16_000_000;

const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const QUOTE = 0x22;

/**
 * Cuts a file that is one JSON array, such as Label Studio's exports, into its items, so that it need not be in memory as a whole. UTF-8, with or without a byte order mark. Items are not checked:
 * what is no JSON fails where it is parsed.
 */
export class JsonItems {
  private place: 'before' | 'between' | 'within' | 'behind' = 'before';
  private depth = 0;
  private inString = false;
  private isEscaped = false;
  private parts: Uint8Array[] = [];
  private length = 0;

  /** @param fileName for messages */
  constructor(private readonly fileName: string) {}

  /** @returns the items that this piece completes, as JSON. @throws HumanError `import.item` if one has no end */
  push(chunk: Uint8Array): string[] {
    const items: string[] = [];
    let start = 0;
    for (let i = 0; i < chunk.length; i++) {
      const byte = chunk[i]!;
      if (this.place === 'within') {
        if (!this.endsItem(byte)) continue;
        items.push(this.take(chunk.subarray(start, i)));
        this.place = byte === COMMA ? 'between' : 'behind';
      } else if (this.place === 'before') {
        if (byte === 0x5b) this.place = 'between';
      } else if (this.place === 'between' && !isBlank(byte)) {
        if (byte === 0x5d) this.place = 'behind';
        else if (byte !== COMMA) {
          this.place = 'within';
          start = i;
          this.depth = 0;
          this.endsItem(byte);
        }
      }
    }
    if (this.place === 'within') this.keep(chunk.slice(start));
    return items;
  }

  /** @returns the last item if the file ends within it: it is cut off, which its parser will say */
  end(): string[] {
    return this.place === 'within' ? [this.take(new Uint8Array(0))] : [];
  }

  private endsItem(byte: number): boolean {
    if (this.inString) {
      if (this.isEscaped) this.isEscaped = false;
      else if (byte === BACKSLASH) this.isEscaped = true;
      else if (byte === QUOTE) this.inString = false;
      return false;
    }
    if (byte === QUOTE) this.inString = true;
    else if (byte === 0x7b || byte === 0x5b) this.depth++;
    else if (this.depth === 0 && (byte === COMMA || byte === 0x5d)) return true;
    else if (byte === 0x7d || byte === 0x5d) this.depth--;
    return false;
  }

  private keep(part: Uint8Array): void {
    this.parts.push(part);
    this.length += part.length;
    if (this.length > mostBytes) {
      throw new HumanError('import.item', '{0}: one entry has more than {1} bytes, so this is no export of labels. Choose another file.', [this.fileName, mostBytes]);
    }
  }

  private take(last: Uint8Array): string {
    const decoder = new TextDecoder();
    const text = [...this.parts.map((part) => decoder.decode(part, { stream: true })), decoder.decode(last)].join('');
    this.parts = [];
    this.length = 0;
    this.inString = false;
    this.isEscaped = false;
    return text;
  }
}

function isBlank(byte: number): boolean {
  return byte === 0x20 || byte === 0x09 || byte === 0x0d || byte === 0x0a;
}
