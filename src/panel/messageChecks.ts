/** How what a page says is checked: every message is looked through before anything is done with it, and becomes new objects that hold nothing but what belongs there. */

/** A message that the page of this version never sends: a defect of ours, or somebody else's doing. */
export class PanelMessageError extends Error {
  override readonly name = 'PanelMessageError';
}

/** A value if it is what is expected at `path`. @throws PanelMessageError */
export type Check<T> = (value: unknown, path: string) => T;

/** Whether a message is a request or its cancellation, and so may be handed to `serve`. */
export function isPanelFrame(message: unknown): boolean {
  if (typeof message !== 'object' || message === null || !('kind' in message) || !('id' in message) || !Number.isSafeInteger(message.id)) return false;
  return message.kind === 'cancel' || (message.kind === 'request' && 'method' in message && typeof message.method === 'string');
}

export const bool: Check<boolean> = (value, path) => (typeof value === 'boolean' ? value : fail(path, 'true or false'));

/** @param shortest UTF-16 units, as `longest` */
export function text(longest: number, shortest = 0): Check<string> {
  return (value, path) => (typeof value === 'string' && value.length >= shortest && value.length <= longest ? value : fail(path, `a text of ${shortest} to ${longest} characters`));
}

export function integer(minimum: number, maximum: number): Check<number> {
  return (value, path) => (typeof value === 'number' && Number.isInteger(value) && value >= minimum && value <= maximum ? value : fail(path, `a whole number from ${minimum} to ${maximum}`));
}

export const share: Check<number> = (value, path) => (typeof value === 'number' && value >= 0 && value <= 1 ? value : fail(path, 'a number from 0 to 1'));

export function oneOf<const T extends string | number>(...choices: readonly T[]): Check<T> {
  return (value, path) => choices.find((choice) => choice === value) ?? fail(path, `one of ${choices.join(', ')}`);
}

export function list<T>(check: Check<T>, most: number): Check<readonly T[]> {
  return (value, path) => (Array.isArray(value) && value.length <= most ? value.map((entry: unknown, index) => check(entry, `${path}[${index}]`)) : fail(path, `a list of ${most} at most`));
}

/** The checks of an object's fields; those of `optional` may be absent. */
export function object<T extends object>(required: { readonly [K in RequiredKeys<T>]: Check<T[K]> }, optional: { readonly [K in OptionalKeys<T>]: Check<Exclude<T[K], undefined>> }): Check<T> {
  return (value, path) => {
    const fields = plain(value, path);
    const result: Record<string, unknown> = {};
    for (const [name, check] of Object.entries<Check<unknown>>(required)) result[name] = check(own(fields, name), `${path}.${name}`);
    for (const [name, check] of Object.entries<Check<unknown>>(optional)) {
      const field = own(fields, name);
      if (field !== undefined) result[name] = check(field, `${path}.${name}`);
    }
    return result as T;
  };
}

type OptionalKeys<T> = { [K in keyof T]-?: object extends Pick<T, K> ? K : never }[keyof T];
type RequiredKeys<T> = Exclude<keyof T, OptionalKeys<T>>;

export function plain(value: unknown, path: string): object {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : fail(path, 'an object');
}

export function own(value: object, name: string): unknown {
  return Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined;
}

export function fail(path: string, expected: string): never {
  throw new PanelMessageError(`${path} should be ${expected}`);
}

export const nothing = object<Record<string, never>>({}, {});
