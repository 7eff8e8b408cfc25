/** Where the members of a JSON object stand in the text of a JSONL line. RFC 8259, https://jsonlines.org. */
import type { Units } from './scanner';

export interface JsonMember {
  readonly name: string;
  /** Range of the value in units, without blanks around it; a string with its quotes. */
  readonly start: number;
  readonly end: number;
}

export interface JsonShape {
  readonly members: readonly JsonMember[];
  /** Where further members go: behind the last value, or behind the opening brace. */
  readonly insertAt: number;
  /** Whether a blank follows the first colon, as Python and people write; compact otherwise. */
  readonly spaced: boolean;
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;

const isBlank = (unit: number): boolean => unit === 0x20 || unit === 0x09 || unit === 0x0d || unit === 0x0a;

/**
 * Walks the object in [start, end), which must be valid JSON.
 *
 * @param text decodes a range of units
 */
export function jsonShape(units: Units, start: number, end: number, text: (start: number, end: number) => string): JsonShape {
  let i = start;
  const blanks = (): void => {
    while (i < end && isBlank(units[i]!)) i++;
  };
  const string = (): void => {
    for (i++; units[i] !== QUOTE; i++) if (units[i] === BACKSLASH) i++;
    i++;
  };
  blanks();
  i++; // the opening brace
  let insertAt = i;
  let spaced = false;
  const members: JsonMember[] = [];
  for (blanks(); units[i] === QUOTE; blanks()) {
    const nameStart = i;
    string();
    const name = JSON.parse(text(nameStart, i)) as string;
    blanks();
    i++; // the colon
    if (members.length === 0) spaced = isBlank(units[i]!);
    blanks();
    const valueStart = i;
    for (let depth = 0; i < end; ) {
      const unit = units[i]!;
      if (unit === QUOTE) {
        string();
        if (depth === 0) break;
        continue;
      }
      const opens = unit === 0x7b || unit === 0x5b;
      const closes = unit === 0x7d || unit === 0x5d;
      if (depth === 0 && (unit === COMMA || closes)) break;
      if (opens) depth++;
      if (closes) depth--;
      i++;
      if (closes && depth === 0) break;
    }
    let valueEnd = i;
    while (valueEnd > valueStart && isBlank(units[valueEnd - 1]!)) valueEnd--;
    members.push({ name, start: valueStart, end: valueEnd });
    insertAt = valueEnd;
    blanks();
    if (units[i] === COMMA) i++;
  }
  return { members, insertAt, spaced };
}

/** A member's value as a text to classify: strings as they are, null as nothing, numbers and the like in JSON. */
export function jsonText(value: unknown): string {
  return typeof value === 'string' ? value : value === null || value === undefined ? '' : JSON.stringify(value);
}

/** Parses one line. A string says why it is no object. */
export function parseJsonLine(line: string): Readonly<Record<string, unknown>> | string {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    return error instanceof Error ? error.message.replace(/\s+/g, ' ').slice(0, 120) : String(error);
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Readonly<Record<string, unknown>>;
  return Array.isArray(value) ? 'an array' : value === null ? 'null' : `a ${typeof value}`;
}
