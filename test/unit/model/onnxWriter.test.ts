import * as assert from 'node:assert';
import { HumanError } from '../../../src/core/errors';
import { weightShapes, type Architecture, type Weights } from '../../../src/core/model/architecture';
import { decodeOnnx } from '../../../src/core/model/onnxFormat';
import { ngramLimits } from '../../../src/core/model/ngrams';
import { readOnnxWeights } from '../../../src/core/model/onnxReader';
import { operators, precisions, writeOnnx, type WriteOptions } from '../../../src/core/model/onnxWriter';
import { presets } from '../../../src/core/model/presets';
import { Random } from '../../../src/core/util/random';
import { OnnxSession, type Row } from './onnxSession';
import { labelsOf, randomArchitecture, randomTexts, vocabularyOf } from './randomModels';
import { randomWeights, referenceForward, scoresOf, softmax } from './referenceForward';

function write(architecture: Architecture, weights: Weights, options: Partial<WriteOptions> = {}): Uint8Array {
  return writeOnnx(architecture, weights, { labels: labelsOf(architecture), temperature: 1, precision: 'float32', ...options });
}

async function withSession<T>(model: Uint8Array, use: (session: OnnxSession) => Promise<T>): Promise<T> {
  const session = await OnnxSession.open(model);
  try {
    return await use(session);
  } finally {
    await session.close();
  }
}

function largestDifference(a: readonly number[], b: readonly number[]): number {
  assert.strictEqual(a.length, b.length);
  return a.reduce((largest, value, i) => Math.max(largest, Number.isFinite(value) ? Math.abs(value - b[i]!) : Infinity), 0);
}

/** The default preset, small enough for the oracle, with n-grams. */
function small(random: Random, labels = 3): { architecture: Architecture; weights: Weights } {
  const architecture = presets[0]!.build({ vocabularySize: 50, labels, embeddingSize: 8, hiddenUnits: 12, dropout: 0.3, ngramBuckets: 1024, ngramLength: 3 });
  return { architecture, weights: randomWeights(architecture, random) };
}

describe('writeOnnx in ONNX Runtime', () => {
  it('gives what the definition gives, for random architectures and ragged batches', async () => {
    const random = new Random(7);
    const seen = new Set<string>();
    for (let round = 0; round < 60; round++) {
      const architecture = randomArchitecture(random);
      const weights = randomWeights(architecture, random);
      const temperature = 0.5 + 2 * random.float();
      const texts = randomTexts(random, vocabularyOf(architecture));
      const model = write(architecture, weights, { temperature });
      const rows = await withSession(model, (session) => session.run(texts));
      texts.forEach((ids, row) => {
        const expected = referenceForward(architecture, weights, ids);
        const about = `${JSON.stringify(architecture.layers)}, ${ids.length} tokens`;
        assert.ok(largestDifference(rows[row]!.features, expected.features) <= 1e-5, `features of ${about}`);
        assert.ok(largestDifference(rows[row]!.scores, scoresOf(expected.logits, temperature)) <= 1e-5, `scores of ${about}`);
        const { attention } = rows[row]!;
        assert.strictEqual(attention !== undefined, architecture.layers.some(({ type }) => type === 'attention'));
        const shares = expected.attention;
        attention?.forEach((share, t) => assert.ok(Math.abs(share - (shares[t] ?? 0)) <= 1e-5, `share ${t} of ${about}`));
      });
      for (const node of decodeOnnx(model, 'model.onnx').nodes) seen.add(node.operator);
    }
    // the list of operators that the validation lets through is exactly what occurs, but for those that other kinds and formats use
    assert.deepStrictEqual([...operators].filter((operator) => !seen.has(operator)).sort(), ['Abs', 'Cast', 'DequantizeLinear', 'Sigmoid']);
    assert.deepStrictEqual([...seen].filter((operator) => !operators.has(operator)), []);
  });

  it('counts n-grams in the buckets that the definition gives, for tables of any size', async () => {
    const random = new Random(12);
    const vocabularySize = 60_000;
    for (const [round, buckets] of [1024, 1_048_576, 524_288, 999_424, ...Array.from({ length: 8 }, () => 1024 * (1 + random.below(1024)))].entries()) {
      const architecture: Architecture = {
        preset: 'test',
        layers: [
          { type: 'embedding', name: 'embedding', vocabularySize, size: 1 },
          { type: 'pool', name: 'pool', methods: ['mean'] },
          { type: 'ngrams', name: 'ngrams', buckets, longest: 1 + (round % ngramLimits.longest) },
          { type: 'dense', name: 'head', units: 2, activation: 'linear' },
        ],
      };
      const weights = randomWeights(architecture, random);
      const texts = randomTexts(random, vocabularySize);
      const temperature = 4;
      const rows = await withSession(write(architecture, weights, { temperature }), (session) => session.run(texts));
      texts.forEach((ids, row) => {
        const { logits } = referenceForward(architecture, weights, ids);
        assert.ok(largestDifference(rows[row]!.scores, softmax(logits, temperature)) <= 1e-5, `${buckets} buckets, ${ids.length} tokens`);
      });
    }
  });

  it('gives a row the same bits alone, in a batch and padded, whatever the padding is', async () => {
    const random = new Random(3);
    for (const precision of precisions) {
      const { architecture, weights } = small(random);
      const texts = Array.from({ length: 9 }, (_, row) => Array.from({ length: row * row }, () => random.below(50)));
      await withSession(write(architecture, weights, { precision }), async (session) => {
        const batch = await session.run(texts);
        assert.deepStrictEqual(await session.run(texts, 90, 7), batch);
        assert.deepStrictEqual(await session.run(texts, 70, -1), batch);
        const alone: Row[] = [];
        for (const text of texts) alone.push(...(await session.run([text])));
        assert.deepStrictEqual(alone, batch);
      });
    }
  });

  it('has features of zero and finite scores for texts without tokens, also where all are', async () => {
    const { architecture, weights } = small(new Random(4));
    await withSession(write(architecture, weights), async (session) => {
      for (const time of [0, 1, 5]) {
        for (const row of await session.run([[], []], time)) {
          assert.deepStrictEqual(row.features, Array(48).fill(0));
          assert.ok(largestDifference(row.scores, softmax([...weights['head/bias']!.data])) < 1e-6);
        }
      }
    });
  });

  it('reads ids outside the vocabulary as <unk>, and lengths outside the batch as its nearest', async () => {
    const { architecture, weights } = small(new Random(5));
    await withSession(write(architecture, weights), async (session) => {
      const [strange] = await session.run([[5, 50, -1, 2_147_483_647, -2_147_483_648, 49]]);
      assert.deepStrictEqual(strange, (await session.run([[5, 1, 1, 1, 1, 49]]))[0]);
      const scores = async (length: number): Promise<unknown> => (await session.runRaw(Int32Array.of(2, 3, 4), Int32Array.of(length), 3)).scores.data;
      assert.deepStrictEqual(await scores(2_000_000_000), await scores(3));
      assert.deepStrictEqual(await scores(-5), await scores(0));
    });
  });

  it('stays close to float32 with smaller number formats', async () => {
    const random = new Random(6);
    for (const [precision, bound] of [['float16', 2e-3], ['int8', 2e-2]] as const) {
      for (let round = 0; round < 10; round++) {
        const architecture = randomArchitecture(random);
        const weights = randomWeights(architecture, random);
        const texts = randomTexts(random, vocabularyOf(architecture));
        const full = await withSession(write(architecture, weights), (session) => session.run(texts));
        const reduced = await withSession(write(architecture, weights, { precision }), (session) => session.run(texts));
        full.forEach((row, i) => assert.ok(largestDifference(row.scores, reduced[i]!.scores) <= bound, `${precision}, ${JSON.stringify(architecture)}: ${largestDifference(row.scores, reduced[i]!.scores)}`));
      }
    }
  });

  it('computes with exactly the weights that the reader gives, in every number format', async () => {
    const random = new Random(8);
    for (const precision of [...precisions, ...precisions, ...precisions]) {
      const architecture = randomArchitecture(random);
      const model = write(architecture, randomWeights(architecture, random), { precision });
      const stored = readOnnxWeights(model, architecture);
      const texts = randomTexts(random, vocabularyOf(architecture));
      const rows = await withSession(model, (session) => session.run(texts));
      texts.forEach((ids, row) => {
        const expected = referenceForward(architecture, stored, ids);
        assert.ok(largestDifference(rows[row]!.features, expected.features) <= 1e-5);
        assert.ok(largestDifference(rows[row]!.scores, scoresOf(expected.logits)) <= 1e-5);
      });
    }
  });

  it('gives each label its own probability for `multi`, and the value itself for `number`', async () => {
    const random = new Random(9);
    const texts = [[], [3], [4, 5, 6]];
    const { architecture, weights } = small(random);
    const multi = await withSession(write(architecture, weights, { kind: 'multi', temperature: 2 }), (session) => session.run(texts));
    const one = small(random, 1);
    const number = await withSession(write(one.architecture, one.weights, { kind: 'number', labels: [], temperature: 2 }), (session) => session.run(texts));
    texts.forEach((ids, row) => {
      const { logits } = referenceForward(architecture, weights, ids);
      assert.ok(largestDifference(multi[row]!.scores, logits.map((logit) => 1 / (1 + Math.exp(-logit / 2)))) <= 1e-5);
      assert.ok(largestDifference(number[row]!.scores, referenceForward(one.architecture, one.weights, ids).logits) <= 1e-5);
    });
  });
});

describe('writeOnnx', () => {
  const random = new Random(10);
  const { architecture, weights } = small(random);

  it('writes the same bytes for the same model', () => {
    assert.deepStrictEqual(write(architecture, weights), write(architecture, weights));
  });

  it('says in the file which labels, name and version the model has', () => {
    const { metadata } = decodeOnnx(write(architecture, weights, { labels: ['好', 'b', 'c"'], metadata: { name: 'x', version: 'v3' } }), 'model.onnx');
    assert.deepStrictEqual([...metadata], [['labels', '["好","b","c\\""]'], ['kind', 'single'], ['name', 'x'], ['version', 'v3']]);
  });

  it('stores small formats small', () => {
    const large = presets[0]!.build({ vocabularySize: 5000, labels: 2, embeddingSize: 64, hiddenUnits: 64, dropout: 0 });
    const trained = randomWeights(large, random);
    const [float32, float16, int8] = precisions.map((precision) => write(large, trained, { precision }).length);
    assert.ok(float16! < 0.51 * float32! && int8! < 0.28 * float32!, `${float32}, ${float16}, ${int8} bytes`);
  });

  it('stores a table of n-grams in a byte for each score', () => {
    const size = (ngramBuckets: number, ones: boolean): number => {
      const wide = presets[0]!.build({ vocabularySize: 50, labels: 2, embeddingSize: 4, hiddenUnits: 4, dropout: 0, ngramBuckets });
      const trained = randomWeights(wide, random);
      trained['ngrams/sizes']!.data.fill(ones ? 1 : 2);
      return write(wide, trained, { precision: 'int8' }).length;
    };
    const buckets = 65_536;
    const bytesOfBucket = (ones: boolean): number => (size(2 * buckets, ones) - size(buckets, ones)) / buckets;
    assert.ok(bytesOfBucket(true) < 2.001, `${bytesOfBucket(true)}`);
    assert.ok(bytesOfBucket(false) < 3.001, `${bytesOfBucket(false)}`);
  });

  it('tells a person when the weights are not finite', () => {
    for (const value of [NaN, Infinity, -Infinity]) {
      const data = weights['lstm/backward/bias']!.data.slice();
      data[3] = value;
      const broken = { ...weights, 'lstm/backward/bias': { ...weights['lstm/backward/bias']!, data } };
      assert.throws(() => write(architecture, broken), (error) => error instanceof HumanError && error.code === 'model.notFinite' && error.message.includes('lstm/backward/bias'));
    }
  });

  it('refuses what does not fit', () => {
    const lacking = Object.fromEntries(Object.entries(weights).filter(([name]) => name !== 'head/bias'));
    assert.throws(() => write(architecture, lacking), /lack head\/bias \[3\]/);
    assert.throws(() => write(architecture, { ...weights, 'head/bias': { shape: [2], data: new Float32Array(2) } }), /lack head\/bias \[3\]/);
    assert.throws(() => write(architecture, weights, { labels: ['a', 'b'] }), /2 labels for 3 scores/);
    for (const temperature of [0, -1, NaN, Infinity]) assert.throws(() => write(architecture, weights, { temperature }), /temperature/);
    const unpooled = { ...architecture, layers: architecture.layers.filter((layer) => layer.type !== 'lstm').map((layer) => (layer.type === 'pool' ? { ...layer, methods: ['last' as const] } : layer)) };
    assert.throws(() => write(unpooled, randomWeights(unpooled, random)), /reads an LSTM/);
    const misplaced = { ...architecture, layers: [...architecture.layers.slice(0, -2), architecture.layers.at(-1)!, architecture.layers.at(-2)!] };
    assert.throws(() => weightShapes(misplaced), /right before the head/);
  });
});
