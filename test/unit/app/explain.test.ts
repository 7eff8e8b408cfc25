import * as assert from 'node:assert';
import { WordExplainer } from '../../../src/app/explain';
import { CancelledError } from '../../../src/core/errors';
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
});
