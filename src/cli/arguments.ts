import { parseArgs, type ParseArgsConfig } from 'node:util';

/** The command was not understood: exit status 2, with the usage. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export interface FlagSpec {
  /** What stands for the value in the usage; a flag without it is a switch. */
  readonly value?: string;
  readonly help: string;
}

export interface CommandSpec {
  /** One line. */
  readonly summary: string;
  /** What follows the command's name in the usage, beside the flags. */
  readonly operands: string;
  readonly flags: Readonly<Record<string, FlagSpec>>;
}

/** The flags and operands of one call, each flag at most once. */
export class Arguments {
  constructor(
    private readonly values: Readonly<Record<string, string | boolean | undefined>>,
    readonly operands: readonly string[],
  ) {}

  /** Whether a switch was given. */
  has(flag: string): boolean {
    return this.values[flag] === true;
  }

  text(flag: string): string | undefined {
    const value = this.values[flag];
    return typeof value === 'string' ? value : undefined;
  }

  /** @throws UsageError when it was not given */
  required(flag: string): string {
    const value = this.text(flag);
    if (value === undefined) throw new UsageError(`--${flag} is missing.`);
    return value;
  }

  /** @throws UsageError when the value is no finite number */
  number(flag: string): number | undefined {
    const value = this.text(flag);
    if (value === undefined) return undefined;
    const number = Number(value);
    if (value.trim() === '' || !Number.isFinite(number)) throw new UsageError(`--${flag} takes a number, not "${value}".`);
    return number;
  }

  /** @throws UsageError when the value is no whole number from `minimum` to `maximum` */
  wholeNumber(flag: string, minimum: number, maximum: number = Number.MAX_SAFE_INTEGER): number | undefined {
    const value = this.number(flag);
    if (value !== undefined && (!Number.isInteger(value) || value < minimum || value > maximum))
      throw new UsageError(`--${flag} takes a whole number ${maximum === Number.MAX_SAFE_INTEGER ? `of at least ${minimum}` : `from ${minimum} to ${maximum}`}.`);
    return value;
  }

  /** A list separated by commas; undefined when the flag was not given. */
  list(flag: string): readonly string[] | undefined {
    const items = this.text(flag)?.split(',').map((item) => item.trim());
    if (items?.some((item) => item === '')) throw new UsageError(`--${flag} takes names separated by commas.`);
    return items;
  }

  /** The one operand that a command takes. */
  file(): string {
    if (this.operands.length !== 1) throw new UsageError(this.operands.length === 0 ? 'FILE is missing.' : `One FILE is expected, not ${this.operands.length}.`);
    return this.operands[0]!;
  }
}

/** Parses what follows the command's name. @throws UsageError on an unknown flag or a flag without its value */
export function parseArguments(spec: CommandSpec, argv: readonly string[]): Arguments {
  const options: NonNullable<ParseArgsConfig['options']> = { help: { type: 'boolean' } };
  for (const [name, flag] of Object.entries(spec.flags)) options[name] = { type: flag.value === undefined ? 'boolean' : 'string' };
  try {
    const { values, positionals } = parseArgs({ args: [...argv], options, allowPositionals: true, strict: true });
    return new Arguments(values as Record<string, string | boolean | undefined>, positionals);
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

/** The usage of one command, for `--help` and after a mistake. */
export function usage(name: string, spec: CommandSpec): string {
  const flags = Object.entries(spec.flags).map(([flag, { value, help }]) => [`  --${flag}${value === undefined ? '' : ` ${value}`}`, help] as const);
  const width = Math.max(0, ...flags.map(([left]) => left.length)) + 2;
  const lines = [`label-lens ${name} ${flags.length > 0 ? '[flags] ' : ''}${spec.operands}`.trimEnd(), spec.summary];
  if (flags.length > 0) lines.push('', ...flags.map(([left, help]) => left.padEnd(width) + help.replaceAll('\n', `\n${' '.repeat(width)}`)));
  return lines.join('\n');
}
