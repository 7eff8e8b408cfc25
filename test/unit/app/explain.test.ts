import * as assert from 'node:assert';
import { WordExplainer } from '../../../src/app/explain';
import { CancelledError, HumanError } from '../../../src/core/errors';
import { parseManifest } from '../../../src/core/model/manifest';
import { validateBundle } from '../../../src/core/model/bundle';
import { runExplainerWorker } from '../../../src/training/explainWorker';
import { wordBundle } from '../../fixtures/wordModel';
import { OnnxSession } from '../model/onnxSession';
import { ThreadWorker } from './labeling/harness';
import { pause } from './labeling/inputs';

describe('the words that decided', () => {
  const files = wordBundle({ name: 'words', version: '1', good: ['good'], bad: ['bad'] });
  const model = { key: 'words@1', folder: 'words', files, manifest: parseManifest(files.manifest, 'model.json') };
  const text = 'not a good one, neither bad nor good';
  const asked: string[] = [];
  const warned: string[] = [];
  let session: OnnxSession;
  const { tokenizer } = validateBundle(files, 'words');
  const predictor = {
    predict: async (_: string, texts: readonly string[]) => {
      asked.push(...texts);
      const rows = await session.run(texts.map((each) => [...tokenizer.encode(each)]));
      return { width: 2, scores: Float32Array.from(rows.flatMap(({ scores }) => scores)), tokens: new Int32Array(texts.length) };
    },
  };
  const explainer = (startExplainer?: () => ThreadWorker): WordExplainer => new WordExplainer({ predictor, log: { warn: (line) => void warned.push(line) }, ...(startExplainer ? { startExplainer } : {}) });
  const working = (): ThreadWorker => new ThreadWorker((port) => runExplainerWorker(port, { pause }));

  before(async () => (session = await OnnxSession.open(files.model)));
  after(() => session.close());
  beforeEach(() => {
    asked.length = 0;
    warned.length = 0;
  });

  it('are found from the gradient, without a prediction, in the places where leaving them out finds them', async () => {
    const byGradient = explainer(working);
    const words = await byGradient.explain({ text, model, column: 1 });
    byGradient.dispose();
    assert.deepStrictEqual([asked, warned], [[], []]);
    const left = await explainer().explain({ text, model, column: 1 });
    assert.ok(asked.length > words.length);
    assert.deepStrictEqual(words.map(({ start, end }) => [start, end]), left.map(({ start, end }) => [start, end]));
    const signs = (weights: typeof words): readonly string[] => weights.filter(({ weight }) => Math.abs(weight) > 0.01).map(({ start, end, weight }) => `${text.slice(start, end)} ${Math.sign(weight)}`);
    assert.deepStrictEqual(signs(words), ['good 1', 'bad -1', 'good 1']);
    assert.deepStrictEqual(signs(left), signs(words));
    for (const { weight } of words) assert.ok(Math.abs(weight) <= 1);
  });

  it('speak against the other label as much', async () => {
    const byGradient = explainer(working);
    const [pro, contra] = await Promise.all([1, 0].map((column) => byGradient.explain({ text, model, column })));
    byGradient.dispose();
    pro?.forEach(({ weight }, word) => assert.ok(Math.abs(weight + (contra?.[word]?.weight ?? NaN)) < 1e-5));
  });

  it('are found by leaving them out where the worker fails, and it is not tried for ever', async () => {
    let started = 0;
    const dying = explainer(() => {
      started++;
      const worker = new ThreadWorker(() => undefined);
      setImmediate(() => worker.end(new Error('no memory')));
      return worker;
    });
    const expected = await explainer().explain({ text, model, column: 1 });
    for (let turn = 0; turn < 5; turn++) assert.deepStrictEqual(await dying.explain({ text, model, column: 1 }), expected);
    assert.deepStrictEqual([started, warned.length], [3, 3]);
    assert.match(warned[0] ?? '', /no memory/);
  });

  it('are not looked for once they were cancelled', async () => {
    const byGradient = explainer(working);
    const stop = new AbortController();
    const words = byGradient.explain({ text, model, column: 1, signal: stop.signal });
    stop.abort();
    await assert.rejects(words, CancelledError);
    byGradient.dispose();
    assert.deepStrictEqual([asked, warned], [[], []]);
  });

  describe('with a head in the model’s place', () => {
    const width = 16;
    const silent = { kind: 'single', score: 0.6, features: new Float32Array(width), base: new Float32Array(0), columns: [], starts: new Int32Array(0), ends: new Int32Array(0), shares: new Float32Array(0) } as const;

    it('are those of the model where the head reads nothing else', async () => {
      const byGradient = explainer(working);
      const words = await byGradient.explain({ text, model, column: 1 });
      const [{ scores } = { scores: [] }] = await session.run([[...tokenizer.encode(text)]]);
      // the task has the labels in another order
      const head = { ...silent, score: scores[1]!, base: Float32Array.of(1, -1), columns: [1, 0] };
      const read = await byGradient.explain({ text, model, head });
      byGradient.dispose();
      read.forEach(({ start, weight }, word) => assert.ok(start === words[word]?.start && Math.abs(weight - words[word].weight) < 1e-5, `word ${word}`));
      assert.strictEqual(read.length, words.length);
    });

    it('are also those of its n-grams, added to the words that they are of, and of its features', async () => {
      const byGradient = explainer(working);
      // the comma is no word of the model's, so it stands for itself
      const places = [[4, 5], [6, 10], [14, 15], [16, 23]] as const;
      const head = { ...silent, starts: Int32Array.from(places, ([start]) => start), ends: Int32Array.from(places, ([, end]) => end), shares: Float32Array.of(0, 1, -0.5, 0.25) };
      const ofNgrams = await byGradient.explain({ text, model, head });
      assert.deepStrictEqual([...ofNgrams].sort((a, b) => a.start - b.start), ofNgrams);
      const weightOf = (words: typeof ofNgrams, start: number): number => words.find((word) => word.start === start)?.weight ?? NaN;
      const falls = (share: number): number => 0.6 - 1 / (1 + Math.exp(share - Math.log(0.6 / 0.4)));
      for (const [place, [start]] of places.entries()) assert.ok(Math.abs(weightOf(ofNgrams, start) - falls(head.shares[place]!)) < 1e-6, `place ${start}`);
      assert.strictEqual(weightOf(ofNgrams, 0), 0);

      const ofFeatures = await byGradient.explain({ text, model, head: { ...silent, features: new Float32Array(width).fill(1) } });
      byGradient.dispose();
      assert.ok(weightOf(ofFeatures, 6) > 0 && weightOf(ofFeatures, 24) < 0);
    });

    it('are not guessed at where the model cannot be read, and nothing else is known', async () => {
      await assert.rejects(explainer().explain({ text, model, head: silent }), (error: unknown) => error instanceof HumanError && error.code === 'explain.model');
      assert.ok((await explainer().explain({ text, model, head: silent, column: 1 })).length > 0);
    });
  });
});
