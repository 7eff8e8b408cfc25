import * as assert from 'node:assert';
import { buildEnsemble, type EnsembleContext, type EnsemblePlan } from '../../../src/app/ensemble';
import type { OpenedModel } from '../../../src/app/modelStore';
import { trainRequest } from '../../../src/app/trainRequest';
import { HumanError } from '../../../src/core/errors';
import { createBundle, validateBundle } from '../../../src/core/model/bundle';
import { defaultHyperparameters } from '../../../src/core/model/hyperparameters';
import { parseManifest, type ModelValue } from '../../../src/core/model/manifest';
import type { TaskKind } from '../../../src/core/model/onnxWriter';
import { presets } from '../../../src/core/model/presets';
import { Tokenizer } from '../../../src/core/text/tokenizer';
import { Random } from '../../../src/core/util/random';
import { codeOfWork } from '../humanErrors';
import { randomWeights } from '../model/referenceForward';

const tokenizerOf = (maxTokens = 10, text = 'a b c'): Tokenizer => Tokenizer.build([text], { minFrequency: 1, maxVocabulary: 10, maxTokens });

function model(name: string, labels: readonly string[], { kind = 'single', tokenizer = tokenizerOf(), value, threshold }: { kind?: TaskKind; tokenizer?: Tokenizer; value?: ModelValue; threshold?: number } = {}): OpenedModel {
  const architecture = presets[0]!.build({ vocabularySize: tokenizer.vocabularySize, labels: kind === 'number' ? 1 : labels.length + (value ? 1 : 0), embeddingSize: 4, hiddenUnits: 4, dropout: 0 });
  const files = createBundle({
    manifest: { name, version: 'v1', task: { kind, labels: labels.map((id) => ({ id })), ...(value ? { value } : {}), ...(threshold === undefined ? {} : { threshold }) }, data: {}, seed: 1, hyperparameters: {}, epochs: [], metrics: {}, temperature: 1 },
    tokenizer,
    architecture,
    weights: randomWeights(architecture, new Random(1)),
    precision: 'float32',
  });
  return { key: name, name, folder: `/models/${name}`, origin: 'folder', manifest: parseManifest(files.manifest, ''), files };
}

/** Scores by model, as each orders its labels. */
const scripted = (scores: Readonly<Record<string, readonly (readonly number[])[]>>, values: Readonly<Record<string, readonly number[]>> = {}): EnsembleContext => ({
  predictor: {
    load: () => Promise.resolve({ labels: [] }),
    unload: () => undefined,
    predict: (key, texts) => Promise.resolve({ scores: Float32Array.from(scores[key]!.flat()), width: scores[key]![0]!.length, tokens: new Int32Array(texts.length), ...(values[key] ? { values: Float32Array.from(values[key]) } : {}) }),
  },
});

const plan = (members: readonly OpenedModel[], labels: readonly string[]): EnsemblePlan => ({
  members,
  rows: labels.map((label, k) => ({ row: k + 1, text: `a ${k}`, label, labels: label.split(';').filter((each) => each !== ''), value: Number.isFinite(Number(label)) ? Number(label) : k })),
  file: '/data/valid.csv',
  textColumns: ['text'],
  labelColumn: 'label',
  name: 'both',
});

async function codeOf(members: readonly OpenedModel[], labels: readonly string[] = ['x']): Promise<string> {
  return await codeOfWork(buildEnsemble(plan(members, labels), scripted({})));
}

describe('putting an ensemble together', () => {
  it('fits the weights on the rows, in the first model’s order of the labels', async () => {
    // each is right about one of two rows to the same degree, the second with its labels the other way round
    const result = await buildEnsemble(plan([model('one', ['x', 'y']), model('two', ['y', 'x'])], ['x', 'y']), scripted({ one: [[0.9, 0.1], [0.8, 0.2]], two: [[0.8, 0.2], [0.9, 0.1]] }));
    assert.deepStrictEqual(result.weights.map((weight) => Number(weight.toFixed(6))), [0.5, 0.5]);
    const { manifest } = validateBundle(result.bundle, 'both');
    assert.deepStrictEqual(manifest.task.labels, [{ id: 'x' }, { id: 'y' }]);
    assert.deepStrictEqual(manifest.metrics, result.metrics);
    assert.ok(Math.abs(result.metrics['loss']! - -Math.log(0.55)) < 1e-6);
    assert.deepStrictEqual([result.metrics['rows'], result.metrics['accuracy']], [2, 1]);
    assert.deepStrictEqual(result.memberMetrics.map((own) => own['accuracy']), [0.5, 0.5]);
    assert.deepStrictEqual(manifest.data, { validation: 'valid.csv', textColumns: 'text', labelColumn: 'label', rows: 2, weights: 'fitted on these rows' });
  });

  it('averages numbers and several labels, too', async () => {
    const numbers = await buildEnsemble(plan([model('one', [], { kind: 'number' }), model('two', [], { kind: 'number' })], ['1.5', '2.5']), scripted({ one: [[1], [2]], two: [[3], [4]] }));
    assert.deepStrictEqual(numbers.weights, [0.75, 0.25]);
    const { pearson, ...exact } = numbers.metrics;
    assert.deepStrictEqual([exact, pearson!.toFixed(9)], [{ rows: 2, mae: 0, rmse: 0, r2: 1 }, '1.000000000']);
    const multi = await buildEnsemble(plan([model('one', ['x', 'y'], { kind: 'multi' }), model('two', ['x', 'y'], { kind: 'multi' })], ['x;y', '', 'y']), scripted({ one: [[0.5, 0.5], [0.5, 0.5], [0.5, 0.5]], two: [[0.9, 0.9], [0.1, 0.1], [0.1, 0.9]] }));
    assert.ok(multi.weights[1]! > 0.999 && multi.metrics['exactMatch'] === 1, JSON.stringify(multi));
  });

  it('averages the numbers of joint models by the weights of their labels, and decides by what the members agree on', async () => {
    const stars = { name: 'stars', mean: 0, deviation: 1 };
    const parts = [model('one', ['x', 'y'], { value: stars, threshold: 0.75 }), model('two', ['y', 'x'], { value: { ...stars, mean: 3 }, threshold: 0.25 })];
    // numbers of the rows: 0 and 1; the second is right where the first is not, as before
    const { weights, metrics, memberMetrics, bundle } = await buildEnsemble(plan(parts, ['x', 'y']), scripted({ one: [[0.9, 0.1], [0.4, 0.6]], two: [[0.1, 0.9], [0.6, 0.4]] }, { one: [1, 2], two: [-1, 0] }));
    assert.deepStrictEqual([weights.map((weight) => Number(weight.toFixed(6))), validateBundle(bundle, '').manifest.task.threshold], [[0.5, 0.5], 0.75]);
    // y has 0.6, which is below its threshold for all three
    assert.deepStrictEqual([metrics, ...memberMetrics].map((own) => own['accuracy']), [0.5, 0.5, 0.5]);
    assert.deepStrictEqual([metrics, ...memberMetrics].map((own) => [own['mae'], own['r2']]), [[0, 1], [1, -3], [1, -3]]);
  });

  it('says which models do not go together, and which row is wrong', async () => {
    const one = model('one', ['x', 'y']);
    const ensemble: OpenedModel = { ...one, manifest: validateBundle((await buildEnsemble(plan([one, model('two', ['x', 'y'])], ['x']), scripted({ one: [[1, 0]], two: [[1, 0]] }))).bundle, '').manifest };
    assert.strictEqual(await codeOf([one]), 'ensemble.count');
    assert.strictEqual(await codeOf(Array.from({ length: 17 }, () => one)), 'ensemble.count');
    assert.strictEqual(await codeOf([one, ensemble]), 'ensemble.nested');
    assert.strictEqual(await codeOf([one, model('two', ['x', 'y'], { kind: 'multi' })]), 'ensemble.kind');
    assert.strictEqual(await codeOf([one, model('two', ['x', 'z'])]), 'ensemble.labels');
    assert.strictEqual(await codeOf([one, model('two', ['x', 'y', 'z'])]), 'ensemble.labels');
    assert.strictEqual(await codeOf([one, model('two', ['x', 'y'], { tokenizer: tokenizerOf(11) })]), 'ensemble.tokenizer');
    assert.strictEqual(await codeOf([one, model('two', ['x', 'y'], { tokenizer: tokenizerOf(10, 'a b d') })]), 'ensemble.tokenizer');
    assert.strictEqual(await codeOf([one, model('two', ['x', 'y'])], ['x', 'w']), 'ensemble.label');
    const joint = (name: string, stars: string): OpenedModel => model(name, ['x', 'y'], { value: { name: stars, mean: 0, deviation: 1 } });
    assert.strictEqual(await codeOf([one, joint('two', 'stars')]), 'ensemble.value');
    assert.strictEqual(await codeOf([joint('one', 'points'), joint('two', 'stars')]), 'ensemble.value');
    const base = { files: ensemble.files, manifest: ensemble.manifest };
    const training = { ...plan([], ['x', 'y']), heldOut: { share: 0.5 }, preset: 'bilstm-pool', hyperparameters: defaultHyperparameters(), workers: 1, precision: 'float32' as const, version: 'v1', base };
    await assert.rejects(trainRequest(training, () => Promise.resolve()), (error) => error instanceof HumanError && error.code === 'training.ensemble' && error.message.includes('one v1, two v1'));
  });
});
