// Runs test/unit/**/*.test.ts.
//   node scripts/unitTests.mjs [part of a path …] [-- mocha arguments]
import { runMochaTests } from './mochaTests.mjs';

process.exitCode = await runMochaTests('test/unit', 180_000);
