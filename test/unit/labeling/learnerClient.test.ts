import * as assert from 'node:assert';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { CancelledError, HumanError } from '../../../src/core/errors';
import type { WorkerHandle } from '../../../src/core/protocol/worker';
import { LearnerClient } from '../../../src/labeling/learnerClient';
import { startNodeWorker } from '../../../src/platform/node/workers';
import { buildDist } from '../../dist';
import { batchOf, labeled, madeTexts } from './texts';

describe('the learner in a worker thread', () => {
  let folder: string;
  let started: WorkerHandle[] = [];
  let clients: LearnerClient[] = [];
  const start = (): WorkerHandle => {
    const worker = startNodeWorker(path.join(folder, 'learner.js'));
    started.push(worker);
    return worker;
  };
  /** A client that gets all features again when its worker lost them. */
  const clientFor = (texts: typeof made, startWorker = start): LearnerClient => {
    const client: LearnerClient = new LearnerClient({ startWorker, onFeaturesLost: () => void client.addFeatures(batchOf(texts, 0, texts.setup.count)) });
    clients.push(client);
    return client;
  };
  const made = madeTexts(300);
  const decisions = Array.from({ length: 40 }, (_, position) => labeled(position, made.truth[position]!));

  before(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'label-lens-learner-'));
    await buildDist(folder, ['learner']);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));
  beforeEach(() => {
    started = [];
    clients = [];
  });
  afterEach(async () => {
    for (const client of clients) await client.dispose();
  });

  it('learns, ranks and guesses', async () => {
    const client = clientFor(made);
    await client.open(made.setup);
    await client.addFeatures(batchOf(made, 0, 300));
    const ranking = await client.decide(decisions);
    assert.strictEqual(ranking.open, 260);
    assert.strictEqual(ranking.order.length, 260);
    assert.ok(ranking.trusted);
    const scores = await client.guess(Int32Array.from([100, 200]));
    assert.strictEqual(scores.length, 6);
    assert.deepStrictEqual([...(await client.guessAll()).slice(300, 303)], [...scores.slice(0, 3)]);
    const { positions, curve } = await client.crossValidate(4, 1);
    assert.strictEqual(positions.length, 40);
    assert.ok(curve.length > 0);
  });

  it('starts its worker again after a crash, with all that it knew, and answers what was under way', async () => {
    const client = clientFor(made);
    const steady = clientFor(made);
    for (const one of [client, steady]) {
      await one.open(made.setup);
      await one.addFeatures(batchOf(made, 0, 300));
      await one.decide(decisions);
    }
    const [first] = started;
    const asked = client.decide([labeled(50, made.truth[50]!)]);
    await first!.terminate();
    assert.strictEqual((await asked).open, 259);
    await steady.decide([labeled(50, made.truth[50]!)]);
    // the features have come again by now, for requests are answered in their order
    const [again, ever] = [await client.rank('useful'), await steady.rank('useful')];
    assert.deepStrictEqual([again.open, again.trusted, new Set(again.order)], [ever.open, ever.trusted, new Set(ever.order)]);
    // learned from the start, not from the last weights: the same but for what a fit leaves undone
    const [now, otherwise] = [await client.guessAll(), await steady.guessAll()];
    now.forEach((score, i) => assert.ok(Math.abs(score - otherwise[i]!) < 0.02, `${score} for ${otherwise[i]}`));
    assert.strictEqual(started.length, 3);
  });

  it('gives up, in words for people, when it dies again and again, and tries anew with another pool', async () => {
    let isDying = true;
    const client = clientFor(made, () => {
      const worker = start();
      return isDying ? { ...worker, onMessage: () => void worker.terminate() } : worker;
    });
    await client.open(made.setup);
    await assert.rejects(client.rank('file'), (error) => error instanceof HumanError && error.code === 'learner.stopped' && /labels are safe/.test(error.message));
    const tried = started.length;
    await assert.rejects(client.rank('file'), HumanError);
    assert.strictEqual(started.length, tried);
    isDying = false;
    await client.open(made.setup);
    assert.strictEqual((await client.rank('file')).open, 300);
  });

  it('rejects what was asked of a pool when another one is opened, and what is under way when it is disposed', async () => {
    const client = clientFor(made);
    await client.open(made.setup);
    const asked = client.decide(decisions);
    const rejected = assert.rejects(asked, CancelledError);
    const other = madeTexts(20);
    await client.open(other.setup);
    await rejected;
    const ranking = await client.rank('useful');
    assert.strictEqual(ranking.open, 20);
    const late = assert.rejects(client.rank('shuffle'), CancelledError);
    await client.dispose();
    await late;
    await assert.rejects(client.rank('file'), CancelledError);
  });

  it('hands over what a decision that does not fit is refused with', async () => {
    const client = clientFor(made);
    await client.open(made.setup);
    await assert.rejects(client.decide([labeled(300, 0)]), /no text 300/);
    await assert.rejects(client.decide([labeled(3, 7)]), /no answer/);
  });
});
