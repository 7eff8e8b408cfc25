import * as assert from 'node:assert';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import * as esbuild from 'esbuild';
import type { WorkerHandle } from '../../../src/core/protocol/worker';
import { startNodeWorker } from '../../../src/platform/node/workers';

describe('startNodeWorker', () => {
  let folder: string;
  before(() => (folder = mkdtempSync(path.join(tmpdir(), 'label-lens-workers-'))));
  after(() => rmSync(folder, { recursive: true, force: true }));
  const script = (name: string, source: string): string => {
    const file = path.join(folder, `${name}.js`);
    writeFileSync(file, `const { parentPort } = require('node:worker_threads');\n${source}`);
    return file;
  };
  const exit = (worker: WorkerHandle): Promise<Error | undefined> => new Promise((resolve) => worker.onExit(resolve));
  const message = (worker: WorkerHandle): Promise<unknown> => new Promise((resolve) => worker.onMessage(resolve));

  it('carries messages, and moves buffers', async () => {
    const worker = startNodeWorker(script('echo', 'parentPort.on("message", (m) => parentPort.postMessage(m));'));
    const answer = message(worker);
    const bytes = Uint8Array.of(1, 2);
    worker.postMessage({ bytes, text: 'ü' }, [bytes.buffer]);
    assert.deepStrictEqual(await answer, { bytes: Uint8Array.of(1, 2), text: 'ü' });
    assert.strictEqual(bytes.length, 0);
    await worker.terminate();
  });

  it('says how a worker ended: on request, by an error, by itself, for lack of memory', async () => {
    const endless = startNodeWorker(script('endless', 'parentPort.on("message", () => { for (;;); });'));
    const stopped = exit(endless);
    endless.postMessage('compute');
    await endless.terminate();
    assert.strictEqual(await stopped, undefined);
    assert.match((await exit(startNodeWorker(script('throw', 'throw new RangeError("too far");'))))!.message, /too far/);
    assert.match((await exit(startNodeWorker(script('reject', 'Promise.reject(new Error("unheard"));'))))!.message, /unheard/);
    assert.match((await exit(startNodeWorker(script('exit', 'process.exit(3);'))))!.message, /code 3/);
    assert.match((await exit(startNodeWorker(path.join(folder, 'none.js'))))!.message, /none\.js/);
    const greedy = startNodeWorker(script('greedy', 'const all = []; for (;;) all.push(Array.from({ length: 1000 }, (_, i) => String(i)));'), { heapLimit: 20 });
    assert.match((await exit(greedy))!.message, /memory limit/);
  });

  it('hands what it prints to the log, line by line', async () => {
    const lines: string[] = [];
    const worker = startNodeWorker(script('print', 'process.stdout.write("one\\ntw"); console.log("o"); console.error("three"); process.stdout.write("four");'), { log: (line) => lines.push(line) });
    await exit(worker);
    // the streams may end behind it
    while (lines.length < 4) await new Promise((resolve) => setImmediate(resolve));
    assert.deepStrictEqual(lines.sort(), ['four', 'one', 'three', 'two']);
  });

  it('lets nothing of it through to the process’s own output', async () => {
    const noisy = script('noisy', 'console.log("noise"); console.error("noise"); process.stdout.write("noise");');
    const main = path.join(folder, 'main.js');
    await esbuild.build({
      stdin: {
        contents: `import { startNodeWorker } from './src/platform/node/workers'; startNodeWorker(${JSON.stringify(noisy)}).onExit((error) => console.log('ended', error));`,
        resolveDir: '.',
        loader: 'ts',
      },
      outfile: main,
      bundle: true,
      platform: 'node',
    });
    const { stdout, stderr, status } = spawnSync(process.execPath, [main], { encoding: 'utf8' });
    assert.deepStrictEqual({ stdout: stdout.replace(/Error: .*[^]*$/, ''), stderr, status }, { stdout: 'ended ', stderr: '', status: 0 });
  });
});
