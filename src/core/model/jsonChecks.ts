import { HumanError } from '../errors';

/**
 * Narrow readers for JSON from outside. Only own properties are looked at, every value is checked before it is typed, and results are new objects, so nothing in
 * a file reaches a prototype. Each kind of defect has its own code and names the file and the path of the field within it.
 */
export class JsonObject {
  private constructor(
    private readonly value: object,
    /** Path of this object within the file, such as `task.labels[3]`; '' for the whole. */
    private readonly path: string,
    private readonly where: string,
  ) {}

  /**
   * Parses a whole file that should be one JSON object.
   *
   * @param where the file's name for messages
   * @param limit bytes; more are refused unread
   * @throws HumanError `json.size`, `json.syntax`, `json.object`
   */
  static parse(bytes: Uint8Array, where: string, limit: number): JsonObject {
    if (bytes.length > limit)
      throw new HumanError('json.size', '{0} has {1} bytes, and no such file of Label Lens has more than {2}. Correct the file, or get it again from where it came from.', [where, bytes.length, limit]);
    return JsonObject.of(parsed(() => new TextDecoder('utf-8', { fatal: true }).decode(bytes), where), '', where);
  }

  /** As {@link parse}, for one line of a file; `limit` counts UTF-16 units. @param where the file's name with the line's number, `mei.jsonl:12` */
  static parseLine(line: string, where: string, limit: number): JsonObject {
    if (line.length > limit)
      throw new HumanError('json.line', '{0} has {1} characters, and no such line of Label Lens has more than {2}. Correct the file, or get it again from where it came from.', [where, line.length, limit]);
    return JsonObject.of(parsed(() => line, where), '', where);
  }

  private static of(value: unknown, path: string, where: string): JsonObject {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      if (path === '') throw new HumanError('json.whole', '{0} should be one JSON object. Correct the file, or get it again from where it came from.', [where]);
      throw new HumanError('json.object', '{0}: {1} should be an object. Correct the file, or get it again from where it came from.', [where, path]);
    }
    return new JsonObject(value, path, where);
  }

  /** Whether the value is a string, a number or a list, for fields that may hold either. */
  typeOf(name: string): 'string' | 'number' | 'list' | 'other' {
    const value = this.own(name);
    return typeof value === 'string' ? 'string' : typeof value === 'number' ? 'number' : Array.isArray(value) ? 'list' : 'other';
  }

  has(name: string): boolean {
    return this.own(name) !== undefined;
  }

  isNull(name: string): boolean {
    return this.own(name) === null;
  }

  /** A string of 1..`longest` UTF-16 units. */
  text(name: string, longest: number): string {
    return this.checkedText(this.own(name), this.at(name), longest);
  }

  /** As {@link text}, perhaps empty. */
  string(name: string, longest: number): string {
    return this.own(name) === '' ? '' : this.text(name, longest);
  }

  optionalText(name: string, longest: number): string | undefined {
    return this.has(name) ? this.text(name, longest) : undefined;
  }

  /** A string that `pattern` matches; `example` shows a person what is meant. */
  pattern(name: string, longest: number, pattern: RegExp, example: string): string {
    const value = this.text(name, longest);
    if (!pattern.test(value))
      throw new HumanError('json.pattern', '{0}: {1} should look like {2}. Correct the file, or get it again from where it came from.', [this.where, this.at(name), example]);
    return value;
  }

  oneOf<T extends string>(name: string, choices: readonly T[]): T {
    const value = this.own(name);
    const choice = choices.find((each) => each === value);
    if (choice === undefined)
      throw new HumanError('json.choice', '{0}: {1} should be one of {2}. Correct the file, get it again from where it came from, or update Label Lens.', [this.where, this.at(name), choices.join(', ')]);
    return choice;
  }

  number(name: string, minimum: number, maximum: number): number {
    const value = this.own(name);
    if (typeof value !== 'number' || !(value >= minimum && value <= maximum))
      throw new HumanError('json.number', '{0}: {1} should be a number from {2} to {3}. Correct the file, or get it again from where it came from.', [this.where, this.at(name), minimum, maximum]);
    return value;
  }

  integer(name: string, minimum: number, maximum: number): number {
    const value = this.own(name);
    if (typeof value !== 'number' || !Number.isInteger(value) || !(value >= minimum && value <= maximum))
      throw new HumanError('json.integer', '{0}: {1} should be a whole number from {2} to {3}. Correct the file, or get it again from where it came from.', [this.where, this.at(name), minimum, maximum]);
    return value;
  }

  boolean(name: string): boolean {
    const value = this.own(name);
    if (typeof value !== 'boolean') throw new HumanError('json.boolean', '{0}: {1} should be true or false. Correct the file, or get it again from where it came from.', [this.where, this.at(name)]);
    return value;
  }

  object(name: string): JsonObject {
    return JsonObject.of(this.own(name), this.at(name), this.where);
  }

  /** An array of objects. */
  objects(name: string, fewest: number, most: number): JsonObject[] {
    return this.list(name, fewest, most).map((value, index) => JsonObject.of(value, `${this.at(name)}[${index}]`, this.where));
  }

  /** As {@link texts}, each perhaps empty. */
  strings(name: string, fewest: number, most: number, longest: number): string[] {
    return this.list(name, fewest, most).map((value, index) => (value === '' ? '' : this.checkedText(value, `${this.at(name)}[${index}]`, longest)));
  }

  /** An array of strings of 1..`longest` UTF-16 units. */
  texts(name: string, fewest: number, most: number, longest: number): string[] {
    return this.list(name, fewest, most).map((value, index) => this.checkedText(value, `${this.at(name)}[${index}]`, longest));
  }

  /** An array of strings out of `choices`, at least one and each once. */
  choices<T extends string>(name: string, choices: readonly T[]): T[] {
    const list = this.list(name, 1, choices.length).flatMap((value) => choices.filter((each) => each === value));
    if (list.length !== this.list(name, 1, choices.length).length || new Set(list).size !== list.length)
      throw new HumanError('json.choices', '{0}: {1} should list some of {2}, each once. Correct the file, get it again from where it came from, or update Label Lens.', [this.where, this.at(name), choices.join(', ')]);
    return list;
  }

  /** An array of just so many numbers. */
  numberList(name: string, count: number, minimum: number, maximum: number): number[] {
    return this.list(name, count, count).map((value, index) => {
      if (typeof value !== 'number' || !(value >= minimum && value <= maximum))
        throw new HumanError('json.number', '{0}: {1} should be a number from {2} to {3}. Correct the file, or get it again from where it came from.', [this.where, `${this.at(name)}[${index}]`, minimum, maximum]);
      return value;
    });
  }

  /** An object of at most `most` free names with finite numbers. */
  numbers(name: string, most: number): Readonly<Record<string, number>> {
    return Object.fromEntries(
      this.entries(name, most).map(([key, value]) => {
        if (typeof value !== 'number' || !Number.isFinite(value))
          throw new HumanError('json.record.number', '{0}: {1} should be a number. Correct the file, or get it again from where it came from.', [this.where, `${this.at(name)}.${key}`]);
        return [key, value];
      }),
    );
  }

  /** An object of at most `most` free names with finite numbers or strings of at most `longest` UTF-16 units. */
  facts(name: string, most: number, longest: number): Readonly<Record<string, string | number>> {
    return Object.fromEntries(
      this.entries(name, most).map(([key, value]) => {
        if (!(typeof value === 'number' && Number.isFinite(value)) && !(typeof value === 'string' && value.length <= longest))
          throw new HumanError('json.record.fact', '{0}: {1} should be a number or a text of at most {2} characters. Correct the file, or get it again from where it came from.', [
            this.where,
            `${this.at(name)}.${key}`,
            longest,
          ]);
        return [key, value];
      }),
    );
  }

  /** Throws unless all of `values`, which came from the list `name`, are different. */
  distinct(name: string, values: readonly string[]): void {
    const seen = new Set<string>();
    for (const value of values) {
      if (seen.has(value)) throw new HumanError('json.distinct', '{0}: {1} names "{2}" twice. Correct the file, or get it again from where it came from.', [this.where, this.at(name), value]);
      seen.add(value);
    }
  }

  private checkedText(value: unknown, at: string, longest: number): string {
    if (typeof value !== 'string' || value === '' || value.length > longest)
      throw new HumanError('json.text', '{0}: {1} should be a text of 1 to {2} characters. Correct the file, or get it again from where it came from.', [this.where, at, longest]);
    return value;
  }

  private entries(name: string, most: number): [string, unknown][] {
    const entries = Object.entries(this.object(name).value) as [string, unknown][];
    if (entries.length > most || entries.some(([key]) => key === '' || key.length > 100 || key === '__proto__'))
      throw new HumanError('json.record', '{0}: {1} should have at most {2} members with short names. Correct the file, or get it again from where it came from.', [this.where, this.at(name), most]);
    return entries;
  }

  private list(name: string, fewest: number, most: number): unknown[] {
    const value = this.own(name);
    if (!Array.isArray(value) || value.length < fewest || value.length > most)
      throw new HumanError('json.list', '{0}: {1} should be a list of {2} to {3} entries. Correct the file, or get it again from where it came from.', [this.where, this.at(name), fewest, most]);
    return value;
  }

  private own(name: string): unknown {
    return Object.getOwnPropertyDescriptor(this.value, name)?.value;
  }

  private at(name: string): string {
    return this.path === '' ? name : `${this.path}.${name}`;
  }
}

function parsed(text: () => string, where: string): unknown {
  try {
    return JSON.parse(text());
  } catch (error) {
    throw new HumanError('json.syntax', '{0} is damaged or cut off: it is not valid JSON. Correct the file, or get it again from where it came from.', [where], { cause: error });
  }
}
