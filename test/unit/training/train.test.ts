import * as assert from 'node:assert';
import { CancelledError, HumanError } from '../../../src/core/errors';
import { chosenOfRows } from '../../../src/core/metrics/measures';
import { hyperparameterSpecs, type HyperparameterSpec } from '../../../src/core/model/hyperparameters';
import { validateBundle } from '../../../src/core/model/bundle';
import { formatManifest } from '../../../src/core/model/manifest';
import type { BundleFiles } from '../../../src/core/protocol/predictor';
import { ngramBuckets } from '../../../src/core/model/ngrams';
import type { TrainerMethods, TrainRequest, TrainResult } from '../../../src/core/protocol/trainer';
import { RpcClient, type Port } from '../../../src/core/protocol/rpc';
import { parameterLayout } from '../../../src/training/engine';
import { takeWeights } from '../../../src/training/initialize';
import { Network } from '../../../src/training/network';
import { startTfjs, tf } from '../../../src/training/tf';
import { TfjsEngine } from '../../tfjsEngine';
import { train, type TrainCheckpoints } from '../../../src/training/train';
import { runTrainerWorker } from '../../../src/training/worker';
import { batchOf, wasmFolder } from './engines';
import { bilingualRows, request } from './fixture';

/** Index of the highest logit of each row. */
const predictions = (logits: Float32Array, labels: number): number[] => chosenOfRows({ kind: 'single' }, logits, labels).map(([label]) => label!);

const pause = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

async function run(what: TrainRequest, checkpoints?: TrainCheckpoints): Promise<TrainResult> {
  await startTfjs(wasmFolder);
  return await train(what, {
    createEngine: (layout) => Promise.resolve(new TfjsEngine(layout)),
    signal: { aborted: false, addEventListener: () => undefined, removeEventListener: () => undefined },
    pause,
    onProgress: () => undefined,
    ...(checkpoints ? { checkpoints } : {}),
  });
}

describe('training a model', () => {
  let trained: TrainResult;
  before(async () => {
    trained = await run(request());
  });

  it('learns English and Chinese remarks, and gives a bundle that passes every check', () => {
    assertLearned(trained.bundle);
  });

  it('writes down where the model comes from and how good it is', () => {
    const { manifest } = validateBundle(trained.bundle, 'remarks');
    assert.strictEqual(manifest.name, 'remarks');
    assert.deepStrictEqual(manifest.task, { kind: 'single', labels: [{ id: 'negative' }, { id: 'positive' }] });
    assert.deepStrictEqual(manifest.data, { file: 'remarks.csv', rows: 240, validationRows: 100 });
    assert.deepStrictEqual(manifest.epochs, trained.epochs);
    assert.deepStrictEqual(manifest.hyperparameters, request().hyperparameters);
    assert.strictEqual(manifest.seed, 1);
    assert.strictEqual(manifest.metrics['accuracy'], trained.epochs[trained.best]!.validAccuracy);
    assert.ok(manifest.metrics['loss']! <= trained.epochs[trained.best]!.validLoss, 'the temperature makes the loss no worse');
    assert.strictEqual(manifest.metrics['rows'], 100);
    assert.ok(manifest.temperature !== 1);
    assert.ok(trained.examplesPerSecond > 0);
  });

  it('gives the same files for the same seed', async () => {
    const quick = request({ rows: bilingualRows(40, 1), validation: bilingualRows(20, 2) }, { epochs: 2, wordDropout: 0.1 });
    const [one, two] = [await run(quick), await run(quick)];
    assert.deepStrictEqual(one.bundle.model, two.bundle.model);
    assert.deepStrictEqual(one.bundle.tokenizer, two.bundle.tokenizer);
    const other = await run({ ...quick, hyperparameters: { ...quick.hyperparameters, seed: 2 } });
    assert.notDeepStrictEqual(one.bundle.model, other.bundle.model);
  });

  it('learns with several layers and everything switched on, and writes it all down', async () => {
    const every = { layers: 2, embeddingDropout: 0.1, recurrentDropout: 0.2, classWeights: 'balanced', schedule: 'one-cycle', layerDecay: 1.5, unfreezeEpochs: 1, weightDecay: 0.01, epochs: 8 } as const;
    const { bundle, epochs, best } = await run(request({}, { ...every, learningRate: 0.02 }));
    const { manifest } = validateBundle(bundle, 'remarks');
    assert.ok(epochs[best]!.validAccuracy > 0.95, JSON.stringify(epochs));
    assert.deepStrictEqual(manifest.hyperparameters, request({}, { ...every, learningRate: 0.02 }).hyperparameters);
    assert.deepStrictEqual(
      manifest.architecture.layers.flatMap((layer) => (layer.type === 'lstm' ? layer.recurrentDropout : [])),
      [0.2, 0.2],
    );
  });

  it('lets a schedule, slower layers below, frozen layers, decay and dropout make a difference each', async () => {
    const quick = (own: Partial<TrainRequest['hyperparameters']>): TrainRequest => request({ rows: bilingualRows(40, 1), validation: bilingualRows(20, 2) }, { epochs: 2, ...own });
    const models = new Set<string>();
    const changes: readonly Partial<TrainRequest['hyperparameters']>[] = [
      {}, { schedule: 'linear' }, { schedule: 'linear', finalRateShare: 0.5 }, { schedule: 'slanted-triangular' }, { schedule: 'one-cycle' }, { layerDecay: 2.6 }, { unfreezeEpochs: 1 },
      { weightDecay: 0.1 }, { embeddingDropout: 0.3 }, { recurrentDropout: 0.3 }, { classWeights: 'balanced' }, { layers: 2 }, { ngramBuckets: 1024 }, { ngramBuckets: 1024, ngramLength: 3 },
    ];
    for (const change of changes) models.add(Buffer.from((await run(quick(change))).bundle.model).toString('base64'));
    assert.strictEqual(models.size, changes.length);
  });

  it('keeps the temperature at 1 when there are too few rows to fit it', async () => {
    const { bundle } = await run(request({ rows: bilingualRows(40, 1), validation: bilingualRows(20, 2) }, { epochs: 1 }));
    assert.strictEqual(validateBundle(bundle, 'remarks').manifest.temperature, 1);
  });

  it('starts from a base with the same labels where the base stands', async () => {
    const { bundle, epochs } = await run(
      request({ base: trained.bundle, rows: bilingualRows(20, 5), validation: bilingualRows(50, 6), identity: { name: 'remarks', version: '2', parent: 'remarks@1' } }, { epochs: 1, learningRate: 1e-5, hiddenUnits: 64 }),
    );
    const { manifest } = validateBundle(bundle, 'remarks');
    assert.ok(epochs[0]!.validAccuracy > 0.95, 'it knows already');
    assert.strictEqual(manifest.parent, 'remarks@1');
    assert.deepStrictEqual(bundle.tokenizer, trained.bundle.tokenizer);
    const base = validateBundle(trained.bundle, 'remarks').manifest;
    assert.deepStrictEqual(manifest.architecture, base.architecture);
    assert.strictEqual(manifest.temperature, base.temperature);
  });

  it('knows the labels of a base in whatever order, and beside new ones', async () => {
    const swap = (rows: TrainRequest['rows']): TrainRequest['rows'] => rows.map(({ text, label }) => ({ text, label: 1 - label }));
    for (const labels of [['positive', 'negative'], ['positive', 'negative', 'neutral']]) {
      const { bundle, epochs } = await run(request({ base: trained.bundle, labels, rows: swap(bilingualRows(20, 5)), validation: swap(bilingualRows(50, 6)) }, { epochs: 1, learningRate: 1e-6 }));
      assert.ok(epochs[0]!.validAccuracy > 0.95, JSON.stringify(epochs));
      assert.strictEqual(validateBundle(bundle, 'remarks').manifest.hyperparameters['hiddenUnits'], undefined);
    }
  });

  it('gives a base a new head for other labels, and keeps the rest', async () => {
    const rows = (seed: number): TrainRequest['rows'] => bilingualRows(60, seed).map(({ text, label }, row) => ({ text, label: row % 5 === 0 ? 2 : label }));
    const { bundle } = await run(request({ base: trained.bundle, labels: ['bad', 'good', 'mixed'], rows: rows(5), validation: rows(6) }, { epochs: 1, learningRate: 1e-6, dropout: 0.4 }));
    const valid = validateBundle(bundle, 'remarks');
    const { manifest } = valid;
    assert.deepStrictEqual(
      manifest.task.labels.map(({ id }) => id),
      ['bad', 'good', 'mixed'],
    );
    assert.deepStrictEqual(
      manifest.architecture.layers.flatMap((layer) => (layer.type === 'dropout' ? layer.rate : [])),
      [0.4, 0.4],
    );
    const base = validateBundle(trained.bundle, 'remarks').weights();
    for (const [name, { data }] of Object.entries(valid.weights())) {
      if (!name.startsWith('head')) data.forEach((value, k) => assert.ok(Math.abs(value - base[name]!.data[k]!) < 1e-4, name));
    }
  });

  it('adds n-grams to a base that has none, and keeps those of one that has, label by label', async () => {
    const rows = { rows: bilingualRows(60, 5), validation: bilingualRows(40, 6) };
    const still = { epochs: 1, learningRate: 1e-6 };
    const wide = await run(request({ base: trained.bundle, ...rows }, { epochs: 3, learningRate: 0.01, ngramBuckets: 1024, ngramLength: 2 }));
    const first = validateBundle(wide.bundle, 'remarks');
    assert.deepStrictEqual(first.manifest.architecture.layers.at(-2), { type: 'ngrams', name: 'ngrams', buckets: 1024, longest: 2 });
    assert.strictEqual(first.manifest.hyperparameters['ngramBuckets'], 1024);
    assert.ok(first.weights()['ngrams/sizes']!.data.every((size) => size === 1));
    const table = first.weights()['ngrams/table']!;
    assert.ok(table.data.some((value) => value !== 0) && table.data.every((value, k) => k % 4 < 2 || value === 0));
    const labels = ['mixed', 'positive', 'negative'];
    const renamed = (some: TrainRequest['rows']): TrainRequest['rows'] => some.map(({ text, label }) => ({ text, label: 2 - label }));
    const again = validateBundle((await run(request({ base: wide.bundle, labels, rows: renamed(rows.rows), validation: renamed(rows.validation) }, { ...still, ngramBuckets: 2048 }))).bundle, 'remarks');
    assert.deepStrictEqual(again.manifest.architecture.layers.at(-2), { type: 'ngrams', name: 'ngrams', buckets: 1024, longest: 2 });
    assert.strictEqual(again.manifest.hyperparameters['ngramBuckets'], undefined);
    const kept = again.weights()['ngrams/table']!.data;
    table.data.forEach((value, k) => k % 4 < 2 && assert.ok(Math.abs(kept[k - (k % 4) + 2 - (k % 4)]! - value) < 1e-4, `value ${k}`));
  });

  it('goes on from an 8-bit base with half a million buckets, of which it moves those in use', async () => {
    const buckets = 524_288;
    const base = await run(request({ base: trained.bundle, rows: bilingualRows(60, 5), validation: bilingualRows(20, 6), precision: 'int8' }, { epochs: 1, learningRate: 0.01, ngramBuckets: buckets }));
    assert.ok(base.bundle.model.length < 2.1 * buckets, `${base.bundle.model.length} bytes`);
    const before = validateBundle(base.bundle, 'remarks');
    const rows = bilingualRows(30, 7);
    const after = validateBundle((await run(request({ base: base.bundle, rows, validation: bilingualRows(20, 6) }, { epochs: 1, learningRate: 0.01, weightDecay: 0.1, weightAveraging: 0 }))).bundle, 'remarks');
    const used = new Set(rows.flatMap(({ text }) => [...ngramBuckets(before.tokenizer.encode(text), { buckets, longest: 2 })]));
    const [was, is] = [before, after].map((bundle) => bundle.weights()['ngrams/table']!.data) as [Float32Array, Float32Array];
    const moved = new Set<number>();
    is.forEach((value, k) => value !== was[k] && moved.add(Math.floor(k / 4)));
    assert.deepStrictEqual([...moved].filter((bucket) => !used.has(bucket)), []);
    assert.ok(moved.size > used.size / 2, `${moved.size} of ${used.size}`);
    assert.ok(after.weights()['ngrams/sizes']!.data.every((size) => size === 1));
  });

  it('fits the head of a base to few rows and leaves the layers below, judged by cross-validation without rows that are held out', async () => {
    const rows = bilingualRows(40, 5).map(({ text, label }, row) => (row % 4 === 0 ? { text: 'cinema sister cinema', label: 2 } : { text, label }));
    const few = request({ base: trained.bundle, labels: ['bad', 'good', 'mixed'], rows, validation: [] }, { baseHead: 'only', ngramBuckets: 1024 });
    const { bundle, epochs, best } = await run(few);
    assert.strictEqual(epochs.length, 1);
    assert.strictEqual(best, 0);
    const valid = validateBundle(bundle, 'remarks');
    const { manifest } = valid;
    assert.strictEqual(manifest.metrics['rows'], 40);
    assert.ok(manifest.metrics['accuracy']! > 0.75, JSON.stringify(manifest.metrics));
    assert.deepStrictEqual(manifest.hyperparameters, { ngramBuckets: 1024, ngramLength: 2, baseHead: 'only', seed: 1 });
    const base = validateBundle(trained.bundle, 'remarks').weights();
    for (const [name, { data }] of Object.entries(valid.weights())) if (!name.startsWith('head') && !name.startsWith('ngrams')) assert.deepStrictEqual(data, base[name]!.data, name);
    const sizes = valid.weights()['ngrams/sizes']!.data;
    assert.ok(sizes.some((size) => size > 1) && sizes.some((size) => size === 0), 'n-grams that were never seen count for nothing');
    assert.deepStrictEqual((await run(few)).bundle.model, bundle.model);
    await assert.rejects(run({ ...few, hyperparameters: { ...few.hyperparameters, baseHead: 'fitted' } }), (error) => error instanceof HumanError && error.code === 'training.noValidation');
  });

  it('does not let the head of a base learn how often a label came, and says why nothing is learned from one label alone', async () => {
    const some = bilingualRows(400, 5);
    const of = (label: number, count: number): TrainRequest['rows'] => some.filter((row) => row.label === label).slice(0, count);
    const update = (rows: TrainRequest['rows']): Promise<TrainResult> => run(request({ base: trained.bundle, rows, validation: [] }, { baseHead: 'only', ngramBuckets: 1024 }));
    await assert.rejects(update(of(0, 60)), (error) => error instanceof HumanError && error.code === 'training.oneLabel' && /negative/.test(error.message));
    for (const rows of [[...of(0, 118), ...of(1, 2)], [...of(0, 2), ...of(1, 118)]]) {
      assertLearned((await update(rows)).bundle);
    }
  });

  it('keeps the temperature of a base whose head is fitted to fewer than a hundred rows', async () => {
    const base = validateBundle(trained.bundle, 'remarks');
    const warm = { ...trained.bundle, manifest: formatManifest({ ...base.manifest, temperature: 2 }) };
    const kernelOf = async (files: BundleFiles): Promise<number> => {
      const rows = bilingualRows(40, 5);
      const { bundle } = await run(request({ base: files, rows, validation: [] }, { baseHead: 'only' }));
      const valid = validateBundle(bundle, 'remarks');
      assert.strictEqual(valid.manifest.temperature, 1, 'it is in the weights');
      return Math.hypot(...valid.weights()['head/kernel']!.data);
    };
    const ratio = (await kernelOf(trained.bundle)) / (await kernelOf(warm));
    assert.ok(Math.abs(ratio - 2 / base.manifest.temperature) < 1e-3 * ratio, String(ratio));
  });

  it('goes on from a fitted head with all layers, and takes the fitted head back where that did harm', async () => {
    const rows = { rows: bilingualRows(60, 5), validation: bilingualRows(60, 6) };
    const harmless = await run(request({ base: trained.bundle, ...rows }, { baseHead: 'fitted', epochs: 2, ngramBuckets: 1024 }));
    assert.strictEqual(harmless.epochs.length, 3);
    assert.ok(harmless.epochs[harmless.best]!.validLoss <= harmless.epochs[0]!.validLoss);
    const wild = await run(request({ base: trained.bundle, ...rows }, { baseHead: 'fitted', epochs: 1, learningRate: 0.1, dropout: 0.8, ngramBuckets: 1024 }));
    const only = await run(request({ base: trained.bundle, ...rows }, { baseHead: 'only', ngramBuckets: 1024, dropout: 0.8 }));
    assert.strictEqual(wild.best, 0);
    assert.strictEqual(wild.epochs.length, 2);
    assert.deepStrictEqual(validateBundle(wild.bundle, 'remarks').weights(), validateBundle(only.bundle, 'remarks').weights());
  });

  it('gives the layers of a base the dropout of this run, and says of no other', async () => {
    const rows = { rows: bilingualRows(20, 1), validation: bilingualRows(10, 2) };
    const dropouts = (result: TrainResult): unknown[] => {
      const { architecture, hyperparameters } = validateBundle(result.bundle, 'remarks').manifest;
      const rates = architecture.layers.flatMap((layer): unknown[] => (layer.type === 'dropout' ? [layer.rate] : layer.type === 'lstm' ? [layer.recurrentDropout] : []));
      return [rates, hyperparameters['embeddingDropout'], hyperparameters['recurrentDropout'], hyperparameters['layers']];
    };
    const base = await run(request(rows, { epochs: 1, layers: 2, embeddingDropout: 0.1, recurrentDropout: 0.2, dropout: 0.3 }));
    assert.deepStrictEqual(dropouts(base), [[0.1, 0.3, 0.2, 0.3, 0.2, 0.3], 0.1, 0.2, 2]);
    const other = await run(request({ ...rows, base: base.bundle }, { epochs: 1, layers: 3, embeddingDropout: 0.4, recurrentDropout: 0.5, dropout: 0.6 }));
    assert.deepStrictEqual(dropouts(other), [[0.4, 0.6, 0.5, 0.6, 0.5, 0.6], 0.4, 0.5, undefined]);
    const none = await run(request({ ...rows, base: base.bundle }, { epochs: 1, dropout: 0 }));
    assert.deepStrictEqual(dropouts(none), [[0, 0, undefined, 0, undefined, 0], 0, 0, undefined]);
    // this one has no layer that drops tokens
    const plain = await run(request({ ...rows, base: trained.bundle }, { epochs: 1, embeddingDropout: 0.4, recurrentDropout: 0.5, dropout: 0.6 }));
    assert.deepStrictEqual(dropouts(plain), [[0.6, 0.5, 0.6], undefined, 0.5, undefined]);
  });

  it('trains only the head of a base while the rest is frozen', async () => {
    const { bundle } = await run(request({ base: trained.bundle, rows: bilingualRows(40, 5), validation: bilingualRows(20, 6) }, { epochs: 2, unfreezeEpochs: 2, weightDecay: 0.1 }));
    const [before, after] = [validateBundle(trained.bundle, 'base').weights(), validateBundle(bundle, 'remarks').weights()];
    for (const [name, { data }] of Object.entries(after)) assert.strictEqual(data.every((value, k) => value === before[name]!.data[k]), !name.startsWith('head'), name);
  });

  const refusals: Readonly<Record<string, TrainRequest>> = {
    'training.noRows': request({ rows: [] }),
    'training.fewRows': request({ rows: [...bilingualRows(3, 1), { text: 'good', label: 0 }, { text: 'bad', label: 1 }] }),
    'training.oneLabel': request({ rows: bilingualRows(50, 1).map(({ text }) => ({ text, label: 1 })) }),
    'training.manyLabels': request({ labels: Array.from({ length: 10_000 }, (_, k) => `label ${k}`), rows: bilingualRows(20_000, 1) }),
    'training.sameText': request({ validation: [], rows: bilingualRows(50, 1).map(({ label }) => ({ text: 'the same', label })) }),
    'training.noValidation': request({ validation: [] }),
    'training.preset': request({ preset: 'perceptron' }),
  };
  for (const [code, refused] of Object.entries(refusals)) {
    it(`says what to do: ${code}`, async () => {
      const before = tf.memory().numTensors;
      await assert.rejects(run(refused), (error) => {
        assert.ok(error instanceof HumanError, String(error));
        assert.strictEqual(error.code, code);
        assert.doesNotMatch(error.message, /\{\d\}|undefined|NaN/);
        return true;
      });
      assert.strictEqual(tf.memory().numTensors, before);
    });
  }

  it('reads empty texts like any other', async () => {
    const rows = [...bilingualRows(40, 1), { text: '', label: 0 }, { text: '   ', label: 1 }];
    const { epochs } = await run(request({ rows, validation: [...bilingualRows(10, 2), { text: '', label: 1 }] }, { epochs: 1 }));
    assert.ok(Number.isFinite(epochs[0]!.validLoss));
  });
});

describe('training that is continued', () => {
  const small = request({ rows: bilingualRows(40, 1), validation: bilingualRows(10, 2) }, { epochs: 2, vocabularySize: 40 });
  const whole: Uint8Array[] = [];
  let outcome: TrainResult;
  let based: TrainRequest;

  /** Continues from `earlier`, and says what came of that: the place, or why not. */
  const goOn = async (what: TrainRequest, earlier: Uint8Array | undefined): Promise<{ result: TrainResult; said: unknown[]; saved: number }> => {
    const said: unknown[] = [];
    let saved = 0;
    const result = await run(what, {
      takeEarlier: () => earlier?.slice(),
      onCheckpoint: () => saved++,
      onContinue: ({ epochs, batch, batches }) => said.push([epochs.length, batch, batches]),
      onStartOver: (why) => said.push(why),
    });
    return { result, said, saved };
  };

  before(async () => {
    outcome = await run(small, { takeEarlier: () => undefined, onCheckpoint: (file) => void whole.push(file), onContinue: () => assert.fail(), onStartOver: () => assert.fail(), interval: 0 });
    based = request({ base: outcome.bundle, rows: bilingualRows(40, 5), validation: bilingualRows(10, 6) }, { epochs: 1 });
  });

  it('gives the same model.onnx from every place, and tells the place', async () => {
    const places: unknown[] = [];
    for (const file of whole) {
      const { result, said } = await goOn(small, file);
      assert.deepStrictEqual(result.bundle.model, outcome.bundle.model);
      assert.strictEqual(result.epochs.length, 2);
      places.push(...said);
    }
    assert.deepStrictEqual(places, [[0, 1, 2], [0, 2, 2], [1, 0, 2], [1, 1, 2], [1, 2, 2], [2, 0, 2]]);
  });

  it('does nothing but pack the model when it had come to its end', async () => {
    const { result, said, saved } = await goOn(small, whole.at(-1));
    assert.deepStrictEqual([result.bundle.model, said, saved], [outcome.bundle.model, [[2, 0, 2]], 0]);
  });

  it('may get another name and other precision', async () => {
    const { said } = await goOn({ ...small, precision: 'float16', identity: { name: 'other', version: 'v7' } }, whole[0]);
    assert.deepStrictEqual(said, [[0, 1, 2]]);
  });

  it('may get another threshold: the weights are the same, card and measures are as if it had always been that', async () => {
    const strict = { ...small, threshold: 0.999 };
    const unbroken = await run(strict);
    const cardOf = ({ bundle }: TrainResult): unknown => {
      const { task, metrics } = validateBundle(bundle, 'remarks').manifest;
      return { task, metrics };
    };
    assert.notDeepStrictEqual(cardOf(unbroken), cardOf(outcome));
    for (const file of whole) {
      const { result } = await goOn(strict, file);
      assert.deepStrictEqual([result.bundle.model, result.best, cardOf(result)], [outcome.bundle.model, outcome.best, cardOf(unbroken)]);
    }
  });

  it('starts from a base as before', async () => {
    const files: Uint8Array[] = [];
    const { bundle } = await run(based, { takeEarlier: () => undefined, onCheckpoint: (file) => void files.push(file), onContinue: () => assert.fail(), onStartOver: () => assert.fail(), interval: 0 });
    const { result, said } = await goOn(based, files[0]);
    assert.deepStrictEqual([result.bundle.model, said], [bundle.model, [[0, 1, 2]]]);
    assert.deepStrictEqual((await goOn({ ...based, base: (await run(request({}, { epochs: 1, vocabularySize: 40, seed: 9 }))).bundle }, files[0])).said, ['different']);
  });

  const [first, ...rest] = small.rows;
  const changes: Readonly<Record<string, TrainRequest>> = {
    'a text': { ...small, rows: [{ ...first!, text: `${first!.text} ${rest[0]!.text}` }, ...rest] },
    'a label': { ...small, rows: [{ ...first!, label: 1 - first!.label }, ...rest] },
    'the order of the rows': { ...small, rows: [...rest, first!] },
    'a row more': { ...small, rows: [...small.rows, first!] },
    'a held-out row': { ...small, validation: [...small.validation.slice(1), { text: 'another one', label: 0 }] },
    'a row that is held out instead': { ...small, rows: rest, validation: [first!, ...small.validation] },
    'the names of the labels': { ...small, labels: ['bad', 'good'] },
    ...Object.fromEntries(
      hyperparameterSpecs.map((spec) => [spec.name, { ...small, hyperparameters: { ...small.hyperparameters, [spec.name]: other(spec, small.hyperparameters[spec.name]) } }]),
    ),
  };
  for (const [what, changed] of Object.entries(changes)) {
    it(`starts over when what differs is ${what}`, async () => {
      const { result, said, saved } = await goOn(changed, whole[2]);
      assert.deepStrictEqual(said, ['different']);
      assert.strictEqual(saved, result.epochs.length, 'and is kept anew');
    });
  }

  it('starts over when the file is damaged', async () => {
    const damaged = whole[2]!.slice();
    damaged[damaged.length - 5]! ^= 1;
    const { result, said } = await goOn(small, damaged);
    assert.deepStrictEqual([result.bundle.model, said], [outcome.bundle.model, ['damaged']]);
  });
});

/** Another value of a hyperparameter that may have it. */
function other(spec: HyperparameterSpec, value: number | string): number | string {
  if ('choices' in spec) return spec.choices.find((choice) => choice !== value)!;
  const { minimum, maximum, integer, multipleOf = 1 } = spec;
  if (integer) return Number(value) + multipleOf;
  return Number(value) > minimum ? (Number(value) + minimum) / 2 : minimum + (maximum - minimum) / 8;
}

describe('the trainer worker', () => {
  it('answers over a port with progress and a bundle', async () => {
    const [inside, outside] = portPair();
    runTrainerWorker(inside, { wasmFolder, pause });
    const client = new RpcClient<TrainerMethods>(outside);
    let finished = 0;
    const result = await client.call('train', request({ rows: bilingualRows(40, 1), validation: bilingualRows(10, 2) }, { epochs: 2 }), { onProgress: (news) => (finished += news.kind === 'progress' && news.progress.finished ? 1 : 0) });
    assert.strictEqual(finished, 2);
    assert.strictEqual(validateBundle(result.bundle, 'remarks').manifest.name, 'remarks');
  });

  it('stops within 200 ms of a cancellation, and leaves no tensor behind', async () => {
    const [inside, outside] = portPair();
    // processor time of this process, so that a loaded machine does not matter
    const now = (): number => process.cpuUsage().user / 1000;
    let stopped!: (at: number) => void;
    const stop = new Promise<number>((resolve) => (stopped = resolve));
    const watched: Port = {
      onMessage: (listener) => inside.onMessage(listener),
      postMessage: (message) => {
        if ((message as { kind: string }).kind === 'error') stopped(now());
        inside.postMessage(message);
      },
    };
    await startTfjs(wasmFolder);
    const before = tf.memory().numTensors;
    runTrainerWorker(watched, { wasmFolder, pause });
    const controller = new AbortController();
    let cancelled = 0;
    const call = new RpcClient<TrainerMethods>(outside).call('train', request({}, { epochs: 1000, patience: 1000 }), {
      signal: controller.signal,
      onProgress: () => {
        cancelled ||= now();
        controller.abort();
      },
    });
    await assert.rejects(call, CancelledError);
    assert.ok((await stop) - cancelled < 200);
    assert.strictEqual(tf.memory().numTensors, before);
  });
});

/** Two ports that pass each other copies of their messages, each in a turn of its own. */
function portPair(): [Port, Port] {
  const make = (): Port & { receive(message: unknown): void } => {
    let listener: ((message: unknown) => void) | undefined;
    const early: unknown[] = [];
    return {
      onMessage: (handle) => {
        listener = handle;
        early.splice(0).forEach(handle);
      },
      receive: (message) => {
        if (listener) listener(message);
        else early.push(message);
      },
      postMessage: () => undefined,
    };
  };
  const [a, b] = [make(), make()];
  a.postMessage = (message) => void setImmediate(() => b.receive(structuredClone(message)));
  b.postMessage = (message) => void setImmediate(() => a.receive(structuredClone(message)));
  return [a, b];
}

/** That a model tells nearly all remarks that it has not seen. */
function assertLearned(bundle: BundleFiles): void {
  const valid = validateBundle(bundle, 'remarks');
  const engine = new TfjsEngine(parameterLayout(valid.manifest.architecture));
  takeWeights(engine.layout, engine.weights(), valid.weights(), new Set());
  const heldOut = bilingualRows(200, 3);
  const guesses = predictions(new Network(engine).logits(batchOf(heldOut.map(({ text }) => [...valid.tokenizer.encode(text)]))), 2);
  const right = heldOut.filter(({ label }, row) => label === guesses[row]).length;
  assert.ok(right / heldOut.length > 0.95, `${right} of ${heldOut.length}`);
  engine.dispose();
}
