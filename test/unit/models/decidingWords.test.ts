import * as assert from 'node:assert';
import { readFileSync } from 'node:fs';
import * as path from 'node:path';
import { explainByOcclusion } from '../../../src/app/occlusion';
import type { Span } from '../../../src/app/occlusion';
import { validateBundle } from '../../../src/core/model/bundle';
import type { BundleFiles } from '../../../src/core/protocol/predictor';
import { Random } from '../../../src/core/util/random';
import { ExplainedModel } from '../../../src/training/explainWorker';
import { reviews } from '../../fixtures/reviews';
import { OnnxSession } from '../model/onnxSession';

/** Random draws of words for each text. */
const draws = 20;

/** Places in the order of their values; equal ones share the mean of their places. */
function ranks(values: readonly number[]): readonly number[] {
  const order = values.map((value, index) => ({ value, index })).sort((a, b) => a.value - b.value);
  const ranked = Array<number>(values.length);
  for (let from = 0; from < order.length; ) {
    let to = from;
    while (to < order.length && order[to]!.value === order[from]!.value) to++;
    for (let at = from; at < to; at++) ranked[order[at]!.index] = (from + to - 1) / 2;
    from = to;
  }
  return ranked;
}

function correlation(one: readonly number[], other: readonly number[]): number {
  const centre = (values: readonly number[]): readonly number[] => values.map((value) => value - values.reduce((sum, each) => sum + each, 0) / values.length);
  const [a, b] = [centre(one), centre(other)];
  const product = (x: readonly number[], y: readonly number[]): number => x.reduce((sum, value, k) => sum + value * y[k]!, 0);
  return product(a, b) / Math.sqrt(product(a, a) * product(b, b));
}

function without(text: string, gone: readonly Span[]): string {
  return [...gone].sort((a, b) => b.start - a.start).reduce((left, { start, end }) => `${left.slice(0, start)} ${left.slice(end)}`, text);
}

describe('the words that decided for the shipped sentiment model', () => {
  let model: ExplainedModel;
  let session: OnnxSession;
  let scoresOf: (texts: readonly string[]) => Promise<readonly (readonly number[])[]>;

  before(async function () {
    this.timeout(30_000);
    const read = (name: string): Uint8Array => new Uint8Array(readFileSync(path.resolve('models/sentiment', name)));
    const files: BundleFiles = { manifest: read('model.json'), tokenizer: read('tokenizer.json'), model: read('model.onnx') };
    const { tokenizer } = validateBundle(files, 'sentiment');
    model = await ExplainedModel.open(files, 'sentiment');
    session = await OnnxSession.open(files.model);
    scoresOf = async (texts) => (await session.run(texts.map((text) => [...tokenizer.encode(text)]))).map(({ scores }) => scores);
  });
  after(() => session.close());

  it('move the score ten times as far as as many random ones when they are left out, and are those that leaving out one by one finds', async function () {
    this.timeout(120_000);
    const random = new Random(1);
    let [decided, drawn, occluded, agreement] = [0, 0, 0, 0];
    for (const text of reviews) {
      const scores = (await scoresOf([text]))[0]!;
      const column = scores.indexOf(Math.max(...scores));
      const found = model.explain(text, { kind: 'score', column });
      scores.forEach((score, k) => assert.ok(Math.abs(score - found.scores[k]!) < 1e-3, 'the engine computes what the model file does'));
      const words = Array.from(found.starts, (start, word) => ({ start, end: found.ends[word]!, weight: found.shares[word]! }));
      const left = await explainByOcclusion(text, async (texts) => (await scoresOf(texts)).map((each) => each[column]!));
      assert.deepStrictEqual(words.map(({ start, end }) => [start, end]), left.map(({ start, end }) => [start, end]));

      const share = Math.round(words.length / 10);
      const heaviest = (weights: typeof words): readonly Span[] => [...weights].sort((a, b) => b.weight - a.weight).slice(0, share);
      const chosen = [heaviest(words), heaviest([...left]), ...Array.from({ length: draws }, () => random.shuffle([...words]).slice(0, share))];
      const falls = (await scoresOf(chosen.map((gone) => without(text, gone)))).map((each) => scores[column]! - each[column]!);
      decided += falls[0]!;
      occluded += falls[1]!;
      drawn += falls.slice(2).reduce((sum, fall) => sum + fall, 0) / draws;
      agreement += correlation(ranks(words.map(({ weight }) => weight)), ranks(left.map(({ weight }) => weight))) / reviews.length;
    }
    const summary = `the score falls by ${(decided / reviews.length).toFixed(3)} (random words ${(drawn / reviews.length).toFixed(3)}, by occlusion ${(occluded / reviews.length).toFixed(3)}); rank correlation ${agreement.toFixed(3)}`;
    assert.ok(decided >= 10 * drawn, summary);
    assert.ok(decided >= 0.9 * occluded, summary);
    assert.ok(agreement > 0.85, summary);
  });
});
