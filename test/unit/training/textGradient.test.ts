import * as assert from 'node:assert';
import type { Architecture, Layer, Weights } from '../../../src/core/model/architecture';
import { createBundle, validateBundle, type ValidBundle } from '../../../src/core/model/bundle';
import type { Precision, TaskKind } from '../../../src/core/model/onnxWriter';
import { headOf } from '../../../src/core/model/onnxWriter';
import type { ExplainTarget } from '../../../src/core/protocol/explainer';
import { Tokenizer } from '../../../src/core/text/tokenizer';
import { Random } from '../../../src/core/util/random';
import { TextGradient } from '../../../src/training/textGradient';
import { randomWeights, referenceForward, softmax } from '../model/referenceForward';
import { engines, smallArchitectures } from './engines';

const labels = 3;
const temperature = 1.7;
/** Each token once, so that the rows of the table are the text's own vectors; `<unk>` among them. */
const text = [4, 7, 2, 1, 9, 5, 3, 8];

/** The small architectures with as many buckets as a model file must have, and one without an LSTM. */
function architectures(): Readonly<Record<string, Architecture>> {
  const enlarged = (layer: Layer): Layer => (layer.type === 'ngrams' ? { ...layer, buckets: 1024 } : layer);
  const small = Object.entries(smallArchitectures({ vocabularySize: 12, labels })).map(([title, { preset, layers }]) => [title, { preset, layers: layers.map(enlarged) }] as const);
  const bag: Architecture = {
    preset: 'test',
    layers: [
      { type: 'embedding', name: 'embedding', vocabularySize: 12, size: 8 },
      { type: 'pool', name: 'pool', methods: ['mean', 'max'] },
      { type: 'dense', name: 'hidden', units: 5, activation: 'relu' },
      { type: 'ngrams', name: 'ngrams', buckets: 2048, longest: 2 },
      { type: 'dense', name: 'head', units: labels, activation: 'linear' },
    ],
  };
  return { ...Object.fromEntries(small), 'n-grams beside a bag of words': bag };
}

function bundleOf(architecture: Architecture, weights: Weights, kind: TaskKind, precision: Precision = 'float32'): ValidBundle {
  const tokenizer = Tokenizer.build(['a b c d e f g h i j'], { minFrequency: 1, maxVocabulary: 12, maxTokens: 50 });
  const ids = kind === 'number' ? [] : ['x', 'y', 'z'].map((id) => ({ id }));
  const manifest = { name: 'm', version: '1', task: { kind, labels: ids }, data: {}, seed: 1, hyperparameters: {}, epochs: [], metrics: {}, temperature };
  return validateBundle(createBundle({ manifest, tokenizer, architecture, weights, precision }), 'm');
}

/** An architecture whose head gives a single value. */
function forNumber(architecture: Architecture): Architecture {
  return { ...architecture, layers: architecture.layers.map((layer) => (layer.type === 'dense' && layer.name === 'head' ? { ...layer, units: 1 } : layer)) };
}

/** The target of a text, straight from its definition. */
function valueOf(target: ExplainTarget, kind: TaskKind, architecture: Architecture, weights: Weights, ids: readonly number[]): number {
  const { features, logits } = referenceForward(architecture, weights, ids);
  const probabilities = softmax(logits, temperature);
  if (target.kind === 'score') {
    const p = probabilities[target.column]!;
    return kind === 'single' ? Math.log(p / (1 - p)) : kind === 'multi' ? logits[target.column]! / temperature : logits[target.column]!;
  }
  const word = (k: number): number => (kind === 'single' ? Math.log(probabilities[k]!) : kind === 'multi' ? logits[k]! / temperature : logits[k]!);
  return target.scores.reduce((sum, factor, k) => sum + factor * word(k), 0) + target.features.reduce((sum, factor, j) => sum + factor * features[j]!, 0);
}

/** The same weights, but some numbers of one of them. */
function changed(weights: Weights, name: string, change: (value: number, index: number) => number): Weights {
  const { shape, data } = weights[name]!;
  // in double precision, so that small steps can be told apart
  return { ...weights, [name]: { shape, data: Float64Array.from(data, change) as unknown as Float32Array } };
}

/** Slope of a function at 0. */
function slopeOf(value: (step: number) => number): number {
  const step = 1e-4;
  return (value(step) - value(-step)) / (2 * step);
}

/** What a token's share has to be: the slope on the way from `<unk>` to its vector, and what the n-grams lose without it in the terms of the logits' slopes. */
function expectedShare(t: number, value: (weights: Weights, ids: readonly number[]) => number, architecture: Architecture, weights: Weights): number {
  const { data, shape } = weights['embedding/table']!;
  const width = shape[1]!;
  const away = (j: number): number => data[text[t]! * width + j]! - data[width + j]!;
  const vector = slopeOf((step) => value(changed(weights, 'embedding/table', (number, index) => number + (Math.floor(index / width) === text[t] ? step * away(index % width) : 0)), text));
  const shorter = text.filter((_, position) => position !== t);
  // without an LSTM's word, what is left of the logits is the n-grams' and the head's bias
  const silent = changed(weights, 'head/kernel', () => 0);
  const [before, after] = [text, shorter].map((ids) => referenceForward(architecture, silent, ids).logits) as [number[], number[]];
  return before.reduce((sum, logit, k) => {
    const slope = slopeOf((step) => value(changed(weights, 'head/bias', (number, index) => number + (index === k ? step : 0)), text));
    return sum + slope * (logit - after[k]!);
  }, vector);
}

describe('words that decided, by gradient × (input − unknown)', () => {
  for (const { name, create } of engines) {
    for (const [title, whole] of Object.entries(architectures())) {
      it(`${name} engine, ${title}: the slope of the score on the way from unknown to each token, and the n-grams' loss`, async () => {
        for (const kind of ['single', 'multi', 'number'] as const) {
          const architecture = kind === 'number' ? forNumber(whole) : whole;
          const weights = randomWeights(architecture, new Random(3));
          const gradient = await TextGradient.open(bundleOf(architecture, weights, kind), create);
          const { features } = referenceForward(architecture, weights, text);
          const random = new Random(4);
          const targets: ExplainTarget[] = [
            { kind: 'score', column: kind === 'number' ? 0 : 1 },
            { kind: 'sum', scores: Float32Array.from({ length: headOf(architecture).units }, () => random.normal()), features: Float32Array.from(features, () => random.normal()) },
            { kind: 'sum', scores: new Float32Array(0), features: Float32Array.from(features, () => random.normal()) },
          ];
          for (const target of targets) {
            // the second one asks again, of an engine that has gradients behind it
            for (const { shares, scores } of [gradient.explain(Int32Array.from(text), target), gradient.explain(Int32Array.from(text), target)]) {
              const { logits } = referenceForward(architecture, weights, text);
              const said = kind === 'single' ? softmax(logits, temperature) : kind === 'multi' ? logits.map((logit) => 1 / (1 + Math.exp(-logit / temperature))) : logits;
              said.forEach((score, k) => assert.ok(Math.abs(scores[k]! - score) < 1e-5, `score ${k}`));
              const value = (changedWeights: Weights, ids: readonly number[]): number => valueOf(target, kind, architecture, changedWeights, ids);
              text.forEach((_, t) => {
                const expected = expectedShare(t, value, architecture, weights);
                assert.ok(Math.abs(shares[t]! - expected) < 1e-4 * Math.max(1, Math.abs(expected)), `${kind}, ${target.kind}, token ${t}: ${shares[t]} instead of ${expected}`);
              });
            }
          }
        }
      });
    }
  }

  it('reads weights of every precision as they are stored', async () => {
    const architecture = architectures()['n-grams beside an LSTM']!;
    const weights = randomWeights(architecture, new Random(5));
    for (const precision of ['float32', 'float16', 'int8'] as const) {
      const bundle = bundleOf(architecture, weights, 'single', precision);
      const shares = async (of: ValidBundle): Promise<Float64Array> => (await TextGradient.open(of, engines.at(-1)!.create)).explain(Int32Array.from(text), { kind: 'score', column: 0 }).shares;
      // rounded as the file has them
      const [one, other] = [await shares(bundle), await shares(bundleOf(architecture, bundle.weights(), 'single'))];
      one.forEach((share, t) => assert.ok(Math.abs(share - other[t]!) < 1e-5, `${precision}, token ${t}: ${share} instead of ${other[t]}`));
    }
  });

  it('has nothing to say of a text without tokens, and refuses what the engine cannot compute', async () => {
    const architecture = architectures()['n-grams beside an LSTM']!;
    const gradient = await TextGradient.open(bundleOf(architecture, randomWeights(architecture, new Random(6)), 'single'), engines.at(-1)!.create);
    assert.deepStrictEqual(gradient.explain(new Int32Array(0), { kind: 'score', column: 0 }).shares.length, 0);
    const odd: Architecture = { ...architecture, layers: architecture.layers.map((layer) => (layer.type === 'embedding' ? { ...layer, size: 7 } : layer)) };
    await assert.rejects(TextGradient.open(bundleOf(odd, randomWeights(odd, new Random(6)), 'single'), engines.at(-1)!.create), /multiple of 4/);
  });
});
