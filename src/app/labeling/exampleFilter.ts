import { HumanError } from '../../core/errors';
import { isSameValue, type DecisionValue } from '../../core/labels/decision';
import type { ExampleFilter, ExampleState, Guess } from '../../core/labels/view';

/** What of an example a filter looks at; each is asked for only if it matters. */
export interface FilteredRow {
  text(): string;
  state(): ExampleState | undefined;
  guess(): Guess | undefined;
  /** Whether an annotator has a word on it. */
  hasAnnotator(annotator: string): boolean;
}

export type RowTest = (row: FilteredRow) => boolean;

/** UTF-16 units of a search. */
const longestSearch = 1_000;
/** Milliseconds that a search may take on one text. */
const slowest = 50;

/** Whether the guesses of all texts have to be known to tell. */
export function needsGuesses({ guess, confidence, disagreement }: ExampleFilter): boolean {
  return guess !== undefined || confidence !== undefined || disagreement !== undefined;
}

/**
 * The test that a filter stands for.
 * @throws HumanError `filter.pattern`, `filter.slow`, `filter.length` when its search cannot be understood or may take for ever; the test itself throws `filter.slow` when it does
 */
export function compileFilter(filter: ExampleFilter): RowTest {
  const tests: RowTest[] = [];
  const { status, label, guess, confidence, disagreement, annotator, conflict } = filter;
  if (status !== undefined) tests.push((row) => status.includes(statusOf(row.state())));
  if (label !== undefined) tests.push((row) => holds(row.state()?.value, label));
  if (guess !== undefined) tests.push((row) => holds(row.guess()?.value, guess));
  if (confidence !== undefined) {
    const [from, to] = confidence;
    tests.push((row) => {
      const value = row.guess()?.confidence;
      return value !== undefined && value >= from && value <= to;
    });
  }
  if (disagreement !== undefined) tests.push((row) => disagrees(row) === disagreement);
  if (annotator !== undefined) tests.push((row) => row.hasAnnotator(annotator));
  if (conflict !== undefined) tests.push((row) => ((row.state()?.others.length ?? 0) > 0) === conflict);
  // last, as it costs most
  const search = compileSearch(filter.text ?? '');
  if (search) tests.push((row) => search(row.text()));
  return (row) => tests.every((test) => test(row));
}

/** `open` also where a decision was taken back. */
export function statusOf(state: ExampleState | undefined): 'open' | 'labeled' | 'skipped' | 'flagged' {
  return state === undefined || state.status === 'cleared' ? 'open' : state.status;
}

function holds(value: DecisionValue | undefined, label: string): boolean {
  return typeof value === 'object' ? value.includes(label) : value === label;
}

function disagrees(row: FilteredRow): boolean {
  const state = row.state();
  if (state?.status !== 'labeled') return false;
  const guess = row.guess();
  return guess !== undefined && typeof state.value !== 'number' && !isSameValue(state.value, guess.value);
}

/** All words in any order, whatever their case; or what stands between slashes, as a regular expression. Undefined: everything. */
export function compileSearch(text: string): ((text: string) => boolean) | undefined {
  const search = text.trim();
  if (search === '') return undefined;
  if (search.length > longestSearch) throw new HumanError('filter.length', 'A search has at most {0} characters. Search for a part of it.', [longestSearch]);
  const pattern = /^\/(.+)\/([a-z]*)$/s.exec(search);
  if (!pattern) {
    const words = search.toLowerCase().split(/\s+/);
    return (candidate) => {
      const folded = candidate.toLowerCase();
      return words.every((word) => folded.includes(word));
    };
  }
  const expression = compilePattern(pattern[1] ?? '', pattern[2] ?? '');
  return (candidate) => {
    const started = Date.now();
    const found = expression.test(candidate);
    if (Date.now() - started > slowest) throw slow(search);
    return found;
  };
}

function compilePattern(source: string, flags: string): RegExp {
  // `g` and `y` would make a test depend on the one before
  const kept = [...new Set(flags.replace(/[gy]/g, ''))].join('');
  try {
    const expression = new RegExp(source, kept);
    if (mayExplode(source)) throw slow(`/${source}/`);
    return expression;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new HumanError('filter.pattern', 'The regular expression /{0}/{1} cannot be understood ({2}). Mend it, or search for words without slashes.', [source, flags, error.message], { cause: error });
  }
}

function slow(search: string): HumanError {
  return new HumanError('filter.slow', 'The search {0} may take for ever, because a part that repeats is repeated. Write it without a repetition within a repetition, or search for words.', [search]);
}

/** Whether a group that holds a repetition without bound, or alternatives, is itself repeated without bound: engines that go back may need exponential time for that. */
export function mayExplode(source: string): boolean {
  const groups = [{ repeats: false }];
  for (let i = 0; i < source.length; i++) {
    const mark = source[i];
    if (mark === '(') {
      groups.push({ repeats: false });
      continue;
    }
    let repeats = mark === '|';
    if (mark === '\\') i++;
    if (mark === '[') i = classEnd(source, i);
    if (mark === ')' && groups.length > 1) {
      repeats = groups.pop()?.repeats ?? false;
      if (repeats && isUnbounded(source, i + 1)) return true;
    }
    const group = groups.at(-1);
    if (group && (repeats || isUnbounded(source, i + 1))) group.repeats = true;
  }
  return false;
}

function isUnbounded(source: string, at: number): boolean {
  return /^(?:[*+]|\{\d*,\d*\})/.test(source.slice(at, at + 20));
}

/** Index of the bracket that closes a class of characters. */
function classEnd(source: string, start: number): number {
  for (let i = start + 1; i < source.length; i++) {
    if (source[i] === '\\') i++;
    else if (source[i] === ']') return i;
  }
  return source.length;
}
