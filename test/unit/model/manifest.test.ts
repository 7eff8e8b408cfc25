import * as assert from 'node:assert';
import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { HumanError } from '../../../src/core/errors';
import { formatManifest, parseManifest, type ModelManifest } from '../../../src/core/model/manifest';

const digest = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

const example: ModelManifest = {
  formatVersion: 1,
  name: 'reviews',
  version: 'v3',
  parent: 'sentiment@1',
  description: 'Sentiment of 评论',
  task: { kind: 'single', labels: [{ id: 'neg', name: 'negative' }, { id: '__proto__' }, { id: '好' }] },
  architecture: {
    preset: 'bilstm-pool',
    layers: [
      { type: 'embedding', name: 'embedding', vocabularySize: 30, size: 8 },
      { type: 'dropout', name: 'drop', rate: 0.3, over: 'tokens' },
      { type: 'lstm', name: 'lstm', units: 4, bidirectional: true, recurrentDropout: 0.25 },
      { type: 'pool', name: 'pool', methods: ['max', 'mean', 'last'] },
      { type: 'dense', name: 'dense', units: 5, activation: 'tanh' },
      { type: 'dense', name: 'head', units: 3, activation: 'linear' },
    ],
  },
  tokenizer: { maxTokens: 400, truncation: 'head+tail', sha256: digest },
  data: { rows: 5000, file: 'reviews.csv' },
  seed: 1,
  hyperparameters: { epochs: 10, learningRate: 0.002, schedule: 'one-cycle' },
  epochs: [
    { trainLoss: 0.7, validLoss: 0.6, validAccuracy: 0.7, seconds: 12.5 },
    { trainLoss: NaN, validLoss: NaN, validAccuracy: 0.5, seconds: 11 },
  ],
  metrics: { accuracy: 0.87, ece: 0.02 },
  temperature: 1.7,
  precision: 'int8',
  sha256: digest,
};

function parseText(text: string): ModelManifest {
  return parseManifest(new TextEncoder().encode(text), 'folder/model.json');
}

/** The example with the member at `path` replaced by `value`, or removed if it is undefined. */
function changed(path: string, value: unknown): string {
  const whole = JSON.parse(new TextDecoder().decode(formatManifest(example))) as Record<string, unknown>;
  const names = path.split('.');
  let object: Record<string, unknown> = whole;
  for (const name of names.slice(0, -1)) object = object[name] as Record<string, unknown>;
  object[names.at(-1)!] = value;
  return JSON.stringify(whole);
}

function errorOf(run: () => unknown): HumanError | undefined {
  try {
    run();
  } catch (error) {
    if (error instanceof HumanError) return error;
    throw error;
  }
  return undefined;
}

const layer = (index: number): unknown => JSON.parse(JSON.stringify(example.architecture.layers[index]));
const layers = (...list: unknown[]): unknown => list;
const conv = (changes: object): unknown => ({ type: 'conv', name: 'c', filters: 8, kernelSize: 3, activation: 'relu', ...changes });
const attention = { type: 'attention', name: 'attention', units: 4 };

describe('parseManifest', () => {
  it('gives back what formatManifest wrote', () => {
    assert.deepStrictEqual(parseManifest(formatManifest(example), 'model.json'), example);
    const { parent, description, ...without } = example;
    assert.ok(parent && description);
    assert.deepStrictEqual(parseManifest(formatManifest(without), 'model.json'), without);
  });

  it('reads that of the shipped model, whatever hyperparameters its training knew', () => {
    const { name, hyperparameters, architecture } = parseManifest(readFileSync('models/sentiment/model.json'), 'model.json');
    assert.strictEqual(name, 'sentiment');
    const [embedding] = architecture.layers;
    assert.ok(embedding?.type === 'embedding' && hyperparameters['vocabularySize'] === embedding.vocabularySize);
    assert.ok(Number(hyperparameters['languageModelSteps']) > 0, 'which Train Model does not know');
  });

  it('leaves out what it does not know, so that files with additions can be read', () => {
    assert.deepStrictEqual(parseText(changed('futureField', { a: 1 })), example);
    assert.deepStrictEqual(parseText(changed('task.futureField', [1])), example);
  });

  it('reads the other kinds of tasks', () => {
    const head = { type: 'dense', name: 'head', units: 1, activation: 'linear' };
    const number = JSON.parse(changed('task', { kind: 'number', labels: [] })) as { architecture: { layers: unknown[] } };
    number.architecture.layers[5] = head;
    assert.deepStrictEqual(parseText(JSON.stringify(number)).task, { kind: 'number', labels: [] });
    const multi = JSON.parse(changed('task', { kind: 'multi', labels: [{ id: 'spam' }] })) as { architecture: { layers: unknown[] } };
    multi.architecture.layers[5] = head;
    assert.deepStrictEqual(parseText(JSON.stringify(multi)).task, { kind: 'multi', labels: [{ id: 'spam' }] });
    // one unit that tells two labels apart, but not three, and none for both of two that may both apply
    const binary = (kind: string, labels: readonly string[]): string => {
      const file = JSON.parse(changed('task', { kind, labels: labels.map((id) => ({ id })) })) as { architecture: { layers: unknown[] } };
      file.architecture.layers[5] = head;
      return JSON.stringify(file);
    };
    assert.deepStrictEqual(parseText(binary('single', ['ham', 'spam'])).architecture.layers[5], head);
    assert.throws(() => parseText(binary('single', ['ham', 'spam', 'unsure'])), /2 scores for 3/);
    assert.throws(() => parseText(binary('multi', ['ham', 'spam'])), /1 scores for 2/);
  });

  it('reads thresholds and numbers where they mean something', () => {
    const withHead = (task: unknown, units: number): string => {
      const model = JSON.parse(changed('task', task)) as { architecture: { layers: unknown[] } };
      model.architecture.layers[5] = { type: 'dense', name: 'head', units, activation: 'linear' };
      return JSON.stringify(model);
    };
    const labels = [{ id: 'no' }, { id: 'yes' }];
    const value = { name: 'stars', mean: 3.5, deviation: 0.5 };
    for (const [task, units] of [
      [{ kind: 'single', labels, threshold: 0.25 }, 2],
      [{ kind: 'single', labels, value }, 3],
      [{ kind: 'multi', labels, threshold: 0.25, thresholds: [0, 1] }, 2],
      [{ kind: 'number', labels: [], value }, 1],
    ] as const)
      assert.deepStrictEqual(parseText(withHead(task, units)).task, task);
    assert.deepStrictEqual(parseText(withHead({ kind: 'number', labels: [], threshold: 0.3 }, 1)).task, { kind: 'number', labels: [] });
    assert.deepStrictEqual(parseText(withHead({ kind: 'multi', labels, value }, 2)).task, { kind: 'multi', labels });
    const refusals: readonly [unknown, number, string][] = [
      [{ kind: 'single', labels, threshold: 1.5 }, 2, 'json.number'],
      [{ kind: 'multi', labels, thresholds: [0.5] }, 2, 'json.list'],
      [{ kind: 'multi', labels, thresholds: [0.5, '0.5'] }, 2, 'json.number'],
      [{ kind: 'single', labels, value }, 2, 'manifest.labels'],
      [{ kind: 'single', labels, value: 3 }, 3, 'json.object'],
      [{ kind: 'single', labels, value: { ...value, deviation: 0 } }, 3, 'json.number'],
      [{ kind: 'single', labels, value: { ...value, mean: 1e31 } }, 3, 'json.number'],
      [{ kind: 'single', labels, value: { ...value, name: '' } }, 3, 'json.text'],
    ];
    for (const [task, units, code] of refusals) assert.throws(() => parseText(withHead(task, units)), (error) => error instanceof HumanError && error.code === code, JSON.stringify(task));
  });

  const cases: readonly [path: string, value: unknown, code: string, mention?: string][] = [
    ['formatVersion', undefined, 'manifest.version'],
    ['formatVersion', 2, 'manifest.newer', 'Update'],
    ['formatVersion', 0, 'json.integer'],
    ['formatVersion', '1', 'json.integer'],
    ['formatVersion', 1.5, 'json.integer'],
    ['name', undefined, 'json.text'],
    ['name', '', 'json.text'],
    ['name', 'x'.repeat(201), 'json.text', '200'],
    ['version', 3, 'json.text'],
    ['parent', null, 'json.text'],
    ['description', ['x'], 'json.text'],
    ['task', undefined, 'json.object'],
    ['task', [], 'json.object'],
    ['task.kind', 'ranking', 'json.choice', 'single, multi, number'],
    ['task.kind', 'number', 'json.list'],
    ['task.labels', [{ id: 'a' }], 'json.list', '2 to 10000'],
    ['task.labels', Array.from({ length: 10_001 }, (_, i) => ({ id: `l${i}` })), 'json.list', 'task.labels'],
    ['task.labels', { length: 2 }, 'json.list'],
    ['task.labels', ['a', 'b', 'c'], 'json.object', 'task.labels[0]'],
    ['task.labels', [{ id: 'a' }, { id: 'b' }, { id: 'a' }], 'json.distinct', '"a"'],
    ['task.labels', [{ id: 'a' }, { id: 'b' }, { id: '' }], 'json.text', 'task.labels[2].id'],
    ['task.labels', [{ id: 'a' }, { id: 'b' }], 'manifest.labels', '3 scores for 2'],
    ['architecture', 'bilstm-pool', 'json.object'],
    ['architecture.preset', undefined, 'json.text'],
    ['architecture.layers', [], 'json.list'],
    ['architecture.layers', Array.from({ length: 100 }, () => layer(1)), 'json.list'],
    ['architecture.layers', layers(layer(0), layer(3), { type: 'transformer', name: 'x' }), 'json.choice', 'architecture.layers[2].type'],
    ['architecture.layers', layers(layer(2), layer(3), layer(5)), 'manifest.architecture'],
    ['architecture.layers', layers(layer(0), layer(0), layer(3), layer(5)), 'json.distinct'],
    ['architecture.layers', layers(layer(0), layer(5)), 'manifest.architecture', 'reads a vector'],
    ['architecture.layers', layers(layer(0), layer(2), layer(3)), 'manifest.architecture', 'ends with a dense'],
    ['architecture.layers', layers(layer(0), layer(3), layer(5)), 'manifest.architecture', 'reads an LSTM'],
    ['architecture.layers.0.name', '../x', 'json.pattern'],
    ['architecture.layers.0.vocabularySize', 1e9, 'json.integer', 'architecture.layers[0].vocabularySize'],
    ['architecture.layers.0.size', 1e6, 'json.integer'],
    ['architecture.layers.0.size', 16_384, 'accepted'],
    ['architecture.layers.2.units', 0, 'json.integer'],
    ['architecture.layers.2.units', 16_384, 'manifest.size', '64000000'],
    ['architecture.layers.2.bidirectional', 'yes', 'json.boolean'],
    ['architecture.layers.3.methods', ['max', 'max'], 'json.choices'],
    ['architecture.layers.3.methods', ['max', 'attention'], 'json.choices'],
    ['architecture.layers.3.methods', [], 'json.list'],
    ['architecture.layers', layers(layer(0), conv({}), { type: 'maxPool', name: 'm', size: 2 }, attention, layer(5)), 'accepted'],
    ['architecture.layers', layers(layer(0), layer(2), conv({}), layer(3), layer(5)), 'manifest.architecture', 'reads an LSTM'],
    ['architecture.layers', layers(layer(0), layer(2), { type: 'maxPool', name: 'm', size: 2 }, layer(3), layer(5)), 'manifest.architecture', 'reads an LSTM'],
    ['architecture.layers', layers(layer(0), attention, conv({}), layer(5)), 'manifest.architecture', 'reads a sequence'],
    ['architecture.layers', layers(layer(0), conv({ kernelSize: 65 }), attention, layer(5)), 'json.integer', 'architecture.layers[1].kernelSize'],
    ['architecture.layers', layers(layer(0), conv({ filters: 0 }), attention, layer(5)), 'json.integer', 'architecture.layers[1].filters'],
    ['architecture.layers', layers(layer(0), conv({ filters: 16_384, kernelSize: 64 }), conv({ name: 'd', filters: 16_384, kernelSize: 64 }), attention, layer(5)), 'manifest.size'],
    ['architecture.layers', layers(layer(0), conv({ activation: 'tanh' }), attention, layer(5)), 'json.choice', 'linear, relu'],
    ['architecture.layers', layers(layer(0), { type: 'maxPool', name: 'm', size: 0 }, attention, layer(5)), 'json.integer', 'architecture.layers[1].size'],
    ['architecture.layers', layers(layer(0), { ...attention, units: 1e9 }, layer(5)), 'json.integer', 'architecture.layers[1].units'],
    ['architecture.layers.4.activation', 'gelu', 'json.choice'],
    ['architecture.layers.1.rate', 1, 'json.number'],
    ['architecture.layers.1.over', 'words', 'json.choice', 'values, tokens'],
    ['architecture.layers.1.over', null, 'json.choice'],
    ['architecture.layers.1.over', 'values', 'accepted'],
    ['architecture.layers.1.over', undefined, 'accepted'],
    ['architecture.layers', layers(layer(0), layer(2), layer(1), layer(3), layer(5)), 'manifest.architecture', 'right after the embedding'],
    ['architecture.layers.2.recurrentDropout', 1, 'json.number', 'architecture.layers[2].recurrentDropout'],
    ['architecture.layers.2.recurrentDropout', -0.1, 'json.number'],
    ['architecture.layers.2.recurrentDropout', '0.5', 'json.number'],
    ['architecture.layers.2.recurrentDropout', null, 'json.number'],
    ['architecture.layers.2.recurrentDropout', undefined, 'accepted'],
    ['tokenizer.maxTokens', 1e9, 'json.integer'],
    ['tokenizer.truncation', 'head', 'json.choice'],
    ['tokenizer.sha256', digest.slice(1), 'json.pattern'],
    ['data', { rows: [1] }, 'json.record.fact', 'data.rows'],
    ['data', { text: 'x'.repeat(2001) }, 'json.record.fact'],
    ['data', Object.fromEntries(Array.from({ length: 101 }, (_, i) => [`k${i}`, i])), 'json.record'],
    ['seed', -1, 'json.integer'],
    ['hyperparameters', { epochs: [10] }, 'json.record.fact', 'hyperparameters.epochs'],
    ['hyperparameters', { schedule: 'x'.repeat(101) }, 'json.record.fact', 'hyperparameters.schedule'],
    ['hyperparameters', { schedule: 'one-cycle', learningRateDecay: 1 }, 'accepted'],
    ['epochs', [{ trainLoss: 'low' }], 'json.number', 'epochs[0].trainLoss'],
    ['epochs.0.seconds', -1, 'json.number'],
    ['metrics', [0.9], 'json.object'],
    ['metrics', { accuracy: 'high' }, 'json.record.number', 'metrics.accuracy'],
    ['temperature', 0, 'json.number'],
    ['temperature', null, 'json.number'],
    ['precision', 'int4', 'json.choice'],
    ['sha256', digest.toUpperCase(), 'json.pattern'],
    ['sha256', undefined, 'json.text'],
  ];
  for (const [path, value, code, mention] of cases) {
    it(`says ${code} to ${path} = ${(JSON.stringify(value) ?? 'nothing').slice(0, 60)}`, () => {
      const error = errorOf(() => parseText(changed(path, value)));
      assert.strictEqual(error?.code ?? 'accepted', code, error?.message);
      if (error === undefined) return;
      assert.ok(error.message.includes('folder/model.json') && !/\{\d\}/.test(error.message), error.message);
      assert.ok(mention === undefined || error.message.includes(mention), error.message);
    });
  }

  it('says what it is when it is no JSON, not UTF-8, not an object, or absurdly large', () => {
    const bytes = formatManifest(example);
    assert.strictEqual(errorOf(() => parseManifest(bytes.subarray(0, bytes.length - 5), 'x'))?.code, 'json.syntax');
    assert.strictEqual(errorOf(() => parseManifest(Uint8Array.of(0x7b, 0xff, 0x7d), 'x'))?.code, 'json.syntax');
    assert.strictEqual(errorOf(() => parseText(''))?.code, 'json.syntax');
    for (const text of ['[]', 'null', '3', '"x"']) assert.strictEqual(errorOf(() => parseText(text))?.code, 'json.whole');
    assert.strictEqual(errorOf(() => parseText(' '.repeat(1_000_001)))?.code, 'json.size');
    assert.strictEqual(errorOf(() => parseText('['.repeat(500_000)))?.code, 'json.syntax');
    assert.strictEqual(errorOf(() => parseText(`${'['.repeat(400_000)}${']'.repeat(400_000)}`))?.code, 'json.whole');
  });

  it('lets nothing reach a prototype', () => {
    const attack = '{"polluted": 1, "toString": 2}';
    for (const path of ['', 'task.', 'architecture.', 'data.', 'metrics.']) {
      const text = changed(`${path}MARK`, 0).replace('"MARK":0', `"__proto__":${attack}`);
      const error = errorOf(() => parseText(text));
      if (error) assert.strictEqual(error.code, 'json.record');
      assert.strictEqual(({} as Record<string, unknown>)['polluted'], undefined);
    }
    // members that only a prototype has do not count
    assert.strictEqual(errorOf(() => parseText(`{"__proto__": ${new TextDecoder().decode(formatManifest(example))}}`))?.code, 'manifest.version');
  });

  it('throws nothing but a HumanError, whatever JSON it gets', () => {
    const paths = ['formatVersion', 'task', 'task.labels', 'task.labels.0', 'architecture', 'architecture.layers', 'architecture.layers.2', 'tokenizer', 'data', 'epochs', 'epochs.0', 'metrics', 'sha256'];
    fc.assert(fc.property(fc.constantFrom(...paths), fc.jsonValue(), (path, value) => void errorOf(() => parseText(changed(path, value)))), { numRuns: 1000 });
    fc.assert(fc.property(fc.json(), (text) => assert.ok(errorOf(() => parseText(text)))));
  });
});
