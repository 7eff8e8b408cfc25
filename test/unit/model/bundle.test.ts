import { createHash } from 'node:crypto';
import * as assert from 'node:assert';
import * as fc from 'fast-check';
import { HumanError } from '../../../src/core/errors';
import { bundleLimits, checkPlan, createBundle, validateBundle, type BundleParts } from '../../../src/core/model/bundle';
import { formatManifest, parseManifest, type ModelManifest } from '../../../src/core/model/manifest';
import { precisions } from '../../../src/core/model/onnxWriter';
import { presets } from '../../../src/core/model/presets';
import type { BundleFiles } from '../../../src/core/protocol/predictor';
import { Tokenizer } from '../../../src/core/text/tokenizer';
import { Random } from '../../../src/core/util/random';
import { codeOf } from '../humanErrors';
import { OnnxSession } from './onnxSession';
import { randomWeights } from './referenceForward';

const texts = ['A fine film, well made.', '这部电影很好看。', 'not good at all, bad bad bad', ''];
const tokenizer = Tokenizer.build(texts, { minFrequency: 1, maxVocabulary: 1000, maxTokens: 50 });

function partsOf(own: Partial<BundleParts> = {}): BundleParts {
  const architecture = presets[0]!.build({ vocabularySize: tokenizer.vocabularySize, labels: 2, embeddingSize: 4, hiddenUnits: 4, dropout: 0.3 });
  return {
    manifest: {
      name: 'reviews',
      version: 'v1',
      task: { kind: 'single', labels: [{ id: 'negative' }, { id: 'positive' }] },
      data: { rows: 4 },
      seed: 1,
      hyperparameters: { epochs: 2 },
      epochs: [{ trainLoss: 0.7, validLoss: NaN, validAccuracy: 0.5, seconds: 1 }],
      metrics: { accuracy: 0.5 },
      temperature: 1.3,
    },
    tokenizer,
    architecture,
    weights: randomWeights(architecture, new Random(1)),
    precision: 'float32',
    ...own,
  };
}

const parts = partsOf();
const valid = createBundle(parts);

function hash(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** The valid bundle with other files, and a manifest that says their right hashes. */
function rehashed(files: Partial<BundleFiles>, change: (manifest: ModelManifest) => ModelManifest = (manifest) => manifest): BundleFiles {
  const all = { ...valid, ...files };
  const manifest = parseManifest(all.manifest, 'model.json');
  return { ...all, manifest: formatManifest(change({ ...manifest, sha256: hash(all.model), tokenizer: { ...manifest.tokenizer, sha256: hash(all.tokenizer) } })) };
}

describe('createBundle', () => {
  it('makes what validateBundle accepts, with manifest, tokenizer and weights as they were', () => {
    const bundle = validateBundle(valid, 'models/reviews');
    const { manifest, tokenizer: read } = bundle;
    assert.deepStrictEqual(bundle.files, valid);
    assert.deepStrictEqual(bundle.weights(), parts.weights);
    for (const text of [...texts, 'a good unseen text']) assert.deepStrictEqual(read.encode(text), tokenizer.encode(text));
    const { formatVersion, architecture, tokenizer: described, precision, sha256, ...rest } = manifest;
    assert.deepStrictEqual(rest, parts.manifest);
    assert.deepStrictEqual({ formatVersion, architecture, precision }, { formatVersion: 1, architecture: parts.architecture, precision: 'float32' });
    assert.deepStrictEqual(described, { maxTokens: 50, truncation: 'head+tail', sha256: hash(valid.tokenizer) });
    assert.strictEqual(sha256, hash(valid.model));
  });

  it('makes the same bytes from the same parts', () => assert.deepStrictEqual(createBundle(partsOf()), valid));

  it('makes models that run, in every number format', async () => {
    for (const precision of precisions) {
      const bundle = createBundle(partsOf({ precision }));
      const session = await OnnxSession.open(validateBundle(bundle, 'x').files.model);
      const rows = await session.run(texts.map((text) => [...tokenizer.encode(text)]));
      await session.close();
      for (const { scores } of rows) assert.ok(Math.abs(scores[0]! + scores[1]! - 1) < 1e-6);
    }
  });

  it('does not make what validateBundle would refuse', () => {
    const architecture = presets[0]!.build({ vocabularySize: tokenizer.vocabularySize + 1, labels: 2, embeddingSize: 4, hiddenUnits: 4, dropout: 0.3 });
    assert.strictEqual(codeOf(() => createBundle(partsOf({ architecture, weights: randomWeights(architecture, new Random(1)) }))), 'bundle.vocabulary');
    assert.strictEqual(codeOf(() => createBundle(partsOf({ manifest: { ...parts.manifest, name: '' } }))), 'json.text');
    assert.strictEqual(codeOf(() => createBundle(partsOf({ manifest: { ...parts.manifest, task: { kind: 'single', labels: [{ id: 'a' }, { id: 'a' }] } } }))), 'json.distinct');
  });
});

describe('checkPlan', () => {
  const plan = (vocabularySize: number, labels: readonly string[], precision: BundleParts['precision'] = 'float32'): string =>
    codeOf(() => checkPlan({ architecture: presets[0]!.build({ vocabularySize, labels: labels.length, embeddingSize: 128, hiddenUnits: 128, dropout: 0 }), labels, precision }));

  it('says before training what could not be stored after it', () => {
    assert.strictEqual(plan(30_000, ['a', 'b']), 'accepted');
    assert.strictEqual(plan(130_000, ['a', 'b']), 'bundle.plan');
    assert.strictEqual(plan(130_000, ['a', 'b'], 'float16'), 'accepted');
    assert.strictEqual(plan(500_000, ['a', 'b'], 'int8'), 'bundle.plan');
    assert.strictEqual(plan(1000, ['a', '']), 'bundle.labels');
    assert.strictEqual(plan(1000, ['a', 'x'.repeat(1001)]), 'bundle.labels');
    assert.strictEqual(plan(1000, Array.from({ length: 10_000 }, (_, i) => `l${i}`)), 'accepted');
    assert.strictEqual(plan(1000, Array.from({ length: 10_000 }, (_, i) => `${i}${'好'.repeat(100)}`)), 'bundle.labelsTotal');
    assert.strictEqual(plan(1000, Array.from({ length: 10_001 }, (_, i) => `l${i}`)), 'bundle.labels');
  });
});

describe('validateBundle', () => {
  const { manifest, tokenizer: tokenizerJson, model } = valid;
  const smaller = Tokenizer.build(['only these few words'], { minFrequency: 1, maxVocabulary: 1000, maxTokens: 50 }).toJson();
  const text = new TextEncoder();
  const garbage = Uint8Array.from({ length: 5000 }, (_, i) => (i * 7919) % 251);

  const cases: readonly [what: string, code: string, files: Partial<BundleFiles>][] = [
    ['no files', 'bundle.missing', {}],
    ['a missing model.json', 'bundle.missing', { tokenizer: tokenizerJson, model }],
    ['a missing tokenizer.json', 'bundle.missing', { manifest, model }],
    ['a missing model.onnx', 'bundle.missing', { manifest, tokenizer: tokenizerJson }],
    ['an absurd model.json', 'bundle.size', { ...valid, manifest: new Uint8Array(bundleLimits.manifest + 1) }],
    ['an absurd tokenizer.json', 'bundle.size', { ...valid, tokenizer: new Uint8Array(bundleLimits.tokenizer + 1) }],
    ['an absurd model.onnx', 'bundle.size', { ...valid, model: new Uint8Array(bundleLimits.model + 1) }],
    ['a model.json that is cut off', 'json.syntax', { ...valid, manifest: valid.manifest.subarray(0, 200) }],
    ['a newer format', 'manifest.newer', rehashed({}, (manifest) => ({ ...manifest, formatVersion: 2 }))],
    ['another model.onnx', 'bundle.hash', { ...valid, model: createBundle(partsOf({ precision: 'int8' })).model }],
    ['a model.onnx that is cut off', 'bundle.hash', { ...valid, model: valid.model.subarray(0, 1000) }],
    ['another tokenizer.json', 'bundle.hash', { ...valid, tokenizer: smaller }],
    ['a model.onnx that was cut off before it was hashed', 'model.truncated', rehashed({ model: valid.model.subarray(0, 1000) })],
    ['a model.onnx of garbage', 'model.truncated', rehashed({ model: garbage })],
    ['a tokenizer of another vocabulary', 'bundle.vocabulary', rehashed({ tokenizer: smaller })],
    ['weights of another size', 'model.weights', rehashed({}, (manifest) => ({ ...manifest, architecture: { ...manifest.architecture, layers: manifest.architecture.layers.map((layer) => (layer.type === 'embedding' ? { ...layer, size: 8 } : layer)) } }))],
  ];
  for (const [what, code, files] of cases) it(`says ${code} to ${what}`, () => assert.strictEqual(codeOf(() => validateBundle(files, 'folder')), code));

  it('tells every person what is wrong in words of its own, with the file', () => {
    const messages = cases.map(([, , files]) => {
      try {
        validateBundle(files, 'my/model');
      } catch (error) {
        assert.ok(error instanceof HumanError);
        assert.ok(error.message.includes('my/model') && !/\{\d\}/.test(error.message) && error.message.endsWith('.'), error.message);
        return error.template;
      }
      return '';
    });
    assert.ok(new Set(messages).size >= 8, [...new Set(messages)].join('\n'));
  });

  it('says something fit for a person to a foreign tokenizer.json', () => {
    for (const content of ['', '{}', '[]', 'null', '{"version":"1.0","model":{"type":"BPE","vocab":{},"merges":[]}}', '{"model":{"type":"WordLevel","vocab":{"a":-1}}}', '\u0000']) {
      assert.notStrictEqual(codeOf(() => validateBundle(rehashed({ tokenizer: text.encode(content) }), 'folder')), 'accepted');
    }
  });

  it('throws nothing but a HumanError when a file is cut off, with and without a right hash', () => {
    for (const part of ['manifest', 'tokenizer', 'model'] as const) {
      fc.assert(
        // at least two bytes, because model.json ends with a line break that it can do without
        fc.property(fc.nat(valid[part].length - 2), (length) => {
          const cut = valid[part].subarray(0, length);
          assert.notStrictEqual(codeOf(() => validateBundle({ ...valid, [part]: cut }, 'folder')), 'accepted');
          if (part !== 'manifest') codeOf(() => validateBundle(rehashed({ [part]: cut }), 'folder').weights());
        }),
        { numRuns: 300 },
      );
    }
  });

  it('throws nothing but a HumanError when bytes are changed, with and without a right hash', () => {
    for (const part of ['manifest', 'tokenizer', 'model'] as const) {
      fc.assert(
        fc.property(fc.array(fc.tuple(fc.nat(valid[part].length - 1), fc.integer({ min: 1, max: 255 })), { minLength: 1, maxLength: 4 }), (flips) => {
          const changed = valid[part].slice();
          for (const [at, mask] of flips) changed[at]! ^= mask;
          const same = changed.every((byte, i) => byte === valid[part][i]);
          const code = codeOf(() => validateBundle({ ...valid, [part]: changed }, 'folder'));
          if (part !== 'manifest' && !same) assert.strictEqual(code, 'bundle.hash');
          if (part !== 'manifest') codeOf(() => validateBundle(rehashed({ [part]: changed }), 'folder').weights());
        }),
        { numRuns: 500 },
      );
    }
  });
});
