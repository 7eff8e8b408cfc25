import * as assert from 'node:assert';
import { HumanError } from '../../../src/core/errors';
import { regressionReport } from '../../../src/core/metrics/report';
import { validateBundle } from '../../../src/core/model/bundle';
import type { BundleFiles } from '../../../src/core/protocol/predictor';
import type { TrainingRow, TrainRequest, TrainResult } from '../../../src/core/protocol/trainer';
import { Random } from '../../../src/core/util/random';
import { createKernelEngine } from '../../../src/training/kernels/kernelEngine';
import { TextGradient } from '../../../src/training/textGradient';
import { startTfjs } from '../../../src/training/tf';
import { train, type TrainCheckpoints } from '../../../src/training/train';
import { OnnxSession } from '../model/onnxSession';
import { wasmFolder } from './engines';
import { request } from './fixture';

const createEngine = createKernelEngine({ build: 'plain' });

async function run(what: TrainRequest, checkpoints?: TrainCheckpoints): Promise<TrainResult> {
  await startTfjs(wasmFolder);
  return await train(what, {
    createEngine,
    signal: { aborted: false, addEventListener: () => undefined, removeEventListener: () => undefined },
    pause: () => Promise.resolve(),
    onProgress: ({ step, epoch, batch, batches }) => assert.strictEqual(step, (epoch - 1) * batches + batch),
    ...(checkpoints ? { checkpoints } : {}),
  });
}

const topics = ['food', 'price', 'staff'];
const worth: Readonly<Record<string, number>> = { superb: 6, good: 3, fair: 0, poor: -4, 很差: -7 };

/** Texts that name topics and say how good they were: which topics, in what order of size, and a score in its own unit, some noise with it. */
function reviews(count: number, seed: number): TrainingRow[] {
  const random = new Random(seed);
  return Array.from({ length: count }, () => {
    const labels = topics.map((_, index) => index).filter(() => random.float() < 0.4);
    const said = Array.from({ length: 2 }, () => Object.keys(worth)[random.below(Object.keys(worth).length)]!);
    const value = 250 + said.reduce((sum, word) => sum + worth[word]!, 0) + random.normal() / 2;
    const words = random.shuffle([...labels.map((label) => topics[label]!), ...said, 'we went there', 'yesterday']);
    return { text: words.join(' '), label: value >= 250 ? 1 : 0, labels, value };
  });
}

const rows = (count: number, seed: number, keep: readonly ('labels' | 'value')[]): TrainingRow[] =>
  reviews(count, seed).map(({ text, label, labels, value }) => ({ text, label: keep.includes('labels') ? -1 : label, ...(keep.includes('labels') ? { labels: labels! } : {}), ...(keep.includes('value') ? { value: value! } : {}) }));

const quick = { epochs: 8, learningRate: 0.02, embeddingSize: 16, hiddenUnits: 8, labelSmoothing: 0 } as const;
const requests: Readonly<Record<'multi' | 'number' | 'joint', TrainRequest>> = {
  multi: request({ kind: 'multi', labels: topics, rows: rows(300, 1, ['labels']), validation: rows(120, 2, ['labels']), threshold: 0.4 }, quick),
  number: request({ kind: 'number', labels: [], valueName: 'score', rows: rows(300, 1, ['value']), validation: rows(120, 2, ['value']) }, quick),
  joint: request({ labels: ['bad', 'good'], valueName: 'score', rows: rows(300, 1, ['value']), validation: rows(120, 2, ['value']) }, { ...quick, valueWeight: 0.5 }),
};

/** What the written model says of texts, by onnxruntime. */
async function asked(bundle: BundleFiles, texts: readonly string[]): Promise<{ readonly scores: number[]; readonly values: number[] }> {
  const { tokenizer } = validateBundle(bundle, 'reviews');
  const session = await OnnxSession.open(bundle.model);
  const ids = texts.map((text) => [...tokenizer.encode(text)]);
  const time = Math.max(...ids.map((text) => text.length));
  const padded = new Int32Array(ids.length * time);
  ids.forEach((text, row) => padded.set(text, row * time));
  const { scores, value } = await session.runRaw(padded, Int32Array.from(ids, (text) => text.length), time);
  const found = { scores: [...(scores.data as Float32Array)], values: value ? [...(value.data as Float32Array)] : [] };
  await session.close();
  return found;
}

function near(actual: ArrayLike<number>, expected: ArrayLike<number>, unit = 1): void {
  assert.strictEqual(actual.length, expected.length);
  for (let k = 0; k < actual.length; k++) assert.ok(Math.abs(actual[k]! - expected[k]!) < 1e-5 * unit, `${actual[k]} instead of ${expected[k]} at ${k}`);
}

describe('training for several labels, numbers, and both', () => {
  const results = {} as Record<keyof typeof requests, TrainResult>;
  before(async () => {
    for (const kind of ['multi', 'number', 'joint'] as const) results[kind] = await run(requests[kind]);
  });

  it('learns which labels are right', () => {
    const { bundle, epochs, best } = results.multi;
    const { manifest } = validateBundle(bundle, 'reviews');
    assert.deepStrictEqual(manifest.task, { kind: 'multi', labels: topics.map((id) => ({ id })), threshold: 0.4 });
    assert.ok(epochs[best]!.validAccuracy > 0.9, JSON.stringify(epochs));
    assert.ok(manifest.metrics['exactMatch']! > 0.9 && manifest.metrics['microF1']! > 0.95 && manifest.metrics['hammingLoss']! < 0.05, JSON.stringify(manifest.metrics));
    assert.ok(manifest.temperature !== 1, 'there are rows enough to fit it');
    assert.ok(manifest.metrics['loss']! <= epochs[best]!.validLoss);
  });

  it('learns numbers in their own unit', () => {
    const { bundle, epochs, best, validationScores } = results.number;
    const { manifest } = validateBundle(bundle, 'reviews');
    const values = requests.number.rows.map(({ value }) => value!);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    assert.strictEqual(manifest.task.value!.name, 'score');
    assert.ok(Math.abs(manifest.task.value!.mean - mean) < 1e-9 && manifest.task.value!.deviation > 2);
    assert.strictEqual(manifest.temperature, 1);
    const report = regressionReport(requests.number.validation.map(({ value }) => value!), validationScores);
    assert.ok(report.pearson > 0.95, JSON.stringify(report));
    for (const name of ['mae', 'rmse', 'r2', 'pearson'] as const) assert.ok(Math.abs(manifest.metrics[name]! - report[name]) < 1e-5, name);
    assert.ok(Math.abs(epochs[best]!.validRmse! - report.rmse) < 1e-4 && Math.abs(epochs[best]!.validAccuracy - report.r2) < 1e-4);
  });

  it('learns a label and a number beside it', () => {
    const { bundle, epochs, best, validationValues } = results.joint;
    const { manifest } = validateBundle(bundle, 'reviews');
    assert.deepStrictEqual([manifest.task.kind, manifest.task.labels.length, manifest.task.value!.name], ['single', 2, 'score']);
    assert.ok(epochs[best]!.validAccuracy > 0.85, JSON.stringify(epochs));
    assert.ok(regressionReport(requests.joint.validation.map(({ value }) => value!), validationValues!).pearson > 0.95);
    assert.ok(manifest.metrics['accuracy']! > 0.85 && manifest.metrics['pearson']! > 0.95);
  });

  for (const kind of ['multi', 'number', 'joint'] as const) {
    it(`tells what the written model says of the validation rows (${kind}), to 1e-5`, async () => {
      const { bundle, validationScores, validationValues } = results[kind];
      const { scores, values } = await asked(bundle, requests[kind].validation.map(({ text }) => text));
      // floats of some hundreds have steps of 3e-5
      const unit = kind === 'number' ? 250 : 1;
      near(validationScores, scores, unit);
      near(validationValues ?? [], values, 250);
    });

    it(`ends the same from each of its checkpoints (${kind}), history and all`, async () => {
      const what = { ...requests[kind], rows: requests[kind].rows.slice(0, 80), validation: requests[kind].validation.slice(0, 20), hyperparameters: { ...requests[kind].hyperparameters, epochs: 2 } };
      const files: Uint8Array[] = [];
      const outcome = await run(what, { takeEarlier: () => undefined, onCheckpoint: (file) => void files.push(file), onContinue: () => assert.fail(), onStartOver: () => assert.fail(), interval: 0 });
      const timeless = ({ epochs, bundle, examplesPerSecond, ...rest }: TrainResult): unknown => [examplesPerSecond > 0, epochs.map((report) => ({ ...report, seconds: 0 })), bundle.model, rest];
      assert.deepStrictEqual([outcome.stepsPerEpoch, outcome.history.map(({ step }) => step)], [3, [1, 2, 3, 4, 5, 6]]);
      for (const file of files) {
        const places: unknown[] = [];
        const again = await run(what, { takeEarlier: () => file.slice(), onCheckpoint: () => undefined, onContinue: (place) => places.push(place), onStartOver: (why) => assert.fail(why) });
        assert.strictEqual(places.length, 1);
        assert.deepStrictEqual(timeless(again), timeless(outcome));
      }
      const [first, ...rest] = what.rows;
      const changed = kind === 'multi' ? { ...first!, labels: first!.labels!.length === 0 ? [0] : [] } : { ...first!, value: first!.value! + 1 };
      const said: unknown[] = [];
      await run({ ...what, rows: [changed, ...rest] }, { takeEarlier: () => files[0]!.slice(), onCheckpoint: () => undefined, onContinue: () => assert.fail(), onStartOver: (why) => said.push(why) });
      assert.deepStrictEqual(said, ['different']);
    });

    it(`goes on from a base of its kind where the base stands (${kind}), whatever the unit of the new rows`, async () => {
      const { bundle } = results[kind];
      // other rows, so another mean and deviation
      const few = requests[kind].rows.filter(({ value }) => value === undefined || value > 248).slice(0, 60);
      const { validation } = requests[kind];
      const still = await run({ ...requests[kind], base: bundle, rows: few, hyperparameters: { ...requests[kind].hyperparameters, epochs: 1, learningRate: 1e-6 } });
      const { scores, values } = await asked(bundle, validation.map(({ text }) => text));
      const off = (a: ArrayLike<number>, b: ArrayLike<number>): number => Math.max(0, ...Array.from(a, (value, k) => Math.abs(value - b[k]!)));
      assert.ok(off(still.validationScores, scores) < (kind === 'number' ? 0.01 : 0.001), String(off(still.validationScores, scores)));
      assert.ok(off(still.validationValues ?? [], values) < 0.01);
    });

    it(`explains the written model's scores (${kind})`, async () => {
      const valid = validateBundle(results[kind].bundle, 'reviews');
      const { text } = requests[kind].validation[0]!;
      const { scores } = (await TextGradient.open(valid, createEngine)).explain(valid.tokenizer.encode(text), { kind: 'score', column: 0 });
      near(scores, (await asked(results[kind].bundle, [text])).scores, kind === 'number' ? 250 : 1);
    });
  }

  it('weighs the labels of several, and Huber’s loss, to some effect', async () => {
    const differing = async (kind: keyof typeof requests, change: Partial<TrainRequest['hyperparameters']>): Promise<boolean> => {
      const model = async (own: Partial<TrainRequest['hyperparameters']>): Promise<Uint8Array> =>
        (await run({ ...requests[kind], rows: requests[kind].rows.slice(0, 60), hyperparameters: { ...requests[kind].hyperparameters, epochs: 1, ...own } })).bundle.model;
      return Buffer.compare(await model({}), await model(change)) !== 0;
    };
    assert.ok(await differing('multi', { classWeights: 'balanced' }));
    assert.ok(await differing('multi', { labelSmoothing: 0.2 }));
    assert.ok(await differing('number', { regressionLoss: 'huber' }));
    assert.ok(await differing('number', { regressionLoss: 'huber', huberDelta: 0.1 }));
    assert.ok(await differing('joint', { valueWeight: 2 }));
    assert.ok(!(await differing('number', { classWeights: 'balanced' })), 'numbers have no classes');
  });

  it('does not take wild values for a training that went astray', async () => {
    const wild = requests.number.rows.map((row, at) => (at === 7 ? { ...row, value: 1e6 } : row));
    const { epochs } = await run({ ...requests.number, rows: wild, validation: [...requests.number.validation.slice(0, 30), { ...wild[7]!, value: -3e6 }], hyperparameters: { ...requests.number.hyperparameters, epochs: 1 } });
    assert.ok(Number.isFinite(epochs[0]!.validLoss));
    await assert.rejects(
      run({ ...requests.number, hyperparameters: { ...requests.number.hyperparameters, learningRate: 1, gradientClip: 1000, epochs: 100, patience: 100, weightAveraging: 0, hiddenUnits: 64, ngramBuckets: 1024 } }).then(({ epochs: all }) => assert.fail(JSON.stringify(all.at(-1)))),
      (error) => error instanceof HumanError && error.code === 'training.diverged',
    );
  });

  it('says why rows cannot be learned from', async () => {
    const cases: readonly [code: string, what: TrainRequest][] = [
      ['training.oneSet', { ...requests.multi, rows: requests.multi.rows.map((row) => ({ ...row, labels: [1, 0] })) }],
      ['training.oneValue', { ...requests.number, rows: requests.number.rows.map((row) => ({ ...row, value: 3 })) }],
      ['training.oneValue', { ...requests.joint, rows: requests.joint.rows.map((row) => ({ ...row, value: 3 })) }],
      ['training.oneLabel', { ...requests.joint, rows: requests.joint.rows.map((row) => ({ ...row, label: 0 })) }],
      ['training.fewRows', { ...requests.number, rows: requests.number.rows.slice(0, 9) }],
      ['training.noValidation', { ...requests.number, validation: [] }],
      ...(['multi', 'number', 'joint'] as const).map((kind) => ['training.baseHead', { ...requests[kind], base: results[kind].bundle, hyperparameters: { ...requests[kind].hyperparameters, baseHead: 'fitted' } }] as [string, TrainRequest]),
    ];
    for (const [code, what] of cases) await assert.rejects(run(what), (error) => error instanceof HumanError && error.code === code && !/\{\d\}/.test(error.message), code);
  });
});
