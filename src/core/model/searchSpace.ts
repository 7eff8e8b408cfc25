import { HumanError } from '../errors';
import type { Hyperparameters } from '../protocol/trainer';
import { Random } from '../util/random';
import { checkHyperparameters, hyperparameterSpecs, type HyperparameterSpec } from './hyperparameters';

/** Settings to train with: a preset, and what differs from its defaults. */
export interface Candidate {
  readonly preset: string;
  readonly hyperparameters: Partial<Hyperparameters>;
}

/** The values that a hyperparameter is tried with. */
export interface Axis {
  readonly name: keyof Hyperparameters;
  readonly values: readonly (string | number)[];
}

/** Numbers that a hyperparameter is drawn from, both ends included. */
export interface Range {
  readonly name: keyof Hyperparameters;
  readonly minimum: number;
  readonly maximum: number;
}

/** Most candidates of one search. */
export const mostCandidates = 1000;

/** From this ratio of its ends on a range is one of orders of magnitude, and drawn from by its logarithm. */
const decade = 10;

/** Draws for each candidate that is wanted before a space counts as used up. */
const drawsEach = 100;

/**
 * Reads `learningRate=0.001,0.004;hiddenUnits=32,64`. Names may be written as flags are, `learning-rate`.
 *
 * @throws HumanError `search.axis`, `search.name`, `search.twice`, and those of `checkHyperparameters`
 */
export function parseGrid(text: string): Axis[] {
  return distinctNames(parts(text).map(({ spec, value }) => axis(spec, value)));
}

/**
 * Reads `learningRate=0.0005..0.01;dropout=0.2..0.6;schedule=constant,linear`: ranges, and lists to choose from.
 *
 * @throws as {@link parseGrid}, and `search.range`
 */
export function parseRanges(text: string): (Axis | Range)[] {
  return distinctNames(
    parts(text).map(({ spec, value }) => {
      const ends = value.split('..');
      if ('choices' in spec || ends.length === 1) return axis(spec, value);
      const [minimum, maximum] = ends.map((end) => checkedValue(spec, end)) as [number, number];
      if (ends.length !== 2 || minimum > maximum) throw new HumanError('search.range', '"{0}={1}" is no range. Write the smaller end first, such as {0}={2}..{3}.', [spec.name, value.slice(0, 100), spec.minimum, spec.maximum]);
      return { name: spec.name, minimum, maximum };
    }),
  );
}

/**
 * All combinations of the axes' values with each of `bases`, the last axis changing first.
 * @throws HumanError `search.many`
 */
export function gridCandidates(bases: readonly Candidate[], axes: readonly Axis[]): Candidate[] {
  const count = axes.reduce((product, { values }) => product * values.length, bases.length);
  if (count > mostCandidates) throw tooMany(count);
  return axes.reduce<readonly Candidate[]>((found, { name, values }) => found.flatMap((candidate) => values.map((value) => withValue(candidate, name, value))), bases).slice();
}

/**
 * `count` different candidates drawn at random, seeded: of each range uniformly, by the logarithm where its ends are a decade or more apart (Bergstra & Bengio 2012), rounded to three digits or to what the
 * hyperparameter takes. Fewer where there are not so many.
 *
 * @throws HumanError `search.many`
 */
export function randomCandidates(bases: readonly Candidate[], ranges: readonly (Axis | Range)[], count: number, seed: number): Candidate[] {
  if (count > mostCandidates) throw tooMany(count);
  const random = new Random(seed);
  const found = new Map<string, Candidate>();
  for (let draw = 0; found.size < count && draw < count * drawsEach; draw++) {
    let candidate = bases[random.below(bases.length)]!;
    for (const range of ranges) candidate = withValue(candidate, range.name, 'values' in range ? range.values[random.below(range.values.length)]! : drawn(range, random));
    const key = JSON.stringify(candidate);
    if (!found.has(key)) found.set(key, candidate);
  }
  return [...found.values()];
}

function drawn({ name, minimum, maximum }: Range, random: Random): number {
  const share = random.float();
  const value = minimum > 0 && maximum / minimum >= decade ? minimum * (maximum / minimum) ** share : minimum + (maximum - minimum) * share;
  const spec = hyperparameterSpecs.find((each) => each.name === name);
  const isWhole = spec !== undefined && 'integer' in spec && spec.integer;
  const step = isWhole ? (spec.multipleOf ?? 1) : 0;
  const rounded = step > 0 ? Math.round(value / step) * step : Number(value.toPrecision(3));
  return Math.min(maximum, Math.max(minimum, rounded));
}

function withValue({ preset, hyperparameters }: Candidate, name: keyof Hyperparameters, value: string | number): Candidate {
  return { preset, hyperparameters: { ...hyperparameters, [name]: value } };
}

function parts(text: string): { readonly spec: HyperparameterSpec; readonly value: string }[] {
  return text
    .split(';')
    .filter((part) => part.trim() !== '')
    .map((part) => {
      const [, given = '', value = ''] = /^\s*([^=]+?)\s*=(.*)$/s.exec(part) ?? [];
      if (value.trim() === '') throw new HumanError('search.axis', '"{0}" does not say what to try. Write a hyperparameter and its values, such as learningRate=0.001,0.004, and ; before the next.', [part.slice(0, 100)]);
      const name = given.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
      const spec = hyperparameterSpecs.find((each) => each.name === name);
      if (!spec) throw new HumanError('search.name', 'There is no hyperparameter {0} to search over. Use some of these: {1}.', [given.slice(0, 100), hyperparameterSpecs.map((each) => each.name).join(', ')]);
      return { spec, value };
    });
}

function axis(spec: HyperparameterSpec, list: string): Axis {
  return { name: spec.name, values: [...new Set(list.split(',').map((value) => checkedValue(spec, value)))] };
}

function checkedValue(spec: HyperparameterSpec, text: string): string | number {
  const given = text.trim();
  const number = given === '' ? NaN : Number(given);
  return checkHyperparameters({ [spec.name]: 'choices' in spec || Number.isNaN(number) ? given : number })[spec.name];
}

function distinctNames<A extends { readonly name: string }>(axes: A[]): A[] {
  for (const [index, { name }] of axes.entries())
    if (axes.findIndex((other) => other.name === name) < index) throw new HumanError('search.twice', '{0} is there twice. List all of its values in one place.', [name]);
  return axes;
}

function tooMany(count: number): HumanError {
  return new HumanError('search.many', '{0} settings are too many to be tried; {1} are possible. Leave some values out, or draw some at random.', [count, mostCandidates]);
}
