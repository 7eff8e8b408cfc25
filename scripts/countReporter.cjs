// Mocha's usual output, and counts and failures in build/test-results/$LABEL_LENS_STAGE.json for the last lines of `npm test`.
const { mkdirSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');
const { reporters } = require('mocha');

/** How long a run may take to end after its last test, in milliseconds. What is still there then was left behind by a test. */
const patience = 30_000;

module.exports = class CountReporter extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    /** @type {string[]} */
    const texts = [];
    runner.on('fail', (test, error) => texts.push(`${test.fullTitle()}\n${error?.stack ?? error}`));
    runner.once('end', () => {
      const { passes, failures, pending } = this.stats;
      const write = (failed) => {
        const folder = join('build', 'test-results');
        mkdirSync(folder, { recursive: true });
        writeFileSync(join(folder, `${process.env.LABEL_LENS_STAGE}.json`), `${JSON.stringify({ passed: passes, failed, skipped: pending, failures: texts })}\n`);
      };
      write(failures);
      // mocha waits for what tests leave running, a CI for ever
      setTimeout(() => {
        console.error(`A test left something running that keeps this process alive: ${process.getActiveResourcesInfo().join(', ')}`);
        write(failures + 1);
        process.exit(1);
      }, patience).unref();
    });
  }
};
