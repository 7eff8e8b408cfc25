import * as assert from 'node:assert';
import { readFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import * as path from 'node:path';
import * as esbuild from 'esbuild';

/** The `nice` value of the thread that runs it, for a worker. */
const own = `require('node:fs').readFileSync('/proc/thread-self/stat', 'utf8').split(') ').at(-1).split(' ')[16]`;

describe('a worker in the background', () => {
  it('lets others go first, and only itself and those that it starts', async function () {
    if (process.platform !== 'linux') this.skip();
    const built = await esbuild.build({ stdin: { contents: `import { stepBack } from './src/platform/node/background'; stepBack();`, resolveDir: path.resolve('.') }, bundle: true, platform: 'node', format: 'cjs', write: false });
    const inner = `require('node:worker_threads').parentPort.postMessage(${own});`;
    const code = `${built.outputFiles[0]!.text}
      const { parentPort, Worker, workerData } = require('node:worker_threads');
      const mine = ${own};
      new Worker(workerData, { eval: true }).on('message', (theirs) => parentPort.postMessage([mine, theirs]));`;
    const nice = (): number => Number(readFileSync('/proc/self/stat', 'utf8').split(') ').at(-1)!.split(' ')[16]);
    const before = nice();
    const worker = new Worker(code, { eval: true, workerData: inner });
    const values = await new Promise<string[]>((resolve, reject) => worker.on('message', resolve).on('error', reject));
    await worker.terminate();
    assert.deepStrictEqual(values.map(Number), [Math.max(10, before), Math.max(10, before)]);
    assert.strictEqual(nice(), before);
  });
});
