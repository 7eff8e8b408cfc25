import * as assert from 'node:assert';
import * as fc from 'fast-check';
import { checkHyperparameters } from '../../../src/core/model/hyperparameters';
import { gridCandidates, parseGrid, parseRanges, randomCandidates, type Candidate } from '../../../src/core/model/searchSpace';
import { humanError } from '../humanErrors';

const bases: readonly Candidate[] = [
  { preset: 'bilstm-pool', hyperparameters: { epochs: 3 } },
  { preset: 'other', hyperparameters: { epochs: 2 } },
];

describe('a search over settings', () => {
  it('tries all combinations of a grid with each preset', () => {
    const axes = parseGrid(' learningRate = 0.001, 4e-3 ; hidden-units=32,64,32;schedule=constant,linear;');
    assert.deepStrictEqual(axes, [
      { name: 'learningRate', values: [0.001, 0.004] },
      { name: 'hiddenUnits', values: [32, 64] },
      { name: 'schedule', values: ['constant', 'linear'] },
    ]);
    const candidates = gridCandidates(bases, axes);
    assert.strictEqual(new Set(candidates.map((candidate) => JSON.stringify(candidate))).size, 16);
    assert.deepStrictEqual(candidates.slice(0, 3), [
      { preset: 'bilstm-pool', hyperparameters: { epochs: 3, learningRate: 0.001, hiddenUnits: 32, schedule: 'constant' } },
      { preset: 'bilstm-pool', hyperparameters: { epochs: 3, learningRate: 0.001, hiddenUnits: 32, schedule: 'linear' } },
      { preset: 'bilstm-pool', hyperparameters: { epochs: 3, learningRate: 0.001, hiddenUnits: 64, schedule: 'constant' } },
    ]);
    assert.deepStrictEqual(gridCandidates(bases, []), bases);
  });

  it('draws different settings within their ranges, the same for the same seed', () => {
    const ranges = parseRanges('learningRate=0.0005..0.01;dropout=0.2..0.6;hiddenUnits=8..64;schedule=constant,linear;batchSize=16,32');
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), fc.integer(), (count, seed) => {
        const drawn = randomCandidates(bases, ranges, count, seed);
        assert.strictEqual(drawn.length, count);
        assert.strictEqual(new Set(drawn.map((candidate) => JSON.stringify(candidate))).size, count);
        for (const { preset, hyperparameters } of drawn) {
          const { learningRate, dropout, hiddenUnits, schedule, batchSize, epochs } = checkHyperparameters(hyperparameters);
          assert.strictEqual(epochs, preset === 'other' ? 2 : 3);
          assert.ok(learningRate >= 0.0005 && learningRate <= 0.01 && dropout >= 0.2 && dropout <= 0.6 && hiddenUnits >= 8 && hiddenUnits <= 64);
          assert.ok(['constant', 'linear'].includes(schedule) && [16, 32].includes(batchSize));
        }
        assert.deepStrictEqual(randomCandidates(bases, ranges, count, seed), drawn);
      }),
    );
    assert.notDeepStrictEqual(randomCandidates(bases, ranges, 5, 1), randomCandidates(bases, ranges, 5, 2));
  });

  it('draws by orders of magnitude where a range spans a decade, evenly where not', () => {
    const values = (space: string, name: 'learningRate' | 'dropout'): number[] => randomCandidates(bases.slice(0, 1), parseRanges(space), 400, 7).map(({ hyperparameters }) => hyperparameters[name]!);
    const below = (list: readonly number[], bound: number): number => list.filter((value) => value < bound).length / list.length;
    // the middle of the logarithms of 0.0001..0.01 is 0.001, of which evenly drawn ones would have a tenth below
    const wide = below(values('learningRate=0.0001..0.01', 'learningRate'), 0.001);
    assert.ok(wide > 0.4 && wide < 0.6, String(wide));
    const narrow = below(values('dropout=0.1..0.9', 'dropout'), 0.5);
    assert.ok(narrow > 0.4 && narrow < 0.6, String(narrow));
  });

  it('gives fewer where there are no more', () => {
    assert.strictEqual(randomCandidates(bases, parseRanges('schedule=constant,linear'), 10, 1).length, 4);
    assert.strictEqual(randomCandidates(bases.slice(0, 1), parseRanges('hiddenUnits=8..16'), 10, 1).length, 3);
  });

  it('says what is wrong with it', () => {
    assert.throws(() => parseGrid('learningRate'), humanError('search.axis', 'learningRate'));
    assert.throws(() => parseGrid('learningRate='), humanError('search.axis'));
    assert.throws(() => parseGrid('=3'), humanError('search.axis'));
    assert.throws(() => parseGrid('rate=3'), humanError('search.name', 'rate', 'learningRate'));
    assert.throws(() => parseGrid('epochs=1;epochs=2'), humanError('search.twice', 'epochs'));
    assert.throws(() => parseGrid('hiddenUnits=30,31'), humanError('hyperparameter.multiple', 'hiddenUnits', '30'));
    assert.throws(() => parseGrid('learningRate=0.1,,0.2'), humanError('hyperparameter.range', 'learningRate'));
    assert.throws(() => parseGrid('learningRate=fast'), humanError('hyperparameter.range', '"fast"'));
    assert.throws(() => parseGrid('schedule=cosine'), humanError('hyperparameter.choice', 'cosine'));
    assert.throws(() => parseRanges('learningRate=0.01..0.001'), humanError('search.range', 'learningRate'));
    assert.throws(() => parseRanges('learningRate=0.001..0.002..0.01'), humanError('search.range'));
    assert.throws(() => parseRanges('learningRate=..0.01'), humanError('hyperparameter.range'));
    assert.throws(() => parseRanges('dropout=0.1..2'), humanError('hyperparameter.range', 'dropout', '2'));
    const many = parseGrid(`seed=${Array.from({ length: 501 }, (_, seed) => seed).join(',')}`);
    assert.throws(() => gridCandidates(bases, many), humanError('search.many', '1002'));
    assert.throws(() => randomCandidates(bases, many, 1001, 1), humanError('search.many', '1001'));
  });
});
