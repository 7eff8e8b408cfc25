import * as assert from 'node:assert';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { gzipSync } from 'node:zlib';
import { hyperparameterSpecs } from '../../../src/core/model/hyperparameters';
import { lastLine, useCommandLine, type Mistake } from './commandLine';
import { table } from './table';

interface TrainJson {
  readonly preset: string;
  readonly base: string;
  readonly rows: number;
  readonly epochs: readonly { trainLoss: number; validLoss: number; validAccuracy: number; seconds: number }[];
  readonly best: number;
  readonly examplesPerSecond: number;
  readonly output: string;
}

interface EvaluateJson {
  readonly rows: number;
  readonly accuracy: number;
  readonly macroF1: number;
  readonly perClass: Record<string, { precision: number; recall: number; f1: number; support: number }>;
  readonly confusion: { labels: string[]; matrix: number[][] };
  readonly ece: number;
  readonly seconds: number;
  readonly textsPerSecond: number;
}

describe('the command line', function () {
  // whole processes, a dozen of them, on a machine that may be busy
  this.timeout(300_000);
  let model: string;

  const cli = useCommandLine();

  before(() => {
    model = cli.at('models/tiny');
    writeFileSync(cli.at('train.csv.gz'), gzipSync(table(400, 1)));
    writeFileSync(cli.at('test.csv'), table(101, 2));
  });

  it('trains, evaluates, lists and classifies, each with its promised output', () => {
    const trained = cli.done(['train', '--label', 'label', '--base', 'none', '--preset', 'bilstm-pool', '--embedding-size', '16', '--hidden-units', '16', '--epochs', '8', '--learning-rate', '0.01', '--seed', '3', '--limit', '300', '--json', '--output', model, 'train.csv.gz']);
    const training = lastLine(trained.stdout) as TrainJson;
    assert.deepStrictEqual([training.preset, training.base, training.output], ['bilstm-pool', 'none', model]);
    assert.ok(training.rows > 250 && training.rows < 300, `${training.rows} rows`);
    assert.strictEqual(training.best, training.epochs.reduce((best, epoch, at) => (epoch.validLoss < training.epochs[best]!.validLoss ? at : best), 0));
    for (const epoch of training.epochs) assert.deepStrictEqual(Object.keys(epoch).sort(), ['seconds', 'trainLoss', 'validAccuracy', 'validLoss']);
    assert.deepStrictEqual(readdirSync(model).sort(), ['model.json', 'model.onnx', 'report.html', 'report.md', 'tokenizer.json']);

    const evaluated = cli.done(['evaluate', '--model', model, '--label', 'label', '--json', '--report', 'tested', 'test.csv']);
    for (const name of ['tested.html', 'tested.md']) assert.match(cli.read(name), /tiny v1: evaluation|tiny v1\\?: evaluation/);
    assert.match(readFileSync(path.join(model, 'report.html'), 'utf8'), /<h1>tiny v1: training<\/h1>/);
    const evaluation = lastLine(evaluated.stdout) as EvaluateJson;
    assert.strictEqual(evaluation.rows, 101);
    assert.ok(evaluation.accuracy >= 0.95, `accuracy ${evaluation.accuracy} on rows that were not trained on`);
    const { labels, matrix } = evaluation.confusion;
    assert.deepStrictEqual(labels, ['negative', 'positive']);
    const right = matrix.reduce((sum, row, at) => sum + row[at]!, 0);
    assert.strictEqual(evaluation.accuracy, right / 101);
    assert.deepStrictEqual(Object.keys(evaluation).sort(), ['accuracy', 'averages', 'confusion', 'ece', 'eceByChance', 'loss', 'macroF1', 'perClass', 'rows', 'seconds', 'textsPerSecond']);

    const listed = cli.done(['models']);
    assert.match(listed.stdout, /tiny\s+v1\s+negative, positive\s+bilstm-pool/);

    const classified = cli.done(['classify', '--model', 'tiny', 'test.csv']);
    const before = cli.read('test.csv');
    assert.strictEqual(classified.stdout.replace(/,(?:predicted,score|(?:positive|negative),[01](?:\.\d+)?)(?=\r\n)/g, ''), before);
    const agreed = classified.stdout.split('\r\n').filter((line) => /,(positive|negative),\1,/.test(line)).length;
    assert.strictEqual(agreed, right);

    const piped = cli.run(['classify', '--model', model, '-'], before);
    assert.strictEqual(piped.stdout, classified.stdout);
    cli.done(['classify', '--model', model, '--output', 'out.csv', 'train.csv.gz']);
    assert.strictEqual(cli.read('out.csv').split('\r\n').length, 402);

    const again = cli.done(['train', '--label', 'label', '--base', model, '--epochs', '1', '--output', 'second', 'train.csv.gz', '--json']);
    const fineTuned = lastLine(again.stdout) as TrainJson;
    assert.ok(fineTuned.epochs[0]!.validAccuracy >= 0.95, 'training from a base starts where the base stood');
  });

  it('trains from word vectors, and puts models that share a tokenizer together', async () => {
    writeFileSync(cli.at('tiny.vec.gz'), gzipSync('6 5\nGreat 1 0 0 0 1\nwonderful 1 0 0 0 .9\nawful 0 1 0 0 1\nterrible 0 1 0 0 nan\nservice 0 0 1 0 1\n'));
    const plain = ['train', '--label', 'label', '--hidden-units', '8', '--epochs', '2', '--learning-rate', '0.02'];
    const one = cli.done([...plain, '--vectors', 'tiny.vec.gz', '--embedding-training', 'frozen', '--output', 'one', 'train.csv.gz']);
    assert.match(one.stderr, /line 5: the vector of terrible/);
    assert.match(one.stderr, /should have 6 words.* has 5/);
    assert.match(one.stderr, /vectors of 5 numbers for 4 of \d+ words of the vocabulary \(\d\.\d %\), which are \d+\.\d % of what is read/);
    assert.match(one.stderr, /most frequent words without a vector: .*\(\d+\)/);
    const card = JSON.parse(cli.read('one/model.json')) as { data: Record<string, unknown>; architecture: { layers: { size?: number }[] } };
    assert.deepStrictEqual([card.data['vectors'], card.data['vectorSize'], card.data['vectorWords'], card.architecture.layers[0]!.size], ['tiny.vec.gz', 5, 4, 8]);

    cli.done([...plain, '--tokenizer', 'one', '--seed', '7', '--precision', 'int8', '--output', 'two', 'train.csv.gz']);
    cli.done([...plain, '--limit', '100', '--output', 'alone', 'train.csv.gz']);

    const put = ['ensemble', '--valid', 'test.csv', '--label', 'label'];
    const together = cli.done([...put, '--json', '--output', 'both', './one', './two']);
    const result = lastLine(together.stdout) as { members: { weight: number; metrics: { loss: number } }[]; metrics: { accuracy: number; loss: number } };
    assert.ok(Math.abs(result.members.reduce((sum, { weight }) => sum + weight, 0) - 1) < 1e-9);
    for (const { metrics } of result.members) assert.ok(result.metrics.loss <= metrics.loss + 1e-6, JSON.stringify(result));
    const evaluated = cli.done(['evaluate', '--model', './both', '--label', 'label', '--json', 'test.csv']);
    assert.strictEqual((lastLine(evaluated.stdout) as EvaluateJson).accuracy, result.metrics.accuracy);
    assert.strictEqual(cli.run(['classify', '--model', './both', 'test.csv']).status, 0);

    const refused: readonly Mistake[] = [
      [[...put, '--output', 'x', './one', './alone'], 1, /different tokens.*Train alone again.*train --tokenizer .*one/],
      [[...put, '--output', 'x', './one'], 2, /2 to 16 models, not 1/],
      [[...plain, '--base', './both', '--output', 'x', 'train.csv.gz'], 1, /both is an ensemble of one v1, two v1/],
      [[...plain, '--base', './one', '--vectors', 'tiny.vec.gz', '--output', 'x', 'train.csv.gz'], 2, /--vectors is for a model that is trained from scratch/],
      [[...plain, '--base', './one', '--tokenizer', './two', '--output', 'x', 'train.csv.gz'], 2, /--tokenizer is for a model that is trained from scratch/],
      [[...plain, '--vectors', 'tiny.vec.gz', '--embedding-size', '8', '--output', 'x', 'train.csv.gz'], 2, /Leave out --embedding-size or --vectors/],
      [[...plain, '--vectors', 'test.csv', '--output', 'x', 'train.csv.gz'], 1, /test\.csv is no text file of word vectors/],
    ];
    await cli.explains(refused);
    assert.ok(!readdirSync(cli.folder).includes('x'));
  });

  it('trains the same model with however many workers', () => {
    const models = [1, 2, 4].map((workers) => {
      cli.done(['train', '--label', 'label', '--hidden-units', '16', '--epochs', '2', '--workers', String(workers), '--name', 'same', '--output', `workers${workers}`, 'train.csv.gz']);
      return readFileSync(cli.at(`workers${workers}`, 'model.onnx'));
    });
    for (const model of models) assert.ok(model.equals(models[0]!));
  });

  it('explains mistakes and exits with 2, failures with 1', async () => {
    const cases: readonly Mistake[] = [
      [[], 2, /label-lens COMMAND/],
      [['clasify'], 2, /no command clasify/],
      [['classify'], 2, /FILE is missing/],
      [['classify', '--modle', 'x', 'test.csv'], 2, /--modle/],
      [['evaluate', 'test.csv'], 2, /--label is missing/],
      [['train', '--label', 'label', '--output', 'x', '--epochs', 'many', 'test.csv'], 2, /--epochs takes a number/],
      [['train', '--label', 'label', '--output', 'x', '--workers', '0', 'test.csv'], 2, /--workers takes a whole number from 1 to 4/],
      [['train', '--label', 'label', '--output', 'x', '--preset', 'gru', 'test.csv'], 2, /bilstm-pool/],
      [['train', '--label', 'label', '--output', 'x', '--epochs', '0', 'test.csv'], 1, /epochs/],
      [['train', '--label', 'label', '--output', 'x', '--valid', 'test.csv', 'test.csv'], 1, /All texts of test\.csv are among those to train on.*Choose a file with other texts/],
      [['train', '--label', 'label', '--output', 'x', '--schedule', 'cosine', 'test.csv'], 1, /schedule.*"cosine".*slanted-triangular, one-cycle/],
      [['train', '--label', 'label', '--output', 'x', '--schedule', 'linear', '--class-weights', 'balanced', '--layers', '5', 'test.csv'], 1, /layers.*5.*1 to 4/],
      [['classify', '--model', 'missing', 'test.csv'], 1, /missing/],
      [['evaluate', '--model', model, '--label', 'stars', 'test.csv'], 1, /test\.csv.*"stars".*"id", "text", "label"/],
      [['evaluate', '--model', model, '--label', 'id', 'test.csv'], 1, /test\.csv, row 1, column id.*"0".*negative, positive/],
      [['classify', '--model', model, '--output', 'none.csv', 'absent.csv'], 1, /absent\.csv/],
      [['classify', '--model', model, '--text', 'body', '--output', 'none.csv', 'test.csv'], 1, /"body"/],
    ];
    await cli.explains(cases);
    assert.ok(!readdirSync(cli.folder).some((name) => name.startsWith('none')), 'nothing half-written stays behind');
    const help = cli.run(['train', '--help']);
    assert.strictEqual(help.status, 0);
    for (const spec of hyperparameterSpecs) {
      const flag = spec.name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
      assert.ok(help.stdout.split('\n').some((line) => line.startsWith(`  --${flag} `) && line.includes(spec.help) && line.includes(`(default ${spec.default})`)), flag);
      if ('choices' in spec) for (const choice of spec.choices) assert.ok(help.stdout.includes(choice), choice);
    }
  });
});
