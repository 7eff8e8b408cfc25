import * as assert from 'node:assert';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { gzipSync } from 'node:zlib';
import { compose, readTrained } from '../../../models/sentiment/recipe/compose';
import { lender, shippedModels } from '../../../models/sentiment/recipe/models';
import { isHeldOut, prepare, type PreparedData } from '../../../models/sentiment/recipe/prepare';
import { labelledSets, testFiles, unlabelledSets } from '../../../models/sentiment/recipe/sets';
import { validateBundle } from '../../../src/core/model/bundle';
import { ngramFactor } from '../../../src/core/model/ngrams';
import { fillTensors, shareTensors } from '../../../src/core/model/sharedModel';
import { Tokenizer } from '../../../src/core/text/tokenizer';
import { firstPieces } from '../../../src/core/text/vocabulary';
import { Random } from '../../../src/core/util/random';

const used = ['sst2', 'rotten_tomatoes', 'tweeteval_sentiment'];

/** Sets of made-up sentences, some of which stand in two files. */
function writeData(folder: string): void {
  const write = (file: string, rows: readonly (readonly [string, string])[]): void => {
    mkdirSync(path.join(folder, path.dirname(file)), { recursive: true });
    writeFileSync(path.join(folder, file), gzipSync(['text,label', ...rows.map(([text, label]) => `"${text.replaceAll('"', '""')}",${label}`)].join('\r\n')));
  };
  const random = new Random(3);
  const words = ['film', 'plot', 'actor', 'good', 'bad', 'slow', 'never', 'always', 'scene', 'ending'];
  const sentence = (): string => Array.from({ length: 8 }, () => words[random.below(words.length)]).join(' ');
  const labelled = (count: number): [string, string][] => Array.from({ length: count }, (_, i) => [sentence(), i % 2 === 0 ? 'negative' : 'positive']);
  const valid = labelled(20);
  const snippets = labelled(200);
  write('sst2/valid.csv.gz', valid);
  // phrases of snippets, a held-out sentence in another dress, and the text of a test file
  write('sst2/train_phrases.csv.gz', [...snippets.map(([text, label]): [string, string] => [text.split(' ').slice(1, 7).join(' '), label]), [`${valid[0]![0]} !`, 'negative'], ['Where is the test?', 'negative']]);
  write('rotten_tomatoes/train.csv.gz', [...snippets, [`so ${valid[1]![0]} indeed`, 'positive']]);
  write('tweeteval_sentiment/train.csv.gz', [...labelled(30), ['see http now', 'neutral']]);
  write('tweeteval_sentiment/valid.csv.gz', [...labelled(10), ['@user look', 'neutral']]);
  for (const file of testFiles) write(file, [['Where is the test?', 'DESC']]);
}

describe('the recipe of the encoder and its models', () => {
  let folder: string;
  let data: PreparedData;
  let tokenizer: Tokenizer;
  before(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'label-lens-recipe-'));
    writeData(path.join(folder, 'sets'));
    const without = [...labelledSets, ...unlabelledSets].map(({ name }) => name).filter((name) => !used.includes(name));
    data = await prepare(path.join(folder, 'sets'), path.join(folder, 'data'), new Set(without), () => undefined);
    tokenizer = Tokenizer.fromJson(readFileSync(path.join(folder, 'data/tokenizer.json')), { maxTokens: data.maxTokens });
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  /** Texts as train.py reads them: their tokens, joined. */
  function textsOf(set: string, part: string): string[] {
    const read = (kind: string): Uint16Array => new Uint16Array(Uint8Array.from(readFileSync(path.join(folder, `data/${set}.${part}.${kind}`))).buffer);
    const ids = read('ids');
    let at = 0;
    return Array.from(read('lengths'), (length) => Array.from(ids.subarray(at, (at += length)), (id) => tokenizer.tokenOf(id)).join(' '));
  }

  it('holds the rows out that it is evaluated on, and trains on nothing that equals or holds them', () => {
    const held = used.flatMap((set) => textsOf(set, 'valid'));
    for (const set of used) {
      const train = textsOf(set, 'train');
      assert.ok(train.length >= 10, set);
      for (const text of train) assert.ok(!held.includes(text) && !text.includes('test'), text);
    }
    const snippets = textsOf('rotten_tomatoes', 'valid');
    assert.ok(snippets.length > 5);
    const nested = textsOf('sst2', 'train').filter((phrase) => snippets.some((snippet) => snippet.includes(phrase)));
    assert.deepStrictEqual(nested, []);
    assert.ok(!textsOf('rotten_tomatoes', 'train').some((text) => text.endsWith('indeed')));
    assert.deepStrictEqual(
      data.sets.map(({ name, train, valid }) => [name, train === textsOf(name, 'train').length, valid === textsOf(name, 'valid').length]),
      used.map((name) => [name, true, true]),
    );
  });

  it('says of any text whether it is held out', () => {
    const held = readFileSync(path.join(folder, 'data/rotten_tomatoes.valid.csv'), 'utf8').split('\r\n').slice(1, -1).map((line) => line.split(',')[0]!);
    assert.ok(held.length > 5 && held.every((text) => isHeldOut('rotten_tomatoes', text) === true));
    assert.strictEqual(isHeldOut('sst2', held[0]!), undefined);
    assert.strictEqual(isHeldOut('my reviews', held[0]!), undefined);
  });

  it('reads addresses that a set has masked as addresses', () => {
    assert.strictEqual(textsOf('tweeteval_sentiment', 'train').at(-1), `see ${tokenizer.tokenOf(2)} now`);
    assert.match(readFileSync(path.join(folder, 'data/tweeteval_sentiment.valid.csv'), 'utf8'), /@user look,neutral/);
  });

  it('hashes n-grams in Python as in TypeScript', () => {
    const source = readFileSync('models/sentiment/recipe/train.py', 'utf8');
    assert.strictEqual(/^NGRAM_FACTOR = (\d+)/m.exec(source)?.[1], String(ngramFactor));
  });

  it('orders the tokens by how rare they are', () => {
    const used = new Set(data.sets.flatMap(({ name }) => textsOf(name, 'train')).flatMap((text) => text.split(' ')));
    const tokens = Array.from({ length: tokenizer.vocabularySize }, (_, id) => tokenizer.tokenOf(id)).slice(firstPieces.length);
    const isUsed = tokens.map((token) => used.has(token));
    // words of a hundred sentences, then what one sentence holds, then letters and signs that none does
    assert.ok(tokens.indexOf('film') < tokens.indexOf('see') && tokens.indexOf('see') < tokens.indexOf('##x'));
    assert.deepStrictEqual(isUsed, [...isUsed].sort((a, b) => Number(b) - Number(a)));
  });

  it('composes bundles that share an encoder from what was trained', async () => {
    const arrays: { name: string; shape: number[] }[] = [
      { name: 'embedding/table', shape: [data.vocabularySize, 8] },
      ...['forward', 'backward'].flatMap((way) => [
        { name: `lstm/${way}/kernel`, shape: [8, 16] },
        { name: `lstm/${way}/recurrent`, shape: [4, 16] },
        { name: `lstm/${way}/bias`, shape: [16] },
      ]),
      ...Object.entries(data.heads).flatMap(([head, labels]) => [
        { name: `heads/${head}/kernel`, shape: [16, labels.length] },
        { name: `heads/${head}/bias`, shape: [labels.length] },
      ]),
      { name: 'ngrams/sentiment-3/table', shape: [1024, 3] },
    ];
    const count = arrays.reduce((sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1), 0);
    const random = new Random(1);
    const weights = path.join(folder, 'weights');
    mkdirSync(weights);
    writeFileSync(path.join(weights, 'weights.f32'), Float32Array.from({ length: count }, () => random.float() - 0.5));
    writeFileSync(path.join(weights, 'weights.json'), JSON.stringify({ units: 4, seed: 7, steps: { steps: 3 }, temperatures: { 'sentiment-3': 1.5 }, arrays }));
    const trained = await readTrained(path.join(folder, 'data'), weights);
    const [first, second] = ['sentiment', 'sentiment-3'].map((name) => compose(trained, shippedModels.find((model) => model.name === name)!, 'v2', { rows: 3 }));
    assert.deepStrictEqual(validateBundle(first!, '').manifest.task.labels.map(({ id }) => id), ['negative', 'positive']);
    const bundle = validateBundle(second!, '');
    const { manifest } = bundle;
    assert.deepStrictEqual([manifest.task.labels.map(({ id }) => id), manifest.temperature, manifest.seed, manifest.metrics.rows], [['negative', 'neutral', 'positive'], 1.5, 7, 3]);
    assert.deepStrictEqual(bundle.weights()['ngrams/table']?.shape, [1024, 4]);
    assert.deepStrictEqual(fillTensors(shareTensors(second!.model, first!.model, lender), first!.model, ''), second!.model);
  });
});
