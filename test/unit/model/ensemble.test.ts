import * as assert from 'node:assert';
import { createHash } from 'node:crypto';
import type { Architecture, Layer } from '../../../src/core/model/architecture';
import { createBundle, createEnsemble, validateBundle, type ManifestParts, type ValidBundle } from '../../../src/core/model/bundle';
import { formatManifest, parseManifest, type ModelManifest, type ModelValue } from '../../../src/core/model/manifest';
import { modelCard } from '../../../src/core/model/modelCard';
import { decodeOnnx, encodeOnnx, type OnnxModel } from '../../../src/core/model/onnxFormat';
import { precisions, type TaskKind } from '../../../src/core/model/onnxWriter';
import type { BundleFiles } from '../../../src/core/protocol/predictor';
import { Tokenizer } from '../../../src/core/text/tokenizer';
import { Random } from '../../../src/core/util/random';
import { foldCasts } from '../../../src/inference/foldCasts';
import { codeOf } from '../humanErrors';
import { OnnxSession, type Row } from './onnxSession';
import { randomArchitecture, randomTexts } from './randomModels';
import { randomWeights } from './referenceForward';

const words = 'one two three four five six seven eight nine ten eleven twelve'.split(' ');
const tokenizer = Tokenizer.build(words, { minFrequency: 1, maxVocabulary: 100, maxTokens: 200 });

function partsOf(kind: TaskKind, labels: readonly string[], own: Partial<ManifestParts> = {}): ManifestParts {
  return { name: 'together', version: 'v1', task: { kind, labels: labels.map((id) => ({ id })) }, data: { rows: 3 }, seed: 0, hyperparameters: {}, epochs: [], metrics: { accuracy: 0.5 }, temperature: 1, ...own };
}

interface MemberOptions {
  /** Whether the head tells two labels apart with one unit. */
  readonly hasSigmoid?: boolean;
  /** The number and the thresholds. */
  readonly task?: Partial<ManifestParts['task']>;
}

/** A random model over the tokenizer's words with so many scores. */
function memberOf(random: Random, kind: TaskKind, labels: readonly string[], name: string, { hasSigmoid = false, task = {} }: MemberOptions = {}): ValidBundle {
  const scores = kind === 'number' || hasSigmoid ? 1 : labels.length + (task.value ? 1 : 0);
  const { layers } = randomArchitecture(random);
  const architecture: Architecture = {
    preset: 'random',
    layers: layers.map((layer): Layer => (layer.type === 'embedding' ? { ...layer, vocabularySize: tokenizer.vocabularySize } : layer.type === 'dense' && layer.name === 'head' ? { ...layer, units: scores } : layer)),
  };
  const precision = precisions[random.below(precisions.length)]!;
  const files = createBundle({ manifest: partsOf(kind, labels, { name, temperature: 0.5 + random.float(), task: { kind, labels: labels.map((id) => ({ id })), ...task } }), tokenizer, architecture, weights: randomWeights(architecture, random), precision });
  return validateBundle(files, name);
}

function weightsOf(random: Random, count: number): number[] {
  const shares = Array.from({ length: count }, () => random.float() + 0.01);
  const sum = shares.reduce((total, share) => total + share, 0);
  return shares.map((share) => share / sum);
}

describe('an ensemble', () => {
  const random = new Random(7);
  const labels = ['x', 'y', 'z'];
  const members = [memberOf(random, 'single', labels, 'first'), memberOf(random, 'single', ['z', 'x', 'y'], 'second')];
  const files = createEnsemble(partsOf('single', labels), members.map((bundle, k) => ({ bundle, weight: [0.25, 0.75][k]! })));

  for (const kind of ['single', 'multi', 'number'] as const) {
    it(`gives the weighted average of its members' scores, and their features side by side (${kind})`, async () => {
      const random = new Random(kind.length);
      for (let round = 0; round < 12; round++) {
        const names = kind === 'number' ? [] : Array.from({ length: 2 + random.below(4) }, (_, label) => `label ${label}`);
        const parts = Array.from({ length: 2 + random.below(3) }, (_, k) => memberOf(random, kind, random.shuffle([...names]), `member ${k}`));
        const weights = weightsOf(random, parts.length);
        const bundle = validateBundle(createEnsemble(partsOf(kind, names), parts.map((part, k) => ({ bundle: part, weight: weights[k]! }))), 'together');
        assert.deepStrictEqual(bundle.manifest.ensemble!.members.map(({ name, weight, precision }) => [name, weight, precision]), parts.map(({ manifest }, k) => [manifest.name, weights[k], manifest.precision]));

        const texts = randomTexts(random, tokenizer.vocabularySize);
        const found: { scores: number[]; features: number[] }[][] = [];
        for (const part of [...parts.map((part) => part.files.model), bundle.files.model, foldCasts(bundle.files.model, 'model.onnx')]) {
          const session = await OnnxSession.open(part);
          found.push(await session.run(texts));
          await session.close();
        }
        for (const whole of found.splice(parts.length)) {
          whole.forEach(({ scores, features }, row) => {
            scores.forEach((score, column) => {
              const expected = parts.reduce((sum, { manifest }, k) => {
                const from = kind === 'number' ? 0 : manifest.task.labels.findIndex(({ id }) => id === names[column]);
                return sum + weights[k]! * found[k]![row]!.scores[from]!;
              }, 0);
              assert.ok(Math.abs(score - expected) <= 1e-5 * Math.max(1, Math.abs(expected)), `${score} instead of ${expected}`);
            });
            const expected = found.flatMap((own) => own[row]!.features);
            assert.strictEqual(features.length, expected.length);
            features.forEach((feature, k) => assert.ok(Math.abs(feature - expected[k]!) <= 1e-5 * Math.max(1, Math.abs(expected[k]!)), `${feature} instead of ${expected[k]}`));
          });
        }
      }
    }).timeout(120_000);
  }

  for (const [what, isJoint] of [['heads of one unit for two labels beside heads of two', false], ['a number beside the label', true]] as const) {
    it(`gives the weighted average of members with ${what}`, async () => {
      const random = new Random(11);
      for (let round = 0; round < 12; round++) {
        const names = isJoint ? Array.from({ length: 2 + random.below(4) }, (_, label) => `label ${label}`) : ['no', 'yes'];
        const valueOf = (): ModelValue => ({ name: 'stars', mean: 10 * random.float() - 5, deviation: 0.1 + 3 * random.float() });
        const parts = Array.from({ length: 2 + random.below(3) }, (_, k) => memberOf(random, 'single', random.shuffle([...names]), `member ${k}`, isJoint ? { task: { value: valueOf() } } : { hasSigmoid: (k + round) % 2 === 0 }));
        const weights = weightsOf(random, parts.length);
        const task = { kind: 'single' as const, labels: names.map((id) => ({ id })), ...(isJoint ? { value: parts[0]!.manifest.task.value! } : {}) };
        const bundle = validateBundle(createEnsemble(partsOf('single', names, { task }), parts.map((part, k) => ({ bundle: part, weight: weights[k]! }))), 'together');
        assert.deepStrictEqual(bundle.manifest.task, task);
        const texts = randomTexts(random, tokenizer.vocabularySize);
        const found: Row[][] = [];
        for (const part of [...parts.map((part) => part.files.model), bundle.files.model, foldCasts(bundle.files.model, 'model.onnx')]) {
          const session = await OnnxSession.open(part);
          found.push(await session.run(texts));
          await session.close();
        }
        const close = (actual: number, expected: number): void => assert.ok(Math.abs(actual - expected) <= 1e-5 * Math.max(1, Math.abs(expected)), `${actual} instead of ${expected}`);
        const average = (of: (member: number) => number): number => weights.reduce((sum, weight, k) => sum + weight * of(k), 0);
        for (const whole of found.splice(parts.length))
          whole.forEach(({ scores, value }, row) => {
            assert.strictEqual(scores.length, names.length);
            close(scores.reduce((sum, score) => sum + score, 0), 1);
            scores.forEach((score, column) => close(score, average((k) => found[k]![row]!.scores[parts[k]!.manifest.task.labels.findIndex(({ id }) => id === names[column])]!)));
            assert.strictEqual(value?.length, isJoint ? 1 : undefined);
            if (value) close(value[0]!, average((k) => found[k]![row]!.value![0]!));
          });
      }
    }).timeout(120_000);
  }

  it('decides by thresholds that all members have, whatever the order of their labels, else by the default', () => {
    const random = new Random(5);
    const togetherOf = (kind: TaskKind, tasks: readonly (readonly [labels: readonly string[], task: Partial<ManifestParts['task']>])[]): Partial<ManifestParts['task']> => {
      const parts = tasks.map(([names, task], k) => memberOf(random, kind, names, `member ${k}`, { task }));
      // what the author says goes for nothing
      const manifest = partsOf(kind, tasks[0]![0], { task: { ...parts[0]!.manifest.task } });
      const { threshold, thresholds } = validateBundle(createEnsemble(manifest, parts.map((bundle) => ({ bundle, weight: 1 / parts.length }))), 'together').manifest.task;
      return { ...(threshold === undefined ? {} : { threshold }), ...(thresholds === undefined ? {} : { thresholds }) };
    };
    const [two, turned] = [['no', 'yes'], ['yes', 'no']];
    assert.deepStrictEqual(togetherOf('single', [[two, { threshold: 0.3 }], [two, { threshold: 0.3 }]]), { threshold: 0.3 });
    assert.deepStrictEqual(togetherOf('single', [[two, { threshold: 0.3 }], [turned, { threshold: 0.7 }]]), { threshold: 0.3 });
    assert.deepStrictEqual(togetherOf('single', [[two, { threshold: 0.3 }], [turned, { threshold: 0.3 }]]), {});
    assert.deepStrictEqual(togetherOf('single', [[two, { threshold: 0.3 }], [two, {}]]), {});
    assert.deepStrictEqual(togetherOf('multi', [[labels, { thresholds: [0.1, 0.2, 0.3] }], [['z', 'x', 'y'], { thresholds: [0.3, 0.1, 0.2] }]]), { thresholds: [0.1, 0.2, 0.3] });
    assert.deepStrictEqual(togetherOf('multi', [[labels, { thresholds: [0.1, 0.2, 0.3] }], [labels, { thresholds: [0.3, 0.1, 0.2] }]]), {});
    assert.deepStrictEqual(togetherOf('multi', [[labels, { threshold: 0.4 }], [labels, { thresholds: [0.4, 0.4, 0.4] }]]), { threshold: 0.4 });
  });

  it('is described by its members, in model.json and on its card', () => {
    const { manifest } = validateBundle(files, 'together');
    assert.deepStrictEqual(manifest.architecture, { preset: 'ensemble', layers: [] });
    assert.deepStrictEqual(manifest.ensemble!.members.map(({ architecture, temperature }) => [architecture, temperature]), members.map(({ manifest: own }) => [own.architecture, own.temperature]));
    assert.strictEqual(manifest.tokenizer.sha256, members[0]!.manifest.tokenizer.sha256);
    const card = modelCard(manifest);
    assert.match(card, /average of the scores of 2 models/);
    assert.match(card, /\| first v1 \| 0\.25 \| preset `random`: embedding 14 × /);
    assert.match(card, /\| second v1 \| 0\.75 \|/);
    assert.match(card, /On the rows that the weights of the members were fitted on/);
    assert.doesNotMatch(card, /goes on training from it|held out/);
  });

  it('gives the same files each time', () => {
    assert.deepStrictEqual(createEnsemble(partsOf('single', labels), members.map((bundle, k) => ({ bundle, weight: [0.25, 0.75][k]! }))), files);
  });

  it('has no weights of one network to go on from', () => {
    const bundle = validateBundle(files, 'together');
    assert.throws(() => bundle.weights());
    assert.throws(() => bundle.rows('embedding/table'));
  });

  const rehashed = (change: (manifest: ModelManifest) => ModelManifest, model: Uint8Array = files.model): BundleFiles => ({
    ...files,
    model,
    manifest: formatManifest({ ...change(parseManifest(files.manifest, 'model.json')), sha256: createHash('sha256').update(model).digest('hex') }),
  });
  const withMembers = (change: (members: NonNullable<ModelManifest['ensemble']>['members']) => NonNullable<ModelManifest['ensemble']>['members']): BundleFiles =>
    rehashed((manifest) => ({ ...manifest, ensemble: { members: change(manifest.ensemble!.members) } }));
  const withModel = (change: (model: OnnxModel) => OnnxModel): BundleFiles => rehashed((manifest) => manifest, encodeOnnx(change(decodeOnnx(files.model, ''))));

  it('is refused where model.json or model.onnx was changed', () => {
    assert.strictEqual(codeOf(() => validateBundle(rehashed((manifest) => manifest), 'x')), 'accepted');
    const cases: readonly (readonly [string, BundleFiles])[] = [
      ['json.list', withMembers((all) => all.slice(0, 1))],
      ['json.list', withMembers((all) => Array.from({ length: 17 }, () => all[0]!))],
      ['manifest.weights', withMembers((all) => all.map((member) => ({ ...member, weight: 0.6 })))],
      ['json.number', withMembers((all) => all.map((member, k) => ({ ...member, weight: [-1, 2][k]! })))],
      ['model.weights', withMembers((all) => [all[1]!, all[0]!])],
      ['manifest.labels', withMembers((all) => [{ ...all[0]!, architecture: { ...all[0]!.architecture, layers: all[0]!.architecture.layers.map((layer): Layer => (layer.name === 'head' && layer.type === 'dense' ? { ...layer, units: 2 } : layer)) } }, all[1]!])],
      ['model.foreign', withModel((model) => ({ ...model, tensors: [...model.tensors, { name: '/more', type: 'float32', shape: [], data: new Uint8Array(4) }] }))],
      ['model.foreign', withModel((model) => ({ ...model, tensors: [...model.tensors, { name: 'm7/more', type: 'float32', shape: [], data: new Uint8Array(4) }] }))],
      ['model.foreign', withModel((model) => ({ ...model, tensors: [...model.tensors, { name: 'm0/more', type: 'float32', shape: [100], data: new Uint8Array(400) }] }))],
      ['model.foreign', withModel((model) => ({ ...model, outputs: model.outputs.slice(0, 1) }))],
      ['model.operator', withModel((model) => ({ ...model, nodes: [...model.nodes, { operator: 'If', inputs: [], outputs: ['q'], attributes: new Map() }] }))],
      ['model.weights', withModel((model) => ({ ...model, tensors: model.tensors.filter(({ name }) => name !== 'm1/head/W') }))],
    ];
    for (const [code, bundle] of cases) assert.strictEqual(codeOf(() => validateBundle(bundle, 'x')), code);
  });
});
