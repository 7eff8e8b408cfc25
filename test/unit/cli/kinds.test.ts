import * as assert from 'node:assert';
import type { SpawnSyncReturns } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { readAll } from '../../../src/core/csv/reader';
import { formatDecision } from '../../../src/core/labels/decision';
import { formatTask, newLabels, taskFormatVersion, type TaskDefinition } from '../../../src/core/labels/task';
import { regressionReport } from '../../../src/core/metrics/report';
import type { ModelManifest } from '../../../src/core/model/manifest';
import { exampleId } from '../../../src/core/text/normalize';
import { Random } from '../../../src/core/util/random';
import { lastLine, useCommandLine, type Mistake } from './commandLine';

const moods: Readonly<Record<string, number>> = { superb: 5, good: 4, fair: 3, poor: 2, awful: 1 };

interface Review {
  readonly text: string;
  readonly topics: readonly string[];
  readonly stars: number;
  readonly mood: string;
}

/** Reviews that name their topics, and one word that tells their stars. */
function reviews(count: number, seed: number): Review[] {
  const random = new Random(seed);
  return Array.from({ length: count }, (_, row) => {
    const topics = ['food', 'price', 'staff'].filter(() => random.float() < 0.4);
    const word = Object.keys(moods)[random.below(5)]!;
    return { text: random.shuffle([...topics, word, 'we went', 'that day', `visit ${row}`]).join(' '), topics, stars: moods[word]!, mood: moods[word]! >= 3 ? 'happy' : 'unhappy' };
  });
}

const table = (rows: readonly Review[]): string => `text,topics,stars,mood\n${rows.map(({ text, topics, stars, mood }, row) => `${text},${topics.join(row % 2 === 0 ? '|' : ';')},${stars},${mood}\n`).join('')}`;

describe('the command line, for several labels and for numbers', function () {
  // whole processes on a machine that may be busy
  this.timeout(300_000);
  const cli = useCommandLine();
  const test = reviews(80, 2);
  const quick = ['--embedding-size', '16', '--hidden-units', '16', '--epochs', '8', '--learning-rate', '0.02', '--label-smoothing', '0'];

  const done = (...args: readonly string[]): SpawnSyncReturns<string> => cli.done(args);
  const json = ({ stdout }: SpawnSyncReturns<string>): Record<string, unknown> => lastLine(stdout) as Record<string, unknown>;
  const manifest = (model: string): ModelManifest => JSON.parse(readFileSync(cli.at(model, 'model.json'), 'utf8')) as ModelManifest;
  /** The added columns of each row. */
  const classified = (model: string, ...flags: readonly string[]): string[][] => {
    const records = readAll('x.csv', Buffer.from(done('classify', '--model', `./${model}`, ...flags, 'test.csv').stdout)).filter(({ kind }) => kind === 'row');
    return records.map((record) => [4, 5, 6].map((column) => record.value(column) ?? ''));
  };

  before(() => {
    writeFileSync(cli.at('train.csv'), table(reviews(400, 1)));
    writeFileSync(cli.at('test.csv'), table(test));
  });

  it('trains, evaluates and classifies with several labels', () => {
    const trained = done('train', '--kind', 'multi', '--label', 'topics', ...quick, '--threshold', '0.45', '--json', '--output', 'topics', 'train.csv');
    assert.match(trained.stderr, /rows have an empty topics, which means that no label is right/);
    assert.match(trained.stderr, /held-out exact match \d/);
    assert.strictEqual(json(trained)['kind'], 'multi');
    assert.deepStrictEqual(manifest('topics').task, { kind: 'multi', labels: [{ id: 'food' }, { id: 'price' }, { id: 'staff' }], threshold: 0.45 });

    const cells = classified('topics');
    const right = cells.filter(([predicted], row) => predicted === test[row]!.topics.join(';')).length;
    const evaluation = json(done('evaluate', '--model', './topics', '--label', 'topics', '--json', 'test.csv'));
    assert.strictEqual(evaluation['exactMatch'], right / test.length);
    assert.ok(right > 0.9 * test.length, `${right} of ${test.length}`);
    assert.deepStrictEqual(Object.keys(evaluation).sort(), ['averages', 'exactMatch', 'hammingLoss', 'loss', 'macroF1', 'microF1', 'perClass', 'rows', 'seconds', 'textsPerSecond']);
    assert.strictEqual((evaluation['perClass'] as Record<string, { support: number }>)['food']!.support, test.filter(({ topics }) => topics.includes('food')).length);

    assert.ok(classified('topics', '--threshold', '0').every(([predicted]) => predicted === 'food;price;staff'));
    const always = json(done('evaluate', '--model', './topics', '--label', 'topics', '--threshold', '0', '--json', 'test.csv'))['averages'] as Record<string, unknown>;
    assert.deepStrictEqual(always['micro'], microOfAll(test));
  });

  it('trains, evaluates and classifies with numbers', () => {
    const trained = done('train', '--kind', 'number', '--label', 'stars', ...quick, '--regression-loss', 'huber', '--limit', '390', '--output', 'stars', 'train.csv');
    assert.match(trained.stderr, /held-out R² 0\.\d+, RMSE /);
    const cells = classified('stars');
    const numbers = cells.map(([predicted]) => Number(predicted));
    const report = regressionReport(test.map(({ stars }) => stars), numbers);
    assert.ok(report.pearson > 0.95, JSON.stringify(report));
    const evaluation = json(done('evaluate', '--model', './stars', '--label', 'stars', '--json', 'test.csv'));
    assert.deepStrictEqual(Object.keys(evaluation).sort(), ['mae', 'pearson', 'r2', 'rmse', 'rows', 'seconds', 'textsPerSecond']);
    for (const name of ['mae', 'rmse', 'r2', 'pearson'] as const) assert.ok(Math.abs((evaluation[name] as number) - report[name]) < 1e-4, name);
    assert.ok(cells.every(([, score]) => score === ''));
  });

  it('trains, evaluates and classifies with a label and a number beside it, and decides by a threshold', () => {
    done('train', '--label', 'mood', '--value', 'stars', ...quick, '--output', 'both', 'train.csv');
    const { task } = manifest('both');
    assert.deepStrictEqual([task.kind, task.labels.length, task.value!.name], ['single', 2, 'stars']);
    const evaluation = json(done('evaluate', '--model', './both', '--label', 'mood', '--json', 'test.csv'));
    assert.ok((evaluation['accuracy'] as number) > 0.95 && (evaluation['pearson'] as number) > 0.95, JSON.stringify(evaluation));
    const cells = classified('both');
    const report = regressionReport(test.map(({ stars }) => stars), cells.map(([, , value]) => Number(value)));
    assert.ok(Math.abs(report.rmse - (evaluation['rmse'] as number)) < 1e-4);
    assert.strictEqual(cells.filter(([predicted], row) => predicted === test[row]!.mood).length / test.length, evaluation['accuracy']);
    const always = json(done('evaluate', '--model', './both', '--label', 'mood', '--threshold', '0', '--json', 'test.csv'));
    assert.strictEqual(always['accuracy'], test.filter(({ mood }) => mood === 'unhappy').length / test.length);
    assert.ok(classified('both', '--threshold', '1').every(([predicted]) => predicted === 'happy'));
  });

  it('puts models with a label and a number, or with several labels, together, and compares them', () => {
    done('train', '--label', 'mood', '--value', 'stars', ...quick, '--tokenizer', './both', '--seed', '2', '--output', 'again', 'train.csv');
    const together = json(done('ensemble', '--valid', 'test.csv', '--label', 'mood', '--json', '--output', 'joint', './both', './again'))['metrics'] as Record<string, number>;
    assert.deepStrictEqual(manifest('joint').task.value!.name, 'stars');
    const evaluation = json(done('evaluate', '--model', './joint', '--label', 'mood', '--json', 'test.csv'));
    for (const name of ['rows', 'accuracy', 'macroF1', 'loss', 'ece', 'mae', 'rmse', 'r2', 'pearson']) assert.ok(Math.abs((evaluation[name] as number) - together[name]!) < 1e-4, name);
    const compared = json(done('compare', '--label', 'mood', '--json', './both', './joint', 'test.csv'))['numbers'] as { models: { rmse: { value: number } }[] };
    assert.ok(Math.abs(compared.models[1]!.rmse.value - together['rmse']!) < 1e-4);

    done('train', '--kind', 'multi', '--label', 'topics', ...quick, '--tokenizer', './topics', '--seed', '2', '--output', 'more', 'train.csv');
    const several = json(done('ensemble', '--valid', 'test.csv', '--label', 'topics', '--json', '--output', 'sets', './topics', './more'))['metrics'] as Record<string, number>;
    assert.strictEqual(manifest('sets').task.threshold, undefined, 'one of the members decides at 0.45, the other at one half');
    const sets = json(done('evaluate', '--model', './sets', '--label', 'topics', '--json', 'test.csv'));
    for (const name of ['rows', 'exactMatch', 'microF1', 'macroF1', 'hammingLoss', 'loss']) assert.ok(Math.abs((sets[name] as number) - several[name]!) < 1e-4, name);
  });

  for (const [kind, answerOf] of [['multi', ({ topics }: Review) => topics], ['number', ({ stars }: Review) => stars]] as const) {
    it(`trains on the decisions of a task of kind ${kind}, and guesses with the new version`, () => {
      const labels = kind === 'multi' ? newLabels(['food', 'price', 'staff']) : [];
      const task: TaskDefinition = { formatVersion: taskFormatVersion, name: kind, kind, labels, sources: [{ kind: 'table', file: 'train.csv', textColumns: ['text'] }] };
      mkdirSync(cli.at('.label-lens', kind, 'labels'), { recursive: true });
      writeFileSync(cli.at('.label-lens', kind, 'task.json'), formatTask(task));
      const decisions = reviews(400, 1).slice(0, 300).map((review, i) => formatDecision({ at: new Date(Date.UTC(2026, 0, 1, 0, 0, i)).toISOString(), example: exampleId(review.text), source: { file: 'train.csv', row: i + 1 }, text: review.text, status: 'labeled', label: answerOf(review), annotator: 'mei', origin: 'key' }));
      writeFileSync(cli.at('.label-lens', kind, 'labels', 'mei.jsonl'), `${decisions.join('\n')}\n`);
      done('train', '--task', `.label-lens/${kind}`, ...quick);
      assert.strictEqual(manifest(`.label-lens/${kind}/models/v1`).task.kind, kind);
      const guessed = readAll('x.csv', Buffer.from(done('export', '--task', `.label-lens/${kind}`, '--columns', 'guess', '--output', '-').stdout)).filter((record) => record.kind === 'row');
      const right = guessed.filter((record) => (kind === 'multi' ? record.value(4)!.replace('[]', '') === record.value(1)!.replaceAll('|', ';') : Math.abs(Number(record.value(4)) - Number(record.value(2))) < 1));
      assert.ok(right.length > 0.85 * guessed.length, `${right.length} of ${guessed.length}`);
    });
  }

  it('explains mistakes', async () => {
    const cases: readonly Mistake[] = [
      [['train', '--label', 'mood', '--kind', 'rank', '--output', 'x', 'train.csv'], 2, /--kind takes single, multi, number/],
      [['train', '--label', 'stars', '--kind', 'number', '--value', 'stars', '--output', 'x', 'train.csv'], 2, /--value is about a number beside one label/],
      [['train', '--label', 'stars', '--kind', 'number', '--threshold', '0.5', '--output', 'x', 'train.csv'], 2, /--threshold/],
      [['evaluate', '--label', 'mood', '--threshold', '2', 'test.csv'], 2, /--threshold takes a number from 0 to 1/],
      [['train', '--label', 'mood', '--kind', 'number', '--output', 'x', 'train.csv'], 1, /train\.csv, row 1, column mood: "(un)?happy" is no number/],
      [['train', '--label', 'mood', '--value', 'score', '--output', 'x', 'train.csv'], 1, /train\.csv.*"score"/],
      [['evaluate', '--model', './topics', '--label', 'mood', 'test.csv'], 1, /test\.csv, row 1, column mood: the model topics has no label "(un)?happy"/],
      [['evaluate', '--model', './stars', '--label', 'stars', '--value', 'stars', 'test.csv'], 1, /gives no number beside a label/],
    ];
    await cli.explains(cases);
  });
});

/** Micro average where every label is said of every text. */
function microOfAll(rows: readonly Review[]): { precision: number; recall: number; f1: number } {
  const support = rows.reduce((sum, { topics }) => sum + topics.length, 0);
  const claimed = 3 * rows.length;
  return { precision: support / claimed, recall: 1, f1: (2 * support) / (claimed + support) };
}
