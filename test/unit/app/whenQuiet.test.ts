import * as assert from 'node:assert';
import { mock } from 'node:test';
import * as fc from 'fast-check';
import { WhenQuiet } from '../../../src/app/whenQuiet';

describe('what waits until it is quiet', () => {
  beforeEach(() => mock.timers.enable({ apis: ['setTimeout', 'Date'] }));
  afterEach(() => mock.timers.reset());

  it('is done once for all that ask within the quiet time, at the latest when the longest time is over, and never unasked', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 400 }), { minLength: 1, maxLength: 30 }), (gaps) => {
        const quiet = 120;
        const longest = 500;
        const done: number[] = [];
        const expected: number[] = [];
        const waiting = new WhenQuiet(() => void done.push(Date.now()), quiet, longest);
        let asked: { readonly first: number; last: number } | undefined;
        const pass = (milliseconds: number): void => {
          for (let passed = 0; passed < milliseconds; passed++) {
            mock.timers.tick(1);
            if (!asked || Date.now() < Math.min(asked.last + quiet, asked.first + longest)) continue;
            expected.push(Date.now());
            asked = undefined;
          }
        };
        for (const gap of gaps) {
          pass(gap);
          waiting.ask();
          asked = { first: asked?.first ?? Date.now(), last: Date.now() };
          assert.ok(waiting.isWaiting);
        }
        pass(longest);
        assert.deepStrictEqual(done, expected);
        assert.ok(!waiting.isWaiting);
      }),
      { numRuns: 30 },
    );
  });

  it('is not done when it was cancelled', () => {
    let done = 0;
    const waiting = new WhenQuiet(() => void done++, 10, 50);
    waiting.ask();
    waiting.cancel();
    mock.timers.tick(100);
    assert.strictEqual(done, 0);
    waiting.ask();
    waiting.dispose();
    mock.timers.tick(100);
    assert.strictEqual(done, 0);
  });
});
