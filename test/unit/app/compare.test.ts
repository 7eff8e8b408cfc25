import * as assert from 'node:assert';
import { compareOnRows, type CompareRequest } from '../../../src/app/compare';
import type { OpenedModel } from '../../../src/app/modelStore';
import { CancelledError } from '../../../src/core/errors';
import type { TaskKind } from '../../../src/core/model/onnxWriter';
import { humanError } from '../humanErrors';


/** A model that says to each text what `scores` has for it. */
interface Fake {
  readonly kind: TaskKind;
  readonly labels: readonly string[];
  readonly scores: (text: string) => readonly number[];
  /** Of a joint model. */
  readonly value?: { readonly name: string; readonly of: (text: string) => number };
}

function request(fakes: Readonly<Record<string, Fake>>, labels: readonly string[], more: Partial<CompareRequest> = {}): CompareRequest {
  return {
    rows: labels.map((label, index) => ({ row: index + 1, text: String(index), label, labels: label.split(';').filter((each) => each !== ''), value: Number(label) })),
    file: 'test.csv',
    labelColumn: 'label',
    models: Object.entries(fakes).map(([name, { kind, labels: own, value }]) => ({
      name,
      model: { key: name, name, folder: `/models/${name}`, manifest: { task: { kind, labels: own.map((id) => ({ id })), ...(value ? { value: { name: value.name, mean: 0, deviation: 1 } } : {}) } } } as unknown as OpenedModel,
    })),
    predictor: {
      load: () => Promise.resolve({ labels: [] }),
      predict: (key, texts) => {
        const scores = texts.map((text) => fakes[key]!.scores(text));
        return Promise.resolve({ scores: Float32Array.from(scores.flat()), width: scores[0]!.length, tokens: new Int32Array(texts.length), ...(fakes[key]!.value ? { values: Float32Array.from(texts, fakes[key]!.value.of) } : {}) } as never);
      },
    },
    seed: 1,
    pause: () => Promise.resolve(),
    ...more,
  };
}

describe('comparing models', () => {
  // 20 rows; the first is right on 0..15, the second on 12..19
  const labels = Array.from({ length: 20 }, (_, row) => (row % 2 === 0 ? 'a' : 'b'));
  const oneOf = (own: readonly string[], isRight: (row: number) => boolean): Fake => ({
    kind: 'single',
    labels: own,
    scores: (text) => own.map((label) => Number((label === labels[Number(text)]) === isRight(Number(text)) && ['a', 'b'].includes(label))),
  });

  it('judges labels whatever order the models have them in', async () => {
    const fakes = { first: oneOf(['a', 'b'], (row) => row < 16), second: oneOf(['c', 'b', 'a'], (row) => row >= 12) };
    const { comparison, result } = await compareOnRows(request(fakes, labels));
    assert.ok(comparison.kind === 'single');
    assert.deepStrictEqual(comparison.labels, ['a', 'b', 'c']);
    assert.deepStrictEqual(result.scores.map(({ name, main }) => [name, main.value]), [['first', 0.8], ['second', 0.4]]);
    for (const { main } of result.scores) assert.ok(main.low < main.value && main.value < main.high);
    const [pair] = result.pairs;
    assert.ok(Math.abs(pair!.difference.value - 0.4) < 1e-12);
    assert.deepStrictEqual([pair!.first, pair!.second, pair!.test!.onlyFirst, pair!.test!.onlySecond], ['first', 'second', 12, 4]);
    // two-sided, exact: 2 · P(X ≤ 4) of 16 fair throws
    assert.ok(Math.abs(pair!.test!.p - (2 * (1 + 16 + 120 + 560 + 1820)) / 2 ** 16) < 1e-12);
    assert.deepStrictEqual(result.differing, [...Array.from({ length: 12 }, (_, row) => row), 16, 17, 18, 19]);
    assert.deepStrictEqual((await compareOnRows(request(fakes, labels))).result, result, 'the same seed gives the same intervals');
  });

  it('judges sets of labels and numbers, three models in three pairs', async () => {
    const several = ['x;y', '', 'y', 'x'];
    const say = (right: number): Fake => ({ kind: 'multi', labels: ['x', 'y'], scores: (text) => (Number(text) < right ? [Number(several[Number(text)]!.includes('x')), Number(several[Number(text)]!.includes('y'))] : [0.5, 0.5]) });
    const { result } = await compareOnRows(request({ all: say(4), three: say(3), none: say(0) }, several));
    // all labels above one half are right only where both are
    assert.deepStrictEqual(result.scores.map(({ main }) => main.value), [1, 0.75, 0.25]);
    assert.deepStrictEqual(result.pairs.map(({ first, second }) => [first, second]), [['all', 'three'], ['all', 'none'], ['three', 'none']]);

    const numbers = ['1', '2', '3', '4'];
    const off = (by: number): Fake => ({ kind: 'number', labels: [], scores: (text) => [Number(text) + 1 + by] });
    const regression = await compareOnRows(request({ one: off(1), two: off(-2) }, numbers));
    assert.deepStrictEqual(regression.result.scores.map(({ main, other }) => [main.value, main.low, other]), [[1, 1, 1], [2, 2, 2]]);
    assert.deepStrictEqual([regression.result.pairs[0]!.difference.value, regression.result.pairs[0]!.test], [-1, undefined]);
  });

  it('judges the numbers of joint models, too, where the rows have them', async () => {
    const joint = (by: number): Fake => ({ ...oneOf(['a', 'b'], () => true), value: { name: 'stars', of: (text) => Number(text) + by } });
    const all = request({ near: joint(1), far: joint(-2) }, labels);
    const { comparison, numbers } = await compareOnRows({ ...all, rows: all.rows.map((row) => ({ ...row, value: Number(row.text) })) });
    assert.deepStrictEqual([comparison.kind, numbers?.comparison.kind], ['single', 'number']);
    assert.deepStrictEqual(numbers?.result.scores.map(({ main, other }) => [main.value, other]), [[1, 1], [2, 2]]);
    const without = await compareOnRows({ ...all, rows: all.rows.map(({ row, text, label }) => ({ row, text, label })) });
    assert.strictEqual(without.numbers, undefined);
    assert.strictEqual((await compareOnRows(request({ near: joint(1), plain: oneOf(['a', 'b'], () => true) }, labels))).numbers, undefined);
  });

  it('names the labels that a model lacks, and models that cannot be compared', async () => {
    const fakes = { first: oneOf(['a', 'b'], () => true), second: oneOf(['a', 'c'], () => true) };
    await assert.rejects(compareOnRows(request(fakes, ['a', 'b', 'a', 'c'])), humanError('compare.labels', 'test.csv', 'row 4', 'label', 'first', ': c.', 'a, b'));
    await assert.rejects(compareOnRows(request(fakes, ['a', 'b'])), humanError('compare.labels', 'row 2', 'second', ': b.', 'a, c'));
    const number: Fake = { kind: 'number', labels: [], scores: () => [1] };
    await assert.rejects(compareOnRows(request({ first: fakes.first, number }, ['a'])), humanError('compare.kinds', 'first (single)', 'number (number)'));
    const stop = new AbortController();
    stop.abort();
    await assert.rejects(compareOnRows(request({ one: fakes.first, two: fakes.first }, labels.flatMap((label) => Array.from({ length: 50 }, () => label)), { signal: stop.signal })), CancelledError);
  });
});
