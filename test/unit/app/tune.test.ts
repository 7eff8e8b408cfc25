import * as assert from 'node:assert';
import { bestPreset, tune, type TuneRequest } from '../../../src/app/tune';
import type { LabeledText } from '../../../src/app/labeledRows';
import { CancelledError, HumanError } from '../../../src/core/errors';
import { formatPresetFile, parsePresetFile } from '../../../src/core/model/presetFile';
import type { TrainRequest } from '../../../src/core/protocol/trainer';
import { normalizeText } from '../../../src/core/text/normalize';
import { wordBundle } from '../../fixtures/wordModel';
import { humanError } from '../humanErrors';


/** Texts of two labels, every third of which comes twice. */
const rows: readonly LabeledText[] = Array.from({ length: 60 }, (_, index) => ({ row: index + 1, text: `text ${index % 3 === 2 ? index - 1 : index}`, label: Math.floor(index / 3) % 2 === 0 ? 'bad' : 'good' }));

/**
 * Trainings that are done at once. Their models say `good` with a probability that grows with the learning rate to whatever is good, so that settings can be told apart.
 */
class Bench {
  readonly trained: TrainRequest[] = [];
  readonly scored: string[][] = [];
  lines: Uint8Array | undefined;
  cleared = 0;
  /** Called before each training. */
  onTrain: (count: number, request: TrainRequest) => void = () => undefined;

  readonly request: TuneRequest = {
    rows,
    file: '/data/reviews.csv',
    textColumns: ['text'],
    labelColumn: 'label',
    kind: 'single',
    candidates: [0.01, 0.03, 0.02].map((learningRate) => ({ preset: 'bilstm-pool', hyperparameters: { learningRate } })),
    folds: 4,
    seed: 1,
    metric: 'accuracy',
    workers: 1,
    trainer: {
      train: (request) => {
        this.onTrain(this.trained.length, request);
        this.trained.push(request);
        const epoch = { trainLoss: 0.5, validLoss: 0.4, validAccuracy: 0.9, seconds: 2 };
        const result = { bundle: wordBundle({ name: 'tune', version: 'v1', good: ['good'], bad: ['bad'] }), epochs: [epoch, epoch], best: 0, examplesPerSecond: 100 };
        // what the helper of the kinds adds to results does not matter here
        return Promise.resolve(result as never);
      },
    },
    predictor: {
      load: () => Promise.resolve({ labels: ['bad', 'good'] }),
      unload: () => undefined,
      predict: (_, texts) => {
        this.scored.push([...texts]);
        const { learningRate } = this.trained.at(-1)!.hyperparameters;
        const scores = Float32Array.from(texts.flatMap((text) => {
          const place = Number(text.slice(5));
          const isGood = Math.floor(place / 3) % 2 === 1;
          // the smaller the rate, the more texts are told wrongly
          const right = place % 60 < learningRate * 2000 ? 0.9 : 0.2;
          return isGood ? [1 - right, right] : [right, 1 - right];
        }));
        return Promise.resolve({ scores, width: 2, tokens: new Int32Array(texts.length).fill(2) } as never);
      },
    },
    record: {
      where: 'tune.jsonl',
      read: () => Promise.resolve(this.lines),
      append: (lines) => {
        this.lines = Buffer.concat([this.lines ?? new Uint8Array(0), lines]);
        return Promise.resolve();
      },
    },
    checkpoints: { where: 'training.checkpoint', load: () => Promise.resolve(undefined), save: () => Promise.resolve(), clear: () => Promise.resolve(void this.cleared++) },
    pause: () => Promise.resolve(),
  };

  get lineCount(): number {
    return Buffer.from(this.lines ?? []).toString().split('\n').length - 1;
  }
}

describe('tuning', () => {
  it('scores each row once for each candidate, by a model that has not seen its text', async () => {
    const bench = new Bench();
    const { ranking, trained, reused } = await tune(bench.request);
    assert.deepStrictEqual([trained, reused, bench.trained.length, bench.cleared], [12, 0, 12, 12]);
    for (let candidate = 0; candidate < 3; candidate++) {
      const scored = bench.scored.slice(candidate * 4, candidate * 4 + 4);
      assert.deepStrictEqual(scored.flat().sort(), rows.map(({ text }) => text).sort());
      assert.deepStrictEqual(scored, bench.scored.slice(0, 4), 'the same folds for all');
      for (const [fold, texts] of scored.entries()) {
        const request = bench.trained[candidate * 4 + fold]!;
        const [training, stopping] = [request.rows, request.validation].map((part) => new Set(part.map(({ text }) => normalizeText(text)))) as [Set<string>, Set<string>];
        assert.ok(stopping.size > 0);
        for (const text of texts) assert.ok(!training.has(normalizeText(text)) && !stopping.has(normalizeText(text)), 'a scored text was seen');
        for (const text of stopping) assert.ok(!training.has(text), 'a text that decides when to stop was trained on');
        assert.strictEqual(request.rows.length + request.validation.length + texts.length, rows.length);
      }
    }
    assert.deepStrictEqual(ranking.map(({ candidate }) => candidate.hyperparameters.learningRate), [0.03, 0.02, 0.01]);
    assert.strictEqual(ranking[0]!.mean.accuracy, 1);
    assert.deepStrictEqual([ranking[0]!.deviation.accuracy, ranking[0]!.seconds], [0, 16]);
    // 40 of 60 rows stand below 0.02 × 2000
    const worse = ranking[1]!.mean.accuracy!;
    assert.ok(worse > 0.6 && worse < 0.75, String(worse));
  });

  it('gives means and standard deviations of what the record says of each fold', async () => {
    const bench = new Bench();
    const { ranking } = await tune(bench.request);
    const lines = Buffer.from(bench.lines!).toString().trimEnd().split('\n').map((line) => JSON.parse(line) as { hyperparameters: { learningRate: number }; metrics: Record<string, number> });
    for (const { candidate, mean, deviation } of ranking) {
      const values = lines.filter(({ hyperparameters }) => hyperparameters.learningRate === candidate.hyperparameters.learningRate).map(({ metrics }) => metrics.loss!);
      assert.strictEqual(values.length, 4);
      const expected = values.reduce((sum, value) => sum + value, 0) / 4;
      assert.ok(Math.abs(mean.loss! - expected) < 1e-12);
      assert.ok(Math.abs(deviation.loss! - Math.sqrt(values.reduce((sum, value) => sum + (value - expected) ** 2, 0) / 3)) < 1e-12);
    }
  });

  it('goes on where it was stopped, wherever that was, and does nothing twice', async () => {
    const whole = await tune(new Bench().request);
    for (let stopped = 0; stopped < 12; stopped++) {
      const bench = new Bench();
      bench.onTrain = (count) => {
        if (count === stopped) throw new CancelledError();
      };
      await assert.rejects(tune(bench.request), CancelledError);
      assert.strictEqual(bench.lineCount, stopped);
      // a kill in the middle of a line
      if (stopped % 2 === 1) bench.lines = Buffer.concat([bench.lines!, Buffer.from('{"key":"0123')]);
      if (stopped % 2 === 1) bench.lines = Buffer.concat([bench.lines!, Buffer.from('\n')]);
      bench.onTrain = () => undefined;
      bench.trained.length = 0;
      const result = await tune(bench.request);
      assert.deepStrictEqual([result.trained, result.reused], [12 - stopped, stopped]);
      assert.deepStrictEqual(result.ranking, whole.ranking);
      const again = await tune(bench.request);
      assert.deepStrictEqual([again.trained, again.reused], [0, 12]);
      assert.deepStrictEqual(again.ranking, whole.ranking);
    }
  });

  it('takes only results of the same rows, folds, kind and settings', async () => {
    const bench = new Bench();
    await tune(bench.request);
    const { candidates } = bench.request;
    const trainedWith = async (more: Partial<TuneRequest>): Promise<number> => (await tune({ ...bench.request, record: { ...bench.request.record, append: () => Promise.resolve() }, ...more })).trained;
    assert.strictEqual(await trainedWith({ candidates: [...candidates, { preset: 'bilstm-pool', hyperparameters: { learningRate: 0.05 } }] }), 4);
    assert.strictEqual(await trainedWith({ candidates: candidates.slice(1), metric: 'loss', workers: 3 }), 0);
    // what a preset's default is anyway changes nothing
    assert.strictEqual(await trainedWith({ candidates: [{ preset: 'bilstm-pool', hyperparameters: { learningRate: 0.01, hiddenUnits: 64 } }] }), 0);
    assert.strictEqual(await trainedWith({ seed: 2 }), 12);
    assert.strictEqual(await trainedWith({ folds: 3 }), 9);
    assert.strictEqual(await trainedWith({ rows: rows.map((row, index) => (index === 7 ? { ...row, text: `${row.text}!` } : row)) }), 12);
    assert.strictEqual(await trainedWith({ rows: [...rows.slice(1), { ...rows[0]!, label: 'good' }] }), 12);
  });

  it('ranks settings last whose training diverges, and goes on', async () => {
    const bench = new Bench();
    bench.onTrain = (_, { hyperparameters }) => {
      if (hyperparameters.learningRate === 0.03) throw new HumanError('training.diverged', 'The loss became infinite.');
    };
    const { ranking, trained } = await tune(bench.request);
    assert.deepStrictEqual(ranking.map(({ candidate }) => candidate.hyperparameters.learningRate), [0.02, 0.01, 0.03]);
    assert.deepStrictEqual([ranking[2]!.mean, trained], [{}, 9]);
    assert.strictEqual((await tune(bench.request)).trained, 0, 'it would diverge again');
    bench.onTrain = () => {
      throw new HumanError('training.diverged', 'The loss became infinite.');
    };
    await assert.rejects(tune({ ...bench.request, seed: 5 }), humanError('tune.allDiverged', '3 settings'));
  });

  it('says before it trains what cannot be done', async () => {
    const bench = new Bench();
    bench.onTrain = () => assert.fail('it trained');
    await assert.rejects(tune({ ...bench.request, candidates: [...bench.request.candidates, { preset: 'bilstm-pool', hyperparameters: { hiddenUnits: 30 } }] }), humanError('hyperparameter.multiple', 'hiddenUnits'));
    await assert.rejects(tune({ ...bench.request, rows: rows.slice(0, 3) }), humanError('tune.fewTexts', 'reviews.csv', '4 folds'));
    const stop = new AbortController();
    stop.abort();
    await assert.rejects(tune({ ...bench.request, signal: stop.signal }), CancelledError);
    bench.onTrain = () => {
      throw new HumanError('training.stopped', 'Training stopped.');
    };
    await assert.rejects(tune(bench.request), humanError('training.stopped'));
  });

  it('tells how far it is, and writes the best as a preset file', async () => {
    const bench = new Bench();
    const fractions: number[] = [];
    const done: number[] = [];
    const trainer: TuneRequest['trainer'] = {
      train: (request, options) => {
        for (const batch of [5, 10]) options?.onProgress?.({ epoch: 1, epochs: 1, batch, batches: 10, loss: 0.5, examplesPerSecond: 1, secondsLeft: 1, step: batch });
        return bench.request.trainer.train(request, options);
      },
    };
    const { ranking } = await tune({ ...bench.request, trainer, onProgress: ({ fraction }) => fractions.push(fraction), onCandidate: () => done.push(fractions.length) });
    assert.deepStrictEqual(fractions, Array.from({ length: 24 }, (_, index) => (Math.floor(index / 2) + (index % 2 === 0 ? 0.5 : 1)) / 12));
    assert.deepStrictEqual(done, [8, 16, 24]);
    const preset = bestPreset(ranking[0]!, { name: 'best', metric: 'accuracy', folds: 4, of: 3, file: bench.request.file });
    assert.deepStrictEqual(parsePresetFile(formatPresetFile(preset), 'best.preset.json'), {
      name: 'best',
      preset: 'bilstm-pool',
      hyperparameters: { learningRate: 0.03 },
      description: 'Best of 3 settings in cross-validation with 4 folds on reviews.csv: accuracy 1.0000 ± 0.0000',
    });
  });
});
