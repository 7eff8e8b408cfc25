import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import type { Hyperparameters } from '../protocol/trainer';
import { JsonObject } from './jsonChecks';
import type { TaskKind } from './onnxWriter';

/**
 * What a search over settings remembers: one JSON object a line for each fold that is done, in a file that only grows. A line counts by its key, which stands for all that its numbers depend on, so that a search that
 * was stopped goes on, one over more settings does only what is new, and one on other rows takes nothing from it.
 */

/** Counts what changes the numbers without changing the settings, such as the way folds are made: older results then do not count. */
const course = 1;

/** UTF-16 units of a line that is read. */
const longestLine = 20_000;

/** How a fold went. */
export interface FoldResult {
  /** See {@link foldKey}. */
  readonly key: string;
  /** By their names; none where the training diverged. */
  readonly metrics: Readonly<Record<string, number>>;
  /** Seconds that it took. */
  readonly seconds: number;
}

/** What the result of a fold depends on. */
export interface FoldInputs {
  /** SHA-256 of all rows, see `dataHash`. */
  readonly data: string;
  readonly kind: TaskKind;
  /** Number of folds. */
  readonly folds: number;
  /** Seed of the folds. */
  readonly seed: number;
  /** Share of the other folds that decides when to stop. */
  readonly heldOut: number;
  /** 0-based. */
  readonly fold: number;
  readonly preset: string;
  readonly hyperparameters: Hyperparameters;
}

/** The same for the same inputs alone: 128 bits of their SHA-256, hexadecimal. */
export function foldKey({ data, kind, folds, seed, heldOut, fold, preset, hyperparameters }: FoldInputs): string {
  const settings = Object.entries(hyperparameters).sort(([a], [b]) => (a < b ? -1 : 1));
  return bytesToHex(sha256(utf8ToBytes(JSON.stringify([course, data, kind, folds, seed, heldOut, fold, preset, settings]))).subarray(0, 16));
}

/** The line of a result. What it was trained with is there for a reader. */
export function formatFoldResult({ key, metrics, seconds }: FoldResult, of: { readonly fold: number; readonly preset: string; readonly hyperparameters: Partial<Hyperparameters> }): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify({ key, fold: of.fold + 1, preset: of.preset, hyperparameters: of.hyperparameters, metrics, seconds })}\n`);
}

/**
 * The results in a file, by their keys. What is no whole line, as the last may be after a kill, is passed over.
 * @returns `damaged`: how many lines were
 */
export function parseFoldResults(content: Uint8Array, where: string): { readonly results: ReadonlyMap<string, FoldResult>; readonly damaged: number } {
  const results = new Map<string, FoldResult>();
  let damaged = 0;
  for (const [index, line] of new TextDecoder().decode(content).split('\n').entries()) {
    if (line.trim() === '') continue;
    try {
      const object = JsonObject.parseLine(line, `${where}:${index + 1}`, longestLine);
      const key = object.pattern('key', 32, /^[0-9a-f]{32}$/, 'e3b0c44298fc1c149afbf4c8996fb924');
      results.set(key, { key, metrics: object.numbers('metrics', 20), seconds: object.number('seconds', 0, Number.MAX_VALUE) });
    } catch {
      damaged++;
    }
  }
  return { results, damaged };
}
