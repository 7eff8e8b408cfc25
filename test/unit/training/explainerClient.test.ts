import * as assert from 'node:assert';
import { CancelledError } from '../../../src/core/errors';
import { validateBundle } from '../../../src/core/model/bundle';
import { presets } from '../../../src/core/model/presets';
import type { ExplainerMethods } from '../../../src/core/protocol/explainer';
import { serve } from '../../../src/core/protocol/rpc';
import { Tokenizer } from '../../../src/core/text/tokenizer';
import { Random } from '../../../src/core/util/random';
import { Explainer, type ExplainableModel } from '../../../src/training/explainerClient';
import { ExplainedModel, runExplainerWorker } from '../../../src/training/explainWorker';
import { createKernelEngine } from '../../../src/training/kernels/kernelEngine';
import { TextGradient } from '../../../src/training/textGradient';
import { ThreadWorker, until } from '../app/labeling/harness';
import { pause } from '../app/labeling/inputs';
import { smallModel } from '../inference/realWorker';
import { randomWeights } from '../model/referenceForward';

const target = { kind: 'score', column: 1 } as const;

/** Timers that end when they are told to. */
class Clock {
  readonly waiting: (() => void)[] = [];
  setTimeout(callback: () => void): unknown {
    this.waiting.push(callback);
    return callback;
  }
  clearTimeout(timer: unknown): void {
    const at = this.waiting.indexOf(timer as () => void);
    if (at >= 0) this.waiting.splice(at, 1);
  }
  ring(): void {
    for (const callback of this.waiting.splice(0)) callback();
  }
}

describe('the explainer', () => {
  const workers: ThreadWorker[] = [];
  const clients: Explainer[] = [];
  const clock = new Clock();
  /** What the present worker was told. */
  let told: string[] = [];
  let holding: Promise<void> | undefined;

  /** Says what it is told, and explains nothing. */
  const listening = (): ThreadWorker => {
    const worker = new ThreadWorker((port) =>
      serve<ExplainerMethods>(port, {
        load: ({ key }) => {
          told.push(`load ${key}`);
          if (key === 'odd') throw new Error('not for me');
          return null;
        },
        unload: ({ key }) => {
          told.push(`unload ${key}`);
          return null;
        },
        explain: async ({ key, text }) => {
          told.push(`${key}: ${text}`);
          await holding;
          return { scores: new Float32Array(2), starts: new Int32Array(0), ends: new Int32Array(0), shares: new Float32Array(0) };
        },
      }),
    );
    workers.push(worker);
    return worker;
  };
  const client = (startWorker: () => ThreadWorker = listening): Explainer => {
    const made = new Explainer({ startWorker, clock });
    clients.push(made);
    return made;
  };
  const { files } = smallModel(1);
  const model = (key: string): ExplainableModel => ({ key, folder: 'm', files });

  beforeEach(() => {
    told = [];
    workers.length = 0;
    clock.waiting.length = 0;
    holding = undefined;
  });
  afterEach(async () => {
    await Promise.all(clients.splice(0).map((each) => each.dispose()));
  });

  it('gives each word its share, in the places of the text', async () => {
    const explainer = client(() => new ThreadWorker((port) => runExplainerWorker(port, { pause })));
    const text = 'A very good film, but the 电影 is bad ½';
    const { starts, ends, shares, scores } = await explainer.explain(model('m'), text, target);
    assert.deepStrictEqual(Array.from(starts, (start, word) => text.slice(start, ends[word])), ['A', 'very', 'good', 'film', 'but', 'the', '电', '影', 'is', 'bad', '½']);
    assert.ok(Math.abs(scores.reduce((sum, score) => sum + score) - 1) < 1e-5);
    // what is not in the vocabulary is what it is compared with
    assert.strictEqual(shares[10], 0);
    assert.ok(shares[2] !== 0);
  });

  it('puts the pieces of a word together', async () => {
    const tokenizer = Tokenizer.ofPieces([...'abcdefghijklmnopqrstuvwxyz'].flatMap((letter) => [letter, `##${letter}`]).concat('the', 'film', '##ing'), { maxTokens: 60 });
    const architecture = presets[0]!.build({ vocabularySize: tokenizer.vocabularySize, labels: 3, embeddingSize: 8, hiddenUnits: 8, dropout: 0 });
    const { files: pieces } = smallModel(2, { tokenizer, architecture, weights: randomWeights(architecture, new Random(2)) });
    const text = 'the filming was odd';
    const { starts, ends, shares } = (await ExplainedModel.open(pieces, 'pieces')).explain(text, target);
    assert.deepStrictEqual(Array.from(starts, (start, word) => text.slice(start, ends[word])), text.split(' '));
    const gradient = await TextGradient.open(validateBundle(pieces, 'pieces'), createKernelEngine());
    const ids = tokenizer.encode(text);
    const tokens = gradient.explain(ids, target).shares;
    assert.deepStrictEqual([ids.length, shares.length], [1 + 2 + 3 + 3, 4]);
    assert.ok(Math.abs(shares[1]! - (tokens[1]! + tokens[2]!)) < 1e-6);
    assert.ok(Math.abs(shares[3]! - (tokens[6]! + tokens[7]! + tokens[8]!)) < 1e-6);
  });

  it('leaves out the middle of a text that is longer than the model reads', async () => {
    const explainer = client(() => new ThreadWorker((port) => runExplainerWorker(port, { pause })));
    const text = Array.from({ length: 100 }, (_, k) => (k < 50 ? 'good' : 'bad')).join(' ');
    const { starts } = await explainer.explain(model('m'), text, target);
    // 60 tokens
    assert.deepStrictEqual([starts.length, starts[29], starts[30]], [60, 29 * 5, 50 * 5 + 20 * 4]);
  });

  it('sends a model once, and keeps few of them', async () => {
    const explainer = client();
    for (const [key, text] of [['a', '1'], ['b', '2'], ['a', '3'], ['c', '4'], ['a', '5'], ['b', '6']] as const) await explainer.explain(model(key), text, target);
    assert.deepStrictEqual(told, ['load a', 'a: 1', 'load b', 'b: 2', 'a: 3', 'load c', 'unload b', 'c: 4', 'a: 5', 'load b', 'unload c', 'b: 6']);
    assert.strictEqual(workers.length, 1);
  });

  it('asks nothing of a model that cannot be read', async () => {
    const explainer = client();
    for (let turn = 0; turn < 2; turn++) await assert.rejects(explainer.explain(model('odd'), 'x', target), /not for me/);
    assert.deepStrictEqual(told, ['load odd']);
  });

  it('ends a worker that nobody asks, but none that is asked', async () => {
    const explainer = client();
    await explainer.explain(model('a'), '1', target);
    let release = (): void => undefined;
    holding = new Promise((resolve) => (release = resolve));
    const answer = explainer.explain(model('a'), '2', target);
    await until(() => told.includes('a: 2'));
    assert.strictEqual(clock.waiting.length, 0);
    release();
    await answer;
    clock.ring();
    assert.ok(workers[0]?.ended);
    await explainer.explain(model('a'), '3', target);
    assert.deepStrictEqual([workers.length, told.slice(-2)], [2, ['load a', 'a: 3']]);
  });

  it('is cancelled at once, and by being disposed of', async () => {
    const explainer = client();
    holding = new Promise(() => undefined);
    const stop = new AbortController();
    const [one, other] = [explainer.explain(model('a'), '1', target, stop.signal), explainer.explain(model('a'), '2', target)];
    await until(() => told.includes('a: 2'));
    stop.abort();
    await assert.rejects(one, CancelledError);
    await explainer.dispose();
    await assert.rejects(other, CancelledError);
    await assert.rejects(explainer.explain(model('a'), '3', target), CancelledError);
    assert.ok(workers[0]?.ended);
  });

  it('says that the worker died, and starts it again with the next question', async () => {
    const explainer = client();
    holding = new Promise(() => undefined);
    const lost = explainer.explain(model('a'), '1', target);
    await until(() => told.includes('a: 1'));
    workers[0]?.end(new Error('out of memory'));
    await assert.rejects(lost, /out of memory/);
    holding = undefined;
    await explainer.explain(model('a'), '2', target);
    assert.strictEqual(workers.length, 2);
  });
});
