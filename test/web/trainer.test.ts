import * as assert from 'node:assert';
import type { Browser, Page, Worker } from 'playwright-core';
import { startChromium } from '../../scripts/vscodeServer.mjs';
import { validateBundle } from '../../src/core/model/bundle';
import type { Port } from '../../src/core/protocol/rpc';
import type { TrainProgress, TrainRequest, TrainResult } from '../../src/core/protocol/trainer';
import type { WorkerHandle } from '../../src/core/protocol/worker';
import type { KernelBuild } from '../../src/training/kernels/kernels';
import { Trainer } from '../../src/training/trainerClient';
import { runTrainerWorker, type TrainerAssets } from '../../src/training/worker';
import { wasmFolder } from '../unit/training/engines';
import { bilingualRows, request } from '../unit/training/fixture';
import type { Outcome, WebPage, WorkerChoice } from './api';
import { serveSite, type Site } from './site';

/** In functions that run inside the page. */
declare const lens: WebPage;

const trainerScript: WorkerChoice = { script: 'trainer.js' };
const quick = request({ rows: bilingualRows(40, 1), validation: bilingualRows(10, 2) }, { epochs: 2 });
const endless = request({}, { epochs: 1000, patience: 1000 });

const kernelBuild = (build: KernelBuild): WorkerChoice => ({ script: `kernelBuildWorker.js?build=${build}` });

/** The trainer in this process, instead of in a worker. */
function here(assets: TrainerAssets): WorkerHandle {
  let toOwner: (message: unknown) => void = () => undefined;
  let toTrainer: (message: unknown) => void = () => undefined;
  const port: Port = { postMessage: (message) => queueMicrotask(() => toOwner(message)), onMessage: (listener) => void (toTrainer = listener) };
  runTrainerWorker(port, assets);
  return { postMessage: (message) => toTrainer(message), onMessage: (listener) => void (toOwner = listener), onExit: () => undefined, terminate: () => Promise.resolve() };
}

describe('the trainer in Chromium', () => {
  let site: Site;
  let browser: Browser;
  let page: Page;
  before(async () => {
    site = await serveSite({
      'echo.js': 'onmessage = ({ data }) => { if (data.bytes) postMessage(data); };',
      'throws.js': 'throw new RangeError("too far");',
      'lonely/trainer.js': 'importScripts("/trainer.js");',
      // an extension's host as VS Code for the Web makes it (extensionHostWorker.ts): a worker that starts workers from blobs and under names of its own
      'host.js': `
        const NativeWorker = Worker;
        Worker = function (url, options = {}) {
          const blob = new Blob(["importScripts('" + url + "')"], { type: 'application/javascript' });
          return new NativeWorker(URL.createObjectURL(blob), { ...options, name: 'host -> ' + (options.name ?? '') });
        };
        importScripts(origin + '/page.js');`,
    });
    browser = await startChromium(process.env['LABEL_LENS_CHROMIUM']!);
  });
  after(async () => {
    await browser?.close();
    await site?.close();
  });
  const open = async (options?: { isolated: boolean }): Promise<void> => {
    page = await browser.newPage();
    await page.goto(site.page(options));
  };
  beforeEach(() => open());
  afterEach(async function () {
    this.timeout(60_000);
    // no test may leave a worker behind
    await Promise.all(page.workers().map((worker) => new Promise((resolve) => worker.once('close', resolve))));
    await page.close();
  });

  const train = (what: TrainRequest, worker = trainerScript): Promise<Outcome> => page.evaluate(([what, worker]) => lens.train(what, worker), [what, worker] as const);
  const trained = async (what: TrainRequest, worker = trainerScript): Promise<{ result: TrainResult; reports: readonly TrainProgress[] }> => {
    const outcome = await train(what, worker);
    if ('error' in outcome) assert.fail(`${outcome.error.name}: ${outcome.error.message}`);
    return outcome;
  };
  const failure = async (what: TrainRequest, worker = trainerScript): Promise<{ name: string; message: string; code: string | undefined }> => {
    const outcome = await train(what, worker);
    if ('result' in outcome) assert.fail('It trained.');
    return outcome.error;
  };

  it('learns English and Chinese remarks without shared memory, and reports how far it is', async () => {
    assert.deepStrictEqual(await page.evaluate(() => lens.sharing()), { isolated: false, sharedMemory: false });
    // threads that were asked for are done without
    const { result, reports } = await trained(request({ workers: 4 }));
    const { manifest } = validateBundle(result.bundle, 'remarks');
    assert.strictEqual(manifest.metrics['rows'], 100);
    assert.ok(manifest.metrics['accuracy']! > 0.95, JSON.stringify(manifest.metrics));
    assert.deepStrictEqual(
      reports.flatMap(({ finished }) => finished ?? []),
      result.epochs,
    );
  });

  it('gives the very bytes that the same request gives in Node', async () => {
    const { result } = await trained(quick, kernelBuild('plain'));
    const inNode = await new Trainer(() => here({ wasmFolder, pause: () => new Promise((resolve) => void setImmediate(resolve)), kernelBuild: 'plain' })).train(quick);
    for (const file of ['model', 'tokenizer'] as const) assert.deepStrictEqual(result.bundle[file], inNode.bundle[file]);
  });

  it('takes the faster build of the kernels, which learns what the other one does', async () => {
    const [fast, plain, unasked] = await Promise.all([trained(quick, kernelBuild('relaxed')), trained(quick, kernelBuild('plain')), trained(quick)]);
    const expected = validateBundle(plain.result.bundle, 'plain').weights();
    const weights = validateBundle(fast.result.bundle, 'relaxed').weights();
    assert.deepStrictEqual(Object.keys(weights), Object.keys(expected));
    for (const [name, { data }] of Object.entries(weights))
      data.forEach((value, k) => assert.ok(Math.abs(value - expected[name]!.data[k]!) <= 1e-3, `${name}[${k}]: ${value} instead of ${expected[name]!.data[k]}`));
    assert.deepStrictEqual(unasked.result.bundle.model, fast.result.bundle.model);
  });

  it('starts from a blob, and from another origin', async () => {
    const { model } = (await trained(quick)).result.bundle;
    for (const worker of [{ ...trainerScript, asBlob: true }, { script: site.elsewhere('trainer.js') }]) assert.deepStrictEqual((await trained(quick, worker)).result.bundle.model, model);
  });

  it('starts in the extension host of VS Code for the Web, from any origin', async () => {
    const { model } = (await trained(quick)).result.bundle;
    const begun = page.waitForEvent('worker');
    await page.evaluate(() => lens.startHost('host.js'));
    const host = await begun;
    for (const script of [`${site.page()}trainer.js`, site.elsewhere('trainer.js')]) {
      const outcome = await host.evaluate(([what, worker]) => lens.train(what, worker), [quick, { script }] as const);
      assert.ok('result' in outcome, JSON.stringify(outcome));
      assert.deepStrictEqual(outcome.result.bundle.model, model);
    }
    await page.evaluate(() => lens.endHost());
  });

  it('trains in an isolated page, too, where memory could be shared', async () => {
    const { model } = (await trained(quick)).result.bundle;
    await page.close();
    await open({ isolated: true });
    assert.deepStrictEqual(await page.evaluate(() => lens.sharing()), { isolated: true, sharedMemory: true });
    assert.deepStrictEqual((await trained(quick)).result.bundle.model, model);
  });

  it('ends the worker on a cancellation', async () => {
    const workers: Worker[] = [];
    page.on('worker', (worker) => workers.push(worker));
    const outcome = await page.evaluate(([what, worker]) => lens.train(what, worker, true), [endless, trainerScript] as const);
    assert.ok('error' in outcome && outcome.error.name === 'CancelledError', JSON.stringify(outcome));
    // that it ends is checked after every test
    assert.strictEqual(workers.length, 1);
  });

  it('sees a cancellation from inside while it trains', async () => {
    assert.deepStrictEqual(await page.evaluate(([what, worker]) => lens.cancelInside(what, worker), [endless, trainerScript] as const), { kind: 'error', name: 'CancelledError' });
  });

  it('hands over what a person can mend', async () => {
    const { name, code } = await failure(request({ rows: [] }));
    assert.deepStrictEqual({ name, code }, { name: 'HumanError', code: 'training.noRows' });
  });

  it('moves buffers instead of copying them', async () => {
    const { answer, left } = await page.evaluate((worker) => lens.send(worker, Uint8Array.of(1, 2)), { script: 'echo.js' });
    assert.deepStrictEqual(answer, { bytes: Uint8Array.of(1, 2) });
    assert.strictEqual(left, 0);
  });

  it('says how a worker ended: on request, by an error, by a promise that nobody looks at', async () => {
    assert.strictEqual(await page.evaluate((worker) => lens.exit(worker, true), { script: 'echo.js' }), undefined);
    assert.match((await page.evaluate((worker) => lens.exit(worker), { script: 'throws.js' }))!, /too far/);
    assert.match((await page.evaluate((worker) => lens.exit(worker), { script: 'rejectingWorker.js' }))!, /unheard/);
  });

  it('says so when the worker cannot be started or dies', async () => {
    for (const [script, reason] of Object.entries({ 'none.js': /none\.js could not be loaded/, 'throws.js': /too far/, [site.elsewhere('none.js')]: /none\.js/ })) {
      const { name, code, message } = await failure(quick, { script });
      assert.deepStrictEqual({ name, code }, { name: 'HumanError', code: 'training.stopped' });
      assert.match(message, reason);
    }
  });

  it('says so when its WebAssembly file is missing', async () => {
    assert.match((await failure(quick, { script: 'lonely/trainer.js' })).message, /could not start/);
  });

  it('is one script without anything of Node', () => {
    const { inputs, imports } = Object.values(site.bundles.outputs).find(({ entryPoint }) => entryPoint === 'src/platform/web/trainerWorker.ts')!;
    assert.deepStrictEqual(imports, []);
    assert.deepStrictEqual(
      Object.keys(inputs).filter((file) => file.startsWith('src/platform/') && !file.startsWith('src/platform/web/')),
      [],
    );
  });
});
