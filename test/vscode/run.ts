import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import Mocha from 'mocha';

/** Marks the lines that are the suite's own in an extension host's console, where everybody else writes too. */
const mark = 'test│ ';

/**
 * Runs the `*.test.js` files beside this one with mocha, inside the extension host. `@vscode/test-electron` and the harness for
 * code-server both call it. `options.json` beside it may name a pattern; the counts land in `counts.json`.
 *
 * @throws when a test failed or none ran
 */
export async function run(): Promise<void> {
  const options = JSON.parse(readFileSync(path.join(__dirname, 'options.json'), 'utf8')) as { grep?: string };
  const mocha = new Mocha({ ui: 'bdd', timeout: 180_000, reporter: HostReporter, ...(options.grep === undefined ? {} : { grep: options.grep }) });
  for (const file of readdirSync(__dirname, { recursive: true, encoding: 'utf8' })) if (file.endsWith('.test.js')) mocha.addFile(path.join(__dirname, file));
  const failures: string[] = [];
  const stats = await new Promise<Mocha.Stats | undefined>((resolve) => {
    const runner = mocha.run(() => resolve(runner.stats));
    runner.on(Mocha.Runner.constants.EVENT_TEST_FAIL, (test, error: Error) => failures.push(failureText(test, error)));
  });
  const counts = { passed: stats?.passes ?? 0, failed: stats?.failures ?? 0, skipped: stats?.pending ?? 0, failures };
  writeFileSync(path.join(__dirname, 'counts.json'), `${JSON.stringify(counts)}\n`);
  if (counts.failed > 0) throw new Error(`${counts.failed} tests failed`);
  if (counts.passed === 0) throw new Error('No test ran');
}

function failureText(test: Mocha.Runnable, error: Error): string {
  return `${test.fullTitle()}\n${error.stack ?? String(error)}`;
}

/** One console line a test: a host's console takes whole lines, without colours or cursor movements. */
class HostReporter extends Mocha.reporters.Base {
  constructor(runner: Mocha.Runner, options?: Mocha.MochaOptions) {
    super(runner, options);
    const say = (text: string) => {
      for (const line of text.split('\n')) console.log(`${mark}${line}`);
    };
    let depth = 0;
    runner.on(Mocha.Runner.constants.EVENT_SUITE_BEGIN, (suite) => {
      if (!suite.root) say(`${'  '.repeat(++depth)}${suite.title}`);
    });
    runner.on(Mocha.Runner.constants.EVENT_SUITE_END, (suite) => {
      if (!suite.root) depth--;
    });
    runner.on(Mocha.Runner.constants.EVENT_TEST_PASS, (test) => say(`${'  '.repeat(depth + 1)}✔ ${test.title} (${test.duration ?? 0} ms)`));
    runner.on(Mocha.Runner.constants.EVENT_TEST_PENDING, (test) => say(`${'  '.repeat(depth + 1)}- ${test.title}`));
    runner.on(Mocha.Runner.constants.EVENT_TEST_FAIL, (test, error: Error) => say(`${'  '.repeat(depth + 1)}✘ ${failureText(test, error)}`));
  }
}
