// @ts-check
// What the test stages leave for the last lines of `npm test`: one small file each.
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Where every stage leaves its counts, as `<stage>.json`. */
export const resultsFolder = join('build', 'test-results');

/** `failures`: what failed and why, a text each. @typedef {{ passed: number, failed: number, skipped: number, failures?: readonly string[] }} Counts */

/** @param {string} stage @param {Counts} counts */
export function writeCounts(stage, counts) {
  const file = join(resultsFolder, `${stage}.json`);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(counts)}\n`);
}

/**
 * A stage's counts; undefined where it left none, which is a failure of the stage.
 * @param {string} stage
 * @returns {Counts | undefined}
 */
export function readCounts(stage) {
  const file = join(resultsFolder, `${stage}.json`);
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined;
}

/**
 * All `*.test.ts` files under a folder, those that contain one of `parts` if any is given.
 * @param {string} folder
 * @param {readonly string[]} [parts]
 */
export function testFiles(folder, parts = []) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => join(folder, name))
    .filter((name) => parts.length === 0 || parts.some((part) => name.includes(part)))
    .sort();
}
