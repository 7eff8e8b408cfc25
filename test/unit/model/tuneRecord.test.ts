import * as assert from 'node:assert';
import * as fc from 'fast-check';
import { defaultHyperparameters } from '../../../src/core/model/hyperparameters';
import { foldKey, formatFoldResult, parseFoldResults, type FoldInputs, type FoldResult } from '../../../src/core/model/tuneRecord';

const inputs: FoldInputs = { data: 'abc', kind: 'single', folds: 5, seed: 1, heldOut: 0.1, fold: 2, preset: 'bilstm-pool', hyperparameters: defaultHyperparameters() };
const metrics = fc.dictionary(fc.stringMatching(/^[a-zA-Z]{1,10}$/), fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0), { maxKeys: 5 });
const results = fc.uniqueArray(
  fc.record({ key: fc.stringMatching(/^[0-9a-f]{32}$/), metrics: metrics.map((own) => ({ ...own })), seconds: fc.double({ min: 0, max: 1e6, noNaN: true }).map((value) => value + 0) }).map((result): FoldResult => ({ ...result })),
  { selector: ({ key }) => key, maxLength: 10 },
);
const of = { fold: 0, preset: 'bilstm-pool', hyperparameters: { learningRate: 0.01 } };
const fileOf = (list: readonly FoldResult[]): Buffer => Buffer.concat(list.map((result) => formatFoldResult(result, of)));

describe('the record of a search', () => {
  it('comes back as it was written, and cut anywhere has all whole lines', () => {
    fc.assert(
      fc.property(results, fc.nat(), (list, at) => {
        const file = fileOf(list);
        assert.deepStrictEqual(parseFoldResults(file, 'tune.jsonl'), { results: new Map(list.map((result) => [result.key, result])), damaged: 0 });
        const cut = at % (file.length + 1);
        // the file system puts a line feed behind a part of a line before it adds the next
        const rest = parseFoldResults(Buffer.concat([file.subarray(0, cut), Buffer.from('\n'), fileOf(list)]), 'tune.jsonl');
        assert.deepStrictEqual([...rest.results.values()].sort(byKey), [...list].sort(byKey));
        assert.ok(rest.damaged <= 1);
      }),
    );
  });

  it('passes over what is none of its lines', () => {
    for (const line of ['{}', '[1]', '{"key":"x","metrics":{},"seconds":1}', `{"key":"${'0'.repeat(32)}","metrics":{"a":null},"seconds":1}`, `{"key":"${'0'.repeat(32)}","metrics":{"a":1},"seconds":-1}`, 'x'.repeat(30_000)])
      assert.deepStrictEqual(parseFoldResults(Buffer.from(`${line}\n`), 'tune.jsonl'), { results: new Map(), damaged: 1 });
  });

  it('has another key for whatever changes the numbers', () => {
    const others: readonly Partial<FoldInputs>[] = [
      { data: 'abd' },
      { kind: 'number' },
      { folds: 4 },
      { seed: 2 },
      { heldOut: 0.2 },
      { fold: 1 },
      { preset: 'other' },
      { hyperparameters: { ...inputs.hyperparameters, dropout: 0.4 } },
    ];
    assert.strictEqual(new Set([inputs, ...others.map((other) => ({ ...inputs, ...other }))].map(foldKey)).size, others.length + 1);
    const turned = Object.fromEntries(Object.entries(inputs.hyperparameters).reverse()) as unknown as FoldInputs['hyperparameters'];
    assert.strictEqual(foldKey({ ...inputs, hyperparameters: turned }), foldKey(inputs));
  });
});

function byKey(a: FoldResult, b: FoldResult): number {
  return a.key < b.key ? -1 : 1;
}
